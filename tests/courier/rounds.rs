//! Whole rounds: request, station, submit, rollout, complete, and the next wave on the new baseline.

use super::harness::{Place, Service};
use serde_json::json;

#[test]
fn three_waves_go_round_and_the_canceled_ones_version_is_refused_afterwards() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--devices", "24"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");

    // The first production targets come from a wave that is rolled out and completed.
    let bundle = place.release(&service, "first", 12);
    assert_eq!(service.wave("acme", "first"), "active");
    // Sent twice, it is one wave.
    place.courier(&service, &["submit", &bundle]).done().says("already");
    assert_eq!(service.calls("POST", "/waves/"), 1);
    place.courier(&service, &["wave", "complete", "first"]).ended(4).says("not rolled out");
    assert_eq!(service.wave("acme", "first"), "active");
    place
        .courier(&service, &["wave", "rollout", "first", "canary"])
        .done()
        .says("3 devices in group \"canary\"");
    service.tick(45);
    let status = place.courier(&service, &["--json", "wave", "status", "first"]).done().json();
    assert_eq!(status["rollout-groups"][0]["name"], "canary");
    assert!(status["rollout-groups"][0]["devices-on-wave-version"].as_u64() >= Some(2), "{status}");
    place.courier(&service, &["wave", "rollout", "first", "us-east"]).done();
    service.tick(45);
    place.courier(&service, &["wave", "complete", "first", "--yes"]).done().says("version 12");
    assert_eq!(service.look("state")["acme"]["prod-versions"]["production"], 12);
    place.courier(&service, &["wave", "complete", "first"]).done().says("was complete already");
    place.courier(&service, &["wave", "cancel", "first"]).ended(3).says("cannot be canceled");

    // The second is canceled; devices that took it stay on it.
    place.release(&service, "second", 14);
    place.courier(&service, &["wave", "rollout", "second", "canary"]).done();
    service.tick(60);
    let canceled = place.courier(&service, &["wave", "cancel", "second"]).done();
    canceled.says("stay on it").says("version above 14");
    assert_eq!(service.wave("acme", "second"), "canceled");
    // Its version is not asked for again.
    let again = ["request", "--wave", "again", "--version", "14", "--tag", "production", "--out"];
    let out = place.text("request-again");
    let refused = place.courier(&service, &[&again[..], &[out.as_str()]].concat());
    if refused.code == 0 {
        // Composed all the same, it is refused on the station.
        place.station("station", &["import", &out]).done().says("BLOCKED").says("high-water");
    } else {
        refused.ended(3);
    }

    // The third stands on the first one's targets.
    place.release(&service, "third", 16);
    place.courier(&service, &["wave", "rollout", "third", "canary"]).done();
    service.tick(60);
    place.courier(&service, &["wave", "complete", "third", "--yes"]).done();
    assert_eq!(service.look("state")["acme"]["prod-versions"]["production"], 16);
    let list = place.courier(&service, &["wave", "list"]).done().out;
    for (wave, state) in [("first", "complete"), ("second", "canceled"), ("third", "complete")] {
        let line =
            list.lines().find(|line| line.starts_with(wave)).unwrap_or_else(|| panic!("{wave}: {list}"));
        assert!(line.contains(state), "{line}");
    }
    service.nothing_leaked();
}

