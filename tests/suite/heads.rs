//! The loop closes: heads of the log come back, and a station that is not what it was stops before it signs.

use crate::common::{Desk, copy_folder, fixture, json, read, text};
use crate::support::witness::Witness;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::testing::cli::Exit;
use countersign::testing::host::clock::Time;
use countersign::testing::tlog::VerifierKey;
use countersign::testing::tlog::checkpoint::Checkpoint;
use countersign::testing::tlog::note::{Note, NoteSigner};
use countersign::testing::tlog::{consistency, tree};
use std::path::{Path, PathBuf};

/// A station that has signed and exported its first wave.
struct Loop {
    desk: Desk,
    /// The first signed bundle.
    first: PathBuf,
}

impl Loop {
    fn new() -> Loop {
        let desk = Desk::new();
        desk.init("acme", "acme-gateway", "1-populate");
        desk.add_officer("alice");
        desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
        let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
        let (id, review) = desk.import(&request);
        desk.sign(&id, &review, "alice", &[]).done();
        let first = desk.export(&id, "signed-12");
        Loop { desk, first }
    }

    /// A request for the second wave, with these heads; `expires` makes it the same or another content.
    fn update(&self, name: &str, expires: &str, anchors: &[&Path]) -> PathBuf {
        let out = self.desk.path(name);
        let from = fixture("acme/2-update");
        let mut arguments = vec!["request", "--from", text(&from), "--factory", "acme-gateway", "--wave"];
        arguments.extend(["v2.0-update", "--version", "42", "--tag", "production", "--expires", expires]);
        for anchor in anchors {
            arguments.extend(["--anchor", text(anchor)]);
        }
        arguments.extend(["--out", text(&out)]);
        self.desk.run(&arguments).done();
        out
    }

    fn key(&self) -> VerifierKey {
        VerifierKey::parse(&String::from_utf8(read(&self.desk.station().join("log/vkey"))).expect("text"))
            .expect("a key")
    }

    fn head(&self) -> String {
        String::from_utf8(read(&self.desk.station().join("log/checkpoint"))).expect("text")
    }

    fn count(&self, kind: &str) -> usize {
        let log = self.desk.run(&["--json", "log", "show", "--type", kind]).done().json();
        log.as_array().expect("entries").len()
    }

    fn keep(&self, name: &str) -> PathBuf {
        let kept = self.desk.path(name);
        copy_folder(&self.desk.station(), &kept);
        kept
    }

    fn put_back(&self, kept: &Path) {
        std::fs::remove_dir_all(self.desk.station()).expect("removed");
        copy_folder(kept, &self.desk.station());
    }

    /// Signs a request that was written, and exports it.
    fn sign(&self, request: &Path, bundle: &str) -> PathBuf {
        let (id, review) = self.desk.import(request);
        self.desk.sign(&id, &review, "alice", &[]).done();
        self.desk.export(&id, bundle)
    }

    fn policy(&self, witness: &str) -> crate::common::Ran {
        let policy = self.desk.run(&["policy", "show"]).done().out;
        let start = policy.find("quorum = 0").expect("the section");
        let end = policy.find("# What a failure found").expect("the next section");
        let file = self.desk.path("policy.toml");
        std::fs::write(&file, format!("{}{witness}\n{}", &policy[..start], &policy[end..])).expect("written");
        self.desk.by(&["alice"], &["policy", "set", text(&file)])
    }

    fn audit(&self, name: &str) -> crate::common::Ran {
        let pack = self.desk.path(name);
        // Its own verdict is the exit code of the export.
        self.desk.run(&["log", "export", text(&pack)]);
        self.desk.run(&["--json", "audit", "verify", text(&pack)])
    }
}

const SAME: &str = "2027-11-23T00:00:00Z";
const OTHER: &str = "2027-10-01T00:00:00Z";

fn now() -> u64 {
    u64::try_from(Time::parse(crate::common::NOW).expect("a time").unix()).expect("after 1970")
}

