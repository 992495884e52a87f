//! A shelf of situations, each as text for people and as JSON for scripts, side by side.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --lib review::tests::shelf`, and read the difference.

use super::super::review;
use super::super::situation::{BaselineSource, Carried};
use super::super::testing::Fixture;
use crate::station::{Policy, SeenMark, SignedMark};
use serde_json::{Value as Json, json};

fn keep(name: &str, fixture: &Fixture) {
    fixture.with(|situation| {
        let review = review(situation);
        let json: Json = serde_json::from_str(&review.json()).expect("JSON");
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        // A new release or another default policy is not another review.
        settings.add_filter(r"countersign \d+\.\d+\.\d+", "countersign [version]");
        settings.add_filter(r"Policy    [0-9a-f]{64}", "Policy    [digest]");
        settings.add_filter(r#""policy": "[0-9a-f]{64}""#, r#""policy": "[digest]""#);
        settings.add_filter(r#""confirm": "[A-Za-z ]+""#, "\"confirm\": \"[six words]\"");
        settings.add_filter(r"on this station:\n  [A-Za-z ]+", "on this station:\n  [six words]");
        settings.bind(|| {
            insta::assert_snapshot!(format!("{name}.text"), review.text(80, false));
            insta::assert_snapshot!(
                format!("{name}.json"),
                serde_json::to_string_pretty(&json).expect("JSON")
            );
        });
    });
}

#[test]
fn a_first_wave() {
    keep("first-wave", &Fixture::step("acme", "1"));
}

#[test]
fn a_plain_update() {
    keep("plain-update", &Fixture::step("acme", "2"));
}

#[test]
fn a_prune() {
    keep("prune", &Fixture::step("acme", "3"));
}

#[test]
fn a_root_that_was_rotated() {
    let mut fixture = Fixture::step("acme", "5");
    fixture.acknowledged_root = 3;
    keep("root-rotated", &fixture);
}

#[test]
fn a_second_officers_signature_on_a_networked_station() {
    let mut fixture = Fixture::second_officer("rsa");
    fixture.networked = true;
    keep("second-officer", &fixture);
}

#[test]
fn content_on_which_implementations_disagree() {
    keep("odd-content", &Fixture::step("odd", "2"));
}

#[test]
fn a_target_of_production_with_another_content() {
    let mut fixture = Fixture::step("acme", "2");
    fixture.edit_proposal(|signed| {
        let target = &mut signed["targets"]["intel-corei7-64-lmp-12"];
        target["hashes"]["sha256"] = json!("f".repeat(64));
        target["custom"]["docker_compose_apps"]["extra"] = json!({"uri": "evil.example/acme/extra:latest"});
        target["custom"]["docker_compose_apps"]["fiotest"].take();
    });
    keep("existing-target-changed", &fixture);
}

#[test]
fn a_wave_that_takes_devices_back() {
    let mut fixture = Fixture::step("acme", "4");
    fixture.edit_proposal(|signed| {
        let targets = signed["targets"].as_object_mut().expect("targets");
        targets.retain(|name, _| name == "intel-corei7-64-lmp-12");
    });
    keep("downgrade-and-removal", &fixture);
}

#[test]
fn a_bare_file_that_proves_nothing() {
    let mut fixture = Fixture::step("acme", "2");
    fixture.carried = Carried::BareFile;
    fixture.manifest.wave.clear();
    (fixture.baseline, fixture.ci, fixture.waves, fixture.request_root) = (None, None, None, None);
    keep("bare-file", &fixture);
}

#[test]
fn a_bare_file_against_what_the_station_remembers() {
    let mut fixture = Fixture::step("acme", "2");
    fixture.carried = Carried::BareFile;
    fixture.baseline_source = BaselineSource::Station;
    (fixture.ci, fixture.waves, fixture.request_root) = (None, None, None);
    keep("bare-file-remembered", &fixture);
}

#[test]
fn a_version_that_was_signed_before_with_another_content() {
    let mut fixture = Fixture::step("acme", "2");
    let mark = |version, signed: &str| SignedMark {
        version,
        signed: signed.repeat(64),
        keyid: "k".to_owned(),
        wave: "v2.0-update".to_owned(),
        request: "0".repeat(64),
        seq: 7,
    };
    fixture.history.signed = vec![mark(42, "a"), mark(44, "b")];
    fixture.history.baseline =
        Some(SeenMark { version: 30, signed: "c".repeat(64), request: "0".repeat(64) });
    keep("signed-before", &fixture);
}

#[test]
fn checks_that_the_policy_switched_off() {
    let mut fixture = Fixture::step("acme", "3");
    let text = format!("{}\nstatic-delta = \"off\"\n", Policy::default().text());
    fixture.policy = Policy::read(text.as_bytes()).expect("a policy");
    keep("check-switched-off", &fixture);
}

/// A first wave of ten targets: four versions, five images.
pub(super) fn many_targets() -> Fixture {
    let mut fixture = Fixture::step("acme", "1");
    fixture.edit_proposal(|signed| {
        let model = signed["targets"]["intel-corei7-64-lmp-12"].clone();
        for version in 13..16 {
            for board in ["alpha", "beta", "gamma", "delta"].into_iter().take(version - 11) {
                let mut target = model.clone();
                target["custom"]["version"] = json!(version.to_string());
                target["custom"]["lmp-ver"] = json!((80 + version).to_string());
                target["custom"]["hardwareIds"] = json!([board]);
                target["custom"]["name"] = json!(format!("{board}-lmp"));
                signed["targets"][format!("{board}-lmp-{version}")] = target;
            }
        }
        signed["targets"].as_object_mut().expect("targets").remove("raspberrypi4-64-lmp-12");
    });
    fixture
}

#[test]
fn what_many_targets_share_is_said_once() {
    keep("grouped", &many_targets());
}
