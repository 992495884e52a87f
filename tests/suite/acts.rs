//! Officers' acts: who has to sign which, as the commands ask for it.

use crate::common::{self, Desk, fixture, json, text};
use crate::custody_commands::scans;
use countersign::testing::cli::Exit;
use countersign::testing::host::clock::Time;
use countersign::testing::host::{RealDisk, Stamp};
use countersign::testing::ledger::Record;
use countersign::testing::ledger::record::{
    OfficerRetired, OnlineKeyPinned, PolicyChanged, SealedKey, StationCreated, TimeStatement,
};
use countersign::testing::ledger::{Event, Log};
use countersign::testing::station::Station;
use std::path::PathBuf;
use std::sync::Arc;

/// Three officers and a key that opens with two of them.
fn desk() -> (Desk, String) {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    ["ann", "bob", "eve"].iter().for_each(|name| desk.add_officer(name));
    let keyid = desk.import_key(&fixture("acme/targets.keys.tgz"), "ann,bob", "2");
    (desk, keyid)
}

fn entries(desk: &Desk, kind: &str) -> Vec<serde_json::Value> {
    let shown = desk.run(&["--json", "log", "show", "--type", kind]).done().json();
    shown.as_array().expect("entries").clone()
}

fn is_whole(desk: &Desk) {
    desk.run(&["log", "verify"]).done();
    let pack = desk.path("evidence");
    if pack.exists() {
        std::fs::remove_dir_all(&pack).expect("removed");
    }
    desk.run(&["log", "export", text(&pack)]).done();
    desk.run(&["audit", "verify", text(&pack)]).done();
}

fn policy(desk: &Desk, from: &str, to: &str) -> PathBuf {
    let shown = desk.run(&["policy", "show"]).done().out;
    assert!(shown.contains(from), "{shown}");
    let file = desk.path("policy.toml");
    std::fs::write(&file, shown.replace(from, to)).expect("written");
    file
}

fn online_key() -> PathBuf {
    fixture("acme/2-update/ci-targets.pub")
}

#[test]
fn a_policy_is_set_by_as_many_officers_as_the_stricter_of_both_asks_approvals() {
    let (desk, _) = desk();
    let stricter = policy(&desk, "\ncount = 1\n", "\ncount = 2\n");
    let set = ["policy", "set", text(&stricter)];
    for signers in [&[][..], &["ann"], &["ann", "zoe"]] {
        desk.by(signers, &set).ended(Exit::NotApproved);
    }
    let twice = [&set[..], &["--officer", "ann", "--officer", "ann"]].concat();
    assert!(desk.run(&twice).ended(Exit::NotApproved).err.contains("ann is named twice"));
    assert_eq!(entries(&desk, "policy.changed").len(), 0);
    let ran = desk.by(&["ann", "eve"], &set).done();
    assert!(ran.out.contains("stricter: approvals.count is 2, was 1"), "{}", ran.out);
    // Back again asks for two, too; and what is looser stands first.
    let looser = policy(&desk, "\ncount = 2\n", "\ncount = 1\n");
    let shown = std::fs::read_to_string(&looser).expect("read");
    std::fs::write(&looser, shown.replace("expiry_max_days = 400", "expiry_max_days = 300"))
        .expect("written");
    desk.by(&["ann"], &["policy", "set", text(&looser)]).ended(Exit::NotApproved);
    let ran = desk.by(&["bob", "eve"], &["--json", "policy", "set", text(&looser)]).done();
    let changes = ran.json()["changes"].clone();
    assert_eq!(changes[0]["member"], "approvals.count");
    assert_eq!((&changes[0]["effect"], &changes[1]["effect"]), (&"looser".into(), &"stricter".into()));
    assert_eq!(entries(&desk, "policy.changed")[1]["actor"], "bob");
    assert_eq!(entries(&desk, "act.signed").len(), 4);
    is_whole(&desk);
}

#[test]
fn a_wrong_passphrase_signs_nothing() {
    let (desk, _) = desk();
    let stricter = policy(&desk, "\nhours = 24\n", "\nhours = 12\n");
    let bob = desk.passphrase("bob");
    let wrong = bob.replace("bob=", "ann=");
    let set = ["policy", "set", text(&stricter), "--officer", "ann", "--passphrase-file", &wrong];
    desk.run(&set).ended(Exit::NotApproved);
    assert_eq!(entries(&desk, "act.signed").len() + entries(&desk, "policy.changed").len(), 0);
}

