//! Keys are rotated: production's targets are signed again, with fioctl's own key to the byte, and with one that was made on
//! the station and never left it (`docs/ceremony.md`, script 3).

use crate::common::{Desk, copy_folder, fixture, json, read, text};
use base64::Engine as _;
use countersign::testing::cli::Exit;
use countersign::testing::json::{Document, Limits, canonical};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Asks for the production targets of a tag to be signed again; returns the request's folder.
fn resign(desk: &Desk, downloads: &Path, name: &str) -> PathBuf {
    let out = desk.path(name);
    desk.run(&[
        "request",
        "--resign",
        "--from",
        text(downloads),
        "--factory",
        "acme-gateway",
        "--tag",
        "production",
        "--out",
        text(&out),
    ])
    .done();
    out
}

#[test]
fn production_signed_again_is_what_fioctl_made_of_it() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "5-two-officers");
    desk.add_officer("bob");
    desk.import_key(&fixture("acme/officer2.keys.tgz"), "bob", "1");
    // What production ran before the rotation, under the root that came with it.
    let downloads = desk.path("downloads");
    copy_folder(&fixture("acme/5-two-officers"), &downloads);
    std::fs::copy(fixture("acme/4-after-cancel/prod-targets.json"), downloads.join("prod-targets.json"))
        .expect("copied");
    let (id, review) = desk.import(&resign(&desk, &downloads, "resign"));
    assert_eq!(review["signable"], true, "{review}");
    desk.sign(&id, &review, "bob", &[]).done();
    let bundle = desk.export(&id, "signed");
    assert_eq!(
        json(&bundle.join("upload/targets-signatures.json")),
        json(&fixture("acme/resign-tsigs.json"))
    );
}

/// The root keys of a fixture's Factory that its newest root lists: id and seed.
fn root_keys(root: &Value) -> Vec<(String, SigningKey)> {
    let archive = read(&fixture("acme/root.keys.tgz"));
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&archive[..]));
    let mut keys = Vec::new();
    for entry in tar.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a name").to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("read");
        let ids = root["signed"]["roles"]["root"]["keyids"].as_array().expect("ids");
        let id = ids.iter().filter_map(Value::as_str).find(|id| name.ends_with(&format!("{id}.sec")));
        if let Some(id) = id {
            let secret: Value = serde_json::from_slice(&bytes).expect("a key");
            let seed = hex::decode(secret["keyval"]["private"].as_str().expect("hex")).expect("hex");
            keys.push((id.to_owned(), SigningKey::from_bytes(seed[..32].try_into().expect("a seed"))));
        }
    }
    assert!(!keys.is_empty(), "no root key");
    keys
}

/// The next root: the new key in place of the old offline one, signed by the root officers.
fn next_root(before: &Value, keyid: &str, public: &Value, old: &str) -> Vec<u8> {
    let mut signed = before["signed"].clone();
    signed["version"] = (signed["version"].as_u64().expect("a version") + 1).into();
    signed["keys"].as_object_mut().expect("keys").remove(old);
    signed["keys"][keyid] = public.clone();
    let ids = signed["roles"]["targets"]["keyids"].as_array_mut().expect("ids");
    ids.iter_mut().filter(|id| *id == old).for_each(|id| *id = keyid.into());
    let bytes = signed.to_string();
    let document = Document::parse("root", bytes.as_bytes(), Limits::DEFAULT).expect("JSON");
    let message = canonical::bytes(document.root());
    let base64 = base64::engine::general_purpose::STANDARD;
    let signatures: Vec<Value> = root_keys(before)
        .iter()
        .map(|(keyid, key)| {
            let sig = base64.encode(key.sign(&message).to_bytes());
            json!({"keyid": keyid, "method": "ed25519", "sig": sig})
        })
        .collect();
    json!({"signatures": signatures, "signed": signed}).to_string().into_bytes()
}

