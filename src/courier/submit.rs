//! Uploads a signed bundle: verified before, settled by reading, compared afterwards.

use super::acts::{Act, Done, Look, settle};
use super::baseline::{Rests, require_unmoved};
use super::fetch::{chain, document, whoami};
use super::held::{self, Bundle, Held, Status};
use super::root_update::{RootUpdate, Staged};
use super::wave::{ACTIVE, CANCELED, wave_path};
use super::{Client, CourierError};
use crate::bundle::manifest::MAX_MANIFEST_BYTES;
use crate::bundle::signed::{SIGNED_FILE, SignedManifest, signatures_of, wave_create, wave_sign};
use crate::bundle::verify::verify;
use crate::bundle::{BundleError, RequestKind};
use crate::host::Disk;
use crate::station::trust::roots_at;
use crate::text::{shown, shown_path};
use crate::tuf::Chain;
use secrecy::SecretString;
use serde::Serialize;
use std::path::Path;
use ureq::http::Method;

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Submitted {
    /// What was submitted, in words.
    #[serde(skip)]
    pub subject: String,
    /// What was read back, in words.
    #[serde(skip)]
    pub read_back: &'static str,
    /// What the bundle holds, in words: `wave`, `wave-signature`, `resign`, `offline-bundle`.
    pub kind: &'static str,
    /// The wave, where there is one.
    pub wave: String,
    /// The device tag.
    pub tag: String,
    pub version: u64,
    /// The wave's state at the service; of what is signed again, `staged` or `applied` with the root update.
    pub status: String,
    /// Had all of it been there already?
    pub done_before: bool,
    /// Ids of the keys whose signatures hold at the service.
    pub valid: Vec<String>,
    /// How many the newest root asks for.
    pub threshold: usize,
    /// Keys that could still sign, with their owners: `[keyid, owner]`.
    pub missing: Vec<[String; 2]>,
    /// Are there enough signatures for devices?
    pub complete: bool,
    /// The next command, where there is one.
    pub next: Option<String>,
}

/// How a bundle is uploaded.
pub(crate) struct How<'a> {
    /// Production roots that came another way: the service's must continue them.
    pub roots: Option<&'a Path>,
    /// The transaction id of the root update, where somebody else opened it.
    pub txid: Option<&'a SecretString>,
    /// The offline-update bundle whose list of targets was signed.
    pub into: Option<&'a Path>,
    /// The largest file that is read, in bytes.
    pub cap: u64,
}

/// Uploads a bundle.
///
/// # Errors
/// The bundle does not hold, the service moved on, it refuses, or it is not known what became of it.
pub(crate) fn submit(
    client: &Client<'_>,
    disk: &dyn Disk,
    folder: &Path,
    how: &How<'_>,
) -> Result<(Submitted, SignedManifest), CourierError> {
    let manifest = manifest(disk, folder)?;
    if manifest.factory != client.factory() {
        return Err(CourierError::Blocked(format!(
            "the bundle is for the Factory {}, and this is the Factory {}. Nothing was uploaded",
            shown(&manifest.factory),
            shown(client.factory())
        )));
    }
    whoami(client)?;
    let mut chain = trusted(chain(client)?, disk, how.roots)?;
    // What is signed under a root that is staged goes into the root update, and is applied with it.
    let is_staged = match manifest.kind {
        RequestKind::Resign => true,
        RequestKind::WaveSignature => manifest.root.version > chain.newest().version,
        _ => false,
    };
    let update = if is_staged { RootUpdate::read(client)? } else { None };
    if let Some(update) = &update {
        chain = update.continues(chain)?;
    }
    let verdict = verify(disk, folder, Some(&chain), how.cap)?;
    if !verdict.problems.is_empty() {
        return Err(CourierError::Blocked(format!(
            "the bundle does not hold, and nothing was uploaded: {}",
            verdict.problems.join("; ")
        )));
    }
    let bundle = Bundle::read(manifest, &verdict, chain, disk, folder, how.cap)?;
    let submitted = match bundle.manifest.kind {
        RequestKind::Wave => wave(client, &bundle, how.cap)?,
        RequestKind::WaveSignature => {
            let held = held::require(client, &bundle, how.cap)?;
            if is_staged {
                stage(client, &bundle, held, update.as_ref(), how.txid)?
            } else {
                sign(client, &bundle, held, how.cap)?
            }
        }
        RequestKind::Resign => {
            let held = held::in_production(client, &bundle, how.cap)?;
            stage(client, &bundle, held, update.as_ref(), how.txid)?
        }
        RequestKind::OfflineBundle => super::offline::put(&bundle, disk, how)?,
        RequestKind::Targets => {
            return Err(CourierError::Blocked(
                "this bundle is published as files, and not uploaded: see its folder publish/".to_owned(),
            ));
        }
    };
    Ok((submitted, bundle.manifest))
}

