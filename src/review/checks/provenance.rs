//! Provenance: does every added target come from CI, does everything else stay as it is, and is the whole exactly what
//! the request's parameters produce? Computed here anew and not with the composer's code: the request may have been
//! made by anything.

use super::findings::Findings;
use super::subject::{Kept, Subject, manifest_place, names, place, target_place};
use crate::bundle::RequestKind;
use crate::json::{Value, canonical};
use crate::text::Foreign;
use crate::tuf::targets::OFFLINE_BUNDLE;
use crate::tuf::{Dialect, Target};
use std::collections::{BTreeMap, BTreeSet};

/// Equal to the last byte in canonical form.
pub(super) fn same(a: Value<'_>, b: Value<'_>) -> bool {
    if a.is_canonical() && b.is_canonical() {
        return a.span() == b.span();
    }
    canonical::bytes(a) == canonical::bytes(b)
}

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
    let Some(ci) = &subject.situation.ci else { return };
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
        let tags = target.custom().and_then(|custom| custom.get("tags"));
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

pub(super) fn untouched(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    for Kept { before, after } in
        subject.kept.iter().filter(|kept| !same(kept.before.value, kept.after.value))
    {
        let members = differing_members(before, after, "");
        out.report(
            || target_place(after, members.first().map_or("", String::as_str)),
            || {
                format!(
                    "The target \"{}\" is in production already and differs here in {}. A target never changes once it \
                     is released. Do not sign: find out who changed it.",
                    Foreign(&after.name),
                    names(members.iter().map(String::as_str))
                )
            },
        );
    }
}

