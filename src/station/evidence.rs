//! What the log says of the requests that were taken in: by whom, and which signatures over their files hold. Each is
//! verified when the request is taken in, and need not be hashed for again; nor need the production targets that it
//! proved.
//!
//! A stored request is compared with its digest, byte for byte, each time it is opened, and whether a signature holds
//! over given bytes by a given key never changes. What is believed here is the log, which is the authority for the root
//! and its keys as well. Under another root, and for a role whose keys a request brings itself, everything is verified
//! anew.

use super::history::baseline_version;
use crate::ledger::{Entry, Kind};
use crate::tuf::{Digest, KeyId};
use crate::vault::officer::OfficerName;
use std::collections::{BTreeMap, BTreeSet};

/// What the log says of every request that was taken in.
#[derive(Default)]
pub struct Evidence {
    requests: BTreeMap<Digest, Held>,
    importers: BTreeMap<Digest, BTreeSet<String>>,
    newest: Option<Digest>,
}

/// The signatures over one request's files that hold under one root.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Held {
    root_version: u64,
    signatures: Vec<(String, KeyId)>,
    baseline: Option<Digest>,
}

impl Held {
    /// Nothing is known to hold yet under this root.
    pub fn under(root_version: u64) -> Held {
        Held { root_version, signatures: Vec::new(), baseline: None }
    }

    /// Adds a signature over a file that was verified.
    pub fn add(&mut self, file: &str, keyid: &KeyId) {
        self.signatures.push((file.to_owned(), keyid.clone()));
    }

    /// The request proves the production targets of which this is the digest.
    pub fn proves(&mut self, baseline: Digest) {
        self.baseline = Some(baseline);
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.signatures.is_empty()
    }

    /// The root version under which they hold.
    pub fn root_version(&self) -> u64 {
        self.root_version
    }

    /// Files and key ids, as the log has them.
    pub fn signatures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.signatures.iter().map(|(file, keyid)| (file.as_str(), keyid.as_str()))
    }

    /// The digest of the canonical `signed` of the production targets that the request proved, if it proved any.
    pub fn baseline(&self) -> Option<Digest> {
        self.baseline
    }

    /// Is the key's signature over the file one of them?
    pub fn has(&self, file: &str, keyid: &KeyId) -> bool {
        self.signatures.iter().any(|(over, by)| over == file && by == keyid)
    }
}

impl Evidence {
    /// Takes the next entry of the log into account.
    pub fn see(&mut self, entry: &Entry<'_>) {
        if !matches!(entry.kind(), Kind::RequestImported | Kind::EvidenceVerified) {
            return;
        }
        let Some(request) = Digest::parse(&entry.text("request")) else { return };
        let root_version = entry.int("root_version");
        if entry.kind() == Kind::RequestImported {
            let objects = entry.pairs("objects");
            let baseline = objects.iter().find(|(name, _)| baseline_version(name).is_some());
            let baseline = baseline.and_then(|(_, digest)| Digest::parse(digest));
            self.taken_in(request, importer_in(&entry.actor()));
            self.requests.insert(request, Held { baseline, ..Held::under(root_version) });
        } else if let Some(held) = self.requests.get_mut(&request) {
            // What held under another root is not known of this one.
            *held = Held { baseline: held.baseline, ..Held::under(root_version) };
            for (file, keyid) in entry.pairs("signatures") {
                held.add(&file, &KeyId::new(keyid));
            }
        }
    }

    /// Remembers what was verified of a request that was taken in just now.
    pub fn verified(&mut self, request: Digest, held: Held) {
        self.newest = Some(request);
        self.requests.insert(request, held);
    }

    /// Remembers who took a request in; nothing, where no officer was named.
    pub fn taken_in(&mut self, request: Digest, importer: &str) {
        self.newest = Some(request);
        self.importers.entry(request).or_default().insert(importer.to_owned());
    }

    /// Was the request taken in, as the log has it?
    pub fn has(&self, request: Digest) -> bool {
        self.importers.contains_key(&request)
    }

    /// Did this officer take the request in, the first time or any later one? For nothing: did somebody who was not
    /// named?
    pub fn was_imported_by(&self, request: Digest, name: &str) -> bool {
        self.importers.get(&request).is_some_and(|names| names.contains(name))
    }

    /// Did an officer take the request in, by name?
    pub fn is_importer_known(&self, request: Digest) -> bool {
        self.importers.get(&request).is_some_and(|names| names.iter().any(|name| !name.is_empty()))
    }

