//! Everything that a review is computed from, and nothing else: the same situation gives the same review, byte for byte.

use super::later::Later;
use crate::bundle::{RequestManifest, Wave, WaveList, WaveStatus};
use crate::host::clock::Time;
use crate::json::Value;
use crate::station::taken::Nonce;
use crate::station::{History, TagHistory};
use crate::text::Foreign;
use crate::tuf::signature::{Assessed, count};
use crate::tuf::targets::OFFLINE_BUNDLE;
use crate::tuf::{Authority, Chain, Digest, KeyId, Message, Target, Targets};
use std::collections::HashSet;

/// Where the baseline comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BaselineSource {
    /// The request carries the production targets of today.
    Request,
    /// The request carries none; this is what the station last signed or saw for the tag.
    Station,
}

/// What production runs now.
pub struct Baseline<'d> {
    /// The production targets of the tag.
    pub targets: Targets<'d>,
    /// Their signatures, assessed against the newest root. The check `baseline-threshold` judges them.
    pub signatures: Vec<Assessed>,
    /// Where they come from.
    pub source: BaselineSource,
    /// Digest of their canonical `signed`.
    pub digest: Digest,
    /// The newest root before the newest one that asks for no more signatures than they carry, where the newest does.
    /// Where there is a service, a root that is content with the service's signature alone does not count. It vouches for
    /// nothing: a key that was retired since may be a stolen one.
    pub older_root: Option<u64>,
}

/// Who vouches for the baseline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Vouched {
    /// Signatures to the threshold of the newest root.
    Root,
    /// This station's own record: it signed these very bytes, or saw them with a full threshold.
    Record,
    /// Nobody: what the station's record does not have is new.
    Nobody,
}

/// A target that an offline bundle names.
pub(crate) struct Named<'s, 'd> {
    /// The name where it stands in the list.
    pub item: Value<'d>,
    /// The target, as the tag's production targets or CI have it; `None` where neither does.
    pub target: Option<&'s Target<'d>>,
    /// Is it CI's alone?
    pub is_ci_only: bool,
    /// Does the list have the name before already?
    pub is_repeated: bool,
}

/// What this station signed or saw, as its log has it.
pub struct Record<'d> {
    pub targets: Targets<'d>,
    /// Digest of their canonical `signed`.
    pub digest: Digest,
}

impl Baseline<'_> {
    /// Who vouches for it?
    pub(crate) fn vouched(&self, history: &TagHistory, authority: &Authority<'_>) -> Vouched {
        if self.source == BaselineSource::Station {
            return Vouched::Record;
        }
        if count(&self.signatures) >= authority.root().threshold(&authority.role) {
            Vouched::Root
        } else if history.has(&self.digest.to_string()) {
            Vouched::Record
        } else {
            Vouched::Nobody
        }
    }
}

/// What CI published.
pub struct CiTargets<'d> {
    /// The CI targets.
    pub targets: Targets<'d>,
    /// Their signatures, assessed against the newest root's `targets` role. The check `ci-signature` wants the
    /// online key among those that count.
    pub signatures: Vec<Assessed>,
}

/// What `waves.json` says of the wave that released the production targets.
pub(crate) enum Listing<'s> {
    /// It was completed.
    Complete,
    /// It was canceled, or is still active: production never had this.
    Open(&'s Wave),
    /// There is no such wave in the list.
    Absent,
}

/// What the request carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried {
    /// A request folder with its manifest.
    Folder,
    /// A bare file: only what is to be signed.
    BareFile,
    /// A bare file whose `signed` is, byte for byte, one that this station already reviewed with full evidence in
    /// another request; the baseline and CI targets here are that request's.
    KnownContent,
}

/// Everything that a review is computed from.
pub struct Situation<'d> {
    /// The request's manifest (made up by `import` for a bare file).
    pub manifest: &'d RequestManifest,
    /// The request digest.
    pub request: Digest,
    /// What the request carries.
    pub carried: Carried,
    /// What is to be signed.
    pub proposal: &'d Targets<'d>,
    /// Its canonical form.
    pub message: &'d Message<'d>,
    /// The proposal's own signatures, assessed against the newest root.
    pub signatures: &'d [Assessed],
    /// What production runs now; `None` for a first wave, or when nothing is known.
    pub baseline: Option<Baseline<'d>>,
    /// The newest that this station signed or saw up to the baseline's version, where nobody vouches for the baseline.
    pub record: Option<Record<'d>>,
    /// What this station signed above the baseline's version, this proposal's content excepted.
    pub later: Vec<Later>,
    /// What CI published; `None` when the request does not carry it.
    pub ci: Option<CiTargets<'d>>,
    /// The Factory's waves; `None` when the request does not carry them.
    pub waves: Option<WaveList>,
    /// The trusted production roots, this request's included.
    pub chain: &'d Chain,
    /// The root version that the request itself brought last; `None` for a bare file.
    pub request_root: Option<u64>,
    /// The root version under which the officer last signed (see `History`).
    pub acknowledged_root: u64,
    /// What of trust or policy changed since the last signature, the root aside, as sentences; looser first.
    pub since: &'d [String],
    /// Who may sign the proposal: the newest trusted root, or in it the delegated role.
    pub authority: &'d Authority<'d>,
    /// The pinned online targets key, where there is a service.
    pub online_key: Option<&'d KeyId>,
    /// The offline targets keys in this station's vault that the newest root lists.
    pub own_keys: &'d [KeyId],
    /// What this station signed and saw for the tag.
    pub history: &'d TagHistory,
    /// What it signed and saw at all.
    pub memory: &'d History,
    /// The nonce that the station drew when it took the request in; `None` before, and of a log of an older version.
    pub nonce: Option<Nonce>,
    /// The Factory that the station was made for.
    pub station_factory: &'d str,
    /// The policy in force.
    pub policy: &'d crate::station::Policy,
    /// The policy file's digest.
    pub policy_digest: Digest,
    /// Was the station made on a machine with a network (`init --networked`)? Every report says so.
    pub networked: bool,
    /// Is this the station? On the connected machine there is no vault, no record and nothing pinned: what needs them is
    /// left to the station.
    pub at_station: bool,
    /// Now.
    pub now: Time,
    /// The log that this station's continues, in words, until it first signs.
    pub continues: Option<&'d str>,
    /// The time of the log's last entry.
    pub log_time: Option<Time>,
}

