//! Lines after the newest checkpoint are what a crash leaves, or what somebody put there who can write the folder: they
//! give nobody anything, of no kind.

use crate::common::{Desk, copy_folder, fixture, read};
use countersign::testing::cli::Exit;
use countersign::testing::ledger::record::PolicyChanged;
use countersign::testing::ledger::{Entry, Event, Kind, Record};
use countersign::testing::tlog::tree::leaf_hash;
use std::path::PathBuf;

/// A station with two officers, a key of one of them, and a request that both decided about.
struct Standing {
    desk: Desk,
    keyid: String,
    request: String,
    kept: PathBuf,
}

fn standing() -> Standing {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    ["ann", "bob"].iter().for_each(|name| desk.add_officer(name));
    let keyid = desk.import_key(&fixture("acme/targets.keys.tgz"), "ann", "1");
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let (request, review) = desk.import(&request);
    let words = review["confirm"].as_str().expect("words");
    let bob = desk.passphrase("bob");
    let bob = ["--officer", "bob", "--passphrase-file", &bob];
    desk.run(&[&["approve", &request, "--confirm", words][..], &bob].concat()).done();
    desk.run(&[&["reject", &request, "--reason", "not today"][..], &bob].concat()).done();
    let kept = desk.path("kept");
    copy_folder(&desk.station(), &kept);
    Standing { desk, keyid, request, kept }
}

fn events(desk: &Desk) -> PathBuf {
    desk.station().join("log/events/000000.jsonl")
}

