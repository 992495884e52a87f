//! The review: one value, with three faces (text, JSON, HTML).
//!
//! It is computed from a [`Situation`] and nothing else, and the moment of reviewing is no part of it: the same
//! request, station and policy give the same review and the same digest on another day.

use super::diff::Diff;
use super::finding::{Finding, Severity};
use super::situation::{BaselineSource, Situation, Vouched};
use super::trust::Trust;
use super::{checks, json, size};
use crate::bundle::RequestKind;
use crate::station::taken::Nonce;
use crate::threads;
use crate::tuf::{Dialect, Digest};
use crate::words;
use std::borrow::Cow;
use std::sync::OnceLock;

/// What the officer is shown.
pub struct Review<'d> {
    /// What is asked for, by whom, and what would be signed.
    pub header: Header<'d>,
    /// Who may sign, and who has.
    pub trust: Trust,
    /// What changes.
    pub diff: Diff<'d>,
    /// What the checks noticed: the gravest first, then in the order of the table of checks.
    pub findings: Vec<Finding>,
    /// How many bytes its page may have.
    pub page_limit: u64,
    pub(super) nonce: Option<Nonce>,
    own_digest: OnceLock<Digest>,
}

/// What is asked for, by whom, and what would be signed.
pub struct Header<'d> {
    pub request: Digest,
    /// Whose rules the metadata follows.
    pub dialect: Dialect,
    /// The Factory or repository that the station was made for.
    pub factory: &'d str,
    /// The Factory that the request names. Foreign text.
    pub request_factory: &'d str,
    /// What is asked for.
    pub kind: RequestKind,
    /// The wave's name. Foreign text.
    pub wave: &'d str,
    /// The device tag. Foreign text.
    pub tag: &'d str,
    /// The metadata version that would be signed.
    pub version: u64,
    /// When the signed targets would expire, as it is written. Foreign text.
    pub expires: Cow<'d, str>,
    /// What production runs now.
    pub baseline: BaselineState<'d>,
    /// SHA-256 of the exact bytes to be signed.
    pub digest: Digest,
    /// How many bytes are to be signed.
    pub bytes: usize,
    /// SHA-256 of the policy in force.
    pub policy: Digest,
    /// Was the station made on a machine with a network?
    pub networked: bool,
    /// Is it a station's? On the connected machine it is a preview, and confirms nothing.
    pub at_station: bool,
    /// Program and version.
    pub tool: &'static str,
}

/// What is known about what production runs now.
pub enum BaselineState<'d> {
    /// Production runs this.
    Known {
        /// Metadata version.
        version: u64,
        /// When it expires, as it is written. Foreign text.
        expires: Cow<'d, str>,
        /// Digest of its canonical `signed`.
        digest: Digest,
        /// Is it only what this station remembers?
        from_memory: bool,
        /// Does anybody vouch for it: the newest root's signatures, or this station's record?
        vouched: bool,
        /// Version and digest of what the proposal is compared with: this, or, where nobody vouches for it, what this
        /// station last signed or saw; nothing where it knows nothing.
        compared: Option<(u64, Digest)>,
    },
    /// There are no production targets for the tag yet.
    FirstWave,
    /// The request does not show it, and the station never saw any for the tag.
    Unknown,
}

/// The review of a situation.
pub fn review<'d>(situation: &'d Situation<'d>) -> Review<'d> {
    let bytes = situation.message.bytes().len() as u64;
    let (diff, mut findings) = threads::both(bytes, || Diff::of(situation), || checks::run(situation));
    // Within a severity the order of the table of checks: trust first.
    findings.sort_by_key(|finding| finding.severity);
    let page_limit = size::page_limit(situation);
    let (header, trust) = (Header::of(situation), Trust::of(situation));
    let (nonce, own_digest) = (situation.nonce, OnceLock::new());
    let mut review = Review { header, trust, diff, findings, page_limit, nonce, own_digest };
    size::judge(&mut review);
    // What it was judged by was not yet what is shown.
    review.own_digest = OnceLock::new();
    review
}

impl Review<'_> {
    /// May it be signed? Nothing blocks it.
    pub fn signable(&self) -> bool {
        self.count(Severity::Block) == 0
    }

    /// How many findings are of this severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// SHA-256 of the review's JSON form without its confirmation code: what the log and the HTML's footer name.
    pub(crate) fn digest(&self) -> Digest {
        *self.own_digest.get_or_init(|| json::digest(self))
    }

    /// Is there anything to confirm: may it be signed, and was a nonce drawn for it?
    pub(crate) fn is_confirmable(&self) -> bool {
        self.signable() && self.nonce.is_some()
    }

    /// The confirmation code, as words; nothing for a request whose nonce was not drawn, which nobody can confirm.
    pub(crate) fn confirm(&self) -> String {
        let code = self.nonce.map(|nonce| code(&self.header.digest, &self.digest(), &nonce));
        code.map(|code| words::confirmation(&code.0)).unwrap_or_default()
    }
}

/// What the confirmation words stand for: the exact bytes, the review that was shown of them, and the nonce that the
/// station drew. Without the nonce, who makes requests could look for two with the same six words.
pub(crate) fn code(signed: &Digest, review: &Digest, nonce: &Nonce) -> Digest {
    Digest::of(&[b"countersign/confirm/1\n".as_slice(), &signed.0, &review.0, nonce].concat())
}

impl<'d> Header<'d> {
    fn of(situation: &'d Situation<'d>) -> Header<'d> {
        let digest = situation.message.digest();
        let metadata = &situation.proposal.metadata;
        Header {
            request: situation.request,
            dialect: metadata.dialect,
            factory: situation.station_factory,
            request_factory: &situation.manifest.factory,
            kind: situation.manifest.kind,
            wave: &situation.manifest.wave,
            tag: &situation.manifest.tag,
            version: metadata.version,
            expires: metadata.expires.clone(),
            baseline: BaselineState::of(situation, &digest),
            digest,
            bytes: situation.message.bytes().len(),
            policy: situation.policy_digest,
            networked: situation.networked,
            at_station: situation.at_station,
            tool: concat!("countersign ", env!("CARGO_PKG_VERSION")),
        }
    }

    /// The metadata version that production runs now.
    pub(crate) fn baseline_version(&self) -> Option<u64> {
        match self.baseline {
            BaselineState::Known { version, .. } => Some(version),
            BaselineState::FirstWave | BaselineState::Unknown => None,
        }
    }
}

impl<'d> BaselineState<'d> {
    fn of(situation: &'d Situation<'d>, own: &Digest) -> BaselineState<'d> {
        match &situation.baseline {
            Some(baseline) => BaselineState::Known {
                version: baseline.targets.metadata.version,
                expires: baseline.targets.metadata.expires.clone(),
                digest: baseline.digest,
                from_memory: baseline.source == BaselineSource::Station,
                vouched: situation.vouched() != Some(Vouched::Nobody),
                compared: match situation.vouched() {
                    Some(Vouched::Nobody) => situation
                        .record
                        .as_ref()
                        .map(|record| (record.targets.metadata.version, record.digest)),
                    _ => Some((baseline.targets.metadata.version, baseline.digest)),
                },
            },
            // The same question as the finding's, so that the two never contradict each other.
            None if checks::is_first_wave(situation, own) => BaselineState::FirstWave,
            None => BaselineState::Unknown,
        }
    }
}
