//! Signature slips: one signature leaves the room by camera, and the connected machine makes the same upload of it.

use crate::common::{Desk, fixture, json, read, text};
use countersign::testing::cli::Exit;
use std::path::PathBuf;

/// A station that signed the Factory's first wave; the request's folder and id.
fn signed(factory: &str) -> (Desk, PathBuf, String) {
    let desk = Desk::new();
    desk.init(factory, "acme-gateway", "1-populate");
    desk.add_officer("alice");
    desk.import_key(&fixture(&format!("{factory}/targets.keys.tgz")), "alice", "1");
    let step = fixture(&format!("{factory}/1-populate"));
    let request = desk.request(&step, "acme-gateway", "populate-targets", 12, &[]);
    let (id, review) = desk.import(&request);
    desk.sign(&id, &review, "alice", &[]).done();
    (desk, request, id)
}

#[test]
fn a_bundle_assembled_from_a_slip_has_the_documents_of_the_exported_one() {
    for (factory, codes) in [("acme", 1), ("rsa", 2)] {
        let (desk, request, id) = signed(factory);
        let exported = desk.export(&id, "exported");
        let slip = desk.run(&["export", &id, "--slip"]).done().out;
        assert_eq!(slip.lines().filter(|line| line.starts_with("CS1:")).count(), codes, "{slip}");
        std::fs::write(desk.path("slip.txt"), &slip).expect("written");
        let out = desk.path("assembled");
        let said = desk
            .run(&["assemble", text(&request), "--slip", text(&desk.path("slip.txt")), "--out", text(&out)])
            .done()
            .out;
        assert!(said.contains("has no review and no receipt"), "{said}");
        for name in ["targets.json", "request.json", "upload/wave-create.json", "upload/wave-sign.json"] {
            assert_eq!(read(&out.join(name)), read(&exported.join(name)), "{factory} {name}");
        }
        assert_eq!(json(&out.join("signed.json"))["assembled"], true);
        let roots = fixture(&format!("{factory}/1-populate/prod-roots"));
        desk.run(&["verify", text(&out), "--roots", text(&roots)]).done();
        // As a scanner gives it: line by line on standard input, and it never ends by itself.
        let lines = slip.lines().map(str::to_owned);
        desk.terminal.secrets.lock().expect("lock").extend(lines);
        let again = desk.path("again");
        desk.run(&["assemble", text(&request), "--slip", "-", "--out", text(&again)]).done();
        assert_eq!(read(&again.join("SHA256SUMS")), read(&out.join("SHA256SUMS")));
    }
}

#[test]
fn a_slip_of_another_request_or_with_another_signature_makes_no_bundle() {
    let (desk, request, id) = signed("acme");
    let slip = desk.run(&["export", &id, "--slip"]).done().out;
    let file = desk.path("slip.txt");
    let out = desk.path("assembled");
    let assemble = |request: &std::path::Path, slip: &str| {
        std::fs::write(&file, slip).expect("written");
        let ran = desk.run(&["assemble", text(request), "--slip", text(&file), "--out", text(&out)]);
        let ran = ran.ended(Exit::Failed);
        assert!(!out.exists(), "nothing is written");
        ran.err
    };
    let other = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    assert!(assemble(&other, &slip).contains("Give the folder of the request"), "another request");
    assert!(assemble(&request, &slip.replacen('A', "B", 1)).contains("not a whole signature slip"));
    assert!(assemble(&request, "").contains("not a whole signature slip"));
    let whole = countersign::testing::bundle::slip::Slip::parse(&slip).expect("a slip");
    let mut signature = whole.signature.clone();
    signature[0] ^= 1;
    let forged = countersign::testing::bundle::slip::Slip { signature, ..whole };
    assert!(assemble(&request, &forged.parts().expect("parts").join("\n")).contains("does not hold"));
}

#[test]
fn a_slip_in_a_folder_is_text_pictures_and_a_page_and_the_log_says_that_it_went_out() {
    let (desk, _, id) = signed("rsa");
    let folder = desk.path("slip");
    let said = desk.run(&["--json", "export", &id, "--slip", text(&folder)]).done().json();
    let listed: Vec<String> = std::fs::read_dir(&folder)
        .expect("listed")
        .map(|entry| entry.expect("read").file_name().into_string().expect("a name"))
        .collect();
    for name in ["slip.txt", "slip-1of2.png", "slip-2of2.png", "slip.html"] {
        assert!(listed.iter().any(|one| one == name), "{name}: {listed:?}");
    }
    let page = String::from_utf8(read(&folder.join("slip.html"))).expect("text");
    for part in said["parts"].as_array().expect("parts") {
        assert!(page.contains(part.as_str().expect("text")), "the text stands under the code");
    }
    let log = desk.run(&["log", "show"]).done().out;
    assert!(log.contains("slip.exported"), "{log}");
    desk.run(&["log", "verify"]).done();
    // Its head is one that left the room, whichever way it is given.
    let pack = desk.path("evidence");
    desk.run(&["log", "export", text(&pack)]).done();
    let written = folder.join("slip.txt");
    let against = ["--json", "audit", "verify", text(&pack), "--against", text(&folder), text(&written)];
    assert_eq!(desk.run(&against).done().json()["compared"]["given"], 2);
    desk.run(&["export", &id, "--slip", text(&folder)]).ended(Exit::Failed);
    let unsigned = desk.request(&fixture("rsa/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let (unsigned, _) = desk.import(&unsigned);
    assert!(desk.run(&["export", &unsigned, "--slip"]).ended(Exit::Failed).err.contains("not signed yet"));
}

#[test]
fn a_signature_that_does_not_count_is_left_out_of_an_assembled_bundle_too() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    let strange = format!(
        "{{\"signatures\":[{{\"keyid\":\"{}\",\"method\":\"ed25519\",\"sig\":\"AAAA\"}}]",
        "7".repeat(64)
    );
    let targets = String::from_utf8(read(&request.join("targets.json"))).expect("text");
    let targets = targets.replacen("{\"signatures\":[]", &strange, 1);
    assert!(targets.contains("AAAA"));
    crate::common::rewrite(&request, "targets.json", targets.as_bytes());
    let (id, review) = desk.import(&request);
    desk.sign(&id, &review, "alice", &[]).done();
    let exported = desk.export(&id, "exported");
    let slip = desk.path("slip.txt");
    std::fs::write(&slip, desk.run(&["export", &id, "--slip"]).done().out).expect("written");
    let out = desk.path("assembled");
    desk.run(&["assemble", text(&request), "--slip", text(&slip), "--out", text(&out)]).done();
    assert_eq!(read(&out.join("targets.json")), read(&exported.join("targets.json")));
}
