//! Keys, roots, signatures, and how much a device reads.

use super::*;
use crate::bundle::RequestKind;
use crate::host::clock::Time;
use crate::json::{Document, Limits};
use crate::review::situation::BaselineSource;
use crate::review::testing::{envelope, roots};
use crate::station::SeenMark;
use crate::tuf::{Chain, KeyId, Root};
use serde_json::{Value as Json, json};

fn at(time: &str) -> Time {
    Time::parse(time).expect("a time")
}

#[test]
fn a_root_older_than_the_stations_is_told_and_a_station_set_back_is_blocked() {
    let mut fixture = Fixture::step("acme", "5");
    silent(&fixture, "root-chain");
    fixture.request_root = Some(3);
    says(
        &fixture,
        "root-chain",
        Severity::Warn,
        "made under production root 3; this station already trusts root 4",
    );
    fixture.request_root = Some(5);
    says(&fixture, "root-chain", Severity::Block, "brings production root 5");
    fixture.request_root = Some(4);
    fixture.acknowledged_root = 5;
    says(&fixture, "root-chain", Severity::Block, "it was set back");
}

#[test]
fn a_root_that_no_signatures_can_satisfy_is_blocked() {
    let mut fixture = Fixture::step("acme", "1");
    let mut chain = roots("acme", "1");
    chain.truncate(2);
    fixture.chain = Chain::verify(chain).expect("the chain holds");
    fixture.request_root = Some(2);
    fixture.acknowledged_root = 2;
    says(&fixture, "root-chain", Severity::Block, "a threshold of 2 with 1 key");
}

#[test]
fn an_expired_root_blocks_and_one_that_expires_soon_is_told() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "root-expired");
    silent(&fixture, "root-expires-soon");
    fixture.now = at("2027-09-24T09:25:33Z");
    silent(&fixture, "root-expired");
    says(&fixture, "root-expires-soon", Severity::Warn, "expires on 2027-11-23T09:25:33Z");
    fixture.now = at("2027-09-24T09:25:32Z");
    silent(&fixture, "root-expires-soon");
    fixture.now = at("2027-11-23T09:25:33Z");
    says(&fixture, "root-expired", Severity::Block, "expired on 2027-11-23T09:25:33Z");
    silent(&fixture, "root-expires-soon");
}

#[test]
fn a_new_root_is_told_with_its_keys_owners_and_thresholds() {
    let mut fixture = Fixture::step("acme", "5");
    silent(&fixture, "root-rotated");
    fixture.acknowledged_root = 3;
    let found = of(&fixture, "root-rotated");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|finding| finding.severity == Severity::Warn));
    assert!(found[0].message.contains("from version 3 to 4"), "{}", found[0].message);
    assert!(found[0].message.contains("root 4: \"second targets key\""), "{}", found[0].message);
    assert_eq!(found[1].path, "prod-roots/4.root.json: signed.roles.targets");
    let key = "f0208b9d3c1564e143bc5e6e27cd96ef79a93b63a692fcfeb6a40904b5bcbc7c";
    for words in ["threshold went from 2 to 3", &format!("key {key} (ED25519, owner \"u1\") was added")] {
        assert!(found[1].message.contains(words), "{}", found[1].message);
    }
    fixture.acknowledged_root = 0;
    says(&fixture, "root-rotated", Severity::Warn, "is not in the chain");
    assert!(fixture.with(run).first().is_some_and(|first| first.check == "root-rotated"), "shown first");
}

#[test]
fn a_station_without_a_listed_key_or_with_an_old_online_key_is_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "key-in-role");
    fixture.own_keys.clear();
    says(&fixture, "key-in-role", Severity::Block, "No key in this station's vault");
    let mut fixture = Fixture::step("acme", "2");
    fixture.online_key = KeyId::new("00");
    says(&fixture, "key-in-role", Severity::Block, "pinned online key 00 is not a targets key");
}

#[test]
fn the_services_own_key_in_the_vault_is_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "key-is-online");
    fixture.own_keys.push(fixture.online_key.clone());
    says(&fixture, "key-is-online", Severity::Block, "is the service's online key");
}

/// Keeps only some of the signatures of an envelope.
fn keep_signatures(fixture: &mut Fixture, file: &str, keep: impl Fn(&Json) -> bool) {
    let document = match file {
        "current.json" => fixture.baseline.as_mut().expect("a baseline"),
        "ci-targets.json" => fixture.ci.as_mut().expect("CI targets"),
        _ => &mut fixture.proposal,
    };
    let (signed, signatures) = (document.root().get("signed"), document.root().get("signatures"));
    let mut list: Vec<Json> =
        serde_json::from_slice(signatures.expect("signatures").span()).expect("signatures");
    list.retain(|one| keep(one));
    let name = match file {
        "current.json" => "current.json",
        "ci-targets.json" => "ci-targets.json",
        _ => "targets.json",
    };
    *document = envelope(name, signed.expect("signed").span(), &serde_json::to_vec(&list).expect("JSON"));
}

