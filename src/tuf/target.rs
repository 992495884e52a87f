//! One target and the members that a Factory's build gives it. Nothing is required here: the review says what is
//! missing or of a wrong form.

use crate::json::{Kind, Value};
use std::borrow::Cow;

/// One entry of `targets`.
#[derive(Clone)]
pub struct Target<'d> {
    /// Its name, as `intel-corei7-64-lmp-42`. Foreign text.
    pub name: Cow<'d, str>,
    /// All of it.
    pub value: Value<'d>,
    /// Looked up once: most checks ask for them.
    custom: Option<Value<'d>>,
    version: Option<Value<'d>>,
}

/// A container app and where its image comes from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct App<'d> {
    /// The app's name. Foreign text.
    pub name: Cow<'d, str>,
    /// Its `uri`, as `hub.foundries.io/factory/app@sha256:…`; nothing when it has none. Foreign text.
    pub uri: Cow<'d, str>,
}

impl App<'_> {
    /// The digest that pins the image: 64 lower-case hex digits after `@sha256:`.
    pub fn digest(&self) -> Option<&str> {
        let (_, digest) = self.uri.rsplit_once("@sha256:")?;
        let is_digest = digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_digest.then_some(digest)
    }

    /// The registry: what stands before the first slash.
    pub fn host(&self) -> &str {
        self.uri.split_once('/').map_or("", |(host, _)| host)
    }
}

impl<'d> Target<'d> {
    /// The target of this name.
    pub fn new(name: Cow<'d, str>, value: Value<'d>) -> Target<'d> {
        let custom = value.get("custom");
        Target { name, value, custom, version: custom.and_then(|custom| custom.get("version")) }
    }

    /// The free part that a Factory fills.
    pub fn custom(&self) -> Option<Value<'d>> {
        self.custom
    }

    /// A text member of `custom`.
    pub fn text(&self, key: &str) -> Option<Cow<'d, str>> {
        self.custom()?.get(key)?.as_str()
    }

    /// `custom.version` as it is written; a number is taken as its digits.
    pub fn version_text(&self) -> Option<Cow<'d, str>> {
        let version = self.version?;
        version.as_str().or_else(|| version.number_text().map(Cow::Borrowed))
    }

    /// `custom.version` as the number that it stands for.
    pub fn version(&self) -> Option<u64> {
        let text = self.version_text()?;
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if is_number { text.parse().ok() } else { None }
    }

    /// `hashes.sha256`: of an OSTree target, its commit.
    pub fn sha256(&self) -> Option<Cow<'d, str>> {
        self.value.get("hashes")?.get("sha256")?.as_str()
    }

    /// `custom.hardwareIds`.
    pub fn hardware_ids(&self) -> Vec<Cow<'d, str>> {
        self.texts("hardwareIds")
    }

    /// `custom.tags`.
    pub fn tags(&self) -> Vec<Cow<'d, str>> {
        self.texts("tags")
    }

    /// A list of texts in `custom`; what is not text is left out here and found by the review.
    pub fn texts(&self, key: &str) -> Vec<Cow<'d, str>> {
        let list = self.custom().and_then(|custom| custom.get(key));
        list.map(|list| list.items().filter_map(|item| item.as_str()).collect()).unwrap_or_default()
    }

    /// `custom.docker_compose_apps`, in the order of their names.
    pub fn apps(&self) -> Vec<App<'d>> {
        let Some(list) = self.custom().and_then(|custom| custom.get("docker_compose_apps")) else {
            return Vec::new();
        };
        let uri = |value: Value<'d>| value.get("uri").and_then(|uri| uri.as_str()).unwrap_or_default();
        let mut apps: Vec<_> =
            list.members().map(|(name, value)| App { name: name.text(), uri: uri(value) }).collect();
        apps.sort();
        apps
    }

    /// Does it have a static delta (`custom.delta-stats`)?
    pub fn has_delta(&self) -> bool {
        self.custom()
            .and_then(|custom| custom.get("delta-stats"))
            .is_some_and(|delta| delta.kind() != Kind::Null)
    }
}
