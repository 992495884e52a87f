//! The log is the authority over the station's files: one that was exchanged stops the station, one that a crash left
//! behind is brought in line.

mod common;

use common::{Desk, copy_folder, fixture, text};
use countersign::cli::Exit;
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
fn an_exchanged_officer_policy_root_or_online_key_stops_the_station() {
    let ((desk, _), stranger) = (desk(), stranger());
    let other = |name: &str| stranger.station().join(name);
    {
        let _secret = swap(&desk, "officers/bob.age", &other("officers/bob.age"));
        let _public = swap(&desk, "officers/bob.pub", &other("officers/bob.pub"));
        stops(&desk, "officers/bob.pub");
    }
    {
        let _online = swap(&desk, "trust/online-key.json", &other("trust/online-key.json"));
        stops(&desk, "trust/online-key.json");
    }
    {
        let roots = ["1", "2", "3"].map(|version| format!("trust/prod-roots/{version}.root.json"));
        let _all: Vec<_> = roots.iter().map(|name| swap(&desk, name, &other(name))).collect();
        stops(&desk, "trust/prod-roots/1.root.json");
    }
    {
        let policy = String::from_utf8(common::read(&desk.station().join("policy.toml"))).expect("text");
        let loose = desk.path("loose.toml");
        std::fs::write(&loose, policy.replace("importer_may_approve = true", "importer_may_approve = false"))
            .expect("written");
        let _policy = swap(&desk, "policy.toml", &loose);
        stops(&desk, "policy.toml");
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
fn what_a_crash_left_behind_is_brought_in_line_with_the_log() {
    let (desk, _) = desk();
    let policy = desk.station().join("policy.toml");
    let before = common::read(&policy);
    let stricter = desk.path("stricter.toml");
    let text_of = String::from_utf8(before.clone()).expect("text");
    std::fs::write(&stricter, text_of.replace("\ncount = 1\n", "\ncount = 2\n")).expect("written");
    desk.run(&["policy", "set", text(&stricter)]).done();
    // As if the station had stopped after the entry and before the file.
    std::fs::write(&policy, &before).expect("written");
    let shown = desk.run(&["policy", "show"]).done();
    assert!(shown.out.contains("\ncount = 2\n"), "{}", shown.out);
    desk.run(&["preflight"]).done();
    assert_ne!(common::read(&policy), before);
    // A retired officer whose file says that she serves, a root that is missing.
    let bob = desk.station().join("officers/bob.pub");
    let serving = common::read(&bob);
    desk.run(&["officer", "retire", "bob"]).done();
    std::fs::write(&bob, serving).expect("written");
    let root = desk.station().join("trust/prod-roots/3.root.json");
    let bytes = common::read(&root);
    std::fs::remove_file(&root).expect("removed");
    desk.run(&["preflight"]).done();
    assert_eq!(common::read(&root), bytes);
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

#[test]
fn where_the_importer_may_not_approve_it_is_known_who_took_the_request_in() {
    let (desk, _) = desk();
    let policy = desk.run(&["policy", "show"]).done().out;
    let strict = desk.path("strict.toml");
    std::fs::write(&strict, policy.replace("importer_may_approve = true", "importer_may_approve = false"))
        .expect("written");
    desk.run(&["policy", "set", text(&strict)]).done();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let ran = desk.run(&["import", text(&request)]).ended(Exit::Refused);
    assert!(ran.err.contains("--officer NAME"), "{}", ran.err);
    let imported = desk.run(&["--json", "import", text(&request), "--officer", "ann"]).done().json();
    let id = imported["request"].as_str().expect("a digest");
    let review = desk.run(&["--json", "review", id]).done().json();
    // The only one who holds the key took it in: hers is no approval.
    desk.sign(id, &review, "ann", &[]).ended(Exit::NotApproved);
    let (words, bob) = (review["confirm"].as_str().expect("words"), desk.passphrase("bob"));
    desk.run(&["approve", id, "--officer", "bob", "--confirm", words, "--passphrase-file", &bob]).done();
    desk.sign(id, &review, "ann", &[]).done();
}
