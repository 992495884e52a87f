//! The request that is composed from what a connected machine downloaded.

use super::compose::{ComposeError, Composed, Parameters, compose, is_tag};
use super::downloads::{Downloads, Wanted, read_production};
use super::intake::Request;
use super::manifest::{REQUEST_FILE, REQUEST_FORMAT};
use super::media::write_folder;
use super::{BundleError, FileFacts, RequestKind, RequestManifest, WaveList, WaveStatus};
use crate::host::clock::Time;
use crate::host::{Bytes, Disk};
use crate::json::{Document, Kind, Limits, Value};
use crate::tuf::targets::{OFFLINE_BUNDLE, list};
use crate::tuf::{Chain, Dialect, Digest, PublicKey, Target, Targets, TufError};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a request is to be made of.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The Factory's name.
    pub factory: String,
    /// What is to be signed.
    pub what: Asked,
    /// Now, for `created`.
    pub now: Time,
    /// The largest file that is read, in bytes.
    pub max_file_bytes: u64,
    /// Heads of the station's log that came back: see [`super::anchors::collect`].
    pub anchors: BTreeMap<String, Vec<u8>>,
}

/// What is to be signed.
#[derive(Clone, Debug)]
pub enum Asked {
    /// A new wave.
    Wave {
        /// Its name.
        wave: String,
        /// Version, tag and the rest.
        parameters: Parameters,
        /// Is it said to be the first wave of a tag that nothing knows yet?
        is_first: bool,
    },
    /// A further signature for the wave in `wave.json`. What is given here must be what the wave has.
    FurtherSignature {
        /// The wave's name.
        wave: Option<String>,
        /// Its version.
        version: Option<u64>,
        /// Its tag.
        tag: Option<String>,
    },
    /// The tag's production targets, signed again after keys were rotated.
    Resign {
        /// The device tag.
        tag: String,
    },
    /// The list of an offline bundle.
    OfflineBundle {
        /// `bundle-targets.json`, or the answer of the service that holds it.
        file: PathBuf,
        /// The device tag.
        tag: String,
    },
}

/// A request, ready to be written.
pub struct ComposedRequest {
    /// The request, as the station will take it in.
    pub request: Request,
    /// Names of the new targets.
    pub added: Vec<String>,
    /// Names of new targets without a static delta.
    pub without_delta: Vec<String>,
    /// The production roots that were downloaded, verified from the first to the newest.
    pub chain: Chain,
    /// The service's online targets key, where it was downloaded.
    pub online_key: Option<PublicKey>,
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

impl From<TufError> for SourceError {
    fn from(e: TufError) -> Self {
        SourceError::Bundle(e.into())
    }
}

impl From<crate::json::JsonError> for SourceError {
    fn from(e: crate::json::JsonError) -> Self {
        SourceError::Bundle(e.into())
    }
}

/// What is to be signed, with what the manifest says of it.
struct Subject {
    kind: RequestKind,
    wave: String,
    tag: String,
    version: u64,
    /// The file `targets.json`.
    targets: Vec<u8>,
    composed: Composed,
}

/// The downloads that every kind of request rests on, read.
struct Read<'r> {
    ci: Option<Targets<'r>>,
    production: BTreeMap<String, Value<'r>>,
    waves: Option<WaveList>,
}

/// Composes a request from a folder of downloads, laid out as `docs/request.md` says. Every file is read as what it must
/// be; what the checks say of the request is for the caller to ask.
pub fn compose_request(disk: &dyn Disk, folder: &Path, ask: &Ask) -> Result<ComposedRequest, SourceError> {
    let downloads = Downloads::new(disk, folder, ask.max_file_bytes);
    let mut files = BTreeMap::new();
    let chain = production_chain(&downloads, &mut files)?;
    let online_key = downloads.online_key()?;
    for (name, is_needed) in [("ci-targets.json", true), ("prod-targets.json", false), ("waves.json", false)]
    {
        let bytes = if is_needed { Some(downloads.bytes(name)?) } else { downloads.optional(name)? };
        files.extend(bytes.map(|bytes| (name.to_owned(), bytes)));
    }
    let (subject, current) = subject(&downloads, &files, ask)?;
    files.remove("prod-targets.json");
    files.extend(current.map(|current| ("current.json".to_owned(), Bytes::from(current))));
    files.insert("targets.json".to_owned(), Bytes::from(subject.targets));
    let parameters = match &ask.what {
        Asked::Wave { parameters, .. } => Some(parameters),
        _ => None,
    };
    files.extend(ask.anchors.iter().map(|(name, bytes)| (name.clone(), Bytes::from(bytes.clone()))));
    let manifest = RequestManifest {
        created: ask.now.to_string(),
        factory: ask.factory.clone(),
        files: files.iter().map(|(name, bytes)| (name.clone(), FileFacts::of(bytes))).collect(),
        format: REQUEST_FORMAT.to_owned(),
        kind: subject.kind,
        prune: parameters.map(|wanted| wanted.prune.iter().copied().collect()).unwrap_or_default(),
        source_tag: parameters.and_then(|wanted| wanted.source_tag.clone()),
        tag: subject.tag,
        tool: concat!("countersign ", env!("CARGO_PKG_VERSION")).to_owned(),
        version: subject.version,
        wave: subject.wave,
    };
    let bytes = manifest.to_bytes();
    // What the station would not take in, such as a name that is too long, is not composed.
    RequestManifest::parse(REQUEST_FILE, &bytes)?;
    let digest = Digest::of(&bytes);
    files.insert(REQUEST_FILE.to_owned(), bytes.into());
    let Composed { added, without_delta, .. } = subject.composed;
    Ok(ComposedRequest {
        request: Request { manifest, files, digest },
        added,
        without_delta,
        chain,
        online_key,
    })
}

