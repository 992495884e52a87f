//! The auditor's tools on a real station's pack: who, show, reconcile, receipts, reports, and the exit codes of verify.

use crate::common;

use common::{Desk, copy_folder, fixture, json, text};
use countersign::testing::cli::Exit;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A pack of a station that signed two of fioctl's waves, with one wrong passphrase and one refusal in its log.
struct Pack {
    _desk: Desk,
    dir: PathBuf,
    key: String,
    bundles: Vec<PathBuf>,
}

fn pack() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(|| {
        let desk = Desk::new();
        desk.init("acme", "acme-gateway", "1-populate");
        desk.add_officer("alice");
        desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
        let mut bundles = Vec::new();
        for (step, wave, version) in [("1-populate", "populate-targets", 12), ("2-update", "v2.0-update", 42)]
        {
            let request = desk.request(&fixture(&format!("acme/{step}")), "acme-gateway", wave, version, &[]);
            let (id, review) = desk.import(&request);
            if version == 42 {
                let wrong = desk.path("wrong.passphrase");
                std::fs::write(&wrong, "not her words at all\n").expect("written");
                let wrong = format!("alice={}", wrong.display());
                let words = review["confirm"].as_str().expect("words");
                desk.run(&[
                    "sign",
                    &id,
                    "--officer",
                    "alice",
                    "--confirm",
                    words,
                    "--passphrase-file",
                    &wrong,
                ])
                .ended(Exit::NotApproved);
            }
            desk.sign(&id, &review, "alice", &[]).done();
            bundles.push(desk.export(&id, &format!("signed-{version}")));
        }
        let dir = desk.path("evidence");
        desk.run(&["log", "export", text(&dir)]).done();
        let key = String::from_utf8(common::read(&dir.join("vkey"))).expect("text").trim().to_owned();
        Pack { _desk: desk, dir, key, bundles }
    })
}

impl Pack {
    /// Runs an audit command in a desk of its own: it needs no station.
    fn audit(&self, arguments: &[&str]) -> common::Ran {
        let desk = Desk::new();
        let mut all = vec!["audit"];
        all.extend(arguments);
        desk.run(&all)
    }

    /// A copy of the pack, to be changed.
    fn copy(&self) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join("evidence");
        copy_folder(&self.dir, &to);
        (folder, to)
    }
}

/// The station and the auditor have one rule for decisions: what the one signs on, the other finds whole.
#[test]
fn a_request_that_was_rejected_and_approved_in_the_end_is_whole_to_the_auditor() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    ["ann", "bob"].iter().for_each(|name| desk.add_officer(name));
    desk.import_key(&fixture("acme/targets.keys.tgz"), "ann", "1");
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let imported = desk.run(&["--json", "import", text(&request)]).done().json();
    let (id, bob) = (imported["request"].as_str().expect("a digest"), desk.passphrase("bob"));
    let reject = ["reject", id, "--officer", "bob", "--reason", "not today", "--passphrase-file", &bob];
    // Before anybody saw a review, too.
    desk.run(&reject).done();
    let review = desk.run(&["--json", "review", id]).done().json();
    let words = review["confirm"].as_str().expect("words");
    let approve = ["approve", id, "--officer", "bob", "--confirm", words, "--passphrase-file", &bob];
    desk.run(&approve).done();
    desk.run(&reject).done();
    desk.sign(id, &review, "ann", &[]).ended(Exit::NotApproved);
    desk.run(&approve).done();
    desk.sign(id, &review, "ann", &[]).done();
    desk.by(&["ann"], &["officer", "retire", "bob"]).done();
    let dir = desk.path("evidence");
    desk.run(&["log", "export", text(&dir)]).done();
    let ran = desk.run(&["audit", "verify", text(&dir)]).done();
    assert!(ran.out.starts_with("THE LOG IS WHOLE"), "{}", ran.out);
}

fn lines(pack: &Pack) -> usize {
    let text = std::fs::read_to_string(pack.dir.join("events/000000.jsonl")).expect("read");
    text.lines().count()
}

