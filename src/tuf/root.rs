//! Root metadata: which keys may sign what, and how many of them must.

use super::signature::{Assessed, require_threshold};
use super::{Dialect, Digest, KeyId, Message, Metadata, PublicKey, TufError};
use crate::host::clock::Time;
use crate::json::{Document, Kind, Limits, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// A root longer than this is refused unread. Devices stop at 64 KiB, which the review checks.
pub(crate) const MAX_ROOT_BYTES: u64 = 1 << 20;

/// A root of a greater version is refused: nine digits are a new root each second for thirty years.
const MAX_ROOT_VERSION: u64 = 999_999_999;

/// The longest id of a key, in bytes: it stands in sentences, in file names and in the log.
const MAX_KEYID: usize = 128;

/// The keys and the threshold of a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// Ids of the keys, in the root's order.
    pub keyids: Vec<KeyId>,
    /// How many distinct keys must sign.
    pub threshold: usize,
}

impl Role {
    /// How many different keys the role has: one key under two ids is one.
    pub(crate) fn distinct_keys(&self, keys: &BTreeMap<KeyId, PublicKey>) -> usize {
        let infos = self.keyids.iter().filter_map(|id| keys.get(id)).map(PublicKey::subject_public_key_info);
        infos.collect::<BTreeSet<_>>().len()
    }
}

/// The key ids of one list that another does not have, in order.
pub(crate) fn only_in<'i>(keyids: &'i [KeyId], others: &[KeyId]) -> Vec<&'i KeyId> {
    let others: BTreeSet<&KeyId> = others.iter().collect();
    keyids.iter().filter(|keyid| !others.contains(keyid)).collect()
}

/// Who owns a key, as fioctl notes it in `x-key-owners`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The user's id at the service. Foreign text.
    pub polis_id: String,
    /// When the key was made, as it is written. Foreign text.
    pub created_at: String,
}

/// A root, and the bytes that it was read from.
#[derive(Clone)]
pub struct Root {
    /// Whose rules it follows.
    pub dialect: Dialect,
    /// `version`.
    pub version: u64,
    /// `expires`.
    pub expires: Time,
    /// Every key that the root lists.
    pub keys: BTreeMap<KeyId, PublicKey>,
    /// `root`, `targets` and the others.
    pub roles: BTreeMap<String, Role>,
    /// Who owns which key, where the root says it: `x-key-owners` as fioctl writes it, or a key's
    /// `x-tuf-on-ci-keyowner`.
    pub owners: BTreeMap<KeyId, Owner>,
    /// Keys that a key service holds, with its address: a key's `x-tuf-on-ci-online-uri`. Foreign text.
    pub services: BTreeMap<KeyId, String>,
    /// `x-changelog.message`, where a Factory has it. Foreign text.
    pub change: Option<String>,
    /// `consistent_snapshot`.
    pub consistent_snapshot: bool,
    /// SHA-256 of the canonical `signed`.
    pub fingerprint: Digest,
    /// The whole file.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Root {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "root {} {}", self.version, self.fingerprint)
    }
}

