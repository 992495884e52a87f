//! Nothing gets a signature that the officer was not shown, whoever holds the stick, a retired key or the service: what
//! nobody vouches for is new, the station remembers what it signed, and a manifest's words give nobody anything.

use crate::common;

use common::{Desk, NOW, Ran, copy_folder, fingerprint, fixture, json, read, rewrite, text};
use countersign::testing::bundle::FileFacts;
use countersign::testing::cli::Exit;
use countersign::testing::host::RealDisk;
use countersign::testing::host::clock::Time;
use countersign::testing::rehearsal::Factory;
use countersign::testing::tuf::Digest;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn case(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trust").join(path)
}

/// A station as the case's README makes it: the newest root of `set-up`, one officer, this key file.
fn desk(name: &str, key: Option<&str>) -> Desk {
    let desk = Desk::new();
    let set_up = case(&format!("{name}/set-up"));
    let (roots, online) = (set_up.join("prod-roots"), set_up.join("ci-targets.pub"));
    let fingerprint = fingerprint(&roots);
    let arguments = ["init", "--factory", "fixture", "--roots", text(&roots), "--online-key", text(&online)];
    desk.run(&[arguments.as_slice(), &["--fingerprint", &fingerprint, "--networked"]].concat()).done();
    desk.add_officer("mara");
    if let Some(key) = key {
        desk.import_key(&set_up.join(key), "mara", "1");
    }
    desk
}

/// Imports, reviews and signs an honest request.
fn sign(desk: &Desk, request: &Path) -> String {
    let (id, review) = desk.import(request);
    assert_eq!(review["signable"], true, "{}", review["findings"]);
    desk.sign(&id, &review, "mara", &[]).done();
    id
}

/// The messages of one check's findings of a severity.
fn said(review: &Value, check: &str, severity: &str) -> String {
    let findings = review["findings"].as_array().expect("a list");
    let of = findings.iter().filter(|one| one["check"] == check && one["severity"] == severity);
    of.filter_map(|one| one["message"].as_str()).collect::<Vec<_>>().join("\n")
}

/// The review blocks, and `sign` refuses.
#[track_caller]
fn blocked(desk: &Desk, id: &str, review: &Value, check: &str, words: &str) {
    assert!(said(review, check, "block").contains(words), "{check}: {}", review["findings"]);
    assert_eq!(review["signable"], false);
    desk.sign(id, review, "mara", &[]).ended(Exit::Refused);
}

#[test]
fn what_a_retired_key_signed_is_not_signed_again() {
    let desk = desk("resign-retired-key", Some("k1.tgz"));
    sign(&desk, &case("resign-retired-key/1-wave"));
    let (id, _) = desk.import(&case("resign-retired-key/2-resign"));
    desk.import_key(&case("resign-retired-key/set-up/k2.tgz"), "mara", "1");
    let review = desk.run(&["--json", "review", &id]).json();
    assert_eq!(review["added"], json!(["hw-lmp-21"]));
    assert_eq!(review["baseline"]["compared_with"]["version"], 10);
    assert!(said(&review, "baseline-threshold", "warn").contains("Only the older root 1 is content"));
    assert!(said(&review, "existing-signatures", "block").contains("Your key may be copied"));
    blocked(&desk, &id, &review, "added-from-ci", "Nobody vouches for 1 target: \"hw-lmp-21\"");
    // With CI targets that do not have it, it blocks as any other target does that CI never built.
    let request = desk.path("with-ci");
    copy_folder(&case("resign-retired-key/2-resign"), &request);
    let ci = read(&case("resign-retired-key/1-wave/ci-targets.json"));
    rewrite(&request, "ci-targets.json", &ci);
    let (id, review) = desk.import(&request);
    blocked(&desk, &id, &review, "added-from-ci", "CI has not published a target \"hw-lmp-21\"");
    let (id, review) = desk.import(&case("resign-retired-key/3-wave-on-it"));
    blocked(&desk, &id, &review, "baseline-threshold", "carry 1 of the 2 valid signatures");
}

#[test]
fn a_second_officers_signature_is_not_got_by_signing_again_what_her_station_never_saw() {
    let desk = desk("resign-second-officer", Some("k2.tgz"));
    let (id, review) = desk.import(&case("resign-second-officer/1-resign"));
    assert_eq!(review["added"], json!(["hw-lmp-10", "hw-lmp-50"]));
    assert_eq!(review["baseline"]["compared_with"], Value::Null);
    blocked(&desk, &id, &review, "added-from-ci", "Nobody vouches for 2 targets");
}

