//! The review on a terminal or in a text file: wrapped to a width, with colour or without, and never cut short.

use super::Review;
use super::finding::{Finding, Severity};
use super::layout::{self, Fact, Level, Mark, Page};
use crate::text::shown;
use crate::words;
use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::fmt::Write as _;

/// Narrower than this, a page is written as if it were this wide.
const NARROWEST: usize = 40;
/// What a line begins with that goes on with quoted text.
const QUOTED: &str = "| ";
/// Labels longer than this do not widen the column.
const LABEL_COLUMN: usize = 21;

const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const CHANGED: Style = AnsiColor::Yellow.on_default();
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const TITLE: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const PLAIN: Style = Style::new();

impl Review<'_> {
    /// The review for people: printable ASCII and line feeds, and with `color` the ANSI sequences of colours.
    /// `width` is the terminal's, in columns.
    pub fn text(&self, width: usize, color: bool) -> String {
        let mut page = TextPage { out: String::new(), width: width.max(NARROWEST), color };
        page.top(self);
        layout::lay_out(self, &mut page);
        page.bottom(self);
        page.out
    }
}

struct TextPage {
    out: String,
    width: usize,
    color: bool,
}

impl TextPage {
    fn top(&mut self, review: &Review<'_>) {
        self.lines(0, 2, TITLE, &layout::title(review));
        for (label, value) in layout::header(review) {
            self.labelled(0, 9, label, &value, PLAIN);
        }
        self.blank();
        self.lines(
            0,
            8,
            QUIET,
            "Legend: + added, - removed, ~ changed with what it was, no sign: as before or nothing to compare with; \\ at a \
             line's end: goes on without a space; | at a line's beginning: quoted text goes on",
        );
        self.blank();
        let style = if review.signable() { GOOD } else { BAD };
        self.lines(0, 2, style, &layout::verdict(review));
    }

    fn bottom(&mut self, review: &Review<'_>) {
        self.blank();
        self.lines(0, 2, TITLE, &layout::totals(review));
        let style = if review.signable() { GOOD } else { BAD };
        self.lines(0, 2, style, &layout::verdict(review));
        self.blank();
        let bytes = format!(
            "{} bytes would be signed. Their SHA-256, to be compared between machines:",
            review.header.bytes
        );
        self.lines(0, 0, PLAIN, &bytes);
        self.lines(2, 2, TITLE, &review.header.digest.to_string());
        self.lines(2, 2, PLAIN, &words::of(&review.header.digest.0));
        if review.is_confirmable() {
            self.lines(0, 0, PLAIN, "The words that confirm these bytes and this review, on this station:");
            self.lines(2, 2, TITLE, &review.confirm());
        }
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }

    /// Writes text that begins at the column `indent`; further lines begin at `hanging`. One that begins inside quotes is
    /// marked: whoever wrote what is quoted could have made it look like a line of ours.
    fn lines(&mut self, indent: usize, hanging: usize, style: Style, text: &str) {
        let text = ascii(text);
        let mut rest = text.as_ref();
        let mut margin = indent;
        let mut is_quoted = false;
        loop {
            let mark = if is_quoted { QUOTED } else { "" };
            let room = self.width.saturating_sub(margin + mark.len()).max(8);
            let (line, goes_on, more) = cut(rest, room);
            self.line(margin, style, &format!("{mark}{line}{goes_on}"));
            is_quoted ^= ends_quotes(line);
            rest = more;
            margin = hanging;
            if rest.is_empty() {
                return;
            }
        }
    }

    fn line(&mut self, margin: usize, style: Style, text: &str) {
        self.out.extend(std::iter::repeat_n(' ', margin));
        self.styled(style, text);
        self.out.push('\n');
    }

    fn styled(&mut self, style: Style, text: &str) {
        if self.color && style != PLAIN {
            let _ = write!(self.out, "{style}{text}{style:#}");
        } else {
            self.out.push_str(text);
        }
    }

    /// A label, and its value in the column after it; on lines of its own where it does not fit beside it. Returns
    /// the column at which the value began.
    fn labelled(&mut self, indent: usize, column: usize, label: &str, value: &str, style: Style) -> usize {
        let (label, value) = (&*ascii(label), &*ascii(value));
        let begins = indent + column.max(label.len()) + 1;
        if begins + value.len() <= self.width {
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.out.push_str(label);
            self.out.extend(std::iter::repeat_n(' ', begins - indent - label.len()));
            self.styled(style, value);
            self.out.push('\n');
            return begins;
        }
        self.lines(indent, indent + 4, PLAIN, label);
        self.lines(indent + 4, indent + 4, style, value);
        indent + 4
    }
}

