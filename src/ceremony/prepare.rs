//! From a stored request and the station's memory to the situation that a review is computed from.

use super::CeremonyError;
use crate::bundle::intake::Request;
use crate::host::Bytes;
use crate::host::clock::Time;
use crate::json::{Document, Limits};
use crate::review::later::Later;
use crate::review::situation::{Baseline, BaselineSource, Carried, CiTargets, Record, Situation, Vouched};
use crate::review::{Review, review};
use crate::station::request::{self, StoredRequest};
use crate::station::{Station, StationError, TagHistory};
use crate::threads;
use crate::tuf::signature::{Assessed, assess, count};
use crate::tuf::{Authority, Chain, Dialect, Digest, KeyId, Message, Metadata, Root, Targets};
use crate::vault::keys;
use std::sync::OnceLock;

/// The role that a station signs for, unless a request is for a role that it delegates to.
pub(crate) const ROLE: &str = "targets";

/// Computes the review of a stored request, now, and hands it over with the situation that it came from.
///
/// # Errors
/// A file of the request is not metadata at all. What is merely wrong with it is a finding.
pub fn with_review<R>(
    station: &Station,
    now: Time,
    stored: &StoredRequest,
    work: impl FnOnce(&Situation<'_>, &Review) -> R,
) -> Result<R, CeremonyError> {
    with_situation(station, now, stored, |situation| work(&situation, &review(&situation)))
}

/// Gathers the situation of a stored request.
///
/// # Errors
/// As [`with_review`].
pub(crate) fn with_situation<R>(
    station: &Station,
    now: Time,
    stored: &StoredRequest,
    work: impl FnOnce(Situation<'_>) -> R,
) -> Result<R, CeremonyError> {
    let request = &stored.request;
    let authority = authority(station, request)?;
    let chain = &station.trust.chain;
    let no_history = TagHistory::default();
    let history = station.history.tags.get(&request.manifest.tag).unwrap_or(&no_history);
    let known = if request.is_bare() { known_content(station, history, request)? } else { None };
    let evidence = known.as_ref().map_or(request, |known| &known.request);
    let carried = match (&known, request.is_bare()) {
        (Some(_), _) => Carried::KnownContent,
        (None, true) => Carried::BareFile,
        (None, false) => Carried::Folder,
    };
    let remembered = remembered(station, history, evidence, carried)?;
    let remembered = remembered.as_ref().map(|bytes| parse_record(bytes)).transpose()?;
    // What a request proves is verified from its bytes each time; the log's word for it is no proof.
    // Reading the files, and hashing them for each signature, is what takes time: each file has a thread of its own.
    let bytes = request.file("targets.json").map_or(0, |file| file.len() as u64);
    let (current, published, proposed) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
    let (baseline, ci, proposal) = threads::three(
        bytes,
        || {
            if let Some(document) = &remembered {
                return read_record(document, station.facts.dialect).map(|record| Some(of_station(record)));
            }
            let document = parse(evidence, "current.json")?.map(|document| current.get_or_init(|| document));
            document.map(|document| read_baseline(&authority, chain, document)).transpose()
        },
        || {
            let document = parse(evidence, "ci-targets.json")?;
            let document = document.map(|document| published.get_or_init(|| document));
            document.map(|document| read_ci(&authority, document)).transpose()
        },
        || {
            let document = proposal_of(request)?;
            read_proposal(&authority, proposed.get_or_init(|| document))
        },
    );
    let (proposal, message, signatures) = proposal?;
    let (baseline, ci) = (baseline?, ci?);
    let own_keys = own_keys(station, &authority)?;
    let later = later(station, history, baseline.as_ref(), &proposal, &message)?;
    // Where nobody vouches for the baseline, what this station has of it stands in its place.
    let unvouched =
        baseline.as_ref().filter(|baseline| baseline.vouched(history, &authority) == Vouched::Nobody);
    let newest = unvouched.and_then(|baseline| history.newest_up_to(baseline.targets.metadata.version));
    let bytes = newest.map(|(_, digest)| signed_here(station, digest)).transpose()?;
    let record = bytes.as_ref().map(|bytes| parse_record(bytes)).transpose()?;
    let record = record.as_ref().map(|document| read_record(document, station.facts.dialect)).transpose()?;
    let since = station.since().changes(request.digest, &station.log)?;
    let situation = Situation {
        manifest: &request.manifest,
        request: request.digest,
        carried,
        proposal: &proposal,
        message: &message,
        signatures: &signatures,
        baseline,
        record,
        later,
        ci,
        waves: evidence.waves()?,
        chain: &station.trust.chain,
        authority: &authority,
        request_root: request_root(request),
        acknowledged_root: station.history.acknowledged_root,
        since: &since,
        online_key: station.trust.online.as_ref(),
        own_keys: &own_keys,
        history,
        memory: &station.history,
        nonce: station.taken.nonce(request.digest),
        station_factory: &station.facts.factory,
        policy: &station.policy,
        policy_digest: station.policy_digest(),
        networked: station.facts.networked,
        at_station: true,
        now,
        continues: station.history.continues.as_deref(),
        log_time: station.log_time(),
    };
    Ok(work(situation))
}

/// What this station has of production, where it is compared with that: a request that does not prove what production runs.
/// Before production was ever seen, the request is a first wave and there is nothing to compare it with.
fn remembered(
    station: &Station,
    history: &TagHistory,
    evidence: &Request,
    carried: Carried,
) -> Result<Option<Bytes>, CeremonyError> {
    let is_silent = evidence.file("current.json").is_none() && history.baseline.is_some();
    if carried != Carried::BareFile && !is_silent {
        return Ok(None);
    }
    history.newest_up_to(u64::MAX).map(|(_, digest)| signed_here(station, digest)).transpose()
}

/// The bytes of a `signed` that this station signed or saw: the log's own object, which its digest names.
fn signed_here(station: &Station, digest: &str) -> Result<Bytes, CeremonyError> {
    Ok(station.log.get_object(digest).map_err(StationError::from)?)
}

fn of_station(Record { targets, digest }: Record<'_>) -> Baseline<'_> {
    let source = BaselineSource::Station;
    Baseline { targets, signatures: Vec::new(), source, digest, older_root: None }
}

fn parse_record(bytes: &[u8]) -> Result<Document<'_>, CeremonyError> {
    Ok(Document::parse("this station's record", bytes, Limits::of_bytes(bytes.len() as u64))?)
}

fn read_record<'d>(document: &'d Document<'_>, dialect: Dialect) -> Result<Record<'d>, CeremonyError> {
    let metadata = Metadata::of_signed(document.root(), Vec::new(), dialect, "targets")?;
    let digest = metadata.message()?.digest();
    Ok(Record { targets: Targets::of(metadata)?, digest })
}

/// What this station signed above the baseline's version, held against the proposal; that content itself aside.
fn later(
    station: &Station,
    history: &TagHistory,
    baseline: Option<&Baseline<'_>>,
    proposal: &Targets<'_>,
    message: &Message<'_>,
) -> Result<Vec<Later>, CeremonyError> {
    let version = baseline.map_or(0, |baseline| baseline.targets.metadata.version);
    let (own, mut later) = (message.digest().to_string(), Vec::new());
    for mark in history.signed_above(version).into_iter().filter(|mark| mark.signed != own) {
        let bytes = signed_here(station, &mark.signed)?;
        let document = parse_record(&bytes)?;
        later.push(Later::of(mark, &read_record(&document, station.facts.dialect)?.targets, proposal));
    }
    Ok(later)
}

/// Reads a file of a request, if it is there. The cap on its size was applied when it was taken in.
pub(super) fn parse<'r>(request: &'r Request, name: &str) -> Result<Option<Document<'r>>, CeremonyError> {
    let Some(bytes) = request.file(name) else { return Ok(None) };
    Ok(Some(Document::parse(name.to_owned(), bytes, Limits::of_bytes(bytes.len() as u64))?))
}

