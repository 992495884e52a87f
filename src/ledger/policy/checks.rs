//! The review's checks as the policy sees them: what each does by default, and how far it may be lowered.

use serde::Serialize;
use std::fmt;

/// How grave a finding is: what it does to a signature. Ordered from the gravest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is signed while it stands. There is no way to force it.
    Block,
    /// The officer accepts it by confirming the digest, and the log keeps it.
    Warn,
    /// Worth knowing.
    Note,
    /// The policy switched the check off; it is listed, so that nobody takes silence for a pass.
    Disabled,
}

impl Severity {
    /// The word for it, as the text, the JSON and the log write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Severity::Block => "block",
            Severity::Warn => "warn",
            Severity::Note => "note",
            Severity::Disabled => "disabled",
        }
    }

    /// The severity that a policy file's word stands for.
    pub(super) fn from_policy(word: &str) -> Option<Severity> {
        match word {
            "block" => Some(Severity::Block),
            "warn" => Some(Severity::Warn),
            "note" => Some(Severity::Note),
            "off" => Some(Severity::Disabled),
            _ => None,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A check of the review and the room that the policy has with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// What its main finding does when the policy does not say.
    pub default: Severity,
    /// The least that the policy may set.
    pub lowest: Severity,
}

/// A check that protects the integrity of what is signed: it cannot be lowered.
const fn fixed(name: &'static str, default: Severity) -> Check {
    Check { name, default, lowest: default }
}

/// A check that can be lowered to a warning, but not further.
const fn lowered_to_warn(name: &'static str) -> Check {
    Check { name, default: Severity::Block, lowest: Severity::Warn }
}

/// A limit of the business: it can be set as wished.
const fn free(name: &'static str, default: Severity) -> Check {
    Check { name, default, lowest: Severity::Disabled }
}

use Severity::{Block, Note, Warn};

/// Every check that a policy file can name.
pub(crate) const CHECKS: &[Check] = &[
    // Trust.
    fixed("root-chain", Block),
    fixed("continued-log", Note),
    fixed("root-expired", Block),
    fixed("root-expires-soon", Warn),
    fixed("root-rotated", Warn),
    fixed("delegations", Warn),
    fixed("key-in-role", Block),
    fixed("key-is-online", Block),
    fixed("baseline-threshold", Block),
    fixed("ci-signature", Block),
    fixed("existing-signatures", Block),
    fixed("threshold-outlook", Note),
    // Provenance.
    fixed("added-from-ci", Block),
    fixed("untouched", Block),
    fixed("pruned-as-declared", Block),
    fixed("composition", Block),
    // Evidence.
    lowered_to_warn("evidence"),
    fixed("baseline-replayed", Block),
    fixed("signed-since", Block),
    // Freshness.
    fixed("version-increases", Block),
    fixed("high-water", Block),
    fixed("equivocation", Block),
    fixed("already-signed", Note),
    fixed("expiry-format", Block),
    free("expiry-window", Warn),
    free("expiry-shrinks", Warn),
    free("outlives-root", Note),
    fixed("clock", Block),
    // Content.
    free("name-matches", Warn),
    fixed("hash-shape", Block),
    fixed("hash-changed-same-name", Block),
    lowered_to_warn("tags"),
    free("hardware-coverage", Warn),
    free("mass-removal", Block),
    free("downgrade", Block),
    lowered_to_warn("app-digest-pinned"),
    free("app-host", Block),
    free("app-removed", Warn),
    free("static-delta", Warn),
    free("source-differs-by-hardware", Warn),
    // Portability, limits, text.
    fixed("canonical-portable", Block),
    fixed("device-size", Block),
    fixed("shown-whole", Block),
    fixed("hostile-text", Block),
    fixed("names", Block),
    // Wave.
    lowered_to_warn("wave-name-used"),
    fixed("further-signature", Block),
    lowered_to_warn("wave-active"),
    fixed("first-wave", Note),
];

/// The check of this name.
pub(crate) fn check(name: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_check_has_a_floor_above_its_default_and_no_name_stands_twice() {
        for check in CHECKS {
            assert!(check.default <= check.lowest, "{}", check.name);
            assert_eq!(CHECKS.iter().filter(|other| other.name == check.name).count(), 1, "{}", check.name);
        }
    }

    #[test]
    fn what_protects_integrity_cannot_be_lowered() {
        for name in [
            "root-chain",
            "key-in-role",
            "key-is-online",
            "baseline-threshold",
            "ci-signature",
            "added-from-ci",
            "untouched",
            "composition",
            "baseline-replayed",
            "version-increases",
            "high-water",
            "equivocation",
            "canonical-portable",
            "hostile-text",
        ] {
            let check = check(name).expect(name);
            assert_eq!((check.default, check.lowest), (Block, Block), "{name}");
        }
    }
}
