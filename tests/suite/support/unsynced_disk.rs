//! The real disk without fsync.

use countersign::testing::host::disk::{DiskResult, Entry, Kind};
use countersign::testing::host::{Bytes, Disk, RealDisk};
use std::path::Path;

/// Generators write a million entries: that they survive a crash is not what is measured.
pub struct Unsynced;

impl Disk for Unsynced {
    fn read(&self, path: &Path, cap: u64) -> DiskResult<Vec<u8>> {
        RealDisk.read(path, cap)
    }
    fn read_beneath(&self, folder: &Path, name: &str, cap: u64) -> DiskResult<Bytes> {
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
        RealDisk.create(path, mode, parts)
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        RealDisk.append(path, bytes)
    }
    fn truncate(&self, path: &Path, length: u64) -> DiskResult<()> {
        RealDisk.truncate(path, length)
    }
    fn sync(&self, _path: &Path) -> DiskResult<()> {
        Ok(())
    }
    fn sync_folder(&self, _path: &Path) -> DiskResult<()> {
        Ok(())
    }
    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        RealDisk.rename(from, to)
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
