//! The connected machine: what is no metadata, and what a station would refuse, is refused where it can still be mended,
//! and leaves nothing behind.

use crate::common::{Desk, Ran, copy_folder, fingerprint, fixture, json, read, text};
use countersign::testing::cli::Exit;
use std::path::{Path, PathBuf};

/// A step's downloads, to be bent.
fn downloads(desk: &Desk, step: &str) -> PathBuf {
    let folder = desk.path("downloads");
    let _ = std::fs::remove_dir_all(&folder);
    copy_folder(&fixture(step), &folder);
    folder
}

/// `request` for the wave of acme's second step, with what is given in place of it.
fn request(desk: &Desk, folder: &Path, wave: &str, version: &str, tag: &str, more: &[&str]) -> Ran {
    let out = desk.path("out");
    let mut arguments = vec![
        "request",
        "--from",
        text(folder),
        "--factory",
        "acme-gateway",
        "--wave",
        wave,
        "--version",
        version,
        "--tag",
        tag,
        "--out",
        text(&out),
    ];
    arguments.extend(more);
    desk.run(&arguments)
}

fn update(desk: &Desk, folder: &Path) -> Ran {
    request(desk, folder, "v2.0-update", "42", "production", &[])
}

#[track_caller]
fn refused(desk: &Desk, ran: Ran, exit: Exit, words: &[&str]) {
    let ran = ran.ended(exit);
    let said = format!("{}{}", ran.out, ran.err);
    for word in words {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
    assert!(!desk.path("out").exists(), "something was written");
}

/// What comes in place of a file when a download fails, and how it is told.
fn no_metadata() -> Vec<(Vec<u8>, &'static str)> {
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        (
            br#"{"message":"Unauthorized"}"#.to_vec(),
            "an error that the service answered with: \"Unauthorized\"",
        ),
        (br#"{"msg":"Not found","errors":[]}"#.to_vec(), "\"Not found\""),
        (b"null\n".to_vec(), "it is null"),
        (b"[]".to_vec(), "an array"),
        (b"{}".to_vec(), "is needed here"),
        (b"<!DOCTYPE html><title>Sign in</title>".to_vec(), "a web page"),
        (b"".to_vec(), "it is empty"),
        (b" \n".to_vec(), "it is empty"),
        (br#"{"signatures":[],"sign"#.to_vec(), "in the middle of a value"),
        (b"502 Bad Gateway".to_vec(), "is needed here"),
        (b"\xef\xbb\xbf{}".to_vec(), "byte order mark"),
        (utf16, "UTF-16"),
    ]
}

#[test]
fn what_is_no_metadata_is_named_as_what_it_is_and_nothing_is_composed_from_it() {
    let desk = Desk::new();
    let names = [
        "prod-targets.json",
        "ci-targets.json",
        "waves.json",
        "prod-roots/2.root.json",
        "prod-roots/3.root.json",
        "ci-roots/1.root.json",
        "ci-targets.pub",
        "targets-42.json",
    ];
    for name in names {
        for (bytes, words) in no_metadata() {
            // A version without targets is no damaged file.
            if name == "targets-42.json" && bytes == b"{}" {
                continue;
            }
            let folder = downloads(&desk, "acme/2-update");
            std::fs::write(folder.join(name), &bytes).expect("written");
            let file = name.rsplit('/').next().expect("a name");
            refused(&desk, update(&desk, &folder), Exit::Failed, &[file, words]);
        }
        // Half of the file.
        let folder = downloads(&desk, "acme/2-update");
        let whole = read(&folder.join(name));
        std::fs::write(folder.join(name), &whole[..whole.len() / 2]).expect("written");
        refused(&desk, update(&desk, &folder), Exit::Failed, &["in the middle of a value"]);
    }
    update(&desk, &downloads(&desk, "acme/2-update")).done();
}

#[test]
fn one_tags_targets_are_not_taken_for_the_map_of_all_tags() {
    let desk = Desk::new();
    for bare in ["prod-targets.json", "ci-targets.json"] {
        let folder = downloads(&desk, "acme/2-update");
        let mut one = json(&folder.join(bare));
        if bare == "prod-targets.json" {
            one = one["production"].clone();
        }
        std::fs::write(folder.join("prod-targets.json"), one.to_string()).expect("written");
        refused(
            &desk,
            update(&desk, &folder),
            Exit::Failed,
            &["the targets of one tag", "map of production targets"],
        );
    }
    // A member that is no metadata, beside one that is.
    let folder = downloads(&desk, "acme/2-update");
    let mut all = json(&folder.join("prod-targets.json"));
    all["lab"] = serde_json::json!({"signatures": []});
    std::fs::write(folder.join("prod-targets.json"), all.to_string()).expect("written");
    refused(&desk, update(&desk, &folder), Exit::Failed, &["prod-targets.json"]);
}

#[test]
fn a_chain_with_a_hole_or_of_ci_is_refused() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/2-update");
    std::fs::remove_file(folder.join("prod-roots/2.root.json")).expect("removed");
    refused(&desk, update(&desk, &folder), Exit::Refused, &["the versions between are missing"]);
    let folder = downloads(&desk, "acme/2-update");
    std::fs::copy(fixture("rsa/2-update/prod-roots/3.root.json"), folder.join("prod-roots/3.root.json"))
        .expect("copied");
    refused(&desk, update(&desk, &folder), Exit::Refused, &["3.root.json"]);
    let folder = downloads(&desk, "acme/2-update");
    std::fs::remove_dir_all(folder.join("prod-roots")).expect("removed");
    std::fs::create_dir(folder.join("prod-roots")).expect("made");
    refused(&desk, update(&desk, &folder), Exit::Failed, &["no N.root.json"]);
    copy_over(&fixture("acme/2-update/ci-roots"), &folder.join("prod-roots"));
    refused(&desk, update(&desk, &folder), Exit::Refused, &["CI's root", "?production=1"]);
}

fn copy_over(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("listed").flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

#[test]
fn what_the_service_or_the_officers_would_refuse_is_refused_at_once() {
    let desk = Desk::new();
    let update_folder = downloads(&desk, "acme/2-update");
    let at = |wave: &str, version: &str, tag: &str| request(&desk, &update_folder, wave, version, tag, &[]);
    refused(
        &desk,
        at("populate-targets", "42", "production"),
        Exit::Refused,
        &["wave-name-used", "another name"],
    );
    refused(
        &desk,
        at("w", "42", "prodution"),
        Exit::Refused,
        &["\"prodution\"", "\"production\"", "--first-wave"],
    );
    refused(&desk, at("w", "12", "production"), Exit::Refused, &["is not above 12"]);
    refused(&desk, at("w", "9999", "production"), Exit::Refused, &["CI has no target of version 9999"]);
    // Version 43 was canceled, and devices that took it stay on it.
    let canceled = desk.path("canceled");
    copy_folder(&fixture("acme/4-after-cancel"), &canceled);
    let again = request(&desk, &canceled, "w", "43", "production", &[]);
    refused(&desk, again, Exit::Refused, &["high-water", "canceled"]);
    // Another wave is active for the tag.
    let mut waves = json(&update_folder.join("waves.json"));
    waves["waves"].as_array_mut().expect("waves").push(serde_json::json!(
        {"name": "going", "version": "41", "tag": "production", "status": "active"}
    ));
    waves["total"] = 2.into();
    std::fs::write(update_folder.join("waves.json"), waves.to_string()).expect("written");
    refused(&desk, at("w", "42", "production"), Exit::Refused, &["wave-active", "\"going\""]);
    // Production's targets are gone from the downloads, and the list says that there were some.
    std::fs::remove_file(update_folder.join("prod-targets.json")).expect("removed");
    std::fs::copy(fixture("acme/2-update/waves.json"), update_folder.join("waves.json")).expect("copied");
    refused(
        &desk,
        at("w", "42", "production"),
        Exit::Refused,
        &["evidence", "\"populate-targets\" as complete"],
    );
}

#[test]
fn what_the_station_would_not_take_in_is_not_composed() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/1-populate");
    let first = |wave: &str| request(&desk, &folder, wave, "12", "production", &[]);
    refused(&desk, first(&"w".repeat(129)), Exit::Failed, &["\"wave\" has 129 bytes", "at most 128"]);
    first(&"w".repeat(128)).done();
}

#[test]
fn a_tag_that_nobody_has_is_a_first_wave_only_when_it_is_said_to_be_one() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/2-update");
    request(&desk, &folder, "w", "42", "lab", &["--first-wave"]).done();
    // Where there is no production at all, every tag is new.
    let folder = downloads(&desk, "acme/1-populate");
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    request(&desk, &folder, "populate-targets", "12", "production", &[]).done();
}

