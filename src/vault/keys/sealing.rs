//! Sealing a key to a quorum of officers, for the first time or anew: first in memory, then into the vault.
//!
//! The two steps are apart so that the log can name what comes into force before it does.

use super::{key_folder, load, open_key};
use crate::host::disk::{Entry, ensure_folder, write_durably};
use crate::host::{Disk, Random, clock::Time};
use crate::vault::error::{CustodyError, CustodyResult};
use crate::vault::officer::{OfficerName, OfficerPublic, OpenOfficer};
use crate::vault::record::write_record;
use crate::vault::seal::{self, SEALED_CAP};
use crate::vault::sealed::{
    self, FORMAT, Holders, KeyMeta, OFFICERS_CAP, SEALED, SHARES, SealedKey, share_name,
};
use crate::vault::share::{self, ShareSet};
use age::secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

/// How the files of a set end that is not in force yet.
pub(super) const NEXT: &str = ".next";
/// How the temporary files of [`write_durably`] end.
const TEMPORARY: &str = ".part";

/// A key that is sealed in memory and not yet in the vault.
pub struct Sealing {
    key: SealedKey,
    files: BTreeMap<String, Vec<u8>>,
    /// Does it replace a set that is in the vault?
    replaces: bool,
}

impl Sealing {
    /// Seals a new key. `secret` is the plaintext that opens again, byte for byte: the `.sec` file that fioctl
    /// understands.
    ///
    /// # Errors
    /// The key is in the vault already, the quorum cannot be, an officer is retired or named twice.
    pub fn new(
        disk: &dyn Disk,
        random: &dyn Random,
        keys: &Path,
        meta: &KeyMeta,
        secret: &Zeroizing<Vec<u8>>,
        holders: Holders<'_>,
        now: Time,
    ) -> CustodyResult<Sealing> {
        let folder = key_folder(keys, &meta.keyid)?;
        if disk.kind(&folder.join("public.json"))?.is_some() {
            return Err(CustodyError::KeyExists(meta.keyid.clone()));
        }
        let key = SealedKey {
            files: BTreeMap::new(),
            format: FORMAT.to_owned(),
            imported: now,
            keyid: meta.keyid.clone(),
            keytype: meta.keytype.clone(),
            last_backup: None,
            last_drill: None,
            officers: Vec::new(),
            public: meta.public.clone(),
            quorum: 0,
            recipient: None,
            set: None,
        };
        Sealing::of(key, secret, holders, random, false)
    }

    /// Seals a key anew, to other officers or another quorum, with a quorum of its holders present. Once it is put,
    /// the set before is stale: its shares are refused, wherever copies of them are.
    ///
    /// # Errors
    /// As [`open_key`] and [`Sealing::new`].
    pub fn anew(
        disk: &dyn Disk,
        random: &dyn Random,
        keys: &Path,
        keyid: &str,
        present: &[&OpenOfficer],
        holders: Holders<'_>,
    ) -> CustodyResult<Sealing> {
        let secret = open_key(disk, keys, keyid, present)?;
        let key = load(disk, keys, keyid)?;
        // The new set has not been drilled nor printed.
        let key = SealedKey { last_drill: None, last_backup: None, ..key };
        Sealing::of(key, &secret, holders, random, true)
    }

    fn of(
        key: SealedKey,
        secret: &[u8],
        holders: Holders<'_>,
        random: &dyn Random,
        replaces: bool,
    ) -> CustodyResult<Sealing> {
        let new = make_set(&key.keyid, secret, holders, random)?;
        let key = SealedKey {
            files: new
                .files
                .iter()
                .map(|(name, bytes)| (name.clone(), hex::encode(Sha256::digest(bytes))))
                .collect(),
            officers: holders.officers.iter().map(|officer| officer.name.clone()).collect(),
            quorum: holders.quorum,
            recipient: new.recipient,
            set: new.set,
            ..key
        };
        Ok(Sealing { key, files: new.files, replaces })
    }

    /// What the vault will hold.
    pub(crate) fn key(&self) -> &SealedKey {
        &self.key
    }