#[test]
fn a_pack_of_a_real_station_is_whole_against_its_key_its_bundles_and_the_auditors_memory() {
    let pack = pack();
    let state = tempfile::tempdir().expect("a folder");
    let state = state.path().join("heads.json");
    for bundle in &pack.bundles {
        let checkpoint = bundle.join("log/checkpoint");
        let ran = pack.audit(&[
            "verify",
            text(&pack.dir),
            "--key",
            &pack.key,
            "--state",
            text(&state),
            "--against",
            text(&checkpoint),
        ]);
        let ran = ran.done();
        assert!(ran.out.starts_with("THE LOG IS WHOLE\n"), "{}", ran.out);
    }
    let found = pack.audit(&["--json", "verify", text(&pack.dir)]).done().json();
    assert_eq!(found["verdict"], "whole");
    assert_eq!(found["signatures"], 2);
    assert_eq!(found["entries"], lines(pack));
    assert_eq!(found["remarks"]["failed-passphrase"], 1);
    assert_eq!(found["key_from_pack"], true);
    let again = pack.audit(&["verify", text(&pack.dir)]).done();
    assert!(again.out.contains("if its key is the station's"), "{}", again.out);
}

#[test]
fn each_way_to_be_bad_has_its_exit_code_and_nothing_is_written_into_the_pack() {
    let pack = pack();
    let (_folder, dir) = pack.copy();
    let events = dir.join("events/000000.jsonl");
    let whole = std::fs::read(&events).expect("read");
    let changed =
        String::from_utf8(whole.clone()).expect("text").replace("populate-targets", "populate-tergets");
    std::fs::write(&events, changed).expect("written");
    let before = listing(&dir);
    let ran = pack.audit(&["--json", "verify", text(&dir), "--key", &pack.key]).ended(Exit::Tampered);
    assert!(ran.json()["first_bad"]["seq"].as_u64().is_some());
    assert_eq!(listing(&dir), before);
    // An older pack than the bundle that left the room.
    let old = pack.bundles[0].join("log/checkpoint");
    let new = pack.bundles[1].join("log/checkpoint");
    let size = |path: &Path| -> usize {
        let text = std::fs::read_to_string(path).expect("read");
        text.lines().nth(1).expect("a size").parse().expect("a number")
    };
    let kept: Vec<u8> =
        whole.split_inclusive(|byte| *byte == b'\n').take(size(&old)).flatten().copied().collect();
    std::fs::write(&events, kept).expect("written");
    for entry in std::fs::read_dir(dir.join("checkpoints")).expect("listed") {
        let path = entry.expect("read").path();
        let of: usize = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.parse().ok())
            .expect("a size");
        if of > size(&old) {
            std::fs::remove_file(path).expect("removed");
        }
    }
    std::fs::copy(&old, dir.join("checkpoint")).expect("copied");
    std::fs::remove_dir_all(dir.join("tile")).expect("removed");
    pack.audit(&["verify", text(&dir), "--key", &pack.key]).done();
    pack.audit(&["verify", text(&dir), "--against", text(&new)]).ended(Exit::RolledBack);
    // Another key than the station's, a folder that is no pack, a checkpoint that is none.
    let other = countersign::testing::tlog::note::NoteSigner::new("another", &[1; 32]).expect("a signer");
    pack.audit(&["verify", text(&dir), "--key", &other.public().to_string()]).ended(Exit::Failed);
    pack.audit(&["verify", text(&dir.join("events"))]).ended(Exit::Failed);
    pack.audit(&["verify", text(&dir), "--against", text(&dir.join("vkey"))]).ended(Exit::Failed);
    // A receipt carries a head too; another log's checkpoint says nothing about this one, and is no fork.
    let receipt = |bundle: usize| pack.bundles[bundle].join("log/receipt.tlog-proof");
    pack.audit(&["verify", text(&dir), "--against", text(&receipt(0)), text(&pack.bundles[0])]).done();
    pack.audit(&["verify", text(&dir), "--against", text(&receipt(1))]).ended(Exit::RolledBack);
    let elsewhere = dir.join("../elsewhere");
    let note = std::fs::read_to_string(&new).expect("read").replacen("acme-gateway", "other-gateway", 1);
    std::fs::write(&elsewhere, note).expect("written");
    let ran = pack.audit(&["verify", text(&dir), "--against", text(&elsewhere)]).ended(Exit::Failed);
    assert!(ran.err.contains("other-gateway"), "{}", ran.err);
}

fn listing(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).expect("listed") {
        let path = entry.expect("read").path();
        if path.is_dir() {
            all.extend(listing(&path));
        } else {
            let bytes = std::fs::read(&path).expect("read");
            all.push((path, bytes));
        }
    }
    all.sort();
    all
}

