//! What a request proves is verified from its bytes each time it is relied on; the log's word for it gives nothing.

use crate::common;
use countersign::testing::ledger::record::EvidenceVerified;

use common::{Desk, NOW, fixture, json, read, rewrite, text};
use countersign::testing::ceremony::prepare::with_review;
use countersign::testing::ceremony::tool;
use countersign::testing::cli::Exit;
use countersign::testing::host::clock::Time;
use countersign::testing::station::{Session, Station, request};
use countersign::testing::tuf::Digest;
use std::process::Command;

const BASELINE: &str = "current.json";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    desk
}

/// Key ids of the signatures over a file, in order.
fn keyids(file: &[u8]) -> Vec<String> {
    let file: serde_json::Value = serde_json::from_slice(file).expect("json");
    let signatures = file["signatures"].as_array().expect("a list");
    signatures.iter().map(|one| one["keyid"].as_str().expect("a key id").to_owned()).collect()
}

/// A request whose production targets have a changed byte in `signed`: none of their signatures holds.
fn with_changed_baseline(desk: &Desk) -> std::path::PathBuf {
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let whole = String::from_utf8(read(&request.join(BASELINE))).expect("text");
    let changed = whole.replacen("\"lmp-ver\": \"91\"", "\"lmp-ver\": \"92\"", 1);
    assert_ne!(whole, changed);
    rewrite(&request, BASELINE, changed.as_bytes());
    request
}

fn imported(desk: &Desk, request: &std::path::Path) -> Digest {
    let imported = desk.run(&["--json", "import", text(request)]).done().json();
    Digest::parse(imported["request"].as_str().expect("a digest")).expect("a digest")
}

/// Does the review say that the baseline's signatures do not reach the threshold?
fn doubts_baseline(station: &Station, id: Digest) -> bool {
    let stored = request::open(station, id).expect("the request");
    let now = Time::parse(NOW).expect("a time");
    with_review(station, now, &stored, |_, review| {
        review.findings.iter().any(|finding| finding.check == "baseline-threshold")
    })
    .expect("a review")
}

fn desk_session(desk: &Desk) -> Session {
    tool::session(&desk.host, "test")
}

fn open(desk: &Desk) -> Station {
    Station::open(&desk.host, &desk.station(), None).expect("the station")
}

#[test]
fn the_log_says_which_signatures_held_and_under_which_root() {
    let desk = desk();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let id = imported(&desk, &request);
    let log = desk.run(&["--json", "log", "show", "--type", "evidence.verified"]).done().json();
    let [entry] = log.as_array().expect("a list").as_slice() else { panic!("one entry: {log}") };
    assert_eq!(entry["request"], id.to_string());
    assert_eq!(entry["root_version"], 3);
    let mut wanted = Vec::new();
    for file in [BASELINE, "ci-targets.json"] {
        let bytes = read(&request.join(file));
        wanted.extend(
            keyids(&bytes).into_iter().map(|keyid| serde_json::json!({"file": file, "keyid": keyid})),
        );
    }
    assert_eq!(entry["signatures"], serde_json::Value::from(wanted));
    assert!(!doubts_baseline(&open(&desk), id));
}

#[test]
fn the_digest_of_the_production_targets_is_the_one_that_their_bytes_have() {
    let desk = desk();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let id = imported(&desk, &request);
    let station = open(&desk);
    let stored = request::open(&station, id).expect("the request");
    let now = Time::parse(NOW).expect("a time");
    let (known, worked_out) = with_review(&station, now, &stored, |situation, _| {
        let baseline = situation.baseline.as_ref().expect("production targets");
        (baseline.digest, baseline.targets.metadata.message().expect("canonical").digest())
    })
    .expect("a review");
    assert_eq!(known, worked_out);
}

#[test]
fn a_signature_that_did_not_hold_is_not_in_the_log_and_is_doubted_each_time() {
    let desk = desk();
    let request = with_changed_baseline(&desk);
    let id = imported(&desk, &request);
    let log = desk.run(&["--json", "log", "show", "--type", "evidence.verified"]).done().json();
    assert!(!log.to_string().contains(BASELINE), "{log}");
    for _ in 0..2 {
        assert!(doubts_baseline(&open(&desk), id));
    }
}

