//! Who signs: the key that is meant, the officers who open it, and the approvals that the policy asks for.

use super::CeremonyError;
use super::anchors::require_may_sign;
use super::approve::{Decisions, Subject, decide, decisions, open_officer, require_importer_known};
use super::prepare::{authority, own_keys};
use super::reviewed::Reviewed;
use crate::host::Host;
use crate::ledger::Decision;
use crate::ledger::rules::{self, Lack, Void};
use crate::station::Station;
use crate::station::policy::Role;
use crate::station::request::StoredRequest;
use crate::tuf::Digest;
use crate::vault::error::CustodyError;
use crate::vault::keys;
use crate::vault::officer::{OfficerName, OpenOfficer};
use crate::vault::passphrase::PassphraseFiles;
use crate::vault::sealed::{self, SealedKey};

/// What the officers ask for.
pub(crate) struct Ask<'a> {
    /// Who opens the key, each with her passphrase. One who has not approved yet approves by this.
    pub officers: &'a [OfficerName],
    /// Which key, by the beginning of its id; needed only where several could sign.
    pub key: Option<&'a str>,
    /// Where passphrases are read from instead of the terminal.
    pub passphrases: &'a PassphraseFiles,
}

/// Can these officers open a key that may sign, and are the approvals there that the policy asks for, those included that
/// they would give by signing? To be asked before the confirmation words and any passphrase are. Returns the key.
///
/// # Errors
/// There is no such officer or key, she has left or does not hold it, somebody rejected the request, or too few came.
pub(crate) fn check_signers(
    station: &mut Station,
    host: &Host,
    stored: &StoredRequest,
    reviewed: &Reviewed,
    ask: &Ask<'_>,
) -> Result<SealedKey, CeremonyError> {
    // One who is not there, or has left, is named before anything is asked.
    for name in ask.officers {
        if !station.officer(name)?.is_active() {
            return Err(CustodyError::Retired(name.clone()).into());
        }
    }
    let key = choose_key(station, stored, ask)?;
    station.check_sealed_as_logged(&key)?;
    require_quorum(station, &key, ask.officers)?;
    key.check_present(&ask.officers.iter().collect::<Vec<_>>())?;
    // What is graver than a missing approval is said first.
    refuse_while_in_doubt(station, reviewed, &key)?;
    require_may_sign(station, &host.stamp())?;
    let decided = decisions(station, &reviewed.subject(stored), host.clock.now());
    note_expired(station, host, &decided)?;
    let signers: Vec<&str> = ask.officers.iter().map(OfficerName::as_str).collect();
    Tally::of(station, stored.digest(), &decided, &signers)?.require_enough()?;
    Ok(key)
}

/// An intent without a result must be settled before anything else is signed. Signing the very same bytes with the
/// same key again settles it: there is no second content that could be signed.
fn refuse_while_in_doubt(
    station: &Station,
    reviewed: &Reviewed,
    key: &SealedKey,
) -> Result<(), CeremonyError> {
    let signed = reviewed.signed.to_string();
    let other =
        station.log.open_intents().find(|intent| intent.signed != signed || intent.keyid != key.keyid);
    match other {
        None => Ok(()),
        Some(intent) => Err(CeremonyError::InDoubt(format!(
            "log entry {}: the station stopped between the intent to sign request {} and the result, so a signature \
             may have been made. Sign that request again (the bytes are the same), or settle it: countersign settle {} \
             --officer NAME --outcome made|not-made",
            intent.seq,
            intent.request.get(..12).unwrap_or(&intent.request),
            intent.seq
        ))),
    }
}

/// The approvals of a request: those that are there, and those that would come.
pub(crate) struct Tally {
    /// How many the policy asks for.
    pub needed: usize,
    /// Who approved, and in which log entry.
    pub approved: Vec<(String, u64)>,
    /// Which of the signers approve by signing.
    pub approving: Vec<String>,
    /// Who else may approve.
    pub others: Vec<String>,
    void: Vec<(String, Void)>,
    request: Digest,
}

