//! A repository that follows the TUF specification: whole commands on what python-tuf and tough wrote.

use crate::common;
use crate::support::signer::{Signer, envelope};

use common::{Desk, json, read, text};
use countersign::testing::cli::Exit;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/fixtures").join(path)
}

fn init(desk: &Desk, folder: &str, roots: &str) {
    let roots = fixture(&format!("{folder}/{roots}"));
    let newest = if roots.is_dir() { roots.join("2.root.json") } else { roots.clone() };
    let fingerprint = countersign::testing::tuf::Root::parse("root", &read(&newest))
        .expect("a root")
        .fingerprint
        .to_string();
    desk.run(&[
        "init",
        "--factory",
        "apps.example",
        "--roots",
        text(&roots),
        "--fingerprint",
        &fingerprint,
        "--networked",
    ])
    .done();
}

fn key(folder: &str, name: &str) -> PathBuf {
    let ending = if folder.starts_with("python") || name == "rsa" { "pem" } else { "der" };
    fixture(&format!("{folder}/keys/{name}.{ending}"))
}

/// A station for a fixture's repository, with its ed25519 targets key.
fn desk(folder: &str) -> Desk {
    let desk = Desk::new();
    init(&desk, folder, "roots");
    desk.add_officer("alice");
    desk.import_key(&key(folder, "ed25519"), "alice", "1");
    desk
}

/// The fixture's targets, changed, without signatures.
fn next(desk: &Desk, folder: &str, edit: impl FnOnce(&mut Value)) -> PathBuf {
    let mut targets = json(&fixture(&format!("{folder}/targets.json")));
    targets["signatures"] = Value::Array(Vec::new());
    targets["signed"]["version"] = 4.into();
    targets["signed"]["expires"] = "2027-06-01T00:00:00Z".into();
    edit(&mut targets["signed"]);
    let path = desk.path("new-targets.json");
    std::fs::write(&path, targets.to_string()).expect("written");
    path
}

fn import(desk: &Desk, path: &Path, more: &[&str]) -> (String, Value) {
    let mut arguments = vec!["--json", "import", text(path)];
    arguments.extend(more);
    let imported = desk.run(&arguments).done().json();
    let id = imported["request"].as_str().expect("a digest").to_owned();
    let review = desk.run(&["--json", "review", &id]).json();
    (id, review)
}

fn messages(review: &Value, check: &str, severity: &str) -> Vec<String> {
    let findings = review["findings"].as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["check"] == check && finding["severity"] == severity)
        .map(|finding| finding["message"].as_str().expect("a message").to_owned())
        .collect()
}

