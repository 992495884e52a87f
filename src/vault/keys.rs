//! Sealed private keys: what stands on the disk opens only with a quorum of officers, and only into memory.
//!
//! `keys/KEYID/public.json` says what the key is, who holds it and which files belong to the set in force. Replacing it
//! is the one step that takes a new set into force: until then the old set opens, from then on the new one does,
//! wherever a crash falls. The files of the next set wait as `….next` and are put in place afterwards.

mod sealing;

use crate::host::disk::Kind;
use crate::host::{Disk, clock::Time};
use crate::vault::error::{CustodyError, CustodyResult, ShareProblem};
use crate::vault::officer::{OfficerName, OpenOfficer};
use crate::vault::record::{read_record, write_record};
use crate::vault::seal::{self, SEALED_CAP, Unsealed};
use crate::vault::sealed::{self, FORMAT, SEALED, SHARES, share_name};
use crate::vault::share::{self, Share, ShareSet};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

pub(crate) use super::sealed::{Holders, KeyMeta, SealedKey};
pub use sealing::Sealing;
pub(crate) use sealing::{put_new, put_over};

const KEYS_CAP: usize = 1000;

/// The folder of a key.
pub(crate) fn key_folder(keys: &Path, keyid: &str) -> CustodyResult<PathBuf> {
    if !sealed::is_keyid(keyid) {
        return Err(CustodyError::BadKeyid(keyid.to_owned()));
    }
    Ok(keys.join(keyid))
}

/// A key's public record.
///
/// # Errors
/// The key is not in this vault, or its record is not what it should be.
pub(crate) fn load(disk: &dyn Disk, keys: &Path, keyid: &str) -> CustodyResult<SealedKey> {
    let path = key_folder(keys, keyid)?.join("public.json");
    if disk.kind(&path)?.is_none() {
        return Err(CustodyError::KeyNotFound { prefix: keyid.to_owned(), found: 0 });
    }
    let key: SealedKey = read_record(disk, &path, FORMAT)?;
    let bad = |problem| CustodyError::BadFile { path: path.clone(), problem };
    key.check().map_err(bad)?;
    if key.keyid != keyid {
        return Err(bad("it is the record of another key".to_owned()));
    }
    Ok(key)
}

/// All sealed keys by key id. A key whose sealing was interrupted is not yet one.
///
/// # Errors
/// As [`load`].
pub(crate) fn list_keys(disk: &dyn Disk, keys: &Path) -> CustodyResult<Vec<SealedKey>> {
    if disk.kind(keys)?.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in disk.list(keys, KEYS_CAP)? {
        let is_key = entry.kind == Kind::Folder && sealed::is_keyid(&entry.name);
        if is_key && disk.kind(&keys.join(&entry.name).join("public.json"))?.is_some() {
            found.push(load(disk, keys, &entry.name)?);
        }
    }
    Ok(found)
}

/// The one key whose id begins with `prefix`.
///
/// # Errors
/// [`CustodyError::KeyNotFound`] for none or several.
pub(crate) fn find_key(disk: &dyn Disk, keys: &Path, prefix: &str) -> CustodyResult<SealedKey> {
    let mut matching = list_keys(disk, keys)?;
    matching.retain(|key| !prefix.is_empty() && key.keyid.starts_with(prefix));
    match (matching.len(), matching.pop()) {
        (1, Some(key)) => Ok(key),
        (found, _) => Err(CustodyError::KeyNotFound { prefix: prefix.to_owned(), found }),
    }
}

/// Opens a key with its officers, in memory. More officers than the quorum may come; each of their shares must be
/// right.
///
/// # Errors
/// Too few officers, one who does not hold the key, a share that is wrong, swapped, stale or foreign, or a damaged
/// file: each by name.
pub fn open_key(
    disk: &dyn Disk,
    keys: &Path,
    keyid: &str,
    officers: &[&OpenOfficer],
) -> CustodyResult<Zeroizing<Vec<u8>>> {
    let key = load(disk, keys, keyid)?;
    let folder = key_folder(keys, keyid)?;
    let names: Vec<&OfficerName> = officers.iter().map(|officer| officer.name()).collect();
    key.check_present(&names)?;
    let sealed = read_file(disk, &folder, &key, SEALED)?;
    let path = folder.join(SEALED);
    let does_not_open = |with: String, e| CustodyError::DoesNotOpen {
        path: path.clone(),
        with,
        reason: match e {
            Unsealed::WrongKey => "it is sealed to somebody else, or it was exchanged".to_owned(),
            Unsealed::Damaged(reason) => reason,
        },
    };
    let Some(set) = key.share_set() else {
        let Some(officer) = officers.first() else { return Err(key.too_few(0)) };
        return officer
            .unseal(&sealed)
            .map_err(|e| does_not_open(format!("the identity of {}", officer.name()), e));
    };
    let mut shares: Vec<Share> = Vec::with_capacity(officers.len());
    for officer in officers {
        let share = open_share(disk, &folder, &key, &set, officer)?;
        if shares.iter().any(|other| other.index == share.index) {
            let path = folder.join(share_name(officer.name()));
            return Err(CustodyError::Share { path, problem: ShareProblem::DuplicateIndex(share.index) });
        }
        shares.push(share);
    }
    let wrong = || CustodyError::WrongCombination {
        keyid: keyid.to_owned(),
        officers: sealed::names(names.iter().copied()),
    };
    let text = share::combine(&shares.iter().collect::<Vec<_>>()).ok_or_else(wrong)?;
    let text = std::str::from_utf8(&text).map_err(|_| wrong())?;
    let identity = age::x25519::Identity::from_str(text).map_err(|_| wrong())?;
    if identity.to_public().to_string() != set.recipient {
        return Err(wrong());
    }
    seal::unseal(&identity, &sealed)
        .map_err(|e| does_not_open("the identity that the shares make".to_owned(), e))
}