/// A station that signed the two honest waves of `memory`.
fn remembering() -> Desk {
    let desk = desk("memory", Some("k1.tgz"));
    sign(&desk, &case("memory/1-wave"));
    sign(&desk, &case("memory/2-wave"));
    desk
}

#[test]
fn what_was_signed_here_does_not_vanish_behind_an_old_baseline() {
    let desk = remembering();
    let (id, review) = desk.import(&case("memory/3-old-baseline"));
    let words = said(&review, "signed-since", "block");
    for word in ["signed version 20 for the wave \"w20\"", "\"newhw\"", "\"newhw-lmp-20\""] {
        assert!(words.contains(word), "{words}");
    }
    blocked(&desk, &id, &review, "signed-since", "does not say what became of it");
    // The list explains it: it is said all the same.
    let (_, review) = desk.import(&case("memory/4-said-canceled"));
    let words = said(&review, "signed-since", "warn");
    for word in ["signed version 20 for the wave \"w20\"", "as canceled", "\"newhw\""] {
        assert!(words.contains(word), "{words}");
    }
    // And on the page that the officer reads.
    let page = desk.run(&["review"]).done().out;
    assert!(page.contains("newhw"), "{page}");
}

#[test]
fn a_wave_relabelled_as_a_further_signature_is_blocked() {
    let desk = remembering();
    let (id, review) = desk.import(&case("memory/5-relabelled"));
    assert!(said(&review, "further-signature", "block").contains("Nothing lists a wave \"w30\""));
    assert!(said(&review, "pruned-as-declared", "block").contains("\"hw-lmp-10\""));
    blocked(&desk, &id, &review, "further-signature", "no offline key has signed this content yet");
}

fn export(desk: &Desk, id: &str, name: &str) -> (PathBuf, Ran) {
    let folder = desk.path(name);
    let ran = desk.run(&["export", id, text(&folder)]);
    (folder, ran)
}

#[test]
fn a_signature_by_a_key_that_nobody_knows_is_left_out_of_the_bundle_and_said() {
    let desk = remembering();
    // Without a method, devices would refuse the whole file.
    let (id, review) = desk.import(&case("memory/6-foreign-signature"));
    blocked(&desk, &id, &review, "existing-signatures", "names no method");
    let request = desk.path("foreign");
    copy_folder(&case("memory/6-foreign-signature"), &request);
    let mut targets = json(&request.join("targets.json"));
    targets["signatures"][0]["method"] = "ed25519".into();
    rewrite(&request, "targets.json", targets.to_string().as_bytes());
    let (id, review) = desk.import(&request);
    assert!(said(&review, "existing-signatures", "warn").contains("left out of the signed bundle"));
    desk.sign(&id, &review, "mara", &[]).done();
    let (folder, ran) = export(&desk, &id, "bundle");
    ran.done();
    let keyids: Vec<String> = json(&folder.join("targets.json"))["signatures"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["keyid"].as_str().expect("a key id").to_owned())
        .collect();
    assert_eq!(keyids.len(), 1, "{keyids:?}");
    assert!(!keyids[0].starts_with("abab"));
}

#[test]
fn a_list_of_waves_that_is_not_whole_blocks() {
    let desk = remembering();
    let (id, review) = desk.import(&case("memory/7-partial-list"));
    blocked(&desk, &id, &review, "evidence", "its member \"next\" says, or may say, that there is more");
    assert!(said(&review, "evidence", "block").contains("there are 3, and it has 2"));
    for (name, waves) in [
        ("unauthorized", json!({"message": "Unauthorized"})),
        ("nothing", Value::Null),
        (
            "a version",
            json!({"waves": [{"name": "w", "status": "active", "tag": "production", "version": "12.0"}]}),
        ),
        (
            "a status",
            json!({"waves": [{"name": "w", "status": "ACTIVE", "tag": "production", "version": "12"}]}),
        ),
    ] {
        let request = desk.path(&name.replace(' ', "-"));
        copy_folder(&case("memory/7-partial-list"), &request);
        rewrite(&request, "waves.json", waves.to_string().as_bytes());
        let (id, review) = desk.import(&request);
        blocked(&desk, &id, &review, "evidence", "is not the whole list of waves, or is not understood");
    }
}

