//! An event on its way into the log, and the one form in which its line is written.

use super::codec::{LARGEST_INT, member, quote};
use super::record::{Kind, Record};
use crate::host::Stamp;
use crate::tlog::tree::Hash;
use std::collections::BTreeMap;

/// An event on its way into the log: what its line says from `"type"` on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    kind: Kind,
    said: String,
    actor: String,
    shim: BTreeMap<String, String>,
}

impl Record<'_> {
    /// The event that somebody did this. `actor`: the officer who acted, or the program's name.
    pub fn by(&self, actor: &str) -> Event {
        let mut said = String::with_capacity(500);
        said.push_str("\"type\":");
        quote(self.kind().name(), &mut said);
        member(',', "actor", &mut said);
        quote(actor, &mut said);
        self.write(&mut said);
        said.push('}');
        Event { kind: self.kind(), said, actor: String::new(), shim: BTreeMap::new() }
    }
}

impl Event {
    /// The event's kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The line for this event at a place in the log, without its line feed.
    pub fn line(&self, seq: u64, prev: &Hash, stamp: &Stamp) -> Vec<u8> {
        let mut out = String::with_capacity(600);
        out.push_str("{\"v\":1");
        member(',', "seq", &mut out);
        out.push_str(&seq.to_string());
        member(',', "prev", &mut out);
        quote(&hex::encode(prev), &mut out);
        member(',', "time", &mut out);
        quote(&stamp.time.to_string(), &mut out);
        member(',', "boot", &mut out);
        quote(&stamp.boot, &mut out);
        member(',', "uptime_ms", &mut out);
        out.push_str(&stamp.uptime_ms.min(LARGEST_INT).to_string());
        out.push(',');
        out.push_str(&self.said());
        out.into_bytes()
    }

    /// What the event says, whenever and wherever it will stand: SHA-256, in hex, of its line without the members before
    /// `type`, as a JSON object of its own.
    pub fn digest(&self) -> String {
        digest_of(self.said().as_bytes())
    }

    // SHIM begin
    /// An event without fields yet.
    pub fn new(kind: Kind, actor: impl Into<String>) -> Event {
        Event { kind, actor: actor.into(), said: String::new(), shim: BTreeMap::new() }
    }
    fn said(&self) -> String {
        if !self.said.is_empty() {
            return self.said.clone();
        }
        let mut out = String::new();
        out.push_str("\"type\":");
        quote(self.kind.name(), &mut out);
        member(',', "actor", &mut out);
        quote(&self.actor, &mut out);
        for (name, _) in self.kind.fields() {
            if let Some(value) = self.shim.get(*name) {
                member(',', name, &mut out);
                out.push_str(value);
            }
        }
        out.push('}');
        out
    }
    fn with(mut self, field: &str, write: impl FnOnce(&mut String)) -> Event {
        let mut out = String::new();
        write(&mut out);
        self.shim.insert(field.to_owned(), out);
        self
    }
    /// Sets a string.
    #[must_use]
    pub fn text(self, field: &str, value: impl AsRef<str>) -> Event {
        self.with(field, |out| quote(value.as_ref(), out))
    }
    /// Sets a number.
    #[must_use]
    pub fn int(self, field: &str, value: u64) -> Event {
        self.with(field, |out| out.push_str(&value.to_string()))
    }
    /// Sets a truth value.
    #[must_use]
    pub fn flag(self, field: &str, value: bool) -> Event {
        self.with(field, |out| out.push_str(&value.to_string()))
    }
    /// Sets a list of strings.
    #[must_use]
    pub fn list<T: AsRef<str>>(self, field: &str, values: impl IntoIterator<Item = T>) -> Event {
        self.with(field, |out| array(values, out, |value, out| quote(value.as_ref(), out)))
    }
    /// Sets a list of records of two strings.
    #[must_use]
    pub fn pairs<A: AsRef<str>, B: AsRef<str>>(
        self,
        field: &str,
        values: impl IntoIterator<Item = (A, B)>,
    ) -> Event {
        let (first, second) = match field {
            "findings" => ("check", "severity"),
            "objects" => ("name", "sha256"),
            "signatures" => ("file", "keyid"),
            _ => ("name", "outcome"),
        };
        self.with(field, |out| {
            array(values, out, |(a, b), out| {
                member('{', first, out);
                quote(a.as_ref(), out);
                member(',', second, out);
                quote(b.as_ref(), out);
                out.push('}');
            });
        })
    }
    /// Sets a list of records of a string and a number.
    #[must_use]
    pub fn numbered<A: AsRef<str>>(self, field: &str, values: impl IntoIterator<Item = (A, u64)>) -> Event {
        self.with(field, |out| {
            array(values, out, |(a, number), out| {
                member('{', "officer", out);
                quote(a.as_ref(), out);
                member(',', "seq", out);
                out.push_str(&number.to_string());
                out.push('}');
            });
        })
    }
    // SHIM end
}

// SHIM begin
fn array<T>(values: impl IntoIterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    out.push('[');
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(value, out);
    }
    out.push(']');
}
// SHIM end

/// SHA-256 of what a line says from its `"type"` on, as a JSON object of its own.
pub(super) fn digest_of(from_type: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::new().chain_update(b"{").chain_update(from_type).finalize())
}
