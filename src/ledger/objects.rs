//! What is too large for a line, stored under its own digest: rendered reviews, requests, signed bytes, roots, policies.

use super::error::LogError;
use crate::host::disk::{Kind, write_durably};
use crate::host::{Bytes, Disk};
use crate::json::Limits;
use crate::tlog::flaw::{Flaw, FlawKind};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The folder with the objects, within the log's.
pub(crate) const FOLDER: &str = "objects/sha256";
/// The most bytes of an object: a targets file a hundred times larger than any device reads.
pub(crate) const LARGEST: u64 = 1 << 30;
/// The most bytes of a review: the station keeps none that is longer, and the auditor and `verify.py` read none.
pub(crate) const LARGEST_REVIEW: u64 = 1 << 28;

/// What a review of this length may hold: a target's content stands a few levels deeper in it than in its own document.
pub(crate) fn review_limits(bytes: usize) -> Limits {
    Limits { bytes: LARGEST_REVIEW.min(bytes as u64), depth: 2 * Limits::DEFAULT.depth }
}

/// A digest as the name of an object: 64 lower-case hex digits.
pub(crate) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Stores bytes under their digest, durably; returns the digest. What is there already is not written again.
///
/// # Errors
/// The disk, or an object of that name with other bytes.
pub(crate) fn put(disk: &dyn Disk, dir: &Path, bytes: &[u8]) -> Result<String, LogError> {
    put_named(disk, dir, hex::encode(Sha256::digest(bytes)), bytes)
}

/// As [`put`], of bytes whose digest is at hand.
///
/// # Errors
/// As [`put`].
pub(crate) fn put_named(
    disk: &dyn Disk,
    dir: &Path,
    digest: String,
    bytes: &[u8],
) -> Result<String, LogError> {
    debug_assert_eq!(digest, hex::encode(Sha256::digest(bytes)));
    let (folder, path) = (dir.join(FOLDER), dir.join(FOLDER).join(&digest));
    let is_there = |length| disk.read_beneath(&folder, &digest, length).is_ok_and(|there| *there == *bytes);
    match disk.kind(&path)? {
        None => write_durably(disk, &path, 0o600, &[bytes])?,
        Some(Kind::File(length)) if length == bytes.len() as u64 && is_there(length) => {}
        Some(_) => return Err(changed(&digest).into()),
    }
    Ok(digest)
}

/// The bytes with this digest, checked.
///
/// # Errors
/// It is not a digest, there is no such object, or its bytes have another digest.
pub(crate) fn get(disk: &dyn Disk, dir: &Path, digest: &str) -> Result<Bytes, LogError> {
    if !is_digest(digest) {
        return Err(Flaw::new(FlawKind::Object, "it is not a digest of 64 hex digits").into());
    }
    let name = format!("{FOLDER}/{digest}");
    let bytes = disk.read_beneath(dir, &name, LARGEST).map_err(|e| match e.is_missing() {
        true => LogError::Tampered(Flaw::new(FlawKind::Object, "the object is missing").in_file(&name)),
        false => e.into(),
    })?;
    if hex::encode(Sha256::digest(&bytes)) == digest { Ok(bytes) } else { Err(changed(digest).into()) }
}

fn changed(digest: &str) -> Flaw {
    Flaw::new(FlawKind::Object, "the object's bytes do not have the digest that it is named after")
        .in_file(format!("{FOLDER}/{digest}"))
}
