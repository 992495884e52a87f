//! Did the service move on since a request was composed? Then what was signed for it is not uploaded.

use super::fetch::{document, production, require_agreement, require_production};
use super::list::all_waves;
use super::wave::{ACTIVE, Wave};
use super::{Client, CourierError};
use crate::bundle::signed::SignedManifest;
use crate::json::{Document, Value, canonical};
use crate::text::shown;
use crate::tuf::{Chain, Dialect, Targets};
use std::collections::BTreeSet;

/// What a signed wave rests on.
pub(super) struct Rests<'a> {
    pub manifest: &'a SignedManifest,
    /// `targets.json` of the bundle.
    pub targets: &'a Document<'a>,
    /// The versions that the request dropped from production; `None` where the bundle does not say.
    pub prune: Option<BTreeSet<u64>>,
}

fn moved(why: String) -> CourierError {
    CourierError::Blocked(format!(
        "the service moved on since the request was made: {why}. Nothing was uploaded. Make a new request: \
         countersign-courier request"
    ))
}

/// Checks that the waves and the production targets of now are those that the wave was composed on.
///
/// # Errors
/// They are not; or the service refuses, or does not fit together.
pub(super) fn require_unmoved(
    client: &Client<'_>,
    rests: &Rests<'_>,
    chain: &Chain,
    cap: u64,
) -> Result<(), CourierError> {
    let manifest = rests.manifest;
    let waves = all_waves(client)?;
    let of_tag = || waves.waves.iter().filter(|wave| wave.tag == manifest.tag && wave.name != manifest.wave);
    if let Some(active) = of_tag().find(|wave| wave.status == ACTIVE) {
        return Err(CourierError::Blocked(format!(
            "the wave {} of version {} is active for the tag {}, and only one can be. Complete or cancel it first; if its \
             targets become production's, make a new request",
            shown(&active.name),
            shown(&active.version),
            shown(&manifest.tag)
        )));
    }
    if let Some(past) = of_tag().find(|wave| wave.number().is_none_or(|version| version >= manifest.version))
    {
        return Err(moved(format!(
            "the wave {} of version {} is {}, and version {} is not above it",
            shown(&past.name),
            shown(&past.version),
            shown(&past.status),
            manifest.version
        )));
    }
    let body = production(client, cap)?;
    require_production(body.as_deref(), chain)?;
    require_agreement(&waves.waves, body.as_deref())?;
    let current = body.as_deref().map(|body| document("prod-targets.json", body)).transpose()?;
    let current = current.as_ref().and_then(|document| document.root().get(&manifest.tag));
    let dialect = chain.newest().dialect;
    let current = current.map(|envelope| read(envelope, dialect)).transpose()?;
    let signed = read(rests.targets.root(), dialect)?;
    let ended = of_tag().filter(|wave| finished_after(wave, manifest));
    same_but_for_the_wave(rests, current.as_ref(), &signed, ended.count())
}

fn read<'d>(envelope: Value<'d>, dialect: Dialect) -> Result<Targets<'d>, CourierError> {
    Targets::read(envelope, dialect).map_err(|e| CourierError::Incoherent(e.to_string()))
}

/// Did it end after the first signature of the bundle was made?
fn finished_after(wave: &Wave, manifest: &SignedManifest) -> bool {
    let parse = crate::host::clock::Time::parse;
    let signed = manifest.keys.iter().filter_map(|key| parse(&key.time)).min();
    parse(&wave.change_meta.updated_at).zip(signed).is_some_and(|(ended, signed)| ended > signed)
}

/// The signed targets must be production's, less the pruned ones, and new ones of the wave's version.
fn same_but_for_the_wave(
    rests: &Rests<'_>,
    current: Option<&Targets<'_>>,
    signed: &Targets<'_>,
    ended: usize,
) -> Result<(), CourierError> {
    let version = rests.manifest.version;
    if let Some(now) = current.map(|current| current.metadata.version)
        && now >= version
    {
        return Err(moved(format!("production is at version {now}, and the wave is of version {version}")));
    }
    let now = current.map_or(&[][..], Targets::all);
    for target in now {
        let is_same = signed
            .get(&target.name)
            .map(|other| canonical::bytes(other.value) == canonical::bytes(target.value));
        let is_pruned = match &rests.prune {
            Some(prune) => target.version().is_some_and(|version| prune.contains(&version)),
            // A bundle of before does not say what was pruned: what is left out was, unless a wave ended since.
            None => ended == 0,
        };
        match is_same {
            Some(true) => {}
            None if is_pruned => {}
            Some(false) => {
                return Err(moved(format!("the production target {} differs", shown(&target.name))));
            }
            None => return Err(moved(format!("the production target {} came since", shown(&target.name)))),
        }
    }
    let known: BTreeSet<&str> = now.iter().map(|target| target.name.as_ref()).collect();
    let gone =
        signed.all().iter().find(|one| one.version() != Some(version) && !known.contains(one.name.as_ref()));
    match gone {
        Some(gone) => Err(moved(format!("{} is a production target no more", shown(&gone.name)))),
        None => Ok(()),
    }
}