#[test]
fn production_targets_below_the_threshold_or_without_the_services_signature_are_blocked() {
    let online = Fixture::step("acme", "2").online_key.as_str().to_owned();
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "baseline-threshold");
    keep_signatures(&mut fixture, "current.json", |one| one["keyid"] == *online);
    says(&fixture, "baseline-threshold", Severity::Block, "carry 1 of the 2 valid signatures");
    fixture.baseline_source = BaselineSource::Station;
    silent(&fixture, "baseline-threshold");
    let mut fixture = Fixture::step("acme", "2");
    keep_signatures(&mut fixture, "current.json", |one| one["keyid"] != *online);
    says(&fixture, "baseline-threshold", Severity::Block, "no valid signature by the service's online key");
    let mut fixture = Fixture::step("acme", "2");
    fixture.edit_baseline(|signed| signed["expires"] = "2028-01-01T00:00:00Z".into());
    fixture.vouch_for_edits = false;
    says(&fixture, "baseline-threshold", Severity::Block, "does not fit the content");
}

#[test]
fn what_the_service_alone_signed_is_never_passed_off_as_production_to_be_signed_again() {
    let online = Fixture::step("acme", "2").online_key.as_str().to_owned();
    let mut fixture = Fixture::step("acme", "2");
    fixture.manifest.kind = RequestKind::Resign;
    silent(&fixture, "baseline-threshold");
    keep_signatures(&mut fixture, "current.json", |one| one["keyid"] == *online);
    says(&fixture, "baseline-threshold", Severity::Block, "carry 1 of the 2 valid signatures");
    fixture.manifest.kind = RequestKind::Wave;
    says(&fixture, "baseline-threshold", Severity::Block, "carry 1 of the 2 valid signatures");
}

/// Production's targets of step 3 signed again, when the newest root asks for more than they carry.
fn rotated() -> Fixture {
    let online = Fixture::step("acme", "3").online_key.as_str().to_owned();
    let mut fixture = Fixture::step("acme", "3");
    fixture.manifest.kind = RequestKind::Resign;
    fixture.manifest.version = 42;
    fixture.manifest.prune.clear();
    let signed =
        fixture.baseline.as_ref().and_then(|b| b.root().get("signed")).expect("signed").span().to_vec();
    fixture.set_proposal(&signed);
    keep_signatures(&mut fixture, "current.json", |one| one["keyid"] == *online);
    fixture.older_root = Some(2);
    fixture
}

const ALL: [&str; 4] =
    ["intel-corei7-64-lmp-12", "intel-corei7-64-lmp-42", "raspberrypi4-64-lmp-12", "raspberrypi4-64-lmp-42"];

fn added(fixture: &Fixture) -> Vec<String> {
    fixture.with(|situation| {
        let review = crate::review::review(situation);
        review.diff.added.iter().map(|added| added.target.name.to_string()).collect()
    })
}

#[test]
fn an_older_root_alone_vouches_for_nothing_and_what_nobody_vouches_for_is_added() {
    let mut fixture = rotated();
    assert_eq!(added(&fixture), ALL);
    says(&fixture, "baseline-threshold", Severity::Warn, "Only the older root 2 is content");
    // As added ones they have to come from CI, which published them.
    assert_eq!(blocking(&fixture), [""; 0]);
    fixture.edit_ci(|signed| {
        signed["targets"].as_object_mut().expect("targets").remove("raspberrypi4-64-lmp-42");
    });
    says(
        &fixture,
        "added-from-ci",
        Severity::Block,
        "CI has not published a target \"raspberrypi4-64-lmp-42\"",
    );
    fixture.ci = None;
    says(&fixture, "added-from-ci", Severity::Block, "Nobody vouches for 4 targets");
    says(&fixture, "evidence", Severity::Block, "no ci-targets.json");
}

#[test]
fn the_stations_own_record_vouches_for_what_it_has() {
    let mut fixture = rotated();
    let digest = fixture.with(|situation| situation.message.digest().to_string());
    fixture.history.baseline = Some(SeenMark { version: 42, signed: digest, request: "0".repeat(64) });
    assert_eq!(added(&fixture), [""; 0]);
    fixture.ci = None;
    says(&fixture, "baseline-threshold", Severity::Note, "own record vouches for them");
    assert_eq!(blocking(&fixture), [""; 0]);
    // An older record vouches for what it holds, and for no more.
    let mut fixture = rotated();
    let older = Fixture::step("acme", "2").baseline.expect("a baseline");
    let older = older.root().get("signed").expect("signed").span().to_vec();
    fixture.record = Some(Document::parse("record", older, Limits::DEFAULT).expect("JSON"));
    assert_eq!(added(&fixture), ["intel-corei7-64-lmp-42", "raspberrypi4-64-lmp-42"]);
    fixture.ci = None;
    says(&fixture, "added-from-ci", Severity::Block, "Nobody vouches for 2 targets");
}

