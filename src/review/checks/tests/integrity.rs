//! The walk through fioctl's steps, and the checks without which nothing may be signed.

use super::*;
use crate::bundle::{WaveList, WaveStatus};
use crate::json::{Document, Limits};
use crate::review::model::BaselineState;
use crate::review::situation::{BaselineSource, Carried};
use crate::station::{SeenMark, SignedMark};

/// Signs what the fixture proposes: the mark that the station would keep.
pub(super) fn sign(fixture: &mut Fixture) {
    let (version, signed) = fixture.with(|s| (s.proposal.metadata.version, s.message.digest().to_string()));
    let keyid = fixture.own_keys.first().map(|keyid| keyid.as_str().to_owned()).unwrap_or_default();
    let wave = fixture.manifest.wave.clone();
    let seq = fixture.history.signed.len() as u64 + 7;
    fixture.history.signed.push(SignedMark { version, signed, keyid, wave, request: "0".repeat(64), seq });
}

#[test]
fn fioctls_steps_are_signable_one_after_another_on_one_station() {
    for factory in ["acme", "rsa"] {
        let mut history = crate::station::TagHistory::default();
        let mut acknowledged = 3;
        for step in ["1", "2", "3", "4", "5"] {
            let mut fixture = Fixture::step(factory, step);
            fixture.history = history.clone();
            fixture.acknowledged_root = acknowledged;
            assert_eq!(blocking(&fixture), [""; 0], "{factory} {step}");
            let warned: Vec<_> =
                fixture.with(run).into_iter().filter(|f| f.severity == Severity::Warn).collect();
            let mut checks: Vec<_> = warned.iter().map(|finding| finding.check).collect();
            checks.dedup();
            let expected: &[&str] = match step {
                "1" | "2" => &[],
                "3" | "4" => &["static-delta"],
                _ => &["root-rotated", "static-delta"],
            };
            assert_eq!(checks, expected, "{factory} {step}");
            sign(&mut fixture);
            if let Some((version, signed)) = fixture
                .with(|s| s.baseline.as_ref().map(|b| (b.targets.metadata.version, b.digest.to_string())))
            {
                fixture.history.baseline = Some(SeenMark { version, signed, request: "0".repeat(64) });
            }
            history = fixture.history.clone();
            acknowledged = fixture.chain.newest().version;
        }
        let mut second = Fixture::second_officer(factory);
        second.history = history;
        assert_eq!(blocking(&second), [""; 0], "{factory} second officer");
    }
}

#[test]
fn the_odd_factory_is_blocked_with_each_place_named() {
    let mut fixture = Fixture::step("odd", "2");
    let checks = blocking(&fixture);
    assert!(checks.contains(&"canonical-portable") && checks.contains(&"baseline-threshold"), "{checks:?}");
    // As `request` composes it: CI's own bytes, with the number that fioctl rounds.
    fixture.edit_proposal(|signed| {
        signed["targets"]["intel-corei7-64-lmp-42"]["custom"]["x-number"][3] =
            9_007_199_254_740_993_u64.into();
    });
    let found = of(&fixture, "canonical-portable");
    assert!(found.iter().all(|finding| finding.severity == Severity::Block));
    let of_one_target: Vec<_> =
        found.iter().filter(|finding| finding.path.contains("intel-corei7-64-lmp-42")).collect();
    let places: Vec<&str> = of_one_target.iter().map(|finding| finding.path.as_str()).collect();
    let at = |member: &str| format!("targets.json: signed.targets.intel-corei7-64-lmp-42.custom.{member}");
    assert_eq!(
        places,
        [
            at("docker_compose_apps[\"na\\u{ef}ve-app\"]"),
            at("docker_compose_apps[\"na\\u{ef}ve-app\"].uri"),
            at("release-notes"),
            at("x-number[3]"),
        ]
    );
    assert!(of_one_target[2].message.contains("U+0026, U+003C, U+003E"), "{}", of_one_target[2].message);
    assert!(
        of_one_target[3].message.contains("9007199254740993 is beyond 2^53"),
        "{}",
        of_one_target[3].message
    );
}

