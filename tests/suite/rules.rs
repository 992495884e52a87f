//! The station keeps the rules that its auditor has: what breaks one is not written, and a log that breaks one is not opened.

use crate::common::{Desk, fixture};
use countersign::testing::ceremony::tool;
use countersign::testing::cli::Exit;
use countersign::testing::ledger::record::{BundleExported, PolicyChanged, SealedKey, SignInDoubt};
use countersign::testing::ledger::{Event, Log, Record};
use countersign::testing::station::Station;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    desk.add_officer("ann");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "ann", "1");
    desk
}

/// Events of which each breaks a rule on that station, with what is said of it.
fn events() -> Vec<(Event, &'static str)> {
    let none = || "ab".repeat(32);
    let bundle = BundleExported {
        request: none().into(),
        signed: none().into(),
        manifest: none().into(),
        folder: "/media/stick".into(),
    };
    let (request, keyid, signed) = (none().into(), none().into(), none().into());
    let doubt = SignInDoubt { intent: 5, request, keyid, signed, resolution: "".into() };
    let drilled = SealedKey {
        keyid: none().into(),
        keytype: "ED25519".into(),
        quorum: 1,
        officers: vec!["ann".into()],
        set: "".into(),
        detail: "".into(),
    };
    vec![
        (bundle.by("ann"), "nobody signed the bytes of the bundle"),
        (doubt.by("station"), "there is no open intent 5"),
        (Record::KeyDrilled(drilled).by("ann"), "the key is not in this station's vault"),
    ]
}

#[test]
fn a_line_that_breaks_a_rule_is_not_written() {
    let desk = desk();
    for (event, why) in events() {
        let session = tool::session(&desk.host, "test");
        let mut station = Station::open(&desk.host, &desk.station(), Some(session)).expect("the station");
        let said = station.record(&desk.host.stamp(), event).expect_err("a rule is broken").to_string();
        assert!(said.starts_with("nothing was written: entry ") && said.contains(why), "{said}");
        // What a station may write is written all the same.
        station.commit().expect("committed");
        drop(station);
        desk.run(&["log", "verify"]).done();
    }
}

#[test]
fn a_station_whose_log_breaks_a_rule_is_not_opened() {
    for (event, why) in events() {
        let desk = desk();
        // Whoever has the log's key can write any line and sign it.
        let stamp = desk.host.stamp();
        let log = desk.station().join("log");
        let (mut log, _) = Log::open(desk.host.disk.clone(), &log, &stamp, &mut |_| {}).expect("opened");
        let seq = log.append(&stamp, event).expect("appended").seq();
        log.checkpoint().expect("a checkpoint");
        for command in [&["status"][..], &["officer", "list"], &["key", "backup", "00", "--out", "paper"]] {
            let ran = desk.run(command);
            let is_named = ran.err.contains(&format!("entry {seq}: {why}"));
            assert!(ran.exit == Exit::Tampered && is_named, "{command:?}: {:?} {}", ran.exit, ran.err);
        }
    }
}

#[test]
fn a_policy_that_replaces_another_than_the_one_in_force_is_not_written() {
    let desk = desk();
    let session = tool::session(&desk.host, "test");
    let mut station = Station::open(&desk.host, &desk.station(), Some(session)).expect("the station");
    let policy = station.policy.text().replace("\ncount = 1\n", "\ncount = 2\n");
    let to = station.log.put_object(policy.as_bytes()).expect("kept");
    let changed = PolicyChanged { from: "ab".repeat(32).into(), to: to.into() };
    let said = station.record(&desk.host.stamp(), changed.by("ann")).expect_err("refused").to_string();
    assert!(said.starts_with("nothing was written: "), "{said}");
}
