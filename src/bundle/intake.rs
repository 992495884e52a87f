//! Taking in what came on a stick: a request folder, or a bare file. Everything here is hostile until it is proven.

use super::anchors::is_anchor;
use super::evidence::WaveList;
use super::manifest::{
    DELEGATING_FILE, FILES_WORTH, MAX_FILES, MAX_MANIFEST_BYTES, REQUEST_FILE, REQUEST_FORMAT,
};
use super::repository::{self, RepositoryFiles};
use super::{BundleError, FileFacts, RequestKind, RequestManifest, anchors};
use crate::host::clock::Time;
use crate::host::disk::Kind;
use crate::host::left_over::{LEFT_OVER, is_left_over};
use crate::host::{Bytes, Disk};
use crate::json::{Document, Limits, Value};
use crate::text::{Foreign, shown, shown_path};
use crate::threads;
use crate::tuf::Digest;
use crate::tuf::targets::OFFLINE_BUNDLE;
use std::collections::BTreeMap;
use std::path::Path;

/// A request that was taken in whole: every file has the length and digest that the manifest says.
pub struct Request {
    /// The manifest; made up here for a bare file.
    pub manifest: RequestManifest,
    /// Every file, the manifest included.
    pub files: BTreeMap<String, Bytes>,
    /// SHA-256 of `request.json`.
    pub digest: Digest,
}

impl Request {
    /// A file's bytes.
    pub(crate) fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(|bytes| &**bytes)
    }

    /// Does it bring what a bare file brings, what is to be signed and nothing with it? By the manifest, which the digest
    /// covers: a note beside the files could be changed.
    pub(crate) fn is_bare(&self) -> bool {
        let RequestManifest { kind, files, prune, source_tag, .. } = &self.manifest;
        let is_alone = files.keys().filter(|name| !is_anchor(name)).eq(["targets.json"]);
        kind.has_service() && is_alone && prune.is_empty() && source_tag.is_none()
    }

    /// Reads `waves.json`, where the request carries it.
    pub(crate) fn waves(&self) -> Result<Option<WaveList>, BundleError> {
        let Some(bytes) = self.file("waves.json") else { return Ok(None) };
        let document = Document::parse("waves.json", bytes, Limits::of_bytes(bytes.len() as u64))?;
        Ok(Some(WaveList::read(document.root())))
    }

    /// The targets metadata that delegates to the role, where the request is for a delegated one.
    pub(crate) fn delegating(&self) -> Result<Option<Document<'_>>, BundleError> {
        let Some(bytes) = self.file(DELEGATING_FILE) else { return Ok(None) };
        Ok(Some(Document::parse(DELEGATING_FILE, bytes, Limits::of_bytes(bytes.len() as u64))?))
    }

    /// The heads of the station's log that it brings back.
    pub(crate) fn anchors(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().filter(|(name, _)| is_anchor(name)).map(|(name, bytes)| (name.as_str(), &**bytes))
    }

    /// The files of the production root chain.
    pub fn production_roots(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let roots = self.files.range("prod-roots/".to_owned().."prod-roots0".to_owned());
        roots.map(|(name, bytes)| (name.as_str(), &**bytes))
    }
}

/// What the officer says about a bare file that the file itself does not say.
#[derive(Clone, Debug, Default)]
pub struct BareFacts {
    /// The station's Factory.
    pub factory: String,
    /// The wave's name.
    pub wave: Option<String>,
    /// The device tag.
    pub tag: Option<String>,
    /// For a station without a service behind it: what belongs to a repository's targets metadata.
    pub repository: Option<RepositoryFiles>,
}

/// Takes in a request folder or a bare file. Files of more than `cap` bytes are refused before they are allocated for, and
/// so are files of more than [`FILES_WORTH`] times as many together.
///
/// # Errors
/// A file is missing, not listed, or differs; a name leads out of the folder; or the path holds nothing known.
pub fn take_in(
    disk: &dyn Disk,
    path: &Path,
    cap: u64,
    bare: &BareFacts,
    now: Time,
) -> Result<Request, BundleError> {
    match disk.kind(path)? {
        Some(Kind::Folder) => take_in_folder(disk, path, cap),
        _ => match &bare.repository {
            Some(files) => repository::take_in(disk, path, cap, &bare.factory, files, now),
            None => take_in_file(disk, path, cap, bare, now),
        },
    }
}

/// Takes in a folder with a `request.json`.
pub(crate) fn take_in_folder(disk: &dyn Disk, folder: &Path, cap: u64) -> Result<Request, BundleError> {
    take_in_files(disk, folder, cap, |_| true)
}