/// The root files of both chains, and production's chain: from the first root that was downloaded to the newest.
fn production_chain(
    downloads: &Downloads<'_>,
    files: &mut BTreeMap<String, Bytes>,
) -> Result<Chain, SourceError> {
    let chain = downloads.chain("prod-roots", files)?;
    let newest = chain.newest();
    if newest.dialect != Dialect::Factory {
        let file = format!("prod-roots/{}.root.json", newest.version);
        return Err(TufError::OtherDialect { file, found: newest.dialect, pinned: Dialect::Factory }.into());
    }
    newest.require_production()?;
    newest.require_reachable_thresholds()?;
    if downloads.has("ci-roots")? {
        downloads.chain("ci-roots", files)?;
    }
    Ok(chain)
}

/// What is to be signed, and the tag's production targets of today.
fn subject(
    downloads: &Downloads<'_>,
    files: &BTreeMap<String, Bytes>,
    ask: &Ask,
) -> Result<(Subject, Option<Vec<u8>>), SourceError> {
    let limits = Limits::of_bytes(downloads.cap);
    let document = |wanted: Wanted, name: &'static str| {
        files.get(name).map(|bytes| wanted.document(name, bytes, limits)).transpose()
    };
    let ci = document(Wanted::CiTargets, "ci-targets.json")?;
    let production = document(Wanted::Production, "prod-targets.json")?;
    let waves = document(Wanted::Waves, "waves.json")?;
    let read = Read {
        ci: ci
            .as_ref()
            .map(|document| {
                Wanted::CiTargets.checked(document, Targets::read(document.root(), Dialect::Factory))
            })
            .transpose()?,
        production: production.as_ref().map(read_production).transpose()?.unwrap_or_default(),
        waves: waves.as_ref().map(read_waves).transpose()?,
    };
    let subject = match &ask.what {
        Asked::Wave { wave, parameters, is_first } => {
            new_wave(downloads, &read, wave, parameters, *is_first)?
        }
        Asked::FurtherSignature { wave, version, tag } => {
            further_signature(downloads, wave.as_deref(), *version, tag.as_deref())?
        }
        Asked::Resign { tag } => resign(&read, tag)?,
        Asked::OfflineBundle { file, tag } => offline_bundle(downloads, file, tag)?,
    };
    let current = read.production.get(&subject.tag).map(|envelope| [envelope.span(), b"\n"].concat());
    Ok((subject, current))
}

/// The list of waves. Whether it is whole, and understood, is for the checks.
fn read_waves(document: &Document<'_>) -> Result<WaveList, BundleError> {
    Wanted::Waves
        .checked(document, document.root().require("waves").and_then(|list| list.want(Kind::Array)))?;
    Ok(WaveList::read(document.root()))
}

/// A new wave, by fioctl's rules.
fn new_wave(
    downloads: &Downloads<'_>,
    read: &Read<'_>,
    wave: &str,
    parameters: &Parameters,
    is_first: bool,
) -> Result<Subject, SourceError> {
    let tag = &parameters.tag;
    if !is_first {
        require_known_tag(read, tag)?;
    }
    let current =
        read.production.get(tag).map(|envelope| Targets::read(*envelope, Dialect::Factory)).transpose()?;
    let listed_name = format!("targets-{}.json", parameters.version);
    let listed_bytes = downloads.optional(&listed_name)?;
    let limits = Limits::of_bytes(downloads.cap);
    let listed = listed_bytes
        .as_ref()
        .map(|bytes| Wanted::Listed.document(&listed_name, bytes, limits))
        .transpose()?;
    // The service's answer for the version, or the same choice from all CI targets.
    let own: Vec<Target<'_>>;
    let published = match &listed {
        Some(document) => {
            own = Wanted::Listed.checked(document, list(document.root()))?;
            &own[..]
        }
        None => read.ci.as_ref().map_or(&[][..], Targets::all),
    };
    let mut composed = compose(published, current.as_ref(), parameters)?;
    let signed = std::mem::take(&mut composed.signed);
    Ok(Subject {
        kind: RequestKind::Wave,
        wave: wave.to_owned(),
        tag: tag.clone(),
        version: parameters.version,
        targets: [b"{\"signatures\":[],\"signed\":".as_slice(), &signed, b"}\n"].concat(),
        composed,
    })
}