#[test]
fn a_bundle_proves_that_its_head_continues_the_heads_of_earlier_bundles() {
    let station = Loop::new();
    let second = station.sign(&station.update("request", SAME, &[&station.first]), "signed-42");
    let head = |bundle: &Path| {
        Checkpoint::verify(&read(&bundle.join("log/checkpoint")), &station.key()).expect("a head")
    };
    let (old, new) = (head(&station.first), head(&second));
    let proof = read(&second.join(format!("log/consistency/{}", old.size)));
    let hashes = consistency::parse(&proof).expect("a proof");
    assert!(tree::continues((old.size, &old.root), (new.size, &new.root), &hashes));
    // Listed in the manifest, so that a changed one is noticed; what was never exported is not proven.
    station
        .desk
        .run(&["verify", text(&second), "--roots", text(&fixture("acme/2-update/prod-roots"))])
        .done();
    let proofs: Vec<_> = std::fs::read_dir(second.join("log/consistency")).expect("listed").collect();
    assert_eq!(proofs.len(), 1);
    assert!(!station.first.join("log/consistency").exists());
    // Together with the head it is what a witness takes.
    let mut witness = Witness::new("w.example", 1, now());
    witness.add_log(&station.key());
    let first = consistency::add_checkpoint(
        0,
        &[],
        &String::from_utf8(read(&station.first.join("log/checkpoint"))).expect("text"),
    );
    assert_eq!(witness.add_checkpoint(&first).status, 200);
    let next = consistency::add_checkpoint(
        old.size,
        &hashes,
        &String::from_utf8(read(&second.join("log/checkpoint"))).expect("text"),
    );
    assert_eq!(witness.add_checkpoint(&next).status, 200);
}

#[test]
fn a_head_that_comes_back_is_judged_and_said() {
    let station = Loop::new();
    let before = station.desk.run(&["status"]).done().out;
    assert!(before.contains("no head of this log came back yet"), "{before}");
    let request = station.update("request", SAME, &[&station.first]);
    let manifest = json(&request.join("request.json"));
    assert!(manifest["files"]["anchors/01.note"].is_object(), "{manifest}");
    let imported = station.desk.run(&["--json", "import", text(&request)]).done().json();
    assert_eq!(imported["anchors"][0]["verdict"], "known");
    let after = station.desk.run(&["status"]).done().out;
    assert!(after.contains("the last head came back on 2026-11-23"), "{after}");
    station.audit("pack").done();
}

#[test]
fn a_station_put_back_to_an_older_copy_stops_at_the_head_of_the_last_bundle() {
    let station = Loop::new();
    let yesterday = station.keep("yesterday");
    let second = station.sign(&station.update("request", SAME, &[&station.first]), "signed-42");
    station.put_back(&yesterday);
    let other = station.update("other", OTHER, &[&second]);
    let ran = station.desk.run(&["--json", "import", text(&other)]).ended(Exit::RolledBack);
    assert!(ran.err.contains("put back to an older copy"), "{}", ran.err);
    // Nor is anything else signed now.
    let plain = station.update("plain", OTHER, &[]);
    let (id, review) = station.desk.import(&plain);
    station.desk.sign(&id, &review, "alice", &[]).ended(Exit::RolledBack);
    assert_eq!(station.count("sign.intent"), 1);
    station.desk.run(&["preflight"]).ended(Exit::Refused);
    station.audit("pack").ended(Exit::RolledBack);
    // Without the head, the copy sees nothing: the honest limit.
    station.put_back(&yesterday);
    station.sign(&station.update("plain-again", OTHER, &[]), "second-truth");
}

