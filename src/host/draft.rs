//! A file that is written piece by piece and takes its name when it is whole: for what is too large to be held first.

use super::Disk;
use super::disk::{DiskResult, parent, temporary_name};
use std::path::{Path, PathBuf};

/// Bytes that are gathered before they are written.
const PIECE: usize = 1 << 20;

/// The file under its temporary name.
pub(crate) struct Draft<'d> {
    disk: &'d dyn Disk,
    path: PathBuf,
    temporary: PathBuf,
    gathered: Vec<u8>,
    is_done: bool,
}

impl<'d> Draft<'d> {
    /// Begins the file that will stand at `path`.
    pub(crate) fn begin(disk: &'d dyn Disk, path: &Path, mode: u32) -> DiskResult<Draft<'d>> {
        let temporary = temporary_name(path);
        // A temporary file of an earlier crash holds nothing that was acknowledged.
        if disk.kind(&temporary)?.is_some() {
            disk.remove(&temporary)?;
        }
        disk.create(&temporary, mode, &[])?;
        Ok(Draft { disk, path: path.to_owned(), temporary, gathered: Vec::new(), is_done: false })
    }

    /// Where the next bytes are put; they are written when there are many.
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.gathered
    }

    /// Writes what was gathered, if it is much.
    pub(crate) fn relieve(&mut self) -> DiskResult<()> {
        if self.gathered.len() < PIECE { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> DiskResult<()> {
        self.disk.append(&self.temporary, &self.gathered)?;
        self.gathered.clear();
        Ok(())
    }

    /// Brings the file to disk and gives it its name, over an old file of that name.
    ///
    /// # Errors
    /// The disk; then nothing changed at the path.
    pub(crate) fn finish(mut self) -> DiskResult<()> {
        self.write()?;
        self.disk.sync(&self.temporary)?;
        self.disk.rename(&self.temporary, &self.path)?;
        self.is_done = true;
        self.disk.sync_folder(parent(&self.path))
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            // Best effort: why it was given up is what is reported.
            let _ = self.disk.remove(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::RealDisk;

    #[test]
    fn the_path_holds_the_old_file_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report");
        std::fs::write(&path, "old").expect("written");
        let begin = || Draft::begin(&RealDisk, &path, 0o600).expect("begun");
        let mut given_up = begin();
        given_up.bytes().extend(vec![b'x'; PIECE]);
        given_up.relieve().expect("written");
        drop(given_up);
        assert_eq!(std::fs::read(&path).expect("read"), b"old");
        let mut draft = begin();
        for _ in 0..3 {
            draft.bytes().extend(vec![b'y'; PIECE - 1]);
            draft.relieve().expect("written");
        }
        draft.finish().expect("finished");
        assert_eq!(std::fs::read(&path).expect("read"), vec![b'y'; 3 * (PIECE - 1)]);
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}
