//! The signatures that this station made for each request, as the log has them.

use crate::ledger::{Entry, Record};
use crate::tuf::Digest;
use std::collections::BTreeMap;

/// A signature that this station made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Made {
    /// The findings that stood when it was made: check and severity.
    pub findings: Vec<(String, String)>,
    /// The key.
    pub keyid: String,
    /// The officers who opened the key.
    pub officers: Vec<String>,
    /// Digest of the review that was confirmed.
    pub review: String,
    /// The root version that lists the key.
    pub root_version: u64,
    /// The number of the log entry `sign.result`.
    pub seq: u64,
    /// The signature, encoded as in the metadata.
    pub sig: String,
    /// Digest of the canonical `signed`.
    pub signed: String,
    /// L0 one person, L1 split unlock, L2 several TUF keys.
    pub strength: String,
    /// When.
    pub time: String,
}

/// The newest signature of each key over each request.
#[derive(Default)]
pub(crate) struct Signatures {
    by_request: BTreeMap<String, BTreeMap<String, Made>>,
    /// The findings that each intent names, until its result is there.
    findings: BTreeMap<u64, Vec<(String, String)>>,
}

impl Signatures {
    /// Takes the next entry of the log into account.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) {
        match entry.record() {
            Record::SignIntent(intent) => {
                let pair = |one: &crate::ledger::field::Finding<'_>| {
                    (one.check.to_string(), one.severity.to_string())
                };
                self.findings.insert(entry.seq(), intent.findings.iter().map(pair).collect());
            }
            Record::SignResult(result) => {
                let made = Made {
                    findings: self.findings.remove(&result.intent).unwrap_or_default(),
                    keyid: result.keyid.to_string(),
                    officers: result.officers.iter().map(|name| name.to_string()).collect(),
                    review: result.review.to_string(),
                    root_version: result.root_version,
                    seq: entry.seq(),
                    sig: result.sig.to_string(),
                    signed: result.signed.to_string(),
                    strength: result.strength.to_string(),
                    time: entry.time().to_string(),
                };
                let by_key = self.by_request.entry(result.request.to_string()).or_default();
                by_key.insert(made.keyid.clone(), made);
            }
            Record::SignAborted(aborted) => drop(self.findings.remove(&aborted.intent)),
            _ => {}
        }
    }

    /// Those over a request, by key id.
    pub(crate) fn of(&self, request: Digest) -> Vec<Made> {
        let by_key = self.by_request.get(&request.to_string());
        by_key.into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// The newest over a request.
    pub(crate) fn newest(&self, request: Digest) -> Option<Made> {
        self.of(request).into_iter().max_by_key(|made| made.seq)
    }
}
