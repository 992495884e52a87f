//! A finding: what a check noticed, how grave it is, where, and what to do.

pub(crate) use crate::station::policy::Severity;
use serde::Serialize;

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
