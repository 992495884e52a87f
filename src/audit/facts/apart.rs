//! Roles that the policy keeps apart: who took a request in, who approved it, who opened the key. The log holds the
//! policy's text, so this can be judged from the log alone.

use super::{Facts, digest, flawed};
use crate::audit::AuditError;
use crate::ledger::Entry;
use crate::text::Foreign;
use crate::tlog::FlawKind;
use std::collections::BTreeSet;

/// Which roles one person may not hold in one ceremony.
#[derive(Clone, Copy, Default)]
pub(super) struct Apart {
    importer_approver: bool,
    importer_signer: bool,
    approver_signer: bool,
}

impl Apart {
    /// As a policy has them. What a policy does not say, it does not ask for.
    pub(super) fn of(policy: &toml::Table) -> Apart {
        let approvals = policy.get("approvals").and_then(|value| value.as_table());
        let value = |name: &str| approvals?.get(name);
        let may_approve = value("importer_may_approve").and_then(|value| value.as_bool()).unwrap_or(true);
        let pairs = value("separate_roles").and_then(|value| value.as_array());
        let separates = |one: &str, other: &str| {
            pairs.into_iter().flatten().filter_map(|pair| pair.as_array()).any(|pair| {
                let names: Vec<_> = pair.iter().filter_map(|name| name.as_str()).collect();
                names == [one, other] || names == [other, one]
            })
        };
        Apart {
            importer_approver: !may_approve || separates("importer", "approver"),
            importer_signer: separates("importer", "signer"),
            approver_signer: separates("approver", "signer"),
        }
    }
}

impl Facts<'_> {
    /// Remembers who took a request in; whoever did so first keeps the entry that is named.
    pub(super) fn taken_in(&mut self, entry: &Entry<'_>) -> Result<(), AuditError> {
        let request = digest(&entry.text("request"))?;
        let names = self.importers.entry(request).or_default();
        names.entry(entry.actor().into_owned()).or_insert(entry.seq());
        Ok(())
    }

    /// Holds those who approved and those who opened the key against the policy in force.
    pub(super) fn are_apart(
        &self,
        entry: &Entry<'_>,
        apart: Apart,
        approved: &BTreeSet<String>,
        openers: &BTreeSet<&String>,
    ) -> Result<(), AuditError> {
        let wrong = |name: &str, what: &str| {
            let why = format!("{} {what}, which the policy in force keeps apart", Foreign(name));
            flawed(FlawKind::Approval, &why)
        };
        let importers = self.importers.get(&digest(&entry.text("request"))?);
        let is_known =
            importers.is_some_and(|names| names.keys().any(|name| self.officers.contains_key(name)));
        if self.acts.are_signed() && (apart.importer_approver || apart.importer_signer) && !is_known {
            let why = "nobody signed that she took the request in, and the policy in force keeps that apart";
            return flawed(FlawKind::Approval, why);
        }
        for (name, seq) in importers.into_iter().flatten() {
            if apart.importer_approver && approved.contains(name) {
                return wrong(name, &format!("took the request in (entry {seq}) and approved it"));
            }
            if apart.importer_signer && openers.contains(name) {
                return wrong(name, &format!("took the request in (entry {seq}) and opened the key"));
            }
        }
        match approved.iter().find(|name| apart.approver_signer && openers.contains(name)) {
            Some(name) => wrong(name, "approved the request and opened the key"),
            None => Ok(()),
        }
    }
}
