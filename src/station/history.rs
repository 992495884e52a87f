//! What this station signed and saw: the marks that no later request may fall behind.
//!
//! `history.json` exists to prevent a second signature for one tag and version with another content, and a step back
//! behind what devices may already have. It can be rebuilt from the log, which is the authority.

use crate::bundle::RequestKind;
use crate::ledger::{Entry, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A signature that this station made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedMark {
    /// Metadata version.
    pub version: u64,
    /// Digest of the canonical `signed`.
    pub signed: String,
    /// The key that signed.
    pub keyid: String,
    /// The wave, or nothing.
    pub wave: String,
    /// The request's digest.
    pub request: String,
    /// The number of the log entry (`sign.intent`), so that a signature in doubt counts as made.
    pub seq: u64,
}

/// Production targets whose signatures reached the threshold when this station saw them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenMark {
    /// Metadata version.
    pub version: u64,
    /// Digest of the canonical `signed`.
    pub signed: String,
    /// The request that brought them.
    pub request: String,
}

/// The marks of one device tag.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagHistory {
    /// The newest production targets seen.
    pub baseline: Option<SeenMark>,
    /// Every signature made, in order.
    pub signed: Vec<SignedMark>,
}

impl TagHistory {
    /// The highest version that this station signed or saw in production for the tag.
    pub fn high_water(&self) -> Option<u64> {
        let seen = self.baseline.as_ref().map(|mark| mark.version);
        self.signed.iter().map(|mark| mark.version).chain(seen).max()
    }

    /// Remembers production targets; an older version than the one remembered changes nothing. Was it new?
    pub fn saw(&mut self, mark: SeenMark) -> bool {
        let is_new = self.baseline.as_ref().is_none_or(|known| known.version < mark.version);
        if is_new {
            self.baseline = Some(mark);
        }
        is_new
    }

    /// The signatures made for one version.
    pub fn signed_for(&self, version: u64) -> impl Iterator<Item = &SignedMark> {
        self.signed.iter().filter(move |mark| mark.version == version)
    }
}

/// All marks.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The root version under which the officer last signed, or that she confirmed when the station was made.
    pub acknowledged_root: u64,
    /// By device tag.
    pub tags: BTreeMap<String, TagHistory>,
}

/// The name under which `request.imported` lists the production targets that a request proved: `baseline-VERSION`.
pub fn baseline_object(version: u64) -> String {
    format!("{BASELINE}{version}")
}

/// The version of the production targets that `request.imported` lists under this name, if it is such a name.
pub fn baseline_version(name: &str) -> Option<u64> {
    name.strip_prefix(BASELINE)?.parse().ok()
}

const BASELINE: &str = "baseline-";

impl History {
    /// Takes the next entry of the log into account: replaying the whole log rebuilds the marks.
    pub fn see(&mut self, entry: &Entry<'_>) {
        let text = |field: &str| entry.text(field).into_owned();
        match entry.kind() {
            Kind::RootPinned => self.acknowledge(entry.int("version")),
            Kind::RequestImported => {
                for (name, digest) in entry.pairs("objects") {
                    let Some(version) = baseline_version(&name) else { continue };
                    let mark = SeenMark { version, signed: digest.into_owned(), request: text("request") };
                    self.saw(&text("tag"), mark);
                }
            }
            // A bundle's list has the version of the production targets that it names, and never becomes them.
            Kind::SignIntent if entry.text("kind") == RequestKind::OfflineBundle.name() => {
                self.acknowledge(entry.int("root_version"));
            }
            Kind::SignIntent => {
                let mark = SignedMark {
                    version: entry.int("version"),
                    signed: text("signed"),
                    keyid: text("keyid"),
                    wave: text("wave"),
                    request: text("request"),
                    seq: entry.seq(),
                };
                self.signs(&text("tag"), mark);
                self.acknowledge(entry.int("root_version"));
            }
            Kind::SignAborted => self.gave_up(entry.int("intent")),
            _ => {}
        }
    }

    /// Remembers production targets for a tag; see [`TagHistory::saw`].
    pub fn saw(&mut self, tag: &str, mark: SeenMark) -> bool {
        self.tags.entry(tag.to_owned()).or_default().saw(mark)
    }

    /// Remembers that these bytes are about to be signed.
    pub fn signs(&mut self, tag: &str, mark: SignedMark) {
        let history = self.tags.entry(tag.to_owned()).or_default();
        if !history.signed.iter().any(|known| known.signed == mark.signed && known.keyid == mark.keyid) {
            history.signed.push(mark);
        }
    }

    /// Forgets a mark whose intent was given up before anything was signed.
    pub fn gave_up(&mut self, intent: u64) {
        for history in self.tags.values_mut() {
            history.signed.retain(|mark| mark.seq != intent);
        }
    }

    /// The officer signs under this root, so she knows it.
    pub fn acknowledge(&mut self, root: u64) {
        self.acknowledged_root = self.acknowledged_root.max(root);
    }
}
