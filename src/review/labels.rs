//! A target's members in words, and their values as they may be shown.
//!
//! What a Factory's build is known to write gets a label and is shown bare; everything else is shown by its path and
//! in JSON form. No two different members or values are ever shown alike: a bare value is made of letters that JSON
//! form never begins with, and a value of another type than its label promises is shown in JSON form.

use crate::json::{Kind, Value};
use crate::text::{BEGINNING, LONGEST, Whole};
use crate::tuf::Dialect;
use std::borrow::Cow;
use std::fmt::Write as _;

/// What a known member should hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Text,
    Number,
    List,
}

/// What it is the hash of depends on the dialect: see [`Dialect::hash_label`].
const HASH: &[&str] = &["hashes", "sha256"];

/// Members with a fixed path, in the order in which an officer reads them.
const KNOWN: &[(&[&str], &str, Form)] = &[
    (&["custom", "version"], "version", Form::Text),
    (&["custom", "hardwareIds"], "hardware ids", Form::List),
    (&["custom", "tags"], "device tags", Form::List),
    (HASH, "hash", Form::Text),
    (&["custom", "docker_compose_apps"], "apps", Form::Text),
    (&["custom", "lmp-ver"], "LmP version", Form::Text),
    (&["custom", "containers-sha"], "containers commit", Form::Text),
    (&["custom", "lmp-manifest-sha"], "LmP manifest commit", Form::Text),
    (&["custom", "meta-subscriber-overrides-sha"], "layer commit", Form::Text),
    (&["custom", "name"], "image name", Form::Text),
    (&["custom", "targetFormat"], "format", Form::Text),
    (&["custom", "arch"], "architecture", Form::Text),
    (&["custom", "image-file"], "image file", Form::Text),
    (&["custom", "uri"], "CI build", Form::Text),
    (&["custom", "origUri"], "first CI build", Form::Text),
    (&["custom", "origUriApps"], "first CI build of apps", Form::Text),
    (&["custom", "delta-stats", "sha256"], "static delta", Form::Text),
    (&["custom", "delta-stats", "size"], "static delta bytes", Form::Number),
    (&["custom", "fetched-apps", "uri"], "fetched apps", Form::Text),
    (&["custom", "fetched-apps", "shortlist"], "fetched apps list", Form::Text),
    (&["custom", "createdAt"], "created", Form::Text),
    (&["custom", "updatedAt"], "updated", Form::Text),
    (&["custom", "cliUploaded"], "uploaded by hand", Form::Text),
    (&["length"], "length", Form::Number),
];

/// A member's label, where it stands in the reading order, and how its value is shown.
pub(super) struct Label {
    /// The words, or the path.
    pub words: String,
    /// Its place in the reading order.
    pub order: usize,
    form: Option<Form>,
}

