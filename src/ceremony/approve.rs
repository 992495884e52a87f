//! Approvals and refusals: an officer's own signature over what she saw.

use super::CeremonyError;
use crate::host::Host;
use crate::host::clock::Time;
use crate::ledger::record::OfficerAuthFailed;
use crate::ledger::{Approval, Decision, SignedApproval, state};
use crate::station::Station;
use crate::station::policy::Role;
use crate::tuf::Digest;
use crate::vault::officer::{self, OfficerName, OpenOfficer};
use crate::vault::passphrase::{Failures, PassphraseFiles, unlock};
use base64::Engine as _;

/// What an officer decides about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// The request's digest.
    pub request: String,
    /// The digest of the review that she saw.
    pub review: String,
}

/// An officer's newest decision about a request, and the log entry that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// The decision.
    pub approval: Approval,
    /// Her signature, as the log has it.
    pub sig: String,
    /// The entry's number.
    pub seq: u64,
}

/// What the officers decided about a request, as the log has it.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    /// Approvals of this very review under this very policy that have not expired.
    pub granted: Vec<Standing>,
    /// Refusals that stand: of this request, whatever the review was.
    pub denied: Vec<Standing>,
    /// Approvals that are void, and why.
    pub void: Vec<(Standing, &'static str)>,
}

/// Why an approval is void: its time is over, and the log does not say so yet.
pub(crate) const EXPIRED: &str = "it expired";
const EXPIRED_BEFORE: &str = "it expired before";

/// Reads the officers' decisions from the log. Only signatures by the officers' own keys count, and only the newest of
/// each officer.
///
/// # Errors
/// The log or the officers' files cannot be read.
pub(crate) fn decisions(station: &Station, subject: &Subject, now: Time) -> Result<Decisions, CeremonyError> {
    let officers = officer::list(station.disk(), &station.layout.officers())?;
    let policy = station.policy.digest();
    let mut decisions = Decisions::default();
    for state::Standing { signed, seq } in station.state().decisions(&subject.request) {
        let seq = *seq;
        let known = officers.iter().find(|officer| officer.name.as_str() == signed.approval.officer);
        let standing = Standing { approval: signed.approval.clone(), sig: signed.sig.clone(), seq };
        let is_hers = known.is_some_and(|known| known.approval_key == signed.approval.key) && signed.holds();
        if !is_hers {
            decisions.void.push((standing, "it is not signed by her key"));
            continue;
        }
        if signed.approval.decision == Decision::Denied {
            decisions.denied.push(standing);
            continue;
        }
        let expired = Time::parse(&signed.approval.expires).is_none_or(|expires| expires <= now);
        // What the log calls expired stays so, also for a clock that was set back.
        let void = if station.state().is_expired(&standing.approval.nonce) {
            Some(EXPIRED_BEFORE)
        } else if !known.is_some_and(officer::OfficerPublic::is_active) {
            Some("she is retired")
        } else if signed.approval.policy != policy {
            Some("the policy changed since")
        } else if signed.approval.review != subject.review {
            Some("the review changed since")
        } else if expired {
            Some(EXPIRED)
        } else {
            None
        };
        match void {
            Some(why) => decisions.void.push((standing, why)),
            None => decisions.granted.push(standing),
        }
    }
    Ok(decisions)
}

/// May this officer act in this role for a request, as far as she took it in? Who did is what the log says; where
/// several did, each of them.
pub(crate) fn may_act(station: &Station, request: Digest, name: &str, role: Role) -> bool {
    station.policy.may_hold_both(Role::Importer, role) || !station.taken.was_by(request, name)
}

/// Where the policy separates who takes a request in from others, it must be known who did: an import before such a
/// policy was set may have nobody's signature.
///
/// # Errors
/// [`CeremonyError::NotApproved`].
pub(crate) fn require_importer_known(station: &Station, request: Digest) -> Result<(), CeremonyError> {
    if !station.policy.separates_importer() || station.taken.is_importer_known(request) {
        return Ok(());
    }
    Err(CeremonyError::NotApproved(
        "the policy separates who takes a request in from others, and nobody signed that she took this one in. Take it in \
         again: countersign import PATH --officer NAME"
            .to_owned(),
    ))
}

/// Refuses an approval by somebody who took the request in, where the policy separates the two.
///
/// # Errors
/// [`CeremonyError::NotApproved`].
pub(crate) fn require_may_approve(
    station: &Station,
    request: Digest,
    name: &OfficerName,
) -> Result<(), CeremonyError> {
    require_importer_known(station, request)?;
    if may_act(station, request, name.as_str(), Role::Approver) {
        return Ok(());
    }
    Err(CeremonyError::NotApproved(format!(
        "{name} imported this request, and the policy does not let the importer approve it"
    )))
}

/// Opens an officer's identity with her passphrase; a wrong one is logged and slows down.
///
/// # Errors
/// There is no such officer, she is retired, or the passphrase is wrong.
pub(crate) fn open_officer(
    station: &mut Station,
    host: &Host,
    name: &OfficerName,
    files: &PassphraseFiles,
    purpose: &str,
) -> Result<OpenOfficer, CeremonyError> {
    let failures = match station.state().failures(name.as_str()) {
        Some((count, last)) => Failures { count: *count, last: Some(last.clone()) },
        None => Failures::default(),
    };
    let folder = station.layout.officers();
    unlock(host, &folder, name, files, &failures, &mut |name, _| -> Result<(), CeremonyError> {
        let failed = OfficerAuthFailed { officer: name.as_str().into(), purpose: purpose.into() };
        station.record(&host.stamp(), failed.by(station.actor()))?;
        station.commit()?;
        Ok(())
    })
}

/// Writes an officer's decision to the log, signed by her key. Returns the entry's number. Not yet on disk.
///
/// # Errors
/// The log, or no randomness for the nonce.
pub(crate) fn decide(
    station: &mut Station,
    host: &Host,
    officer: &OpenOfficer,
    subject: &Subject,
    decision: Decision,
    reason: &str,
) -> Result<u64, CeremonyError> {
    let mut nonce = [0u8; 16];
    host.random.fill(&mut nonce).map_err(CeremonyError::NoRandomness)?;
    let hours = i64::from(station.policy.approval_hours);
    let approval = Approval {
        officer: officer.name().as_str().to_owned(),
        key: officer.public().approval_key.clone(),
        request: subject.request.clone(),
        review: subject.review.clone(),
        policy: station.policy.digest(),
        decision,
        reason: reason.to_owned(),
        nonce: hex::encode(nonce),
        expires: host.clock.now().plus_seconds(hours * 3600).to_string(),
    };
    let signature = officer.sign(&approval.message());
    let sig = base64::engine::general_purpose::STANDARD.encode(signature);
    let signed = SignedApproval { approval, sig };
    if !signed.holds() {
        return Err(CeremonyError::NotAsWritten(format!(
            "the approval of {} does not verify",
            officer.name()
        )));
    }
    Ok(station.record(&host.stamp(), signed.event())?)
}
