//! The dialects against what the real fioctl wrote.

use super::root::is_root_file;
use super::signature::{Worth, assess, count, problems, require_threshold};
use super::*;
use crate::json::{Document, Limits};
use std::path::PathBuf;

fn fixture(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fioctl").join(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn document(path: &str) -> Document<'static> {
    Document::parse(path.to_owned(), fixture(path), Limits::DEFAULT).expect("a fixture reads")
}

fn chain(factory: &str, folder: &str, versions: std::ops::RangeInclusive<u64>) -> Chain {
    let root =
        |n| Root::parse(&format!("{n}.root.json"), &fixture(&format!("{factory}/{folder}/{n}.root.json")));
    Chain::verify(versions.map(|n| root(n).expect("a root reads")).collect()).expect("the chain holds")
}

fn online(factory: &str) -> KeyId {
    keyfile::public_key("ci-targets.pub", &fixture(&format!("{factory}/1-populate/ci-targets.pub")))
        .expect("a key")
        .factory_keyid()
}

#[test]
fn root_chains_of_ed25519_and_of_rsa_keys_with_pem_newlines_verify() {
    for factory in ["acme", "rsa", "odd"] {
        let production = chain(factory, "5-two-officers/prod-roots", 1..=4);
        assert_eq!((production.newest().version, production.newest().threshold("targets")), (4, 3));
        assert_eq!(chain(factory, "5-two-officers/ci-roots", 1..=4).newest().threshold("targets"), 1);
        assert_eq!(production.newest().dialect, Dialect::Factory);
        assert!(production.newest().keyids("targets").contains(&online(factory)));
    }
}

#[test]
fn a_root_chain_with_a_gap_or_a_fork_is_refused() {
    let root = |factory: &str, n: u64| {
        Root::parse("r", &fixture(&format!("{factory}/5-two-officers/prod-roots/{n}.root.json")))
            .expect("a root")
    };
    let gap = Chain::verify(vec![root("acme", 1), root("acme", 3)]).expect_err("a gap").to_string();
    assert!(gap.contains("the versions between are missing"), "{gap}");
    let mut acme = chain("acme", "5-two-officers/prod-roots", 1..=3);
    let fork = acme.extend(root("odd", 3)).expect_err("another Factory's").to_string();
    assert!(fork.contains("of another Factory"), "{fork}");
    let foreign = acme.extend(root("odd", 4)).expect_err("another Factory's").to_string();
    assert!(foreign.contains("0 of the 1 needed signatures"), "{foreign}");
}

#[test]
fn fioctls_signatures_verify_over_our_canonical_form() {
    for factory in ["acme", "rsa"] {
        for (step, file, needed) in [
            ("1-populate", "wave.json", 2),
            ("2-update", "wave.json", 2),
            ("5-two-officers", "wave-signed.json", 3),
        ] {
            let newest = if needed == 3 { 4 } else { 3 };
            let root = chain(factory, &format!("{step}/prod-roots"), 1..=newest);
            let wave = document(&format!("{factory}/{step}/{file}"));
            let targets =
                Targets::read(wave.root().get("targets").expect("targets"), Dialect::Factory).expect("read");
            let message = targets.metadata.message().expect("a message");
            let signatures = targets.metadata.signatures.clone();
            let assessed = assess(signatures, &message, root.newest(), "targets");
            assert_eq!(count(&assessed), needed, "{factory} {step}");
        }
        let root = chain(factory, "1-populate/prod-roots", 1..=3);
        let ci = document(&format!("{factory}/1-populate/ci-targets.json"));
        let metadata = Metadata::read(ci.root(), Dialect::Factory, "targets").expect("read");
        let assessed =
            assess(metadata.signatures.clone(), &metadata.message().expect("m"), root.newest(), "targets");
        assert_eq!(assessed.len(), 1);
        assert_eq!(
            (assessed[0].signature.keyid.clone(), assessed[0].worth.clone()),
            (online(factory), Worth::Counts)
        );
    }
}

#[test]
fn our_ed25519_signature_is_fioctls_byte_for_byte() {
    let root = chain("acme", "5-two-officers/prod-roots", 1..=4);
    for (keys, step, file) in [
        ("targets.keys.tgz", "1-populate", "wave-create.json"),
        ("targets.keys.tgz", "4-after-cancel", "wave-create.json"),
        ("officer2.keys.tgz", "5-two-officers", "wave-sign.json"),
    ] {
        let active = archive::active_key(
            keys,
            &fixture(&format!("acme/{keys}")),
            root.newest(),
            Some(&online("acme")),
        );
        let active = active.expect("a key");
        let wave = document(&format!("acme/{step}/wave-create.json"));
        let signed = wave.root().get("targets").and_then(|t| t.get("signed")).expect("signed");
        let message = Message::of(signed, Dialect::Factory).expect("a message");
        let signature = active.private.sign(&active.keyid, message.bytes()).expect("signed");
        let posted = document(&format!("acme/{step}/{file}"));
        let list =
            posted.root().get("targets").unwrap_or(posted.root()).get("signatures").expect("signatures");
        let theirs = list.items().next().expect("one");
        assert_eq!(
            Dialect::Factory.signature_json(&active.keyid, &active.public, &signature).as_bytes(),
            theirs.span(),
            "{step}"
        );
    }
}

