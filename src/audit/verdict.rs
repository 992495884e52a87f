//! The answer: is the log whole, does it continue what was seen before, and what is left to ask?

use super::AuditError;
use super::examine::{Examination, Options, Visit, examine};
use super::pack::Pack;
use super::state::State;
use super::witnessed::{Witnessed, witnessed};
use crate::host::clock::Time;
use crate::ledger::anchors::Verdict as HeadVerdict;
use crate::ledger::recovery::OpenIntent;
use crate::ledger::store::Head;
use crate::ledger::{Hold, Overdue};
use crate::text::{shown, shown_path};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::Note;
use crate::tlog::{Flaw, FlawKind, VerifierKey};

/// The answer in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing is wrong.
    Whole,
    /// Something was changed, removed or added, or does not hold.
    Tampered,
    /// The log does not continue one that was seen before.
    Forked,
    /// The log is older than one that was seen before.
    RolledBack,
    /// No witness cosigned within the policy's window.
    Unwitnessed,
    /// A signature was begun, and whether it was made is not known.
    InDoubt,
}

impl Outcome {
    /// The word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Outcome::Whole => "whole",
            Outcome::Tampered => "tampered",
            Outcome::Forked => "forked",
            Outcome::RolledBack => "rolled-back",
            Outcome::Unwitnessed => "unwitnessed",
            Outcome::InDoubt => "in-doubt",
        }
    }

    /// The exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Outcome::Whole => 0,
            Outcome::Tampered => 10,
            Outcome::Forked => 11,
            Outcome::RolledBack => 12,
            Outcome::Unwitnessed => 13,
            Outcome::InDoubt => 14,
        }
    }
}

/// What the pack is compared with.
#[derive(Default)]
pub struct Compare<'a> {
    /// What was seen before.
    pub state: Option<&'a mut State>,
    /// Checkpoints that came another way: from a signed bundle, a receipt, a witness.
    pub against: Vec<Vec<u8>>,
    /// Witnesses whose cosignatures are counted; none: those that the log has.
    pub witnesses: Vec<VerifierKey>,
    /// The day of the audit.
    pub now: Option<Time>,
}

/// An examination and its answer.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The answer.
    pub outcome: Outcome,
    /// Why, where the answer is not in the flaws: sentences, already escaped.
    pub reasons: Vec<String>,
    /// How many checkpoints that came another way it was compared with: one that was given, those seen before.
    pub compared: (usize, usize),
    /// The sizes of these heads.
    pub heads: Vec<u64>,
    /// Which part of the log who cosigned.
    pub witnessed: Vec<Witnessed>,
    /// What was examined.
    pub examination: Examination,
}

impl Verdict {
    /// The first thing that is wrong.
    pub fn first_flaw(&self) -> Option<&Flaw> {
        self.examination.flaws.first()
    }
}

/// Examines a pack and compares it with what is known from elsewhere. Heads found whole, and conflicts, go into the
/// state, which the caller writes.
///
/// # Errors
/// A file cannot be read.
pub fn verify(
    pack: &Pack<'_>,
    options: Options,
    compare: Compare<'_>,
    visit: &mut Visit<'_>,
) -> Result<Verdict, AuditError> {
    let mut known = match &compare.state {
        Some(state) => state.heads(pack.key())?,
        None => Vec::new(),
    };
    let mut reasons = Vec::new();
    let compared = (compare.against.len(), known.len());
    for note in &compare.against {
        match given(note, pack.key())? {
            Given::Head(head) => known.push(head),
            Given::OtherKey => reasons.push(OTHER_KEY.to_owned()),
        }
    }
    if let Some((day, file)) = compare.state.as_ref().and_then(|state| state.fork(pack.key())) {
        reasons.push(format!(
            "two histories of this log were found before, on {}; {} has both notes",
            shown(day),
            shown_path(file)
        ));
    }
    let mut is_forked = !reasons.is_empty();
    let watch: Vec<u64> = known.iter().map(|head| head.checkpoint.size).collect();
    let heads = watch.clone();
    let mut examination = examine(pack, &Options { watch, ..options }, visit)?;
    let covered = examination.head.as_ref().map_or(0, |head| head.checkpoint.size);
    let newer: Vec<&Head> = known.iter().filter(|head| head.checkpoint.size > covered).collect();
    reasons.extend(newer.iter().map(|head| {
        let size = head.checkpoint.size;
        format!("a checkpoint of {size} entries was seen before, and this log has {covered}")
    }));
    let is_older = !newer.is_empty();
    // Where the lines do not reach so far, that is a flaw already.
    let is_other = |head: &&Head| {
        let root = examination.roots.get(&head.checkpoint.size);
        head.checkpoint.size <= covered && root.is_some_and(|root| *root != head.checkpoint.root)
    };
    let conflicts: Vec<Head> = known.iter().filter(is_other).cloned().collect();
    if let Some(other) = compare.state.as_ref().and_then(|state| state.other_key(pack.key())) {
        is_forked = true;
        reasons.push(format!("a log of this name was seen before with another key, {other}"));
    }
    is_forked |= !conflicts.is_empty();
    reasons.extend(conflicts.iter().map(|head| {
        let size = head.checkpoint.size;
        format!("a checkpoint of {size} entries that the log's key signed tells of another history")
    }));
    let witnessed = match compare.now {
        Some(now) => witnessed(pack, &examination, &compare.witnesses, &compare.against, now)?,
        None => Vec::new(),
    };
    if let (Some(state), Some(head), Some(now)) = (compare.state, &examination.head, compare.now) {
        for conflict in &conflicts {
            state.remember_conflict(pack.key(), &conflict.note, &head.note, now);
        }
        if examination.flaws.is_empty() && !is_forked && !is_older {
            state.remember(pack.key(), head, now);
        }
    }
    let outcome = outcome(&examination, is_forked, is_older, compare.now, &mut reasons);
    if let Some(head) = conflicts.first() {
        let flaw = Flaw::new(
            FlawKind::Fork,
            "the lines up to here do not give the root of a checkpoint seen before",
        );
        examination.flaws.push(flaw.at(head.checkpoint.size.saturating_sub(1)));
        examination.flaws.sort_by_key(|flaw| (flaw.seq.unwrap_or(u64::MAX), flaw.kind));
    }
    Ok(Verdict { outcome, reasons, compared, heads, witnessed, examination })
}

