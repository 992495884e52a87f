//! Repositories as real clients read them: what they load is not refused here, and what they cannot load is.

use super::paths::Paths;
use super::*;
use crate::json::{Document, Limits};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

const REPOSITORY: Dialect = Dialect::Specification;

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn json_file(path: &str) -> Json {
    serde_json::from_str(&file(path)).expect("JSON")
}

fn said<T>(result: Result<T, TufError>) -> String {
    result.err().map(|e| e.to_string()).unwrap_or_default()
}

/// A root that python-tuf wrote, bent.
fn root(bend: impl FnOnce(&mut Json)) -> Result<Root, TufError> {
    let mut json = json_file("interop/fixtures/python-2/roots/1.root.json");
    bend(&mut json["signed"]);
    Root::parse("1.root.json", json.to_string().as_bytes())
}

/// The delegations of targets metadata that python-tuf wrote, bent.
fn delegations(bend: impl FnOnce(&mut Json)) -> Result<Delegations, TufError> {
    let mut json = json_file("interop/fixtures/python-1/targets.json");
    bend(&mut json["signed"]["delegations"]);
    let document =
        Document::parse("targets.json", json.to_string().into_bytes(), Limits::DEFAULT).expect("JSON");
    Delegations::read(&Metadata::read(document.root(), REPOSITORY, "targets").expect("targets metadata"))
}

fn remove(from: &mut Json, member: &str) -> Json {
    from.as_object_mut().and_then(|all| all.remove(member)).expect(member)
}

#[test]
fn a_spec_version_that_python_tuf_cannot_load_is_refused() {
    for good in ["1.0", "1.0.0", "1.0.31", "1.99"] {
        assert_eq!(said(root(|signed| signed["spec_version"] = good.into())), "", "{good}");
    }
    for odd in [
        "",
        "1",
        "1.",
        "1.0.0.0",
        "1..0",
        "1.x",
        "1.0.",
        "1.0-rc",
        "v1.0",
        " 1.0",
        "1,0",
        "01.0",
        "1.\u{661}",
        "2.0",
    ] {
        let words = said(root(|signed| signed["spec_version"] = odd.into()));
        assert!(words.contains("this tool reads 1.x"), "{odd}: {words}");
    }
}

#[test]
fn a_root_whose_file_could_not_be_named_is_refused_before_anything_is_made_of_it() {
    assert_eq!(said(root(|signed| signed["version"] = 999_999_999u64.into())), "");
    for version in [1_000_000_000u64, 9_999_999_999] {
        let words = said(root(|signed| signed["version"] = version.into()));
        assert!(words.contains("its file is named after it"), "{words}");
    }
    let words = said(root(|signed| signed["version"] = (1u64 << 53).into()));
    assert!(words.contains("from 1 to 2^53 - 1"), "{words}");
}

#[test]
fn an_id_of_a_key_is_at_most_128_bytes_long() {
    let of_length = |length: usize| {
        said(root(|signed| {
            let keys = signed["keys"].as_object_mut().expect("keys");
            let key = keys.values().next().expect("a key").clone();
            keys.insert("a".repeat(length), key);
        }))
    };
    assert_eq!(of_length(128), "");
    for length in [129, 130] {
        assert!(of_length(length).contains("more than 128 bytes"), "{length}");
    }
}

#[test]
fn who_owns_a_key_and_which_service_holds_it_is_read_as_tuf_on_ci_writes_it() {
    let root = root(|signed| {
        let keys = signed["keys"].as_object_mut().expect("keys");
        let key = keys.values().next().expect("a key").clone();
        let note = |member: &str, text: &str| {
            let mut key = key.clone();
            key[member] = text.into();
            key
        };
        keys.insert("owned".to_owned(), note("x-tuf-on-ci-keyowner", "@ann"));
        keys.insert("online".to_owned(), note("x-tuf-on-ci-online-uri", "awskms:alias/tuf"));
    });
    let root = root.expect("a root");
    let owner = root.owner(&KeyId::new("owned")).map(|owner| owner.polis_id.as_str());
    assert_eq!((root.owners.len(), owner), (1, Some("@ann")));
    let service = root.services.get(&KeyId::new("online")).map(String::as_str);
    assert_eq!((root.services.len(), service), (1, Some("awskms:alias/tuf")));
}