#[test]
fn rsa_signs_with_pss_and_the_result_verifies() {
    let root = chain("rsa", "1-populate/prod-roots", 1..=3);
    let active =
        archive::active_key("k", &fixture("rsa/targets.keys.tgz"), root.newest(), Some(&online("rsa")));
    let active = active.expect("a key");
    let one = active.private.sign(&active.keyid, b"message").expect("signed");
    let two = active.private.sign(&active.keyid, b"message").expect("signed");
    assert_ne!(one, two, "the salt is random");
    assert!(active.public.verify(b"message", &one) && active.public.verify(b"message", &two));
    assert!(!active.public.verify(b"massage", &one));
}

#[test]
fn a_key_file_without_an_active_key_says_why() {
    let root = chain("acme", "1-populate/prod-roots", 1..=3);
    let said = |file: &str, online: &KeyId| {
        archive::active_key("k.tgz", &fixture(file), root.newest(), Some(online))
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default()
    };
    let own = online("acme");
    assert!(
        said("acme/officer2.keys.tgz", &own)
            .contains("none of its keys is a targets key of the pinned root (version 3)")
    );
    assert!(said("acme/root.keys.tgz", &own).contains("none of its keys"));
    assert!(
        said("acme/1-populate/waves.json", &own).contains("not a whole gzip'd tar archive")
            || said("acme/1-populate/waves.json", &own).contains("not a gzip")
    );
    let offline = KeyId::new("16abcfd03a9738270b98c19dd74757527f676b743ff6ec136ef04c6efcd41a67");
    assert!(said("acme/targets.keys.tgz", &offline).contains("the service's online targets key"));
}

#[test]
fn ed25519_private_values_of_32_and_of_64_bytes_are_read() {
    let seed = "4fa54fedc124a0d8f33bba53c3ba160b6a114feee569053353d3c07ffba72959";
    let public = "844421fc1347fc5d2c1d979c04ff11315620985bc8db25624d3681d336bfd860";
    let parse = |private: &str| {
        PrivateKey::parse(
            "k",
            format!("{{\"keytype\":\"ed25519\",\"keyval\":{{\"private\":\"{private}\"}}}}").as_bytes(),
        )
    };
    assert_eq!(parse(seed).expect("a seed").public().text(), public);
    assert_eq!(parse(&format!("{seed}{public}")).expect("a pair").public().text(), public);
    for (wrong, why) in
        [(format!("{seed}{seed}"), "second half"), (format!("{seed}00"), "32 or 64"), ("zz".into(), "hex")]
    {
        let said = parse(&wrong).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(said.contains(why), "{said}");
        assert!(!said.contains(seed), "an error must not hold the secret");
    }
}

#[test]
fn a_signature_that_stands_twice_or_is_unknown_does_not_count() {
    let root = chain("acme", "1-populate/prod-roots", 1..=3);
    let wave = document("acme/1-populate/wave.json");
    let metadata =
        Metadata::read(wave.root().get("targets").expect("t"), Dialect::Factory, "targets").expect("read");
    let message = metadata.message().expect("m");
    let own = metadata.signatures.clone();
    let worths = |list: Vec<Signature>| -> Vec<Worth> {
        assess(list, &message, root.newest(), "targets").into_iter().map(|one| one.worth).collect()
    };
    assert_eq!(worths(vec![own[0].clone(), own[0].clone()]), [Worth::Counts, Worth::Duplicate]);
    let mut unknown = own[1].clone();
    unknown.keyid = KeyId::new("00");
    assert_eq!(worths(vec![unknown.clone()]), [Worth::Unknown]);
    let mut odd = own[1].clone();
    odd.method = Some("ecdsa".to_owned());
    assert_eq!(worths(vec![odd]), [Worth::UnsupportedMethod]);
    let mut flipped = own[1].clone();
    flipped.value = own[0].value.clone();
    assert!(matches!(worths(vec![flipped])[0], Worth::Invalid(_)));
    let said =
        require_threshold("wave.json", vec![own[0].clone(), unknown], &message, root.newest(), "targets")
            .expect_err("one of two")
            .to_string();
    assert!(said.contains("1 of the 2 needed signatures"), "{said}");
}

#[test]
fn thresholds_above_the_number_of_keys_and_wrong_key_ids_are_refused() {
    let text = String::from_utf8(fixture("acme/1-populate/prod-roots/3.root.json")).expect("text");
    let said = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Root::parse("3.root.json", text.replacen(from, to, 1).as_bytes())
            .and_then(|root| root.require_reachable_thresholds())
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default()
    };
    assert!(said("\"threshold\": 2", "\"threshold\": 3").contains("a threshold of 3 with 2 keys"));
    assert!(said("\"threshold\": 2", "\"threshold\": 0").contains("a threshold of 0"));
    assert!(
        said("844421fc", "844421fd").contains("its id should be")
            || said("844421fc", "844421fd").contains("not a point")
    );
    assert!(said("\"Root\"", "\"Targets\"").contains("\"root\" is needed here"));
    assert!(
        said("\"keytype\": \"ED25519\"", "\"keytype\": \"DSA\"")
            .contains("the key type \"DSA\" is not known")
    );
    assert!(said("\"_type\"", "\"spec_version\": \"1.0\", \"_type\"").contains("have no scheme"));
    assert!(
        said("\"_type\"", "\"spec_version\": \"2.0\", \"_type\"").contains("specification version \"2.0\"")
    );
    assert!(
        said("\"keytype\": \"ED25519\"", "\"keytype\": \"ed25519\", \"scheme\": \"ed25519\"")
            .contains("the dialect cannot be told")
    );
}