/// As [`take_in_folder`], of the manifest and the files that are wanted: the others are only looked for.
pub(crate) fn take_in_files(
    disk: &dyn Disk,
    folder: &Path,
    cap: u64,
    wanted: impl Fn(&str) -> bool,
) -> Result<Request, BundleError> {
    let manifest_bytes = match disk.read_beneath(folder, REQUEST_FILE, MAX_MANIFEST_BYTES) {
        Err(e) if e.is_missing() => {
            return Err(BundleError::NotABundle {
                path: shown_path(folder),
                why: format!(
                    "there is no {REQUEST_FILE} in this folder. Make a request with `countersign request`, or give one file"
                ),
            });
        }
        read => read?,
    };
    let manifest = RequestManifest::parse(REQUEST_FILE, &manifest_bytes)?;
    require_total(REQUEST_FILE, LISTED, manifest.files.values().map(|facts| facts.length), cap)?;
    anchors::check(&manifest.files)?;
    let there = files_in(disk, folder)?;
    for found in there.keys() {
        if found != REQUEST_FILE && !manifest.files.contains_key(found) {
            if is_left_over(found) {
                let path = shown_path(&folder.join(found));
                let why = format!("{LEFT_OVER}, and run the command again");
                return Err(BundleError::NotABundle { path, why });
            }
            return Err(not_whole(found, "it is in the folder, but the manifest does not list it"));
        }
    }
    for (name, facts) in &manifest.files {
        match there.get(name) {
            None => return Err(not_whole(name, "the manifest lists it, and it is missing")),
            // What the sum was taken of is what is read.
            Some(length) if *length != facts.length && wanted(name) => {
                return Err(other_length(name, *length, facts.length));
            }
            Some(_) => {}
        }
    }
    let mut files = read_listed(disk, folder, &manifest.files, cap, wanted)?;
    let digest = Digest::of(&manifest_bytes);
    files.insert(REQUEST_FILE.to_owned(), manifest_bytes);
    if !manifest.files.contains_key("targets.json") && manifest.kind != RequestKind::Resign {
        return Err(not_whole("targets.json", "the request has no such file, so there is nothing to sign"));
    }
    Ok(Request { manifest, files, digest })
}

