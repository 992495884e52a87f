//! A value in a document: its type, its exact bytes, and what is known about them.

use super::error::{step, step_index};
use super::index::{Index, Node};
use super::{Document, JsonError, Problem};
use std::borrow::Cow;
use std::num::NonZeroU32;

/// A value's type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number, kept as it is written.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The type as a noun with its article, for messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::True | Kind::False => "a truth value",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

/// What the reader noticed about a value and everything inside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) const NONE: Flags = Flags(0);
    /// The span is in canonical form as it stands.
    pub(crate) const CANONICAL: Flags = Flags(1);
    /// A string inside has an escape.
    pub(crate) const ESCAPED: Flags = Flags(2);
    /// A string inside has a character outside ASCII, unescaped.
    pub(crate) const NON_ASCII: Flags = Flags(4);
    /// A string inside has an escape other than those of `"`, `\`, line feed, carriage return and tab.
    pub(crate) const ODD_ESCAPE: Flags = Flags(8);
    /// A number inside is not an integer of at most 15 digits.
    pub(crate) const ODD_NUMBER: Flags = Flags(16);
    /// An object inside has keys out of order.
    pub(crate) const UNSORTED: Flags = Flags(32);
    /// This object's own keys are in order.
    pub(crate) const SORTED_HERE: Flags = Flags(64);

    /// Seven bits, for the index.
    #[inline]
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    #[inline]
    pub(crate) const fn from_bits(bits: u8) -> Flags {
        Flags(bits)
    }

    #[inline]
    pub(crate) const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    #[inline]
    pub(crate) const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    #[inline]
    pub(crate) const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// The flags of a container so far, with one more value inside.
    #[inline]
    pub(crate) const fn enclosing(self, inner: Flags) -> Flags {
        let canonical = self.0 & inner.0 & Flags::CANONICAL.0;
        let noticed = (self.0 | inner.0) & !(Flags::CANONICAL.0 | Flags::SORTED_HERE.0);
        Flags(canonical | noticed)
    }
}

/// A string node's text between its quotes, as it stands.
#[inline]
pub(crate) fn inner<'a>(text: &'a str, node: &Node) -> &'a str {
    text.get(node.start as usize + 1..(node.end as usize).saturating_sub(1)).unwrap_or_default()
}

/// A string node's text: borrowed unless it has escapes.
#[inline]
pub(crate) fn unescape<'a>(text: &'a str, node: &Node) -> Cow<'a, str> {
    let text = inner(text, node);
    match node.flags.has(Flags::ESCAPED) {
        false => Cow::Borrowed(text),
        true => Cow::Owned(without_escapes(text)),
    }
}

fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (character, used) = match after.as_bytes().first() {
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b't') => ('\t', 1),
            Some(b'b') => ('\u{8}', 1),
            Some(b'f') => ('\u{c}', 1),
            Some(b'u') => unescape_unit(after),
            Some(other) => (char::from(*other), 1),
            None => break,
        };
        out.push(character);
        rest = after.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character of `uXXXX` or `uXXXX\uXXXX`, and how many bytes it takes. The reader has checked the form.
fn unescape_unit(text: &str) -> (char, usize) {
    let unit =
        |at: usize| text.get(at..at + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0);
    match unit(1) {
        high @ 0xd800..=0xdbff => {
            let code = 0x10000 + ((high - 0xd800) << 10) + unit(7).wrapping_sub(0xdc00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
        }
        code => (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 5),
    }
}

/// A value of a [`Document`]. Cheap to copy; equality is identity of place, not of content.
#[derive(Clone, Copy)]
pub struct Value<'d> {
    document: &'d Document<'d>,
    index: usize,
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} at {}", self.kind().noun(), self.path())
    }
}