/// A tag that is misspelt would be taken for one that has no production targets yet. It is believed only where nothing
/// has any, or where a wave of it is listed.
fn require_known_tag(read: &Read<'_>, tag: &str) -> Result<(), ComposeError> {
    let waves = || read.waves.iter().flat_map(|list| &list.waves);
    let released = waves().filter(|wave| wave.status == WaveStatus::Complete).map(|wave| wave.tag.as_str());
    let known: BTreeSet<&str> = read.production.keys().map(String::as_str).chain(released).collect();
    if known.is_empty() || known.contains(tag) || waves().any(|wave| wave.tag == tag) || !is_tag(tag) {
        return Ok(());
    }
    let known = known.into_iter().map(str::to_owned).collect();
    Err(ComposeError::NobodyHasTag { tag: tag.to_owned(), known })
}

/// The targets of the wave in `wave.json`, with the signatures that they carry.
fn further_signature(
    downloads: &Downloads<'_>,
    name: Option<&str>,
    version: Option<u64>,
    tag: Option<&str>,
) -> Result<Subject, SourceError> {
    let bytes = downloads.bytes("wave.json")?;
    let document = Wanted::Wave.document("wave.json", &bytes, Limits::of_bytes(downloads.cap))?;
    let text = |member: &'static str, wanted: Option<String>| -> Result<String, SourceError> {
        let value = Wanted::Wave.checked(&document, document.root().require(member))?;
        let found = value.as_str().or_else(|| value.number_text().map(Cow::Borrowed)).unwrap_or_default();
        match wanted {
            Some(wanted) if wanted != found => {
                Err(ComposeError::OtherWave { member, wanted, found: found.into_owned() }.into())
            }
            _ => Ok(found.into_owned()),
        }
    };
    let wave = text("name", name.map(str::to_owned))?;
    let tag = text("tag", tag.map(str::to_owned))?;
    let said = text("version", version.map(|version| version.to_string()))?;
    let targets = Wanted::Wave.checked(&document, document.root().require("targets"))?;
    let version = Wanted::Wave.checked(&document, Targets::read(targets, Dialect::Factory))?.metadata.version;
    if said != version.to_string() {
        let (wanted, found) = (version.to_string(), said);
        return Err(ComposeError::OtherWave { member: "version", wanted, found }.into());
    }
    Ok(Subject::as_it_stands(RequestKind::WaveSignature, wave, tag, version, targets))
}

/// Production's own targets, with the signatures that they carry.
fn resign(read: &Read<'_>, tag: &str) -> Result<Subject, SourceError> {
    let Some(current) = read.production.get(tag) else {
        return Err(ComposeError::NothingToResign(tag.to_owned()).into());
    };
    let version = Targets::read(*current, Dialect::Factory)?.metadata.version;
    Ok(Subject::as_it_stands(RequestKind::Resign, String::new(), tag.to_owned(), version, *current))
}

/// The list of an offline bundle: a file of its own, or a member of the service's answer.
fn offline_bundle(downloads: &Downloads<'_>, path: &Path, tag: &str) -> Result<Subject, SourceError> {
    let bytes = downloads.disk.read(path, downloads.cap).map_err(BundleError::from)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let wanted = Wanted::OfflineBundle;
    let document = wanted.document(&name, &bytes, Limits::of_bytes(downloads.cap))?;
    let envelope = document.root().get("bundle-targets").unwrap_or(document.root());
    let targets = wanted.checked(&document, Targets::read(envelope, Dialect::Factory))?;
    let bundle = wanted.checked(&document, targets.metadata.signed.require(OFFLINE_BUNDLE))?;
    wanted.checked(&document, bundle.want(Kind::Object))?;
    let found = wanted.checked(&document, bundle.require("tag").and_then(|tag| tag.require_str()))?;
    if found != tag {
        let (wanted, found) = (tag.to_owned(), found.into_owned());
        return Err(ComposeError::BundleTag { wanted, found }.into());
    }
    let version = targets.metadata.version;
    Ok(Subject::as_it_stands(RequestKind::OfflineBundle, String::new(), tag.to_owned(), version, envelope))
}

impl Subject {
    /// Metadata that is to be signed byte for byte as it was downloaded.
    fn as_it_stands(
        kind: RequestKind,
        wave: String,
        tag: String,
        version: u64,
        envelope: Value<'_>,
    ) -> Subject {
        let targets = [envelope.span(), b"\n"].concat();
        Subject { kind, wave, tag, version, targets, composed: Composed::default() }
    }
}

/// Writes a composed request into a new folder.
pub fn write_request(disk: &dyn Disk, folder: &Path, request: &ComposedRequest) -> Result<(), BundleError> {
    let files = request
        .request
        .files
        .iter()
        .map(|(name, bytes)| (name.clone(), vec![Cow::Borrowed(&bytes[..])]))
        .collect();
    write_folder(disk, folder, &files)
}