/// Reads the bundle's manifest.
fn manifest(disk: &dyn Disk, folder: &Path) -> Result<SignedManifest, CourierError> {
    match disk.read_beneath(folder, SIGNED_FILE, MAX_MANIFEST_BYTES) {
        Err(e) if e.is_missing() => Err(CourierError::Bundle(BundleError::NotABundle {
            path: shown_path(folder),
            why: format!("there is no {SIGNED_FILE} in it, so it is no signed bundle"),
        })),
        read => Ok(SignedManifest::parse(&read?)?),
    }
}

/// The service's roots, which must continue those that were given.
fn trusted(chain: Chain, disk: &dyn Disk, roots: Option<&Path>) -> Result<Chain, CourierError> {
    let Some(path) = roots else { return Ok(chain) };
    let mut own = Chain::verify(roots_at(disk, path)?)?;
    for root in chain.roots() {
        own.extend(root.clone()).map_err(|e| {
            CourierError::Blocked(format!(
                "the roots that the service gives do not continue those in {}: {e}. Nothing was uploaded",
                shown_path(path)
            ))
        })?;
    }
    Ok(own)
}

/// A wave: made, or signed further where another station made it.
fn wave(client: &Client<'_>, bundle: &Bundle, cap: u64) -> Result<Submitted, CourierError> {
    if let Some(held) = held::in_wave(client, bundle, cap)? {
        return sign(client, bundle, held, cap);
    }
    let targets = document("targets.json", &bundle.targets)?;
    let rests = Rests { manifest: &bundle.manifest, targets: &targets, prune: bundle.prune.clone() };
    require_unmoved(client, &rests, &bundle.chain, cap)?;
    // Made anew of what was verified: `verify` found the bundle's own to be the same.
    let by_us: Vec<String> = bundle.ours.iter().map(|(_, json)| json.clone()).collect();
    let signed = targets.root().require("signed")?.span();
    let body = wave_create((&bundle.manifest).into(), signed, &by_us);
    send(client, bundle, "make the wave", &client.factory_path("waves/")?, &body, cap)
}

/// Sends a wave or its signatures until the wave holds ours.
fn send(
    client: &Client<'_>,
    bundle: &Bundle,
    doing: &str,
    path: &str,
    body: &[u8],
    cap: u64,
) -> Result<Submitted, CourierError> {
    let find_out = format!("countersign-courier wave show {}", shown(&bundle.manifest.wave));
    let act =
        Act { doing, method: Method::POST, path, body: Some(body), may_repeat: true, find_out: &find_out };
    let look = || {
        let held = held::in_wave(client, bundle, cap)?;
        Ok(Look::from(held.is_some_and(|held| held.absent.is_empty())))
    };
    settle(client, &act, &look)?;
    told(bundle, held::require(client, bundle, cap)?, Done::Now)
}

