//! Uploads a signed bundle: verified before, settled by reading, compared afterwards.

use super::acts::{Act, Done, settle};
use super::baseline::{Rests, require_unmoved};
use super::fetch::{chain, document, whoami};
use super::wave::{ACTIVE, CANCELED, Wave, typed, wave_path};
use super::{Client, CourierError};
use crate::bundle::manifest::{MAX_MANIFEST_BYTES, REQUEST_FILE};
use crate::bundle::signed::{SIGNED_FILE, SignedManifest, wave_sign};
use crate::bundle::verify::verify;
use crate::bundle::{RequestKind, RequestManifest};
use crate::host::Disk;
use crate::station::trust::roots_at;
use crate::text::{shown, shown_path};
use crate::tuf::signature::{Assessed, Worth, assess};
use crate::tuf::{Chain, Targets};
use serde::Serialize;
use std::path::Path;
use ureq::http::Method;

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Submitted {
    /// What the bundle holds, in words: `wave`, `wave-signature`, `resign`, `offline-bundle`.
    pub kind: &'static str,
    /// The wave, where there is one.
    pub wave: String,
    /// The device tag.
    pub tag: String,
    /// The version.
    pub version: u64,
    /// The wave's state at the service.
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
    /// The next command.
    pub next: String,
}

/// A bundle that was verified against the service's roots.
struct Bundle {
    manifest: SignedManifest,
    chain: Chain,
    targets: Vec<u8>,
    /// Our signatures, as JSON, with their key ids.
    ours: Vec<(String, String)>,
    prune: Option<std::collections::BTreeSet<u64>>,
}

/// Uploads a bundle.
///
/// # Errors
/// The bundle does not hold, the service moved on, it refuses, or it is not known what became of it.
pub fn submit(
    client: &Client<'_>,
    disk: &dyn Disk,
    folder: &Path,
    roots: Option<&Path>,
    cap: u64,
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
    let chain = trusted(chain(client)?, disk, roots)?;
    let verdict = verify(disk, folder, Some(&chain), cap)?;
    if !verdict.problems.is_empty() {
        return Err(CourierError::Blocked(format!(
            "the bundle does not hold, and nothing was uploaded: {}",
            verdict.problems.join("; ")
        )));
    }
    let bundle = Bundle::read(manifest, chain, disk, folder, cap)?;
    let submitted = match bundle.manifest.kind {
        RequestKind::Wave => wave(client, &bundle, folder, cap)?,
        RequestKind::WaveSignature => signature(client, &bundle, cap)?,
        kind => {
            return Err(CourierError::Blocked(format!(
                "a bundle of the kind {} is not uploaded by this program. {}",
                kind.name(),
                by_hand(kind, folder)
            )));
        }
    };
    Ok((submitted, bundle.manifest))
}

/// What is done with a bundle that is no wave.
fn by_hand(kind: RequestKind, folder: &Path) -> String {
    let folder = shown_path(folder);
    match kind {
        RequestKind::OfflineBundle => format!(
            "Put it into the offline-update bundle: cp {folder}/upload/bundle-targets.json BUNDLE/tuf/bundle-targets.json"
        ),
        RequestKind::Resign => format!(
            "Its signatures go to the service with the root update that is open: see {folder}/upload and `fioctl keys tuf \
             updates`"
        ),
        _ => "It is published as files: see its folder publish/".to_owned(),
    }
}

