//! The one layer that writes HTML: reviews, the auditor's reports, cover pages, paper sheets, slips. No page has a script
//! or loads anything, so that it can be read on a screen and on paper for years.
//!
//! The templates are maud's: what they show is escaped, and every element ends. A content security policy forbids
//! everything but the one style sheet, by its hash. Foreign text comes here escaped; should somebody forget it, whatever
//! is not printable ASCII is still written as [`Foreign`] writes it.

use crate::text::Foreign;
use base64::Engine as _;
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("page.css");
/// The most characters of a text in a printed page's margin.
const MARGIN: usize = 90;

/// What stands around every printed page: where (`top-left`, `bottom-left`...), and what. Its number always does.
pub(crate) type Margins<'a> = &'a [(&'a str, String)];

/// A whole page.
pub(crate) fn page(title: &str, margins: Margins<'_>, body: Markup) -> String {
    let mut page = opening(title, margins);
    page.push_str(&part(body));
    page + CLOSING
}

/// The begin of a page that is written in parts.
pub(crate) fn opening(title: &str, margins: Margins<'_>) -> String {
    let style = format!("{STYLE}{}", printed(margins));
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.as_bytes()));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    let head = html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            title { (title) }
            style { (PreEscaped(style)) }
        }
    };
    format!("{}\n<html lang=\"en\">\n{}\n<body>\n<main>\n", DOCTYPE.0, part(head))
}

/// A part of a page, as it is written.
pub(crate) fn part(markup: Markup) -> String {
    let text = markup.into_string();
    let plain = |c: char| matches!(c, ' '..='~' | '\n');
    if text.chars().all(plain) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if plain(c) => out.push(c),
            odd => out += &Foreign(odd.encode_utf8(&mut [0; 4])).to_string(),
        }
    }
    out
}

/// The end of a page that is written in parts.
pub(crate) const CLOSING: &str = "</main>\n</body>\n</html>\n";

fn printed(margins: Margins<'_>) -> String {
    let mut out = "@media print{@page{".to_owned();
    for (place, text) in margins {
        let more = if text.chars().count() > MARGIN { " and so on" } else { "" };
        let shown = css_string(&text.chars().take(MARGIN).collect::<String>());
        out += &format!("@{place}{{content:\"{shown}{more}\";font:8pt sans-serif}}");
    }
    out + "@bottom-right{content:\"page \" counter(page) \" of \" counter(pages);font:8pt sans-serif}}}\n"
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

/// A table of members and their values, of rows that are written already.
pub(crate) fn facts(rows: impl Render) -> Markup {
    html! {
        table.facts {
            colgroup { col.label; col; }
            thead.unseen { tr { th scope="col" { "Member" } th scope="col" { "Value" } } }
            tbody { (rows) }
        }
    }
}

/// A row of such a table.
pub(crate) fn fact(name: &str, value: impl Render) -> Markup {
    html! { tr { th scope="row" { (name) } td { (value) } } "\n" }
}

/// The columns of a table: the heading, and the class of the cells.
pub(crate) type Columns<const N: usize> = [(&'static str, &'static str); N];

/// A table with a heading over each column, of rows that are written already.
pub(crate) fn table<const N: usize>(columns: &Columns<N>, rows: impl Render) -> Markup {
    html! {
        table.columns {
            thead { tr { @for (heading, _) in columns { th scope="col" { (heading) } } } }
            "\n"
            tbody { (rows) }
        }
        "\n"
    }
}

/// A row of such a table. Each cell carries its column's heading, for screens on which it is a line of its own.
pub(crate) fn row<const N: usize>(columns: &Columns<N>, cells: [&dyn Render; N]) -> Markup {
    html! {
        tr {
            @for ((heading, class), cell) in columns.iter().zip(cells) {
                td class=[(!class.is_empty()).then_some(class)] data-column=(heading) { (cell) }
            }
        }
        "\n"
    }
}

/// Room to write by hand: so many empty rows under these headings.
pub(crate) fn blank(headings: &[&str], rows: usize) -> Markup {
    html! {
        table.blank {
            thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
            tbody { @for _ in 0..rows { tr { @for _ in headings { td {} } } } }
        }
        "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_never_leaves_the_margin_of_the_printed_page() {
        assert_eq!(css_string("a\"}b\\c</style>\u{e9}"), "a\\22 }b\\5c c\\3c /style>\\e9 ");
        let long = printed(&[("top-left", "x".repeat(200))]);
        assert!(long.contains(&format!("{:?}", "x".repeat(MARGIN) + " and so on")), "{long}");
    }

    #[test]
    fn the_policy_of_a_page_allows_its_very_style() {
        let page = page("a title", &[("top-left", "a name".to_owned())], html! { p { "text" } });
        let style = page.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next());
        let hash = Sha256::digest(style.expect("a style").as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(hash);
        assert!(page.contains(&format!("style-src 'sha256-{hash}'")), "{page}");
    }

    proptest! {
        #[test]
        fn text_that_nobody_escaped_is_text_still(text in any::<String>(), tag in "[<>&\"'\u{202e}\u{1b}a-c]{0,9}") {
            let columns = [("Name", "")];
            let page = page(&text, &[("top-left", tag.clone())], table(&columns, row(&columns, [&format!("{text}{tag}")])));
            prop_assert!(page.bytes().all(|b| b == b'\n' || (0x20..0x7f).contains(&b)), "{page}");
            let empty = super::page("", &[("top-left", String::new())], table(&columns, row(&columns, [&""])));
            prop_assert_eq!(page.matches('<').count(), empty.matches('<').count(), "{}", page);
        }
    }
}