fn lines(desk: &Desk) -> Vec<Vec<u8>> {
    let bytes = read(&events(desk));
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// The last line of a kind.
fn last(desk: &Desk, kind: Kind) -> Vec<u8> {
    let is_one = |line: &Vec<u8>| Entry::read(line).expect("a line").kind() == kind;
    lines(desk).into_iter().rfind(is_one).expect("one of this kind")
}

impl Standing {
    fn reset(&self) {
        std::fs::remove_dir_all(self.desk.station()).expect("removed");
        copy_folder(&self.kept, &self.desk.station());
    }

    /// An event of a kind that names what there is on this station, wherever a field has room for it.
    fn plausible(&self, kind: Kind) -> Event {
        let text = |name: &str| match name {
            "request" => self.request.clone(),
            "keyid" => self.keyid.clone(),
            "officer" | "officers" => "ann".to_owned(),
            "factory" => "acme-gateway".to_owned(),
            "wave" => "v2.0-update".to_owned(),
            "tag" => "production".to_owned(),
            "resolution" => "made".to_owned(),
            _ => "ab".repeat(32),
        };
        crate::support::filled::filled(kind, "ann", &text, 42)
    }

    /// Appends an event's line with the right number and link, as whoever can write the folder could: no key is needed.
    fn forge(&self, event: &Event) -> Vec<u8> {
        let before = lines(&self.desk);
        let previous = leaf_hash(before.last().expect("a line"));
        let stamp = Entry::read(before.last().expect("a line")).expect("a line").stamp();
        let line = event.line(before.len() as u64, &previous, &stamp);
        self.append(&line);
        line
    }

    /// As [`Standing::forge`], a copy of a line that stands in the log.
    fn forge_copy(&self, line: &[u8]) {
        let before = lines(&self.desk);
        let previous = leaf_hash(before.last().expect("a line"));
        let line = std::str::from_utf8(line).expect("text");
        let (_, rest) = line.split_once("\"time\":").expect("a time");
        let line = format!(
            "{{\"v\":1,\"seq\":{},\"prev\":\"{}\",\"time\":{rest}",
            before.len(),
            hex::encode(previous)
        );
        Entry::read(line.as_bytes()).expect("a line");
        self.append(line.as_bytes());
    }

    fn append(&self, line: &[u8]) {
        let whole = [read(&events(&self.desk)), line.to_vec(), b"\n".to_vec()].concat();
        std::fs::write(events(&self.desk), whole).expect("written");
    }

    /// What the station says of itself, and of the request.
    fn said(&self) -> Vec<String> {
        let commands: [&[&str]; 7] = [
            &["policy", "show"],
            &["trust", "show"],
            &["officer", "list"],
            &["key", "list"],
            &["status"],
            &["log", "show"],
            &["log", "head"],
        ];
        let run = |arguments: &&[&str]| {
            let ran = self.desk.run(&[&["--json"][..], arguments].concat()).done();
            let is_told = ran.err.contains("after its newest signed checkpoint");
            assert_eq!(is_told, lines(&self.desk).len() > lines_in(&self.kept), "{arguments:?}: {}", ran.err);
            ran.out
        };
        commands.iter().map(run).collect()
    }
}

fn lines_in(station: &std::path::Path) -> usize {
    read(&station.join("log/events/000000.jsonl")).iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn a_forged_line_of_any_kind_gives_no_right_and_is_kept_aside_and_told() {
    let standing = standing();
    let desk = &standing.desk;
    let honest = standing.said();
    for kind in Kind::ALL {
        standing.reset();
        let forged = standing.forge(&standing.plausible(*kind));
        assert_eq!(standing.said(), honest, "{kind}");
        // The first command that writes keeps it aside; what follows rests on what was signed.
        let verified = desk.run(&["log", "verify"]);
        let in_doubt = *kind == Kind::SignIntent;
        assert_eq!(
            verified.exit,
            if in_doubt { Exit::InDoubt } else { Exit::Done },
            "{kind}: {}",
            verified.err
        );
        assert!(verified.err.contains("after the newest signed checkpoint"), "{kind}: {}", verified.err);
        let told = desk.run(&["--json", "log", "show", "--type", "log.recovered"]).done().json();
        let [told] = told.as_array().expect("a list").as_slice() else { panic!("{kind}: {told}") };
        let saved = desk.station().join("log").join(told["saved"].as_str().expect("a file"));
        assert_eq!(read(&saved), [&forged[..], b"\n"].concat(), "{kind}");
        assert_eq!(told["bytes"], forged.len() + 1, "{kind}");
        assert!(!lines(desk).contains(&forged), "{kind}");
        // Bob's refusal stands, whatever was put there.
        let review = desk.run(&["--json", "review", &standing.request]).json();
        let signed = desk.sign(&standing.request, &review, "ann", &[]);
        let wanted = if in_doubt { Exit::InDoubt } else { Exit::NotApproved };
        assert_eq!(signed.exit, wanted, "{kind}: {}", signed.err);
    }
}

#[test]
fn an_intent_that_no_checkpoint_covers_is_in_doubt_until_an_officer_settles_it() {
    let standing = standing();
    let desk = &standing.desk;
    standing.forge(&standing.plausible(Kind::SignIntent));
    desk.run(&["log", "verify"]).ended(Exit::InDoubt);
    let told = desk.run(&["--json", "log", "show", "--type", "sign.recovered"]).done().json();
    let seq = told[0]["seq"].to_string();
    assert_eq!((&told[0]["keyid"], &told[0]["version"]), (&standing.keyid.as_str().into(), &42.into()));
    // Nothing else is signed until then, and the review is what it was: an intent that nobody signed is no mark.
    let review = desk.run(&["--json", "review", &standing.request]).json();
    desk.sign(&standing.request, &review, "ann", &[]).ended(Exit::InDoubt);
    let ann = desk.passphrase("ann");
    let settle = ["settle", &seq, "--officer", "ann", "--outcome", "not-made", "--passphrase-file", &ann];
    desk.run(&settle).done();
    desk.sign(&standing.request, &review, "ann", &[]).ended(Exit::NotApproved);
    desk.run(&["log", "verify"]).done();
    let pack = desk.path("pack");
    desk.run(&["log", "export", pack.to_str().expect("text")]).done();
    desk.run(&["audit", "verify", pack.to_str().expect("text")]).done();
}

#[test]
fn a_copy_of_an_older_approval_lifts_no_refusal() {
    let standing = standing();
    standing.forge_copy(&last(&standing.desk, Kind::ApprovalGranted));
    let review = standing.desk.run(&["--json", "review", &standing.request]).json();
    let ran = standing.desk.sign(&standing.request, &review, "ann", &[]).ended(Exit::NotApproved);
    assert!(ran.err.contains("bob rejected this request"), "{}", ran.err);
}

#[test]
fn a_policy_that_was_replaced_does_not_come_back() {
    let standing = standing();
    let desk = &standing.desk;
    let strict = desk.run(&["policy", "show"]).done().out.replace("count = 1", "count = 2");
    let file = desk.path("strict.toml");
    std::fs::write(&file, &strict).expect("written");
    let [ann, bob] = ["ann", "bob"].map(|name| desk.passphrase(name));
    let by = ["--officer", "ann", "--officer", "bob", "--passphrase-file", &ann, "--passphrase-file", &bob];
    desk.run(&[&["policy", "set", file.to_str().expect("text")][..], &by].concat()).done();
    let changed = last(desk, Kind::PolicyChanged);
    let changed = Entry::read(&changed).expect("a line");
    let Record::PolicyChanged(changed) = changed.record() else { panic!("{changed:?}") };
    let back = PolicyChanged { from: (*changed.to).into(), to: (*changed.from).into() }.by("ann");
    standing.forge(&back);
    for command in [["policy", "show"], ["log", "verify"], ["policy", "show"]] {
        let ran = desk.run(&command).done();
        assert!(command[0] == "log" || ran.out.contains("count = 2"), "{command:?}: {}{}", ran.out, ran.err);
    }
}
