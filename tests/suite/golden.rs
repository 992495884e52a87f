//! The main job against what the real fioctl wrote: the same bytes are composed, and the same signatures come out.

use crate::common;

use common::{Desk, fixture, json, read, text};
use countersign::testing::cli::Exit;

const STEPS: [(&str, &str, u64, &[&str]); 4] = [
    ("1-populate", "populate-targets", 12, &[]),
    ("2-update", "v2.0-update", 42, &[]),
    ("3-prune", "v2.1-prune", 43, &["--prune", "12"]),
    ("4-after-cancel", "v2.2", 44, &[]),
];

fn desk(factory: &str) -> (Desk, String) {
    let desk = Desk::new();
    desk.init(factory, "acme-gateway", "1-populate");
    desk.add_officer("alice");
    let keyid = desk.import_key(&fixture(&format!("{factory}/targets.keys.tgz")), "alice", "1");
    (desk, keyid)
}

#[test]
fn a_station_that_walks_the_steps_signs_what_fioctl_signed_byte_for_byte() {
    let (desk, _) = desk("acme");
    for (step, wave, version, more) in STEPS {
        let folder = fixture(&format!("acme/{step}"));
        let request = desk.request(&folder, "acme-gateway", wave, version, more);
        let (id, review) = desk.import(&request);
        assert_eq!(review["signable"], true, "{step}: {:#}", review["findings"]);
        desk.sign(&id, &review, "alice", &[]).done();
        let bundle = desk.export(&id, &format!("signed-{version}"));
        let ours = json(&bundle.join("upload/wave-create.json"));
        let theirs = json(&folder.join("wave-create.json"));
        assert_eq!(ours, theirs, "{step}");
        desk.run(&["verify", text(&bundle), "--roots", text(&folder.join("prod-roots"))]).done();
    }
}

#[test]
fn the_second_officers_further_signature_is_fioctls_byte_for_byte() {
    let (desk, first) = desk("acme");
    for (step, wave, version, more) in STEPS {
        let request = desk.request(&fixture(&format!("acme/{step}")), "acme-gateway", wave, version, more);
        let (id, review) = desk.import(&request);
        desk.sign(&id, &review, "alice", &[]).done();
    }
    let folder = fixture("acme/5-two-officers");
    let request = desk.request(&folder, "acme-gateway", "v3.0", 45, &[]);
    let (id, review) = desk.import(&request);
    desk.add_officer("bob");
    let second = desk.import_key(&fixture("acme/officer2.keys.tgz"), "bob", "1");
    assert_ne!(first, second);
    // The review was shown before the second key came: it says who still has to sign, and that changed.
    let review =
        if review["signable"] == true { desk.run(&["--json", "review", &id]).json() } else { review };
    desk.sign(&id, &review, "alice", &["--key", &first]).done();
    let bundle = desk.export(&id, "signed-45");
    assert_eq!(json(&bundle.join("upload/wave-create.json")), json(&folder.join("wave-create.json")));

    let (id, review) = desk.import(&folder.join("wave.json"));
    assert_eq!(review["signable"], true, "{:#}", review["findings"]);
    desk.sign(&id, &review, "bob", &["--key", &second]).done();
    let bundle = desk.export(&id, "signed-45-bob");
    assert_eq!(json(&bundle.join("upload/wave-sign.json")), json(&folder.join("wave-sign.json")));
    let verdict =
        desk.run(&["--json", "verify", text(&bundle), "--roots", text(&folder.join("prod-roots"))]).done();
    assert_eq!(verdict.json()["complete"], true);
}

