//! Times, and the other waves.

use super::*;
use crate::bundle::{RequestKind, Wave, WaveList, WaveStatus};

fn expires(fixture: &mut Fixture, time: &str) {
    fixture.edit_proposal(|signed| signed["expires"] = time.into());
}

#[test]
fn an_expiry_that_devices_cannot_read_or_that_is_past_is_blocked() {
    let mut fixture = Fixture::step("acme", "1");
    silent(&fixture, "expiry-format");
    for wrong in
        ["2027-11-23T00:00:00.000Z", "2027-11-23T00:00:00+00:00", "2027-11-23", "2027-02-30T00:00:00Z", ""]
    {
        expires(&mut fixture, wrong);
        says(
            &fixture,
            "expiry-format",
            Severity::Block,
            &format!("\"{wrong}\" is not a time that devices can read"),
        );
    }
    expires(&mut fixture, "2026-11-24T08:00:00Z");
    says(&fixture, "expiry-format", Severity::Block, "It expired on 2026-11-24T08:00:00Z");
    silent(&fixture, "expiry-window");
}

#[test]
fn an_expiry_outside_the_policys_window_is_told() {
    let mut fixture = Fixture::step("acme", "1");
    silent(&fixture, "expiry-window");
    expires(&mut fixture, "2026-12-01T07:59:59Z");
    says(&fixture, "expiry-window", Severity::Warn, "sooner than the policy wants");
    expires(&mut fixture, "2026-12-01T08:00:00Z");
    silent(&fixture, "expiry-window");
    expires(&mut fixture, "2029-01-01T00:00:00Z");
    says(&fixture, "expiry-window", Severity::Warn, "later than the policy wants");
}

#[test]
fn an_expiry_before_productions_is_told() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "expiry-shrinks");
    expires(&mut fixture, "2027-11-22T23:59:59Z");
    says(&fixture, "expiry-shrinks", Severity::Warn, "before production's targets of today");
}

#[test]
fn targets_that_outlive_the_root_are_noted() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "outlives-root");
    expires(&mut fixture, "2027-11-23T09:25:34Z");
    says(&fixture, "outlives-root", Severity::Note, "after production root 3");
}

#[test]
fn a_clock_that_is_behind_the_log_the_release_or_the_evidence_is_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "clock");
    let now = fixture.now;
    fixture.log_time = Some(now.plus_seconds(1));
    says(&fixture, "clock", Severity::Block, "The clock was set back");
    fixture.log_time = Some(now);
    fixture.edit_ci(|signed| {
        signed["targets"]["intel-corei7-64-lmp-42"]["custom"]["createdAt"] = "2026-11-24T08:10:01Z".into();
    });
    let finding = says(&fixture, "clock", Severity::Block, "the signed time 2026-11-24T08:10:01Z");
    assert!(finding.path.ends_with("custom.createdAt"), "{}", finding.path);
    fixture.now = now.plus_seconds(1);
    silent(&fixture, "clock");
    fixture.manifest.created = "2026-11-25T00:00:00Z".into();
    says(&fixture, "clock", Severity::Warn, "was made on 2026-11-25T00:00:00Z");
    let mut fixture = Fixture::step("acme", "2");
    fixture.log_time = None;
    fixture.now = crate::release::EARLIEST.plus_seconds(-1);
    let messages: Vec<_> = of(&fixture, "clock").into_iter().map(|finding| finding.message).collect();
    assert!(messages[0].contains("no copy of this program is older"), "{messages:?}");
    assert!(
        messages[1].contains("the signed time 2026-11-23T09:25:33Z"),
        "the root's newest key: {messages:?}"
    );
}

fn wave(name: &str, version: u64, status: WaveStatus) -> Wave {
    Wave { name: name.into(), version: Some(version), tag: "production".into(), status }
}

fn list(fixture: &mut Fixture) -> &mut Vec<Wave> {
    &mut fixture.waves.as_mut().expect("waves").waves
}

