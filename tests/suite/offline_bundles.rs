//! The list of an offline bundle names targets and holds none: what it names is shown, and it brings devices nothing that
//! no wave released.

use crate::common::{Desk, Ran, copy_folder, fixture, json, rewrite, text};
use countersign::testing::cli::Exit;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A connected machine with the downloads after wave 42, and a station.
struct Bundles {
    desk: Desk,
    downloads: PathBuf,
}

impl Bundles {
    fn new() -> Bundles {
        let desk = Desk::new();
        desk.init("acme", "acme-gateway", "1-populate");
        desk.add_officer("alice");
        desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
        let downloads = desk.path("downloads");
        copy_folder(&fixture("acme/3-prune"), &downloads);
        Bundles { desk, downloads }
    }

    /// The list, as the service makes it.
    fn list(&self, kind: &str, tag: &str, version: u64, names: &[&str]) -> PathBuf {
        let signed = json!({
            "_type": "Targets", "expires": "2027-01-01T00:00:00Z", "version": version,
            "x-fio-offline-bundle": {"tag": tag, "targets": names, "type": kind},
        });
        let path = self.desk.path("bundle-targets.json");
        std::fs::write(&path, json!({"signatures": [], "signed": signed}).to_string()).expect("written");
        path
    }

    fn request(&self, list: &Path, tag: &str, name: &str) -> (PathBuf, Ran) {
        let out = self.desk.path(name);
        let arguments = ["--json", "request", "--from", text(&self.downloads), "--factory", "acme-gateway"];
        let what = ["--offline-bundle", text(list), "--tag", tag, "--out", text(&out)];
        let ran = self.desk.run(&[arguments.as_slice(), &what].concat());
        (out, ran)
    }

    /// The wave list has a wave of a version in a state.
    fn with_wave(&self, version: u64, status: &str) {
        let path = self.downloads.join("waves.json");
        let mut waves = json(&path);
        let wave =
            json!({"name": "next", "version": version.to_string(), "tag": "production", "status": status});
        waves["waves"].as_array_mut().expect("waves").push(wave);
        waves["total"] = waves["waves"].as_array().map(Vec::len).into();
        std::fs::write(&path, waves.to_string()).expect("written");
    }
}

