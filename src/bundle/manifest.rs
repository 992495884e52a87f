//! `request.json`: what the connected machine asks the officer to sign, and the digest of every file with it.

use super::BundleError;
use crate::host::clock::Time;
use crate::json::{Document, Limits};
use crate::text::shown;
use crate::tuf::Digest;
use crate::tuf::metadata::GREATEST_VERSION;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format that this version writes and reads.
pub(crate) const REQUEST_FORMAT: &str = "countersign/request/1";
/// The manifest's name in the folder.
pub(crate) const REQUEST_FILE: &str = "request.json";
/// The targets metadata that delegates to the role, in a request for a delegated one and in its signed bundle.
pub(crate) const DELEGATING_FILE: &str = "delegating.json";
/// The CI targets in a request.
pub(crate) const CI_FILE: &str = "ci-targets.json";
/// A manifest longer than this is refused unread.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// More files than this in one bundle are refused.
pub(crate) const MAX_FILES: usize = 4096;
/// All files of a bundle together may have so many times the bytes that one file may have: a request has three or four
/// large files, a signed bundle not more than six.
pub(crate) const FILES_WORTH: u64 = 8;

/// The longest Factory, wave, device tag or source tag, in bytes: none is longer in a service's own tables, and each stands
/// in sentences, in file names and in the log.
const LONGEST_NAME: usize = 128;
/// The longest line about what composed a request.
const LONGEST_TOOL: usize = 512;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestKind {
    /// A new wave's targets.
    Wave,
    /// A further signature for a wave that exists.
    WaveSignature,
    /// Production targets in a key rotation.
    Resign,
    /// An offline-update bundle's `bundle-targets.json`.
    OfflineBundle,
    /// A repository's targets metadata (TUF specification): top-level, or of the delegated role that `tag` names.
    Targets,
}

impl RequestKind {
    /// The word that the manifest and the log use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            RequestKind::Wave => "wave",
            RequestKind::WaveSignature => "wave-signature",
            RequestKind::Resign => "resign",
            RequestKind::OfflineBundle => "offline-bundle",
            RequestKind::Targets => "targets",
        }
    }

    /// The role whose metadata a request of this kind is about; `tag` is the manifest's.
    pub(crate) fn role(self, tag: &str) -> &str {
        match self {
            RequestKind::Targets => tag,
            _ => "targets",
        }
    }

    /// What a request is about, for showing: wave (where there is one) and tag, or the role.
    pub(crate) fn subject(self, wave: &str, tag: &str) -> String {
        match self {
            RequestKind::Targets => format!("role {}", shown(tag)),
            _ if wave.is_empty() => format!("tag {}", shown(tag)),
            _ => format!("wave {}, tag {}", shown(wave), shown(tag)),
        }
    }

    /// What the manifest's `tag` is, in words.
    pub(crate) fn tag_noun(self) -> &'static str {
        match self {
            RequestKind::Targets => "role",
            _ => "tag",
        }
    }

    /// Is it made where there is a service (see [`crate::tuf::Dialect::has_service`])?
    pub(crate) fn has_service(self) -> bool {
        self != RequestKind::Targets
    }
}

/// Length and SHA-256 of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// Bytes.
    pub length: u64,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

impl FileFacts {
    /// The facts of a file's bytes.
    pub fn of(bytes: &[u8]) -> FileFacts {
        FileFacts { length: bytes.len() as u64, sha256: Digest::of(bytes).to_string() }
    }
}

/// The manifest of a request. Members stand in the order of their names, as the file is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestManifest {
    /// When it was composed (RFC 3339, whole seconds).
    pub created: String,
    /// The Factory's name. Foreign text, as all text here.
    pub factory: String,
    /// Every other file of the folder, by its path with `/`.
    pub files: BTreeMap<String, FileFacts>,
    /// [`REQUEST_FORMAT`].
    pub format: String,
    /// What is asked for.
    pub kind: RequestKind,
    /// Versions dropped from production, ascending; absent for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prune: Vec<u64>,
    /// The CI tag that new targets were taken from, when one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_tag: Option<String>,
    /// The device tag; of a repository's targets metadata, the role.
    pub tag: String,
    /// What composed it.
    pub tool: String,
    /// The version: of the new targets, and of the metadata.
    pub version: u64,
    /// The wave's name; of a repository's targets metadata, nothing.
    pub wave: String,
}

