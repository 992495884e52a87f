//! What one check found: graded by the policy, counted past a cap instead of listed, so that 100,000 odd targets make
//! a review that a person can read.

use crate::review::finding::{Finding, Severity};
use crate::station::Policy;
use crate::text::at_most;

/// Findings of one check that are listed before the rest is only counted.
pub(super) const LISTED: usize = 100;

/// A longer message is no sentence any more: names in it are capped, what is left is a list without an end.
const LONGEST_MESSAGE: usize = 4096;

/// How much of what a check found is listed.
#[derive(Clone, Copy)]
pub(super) struct Listed {
    /// So many findings.
    pub count: usize,
    /// Of each message so many bytes.
    pub message: usize,
}

impl Listed {
    /// All of it.
    pub(super) const ALL: Listed = Listed { count: usize::MAX, message: usize::MAX };

    /// So many findings, each a sentence.
    pub(super) fn first(count: usize) -> Listed {
        Listed { count, message: LONGEST_MESSAGE }
    }
}

/// A longer place is shown by its beginning.
const LONGEST_PLACE: usize = 512;

/// Collects the findings of one check.
pub(super) struct Findings<'p> {
    policy: &'p Policy,
    check: &'static str,
    default: Severity,
    listed: Listed,
    found: Vec<Finding>,
    left_out: usize,
    gravest_left_out: Severity,
}

impl<'p> Findings<'p> {
    pub(super) fn new(policy: &'p Policy, check: &'static str, default: Severity, listed: Listed) -> Self {
        let gravest_left_out = Severity::Disabled;
        Findings { policy, check, default, listed, found: Vec::new(), left_out: 0, gravest_left_out }
    }

    /// A finding as grave as the check's default.
    pub(super) fn report(&mut self, place: impl FnOnce() -> String, message: impl FnOnce() -> String) {
        self.add(self.default, place, message);
    }

    /// A finding that stops a signature.
    pub(super) fn block(&mut self, place: impl FnOnce() -> String, message: impl FnOnce() -> String) {
        self.add(Severity::Block, place, message);
    }

    /// A finding that the officer has to accept.
    pub(super) fn warn(&mut self, place: impl FnOnce() -> String, message: impl FnOnce() -> String) {
        self.add(Severity::Warn, place, message);
    }

    /// A finding that is worth knowing.
    pub(super) fn note(&mut self, place: impl FnOnce() -> String, message: impl FnOnce() -> String) {
        self.add(Severity::Note, place, message);
    }

    /// Adds a finding. Place and message are made only if the finding is listed.
    pub(super) fn add(
        &mut self,
        natural: Severity,
        place: impl FnOnce() -> String,
        message: impl FnOnce() -> String,
    ) {
        let severity = self.policy.severity(self.check, natural);
        if self.found.len() < self.listed.count {
            let (message, path) = (at_most(message(), self.listed.message), at_most(place(), LONGEST_PLACE));
            self.found.push(Finding { check: self.check, severity, message, path });
            return;
        }
        self.left_out += 1;
        self.gravest_left_out = self.gravest_left_out.min(severity);
    }

    /// All findings; the last one says how many more there are.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        if self.left_out > 0 {
            let message = format!("{} more findings of this check are not listed.", self.left_out);
            let (check, severity) = (self.check, self.gravest_left_out);
            self.found.push(Finding { check, severity, message, path: String::new() });
        }
        self.found
    }
}