#[test]
fn rsa_keys_sign_and_verify() {
    let desk = Desk::new();
    desk.init("rsa", "acme-gateway", "1-populate");
    desk.add_officer("alice");
    desk.import_key(&fixture("rsa/targets.keys.tgz"), "alice", "1");
    for (step, wave, version, more) in STEPS {
        let folder = fixture(&format!("rsa/{step}"));
        let request = desk.request(&folder, "acme-gateway", wave, version, more);
        let (id, review) = desk.import(&request);
        assert_eq!(review["signable"], true, "{step}: {:#}", review["findings"]);
        desk.sign(&id, &review, "alice", &[]).done();
        let bundle = desk.export(&id, &format!("signed-{version}"));
        let (ours, theirs) =
            (json(&bundle.join("upload/wave-create.json")), json(&folder.join("wave-create.json")));
        assert_eq!(ours["targets"]["signed"], theirs["targets"]["signed"]);
        assert_eq!(ours["targets"]["signatures"][0]["keyid"], theirs["targets"]["signatures"][0]["keyid"]);
        let verdict = desk
            .run(&["--json", "verify", text(&bundle), "--roots", text(&folder.join("prod-roots"))])
            .done();
        assert_eq!(verdict.json()["valid"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn content_on_which_implementations_disagree_is_blocked_with_each_place_named() {
    let desk = Desk::new();
    desk.init("odd", "odd-chars", "1-populate");
    desk.add_officer("alice");
    desk.import_key(&fixture("odd/targets.keys.tgz"), "alice", "1");
    let request = desk.request_unseen(&fixture("odd/1-populate"), "odd-chars", "populate-targets", 12);
    let (id, review) = desk.import(&request);
    assert_eq!(review["signable"], false);
    let places: Vec<&str> = review["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["check"] == "canonical-portable")
        .filter_map(|finding| finding["path"].as_str())
        .collect();
    for place in ["release-notes", "x-number", "docker_compose_apps"] {
        assert!(places.iter().any(|path| path.contains(place)), "{place}: {places:?}");
    }
    desk.run(&["review", &id]).ended(Exit::Refused);
    desk.sign(&id, &review, "alice", &[]).ended(Exit::Refused);
}

#[test]
fn the_signed_bundle_passes_sha256sum() {
    let (desk, _) = desk("acme");
    let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    let (id, review) = desk.import(&request);
    desk.sign(&id, &review, "alice", &[]).done();
    let bundle = desk.export(&id, "signed");
    let status = std::process::Command::new("sha256sum")
        .args(["--quiet", "--strict", "-c", "SHA256SUMS"])
        .current_dir(&bundle)
        .status()
        .expect("sha256sum runs");
    assert!(status.success());
    for name in [
        "signed.json",
        "targets.json",
        "request.json",
        "upload/wave-create.json",
        "upload/wave-sign.json",
        "review.txt",
        "review.html",
        "log/checkpoint",
        "log/receipt.tlog-proof",
    ] {
        assert!(!read(&bundle.join(name)).is_empty(), "{name}");
    }
}

/// What an offline update's `bundle-targets.json` looks like before it is signed.
fn bundle_targets(name: &str) -> String {
    format!(
        "{{\"signatures\":[],\"signed\":{{\"_type\":\"Targets\",\"expires\":\"2027-06-01T00:00:00Z\",\"version\":45,\
         \"x-fio-offline-bundle\":{{\"type\":\"prod\",\"tag\":\"production\",\"targets\":[\"{name}\"]}}}}}}"
    )
}

#[test]
fn an_offline_bundle_is_signed_for_targets_that_the_tag_has_and_for_no_others() {
    let (desk, _) = desk("acme");
    let (step, wave, version, more) = STEPS[0];
    let request = desk.request(&fixture(&format!("acme/{step}")), "acme-gateway", wave, version, more);
    let (id, review) = desk.import(&request);
    desk.sign(&id, &review, "alice", &[]).done();
    // A bare file proves nothing about production; the policy may let the station's own memory stand in.
    let policy =
        desk.run(&["policy", "show"]).done().out.replace("# evidence = \"block\"", "evidence = \"warn\"");
    std::fs::write(desk.path("policy.toml"), policy).expect("written");
    desk.by(&["alice"], &["policy", "set", text(&desk.path("policy.toml"))]).done();
    for (name, signable) in [("intel-corei7-64-lmp-12", true), ("intel-corei7-64-lmp-99", false)] {
        let file = desk.path("bundle-targets.json");
        std::fs::write(&file, bundle_targets(name)).expect("written");
        let (id, review) = desk.import(&file);
        assert_eq!(review["signable"], signable, "{:#}", review["findings"]);
        if signable {
            desk.sign(&id, &review, "alice", &[]).done();
            let bundle = desk.export(&id, "signed-bundle");
            let upload = json(&bundle.join("upload/bundle-targets.json"));
            assert_eq!(upload["signatures"].as_array().map(Vec::len), Some(1));
            assert_eq!(upload["signed"]["x-fio-offline-bundle"]["targets"][0], name);
        }
    }
    desk.run(&["log", "verify"]).done();
}
