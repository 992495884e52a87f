//! The station's own files: who may read them, and whether there is room for more.

use super::Line;
use crate::host::disk::{Disk, Kind};
use crate::host::{Host, Machine};
use crate::text::shown_path;
use std::path::{Path, PathBuf};

/// Files looked at before it is enough: a log of years has fewer.
const MOST_FILES: usize = 50_000;
/// Folders within folders that a station does not exceed.
const DEEPEST: usize = 12;
/// With less free space than this nothing is signed: the log would soon have no room. In bytes.
const LEAST_FREE: u64 = 16 << 20;
/// With less than this it is time to make room. In bytes.
const LITTLE_FREE: u64 = 256 << 20;

/// What a walk over the station found.
#[derive(Default)]
struct Walk {
    seen: usize,
    open: Vec<PathBuf>,
    foreign: Vec<PathBuf>,
}

/// Everything in the station belongs to this user, and nobody else may read or write it.
pub(super) fn permissions(host: &Host, station: &Path) -> Line {
    const NAME: &str = "permissions";
    let mut walk = Walk::default();
    look(host.machine.as_ref(), station, &mut walk);
    if let Err(e) = descend(host.disk.as_ref(), host.machine.as_ref(), station, DEEPEST, &mut walk) {
        return Line::fail(NAME, format!("the station cannot be looked through: {e}"));
    }
    let root = shown_path(station);
    if let Some(first) = walk.foreign.first() {
        let count = walk.foreign.len();
        return Line::fail(
            NAME,
            format!(
                "{count} of the station's files belong to another user, the first: {}. Run as the station's owner, or: chown -R \"$USER\" {root}",
                shown_path(first)
            ),
        );
    }
    if let Some(first) = walk.open.first() {
        let count = walk.open.len();
        return Line::fail(
            NAME,
            format!(
                "others may read or write {count} of the station's files, the first: {}. Close them: chmod -R go= {root}",
                shown_path(first)
            ),
        );
    }
    Line::pass(
        NAME,
        format!(
            "{root} and the {} files and folders in it are this user's alone",
            walk.seen.saturating_sub(1)
        ),
    )
}

fn look(machine: &dyn Machine, path: &Path, walk: &mut Walk) {
    walk.seen += 1;
    let Some((mode, owner)) = machine.mode(path) else { return };
    if owner != machine.user() {
        walk.foreign.push(path.to_owned());
    } else if mode & 0o077 != 0 {
        walk.open.push(path.to_owned());
    }
}

fn descend(
    disk: &dyn Disk,
    machine: &dyn Machine,
    folder: &Path,
    depth: usize,
    walk: &mut Walk,
) -> crate::host::disk::DiskResult<()> {
    for entry in disk.list(folder, MOST_FILES.saturating_sub(walk.seen))? {
        let path = folder.join(&entry.name);
        look(machine, &path, walk);
        if entry.kind == Kind::Folder && depth > 0 {
            descend(disk, machine, &path, depth - 1, walk)?;
        }
    }
    Ok(())
}

/// There is room for the log and for the bundle.
pub(super) fn free_space(machine: &dyn Machine, station: &Path, medium: Option<&Path>) -> Line {
    const NAME: &str = "free-space";
    let Some(free) = machine.free_bytes(station) else {
        return Line::warn(
            NAME,
            format!("how much space is free under {} cannot be seen", shown_path(station)),
        );
    };
    let message = format!("{} MiB are free for the station", free >> 20);
    if free < LEAST_FREE {
        return Line::fail(
            NAME,
            format!("{message}, {} MiB are needed. Make room on that disk", LEAST_FREE >> 20),
        );
    }
    if free < LITTLE_FREE {
        return Line::warn(NAME, format!("{message}; that is little. Make room on that disk"));
    }
    match medium.and_then(|path| Some((path, machine.free_bytes(path)?))) {
        Some((path, free)) if free < LEAST_FREE => Line::warn(
            NAME,
            format!("{message}, but only {} MiB on {}; the export may not fit", free >> 20, shown_path(path)),
        ),
        _ => Line::pass(NAME, message),
    }
}
