//! Heads that came back, held against the notes that the pack has of them: the signatures in the notes decide, not the
//! entry's words.

use super::{Facts, contradiction, flawed, short};
use crate::audit::AuditError;
use crate::audit::remark::RemarkKind;
use crate::host::clock::Time;
use crate::ledger::anchors::{Verdict, read_head};
use crate::ledger::{Entry, Kind};
use crate::text::Foreign;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::Note;
use crate::tlog::tree::Hash;
use crate::tlog::{FlawKind, VerifierKey};

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
    /// Judges an entry about heads and witnesses, after [`crate::ledger::Anchors::flaw`].
    ///
    /// # Errors
    /// The note does not show what the entry says.
    pub(super) fn anchor(
        &mut self,
        entry: &Entry<'_>,
        said: &mut Vec<super::Said>,
    ) -> Result<(), AuditError> {
        let remark = match entry.kind() {
            Kind::AnchorJudged => self.judged(entry)?,
            Kind::WitnessCosigned => self.cosigned(entry).map(|()| None)?,
            Kind::WitnessStale => {
                self.needs_object(&entry.text("note"), entry.seq())?;
                let (witness, why) = (entry.text("witness"), entry.text("reason"));
                Some(format!("a cosignature of {} did not count: {}", Foreign(&witness), Foreign(&why)))
            }
            Kind::WitnessAdded => Some(format!("witness {} was added", Foreign(&entry.text("witness")))),
            Kind::WitnessRetired => {
                let (witness, why) = (entry.text("witness"), entry.text("reason"));
                Some(format!("witness {} was retired: {}", Foreign(&witness), Foreign(&why)))
            }
            Kind::AnchorSettled => Some(self.settled(entry)?),
            Kind::StationSucceeds => Some(self.succeeds(entry)?),
            _ => None,
        };
        said.extend(remark.map(|text| (RemarkKind::Heads, text)));
        Ok(())
    }

    fn note(&mut self, entry: &Entry<'_>, field: &str) -> Result<crate::host::Bytes, AuditError> {
        self.needs_object(&entry.text(field), entry.seq())?;
        self.pack.object(&entry.text(field))
    }

    /// Does the head say what the entry says of it?
    fn is_as_said(entry: &Entry<'_>, head: &Checkpoint) -> bool {
        head.size == entry.int("size") && hex::encode(head.root) == entry.text("root")
    }

    fn judged(&mut self, entry: &Entry<'_>) -> Result<Option<String>, AuditError> {
        let note = self.note(entry, "note")?;
        let verdict = Verdict::named(&entry.text("verdict")).unwrap_or(Verdict::Ignored);
        let size = entry.int("size");
        let by_predecessor = || {
            let before = self.anchors.predecessor()?;
            Some(read_head(&note, &before.key).ok()?.size > before.size)
        };
        let head = match (verdict, read_head(&note, self.pack.key())) {
            (Verdict::PredecessorAhead, Err(_)) if by_predecessor() == Some(true) => {
                return Ok(Some(format!(
                    "the log that this one continues has {size} entries, more than were taken over"
                )));
            }
            (Verdict::Ignored, Err(_)) => {
                let why = entry.text("reason");
                return Ok(Some(format!("a head that came back was ignored: {}", Foreign(&why))));
            }
            (Verdict::Ignored | Verdict::PredecessorAhead, _) | (_, Err(_)) => {
                return flawed(
                    FlawKind::CheckpointSignature,
                    "the note's signature shows another thing than the entry",
                );
            }
            (_, Ok(head)) => head,
        };
        if !Self::is_as_said(entry, &head) {
            return contradiction("the note has another size or root than the entry");
        }
        // What the log had when it was judged: a head within it is compared with the lines.
        if size <= entry.int("known") {
            let is_own = verdict == Verdict::Known;
            self.claims.push(Claim { seq: entry.seq(), size, root: head.root, is_own });
        }
        if verdict == Verdict::Known {
            self.notes.insert(entry.text("note").into_owned());
        }
        if verdict == Verdict::Forked {
            self.note(entry, "own")?;
        }
        let known = entry.int("known");
        Ok(match verdict {
            Verdict::Ahead => {
                Some(format!("the station was stopped: a head of {size} entries, and it had {known}"))
            }
            Verdict::Forked => Some(format!("the station was stopped: two heads of {size} entries")),
            Verdict::Settled => Some(format!("a head of {size} entries of the lost history came back")),
            _ => None,
        })
    }

    fn cosigned(&mut self, entry: &Entry<'_>) -> Result<(), AuditError> {
        let bytes = self.note(entry, "note")?;
        let head = match read_head(&bytes, self.pack.key()) {
            Ok(head) if Self::is_as_said(entry, &head) => head,
            Ok(_) => return contradiction("the note has another size or root than the entry"),
            Err(_) => {
                return flawed(FlawKind::CheckpointSignature, "the note is not signed by the log's key");
            }
        };
        let name = entry.text("witness");
        let time = match self.anchors.witness(&name).map(|witness| &witness.key) {
            Some(key) => {
                Note::parse(&bytes).and_then(|note| note.cosigned(key)).map_err(AuditError::Flawed)?
            }
            None => None,
        };
        let time = time.and_then(|time| i64::try_from(time).ok()).map(Time::from_unix);
        if time.is_none() || time != Time::parse_strict(&entry.text("time_cosigned")) {
            return flawed(FlawKind::Cosignature, "the note has no cosignature of this witness and time");
        }
        self.claims.push(Claim { seq: entry.seq(), size: head.size, root: head.root, is_own: true });
        Ok(())
    }

    fn settled(&mut self, entry: &Entry<'_>) -> Result<String, AuditError> {
        let officers = entry.list("officers");
        let mut names: Vec<&str> = officers.iter().map(AsRef::as_ref).collect();
        let wanted = self.approvals_asked().max(1);
        names.sort_unstable();
        names.dedup();
        if (names.len() as u64) < wanted {
            let why = format!("{} officers settled it, and the policy asks for {wanted}", names.len());
            return flawed(FlawKind::Quorum, &why);
        }
        if let Some(name) =
            names.iter().find(|name| !self.officers.get(**name).is_some_and(super::Officer::is_active))
        {
            return flawed(
                FlawKind::Quorum,
                &format!("{} settled it, and is no officer who serves", Foreign(name)),
            );
        }
        let names: Vec<String> = names.iter().map(|name| Foreign(name).to_string()).collect();
        let (size, why) = (entry.int("size"), entry.text("reason"));
        Ok(format!("{} settled the lost history up to {size} entries: {}", names.join(", "), Foreign(&why)))
    }

    /// The log that this one continues: its newest head is an object, signed by its key.
    fn succeeds(&mut self, entry: &Entry<'_>) -> Result<String, AuditError> {
        let note = self.note(entry, "note")?;
        let key = VerifierKey::parse(&entry.text("key"));
        let head = key.ok().and_then(|key| read_head(&note, &key).ok());
        match head.filter(|head| Self::is_as_said(entry, head) && head.origin == entry.text("origin")) {
            Some(head) => Ok(format!(
                "this log continues the log {}, whose first {} entries were taken over (key {})",
                Foreign(&head.origin),
                head.size,
                short(&entry.text("key"))
            )),
            None => {
                flawed(FlawKind::CheckpointSignature, "the head of the log that it continues does not hold")
            }
        }
    }

    /// A mark that came from another log, with the bytes that it is about.
    pub(super) fn mark_taken_over(&mut self, entry: &Entry<'_>) -> Result<(), AuditError> {
        if self.anchors.predecessor().is_none() {
            return contradiction("no other log is continued, so there is no mark to take over");
        }
        if !entry.text("signed").is_empty() {
            self.needs_object(&entry.text("signed"), entry.seq())?;
        }
        Ok(())
    }
}
