//! What comes from the stick has a size that a person can read: what cannot be shown or logged is refused before anything
//! is kept, and the refusal itself is in the log.

use crate::common;

use common::{Desk, Ran, copy_folder, fingerprint, json, rewrite, text};
use countersign::testing::cli::Exit;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn case(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trust").join(path)
}

fn desk() -> Desk {
    let desk = Desk::new();
    let set_up = case("memory/set-up");
    let (roots, online) = (set_up.join("prod-roots"), set_up.join("ci-targets.pub"));
    let arguments = ["init", "--factory", "fixture", "--roots", text(&roots), "--online-key", text(&online)];
    desk.run(&[arguments.as_slice(), &["--fingerprint", &fingerprint(&roots), "--networked"]].concat())
        .done();
    desk
}

/// The honest first wave, with a member of its manifest bent.
fn bent(desk: &Desk, member: &str, value: &Value) -> PathBuf {
    let request = desk.path(&format!("bent-{member}-{}", value.to_string().len()));
    copy_folder(&case("memory/1-wave"), &request);
    let mut manifest = json(&request.join("request.json"));
    manifest[member] = value.clone();
    std::fs::write(request.join("request.json"), manifest.to_string()).expect("written");
    request
}

/// Refused as bad input, and nothing of it stays but the refusal, with facts that fit in a sentence.
#[track_caller]
fn refused(desk: &Desk, ran: Ran, words: &[&str]) {
    let said = ran.ended(Exit::Failed).err;
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(said.len() < 2_000 && !said.contains("mistake in the program"), "{said}");
    let requests = desk.station().join("requests");
    let left = std::fs::read_dir(&requests).map_or(0, |all| all.count());
    assert_eq!(left, 0, "nothing is left in {}", requests.display());
    assert!(!desk.run(&["status"]).done().out.contains("OVERDUE"));
    let entries = desk.run(&["--json", "log", "show", "--type", "request.rejected"]).json();
    let last = entries.as_array().and_then(|all| all.last()).expect("the refusal is in the log").clone();
    let reason = last["reason"].as_str().expect("a reason");
    assert!(words.iter().all(|word| reason.contains(word)) && reason.len() < 2_000, "{reason}");
}

#[test]
fn a_request_that_could_not_be_logged_is_refused_before_it_is_stored() {
    let desk = desk();
    for (member, length) in [
        ("tag", 70_000),
        ("wave", 64_700),
        ("factory", 129),
        ("source_tag", 60_000),
        ("tool", 9_000),
        ("wave", 129),
    ] {
        let request = bent(&desk, member, &json!("a ".repeat(length / 2 + 1)));
        let ran = desk.run(&["import", text(&request)]);
        refused(&desk, ran, &[&format!("\"{member}\" has "), "at most"]);
    }
    for version in [0u64, 1 << 53, u64::MAX] {
        let request = bent(&desk, "version", &json!(version));
        refused(&desk, desk.run(&["import", text(&request)]), &["from 1 to 2^53 - 1"]);
    }
    desk.import(&case("memory/1-wave"));
}

#[test]
fn metadata_whose_version_could_not_be_logged_is_refused_before_it_is_stored() {
    let desk = desk();
    let request = desk.path("request");
    copy_folder(&case("memory/1-wave"), &request);
    let mut targets = json(&request.join("targets.json"));
    targets["signed"]["version"] = json!(1u64 << 53);
    rewrite(&request, "targets.json", targets.to_string().as_bytes());
    refused(&desk, desk.run(&["import", text(&request)]), &["from 1 to 2^53 - 1", "signed.version"]);
    let bare = desk.path("bare.json");
    std::fs::write(&bare, targets.to_string()).expect("written");
    let ran = desk.run(&["import", text(&bare), "--wave", "w", "--tag", "production"]);
    refused(&desk, ran, &["from 1 to 2^53 - 1"]);
    targets["signed"]["version"] = json!(10);
    std::fs::write(&bare, targets.to_string()).expect("written");
    let long = "t".repeat(70_000);
    let ran = desk.run(&["import", text(&bare), "--wave", "w", "--tag", &long]);
    refused(&desk, ran, &["\"tag\" has 70000 bytes"]);
    let ran = desk.run(&["import", text(&bare), "--tag", "production", "--wave", &long]);
    refused(&desk, ran, &["\"wave\" has 70000 bytes"]);
}

#[test]
fn a_bomb_of_hardware_ids_and_apps_is_reviewed_within_a_page() {
    let desk = desk();
    let ids = |n: usize| (0..n).map(|i| json!(format!("h{i:04}"))).collect::<Vec<_>>();
    let apps = |n: usize| -> Value { (0..n).map(|i| (format!("a{i:04}"), json!({"uri": "x"}))).collect() };
    let target = |version: u64, apps: Value| {
        json!({
            "custom": {"docker_compose_apps": apps, "hardwareIds": ids(3_000), "name": "hw-lmp",
                "tags": ["production"], "version": version.to_string()},
            "hashes": {"sha256": "0".repeat(64)}, "length": 0,
        })
    };
    let request = desk.path("request");
    copy_folder(&case("memory/2-wave"), &request);
    for (file, name, target) in [
        ("current.json", "hw-lmp-10", target(10, apps(3_000))),
        ("targets.json", "hw-lmp-20", target(20, json!({}))),
    ] {
        let mut envelope = json(&request.join(file));
        envelope["signed"]["targets"] = json!({ name: target });
        rewrite(&request, file, envelope.to_string().as_bytes());
    }
    let ran = desk.run(&["import", text(&request)]).done();
    assert!(ran.out.len() < 100_000, "{} bytes", ran.out.len());
    for arguments in [&["review"][..], &["--json", "review"]] {
        let page = desk.run(arguments).ended(Exit::Refused).out;
        assert!(page.len() <= 1_000_000, "{} bytes", page.len());
    }
}

#[test]
fn a_long_name_over_a_thousand_odd_numbers_is_refused_within_a_page() {
    let desk = desk();
    let request = desk.path("request");
    copy_folder(&case("memory/1-wave"), &request);
    let mut envelope = json(&request.join("targets.json"));
    let numbers: Vec<Value> = (0..1_000).map(|_| json!(1.5)).collect();
    let name = "n".repeat(100_000);
    envelope["signed"]["targets"][&name] = json!({"custom": {"x": numbers}, "hashes": {}, "length": 0});
    rewrite(&request, "targets.json", envelope.to_string().as_bytes());
    let ran = desk.run(&["import", text(&request)]).done();
    assert!(ran.out.len() < 100_000, "{} bytes", ran.out.len());
    let page = desk.run(&["review"]).ended(Exit::Refused).out;
    assert!(page.len() <= 1_000_000, "{} bytes", page.len());
    assert!(page.contains("and so on: 100000") && page.contains("[block] names"), "the name is named");
}
