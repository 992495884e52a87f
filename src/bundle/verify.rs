//! Verifying a signed bundle on any machine, by reading it anew: is it whole, do its signatures hold, and what is
//! still missing before devices accept it?

use super::intake::{LISTED, files_in, require_total};
use super::manifest::{DELEGATING_FILE, MAX_MANIFEST_BYTES, REQUEST_FILE};
use super::signed::{SIGNED_FILE, SUMS_FILE, SignedManifest, documents, sum_line};
use super::{BundleError, FileFacts, RequestKind, RequestManifest};
use crate::host::left_over::{LEFT_OVER, is_left_over};
use crate::host::{Bytes, Disk};
use crate::json::{Document, Limits};
use crate::text::{Foreign, shown, shown_path};
use crate::threads;
use crate::tuf::signature::{Assessed, Worth, assess, count, problems};
use crate::tuf::{Authority, Chain, Dialect, Digest, KeyId, Targets};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

/// What verifying found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    /// What was asked for.
    #[serde(skip)]
    pub kind: RequestKind,
    /// "Factory" or "Repository".
    #[serde(skip)]
    pub noun: &'static str,
    /// Wave and tag, or the role, in words.
    #[serde(skip)]
    pub subject: String,
    /// Who makes the signatures that are missing and have no owner.
    #[serde(skip)]
    pub who_signs: &'static str,
    /// The Factory, wave, tag and version that the bundle is for.
    pub factory: String,
    pub wave: String,
    /// The device tag.
    pub tag: String,
    pub version: u64,
    /// Digest of the canonical `signed`.
    pub signed: String,
    /// The root version that the signatures were counted against; `None` when no root was given.
    pub root_version: Option<u64>,
    /// The ids of the keys whose signatures hold, in the order of the file.
    pub valid: Vec<String>,
    /// The role's threshold; `None` when no root was given.
    pub threshold: Option<usize>,
    /// Keys that the root lists and that have not signed, with their owners.
    pub missing: Vec<MissingKey>,
    /// Does the bundle carry enough signatures for devices, as it stands?
    pub complete: bool,
    /// What is wrong; empty when the bundle holds.
    pub problems: Vec<String>,
    /// Signatures that stand there and count for nothing: by keys that nobody lists, or of a type that is not known here.
    pub skipped: Vec<String>,
}

/// A key that could still sign.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MissingKey {
    /// Its id.
    pub keyid: String,
    /// Its owner at the service, or nothing.
    pub owner: String,
}

