//! A whole station through crashes, a full disk and a folder that cannot be written: no signature without its intent in
//! the log, none twice, and the log whole afterwards.

use crate::support::failing_disk;
use crate::support::ready;

use countersign::testing::cli::Exit;
use countersign::testing::host::RealDisk;
use countersign::testing::ledger::Kind;
use failing_disk::Failing;
use ready::Ready;
use std::sync::Arc;

#[test]
fn a_machine_that_dies_at_any_step_of_signing_leaves_a_station_that_goes_on() {
    let mut ready = Ready::new();
    let plenty = Arc::new(Failing::dead_after(10_000));
    ready.with_disk(plenty.clone());
    ready.desk.run(&ready.arguments()).done();
    let steps = 10_000 - usize::try_from(plenty.left()).expect("some left");
    assert!(steps > 20, "{steps}");
    for step in 0..steps {
        ready.reset();
        ready.with_disk(Arc::new(Failing::dead_after(step)));
        let ran = ready.desk.run(&ready.arguments());
        assert_ne!(ran.exit, Exit::Done, "died after step {step} of {steps}");
        ready.check(&format!("died after step {step} of {steps}"));
    }
}

#[test]
fn a_full_disk_stops_signing_and_loses_nothing() {
    let mut ready = Ready::new();
    let plenty = Arc::new(Failing::full_after(1 << 30));
    ready.with_disk(plenty.clone());
    ready.desk.run(&ready.arguments()).done();
    let bytes = (1 << 30) - usize::try_from(plenty.left()).expect("some left");
    for part in 0..24 {
        ready.reset();
        ready.with_disk(Arc::new(Failing::full_after(bytes * part / 24)));
        let ran = ready.desk.run(&ready.arguments());
        assert_ne!(ran.exit, Exit::Done, "full at {part}/24");
        ready.check(&format!("full at {part}/24"));
    }
}

#[test]
fn a_folder_that_cannot_be_written_signs_nothing() {
    let mut ready = Ready::new();
    let before = ready.lines();
    ready.with_disk(Arc::new(Failing::ReadOnly));
    let ran = ready.desk.run(&ready.arguments());
    assert!(!matches!(ran.exit, Exit::Done), "{}{}", ran.out, ran.err);
    assert_eq!(ready.lines(), before);
    ready.check("read-only");
}

#[test]
fn a_refusal_settles_no_signature_that_is_in_doubt() {
    let mut ready = Ready::new();
    for step in 0.. {
        ready.reset();
        ready.with_disk(Arc::new(Failing::dead_after(step)));
        ready.desk.run(&ready.arguments());
        if ready.covered(Kind::SignIntent) == 1 {
            break;
        }
    }
    assert_eq!(ready.count(Kind::SignResult), 0);
    ready.with_disk(Arc::new(RealDisk));
    // Whatever is done first, she hears of it.
    let told = ready.desk.run(&["log", "head"]).done().err;
    assert!(told.contains("A signature is in doubt (log entry"), "{told}");
    ready.desk.run(&["log", "verify"]).ended(Exit::InDoubt);
    // The mark of the intent is part of the review, and of its words.
    let review = ready.desk.run(&["--json", "review"]).done().json();
    ready.words = review["confirm"].as_str().expect("words").to_owned();
    let wrong = ready.desk.path("wrong");
    std::fs::write(&wrong, "not her words at all\n").expect("written");
    let mut arguments = ready.arguments();
    *arguments.last_mut().expect("a passphrase file") = format!("alice={}", wrong.display());
    ready.desk.run(&arguments).ended(Exit::NotApproved);
    ready.desk.run(&["log", "verify"]).ended(Exit::InDoubt);
    ready.desk.run(&ready.arguments()).done();
    ready.desk.run(&["log", "verify"]).done();
}

#[test]
fn a_signature_that_only_the_log_has_is_exported_without_signing_again() {
    let mut ready = Ready::new();
    for step in 0.. {
        ready.reset();
        ready.with_disk(Arc::new(Failing::dead_after(step)));
        ready.desk.run(&ready.arguments());
        if ready.covered(Kind::SignResult) == 1 {
            break;
        }
    }
    ready.with_disk(Arc::new(RealDisk));
    let bundle = ready.desk.path("bundle");
    let status = ready.desk.run(&["status"]).done().out;
    assert!(status.contains(": signed, not exported yet"), "{status}");
    let id = ready.desk.run(&["--json", "status"]).done().json()["requests"][0]["request"].clone();
    let id = id.as_str().expect("a digest");
    ready.desk.run(&["export", id, bundle.to_str().expect("text")]).done();
    let again = ready.desk.path("again");
    ready.desk.run(&["export", id, again.to_str().expect("text")]).done();
    ready.desk.run(&["log", "verify"]).done();
    assert_eq!(ready.count(Kind::SignResult), 1);
}