#[test]
fn links_special_files_and_huge_files_in_a_pack_are_refused_without_being_followed() {
    let pack = pack();
    let (_folder, dir) = pack.copy();
    let events = dir.join("events/000000.jsonl");
    let away = dir.join("away");
    std::fs::rename(&events, &away).expect("moved");
    std::os::unix::fs::symlink(&away, &events).expect("linked");
    let ran = pack.audit(&["verify", text(&dir)]);
    assert_ne!(ran.exit, Exit::Done, "{}", ran.out);
    std::fs::remove_file(&events).expect("removed");
    std::fs::rename(&away, &events).expect("moved back");
    std::fs::remove_file(dir.join("checkpoint")).expect("removed");
    std::os::unix::fs::symlink("checkpoints/0", dir.join("checkpoint")).expect("linked");
    assert_ne!(pack.audit(&["verify", text(&dir)]).exit, Exit::Done);
    std::fs::remove_file(dir.join("checkpoint")).expect("removed");
    let huge = std::fs::File::create(dir.join("checkpoint")).expect("made");
    huge.set_len(1 << 40).expect("sparse");
    let ran = pack.audit(&["verify", text(&dir)]).ended(Exit::Tampered);
    assert!(ran.out.contains("at most"), "{}", ran.out);
    std::fs::remove_file(dir.join("checkpoint")).expect("removed");
    std::fs::copy(pack.dir.join("checkpoint"), dir.join("checkpoint")).expect("copied");
    // An object that is none, and a file too many: each is named, with its entry, and the rest is looked at.
    let object = std::fs::read_dir(dir.join("objects/sha256")).expect("listed").next().expect("one");
    let object = object.expect("read").path();
    std::fs::remove_file(&object).expect("removed");
    std::os::unix::fs::symlink("/dev/zero", &object).expect("linked");
    std::fs::write(dir.join("events/x.txt"), "x").expect("written");
    let verdict = pack.audit(&["--json", "verify", text(&dir)]).ended(Exit::Tampered).json();
    let flaws = verdict["flaws"].as_array().expect("flaws");
    let named = |what: &str| flaws.iter().find(|flaw| flaw.to_string().contains(what)).expect(what);
    assert!(named(object.file_name().expect("a name").to_str().expect("text"))["seq"].is_number());
    assert_eq!(named("events/x.txt")["kind"], "files");
    assert_eq!(verdict["entries"], lines(pack));
}

#[test]
fn who_signed_it_is_answered_by_version_target_digest_and_key() {
    let pack = pack();
    let dir = text(&pack.dir);
    let found = pack.audit(&["--json", "who", dir, "--version", "42"]).done().json();
    let one = &found.as_array().expect("a list")[0];
    assert_eq!((one["wave"].as_str(), one["officers"][0].as_str()), (Some("v2.0-update"), Some("alice")));
    assert_eq!(one["approvals"][0]["officer"], "alice");
    assert_eq!(one["strength"], "L0");
    let signed = one["signed"].as_str().expect("a digest");
    let keyid = one["keyid"].as_str().expect("a key");
    let targets = json(&pack.bundles[1].join("targets.json"));
    let names: Vec<&String> = targets["signed"]["targets"].as_object().expect("targets").keys().collect();
    let count = |arguments: &[&str]| {
        let all: Vec<&str> = ["--json", "who", dir].iter().chain(arguments).copied().collect();
        pack.audit(&all).done().json().as_array().expect("a list").len()
    };
    assert_eq!(count(&["--digest", &signed[..12]]), 1);
    assert_eq!(count(&["--key", &keyid[..12]]), 2);
    let new = names.iter().filter(|name| name.ends_with("-42")).count();
    assert!(
        new > 0
            && names.iter().filter(|name| name.ends_with("-42")).all(|name| count(&["--target", name]) == 1)
    );
    assert_eq!(count(&["--version", "43"]), 0);
    let words = pack.audit(&["who", dir, "--version", "42"]).done().out;
    assert!(
        words.contains("approved by  alice on ") && words.contains("one person could do it alone"),
        "{words}"
    );
    assert_eq!(pack.audit(&["who", dir]).exit, Exit::Usage);
}

