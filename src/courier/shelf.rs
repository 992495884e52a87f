//! What the courier keeps between bundles: the newest heads of stations' logs that it carried, for the next request.

use super::CourierError;
use crate::host::Disk;
use crate::host::disk::{Kind, ensure_folder, write_durably};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::{LARGEST_NOTE, VerifierKey};
use crate::tuf::Digest;
use std::path::{Path, PathBuf};

/// The most notes that a request takes along.
const MOST_NOTES: usize = 16;

/// A folder of notes for one Factory.
pub(crate) struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The notes for a Factory, in the courier's folder.
    pub(crate) fn new(folder: &Path, factory: &str) -> Shelf {
        // A Factory's name is foreign text: its digest is a safe name for a folder.
        Shelf { folder: folder.join(Digest::of(factory.as_bytes()).short()) }
    }

    /// Keeps a checkpoint that the log's key signed, unless a larger one of this log is there.
    pub(crate) fn keep_head(
        &self,
        disk: &dyn Disk,
        key: &VerifierKey,
        note: &[u8],
    ) -> Result<(), CourierError> {
        self.keep(disk, key, "head", note)
    }

    /// Keeps a checkpoint that a witness cosigned, unless a larger one is there.
    pub(crate) fn keep_cosigned(
        &self,
        disk: &dyn Disk,
        key: &VerifierKey,
        witness: &VerifierKey,
        note: &[u8],
    ) -> Result<(), CourierError> {
        self.keep(disk, key, &witness_name(witness), note)
    }

    /// The newest head of a log that is kept.
    pub(crate) fn head(&self, disk: &dyn Disk, key: &VerifierKey) -> Result<Option<Vec<u8>>, CourierError> {
        self.read(disk, &self.path(key, "head"))
    }

    /// The size of the head that a witness is known to hold; 0 when nothing is known.
    pub(crate) fn witnessed(
        &self,
        disk: &dyn Disk,
        key: &VerifierKey,
        witness: &VerifierKey,
    ) -> Result<u64, CourierError> {
        let note = self.read(disk, &self.path(key, &witness_name(witness)))?;
        Ok(note.and_then(|note| Checkpoint::verify(&note, key).ok()).map_or(0, |head| head.size))
    }

    fn path(&self, key: &VerifierKey, name: &str) -> PathBuf {
        self.folder.join(format!("{}-{name}.note", Digest::of(key.to_string().as_bytes()).short()))
    }

    fn read(&self, disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, CourierError> {
        match disk.kind(path)? {
            None => Ok(None),
            Some(_) => Ok(Some(disk.read(path, LARGEST_NOTE as u64)?)),
        }
    }

    fn keep(&self, disk: &dyn Disk, key: &VerifierKey, name: &str, note: &[u8]) -> Result<(), CourierError> {
        let new = Checkpoint::verify(note, key).map_err(|e| {
            CourierError::Blocked(format!("the head of the station's log does not hold: {e}"))
        })?;
        let path = self.path(key, name);
        let old = self.read(disk, &path)?.and_then(|old| Checkpoint::verify(&old, key).ok());
        if old.is_some_and(|old| old.size > new.size) {
            return Ok(());
        }
        make_folder(disk, &self.folder)?;
        Ok(write_durably(disk, &path, 0o600, &[note])?)
    }

    /// The notes, for a request.
    pub(crate) fn notes(&self, disk: &dyn Disk) -> Result<Vec<PathBuf>, CourierError> {
        if disk.kind(&self.folder)? != Some(Kind::Folder) {
            return Ok(Vec::new());
        }
        let files = disk.list(&self.folder, 4096)?;
        let notes =
            files.iter().filter(|entry| !entry.name.starts_with('.') && entry.name.ends_with(".note"));
        Ok(notes.take(MOST_NOTES).map(|entry| self.folder.join(&entry.name)).collect())
    }
}

/// Makes a folder that only its owner may look into, with those above it that are missing.
pub(crate) fn make_folder(disk: &dyn Disk, folder: &Path) -> Result<(), CourierError> {
    let mut missing: Vec<&Path> =
        folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()).collect();
    missing.reverse();
    Ok(missing.into_iter().try_for_each(|folder| ensure_folder(disk, folder, 0o700))?)
}

fn witness_name(witness: &VerifierKey) -> String {
    Digest::of(witness.to_string().as_bytes()).short()
}
