//! The signed bundle: the reviewed targets with their signatures, ready to be uploaded, and what an auditor wants to
//! know about them.

use super::manifest::{MAX_FILES, MAX_MANIFEST_BYTES};
use super::media::{Files, Parts};
use super::{BundleError, FileFacts, RequestKind, RequestManifest};
use crate::json::{Document, Limits, canonical};
use crate::text::shown;
use crate::tuf::signature::{Worth, assess};
use crate::tuf::{Authority, Digest, KeyId, Metadata};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The format that this version writes and reads.
pub(crate) const SIGNED_FORMAT: &str = "countersign/signed/1";
/// The manifest's name in the folder.
pub(crate) const SIGNED_FILE: &str = "signed.json";
/// The name of the list for `sha256sum -c`.
pub(crate) const SUMS_FILE: &str = "SHA256SUMS";

/// A key that signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SigningKey {
    /// Its id.
    pub keyid: String,
    /// Its type, as a Factory's root writes it.
    pub keytype: String,
    /// The officers who opened it.
    pub officers: Vec<String>,
    /// Its public value, as root has it. Trust comes from the root, not from here.
    pub public: String,
    /// The number of the log entry `sign.result`.
    pub seq: u64,
    /// L0 one person, L1 split unlock, L2 the root asks for several officers' TUF keys.
    pub strength: String,
    /// When it signed.
    pub time: String,
}

/// A finding that stood when the signature was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoodFinding {
    pub check: String,
    /// Its severity then.
    pub severity: String,
}

/// The head of the station's log in the bundle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogHead {
    /// The log's public key (C2SP signed-note verifier key).
    pub key: String,
    /// The log's name.
    pub origin: String,
    /// Entries.
    pub size: u64,
}

/// The root that lists the keys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RootFacts {
    /// SHA-256 of its canonical `signed`.
    pub fingerprint: String,
    pub version: u64,
}

/// `signed.json`. Members stand in the order of their names, as the file is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignedManifest {
    /// Was it put together from a request and a signature slip? Then it has no review and no receipt, and knows no officers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assembled: bool,
    /// The root's dialect.
    pub dialect: String,
    /// The Factory. Foreign text, as all text here.
    pub factory: String,
    /// Every other file of the folder but `SHA256SUMS`, by its path with `/`.
    pub files: BTreeMap<String, FileFacts>,
    /// The findings that stood when it was signed.
    pub findings: Vec<StoodFinding>,
    /// [`SIGNED_FORMAT`].
    pub format: String,
    /// The keys of this station that signed.
    pub keys: Vec<SigningKey>,
    /// What was asked for.
    pub kind: RequestKind,
    /// The head of the station's log.
    pub log: LogHead,
    /// Was the station made on a machine with a network?
    pub networked: bool,
    /// The request's digest.
    pub request: String,
    /// The digest of the review that was confirmed.
    pub review: String,
    /// The root that lists the keys.
    pub root: RootFacts,
    /// Digest of the canonical `signed`.
    pub signed: String,
    /// The device tag.
    pub tag: String,
    /// What wrote it.
    pub tool: String,
    pub version: u64,
    pub wave: String,
}

impl SignedManifest {
    /// The file's bytes: sorted members, two spaces of indentation, a line feed at the end.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // A struct of texts, numbers and maps always has a JSON form.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a manifest.
    pub(crate) fn parse(bytes: &[u8]) -> Result<SignedManifest, BundleError> {
        let document = Document::parse(SIGNED_FILE, bytes, Limits::of_bytes(MAX_MANIFEST_BYTES))?;
        let fail = |why: String| BundleError::Manifest { file: SIGNED_FILE.to_owned(), why };
        let format = document.root().require("format")?.require_str()?;
        if format != SIGNED_FORMAT {
            return Err(fail(format!(
                "the format \"{}\" is not known, this version reads \"{SIGNED_FORMAT}\"",
                shown(&format)
            )));
        }
        let manifest: SignedManifest =
            serde_json::from_slice(bytes).map_err(|e| fail(shown(&e.to_string())))?;
        if manifest.files.len() > MAX_FILES {
            return Err(fail(format!("it lists more than {MAX_FILES} files")));
        }
        if manifest.files.values().any(|facts| Digest::parse(&facts.sha256).is_none()) {
            return Err(fail("a sha256 is not 64 hex digits".to_owned()));
        }
        Ok(manifest)
    }
}

/// The pieces of `targets.json` before and after `signed`.
fn envelope(signatures: &[String]) -> [Vec<u8>; 2] {
    [format!("{{\"signatures\":[{}],\"signed\":", signatures.join(",")).into_bytes(), b"}\n".to_vec()]
}

/// The pieces before and after `signed` in the body of `POST …/waves/`, in fioctl's order of members.
fn around_wave(release: &Release<'_>, signatures: &[String]) -> [Vec<u8>; 2] {
    let head = format!(
        "{{\"name\":{},\"version\":\"{}\",\"tag\":{},\"targets\":{{\"signed\":",
        canonical::string(release.wave),
        release.version,
        canonical::string(release.tag)
    );
    [head.into_bytes(), format!(",\"signatures\":[{}]}}}}\n", signatures.join(",")).into_bytes()]
}

