//! An evidence pack: a folder with lines, checkpoints, objects and the log's public key. As hostile as a request.

use super::AuditError;
use crate::host::disk::{DiskError, Kind, parent};
use crate::host::{Bytes, Disk};
use crate::ledger::lines::{self, LINES_PER_FILE};
use crate::ledger::store::{self, Head, PUBLIC_KEY};
use crate::ledger::walk::{Walk, blame};
use crate::ledger::{Entry, objects};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::LARGEST_NOTE;
use crate::tlog::tree::Tree;
use crate::tlog::{Flaw, FlawKind, VerifierKey};
use std::path::{Path, PathBuf};

/// The most bytes of a pack's key file.
const LARGEST_KEY: u64 = 4_096;

/// A pack, and the key that its checkpoints must be signed with. It is only ever read.
pub struct Pack<'a> {
    disk: &'a dyn Disk,
    /// The folder that the auditor named.
    given: PathBuf,
    dir: PathBuf,
    key: VerifierKey,
    key_was_given: bool,
}

impl<'a> Pack<'a> {
    /// Opens a pack, or the log of a station (`DIR` or `DIR/log`). `key`: the log's public key as it came another way;
    /// without it the pack's own is used, and the verdict says so.
    ///
    /// # Errors
    /// The folder is no pack, or a key cannot be read; [`AuditError::OtherLog`] when the given key is of a log of another
    /// name, [`AuditError::PackKey`] when the pack's key is none, or another one of the same name.
    pub fn open(disk: &'a dyn Disk, dir: &Path, key: Option<&str>) -> Result<Pack<'a>, AuditError> {
        let parts = |dir: &Path| -> Result<(bool, bool), DiskError> {
            let events = disk.kind(&dir.join(lines::FOLDER))? == Some(Kind::Folder);
            Ok((events, disk.kind(&dir.join(PUBLIC_KEY))?.is_some()))
        };
        let folder = dir.to_owned();
        let (own, inner) = (parts(dir)?, parts(&dir.join("log"))?);
        let not_a_pack = |missing| Err(AuditError::NotAPack { path: folder.clone(), missing });
        let dir = match (own, inner) {
            ((true, true), _) => dir.to_owned(),
            (_, (true, true)) => dir.join("log"),
            ((true, false), _) => return not_a_pack("file \"vkey\""),
            ((false, true), _) => return not_a_pack("folder \"events\""),
            ((false, false), _) => return not_a_pack("folder \"events\" and no file \"vkey\""),
        };
        let given = key.map(VerifierKey::parse).transpose().map_err(|e| AuditError::Key(e.to_string()))?;
        let text = disk.read_beneath(&dir, PUBLIC_KEY, LARGEST_KEY)?;
        let wrong = |why: String| AuditError::PackKey(Flaw::new(FlawKind::Key, why).in_file(PUBLIC_KEY));
        let text = crate::text::utf8(&text).map_err(|why| wrong(why.to_owned()))?;
        let own = VerifierKey::parse(text).map_err(|e| wrong(e.to_string()))?;
        if text != format!("{own}\n") {
            return Err(wrong("it is not the one line that it should be".to_owned()));
        }
        if let Some(given) = given.as_ref().filter(|given| **given != own) {
            // A station's name ends in digits of its own: only a log of the very same name could be meant to deceive.
            return Err(if given.name() == own.name() {
                wrong(format!("the pack's key is {own}, and the key given is {given}"))
            } else {
                AuditError::OtherLog { pack: own.name().to_owned(), given: given.name().to_owned() }
            });
        }
        Ok(Pack { disk, given: folder, dir, key: own, key_was_given: given.is_some() })
    }

    /// The log's folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The disk that the pack is on.
    pub(crate) fn disk(&self) -> &'a dyn Disk {
        self.disk
    }

    /// Refuses a file of the auditor's own that would lie inside the pack, by whatever name: a pack is never written to.
    ///
    /// # Errors
    /// It would.
    pub(crate) fn refuse_within(&self, file: &Path) -> Result<(), AuditError> {
        let folder = parent(file);
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if real(folder).starts_with(real(&self.given)) {
            return Err(AuditError::file(
                file,
                "it lies inside the evidence pack, which is never written to",
            ));
        }
        Ok(())
    }

    /// The log's key.
    pub(crate) fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Did the key come another way than with the pack?
    pub(crate) fn key_was_given(&self) -> bool {
        self.key_was_given
    }

    /// The sizes of all kept checkpoints, ascending.
    ///
    /// # Errors
    /// The folder cannot be read or has something else in it.
    pub(crate) fn checkpoint_sizes(&self) -> Result<Vec<u64>, AuditError> {
        match store::checkpoint_sizes(self.disk, &self.dir) {
            Err(lines::ReadError::Disk(e)) if e.is_missing() => {
                let flaw =
                    Flaw::new(FlawKind::CheckpointMissing, "the folder with the checkpoints is missing");
                Err(AuditError::Flawed(flaw.in_file(store::CHECKPOINTS)))
            }
            other => Ok(other?),
        }
    }

    /// A kept checkpoint, its signature verified.
    ///
    /// # Errors
    /// It cannot be read, or is not this log's of this size.
    pub(crate) fn checkpoint(&self, size: u64) -> Result<Head, AuditError> {
        Ok(store::read_checkpoint(self.disk, &self.dir, &self.key, size)?)
    }