pub(super) fn pruned_as_declared(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if subject.is(RequestKind::OfflineBundle) {
        return;
    }
    let manifest = subject.situation.manifest;
    let declared: BTreeSet<u64> = manifest.prune.iter().copied().collect();
    let removed: BTreeSet<u64> = subject.removed.iter().filter_map(|target| target.version()).collect();
    let is_declared = subject.has_declared_parameters() || !declared.is_empty();
    for target in &subject.removed {
        let version = target.version();
        // Nobody declared what a bare file or somebody else's wave drops; whole versions are how fioctl drops.
        if version.is_some_and(|version| declared.contains(&version)) || (!is_declared && version.is_some()) {
            continue;
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

/// The members that `signed` has when fioctl composes it.
fn members(dialect: Dialect, kind: RequestKind) -> Vec<&'static str> {
    let mut members = vec!["_type", "expires", "version"];
    members.extend_from_slice(dialect.required_members());
    members.push(if kind == RequestKind::OfflineBundle { OFFLINE_BUNDLE } else { "targets" });
    members
}

pub(super) fn composition(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let (manifest, metadata) = (situation.manifest, &situation.proposal.metadata);
    let at = |member: &str| place(metadata.signed.get(member).unwrap_or(metadata.signed));
    if manifest.factory != situation.station_factory {
        out.report(
            || manifest_place("factory"),
            || {
                format!(
                    "The request is for the Factory \"{}\", this station is for \"{}\". Take it to the right station.",
                    Foreign(&manifest.factory),
                    Foreign(situation.station_factory)
                )
            },
        );
    }
    let wanted_type = if metadata.dialect == Dialect::Factory { "Targets" } else { "targets" };
    let found_type = metadata.signed.get("_type").and_then(|value| value.as_str()).unwrap_or_default();
    if found_type != wanted_type {
        out.report(
            || at("_type"),
            || {
                format!(
                    "_type is \"{}\", not \"{wanted_type}\" as fioctl writes it. Make the request again.",
                    Foreign(&found_type)
                )
            },
        );
    }
    let known = members(metadata.dialect, manifest.kind);
    for (key, value) in metadata.signed.members() {
        if !known.iter().any(|member| key.is(member)) {
            out.report(
                || place(value),
                || {
                    format!(
                        "The member \"{}\" does not belong here: a wave's \"signed\" holds {} and nothing else. Do not \
                         sign: find out who added it.",
                        Foreign(&key.text()),
                        names(known.iter().copied())
                    )
                },
            );
        }
    }
    if metadata.version != manifest.version {
        out.report(
            || at("version"),
            || {
                format!(
                    "The metadata's version is {}, the request is for version {}. Make the request again.",
                    metadata.version, manifest.version
                )
            },
        );
        return; // What belongs to the version cannot be told.
    }
    match manifest.kind {
        RequestKind::Wave | RequestKind::WaveSignature => composed_targets(subject, out),
        RequestKind::Resign => resigned_targets(subject, out),
        RequestKind::OfflineBundle => bundled_targets(subject, out),
    }
}

/// The added targets are all those that CI has for the version and the source tag, and no others.
fn composed_targets(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let (manifest, version) = (situation.manifest, situation.proposal.metadata.version);
    if subject.added.is_empty() {
        out.report(
            || place(situation.proposal.metadata.signed),
            || {
                format!(
                    "It adds no target at all; a wave adds the targets of its version {version}. Make the request again."
                )
            },
        );
    }
    for target in subject.added.iter().filter(|target| target.version() != Some(version)) {
        out.report(
            || target_place(target, "custom.version"),
            || {
                format!(
                    "The added target \"{}\" is not of version {version}. A wave adds targets of its own version only. Do \
                     not sign: find out where it comes from.",
                    Foreign(&target.name)
                )
            },
        );
    }
    let Some(ci) = &situation.ci else { return };
    let has_source_tag = |target: &Target<'_>| {
        manifest.source_tag.as_ref().is_none_or(|tag| target.tags().iter().any(|own| own == tag))
    };
    let added: BTreeSet<&str> = subject.added.iter().map(|target| target.name.as_ref()).collect();
    for published in ci.targets.all().iter().filter(|target| target.version() == Some(version)) {
        let (is_added, is_wanted) = (added.contains(published.name.as_ref()), has_source_tag(published));
        if is_added && !is_wanted {
            out.report(
                || target_place(published, "custom.tags"),
                || {
                    format!(
                        "The added target \"{}\" does not carry the source tag \"{}\" that the request names. Make the \
                         request again.",
                        Foreign(&published.name),
                        Foreign(manifest.source_tag.as_deref().unwrap_or_default())
                    )
                },
            );
        } else if is_wanted && !is_added {
            missing_target(subject, published, out);
        }
    }
}

/// CI has a target of the version, and the proposal does not add it.
fn missing_target(subject: &Subject<'_, '_>, published: &Target<'_>, out: &mut Findings<'_>) {
    let is_in_production =
        subject.situation.baseline.as_ref().is_some_and(|b| b.targets.get(&published.name).is_some());
    let at = || target_place(published, "");
    if is_in_production {
        out.report(at, || {
            format!(
                "The target \"{}\" of this version is in production already; fioctl refuses such a wave. Release a new \
                 version.",
                Foreign(&published.name)
            )
        });
    } else if subject.has_declared_parameters() || subject.situation.manifest.source_tag.is_some() {
        out.report(at, || {
            format!(
                "CI has the target \"{}\" of this version, and it is missing here: devices of its hardware would get \
                 nothing. Make the request again, with --source-tag if only some are meant.",
                Foreign(&published.name)
            )
        });
    } else {
        // Somebody else composed it, maybe with a source tag that is not on record.
        out.warn(at, || {
            format!(
                "CI has the target \"{}\" of this version, and it is missing here. Ask whoever composed the wave whether a \
                 source tag was meant.",
                Foreign(&published.name)
            )
        });
    }
}

/// Signing production's targets again changes nothing in them.
fn resigned_targets(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if subject.situation.baseline.is_some() && !subject.equals_baseline() {
        out.report(
            || place(subject.situation.proposal.metadata.signed),
            || {
                "The request asks to sign production's targets again, but the content is not that of production. Do not \
                 sign: find out what changed, or make a wave of it."
                    .to_owned()
            },
        );
    }
}

/// An offline bundle names targets that its tag really has.
fn bundled_targets(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let Some(bundle) = situation.proposal.metadata.signed.get(OFFLINE_BUNDLE) else {
        out.report(
            || place(situation.proposal.metadata.signed),
            || {
                format!(
                    "It has no member \"{OFFLINE_BUNDLE}\", so it is no offline bundle's list. Make it again."
                )
            },
        );
        return;
    };
    let text = |key: &str| bundle.get(key).and_then(|value| value.as_str()).unwrap_or_default();
    if text("tag") != situation.manifest.tag.as_str() {
        out.report(
            || place(bundle.get("tag").unwrap_or(bundle)),
            || {
                format!(
                    "The bundle is for the tag \"{}\", the request for \"{}\". Make the request again.",
                    Foreign(&text("tag")),
                    Foreign(&situation.manifest.tag)
                )
            },
        );
    }
    let source = match text("type").as_ref() {
        "ci" => situation.ci.as_ref().map(|ci| &ci.targets),
        _ => situation.baseline.as_ref().map(|baseline| &baseline.targets),
    };
    let Some(source) = source else { return };
    for item in bundle.get("targets").iter().flat_map(|list| list.items()) {
        let name = item.as_str().unwrap_or_default();
        if source.get(&name).is_none() {
            out.report(
                || place(item),
                || {
                    format!(
                        "The bundle names the target \"{}\", which the tag does not have. Do not sign: find out where it \
                         comes from.",
                        Foreign(&name)
                    )
                },
            );
        }
    }
}