#[test]
fn targets_are_reviewed_against_those_of_today_signed_and_ready_to_be_published() {
    for folder in ["python-1", "tough-1"] {
        let desk = desk(folder);
        let current = fixture(&format!("{folder}/targets.json"));
        let new = next(&desk, folder, |signed| {
            signed["targets"]["new.bin"] = serde_json::json!({"length": 3, "hashes": {"sha256": "0".repeat(64)}, "custom": {"x": ["kept"]}});
        });
        let (id, review) = import(&desk, &new, &["--baseline", text(&current)]);
        assert_eq!(review["signable"], true, "{folder}: {:#}", review["findings"]);
        assert_eq!(
            (&review["baseline_version"], &review["added"]),
            (&3.into(), &serde_json::json!(["new.bin"]))
        );
        assert_eq!(review["repository"]["consistent_snapshot"], folder.starts_with("python"));
        assert_eq!(review["repository"]["delegations"][0]["role"], "firmware");
        assert!(
            review["repository"]["spec_version"].as_str().is_some_and(|version| version.starts_with("1.0"))
        );
        assert_eq!(messages(&review, "delegations", "warn"), [""; 0], "no delegation changed");
        let shown = desk.run(&["review", &id]).done().out;
        for words in ["Repository apps.example", "firmware/*", "clients ask for", "specification version"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        let signed = desk.sign(&id, &review, "alice", &[]).done().json();
        assert_eq!(signed["signature"]["sig"].as_str().map(str::len), Some(128), "hex");
        let bundle = desk.export(&id, "signed");
        for name in ["publish/targets.json", "publish/4.targets.json"] {
            assert_eq!(read(&bundle.join(name)), read(&bundle.join("targets.json")));
        }
        assert_eq!(json(&bundle.join("publish/targets.json"))["signed"], json(&new)["signed"]);
        let verdict = desk
            .run(&["--json", "verify", text(&bundle), "--roots", text(&fixture(&format!("{folder}/roots")))])
            .done();
        assert_eq!(verdict.json()["complete"], true);
        let path = bundle.join("publish/4.targets.json");
        std::fs::write(&path, [read(&path), b"\n".to_vec()].concat()).expect("written");
        desk.run(&["verify", text(&bundle)]).ended(Exit::Refused);
    }
}

#[test]
fn the_second_of_two_signatures_is_made_with_an_rsa_key_beside_the_first() {
    for folder in ["python-2", "tough-2"] {
        let desk = desk(folder);
        let current = fixture(&format!("{folder}/targets.json"));
        let new = next(&desk, folder, |_| {});
        let (id, review) = import(&desk, &new, &["--baseline", text(&current)]);
        desk.sign(&id, &review, "alice", &[]).done();
        let first = desk.export(&id, "first");
        let verdict = desk.run(&["--json", "verify", text(&first)]).done().json();
        assert_eq!((&verdict["complete"], &verdict["threshold"]), (&false.into(), &2.into()));

        desk.add_officer("bob");
        let rsa = desk.import_key(&key(folder, "rsa"), "bob", "1");
        let (id, review) =
            import(&desk, &first.join("publish/targets.json"), &["--baseline", text(&current)]);
        assert_eq!(review["signable"], true, "{:#}", review["findings"]);
        desk.sign(&id, &review, "bob", &["--key", &rsa]).done();
        let second = desk.export(&id, "second");
        let verdict = desk.run(&["--json", "verify", text(&second)]).done().json();
        assert_eq!(
            (&verdict["complete"], verdict["valid"].as_array().map(Vec::len)),
            (&true.into(), Some(2))
        );
    }
}

#[test]
fn a_delegated_role_is_signed_with_the_keys_that_the_verified_targets_give_it() {
    for folder in ["python-1", "tough-2"] {
        let desk = Desk::new();
        init(&desk, folder, "roots");
        desk.add_officer("carol");
        let top = fixture(&format!("{folder}/targets.json"));
        let by = ["--role", "firmware", "--delegated-by", text(&top)];
        let file = key(folder, "firmware");
        let import_key = |more: &[&str]| {
            let mut arguments = vec!["key", "import", text(&file), "--officers", "carol", "--quorum", "1"];
            arguments.extend(more);
            desk.run(&arguments)
        };
        assert!(
            import_key(&[]).ended(Exit::Failed).err.contains("its key is not one of the role \"targets\"")
        );
        import_key(&by).done();
        let current = fixture(&format!("{folder}/firmware.json"));
        let mut role = json(&current);
        role["signatures"] = Value::Array(Vec::new());
        role["signed"]["version"] = 2.into();
        role["signed"]["expires"] = "2027-06-01T00:00:00Z".into();
        let new = desk.path("firmware.json");
        std::fs::write(&new, role.to_string()).expect("written");
        let (id, review) = import(&desk, &new, &[&by[..], &["--baseline", text(&current)]].concat());
        assert_eq!(review["signable"], true, "{:#}", review["findings"]);
        let note = messages(&review, "delegations", "note").concat();
        assert!(
            note.contains("delegated role \"firmware\", as version 3") && note.contains("firmware/*"),
            "{note}"
        );
        desk.sign(&id, &review, "carol", &[]).done();
        let bundle = desk.export(&id, "signed");
        for name in ["publish/firmware.json", "publish/2.firmware.json", "delegating.json"] {
            assert!(bundle.join(name).exists(), "{name}");
        }
        let verdict = desk
            .run(&["--json", "verify", text(&bundle), "--roots", text(&fixture(&format!("{folder}/roots")))])
            .done();
        assert_eq!(verdict.json()["complete"], true);

        let pack = desk.path("pack");
        desk.run(&["log", "export", text(&pack)]).done();
        desk.run(&["audit", "verify", text(&pack)]).done();
        let published = bundle.join("publish/firmware.json");
        desk.run(&["audit", "reconcile", text(&pack), "--targets", text(&published)]).done();

        let mut forged = json(&top);
        forged["signed"]["delegations"]["roles"][0]["paths"] = serde_json::json!(["*"]);
        let path = desk.path("forged.json");
        std::fs::write(&path, forged.to_string()).expect("written");
        desk.run(&["import", text(&new), "--role", "firmware", "--delegated-by", text(&path)])
            .ended(Exit::Refused);
        desk.run(&["import", text(&new), "--role", "../x", "--delegated-by", text(&top)]).ended(Exit::Failed);
    }
}

#[test]
fn a_changed_delegation_is_shown_first_as_a_change_of_trust() {
    let desk = desk("python-1");
    let current = fixture("python-1/targets.json");
    let new = next(&desk, "python-1", |signed| {
        let roles = &mut signed["delegations"]["roles"];
        roles[0]["paths"] = serde_json::json!(["*"]);
        roles[0]["terminating"] = false.into();
        let mut another = roles[0].clone();
        another["name"] = "apps".into();
        roles.as_array_mut().expect("roles").push(another);
    });
    let (id, review) = import(&desk, &new, &["--baseline", text(&current)]);
    let said = messages(&review, "delegations", "warn");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said.iter().any(|m| m.contains("may provide the paths \"*\" too") && m.contains("no longer provide"))
    );
    assert!(said.iter().any(|m| m.contains("\"apps\" is delegated to from now on")));
    let first = &review["findings"][0];
    assert_eq!(first["check"], "delegations", "warnings of trust stand first: {:#}", review["findings"]);
    assert_eq!(desk.run(&["review", &id]).exit, Exit::Done);
    let broken = next(&desk, "python-1", |signed| {
        signed["version"] = 5.into();
        signed["delegations"]["roles"][0]["threshold"] = 3.into();
    });
    let (_, review) = import(&desk, &broken, &["--baseline", text(&current)]);
    assert_eq!(review["signable"], false);
    assert!(messages(&review, "delegations", "block").concat().contains("a threshold of 3 with 1 keys"));
}

