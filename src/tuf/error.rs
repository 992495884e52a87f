//! What can be wrong with metadata, in words that say what to do.

use super::Dialect;
use super::key::KeyId;
use crate::json::JsonError;
use crate::text::Foreign;

/// Why metadata, a key or a chain was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TufError {
    /// Not well-formed, or not of the form that the format requires.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// Root metadata that is of neither dialect, or of both.
    #[error(
        "{file}: the dialect cannot be told: {why}. Give the production root.json of the Factory or repository"
    )]
    Dialect {
        /// The file.
        file: String,
        /// What contradicts.
        why: String,
    },
    /// Metadata of another dialect than the pinned root's.
    #[error(
        "{file}: this is {} metadata, and the root that is trusted here is {}. It belongs to another station",
        found.described(), pinned.described()
    )]
    OtherDialect {
        /// The file.
        file: String,
        /// What the file follows.
        found: Dialect,
        /// What the root follows.
        pinned: Dialect,
    },
    /// Metadata of another role than the one that is needed here.
    #[error("{file}: this is \"{}\" metadata, \"{wanted}\" is needed here", Foreign(found))]
    Role {
        /// The file.
        file: String,
        /// The role that is needed.
        wanted: &'static str,
        /// What `_type` says.
        found: String,
    },
    /// A specification version that is not 1.x.
    #[error("{file}: specification version \"{}\" is not known, this tool reads 1.x", Foreign(found))]
    SpecVersion {
        /// The file.
        file: String,
        /// What `spec_version` says.
        found: String,
    },
    /// A key that cannot be read.
    #[error("{place}: {why}")]
    Key {
        /// File and key.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// Too few valid signatures.
    #[error("{what}: {valid} of the {needed} needed signatures of the role \"{role}\" (as root version {root} lists it) are valid{}", listed(.problems))]
    Threshold {
        /// The document.
        what: String,
        /// The role whose keys count.
        role: &'static str,
        /// The root version that lists the keys.
        root: u64,
        /// Valid signatures of distinct authorised keys.
        valid: usize,
        /// The role's threshold.
        needed: usize,
        /// What is wrong with the others.
        problems: Vec<String>,
    },
    /// A role of the newest root that nobody could ever sign for.
    #[error(
        "root version {root}: the role \"{role}\" has a threshold of {threshold} with {keys} keys, so nothing can be \
         signed for it. Have the missing keys made first, then use the newer root"
    )]
    Unreachable {
        /// The root's version.
        root: u64,
        /// The role.
        role: String,
        /// Its threshold.
        threshold: usize,
        /// Its distinct keys.
        keys: usize,
    },
    /// CI's root where production's is needed.
    #[error(
        "root version {root} asks for one signature over targets: it is CI's root, and production's asks for two or more. \
         Download the production roots, with ?production=1 behind N.root.json"
    )]
    CiRoot {
        /// The root's version.
        root: u64,
    },
    /// The root chain has a hole or a fork, or does not begin where it must.
    #[error("the root chain does not hold: {0}")]
    Chain(String),
    /// A role that the targets metadata does not delegate to, or not in a way that can be used.
    #[error("{file}: {why}")]
    Delegation {
        /// The delegating file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A key file that holds no usable key, or more than one.
    #[error("{file}: {why}")]
    KeyFile {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A key could not sign.
    #[error("the key {keyid} could not sign: {why}")]
    Sign {
        /// The key.
        keyid: KeyId,
        /// What the library said.
        why: &'static str,
    },
}

fn listed(problems: &[String]) -> String {
    if problems.is_empty() { String::new() } else { format!(": {}", problems.join("; ")) }
}

impl TufError {
    #[cfg(feature = "station")]
    /// A problem of a key at a place; the place is escaped here.
    pub(crate) fn key(place: &str, why: impl Into<String>) -> TufError {
        TufError::Key { place: crate::text::shown(place), why: why.into() }
    }
}
