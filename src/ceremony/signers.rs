//! Who signs: the key that is meant, the officers who open it, and the approvals that the policy asks for.

use super::CeremonyError;
use super::approve::{
    Decisions, EXPIRED, Subject, decide, decisions, may_act, open_officer, require_importer_known,
};
use super::prepare::{authority, own_keys};
use crate::host::Host;
use crate::ledger::{Decision, SignedApproval};
use crate::station::Station;
use crate::station::policy::Role;
use crate::station::request::StoredRequest;
use crate::vault::error::CustodyError;
use crate::vault::keys;
use crate::vault::officer::{self, OfficerName, OpenOfficer};
use crate::vault::passphrase::PassphraseFiles;
use crate::vault::sealed::{self, SealedKey};

/// What the officers ask for.
pub struct Ask<'a> {
    /// Who opens the key, each with her passphrase. One who has not approved yet approves by this.
    pub officers: &'a [OfficerName],
    /// Which key, by the beginning of its id; needed only where several could sign.
    pub key: Option<&'a str>,
    /// Where passphrases are read from instead of the terminal.
    pub passphrases: &'a PassphraseFiles,
}

/// Can these officers open a key that may sign? To be asked before the confirmation words and any passphrase are.
/// Returns the key.
///
/// # Errors
/// There is no such officer or key, she has left or does not hold it, or too few came.
pub fn check_signers(
    station: &Station,
    stored: &StoredRequest,
    ask: &Ask<'_>,
) -> Result<SealedKey, CeremonyError> {
    // One who is not there, or has left, is named before anything is asked.
    for name in ask.officers {
        if !officer::load(station.disk(), &station.layout.officers(), name)?.is_active() {
            return Err(CustodyError::Retired(name.clone()).into());
        }
    }
    let key = choose_key(station, stored, ask)?;
    station.check_sealed_as_logged(&key)?;
    require_quorum(&key, ask.officers)?;
    key.check_present(&ask.officers.iter().collect::<Vec<_>>())?;
    Ok(key)
}