#[test]
fn what_is_signed_again_is_shown_whole() {
    let mut fixture = rotated();
    let digest = fixture.with(|situation| situation.message.digest().to_string());
    fixture.history.baseline = Some(SeenMark { version: 42, signed: digest, request: "0".repeat(64) });
    fixture.with(|situation| {
        let review = crate::review::review(situation);
        let (text, json) = (review.text(100, false), review.json());
        for name in ALL {
            assert!(text.contains(name), "{text}");
        }
        assert!(
            text.to_uppercase().contains("CONTENT THAT THE SIGNATURE IS ABOUT")
                && json.contains("\"kept_targets\":["),
            "{text}"
        );
    });
}

#[test]
fn a_request_that_brings_no_root_is_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    fixture.request_root = None;
    says(&fixture, "root-chain", Severity::Block, "brings no production root");
}

#[test]
fn ci_targets_that_the_online_key_did_not_sign_are_blocked() {
    let mut fixture = Fixture::step("acme", "2");
    silent(&fixture, "ci-signature");
    fixture.edit_ci(|signed| signed["version"] = 48.into());
    fixture.vouch_for_edits = false;
    says(&fixture, "ci-signature", Severity::Block, "does not fit the content");
    let mut fixture = Fixture::step("acme", "2");
    keep_signatures(&mut fixture, "ci-targets.json", |_| false);
    says(&fixture, "ci-signature", Severity::Block, "no valid signature by the pinned online key");
    let mut fixture = Fixture::step("acme", "2");
    fixture.now = at("2036-01-01T00:00:00Z");
    says(&fixture, "ci-signature", Severity::Warn, "expired on 2036-01-01T00:00:00Z");
}

#[test]
fn ci_targets_older_or_other_than_those_that_were_seen_are_told() {
    let mut fixture = Fixture::step("acme", "2");
    let seen = |version: u64| SeenMark { version, signed: "0".repeat(64), request: "0".repeat(64) };
    fixture.files.insert("ci-targets.json".to_owned(), seen(46));
    silent(&fixture, "ci-signature");
    fixture.files.insert("ci-targets.json".to_owned(), seen(47));
    says(&fixture, "ci-signature", Severity::Warn, "another content than those of version 47");
    fixture.files.insert("ci-targets.json".to_owned(), seen(48));
    says(&fixture, "ci-signature", Severity::Warn, "this station has seen version 48");
}

/// The second officer's wave with its signatures changed.
fn with_signatures(edit: impl FnOnce(&mut Vec<Json>)) -> Fixture {
    let mut fixture = Fixture::second_officer("acme");
    let root = fixture.proposal.root();
    let span = root.get("signatures").expect("signatures").span();
    let mut list: Vec<Json> = serde_json::from_slice(span).expect("signatures");
    edit(&mut list);
    let signed = root.get("signed").expect("signed").span().to_vec();
    fixture.proposal = envelope("targets.json", &signed, &serde_json::to_vec(&list).expect("JSON"));
    fixture
}

#[test]
fn signatures_for_which_devices_reject_the_file_are_blocked_and_strange_ones_are_told() {
    silent(&Fixture::second_officer("acme"), "existing-signatures");
    let check = "existing-signatures";
    let fixture = with_signatures(|list| list.push(list[0].clone()));
    let finding = says(&fixture, check, Severity::Block, "stands twice");
    assert_eq!(finding.path, "targets.json: signatures[2]");
    let fixture = with_signatures(|list| list[1]["method"] = "ecdsa".into());
    says(&fixture, check, Severity::Block, "names the method \"ecdsa\"");
    let fixture = with_signatures(|list| list[1]["sig"] = list[0]["sig"].clone());
    says(&fixture, check, Severity::Block, "does not fit the content");
    let fixture = with_signatures(|list| drop(list[1].as_object_mut().expect("one").remove("method")));
    says(&fixture, check, Severity::Block, "names no method");
    let fixture = with_signatures(|list| list[1]["keyid"] = "aa".into());
    says(&fixture, check, Severity::Warn, "by key aa is by no targets key");
    let fixture = with_signatures(|list| list[1]["note"] = "\u{1b}[2J".into());
    says(&fixture, check, Severity::Warn, "no part of a signature: \"note\"");
}