#[test]
fn what_normalisation_would_change_is_a_finding_and_cannot_be_signed() {
    let desk = desk("python-1");
    let current = fixture("python-1/targets.json");
    for (version, name, value) in [
        (10, "e\u{301}t\u{e9}", Value::from(1)),
        (11, "float", Value::from(1.5)),
        (12, "text", Value::from("e\u{301}")),
    ] {
        let new = next(&desk, "python-1", |signed| {
            signed["version"] = version.into();
            signed["targets"]["app.tar"]["custom"] = serde_json::json!({ name: value });
        });
        let (id, review) = import(&desk, &new, &["--baseline", text(&current)]);
        assert_eq!(review["signable"], false, "{name}");
        assert_ne!(messages(&review, "canonical-portable", "block"), [""; 0], "{name}");
        desk.sign(&id, &review, "alice", &[]).ended(Exit::Refused);
    }
}

#[test]
fn a_replaced_file_is_a_warning_and_a_version_that_does_not_rise_is_refused() {
    let desk = desk("tough-1");
    let current = fixture("tough-1/targets.json");
    let replaced = next(&desk, "tough-1", |signed| {
        signed["targets"]["app.tar"]["hashes"]["sha256"] = "1".repeat(64).into();
    });
    let (_, review) = import(&desk, &replaced, &["--baseline", text(&current)]);
    assert_eq!(review["signable"], true, "{:#}", review["findings"]);
    assert!(
        messages(&review, "hash-changed-same-name", "warn").concat().contains("\"app.tar\" keeps its name")
    );
    let same = next(&desk, "tough-1", |signed| signed["version"] = 3.into());
    let (_, review) = import(&desk, &same, &["--baseline", text(&current)]);
    assert_eq!(review["signable"], false);
    let said = messages(&review, "version-increases", "block").concat();
    assert!(said.contains("the repository is at 3") && said.contains("clients never step back"), "{said}");
    let (_, review) = import(&desk, &next(&desk, "tough-1", |_| {}), &[]);
    assert_eq!(review["signable"], false, "without a baseline");
    assert!(messages(&review, "evidence", "block").concat().contains("--baseline"));
}

#[test]
fn newer_roots_come_with_the_import_and_only_along_the_chain() {
    let desk = Desk::new();
    init(&desk, "python-2", "roots/1.root.json");
    desk.add_officer("alice");
    desk.import_key(&key("python-2", "ed25519"), "alice", "1");
    let current = fixture("python-2/targets.json");
    let new = next(&desk, "python-2", |_| {});
    let with = |roots: &str| {
        desk.run(&[
            "--json",
            "import",
            text(&new),
            "--baseline",
            text(&current),
            "--roots",
            text(&fixture(roots)),
        ])
    };
    assert!(
        with("tough-2/roots/2.root.json").ended(Exit::Refused).err.contains("of the 2 needed signatures")
    );
    assert_eq!(with("python-2/roots/2.root.json").done().json()["root_version"], 2);
}

