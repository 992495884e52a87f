//! Who vouches for what a repository runs, and what its station remembers: keys that were retired, files that are older
//! than those seen, roles that were given away.

use crate::common::{Desk, Ran, text};
use crate::support::signer::{Signer, envelope};
use countersign::testing::cli::Exit;
use countersign::testing::tuf::Root;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const LATER: &str = "2027-06-01T00:00:00Z";

/// A repository whose second root replaced the targets key T1 by T2.
struct Repository {
    desk: Desk,
    t1: Signer,
    t2: Signer,
}

/// A root of which this is the targets key; the same key signs them all.
fn write_root(folder: &Path, version: u64, targets: &Signer) -> Vec<u8> {
    let root = Signer::of_repository(1);
    let of = |key: &Signer| json!({"keyids": [key.keyid.as_str()], "threshold": 1});
    let keys = [&root, targets].map(|key| (key.keyid.as_str().to_owned(), key.public()));
    let signed = json!({
        "_type": "root", "spec_version": "1.0.31", "version": version, "expires": "2030-01-01T00:00:00Z",
        "consistent_snapshot": true, "keys": serde_json::Map::from_iter(keys),
        "roles": {"root": of(&root), "targets": of(targets), "snapshot": of(&root), "timestamp": of(&root)},
    });
    let bytes = envelope(&signed, &[&root]);
    std::fs::write(folder.join(format!("{version}.root.json")), &bytes).expect("written");
    bytes
}

impl Repository {
    fn new() -> Repository {
        let repository =
            Repository { desk: Desk::new(), t1: Signer::of_repository(2), t2: Signer::of_repository(3) };
        let desk = &repository.desk;
        std::fs::create_dir(desk.path("roots")).expect("made");
        let roots = desk.path("roots");
        write_root(&roots, 1, &repository.t1);
        let newest = write_root(&roots, 2, &repository.t2);
        let fingerprint = Root::parse("root", &newest).expect("a root").fingerprint.to_string();
        let init = ["init", "--factory", "apps.example", "--roots", text(&roots), "--networked"];
        desk.run(&[init.as_slice(), &["--fingerprint", &fingerprint]].concat()).done();
        desk.add_officer("mara");
        std::fs::write(desk.path("t2.der"), repository.t2.pkcs8()).expect("written");
        desk.import_key(&desk.path("t2.der"), "mara", "1");
        repository
    }

    fn write(&self, name: &str, signed: &Value, signers: &[&Signer]) -> PathBuf {
        let path = self.desk.path(name);
        std::fs::write(&path, envelope(signed, signers)).expect("written");
        path
    }

    fn import(&self, new: &Path, more: &[&str]) -> (String, Value) {
        let import = ["--json", "import", text(new)];
        let imported = self.desk.run(&[import.as_slice(), more].concat()).done().json();
        let id = imported["request"].as_str().expect("a digest").to_owned();
        let review = self.desk.run(&["--json", "review", &id]).json();
        (id, review)
    }

    fn sign(&self, id: &str, review: &Value) -> Ran {
        self.desk.sign(id, review, "mara", &[])
    }
}

fn targets(version: u64, expires: &str, names: &[&str]) -> Value {
    let file = |name: &&str| {
        let of = json!({"length": 3, "hashes": {"sha256": hex::encode([u8::try_from(name.len()).expect("short"); 32])}});
        ((*name).to_owned(), of)
    };
    let files: serde_json::Map<String, Value> = names.iter().map(file).collect();
    json!({"_type": "targets", "spec_version": "1.0.31", "version": version, "expires": expires, "targets": files})
}

/// The messages of one check's findings of a severity.
fn said(review: &Value, check: &str, severity: &str) -> Vec<String> {
    let findings = review["findings"].as_array().expect("a list");
    let of = findings.iter().filter(|one| one["check"] == check && one["severity"] == severity);
    of.map(|one| one["message"].as_str().expect("a message").to_owned()).collect()
}

