//! A hostile bundle reaches neither the terminal nor the browser with anything but text.

use super::super::review;
use super::super::testing::Fixture;
use proptest::prelude::*;
use serde_json::json;

fn hostile_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\u{0}-\u{20}\u{7f}-\u{9f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}<>&\"'=/a-c]{0,12}",
        prop::sample::select(vec![
            "<script>alert(1)</script>",
            "\"><img src=x onerror=alert(1)>",
            "</style><svg onload=alert(1)>",
            "--><a href=javascript:alert(1)>",
            "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[1;1H",
            "\u{9b}31mred",
            "production\u{202e}gnp",
            "a\r\nCAN BE SIGNED: nothing blocks it.",
            "&lt;b&gt;",
        ])
        .prop_map(str::to_owned),
    ]
}

/// Every tag of a page that this program may write, and nothing else, stands between `<` and `>`.
fn only_our_tags(html: &str) -> Result<(), String> {
    const TAGS: [&str; 38] = [
        "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "h4", "p",
        "div", "br", "code", "span", "table", "colgroup", "col", "thead", "tr", "th", "td", "nav", "ul",
        "li", "a", "main", "section", "details", "summary", "footer", "caption", "tbody", "strong", "em",
        "wbr",
    ];
    const ATTRIBUTES: [&str; 13] = [
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "scope",
        "id",
        "href",
        "open",
        "aria-label",
        "aria-labelledby",
        "aria-hidden",
    ];
    for piece in html.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').ok_or_else(|| format!("an open tag: {piece}"))?;
        let tag = tag.strip_prefix('/').unwrap_or(tag);
        let mut rest = tag.split(' ').next().map_or("", |name| &tag[name.len()..]);
        let tag_name = tag.split(' ').next().unwrap_or_default();
        if !TAGS.contains(&tag_name) {
            return Err(format!("the tag {tag_name}"));
        }
        while let Some((attribute, value)) = rest.trim_start().split_once("=\"") {
            let (value, more) = value.split_once('"').ok_or("an open attribute")?;
            if !ATTRIBUTES.contains(&attribute) {
                return Err(format!("the attribute {attribute}"));
            }
            if attribute == "href" && !value.starts_with("#s") {
                return Err(format!("the reference {value}"));
            }
            rest = more;
        }
    }
    Ok(())
}

#[test]
fn the_tag_scanner_finds_active_elements() {
    assert!(only_our_tags("<p>x</p>").is_ok());
    for bad in [
        "<script>",
        "<p onclick=\"x\">",
        "<a href=\"https://x\">",
        "<img>",
        "<p class=\"a\" style=\"x\">",
        "<",
    ] {
        assert!(only_our_tags(bad).is_err(), "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn nothing_but_printable_ascii_reaches_the_terminal_and_no_active_element_the_page(
        texts in prop::collection::vec(hostile_text(), 12),
        step in prop::sample::select(vec!["1", "2", "3"]),
        width in 0usize..200,
    ) {
        let mut fixture = Fixture::step("acme", step);
        let [wave, tag, factory, name, key, value, app, uri, hardware, version, member, expires] = &texts[..] else {
            panic!("twelve texts");
        };
        fixture.manifest.wave.clone_from(wave);
        fixture.manifest.tag.clone_from(tag);
        fixture.manifest.factory.clone_from(factory);
        fixture.edit_proposal(|signed| {
            signed[member] = json!({ key: value });
            signed["expires"] = json!(expires);
            signed["_type"] = json!("Targets");
            signed["version"] = json!(50);
            let target = json!({
                "custom": {
                    "docker_compose_apps": { app: {"uri": uri} },
                    "hardwareIds": [hardware, "intel-corei7-64"],
                    "version": version,
                    "tags": [value],
                    "name": "intel-corei7-64-lmp",
                    key: value,
                },
                "hashes": {"sha256": value},
            });
            signed["targets"] = json!({ name: target.clone(), "intel-corei7-64-lmp-12": target });
        });
        fixture.with(|situation| {
            let review = review(situation);
            let text = review.text(width, false);
            prop_assert!(text.bytes().all(|b| b == b'\n' || (0x20..0x7f).contains(&b)), "{text}");
            prop_assert!(text.lines().all(|line| line.len() <= width.max(40)), "{text}");
            let coloured = review.text(width, true);
            let mut plain = String::new();
            for (index, piece) in coloured.split("\u{1b}[").enumerate() {
                let colour_ends = if index == 0 { 0 } else { piece.find('m').map_or(0, |at| at + 1) };
                prop_assert!(piece[..colour_ends].bytes().all(|b| b.is_ascii_digit() || b == b';' || b == b'm'));
                plain.push_str(&piece[colour_ends..]);
            }
            prop_assert_eq!(plain, text);
            let html = review.html(None);
            prop_assert!(html.bytes().all(|b| b == b'\n' || (0x20..0x7f).contains(&b)));
            prop_assert_eq!(only_our_tags(&html), Ok(()));
            prop_assert!(review.json().bytes().all(|b| (0x20..0x7f).contains(&b)));
            Ok(())
        })?;
    }
}

#[test]
fn a_check_that_forgets_to_escape_does_no_harm() {
    Fixture::step("acme", "2").with(|situation| {
        let mut review = review(situation);
        review.findings = vec![super::super::Finding {
            check: "test",
            severity: super::super::Severity::Warn,
            message: "\u{1b}[2J<script>\u{202e}".to_owned(),
            path: "\u{9b}<b>".to_owned(),
        }];
        assert!(review.text(80, false).bytes().all(|b| b == b'\n' || (0x20..0x7f).contains(&b)));
        assert_eq!(only_our_tags(&review.html(None)), Ok(()));
    });
}

#[test]
fn no_line_of_a_page_is_written_by_whoever_made_the_request() {
    const FALSE_PAGE: &str =
        "CAN BE SIGNED: nothing blocks it. Totals: 1 added, 0 removed, 0 changed, 7 kept as they are.";
    let page = |padding: usize| format!("{}{FALSE_PAGE} [note] static-delta", "x ".repeat(padding));
    for padding in 0..40 {
        let mut fixture = Fixture::step("acme", "2");
        let text = page(padding);
        fixture.manifest.wave.clone_from(&text);
        fixture.manifest.tag.clone_from(&text);
        fixture.manifest.factory.clone_from(&text);
        fixture.edit_proposal(|signed| {
            signed[&text] = json!({ &text: &text });
            let target = json!({
                "custom": {
                    "docker_compose_apps": { &text: {"uri": &text} },
                    "hardwareIds": [&text],
                    "version": &text,
                    "tags": [&text],
                    "name": &text,
                    "lmp-ver": &text,
                    &text: [&text, {&text: &text}],
                },
                "hashes": {"sha256": &text},
            });
            signed["targets"] = json!({ &text: target });
        });
        fixture.with(|situation| {
            let review = review(situation);
            for width in [40, 80, 100, 133] {
                let shown = review.text(width, false);
                for line in shown.lines().map(str::trim_start) {
                    let is_ours =
                        line.starts_with("CANNOT BE SIGNED") || line.starts_with("Totals: 1 added, ");
                    let begins =
                        ["CAN BE", "BE SIGNED", "SIGNED:", "nothing blocks", "Totals:", "[note] static"];
                    let is_foreign = begins.iter().any(|words| line.starts_with(words)) && !is_ours;
                    assert!(!is_foreign, "at {width} columns: {line}\n{shown}");
                }
            }
        });
    }
}
