//! Bringing a key back from its paper backup: scanned text in, the station's files out, and nothing overwritten that
//! is not the same or broken.

use crate::host::Disk;
use crate::host::disk::{Kind, ensure_folder, write_durably};
use crate::host::left_over::{LEFT_OVER, is_left_over};
use crate::text::shown_path;
use crate::vault::backup::Places;
use crate::vault::error::{CustodyError, CustodyResult};
use crate::vault::keys;
use crate::vault::officer::{self, OfficerName, OfficerPublic};
use crate::vault::paper::{Document, Paper, Scans};
use crate::vault::record::parse_record;
use crate::vault::seal;
use crate::vault::sealed::{self, SEALED, SealedKey};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

const SCANS_CAP: usize = 500;
const SCAN_CAP: u64 = 1 << 20;

/// What a set of scans holds, checked as far as it can be without opening anything.
pub struct Scanned {
    /// The key.
    pub key: SealedKey,
    sealed: Vec<u8>,
    shares: BTreeMap<OfficerName, Vec<u8>>,
    officers: Vec<(OfficerPublic, Vec<u8>)>,
}

/// What a restore did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Restored {
    /// Officers whose identity came back.
    pub officers: Vec<OfficerName>,
    /// Officers who were on this station already, with the same keys; their files were left alone.
    pub kept: Vec<OfficerName>,
    /// Holders whose share was not among the scans; empty for a quorum of 1.
    pub without_share: Vec<OfficerName>,
}

fn cannot<T>(why: impl Into<String>) -> CustodyResult<T> {
    Err(CustodyError::Restore(why.into()))
}

/// Reads all `.txt` files of a folder as scans of one paper backup.
///
/// # Errors
/// A scan is damaged, incomplete or foreign; or the documents do not go together. Each says which sheet to scan again.
pub fn read_scans(disk: &dyn Disk, folder: &Path) -> CustodyResult<Scanned> {
    let mut scans = Scans::default();
    let mut count = 0;
    for entry in disk.list(folder, SCANS_CAP)? {
        if !entry.name.ends_with(".txt") || !matches!(entry.kind, Kind::File(_)) {
            continue;
        }
        let bytes = disk.read_beneath(folder, &entry.name, SCAN_CAP)?;
        let text = crate::text::utf8(&bytes).map_err(|why| CustodyError::Scan {
            file: crate::text::shown(&entry.name),
            why: match is_left_over(&entry.name) {
                true => LEFT_OVER.to_owned(),
                false => why.to_owned(),
            },
        })?;
        scans.add(&entry.name, text)?;
        count += 1;
    }
    if count == 0 {
        return cannot(format!(
            "{} holds no .txt file. Scan the codes into one, for example with zbarimg -q --raw -Sdisable -Sqrcode.enable *.png > all.txt",
            shown_path(folder)
        ));
    }
    Scanned::of(scans.documents()?)
}

impl Scanned {
    /// Sorts documents by what they are, and checks that they go together.
    fn of(documents: Vec<Document>) -> CustodyResult<Scanned> {
        let (mut record, mut sealed, mut shares) = (None, None, BTreeMap::new());
        let (mut publics, mut identities) = (BTreeMap::new(), BTreeMap::new());
        let mut keyids: Vec<String> = Vec::new();
        for Document { paper, bytes } in documents {
            match paper {
                Paper::Record(id) => {
                    keyids.push(id);
                    record = Some(bytes);
                }
                Paper::Sealed(id) => {
                    keyids.push(id);
                    sealed = Some(bytes);
                }
                Paper::Share(id, name) => {
                    keyids.push(id);
                    shares.insert(name, bytes);
                }
                Paper::OfficerPublic(name) => {
                    publics.insert(name, bytes);
                }
                Paper::OfficerIdentity(name) => {
                    identities.insert(name, bytes);
                }
            }
        }
        if keyids.windows(2).any(|pair| pair[0] != pair[1]) {
            return cannot("the scans are of several keys. Put those of one key into a folder of their own");
        }
        let (Some(record), Some(sealed)) = (record, sealed) else {
            return cannot("the key's own sheet (sealed.age and public.json) is not among the scans");
        };
        let bad = |what: &str, why: String| CustodyError::Restore(format!("the scanned {what}: {why}"));
        let key: SealedKey = parse_record(&record, sealed::FORMAT).map_err(|why| bad("public.json", why))?;
        key.check().map_err(|why| bad("public.json", why))?;
        if keyids.first() != Some(&key.keyid) {
            return cannot("the scanned public.json is of another key than its header says");
        }
        let scanned = Scanned { officers: officers(publics, identities)?, key, sealed, shares };
        scanned.check_files()?;
        Ok(scanned)
    }

