//! The real disk, and how often each file was read and written.

use countersign::testing::host::disk::{DiskResult, Entry, Kind};
use countersign::testing::host::{Bytes, Disk, RealDisk};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// How often a file was read and written.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Passes {
    pub reads: usize,
    pub writes: usize,
}

/// The disk that counts.
#[derive(Default)]
pub struct Counting(Mutex<BTreeMap<PathBuf, Passes>>);

impl Counting {
    /// The counts since this was last asked, of files of at least so many bytes.
    pub fn take(&self, at_least: u64) -> BTreeMap<PathBuf, Passes> {
        let mut counts = std::mem::take(&mut *self.0.lock().expect("lock"));
        counts.retain(|path, _| std::fs::metadata(path).is_ok_and(|facts| facts.len() >= at_least));
        counts
    }

    fn read_once(&self, path: &Path) {
        self.0.lock().expect("lock").entry(path.to_owned()).or_default().reads += 1;
    }
}

impl Disk for Counting {
    fn read(&self, path: &Path, cap: u64) -> DiskResult<Vec<u8>> {
        self.read_once(path);
        RealDisk.read(path, cap)
    }
    fn read_beneath(&self, folder: &Path, name: &str, cap: u64) -> DiskResult<Bytes> {
        self.read_once(&folder.join(name));
        RealDisk.read_beneath(folder, name, cap)
    }
    fn list(&self, folder: &Path, cap: usize) -> DiskResult<Vec<Entry>> {
        RealDisk.list(folder, cap)
    }
    fn kind(&self, path: &Path) -> DiskResult<Option<Kind>> {
        RealDisk.kind(path)
    }
    fn make_folder(&self, path: &Path, mode: u32) -> DiskResult<()> {
        RealDisk.make_folder(path, mode)
    }
    fn create(&self, path: &Path, mode: u32, parts: &[&[u8]]) -> DiskResult<()> {
        self.0.lock().expect("lock").entry(path.to_owned()).or_default().writes += 1;
        RealDisk.create(path, mode, parts)
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        RealDisk.append(path, bytes)
    }
    fn truncate(&self, path: &Path, length: u64) -> DiskResult<()> {
        RealDisk.truncate(path, length)
    }
    fn sync(&self, path: &Path) -> DiskResult<()> {
        RealDisk.sync(path)
    }
    fn sync_folder(&self, path: &Path) -> DiskResult<()> {
        RealDisk.sync_folder(path)
    }
    /// What was written under the first name, or beneath it, now counts for the second.
    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        RealDisk.rename(from, to)?;
        let mut counts = self.0.lock().expect("lock");
        let moved: Vec<PathBuf> = counts.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for path in moved {
            let passes = counts.remove(&path).unwrap_or_default();
            let rest = path.strip_prefix(from).expect("beneath");
            // Joining nothing would end the name in a slash.
            let name = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            let known = counts.entry(name).or_default();
            (known.reads, known.writes) = (known.reads + passes.reads, known.writes + passes.writes);
        }
        Ok(())
    }
    fn link(&self, from: &Path, to: &Path) -> DiskResult<()> {
        RealDisk.link(from, to)
    }
    fn remove(&self, path: &Path) -> DiskResult<()> {
        RealDisk.remove(path)
    }
    fn remove_folder(&self, path: &Path) -> DiskResult<()> {
        RealDisk.remove_folder(path)
    }
}