/// Verifies a signed bundle. Without a root chain the signatures are checked against the keys that the bundle itself
/// names, which shows that it is whole, and proves nothing about who signed.
///
/// # Errors
/// A file cannot be read, or is not well-formed. What is merely wrong is in [`Verdict::problems`].
pub(crate) fn verify(
    disk: &dyn Disk,
    folder: &Path,
    roots: Option<&Chain>,
    cap: u64,
) -> Result<Verdict, BundleError> {
    let manifest_bytes = read_manifest(disk, folder)?;
    let manifest = SignedManifest::parse(&manifest_bytes)?;
    require_total(SIGNED_FILE, LISTED, manifest.files.values().map(|facts| facts.length), cap)?;
    let there = files_in(disk, folder)?;
    // A file that is longer than the manifest says is told as one that differs; it is read for that.
    let listed = there.iter().filter(|(name, _)| manifest.files.contains_key(*name));
    require_total(&shown_path(folder), "its files", listed.map(|(_, length)| *length), cap)?;
    let mut wrong = unlisted(&there, &manifest);
    let is_first = |name: &str| matches!(name, "targets.json" | DELEGATING_FILE);
    let first = read_files(disk, folder, &manifest, cap, is_first)?;
    let targets = first.get("targets.json").ok_or_else(|| BundleError::NotWhole {
        file: "targets.json".to_owned(),
        why: "it is missing".to_owned(),
    })?;
    let dialect = roots.map_or(dialect_in(&manifest)?, |chain| chain.newest().dialect);
    let role = manifest.kind.role(&manifest.tag);
    let delegating = first
        .get(DELEGATING_FILE)
        .map(|bytes| Document::parse(DELEGATING_FILE, &bytes[..], Limits::of_bytes(bytes.len() as u64)))
        .transpose()?;
    let authority =
        roots.map(|chain| Authority::of(chain.newest(), role, delegating.as_ref())).transpose()?;
    let bytes = targets.len() as u64;
    let document = OnceLock::new();
    // The other files are read, and all are hashed, while the signatures are verified.
    let (others, judged) = threads::both(
        bytes,
        || {
            let others = read_files(disk, folder, &manifest, cap, |name| !is_first(name))?;
            let differing = differing(&manifest, first.iter().chain(&others).collect());
            Ok::<_, BundleError>((others, differing))
        },
        || {
            let parsed = Document::parse("targets.json", &targets[..], Limits::of_bytes(bytes))?;
            let read = Targets::read(document.get_or_init(|| parsed).root(), dialect)?;
            let message = read.metadata.message()?;
            let (_, assessed) = threads::both(
                bytes,
                || message.digest(),
                || match &authority {
                    Some(authority) => {
                        assess(read.metadata.signatures.clone(), &message, authority.root(), role)
                    }
                    None => assess_alone(&manifest, &read, &message, dialect),
                },
            );
            Ok::<_, BundleError>((read, message, assessed))
        },
    );
    let (others, differing) = others?;
    let files: BTreeMap<&str, &[u8]> =
        first.iter().chain(&others).map(|(name, bytes)| (name.as_str(), &**bytes)).collect();
    let missing = manifest.files.keys().filter(|name| !files.contains_key(name.as_str()));
    wrong.extend(missing.map(|name| format!("{}: the manifest lists it, and it is missing", shown(name))));
    check_sums(disk, folder, &manifest, &manifest_bytes, &mut wrong)?;
    wrong.extend(differing);
    if let Some(bytes) = files.get(REQUEST_FILE) {
        check_request(&manifest, bytes, &mut wrong)?;
    }
    let (read, message, assessed) = judged?;
    if message.digest().to_string() != manifest.signed {
        wrong.push("targets.json: its signed part is not the one that the manifest names".to_owned());
    }
    if read.metadata.version != manifest.version {
        wrong.push(format!(
            "targets.json: it has version {}, the manifest says {}",
            read.metadata.version, manifest.version
        ));
    }
    // Of what the upload says beside the signed bytes, their targets tell the tag.
    let has_tag = !manifest.kind.has_service() || read.all().is_empty() || read.has_tag(&manifest.tag);
    if !has_tag {
        wrong
            .push(format!("targets.json: none of its targets is for the tag \"{}\"", Foreign(&manifest.tag)));
    }
    check_uploads(&manifest, &files, &read, &mut wrong);
    let signed = Signed { dialect, digest: message.digest(), authority: authority.as_ref(), assessed };
    Ok(verdict(&manifest, roots, signed, wrong))
}

fn read_manifest(disk: &dyn Disk, folder: &Path) -> Result<Bytes, BundleError> {
    match disk.read_beneath(folder, SIGNED_FILE, MAX_MANIFEST_BYTES) {
        Err(e) if e.is_missing() => Err(BundleError::NotABundle {
            path: shown_path(folder),
            why: format!("there is no {SIGNED_FILE} in this folder, so it is not a signed bundle"),
        }),
        read => Ok(read?),
    }
}

fn dialect_in(manifest: &SignedManifest) -> Result<Dialect, BundleError> {
    Dialect::parse(&manifest.dialect).ok_or_else(|| BundleError::Manifest {
        file: SIGNED_FILE.to_owned(),
        why: format!("the dialect \"{}\" is not known", shown(&manifest.dialect)),
    })
}

/// What is signed, by whom, and who may.
struct Signed<'a, 'b> {
    dialect: Dialect,
    digest: Digest,
    authority: Option<&'a Authority<'b>>,
    assessed: Vec<Assessed>,
}