/// What is to be signed.
pub(super) fn proposal_of(request: &Request) -> Result<Document<'_>, CeremonyError> {
    parse(request, "targets.json")?
        .ok_or_else(|| CeremonyError::Nothing("the request has no targets.json".to_owned()))
}

/// Its targets, the bytes to sign with their digest worked out, and the signatures that it carries.
pub(super) fn read_proposal<'d>(
    authority: &Authority<'_>,
    document: &'d Document<'_>,
) -> Result<(Targets<'d>, Message<'d>, Vec<Assessed>), CeremonyError> {
    let dialect = authority.root().dialect;
    let proposal = Targets::read(document.root(), dialect)?;
    let message = Message::of_any(proposal.metadata.signed, dialect);
    let bytes = message.bytes().len() as u64;
    let (_, signatures) =
        threads::both(bytes, || message.digest(), || assess_all(authority, &proposal, &message));
    Ok((proposal, message, signatures))
}

pub(super) fn read_baseline<'d>(
    authority: &Authority<'_>,
    chain: &Chain,
    document: &'d Document<'_>,
) -> Result<Baseline<'d>, CeremonyError> {
    let targets = Targets::read(document.root(), authority.root().dialect)?;
    let message = targets.metadata.message()?;
    let bytes = message.bytes().len() as u64;
    let (digest, signatures) =
        threads::both(bytes, || message.digest(), || assess_all(authority, &targets, &message));
    // Keys are rotated by a new root first; what they signed before was vouched for by the root of that time.
    let is_short = count(&signatures) < authority.root().threshold(&authority.role);
    let holds_under = |root: &&Root| {
        // A root that asks for one signature is content with the service's own, which is on everything that CI publishes.
        if root.dialect.has_service() && root.threshold(&authority.role) < 2 {
            return false;
        }
        let by_root = assess(targets.metadata.signatures.clone(), &message, root, &authority.role);
        count(&by_root) >= root.threshold(&authority.role)
    };
    let older = chain.roots().iter().rev().skip(1).take_while(|_| is_short).find(holds_under);
    let older_root = older.map(|root| root.version);
    Ok(Baseline { digest, targets, signatures, source: BaselineSource::Request, older_root })
}