#[test]
fn before_there_is_an_officer_setting_up_is_free() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    let stricter = policy(&desk, "\ncount = 1\n", "\ncount = 3\n");
    desk.run(&["policy", "set", text(&stricter)]).done();
    let key = online_key();
    let words = desk.run(&["--json", "fingerprint", text(&key)]).done().json()["words"].clone();
    let words = words.as_str().expect("words");
    desk.run(&["trust", "online-key", text(&key)]).ended(Exit::NotApproved);
    desk.run(&["trust", "online-key", text(&key), "--confirm", words]).done();
    is_whole(&desk);
    desk.add_officer("ann");
    desk.run(&["trust", "online-key", text(&key), "--confirm", words]).ended(Exit::NotApproved);
    let looser = policy(&desk, "\ncount = 3\n", "\ncount = 1\n");
    // The policy in force asks for three, and there is one.
    desk.by(&["ann"], &["policy", "set", text(&looser)]).ended(Exit::NotApproved);
}

#[test]
fn an_online_key_is_pinned_by_a_quorum_and_is_nobodys_own() {
    let (desk, _) = desk();
    let key = online_key();
    let pin = ["trust", "online-key", text(&key)];
    for signers in [&[][..], &["ann"], &["ann", "eve"]] {
        let ran = desk.by(signers, &pin).ended(Exit::NotApproved);
        assert!(ran.err.contains("the signatures of 2 of ann, bob are needed"), "{}", ran.err);
    }
    let wrong = ["trust", "online-key", text(&key), "--confirm", "adult amulet adult amulet adult amulet"];
    desk.by(&["ann", "bob"], &wrong).ended(Exit::NotApproved);
    desk.by(&["ann", "bob"], &pin).done();
    assert_eq!(entries(&desk, "online_key.pinned")[1]["actor"], "ann");
    // The officer's own key, which the root lists for targets too.
    let root = json(&fixture("acme/2-update/prod-roots").join("3.root.json"));
    let owners = root["signed"]["x-key-owners"].as_object().expect("owners");
    let of_role = root["signed"]["roles"]["targets"]["keyids"].as_array().expect("key ids");
    let hers =
        of_role.iter().filter_map(|id| id.as_str()).find(|id| owners.contains_key(*id)).expect("owned");
    let file = desk.path("hers.pub");
    std::fs::write(&file, root["signed"]["keys"][hers].to_string()).expect("written");
    let ran = desk.by(&["ann", "bob"], &["trust", "online-key", text(&file)]).ended(Exit::Refused);
    assert!(ran.err.contains("notes an owner for it"), "{}", ran.err);
    // Nor on the day of the set-up.
    let other = Desk::new();
    let roots = fixture("acme/2-update/prod-roots");
    let print = common::fingerprint(&roots);
    let init = ["init", "--factory", "acme", "--roots", text(&roots), "--networked", "--fingerprint", &print];
    other.run(&[&init[..], &["--online-key", text(&file)]].concat()).ended(Exit::Refused);
    other.run(&[&init[..], &["--online-key", text(&key)]].concat()).done();
    is_whole(&desk);
}

#[test]
fn what_officers_do_with_a_key_is_signed_by_each_of_them() {
    let (desk, keyid) = desk();
    desk.by(&["ann", "bob"], &["key", "drill", &keyid]).done();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let (id, review) = desk.import(&request);
    desk.sign(&id, &review, "ann", &["--officer", "bob", "--passphrase-file", &desk.passphrase("bob")])
        .done();
    desk.by(&["ann", "bob"], &["key", "reseal", &keyid, "--to", "ann,eve", "--quorum", "1"]).done();
    desk.by(&["eve"], &["clock", "--reason", "compared with a watch"]).done();
    let signed: Vec<(String, String)> = entries(&desk, "act.signed")
        .iter()
        .map(|one| {
            [&one["officer"], &one["act"]].map(|value| value.as_str().expect("text").to_owned()).into()
        })
        .collect();
    let of = |officer: &str, act: &str| (officer.to_owned(), act.to_owned());
    let both = |act: &str| [of("ann", act), of("bob", act)];
    let wanted = [both("key.drilled"), both("sign.intent"), both("key.sealed")].concat();
    assert_eq!(signed, [wanted, vec![of("eve", "time.statement")]].concat());
    is_whole(&desk);
}

#[test]
fn a_key_that_is_still_sealed_to_one_who_left_is_named() {
    let (desk, keyid) = desk();
    desk.by(&["ann", "bob"], &["key", "reseal", &keyid, "--to", "ann,bob,eve", "--quorum", "2"]).done();
    let told = |desk: &Desk| desk.run(&["status"]).done().out;
    assert!(!told(&desk).contains("still sealed"));
    desk.by(&["ann"], &["officer", "retire", "eve", "--reason", "left"]).done();
    let short = &keyid[..12];
    assert!(told(&desk).contains(&format!("key {short} is still sealed to eve, who is retired")));
    let status = desk.run(&["--json", "status"]).done().json();
    assert_eq!(status["keys"][0]["sealed_to_retired"], serde_json::json!(["eve"]));
    desk.by(&["ann", "bob"], &["key", "reseal", &keyid, "--to", "ann,bob", "--quorum", "2"]).done();
    assert!(!told(&desk).contains("still sealed"));
}

