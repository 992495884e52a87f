//! A root update: what is in force already is signed again, and goes into the update before it is applied.

use super::harness::{Place, Service};
use serde_json::json;

#[test]
fn a_key_made_on_the_station_comes_into_production() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();

    let keyid = place.staged_key(&service, false);
    let bundle = place.sign_again(&service, &keyid);
    let submitted = place.courier(&service, &["--json", "submit", &bundle]).done().json();
    assert_eq!(
        (&submitted["kind"], &submitted["status"], &submitted["complete"], &submitted["next"]),
        (&json!("resign"), &json!("staged"), &json!(true), &json!("fioctl keys tuf updates apply")),
        "{submitted}"
    );
    // Not applied yet, it is sent again, and it is one signature.
    place.courier(&service, &["submit", &bundle]).done().says("staged");
    service.post("/ota/repo/acme/api/v1/user_repo/root/updates/apply", &json!({ "txid": "" }));
    let submitted = place.courier(&service, &["--json", "submit", &bundle]).done().json();
    assert_eq!(
        (&submitted["status"], &submitted["done_before"], &submitted["complete"]),
        (&json!("applied"), &json!(true), &json!(true)),
        "{submitted}"
    );
    // The next wave is signed by the new key, under the new root.
    let request = place.request(&service, "v2", 14, &[]);
    let bundle = place.ceremony_with("station", &request, &["--key", &keyid]);
    place.courier(&service, &["submit", &bundle]).done().says("2 of the 2 signatures");
    place.courier(&service, &["wave", "rollout", "v2", "canary"]).done();
    service.nothing_leaked();
}

#[test]
fn what_is_signed_again_needs_a_root_update_that_is_open_and_the_same_targets() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
    let keyid = place.staged_key(&service, false);
    let bundle = place.sign_again(&service, &keyid);
    // Somebody canceled the update: the root that it is signed under is nowhere.
    service.post("/ota/repo/acme/api/v1/user_repo/root/updates/cancel", &json!({}));
    place.courier(&service, &["submit", &bundle]).ended(3).says("root version 4");
    let out = place.text("none");
    let asked = ["request", "--resign", "--tag", "production", "--out", &out];
    place.courier(&service, &asked).says("No root update is open");
    assert_eq!(service.calls("PUT", "/root/updates"), 0);
}

#[test]
fn a_root_update_that_somebody_else_changed_meanwhile_is_unknown_and_said() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--slow-seconds", "6"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
    let keyid = place.staged_key(&service, false);
    let bundle = place.sign_again(&service, &keyid);
    // Its answer takes a while, and meanwhile root officers stage another root.
    service.fault("slow:PUT.*/root/updates$");
    let ran = std::thread::scope(|scope| {
        let submit = scope.spawn(|| place.courier(&service, &["submit", &bundle]));
        while service.calls("PUT", "/root/updates") == 0 {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        // The public key of RFC 8032's first test.
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let other = json!({ "keytype": "ED25519", "keyval": { "public": public } });
        service.control("stage", &json!({ "factory": "acme", "key": other, "beside": true }));
        submit.join().expect("it ends")
    });
    ran.ended(21).says("changed by somebody else").says("fioctl keys tuf updates review");
}

#[test]
fn an_active_wave_is_signed_again_with_the_root_update() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    let keyid = place.staged_key(&service, true);
    let out = place.text("further");
    let asked = ["request", "--further-signature", "--wave", "v1", "--tag", "production", "--staged-root"];
    place.courier(&service, &[&asked[..], &["--out", &out]].concat()).done();
    let bundle = place.ceremony_with("station", "further", &["--key", &keyid]);
    place.courier(&service, &["submit", &bundle]).done().says("fioctl keys tuf updates apply");
    service.post("/ota/repo/acme/api/v1/user_repo/root/updates/apply", &json!({ "txid": "" }));
    place.courier(&service, &["submit", &bundle]).done().says("already").says("3 of the 3 signatures");
    place.courier(&service, &["wave", "rollout", "v1", "canary"]).done();
}

#[test]
fn the_transaction_id_of_a_root_update_is_given_in_a_file_and_never_printed() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    place.release(&service, "v1", 12);
    place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
    let keyid = place.staged_key(&service, false);
    let bundle = place.sign_again(&service, &keyid);
    let file = place.text("txid");
    let give = |txid: &str, mode: u32| {
        std::fs::write(&file, txid).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
        place.courier(&service, &["submit", &bundle, "--txid-file", &file])
    };
    give("ABCDEFGH", 0o644).ended(2).says("chmod 600");
    let refused = give("AN-OTHER-ONE", 0o600).ended(20).says("transaction ID");
    assert!(!format!("{refused:?}").contains("AN-OTHER-ONE"), "{refused:?}");
    give("ABCDEFGH", 0o600).done();
}
