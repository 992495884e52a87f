//! The commands on officers and keys: what they refuse, with which exit code, and what the log keeps of them.

use crate::common;
#[allow(dead_code)] // Only a machine that dies is needed here.
use crate::support::failing_disk;

use common::{Desk, fixture, text};
use countersign::testing::cli::Exit;
use countersign::testing::host::clock::{Clock, Time};
use failing_disk::Failing;
use serde_json::Value;

fn archive() -> std::path::PathBuf {
    fixture("acme/targets.keys.tgz")
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    ["alice", "bob", "carol"].iter().for_each(|name| desk.add_officer(name));
    desk
}

/// The log's entries as they stand on disk.
fn log(desk: &Desk) -> Vec<Value> {
    let log = desk.station().join("log");
    let checkpoints = std::fs::read_dir(log.join("checkpoints")).expect("listed");
    let names = checkpoints.filter_map(|one| one.expect("read").file_name().to_str()?.parse().ok());
    // What no checkpoint covers is none.
    let newest: usize = names.max().expect("a checkpoint");
    let lines = std::fs::read_to_string(log.join("events/000000.jsonl")).expect("a log");
    lines.lines().take(newest).map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn last(desk: &Desk, kind: &str) -> Value {
    log(desk).into_iter().rfind(|entry| entry["type"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// Runs a command with the passphrases of these officers.
fn with(desk: &Desk, names: &[&str], arguments: &[&str]) -> common::Ran {
    desk.by(names, arguments)
}

#[test]
fn an_imported_key_is_listed_with_its_quorum_and_logged_before_it_stands() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice,bob,carol", "2");
    let listed = desk.run(&["--json", "key", "list"]).done().json();
    let [key] = listed.as_array().expect("a list").as_slice() else { panic!("{listed}") };
    assert_eq!(key["keyid"], keyid.as_str());
    assert_eq!(key["keytype"], "ED25519");
    assert_eq!(key["quorum"], 2);
    assert_eq!(key["officers"], serde_json::json!(["alice", "bob", "carol"]));
    assert_eq!(key["in_root"], true);
    let entry = last(&desk, "key.imported");
    assert_eq!((&entry["keyid"], &entry["set"]), (&key["keyid"], &key["set"]));
    let again = desk.run(&["key", "import", text(&archive()), "--officers", "alice", "--quorum", "1"]);
    assert!(again.ended(Exit::Failed).err.contains("sealed on this station already"));
}

#[test]
fn what_an_officer_reads_of_a_key() {
    let desk = desk();
    let names = ["--officers", "alice,bob,carol", "--quorum", "2"];
    let imported = desk.run(&[&["key", "import", text(&archive())][..], &names].concat()).done();
    let keyid = imported.out.split_whitespace().nth(1).expect("a key id").to_owned();
    let drilled = with(&desk, &["alice", "bob"], &["key", "drill", &keyid]).done();
    let alone = with(&desk, &["alice"], &["key", "drill", &keyid]).ended(Exit::NotApproved);
    let backup = desk.run(&["key", "backup", &keyid, "--out", text(&desk.path("paper"))]).done();
    let list = desk.run(&["key", "list"]).done();
    let said: String = [imported, drilled, alone, backup, list]
        .iter()
        .map(|ran| format!("{}--- stderr\n{}\n", ran.out, ran.err))
        .collect();
    let said = said.replace(text(desk.folder.path()), "DESK").replace(env!("CARGO_MANIFEST_DIR"), "SOURCE");
    insta::with_settings!({filters => [(r"\d+ QR codes", "N QR codes")]}, {
        insta::assert_snapshot!("key_commands", said);
    });
}

#[test]
fn what_stands_on_a_sheet() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice,bob", "2");
    let paper = desk.path("paper");
    desk.run(&["key", "backup", &keyid, "--out", text(&paper)]).done();
    let html = std::fs::read_to_string(paper.join("key-16abcfd0-alice.html")).expect("a sheet");
    // How long an age file is differs from time to time (it holds a random stanza), and so does its number of parts.
    insta::with_settings!({filters => [
        (r"(?s)<style>.*?</style>", "<style>[page.css]</style>"),
        (r"sha256-[^']*'", "sha256-[of the style]'"),
        (r"(?s)<svg.*?</svg>\n", "[QR code]"),
        (r"(?s)(<pre>countersign-paper/1 \S+ \S+ \S+ )[0-9a-f]{16}\n.*?</pre>", "$1[…]</pre>"),
        (r".* ([2-9]|\d\d)/\d+( \[…\]</pre>|</figcaption></figure>)\n", ""),
        (r" 1/\d+( \[…\]|<)", " 1/N$1"),
    ]}, { insta::assert_snapshot!("officer_sheet", html) });
}

#[test]
fn what_cannot_be_sealed_is_refused_and_nothing_is_written() {
    let desk = desk();
    let import = |officers: &str, quorum: &str| {
        desk.run(&["key", "import", text(&archive()), "--officers", officers, "--quorum", quorum])
    };
    assert!(
        import("alice,bob", "3").ended(Exit::Failed).err.contains("a quorum of 3 of 2 officers cannot be")
    );
    import("alice,bob", "0").ended(Exit::Failed);
    assert!(import("alice,alice", "2").ended(Exit::NotApproved).err.contains("alice is named twice"));
    assert!(import("alice,dave", "1").ended(Exit::NotApproved).err.contains("there is no officer dave"));
    import("Alice", "1").ended(Exit::Usage);
    // The root keys' file holds no targets key; the log says nothing of keys.
    let wrong = fixture("acme/root.keys.tgz");
    desk.run(&["key", "import", text(&wrong), "--officers", "alice", "--quorum", "1"]).ended(Exit::Failed);
    assert_eq!(desk.run(&["--json", "key", "list"]).done().json(), serde_json::json!([]));
    assert!(log(&desk).iter().all(|entry| entry["type"] != "key.imported"));
}

#[test]
fn a_drill_takes_the_quorum_names_who_opened_the_key_and_signs_nothing() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice,bob,carol", "2");
    let short = keyid.get(..8).expect("digits");
    with(&desk, &["alice"], &["key", "drill", short]).ended(Exit::NotApproved);
    let drilled = with(&desk, &["carol", "alice"], &["--json", "key", "drill", short]).done().json();
    assert_eq!((&drilled["opens"], &drilled["in_root"]), (&true.into(), &true.into()));
    assert_eq!(last(&desk, "key.drilled")["officers"], serde_json::json!(["carol", "alice"]));
    let listed = desk.run(&["--json", "key", "list"]).done().json();
    assert_eq!(listed[0]["last_drill"], common::NOW);
    assert!(log(&desk).iter().all(|entry| !entry["type"].as_str().expect("a type").starts_with("sign.")));
}

#[test]
fn a_wrong_passphrase_is_logged_slows_down_and_opens_nothing() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice", "1");
    let wrong = format!("alice={}", desk.passphrase("bob").split_once('=').expect("a file").1);
    for (attempt, waited) in [(1, 1000), (2, 3000), (3, 7000)] {
        let ran = desk.run(&["key", "drill", &keyid, "--officer", "alice", "--passphrase-file", &wrong]);
        assert!(ran.ended(Exit::NotApproved).err.contains("not alice's passphrase"));
        assert_eq!(desk.clock.slept(), waited, "after attempt {attempt}");
    }
    let failures = log(&desk).iter().filter(|entry| entry["type"] == "officer.auth.failed").count();
    assert_eq!(failures, 3);
    assert_eq!(last(&desk, "officer.auth.failed")["purpose"], "key drill");
    // The right one ends the row.
    with(&desk, &["alice"], &["key", "drill", &keyid]).done();
    desk.run(&["key", "drill", &keyid, "--officer", "alice", "--passphrase-file", &wrong])
        .ended(Exit::NotApproved);
    assert_eq!(desk.clock.slept(), 8000);
}