#[test]
fn a_repository_without_a_service_may_ask_for_one_signature() {
    let root = root(|signed| signed["roles"]["targets"]["threshold"] = 1.into()).expect("a root");
    assert!(root.require_production().is_ok());
}

#[test]
fn delegations_that_python_tuf_cannot_load_are_refused() {
    let bins = json!({"bit_length": 8, "keyids": [], "name_prefix": "bin", "threshold": 1});
    assert_eq!(said(delegations(|_| ())), "");
    assert!(said(delegations(|all| drop(remove(all, "roles")))).contains("exactly one of"), "keys only");
    assert!(said(delegations(|all| all["succinct_roles"] = bins)).contains("exactly one of"), "both kinds");
    assert!(said(delegations(|all| drop(remove(all, "keys")))).contains("keys"));
    assert!(said(delegations(|all| *all = json!({}))).contains("keys"));
    assert_ne!(said(delegations(|all| *all = json!([]))), "");
    assert_ne!(said(delegations(|all| all["roles"] = json!({}))), "");
    let twice = said(delegations(|all| {
        let roles = all["roles"].as_array_mut().expect("roles");
        roles.push(roles[0].clone());
    }));
    assert!(twice.contains("a delegated role stands twice"), "{twice}");
}

#[test]
fn a_role_of_hash_prefixes_is_found_by_its_name_and_no_other_is() {
    let all = delegations(|all| {
        remove(&mut all["roles"][0], "paths");
        all["roles"][0]["path_hash_prefixes"] = json!(["8f"]);
    });
    let all = all.expect("delegations");
    let role = all.role("firmware").expect("the role");
    assert_eq!(role.paths, Paths::HashPrefixes(vec!["8f".to_owned()]));
    assert!(all.role("apps").is_none());
}

