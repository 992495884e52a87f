//! A disk in memory that remembers every step, and can say what a crash after any of them would have left.
//!
//! The model is the cautious one: bytes are on disk after `sync` of their file, names after `sync_folder` of theirs,
//! and nothing else is promised in either direction.

#![allow(dead_code, reason = "each test uses a part of it")]

use countersign::testing::host::disk::{DiskError, DiskResult, Entry, Kind};
use countersign::testing::host::{Bytes, Disk};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What a crash does to that which was not yet brought to disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// All of it had reached the disk.
    Nothing,
    /// None of it had.
    Everything,
    /// Names had, bytes had not.
    Bytes,
    /// Bytes had, names had not.
    Names,
    /// Names and lengths had; the new bytes read as zeroes.
    Zeroes,
    /// All of it had, but of the last write only so many bytes.
    Torn(usize),
}

#[derive(Clone)]
enum Step {
    MakeFolder(PathBuf),
    Create(PathBuf, Vec<u8>),
    Append(PathBuf, Vec<u8>),
    Truncate(PathBuf, u64),
    Sync(PathBuf),
    SyncFolder(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Remove(PathBuf),
    RemoveFolder(PathBuf),
}

#[derive(Clone, Default)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Name {
    Folder,
    File(usize),
}

#[derive(Clone, Default)]
struct State {
    files: Vec<File>,
    names: BTreeMap<PathBuf, Name>,
    synced: BTreeMap<PathBuf, Name>,
}

/// The disk.
#[derive(Default)]
pub struct CrashDisk {
    now: Mutex<(State, Vec<Step>)>,
}

impl CrashDisk {
    /// A disk with one empty folder, on disk.
    pub fn new(folder: &Path) -> CrashDisk {
        let disk = CrashDisk::default();
        {
            let mut now = disk.now.lock().expect("one thread");
            now.0.names.insert(folder.to_owned(), Name::Folder);
            now.0.synced.insert(folder.to_owned(), Name::Folder);
        }
        disk
    }

    /// The number of steps so far.
    pub fn steps(&self) -> usize {
        self.now.lock().expect("one thread").1.len()
    }

    /// How many of the steps from `first` on are fsyncs.
    pub fn fsyncs_since(&self, first: usize) -> usize {
        let now = self.now.lock().expect("one thread");
        now.1[first..].iter().filter(|step| matches!(step, Step::Sync(_) | Step::SyncFolder(_))).count()
    }

    /// The number of bytes that a step writes.
    pub fn written_by(&self, step: usize) -> usize {
        match &self.now.lock().expect("one thread").1[step] {
            Step::Create(_, bytes) | Step::Append(_, bytes) => bytes.len(),
            _ => 0,
        }
    }

    /// The disk as a crash after the first `steps` steps left it, when it began as `start`.
    pub fn after_crash(&self, start: &CrashDisk, steps: usize, loss: Loss) -> CrashDisk {
        let now = self.now.lock().expect("one thread");
        let mut state = start.now.lock().expect("one thread").0.clone();
        for (at, step) in now.1[..steps].iter().enumerate() {
            let mut step = step.clone();
            if let (Loss::Torn(length), true, Step::Create(_, bytes) | Step::Append(_, bytes)) =
                (loss, at + 1 == steps, &mut step)
            {
                bytes.truncate(length);
            }
            state.apply(&step).expect("it worked the first time");
        }
        let (keeps_names, keeps_bytes) = match loss {
            Loss::Nothing | Loss::Torn(_) => (true, true),
            Loss::Everything => (false, false),
            Loss::Bytes | Loss::Zeroes => (true, false),
            Loss::Names => (false, true),
        };
        let names = if keeps_names { state.names } else { state.synced };
        let files = state.files.into_iter().map(|file| {
            let bytes = match (keeps_bytes, loss) {
                (true, _) => file.bytes,
                (false, Loss::Zeroes) => {
                    let mut bytes = file.synced;
                    bytes.resize(file.bytes.len().max(bytes.len()), 0);
                    bytes
                }
                (false, _) => file.synced,
            };
            File { synced: bytes.clone(), bytes }
        });
        let state = State { files: files.collect(), synced: names.clone(), names };
        CrashDisk { now: Mutex::new((state, Vec::new())) }
    }

