//! What can be wrong with a document, and exactly where.

use crate::text::{Foreign, LONGEST, shown};
use std::fmt;

/// A problem, with the file, line, column and member at which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// The file's name, as given to the reader.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// The member, as `signed.targets["a b"].length`; empty for the outermost value. Already escaped for showing.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// More bytes than the cap: the length and the cap.
    TooLarge(u64, u64),
    /// Deeper than the cap.
    TooDeep(u16),
    /// More keys and values than the index of a document of this size may have; its cap.
    TooMany(usize),
    /// Nothing but white space.
    Empty,
    /// The document ends in the middle of a value.
    Truncated,
    /// Bytes after the outermost value.
    TrailingBytes,
    /// Not UTF-8.
    NotUtf8,
    /// UTF-16, or UTF-8 behind a byte order mark; the sentence says which.
    Encoding(&'static str),
    /// A `\uD800`-`\uDFFF` escape without its other half.
    LoneSurrogate,
    /// A key stands twice in one object.
    DuplicateKey(String),
    /// A byte below 0x20 inside a string.
    ControlCharacter(u8),
    /// A backslash with something after it that JSON does not know.
    BadEscape,
    /// Not a number as JSON writes it.
    BadNumber,
    /// Another byte than the one that the grammar wants here.
    Unexpected(u8, &'static str),
    /// The value has another type than the format says: wanted, found.
    WrongType(&'static str, &'static str),
    /// A member that the format requires is absent.
    Missing(String),
    /// The value has the right type and a content that the format does not allow; the sentence says which.
    Invalid(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::TooLarge(length, cap) => write!(out, "it has {length} bytes, at most {cap} are read"),
            Problem::TooDeep(cap) => write!(out, "it is nested deeper than {cap} levels"),
            Problem::TooMany(cap) => {
                write!(out, "it holds more than {cap} keys and values, too many for its size")
            }
            Problem::Empty => out.write_str("it is empty"),
            Problem::Truncated => out.write_str("it ends in the middle of a value"),
            Problem::TrailingBytes => out.write_str("there is something after the end of the JSON value"),
            Problem::Encoding(what) => out.write_str(what),
            Problem::NotUtf8 => out.write_str("it is not UTF-8 text"),
            Problem::LoneSurrogate => out.write_str("half of a surrogate pair stands alone"),
            Problem::DuplicateKey(key) => write!(out, "the key \"{}\" stands twice", Foreign(key)),
            Problem::ControlCharacter(byte) => {
                write!(out, "the control character 0x{byte:02x} stands in a string")
            }
            Problem::BadEscape => {
                out.write_str("a backslash is followed by something that JSON does not know")
            }
            Problem::BadNumber => out.write_str("it is not a number as JSON writes it"),
            Problem::Unexpected(byte, wanted) => {
                write!(out, "found \"{}\" where {wanted} is needed", shown(&char::from(*byte).to_string()))
            }
            Problem::WrongType(wanted, found) => write!(out, "{wanted} is needed here, this is {found}"),
            Problem::Missing(key) => write!(out, "the member \"{}\" is missing", Foreign(key)),
            Problem::Invalid(sentence) => out.write_str(sentence),
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, line {}, column {}", Foreign(&self.file), self.line, self.column)?;
        if !self.path.is_empty() {
            write!(out, ", at {}", self.path)?;
        }
        write!(out, ": {}", self.problem)
    }
}

impl std::error::Error for JsonError {}

impl JsonError {
    /// An error at a byte offset of a document.
    pub(crate) fn at(file: &str, bytes: &[u8], offset: usize, path: String, problem: Problem) -> JsonError {
        let before = &bytes[..offset.min(bytes.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        JsonError {
            file: file.to_owned(),
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before.len() - line_start + 1,
            path,
            problem,
        }
    }
}

/// One step of a path: `.key` where the key is a plain word, `["key"]` where it is not, escaped and capped for showing.
pub(crate) fn step(path: &mut String, key: &str) {
    let plain = (1..=LONGEST).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !plain {
        path.push_str("[\"");
        path.push_str(&shown(key));
        path.push_str("\"]");
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// One step into an array: `[3]`.
pub(crate) fn step_index(path: &mut String, index: usize) {
    use fmt::Write as _;
    // Writing to a string cannot fail.
    let _ = write!(path, "[{index}]");
}