/// A clock on which nothing waits to the end: whoever guesses ends the program instead.
struct Impatient(std::sync::Arc<common::TestClock>);

impl Clock for Impatient {
    fn now(&self) -> Time {
        self.0.now()
    }
    fn uptime_ms(&self) -> u64 {
        self.0.uptime_ms()
    }
    fn boot(&self) -> String {
        self.0.boot()
    }
    fn sleep(&self, _: u64) {
        panic!("the program was ended while it waited");
    }
}

#[test]
fn ending_the_program_while_it_waits_does_not_shorten_the_delay() {
    let mut desk = desk();
    let keyid = desk.import_key(&archive(), "alice", "1");
    let wrong = format!("alice={}", desk.passphrase("bob").split_once('=').expect("a file").1);
    let right = desk.passphrase("alice");
    let drill = |with: &str| {
        ["key", "drill", &keyid, "--officer", "alice", "--passphrase-file", with].map(str::to_owned)
    };
    let failures =
        |desk: &Desk| log(desk).iter().filter(|entry| entry["type"] == "officer.auth.failed").count();
    let patient = desk.host.clock.clone();
    desk.host.clock = std::sync::Arc::new(Impatient(desk.clock.clone()));
    for guess in 0..5 {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| desk.run(&drill(&wrong))));
        assert!(ended.is_err(), "guess {guess} did not wait");
        assert_eq!(failures(&desk), 1, "guess {guess} was made without waiting");
    }
    desk.host.clock = patient;
    let ran = desk.run(&drill(&wrong)).ended(Exit::NotApproved);
    assert!(
        ran.err.contains("1 wrong passphrase for alice so far: waiting 1 second; what is typed"),
        "{}",
        ran.err
    );
    assert_eq!((failures(&desk), desk.clock.slept()), (2, 3000));
    // What was waited for to the end is not waited for again.
    let ran = desk.run(&drill(&right)).done();
    assert!(!ran.err.contains("waiting"), "{}", ran.err);
    assert_eq!(desk.clock.slept(), 3000);
}