    /// Every sealed file is the one that the key's record names.
    fn check_files(&self) -> CustodyResult<()> {
        let key = &self.key;
        let is_meant =
            |name: &str, bytes: &[u8]| key.files.get(name) == Some(&hex::encode(Sha256::digest(bytes)));
        if !is_meant(SEALED, &self.sealed) {
            return cannot("the sealed.age belongs to another sealing of this key than the public.json");
        }
        for (name, bytes) in &self.shares {
            if !is_meant(&sealed::share_name(name), bytes) {
                return cannot(format!(
                    "the share of {name} is stale: it belongs to another sealing of this key than the key's sheet"
                ));
            }
        }
        let quorum = usize::from(key.quorum);
        if key.quorum > 1 && self.shares.len() < quorum {
            return cannot(format!(
                "the key opens with {quorum} shares, and {} came. Scan the sheets of {quorum} of {}",
                self.shares.len(),
                key.holders()
            ));
        }
        Ok(())
    }
}

type ByOfficer = BTreeMap<OfficerName, Vec<u8>>;

fn officers(mut publics: ByOfficer, identities: ByOfficer) -> CustodyResult<Vec<(OfficerPublic, Vec<u8>)>> {
    let mut found = Vec::with_capacity(identities.len());
    for (name, identity) in identities {
        let Some(public) = publics.remove(&name) else {
            return cannot(format!(
                "{name}.age was scanned without {name}.pub, which stands on the same sheet"
            ));
        };
        let public = officer::parse_public(&public, &name)
            .map_err(|why| CustodyError::Restore(format!("the scanned {name}.pub: {why}")))?;
        if !seal::is_age_file(&identity) {
            return cannot(format!("the scanned {name}.age is not an age file"));
        }
        found.push((public, identity));
    }
    match publics.into_keys().next() {
        Some(name) => {
            cannot(format!("{name}.pub was scanned without {name}.age, which stands on the same sheet"))
        }
        None => Ok(found),
    }
}

/// A restore of which everything that can be refused was refused already.
pub struct Plan<'s> {
    scanned: &'s Scanned,
    /// The key's record, if this sealing of it is on the station.
    present: Option<SealedKey>,
    /// Is another sealing there, which the log does not have in force?
    replaces: bool,
    missing: Vec<&'s (OfficerPublic, Vec<u8>)>,
    kept: Vec<OfficerName>,
}

