//! Packs of several stations: one table, the gravest exit code, rows with the station's name, and logs that are compared with
//! each other.

use crate::common::{Desk, Ran, copy_folder, fixture, text};
use crate::support::made_up_station::Station;
use countersign::testing::cli::Exit;
use countersign::testing::host::RealDisk;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn audit(arguments: &[&str]) -> Ran {
    Desk::new().run(&[&["audit"], arguments].concat())
}

/// The logs of three stations in a folder, and the file with their keys.
struct Fleet {
    folder: tempfile::TempDir,
    keys: PathBuf,
}

impl Fleet {
    fn new() -> Fleet {
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["a", "b", "c"];
        let key = |(at, name): (usize, &str)| {
            let origin = format!("countersign/site-{name}");
            let (dir, seed) = (folder.path().join(name), 7 + at as u64);
            let mut station = Station::named(&origin, Arc::new(RealDisk), &dir, seed, 1 + at % 2);
            station.grow(40);
            format!("{}\n", station.log.key())
        };
        let keys: String = names.into_iter().enumerate().map(key).collect();
        let path = folder.path().join("all.vkey");
        std::fs::write(&path, keys).expect("written");
        Fleet { folder, keys: path }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn entries(&self, name: &str) -> u64 {
        let events = std::fs::read_to_string(self.path(name).join("events/000000.jsonl")).expect("read");
        events.lines().count() as u64
    }
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).expect("read");
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replacen(from, to, 1)).expect("written");
}

#[test]
fn several_packs_are_one_table_and_the_exit_code_is_the_gravest() {
    let fleet = Fleet::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| fleet.path(name));
    let (a, b, c, keys) = (text(&a), text(&b), text(&c), text(&fleet.keys));
    let ran = audit(&["verify", a, b, c, "--key", keys]).done();
    let all = ["a", "b", "c"].map(|name| fleet.entries(name)).iter().sum::<u64>();
    assert!(ran.out.contains(&format!("3 packs, {all} entries: 3 whole\n")), "{}", ran.out);
    assert!(!ran.out.contains("--key"), "each key was given: {}", ran.out);
    // A folder that is no pack is a row of its own, and keeps nobody from the others.
    let nothing = fleet.path("nothing");
    let ran = audit(&["verify", a, text(&nothing), c]).ended(Exit::Failed);
    assert!(
        ran.out.contains("1 not verified, 2 whole") && ran.out.contains("is not an evidence pack"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("the key came with the pack"), "{}", ran.out);
    // A log that was changed is graver than one that was not verified, and is told whole.
    replace(&fleet.path("b/events/000000.jsonl"), "\"actor\":\"mara\"", "\"actor\":\"cara\"");
    let state = fleet.path("state.json");
    let arguments = ["--json", "verify", a, b, text(&nothing), c, "--key", keys, "--state", text(&state)];
    let found = audit(&arguments).ended(Exit::Tampered).json();
    let verdicts: Vec<&Value> = found["packs"].as_array().expect("packs").iter().collect();
    let words: Vec<&Value> = verdicts.iter().map(|one| &one["verdict"]).collect();
    assert_eq!(words, ["whole".into(), "tampered".into(), Value::Null, "whole".into()].each_ref());
    assert_eq!((verdicts[1]["pack"].as_str(), found["exit"].as_u64()), (Some(b), Some(10)));
    assert!(verdicts[1]["first_bad"]["seq"].is_u64() && verdicts[2]["error"].is_string(), "{found}");
    // What was found whole is remembered, of each log.
    let seen = std::fs::read_to_string(&state).expect("a state");
    assert!(seen.contains("site-a+") && seen.contains("site-c+") && !seen.contains("site-b+"), "{seen}");
    let again = audit(&["--json", "verify", a, c, "--state", text(&state)]).done().json();
    assert_eq!(again["packs"][1]["compared"]["seen_before"], 1);
}

