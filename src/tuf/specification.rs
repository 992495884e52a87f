//! The canonical form of the TUF specification: OLPC canonical JSON, written by the crate `olpc-cjson`.
//!
//! That crate normalises text to Unicode form C, which would sign other bytes than those that were reviewed. Text that
//! normalisation would change is therefore refused before it sees it.

use super::TufError;
use crate::json::{Flags, Kind, Value};
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use std::io;
use unicode_normalization::is_nfc;

/// Feeds the canonical form to `sink`.
pub(super) fn write_canonical(value: Value<'_>, sink: &mut dyn FnMut(&[u8])) -> Result<(), TufError> {
    refuse_what_normalisation_changes(value)?;
    let out = io::BufWriter::with_capacity(64 << 10, Sink(sink));
    let mut serializer = serde_json::Serializer::with_formatter(out, olpc_cjson::CanonicalFormatter::new());
    Borrowed(value)
        .serialize(&mut serializer)
        .and_then(|()| io::Write::flush(&mut serializer.into_inner()).map_err(serde_json::Error::io))
        .map_err(|e| value.invalid(format!("it has no canonical form: {e}")).into())
}

fn refuse_what_normalisation_changes(value: Value<'_>) -> Result<(), TufError> {
    // Plain ASCII is in that form; the reader noticed where there is anything else.
    const UNUSUAL: Flags = Flags::NON_ASCII.with(Flags::ODD_ESCAPE);
    let check = |text: Value<'_>| -> Result<(), TufError> {
        match text.as_str() {
            Some(string) if text.flags().has(UNUSUAL) && !is_nfc(&string) => Err(text
                .invalid(
                    "this text is not in Unicode normalisation form C, so tools sign different bytes for it",
                )
                .into()),
            _ => Ok(()),
        }
    };
    match value.kind() {
        Kind::String => check(value),
        Kind::Array => value.items().try_for_each(refuse_what_normalisation_changes),
        Kind::Object => {
            refuse_what_is_sorted_in_two_ways(value)?;
            value.members().try_for_each(|(key, inner)| {
                check(key.value())?;
                refuse_what_normalisation_changes(inner)
            })
        }
        Kind::Number if value.as_i64().is_none() && value.as_u64().is_none() => {
            Err(value.invalid("canonical JSON has whole numbers within 64 bits only").into())
        }
        _ => Ok(()),
    }
}

/// `olpc-cjson` sorts keys as they are written, closing quote and escapes included, tuf-js by their UTF-16 code units,
/// other tools by their text. Where the orders differ, one side would reject the signature.
fn refuse_what_is_sorted_in_two_ways(object: Value<'_>) -> Result<(), TufError> {
    // From 0xee on: what UTF-8 begins characters with that stand beside or beyond the surrogates.
    let is_delicate = |byte: u8| byte <= b'"' || byte == b'\\' || byte >= 0xee;
    if !object.members().any(|(key, _)| key.text().bytes().any(is_delicate)) {
        return Ok(());
    }
    let written = |text: &str| format!("{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut keys: Vec<_> = object.members().map(|(key, _)| (key.text(), key.value())).collect();
    keys.sort_by(|(a, _), (b, _)| a.cmp(b));
    let by_units = |a: &str, b: &str| a.encode_utf16().cmp(b.encode_utf16());
    let differs = |a: &str, b: &str| written(a) > written(b) || by_units(a, b).is_gt();
    match keys.windows(2).find(|pair| differs(&pair[0].0, &pair[1].0)) {
        None => Ok(()),
        Some(pair) => Err(pair[1]
            .1
            .invalid("tools disagree on where this key is sorted, so they sign different bytes for it")
            .into()),
    }
}

/// Shows a borrowed value to serde, without building it.
struct Borrowed<'d>(Value<'d>);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let value = self.0;
        match value.kind() {
            Kind::Null => out.serialize_unit(),
            Kind::True => out.serialize_bool(true),
            Kind::False => out.serialize_bool(false),
            Kind::String => out.serialize_str(&value.as_str().unwrap_or_default()),
            Kind::Number => match (value.as_i64(), value.as_u64()) {
                (Some(number), _) => out.serialize_i64(number),
                (None, Some(number)) => out.serialize_u64(number),
                (None, None) => Err(serde::ser::Error::custom("a number that is not whole")),
            },
            Kind::Array => {
                let mut list = out.serialize_seq(None)?;
                value.items().try_for_each(|item| list.serialize_element(&Borrowed(item)))?;
                list.end()
            }
            Kind::Object => {
                let mut map = out.serialize_map(None)?;
                value
                    .members()
                    .try_for_each(|(key, inner)| map.serialize_entry(&key.text(), &Borrowed(inner)))?;
                map.end()
            }
        }
    }
}

struct Sink<'s>(&'s mut dyn FnMut(&[u8]));

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
