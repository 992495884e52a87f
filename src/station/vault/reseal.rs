//! Sealing a key anew, to other officers or another quorum, without a moment at which it opens with neither.

use super::{ensure_folder, key_folder, load, make_set, open_key};
use crate::host::disk::{Entry, write_durably};
use crate::host::{Disk, Random};
use crate::station::custody::CustodyResult;
use crate::station::officer::OpenOfficer;
use crate::station::record::write_record;
use crate::station::seal::SEALED_CAP;
use crate::station::sealed::{Holders, OFFICERS_CAP, SHARES, SealedKey};
use sha2::{Digest, Sha256};
use std::path::Path;

/// How the files of a set end that is not in force yet.
pub(super) const NEXT: &str = ".next";
/// How the temporary files of [`write_durably`] end.
const TEMPORARY: &str = ".part";

/// Seals a key anew, to other officers or another quorum. The set before becomes stale: its shares are refused from
/// then on, wherever copies of them are.
///
/// # Errors
/// As [`open_key`] and [`seal_key`]; the set before then stays in force.
pub fn reseal_key(
    disk: &dyn Disk,
    random: &dyn Random,
    keys: &Path,
    keyid: &str,
    present: &[&OpenOfficer],
    holders: Holders<'_>,
) -> CustodyResult<SealedKey> {
    let secret = open_key(disk, keys, keyid, present)?;
    let folder = key_folder(keys, keyid)?;
    let mut key = load(disk, keys, keyid)?;
    settle(disk, &folder, &key)?;
    let new = make_set(keyid, &secret, holders, random)?;
    key.files = new.digests();
    key.officers = holders.officers.iter().map(|officer| officer.name.clone()).collect();
    key.quorum = holders.quorum;
    key.recipient = new.recipient;
    key.set = new.set;
    // The new set has not been drilled nor printed.
    key.last_drill = None;
    key.last_backup = None;
    if key.quorum > 1 {
        ensure_folder(disk, &folder.join(SHARES))?;
    }
    for (name, bytes) in &new.files {
        write_durably(disk, &folder.join(format!("{name}{NEXT}")), 0o600, &[bytes])?;
    }
    write_record(disk, &folder.join("public.json"), &key)?;
    settle(disk, &folder, &key)?;
    Ok(key)
}

/// Brings a key's folder to what its record says: puts in place what an interrupted reseal left waiting, and removes
/// what never came into force or is in force no more.
fn settle(disk: &dyn Disk, folder: &Path, key: &SealedKey) -> CustodyResult<()> {
    let mut places = vec![(folder.to_owned(), String::new())];
    let shares = folder.join(SHARES);
    if disk.kind(&shares)?.is_some() {
        places.push((shares, format!("{SHARES}/")));
    }
    for (place, prefix) in places {
        let entries = disk.list(&place, 8 * OFFICERS_CAP)?;
        for entry in entries.iter().filter(|entry| entry.name.ends_with(NEXT)) {
            let Some(name) = entry.name.strip_suffix(NEXT) else { continue };
            let from = place.join(&entry.name);
            let digest = hex::encode(Sha256::digest(disk.read(&from, SEALED_CAP)?));
            if key.files.get(&format!("{prefix}{name}")) == Some(&digest) {
                disk.rename(&from, &place.join(name))?;
            } else {
                disk.remove(&from)?;
            }
        }
        for Entry { name, .. } in &entries {
            let out_of_force = name.ends_with(".age") && !key.files.contains_key(&format!("{prefix}{name}"));
            if out_of_force || name.ends_with(TEMPORARY) {
                disk.remove(&place.join(name))?;
            }
        }
        disk.sync_folder(&place)?;
    }
    Ok(())
}