#[test]
fn entries_are_shown_by_kind_person_and_time() {
    let pack = pack();
    let dir = text(&pack.dir);
    let count = |arguments: &[&str]| {
        let all: Vec<&str> = ["--json", "show", dir].iter().chain(arguments).copied().collect();
        pack.audit(&all).done().json().as_array().expect("a list").len()
    };
    assert_eq!(count(&[]), lines(pack));
    assert_eq!(count(&["--type", "sign.result"]), 2);
    assert_eq!(count(&["--type", "sign"]), 5, "two intents, two results, one refusal");
    assert_eq!(count(&["--type", "officer.auth.failed"]), 1);
    assert_eq!(count(&["--officer", "nobody"]), 0);
    assert!(count(&["--officer", "alice"]) > 5);
    assert_eq!(count(&["--since", "2026-11-24"]), 0);
    assert_eq!(count(&["--until", "2026-11-22"]), 0);
    assert_eq!(pack.audit(&["show", dir, "--type", "sing"]).exit, Exit::Usage);
    assert_eq!(pack.audit(&["show", dir, "--since", "yesterday"]).exit, Exit::Usage);
    let words = pack.audit(&["show", dir]).done().out;
    assert_eq!(words.lines().count(), lines(pack));
}

#[test]
fn a_receipt_holds_for_its_key_and_not_for_another() {
    let pack = pack();
    let folder = tempfile::tempdir().expect("a folder");
    for seq in ["0", "7", "20"] {
        let ran = pack.audit(&["prove", text(&pack.dir), "--seq", seq]).done();
        let file = folder.path().join("entry.tlog-proof");
        std::fs::write(&file, &ran.out).expect("written");
        let ran = pack.audit(&["check-proof", text(&file), "--key", &pack.key]).done();
        assert!(ran.out.starts_with(&format!("The receipt holds: entry {seq} ")), "{}", ran.out);
        let other = countersign::testing::tlog::note::NoteSigner::new("another", &[1; 32]).expect("a signer");
        pack.audit(&["check-proof", text(&file), "--key", &other.public().to_string()]).ended(Exit::Tampered);
    }
    pack.audit(&["prove", text(&pack.dir), "--seq", "100000"]).ended(Exit::Failed);
    for bundle in &pack.bundles {
        let receipt = bundle.join("log/receipt.tlog-proof");
        let ran = pack.audit(&["check-proof", text(&receipt), "--key", text(&pack.dir.join("vkey"))]).done();
        assert!(ran.out.contains("SIGNED"), "{}", ran.out);
    }
}

#[test]
fn published_files_are_compared_with_the_log_both_ways() {
    let pack = pack();
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, content: &serde_json::Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, content.to_string()).expect("written");
        path
    };
    let ask = |path: &Path, exit: Exit| -> Vec<(String, String)> {
        let ran = pack.audit(&["--json", "reconcile", text(&pack.dir), "--targets", text(path)]).ended(exit);
        let found = ran.json();
        let lines = found["lines"].as_array().expect("lines").clone();
        let word = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        lines.iter().map(|line| (word(&line["finding"]), word(&line["text"]))).collect()
    };
    let words = |lines: &[(String, String)]| -> Vec<String> {
        let mut words: Vec<String> = lines.iter().map(|(word, _)| word.clone()).collect();
        words.sort();
        words
    };
    // What fioctl itself posted, and what the bundles hold: the same signatures.
    let first = fixture("acme/1-populate/wave-create.json");
    assert_eq!(words(&ask(&first, Exit::Done)), ["MATCH", "UNPUBLISHED"]);
    let both = folder.path().join("both");
    std::fs::create_dir(&both).expect("made");
    for (at, bundle) in pack.bundles.iter().enumerate() {
        std::fs::copy(bundle.join("targets.json"), both.join(format!("{at}.json"))).expect("copied");
    }
    assert_eq!(words(&ask(&both, Exit::Done)), ["MATCH", "MATCH"]);
    // A map of tags, as the service answers.
    let targets = json(&pack.bundles[1].join("targets.json"));
    let map = put("map.json", &serde_json::json!({ "production": targets }));
    assert_eq!(words(&ask(&map, Exit::Done)), ["MATCH", "UNPUBLISHED"]);
    // A wave that our key signed, and this station did not.
    let unlogged = fixture("acme/3-prune/wave-create.json");
    assert_eq!(words(&ask(&unlogged, Exit::Tampered)), ["UNLOGGED", "UNPUBLISHED", "UNPUBLISHED"]);
    // The signed version with another content.
    let mut other = targets.clone();
    other["signed"]["expires"] = "2028-11-23T00:00:00Z".into();
    let differs = ask(&put("differs.json", &other), Exit::Tampered);
    assert_eq!(words(&differs), ["BYTES-DIFFER", "BYTES-DIFFER", "UNPUBLISHED", "UNPUBLISHED"]);
    // Our key twice.
    let mut twice = targets.clone();
    let signature = twice["signatures"][0].clone();
    twice["signatures"].as_array_mut().expect("a list").push(signature);
    let found = ask(&put("twice.json", &twice), Exit::Tampered);
    assert!(words(&found).contains(&"DUPLICATE".to_owned()), "{found:?}");
    pack.audit(&["reconcile", text(&pack.dir), "--targets", text(&pack.dir.join("vkey"))])
        .ended(Exit::Failed);
}