#[test]
fn each_dialect_refuses_what_is_of_the_other_and_says_so() {
    let desk = Desk::new();
    let roots = common::fixture("acme/1-populate/prod-roots");
    let fingerprint = common::fingerprint(&roots);
    let ran =
        desk.run(&["init", "--factory", "acme", "--roots", text(&roots), "--fingerprint", &fingerprint]);
    assert!(ran.ended(Exit::Usage).err.contains("this is a Factory's root"));
    desk.init("acme", "acme-gateway", "1-populate");
    let targets = fixture("python-1/targets.json");
    let ran = desk.run(&["import", text(&targets), "--tag", "production"]);
    assert!(ran.ended(Exit::Refused).err.contains("this is a repository's (TUF specification) metadata"));
    let ran = desk.run(&["import", text(&targets), "--baseline", text(&targets)]);
    assert!(ran.ended(Exit::Usage).err.contains("this station's root is a Factory's"));

    let desk = self::desk("python-1");
    let ran = desk.run(&["import", text(&common::fixture("acme/1-populate/ci-targets.json"))]);
    assert!(ran.ended(Exit::Refused).err.contains("this is a Factory's metadata"));
    let other = Desk::new();
    let request =
        other.request(&common::fixture("acme/1-populate"), "apps.example", "populate-targets", 12, &[]);
    let ran = desk.run(&["import", text(&request)]);
    assert!(ran.ended(Exit::Refused).err.contains("Take it to the right station"));
    let ran = desk.run(&[
        "key",
        "import",
        text(&common::fixture("acme/targets.keys.tgz")),
        "--officers",
        "alice",
        "--quorum",
        "1",
    ]);
    assert!(ran.ended(Exit::Failed).err.contains("PKCS#8"));
    let out = desk.path("new");
    let ran = desk.run(&[
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
        text(&out),
    ]);
    let keyid = ran.done().json()["keyid"].as_str().expect("a key id").to_owned();
    assert_eq!(
        countersign::testing::tuf::Digest::of(&read(&out.join(format!("{keyid}.json")))).to_string(),
        keyid
    );
}

#[test]
fn a_target_outside_the_paths_of_its_role_is_blocked() {
    let folder = "python-1";
    let desk = Desk::new();
    init(&desk, folder, "roots");
    desk.add_officer("carol");
    let top = fixture(&format!("{folder}/targets.json"));
    let by = ["--role", "firmware", "--delegated-by", text(&top)];
    let file = key(folder, "firmware");
    let import_key = ["key", "import", text(&file), "--officers", "carol", "--quorum", "1"];
    desk.run(&[import_key.as_slice(), &by].concat()).done();
    let current = fixture(&format!("{folder}/firmware.json"));
    for (name, is_inside) in
        [("firmware/a", true), ("a.bin", true), ("other/a", false), ("firmware/a/b", false)]
    {
        let mut role = json(&current);
        role["signatures"] = Value::Array(Vec::new());
        role["signed"]["version"] = 2.into();
        role["signed"]["expires"] = "2027-06-01T00:00:00Z".into();
        role["signed"]["targets"][name] =
            serde_json::json!({"length": 3, "hashes": {"sha256": "0".repeat(64)}});
        let new = desk.path("firmware.json");
        std::fs::write(&new, role.to_string()).expect("written");
        let (id, review) = import(&desk, &new, &[&by[..], &["--baseline", text(&current)]].concat());
        assert_eq!(review["signable"], is_inside, "{name}: {:#}", review["findings"]);
        let said = messages(&review, "delegations", "block").concat();
        assert_eq!(said.contains(&format!("may not provide the target \"{name}\"")), !is_inside, "{said}");
        if !is_inside {
            desk.sign(&id, &review, "carol", &[]).ended(Exit::Refused);
        }
    }
}

