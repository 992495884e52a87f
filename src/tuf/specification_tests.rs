//! The specification's dialect against what python-tuf and tough wrote (`tests/interop/make_fixtures.sh`).

use super::paths::Paths;
use super::signature::{Worth, assess, count, require_threshold};
use super::*;
use crate::json::{Document, Limits};
use std::path::PathBuf;

const MADE_BY: [&str; 4] = ["python-1", "python-2", "tough-1", "tough-2"];

fn fixture(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/fixtures").join(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn text(path: &str) -> String {
    String::from_utf8(fixture(path)).expect("text")
}

fn document(name: &'static str, text: impl Into<Vec<u8>>) -> Document<'static> {
    Document::parse(name, text.into(), Limits::DEFAULT).unwrap_or_else(|e| panic!("{e}"))
}

fn root(path: &str) -> Root {
    Root::parse("root.json", &fixture(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn chain(folder: &str) -> Chain {
    Chain::verify((1..=2).map(|n| root(&format!("{folder}/roots/{n}.root.json"))).collect())
        .expect("the chain holds")
}

fn said<T>(result: Result<T, TufError>) -> String {
    result.err().map(|e| e.to_string()).unwrap_or_default()
}

/// A root of a fixture with a piece replaced.
fn bent(from: &str, to: &str) -> String {
    let text = text("python-2/roots/1.root.json");
    assert!(text.contains(from), "{from}");
    said(
        Root::parse("1.root.json", text.replacen(from, to, 1).as_bytes())
            .and_then(|root| root.require_reachable_thresholds()),
    )
}

#[test]
fn root_chains_by_python_tuf_and_tough_verify_with_keys_of_every_type() {
    for folder in MADE_BY {
        let chain = chain(folder);
        let newest = chain.newest();
        assert_eq!((newest.dialect, newest.version), (Dialect::Specification, 2));
        let types: std::collections::BTreeSet<_> = newest.keys.values().map(PublicKey::keytype).collect();
        assert_eq!(types.into_iter().collect::<Vec<_>>(), ["ECDSA", "ED25519", "RSA"], "{folder}");
        assert_eq!(newest.consistent_snapshot, folder.starts_with("python"));
        newest.require_reachable_thresholds().expect("reachable");
    }
    assert!(
        text("python-1/roots/1.root.json").contains("\"keytype\":\"ecdsa-sha2-nistp256\""),
        "the old key type"
    );
}

#[test]
fn targets_by_python_tuf_and_tough_verify_and_a_changed_byte_does_not() {
    for folder in MADE_BY {
        let needed = if folder.ends_with('1') { 1 } else { 2 };
        let chain = chain(folder);
        let text = text(&format!("{folder}/targets.json"));
        let valid = |text: &str| {
            let document = document("targets.json", text.as_bytes());
            let metadata = Metadata::read(document.root(), Dialect::Specification, "targets").expect("read");
            let message = metadata.message().expect("a message");
            let holds =
                require_threshold("t", metadata.signatures.clone(), &message, chain.newest(), "targets")
                    .is_ok();
            (count(&assess(metadata.signatures, &message, chain.newest(), "targets")), holds)
        };
        assert_eq!(valid(&text), (needed, true), "{folder}");
        let changed = text.replacen("app.tar", "app.tbr", 1);
        assert_eq!(valid(&changed), (0, false), "{folder}");
    }
}

#[test]
fn delegated_roles_are_found_in_verified_targets_only() {
    for folder in MADE_BY {
        let chain = chain(folder);
        let text = text(&format!("{folder}/targets.json"));
        let found = chain
            .newest()
            .delegated(&document("targets.json", text.as_bytes()), "firmware")
            .expect("delegated");
        assert_eq!(
            found.delegation.paths,
            Paths::Patterns(vec!["firmware/*".to_owned(), "*.bin".to_owned()])
        );
        assert_eq!((found.delegation.terminating, found.version), (true, 3));
        let firmware = document("firmware.json", fixture(&format!("{folder}/firmware.json")));
        let metadata = Metadata::read(firmware.root(), Dialect::Specification, "targets").expect("read");
        let message = metadata.message().expect("a message");
        let by_role = |role| count(&assess(metadata.signatures.clone(), &message, &found.root, role));
        assert_eq!((by_role("firmware"), by_role("targets")), (1, 0), "{folder}");
        let unknown = said(chain.newest().delegated(&document("targets.json", text.as_bytes()), "apps"));
        assert!(
            unknown.contains("does not delegate to a role \"apps\"; it delegates to \"firmware\""),
            "{unknown}"
        );
        let changed = text.replacen("firmware/*", "firmware/?", 1);
        let forged = said(chain.newest().delegated(&document("targets.json", changed), "firmware"));
        assert!(forged.contains("0 of the"), "{forged}");
    }
}

#[test]
fn a_delegated_key_under_the_id_of_another_key_of_the_root_is_refused() {
    let chain = chain("python-1");
    let document = document("targets.json", fixture("python-1/targets.json"));
    let found = chain.newest().delegated(&document, "firmware").expect("delegated");
    let keyid = &found.delegation.role.keyids[0];
    let mut root = chain.newest().clone();
    root.keys.insert(keyid.clone(), found.root.keys[keyid].clone());
    assert_eq!(said(root.delegated(&document, "firmware")), "", "the same key");
    let other = root.key_in_role("root", &root.keyids("root")[0]).expect("a key").clone();
    root.keys.insert(keyid.clone(), other);
    let why = said(root.delegated(&document, "firmware"));
    assert!(why.contains("stands for another key in root version"), "{why}");
}

#[test]
fn the_authority_over_targets_is_the_root_and_over_another_role_who_delegates_to_it() {
    let chain = chain("python-1");
    let document = document("targets.json", fixture("python-1/targets.json"));
    for delegating in [None, Some(&document)] {
        let own = Authority::of(chain.newest(), "targets", delegating).expect("the root's own");
        assert!(own.delegated.is_none());
    }
    let found = Authority::of(chain.newest(), "firmware", Some(&document)).expect("delegated");
    assert_eq!(found.root().threshold("firmware"), 1);
    let alone = said(Authority::of(chain.newest(), "firmware", None));
    assert!(alone.contains("that delegates to this role is missing"), "{alone}");
}

#[test]
fn delegations_that_no_client_could_use_are_refused_with_the_place() {
    let text = text("python-1/targets.json");
    let said = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let document = document("targets.json", text.replacen(from, to, 1));
        let metadata = Metadata::read(document.root(), Dialect::Specification, "targets").expect("read");
        said(Delegations::read(&metadata))
    };
    assert!(said("\"threshold\":1", "\"threshold\":2").contains("a threshold of 2 with 1 keys"));
    assert!(said("\"threshold\":1", "\"threshold\":0").contains("a threshold of 0"));
    assert!(said("\"name\":\"firmware\"", "\"name\":\"root\"").contains("cannot have this name"));
    assert!(said("\"paths\":", "\"path\":").contains("one of paths and path_hash_prefixes"));
    assert!(said("\"terminating\":true", "\"terminating\":1").contains("true or false"));
    let keyids = text.split("\"keyids\":[\"").nth(1).and_then(|rest| rest.get(..64)).expect("a key id");
    let unlisted = said(&format!("\"keyids\":[\"{keyids}\"]"), "\"keyids\":[\"00\"]");
    assert!(
        unlisted.contains("signed.delegations.roles[0].keyids[0]")
            && unlisted.contains("no key with this id")
    );
}

#[test]
fn hash_bins_are_read_as_one_role_of_many() {
    let mut json: serde_json::Value =
        serde_json::from_slice(&fixture("python-1/targets.json")).expect("JSON");
    let delegations = json["signed"]["delegations"].as_object_mut().expect("delegations");
    let roles = delegations.remove("roles").expect("roles");
    delegations.insert(
        "succinct_roles".to_owned(),
        serde_json::json!({"bit_length": 8, "keyids": roles[0]["keyids"], "name_prefix": "bin", "threshold": 1}),
    );
    let document = document("targets.json", json.to_string());
    let metadata = Metadata::read(document.root(), Dialect::Specification, "targets").expect("read");
    let read = Delegations::read(&metadata).expect("delegations");
    assert_eq!(read.roles[0].name, "bin-*");
    assert!(read.roles[0].described().contains("all paths, by the first 8 bits"));
}

#[test]
fn a_root_that_is_neither_one_nor_the_other_is_refused_with_the_reason() {
    assert_eq!(bent("\"version\":1", "\"version\":1"), "");
    assert!(bent("\"spec_version\":\"1.", "\"spec_version\":\"2.").contains("this tool reads 1.x"));
    assert!(bent("\"spec_version\":\"1.", "\"spec_version\":\"10.").contains("this tool reads 1.x"));
    assert!(bent(",\"scheme\":\"ed25519\"", "").contains("have no scheme"));
    assert!(bent("\"threshold\":2", "\"threshold\":4").contains("a threshold of 4 with 3 keys"));
    let spec_version = text("python-2/roots/1.root.json");
    let at = spec_version.find("\"spec_version\"").expect("a spec_version");
    let end = spec_version[at..].find(',').expect("a comma") + at + 1;
    let without = format!("{}{}", &spec_version[..at], &spec_version[end..]);
    assert!(said(Root::parse("1.root.json", without.as_bytes())).contains("the dialect cannot be told"));
}

#[test]
fn metadata_of_the_other_dialect_is_refused_and_says_so() {
    let factory = std::fs::read(
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/fioctl/acme/1-populate/ci-targets.json"),
    );
    let factory = document("targets.json", factory.expect("a fixture"));
    let words = said(Metadata::read(factory.root(), Dialect::Specification, "targets"));
    assert!(
        words.contains("this is a Factory's metadata, and the root that is trusted here is a repository's"),
        "{words}"
    );
    let repository = document("targets.json", fixture("python-1/targets.json"));
    let words = said(Metadata::read(repository.root(), Dialect::Factory, "targets"));
    assert!(words.contains("this is a repository's (TUF specification) metadata"), "{words}");
}

#[test]
fn signatures_that_are_not_hex_or_stand_for_a_later_one_do_not_count() {
    let chain = chain("python-2");
    let text = text("python-2/targets.json");
    let worths = |from: &str, to: &str| -> Vec<Worth> {
        assert!(text.contains(from), "{from}");
        let document = document("targets.json", text.replacen(from, to, 1));
        let metadata = Metadata::read(document.root(), Dialect::Specification, "targets").expect("read");
        let message = metadata.message().expect("a message");
        assess(metadata.signatures, &message, chain.newest(), "targets")
            .into_iter()
            .map(|one| one.worth)
            .collect()
    };
    let start = text.find("\"sig\":\"").expect("a signature") + 7;
    let sig = text[start..start + 128].to_owned();
    assert_eq!(worths(&sig, &sig), [Worth::Counts, Worth::Counts]);
    assert_eq!(worths(&sig, "no+hex=="), [Worth::Invalid("the signature is not hex"), Worth::Counts]);
    assert_eq!(
        worths(&sig, ""),
        [Worth::Counts],
        "tuf-on-ci writes an empty text for one that is not made yet"
    );
    let keyid =
        text[..start].rsplit("\"keyid\":\"").next().and_then(|rest| rest.get(..64)).expect("a key id");
    assert_eq!(worths(keyid, "00"), [Worth::Unknown, Worth::Counts]);
}

/// The same key written otherwise: digits in capitals, PEM in one line.
fn otherwise(public: &str) -> String {
    match public.strip_prefix("-----BEGIN PUBLIC KEY-----").and_then(|rest| rest.split_once("-----END")) {
        Some((body, _)) => {
            let body: String = body.split_whitespace().collect();
            format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
        }
        None => public.to_uppercase(),
    }
}

#[test]
fn one_key_under_two_ids_counts_once_however_it_is_written() {
    let whole: serde_json::Value =
        serde_json::from_slice(&fixture("python-1/roots/1.root.json")).expect("JSON");
    let made = document("targets.json", fixture("python-1/targets.json"));
    let metadata = Metadata::read(made.root(), Dialect::Specification, "targets").expect("read");
    for signature in &metadata.signatures {
        for written in [|public: &str| public.to_owned(), otherwise] {
            let mut json = whole.clone();
            let keyids = json["signed"]["roles"]["targets"]["keyids"].as_array_mut().expect("ids");
            keyids.push("alias".into());
            let mut alias = json["signed"]["keys"][signature.keyid.as_str()].clone();
            alias["keyval"]["public"] = written(alias["keyval"]["public"].as_str().expect("a value")).into();
            json["signed"]["keys"]["alias"] = alias;
            let root = Root::parse("root.json", json.to_string().as_bytes()).expect("a root");
            assert_eq!(root.keyids("targets").len(), 4);
            assert_eq!(root.roles["targets"].distinct_keys(&root.keys), 3);
            let twice =
                vec![signature.clone(), Signature { keyid: KeyId::new("alias"), ..signature.clone() }];
            let worths = assess(twice, &metadata.message().expect("m"), &root, "targets");
            let worths: Vec<Worth> = worths.into_iter().map(|one| one.worth).collect();
            assert_eq!(worths, [Worth::Counts, Worth::Duplicate], "{:?}", root.keys[&signature.keyid]);
        }
    }
}

#[test]
fn a_point_in_its_short_form_never_counts_because_it_would_be_the_same_key_twice() {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let mut json: serde_json::Value =
        serde_json::from_slice(&fixture("python-1/roots/1.root.json")).expect("JSON");
    let keys = json["signed"]["keys"].as_object_mut().expect("keys");
    let key =
        keys.values_mut().find(|key| key["keytype"].as_str().is_some_and(|kind| kind.starts_with("ecdsa")));
    let public = &mut key.expect("an ECDSA key")["keyval"]["public"];
    let body: String = public.as_str().expect("PEM").lines().filter(|line| !line.starts_with('-')).collect();
    let long = base64.decode(body).expect("base64");
    // RFC 5480, section 2.2: 2 or 3 by the last bit of y, and x.
    let short =
        [&[0x30, 0x39], &long[2..23], &[0x03, 0x22, 0x00, 2 | (long[90] & 1)], &long[27..59]].concat();
    let short = base64.encode(short);
    *public = format!("-----BEGIN PUBLIC KEY-----\n{short}\n-----END PUBLIC KEY-----\n").into();
    let root = Root::parse("root.json", json.to_string().as_bytes()).expect("a root");
    let said: Vec<&str> = root.keys.values().filter_map(PublicKey::unusable_because).collect();
    assert!(matches!(said[..], [why] if why.contains("not written uncompressed")), "{said:?}");
}

#[test]
fn text_that_normalisation_would_change_has_no_canonical_form() {
    let message = |json: &str| {
        let document = document("t.json", json);
        said(Message::of(document.root(), Dialect::Specification).map(|message| message.bytes().to_vec()))
    };
    // e and a combining acute accent; as an escape, in a key, in a list.
    for json in [r#"{"a":"e\u0301"}"#, r#"{"e\u0301":1}"#, r#"{"a":[["e\u0301"]]}"#, "{\"a\":\"e\u{301}\"}"] {
        assert!(message(json).contains("normalisation form C"), "{json}");
    }
    // tuf-js sorts by UTF-16 code units, other tools by code points.
    assert!(message(r#"{"\uff00":1,"\ud83d\ude00":2}"#).contains("sorted"));
    for json in [r#"{"a":1.5}"#, r#"{"a":1e3}"#, r#"{"a":18446744073709551616}"#] {
        assert!(message(json).contains("whole numbers"), "{json}");
    }
    assert_eq!(message(r#"{"a":"\u00e9\n","b":-1}"#), "");
    let flawed = document("t.json", r#"{"a":1.5}"#);
    let any = Message::of_any(flawed.root(), Dialect::Specification);
    assert!(any.flaw().is_some_and(|flaw| flaw.contains("whole numbers")));
}

#[test]
fn the_canonical_form_leaves_line_feeds_raw_and_sorts_by_code_point() {
    let document =
        document("t.json", "{\"b\":\"x\\ny\\u00e9\\\"\\\\\",\"a\":[1,true,null],\"\\ud83d\\ude00\":2}");
    let message = Message::of(document.root(), Dialect::Specification).expect("a message");
    assert_eq!(
        String::from_utf8_lossy(message.bytes()),
        "{\"a\":[1,true,null],\"b\":\"x\ny\u{e9}\\\"\\\\\",\"\u{1f600}\":2}"
    );
}

#[test]
fn private_keys_of_openssl_python_and_tough_are_taken_for_the_role_that_lists_them() {
    for folder in MADE_BY {
        let chain = chain(folder);
        let ending = if folder.starts_with("python") { "pem" } else { "der" };
        let take = |file: &str, role: &str, root: &Root| {
            let name = format!("{folder}/keys/{file}");
            Dialect::Specification.active_key(file, &fixture(&name), root, role, None)
        };
        for file in [format!("ed25519.{ending}"), "rsa.pem".to_owned()] {
            let active =
                take(&file, "targets", chain.newest()).unwrap_or_else(|e| panic!("{folder} {file}: {e}"));
            let again = PrivateKey::parse("sealed", &active.secret).expect("what is sealed reads");
            let signature = again.sign(&active.keyid, b"message").expect("signed");
            assert!(active.public.verify(b"message", &signature));
        }
        let words = said(take(&format!("ecdsa.{ending}"), "targets", chain.newest()));
        assert!(words.contains("ECDSA key, which is verified here and never signs"), "{words}");
        let words = said(take(&format!("firmware.{ending}"), "targets", chain.newest()));
        assert!(words.contains("its key is not one of the role \"targets\""), "{words}");
        let found =
            chain.newest().delegated(&document("t", fixture(&format!("{folder}/targets.json"))), "firmware");
        let found = found.expect("delegated");
        assert_eq!(
            take(&format!("firmware.{ending}"), "firmware", &found.root).expect("a key").keyid,
            found.delegation.role.keyids[0]
        );
    }
}

#[test]
fn a_file_that_is_no_private_key_says_why_and_shows_nothing_of_it() {
    let chain = chain("python-1");
    let whole = fixture("python-1/keys/ed25519.pem");
    let take =
        |bytes: &[u8]| said(Dialect::Specification.active_key("k", bytes, chain.newest(), "targets", None));
    assert!(take(b"").contains("not a private key"));
    assert!(take(&whole[..whole.len() - 30]).contains("not one private key in PEM"));
    assert!(take(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n").contains("openssl pkey"));
    let der = fixture("tough-1/keys/ed25519.der");
    for cut in 0..der.len() {
        assert_ne!(take(&der[..cut]), "", "{cut}");
    }
    let words = take(&fixture("tough-1/keys/ed25519.der"));
    assert!(!words.contains(&hex::encode(&der[16..])), "an error must not hold the secret");
}
