//! The one pass: bytes in, an index of nodes out.

use super::error::{step, step_index};
use super::index::Index;
use super::value::{Flags, inner, unescape};
use super::{JsonError, Kind, Limits, Problem};
use std::borrow::Cow;

/// Where and what, before a file name and a path are put to it.
pub(super) struct Failure {
    offset: usize,
    problem: Problem,
    /// The path's steps, innermost first.
    steps: Vec<Step>,
}

pub(super) enum Step {
    Key(String),
    Index(usize),
}

pub(super) type Outcome<T> = Result<T, Box<Failure>>;

/// Refuses a document over the cap before anything looks at it.
pub(super) fn check_length(name: &str, length: usize, limits: Limits) -> Result<(), JsonError> {
    let length = length as u64;
    let cap = limits.bytes.min(u64::from(u32::MAX) - 1);
    if length > cap {
        return Err(JsonError::at(name, &[], 0, String::new(), Problem::TooLarge(length, cap)));
    }
    Ok(())
}

/// Reads a whole document into nodes in document order, the outermost value first.
pub(super) fn read(name: &str, text: &str, limits: Limits) -> Result<Index, JsonError> {
    let mut reader = Reader::new(text, limits);
    match reader.document() {
        Ok(()) => Ok(reader.index),
        Err(failure) => Err(located(name, text.as_bytes(), *failure)),
    }
}

/// The error about a document that is UTF-8 only up to an offset: what stands before it is still read, so that the
/// error can name the member.
pub(super) fn not_utf8(name: &str, bytes: &[u8], offset: usize, limits: Limits) -> JsonError {
    let valid = bytes.get(..offset).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default();
    let failure = match Reader::new(valid, limits).document() {
        Ok(()) => Failure { offset, problem: Problem::NotUtf8, steps: Vec::new() },
        Err(failure) if matches!(failure.problem, Problem::Truncated | Problem::Empty) => {
            Failure { offset, problem: Problem::NotUtf8, ..*failure }
        }
        Err(failure) => *failure,
    };
    located(name, bytes, failure)
}

fn located(name: &str, bytes: &[u8], failure: Failure) -> JsonError {
    let mut path = String::new();
    for inner in failure.steps.iter().rev() {
        match inner {
            Step::Key(key) => step(&mut path, key),
            Step::Index(index) => step_index(&mut path, *index),
        }
    }
    JsonError::at(name, bytes, failure.offset, path, failure.problem)
}