#[test]
fn a_role_that_no_file_can_be_named_after_is_refused_before_its_key_is_sealed() {
    let folder = "python-1";
    let desk = Desk::new();
    init(&desk, folder, "roots");
    desk.add_officer("carol");
    let file = key(folder, "firmware");
    for role in ["a/b", "../x", "1.root", "2.firmware", "root", "timestamp", ".x", "a b"] {
        let mut top = json(&fixture(&format!("{folder}/targets.json")));
        top["signed"]["delegations"]["roles"][0]["name"] = role.into();
        let path = desk.path("top.json");
        std::fs::write(&path, top.to_string()).expect("written");
        let import_key = ["key", "import", text(&file), "--officers", "carol", "--quorum", "1"];
        let by = ["--role", role, "--delegated-by", text(&path)];
        let said = desk.run(&[import_key.as_slice(), &by].concat()).ended(Exit::Refused).err;
        assert!(said.contains("cannot be published as a file"), "{said}");
    }
    assert_eq!(desk.run(&["--json", "key", "list"]).json(), serde_json::json!([]), "nothing is sealed");
}

#[test]
fn a_root_with_a_key_that_is_not_known_here_makes_a_station_that_shows_it() {
    use countersign::testing::tuf::Root;
    let key = Signer::of_repository(1);
    let signed = serde_json::json!({
        "_type": "root", "spec_version": "1.0.31", "version": 1, "expires": "2030-01-01T00:00:00Z",
        "consistent_snapshot": true,
        "keys": {
            key.keyid.as_str(): key.public(),
            "oidc": {"keytype": "sigstore-oidc", "scheme": "Fulcio",
                "keyval": {"identity": "a@b.example", "issuer": "https://accounts.example"}},
        },
        "roles": {
            "root": {"keyids": [key.keyid.as_str()], "threshold": 1}, "targets": {"keyids": [key.keyid.as_str(), "oidc"], "threshold": 1},
            "snapshot": {"keyids": [key.keyid.as_str()], "threshold": 1}, "timestamp": {"keyids": [key.keyid.as_str()], "threshold": 1},
        },
    });
    let desk = Desk::new();
    let root = desk.path("1.root.json");
    std::fs::write(&root, envelope(&signed, &[&key])).expect("written");
    let fingerprint = Root::parse("root", &read(&root)).expect("a root").fingerprint.to_string();
    let init = ["init", "--factory", "apps.example", "--roots", text(&root), "--fingerprint", &fingerprint];
    desk.run(&[init.as_slice(), &["--networked"]].concat()).done();
    let new = desk.path("targets.json");
    let targets = serde_json::json!({"signatures": [], "signed": {
        "_type": "targets", "spec_version": "1.0.31", "version": 1, "expires": "2027-06-01T00:00:00Z", "targets": {},
    }});
    std::fs::write(&new, targets.to_string()).expect("written");
    let (id, review) = import(&desk, &new, &[]);
    assert!(review["repository"]["unusable_keys"][0].as_str().is_some_and(|said| said.starts_with("oidc: ")));
    let shown = desk.run(&["review", &id]).out;
    assert!(shown.contains("no signature of this key counts here: oidc"), "{shown}");
    // A signature by it is kept, for clients that know the type, and by one that nobody lists is not.
    let mut signed_by_it = targets.clone();
    let one = |keyid: &str| serde_json::json!({"keyid": keyid, "sig": "00".repeat(64)});
    signed_by_it["signatures"] = serde_json::json!([one("oidc"), one("stranger")]);
    std::fs::write(&new, signed_by_it.to_string()).expect("written");
    desk.add_officer("mara");
    std::fs::write(desk.path("key.der"), key.pkcs8()).expect("written");
    desk.import_key(&desk.path("key.der"), "mara", "1");
    let (id, review) = import(&desk, &new, &[]);
    assert!(messages(&review, "existing-signatures", "note").concat().contains("It is kept"));
    desk.sign(&id, &review, "mara", &[]).done();
    let bundle = desk.export(&id, "signed");
    let made = json(&bundle.join("targets.json"));
    let keyids: Vec<&str> = made["signatures"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["keyid"].as_str())
        .collect();
    assert!(keyids.contains(&"oidc") && !keyids.contains(&"stranger"), "{keyids:?}");
    let verdict = desk.run(&["--json", "verify", text(&bundle), "--roots", text(&root)]).done().json();
    assert_eq!(verdict["complete"], true);
    assert!(verdict["skipped"][0].as_str().is_some_and(|said| said.contains("not known here")), "{verdict}");
}