#[test]
fn an_officer_is_not_retired_while_a_key_needs_her() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice,bob", "2");
    let refused = desk.run(&["officer", "retire", "alice"]).ended(Exit::Refused);
    assert!(refused.err.contains("nobody could open it. Seal it to others first"), "{}", refused.err);
    let reseal = ["key", "reseal", &keyid, "--to", "bob,carol", "--quorum", "2"];
    with(&desk, &["alice", "bob"], &reseal).done();
    let retire = ["officer", "retire", "alice", "--reason", "left"];
    let refused = desk.run(&retire).ended(Exit::NotApproved);
    assert!(refused.err.contains("the signatures of 1 officer are needed"), "{}", refused.err);
    with(&desk, &["bob"], &retire).done();
    assert_eq!(last(&desk, "officer.retired")["reason"], "left");
    assert_eq!(last(&desk, "officer.retired")["actor"], "bob");
    with(&desk, &["alice", "bob"], &["key", "drill", &keyid]).ended(Exit::NotApproved);
    with(&desk, &["bob", "carol"], &["key", "drill", &keyid]).done();
    desk.run(&["key", "reseal", &keyid, "--officer", "bob", "--to", "alice", "--quorum", "1"])
        .ended(Exit::NotApproved);
    let again = desk.run(&["officer", "add", "alice", "--passphrase-file", &desk.passphrase("alice")]);
    assert!(again.ended(Exit::Failed).err.contains("a name is never used twice"));
}

#[test]
fn a_generated_key_leaves_only_its_public_half_and_is_not_in_the_root_yet() {
    let desk = desk();
    let out = desk.path("public");
    let arguments =
        ["--json", "key", "generate", "--type", "ed25519", "--officers", "alice,bob", "--quorum", "2"];
    let key = desk.run(&[&arguments[..], &["--out", text(&out)]].concat()).done().json();
    let keyid = key["keyid"].as_str().expect("a key id");
    let names: Vec<_> =
        std::fs::read_dir(&out).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    assert_eq!(names, [std::ffi::OsString::from(format!("fioctl-targets-{keyid}.pub"))]);
    assert_eq!(key["in_root"], false);
    let drilled = with(&desk, &["alice", "bob"], &["key", "drill", keyid]).done();
    assert!(drilled.err.contains("does not list it for targets"), "{}", drilled.err);
}

#[test]
fn a_weak_passphrase_makes_no_officer() {
    let desk = desk();
    std::fs::write(desk.path("weak"), "short\n").expect("written");
    let file = format!("dave={}", text(&desk.path("weak")));
    let refused = desk.run(&["officer", "add", "dave", "--passphrase-file", &file]).ended(Exit::NotApproved);
    assert!(refused.err.contains("at least 12 are needed"), "{}", refused.err);
    assert!(!desk.station().join("officers/dave.age").exists());
    desk.terminal
        .secrets
        .lock()
        .expect("lock")
        .extend(["topmost Istanbul Pluto".into(), "another thing".into()]);
    desk.run(&["officer", "add", "dave"]).ended(Exit::NotApproved);
}

/// Prints a key's sheets and types what stands on them as text into files of a folder.
pub fn scans(desk: &Desk, keyid: &str, name: &str) -> std::path::PathBuf {
    let paper = desk.path(&format!("{name}-paper"));
    let made = desk.run(&["--json", "key", "backup", keyid, "--out", text(&paper)]).done().json();
    let scans = desk.path(name);
    std::fs::create_dir(&scans).expect("made");
    for sheet in made["sheets"].as_array().expect("sheets") {
        let html = std::fs::read_to_string(sheet.as_str().expect("a path")).expect("read");
        let typed: Vec<&str> =
            html.split("<pre>").filter(|block| block.starts_with("countersign-paper/1")).collect();
        let typed: String = typed.iter().filter_map(|block| block.split("</pre>").next()).collect();
        let name = sheet.as_str().expect("a path").rsplit('/').next().expect("a name");
        std::fs::write(scans.join(format!("{name}.txt")), typed).expect("written");
    }
    scans
}

