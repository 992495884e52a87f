//! The policy: what this station's owner demands of a ceremony beyond what is always demanded.
//!
//! One TOML file, read strictly: a name that is not known or a value out of range is refused with its line, because
//! a misspelt limit that is silently ignored is worse than none. The policy's digest stands in every review, approval
//! and signature.

mod change;
pub(crate) mod checks;
mod error;
mod file;

pub(crate) use change::{Change, Effect};
pub(crate) use checks::Severity;
pub(crate) use error::PolicyError;

use crate::ledger::Demand;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// The first line's value of a policy file that this program reads.
pub(crate) const FORMAT: &str = "countersign/policy/1";

/// The largest policy file that is read, in bytes.
pub(crate) const MAX_POLICY_BYTES: u64 = 64 * 1024;

/// The commented policy that a new station gets.
pub const DEFAULT: &str = include_str!("default.toml");

/// The default policy with another number of approvals, for `init --approvals N`. The number is checked when the text
/// is read.
pub(crate) fn default_text(approvals: u32) -> String {
    DEFAULT.replacen("\ncount = 1\n", &format!("\ncount = {approvals}\n"), 1)
}

/// A part that a person plays in one ceremony.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Took the request in.
    Importer,
    /// Approved the request.
    Approver,
    /// Gave a passphrase to open the targets key.
    Signer,
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Role::Importer => "importer",
            Role::Approver => "approver",
            Role::Signer => "signer",
        })
    }
}

/// A policy in force. Made by [`Policy::read`] only, so that it always has bytes and a digest.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Different officers that must approve.
    pub approvals: u32,
    /// Hours until an approval expires.
    pub approval_hours: u32,
    /// May the officer who imported a request approve it?
    pub importer_may_approve: bool,
    /// Pairs of roles that one person may not hold in one ceremony.
    pub separate_roles: Vec<(Role, Role)>,
    /// The largest file that is read from a stick, in bytes. All files of a request together may have eight times as many.
    pub max_file_bytes: u64,
    /// The fewest days from now at which a wave may expire.
    pub expiry_min_days: u32,
    /// The most days from now at which a wave may expire.
    pub expiry_max_days: u32,
    /// From how many days before it expires the root is reported.
    pub root_expires_soon_days: u32,
    /// Registries that apps may come from; empty: any.
    pub app_hosts: Vec<String>,
    /// A removal of at least this share of the targets, in percent …
    pub mass_removal_percent: u32,
    /// … and of at least so many targets is a mass removal.
    pub mass_removal_count: u32,
    /// What is asked of witnesses of the log.
    pub witness: Demand,
    /// Must the program be confined fully where it signs?
    pub requires_confinement: bool,
    preflight: BTreeMap<String, Severity>,
    checks: BTreeMap<String, Severity>,
    text: String,
    digest: [u8; 32],
}

impl Policy {
    /// Reads a policy file's bytes.
    ///
    /// # Errors
    /// Not UTF-8, too large, not TOML, an unknown name, a value out of range, or a check lowered that may not be; with
    /// the line.
    pub fn read(bytes: &[u8]) -> Result<Policy, PolicyError> {
        file::read(bytes)
    }

    /// SHA-256 of the file's bytes, in lower-case hex.
    pub fn digest(&self) -> String {
        hex::encode(self.digest)
    }

    /// The file as it was read, with its comments.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a finding of a check does under this policy.
    ///
    /// `natural` is how grave the check itself takes this finding. The policy's word replaces that of a finding as
    /// grave as the check's default; a lesser finding of the same check is only ever lowered.
    pub(crate) fn severity(&self, check: &str, natural: Severity) -> Severity {
        let Some(&set) = self.checks.get(check) else { return natural };
        let default = checks::check(check).map_or(natural, |known| known.default);
        if natural <= default { set } else { natural.max(set) }
    }

    /// Does a failure of this line of the preflight stop a signature? Lines that the policy does not name do.
    pub(crate) fn preflight_blocks(&self, line: &str) -> bool {
        self.preflight.get(line).is_none_or(|severity| *severity == Severity::Block)
    }

    /// May one person hold both roles in one ceremony?
    pub(crate) fn may_hold_both(&self, one: Role, other: Role) -> bool {
        let pair = |a, b| (a, b) == (one, other) || (b, a) == (one, other);
        let separate = self.separate_roles.iter().any(|(a, b)| pair(*a, *b));
        let by_importer_rule = !self.importer_may_approve && pair(Role::Importer, Role::Approver);
        !separate && !by_importer_rule
    }

    /// May somebody who takes a request in not approve or sign it? Then it must be known who did.
    pub(crate) fn separates_importer(&self) -> bool {
        [Role::Approver, Role::Signer].iter().any(|role| !self.may_hold_both(Role::Importer, *role))
    }

    /// Is the removal of `removed` out of `before` targets a mass removal?
    pub(crate) fn is_mass_removal(&self, removed: usize, before: usize) -> bool {
        let (removed, before) = (removed as u128, before as u128);
        removed >= u128::from(self.mass_removal_count).max(1)
            && removed * 100 >= before * u128::from(self.mass_removal_percent)
    }
}

impl Default for Policy {
    /// The policy that a new station gets.
    fn default() -> Policy {
        file::built_in()
    }
}

#[cfg(test)]
mod tests;
