//! What comes on a stick is hostile: every kind of damage is refused with the file and a way out, nothing is signed,
//! and nothing that was there is lost.

use crate::common;
use crate::support::counting_disk;

use common::{Desk, fixture, json, read, rewrite, text};
use countersign::testing::bundle::intake::{BareFacts, take_in};
use countersign::testing::ceremony::prepare::with_review;
use countersign::testing::cli::Exit;
use countersign::testing::host::clock::Time;
use countersign::testing::station::{Station, StoredRequest};
use counting_disk::Counting;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "2-update");
    desk
}

fn update_request(desk: &Desk) -> PathBuf {
    desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[])
}

#[track_caller]
fn refused(desk: &Desk, path: &Path, exit: Exit, words: &[&str]) {
    let ran = desk.run(&["import", text(path)]).ended(exit);
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in: {}", ran.err);
    }
    assert!(!ran.err.bytes().any(|b| b < 0x20 && b != b'\n'), "a control character reached the terminal");
}

#[test]
fn what_is_not_a_request_is_refused_with_the_file_and_a_way_out() {
    let desk = desk();
    let write = |name: &str, bytes: &[u8]| {
        let path = desk.path(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    refused(&desk, &desk.path("absent"), Exit::Failed, &["absent", "Check the path"]);
    refused(&desk, &write("empty.json", b""), Exit::Failed, &["empty.json", "it is empty"]);
    refused(&desk, &write("text.json", b"hello"), Exit::Failed, &["text.json", "line 1, column 1"]);
    refused(&desk, &write("list.json", b"[]"), Exit::Failed, &["list.json", "signed"]);
    refused(&desk, &write("number.json", b"7"), Exit::Failed, &["number.json"]);
    let wave = read(&fixture("acme/2-update/wave-create.json"));
    refused(
        &desk,
        &write("cut.json", &wave[..wave.len() / 2]),
        Exit::Failed,
        &["cut.json", "ends in the middle"],
    );
    let mut twice = b"{\"targets\":{},".to_vec();
    twice.extend_from_slice(&wave[1..]);
    refused(&desk, &write("twice.json", &twice), Exit::Failed, &["twice.json", "stands twice"]);
    let folder = desk.path("folder");
    std::fs::create_dir(&folder).expect("made");
    refused(&desk, &folder, Exit::Failed, &["there is no request.json in this folder"]);
    std::fs::create_dir(folder.join("request.json")).expect("made");
    refused(&desk, &folder, Exit::Failed, &["request.json", "a file is needed"]);
    let root = fixture("acme/2-update/prod-roots/3.root.json");
    refused(&desk, &root, Exit::Failed, &["3.root.json"]);
    std::os::unix::fs::symlink(fixture("acme/2-update/wave.json"), desk.path("link")).expect("linked");
    refused(&desk, &desk.path("link"), Exit::Failed, &["links are not followed"]);
    let hostile = desk.path("\u{1b}[31mred\u{202e}.json");
    std::fs::write(&hostile, b"{").expect("written");
    refused(&desk, &hostile, Exit::Failed, &["\\u{1b}", "\\u{202e}"]);
}

#[test]
fn a_file_past_the_cap_of_the_policy_is_refused_before_it_is_read() {
    let desk = desk();
    let path = desk.path("sparse.json");
    let file = std::fs::File::create(&path).expect("made");
    // A sparse file of 2 TiB: reading or allocating it would not go unnoticed.
    file.set_len(2 << 40).expect("sized");
    refused(&desk, &path, Exit::Failed, &["sparse.json", "at most 67108864 are read", "max_file_bytes"]);
}

/// Adds sparse files to a folder, each of so many bytes, and lists them in its manifest with the length given.
fn add_sparse(folder: &Path, manifest_name: &str, count: usize, bytes: u64, said: u64) {
    let mut manifest = json(&folder.join(manifest_name));
    for at in 0..count {
        let name = format!("more-{at}");
        let file = std::fs::File::create(folder.join(&name)).expect("made");
        file.set_len(bytes).expect("sized");
        let digest = "0".repeat(64);
        manifest["files"][name] = serde_json::json!({ "length": said, "sha256": digest });
    }
    std::fs::write(folder.join(manifest_name), serde_json::to_vec_pretty(&manifest).expect("json"))
        .expect("written");
}

const FULL: u64 = 64 << 20;

#[test]
fn files_that_are_more_together_than_is_read_are_refused_before_one_is_read() {
    let mut desk = desk();
    let disk = Arc::new(Counting::default());
    desk.host.disk = disk.clone();
    let requests = desk.station().join("requests");
    let read_of =
        |folder: &Path| disk.take(0).into_keys().filter(|path| path.starts_with(folder)).collect::<Vec<_>>();
    // Eight times 64 MiB are 536870912 bytes: eight such files and a request beside them are too much.
    let words = ["request.json", "together", "at most 536870912 are read", "max_file_bytes"];
    let request = update_request(&desk);
    add_sparse(&request, "request.json", 8, FULL, FULL);
    disk.take(0);
    refused(&desk, &request, Exit::Failed, &words);
    assert_eq!(read_of(&request), [request.join("request.json")]);
    // Lengths of which the sum is no number any more.
    add_sparse(&request, "request.json", 4096 - 10, 1, (1 << 53) - 1);
    refused(&desk, &request, Exit::Failed, &words);
    assert_eq!(read_of(&request), [request.join("request.json")]);
    // Files that are longer than the manifest says.
    std::fs::remove_dir_all(&request).expect("removed");
    let request = update_request(&desk);
    add_sparse(&request, "request.json", 24, FULL, 1);
    disk.take(0);
    refused(&desk, &request, Exit::Failed, &["more-0: it has 67108864 bytes, the manifest says 1"]);
    assert_eq!(read_of(&request), [request.join("request.json")]);
    assert_eq!(std::fs::read_dir(requests).expect("listed").count(), 0, "nothing was kept");
    let log = desk.run(&["--json", "log", "show", "--type", "request.rejected"]).done().json();
    assert_eq!(log.as_array().map(Vec::len), Some(3));
}

#[test]
fn a_bundle_with_more_than_is_read_is_refused_before_one_file_is_read() {
    let mut desk = desk();
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let (id, review) = desk.import(&update_request(&desk));
    desk.sign(&id, &review, "alice", &[]).done();
    let disk = Arc::new(Counting::default());
    desk.host.disk = disk.clone();
    for (at, said) in [FULL, 1].into_iter().enumerate() {
        let bundle = desk.export(&id, &format!("signed-{at}"));
        add_sparse(&bundle, "signed.json", 9, FULL, said);
        disk.take(0);
        let ran = desk.run(&["verify", text(&bundle)]).ended(Exit::Failed);
        assert!(ran.err.contains("together, at most 536870912 are read"), "{}", ran.err);
        let read: Vec<_> = disk.take(0).into_keys().filter(|path| path.starts_with(&bundle)).collect();
        assert_eq!(read, [bundle.join("signed.json")]);
    }
}

#[test]
fn a_request_of_another_factory_or_with_another_root_chain_is_refused() {
    let desk = desk();
    let other = desk.request(&fixture("acme/1-populate"), "other-factory", "w", 12, &[]);
    refused(&desk, &other, Exit::Refused, &["\"other-factory\"", "\"acme-gateway\" only"]);
    let foreign = desk.request(&fixture("rsa/1-populate"), "acme-gateway", "foreign", 12, &[]);
    refused(&desk, &foreign, Exit::Refused, &["the root chain does not hold", "of another Factory"]);
}

#[test]
fn metadata_of_a_wrong_role_or_type_is_refused() {
    let desk = desk();
    let wave = String::from_utf8(read(&fixture("acme/2-update/wave-create.json"))).expect("text");
    for (from, to, words) in [
        ("\"_type\":\"Targets\"", "\"_type\":\"Root\"", "is needed here"),
        ("\"version\":42}", "\"version\":\"42\"}", "a whole number is needed"),
        ("\"version\":42}", "\"version\":0}", "from 1"),
        ("\"version\":42}", "\"version\":4.2}", "a whole number is needed"),
        ("\"signatures\":[", "\"signatures\":[3,", "signatures[0]"),
        ("\"targets\":{\"intel", "\"targets\":{\"x\":7,\"intel", "an object is needed"),
    ] {
        assert!(wave.contains(from), "{from}");
        let path = desk.path("changed.json");
        std::fs::write(&path, wave.replacen(from, to, 1)).expect("written");
        refused(&desk, &path, Exit::Failed, &[words]);
    }
}

fn blocking(review: &serde_json::Value) -> Vec<String> {
    let findings = review["findings"].as_array().cloned().unwrap_or_default();
    let blocks = findings.iter().filter(|finding| finding["severity"] == "block");
    blocks.filter_map(|finding| finding["check"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_request_with_changed_evidence_or_content_is_refused_with_the_reason() {
    for (name, from, to, check) in [
        ("targets.json", "\"lmp-ver\":\"94\"", "\"lmp-ver\":\"95\"", "added-from-ci"),
        ("targets.json", "\"lmp-ver\":\"91\"", "\"lmp-ver\":\"92\"", "untouched"),
        ("targets.json", "\"tags\":[\"production\"]", "\"tags\":[\"devel\"]", "untouched"),
        (
            "targets.json",
            "\"_type\":\"Targets\",",
            "\"_type\":\"Targets\",\"delegations\":{},",
            "composition",
        ),
        ("current.json", "\"lmp-ver\": \"91\"", "\"lmp-ver\": \"90\"", "baseline-threshold"),
        ("ci-targets.json", "\"lmp-ver\": \"94\"", "\"lmp-ver\": \"95\"", "ci-signature"),
    ] {
        let desk = desk();
        desk.add_officer("alice");
        desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
        let request = update_request(&desk);
        let changed = String::from_utf8(read(&request.join(name))).expect("text");
        assert!(changed.contains(from), "{name}: {from}");
        rewrite(&request, name, changed.replacen(from, to, 1).as_bytes());
        let (id, review) = desk.import(&request);
        assert_eq!(review["signable"], false, "{name}");
        assert!(blocking(&review).iter().any(|one| one == check), "{name}: {:?}", blocking(&review));
        desk.sign(&id, &review, "alice", &[]).ended(Exit::Refused);
        let log = desk.run(&["--json", "log", "show"]).done().json();
        let types: Vec<_> =
            log.as_array().expect("entries").iter().map(|entry| entry["type"].clone()).collect();
        assert!(types.iter().any(|kind| kind == "sign.aborted"), "the refusal is in the log");
        assert!(!types.iter().any(|kind| kind == "sign.intent" || kind == "sign.result"));
    }
}

#[test]
fn a_request_without_evidence_is_blocked() {
    let desk = desk();
    let request = update_request(&desk);
    for missing in ["current.json", "ci-targets.json"] {
        let copy = desk.path(&format!("without-{missing}"));
        let mut manifest = json(&request.join("request.json"));
        std::fs::create_dir_all(copy.join("prod-roots")).expect("made");
        for name in manifest["files"].as_object().expect("files").keys().cloned().collect::<Vec<_>>() {
            if name != missing {
                std::fs::create_dir_all(copy.join(&name).parent().expect("a folder")).expect("made");
                std::fs::copy(request.join(&name), copy.join(&name)).expect("copied");
            }
        }
        manifest["files"].as_object_mut().expect("files").remove(missing);
        std::fs::write(copy.join("request.json"), serde_json::to_vec(&manifest).expect("json"))
            .expect("written");
        let (_, review) = desk.import(&copy);
        assert!(blocking(&review).iter().any(|one| one == "evidence"), "{missing}: {:?}", blocking(&review));
    }
    let (_, review) = desk.import(&request.join("targets.json"));
    assert!(blocking(&review).iter().any(|one| one == "evidence"), "{:?}", blocking(&review));
}

/// Every byte of the files that carry trust, one after another, with the manifest brought in line: either the request
/// is refused, or the very same bytes would be signed as before.
#[test]
fn no_flipped_byte_is_ever_signed() {
    let desk = desk();
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let request = update_request(&desk);
    let station = Station::open(&desk.host, &desk.station(), None).expect("the station");
    let now = Time::parse(common::NOW).expect("a time");
    let judge = |folder: &Path| -> Option<(bool, String)> {
        let taken = take_in(&*desk.host.disk, folder, 1 << 20, &BareFacts::default(), now).ok()?;
        if taken.manifest.factory != station.facts.factory {
            return None;
        }
        let mut chain = station.trust.chain.clone();
        for (name, bytes) in taken.production_roots() {
            chain.extend(countersign::testing::tuf::Root::of_file(name, bytes).ok()?).ok()?;
        }
        let stored = StoredRequest { request: taken };
        with_review(&station, now, &stored, |situation, review| {
            (review.signable(), situation.message.digest().to_string())
        })
        .ok()
    };
    let (signable, honest) = judge(&request).expect("the request itself");
    assert!(signable);
    // The newest root and the baseline are small, targets.json is the thing itself: each byte of them. The stride keeps
    // the suite fast; it shares no factor with the lengths of repeated structures, so every kind of place is met.
    for (name, stride) in
        [("targets.json", 11), ("current.json", 11), ("prod-roots/3.root.json", 7), ("request.json", 3)]
    {
        let whole = read(&request.join(name));
        let manifest = read(&request.join("request.json"));
        for at in (0..whole.len()).step_by(stride) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 7);
            if name == "request.json" {
                std::fs::write(request.join(name), &flipped).expect("written");
            } else {
                rewrite(&request, name, &flipped);
            }
            if let Some((signable, digest)) = judge(&request) {
                // What request.json says of itself (tool, time, the wave's name) is not part of what is signed.
                assert!(
                    !signable || (name == "request.json" && digest == honest),
                    "{name}: byte {at} was signable"
                );
            }
            std::fs::write(request.join(name), &whole).expect("restored");
            std::fs::write(request.join("request.json"), &manifest).expect("restored");
        }
    }
}

#[test]
fn production_targets_of_another_tag_leave_no_mark_on_this_one() {
    let desk = desk();
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let request = update_request(&desk);
    let mut manifest = json(&request.join("request.json"));
    manifest["tag"] = "beta".into();
    std::fs::write(request.join("request.json"), serde_json::to_vec_pretty(&manifest).expect("JSON"))
        .expect("written");
    let (id, _) = desk.import(&request);
    let review = desk.run(&["--json", "review", &id]).ended(Exit::Refused).json();
    let findings = review["findings"].as_array().expect("findings");
    assert!(findings.iter().any(|finding| finding["check"] == "baseline-replayed"), "{review}");
    let entry = desk.run(&["--json", "log", "show", "--type", "request.imported"]).done().json();
    let objects = entry[0]["objects"].as_array().expect("objects");
    assert!(!objects.iter().any(|one| one["name"].as_str().is_some_and(|name| name.starts_with("baseline"))));
}

#[test]
fn a_folder_of_roots_that_is_too_much_to_read_is_refused_unread() {
    let desk = Desk::new();
    let folder = desk.path("roots");
    std::fs::create_dir(&folder).expect("made");
    for version in 1..=80 {
        // Sparse: as long as a root may be, and on the stick next to nothing.
        let file = std::fs::File::create(folder.join(format!("{version}.root.json"))).expect("made");
        file.set_len(1 << 20).expect("long");
    }
    std::fs::copy(fixture("acme/2-update/prod-roots/1.root.json"), folder.join("1.root.json"))
        .expect("copied");
    let online = fixture("acme/2-update/ci-targets.pub");
    let arguments =
        ["init", "--factory", "acme", "--roots", text(&folder), "--online-key", text(&online), "--networked"];
    let ran = desk.run(&arguments);
    assert_ne!(ran.exit, Exit::Done);
    let downloads = desk.path("downloads");
    common::copy_folder(&fixture("acme/2-update"), &downloads);
    std::fs::remove_dir_all(downloads.join("prod-roots")).expect("removed");
    std::fs::rename(&folder, downloads.join("prod-roots")).expect("moved");
    let out = desk.path("out");
    let ran = desk.run(&[
        "request",
        "--from",
        text(&downloads),
        "--factory",
        "acme",
        "--wave",
        "w",
        "--version",
        "42",
        "--tag",
        "production",
        "--out",
        text(&out),
    ]);
    assert!(ran.err.contains("more than 64 MiB together"), "{}", ran.err);
}

/// Turns a request into one that asks to sign production's targets of a tag again, with these files beside its roots.
fn ask_again(request: &Path, tag: &str, version: u64, files: &[(&str, Vec<u8>)]) {
    let mut manifest = json(&request.join("request.json"));
    let listed = manifest["files"].as_object_mut().expect("files");
    listed.retain(|name, _| name.starts_with("prod-roots/"));
    for name in ["targets.json", "current.json", "ci-targets.json", "waves.json"] {
        let _ = std::fs::remove_file(request.join(name));
    }
    for ci_root in std::fs::read_dir(request.join("ci-roots")).into_iter().flatten() {
        std::fs::remove_file(ci_root.expect("listed").path()).expect("removed");
    }
    for (member, value) in [("kind", "resign"), ("wave", ""), ("tag", tag)] {
        manifest[member] = value.into();
    }
    manifest["version"] = version.into();
    for absent in ["source_tag", "prune", "parameters"] {
        manifest.as_object_mut().expect("an object").remove(absent);
    }
    std::fs::write(request.join("request.json"), serde_json::to_vec_pretty(&manifest).expect("JSON"))
        .expect("written");
    for (name, bytes) in files {
        rewrite(request, name, bytes);
    }
}

#[test]
fn what_production_never_ran_is_not_signed_again_as_production() {
    let desk = desk();
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let request = update_request(&desk);
    let published = read(&request.join("ci-targets.json"));
    let ci: serde_json::Value = serde_json::from_slice(&published).expect("JSON");
    let version = ci["signed"]["version"].as_u64().expect("a version");
    // serde_json writes sorted and without spaces: the canonical form of plain text and whole numbers.
    let unsigned = |signed: &serde_json::Value| {
        serde_json::to_vec(&serde_json::json!({"signatures": [], "signed": signed})).expect("JSON")
    };
    let no_waves = b"{\"waves\":[]}".to_vec();
    let blocks = |tag: &str, files: &[(&str, Vec<u8>)]| {
        ask_again(&request, tag, version, files);
        let (id, _) = desk.import(&request);
        let review = desk.run(&["--json", "review", &id]).ended(Exit::Refused).json();
        let findings = review["findings"].as_array().expect("findings").clone();
        let blocking = findings.into_iter().filter(|finding| finding["severity"] == "block");
        let names = blocking.map(|finding| finding["check"].as_str().expect("a name").to_owned());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    // On a tag of which nothing is known, whatever somebody made up.
    let mut invented = ci["signed"].clone();
    invented["targets"].as_object_mut().expect("targets").retain(|name, _| name.ends_with("-42"));
    for target in invented["targets"].as_object_mut().expect("targets").values_mut() {
        target["custom"]["tags"] = serde_json::json!(["fresh"]);
    }
    let made_up = [("targets.json", unsigned(&invented)), ("waves.json", no_waves.clone())];
    assert_eq!(blocks("fresh", &made_up), ["composition", "evidence"]);
    // All that CI ever published, passed off as what production runs: the service's signature is on it.
    let passed_off =
        [("targets.json", unsigned(&ci["signed"])), ("current.json", published), ("waves.json", no_waves)];
    // Nobody vouches for it, so it is new as well, and new targets have to carry the device tag alone.
    assert_eq!(blocks("main", &passed_off), ["added-from-ci", "baseline-threshold", "evidence", "tags"]);
}

#[test]
fn wrong_words_and_wrong_passphrases_sign_nothing_and_are_logged() {
    let desk = desk();
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let request = update_request(&desk);
    let (id, review) = desk.import(&request);
    let passphrase = desk.passphrase("alice");
    let words = review["confirm"].as_str().expect("words").to_owned();
    let sign = |words: &str, passphrase: &str| {
        desk.run(&["sign", &id, "--officer", "alice", "--confirm", words, "--passphrase-file", passphrase])
    };
    sign("adult aardvark adult aardvark adult aardvark", &passphrase).ended(Exit::NotApproved);
    let wrong = desk.path("wrong");
    std::fs::write(&wrong, "not her passphrase at all\n").expect("written");
    let wrong = format!("alice={}", wrong.display());
    sign(&words, &wrong).ended(Exit::NotApproved);
    assert_eq!(desk.clock.slept(), 1000, "a wrong passphrase slows down");
    sign(&words, &wrong).ended(Exit::NotApproved);
    assert_eq!(desk.clock.slept(), 3000, "the second one more so");
    let log = desk.run(&["--json", "log", "show", "--type", "officer.auth.failed"]).done().json();
    assert_eq!(log.as_array().map(Vec::len), Some(2));
    sign(&words, &passphrase).done();
}

#[test]
fn a_changed_policy_or_a_request_changed_in_the_station_is_noticed_before_signing() {
    let desk = desk();
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let request = update_request(&desk);
    let (id, review) = desk.import(&request);
    let policy = desk.run(&["policy", "show"]).done().out;
    let other = desk.path("policy.toml");
    std::fs::write(&other, policy.replace("hours = 24", "hours = 12")).expect("written");
    desk.by(&["alice"], &["policy", "set", text(&other)]).done();
    let ran = desk.sign(&id, &review, "alice", &[]).ended(Exit::NotApproved);
    assert!(ran.err.contains("is not the one that was last shown"), "{}", ran.err);
    let review = desk.run(&["--json", "review", &id]).done().json();
    let stored = desk.station().join("requests").join(&id).join("request/targets.json");
    let mut bytes = read(&stored);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&stored, bytes).expect("written");
    desk.sign(&id, &review, "alice", &[]).ended(Exit::Failed);
}

#[test]
fn a_request_without_a_wave_is_told_without_one_and_one_new_root_is_one_root() {
    let desk = desk();
    let request = update_request(&desk);
    let told = desk.run(&["import", text(&request)]).done().out;
    assert!(told.contains(", wave v2.0-update, tag production, version 42"), "{told}");
    let bare = request.join("targets.json");
    let told = desk.run(&["import", text(&bare), "--tag", "production"]).out;
    assert!(told.contains(" acme-gateway, tag production, version 42"), "{told}");
    let more = desk.request(&fixture("acme/5-two-officers"), "acme-gateway", "v3.0", 45, &[]);
    let told = desk.run(&["import", text(&more)]).out;
    let roots = told.lines().find(|line| line.contains(" newer production root")).expect("new roots");
    assert!(roots.starts_with("It brought 1 newer production root; "), "{roots}");
}

#[test]
fn a_request_changed_in_the_station_is_named_as_such_and_put_right_by_importing_it_again() {
    let desk = desk();
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let request = update_request(&desk);
    let (id, _) = desk.import(&request);
    let folder = desk.station().join("requests").join(&id);
    let files = folder.join("request");
    let whole = read(&files.join("targets.json"));
    let changes: [(&str, &dyn Fn()); 4] = [
        ("targets.json: ", &|| std::fs::write(files.join("targets.json"), b"{}").expect("written")),
        ("request.json is missing", &|| std::fs::remove_file(files.join("request.json")).expect("removed")),
        ("more: ", &|| std::fs::write(files.join("more"), b"").expect("written")),
        ("request.json is missing", &|| std::fs::remove_dir_all(&files).expect("removed")),
    ];
    for (what, change) in changes {
        change();
        let told = desk.run(&["review", &id]).ended(Exit::Failed).err;
        assert!(told.contains("the station's own copy was changed since it was taken in"), "{told}");
        assert!(told.contains(what), "{what}: {told}");
        assert!(!told.contains("stick"), "{told}");
        // The rest of the station is still shown.
        let status = desk.run(&["status"]).done().out;
        assert!(status.contains("Officers  alice") && status.contains("Log  "), "{status}");
        let (again, review) = desk.import(&request);
        assert_eq!((&again, &review["signable"]), (&id, &serde_json::json!(true)));
        assert_eq!(read(&files.join("targets.json")), whole);
        let log = read(&desk.station().join("log/events/000000.jsonl"));
        assert!(String::from_utf8_lossy(&log).contains("had been changed since it was taken in"));
    }
    // What was changed is kept for whoever looks into it; a folder that was removed leaves nothing.
    for (number, is_there) in [(1, true), (2, true), (3, true), (4, false)] {
        assert_eq!(folder.join(format!("request.changed-{number}")).exists(), is_there, "{number}");
    }
    let changed = read(&folder.join("request.changed-1/targets.json"));
    assert_eq!(changed, b"{}");
    // The same request once more changes nothing.
    desk.import(&request);
    assert!(!folder.join("request.changed-4").exists());
}

#[test]
fn an_export_to_a_full_or_occupied_place_leaves_nothing_half_written() {
    let desk = desk();
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let (id, review) = desk.import(&update_request(&desk));
    let unsigned = desk.run(&["export", &id, text(&desk.path("early"))]).ended(Exit::Failed);
    assert!(unsigned.err.contains("is not signed yet"), "{}", unsigned.err);
    desk.sign(&id, &review, "alice", &[]).done();
    let occupied = desk.path("occupied");
    std::fs::create_dir(&occupied).expect("made");
    std::fs::write(occupied.join("mine"), "x").expect("written");
    let ran = desk.run(&["export", &id, text(&occupied)]).ended(Exit::Failed);
    assert!(ran.err.contains("is not overwritten"), "{}", ran.err);
    assert_eq!(read(&occupied.join("mine")), b"x");
    desk.run(&["export", &id, "/proc/signed"]).ended(Exit::Failed);
    desk.export(&id, "good");
    let failed = desk.run(&["--json", "log", "show", "--type", "export.failed"]).done().json();
    assert_eq!(failed.as_array().map(Vec::len), Some(3));
}

#[test]
fn the_same_tag_and_version_is_never_signed_with_another_content() {
    let desk = desk();
    desk.add_officer("alice");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
    let (id, review) = desk.import(&update_request(&desk));
    desk.sign(&id, &review, "alice", &[]).done();
    let other = desk.request(&fixture("acme/2-update"), "acme-gateway", "other", 42, &["--prune", "12"]);
    let (id, review) = desk.import(&other);
    assert!(blocking(&review).iter().any(|one| one == "equivocation"), "{:?}", blocking(&review));
    desk.sign(&id, &review, "alice", &[]).ended(Exit::Refused);
}