#[test]
fn a_role_provides_the_paths_that_clients_look_for_in_it_and_no_others() {
    let allow = |paths: Paths, path: &str| paths.search().allows(path).expect("steps enough");
    let patterns = |all: &[&str]| Paths::Patterns(all.iter().map(|one| (*one).to_owned()).collect());
    for (pattern, path, is_allowed) in [
        ("firmware/*", "firmware/a.bin", true),
        ("firmware/*", "firmware/a/b.bin", false),
        ("firmware/*", "firmware", false),
        ("firmware/*", "xfirmware/a", false),
        ("*", "a", true),
        ("*", "a/b", false),
        ("*.bin", "a.bin", true),
        ("*.bin", "a.bin.sig", false),
        ("?.bin", "\u{e9}.bin", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-b-b", false),
        ("v[0-9].bin", "v7.bin", true),
        ("v[0-9].bin", "vx.bin", false),
        ("v[!0-9].bin", "vx.bin", true),
        ("v[!0-9].bin", "v7.bin", false),
        ("v[]].bin", "v].bin", true),
        ("v[.bin", "v[.bin", true),
        ("a.b", "axb", false),
        ("", "a", false),
        ("A", "a", false),
    ] {
        assert_eq!(allow(patterns(&[pattern]), path), is_allowed, "{pattern} and {path}");
    }
    assert!(!allow(patterns(&[]), "a") && allow(patterns(&["x", "a/*"]), "a/b"));
    let prefixes = |all: &[&str]| Paths::HashPrefixes(all.iter().map(|one| (*one).to_owned()).collect());
    let digest = Digest::of(b"a.bin").to_string();
    assert!(allow(prefixes(&["zz", &digest[..3]]), "a.bin") && allow(prefixes(&[""]), "a.bin"));
    assert!(!allow(prefixes(&[&digest[1..9]]), "a.bin") && !allow(prefixes(&[]), "a.bin"));
    assert!(!allow(prefixes(&["a.bin"]), "a.bin") && !allow(patterns(&[&digest]), "a.bin"));
}

#[test]
fn a_pattern_takes_no_more_than_its_length_times_the_name_s() {
    let pattern = Paths::Patterns(vec![format!("{}b", "*a".repeat(400))]);
    assert_eq!(pattern.search().allows(&"a".repeat(1_000)), Some(false), "and is done at once");
}

#[test]
fn many_patterns_and_many_names_are_not_compared_for_ever() {
    let patterns = Paths::Patterns((0..30_000).map(|i| format!("p*{i}x")).collect());
    let mut search = patterns.search();
    let compared = (0..30_000).take_while(|i| search.allows(&format!("p{i}")) == Some(false)).count();
    assert!((100..5_000).contains(&compared), "{compared}");
    assert_eq!(search.allows("p1x"), None, "and no name is said to be outside that was not looked at");
    let plain = Paths::Patterns((0..30_000).map(|i| format!("p/{i}")).collect());
    let mut search = plain.search();
    assert!((0..30_000).all(|i| search.allows(&format!("p/{i}")) == Some(true)), "plain paths cost nothing");
    for long in
        ["[".repeat(300_000), format!("*[{}]x", "a".repeat(300_000)), format!("*[{}", "[".repeat(300_000))]
    {
        assert_eq!(Paths::Patterns(vec![long]).search().allows(&"b".repeat(100_000)), Some(false));
    }
}

#[test]
fn a_bin_of_many_is_a_role_that_can_be_signed() {
    let read = delegations(|all| {
        let roles = remove(all, "roles");
        all["succinct_roles"] =
            json!({"bit_length": 5, "keyids": roles[0]["keyids"], "name_prefix": "bin", "threshold": 1});
    });
    let read = read.expect("delegations");
    let bins: Vec<_> = (0..32).map(|n| read.role(&format!("bin-{n:02x}")).expect("a bin")).collect();
    for name in
        ["bin-*", "bin-20", "bin-1", "bin-001", "bin-1F", "bin-", "bin", "other-01", "bin-0x", "bin-+1"]
    {
        assert_eq!(read.role(name), None, "{name}");
    }
    for path in ["a", "firmware/a.bin", "\u{e9}"] {
        let of: Vec<usize> = (0..32).filter(|n| bins[*n].paths.search().allows(path) == Some(true)).collect();
        // The first five bits of the first two hex digits.
        let byte = u8::from_str_radix(&Digest::of(path.as_bytes()).to_string()[..2], 16).expect("hex");
        assert_eq!(of, [usize::from(byte >> 3)], "{path}");
    }
}

/// A root with another key beside its own, in no role.
fn with_key(key: &Json) -> Result<Root, TufError> {
    root(|signed| signed["keys"]["other"] = key.clone())
}

fn key(keytype: &str, scheme: &str, public: &str) -> Json {
    json!({"keytype": keytype, "scheme": scheme, "keyval": {"public": public}})
}

#[test]
fn a_key_that_is_not_known_here_is_kept_and_never_counted() {
    for (json, why) in [
        (key("ml-dsa", "ml-dsa-65/1", "AAAA"), "\"ml-dsa\""),
        (key("ed25519", "ed448", &"0".repeat(64)), "\"ed448\""),
        (key("sphincs", "rsassa-pss-sha256", ""), "\"sphincs\""),
        (key("rsa", "rsa-pkcs1v15-sha256", ""), "rsa-pkcs1v15-sha256"),
        (key("rsa", "rsassa-pss-sha256", "-----BEGIN KEY-----"), "BEGIN PUBLIC KEY"),
        (key("ecdsa", "ecdsa-sha2-nistp521", ""), "nistp521"),
        (key("ecdsa", "ecdsa-sha2-nistp384", &file("fixtures/openssl/p384/compressed.pem")), "uncompressed"),
        (key("ed25519", "ed25519", &"0".repeat(64)), "small order"),
        (
            json!({"keytype": "sigstore-oidc", "scheme": "Fulcio",
                "keyval": {"identity": "a@b.example", "issuer": "https://accounts.example"}}),
            "public",
        ),
    ] {
        let root = with_key(&json).unwrap_or_else(|e| panic!("{json}: {e}"));
        let kept = &root.keys[&KeyId::new("other")];
        let words = kept.unusable_because().expect("not usable");
        assert!(words.contains(why), "{words}");
        assert_eq!(REPOSITORY.verify(kept, b"", &[0; 64]), key::Verified::No);
    }
    assert!(with_key(&json!("key")).is_err(), "no key at all");
    assert!(with_key(&json!({"keytype": "x", "keyval": {}})).is_err(), "no scheme");
}

#[test]
fn a_key_that_is_not_known_here_makes_no_root_unusable_that_lists_it_for_a_role() {
    let root = root(|signed| {
        signed["keys"]["other"] = key("ml-dsa", "ml-dsa-65/1", "AAAA");
        let keyids = signed["roles"]["targets"]["keyids"].as_array_mut().expect("a list");
        keyids.push("other".into());
    });
    let root = root.expect("a root");
    root.require_reachable_thresholds().expect("reachable");
    let signature = Signature {
        keyid: KeyId::new("other"),
        method: None,
        value: Ok(vec![0; 64]),
        json: String::new(),
        strange_members: Vec::new(),
    };
    let assessed = signature::assess(vec![signature], &Message::from_bytes(b"x"), &root, "targets");
    assert_eq!(assessed[0].worth, signature::Worth::Unverifiable);
    assert_eq!(signature::count(&assessed), 0);
}

fn openssl(folder: &str) -> impl Fn(&str) -> Vec<u8> {
    let folder = PathBuf::from("fixtures/openssl").join(folder);
    move |name| hex::decode(file(folder.join(name).to_str().expect("text")).trim()).expect("hex")
}

#[test]
fn a_key_on_p_384_verifies() {
    let (signature, public) = (openssl("p384"), file("fixtures/openssl/p384/key.pem"));
    for keytype in ["ecdsa", "ecdsa-sha2-nistp384"] {
        let root = with_key(&key(keytype, "ecdsa-sha2-nistp384", &public)).expect("a root");
        let key = &root.keys[&KeyId::new("other")];
        assert!(key.verify(b"countersign", &signature("sha384.hex")));
        assert!(!key.verify(b"countersigm", &signature("sha384.hex")));
        assert!(!key.verify(b"countersign", &signature("sha256.hex")), "the scheme says SHA-384");
        assert_eq!(REPOSITORY.public_key(key.keytype(), key.text()).expect("it reads again"), *key);
    }
}

#[test]
fn an_rsa_pss_salt_of_another_length_is_told_and_counts_in_this_dialect_only() {
    use key::Verified::{No, OtherSalt, Yes};
    let signature = openssl("pss");
    let public = file("fixtures/openssl/pss/key.pem");
    let root = with_key(&key("rsa", "rsassa-pss-sha256", &public)).expect("a root");
    let key = &root.keys[&KeyId::new("other")];
    for (name, repository, factory) in [
        ("salt-32.hex", Yes, Yes),
        ("salt-0.hex", OtherSalt, No),
        ("salt-20.hex", OtherSalt, No),
        ("salt-222.hex", OtherSalt, No),
        ("pkcs1v15.hex", No, No),
        ("sha512.hex", No, No),
    ] {
        let signature = signature(name);
        assert_eq!(REPOSITORY.verify(key, b"countersign", &signature), repository, "{name}");
        assert_eq!(Dialect::Factory.verify(key, b"countersign", &signature), factory, "{name}");
        assert_eq!(REPOSITORY.verify(key, b"countersigm", &signature), No, "{name}");
        assert_eq!(REPOSITORY.verify(key, b"countersign", &signature[1..]), No, "{name}, cut");
    }
}
