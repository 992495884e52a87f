//! Acts on sealed keys: taking one in, making one, a drill, sealing anew, paper and back. Nothing here signs anything
//! that could be used.

use super::CeremonyError;
use super::acts::open_signers;
use super::approve::open_officer;
use super::officers::{check_name, record_added};
use crate::bundle::manifest::require_role_name;
use crate::host::Host;
use crate::json::{Document, Limits};
use crate::ledger::acts::of_restore;
use crate::ledger::custody::Resealed;
use crate::ledger::{Event, Record, record};
use crate::station::Station;
use crate::text::{shown, shown_path};
use crate::tuf::archive::MAX_KEYFILE_BYTES;
use crate::tuf::generate::{NewKeyType, generate};
use crate::tuf::{Authority, KeyId, PrivateKey, PublicKey};
use crate::vault::backup::{self, Backup, Places};
use crate::vault::error::CustodyError;
use crate::vault::keys::{self, Holders, KeyMeta, SealedKey, Sealing};
use crate::vault::officer::{OfficerName, OfficerPublic, OpenOfficer};
use crate::vault::passphrase::PassphraseFiles;
use crate::vault::restore::{self, Restored};
use std::path::Path;
use zeroize::Zeroizing;

/// The role that a station's keys sign for.
const ROLE: &str = "targets";

/// The officers that a key is to be sealed to, and how many of them open it.
pub(crate) struct To<'a> {
    /// The officers' names.
    pub officers: &'a [OfficerName],
    /// How many of them together open the key.
    pub quorum: u8,
}

/// What a drill found.
pub(crate) struct Drill {
    /// The key.
    pub key: SealedKey,
    /// The newest pinned root.
    pub root_version: u64,
    /// Does that root list the key for targets, with the public half that the sealed one has?
    pub listed: bool,
}

/// What the log says of an act on a key. `officers` are those who hold it, or in a drill those who opened it.
fn says<'a>(key: &'a SealedKey, officers: &'a [OfficerName], detail: &'a str) -> record::SealedKey<'a> {
    record::SealedKey {
        keyid: (&key.keyid).into(),
        keytype: (&key.keytype).into(),
        quorum: u64::from(key.quorum),
        officers: officers.iter().map(|name| name.as_str().into()).collect(),
        set: key.set.as_deref().unwrap_or_default().into(),
        detail: detail.into(),
    }
}

fn write(station: &mut Station, host: &Host, event: Event) -> Result<(), CeremonyError> {
    station.record(&host.stamp(), event)?;
    station.commit()?;
    Ok(())
}

/// As [`write()`], signed by these officers, of whom the first acted.
fn record_act(
    station: &mut Station,
    host: &Host,
    event: Event,
    officers: &[OpenOfficer],
) -> Result<(), CeremonyError> {
    station.record_act(host, event, &officers.iter().collect::<Vec<_>>())?;
    station.commit()?;
    Ok(())
}

/// A key that the station before this one retired does not come back.
fn refuse_retired(station: &Station, keyid: &KeyId) -> Result<(), CeremonyError> {
    if !station.history.retired.contains(keyid.as_str()) {
        return Ok(());
    }
    Err(CeremonyError::Refused(format!(
        "the key {keyid} was retired on the station whose log this one continues: it does not sign any more"
    )))
}

fn meta(keyid: &KeyId, public: &PublicKey) -> KeyMeta {
    KeyMeta {
        keyid: keyid.as_str().to_owned(),
        keytype: public.keytype().to_owned(),
        public: public.text().to_owned(),
    }
}

fn holders(station: &Station, to: &To<'_>) -> Result<Vec<OfficerPublic>, CeremonyError> {
    Ok(station.serving(to.officers)?)
}

/// Is the key listed for targets by the newest pinned root, with this public half?
fn is_listed(station: &Station, keyid: &str, public: &PublicKey) -> bool {
    let listed = station.trust.newest().key_in_role(ROLE, &KeyId::new(keyid));
    listed.is_some_and(|key| key.subject_public_key_info() == public.subject_public_key_info())
}

/// A delegated role, and the targets metadata that delegates to it.
pub(crate) struct DelegatedBy<'a> {
    /// The role.
    pub role: &'a str,
    /// The file.
    pub file: &'a Path,
}