    /// The steps from `first` on, for [`CrashDisk::after_crash`].
    pub fn since(&self, first: usize) -> CrashDisk {
        let now = self.now.lock().expect("one thread");
        CrashDisk { now: Mutex::new((now.0.clone(), now.1[first..].to_vec())) }
    }

    /// A copy without the steps that led here.
    pub fn copy(&self) -> CrashDisk {
        let state = self.now.lock().expect("one thread").0.clone();
        CrashDisk { now: Mutex::new((state, Vec::new())) }
    }

    /// Puts bytes at a path, or takes the file away: what somebody with the machine could do at any time.
    pub fn put(&self, path: &Path, bytes: Option<&[u8]>) {
        let mut now = self.now.lock().expect("one thread");
        let Some(bytes) = bytes else {
            now.0.names.remove(path);
            return;
        };
        match now.0.names.get(path).copied() {
            Some(Name::File(file)) => now.0.files[file].bytes = bytes.to_vec(),
            Some(Name::Folder) => panic!("a folder stands there"),
            None => {
                let file = now.0.files.len();
                now.0.files.push(File { bytes: bytes.to_vec(), synced: bytes.to_vec() });
                now.0.names.insert(path.to_owned(), Name::File(file));
            }
        }
    }

    /// Every file with its bytes.
    pub fn all_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let now = self.now.lock().expect("one thread");
        let files = now.0.names.iter().filter_map(|(path, name)| match name {
            Name::File(file) => Some((path.clone(), now.0.files[*file].bytes.clone())),
            Name::Folder => None,
        });
        files.collect()
    }

    fn step(&self, doing: &'static str, path: &Path, step: Step) -> DiskResult<()> {
        let mut now = self.now.lock().expect("one thread");
        now.0.apply(&step).map_err(|kind| failed(doing, path, kind))?;
        now.1.push(step);
        Ok(())
    }
}

fn failed(doing: &'static str, path: &Path, kind: io::ErrorKind) -> DiskError {
    DiskError { doing, path: path.to_owned(), source: kind.into() }
}

impl State {
    fn file(&self, path: &Path) -> Result<usize, io::ErrorKind> {
        match self.names.get(path) {
            Some(Name::File(file)) => Ok(*file),
            Some(Name::Folder) => Err(io::ErrorKind::IsADirectory),
            None => Err(io::ErrorKind::NotFound),
        }
    }

    fn free(&self, path: &Path) -> Result<(), io::ErrorKind> {
        let folder = path.parent().unwrap_or(Path::new(""));
        match (self.names.get(path), self.names.get(folder)) {
            (Some(_), _) => Err(io::ErrorKind::AlreadyExists),
            (None, Some(Name::Folder)) => Ok(()),
            (None, _) => Err(io::ErrorKind::NotFound),
        }
    }

    fn apply(&mut self, step: &Step) -> Result<(), io::ErrorKind> {
        match step {
            Step::MakeFolder(path) => {
                self.free(path)?;
                self.names.insert(path.clone(), Name::Folder);
            }
            Step::Create(path, bytes) => {
                self.free(path)?;
                self.names.insert(path.clone(), Name::File(self.files.len()));
                self.files.push(File { bytes: bytes.clone(), synced: Vec::new() });
            }
            Step::Append(path, bytes) => {
                let file = self.file(path)?;
                self.files[file].bytes.extend_from_slice(bytes);
            }
            Step::Truncate(path, length) => {
                let file = self.file(path)?;
                self.files[file].bytes.truncate(usize::try_from(*length).expect("small"));
            }
            Step::Sync(path) => {
                let file = self.file(path)?;
                self.files[file].synced = self.files[file].bytes.clone();
            }
            Step::SyncFolder(folder) => {
                let inside = |path: &Path| path.parent() == Some(folder);
                self.synced.retain(|path, _| !inside(path));
                let names = self.names.iter().filter(|(path, _)| inside(path));
                self.synced.extend(names.map(|(path, name)| (path.clone(), *name)));
            }
            Step::Rename(from, to) => {
                let file = self.file(from)?;
                self.names.remove(from);
                self.names.insert(to.clone(), Name::File(file));
            }
            Step::Link(from, to) => {
                let file = self.file(from)?;
                self.free(to)?;
                self.names.insert(to.clone(), Name::File(file));
            }
            Step::Remove(path) => {
                self.file(path)?;
                self.names.remove(path);
            }
            Step::RemoveFolder(path) => {
                if self.names.keys().any(|name| name.parent() == Some(path)) {
                    return Err(io::ErrorKind::DirectoryNotEmpty);
                }
                match self.names.remove(path) {
                    Some(Name::Folder) => {}
                    _ => return Err(io::ErrorKind::NotFound),
                }
            }
        }
        Ok(())
    }
}

