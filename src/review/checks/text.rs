//! Text that is made to deceive: characters that command a terminal, hide or reverse what stands there, and names that
//! look like other names (Unicode Technical Standard 39).

use super::findings::Findings;
use super::subject::{Subject, manifest_place, target_place};
use crate::json::{Flags, Kind, Value, step, step_index};
use crate::text::{Foreign, shown};
use crate::tuf::Target;
use std::borrow::Cow;
use std::collections::HashMap;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection, skeleton};

const WHAT_TO_DO: &str = "Do not sign: find out who wrote it";

pub(super) fn hostile_text(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let manifest = situation.manifest;
    for (member, text) in [
        ("factory", Some(&manifest.factory)),
        ("source_tag", manifest.source_tag.as_ref()),
        ("tag", Some(&manifest.tag)),
        ("tool", Some(&manifest.tool)),
        ("wave", Some(&manifest.wave)),
    ] {
        let Some(text) = text else { continue };
        if let Some(why) = deceives(text, Role::Name) {
            out.block(|| manifest_place(member), || sentence("The text", text, &why));
        }
    }
    let signed = situation.proposal.metadata.signed;
    let mut walk = Walk { file: shown(signed.document().name()), path: "signed".to_owned(), out };
    walk.value(signed, Role::Text);
    look_alikes(subject, out);
}

/// What a text is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A name that people tell things apart by: one line, one script.
    Name,
    /// Anything else: several lines and any script, but nothing that hides or reverses.
    Text,
}

/// Members of `custom` whose texts are names.
const NAMES: [&str; 6] = ["name", "version", "hardwareIds", "tags", "uri", "targetFormat"];

struct Walk<'w, 'p> {
    file: String,
    path: String,
    out: &'w mut Findings<'p>,
}

impl Walk<'_, '_> {
    fn value(&mut self, value: Value<'_>, role: Role) {
        // Printable ASCII cannot deceive alone; what else there is, the reader has noticed, but for DEL and for line
        // feeds in names.
        let noticed = Flags::NON_ASCII.with(Flags::ODD_ESCAPE).with(Flags::ESCAPED);
        if !value.flags().has(noticed) && memchr::memchr(0x7f, value.span()).is_none() {
            return;
        }
        match value.kind() {
            Kind::Object => {
                for (key, inner) in value.members() {
                    let role = if NAMES.iter().any(|name| key.is(name)) { Role::Name } else { Role::Text };
                    self.within(
                        |path| step(path, &key.text()),
                        |walk| {
                            walk.text("The name", &key.text(), Role::Name);
                            walk.value(inner, role);
                        },
                    );
                }
            }
            Kind::Array => {
                for (index, item) in value.items().enumerate() {
                    self.within(|path| step_index(path, index), |walk| walk.value(item, role));
                }
            }
            Kind::String => self.text("The text", &value.as_str().unwrap_or_default(), role),
            _ => {}
        }
    }

    fn within(&mut self, down: impl FnOnce(&mut String), look: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        down(&mut self.path);
        look(self);
        self.path.truncate(length);
    }

    fn text(&mut self, what: &str, text: &str, role: Role) {
        if let Some(why) = deceives(text, role) {
            let Walk { out, file, path, .. } = self;
            out.block(|| format!("{file}: {path}"), || sentence(what, text, &why));
        }
    }
}

fn sentence(what: &str, text: &str, why: &str) -> String {
    format!("{what} \"{}\" holds {why}. {WHAT_TO_DO}.", Foreign(text))
}

/// What in a text deceives a reader, in words.
fn deceives(text: &str, role: Role) -> Option<String> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return None;
    }
    let odd = text.chars().find_map(|c| Some((c, hides(c, role)?)));
    if let Some((c, why)) = odd {
        return Some(format!("{why} (U+{:04X})", u32::from(c)));
    }
    if role == Role::Text || text.is_ascii() {
        return None;
    }
    // Punctuation of names, as in `a/b@sha256:…`, belongs to no script; only the words in between can mix scripts.
    let mixes =
        |word: &str| !word.is_ascii() && word.detect_restriction_level() > RestrictionLevel::SingleScript;
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric())
        .any(mixes)
        .then(|| "letters of several scripts, or letters that no name needs".to_owned())
}

