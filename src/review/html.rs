//! The review as one HTML file. Everything shown is printable ASCII already ([`super::layout`]).

use super::Review;
use super::finding::Finding;
use super::layout::{self, Fact, Level, Mark, Page};
use super::size::FILE_WIDTH;
use crate::page;
use crate::words;
use maud::{Markup, PreEscaped, html};

impl Review<'_> {
    /// The review as one self-contained HTML file; over its verdict a line with what the station knows of the request
    /// besides the review.
    pub fn html(&self, note: Option<&str>) -> String {
        let mut body =
            HtmlPage { out: top(self, note), sections: 0, open: Open::Nothing, inner: String::new() };
        layout::lay_out(self, &mut body);
        body.close();
        // The elements around each fact make a page of many small ones several times as long as its text, which fits.
        if body.out.len() as u64 > self.page_limit {
            let text = self.text(FILE_WIDTH, false);
            body.out = html! { @if let Some(note) = note { p { (note) } } pre { (text) } }.into_string();
        }
        body.out.push_str(&bottom(self).into_string());
        let title = layout::title(self);
        let margins = [
            ("top-left", title.clone()),
            ("top-right", format!("request {}", self.header.request.short())),
            ("bottom-left", "initials ________ ________ ________".to_owned()),
        ];
        page::page(&title, &margins, PreEscaped(body.out))
    }
}

fn top(review: &Review<'_>, note: Option<&str>) -> String {
    let header = &review.header;
    let page = html! {
        header {
            @if let Some(note) = note { p.verdict.no { (note) } }
            h1 { (layout::title(review)) }
            p.verdict.(if review.signable() { "yes" } else { "no" }) { (layout::verdict(review)) }
            div.confirm {
                p {
                    (header.bytes) " bytes would be signed. Their SHA-256, to be compared between machines: " br;
                    code { (header.digest.to_string()) } " " br; (words::of(&header.digest.0))
                }
                (confirmation(review))
            }
            (page::facts(html! {
                @for (label, value) in layout::header(review) {
                    @if label == "Station" { (page::fact(label, html! { span.alarm { (value) } })) }
                    @else { (page::fact(label, value)) }
                }
            }))
            p { (layout::totals(review)) }
            nav aria-label="Sections" {
                ul {
                    @for (index, section) in layout::sections(review).enumerate() {
                        li { a href={ "#s" (index + 1) } { (section.title()) } }
                    }
                }
            }
            p.place {
                span.sign { "+" } "added, " span.sign { "-" } "removed, " span.sign { "~" }
                "changed, with what it was; no sign: as before, or nothing to compare with."
            }
        }
    };
    page.into_string()
}

/// The words to type, at the top and where the reading ends; none of a review that nobody can sign.
fn confirmation(review: &Review<'_>) -> Markup {
    html! {
        @if review.is_confirmable() {
            p {
                "The words that confirm these bytes and this review, on this station: " br;
                span.words { (review.confirm()) }
            }
        }
    }
}

fn bottom(review: &Review<'_>) -> Markup {
    html! {
        footer {
            p { (layout::totals(review)) }
            (confirmation(review))
            p { "Digest of this review: " code { (review.digest().to_string()) } }
            p { "Digest of what would be signed: " code { (review.header.digest.to_string()) } }
            p { (review.header.tool) }
        }
    }
}

/// The element that waits for its end: what it has inside is written already.
enum Open {
    Nothing,
    Points,
    Findings,
    Entry(Mark, Level, String),
}

struct HtmlPage {
    out: String,
    sections: usize,
    open: Open,
    inner: String,
}

impl HtmlPage {
    fn close(&mut self) {
        let inner = PreEscaped(&self.inner);
        let element = match &self.open {
            Open::Nothing => return,
            Open::Points => html! { ul.points { (inner) } "\n" },
            Open::Findings => html! { ul.findings { (inner) } "\n" },
            Open::Entry(mark, level, title) => html! {
                details.entry.(class_of(*mark)) open {
                    summary {
                        @if *level == Level::Target { (sign(*mark)) h4 { (title) } } @else { h3 { (title) } }
                    }
                    @if !self.inner.is_empty() { (page::facts(inner)) }
                }
                "\n"
            },
        };
        self.out.push_str(&element.into_string());
        self.inner.clear();
        self.open = Open::Nothing;
    }

    fn push(&mut self, markup: &Markup) {
        self.inner.push_str(&markup.0);
    }
}

impl Page for HtmlPage {
    fn section(&mut self, title: &str) {
        self.close();
        self.sections += 1;
        self.out.push_str(&html! { h2 #{ "s" (self.sections) } { (title) } "\n" }.into_string());
    }

    fn say(&mut self, sentence: &str) {
        self.close();
        self.out.push_str(&html! { p { (with_digests(sentence)) } "\n" }.into_string());
    }

    fn point(&mut self, mark: Mark, line: &str) {
        if !matches!(self.open, Open::Points) {
            self.close();
            self.open = Open::Points;
        }
        self.push(&html! { li.(class_of(mark)) { (sign(mark)) (with_digests(line)) } "\n" });
    }

    fn entry(&mut self, mark: Mark, level: Level, title: &str) {
        self.close();
        self.open = Open::Entry(mark, level, title.to_owned());
    }

    fn fact(&mut self, fact: &Fact) {
        self.push(&html! {
            tr.(class_of(fact.mark)) {
                th scope="row" { (sign(fact.mark)) (fact.label) }
                td {
                    (breakable(&fact.value))
                    @if let Some(was) = &fact.was { " " span.was { "was " (breakable(was)) } }
                }
            }
            "\n"
        });
    }

    fn finding(&mut self, finding: &Finding, goes_on: bool) {
        if !matches!(self.open, Open::Findings) {
            self.close();
            self.open = Open::Findings;
        }
        let severity = finding.severity.name();
        self.push(&html! {
            li.(severity) {
                @if !goes_on { span.severity { (severity) } " " code { (finding.check) } br; }
                (with_digests(&finding.message))
                @if !finding.path.is_empty() { br; span.place { code { (finding.path) } } }
            }
            "\n"
        });
    }
}

/// The sign of a mark, with the word for it for those who hear the page.
fn sign(mark: Mark) -> Markup {
    html! {
        @if mark != Mark::Plain {
            span.sign aria-hidden="true" { (mark.sign()) }
            span.unseen { (class_of(mark)) ": " }
        }
    }
}

/// A sentence with the digests in it set as code.
fn with_digests(sentence: &str) -> Markup {
    html! {
        @for (index, word) in sentence.split(' ').enumerate() {
            @if index > 0 { " " }
            @match word.split_at_checked(64) {
                Some((digits, rest)) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => { code { (digits) } (rest) }
                _ => (word),
            }
        }
    }
}

/// A value; a line is best broken before an `@`, so that a digest stays whole.
fn breakable(value: &str) -> Markup {
    html! {
        @for (index, part) in value.split('@').enumerate() { @if index > 0 { wbr; "@" } (part) }
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
    use crate::review::review;
    use crate::review::testing::Fixture;

    #[test]
    fn every_printed_page_says_what_it_is_of_and_which_it_is_and_has_room_for_initials() {
        let page = Fixture::step("acme", "2").with(|situation| review(situation).html(None));
        for wanted in
            ["@page", "\"page \" counter(page) \" of \" counter(pages)", "initials ____", "request "]
        {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
    }
}