impl Label {
    /// The label of a member of `signed` itself.
    pub(super) fn of_signed(path: &[Cow<'_, str>]) -> Label {
        let known = match path {
            [key] if key == "version" => Some(("version", 0, Form::Number)),
            [key] if key == "expires" => Some(("expires", 1, Form::Text)),
            [key] if key == "_type" => Some(("type", 2, Form::Text)),
            [key, inner] if key == "x-fio-offline-bundle" => match inner.as_ref() {
                "type" => Some(("bundle type", 3, Form::Text)),
                "tag" => Some(("bundle tag", 4, Form::Text)),
                "targets" => Some(("bundle targets", 5, Form::List)),
                _ => None,
            },
            [key] if key == "spec_version" => Some(("specification version", 3, Form::Text)),
            _ => None,
        };
        match known {
            Some((words, order, form)) => Label { words: words.to_owned(), order, form: Some(form) },
            None => Label { words: dotted(path), order: 6, form: None },
        }
    }

    /// The label of a target's member.
    pub(super) fn of(path: &[Cow<'_, str>], dialect: Dialect) -> Label {
        let is = |known: &[&str]| known.iter().copied().eq(path.iter().map(AsRef::as_ref));
        let apps = KNOWN.iter().position(|(known, _, _)| known.ends_with(&["docker_compose_apps"]));
        let app_order = apps.unwrap_or(KNOWN.len());
        if let Some((order, (_, words, form))) = KNOWN.iter().enumerate().find(|(_, (known, _, _))| is(known))
        {
            let words = if is(HASH) { dialect.hash_label() } else { words };
            return Label { words: words.to_owned(), order, form: Some(*form) };
        }
        match path {
            [custom, apps, app, uri]
                if custom == "custom" && apps == "docker_compose_apps" && uri == "uri" =>
            {
                let app = if app.len() > LONGEST { key_form(app) } else { name(app) };
                Label { words: format!("app {app}"), order: app_order, form: Some(Form::Text) }
            }
            [custom, apps, app, rest @ ..] if custom == "custom" && apps == "docker_compose_apps" => {
                let rest: String = rest.iter().map(|key| format!(", {}", key_form(key))).collect();
                let app = if app.len() > LONGEST { key_form(app) } else { name(app) };
                Label { words: format!("app {app}{rest}"), order: app_order, form: None }
            }
            _ => Label { words: dotted(path), order: KNOWN.len(), form: None },
        }
    }

    /// The value as it is shown under this label.
    pub(super) fn show(&self, value: Value<'_>) -> String {
        let bare = |value: Value<'_>| value.as_str().filter(|text| is_bare(text)).map(Cow::into_owned);
        let plain = match self.form {
            Some(Form::Text) => bare(value),
            Some(Form::Number) => value.number_text().map(str::to_owned),
            Some(Form::List) if value.kind() == Kind::Array && value.items().next().is_some() => {
                value.items().map(bare).collect::<Option<Vec<_>>>().map(|all| all.join(", "))
            }
            _ => None,
        };
        match (plain, self.form) {
            (Some(plain), _) => plain,
            // A number where text is expected is marked: bare, it would look like the text.
            (None, Some(_)) if value.kind() == Kind::Number => format!("number {}", json_form(value)),
            (None, _) => json_form(value),
        }
    }
}

/// A name as it is shown: bare when nothing in it could be mistaken, quoted otherwise.
pub(super) fn name(text: &str) -> String {
    if is_bare(text) { text.to_owned() } else { quoted(text) }
}

/// Does it read as itself? At least one letter, digit or sign of names, addresses and times, and nothing else; not
/// a word or number that JSON knows when it begins like one.
fn is_bare(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-:/@+~".contains(&b);
    !text.is_empty() && text.bytes().all(plain) && !matches!(text, "null" | "true" | "false")
}

/// The text in quotes: escaped, and whole.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", Whole(text))
}

/// A value as JSON, in printable ASCII.
fn json_form(value: Value<'_>) -> String {
    let mut out = String::new();
    write_json_form(value, &mut out);
    out
}

fn write_json_form(value: Value<'_>, out: &mut String) {
    match value.kind() {
        Kind::String => out.push_str(&quoted(&value.as_str().unwrap_or_default())),
        Kind::Null => out.push_str("null"),
        Kind::True => out.push_str("true"),
        Kind::False => out.push_str("false"),
        Kind::Number => out.push_str(value.number_text().unwrap_or_default()),
        Kind::Array => {
            out.push('[');
            for (index, item) in value.items().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_json_form(item, out);
            }
            out.push(']');
        }
        Kind::Object => {
            let mut members: Vec<_> = value.members().map(|(key, value)| (key.text(), value)).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            out.push('{');
            for (index, (key, inner)) in members.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                let _ = write!(out, "{}: ", quoted(&key));
                write_json_form(inner, out);
            }
            out.push('}');
        }
    }
}

/// A key in quotes. A long one stands in each member that it leads to: it is shown by its beginning, and the check `names`
/// blocks it.
fn key_form(key: &str) -> String {
    if key.len() <= LONGEST {
        return quoted(key);
    }
    let beginning = key.get(..key.floor_char_boundary(BEGINNING)).unwrap_or_default();
    format!("\"{}\\[and so on: {} bytes]\"", Whole(beginning), key.len())
}

/// A path as `custom.some-member["a b"]`. It always has a dot or a bracket, which no label has.
fn dotted(path: &[Cow<'_, str>]) -> String {
    let mut out = String::new();
    for key in path {
        let is_word = (1..=LONGEST).contains(&key.len())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !is_word || path.len() == 1 {
            let _ = write!(out, "[{}]", key_form(key));
            continue;
        }
        out.push_str(if out.is_empty() { "" } else { "." });
        out.push_str(key);
    }
    out
}
