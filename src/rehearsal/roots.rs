//! The root chains of a made-up Factory, as fioctl and the service leave them behind.
//!
//! Version 1 is the service's own; in version 2 the Factory has taken over the root key; in version 3 it has its
//! offline targets key; in version 4, if it has two officers, the second one's. CI and production differ in the
//! targets threshold only: CI keeps 1, production wants one signature a key.

use super::keys::MadeUpKey;
use crate::host::clock::Time;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The keys of all roles.
pub(super) struct Keys {
    pub(super) first_root: MadeUpKey,
    pub(super) root: MadeUpKey,
    pub(super) online: MadeUpKey,
    pub(super) snapshot: MadeUpKey,
    pub(super) timestamp: MadeUpKey,
    /// The officers' targets keys.
    pub(super) offline: Vec<MadeUpKey>,
}

impl Keys {
    pub(super) fn derive(seed: u64, factory: &str) -> Keys {
        let key = |purpose: &str| MadeUpKey::derive(seed, factory, purpose);
        Keys {
            first_root: key("first root"),
            root: key("root"),
            online: key("online targets"),
            snapshot: key("snapshot"),
            timestamp: key("timestamp"),
            offline: vec![key("offline targets 1")],
        }
    }
}

/// Which of the two chains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    Ci,
    Production,
}

/// The files of a chain, oldest first: the file of version N is the N-th.
pub(super) fn chain(keys: &Keys, which: Chain, now: Time) -> Vec<Vec<u8>> {
    (1..=newest_version(keys)).map(|version| file(keys, which, version, now)).collect()
}

/// SHA-256 of the newest production root's canonical `signed`.
pub(super) fn fingerprint(keys: &Keys, now: Time) -> String {
    let signed = signed(keys, Chain::Production, newest_version(keys), now);
    hex::encode(Sha256::digest(signed.to_string()))
}

fn newest_version(keys: &Keys) -> usize {
    2 + keys.offline.len()
}

/// One root file, spaced and in the order in which the service writes it.
fn file(keys: &Keys, which: Chain, version: usize, now: Time) -> Vec<u8> {
    let signed = signed(keys, which, version, now);
    // Keys sorted, no white space, nothing but ASCII: what serde_json writes here is the canonical form.
    let canonical = signed.to_string();
    let signers: &[&MadeUpKey] = match version {
        1 => &[&keys.first_root],
        2 => &[&keys.root, &keys.first_root],
        _ => &[&keys.root],
    };
    let signatures: Vec<Value> = signers.iter().map(|key| key.sign(canonical.as_bytes())).collect();
    format!("{{\"signatures\": {}, \"signed\": {canonical}}}", Value::Array(signatures)).into_bytes()
}

fn signed(keys: &Keys, which: Chain, version: usize, now: Time) -> Value {
    let root = if version == 1 { &keys.first_root } else { &keys.root };
    let offline = &keys.offline[..version.saturating_sub(2).min(keys.offline.len())];
    let targets: Vec<&MadeUpKey> = std::iter::once(&keys.online).chain(offline).collect();
    let threshold = if which == Chain::Ci || version == 1 { 1 } else { targets.len().max(2) };

    let mut listed = Map::new();
    for key in [root, &keys.snapshot, &keys.timestamp].into_iter().chain(targets.iter().copied()) {
        listed.insert(key.id().to_owned(), key.public());
    }
    let role = |key: &MadeUpKey| json!({"keyids": [key.id()], "threshold": 1});
    let target_ids: Vec<&str> = targets.iter().map(|key| key.id()).collect();
    let mut signed = json!({
        "_type": "Root",
        "consistent_snapshot": false,
        "expires": now.plus_days(if version == 1 { 3650 } else { 365 }).to_string(),
        "keys": listed,
        "roles": {
            "root": role(root),
            "snapshot": role(&keys.snapshot),
            "targets": {"keyids": target_ids, "threshold": threshold},
            "timestamp": role(&keys.timestamp),
        },
        "version": version,
    });
    if version > 1 {
        let message = match version {
            2 => "Rotate TUF root offline signing key",
            3 => "Rotate TUF targets offline signing key",
            _ => "Add a second officer's targets key",
        };
        let made = now.plus_days(version as i64 - 60).to_string();
        let mut owners = Map::new();
        for key in std::iter::once(root).chain(offline) {
            owners.insert(key.id().to_owned(), json!({"polis-id": "u1", "created-at": made}));
        }
        signed["x-changelog"] = json!({"polis-id": "u1", "message": message, "timestamp": made});
        signed["x-key-owners"] = Value::Object(owners);
    }
    signed
}
