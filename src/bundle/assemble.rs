//! On the connected machine: a request that is still there and a signature slip become the signed bundle.

use super::intake::{Request, take_in_folder};
use super::manifest::{DELEGATING_FILE, REQUEST_FILE};
use super::media::{Files, write_folder};
use super::signed::{
    LogHead, RootFacts, SIGNED_FILE, SIGNED_FORMAT, SUMS_FILE, SignedManifest, SigningKey, documents,
    passed_on, sum_line,
};
use super::slip::Slip;
use super::verify::{Verdict, verify};
use super::{BundleError, FileFacts};
use crate::host::Disk;
use crate::json::{Document, Limits};
use crate::text::shown_path;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::Note;
use crate::tuf::{Authority, Chain, Digest, Root, Targets};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// Puts a slip's signature into the request that it was made for, writes the bundle and verifies it from the bytes on the
/// medium. It has neither the review nor the receipt, and its manifest says that it was assembled.
///
/// # Errors
/// The slip is another request's, its signature does not hold over these bytes by a key of the request's newest root, the
/// folder is not empty, or the medium cannot be written.
pub(crate) fn assemble(
    disk: &dyn Disk,
    folder: &Path,
    slip: &Slip,
    out: &Path,
    cap: u64,
) -> Result<Verdict, BundleError> {
    let request = take_in_folder(disk, folder, cap)?;
    if request.digest != slip.request {
        return Err(refused(
            folder,
            &format!(
                "the slip is for the request {}, this one is {}. Give the folder of the request that was carried to the \
                 station",
                slip.request, request.digest
            ),
        ));
    }
    let roots: Result<Vec<Root>, _> =
        request.production_roots().map(|(name, bytes)| Root::parse(name, bytes)).collect();
    let chain = Chain::verify(roots?)?;
    let files = files(folder, &request, slip, &chain)?;
    write_folder(disk, out, &files)?;
    verify(disk, out, Some(&chain), cap)
}

fn refused(folder: &Path, why: &str) -> BundleError {
    BundleError::NotABundle { path: shown_path(folder), why: why.to_owned() }
}

/// Everything in the bundle.
fn files(
    folder: &Path,
    request: &Request,
    slip: &Slip,
    chain: &Chain,
) -> Result<Files<'static>, BundleError> {
    let root = chain.newest();
    let bytes = request.file("targets.json").unwrap_or_default();
    let document = Document::parse("targets.json", bytes, Limits::of_bytes(bytes.len() as u64))?;
    let targets = Targets::read(document.root(), root.dialect)?;
    let message = targets.metadata.message()?;
    let delegating = request.delegating()?;
    let authority =
        Authority::of(root, request.manifest.kind.role(&request.manifest.tag), delegating.as_ref())?;
    let key = authority.root().key_in_role(&authority.role, &slip.keyid);
    let holds =
        key.filter(|key| message.digest() == slip.signed && key.verify(message.bytes(), &slip.signature));
    let Some(key) = holds else {
        return Err(refused(
            folder,
            &format!(
                "the slip's signature by the key {} does not hold over the bytes of this request. Scan the slip again; if \
                 that does not help, tell the officers",
                slip.keyid
            ),
        ));
    };
    let ours = root.dialect.signature_json(&slip.keyid, key, &slip.signature);
    let mut all = passed_on(&targets.metadata, &authority, |keyid| *keyid == slip.keyid)?;
    all.push(ours.clone());
    let signed = targets.metadata.signed.span();
    let mut files: Files<'static> = documents((&request.manifest).into(), signed, &all, &[ours])
        .into_iter()
        .map(|(name, parts)| (name, parts.into_iter().map(|part| Cow::Owned(part.into_owned())).collect()))
        .collect();
    for name in [DELEGATING_FILE, REQUEST_FILE] {
        if let Some(bytes) = request.file(name) {
            files.insert(name.to_owned(), vec![Cow::Owned(bytes.to_vec())]);
        }
    }
    files.insert("log/checkpoint".to_owned(), vec![Cow::Owned(slip.head.clone().into_bytes())]);
    let facts: BTreeMap<String, FileFacts> =
        files.iter().map(|(name, parts)| (name.clone(), FileFacts::of(&parts.concat()))).collect();
    let mut sums: Vec<String> = facts.iter().map(|(name, facts)| sum_line(name, &facts.sha256)).collect();
    let signer = SigningKey {
        keyid: slip.keyid.to_string(),
        keytype: key.keytype().to_owned(),
        officers: Vec::new(),
        public: key.text().to_owned(),
        seq: 0,
        strength: String::new(),
        time: String::new(),
    };
    let manifest = manifest(request, slip, root, signer, facts).to_bytes();
    sums.push(sum_line(SIGNED_FILE, &Digest::of(&manifest).to_string()));
    files.insert(SIGNED_FILE.to_owned(), vec![Cow::Owned(manifest)]);
    files.insert(SUMS_FILE.to_owned(), vec![Cow::Owned(sums.concat().into_bytes())]);
    Ok(files)
}

/// What a slip does not carry (officers, findings, review, the log's key) stays empty.
fn manifest(
    request: &Request,
    slip: &Slip,
    root: &Root,
    key: SigningKey,
    files: BTreeMap<String, FileFacts>,
) -> SignedManifest {
    let head =
        Note::parse(slip.head.as_bytes()).ok().and_then(|note| Checkpoint::parse_text(note.text()).ok());
    let (origin, size) = head.map(|head| (head.origin, head.size)).unwrap_or_default();
    let of = &request.manifest;
    SignedManifest {
        assembled: true,
        dialect: root.dialect.name().to_owned(),
        factory: of.factory.clone(),
        files,
        findings: Vec::new(),
        format: SIGNED_FORMAT.to_owned(),
        keys: vec![key],
        kind: of.kind,
        log: LogHead { key: String::new(), origin, size },
        networked: false,
        request: request.digest.to_string(),
        review: String::new(),
        root: RootFacts { fingerprint: root.fingerprint.to_string(), version: root.version },
        signed: slip.signed.to_string(),
        tag: of.tag.clone(),
        tool: concat!("countersign ", env!("CARGO_PKG_VERSION")).to_owned(),
        version: of.version,
        wave: of.wave.clone(),
    }
}
