//! What this station signed and saw: the marks that no later request may fall behind.
//!
//! `history.json` exists to prevent a second signature for one tag and version with another content, and a step back
//! behind what devices may already have. It can be rebuilt from the log, which is the authority.

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