/// The gravest of what was found; what is not a flaw gets its reason.
fn outcome(
    examination: &Examination,
    is_forked: bool,
    is_older: bool,
    now: Option<Time>,
    reasons: &mut Vec<String>,
) -> Outcome {
    let (outcome, why) = if !examination.flaws.is_empty() {
        return Outcome::Tampered;
    } else if is_forked {
        return Outcome::Forked;
    } else if is_older {
        return Outcome::RolledBack;
    } else if let Some(held) = held(examination) {
        held
    } else if let Some(open) = examination.open_intents.first() {
        (Outcome::InDoubt, in_doubt(open))
    } else if let Some(why) = unwitnessed(examination, now) {
        (Outcome::Unwitnessed, why)
    } else {
        return Outcome::Whole;
    };
    reasons.push(why);
    outcome
}

fn in_doubt(open: &OpenIntent) -> String {
    let by = match open.officers.as_slice() {
        [] => String::new(),
        names => format!(" of {}", names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ")),
    };
    format!(
        "the intent{by} in entry {} to sign request {} with key {} has no result: whether it was signed is not known",
        open.seq,
        super::facts::short(&open.request),
        super::facts::short(&open.keyid)
    )
}

const OTHER_KEY: &str = "the checkpoint to compare with is of a log of this name, signed by another key: one of the two \
                         was made in the place of the other";

/// What a checkpoint that came another way says.
enum Given {
    /// The log's key signed it.
    Head(Head),
    /// Another key signed it, for a log of the same name.
    OtherKey,
}

/// Reads a checkpoint that came another way.
///
/// # Errors
/// It is no checkpoint, another log's, or damaged.
fn given(bytes: &[u8], key: &VerifierKey) -> Result<Given, AuditError> {
    let note = Note::parse(bytes).map_err(AuditError::Against)?;
    let checkpoint = Checkpoint::parse_text(note.text()).map_err(AuditError::Against)?;
    if checkpoint.origin != key.name() {
        let detail = format!(
            "it is of the log {}, and this is the log {}",
            shown(&checkpoint.origin),
            shown(key.name())
        );
        return Err(AuditError::Against(Flaw::new(FlawKind::CheckpointForm, detail)));
    }
    if !note.names(key) {
        return Ok(Given::OtherKey);
    }
    note.verify(key).map_err(AuditError::Against)?;
    // A note is UTF-8.
    Ok(Given::Head(Head { checkpoint, note: String::from_utf8_lossy(bytes).into_owned() }))
}

/// Why nothing may be signed on the station, as its own log says: the answer that it makes, and a sentence.
fn held(examination: &Examination) -> Option<(Outcome, String)> {
    Some(match examination.anchors.hold()? {
        Hold::AwaitsWitness(seq) => (
            Outcome::Unwitnessed,
            format!(
                "officers settled the lost history in entry {seq}, and no witness has cosigned the log since"
            ),
        ),
        Hold::Stopped(stop) => {
            let (seq, size, known) = (stop.seq, stop.size, stop.known);
            let (outcome, why) = match stop.verdict {
                HeadVerdict::Forked => {
                    (Outcome::Forked, format!("two heads of {size} entries are signed by this log's key"))
                }
                _ => (
                    Outcome::RolledBack,
                    format!(
                        "a head of {size} entries is signed by this log's key, when the station had {known}"
                    ),
                ),
            };
            (outcome, format!("{why}: the station stopped in entry {seq}, and nobody has settled it"))
        }
    })
}

/// What is missing of the cosignatures that the policy in force asks for.
fn unwitnessed(examination: &Examination, now: Option<Time>) -> Option<String> {
    let demand = examination.anchors.demand();
    Some(match examination.anchors.overdue(now?)? {
        Overdue::Window(end) => format!(
            "fewer than {} witnesses have cosigned for more than {} days, the window of the policy in force, which ended on {end}",
            demand.quorum, demand.window_days
        ),
        Overdue::Bundle(there) => format!(
            "the head of the last exported bundle is cosigned by {there} witnesses, and the policy asks for {}",
            demand.quorum
        ),
    })
}
