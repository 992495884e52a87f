//! Freshness: versions only move forward, nothing is signed twice with two contents, and times can be believed.

use super::findings::Findings;
use super::subject::{Subject, manifest_place, nowhere, place, root_place, target_place};
use crate::bundle::{RequestKind, WaveStatus};
use crate::host::clock::Time;
use crate::release;
use crate::text::Foreign;

/// Clocks that nobody sets drift by seconds a day; more than this is a wrong clock or a wrong date.
const CLOCK_TOLERANCE_SECONDS: i64 = 10 * 60;

fn version_place(subject: &Subject<'_, '_>) -> String {
    let signed = subject.situation.proposal.metadata.signed;
    place(signed.get("version").unwrap_or(signed))
}

fn expires_place(subject: &Subject<'_, '_>) -> String {
    let signed = subject.situation.proposal.metadata.signed;
    place(signed.get("expires").unwrap_or(signed))
}

pub(super) fn version_increases(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let version = subject.situation.proposal.metadata.version;
    let at = || version_place(subject);
    let (greatest, readers) = (subject.dialect().greatest_version(), subject.dialect().readers());
    if version > greatest {
        out.report(at, || {
            format!(
                "The version {version} is above {greatest}, the greatest that {readers} can read, and no later version \
                 could ever follow. Release a lower one."
            )
        });
    }
    let Some(baseline) = &subject.situation.baseline else { return };
    let current = baseline.targets.metadata.version;
    match subject.situation.manifest.kind {
        RequestKind::Targets if version == current && subject.equals_baseline() => out.note(at, || {
            format!("Version {version} is in the repository already, with this very content: the signature adds to it.")
        }),
        RequestKind::Wave | RequestKind::Targets if version <= current => out.report(at, || {
            format!(
                "The version is {version}, {} is at {current}. It must be greater: {readers} never step back. Release a newer \
                 version.",
                subject.current()
            )
        }),
        RequestKind::WaveSignature if version <= current => out.report(at, || {
            format!(
                "The wave's version is {version}, production is at {current} already. Devices never step back: cancel \
                 the wave."
            )
        }),
        RequestKind::OfflineBundle if version < current => out.warn(at, || {
            format!(
                "The bundle's list is of version {version}, {} is at {current}: it may be an old one. Check that it is meant.",
                subject.current()
            )
        }),
        // That the content is production's own is asked by `composition`.
        RequestKind::Resign if version < current => out.report(at, || {
            format!("Version {version} is to be signed again, but production is at {current}. Make the request again.")
        }),
        _ => {}
    }
}

/// Above everything that this station signed or saw for the tag, and above every wave that the service lists:
/// devices that took a canceled wave stay on it.
pub(super) fn high_water(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    if subject.is(RequestKind::OfflineBundle)
        || (subject.is(RequestKind::Resign) && subject.equals_baseline())
    {
        return;
    }
    let version = situation.proposal.metadata.version;
    let at = || version_place(subject);
    let digest = subject.digest.to_string();
    let history = situation.history;
    let is_known = history.signed_for(version).any(|mark| mark.signed == digest)
        || history.baseline.as_ref().is_some_and(|seen| seen.version == version && seen.signed == digest);
    let mark = history.high_water().unwrap_or(0);
    // The same content of the mark itself is no step back; below the mark it would be.
    if version < mark || (version == mark && !is_known) {
        out.report(at, || {
            format!(
                "The version is {version}, but this station signed or saw version {mark} for the {} \"{}\". It must be \
                 greater. Release a newer version.",
                situation.manifest.kind.tag_noun(),
                Foreign(&situation.manifest.tag)
            )
        });
    }
    let ahead = subject.waves_of_tag().filter(|wave| !subject.is_own_wave(wave));
    let ahead = ahead.filter_map(|wave| Some((wave.version?, wave))).filter(|(other, _)| *other >= version);
    if let Some((other, wave)) = ahead.max_by_key(|(other, _)| *other) {
        let status = match wave.status {
            WaveStatus::Active => "active",
            WaveStatus::Complete => "complete",
            WaveStatus::Canceled => "canceled; devices that took it stay on it",
            WaveStatus::Other => "in a state that this program does not know",
        };
        out.report(at, || {
            format!(
                "The version is {version}, but waves.json lists the wave \"{}\" of version {other} ({status}). It must be \
                 greater. Release a newer version.",
                Foreign(&wave.name)
            )
        });
    }
}

pub(super) fn equivocation(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if subject.is(RequestKind::OfflineBundle) {
        return; // Another document than the production targets of that version.
    }
    let version = subject.situation.proposal.metadata.version;
    let digest = subject.digest.to_string();
    for mark in subject.situation.history.signed_for(version).filter(|mark| mark.signed != digest) {
        out.report(
            || version_place(subject),
            || {
                format!(
                    "This station signed another content as version {version} of the {} \"{}\" (SHA-256 {}, log entry {}; \
                     this one is {digest}). Two contents of one version must never exist. Release a newer version.",
                    subject.situation.manifest.kind.tag_noun(),
                    Foreign(&subject.situation.manifest.tag),
                    Foreign(&mark.signed),
                    mark.seq
                )
            },
        );
    }
}

