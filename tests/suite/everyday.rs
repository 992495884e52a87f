//! What an officer does every day needs no guessing: names in a row, the newest request, a stick with several on it.

use crate::common::{Desk, fixture, text};
use countersign::testing::cli::Exit;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    ["alice", "bob"].iter().for_each(|name| desk.add_officer(name));
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice,bob", "2");
    desk
}

#[test]
fn a_stick_lists_the_requests_that_are_on_it_with_the_command_for_each() {
    let desk = desk();
    let stick = desk.path("stick");
    std::fs::create_dir(&stick).expect("made");
    let first = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    std::fs::rename(&first, stick.join("first")).expect("moved");
    let broken = stick.join("broken");
    std::fs::create_dir(&broken).expect("made");
    std::fs::write(broken.join("request.json"), b"{").expect("written");
    let said = desk.run(&["import", text(&stick)]).ended(Exit::Usage).err;
    assert!(said.contains(&format!("countersign import {}", text(&stick.join("first")))), "{said}");
    assert!(said.contains("wave populate-targets") && said.contains("cannot be read"), "{said}");
    assert_eq!(desk.run(&["--json", "status"]).done().json()["requests"].as_array().map(Vec::len), Some(0));
}

#[test]
fn officers_stand_in_a_row_and_the_newest_request_is_meant_where_none_is_named() {
    let desk = desk();
    let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    let (_, review) = desk.import(&request);
    let words = review["confirm"].as_str().expect("words").to_owned();
    let [alice, bob] = ["alice", "bob"].map(|name| desk.passphrase(name));
    let files = ["--passphrase-file", &alice, "--passphrase-file", &bob];
    let signed = [&["sign", "--officer", "alice,bob", "--confirm", &words][..], &files].concat();
    desk.run(&signed).done();
    let bundle = desk.path("bundle");
    desk.run(&["export", text(&bundle)]).done();
    let roots = fixture("acme/1-populate/prod-roots");
    let said = desk.run(&["verify", text(&bundle), "--roots", text(&roots)]).done().out;
    assert!(said.contains(&format!("countersign-courier submit {}", text(&bundle))), "{said}");
    assert!(
        said.contains("upload/wave-create.json https://api.foundries.io/ota/factories/acme-gateway/waves/")
    );
    // Without roots, and without a station, nothing says who may sign.
    let away = Desk::new();
    let said = away.run(&["verify", text(&bundle)]).ended(Exit::Refused).out;
    assert!(said.contains("does not prove who signed") && !said.contains("Upload it"), "{said}");
}

#[test]
fn a_name_that_no_officer_ever_had_is_said() {
    let desk = desk();
    let said = desk.run(&["log", "show", "--officer", "alcie"]).ended(Exit::Usage).err;
    assert!(said.contains("\"alcie\"") && said.contains("alice, bob"), "{said}");
    desk.run(&["log", "show", "--officer", "alice"]).done();
}

#[test]
fn a_blocked_review_shows_no_words_to_type_and_a_page_shows_them_where_it_ends_too() {
    let desk = desk();
    let words = |path: &std::path::Path| {
        let (id, review) = desk.import(path);
        let page = desk.path("review.html");
        let text = desk.run(&["review", &id, "--html", page.to_str().expect("a path")]).out;
        let words = review["confirm"].as_str().expect("words").to_owned();
        let page = std::fs::read_to_string(&page).expect("the page");
        (text.matches(&words).count(), page.matches(&words).count())
    };
    let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    assert_eq!(words(&request), (1, 2));
    assert_eq!(words(&fixture("acme/2-update/wave.json")), (0, 0), "a bare file without evidence");
}

#[test]
fn the_status_shows_the_newest_requests_first_and_says_how_many_are_older() {
    let desk = desk();
    for at in 0..10 {
        desk.clock.set(&format!("2026-11-23T12:{at:02}:30Z"));
        let wave = format!("wave-{at}");
        desk.import(&desk.request(&fixture("acme/1-populate"), "acme-gateway", &wave, 12, &[]));
    }
    let shown = desk.run(&["status"]).done().out;
    let waves: Vec<&str> = shown.lines().filter(|line| line.starts_with("Request ")).collect();
    assert_eq!(waves.len(), 5, "{shown}");
    assert!(waves[0].contains("wave wave-9,") && waves[0].contains(": waits for "), "{shown}");
    assert!(shown.contains("5 older: countersign status --all"), "{shown}");
    let all = desk.run(&["status", "--all"]).done().out;
    assert!(all.contains("wave wave-0,") && !all.contains("older:"), "{all}");
    let listed = desk.run(&["--json", "status"]).done().json();
    assert_eq!(listed["requests"].as_array().map(Vec::len), Some(10));
}

#[test]
fn the_status_says_what_a_request_waits_for_and_how_far_its_signature_went() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    desk.add_officer("ann");
    desk.add_officer("bob");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "ann,bob", "1");
    let state = |at: usize| desk.run(&["--json", "status"]).done().json()["requests"][at]["state"].clone();
    let request = desk.request(&fixture("acme/1-populate"), "acme", "populate-targets", 12, &[]);
    desk.run(&["import", text(&request)]).done();
    assert_eq!(state(0), "not read yet");
    let (id, review) = desk.import(&request);
    assert_eq!(state(0), "waits for 1 of ann, bob");
    let (ann, words) = (desk.passphrase("ann"), review["confirm"].as_str().expect("words"));
    let by_ann = ["--officer", "ann", "--confirm", words, "--passphrase-file", &ann];
    desk.run(&[&["approve", &id][..], &by_ann].concat()).done();
    assert_eq!(state(0), "approved, not signed");
    desk.run(&[&["sign", &id][..], &by_ann].concat()).done();
    assert_eq!(state(0), "signed, not exported yet");
    desk.export(&id, "bundle");
    assert_eq!(state(0), "signed, exported");
    desk.clock.set("2026-11-25T12:00:00Z");
    desk.import(&desk.request(&fixture("acme/2-update"), "acme", "v2.0-update", 42, &[]));
    assert_eq!((state(0), state(1)), ("waits for 1 of ann, bob".into(), "live".into()));
    let shown = desk.run(&["status"]).done().out;
    assert!(shown.contains("version 12, 2 days ago: live\n"), "{shown}");
    desk.clock.set("2028-01-01T00:00:00Z");
    desk.run(&["review"]).ended(Exit::Refused);
    assert_eq!(state(0), "blocked");
}

#[test]
fn what_belongs_to_the_day_on_which_a_key_came_is_overdue_the_day_after() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    desk.add_officer("ann");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "ann", "1");
    let shown = desk.run(&["status"]).done().out;
    assert!(shown.contains("TO DO     key ") && !shown.contains("OVERDUE"), "{shown}");
    desk.clock.set("2026-11-25T12:00:00Z");
    let shown = desk.run(&["status"]).done().out;
    assert_eq!(shown.matches("OVERDUE   key ").count(), 2, "{shown}");
}
