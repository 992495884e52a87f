//! Text that is made to deceive.

use super::*;
use serde_json::{Value as Json, json};

fn with_notes(text: &str) -> Fixture {
    let mut fixture = Fixture::step("acme", "2");
    fixture
        .edit_proposal(|signed| signed["targets"]["intel-corei7-64-lmp-42"]["custom"]["notes"] = text.into());
    fixture
}

#[test]
fn text_that_hides_reverses_or_commands_is_blocked() {
    silent(&with_notes("two\nlines, a tab\t, \"quotes\" and \\"), "hostile-text");
    silent(&with_notes("caf\u{e9}, \u{4e2d}\u{6587}, \u{1f680}, 10\u{a0}000"), "hostile-text");
    for (text, words) in [
        ("\u{1b}[2J", "the beginning of a terminal command (U+001B)"),
        ("\u{9b}2J", "the beginning of a terminal command (U+009B)"),
        ("\u{7}", "a control character (U+0007)"),
        ("\u{7f}", "a control character (U+007F)"),
        ("a\u{202e}b", "reverses the reading direction (U+202E)"),
        ("a\u{2066}b", "reverses the reading direction (U+2066)"),
        ("a\u{200b}b", "an invisible character (U+200B)"),
        ("a\u{feff}b", "an invisible character (U+FEFF)"),
        ("a\u{e0041}b", "an invisible character (U+E0041)"),
        ("a\u{e000}b", "without a meaning of its own (U+E000)"),
    ] {
        let finding = says(&with_notes(text), "hostile-text", Severity::Block, words);
        assert_eq!(finding.path, "targets.json: signed.targets.intel-corei7-64-lmp-42.custom.notes");
    }
}

fn with_app(name: &str) -> Fixture {
    let mut fixture = Fixture::step("acme", "2");
    fixture.edit_proposal(|signed| {
        signed["targets"]["intel-corei7-64-lmp-42"]["custom"]["docker_compose_apps"][name] = json!({});
    });
    fixture
}

#[test]
fn names_of_mixed_scripts_and_names_that_look_like_others_are_blocked() {
    silent(&with_app("gateway"), "hostile-text");
    // Words of one script each.
    silent(&with_app("na\u{ef}ve-app"), "hostile-text");
    silent(&with_app("\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}-app"), "hostile-text");
    for (name, words) in [
        ("g\u{430}teway", "letters of several scripts"),
        ("app\u{2024}1", "a character that does not belong in a name (U+2024)"),
        ("two\nlines", "a control character (U+000A)"),
    ] {
        says(&with_app(name), "hostile-text", Severity::Block, words);
    }
    // All Cyrillic, and looks like the Latin app's name in production.
    let look_alike = "\u{455}\u{441}\u{43e}\u{440}\u{435}";
    let mut fixture = with_app(look_alike);
    silent(&fixture, "hostile-text");
    fixture.edit_baseline(|signed| {
        signed["targets"]["intel-corei7-64-lmp-12"]["custom"]["docker_compose_apps"]["scope"] = json!({});
    });
    let words = "The app \"\\u{455}\\u{441}\\u{43e}\\u{440}\\u{435}\" looks like \"scope\"";
    says(&fixture, "hostile-text", Severity::Block, words);
}

#[test]
fn plain_names_that_look_alike_are_told() {
    says(&with_app("te1emetry"), "hostile-text", Severity::Warn, "\"te1emetry\" looks like \"telemetry\"");
    let mut fixture = Fixture::step("acme", "2");
    fixture.edit_proposal(|signed| {
        let target = signed["targets"]["intel-corei7-64-lmp-42"].clone();
        signed["targets"]["intel-corei7-64-1mp-12"] = target;
    });
    says(&fixture, "hostile-text", Severity::Warn, "looks like \"intel-corei7-64-lmp-12\"");
}

#[test]
fn hostile_text_in_the_manifest_is_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    fixture.manifest.wave = "v2\u{202e}0".into();
    let finding = says(&fixture, "hostile-text", Severity::Block, "reverses the reading direction");
    assert_eq!(finding.path, "request.json: wave");
}

#[test]
fn the_shape_of_plain_letters_is_the_one_of_the_unicode_tables() {
    for c in ' '..='~' {
        let text = c.to_string();
        let theirs: String = unicode_security::skeleton(&text).collect();
        let mut ours = String::new();
        super::super::text::push_look(&text, &mut ours);
        assert_eq!(ours, theirs, "{c:?}");
    }
}

#[test]
fn no_text_of_a_request_reaches_a_finding_raw() {
    let nasty = "\u{1b}]0;x\u{7}\u{202e}<script>\u{0}\u{9b}";
    let mut fixture = Fixture::step("acme", "2");
    fixture.manifest.wave = nasty.into();
    fixture.manifest.factory = nasty.into();
    fixture.manifest.tag = nasty.into();
    fixture.edit_proposal(|signed| {
        signed[nasty] = json!(nasty);
        signed["expires"] = nasty.into();
        let custom = &mut signed["targets"]["intel-corei7-64-lmp-42"]["custom"];
        *custom = json!({"name": nasty, "version": nasty, "hardwareIds": [nasty], "tags": [nasty],
            "docker_compose_apps": {nasty: {"uri": nasty}}, "lmp-ver": nasty, nasty: nasty});
        let target: Json = signed["targets"]["intel-corei7-64-lmp-42"].clone();
        signed["targets"][nasty] = target;
    });
    let findings = fixture.with(run);
    assert!(findings.len() > 20, "{}", findings.len());
    for finding in findings {
        for text in [&finding.message, &finding.path] {
            assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b)), "{finding:?}");
        }
    }
}

#[test]
fn names_that_nobody_can_read_and_targets_that_are_no_files_are_blocked() {
    silent(&Fixture::step("acme", "2"), "names");
    let long = "n".repeat(257);
    let with = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut fixture = Fixture::step("acme", "2");
        fixture.edit_proposal(|signed| edit(&mut signed["targets"]));
        fixture
    };
    let target = "intel-corei7-64-lmp-42";
    let unusable = |name: &str| with(&|targets| targets[name] = targets[target].clone());
    says(
        &unusable(&"n".repeat(256)),
        "names",
        Severity::Block,
        "it has 256 bytes, and devices take at most 255",
    );
    says(&unusable(""), "names", Severity::Block, "it is empty");
    for (member, value) in [
        ("hardwareIds", serde_json::json!([long])),
        ("tags", serde_json::json!([long])),
        ("name", serde_json::json!(long)),
        ("version", serde_json::json!(long)),
        ("docker_compose_apps", serde_json::json!({ &long: {"uri": "x"} })),
        ("x", serde_json::json!([{ &long: 0 }])),
    ] {
        let fixture = with(&|targets| targets[target]["custom"][member] = value.clone());
        says(&fixture, "names", Severity::Block, "is longer than 256 bytes");
    }
    silent(&with(&|targets| targets[target]["custom"]["x"] = long.as_str().into()), "names");
}