#[test]
fn a_request_without_roots_is_blocked() {
    let desk = remembering();
    let request = desk.path("no-roots");
    copy_folder(&case("memory/4-said-canceled"), &request);
    std::fs::remove_dir_all(request.join("prod-roots")).expect("removed");
    let mut manifest = json(&request.join("request.json"));
    manifest["files"].as_object_mut().expect("files").remove("prod-roots/1.root.json");
    std::fs::write(request.join("request.json"), manifest.to_string()).expect("written");
    let (id, review) = desk.import(&request);
    blocked(&desk, &id, &review, "root-chain", "brings no production root");
}

#[test]
fn production_of_a_version_that_was_signed_here_with_other_bytes_blocks() {
    // This station signs another version 20 than the one that production shows afterwards.
    let desk = desk("memory", Some("k1.tgz"));
    sign(&desk, &case("memory/1-wave"));
    let other = desk.path("other-20");
    copy_folder(&case("memory/2-wave"), &other);
    let mut targets = json(&other.join("targets.json"));
    targets["signed"]["expires"] = "2027-11-22T00:00:00Z".into();
    rewrite(&other, "targets.json", targets.to_string().as_bytes());
    sign(&desk, &other);
    let (id, review) = desk.import(&case("memory/6-foreign-signature"));
    blocked(&desk, &id, &review, "baseline-replayed", "is not what this station signed as version 20");
    assert!(said(&review, "existing-signatures", "block").contains("production's targets of today carry"));
}

#[test]
fn the_confirmation_words_are_those_of_bytes_review_and_the_stations_own_nonce() {
    // The same request on two stations that differ in nothing but what they drew.
    let (one, other) = (desk("memory", Some("k1.tgz")), desk("memory", Some("k1.tgz")));
    other.host.random.fill(&mut [0; 32]).expect("drawn");
    let request = case("memory/1-wave");
    let ((id, first), (_, second)) = (one.import(&request), other.import(&request));
    assert_eq!(first["digest"], second["digest"]);
    assert_ne!(first["confirm"], second["confirm"], "who makes requests does not know the words");
    one.sign(&id, &second, "mara", &[]).ended(Exit::NotApproved);
    // Nor are they those of the digest that stands beside them, as they once were.
    let digest = hex::decode(first["digest"].as_str().expect("a digest")).expect("hex");
    let mut old = first.clone();
    old["confirm"] = countersign::testing::words::of(&digest[..6]).into();
    assert_ne!(first["confirm"], old["confirm"]);
    one.sign(&id, &old, "mara", &[]).ended(Exit::NotApproved);
    // Taken in again they stay; another review has others.
    let (_, again) = one.import(&request);
    assert_eq!(again["confirm"], first["confirm"]);
    one.clock.set("2027-11-22T00:00:00Z");
    let (_, later) = one.import(&request);
    assert_ne!(later["findings"], first["findings"], "the expiry is near by then");
    assert_ne!(later["confirm"], first["confirm"]);
    // The whole digest stands beside the words, in hex and in words.
    let page = one.run(&["review", &id]).done().out.replace("\n  ", " ");
    assert!(page.contains(&countersign::testing::words::of(&digest)), "{page}");
    assert!(page.contains(later["confirm"].as_str().expect("words")), "{page}");
}

/// A made-up Factory whose CI built these versions, the last one out of production; with the same keys each time.
fn built(versions: &[u64]) -> Factory {
    let now = Time::parse(NOW).expect("a time");
    let mut factory = Factory::new(5, "acme-gateway", now);
    factory.build(versions.iter().copied());
    factory.populate([1]).expect("populated");
    factory
}

/// A request for a wave of version 2, from what the Factory serves when CI has built these versions.
fn wave_of(desk: &Desk, versions: &[u64], name: &str) -> PathBuf {
    let step = desk.path(&format!("step-{name}"));
    built(versions).write_step(&RealDisk, &step, 2).expect("written");
    desk.request(&step, "acme-gateway", name, 2, &[])
}

fn made_up() -> Desk {
    let (desk, factory) = (Desk::new(), built(&[1, 2]));
    let (step, keys) = (desk.path("set-up"), desk.path("keys.tgz"));
    factory.write_step(&RealDisk, &step, 2).expect("written");
    factory.write_key_file(&RealDisk, &keys, 0).expect("written");
    let (roots, online) = (step.join("prod-roots"), step.join("ci-targets.pub"));
    let print = factory.fingerprint();
    let arguments =
        ["init", "--factory", "acme-gateway", "--roots", text(&roots), "--online-key", text(&online)];
    desk.run(&[arguments.as_slice(), &["--fingerprint", &print, "--networked"]].concat()).done();
    desk.add_officer("mara");
    desk.import_key(&keys, "mara", "1");
    desk
}