impl Page for TextPage {
    fn section(&mut self, title: &str) {
        self.blank();
        self.line(0, TITLE, &title.to_ascii_uppercase());
    }

    fn say(&mut self, sentence: &str) {
        self.lines(2, 2, PLAIN, sentence);
    }

    fn point(&mut self, mark: Mark, line: &str) {
        self.lines(2, 6, style_of(mark), &format!("{} {line}", mark.sign()));
    }

    fn entry(&mut self, mark: Mark, level: Level, title: &str) {
        // Only a target has a sign: what is counted in the totals.
        match level {
            Level::Target => self.lines(2, 6, style_of(mark).bold(), &format!("{} {title}", mark.sign())),
            Level::All | Level::Group => self.lines(2, 6, TITLE, title),
        }
    }

    fn fact(&mut self, fact: &Fact) {
        let label = format!("{} {}", fact.mark.sign(), fact.label);
        let style = style_of(fact.mark);
        let beside = fact.was.as_ref().map(|was| format!("{} (was {was})", fact.value));
        match (&fact.was, beside) {
            (Some(_), Some(beside)) if 4 + LABEL_COLUMN + 1 + beside.len() <= self.width => {
                self.labelled(4, LABEL_COLUMN, &label, &beside, style);
            }
            (Some(was), _) => {
                let begins = self.labelled(4, LABEL_COLUMN, &label, &fact.value, style);
                let was = format!("was {was}");
                let column = if begins + was.len() <= self.width { begins } else { 8 };
                self.lines(column, column, QUIET, &was);
            }
            (None, _) => {
                self.labelled(4, LABEL_COLUMN, &label, &fact.value, style);
            }
        }
    }

    fn finding(&mut self, finding: &Finding, goes_on: bool) {
        let style = match finding.severity {
            Severity::Block => BAD,
            Severity::Warn => WARN,
            Severity::Note | Severity::Disabled => PLAIN,
        };
        if !goes_on {
            self.line(2, style, &format!("[{}] {}", finding.severity.name(), finding.check));
        }
        self.lines(6, 6, PLAIN, &finding.message);
        if !finding.path.is_empty() {
            self.lines(6, 8, QUIET, &format!("at {}", finding.path));
        }
    }
}

fn style_of(mark: Mark) -> Style {
    match mark {
        Mark::Added => ADDED,
        Mark::Removed => REMOVED,
        Mark::Changed => CHANGED,
        Mark::Plain => PLAIN,
    }
}

/// The text as it is when it is printable ASCII, which it should be: whoever hands it over has escaped it. Should a
/// check forget that, the terminal is safe still.
fn ascii(text: &str) -> Cow<'_, str> {
    let odd = |c: char| !matches!(c, ' '..='~');
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if odd(c) { out.push_str(&shown(c.encode_utf8(&mut [0; 4]))) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Does a line of escaped text begin quotes that it does not end, or end those that it does not begin?
fn ends_quotes(line: &str) -> bool {
    let (mut odd, mut escaped) = (false, false);
    for byte in line.bytes() {
        match byte {
            b'"' if !escaped => odd = !odd,
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    odd
}

/// Cuts a line's worth of printable ASCII: at a space in its second half, else before an `@`, else at any space, else
/// where the room ends. Returns the line, what marks its end, and the rest. Only the space at which it was cut is left
/// out; a backslash says that there was none.
fn cut(text: &str, room: usize) -> (&str, &'static str, &str) {
    if text.len() <= room {
        return (text, "", "");
    }
    let space = text.get(..=room).unwrap_or(text).rfind(' ').filter(|at| *at > 0);
    let before_at = text.get(..room).unwrap_or(text).rfind('@').filter(|at| *at > 0);
    match (space, before_at) {
        (Some(space), at) if space > room / 2 || at.is_none() => (&text[..space], "", &text[space + 1..]),
        (_, Some(at)) => (&text[..at], "\\", &text[at..]),
        _ => {
            // Not inside an escape: its backslash would be taken for the mark, and a quotation mark after it for an end.
            let before = &text[..room - 1];
            let slashes = before.bytes().rev().take_while(|byte| *byte == b'\\').count();
            let at = (room - 1 - slashes % 2).max(1);
            (&text[..at], "\\", &text[at..])
        }
    }
}
