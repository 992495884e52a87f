//! Taking in a request: what it proves is checked at once, and everything that it brings is kept.

use super::CeremonyError;
use super::anchors::{Judged, judge};
use super::prepare::{ROLE, with_situation};
use super::reviewed::Reviewed;
use crate::bundle::intake::{BareFacts, Request, take_in};
use crate::bundle::manifest::{CI_FILE, DELEGATING_FILE, REQUEST_FILE};
use crate::host::Host;
use crate::host::clock::Time;
use crate::ledger::field::{HeldSignature, RequestFile};
use crate::ledger::record::{Deviation, EvidenceVerified, NonceDrawn, RequestImported, RequestRejected};
use crate::review::situation::{BaselineSource, Carried, Listing};
use crate::review::{Baseline, Situation, review};
use crate::station::history::baseline_object;
use crate::station::request::{self, StoredRequest};
use crate::station::taken::Nonce;
use crate::station::{SeenMark, Station};
use crate::text::{one_line, shown, shown_path};
use crate::threads;
use crate::tuf::signature::{Assessed, Worth, count};
use crate::tuf::{Digest, Metadata, Root};
use crate::vault::officer::OpenOfficer;
use std::path::Path;

/// What came in.
pub(crate) struct Imported {
    /// The request.
    pub stored: StoredRequest,
    /// How many production roots were new to the station.
    pub new_roots: usize,
    /// Its review, as of now.
    pub reviewed: Reviewed,
    /// Heads of this station's log that it brought back.
    pub anchors: Vec<Judged>,
}

/// Takes in what lies at a path; the importer, where one is named, signs that it was she. A refusal is logged too.
///
/// # Errors
/// It is not whole, not metadata, of another Factory, or its root chain does not follow from the pinned one.
pub(crate) fn import(
    station: &mut Station,
    host: &Host,
    path: &Path,
    bare: &BareFacts,
    importer: Option<&OpenOfficer>,
) -> Result<Imported, CeremonyError> {
    match take(station, host, path, bare, importer) {
        Ok(imported) => {
            station.commit()?;
            Ok(imported)
        }
        Err(e) => {
            let (source, reason) = (shown_path(path).into(), one_line(&e.to_string()).into());
            let rejected = RequestRejected { source, reason }.by(&actor(station, importer));
            station.record(&host.stamp(), rejected)?;
            station.commit()?;
            Err(e)
        }
    }
}

fn actor(station: &Station, importer: Option<&OpenOfficer>) -> String {
    importer.map_or(station.actor(), name).to_owned()
}

fn name(officer: &OpenOfficer) -> &str {
    officer.name().as_str()
}

fn take(
    station: &mut Station,
    host: &Host,
    path: &Path,
    bare: &BareFacts,
    importer: Option<&OpenOfficer>,
) -> Result<Imported, CeremonyError> {
    if importer.is_none() && station.policy.separates_importer() {
        return Err(CeremonyError::Refused(
            "the policy separates who takes a request in from who approves or signs it: say who takes this one in \
             (import --officer NAME)"
                .to_owned(),
        ));
    }
    let now = host.clock.now();
    let request = take_in(&*host.disk, path, station.policy.max_file_bytes, bare, now)?;
    require_own(station, path, &request)?;
    let anchors = judge(station, host, request.anchors())?;
    let roots = request
        .production_roots()
        .map(|(name, bytes)| Root::of_file(name, bytes))
        .collect::<Result<Vec<_>, _>>()?;
    let new_roots = station.update_roots(&host.stamp(), roots)?;
    let drawn = station.taken.nonce(request.digest);
    let nonce = match drawn {
        Some(nonce) => nonce,
        None => {
            let mut nonce = Nonce::default();
            host.random.fill(&mut nonce).map_err(CeremonyError::NoRandomness)?;
            nonce
        }
    };
    // Everything is read once before anything is kept: what is not metadata at all is not taken in.
    let stored = StoredRequest { request };
    let Content { reviewed, objects, was_put_right, held, files } = content(station, now, &stored, nonce)?;
    if was_put_right {
        let statement = format!(
            "the station's own copy of request {} had been changed since it was taken in; it was put right from {}",
            stored.digest(),
            shown_path(path)
        );
        let deviation = Deviation { statement: statement.into() }.by(&actor(station, importer));
        station.record(&host.stamp(), deviation)?;
    }
    if drawn.is_none() {
        let (request, text) = (stored.digest().to_string().into(), hex::encode(nonce).into());
        let drawn = NonceDrawn { request, nonce: text }.by(&actor(station, importer));
        station.record(&host.stamp(), drawn)?;
    }
    let manifest = stored.request.manifest.clone();
    let taken = RequestImported {
        request: stored.digest().to_string().into(),
        kind: manifest.kind.name().into(),
        factory: (&manifest.factory).into(),
        wave: (&manifest.wave).into(),
        tag: (&manifest.tag).into(),
        version: manifest.version,
        signed: reviewed.signed.to_string().into(),
        root_version: station.trust.newest().version,
        source: shown_path(path).into(),
        objects,
    };
    station.record_act(host, taken.by(&actor(station, importer)), importer.as_slice())?;
    // The keys of a role that the request brings itself are not the root's.
    if !held.is_empty() && manifest.kind.role(&manifest.tag) == ROLE {
        let verified = EvidenceVerified {
            request: stored.digest().to_string().into(),
            root_version: station.trust.newest().version,
            signatures: held.into_iter().map(HeldSignature::from).collect(),
        };
        station.record(&host.stamp(), verified.by(station.actor()))?;
    }
    for (file, mark) in files {
        station.keep_seen(&host.stamp(), file, mark)?;
    }
    Ok(Imported { stored, new_roots, reviewed, anchors })
}

