//! Writing a folder to a stick so that it is whole or not there.

use super::BundleError;
use super::manifest::MAX_FILES;
use crate::host::Disk;
use crate::host::disk::{Kind, ensure_folder, parent};
use crate::text::shown_path;
use crate::threads;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// A file's content in pieces, in order: what is large is borrowed, not copied.
pub type Parts<'a> = Vec<Cow<'a, [u8]>>;

/// How many bytes the pieces have together.
pub fn length(parts: &Parts<'_>) -> u64 {
    parts.iter().map(|part| part.len() as u64).sum()
}

/// Writes files into a new folder, the manifest last, and brings all of it to disk. Written beside the folder first
/// and then renamed: a folder of this name is whole, or it is not there.
///
/// # Errors
/// The folder exists and is not empty, or the medium cannot be written; nothing half-written is left under the name.
pub fn write_folder(
    disk: &dyn Disk,
    folder: &Path,
    files: &BTreeMap<String, Parts<'_>>,
) -> Result<(), BundleError> {
    match disk.kind(folder)? {
        None => {}
        Some(Kind::Folder) if disk.list(folder, 1).is_ok_and(|entries| entries.is_empty()) => {}
        Some(_) => {
            return Err(BundleError::NotABundle {
                path: shown_path(folder),
                why: "there is something there already, and it is not overwritten. Give a new folder"
                    .to_owned(),
            });
        }
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(folder.file_name().unwrap_or_default());
    name.push(".part");
    let part = parent(folder).join(name);
    clear_part(disk, &part)?;
    let written = write_into(disk, &part, files).and_then(|()| {
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

fn write_into(disk: &dyn Disk, part: &Path, files: &BTreeMap<String, Parts<'_>>) -> Result<(), BundleError> {
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
    let write = |(name, parts): (&String, &Parts<'_>)| {
        let path = part.join(name);
        let parts: Vec<&[u8]> = parts.iter().map(|part| &**part).collect();
        disk.create(&path, 0o600, &parts)?;
        disk.sync(&path)
    };
    threads::each(files.iter().collect(), |(_, parts)| length(parts), write)
        .into_iter()
        .collect::<Result<(), _>>()?;
    folders.iter().rev().try_for_each(|folder| Ok(disk.sync_folder(folder)?))
}

/// Removes what an interrupted run left under the temporary name: files and folders made by this module only.
fn clear_part(disk: &dyn Disk, part: &Path) -> Result<(), BundleError> {
    if disk.kind(part)?.is_none() {
        return Ok(());
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
