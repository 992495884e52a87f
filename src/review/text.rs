//! The review on a terminal or in a text file: wrapped to a width, with colour or without, and never cut short.

use super::Review;
use super::finding::{Finding, Severity};
use super::layout::{self, Fact, Level, Mark, Page};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

/// Narrower than this, a page is written as if it were this wide.
const NARROWEST: usize = 40;
/// Labels longer than this do not widen the column.
const LABEL_COLUMN: usize = 20;

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
        self.lines(0, 0, TITLE, &layout::title(review));
        for (label, value) in layout::header(review) {
            self.labelled(0, 9, label, &value, PLAIN);
        }
        self.blank();
        self.lines(
            0,
            8,
            QUIET,
            "Legend: + added  - removed  ~ changed, with what it was  no sign: as before, or nothing to compare with",
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
        let bytes = format!("{} bytes would be signed. Their SHA-256:", review.header.bytes);
        self.lines(0, 0, PLAIN, &bytes);
        self.lines(2, 2, TITLE, &review.header.digest.to_string());
        self.lines(0, 0, PLAIN, "In words, to confirm exactly these bytes:");
        self.lines(2, 2, TITLE, &review.header.confirm);
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }

    /// Writes text that begins at the column `indent`; further lines begin at `hanging`.
    fn lines(&mut self, indent: usize, hanging: usize, style: Style, text: &str) {
        let mut rest = text;
        let mut margin = indent;
        loop {
            let room = self.width.saturating_sub(margin).max(8);
            let (line, more) = cut(rest, room);
            self.line(margin, style, line);
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

    /// A label, and its value in the column after it; on lines of its own where it does not fit beside it.
    fn labelled(&mut self, indent: usize, column: usize, label: &str, value: &str, style: Style) {
        let begins = indent + column.max(label.len()) + 1;
        if begins + value.len() <= self.width {
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.out.push_str(label);
            self.out.extend(std::iter::repeat_n(' ', begins - indent - label.len()));
            self.styled(style, value);
            self.out.push('\n');
            return;
        }
        self.lines(indent, indent + 2, PLAIN, label);
        self.lines(indent + 2, indent + 2, style, value);
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
        let style = if level == Level::Target { style_of(mark).bold() } else { TITLE };
        self.lines(2, 6, style, &format!("{} {title}", mark.sign()));
    }

    fn fact(&mut self, fact: &Fact) {
        let label = format!("{} {}", fact.mark.sign(), fact.label);
        let style = style_of(fact.mark);
        match &fact.was {
            Some(was) if 6 + LABEL_COLUMN + fact.value.len() + was.len() + 9 < self.width => {
                self.labelled(4, LABEL_COLUMN, &label, &format!("{} (was {was})", fact.value), style);
            }
            Some(was) => {
                self.labelled(4, LABEL_COLUMN, &label, &fact.value, style);
                self.lines(8, 8, QUIET, &format!("was {was}"));
            }
            None => self.labelled(4, LABEL_COLUMN, &label, &fact.value, style),
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let style = match finding.severity {
            Severity::Block => BAD,
            Severity::Warn => WARN,
            Severity::Note | Severity::Disabled => PLAIN,
        };
        self.out.push_str("  ");
        self.styled(style, &format!("[{}] {}", finding.severity.name(), finding.check));
        self.out.push('\n');
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

/// Cuts a line's worth of printable ASCII: after a space or comma, else before an `@`, else where the room ends.
fn cut(text: &str, room: usize) -> (&str, &str) {
    if text.len() <= room {
        return (text, "");
    }
    let window = text.get(..room).unwrap_or(text);
    let space = text.get(..=room).unwrap_or(text).rfind(' ').filter(|at| *at > 0);
    if let Some(at) = space {
        return (&text[..at], &text[at + 1..]);
    }
    let at = window.rfind('@').filter(|at| *at > 0).unwrap_or(window.len());
    (&text[..at], &text[at..])
}
