//! Taking in a repository's targets metadata (TUF specification): bare files, made into a request like any other.
//!
//! There is no service that could be asked what it runs. What the new metadata is compared with, who delegates to its
//! role, and newer roots are files that the officer gives; the review verifies each of them from the pinned root.

use super::intake::{Request, require_total};
use super::manifest::{DELEGATING_FILE, REQUEST_FILE, REQUEST_FORMAT};
use super::{BundleError, FileFacts, RequestKind, RequestManifest};
use crate::host::clock::Time;
use crate::host::disk::Kind;
use crate::host::{Bytes, Disk};
use crate::json::{Document, Limits};
use crate::text::{shown, shown_path};
use crate::tuf::root::{MAX_ROOT_BYTES, is_root_file};
use crate::tuf::{Digest, Root};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the officer gives with the metadata.
#[derive(Clone, Debug, Default)]
pub struct RepositoryFiles {
    /// The delegated role that it is of; `None` for the top-level targets role.
    pub role: Option<String>,
    /// The role's metadata of today: what the new one is compared with.
    pub baseline: Option<PathBuf>,
    /// The targets metadata that delegates to the role.
    pub delegated_by: Option<PathBuf>,
    /// Newer roots: a folder of `N.root.json`, or one root.
    pub roots: Option<PathBuf>,
}

/// The top-level role.
const TOP: &str = "targets";

/// Makes a request of the files.
pub(crate) fn take_in(
    disk: &dyn Disk,
    path: &Path,
    cap: u64,
    repository: &str,
    files: &RepositoryFiles,
    now: Time,
) -> Result<Request, BundleError> {
    let fail = |why: &str| BundleError::NotABundle { path: shown_path(path), why: why.to_owned() };
    let role = files.role.as_deref().unwrap_or(TOP);
    if (role == TOP) == files.delegated_by.is_some() {
        return Err(fail(match role {
            TOP => "the top-level targets role is listed by the root: --delegated-by is for --role NAME",
            _ => {
                "give the repository's targets.json of today, which delegates to the role, with --delegated-by"
            }
        }));
    }
    let bytes = disk.read(path, cap)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let document = Document::parse(name.clone(), &bytes, Limits::of_bytes(cap))?;
    let version = document.root().require("signed")?.require("version")?.require_u64()?;
    let mut taken: BTreeMap<String, Bytes> = BTreeMap::new();
    for (place, given) in [("current.json", &files.baseline), (DELEGATING_FILE, &files.delegated_by)] {
        if let Some(given) = given {
            taken.insert(place.to_owned(), disk.read(given, cap)?.into());
        }
    }
    if let Some(given) = &files.roots {
        taken.extend(roots(disk, given, cap)?);
    }
    drop(document);
    taken.insert("targets.json".to_owned(), bytes.into());
    let manifest = RequestManifest {
        created: now.to_string(),
        factory: repository.to_owned(),
        files: taken.iter().map(|(name, bytes)| (name.clone(), FileFacts::of(bytes))).collect(),
        format: REQUEST_FORMAT.to_owned(),
        kind: RequestKind::Targets,
        prune: Vec::new(),
        source_tag: None,
        tag: role.to_owned(),
        tool: format!("countersign {} from the file {}", env!("CARGO_PKG_VERSION"), shown(&name)),
        version,
        wave: String::new(),
    };
    let manifest_bytes = manifest.to_bytes();
    RequestManifest::parse(REQUEST_FILE, &manifest_bytes)?;
    let digest = Digest::of(&manifest_bytes);
    taken.insert(REQUEST_FILE.to_owned(), manifest_bytes.into());
    Ok(Request { manifest, files: taken, digest })
}

/// Root files, named by their version.
fn roots(disk: &dyn Disk, path: &Path, cap: u64) -> Result<Vec<(String, Bytes)>, BundleError> {
    if disk.kind(path)? != Some(Kind::Folder) {
        let bytes = disk.read(path, MAX_ROOT_BYTES)?;
        let root = Root::parse(&path.to_string_lossy(), &bytes)?;
        return Ok(vec![(format!("prod-roots/{}.root.json", root.version), bytes.into())]);
    }
    let mut files = disk.list(path, 4096)?;
    files.retain(|entry| is_root_file(&entry.name));
    let lengths = files.iter().map(|entry| match entry.kind {
        Kind::File(length) => length,
        _ => 0,
    });
    require_total(&shown_path(path), "its roots", lengths, cap)?;
    files
        .into_iter()
        .map(|entry| {
            let bytes = disk.read_beneath(path, &entry.name, MAX_ROOT_BYTES)?;
            Ok((format!("prod-roots/{}", entry.name), bytes))
        })
        .collect()
}
