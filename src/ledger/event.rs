//! An event on its way into the log, and the one form in which its line is written.

use super::entry::{LARGEST_INT, MOST_FIELDS, said};
use super::kind::{Kind, Shape};
use super::line::read_time;
use crate::host::Stamp;
use crate::tlog::tree::Hash;

/// An event on its way into the log: a kind, who did it, and the kind's fields.
#[derive(Clone, Debug)]
pub struct Event {
    kind: Kind,
    actor: String,
    values: [Option<String>; MOST_FIELDS],
    mistake: Option<(String, &'static str)>,
}

/// An event that does not have its kind's fields: a mistake in this program.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "the entry {kind} was not written: its field \"{field}\" {problem}. This is a mistake in the program: report it"
)]
pub struct EventError {
    /// The event's kind.
    pub kind: Kind,
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Event {
    /// An event without fields yet. `actor`: the officer who acted, or the program's name.
    pub fn new(kind: Kind, actor: impl Into<String>) -> Event {
        Event { kind, actor: actor.into(), values: [const { None }; MOST_FIELDS], mistake: None }
    }

    /// The event's kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Sets a string.
    #[must_use]
    pub fn text(self, field: &str, value: impl AsRef<str>) -> Event {
        self.set(field, |shape| *shape == Shape::Text, |_, out| quote(value.as_ref(), out))
    }

    /// Sets a number.
    #[must_use]
    pub fn int(mut self, field: &str, value: u64) -> Event {
        if value > LARGEST_INT {
            self.mistake.get_or_insert((field.to_owned(), "is larger than 2^53 - 1"));
        }
        self.set(field, |shape| *shape == Shape::Int, |_, out| out.push_str(&value.to_string()))
    }

    /// Sets a truth value.
    #[must_use]
    pub fn flag(self, field: &str, value: bool) -> Event {
        self.set(
            field,
            |shape| *shape == Shape::Flag,
            |_, out| out.push_str(if value { "true" } else { "false" }),
        )
    }

    /// Sets a list of strings.
    #[must_use]
    pub fn list<T: AsRef<str>>(self, field: &str, values: impl IntoIterator<Item = T>) -> Event {
        self.set(
            field,
            |shape| *shape == Shape::Texts,
            |_, out| array(values, out, |value, out| quote(value.as_ref(), out)),
        )
    }

    /// Sets a list of records of two strings.
    #[must_use]
    pub fn pairs<A: AsRef<str>, B: AsRef<str>>(
        self,
        field: &str,
        values: impl IntoIterator<Item = (A, B)>,
    ) -> Event {
        self.set(
            field,
            |shape| matches!(shape, Shape::Pairs(..)),
            |shape, out| {
                let Shape::Pairs(first, second) = shape else { return };
                array(values, out, |(a, b), out| {
                    member('{', first, out);
                    quote(a.as_ref(), out);
                    member(',', second, out);
                    quote(b.as_ref(), out);
                    out.push('}');
                });
            },
        )
    }

    /// Sets a list of records of a string and a number.
    #[must_use]
    pub fn numbered<A: AsRef<str>>(self, field: &str, values: impl IntoIterator<Item = (A, u64)>) -> Event {
        self.set(
            field,
            |shape| matches!(shape, Shape::Numbered(..)),
            |shape, out| {
                let Shape::Numbered(first, second) = shape else { return };
                array(values, out, |(a, number), out| {
                    member('{', first, out);
                    quote(a.as_ref(), out);
                    member(',', second, out);
                    out.push_str(&number.to_string());
                    out.push('}');
                });
            },
        )
    }

    fn set(
        mut self,
        field: &str,
        fits: impl Fn(&Shape) -> bool,
        write: impl FnOnce(Shape, &mut String),
    ) -> Event {
        let found = self.kind.fields().iter().position(|(name, _)| *name == field);
        let problem = match found.and_then(|at| Some((self.kind.fields().get(at)?, self.values.get_mut(at)?)))
        {
            None => "is not one of this kind's",
            Some((_, Some(_))) => "was set twice",
            Some(((_, shape), _)) if !fits(shape) => "has another type",
            Some(((_, shape), slot)) => {
                let mut out = String::new();
                write(*shape, &mut out);
                *slot = Some(out);
                return self;
            }
        };
        self.mistake.get_or_insert((field.to_owned(), problem));
        self
    }

    /// The line for this event at a place in the log, without its line feed.
    ///
    /// # Errors
    /// A field is missing, set twice, unknown or of another type, or the time has no four-digit year.
    pub fn line(&self, seq: u64, prev: &Hash, stamp: &Stamp) -> Result<Vec<u8>, EventError> {
        let mut out = String::with_capacity(600);
        out.push_str("{\"v\":1");
        member(',', "seq", &mut out);
        out.push_str(&seq.to_string());
        member(',', "prev", &mut out);
        quote(&hex::encode(prev), &mut out);
        member(',', "time", &mut out);
        let time = stamp.time.to_string();
        if read_time(time.as_bytes()).is_none() {
            return Err(self.mistaken("time", "has no year from 0000 to 9999: set the machine's clock"));
        }
        quote(&time, &mut out);
        member(',', "boot", &mut out);
        quote(&stamp.boot, &mut out);
        member(',', "uptime_ms", &mut out);
        out.push_str(&stamp.uptime_ms.min(LARGEST_INT).to_string());
        out.push(',');
        self.write_from_type(&mut out)?;
        Ok(out.into_bytes())
    }

    /// What the event says, whenever and wherever it will stand: SHA-256, in hex, of its line without the members before
    /// `type`, as a JSON object of its own.
    ///
    /// # Errors
    /// As [`Event::line`].
    pub fn digest(&self) -> Result<String, EventError> {
        let mut out = String::with_capacity(500);
        self.write_from_type(&mut out)?;
        Ok(said(out.as_bytes()))
    }

    /// Writes the line's end: from `"type"` on.
    fn write_from_type(&self, out: &mut String) -> Result<(), EventError> {
        if let Some((field, problem)) = &self.mistake {
            return Err(self.mistaken(field, problem));
        }
        out.push_str("\"type\":");
        quote(self.kind.name(), out);
        member(',', "actor", out);
        quote(&self.actor, out);
        for (at, ((name, _), value)) in self.kind.fields().iter().zip(&self.values).enumerate() {
            let Some(value) = value else {
                if at >= self.kind.needed() {
                    break;
                }
                return Err(self.mistaken(name, "is missing"));
            };
            member(',', name, out);
            out.push_str(value);
        }
        out.push('}');
        Ok(())
    }

    fn mistaken(&self, field: &str, problem: &'static str) -> EventError {
        EventError { kind: self.kind, field: field.to_owned(), problem }
    }
}

fn member(before: char, name: &str, out: &mut String) {
    out.push(before);
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

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

/// Writes a string as Python's `json.dumps` does: printable ASCII as it is, everything else escaped.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}
