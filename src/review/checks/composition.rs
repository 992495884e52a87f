//! Provenance of the whole: is the proposal exactly what the request's parameters produce by fioctl's rules? Computed
//! anew and not with the composer's code: a request may have been made by anything.

use super::findings::Findings;
use super::subject::{Subject, manifest_place, names, place, target_place, targets};
use crate::bundle::{RequestKind, Wave, WaveStatus};
use crate::json::Value;
use crate::review::situation::{Carried, Named};
use crate::text::Foreign;
use crate::tuf::targets::OFFLINE_BUNDLE;
use crate::tuf::{Dialect, Target};
use std::collections::{BTreeMap, BTreeSet};

/// The members that `signed` has when fioctl composes it.
fn members(dialect: Dialect, kind: RequestKind) -> Vec<&'static str> {
    let mut members = vec!["_type", "expires", "version"];
    members.extend_from_slice(dialect.required_members());
    members.extend_from_slice(dialect.optional_members());
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
                    "The request is for the {} \"{}\", this station is for \"{}\". Take it to the right station.",
                    metadata.dialect.noun(),
                    Foreign(&manifest.factory),
                    Foreign(situation.station_factory)
                )
            },
        );
    }
    let wanted_type = metadata.dialect.type_name("targets");
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
        if known.iter().any(|member| key.is(member)) {
            continue;
        }
        let name = key.text();
        if subject.has_service() {
            out.report(
                || place(value),
                || {
                    format!(
                        "The member \"{}\" does not belong here: \"signed\" holds {} and nothing else. Do not sign: find \
                         out who added it.",
                        Foreign(&name),
                        names(known.iter().copied())
                    )
                },
            );
        } else {
            // The specification allows further members.
            out.warn(
                || place(value),
                || format!("It has a member \"{}\". Read it before you sign.", Foreign(&name)),
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
        RequestKind::Targets => {}
    }
}

