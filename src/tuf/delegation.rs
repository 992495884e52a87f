//! Delegations: which other roles targets metadata trusts, for which paths (TUF specification, section 4.5).

use super::paths::Paths;
use super::root::{Role, parse_keys, parse_role};
use super::signature::require_threshold;
use super::{Digest, KeyId, Metadata, PublicKey, Root, Targets, TufError};
use crate::json::{Document, Kind, Value};
use crate::text::shown;
use std::collections::{BTreeMap, BTreeSet};

/// A role that targets metadata delegates to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delegation {
    /// Its name. Foreign text.
    pub name: String,
    /// Its keys and threshold.
    pub role: Role,
    /// Which targets it may provide.
    pub paths: Paths,
    /// Does the search for a target end with it?
    pub terminating: bool,
}

/// The roles that targets metadata delegates to, in its order: the first that matches a path wins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Delegations {
    /// Every key that it lists.
    pub keys: BTreeMap<KeyId, PublicKey>,
    /// The roles.
    pub roles: Vec<Delegation>,
}

/// More delegated roles than this are refused.
const MAX_ROLES: usize = 4096;
/// Names that a delegated role cannot have.
const TOP_LEVEL: [&str; 4] = ["root", "targets", "snapshot", "timestamp"];

impl Delegations {
    /// Reads the member `delegations`; none where there is none.
    ///
    /// # Errors
    /// It is not of the form that the specification gives it, or a role's threshold cannot be met.
    pub(crate) fn read(metadata: &Metadata<'_>) -> Result<Delegations, TufError> {
        let Some(value) = metadata.signed.get("delegations") else { return Ok(Delegations::default()) };
        let keys = parse_keys(value.require("keys")?, metadata.dialect)?;
        let mut roles = Vec::new();
        if value.get("roles").is_some() == value.get("succinct_roles").is_some() {
            let why = "exactly one of roles and succinct_roles is needed: clients cannot load anything else";
            return Err(value.invalid(why).into());
        }
        if let Some(list) = value.get("roles") {
            list.want(Kind::Array)?;
            for item in list.items() {
                if roles.len() == MAX_ROLES {
                    return Err(list.invalid(format!("more than {MAX_ROLES} delegated roles")).into());
                }
                roles.push(Delegation::read(item, &keys)?);
            }
        }
        if let Some(bins) = value.get("succinct_roles") {
            roles.push(hash_bins(bins, &keys)?);
        }
        let names: BTreeSet<&str> = roles.iter().map(|role| role.name.as_str()).collect();
        if names.len() < roles.len() {
            return Err(value.invalid("a delegated role stands twice").into());
        }
        Ok(Delegations { keys, roles })
    }

    /// The role that metadata of this name is of: one that is listed, or one of the bins (TAP 15).
    pub(super) fn role(&self, name: &str) -> Option<Delegation> {
        let listed = |role: &&Delegation| role.name == name && !matches!(role.paths, Paths::Bin(..));
        self.roles.iter().find(listed).cloned().or_else(|| self.roles.iter().find_map(|role| role.bin(name)))
    }
}

impl Delegation {
    /// Keys, threshold and paths, in words. Foreign text in it is escaped.
    pub(crate) fn described(&self) -> String {
        let paths = self.paths.described();
        let keyids: Vec<String> = self.role.keyids.iter().map(KeyId::to_string).collect();
        format!(
            "{} of {} keys must sign ({}), for the paths {}{}",
            self.role.threshold,
            keyids.len(),
            keyids.join(", "),
            if paths.is_empty() { "of none".to_owned() } else { paths.join(", ") },
            if self.terminating { ", and the search for a target ends with it" } else { "" }
        )
    }

    /// The one bin of this name, where this stands for all of them: `PREFIX-` and its number in hex, as many digits as the
    /// last one has.
    fn bin(&self, name: &str) -> Option<Delegation> {
        let Paths::Bin(bits, None) = self.paths else { return None };
        let digits = name.strip_prefix(self.name.strip_suffix('*')?)?;
        let width = usize::try_from(bits.div_ceil(4)).ok()?;
        let is_hex = digits.len() == width && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let bin = u32::from_str_radix(digits, 16).ok().filter(|bin| is_hex && u64::from(*bin) < 1 << bits)?;
        Some(Delegation { name: name.to_owned(), paths: Paths::Bin(bits, Some(bin)), ..self.clone() })
    }

    fn read(value: Value<'_>, keys: &BTreeMap<KeyId, PublicKey>) -> Result<Delegation, TufError> {
        let name = value.require("name")?;
        let text = name.require_str()?.into_owned();
        if text.is_empty() || TOP_LEVEL.contains(&text.as_str()) {
            return Err(name.invalid("a delegated role cannot have this name").into());
        }
        let terminating = value.require("terminating")?;
        let paths = match (value.get("paths"), value.get("path_hash_prefixes")) {
            (Some(paths), None) => Paths::Patterns(texts(paths)?),
            (None, Some(prefixes)) => Paths::HashPrefixes(texts(prefixes)?),
            _ => return Err(value.invalid("one of paths and path_hash_prefixes is needed").into()),
        };
        Ok(Delegation {
            name: text,
            role: reachable(value, keys)?,
            paths,
            terminating: terminating
                .as_bool()
                .ok_or_else(|| terminating.invalid("true or false is needed"))?,
        })
    }
}

