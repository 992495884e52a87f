//! Taking in a request: what it proves is checked at once, and everything that it brings is kept.

use super::CeremonyError;
use super::prepare::with_situation;
use crate::bundle::intake::{BareFacts, Request, take_in};
use crate::bundle::manifest::{DELEGATING_FILE, REQUEST_FILE};
use crate::host::Host;
use crate::log::{Event, Kind};
use crate::station::history::baseline_object;
use crate::station::request::{self, Import, StoredRequest};
use crate::station::trust::named_root;
use crate::station::{SeenMark, Station};
use crate::text::{shown, shown_path};
use crate::tuf::Digest;
use crate::tuf::signature::{Worth, count};
use std::path::Path;

/// What came in.
pub struct Imported {
    /// The request.
    pub stored: StoredRequest,
    /// How many production roots were new to the station.
    pub new_roots: usize,
}

/// Takes in what lies at a path. A refusal is logged too.
///
/// # Errors
/// It is not whole, not metadata, of another Factory, or its root chain does not follow from the pinned one.
pub fn import(
    station: &mut Station,
    host: &Host,
    path: &Path,
    bare: &BareFacts,
    importer: &str,
) -> Result<Imported, CeremonyError> {
    match take(station, host, path, bare, importer) {
        Ok(imported) => {
            station.commit()?;
            Ok(imported)
        }
        Err(e) => {
            let rejected = Event::new(Kind::RequestRejected, actor(station, importer))
                .text("source", shown_path(path))
                .text("reason", shown(&e.to_string()));
            station.record(&host.stamp(), rejected)?;
            station.commit()?;
            Err(e)
        }
    }
}

fn actor(station: &Station, importer: &str) -> String {
    if importer.is_empty() { station.actor().to_owned() } else { importer.to_owned() }
}

fn take(
    station: &mut Station,
    host: &Host,
    path: &Path,
    bare: &BareFacts,
    importer: &str,
) -> Result<Imported, CeremonyError> {
    let now = host.clock.now();
    let request = take_in(&*host.disk, path, station.policy.max_file_bytes, bare, now)?;
    if request.manifest.factory != station.facts.factory {
        return Err(CeremonyError::Refused(format!(
            "{}: the request is for the {} \"{}\", this station signs for \"{}\" only. Use the other {}'s station",
            shown_path(path),
            station.dialect.noun(),
            shown(&request.manifest.factory),
            shown(&station.facts.factory),
            station.dialect.noun()
        )));
    }
    if request.manifest.kind.has_service() != station.dialect.has_service() {
        return Err(CeremonyError::Refused(format!(
            "{}: this is a request of the kind \"{}\", and the root of this station is {}. Take it to the right station",
            shown_path(path),
            request.manifest.kind.name(),
            station.dialect.described()
        )));
    }
    let roots = request
        .production_roots()
        .map(|(name, bytes)| named_root(name, bytes))
        .collect::<Result<Vec<_>, _>>()?;
    let new_roots = station.update_roots(&host.stamp(), roots)?;
    let import = Import {
        format: "countersign/import/1".to_owned(),
        bare: request.is_bare,
        importer: importer.to_owned(),
        source: shown_path(path),
        time: now.to_string(),
    };
    // Everything is read once before anything is kept: what is not metadata at all is not taken in.
    let stored = StoredRequest::unsaved(&station.layout, request, import.clone());
    let (object, signed, seen) = with_situation(station, now, &stored, |situation| {
        let baseline = situation.baseline.as_ref().filter(|baseline| {
            let by_online = situation.online_key.is_none_or(|online| {
                baseline
                    .signatures
                    .iter()
                    .any(|one| one.worth == Worth::Counts && one.signature.keyid == *online)
            });
            let authority = situation.authority;
            by_online && count(&baseline.signatures) >= authority.root().threshold(&authority.role)
        });
        let seen = baseline.map(|baseline| -> Result<_, CeremonyError> {
            let message = baseline.targets.metadata.message()?;
            let object = station.log.put_object_named(&baseline.digest.to_string(), message.bytes())?;
            Ok((baseline.targets.metadata.version, baseline.digest, object))
        });
        let signed = situation.message.digest();
        let object = station.log.put_object_named(&signed.to_string(), situation.message.bytes())?;
        Ok::<_, CeremonyError>((object, signed, seen.transpose()?))
    })??;
    request::store(station.disk(), &station.layout, &stored.request, &import)?;
    let manifest = stored.request.manifest.clone();
    let mut objects = vec![("signed".to_owned(), object)];
    for name in [REQUEST_FILE, DELEGATING_FILE] {
        if let Some(bytes) = stored.request.file(name) {
            objects.push((name.to_owned(), station.log.put_object(bytes)?));
        }
    }
    if let Some((version, _, object)) = &seen {
        objects.push((baseline_object(*version), object.clone()));
    }
    let event = Event::new(Kind::RequestImported, actor(station, importer))
        .text("request", stored.digest().to_string())
        .text("kind", manifest.kind.name())
        .text("factory", &manifest.factory)
        .text("wave", &manifest.wave)
        .text("tag", &manifest.tag)
        .int("version", manifest.version)
        .text("signed", signed.to_string())
        .int("root_version", station.trust.newest().version)
        .text("source", shown_path(path))
        .pairs("objects", objects);
    station.record(&host.stamp(), event)?;
    if let Some((version, digest, _)) = seen {
        remember(station, &stored.request, version, digest)?;
    }
    Ok(Imported { stored, new_roots })
}

fn remember(
    station: &mut Station,
    request: &Request,
    version: u64,
    digest: Digest,
) -> Result<(), CeremonyError> {
    let mark = SeenMark { version, signed: digest.to_string(), request: request.digest.to_string() };
    Ok(station.mark_seen(&request.manifest.tag, mark)?)
}
