//! What the log found when it was opened: a torn line of an earlier crash, and signatures that were begun and not
//! finished.

use super::entry::Entry;
use super::kind::Kind;
use std::collections::BTreeMap;

/// What opening the log found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovery {
    /// A last line that a crash had cut off; it was moved aside, and `log.recovered` was written.
    pub torn: Option<Torn>,
    /// Every intent to sign without a result, in order.
    pub open_intents: Vec<OpenIntent>,
}

impl Recovery {
    /// Nothing to tell?
    pub fn is_clean(&self) -> bool {
        self.torn.is_none() && self.open_intents.is_empty()
    }
}

/// A line that a crash had cut off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Torn {
    /// The file that it was in, relative to the log's folder.
    pub file: String,
    /// How many bytes of it were there.
    pub bytes: u64,
    /// Where they were put, relative to the log's folder.
    pub saved: String,
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
            Kind::SignIntent => {
                let text = |field: &str| entry.text(field).into_owned();
                let intent = OpenIntent {
                    seq: entry.seq(),
                    request: text("request"),
                    keyid: text("keyid"),
                    signed: text("signed"),
                    recorded: false,
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