impl<'d> Value<'d> {
    pub(super) fn new(document: &'d Document<'_>, index: usize) -> Value<'d> {
        Value { document, index }
    }

    #[inline]
    pub(crate) fn node(&self) -> Node {
        self.document.index.node(self.index)
    }

    #[inline]
    pub(crate) fn flags(&self) -> Flags {
        self.node().flags
    }

    /// The value's type.
    pub(crate) fn kind(&self) -> Kind {
        self.node().kind
    }

    /// The value's exact bytes in the document.
    #[inline]
    pub fn span(&self) -> &'d [u8] {
        let node = self.node();
        &self.document.text.as_bytes()[node.start as usize..node.end as usize]
    }

    /// Offset of the value's first byte in the document.
    pub(crate) fn offset(&self) -> usize {
        self.node().start as usize
    }

    /// Is [`Value::span`] already in the Factory dialect's canonical form?
    #[inline]
    pub(crate) fn is_canonical(&self) -> bool {
        self.flags().has(Flags::CANONICAL)
    }

    /// The document that this value stands in.
    pub(crate) fn document(&self) -> &'d Document<'d> {
        self.document
    }

    /// A string's text, borrowed from the document unless it has escapes; `None` for another type.
    #[inline]
    pub(crate) fn as_str(&self) -> Option<Cow<'d, str>> {
        let node = self.node();
        (node.kind == Kind::String).then(|| unescape(&self.document.text, &node))
    }

    /// A number that is an integer within i64.
    pub(crate) fn as_i64(&self) -> Option<i64> {
        self.number_text()?.parse().ok()
    }

    /// A number that is an integer within u64.
    pub(crate) fn as_u64(&self) -> Option<u64> {
        self.number_text()?.parse().ok()
    }

    /// A number as it is written.
    pub(crate) fn number_text(&self) -> Option<&'d str> {
        let node = self.node();
        let text = || self.document.text.get(node.start as usize..node.end as usize);
        (node.kind == Kind::Number).then(text).flatten()
    }

    /// A truth value.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The members of an object in document order; none for another type.
    pub(crate) fn members(&self) -> Members<'d> {
        let node = self.node();
        let at = if node.kind == Kind::Object { Index::first_within(self.index) } else { node.next };
        Members { document: self.document, at, end: node.next }
    }

    /// The values of an array in document order; none for another type.
    pub(crate) fn items(&self) -> Items<'d> {
        let node = self.node();
        let at = if node.kind == Kind::Array { Index::first_within(self.index) } else { node.next };
        Items { document: self.document, at, end: node.next }
    }

    /// A member of an object by its key.
    pub fn get(&self, key: &str) -> Option<Value<'d>> {
        self.members().find(|(name, _)| name.is(key)).map(|(_, value)| value)
    }

    /// Where it stands; [`Slot::default`] for the outermost value, which is nobody's member.
    #[inline]
    pub(crate) fn slot(&self) -> Slot {
        // An index has at most one slot for a byte, and offsets of bytes fit in 32 bits.
        Slot(NonZeroU32::new(self.index as u32))
    }

    /// The value of the same document that stands there.
    #[inline]
    pub(crate) fn at(&self, slot: Slot) -> Option<Value<'d>> {
        slot.0.map(|index| Value::new(self.document, index.get() as usize))
    }

    /// The member that a format requires.
    ///
    /// # Errors
    /// This is not an object, or it has no such member.
    pub(crate) fn require(&self, key: &str) -> Result<Value<'d>, JsonError> {
        self.want(Kind::Object)?;
        self.get(key).ok_or_else(|| self.error(Problem::Missing(key.to_owned())))
    }

    /// The string that a format requires here.
    ///
    /// # Errors
    /// This is another type.
    pub(crate) fn require_str(&self) -> Result<Cow<'d, str>, JsonError> {
        self.as_str().ok_or_else(|| self.error(Problem::WrongType("a string", self.kind().noun())))
    }

    /// The whole number from 0 that a format requires here.
    ///
    /// # Errors
    /// This is another type, negative, has a fraction, or is above 2^64 - 1.
    pub(crate) fn require_u64(&self) -> Result<u64, JsonError> {
        self.as_u64().ok_or_else(|| self.error(Problem::WrongType("a whole number", self.kind().noun())))
    }

    /// Checks the type.
    ///
    /// # Errors
    /// This is another type.
    pub(crate) fn want(&self, kind: Kind) -> Result<(), JsonError> {
        if self.kind() == kind {
            return Ok(());
        }
        Err(self.error(Problem::WrongType(kind.noun(), self.kind().noun())))
    }

    /// An error about this value, with its file, line, column and path.
    pub(crate) fn error(&self, problem: Problem) -> JsonError {
        JsonError::at(&self.document.name, self.document.bytes(), self.offset(), self.path(), problem)
    }

    /// An error about this value's content, in words.
    pub(crate) fn invalid(&self, sentence: impl Into<String>) -> JsonError {
        self.error(Problem::Invalid(sentence.into()))
    }

    /// Where this value stands, as `signed.targets["a b"].length`, escaped for showing. Walks from the outermost
    /// value, so it is for messages, not for loops.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        let mut here = Value::new(self.document, 0);
        while here.index != self.index {
            let holds = |value: &Value<'_>| value.index <= self.index && self.index < value.node().next;
            if let Some((key, value)) =
                here.members().find(|(key, value)| key.at == self.index || holds(value))
            {
                step(&mut path, &key.text());
                if key.at == self.index {
                    break;
                }
                here = value;
            } else if let Some((index, value)) = here.items().enumerate().find(|(_, value)| holds(value)) {
                step_index(&mut path, index);
                here = value;
            } else {
                break;
            }
        }
        path
    }
}

/// Where a member's value stands in its document, or that there is none, in four bytes: for lists of many values.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slot(Option<NonZeroU32>);

/// The key of a member.
#[derive(Clone, Copy)]
pub(crate) struct Key<'d> {
    document: &'d Document<'d>,
    at: usize,
}

impl<'d> Key<'d> {
    /// The key's text, borrowed unless it has escapes.
    #[inline]
    pub(crate) fn text(&self) -> Cow<'d, str> {
        unescape(&self.document.text, &self.document.index.node(self.at))
    }

    /// The key as a string value: for its span, flags and path.
    pub(crate) fn value(&self) -> Value<'d> {
        Value::new(self.document, self.at)
    }

    /// Is it this key?
    #[inline]
    pub(crate) fn is(&self, key: &str) -> bool {
        let node = self.document.index.node(self.at);
        if node.flags.has(Flags::ESCAPED) {
            return self.text() == key;
        }
        // Most keys differ in length already.
        (node.end - node.start) as usize == key.len() + 2 && inner(&self.document.text, &node) == key
    }
}

/// The members of an object.
pub(crate) struct Members<'d> {
    document: &'d Document<'d>,
    at: usize,
    end: usize,
}

impl<'d> Iterator for Members<'d> {
    type Item = (Key<'d>, Value<'d>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let key = Key { document: self.document, at: self.at };
        let value = Value::new(self.document, self.document.index.node(self.at).next);
        self.at = value.node().next;
        Some((key, value))
    }
}

/// The values of an array.
pub(crate) struct Items<'d> {
    document: &'d Document<'d>,
    at: usize,
    end: usize,
}

impl<'d> Iterator for Items<'d> {
    type Item = Value<'d>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let value = Value::new(self.document, self.at);
        self.at = value.node().next;
        Some(value)
    }
}
