//! Who may sign, who has, and what changed about that since the officer last signed.

use super::labels::name;
use super::situation::Situation;
use crate::host::clock::Time;
use crate::tuf::root::only_in;
use crate::tuf::signature::Worth;
use crate::tuf::{Delegations, Digest, KeyId, PublicKey, Root};
use std::collections::BTreeSet;

/// The newest trusted production root, as far as it concerns this signature.
pub struct Trust {
    pub root_version: u64,
    /// SHA-256 of its canonical `signed`.
    pub root_fingerprint: Digest,
    /// When it expires.
    pub root_expires: Time,
    /// The root version under which the officer last signed.
    pub acknowledged_root: u64,
    /// What differs between that root and the newest, as sentences. Foreign text in them is escaped.
    pub changes: Vec<String>,
    /// What else changed since the last signature: policy, online key, officers, who opens keys; looser first.
    pub since: Vec<String>,
    /// How many distinct keys must sign targets.
    pub threshold: usize,
    /// The keys that may, in the root's order.
    pub signers: Vec<Signer>,
    /// What is wrong with signatures that the proposal carries, as sentences.
    pub problems: Vec<String>,
    /// What only a repository's metadata has.
    pub repository: Option<Repository>,
}

/// What a repository's targets metadata (TUF specification) says about trust.
pub struct Repository {
    /// The root's `consistent_snapshot`: do clients ask for `N.targets.json`?
    pub consistent_snapshot: bool,
    /// The proposal's `spec_version`. Foreign text.
    pub spec_version: String,
    /// For a delegated role: who delegates to it, and for which paths. Foreign text in it is escaped.
    pub delegated: Option<String>,
    /// The roles that the proposal delegates to: the name, and the rest in words. Foreign text, escaped in the words.
    pub delegations: Vec<(String, String)>,
    /// Keys that the root, or who delegates, lists and that no signature counts of here, as sentences. Foreign text in them
    /// is escaped.
    pub unusable_keys: Vec<String>,
}

impl Repository {
    fn of(situation: &Situation<'_>) -> Repository {
        let metadata = &situation.proposal.metadata;
        let spec_version = metadata.signed.get("spec_version").and_then(|value| value.as_str());
        let delegated = situation.authority.delegated.as_ref().map(|delegated| {
            format!(
                "version {} of the targets metadata delegates: {}",
                delegated.version,
                delegated.delegation.described()
            )
        });
        // What cannot be read is reported by the check `delegations`, and its members are shown as they stand.
        let delegations = Delegations::read(metadata).unwrap_or_default();
        let unusable =
            |(keyid, key): (&KeyId, &PublicKey)| Some(format!("{keyid}: {}", key.unusable_because()?));
        Repository {
            unusable_keys: situation.authority.root().keys.iter().filter_map(unusable).collect(),
            consistent_snapshot: situation.chain.newest().consistent_snapshot,
            spec_version: spec_version.unwrap_or_default().into_owned(),
            delegated,
            delegations: delegations.roles.iter().map(|role| (role.name.clone(), role.described())).collect(),
        }
    }
}

/// A key that may sign targets.
pub struct Signer {
    pub keyid: KeyId,
    /// ED25519, RSA.
    pub keytype: &'static str,
    /// The owner that the root notes; empty when it notes none. Foreign text.
    pub owner: String,
    /// Is it the service's online key?
    pub online: bool,
    /// The key service that holds it, where the root says so. Foreign text.
    pub service: Option<String>,
    /// Is it in this station's vault?
    pub own: bool,
    /// Has it signed the proposal, validly?
    pub signed: bool,
}

impl Trust {
    /// What a situation says about it.
    pub(crate) fn of(situation: &Situation<'_>) -> Trust {
        let (root, role) = (situation.authority.root(), situation.authority.role.as_str());
        let signed = |keyid: &KeyId| {
            let counts = |worth: &Worth| *worth == Worth::Counts;
            situation.signatures.iter().any(|one| one.signature.keyid == *keyid && counts(&one.worth))
        };
        let signer = |keyid: &KeyId| Signer {
            keyid: keyid.clone(),
            keytype: root.keys.get(keyid).map_or("", |key| key.keytype()),
            owner: root.owner(keyid).map(|owner| owner.polis_id.clone()).unwrap_or_default(),
            online: Some(keyid) == situation.online_key,
            service: root.services.get(keyid).cloned(),
            own: situation.own_keys.contains(keyid),
            signed: signed(keyid),
        };
        Trust {
            root_version: root.version,
            root_fingerprint: root.fingerprint,
            root_expires: root.expires,
            acknowledged_root: situation.acknowledged_root,
            changes: situation
                .chain
                .version(situation.acknowledged_root)
                .map(|before| changes(before, root))
                .unwrap_or_default(),
            since: situation.since.to_vec(),
            threshold: root.threshold(role),
            signers: root.keyids(role).iter().map(signer).collect(),
            problems: crate::tuf::signature::problems(situation.signatures),
            repository: (!root.dialect.has_service()).then(|| Repository::of(situation)),
        }
    }

    /// About how many bytes it takes on a page.
    pub(super) fn weight(&self) -> u64 {
        const SIGNER: usize = 160;
        let repository = self.repository.iter();
        let delegations =
            repository.flat_map(|one| one.delegations.iter().map(|(role, words)| role.len() + words.len()));
        let unusable = self.repository.iter().flat_map(|one| &one.unusable_keys);
        let said =
            self.changes.iter().chain(&self.problems).chain(unusable).map(String::len).chain(delegations);
        (self.signers.len() * SIGNER + said.sum::<usize>()) as u64
    }

    /// How many more keys must sign, this station's included.
    pub(crate) fn missing(&self) -> usize {
        self.threshold.saturating_sub(self.signers.iter().filter(|signer| signer.signed).count())
    }
}

/// What differs between two roots: thresholds, and keys by role and owner.
fn changes(before: &Root, after: &Root) -> Vec<String> {
    let roles: BTreeSet<&String> = before.roles.keys().chain(after.roles.keys()).collect();
    let mut out = Vec::new();
    for role in roles {
        let role_name = name(role);
        let threshold = |root: &Root| root.roles.get(role).map(|role| role.threshold);
        match (threshold(before), threshold(after)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) => out.push(format!("role {role_name}: threshold {old} became {new}")),
            (None, Some(new)) => out.push(format!("role {role_name} is new, with threshold {new}")),
            (Some(_), None) => out.push(format!("role {role_name} is gone")),
            (None, None) => {}
        }
        let owned = |root: &Root, keyid: &KeyId| {
            root.owner(keyid).map(|owner| format!(" of owner {}", name(&owner.polis_id))).unwrap_or_default()
        };
        for keyid in only_in(after.keyids(role), before.keyids(role)) {
            out.push(format!("role {role_name}: a new key{}: {keyid}", owned(after, keyid)));
        }
        for keyid in only_in(before.keyids(role), after.keyids(role)) {
            out.push(format!("role {role_name}: a key{} is gone: {keyid}", owned(before, keyid)));
        }
    }
    if before.expires != after.expires {
        out.push(format!("it expires {}, before {}", after.expires, before.expires));
    }
    out
}