#[test]
fn ci_targets_older_or_other_than_those_seen_are_told() {
    let desk = made_up();
    let (_, review) = desk.import(&wave_of(&desk, &[1, 2, 5], "newest"));
    assert_eq!(said(&review, "ci-signature", "warn"), "");
    let (_, review) = desk.import(&wave_of(&desk, &[1, 2, 4], "older"));
    let words = said(&review, "ci-signature", "warn");
    assert!(words.contains("are version 4, but this station has seen version 5"), "{words}");
    let (_, review) = desk.import(&wave_of(&desk, &[1, 2, 4, 5], "other"));
    let words = said(&review, "ci-signature", "warn");
    assert!(words.contains("another content than those of version 5"), "{words}");
    // What is newer than all goes on.
    let (_, review) = desk.import(&wave_of(&desk, &[1, 2, 6], "newer"));
    assert_eq!(said(&review, "ci-signature", "warn"), "");
}

#[test]
fn production_targets_that_expired_are_told() {
    let desk = made_up();
    let request = wave_of(&desk, &[1, 2], "late");
    desk.clock.set("2027-11-23T11:59:59Z");
    let (_, review) = desk.import(&request);
    assert_eq!(said(&review, "baseline-replayed", "warn"), "");
    desk.clock.set("2027-11-23T12:00:00Z");
    let (_, review) = desk.import(&request);
    let words = said(&review, "baseline-replayed", "warn");
    assert!(words.contains("expired on 2027-11-23T12:00:00Z"), "{words}");
}

/// Keeps the signatures over targets that this key made.
fn signed_by(file: &[u8], keyid: &str) -> Vec<u8> {
    let mut targets: Value = serde_json::from_slice(file).expect("JSON");
    targets["signatures"].as_array_mut().expect("a list").retain(|one| one["keyid"] == keyid);
    assert!(targets["signatures"].as_array().is_some_and(|left| left.len() == 1));
    serde_json::to_vec(&targets).expect("JSON")
}

#[test]
fn the_services_signature_on_productions_own_targets_is_not_cis_word() {
    let desk = desk("resign-second-officer", Some("k2.tgz"));
    let from = case("resign-second-officer/1-resign");
    let whole = read(&from.join("current.json"));
    let online = desk.run(&["--json", "trust", "show"]).done().json()["online_key"].clone();
    let online = online.as_str().expect("a key id").to_owned();
    for (name, ci, why) in [
        ("whole", whole.clone(), "they carry a signature by the offline key"),
        ("online-alone", signed_by(&whole, &online), "they are the very content"),
    ] {
        let request = desk.path(name);
        copy_folder(&from, &request);
        rewrite(&request, "ci-targets.json", &ci);
        let (id, review) = desk.import(&request);
        blocked(&desk, &id, &review, "ci-signature", why);
    }
}

#[test]
fn a_wave_that_was_canceled_does_not_become_what_production_was_seen_to_run() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "4-after-cancel");
    desk.add_officer("mara");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "mara", "1");
    let honest = desk.request(&fixture("acme/4-after-cancel"), "acme-gateway", "v2.2", 44, &[]);
    // Everybody signed version 43 for a wave, which was canceled before it was completed.
    let canceled = json(&fixture("acme/3-prune/wave.json"))["targets"].clone();
    for status in ["canceled", "active"] {
        let forged = desk.path(status);
        copy_folder(&honest, &forged);
        rewrite(&forged, "current.json", &serde_json::to_vec(&canceled).expect("JSON"));
        let waves = String::from_utf8(read(&forged.join("waves.json"))).expect("text");
        rewrite(&forged, "waves.json", waves.replace("canceled", status).as_bytes());
        let (id, review) = desk.import(&forged);
        blocked(&desk, &id, &review, "baseline-replayed", &format!("lists it as {status}"));
    }
    sign(&desk, &honest);
    // What was signed here for another wave is no word of CI's either.
    let other = desk.request(&fixture("acme/3-prune"), "acme-gateway", "v2.1-prune", 43, &["--prune", "12"]);
    let signed = json(&fixture("acme/4-after-cancel/wave.json"))["targets"].to_string();
    let online = desk.run(&["--json", "trust", "show"]).done().json()["online_key"].clone();
    let of_service = signed_by(signed.as_bytes(), online.as_str().expect("a key id"));
    rewrite(&other, "ci-targets.json", &of_service);
    let (id, review) = desk.import(&other);
    blocked(&desk, &id, &review, "ci-signature", "this station signed or saw their content");
}

