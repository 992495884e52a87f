//! The requests that were taken in: the bytes as they came, and what happened to them since.

use super::{Layout, Station, StationError, Taken};
use crate::bundle::BundleError;
use crate::bundle::intake::{Request, take_in_files};
use crate::bundle::manifest::REQUEST_FILE;
use crate::bundle::media::{Parts, write_folder};
use crate::host::Disk;
use crate::host::disk::{Kind, ensure_folder, write_durably};
use crate::json::{Document, Limits};
use crate::text::shown;
use crate::tuf::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of the request's own files.
const FILES: &str = "request";
/// How it came in.
const IMPORT_FILE: &str = "import.json";

/// How a request came in: for people who look into the folder. Who took it in is believed from the log alone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// `countersign/import/1`.
    pub format: String,
    /// Was it a bare file, without evidence? The manifest shows it, too.
    pub bare: bool,
    /// The officer who took it in, when one was named.
    pub importer: String,
    /// The path that it came from, escaped.
    pub source: String,
    /// When.
    pub time: String,
}

/// A signature that this station made for a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Made {
    /// `countersign/signature/1`.
    pub format: String,
    /// The findings that stood when it was made: check and severity.
    pub findings: Vec<(String, String)>,
    /// The key.
    pub keyid: String,
    /// Its public value, as root has it.
    pub public: String,
    /// Its type, as a Factory's root has it.
    pub keytype: String,
    /// The officers who opened the key.
    pub officers: Vec<String>,
    /// Digest of the review that was confirmed.
    pub review: String,
    /// The root version that lists the key.
    pub root_version: u64,
    /// The number of the log entry `sign.result`.
    pub seq: u64,
    /// The signature, as it stands in the metadata: one JSON object.
    pub signature: String,
    /// Digest of the canonical `signed`.
    pub signed: String,
    /// L0 one person, L1 split unlock, L2 several TUF keys.
    pub strength: String,
    /// When.
    pub time: String,
}

/// A request in the station.
pub struct StoredRequest {
    /// The request, whole and verified against its manifest again.
    pub request: Request,
    /// How it came in.
    pub import: Import,
    folder: PathBuf,
}

/// The shortest part of a request digest that names a request.
const MIN_PREFIX: usize = 6;

/// Stores a request that was taken in. One that is there already is left as it is, unless its files were changed: they
/// are set aside then, and written anew. Returns whether that was so.
pub(crate) fn store(station: &Station, request: &Request, import: &Import) -> Result<bool, StationError> {
    let (disk, layout) = (station.disk(), &station.layout);
    let folder = layout.requests().join(request.digest.to_string());
    if disk.kind(&folder)?.is_some() {
        let was_changed = match read_files(disk, &folder, request.digest, |_| true) {
            Err(StationError::RequestChanged { .. }) => {
                put_right(disk, &folder, request)?;
                true
            }
            read => read.map(|_| false)?,
        };
        let path = folder.join(IMPORT_FILE);
        let agrees = |known: Import| check_import(&station.taken, request.digest, &known).is_ok();
        if read_json(disk, &path).is_ok_and(agrees) {
            return Ok(was_changed);
        }
        write_durably(disk, &path, 0o600, &[&to_json(import)])?;
        // What the log does not have yet was left behind by a crash.
        return Ok(was_changed || station.taken.has(request.digest));
    }
    ensure_folder(disk, &layout.requests(), 0o700)?;
    let import = to_json(import);
    let mut files: BTreeMap<String, Parts<'_>> = BTreeMap::new();
    for (name, bytes) in &request.files {
        files.insert(format!("{FILES}/{name}"), vec![Cow::Borrowed(bytes)]);
    }
    files.insert(IMPORT_FILE.to_owned(), vec![Cow::Owned(import)]);
    write_folder(disk, &folder, &files)?;
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

/// Opens a stored request: every file is compared with the manifest again, and how it came in with the log.
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
    let disk = station.disk();
    let folder = station.layout.requests().join(digest.to_string());
    let import: Import = read_json(disk, &folder.join(IMPORT_FILE))?;
    check_import(&station.taken, digest, &import)?;
    let request = read_files(disk, &folder, digest, wanted)?;
    Ok(StoredRequest { request, import, folder })
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

/// Checks that the note about the import says of the importer what the log says.
fn check_import(logged: &Taken, request: Digest, import: &Import) -> Result<(), StationError> {
    if !logged.has(request) {
        return Err(StationError::RequestNotTaken { request });
    }
    if logged.was_by(request, &import.importer) {
        return Ok(());
    }
    let what = match import.importer.as_str() {
        "" => format!("{IMPORT_FILE}: it names no importer, and the log does"),
        name => format!("{IMPORT_FILE}: it names {} as the importer, and the log does not", shown(name)),
    };
    Err(StationError::RequestChanged { request, what })
}

impl StoredRequest {
    /// A request that is about to be stored.
    pub fn unsaved(layout: &Layout, request: Request, import: Import) -> StoredRequest {
        let folder = layout.requests().join(request.digest.to_string());
        StoredRequest { request, import, folder }
    }

    /// The request's digest.
    pub(crate) fn digest(&self) -> Digest {
        self.request.digest
    }

    /// A file of the station about this request.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The signatures that were made for it, by key id.
    pub(crate) fn signatures(&self, disk: &dyn Disk) -> Result<Vec<Made>, StationError> {
        self.all_in(disk, "signatures")
    }

    /// Keeps a signature.
    pub(crate) fn keep_signature(&self, disk: &dyn Disk, made: &Made) -> Result<(), StationError> {
        self.keep_in(disk, "signatures", &made.keyid, made)
    }

    /// All JSON files of one kind about this request, by file name.
    pub(crate) fn all_in<T: DeserializeOwned>(
        &self,
        disk: &dyn Disk,
        kind: &str,
    ) -> Result<Vec<T>, StationError> {
        let folder = self.path(kind);
        if disk.kind(&folder)?.is_none() {
            return Ok(Vec::new());
        }
        let files = disk.list(&folder, 1024)?.into_iter().filter(|entry| entry.name.ends_with(".json"));
        files.map(|entry| read_json(disk, &folder.join(&entry.name))).collect()
    }

    /// Keeps a JSON file of one kind about this request.
    pub(crate) fn keep_in<T: Serialize>(
        &self,
        disk: &dyn Disk,
        kind: &str,
        name: &str,
        value: &T,
    ) -> Result<(), StationError> {
        let folder = self.path(kind);
        ensure_folder(disk, &folder, 0o700)?;
        Ok(write_durably(disk, &folder.join(format!("{name}.json")), 0o600, &[&to_json(value)])?)
    }
}

/// A station's own JSON file: two spaces of indentation, a line feed at the end.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    // Structs of texts and numbers always have a JSON form.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Reads a station's own JSON file, strictly.
pub(crate) fn read_json<T: DeserializeOwned>(
    disk: &dyn Disk,
    path: &std::path::Path,
) -> Result<T, StationError> {
    let bytes = disk.read(path, 16 << 20)?;
    let name = crate::text::shown_path(path);
    Document::parse(name.clone(), &bytes[..], Limits::of_bytes(16 << 20))
        .map_err(crate::bundle::BundleError::from)?;
    serde_json::from_slice(&bytes).map_err(|e| StationError::File { path: name, why: shown(&e.to_string()) })
}