fn said(of: &Value, check: &str, severity: &str) -> String {
    let findings = of["findings"].as_array().expect("a list");
    let of = findings.iter().filter(|one| one["check"] == check && one["severity"] == severity);
    of.filter_map(|one| one["message"].as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_bundle_of_productions_targets_names_is_shown_and_signed() {
    let bundles = Bundles::new();
    let list = bundles.list("prod", "production", 42, &["intel-corei7-64-lmp-42"]);
    let (request, ran) = bundles.request(&list, "production", "request");
    ran.done();
    let (id, review) = bundles.desk.import(&request);
    assert_eq!(review["signable"], true, "{:#}", review["findings"]);
    assert_eq!((&review["removed"], &review["added"]), (&json!([]), &json!([])));
    assert_eq!(review["named_targets"][0]["name"], "intel-corei7-64-lmp-42");
    let page = bundles.desk.run(&["review", &id]).done().out;
    let (_, content) = page.split_once("which the bundle names").expect("the section");
    assert!(content.contains("hub.foundries.io/") && !page.contains("REMOVALS"), "{page}");
    bundles.desk.sign(&id, &review, "alice", &[]).done();
    let signed = bundles.desk.export(&id, "signed");
    assert_eq!(json(&signed.join("upload/bundle-targets.json"))["signed"], json(&list)["signed"]);
}

#[test]
fn a_bundle_that_takes_devices_back_says_so() {
    let bundles = Bundles::new();
    let list = bundles.list("prod", "production", 12, &["intel-corei7-64-lmp-12"]);
    let (request, ran) = bundles.request(&list, "production", "request");
    ran.done();
    let (_, review) = bundles.desk.import(&request);
    assert!(said(&review, "version-increases", "warn").contains("is of version 12, production is at 42"));
    let words = said(&review, "composition", "warn");
    assert!(words.contains("would bring version 12 to devices of the hardware id"), "{words}");
}

#[test]
fn a_bundle_brings_what_a_wave_is_rolling_out_and_nothing_that_no_wave_released() {
    for (status, is_released) in
        [(None, false), (Some("canceled"), false), (Some("complete"), false), (Some("active"), true)]
    {
        let bundles = Bundles::new();
        if let Some(status) = status {
            bundles.with_wave(43, status);
        }
        let list = bundles.list("prod", "production", 43, &["intel-corei7-64-lmp-43"]);
        let (request, ran) = bundles.request(&list, "production", "request");
        if !is_released {
            let refused = ran.ended(Exit::Refused).json();
            let words = said(&refused, "composition", "block");
            assert!(words.contains("no wave released"), "{status:?}: {words}");
            continue;
        }
        ran.done();
        let (id, review) = bundles.desk.import(&request);
        assert!(said(&review, "composition", "warn").contains("the wave \"next\" of its version as active"));
        assert_eq!(review["named_targets"][0]["name"], "intel-corei7-64-lmp-43");
        bundles.desk.sign(&id, &review, "alice", &[]).done();
    }
}

#[test]
fn a_bundle_of_ci_targets_is_for_tags_that_production_does_not_have() {
    let bundles = Bundles::new();
    let list = bundles.list("ci", "production", 47, &["intel-corei7-64-lmp-47"]);
    let (_, ran) = bundles.request(&list, "production", "request");
    let words = said(&ran.ended(Exit::Refused).json(), "composition", "block");
    assert!(words.contains("\"production\" is a tag of production devices"), "{words}");
    let list = bundles.list("ci", "devel", 47, &["intel-corei7-64-lmp-47"]);
    let (request, ran) = bundles.request(&list, "devel", "of-ci");
    ran.done();
    let (id, review) = bundles.desk.import(&request);
    assert_eq!(review["signable"], true, "{:#}", review["findings"]);
    let page = bundles.desk.run(&["review", &id]).done().out;
    assert!(page.contains("hub.foundries.io/") && !page.contains("REMOVALS"), "{page}");
    // The station remembers the tag where the request does not show it.
    let wave = bundles.desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    let (id, review) = bundles.desk.import(&wave);
    bundles.desk.sign(&id, &review, "alice", &[]).done();
    for file in ["prod-targets.json", "waves.json"] {
        std::fs::remove_file(bundles.downloads.join(file)).expect("removed");
    }
    let list = bundles.list("ci", "production", 47, &["intel-corei7-64-lmp-47"]);
    let (request, ran) = bundles.request(&list, "production", "hidden");
    ran.done();
    let (id, review) = bundles.desk.import(&request);
    let words = said(&review, "composition", "block");
    assert!(words.contains("\"production\" is a tag of production devices"), "{:#}", review["findings"]);
    bundles.desk.sign(&id, &review, "alice", &[]).ended(Exit::Refused);
}

#[test]
fn a_bundle_that_names_a_target_twice_is_blocked_and_shows_it_once() {
    let bundles = Bundles::new();
    let name = "intel-corei7-64-lmp-42";
    let once = bundles.list("prod", "production", 42, &[name]);
    let (request, ran) = bundles.request(&once, "production", "request");
    ran.done();
    let mut envelope = json(&request.join("targets.json"));
    envelope["signed"]["x-fio-offline-bundle"]["targets"] = json!([name, name, name]);
    rewrite(&request, "targets.json", envelope.to_string().as_bytes());
    let (id, review) = bundles.desk.import(&request);
    let words = said(&review, "composition", "block");
    assert_eq!(words.matches("names the target \"intel-corei7-64-lmp-42\" again").count(), 2, "{words}");
    assert_eq!(review["named_targets"].as_array().map(Vec::len), Some(1));
    bundles.desk.sign(&id, &review, "alice", &[]).ended(Exit::Refused);
}
