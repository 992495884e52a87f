//! Which decisions may be written, and which approvals a signature may rest on.

use super::{digest, flaw};
use crate::host::clock::Time;
use crate::ledger::decisions::Standing;
use crate::ledger::field::ApprovalAt;
use crate::ledger::record::{Decided, SignIntent};
use crate::ledger::{Entry, Kind, State};
use crate::text::Foreign;
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::Digest;
use std::fmt;

/// A decision is the act of the officer who signs it with her own key, and is new. Who says yes must have been shown the
/// review; who says no need not have seen anything.
pub(super) fn decision(state: &State, entry: &Entry<'_>, decided: &Decided<'_>) -> Result<(), Flaw> {
    let is_expiry = entry.kind() == Kind::ApprovalExpired;
    match state.custody.officer(&decided.officer) {
        None => return wrong("the decision is by somebody who is not an officer"),
        Some(officer) if officer.key != decided.key => {
            return wrong("the decision is signed with a key that is not the officer's");
        }
        Some(officer) if officer.is_retired() && !is_expiry => {
            return wrong("the decision is by an officer who was retired");
        }
        Some(_) if is_expiry => return Ok(()),
        Some(_) => {}
    }
    if state.decisions.has(&decided.nonce) {
        return wrong("the same decision stands in the log before");
    }
    let (request, review) = (digest(&decided.request)?, digest(&decided.review)?);
    if entry.kind() == Kind::ApprovalGranted {
        match state.requests.review(&review) {
            None => return wrong("the approval is of a review that was never rendered"),
            Some(shown) if shown.request != request => {
                return wrong("the approval is of a review of another request");
            }
            Some(_) => {}
        }
    }
    if entry.actor() != *decided.officer {
        return wrong("somebody else than the officer who decided is said to have acted");
    }
    let policy = state.policy.as_ref().filter(|policy| policy.digest() == *decided.policy);
    let Some(hours) = policy.map(|policy| i64::from(policy.approval_hours)) else { return Ok(()) };
    match Time::parse(&decided.expires) {
        None => wrong("it does not say when it expires"),
        Some(expires) if expires > entry.time().plus_seconds(hours * 3600) => {
            wrong(&format!("it expires later than {hours} hours after it was given, which the policy allows"))
        }
        Some(_) => Ok(()),
    }
}

/// Why an officer's newest approval does not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Void {
    /// It is signed with a key that is not hers any more.
    Key,
    /// The log called it expired: it stays so, also for a clock that was set back.
    ExpiredBefore,
    /// She was retired in this entry.
    Retired(u64),
    /// Another policy is in force.
    Policy,
    /// It is of another review.
    Review,
    /// Its time is over.
    Expired,
}

impl fmt::Display for Void {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Void::Key => out.write_str("it is not signed by her key"),
            Void::ExpiredBefore => out.write_str("it expired before"),
            Void::Retired(seq) => write!(out, "she was retired in entry {seq}"),
            Void::Policy => out.write_str("the policy changed since"),
            Void::Review => out.write_str("the review changed since"),
            Void::Expired => out.write_str("it expired"),
        }
    }
}

/// Does an officer's newest approval count for a signature on this review, under this policy, at this time? Its last
/// second is still its own.
pub(crate) fn void(state: &State, one: &Standing, review: &str, policy: &str, now: Time) -> Option<Void> {
    let approval = one.approval();
    let Some(officer) = state.custody.officer(&approval.officer).filter(|known| known.key == approval.key)
    else {
        return Some(Void::Key);
    };
    if state.decisions.is_expired(&approval.nonce) {
        Some(Void::ExpiredBefore)
    } else if let Some((seq, _)) = officer.retired {
        Some(Void::Retired(seq))
    } else if approval.policy != policy {
        Some(Void::Policy)
    } else if approval.review != review {
        Some(Void::Review)
    } else if Time::parse(&approval.expires).is_none_or(|expires| expires < now) {
        Some(Void::Expired)
    } else {
        None
    }
}

/// The refusals that stand of a request, whatever the review was: nobody signs while there is one. That she who said no
/// was retired since takes nothing back.
pub(crate) fn rejections<'s>(state: &'s State, request: &Digest) -> impl Iterator<Item = &'s Standing> {
    let is_hers = |one: &&Standing| {
        let approval = one.approval();
        state.custody.officer(&approval.officer).is_some_and(|officer| officer.key == approval.key)
    };
    state.decisions.of(request).filter(|one| !one.is_approval()).filter(is_hers)
}

/// The approvals that an intent names, each the officer's last word about the request and good at this time; and nobody
/// rejected it. Returns the different officers.
pub(super) fn approved<'i>(
    state: &State,
    intent: &'i SignIntent<'_>,
    time: Time,
) -> Result<Vec<&'i str>, Flaw> {
    let request = digest(&intent.request)?;
    let mut approved: Vec<&str> = Vec::new();
    for ApprovalAt { officer, seq } in &intent.approvals {
        let of_entry = |why: &str| wrong(&format!("the approval in entry {seq} {why}"));
        let Some(newest) = state.decisions.by(&request, officer).filter(|newest| newest.seq >= *seq) else {
            return of_entry("does not exist");
        };
        if newest.seq > *seq {
            let how = match newest.is_approval() {
                false => "was withdrawn: the same officer rejected the request in entry",
                true => "was replaced by the same officer's approval in entry",
            };
            return of_entry(&format!("{how} {}", newest.seq));
        }
        if !newest.is_approval() {
            return of_entry("is a refusal");
        }
        if let Some(void) = void(state, newest, &intent.review, &intent.policy, time) {
            return of_entry(&format!("is void: {void}"));
        }
        if !approved.contains(&&**officer) {
            approved.push(officer);
        }
    }
    match rejections(state, &request).next() {
        None => Ok(approved),
        Some(one) => wrong(&format!(
            "{} rejected the request in entry {}, and that stood when it was signed",
            Foreign(&one.approval().officer),
            one.seq
        )),
    }
}

fn wrong<T>(why: &str) -> Result<T, Flaw> {
    Err(flaw(FlawKind::Approval, why))
}