pub(super) struct Reader<'a> {
    text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    depth_left: u16,
    limits: Limits,
    most_slots: usize,
    index: Index,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, limits: Limits) -> Reader<'a> {
        Reader {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth_left: limits.depth,
            limits,
            most_slots: limits.slots(),
            index: Index::for_bytes(text.len()),
        }
    }

    fn document(&mut self) -> Outcome<()> {
        self.skip_white();
        if self.at == self.bytes.len() {
            return self.fail(Problem::Empty);
        }
        self.value()?;
        self.skip_white();
        if self.at < self.bytes.len() {
            return self.fail(Problem::TrailingBytes);
        }
        Ok(())
    }

    pub(super) fn fail<T>(&self, problem: Problem) -> Outcome<T> {
        Err(Box::new(Failure { offset: self.at, problem, steps: Vec::new() }))
    }

    /// Fails at the current byte, or says that the document ends here.
    fn unexpected<T>(&self, wanted: &'static str) -> Outcome<T> {
        match self.peek() {
            Some(byte) => self.fail(Problem::Unexpected(byte, wanted)),
            None => self.fail(Problem::Truncated),
        }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space; returns whether there was any.
    #[inline]
    fn skip_white(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        self.at != start
    }

    /// A value that holds no others, from `start` to the current byte.
    #[inline]
    pub(super) fn leaf(&mut self, kind: Kind, start: usize, flags: Flags) {
        self.index.leaf(kind, start, self.at, flags);
    }

    /// Reads the value at the current byte; returns its flags.
    fn value(&mut self) -> Outcome<Flags> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", Kind::True),
            Some(b'f') => self.word(b"false", Kind::False),
            Some(b'n') => self.word(b"null", Kind::Null),
            _ => self.unexpected("a JSON value"),
        }
    }

    fn word(&mut self, word: &'static [u8], kind: Kind) -> Outcome<Flags> {
        let start = self.at;
        for wanted in word {
            if self.peek() != Some(*wanted) {
                return self.unexpected("true, false or null");
            }
            self.at += 1;
        }
        self.leaf(kind, start, Flags::CANONICAL);
        Ok(Flags::CANONICAL)
    }

    fn number(&mut self) -> Outcome<Flags> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let digits = self.digits()?;
        if leading_zero && digits > 1 {
            self.at = start;
            return self.fail(Problem::BadNumber);
        }
        let mut odd = digits > 15 || self.bytes.get(start..self.at) == Some(b"-0");
        if self.peek() == Some(b'.') {
            odd = true;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            odd = true;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        // The canonical form keeps a number's own digits; whether all readers agree on them is another question.
        let flags = if odd { Flags::CANONICAL.with(Flags::ODD_NUMBER) } else { Flags::CANONICAL };
        self.leaf(Kind::Number, start, flags);
        Ok(flags)
    }

    fn digits(&mut self) -> Outcome<usize> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match (self.at - start, self.peek()) {
            (0, None) => self.fail(Problem::Truncated),
            (0, Some(_)) => self.fail(Problem::BadNumber),
            (count, _) => Ok(count),
        }
    }

    fn descend(&mut self) -> Outcome<()> {
        match self.depth_left.checked_sub(1) {
            Some(left) => {
                self.depth_left = left;
                Ok(())
            }
            None => self.fail(Problem::TooDeep(self.limits.depth)),
        }
    }

    #[inline]
    fn check_count(&self) -> Outcome<()> {
        if self.index.len() > self.most_slots {
            return self.fail(Problem::TooMany(self.most_slots));
        }
        Ok(())
    }

    fn array(&mut self) -> Outcome<Flags> {
        self.descend()?;
        let slot = self.index.open(Kind::Array, self.at);
        self.at += 1;
        let mut flags = Flags::CANONICAL;
        let mut white = self.skip_white();
        let mut count = 0usize;
        if self.peek() != Some(b']') {
            loop {
                match self.value() {
                    Ok(inner) => flags = flags.enclosing(inner),
                    Err(mut failure) => {
                        failure.steps.push(Step::Index(count));
                        return Err(failure);
                    }
                }
                count += 1;
                self.check_count()?;
                white |= self.skip_white();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    _ => return self.unexpected("a comma or the end of the array"),
                }
                white |= self.skip_white();
            }
        }
        self.at += 1;
        self.depth_left += 1;
        if white {
            flags = flags.without(Flags::CANONICAL);
        }
        self.index.close(slot, self.at, flags);
        Ok(flags)
    }

    fn object(&mut self) -> Outcome<Flags> {
        self.descend()?;
        let slot = self.index.open(Kind::Object, self.at);
        self.at += 1;
        let mut flags = Flags::CANONICAL;
        let mut white = self.skip_white();
        let mut sorted = true;
        let mut previous: Option<usize> = None;
        if self.peek() != Some(b'}') {
            loop {
                let key = self.index.len();
                if self.peek() != Some(b'"') {
                    return self.unexpected("a key in quotes");
                }
                flags = flags.enclosing(self.string()?);
                if let Some(previous) = previous {
                    sorted = sorted && self.is_before(previous, key);
                }
                previous = Some(key);
                match self.member_value() {
                    Ok((inner, had_white)) => {
                        flags = flags.enclosing(inner);
                        white |= had_white;
                        self.check_count()?;
                    }
                    Err(mut failure) => {
                        failure.steps.push(Step::Key(self.key(key).into_owned()));
                        return Err(failure);
                    }
                }
                white |= self.skip_white();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    _ => return self.unexpected("a comma or the end of the object"),
                }
                white |= self.skip_white();
            }
        }
        self.at += 1;
        self.depth_left += 1;
        if !sorted {
            self.refuse_duplicates(slot)?;
            flags = flags.with(Flags::UNSORTED).without(Flags::CANONICAL);
        }
        if white {
            flags = flags.without(Flags::CANONICAL);
        }
        self.index.close(slot, self.at, if sorted { flags.with(Flags::SORTED_HERE) } else { flags });
        Ok(flags)
    }

    /// The colon and the value of a member; its flags, and whether there was white space.
    #[inline]
    fn member_value(&mut self) -> Outcome<(Flags, bool)> {
        let mut white = self.skip_white();
        if self.peek() != Some(b':') {
            return self.unexpected("a colon");
        }
        self.at += 1;
        white |= self.skip_white();
        Ok((self.value()?, white))
    }

    /// A key's text.
    #[inline]
    fn key(&self, slot: usize) -> Cow<'_, str> {
        unescape(self.text, &self.index.node(slot))
    }

    /// Does one key sort before another? Without escapes, the bytes as they stand have the order of the text.
    #[inline]
    fn is_before(&self, one: usize, other: usize) -> bool {
        let (a, b) = (self.index.node(one), self.index.node(other));
        if a.flags.with(b.flags).has(Flags::ESCAPED) {
            return self.key(one) < self.key(other);
        }
        inner(self.text, &a) < inner(self.text, &b)
    }

    /// Keys in ascending order cannot repeat; those of any other object are sorted here and compared.
    fn refuse_duplicates(&mut self, object: usize) -> Outcome<()> {
        let mut keys: Vec<(&str, u32)> = Vec::new();
        let mut escaped: Vec<(Cow<'_, str>, u32)> = Vec::new();
        let mut slot = Index::first_within(object);
        while slot < self.index.len() {
            let key = self.index.node(slot);
            match key.flags.has(Flags::ESCAPED) {
                false => keys.push((inner(self.text, &key), slot as u32)),
                true => escaped.push((unescape(self.text, &key), slot as u32)),
            }
            slot = self.index.node(key.next).next;
        }
        keys.extend(escaped.iter().map(|(key, slot)| (key.as_ref(), *slot)));
        keys.sort_unstable();
        let double = keys.windows(2).find_map(|pair| match pair {
            [(a, _), (b, second)] if a == b => Some(*second as usize),
            _ => None,
        });
        let Some(second) = double else { return Ok(()) };
        let offset = self.index.node(second).start as usize;
        let problem = Problem::DuplicateKey(self.key(second).into_owned());
        Err(Box::new(Failure { offset, problem, steps: Vec::new() }))
    }
}
