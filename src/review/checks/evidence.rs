//! Evidence: what the request proves and what it does not. What cannot be proven is said, never passed over.

use super::findings::Findings;
use super::subject::{Subject, manifest_place, names, nowhere, place};
use crate::bundle::{RequestKind, WaveList, WaveStatus};
use crate::review::finding::Severity;
use crate::review::later::Later;
use crate::review::situation::{Carried, Listing, Situation};
use crate::text::Foreign;
use crate::tuf::Digest;

/// What to do, for the kind of request; a policy that allows it already is not named again.
fn how(subject: &Subject<'_, '_>) -> String {
    let make = match subject.situation.manifest.kind {
        RequestKind::Resign | RequestKind::OfflineBundle => {
            "Take it in as a request folder with the targets of today beside it (docs/request.md)"
        }
        _ => "Make a request folder from fresh downloads (countersign request)",
    };
    let may = match subject.situation.policy.severity("evidence", Severity::Block) {
        Severity::Block => ", or have the policy allow requests without evidence (evidence = \"warn\")",
        _ => "",
    };
    format!("{make}{may}")
}

pub(super) fn evidence(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    if subject.is(RequestKind::Targets) {
        return repository_evidence(subject, out);
    }
    match situation.carried {
        Carried::BareFile => out.report(nowhere, || bare_file(subject)),
        Carried::KnownContent => out.note(nowhere, || {
            "This is a bare file, but its content is, byte for byte, one that this station reviewed with full evidence \
             before; that evidence is used here."
                .to_owned()
        }),
        Carried::Folder => {}
    }
    if situation.carried != Carried::Folder {
        return;
    }
    let (needs_baseline, needs_ci) = match situation.manifest.kind {
        RequestKind::Wave | RequestKind::WaveSignature => (true, true),
        // What nobody vouches for must be published by CI.
        RequestKind::Resign => (true, subject.has_own_baseline() && !subject.added.is_empty()),
        RequestKind::OfflineBundle => {
            let is_ci = situation.is_ci_bundle();
            (!is_ci, is_ci)
        }
        RequestKind::Targets => return,
    };
    if needs_baseline && !subject.has_own_baseline() {
        missing_baseline(subject, out);
    }
    if needs_ci && situation.ci.is_none() {
        out.report(
            || manifest_place("files"),
            || {
                format!(
                    "The request has no ci-targets.json, so nothing shows that CI published the targets; the \
                     checks ci-signature, added-from-ci and part of composition cannot run. {}.",
                    how(subject)
                )
            },
        );
    }
    for gap in situation.waves.iter().flat_map(|list| &list.gaps) {
        out.report(
            || "waves.json".to_owned(),
            || {
                format!(
                    "waves.json is not the whole list of waves, or is not understood: {gap}. What it does not show may be \
                     there. Download the whole list (all pages, no filter) and make the request again."
                )
            },
        );
    }
    unlisted_production(subject, out);
    if situation.waves.is_none() {
        out.warn(
            || manifest_place("files"),
            || {
                "The request has no waves.json, so active and canceled waves cannot be seen; the checks of waves and \
                 part of high-water cannot run. Add it to the downloads and make the request again."
                    .to_owned()
            },
        );
    }
}

/// What production runs came by a wave that was completed: a list without it is filtered, cut, or another Factory's.
fn unlisted_production(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let is_whole = situation.waves.as_ref().is_some_and(WaveList::is_whole);
    let Some((Listing::Absent, baseline)) = situation.listing().zip(situation.baseline.as_ref()) else {
        return;
    };
    if is_whole {
        out.warn(
            || "waves.json: waves".to_owned(),
            || {
                format!(
                    "Production runs version {}, and waves.json lists no complete wave of the tag that released it: the \
                     list may be filtered, and what it does not show may be there. Download the whole list (all pages, no \
                     filter) and make the request again.",
                    baseline.targets.metadata.version
                )
            },
        );
    }
}

/// A repository's metadata of today is what the new one is compared with; only a first version has none.
fn repository_evidence(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    if subject.has_own_baseline() {
        return;
    }
    let first = situation.proposal.metadata.version == 1 && situation.history.high_water().is_none();
    let message = || {
        let compared = match &situation.baseline {
            Some(_) => "it is compared with what this station last signed or saw",
            None => "everything is shown as new",
        };
        format!(
            "Nothing shows what the repository has for the role \"{}\" today; {compared}. Import it with the metadata of today \
             (countersign import FILE --baseline FILE).",
            Foreign(subject.role())
        )
    };
    let at = || manifest_place("files");
    if first { out.warn(at, message) } else { out.report(at, message) }
}

