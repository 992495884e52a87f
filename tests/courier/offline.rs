//! The list of an offline-update bundle: signed on the station, and put back into the bundle.

use super::harness::{Place, Service};
use serde_json::{Value, json};

#[test]
fn the_signed_list_of_an_offline_bundle_is_put_into_it_and_read_back() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
    // What `fioctl targets offline-update` leaves.
    let list = |target: &str| {
        let asked = json!({ "tag": "production", "production": true });
        service.post(&format!("/ota/factories/acme/targets/{target}/meta/"), &asked)["bundle-targets"].clone()
    };
    let keep = |list: &Value| {
        std::fs::write(place.path("bundle/tuf/bundle-targets.json"), list.to_string()).expect("written");
    };
    std::fs::create_dir_all(place.path("bundle/tuf")).expect("made");
    keep(&list("intel-corei7-64-lmp-12"));
    let (file, out) = (place.text("bundle/tuf/bundle-targets.json"), place.text("list"));
    let asked = ["request", "--offline-bundle", &file, "--tag", "production", "--out", &out];
    place.courier(&service, &asked).done();
    let signed = place.ceremony("station", "list");
    place.courier(&service, &["submit", &signed]).ended(2).says("--into");
    let into = ["--json", "submit", &signed, "--into", &place.text("bundle")];
    let submitted = place.courier(&service, &into).done().json();
    assert_eq!(
        (&submitted["status"], &submitted["complete"], &submitted["done_before"], &submitted["next"]),
        (&json!("written"), &json!(true), &json!(false), &Value::Null),
        "{submitted}"
    );
    let written: Value =
        serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("the list is whole JSON");
    assert_eq!(written["signatures"].as_array().map(Vec::len), Some(2), "{written}");
    // Twice is once.
    assert_eq!(place.courier(&service, &into).done().json()["done_before"], true);
    // Another list than the one that was signed is left as it is.
    keep(&list("imx8mp-lpddr4-evk-lmp-12"));
    let before = std::fs::read(&file).expect("read");
    place.courier(&service, &into).ended(3).says("another list");
    assert_eq!(std::fs::read(&file).expect("read"), before);
}