#[test]
fn a_root_of_cis_between_two_of_productions_is_not_pinned() {
    let desk = Desk::new();
    let (roots, step) = (desk.path("roots"), fixture("acme/5-two-officers"));
    copy_folder(&step.join("prod-roots"), &roots);
    std::fs::copy(step.join("ci-roots/3.root.json"), roots.join("3.root.json")).expect("copied");
    let key = step.join("ci-targets.pub");
    let ran = desk.run(&[
        "init",
        "--factory",
        "acme-gateway",
        "--roots",
        text(&roots),
        "--online-key",
        text(&key),
        "--fingerprint",
        &fingerprint(&roots),
        "--networked",
    ]);
    let ran = ran.ended(Exit::Refused);
    assert!(ran.err.contains("?production=1"), "{}", ran.err);
}

#[test]
fn a_bare_wave_that_is_not_active_takes_no_further_signature() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "4-after-cancel");
    let mut wave = json(&fixture("acme/3-prune/wave.json"));
    wave["status"] = "canceled".into();
    let file = desk.path("wave.json");
    std::fs::write(&file, wave.to_string()).expect("written");
    let ran = desk.run(&["import", text(&file)]).ended(Exit::Failed);
    assert!(ran.err.contains("only an active one takes a further signature"), "{}", ran.err);
}

/// Changes texts of a bundle as somebody on the way could: in these files, and in all that says what the files are.
fn change_bundle(bundle: &Path, names: &[&str], from: &str, to: &str) {
    let mut manifest = json(&bundle.join("signed.json"));
    for name in names {
        let changed = String::from_utf8(read(&bundle.join(name))).expect("text").replacen(from, to, 1);
        std::fs::write(bundle.join(name), &changed).expect("written");
        manifest["files"][name] = serde_json::to_value(FileFacts::of(changed.as_bytes())).expect("a value");
    }
    if names.contains(&"request.json") {
        manifest["request"] = Digest::of(&read(&bundle.join("request.json"))).to_string().into();
    }
    let mut text = serde_json::to_string_pretty(&manifest).expect("JSON") + "\n";
    text = text.replacen(from, to, 1);
    std::fs::write(bundle.join("signed.json"), &text).expect("written");
    let listed = manifest["files"].as_object().expect("files").iter();
    let mut sums: String =
        listed.map(|(name, facts)| format!("{}  {name}\n", facts["sha256"].as_str().expect("hex"))).collect();
    sums += &format!("{}  signed.json\n", Digest::of(text.as_bytes()));
    std::fs::write(bundle.join("SHA256SUMS"), sums).expect("written");
}

#[test]
fn a_bundle_whose_wave_or_tag_was_changed_on_its_way_does_not_verify() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "4-after-cancel");
    desk.add_officer("mara");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "mara", "1");
    let request = desk.request(&fixture("acme/4-after-cancel"), "acme-gateway", "v2.2", 44, &[]);
    let id = sign(&desk, &request);
    let whole = desk.export(&id, "whole");
    let roots = fixture("acme/4-after-cancel/prod-roots");
    let verify = |bundle: &Path| desk.run(&["--json", "verify", text(bundle), "--roots", text(&roots)]);
    verify(&whole).done();
    let body = "upload/wave-create.json";
    let tags = ["\"tag\": \"production\"", "\"tag\": \"devel\""];
    let cases = [
        ("wave", &[body][..], "v2.2", "v9.9", "asks for another kind, Factory, wave, tag or version"),
        ("tag", &[][..], tags[0], tags[1], "asks for another kind, Factory, wave, tag or version"),
        ("all", &["request.json"][..], tags[0], tags[1], "none of its targets is for the tag"),
    ];
    for (name, files, from, to, why) in cases {
        let bundle = desk.path(name);
        copy_folder(&whole, &bundle);
        change_bundle(&bundle, files, from, to);
        let told = verify(&bundle).ended(Exit::Refused).json()["problems"].to_string();
        assert!(told.contains(why), "{name}: {told}");
    }
}