pub(super) fn already_signed(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let version = situation.proposal.metadata.version;
    let digest = subject.digest.to_string();
    let own = |keyid: &str| situation.own_keys.iter().any(|own| own.as_str() == keyid);
    for mark in situation.history.signed_for(version).filter(|mark| mark.signed == digest && own(&mark.keyid))
    {
        out.report(nowhere, || {
            format!(
                "This station signed exactly this content before, with key {} (intent in log entry {}). Signing it again changes \
                 nothing for {}; the bundle can be exported again instead.",
                Foreign(&mark.keyid),
                mark.seq,
                subject.dialect().readers()
            )
        });
    }
}

pub(super) fn expiry_format(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let metadata = &subject.situation.proposal.metadata;
    match Time::parse_strict(&metadata.expires) {
        None => out.report(
            || expires_place(subject),
            || {
                format!(
                    "\"{}\" is not a time that {} can read: it must be as 2027-11-23T00:00:00Z, with whole seconds and a Z. \
                     Make the request again.",
                    Foreign(&metadata.expires),
                    subject.dialect().readers()
                )
            },
        ),
        Some(expires) if expires <= subject.situation.now => out.report(
            || expires_place(subject),
            || {
                format!(
                    "It expired on {expires}: {} do not take it. Make the request again with a later time.",
                    subject.dialect().readers()
                )
            },
        ),
        Some(_) => {}
    }
}

pub(super) fn expiry_window(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let (situation, policy) = (subject.situation, subject.situation.policy);
    let Some(expires) = situation.proposal.metadata.expiry() else { return };
    if expires <= situation.now {
        return;
    }
    let (low, high) = (policy.expiry_min_days, policy.expiry_max_days);
    let which = if expires < situation.now.plus_days(i64::from(low)) {
        "sooner"
    } else if expires > situation.now.plus_days(i64::from(high)) {
        "later"
    } else {
        return;
    };
    out.report(
        || expires_place(subject),
        || {
            format!(
                "It expires on {expires}, {which} than the policy wants (from {low} to {high} days after signing). Make \
                 the request again with another time, unless this one is meant."
            )
        },
    );
}

pub(super) fn expiry_shrinks(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let Some(baseline) = &subject.situation.baseline else { return };
    if subject.is(RequestKind::OfflineBundle) {
        return; // Bundles are made to expire soon.
    }
    let (Some(expires), Some(before)) =
        (subject.situation.proposal.metadata.expiry(), baseline.targets.metadata.expiry())
    else {
        return;
    };
    if expires < before {
        out.report(
            || expires_place(subject),
            || {
                format!(
                    "It expires on {expires}, before production's targets of today, which expire on {before}. Make the \
                     request again with a later time, unless this is meant."
                )
            },
        );
    }
}

pub(super) fn outlives_root(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let newest = subject.root();
    if let Some(expires) = subject.situation.proposal.metadata.expiry()
        && expires > newest.expires
    {
        out.report(
            || expires_place(subject),
            || {
                format!(
                    "It expires on {expires}, after production root {}, which expires on {}. Devices need a newer root \
                     before that day.",
                    newest.version, newest.expires
                )
            },
        );
    }
}

/// The clock against everything that must be earlier than now: this program, the log, and times in the evidence.
pub(super) fn clock(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let now = situation.now;
    if now < release::EARLIEST {
        out.report(nowhere, || {
            format!(
                "The clock shows an earlier day than {}, and no copy of this program is older than that. Set the clock \
                 right before anything is signed.",
                release::EARLIEST
            )
        });
    }
    if let Some(last) = situation.log_time.filter(|last| now < *last) {
        out.report(nowhere, || {
            format!(
                "The clock was set back: the log's latest entry was written at {last}, and the clock shows an earlier time. \
                 Set the clock right before anything is signed. If it is right, it was ahead once: an officer states the \
                 time (countersign clock --officer NAME)."
            )
        });
    }
    let latest = now.plus_seconds(CLOCK_TOLERANCE_SECONDS);
    if let Some((time, at)) = newest_signed_time(subject).filter(|(time, _)| *time > latest) {
        out.report(
            || at,
            || {
                format!(
                    "The evidence holds the signed time {time}, which is later than the clock shows. Compare the clock with \
                     another one: it is slow, or whoever signed that had a wrong date."
                )
            },
        );
    }
    let created = Time::parse_strict(&situation.manifest.created);
    if let Some(created) = created.filter(|created| *created > latest) {
        out.warn(
            || manifest_place("created"),
            || {
                format!(
                    "The request says that it was made on {created}, which is later than the clock shows. Compare both \
                     clocks."
                )
            },
        );
    }
}

/// The newest time in what root and CI signed: when keys were made, and when the added targets were built.
fn newest_signed_time(subject: &Subject<'_, '_>) -> Option<(Time, String)> {
    let root = subject.root();
    let keys =
        root.owners.iter().filter_map(|(keyid, owner)| Some((Time::parse(&owner.created_at)?, keyid))).max();
    let keys = keys.map(|(time, keyid)| (time, root_place(root, &format!("x-key-owners.{}", keyid.short()))));
    let ci = subject.situation.ci.as_ref();
    let published = subject.added.iter().filter_map(|target| ci?.targets.get(&target.name));
    let built = published.filter_map(|target| Some((Time::parse(&target.text("createdAt")?)?, target)));
    let built = built.max_by_key(|(time, _)| *time);
    let built = built.map(|(time, target)| (time, target_place(target, "custom.createdAt")));
    keys.into_iter().chain(built).max_by_key(|(time, _)| *time)
}
