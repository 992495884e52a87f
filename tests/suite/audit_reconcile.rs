//! What an auditor may rely on when published files are compared with the log, and when a receipt is checked: nothing
//! is passed over in silence, and each refusal says what is wrong and what to do.

use crate::common;

use common::{Desk, Ran, fixture, json, text};
use countersign::testing::cli::Exit;
use serde_json::{Value, json as value};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A pack of a station that signed fioctl's waves 12 and 42.
struct Pack {
    _desk: Desk,
    dir: PathBuf,
    bundles: Vec<PathBuf>,
}

fn pack() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(|| {
        let desk = Desk::new();
        desk.init("acme", "acme-gateway", "1-populate");
        desk.add_officer("alice");
        desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
        let mut bundles = Vec::new();
        for (step, wave, version) in [("1-populate", "populate-targets", 12), ("2-update", "v2.0-update", 42)]
        {
            let request = desk.request(&fixture(&format!("acme/{step}")), "acme-gateway", wave, version, &[]);
            let (id, review) = desk.import(&request);
            desk.sign(&id, &review, "alice", &[]).done();
            bundles.push(desk.export(&id, &format!("signed-{version}")));
        }
        let dir = desk.path("evidence");
        desk.run(&["log", "export", text(&dir)]).done();
        Pack { _desk: desk, dir, bundles }
    })
}

fn audit(arguments: &[&str]) -> Ran {
    Desk::new().run(&[&["audit"], arguments].concat())
}

fn reconcile(targets: &[&Path], more: &[&str]) -> Ran {
    let mut arguments = vec!["reconcile", text(&pack().dir), "--targets"];
    arguments.extend(targets.iter().map(|path| text(path)));
    arguments.extend(more);
    audit(&arguments)
}

/// The findings' words, what was skipped by file name with the reason, and all of the answer.
fn compared(targets: &[&Path], exit: Exit) -> (Vec<String>, Vec<(String, String)>, Value) {
    let answer = reconcile(targets, &["--json"]).ended(exit).json();
    let words = answer["lines"].as_array().expect("lines").iter();
    let words = words.map(|line| line["finding"].as_str().expect("a word").to_owned()).collect();
    let skipped = answer["skipped"].as_array().expect("a list").iter();
    let skipped = skipped.map(|one| {
        let place = one["place"].as_str().expect("a place");
        let name = place.rsplit('/').next().expect("a name");
        (name.to_owned(), one["reason"].as_str().expect("a reason").to_owned())
    });
    (words, skipped.collect(), answer)
}

fn names(skipped: &[(String, String)]) -> Vec<&str> {
    skipped.iter().map(|(name, _)| name.as_str()).collect()
}

/// A folder with the two published documents of the station.
fn published() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (at, bundle) in pack().bundles.iter().enumerate() {
        let to = folder.path().join(format!("{at}.json"));
        std::fs::copy(bundle.join("targets.json"), to).expect("copied");
    }
    folder
}

fn put(folder: &Path, name: &str, content: &Value) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content.to_string()).expect("written");
    path
}

#[test]
fn a_downloads_folder_is_compared_whole_and_what_is_no_production_metadata_is_named() {
    let folder = fixture("acme/2-update");
    let (words, skipped, answer) = compared(&[&folder], Exit::Done);
    assert_eq!(words, ["MATCH", "MATCH", "MATCH"], "prod-targets.json, wave-create.json, wave.json");
    assert_eq!((answer["files"].as_u64(), answer["documents"].as_u64()), (Some(3), Some(3)));
    let reason = |name: &str| {
        let found = skipped.iter().find(|(place, _)| place == name);
        found.unwrap_or_else(|| panic!("{name}: {skipped:?}")).1.clone()
    };
    for name in ["waves.json", "targets-42.json"] {
        assert_eq!(reason(name), "not production targets metadata, skipped");
    }
    assert!(reason("ci-targets.json").contains("CI targets"));
    assert!(reason("ci-targets.pub").contains(".json"));
    assert!(reason("prod-roots").contains("folder"));
    assert_eq!(skipped.len(), 6, "{skipped:?}");
    let said = reconcile(&[&folder], &[]).done().out;
    assert!(said.contains("waves.json: not production targets metadata, skipped\n"), "{said}");
    let counts =
        "Compared: 3 documents of published targets metadata in 3 files; 6 skipped, 0 not readable\n";
    assert!(said.contains(counts), "{said}");
    // A later state of the same Factory: what another station signed is found, whatever lies beside it.
    let (words, skipped, _) = compared(&[&fixture("acme/6-final")], Exit::Tampered);
    assert!(words.contains(&"UNLOGGED".to_owned()), "{words:?}");
    assert!(names(&skipped).contains(&"waves.json"), "{skipped:?}");
    // Roots are metadata, and not of targets.
    let folder = published();
    std::fs::copy(fixture("acme/2-update/prod-roots/3.root.json"), folder.path().join("root.json"))
        .expect("copied");
    let (words, skipped, _) = compared(&[folder.path()], Exit::Done);
    assert_eq!(
        (words.as_slice(), names(&skipped).as_slice()),
        (&["MATCH".to_owned(), "MATCH".to_owned()][..], &["root.json"][..])
    );
    assert_eq!(skipped[0].1, "not production targets metadata, skipped");
}

