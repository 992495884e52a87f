//! The review as one HTML file: no scripts, nothing from outside, readable on a screen and on paper for years.
//!
//! Everything shown is printable ASCII already ([`super::layout`]); here the five characters that mean something to
//! HTML are escaped, and a content security policy forbids everything but the one style sheet, by its hash.

use super::Review;
use super::finding::Finding;
use super::layout::{self, Fact, Level, Mark, Page};
use crate::text::Foreign;
use crate::words;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use std::fmt::{self, Write as _};

const STYLE: &str = include_str!("html.css");

/// The begin of every table: its columns have headers for those who hear the page.
const TABLE: &str = "<table>\n<colgroup><col class=\"label\"><col></colgroup>\n<thead class=\"unseen\"><tr>\
                     <th scope=\"col\">Member</th><th scope=\"col\">Value</th></tr></thead>\n";

impl Review<'_> {
    /// The review as one self-contained HTML file.
    pub fn html(&self) -> String {
        let mut page = HtmlPage { out: String::new(), sections: 0, open: Open::Nothing };
        page.top(self);
        layout::lay_out(self, &mut page);
        page.bottom(self);
        page.out
    }
}

/// The page with a line above its verdict: what the station knows of the request besides the review.
pub(crate) fn with_note(page: &str, line: &str) -> String {
    let note = format!("<header>\n<p class=\"verdict no\">{}</p>\n", Escaped(line));
    page.replacen("<header>\n", &note, 1)
}

/// Text with `&`, `<`, `>`, `"` and `'` escaped, and with it whatever is not printable ASCII: all text that comes here
/// was escaped before, and should a check forget it, the page is safe still.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '&' | '<' | '>' | '"' | '\'');
        while let Some(at) = rest.find(|c| !plain(c)) {
            out.write_str(&rest[..at])?;
            let Some(odd) = rest[at..].chars().next() else { break };
            match odd {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                other => write!(out, "{}", Foreign(other.encode_utf8(&mut [0; 4])))?,
            }
            rest = &rest[at + odd.len_utf8()..];
        }
        out.write_str(rest)
    }
}

/// A sentence, escaped, with the digests in it set as code.
struct Sentence<'a>(&'a str);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.split(' ').enumerate() {
            out.write_str(if index == 0 { "" } else { " " })?;
            match word.split_at_checked(64) {
                Some((digits, rest)) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    write!(out, "<code>{digits}</code>{}", Escaped(rest))?;
                }
                _ => write!(out, "{}", Escaped(word))?,
            }
        }
        Ok(())
    }
}

/// A value, escaped; a line is best broken before an `@`, so that a digest stays whole.
struct Breakable<'a>(&'a str);

impl fmt::Display for Breakable<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.split('@').enumerate() {
            write!(out, "{}{}", if index == 0 { "" } else { "<wbr>@" }, Escaped(part))?;
        }
        Ok(())
    }
}

/// What stands around every printed page: what the review is of, the page's number, and room for initials.
fn printed(review: &Review<'_>) -> String {
    const LONGEST: usize = 90;
    let title = layout::title(review);
    let shown = css_string(&title.chars().take(LONGEST).collect::<String>());
    let more = if title.chars().count() > LONGEST { " and so on" } else { "" };
    format!(
        "@media print{{@page{{@top-left{{content:\"{shown}{more}\";font:8pt sans-serif}}@top-right{{content:\"request {}\";\
         font:8pt sans-serif}}@bottom-left{{content:\"initials ________ ________ ________\";font:8pt sans-serif}}\
         @bottom-right{{content:\"page \" counter(page) \" of \" counter(pages);font:8pt sans-serif}}}}}}\n",
        review.header.request.short()
    )
}

/// Text within a CSS string within a style element: an escape ends with a space.
fn css_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' if !matches!(c, '"' | '\\' | '<') => out.push(c),
            odd => out += &format!("\\{:x} ", u32::from(odd)),
        }
    }
    out
}