impl Tally {
    /// Counts, if these officers sign; nobody's passphrase is needed for it.
    ///
    /// # Errors
    /// Somebody rejected the request, a signer may not sign it, or it is not known who took it in.
    pub(crate) fn of(
        station: &Station,
        request: Digest,
        decided: &Decisions,
        signers: &[&str],
    ) -> Result<Tally, CeremonyError> {
        if let Some(no) = decided.denied.first() {
            return Err(CeremonyError::NotApproved(format!(
                "{officer} rejected this request (log entry {}): {}. Only an approval by the same officer lifts this: \
                 countersign approve {} --officer {officer}",
                no.seq,
                crate::text::shown(&no.approval().reason),
                request.short(),
                officer = crate::text::shown(&no.approval().officer),
            )));
        }
        require_importer_known(station, request)?;
        let state = station.state();
        let took_it_in = |name: &&&str| rules::as_importer(state, &request, name, Role::Signer).is_some();
        if let Some(name) = signers.iter().find(took_it_in) {
            return Err(CeremonyError::NotApproved(format!(
                "{name} imported this request, and the policy does not let the importer sign it"
            )));
        }
        let counts = |name: &str| rules::as_approver(state, &request, name, signers).is_none();
        let approved: Vec<(String, u64)> = decided
            .granted
            .iter()
            .filter(|one| counts(&one.approval().officer))
            .map(|one| (one.approval().officer.clone(), one.seq))
            .collect();
        let is_new = |name: &str| counts(name) && !approved.iter().any(|(known, _)| known == name);
        let approving: Vec<String> =
            signers.iter().filter(|name| is_new(name)).map(|name| (*name).to_owned()).collect();
        let officers = station.officers()?;
        let active = officers.iter().filter(|one| one.is_active()).map(|one| one.name.as_str());
        let others =
            active.filter(|name| is_new(name) && !signers.contains(name)).map(str::to_owned).collect();
        let void = decided.void.iter().map(|(one, why)| (one.approval().officer.clone(), *why)).collect();
        Ok(Tally { needed: station.policy.approvals as usize, approved, approving, others, void, request })
    }

    /// How many are missing still.
    pub(crate) fn missing(&self) -> usize {
        self.needed.saturating_sub(self.approved.len() + self.approving.len())
    }

    /// Who of the others is waited for, in words: `bob`, `1 of bob, cho`.
    pub(crate) fn awaited(&self) -> String {
        let others: Vec<String> = self.others.iter().map(|name| crate::text::shown(name)).collect();
        match self.missing() {
            _ if others.is_empty() => "an officer who may approve it, and there is none".to_owned(),
            missing if missing > others.len() => {
                format!("{missing} officers who may approve it, and there is only {}", others.join(", "))
            }
            missing if missing == others.len() => others.join(" and "),
            missing => format!("{missing} of {}", others.join(", ")),
        }
    }

    fn require_enough(&self) -> Result<(), CeremonyError> {
        if self.missing() == 0 {
            return Ok(());
        }
        let why: Vec<String> = self
            .void
            .iter()
            .map(|(officer, why)| format!("; {}'s approval is void: {why}", crate::text::shown(officer)))
            .collect();
        Err(CeremonyError::NotApproved(format!(
            "{} of the {} approvals that the policy asks for are there{}. It waits for {}. Another officer approves with \
             `countersign approve {} --officer NAME`",
            self.approved.len() + self.approving.len(),
            self.needed,
            why.concat(),
            self.awaited(),
            self.request.short()
        )))
    }
}

/// Says in the log whose approval expired.
fn note_expired(station: &mut Station, host: &Host, decided: &Decisions) -> Result<(), CeremonyError> {
    for (standing, _) in decided.void.iter().filter(|(_, why)| *why == Void::Expired) {
        station.record(&host.stamp(), standing.signed.expired_event())?;
    }
    Ok(())
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
        let made = station.signatures().of(stored.digest());
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
            // The only key that can sign is not theirs: that is said as everywhere else.
            [key] => Ok(key.clone()),
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
        count => Err(CeremonyError::Ambiguous(format!(
            "{count} keys of this station could sign. Say which with --key (countersign sign): {}",
            candidates.iter().map(|key| key.keyid.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// Too few officers, or one who does not hold the key, is said before a passphrase is asked and before an intent stands
/// in the log.
fn require_quorum(station: &Station, key: &SealedKey, officers: &[OfficerName]) -> Result<(), CeremonyError> {
    let (keyid, holders) = (key.keyid.clone(), key.holders());
    let names = officers.iter().map(OfficerName::as_str);
    let lack = match rules::quorum(&station.state().custody, &key.keyid, names) {
        Ok(_) => return Ok(()),
        Err(lack) => lack,
    };
    let quorum = key.quorum;
    Err(match lack {
        Lack::Key => {
            return Err(CeremonyError::Refused(format!("the key {keyid} is not in the vault any more")));
        }
        Lack::Holder(name) => CustodyError::NotHolder { keyid, officer: name.parse()?, holders },
        Lack::Officers(given, _) => {
            CustodyError::TooFewOfficers { keyid, quorum, given: given as usize, holders }
        }
    }
    .into())
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
    let decided = decisions(station, subject, host.clock.now());
    note_expired(station, host, &decided)?;
    let signers: Vec<&str> = opened.iter().map(|officer| officer.name().as_str()).collect();
    let tally = Tally::of(station, stored.digest(), &decided, &signers)?;
    tally.require_enough()?;
    let mut approved = tally.approved;
    for officer in opened.iter().filter(|one| tally.approving.iter().any(|name| name == one.name().as_str()))
    {
        let seq = decide(station, host, officer, subject, Decision::Granted, "by signing")?;
        approved.push((officer.name().as_str().to_owned(), seq));
    }
    Ok(approved)
}
