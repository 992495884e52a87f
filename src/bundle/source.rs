//! What a connected machine downloaded, and the request that is composed from it.

use super::compose::{ComposeError, Composed, Parameters, compose};
use super::manifest::{MAX_FILES, REQUEST_FILE, REQUEST_FORMAT};
use super::media::write_folder;
use super::{BundleError, FileFacts, RequestKind, RequestManifest};
use crate::host::clock::Time;
use crate::host::disk::Kind;
use crate::host::{Bytes, Disk};
use crate::json::{Document, Limits};
use crate::text::{shown, shown_path};
use crate::tuf::chain::MAX_CHAIN_BYTES;
use crate::tuf::root::MAX_ROOT_BYTES;
use crate::tuf::{Dialect, Digest, Targets};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// What a request is to be made of.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The Factory's name.
    pub factory: String,
    /// The wave's name.
    pub wave: String,
    /// Version, tag and the rest.
    pub parameters: Parameters,
    /// A further signature for the wave in `wave.json`, instead of a new wave.
    pub further_signature: bool,
    /// Now, for `created`.
    pub now: Time,
    /// The largest file that is read, in bytes.
    pub max_file_bytes: u64,
    /// Heads of the station's log that came back: see [`super::anchors::collect`].
    pub anchors: BTreeMap<String, Vec<u8>>,
}

/// A request, ready to be written.
pub struct ComposedRequest {
    /// The manifest.
    pub manifest: RequestManifest,
    /// Every file, the manifest included.
    pub files: BTreeMap<String, Bytes>,
    /// Names of the new targets.
    pub added: Vec<String>,
    /// Names of new targets without a static delta.
    pub without_delta: Vec<String>,
}

impl ComposedRequest {
    /// The request digest: SHA-256 of `request.json`.
    pub fn digest(&self) -> Digest {
        Digest::of(self.files.get(REQUEST_FILE).map_or(&[][..], |bytes| bytes))
    }
}

