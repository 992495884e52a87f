//! The review as people and scripts read it.

mod differs;
mod hostile;
mod shelf;

use super::review;
use super::testing::Fixture;
use crate::tuf::Digest;
use serde_json::Value as Json;

#[test]
fn scripts_find_in_the_json_what_the_contract_promises() {
    Fixture::step("acme", "3").with(|situation| {
        let review = review(situation);
        let text = review.json();
        let (bound, confirm) = text.rsplit_once(",\"confirm\":").expect("the words stand last");
        let digest = Digest::of(format!("{bound}}}").as_bytes());
        assert_eq!(review.digest(), digest, "whoever keeps the JSON can name the review");
        assert_eq!(confirm, format!("\"{}\"}}", review.confirm()));
        let json: Json = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["factory"], "acme-gateway");
        assert_eq!((&json["wave"], &json["tag"]), (&"v2.1-prune".into(), &"production".into()));
        assert_eq!((&json["version"], &json["baseline_version"]), (&43.into(), &42.into()));
        assert_eq!(json["expires"], "2027-11-23T00:00:00Z");
        assert_eq!(json["digest"], situation.message.digest().to_string());
        assert_eq!(json["request"], situation.request.to_string());
        assert_eq!(json["added"], serde_json::json!(["intel-corei7-64-lmp-43", "raspberrypi4-64-lmp-43"]));
        assert_eq!(json["removed"], serde_json::json!(["intel-corei7-64-lmp-12", "raspberrypi4-64-lmp-12"]));
        assert_eq!(json["changed"], serde_json::json!([]));
        assert!(json["confirm"].as_str().is_some_and(|words| words.split(' ').count() == 6));
        assert!(json["findings"].is_array() && json["signable"].is_boolean());
    });
}