/// The added targets are all those that CI has for the version and the source tag, and no others.
fn composed_targets(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let (manifest, version) = (situation.manifest, situation.proposal.metadata.version);
    added_elsewhere(subject, out);
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
    let is_other = |target: &&&Target<'_>| target.version() != Some(version);
    if situation.baseline.is_none() && situation.carried == Carried::BareFile {
        // With nothing to compare it with, what production had before cannot be told from what is new.
        let others = subject.added.iter().filter(is_other).count();
        if others > 0 {
            out.warn(
                || place(situation.proposal.metadata.signed),
                || {
                    format!(
                        "It holds {} of other versions than {version}, and nothing here shows that production has them \
                         already. Compare them with production in another way.",
                        targets(others)
                    )
                },
            );
        }
        return;
    }
    for target in subject.added.iter().filter(is_other) {
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
        manifest.source_tag.as_ref().is_none_or(|tag| target.tags().any(|own| own == *tag))
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

/// Builds and apps say whose they are: a station with a misspelt name, or another Factory's targets.
fn added_elsewhere(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let own = subject.situation.station_factory;
    let mut told: BTreeSet<String> = BTreeSet::new();
    for target in &subject.added {
        for (member, factory) in factories(target) {
            if factory == own || !told.insert(factory.clone()) {
                continue;
            }
            out.warn(
                || target_place(target, &format!("custom.{member}")),
                || {
                    format!(
                        "The added target \"{}\" names the Factory \"{}\" in {member}, and this is for \"{}\". Find out \
                         whether the name is misspelt, or whose target it is.",
                        Foreign(&target.name),
                        Foreign(&factory),
                        Foreign(own)
                    )
                },
            );
        }
    }
}

/// The Factories that a target's members name: where CI built it, and where its apps are published.
fn factories(target: &Target<'_>) -> Vec<(&'static str, String)> {
    let built = |member: &'static str| {
        let uri = target.text(member)?;
        let (_, path) = uri.split_once("://ci.foundries.io/projects/")?;
        let factory = path.split('/').next().filter(|name| !name.is_empty())?;
        Some((member, factory.to_owned()))
    };
    let published = |uri: &str| {
        let factory = uri.strip_prefix("hub.foundries.io/")?.split('/').next()?;
        Some(("docker_compose_apps", factory.to_owned()))
    };
    let mut named: Vec<_> = ["uri", "origUri", "origUriApps"].into_iter().filter_map(built).collect();
    named.extend(target.apps().iter().filter_map(|app| published(&app.uri)));
    named
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
    if subject.equals_baseline() {
        return;
    }
    let why = match &subject.situation.baseline {
        Some(_) => {
            "the content is not that of production. Do not sign: find out what changed, or make a wave of it."
        }
        None => {
            "nothing shows what production runs. Make the request again with the production targets of today."
        }
    };
    out.report(
        || place(subject.situation.proposal.metadata.signed),
        || format!("The request asks to sign production's targets again, but {why}"),
    );
}

/// An offline bundle names targets that its tag really has, in a list of the form that fioctl reads.
fn bundled_targets(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let Some(bundle) = situation.bundle() else {
        return out.report(
            || place(situation.proposal.metadata.signed),
            || {
                format!(
                    "It has no member \"{OFFLINE_BUNDLE}\", so it is no offline bundle's list. Make it again."
                )
            },
        );
    };
    bundle_form(subject, bundle, out);
    let named = situation.bundled();
    if named.is_empty() {
        out.report(|| place(bundle), || "The bundle names no target. Make it again.".to_owned());
    }
    let is_active = |wave: &&Wave| wave.status == WaveStatus::Active;
    let active: BTreeMap<u64, &Wave> =
        subject.waves_of_tag().filter(is_active).filter_map(|wave| Some((wave.version?, wave))).collect();
    for one in &named {
        let name = one.item.as_str().unwrap_or_default();
        let at = || place(one.item);
        if one.is_repeated {
            out.report(at, || {
                format!("The bundle names the target \"{}\" again. Make it again.", Foreign(&name))
            });
            continue;
        }
        let Some(target) = one.target else {
            out.report(at, || {
                format!(
                    "The bundle names the target \"{}\", which the tag does not have. Do not sign: find out where it comes \
                     from.",
                    Foreign(&name)
                )
            });
            continue;
        };
        older_target(subject, target, one, out);
        if one.is_ci_only {
            let wave = target.version().and_then(|version| active.get(&version).copied());
            unreleased_target(target, one, wave, out);
        }
    }
}

/// CI published it and production does not have it: only a wave that is rolling out brings it to devices of the tag.
fn unreleased_target(
    target: &Target<'_>,
    named: &Named<'_, '_>,
    wave: Option<&Wave>,
    out: &mut Findings<'_>,
) {
    match wave {
        Some(wave) => out.warn(
            || place(named.item),
            || {
                format!(
                    "The bundle names the target \"{}\", which production does not have; waves.json lists the wave \"{}\" of \
                     its version as active. Check that this wave is rolling out.",
                    Foreign(&target.name),
                    Foreign(&wave.name)
                )
            },
        ),
        None => out.report(
            || place(named.item),
            || {
                format!(
                    "The bundle names the target \"{}\", which CI published and no wave released: production does not have \
                     it, and no active wave of the tag is listed with its version. Release it by a wave first.",
                    Foreign(&target.name)
                )
            },
        ),
    }
}

/// Tag, type, version and members of the list.
fn bundle_form(subject: &Subject<'_, '_>, bundle: Value<'_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let (manifest, at) = (situation.manifest, |member: &str| place(bundle.get(member).unwrap_or(bundle)));
    let text = |member: &str| bundle.get(member).and_then(|value| value.as_str()).unwrap_or_default();
    if text("tag") != manifest.tag.as_str() {
        out.report(
            || at("tag"),
            || {
                format!(
                    "The bundle is for the tag \"{}\", the request for \"{}\". Make the request again.",
                    Foreign(&text("tag")),
                    Foreign(&manifest.tag)
                )
            },
        );
    }
    let is_production = situation.baseline.is_some()
        || situation.history.high_water().is_some()
        || subject.waves_of_tag().next().is_some();
    match text("type").as_ref() {
        // The service's code is not public: both words mean what waves released.
        "prod" | "production" => {}
        "ci" if !is_production => {}
        "ci" => out.report(
            || at("type"),
            || {
                format!(
                    "It is a bundle of CI targets, and \"{}\" is a tag of production devices: what no wave released would \
                     reach them. Do not sign.",
                    Foreign(&manifest.tag)
                )
            },
        ),
        other => out.report(
            || at("type"),
            || format!("The bundle is of the type \"{}\", not \"prod\" or \"ci\". Make it again.", Foreign(other)),
        ),
    }
    for (key, value) in
        bundle.members().filter(|(key, _)| !["tag", "targets", "type"].iter().any(|one| key.is(one)))
    {
        out.report(
            || place(value),
            || {
                format!(
                    "The bundle's member \"{}\" does not belong there. Do not sign.",
                    Foreign(&key.text())
                )
            },
        );
    }
}

/// A bundle may take devices back behind what production has for their hardware.
fn older_target(
    subject: &Subject<'_, '_>,
    target: &Target<'_>,
    named: &Named<'_, '_>,
    out: &mut Findings<'_>,
) {
    let Some(version) = target.version() else { return };
    for hardware in target.hardware_ids() {
        let Some((runs, _)) = subject.runs().get(&hardware).filter(|(runs, _)| *runs > version) else {
            continue;
        };
        out.warn(
            || place(named.item),
            || {
                format!(
                    "The bundle would bring version {version} to devices of the hardware id \"{}\", which run version {runs} \
                     by production's targets. Check that this is meant.",
                    Foreign(&hardware)
                )
            },
        );
    }
}