/// The innermost element that waits for its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Section,
    Points,
    Findings,
    Entry,
    Table,
}

struct HtmlPage {
    out: String,
    sections: usize,
    open: Open,
}

impl HtmlPage {
    fn top(&mut self, review: &Review<'_>) {
        let style = format!("{STYLE}{}", printed(review));
        let style_hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.as_bytes()));
        let title = layout::title(review);
        let (verdict_class, header) = (if review.signable() { "yes" } else { "no" }, &review.header);
        self.write(format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
             'sha256-{style_hash}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n\
             <p class=\"verdict {verdict_class}\">{verdict}</p>\n\
             <div class=\"confirm\"><p>{bytes} bytes would be signed. Their SHA-256, to be compared between machines: \
             <br><code>{digest}</code> <br>{digest_words}</p>\n",
            title = Escaped(&title),
            verdict = Escaped(&layout::verdict(review)),
            bytes = header.bytes,
            digest = header.digest,
            digest_words = Escaped(&words::of(&header.digest.0)),
        ));
        self.words(review);
        self.out.push_str("</div>\n");
        self.out.push_str(TABLE);
        for (label, value) in layout::header(review) {
            let class = if label == "Station" { " class=\"station\"" } else { "" };
            self.write(format_args!(
                "<tr><th scope=\"row\">{}</th><td{class}>{}</td></tr>\n",
                Escaped(label),
                Escaped(&value)
            ));
        }
        self.write(format_args!("</table>\n<p>{}</p>\n", Escaped(&layout::totals(review))));
        self.write(format_args!("<nav aria-label=\"Sections\">\n<ul>\n"));
        for (index, section) in layout::sections(review).enumerate() {
            self.write(format_args!(
                "<li><a href=\"#s{}\">{}</a></li>\n",
                index + 1,
                Escaped(section.title())
            ));
        }
        self.write(format_args!(
            "</ul>\n</nav>\n<p class=\"place\"><span class=\"sign\">+</span>added, \
             <span class=\"sign\">-</span>removed, <span class=\"sign\">~</span>changed, with what it was; no sign: \
             as before, or nothing to compare with.</p>\n</header>\n<main>\n"
        ));
    }

    /// The words to type, at the top and where the reading ends; none of a review that nobody can sign.
    fn words(&mut self, review: &Review<'_>) {
        if review.is_confirmable() {
            self.write(format_args!(
                "<p>The words that confirm these bytes and this review, on this station: <br><span \
                 class=\"words\">{}</span></p>",
                Escaped(&review.confirm())
            ));
        }
    }

    fn bottom(&mut self, review: &Review<'_>) {
        self.leave(Open::Nothing);
        self.write(format_args!("</main>\n<footer>\n<p>{}</p>\n", Escaped(&layout::totals(review))));
        self.words(review);
        self.write(format_args!(
            "<p>Digest of this review: <code>{}</code></p>\n<p>Digest of what would be signed: <code>{}</code></p>\n\
             <p>{}</p>\n</footer>\n</body>\n</html>\n",
            review.digest(),
            review.header.digest,
            Escaped(review.header.tool),
        ));
    }

    fn write(&mut self, arguments: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.out.write_fmt(arguments);
    }

    /// Ends elements until `to` is the innermost.
    fn leave(&mut self, to: Open) {
        while self.open != to {
            let (end, outer) = match self.open {
                Open::Nothing => return,
                Open::Section => ("</section>\n", Open::Nothing),
                Open::Points | Open::Findings => ("</ul>\n", Open::Section),
                Open::Entry => ("</details>\n", Open::Section),
                Open::Table => ("</table>\n", Open::Entry),
            };
            self.out.push_str(end);
            self.open = outer;
        }
    }

    /// The sign of a mark, with the word for it for those who hear the page.
    fn sign(&mut self, mark: Mark) {
        if mark != Mark::Plain {
            self.write(format_args!(
                "<span class=\"sign\" aria-hidden=\"true\">{}</span><span class=\"unseen\">{}: </span>",
                mark.sign(),
                class_of(mark)
            ));
        }
    }
}

