//! A whole ceremony with a quorum of two, from the set-up to the auditor's verdict.

use crate::common;

use common::{Desk, copy_folder, fixture, text};
use countersign::testing::cli::Exit;
use std::path::PathBuf;

/// A station that one officer signs with.
fn alone() -> Desk {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    desk
}

/// fioctl's second wave.
fn update(desk: &Desk) -> PathBuf {
    desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[])
}

#[test]
fn the_auditor_finds_nothing_wrong_with_a_ceremony_that_had_refusals_in_it() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    desk.add_officer("alice");
    desk.add_officer("bob");
    desk.add_officer("carol");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice,bob,carol", "2");
    let request = update(&desk);
    let (id, review) = desk.import(&request);

    let alone = desk.sign(&id, &review, "alice", &[]).ended(Exit::NotApproved);
    assert!(alone.err.contains("opens with 2 officers together, and 1 came"), "{}", alone.err);
    let (bob, carol) = (desk.passphrase("bob"), desk.passphrase("carol"));
    desk.run(&["reject", &id, "--officer", "carol", "--reason", "wrong day", "--passphrase-file", &carol])
        .done();
    let with_bob = ["--officer", "bob", "--passphrase-file", bob.as_str()];
    let rejected = desk.sign(&id, &review, "alice", &with_bob).ended(Exit::NotApproved);
    assert!(rejected.err.contains("carol rejected this request"), "{}", rejected.err);
    let words = review["confirm"].as_str().expect("words");
    desk.run(&["approve", &id, "--officer", "carol", "--confirm", words, "--passphrase-file", &carol]).done();
    let signed = desk.sign(&id, &review, "alice", &with_bob).done();
    assert_eq!(signed.json()["strength"], "L1");
    desk.export(&id, "signed");

    desk.run(&["log", "verify"]).done();
    let pack = desk.path("pack");
    desk.run(&["log", "export", text(&pack)]).done();
    let verdict = desk.run(&["--json", "audit", "verify", text(&pack)]).done();
    let log = desk.run(&["--json", "log", "show"]).done().json();
    let count =
        |kind: &str| log.as_array().expect("entries").iter().filter(|entry| entry["type"] == kind).count();
    assert_eq!(
        (count("sign.intent"), count("sign.result"), count("sign.aborted")),
        (1, 1, 2),
        "{}",
        verdict.out
    );
}

#[test]
fn a_request_may_be_rejected_before_anybody_read_its_review() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    desk.add_officer("alice");
    let request = update(&desk);
    let id = desk.run(&["--json", "import", text(&request)]).done().json()["request"].clone();
    let (id, alice) = (id.as_str().expect("a digest"), desk.passphrase("alice"));
    desk.run(&["reject", id, "--officer", "alice", "--reason", "not announced", "--passphrase-file", &alice])
        .done();
    desk.run(&["log", "verify"]).done();
    let pack = desk.path("pack");
    desk.run(&["log", "export", text(&pack)]).done();
    desk.run(&["audit", "verify", text(&pack)]).done();
}

#[test]
fn what_the_log_does_not_say_was_shown_is_not_signed() {
    let desk = alone();
    let request = update(&desk);
    let (id, review) = desk.import(&request);
    let with_review = desk.path("with-review");
    copy_folder(&desk.station().join("requests"), &with_review);
    // The same request in a station whose log knows of no review, with every file that a review leaves beside it.
    let other = alone();
    other.run(&["--json", "import", text(&request)]).done();
    std::fs::remove_dir_all(other.station().join("requests")).expect("removed");
    copy_folder(&with_review, &other.station().join("requests"));
    let ran = other.sign(&id, &review, "alice", &[]).ended(Exit::NotApproved);
    assert!(ran.err.contains("was not reviewed on this station yet"), "{}", ran.err);
}

#[test]
fn a_bundle_shows_the_review_that_the_log_has_and_no_other() {
    let desk = alone();
    let request = update(&desk);
    let (id, review) = desk.import(&request);
    desk.sign(&id, &review, "alice", &[]).done();
    for name in ["review.txt", "review.html"] {
        let beside = desk.station().join("requests").join(&id).join(name);
        std::fs::write(beside, "nothing would change\n").expect("written");
    }
    let bundle = desk.export(&id, "signed");
    let shown = std::fs::read_to_string(bundle.join("review.txt")).expect("read");
    assert!(shown.contains("42") && !shown.contains("nothing would change"), "{shown}");
    let kept = desk.run(&["--json", "log", "show", "--type", "review.kept"]).done().json()[0].clone();
    let page = desk.station().join("log/objects/sha256").join(kept["html"].as_str().expect("a digest"));
    assert_eq!(std::fs::read(&page).expect("read"), std::fs::read(bundle.join("review.html")).expect("read"));
    std::fs::write(&page, "<p>nothing would change").expect("written");
    desk.run(&["export", &id, text(&desk.path("again"))]).ended(Exit::Tampered);
}

#[test]
fn the_same_signature_made_again_alarms_no_auditor() {
    let desk = alone();
    let request = update(&desk);
    for _ in 0..2 {
        let (id, review) = desk.import(&request);
        desk.sign(&id, &review, "alice", &[]).done();
    }
    let published = fixture("acme/2-update/wave.json");
    let station = desk.station();
    let compared = desk.run(&["audit", "reconcile", text(&station), "--targets", text(&published)]).done();
    assert!(compared.out.contains("REPEATED") && compared.out.contains("MATCH"), "{}", compared.out);
}

#[test]
fn an_approval_expires_once() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    desk.add_officer("alice");
    desk.add_officer("bob");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "bob", "1");
    let policy = desk.run(&["policy", "show"]).done().out;
    let two = desk.path("two.toml");
    std::fs::write(&two, policy.replace("\ncount = 1\n", "\ncount = 2\n")).expect("written");
    desk.by(&["alice", "bob"], &["policy", "set", text(&two)]).done();
    let request = update(&desk);
    let (id, review) = desk.import(&request);
    let (words, alice) = (review["confirm"].as_str().expect("words"), desk.passphrase("alice"));
    desk.run(&["approve", &id, "--officer", "alice", "--confirm", words, "--passphrase-file", &alice]).done();
    desk.clock.set("2026-11-24T13:00:00Z");
    for why in ["it expired", "it expired before"] {
        desk.run(&["review", &id]).done();
        let ran = desk.sign(&id, &review, "bob", &[]).ended(Exit::NotApproved);
        assert!(ran.err.contains(&format!("alice's approval is void: {why}.")), "{}", ran.err);
    }
    let expired = desk.run(&["--json", "log", "show", "--type", "approval.expired"]).done().json();
    assert_eq!(expired.as_array().map(Vec::len), Some(1));
    desk.run(&["log", "verify"]).done();
}