/// Adds our signatures to the root update that is open, unless they are there already.
fn stage(
    client: &Client<'_>,
    bundle: &Bundle,
    held: Held,
    update: Option<&RootUpdate>,
    txid: Option<&SecretString>,
) -> Result<Submitted, CourierError> {
    let manifest = &bundle.manifest;
    if held.absent.is_empty() {
        return told(bundle, held, Done::Before);
    }
    let update = update.ok_or_else(|| {
        CourierError::Blocked(format!(
            "no root update is open, and a signature over what is in force already is uploaded with one. Nothing was \
             uploaded. Root officers open one with fioctl keys tuf updates init; the bundle is signed under root version {}",
            manifest.root.version
        ))
    })?;
    let (member, name) = match manifest.kind {
        RequestKind::Resign => ("targets-signatures", &manifest.tag),
        _ => ("waves-signatures", &manifest.wave),
    };
    let signatures = signatures_of(name, &held.absent);
    let staged = Staged { member, signatures: &signatures, txid };
    update.add(client, &staged, "fioctl keys tuf updates review, then run the same command again")?;
    told(bundle, held.with_ours(bundle), Done::Now)
}

/// Adds those of our signatures that a wave does not carry yet.
fn sign(client: &Client<'_>, bundle: &Bundle, held_now: Held, cap: u64) -> Result<Submitted, CourierError> {
    if held_now.absent.is_empty() {
        return told(bundle, held_now, Done::Before);
    }
    if !held_now.status.is_wave(ACTIVE) {
        return Err(CourierError::Blocked(format!(
            "the wave {} is {}: no signature can be added to it. Nothing was uploaded",
            shown(&bundle.manifest.wave),
            shown(held_now.status.name())
        )));
    }
    let path = wave_path(client, &bundle.manifest.wave, "sign/")?;
    send(client, bundle, "sign the wave", &path, &wave_sign(&held_now.absent), cap)
}

/// What the service holds now, and the next command.
pub(super) fn told(bundle: &Bundle, held: Held, done: Done) -> Result<Submitted, CourierError> {
    let manifest = &bundle.manifest;
    if held.status.is_wave(CANCELED) {
        return Err(CourierError::Blocked(format!(
            "the wave {} was canceled: it stays so, and its version {} cannot be used again. Make a new request with a \
             higher version",
            shown(&manifest.wave),
            manifest.version
        )));
    }
    let complete = held.is_complete();
    Ok(Submitted {
        subject: manifest.kind.subject(&manifest.wave, &manifest.tag),
        read_back: match held.status {
            Status::Staged => {
                "The staged roots stand as before. The service shows signatures only once the root update is applied: run \
                 this again then"
            }
            _ => "Read back: the signed bytes are the bundle's",
        },
        kind: manifest.kind.name(),
        wave: manifest.wave.clone(),
        tag: manifest.tag.clone(),
        version: manifest.version,
        next: next(manifest, &held.status, complete),
        done_before: done == Done::Before,
        missing: if complete { Vec::new() } else { held.missing },
        valid: held.valid,
        threshold: held.threshold,
        status: held.status.name().to_owned(),
        complete,
    })
}

/// The next command; none after the last one.
fn next(manifest: &SignedManifest, status: &Status, complete: bool) -> Option<String> {
    let (wave, tag) = (shown(&manifest.wave), shown(&manifest.tag));
    let further = format!("--further-signature --wave {wave} --version {}", manifest.version);
    let signatures = match (status, manifest.kind) {
        (Status::Written, _) => "--offline-bundle FILE".to_owned(),
        (_, RequestKind::Resign) => "--resign".to_owned(),
        (Status::Staged, _) => format!("{further} --staged-root"),
        _ => further,
    };
    match status {
        Status::Wave(status) if status != ACTIVE => Some(format!("countersign-courier wave status {wave}")),
        _ if !complete => Some(format!("countersign-courier request {signatures} --tag {tag} --out DIR")),
        Status::Wave(_) => Some(format!("countersign-courier wave rollout {wave} GROUP")),
        Status::Staged => Some("fioctl keys tuf updates apply".to_owned()),
        Status::Applied | Status::Written => None,
    }
}