#[test]
fn keys_that_tools_sort_in_two_ways_have_no_canonical_form_in_the_specification() {
    let canonical = |text: &str| {
        let document = Document::parse("t", text.as_bytes(), Limits::DEFAULT).expect("JSON");
        let mut out = Vec::new();
        Dialect::Specification
            .write_canonical(document.root(), &mut |piece| out.extend_from_slice(piece))
            .map(|()| out)
    };
    for refused in [r#"{"a":1,"a b":2}"#, r#"{"":1," ":2}"#, r#"{"\"":1,"0":2}"#, r#"{"x":[{"a!":1,"a":2}]}"#]
    {
        let error = canonical(refused).expect_err("refused").to_string();
        assert!(error.contains("sorted"), "{error}");
    }
    assert_eq!(canonical(r#"{"b c":1,"a":2}"#).expect("written"), br#"{"a":2,"b c":1}"#);
}

#[test]
fn the_root_of_ci_is_not_taken_for_productions() {
    for (folder, versions) in [("5-two-officers/prod-roots", 1..=4), ("1-populate/prod-roots", 1..=3)] {
        assert!(chain("acme", folder, versions).newest().require_production().is_ok(), "{folder}");
    }
    let ci = chain("acme", "5-two-officers/ci-roots", 1..=4).newest().require_production();
    assert!(matches!(ci, Err(TufError::CiRoot { root: 4 })));
}

#[test]
fn a_roots_file_is_named_after_its_version() {
    for name in ["1.root.json", "999999999.root.json"] {
        assert!(is_root_file(name), "{name}");
    }
    for name in ["root.json", ".root.json", "x1.root.json", "1234567890.root.json", "1.root.json.old"] {
        assert!(!is_root_file(name), "{name}");
    }
    let bytes = fixture("acme/5-two-officers/prod-roots/4.root.json");
    for name in ["prod-roots/4.root.json", "the-root.json"] {
        assert_eq!(Root::of_file(name, &bytes).map(|root| root.version).ok(), Some(4), "{name}");
    }
    let said = Root::of_file("prod-roots/3.root.json", &bytes).expect_err("another's name").to_string();
    assert!(said.contains("holds version 4"), "{said}");
}

#[test]
fn who_owns_a_key_and_why_a_root_was_made_is_read_from_it() {
    let chain = chain("acme", "5-two-officers/prod-roots", 1..=4);
    let root = chain.newest();
    let owned = root.keyids("targets").iter().filter(|keyid| **keyid != online("acme"));
    let owners: Vec<_> = owned.filter_map(|keyid| root.owner(keyid)).collect();
    assert_eq!(owners.len(), 2);
    assert!(owners.iter().all(|owner| owner.polis_id == "u1" && owner.created_at.starts_with("2026-11-23T")));
    assert_eq!(root.owner(&online("acme")), None);
    assert_eq!(root.change.as_deref(), Some("second targets key"));
}

#[test]
fn each_signature_that_does_not_count_is_told_with_its_key_and_the_reason() {
    let root = chain("acme", "1-populate/prod-roots", 1..=3);
    let wave = document("acme/1-populate/wave.json");
    let metadata =
        Metadata::read(wave.root().get("targets").expect("t"), Dialect::Factory, "targets").expect("read");
    let message = metadata.message().expect("m");
    let [one, other] = &metadata.signatures[..] else { panic!("two signatures") };
    let unknown = Signature { keyid: KeyId::new("00"), ..other.clone() };
    let without = Signature { method: None, ..other.clone() };
    let list = vec![one.clone(), one.clone(), unknown, without];
    let told = problems(&assess(list, &message, root.newest(), "targets"));
    let expected = [
        format!("key {}: stands twice", one.keyid.short()),
        "key 00: is not listed for this role".to_owned(),
        format!("key {}: names no method that devices know", other.keyid.short()),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_signatures_strange_members_are_named_and_not_passed_on() {
    let text = r#"[{"keyid":"00","method":"ed25519","note":1,"sig":"AAAA"}]"#;
    let list = Document::parse("signatures", text.as_bytes(), Limits::DEFAULT).expect("JSON");
    let read = Signature::parse_list(list.root(), Dialect::Factory).expect("signatures");
    assert_eq!(read[0].strange_members, ["note"]);
    assert_eq!(read[0].json, r#"{"keyid":"00","method":"ed25519","sig":"AAAA"}"#);
}