#[test]
fn reports_cover_every_entry_and_carry_nothing_that_runs() {
    let pack = pack();
    let folder = tempfile::tempdir().expect("a folder");
    let report = |format: &str| {
        let out = folder.path().join(format);
        let arguments =
            ["report", text(&pack.dir), "--format", format, "--key", &pack.key, "--out", text(&out)];
        pack.audit(&arguments).done();
        std::fs::read_to_string(out).expect("text")
    };
    let count = lines(pack);
    let csv = report("csv");
    assert_eq!(csv.lines().count(), count + 1, "a row an entry");
    assert!(csv.lines().all(|line| !line.contains("\"=") && !line.contains("\"+") && !line.contains("\"@")));
    assert_eq!(report("jsonl").lines().count(), count, "a row an entry");
    let html = report("html");
    assert!(html.contains("The log is whole.") && html.contains("Failed passphrases (1)"), "{html}");
    for active in ["<script", "src=", "http://", "https://", "@import", "url("] {
        assert!(!html.contains(active), "{active}");
    }
    assert!(html.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)), "only ASCII");
    assert_eq!(html.matches("data-column=\"Kind\">sign.result</td>").count(), 2);
    // A report that was compared with nothing says so, where nobody overlooks it.
    assert!(html.contains("<td><span class=\"alarm\">no head from elsewhere"), "{html}");
    let ocsf = report("ocsf");
    assert_eq!(ocsf.lines().count(), count);
    ocsf.lines().for_each(check_ocsf);
    let inside = pack.dir.join("report.html");
    pack.audit(&["report", text(&pack.dir), "--out", text(&inside)]).ended(Exit::Failed);
    // Nor by another name for the same place, nor with the auditor's memory.
    let roundabout =
        pack.dir.join("events/../../").join(pack.dir.file_name().expect("a name")).join("report.html");
    pack.audit(&["report", text(&pack.dir), "--out", text(&roundabout)]).ended(Exit::Failed);
    let heads = pack.dir.join("heads.json");
    pack.audit(&["verify", text(&pack.dir), "--state", text(&heads)]).ended(Exit::Failed);
    assert!(!inside.exists() && !heads.exists(), "nothing is written into the pack");
}

/// What OCSF 1.1.0 requires of every event, and of the three classes used here (schema.ocsf.io, checked by hand:
/// base event, metadata, product, and the classes 3002, 3004, 6002).
fn check_ocsf(line: &str) {
    let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let number = |name: &str| event[name].as_u64().unwrap_or_else(|| panic!("{name}: {line}"));
    let (class, activity) = (number("class_uid"), number("activity_id"));
    assert_eq!(number("category_uid"), class / 1000);
    assert_eq!(number("type_uid"), class * 100 + activity);
    assert!((1..=6).contains(&number("severity_id")) && number("time") > 1_700_000_000_000);
    assert_eq!(event["metadata"]["version"], "1.1.0");
    for name in ["name", "vendor_name"] {
        assert!(event["metadata"]["product"][name].is_string(), "{line}");
    }
    match class {
        3002 => assert!(event["user"]["name"].is_string() && event["service"]["name"].is_string(), "{line}"),
        3004 => assert!(event["entity"]["uid"].is_string() && event["entity"]["name"].is_string(), "{line}"),
        6002 => {
            assert!(event["app"]["name"].is_string() && event["app"]["vendor_name"].is_string(), "{line}")
        }
        other => panic!("class {other}"),
    }
    let known: &[u64] = match class {
        3002 => &[1, 2, 3, 4, 5, 6, 99],
        _ => &[1, 2, 3, 4, 99],
    };
    assert!(known.contains(&activity), "{line}");
}

