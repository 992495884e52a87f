//! A strict, borrowing JSON reader: one pass over the bytes, and nothing that two readers could understand differently.
//!
//! It refuses duplicate keys, trailing bytes, invalid UTF-8, lone surrogates, nesting past a cap and files past a cap,
//! and names file, line, column and member each time. It copies no text: a [`Document`] is an index over the bytes,
//! and every [`Value`] knows its exact span and whether that span already is in canonical form
//! ([`canonical`]), so that signing a canonical document costs no serialisation at all.

pub mod canonical;
mod error;
mod index;
mod reader;
mod scan;
mod strings;
mod value;

pub(crate) use error::{JsonError, Problem};
pub use value::Value;
pub(crate) use value::{Key, Kind};

#[cfg(feature = "station")]
pub(crate) use error::{step, step_index};
pub(crate) use value::{Flags, Slot};

use std::borrow::Cow;

/// How much a document may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the whole document; never more than 4 GiB - 1.
    pub bytes: u64,
    /// Objects and arrays within one another.
    pub depth: u16,
}

impl Limits {
    /// 64 MiB and 64 levels: eight times what a device reads, and ten times deeper than any real metadata.
    pub const DEFAULT: Limits = Limits { bytes: 64 << 20, depth: 64 };

    /// The default depth with another cap on the size.
    pub const fn of_bytes(bytes: u64) -> Limits {
        Limits { bytes, ..Limits::DEFAULT }
    }

    /// Slots of eight bytes that the index may have: one for every 4 bytes of the cap, so that the index takes at most
    /// twice the cap, and never fewer than a million. Targets metadata has one for about 17 bytes; a file of nothing
    /// but small numbers would take four times its size.
    pub(crate) const fn slots(self) -> usize {
        const FEWEST: u64 = 1 << 20;
        let slots = self.bytes / 4;
        (if slots > FEWEST { slots } else { FEWEST }) as usize
    }
}

/// A JSON document that was read whole and found well-formed.
pub struct Document<'a> {
    name: Cow<'a, str>,
    text: Cow<'a, str>,
    index: index::Index,
}

impl<'a> Document<'a> {
    /// Reads a document. `name` is the file's name, for errors.
    ///
    /// # Errors
    /// Everything in [`Problem`] but the wrong types.
    pub fn parse(
        name: impl Into<Cow<'a, str>>,
        bytes: impl Into<Cow<'a, [u8]>>,
        limits: Limits,
    ) -> Result<Document<'a>, JsonError> {
        let (name, bytes) = (name.into(), bytes.into());
        reader::check_length(&name, bytes.len(), limits)?;
        if let Some(what) = crate::text::encoding(&bytes) {
            return Err(JsonError::at(&name, &bytes, 0, String::new(), Problem::Encoding(what)));
        }
        // Checked once for the whole file, at the speed of memory.
        let text = match bytes {
            Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(e) => return Err(reader::not_utf8(&name, bytes, e.valid_up_to(), limits)),
            },
            Cow::Owned(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Cow::Owned(text),
                Err(e) => {
                    let offset = e.utf8_error().valid_up_to();
                    return Err(reader::not_utf8(&name, e.as_bytes(), offset, limits));
                }
            },
        };
        let index = reader::read(&name, &text, limits)?;
        Ok(Document { name, text, index })
    }

    /// The outermost value.
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// The file's name, as given to [`Document::parse`].
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// All bytes of the document.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests;
