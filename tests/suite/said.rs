//! What the program says of a mistake is what happened: the right reason, the right exit code, before anything is asked.

use crate::common;

use common::{Desk, fixture, json, text};
use countersign::testing::cli::Exit;
use std::path::{Path, PathBuf};

/// A station whose key opens for ann and bob together; cho holds no share. And a reviewed request.
fn two_of_three() -> (Desk, String) {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    for officer in ["ann", "bob", "cho"] {
        desk.add_officer(officer);
    }
    desk.import_key(&fixture("acme/targets.keys.tgz"), "ann,bob", "2");
    let request = desk.request(&fixture("acme/1-populate"), "acme", "populate-targets", 12, &[]);
    let (id, _) = desk.import(&request);
    (desk, id)
}

#[test]
fn an_officer_who_is_not_there_or_holds_no_share_is_named_before_the_words_are_asked() {
    let (desk, id) = two_of_three();
    for (officers, wanted) in [
        (&["ann", "bbo"][..], "there is no officer bbo"),
        (&["ann", "cho"], "is not sealed to cho. It is sealed to ann, bob"),
        (&["ann"], "opens with 2 officers together, and 1 came"),
    ] {
        let mut arguments = vec!["sign", &id];
        arguments.extend(officers.iter().flat_map(|officer| ["--officer", officer]));
        let ran = desk.run(&arguments).ended(Exit::NotApproved);
        assert!(ran.err.contains(wanted), "{}", ran.err);
        assert!(!ran.err.contains("confirmation words"), "{}", ran.err);
    }
    // The refusals are logged like every other.
    let log = desk.run(&["--json", "log", "show", "--type", "sign.aborted"]).done().json();
    assert_eq!(log.as_array().map(Vec::len), Some(3), "{log}");
}

#[test]
fn a_folder_with_many_things_in_it_is_said_to_be_occupied() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    let used = desk.path("used");
    std::fs::create_dir(&used).expect("made");
    for name in ["one", "two", "three"] {
        std::fs::write(used.join(name), name).expect("written");
    }
    let ran = desk.run(&["log", "export", text(&used)]).ended(Exit::Failed);
    assert!(ran.err.contains("there is something here already: give a new folder"), "{}", ran.err);
    // A station is there: nobody is asked to compare words first.
    let roots = fixture("acme/1-populate/prod-roots");
    let online = fixture("acme/1-populate/ci-targets.pub");
    let again = ["init", "--factory", "acme", "--roots", text(&roots), "--online-key", text(&online)];
    let ran = desk.run(&again).ended(Exit::Failed);
    assert!(ran.err.contains("a station is never written over"), "{}", ran.err);
    assert!(!ran.err.contains("fingerprint"), "{}", ran.err);
}

#[test]
fn of_half_a_pack_only_what_is_missing_is_named() {
    let desk = Desk::new();
    let half = desk.path("half");
    std::fs::create_dir_all(half.join("events")).expect("made");
    let ran = desk.run(&["audit", "verify", text(&half)]).ended(Exit::Failed);
    assert!(ran.err.contains("it has no file \"vkey\"") && !ran.err.contains("events"), "{}", ran.err);
}

#[test]
fn a_bundle_is_never_complete_under_other_roots_than_those_that_it_names() {
    let desk = Desk::new();
    desk.init("acme", "acme", "2-update");
    desk.add_officer("ann");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "ann", "1");
    let request = desk.request(&fixture("acme/2-update"), "acme", "v2.0-update", 42, &[]);
    let (id, review) = desk.import(&request);
    desk.sign(&id, &review, "ann", &[]).done();
    let bundle = desk.export(&id, "signed");
    let verify = |roots: &Path| desk.run(&["--json", "verify", text(&bundle), "--roots", text(roots)]);
    verify(&fixture("acme/2-update/prod-roots")).done();
    let named = json(&bundle.join("signed.json"))["root"]["version"].as_u64().expect("a version");
    // The chain as it was before, and roots of the same versions that are not production's.
    let older = fixture(&format!("acme/2-update/prod-roots/{}.root.json", named - 1));
    let verdict = verify(&older).ended(Exit::Refused).json();
    let told = verdict["problems"].to_string();
    assert!(told.contains(&format!("end with version {}", named - 1)), "{told}");
    assert!(told.contains(&format!("under root version {named}")), "{told}");
    assert_eq!(verdict["complete"], false);
    let mut manifest = json(&bundle.join("signed.json"));
    let other = json(&fixture("acme/2-update/ci-targets.json")).to_string();
    manifest["root"]["fingerprint"] =
        countersign::testing::tuf::Digest::of(other.as_bytes()).to_string().into();
    std::fs::write(bundle.join("signed.json"), serde_json::to_vec_pretty(&manifest).expect("json"))
        .expect("written");
    let verdict = verify(&fixture("acme/2-update/prod-roots")).ended(Exit::Refused).json();
    assert!(verdict["problems"].to_string().contains("not of one chain"), "{verdict}");
    assert_eq!(verdict["complete"], false);
}