impl RequestManifest {
    /// What it is about, for showing: wave and tag, or the role.
    pub(crate) fn subject(&self) -> String {
        self.kind.subject(&self.wave, &self.tag)
    }

    /// The file's bytes: sorted members, two spaces of indentation, a line feed at the end.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct of texts, numbers and maps always has a JSON form.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// It is not well-formed, has an unknown member or format, or a member has another form than the format says.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<RequestManifest, BundleError> {
        // First the strict reader: serde_json alone would not see a duplicate key inside `files`.
        let document = Document::parse(name, bytes, Limits::of_bytes(MAX_MANIFEST_BYTES))?;
        let fail = |why: String| BundleError::Manifest { file: shown(name), why };
        let format = document.root().require("format")?.require_str()?;
        if format != REQUEST_FORMAT {
            return Err(fail(format!(
                "the format \"{}\" is not known, this version reads \"{REQUEST_FORMAT}\"",
                shown(&format)
            )));
        }
        let manifest: RequestManifest =
            serde_json::from_slice(bytes).map_err(|e| fail(shown(&e.to_string())))?;
        if Time::parse_strict(&manifest.created).is_none() {
            return Err(fail("\"created\" is not a time as YYYY-MM-DDTHH:MM:SSZ".to_owned()));
        }
        manifest.require_loggable().map_err(&fail)?;
        if manifest.kind == RequestKind::Targets {
            require_role_name(&manifest.tag).map_err(&fail)?;
        }
        if manifest.files.len() > MAX_FILES {
            return Err(fail(format!("it lists more than {MAX_FILES} files")));
        }
        if let Some(path) = manifest.files.keys().find(|path| !is_plain_path(path)) {
            return Err(fail(format!("\"{}\" is not a plain path inside the folder", shown(path))));
        }
        if manifest.files.values().any(|facts| Digest::parse(&facts.sha256).is_none()) {
            return Err(fail("a sha256 is not 64 hex digits".to_owned()));
        }
        Ok(manifest)
    }
}

impl RequestManifest {
    /// What cannot be shown in a sentence or kept in a line of the log is not taken in at all.
    fn require_loggable(&self) -> Result<(), String> {
        let source_tag = self.source_tag.as_deref().unwrap_or_default();
        for (member, text, most) in [
            ("factory", self.factory.as_str(), LONGEST_NAME),
            ("source_tag", source_tag, LONGEST_NAME),
            ("tag", &self.tag, LONGEST_NAME),
            ("tool", &self.tool, LONGEST_TOOL),
            ("wave", &self.wave, LONGEST_NAME),
        ] {
            if text.len() > most {
                let (length, text) = (text.len(), shown(text));
                return Err(format!("\"{member}\" has {length} bytes, at most {most} are taken: \"{text}\""));
            }
        }
        if !(1..=GREATEST_VERSION).contains(&self.version) {
            return Err(format!("\"version\" is {}: it is a whole number from 1 to 2^53 - 1", self.version));
        }
        Ok(())
    }
}

/// Checks that a role's metadata can be published as `ROLE.json` and `N.ROLE.json` without being taken for something else.
///
/// # Errors
/// It cannot; in words.
pub(crate) fn require_role_name(role: &str) -> Result<(), String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let why = match role {
        _ if !is_plain_name(role) => {
            "letters, digits and . _ - are allowed in its name, and no dot at its beginning"
        }
        "root" | "snapshot" | "timestamp" => "it is a role that the root lists",
        _ if role.split_once('.').is_some_and(|(number, _)| is_number(number)) => {
            "it begins as the file of another role's version does"
        }
        _ => return Ok(()),
    };
    Err(format!("the role \"{}\" cannot be published as a file: {why}", shown(role)))
}

/// Words of letters, digits, `.`, `_`, `-` with `/` between, none of them beginning with a dot; at most three deep.
fn is_plain_path(path: &str) -> bool {
    path != REQUEST_FILE && path.split('/').count() <= 3 && path.split('/').all(is_plain_name)
}

/// Letters, digits, `.`, `_`, `-`, and no dot at the beginning: the name of a file anywhere.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.len() <= 200
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
