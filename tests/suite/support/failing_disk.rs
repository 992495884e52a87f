//! The real disk until something happens to it: the machine dies after so many steps, or there is no room any more.

use countersign::testing::host::disk::{DiskError, DiskResult, Entry, Kind};
use countersign::testing::host::{Bytes, Disk, RealDisk};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

/// What happens, and when.
pub enum Failing {
    /// Every step after so many fails, reading too: nobody sees what a dead machine does.
    Dead(AtomicI64),
    /// So many bytes fit. What does not fit is written as far as it does.
    Full(AtomicI64),
    /// Nothing can be written.
    ReadOnly,
}

impl Failing {
    /// A machine that dies after so many steps that write.
    pub fn dead_after(steps: usize) -> Failing {
        Failing::Dead(AtomicI64::new(i64::try_from(steps).expect("small")))
    }

    /// A disk with so many bytes left.
    pub fn full_after(bytes: usize) -> Failing {
        Failing::Full(AtomicI64::new(i64::try_from(bytes).expect("small")))
    }

    /// Steps or bytes that are left.
    pub fn left(&self) -> i64 {
        match self {
            Failing::Dead(left) | Failing::Full(left) => left.load(Ordering::SeqCst),
            Failing::ReadOnly => 0,
        }
    }

    fn error(&self, path: &Path) -> DiskError {
        let kind = match self {
            Failing::Dead(_) => io::ErrorKind::Other,
            Failing::Full(_) => io::ErrorKind::StorageFull,
            Failing::ReadOnly => io::ErrorKind::ReadOnlyFilesystem,
        };
        DiskError { doing: "use", path: path.to_owned(), source: kind.into() }
    }

    fn look(&self, path: &Path) -> DiskResult<()> {
        match self {
            Failing::Dead(left) if left.load(Ordering::SeqCst) <= 0 => Err(self.error(path)),
            _ => Ok(()),
        }
    }

    fn step(&self, path: &Path) -> DiskResult<()> {
        match self {
            Failing::Dead(left) if left.fetch_sub(1, Ordering::SeqCst) <= 0 => Err(self.error(path)),
            Failing::ReadOnly => Err(self.error(path)),
            _ => Ok(()),
        }
    }

    /// How many of some bytes may be written.
    fn room(&self, bytes: usize) -> usize {
        let Failing::Full(left) = self else { return bytes };
        let before = left.fetch_sub(i64::try_from(bytes).expect("small"), Ordering::SeqCst).max(0);
        bytes.min(usize::try_from(before).expect("not negative"))
    }
}

impl Disk for Failing {
    fn read(&self, path: &Path, cap: u64) -> DiskResult<Vec<u8>> {
        self.look(path)?;
        RealDisk.read(path, cap)
    }
    fn read_beneath(&self, folder: &Path, name: &str, cap: u64) -> DiskResult<Bytes> {
        self.look(folder)?;
        RealDisk.read_beneath(folder, name, cap)
    }
    fn list(&self, folder: &Path, cap: usize) -> DiskResult<Vec<Entry>> {
        self.look(folder)?;
        RealDisk.list(folder, cap)
    }
    fn kind(&self, path: &Path) -> DiskResult<Option<Kind>> {
        self.look(path)?;
        RealDisk.kind(path)
    }
    fn make_folder(&self, path: &Path, mode: u32) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.make_folder(path, mode)
    }
    fn create(&self, path: &Path, mode: u32, parts: &[&[u8]]) -> DiskResult<()> {
        self.step(path)?;
        let bytes = parts.concat();
        let room = self.room(bytes.len());
        RealDisk.create(path, mode, &[&bytes[..room]])?;
        if room < bytes.len() { Err(self.error(path)) } else { Ok(()) }
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        self.step(path)?;
        let room = self.room(bytes.len());
        RealDisk.append(path, &bytes[..room])?;
        if room < bytes.len() { Err(self.error(path)) } else { Ok(()) }
    }
    fn truncate(&self, path: &Path, length: u64) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.truncate(path, length)
    }
    fn sync(&self, path: &Path) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.sync(path)
    }
    fn sync_folder(&self, path: &Path) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.sync_folder(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.step(from)?;
        RealDisk.rename(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.step(from)?;
        RealDisk.link(from, to)
    }
    fn remove(&self, path: &Path) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.remove(path)
    }
    fn remove_folder(&self, path: &Path) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.remove_folder(path)
    }
}