    /// The request that was taken in last. Clocks have seconds only; the log has the order.
    pub fn newest(&self) -> Option<Digest> {
        self.newest
    }

    /// What is known of a request under this root.
    pub fn of(&self, request: Digest, root_version: u64) -> Option<&Held> {
        self.requests.get(&request).filter(|held| held.root_version == root_version)
    }
}

/// The officer who took a request in, by the actor of its entry: another actor is not an officer's name.
fn importer_in(actor: &str) -> &str {
    if actor.parse::<OfficerName>().is_ok() { actor } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Stamp;
    use crate::host::clock::Time;
    use crate::ledger::Event;

    fn see(evidence: &mut Evidence, event: Event) {
        let stamp = Stamp { time: Time::from_unix(1_800_000_000), boot: String::new(), uptime_ms: 0 };
        let line = event.line(0, &[0; 32], &stamp).expect("a line");
        evidence.see(&Entry::read(&line).expect("an entry"));
    }

    fn verified(request: Digest, root: u64, keyid: &str) -> Event {
        Event::new(Kind::EvidenceVerified, "mara")
            .text("request", request.to_string())
            .int("root_version", root)
            .pairs("signatures", [("current.json", keyid)])
    }

    fn imported(request: Digest, root: u64) -> Event {
        Event::new(Kind::RequestImported, "mara")
            .text("request", request.to_string())
            .text("kind", "wave")
            .text("factory", "acme")
            .text("wave", "v2")
            .text("tag", "production")
            .int("version", 2)
            .text("signed", Digest::of(b"signed").to_string())
            .int("root_version", root)
            .text("source", "/media/stick")
            .pairs("objects", [("baseline-1", Digest::of(b"baseline").to_string())])
    }

    #[test]
    fn the_newest_entries_of_a_request_are_all_that_is_known_of_it() {
        let (request, mut evidence) = (Digest::of(b"request"), Evidence::default());
        see(&mut evidence, verified(request, 3, "aa"));
        assert_eq!(evidence.of(request, 3), None, "it was never taken in");
        see(&mut evidence, imported(request, 3));
        see(&mut evidence, verified(request, 3, "aa"));
        assert!(evidence.of(request, 3).is_some_and(|held| held.has("current.json", &KeyId::new("aa"))));
        // Whatever writes such a log: a signature is never carried over to another root.
        see(&mut evidence, verified(request, 4, "bb"));
        assert_eq!(evidence.of(request, 3), None);
        let held = evidence.of(request, 4).expect("known");
        assert!(held.has("current.json", &KeyId::new("bb")) && !held.has("current.json", &KeyId::new("aa")));
        assert_eq!(held.baseline(), Some(Digest::of(b"baseline")));
        // Taken in again, and the station stopped before it said what holds.
        see(&mut evidence, imported(request, 4));
        assert!(evidence.of(request, 4).is_some_and(Held::is_empty));
        assert_eq!(evidence.newest(), Some(request));
    }

    #[test]
    fn everybody_who_took_a_request_in_is_its_importer() {
        let (request, mut evidence) = (Digest::of(b"request"), Evidence::default());
        assert!(!evidence.has(request));
        see(&mut evidence, imported(request, 3));
        assert!(evidence.has(request) && !evidence.was_imported_by(request, ""));
        evidence.taken_in(request, "noor");
        // Whoever was not named is no officer.
        evidence.taken_in(request, importer_in("user:1000"));
        for name in ["mara", "noor", ""] {
            assert!(evidence.was_imported_by(request, name), "{name}");
        }
        for name in ["odile", "user:1000"] {
            assert!(!evidence.was_imported_by(request, name), "{name}");
        }
        assert!(!evidence.was_imported_by(Digest::of(b"another"), "mara"));
    }

    #[test]
    fn what_held_under_one_root_is_not_known_under_another() {
        let (request, other) = (Digest::of(b"request"), Digest::of(b"another"));
        let (officer, service) = (KeyId::new("aa"), KeyId::new("bb"));
        let mut held = Held::under(3);
        held.add("current.json", &officer);
        let mut evidence = Evidence::default();
        evidence.verified(request, held.clone());
        assert_eq!(evidence.of(request, 3), Some(&held));
        assert_eq!(evidence.of(request, 4), None);
        assert_eq!(evidence.of(other, 3), None);
        assert!(held.has("current.json", &officer));
        assert!(!held.has("current.json", &service));
        assert!(!held.has("ci-targets.json", &officer));
    }
}
