//! Roles that the policy keeps apart: who took a request in, who approved it, who opened the key. The log holds the
//! policy's text, so this can be judged from the log alone.

use super::{Facts, flawed};
use crate::audit::AuditError;
use crate::ledger::Entry;
use crate::ledger::policy::{Policy, Role};
use crate::text::Foreign;
use crate::tlog::FlawKind;
use crate::tuf::Digest;
use std::collections::BTreeSet;

impl Facts<'_> {
    /// Remembers who took a request in; whoever did so first keeps the entry that is named.
    pub(super) fn taken_in(&mut self, entry: &Entry<'_>, request: Digest) {
        let names = self.importers.entry(request).or_default();
        names.entry(entry.actor().into_owned()).or_insert(entry.seq());
    }

    /// Holds those who approved and those who opened the key against the policy in force.
    pub(super) fn are_apart(
        &self,
        request: Digest,
        policy: &Policy,
        approved: &BTreeSet<String>,
        openers: &BTreeSet<&String>,
    ) -> Result<(), AuditError> {
        let apart = |one: Role, other: Role| !policy.may_hold_both(one, other);
        let wrong = |name: &str, what: &str| {
            let why = format!("{} {what}, which the policy in force keeps apart", Foreign(name));
            flawed(FlawKind::Approval, &why)
        };
        let importers = self.importers.get(&request);
        let is_known =
            importers.is_some_and(|names| names.keys().any(|name| self.officers.contains_key(name)));
        if self.state.acts.are_signed() && policy.separates_importer() && !is_known {
            let why = "nobody signed that she took the request in, and the policy in force keeps that apart";
            return flawed(FlawKind::Approval, why);
        }
        for (name, seq) in importers.into_iter().flatten() {
            if apart(Role::Importer, Role::Approver) && approved.contains(name) {
                return wrong(name, &format!("took the request in (entry {seq}) and approved it"));
            }
            if apart(Role::Importer, Role::Signer) && openers.contains(name) {
                return wrong(name, &format!("took the request in (entry {seq}) and opened the key"));
            }
        }
        match approved.iter().find(|name| apart(Role::Approver, Role::Signer) && openers.contains(name)) {
            Some(name) => wrong(name, "approved the request and opened the key"),
            None => Ok(()),
        }
    }
}
