//! Sealed private keys: what stands on the disk opens only with a quorum of officers, and only into memory.
//!
//! `keys/KEYID/public.json` says what the key is, who holds it and which files belong to the set in force. Replacing it
//! is the one step that takes a new set into force: until then the old set opens, from then on the new one does,
//! wherever a crash falls. The files of the next set wait as `….next` and are put in place afterwards.

use crate::host::disk::{Entry, Kind, write_durably};
use crate::host::{Disk, Random, clock::Time};
use crate::station::custody::{CustodyError, CustodyResult, ShareProblem};
use crate::station::officer::{OfficerName, OfficerPublic, OpenOfficer};
use crate::station::record::{read_record, write_record};
use crate::station::seal::{self, SEALED_CAP, Unsealed};
use crate::station::share::{self, Share, ShareSet};
use age::secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

pub(crate) const FORMAT: &str = "countersign/key/1";
/// The sealed key's file.
pub const SEALED: &str = "sealed.age";
/// The folder of the officers' shares.
pub const SHARES: &str = "shares";
const NEXT: &str = ".next";
/// How the temporary files of [`write_durably`] end.
const TEMPORARY: &str = ".part";
const KEYS_CAP: usize = 1000;
/// More officers than this cannot hold one key.
pub const OFFICERS_CAP: usize = 16;

/// What a key is, in the words of TUF; the vault knows no more of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyMeta {
    /// The key id in root: 64 hexadecimal digits.
    pub keyid: String,
    /// The key type as root has it: `ED25519`, `RSA`, …
    pub keytype: String,
    /// The public value as root has it.
    pub public: String,
}

/// To whom a key is sealed.
#[derive(Clone, Copy)]
pub struct Holders<'a> {
    /// The officers, each once, all active.
    pub officers: &'a [OfficerPublic],
    /// How many of them together open the key.
    pub quorum: u8,
}

/// A sealed key's public record, `public.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedKey {
    /// SHA-256 of the files of the set in force, by their names in the key's folder.
    pub files: BTreeMap<String, String>,
    /// `countersign/key/1`.
    pub format: String,
    /// When the key came into this vault.
    pub imported: Time,
    /// The key id: 64 hexadecimal digits.
    pub keyid: String,
    /// The key type as root has it.
    pub keytype: String,
    /// When it was last backed up on paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<Time>,
    /// When it was last proved to open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_drill: Option<Time>,
    /// Who holds it.
    pub officers: Vec<OfficerName>,
    /// The public value as root has it.
    pub public: String,
    /// How many officers together open it.
    pub quorum: u8,
    /// For a quorum above 1: the recipient that the key is sealed to, whose secret is split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// For a quorum above 1: the set of shares in force, 16 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
}

impl SealedKey {
    /// The officers as text for messages: `alice, bob`.
    pub fn holders(&self) -> String {
        names(&self.officers)
    }

    fn share_set(&self) -> Option<ShareSet<'_>> {
        Some(ShareSet {
            keyid: &self.keyid,
            set: self.set.as_deref()?,
            threshold: self.quorum,
            total: u8::try_from(self.officers.len()).ok()?,
            recipient: self.recipient.as_deref()?,
        })
    }

    /// What must hold in any `public.json`, also in a restored one; the error is a sentence.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !is_keyid(&self.keyid) {
            return Err("\"keyid\" is not 64 lower-case hexadecimal digits".to_owned());
        }
        let count = self.officers.len();
        let distinct = self.officers.iter().enumerate().all(|(at, name)| !self.officers[..at].contains(name));
        if !distinct || check_quorum(self.quorum, count).is_err() {
            return Err("\"officers\" and \"quorum\" do not fit together".to_owned());
        }
        let split = self.quorum > 1;
        let set_fits = self.set.as_deref().map(is_set_id) == split.then_some(true);
        if !set_fits || self.recipient.is_some() != split {
            return Err("\"set\" and \"recipient\" belong to a quorum above 1, and only there".to_owned());
        }
        let mut wanted: Vec<String> = vec![SEALED.to_owned()];
        if split {
            wanted.extend(self.officers.iter().map(share_name));
        }
        wanted.sort();
        if !wanted.iter().eq(self.files.keys()) || !self.files.values().all(|digest| is_keyid(digest)) {
            return Err("\"files\" does not list the sealed key and each officer's share".to_owned());
        }
        Ok(())
    }
}

