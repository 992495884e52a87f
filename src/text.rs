//! Text that came from somebody else, and the one way in which it may be shown.
//!
//! A name in a bundle can hold terminal commands, characters that reverse the reading direction, or letters that
//! only look like others; or it can be so long that it fills the screen. [`Foreign`] holds such text, and its only
//! `Display` writes every byte that is not printable ASCII as a visible escape, and no more of it than fits in a sentence.
//! Two different texts are never shown alike.

use sha2::{Digest as _, Sha256};
use std::fmt;

/// Text from a bundle, a log or a file name, in a sentence or as the name of something. Shown escaped, a quotation mark
/// too, so that it never ends the quotes that a sentence of ours puts around it; and of more than [`LONGEST`] bytes by its
/// beginning, its length and its SHA-256. Compared as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Foreign<'a>(pub &'a str);

/// The longest text that a sentence shows whole, in bytes: longer than any name that is of use to somebody.
pub(crate) const LONGEST: usize = 256;
/// What is shown of a longer one, in bytes.
pub(crate) const BEGINNING: usize = 64;

impl fmt::Display for Foreign<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= LONGEST {
            return escape(self.0, out);
        }
        escape(self.0.get(..self.0.floor_char_boundary(BEGINNING)).unwrap_or_default(), out)?;
        out.write_str(&and_so_on(self.0))
    }
}

impl fmt::Debug for Foreign<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{self}\"")
    }
}

/// Text that is shown escaped as [`Foreign`] is, and whole however long it is: a signed value, a statement for the record.
#[derive(Clone, Copy)]
pub(crate) struct Whole<'a>(pub &'a str);

impl fmt::Display for Whole<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, out)
    }
}

fn escape(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| !is_plain(c)) {
        out.write_str(&rest[..at])?;
        let Some(odd) = rest[at..].chars().next() else { break };
        match odd {
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\\' => out.write_str("\\\\")?,
            '"' => out.write_str("\\\"")?,
            other => write!(out, "\\u{{{:x}}}", u32::from(other))?,
        }
        rest = &rest[at + odd.len_utf8()..];
    }
    out.write_str(rest)
}

/// Printable ASCII other than the backslash, which begins an escape, and the quotation mark.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '\\' | '"')
}

/// The form of [`Foreign`] as an owned string, for messages that outlive the bundle.
/// `"a\u{1b}[2Jb\u{202e}"` is `a\\u{1b}[2Jb\\u{202e}`.
pub fn shown(text: &str) -> String {
    Foreign(text).to_string()
}

/// The form of [`Whole`] as an owned string.
pub(crate) fn whole(text: &str) -> String {
    Whole(text).to_string()
}

/// A message that is escaped already, of several lines, in one, and of a length that fits in a line of the log.
pub(crate) fn one_line(message: &str) -> String {
    const LONGEST_REASON: usize = 4096;
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    at_most(lines.collect::<Vec<_>>().join(" "), LONGEST_REASON)
}

/// Text that is escaped already, by its beginning, its length and its SHA-256 where it has more than so many bytes.
pub(crate) fn at_most(shown: String, most: usize) -> String {
    if shown.len() <= most {
        return shown;
    }
    let beginning = shown.get(..shown.floor_char_boundary(most / 2)).unwrap_or_default();
    format!("{beginning}{}", and_so_on(&shown))
}

/// No escape begins like this, so nothing that is shown whole can be taken for something longer.
fn and_so_on(text: &str) -> String {
    format!("\\[and so on: {} bytes, SHA-256 {}]", text.len(), hex::encode(Sha256::digest(text)))
}

/// How a text file is written that is not plain UTF-8, where its first bytes say so: editors of other systems save text
/// like this, and what a reader says of the first odd byte helps nobody.
pub(crate) fn encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => {
            Some("it begins with a byte order mark (BOM): save it as UTF-8 without one")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] | [1..=0x7f, 0, ..] => {
            Some("it is UTF-16 text: save it as UTF-8")
        }
        _ => None,
    }
}

/// The text in a file.
///
/// # Errors
/// It is not plain UTF-8; says what it is.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, &'static str> {
    match encoding(bytes) {
        Some(what) => Err(what),
        None => std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text"),
    }
}

/// A count with its noun: `1 file`, `0 files`, `2 entries`, `2 days`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    // "entries", but "days".
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    match (count, stem) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}