/// Why a character has no place in a text, if so.
fn hides(c: char, role: Role) -> Option<&'static str> {
    match c {
        '\n' | '\r' | '\t' if role == Role::Text => None,
        '\u{1b}' | '\u{9b}' => Some("the beginning of a terminal command"),
        _ if c.is_control() => Some("a control character"),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some("a character that reverses the reading direction")
        }
        '\u{ad}'
        | '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' => Some("an invisible character"),
        '\u{200b}'..='\u{200d}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' => Some("an invisible character"),
        '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => {
            Some("an invisible character")
        }
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => {
            Some("an invisible character")
        }
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => {
            Some("a character without a meaning of its own")
        }
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            (role == Role::Name).then_some("a white space that looks like another")
        }
        _ if role == Role::Name && !c.is_ascii() && !c.identifier_allowed() => {
            Some("a character that does not belong in a name")
        }
        _ => None,
    }
}

/// A name and the target that brings it.
struct Named<'s, 'd> {
    text: Cow<'d, str>,
    target: &'s Target<'d>,
    is_new: bool,
}

/// Finds pairs of different names that look alike, one of which is new. Names of one kind only: an app may be called as
/// a tag is.
fn look_alikes(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let mut targets = Names::new("target");
    let mut hardware = Names::new("hardware id");
    let mut apps = Names::new("app");
    let old = subject.before().iter().map(|target| (target, false));
    for (target, is_new) in old.chain(subject.added.iter().map(|target| (*target, true))) {
        targets.add(Named { text: target.name.clone(), target, is_new }, out);
        for text in target.hardware_ids() {
            hardware.add(Named { text, target, is_new }, out);
        }
        for app in target.apps() {
            apps.add(Named { text: app.name, target, is_new }, out);
        }
    }
}

/// The names of one kind by what they look like, those of production first.
struct Names<'s, 'd> {
    kind: &'static str,
    by_look: HashMap<String, Named<'s, 'd>>,
    /// The look of the name at hand; kept, so that a name that was seen before costs no memory.
    look: String,
}

impl<'s, 'd> Names<'s, 'd> {
    fn new(kind: &'static str) -> Self {
        Names { kind, by_look: HashMap::new(), look: String::new() }
    }

    fn add(&mut self, new: Named<'s, 'd>, out: &mut Findings<'_>) {
        self.look.clear();
        push_look(&new.text, &mut self.look);
        let Some(known) = self.by_look.get(&self.look) else {
            self.by_look.insert(self.look.clone(), new);
            return;
        };
        if known.text == new.text || !new.is_new {
            return;
        }
        let at = || target_place(new.target, "");
        let message = || {
            format!(
                "The {} \"{}\" looks like \"{}\", and is another. {WHAT_TO_DO}, unless both are known to you.",
                self.kind,
                Foreign(&new.text),
                Foreign(&known.text)
            )
        };
        // Plain letters and digits can look alike by chance; the others are chosen to.
        if new.text.is_ascii() && known.text.is_ascii() {
            out.warn(at, message)
        } else {
            out.block(at, message)
        }
    }
}

/// Writes what a name looks like: its skeleton (UTS 39, section 4). That of plain ASCII is written down here, because a
/// large file has a hundred thousand such names.
pub(super) fn push_look(text: &str, look: &mut String) {
    // The percent sign is the one character of ASCII that looks like something outside it.
    if !text.is_ascii() || text.contains('%') {
        look.extend(skeleton(text));
        return;
    }
    for c in text.chars() {
        match c {
            '0' => look.push('O'),
            '1' | 'I' | '|' => look.push('l'),
            'm' => look.push_str("rn"),
            '"' => look.push_str("''"),
            '`' => look.push('\''),
            other => look.push(other),
        }
    }
}