#[test]
fn two_copies_that_went_on_are_found_by_the_head_of_the_other() {
    let station = Loop::new();
    let copy = station.keep("copy");
    let here = station.sign(&station.update("request", SAME, &[&station.first]), "signed-42");
    let this = station.keep("this");
    station.put_back(&copy);
    let there = station.sign(&station.update("other", OTHER, &[&station.first]), "signed-there");
    // The other copy's head, as large as this one's.
    let size = |bundle: &Path| json(&bundle.join("signed.json"))["log"]["size"].as_u64().expect("a size");
    assert_eq!(size(&here), size(&there));
    station.put_back(&this);
    let ran = station.desk.run(&["anchor", "import", text(&there)]).ended(Exit::Forked);
    assert!(ran.err.contains("a copy of this station went on"), "{}", ran.err);
    let judged = station.desk.run(&["--json", "log", "show", "--type", "anchor.judged"]).done().json();
    let judged = judged.as_array().expect("entries").last().expect("one").clone();
    for (field, bundle) in [("note", &there), ("own", &here)] {
        let object =
            station.desk.station().join("log/objects/sha256").join(judged[field].as_str().expect("a digest"));
        assert_eq!(read(&object), read(&bundle.join("log/checkpoint")), "{field}");
    }
    station.audit("pack").ended(Exit::Forked);
}

#[test]
fn a_note_that_the_logs_key_did_not_sign_never_stops_anybody() {
    let station = Loop::new();
    let (key, note) = (station.key(), station.head());
    let stranger = NoteSigner::new(key.name(), &[77; 32]).expect("a signer");
    let text_of = |note: &str| Note::parse(note.as_bytes()).expect("a note").text().to_owned();
    let signature = note.rsplit_once("\n\n").expect("a note").1.to_owned();
    let size: u64 = text_of(&note).lines().nth(1).expect("a size").parse().expect("a number");
    let resized = |size: &str| {
        let mut lines: Vec<String> = text_of(&note).lines().map(str::to_owned).collect();
        lines[1] = size.to_owned();
        format!("{}\n\n{signature}", lines.join("\n"))
    };
    let many = format!("{note}{}", signature.repeat(10_000)).chars().take(60_000).collect::<String>();
    let hostile = [
        ("newer, with a signature that does not hold", resized(&(size + 1000).to_string())),
        ("leading zeroes", resized(&format!("0{size}"))),
        ("another station of this name", stranger.sign(&text_of(&note).replace(&size.to_string(), "100000"))),
        ("another origin", note.replace("countersign/acme-gateway", "countersign/acme-other")),
        ("carriage returns", note.replace('\n', "\r\n")),
        ("a fourth line", note.replacen("\n\n", "\nmore\n\n", 1)),
        ("two blank lines", note.replacen("\n\n", "\n\n\n", 1)),
        ("ten thousand signatures", many),
        ("nothing", String::new()),
    ];
    for (at, (what, note)) in hostile.iter().enumerate() {
        let request = station.update(&format!("request-{at}"), SAME, &[&station.first]);
        crate::common::rewrite(&request, "anchors/01.note", note.as_bytes());
        let ran = station.desk.run(&["--json", "import", text(&request)]);
        assert_eq!(ran.exit, Exit::Done, "{what}: {}", ran.err);
        assert_eq!(ran.json()["anchors"][0]["verdict"], "ignored", "{what}");
    }
    station.sign(&station.update("request", SAME, &[]), "signed-42");
    station.audit("pack").done();
}

#[test]
fn more_heads_than_may_come_are_refused_before_they_are_read() {
    let station = Loop::new();
    let request = station.update("request", SAME, &[&station.first]);
    let large = vec![b'x'; (64 << 10) + 1];
    crate::common::rewrite(&request, "anchors/01.note", &large);
    let ran = station.desk.run(&["import", text(&request)]).ended(Exit::Failed);
    assert!(ran.err.contains("at most 65536"), "{}", ran.err);
    let request = station.update("many", SAME, &[&station.first]);
    for at in 0..17 {
        crate::common::rewrite(&request, &format!("anchors/more-{at}.note"), b"x\n");
    }
    station.desk.run(&["import", text(&request)]).ended(Exit::Failed);
    assert_eq!(station.count("request.imported"), 1);
}