#[test]
fn what_ci_did_not_sign_or_another_factorys_key_signed_is_refused() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/2-update");
    std::fs::copy(fixture("rsa/2-update/ci-targets.pub"), folder.join("ci-targets.pub")).expect("copied");
    refused(&desk, update(&desk, &folder), Exit::Refused, &["key-in-role", "ci-targets.pub is the key"]);
    // Without the key, the signature itself is what shows whose it is.
    std::fs::remove_file(folder.join("ci-targets.pub")).expect("removed");
    update(&desk, &folder).done();
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    let mut ci = json(&folder.join("ci-targets.json"));
    ci["signatures"] = serde_json::json!([]);
    std::fs::write(folder.join("ci-targets.json"), ci.to_string()).expect("written");
    refused(&desk, update(&desk, &folder), Exit::Refused, &["ci-targets.json", "no signature"]);
    // A target that the service lists otherwise than CI signed it.
    let folder = downloads(&desk, "acme/2-update");
    let mut listed = json(&folder.join("targets-42.json"));
    let first = listed.as_object_mut().expect("targets").values_mut().next().expect("a target");
    first["hashes"]["sha256"] = "0".repeat(64).into();
    std::fs::write(folder.join("targets-42.json"), listed.to_string()).expect("written");
    refused(&desk, update(&desk, &folder), Exit::Refused, &["added-from-ci"]);
}

