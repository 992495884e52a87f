//! Which part of a log who cosigned, and when: counted from the notes that the pack has, never from what it says of them.

use super::AuditError;
use super::examine::Examination;
use super::pack::Pack;
use crate::host::clock::Time;
use crate::ledger::anchors::{cosignature_time, read_head};
use crate::text::shown;
use crate::tlog::VerifierKey;
use std::collections::BTreeMap;

/// What a witness cosigned of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witnessed {
    /// The witness's key.
    pub key: VerifierKey,
    /// Did the auditor give the key? Else it is the one that the log has.
    pub was_given: bool,
    /// Sizes and times, in the order of the times.
    pub heads: Vec<(u64, Time)>,
}

impl Witnessed {
    /// The largest size that it cosigned, and when it last did.
    pub(crate) fn newest(&self) -> Option<(u64, Time)> {
        let size = self.heads.iter().map(|(size, _)| *size).max()?;
        let time = self.heads.iter().filter(|(one, _)| *one == size).map(|(_, time)| *time).max()?;
        Some((size, time))
    }

    /// In words, of a log with so many entries.
    pub(crate) fn words(&self, entries: u64) -> String {
        let name = shown(self.key.name());
        match self.newest() {
            Some((size, time)) => {
                let count = self.heads.len();
                let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
                format!("{name} cosigned {size} of {entries} entries on {time} ({times} in all)")
            }
            None => format!("{name} cosigned nothing of it"),
        }
    }
}

/// What each witness cosigned of the log in a pack: of the keys that were given, or else of those that the log has. `more`
/// are notes that came another way. A head that the lines do not give counts for nobody.
///
/// # Errors
/// An object of the pack cannot be read.
pub(crate) fn witnessed(
    pack: &Pack<'_>,
    examination: &Examination,
    given: &[VerifierKey],
    more: &[Vec<u8>],
    now: Time,
) -> Result<Vec<Witnessed>, AuditError> {
    let of_the_log = examination.anchors.all().map(|witness| &witness.key);
    let keys: Vec<&VerifierKey> =
        if given.is_empty() { of_the_log.collect() } else { given.iter().collect() };
    let mut found: Vec<Witnessed> = Vec::new();
    for key in keys {
        // A key counts once, under whatever name, and the log's own key for nothing.
        let is_own = key.public() == pack.key().public();
        if !is_own && !found.iter().any(|one| one.key.public() == key.public()) {
            found.push(Witnessed { key: key.clone(), was_given: !given.is_empty(), heads: Vec::new() });
        }
    }
    if found.is_empty() {
        return Ok(found);
    }
    let mut notes: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    for digest in &examination.notes {
        let bytes = pack.object(digest)?.into_vec();
        if let Ok(head) = read_head(&bytes, pack.key()) {
            notes.insert(bytes, head.size);
        }
    }
    for bytes in more {
        let Ok(head) = read_head(bytes, pack.key()) else { continue };
        if examination.roots.get(&head.size) == Some(&head.root) {
            notes.insert(bytes.clone(), head.size);
        }
    }
    let began = examination.anchors.began();
    for one in &mut found {
        for (bytes, size) in &notes {
            if let Ok(Some(time)) = cosignature_time(bytes, &one.key, began, now) {
                one.heads.push((*size, time));
            }
        }
        one.heads.sort_by_key(|(size, time)| (*time, *size));
        one.heads.dedup();
    }
    Ok(found)
}