/// The key that is to sign: the one that was named, or the only one that can.
fn choose_key(station: &Station, stored: &StoredRequest, ask: &Ask<'_>) -> Result<SealedKey, CeremonyError> {
    let keys = station.layout.keys();
    if let Some(prefix) = ask.key {
        return Ok(keys::find_key(station.disk(), &keys, prefix)?);
    }
    let authority = authority(station, &stored.request)?;
    let own = own_keys(station, &authority)?;
    let own = own.iter().map(|keyid| keys::find_key(station.disk(), &keys, keyid.as_str()));
    let own = own.collect::<Result<Vec<_>, _>>()?;
    let held = |key: &&SealedKey| ask.officers.iter().all(|officer| key.officers.contains(officer));
    let mut candidates: Vec<SealedKey> = own.iter().filter(held).cloned().collect();
    if candidates.len() > 1 {
        // A second officer signs with the key that has not signed yet.
        let made = stored.signatures(station.disk())?;
        candidates.retain(|key| !made.iter().any(|one| one.keyid == key.keyid));
        if candidates.is_empty() {
            return Err(CeremonyError::Refused(
                "every key of this station that these officers hold has signed this request already"
                    .to_owned(),
            ));
        }
    }
    match candidates.len() {
        1 => candidates.pop().ok_or_else(|| CeremonyError::Nothing("no key".to_owned())),
        0 => match own.as_slice() {
            [] => Err(CeremonyError::Refused(format!(
                "no key of this station is one of the role \"{}\" (root version {}). See `countersign key list`",
                crate::text::shown(&authority.role),
                authority.root().version
            ))),
            // The only key that can sign is not theirs: said as everywhere else.
            [key] => {
                require_quorum(key, ask.officers)?;
                Ok(key.clone())
            }
            several => Err(CeremonyError::NotApproved(format!(
                "no key of this station is sealed to all of {}: {}",
                sealed::names(ask.officers),
                several
                    .iter()
                    .map(|key| format!("the key {} is sealed to {}", key.keyid, key.holders()))
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
        },
        count => Err(CeremonyError::Refused(format!(
            "{count} keys of this station could sign. Say which with --key: {}",
            candidates.iter().map(|key| key.keyid.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// Too few officers, or one who does not hold the key, is said before a passphrase is asked and before an intent stands
/// in the log.
fn require_quorum(key: &SealedKey, officers: &[OfficerName]) -> Result<(), CeremonyError> {
    let (keyid, holders) = (key.keyid.clone(), key.holders());
    if let Some(officer) = officers.iter().find(|officer| !key.officers.contains(officer)) {
        return Err(CustodyError::NotHolder { keyid, officer: officer.clone(), holders }.into());
    }
    let distinct: std::collections::BTreeSet<_> = officers.iter().collect();
    if distinct.len() < usize::from(key.quorum) {
        return Err(CustodyError::TooFewOfficers {
            keyid,
            quorum: key.quorum,
            given: distinct.len(),
            holders,
        }
        .into());
    }
    Ok(())
}

pub(super) fn open_officers(
    station: &mut Station,
    host: &Host,
    ask: &Ask<'_>,
) -> Result<Vec<OpenOfficer>, CeremonyError> {
    let mut opened: Vec<OpenOfficer> = Vec::new();
    for name in ask.officers {
        if opened.iter().any(|officer| officer.name() == name) {
            return Err(CeremonyError::NotApproved(format!(
                "the officer {name} is named twice; different officers are needed"
            )));
        }
        opened.push(open_officer(station, host, name, ask.passphrases, "sign")?);
    }
    if opened.is_empty() {
        return Err(CeremonyError::NotApproved("no officer is named: give --officer NAME".to_owned()));
    }
    Ok(opened)
}

/// Collects the approvals, those that the signing officers give by signing included, and checks them against the
/// policy. Returns who approved and in which log entry.
pub(super) fn approvals(
    station: &mut Station,
    host: &Host,
    stored: &StoredRequest,
    subject: &Subject,
    opened: &[OpenOfficer],
) -> Result<Vec<(String, u64)>, CeremonyError> {
    let now = host.clock.now();
    let Decisions { granted, denied, void } = decisions(station, subject, now)?;
    for (standing, why) in &void {
        if *why == EXPIRED {
            let expired = SignedApproval { approval: standing.approval.clone(), sig: standing.sig.clone() };
            station.record(&host.stamp(), expired.expired_event())?;
        }
    }
    if let Some(no) = denied.first() {
        return Err(CeremonyError::NotApproved(format!(
            "{officer} rejected this request (log entry {}): {}. Only an approval by the same officer lifts this: \
             countersign approve {} --officer {officer}",
            no.seq,
            crate::text::shown(&no.approval.reason),
            stored.digest().short(),
            officer = crate::text::shown(&no.approval.officer),
        )));
    }
    require_importer_known(station, stored.digest())?;
    let may = |name: &str, role: Role| may_act(station, stored.digest(), name, role);
    let signers: Vec<&str> = opened.iter().map(|officer| officer.name().as_str()).collect();
    if let Some(name) = signers.iter().find(|name| !may(name, Role::Signer)) {
        return Err(CeremonyError::NotApproved(format!(
            "{name} imported this request, and the policy does not let the importer sign it"
        )));
    }
    let both = station.policy.may_hold_both(Role::Approver, Role::Signer);
    let counts = |name: &str| may(name, Role::Approver) && (both || !signers.contains(&name));
    let mut approved: Vec<(String, u64)> = granted
        .iter()
        .filter(|standing| counts(&standing.approval.officer))
        .map(|standing| (standing.approval.officer.clone(), standing.seq))
        .collect();
    let approving: Vec<bool> = opened
        .iter()
        .map(|officer| {
            let name = officer.name().as_str();
            counts(name) && !approved.iter().any(|(known, _)| known == name)
        })
        .collect();
    for (officer, _) in opened.iter().zip(approving).filter(|(_, approves)| *approves) {
        let seq = decide(station, host, officer, subject, Decision::Granted, "by signing")?;
        approved.push((officer.name().as_str().to_owned(), seq));
    }
    let needed = station.policy.approvals as usize;
    if approved.len() >= needed {
        return Ok(approved);
    }
    let why: Vec<String> = void
        .iter()
        .map(|(one, why)| format!("; {}'s approval is void: {why}", one.approval.officer))
        .collect();
    Err(CeremonyError::NotApproved(format!(
        "{} of the {needed} approvals that the policy asks for are there{}. Another officer approves with `countersign approve {} --officer NAME`",
        approved.len(),
        why.concat(),
        stored.digest().short()
    )))
}