fn open_share(
    disk: &dyn Disk,
    folder: &Path,
    key: &SealedKey,
    set: &ShareSet<'_>,
    officer: &OpenOfficer,
) -> CustodyResult<Share> {
    let name = share_name(officer.name());
    let path = folder.join(&name);
    let sealed = read_file(disk, folder, key, &name)?;
    let text = officer.unseal(&sealed).map_err(|e| CustodyError::DoesNotOpen {
        path: path.clone(),
        with: format!("the identity of {}", officer.name()),
        reason: match e {
            Unsealed::WrongKey => "it is the share of somebody else, or damaged".to_owned(),
            Unsealed::Damaged(reason) => reason,
        },
    })?;
    let checked = Share::parse(&text).and_then(|share| {
        share.check(set, officer.name())?;
        Ok(share)
    });
    checked.map_err(|problem| CustodyError::Share { path, problem })
}

/// Reads a file of the set in force: the one whose digest `public.json` gives, also when a crash left it waiting as
/// `….next`. A file that is neither is handed on as it stands: opening it says more exactly what is wrong with it.
pub(crate) fn read_file(
    disk: &dyn Disk,
    folder: &Path,
    key: &SealedKey,
    name: &str,
) -> CustodyResult<Vec<u8>> {
    let is_meant = |bytes: &[u8]| key.files.get(name) == Some(&hex::encode(Sha256::digest(bytes)));
    let waiting = folder.join(format!("{name}{}", sealing::NEXT));
    if disk.kind(&waiting)?.is_some() {
        let bytes = disk.read(&waiting, SEALED_CAP)?;
        if is_meant(&bytes) {
            return Ok(bytes);
        }
    }
    Ok(disk.read(&folder.join(name), SEALED_CAP)?)
}

/// Removes a key from the vault. Its record goes first: from then on it is not a key of this vault, wherever a crash
/// falls.
///
/// # Errors
/// A file cannot be removed.
pub(crate) fn remove(disk: &dyn Disk, keys: &Path, key: &SealedKey) -> CustodyResult<()> {
    let folder = key_folder(keys, &key.keyid)?;
    disk.remove(&folder.join("public.json"))?;
    disk.sync_folder(&folder)?;
    for place in [folder.join(SHARES), folder] {
        if disk.kind(&place)?.is_none() {
            continue;
        }
        for entry in disk.list(&place, KEYS_CAP)? {
            disk.remove(&place.join(&entry.name))?;
        }
        disk.remove_folder(&place)?;
    }
    Ok(disk.sync_folder(keys)?)
}

/// Notes that the key was proved to open.
///
/// # Errors
/// As [`load`].
pub(crate) fn note_drill(disk: &dyn Disk, keys: &Path, keyid: &str, now: Time) -> CustodyResult<()> {
    note(disk, keys, keyid, |key| key.last_drill = Some(now))
}

/// Notes that the key was backed up on paper.
///
/// # Errors
/// As [`load`].
pub(crate) fn note_backup(disk: &dyn Disk, keys: &Path, keyid: &str, now: Time) -> CustodyResult<()> {
    note(disk, keys, keyid, |key| key.last_backup = Some(now))
}

fn note(disk: &dyn Disk, keys: &Path, keyid: &str, change: impl FnOnce(&mut SealedKey)) -> CustodyResult<()> {
    let mut key = load(disk, keys, keyid)?;
    change(&mut key);
    write_record(disk, &key_folder(keys, keyid)?.join("public.json"), &key)
}

#[cfg(test)]
mod tests;
