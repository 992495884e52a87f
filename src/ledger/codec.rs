//! How values stand in a line: written in one form, and read only in that form. A line is printable ASCII; its strings are
//! escaped as Python's `json.dumps` does.

use crate::host::clock::Time;
use crate::tlog::tree::Hash;
use std::borrow::Cow;
use std::fmt;

/// The largest number in a line: 2^53 - 1, which every JSON reader reads exactly.
pub(crate) const LARGEST_INT: u64 = (1 << 53) - 1;

/// A line that is not in the log's form: at which byte, and what was wanted there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineFault {
    /// Byte of the line, from 0.
    pub at: usize,
    /// What the format wants there.
    pub wanted: &'static str,
}

impl fmt::Display for LineFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "at byte {} of the line, {} is needed", self.at + 1, self.wanted)
    }
}

/// First byte and the byte after the last; a line has at most 65,535.
pub(super) type Span = (u16, u16);

/// A place in a line.
pub(crate) struct Cursor<'a> {
    pub(super) line: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn fail<T>(&self, wanted: &'static str) -> Result<T, LineFault> {
        Err(LineFault { at: self.at, wanted })
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// A line has at most 65,535 bytes.
    #[inline]
    fn since(&self, start: usize) -> Span {
        (start as u16, self.at as u16)
    }

    #[inline]
    pub(super) fn word(&mut self, word: &[u8], wanted: &'static str) -> Result<(), LineFault> {
        if !self.rest().starts_with(word) {
            return self.fail(wanted);
        }
        self.at += word.len();
        Ok(())
    }

    pub(super) fn int(&mut self) -> Result<u64, LineFault> {
        let rest = self.rest();
        let digits = rest.iter().take(17).take_while(|byte| byte.is_ascii_digit()).count();
        let number = decimal(&rest[..digits]);
        if digits == 0 || (digits > 1 && rest[0] == b'0') || number > LARGEST_INT {
            return self.fail("a whole number up to 2^53 - 1");
        }
        self.at += digits;
        Ok(number)
    }

    pub(super) fn hash(&mut self) -> Result<Hash, LineFault> {
        let mut hash = [0; 32];
        let digits = self.rest().get(..64).unwrap_or_default();
        let is_lower = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_lower || hex::decode_to_slice(digits, &mut hash).is_err() {
            return self.fail("64 lower-case hex digits");
        }
        self.at += 64;
        Ok(hash)
    }

    pub(super) fn time(&mut self) -> Result<Time, LineFault> {
        let Some(time) = self.rest().get(..20).and_then(read_time) else {
            return self.fail("a time YYYY-MM-DDTHH:MM:SSZ");
        };
        self.at += 20;
        Ok(time)
    }

    pub(super) fn flag(&mut self) -> Result<bool, LineFault> {
        let is_true = self.rest().starts_with(b"true");
        self.word(if is_true { b"true" } else { b"false" }, "true or false")?;
        Ok(is_true)
    }

    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, LineFault> {
        let span = self.string()?;
        Ok(unquoted(self.line, span))
    }

    /// A list of what `item` reads.
    pub(super) fn list<T>(
        &mut self,
        item: impl Fn(&mut Self) -> Result<T, LineFault>,
    ) -> Result<Vec<T>, LineFault> {
        let mut items = Vec::new();
        self.word(b"[", "a list")?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(items);
                }
                _ => return self.fail("a comma or the end of the list"),
            }
        }
    }

    /// The name of a member, up to its value.
    pub(super) fn member(&mut self, before: u8, name: &'static str) -> Result<(), LineFault> {
        let first = if before == b',' { "a comma and the next field" } else { name };
        self.word(&[before, b'"'], first)?;
        self.word(name.as_bytes(), name)?;
        self.word(b"\":", "a colon")
    }

    pub(super) fn is_at_end_of_object(&self) -> bool {
        self.peek() == Some(b'}')
    }

    /// A string in the only form in which [`quote`] writes it; the span includes the quotes.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Span, LineFault> {
        let start = self.at;
        self.word(b"\"", "a string")?;
        loop {
            match memchr::memchr2(b'"', b'\\', self.rest()) {
                None => {
                    self.at = self.line.len();
                    return self.fail("the end of the string");
                }
                Some(run) => self.at += run,
            }
            if self.peek() == Some(b'"') {
                self.at += 1;
                return Ok(self.since(start));
            }
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Result<(), LineFault> {
        match self.line.get(self.at + 1) {
            Some(b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f') => self.at += 2,
            Some(b'u') => {
                let unit = self.unit(self.at)?;
                match unit {
                    // What has a shorter form is written in that form.
                    0x20..=0x7e | 0x08 | 0x09 | 0x0a | 0x0c | 0x0d | 0xdc00..=0xdfff => {
                        return self.fail("a character in its shortest form");
                    }
                    0xd800..=0xdbff => {
                        if !(0xdc00..=0xdfff).contains(&self.unit(self.at + 6)?) {
                            return self.fail("both halves of a surrogate pair");
                        }
                        self.at += 12;
                    }
                    _ => self.at += 6,
                }
            }
            _ => return self.fail("an escape that the format knows"),
        }
        Ok(())
    }

    /// The unit of `\uXXXX` at a place.
    fn unit(&self, at: usize) -> Result<u32, LineFault> {
        let bytes = self.line.get(at..at + 6).unwrap_or_default();
        let digits = bytes.strip_prefix(b"\\u").unwrap_or_default();
        if digits.len() != 4 || !digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(LineFault { at, wanted: "four lower-case hex digits after \\u" });
        }
        Ok(digits.iter().fold(0, |unit, digit| unit * 16 + char::from(*digit).to_digit(16).unwrap_or(0)))
    }
}

/// The text of a string of a line, whose span includes the quotes.
pub(super) fn unquoted<'a>(line: &'a [u8], (start, end): Span) -> Cow<'a, str> {
    let inner = line.get(usize::from(start) + 1..usize::from(end).saturating_sub(1)).unwrap_or_default();
    let text = std::str::from_utf8(inner).unwrap_or_default();
    match memchr::memchr(b'\\', inner) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(unescape(text)),
    }
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

/// The number of some digits; saturating.
fn decimal(digits: &[u8]) -> u64 {
    digits.iter().fold(0u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')))
    })
}

/// Reads exactly `YYYY-MM-DDTHH:MM:SSZ`. Done by hand because an audit reads a million of them.
pub(super) fn read_time(text: &[u8]) -> Option<Time> {
    let text: &[u8; 20] = text.try_into().ok()?;
    let digits = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18];
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if !digits.iter().all(|at| text[*at].is_ascii_digit())
        || !marks.iter().all(|(at, mark)| text[*at] == *mark)
    {
        return None;
    }
    let two = |at: usize| i64::from(text[at] - b'0') * 10 + i64::from(text[at + 1] - b'0');
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last_day = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > last_day || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since 1970-01-01, with years that begin in March so that the leap day comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(Time::from_unix(days * 86_400 + hour * 3600 + minute * 60 + second))
}

/// Writes the name of a member.
pub(super) fn member(before: char, name: &str, out: &mut String) {
    out.push(before);
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
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
