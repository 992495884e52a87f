//! Who took each request in, and the nonce that was drawn then, as the log has it. Which signatures over its files hold is verified from the bytes each time
//! it matters: `evidence.verified` is a statement for the auditor, and gives nothing here.

use crate::ledger::{Entry, Record};
use crate::tuf::Digest;
use crate::vault::officer::OfficerName;
use std::collections::{BTreeMap, BTreeSet};

/// Goes into a request's confirmation words, so that who makes requests cannot know them.
pub(crate) type Nonce = [u8; 16];

/// The requests that were taken in.
#[derive(Default)]
pub struct Taken {
    importers: BTreeMap<Digest, BTreeSet<String>>,
    nonces: BTreeMap<Digest, Nonce>,
    newest: Option<Digest>,
}

impl Taken {
    /// Takes the next entry of the log into account.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) {
        match entry.record() {
            Record::RequestImported(taken) => {
                if let Some(request) = Digest::parse(&taken.request) {
                    self.by(request, importer_in(&entry.actor()));
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

    /// Remembers who took a request in; nothing, where no officer was named.
    pub(crate) fn by(&mut self, request: Digest, importer: &str) {
        self.newest = Some(request);
        self.importers.entry(request).or_default().insert(importer.to_owned());
    }

    /// Remembers the nonce of a request; the first one stays.
    pub(crate) fn drew(&mut self, request: Digest, nonce: Nonce) {
        self.nonces.entry(request).or_insert(nonce);
    }

    /// The nonce that was drawn when the request was first taken in.
    pub(crate) fn nonce(&self, request: Digest) -> Option<Nonce> {
        self.nonces.get(&request).copied()
    }

    /// Was the request taken in?
    pub(crate) fn has(&self, request: Digest) -> bool {
        self.importers.contains_key(&request)
    }

    /// Did this officer take the request in, the first time or any later one? For nothing: did somebody who was not
    /// named?
    pub(crate) fn was_by(&self, request: Digest, name: &str) -> bool {
        self.importers.get(&request).is_some_and(|names| names.contains(name))
    }

    /// Did an officer take the request in, by name?
    pub(crate) fn is_importer_known(&self, request: Digest) -> bool {
        self.importers.get(&request).is_some_and(|names| names.iter().any(|name| !name.is_empty()))
    }

    /// The request that was taken in last. Clocks have seconds only; the log has the order.
    pub(crate) fn newest(&self) -> Option<Digest> {
        self.newest
    }
}

/// The officer who took a request in, by the actor of its entry: another actor is not an officer's name.
fn importer_in(actor: &str) -> &str {
    if actor.parse::<OfficerName>().is_ok() { actor } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_took_a_request_in_is_its_importer() {
        let (request, mut taken) = (Digest::of(b"request"), Taken::default());
        assert!(!taken.has(request));
        taken.by(request, "mara");
        assert!(taken.has(request) && !taken.was_by(request, ""));
        taken.by(request, "noor");
        // Whoever was not named is no officer.
        taken.by(request, importer_in("user:1000"));
        for name in ["mara", "noor", ""] {
            assert!(taken.was_by(request, name), "{name}");
        }
        for name in ["odile", "user:1000"] {
            assert!(!taken.was_by(request, name), "{name}");
        }
        assert!(!taken.was_by(Digest::of(b"another"), "mara"));
    }
}
