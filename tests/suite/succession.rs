//! A new station after a lost one: what the old one signed and saw is known, and lower versions are refused.

use crate::common::{Desk, fingerprint, fixture, text};
use countersign::testing::cli::Exit;
use std::path::Path;

const PRODUCTION: &str = "acme/2-update/prod-roots";

/// A station that has signed its first wave, and its evidence pack.
fn old() -> (Desk, String) {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let (id, review) =
        desk.import(&desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]));
    desk.sign(&id, &review, "alice", &[]).done();
    desk.export(&id, "signed-12");
    let (id, review) =
        desk.import(&desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]));
    desk.run(&["log", "export", text(&desk.path("early"))]).done();
    desk.sign(&id, &review, "alice", &[]).done();
    desk.export(&id, "signed-42");
    desk.run(&["log", "export", text(&desk.path("pack"))]).done();
    let key = std::fs::read_to_string(desk.station().join("log/vkey")).expect("read").trim().to_owned();
    (desk, key)
}

/// A machine whose random numbers are others than the old one's.
fn another_machine() -> Desk {
    let desk = Desk::new();
    desk.host.random.fill(&mut [0; 320]).expect("randomness");
    desk
}

fn continued(old: &Desk, new: &Desk, pack: &str, key: &str, more: &[&str]) -> crate::common::Ran {
    let (roots, pack) = (fixture(PRODUCTION), old.path(pack));
    let online = fixture("acme/2-update/ci-targets.pub");
    let print = fingerprint(&roots);
    let mut arguments =
        vec!["--json", "init", "--factory", "acme-gateway", "--roots", text(&roots), "--online-key"];
    arguments.extend([text(&online), "--fingerprint", &print, "--networked"]);
    arguments.extend(["--continue", text(&pack), "--log-key", key]);
    arguments.extend(more);
    new.run(&arguments)
}

#[test]
fn a_new_station_continues_the_marks_of_a_lost_one() {
    let (old, key) = old();
    let new = another_machine();
    let bundle = old.path("signed-42");
    let made = continued(&old, &new, "pack", &key, &["--against", text(&bundle)]).done().json();
    assert_eq!(made["continues"]["marks"], 4, "two signed, production's and CI's targets seen: {made}");
    let log = new.run(&["--json", "log", "show"]).done().json();
    let entry =
        log.as_array().expect("entries").iter().find(|one| one["type"] == "station.succeeds").expect("one");
    assert_eq!(entry["origin"], key.split('+').next().expect("a name"));
    new.add_officer("alice");
    new.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    // Another content for a version that the old station signed.
    let from = fixture("acme/2-update");
    let out = new.path("other");
    new.run(&[
        "request",
        "--from",
        text(&from),
        "--factory",
        "acme-gateway",
        "--wave",
        "v2.0-update",
        "--version",
        "42",
        "--tag",
        "production",
        "--expires",
        "2027-10-01T00:00:00Z",
        "--out",
        text(&out),
    ])
    .done();
    let (id, review) = new.import(&out);
    assert_eq!(review["signable"], false);
    let said = |check: &str| {
        let findings = review["findings"].as_array().expect("findings");
        findings
            .iter()
            .filter(|one| one["check"] == check)
            .map(|one| one["message"].to_string())
            .collect::<String>()
    };
    assert!(said("equivocation").contains("another content as version 42"), "{review}");
    assert!(said("continued-log").contains(key.split('+').next().expect("a name")), "{review}");
    new.sign(&id, &review, "alice", &[]).ended(Exit::Refused);
    // What comes after goes on, and then the marks need no word any more.
    let (id, review) = new.import(&new.request(
        &fixture("acme/3-prune"),
        "acme-gateway",
        "v2.1-prune",
        43,
        &["--prune", "12"],
    ));
    new.sign(&id, &review, "alice", &[]).done();
    new.export(&id, "signed-43");
    let again = new.run(&["--json", "review", &id]).json();
    assert!(!again["findings"].to_string().contains("continued-log"), "{again}");
    new.run(&["log", "export", text(&new.path("pack"))]).done();
    new.run(&["audit", "verify", text(&new.path("pack"))]).done();
    // A head of the old log within what was taken over proves nothing here; a larger one is a warning.
    let ran = new.run(&["--json", "anchor", "import", text(&old.path("signed-12"))]).done();
    assert_eq!(ran.json()[0]["verdict"], "ignored");
}

#[test]
fn a_log_is_continued_only_from_its_own_last_pack() {
    let (old, key) = old();
    let against = old.path("signed-42");
    let new = |_: ()| another_machine();
    continued(&old, &new(()), "early", &key, &["--against", text(&against)]).ended(Exit::RolledBack);
    let stranger = key.replace("acme-gateway", "acme-other");
    continued(&old, &new(()), "pack", &stranger, &[]).ended(Exit::Failed);
    // Without the last bundle nothing shows that the pack is old; a head that comes later does, and is a warning.
    let late = new(());
    let made = continued(&old, &late, "early", &key, &[]).done();
    assert!(made.err.contains("Give the last signed bundle with --against"), "{}", made.err);
    let ran = late.run(&["--json", "anchor", "import", text(&against)]).done();
    assert_eq!(ran.json()[0]["verdict"], "predecessor-ahead");
    late.run(&["log", "export", text(&late.path("pack"))]).done();
    late.run(&["audit", "verify", text(&late.path("pack"))]).done();
    // A changed pack is none.
    let lines = old.path("pack").join("events/000000.jsonl");
    let changed =
        std::fs::read_to_string(&lines).expect("read").replacen("populate-targets", "populate-nothing", 1);
    std::fs::write(&lines, changed).expect("written");
    let broken = new(());
    continued(&old, &broken, "pack", &key, &[]).ended(Exit::Tampered);
    assert!(!Path::new(&broken.station()).exists());
}
