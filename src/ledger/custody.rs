//! Who is an officer, and how each key is sealed, as the log has it; and which of that a crash may have cut short.
//!
//! An act is in the log before its files are. It is ended when its command says so
//! (`session.closed` with exit code 0), or when a later entry shows that the files were there. Until then nobody knows
//! which of the two states the disk has, and both are allowed for. An act that ended is never taken back by files.

use super::entry::Entry;
use super::kind::Kind;
use super::rules;
use crate::text::Foreign;
use crate::tlog::flaw::{Flaw, FlawKind};
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

/// To whom a key is sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealing {
    /// How many officers together open it.
    pub quorum: u64,
    /// Their names.
    pub officers: Vec<String>,
    /// The set of shares; empty for a quorum of 1.
    pub set: String,
}

impl std::fmt::Display for Sealing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let holders: Vec<String> = self.officers.iter().map(|name| crate::text::shown(name)).collect();
        write!(out, "{} of {}", self.quorum, holders.join(", "))
    }
}

impl Sealing {
    /// The sealing that an entry about a key names.
    pub fn of(entry: &Entry<'_>) -> Sealing {
        let officers = entry.list("officers").into_iter().map(|name| name.into_owned()).collect();
        Sealing { quorum: entry.int("quorum"), officers, set: entry.text("set").into_owned() }
    }

    /// Are these a quorum of it, each named once, and nobody else among them?
    fn opens_with(&self, openers: &[&str]) -> bool {
        let holds = |(at, name): (usize, &&str)| {
            self.officers.iter().any(|holder| holder == *name) && !openers[..at].contains(name)
        };
        openers.iter().enumerate().all(holds) && openers.len() as u64 >= self.quorum
    }
}

/// How a key is sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The entry of its last sealing.
    pub seq: u64,
    /// Its last sealing.
    pub sealing: Sealing,
    /// The sealings before it that may still be the one in force: the station may have stopped while the last one was
    /// written.
    before: Vec<Sealing>,
    /// Was it taken out of the vault?
    is_retired: bool,
}

impl Key {
    /// May this sealing be the one in force? The last one may, and, until it is known that it was written, those before.
    pub fn may_be(&self, sealing: &Sealing) -> bool {
        self.possible().any(|possible| possible == sealing)
    }

    fn possible(&self) -> impl Iterator<Item = &Sealing> {
        std::iter::once(&self.sealing).chain(&self.before)
    }
}

/// What `key.sealed` says in its detail: who opened the key for it, and how it was sealed before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resealed<'a> {
    /// Who opened it.
    pub by: Vec<&'a str>,
    /// The quorum before.
    pub quorum: u64,
    /// The holders before.
    pub holders: Vec<&'a str>,
}

impl<'a> Resealed<'a> {
    /// Reads the detail; names hold neither `;` nor `,` nor space.
    pub(super) fn read(detail: &'a str) -> Option<Resealed<'a>> {
        let (by, before) = detail.strip_prefix("sealed anew by ")?.split_once("; before: ")?;
        let (quorum, holders) = before.split_once(" of ")?;
        let by = by.split(", ").collect();
        Some(Resealed { by, quorum: quorum.parse().ok()?, holders: holders.split(", ").collect() })
    }

    /// Was the key opened under this sealing?
    fn is_of(&self, sealing: &Sealing) -> bool {
        sealing.quorum == self.quorum && sealing.officers.iter().eq(self.holders.iter())
    }
}

impl std::fmt::Display for Resealed<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (by, holders) = (self.by.join(", "), self.holders.join(", "));
        write!(out, "sealed anew by {by}; before: {} of {holders}", self.quorum)
    }
}

/// Officers and keys after the entries seen so far.
#[derive(Clone, Debug, Default)]
pub struct Custody {
    officers: BTreeMap<String, Officer>,
    keys: BTreeMap<String, Key>,
    /// Officers whom the running command added.
    running: Vec<String>,
    /// Keys that the running command sealed.
    sealed: Vec<String>,
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

