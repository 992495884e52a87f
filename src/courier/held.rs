//! A signed bundle, and what the service holds of its targets: read back and compared.

use super::fetch::{document, production, require_production};
use super::wave::{Wave, no_wave, typed};
use super::{Client, CourierError};
use crate::bundle::RequestManifest;
use crate::bundle::manifest::{MAX_MANIFEST_BYTES, REQUEST_FILE};
use crate::bundle::signed::SignedManifest;
use crate::bundle::verify::Verdict;
use crate::host::Disk;
use crate::json::Value;
use crate::text::{shown, shown_path};
use crate::tuf::signature::{Assessed, Worth, assess};
use crate::tuf::{Chain, Targets};
use std::collections::BTreeSet;
use std::path::Path;

/// A bundle that was verified against the service's roots.
pub(super) struct Bundle {
    pub manifest: SignedManifest,
    pub chain: Chain,
    /// `targets.json`.
    pub targets: Vec<u8>,
    /// Our signatures, as JSON, with their key ids.
    pub ours: Vec<(String, String)>,
    /// The versions that the request dropped from production; `None` where the bundle does not say.
    pub prune: Option<BTreeSet<u64>>,
}

impl Bundle {
    /// Reads a bundle that was verified, and holds what is read now against what was verified.
    pub(super) fn read(
        manifest: SignedManifest,
        verdict: &Verdict,
        chain: Chain,
        disk: &dyn Disk,
        folder: &Path,
        cap: u64,
    ) -> Result<Bundle, CourierError> {
        let targets = disk.read_beneath(folder, "targets.json", cap)?.into_vec();
        let document = document("targets.json", &targets)?;
        let read = Targets::read(document.root(), chain.newest().dialect)?;
        let signed = read.metadata.message()?.digest().to_string();
        let now =
            (manifest.kind, &signed, &manifest.factory, &manifest.wave, &manifest.tag, manifest.version);
        if now
            != (verdict.kind, &verdict.signed, &verdict.factory, &verdict.wave, &verdict.tag, verdict.version)
        {
            return Err(CourierError::Blocked(format!(
                "{}: it changed while it was read, and nothing was uploaded. Take another stick",
                shown_path(folder)
            )));
        }
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
}

/// How it stands with the bundle's targets.
pub(super) enum Status {
    /// They are a wave's; this is its state, as the service says it.
    Wave(String),
    /// They wait for the root update to be applied.
    Staged,
    /// They are production's.
    Applied,
    /// They stand in an offline-update bundle.
    Written,
}

impl Status {
    pub(super) fn name(&self) -> &str {
        match self {
            Status::Wave(status) => status,
            Status::Staged => "staged",
            Status::Applied => "applied",
            Status::Written => "written",
        }
    }

    /// Is it a wave in this state?
    pub(super) fn is_wave(&self, state: &str) -> bool {
        matches!(self, Status::Wave(status) if status == state)
    }
}

/// What the service holds of the bundle's targets.
pub(super) struct Held {
    pub status: Status,
    /// Ids of the keys whose signatures hold.
    pub valid: Vec<String>,
    /// Those of our signatures that are not there, as JSON.
    pub absent: Vec<String>,
    /// Keys that could still sign, with their owners.
    pub missing: Vec<[String; 2]>,
    pub threshold: usize,
}

impl Held {
    /// Compares what the service holds with the bundle. `None`: its signed part is another.
    pub(super) fn compared(
        bundle: &Bundle,
        envelope: Value<'_>,
        status: Status,
    ) -> Result<Option<Held>, CourierError> {
        let root = bundle.chain.newest();
        let targets = Targets::read(envelope, root.dialect)?;
        let message = targets.metadata.message()?;
        if message.digest().to_string() != bundle.manifest.signed {
            return Ok(None);
        }
        let assessed = assess(targets.metadata.signatures.clone(), &message, root, "targets");
        let holds = |keyid: &str| counts(&assessed).any(|one| one == keyid);
        let absent = bundle.ours.iter().filter(|(keyid, _)| !holds(keyid)).map(|(_, json)| json.clone());
        let missing = root.keyids("targets").iter().filter(|keyid| !holds(keyid.as_str())).map(|keyid| {
            [keyid.to_string(), root.owner(keyid).map(|owner| shown(&owner.polis_id)).unwrap_or_default()]
        });
        Ok(Some(Held {
            status,
            absent: absent.collect(),
            missing: missing.collect(),
            valid: counts(&assessed).map(shown).collect(),
            threshold: root.threshold("targets"),
        }))
    }

    /// Are there enough signatures for devices?
    pub(super) fn is_complete(&self) -> bool {
        self.valid.len() >= self.threshold
    }

    /// As it will be once the root update with our signatures is applied.
    pub(super) fn with_ours(mut self, bundle: &Bundle) -> Held {
        let ours: Vec<&String> = bundle.ours.iter().map(|(keyid, _)| keyid).collect();
        self.missing.retain(|[keyid, _]| !ours.contains(&keyid));
        let absent = ours.into_iter().filter(|keyid| !self.valid.contains(keyid)).cloned();
        let absent: Vec<String> = absent.collect();
        self.valid.extend(absent);
        self.status = Status::Staged;
        self
    }
}

/// Reads the wave back and compares it. `None`: there is none of this name.
pub(super) fn in_wave(client: &Client<'_>, bundle: &Bundle, cap: u64) -> Result<Option<Held>, CourierError> {
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
    let held = Held::compared(bundle, document.root().require("targets")?, Status::Wave(wave.status))?;
    held.ok_or_else(|| other("content")).map(Some)
}

/// As [`in_wave`], where the wave must be there.
pub(super) fn require(client: &Client<'_>, bundle: &Bundle, cap: u64) -> Result<Held, CourierError> {
    in_wave(client, bundle, cap)?.ok_or_else(|| no_wave(&bundle.manifest.wave))
}

/// Compares the tag's production targets, which are signed again.
pub(super) fn in_production(client: &Client<'_>, bundle: &Bundle, cap: u64) -> Result<Held, CourierError> {
    let tag = &bundle.manifest.tag;
    let moved = |why: &str| {
        CourierError::Blocked(format!(
            "the production targets of tag {} {why}. Nothing was uploaded. Make a new request: countersign-courier request \
             --resign --tag {}",
            shown(tag),
            shown(tag)
        ))
    };
    let body = production(client, cap)?.ok_or_else(|| moved("are not there"))?;
    require_production(Some(&body), &bundle.chain)?;
    let document = document("prod-targets.json", &body)?;
    let envelope = document.root().get(tag).ok_or_else(|| moved("are not there"))?;
    Held::compared(bundle, envelope, Status::Applied)?
        .ok_or_else(|| moved("are no longer those that were signed"))
}

/// The ids of the keys whose signatures count.
fn counts(assessed: &[Assessed]) -> impl Iterator<Item = &str> {
    assessed.iter().filter(|one| one.worth == Worth::Counts).map(|one| one.signature.keyid.as_str())
}
