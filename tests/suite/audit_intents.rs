//! An intent to sign without a result is somebody's word: `who`, `reconcile` and `verify` name it, its officers and its
//! settlement, and never answer that there is nothing.

use crate::common::{Desk, text};
use crate::support::made_up_station::{Station, Twist};
use countersign::testing::cli::Exit;
use countersign::testing::host::RealDisk;
use countersign::testing::ledger::record::SignInDoubt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A pack whose last ceremony ended with the intent, and the document that was to be signed, as it was published.
struct Case {
    desk: Desk,
    pack: PathBuf,
    published: PathBuf,
    intent: u64,
    version: String,
}

/// What an officer says became of it; nothing where nobody says anything.
fn case(settled: Option<&str>) -> Case {
    let desk = Desk::new();
    let pack = desk.path("evidence");
    std::fs::create_dir(&pack).expect("made");
    let mut station = Station::new(Arc::new(RealDisk), &pack, 21, 2, 2);
    let document = Station::document(station.version + 1);
    let intent = station.twisted(&Twist { no_result: true, ..Twist::default() });
    if let Some(resolution) = settled {
        let (request, keyid, signed) = ("r".into(), station.keyid.clone().into(), "s".into());
        let doubt = SignInDoubt { intent, request, keyid, signed, resolution: resolution.into() };
        station.append(doubt.by("noor"));
    }
    station.log.checkpoint().expect("a checkpoint");
    let published = desk.path("published.json");
    std::fs::write(&published, station.published(&document)).expect("written");
    let version = station.version.to_string();
    Case { desk, pack, published, intent, version }
}

impl Case {
    fn who(&self) -> serde_json::Value {
        let ran = self.desk.run(&["--json", "audit", "who", text(&self.pack), "--version", &self.version]);
        ran.done().json()
    }

    fn reconciled(&self, file: &Path, exit: Exit) -> Vec<String> {
        let arguments = ["--json", "audit", "reconcile", text(&self.pack), "--targets", text(file)];
        let lines = self.desk.run(&arguments).ended(exit).json()["lines"].clone();
        let lines = lines.as_array().expect("a list").iter();
        lines.map(|line| line["finding"].as_str().expect("a word").to_owned()).collect()
    }
}

#[test]
fn who_names_an_intent_its_officers_and_its_settlement() {
    let words = [
        (None, "IN-DOUBT"),
        (Some(""), "IN-DOUBT"),
        (Some("made"), "DECLARED-MADE"),
        (Some("not made"), "DECLARED-NOT-MADE"),
    ];
    for (settled, word) in words {
        let case = case(settled);
        let said = case.who();
        let [one] = said.as_array().expect("a list").as_slice() else { panic!("one: {said}") };
        assert_eq!((&one["outcome"], &one["intent"]), (&word.into(), &case.intent.into()), "{settled:?}");
        assert_eq!(one["officers"], serde_json::json!(["mara", "noor"]));
        assert_eq!(one["approvals"].as_array().expect("a list").len(), 2);
        let is_settled = settled.is_some_and(|said| !said.is_empty());
        assert_eq!(one["settled"]["by"].as_str(), is_settled.then_some("noor"), "{settled:?}");
        let told = case.desk.run(&["audit", "who", text(&case.pack), "--version", &case.version]).done().out;
        assert!(told.contains(word) && told.contains("without a result"), "{told}");
        assert!(!told.contains("strength"), "{told}");
    }
}

#[test]
fn a_published_signature_of_an_intent_is_held_against_its_settlement() {
    let words = [
        (None, "IN-DOUBT", Exit::InDoubt),
        (Some("made"), "DECLARED-MADE", Exit::Done),
        (Some("not made"), "CONTRADICTS-SETTLEMENT", Exit::Tampered),
    ];
    for (settled, word, exit) in words {
        let case = case(settled);
        assert_eq!(case.reconciled(&case.published, exit), [word], "{settled:?}");
    }
}

#[test]
fn the_verdict_names_an_open_intent_and_who_was_to_open_the_key() {
    let case = case(None);
    let ran = case.desk.run(&["audit", "verify", text(&case.pack)]).ended(Exit::InDoubt);
    assert!(ran.out.contains(&format!("the intent of mara, noor in entry {}", case.intent)), "{}", ran.out);
}
