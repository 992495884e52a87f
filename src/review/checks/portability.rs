//! Portability: fioctl, devices and this program must hash the same bytes, or a signature is good for one of them and
//! bad for another. Every construct on which they are known to disagree is named with its place.

use super::findings::Findings;
use super::subject::{Subject, nowhere};
use crate::json::{Flags, Kind, Value, step, step_index};
use crate::text::shown;
use std::collections::BTreeSet;
use unicode_normalization::is_nfc;

/// The greatest integer up to which floating-point numbers, which fioctl reads into, keep every integer apart.
const MAX_EXACT: i64 = 1 << 53;

const WHAT_TO_DO: &str = "Do not sign: have CI publish a new version of the target without it";

pub(super) fn canonical_portable(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let metadata = &subject.situation.proposal.metadata;
    let file = shown(metadata.signed.document().name());
    let mut walk =
        Walk { as_written: metadata.dialect.hashes_text_as_written(), file, path: "signed".to_owned(), out };
    walk.value(metadata.signed, Place { depth: 0, in_targets: false, in_custom: false });
    if let Some(flaw) = subject.situation.message.flaw() {
        out.block(nowhere, || format!("It cannot be signed at all: {}.", shown(flaw)));
    }
}

/// Where in `signed` a value stands.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    in_targets: bool,
    /// fioctl passes `custom` through as raw JSON; everything else it reads and writes anew.
    in_custom: bool,
}

struct Walk<'w, 'p> {
    /// See [`crate::tuf::Dialect::hashes_text_as_written`].
    as_written: bool,
    file: String,
    path: String,
    out: &'w mut Findings<'p>,
}

impl Walk<'_, '_> {
    /// Could anything odd be inside? Told from what the reader noticed and two searches of raw bytes, so that a plain
    /// file costs next to nothing.
    fn may_be_odd(&self, value: Value<'_>, place: Place) -> bool {
        const NOTICED: Flags =
            Flags::NON_ASCII.with(Flags::ODD_ESCAPE).with(Flags::ODD_NUMBER).with(Flags::UNSORTED);
        // A document without escapes and white space can still hold `<` or DEL.
        value.flags().has(NOTICED)
            || memchr::memchr(0x7f, value.span()).is_some()
            || (self.as_written && !place.is_outside_custom() && has_html(value.span()))
    }

    fn value(&mut self, value: Value<'_>, place: Place) {
        if !self.may_be_odd(value, place) {
            return;
        }
        match value.kind() {
            Kind::Object => self.object(value, place),
            Kind::Array => {
                for (index, item) in value.items().enumerate() {
                    self.within(|path| step_index(path, index), |walk| walk.value(item, place.below()));
                }
            }
            Kind::String => self.string(value, place, "The text"),
            Kind::Number => self.number(value),
            Kind::Null | Kind::True | Kind::False => {}
        }
    }

    fn object(&mut self, object: Value<'_>, place: Place) {
        if place.in_custom && self.as_written && !object.flags().has(Flags::SORTED_HERE) {
            self.found("The keys of this object are not in the order of their bytes, and fioctl signs them as they stand");
        }
        for (key, inner) in object.members() {
            let below = Place {
                depth: place.depth + 1,
                in_targets: place.in_targets || (place.depth == 0 && key.is("targets")),
                in_custom: place.in_custom || (place.in_targets && place.depth == 2 && key.is("custom")),
            };
            self.within(
                |path| step(path, &key.text()),
                |walk| {
                    walk.string(key.value(), place, "The key");
                    walk.value(inner, below);
                },
            );
        }
    }

    /// Looks at something one step further down the path.
    fn within(&mut self, down: impl FnOnce(&mut String), look: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        down(&mut self.path);
        look(self);
        self.path.truncate(length);
    }

    fn string(&mut self, string: Value<'_>, place: Place, what: &str) {
        if !self.may_be_odd(string, place) {
            return;
        }
        let text = string.as_str().unwrap_or_default();
        let code_points = |of: &dyn Fn(char) -> bool| -> Option<String> {
            let found: BTreeSet<char> = text.chars().filter(|c| of(*c)).collect();
            let listed: Vec<String> = found.iter().map(|c| format!("U+{:04X}", u32::from(*c))).collect();
            (!listed.is_empty()).then(|| listed.join(", "))
        };
        let mut problems = Vec::new();
        if let Some(found) = code_points(&|c| c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t')) {
            problems.push(format!("control characters ({found}), which not all programs write alike"));
        }
        if !self.as_written && !is_nfc(&text) {
            problems.push(
                "text that is not in Unicode normalisation form C, which clients write differently"
                    .to_owned(),
            );
        }
        if self.as_written {
            if let Some(found) = code_points(&|c| !c.is_ascii()) {
                let why = "which devices hash as escapes and fioctl as UTF-8";
                problems.push(format!("characters outside ASCII ({found}), {why}"));
            }
            let is_html = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
            if let Some(found) = code_points(&is_html).filter(|_| place.in_custom) {
                problems
                    .push(format!("characters that fioctl escapes for HTML ({found}), and devices do not"));
            }
            if has_needless_escape(string) {
                problems.push(
                    "escapes for characters that need none, which fioctl signs as they stand".to_owned(),
                );
            }
        }
        if !problems.is_empty() {
            self.found(&format!("{what} has {}", problems.join("; and ")));
        }
    }

    fn number(&mut self, number: Value<'_>) {
        let Some(text) = number.number_text() else { return };
        let why = match text.parse::<i64>() {
            _ if text == "-0" => "a minus before zero, which some programs drop",
            _ if text.contains(['.', 'e', 'E']) => "not written as an integer",
            Ok(integer) if integer.unsigned_abs() > MAX_EXACT.unsigned_abs() => {
                "beyond 2^53, where programs that count in floating point (fioctl, tuf-js) round it to another number"
            }
            Ok(_) => return,
            Err(_) => "beyond 64 bits, where programs round it differently",
        };
        self.found(&format!("The number {text} is {why}"));
    }

    fn found(&mut self, what: &str) {
        let Walk { out, file, path, .. } = self;
        out.report(|| format!("{file}: {path}"), || format!("{what}. {WHAT_TO_DO}."));
    }
}

impl Place {
    fn below(self) -> Place {
        Place { depth: self.depth + 1, ..self }
    }

    /// Is it sure that nothing of `custom` is inside?
    fn is_outside_custom(self) -> bool {
        !self.in_custom && !self.in_targets && self.depth > 0
    }
}

fn has_html(span: &[u8]) -> bool {
    memchr::memchr3(b'<', b'>', b'&', span).is_some()
}

/// Is there an escape in a string's raw bytes that its character does not need? Control characters need one, other
/// than line feed, carriage return and tab as `\u`.
fn has_needless_escape(string: Value<'_>) -> bool {
    if !string.flags().has(Flags::ODD_ESCAPE) {
        return false;
    }
    let mut rest = string.span();
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let escape = rest.get(at + 1..).unwrap_or_default();
        let is_needless = match escape {
            [b'/' | b'b' | b'f', ..] => true,
            [b'u', b'0', b'0', high @ (b'0' | b'1'), low, ..] => {
                *high == b'0' && matches!(low, b'9' | b'a' | b'A' | b'd' | b'D')
            }
            [b'u', ..] => true,
            _ => false,
        };
        if is_needless {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}
