//! A new station after a lost one: what the old log says is read from its evidence pack, verified as `audit verify` does,
//! and comes along as marks that no later request may fall behind.

use super::CeremonyError;
use crate::audit::verdict::{self, Compare};
use crate::audit::{AuditError, Options, Outcome, Pack};
use crate::host::Host;
use crate::ledger::store::Head;
use crate::ledger::{Event, Kind};
use crate::station::history::{LIST, RETIRED, SEEN, SIGNED};
use crate::station::{History, Inheritance, StationError};
use crate::text::{shown, shown_path};
use crate::tlog::VerifierKey;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a new station takes over from an old log.
pub struct Legacy {
    /// The old log's key.
    pub key: VerifierKey,
    /// Its newest head in the pack.
    pub head: Head,
    /// What it signed and saw, by tag.
    pub history: History,
    /// Keys that it retired.
    pub retired: BTreeSet<String>,
    /// The newest root that it had.
    pub root_version: u64,
    /// The Factory or repository that it signed for.
    factory: String,
    /// The folder of the old log, for the bytes that it signed and saw.
    dir: PathBuf,
}

impl Legacy {
    /// Reads and verifies the pack of an old log. `key`: the log's public key as it came another way; `against`: heads that
    /// the connected side or a witness has, which the pack must reach.
    ///
    /// # Errors
    /// It is no pack of that log, was changed, forked, or is older than one of the heads.
    pub fn read(host: &Host, dir: &Path, key: &str, against: Vec<Vec<u8>>) -> Result<Legacy, CeremonyError> {
        let pack = Pack::open(&*host.disk, dir, Some(key)).map_err(|e| of_audit(&e))?;
        let mut legacy = Legacy {
            key: pack.key().clone(),
            head: pack.head().map_err(|e| of_audit(&e))?,
            history: History::default(),
            retired: BTreeSet::new(),
            root_version: 0,
            factory: String::new(),
            dir: pack.dir().to_owned(),
        };
        let compare = Compare { against, now: Some(host.clock.now()), ..Compare::default() };
        let verdict = verdict::verify(&pack, Options::default(), compare, &mut |entry, _| {
            legacy.history.see(entry);
            match entry.kind() {
                Kind::StationCreated => legacy.factory = entry.text("factory").into_owned(),
                Kind::RootPinned | Kind::RootUpdated => legacy.root_version = entry.int("version"),
                Kind::KeyRetired => drop(legacy.retired.insert(entry.text("keyid").into_owned())),
                Kind::KeyImported | Kind::KeyGenerated | Kind::KeyRestored => {
                    legacy.retired.remove(entry.text("keyid").as_ref());
                }
                Kind::MarkTakenOver if entry.text("what") == RETIRED => {
                    legacy.retired.insert(entry.text("keyid").into_owned());
                }
                _ => {}
            }
            Ok(())
        });
        let verdict = verdict.map_err(|e| of_audit(&e))?;
        let mut why: Vec<String> =
            verdict.examination.flaws.iter().take(1).map(ToString::to_string).collect();
        why.extend(verdict.reasons);
        let why = format!("{}: {}. No station was made", shown_path(dir), why.join("; "));
        match verdict.outcome {
            // An intent in doubt counts as signed, and a new log is witnessed anew.
            Outcome::Whole | Outcome::InDoubt | Outcome::Unwitnessed => Ok(legacy),
            Outcome::Tampered => Err(StationError::NotAsLogged(why).into()),
            Outcome::Forked => Err(CeremonyError::Forked(why)),
            Outcome::RolledBack => Err(CeremonyError::RolledBack(why)),
        }
    }

    /// Is it the log of a station for this Factory, with roots that are not newer than these?
    ///
    /// # Errors
    /// It is another's, or it knew a newer root.
    pub fn require_fits(&self, factory: &str, root_version: u64) -> Result<(), CeremonyError> {
        if self.factory != factory {
            return Err(CeremonyError::Refused(format!(
                "the log to continue is of a station for {}, not for {}",
                shown(&self.factory),
                shown(factory)
            )));
        }
        if root_version < self.root_version {
            return Err(CeremonyError::Refused(format!(
                "the log to continue knew root version {}, and the newest one given is {root_version}. Download the roots again",
                self.root_version
            )));
        }
        Ok(())
    }

    /// How many marks come along.
    pub fn marks(&self) -> usize {
        self.events("").len() - 1
    }

    /// What the new log begins with.
    pub fn inheritance(&self, actor: &str) -> Inheritance {
        let seen = self.history.tags.values().filter_map(|tag| Some(tag.baseline.as_ref()?.signed.clone()));
        let signed = self.history.marks().map(|mark| mark.signed.clone());
        Inheritance {
            events: self.events(actor),
            note: self.head.note.clone(),
            from: self.dir.clone(),
            objects: signed.chain(seen).collect(),
        }
    }

    /// The entries by which a new log says what it takes over; the first names the old head, whose note is an object.
    fn events(&self, actor: &str) -> Vec<Event> {
        let head = &self.head.checkpoint;
        let mut events = vec![
            Event::new(Kind::StationSucceeds, actor)
                .text("origin", &head.origin)
                .int("size", head.size)
                .text("root", hex::encode(head.root))
                .text("key", self.key.to_string())
                .text("note", crate::tuf::Digest::of(self.head.note.as_bytes()).to_string()),
        ];
        let mark = |what: &str, tag: &str, version: u64, signed: &str, wave: &str, keyid: &str, seq: u64| {
            Event::new(Kind::MarkTakenOver, actor)
                .text("what", what)
                .text("tag", tag)
                .int("version", version)
                .text("signed", signed)
                .text("wave", wave)
                .text("keyid", keyid)
                .int("seq", seq)
        };
        for (tag, history) in &self.history.tags {
            for one in &history.signed {
                events.push(mark(SIGNED, tag, one.version, &one.signed, &one.wave, &one.keyid, one.seq));
            }
            if let Some(seen) = &history.baseline {
                events.push(mark(SEEN, tag, seen.version, &seen.signed, "", "", 0));
            }
        }
        for one in &self.history.lists {
            events.push(mark(LIST, "", one.version, &one.signed, &one.wave, &one.keyid, one.seq));
        }
        events.extend(self.retired.iter().map(|keyid| mark(RETIRED, "", 0, "", "", keyid, 0)));
        events
    }
}

fn of_audit(e: &AuditError) -> CeremonyError {
    match e {
        AuditError::Flawed(_) | AuditError::PackKey(_) => StationError::NotAsLogged(e.to_string()).into(),
        other => CeremonyError::Nothing(other.to_string()),
    }
}