#[test]
fn a_key_that_never_left_the_station_is_brought_into_production() {
    let desk = Desk::new();
    let step = fixture("acme/4-after-cancel");
    desk.init("acme", "acme-gateway", "4-after-cancel");
    desk.add_officer("alice");
    let old = desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    // An earlier request: the station has seen what production runs.
    desk.import(&desk.request(&step, "acme-gateway", "v2.2", 44, &[]));

    let stick = desk.path("stick");
    let made = desk.run(&[
        "--json",
        "key",
        "generate",
        "--type",
        "ed25519",
        "--officers",
        "alice",
        "--quorum",
        "1",
        "--out",
        text(&stick),
    ]);
    let keyid = made.done().json()["keyid"].as_str().expect("a key id").to_owned();
    let public = std::fs::read_dir(&stick).expect("listed").flatten().map(|entry| entry.path());
    let public =
        json(&public.into_iter().find(|path| path.extension().is_some_and(|e| e == "pub")).expect("a .pub"));

    // The root officers put it into the next root, and the connected machine downloads that, staged, with the rest.
    let downloads = desk.path("downloads");
    copy_folder(&step, &downloads);
    let root = next_root(&json(&step.join("prod-roots/3.root.json")), &keyid, &public, &old);
    std::fs::write(downloads.join("prod-roots/4.root.json"), root).expect("written");
    let (id, review) = desk.import(&resign(&desk, &downloads, "resign"));
    assert_eq!(review["signable"], true, "{review}");
    desk.sign(&id, &review, "alice", &[]).done();
    let bundle = desk.export(&id, "resigned");
    let body = json(&bundle.join("upload/targets-signatures.json"));
    let signatures = body["production"].as_array().expect("signatures");
    assert_eq!((signatures.len(), signatures[0]["keyid"].as_str()), (1, Some(keyid.as_str())));
    let roots = downloads.join("prod-roots");
    let verdict = desk.run(&["--json", "verify", text(&bundle), "--roots", text(&roots)]);
    let verdict = verdict.json();
    assert_eq!(verdict["complete"], true, "{verdict}");

    // The root is applied, and production's targets bear the new signature: the next wave is the new key's.
    let mut production = json(&downloads.join("prod-targets.json"));
    production["production"]["signatures"] = json(&bundle.join("targets.json"))["signatures"].clone();
    std::fs::write(downloads.join("prod-targets.json"), production.to_string()).expect("written");
    let (id, review) = desk.import(&desk.request(&downloads, "acme-gateway", "v2.3", 44, &[]));
    assert_eq!(review["signable"], true, "{review}");
    let signed = desk.sign(&id, &review, "alice", &[]).done().json();
    assert!(signed.to_string().contains(&keyid), "{signed}");
    let bundle = desk.export(&id, "wave");
    assert_eq!(
        json(&bundle.join("upload/wave-create.json"))["targets"]["signatures"][0]["keyid"],
        keyid.as_str()
    );
}

#[test]
fn there_is_nothing_to_sign_again_for_a_tag_without_production_targets() {
    let desk = Desk::new();
    let ran = desk.run(&[
        "request",
        "--resign",
        "--from",
        text(&fixture("acme/2-update")),
        "--factory",
        "acme-gateway",
        "--tag",
        "lab",
        "--out",
        text(&desk.path("out")),
    ]);
    assert!(ran.ended(Exit::Refused).err.contains("nothing to sign again"));
    assert!(!desk.path("out").exists());
}

#[test]
fn an_offline_bundles_list_becomes_a_request_from_the_file_or_from_the_services_answer() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "3-prune");
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let name = "intel-corei7-64-lmp-42";
    let list = json!({"signatures": [], "signed": {
        "_type": "Targets", "expires": "2026-12-23T00:00:00Z", "version": 42,
        "x-fio-offline-bundle": {"type": "production", "tag": "production", "targets": [name]},
    }});
    let ask = |file: &Path, tag: &str, out: &str| {
        desk.run(&[
            "request",
            "--offline-bundle",
            text(file),
            "--from",
            text(&fixture("acme/3-prune")),
            "--factory",
            "acme-gateway",
            "--tag",
            tag,
            "--out",
            text(&desk.path(out)),
        ])
    };
    let (file, answer) = (desk.path("bundle-targets.json"), desk.path("answer.json"));
    std::fs::write(&file, list.to_string()).expect("written");
    std::fs::write(
        &answer,
        json!({"timestamp": {}, "snapshot": {}, "targets": {}, "bundle-targets": list}).to_string(),
    )
    .expect("written");
    ask(&file, "production", "a").done();
    ask(&answer, "production", "b").done();
    assert_eq!(json(&desk.path("a/targets.json")), json(&desk.path("b/targets.json")));
    assert!(ask(&file, "lab", "c").ended(Exit::Refused).err.contains("for the tag \"production\""));
    assert!(
        ask(&fixture("acme/3-prune/waves.json"), "production", "c")
            .ended(Exit::Failed)
            .err
            .contains("offline bundle")
    );
    assert!(!desk.path("c").exists());
    let (id, review) = desk.import(&desk.path("a"));
    assert_eq!(review["signable"], true, "{review}");
    desk.sign(&id, &review, "alice", &[]).done();
    let bundle = desk.export(&id, "signed");
    let signed = json(&bundle.join("upload/bundle-targets.json"));
    assert_eq!(
        (signed["signed"].clone(), signed["signatures"].as_array().map(Vec::len)),
        (list["signed"].clone(), Some(1))
    );
}