pub(super) fn read_ci<'d>(
    authority: &Authority<'_>,
    document: &'d Document<'_>,
) -> Result<CiTargets<'d>, CeremonyError> {
    let targets = Targets::read(document.root(), authority.root().dialect)?;
    let signatures = assess_all(authority, &targets, &targets.metadata.message()?);
    Ok(CiTargets { targets, signatures })
}

/// What the signatures over a file are worth.
fn assess_all(authority: &Authority<'_>, targets: &Targets<'_>, message: &Message<'_>) -> Vec<Assessed> {
    assess(targets.metadata.signatures.clone(), message, authority.root(), &authority.role)
}

/// Who may sign what a request brings.
///
/// # Errors
/// It is for a delegated role, and does not show who delegates to it.
pub(crate) fn authority<'s>(station: &'s Station, request: &Request) -> Result<Authority<'s>, CeremonyError> {
    authority_of(station.trust.newest(), request)
}

/// As [`authority`], under this root.
///
/// # Errors
/// As there.
pub(crate) fn authority_of<'r>(root: &'r Root, request: &Request) -> Result<Authority<'r>, CeremonyError> {
    let role = request.manifest.kind.role(&request.manifest.tag);
    Ok(Authority::of(root, role, request.delegating()?.as_ref())?)
}

/// The request, with full evidence, for which this station signed the very bytes of a bare one before.
fn known_content(
    station: &Station,
    history: &TagHistory,
    bare: &Request,
) -> Result<Option<StoredRequest>, CeremonyError> {
    let document = proposal_of(bare)?;
    let signed = Metadata::read(document.root(), station.facts.dialect, "targets")?.signed;
    let wanted = Message::of_any(signed, station.facts.dialect).digest().to_string();
    for mark in history.signed.iter().filter(|mark| mark.signed == wanted) {
        let Some(digest) = Digest::parse(&mark.request) else { continue };
        let stored = request::open(station, digest)?;
        if !stored.request.is_bare() {
            return Ok(Some(stored));
        }
    }
    Ok(None)
}

/// The keys of this station's vault that may sign, the service's excepted.
pub(crate) fn own_keys(station: &Station, authority: &Authority<'_>) -> Result<Vec<KeyId>, CeremonyError> {
    let sealed = keys::list_keys(station.disk(), &station.layout.keys())?;
    let listed = |keyid: &KeyId| {
        !station.trust.is_online(keyid) && authority.root().key_in_role(&authority.role, keyid).is_some()
    };
    Ok(sealed.into_iter().map(|key| KeyId::new(key.keyid)).filter(listed).collect())
}

/// The newest root version that a request brings.
pub(super) fn request_root(request: &Request) -> Option<u64> {
    let number = |name: &str| name.rsplit('/').next()?.strip_suffix(".root.json")?.parse().ok();
    request.production_roots().filter_map(|(name, _)| number(name)).max()
}
