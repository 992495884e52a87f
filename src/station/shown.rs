//! Which review of each request was shown last, as the log has it: a confirmation refers to that one and to no other.

use crate::ledger::{Entry, Record};
use crate::tuf::Digest;
use std::collections::BTreeMap;

/// The last review of every request.
#[derive(Default)]
pub struct Shown(BTreeMap<Digest, ShownReview>);

/// A review that was shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ShownReview {
    /// Digest of the review.
    pub review: Digest,
    /// Digest of the canonical `signed`.
    pub signed: Digest,
}

impl Shown {
    /// Takes the next entry of the log into account.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) {
        let Record::ReviewRendered(rendered) = entry.record() else { return };
        let digests = [&*rendered.request, &rendered.review, &rendered.signed].map(Digest::parse);
        if let [Some(request), Some(review), Some(signed)] = digests {
            self.now(request, ShownReview { review, signed });
        }
    }

    /// Remembers the review that is shown now.
    pub(crate) fn now(&mut self, request: Digest, review: ShownReview) {
        self.0.insert(request, review);
    }

    /// The review of a request that was shown last.
    pub(crate) fn of(&self, request: Digest) -> Option<ShownReview> {
        self.0.get(&request).copied()
    }
}
