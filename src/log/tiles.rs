//! The log as static files (C2SP `tlog-tiles`), for verifiers that others wrote: tiles of hashes, bundles of entries.

use super::lines::{ReadError, count_files, each_chunk};
use super::tree::{Hash, Tree};
use crate::host::Disk;
use crate::host::disk::{DiskError, ensure_folder};
use std::path::{Path, PathBuf};

/// Hashes of a full tile, entries of a full bundle.
const WIDTH: usize = 256;

/// Writes the tiles and bundles of the first `size` lines of the log in `from` into the folder `to`, which exists.
///
/// # Errors
/// The disk, on either side.
pub fn export(disk: &dyn Disk, from: &Path, size: u64, to: &Path) -> Result<(), ReadError> {
    let mut writer = Writer { disk, to: to.to_owned(), levels: Vec::new(), bundle: Vec::new(), entries: 0 };
    each_chunk(disk, from, 0, count_files(disk, from)?, |chunk| -> Result<bool, ReadError> {
        for (entry, leaf) in chunk.entries() {
            if writer.entries == size {
                return Ok(false);
            }
            writer.entry(entry.line(), *leaf)?;
        }
        Ok(true)
    })?;
    Ok(writer.finish()?)
}

/// One level of tiles: how many are full, and the hashes of the next.
#[derive(Default)]
struct Level {
    full: u64,
    hashes: Vec<Hash>,
}

struct Writer<'a> {
    disk: &'a dyn Disk,
    to: PathBuf,
    levels: Vec<Level>,
    bundle: Vec<u8>,
    entries: u64,
}

impl Writer<'_> {
    fn entry(&mut self, line: &[u8], leaf: Hash) -> Result<(), DiskError> {
        // A line has at most 65,535 bytes.
        self.bundle.extend_from_slice(&(line.len() as u16).to_be_bytes());
        self.bundle.extend_from_slice(line);
        self.entries += 1;
        if self.entries.is_multiple_of(WIDTH as u64) {
            let bundle = std::mem::take(&mut self.bundle);
            self.write("entries", self.entries / WIDTH as u64 - 1, None, &bundle)?;
        }
        self.hash(0, leaf)
    }

    /// Adds a hash to a level's tile. A full tile is written, and its root goes into the level above.
    fn hash(&mut self, at: usize, hash: Hash) -> Result<(), DiskError> {
        if at == self.levels.len() {
            self.levels.push(Level::default());
        }
        let Some(level) = self.levels.get_mut(at) else { return Ok(()) };
        level.hashes.push(hash);
        if level.hashes.len() < WIDTH {
            return Ok(());
        }
        let (number, hashes) = (level.full, std::mem::take(&mut level.hashes));
        level.full += 1;
        self.write(&at.to_string(), number, None, hashes.as_flattened())?;
        self.hash(at + 1, Tree::of(&hashes).root())
    }

    /// Writes the partial tiles at the right edge.
    fn finish(self) -> Result<(), DiskError> {
        for (at, level) in self.levels.iter().enumerate() {
            if !level.hashes.is_empty() {
                self.write(
                    &at.to_string(),
                    level.full,
                    Some(level.hashes.len()),
                    level.hashes.as_flattened(),
                )?;
            }
        }
        let rest = usize::try_from(self.entries % WIDTH as u64).unwrap_or(0);
        if rest > 0 {
            self.write("entries", self.entries / WIDTH as u64, Some(rest), &self.bundle)?;
        }
        Ok(())
    }

    fn write(&self, level: &str, number: u64, width: Option<usize>, bytes: &[u8]) -> Result<(), DiskError> {
        let path = self.to.join(tile_path(level, number, width));
        let relative = path.strip_prefix(&self.to).unwrap_or(&path);
        let mut folder = self.to.clone();
        for part in relative.parent().into_iter().flat_map(Path::components) {
            folder.push(part);
            ensure_folder(self.disk, &folder, 0o755)?;
        }
        self.disk.create(&path, 0o644, &[bytes])?;
        self.disk.sync(&path)
    }
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
