//! No two proposals look alike: whatever member differs, the pages differ, even with the digests taken out.

use super::super::review;
use super::super::testing::Fixture;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

/// One change somewhere in a document.
#[derive(Clone, Debug)]
enum Edit {
    Replace(Json),
    Remove,
    Rename(String),
    Insert(String, Json),
    Reverse,
}

fn leaf() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (0u64..100).prop_map(Json::from),
        "[a-c0-9 \",.\\\\\\[\\]{}:\u{e9}]{0,5}".prop_map(Json::from),
        prop::sample::select(vec![
            "null",
            "true",
            "42",
            "number 42",
            "\"42\"",
            "[]",
            "{}",
            "a, b",
            "production"
        ])
        .prop_map(Json::from),
    ]
}

fn any_json() -> impl Strategy<Value = Json> {
    leaf().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map("[a-c.\"\\]]{0,2}", inner, 0..3)
                .prop_map(|map| Json::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let key = || {
        prop_oneof![
            "[a-c.\" ]{0,3}",
            prop::sample::select(vec![
                "custom",
                "tags",
                "uri",
                "version",
                "docker_compose_apps",
                "apps",
                "a.b",
                "size"
            ])
            .prop_map(str::to_owned),
        ]
    };
    prop_oneof![
        4 => any_json().prop_map(Edit::Replace),
        2 => Just(Edit::Remove),
        1 => key().prop_map(Edit::Rename),
        3 => (key(), any_json()).prop_map(|(key, value)| Edit::Insert(key, value)),
        1 => Just(Edit::Reverse),
    ]
}

/// Walks down by the numbers and edits where they end.
fn apply(value: &mut Json, way: &[usize], edit: &Edit) {
    let Some((turn, rest)) = way.split_first() else { return };
    match value {
        Json::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(turn % map.len()).expect("a key").clone();
            let ends = rest.is_empty() || !map[&key].is_object() && !map[&key].is_array();
            match (ends, edit) {
                (false, _) => apply(map.get_mut(&key).expect("a member"), rest, edit),
                (true, Edit::Replace(new)) => drop(map.insert(key, new.clone())),
                (true, Edit::Remove) => drop(map.remove(&key)),
                (true, Edit::Rename(new)) => {
                    let old = map.remove(&key).expect("a member");
                    map.insert(new.clone(), old);
                }
                (true, Edit::Insert(new, value)) => drop(map.insert(new.clone(), value.clone())),
                (true, Edit::Reverse) => {
                    if let Some(list) = map.get_mut(&key).and_then(Json::as_array_mut) {
                        list.reverse();
                    }
                }
            }
        }
        Json::Array(list) if !list.is_empty() => {
            let at = turn % list.len();
            match edit {
                Edit::Replace(new) => list[at] = new.clone(),
                Edit::Remove => drop(list.remove(at)),
                Edit::Insert(_, value) => list.insert(at, value.clone()),
                Edit::Rename(_) | Edit::Reverse => list.reverse(),
            }
        }
        _ => {}
    }
}

/// What an officer sees, without the digests that differ by themselves; `None` for what is no targets metadata.
fn faces(
    fixture: &mut Fixture,
    original: &Json,
    edits: &[(Vec<usize>, Edit)],
) -> Option<(Vec<u8>, [String; 3])> {
    let mut signed = original.clone();
    edits.iter().for_each(|(way, edit)| apply(&mut signed, way, edit));
    let is_metadata = signed["_type"].as_str().is_some_and(|role| role.eq_ignore_ascii_case("targets"))
        && signed["version"].as_u64().is_some_and(|version| version > 0)
        && signed["expires"].is_string()
        && signed["targets"].as_object().is_some_and(|targets| targets.values().all(Json::is_object));
    if !is_metadata {
        return None;
    }
    fixture.set_proposal(&serde_json::to_vec(&signed).expect("JSON"));
    fixture.with(|situation| {
        let mut review = review(situation);
        let digest = review.header.digest;
        // What differs by itself is made equal: the digest, its words, the length, and what the checks say.
        review.header.digest = crate::tuf::Digest([0; 32]);
        review.nonce = None;
        review.header.bytes = 0;
        review.findings.clear();
        let pages = [review.text(80, false), review.html(None), review.json()];
        Some((digest.0.to_vec(), pages))
    })
}

/// A wave to edit, and what it signs: one that adds two targets, removes two and keeps two, or a first wave of three
/// versions and three images.
fn wave(many: bool) -> (Fixture, Json) {
    let fixture = if many { super::shelf::many_targets() } else { Fixture::step("acme", "3") };
    let envelope: Json = serde_json::from_slice(fixture.proposal.bytes()).expect("JSON");
    let original = envelope["signed"].clone();
    (fixture, original)
}

