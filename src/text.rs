//! Text that came from somebody else, and the one way in which it may be shown.
//!
//! A name in a bundle can hold terminal commands, characters that reverse the reading direction, or letters that
//! only look like others. [`Foreign`] holds such text, and its only `Display` writes every byte that is not printable
//! ASCII as a visible escape. The escape is injective: two different texts are never shown alike.

use std::fmt;

/// Text from a bundle, a log or a file name. Shown escaped; compared as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foreign<'a>(pub &'a str);

impl fmt::Display for Foreign<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(|c: char| !is_plain(c)) {
            out.write_str(&rest[..at])?;
            let Some(odd) = rest[at..].chars().next() else { break };
            match odd {
                '\n' => out.write_str("\\n")?,
                '\r' => out.write_str("\\r")?,
                '\t' => out.write_str("\\t")?,
                '\\' => out.write_str("\\\\")?,
                other => write!(out, "\\u{{{:x}}}", u32::from(other))?,
            }
            rest = &rest[at + odd.len_utf8()..];
        }
        out.write_str(rest)
    }
}

impl fmt::Debug for Foreign<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{self}\"")
    }
}

/// Printable ASCII other than the backslash, which begins an escape.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~') && c != '\\'
}

/// The escaped form as an owned string, for messages that outlive the bundle.
///
/// ```
/// assert_eq!(countersign::text::shown("a\u{1b}[2Jb\u{202e}"), "a\\u{1b}[2Jb\\u{202e}");
/// ```
pub fn shown(text: &str) -> String {
    Foreign(text).to_string()
}

/// A message that is escaped already, of several lines, in one: for the log.
pub fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A count with its noun.
///
/// ```
/// assert_eq!(countersign::text::counted(1, "file"), "1 file");
/// assert_eq!(countersign::text::counted(0, "file"), "0 files");
/// ```
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A path as it may be shown: file names on a stick are foreign text too.
pub fn shown_path(path: &std::path::Path) -> String {
    shown(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terminal_commands_and_bidi_controls_are_shown_as_escapes() {
        assert_eq!(shown("\u{1b}]0;x\u{7}"), "\\u{1b}]0;x\\u{7}");
        assert_eq!(shown("a\u{200b}b\u{e9}\\"), "a\\u{200b}b\\u{e9}\\\\");
        assert_eq!(shown("line\nnext\t"), "line\\nnext\\t");
    }

    #[test]
    fn a_message_of_several_lines_is_one_line_in_the_log() {
        assert_eq!(one_line("blocked:\n  a: b.\n\n  c: d."), "blocked: a: b. c: d.");
    }

    proptest! {
        #[test]
        fn only_printable_ascii_is_ever_shown(text in any::<String>()) {
            prop_assert!(shown(&text).bytes().all(|b| (0x20..0x7f).contains(&b)));
        }

        #[test]
        fn different_texts_are_shown_differently(a in "\\PC{0,6}|[\\\\nu{}0-9a-f\n]{0,8}", b in "\\PC{0,6}|[\\\\nu{}0-9a-f\n]{0,8}") {
            prop_assert_eq!(a == b, shown(&a) == shown(&b));
        }
    }
}
