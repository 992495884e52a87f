//! Who is an officer, and how each key is sealed, as the log has it; and which of that a crash may have cut short.
//!
//! An act is in the log before its files are. It is ended when its command says so
//! (`session.closed` with exit code 0), or when a later entry shows that the files were there. Until then nobody knows
//! which of the two states the disk has, and both are allowed for. An act that ended is never taken back by files.

use super::entry::Entry;
use super::field::OfficerName;
use super::record::{OfficerAdded, OfficerRetired, Record, SealedKey};
use super::rules;
use crate::host::clock::Time;
use crate::text::Foreign;
use crate::tlog::flaw::{Flaw, FlawKind};
use std::collections::BTreeMap;

/// The reason of `officer.retired` for one whose files were never written: the name is free for another attempt.
pub const NEVER_FINISHED: &str = "never finished: the station stopped while she was added";

/// An officer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Officer {
    /// The entry that added her.
    pub seq: u64,
    /// Her age recipient.
    pub recipient: String,
    /// Her approval key.
    pub key: String,
    /// When she was added.
    pub added: Time,
    /// The entry with which she left, and its time.
    pub retired: Option<(u64, Time)>,
    /// Is it known that her identity was written? If not, the station may have stopped before.
    pub is_finished: bool,
}

impl Officer {
    /// Did she leave?
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.is_some()
    }
}

