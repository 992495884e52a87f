//! What the log says of each signature: that it was made, or what became of an intent without a result. An intent is
//! somebody's word too: nobody is told "there is none" while it stands.

use super::AuditError;
use super::pack::Pack;
use crate::ledger::acts::SIGNED_AGAIN;
use crate::ledger::store::Head;
use crate::ledger::{Entry, EntryBuf, Kind};
use std::collections::BTreeMap;

/// What the log says came of an intent to sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The signature was made.
    Signed,
    /// Whether it was made is not known, and no officer has said.
    InDoubt,
    /// An officer said that it was made; the log does not have it.
    DeclaredMade,
    /// An officer said that it was not made.
    DeclaredNotMade,
    /// The station gave the intent up: nothing was signed.
    GivenUp,
}

impl Outcome {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Signed => "SIGNED",
            Outcome::InDoubt => "IN-DOUBT",
            Outcome::DeclaredMade => "DECLARED-MADE",
            Outcome::DeclaredNotMade => "DECLARED-NOT-MADE",
            Outcome::GivenUp => "GIVEN-UP",
        }
    }
}

/// What the log says of one signature.
#[derive(Debug)]
pub struct Word {
    /// The result; where there is none, the intent.
    pub entry: EntryBuf,
    /// What came of it.
    pub outcome: Outcome,
    /// The entry that settled an intent without a result.
    pub settled: Option<EntryBuf>,
}

/// Reads what the log says of the signatures that are wanted, in the order of their entries.
///
/// # Errors
/// The pack cannot be read, or a line was changed.
pub fn read(
    pack: &Pack<'_>,
    head: &Head,
    mut wanted: impl FnMut(&Entry<'_>) -> Result<bool, AuditError>,
) -> Result<Vec<Word>, AuditError> {
    let mut made = Vec::new();
    let mut unfinished: BTreeMap<u64, Word> = BTreeMap::new();
    pack.each_named(head, "sign.", |entry| {
        match entry.kind() {
            Kind::SignIntent | Kind::SignRecovered if wanted(entry)? => {
                let word = Word { entry: entry.to_owned(), outcome: Outcome::InDoubt, settled: None };
                unfinished.insert(entry.seq(), word);
            }
            Kind::SignResult => {
                unfinished.remove(&entry.int("intent"));
                if wanted(entry)? {
                    made.push(Word { entry: entry.to_owned(), outcome: Outcome::Signed, settled: None });
                }
            }
            Kind::SignInDoubt if entry.text("resolution") == SIGNED_AGAIN => {
                unfinished.remove(&entry.int("intent"));
            }
            Kind::SignAborted | Kind::SignInDoubt => settle(&mut unfinished, entry),
            _ => {}
        }
        Ok(())
    })?;
    made.extend(unfinished.into_values());
    made.sort_by_key(|word| word.entry.entry().seq());
    Ok(made)
}

fn settle(unfinished: &mut BTreeMap<u64, Word>, entry: &Entry<'_>) {
    let Some(word) = unfinished.get_mut(&entry.int("intent")) else { return };
    word.outcome = match (entry.kind(), entry.text("resolution").as_ref()) {
        (Kind::SignAborted, _) => Outcome::GivenUp,
        (_, "made") => Outcome::DeclaredMade,
        (_, "not made") => Outcome::DeclaredNotMade,
        // That it is in doubt is no settlement.
        _ => return,
    };
    word.settled = Some(entry.to_owned());
}
