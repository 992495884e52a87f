//! Documents that nobody should send, of any size: what the reader and the review must stay linear and small on.

/// A shape of hostile content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Arrays within one another, past any cap on the depth.
    Deep,
    /// One object with as many members as fit, keys in order.
    Wide,
    /// As [`Shape::Wide`], with the keys in the worst order for a reader that sorts them.
    WideUnsorted,
    /// One string of the whole size.
    OneString,
    /// One string of nothing but escapes that canonical form writes differently.
    AllEscapes,
    /// Many short numbers.
    Numbers,
    /// As many targets as fit, with something to say about each.
    Findings,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 7] = [
        Shape::Deep,
        Shape::Wide,
        Shape::WideUnsorted,
        Shape::OneString,
        Shape::AllEscapes,
        Shape::Numbers,
        Shape::Findings,
    ];

    /// The shape's name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Deep => "deep",
            Shape::Wide => "wide",
            Shape::WideUnsorted => "wide-unsorted",
            Shape::OneString => "one-string",
            Shape::AllEscapes => "all-escapes",
            Shape::Numbers => "numbers",
            Shape::Findings => "findings",
        }
    }

    /// JSON of this shape and of about `bytes` bytes: a value for a target's `custom.x-hostile`; for
    /// [`Shape::Findings`], the members of a whole `targets` object.
    pub(crate) fn value(self, bytes: usize) -> String {
        match self {
            Shape::Deep => "[".repeat(bytes / 2) + &"]".repeat(bytes / 2),
            Shape::Wide => object((0..bytes / 14).map(|i| format!("\"{i:09}\":0"))),
            Shape::WideUnsorted => object((0..bytes / 14).rev().map(|i| format!("\"{i:09}\":0"))),
            Shape::OneString => format!("\"{}\"", "a".repeat(bytes)),
            Shape::AllEscapes => format!("\"{}\"", "\\u0041".repeat(bytes / 6)),
            Shape::Numbers => format!("[0{}]", ",1".repeat(bytes / 2)),
            Shape::Findings => object((0..bytes / FINDING_BYTES).map(finding)),
        }
    }

    /// A bare `targets.json` of about `bytes` bytes, unsigned, for `import`.
    pub fn targets_file(self, version: u64, expires: &str, bytes: usize) -> String {
        let value = self.value(bytes);
        let targets = match self {
            Shape::Findings => value,
            _ => format!(
                "{{\"intel-corei7-64-lmp-{version}\":{{\"custom\":{{\"hardwareIds\":[\"intel-corei7-64\"],\"name\":\
                 \"intel-corei7-64-lmp\",\"tags\":[\"production\"],\"targetFormat\":\"OSTREE\",\"version\":\"{version}\",\
                 \"x-hostile\":{value}}},\"hashes\":{{\"sha256\":\"{:064x}\"}},\"length\":0}}}}",
                7
            ),
        };
        format!(
            "{{\"signatures\":[],\"signed\":{{\"_type\":\"Targets\",\"expires\":\"{expires}\",\"targets\":{targets},\
             \"version\":{version}}}}}"
        )
    }
}

const FINDING_BYTES: usize = 176;

/// A target with a foreign tag, an odd number, an unknown member and a name outside ASCII.
fn finding(index: usize) -> String {
    format!(
        "\"t\u{e9}-{index:08}\":{{\"custom\":{{\"hardwareIds\":[],\"tags\":[\"other\"],\"version\":\"{index}\",\
         \"x\":1.50}},\"hashes\":{{\"sha256\":\"{index:064x}\"}},\"length\":1}}"
    )
}

fn object(members: impl Iterator<Item = String>) -> String {
    let mut out = String::from("{");
    for (index, member) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&member);
    }
    out.push('}');
    out
}
