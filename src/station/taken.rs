//! When each request was taken in, and the nonce that was drawn then, as the log has it. Which signatures over its files hold
//! is verified from the bytes each time it matters: `evidence.verified` is a statement for the auditor, and gives nothing here.

use crate::host::clock::Time;
use crate::ledger::{Entry, Record};
use crate::tuf::Digest;
use std::collections::BTreeMap;

/// Goes into a request's confirmation words, so that who makes requests cannot know them.
pub(crate) type Nonce = [u8; 16];

/// The requests that were taken in.
#[derive(Default)]
pub struct Taken {
    since: BTreeMap<Digest, Time>,
    nonces: BTreeMap<Digest, Nonce>,
    newest: Option<Digest>,
}

impl Taken {
    /// Takes the next entry of the log into account.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) {
        match entry.record() {
            Record::RequestImported(taken) => {
                if let Some(request) = Digest::parse(&taken.request) {
                    self.came(request, entry.time());
                }
            }
            Record::NonceDrawn(drawn) => {
                let mut nonce = Nonce::default();
                if let (Some(request), Ok(())) =
                    (Digest::parse(&drawn.request), hex::decode_to_slice(drawn.nonce.as_bytes(), &mut nonce))
                {
                    self.drew(request, nonce);
                }
            }
            _ => {}
        }
    }

    /// Remembers that a request was taken in; the first time stays.
    pub(crate) fn came(&mut self, request: Digest, time: Time) {
        self.newest = Some(request);
        self.since.entry(request).or_insert(time);
    }

    /// Remembers the nonce of a request; the first one stays.
    pub(crate) fn drew(&mut self, request: Digest, nonce: Nonce) {
        self.nonces.entry(request).or_insert(nonce);
    }

    /// The nonce that was drawn when the request was first taken in.
    pub(crate) fn nonce(&self, request: Digest) -> Option<Nonce> {
        self.nonces.get(&request).copied()
    }

    /// When the request was first taken in.
    pub(crate) fn since(&self, request: Digest) -> Option<Time> {
        self.since.get(&request).copied()
    }

    /// Was the request taken in?
    pub(crate) fn has(&self, request: Digest) -> bool {
        self.since.contains_key(&request)
    }

    /// The request that was taken in last. Clocks have seconds only; the log has the order.
    pub(crate) fn newest(&self) -> Option<Digest> {
        self.newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_comes_again_is_the_newest_and_keeps_the_time_at_which_it_first_came() {
        let (one, other, mut taken) = (Digest::of(b"one"), Digest::of(b"other"), Taken::default());
        let [first, second, third] = [1, 2, 3].map(Time::from_unix);
        assert!(!taken.has(one));
        taken.came(one, first);
        taken.came(other, second);
        taken.came(one, third);
        assert_eq!(
            (taken.since(one), taken.since(other), taken.newest()),
            (Some(first), Some(second), Some(one))
        );
        assert!(taken.has(one) && taken.has(other));
    }
}