impl Disk for CrashDisk {
    fn read(&self, path: &Path, cap: u64) -> DiskResult<Vec<u8>> {
        let now = self.now.lock().expect("one thread");
        let file = now.0.file(path).map_err(|kind| failed("read", path, kind))?;
        let bytes = now.0.files[file].bytes.clone();
        if bytes.len() as u64 > cap {
            return Err(failed("read", path, io::ErrorKind::FileTooLarge));
        }
        Ok(bytes)
    }

    fn read_beneath(&self, folder: &Path, name: &str, cap: u64) -> DiskResult<Bytes> {
        self.read(&folder.join(name), cap).map(Bytes::from)
    }

    fn list(&self, folder: &Path, cap: usize) -> DiskResult<Vec<Entry>> {
        let now = self.now.lock().expect("one thread");
        let inside = now.0.names.iter().filter(|(path, _)| path.parent() == Some(folder));
        let entries: Vec<_> = inside
            .map(|(path, name)| Entry {
                name: path.file_name().expect("a name").to_string_lossy().into_owned(),
                kind: match name {
                    Name::Folder => Kind::Folder,
                    Name::File(file) => Kind::File(now.0.files[*file].bytes.len() as u64),
                },
            })
            .collect();
        if entries.len() > cap {
            return Err(failed("read the folder", folder, io::ErrorKind::Other));
        }
        Ok(entries)
    }

    fn kind(&self, path: &Path) -> DiskResult<Option<Kind>> {
        let now = self.now.lock().expect("one thread");
        Ok(now.0.names.get(path).map(|name| match name {
            Name::Folder => Kind::Folder,
            Name::File(file) => Kind::File(now.0.files[*file].bytes.len() as u64),
        }))
    }

    fn make_folder(&self, path: &Path, _mode: u32) -> DiskResult<()> {
        self.step("make the folder", path, Step::MakeFolder(path.to_owned()))
    }

    fn create(&self, path: &Path, _mode: u32, parts: &[&[u8]]) -> DiskResult<()> {
        self.step("write", path, Step::Create(path.to_owned(), parts.concat()))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        self.step("write to", path, Step::Append(path.to_owned(), bytes.to_vec()))
    }

    fn truncate(&self, path: &Path, length: u64) -> DiskResult<()> {
        self.step("cut", path, Step::Truncate(path.to_owned(), length))
    }

    fn sync(&self, path: &Path) -> DiskResult<()> {
        self.step("bring to disk", path, Step::Sync(path.to_owned()))
    }

    fn sync_folder(&self, path: &Path) -> DiskResult<()> {
        self.step("bring to disk", path, Step::SyncFolder(path.to_owned()))
    }

    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.step("put in place", to, Step::Rename(from.to_owned(), to.to_owned()))
    }

    fn link(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.step("link", to, Step::Link(from.to_owned(), to.to_owned()))
    }

    fn remove(&self, path: &Path) -> DiskResult<()> {
        self.step("remove", path, Step::Remove(path.to_owned()))
    }

    fn remove_folder(&self, path: &Path) -> DiskResult<()> {
        self.step("remove", path, Step::RemoveFolder(path.to_owned()))
    }
}
