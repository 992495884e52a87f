//! The log as static files (C2SP `tlog-tiles`), for verifiers that others wrote: tiles of hashes, bundles of entries.

use super::lines::{ReadError, count_files, each_chunk};
use crate::host::Disk;
use crate::host::disk::{DiskError, ensure_folder};
use crate::tlog::tree::{Hash, Tree, leaf_hash};
use std::path::Path;

/// Hashes of a full tile, entries of a full bundle.
pub(crate) const WIDTH: usize = 256;
/// The folder with the tiles, within a pack.
pub(crate) const FOLDER: &str = "tile";

/// A tile that is due: full, or at the right edge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tile {
    /// 0: the hashes are those of entries, and there is a bundle of these entries too.
    pub level: usize,
    /// Its place in the level.
    pub number: u64,
    /// Its hashes, at most [`WIDTH`].
    pub hashes: Vec<Hash>,
}

impl Tile {
    /// The tile's file, relative to the pack.
    pub(crate) fn path(&self) -> String {
        tile_path(&self.level.to_string(), self.number, self.width())
    }

    /// The file of the bundle with the same entries, for a tile of level 0.
    pub(crate) fn bundle_path(&self) -> String {
        tile_path("entries", self.number, self.width())
    }

    fn width(&self) -> Option<usize> {
        (self.hashes.len() < WIDTH).then_some(self.hashes.len())
    }
}

/// Makes tiles out of leaf hashes, in order.
#[derive(Default)]
pub(crate) struct Tiler {
    levels: Vec<(u64, Vec<Hash>)>,
}

impl Tiler {
    /// Adds a leaf; hands over the tiles that it completes, the lowest first.
    pub(crate) fn push<E>(
        &mut self,
        leaf: Hash,
        due: &mut dyn FnMut(Tile) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut hash = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push((0, Vec::new()));
            }
            let Some((number, hashes)) = self.levels.get_mut(level) else { break };
            hashes.push(hash);
            if hashes.len() < WIDTH {
                break;
            }
            let tile = Tile { level, number: *number, hashes: std::mem::take(hashes) };
            *number += 1;
            hash = Tree::of(&tile.hashes).root();
            due(tile)?;
        }
        Ok(())
    }

    /// Hands over the partial tiles at the right edge.
    pub(crate) fn finish<E>(self, due: &mut dyn FnMut(Tile) -> Result<(), E>) -> Result<(), E> {
        let partial = self.levels.into_iter().enumerate().filter(|(_, (_, hashes))| !hashes.is_empty());
        partial.into_iter().try_for_each(|(level, (number, hashes))| due(Tile { level, number, hashes }))
    }
}

/// Writes the tiles and bundles of the first `size` lines of the log in `from` into the folder `to`, which exists.
///
/// # Errors
/// The disk, on either side.
pub(crate) fn export(disk: &dyn Disk, from: &Path, size: u64, to: &Path) -> Result<(), ReadError> {
    let mut tiler = Tiler::default();
    let mut entries = 0;
    let mut bundle = Vec::new();
    each_chunk(disk, from, 0, count_files(disk, from)?, |chunk| -> Result<bool, ReadError> {
        for (entry, leaf) in chunk.entries() {
            if entries == size {
                return Ok(false);
            }
            entries += 1;
            // A line has at most 65,535 bytes.
            bundle.extend_from_slice(&(entry.line().len() as u16).to_be_bytes());
            bundle.extend_from_slice(entry.line());
            tiler.push(*leaf, &mut |tile| write(disk, to, &tile, &mut bundle))?;
        }
        Ok(true)
    })?;
    Ok(tiler.finish(&mut |tile| write(disk, to, &tile, &mut bundle))?)
}

/// Writes a tile, and the bundle that belongs to a tile of level 0.
fn write(disk: &dyn Disk, to: &Path, tile: &Tile, bundle: &mut Vec<u8>) -> Result<(), DiskError> {
    put(disk, to, &tile.path(), tile.hashes.as_flattened())?;
    if tile.level == 0 {
        put(disk, to, &tile.bundle_path(), &std::mem::take(bundle))?;
    }
    Ok(())
}

fn put(disk: &dyn Disk, to: &Path, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
    let mut folder = to.to_owned();
    for part in Path::new(name).parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        ensure_folder(disk, &folder, 0o755)?;
    }
    let path = to.join(name);
    disk.create(&path, 0o644, &[bytes])?;
    disk.sync(&path)
}

/// Does a bundle hold exactly the entries with these leaf hashes?
pub(crate) fn bundle_holds(bundle: &[u8], leaves: &[Hash]) -> bool {
    let mut rest = bundle;
    for leaf in leaves {
        let Some((length, after)) = rest.split_first_chunk::<2>() else { return false };
        let Some((entry, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
            return false;
        };
        if leaf_hash(entry) != *leaf {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

/// `tile/<level>/x001/x234/067`, with `.p/<width>` for a partial tile.
fn tile_path(level: &str, number: u64, width: Option<usize>) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    match width {
        Some(width) => format!("tile/{level}/{path}.p/{width}"),
        None => format!("tile/{level}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        assert_eq!(tile_path("0", 1_234_067, None), "tile/0/x001/x234/067");
        assert_eq!(tile_path("entries", 273, Some(112)), "tile/entries/273.p/112");
        assert_eq!(tile_path("1", 0, Some(17)), "tile/1/000.p/17");
    }
}