    /// Was there ever an officer? One whose files were never written was not.
    pub fn is_staffed(&self) -> bool {
        self.officers.values().any(|officer| officer.is_finished)
    }

    /// How each key in the vault was sealed last.
    pub fn sealings(&self) -> impl Iterator<Item = &Sealing> {
        self.keys.values().filter(|key| !key.is_retired).map(|key| &key.sealing)
    }

    /// How the key is sealed.
    pub fn key(&self, keyid: &str) -> Option<&Key> {
        self.keys.get(keyid)
    }

    /// May an officer of this name be added? A name is used once; one whose files were never written was not used.
    pub fn is_name_free(&self, name: &str) -> bool {
        self.officers.get(name).is_none_or(|officer| !officer.is_finished)
    }

    /// The most of these keys that one officer who serves opens alone.
    pub fn opened_by_one<'k>(&self, keyids: impl IntoIterator<Item = &'k str>) -> usize {
        let mut alone: BTreeMap<&str, usize> = BTreeMap::new();
        for key in keyids.into_iter().filter_map(|keyid| self.keys.get(keyid)) {
            if key.is_retired || key.sealing.quorum > 1 {
                continue;
            }
            let serves = |name: &&String| self.officers.get(*name).is_some_and(|officer| !officer.is_retired);
            key.sealing.officers.iter().filter(serves).for_each(|name| *alone.entry(name).or_default() += 1);
        }
        alone.into_values().max().unwrap_or(0)
    }

    /// What an entry says that cannot be, after the entries seen so far. To be asked before [`Custody::see`].
    pub fn flaw(&self, entry: &Entry<'_>) -> Option<Flaw> {
        match entry.kind() {
            Kind::OfficerAdded => {
                let known = self.officers.get(entry.text("officer").as_ref())?;
                if !known.is_retired {
                    return contradiction("there is an active officer of that name already");
                }
                if known.is_finished {
                    return contradiction(
                        "there was an officer of that name, who was retired: a name is never used twice",
                    );
                }
                None
            }
            Kind::OfficerRetired if entry.text("reason") == NEVER_FINISHED => {
                let known = self.officers.get(entry.text("officer").as_ref())?;
                match known.is_finished {
                    true => {
                        contradiction("it says that she never came to be an officer, and she acted as one")
                    }
                    false => None,
                }
            }
            Kind::KeyImported | Kind::KeyGenerated => rules::sealing(&Sealing::of(entry)),
            Kind::KeyDrilled | Kind::KeyBackedUp | Kind::KeyRetired => {
                match self.keys.get(entry.text("keyid").as_ref()).is_some_and(|key| !key.is_retired) {
                    true => None,
                    false => contradiction("the key is not in this station's vault"),
                }
            }
            Kind::KeySealed => rules::sealing(&Sealing::of(entry)).or_else(|| self.resealed_wrongly(entry)),
            Kind::KeyRestored => {
                let wrong = rules::sealing(&Sealing::of(entry));
                if wrong.is_some() {
                    return wrong;
                }
                let key = self.keys.get(entry.text("keyid").as_ref())?;
                if key.may_be(&Sealing::of(entry)) {
                    return None;
                }
                contradiction(&format!(
                    "it brings back another sealing of the key than the one in force, entry {}",
                    key.seq
                ))
            }
            _ => None,
        }
    }

    fn resealed_wrongly(&self, entry: &Entry<'_>) -> Option<Flaw> {
        let Some(key) = self.keys.get(entry.text("keyid").as_ref()) else {
            return contradiction("the key that it seals anew was never sealed on this station");
        };
        let detail = entry.text("detail");
        let Some(resealed) = Resealed::read(&detail) else {
            return contradiction("it does not say who opened the key, and how it was sealed before");
        };
        if !key.possible().any(|sealing| resealed.is_of(sealing) && sealing.opens_with(&resealed.by)) {
            let why =
                format!("those who opened the key are no quorum of the sealing in force, entry {}", key.seq);
            return Some(Flaw::new(FlawKind::Quorum, why));
        }
        let left = |name: &&&str| self.officers.get(**name).is_none_or(|officer| officer.is_retired);
        let name = resealed.by.iter().find(left)?;
        let why = format!("{} opened the key, and is no officer who serves", Foreign(name));
        Some(Flaw::new(FlawKind::Quorum, why))
    }

    /// Takes the next entry into account.
    pub fn see(&mut self, entry: &Entry<'_>) {
        match entry.kind() {
            Kind::SessionOpened => {
                self.running.clear();
                self.sealed.clear();
            }
            Kind::SessionClosed => self.closed(entry.int("exit") == 0),
            Kind::OfficerAdded => self.added(entry),
            Kind::OfficerRetired => self.retired(entry),
            Kind::OfficerAuthFailed | Kind::ApprovalGranted | Kind::ApprovalDenied | Kind::ActSigned => {
                self.finish(&entry.text("officer"));
            }
            Kind::TimeStatement => self.finish(&entry.actor()),
            Kind::SignIntent => {
                self.finish_all(entry);
                // It is compared with the log before.
                self.settle(&entry.text("keyid"));
            }
            Kind::KeyDrilled => {
                self.finish_all(entry);
                self.drilled(entry);
            }
            Kind::KeyImported | Kind::KeyGenerated | Kind::KeySealed => {
                self.finish_all(entry);
                self.sealed(entry);
            }
            Kind::KeyRetired => {
                if let Some(key) = self.keys.get_mut(entry.text("keyid").as_ref()) {
                    key.is_retired = true;
                }
            }
            // Who comes back from paper may have come without her sheet: it finishes nobody.
            Kind::KeyRestored => self.sealed(entry),
            _ => {}
        }
    }

    fn closed(&mut self, is_done: bool) {
        let added = std::mem::take(&mut self.running);
        if is_done {
            added.iter().for_each(|name| self.finish(name));
        }
        let sealed = std::mem::take(&mut self.sealed);
        if is_done {
            sealed.iter().for_each(|keyid| self.settle(keyid));
        }
    }

    /// A key is sealed to others, or comes into the vault.
    fn sealed(&mut self, entry: &Entry<'_>) {
        let keyid = entry.text("keyid").into_owned();
        let sealing = Sealing::of(entry);
        let mut before: Vec<Sealing> = match self.keys.remove(&keyid) {
            Some(key) => std::iter::once(key.sealing).chain(key.before).collect(),
            None => Vec::new(),
        };
        // Those who opened it show which of them was in force.
        if let Some(resealed) =
            Resealed::read(&entry.text("detail")).filter(|_| entry.kind() == Kind::KeySealed)
        {
            before.retain(|one| resealed.is_of(one));
        }
        before.retain(|one| *one != sealing);
        self.keys.insert(keyid.clone(), Key { seq: entry.seq(), sealing, before, is_retired: false });
        self.sealed.push(keyid);
    }

    /// It is known that the last sealing of a key is the one in force.
    fn settle(&mut self, keyid: &str) {
        if let Some(key) = self.keys.get_mut(keyid) {
            key.before.clear();
        }
    }

    /// A drill shows which sealing is in force.
    fn drilled(&mut self, entry: &Entry<'_>) {
        let Some(key) = self.keys.get_mut(entry.text("keyid").as_ref()) else { return };
        let drilled = Sealing::of(entry);
        // The entry names those who opened it.
        let openers: Vec<&str> = drilled.officers.iter().map(String::as_str).collect();
        let is_last = drilled.quorum == key.sealing.quorum && drilled.set == key.sealing.set;
        if is_last && key.sealing.opens_with(&openers) {
            key.before.clear();
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

fn contradiction(why: &str) -> Option<Flaw> {
    Some(Flaw::new(FlawKind::Contradiction, why))
}
