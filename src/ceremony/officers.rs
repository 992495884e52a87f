//! Acts on officers: adding one, retiring one, another passphrase. Each is in the log before it comes into force.

use super::CeremonyError;
use super::acts::open_signers;
use super::approve::open_officer;
use crate::host::Host;
use crate::ledger::acts::Needs;
use crate::ledger::custody::{NEVER_FINISHED, Officer as LoggedOfficer};
use crate::ledger::record::{Deviation, OfficerAdded, OfficerRetired};
use crate::ledger::{Custody, Event};
use crate::station::Station;
use crate::vault::error::CustodyError;
use crate::vault::keys;
use crate::vault::officer::{MadeOfficer, NewOfficer, OfficerName, OfficerPublic};
use crate::vault::passphrase::{PassphraseFiles, choose};
use crate::vault::seal::WorkFactor;

/// How hard guesses of a passphrase are made. Less than the standard is for tests on a station that says of itself, in
/// every report, that it is on a machine with a network.
fn work_factor(station: &Station, wanted: Option<u8>) -> Result<WorkFactor, CeremonyError> {
    let Some(log_n) = wanted else { return Ok(WorkFactor::STANDARD) };
    WorkFactor::of(log_n).filter(|factor| *factor >= WorkFactor::STANDARD || station.facts.networked).ok_or_else(|| {
        CeremonyError::Refused(format!(
            "a work factor of {log_n} is refused: 18 to 20 are possible, and from 12 on a station made with --networked"
        ))
    })
}

/// Logs an officer who comes to this station. One whom the log has already, with these keys, comes back from paper. One
/// whom it has with other keys was never finished: the station stopped between the entry and her files. That the name may
/// be used was checked before: see [`check_name`].
///
/// # Errors
/// The log.
pub(super) fn record_added(
    station: &mut Station,
    host: &Host,
    public: &OfficerPublic,
) -> Result<(), CeremonyError> {
    let custody = station.state().custody.clone();
    if let Some(known) = custody.officer(public.name.as_str()).filter(|known| !known.is_retired()) {
        if is_hers(known, public) {
            return Ok(());
        }
        let retired = retired_event(station.actor(), &public.name, NEVER_FINISHED);
        station.record(&host.stamp(), retired)?;
    }
    let added = OfficerAdded {
        officer: public.name.as_str().into(),
        recipient: (&public.recipient).into(),
        key: (&public.approval_key).into(),
        roles: Vec::new(),
    };
    station.record(&host.stamp(), added.by(station.actor()))?;
    Ok(())
}

fn is_hers(known: &LoggedOfficer, public: &OfficerPublic) -> bool {
    known.key == public.approval_key && known.recipient == public.recipient
}

/// Checks that an officer with these keys may come to this station: a name is used once.
///
/// # Errors
/// The log has another officer of this name, or one who was retired.
pub(super) fn check_name(custody: &Custody, public: &OfficerPublic) -> Result<(), CeremonyError> {
    let name = &public.name;
    match custody.officer(name.as_str()) {
        Some(known) if known.is_finished && known.is_retired() => Err(CeremonyError::Refused(format!(
            "the officer {name} was retired, and a retired officer does not come back: leave her sheet out. If she \
             serves again, she gets another name"
        ))),
        Some(known) if known.is_finished && !is_hers(known, public) => Err(CeremonyError::Refused(format!(
            "log entry {} has an officer {name} with other keys. A name is used once: this is the paper of another \
             {name}, or of another station",
            known.seq
        ))),
        _ => Ok(()),
    }
}

fn retired_event(actor: &str, name: &OfficerName, reason: &str) -> Event {
    let (officer, reason) = (name.as_str().into(), crate::text::shown(reason).into());
    OfficerRetired { officer, reason }.by(actor)
}

