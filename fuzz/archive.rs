//! A folder in one run of bytes, so that a fuzzer can change all of a pack: for each file a line with its name and its
//! length, then its bytes. It is only ever read.

use countersign::testing::host::disk::{DiskError, DiskResult, Entry, Kind};
use countersign::testing::host::{Bytes, Disk};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// The files of the folder `/`, by their paths.
pub struct Archive(BTreeMap<PathBuf, Vec<u8>>);

impl Archive {
    /// Reads as many files as there are whole ones, and of the last what there is of it.
    pub fn read(mut bytes: &[u8]) -> Archive {
        let mut files = BTreeMap::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let Ok(line) = std::str::from_utf8(&bytes[..end]) else { break };
            let Some((name, length)) = line.rsplit_once(' ') else { break };
            let Ok(length) = length.parse::<usize>() else { break };
            let path = Path::new(name);
            if path.components().any(|part| !matches!(part, Component::Normal(_))) {
                break;
            }
            let rest = &bytes[end + 1..];
            let (file, after) = rest.split_at(length.min(rest.len()));
            files.insert(Path::new("/").join(path), file.to_vec());
            bytes = after;
        }
        Archive(files)
    }

    fn file(&self, path: &Path, cap: u64) -> DiskResult<Vec<u8>> {
        let bytes = self.0.get(path).ok_or_else(|| failed(path, ErrorKind::NotFound))?;
        if bytes.len() as u64 > cap {
            return Err(failed(path, ErrorKind::FileTooLarge));
        }
        Ok(bytes.clone())
    }
}

fn failed(path: &Path, kind: ErrorKind) -> DiskError {
    DiskError { doing: "read", path: path.to_owned(), source: Error::from(kind) }
}

/// A reader of packs that writes into one has gone wrong.
fn written<T>(path: &Path) -> DiskResult<T> {
    panic!("{} was to be written", path.display())
}

impl Disk for Archive {
    fn read(&self, path: &Path, cap: u64) -> DiskResult<Vec<u8>> {
        self.file(path, cap)
    }
    fn read_beneath(&self, folder: &Path, name: &str, cap: u64) -> DiskResult<Bytes> {
        self.file(&folder.join(name), cap).map(Bytes::from)
    }
    fn list(&self, folder: &Path, cap: usize) -> DiskResult<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        for path in self.0.keys() {
            let Some(Component::Normal(name)) =
                path.strip_prefix(folder).ok().and_then(|path| path.components().next())
            else {
                continue;
            };
            let kind = self.kind(&folder.join(name))?.expect("it is there");
            let entry = Entry { name: name.to_str().expect("it was text").to_owned(), kind };
            if entries.last() != Some(&entry) {
                entries.push(entry);
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        match entries.is_empty() {
            true => Err(failed(folder, ErrorKind::NotFound)),
            false if entries.len() > cap => Err(failed(folder, ErrorKind::Other)),
            false => Ok(entries),
        }
    }
    fn kind(&self, path: &Path) -> DiskResult<Option<Kind>> {
        Ok(match self.0.get(path) {
            Some(bytes) => Some(Kind::File(bytes.len() as u64)),
            None => self.0.keys().any(|file| file.starts_with(path)).then_some(Kind::Folder),
        })
    }
    fn make_folder(&self, path: &Path, _mode: u32) -> DiskResult<()> {
        written(path)
    }
    fn create(&self, path: &Path, _mode: u32, _parts: &[&[u8]]) -> DiskResult<()> {
        written(path)
    }
    fn append(&self, path: &Path, _bytes: &[u8]) -> DiskResult<()> {
        written(path)
    }
    fn truncate(&self, path: &Path, _length: u64) -> DiskResult<()> {
        written(path)
    }
    fn sync(&self, path: &Path) -> DiskResult<()> {
        written(path)
    }
    fn sync_folder(&self, path: &Path) -> DiskResult<()> {
        written(path)
    }
    fn rename(&self, _from: &Path, to: &Path) -> DiskResult<()> {
        written(to)
    }
    fn link(&self, _from: &Path, to: &Path) -> DiskResult<()> {
        written(to)
    }
    fn remove(&self, path: &Path) -> DiskResult<()> {
        written(path)
    }
    fn remove_folder(&self, path: &Path) -> DiskResult<()> {
        written(path)
    }
}