#[test]
fn a_key_of_which_the_log_knows_nothing_is_brought_back_under_an_officers_name() {
    let (desk, keyid) = desk();
    let scans = scans(&desk, &keyid, "scans");
    // As it is: nothing changes.
    std::fs::remove_dir_all(desk.station().join("keys").join(&keyid)).expect("removed");
    desk.run(&["key", "restore", text(&scans)]).done();
    desk.by(&["ann", "bob"], &["key", "drill", &keyid]).done();
    is_whole(&desk);
    let restore = ["key", "restore", text(&scans)];
    // A station without officers: setting up.
    let new = Desk::new();
    new.init("acme", "acme-gateway", "2-update");
    new.run(&restore).done();
    new.by(&["ann", "bob"], &["key", "drill", &keyid]).done();
    is_whole(&new);
    // One with officers of its own.
    let other = Desk::new();
    other.init("acme", "acme-gateway", "2-update");
    other.add_officer("zoe");
    other.run(&restore).ended(Exit::NotApproved);
    other.by(&["zoe"], &restore).done();
    other.by(&["ann", "bob"], &["key", "drill", &keyid]).done();
    is_whole(&other);
}

#[test]
fn who_took_a_request_in_before_the_policy_asked_for_it_takes_it_in_again() {
    let (desk, _) = desk();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    desk.import(&request);
    let strict = policy(&desk, "importer_may_approve = true", "importer_may_approve = false");
    desk.by(&["ann"], &["policy", "set", text(&strict)]).done();
    let request_id = entries(&desk, "request.imported")[0]["request"].as_str().expect("a digest").to_owned();
    let review = desk.run(&["--json", "review", &request_id]).done().json();
    let both = ["--officer", "bob", "--passphrase-file", &desk.passphrase("bob")];
    let ran = desk.sign(&request_id, &review, "ann", &both).ended(Exit::NotApproved);
    assert!(ran.err.contains("nobody signed that she took this one in"), "{}", ran.err);
    // Her name alone is no proof.
    let bob = desk.passphrase("bob").replace("bob=", "eve=");
    let import = ["import", text(&request), "--officer", "eve", "--passphrase-file", &bob];
    desk.run(&import).ended(Exit::NotApproved);
    desk.by(&["eve"], &["import", text(&request)]).done();
    let review = desk.run(&["--json", "review", &request_id]).done().json();
    desk.sign(&request_id, &review, "ann", &both).done();
    is_whole(&desk);
}

#[test]
fn a_second_process_does_not_get_in_whatever_is_deleted() {
    let (desk, _) = desk();
    let session = countersign::testing::ceremony::tool::session(&desk.host, "sign");
    let held = Station::open(&desk.host, &desk.station(), Some(session)).expect("opened");
    std::fs::remove_file(desk.station().join("lock")).expect("removed");
    let ran = desk.run(&["preflight"]).ended(Exit::Failed);
    assert!(ran.err.contains("another countersign works on this station"), "{}", ran.err);
    drop(held);
    desk.run(&["preflight"]).done();
}

#[test]
fn the_next_review_says_what_changed_since_the_last_signature_and_what_is_looser_first() {
    let (desk, keyid) = desk();
    let request = |wave: &str, version: u64| {
        let out = desk.request(&fixture("acme/2-update"), "acme-gateway", wave, version, &[]);
        let moved = desk.path(&format!("request-{version}"));
        std::fs::rename(out, &moved).expect("moved");
        moved
    };
    let since = |review: &serde_json::Value| -> Vec<String> {
        let told = review["since_last_signature"].as_array().expect("a list").iter();
        told.map(|one| one.as_str().expect("text").to_owned()).collect()
    };
    let (id, review) = desk.import(&request("v2.0-update", 42));
    assert_eq!(since(&review), [""; 0], "setting up is no change");
    let hours = policy(&desk, "\nhours = 24\n", "\nhours = 48\n");
    desk.by(&["ann"], &["policy", "set", text(&hours)]).done();
    let hours = "looser: the policy's approvals.hours is 48, was 24".to_owned();
    let review = desk.run(&["--json", "review", &id]).done().json();
    assert_eq!(since(&review), std::slice::from_ref(&hours), "before the first signature, too");
    desk.sign(&id, &review, "ann", &["--officer", "bob", "--passphrase-file", &desk.passphrase("bob")])
        .done();
    // Of the very request that was signed, its review stays what it was.
    assert_eq!(since(&desk.run(&["--json", "review", &id]).json()), [hours]);

    let days = policy(&desk, "\nexpiry_max_days = 400\n", "\nexpiry_max_days = 300\n");
    desk.by(&["ann"], &["policy", "set", text(&days)]).done();
    desk.by(&["ann"], &["officer", "retire", "eve", "--reason", "left"]).done();
    desk.add_officer("zoe");
    desk.by(&["ann", "bob"], &["key", "reseal", &keyid, "--to", "ann,zoe", "--quorum", "1"]).done();
    let (other, review) = desk.import(&request("v2.1-update", 43));
    let wanted = [
        "looser: officer zoe was added".to_owned(),
        format!("looser: the key {} opens with 1 of ann, zoe, was 2 of ann, bob", &keyid[..12]),
        "other: officer eve was retired by ann".to_owned(),
        "stricter: the policy's limits.expiry_max_days is 300, was 400".to_owned(),
    ];
    assert_eq!(since(&review), wanted);
    let shown = desk.run(&["review", &other]).out;
    let at = |what: &str| shown.find(what).unwrap_or_else(|| panic!("{what}: {shown}"));
    assert!(at("Since the last signature") < at("officer zoe was added"));
    assert!(at("officer zoe was added") < at("officer eve was retired"));
}

