use super::hostile::Shape;
use super::keys::MadeUpKey;
use super::*;
use crate::host::RealDisk;
use crate::host::clock::Time;
use crate::json::{Document, Limits, canonical};
use serde_json::{Value, json};
use std::path::Path;

const NOW: Time = Time::from_unix(1_800_000_000);

fn acme() -> Factory {
    let mut factory = Factory::new(7, "acme-gateway", NOW);
    factory.build(10..=42);
    factory
}

fn step(factory: &Factory, version: u64) -> (tempfile::TempDir, impl Fn(&str) -> Vec<u8>) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("step");
    factory.write_step(&RealDisk, &path, version).expect("written");
    (dir, move |name: &str| std::fs::read(path.join(name)).expect("a file"))
}

/// Canonical `signed` of a file, and its signatures.
fn signed(file: &[u8]) -> (Vec<u8>, Vec<Value>) {
    let document = Document::parse("t", file, Limits::DEFAULT).expect("JSON");
    let bytes = canonical::bytes(document.root().require("signed").expect("signed")).into_owned();
    let value: Value = serde_json::from_slice(file).expect("JSON");
    (bytes, value["signatures"].as_array().expect("a list").clone())
}

fn holds(key: &MadeUpKey, bytes: &[u8], signatures: &[Value]) -> bool {
    signatures
        .iter()
        .any(|s| s["keyid"] == *key.id() && s["sig"].as_str().is_some_and(|sig| key.verifies(bytes, sig)))
}

#[test]
fn a_key_id_is_the_one_that_fioctl_computes() {
    let private = "4fa54fedc124a0d8f33bba53c3ba160b6a114feee569053353d3c07ffba72959";
    let seed: [u8; 32] = hex::decode(private).expect("hex").try_into().expect("32 bytes");
    let key = MadeUpKey::from_seed(&seed);
    assert_eq!(key.id(), "16abcfd03a9738270b98c19dd74757527f676b743ff6ec136ef04c6efcd41a67");
    assert_eq!(key.private()["keyval"]["private"], private);
}

#[test]
fn each_root_is_signed_by_its_own_root_key_and_by_the_one_before() {
    let factory = acme().with_second_officer();
    let (_dir, read) = step(&factory, 42);
    for folder in ["prod-roots", "ci-roots"] {
        let roots: Vec<_> = (1..=4).map(|n| signed(&read(&format!("{folder}/{n}.root.json")))).collect();
        for pair in [(0, &factory.keys.first_root), (1, &factory.keys.first_root), (1, &factory.keys.root)] {
            assert!(holds(pair.1, &roots[pair.0].0, &roots[pair.0].1));
        }
        for root in &roots[2..] {
            assert!(holds(&factory.keys.root, &root.0, &root.1));
        }
        let last: Value = serde_json::from_slice(&roots[3].0).expect("JSON");
        let wanted = if folder == "ci-roots" { 1 } else { 3 };
        assert_eq!(last["roles"]["targets"]["threshold"], wanted);
        assert_eq!(last["version"], 4);
    }
}

#[test]
fn the_fingerprint_is_the_digest_of_the_newest_root() {
    use sha2::{Digest, Sha256};
    let factory = acme();
    let (_dir, read) = step(&factory, 42);
    let (bytes, _) = signed(&read("prod-roots/3.root.json"));
    assert_eq!(factory.fingerprint(), hex::encode(Sha256::digest(bytes)));
}

#[test]
fn ci_targets_hold_under_the_online_key_however_they_are_spaced() {
    for spacing in [Spacing::Compact, Spacing::Spaced] {
        let factory = acme().with_spacing(spacing);
        let (_dir, read) = step(&factory, 42);
        let file = read("ci-targets.json");
        let (bytes, signatures) = signed(&file);
        assert!(holds(&factory.keys.online, &bytes, &signatures));
        let value: Value = serde_json::from_slice(&file).expect("JSON");
        assert_eq!(value["signed"]["targets"].as_object().map(serde_json::Map::len), Some(66));
        let new: Value = serde_json::from_slice(&read("targets-42.json")).expect("JSON");
        assert_eq!(new["raspberrypi4-64-lmp-42"], value["signed"]["targets"]["raspberrypi4-64-lmp-42"]);
    }
}

#[test]
fn the_same_seed_and_time_write_the_same_bytes() {
    let file = |seed| {
        let mut factory = Factory::new(seed, "acme-gateway", NOW);
        factory.build(1..=3);
        factory.populate(1..=2).expect("populated");
        let (_dir, read) = step(&factory, 3);
        (read("prod-targets.json"), read("ci-targets.json"), factory.key_file(0))
    };
    assert!(file(7) == file(7));
    assert!(file(7) != file(8));
}

#[test]
fn production_targets_carry_both_signatures_and_the_one_tag() {
    let mut factory = acme();
    factory.populate(10..=41).expect("populated");
    let (_dir, read) = step(&factory, 42);
    let value: Value = serde_json::from_slice(&read("prod-targets.json")).expect("JSON");
    let (bytes, signatures) = signed(value["production"].to_string().as_bytes());
    assert!(holds(&factory.keys.online, &bytes, &signatures));
    assert!(holds(&factory.keys.offline[0], &bytes, &signatures));
    let targets = value["production"]["signed"]["targets"].as_object().expect("targets");
    assert_eq!(targets.len(), 64);
    assert!(targets.values().all(|target| target["custom"]["tags"] == json!(["production"])));
}

