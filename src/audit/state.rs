//! What an auditor remembers between audits: every head of every log that she found whole.
//!
//! A log that is older than what she saw was rolled back; one that does not continue it was forked. Both notes of a
//! fork are kept: together they prove that the log's key signed two histories.

use super::AuditError;
use crate::host::Disk;
use crate::host::clock::Time;
use crate::host::disk::write_durably;
use crate::ledger::store::Head;
use crate::tlog::VerifierKey;
use crate::tlog::checkpoint::Checkpoint;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const FORMAT: &str = "countersign/audit-state/1";
/// The most bytes of a state file.
const LARGEST: u64 = 16 << 20;
/// The most heads that are kept of a log; the first and the newest are among them.
const MOST_HEADS: usize = 1_000;

/// The file behind `--state`.
pub struct State {
    path: PathBuf,
    content: Content,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: String,
    logs: Vec<Known>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    conflicts: Vec<Conflict>,
    heads: Vec<SeenHead>,
    key: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenHead {
    note: String,
    seen: String,
    size: u64,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Conflict {
    found: String,
    known: String,
    seen: String,
}

impl State {
    /// Reads a state file; one that does not exist is empty.
    ///
    /// # Errors
    /// It cannot be read, or is of another format.
    pub fn read(disk: &dyn Disk, path: &Path) -> Result<State, AuditError> {
        let empty = Content { format: FORMAT.to_owned(), logs: Vec::new() };
        let content = match disk.read(path, LARGEST) {
            Err(e) if e.is_missing() => empty,
            Err(e) => return Err(e.into()),
            Ok(bytes) => {
                let text = crate::text::utf8(&bytes).map_err(|why| AuditError::file(path, why.to_owned()))?;
                serde_json::from_str(text)
                    .ok()
                    .filter(|content: &Content| content.format == FORMAT)
                    .ok_or_else(|| {
                        AuditError::file(path, format!("it is not an audit state (\"{FORMAT}\")"))
                    })?
            }
        };
        Ok(State { path: path.to_owned(), content })
    }

    /// The heads of a log that were seen, smallest first. The notes are verified again: this file is no authority.
    ///
    /// # Errors
    /// A note in the file is not the log's.
    pub(crate) fn heads(&self, key: &VerifierKey) -> Result<Vec<Head>, AuditError> {
        let text = key.to_string();
        let known = self.content.logs.iter().find(|known| known.key == text);
        let heads = known.into_iter().flat_map(|known| &known.heads).map(|seen| {
            let checkpoint = Checkpoint::verify(seen.note.as_bytes(), key).map_err(|flaw| {
                AuditError::file(
                    &self.path,
                    format!("the head of {} entries in it is not the log's: {flaw}", seen.size),
                )
            })?;
            Ok(Head { checkpoint, note: seen.note.clone() })
        });
        let mut heads: Vec<Head> = heads.collect::<Result<_, AuditError>>()?;
        heads.sort_by_key(|head| head.checkpoint.size);
        Ok(heads)
    }

    /// The day on which two histories of a log were found, and the file that has both notes.
    pub(crate) fn fork(&self, key: &VerifierKey) -> Option<(&str, &Path)> {
        let text = key.to_string();
        let known = self.content.logs.iter().find(|known| known.key == text)?;
        known.conflicts.first().map(|conflict| (conflict.seen.as_str(), self.path.as_path()))
    }

    /// Another key under which a log of this name was seen before.
    pub(crate) fn other_key(&self, key: &VerifierKey) -> Option<&str> {
        let text = key.to_string();
        let same_name = |known: &&Known| {
            VerifierKey::parse(&known.key).is_ok_and(|other| other.name() == key.name()) && known.key != text
        };
        self.content.logs.iter().find(same_name).map(|known| known.key.as_str())
    }

    /// Remembers a head that was found whole.
    pub(crate) fn remember(&mut self, key: &VerifierKey, head: &Head, now: Time) {
        let (note, seen, size) = (head.note.clone(), now.to_string(), head.checkpoint.size);
        self.entry(&key.to_string()).add(SeenHead { note, seen, size });
    }

    /// Remembers two notes of one log that cannot both be true.
    pub(crate) fn remember_conflict(
        &mut self,
        key: &VerifierKey,
        known_note: &str,
        found_note: &str,
        now: Time,
    ) {
        let known = self.entry(&key.to_string());
        let is_there = known.conflicts.iter().any(|old| old.known == known_note && old.found == found_note);
        if !is_there {
            known.conflicts.push(Conflict {
                found: found_note.to_owned(),
                known: known_note.to_owned(),
                seen: now.to_string(),
            });
        }
    }

    /// The part that is about logs of this name.
    pub(super) fn of(&self, name: &str) -> State {
        let is_of = |known: &&Known| VerifierKey::parse(&known.key).is_ok_and(|key| key.name() == name);
        let logs = self.content.logs.iter().filter(is_of).cloned().collect();
        State { path: self.path.clone(), content: Content { format: FORMAT.to_owned(), logs } }
    }

    /// Takes in what such a part has learnt.
    pub(super) fn take_in(&mut self, part: State) {
        for learnt in part.content.logs {
            let known = self.entry(&learnt.key);
            learnt.heads.into_iter().for_each(|head| known.add(head));
            for conflict in learnt.conflicts {
                if !known.conflicts.contains(&conflict) {
                    known.conflicts.push(conflict);
                }
            }
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&self, disk: &dyn Disk) -> Result<(), AuditError> {
        let mut bytes = serde_json::to_vec_pretty(&self.content)
            .map_err(|e| AuditError::file(&self.path, format!("it cannot be written: {e}")))?;
        bytes.push(b'\n');
        Ok(write_durably(disk, &self.path, 0o600, &[&bytes])?)
    }

    fn entry(&mut self, key: &str) -> &mut Known {
        let logs = &mut self.content.logs;
        let at = logs.iter().position(|known| known.key == key).unwrap_or_else(|| {
            logs.push(Known { conflicts: Vec::new(), heads: Vec::new(), key: key.to_owned() });
            logs.len() - 1
        });
        &mut logs[at]
    }
}

impl Known {
    fn add(&mut self, head: SeenHead) {
        if !self.heads.iter().any(|seen| seen.size == head.size) {
            self.heads.push(head);
            self.heads.sort_by_key(|seen| seen.size);
        }
        while self.heads.len() > MOST_HEADS {
            self.heads.remove(1);
        }
    }
}