#[test]
fn what_a_retired_key_alone_signed_stands_as_added() {
    let repository = Repository::new();
    let old = repository.write("old.json", &targets(2, LATER, &["a.bin", "updater.bin"]), &[&repository.t1]);
    let new = repository.write("new.json", &targets(3, LATER, &["a.bin", "b.bin", "updater.bin"]), &[]);
    let (id, review) = repository.import(&new, &["--baseline", text(&old)]);
    assert_eq!(review["added"], json!(["a.bin", "b.bin", "updater.bin"]), "{:#}", review["findings"]);
    let words = said(&review, "baseline-threshold", "warn").concat();
    assert!(words.contains("Only the older root 1 is content with them"), "{words}");
    let page = repository.desk.run(&["review", &id]).done().out;
    assert!(page.contains("+ updater.bin"), "{page}");
    // What the newest root's key signed is kept, and named nowhere.
    let old =
        repository.write("vouched.json", &targets(2, LATER, &["a.bin", "updater.bin"]), &[&repository.t2]);
    let (_, review) = repository.import(&new, &["--baseline", text(&old)]);
    assert_eq!(review["added"], json!(["b.bin"]), "{:#}", review["findings"]);
    // What nobody signed is no baseline at all.
    let old = repository.write("nobodys.json", &targets(2, LATER, &["a.bin", "other.bin"]), &[]);
    let (id, review) = repository.import(&new, &["--baseline", text(&old)]);
    assert_ne!(said(&review, "baseline-threshold", "block"), [""; 0], "{:#}", review["findings"]);
    repository.sign(&id, &review).ended(Exit::Refused);
}

#[test]
fn a_retired_keys_own_station_vouches_for_what_it_signed_and_for_nothing_else() {
    let repository = Repository::new();
    let first = repository.write("1.json", &targets(1, LATER, &["a.bin"]), &[]);
    let (id, review) = repository.import(&first, &[]);
    repository.sign(&id, &review).done();
    // The same bytes under a signature of the retired key alone: the station's record has them.
    let signed = repository.write("signed.json", &targets(1, LATER, &["a.bin"]), &[&repository.t1]);
    let new = repository.write("new.json", &targets(2, LATER, &["a.bin", "b.bin"]), &[]);
    let (_, review) = repository.import(&new, &["--baseline", text(&signed)]);
    assert_eq!(review["added"], json!(["b.bin"]), "{:#}", review["findings"]);
    let words = said(&review, "baseline-threshold", "note").concat();
    assert!(words.contains("own record vouches"), "{words}");
    // Other bytes of a later version: only what the record has is kept.
    let other =
        repository.write("other.json", &targets(2, LATER, &["a.bin", "updater.bin"]), &[&repository.t1]);
    let new = repository.write("newer.json", &targets(3, LATER, &["a.bin", "b.bin", "updater.bin"]), &[]);
    let (_, review) = repository.import(&new, &["--baseline", text(&other)]);
    assert_eq!(review["added"], json!(["b.bin", "updater.bin"]), "{:#}", review["findings"]);
}

#[test]
fn what_was_signed_for_a_repository_does_not_vanish_behind_an_older_baseline() {
    let repository = Repository::new();
    let old = repository.write("1.json", &targets(1, LATER, &["a.bin"]), &[&repository.t2]);
    let second = repository.write("2.json", &targets(2, LATER, &["a.bin", "fix.bin"]), &[]);
    let (id, review) = repository.import(&second, &["--baseline", text(&old)]);
    repository.sign(&id, &review).done();
    let third = repository.write("3.json", &targets(3, LATER, &["a.bin", "b.bin"]), &[]);
    let (id, review) = repository.import(&third, &["--baseline", text(&old)]);
    let words = said(&review, "signed-since", "block").concat();
    assert!(words.contains("signed version 2") && words.contains("\"fix.bin\""), "{:#}", review["findings"]);
    repository.sign(&id, &review).ended(Exit::Refused);
    // On what was signed, and with all of it, the next version goes on.
    let signed =
        repository.write("signed.json", &targets(2, LATER, &["a.bin", "fix.bin"]), &[&repository.t2]);
    let third = repository.write("3.json", &targets(3, LATER, &["a.bin", "b.bin", "fix.bin"]), &[]);
    let (id, review) = repository.import(&third, &["--baseline", text(&signed)]);
    assert_eq!(review["added"], json!(["b.bin"]), "{:#}", review["findings"]);
    repository.sign(&id, &review).done();
}