#[test]
fn a_refusal_is_one_json_value_with_every_finding() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/2-update");
    let ran =
        request(&desk, &folder, "populate-targets", "42", "production", &["--json"]).ended(Exit::Refused);
    let value = ran.json();
    assert_eq!((value["signable"].as_bool(), value["exit"].as_u64()), (Some(false), Some(3)));
    let findings = value["findings"].as_array().expect("findings");
    assert!(
        findings.iter().any(|one| one["check"] == "wave-name-used" && one["severity"] == "block"),
        "{value}"
    );
    assert!(!desk.path("out").exists());
}

#[test]
fn a_preview_is_the_review_without_words_that_confirm_anything() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/2-update");
    let preview = desk.path("preview.html");
    let ran =
        request(&desk, &folder, "v2.0-update", "42", "production", &["--preview", text(&preview)]).done();
    let html = String::from_utf8(read(&preview)).expect("text");
    for there in ["A PREVIEW", "made on the connected machine", "Additions", "v2.0-update"] {
        assert!(html.contains(there), "{there}");
    }
    for absent in ["CAN BE SIGNED", "The words that confirm", "no key that could add one"] {
        assert!(!html.contains(absent), "{absent}");
        assert!(!ran.out.contains(absent), "{absent}");
    }
    // The digest in words, to be read to each other.
    let digest = countersign::testing::tuf::Digest::of(&read(&desk.path("out/request.json")));
    let words = countersign::testing::words::of(&digest.0);
    assert!(ran.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(&words), "{}", ran.out);
}

#[test]
fn the_stations_policy_judges_where_it_is_given() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/2-update");
    let policy = desk.path("policy.toml");
    let strict = countersign::testing::station::policy::DEFAULT
        .replace("[checks]", "[checks]\noutlives-root = \"block\"");
    std::fs::write(&policy, strict).expect("written");
    let ran = request(&desk, &folder, "v2.0-update", "42", "production", &["--policy", text(&policy)]);
    refused(&desk, ran, Exit::Refused, &["[block] outlives-root"]);
}

