//! The paper backup of a key: a sheet for the sealed key and one for each officer, with pictures of every QR code.

use crate::host::disk::{ensure_folder, is_free};
use crate::host::{Disk, clock::Time};
use crate::vault::error::{CustodyError, CustodyResult};
use crate::vault::keys;
use crate::vault::officer::{self, OfficerName, OfficerPublic};
use crate::vault::paper::{Document, Paper};
use crate::vault::record::compact_bytes;
use crate::vault::seal::SEALED_CAP;
use crate::vault::sealed::{self, SEALED, SealedKey};
use crate::vault::sheet::Sheet;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What a backup wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    /// The sheets to print, the key's own first.
    pub sheets: Vec<PathBuf>,
    /// How many QR codes, each as SVG and PNG.
    pub codes: usize,
}

/// Where a station keeps what a backup needs.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    /// The folder of the officers.
    pub officers: &'a Path,
    /// The folder of the keys.
    pub keys: &'a Path,
    /// The officers whom the log has.
    pub known: &'a [OfficerPublic],
}

/// Writes the sheets of a key's paper backup into a folder, which is made, or must be empty. Nothing secret is opened:
/// what is printed stays sealed.
///
/// # Errors
/// The key or an officer is missing, a sealed file is not the one that was sealed, or the folder is not empty.
pub fn backup(
    disk: &dyn Disk,
    places: Places<'_>,
    keyid: &str,
    factory: &str,
    now: Time,
    out: &Path,
) -> CustodyResult<Backup> {
    let key = keys::load(disk, places.keys, keyid)?;
    ensure_folder(disk, out, 0o700)?;
    if !is_free(disk, out)? {
        return Err(CustodyError::NotEmpty(out.to_owned()));
    }
    let short = key.keyid.get(..8).unwrap_or_default();
    let mut backup = Backup { sheets: Vec::new(), codes: 0 };
    let mut written = Vec::new();
    let mut print = |stem: String, title: String, officer: Option<&OfficerName>, documents: &[Document]| {
        let officer = officer.map(OfficerName::as_str);
        let sheet = Sheet { title, factory, key: &key, made: now.to_string(), officer, documents };
        let codes = sheet.codes()?;
        let path = out.join(format!("{stem}.html"));
        disk.create(&path, 0o600, &[sheet.html(&codes).as_bytes()])?;
        written.push(path.clone());
        for code in &codes {
            let picture = |kind: &str| out.join(format!("{stem}.{}.{kind}", code.file_stem()));
            disk.create(&picture("svg"), 0o600, &[code.qr.svg().into_string().as_bytes()])?;
            disk.create(&picture("png"), 0o600, &[&code.qr.png()?])?;
            written.extend([picture("svg"), picture("png")]);
        }
        backup.sheets.push(path);
        backup.codes += codes.len();
        CustodyResult::Ok(())
    };
    let documents = key_documents(disk, places, &key)?;
    print(format!("key-{short}"), format!("Paper backup: sealed signing key {short}"), None, &documents)?;
    for name in &key.officers {
        let documents = officer_documents(disk, places, &key, name)?;
        let title = format!("Paper backup: {name}'s sheet for the signing key {short}");
        print(format!("key-{short}-{name}"), title, Some(name), &documents)?;
    }
    // The folder was empty: a backup that was cut short is seen by its missing sheets, and is made again.
    written.iter().try_for_each(|path| disk.sync(path))?;
    disk.sync_folder(out)?;
    Ok(backup)
}

/// A sealed file as it was sealed: a damaged one is noticed now, not when the paper is needed.
fn sealed_file(disk: &dyn Disk, folder: &Path, key: &SealedKey, name: &str) -> CustodyResult<Vec<u8>> {
    let bytes = keys::read_file(disk, folder, key, name)?;
    if key.files.get(name) != Some(&hex::encode(Sha256::digest(&bytes))) {
        return Err(CustodyError::BadFile {
            path: folder.join(name),
            problem: "it is not the file that was sealed: its SHA-256 is not the one in public.json"
                .to_owned(),
        });
    }
    Ok(bytes)
}

fn key_documents(disk: &dyn Disk, places: Places<'_>, key: &SealedKey) -> CustodyResult<Vec<Document>> {
    let folder = keys::key_folder(places.keys, &key.keyid)?;
    Ok(vec![
        Document { paper: Paper::Sealed(key.keyid.clone()), bytes: sealed_file(disk, &folder, key, SEALED)? },
        Document { paper: Paper::Record(key.keyid.clone()), bytes: compact_bytes(key)? },
    ])
}

fn officer_documents(
    disk: &dyn Disk,
    places: Places<'_>,
    key: &SealedKey,
    name: &OfficerName,
) -> CustodyResult<Vec<Document>> {
    let public = places.known.iter().find(|known| known.name == *name);
    let public = public.ok_or_else(|| CustodyError::NoSuchOfficer(name.clone()))?;
    let identity = officer::identity_file(places.officers, name);
    let mut documents = vec![
        Document { paper: Paper::OfficerIdentity(name.clone()), bytes: disk.read(&identity, SEALED_CAP)? },
        Document { paper: Paper::OfficerPublic(name.clone()), bytes: compact_bytes(public)? },
    ];
    if key.quorum > 1 {
        let folder = keys::key_folder(places.keys, &key.keyid)?;
        let bytes = sealed_file(disk, &folder, key, &sealed::share_name(name))?;
        documents.insert(0, Document { paper: Paper::Share(key.keyid.clone(), name.clone()), bytes });
    }
    Ok(documents)
}