/// Compares scans with what the station has. `in_force` says whether the log has this sealing of the key in force: paper
/// of another one is stale, and a folder with another one does not stand in the way.
///
/// # Errors
/// The paper is stale, the station holds another sealing of this key, or an officer of the same name with other keys; or too few holders
/// are on the station or among the scans.
pub fn plan<'s>(
    disk: &dyn Disk,
    places: Places<'_>,
    scanned: &'s Scanned,
    in_force: &dyn Fn(&SealedKey) -> bool,
) -> CustodyResult<Plan<'s>> {
    let key = &scanned.key;
    if !in_force(key) {
        return cannot(
            "the log has another sealing of this key in force, made by `key reseal`: the paper is stale. Destroy it, and \
             scan the sheets that were printed since",
        );
    }
    let found = keys::list_keys(disk, places.keys)?.into_iter().find(|known| known.keyid == key.keyid);
    let replaces = found.as_ref().is_some_and(|known| !in_force(known));
    let present = found.filter(|_| !replaces);
    if present.as_ref().is_some_and(|known| known.files != key.files) {
        return cannot(
            "this station holds another sealing of this key, made by `key reseal`: the paper is stale. Destroy it, and \
             print the key as it is now with `key backup`",
        );
    }
    let mut plan = Plan { scanned, present, replaces, missing: Vec::new(), kept: Vec::new() };
    for found in &scanned.officers {
        match known_officer(disk, places, &found.0)? {
            true => plan.kept.push(found.0.name.clone()),
            false => plan.missing.push(found),
        }
    }
    let is_here = |name: &OfficerName| {
        let file = officer::identity_file(places.officers, name);
        places.known.iter().any(|known| known.name == *name) && matches!(disk.kind(&file), Ok(Some(_)))
    };
    let have = |name: &&OfficerName| {
        scanned.officers.iter().any(|(public, _)| public.name == **name) || is_here(name)
    };
    if key.officers.iter().filter(have).count() < usize::from(key.quorum) {
        return cannot(format!(
            "fewer than {} of {} are on this station or among the scans. Scan their sheets too",
            key.quorum,
            key.holders()
        ));
    }
    Ok(plan)
}

impl Plan<'_> {
    /// The officers that will come back.
    pub fn new_officers(&self) -> impl Iterator<Item = &OfficerPublic> {
        self.missing.iter().map(|(public, _)| public)
    }

    /// Writes what was scanned into the station.
    ///
    /// # Errors
    /// A file cannot be written; running the restore once more carries on.
    pub fn put(self, disk: &dyn Disk, places: Places<'_>) -> CustodyResult<Restored> {
        let key = &self.scanned.key;
        ensure_folder(disk, places.officers, 0o700)?;
        for (public, identity) in &self.missing {
            let file = officer::identity_file(places.officers, &public.name);
            write_durably(disk, &file, 0o600, &[identity])?;
        }
        let shares = &self.scanned.shares;
        let mut files: BTreeMap<String, Vec<u8>> =
            shares.iter().map(|(name, bytes)| (sealed::share_name(name), bytes.clone())).collect();
        files.insert(SEALED.to_owned(), self.scanned.sealed.clone());
        // What this station has noted of the key since is kept; a key that came from paper alone has yet to be drilled.
        let record = self.present.unwrap_or_else(|| SealedKey { last_drill: None, ..key.clone() });
        match self.replaces {
            true => keys::put_over(disk, places.keys, &record, &files)?,
            false => keys::put_new(disk, places.keys, &record, &files)?,
        }
        let without = |name: &&OfficerName| key.quorum > 1 && !shares.contains_key(*name);
        Ok(Restored {
            officers: self.missing.iter().map(|(public, _)| public.name.clone()).collect(),
            kept: self.kept,
            without_share: key.officers.iter().filter(without).cloned().collect(),
        })
    }
}

/// Is this officer on the station, with these keys and a readable identity?
fn known_officer(disk: &dyn Disk, places: Places<'_>, scanned: &OfficerPublic) -> CustodyResult<bool> {
    let name = &scanned.name;
    let file = officer::identity_file(places.officers, name);
    let is_there = disk.kind(&file)?.is_some();
    match places.known.iter().find(|known| known.name == *name) {
        // An identity that the log does not have is not ours to overwrite.
        None if is_there => Err(CustodyError::StrayIdentity(file)),
        None => Ok(false),
        Some(known) if known.recipient != scanned.recipient || known.approval_key != scanned.approval_key => {
            cannot(format!(
                "the station has an officer {name} with other keys. A name is used once: this is the paper of another \
                 {name}, or of another station"
            ))
        }
        Some(_) if is_there => {
            Ok(disk.read(&file, seal::SEALED_CAP).is_ok_and(|bytes| seal::is_age_file(&bytes)))
        }
        Some(_) => Ok(false),
    }
}