#[test]
fn each_log_is_held_to_the_key_of_its_name_and_a_log_without_one_is_not_verified() {
    let fleet = Fleet::new();
    let [a, b] = ["a", "b"].map(|name| fleet.path(name));
    let keys = std::fs::read_to_string(&fleet.keys).expect("read");
    let lines: Vec<&str> = keys.lines().collect();
    let ran = audit(&["verify", text(&a), text(&b), "--key", lines[1], "--key", lines[0]]).done();
    assert!(ran.out.contains("2 whole"), "{}", ran.out);
    let ran = audit(&["verify", text(&a), text(&b), "--key", lines[0]]).ended(Exit::Failed);
    assert!(ran.out.contains("1 not verified, 1 whole") && ran.out.contains("site-b"), "{}", ran.out);
    // Another key under the same name was made in its place.
    let other =
        countersign::testing::tlog::note::NoteSigner::new("countersign/site-b", &[1; 32]).expect("a signer");
    let other = other.public().to_string();
    audit(&["verify", text(&a), text(&b), "--key", lines[0], "--key", &other]).ended(Exit::Tampered);
}

#[test]
fn two_packs_of_one_log_are_compared_with_each_other() {
    let fleet = Fleet::new();
    let a = fleet.path("a");
    let (early, other) = (fleet.path("early"), fleet.path("other"));
    // An earlier copy, and a copy that went on by itself.
    for (dir, size) in [(&early, 20), (&other, 60)] {
        let mut station = Station::named("countersign/site-a", Arc::new(RealDisk), dir, 7, 1);
        if size == 60 {
            station.filler();
            station.filler();
        }
        station.grow(size);
    }
    let ran = audit(&["verify", text(&a), text(&early)]).done();
    assert!(ran.out.contains("2 whole"), "{}", ran.out);
    let ran = audit(&["verify", text(&a), text(&other)]).ended(Exit::Forked);
    assert!(ran.out.contains("1 forked, 1 whole"), "{}", ran.out);
}

#[test]
fn a_head_is_compared_with_the_pack_of_its_log_and_one_that_fits_none_is_refused() {
    let fleet = Fleet::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| fleet.path(name));
    let head = |name: &str| fleet.path(name).join("checkpoint");
    let (head_a, head_b) = (head("a"), head("b"));
    let given = ["--json", "verify", text(&a), text(&b), "--against", text(&head_b), text(&head_a)];
    let found = audit(&given).done().json();
    assert!(
        found["packs"].as_array().expect("packs").iter().all(|one| one["compared"]["given"] == 1),
        "{found}"
    );
    let ran = audit(&["verify", text(&a), text(&c), "--against", text(&head_b)]).ended(Exit::Failed);
    assert!(ran.err.contains("site-b"), "{}", ran.err);
}

#[test]
fn rows_have_the_name_of_their_log_and_are_as_many_as_the_trees_have_leaves() {
    let fleet = Fleet::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| fleet.path(name));
    let report = |format: &str| {
        let out = fleet.path(format);
        let arguments = ["report", text(&a), text(&b), text(&c), "--format", format, "--out", text(&out)];
        audit(&arguments).done();
        std::fs::read_to_string(out).expect("text")
    };
    let sizes = ["a", "b", "c"].map(|name| fleet.entries(name));
    let rows: Vec<Value> =
        report("jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for (name, size) in ["a", "b", "c"].into_iter().zip(sizes) {
        let of: Vec<&Value> =
            rows.iter().filter(|row| row["log"] == format!("countersign/site-{name}")).collect();
        assert_eq!(of.len() as u64, size);
        assert!(of.iter().enumerate().all(|(at, row)| row["seq"] == at && row["time"].is_string()));
        // The first row names every column, so that a query can.
        let columns = of[0].as_object().expect("a row");
        for row in &of {
            let row = row.as_object().expect("a row");
            assert!(row.keys().all(|column| columns.contains_key(column)), "{row:?}");
        }
        assert!(columns.contains_key("mark_taken_over_seq") && columns["look_at"].is_null());
    }
    let updated = rows.iter().find(|row| row["type"] == "root.updated").expect("a root");
    assert!(updated["from"].is_string() && updated["version"].is_u64(), "a column holds one type: {updated}");
    let signed = rows.iter().find(|row| row["type"] == "sign.result").expect("a signature");
    assert!(signed["officers"].is_array() && signed["leaf"].as_str().is_some_and(|leaf| leaf.len() == 64));
    let all: u64 = sizes.iter().sum();
    for (format, header) in [("csv", 1), ("ocsf", 0)] {
        let text = report(format);
        assert_eq!(text.lines().count() as u64, all + header);
        assert!(text.contains("countersign/site-c"));
    }
    let html = report("html");
    assert_eq!(html.matches("The log is whole").count(), 3);
    assert!(html.contains("3 stations") && html.contains("href=\"#log-2\"") && html.contains("id=\"log-2\""));
    // A report has all the stations that it was asked for.
    let out = fleet.path("none");
    audit(&["report", text(&a), text(&fleet.path("nothing")), "--out", text(&out)]).ended(Exit::Failed);
    assert!(!out.exists());
}