/// The name of an officer's share in a key's folder.
pub(crate) fn share_name(officer: &OfficerName) -> String {
    format!("{SHARES}/{officer}.age")
}

fn names<'a>(officers: impl IntoIterator<Item = &'a OfficerName>) -> String {
    officers.into_iter().map(OfficerName::as_str).collect::<Vec<_>>().join(", ")
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Is it 64 lower-case hexadecimal digits, and so safe as a folder's name?
pub fn is_keyid(text: &str) -> bool {
    is_hex(text, 64)
}

fn is_set_id(text: &str) -> bool {
    is_hex(text, 16)
}

fn check_quorum(quorum: u8, officers: usize) -> CustodyResult<()> {
    if quorum == 0 || usize::from(quorum) > officers || officers > OFFICERS_CAP {
        return Err(CustodyError::BadQuorum { quorum, officers });
    }
    Ok(())
}

/// The folder of a key.
pub fn key_folder(keys: &Path, keyid: &str) -> CustodyResult<PathBuf> {
    if !is_keyid(keyid) {
        return Err(CustodyError::BadKeyid(keyid.to_owned()));
    }
    Ok(keys.join(keyid))
}

/// A key's public record.
///
/// # Errors
/// The key is not in this vault, or its record is not what it should be.
pub fn load(disk: &dyn Disk, keys: &Path, keyid: &str) -> CustodyResult<SealedKey> {
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
pub fn list_keys(disk: &dyn Disk, keys: &Path) -> CustodyResult<Vec<SealedKey>> {
    if disk.kind(keys)?.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in disk.list(keys, KEYS_CAP)? {
        let is_key = entry.kind == Kind::Folder && is_keyid(&entry.name);
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
pub fn find_key(disk: &dyn Disk, keys: &Path, prefix: &str) -> CustodyResult<SealedKey> {
    let mut matching = list_keys(disk, keys)?;
    matching.retain(|key| !prefix.is_empty() && key.keyid.starts_with(prefix));
    match (matching.len(), matching.pop()) {
        (1, Some(key)) => Ok(key),
        (found, _) => Err(CustodyError::KeyNotFound { prefix: prefix.to_owned(), found }),
    }
}

/// A set of sealed files, still in memory, and what `public.json` says of it.
struct NewSet {
    files: BTreeMap<String, Vec<u8>>,
    set: Option<String>,
    recipient: Option<String>,
}

fn make_set(keyid: &str, secret: &[u8], holders: Holders<'_>, random: &dyn Random) -> CustodyResult<NewSet> {
    let Holders { officers, quorum } = holders;
    check_quorum(quorum, officers.len())?;
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

fn digests(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    files.iter().map(|(name, bytes)| (name.clone(), hex::encode(Sha256::digest(bytes)))).collect()
}

/// Makes a folder if it is not there yet, durably.
pub(crate) fn ensure_folder(disk: &dyn Disk, path: &Path) -> CustodyResult<()> {
    if disk.kind(path)?.is_none() {
        disk.make_folder(path, 0o700)?;
        if let Some(parent) = path.parent() {
            disk.sync_folder(parent)?;
        }
    }
    Ok(())
}

/// Seals a new key to a quorum of officers. `secret` is the plaintext that opens again, byte for byte: the `.sec`
/// file that fioctl understands.
///
/// # Errors
/// The key is sealed here already, the quorum cannot be, an officer is retired or named twice, or a file operation
/// failed; then the key is not in the vault.
pub fn seal_key(
    disk: &dyn Disk,
    random: &dyn Random,
    keys: &Path,
    meta: &KeyMeta,
    secret: &Zeroizing<Vec<u8>>,
    holders: Holders<'_>,
    now: Time,
) -> CustodyResult<SealedKey> {
    let folder = key_folder(keys, &meta.keyid)?;
    if disk.kind(&folder.join("public.json"))?.is_some() {
        return Err(CustodyError::KeyExists(meta.keyid.clone()));
    }
    let new = make_set(&meta.keyid, secret, holders, random)?;
    let key = SealedKey {
        files: digests(&new.files),
        format: FORMAT.to_owned(),
        imported: now,
        keyid: meta.keyid.clone(),
        keytype: meta.keytype.clone(),
        last_backup: None,
        last_drill: None,
        officers: holders.officers.iter().map(|officer| officer.name.clone()).collect(),
        public: meta.public.clone(),
        quorum: holders.quorum,
        recipient: new.recipient.clone(),
        set: new.set.clone(),
    };
    put_new(disk, keys, &key, &new.files)?;
    Ok(key)
}

/// Writes a key that is not in the vault yet, `public.json` last.
pub(crate) fn put_new(
    disk: &dyn Disk,
    keys: &Path,
    key: &SealedKey,
    files: &BTreeMap<String, Vec<u8>>,
) -> CustodyResult<()> {
    let folder = key_folder(keys, &key.keyid)?;
    ensure_folder(disk, keys)?;
    ensure_folder(disk, &folder)?;
    if key.quorum > 1 {
        ensure_folder(disk, &folder.join(SHARES))?;
    }
    for (name, bytes) in files {
        write_durably(disk, &folder.join(name), 0o600, &[bytes])?;
    }
    write_record(disk, &folder.join("public.json"), key)
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
    check_holders(&key, officers)?;
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
        let Some(officer) = officers.first() else { return Err(too_few(&key, 0)) };
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
        officers: names(officers.iter().map(|officer| officer.name())),
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

/// Distinct holders, and enough of them.
fn check_holders(key: &SealedKey, officers: &[&OpenOfficer]) -> CustodyResult<()> {
    for (at, officer) in officers.iter().enumerate() {
        if officers[..at].iter().any(|other| other.name() == officer.name()) {
            return Err(CustodyError::NamedTwice(officer.name().clone()));
        }
        if !key.officers.contains(officer.name()) {
            return Err(CustodyError::NotHolder {
                keyid: key.keyid.clone(),
                officer: officer.name().clone(),
                holders: key.holders(),
            });
        }
    }
    if officers.len() < usize::from(key.quorum) {
        return Err(too_few(key, officers.len()));
    }
    Ok(())
}

fn too_few(key: &SealedKey, given: usize) -> CustodyError {
    CustodyError::TooFewOfficers {
        keyid: key.keyid.clone(),
        quorum: key.quorum,
        given,
        holders: key.holders(),
    }
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
    let waiting = folder.join(format!("{name}{NEXT}"));
    if disk.kind(&waiting)?.is_some() {
        let bytes = disk.read(&waiting, SEALED_CAP)?;
        if is_meant(&bytes) {
            return Ok(bytes);
        }
    }
    Ok(disk.read(&folder.join(name), SEALED_CAP)?)
}

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
    key.files = digests(&new.files);
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

/// Notes that the key was proved to open.
///
/// # Errors
/// As [`load`].
pub fn note_drill(disk: &dyn Disk, keys: &Path, keyid: &str, now: Time) -> CustodyResult<()> {
    note(disk, keys, keyid, |key| key.last_drill = Some(now))
}

/// Notes that the key was backed up on paper.
///
/// # Errors
/// As [`load`].
pub fn note_backup(disk: &dyn Disk, keys: &Path, keyid: &str, now: Time) -> CustodyResult<()> {
    note(disk, keys, keyid, |key| key.last_backup = Some(now))
}

fn note(disk: &dyn Disk, keys: &Path, keyid: &str, change: impl FnOnce(&mut SealedKey)) -> CustodyResult<()> {
    let mut key = load(disk, keys, keyid)?;
    change(&mut key);
    write_record(disk, &key_folder(keys, keyid)?.join("public.json"), &key)
}

#[cfg(test)]
mod tests;