#[test]
fn a_backup_restores_on_another_station_and_both_logs_say_so() {
    let old = desk();
    let keyid = old.import_key(&archive(), "alice,bob", "2");
    let scans = scans(&old, &keyid, "scans");
    assert!(last(&old, "key.backed_up")["detail"].as_str().expect("text").starts_with("3 sheets in "));
    old.run(&["key", "backup", &keyid, "--out", text(&old.path("scans-paper"))]).ended(Exit::Failed);
    let new = Desk::new();
    new.init("acme", "acme-gateway", "1-populate");
    let restored = new.run(&["--json", "key", "restore", text(&scans)]).done().json();
    assert_eq!(restored["officers_restored"], serde_json::json!(["alice", "bob"]));
    assert_eq!(last(&new, "key.restored")["keyid"], keyid.as_str());
    assert_eq!(last(&new, "officer.added")["officer"], "bob");
    with(&new, &["alice", "bob"], &["key", "drill", &keyid]).done();
}

#[test]
fn a_passphrase_opens_whether_its_accents_were_typed_apart_or_not() {
    const COMPOSED: &str = "zo\u{eb} walks eleven quiet caf\u{e9}s";
    const APART: &str = "zoe\u{308} walks eleven quiet cafe\u{301}s";
    let old = Desk::new();
    old.init("acme", "acme-gateway", "1-populate");
    let given = |desk: &Desk, passphrase: &str| {
        let argument = desk.passphrase("zoe");
        std::fs::write(desk.path("zoe.passphrase"), passphrase).expect("written");
        argument
    };
    let act = |desk: &Desk, passphrase: &str, arguments: &[&str]| {
        let file = given(desk, passphrase);
        desk.run(&[arguments, &["--officer", "zoe", "--passphrase-file", &file]].concat()).done();
        // And typed.
        desk.terminal.secrets.lock().expect("lock").push_back(passphrase.to_owned());
        desk.run(&[arguments, &["--officer", "zoe"]].concat()).done();
    };
    let file = given(&old, APART);
    old.run(&["officer", "add", "zoe", "--passphrase-file", &file, "--work-factor", "12"]).done();
    let keyid = old.import_key(&archive(), "zoe", "1");
    act(&old, COMPOSED, &["key", "drill", &keyid]);
    act(&old, APART, &["key", "drill", &keyid]);
    let request = old.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    let (id, review) = old.import(&request);
    act(&old, COMPOSED, &["approve", &id, "--confirm", review["confirm"].as_str().expect("words")]);
    // Off paper too, whichever way it is typed there.
    let scans = scans(&old, &keyid, "scans");
    let new = Desk::new();
    new.init("acme", "acme-gateway", "1-populate");
    new.run(&["key", "restore", text(&scans)]).done();
    act(&new, COMPOSED, &["key", "drill", &keyid]);
    act(&new, APART, &["key", "drill", &keyid]);
}

fn remove_officer(desk: &Desk, name: &str) {
    std::fs::remove_file(desk.station().join(format!("officers/{name}.age"))).expect("removed");
}

fn count(desk: &Desk, kind: &str) -> usize {
    log(desk).iter().filter(|entry| entry["type"] == kind).count()
}

/// The station's log is whole in an auditor's eyes.
#[track_caller]
fn is_whole(desk: &Desk) {
    let pack = desk.path("pack");
    // Another one may lie there from before.
    let _ = std::fs::remove_dir_all(&pack);
    desk.run(&["log", "export", text(&pack)]).done();
    desk.run(&["audit", "verify", text(&pack)]).done();
}

#[test]
fn an_officer_whose_files_are_removed_stops_the_station_and_nobody_takes_her_name() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice,bob", "2");
    let paper = scans(&desk, &keyid, "scans");
    let added = count(&desk, "officer.added");
    let events = desk.station().join("log/events/000000.jsonl");
    let before = common::read(&events);
    remove_officer(&desk, "bob");
    std::fs::write(desk.path("other"), "seven other quiet harbours\n").expect("written");
    let other = format!("bob={}", text(&desk.path("other")));
    let add = ["officer", "add", "bob", "--passphrase-file", &other, "--work-factor", "12"];
    for command in [&["status"][..], &["officer", "list"], &["log", "verify"], &add] {
        let ran = desk.run(command).ended(Exit::Tampered);
        assert!(
            ran.err.contains("officers/bob.age") && ran.err.contains("countersign key restore"),
            "{}",
            ran.err
        );
    }
    assert_eq!(common::read(&events), before);
    // Half of her files is not enough either.
    let alice = desk.station().join("officers/alice.age");
    let sealed = common::read(&alice);
    // Her sheet brings the same keys back, and adds nobody.
    desk.run(&["key", "restore", text(&paper)]).done();
    assert_eq!(count(&desk, "officer.added"), added);
    with(&desk, &["alice", "bob"], &["key", "drill", &keyid]).done();
    std::fs::remove_file(&alice).expect("removed");
    assert!(desk.run(&["status"]).ended(Exit::Tampered).err.contains("officers/alice.age"));
    std::fs::write(&alice, sealed).expect("put back");
    is_whole(&desk);
}