fn verdict(
    manifest: &SignedManifest,
    roots: Option<&Chain>,
    signed: Signed<'_, '_>,
    mut wrong: Vec<String>,
) -> Verdict {
    let Signed { dialect, digest, authority, assessed } = signed;
    let role = manifest.kind.role(&manifest.tag);
    let threshold = authority.map(|authority| authority.root().threshold(role));
    let missing = authority.map(|authority| missing_keys(authority, &assessed)).unwrap_or_default();
    for key in &manifest.keys {
        let holds = assessed
            .iter()
            .any(|one| one.signature.keyid.as_str() == key.keyid && one.worth == Worth::Counts);
        if !holds {
            wrong.push(format!("the signature of the key {} does not hold", KeyId::new(key.keyid.clone())));
        }
    }
    let fit = roots.map(|chain| roots_fit(chain, manifest));
    let counted = fit.as_ref().is_some_and(Result::is_ok);
    wrong.extend(fit.and_then(Result::err));
    let valid: Vec<String> = assessed
        .iter()
        .filter(|one| one.worth == Worth::Counts)
        .map(|one| one.signature.keyid.to_string())
        .collect();
    let complete = counted && threshold.is_some_and(|needed| count(&assessed) >= needed);
    let (skipped, judged): (Vec<_>, Vec<_>) = assessed.into_iter().partition(|one| match one.worth {
        Worth::Unverifiable => true,
        // Devices take no list of an offline bundle with a signature that they do not know.
        Worth::Unknown => manifest.kind != RequestKind::OfflineBundle,
        _ => false,
    });
    wrong.extend(problems(&judged).into_iter().map(|problem| format!("targets.json: {problem}")));
    Verdict {
        kind: manifest.kind,
        noun: dialect.noun(),
        subject: manifest.kind.subject(&manifest.wave, &manifest.tag),
        who_signs: match dialect.has_service() {
            true => "the service adds it at upload, or its owner signs",
            false => "its owner signs",
        },
        factory: shown(&manifest.factory),
        wave: shown(&manifest.wave),
        tag: shown(&manifest.tag),
        version: manifest.version,
        signed: digest.to_string(),
        root_version: roots.map(|chain| chain.newest().version),
        complete,
        valid,
        threshold,
        missing,
        skipped: problems(&skipped),
        problems: wrong,
    }
}

/// Are the roots those of the one that the bundle names? An older root, or that of another chain, may list keys that devices
/// no longer take, or never took.
fn roots_fit(chain: &Chain, manifest: &SignedManifest) -> Result<(), String> {
    chain.newest().require_production().map_err(|e| e.to_string())?;
    let (newest, named) = (chain.newest().version, &manifest.root);
    if newest < named.version {
        return Err(format!(
            "the roots end with version {newest}, and the bundle is signed under root version {}. Give the roots up to \
             that one with --roots",
            named.version
        ));
    }
    match chain.version(named.version) {
        Some(root) if root.fingerprint.to_string() != named.fingerprint => Err(format!(
            "root version {} of the roots has the fingerprint {}, and the one that the bundle names has {}: they are not \
             of one chain",
            named.version,
            root.fingerprint,
            shown(&named.fingerprint)
        )),
        _ => Ok(()),
    }
}

/// The files in the folder that the manifest does not list.
fn unlisted(there: &BTreeMap<String, u64>, manifest: &SignedManifest) -> Vec<String> {
    let is_known = |name: &&String| {
        manifest.files.contains_key(*name) || matches!(name.as_str(), SIGNED_FILE | SUMS_FILE)
    };
    let found = there.keys().filter(|name| !is_known(name));
    let why = |name: &str| match is_left_over(name) {
        true => LEFT_OVER,
        false => "it is in the folder, but the manifest does not list it",
    };
    found.map(|name| format!("{}: {}", shown(name), why(name))).collect()
}

