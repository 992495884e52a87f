//! Provenance, target by target: does each added one come from CI, does every other stay as it is, and go only those
//! that the request says go?

use super::findings::Findings;
use super::subject::{Kept, Subject, manifest_place, names, place, same, target_place, targets};
use crate::bundle::RequestKind;
use crate::json::Value;
use crate::text::Foreign;
use crate::tuf::Target;
use std::collections::{BTreeMap, BTreeSet};

/// Adds the names of the members in which two objects differ, each as `prefix` and its name.
fn differing(before: Value<'_>, after: Value<'_>, prefix: &str, leave_out: &str, names: &mut Vec<String>) {
    let mut left: BTreeMap<_, _> = before.members().map(|(key, value)| (key.text(), value)).collect();
    for (key, value) in after.members() {
        let key = key.text();
        let equal = left.remove(&key).is_some_and(|old| same(old, value));
        if !equal && key != leave_out {
            names.push(format!("{prefix}{key}"));
        }
    }
    names.extend(left.keys().filter(|key| *key != leave_out).map(|key| format!("{prefix}{key}")));
}

/// The members in which two targets differ, down to those of `custom`.
fn differing_members(before: &Target<'_>, after: &Target<'_>, leave_out: &str) -> Vec<String> {
    let mut found = Vec::new();
    let both_custom = before.custom().zip(after.custom());
    differing(before.value, after.value, "", if both_custom.is_some() { "custom" } else { "" }, &mut found);
    if let Some((old, new)) = both_custom {
        differing(old, new, "custom.", leave_out, &mut found);
    }
    found
}

/// A target with the CI target of the same name: equal in everything but `custom.tags`, which fioctl replaces.
pub(super) fn added_from_ci(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let Some(ci) = &subject.situation.ci else { return unpublished(subject, out) };
    let tag = &subject.situation.manifest.tag;
    for target in &subject.added {
        let Some(published) = ci.targets.get(&target.name) else {
            out.report(
                || target_place(target, ""),
                || {
                    format!(
                        "CI has not published a target \"{}\". Do not sign: find out where it comes from.",
                        Foreign(&target.name)
                    )
                },
            );
            continue;
        };
        let members = differing_members(published, target, "tags");
        if !members.is_empty() {
            out.report(
                || target_place(target, members.first().map_or("", String::as_str)),
                || {
                    format!(
                        "The target \"{}\" is not what CI published: it differs in {}. Do not sign: find out who changed it, \
                         and make the request again.",
                        Foreign(&target.name),
                        names(members.iter().map(String::as_str))
                    )
                },
            );
        }
        let tags = target.member("tags");
        let only_tag = tags.is_some_and(|tags| {
            let mut items = tags.items();
            items.next().and_then(|item| item.as_str()).is_some_and(|text| text == *tag)
                && items.next().is_none()
        });
        if !only_tag {
            out.report(
                || target_place(target, "custom.tags"),
                || {
                    format!(
                        "The tags of \"{}\" are not [\"{}\"], which is all that may differ from CI. Make the request \
                         again.",
                        Foreign(&target.name),
                        Foreign(tag)
                    )
                },
            );
        }
    }
}

/// Nothing shows what CI published. A wave without that evidence is told by the check `evidence`; what is signed again
/// and nobody vouches for must not pass for production's.
fn unpublished(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if subject.added.is_empty() || !subject.is(RequestKind::Resign) || !subject.has_own_baseline() {
        return;
    }
    out.report(
        || manifest_place("files"),
        || {
            format!(
                "Nobody vouches for {}: {}. The newest root's signatures do not, this station's record does not have them, \
                 and without ci-targets.json nothing shows that CI published them. Do not sign. If they are production's, \
                 make the request again with the CI targets, or on a station that saw them in production.",
                targets(subject.added.len()),
                names(subject.added.iter().map(|target| target.name.as_ref()))
            )
        },
    );
}