fn bare_file(subject: &Subject<'_, '_>) -> String {
    let compared = match &subject.situation.baseline {
        Some(baseline) => format!(
            "It is compared with version {}, the last that this station signed or saw for the tag",
            baseline.targets.metadata.version
        ),
        None => "This station knows nothing of the tag to compare it with".to_owned(),
    };
    format!(
        "This is a bare file: it proves neither what production runs now nor what CI published. {compared}. The checks \
         ci-signature, added-from-ci and part of composition cannot run. {}.",
        how(subject)
    )
}

/// A first wave has no baseline. Any sign of production targets makes its absence a gap.
fn missing_baseline(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let at = || manifest_place("files");
    let tag = Foreign(&subject.situation.manifest.tag);
    match production_is_known(subject.situation, &subject.digest) {
        Some(why) => out.report(at, || {
            let compared = match &subject.situation.baseline {
                Some(baseline) => format!(
                    "it is compared with this station's own record of version {}",
                    baseline.targets.metadata.version
                ),
                None => "there is nothing to compare it with".to_owned(),
            };
            format!(
                "The request has no current.json, but the tag \"{tag}\" has production targets: {why}; {compared}. {}.",
                how(subject)
            )
        }),
        // Only a wave can be a first one. What is signed again, or listed in a bundle, is what production has.
        None if !is_wave(subject.situation) => out.report(at, || {
            format!(
                "The request has no current.json, so nothing shows what production runs for the tag \"{tag}\", and there is \
                 nothing to compare it with. {}.",
                how(subject)
            )
        }),
        None if !subject.situation.waves.as_ref().is_some_and(WaveList::is_whole) => out.report(at, || {
            format!(
                "The request has neither current.json nor a whole waves.json, so nothing shows that this is the first wave of the \
                 tag \"{tag}\". {}.",
                how(subject)
            )
        }),
        None => {}
    }
}

/// Why the tag must have production targets, if anything says so.
fn production_is_known(situation: &Situation<'_>, own: &Digest) -> Option<String> {
    let history = situation.history;
    let all = || situation.waves.iter().flat_map(|list| &list.waves);
    let waves_of_tag = || all().filter(|wave| wave.tag == situation.manifest.tag);
    if let Some(seen) = &history.baseline {
        return Some(format!("this station saw version {}", seen.version));
    }
    if let Some(wave) = waves_of_tag().find(|wave| wave.status == WaveStatus::Complete) {
        return Some(format!("waves.json lists the wave \"{}\" as complete", Foreign(&wave.name)));
    }
    // A signature alone is no release: its wave may have been canceled, or still be rolling out.
    let is_unreleased = |name: &str| {
        waves_of_tag()
            .any(|wave| wave.name == name && matches!(wave.status, WaveStatus::Canceled | WaveStatus::Active))
    };
    let own = &own.to_string();
    let mark = history.signed.iter().find(|mark| mark.signed != *own && !is_unreleased(&mark.wave))?;
    Some(format!("this station signed version {}", mark.version))
}

fn is_wave(situation: &Situation<'_>) -> bool {
    matches!(situation.manifest.kind, RequestKind::Wave | RequestKind::WaveSignature)
}

/// Is it a first wave: does the request show the tag's waves, and does nothing say that the tag has production targets?
/// `own` is the digest of what is to be signed.
pub(in crate::review) fn is_first_wave(situation: &Situation<'_>, own: &Digest) -> bool {
    let is_shown = match situation.carried {
        Carried::Folder => situation.waves.as_ref().is_some_and(WaveList::is_whole),
        Carried::KnownContent => true,
        Carried::BareFile => false,
    };
    is_wave(situation)
        && is_shown
        && situation.baseline.is_none()
        && production_is_known(situation, own).is_none()
}

/// What was never released is not what production runs.
fn never_released(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let Some((Listing::Open(wave), baseline)) = situation.listing().zip(situation.baseline.as_ref()) else {
        return;
    };
    let (version, signed) = (baseline.targets.metadata.version, baseline.targets.metadata.signed);
    out.report(
        || place(signed.get("version").unwrap_or(signed)),
        || {
            format!(
                "current.json is version {version}, which the wave \"{}\" would have made production's, and waves.json lists it \
                 as {}: no device but those of its rollout has this. Download the production targets again.",
                Foreign(&wave.name),
                if wave.status == WaveStatus::Canceled { "canceled" } else { "active" }
            )
        },
    );
}

