//! Who is an officer, as the log has it; and which of that a crash may have cut short.
//!
//! An act is in the log before its files are. It is ended when its command says so
//! (`session.closed` with exit code 0), or when a later entry shows that the files were there. Until then nobody knows
//! which of the two states the disk has, and both are allowed for. An act that ended is never taken back by files.

use super::entry::Entry;
use super::kind::Kind;
use std::collections::BTreeMap;

/// The reason of `officer.retired` for one whose files were never written: the name is free for another attempt.
pub const NEVER_FINISHED: &str = "never finished: the station stopped while she was added";

/// An officer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Officer {
    /// The entry that added her.
    pub seq: u64,
    /// Her age recipient.
    pub recipient: String,
    /// Her approval key.
    pub key: String,
    /// Did she leave?
    pub is_retired: bool,
    /// Is it known that her files were written? If not, the station may have stopped before.
    pub is_finished: bool,
}

/// The officers after the entries seen so far.
#[derive(Clone, Debug, Default)]
pub struct Custody {
    officers: BTreeMap<String, Officer>,
    /// Officers whom the running command added.
    running: Vec<String>,
    /// How many officers are not finished: while there is none, no entry need be looked at for them.
    unfinished: usize,
}

impl Custody {
    /// The officer of this name, also one who left.
    pub fn officer(&self, name: &str) -> Option<&Officer> {
        self.officers.get(name)
    }

    /// All officers by name, also those who left.
    pub fn officers(&self) -> impl Iterator<Item = (&String, &Officer)> {
        self.officers.iter()
    }

    /// May an officer of this name be added? A name is used once; one whose files were never written was not used.
    pub fn is_name_free(&self, name: &str) -> bool {
        self.officers.get(name).is_none_or(|officer| !officer.is_finished)
    }

    /// What an entry says that cannot be, after the entries seen so far; a sentence. To be asked before [`Custody::see`].
    pub fn contradiction(&self, entry: &Entry<'_>) -> Option<String> {
        match entry.kind() {
            Kind::OfficerAdded => match self.officers.get(entry.text("officer").as_ref()) {
                Some(officer) if !officer.is_retired => {
                    Some("there is an active officer of that name already".to_owned())
                }
                Some(officer) if officer.is_finished => Some(
                    "there was an officer of that name, who was retired: a name is never used twice"
                        .to_owned(),
                ),
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes the next entry into account.
    pub fn see(&mut self, entry: &Entry<'_>) {
        match entry.kind() {
            Kind::SessionOpened => self.running.clear(),
            Kind::SessionClosed => self.closed(entry.int("exit") == 0),
            Kind::OfficerAdded => self.added(entry),
            Kind::OfficerRetired => self.retired(entry),
            Kind::OfficerAuthFailed | Kind::ApprovalGranted | Kind::ApprovalDenied => {
                self.finish(&entry.text("officer"));
            }
            Kind::TimeStatement => self.finish(&entry.actor()),
            Kind::SignIntent
            | Kind::KeyDrilled
            | Kind::KeyImported
            | Kind::KeyGenerated
            | Kind::KeySealed => self.finish_all(entry),
            _ => {}
        }
    }

    fn closed(&mut self, is_done: bool) {
        let added = std::mem::take(&mut self.running);
        if is_done {
            added.iter().for_each(|name| self.finish(name));
        }
    }

    fn added(&mut self, entry: &Entry<'_>) {
        let name = entry.text("officer").into_owned();
        let officer = Officer {
            seq: entry.seq(),
            recipient: entry.text("recipient").into_owned(),
            key: entry.text("key").into_owned(),
            is_retired: false,
            is_finished: false,
        };
        self.running.push(name.clone());
        let before = self.officers.insert(name, officer);
        if before.is_none_or(|before| before.is_finished) {
            self.unfinished += 1;
        }
    }

    fn retired(&mut self, entry: &Entry<'_>) {
        let name = entry.text("officer");
        if entry.text("reason") != NEVER_FINISHED {
            self.finish(&name);
        }
        if let Some(officer) = self.officers.get_mut(name.as_ref()) {
            officer.is_retired = true;
        }
    }

    /// An entry names these officers in an act that takes their files.
    fn finish_all(&mut self, entry: &Entry<'_>) {
        if self.unfinished > 0 {
            entry.list("officers").iter().for_each(|name| self.finish(name));
        }
    }

    fn finish(&mut self, name: &str) {
        if self.unfinished == 0 {
            return;
        }
        if let Some(officer) = self.officers.get_mut(name).filter(|officer| !officer.is_finished) {
            officer.is_finished = true;
            self.unfinished -= 1;
        }
    }
}
