//! What devices would get.

use super::*;
use serde_json::{Value as Json, json};

const NEW: &str = "intel-corei7-64-lmp-42";

fn custom<'j>(signed: &'j mut Json, target: &str) -> &'j mut Json {
    &mut signed["targets"][target]["custom"]
}

fn edited(step: &str, edit: impl FnOnce(&mut Json)) -> Fixture {
    let mut fixture = Fixture::step("acme", step);
    fixture.edit_proposal(edit);
    fixture
}

#[test]
fn a_target_whose_name_is_not_its_name_and_version_is_told() {
    silent(&Fixture::step("acme", "2"), "name-matches");
    let fixture = edited("2", |signed| custom(signed, NEW)["name"] = "intel-lmp".into());
    says(&fixture, "name-matches", Severity::Warn, "says that it is \"intel-lmp\" of version \"42\"");
    let fixture = edited("2", |signed| *custom(signed, NEW) = json!({}));
    says(&fixture, "name-matches", Severity::Warn, "lacks custom.name or custom.version");
}

#[test]
fn a_hash_that_is_none_is_blocked() {
    silent(&Fixture::step("acme", "2"), "hash-shape");
    for wrong in [json!("AB".repeat(32)), json!("ab"), json!(null)] {
        let fixture = edited("2", |signed| signed["targets"][NEW]["hashes"]["sha256"] = wrong);
        says(&fixture, "hash-shape", Severity::Block, "64 lower-case hex digits");
    }
    let fixture = edited("2", |signed| signed["targets"][NEW]["length"] = "0".into());
    says(&fixture, "hash-shape", Severity::Block, "not a whole number");
}

#[test]
fn added_targets_carry_the_device_tag_alone() {
    silent(&Fixture::step("acme", "2"), "tags");
    for wrong in [json!(["production", "beta"]), json!([]), json!("production"), json!(["beta"]), json!([1])]
    {
        let fixture = edited("2", |signed| custom(signed, NEW)["tags"] = wrong);
        says(&fixture, "tags", Severity::Block, "not the device tag \"production\" alone");
    }
    let fixture = edited("2", |signed| custom(signed, "intel-corei7-64-lmp-12")["tags"] = json!(["beta"]));
    says(&fixture, "tags", Severity::Warn, "1 target of production does not carry");
}

fn without(fixture: &mut Fixture, names: &[&str]) {
    fixture.edit_proposal(|signed| {
        let targets = signed["targets"].as_object_mut().expect("targets");
        names.iter().for_each(|name| assert!(targets.remove(*name).is_some(), "{name}"));
    });
}

#[test]
fn hardware_that_the_new_version_leaves_out_is_told() {
    let mut fixture = Fixture::step("acme", "4");
    silent(&fixture, "hardware-coverage");
    without(&mut fixture, &["raspberrypi4-64-lmp-44"]);
    let words = "no target for the hardware id \"raspberrypi4-64\": its devices stay on version 42";
    says(&fixture, "hardware-coverage", Severity::Warn, words);
    without(&mut fixture, &["raspberrypi4-64-lmp-42", "raspberrypi4-64-lmp-12"]);
    says(
        &fixture,
        "hardware-coverage",
        Severity::Warn,
        "No target is left for the hardware id \"raspberrypi4-64\"",
    );
    // Left behind by an earlier wave already: no news.
    let mut fixture = Fixture::step("acme", "4");
    without(&mut fixture, &["raspberrypi4-64-lmp-44", "raspberrypi4-64-lmp-42"]);
    fixture.edit_baseline(|signed| {
        signed["targets"].as_object_mut().expect("targets").remove("raspberrypi4-64-lmp-42");
    });
    says(&fixture, "hardware-coverage", Severity::Note, "stay on version 12");
}

#[test]
fn a_mass_removal_is_blocked_and_a_small_one_is_not() {
    silent(&Fixture::step("acme", "3"), "mass-removal");
    let mut fixture = Fixture::step("acme", "2");
    fixture.edit_baseline(|signed| {
        let target = signed["targets"]["intel-corei7-64-lmp-12"].clone();
        for version in 1..=5 {
            signed["targets"][format!("intel-corei7-64-lmp-{version}")] = target.clone();
        }
    });
    says(&fixture, "mass-removal", Severity::Block, "removes 5 of production's 7 targets");
}

