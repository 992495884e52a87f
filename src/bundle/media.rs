//! Writing a folder to a stick so that it is whole or not there.

use super::BundleError;
use super::manifest::MAX_FILES;
use crate::host::Disk;
use crate::host::disk::{Kind, ensure_folder, is_free, parent};
use crate::text::shown_path;
use crate::threads;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// A file's content in pieces, in order: what is large is borrowed, not copied.
pub(crate) type Parts<'a> = Vec<Cow<'a, [u8]>>;

/// How many bytes the pieces have together.
pub(crate) fn length(parts: &Parts<'_>) -> u64 {
    parts.iter().map(|part| part.len() as u64).sum()
}

/// Files by their names in a folder.
pub(crate) type Files<'a> = BTreeMap<String, Parts<'a>>;

/// Writes files into a new folder and brings all of it to disk. Written beside the folder first and then renamed: a
/// folder of this name is whole, or it is not there.
///
/// # Errors
/// The folder exists and is not empty, or the medium cannot be written; nothing half-written is left under the name.
pub(crate) fn write_folder(disk: &dyn Disk, folder: &Path, files: &Files<'_>) -> Result<(), BundleError> {
    write_folder_then(disk, folder, files, Files::new)
}

/// As [`write_folder`], with more files at the end: those that say of the others what they are. They are worked out
/// while the others are on their way to the disk.
pub(crate) fn write_folder_then(
    disk: &dyn Disk,
    folder: &Path,
    files: &Files<'_>,
    last: impl FnOnce() -> Files<'static> + Send,
) -> Result<(), BundleError> {
    if !is_free(disk, folder)? {
        return Err(BundleError::NotABundle {
            path: shown_path(folder),
            why: "there is something there already, and it is not overwritten. Give a new folder".to_owned(),
        });
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(folder.file_name().unwrap_or_default());
    name.push(".part");
    let part = parent(folder).join(name);
    clear_part(disk, &part)?;
    let written = write_into(disk, &part, files, last).and_then(|()| {
        disk.rename(&part, folder)?;
        disk.sync_folder(parent(folder))?;
        Ok(())
    });
    if written.is_err() {
        // Best effort: the first error is the one to report.
        let _ = clear_part(disk, &part);
    }
    written
}

fn write_into(
    disk: &dyn Disk,
    part: &Path,
    files: &Files<'_>,
    last: impl FnOnce() -> Files<'static> + Send,
) -> Result<(), BundleError> {
    disk.make_folder(part, 0o700)?;
    let mut folders = vec![part.to_owned()];
    for name in files.keys() {
        let path = part.join(name);
        let mut above: Vec<_> = path.ancestors().skip(1).take_while(|folder| *folder != part).collect();
        above.reverse();
        for inner in above {
            if !folders.iter().any(|known| known == inner) {
                ensure_folder(disk, inner, 0o700)?;
                folders.push(inner.to_owned());
            }
        }
    }
    let bytes = files.values().map(length).sum();
    let (last, written) = threads::both(bytes, last, || write_all(disk, part, files));
    written?;
    write_all(disk, part, &last)?;
    folders.iter().rev().try_for_each(|folder| Ok(disk.sync_folder(folder)?))
}

fn write_all(disk: &dyn Disk, part: &Path, files: &Files<'_>) -> Result<(), BundleError> {
    let write = |(name, parts): (&String, &Parts<'_>)| {
        let path = part.join(name);
        let parts: Vec<&[u8]> = parts.iter().map(|part| &**part).collect();
        disk.create(&path, 0o600, &parts)?;
        Ok(disk.sync(&path)?)
    };
    threads::each(files.iter().collect(), |(_, parts)| length(parts), write).into_iter().collect()
}

/// Removes what an interrupted run left under the temporary name. A link there is not followed: what it leads to is
/// nothing that this module wrote.
fn clear_part(disk: &dyn Disk, part: &Path) -> Result<(), BundleError> {
    match disk.kind(part)? {
        None => return Ok(()),
        Some(Kind::Folder) => {}
        Some(_) => {
            return Err(BundleError::NotABundle {
                path: shown_path(part),
                why: "the folder is written under this name first, and there is something else of this name. Remove it, \
                      or give another folder"
                    .to_owned(),
            });
        }
    }
    for entry in disk.list(part, MAX_FILES)? {
        let path = part.join(&entry.name);
        match entry.kind {
            Kind::Folder => clear_part(disk, &path)?,
            _ => disk.remove(&path)?,
        }
    }
    Ok(disk.remove_folder(part)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::RealDisk;

    #[test]
    fn a_link_where_the_folder_is_written_first_loses_nobody_a_file() {
        let stick = tempfile::tempdir().expect("a folder");
        let station = tempfile::tempdir().expect("a folder");
        std::fs::write(station.path().join("key"), b"kept").expect("written");
        let (folder, part) = (stick.path().join("bundle"), stick.path().join(".bundle.part"));
        std::os::unix::fs::symlink(station.path(), &part).expect("linked");
        let files = Files::from([("file".to_owned(), vec![Cow::Borrowed(&b"new"[..])])]);
        let refused = write_folder(&RealDisk, &folder, &files).expect_err("a link").to_string();
        assert!(refused.contains(".bundle.part"), "{refused}");
        assert_eq!(std::fs::read(station.path().join("key")).expect("read"), b"kept");
        // A link further down is removed, and what it leads to is not.
        std::fs::remove_file(&part).expect("removed");
        std::fs::create_dir(&part).expect("made");
        std::os::unix::fs::symlink(station.path(), part.join("inner")).expect("linked");
        write_folder(&RealDisk, &folder, &files).expect("written");
        assert_eq!(std::fs::read(folder.join("file")).expect("read"), b"new");
        assert_eq!(std::fs::read(station.path().join("key")).expect("read"), b"kept");
        assert!(!part.exists());
    }
}