impl Root {
    /// Reads a root and tells its dialect. Its signatures are not looked at: see [`super::Chain`].
    ///
    /// # Errors
    /// It is not a root of either dialect, a role names a key that is not there, a threshold cannot be met, or a key
    /// stands under an id that is not its own.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Root, TufError> {
        let document = Document::parse(name, bytes, Limits::of_bytes(MAX_ROOT_BYTES))?;
        let signed = document.root().require("signed")?;
        let dialect = Dialect::of_root(signed)?;
        let metadata = Metadata::read(document.root(), dialect, "root")?;
        let expires = metadata.expiry().ok_or_else(|| {
            signed.get("expires").unwrap_or(signed).invalid("this is not a time (RFC 3339)")
        })?;
        if metadata.version > MAX_ROOT_VERSION {
            let why =
                format!("the version of a root is at most {MAX_ROOT_VERSION}: its file is named after it");
            return Err(signed.require("version")?.invalid(why).into());
        }
        let keys = parse_keys(signed.require("keys")?, dialect)?;
        let roles = parse_roles(signed.require("roles")?, &keys)?;
        for needed in ["root", "targets"] {
            if !roles.contains_key(needed) {
                return Err(signed.require("roles")?.require(needed).err().map_or_else(
                    || TufError::Chain(format!("{name} has no role {needed}")),
                    TufError::from,
                ));
            }
        }
        Ok(Root {
            dialect,
            version: metadata.version,
            expires,
            owners: parse_owners(signed),
            services: parse_services(signed),
            change: change_message(signed),
            consistent_snapshot: signed
                .get("consistent_snapshot")
                .and_then(|value| value.as_bool())
                .unwrap_or(false),
            fingerprint: metadata.message()?.digest(),
            keys,
            roles,
            bytes: bytes.to_vec(),
        })
    }

    /// Reads a root whose file name says its version: `N.root.json`.
    ///
    /// # Errors
    /// As [`Root::parse`], or it is of another version than its name says.
    pub fn of_file(name: &str, bytes: &[u8]) -> Result<Root, TufError> {
        let root = Root::parse(name, bytes)?;
        let said =
            name.rsplit('/').next().and_then(|file| file.split('.').next()).and_then(|n| n.parse().ok());
        if said.is_some_and(|said: u64| said != root.version) {
            let name = crate::text::shown(name);
            return Err(TufError::Chain(format!("{name} holds version {}", root.version)));
        }
        Ok(root)
    }

    /// Checks that this is the root that production devices follow. CI's is signed by the same keys, but is content with
    /// one signature for targets: the service's own.
    ///
    /// # Errors
    /// Where there is a service, the threshold of the targets role is 1.
    pub(crate) fn require_production(&self) -> Result<(), TufError> {
        if self.dialect.has_service() && self.threshold("targets") < 2 {
            return Err(TufError::CiRoot { root: self.version });
        }
        Ok(())
    }

    /// The key with this id, if the role lists it.
    pub(crate) fn key_in_role(&self, role: &str, keyid: &KeyId) -> Option<&PublicKey> {
        let role = self.roles.get(role)?;
        if role.keyids.contains(keyid) { self.keys.get(keyid) } else { None }
    }

    /// A role's threshold; more than any number of signatures when there is no such role.
    pub(crate) fn threshold(&self, role: &str) -> usize {
        self.roles.get(role).map_or(usize::MAX, |role| role.threshold)
    }

    /// A role's key ids; none when there is no such role.
    pub fn keyids(&self, role: &str) -> &[KeyId] {
        self.roles.get(role).map_or(&[], |role| &role.keyids)
    }

    /// Who owns a key, for showing: the service's user id, or nothing.
    pub(crate) fn owner(&self, keyid: &KeyId) -> Option<&Owner> {
        self.owners.get(keyid)
    }

    /// Checks that every role can reach its threshold. A root inside a chain may have a role that could not yet: a
    /// Factory's production root asks for two targets signatures before the offline key is made. The newest may not.
    ///
    /// # Errors
    /// A role has a threshold above the number of its distinct keys.
    pub(crate) fn require_reachable_thresholds(&self) -> Result<(), TufError> {
        for (name, role) in &self.roles {
            let keys = role.distinct_keys(&self.keys);
            if role.threshold > keys {
                return Err(TufError::Unreachable {
                    root: self.version,
                    role: crate::text::shown(name),
                    threshold: role.threshold,
                    keys,
                });
            }
        }
        Ok(())
    }

    /// Checks this root's signatures against the keys and threshold of a root (its predecessor, or itself).
    ///
    /// # Errors
    /// Too few valid signatures.
    pub(crate) fn require_signed_by(&self, name: &str, other: &Root) -> Result<Vec<Assessed>, TufError> {
        let document = Document::parse(name, &*self.bytes, Limits::of_bytes(MAX_ROOT_BYTES))?;
        let metadata = Metadata::read(document.root(), self.dialect, "root")?;
        let message: Message<'_> = metadata.message()?;
        require_threshold(name, metadata.signatures, &message, other, "root")
    }
}

