//! What the records of a log add up to. The station and the auditor walk the same state: each entry is applied once, in
//! order.

use super::custody::Custody;
use super::entry::Entry;
use super::record::Record;
use super::recovery::Intents;
use super::{Acts, Anchors, SignedApproval};
use crate::host::Stamp;
use std::collections::{BTreeMap, HashSet};

/// Everything that is asked of a log, after the entries applied so far.
#[derive(Default)]
pub(crate) struct State {
    /// Officers, and how each key is sealed.
    pub custody: Custody,
    /// Officers' signatures under their acts.
    pub acts: Acts,
    /// Witnesses, heads that came back, and whether anything may be signed.
    pub anchors: Anchors,
    /// Intents to sign without a result.
    pub intents: Intents,
    /// By request, then by officer.
    decisions: BTreeMap<String, BTreeMap<String, Standing>>,
    nonces: HashSet<String>,
    expired: HashSet<String>,
    failures: BTreeMap<String, (u32, Stamp)>,
}

/// An officer's newest decision about a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    /// The decision. Whether its signature holds is for the caller to verify.
    pub signed: SignedApproval,
    /// The entry that holds it.
    pub seq: u64,
}

impl State {
    /// Takes the next entry into account. Where it puts a policy in force, what that asks of witnesses is set first
    /// ([`Anchors::set_demand`]).
    pub(crate) fn apply(&mut self, entry: &Entry<'_>) {
        self.intents.see(entry);
        self.custody.see(entry);
        self.acts.see(entry);
        self.anchors.see(entry);
        match entry.record() {
            Record::OfficerAuthFailed(failed) => {
                let before = self.failures.get(&*failed.officer).map_or(0, |(count, _)| *count);
                let failures = (before.saturating_add(1), entry.stamp());
                self.failures.insert(failed.officer.to_string(), failures);
            }
            Record::ApprovalGranted(decided) | Record::ApprovalDenied(decided) => {
                self.failures.remove(&*decided.officer);
                self.decided(entry);
            }
            Record::ApprovalExpired(expired) => drop(self.expired.insert(expired.nonce.to_string())),
            Record::ActSigned(signed) => drop(self.failures.remove(&*signed.officer)),
            Record::TimeStatement(_) => drop(self.failures.remove(&*entry.actor())),
            Record::SignIntent(intent) => {
                intent.officers.iter().for_each(|name| drop(self.failures.remove(&**name)));
            }
            Record::KeyDrilled(drilled) => {
                drilled.officers.iter().for_each(|name| drop(self.failures.remove(&**name)));
            }
            _ => {}
        }
    }

    fn decided(&mut self, entry: &Entry<'_>) {
        let Some(signed) = SignedApproval::from_entry(entry) else { return };
        // A decision that stands in the log before is a copy, and decides nothing.
        if self.nonces.insert(signed.approval.nonce.clone()) {
            let by_officer = self.decisions.entry(signed.approval.request.clone()).or_default();
            by_officer.insert(signed.approval.officer.clone(), Standing { signed, seq: entry.seq() });
        }
    }

    /// The newest decision of each officer about a request, by her name.
    pub(crate) fn decisions(&self, request: &str) -> impl Iterator<Item = &Standing> {
        self.decisions.get(request).into_iter().flat_map(BTreeMap::values)
    }

    /// Does the log call the approval with this nonce expired?
    pub(crate) fn is_expired(&self, nonce: &str) -> bool {
        self.expired.contains(nonce)
    }

    /// Wrong passphrases of an officer since she last proved who she is, and when the last one was.
    pub(crate) fn failures(&self, officer: &str) -> Option<&(u32, Stamp)> {
        self.failures.get(officer)
    }
}