#[test]
fn a_target_has_the_size_that_devices_meet() {
    let mut factory = Factory::new(1, "acme-gateway", NOW);
    factory.build(2000..=2099);
    let (_dir, read) = step(&factory, 2099);
    let each = read("ci-targets.json").len() / 200;
    assert!((1290..=1350).contains(&each), "{each} bytes a target");
}

/// The body that a station would upload for the next wave.
fn upload(factory: &Factory, name: &str, version: u64, key: &MadeUpKey) -> Vec<u8> {
    let (_dir, read) = step(factory, version);
    let mut targets: Value = serde_json::from_slice(&read(&format!("targets-{version}.json"))).expect("JSON");
    for target in targets.as_object_mut().expect("targets").values_mut() {
        target["custom"]["tags"] = json!(["production"]);
    }
    let signed = json!({"_type": "Targets", "expires": NOW.plus_days(365).to_string(), "targets": targets,
        "version": version});
    let signature = key.sign(signed.to_string().as_bytes());
    json!({"name": name, "version": version.to_string(), "tag": "production",
        "targets": {"signed": signed, "signatures": [signature]}})
    .to_string()
    .into_bytes()
}

#[test]
fn a_signed_wave_becomes_the_production_targets_when_it_is_completed() {
    let mut factory = acme();
    let body = upload(&factory, "populate-targets", 12, &factory.keys.offline[0]);
    assert!(!step(&factory, 12).0.path().join("step/prod-targets.json").exists());
    factory.create_wave(&body).expect("created");
    let listed: Value = serde_json::from_slice(&factory.waves_file()).expect("JSON");
    assert_eq!(listed["waves"][0]["status"], "active");
    factory.complete_wave("populate-targets").expect("completed");
    let (_dir, read) = step(&factory, 42);
    let value: Value = serde_json::from_slice(&read("prod-targets.json")).expect("JSON");
    assert_eq!(value["production"]["signed"]["version"], 12);
    assert_eq!(value["production"]["signatures"].as_array().map(Vec::len), Some(2));
    let waves: Value = serde_json::from_slice(&read("waves.json")).expect("JSON");
    assert_eq!(waves["waves"][0]["status"], "complete");
}

#[test]
fn the_service_refuses_what_devices_would_refuse() {
    let mut running = acme();
    running.create_wave(&upload(&running, "now", 12, &running.keys.offline[0])).expect("created");
    running.complete_wave("now").expect("completed");
    let old = upload(&running, "old", 11, &running.keys.offline[0]);
    assert!(matches!(running.create_wave(&old), Err(FactoryError::NotNewer(11, 12))));

    let mut factory = acme().with_second_officer();
    let stranger = upload(&factory, "w", 12, &factory.keys.root);
    assert!(matches!(factory.create_wave(&stranger), Err(FactoryError::UnknownKey(_))));
    let body = upload(&factory, "w", 12, &factory.keys.offline[0]);
    let altered = String::from_utf8(body.clone()).expect("text").replace("OSTREE", "BINARY");
    assert!(matches!(factory.create_wave(altered.as_bytes()), Err(FactoryError::BadSignature(_))));
    factory.create_wave(&body).expect("created");
    assert!(matches!(factory.create_wave(&body), Err(FactoryError::WaveExists(_))));
    assert!(matches!(factory.complete_wave("w"), Err(FactoryError::TooFewSignatures(2, 3))));
}

#[test]
fn the_key_file_is_a_gzipped_tar_with_mode_bits_zero() {
    let factory = acme();
    let file = factory.key_file(0).expect("a key file");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file.as_slice()));
    let mut names = Vec::new();
    for entry in archive.entries().expect("entries") {
        let entry = entry.expect("an entry");
        assert_eq!(entry.header().mode().expect("a mode"), 0);
        names.push(entry.path().expect("a path").into_owned());
    }
    let id = factory.offline_keyids()[0];
    let wanted = |ending: &str| Path::new(&format!("tufrepo/keys/fioctl-targets-{id}.{ending}")).to_owned();
    assert_eq!(names, [wanted("pub"), wanted("sec")]);
    assert!(factory.key_file(1).is_none());
}

#[test]
fn hostile_documents_are_json_of_about_the_size_asked_for() {
    for shape in Shape::ALL {
        let text = shape.targets_file(43, "2027-11-23T00:00:00Z", 10_000);
        assert!((9_000..12_000).contains(&text.len()), "{shape:?}: {}", text.len());
        let read = Document::parse("t", text.as_bytes(), Limits { bytes: 1 << 20, depth: 6000 });
        assert!(read.is_ok(), "{shape:?}: {:?}", read.err());
        assert_eq!(Document::parse("t", text.as_bytes(), Limits::DEFAULT).is_err(), shape == Shape::Deep);
    }
}
