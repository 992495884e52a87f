//! Waves: what the service's list says about this one and the others of its tag. The list is not signed: it can warn of
//! a mistake, and it proves nothing.

use super::evidence::is_first_wave;
use super::findings::Findings;
use super::subject::{Subject, manifest_place};
use crate::bundle::{RequestKind, WaveStatus};
use crate::text::Foreign;

pub(super) fn wave_name_used(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let name = &situation.manifest.wave;
    let at = || manifest_place("wave");
    if name.is_empty() {
        return;
    }
    let listed = situation.waves.iter().flatten().find(|wave| wave.name == *name);
    match situation.manifest.kind {
        RequestKind::Wave => {
            if listed.is_some() {
                out.report(at, || {
                    format!(
                        "There is a wave \"{}\" already, and the service takes a name once. Make the request again with \
                         another name.",
                        Foreign(name)
                    )
                });
            }
            let digest = subject.digest.to_string();
            let mark = situation.history.signed.iter().find(|mark| mark.wave == *name && mark.signed != digest);
            if let Some(mark) = mark.filter(|_| listed.is_none()) {
                out.report(at, || {
                    format!(
                        "This station signed version {} for a wave \"{}\" before. Make the request again with another \
                         name, so that the two cannot be mixed up.",
                        mark.version,
                        Foreign(name)
                    )
                });
            }
        }
        RequestKind::WaveSignature if situation.waves.is_some() => match listed {
            Some(wave) if subject.is_own_wave(wave) && wave.tag == situation.manifest.tag => {
                if wave.status != WaveStatus::Active {
                    out.warn(at, || {
                        format!(
                            "The wave \"{}\" is not active any more: a further signature changes nothing.",
                            Foreign(name)
                        )
                    });
                }
            }
            Some(_) => out.report(at, || {
                format!(
                    "waves.json lists a wave \"{}\" of another version or tag than this. Download the wave again.",
                    Foreign(name)
                )
            }),
            None => out.note(at, || {
                format!(
                    "waves.json lists no wave \"{}\". Download the list and the wave at the same time.",
                    Foreign(name)
                )
            }),
        },
        _ => {}
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
