//! Roles that the policy keeps apart: who took a request in, who approves it, who opens the key.

use super::flaw;
use crate::ledger::State;
use crate::ledger::policy::Role;
use crate::text::Foreign;
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::Digest;

/// What somebody does for the request that the policy does not let her do with another part in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Apart {
    /// She took the request in, in this entry.
    TookIn(u64),
    /// She opens the key.
    Opens,
}

/// Where the policy keeps who took a request in apart, it must be known who did: an officer signed it.
pub(crate) fn lacks_importer(state: &State, request: &Digest) -> bool {
    let separates = state.policy.as_ref().is_some_and(|policy| policy.separates_importer());
    separates && !state.requests.is_importer_known(request)
}

/// What keeps somebody from playing a role, as far as she took the request in?
pub(crate) fn as_importer(state: &State, request: &Digest, name: &str, role: Role) -> Option<Apart> {
    let policy = state.policy.as_ref()?;
    let seq = state.requests.taken_in_by(request, name)?;
    (!policy.may_hold_both(Role::Importer, role)).then_some(Apart::TookIn(seq))
}

/// What keeps somebody's approval from counting, if these open the key?
pub(crate) fn as_approver(state: &State, request: &Digest, name: &str, openers: &[&str]) -> Option<Apart> {
    as_importer(state, request, name, Role::Approver).or_else(|| {
        let policy = state.policy.as_ref()?;
        let is_both = openers.contains(&name) && !policy.may_hold_both(Role::Approver, Role::Signer);
        is_both.then_some(Apart::Opens)
    })
}

/// Those who approved and those who opened the key, held against the policy in force.
pub(super) fn apart(
    state: &State,
    request: &Digest,
    approved: &[&str],
    openers: &[&str],
) -> Result<(), Flaw> {
    let wrong = |name: &str, what: &str| {
        let why = format!("{} {what}, which the policy in force keeps apart", Foreign(name));
        Err(flaw(FlawKind::Approval, &why))
    };
    // In logs of 0.1 nobody signs that she took a request in.
    if state.acts.are_signed() && lacks_importer(state, request) {
        let why = "nobody signed that she took the request in, and the policy in force keeps that apart";
        return Err(flaw(FlawKind::Approval, why));
    }
    for name in approved {
        match as_approver(state, request, name, openers) {
            Some(Apart::TookIn(seq)) => {
                return wrong(name, &format!("took the request in (entry {seq}) and approved it"));
            }
            Some(Apart::Opens) => return wrong(name, "approved the request and opened the key"),
            None => {}
        }
    }
    for name in openers {
        if let Some(Apart::TookIn(seq)) = as_importer(state, request, name, Role::Signer) {
            return wrong(name, &format!("took the request in (entry {seq}) and opened the key"));
        }
    }
    Ok(())
}