#[test]
fn an_officer_whose_files_are_lost_is_retired_and_her_name_is_not_used_again() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice,bob", "2");
    let paper = scans(&desk, &keyid, "scans");
    remove_officer(&desk, "carol");
    remove_officer(&desk, "bob");
    let refused = desk.run(&["officer", "retire", "bob"]).ended(Exit::Refused);
    assert!(refused.err.contains("Bring her back from her paper sheet"), "{}", refused.err);
    with(&desk, &["alice"], &["officer", "retire", "carol", "--reason", "her sheet is lost"]).done();
    with(&desk, &["alice"], &["officer", "retire", "carol"]).ended(Exit::NotApproved);
    assert!(desk.run(&["status"]).ended(Exit::Tampered).err.contains("bob.age"), "bob is still missing");
    desk.run(&["key", "restore", text(&paper)]).done();
    desk.run(&["status"]).done();
    let again = desk.run(&["officer", "add", "carol", "--passphrase-file", &desk.passphrase("carol")]);
    assert!(again.ended(Exit::Failed).err.contains("a name is never used twice"));
    is_whole(&desk);
}

#[test]
fn the_sheet_of_a_retired_officer_does_not_bring_her_back() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice,bob,carol", "2");
    let paper = scans(&desk, &keyid, "scans");
    with(&desk, &["bob"], &["officer", "retire", "alice", "--reason", "left"]).done();
    remove_officer(&desk, "alice");
    let before = log(&desk).len();
    let refused = desk.run(&["key", "restore", text(&paper)]).ended(Exit::Refused);
    assert!(refused.err.contains("the officer alice was retired"), "{}", refused.err);
    assert!(!desk.station().join("officers/alice.age").exists());
    assert!(log(&desk)[before..].iter().all(|entry| entry["type"] != "officer.added"));
    // Without hers, the others' sheets bring the key back.
    std::fs::remove_file(paper.join("key-16abcfd0-alice.html.txt")).expect("removed");
    std::fs::remove_dir_all(desk.station().join("keys").join(&keyid)).expect("removed");
    desk.run(&["key", "restore", text(&paper)]).done();
    with(&desk, &["bob", "carol"], &["key", "drill", &keyid]).done();
    is_whole(&desk);
}

/// A key that one officer opened, and that two open together now; with the old folder and the paper of both sealings.
struct Resealed {
    desk: Desk,
    keyid: String,
    old_folder: std::path::PathBuf,
    old_paper: std::path::PathBuf,
    new_paper: std::path::PathBuf,
}

impl Resealed {
    fn new() -> Resealed {
        let desk = desk();
        let keyid = desk.import_key(&archive(), "alice", "1");
        let (old_folder, old_paper) = (desk.path("old"), scans(&desk, &keyid, "old-scans"));
        common::copy_folder(&desk.station().join("keys").join(&keyid), &old_folder);
        let reseal = ["key", "reseal", &keyid, "--to", "alice,bob", "--quorum", "2"];
        with(&desk, &["alice"], &reseal).done();
        let new_paper = scans(&desk, &keyid, "new-scans");
        Resealed { desk, keyid, old_folder, old_paper, new_paper }
    }

    fn remove_folder(&self) {
        std::fs::remove_dir_all(self.desk.station().join("keys").join(&self.keyid)).expect("removed");
    }

    /// What alice would do with the sealing that she opens alone.
    fn alone(&self) -> common::Ran {
        with(&self.desk, &["alice"], &["key", "reseal", &self.keyid, "--to", "alice", "--quorum", "1"])
    }

    #[track_caller]
    fn opens_with_both(&self) {
        with(&self.desk, &["alice"], &["key", "drill", &self.keyid]).ended(Exit::NotApproved);
        with(&self.desk, &["alice", "bob"], &["key", "drill", &self.keyid]).done();
        is_whole(&self.desk);
    }
}

#[test]
fn an_old_sealing_put_back_cannot_be_resealed() {
    let at = Resealed::new();
    at.remove_folder();
    common::copy_folder(&at.old_folder, &at.desk.station().join("keys").join(&at.keyid));
    let refused = at.alone().ended(Exit::Tampered);
    assert!(refused.err.contains("stale") && refused.err.contains("call the auditor"), "{}", refused.err);
    // Nor printed; and its own paper does not make it good.
    let out = at.desk.path("out");
    at.desk.run(&["key", "backup", &at.keyid, "--out", text(&out)]).ended(Exit::Tampered);
    at.desk.run(&["key", "restore", text(&at.old_paper)]).ended(Exit::Failed);
    at.alone().ended(Exit::Tampered);
    // The newest paper takes its place.
    at.desk.run(&["key", "restore", text(&at.new_paper)]).done();
    at.opens_with_both();
}