#[test]
fn past_the_window_nothing_is_signed_and_a_cosignature_is_the_way_on() {
    let station = Loop::new();
    let mut witness = Witness::new("w.example", 1, now());
    // A policy that asks for witnesses who are not there would be a trap.
    let refused = station.policy("quorum = 1\nwindow_days = 2\n").ended(Exit::Refused);
    assert!(refused.err.contains("this station has 0"), "{}", refused.err);
    station.desk.by(&["alice"], &["witness", "add", &witness.key()]).done();
    station.policy("quorum = 1\nwindow_days = 2\n").done();
    station.desk.by(&["alice"], &["witness", "retire", "w.example"]).ended(Exit::Refused);
    let soon = station.desk.run(&["status"]).done().out;
    assert!(!soon.contains("ends on"), "{soon}");
    station.desk.clock.set("2026-11-25T01:00:00Z");
    let soon = station.desk.run(&["status"]).done().out;
    assert!(
        soon.contains("TO DO     the policy's window for witnesses ends on 2026-11-25T12:00:00Z"),
        "{soon}"
    );
    let preflight = station.desk.run(&["--json", "preflight"]).done().json();
    let heads = preflight["lines"].as_array().expect("lines").iter().find(|line| line["name"] == "heads");
    assert_eq!(heads.expect("the line")["outcome"], "warn");
    station.desk.clock.set("2026-11-25T12:00:01Z");
    let request = station.update("request", SAME, &[&station.first]);
    let (id, review) = station.desk.import(&request);
    let ran = station.desk.sign(&id, &review, "alice", &[]).ended(Exit::Unwitnessed);
    assert!(ran.err.contains("1 witness must have cosigned the log within 2 days"), "{}", ran.err);
    assert_eq!(station.count("witness.overdue"), 1);
    station.audit("pack-overdue").ended(Exit::Unwitnessed);
    // The witness cosigns; its time counts, not when the note arrives.
    witness.time =
        u64::try_from(Time::parse("2026-11-25T12:00:00Z").expect("a time").unix()).expect("positive");
    let note = station.desk.path("w.note");
    std::fs::write(&note, witness.lie(&station.head())).expect("written");
    let ran = station.desk.run(&["--json", "anchor", "import", text(&note)]).done();
    assert_eq!(ran.json()[0]["cosigned"][0]["witness"], "w.example");
    station.desk.sign(&id, &review, "alice", &[]).done();
    station.audit("pack").done();
    station.desk.clock.set("2026-11-27T12:00:01Z");
    station.audit("pack-later").ended(Exit::Unwitnessed);
}

/// A witness that this station counts and that knows its log.
fn with_witness(station: &Loop, policy: &str) -> Witness {
    let mut witness = Witness::new("w.example", 1, now() + 60);
    witness.add_log(&station.key());
    station.desk.by(&["alice"], &["witness", "add", &witness.key()]).done();
    if !policy.is_empty() {
        station.policy(policy).done();
    }
    witness
}

fn note(station: &Loop, name: &str, text: &str) -> PathBuf {
    let path = station.desk.path(name);
    std::fs::write(&path, text).expect("written");
    path
}

#[test]
fn an_old_cosignature_and_an_old_copy_pass_until_the_window_ends() {
    let station = Loop::new();
    let witness = with_witness(&station, "quorum = 1\nwindow_days = 2\n");
    let old = note(&station, "old.note", &witness.lie(&station.head()));
    station.desk.run(&["anchor", "import", text(&old)]).done();
    let yesterday = station.keep("yesterday");
    let second = station.sign(&station.update("request", SAME, &[]), "signed-42");
    let new = note(
        &station,
        "new.note",
        &witness.lie(&String::from_utf8(read(&second.join("log/checkpoint"))).expect("text")),
    );
    station.put_back(&yesterday);
    // With the newer note: stopped. Without it: only the window ends what silence hides.
    let kept = station.keep("kept");
    station.desk.run(&["anchor", "import", text(&new)]).ended(Exit::RolledBack);
    station.put_back(&kept);
    let (id, review) = station.desk.import(&station.update("other", OTHER, &[&old]));
    station.desk.clock.set("2026-11-25T12:01:01Z");
    station.desk.sign(&id, &review, "alice", &[]).ended(Exit::Unwitnessed);
}