/// Makes an officer; her new passphrase is asked twice, or read from her file. `wanted_work_factor` is scrypt's, where
/// another than the standard is wanted.
///
/// # Errors
/// She exists, or her passphrase is too weak.
pub(crate) fn add(
    station: &mut Station,
    host: &Host,
    name: &OfficerName,
    files: &PassphraseFiles,
    wanted_work_factor: Option<u8>,
) -> Result<OfficerPublic, CeremonyError> {
    let folder = station.layout.officers();
    let work_factor = work_factor(station, wanted_work_factor)?;
    let is_listed = station.officers()?.iter().any(|known| known.name == *name);
    if is_listed || !station.state().custody.is_name_free(name.as_str()) {
        return Err(CustodyError::OfficerExists(name.clone()).into());
    }
    let passphrase = choose(host, files, name, &[name.as_str(), &station.facts.factory])?;
    let new = NewOfficer { name: name.clone(), passphrase, work_factor };
    let busy = host.terminal.busy("making the keys");
    let made = MadeOfficer::make(station.disk(), host.random.as_ref(), &folder, new, host.clock.now())?;
    drop(busy);
    record_added(station, host, made.public())?;
    station.commit()?;
    Ok(made.put(station.disk(), &folder)?)
}

/// Notes that an officer has left; who says so signs it. Returns the keys that are still sealed to her.
///
/// # Errors
/// She is retired already, or a key would be left with fewer officers than open it: it is to be resealed first.
pub(crate) fn retire(
    station: &mut Station,
    host: &Host,
    name: &OfficerName,
    reason: &str,
    by: &[OfficerName],
    files: &PassphraseFiles,
) -> Result<Vec<String>, CeremonyError> {
    let Some(known) = station.state().custody.officer(name.as_str()) else {
        return Err(CustodyError::NoSuchOfficer(name.clone()).into());
    };
    if known.is_retired() {
        return Err(CustodyError::Retired(name.clone()).into());
    }
    let officers = station.officers()?;
    let stays = |holder: &&OfficerName| {
        *holder != name && officers.iter().any(|known| known.name == **holder && known.is_active())
    };
    let mut held = Vec::new();
    for key in keys::list_keys(station.disk(), &station.layout.keys())? {
        if !key.officers.contains(name) {
            continue;
        }
        let left = key.officers.iter().filter(stays).count();
        if left < usize::from(key.quorum) {
            let short = key.keyid.get(..12).unwrap_or(&key.keyid);
            let first = match station.has_identity(name)? {
                true => "Seal it to others first:",
                false => {
                    "Bring her back from her paper sheet (countersign key restore), then seal it to others:"
                }
            };
            return Err(CeremonyError::Refused(format!(
                "without {name}, {left} of the {} officers would be left that open the key {}, and nobody could open it. \
                 {first} countersign key reseal {short} --officer {name} … --to NAMES --quorum K",
                key.quorum, key.keyid
            )));
        }
        held.push(key.keyid);
    }
    let signers = open_signers(station, host, by, &Needs::Officers(1), files, "officer retire")?;
    let signers: Vec<_> = signers.iter().collect();
    let event = retired_event(station.acting(&signers), name, reason);
    station.record_act(host, event, &signers)?;
    station.commit()?;
    Ok(held)
}

/// Gives an officer another passphrase; her keys stay the same. Paper that was printed before opens with the old one.
///
/// # Errors
/// The old passphrase is wrong, or the new one too weak; then the old one stays.
pub(crate) fn change_passphrase(
    station: &mut Station,
    host: &Host,
    name: &OfficerName,
    old: &PassphraseFiles,
    new: &PassphraseFiles,
    wanted_work_factor: Option<u8>,
) -> Result<(), CeremonyError> {
    let work_factor = work_factor(station, wanted_work_factor)?;
    let opened = open_officer(station, host, name, old, "officer passphrase")?;
    let passphrase = choose(host, new, name, &[name.as_str(), &station.facts.factory])?;
    let statement = format!("{name} changed her passphrase; her keys stay the same").into();
    station.record(&host.stamp(), Deviation { statement }.by(name.as_str()))?;
    station.commit()?;
    let busy = host.terminal.busy("sealing the identity");
    opened.put_under(station.disk(), &station.layout.officers(), passphrase, work_factor)?;
    drop(busy);
    Ok(())
}
