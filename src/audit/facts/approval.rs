//! Judging decisions: is each by an officer of that time and about what she was shown, and does an approval still stand
//! when a signature rests on it? The rule is the station's own: of each officer only the newest decision about a request
//! counts, whatever the review was, and a refusal stands until she decides otherwise.

use super::{Facts, Officer, digest, flawed};
use crate::audit::AuditError;
use crate::audit::jobs::{Job, Queue};
use crate::host::clock::Time;
use crate::ledger::field::ApprovalAt;
use crate::ledger::record::{self, SignIntent};
use crate::ledger::{Decision, Entry, Kind, SignedApproval, rules};
use crate::text::Foreign;
use crate::tlog::FlawKind;
use crate::tuf::Digest;
use std::collections::BTreeSet;

/// An approval: of what, and until when.
pub(super) struct Granted {
    officer: String,
    request: Digest,
    review: Digest,
    policy: Digest,
    expires: Option<Time>,
}

/// An officer's newest decision about a request.
pub(super) struct Decided {
    seq: u64,
    decision: Decision,
    /// The key that it is signed with.
    key: String,
}

impl Facts<'_> {
    pub(super) fn approval(
        &mut self,
        entry: &Entry<'_>,
        decided: &record::Decided<'_>,
        queue: &Queue<'_>,
    ) -> Result<(), AuditError> {
        let Some(signed) = SignedApproval::from_entry(entry) else { return Ok(()) };
        let approval = &signed.approval;
        match self.officers.get(&approval.officer) {
            None => return flawed(FlawKind::Approval, "the decision is by somebody who is not an officer"),
            Some(officer) if officer.key != approval.key => {
                return flawed(
                    FlawKind::Approval,
                    "the decision is signed with a key that is not the officer's",
                );
            }
            Some(officer) if !officer.is_active() && entry.kind() != Kind::ApprovalExpired => {
                return flawed(FlawKind::Approval, "the decision is by an officer who was retired");
            }
            Some(_) => {}
        }
        if entry.kind() != Kind::ApprovalExpired {
            if !self.nonces.insert(Digest::of(approval.nonce.as_bytes())) {
                return flawed(FlawKind::Approval, "the same decision stands in the log before");
            }
            // Who says no need not have seen anything; who says yes must have.
            let review = digest(&approval.review)?;
            let request = digest(&approval.request)?;
            if approval.decision == Decision::Granted {
                match self.reviews.get(&review) {
                    None => {
                        let why = "the approval is of a review that was never rendered";
                        return flawed(FlawKind::Approval, why);
                    }
                    Some(shown) if shown.request != request => {
                        return flawed(FlawKind::Approval, "the approval is of a review of another request");
                    }
                    Some(_) => {}
                }
            }
            let of_policy = self.policy.as_ref().filter(|in_force| in_force.digest == approval.policy);
            let policy = of_policy.map(|in_force| &in_force.policy);
            if let Some(flaw) = rules::decision(entry, decided, Time::parse(&approval.expires), policy) {
                return Err(AuditError::Flawed(flaw));
            }
            let decided =
                Decided { seq: entry.seq(), decision: approval.decision, key: approval.key.clone() };
            self.decided.entry(request).or_default().insert(approval.officer.clone(), decided);
            if approval.decision == Decision::Granted {
                let granted = Granted {
                    officer: approval.officer.clone(),
                    request,
                    review,
                    policy: digest(&approval.policy)?,
                    expires: Time::parse(&approval.expires),
                };
                self.approvals.insert(entry.seq(), granted);
            }
        }
        queue.add(Job::Approval { seq: entry.seq(), approval: Box::new(signed) });
        Ok(())
    }

    /// The distinct officers whose approvals an intent names, each of them found to be of this very request, review and
    /// policy, not expired, and standing.
    pub(super) fn approved(
        &self,
        time: Time,
        intent: &SignIntent<'_>,
    ) -> Result<BTreeSet<String>, AuditError> {
        let (request, review) = (digest(&intent.request)?, digest(&intent.review)?);
        let policy = digest(&intent.policy)?;
        let mut approved = BTreeSet::new();
        for ApprovalAt { officer, seq } in &intent.approvals {
            let wrong = |why: &str| of_approval(*seq, why);
            let Some(granted) = self.approvals.get(seq) else { return wrong("does not exist") };
            if granted.officer != **officer {
                return wrong("is another officer's");
            }
            if (granted.request, granted.review, granted.policy) != (request, review, policy) {
                return wrong("is of another request, review or policy");
            }
            // The station looks a moment before it writes: the very second of the expiry is not held against it.
            if granted.expires.is_none_or(|expires| expires < time) {
                return wrong("had expired");
            }
            self.stands(request, officer, *seq)?;
            approved.insert(officer.to_string());
        }
        self.not_rejected(request)?;
        Ok(approved)
    }

    /// What an intent rested on must stand when its result is written, too.
    pub(super) fn still_approved(
        &self,
        request: Digest,
        approvals: &[ApprovalAt<'_>],
    ) -> Result<(), AuditError> {
        approvals.iter().try_for_each(|one| self.stands(request, &one.officer, one.seq))?;
        self.not_rejected(request)
    }

    /// Is the approval in this entry the officer's last word about the request, and is she still who gave it?
    fn stands(&self, request: Digest, officer: &str, seq: u64) -> Result<(), AuditError> {
        let newest = self.decided.get(&request).and_then(|by| by.get(officer));
        let Some(newest) = newest else { return of_approval(seq, "does not exist") };
        if newest.seq != seq {
            let how = match newest.decision {
                Decision::Denied => "was withdrawn: the same officer rejected the request in entry",
                Decision::Granted => "was replaced by the same officer's approval in entry",
            };
            return of_approval(seq, &format!("{how} {}", newest.seq));
        }
        match self.officers.get(officer) {
            Some(Officer { retired: Some(retired), .. }) => {
                of_approval(seq, &format!("is by an officer who was retired in entry {retired}"))
            }
            Some(known) if known.key == newest.key => Ok(()),
            _ => of_approval(seq, "is signed with a key that is not the officer's any more"),
        }
    }

    /// Nobody signs while a refusal stands; that she who said no was retired since takes nothing back.
    fn not_rejected(&self, request: Digest) -> Result<(), AuditError> {
        let decided = self.decided.get(&request).into_iter().flatten();
        let is_hers =
            |name: &str, key: &str| self.officers.get(name).is_some_and(|officer| officer.key == key);
        let mut denied = decided
            .filter(|(name, newest)| newest.decision == Decision::Denied && is_hers(name, &newest.key));
        match denied.next() {
            None => Ok(()),
            Some((name, newest)) => flawed(
                FlawKind::Approval,
                &format!(
                    "{} rejected the request in entry {}, and that stood when it was signed",
                    Foreign(name),
                    newest.seq
                ),
            ),
        }
    }
}

fn of_approval<T>(seq: u64, why: &str) -> Result<T, AuditError> {
    flawed(FlawKind::Approval, &format!("the approval in entry {seq} {why}"))
}
