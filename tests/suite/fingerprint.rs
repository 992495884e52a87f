//! `fingerprint`: both sides of the gap get the same words for the same thing, whatever its file looks like.

use crate::common::{self, Desk, fixture, json, text};
use countersign::testing::cli::Exit;

#[test]
fn a_root_has_the_words_that_init_asks_for_also_when_its_file_is_written_otherwise() {
    let desk = Desk::new();
    let roots = fixture("acme/2-update/prod-roots");
    let found = desk.run(&["--json", "fingerprint", text(&roots.join("3.root.json"))]).done().json();
    assert_eq!(found["digest"], common::fingerprint(&roots));
    let pretty = desk.path("3.root.json");
    let value = json(&roots.join("3.root.json"));
    std::fs::write(&pretty, serde_json::to_vec_pretty(&value).expect("json")).expect("written");
    assert_eq!(desk.run(&["--json", "fingerprint", text(&pretty)]).done().json(), found);
    let said = desk.run(&["fingerprint", text(&pretty)]).done().out;
    assert!(said.starts_with("This is a Factory's root, version 3\nSix words  "), "{said}");
    let all = found["all_words"].as_str().expect("words");
    assert!(all.starts_with(found["words"].as_str().expect("words")));
    assert_eq!(all.split(' ').count(), 32);
}

#[test]
fn a_request_and_its_targets_have_the_digests_that_the_station_shows() {
    let desk = Desk::new();
    desk.init("acme", "acme", "2-update");
    let step = fixture("acme/2-update");
    let request = desk.request(&step, "acme", "v2.0-update", 42, &[]);
    let (id, review) = desk.import(&request);
    let of = |path: &std::path::Path| desk.run(&["--json", "fingerprint", text(path)]).done().json();
    assert_eq!(of(&request)["digest"], id);
    assert_eq!(of(&request.join("request.json"))["digest"], id);
    assert_eq!(of(&request.join("targets.json"))["digest"], review["digest"]);
    let online = of(&step.join("ci-targets.pub"));
    assert_eq!(online["kind"], "a public key (ED25519)");
    let shown = desk.run(&["--json", "trust", "show"]).done().json();
    assert_eq!(online["digest"], shown["online_key"], "a Factory's key id is the digest of the key");
}

#[test]
fn a_logs_head_is_told_with_its_size_and_any_other_file_by_its_bytes() {
    let desk = Desk::new();
    desk.init("acme", "acme", "2-update");
    let head = desk.run(&["fingerprint", text(&desk.station().join("log/checkpoint"))]).done().out;
    assert!(head.contains("the head of the log ") && head.contains(", size "), "{head}");
    for odd in [&b"hello\n"[..], b"", b"{\"signed\":{\"_type\":\"Root\"}}", b"\xff\xfe"] {
        let file = desk.path("odd");
        std::fs::write(&file, odd).expect("written");
        let found = desk.run(&["--json", "fingerprint", text(&file)]).done().json();
        assert_eq!(found["kind"], "a file");
        assert_eq!(found["digest"], countersign::testing::tuf::Digest::of(odd).to_string());
    }
    let missing = desk.run(&["fingerprint", text(&desk.path("nowhere"))]).ended(Exit::Failed);
    assert!(missing.err.contains("nowhere"), "{}", missing.err);
    desk.run(&["fingerprint", text(desk.folder.path())]).ended(Exit::Failed);
}

#[test]
fn a_logs_key_has_the_same_six_words_on_every_screen_and_in_every_file() {
    let desk = Desk::new();
    desk.init("acme", "acme", "2-update");
    let head = desk.run(&["--json", "log", "head"]).done().json();
    let line = head["key"].as_str().expect("the key's line");
    let file = desk.path("log.vkey");
    for text_of_file in [format!("{line}\n"), line.to_owned()] {
        std::fs::write(&file, text_of_file).expect("written");
        let found = desk.run(&["--json", "fingerprint", text(&file)]).done().json();
        assert_eq!(
            found["digest"],
            countersign::testing::tuf::Digest::of(format!("{line}\n").as_bytes()).to_string()
        );
        let words = found["words"].as_str().expect("words");
        for screen in [&["log", "head"][..], &["ceremony", "form"]] {
            let said = desk.run(screen).done().out;
            assert!(said.contains(words), "{screen:?}: {words}: {said}");
        }
    }
}

#[test]
fn a_stick_lists_the_requests_on_it_and_no_signed_bundle() {
    let desk = Desk::new();
    desk.init("acme", "acme", "2-update");
    let stick = desk.path("stick");
    for folder in ["v2", "v2-signed"] {
        let request = desk.request(&fixture("acme/2-update"), "acme", "v2.0-update", 42, &[]);
        std::fs::create_dir_all(&stick).expect("made");
        std::fs::rename(request, stick.join(folder)).expect("moved");
    }
    std::fs::write(stick.join("v2-signed/signed.json"), "{}").expect("written");
    let said = desk.run(&["import", text(&stick)]).ended(Exit::Usage);
    assert!(said.err.contains(&format!("countersign import {}", stick.join("v2").display())), "{}", said.err);
    assert!(!said.err.contains("v2-signed"), "{}", said.err);
}