/// The body of `POST …/waves/`.
pub(crate) fn wave_create(release: Release<'_>, signed: &[u8], signatures: &[String]) -> Vec<u8> {
    let [head, tail] = around_wave(&release, signatures);
    [&head, signed, &tail].concat()
}

/// The body of `POST …/waves/W/sign/`.
pub(crate) fn wave_sign(signatures: &[String]) -> Vec<u8> {
    format!("{{\"signatures\":[{}]}}\n", signatures.join(",")).into_bytes()
}

/// Signatures in a key rotation, of production targets by their tag or of a wave by its name: `{name: [signature]}`.
pub(crate) fn signatures_of(name: &str, signatures: &[String]) -> Vec<u8> {
    format!("{{{}:[{}]}}\n", canonical::string(name), signatures.join(",")).into_bytes()
}

/// The signatures that a document brought and that its bundle passes on, as JSON: those that count, and those of listed keys
/// of a type that is not known here, as the review said; but for those of the keys whose own stand beside them.
pub(crate) fn passed_on(
    metadata: &Metadata<'_>,
    authority: &Authority<'_>,
    is_ours: impl Fn(&KeyId) -> bool,
) -> Result<Vec<String>, BundleError> {
    let there = assess(metadata.signatures.clone(), &metadata.message()?, authority.root(), &authority.role);
    let passed = there.into_iter().map(|one| (one.worth, one.signature));
    let is_kept = |worth: &Worth| matches!(worth, Worth::Counts | Worth::Unverifiable);
    let passed = passed.filter(|(worth, one)| is_kept(worth) && !is_ours(&one.keyid));
    Ok(passed.map(|(_, one)| one.json).collect())
}

/// What is released, and how: what the names and bodies of a bundle's files depend on.
#[derive(Clone, Copy)]
pub(crate) struct Release<'a> {
    /// What was asked for.
    pub kind: RequestKind,
    pub wave: &'a str,
    /// The device tag, or the role.
    pub tag: &'a str,
    pub version: u64,
}

impl<'a> From<&'a RequestManifest> for Release<'a> {
    fn from(request: &'a RequestManifest) -> Release<'a> {
        let RequestManifest { kind, wave, tag, version, .. } = request;
        Release { kind: *kind, wave, tag, version: *version }
    }
}

impl<'a> From<&'a SignedManifest> for Release<'a> {
    fn from(bundle: &'a SignedManifest) -> Release<'a> {
        let SignedManifest { kind, wave, tag, version, .. } = bundle;
        Release { kind: *kind, wave, tag, version: *version }
    }
}

/// The files that a bundle has by its kind: the signed document, and the bodies for the upload or the files to publish. `all`
/// are the document's signatures, `by_us` those that this bundle brings.
pub(crate) fn documents<'a>(
    release: Release<'_>,
    signed: &'a [u8],
    all: &[String],
    by_us: &[String],
) -> Files<'a> {
    let around = |[head, tail]: [Vec<u8>; 2]| -> Parts<'a> {
        vec![Cow::Owned(head), Cow::Borrowed(signed), Cow::Owned(tail)]
    };
    let document = || around(envelope(all));
    let sign = || ("upload/wave-sign.json".to_owned(), vec![Cow::Owned(wave_sign(by_us))]);
    let mut files = Files::from([("targets.json".to_owned(), document())]);
    match release.kind {
        RequestKind::Wave => {
            let body = around_wave(&release, by_us);
            files.extend([("upload/wave-create.json".to_owned(), around(body)), sign()]);
        }
        RequestKind::WaveSignature => {
            // While a root update is staged, an active wave is signed again with it.
            let body = vec![Cow::Owned(signatures_of(release.wave, by_us))];
            files.extend([sign(), ("upload/waves-signatures.json".to_owned(), body)]);
        }
        RequestKind::OfflineBundle => {
            files.insert("upload/bundle-targets.json".to_owned(), document());
        }
        RequestKind::Resign => {
            let body = vec![Cow::Owned(signatures_of(release.tag, by_us))];
            files.insert("upload/targets-signatures.json".to_owned(), body);
        }
        RequestKind::Targets => {
            files.extend(publish_names(release.tag, release.version).map(|name| (name, document())));
        }
    }
    files
}

/// Where a repository's metadata stands in the bundle, ready to be published: under the role's name, and under version
/// and name for repositories with consistent snapshots.
fn publish_names(role: &str, version: u64) -> [String; 2] {
    [format!("publish/{role}.json"), format!("publish/{version}.{role}.json")]
}

/// A line of `SHA256SUMS`.
pub(crate) fn sum_line(name: &str, digest: &str) -> String {
    format!("{digest}  {name}\n")
}