/// Takes the officer's key out of a key file (see [`crate::tuf::Dialect::active_key`]) and seals it.
///
/// # Errors
/// The file holds no key that may sign for the role, or it is the online key; or the key cannot be sealed so.
pub(crate) fn import(
    station: &mut Station,
    host: &Host,
    file: &Path,
    delegated: Option<DelegatedBy<'_>>,
    to: &To<'_>,
) -> Result<SealedKey, CeremonyError> {
    let officers = holders(station, to)?;
    let name = shown_path(file);
    if let Some(by) = &delegated {
        require_role_name(by.role).map_err(CeremonyError::Refused)?;
    }
    let archive = Zeroizing::new(station.disk().read(file, MAX_KEYFILE_BYTES)?);
    let newest = station.trust.newest();
    let authority = match delegated {
        None => Authority::of(newest, ROLE, None)?,
        Some(by) => {
            let bytes = station.disk().read(by.file, station.policy.max_file_bytes)?;
            let limits = Limits::of_bytes(station.policy.max_file_bytes);
            Authority::of(newest, by.role, Some(&Document::parse(shown_path(by.file), bytes, limits)?))?
        }
    };
    let online = station.trust.online.as_ref();
    let active =
        station.facts.dialect.active_key(&name, &archive, authority.root(), &authority.role, online)?;
    refuse_retired(station, &active.keyid)?;
    let meta = meta(&active.keyid, &active.public);
    let keys = station.layout.keys();
    let holders = Holders { officers: &officers, quorum: to.quorum };
    let now = host.clock.now();
    let sealing =
        Sealing::new(station.disk(), host.random.as_ref(), &keys, &meta, &active.secret, holders, now)?;
    let entry = Record::KeyImported(says(sealing.key(), to.officers, &name)).by(station.actor());
    write(station, host, entry)?;
    Ok(sealing.put(station.disk(), &keys)?)
}

/// Makes a new key, seals it, and writes its public half for the next root.
///
/// # Errors
/// The key cannot be made or sealed so, or the folder cannot be written.
pub(crate) fn make(
    station: &mut Station,
    host: &Host,
    kind: NewKeyType,
    to: &To<'_>,
    out: &Path,
) -> Result<(SealedKey, std::path::PathBuf), CeremonyError> {
    let officers = holders(station, to)?;
    let busy = host.terminal.busy("making the key");
    let new = generate(kind, station.facts.dialect, host.random.as_ref())?;
    drop(busy);
    let meta = meta(&new.keyid, &new.public);
    let keys = station.layout.keys();
    let holders = Holders { officers: &officers, quorum: to.quorum };
    let now = host.clock.now();
    let sealing =
        Sealing::new(station.disk(), host.random.as_ref(), &keys, &meta, &new.secret_file, holders, now)?;
    crate::host::disk::ensure_folder(station.disk(), out, 0o755)?;
    let path = out.join(station.facts.dialect.public_file_name(&new.keyid));
    let detail = shown_path(&path);
    let entry = Record::KeyGenerated(says(sealing.key(), to.officers, &detail)).by(station.actor());
    write(station, host, entry)?;
    let key = sealing.put(station.disk(), &keys)?;
    crate::host::disk::write_durably(station.disk(), &path, 0o644, &[&new.public_file])?;
    Ok((key, path))
}

/// Opens the officers of a key, after their names alone were found to be a quorum that serves.
fn open_holders(
    station: &mut Station,
    host: &Host,
    key: &SealedKey,
    officers: &[OfficerName],
    files: &PassphraseFiles,
    purpose: &str,
) -> Result<Vec<OpenOfficer>, CeremonyError> {
    key.check_present(&officers.iter().collect::<Vec<_>>())?;
    // One who has left is named before anybody types a passphrase.
    station.serving(officers)?;
    officers.iter().map(|name| open_officer(station, host, name, files, purpose)).collect()
}

