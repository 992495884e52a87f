//! An approval counts because her key signed it, and for nothing else: not for a line in the log, whoever signed its head.

use crate::common::{Desk, NOW, fingerprint, fixture, text};
use countersign::testing::cli::Exit;
use countersign::testing::host::clock::Time;
use countersign::testing::host::{RealDisk, Stamp};
use countersign::testing::ledger::approval::{Approval, SignedApproval};
use countersign::testing::ledger::{Kind, Log};
use std::sync::Arc;

/// A station on which two officers must approve; alice has. The request and the words of its review.
fn half_approved() -> (Desk, String, String) {
    let desk = Desk::new();
    let step = fixture("acme/1-populate");
    let (roots, online) = (step.join("prod-roots"), step.join("ci-targets.pub"));
    let made = ["init", "--factory", "acme-gateway", "--roots", text(&roots), "--online-key", text(&online)];
    let more = ["--fingerprint", &fingerprint(&roots), "--networked", "--approvals", "2"];
    desk.run(&[&made[..], &more].concat()).done();
    ["alice", "bob"].iter().for_each(|name| desk.add_officer(name));
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let request = desk.request(&step, "acme-gateway", "populate-targets", 12, &[]);
    let (id, review) = desk.import(&request);
    let words = review["confirm"].as_str().expect("words").to_owned();
    desk.by(&["alice"], &["approve", &id, "--confirm", &words]).done();
    (desk, id, words)
}

/// Whoever holds the log's key writes an approval by bob, and a checkpoint over it: alice's, with another name and key.
fn forge(desk: &Desk, change: impl FnOnce(Approval, &SignedApproval) -> SignedApproval) {
    let bob = desk.run(&["--json", "officer", "list"]).done().json();
    let bob = bob.as_array().expect("a list").iter().find(|one| one["name"] == "bob").expect("bob").clone();
    let time = Time::parse(NOW).expect("a time");
    let stamp = Stamp { time, boot: "5f9d1c1e-0000-4000-8000-000000000001".to_owned(), uptime_ms: 1 << 40 };
    let (mut log, _) =
        Log::open(Arc::new(RealDisk), &desk.station().join("log"), &stamp, &mut |_| {}).expect("opened");
    let granted = log.entries().map(|entry| entry.expect("read"));
    let granted = granted.filter(|entry| entry.entry().kind() == Kind::ApprovalGranted).last().expect("hers");
    let hers = SignedApproval::from_entry(&granted.entry()).expect("an approval");
    assert!(hers.holds());
    let nonce: String = hers.approval.nonce.chars().rev().collect();
    let key = bob["approval_key"].as_str().expect("a key").to_owned();
    let his = Approval { officer: "bob".to_owned(), key, nonce, ..hers.approval.clone() };
    log.append(&stamp, change(his, &hers).event()).expect("appended");
    log.checkpoint().expect("signed");
}

#[test]
fn an_approval_that_her_key_did_not_sign_counts_for_nobody_even_under_a_checkpoint() {
    type Change = fn(Approval, &SignedApproval) -> SignedApproval;
    let changes: [Change; 2] = [
        |his, _| his.with_signature(&[7; 64]),
        // Alice's own signature, under his name.
        |his, hers| SignedApproval { approval: his, sig: hers.sig.clone() },
    ];
    for change in changes {
        let (desk, id, words) = half_approved();
        forge(&desk, change);
        let refused = desk.by(&["alice"], &["sign", &id, "--confirm", &words]);
        assert_ne!(refused.exit, Exit::Done, "{}", refused.out);
        let events =
            std::fs::read_to_string(desk.station().join("log/events/000000.jsonl")).expect("the log");
        assert!(!events.contains("\"sign.result\"") && !events.contains("\"sign.intent\""));
    }
}

#[test]
fn two_approvals_that_hold_are_enough_where_two_are_asked_for() {
    let (desk, id, words) = half_approved();
    desk.by(&["bob"], &["approve", &id, "--confirm", &words]).done();
    desk.by(&["alice"], &["sign", &id, "--confirm", &words]).done();
}

#[test]
fn an_approval_is_given_for_as_many_hours_as_the_policy_says() {
    let (desk, _, _) = half_approved();
    let events = std::fs::read_to_string(desk.station().join("log/events/000000.jsonl")).expect("the log");
    let given = events.lines().find(|line| line.contains("\"approval.granted\"")).expect("hers");
    let until = Time::parse(NOW).expect("a time").plus_seconds(24 * 3600);
    assert!(given.contains(&format!("\"expires\":\"{until}\"")), "{given}");
}
