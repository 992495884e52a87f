//! An event on its way into the log, and the one form in which its line is written.

use super::codec::{LARGEST_INT, member, quote};
use super::record::{Kind, Record};
use crate::host::Stamp;
use crate::tlog::tree::Hash;

/// An event on its way into the log: what its line says from `"type"` on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    kind: Kind,
    said: String,
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
        Event { kind: self.kind(), said }
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
        out.push_str(&self.said);
        out.into_bytes()
    }

    /// What the event says, whenever and wherever it will stand: SHA-256, in hex, of its line without the members before
    /// `type`, as a JSON object of its own.
    pub fn digest(&self) -> String {
        digest_of(self.said.as_bytes())
    }
}

/// SHA-256 of what a line says from its `"type"` on, as a JSON object of its own.
pub(super) fn digest_of(from_type: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::new().chain_update(b"{").chain_update(from_type).finalize())
}
