//! How far a request is: what it waits for, and how far its signature went, as far as the station can know.

use super::CeremonyError;
use super::approve::{Subject, decisions};
use super::review::{rejected_by, rejections};
use super::signers::Tally;
use crate::host::clock::Time;
use crate::ledger::decisions::Standing;
use crate::station::Station;
use crate::station::request::StoredRequest;
use crate::tuf::Digest;

/// How far a request is.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Taken in, and its review was not shown yet.
    Unread,
    /// The review that was shown last says that it cannot be signed.
    Blocked,
    /// An officer rejected it, and that stands.
    Rejected(Vec<Standing>),
    /// For whom it waits, in words.
    Waits(String),
    /// The approvals are there, and nothing is signed.
    Approved,
    /// The station stopped between the intent to sign, this log entry, and the result.
    InDoubt(u64),
    /// Signed, and not exported yet.
    Signed,
    /// Its signature went out.
    Exported,
    /// A later request showed that production runs it.
    Live,
}

impl Progress {
    /// In words: `waits for bob`.
    pub(crate) fn words(&self) -> String {
        match self {
            Progress::Unread => "not read yet".to_owned(),
            Progress::Blocked => "blocked".to_owned(),
            Progress::Rejected(standing) => rejected_by(standing),
            Progress::Waits(whom) => format!("waits for {whom}"),
            Progress::Approved => "approved, not signed".to_owned(),
            Progress::InDoubt(intent) => format!("in doubt (log entry {intent})"),
            Progress::Signed => "signed, not exported yet".to_owned(),
            Progress::Exported => "signed, exported".to_owned(),
            Progress::Live => "live".to_owned(),
        }
    }
}

/// How far a request is, and whether it is signed.
///
/// # Errors
/// The log or the request's files cannot be read.
pub(crate) fn progress(
    station: &Station,
    stored: &StoredRequest,
    now: Time,
) -> Result<(Progress, bool), CeremonyError> {
    let (id, digest) = (stored.digest().to_string(), stored.digest());
    if let Some(intent) = station.log.open_intents().find(|intent| intent.request == id) {
        return Ok((Progress::InDoubt(intent.seq), false));
    }
    let newest = station.signatures().newest(digest);
    // A refusal holds a signature back that was made before it, too.
    let standing = rejections(station, &digest);
    if !standing.is_empty() {
        return Ok((Progress::Rejected(standing), newest.is_some()));
    }
    let tag = station.history.tags.get(&stored.request.manifest.tag);
    let is_live = |signed: &str| tag.is_some_and(|tag| tag.seen_as_production(signed));
    match newest {
        Some(newest) if is_live(&newest.signed) => Ok((Progress::Live, true)),
        Some(_) if station.state().requests.is_exported(&digest) => Ok((Progress::Exported, true)),
        Some(_) => Ok((Progress::Signed, true)),
        None => Ok((before_signing(station, digest, now), false)),
    }
}

fn before_signing(station: &Station, digest: Digest, now: Time) -> Progress {
    let Some(shown) = station.shown.of(digest) else { return Progress::Unread };
    if !station.state().requests.review(&shown.review).is_some_and(|review| review.signable) {
        return Progress::Blocked;
    }
    let subject = Subject { request: digest.to_string(), review: shown.review.to_string() };
    let decided = decisions(station, &subject, now);
    match Tally::of(station, digest, &decided, &[]) {
        Ok(tally) if tally.missing() == 0 => Progress::Approved,
        Ok(tally) => Progress::Waits(tally.awaited()),
        // It is not known who took it in, and the policy asks.
        Err(_) => Progress::Waits("an import by an officer".to_owned()),
    }
}
