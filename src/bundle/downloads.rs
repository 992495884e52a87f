//! A folder of downloads, read strictly: what a connected machine saved as metadata must be that metadata. An error
//! body, a web page or half a file is named as what it is, and nothing is composed from it.

use super::BundleError;
use super::manifest::MAX_FILES;
use crate::host::disk::Kind;
use crate::host::{Bytes, Disk};
use crate::json::{Document, Kind as Json, Limits, Value};
use crate::text::{Foreign, shown, shown_path};
use crate::tuf::chain::MAX_CHAIN_BYTES;
use crate::tuf::root::{MAX_ROOT_BYTES, is_root_file};
use crate::tuf::{Chain, Dialect, Root, Targets, keyfile};
use std::collections::BTreeMap;
use std::path::Path;

/// What must stand in a file, for telling what it is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// `N.root.json`.
    Root,
    /// `ci-targets.json`.
    CiTargets,
    /// `ci-targets.pub`.
    OnlineKey,
    /// `prod-targets.json`: the production targets of all tags.
    Production,
    /// `targets-N.json`: CI's targets of one version.
    Listed,
    /// `waves.json`.
    Waves,
    /// `wave.json`: one wave with its targets.
    Wave,
    /// `bundle-targets.json`.
    OfflineBundle,
}

impl Wanted {
    fn noun(self) -> &'static str {
        match self {
            Wanted::Root => "a root",
            Wanted::CiTargets => "CI's targets metadata",
            Wanted::OnlineKey => "the service's online targets key",
            Wanted::Production => {
                "the service's map of production targets by tag ({\"TAG\":{\"signatures\":..,\"signed\":..}})"
            }
            Wanted::Listed => "the service's targets of one version, by name",
            Wanted::Waves => "the service's list of waves",
            Wanted::Wave => "a wave as the service returns it with ?show-targets=1",
            Wanted::OfflineBundle => "the list of an offline bundle (bundle-targets.json)",
        }
    }

    /// The file is not what it should be; says what it is instead, where that can be told.
    fn refuse(self, file: &str, bytes: &[u8], otherwise: impl FnOnce() -> String) -> BundleError {
        let why = what_it_is(bytes).unwrap_or_else(otherwise);
        BundleError::Download { file: shown(file), why, wanted: self.noun() }
    }

    /// Reads a file as JSON.
    pub(crate) fn document<'b>(
        self,
        file: &str,
        bytes: &'b [u8],
        limits: Limits,
    ) -> Result<Document<'b>, BundleError> {
        let document = Document::parse(file.to_owned(), bytes, limits)
            .map_err(|e| self.refuse(file, bytes, || e.problem.to_string()))?;
        if document.root().kind() != Json::Object {
            return Err(self.refuse(file, bytes, || format!("this is {}", document.root().kind().noun())));
        }
        Ok(document)
    }

    /// Judges a part of a document that has another form than it should.
    pub(crate) fn checked<T, E: Into<BundleError>>(
        self,
        document: &Document<'_>,
        read: Result<T, E>,
    ) -> Result<T, BundleError> {
        read.map_err(|e| {
            let e: BundleError = e.into();
            self.refuse(document.name(), document.bytes(), || e.to_string())
        })
    }
}

/// What a body is that is no metadata, where it is one of those that services and proxies send.
fn what_it_is(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes));
    let text = text.trim_start();
    if text.is_empty() {
        return Some("it is empty: the download failed".to_owned());
    }
    if text.starts_with('<') {
        return Some("this is a web page, as a proxy or a sign-in sends it".to_owned());
    }
    let document = Document::parse("", bytes, Limits::of_bytes(bytes.len() as u64)).ok()?;
    let root = document.root();
    let said = ["message", "msg", "error", "detail"].iter().find_map(|name| root.get(name)?.as_str());
    if let Some(said) = said.filter(|_| root.get("signed").is_none()) {
        let said: String = said.chars().take(200).collect();
        return Some(format!("this is an error that the service answered with: \"{}\"", Foreign(&said)));
    }
    (root.kind() == Json::Null).then(|| "it is null, which shows nothing".to_owned())
}

