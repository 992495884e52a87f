//! What the log says about the station's signatures: the side that published documents are compared with.

use super::Finding;
use crate::audit::words::{self, Outcome, Word};
use crate::audit::{AuditError, Pack};
use crate::ledger::record::{RootPinned, RootUpdated};
use crate::ledger::store::Head;
use crate::ledger::{self, Kind};
use crate::text::shown;
use crate::tuf::{Dialect, PublicKey, Root};
use std::collections::{BTreeMap, BTreeSet};

/// One signature, as the log has it.
pub(super) struct Logged {
    /// The entry: its number and, where there are several logs, which one's it is. Already escaped.
    pub(super) entry: String,
    pub(super) wave: String,
    pub(super) keyid: String,
    pub(super) sig: Vec<u8>,
    pub(super) tag: String,
    pub(super) version: u64,
}

/// What the log says of an intent without a result.
pub(super) struct Unfinished {
    /// As of [`Logged`].
    pub(super) entry: String,
    keyid: String,
    officers: String,
    pub(super) tag: String,
    pub(super) version: u64,
    outcome: Outcome,
    settled: String,
}

impl Unfinished {
    fn of(word: &Word, log: &str) -> Unfinished {
        let (entry, result) = (word.entry.entry(), word.result());
        let officers: Vec<String> = result.officers.iter().map(|name| shown(name)).collect();
        let settled = word.settled.as_ref().map(|settled| {
            let settled = settled.entry();
            format!("{} in entry {}", shown(&settled.actor()), settled.seq())
        });
        Unfinished {
            entry: format!("entry {}{log}", entry.seq()),
            keyid: result.keyid.to_string(),
            officers: if officers.is_empty() {
                "nobody who is named".to_owned()
            } else {
                officers.join(", ")
            },
            tag: result.tag.to_string(),
            version: result.version,
            outcome: word.outcome,
            settled: settled.unwrap_or_default(),
        }
    }

    /// What is to be said of its signature, which was published.
    pub(super) fn published(&self, what: &str) -> (Finding, String) {
        let (entry, officers, settled) = (&self.entry, &self.officers, &self.settled);
        let intent = format!("{what}: the intent of {officers} in {entry}");
        match self.outcome {
            Outcome::DeclaredMade => (
                Finding::DeclaredMade,
                format!("{intent} has no result, and {settled} said that it was made"),
            ),
            Outcome::DeclaredNotMade => (
                Finding::ContradictsSettlement,
                format!("{intent} was signed, and {settled} said that it was not made"),
            ),
            Outcome::GivenUp => (
                Finding::ContradictsSettlement,
                format!("{intent} was signed, and the station gave it up: {settled}"),
            ),
            Outcome::Signed | Outcome::InDoubt => {
                (Finding::InDoubt, format!("{intent} has no result: it was signed, and must be settled so"))
            }
        }
    }

    /// What is to be said of its signature where it was not among the files.
    pub(super) fn unpublished(&self) -> Option<(Finding, String)> {
        let (tag, version, officers, settled) =
            (shown(&self.tag), self.version, &self.officers, &self.settled);
        let intent = format!("tag {tag}, version {version}: the intent of {officers} has no result");
        match self.outcome {
            Outcome::InDoubt => {
                Some((Finding::InDoubt, format!("{intent}, and is not settled; not among the files")))
            }
            Outcome::DeclaredMade => Some((
                Finding::DeclaredMade,
                format!("{intent}, {settled} said that it was made; not among the files"),
            )),
            Outcome::Signed | Outcome::DeclaredNotMade | Outcome::GivenUp => None,
        }
    }
}

/// What the log says about signatures.
#[derive(Default)]
pub(super) struct Record {
    pub(super) dialect: Option<Dialect>,
    /// By the digest of the signed bytes.
    pub(super) signatures: BTreeMap<String, Vec<Logged>>,
    /// Intents without a result, each with the digest of the bytes that were to be signed.
    pub(super) words: Vec<(String, Unfinished)>,
    /// Keys that this station held or signed with.
    pub(super) keyids: BTreeSet<String>,
    pub(super) keys: BTreeMap<String, PublicKey>,
}

impl Record {
    /// Reads what the logs of these packs say.
    pub(super) fn read(packs: &[(&Pack<'_>, Head)]) -> Result<Self, AuditError> {
        let mut record = Record::default();
        for (pack, head) in packs {
            let log =
                if packs.len() > 1 { format!(" of {}", shown(pack.key().name())) } else { String::new() };
            record.add(pack, head, &log)?;
        }
        Ok(record)
    }

    fn add(&mut self, pack: &Pack<'_>, head: &Head, log: &str) -> Result<(), AuditError> {
        let record = self;
        let mut roots = Vec::new();
        pack.each_entry(head, |entry| {
            use ledger::Record;
            // Only these tell of the station's own keys: the service's online key is named in entries too, and is not ours.
            let keyid = match entry.record() {
                Record::KeyImported(key)
                | Record::KeyGenerated(key)
                | Record::KeySealed(key)
                | Record::KeyDrilled(key)
                | Record::KeyBackedUp(key)
                | Record::KeyRestored(key)
                | Record::KeyRetired(key) => &key.keyid,
                Record::SignIntent(intent) => &intent.keyid,
                Record::SignAborted(aborted) => &aborted.keyid,
                Record::SignInDoubt(doubt) => &doubt.keyid,
                Record::SignResult(result) => {
                    let dialect = record.dialect.unwrap_or(Dialect::Factory);
                    let logged = Logged {
                        entry: format!("entry {}{log}", entry.seq()),
                        wave: result.wave.to_string(),
                        keyid: result.keyid.to_string(),
                        sig: dialect.decode_signature(&result.sig).unwrap_or_default(),
                        tag: result.tag.to_string(),
                        version: result.version,
                    };
                    record.signatures.entry(result.signed.to_string()).or_default().push(logged);
                    &result.keyid
                }
                Record::StationCreated(created) => {
                    record.dialect = Dialect::parse(&created.dialect);
                    return Ok(true);
                }
                Record::RootPinned(RootPinned { object, .. })
                | Record::RootUpdated(RootUpdated { object, .. }) => {
                    roots.push(object.to_string());
                    return Ok(true);
                }
                _ => return Ok(true),
            };
            record.keyids.insert(keyid.to_string());
            Ok(true)
        })?;
        let unfinished = words::read(pack, head, |entry, _| Ok(entry.kind() != Kind::SignResult))?;
        let words = unfinished.iter().filter(|word| word.outcome != Outcome::Signed);
        record.words.extend(words.map(|word| (word.result().signed.to_string(), Unfinished::of(word, log))));
        for object in roots {
            let root = Root::parse("root", &pack.object(&object)?)?;
            record.keys.extend(root.keys.into_iter().map(|(id, key)| (id.as_str().to_owned(), key)));
        }
        Ok(())
    }

    /// The newest intent without a result to sign these bytes with this key.
    pub(super) fn word_of(&self, digest: &str, keyid: &str) -> Option<&Unfinished> {
        let mut words =
            self.words.iter().rev().filter(|(signed, word)| signed == digest && word.keyid == keyid);
        words.next().map(|(_, word)| word)
    }
}
