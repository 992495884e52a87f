//! The fingerprint of a file: one digest that two machines compare, by the kind of the file, in hex and in words.

use super::BundleError;
use super::manifest::{REQUEST_FILE, REQUEST_FORMAT};
use super::signed::{SIGNED_FILE, SIGNED_FORMAT};
use crate::host::Disk;
use crate::host::disk::Kind;
use crate::json::{Document, Limits, Value};
use crate::text::{shown, shown_path};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::{LARGEST_NOTE, Note, VerifierKey};
use crate::tuf::root::MAX_ROOT_BYTES;
use crate::tuf::{Dialect, Digest, Metadata, Root, keyfile};
use std::path::Path;

/// A file longer than this is refused unread.
const LARGEST_FILE: u64 = 1 << 30;
/// A longer file is not read as JSON: its fingerprint is that of its bytes.
const LARGEST_DOCUMENT: u64 = 256 << 20;
/// The longest public key file.
const LARGEST_KEY: usize = 64 << 10;

/// What is compared of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fingerprint {
    /// What the file is, in words; foreign text in it is escaped.
    pub kind: String,
    /// What the digest is of.
    pub of: &'static str,
    /// The digest; of a log's head, the root of its tree.
    pub digest: Digest,
}

/// Tells what a file, a request's folder or a signed bundle's folder is, and its fingerprint. Nothing is verified: who
/// compares the words with the other side's knows that both have the same.
pub(crate) fn fingerprint(disk: &dyn Disk, path: &Path) -> Result<Fingerprint, BundleError> {
    let bytes = match disk.kind(path)? {
        Some(Kind::Folder) => {
            let manifest = [REQUEST_FILE, SIGNED_FILE];
            let mut found = None;
            for name in manifest {
                if found.is_none() && disk.kind(&path.join(name))?.is_some() {
                    found = Some(disk.read_beneath(path, name, LARGEST_DOCUMENT)?);
                }
            }
            found.ok_or_else(|| BundleError::NotABundle {
                path: shown_path(path),
                why: format!(
                    "this folder has neither {REQUEST_FILE} nor {SIGNED_FILE}. Give a file, or the folder of a request \
                     or of a signed bundle"
                ),
            })?
        }
        _ => disk.read(path, LARGEST_FILE)?.into(),
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(of_head(&bytes)
        .or_else(|| of_log_key(&bytes))
        .or_else(|| of_document(&name, &bytes))
        .unwrap_or_else(|| of_bytes("a file", &bytes)))
}

fn of_bytes(kind: &str, bytes: &[u8]) -> Fingerprint {
    Fingerprint { kind: kind.to_owned(), of: "the SHA-256 of its bytes", digest: Digest::of(bytes) }
}

/// A log's head: the root of the tree, and its size, which is written down with it.
fn of_head(bytes: &[u8]) -> Option<Fingerprint> {
    let note = bytes.get(..LARGEST_NOTE.min(bytes.len())).filter(|start| start.len() == bytes.len())?;
    let head = Checkpoint::parse_text(Note::parse(note).ok()?.text()).ok()?;
    Some(Fingerprint {
        kind: format!("the head of the log {}, size {}", shown(&head.origin), head.size),
        of: "the root of its tree",
        digest: Digest(head.root),
    })
}

/// A log's public key, as the line that stands on the cover page and in the evidence pack.
fn of_log_key(bytes: &[u8]) -> Option<Fingerprint> {
    let line = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LARGEST_NOTE)?.trim();
    let key = VerifierKey::parse(line).ok()?;
    Some(Fingerprint {
        kind: format!(
            "the key of the {} {}",
            if key.is_witness() { "witness" } else { "log" },
            shown(key.name())
        ),
        of: "the SHA-256 of its line, line feed included",
        digest: Digest(key.fingerprint()),
    })
}

/// What is JSON and known.
fn of_document(name: &str, bytes: &[u8]) -> Option<Fingerprint> {
    if bytes.len() as u64 > LARGEST_DOCUMENT {
        return None;
    }
    let document = Document::parse(name, bytes, Limits::of_bytes(LARGEST_DOCUMENT)).ok()?;
    let root = document.root();
    match root.get("format").and_then(|format| format.as_str()).as_deref() {
        Some(REQUEST_FORMAT) => return Some(of_bytes("a request", bytes)),
        Some(SIGNED_FORMAT) => return Some(of_bytes("a signed bundle", bytes)),
        _ => {}
    }
    if root.get("keytype").is_some() && bytes.len() <= LARGEST_KEY {
        let key = keyfile::public_key(name, bytes).ok()?;
        return Some(Fingerprint {
            kind: format!("a public key ({})", key.keytype()),
            of: "the SHA-256 of the key (DER SubjectPublicKeyInfo)",
            digest: Digest::of(&key.subject_public_key_info()),
        });
    }
    of_metadata(name, bytes, root)
}

/// A root, or targets metadata: what is signed, in canonical form.
fn of_metadata(name: &str, bytes: &[u8], root: Value<'_>) -> Option<Fingerprint> {
    const CANONICAL: &str = "the SHA-256 of what is signed, in canonical form";
    let signed = root.get("signed")?;
    let role = signed.get("_type")?.as_str()?.to_ascii_lowercase();
    match role.as_str() {
        "root" if bytes.len() as u64 <= MAX_ROOT_BYTES => {
            let root = Root::parse(name, bytes).ok()?;
            let kind = format!("{} root, version {}", root.dialect.described(), root.version);
            Some(Fingerprint { kind, of: CANONICAL, digest: root.fingerprint })
        }
        "targets" => {
            let is_specified = signed.get("spec_version").is_some();
            let dialect = if is_specified { Dialect::Specification } else { Dialect::Factory };
            let targets = Metadata::read(root, dialect, "targets").ok()?;
            let digest = targets.message().ok()?.digest();
            let kind = format!("{} targets, version {}", dialect.described(), targets.version);
            Some(Fingerprint { kind, of: CANONICAL, digest })
        }
        _ => None,
    }
}