/// A station with fioctl's key that signed one of its waves, as a pack.
fn signed(step: &str, wave: &str, version: u64, to: &Path) {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", step);
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let request = desk.request(&fixture(&format!("acme/{step}")), "acme-gateway", wave, version, &[]);
    let (id, review) = desk.import(&request);
    desk.sign(&id, &review, "alice", &[]).done();
    desk.run(&["log", "export", text(&desk.path("evidence"))]).done();
    copy_folder(&desk.path("evidence"), to);
}

#[test]
fn what_is_published_is_compared_with_the_logs_of_all_stations_and_with_the_list_of_waves() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
    signed("1-populate", "populate-targets", 12, &a);
    signed("2-update", "v2.0-update", 42, &b);
    let [first, second] = ["1-populate", "2-update"].map(|step| fixture(&format!("acme/{step}/wave.json")));
    let files = ["--targets", text(&first), text(&second)];
    let reconcile = |packs: &[&Path], more: &[&str], exit: Exit| {
        let packs: Vec<&str> = packs.iter().map(|path| text(path)).collect();
        let answer =
            audit(&[&["--json", "reconcile"], packs.as_slice(), &files, more].concat()).ended(exit).json();
        let lines = answer["lines"].as_array().expect("lines").clone();
        lines.iter().map(|line| format!("{} {}", line["finding"], line["text"])).collect::<Vec<_>>()
    };
    // Of one station alone, what the other signed is not logged; of both, all of it is.
    assert!(reconcile(&[&a], &[], Exit::Tampered).iter().any(|line| line.contains("UNLOGGED")));
    let both = reconcile(&[&a, &b], &[], Exit::Done);
    assert!(
        both.len() == 2
            && both.iter().all(|line| line.contains("MATCH") && line.contains(" of countersign/"))
    );
    // The list of waves: one that no log has is another station's, or made with a copied key.
    let waves = fixture("acme/3-prune/waves.json");
    let both = reconcile(&[&a, &b], &["--waves", text(&waves)], Exit::Done);
    assert_eq!(both.len(), 2, "{both:?}");
    let waves = fixture("acme/4-after-cancel/waves.json");
    let found = reconcile(&[&a, &b], &["--waves", text(&waves)], Exit::Tampered);
    assert!(found[0].contains("UNLOGGED") && found[0].contains("wave v2.1-prune"), "{found:?}");
    // Of a signature that was not among the files, the list says what became of it.
    let found = audit(&["reconcile", text(&b), "--targets", text(&second), "--waves", text(&waves)]);
    assert!(found.out.contains("UNLOGGED") && found.out.contains("populate-targets"), "{}", found.out);
    let nothing = folder.path().join("list.json");
    std::fs::write(&nothing, "{\"message\":\"Unauthorized\"}").expect("written");
    audit(&["reconcile", text(&b), "--targets", text(&second), "--waves", text(&nothing)])
        .ended(Exit::Failed);
}
