//! One line of the log: written in one form only, and read back only in that form.
//!
//! A line is a JSON object in ASCII without white space, its members in a fixed order, its strings escaped as Python's
//! `json.dumps` does. Whoever has `json` and `hashlib` can check all of it. The reader accepts nothing else, so two
//! different lines never mean the same.

use super::kind::{Kind, Shape};
use super::line::{Cursor, Index, LineFault, Span, decimal};
use crate::host::clock::Time;
use crate::tlog::tree::Hash;
use std::borrow::Cow;
use std::fmt;

/// The most bytes of a line, without its line feed (C2SP `tlog-tiles` has 16-bit lengths).
pub const LONGEST_LINE: usize = 65_535;
/// The largest number in a line: 2^53 - 1, which every JSON reader reads exactly.
pub const LARGEST_INT: u64 = (1 << 53) - 1;
/// The most fields of a kind.
pub const MOST_FIELDS: usize = 18;
/// `prev` of the first line.
pub const NO_PREVIOUS: Hash = [0; 32];

/// An entry: a line that was read and found to be in the log's form.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    line: &'a [u8],
    index: Index,
}

/// An entry that owns its line.
#[derive(Clone)]
pub struct EntryBuf {
    line: Vec<u8>,
    index: Index,
}

impl EntryBuf {
    /// The entry, borrowed.
    pub fn entry(&self) -> Entry<'_> {
        Entry { line: &self.line, index: self.index }
    }
}

impl fmt::Debug for EntryBuf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.entry())
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&String::from_utf8_lossy(self.line))
    }
}

impl<'a> Entry<'a> {
    /// Reads a line, without its line feed.
    ///
    /// # Errors
    /// The line is not exactly what [`Event::line`](crate::ledger::Event::line) writes for some event.
    pub fn read(line: &'a [u8]) -> Result<Entry<'a>, LineFault> {
        Ok(Entry { line, index: Index::read(line)? })
    }

    /// An entry from a line and what [`Index::read`] said about that very line.
    pub fn from_parts(line: &'a [u8], index: Index) -> Entry<'a> {
        Entry { line, index }
    }

    /// The exact bytes, without the line feed.
    pub fn line(&self) -> &'a [u8] {
        self.line
    }

    /// The entry's number, from 0: its place in the tree.
    pub fn seq(&self) -> u64 {
        self.index.seq
    }

    /// The leaf hash of the line before.
    pub fn prev(&self) -> &Hash {
        &self.index.prev
    }

    /// Wall clock.
    pub fn time(&self) -> Time {
        self.index.time
    }

    /// The kernel's boot id.
    pub fn boot(&self) -> Cow<'a, str> {
        self.unquoted(self.index.boot)
    }

    /// When it was written, by all three witnesses.
    pub fn stamp(&self) -> crate::host::Stamp {
        crate::host::Stamp { time: self.time(), boot: self.boot().into_owned(), uptime_ms: self.uptime_ms() }
    }

    /// Milliseconds since boot.
    pub fn uptime_ms(&self) -> u64 {
        self.index.uptime_ms
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.index.kind
    }

