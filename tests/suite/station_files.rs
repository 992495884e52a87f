//! The log is the station's only memory: a file that says something else changes nothing, or stops the station.

use crate::common;

use common::{Desk, copy_folder, fixture, json, text};
use countersign::testing::cli::Exit;
use std::path::{Path, PathBuf};

fn desk() -> (Desk, String) {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    ["ann", "bob"].iter().for_each(|name| desk.add_officer(name));
    let keyid = desk.import_key(&fixture("acme/targets.keys.tgz"), "ann", "1");
    (desk, keyid)
}

/// Another station of another Factory, whose files are well-formed and wrong here.
fn stranger() -> Desk {
    let desk = Desk::new();
    desk.init("rsa", "acme-gateway", "2-update");
    ["ann", "bob"].iter().for_each(|name| desk.add_officer(name));
    desk
}

/// Every command that opens the station stops, and names the file.
#[track_caller]
fn stops(desk: &Desk, file: &str) {
    for command in [vec!["status"], vec!["review"], vec!["officer", "list"], vec!["log", "verify"]] {
        let ran = desk.run(&command).ended(Exit::Tampered);
        assert!(ran.err.contains(file), "{command:?}: {}", ran.err);
    }
}

/// A file that stands where it should not; dropping it puts the right one back.
struct Exchanged(PathBuf, Vec<u8>);

impl Drop for Exchanged {
    fn drop(&mut self) {
        std::fs::write(&self.0, &self.1).expect("put back");
    }
}

fn swap(desk: &Desk, name: &str, with: &Path) -> Exchanged {
    let path = desk.station().join(name);
    let back = Exchanged(path.clone(), common::read(&path));
    std::fs::write(path, common::read(with)).expect("exchanged");
    back
}

#[test]
fn an_exchanged_officer_stops_the_station() {
    let ((desk, _), stranger) = (desk(), stranger());
    let other = |name: &str| stranger.station().join(name);
    {
        let _secret = swap(&desk, "officers/bob.age", &other("officers/bob.age"));
        let _public = swap(&desk, "officers/bob.pub", &other("officers/bob.pub"));
        stops(&desk, "officers/bob.pub");
    }
    let mallory = desk.station().join("officers/mallory.pub");
    let text_of = String::from_utf8(common::read(&desk.station().join("officers/bob.pub"))).expect("text");
    std::fs::write(&mallory, text_of.replace("\"bob\"", "\"mallory\"")).expect("written");
    stops(&desk, "officers/mallory.pub");
    std::fs::remove_file(mallory).expect("removed");
    desk.run(&["status"]).done();
    desk.run(&["log", "verify"]).done();
}

#[test]
fn a_policy_roots_and_an_online_key_that_are_put_beside_the_log_change_nothing() {
    let (desk, _) = desk();
    let said = || {
        ["status", "policy show", "trust show", "log head"].map(|command| {
            let words: Vec<&str> = std::iter::once("--json").chain(command.split(' ')).collect();
            desk.run(&words).done().out
        })
    };
    let before = said();
    let policy = desk.run(&["policy", "show"]).done().out;
    let loose =
        policy.replace("separate_roles = [", "separate_roles = [] # [").replace("count = 1", "count = 0");
    std::fs::write(desk.station().join("policy.toml"), loose).expect("written");
    let station =
        "format = \"countersign/station/2\"\nfactory = \"rsa\"\ndialect = \"tuf\"\nnetworked = false\n";
    std::fs::write(desk.station().join("station.toml"), station).expect("written");
    let (trust, roots) = (desk.station().join("trust"), fixture("rsa/2-update/prod-roots"));
    std::fs::create_dir(&trust).expect("made");
    copy_folder(&roots, &trust.join("prod-roots"));
    std::fs::copy(fixture("rsa/2-update/ci-targets.pub"), trust.join("online-key.json")).expect("copied");
    assert_eq!(said(), before);
    // What the log names must be there.
    let object = common::read(&desk.station().join("log/events/000000.jsonl"));
    let object = String::from_utf8(object).expect("text");
    let pinned = object.lines().find(|line| line.contains("\"root.pinned\"")).expect("a root");
    let pinned: serde_json::Value = serde_json::from_str(pinned).expect("JSON");
    let name = pinned["object"].as_str().expect("a digest");
    std::fs::remove_file(desk.station().join("log/objects/sha256").join(name)).expect("removed");
    let ran = desk.run(&["trust", "show"]).ended(Exit::Tampered);
    assert!(ran.err.contains(name), "{}", ran.err);
}