#[test]
fn an_expired_baseline_is_told() {
    let repository = Repository::new();
    let old = repository.write("1.json", &targets(1, "2026-11-01T00:00:00Z", &["a.bin"]), &[&repository.t2]);
    let new = repository.write("2.json", &targets(2, LATER, &["a.bin", "b.bin"]), &[]);
    let (_, review) = repository.import(&new, &["--baseline", text(&old)]);
    let words = said(&review, "baseline-replayed", "warn").concat();
    assert!(words.contains("expired on 2026-11-01"), "{:#}", review["findings"]);
}

/// Targets metadata that delegates so many roles, each to this key, and the paths of the first.
fn delegating(version: u64, roles: usize, keys: &[&Signer], paths: &[&str]) -> Value {
    let mut signed = targets(version, LATER, &["a.bin"]);
    let role = |n: usize| {
        let key = keys[n.min(keys.len() - 1)].keyid.as_str();
        json!({"name": format!("role-{n}"), "keyids": [key], "threshold": 1, "terminating": false,
            "paths": if n == 0 { json!(paths) } else { json!([format!("{n}/*")]) }})
    };
    let listed: serde_json::Map<String, Value> =
        keys.iter().map(|key| (key.keyid.as_str().to_owned(), key.public())).collect();
    signed["delegations"] = json!({"keys": listed, "roles": (0..roles).map(role).collect::<Vec<_>>()});
    signed
}

#[test]
fn a_delegating_file_older_than_one_seen_is_refused_and_its_revoked_key_with_it() {
    let repository = Repository::new();
    let (revoked, new_key) = (Signer::of_repository(4), Signer::of_repository(5));
    let wide = repository.write("wide.json", &delegating(4, 1, &[&revoked], &["*"]), &[&repository.t2]);
    let narrow =
        repository.write("narrow.json", &delegating(5, 1, &[&new_key], &["fw-*"]), &[&repository.t2]);
    let role = |version, names: &[&str], name: &str, by: &[&Signer]| {
        repository.write(name, &targets(version, LATER, names), by)
    };
    let by = |file: &Path| ["--role", "role-0", "--delegated-by", text(file)].map(str::to_owned);
    let import = |new: &Path, file: &Path, more: &[&str]| {
        let by = by(file);
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        repository.import(new, &[by.as_slice(), more].concat())
    };
    std::fs::write(repository.desk.path("d1.der"), revoked.pkcs8()).expect("written");
    let file = repository.desk.path("d1.der");
    let key = ["key", "import", text(&file), "--officers", "mara", "--quorum", "1"];
    let of = by(&wide);
    let of: Vec<&str> = of.iter().map(String::as_str).collect();
    repository.desk.run(&[key.as_slice(), &of].concat()).done();
    // The newer one is seen once.
    let first = role(1, &["fw-a"], "fw.json", &[]);
    import(&first, &narrow, &[]);
    // The wider paths and the revoked key come back.
    let second = role(2, &["fw-a", "updater.bin"], "fw-2.json", &[]);
    let current = role(1, &["fw-a", "updater.bin"], "fw-1.json", &[&revoked]);
    let (id, review) = import(&second, &wide, &["--baseline", text(&current)]);
    let words = said(&review, "delegations", "block").concat();
    assert!(
        words.contains("that delegates is version 4, but this station signed or saw version 5"),
        "{:#}",
        review["findings"]
    );
    repository.sign(&id, &review).ended(Exit::Refused);
    // Under the newest one the target is outside, and what the revoked key signed is no baseline.
    let (id, review) = import(&second, &narrow, &["--baseline", text(&current)]);
    assert!(said(&review, "delegations", "block").concat().contains("\"updater.bin\""));
    assert_ne!(said(&review, "baseline-threshold", "block"), [""; 0], "{:#}", review["findings"]);
    repository.sign(&id, &review).ended(Exit::Refused);
    // Nor are there two of one version.
    let other = repository.write("other.json", &delegating(5, 1, &[&new_key], &["*"]), &[&repository.t2]);
    let (_, review) = import(&second, &other, &[]);
    let words = said(&review, "delegations", "block").concat();
    assert!(words.contains("has another content"), "{:#}", review["findings"]);
}