#[test]
fn paper_of_an_old_sealing_is_stale_also_where_the_key_was_removed() {
    let at = Resealed::new();
    at.remove_folder();
    let refused = at.desk.run(&["key", "restore", text(&at.old_paper)]).ended(Exit::Failed);
    assert!(refused.err.contains("the paper is stale"), "{}", refused.err);
    assert_eq!(at.desk.run(&["--json", "key", "list"]).done().json(), serde_json::json!([]));
    at.desk.run(&["key", "restore", text(&at.new_paper)]).done();
    at.opens_with_both();
    // On another station nothing is known of the key: there the paper is all that there is.
    let new = Desk::new();
    new.init("acme", "acme-gateway", "1-populate");
    new.run(&["key", "restore", text(&at.new_paper)]).done();
    with(&new, &["alice", "bob"], &["key", "drill", &at.keyid]).done();
    let new = Desk::new();
    new.init("acme", "acme-gateway", "1-populate");
    new.run(&["key", "restore", text(&at.old_paper)]).done();
    with(&new, &["alice"], &["key", "drill", &at.keyid]).done();
    is_whole(&new);
}

#[test]
fn a_reseal_that_the_station_did_not_survive_is_gone_on_with_and_then_final() {
    let mut desk = desk();
    let keyid = desk.import_key(&archive(), "alice", "1");
    let paper = scans(&desk, &keyid, "scans");
    let (station, start) = (desk.station(), desk.path("start"));
    common::copy_folder(&station, &start);
    let reseal = ["key", "reseal", &keyid, "--to", "alice,bob", "--quorum", "2"];
    let (mut step, mut old, mut new) = (0, 0, 0);
    loop {
        std::fs::remove_dir_all(&station).expect("removed");
        common::copy_folder(&start, &station);
        desk.host.disk = std::sync::Arc::new(Failing::dead_after(step));
        let is_done = with(&desk, &["alice"], &reseal).exit == Exit::Done;
        desk.host.disk = std::sync::Arc::new(countersign::testing::host::RealDisk);
        if is_done {
            break;
        }
        step += 1;
        let is_logged = count(&desk, "key.sealed") == 1;
        if with(&desk, &["alice", "bob"], &["key", "drill", &keyid]).exit != Exit::Done {
            if is_logged {
                // The sealing before is in force still. It signs nothing until it is sealed again, or comes from paper.
                let ran = with(&desk, &["alice"], &["key", "drill", &keyid]).ended(Exit::Tampered);
                assert!(ran.err.contains("the station stopped while it was sealed anew"), "{}", ran.err);
                if old % 2 == 0 {
                    desk.run(&["key", "restore", text(&paper)]).done();
                    with(&desk, &["alice"], &["key", "drill", &keyid]).done();
                }
                old += 1;
            }
            with(&desk, &["alice"], &reseal).done();
        } else {
            new += 1;
        }
        is_whole(&desk);
        std::fs::remove_dir_all(station.join("keys").join(&keyid)).expect("removed");
        common::copy_folder(&start.join("keys").join(&keyid), &station.join("keys").join(&keyid));
        with(&desk, &["alice"], &reseal).ended(Exit::Tampered);
    }
    assert!(old > 3 && new > 3, "of {step} steps {old} left the old sealing, {new} the new one");
}

/// The words that confirm a key id.
fn words_of(keyid: &str) -> String {
    countersign::testing::words::of(&hex::decode(&keyid[..12]).expect("hex"))
}

#[test]
fn a_key_that_no_root_lists_yet_is_retired_only_with_the_words_of_its_id() {
    let desk = desk();
    let out = desk.path("public");
    let arguments =
        ["--json", "key", "generate", "--type", "ed25519", "--officers", "alice", "--quorum", "1"];
    let keyid = desk.run(&[&arguments[..], &["--out", text(&out)]].concat()).done().json()["keyid"].clone();
    let keyid = keyid.as_str().expect("a key id");
    let folder = desk.station().join("keys").join(keyid);
    // Nobody is there to ask, then somebody types the words of another key.
    let refused = desk.run(&["key", "retire", keyid]).ended(Exit::NotApproved);
    assert!(refused.err.contains("Give them with --confirm WORDS"), "{}", refused.err);
    assert!(refused.err.contains(&words_of(keyid)) && refused.err.contains(keyid), "{}", refused.err);
    let other = words_of(&"5f".repeat(32));
    let refused = desk.run(&["key", "retire", keyid, "--confirm", &other]).ended(Exit::NotApproved);
    assert!(refused.err.contains("not the words of the key's id"), "{}", refused.err);
    assert!(folder.join("sealed.age").exists());
    desk.terminal.answers.lock().expect("lock").push_back(words_of(keyid));
    desk.run(&["key", "retire", keyid]).done();
    assert!(!folder.exists());
}