/// To whom a key is sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sealing {
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
    pub(crate) fn of(key: &SealedKey<'_>) -> Sealing {
        let officers = key.officers.iter().map(|name| name.to_string()).collect();
        Sealing { quorum: key.quorum, officers, set: key.set.to_string() }
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
pub(crate) struct Key {
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
    /// Was it taken out of the vault?
    pub(crate) fn is_retired(&self) -> bool {
        self.is_retired
    }

    /// May this sealing be the one in force? The last one may, and, until it is known that it was written, those before.
    pub(crate) fn may_be(&self, sealing: &Sealing) -> bool {
        self.possible().any(|possible| possible == sealing)
    }

    fn possible(&self) -> impl Iterator<Item = &Sealing> {
        std::iter::once(&self.sealing).chain(&self.before)
    }
}

/// What `key.sealed` says in its detail: who opened the key for it, and how it was sealed before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Resealed<'a> {
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
pub(crate) struct Custody {
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
    pub(crate) fn officer(&self, name: &str) -> Option<&Officer> {
        self.officers.get(name)
    }

    /// All officers by name, also those who left.
    pub(crate) fn officers(&self) -> impl Iterator<Item = (&String, &Officer)> {
        self.officers.iter()
    }

    /// Was there ever an officer? One whose files were never written was not.
    pub(crate) fn is_staffed(&self) -> bool {
        self.officers.values().any(|officer| officer.is_finished)
    }

    /// How each key in the vault was sealed last.
    pub(crate) fn sealings(&self) -> impl Iterator<Item = &Sealing> {
        self.keys.values().filter(|key| !key.is_retired).map(|key| &key.sealing)
    }

    /// How the key is sealed.
    pub(crate) fn key(&self, keyid: &str) -> Option<&Key> {
        self.keys.get(keyid)
    }

    /// May an officer of this name be added? A name is used once; one whose files were never written was not used.
    pub(crate) fn is_name_free(&self, name: &str) -> bool {
        self.officers.get(name).is_none_or(|officer| !officer.is_finished)
    }

    /// The most of these keys that one officer who serves opens alone.
    pub(crate) fn opened_by_one<'k>(&self, keyids: impl IntoIterator<Item = &'k str>) -> usize {
        let mut alone: BTreeMap<&str, usize> = BTreeMap::new();
        for key in keyids.into_iter().filter_map(|keyid| self.keys.get(keyid)) {
            if key.is_retired || key.sealing.quorum > 1 {
                continue;
            }
            let serves =
                |name: &&String| self.officers.get(*name).is_some_and(|officer| !officer.is_retired());
            key.sealing.officers.iter().filter(serves).for_each(|name| *alone.entry(name).or_default() += 1);
        }
        alone.into_values().max().unwrap_or(0)
    }

    /// What an entry says that cannot be, after the entries seen so far. To be asked before [`Custody::see`].
    pub(crate) fn flaw(&self, entry: &Entry<'_>) -> Option<Flaw> {
        match entry.record() {
            Record::OfficerAdded(added) => {
                let known = self.officers.get(&*added.officer)?;
                if !known.is_retired() {
                    return contradiction("there is an active officer of that name already");
                }
                if known.is_finished {
                    return contradiction(
                        "there was an officer of that name, who was retired: a name is never used twice",
                    );
                }
                None
            }
            Record::OfficerRetired(retired) => match self.officers.get(&*retired.officer) {
                None => contradiction("there is no such officer"),
                Some(known) if known.is_finished && retired.reason == NEVER_FINISHED => {
                    contradiction("it says that she never came to be an officer, and she acted as one")
                }
                Some(_) => None,
            },
            Record::KeyImported(key) | Record::KeyGenerated(key) => rules::sealing(&Sealing::of(key)),
            Record::KeyDrilled(key) | Record::KeyBackedUp(key) | Record::KeyRetired(key) => {
                match self.keys.get(&*key.keyid).is_some_and(|key| !key.is_retired) {
                    true => None,
                    false => contradiction("the key is not in this station's vault"),
                }
            }
            Record::KeySealed(key) => {
                rules::sealing(&Sealing::of(key)).or_else(|| self.resealed_wrongly(key))
            }
            Record::KeyRestored(restored) => {
                let sealing = Sealing::of(restored);
                let wrong = rules::sealing(&sealing);
                if wrong.is_some() {
                    return wrong;
                }
                let key = self.keys.get(&*restored.keyid)?;
                if key.may_be(&sealing) {
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

    fn resealed_wrongly(&self, sealed: &SealedKey<'_>) -> Option<Flaw> {
        let Some(key) = self.keys.get(&*sealed.keyid) else {
            return contradiction("the key that it seals anew was never sealed on this station");
        };
        let Some(resealed) = Resealed::read(&sealed.detail) else {
            return contradiction("it does not say who opened the key, and how it was sealed before");
        };
        if !key.possible().any(|sealing| resealed.is_of(sealing) && sealing.opens_with(&resealed.by)) {
            let why =
                format!("those who opened the key are no quorum of the sealing in force, entry {}", key.seq);
            return Some(Flaw::new(FlawKind::Quorum, why));
        }
        let left = |name: &&&str| self.officers.get(**name).is_none_or(|officer| officer.is_retired());
        let name = resealed.by.iter().find(left)?;
        let why = format!("{} opened the key, and is no officer who serves", Foreign(name));
        Some(Flaw::new(FlawKind::Quorum, why))
    }

    /// Takes the next entry into account.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) {
        let seq = entry.seq();
        match entry.record() {
            Record::SessionOpened(_) => {
                self.running.clear();
                self.sealed.clear();
            }
            Record::SessionClosed(closed) => self.closed(closed.exit == 0),
            Record::OfficerAdded(added) => self.added(seq, entry.time(), added),
            Record::OfficerRetired(retired) => self.retired(seq, entry.time(), retired),
            Record::OfficerAuthFailed(failed) => self.finish(&failed.officer),
            Record::ApprovalGranted(decided) | Record::ApprovalDenied(decided) => {
                self.finish(&decided.officer);
            }
            Record::ActSigned(signed) => self.finish(&signed.officer),
            Record::TimeStatement(_) => self.finish(&entry.actor()),
            Record::SignIntent(intent) => {
                self.finish_all(&intent.officers);
                // It is compared with the log before.
                self.settle(&intent.keyid);
            }
            Record::KeyDrilled(key) => {
                self.finish_all(&key.officers);
                self.drilled(key);
            }
            Record::KeyImported(key) | Record::KeyGenerated(key) => {
                self.finish_all(&key.officers);
                self.sealed(seq, key, None);
            }
            Record::KeySealed(key) => {
                self.finish_all(&key.officers);
                self.sealed(seq, key, Resealed::read(&key.detail));
            }
            Record::KeyRetired(key) => {
                if let Some(key) = self.keys.get_mut(&*key.keyid) {
                    key.is_retired = true;
                }
            }
            // Who comes back from paper may have come without her sheet: it finishes nobody.
            Record::KeyRestored(key) => self.sealed(seq, key, None),
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
    fn sealed(&mut self, seq: u64, key: &SealedKey<'_>, resealed: Option<Resealed<'_>>) {
        let keyid = key.keyid.to_string();
        let sealing = Sealing::of(key);
        let mut before: Vec<Sealing> = match self.keys.remove(&keyid) {
            Some(key) => std::iter::once(key.sealing).chain(key.before).collect(),
            None => Vec::new(),
        };
        // Those who opened it show which of them was in force.
        if let Some(resealed) = resealed {
            before.retain(|one| resealed.is_of(one));
        }
        before.retain(|one| *one != sealing);
        self.keys.insert(keyid.clone(), Key { seq, sealing, before, is_retired: false });
        self.sealed.push(keyid);
    }

    /// It is known that the last sealing of a key is the one in force.
    fn settle(&mut self, keyid: &str) {
        if let Some(key) = self.keys.get_mut(keyid) {
            key.before.clear();
        }
    }

    /// A drill shows which sealing is in force.
    fn drilled(&mut self, drilled: &SealedKey<'_>) {
        let Some(key) = self.keys.get_mut(&*drilled.keyid) else { return };
        let drilled = Sealing::of(drilled);
        // The entry names those who opened it.
        let openers: Vec<&str> = drilled.officers.iter().map(String::as_str).collect();
        let is_last = drilled.quorum == key.sealing.quorum && drilled.set == key.sealing.set;
        if is_last && key.sealing.opens_with(&openers) {
            key.before.clear();
        }
    }

    fn added(&mut self, seq: u64, time: Time, added: &OfficerAdded<'_>) {
        let name = added.officer.to_string();
        let officer = Officer {
            seq,
            recipient: added.recipient.to_string(),
            key: added.key.to_string(),
            added: time,
            retired: None,
            is_finished: false,
        };
        self.running.push(name.clone());
        let before = self.officers.insert(name, officer);
        if before.is_none_or(|before| before.is_finished) {
            self.unfinished += 1;
        }
    }

    fn retired(&mut self, seq: u64, time: Time, retired: &OfficerRetired<'_>) {
        if retired.reason != NEVER_FINISHED {
            self.finish(&retired.officer);
        }
        if let Some(officer) = self.officers.get_mut(&*retired.officer) {
            officer.retired.get_or_insert((seq, time));
        }
    }

    /// An entry names these officers in an act that takes their files.
    fn finish_all(&mut self, officers: &[OfficerName<'_>]) {
        officers.iter().for_each(|name| self.finish(name));
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
