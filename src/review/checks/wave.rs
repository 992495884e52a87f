//! Waves: what the service's list says about this one and the others of its tag. The list is not signed: it can warn of
//! a mistake, and it proves nothing.

use super::evidence::is_first_wave;
use super::findings::Findings;
use super::subject::{Subject, manifest_place};
use crate::bundle::{RequestKind, WaveStatus};
use crate::review::situation::Carried;
use crate::text::Foreign;

pub(super) fn wave_name_used(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let name = &situation.manifest.wave;
    let at = || manifest_place("wave");
    if name.is_empty() || !subject.is(RequestKind::Wave) {
        return;
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if !name.bytes().all(plain) || name.starts_with('.') {
        out.warn(at, || {
            format!(
                "The wave's name \"{}\" cannot stand in a URL as it is: fioctl asks the service for another wave, or for \
                 none. Make the request again with letters, digits and . _ - alone.",
                Foreign(name)
            )
        });
    }
    if subject.waves().any(|wave| wave.name == *name) {
        return out.report(at, || {
            format!(
                "There is a wave \"{}\" already, and the service takes a name once. Make the request again with another \
                 name.",
                Foreign(name)
            )
        });
    }
    let digest = subject.digest.to_string();
    let mark = situation.history.signed.iter().find(|mark| mark.wave == *name && mark.signed != digest);
    if let Some(mark) = mark {
        out.report(at, || {
            format!(
                "This station signed version {} for a wave \"{}\" before. Make the request again with another name, so that \
                 the two cannot be mixed up.",
                mark.version,
                Foreign(name)
            )
        });
    }
}

/// What makes a request one for a further signature, whatever its manifest says: an offline key signed the very content,
/// and the service has the wave and rolls it out.
pub(super) fn further_signature(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    if !subject.is(RequestKind::WaveSignature) {
        return;
    }
    let manifest = situation.manifest;
    if !subject.is_signed_offline() {
        out.report(
            || "targets.json: signatures".to_owned(),
            || {
                "The request is for a further signature, but no offline key has signed this content yet. Make a request for \
                 a wave of it, which is checked as one."
                    .to_owned()
            },
        );
    }
    // A bare file shows no list; that it proves too little is said by the check of the evidence.
    if situation.carried != Carried::Folder {
        return;
    }
    let at = || "waves.json: waves".to_owned();
    let listed = subject.waves().find(|wave| wave.name == manifest.wave);
    match listed {
        Some(wave) if !subject.is_own_wave(wave) || wave.tag != manifest.tag => out.report(at, || {
            format!(
                "waves.json lists a wave \"{}\" of another version or tag than this. Download the wave again.",
                Foreign(&manifest.wave)
            )
        }),
        Some(wave) if wave.status != WaveStatus::Active => out.report(at, || {
            format!(
                "waves.json does not list the wave \"{}\" as active: a further signature would change nothing, or serve \
                 somebody who keeps it. Download the wave and the list again.",
                Foreign(&manifest.wave)
            )
        }),
        Some(_) => {}
        None => out.report(at, || {
            format!(
                "Nothing lists a wave \"{}\" of version {} for the tag \"{}\". Download the list of waves after the wave \
                 was made, and make the request again.",
                Foreign(&manifest.wave),
                manifest.version,
                Foreign(&manifest.tag)
            )
        }),
    }
}

pub(super) fn wave_active(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if !matches!(subject.situation.manifest.kind, RequestKind::Wave | RequestKind::WaveSignature) {
        return;
    }
    let others =
        subject.waves_of_tag().filter(|wave| wave.status == WaveStatus::Active && !subject.is_own_wave(wave));
    for wave in others {
        out.report(
            || "waves.json: waves".to_owned(),
            || {
                format!(
                    "The wave \"{}\" is active for the tag \"{}\", and only one can be. Have it completed or canceled, \
                     then make the request again from fresh downloads.",
                    Foreign(&wave.name),
                    Foreign(&wave.tag)
                )
            },
        );
    }
}

pub(super) fn first_wave(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if is_first_wave(subject.situation, &subject.digest) {
        out.report(
            || manifest_place("tag"),
            || {
                format!(
                    "This is the first wave of the tag \"{}\": there is nothing in production to compare it with, and \
                     every target in it is new.",
                    Foreign(&subject.situation.manifest.tag)
                )
            },
        );
    }
}
