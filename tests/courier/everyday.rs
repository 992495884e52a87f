//! What a release manager does besides: lists, pages, dry runs, questions; and answers that are odd.

use super::harness::{Place, Service};
use serde_json::Value;

#[test]
fn a_request_by_the_courier_is_what_countersign_composes_from_the_same_downloads() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    let downloads = place.text("downloads");
    place.request(&service, "v1", 12, &["--expires", "2035-01-01T00:00:00Z", "--downloads", &downloads]);
    let by_hand = place.text("by-hand");
    let compose = ["request", "--from", &downloads, "--factory", "acme", "--wave", "v1", "--version", "12"];
    let more = ["--tag", "production", "--expires", "2035-01-01T00:00:00Z", "--out", &by_hand];
    place.station("none", &[&compose[..], &more].concat()).done();
    let read = |name: &str| std::fs::read(place.path(name)).expect(name);
    assert_eq!(read("request-v1/targets.json"), read("by-hand/targets.json"));
    let manifest = |folder: &str| {
        let mut manifest: Value =
            serde_json::from_slice(&read(&format!("{folder}/request.json"))).expect("JSON");
        manifest.as_object_mut().expect("an object").remove("created").expect("a time");
        manifest
    };
    assert_eq!(manifest("request-v1"), manifest("by-hand"));
}

#[test]
fn all_pages_of_waves_are_read() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--ci", "1-3"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 1);
    place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
    drop(service);
    // A Factory of years: 230 waves that were canceled.
    let path = place.path("state/state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    let waves = state["factories"]["acme"]["waves"].as_object_mut().expect("waves");
    let v1 = waves["v1"].clone();
    for number in 0..230 {
        let (mut wave, name) = (v1.clone(), format!("old-{number}"));
        wave["name"] = name.clone().into();
        wave["status"] = "canceled".into();
        waves.insert(name, wave);
    }
    std::fs::write(&path, state.to_string()).expect("written");
    let service = Service::start(&place.path("state"), &[]);
    let out = place.text("out");
    place.courier(&service, &["fetch", "--out", &out]).done();
    let list: Value =
        serde_json::from_slice(&std::fs::read(place.path("out/waves.json")).expect("read")).expect("JSON");
    assert_eq!(list["waves"].as_array().map(Vec::len), Some(231));
    assert_eq!((list["total"].as_u64(), &list["next"]), (Some(231), &Value::Null));
    place.courier(&service, &["wave", "list"]).done().says("Next page can be viewed with");
}

#[test]
fn a_dry_run_prints_the_list_that_a_rollout_then_takes() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    let dry = place.courier(&service, &["wave", "rollout", "v1", "--limit", "25%", "--dry-run"]).done();
    assert_eq!(dry.out.lines().count(), 6, "{dry:?}");
    dry.out.lines().for_each(|uuid| assert_eq!(uuid.len(), 36, "{uuid}"));
    std::fs::write(place.path("devices"), &dry.out).expect("written");
    let wave = place.courier(&service, &["--json", "wave", "show", "v1"]).done().json();
    assert_eq!(wave["rollout-history"].as_array().map(Vec::len), Some(0));
    let list = format!("@{}", place.text("devices"));
    place
        .courier(&service, &["wave", "rollout", "v1", "--uuids", &list])
        .done()
        .says("6 devices in your Factory");
}

#[test]
fn what_selects_nobody_or_too_many_is_refused_before_anything_is_sent() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    let empty = place.text("empty");
    std::fs::write(&empty, " \n").expect("written");
    let empty = format!("@{empty}");
    let bad: [&[&str]; 6] = [
        &[],
        &["--limit", "-5"],
        &["--limit", "200%"],
        &["--limit", "0"],
        &["--uuids", " , "],
        &["--uuids", &empty],
    ];
    for arguments in bad {
        place.courier(&service, &[&["wave", "rollout", "v1"], arguments].concat()).ended(2);
    }
    assert_eq!(service.look("log"), serde_json::json!([]));
}

#[test]
fn a_factory_that_is_not_there_and_a_token_without_its_scope_are_told_apart() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    let out = place.text("out");
    let mut command = place.courier_command();
    command.args(["--server", &service.url, "--factory", "nobody", "--token-file", &place.text("full")]);
    command.args(["fetch", "--out", &out]);
    place.run(command).ended(20).says("no Factory \"nobody\"");
    place.courier(&service, &["wave", "show", "a?b"]).ended(20).says("no wave");
    place.courier(&service, &["wave", "show", ".."]).ended(2);
    place.courier(&service, &["wave", "status"]).ended(20).says("no wave is active");
    // The token that only reads is enough to fetch, and not to release.
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.courier_as(&service, "read", &["fetch", "--out", &out]).done();
    let request = place.request(&service, "v1", 12, &[]);
    let bundle = place.ceremony("station", &request);
    place.courier_as(&service, "read", &["submit", &bundle]).ended(20).says("targets:read-update");
    assert_eq!(service.wave("acme", "v1"), Value::Null);
}