#[test]
fn an_older_folder_of_a_key_opens_nothing() {
    let (desk, keyid) = desk();
    let folder = desk.station().join("keys").join(&keyid);
    let older = desk.path("older");
    copy_folder(&folder, &older);
    let ann = desk.passphrase("ann");
    let reseal = [
        "key",
        "reseal",
        &keyid,
        "--officer",
        "ann",
        "--to",
        "bob",
        "--quorum",
        "1",
        "--passphrase-file",
        &ann,
    ];
    desk.run(&reseal).done();
    let newer = desk.path("newer");
    copy_folder(&folder, &newer);
    std::fs::remove_dir_all(&folder).expect("removed");
    copy_folder(&older, &folder);
    let ran = desk
        .run(&["key", "drill", &keyid, "--officer", "ann", "--passphrase-file", &ann])
        .ended(Exit::Tampered);
    assert!(ran.err.contains("not sealed as log entry"), "{}", ran.err);
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let (id, review) = desk.import(&request);
    desk.sign(&id, &review, "ann", &[]).ended(Exit::Tampered);
    // Nor is it sealed anew by those who held it then.
    assert!(desk.run(&reseal).ended(Exit::Tampered).err.contains("an older folder"));
    std::fs::remove_dir_all(&folder).expect("removed");
    copy_folder(&newer, &folder);
    desk.sign(&id, &review, "bob", &[]).done();
}

#[test]
fn a_retired_officer_whose_file_says_that_she_serves_stays_retired() {
    let (desk, _) = desk();
    let bob = desk.station().join("officers/bob.pub");
    let serving = common::read(&bob);
    desk.by(&["ann", "bob"], &["officer", "retire", "bob"]).done();
    std::fs::write(&bob, serving).expect("written");
    desk.run(&["preflight"]).done();
    assert!(desk.run(&["officer", "list"]).done().out.contains("retired"));
}

#[test]
fn a_clock_that_fell_behind_the_log_stays_refused_until_an_officer_states_the_time() {
    let (desk, _) = desk();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let (id, review) = desk.import(&request);
    desk.clock.set("2027-12-29T17:00:00Z");
    desk.run(&["preflight"]).done();
    desk.clock.set(common::NOW);
    // One entry at the earlier time does not make it the right one.
    for _ in 0..2 {
        let ran = desk.run(&["preflight"]).ended(Exit::Refused);
        assert!(ran.out.contains("countersign clock"), "{}", ran.out);
        desk.sign(&id, &review, "ann", &[]).ended(Exit::Refused);
    }
    let ann = desk.passphrase("ann");
    let reason = "the year was wrong";
    desk.run(&["clock", "--officer", "ann", "--reason", reason, "--passphrase-file", &ann]).done();
    desk.run(&["preflight"]).done();
    let review = desk.run(&["--json", "review", &id]).done().json();
    desk.sign(&id, &review, "ann", &[]).done();
    let shown = desk.run(&["log", "show", "--type", "time.statement"]).done();
    assert!(shown.out.contains(reason), "{}", shown.out);
    desk.run(&["log", "verify"]).done();
}

/// A policy under which who takes a request in does not approve it.
fn separate_importer(desk: &Desk) {
    let policy = desk.run(&["policy", "show"]).done().out;
    let strict = desk.path("strict.toml");
    std::fs::write(&strict, policy.replace("importer_may_approve = true", "importer_may_approve = false"))
        .expect("written");
    desk.by(&["ann"], &["policy", "set", text(&strict)]).done();
}

/// Takes a request in under an officer's name; returns its digest and its review.
fn import_by(desk: &Desk, request: &Path, officer: &str) -> (String, serde_json::Value) {
    let imported = desk.by(&[officer], &["--json", "import", text(request)]).done().json();
    let id = imported["request"].as_str().expect("a digest").to_owned();
    let review = desk.run(&["--json", "review", &id]).done().json();
    (id, review)
}

fn approve(desk: &Desk, id: &str, review: &serde_json::Value, officer: &str) -> common::Ran {
    let (words, passphrase) = (review["confirm"].as_str().expect("words"), desk.passphrase(officer));
    desk.run(&["approve", id, "--officer", officer, "--confirm", words, "--passphrase-file", &passphrase])
}

