//! How the reader reads a string: plain runs at a time, escapes one by one.

use super::reader::{Outcome, Reader};
use super::scan::plain_run;
use super::value::Flags;
use super::{Kind, Problem};

impl Reader<'_> {
    #[inline]
    pub(super) fn string(&mut self) -> Outcome<Flags> {
        let start = self.at;
        let mut flags = Flags::CANONICAL;
        self.at += 1;
        loop {
            let (end, has_high) = plain_run(self.bytes, self.at);
            self.at = end;
            if has_high {
                flags = flags.with(Flags::NON_ASCII);
            }
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => flags = self.escape(flags)?,
                Some(control) => return self.fail(Problem::ControlCharacter(control)),
                None => return self.fail(Problem::Truncated),
            }
        }
        self.at += 1;
        self.leaf(Kind::String, start, flags);
        Ok(flags)
    }

    /// Reads one escape. The canonical form escapes `"`, `\`, line feed, carriage return, tab, and other control
    /// characters as `\u00xx` in lower case; any other escape is not canonical.
    fn escape(&mut self, flags: Flags) -> Outcome<Flags> {
        let start = self.at;
        let flags = flags.with(Flags::ESCAPED);
        let Some(letter) = self.bytes.get(start + 1) else {
            self.at = self.bytes.len();
            return self.fail(Problem::Truncated);
        };
        self.at = start + 2;
        match letter {
            b'"' | b'\\' | b'n' | b'r' | b't' => Ok(flags),
            b'/' | b'b' | b'f' => Ok(flags.with(Flags::ODD_ESCAPE).without(Flags::CANONICAL)),
            b'u' => {
                let unit = self.hex_unit(start)?;
                let is_canonical = unit < 0x20
                    && !matches!(unit, 0x09 | 0x0a | 0x0d)
                    && self.bytes[start + 2..start + 6].iter().all(|b| !b.is_ascii_uppercase());
                match unit {
                    0xd800..=0xdbff => {
                        let pair = self.at;
                        if self.bytes.get(pair..pair + 2) != Some(b"\\u") {
                            self.at = start;
                            return self.fail(Problem::LoneSurrogate);
                        }
                        self.at = pair + 2;
                        if !(0xdc00..=0xdfff).contains(&self.hex_unit(pair)?) {
                            self.at = start;
                            return self.fail(Problem::LoneSurrogate);
                        }
                    }
                    0xdc00..=0xdfff => {
                        self.at = start;
                        return self.fail(Problem::LoneSurrogate);
                    }
                    _ => {}
                }
                let flags = flags.with(Flags::ODD_ESCAPE);
                Ok(if is_canonical { flags } else { flags.without(Flags::CANONICAL) })
            }
            _ => {
                self.at = start;
                self.fail(Problem::BadEscape)
            }
        }
    }

    /// Four hexadecimal digits; an error stands at the backslash.
    fn hex_unit(&mut self, backslash: usize) -> Outcome<u32> {
        let mut unit = 0u32;
        for _ in 0..4 {
            let Some(digit) = self.peek() else { return self.fail(Problem::Truncated) };
            let Some(value) = char::from(digit).to_digit(16) else {
                self.at = backslash;
                return self.fail(Problem::BadEscape);
            };
            unit = unit * 16 + value;
            self.at += 1;
        }
        Ok(unit)
    }
}