#[test]
fn each_construct_on_which_implementations_disagree_is_found_and_no_other() {
    let plain = r#"{"a":["x\n\r\t\"\\",0,-1,9007199254740992,true,null],"b":{"c":1,"d":2}}"#;
    let odd = [
        (r#"{"a":"\u00ef"}"#, "custom.a", "outside ASCII"),
        ("{\"a\":\"\u{e9}\"}", "custom.a", "outside ASCII (U+00E9)"),
        (r#"{"a":"\u0001"}"#, "custom.a", "control characters (U+0001)"),
        ("{\"a\":\"\u{7f}\"}", "custom.a", "control characters (U+007F)"),
        (r#"{"a":"x<y"}"#, "custom.a", "for HTML (U+003C)"),
        (r#"{"a&b":1}"#, "custom[\"a&b\"]", "The key has characters that fioctl escapes for HTML (U+0026)"),
        ("{\"a\":\"\u{2028}\"}", "custom.a", "for HTML (U+2028)"),
        (r#"{"a":1.5}"#, "custom.a", "1.5 is not written as an integer"),
        (r#"{"a":1e2}"#, "custom.a", "1e2 is not written as an integer"),
        (r#"{"a":-0}"#, "custom.a", "a minus before zero"),
        (r#"{"a":9007199254740993}"#, "custom.a", "beyond 2^53"),
        (r#"{"a":-9007199254740993}"#, "custom.a", "beyond 2^53"),
        (r#"{"a":18446744073709551616}"#, "custom.a", "beyond 64 bits"),
        (r#"{"b":1,"a":2}"#, "custom", "not in the order of their bytes"),
        (r#"{"x":{"b":1,"a":2}}"#, "custom.x", "not in the order of their bytes"),
        (r#"{"a":"\u0041"}"#, "custom.a", "escapes for characters that need none"),
        (r#"{"a":"\/"}"#, "custom.a", "escapes for characters that need none"),
        (r#"{"a":"\u000a"}"#, "custom.a", "escapes for characters that need none"),
    ];
    let mut fixture = Fixture::step("acme", "1");
    let mut propose = |custom: &str| {
        let signed = format!(
            "{{\"_type\":\"Targets\",\"expires\":\"2027-11-23T00:00:00Z\",\"targets\":{{\"t-12\":{{\"custom\":{custom},\
             \"hashes\":{{}},\"length\":0}}}},\"version\":12}}"
        );
        fixture.set_proposal(signed.as_bytes());
        of(&fixture, "canonical-portable")
    };
    assert_eq!(propose(plain), []);
    for (custom, place, words) in odd {
        let found = propose(custom);
        assert_eq!(found.len(), 1, "{custom}: {found:?}");
        assert_eq!(found[0].path, format!("targets.json: signed.targets.t-12.{place}"));
        assert_eq!(found[0].severity, Severity::Block);
        assert!(found[0].message.contains(words), "{custom}: {}", found[0].message);
    }
}

#[test]
fn a_target_that_ci_did_not_publish_or_that_differs_from_cis_is_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "added-from-ci");
    fixture.edit_proposal(|signed| {
        signed["targets"]["intel-corei7-64-lmp-42"]["custom"]["lmp-ver"] = "95".into();
    });
    let finding = says(&fixture, "added-from-ci", Severity::Block, "it differs in \"custom.lmp-ver\"");
    assert_eq!(finding.path, "targets.json: signed.targets.intel-corei7-64-lmp-42.custom.lmp-ver");

    let mut fixture = Fixture::step("acme", "2");
    fixture.edit_proposal(|signed| {
        let target = signed["targets"]["intel-corei7-64-lmp-42"].clone();
        signed["targets"]["intel-corei7-64-lmp-42-x"] = target;
    });
    says(
        &fixture,
        "added-from-ci",
        Severity::Block,
        "CI has not published a target \"intel-corei7-64-lmp-42-x\"",
    );

    let mut fixture = Fixture::step("acme", "2");
    fixture.edit_proposal(|signed| {
        signed["targets"]["intel-corei7-64-lmp-42"]["custom"]["tags"] =
            serde_json::json!(["production", "beta"]);
    });
    says(&fixture, "added-from-ci", Severity::Block, "are not [\"production\"]");
}

#[test]
fn a_target_of_production_that_changes_is_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "untouched");
    silent(&fixture, "hash-changed-same-name");
    fixture.edit_proposal(|signed| {
        signed["targets"]["intel-corei7-64-lmp-12"]["hashes"]["sha256"] = "0".repeat(64).into();
    });
    says(&fixture, "untouched", Severity::Block, "differs here in \"hashes\"");
    says(&fixture, "hash-changed-same-name", Severity::Block, &format!("to \"{}\"", "0".repeat(64)));
}

#[test]
fn what_is_dropped_is_what_the_request_declares() {
    let mut fixture = Fixture::step("acme", "3");
    silent(&fixture, "pruned-as-declared");
    fixture.manifest.prune.clear();
    assert_eq!(of(&fixture, "pruned-as-declared").len(), 2, "two targets of version 12 are gone");
    fixture.manifest.prune = vec![12, 13];
    says(&fixture, "pruned-as-declared", Severity::Block, "drops version 13, which production does not have");
    let mut fixture = Fixture::step("acme", "2");
    fixture.manifest.prune = vec![12];
    assert!(of(&fixture, "pruned-as-declared").iter().all(|f| f.message.contains("is still there")));
    assert_eq!(of(&fixture, "pruned-as-declared").len(), 2);
}

#[test]
fn a_bare_file_that_drops_whole_versions_is_warned_about_and_one_that_drops_a_part_is_blocked() {
    let mut fixture = Fixture::step("acme", "3");
    fixture.manifest.prune.clear();
    fixture.carried = Carried::BareFile;
    says(&fixture, "pruned-as-declared", Severity::Warn, "drops production's version 12");
    let kept = fixture.with(|s| {
        let baseline = s.baseline.as_ref().expect("a baseline");
        let target = baseline.targets.get("intel-corei7-64-lmp-12").expect("a target");
        serde_json::from_slice::<serde_json::Value>(target.value.span()).expect("JSON")
    });
    fixture.edit_proposal(|signed| signed["targets"]["intel-corei7-64-lmp-12"] = kept);
    assert!(of(&fixture, "pruned-as-declared").iter().any(|f| f.severity == Severity::Block));
}

#[test]
fn the_proposal_is_exactly_what_the_parameters_produce() {
    let block = |edit: fn(&mut Fixture), words: &str| {
        let mut fixture = Fixture::step("acme", "2");
        silent(&fixture, "composition");
        edit(&mut fixture);
        says(&fixture, "composition", Severity::Block, words);
    };
    block(|f| f.manifest.factory = "other".into(), "is for the Factory \"other\"");
    block(|f| f.edit_proposal(|s| s["_type"] = "targets".into()), "_type is \"targets\"");
    block(
        |f| f.edit_proposal(|s| s["delegations"] = serde_json::json!({})),
        "\"delegations\" does not belong",
    );
    block(|f| f.edit_proposal(|s| s["version"] = 43.into()), "version is 43, the request is for version 42");
    block(|f| drop_target(f, "raspberrypi4-64-lmp-42"), "CI has the target \"raspberrypi4-64-lmp-42\"");
    let mut fixture = Fixture::step("acme", "2");
    fixture.manifest.source_tag = Some("main".into());
    silent(&fixture, "composition");
    fixture.manifest.source_tag = Some("nightly".into());
    let found = of(&fixture, "composition");
    assert!(
        found.len() == 2 && found[0].message.contains("does not carry the source tag \"nightly\""),
        "{found:?}"
    );
    let mut fixture = Fixture::second_officer("acme");
    silent(&fixture, "composition");
    // What an offline key signed already, somebody else composed; what only says so is a wave like any other.
    fixture.edit_ci(|signed| {
        let targets = signed["targets"].as_object_mut().expect("targets");
        let model = targets["raspberrypi4-64-lmp-45"].clone();
        targets.insert("other-lmp-45".to_owned(), model);
    });
    says(&fixture, "composition", Severity::Warn, "whether a source tag was meant");
    drop_target(&mut fixture, "raspberrypi4-64-lmp-45");
    let found = of(&fixture, "composition");
    assert!(found.iter().all(|finding| finding.severity == Severity::Block), "{found:?}");
}

fn drop_target(fixture: &mut Fixture, name: &str) {
    fixture.edit_proposal(|signed| {
        signed["targets"].as_object_mut().expect("targets").remove(name);
    });
}

#[test]
fn a_request_without_evidence_blocks_and_the_policy_may_make_it_a_warning() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "evidence");
    fixture.ci = None;
    says(&fixture, "evidence", Severity::Block, "no ci-targets.json");
    fixture.policy = with_policy("evidence = \"warn\"");
    says(&fixture, "evidence", Severity::Warn, "no ci-targets.json");

    let mut fixture = Fixture::step("acme", "2");
    fixture.baseline = None;
    says(&fixture, "evidence", Severity::Block, "lists the wave \"populate-targets\" as complete");
    silent(&fixture, "first-wave");

    let mut fixture = Fixture::step("acme", "2");
    fixture.baseline_source = BaselineSource::Station;
    fixture.waves = None;
    let signed = "0".repeat(64);
    fixture.history.baseline = Some(SeenMark { version: 12, signed, request: "0".repeat(64) });
    let found = of(&fixture, "evidence");
    assert!(found[0].message.contains("this station saw version 12; it is compared with"), "{found:?}");
    assert_eq!((found[1].severity, found.len()), (Severity::Warn, 2));

    let mut fixture = Fixture::step("acme", "2");
    fixture.carried = Carried::BareFile;
    says(&fixture, "evidence", Severity::Block, "This is a bare file");
    fixture.carried = Carried::KnownContent;
    says(&fixture, "evidence", Severity::Note, "reviewed with full evidence before");
}

#[test]
fn a_first_wave_is_one_that_nothing_contradicts() {
    let mut fixture = Fixture::step("acme", "1");
    silent(&fixture, "evidence");
    says(&fixture, "first-wave", Severity::Note, "first wave of the tag \"production\"");
    fixture.waves = None;
    let found = of(&fixture, "evidence");
    assert!(found[0].message.contains("neither current.json nor a whole waves.json"), "{found:?}");
    let mut fixture = Fixture::step("acme", "1");
    sign(&mut fixture);
    silent(&fixture, "evidence");
    fixture.history.signed[0].signed = "0".repeat(64);
    fixture.history.signed[0].version = 11;
    says(&fixture, "evidence", Severity::Block, "this station signed version 11");
    silent(&Fixture::step("acme", "2"), "first-wave");
}

#[test]
fn the_header_says_first_wave_exactly_when_the_finding_does() {
    let agree = |fixture: &Fixture, is_first: bool| {
        let state = fixture.with(|situation| {
            matches!(crate::review::review(situation).header.baseline, BaselineState::FirstWave)
        });
        assert_eq!((state, !of(fixture, "first-wave").is_empty()), (is_first, is_first));
    };
    let mut fixture = Fixture::step("acme", "1");
    agree(&fixture, true);
    // It was signed here already, and its wave is not complete: there is still nothing in production.
    sign(&mut fixture);
    agree(&fixture, true);
    fixture.carried = Carried::KnownContent;
    agree(&fixture, true);
    // A bare file, or one without the list of waves, shows nothing of the kind.
    fixture.carried = Carried::BareFile;
    agree(&fixture, false);
    fixture.carried = Carried::Folder;
    fixture.waves = None;
    agree(&fixture, false);
    agree(&Fixture::step("acme", "2"), false);
}

#[test]
fn old_or_other_production_targets_are_blocked() {
    let mut fixture = Fixture::step("acme", "3");
    silent(&fixture, "baseline-replayed");
    let seen = |version: u64| Some(SeenMark { version, signed: "0".repeat(64), request: "0".repeat(64) });
    fixture.history.baseline = seen(43);
    says(&fixture, "baseline-replayed", Severity::Block, "has seen version 43");
    fixture.history.baseline = seen(42);
    says(&fixture, "baseline-replayed", Severity::Block, "another content here");
    fixture.history.baseline = seen(41);
    silent(&fixture, "baseline-replayed");
    let mut fixture = Fixture::step("acme", "3");
    fixture.baseline = Fixture::step("acme", "2").baseline;
    says(
        &fixture,
        "baseline-replayed",
        Severity::Block,
        "the wave \"v2.0-update\" of version 42 as complete",
    );
    let mut fixture = Fixture::step("acme", "3");
    sign(&mut fixture);
    fixture.history.signed[0].version = 42;
    says(&fixture, "baseline-replayed", Severity::Block, "is not what this station signed as version 42");
    let mut fixture = Fixture::step("acme", "3");
    fixture.now = crate::host::clock::Time::parse("2028-01-01T00:00:00Z").expect("a time");
    says(&fixture, "baseline-replayed", Severity::Warn, "expired on 2027-11-23T00:00:00Z");
}

/// Step 4 as if the station had signed step 3's wave, which is canceled by then, and step 2's, which is complete.
fn signed_since() -> Fixture {
    let (mut fixture, before) = (Fixture::step("acme", "4"), Fixture::step("acme", "3"));
    let mark = SignedMark {
        version: 43,
        signed: before.with(|situation| situation.message.digest().to_string()),
        keyid: "k".to_owned(),
        wave: "v2.1-prune".to_owned(),
        request: "0".repeat(64),
        seq: 7,
    };
    let signed = before.proposal.root().get("signed").expect("signed").span().to_vec();
    let document = Document::parse("record", signed, Limits::DEFAULT).expect("JSON");
    fixture.history.signed.push(mark.clone());
    fixture.later.push((mark, document));
    fixture
}

#[test]
fn what_was_signed_here_above_the_baseline_is_compared_and_shown() {
    let mut fixture = signed_since();
    let check = "signed-since";
    let finding = says(&fixture, check, Severity::Warn, "waves.json lists that wave as canceled");
    assert!(finding.message.contains("signed version 43 for the wave \"v2.1-prune\""), "{}", finding.message);
    assert!(finding.message.contains("it lacks the targets"), "{}", finding.message);
    // Where the list does not explain it, it blocks.
    let whole = fixture.waves.clone().expect("waves");
    let mut listed = |edit: &dyn Fn(&mut WaveList)| {
        let mut waves = whole.clone();
        edit(&mut waves);
        fixture.waves = Some(waves);
        says(&fixture, check, Severity::Block, "does not say what became of it");
    };
    listed(&|list| list.waves.retain(|wave| wave.name != "v2.1-prune"));
    listed(&|list| list.waves.iter_mut().for_each(|wave| wave.tag = "beta".to_owned()));
    listed(&|list| list.waves.iter_mut().for_each(|wave| wave.version = Some(7)));
    listed(&|list| list.waves.iter_mut().for_each(|wave| wave.status = WaveStatus::Other));
    fixture.waves = None;
    says(&fixture, check, Severity::Block, "does not say what became of it");
}

#[test]
fn a_list_of_waves_that_is_not_whole_is_never_silent() {
    for (step, gap) in [("2", "its member \"next\""), ("1", "its member \"next\"")] {
        let mut fixture = Fixture::step("acme", step);
        fixture.waves.as_mut().expect("waves").gaps.push(gap.to_owned());
        let found = of(&fixture, "evidence");
        assert!(found.iter().all(|finding| finding.severity == Severity::Block), "{found:?}");
        assert!(found.iter().any(|finding| finding.message.contains("not the whole list")), "{found:?}");
        silent(&fixture, "first-wave");
    }
}

#[test]
fn production_targets_of_another_tag_are_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    fixture.edit_baseline(|signed| {
        for (_, target) in signed["targets"].as_object_mut().expect("targets") {
            target["custom"]["tags"] = serde_json::json!(["beta"]);
        }
    });
    says(&fixture, "baseline-replayed", Severity::Block, "these are another tag's");
}

#[test]
fn a_version_that_does_not_move_forward_is_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "version-increases");
    fixture.edit_proposal(|signed| signed["version"] = 12.into());
    says(&fixture, "version-increases", Severity::Block, "production is at 12");
    fixture.edit_proposal(|signed| signed["version"] = (1_u64 << 31).into());
    says(&fixture, "version-increases", Severity::Block, "the greatest that devices can read");
    let mut second = Fixture::second_officer("acme");
    silent(&second, "version-increases");
    second.edit_baseline(|signed| signed["version"] = 46.into());
    says(&second, "version-increases", Severity::Block, "production is at 46 already");
}

#[test]
fn a_version_at_or_below_anything_signed_seen_or_listed_is_blocked() {
    let mut fixture = Fixture::step("acme", "4");
    silent(&fixture, "high-water");
    fixture.edit_proposal(|signed| signed["version"] = 43.into());
    says(&fixture, "high-water", Severity::Block, "the wave \"v2.1-prune\" of version 43 (canceled");
    let mut fixture = Fixture::step("acme", "4");
    fixture.waves = None;
    sign(&mut fixture);
    silent(&fixture, "high-water");
    fixture.history.signed[0].version = 45;
    says(&fixture, "high-water", Severity::Block, "signed or saw version 45");
    fixture.history.signed[0].version = 44;
    fixture.history.signed[0].signed = "0".repeat(64);
    says(&fixture, "high-water", Severity::Block, "signed or saw version 44");
}

#[test]
fn two_contents_of_one_version_are_never_signed_and_the_same_content_is_told() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "equivocation");
    silent(&fixture, "already-signed");
    sign(&mut fixture);
    silent(&fixture, "equivocation");
    says(&fixture, "already-signed", Severity::Note, "log entry 7");
    fixture.edit_proposal(|signed| signed["expires"] = "2027-11-24T00:00:00Z".into());
    says(&fixture, "equivocation", Severity::Block, "another content as version 42");
    silent(&fixture, "already-signed");
}