#[test]
fn who_took_a_request_in_is_what_the_log_says_and_not_what_a_file_beside_it_says() {
    let (desk, _) = desk();
    separate_importer(&desk);
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let (id, review) = import_by(&desk, &request, "ann");
    approve(&desk, &id, &review, "ann").ended(Exit::NotApproved);
    let note = desk.station().join("requests").join(&id).join("import.json");
    let whole = String::from_utf8(common::read(&note)).expect("text");
    for (named, told) in [("bob", "it names bob as the importer"), ("", "it names no importer")] {
        std::fs::write(&note, whole.replace("\"ann\"", &format!("\"{named}\""))).expect("written");
        for ran in [
            approve(&desk, &id, &review, "ann"),
            desk.sign(&id, &review, "ann", &[]),
            desk.run(&["review", &id]),
        ] {
            let ran = ran.ended(Exit::Failed);
            assert!(ran.err.contains("import.json") && ran.err.contains(told), "{}", ran.err);
        }
        // The same request once more puts it right, and says so; who took it in before is not forgotten.
        let (_, review) = import_by(&desk, &request, "ann");
        assert_eq!(json(&note)["importer"], "ann");
        approve(&desk, &id, &review, "ann").ended(Exit::NotApproved);
        desk.sign(&id, &review, "ann", &[]).ended(Exit::NotApproved);
    }
    let told = desk.run(&["log", "show", "--type", "deviation"]).done().out;
    assert_eq!(told.matches("had been changed since it was taken in").count(), 2, "{told}");
}

#[test]
fn whether_a_request_brings_evidence_is_told_from_its_own_files() {
    let (desk, _) = desk();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    for path in [request.clone(), request.join("targets.json")] {
        let (id, review) = desk.import(&path);
        let note = desk.station().join("requests").join(&id).join("import.json");
        let whole = String::from_utf8(common::read(&note)).expect("text");
        let is_bare = path != request;
        let [said, other] = [is_bare, !is_bare].map(|bare| format!("\"bare\": {bare}"));
        assert!(whole.contains(&said), "{whole}");
        std::fs::write(&note, whole.replace(&said, &other)).expect("written");
        assert_eq!(desk.run(&["--json", "review", &id]).json(), review);
    }
}

#[test]
fn everybody_who_took_a_request_in_is_kept_from_approving_it() {
    let (desk, _) = desk();
    desk.add_officer("eve");
    separate_importer(&desk);
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    import_by(&desk, &request, "ann");
    let (id, review) = import_by(&desk, &request, "bob");
    for name in ["ann", "bob"] {
        let ran = approve(&desk, &id, &review, name).ended(Exit::NotApproved);
        assert!(ran.err.contains(&format!("{name} imported this request")), "{}", ran.err);
    }
    approve(&desk, &id, &review, "eve").done();
    desk.sign(&id, &review, "ann", &[]).done();
    let evidence = desk.path("evidence");
    desk.run(&["log", "export", text(&evidence)]).done();
    desk.run(&["audit", "verify", text(&evidence)]).done();
}

#[test]
fn a_request_that_the_log_does_not_have_is_not_opened() {
    let (desk, _) = desk();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let other = Desk::new();
    other.init("acme", "acme-gateway", "2-update");
    let (id, review) = other.import(&request);
    let (from, to) = (other.station().join("requests").join(&id), desk.station().join("requests").join(&id));
    copy_folder(&from, &to);
    for ran in [desk.run(&["review", &id]), approve(&desk, &id, &review, "ann")] {
        let ran = ran.ended(Exit::Failed);
        assert!(ran.err.contains("the log does not say that it was taken in"), "{}", ran.err);
    }
    // As after a crash between the files and the entry: taking it in is all that is missing.
    let (_, review) = desk.import(&request);
    desk.sign(&id, &review, "ann", &[]).done();
    assert!(!desk.run(&["log", "show"]).done().out.contains("had been changed"));
}

#[test]
fn where_the_importer_may_not_approve_it_is_known_who_took_the_request_in() {
    let (desk, _) = desk();
    separate_importer(&desk);
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let ran = desk.run(&["import", text(&request)]).ended(Exit::Refused);
    assert!(ran.err.contains("--officer NAME"), "{}", ran.err);
    let (id, review) = import_by(&desk, &request, "ann");
    // The only one who holds the key took it in: hers is no approval.
    desk.sign(&id, &review, "ann", &[]).ended(Exit::NotApproved);
    approve(&desk, &id, &review, "bob").done();
    desk.sign(&id, &review, "ann", &[]).done();
}