/// Exports the log of a new station; returns the pack and the log's public key.
fn pack_of(desk: &Desk, factory: &str) -> (PathBuf, String) {
    desk.init("acme", factory, "1-populate");
    let dir = desk.path("evidence");
    desk.run(&["log", "export", text(&dir)]).done();
    let key = String::from_utf8(common::read(&dir.join("vkey"))).expect("text").trim().to_owned();
    (dir, key)
}

#[test]
fn the_key_of_another_log_is_no_verdict_on_this_one_and_a_broken_key_of_the_pack_is() {
    let (desk, elsewhere) = (Desk::new(), Desk::new());
    let (dir, key) = pack_of(&desk, "acme");
    let (_, other) = pack_of(&elsewhere, "other");
    let ran = desk.run(&["audit", "verify", text(&dir), "--key", &other]).ended(Exit::Failed);
    let name = |key: &str| key.split('+').next().expect("a name").to_owned();
    let wanted =
        format!("this pack is of the log {}, and the key given is of the log {}", name(&key), name(&other));
    assert!(ran.err.contains(&wanted), "{}", ran.err);
    std::fs::write(dir.join("vkey"), "").expect("written");
    let ran = desk.run(&["audit", "verify", text(&dir)]).ended(Exit::Tampered);
    assert!(!ran.err.contains("countersign audit verify"), "{}", ran.err);
    assert!(ran.err.contains("ask for the station's own log folder"), "{}", ran.err);
}

#[test]
fn the_end_of_a_session_names_its_command() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    desk.add_officer("ann");
    let closed = desk.run(&["--json", "log", "show", "--type", "session.closed"]).done().json();
    let commands: Vec<_> = closed.as_array().expect("entries").iter().map(|one| &one["command"]).collect();
    assert_eq!(commands, ["officer add"]);
}

#[test]
fn the_policy_in_force_is_not_put_in_force_again() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    let file = desk.path("policy.toml");
    std::fs::write(&file, desk.run(&["policy", "show"]).done().out).expect("written");
    let size = || desk.run(&["--json", "status"]).done().json()["log_size"].clone();
    let before = size();
    let ran = desk.run(&["policy", "set", text(&file)]).done();
    assert!(ran.out.contains("in force already. Nothing changed"), "{}", ran.out);
    assert!(!ran.out.contains("void"), "{}", ran.out);
    assert_eq!(size(), before);
}

#[test]
fn no_officer_is_named_as_the_log_names_nobody() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    let passphrase = desk.passphrase("station");
    let ran = desk.run(&["officer", "add", "station", "--passphrase-file", &passphrase]).ended(Exit::Usage);
    assert!(ran.err.contains("no officer can be named \"station\""), "{}", ran.err);
    desk.add_officer("b");
}

#[test]
fn a_question_about_no_digest_is_refused() {
    let desk = Desk::new();
    let (dir, _) = pack_of(&desk, "acme");
    for given in ["", "zz", "abc"] {
        let ran = desk.run(&["audit", "who", text(&dir), "--digest", given]).ended(Exit::Usage);
        assert!(ran.err.contains("4 to 64 hexadecimal digits"), "{}", ran.err);
    }
    desk.run(&["audit", "who", text(&dir), "--key", ""]).ended(Exit::Usage);
    desk.run(&["audit", "who", text(&dir), "--digest", "ABCD"]).done();
}

#[test]
fn a_report_is_written_over_an_older_one_and_never_over_what_the_auditor_remembers() {
    let desk = Desk::new();
    let (dir, _) = pack_of(&desk, "acme");
    let (out, state) = (desk.path("report.html"), desk.path("heads.json"));
    for _ in 0..2 {
        desk.run(&["audit", "report", text(&dir), "--out", text(&out)]).done();
    }
    desk.run(&["audit", "verify", text(&dir), "--state", text(&state)]).done();
    let remembered = common::read(&state);
    let arguments = ["audit", "report", text(&dir), "--out", text(&state), "--state", text(&state)];
    let ran = desk.run(&arguments).ended(Exit::Usage);
    assert!(ran.err.contains("--out and --state name the same file"), "{}", ran.err);
    assert_eq!(common::read(&state), remembered);
}

