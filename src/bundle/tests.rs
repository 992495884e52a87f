//! Requests against what `fioctl waves init` composed, and against its rules.

use super::compose::{ComposeError, Parameters, compose};
use super::intake::{BareFacts, take_in};
use super::source::{Ask, Asked, compose_request, write_request};
use crate::host::RealDisk;
use crate::host::clock::Time;
use crate::json::{Document, Limits};
use crate::tuf::targets::list;
use crate::tuf::{Dialect, Targets};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn step(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fioctl").join(path)
}

fn time(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

fn ask(wave: &str, version: u64, prune: &[u64]) -> Ask {
    Ask {
        factory: "acme-gateway".into(),
        what: Asked::Wave {
            wave: wave.into(),
            parameters: Parameters {
                version,
                tag: "production".into(),
                source_tag: None,
                prune: prune.iter().copied().collect(),
                expires: time("2027-11-23T00:00:00Z"),
            },
            is_first: false,
        },
        now: time("2026-11-23T10:00:00Z"),
        max_file_bytes: 64 << 20,
        anchors: BTreeMap::new(),
    }
}

const STEPS: [(&str, &str, u64, &[u64]); 5] = [
    ("1-populate", "populate-targets", 12, &[]),
    ("2-update", "v2.0-update", 42, &[]),
    ("3-prune", "v2.1-prune", 43, &[12]),
    ("4-after-cancel", "v2.2", 44, &[]),
    ("5-two-officers", "v3.0", 45, &[]),
];

#[test]
fn a_request_composes_what_fioctl_composed() {
    for factory in ["acme", "rsa"] {
        for (folder, wave, version, prune) in STEPS {
            let folder = step(&format!("{factory}/{folder}"));
            let request = compose_request(&RealDisk, &folder, &ask(wave, version, prune)).expect("composed");
            let ours = Document::parse("ours", &request.request.files["targets.json"][..], Limits::DEFAULT)
                .expect("read");
            let posted = std::fs::read(folder.join("wave-create.json")).expect("a fixture");
            let theirs = Document::parse("theirs", posted, Limits::DEFAULT).expect("read");
            let signed = theirs.root().get("targets").and_then(|t| t.get("signed")).expect("signed");
            let composed = ours.root().get("signed").expect("signed");
            assert!(composed.is_canonical());
            assert_eq!(composed.span(), &*crate::json::canonical::bytes(signed), "{factory} {wave}");
        }
    }
}

fn refused(folder: &str, wave: &str, version: u64, prune: &[u64], source_tag: Option<&str>) -> String {
    let mut ask = ask(wave, version, prune);
    let Asked::Wave { parameters, .. } = &mut ask.what else { unreachable!() };
    parameters.source_tag = source_tag.map(str::to_owned);
    compose_request(&RealDisk, &step(folder), &ask).err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn fioctls_rules_are_kept() {
    assert!(refused("acme/2-update", "w", 12, &[], None).contains("version 12 is not above 12"));
    assert!(refused("acme/2-update", "w", 9, &[], None).contains("version 9 is not above 12"));
    assert!(refused("acme/2-update", "w", 999, &[], None).contains("CI has no target of version 999"));
    assert!(refused("acme/2-update", "w", 42, &[], Some("nightly")).contains("with the tag \"nightly\""));
    assert!(refused("acme/2-update", "w", 42, &[13], None).contains("There are: 12"));
    assert!(refused("acme/2-update", "w", 42, &[42], None).contains("it cannot be pruned"));
    assert!(refused("acme/1-populate", "w", 12, &[11], None).contains("There are none"));
    assert_eq!(refused("acme/2-update", "w", 42, &[], Some("main")), "");
    assert!(refused("acme/9-absent", "w", 42, &[], None).contains("cannot read"));
}

#[test]
fn a_name_that_is_in_production_already_is_refused() {
    let target = "{\"custom\":{\"tags\":[],\"version\":\"3\"},\"hashes\":{},\"length\":0}";
    let published = format!("{{\"b\":{target}}}");
    let current = format!(
        "{{\"signatures\":[],\"signed\":{{\"_type\":\"Targets\",\"expires\":\"x\",\"targets\":{{\"b\":{target}}},\"version\":2}}}}"
    );
    let published = Document::parse("p", published.as_bytes(), Limits::DEFAULT).expect("read");
    let current = Document::parse("c", current.as_bytes(), Limits::DEFAULT).expect("read");
    let current = Targets::read(current.root(), Dialect::Factory).expect("read");
    let parameters = Parameters {
        version: 3,
        tag: "t".into(),
        source_tag: None,
        prune: BTreeSet::new(),
        expires: time("2027-11-23T00:00:00Z"),
    };
    let refused =
        compose(&list(published.root()).expect("targets"), Some(&current), &parameters).expect_err("present");
    assert_eq!(refused, ComposeError::NamePresent("b".into()));
}

#[test]
fn what_is_written_is_taken_in_again_and_any_changed_byte_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("request");
    let request =
        compose_request(&RealDisk, &step("acme/2-update"), &ask("v2.0-update", 42, &[])).expect("composed");
    write_request(&RealDisk, &out, &request).expect("written");
    let take =
        |path: &Path| take_in(&RealDisk, path, 1 << 20, &BareFacts::default(), time("2026-11-23T10:00:00Z"));
    let taken = take(&out).expect("taken in");
    assert_eq!((taken.digest, &taken.files), (request.request.digest, &request.request.files));
    assert!(write_request(&RealDisk, &out, &request).is_err(), "nothing is overwritten");

    for name in ["targets.json", "current.json", "ci-targets.json", "prod-roots/2.root.json"] {
        let whole = std::fs::read(out.join(name)).expect("read");
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        std::fs::write(out.join(name), &changed).expect("written");
        assert!(take(&out).err().expect("changed").to_string().contains("SHA-256 differs"), "{name}");
        std::fs::write(out.join(name), &whole[1..]).expect("written");
        assert!(take(&out).err().expect("cut").to_string().contains("bytes, the manifest says"), "{name}");
        std::fs::remove_file(out.join(name)).expect("removed");
        assert!(take(&out).err().expect("missing").to_string().contains("it is missing"), "{name}");
        std::fs::write(out.join(name), &whole).expect("restored");
    }
    std::fs::write(out.join("extra"), "x").expect("written");
    assert!(take(&out).err().expect("extra").to_string().contains("does not list it"));
    std::fs::remove_file(out.join("extra")).expect("removed");
    std::os::unix::fs::symlink("/etc/passwd", out.join("link")).expect("linked");
    assert!(take(&out).err().expect("link").to_string().contains("never read"));
}

#[test]
fn a_manifest_with_an_unknown_member_format_or_path_is_refused() {
    let good = "{\"created\":\"2026-11-23T10:00:00Z\",\"factory\":\"f\",\"files\":{},\"format\":\"countersign/request/1\",\
                \"kind\":\"wave\",\"tag\":\"t\",\"tool\":\"x\",\"version\":1,\"wave\":\"w\"}";
    let said = |from: &str, to: &str| {
        assert!(good.contains(from));
        super::RequestManifest::parse("request.json", good.replacen(from, to, 1).as_bytes())
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default()
    };
    assert_eq!(said("\"f\"", "\"f\""), "");
    assert!(said("request/1", "request/2").contains("is not known"));
    assert!(said("\"tag\"", "\"x\":1,\"tag\"").contains("unknown field"));
    assert!(said("\"tag\"", "\"wave\":\"v\",\"tag\"").contains("stands twice"));
    assert!(said("\"wave\",", "\"vawe\",").contains("unknown variant"));
    assert!(said("2026-11-23T10:00:00Z", "yesterday").contains("not a time"));
    for path in ["../x", "/etc/passwd", "a/../b", ".hidden", "request.json", "a//b", "a\\\\b", "a/b/c/d"] {
        let files = format!("{{\"{path}\":{{\"length\":1,\"sha256\":\"{}\"}}}}", "0".repeat(64));
        assert!(said("{}", &files).contains("not a plain path"), "{path}");
    }
}

#[test]
fn a_wave_as_the_service_returns_it_and_bare_targets_are_taken_in() {
    let take = |path: &Path| {
        take_in(&RealDisk, path, 1 << 20, &BareFacts::default(), time("2026-11-23T10:00:00Z"))
            .map(|r| r.manifest)
    };
    let wave = take(&step("acme/5-two-officers/wave.json")).expect("taken in");
    assert_eq!(
        (wave.kind, wave.wave.as_str(), wave.version),
        (super::RequestKind::WaveSignature, "v3.0", 45)
    );
    let created = take(&step("acme/5-two-officers/wave-create.json")).expect("taken in");
    assert_eq!((created.kind, created.tag.as_str()), (super::RequestKind::Wave, "production"));
    for wrong in [
        "acme/5-two-officers/waves.json",
        "acme/targets.keys.tgz",
        "acme/1-populate/targets-12.json",
        "acme/absent",
    ] {
        assert!(take(&step(wrong)).is_err(), "{wrong}");
    }
}