/// Reads the bundle's manifest.
fn manifest(disk: &dyn Disk, folder: &Path) -> Result<SignedManifest, CourierError> {
    match disk.read_beneath(folder, SIGNED_FILE, MAX_MANIFEST_BYTES) {
        Err(e) if e.is_missing() => Err(CourierError::Settings(format!(
            "{}: there is no {SIGNED_FILE} in this folder, so it is not a signed bundle",
            shown_path(folder)
        ))),
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

impl Bundle {
    fn read(
        manifest: SignedManifest,
        chain: Chain,
        disk: &dyn Disk,
        folder: &Path,
        cap: u64,
    ) -> Result<Bundle, CourierError> {
        let targets = disk.read_beneath(folder, "targets.json", cap)?.into_vec();
        let document = document("targets.json", &targets)?;
        let read = Targets::read(document.root(), chain.newest().dialect)?;
        let is_ours = |keyid: &str| manifest.keys.iter().any(|key| key.keyid == keyid);
        let ours = read.metadata.signatures.iter().filter(|one| is_ours(one.keyid.as_str()));
        let ours = ours.map(|one| (one.keyid.as_str().to_owned(), one.json.clone())).collect();
        let prune = match disk.read_beneath(folder, REQUEST_FILE, MAX_MANIFEST_BYTES) {
            Err(e) if e.is_missing() => None,
            bytes => {
                // `verify` found it to be the request that was signed.
                Some(RequestManifest::parse(REQUEST_FILE, &bytes?)?.prune.into_iter().collect())
            }
        };
        drop(document);
        Ok(Bundle { manifest, chain, targets, ours, prune })
    }

    fn find_out(&self) -> String {
        format!("countersign-courier wave show {}", shown(&self.manifest.wave))
    }
}

/// What the service holds of the bundle's wave.
struct Held {
    status: String,
    valid: Vec<String>,
    /// Those of our signatures that are not there, as JSON.
    absent: Vec<String>,
    missing: Vec<[String; 2]>,
    threshold: usize,
    complete: bool,
}

/// Reads the wave back and compares it. `None`: there is none of this name.
fn held(client: &Client<'_>, bundle: &Bundle, cap: u64) -> Result<Option<Held>, CourierError> {
    let manifest = &bundle.manifest;
    let Some(body) = Wave::with_targets(client, &manifest.wave, cap)? else { return Ok(None) };
    let wave: Wave = typed("the wave", &body)?;
    let other = |what: &str| {
        CourierError::Blocked(format!(
            "the service holds a wave {} with another {what} than the bundle's. It is not this wave: look at it with \
             `countersign-courier wave show {}`, and find out who made it before anything else",
            shown(&manifest.wave),
            shown(&manifest.wave)
        ))
    };
    if wave.name != manifest.wave || wave.tag != manifest.tag || wave.number() != Some(manifest.version) {
        return Err(other("name, tag or version"));
    }
    let document = document("the wave", &body)?;
    let envelope = document.root().require("targets")?;
    let targets = Targets::read(envelope, bundle.chain.newest().dialect)?;
    let message = targets.metadata.message()?;
    if message.digest().to_string() != manifest.signed {
        return Err(other("content"));
    }
    let root = bundle.chain.newest();
    let assessed = assess(targets.metadata.signatures.clone(), &message, root, "targets");
    let holds = |keyid: &str| counts(&assessed).any(|one| one == keyid);
    let absent =
        bundle.ours.iter().filter(|(keyid, _)| !holds(keyid)).map(|(_, json)| json.clone()).collect();
    let missing = root.keyids("targets").iter().filter(|keyid| !holds(keyid.as_str())).map(|keyid| {
        [keyid.to_string(), root.owner(keyid).map(|owner| shown(&owner.polis_id)).unwrap_or_default()]
    });
    let threshold = root.threshold("targets");
    let valid: Vec<String> = counts(&assessed).map(shown).collect();
    Ok(Some(Held {
        status: wave.status,
        complete: valid.len() >= threshold,
        missing: missing.collect(),
        valid,
        absent,
        threshold,
    }))
}

/// The ids of the keys whose signatures count.
fn counts(assessed: &[Assessed]) -> impl Iterator<Item = &str> {
    assessed.iter().filter(|one| one.worth == Worth::Counts).map(|one| one.signature.keyid.as_str())
}

/// A wave: made, or signed further where another station made it.
fn wave(client: &Client<'_>, bundle: &Bundle, folder: &Path, cap: u64) -> Result<Submitted, CourierError> {
    if let Some(held) = held(client, bundle, cap)? {
        return sign(client, bundle, held, cap);
    }
    let targets = document("targets.json", &bundle.targets)?;
    let rests = Rests { manifest: &bundle.manifest, targets: &targets, prune: bundle.prune.clone() };
    require_unmoved(client, &rests, &bundle.chain, cap)?;
    let body = client.host().disk.read_beneath(folder, "upload/wave-create.json", cap)?;
    let (path, find_out) = (client.factory_path("waves/")?, bundle.find_out());
    let act = Act {
        doing: "make the wave",
        method: Method::POST,
        path: &path,
        body: Some(&body),
        may_repeat: true,
        find_out: &find_out,
    };
    settle(client, &act, &|| Ok(held(client, bundle, cap)?.is_some_and(|held| held.absent.is_empty())))?;
    told(bundle, require_held(client, bundle, cap)?, Done::Now)
}

/// A further signature for a wave that exists.
fn signature(client: &Client<'_>, bundle: &Bundle, cap: u64) -> Result<Submitted, CourierError> {
    let held = require_held(client, bundle, cap)?;
    sign(client, bundle, held, cap)
}

/// Adds those of our signatures that a wave does not carry yet.
fn sign(client: &Client<'_>, bundle: &Bundle, held_now: Held, cap: u64) -> Result<Submitted, CourierError> {
    if held_now.absent.is_empty() {
        return told(bundle, held_now, Done::Before);
    }
    if held_now.status != ACTIVE {
        return Err(CourierError::Blocked(format!(
            "the wave {} is {}: no signature can be added to it. Nothing was uploaded",
            shown(&bundle.manifest.wave),
            shown(&held_now.status)
        )));
    }
    let body = wave_sign(&held_now.absent);
    let (path, find_out) = (wave_path(client, &bundle.manifest.wave, "sign/")?, bundle.find_out());
    let act = Act {
        doing: "sign the wave",
        method: Method::POST,
        path: &path,
        body: Some(&body),
        may_repeat: true,
        find_out: &find_out,
    };
    settle(client, &act, &|| Ok(held(client, bundle, cap)?.is_some_and(|held| held.absent.is_empty())))?;
    told(bundle, require_held(client, bundle, cap)?, Done::Now)
}

fn require_held(client: &Client<'_>, bundle: &Bundle, cap: u64) -> Result<Held, CourierError> {
    held(client, bundle, cap)?.ok_or_else(|| super::wave::no_wave(&bundle.manifest.wave))
}

/// What the service holds now, and the next command.
fn told(bundle: &Bundle, held: Held, done: Done) -> Result<Submitted, CourierError> {
    let manifest = &bundle.manifest;
    if held.status == CANCELED {
        return Err(CourierError::Blocked(format!(
            "the wave {} was canceled: it stays so, and its version {} cannot be used again. Make a new request with a \
             higher version",
            shown(&manifest.wave),
            manifest.version
        )));
    }
    let wave = shown(&manifest.wave);
    let next = match (held.status == ACTIVE, held.complete) {
        (true, true) => format!("countersign-courier wave rollout {wave} GROUP"),
        (true, false) => format!(
            "countersign-courier request --further-signature --wave {wave} --version {} --tag {} --out DIR",
            manifest.version,
            shown(&manifest.tag)
        ),
        (false, _) => format!("countersign-courier wave status {wave}"),
    };
    Ok(Submitted {
        kind: manifest.kind.name(),
        wave: manifest.wave.clone(),
        tag: manifest.tag.clone(),
        version: manifest.version,
        status: held.status,
        done_before: done == Done::Before,
        missing: if held.complete { Vec::new() } else { held.missing },
        valid: held.valid,
        threshold: held.threshold,
        complete: held.complete,
        next,
    })
}
