//! One target and the members that a Factory's build gives it. Nothing is required here: the review says what is
//! missing or of a wrong form.

use crate::json::{Kind, Slot, Value};
use std::borrow::Cow;

/// One entry of `targets`.
#[derive(Clone)]
pub struct Target<'d> {
    /// Its name, as `intel-corei7-64-lmp-42`. Foreign text.
    pub name: Cow<'d, str>,
    /// All of it.
    pub value: Value<'d>,
    custom: Slot,
    /// Found in one walk, and in four bytes each: most checks ask every target for them.
    known: [Slot; KNOWN],
}

/// How many members of `custom` are kept.
const KNOWN: usize = 5;

/// The place of a member of `custom` among those that are kept.
#[inline]
fn known(key: &str) -> Option<usize> {
    match key {
        "docker_compose_apps" => Some(0),
        "hardwareIds" => Some(1),
        "name" => Some(2),
        "tags" => Some(3),
        "version" => Some(4),
        _ => None,
    }
}

/// A container app and where its image comes from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct App<'d> {
    /// The app's name. Foreign text.
    pub name: Cow<'d, str>,
    /// Its `uri`, as `hub.foundries.io/factory/app@sha256:…`; nothing when it has none. Foreign text.
    pub uri: Cow<'d, str>,
}

impl App<'_> {
    /// The digest that pins the image: 64 lower-case hex digits after `@sha256:`.
    pub(crate) fn digest(&self) -> Option<&str> {
        let (_, digest) = self.uri.rsplit_once("@sha256:")?;
        let is_digest = digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_digest.then_some(digest)
    }

    /// The registry: what stands before the first slash.
    pub(crate) fn host(&self) -> &str {
        self.uri.split_once('/').map_or("", |(host, _)| host)
    }
}

impl<'d> Target<'d> {
    /// The target of this name.
    pub(crate) fn new(name: Cow<'d, str>, value: Value<'d>) -> Target<'d> {
        let mut target = Target { name, value, custom: Slot::default(), known: Default::default() };
        if let Some(custom) = value.get("custom") {
            target.custom = custom.slot();
            for (key, member) in custom.members() {
                if let Some(place) = known(&key.text()) {
                    target.known[place] = member.slot();
                }
            }
        }
        target
    }

    /// The free part that a Factory fills.
    pub(crate) fn custom(&self) -> Option<Value<'d>> {
        self.value.at(self.custom)
    }

    /// A member of `custom`.
    #[inline]
    pub(crate) fn member(&self, key: &str) -> Option<Value<'d>> {
        match known(key) {
            Some(place) => self.value.at(self.known[place]),
            None => self.custom()?.get(key),
        }
    }

    /// A text member of `custom`.
    pub(crate) fn text(&self, key: &str) -> Option<Cow<'d, str>> {
        self.member(key)?.as_str()
    }

    /// `custom.version` as it is written; a number is taken as its digits.
    pub(crate) fn version_text(&self) -> Option<Cow<'d, str>> {
        let version = self.member("version")?;
        version.as_str().or_else(|| version.number_text().map(Cow::Borrowed))
    }

    /// `custom.version` as the number that it stands for.
    pub(crate) fn version(&self) -> Option<u64> {
        let text = self.version_text()?;
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if is_number { text.parse().ok() } else { None }
    }

    /// `hashes.sha256`: of an OSTree target, its commit.
    pub(crate) fn sha256(&self) -> Option<Cow<'d, str>> {
        self.value.get("hashes")?.get("sha256")?.as_str()
    }

    /// `custom.hardwareIds`.
    pub(crate) fn hardware_ids(&self) -> impl Iterator<Item = Cow<'d, str>> + use<'d> {
        self.texts("hardwareIds")
    }

    /// `custom.tags`.
    pub(crate) fn tags(&self) -> impl Iterator<Item = Cow<'d, str>> + use<'d> {
        self.texts("tags")
    }

    /// A list of texts in `custom`; what is not text is left out here and found by the review.
    pub(crate) fn texts(&self, key: &str) -> impl Iterator<Item = Cow<'d, str>> + use<'d> {
        let list = self.member(key);
        list.into_iter().flat_map(|list| list.items()).filter_map(|item| item.as_str())
    }

    /// `custom.docker_compose_apps`, in the order of their names.
    pub(crate) fn apps(&self) -> Vec<App<'d>> {
        let Some(list) = self.member("docker_compose_apps") else {
            return Vec::new();
        };
        let uri = |value: Value<'d>| value.get("uri").and_then(|uri| uri.as_str()).unwrap_or_default();
        let mut apps: Vec<_> =
            list.members().map(|(name, value)| App { name: name.text(), uri: uri(value) }).collect();
        apps.sort();
        apps
    }

    /// Does it have a static delta (`custom.delta-stats`)?
    pub(crate) fn has_delta(&self) -> bool {
        self.member("delta-stats").is_some_and(|delta| delta.kind() != Kind::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};
    use proptest::prelude::*;

    const KEYS: [&str; 8] =
        ["arch", "docker_compose_apps", "hardwareIds", "lmp-ver", "name", "tags", "uri", "version"];

    /// `custom` as something else than an object, or as one of some of these members in any order, the keys with an
    /// escape or without.
    fn custom() -> impl Strategy<Value = String> {
        let member = |key: &'static str| {
            (any::<bool>(), prop::sample::select(vec!["null", "\"a\"", "[\"b\",1]", "{\"uri\":\"c\"}"]))
                .prop_map(move |(escaped, value)| match escaped {
                    true => format!("\"\\u{:04x}{}\":{value}", u32::from(key.as_bytes()[0]), &key[1..]),
                    false => format!("\"{key}\":{value}"),
                })
        };
        let members = prop::sample::subsequence(KEYS.to_vec(), 0..=KEYS.len())
            .prop_shuffle()
            .prop_flat_map(move |keys| keys.into_iter().map(member).collect::<Vec<_>>());
        prop_oneof![
            1 => prop::sample::select(vec!["null".to_owned(), "[]".to_owned(), "\"name\"".to_owned()]),
            9 => members.prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    }

    proptest! {
        #[test]
        fn a_member_is_what_looking_for_it_in_custom_finds(custom in prop::option::of(custom())) {
            let text = custom.map_or("{}".to_owned(), |custom| format!("{{\"custom\":{custom}}}"));
            let document = Document::parse("t", text.as_bytes(), Limits::DEFAULT).expect("it reads");
            let target = Target::new("t".into(), document.root());
            let plainly = |key: &str| document.root().get("custom")?.get(key);
            for key in KEYS {
                let place = |value: Option<Value<'_>>| value.map(|value| value.offset());
                prop_assert_eq!(place(target.member(key)), place(plainly(key)), "{} in {}", key, text);
            }
        }
    }
}
