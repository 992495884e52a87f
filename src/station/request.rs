//! The requests that were taken in: the bytes as they came, and what happened to them since.

use super::{Layout, Station, StationError};
use crate::bundle::BundleError;
use crate::bundle::intake::{Request, take_in_files};
use crate::bundle::manifest::REQUEST_FILE;
use crate::bundle::media::write_folder;
use crate::host::Disk;
use crate::host::disk::{Kind, ensure_folder};
use crate::text::shown;
use crate::tuf::Digest;
use std::borrow::Cow;
use std::path::Path;

/// The folder of the request's own files.
const FILES: &str = "request";

/// A request in the station.
pub struct StoredRequest {
    /// The request, whole and verified against its manifest again.
    pub request: Request,
}

/// The shortest part of a request digest that names a request.
const MIN_PREFIX: usize = 6;

/// Stores a request that was taken in. One that is there already is left as it is, unless its files were changed: they
/// are set aside then, and written anew. Returns whether that was so.
pub(crate) fn store(station: &Station, request: &Request) -> Result<bool, StationError> {
    let (disk, layout) = (station.disk(), &station.layout);
    let folder = layout.requests().join(request.digest.to_string());
    if disk.kind(&folder)?.is_some() {
        return match read_files(disk, &folder, request.digest, |_| true) {
            Err(StationError::RequestChanged { .. }) => {
                put_right(disk, &folder, request)?;
                Ok(true)
            }
            read => read.map(|_| false),
        };
    }
    ensure_folder(disk, &layout.requests(), 0o700)?;
    let whole = request.files.iter();
    let whole = whole.map(|(name, bytes)| (format!("{FILES}/{name}"), vec![Cow::Borrowed(&bytes[..])]));
    write_folder(disk, &folder, &whole.collect())?;
    Ok(false)
}

/// Writes a request's files anew. Those that were changed are kept beside them: somebody will want to look at them.
fn put_right(disk: &dyn Disk, folder: &Path, request: &Request) -> Result<(), StationError> {
    let files = folder.join(FILES);
    if disk.kind(&files)?.is_some() {
        let mut number = 1u32;
        let mut aside = folder.join(format!("{FILES}.changed-{number}"));
        while disk.kind(&aside)?.is_some() {
            number = number.saturating_add(1);
            aside = folder.join(format!("{FILES}.changed-{number}"));
        }
        disk.rename(&files, &aside)?;
    }
    let whole = request.files.iter().map(|(name, bytes)| (name.clone(), vec![Cow::Borrowed(&bytes[..])]));
    Ok(write_folder(disk, &files, &whole.collect())?)
}

/// The digests of all requests, sorted.
pub(crate) fn list(disk: &dyn Disk, layout: &Layout) -> Result<Vec<Digest>, StationError> {
    if disk.kind(&layout.requests())?.is_none() {
        return Ok(Vec::new());
    }
    let entries = disk.list(&layout.requests(), 1 << 20)?;
    let folders = entries.into_iter().filter(|entry| entry.kind == Kind::Folder);
    Ok(folders.filter_map(|entry| Digest::parse(&entry.name)).collect())
}

/// The request that came in last.
///
/// # Errors
/// There is none.
pub(crate) fn newest(station: &super::Station) -> Result<Digest, StationError> {
    station.taken.newest().ok_or_else(|| StationError::RequestId {
        id: String::new(),
        why: "nothing was imported yet. Run `countersign import PATH`".to_owned(),
    })
}

/// Finds a request by the beginning of its digest.
///
/// # Errors
/// Too short, none, or several.
pub(crate) fn find(disk: &dyn Disk, layout: &Layout, id: &str) -> Result<Digest, StationError> {
    let wanted = id.trim().to_ascii_lowercase();
    if wanted.len() < MIN_PREFIX || !wanted.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(StationError::RequestId {
            id: shown(id),
            why: format!("at least {MIN_PREFIX} hex digits of the request digest are needed"),
        });
    }
    let matching: Vec<_> =
        list(disk, layout)?.into_iter().filter(|digest| digest.to_string().starts_with(&wanted)).collect();
    match matching.as_slice() {
        [one] => Ok(*one),
        [] => Err(StationError::RequestId {
            id: shown(id),
            why: "this station has no such request. See `countersign status`".into(),
        }),
        several => Err(StationError::RequestId {
            id: shown(id),
            why: format!("{} requests begin so, give more digits", several.len()),
        }),
    }
}

/// Opens a stored request: every file is compared with the manifest again.
///
/// # Errors
/// It was changed in the station since it was taken in, or the log does not say that it was.
pub fn open(station: &Station, digest: Digest) -> Result<StoredRequest, StationError> {
    open_files(station, digest, |_| true)
}

/// The station's copy was whole when it was stored: what is not whole now was changed. A disk that cannot be read is
/// another matter.
fn changed(request: Digest, e: BundleError) -> StationError {
    let what = match e {
        BundleError::Disk { source } if !source.is_missing() => return source.into(),
        BundleError::NotWhole { file, why } => format!("{file}: {why}"),
        BundleError::NotABundle { .. } => format!("{REQUEST_FILE} is missing"),
        other => other.to_string(),
    };
    StationError::RequestChanged { request, what }
}

/// As [`open`], with the manifest and the files that are wanted; the others are not read.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_files(
    station: &Station,
    digest: Digest,
    wanted: impl Fn(&str) -> bool,
) -> Result<StoredRequest, StationError> {
    if !station.taken.has(digest) {
        return Err(StationError::RequestNotTaken { request: digest });
    }
    let folder = station.layout.requests().join(digest.to_string());
    Ok(StoredRequest { request: read_files(station.disk(), &folder, digest, wanted)? })
}

/// Reads a stored request's own files.
fn read_files(
    disk: &dyn Disk,
    folder: &Path,
    digest: Digest,
    wanted: impl Fn(&str) -> bool,
) -> Result<Request, StationError> {
    // The cap was applied when it was taken in; what is stored here is as large as it is.
    let request = take_in_files(disk, &folder.join(FILES), u64::from(u32::MAX) - 1, wanted)
        .map_err(|e| changed(digest, e))?;
    if request.digest == digest {
        return Ok(request);
    }
    let what = format!("{REQUEST_FILE}: it is another manifest");
    Err(StationError::RequestChanged { request: digest, what })
}

impl StoredRequest {
    /// The request's digest.
    pub(crate) fn digest(&self) -> Digest {
        self.request.digest
    }
}