    /// Who acted.
    pub fn actor(&self) -> Cow<'a, str> {
        self.unquoted(self.index.actor)
    }

    /// A string field; empty when the kind has no such field.
    pub fn text(&self, field: &str) -> Cow<'a, str> {
        self.span(field, |shape| shape == Shape::Text).map_or(Cow::Borrowed(""), |span| self.unquoted(span))
    }

    /// A number field; 0 when the kind has no such field.
    pub fn int(&self, field: &str) -> u64 {
        self.span(field, |shape| shape == Shape::Int).map_or(0, |span| decimal(self.bytes(span)))
    }

    /// A truth field; false when the kind has no such field.
    pub fn flag(&self, field: &str) -> bool {
        self.span(field, |shape| shape == Shape::Flag).is_some_and(|span| self.bytes(span) == b"true")
    }

    /// Does the kind have this field?
    pub fn has(&self, field: &str) -> bool {
        self.span(field, |_| true).is_some()
    }

    /// A list of strings; empty when the kind has no such field.
    pub fn list(&self, field: &str) -> Vec<Cow<'a, str>> {
        let Some(span) = self.span(field, |shape| shape == Shape::Texts) else { return Vec::new() };
        let mut cursor = Cursor { line: self.line, at: usize::from(span.0) + 1 };
        let mut values = Vec::new();
        // The line was read before, so every step succeeds up to the closing bracket.
        while let Ok(value) = cursor.string() {
            values.push(self.unquoted(value));
            cursor.at += 1;
        }
        values
    }

    /// A list of records of two strings; empty when the kind has no such field.
    pub fn pairs(&self, field: &str) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let mut values = Vec::new();
        for (name, shape) in self.kind().fields() {
            let Shape::Pairs(first, second) = shape else { continue };
            let Some(span) = self.span(field, |_| *name == field) else { continue };
            let mut cursor = Cursor { line: self.line, at: usize::from(span.0) + 1 };
            while let Ok((a, b)) = cursor.pair(first, second) {
                values.push((self.unquoted(a), self.unquoted(b)));
                cursor.at += 1;
            }
        }
        values
    }

    /// A list of records of a string and a number; empty when the kind has no such field.
    pub fn numbered(&self, field: &str) -> Vec<(Cow<'a, str>, u64)> {
        let mut values = Vec::new();
        for (name, shape) in self.kind().fields() {
            let Shape::Numbered(first, second) = shape else { continue };
            let Some(span) = self.span(field, |_| *name == field) else { continue };
            let mut cursor = Cursor { line: self.line, at: usize::from(span.0) + 1 };
            while let Ok((a, number)) = cursor.numbered(first, second) {
                values.push((self.unquoted(a), number));
                cursor.at += 1;
            }
        }
        values
    }

    /// A field's exact JSON.
    pub fn raw(&self, field: &str) -> Option<&'a [u8]> {
        self.span(field, |_| true).map(|span| self.bytes(span))
    }

    /// What the entry says, whenever and wherever it stands: [`Event::digest`](crate::ledger::Event::digest).
    pub fn digest(&self) -> String {
        // The string after `"type":` is no longer than its name; `actor` follows it.
        let name = self.kind().name().len() + "\"type\":\"\",\"actor\":".len();
        let start = usize::from(self.index.actor.0).saturating_sub(name);
        said(self.line.get(start..).unwrap_or_default())
    }

    /// The entry with a copy of its line.
    pub fn to_owned(&self) -> EntryBuf {
        EntryBuf { line: self.line.to_vec(), index: self.index }
    }

    fn span(&self, field: &str, fits: impl Fn(Shape) -> bool) -> Option<Span> {
        let at = self.kind().fields().iter().position(|(name, shape)| *name == field && fits(*shape))?;
        self.index.fields.get(at).copied().filter(|span| *span != (0, 0))
    }

    fn bytes(&self, span: Span) -> &'a [u8] {
        self.line.get(usize::from(span.0)..usize::from(span.1)).unwrap_or_default()
    }

    /// The text of a string whose span includes the quotes.
    fn unquoted(&self, (start, end): Span) -> Cow<'a, str> {
        let inner = self.bytes((start + 1, end.saturating_sub(1)));
        let text = std::str::from_utf8(inner).unwrap_or_default();
        if memchr::memchr(b'\\', inner).is_none() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(unescape(text))
    }
}

/// SHA-256 of what a line says from its `"type"` on, as a JSON object of its own.
pub(super) fn said(from_type: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::new().chain_update(b"{").chain_update(from_type).finalize())
}

/// The text of a string that [`Cursor::string`] has read.
fn unescape(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let unit = match byte {
            b'\\' => match rest.next() {
                Some(b'n') => 0x0a,
                Some(b'r') => 0x0d,
                Some(b't') => 0x09,
                Some(b'b') => 0x08,
                Some(b'f') => 0x0c,
                Some(b'u') => (0..4).fold(0u16, |unit, _| {
                    let digit = rest.next().and_then(|digit| char::from(digit).to_digit(16)).unwrap_or(0);
                    (unit << 4) | digit as u16
                }),
                Some(other) => u16::from(other),
                None => break,
            },
            plain => u16::from(plain),
        };
        units.push(unit);
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests;