#[test]
fn a_signature_by_our_own_key_that_we_did_not_make_blocks() {
    let mut fixture = Fixture::second_officer("acme");
    fixture.own_keys = Fixture::step("acme", "5").own_keys;
    says(&fixture, "existing-signatures", Severity::Block, "Your key may be copied");
    super::integrity::sign(&mut fixture);
    silent(&fixture, "existing-signatures");
    // Also one that was retired here.
    let mut fixture = Fixture::second_officer("acme");
    fixture.vault = Fixture::step("acme", "5").own_keys;
    says(&fixture, "existing-signatures", Severity::Block, "is or was in this station's vault");
}

#[test]
fn production_that_our_own_key_signed_later_than_we_did_blocks() {
    let mut fixture = Fixture::step("acme", "3");
    // fioctl signed it before the key came here: nothing says otherwise.
    silent(&fixture, "existing-signatures");
    super::integrity::sign(&mut fixture);
    fixture.history.signed[0].version = 41;
    fixture.history.signed[0].signed = "0".repeat(64);
    says(&fixture, "existing-signatures", Severity::Block, "production's targets of today carry");
    fixture.history.signed[0].version = 42;
    silent(&fixture, "existing-signatures");
}

#[test]
fn the_outlook_names_who_has_signed_and_who_still_has_to() {
    let fixture = Fixture::step("acme", "5");
    let words = "Devices ask for 3 signatures. Nobody has signed yet; with this station's signature there is 1; 2 are \
                 still missing";
    let finding = says(&fixture, "threshold-outlook", Severity::Note, words);
    assert!(finding.message.contains("owner \"u1\""), "{}", finding.message);
    let second = Fixture::second_officer("acme");
    says(&second, "threshold-outlook", Severity::Note, "there are 3; that is enough for devices");
    let mut nobody = Fixture::step("acme", "2");
    nobody.own_keys.clear();
    let words = "Nobody has signed yet; this station has no key that could add one, so there are 0; ";
    says(&nobody, "threshold-outlook", Severity::Note, words);
}

#[test]
fn files_longer_than_devices_read_are_blocked_and_long_ones_are_told() {
    let mut fixture = Fixture::step("acme", "1");
    silent(&fixture, "device-size");
    let mut pad = |bytes: usize| {
        fixture.set_proposal(
            json!({"_type": "Targets", "expires": "2027-11-23T00:00:00Z", "version": 12, "targets": {
                "t-12": {"custom": {"pad": "x".repeat(bytes)}, "hashes": {}, "length": 0}
            }})
            .to_string()
            .as_bytes(),
        );
        of(&fixture, "device-size")
    };
    assert_eq!(pad(6_000_000), []);
    let near = pad(7_000_000);
    assert!(near[0].severity == Severity::Warn && near[0].message.contains("80 %"), "{near:?}");
    let over = pad(8 << 20);
    assert!(over[0].severity == Severity::Block && over[0].message.contains("at most 8388608"), "{over:?}");
}

#[test]
fn the_length_of_signatures_still_to_come_is_counted() {
    for factory in ["acme", "rsa"] {
        let mut fixture = Fixture::step(factory, "1");
        let estimated = fixture.with(|s| super::super::limits::final_length(&super::super::Subject::new(s)));
        // With the signatures of the wave as the service completed it, nothing is left to estimate.
        let wave =
            format!("{}/tests/fixtures/fioctl/{factory}/1-populate/wave.json", env!("CARGO_MANIFEST_DIR"));
        let wave: Json = serde_json::from_slice(&std::fs::read(wave).expect("a fixture")).expect("JSON");
        let signatures = serde_json::to_vec(&wave["targets"]["signatures"]).expect("JSON");
        let signed = fixture.proposal.root().get("signed").expect("signed").span().to_vec();
        fixture.proposal = envelope("targets.json", &signed, &signatures);
        let real = fixture.with(|s| super::super::limits::final_length(&super::super::Subject::new(s)));
        assert!(estimated >= real && estimated - real < 256, "{factory}: {estimated} {real}");
    }
}

#[test]
fn a_root_longer_than_devices_read_is_blocked_and_a_long_one_is_told() {
    for (length, severity) in [(60_000, Severity::Warn), (66_000, Severity::Block)] {
        let mut fixture = Fixture::step("acme", "2");
        let mut all = roots("acme", "2");
        let newest = all.pop().expect("a root");
        let mut bytes = newest.bytes;
        bytes.resize(length, b'\n');
        all.push(Root::parse("3.root.json", &bytes).expect("a root"));
        fixture.chain = Chain::verify(all).expect("the chain holds");
        says(&fixture, "device-size", severity, &format!("Production root 3 has {length} bytes"));
    }
}