#[test]
fn ci_roots_pin_no_station_and_the_hint_says_how_to_get_productions() {
    let desk = Desk::new();
    let roots = fixture("acme/2-update/ci-roots");
    let print = fingerprint(&roots);
    let key = fixture("acme/2-update/ci-targets.pub");
    let ran = desk.run(&[
        "init",
        "--factory",
        "acme-gateway",
        "--roots",
        text(&roots),
        "--online-key",
        text(&key),
        "--fingerprint",
        &print,
        "--networked",
    ]);
    let ran = ran.ended(Exit::Refused);
    assert!(ran.err.contains("?production=1"), "{}", ran.err);
    assert!(!desk.station().exists());
}

#[test]
fn cis_next_root_does_not_replace_productions_although_the_same_keys_signed_it() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    let folder = downloads(&desk, "acme/2-update");
    update(&desk, &folder).done();
    let ci = read(&fixture("acme/5-two-officers/ci-roots/4.root.json"));
    crate::common::rewrite(&desk.path("out"), "prod-roots/4.root.json", &ci);
    let ran = desk.run(&["import", text(&desk.path("out"))]).ended(Exit::Refused);
    assert!(ran.err.contains("?production=1"), "{}", ran.err);
    let trust = desk.run(&["--json", "trust", "show"]).done().json();
    assert_eq!(trust["root_version"].as_u64().or(trust["root"]["version"].as_u64()), Some(3), "{trust}");
}

#[test]
fn an_expiry_that_cannot_be_written_is_refused_and_the_last_one_that_can_is_taken() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/2-update");
    for (flag, value) in [
        ("--expires-days", "2912500"),
        ("--expires-days", "4294967295"),
        ("--expires", "10000-01-01T00:00:00Z"),
    ] {
        refused(&desk, request(&desk, &folder, "w", "42", "production", &[flag, value]), Exit::Usage, &[]);
    }
    request(&desk, &folder, "w", "42", "production", &["--expires", "9999-12-31T23:59:59Z"]).done();
    let signed = json(&desk.path("out/targets.json"));
    assert_eq!(signed["signed"]["expires"], "9999-12-31T23:59:59Z");
}

#[test]
fn a_source_tag_does_not_hide_that_the_versions_targets_are_in_production_already() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/2-update");
    // Production has, at an older version, a target of version 42 that carries another tag than is asked for.
    let mut listed = json(&folder.join("targets-42.json"));
    let targets = listed.as_object_mut().expect("targets");
    let name = targets.keys().next().expect("a target").clone();
    targets[&name]["custom"]["tags"] = serde_json::json!(["devel"]);
    let target = targets[&name].clone();
    std::fs::write(folder.join("targets-42.json"), listed.to_string()).expect("written");
    let mut production = json(&folder.join("prod-targets.json"));
    production["production"]["signed"]["targets"][&name] = target;
    std::fs::write(folder.join("prod-targets.json"), production.to_string()).expect("written");
    let ran = request(&desk, &folder, "w", "42", "production", &["--source-tag", "main"]);
    refused(&desk, ran, Exit::Refused, &["is in the production targets already", &name]);
}

#[test]
fn the_factorys_name_is_typed_a_second_time_before_a_station_is_made_for_it() {
    let desk = Desk::new();
    let roots = fixture("acme/2-update/prod-roots");
    let (print, key) = (fingerprint(&roots), fixture("acme/2-update/ci-targets.pub"));
    let init = |name: &str, again: &str| {
        desk.terminal.answers.lock().expect("lock").push_back(again.to_owned());
        desk.run(&[
            "init",
            "--factory",
            name,
            "--roots",
            text(&roots),
            "--online-key",
            text(&key),
            "--fingerprint",
            &print,
            "--networked",
        ])
    };
    let ran = init("acme-gatewya", "acme-gateway").ended(Exit::NotApproved);
    assert!(ran.err.contains("\"acme-gatewya\". Nothing was made"), "{}", ran.err);
    assert!(!desk.station().exists());
    init("acme-gateway", " acme-gateway ").done();
}