/// Proves that a key opens with these officers and is the one that the pinned root lists. It signs a random text that
/// is no metadata, and nothing of it is kept.
///
/// # Errors
/// It does not open, or is another key than it says.
pub(crate) fn drill(
    station: &mut Station,
    host: &Host,
    prefix: &str,
    officers: &[OfficerName],
    files: &PassphraseFiles,
) -> Result<Drill, CeremonyError> {
    let keys = station.layout.keys();
    let key = keys::find_key(station.disk(), &keys, prefix)?;
    station.check_sealed_as_logged(&key)?;
    let opened = open_holders(station, host, &key, officers, files, "key drill")?;
    let mut random = [0u8; 16];
    host.random.fill(&mut random).map_err(CustodyError::NoRandomness)?;
    let challenge =
        format!("countersign key drill, this is no metadata: {}", hex::encode(random)).into_bytes();
    let keyid = KeyId::new(key.keyid.clone());
    let public = {
        let secret = keys::open_key(station.disk(), &keys, &key.keyid, &opened.iter().collect::<Vec<_>>())?;
        let private = PrivateKey::parse(&format!("key {}", keyid.short()), &secret)?;
        if !private.public().verify(&challenge, &private.sign(&keyid, &challenge)?) {
            return Err(CeremonyError::NotAsWritten(format!(
                "what the key {keyid} signs does not verify. Restore it from its paper backup with `countersign key restore`"
            )));
        }
        private.public().clone()
    };
    if public.text() != key.public.trim() && !is_listed(station, &key.keyid, &public) {
        return Err(CeremonyError::NotAsWritten(format!(
            "the sealed key is not the key {keyid} that its public.json names: a file was exchanged. Restore it from its \
             paper backup with `countersign key restore`"
        )));
    }
    let listed = is_listed(station, &key.keyid, &public);
    let root_version = station.trust.newest().version;
    let detail = match listed {
        true => format!("opens, and matches root version {root_version}"),
        false => format!("opens; root version {root_version} does not list it for targets"),
    };
    let lead = station.acting(&opened.iter().collect::<Vec<_>>());
    let entry = Record::KeyDrilled(says(&key, officers, &detail)).by(lead);
    record_act(station, host, entry, &opened)?;
    keys::note_drill(station.disk(), &keys, &key.keyid, host.clock.now())?;
    Ok(Drill { key, root_version, listed })
}

/// Seals a key to other officers or another quorum, with a quorum of its holders present.
///
/// # Errors
/// It is not sealed as the log has it, does not open with those present, or cannot be sealed so; it then stays sealed as
/// it was.
pub(crate) fn reseal(
    station: &mut Station,
    host: &Host,
    prefix: &str,
    present: &[OfficerName],
    files: &PassphraseFiles,
    to: &To<'_>,
) -> Result<SealedKey, CeremonyError> {
    let keys = station.layout.keys();
    let key = keys::find_key(station.disk(), &keys, prefix)?;
    // An old sealing that was put back would hand the key to those who held it then.
    station.check_sealed_to_reseal(&key)?;
    let officers = holders(station, to)?;
    let opened = open_holders(station, host, &key, present, files, "key reseal")?;
    let present_all: Vec<&OpenOfficer> = opened.iter().collect();
    let holders = Holders { officers: &officers, quorum: to.quorum };
    let sealing =
        Sealing::anew(station.disk(), host.random.as_ref(), &keys, &key.keyid, &present_all, holders)?;
    let detail = Resealed {
        by: present.iter().map(OfficerName::as_str).collect(),
        quorum: u64::from(key.quorum),
        holders: key.officers.iter().map(OfficerName::as_str).collect(),
    };
    let detail = detail.to_string();
    let lead = station.acting(&present_all);
    let entry = Record::KeySealed(says(sealing.key(), to.officers, &detail)).by(lead);
    record_act(station, host, entry, &opened)?;
    Ok(sealing.put(station.disk(), &keys)?)
}

/// Finds a key that is to be retired, and says whether a pinned root lists it or ever listed it. One that none lists
/// may be a new key that waits for its root.
///
/// # Errors
/// There is no such key.
pub(crate) fn to_retire(station: &Station, prefix: &str) -> Result<(SealedKey, bool), CeremonyError> {
    let key = keys::find_key(station.disk(), &station.layout.keys(), prefix)?;
    let keyid = KeyId::new(key.keyid.clone());
    let was_listed = station.trust.chain.roots().iter().any(|root| root.key_in_role(ROLE, &keyid).is_some());
    Ok((key, was_listed))
}

