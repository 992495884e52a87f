//! The log is the station's only memory: a file that says something else changes nothing, or stops the station.

use crate::common;

use common::{Desk, copy_folder, fixture, text};
use countersign::testing::cli::Exit;
use std::path::Path;

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

#[test]
fn an_officers_file_of_another_station_is_nobody_here() {
    let ((desk, _), stranger) = (desk(), stranger());
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let (id, review) = desk.import(&request);
    let listed = desk.run(&["--json", "officer", "list"]).done().out;
    let folder = desk.station().join("officers");
    let (own, other) = (folder.join("bob.age"), folder.join("mallory.age"));
    let theirs = stranger.station().join("officers/bob.age");
    std::fs::copy(&theirs, &own).expect("exchanged");
    std::fs::copy(&theirs, &other).expect("put there");
    // A public half beside it makes nobody an officer.
    let public = r#"{"format":"countersign/officer/1","name":"mallory"}"#;
    std::fs::write(other.with_extension("pub"), public).expect("written");
    assert_eq!(desk.run(&["--json", "officer", "list"]).done().out, listed);
    let ran = approve(&desk, &id, &review, "bob").ended(Exit::Tampered);
    assert!(ran.err.contains("bob.age does not hold the keys"), "{}", ran.err);
    let (words, file) = (review["confirm"].as_str().expect("words"), desk.passphrase("bob"));
    let by_mallory = file.replacen("bob=", "mallory=", 1);
    let approval =
        ["approve", &id, "--officer", "mallory", "--confirm", words, "--passphrase-file", &by_mallory];
    assert!(desk.run(&approval).ended(Exit::NotApproved).err.contains("there is no officer mallory"));
    let add = ["officer", "add", "mallory", "--work-factor", "12", "--passphrase-file", &by_mallory];
    let ran = desk.run(&add).ended(Exit::Failed);
    assert!(ran.err.contains("mallory.age: the log has no such officer"), "{}", ran.err);
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
    // A note of 0.1, or by a stranger's hand.
    let note = desk.station().join("requests").join(&id).join("import.json");
    std::fs::write(&note, r#"{"format":"countersign/import/1","bare":true,"importer":"bob"}"#)
        .expect("written");
    assert_eq!(desk.run(&["--json", "review", &id]).done().json(), review);
    approve(&desk, &id, &review, "ann").ended(Exit::NotApproved);
    desk.sign(&id, &review, "ann", &[]).ended(Exit::NotApproved);
    approve(&desk, &id, &review, "bob").done();
}

#[test]
fn a_signature_that_is_put_beside_a_request_signs_nothing() {
    let (desk, keyid) = desk();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let (id, review) = desk.import(&request);
    let folder = desk.station().join("requests").join(&id).join("signatures");
    std::fs::create_dir(&folder).expect("made");
    let file = folder.join(format!("{keyid}.json"));
    std::fs::write(&file, r#"{"format":"countersign/signature/1","sig":"made up"}"#).expect("written");
    let bundle = desk.path("bundle");
    let ran = desk.run(&["export", &id, text(&bundle)]).ended(Exit::Failed);
    assert!(ran.err.contains("is not signed yet"), "{}", ran.err);
    std::fs::remove_dir_all(&folder).expect("removed");
    desk.sign(&id, &review, "ann", &[]).done();
    desk.run(&["export", &id, text(&bundle)]).done();
    desk.run(&["verify", text(&bundle)]).done();
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

#[test]
fn the_note_of_who_works_here_is_not_written_through_a_link() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    let (lock, other) = (desk.station().join("lock"), desk.path("other"));
    std::fs::write(&other, "somebody's file").expect("written");
    std::fs::remove_file(&lock).expect("removed");
    std::os::unix::fs::symlink(&other, &lock).expect("linked");
    desk.run(&["log", "verify"]).done();
    assert_eq!(std::fs::read(&other).expect("read"), b"somebody's file");
}
