//! What the log says of each signature: that it was made, or what became of an intent without a result. An intent is
//! somebody's word too: nobody is told "there is none" while it stands.

use super::AuditError;
use super::pack::Pack;
use crate::ledger::acts::{MADE, NOT_MADE, SIGNED_AGAIN};
use crate::ledger::field::Text;
use crate::ledger::record::SignResult;
use crate::ledger::store::Head;
use crate::ledger::{Entry, EntryBuf, Record, rules};
use std::collections::BTreeMap;

/// What the log says came of an intent to sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
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
    pub(crate) const fn word(self) -> &'static str {
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
pub(crate) struct Word {
    /// The result; where there is none, the intent.
    pub entry: EntryBuf,
    /// What came of it.
    pub outcome: Outcome,
    /// The entry that settled an intent without a result.
    pub settled: Option<EntryBuf>,
}

impl Word {
    /// The result; of an intent, what its result would repeat of it.
    pub(crate) fn result(&self) -> SignResult<'_> {
        result_in(&self.entry.entry()).expect("no word is made of another entry")
    }
}

/// Reads what the log says of the signatures that are wanted, in the order of their entries.
///
/// # Errors
/// The pack cannot be read, or a line was changed.
pub(crate) fn read(
    pack: &Pack<'_>,
    head: &Head,
    mut wanted: impl FnMut(&Entry<'_>, &SignResult<'_>) -> Result<bool, AuditError>,
) -> Result<Vec<Word>, AuditError> {
    let mut made = Vec::new();
    let mut unfinished: BTreeMap<u64, Word> = BTreeMap::new();
    pack.each_named(head, "sign.", |entry| {
        let word = |outcome| Word { entry: entry.to_owned(), outcome, settled: None };
        match entry.record() {
            Record::SignResult(result) => {
                unfinished.remove(&result.intent);
                if wanted(entry, result)? {
                    made.push(word(Outcome::Signed));
                }
            }
            Record::SignInDoubt(doubt) if doubt.resolution == SIGNED_AGAIN => {
                unfinished.remove(&doubt.intent);
            }
            Record::SignInDoubt(doubt) => match doubt.resolution.as_ref() {
                MADE => settle(&mut unfinished, doubt.intent, Outcome::DeclaredMade, entry),
                NOT_MADE => settle(&mut unfinished, doubt.intent, Outcome::DeclaredNotMade, entry),
                // That it is in doubt is no settlement.
                _ => {}
            },
            Record::SignAborted(aborted) => {
                settle(&mut unfinished, aborted.intent, Outcome::GivenUp, entry);
            }
            _ => {
                if let Some(intent) = result_in(entry)
                    && wanted(entry, &intent)?
                {
                    unfinished.insert(entry.seq(), word(Outcome::InDoubt));
                }
            }
        }
        Ok(())
    })?;
    made.extend(unfinished.into_values());
    made.sort_by_key(|word| word.entry.entry().seq());
    Ok(made)
}

fn settle(unfinished: &mut BTreeMap<u64, Word>, intent: u64, outcome: Outcome, entry: &Entry<'_>) {
    if let Some(word) = unfinished.get_mut(&intent) {
        word.outcome = outcome;
        word.settled = Some(entry.to_owned());
    }
}

/// The result that an entry holds; of an intent, what its result would repeat of it.
fn result_in<'a>(entry: &Entry<'a>) -> Option<SignResult<'a>> {
    match entry.record() {
        Record::SignResult(result) => Some(result.clone()),
        Record::SignIntent(intent) => Some(rules::result_of(intent, entry.seq(), Default::default())),
        Record::SignRecovered(intent) => {
            let none = Text::default;
            Some(SignResult {
                intent: entry.seq(),
                request: intent.request.clone(),
                review: none(),
                signed: intent.signed.clone().into(),
                factory: none(),
                wave: intent.wave.clone(),
                tag: intent.tag.clone(),
                version: intent.version,
                kind: intent.kind.clone(),
                keyid: intent.keyid.clone(),
                method: none(),
                sig: none(),
                root_version: 0,
                policy: none().into(),
                officers: Vec::new(),
                strength: none(),
                tool: none(),
                binary: none(),
            })
        }
        _ => None,
    }
}