    /// Puts the key into the vault.
    ///
    /// # Errors
    /// A file operation failed. A new key is then not in the vault; of a key that is sealed anew, the set before stays
    /// in force, unless only tidying up remained.
    pub fn put(self, disk: &dyn Disk, keys: &Path) -> CustodyResult<SealedKey> {
        match self.replaces {
            true => put_over(disk, keys, &self.key, &self.files)?,
            false => put_new(disk, keys, &self.key, &self.files)?,
        }
        Ok(self.key)
    }
}

/// Writes another sealing of a key over the one that is in the vault.
pub(crate) fn put_over(
    disk: &dyn Disk,
    keys: &Path,
    key: &SealedKey,
    files: &BTreeMap<String, Vec<u8>>,
) -> CustodyResult<()> {
    let folder = key_folder(keys, &key.keyid)?;
    settle(disk, &folder, &load(disk, keys, &key.keyid)?)?;
    if key.quorum > 1 {
        ensure_folder(disk, &folder.join(SHARES), 0o700)?;
    }
    for (name, bytes) in files {
        write_durably(disk, &folder.join(format!("{name}{NEXT}")), 0o600, &[bytes])?;
    }
    write_record(disk, &folder.join("public.json"), key)?;
    settle(disk, &folder, key)
}

/// Writes a key that is not in the vault yet, `public.json` last.
pub(crate) fn put_new(
    disk: &dyn Disk,
    keys: &Path,
    key: &SealedKey,
    files: &BTreeMap<String, Vec<u8>>,
) -> CustodyResult<()> {
    let folder = key_folder(keys, &key.keyid)?;
    ensure_folder(disk, keys, 0o700)?;
    ensure_folder(disk, &folder, 0o700)?;
    if key.quorum > 1 {
        ensure_folder(disk, &folder.join(SHARES), 0o700)?;
    }
    for (name, bytes) in files {
        write_durably(disk, &folder.join(name), 0o600, &[bytes])?;
    }
    write_record(disk, &folder.join("public.json"), key)
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

/// A set of sealed files, still in memory, and what `public.json` says of it.
struct NewSet {
    files: BTreeMap<String, Vec<u8>>,
    set: Option<String>,
    recipient: Option<String>,
}

fn make_set(keyid: &str, secret: &[u8], holders: Holders<'_>, random: &dyn Random) -> CustodyResult<NewSet> {
    let Holders { officers, quorum } = holders;
    sealed::check_quorum(quorum, officers.len())?;
    for (at, officer) in officers.iter().enumerate() {
        if officers[..at].iter().any(|other| other.name == officer.name) {
            return Err(CustodyError::NamedTwice(officer.name.clone()));
        }
        if !officer.is_active() {
            return Err(CustodyError::Retired(officer.name.clone()));
        }
    }
    let failed = |what: &str| {
        let what = format!("{what} of the key {keyid}");
        move |reason| CustodyError::Make { what, reason }
    };
    let recipients: Vec<age::x25519::Recipient> =
        officers.iter().map(OfficerPublic::age_recipient).collect::<CustodyResult<_>>()?;
    let mut files = BTreeMap::new();
    if quorum == 1 {
        let each: Vec<&dyn age::Recipient> = recipients.iter().map(|one| one as _).collect();
        files.insert(SEALED.to_owned(), seal::seal(&each, secret).map_err(failed("the secret"))?);
        return Ok(NewSet { files, set: None, recipient: None });
    }
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public();
    let mut set_id = [0u8; 8];
    random.fill(&mut set_id).map_err(CustodyError::NoRandomness)?;
    let (set_id, recipient_text) = (hex::encode(set_id), recipient.to_string());
    files.insert(SEALED.to_owned(), seal::seal(&[&recipient], secret).map_err(failed("the secret"))?);
    let set = ShareSet {
        keyid,
        set: &set_id,
        threshold: quorum,
        total: u8::try_from(officers.len())
            .map_err(|_| CustodyError::BadQuorum { quorum, officers: officers.len() })?,
        recipient: &recipient_text,
    };
    let names: Vec<&OfficerName> = officers.iter().map(|officer| &officer.name).collect();
    let shares = share::split(identity.to_string().expose_secret().as_bytes(), &set, &names, random)?;
    for (share, recipient) in shares.iter().zip(&recipients) {
        let sealed = seal::seal(&[recipient], &share.to_text()).map_err(failed("a share"))?;
        files.insert(share_name(&share.officer), sealed);
    }
    Ok(NewSet { files, set: Some(set_id), recipient: Some(recipient_text) })
}
