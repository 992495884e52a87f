//! The cover page: what is copied by hand is what any other machine prints for the same thing.

use crate::common;

use common::{Desk, fixture, text};
use countersign::testing::cli::Exit;

#[test]
fn the_cover_page_has_the_words_that_fingerprint_prints_and_leaves_the_log_as_it_is() {
    let desk = Desk::new();
    desk.init("acme", "acme", "2-update");
    for officer in ["ann", "bob"] {
        desk.add_officer(officer);
    }
    let keyid = desk.import_key(&fixture("acme/targets.keys.tgz"), "ann,bob", "2");
    let pack = desk.path("evidence");
    desk.run(&["log", "export", text(&pack)]).done();
    let page = desk.path("cover.html");
    let form = desk.run(&["--json", "ceremony", "form", "--html", text(&page)]).done().json();
    let fingerprint = |path: &std::path::Path| {
        desk.run(&["--json", "fingerprint", text(path)]).done().json()["words"]
            .as_str()
            .expect("words")
            .to_owned()
    };
    let newest = fixture("acme/2-update/prod-roots/3.root.json");
    assert_eq!(form["root"][0], format!("version 3: {}", fingerprint(&newest)));
    assert_eq!(form["log key"][0], fingerprint(&pack.join("vkey")));
    assert_eq!(form["log head"][0], fingerprint(&desk.station().join("log/checkpoint")));
    let id: [u8; 32] = hex::decode(&keyid).expect("hex").try_into().expect("32 bytes");
    assert_eq!(form["key"][0], countersign::testing::words::confirmation(&id));
    assert_eq!(form["officer"].as_array().map(Vec::len), Some(2));
    let html = std::fs::read_to_string(&page).expect("the page");
    let again = desk.run(&["ceremony", "form"]).done().out;
    for words in ["root", "policy", "log key", "log head", "program"] {
        let words = form[words][0].as_str().expect("words");
        assert!(html.contains(words) && again.contains(words), "{words}\n{again}");
    }
    assert!(!again.lines().any(|line| line.len() > 80), "{again}");
}

#[test]
fn a_signed_request_has_its_lines_again_and_an_unsigned_one_has_none() {
    let desk = Desk::new();
    desk.init("acme", "acme", "2-update");
    desk.add_officer("ann");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "ann", "1");
    let request = desk.request(&fixture("acme/2-update"), "acme", "v2.0-update", 42, &[]);
    let (id, review) = desk.import(&request);
    let ran = desk.run(&["ceremony", "form", &id]).ended(Exit::Failed);
    assert!(ran.err.contains("is not signed here"), "{}", ran.err);
    desk.sign(&id, &review, "ann", &[]).done();
    let form = desk.run(&["--json", "ceremony", "form", &id]).done().json();
    assert_eq!(form.as_object().map(serde_json::Map::len), Some(9), "{form}");
    assert_eq!(form["confirmed"][0], review["confirm"]);
    assert_eq!(form["officers"][0], "ann (strength L0)");
}