/// Takes a key that is no longer used out of the vault: its sealed files are removed. See [`to_retire`] for what is to
/// be confirmed before.
///
/// # Errors
/// The newest pinned root still lists it.
pub(crate) fn retire(
    station: &mut Station,
    host: &Host,
    prefix: &str,
    reason: &str,
) -> Result<SealedKey, CeremonyError> {
    let keys = station.layout.keys();
    let key = keys::find_key(station.disk(), &keys, prefix)?;
    let root = station.trust.newest();
    if root.key_in_role(ROLE, &KeyId::new(key.keyid.clone())).is_some() {
        return Err(CeremonyError::Refused(format!(
            "root version {} still lists the key {} for targets. Import a request that brings the root without it first",
            root.version, key.keyid
        )));
    }
    let entry = Record::KeyRetired(says(&key, &key.officers, &shown(reason))).by(station.actor());
    write(station, host, entry)?;
    keys::remove(station.disk(), &keys, &key)?;
    Ok(key)
}

/// Writes a key's paper backup.
///
/// # Errors
/// See [`backup::backup`]; or the key is not sealed as the log has it.
pub(crate) fn back_up(
    station: &mut Station,
    host: &Host,
    prefix: &str,
    out: &Path,
) -> Result<(SealedKey, Backup), CeremonyError> {
    let (officers, keys, known) = (station.layout.officers(), station.layout.keys(), station.officers()?);
    let key = keys::find_key(station.disk(), &keys, prefix)?;
    // Paper of an old sealing would be stale when it is needed.
    station.check_sealed_as_logged(&key)?;
    let places = Places { officers: &officers, keys: &keys, known: &known };
    let busy = host.terminal.busy("drawing the QR codes");
    let now = host.clock.now();
    let made = backup::backup(station.disk(), places, &key.keyid, &station.facts.factory, now, out)?;
    drop(busy);
    let detail = format!("{} sheets in {}", made.sheets.len(), shown_path(out));
    let entry = Record::KeyBackedUp(says(&key, &key.officers, &detail)).by(station.actor());
    write(station, host, entry)?;
    keys::note_backup(station.disk(), &keys, &key.keyid, now)?;
    Ok((key, made))
}

/// Brings a key back from scans of its paper backup.
///
/// # Errors
/// See [`restore::read_scans`] and [`restore::plan`]; or nobody signs for a key that the log does not have; or the pinned root lists another key under this id; or an
/// officer's name was used before.
pub(crate) fn bring_back(
    station: &mut Station,
    host: &Host,
    scans: &Path,
    by: &[OfficerName],
    files: &PassphraseFiles,
) -> Result<(SealedKey, Restored), CeremonyError> {
    let scanned = restore::read_scans(station.disk(), scans)?;
    let key = scanned.key.clone();
    refuse_retired(station, &KeyId::new(key.keyid.clone()))?;
    let root = station.trust.newest();
    let public_differs = |listed: &PublicKey| listed.text() != key.public.trim();
    if root.key_in_role(ROLE, &KeyId::new(key.keyid.clone())).is_some_and(public_differs) {
        return Err(CeremonyError::Refused(format!(
            "root version {} lists another key under the id {}: these sheets are not of this Factory",
            root.version, key.keyid
        )));
    }
    let (officers, keys, known) = (station.layout.officers(), station.layout.keys(), station.officers()?);
    let places = Places { officers: &officers, keys: &keys, known: &known };
    let custody = station.state().custody.clone();
    // A station that never held the key takes any paper: its log has no sealing that could be in force.
    let in_force =
        |key: &SealedKey| custody.key(&key.keyid).is_none_or(|logged| logged.may_be(&key.sealing()));
    let planned = restore::plan(station.disk(), places, &scanned, &in_force)?;
    // Refused before the first entry is written.
    planned.new_officers().try_for_each(|public| check_name(&custody, public))?;
    let needs = of_restore(&custody, &key.keyid, &key.sealing());
    let signers = open_signers(station, host, by, &needs, files, "key restore")?;
    for public in planned.new_officers() {
        record_added(station, host, public)?;
    }
    let lead = station.acting(&signers.iter().collect::<Vec<_>>());
    let detail = format!("scans in {}", shown(&scans.to_string_lossy()));
    let entry = Record::KeyRestored(says(&key, &key.officers, &detail)).by(lead);
    record_act(station, host, entry, &signers)?;
    let restored = planned.put(station.disk(), places)?;
    Ok((key, restored))
}