#[test]
fn every_name_that_is_not_read_is_listed_with_the_reason() {
    let folder = published();
    let at = |name: &str| folder.path().join(name);
    std::fs::rename(at("1.json"), at("1.JSON")).expect("renamed");
    std::os::unix::fs::symlink(at("0.json"), at("link.json")).expect("linked");
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe.json"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .expect("made");
    std::fs::create_dir(at("waves")).expect("made");
    std::fs::copy(at("0.json"), at("0.json.bak")).expect("copied");
    let (words, skipped, answer) = compared(&[folder.path()], Exit::Done);
    assert_eq!(words, ["MATCH", "MATCH"], "an ending in capitals is read too");
    assert_eq!(answer["files"], 2);
    assert_eq!(names(&skipped), ["0.json.bak", "link.json", "pipe.json", "waves"]);
    for (at, word) in ["does not end in .json", "link", "special file", "folder"].iter().enumerate() {
        assert!(skipped[at].1.contains(word), "{skipped:?}");
    }
    // A folder within is compared when it is named too, and is then no longer listed; a file named twice counts once.
    std::fs::rename(at("0.json"), at("waves/0.json")).expect("moved");
    let (words, skipped, answer) =
        compared(&[folder.path(), &at("waves"), &at("waves/0.json"), &at("1.JSON")], Exit::Done);
    assert_eq!((words.len(), answer["files"].as_u64()), (2, Some(2)), "{answer}");
    assert_eq!(names(&skipped), ["0.json.bak", "link.json", "pipe.json"]);
    // What was named itself is not passed over.
    for name in ["link.json", "pipe.json", "absent.json"] {
        let ran = reconcile(&[&at(name)], &[]).ended(Exit::Failed);
        assert!(ran.err.contains(name) && ran.out.is_empty(), "{}", ran.err);
    }
}

#[test]
fn a_file_named_itself_that_is_no_targets_metadata_is_an_error_that_names_it() {
    for name in ["waves.json", "targets-42.json", "prod-roots/3.root.json", "ci-targets.pub"] {
        let path = fixture("acme/2-update").join(name);
        let ran = reconcile(&[&path, &fixture("acme/2-update/prod-targets.json")], &[]).ended(Exit::Failed);
        assert!(ran.err.contains(name), "{}", ran.err);
    }
    // CI targets are targets metadata, only not this station's: named, and nothing was compared.
    let (words, skipped, _) = compared(&[&fixture("acme/2-update/ci-targets.json")], Exit::Failed);
    assert_eq!(words, ["UNPUBLISHED", "UNPUBLISHED"]);
    assert_eq!(names(&skipped), ["ci-targets.json"]);
    let ran = reconcile(&[&fixture("acme/2-update/ci-targets.json")], &[]).ended(Exit::Failed);
    assert!(ran.err.contains("No document was compared"), "{}", ran.err);
}

#[test]
fn members_of_a_map_that_are_no_documents_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let targets = json(&pack().bundles[1].join("targets.json"));
    let map = value!({ "production": targets, "a\u{1b}b": 1, "empty": {} });
    let (words, skipped, _) = compared(&[&put(folder.path(), "map.json", &map)], Exit::Done);
    assert_eq!(words, ["UNPUBLISHED", "MATCH"]);
    assert_eq!(skipped[0].1, "[a\\u{1b}b, empty]: not production targets metadata, skipped");
}

