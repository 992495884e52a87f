//! What the records of a log add up to. The station and the auditor walk the same state: each entry is judged
//! ([`super::rules::judge`]) and then applied once, in order.

use super::custody::Custody;
use super::decisions::Decisions;
use super::entry::Entry;
use super::policy::Policy;
use super::record::Record;
use super::recovery::Intents;
use super::requests::Requests;
use super::{Acts, Anchors};
use crate::host::Stamp;
use crate::tuf::Digest;
use std::collections::{BTreeMap, HashSet};

/// Everything that is asked of a log, after the entries applied so far.
#[derive(Default)]
pub(crate) struct State {
    /// The policy in force.
    pub policy: Option<Policy>,
    /// The version of the root in force.
    pub root: Option<u64>,
    /// Officers, and how each key is sealed.
    pub custody: Custody,
    /// Officers' signatures under their acts.
    pub acts: Acts,
    /// Witnesses, heads that came back, and whether anything may be signed.
    pub anchors: Anchors,
    /// Requests that were taken in, and their reviews.
    pub requests: Requests,
    /// What officers decided about them.
    pub decisions: Decisions,
    /// Intents to sign without a result.
    pub intents: Intents,
    /// The digests of the bytes that were signed.
    signed: HashSet<Digest>,
    failures: BTreeMap<String, (u32, Stamp)>,
}

impl State {
    /// Takes the next entry into account; `policy` is the one that it puts in force ([`Record::policy`]).
    pub(crate) fn apply(&mut self, entry: &Entry<'_>, policy: Option<Policy>) {
        if let Some(policy) = policy {
            self.anchors.set_demand(policy.witness, entry.time());
            self.policy = Some(policy);
        }
        self.intents.see(entry);
        self.requests.see(entry, &self.custody);
        self.decisions.see(entry);
        self.custody.see(entry);
        self.acts.see(entry);
        self.anchors.see(entry);
        match entry.record() {
            Record::RootPinned(root) => self.root = Some(root.version),
            Record::RootUpdated(root) => self.root = Some(root.version),
            Record::SignResult(result) => self.signed.extend(Digest::parse(&result.signed)),
            Record::OfficerAuthFailed(failed) => {
                let before = self.failures.get(&*failed.officer).map_or(0, |(count, _)| *count);
                let failures = (before.saturating_add(1), entry.stamp());
                self.failures.insert(failed.officer.to_string(), failures);
            }
            Record::ApprovalGranted(decided) | Record::ApprovalDenied(decided) => {
                self.failures.remove(&*decided.officer);
            }
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

    /// The approvals that the policy in force asks for.
    pub(crate) fn approvals_asked(&self) -> u64 {
        self.policy.as_ref().map_or(0, |policy| policy.approvals.into())
    }

    /// Were these bytes signed?
    pub(crate) fn is_signed(&self, bytes: &Digest) -> bool {
        self.signed.contains(bytes)
    }

    /// Wrong passphrases of an officer since she last proved who she is, and when the last one was.
    pub(crate) fn failures(&self, officer: &str) -> Option<&(u32, Stamp)> {
        self.failures.get(officer)
    }
}
