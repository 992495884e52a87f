//! Delegations: whom else the signed metadata would trust. A change here is a change of trust, not of content.

use super::findings::Findings;
use super::subject::{Subject, place, target_place};
use crate::bundle::manifest::DELEGATING_FILE;
use crate::host::clock::Time;
use crate::text::Foreign;
use crate::tuf::paths::Paths;
use crate::tuf::root::only_in;
use crate::tuf::{Delegation, Delegations, KeyId};
use std::collections::{BTreeMap, BTreeSet};

const ASK: &str = "Sign only if this change was announced to you in another way";

pub(super) fn delegations(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    own_role(subject, out);
    let metadata = &subject.situation.proposal.metadata;
    let at = || place(metadata.signed.get("delegations").unwrap_or(metadata.signed));
    let after = match Delegations::read(metadata) {
        Ok(delegations) => delegations,
        Err(e) => return out.block(at, || format!("Its delegations cannot be used: {e}. Have them mended.")),
    };
    // A baseline that cannot be read is none: then every delegated role is new.
    let before = subject.situation.compared_with();
    let before = before.and_then(|targets| Delegations::read(&targets.metadata).ok()).unwrap_or_default();
    let [old_roles, new_roles] = [&before, &after].map(by_name);
    for role in &after.roles {
        match old_roles.get(role.name.as_str()) {
            None => out.report(at, || {
                format!(
                    "The role \"{}\" is delegated to from now on: {}. {ASK}.",
                    Foreign(&role.name),
                    role.described()
                )
            }),
            Some(old) => {
                let changes = changes(&before, old, &after, role);
                if !changes.is_empty() {
                    out.report(at, || {
                        format!(
                            "The delegated role \"{}\" changed: {}. {ASK}.",
                            Foreign(&role.name),
                            changes.join("; ")
                        )
                    });
                }
            }
        }
    }
    for gone in before.roles.iter().filter(|role| !new_roles.contains_key(role.name.as_str())) {
        out.report(at, || {
            format!(
                "The role \"{}\" is not delegated to any more: clients do not find its targets. {ASK}.",
                Foreign(&gone.name)
            )
        });
    }
    let names =
        |all: &'_ Delegations| all.roles.iter().map(|role| role.name.clone()).collect::<Vec<String>>();
    let (mut old_order, mut new_order) = (names(&before), names(&after));
    old_order.retain(|name| new_roles.contains_key(name.as_str()));
    new_order.retain(|name| old_roles.contains_key(name.as_str()));
    if old_order != new_order {
        out.report(at, || {
            format!(
                "The delegated roles stand in another order, and the first that matches a path wins. {ASK}."
            )
        });
    }
}

/// Delegated roles by their names, of which none stands twice.
type ByName<'r> = BTreeMap<&'r str, &'r Delegation>;

fn by_name(all: &Delegations) -> ByName<'_> {
    all.roles.iter().map(|role| (role.name.as_str(), role)).collect()
}

/// The role that is to be signed for, if it is itself a delegated one.
fn own_role(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let Some(delegated) = &situation.authority.delegated else { return };
    let at = || format!("{DELEGATING_FILE}: signed.delegations");
    out.note(at, || {
        format!(
            "This is the delegated role \"{}\", as version {} of the repository's targets metadata has it: {}.",
            Foreign(subject.role()),
            delegated.version,
            delegated.delegation.described()
        )
    });
    outside(subject, &delegated.delegation.paths, out);
    let newest = situation.memory.delegating_version().filter(|version| *version > delegated.version);
    if let Some(newest) = newest {
        out.block(at, || {
            format!(
                "The targets metadata that delegates is version {}, but this station signed or saw version {newest}: it is \
                 an old copy, and its keys and paths may be revoked. Import with the newest one.",
                delegated.version
            )
        });
    }
    if situation.memory.other_delegating(delegated.version, &delegated.digest.to_string()) {
        out.block(at, || {
            format!(
                "The targets metadata that delegates has another content (SHA-256 {}) than the one of version {} that this \
                 station signed or saw. There must never be two: find out who signed the other one.",
                delegated.digest, delegated.version
            )
        });
    }
    if Time::parse(&delegated.expires).is_none_or(|expires| expires <= situation.now) {
        out.warn(at, || {
            format!(
                "The targets metadata that delegates expired on {}: it may be an old copy. Import with the newest one.",
                Foreign(&delegated.expires)
            )
        });
    }
}

/// The targets that the role may not provide.
fn outside(subject: &Subject<'_, '_>, paths: &Paths, out: &mut Findings<'_>) {
    let mut search = paths.search();
    for target in subject.situation.proposal.all() {
        let at = || target_place(target, "");
        match search.allows(&target.name) {
            Some(true) => {}
            Some(false) => out.block(at, || {
                format!(
                    "The role may not provide the target \"{}\": it is outside its paths, so clients never find it here, and \
                     some refuse the whole repository. Have it published by the role that may.",
                    Foreign(&target.name)
                )
            }),
            None => {
                return out.block(at, || {
                    format!(
                        "From the target \"{}\" on, the targets were not held against the role's paths: so many names and \
                         patterns are more than is compared here. Have the role's paths written with fewer patterns.",
                        Foreign(&target.name)
                    )
                });
            }
        }
    }
}

/// What changed about a role, in words; nothing when nothing did.
fn changes(before: &Delegations, old: &Delegation, after: &Delegations, new: &Delegation) -> Vec<String> {
    let mut said = Vec::new();
    if old.role.threshold != new.role.threshold {
        said.push(format!("the threshold went from {} to {}", old.role.threshold, new.role.threshold));
    }
    let (old_ids, new_ids) = (&old.role.keyids, &new.role.keyids);
    said.extend(only_in(new_ids, old_ids).into_iter().map(|id| format!("key {id} was added")));
    said.extend(only_in(old_ids, new_ids).into_iter().map(|id| format!("key {id} was removed")));
    let kept: BTreeSet<&KeyId> = old_ids.iter().collect();
    let differs = |id: &&KeyId| kept.contains(id) && before.keys.get(id) != after.keys.get(id);
    said.extend(
        new_ids.iter().filter(differs).map(|id| format!("key {id} has another value under the same id")),
    );
    let set = |role: &'_ Delegation| role.paths.described().into_iter().collect::<BTreeSet<String>>();
    let (old_paths, new_paths) = (set(old), set(new));
    let listed =
        |paths: &mut dyn Iterator<Item = &String>| paths.map(String::as_str).collect::<Vec<_>>().join(", ");
    let (added, removed) =
        (listed(&mut new_paths.difference(&old_paths)), listed(&mut old_paths.difference(&new_paths)));
    if !added.is_empty() {
        said.push(format!("it may provide the paths {added} too"));
    }
    if !removed.is_empty() {
        said.push(format!("it may no longer provide the paths {removed}"));
    }
    match (old.terminating, new.terminating) {
        (false, true) => said.push("the search for a target ends with it now".to_owned()),
        (true, false) => said.push("the search for a target goes on after it now".to_owned()),
        _ => {}
    }
    said
}
