//! Rules of the ceremony, each once. The station asks them before it acts, holds each line against them before it is
//! written and each line of its log when it is opened; the auditor holds every line against them. What takes more than
//! the lines and the policy's text is verified beside them: signatures, and what the other objects say.

mod apart;
mod approval;
mod quorum;
mod signature;
mod strength;

pub(crate) use apart::{as_approver, as_importer, lacks_importer};
pub(crate) use approval::{Void, rejections, void};
pub(crate) use quorum::{Lack, quorum, sealing};
pub use signature::result_of;
pub(crate) use strength::{strength, strength_by_keys};

use super::policy::Policy;
use super::record::{
    EvidenceVerified, PolicyChanged, Record, ReviewKept, ReviewRendered, RootPinned, RootUpdated, SignAborted,
};
use super::{Entry, Kind, State, objects};
use crate::text::Foreign;
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::Digest;

/// Does an entry keep every rule, after the entries that were applied? `policy` is the one that it puts in force
/// ([`Record::policy`]).
///
/// # Errors
/// The rule that it breaks.
pub(crate) fn judge(state: &State, entry: &Entry<'_>, policy: Option<&Policy>) -> Result<(), Flaw> {
    if (entry.kind() == Kind::StationCreated) != (entry.seq() == 0) {
        return contradiction("a log begins with station.created, and has it nowhere else");
    }
    let approvals = policy.map_or(0, |policy| policy.approvals.into()).max(state.approvals_asked());
    let flaw = state.custody.flaw(entry).or_else(|| state.anchors.flaw(entry));
    if let Some(flaw) = flaw.or_else(|| state.acts.flaw(entry, &state.custody, approvals)) {
        return Err(flaw);
    }
    match entry.record() {
        Record::PolicyChanged(changed) => policy_changed(state, changed),
        Record::RootPinned(root) => root_pinned(state, root),
        Record::RootUpdated(root) => root_updated(state, root),
        Record::RequestImported(taken) => digest(&taken.request).map(drop),
        Record::EvidenceVerified(verified) => evidence(state, verified),
        Record::ReviewRendered(review) => review_rendered(review),
        Record::ReviewKept(kept) => review_kept(state, kept),
        Record::ApprovalGranted(decided)
        | Record::ApprovalDenied(decided)
        | Record::ApprovalExpired(decided) => approval::decision(state, entry, decided),
        Record::SignIntent(intent) => signature::intent(state, entry, intent),
        Record::SignResult(result) => signature::result(state, result),
        // Given up before there was an intent: 0, which is always station.created.
        Record::SignAborted(SignAborted { intent: 0, .. }) => Ok(()),
        Record::SignAborted(aborted) => intent_is_open(state, aborted.intent),
        Record::SignInDoubt(doubt) => intent_is_open(state, doubt.intent),
        Record::BundleExported(bundle) => is_signed(state, &bundle.signed),
        Record::SlipExported(slip) => is_signed(state, &slip.signed),
        Record::AnchorSettled(settled) => quorum::settled(state, settled),
        Record::MarkTakenOver(_) if state.anchors.predecessor().is_none() => {
            contradiction("no other log is continued, so there is no mark to take over")
        }
        _ => Ok(()),
    }
}

fn policy_changed(state: &State, changed: &PolicyChanged<'_>) -> Result<(), Flaw> {
    match state.policy.as_ref().is_some_and(|policy| policy.digest() == *changed.from) {
        true => Ok(()),
        false => contradiction("the policy that it replaces was not the one in force"),
    }
}

/// A station pins the chain that it was made with, root by root.
fn root_pinned(state: &State, pinned: &RootPinned<'_>) -> Result<(), Flaw> {
    match state.root.is_none_or(|root| pinned.version == root + 1) {
        true => Ok(()),
        false => contradiction("the root's version does not follow the one before it"),
    }
}

fn root_updated(state: &State, updated: &RootUpdated<'_>) -> Result<(), Flaw> {
    if state.root != Some(updated.from) {
        return contradiction("the root that it follows was not the one in force");
    }
    match updated.version == updated.from + 1 {
        true => Ok(()),
        false => contradiction("the root's version does not follow the one before it"),
    }
}

/// Signatures over a request's files are of a request that was taken in, by keys of the root in force.
fn evidence(state: &State, verified: &EvidenceVerified<'_>) -> Result<(), Flaw> {
    if state.requests.asked(&digest(&verified.request)?).is_none() {
        return contradiction("no such request was taken in");
    }
    match state.root == Some(verified.root_version) {
        true => Ok(()),
        false => contradiction("the root that it names was not the one in force"),
    }
}

fn review_rendered(review: &ReviewRendered<'_>) -> Result<(), Flaw> {
    let named = [&*review.review, &review.request, &review.signed, &review.object];
    named.into_iter().try_for_each(|name| digest(name).map(drop))
}

fn review_kept(state: &State, kept: &ReviewKept<'_>) -> Result<(), Flaw> {
    let Some(shown) = state.requests.review(&digest(&kept.review)?) else {
        return contradiction("the review was never shown");
    };
    if shown.request != digest(&kept.request)? {
        return contradiction("the review is of another request");
    }
    match shown.object == digest(&kept.text)? {
        true => Ok(()),
        false => contradiction("the text that was kept is not that of the review that was shown"),
    }
}

/// What ends without a result, or is in doubt, was begun.
fn intent_is_open(state: &State, intent: u64) -> Result<(), Flaw> {
    match state.intents.get(intent) {
        Some(_) => Ok(()),
        None => contradiction(&format!("there is no open intent {intent}")),
    }
}

fn is_signed(state: &State, signed: &str) -> Result<(), Flaw> {
    match state.is_signed(&digest(signed)?) {
        true => Ok(()),
        false => contradiction("nobody signed the bytes of the bundle"),
    }
}

/// A digest in a line.
fn digest(text: &str) -> Result<Digest, Flaw> {
    match Digest::parse(text).filter(|_| objects::is_digest(text)) {
        Some(digest) => Ok(digest),
        None => contradiction(&format!("\"{}\" is not a digest of 64 hex digits", Foreign(text))),
    }
}

fn contradiction<T>(why: &str) -> Result<T, Flaw> {
    Err(flaw(FlawKind::Contradiction, why))
}

fn flaw(kind: FlawKind, why: &str) -> Flaw {
    Flaw::new(kind, why)
}
