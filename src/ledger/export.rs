//! The evidence pack: everything that an auditor needs to check the log without this program, in one folder.

use super::error::LogError;
use super::lines::{self, LINES_PER_FILE};
use super::record::{AnchorJudged, Record};
use super::store::{CHECKPOINTS, HEAD, Log, PUBLIC_KEY, checkpoint_sizes};
use super::{objects, tiles};
use crate::host::Disk;
use crate::host::disk::{DiskError, DiskResult, ensure_folder, is_free, parent};
use crate::tlog::note::LARGEST_NOTE;
use std::io;
use std::path::Path;

/// The script that checks a pack with Python's standard library.
pub const SCRIPT: &str = include_str!("recipe/verify.py");
/// The recipe.
pub const RECIPE: &str = include_str!("recipe/VERIFY.md");
/// The folder with the heads that came back.
const ANCHORS: &str = "anchors";
/// The most objects that are copied.
const MOST_OBJECTS: usize = 4_000_000;

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Entries.
    pub entries: u64,
    /// Checkpoints.
    pub checkpoints: usize,
    /// Objects.
    pub objects: usize,
}

/// Makes the folder for a pack, or finds that it is there and empty.
///
/// # Errors
/// There is something at the path, or the disk.
pub fn prepare(disk: &dyn Disk, to: &Path) -> DiskResult<()> {
    if !is_free(disk, to)? {
        return Err(DiskError {
            doing: "write an evidence pack to",
            path: to.to_owned(),
            source: io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is something here already: give a new folder",
            ),
        });
    }
    if disk.kind(to)?.is_none() {
        disk.make_folder(to, 0o755)?;
        disk.sync_folder(parent(to))?;
    }
    Ok(())
}

/// Writes the pack of a log whose newest checkpoint covers every entry into an empty folder.
///
/// # Errors
/// The disk, on either side, or an object that was changed.
pub fn write(disk: &dyn Disk, log: &Log, to: &Path) -> Result<Written, LogError> {
    let from = log.dir();
    for folder in [lines::FOLDER, CHECKPOINTS, "objects", objects::FOLDER] {
        ensure_folder(disk, &to.join(folder), 0o755)?;
    }
    let files = log.size().div_ceil(LINES_PER_FILE).max(1);
    for number in 0..files {
        let chunk = lines::Chunk::read(disk, from, number)?;
        let name = chunk.file();
        let parts: Vec<&[u8]> = chunk.entries().flat_map(|(entry, _)| [entry.line(), b"\n"]).collect();
        put(disk, &to.join(name), &parts)?;
    }
    let sizes = checkpoint_sizes(disk, from)?;
    for size in &sizes {
        let name = Path::new(CHECKPOINTS).join(size.to_string());
        put(disk, &to.join(&name), &[&disk.read(&from.join(&name), LARGEST_NOTE as u64)?])?;
    }
    let mut count = 0;
    for found in disk.list(&from.join(objects::FOLDER), MOST_OBJECTS)? {
        // What a crash left of an object that was never named is not evidence.
        if objects::is_digest(&found.name) {
            count += 1;
            put(disk, &to.join(objects::FOLDER).join(&found.name), &[&log.get_object(&found.name)?])?;
        }
    }
    tiles::export(disk, from, log.size(), to)?;
    put(disk, &to.join(PUBLIC_KEY), &[format!("{}\n", log.key()).as_bytes()])?;
    put(disk, &to.join("VERIFY.md"), &[RECIPE.as_bytes()])?;
    put(disk, &to.join("verify.py"), &[SCRIPT.as_bytes()])?;
    put(disk, &to.join(HEAD), &[log.head().note.as_bytes()])?;
    put_anchors(disk, log, to)?;
    for folder in [lines::FOLDER, CHECKPOINTS, objects::FOLDER, "objects"] {
        disk.sync_folder(&to.join(folder))?;
    }
    disk.sync_folder(to)?;
    Ok(Written { entries: log.size(), checkpoints: sizes.len(), objects: count })
}

/// The heads that came back, each as it was judged: a second name of the objects, for tools that read notes.
fn put_anchors(disk: &dyn Disk, log: &Log, to: &Path) -> Result<(), LogError> {
    let folder = to.join(ANCHORS);
    for entry in log.entries() {
        let entry = entry?;
        let entry = entry.entry();
        let Record::AnchorJudged(AnchorJudged { note, .. }) = entry.record() else { continue };
        let path = folder.join(format!("{}.note", &**note));
        ensure_folder(disk, &folder, 0o755)?;
        if disk.kind(&path)?.is_none() {
            put(disk, &path, &[&log.get_object(note)?])?;
        }
    }
    if disk.kind(&folder)?.is_some() {
        disk.sync_folder(&folder)?;
    }
    Ok(())
}

fn put(disk: &dyn Disk, path: &Path, parts: &[&[u8]]) -> DiskResult<()> {
    disk.create(path, 0o644, parts)?;
    disk.sync(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Kind;
    use crate::ledger::field::{Field, Shape};

    #[test]
    fn the_script_looks_for_the_objects_of_every_kind() {
        let mut names = "NAMES = {\n".to_owned();
        for kind in Kind::ALL {
            let object = |(name, shape): &Field| match shape {
                Shape::Object => Some(format!("\"{name}\"")),
                Shape::OptionalObject => Some(format!("\"{name}?\"")),
                _ => None,
            };
            let objects: Vec<String> = kind.fields().iter().filter_map(object).collect();
            if !objects.is_empty() {
                names.push_str(&format!("    \"{kind}\": [{}],\n", objects.join(", ")));
            }
            // Objects in a list are found by the name of their member.
            let lists = kind.fields().iter().any(|(_, shape)| match shape {
                Shape::List(Shape::Members(members)) => members.contains(&("sha256", Shape::Object)),
                Shape::List(Shape::Object) => true,
                _ => false,
            });
            assert_eq!(lists, *kind == Kind::RequestImported, "{kind}");
        }
        assert!(SCRIPT.contains(&(names.clone() + "}\n")), "{names}");
    }
}
