//! What the log found when it was opened: lines that no checkpoint covers, and signatures that were begun and not
//! finished.
//!
//! Lines after the newest checkpoint are what a crash left, or what somebody put there who can write the folder: nobody
//! signed them, and they give nobody anything.

use super::entry::Entry;
use super::event::Event;
use super::kind::Kind;
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

impl Recovery {
    /// Nothing to tell?
    pub fn is_clean(&self) -> bool {
        self.aside.is_empty() && self.uncovered == 0 && self.open_intents.is_empty()
    }
}

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
        if entry.kind() != Kind::SignIntent || !seen.insert((entry.text("signed"), entry.text("keyid"))) {
            continue;
        }
        let mut event = Event::new(Kind::SignRecovered, "countersign");
        for field in ["request", "signed", "wave", "tag", "kind", "keyid"] {
            event = event.text(field, entry.text(field));
        }
        events.push(event.int("version", entry.int("version")).text("saved", saved));
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

/// The intents that are open after the entries seen so far.
#[derive(Clone, Debug, Default)]
pub struct Intents(BTreeMap<u64, OpenIntent>);

impl Intents {
    /// Takes the next entry into account.
    pub fn see(&mut self, entry: &Entry<'_>) {
        match entry.kind() {
            Kind::SignIntent | Kind::SignRecovered => {
                let text = |field: &str| entry.text(field).into_owned();
                let intent = OpenIntent {
                    seq: entry.seq(),
                    request: text("request"),
                    keyid: text("keyid"),
                    signed: text("signed"),
                    officers: entry.list("officers").into_iter().map(|name| name.into_owned()).collect(),
                    recorded: entry.kind() == Kind::SignRecovered,
                };
                self.0.insert(intent.seq, intent);
            }
            Kind::SignResult | Kind::SignAborted => {
                self.0.remove(&entry.int("intent"));
            }
            Kind::SignInDoubt if entry.text("resolution").is_empty() => {
                if let Some(intent) = self.0.get_mut(&entry.int("intent")) {
                    intent.recorded = true;
                }
            }
            Kind::SignInDoubt => {
                self.0.remove(&entry.int("intent"));
            }
            _ => {}
        }
    }

    /// The open intent with this number.
    pub fn get(&self, seq: u64) -> Option<&OpenIntent> {
        self.0.get(&seq)
    }

    /// All open intents, in order.
    pub fn open(&self) -> impl Iterator<Item = &OpenIntent> {
        self.0.values()
    }
}