/// The beginning of a digest or of a key's id: how people name it.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// A path as it may be shown: file names on a stick are foreign text too. Whole: no system has one of more than 4 KiB.
pub(crate) fn shown_path(path: &std::path::Path) -> String {
    whole(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_count_has_its_noun() {
        let counts = [(1, "day"), (2, "day"), (0, "file"), (2, "entry"), (1, "entry"), (3, "key")];
        let told = counts.map(|(count, noun)| counted(count, noun));
        assert_eq!(told, ["1 day", "2 days", "0 files", "2 entries", "1 entry", "3 keys"]);
    }

    #[test]
    fn terminal_commands_and_bidi_controls_are_shown_as_escapes() {
        assert_eq!(shown("\u{1b}]0;x\u{7}"), "\\u{1b}]0;x\\u{7}");
        assert_eq!(shown("a\u{200b}b\u{e9}\\"), "a\\u{200b}b\\u{e9}\\\\");
        assert_eq!(shown("line\nnext\t"), "line\\nnext\\t");
    }

    #[test]
    fn long_text_is_shown_by_its_beginning_its_length_and_its_digest() {
        let long = "CAN BE SIGNED ".repeat(4_000);
        let said = shown(&long);
        assert!(said.starts_with("CAN BE SIGNED ") && said.len() < 200, "{said}");
        assert!(said.contains(&format!("\\[and so on: {} bytes, SHA-256 ", long.len())), "{said}");
        assert_ne!(
            said,
            shown(&long.replacen("CAN BE SIGNED CAN", "CAN BE SIGNED can", 1)),
            "it differs past the cut"
        );
        assert_ne!(said, shown(&said), "nor is it how another text is shown whole");
        assert_eq!(shown(&"a".repeat(LONGEST)).len(), LONGEST);
        let (one, other) = ("\u{e9}".repeat(LONGEST), format!("{}a", "\u{e9}".repeat(LONGEST)));
        assert_ne!(shown(&one), shown(&other));
        assert_eq!(whole(&long), long, "a signed value is shown whole");
    }

    #[test]
    fn a_byte_order_mark_and_utf_16_are_named_as_what_they_are() {
        assert!(utf8(b"\xef\xbb\xbf{}").is_err_and(|why| why.contains("byte order mark")));
        for bytes in [b"\xff\xfe{\0", b"\xfe\xff\0{", b"{\0}\0", b"\0{\0}"] {
            assert!(utf8(bytes).is_err_and(|why| why.contains("UTF-16")), "{bytes:?}");
        }
        assert_eq!(utf8(b"\xff"), Err("it is not UTF-8 text"));
        assert_eq!(utf8("\u{e9}{}".as_bytes()), Ok("\u{e9}{}"));
        assert_eq!((utf8(b""), utf8(b"{")), (Ok(""), Ok("{")));
    }

    #[test]
    fn a_message_of_several_lines_is_one_line_in_the_log() {
        assert_eq!(one_line("blocked:\n  a: b.\n\n  c: d."), "blocked: a: b. c: d.");
    }

    #[test]
    fn a_reason_too_long_for_a_line_of_the_log_is_there_by_its_beginning_its_length_and_its_digest() {
        let (whole, longer) = ("x".repeat(4096), "x".repeat(4097));
        assert_eq!(one_line(&whole), whole);
        let cut = one_line(&longer);
        assert_eq!(cut, format!("{}{}", "x".repeat(2048), and_so_on(&longer)));
        assert!(cut.contains("4097 bytes"), "{cut}");
    }

    #[test]
    fn a_path_is_shown_whole_and_escaped() {
        let path = format!("/media/stick/{}/\u{1b}[2J", "a".repeat(LONGEST));
        let said = shown_path(std::path::Path::new(&path));
        assert_eq!(said, path.replace('\u{1b}', "\\u{1b}"));
    }

    #[test]
    fn a_count_agrees_with_its_noun() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "file")), ["0 files", "1 file", "2 files"]);
    }

    proptest! {
        #[test]
        fn only_printable_ascii_is_ever_shown(text in any::<String>()) {
            prop_assert!(shown(&text).bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert!(whole(&text).bytes().all(|b| (0x20..0x7f).contains(&b)));
        }

        #[test]
        fn foreign_text_never_ends_the_quotes_around_it(text in any::<String>()) {
            let shown = format!("\"{}\"", Foreign(&text));
            let mut inner = shown[1..].chars();
            while let Some(c) = inner.next() {
                match c {
                    '\\' => drop(inner.next()),
                    '"' => break,
                    _ => {}
                }
            }
            prop_assert_eq!(inner.as_str(), "");
        }

        #[test]
        fn different_texts_are_shown_differently(a in "\\PC{0,6}|[\\\\nu{}0-9a-f\n]{0,8}", b in "\\PC{0,6}|[\\\\nu{}0-9a-f\n]{0,8}") {
            prop_assert_eq!(a == b, shown(&a) == shown(&b));
        }
    }
}