#[test]
fn a_wave_that_no_url_can_carry_and_another_factorys_builds_are_told() {
    let desk = Desk::new();
    let folder = downloads(&desk, "acme/2-update");
    let ran = request(&desk, &folder, "v2/0 beta?", "42", "production", &[]).done();
    assert!(
        ran.out.contains("[warn] wave-name-used") && ran.out.contains("cannot stand in a URL"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("names the Factory"), "{}", ran.out);
    let out = desk.path("other");
    let ran = desk.run(&[
        "request",
        "--from",
        text(&folder),
        "--factory",
        "acme-gatewya",
        "--wave",
        "v2.0",
        "--version",
        "42",
        "--tag",
        "production",
        "--out",
        text(&out),
    ]);
    let ran = ran.done();
    let told =
        "[warn] composition: The added target \"intel-corei7-64-lmp-42\" names the Factory \"acme-gateway\"";
    assert!(ran.out.contains(told) && !ran.out.contains("cannot stand in a URL"), "{}", ran.out);
}

#[test]
fn what_a_file_manager_left_is_named_as_that() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    let folder = downloads(&desk, "acme/2-update");
    update(&desk, &folder).done();
    for left in [
        ".DS_Store",
        "._targets.json",
        "prod-roots/._1.root.json",
        "Thumbs.db",
        "System Volume Information/x",
    ] {
        let path = desk.path("out").join(left);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, "left").expect("written");
        let ran = desk.run(&["import", text(&desk.path("out"))]).ended(Exit::Failed);
        assert!(ran.err.contains("a file manager left it there. Delete it"), "{left}: {}", ran.err);
        std::fs::remove_file(&path).expect("removed");
    }
    desk.run(&["import", text(&desk.path("out"))]).done();
    // In the downloads, a folder of roots and the stick's own folder they are passed over: nothing there is listed.
    for left in ["prod-roots/.DS_Store", "prod-roots/._1.root.json", "desktop.ini", ".Trashes/x"] {
        let path = folder.join(left);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, "left").expect("written");
    }
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    update(&desk, &folder).done();
    // In an evidence pack they are no part of the log.
    let pack = desk.path("pack");
    desk.run(&["log", "export", text(&pack)]).done();
    for left in [
        "events/.DS_Store",
        "events/._000000.jsonl",
        "checkpoints/Thumbs.db",
        "objects/sha256/desktop.ini",
        "anchors/.DS_Store",
        "._vkey",
        "System Volume Information/x",
    ] {
        let path = pack.join(left);
        let made = path.parent().expect("a folder").exists();
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, "left").expect("written");
        let ran = desk.run(&["audit", "verify", text(&pack)]);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(
            ran.exit == Exit::Done || said.contains("a file manager left it there. Delete it"),
            "{left}: {said}"
        );
        std::fs::remove_file(&path).expect("removed");
        if !made {
            std::fs::remove_dir_all(path.parent().expect("a folder")).expect("removed");
        }
    }
    desk.run(&["audit", "verify", text(&pack)]).done();
}

