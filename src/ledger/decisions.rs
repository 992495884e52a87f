//! What the officers decided about each request: of each officer only the newest decision counts, whatever the review was.

use super::entry::Entry;
use super::record::Record;
use super::{Approval, Decision, SignedApproval};
use crate::tuf::Digest;
use std::collections::{BTreeMap, HashMap, HashSet};

/// An officer's newest decision about a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    /// The decision. Whether its signature holds is for the caller to verify.
    pub signed: SignedApproval,
    /// The entry that holds it.
    pub seq: u64,
}

impl Standing {
    /// What she decided.
    pub(crate) fn approval(&self) -> &Approval {
        &self.signed.approval
    }

    /// Is it an approval?
    pub(crate) fn is_approval(&self) -> bool {
        self.approval().decision == Decision::Granted
    }
}

/// Every decision that stands, after the entries seen so far.
#[derive(Default)]
pub(crate) struct Decisions {
    /// By request, then by officer.
    newest: HashMap<Digest, BTreeMap<String, Standing>>,
    nonces: HashSet<Digest>,
    expired: HashSet<Digest>,
}

impl Decisions {
    /// Takes the next entry into account.
    pub(super) fn see(&mut self, entry: &Entry<'_>) {
        match entry.record() {
            Record::ApprovalGranted(decided) | Record::ApprovalDenied(decided) => {
                // A decision that stands in the log before is a copy, and decides nothing.
                let is_new = self.nonces.insert(Digest::of(decided.nonce.as_bytes()));
                let signed = SignedApproval::from_entry(entry).filter(|_| is_new);
                if let (Some(signed), Some(request)) = (signed, Digest::parse(&decided.request)) {
                    let standing = Standing { signed, seq: entry.seq() };
                    let by_officer = self.newest.entry(request).or_default();
                    by_officer.insert(decided.officer.to_string(), standing);
                }
            }
            Record::ApprovalExpired(expired) => {
                self.expired.insert(Digest::of(expired.nonce.as_bytes()));
            }
            _ => {}
        }
    }

    /// The newest decision of each officer about a request, by her name.
    pub(crate) fn of(&self, request: &Digest) -> impl Iterator<Item = &Standing> {
        self.newest.get(request).into_iter().flat_map(BTreeMap::values)
    }

    /// An officer's newest decision about a request.
    pub(crate) fn by(&self, request: &Digest, officer: &str) -> Option<&Standing> {
        self.newest.get(request)?.get(officer)
    }

    /// Does a decision with this nonce stand in the log?
    pub(crate) fn has(&self, nonce: &str) -> bool {
        self.nonces.contains(&Digest::of(nonce.as_bytes()))
    }

    /// Does the log call the approval with this nonce expired?
    pub(crate) fn is_expired(&self, nonce: &str) -> bool {
        self.expired.contains(&Digest::of(nonce.as_bytes()))
    }
}
