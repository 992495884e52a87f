//! The service's list of waves against the logs: a wave that no station signed, and what became of those that one did.

use super::record::{Logged, Record};
use super::{Comparison, Finding, Skipped, line};
use crate::audit::AuditError;
use crate::bundle::evidence::{WaveList, WaveStatus};
use crate::host::Disk;
use crate::json::{Document, Limits};
use crate::text::{shown, shown_path};
use crate::tuf::TufError;
use std::path::Path;

/// The list, and where it stands.
pub(super) struct Waves {
    place: String,
    list: WaveList,
}

impl Waves {
    pub(super) fn read(disk: &dyn Disk, path: &Path, largest: u64) -> Result<Waves, AuditError> {
        let largest = largest.min(u64::from(u32::MAX));
        let bytes = disk.read(path, largest)?;
        let document = Document::parse(path.to_string_lossy(), bytes, Limits::of_bytes(largest));
        let list = WaveList::read(document.map_err(TufError::from)?.root());
        if list.waves.is_empty() && !list.is_whole() {
            return Err(AuditError::file(path, format!("it is no list of waves: {}", list.gaps.join("; "))));
        }
        Ok(Waves { place: shown_path(path), list })
    }

    /// What became of the wave of a signature that was not among the files, as the end of a sentence.
    pub(super) fn became(&self, logged: &Logged) -> &'static str {
        let is_it = |wave: &&crate::bundle::evidence::Wave| {
            wave.name == logged.wave && wave.tag == logged.tag && wave.version == Some(logged.version)
        };
        match self.list.waves.iter().find(is_it).map(|wave| wave.status) {
            Some(WaveStatus::Canceled) => "; the wave was canceled",
            Some(WaveStatus::Complete) => "; the wave was completed",
            Some(WaveStatus::Active) => "; the wave is being rolled out",
            Some(WaveStatus::Other) => "; the service lists the wave with a status that is not known",
            None => "; the service does not list such a wave",
        }
    }

    /// Each wave of the list must be one that a log has; and the list must be whole.
    pub(super) fn compare(&self, record: &Record, found: &mut Comparison) {
        for wave in &self.list.waves {
            let (tag, version) = (&wave.tag, wave.version);
            let mut logged = record.signatures.values().flatten();
            if logged.any(|one| one.wave == wave.name && one.tag == *tag && Some(one.version) == version) {
                continue;
            }
            let version_text = version.map_or_else(|| "that is no number".to_owned(), |n| n.to_string());
            let what = format!("wave {}, tag {}, version {version_text}", shown(&wave.name), shown(tag));
            let mut words = record.words.iter().rev();
            let word = words.find(|(_, word)| word.tag == *tag && Some(word.version) == version);
            let (finding, text) = word.map_or_else(
                || {
                    (
                        Finding::Unlogged,
                        format!("{what}: the service lists it, and no signature for it is in the log"),
                    )
                },
                |(_, word)| word.published(&what),
            );
            found.lines.push(line(finding, self.place.clone(), word.map_or("", |(digest, _)| digest), text));
        }
        found.skipped.extend(self.list.gaps.iter().map(|gap| Skipped {
            place: self.place.clone(),
            reason: format!("the list may not be whole: {gap}"),
            unread: true,
        }));
    }
}