impl<'d> Situation<'d> {
    /// Who vouches for the baseline, where there is one.
    pub(crate) fn vouched(&self) -> Option<Vouched> {
        let baseline = self.baseline.as_ref()?;
        match baseline.vouched(self.history, self.authority) {
            // Whether its record has it, only the station can say: the connected machine shows what it changes if so.
            Vouched::Nobody if !self.at_station && baseline.older_root.is_some() => Some(Vouched::Record),
            vouched => Some(vouched),
        }
    }

    /// The list of an offline bundle, where it is one.
    pub(crate) fn bundle(&self) -> Option<Value<'d>> {
        self.proposal.metadata.signed.get(OFFLINE_BUNDLE)
    }

    /// Is it a bundle for devices that follow CI?
    pub(crate) fn is_ci_bundle(&self) -> bool {
        let kind = self.bundle().and_then(|bundle| bundle.get("type"));
        kind.and_then(|kind| kind.as_str()).is_some_and(|kind| kind == "ci")
    }

    /// Why the request's CI targets are not what CI publishes, in words: the service puts the signature of its online key on
    /// every wave and on production's targets too, so that signature alone does not tell them apart.
    pub(crate) fn not_by_ci(&self) -> Option<String> {
        let ci = self.ci.as_ref()?;
        let is_offline = |keyid: &KeyId| {
            self.online_key.is_some_and(|online| online != keyid)
                && self.chain.roots().iter().any(|root| root.keyids(&self.authority.role).contains(keyid))
        };
        if let Some(one) = ci.signatures.iter().find(|one| is_offline(&one.signature.keyid)) {
            return Some(format!("they carry a signature by the offline key {}", one.signature.keyid));
        }
        let digest = ci.targets.metadata.message().ok()?.digest();
        if digest == self.message.digest() {
            return Some("they are the very content that is to be signed".to_owned());
        }
        if self.baseline.as_ref().is_some_and(|baseline| baseline.digest == digest) {
            return Some("they are the very content of current.json".to_owned());
        }
        let known = digest.to_string();
        let (tag, _) = self.memory.tags.iter().find(|(_, history)| history.has(&known))?;
        Some(format!(
            "this station signed or saw their content as production's, for the tag \"{}\"",
            Foreign(tag)
        ))
    }

    /// What the list of waves says of how the request's baseline became production's; `None` where there is nothing to ask, or
    /// no list. Everybody signs a wave before it is completed, so signatures alone do not tell.
    pub(crate) fn listing(&self) -> Option<Listing<'_>> {
        let baseline =
            self.baseline.as_ref().filter(|baseline| baseline.source == BaselineSource::Request)?;
        let version = baseline.targets.metadata.version;
        let of = |wave: &&Wave| wave.tag == self.manifest.tag && wave.version == Some(version);
        let list = self.waves.as_ref()?;
        let is_complete = |wave: &Wave| wave.status == WaveStatus::Complete;
        if list.waves.iter().filter(of).any(is_complete) {
            return Some(Listing::Complete);
        }
        let is_open = |wave: &&Wave| matches!(wave.status, WaveStatus::Canceled | WaveStatus::Active);
        Some(list.waves.iter().filter(of).find(is_open).map_or(Listing::Absent, Listing::Open))
    }

    /// The targets that an offline bundle names: those of its tag in production, as far as somebody vouches for them, else
    /// CI's.
    pub(crate) fn bundled(&self) -> Vec<Named<'_, 'd>> {
        let production = self.compared_with().filter(|_| !self.is_ci_bundle());
        let published = self.ci.as_ref().map(|ci| &ci.targets);
        let list = self.bundle().and_then(|bundle| bundle.get("targets"));
        let mut names = HashSet::new();
        let named = |item: Value<'d>| {
            let name = item.as_str().unwrap_or_default();
            let known = production.and_then(|targets| targets.get(&name));
            let target = known.or_else(|| published?.get(&name));
            let is_ci_only = known.is_none() && !self.is_ci_bundle();
            Named { item, target, is_ci_only, is_repeated: !names.insert(name) }
        };
        list.iter().flat_map(|list| list.items()).map(named).collect()
    }

    /// What the proposal is compared with: the baseline, or, where nobody vouches for it, the station's own record.
    /// Whatever is not in it is new, and gets every check that a new target gets.
    pub(crate) fn compared_with(&self) -> Option<&Targets<'d>> {
        match self.vouched()? {
            Vouched::Root | Vouched::Record => self.baseline.as_ref().map(|baseline| &baseline.targets),
            Vouched::Nobody => self.record.as_ref().map(|record| &record.targets),
        }
    }
}