#[test]
fn all_the_words_that_are_shown_may_be_typed() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    desk.add_officer("ann");
    let out = desk.path("public");
    std::fs::create_dir(&out).expect("made");
    let generate = ["--json", "key", "generate", "--type", "ed25519", "--officers", "ann", "--quorum", "1"];
    let made = desk.run(&[&generate[..], &["--out", text(&out)]].concat()).done().json();
    let (keyid, words) = (made["keyid"].as_str().expect("an id"), made["words"].as_str().expect("words"));
    assert_eq!(words.split(' ').count(), 8);
    let five = words.split(' ').take(5).collect::<Vec<_>>().join(" ");
    desk.run(&["key", "retire", keyid, "--confirm", &five]).ended(Exit::NotApproved);
    desk.run(&["key", "retire", keyid, "--confirm", words]).done();
    // The online key's words, as many as somebody has on paper.
    let online = fixture("acme/1-populate/ci-targets.pub");
    let pin = |words: &str| {
        desk.by(&["ann"], &["--json", "trust", "online-key", text(&online), "--confirm", words])
    };
    let shown = pin("").ended(Exit::NotApproved).err;
    let shown = shown.split("Its words: ").nth(1).and_then(|rest| rest.lines().next()).expect("words");
    pin(shown).done();
    // They are those that any machine prints for the file.
    let printed = desk.run(&["--json", "fingerprint", text(&online)]).done().json();
    assert_eq!(printed["words"], shown);
}

#[test]
fn a_rejected_request_is_shown_as_rejected_until_the_same_officer_approves_it() {
    let (desk, id) = two_of_three();
    let bob = desk.passphrase("bob");
    let reject = |reason: &str| {
        desk.run(&["reject", &id, "--officer", "bob", "--reason", reason, "--passphrase-file", &bob])
    };
    let ran = reject(" ").ended(Exit::Usage);
    assert!(ran.err.contains("a rejection needs a reason"), "{}", ran.err);
    reject("wrong day <today>").done();
    let log = desk.run(&["--json", "log", "show", "--type", "approval.denied"]).done().json();
    let seq = log[0]["seq"].as_u64().expect("a number");
    let wanted = format!("rejected by bob (log entry {seq})");
    let (html, plain) = (desk.path("review.html"), desk.path("review.txt"));
    let shown = desk.run(&["review", &id, "--html", text(&html), "--text", text(&plain)]).done().out;
    assert_eq!(shown.matches(&wanted).count(), 2, "on top and at the end: {shown}");
    assert!(String::from_utf8(common::read(&plain)).expect("text").contains(&wanted));
    let html = String::from_utf8(common::read(&html)).expect("text");
    assert!(html.contains(&format!("{wanted}: wrong day &lt;today&gt;")), "{html}");
    let review = desk.run(&["--json", "review", &id]).done();
    let value = review.json();
    assert_eq!((&value["signable"], &value["rejected"][0]["seq"]), (&true.into(), &seq.into()));
    let status = || desk.run(&["status"]).done().out;
    assert!(status().contains(&format!(": {wanted}")), "{}", status());
    let words = value["confirm"].as_str().expect("words");
    let ann = desk.passphrase("ann");
    let with = ["--confirm", words, "--passphrase-file", &ann, "--passphrase-file", &bob];
    let sign = ["sign", &id, "--officer", "ann", "--officer", "bob"];
    let ran = desk.run(&[&sign[..], &with].concat()).ended(Exit::NotApproved);
    let lifts = format!("countersign approve {} --officer bob", &id[..12]);
    assert!(ran.err.contains(&lifts), "{}", ran.err);
    let approve = ["approve", &id, "--officer", "bob", "--confirm", words, "--passphrase-file", &bob];
    desk.run(&approve).done();
    assert!(!status().contains("rejected"), "{}", status());
    let review = desk.run(&["--json", "review", &id]).done();
    assert!(review.json().get("rejected").is_none());
    desk.run(&[&sign[..], &with].concat()).done();
}

#[test]
fn the_passphrases_of_run_are_not_listed_as_a_repositorys() {
    let desk = Desk::new();
    let help = desk.run(&["run", "--help"]).done().out;
    let (own, repositorys) = help.split_once("On a station for a repository").expect("a heading");
    assert!(own.contains("--passphrase-file") && !repositorys.contains("--passphrase-file"), "{help}");
}

#[test]
fn wrong_arguments_are_told_as_json_where_json_is_asked_for() {
    let desk = Desk::new();
    for arguments in [&["--json", "sign"][..], &["sign", "--json"], &["--json", "nothing"], &["--json"]] {
        let ran = desk.run(arguments).ended(Exit::Usage);
        let value = ran.json();
        assert_eq!(value["exit"], 2, "{value}");
        assert!(value["error"].as_str().is_some_and(|error| !error.is_empty()), "{value}");
        assert!(!ran.err.is_empty());
    }
    assert_eq!(desk.run(&["sign", "--", "--json"]).ended(Exit::Usage).out, "");
}

#[test]
fn the_highest_strength_is_what_the_root_asks_for_and_not_how_many_have_signed() {
    let told = countersign::testing::audit::who::strength_words("L2");
    assert_eq!(told, "the root asks for several officers' TUF keys; devices enforce it");
}