#[test]
fn hardware_that_would_step_back_is_blocked() {
    let mut fixture = Fixture::step("acme", "4");
    silent(&fixture, "downgrade");
    without(&mut fixture, &["raspberrypi4-64-lmp-44", "raspberrypi4-64-lmp-42"]);
    let words = "hardware id \"raspberrypi4-64\" run version 42 now and would get version 12";
    let found = of(&fixture, "downgrade");
    assert!(found[0].severity == Severity::Block && found[0].message.contains(words), "{found:?}");
    assert!(found[1].severity == Severity::Warn && found[1].message.contains("LmP 94 now"), "{found:?}");
}

#[test]
fn an_app_that_is_not_pinned_by_its_digest_is_blocked_once_for_all_targets() {
    silent(&Fixture::step("acme", "2"), "app-digest-pinned");
    let fixture = edited("2", |signed| {
        for target in [NEW, "raspberrypi4-64-lmp-42"] {
            custom(signed, target)["docker_compose_apps"]["fiotest"]["uri"] =
                "hub.foundries.io/a/fiotest:v1".into();
        }
    });
    let words = "The app \"fiotest\" of 2 targets comes from \"hub.foundries.io/a/fiotest:v1\", which names no digest";
    says(&fixture, "app-digest-pinned", Severity::Block, words);
    let fixture = edited("2", |signed| custom(signed, NEW)["docker_compose_apps"]["fiotest"] = json!({}));
    says(&fixture, "app-digest-pinned", Severity::Block, "comes from \"\"");
}

#[test]
fn an_app_of_another_registry_is_blocked_where_the_policy_names_registries() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "app-host");
    fixture.policy.app_hosts = vec!["hub.foundries.io".into()];
    silent(&fixture, "app-host");
    fixture.policy.app_hosts = vec!["registry.example.com".into()];
    let found = of(&fixture, "app-host");
    assert_eq!(found.len(), 3, "one for each app: {found:?}");
    assert!(
        found.iter().all(|f| f.severity == Severity::Block && f.message.contains("registry.example.com"))
    );
}

#[test]
fn an_app_that_devices_lose_is_told_with_their_hardware() {
    silent(&Fixture::step("acme", "2"), "app-removed");
    let fixture = edited("2", |signed| {
        for target in [NEW, "raspberrypi4-64-lmp-42"] {
            custom(signed, target)["docker_compose_apps"].as_object_mut().expect("apps").remove("fiotest");
        }
    });
    let words = "The app \"fiotest\" runs on the hardware \"intel-corei7-64\", \"raspberrypi4-64\" now";
    says(&fixture, "app-removed", Severity::Warn, words);
}

#[test]
fn targets_without_a_static_delta_are_told_in_one_sentence() {
    silent(&Fixture::step("acme", "2"), "static-delta");
    says(
        &Fixture::step("acme", "3"),
        "static-delta",
        Severity::Warn,
        "All 2 added targets have no static delta",
    );
    says(&Fixture::step("rsa", "3"), "static-delta", Severity::Warn, "The added target has no static delta");
    let fixture = edited("2", |signed| custom(signed, NEW)["delta-stats"] = json!(null));
    says(&fixture, "static-delta", Severity::Warn, "1 of the 2 added targets has no static delta");
}

#[test]
fn sources_that_differ_by_hardware_are_told() {
    silent(&Fixture::step("acme", "2"), "source-differs-by-hardware");
    let fixture = edited("2", |signed| custom(signed, NEW)["lmp-ver"] = "95".into());
    let words = "lmp-ver is \"94\" for \"raspberrypi4-64\"; \"95\" for \"intel-corei7-64\"";
    says(&fixture, "source-differs-by-hardware", Severity::Warn, words);
}

#[test]
fn a_large_number_of_findings_is_counted_and_still_blocks() {
    let mut fixture = Fixture::step("acme", "1");
    fixture.edit_proposal(|signed| {
        for n in 0..2_000 {
            signed["targets"][format!("made-up-{n:04}")] = json!({"custom": {}, "hashes": {}, "length": 0});
        }
    });
    let found = of(&fixture, "added-from-ci");
    assert_eq!(found.len(), 101);
    let last = found.last().expect("the count");
    // Each made-up target is unknown to CI.
    assert_eq!(
        (last.severity, last.message.as_str()),
        (Severity::Block, "1900 more findings of this check are not listed.")
    );
}