#[test]
fn a_wave_name_is_used_once() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "wave-name-used");
    list(&mut fixture).push(wave("v2.0-update", 41, WaveStatus::Canceled));
    says(&fixture, "wave-name-used", Severity::Block, "There is a wave \"v2.0-update\" already");
    let mut fixture = Fixture::step("acme", "2");
    super::integrity::sign(&mut fixture);
    silent(&fixture, "wave-name-used");
    fixture.edit_proposal(|signed| signed["expires"] = "2027-11-24T00:00:00Z".into());
    says(&fixture, "wave-name-used", Severity::Block, "This station signed version 42 for a wave");
}

#[test]
fn a_further_signature_is_for_a_wave_that_is_listed_and_active() {
    let fixture = Fixture::second_officer("acme");
    silent(&fixture, "further-signature");
    let with = |listed: Option<Wave>, words: &str| {
        let mut fixture = Fixture::second_officer("acme");
        list(&mut fixture).retain(|wave| wave.name != "v3.0");
        list(&mut fixture).extend(listed);
        says(&fixture, "further-signature", Severity::Block, words);
    };
    with(None, "Nothing lists a wave \"v3.0\"");
    for status in [WaveStatus::Canceled, WaveStatus::Complete, WaveStatus::Other] {
        with(Some(wave("v3.0", 45, status)), "does not list the wave \"v3.0\" as active");
    }
    with(Some(wave("v3.0", 44, WaveStatus::Active)), "another version");
    let other_tag = Wave { tag: "beta".into(), ..wave("v3.0", 45, WaveStatus::Active) };
    with(Some(other_tag), "another version or tag");
    let mut fixture = fixture;
    fixture.waves = None;
    says(&fixture, "further-signature", Severity::Block, "Nothing lists a wave");
}

#[test]
fn a_wave_is_not_made_a_further_signature_by_a_word_in_its_manifest() {
    let mut fixture = Fixture::step("acme", "2");
    fixture.manifest.kind = RequestKind::WaveSignature;
    list(&mut fixture).push(wave("v2.0-update", 42, WaveStatus::Active));
    says(&fixture, "further-signature", Severity::Block, "no offline key has signed this content yet");
    // What a request has to declare, and does not, blocks as in any wave.
    fixture.edit_proposal(|signed| {
        signed["targets"].as_object_mut().expect("targets").remove("intel-corei7-64-lmp-12");
    });
    says(&fixture, "pruned-as-declared", Severity::Block, "does not say that its version is dropped");
}

#[test]
fn another_active_wave_of_the_tag_is_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "wave-active");
    let mut other = wave("hotfix", 41, WaveStatus::Active);
    list(&mut fixture).push(other.clone());
    says(&fixture, "wave-active", Severity::Block, "The wave \"hotfix\" is active");
    other.tag = "beta".into();
    *list(&mut fixture).last_mut().expect("a wave") = other;
    silent(&fixture, "wave-active");
    silent(&Fixture::second_officer("acme"), "wave-active");
}

#[test]
fn production_targets_may_be_signed_again_as_they_are_and_not_otherwise() {
    let mut fixture = Fixture::step("acme", "3");
    fixture.manifest.kind = RequestKind::Resign;
    fixture.manifest.version = 42;
    fixture.manifest.prune.clear();
    let signed =
        fixture.baseline.as_ref().and_then(|b| b.root().get("signed")).expect("signed").span().to_vec();
    fixture.set_proposal(&signed);
    assert_eq!(blocking(&fixture), [""; 0]);
    expires(&mut fixture, "2028-01-01T00:00:00Z");
    says(&fixture, "composition", Severity::Block, "the content is not that of production");
    // On a tag that nobody saw yet there is nothing that could be signed again, nor listed in a bundle.
    (fixture.baseline, fixture.waves) = (None, Some(WaveList::default()));
    says(&fixture, "composition", Severity::Block, "nothing shows what production runs");
    says(
        &fixture,
        "evidence",
        Severity::Block,
        "nothing shows what production runs for the tag \"production\"",
    );
    fixture.manifest.kind = RequestKind::OfflineBundle;
    says(
        &fixture,
        "evidence",
        Severity::Block,
        "nothing shows what production runs for the tag \"production\"",
    );
}

