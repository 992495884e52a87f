//! Approvals and refusals: an officer's own signature over what she saw.

use super::CeremonyError;
use crate::host::Host;
use crate::host::clock::Time;
use crate::ledger::decisions::Standing;
use crate::ledger::record::OfficerAuthFailed;
use crate::ledger::rules::{self, Void};
use crate::ledger::{Approval, Decision, SignedApproval};
use crate::station::Station;
use crate::station::policy::Role;
use crate::tuf::Digest;
use crate::vault::officer::{OfficerName, OpenOfficer};
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

/// What the officers decided about a request, as the log has it.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    /// Approvals of this very review under this very policy that have not expired.
    pub granted: Vec<Standing>,
    /// Refusals that stand: of this request, whatever the review was.
    pub denied: Vec<Standing>,
    /// Approvals that are void, and why.
    pub void: Vec<(Standing, Void)>,
}

/// The officers' decisions, by the log's rules, each signature verified: only the newest of each officer counts.
pub(crate) fn decisions(station: &Station, subject: &Subject, now: Time) -> Decisions {
    let (state, policy) = (station.state(), station.policy.digest());
    let mut decisions = Decisions::default();
    let Some(request) = Digest::parse(&subject.request) else { return decisions };
    for standing in state.decisions.of(&request).cloned() {
        let void = match standing.signed.holds() {
            false => Some(Void::Key),
            true if rules::rejections(state, &request).any(|no| *no == standing) => {
                decisions.denied.push(standing);
                continue;
            }
            true => rules::void(state, &standing, &subject.review, &policy, now),
        };
        match void {
            Some(why) => decisions.void.push((standing, why)),
            None => decisions.granted.push(standing),
        }
    }
    decisions
}

/// Where the policy separates who takes a request in from others, it must be known who did: an import before such a
/// policy was set may have nobody's signature.
///
/// # Errors
/// [`CeremonyError::NotApproved`].
pub(crate) fn require_importer_known(station: &Station, request: Digest) -> Result<(), CeremonyError> {
    if !rules::lacks_importer(station.state(), &request) {
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
    if rules::as_importer(station.state(), &request, name.as_str(), Role::Approver).is_none() {
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
    let (folder, public) = (station.layout.officers(), station.officer(name)?);
    unlock(host, &folder, &public, files, &failures, &mut |name, _| -> Result<(), CeremonyError> {
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