#[test]
fn a_witness_cosigns_neither_of_two_copies_that_it_did_not_see_continue() {
    let station = Loop::new();
    let mut witness = with_witness(&station, "");
    let copy = station.keep("copy");
    let head = |bundle: &Path| String::from_utf8(read(&bundle.join("log/checkpoint"))).expect("text");
    let size = |bundle: &Path| json(&bundle.join("signed.json"))["log"]["size"].as_u64().expect("a size");
    let body = |bundle: &Path, old: u64| {
        let proof = read(&bundle.join(format!("log/consistency/{old}")));
        consistency::add_checkpoint(old, &consistency::parse(&proof).expect("a proof"), &head(bundle))
    };
    assert_eq!(
        witness.add_checkpoint(&consistency::add_checkpoint(0, &[], &head(&station.first))).status,
        200
    );
    let here = station.sign(&station.update("request", SAME, &[]), "signed-42");
    station.put_back(&copy);
    station.desk.run(&["preflight"]).done();
    let there = station.sign(&station.update("other", OTHER, &[]), "signed-there");
    let first = size(&station.first);
    // A proof that was changed on the way is refused, and so is one from another size than the witness has.
    let changed = body(&here, first).replacen("\n", "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 1);
    assert_eq!(witness.add_checkpoint(&changed).status, 422);
    assert_eq!(witness.add_checkpoint(&consistency::add_checkpoint(0, &[], &head(&here))).status, 409);
    assert_eq!(witness.add_checkpoint(&body(&here, first)).status, 200);
    // The second copy's head does not continue what the witness has now.
    let answer = witness.add_checkpoint(&body(&there, first));
    assert_eq!((answer.status, answer.body), (409, format!("{}\n", size(&here))));
    let forced = consistency::add_checkpoint(size(&here), &[], &head(&there));
    assert_eq!(witness.add_checkpoint(&forced).status, 422);
}

#[test]
fn cosignatures_that_do_not_count_are_said_and_change_nothing() {
    let station = Loop::new();
    let mut witness = with_witness(&station, "");
    let head = station.head();
    let import = |name: &str, text_of: &str| {
        let path = note(&station, name, text_of);
        let ran = station.desk.run(&["--json", "anchor", "import", text(&path)]).done();
        let judged = ran.json()[0].clone();
        assert_eq!(judged["verdict"], "known", "{name}: {judged}");
        (
            judged["cosigned"].as_array().expect("a list").len(),
            judged["not_counted"].as_array().expect("a list").len(),
        )
    };
    let at = |witness: &mut Witness, time: u64| {
        witness.time = time;
        witness.lie(&head)
    };
    // One bit of the signature, of the time, of the key's id.
    let good = at(&mut witness, now());
    let (start, line) = good.trim_end().rsplit_once(' ').expect("a line");
    for (name, byte) in [("signature", 75), ("time", 11), ("id", 0)] {
        let mut bytes = STANDARD.decode(line).expect("base64");
        bytes[byte] ^= 1;
        let flipped = format!("{start} {}\n", STANDARD.encode(bytes));
        assert!(Note::parse(flipped.as_bytes()).is_ok(), "{name}: it reads as a note");
        assert_eq!(import(name, &flipped).0, 0, "{name}");
    }
    for (name, time) in [
        ("no time", 0),
        ("beyond any time", 1 << 63),
        ("to come", now() + 86_400),
        ("before the log began", now() - 86_400),
    ] {
        assert_eq!(import(name, &at(&mut witness, time)), (0, 1), "{name}");
    }
    // A stranger, also one of the same name, is passed over.
    let stranger = Witness::new("w.example", 9, now());
    assert_eq!(import("stranger", &stranger.lie(&head)), (0, 0));
    assert_eq!(import("good", &at(&mut witness, now() + 60)), (1, 0));
    assert_eq!(import("again", &at(&mut witness, now() + 60)), (0, 0));
    assert_eq!(import("older", &at(&mut witness, now() + 59)), (0, 1));
    let list = station.desk.run(&["--json", "witness", "list"]).done().json();
    assert_eq!(list[0]["time"], Time::from_unix(i64::try_from(now() + 60).expect("small")).to_string());
    station.audit("pack").done();
}

#[test]
fn a_witness_that_lost_its_memory_is_noticed() {
    let station = Loop::new();
    let mut witness = with_witness(&station, "");
    let newest = note(&station, "newest.note", &witness.lie(&station.head()));
    station.desk.run(&["anchor", "import", text(&newest)]).done();
    witness.time += 60;
    let old = String::from_utf8(read(&station.first.join("log/checkpoint"))).expect("text");
    let ran =
        station.desk.run(&["anchor", "import", text(&note(&station, "old.note", &witness.lie(&old)))]).done();
    assert!(ran.out.contains("it has lost its memory"), "{}", ran.out);
    assert_eq!(station.count("witness.stale"), 1);
    station.audit("pack").done();
}

#[test]
fn neither_the_logs_own_key_nor_one_key_under_two_names_is_a_second_witness() {
    let station = Loop::new();
    let add = |key: &str| station.desk.by(&["alice"], &["witness", "add", key]);
    let secret = String::from_utf8(read(&station.desk.station().join("log/key"))).expect("text");
    let log = NoteSigner::from_secret_text(&secret).expect("the log's key");
    let own = VerifierKey::witness("other.example", *log.public().public()).expect("a key");
    let refused = add(&own.to_string()).ended(Exit::Refused);
    assert!(refused.err.contains("a log is not its own witness"), "{}", refused.err);
    let refused = add(&log.public().to_string()).ended(Exit::Refused);
    assert!(refused.err.contains("type 1"), "{}", refused.err);
    add(&Witness::new("w.example", 1, 1).key()).done();
    let refused = add(&Witness::new("x.example", 1, 1).key()).ended(Exit::Refused);
    assert!(refused.err.contains("no key under two names"), "{}", refused.err);
    add(&Witness::new("w.example", 2, 1).key()).ended(Exit::Refused);
    add("w.example+00000000+BAAA").ended(Exit::Failed);
    // Two are asked for, and one is there.
    station.policy("quorum = 2\nwindow_days = 2\n").ended(Exit::Refused);
    station.audit("pack").done();
}

#[test]
fn where_every_bundle_is_waited_for_nothing_is_signed_before_its_head_is_back() {
    let station = Loop::new();
    let witness = with_witness(&station, "quorum = 1\nevery_bundle = true\n");
    let request = station.update("request", SAME, &[&station.first]);
    let (id, review) = station.desk.import(&request);
    station.desk.sign(&id, &review, "alice", &[]).ended(Exit::Unwitnessed);
    let first = String::from_utf8(read(&station.first.join("log/checkpoint"))).expect("text");
    let back = note(&station, "first.note", &witness.lie(&first));
    station.desk.run(&["anchor", "import", text(&back)]).done();
    station.desk.sign(&id, &review, "alice", &[]).done();
    let pack = station.audit("pack").done().json();
    assert_eq!(pack["witnessed"][0]["name"], "w.example");
}

#[test]
fn a_slip_takes_a_signature_out_as_a_bundle_does() {
    // Where every bundle is waited for, the bundle goes first: it has the proofs.
    let station = Loop::new();
    let witness = with_witness(&station, "quorum = 1\nevery_bundle = true\n");
    let first = String::from_utf8(read(&station.first.join("log/checkpoint"))).expect("text");
    station.desk.run(&["anchor", "import", text(&note(&station, "first", &witness.lie(&first)))]).done();
    let (id, review) = station.desk.import(&station.update("request", SAME, &[]));
    station.desk.sign(&id, &review, "alice", &[]).done();
    let ran = station.desk.run(&["export", &id, "--slip"]).ended(Exit::Refused);
    assert!(ran.err.contains("Export the bundle"), "{}", ran.err);
    station.desk.export(&id, "bundle");
    station.desk.run(&["export", &id, "--slip"]).done();
    // A slip from before the policy asked is waited for like a bundle.
    let station = Loop::new();
    let (id, review) = station.desk.import(&station.update("request", SAME, &[]));
    station.desk.sign(&id, &review, "alice", &[]).done();
    let before = station.head();
    station.desk.run(&["export", &id, "--slip"]).done();
    let mut witness = with_witness(&station, "quorum = 1\nevery_bundle = true\n");
    let again = |station: &Loop| {
        let review = station.desk.run(&["--json", "review", &id]).done().json();
        station.desk.sign(&id, &review, "alice", &[])
    };
    let first = String::from_utf8(read(&station.first.join("log/checkpoint"))).expect("text");
    station.desk.run(&["anchor", "import", text(&note(&station, "first", &witness.lie(&first)))]).done();
    again(&station).ended(Exit::Unwitnessed);
    witness.time += 60;
    station.desk.run(&["anchor", "import", text(&note(&station, "slip", &witness.lie(&before)))]).done();
    again(&station).done();
    station.audit("pack").done();
}

#[test]
fn a_station_restored_on_purpose_goes_on_once_officers_and_the_auditor_settled_it() {
    let station = Loop::new();
    station.desk.by(&["alice"], &["witness", "add", &auditor(&station)]).done();
    let yesterday = station.keep("yesterday");
    let second = station.sign(&station.update("request", SAME, &[&station.first]), "signed-42");
    station.put_back(&yesterday);
    let other = station.update("later", OTHER, &[]);
    let (id, review) = station.desk.import(&other);
    station.desk.run(&["anchor", "import", text(&second)]).ended(Exit::RolledBack);
    let stop = station.desk.run(&["--json", "anchor", "list"]).done().json();
    let stop = stop.as_array().expect("heads").last().expect("one")["seq"].to_string();
    let reason = "the disk died; restored from the copy of Monday";
    station
        .desk
        .run(&["anchor", "settle", &stop, "--officer", "alice", "--reason", reason])
        .ended(Exit::NotApproved);
    station.desk.by(&["alice"], &["anchor", "settle", "3", "--reason", reason]).ended(Exit::Refused);
    station.desk.by(&["alice"], &["anchor", "settle", &stop, "--reason", reason]).done();
    // The officers alone do not settle it where there is an auditor.
    station.desk.sign(&id, &review, "alice", &[]).ended(Exit::Unwitnessed);
    station.audit("pack").ended(Exit::Unwitnessed);
    let noted = cosign(&station, "pack", "new-state.json", "auditor.note").done();
    assert!(noted.out.contains("auditor.example/acme"), "{}", noted.out);
    station.desk.run(&["anchor", "import", text(&station.desk.path("auditor.note"))]).done();
    // The lost history's heads are known for what they are now.
    let ran = station.desk.run(&["--json", "anchor", "import", text(&second)]).done();
    assert_eq!(ran.json()[0]["verdict"], "settled");
    station.desk.sign(&id, &review, "alice", &[]).done();
    let verdict = station.audit("pack-after").done().json();
    assert!(verdict["remarks"]["heads"].as_u64().expect("a count") >= 3, "{verdict}");
    let report = station.desk.path("report.html");
    station
        .desk
        .run(&["audit", "report", text(&station.desk.path("pack-after")), "--out", text(&report)])
        .done();
    let page = String::from_utf8(read(&report)).expect("text");
    assert!(page.contains("the disk died") && page.contains("auditor.example/acme cosigned"), "{page}");
}

/// Makes the auditor's key; its public half.
fn auditor(station: &Loop) -> String {
    let key = station.desk.path("auditor.key");
    let arguments = ["--json", "audit", "witness-key", "--name", "auditor.example/acme", "--out", text(&key)];
    let made = station.desk.run(&arguments).done();
    station.desk.run(&arguments).ended(Exit::Failed);
    made.json()["key"].as_str().expect("a key").to_owned()
}

fn cosign(station: &Loop, pack: &str, state: &str, out: &str) -> crate::common::Ran {
    let [pack, key, state, out] = [pack, "auditor.key", state, out].map(|name| station.desk.path(name));
    station.desk.run(&[
        "audit",
        "cosign",
        text(&pack),
        "--key",
        text(&key),
        "--state",
        text(&state),
        "--out",
        text(&out),
    ])
}

#[test]
fn the_auditor_cosigns_what_continues_what_she_cosigned_before() {
    let station = Loop::new();
    let key = auditor(&station);
    station.desk.by(&["alice"], &["witness", "add", &key]).done();
    let copy = station.keep("copy");
    station.desk.run(&["log", "export", text(&station.desk.path("pack-1"))]).done();
    cosign(&station, "pack-1", "state.json", "1.note").done();
    let second = station.sign(&station.update("request", SAME, &[&station.desk.path("1.note")]), "signed-42");
    // The bundle proves what the auditor needs, too.
    let held: Vec<_> = std::fs::read_dir(second.join("log/consistency")).expect("listed").collect();
    assert_eq!(held.len(), 2, "the first export's head, and the auditor's");
    let verdict = station.audit("pack-2").done().json();
    assert_eq!(verdict["witnessed"][0]["name"], "auditor.example/acme");
    cosign(&station, "pack-2", "state.json", "2.note").done();
    let pack = station.desk.path("pack-2");
    let note = station.desk.path("2.note");
    let arguments = ["--json", "audit", "verify", text(&pack), "--witness", &key, "--against", text(&note)];
    let verdict = station.desk.run(&arguments).done().json();
    assert_eq!(verdict["witnessed"][0]["heads"].as_array().expect("heads").len(), 2, "{verdict}");
    // A copy that went on is not cosigned, and an older pack neither.
    cosign(&station, "pack-1", "state.json", "old.note").ended(Exit::RolledBack);
    station.put_back(&copy);
    station.sign(&station.update("other", OTHER, &[]), "signed-there");
    station.sign(&station.update("again", OTHER, &[]), "signed-again");
    station.desk.run(&["log", "export", text(&station.desk.path("pack-3"))]).done();
    cosign(&station, "pack-3", "state.json", "3.note").ended(Exit::Forked);
    assert!(!station.desk.path("3.note").exists() && !station.desk.path("old.note").exists());
}

#[test]
fn without_witnesses_everything_works_and_every_report_says_so() {
    let station = Loop::new();
    station.sign(&station.update("request", SAME, &[]), "signed-42");
    let pack = station.desk.path("pack");
    station.desk.run(&["log", "export", text(&pack)]).done();
    let verdict = station.desk.run(&["audit", "verify", text(&pack)]).done().out;
    assert!(verdict.contains("Witnessed   not at all"), "{verdict}");
    let report = station.desk.path("report.html");
    station.desk.run(&["audit", "report", text(&pack), "--out", text(&report)]).done();
    assert!(String::from_utf8(read(&report)).expect("text").contains("Nobody cosigned this log"));
}

#[test]
fn a_head_larger_by_exactly_what_a_crash_cut_off_stops_and_the_newest_lines_count() {
    let station = Loop::new();
    let log = station.desk.station().join("log");
    let head = station.head();
    let size: u64 = head.lines().nth(1).expect("a size").parse().expect("a number");
    let came = note(&station, "newest.note", &head);
    let sizes = || -> Vec<u64> {
        let names = std::fs::read_dir(log.join("checkpoints")).expect("listed");
        let mut sizes: Vec<u64> = names
            .map(|one| one.expect("one").file_name().to_str().expect("a name").parse().expect("a size"))
            .collect();
        sizes.sort_unstable();
        sizes
    };
    // What a crash left after the newest head changes nothing: it was signed by nobody.
    let kept = station.keep("kept");
    let file = log.join("events/000000.jsonl");
    std::fs::write(&file, [read(&file), b"{\"v\":1,".to_vec()].concat()).expect("written");
    let ran = station.desk.run(&["--json", "anchor", "import", text(&came)]).done();
    assert_eq!(ran.json()[0]["verdict"], "known");
    let before = sizes().into_iter().rfind(|one| *one < size).expect("an older one");
    // Lines that a head covers were on disk before it was signed: something else than a crash took them.
    station.put_back(&kept);
    std::fs::remove_file(log.join("checkpoints").join(size.to_string())).expect("removed");
    std::fs::remove_file(log.join("checkpoint")).expect("removed");
    let lines = String::from_utf8(read(&file)).expect("text");
    let all: Vec<&str> = lines.split_inclusive('\n').collect();
    std::fs::write(&file, all[..usize::try_from(before).expect("small")].concat()).expect("written");
    station.desk.run(&["anchor", "import", text(&came)]).ended(Exit::RolledBack);
}