/// Reads every listed file that is wanted and compares it with the manifest.
fn read_listed(
    disk: &dyn Disk,
    folder: &Path,
    listed: &BTreeMap<String, FileFacts>,
    cap: u64,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Bytes>, BundleError> {
    let read = |(name, facts): (&String, &FileFacts)| -> Result<(String, Bytes), BundleError> {
        let bytes = match disk.read_beneath(folder, name, cap) {
            Err(e) if e.is_missing() => {
                return Err(not_whole(name, "the manifest lists it, and it is missing"));
            }
            read => read?,
        };
        if bytes.len() as u64 != facts.length {
            return Err(other_length(name, bytes.len() as u64, facts.length));
        }
        if Digest::parse(&facts.sha256) != Some(Digest::of(&bytes)) {
            return Err(not_whole(name, "its SHA-256 differs from the manifest's"));
        }
        Ok((name.clone(), bytes))
    };
    let listed = listed.iter().filter(|(name, _)| wanted(name)).collect();
    threads::each(listed, |(_, facts)| facts.length, read).into_iter().collect()
}

fn not_whole(name: &str, why: &str) -> BundleError {
    BundleError::NotWhole { file: shown(name), why: why.to_owned() }
}

fn other_length(name: &str, found: u64, said: u64) -> BundleError {
    not_whole(name, &format!("it has {found} bytes, the manifest says {said}"))
}

/// What is summed up, in words: the files by the manifest.
pub(super) const LISTED: &str = "the files that it lists";

/// Refuses files that are more together than is read, before any of them is.
pub(super) fn require_total(
    file: &str,
    what: &'static str,
    lengths: impl Iterator<Item = u64>,
    cap: u64,
) -> Result<(), BundleError> {
    let total = lengths.fold(0, u64::saturating_add);
    let most = cap.saturating_mul(FILES_WORTH);
    if total <= most {
        return Ok(());
    }
    Err(BundleError::TooMuch { file: file.to_owned(), what, total, most })
}

/// Every file in a folder and in the folders within, as `a/b`, with its length; links and special files are refused.
pub(crate) fn files_in(disk: &dyn Disk, folder: &Path) -> Result<BTreeMap<String, u64>, BundleError> {
    let (mut files, mut folders) = (BTreeMap::new(), 0);
    let mut open = vec![(String::new(), 0u8)];
    while let Some((prefix, depth)) = open.pop() {
        for entry in disk.list(&folder.join(&prefix), MAX_FILES)? {
            let name = format!("{prefix}{}", entry.name);
            // Folders within folders are not looked through without end either.
            if files.len() + folders == MAX_FILES {
                return Err(not_whole(&shown_path(folder), &format!("it holds more than {MAX_FILES} files")));
            }
            match entry.kind {
                Kind::File(length) => drop(files.insert(name, length)),
                Kind::Folder if depth < 2 => {
                    folders += 1;
                    open.push((format!("{name}/"), depth + 1));
                }
                Kind::Folder => return Err(not_whole(&name, "folders are nested too deep")),
                Kind::Other => {
                    return Err(not_whole(&name, "it is a link or a special file, which is never read"));
                }
            }
        }
    }
    Ok(files)
}

/// A bare file: `targets.json`, a wave, or a `bundle-targets.json`.
fn take_in_file(
    disk: &dyn Disk,
    path: &Path,
    cap: u64,
    bare: &BareFacts,
    now: Time,
) -> Result<Request, BundleError> {
    let bytes = disk.read(path, cap)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let words = words_behind_a_dry_run(&bytes);
    let document = Document::parse(name.clone(), &bytes[..bytes.len() - words], Limits::of_bytes(cap))?;
    let root = document.root();
    let text = |key: &str| root.get(key).and_then(|value| value.as_str()).map(|text| text.into_owned());
    let (kind, envelope, wave) = match (root.get("signed"), root.get("targets")) {
        (Some(signed), _) if signed.get(OFFLINE_BUNDLE).is_some() => (RequestKind::OfflineBundle, root, None),
        (Some(_), _) => (RequestKind::Wave, root, None),
        (None, Some(targets)) if targets.get("signed").is_some() => {
            // A wave that the service returned has a status; what `--dry-run` printed has none.
            if let Some(status) =
                root.get("status").filter(|status| status.as_str().is_none_or(|one| one != "active"))
            {
                return Err(BundleError::NotABundle {
                    path: shown_path(path),
                    why: format!(
                        "the service says {} of this wave, and only an active one takes a further signature",
                        status
                            .as_str()
                            .map_or("something unknown".to_owned(), |one| format!("\"{}\"", Foreign(&one)))
                    ),
                });
            }
            let kind =
                if root.get("status").is_some() { RequestKind::WaveSignature } else { RequestKind::Wave };
            (kind, targets, text("name"))
        }
        _ => {
            return Err(BundleError::NotABundle {
                path: shown_path(path),
                why: "this is neither targets metadata nor a wave: members \"signed\" and \"signatures\" are needed".to_owned(),
            });
        }
    };
    let signed = envelope.require("signed")?;
    let tag = match bare.tag.clone().or_else(|| text("tag")).or_else(|| only_tag(signed)) {
        Some(tag) => tag,
        None => {
            return Err(BundleError::NotABundle {
                path: shown_path(path),
                why: "the file does not say for which device tag it is. Give it with --tag".to_owned(),
            });
        }
    };
    let targets = [envelope.span(), b"\n"].concat();
    let manifest = RequestManifest {
        created: now.to_string(),
        factory: bare.factory.clone(),
        files: [("targets.json".to_owned(), FileFacts::of(&targets))].into(),
        format: REQUEST_FORMAT.to_owned(),
        kind,
        prune: Vec::new(),
        source_tag: None,
        tag,
        tool: format!(
            "countersign {} from the bare file {}{}",
            env!("CARGO_PKG_VERSION"),
            shown(&name),
            if words > 0 { ", without the words behind it" } else { "" }
        ),
        version: signed.require("version")?.require_u64()?,
        wave: wave.or_else(|| bare.wave.clone()).unwrap_or_default(),
    };
    let manifest_bytes = manifest.to_bytes();
    // What a bare file says of itself is held to the same rules as a manifest.
    RequestManifest::parse(REQUEST_FILE, &manifest_bytes)?;
    let digest = Digest::of(&manifest_bytes);
    let files = [("targets.json", targets), (REQUEST_FILE, manifest_bytes)];
    let files = files.map(|(name, bytes)| (name.to_owned(), Bytes::from(bytes))).into();
    Ok(Request { manifest, files, digest })
}

/// How many bytes at the end of `fioctl waves init --dry-run`'s output are its warnings: it prints the body of the upload,
/// and behind it what it has to say in words. They are told apart only where what stands before is such a body, and
/// what follows holds nothing that could be taken for more of one.
fn words_behind_a_dry_run(bytes: &[u8]) -> usize {
    const MOST: usize = 64 << 10;
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    let Some(Ok(_)) = values.next() else { return 0 };
    let (body, behind) = bytes.split_at(values.byte_offset());
    let words = match std::str::from_utf8(behind) {
        Ok(text) if behind.len() <= MOST => text.trim(),
        _ => return 0,
    };
    let is_words = words.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '=' | '*' | '\u{1b}'))
        && !words.contains(['{', '}', '"', '[', ']']);
    let limits = Limits::of_bytes(body.len() as u64);
    let is_dry_run = || {
        let Ok(document) = Document::parse("", body, limits) else { return false };
        let mut members: Vec<_> = document.root().members().map(|(key, _)| key.text().into_owned()).collect();
        members.sort_unstable();
        members == ["name", "tag", "targets", "version"]
    };
    if is_words && is_dry_run() { behind.len() } else { 0 }
}

/// The device tag, when all targets carry the same single one.
fn only_tag(signed: Value<'_>) -> Option<String> {
    if let Some(bundle) = signed.get(OFFLINE_BUNDLE) {
        return bundle.get("tag")?.as_str().map(|tag| tag.into_owned());
    }
    let mut only = None;
    for (_, target) in signed.get("targets")?.members() {
        for tag in target.get("custom")?.get("tags")?.items() {
            let tag = tag.as_str()?;
            match &only {
                None => only = Some(tag.into_owned()),
                Some(known) if *known == tag => {}
                Some(_) => return None,
            }
        }
    }
    only
}