#[test]
fn what_fioctls_dry_run_prints_is_taken_in_with_its_warning_behind_it_and_nothing_else_is() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    let wave = read(&fixture("acme/2-update/wave-create.json"));
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_slice::<serde_json::Value>(&wave).expect("JSON"));
    let file = desk.path("wave.json");
    let import = |behind: &str| {
        std::fs::write(&file, format!("{}\n{behind}", pretty.as_ref().expect("JSON"))).expect("written");
        desk.run(&["--json", "import", text(&file)])
    };
    let digest = |ran: Ran| ran.json()["signed"].clone();
    let plain = digest(import(""));
    for words in [
        "WARNING: The following Targets have no static deltas:\n - intel-corei7-64-lmp-42\n",
        "\nWarning: No static deltas were generated for Target 42, devices download all of it.\n",
    ] {
        let ran = import(words);
        assert_ne!(ran.exit, Exit::Failed, "{}", ran.err);
        assert_eq!(digest(ran), plain);
    }
    for no_words in ["{}", "[]", "1", "\"x\"", "Warning {\"signed\":{}}", "\u{0}"] {
        let ran = import(no_words).ended(Exit::Failed);
        assert!(
            ran.err.contains("something after the end") || ran.out.contains("something after the end"),
            "{}",
            ran.out
        );
    }
    // Words behind anything else are no words of fioctl's.
    let mut targets = read(&fixture("acme/2-update/ci-targets.json"));
    targets.extend_from_slice(b"\nWarning: x\n");
    std::fs::write(&file, targets).expect("written");
    desk.run(&["import", text(&file)]).ended(Exit::Failed);
}

#[test]
fn ci_roots_count_no_signatures_of_a_bundle() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let step = fixture("acme/1-populate");
    let (id, review) = desk.import(&desk.request(&step, "acme-gateway", "populate-targets", 12, &[]));
    desk.sign(&id, &review, "alice", &[]).done();
    let bundle = desk.export(&id, "signed");
    let ran = desk.run(&["verify", text(&bundle), "--roots", text(&step.join("ci-roots"))]);
    assert_ne!(ran.exit, Exit::Done);
    assert!(format!("{}{}", ran.out, ran.err).contains("?production=1"), "{}{}", ran.out, ran.err);
    std::fs::write(bundle.join(".DS_Store"), "left").expect("written");
    let ran = desk.run(&["verify", text(&bundle), "--roots", text(&step.join("prod-roots"))]);
    assert!(
        format!("{}{}", ran.out, ran.err).contains("a file manager left it there"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn an_empty_or_relative_place_in_the_environment_is_no_place() {
    let desk = Desk::new();
    let status = |home: &str, data: &str, station: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("status")
            .current_dir(desk.folder.path())
            .env_clear()
            .env("HOME", home)
            .env("XDG_DATA_HOME", data)
            .env("COUNTERSIGN_STATION", station)
            .output()
            .expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (home, data) in [("", ""), ("", "data"), ("home", "data"), (".", "")] {
        let (code, said) = status(home, data, "");
        assert!(code == Some(2) && said.contains("no home folder"), "{home} {data}: {said}");
    }
    let home = desk.path("home");
    let (code, said) = status(text(&home), "data", "");
    assert!(code == Some(1) && said.contains(&format!("{}/.local/share/countersign", text(&home))), "{said}");
}

#[test]
fn a_byte_order_mark_and_utf_16_are_named_in_every_file_of_text() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    let (pack, out) = (desk.path("pack"), desk.path("out"));
    desk.run(&["log", "export", text(&pack)]).done();
    let key = std::fs::read_to_string(pack.join("vkey")).expect("read");
    let utf_16: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, named) in [
        ([b"\xef\xbb\xbf", key.as_bytes()].concat(), "byte order mark"),
        ([b"\xff\xfe".as_slice(), &utf_16].concat(), "UTF-16"),
    ] {
        let file = desk.path("file");
        std::fs::write(&file, bytes).expect("written");
        for arguments in [
            &["assemble", text(&request), "--slip", text(&file), "--out", text(&out)][..],
            &["audit", "verify", text(&pack), "--key", text(&file)],
            &["audit", "verify", text(&pack), "--state", text(&file)],
            &["audit", "verify", text(&pack), "--against", text(&file)],
            &["audit", "verify", text(&pack), "--witness", text(&file)],
            &["anchor", "import", text(&file)],
            &["witness", "add", text(&file), "--officer", "alice"],
            &["import", text(&file), "--tag", "production"],
            &["policy", "set", text(&file)],
        ] {
            let ran = desk.run(arguments);
            assert!(ran.exit != Exit::Done && ran.err.contains(named), "{arguments:?}: {}", ran.err);
        }
    }
}