/// Reads the files that the manifest lists and that are wanted; one that is missing is left out.
fn read_files(
    disk: &dyn Disk,
    folder: &Path,
    manifest: &SignedManifest,
    cap: u64,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Bytes>, BundleError> {
    let read = |(name, _): (&String, &FileFacts)| match disk.read_beneath(folder, name, cap) {
        Ok(bytes) => Some(Ok((name.clone(), bytes))),
        Err(e) if e.is_missing() => None,
        Err(e) => Some(Err(e.into())),
    };
    let listed = manifest.files.iter().filter(|(name, _)| wanted(name)).collect();
    threads::each(listed, |(_, facts)| facts.length, read).into_iter().flatten().collect()
}

/// What is wrong with the files that are not those of the manifest, in the order of their names.
fn differing(manifest: &SignedManifest, mut files: Vec<(&String, &Bytes)>) -> Vec<String> {
    let differs = |(name, bytes): (&String, &Bytes)| {
        let same = manifest.files.get(name).is_some_and(|facts| FileFacts::of(bytes) == *facts);
        (!same).then(|| format!("{}: it differs from what the manifest says", shown(name)))
    };
    files.sort_by_key(|(name, _)| *name);
    threads::each(files, |(_, bytes)| bytes.len() as u64, differs).into_iter().flatten().collect()
}

/// The keys of the role that have not signed validly, with their owners.
fn missing_keys(authority: &Authority<'_>, assessed: &[Assessed]) -> Vec<MissingKey> {
    let root = authority.root();
    let has_signed = |keyid: &KeyId| {
        assessed.iter().any(|one| one.worth == Worth::Counts && one.signature.keyid == *keyid)
    };
    let missing = root.keyids(&authority.role).iter().filter(|keyid| !has_signed(keyid));
    missing
        .map(|keyid| MissingKey {
            keyid: keyid.to_string(),
            owner: root.owner(keyid).map(|owner| shown(&owner.polis_id)).unwrap_or_default(),
        })
        .collect()
}

/// `SHA256SUMS` must say of every file what the manifest says, and of the manifest what it is.
fn check_sums(
    disk: &dyn Disk,
    folder: &Path,
    manifest: &SignedManifest,
    manifest_bytes: &[u8],
    wrong: &mut Vec<String>,
) -> Result<(), BundleError> {
    let sums = disk.read_beneath(folder, SUMS_FILE, MAX_MANIFEST_BYTES)?;
    let mut lines: Vec<String> =
        manifest.files.iter().map(|(name, facts)| sum_line(name, &facts.sha256)).collect();
    lines.push(sum_line(SIGNED_FILE, &Digest::of(manifest_bytes).to_string()));
    if *sums != *lines.concat().as_bytes() {
        wrong.push(format!("{SUMS_FILE}: it does not say what the manifest says"));
    }
    Ok(())
}

/// The request must be the one that the manifest names, and ask for what the manifest says.
fn check_request(
    manifest: &SignedManifest,
    bytes: &[u8],
    wrong: &mut Vec<String>,
) -> Result<(), BundleError> {
    let request = RequestManifest::parse(REQUEST_FILE, bytes)?;
    if Digest::of(bytes).to_string() != manifest.request {
        wrong.push(format!("{REQUEST_FILE}: it is not the request that the manifest names"));
    }
    let asked = (request.kind, &request.factory, &request.wave, &request.tag, request.version);
    if asked != (manifest.kind, &manifest.factory, &manifest.wave, &manifest.tag, manifest.version) {
        wrong.push(format!(
            "{REQUEST_FILE}: it asks for another kind, Factory, wave, tag or version than the manifest says"
        ));
    }
    Ok(())
}

/// The bodies for the upload must be made of the very bytes and signatures of `targets.json`.
fn check_uploads(
    manifest: &SignedManifest,
    files: &BTreeMap<&str, &[u8]>,
    targets: &Targets<'_>,
    wrong: &mut Vec<String>,
) {
    let is_ours = |keyid: &str| manifest.keys.iter().any(|key| key.keyid == keyid);
    let all: Vec<String> = targets.metadata.signatures.iter().map(|one| one.json.clone()).collect();
    let ours = targets.metadata.signatures.iter().filter(|one| is_ours(one.keyid.as_str()));
    let by_us: Vec<String> = ours.map(|one| one.json.clone()).collect();
    for (name, parts) in documents(manifest.into(), targets.metadata.signed.span(), &all, &by_us) {
        let parts: Vec<&[u8]> = parts.iter().map(|part| &**part).collect();
        if !files.get(name.as_str()).is_some_and(|bytes| is_made_of(bytes, &parts)) {
            wrong.push(format!(
                "{}: it is not made of the signatures and bytes of targets.json",
                shown(&name)
            ));
        }
    }
}

fn is_made_of(bytes: &[u8], parts: &[&[u8]]) -> bool {
    let mut rest = bytes;
    for part in parts {
        match rest.strip_prefix(*part) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

/// Without a root: each of our signatures against the key that the bundle names for it.
fn assess_alone(
    manifest: &SignedManifest,
    targets: &Targets<'_>,
    message: &crate::tuf::Message<'_>,
    dialect: Dialect,
) -> Vec<Assessed> {
    let judge = |signature: &crate::tuf::Signature| {
        let key = manifest.keys.iter().find(|key| key.keyid == signature.keyid.as_str())?;
        let public = dialect.public_key(&key.keytype, &key.public).ok()?;
        let holds = signature.value.as_ref().is_ok_and(|value| public.verify(message.bytes(), value));
        let worth =
            if holds { Worth::Counts } else { Worth::Invalid("the signature does not fit the content") };
        Some(Assessed { signature: signature.clone(), worth, other_salt: false })
    };
    targets.metadata.signatures.iter().filter_map(judge).collect()
}
