//! The named checks: each looks at one thing, and says what it found, where, and what to do.
//!
//! [`CHECKS`] is the table of all of them, in the order in which their findings are shown; `docs/checks.md` lists the
//! same. How grave a finding is, and how far a policy may lower it, stands in [`policy::checks::CHECKS`].

mod composition;
mod content;
mod delegation;
mod evidence;
mod findings;
mod freshness;
mod limits;
mod names;
mod portability;
mod provenance;
mod subject;
mod text;
mod trust;
mod wave;

use super::finding::{Finding, Severity};
use super::situation::Situation;
use crate::station::policy;
use crate::threads;
pub(super) use evidence::is_first_wave;
use findings::{Findings, LISTED, Listed};
use std::fmt;
use subject::Subject;

/// What a check is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Family {
    /// Keys, roots, signatures.
    Trust,
    /// Where each target comes from.
    Provenance,
    /// What the request proves.
    Evidence,
    /// Versions and times.
    Freshness,
    /// What devices would get.
    Content,
    /// Bytes on which implementations disagree.
    Portability,
    /// How much a device reads.
    Limits,
    /// Text that is made to deceive.
    Text,
    /// This wave and the others.
    Wave,
}

impl Family {
    /// The word for it, as the documentation writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Family::Trust => "trust",
            Family::Provenance => "provenance",
            Family::Evidence => "evidence",
            Family::Freshness => "freshness",
            Family::Content => "content",
            Family::Portability => "portability",
            Family::Limits => "limits",
            Family::Text => "text",
            Family::Wave => "wave",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A check of the review.
pub(crate) struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// What it is about.
    pub family: Family,
    /// What it asks for, in one sentence; docs/checks.md has it.
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/checks.md has it: checks/tests.rs"))]
    pub sentence: &'static str,
    /// What to do when it finds something; docs/checks.md has it.
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/checks.md has it: checks/tests.rs"))]
    pub remedy: &'static str,
    run: fn(&Subject<'_, '_>, &mut Findings<'_>),
}

impl Check {
    /// How grave its main finding is when the policy does not say.
    pub(crate) fn default_severity(&self) -> Severity {
        policy::checks::check(self.name).map_or(Severity::Block, |known| known.default)
    }
}

/// Every check, in the order in which findings are shown: trust first.
pub(crate) const CHECKS: &[Check] = &table::CHECKS;

mod table;

/// Places that `canonical-portable` names before it only counts: somebody has to go and mend each of them.
const LISTED_PLACES: usize = 1000;

/// Runs every check. The same situation gives the same findings in the same order.
pub(crate) fn run(situation: &Situation<'_>) -> Vec<Finding> {
    let subject = Subject::new(situation);
    // Each check walks the targets for itself: as long a piece of work as the file is.
    let bytes = situation.message.bytes().len() as u64;
    let found = threads::each(CHECKS.iter().collect(), |_| bytes, |check| check.findings(&subject));
    found.into_iter().flatten().collect()
}

impl Check {
    fn findings(&self, subject: &Subject<'_, '_>) -> Vec<Finding> {
        let policy = subject.situation.policy;
        let default = self.default_severity();
        if policy.severity(self.name, default) == Severity::Disabled {
            let message = "The policy switched this check off: nobody looked.".to_owned();
            return vec![Finding {
                check: self.name,
                severity: Severity::Disabled,
                message,
                path: String::new(),
            }];
        }
        let listed = match self.family {
            // What concerns trust is never cut off.
            Family::Trust => Listed::ALL,
            Family::Portability => Listed::first(LISTED_PLACES),
            _ => Listed::first(LISTED),
        };
        let mut findings = Findings::new(policy, self.name, default, listed);
        (self.run)(subject, &mut findings);
        findings.finish()
    }
}

/// Do these findings leave the way to a signature open?
pub(crate) fn is_signable(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity != Severity::Block)
}

#[cfg(test)]
mod tests;
