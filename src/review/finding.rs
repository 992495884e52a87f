//! A finding: what a check noticed, how grave it is, where, and what to do.

use serde::Serialize;

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
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
    pub fn name(self) -> &'static str {
        match self {
            Severity::Block => "block",
            Severity::Warn => "warn",
            Severity::Note => "note",
            Severity::Disabled => "disabled",
        }
    }
}

/// What a check noticed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The check's stable name, as `docs/checks.md` lists it.
    pub check: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// A sentence with what was found and what to do. Foreign text in it is escaped already. It never counts days from
    /// now: the same content gives the same sentence tomorrow.
    pub message: String,
    /// Where: file and member, as `targets.json: signed.targets["a"].custom`; empty where there is no one place.
    /// Escaped already.
    pub path: String,
}