impl Page for HtmlPage {
    fn section(&mut self, title: &str) {
        self.leave(Open::Nothing);
        self.sections += 1;
        let number = self.sections;
        self.write(format_args!(
            "<section aria-labelledby=\"s{number}\">\n<h2 id=\"s{number}\">{}</h2>\n",
            Escaped(title)
        ));
        self.open = Open::Section;
    }

    fn say(&mut self, sentence: &str) {
        self.leave(Open::Section);
        self.write(format_args!("<p>{}</p>\n", Sentence(sentence)));
    }

    fn point(&mut self, mark: Mark, line: &str) {
        if self.open != Open::Points {
            self.leave(Open::Section);
            self.out.push_str("<ul class=\"points\">\n");
            self.open = Open::Points;
        }
        self.write(format_args!("<li class=\"{}\">", class_of(mark)));
        self.sign(mark);
        self.write(format_args!("{}</li>\n", Sentence(line)));
    }

    fn entry(&mut self, mark: Mark, level: Level, title: &str) {
        self.leave(Open::Section);
        let heading = if level == Level::Target { "h4" } else { "h3" };
        self.write(format_args!("<details class=\"entry {}\" open>\n<summary>", class_of(mark)));
        if level == Level::Target {
            self.sign(mark);
        }
        self.write(format_args!("<{heading}>{}</{heading}></summary>\n", Escaped(title)));
        self.open = Open::Entry;
    }

    fn fact(&mut self, fact: &Fact) {
        if self.open != Open::Table {
            self.leave(Open::Entry);
            self.out.push_str(TABLE);
            self.open = Open::Table;
        }
        self.write(format_args!("<tr class=\"{}\"><th scope=\"row\">", class_of(fact.mark)));
        self.sign(fact.mark);
        self.write(format_args!("{}</th><td>{}", Escaped(&fact.label), Breakable(&fact.value)));
        if let Some(was) = &fact.was {
            self.write(format_args!(" <span class=\"was\">was {}</span>", Breakable(was)));
        }
        self.out.push_str("</td></tr>\n");
    }

    fn finding(&mut self, finding: &Finding, goes_on: bool) {
        if self.open != Open::Findings {
            self.leave(Open::Section);
            self.out.push_str("<ul class=\"findings\">\n");
            self.open = Open::Findings;
        }
        let severity = finding.severity.name();
        self.write(format_args!("<li class=\"{severity}\">"));
        if !goes_on {
            self.write(format_args!(
                "<span class=\"severity\">{severity}</span> <code>{}</code><br>",
                Escaped(finding.check)
            ));
        }
        self.write(format_args!("{}", Sentence(&finding.message)));
        if !finding.path.is_empty() {
            self.write(format_args!(
                "<br><span class=\"place\"><code>{}</code></span>",
                Escaped(&finding.path)
            ));
        }
        self.out.push_str("</li>\n");
    }
}

fn class_of(mark: Mark) -> &'static str {
    match mark {
        Mark::Added => "added",
        Mark::Removed => "removed",
        Mark::Changed => "changed",
        Mark::Plain => "plain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::review;
    use crate::review::testing::Fixture;

    #[test]
    fn a_name_never_leaves_the_margin_of_the_printed_page() {
        assert_eq!(css_string("a\"}b\\c</style>\u{e9}"), "a\\22 }b\\5c c\\3c /style>\\e9 ");
    }

    #[test]
    fn every_printed_page_says_what_it_is_of_and_which_it_is_and_has_room_for_initials() {
        let page = Fixture::step("acme", "2").with(|situation| review(situation).html());
        for wanted in
            ["@page", "\"page \" counter(page) \" of \" counter(pages)", "initials ____", "request "]
        {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
        let style = page.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next());
        let hash = Sha256::digest(style.unwrap_or_default().as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(hash);
        assert!(page.contains(&format!("style-src 'sha256-{hash}'")), "the policy allows this very style");
    }
}