/// `succinct_roles` (TAP 15): 2^n roles of the same keys, each for its share of all paths.
fn hash_bins(value: Value<'_>, keys: &BTreeMap<KeyId, PublicKey>) -> Result<Delegation, TufError> {
    let bits = value.require("bit_length")?;
    let count = bits.require_u64()?;
    let count = u32::try_from(count).ok().filter(|count| (1..=32).contains(count));
    let count = count.ok_or_else(|| bits.invalid("a number from 1 to 32 is needed"))?;
    Ok(Delegation {
        name: format!("{}-*", value.require("name_prefix")?.require_str()?),
        role: reachable(value, keys)?,
        paths: Paths::Bin(count, None),
        terminating: true,
    })
}

fn reachable(value: Value<'_>, keys: &BTreeMap<KeyId, PublicKey>) -> Result<Role, TufError> {
    let role = parse_role(value, keys)?;
    let count = role.distinct_keys(keys);
    if role.threshold > count {
        let why = format!(
            "a threshold of {} with {count} keys: nothing can be signed for the role",
            role.threshold
        );
        return Err(value.invalid(why).into());
    }
    Ok(role)
}

fn texts(list: Value<'_>) -> Result<Vec<String>, TufError> {
    list.want(Kind::Array)?;
    list.items().map(|item| Ok(item.require_str()?.into_owned())).collect()
}

/// A delegated role, and who delegates to it.
#[derive(Clone, Debug)]
pub struct Delegated {
    /// The root, with the delegated roles and their keys beside its own.
    pub root: Root,
    /// The role.
    pub delegation: Delegation,
    /// The version of the targets metadata that delegates.
    pub version: u64,
    /// SHA-256 of its canonical `signed`.
    pub digest: Digest,
    /// When that expires, as it is written. Foreign text.
    pub expires: String,
}

impl Root {
    /// Finds a role that top-level targets metadata delegates to. The metadata must carry the signatures that this
    /// root asks for.
    ///
    /// # Errors
    /// It does not, it does not delegate to the role, or one of its key ids stands for another key in this root.
    pub(crate) fn delegated(&self, document: &Document<'_>, role: &str) -> Result<Delegated, TufError> {
        let metadata = Targets::read(document.root(), self.dialect)?.metadata;
        let message = metadata.message()?;
        require_threshold(document.name(), metadata.signatures.clone(), &message, self, "targets")?;
        let fail = |why: String| TufError::Delegation { file: shown(document.name()), why };
        let delegations = Delegations::read(&metadata)?;
        let Some(delegation) = delegations.role(role) else {
            let known: Vec<String> =
                delegations.roles.iter().map(|role| format!("\"{}\"", shown(&role.name))).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(fail(format!(
                "it does not delegate to a role \"{}\"; it delegates to {known}",
                shown(role)
            )));
        };
        let mut root = self.clone();
        for (keyid, key) in &delegations.keys {
            if root.keys.insert(keyid.clone(), key.clone()).is_some_and(|known| known != *key) {
                return Err(fail(format!(
                    "the key id {keyid} stands for another key in root version {}",
                    self.version
                )));
            }
        }
        root.roles.insert(delegation.name.clone(), delegation.role.clone());
        let (version, expires) = (metadata.version, metadata.expires.into_owned());
        Ok(Delegated { root, delegation, version, digest: message.digest(), expires })
    }
}

/// Who may sign a document: the pinned root, with the delegated role beside its own where it is one.
#[derive(Clone, Debug)]
pub struct Authority<'r> {
    pinned: &'r Root,
    /// The role's name.
    pub role: String,
    /// Who delegates to it, for a delegated role.
    pub delegated: Option<Delegated>,
}

impl<'r> Authority<'r> {
    /// The authority over a role: of the root itself, or of the targets metadata that delegates to it.
    ///
    /// # Errors
    /// As [`Root::delegated`], or nothing shows who delegates to the role.
    pub fn of(
        pinned: &'r Root,
        role: &str,
        delegating: Option<&Document<'_>>,
    ) -> Result<Authority<'r>, TufError> {
        let delegated = match delegating {
            _ if role == "targets" => None,
            Some(document) => Some(pinned.delegated(document, role)?),
            None => {
                return Err(TufError::Delegation {
                    file: shown(role),
                    why: "the targets metadata that delegates to this role is missing".to_owned(),
                });
            }
        };
        Ok(Authority { pinned, role: role.to_owned(), delegated })
    }

    /// The root, with the delegated role and its keys.
    pub(crate) fn root(&self) -> &Root {
        self.delegated.as_ref().map_or(self.pinned, |delegated| &delegated.root)
    }
}