/// Is it `N.root.json`?
pub(crate) fn is_root_file(name: &str) -> bool {
    name.strip_suffix(".root.json")
        .is_some_and(|n| !n.is_empty() && n.len() < 10 && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Reads an object of keys by key id.
pub(super) fn parse_keys(keys: Value<'_>, dialect: Dialect) -> Result<BTreeMap<KeyId, PublicKey>, TufError> {
    keys.want(Kind::Object)?;
    let mut parsed = BTreeMap::new();
    for (id, value) in keys.members() {
        let keyid = KeyId::new(id.text());
        if keyid.as_str().len() > MAX_KEYID {
            return Err(value.invalid(format!("its id has more than {MAX_KEYID} bytes")).into());
        }
        let key = dialect.parse_key(value)?;
        dialect.check_keyid(&key, &keyid).map_err(|why| value.invalid(why))?;
        parsed.insert(keyid, key);
    }
    Ok(parsed)
}

fn parse_roles(
    roles: Value<'_>,
    keys: &BTreeMap<KeyId, PublicKey>,
) -> Result<BTreeMap<String, Role>, TufError> {
    roles.want(Kind::Object)?;
    let mut parsed = BTreeMap::new();
    for (name, value) in roles.members() {
        parsed.insert(name.text().into_owned(), parse_role(value, keys)?);
    }
    Ok(parsed)
}

/// Reads `keyids` and `threshold`.
pub(super) fn parse_role(value: Value<'_>, keys: &BTreeMap<KeyId, PublicKey>) -> Result<Role, TufError> {
    let threshold = value.require("threshold")?;
    let list = value.require("keyids")?;
    list.want(Kind::Array)?;
    let (mut keyids, mut seen) = (Vec::new(), BTreeSet::new());
    for item in list.items() {
        let keyid = KeyId::new(item.require_str()?);
        if !keys.contains_key(&keyid) {
            return Err(item.invalid("there is no key with this id").into());
        }
        if !seen.insert(keyid.clone()) {
            return Err(item.invalid("the role lists this key twice").into());
        }
        keyids.push(keyid);
    }
    let needed = usize::try_from(threshold.require_u64()?).unwrap_or(usize::MAX);
    if needed == 0 {
        return Err(threshold.invalid("a threshold of 0 would need no signature at all").into());
    }
    Ok(Role { keyids, threshold: needed })
}

fn parse_owners(signed: Value<'_>) -> BTreeMap<KeyId, Owner> {
    let text = |value: Value<'_>, key: &str| value.get(key).and_then(|v| v.as_str()).map(Cow::into_owned);
    let mut owners = BTreeMap::new();
    for (keyid, key) in signed.get("keys").iter().flat_map(Value::members) {
        if let Some(polis_id) = text(key, "x-tuf-on-ci-keyowner") {
            owners.insert(KeyId::new(keyid.text()), Owner { polis_id, created_at: String::new() });
        }
    }
    for (keyid, owner) in signed.get("x-key-owners").iter().flat_map(Value::members) {
        let text = |key: &str| text(owner, key).unwrap_or_default();
        let owner = Owner { polis_id: text("polis-id"), created_at: text("created-at") };
        owners.insert(KeyId::new(keyid.text()), owner);
    }
    owners
}

fn parse_services(signed: Value<'_>) -> BTreeMap<KeyId, String> {
    let keys = signed.get("keys");
    let held = keys.iter().flat_map(Value::members).filter_map(|(keyid, key)| {
        let uri = key.get("x-tuf-on-ci-online-uri")?.as_str()?;
        Some((KeyId::new(keyid.text()), uri.into_owned()))
    });
    held.collect()
}

fn change_message(signed: Value<'_>) -> Option<String> {
    Some(signed.get("x-changelog")?.get("message")?.as_str()?.into_owned())
}
