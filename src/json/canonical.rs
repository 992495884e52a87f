//! The Factory dialect's canonical form: what fioctl signs and what devices hash.
//!
//! Keys sorted by byte, no white space, strings as UTF-8 with `"` and `\` escaped, and line feed, carriage return and
//! tab escaped too. (OLPC canonical JSON leaves those three raw, so the forms differ on every root that holds an RSA
//! key in PEM.) Numbers keep their own digits. Other control characters are written as `\u00xx`, so that the canonical
//! form is JSON itself; implementations disagree on those, and the review blocks them.

use super::Kind;
use super::value::{Flags, Value};
use std::borrow::Cow;

/// Feeds the canonical form to `sink`, piece by piece. Whatever already is canonical is passed on as it stands: a
/// canonical document is one piece.
pub fn write(value: Value<'_>, sink: &mut dyn FnMut(&[u8])) {
    if value.is_canonical() {
        return sink(value.span());
    }
    match value.kind() {
        Kind::Object => write_object(value, sink),
        Kind::Array => {
            sink(b"[");
            for (index, item) in value.items().enumerate() {
                if index > 0 {
                    sink(b",");
                }
                write(item, sink);
            }
            sink(b"]");
        }
        Kind::String => write_string(&value.as_str().unwrap_or_default(), sink),
        Kind::Null | Kind::True | Kind::False | Kind::Number => sink(value.span()),
    }
}

/// The canonical form in one piece: borrowed from the document when its bytes already are canonical.
pub fn bytes<'d>(value: Value<'d>) -> Cow<'d, [u8]> {
    if value.is_canonical() {
        return Cow::Borrowed(value.span());
    }
    let mut out = Vec::with_capacity(value.span().len());
    write(value, &mut |piece| out.extend_from_slice(piece));
    Cow::Owned(out)
}

fn write_object(value: Value<'_>, sink: &mut dyn FnMut(&[u8])) {
    sink(b"{");
    let mut first = true;
    let mut member = |key: Value<'_>, inner: Value<'_>| {
        if !std::mem::take(&mut first) {
            sink(b",");
        }
        write(key, sink);
        sink(b":");
        write(inner, sink);
    };
    if value.flags().has(Flags::SORTED_HERE) {
        value.members().for_each(|(key, inner)| member(key.value(), inner));
    } else {
        let mut members: Vec<_> = value.members().collect();
        members.sort_by(|(a, _), (b, _)| a.text().cmp(&b.text()));
        members.into_iter().for_each(|(key, inner)| member(key.value(), inner));
    }
    sink(b"}");
}

/// Writes a string in canonical form, quotes included.
pub fn write_string(text: &str, sink: &mut dyn FnMut(&[u8])) {
    sink(b"\"");
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x00..=0x1f => &control_escape(*byte),
            _ => continue,
        };
        sink(&bytes[written..at]);
        sink(escape);
        written = at + 1;
    }
    sink(&bytes[written..]);
    sink(b"\"");
}

/// A string's canonical form as text.
pub fn string(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut |piece| out.extend_from_slice(piece));
    String::from_utf8(out).unwrap_or_default()
}

fn control_escape(byte: u8) -> [u8; 6] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [b'\\', b'u', b'0', b'0', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}