pub(super) fn untouched(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    for Kept { before, after } in &subject.changed {
        let members = differing_members(before, after, "");
        let at = || target_place(after, members.first().map_or("", String::as_str));
        let said = || names(members.iter().map(String::as_str));
        let name = Foreign(&after.name);
        if !subject.dialect().targets_may_change() {
            out.report(at, || {
                format!(
                    "The target \"{name}\" is in production already and differs here in {}. A target never changes once it \
                     is released. Do not sign: find out who changed it.",
                    said()
                )
            });
        } else {
            // Elsewhere a target of the same name may be released anew; the officer is shown each.
            out.warn(at, || {
                format!(
                    "The target \"{name}\" is in {} already and differs here in {}. Check that this is meant.",
                    subject.current(),
                    said()
                )
            });
        }
    }
}

pub(super) fn pruned_as_declared(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if subject.is(RequestKind::OfflineBundle) {
        return;
    }
    if !subject.has_service() {
        return removed_elsewhere(subject, out);
    }
    let manifest = subject.situation.manifest;
    if manifest.prune.is_empty() && subject.removed.is_empty() {
        return;
    }
    let declared: BTreeSet<u64> = manifest.prune.iter().copied().collect();
    let removed: BTreeSet<u64> = subject.removed.iter().filter_map(|target| target.version()).collect();
    let is_declared = subject.has_declared_parameters() || !declared.is_empty();
    for target in &subject.removed {
        let version = target.version();
        // Nobody declared what a bare file or somebody else's wave drops; whole versions are how fioctl drops.
        if version.is_some_and(|version| declared.contains(&version)) || (!is_declared && version.is_some()) {
            continue;
        }
        removed_undeclared(subject, target, out);
    }
    if !is_declared && !removed.is_empty() {
        let versions: Vec<String> = removed.iter().map(u64::to_string).collect();
        out.warn(
            || place(subject.situation.proposal.metadata.signed),
            || {
                format!(
                    "It drops production's version {}, and nothing in what was imported says that this is meant. Ask \
                     whoever composed it.",
                    versions.join(", ")
                )
            },
        );
    }
    let dropped = if is_declared { &declared } else { &removed };
    for Kept { after, .. } in &subject.kept {
        if after.version().is_some_and(|version| dropped.contains(&version)) {
            out.report(
                || target_place(after, ""),
                || {
                    format!(
                        "The target \"{}\" is still there, although its version is dropped. Make the request again.",
                        Foreign(&after.name)
                    )
                },
            );
        }
    }
    let known: BTreeSet<u64> = subject.before().iter().filter_map(|target| target.version()).collect();
    for version in declared.iter().filter(|version| !known.contains(version)) {
        out.report(
            || manifest_place("prune"),
            || {
                format!(
                    "The request drops version {version}, which production does not have. Make the request again with the \
                     versions that are meant."
                )
            },
        );
    }
}

fn removed_undeclared(subject: &Subject<'_, '_>, target: &Target<'_>, out: &mut Findings<'_>) {
    if subject.is(RequestKind::Resign) && subject.equals_baseline() {
        // What is signed again is what the request shows of production, which this station's record is older than.
        return out.warn(
            || place(subject.situation.proposal.metadata.signed),
            || {
                format!(
                    "The target \"{}\", which this station's record of production has, is missing in what is signed \
                     again. Ask when it was dropped.",
                    Foreign(&target.name)
                )
            },
        );
    }
    out.report(
        || target_place(target, ""),
        || {
            format!(
                "The target \"{}\" is in production and missing here, but the request does not say that its version \
                 is dropped. Do not sign: make the request again, with --prune if it is meant to go.",
                Foreign(&target.name)
            )
        },
    );
}

/// Outside a Factory targets have no versions that a request could drop.
fn removed_elsewhere(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if !subject.removed.is_empty() {
        out.warn(
            || place(subject.situation.proposal.metadata.signed),
            || {
                format!(
                    "It removes {}: {}. Check that this is meant.",
                    targets(subject.removed.len()),
                    names(subject.removed.iter().map(|target| target.name.as_ref()))
                )
            },
        );
    }
}