#[test]
fn a_retired_officer_is_named_before_the_first_passphrase_is_asked() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice,bob,carol", "2");
    let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    let (id, _) = desk.import(&request);
    with(&desk, &["carol"], &["officer", "retire", "bob", "--reason", "left"]).done();
    // The review says it: it is read again.
    let review = desk.run(&["--json", "review", &id]).json();
    let words = review["confirm"].as_str().expect("words");
    let secrets = || desk.terminal.secrets.lock().expect("lock").len();
    desk.terminal.secrets.lock().expect("lock").push_back(common::passphrase_of("alice"));
    for arguments in [
        vec![
            "key",
            "reseal",
            &keyid,
            "--officer",
            "alice",
            "--officer",
            "bob",
            "--to",
            "alice,carol",
            "--quorum",
            "2",
        ],
        vec!["key", "drill", &keyid, "--officer", "alice", "--officer", "bob"],
        vec!["sign", &id, "--officer", "alice", "--officer", "bob", "--confirm", words],
    ] {
        let refused = desk.run(&arguments);
        assert_ne!(refused.exit, Exit::Done);
        assert!(refused.err.contains("bob") && !refused.err.contains("passphrase: "), "{}", refused.err);
        assert_eq!(secrets(), 1, "a passphrase was asked for");
    }
}

#[test]
fn the_list_of_officers_shows_each_approval_key_in_the_words_of_the_cover_page() {
    let desk = desk();
    let listed = desk.run(&["--json", "officer", "list"]).done().json();
    let shown = desk.run(&["officer", "list"]).done().out;
    for officer in listed.as_array().expect("a list") {
        let key = officer["approval_key"].as_str().expect("a key");
        let words = countersign::testing::words::of_digest(key);
        assert_eq!(words.split(' ').count(), 6);
        assert!(shown.contains(&format!("approval key {words}")) && !shown.contains(key), "{shown}");
        assert!(desk.run(&["ceremony", "form"]).done().out.contains(&words), "{words}");
    }
}

#[test]
fn the_root_hash_of_log_head_is_written_as_log_verify_writes_it() {
    let desk = desk();
    let line = |out: &str| out.lines().find(|line| line.starts_with("Head ")).map(str::to_owned);
    let head = line(&desk.run(&["log", "head"]).done().out).expect("the head");
    let verified = line(&desk.run(&["log", "verify"]).done().out);
    assert_eq!(Some(head.clone()), verified);
    let json = desk.run(&["--json", "log", "head"]).done().json();
    assert_ne!(head, format!("Head        {} entries, root {}", json["size"], "0".repeat(64)));
}

#[test]
fn a_key_is_retired_only_when_the_root_lists_it_no_more() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice,bob", "2");
    assert!(desk.run(&["key", "retire", &keyid]).ended(Exit::Refused).err.contains("still lists the key"));
    let out = desk.path("public");
    let arguments =
        ["--json", "key", "generate", "--type", "ed25519", "--officers", "alice,bob", "--quorum", "2"];
    let other = desk.run(&[&arguments[..], &["--out", text(&out)]].concat()).done().json();
    let other = other["keyid"].as_str().expect("a key id");
    desk.run(&["key", "retire", other, "--reason", "never used", "--confirm", &words_of(other)]).done();
    assert!(!desk.station().join("keys").join(other).exists());
    assert_eq!(last(&desk, "key.retired")["detail"], "never used");
    with(&desk, &["alice", "bob"], &["key", "drill", &keyid]).done();
}

#[test]
fn a_changed_passphrase_opens_the_same_identity_and_the_old_one_no_more() {
    let desk = desk();
    let keyid = desk.import_key(&archive(), "alice", "1");
    std::fs::write(desk.path("new"), "seven other quiet harbours\n").expect("written");
    let (old, new) = (desk.passphrase("alice"), format!("alice={}", text(&desk.path("new"))));
    let change = ["officer", "passphrase", "alice", "--work-factor", "12", "--passphrase-file"];
    desk.run(&[&change[..], &[&new, "--new-passphrase-file", &new]].concat()).ended(Exit::NotApproved);
    desk.run(&[&change[..], &[&old, "--new-passphrase-file", &new]].concat()).done();
    let drill = ["key", "drill", &keyid, "--officer", "alice", "--passphrase-file"];
    desk.run(&[&drill[..], &[&old]].concat()).ended(Exit::NotApproved);
    desk.run(&[&drill[..], &[&new]].concat()).done();
    assert_eq!(last(&desk, "deviation")["statement"], "alice changed her passphrase; her keys stay the same");
}