#[test]
fn a_threshold_of_three_is_met_by_two_stations() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--officers", "2"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.make_station(&service, "second", "acme-targets1.keys.tgz");
    let request = place.request(&service, "v1", 12, &[]);
    let bundle = place.ceremony("station", &request);
    let submitted = place.courier(&service, &["--json", "submit", &bundle]).done().json();
    assert_eq!((&submitted["complete"], &submitted["threshold"]), (&json!(false), &json!(3)), "{submitted}");
    assert_eq!(submitted["missing"].as_array().map(Vec::len), Some(1), "{submitted}");
    let next = submitted["next"].as_str().expect("a command");
    assert!(next.contains("--further-signature"), "{next}");
    // Not enough signatures: the service rolls nothing out, and says why.
    place.courier(&service, &["wave", "rollout", "v1", "canary"]).ended(20).says("2 of 3");
    let out = place.text("further");
    let further = [
        "request",
        "--further-signature",
        "--wave",
        "v1",
        "--version",
        "12",
        "--tag",
        "production",
        "--out",
        &out,
    ];
    place.courier(&service, &further).done();
    let bundle = place.ceremony("second", "further");
    let submitted = place.courier(&service, &["--json", "submit", &bundle]).done().json();
    assert_eq!(
        (&submitted["complete"], &submitted["done_before"]),
        (&json!(true), &json!(false)),
        "{submitted}"
    );
    let submitted = place.courier(&service, &["--json", "submit", &bundle]).done().json();
    assert_eq!(submitted["done_before"], true, "{submitted}");
    assert_eq!(service.calls("POST", "/waves/v1/sign/"), 1);
    place.courier(&service, &["wave", "rollout", "v1", "canary"]).done();
}

#[test]
fn two_stations_may_sign_one_request_and_the_second_bundle_only_adds_its_signature() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--officers", "2"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.make_station(&service, "second", "acme-targets1.keys.tgz");
    let request = place.request(&service, "v1", 12, &[]);
    let (one, two) = (place.ceremony("station", &request), place.ceremony("second", &request));
    place.courier(&service, &["submit", &one]).done().says("1 more");
    let both = place.courier(&service, &["--json", "submit", &two]).done().json();
    assert_eq!(both["complete"], true, "{both}");
    assert_eq!((service.calls("POST", "/waves/"), service.calls("POST", "/waves/v1/sign/")), (1, 1));
}

#[test]
fn a_factory_with_rsa_keys_is_served_alike() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--keys", "rsa2048", "--ci", "12-14"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    place.courier(&service, &["wave", "rollout", "v1", "--limit", "2"]).done().says("2 devices");
    place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
    place.release(&service, "v2", 14);
    assert_eq!(service.wave("acme", "v2"), "active");
}

#[test]
fn what_moved_on_since_the_request_is_not_overwritten() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    let late = place.request(&service, "late", 20, &[]);
    let late = place.ceremony("station", &late);
    // Another wave is active: only one can be.
    let other = Place::new();
    other.make_station(&service, "station", "acme-targets.keys.tgz");
    other.release(&service, "other", 12);
    place.courier(&service, &["submit", &late]).ended(3).says("other");
    // It became production: the signed targets would take it out again.
    other.courier(&service, &["wave", "complete", "other", "--yes"]).done();
    place.courier(&service, &["submit", &late]).ended(3).says("moved on");
    assert_eq!(service.calls("POST", "/waves/"), 1);
    // A wave of the same name with another content is no success.
    let request = other.request(&service, "late", 22, &[]);
    let bundle = other.ceremony("station", &request);
    other.courier(&service, &["submit", &bundle]).done();
    place.courier(&service, &["submit", &late]).ended(3).says("find out who made it");
}

#[test]
fn a_bundle_assembled_from_a_slip_is_uploaded_like_any_other_and_its_head_goes_back() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    let request = place.request(&service, "v1", 12, &[]);
    place.ceremony("station", &request);
    let (slip, out) = (place.text("slip.txt"), place.text("assembled"));
    std::fs::write(&slip, place.station("station", &["export", "--slip"]).done().out).expect("written");
    place.station("station", &["assemble", &request, "--slip", &slip, "--out", &out]).done();
    let submitted = place.courier(&service, &["submit", &out]).done();
    submitted.says("request --anchor");
    assert_eq!(service.wave("acme", "v1"), "active");
    place.courier(&service, &["wave", "cancel", "v1"]).done();
    let next = place.text("next");
    let ask = [
        "request",
        "--wave",
        "v2",
        "--version",
        "14",
        "--tag",
        "production",
        "--anchor",
        &out,
        "--out",
        &next,
    ];
    place.courier(&service, &ask).done();
    assert!(std::path::Path::new(&next).join("anchors").is_dir(), "the head goes back");
    place.station("station", &["import", &next]).done();
    service.nothing_leaked();
}
