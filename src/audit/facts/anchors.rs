//! Heads that came back, held against the notes that the pack has of them: the signatures in the notes decide, not the
//! entry's words.

use super::{Facts, contradiction, flawed, short};
use crate::audit::AuditError;
use crate::audit::remark::RemarkKind;
use crate::host::clock::Time;
use crate::ledger::anchors::{Verdict, read_head};
use crate::ledger::record::{AnchorJudged, AnchorSettled, StationSucceeds, WitnessCosigned};
use crate::ledger::{Entry, Record};
use crate::text::Foreign;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::Note;
use crate::tlog::tree::Hash;
use crate::tlog::{FlawKind, VerifierKey};
use std::collections::BTreeSet;

/// What an entry says about the root at a size of this very log: to be compared once the lines were read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::audit) struct Claim {
    /// The entry.
    pub seq: u64,
    /// The size.
    pub size: u64,
    /// The root of the head that came back.
    pub root: Hash,
    /// Is it said to be this log's own?
    pub is_own: bool,
}

impl Facts<'_> {
    /// Judges an entry about heads and witnesses, after the rules.
    ///
    /// # Errors
    /// The note does not show what the entry says.
    pub(super) fn anchor(
        &mut self,
        entry: &Entry<'_>,
        said: &mut Vec<super::Said>,
    ) -> Result<(), AuditError> {
        let seq = entry.seq();
        let remark = match entry.record() {
            Record::AnchorJudged(judged) => self.judged(seq, judged)?,
            Record::WitnessCosigned(cosigned) => self.cosigned(seq, cosigned).map(|()| None)?,
            Record::WitnessStale(stale) => {
                let (witness, why) = (Foreign(&stale.witness), Foreign(&stale.reason));
                Some(format!("a cosignature of {witness} did not count: {why}"))
            }
            Record::WitnessAdded(added) => Some(format!("witness {} was added", Foreign(&added.witness))),
            Record::WitnessRetired(retired) => {
                let (witness, why) = (Foreign(&retired.witness), Foreign(&retired.reason));
                Some(format!("witness {witness} was retired: {why}"))
            }
            Record::AnchorSettled(settled) => Some(settled_by(settled)),
            Record::StationSucceeds(succeeds) => Some(self.succeeds(succeeds)?),
            _ => None,
        };
        said.extend(remark.map(|text| (RemarkKind::Heads, text)));
        Ok(())
    }

    fn judged(&mut self, seq: u64, judged: &AnchorJudged<'_>) -> Result<Option<String>, AuditError> {
        let note = self.pack.object(&judged.note)?;
        let verdict = Verdict::named(&judged.verdict).unwrap_or(Verdict::Ignored);
        let AnchorJudged { size, known, .. } = *judged;
        let by_predecessor = || {
            let before = self.state.anchors.predecessor()?;
            Some(read_head(&note, &before.key).ok()?.size > before.size)
        };
        let head = match (verdict, read_head(&note, self.pack.key())) {
            (Verdict::PredecessorAhead, Err(_)) if by_predecessor() == Some(true) => {
                return Ok(Some(format!(
                    "the log that this one continues has {size} entries, more than were taken over"
                )));
            }
            (Verdict::Ignored, Err(_)) => {
                let why = Foreign(&judged.reason);
                return Ok(Some(format!("a head that came back was ignored: {why}")));
            }
            (Verdict::Ignored | Verdict::PredecessorAhead, _) | (_, Err(_)) => {
                return flawed(
                    FlawKind::CheckpointSignature,
                    "the note's signature shows another thing than the entry",
                );
            }
            (_, Ok(head)) => head,
        };
        if !is_head(&head, size, &judged.root) {
            return contradiction("the note has another size or root than the entry");
        }
        // What the log had when it was judged: a head within it is compared with the lines.
        if size <= known {
            let is_own = verdict == Verdict::Known;
            self.claims.push(Claim { seq, size, root: head.root, is_own });
        }
        if verdict == Verdict::Known {
            self.notes.insert(judged.note.to_string());
        }
        if verdict == Verdict::Forked {
            self.pack.object(&judged.own)?;
        }
        Ok(match verdict {
            Verdict::Ahead => {
                Some(format!("the station was stopped: a head of {size} entries, and it had {known}"))
            }
            Verdict::Forked => Some(format!("the station was stopped: two heads of {size} entries")),
            Verdict::Settled => Some(format!("a head of {size} entries of the lost history came back")),
            _ => None,
        })
    }

    fn cosigned(&mut self, seq: u64, cosigned: &WitnessCosigned<'_>) -> Result<(), AuditError> {
        let bytes = self.pack.object(&cosigned.note)?;
        let head = match read_head(&bytes, self.pack.key()) {
            Ok(head) if is_head(&head, cosigned.size, &cosigned.root) => head,
            Ok(_) => return contradiction("the note has another size or root than the entry"),
            Err(_) => {
                return flawed(FlawKind::CheckpointSignature, "the note is not signed by the log's key");
            }
        };
        let time = match self.state.anchors.witness(&cosigned.witness).map(|witness| &witness.key) {
            Some(key) => {
                Note::parse(&bytes).and_then(|note| note.cosigned(key)).map_err(AuditError::Flawed)?
            }
            None => None,
        };
        let time = time.and_then(|time| i64::try_from(time).ok()).map(Time::from_unix);
        if time.is_none() || time != Time::parse_strict(&cosigned.time_cosigned) {
            return flawed(FlawKind::Cosignature, "the note has no cosignature of this witness and time");
        }
        self.claims.push(Claim { seq, size: head.size, root: head.root, is_own: true });
        Ok(())
    }

    /// The log that this one continues: its newest head is an object, signed by its key.
    fn succeeds(&self, succeeds: &StationSucceeds<'_>) -> Result<String, AuditError> {
        let note = self.pack.object(&succeeds.note)?;
        let key = VerifierKey::parse(&succeeds.key);
        let head = key.ok().and_then(|key| read_head(&note, &key).ok());
        let is_it = |head: &Checkpoint| {
            is_head(head, succeeds.size, &succeeds.root) && head.origin == succeeds.origin
        };
        match head.filter(is_it) {
            Some(head) => Ok(format!(
                "this log continues the log {}, whose first {} entries were taken over (key {})",
                Foreign(&head.origin),
                head.size,
                short(&succeeds.key)
            )),
            None => {
                flawed(FlawKind::CheckpointSignature, "the head of the log that it continues does not hold")
            }
        }
    }
}

fn settled_by(settled: &AnchorSettled<'_>) -> String {
    let names: BTreeSet<String> = settled.officers.iter().map(|name| Foreign(name).to_string()).collect();
    let (names, size, why) = (Vec::from_iter(names).join(", "), settled.size, Foreign(&settled.reason));
    format!("{names} settled the lost history up to {size} entries: {why}")
}

/// Is this the head that an entry has?
fn is_head(head: &Checkpoint, size: u64, root: &str) -> bool {
    head.size == size && hex::encode(head.root) == root
}