#[test]
fn the_packs_own_recipe_agrees_and_notices_a_change() {
    let pack = pack();
    let run = |dir: &Path| {
        let out = tempfile::tempdir().expect("a folder");
        let ran = std::process::Command::new("python3")
            .args([dir.join("verify.py").as_os_str(), dir.as_os_str(), out.path().as_os_str()])
            .output()
            .expect("python3 is needed for this test");
        (ran.status.success(), String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned())
    };
    let (agrees, said) = run(&pack.dir);
    assert!(agrees, "{said}");
    let (_folder, dir) = pack.copy();
    let events = dir.join("events/000000.jsonl");
    let changed = std::fs::read_to_string(&events).expect("read").replace("alice", "malic");
    std::fs::write(&events, changed).expect("written");
    let (agrees, said) = run(&dir);
    assert!(!agrees && said.contains("NOT WHOLE"), "{said}");
}

#[test]
fn nobody_answers_from_a_line_that_was_changed() {
    let pack = pack();
    let (_folder, dir) = pack.copy();
    let events = dir.join("events/000000.jsonl");
    let whole = std::fs::read_to_string(&events).expect("read");
    // A line that no question below is about.
    let changed = whole.replacen("\"exit\":0", "\"exit\":1", 1);
    assert_ne!(changed, whole);
    std::fs::write(&events, changed).expect("written");
    let published = fixture("acme/2-update/prod-targets.json");
    for arguments in [
        vec!["who", text(&dir), "--version", "42"],
        vec!["show", text(&dir)],
        vec!["reconcile", text(&dir), "--targets", text(&published)],
    ] {
        let ran = pack.audit(&arguments).ended(Exit::Tampered);
        assert_eq!(ran.out, "", "{arguments:?}");
    }
    // Nor under another key than the one that came another way.
    let other = "countersign/acme-gateway/00000000+b9a6d2be+AbVZ9NlVhGRoZQ1rlbjmWhfXN2bbmrvJqf1wOWTLDhOx";
    for command in ["who", "show"] {
        let mut arguments = vec![command, text(&pack.dir), "--log-key", other];
        arguments.extend((command == "who").then_some(["--version", "42"]).into_iter().flatten());
        let ran = pack.audit(&arguments);
        assert!(ran.exit != Exit::Done && ran.out.is_empty(), "{}", ran.out);
        pack.audit(&[&arguments[..2], &["--log-key", &pack.key], &arguments[4..]].concat()).done();
    }
}

#[test]
fn a_ceremony_is_one_page_of_its_own_with_what_each_entry_shows() {
    let pack = pack();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("ceremony.html");
    let requests =
        pack.audit(&["--json", "show", text(&pack.dir), "--type", "request.imported"]).done().json();
    let id = |at: usize| requests[at]["request"].as_str().expect("a digest")[..12].to_owned();
    pack.audit(&["ceremony", text(&pack.dir), "--request", &id(1), "--out", text(&out)]).done();
    let page = std::fs::read_to_string(&out).expect("a page");
    for words in
        ["v2.0-update", "before the key was opened", "The log is whole", "Explanations and signatures"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("populate-targets"), "the other ceremony has a page of its own");
    let none = folder.path().join("none.html");
    let ran = pack.audit(&["ceremony", text(&pack.dir), "--request", "ffffffffffff", "--out", text(&none)]);
    assert!(ran.ended(Exit::Failed).err.contains("no entry of this log") && !none.exists());
    let odd = pack.audit(&["ceremony", text(&pack.dir), "--request", "xyz", "--out", text(&none)]);
    assert!(odd.ended(Exit::Usage).err.contains("give 4 to 64 hexadecimal digits"));
}

#[test]
fn a_report_can_be_signed_off() {
    let pack = pack();
    let out = tempfile::tempdir().expect("a folder");
    let out = out.path().join("report.html");
    let bundle = pack.bundles[0].join("log/checkpoint");
    pack.audit(&["report", text(&pack.dir), "--against", text(&bundle), "--out", text(&out)]).done();
    let page = std::fs::read_to_string(&out).expect("a page");
    let size = std::fs::read_to_string(&bundle).expect("a head");
    let size = size.lines().nth(1).expect("a size");
    for words in [
        &format!("1 head given, 0 heads seen before; of {size} entries"),
        "Programs that ran",
        "SHA-256 of the signed bytes",
        "Last drill of this sealing",
        "<svg class=\"drawn\" viewBox=\"0 0 1000 96\" role=\"img\"><title>From ",
        "2 signatures, ",
        "Sitting of ",
        "Explanations and signatures",
        "<main>",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}
