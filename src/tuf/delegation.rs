//! Delegations: which other roles targets metadata trusts, for which paths (TUF specification, section 4.5).

use super::root::{Role, parse_keys, parse_role};
use super::signature::require_threshold;
use super::{KeyId, Metadata, PublicKey, Root, Targets, TufError};
use crate::json::{Document, Kind, Value};
use crate::text::{Foreign, shown};
use std::collections::{BTreeMap, BTreeSet};

/// A role that targets metadata delegates to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delegation {
    /// Its name. Foreign text.
    pub name: String,
    /// Its keys and threshold.
    pub role: Role,
    /// The path patterns that it may provide; or what else says which paths, in words. Foreign text.
    pub patterns: Vec<String>,
    /// Does the search for a target end with it?
    pub terminating: bool,
}

/// The roles that targets metadata delegates to, in its order: the first that matches a path wins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delegations {
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
    pub fn read(metadata: &Metadata<'_>) -> Result<Delegations, TufError> {
        let Some(value) = metadata.signed.get("delegations") else { return Ok(Delegations::default()) };
        let keys = parse_keys(value.require("keys")?, metadata.dialect)?;
        let mut roles = Vec::new();
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

    /// The role of this name.
    pub fn get(&self, name: &str) -> Option<&Delegation> {
        self.roles.iter().find(|role| role.name == name)
    }
}

impl Delegation {
    /// Keys, threshold and paths, in words. Foreign text in it is escaped.
    pub fn described(&self) -> String {
        let quoted: Vec<String> = self.patterns.iter().map(|path| format!("\"{}\"", Foreign(path))).collect();
        let keyids: Vec<String> = self.role.keyids.iter().map(KeyId::to_string).collect();
        format!(
            "{} of {} keys must sign ({}), for the paths {}{}",
            self.role.threshold,
            keyids.len(),
            keyids.join(", "),
            if quoted.is_empty() { "of none".to_owned() } else { quoted.join(", ") },
            if self.terminating { ", and the search for a target ends with it" } else { "" }
        )
    }

    fn read(value: Value<'_>, keys: &BTreeMap<KeyId, PublicKey>) -> Result<Delegation, TufError> {
        let name = value.require("name")?;
        let text = name.require_str()?.into_owned();
        if text.is_empty() || TOP_LEVEL.contains(&text.as_str()) {
            return Err(name.invalid("a delegated role cannot have this name").into());
        }
        let terminating = value.require("terminating")?;
        let patterns = match (value.get("paths"), value.get("path_hash_prefixes")) {
            (Some(paths), None) => texts(paths)?,
            (None, Some(prefixes)) => {
                let prefixes = texts(prefixes)?;
                prefixes
                    .into_iter()
                    .map(|prefix| format!("paths whose SHA-256 begins with {prefix}"))
                    .collect()
            }
            _ => return Err(value.invalid("one of paths and path_hash_prefixes is needed").into()),
        };
        Ok(Delegation {
            name: text,
            role: reachable(value, keys)?,
            patterns,
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
    if !(1..=32).contains(&count) {
        return Err(bits.invalid("a number from 1 to 32 is needed").into());
    }
    Ok(Delegation {
        name: format!("{}-*", value.require("name_prefix")?.require_str()?),
        role: reachable(value, keys)?,
        patterns: vec![format!("all paths, by the first {count} bits of their SHA-256")],
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
    /// When that expires, as it is written. Foreign text.
    pub expires: String,
}

impl Root {
    /// Finds a role that top-level targets metadata delegates to. The metadata must carry the signatures that this
    /// root asks for.
    ///
    /// # Errors
    /// It does not, it does not delegate to the role, or one of its key ids stands for another key in this root.
    pub fn delegated(&self, document: &Document<'_>, role: &str) -> Result<Delegated, TufError> {
        let metadata = Targets::read(document.root(), self.dialect)?.metadata;
        require_threshold(
            document.name(),
            metadata.signatures.clone(),
            &metadata.message()?,
            self,
            "targets",
        )?;
        let fail = |why: String| TufError::Delegation { file: shown(document.name()), why };
        let delegations = Delegations::read(&metadata)?;
        let Some(delegation) = delegations.get(role) else {
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
        Ok(Delegated {
            root,
            delegation: delegation.clone(),
            version: metadata.version,
            expires: metadata.expires.into_owned(),
        })
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
    pub fn root(&self) -> &Root {
        self.delegated.as_ref().map_or(self.pinned, |delegated| &delegated.root)
    }
}
