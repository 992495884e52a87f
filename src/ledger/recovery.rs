//! What the log found when it was opened: lines that no checkpoint covers, and signatures that were begun and not
//! finished.
//!
//! Lines after the newest checkpoint are what a crash left, or what somebody put there who can write the folder: nobody
//! signed them, and they give nobody anything.

use super::entry::{Entry, EntryBuf};
use super::event::Event;
use super::record::{Record, SignAborted, SignInDoubt, SignRecovered, SignResult};
use std::collections::{BTreeMap, BTreeSet};

/// What opening the log found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovery {
    /// What was kept aside; `log.recovered` was written of each.
    pub aside: Vec<Aside>,
    /// Bytes after the newest checkpoint that were passed over, because the log was opened to be looked at.
    pub uncovered: u64,
    /// Intents to sign among them.
    pub uncovered_intents: usize,
    /// Every intent to sign without a result, in order.
    pub open_intents: Vec<OpenIntent>,
}

impl Recovery {}

/// What stood in a file after the lines that the newest checkpoint covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aside {
    /// The file that it was in, relative to the log's folder.
    pub file: String,
    /// How many bytes there were.
    pub bytes: u64,
    /// Where they were put, relative to the log's folder.
    pub saved: String,
}

/// `sign.recovered` for each intent to sign among lines that were kept aside. The key is not opened before the intent
/// is under a checkpoint; all the same, an officer is to say what it was.
pub(super) fn found_intents(bytes: &[u8], saved: &str) -> Vec<Event> {
    let mut seen = BTreeSet::new();
    let mut events = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(entry) = Entry::read(line) else { continue };
        let Record::SignIntent(intent) = entry.record() else { continue };
        if !seen.insert((intent.signed.to_string(), intent.keyid.to_string())) {
            continue;
        }
        let recovered = SignRecovered {
            request: intent.request.clone(),
            signed: (&*intent.signed).into(),
            wave: intent.wave.clone(),
            tag: intent.tag.clone(),
            version: intent.version,
            kind: intent.kind.clone(),
            keyid: intent.keyid.clone(),
            saved: saved.into(),
        };
        events.push(recovered.by("countersign"));
    }
    events
}

/// An intent to sign without a result: whether a signature was made is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenIntent {
    /// The intent's entry.
    pub seq: u64,
    /// The request's digest.
    pub request: String,
    /// The key that was to sign.
    pub keyid: String,
    /// The digest of the bytes that were to be signed.
    pub signed: String,
    /// Who was to open the key.
    pub officers: Vec<String>,
    /// Does a `sign.in_doubt` without a resolution stand in the log already?
    pub recorded: bool,
}

impl OpenIntent {
    /// What the log says of it: that it is in doubt, or, with a resolution, what became of it.
    pub(crate) fn in_doubt<'a>(&'a self, resolution: &'a str) -> SignInDoubt<'a> {
        SignInDoubt {
            intent: self.seq,
            request: (&self.request).into(),
            keyid: (&self.keyid).into(),
            signed: (&self.signed).into(),
            resolution: resolution.into(),
        }
    }
}

/// The intents that are open after the entries seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Intents {
    open: BTreeMap<u64, OpenIntent>,
    /// Their entries; of one that was found after the newest checkpoint there is none.
    entries: BTreeMap<u64, EntryBuf>,
}

impl Intents {
    /// Takes the next entry into account.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) {
        let seq = entry.seq();
        match entry.record() {
            Record::SignIntent(intent) => {
                let intent = OpenIntent {
                    seq,
                    request: intent.request.to_string(),
                    keyid: intent.keyid.to_string(),
                    signed: intent.signed.to_string(),
                    officers: intent.officers.iter().map(|name| name.to_string()).collect(),
                    recorded: false,
                };
                self.open.insert(seq, intent);
                self.entries.insert(seq, entry.to_owned());
            }
            Record::SignRecovered(intent) => {
                let intent = OpenIntent {
                    seq,
                    request: intent.request.to_string(),
                    keyid: intent.keyid.to_string(),
                    signed: intent.signed.to_string(),
                    officers: Vec::new(),
                    recorded: true,
                };
                self.open.insert(seq, intent);
            }
            Record::SignResult(SignResult { intent, .. })
            | Record::SignAborted(SignAborted { intent, .. }) => {
                self.end(*intent);
            }
            Record::SignInDoubt(doubt) if doubt.resolution.is_empty() => {
                if let Some(intent) = self.open.get_mut(&doubt.intent) {
                    intent.recorded = true;
                }
            }
            Record::SignInDoubt(doubt) => {
                self.end(doubt.intent);
            }
            _ => {}
        }
    }

    fn end(&mut self, intent: u64) {
        self.open.remove(&intent);
        self.entries.remove(&intent);
    }

    /// The entry of the open intent with this number.
    pub(super) fn entry(&self, seq: u64) -> Option<&EntryBuf> {
        self.entries.get(&seq)
    }

    /// The open intent with this number.
    pub(crate) fn get(&self, seq: u64) -> Option<&OpenIntent> {
        self.open.get(&seq)
    }

    /// All open intents, in order.
    pub(crate) fn open(&self) -> impl Iterator<Item = &OpenIntent> {
        self.open.values()
    }
}