#[test]
fn a_wave_is_watched_until_all_are_updated() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--devices", "16", "--groups", "canary=16"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    place
        .courier(&service, &["wave", "status", "v1", "--watch"])
        .done()
        .says("not rolled out to anybody yet");
    // Devices that are offline do not update: roll out to one that is online.
    let dry = place.courier(&service, &["wave", "rollout", "v1", "--limit", "1", "--dry-run"]).done().out;
    place.courier(&service, &["wave", "rollout", "v1", "--uuids", dry.trim()]).done();
    let mut command = place.courier_command();
    command
        .args(["--server", &service.url, "--factory", "acme", "--token-file", &place.text("full")])
        .args(["wave", "status", "v1", "--watch", "--every", "1"])
        .stdout(std::process::Stdio::piped());
    let watching = command.spawn().expect("it runs");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    service.tick(60);
    let output = watching.wait_with_output().expect("it ends");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success() && said.contains("All are updated: 1 device"), "{said}");
}

#[test]
fn the_bars_of_a_watched_wave_move_in_a_terminal_and_end_when_all_are_updated() {
    use expectrl::{Eof, Expect, Regex, session::OsSession};
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--devices", "16", "--groups", "canary=16"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    place.courier(&service, &["wave", "rollout", "v1", "canary", "--limit", "3"]).done();
    let mut command = place.courier_command();
    command.args(["--server", &service.url, "--factory", "acme", "--token-file", &place.text("full")]);
    command.args(["wave", "status", "v1", "--watch", "--every", "1"]).env("TERM", "xterm");
    let mut session = OsSession::spawn(command).expect("it runs");
    session.get_process_mut().set_window_size(80, 24).expect("a size");
    session.set_expect_timeout(Some(std::time::Duration::from_secs(30)));
    session.expect(Regex(r"canary \[ *\] 0/3")).expect("an empty bar");
    service.tick(60);
    session.expect(Regex(r"canary \[=+\] 3/3")).expect("a full one");
    session.expect("All are updated: 3 devices").expect("the end");
    session.expect(Eof).expect("it ends by itself");
}

#[test]
fn a_long_download_shows_how_far_it_is_in_a_terminal() {
    use expectrl::{Eof, Expect, Regex, session::OsSession};
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--ci", "8-900", "--slow-seconds", "3"]);
    service.fault("slow:GET.*user_repo/targets.json");
    let mut command = place.courier_command();
    command.args(["--server", &service.url, "--factory", "acme", "--token-file", &place.text("full")]);
    command.args(["fetch", "--out", &place.text("out")]).env("TERM", "xterm");
    command.stdin(std::process::Stdio::inherit());
    let mut session = OsSession::spawn(command).expect("it runs");
    session.get_process_mut().set_window_size(80, 24).expect("a size");
    session.set_expect_timeout(Some(std::time::Duration::from_secs(60)));
    session.expect(Regex(r"the CI targets: \d\.\d MiB of 1\.\d MiB")).expect("how far it is");
    session.expect("Written to").expect("the end");
    session.expect(Eof).expect("it ends by itself");
}

#[test]
fn targets_without_a_static_delta_are_named_with_the_command_that_makes_one() {
    let place = Place::new();
    // Odd versions have no static delta in the stand-in.
    let service = Service::start(&place.path("state"), &["--ci", "12-15"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
    let out = place.text("out");
    let fetched = place.courier(&service, &["fetch", "--out", &out]).done();
    // All new ones, and none that has a delta.
    let fetched = fetched.says("static-deltas 15 12").says("static-deltas 13 12");
    assert!(!fetched.err.contains("static-deltas 14"), "{fetched:?}");
    place.release(&service, "v2", 13);
    let rolled = place.courier(&service, &["wave", "rollout", "v2", "canary"]).done();
    rolled.says("fioctl targets static-deltas 13 12");
}

#[test]
fn foreign_text_of_the_service_does_not_reach_the_terminal() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    drop(service);
    let path = place.path("state/state.json");
    let text = std::fs::read_to_string(&path).expect("read");
    let changed = text.replace(r#""created-by": "u1""#, r#""created-by": "\u001b]0;x\u0007\u202e""#);
    assert_ne!(text, changed);
    std::fs::write(&path, changed).expect("written");
    let service = Service::start(&place.path("state"), &[]);
    for arguments in [&["wave", "show", "v1"][..], &["--json", "wave", "show", "v1"]] {
        let ran = place.courier(&service, arguments).done();
        assert!(ran.out.is_ascii() && !ran.out.contains('\u{1b}'), "{:?}", ran.out);
    }
}