#[test]
fn a_log_that_says_that_signatures_hold_is_not_believed() {
    let desk = desk();
    let request = with_changed_baseline(&desk);
    let keyids = keyids(&read(&request.join(BASELINE)));
    let id = imported(&desk, &request);
    // Under the station's own key and a checkpoint: nobody but the station could write it.
    let session = desk_session(&desk);
    let mut station = Station::open(&desk.host, &desk.station(), Some(session)).expect("the station");
    let event = EvidenceVerified {
        request: id.to_string().into(),
        root_version: 3,
        signatures: keyids.iter().map(|keyid| (BASELINE, keyid)).map(Into::into).collect(),
    }
    .by("mara");
    station.record(&desk.host.stamp(), event).expect("recorded");
    station.commit().expect("committed");
    assert!(doubts_baseline(&station, id));
    drop(station);
    assert!(doubts_baseline(&open(&desk), id));
}

#[test]
fn the_request_that_came_in_last_is_the_last_in_the_log_whatever_the_clock_says() {
    let desk = desk();
    let step = fixture("acme/2-update");
    let requests: Vec<_> = ["one", "two", "three"]
        .into_iter()
        .map(|wave| desk.request(&step, "acme-gateway", wave, 42, &[]))
        .collect();
    // All within the same second, in every order of digests; and the first of them a second time.
    for request in requests.iter().chain(&requests[..1]) {
        let id = imported(&desk, request);
        let review = desk.run(&["--json", "review"]).json();
        assert_eq!(review["request"], id.to_string());
    }
}

#[test]
fn a_request_that_is_taken_in_again_is_verified_again() {
    let desk = desk();
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let id = imported(&desk, &request);
    assert_eq!(imported(&desk, &request), id);
    let log = desk.run(&["--json", "log", "show", "--type", "evidence.verified"]).done().json();
    let entries = log.as_array().expect("a list");
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["signatures"], entries[1]["signatures"]);
}

#[test]
fn the_deepest_document_that_can_be_reviewed_has_a_review_that_the_auditor_reads() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    // A member of the document itself stands two levels deeper in the review, where it is one of the changes.
    let mut proposal = json(&fixture("acme/2-update/wave.json"))["targets"].take();
    let (mut deepest, mut refused) = (0, 0);
    for depth in 50..70 {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        proposal["signed"]["deep"] = serde_json::from_str(&format!("{open}{close}")).expect("JSON");
        let file = desk.path("targets.json");
        std::fs::write(&file, proposal.to_string()).expect("written");
        if desk.run(&["import", text(&file)]).exit == Exit::Done {
            desk.run(&["review"]);
            deepest = depth;
        } else {
            refused += 1;
        }
    }
    assert!(deepest > 50 && refused > 0, "{deepest} is reviewed, {refused} are not");
    desk.run(&["log", "verify"]).done();
}

#[test]
fn no_file_on_a_stick_makes_the_auditor_or_the_recipe_doubt_an_honest_log() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    let mut proposal = json(&fixture("acme/2-update/wave.json"))["targets"].take();
    proposal["signed"]["odd"] = "here".into();
    for odd in [
        "7".repeat(5_000),
        format!("-{}.5e-7", "7".repeat(5_000)),
        "1e400".to_owned(),
        "9007199254740993".to_owned(),
        r#""\ud83d\ude00\u0000\u2028</script>\u202e""#.to_owned(),
        r#"{"":[null,true,{}],"\u00e9":1}"#.to_owned(),
    ] {
        let file = desk.path("targets.json");
        std::fs::write(&file, proposal.to_string().replace("\"here\"", &odd)).expect("written");
        desk.run(&["import", text(&file)]).done();
        desk.run(&["review"]);
        desk.run(&["log", "verify"]).done();
    }
    let pack = desk.path("pack");
    desk.run(&["log", "export", text(&pack)]).done();
    let ran = Command::new("python3")
        .args(["-I", "verify.py", ".", "../checked"])
        .current_dir(&pack)
        .output()
        .expect("python3");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success() && !said.contains("NOT WHOLE"),
        "{said}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