#[test]
fn an_officer_whose_adding_was_cut_short_is_added_again_and_the_log_still_verifies() {
    let mut desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    desk.add_officer("bob");
    let (station, start) = (desk.station(), desk.path("start"));
    common::copy_folder(&station, &start);
    let passphrase = desk.passphrase("alice");
    let add = ["officer", "add", "alice", "--passphrase-file", &passphrase, "--work-factor", "12"];
    let (mut step, mut again) = (0, 0);
    loop {
        std::fs::remove_dir_all(&station).expect("removed");
        common::copy_folder(&start, &station);
        desk.host.disk = std::sync::Arc::new(Failing::dead_after(step));
        let is_done = desk.run(&add).exit == Exit::Done;
        desk.host.disk = std::sync::Arc::new(countersign::testing::host::RealDisk);
        if is_done {
            break;
        }
        step += 1;
        desk.run(&["status"]).done();
        let is_added = station.join("officers/alice.age").exists();
        if !is_added {
            again += usize::from(log(&desk).iter().any(|entry| entry["officer"] == "alice"));
            desk.run(&add).done();
        }
        is_whole(&desk);
        if !is_added {
            // Now that the log says that it ended, nobody comes in her place.
            remove_officer(&desk, "alice");
            desk.run(&add).ended(Exit::Tampered);
        }
    }
    assert!(step > 10 && again > 2, "{step} steps, {again} with an entry and no files");
}

#[test]
fn a_command_that_did_nothing_stands_in_the_log_with_the_reason() {
    let desk = desk();
    desk.import_key(&archive(), "alice", "1");
    let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    let (id, review) = desk.import(&request);
    let rsa = fixture("rsa/targets.keys.tgz");
    let policy = desk.path("policy.toml");
    std::fs::write(&policy, "format = \"another\"\n").expect("written");
    let key = fixture("rsa/1-populate/ci-targets.pub");
    let alice = desk.passphrase("alice");
    let wrong_words =
        ["approve", &id, "--officer", "alice", "--confirm", "not these words", "--passphrase-file", &alice];
    let commands: [(&str, Vec<&str>); 5] = [
        ("approve", wrong_words.to_vec()),
        ("key import", vec!["key", "import", text(&rsa), "--officers", "alice", "--quorum", "1"]),
        ("policy set", vec!["policy", "set", text(&policy)]),
        ("trust online-key", vec!["trust", "online-key", text(&key), "--confirm", "not these words"]),
        ("reject", vec!["reject", &id, "--officer", "mallory", "--reason", "x"]),
    ];
    assert!(review["signable"].as_bool().expect("a flag"));
    for (name, arguments) in commands {
        let before = log(&desk).len();
        let ran = desk.run(&arguments);
        assert_ne!(ran.exit, Exit::Done, "{name}");
        let entries = log(&desk);
        let kinds: Vec<&str> =
            entries[before..].iter().map(|entry| entry["type"].as_str().expect("text")).collect();
        assert_eq!(kinds, ["session.opened", "deviation", "session.closed"], "{name}: {}", ran.err);
        let statement = entries[before + 1]["statement"].as_str().expect("text");
        assert!(
            statement.starts_with(&format!("\"{name}\" did nothing (code {})", ran.exit as u8)),
            "{statement}"
        );
        assert_eq!(entries[before + 2]["exit"], ran.exit as u8);
    }
    desk.run(&["log", "verify"]).done();
}

#[test]
fn a_signature_that_does_not_verify_with_the_roots_key_is_not_kept() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "5-two-officers");
    desk.add_officer("alice");
    let first = desk.import_key(&archive(), "alice", "1");
    let second = desk.import_key(&fixture("acme/officer2.keys.tgz"), "alice", "1");
    let step = fixture("acme/5-two-officers");
    let request = desk.request(&step, "acme-gateway", "v3.0", 45, &[]);
    let (id, review) = desk.import(&request);
    assert_eq!(review["signable"], true, "{:#}", review["findings"]);
    // Whoever writes the folder needs no passphrase to exchange what is sealed: both open for her.
    let sealed = |keyid: &str| desk.station().join("keys").join(keyid).join("sealed.age");
    let (one, two) = (common::read(&sealed(&first)), common::read(&sealed(&second)));
    std::fs::write(sealed(&first), two).expect("exchanged");
    std::fs::write(sealed(&second), one).expect("exchanged");
    let refused = desk.sign(&id, &review, "alice", &["--key", &first]);
    assert_ne!(refused.exit, Exit::Done, "{}", refused.out);
    assert_eq!(count(&desk, "sign.result"), 0, "{}", refused.err);
}