    /// The pack's head: the newest checkpoint, which `checkpoint` must be, byte for byte.
    ///
    /// # Errors
    /// There is none, it is not this log's, or `checkpoint` is another one.
    pub fn head(&self) -> Result<Head, AuditError> {
        let newest = self.checkpoint_sizes()?.last().copied();
        let newest = newest.ok_or_else(|| {
            let flaw = Flaw::new(FlawKind::CheckpointMissing, "there is no checkpoint at all");
            AuditError::Flawed(flaw.in_file(store::CHECKPOINTS))
        })?;
        let head = self.checkpoint(newest)?;
        let named = self.disk.read_beneath(&self.dir, store::HEAD, LARGEST_NOTE as u64);
        let why = match named {
            Ok(bytes) if *bytes == *head.note.as_bytes() => return Ok(head),
            Ok(_) => format!("it is not the newest of the kept checkpoints, which is of {newest} entries"),
            Err(e) if e.is_missing() => "it is missing".to_owned(),
            Err(e) => return Err(e.into()),
        };
        Err(AuditError::Flawed(Flaw::new(FlawKind::CheckpointMissing, why).in_file(store::HEAD)))
    }

    /// An object's bytes, checked against its digest.
    ///
    /// # Errors
    /// There is no such object, or its bytes have another digest.
    pub(crate) fn object(&self, digest: &str) -> Result<Bytes, AuditError> {
        Ok(objects::get(self.disk, &self.dir, digest)?)
    }

    /// Is the object with this digest there?
    ///
    /// # Errors
    /// The folder cannot be looked into.
    pub(crate) fn has_object(&self, digest: &str) -> Result<bool, AuditError> {
        let is_name = objects::is_digest(digest);
        Ok(is_name && self.disk.kind(&self.dir.join(objects::FOLDER).join(digest))?.is_some())
    }

    /// Hands every entry that the head covers to `visit`, in order. Each is checked to stand in its place, and all of them
    /// to give the head's root: nothing may be said of the entries before this returns without an error. `visit` returns
    /// whether it wants more.
    ///
    /// # Errors
    /// A line is not in its form or place, was changed, or is missing.
    pub(crate) fn each_entry(
        &self,
        head: &Head,
        mut visit: impl FnMut(&Entry<'_>) -> Result<bool, AuditError>,
    ) -> Result<(), AuditError> {
        let size = head.checkpoint.size;
        let files = size.div_ceil(LINES_PER_FILE);
        let mut walk = Walk::default();
        let mut wants_more = true;
        lines::each_chunk(self.disk, &self.dir, 0, files, |chunk| -> Result<bool, AuditError> {
            for (entry, leaf) in chunk.entries() {
                if walk.tree().size() == size {
                    break;
                }
                walk.step(&entry, leaf).map_err(|flaw| {
                    let flaw = flaw.in_file(chunk.file());
                    AuditError::Flawed(blame(self.disk, &self.dir, flaw, Some(&head.checkpoint)))
                })?;
                wants_more = wants_more && visit(&entry)?;
            }
            if walk.tree().size() < size {
                chunk.check(chunk.number() + 1 == files).map_err(AuditError::Flawed)?;
            }
            Ok(true)
        })?;
        require_root(walk.tree(), head)
    }

    /// Hands every entry that the head covers and whose kind's name begins so to `visit`, in order; all lines are hashed,
    /// and must give the head's root. Nothing may be said of the entries before this returns without an error.
    ///
    /// # Errors
    /// A line was changed or is missing, or one of this kind is not in its form or place.
    pub(crate) fn each_named(
        &self,
        head: &Head,
        kinds: &str,
        mut visit: impl FnMut(&Entry<'_>) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        let size = head.checkpoint.size;
        // Quotes inside a string are escaped, so these bytes stand nowhere but in a line's own `type`.
        let wanted = format!(",\"type\":\"{kinds}");
        let files = size.div_ceil(LINES_PER_FILE);
        let mut tree = Tree::new();
        // A changed log explains why an entry makes no sense, so it is what is told first.
        let mut refused = None;
        lines::each_sifted(
            self.disk,
            &self.dir,
            files,
            wanted.as_bytes(),
            |file| -> Result<_, AuditError> {
                for leaf in file.leaves {
                    if tree.size() < size {
                        tree.push(leaf);
                    }
                }
                for (place, line) in file.found.iter().filter(|(place, _)| *place < size) {
                    if refused.is_none() {
                        refused = entry_at(*place, line).and_then(|entry| visit(&entry)).err();
                    }
                }
                Ok(true)
            },
        )?;
        require_root(&tree, head)?;
        refused.map_or(Ok(()), Err)
    }
}

/// The entry that must stand in a place.
fn entry_at(place: u64, line: &[u8]) -> Result<Entry<'_>, AuditError> {
    let flaw = |kind, why: String| AuditError::Flawed(Flaw::new(kind, why).at(place));
    let entry = Entry::read(line).map_err(|fault| flaw(FlawKind::Line, fault.to_string()))?;
    if entry.seq() != place {
        return Err(flaw(FlawKind::Sequence, format!("the line here says that it is entry {}", entry.seq())));
    }
    Ok(entry)
}

/// The lines must be those of the signed head.
fn require_root(tree: &Tree, head: &Head) -> Result<(), AuditError> {
    let Checkpoint { size, root, .. } = &head.checkpoint;
    let flaw = if tree.size() < *size {
        let detail = format!("the log ends here, and its signed checkpoint is of {size} entries");
        Flaw::new(FlawKind::Missing, detail).at(tree.size())
    } else if tree.root() != *root {
        let detail = format!(
            "a line was changed: the lines do not give the root of the signed checkpoint of {size} entries"
        );
        Flaw::new(FlawKind::Root, detail)
    } else {
        return Ok(());
    };
    Err(AuditError::Flawed(flaw))
}