pub(super) fn baseline_replayed(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let Some(baseline) = situation.baseline.as_ref().filter(|_| subject.has_own_baseline()) else { return };
    let (version, digest) = (baseline.targets.metadata.version, baseline.digest.to_string());
    let signed = baseline.targets.metadata.signed;
    let at = || place(signed.get("version").unwrap_or(signed));
    let tag = &situation.manifest.tag;
    if subject.has_service() && !subject.before().is_empty() && !baseline.targets.has_tag(tag) {
        out.report(|| place(signed), || {
            format!(
                "None of the production targets in the request carries the tag \"{}\": these are another tag's. Download \
                 those of this tag.",
                Foreign(tag)
            )
        });
    }
    never_released(subject, out);
    if let Some(seen) = &situation.history.baseline {
        if version < seen.version {
            out.report(at, || {
                format!(
                    "The request brings production's version {version}, but this station has seen version {}: these are \
                     old production targets. Download them again.",
                    seen.version
                )
            });
        } else if version == seen.version && digest != seen.signed {
            out.report(at, || {
                format!(
                    "Production's version {version} has another content here (SHA-256 {digest}) than this station saw \
                     before ({}). There must never be two: find out who signed the other one.",
                    Foreign(&seen.signed)
                )
            });
        }
    }
    let newest_complete = subject
        .waves_of_tag()
        .filter(|wave| wave.status == WaveStatus::Complete)
        .filter_map(|wave| Some((wave.version?, wave)))
        .max_by_key(|(version, _)| *version);
    if let Some((complete, wave)) = newest_complete
        && complete > version
    {
        out.report(at, || {
            format!(
                "waves.json lists the wave \"{}\" of version {complete} as complete, but current.json is version \
                 {version}: one of the two is old. Download both again.",
                Foreign(&wave.name)
            )
        });
    }
    let marks: Vec<_> = situation.history.signed_for(version).collect();
    if !marks.is_empty() && marks.iter().all(|mark| mark.signed != digest) {
        out.report(at, || {
            format!(
                "{}'s version {version} (SHA-256 {digest}) is not what this station signed as version {version}. There must \
                 never be two: find out who signed it.",
                if subject.has_service() { "Production" } else { "The repository" }
            )
        });
    }
    if let Some(expires) = baseline.targets.metadata.expiry().filter(|expires| *expires <= situation.now) {
        out.warn(
            || place(signed.get("expires").unwrap_or(signed)),
            || {
                format!(
                    "The {} expired on {expires}: {} take nothing from them, or this is an old copy. Download them again.",
                    subject.current_targets(),
                    subject.dialect().readers()
                )
            },
        );
    }
}

/// What was signed here and is not in the baseline may be on devices. The list of waves says what became of it; where
/// it does not, the baseline is an old one, or somebody keeps a signature back.
pub(super) fn signed_since(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    for later in &subject.situation.later {
        let mark = &later.mark;
        let listed = subject.waves_of_tag().find(|wave| {
            wave.name == mark.wave && wave.version == Some(mark.version) && !mark.wave.is_empty()
        });
        let lacks = lacks(later);
        let signed = || {
            let of = if mark.wave.is_empty() {
                String::new()
            } else {
                format!(" for the wave \"{}\"", Foreign(&mark.wave))
            };
            let version =
                subject.situation.baseline.as_ref().map(|baseline| baseline.targets.metadata.version);
            let above = version.map_or("and the request shows nothing in production".to_owned(), |version| {
                format!("above version {version}, which the request shows")
            });
            format!("This station signed version {}{of} (log entry {}), {above}", mark.version, mark.seq)
        };
        match listed.map(|wave| wave.status) {
            Some(WaveStatus::Canceled) => out.warn(manifest_of_waves, || {
                format!(
                    "{}; waves.json lists that wave as canceled, and devices that took it stay on it. {lacks}",
                    signed()
                )
            }),
            Some(WaveStatus::Active) => out.warn(manifest_of_waves, || {
                format!("{}; waves.json lists that wave as active, so devices may have it. {lacks}", signed())
            }),
            _ if !subject.has_service() && later.is_contained() => {
                out.note(manifest_of_waves, || format!("{}. {lacks}", signed()));
            }
            _ if !subject.has_service() => out.report(nowhere, || {
                format!(
                    "{}. {lacks} Import with what was signed as the baseline (--baseline FILE), so that the difference is \
                     shown.",
                    signed()
                )
            }),
            _ => out.report(manifest_of_waves, || {
                format!(
                    "{}, and waves.json does not say what became of it. {lacks} Download production's targets and the \
                     whole list of waves again; a wave that was signed and never made has to be made and canceled.",
                    signed()
                )
            }),
        }
    }
}

fn manifest_of_waves() -> String {
    "waves.json: waves".to_owned()
}

/// What a proposal lacks of something that was signed here, in words.
fn lacks(later: &Later) -> String {
    let said = |what: &str, list: &[String]| {
        (!list.is_empty()).then(|| format!("{what} {}", names(list.iter().map(String::as_str))))
    };
    let parts: Vec<String> = [
        said("for the hardware ids", &later.hardware_ids)
            .map(|ids| format!("{ids} it has an older target or none")),
        said("it lacks the targets", &later.missing),
        said("it has another content of", &later.differing),
        said("it has other members", &later.members),
    ]
    .into_iter()
    .flatten()
    .collect();
    match parts.as_slice() {
        [] => "What is proposed has all of it.".to_owned(),
        parts => format!("Against that, of what is proposed: {}.", parts.join("; ")),
    }
}