#[test]
fn a_signature_that_was_stripped_from_a_published_document_is_grave() {
    let folder = published();
    let path = folder.path().join("1.json");
    let whole = json(&path);
    let lines = |exit: Exit| {
        let (words, _, answer) = compared(&[folder.path()], exit);
        (words, answer["lines"].clone(), answer["grave"].as_u64())
    };
    let mut stripped = whole.clone();
    stripped["signatures"] = value!([]);
    put(folder.path(), "1.json", &stripped);
    let (words, found, grave) = lines(Exit::Tampered);
    assert_eq!((words.as_slice(), grave), (&["SIG-MISSING".to_owned(), "MATCH".to_owned()][..], Some(1)));
    let sentence = found[0]["text"].as_str().expect("a sentence");
    assert!(sentence.contains("version 42") && sentence.contains("lacks this signature"), "{sentence}");
    // Under another key's name, and beside a whole copy: each document is asked for its own signatures.
    let mut renamed = whole.clone();
    renamed["signatures"][0]["keyid"] = "00".repeat(32).into();
    put(folder.path(), "1.json", &renamed);
    put(folder.path(), "2.json", &value!({ "production": whole }));
    assert_eq!(lines(Exit::Tampered).0, ["SIG-MISSING", "MATCH", "MATCH"]);
    // Without the member at all it is a damaged document, and not one that is passed over.
    std::fs::remove_file(folder.path().join("2.json")).expect("removed");
    let mut damaged = whole.clone();
    damaged.as_object_mut().expect("an object").remove("signatures");
    put(folder.path(), "1.json", &damaged);
    let (_, skipped, answer) = compared(&[folder.path()], Exit::Failed);
    assert!(skipped[0].1.contains("signatures") && answer["skipped"][0]["unread"] == true, "{answer}");
}

#[test]
fn other_bytes_under_a_signed_tag_and_version_are_grave_without_our_signature_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut other = json(&pack().bundles[1].join("targets.json"));
    other["signatures"] = value!([]);
    other["signed"]["expires"] = "2028-11-23T00:00:00Z".into();
    let bare = put(folder.path(), "targets.json", &other);
    assert!(compared(&[&bare], Exit::Tampered).0.contains(&"BYTES-DIFFER".to_owned()));
    // Its place says for which tag it is, whatever its targets say.
    for target in other["signed"]["targets"].as_object_mut().expect("targets").values_mut() {
        target["custom"]["tags"] = value!(["elsewhere"]);
    }
    let map = put(folder.path(), "map.json", &value!({ "production": other }));
    assert!(compared(&[&map], Exit::Tampered).0.contains(&"BYTES-DIFFER".to_owned()));
    let wave = value!({ "name": "w", "version": "42", "tag": "production", "targets": other });
    let wave = put(folder.path(), "wave.json", &wave);
    assert!(compared(&[&wave], Exit::Tampered).0.contains(&"BYTES-DIFFER".to_owned()));
    // CI targets count their versions by themselves: the same number is no alarm.
    let mut ci = json(&fixture("acme/2-update/ci-targets.json"));
    ci["signed"]["version"] = 42.into();
    for target in ci["signed"]["targets"].as_object_mut().expect("targets").values_mut() {
        target["custom"]["tags"] = value!(["main", "production"]);
    }
    let ci = put(folder.path(), "ci-targets.json", &ci);
    let (words, skipped, _) = compared(&[&ci, &pack().bundles[1].join("targets.json")], Exit::Done);
    assert_eq!(
        (words.as_slice(), names(&skipped).as_slice()),
        (&["UNPUBLISHED".to_owned(), "MATCH".to_owned()][..], &["ci-targets.json"][..])
    );
}

#[test]
fn a_damaged_file_in_a_folder_is_named_and_the_rest_is_compared_and_the_exit_says_so() {
    let folder = published();
    std::fs::write(folder.path().join("cut.json"), "{\"production\": {\"signed\"").expect("written");
    let (words, skipped, answer) = compared(&[folder.path()], Exit::Failed);
    assert_eq!(words, ["MATCH", "MATCH"]);
    assert_eq!(
        (names(&skipped).as_slice(), answer["skipped"][0]["unread"].as_bool()),
        (&["cut.json"][..], Some(true))
    );
    let ran = reconcile(&[folder.path()], &[]).ended(Exit::Failed);
    assert!(
        ran.out.contains("not compared") && ran.err.contains("could not be read"),
        "{}{}",
        ran.out,
        ran.err
    );
    // What is grave is said first.
    std::fs::copy(fixture("acme/3-prune/wave-create.json"), folder.path().join("3.json")).expect("copied");
    assert!(compared(&[folder.path()], Exit::Tampered).0.contains(&"UNLOGGED".to_owned()));
}