#[test]
fn what_concerns_trust_is_listed_to_the_last_of_130_roles() {
    let repository = Repository::new();
    let (own, thiefs) = (Signer::of_repository(4), Signer::of_repository(5));
    let keys: Vec<&Signer> = vec![&own; 130];
    let mut changed = keys.clone();
    changed[129] = &thiefs;
    let old = repository.write("1.json", &delegating(1, 130, &keys, &["fw-*"]), &[&repository.t2]);
    let new = repository.write("2.json", &delegating(2, 130, &changed, &["fw-*"]), &[]);
    let (id, review) = repository.import(&new, &["--baseline", text(&old)]);
    let words = said(&review, "delegations", "warn");
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(words[0].contains("\"role-129\" changed") && words[0].contains("key 0505050505"), "{words:?}");
    let page = repository.desk.run(&["review", &id]).done().out;
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains("role-129") && page.contains("key 0505050505"), "{page}");
    // All 130 are new: all are listed, in JSON and on the page.
    let repository = Repository::new();
    let new = repository.write("2.json", &delegating(2, 130, &changed, &["fw-*"]), &[]);
    let old = repository.write("1.json", &targets(1, LATER, &["a.bin"]), &[&repository.t2]);
    let (id, review) = repository.import(&new, &["--baseline", text(&old)]);
    assert_eq!(said(&review, "delegations", "warn").len(), 130);
    let page = repository.desk.run(&["review", &id]).done().out;
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!((0..130).all(|n| page.contains(&format!("\"role-{n}\" is delegated to from now on"))), "{page}");
}

#[test]
fn a_key_that_the_lost_station_retired_does_not_come_back_on_the_new_one() {
    let (old, new) = (Desk::new(), Desk::new());
    new.host.random.fill(&mut [0; 320]).expect("randomness");
    let (t1, t2) = (Signer::of_repository(2), Signer::of_repository(3));
    let roots = old.path("roots");
    std::fs::create_dir(&roots).expect("made");
    let init = |desk: &Desk, newest: &[u8], more: &[&str]| {
        let fingerprint = Root::parse("root", newest).expect("a root").fingerprint.to_string();
        let init = ["init", "--factory", "apps.example", "--roots", text(&roots), "--networked"];
        desk.run(&[init.as_slice(), &["--fingerprint", &fingerprint], more].concat()).done();
        desk.add_officer("mara");
    };
    let key = old.path("t1.der");
    std::fs::write(&key, t1.pkcs8()).expect("written");
    init(&old, &write_root(&roots, 1, &t1), &[]);
    old.import_key(&key, "mara", "1");
    write_root(&roots, 2, &t2);
    let first = old.path("1.json");
    std::fs::write(&first, envelope(&targets(1, LATER, &["a.bin"]), &[])).expect("written");
    old.run(&["import", text(&first), "--roots", text(&roots)]).done();
    old.run(&["key", "retire", t1.keyid.as_str(), "--reason", "it was stolen"]).done();
    old.run(&["log", "export", text(&old.path("pack"))]).done();
    // A later root lists it again, by mistake or because somebody wanted it so.
    let newest = write_root(&roots, 3, &t1);
    let log_key = std::fs::read_to_string(old.station().join("log/vkey")).expect("read").trim().to_owned();
    init(&new, &newest, &["--continue", text(&old.path("pack")), "--log-key", &log_key]);
    let import = ["key", "import", text(&key), "--officers", "mara", "--quorum", "1"];
    let said = new.run(&import).ended(Exit::Refused).err;
    assert!(said.contains("was retired on the station whose log this one continues"), "{said}");
}