/// A folder of downloads.
pub(crate) struct Downloads<'d> {
    /// The disk that it lies on.
    pub disk: &'d dyn Disk,
    folder: &'d Path,
    /// The largest file that is read.
    pub cap: u64,
}

impl<'d> Downloads<'d> {
    /// A folder; nothing is read yet. Files of more than `cap` bytes are refused.
    pub(crate) fn new(disk: &'d dyn Disk, folder: &'d Path, cap: u64) -> Downloads<'d> {
        Downloads { disk, folder, cap }
    }

    /// A file's bytes.
    pub(crate) fn bytes(&self, name: &str) -> Result<Bytes, BundleError> {
        Ok(self.disk.read_beneath(self.folder, name, self.cap)?)
    }

    /// A file's bytes; `None` where there is no such file.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<Bytes>, BundleError> {
        match self.bytes(name) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(BundleError::Disk { source }) if source.is_missing() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The root files of a folder, each read as a root whose number is its name's, with the chain that they make.
    pub(crate) fn chain(
        &self,
        roots: &str,
        files: &mut BTreeMap<String, Bytes>,
    ) -> Result<Chain, BundleError> {
        let inner = self.folder.join(roots);
        let (mut names, mut total) = (Vec::new(), 0u64);
        for entry in self.disk.list(&inner, MAX_FILES)? {
            if let Kind::File(length) = entry.kind
                && is_root_file(&entry.name)
            {
                total = total.saturating_add(length);
                names.push(format!("{roots}/{}", entry.name));
            }
        }
        if total > MAX_CHAIN_BYTES {
            return Err(BundleError::NotABundle {
                path: shown_path(&inner),
                why: format!("its roots have more than {} MiB together", MAX_CHAIN_BYTES >> 20),
            });
        }
        let mut read = Vec::with_capacity(names.len());
        for name in names {
            let bytes = self.disk.read_beneath(self.folder, &name, MAX_ROOT_BYTES)?;
            let document = Wanted::Root.document(&name, &bytes, Limits::of_bytes(MAX_ROOT_BYTES))?;
            read.push(Wanted::Root.checked(&document, Root::of_file(&name, &bytes))?);
            drop(document);
            files.insert(name, bytes);
        }
        if read.is_empty() {
            return Err(BundleError::NotABundle {
                path: shown_path(&inner),
                why: "there is no N.root.json in it. Download the roots, from 1 to the newest (docs/request.md)"
                    .to_owned(),
            });
        }
        Ok(Chain::verify(read)?)
    }

    /// Is there such a folder?
    pub(crate) fn has(&self, name: &str) -> Result<bool, BundleError> {
        Ok(self.disk.kind(&self.folder.join(name))?.is_some())
    }

    /// The service's online targets key, where it was downloaded.
    pub(crate) fn online_key(&self) -> Result<Option<crate::tuf::PublicKey>, BundleError> {
        let name = "ci-targets.pub";
        let Some(bytes) = self.optional(name)? else { return Ok(None) };
        let document = Wanted::OnlineKey.document(name, &bytes, Limits::of_bytes(self.cap))?;
        Wanted::OnlineKey.checked(&document, keyfile::public_key(name, &bytes)).map(Some)
    }
}

/// The production targets of all tags, as the service answers; each one is read.
///
/// # Errors
/// It is not a map of targets metadata by tag, or names none.
pub(crate) fn read_production<'v>(
    document: &'v Document<'_>,
) -> Result<BTreeMap<String, Value<'v>>, BundleError> {
    let refuse = |why: &str| Wanted::Production.refuse(document.name(), document.bytes(), || why.to_owned());
    let root = document.root();
    if root.get("signed").is_some() {
        return Err(refuse(
            "these are the targets of one tag (or of CI), and it does not say which tag runs them",
        ));
    }
    let mut tags = BTreeMap::new();
    for (tag, envelope) in root.members() {
        Wanted::Production.checked(document, envelope.want(Json::Object))?;
        Wanted::Production.checked(document, Targets::read(envelope, Dialect::Factory))?;
        tags.insert(tag.text().into_owned(), envelope);
    }
    if tags.is_empty() {
        return Err(refuse(
            "it names no tag. Where there are no production targets yet the service answers 404, and there is no such file",
        ));
    }
    Ok(tags)
}
