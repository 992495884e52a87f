//! The one pass: bytes in, an index of nodes out.

use super::error::{step, step_index};
use super::value::{Flags, Node, inner, unescape};
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
pub(super) fn read(name: &str, text: &str, limits: Limits) -> Result<Vec<Node>, JsonError> {
    let mut reader = Reader::new(text, limits);
    match reader.document() {
        Ok(()) => Ok(reader.nodes),
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
    most_nodes: usize,
    nodes: Vec<Node>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, limits: Limits) -> Reader<'a> {
        Reader {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth_left: limits.depth,
            limits,
            most_nodes: limits.values(),
            nodes: Vec::new(),
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

    /// Opens a container's node; its end and flags are filled in by [`Reader::close`].
    #[inline]
    fn open(&mut self, kind: Kind) -> usize {
        let index = self.nodes.len();
        // The cap on bytes keeps offsets and counts within 32 bits.
        self.nodes.push(Node { start: self.at as u32, end: 0, next: 0, kind, flags: Flags::NONE });
        index
    }

    /// The node of a value that holds no others, from `start` to the current byte.
    #[inline]
    pub(super) fn leaf(&mut self, kind: Kind, start: usize, flags: Flags) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { start: start as u32, end: self.at as u32, next, kind, flags });
    }

    #[inline]
    fn close(&mut self, index: usize, flags: Flags) {
        let next = self.nodes.len() as u32;
        let end = self.at as u32;
        if let Some(node) = self.nodes.get_mut(index) {
            (node.end, node.next, node.flags) = (end, next, flags);
        }
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
        if self.nodes.len() > self.most_nodes {
            return self.fail(Problem::TooMany(self.most_nodes));
        }
        Ok(())
    }

    fn array(&mut self) -> Outcome<Flags> {
        self.descend()?;
        let index = self.open(Kind::Array);
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
        self.close(index, flags);
        Ok(flags)
    }

    fn object(&mut self) -> Outcome<Flags> {
        self.descend()?;
        let index = self.open(Kind::Object);
        self.at += 1;
        let mut flags = Flags::CANONICAL;
        let mut white = self.skip_white();
        let mut sorted = true;
        let mut previous: Option<usize> = None;
        if self.peek() != Some(b'}') {
            loop {
                let key = self.nodes.len();
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
            self.refuse_duplicates(index)?;
            flags = flags.with(Flags::UNSORTED).without(Flags::CANONICAL);
        }
        if white {
            flags = flags.without(Flags::CANONICAL);
        }
        self.close(index, if sorted { flags.with(Flags::SORTED_HERE) } else { flags });
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
    fn key(&self, index: usize) -> Cow<'_, str> {
        self.nodes.get(index).map_or(Cow::Borrowed(""), |node| unescape(self.text, node))
    }

    /// Does one key sort before another? Without escapes, the bytes as they stand have the order of the text.
    #[inline]
    fn is_before(&self, one: usize, other: usize) -> bool {
        match (self.nodes.get(one), self.nodes.get(other)) {
            (Some(a), Some(b)) if !a.flags.with(b.flags).has(Flags::ESCAPED) => {
                inner(self.text, a) < inner(self.text, b)
            }
            _ => self.key(one) < self.key(other),
        }
    }

    /// Keys in ascending order cannot repeat; those of any other object are sorted here and compared.
    fn refuse_duplicates(&mut self, object: usize) -> Outcome<()> {
        let mut keys: Vec<(&str, u32)> = Vec::new();
        let mut escaped: Vec<(Cow<'_, str>, u32)> = Vec::new();
        let mut index = object + 1;
        while let Some(node) = self.nodes.get(index) {
            match node.flags.has(Flags::ESCAPED) {
                false => keys.push((inner(self.text, node), index as u32)),
                true => escaped.push((unescape(self.text, node), index as u32)),
            }
            index = self.nodes.get(index + 1).map_or(usize::MAX, |value| value.next as usize);
        }
        keys.extend(escaped.iter().map(|(key, index)| (key.as_ref(), *index)));
        keys.sort_unstable();
        let double = keys.windows(2).find_map(|pair| match pair {
            [(a, _), (b, second)] if a == b => Some(*second as usize),
            _ => None,
        });
        let Some(second) = double else { return Ok(()) };
        let offset = self.nodes.get(second).map_or(0, |node| node.start as usize);
        let problem = Problem::DuplicateKey(self.key(second).into_owned());
        Err(Box::new(Failure { offset, problem, steps: Vec::new() }))
    }
}