/// Is the request for this station's Factory or repository?
fn require_own(station: &Station, path: &Path, request: &Request) -> Result<(), CeremonyError> {
    if request.manifest.factory != station.facts.factory {
        return Err(CeremonyError::Refused(format!(
            "{}: the request is for the {} \"{}\", this station signs for \"{}\" only. Use the other {}'s station",
            shown_path(path),
            station.facts.dialect.noun(),
            shown(&request.manifest.factory),
            shown(&station.facts.factory),
            station.facts.dialect.noun()
        )));
    }
    if request.manifest.kind.has_service() != station.facts.dialect.has_service() {
        return Err(CeremonyError::Refused(format!(
            "{}: this is a request of the kind \"{}\", and the root of this station is {}. Take it to the right station",
            shown_path(path),
            request.manifest.kind.name(),
            station.facts.dialect.described()
        )));
    }
    Ok(())
}

/// What a request holds, once its bytes are kept.
struct Content {
    reviewed: Reviewed,
    objects: Vec<RequestFile<'static>>,
    /// The station's own copy had been changed, and is now as it came.
    was_put_right: bool,
    /// Which signatures hold: the file and the key id of each.
    held: Vec<(String, String)>,
    /// Evidence that is newer than any of its kind before.
    files: Vec<(&'static str, SeenMark)>,
}

/// Reads all of a request, and keeps its bytes.
fn content(
    station: &Station,
    now: Time,
    stored: &StoredRequest,
    nonce: Nonce,
) -> Result<Content, CeremonyError> {
    with_situation(station, now, stored, |situation| {
        let seen = proven_baseline(&situation).map(|baseline| SeenMark {
            version: baseline.targets.metadata.version,
            signed: baseline.digest.to_string(),
            request: stored.digest().to_string(),
        });
        // The review of what the station knows once this request is in it.
        let mut history = situation.history.clone();
        if let Some(mark) = &seen {
            history.saw(mark.clone());
        }
        let situation = Situation { history: &history, nonce: Some(nonce), ..situation };
        // What is written waits for the disk, and the review does not.
        let (objects, was_put_right, reviewed) = threads::three(
            situation.message.bytes().len() as u64,
            || keep_objects(station, stored, &situation, seen.as_ref()),
            || request::store(station, &stored.request),
            || Reviewed::from(&situation, &review(&situation), false),
        );
        Ok(Content {
            reviewed,
            objects: objects?,
            was_put_right: was_put_right?,
            held: held_in(&situation),
            files: newer_files(station, stored, &situation)?,
        })
    })?
}

/// The evidence that is newer than any of its kind before: CI targets that the online key signed, and targets metadata that
/// delegates, which carries the root's threshold or is no authority.
fn newer_files(
    station: &Station,
    stored: &StoredRequest,
    situation: &Situation<'_>,
) -> Result<Vec<(&'static str, SeenMark)>, CeremonyError> {
    let is_newer =
        |file: &str, version: u64| station.history.file_version(file).is_none_or(|known| known < version);
    let mark = |version: u64, digest: Digest| SeenMark {
        version,
        signed: digest.to_string(),
        request: stored.digest().to_string(),
    };
    let mut newer = Vec::new();
    let published = situation.ci.as_ref().filter(|_| situation.carried == Carried::Folder);
    if let Some(ci) = published.filter(|ci| is_newer(CI_FILE, ci.targets.metadata.version)) {
        let by_online =
            |one: &Assessed| one.worth == Worth::Counts && Some(&one.signature.keyid) == situation.online_key;
        if ci.signatures.iter().any(by_online) && situation.not_by_ci().is_none() {
            newer.push((CI_FILE, mark(ci.targets.metadata.version, ci.targets.metadata.message()?.digest())));
        }
    }
    let delegated = situation.authority.delegated.as_ref();
    if let Some(delegated) = delegated.filter(|delegated| is_newer(DELEGATING_FILE, delegated.version))
        && let Some(document) = stored.request.delegating()?
    {
        let metadata = Metadata::read(document.root(), station.facts.dialect, "targets")?;
        newer.push((DELEGATING_FILE, mark(delegated.version, metadata.message()?.digest())));
    }
    Ok(newer)
}

/// Which signatures over the request's own files hold: the file and the key id of each.
fn held_in(situation: &Situation<'_>) -> Vec<(String, String)> {
    let own = situation.carried == Carried::Folder;
    let baseline = situation.baseline.as_ref().filter(|one| own && one.source == BaselineSource::Request);
    let published = situation.ci.as_ref().filter(|_| own);
    let of = [
        ("current.json", baseline.map(|one| one.signatures.as_slice())),
        ("ci-targets.json", published.map(|one| one.signatures.as_slice())),
        ("targets.json", Some(situation.signatures)),
    ];
    let held = |(file, signatures): (&str, Option<&[Assessed]>)| -> Vec<(String, String)> {
        let counts = signatures.unwrap_or_default().iter().filter(|one| one.worth == Worth::Counts);
        counts.map(|one| (file.to_owned(), one.signature.keyid.as_str().to_owned())).collect()
    };
    of.into_iter().flat_map(held).collect()
}

/// The production targets that the request brings, if their signatures reach the threshold, the service's is among them,
/// and, where there is a service, they are those of the request's tag: what is marked as seen here stays so. What a
/// delegated role's keys signed is proven by the newest metadata that delegates alone: older keys may be revoked.
fn proven_baseline<'s, 'd>(situation: &'s Situation<'d>) -> Option<&'s Baseline<'d>> {
    let (authority, memory) = (situation.authority, situation.memory);
    if let Some(delegated) = &authority.delegated
        && (memory.delegating_version() > Some(delegated.version)
            || memory.other_delegating(delegated.version, &delegated.digest.to_string()))
    {
        return None;
    }
    // What was signed for a wave and never released is no mark: production would have to pass a version that it never had.
    let was_released = !matches!(situation.listing(), Some(Listing::Open(_)));
    situation.baseline.as_ref().filter(|_| was_released).filter(|baseline| {
        let by_online = situation.online_key.is_none_or(|online| {
            let by = |one: &Assessed| one.worth == Worth::Counts && one.signature.keyid == *online;
            baseline.signatures.iter().any(by)
        });
        let is_of_tag = situation.online_key.is_none() || baseline.targets.has_tag(&situation.manifest.tag);
        is_of_tag && by_online && count(&baseline.signatures) >= authority.root().threshold(&authority.role)
    })
}

/// Stores what the log entry names: the bytes to be signed, the manifest, who delegates, and the production targets that
/// were proven.
fn keep_objects(
    station: &Station,
    stored: &StoredRequest,
    situation: &Situation<'_>,
    seen: Option<&SeenMark>,
) -> Result<Vec<RequestFile<'static>>, CeremonyError> {
    let mut objects = vec![("signed".to_owned(), situation.message.digest(), situation.message.bytes())];
    for name in [REQUEST_FILE, DELEGATING_FILE] {
        if let Some(bytes) = stored.request.file(name) {
            objects.push((name.to_owned(), Digest::of(bytes), bytes));
        }
    }
    let baseline = situation.baseline.as_ref().filter(|_| seen.is_some());
    let production = baseline.map(|baseline| baseline.targets.metadata.message()).transpose()?;
    if let (Some(baseline), Some(production)) = (baseline, &production) {
        let name = baseline_object(baseline.targets.metadata.version);
        objects.push((name, baseline.digest, production.bytes()));
    }
    let put = |(name, digest, bytes): (String, Digest, &[u8])| {
        let sha256 = station.log.put_object_named(&digest.to_string(), bytes)?.into();
        Ok(RequestFile { name: name.into(), sha256 })
    };
    threads::each(objects, |(_, _, bytes)| bytes.len() as u64, put).into_iter().collect()
}
