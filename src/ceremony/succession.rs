//! A new station after a lost one: what the old log says is read from its evidence pack, verified as `audit verify` does,
//! and comes along as marks that no later request may fall behind.

use super::CeremonyError;
use crate::audit::verdict::{self, Compare};
use crate::audit::{AuditError, Options, Outcome, Pack};
use crate::host::Host;
use crate::ledger::record::{EvidenceSeen, MarkTakenOver, RootPinned, RootUpdated, StationSucceeds};
use crate::ledger::store::Head;
use crate::ledger::{Event, Record};
use crate::station::history::{LIST, RETIRED, SEEN, SIGNED};
use crate::station::{History, Inheritance, SignedMark, StationError};
use crate::text::{shown, shown_path};
use crate::tlog::VerifierKey;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a new station takes over from an old log.
pub(crate) struct Legacy {
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
    pub(crate) fn read(
        host: &Host,
        dir: &Path,
        key: &str,
        against: Vec<Vec<u8>>,
    ) -> Result<Legacy, CeremonyError> {
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
            match entry.record() {
                Record::StationCreated(created) => legacy.factory = created.factory.to_string(),
                Record::RootPinned(RootPinned { version, .. })
                | Record::RootUpdated(RootUpdated { version, .. }) => legacy.root_version = *version,
                Record::KeyRetired(key) => drop(legacy.retired.insert(key.keyid.to_string())),
                Record::KeyImported(key) | Record::KeyGenerated(key) | Record::KeyRestored(key) => {
                    legacy.retired.remove(&*key.keyid);
                }
                Record::MarkTakenOver(mark) if mark.what == RETIRED => {
                    legacy.retired.insert(mark.keyid.to_string());
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
    pub(crate) fn require_fits(&self, factory: &str, root_version: u64) -> Result<(), CeremonyError> {
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
    pub(crate) fn marks(&self) -> usize {
        self.events("").len() - 1
    }

    /// What the new log begins with.
    pub(crate) fn inheritance(&self, actor: &str) -> Inheritance {
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
        let succeeds = StationSucceeds {
            origin: (&head.origin).into(),
            size: head.size,
            root: hex::encode(head.root).into(),
            key: self.key.to_string().into(),
            note: crate::tuf::Digest::of(self.head.note.as_bytes()).to_string().into(),
        };
        let mut marks = Vec::new();
        for (tag, history) in &self.history.tags {
            marks.extend(
                history.signed.iter().map(|one| MarkTakenOver { tag: tag.into(), ..mark(SIGNED, one) }),
            );
            if let Some(seen) = &history.baseline {
                let (version, signed) = (seen.version, (&seen.signed).into());
                marks.push(MarkTakenOver { tag: tag.into(), version, signed, ..no_mark(SEEN) });
            }
        }
        marks.extend(self.history.lists.iter().map(|one| mark(LIST, one)));
        marks.extend(
            self.retired.iter().map(|keyid| MarkTakenOver { keyid: keyid.into(), ..no_mark(RETIRED) }),
        );
        let marks = marks.into_iter().map(|mark| mark.by(actor));
        // Its request is the old station's, and not here.
        let files = self.history.files.iter().map(|(file, seen)| EvidenceSeen {
            request: "".into(),
            file: file.into(),
            version: seen.version,
            signed: (&seen.signed).into(),
        });
        let files = files.map(|seen| seen.by(actor));
        std::iter::once(succeeds.by(actor)).chain(marks).chain(files).collect()
    }
}

/// A signature of the old station, without its tag.
fn mark<'a>(what: &'a str, one: &'a SignedMark) -> MarkTakenOver<'a> {
    MarkTakenOver {
        version: one.version,
        signed: (&one.signed).into(),
        wave: (&one.wave).into(),
        keyid: (&one.keyid).into(),
        seq: one.seq,
        ..no_mark(what)
    }
}

fn no_mark(what: &str) -> MarkTakenOver<'_> {
    let (tag, wave, keyid) = Default::default();
    MarkTakenOver { what: what.into(), tag, version: 0, signed: "".into(), wave, keyid, seq: 0 }
}

fn of_audit(e: &AuditError) -> CeremonyError {
    match e {
        AuditError::Flawed(_) | AuditError::PackKey(_) => StationError::NotAsLogged(e.to_string()).into(),
        other => CeremonyError::Nothing(other.to_string()),
    }
}