#[test]
fn an_offline_bundle_names_targets_that_the_tag_has() {
    let mut fixture = Fixture::step("acme", "3");
    fixture.manifest.kind = RequestKind::OfflineBundle;
    fixture.manifest.version = 42;
    fixture.manifest.prune.clear();
    let mut name = |target: &str| {
        let bundle = format!(
            "{{\"_type\":\"Targets\",\"expires\":\"2027-01-01T00:00:00Z\",\"version\":42,\"x-fio-offline-bundle\":\
             {{\"tag\":\"production\",\"targets\":[\"{target}\"],\"type\":\"prod\"}}}}"
        );
        fixture.set_proposal(bundle.as_bytes());
        (blocking(&fixture), of(&fixture, "composition").pop())
    };
    assert_eq!(name("intel-corei7-64-lmp-42"), (vec![], None));
    let (blocks, finding) = name("intel-corei7-64-lmp-43");
    assert_eq!(blocks, ["composition"]);
    assert!(finding.is_some_and(|f| f.message.contains("which CI published and no wave released")));
    let (blocks, finding) = name("intel-corei7-64-lmp-99");
    assert_eq!(blocks, ["composition"]);
    assert!(finding.is_some_and(|f| f.message.contains("which the tag does not have")));
    // Its content is shown, production's targets do not go, and what is older is told.
    name("intel-corei7-64-lmp-42");
    fixture.with(|situation| {
        let review = crate::review::review(situation);
        let (text, json) = (review.text(100, false), review.json());
        assert!(text.contains("hub.foundries.io/") && !text.contains("REMOVALS"), "{text}");
        assert!(json.contains("\"named_targets\":[{\"name\":\"intel-corei7-64-lmp-42\""), "{json}");
    });
    let bundle = |kind: &str, version: u64, target: &str| {
        format!(
            "{{\"_type\":\"Targets\",\"expires\":\"2027-01-01T00:00:00Z\",\"version\":{version},\
             \"x-fio-offline-bundle\":{{\"tag\":\"production\",\"targets\":[{target}],\"type\":\"{kind}\"}}}}"
        )
    };
    fixture.set_proposal(bundle("prod", 42, "\"intel-corei7-64-lmp-12\"").as_bytes());
    says(&fixture, "composition", Severity::Warn, "would bring version 12 to devices of the hardware id");
    fixture.manifest.version = 12;
    fixture.set_proposal(bundle("prod", 12, "\"intel-corei7-64-lmp-42\"").as_bytes());
    says(&fixture, "version-increases", Severity::Warn, "list is of version 12, production is at 42");
    fixture.manifest.version = 42;
    fixture.set_proposal(bundle("ci", 42, "\"intel-corei7-64-lmp-47\"").as_bytes());
    assert!(blocking(&fixture).contains(&"composition"));
    assert!(of(&fixture, "composition")[0].message.contains("a tag of production devices"));
    for (kind, targets) in [("test", "\"intel-corei7-64-lmp-42\""), ("prod", ""), ("prod", "7")] {
        fixture.set_proposal(bundle(kind, 42, targets).as_bytes());
        assert_eq!(blocking(&fixture), ["composition"], "{kind} {targets}");
    }
    fixture.set_proposal(bundle("prod", 42, "\"intel-corei7-64-lmp-42\"").as_bytes());
    fixture.manifest.tag = "beta".into();
    let words = "The bundle is for the tag \"production\", the request for \"beta\"";
    assert!(of(&fixture, "composition")[0].message.contains(words));
}