#[test]
fn a_file_over_the_cap_is_refused_before_it_is_read_and_the_cap_can_be_raised() {
    let folder = published();
    let huge = folder.path().join("huge.json");
    std::fs::File::create(&huge).expect("made").set_len((64 << 20) + 1).expect("sparse");
    let ran = reconcile(&[&huge], &[]).ended(Exit::Failed);
    assert!(ran.err.contains("it has 67108865 bytes, at most 67108864 are read"), "{}", ran.err);
    assert!(ran.err.contains("--max-file-bytes"), "{}", ran.err);
    let (words, skipped, _) = compared(&[folder.path()], Exit::Failed);
    assert_eq!((words.len(), names(&skipped).as_slice()), (2, &["huge.json"][..]));
    let one = folder.path().join("0.json");
    let length = std::fs::metadata(&one).expect("a file").len();
    reconcile(&[&one], &["--max-file-bytes", &(length - 1).to_string()]).ended(Exit::Failed);
    reconcile(&[&one], &["--max-file-bytes", &length.to_string()]).done();
}

/// The receipt of the first signature, and the log's key.
fn receipt() -> (String, String) {
    let text = |path: PathBuf| String::from_utf8(common::read(&path)).expect("text");
    let receipt = text(pack().bundles[0].join("log/receipt.tlog-proof"));
    (receipt, text(pack().dir.join("vkey")).trim().to_owned())
}

fn check(content: &str, key: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("receipt");
    std::fs::write(&file, content).expect("written");
    audit(&["check-proof", text(&file), "--key", key])
}

#[test]
fn a_receipt_that_does_not_hold_says_why_and_what_to_do_and_nothing_about_the_log() {
    let (good, key) = receipt();
    check(&good, &key).done();
    let lines: Vec<&str> = good.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("index ")).expect("an index");
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        format!("{}\n", lines.join("\n"))
    };
    let size = lines.iter().position(|line| line.is_empty()).expect("a blank line") + 2;
    let cases = [
        (with(at, "index 0"), "does not lead"),
        (with(at + 1, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), "does not lead"),
        (with(at + 1, "A"), "not a SHA-256"),
        (with(at, "index x"), "no index"),
        (with(size, "1"), "signature of the log's key does not hold"),
        (good.replace('\n', "\r\n"), "carriage returns"),
        (lines[..=at].join("\n"), "no checkpoint"),
    ];
    for (changed, why) in cases {
        let ran = check(&changed, &key).ended(Exit::Tampered);
        assert!(
            ran.err.contains("the receipt does not hold: ") && ran.err.contains(why),
            "{why}: {}",
            ran.err
        );
        assert!(ran.err.contains("Ask for the receipt again"), "{}", ran.err);
        assert!(!ran.err.contains("log is not what it was") && ran.out.is_empty(), "{}", ran.err);
    }
}

#[test]
fn a_receipt_by_another_key_is_said_to_be_that() {
    let (good, key) = receipt();
    let other = countersign::testing::tlog::note::NoteSigner::new("another", &[1; 32]).expect("a signer");
    let name = key.split('+').next().expect("a name");
    // Another log's key, and another key under the same name.
    let same_name = countersign::testing::tlog::note::NoteSigner::new(name, &[1; 32]).expect("a signer");
    for given in [other.public().to_string(), same_name.public().to_string()] {
        let ran = check(&good, &given).ended(Exit::Tampered);
        let why = format!("the receipt does not hold: it is by another key than {given}");
        assert!(ran.err.contains(&why) && ran.err.contains(name) && ran.err.contains("--key"), "{}", ran.err);
        assert!(!ran.err.contains("log is not what it was"), "{}", ran.err);
    }
}

#[test]
fn a_file_that_is_no_receipt_is_an_error_and_not_a_verdict() {
    let (good, key) = receipt();
    let checkpoint = std::fs::read_to_string(pack().bundles[0].join("log/checkpoint")).expect("text");
    for other in ["", "{}", checkpoint.as_str()] {
        let ran = check(other, &key).ended(Exit::Failed);
        assert!(ran.err.contains("is not a receipt") && ran.err.contains("audit prove"), "{}", ran.err);
    }
    // A tlog-proof may come without the entry; then there is nothing to check.
    let bare: String = good.split_inclusive('\n').filter(|line| !line.starts_with("extra ")).collect();
    let ran = check(&bare, &key).ended(Exit::Failed);
    assert!(ran.err.contains("does not carry its entry"), "{}", ran.err);
}