/// Why no request was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file is missing or damaged.
    #[error("{0}")]
    Bundle(#[from] BundleError),
    /// fioctl's rules do not allow it.
    #[error("{0}")]
    Compose(#[from] ComposeError),
}

impl From<crate::tuf::TufError> for SourceError {
    fn from(e: crate::tuf::TufError) -> Self {
        SourceError::Bundle(e.into())
    }
}

impl From<crate::json::JsonError> for SourceError {
    fn from(e: crate::json::JsonError) -> Self {
        SourceError::Bundle(e.into())
    }
}

/// Composes a request from a folder of downloads, laid out as `docs/request.md` says.
///
/// # Errors
/// A file is missing or damaged, or fioctl's rules do not allow the wave.
pub fn compose_request(disk: &dyn Disk, folder: &Path, ask: &Ask) -> Result<ComposedRequest, SourceError> {
    let cap = ask.max_file_bytes;
    let limits = Limits::of_bytes(cap);
    let optional = |name: &str| read_optional(disk, folder, name, cap);
    let ci_bytes = disk.read_beneath(folder, "ci-targets.json", cap).map_err(BundleError::from)?;
    let ci = Document::parse("ci-targets.json", &ci_bytes[..], limits)?;
    let production_bytes = optional("prod-targets.json")?;
    let production = match &production_bytes {
        Some(bytes) => Some(Document::parse("prod-targets.json", &bytes[..], limits)?),
        None => None,
    };
    let current = production.as_ref().and_then(|document| document.root().get(&ask.parameters.tag));
    let mut files = BTreeMap::new();
    let (signed_file, composed) = if ask.further_signature {
        (
            further_signature(disk, folder, ask)?,
            Composed { signed: Vec::new(), added: Vec::new(), without_delta: Vec::new() },
        )
    } else {
        let current = current.map(|envelope| Targets::read(envelope, Dialect::Factory)).transpose()?;
        let listed_name = format!("targets-{}.json", ask.parameters.version);
        let listed_bytes = optional(&listed_name)?;
        let listed = listed_bytes
            .as_ref()
            .map(|bytes| Document::parse(&listed_name[..], &bytes[..], limits))
            .transpose()?;
        // The service's answer for the version, or the same choice from all CI targets.
        let published = match &listed {
            Some(document) => document.root(),
            None => ci.root().require("signed")?.require("targets")?,
        };
        published.want(crate::json::Kind::Object)?;
        let mut composed = compose(published, current.as_ref(), &ask.parameters)?;
        let signed = std::mem::take(&mut composed.signed);
        ([b"{\"signatures\":[],\"signed\":".as_slice(), &signed, b"}\n"].concat(), composed)
    };
    files.insert("targets.json".to_owned(), Bytes::from(signed_file));
    if let Some(current) = current {
        files.insert("current.json".to_owned(), [current.span(), b"\n"].concat().into());
    }
    drop(ci);
    files.insert("ci-targets.json".to_owned(), ci_bytes);
    if let Some(waves) = optional("waves.json")? {
        files.insert("waves.json".to_owned(), waves);
    }
    for roots in ["prod-roots", "ci-roots"] {
        copy_roots(disk, folder, roots, &mut files)?;
    }
    files.extend(ask.anchors.iter().map(|(name, bytes)| (name.clone(), Bytes::from(bytes.clone()))));
    let manifest = RequestManifest {
        created: ask.now.to_string(),
        factory: ask.factory.clone(),
        files: files.iter().map(|(name, bytes)| (name.clone(), FileFacts::of(bytes))).collect(),
        format: REQUEST_FORMAT.to_owned(),
        kind: if ask.further_signature { RequestKind::WaveSignature } else { RequestKind::Wave },
        prune: ask.parameters.prune.iter().copied().collect(),
        source_tag: ask.parameters.source_tag.clone(),
        tag: ask.parameters.tag.clone(),
        tool: concat!("countersign ", env!("CARGO_PKG_VERSION")).to_owned(),
        version: ask.parameters.version,
        wave: ask.wave.clone(),
    };
    files.insert(REQUEST_FILE.to_owned(), manifest.to_bytes().into());
    Ok(ComposedRequest { manifest, files, added: composed.added, without_delta: composed.without_delta })
}

/// The targets of the wave in `wave.json`, with the signatures that they carry.
fn further_signature(disk: &dyn Disk, folder: &Path, ask: &Ask) -> Result<Vec<u8>, SourceError> {
    let bytes = disk.read_beneath(folder, "wave.json", ask.max_file_bytes).map_err(BundleError::from)?;
    let document = Document::parse("wave.json", &bytes[..], Limits::of_bytes(ask.max_file_bytes))?;
    let wave = document.root();
    let version = ask.parameters.version.to_string();
    for (member, wanted) in [("name", &ask.wave), ("tag", &ask.parameters.tag), ("version", &version)] {
        let value = wave.require(member)?;
        let found = value.as_str().or_else(|| value.number_text().map(Cow::Borrowed)).unwrap_or_default();
        if found != wanted.as_str() {
            return Err(value
                .invalid(format!("the wave's {member} is another one than \"{}\"", shown(wanted)))
                .into());
        }
    }
    let targets = wave.require("targets")?;
    Targets::read(targets, Dialect::Factory)?;
    Ok([targets.span(), b"\n"].concat())
}

fn read_optional(disk: &dyn Disk, folder: &Path, name: &str, cap: u64) -> Result<Option<Bytes>, BundleError> {
    match disk.read_beneath(folder, name, cap) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.is_missing() => Ok(None),
        Err(e) => Err(e.into()),
    }
}

fn copy_roots(
    disk: &dyn Disk,
    folder: &Path,
    roots: &str,
    files: &mut BTreeMap<String, Bytes>,
) -> Result<(), BundleError> {
    let inner = folder.join(roots);
    if roots == "ci-roots" && disk.kind(&inner)?.is_none() {
        return Ok(());
    }
    let mut left = MAX_CHAIN_BYTES;
    for entry in disk.list(&inner, MAX_FILES)? {
        if let Kind::File(length) = entry.kind
            && is_root_file(&entry.name)
        {
            left = left.checked_sub(length).ok_or_else(|| BundleError::NotABundle {
                path: shown_path(&inner),
                why: format!("its roots have more than {} MiB together", MAX_CHAIN_BYTES >> 20),
            })?;
            let name = format!("{roots}/{}", entry.name);
            let bytes = disk.read_beneath(folder, &name, MAX_ROOT_BYTES)?;
            files.insert(name, bytes);
        }
    }
    Ok(())
}

/// Is it `N.root.json`?
pub fn is_root_file(name: &str) -> bool {
    name.strip_suffix(".root.json")
        .is_some_and(|n| !n.is_empty() && n.len() < 10 && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Writes a composed request into a new folder.
///
/// # Errors
/// As [`write_folder`].
pub fn write_request(disk: &dyn Disk, folder: &Path, request: &ComposedRequest) -> Result<(), BundleError> {
    let files =
        request.files.iter().map(|(name, bytes)| (name.clone(), vec![Cow::Borrowed(&bytes[..])])).collect();
    write_folder(disk, folder, &files)
}
