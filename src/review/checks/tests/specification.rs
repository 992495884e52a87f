//! A repository of the TUF specification: a Factory's own rules are not asked of it, everything else is.

use super::*;
use crate::bundle::RequestKind;
use crate::json::{Document, Limits};
use crate::review::situation::Carried;
use crate::review::testing::envelope;
use crate::tuf::{Chain, Dialect, KeyId, Message, PrivateKey, Root};
use serde_json::{Value as Json, json};

fn private(seed: u8) -> PrivateKey {
    let text = json!({"keytype": "ed25519", "keyval": {"private": hex::encode([seed; 32])}}).to_string();
    PrivateKey::parse("key", text.as_bytes()).expect("a key")
}

/// An envelope signed by the keys `k1`, `k2` … of these seeds.
fn sign(name: &'static str, signed: &Json, seeds: &[u8]) -> Document<'static> {
    let bytes = signed.to_string();
    let document = Document::parse(name, bytes.as_bytes(), Limits::DEFAULT).expect("JSON");
    let message = Message::of(document.root(), Dialect::Specification).expect("a message");
    let signature = |seed: &u8| {
        let (key, keyid) = (private(*seed), KeyId::new(format!("k{seed}")));
        let signature = key.sign(&keyid, message.bytes()).expect("signed");
        Dialect::Specification.signature_json(&keyid, key.public(), &signature)
    };
    let signatures: Vec<String> = seeds.iter().map(signature).collect();
    envelope(name, bytes.as_bytes(), format!("[{}]", signatures.join(",")).as_bytes())
}

fn root() -> Root {
    let key = |seed: u8| json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": private(seed).public().text()}});
    let role = |keyids: &[&str]| json!({"keyids": keyids, "threshold": keyids.len()});
    let signed = json!({
        "_type": "root", "spec_version": "1.0.31", "version": 1, "expires": "2030-01-01T00:00:00Z",
        "consistent_snapshot": false, "keys": {"k1": key(1), "k2": key(2)},
        "roles": {"root": role(&["k1"]), "targets": role(&["k1", "k2"]), "snapshot": role(&["k2"]),
            "timestamp": role(&["k2"])},
    });
    Root::parse("1.root.json", sign("1.root.json", &signed, &[1]).bytes()).expect("a root")
}

fn targets(version: u64, hashes: &[(&str, &str)]) -> Json {
    let all: serde_json::Map<String, Json> = hashes
        .iter()
        .map(|(name, digit)| {
            ((*name).to_owned(), json!({"hashes": {"sha256": digit.repeat(64)}, "length": 5}))
        })
        .collect();
    json!({"_type": "targets", "spec_version": "1.0.31", "version": version, "expires": "2027-11-23T00:00:00Z",
        "targets": all})
}

fn fixture(proposal: &Json) -> Fixture {
    let mut fixture = Fixture::step("acme", "2");
    fixture.chain = Chain::verify(vec![root()]).expect("the chain holds");
    (fixture.acknowledged_root, fixture.request_root) = (1, None);
    fixture.online_key = KeyId::new("k2");
    fixture.own_keys = vec![KeyId::new("k1")];
    fixture.baseline = Some(sign("current.json", &targets(1, &[("a.txt", "a"), ("b.txt", "b")]), &[1, 2]));
    fixture.proposal = sign("targets.json", proposal, &[]);
    (fixture.ci, fixture.waves, fixture.carried) = (None, None, Carried::BareFile);
    fixture.manifest.version = 2;
    (fixture.manifest.kind, fixture.manifest.tag) = (RequestKind::Targets, "targets".to_owned());
    fixture.policy = with_policy("evidence = \"warn\"");
    fixture
}

#[test]
fn new_changed_and_removed_targets_are_told_and_need_no_factory_members() {
    let fixture = fixture(&targets(2, &[("b.txt", "c"), ("n\u{e9}w <1.5>.txt", "d")]));
    assert_eq!(blocking(&fixture), [""; 0]);
    says(
        &fixture,
        "untouched",
        Severity::Warn,
        "\"b.txt\" is in the repository already and differs here in \"hashes\"",
    );
    says(&fixture, "hash-changed-same-name", Severity::Warn, "keeps its name");
    says(&fixture, "pruned-as-declared", Severity::Warn, "It removes 1 target: \"a.txt\"");
    for check in
        ["composition", "tags", "name-matches", "static-delta", "canonical-portable", "hardware-coverage"]
    {
        silent(&fixture, check);
    }
}

#[test]
fn what_protects_any_repository_blocks_here_too() {
    let mut old = fixture(&targets(1, &[("a.txt", "a")]));
    old.manifest.version = 1;
    says(&old, "version-increases", Severity::Block, "the repository is at 1");
    let mut signed = targets(2, &[("a.txt", "a"), ("b.txt", "b")]);
    signed["x-notes"] = json!({});
    says(&fixture(&signed), "composition", Severity::Warn, "a member \"x-notes\"");
    signed["targets"]["a.txt"]["length"] = 9_007_199_254_740_993_u64.into();
    says(&fixture(&signed), "canonical-portable", Severity::Block, "beyond 2^53");
}

/// Version 2 with one delegated role, whose members are bent.
fn delegating(bend: impl Fn(&mut Json)) -> Json {
    let key =
        json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": private(3).public().text()}});
    let mut role =
        json!({"keyids": ["k3"], "name": "r", "paths": ["a/*"], "terminating": false, "threshold": 1});
    bend(&mut role);
    let mut signed = targets(2, &[("a.txt", "a"), ("b.txt", "b")]);
    signed["delegations"] = json!({"keys": {"k3": key}, "roles": [role]});
    signed
}

#[test]
fn what_a_role_may_provide_is_told_to_the_last_path_however_many_there_are() {
    let paths: Vec<String> = (0..500).map(|i| format!("firmware/{i}/*")).chain(["*".to_owned()]).collect();
    let finding = says(
        &fixture(&delegating(|role| role["paths"] = json!(paths))),
        "delegations",
        Severity::Warn,
        "\"r\"",
    );
    assert!(finding.message.contains("\"firmware/499/*\", \"*\""), "{}", finding.message);
    // A name that would be shown by its beginning blocks.
    let long = "p".repeat(257);
    for member in ["name", "paths", "path_hash_prefixes"] {
        let bent = delegating(|role| match member {
            "name" => role["name"] = json!(long),
            _ => {
                role.as_object_mut().expect("a role").remove("paths");
                role[member] = json!(["aa", long]);
            }
        });
        says(&fixture(&bent), "names", Severity::Block, "is longer than 256 bytes");
    }
    silent(&fixture(&delegating(|role| role["paths"] = json!(["p".repeat(256)]))), "names");
}

#[test]
fn a_path_that_leads_out_of_the_clients_folder_is_blocked() {
    for good in ["a.txt", "a/b/c.bin", "..a", "a..", "a b", "\u{e9}"] {
        silent(&fixture(&targets(2, &[(good, "a")])), "names");
    }
    for (name, why) in [
        ("../../etc/cron.d/x", "leads out of the folder"),
        ("a/../../x", "leads out of the folder"),
        ("..", "leads out of the folder"),
        ("/etc/passwd", "top of the file system"),
        ("C:/x", "top of the file system"),
        ("..\\x", "a backslash"),
        ("", "it is empty"),
        (".", "empty or a dot"),
        ("a//b", "empty or a dot"),
        ("a/", "empty or a dot"),
        ("./a", "empty or a dot"),
    ] {
        says(&fixture(&targets(2, &[(name, "a")])), "names", Severity::Block, why);
    }
    says(&fixture(&targets(2, &[(&"n".repeat(1_025), "a")])), "names", Severity::Block, "it has 1025 bytes");
}

#[test]
fn a_target_that_clients_cannot_load_is_blocked_and_a_sha_512_alone_is_a_hash() {
    let with = |member: &str, value: Json| {
        let mut signed = targets(2, &[("a.txt", "b"), ("b.txt", "b")]);
        signed["targets"]["a.txt"][member] = value;
        fixture(&signed)
    };
    silent(&with("custom", json!({})), "hash-shape");
    for custom in [json!(null), json!([]), json!("x"), json!(1)] {
        says(&with("custom", custom), "hash-shape", Severity::Block, "is no object");
    }
    silent(&with("hashes", json!({"sha512": "0".repeat(128)})), "hash-shape");
    silent(&with("hashes", json!({"sha512": "0".repeat(128), "blake2b": "x"})), "hash-shape");
    for hashes in [
        json!({}),
        json!({"sha512": "0".repeat(64)}),
        json!({"sha256": "0".repeat(64), "sha512": "x"}),
        json!({"sha256": "A".repeat(64)}),
        json!({"blake2b": "0".repeat(64)}),
        json!([]),
    ] {
        says(&with("hashes", hashes), "hash-shape", Severity::Block, "The hash of \"a.txt\" is");
    }
    says(&with("length", json!(-1)), "hash-shape", Severity::Block, "not a whole number");
    // In a Factory devices want the SHA-256.
    let mut factory = Fixture::step("acme", "2");
    factory.edit_proposal(|signed| {
        signed["targets"]["intel-corei7-64-lmp-42"]["hashes"] = json!({"sha512": "0".repeat(128)});
    });
    says(&factory, "hash-shape", Severity::Block, "is missing");
}