/// Writes an entry with the log's own key, as somebody does who holds the station's folder.
fn forge(desk: &Desk, event: Event) {
    let stamp = Stamp { time: Time::parse(common::NOW).expect("a time"), boot: String::new(), uptime_ms: 1 };
    let (mut log, _) =
        Log::open(Arc::new(RealDisk), &desk.station().join("log"), &stamp, &mut |_| {}).expect("opened");
    log.append(&stamp, event).expect("appended");
    log.checkpoint().expect("a checkpoint");
}

#[test]
fn a_station_whose_log_has_an_act_that_nobody_signed_is_not_opened() {
    let (desk, keyid) = desk();
    let file = policy(&desk, "\nhours = 24\n", "\nhours = 48\n");
    let objects = desk.station().join("log/objects/sha256");
    let from = countersign::testing::tuf::Digest::of(desk.run(&["policy", "show"]).done().out.as_bytes())
        .to_string();
    let to = countersign::testing::tuf::Digest::of(&common::read(&file)).to_string();
    std::fs::copy(&file, objects.join(&to)).expect("written");
    let online = entries(&desk, "online_key.pinned")[0].clone();
    let [pinned, object] = ["keyid", "object"].map(|name| online[name].as_str().expect("text").to_owned());
    let anew = SealedKey {
        keyid: keyid.into(),
        keytype: "ED25519".into(),
        quorum: 1,
        officers: vec!["eve".into()],
        set: "".into(),
        detail: "sealed anew by ann, bob; before: 2 of ann, bob".into(),
    };
    let acts = [
        PolicyChanged { from: from.into(), to: to.into() }.by("ann"),
        OnlineKeyPinned { from: (&pinned).into(), keyid: (&pinned).into(), object: object.into() }.by("ann"),
        OfficerRetired { officer: "bob".into(), reason: "left".into() }.by("ann"),
        TimeStatement { time_claimed: "".into(), reason: "".into() }.by("ann"),
        Record::KeySealed(anew).by("ann"),
    ];
    for act in acts {
        let kind = act.kind();
        let whole = desk.path("whole");
        common::copy_folder(&desk.station().join("log"), &whole);
        forge(&desk, act);
        let ran = desk.run(&["officer", "list"]).ended(Exit::Tampered);
        assert!(ran.err.contains("are needed") || ran.err.contains("is needed"), "{kind}: {}", ran.err);
        std::fs::remove_dir_all(desk.station().join("log")).expect("removed");
        std::fs::rename(&whole, desk.station().join("log")).expect("put back");
    }
    desk.run(&["officer", "list"]).done();
    is_whole(&desk);
}

#[test]
fn a_station_of_0_1_is_refused_with_a_word() {
    let (desk, _) = desk();
    let said = entries(&desk, "station.created")[0].clone();
    let said = |name: &str| said[name].as_str().expect("text").to_owned();
    let created = StationCreated {
        factory: said("factory").into(),
        fingerprint: said("fingerprint").into(),
        dialect: said("dialect").into(),
        tool: "countersign 0.1.0".into(),
        binary: said("binary").into(),
        networked: true,
        log_key: said("log_key").into(),
        policy: said("policy").into(),
        format: None,
    };
    let log = desk.station().join("log");
    std::fs::remove_dir_all(&log).expect("removed");
    Log::create(Arc::new(RealDisk), &log, &[7; 32], "countersign/acme/00000000").expect("a log");
    forge(&desk, created.by("station"));
    let ran = desk.run(&["status"]).ended(Exit::Failed);
    assert!(ran.err.contains("made by countersign 0.1"), "{}", ran.err);
}