fn edits() -> impl Strategy<Value = Vec<(Vec<usize>, Edit)>> {
    prop::collection::vec((prop::collection::vec(0usize..64, 1..7), edit()), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn proposals_that_differ_in_any_member_have_different_reviews(
        a in edits(),
        b in edits(),
        many in any::<bool>(),
    ) {
        let (mut fixture, original) = wave(many);
        let a = faces(&mut fixture, &original, &a);
        let b = faces(&mut fixture, &original, &b);
        if let (Some((digest_a, faces_a)), Some((digest_b, faces_b))) = (a, b) {
            for (one, other) in faces_a.iter().zip(&faces_b) {
                prop_assert_eq!(digest_a == digest_b, one == other, "{}\n---\n{}", one, other);
            }
        }
    }

    #[test]
    fn a_member_and_its_look_alikes_are_shown_differently(
        way in prop::collection::vec(0usize..64, 3..7),
        value in any_json(),
        which in 0usize..7,
        many in any::<bool>(),
    ) {
        let (mut fixture, original) = wave(many);
        let mut faces = |new: Json| faces(&mut fixture, &original, &[(way.clone(), Edit::Replace(new))]);
        let look_alike = look_alikes(&value)[which].clone();
        if let (Some((digest_a, faces_a)), Some((digest_b, faces_b))) = (faces(value), faces(look_alike)) {
            for (one, other) in faces_a.iter().zip(&faces_b) {
                prop_assert_eq!(digest_a == digest_b, one == other, "{}\n---\n{}", one, other);
            }
        }
    }
}

/// Other values that a careless page would show as this one.
fn look_alikes(value: &Json) -> [Json; 7] {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let joined = value.as_array().map(|list| {
        let words = list.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
        words.collect::<Vec<_>>().join(", ")
    });
    [
        json!(text),
        json!(value.to_string()),
        json!([value]),
        json!([text]),
        json!(joined),
        text.parse::<u64>().map_or(Json::Null, Json::from),
        json!(format!("number {text}")),
    ]
}

#[test]
fn it_is_seen_which_of_many_targets_differs() {
    let (mut fixture, original) = wave(true);
    let names: Vec<String> = original["targets"].as_object().expect("targets").keys().cloned().collect();
    let mut seen = Vec::new();
    for name in &names {
        for (key, value) in [("lmp-ver", "1"), ("version", "14"), ("name", "beta-lmp"), ("arch", "arm64")] {
            let mut signed = original.clone();
            signed["targets"][name]["custom"][key] = value.into();
            fixture.set_proposal(&serde_json::to_vec(&signed).expect("JSON"));
            let (digest, text) = fixture.with(|situation| {
                let mut review = review(situation);
                let digest = review.header.digest;
                review.header.digest = crate::tuf::Digest([0; 32]);
                review.nonce = None;
                review.header.bytes = 0;
                review.findings.clear();
                (digest, review.text(80, false))
            });
            seen.push((digest, text));
        }
    }
    for (index, (digest, text)) in seen.iter().enumerate() {
        assert!(seen[index + 1..].iter().all(|other| (other.0 == *digest) == (other.1 == *text)), "{text}");
    }
}

#[test]
fn values_that_only_look_alike_are_shown_differently() {
    let seen: Vec<_> = [
        json!("42"),
        json!(42),
        json!("number 42"),
        json!(["42"]),
        json!("\"42\""),
        json!(null),
        json!("null"),
        json!("4 2"),
        json!("a, b"),
        json!(["a", "b"]),
        json!(["a, b"]),
        json!([]),
        json!("[]"),
        json!({}),
        json!("{}"),
    ]
    .into_iter()
    .flat_map(|value| {
        ["lmp-ver", "tags", "x-unknown"].map(|key| {
            let mut fixture = Fixture::step("acme", "3");
            let value = value.clone();
            fixture.edit_proposal(move |signed| {
                signed["targets"]["intel-corei7-64-lmp-43"]["custom"][key] = value
            });
            fixture.with(|situation| {
                let mut review = review(situation);
                review.header.digest = crate::tuf::Digest([0; 32]);
                review.nonce = None;
                review.header.bytes = 0;
                review.findings.clear();
                review.text(80, false)
            })
        })
    })
    .collect();
    for (index, one) in seen.iter().enumerate() {
        assert!(seen[index + 1..].iter().all(|other| other != one), "{one}");
    }
}
