//! What packs are compared with: heads that were seen before, and those that came another way in whatever carried them.

use super::examine::Visit;
use super::state::State;
use super::verdict::{Compare, Verdict, verify};
use super::{AuditError, Options, Pack};
use crate::bundle::anchors::{self, HEAD_FILE};
use crate::bundle::slip::{self, LONGEST_SLIP, Slip};
use crate::host::Disk;
use crate::host::clock::Time;
use crate::host::disk::Kind;
use crate::text::shown;
use crate::threads;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::Note;
use crate::tlog::proof::{LARGEST_PROOF, Proof};
use crate::tlog::{Flaw, FlawKind, VerifierKey};
use std::path::Path;

/// A head that came another way.
pub struct GivenHead {
    /// The log that it says it is of.
    origin: String,
    note: Vec<u8>,
}

/// Reads a head that came another way: a checkpoint, a receipt, a signed bundle's folder, or a slip.
///
/// # Errors
/// It cannot be read, or is none of these.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<GivenHead, AuditError> {
    let bytes = match disk.kind(path)? {
        Some(Kind::Folder) => match disk.read_beneath(path, HEAD_FILE, anchors::LARGEST_ANCHOR) {
            Err(e) if e.is_missing() => disk.read_beneath(path, slip::FILE, LONGEST_SLIP as u64)?.into_vec(),
            other => other?.into_vec(),
        },
        _ => disk.read(path, LARGEST_PROOF.max(LONGEST_SLIP) as u64)?,
    };
    let wrong = |why: String| AuditError::Against(Flaw::new(FlawKind::CheckpointForm, why));
    let note = if Proof::is_one(&bytes) {
        Proof::parse(&bytes).map_err(AuditError::Against)?.checkpoint.into_bytes()
    } else if Note::parse(&bytes).is_err() && String::from_utf8_lossy(&bytes).contains(slip::MARK) {
        let slip = Slip::parse(&String::from_utf8_lossy(&bytes));
        slip.map_err(|e| wrong(e.to_string()))?.head.into_bytes()
    } else {
        bytes
    };
    let parsed = Note::parse(&note).map_err(AuditError::Against)?;
    let origin = Checkpoint::parse_text(parsed.text()).map_err(AuditError::Against)?.origin;
    Ok(GivenHead { origin, note })
}

/// A verdict, and the part of the state that is about its log.
type Judged = (Result<Verdict, AuditError>, Option<State>);

/// What packs are compared with, read from the auditor's files.
pub struct Elsewhere {
    state: Option<State>,
    heads: Vec<GivenHead>,
    witnesses: Vec<VerifierKey>,
    now: Time,
}

impl Elsewhere {
    /// All of it. `now` is the day of the audit.
    pub fn new(
        state: Option<State>,
        heads: Vec<GivenHead>,
        witnesses: Vec<VerifierKey>,
        now: Time,
    ) -> Elsewhere {
        Elsewhere { state, heads, witnesses, now }
    }

    /// Refuses a head that was given and is of none of these logs: it would be compared with nothing.
    ///
    /// # Errors
    /// There is one.
    pub(crate) fn require_logs(&self, packs: &[&Pack<'_>]) -> Result<(), AuditError> {
        let is_strange = |head: &&GivenHead| packs.iter().all(|pack| pack.key().name() != head.origin);
        let Some(head) = self.heads.iter().find(is_strange) else { return Ok(()) };
        let (origin, logs) = (shown(&head.origin), packs.iter().map(|pack| shown(pack.key().name())));
        let why = match logs.collect::<Vec<_>>().as_slice() {
            [one] => format!("it is of the log {origin}, and this is the log {one}"),
            _ => format!("it is of the log {origin}, and no pack that was given is"),
        };
        Err(AuditError::Against(Flaw::new(FlawKind::CheckpointForm, why)))
    }

    /// Verifies packs, several at a time; the verdicts are in the order of the packs. Two packs of one log are compared
    /// with each other too: the longer must continue the shorter.
    pub(crate) fn verify_all(&mut self, packs: &[&Pack<'_>]) -> Vec<Result<Verdict, AuditError>> {
        let judge = |pack| self.judge(pack, packs, &mut |_, _| Ok(()));
        let judged = threads::each(packs.to_vec(), |_| threads::LONG, judge);
        judged.into_iter().map(|judged| self.remember(judged)).collect()
    }

    /// Verifies one of the packs, and hands each entry to `visit`.
    ///
    /// # Errors
    /// A file cannot be read, or `visit` fails.
    pub(crate) fn verify(
        &mut self,
        pack: &Pack<'_>,
        packs: &[&Pack<'_>],
        visit: &mut Visit<'_>,
    ) -> Result<Verdict, AuditError> {
        let judged = self.judge(pack, packs, visit);
        self.remember(judged)
    }

    /// The verdict, and what was seen before with the new heads of this log: a part of its own, so that the answers are
    /// the same in whatever order they are worked out.
    fn judge(&self, pack: &Pack<'_>, packs: &[&Pack<'_>], visit: &mut Visit<'_>) -> Judged {
        let name = pack.key().name();
        let given = self.heads.iter().filter(|head| head.origin == name);
        let mut against: Vec<Vec<u8>> = given.map(|head| head.note.clone()).collect();
        if let Ok(own) = pack.head() {
            let others = packs.iter().filter(|other| other.key().name() == name && other.dir() != pack.dir());
            let heads = others.filter_map(|other| other.head().ok());
            let shorter = heads.filter(|head| head.checkpoint.size <= own.checkpoint.size);
            against.extend(shorter.map(|head| head.note.into_bytes()));
        }
        let mut state = self.state.as_ref().map(|state| state.of(name));
        let witnesses = self.witnesses.clone();
        let compare = Compare { state: state.as_mut(), against, witnesses, now: Some(self.now) };
        (verify(pack, Options::default(), compare, visit), state)
    }

    fn remember(&mut self, (verdict, part): Judged) -> Result<Verdict, AuditError> {
        if let (Some(state), Some(part)) = (&mut self.state, part) {
            state.take_in(part);
        }
        verdict
    }

    /// Writes the state, where there is one.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn keep(&self, disk: &dyn Disk) -> Result<(), AuditError> {
        self.state.iter().try_for_each(|state| state.write(disk))
    }
}
