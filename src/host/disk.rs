//! Files: bounded reads that follow no links, and writes in small steps that a test can record and cut short.
//!
//! Nothing here is clever: each method is one step that a crash can fall between. [`write_durably`] puts the steps
//! into the only order that survives one: temporary file, fsync, rename, fsync of the folder.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Bytes;
use crate::text::shown_path;

/// A file operation that failed: what was tried, on which path, and what the system said.
#[derive(Debug)]
pub struct DiskError {
    /// What was tried: "read", "write", "rename" …
    pub doing: &'static str,
    /// Where.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl fmt::Display for DiskError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "cannot {} {}: {}", self.doing, shown_path(&self.path), self.source)
    }
}

impl std::error::Error for DiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl DiskError {
    /// Is it that what stands there is not what may be read: a link, a special file, one that is too long or changes, a
    /// name that is not UTF-8? Somebody put it there; the medium itself is fine.
    pub(crate) fn is_unfit(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, IsADirectory, NotADirectory};
        matches!(self.source.kind(), FileTooLarge | InvalidData | InvalidInput | IsADirectory | NotADirectory)
    }

    /// Is it that there is no such file?
    pub(crate) fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// What stands at a path. Links are never followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A regular file of so many bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A link, a device, a socket, a pipe: never read.
    Other,
}

/// One name in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The file name; foreign text. Names that are not UTF-8 are refused by [`Disk::list`].
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// Result of a file operation.
pub type DiskResult<T> = Result<T, DiskError>;

/// The file system, step by step.
pub trait Disk: Send + Sync {
    /// Reads a whole regular file of at most `cap` bytes. The size is looked at before anything is allocated; a link
    /// in the last place of the path, a folder or a special file is refused.
    fn read(&self, path: &Path, cap: u64) -> DiskResult<Vec<u8>>;
    /// As [`Disk::read`], for a hostile folder: `name` is resolved beneath `folder`, and no link on the way is
    /// followed (openat2 with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`).
    fn read_beneath(&self, folder: &Path, name: &str, cap: u64) -> DiskResult<Bytes>;
    /// The names in a folder, sorted; at most `cap` of them, more is an error.
    fn list(&self, folder: &Path, cap: usize) -> DiskResult<Vec<Entry>>;
    /// What stands at a path, or `None`.
    fn kind(&self, path: &Path) -> DiskResult<Option<Kind>>;
    /// Makes a folder with these permission bits; that it exists already is an error.
    fn make_folder(&self, path: &Path, mode: u32) -> DiskResult<()>;
    /// Writes a new file from parts, in order; that it exists already is an error. Not yet on disk: [`Disk::sync`].
    fn create(&self, path: &Path, mode: u32, parts: &[&[u8]]) -> DiskResult<()>;
    /// Adds bytes to the end of an existing file. Not yet on disk: [`Disk::sync`].
    fn append(&self, path: &Path, bytes: &[u8]) -> DiskResult<()>;
    /// Cuts a file to `length` bytes. Not yet on disk: [`Disk::sync`].
    fn truncate(&self, path: &Path, length: u64) -> DiskResult<()>;
    /// Returns when the file's bytes are on disk (fdatasync).
    fn sync(&self, path: &Path) -> DiskResult<()>;
    /// Returns when the folder's names are on disk (fsync).
    fn sync_folder(&self, path: &Path) -> DiskResult<()>;
    /// Gives a file another name in the same file system, replacing what stood there.
    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()>;
    /// Gives a file a second name; that the name exists already is an error.
    fn link(&self, from: &Path, to: &Path) -> DiskResult<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> DiskResult<()>;
    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> DiskResult<()>;
}

/// May a new folder be written here: is there nothing, or an empty folder?
pub(crate) fn is_free(disk: &dyn Disk, path: &Path) -> DiskResult<bool> {
    match disk.kind(path)? {
        None => Ok(true),
        Some(Kind::Folder) => match disk.list(path, 1) {
            Ok(entries) => Ok(entries.is_empty()),
            // More names than were asked for, or one that is not UTF-8: something is there.
            Err(e) if matches!(e.source.kind(), io::ErrorKind::Other | io::ErrorKind::InvalidData) => {
                Ok(false)
            }
            Err(e) => Err(e),
        },
        Some(_) => Ok(false),
    }
}

/// Writes a file so that after a crash the path holds either what stood there before or all of the new bytes:
/// temporary file beside it, fsync, rename, fsync of the folder.
pub(crate) fn write_durably(disk: &dyn Disk, path: &Path, mode: u32, parts: &[&[u8]]) -> DiskResult<()> {
    let temporary = temporary_name(path);
    // A temporary file of an earlier crash holds nothing that was acknowledged.
    if disk.kind(&temporary)?.is_some() {
        disk.remove(&temporary)?;
    }
    let written = disk
        .create(&temporary, mode, parts)
        .and_then(|()| disk.sync(&temporary))
        .and_then(|()| disk.rename(&temporary, path));
    if let Err(e) = written {
        // Best effort: the first error is the one to report.
        let _ = disk.remove(&temporary);
        return Err(e);
    }
    disk.sync_folder(parent(path))
}

/// The folder that holds a path.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The name beside a path under which its file is written first.
pub(super) fn temporary_name(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    parent(path).join(name)
}

/// Makes a folder unless it is there already; anything else at the path is an error.
pub(crate) fn ensure_folder(disk: &dyn Disk, path: &Path, mode: u32) -> DiskResult<()> {
    match disk.kind(path)? {
        Some(Kind::Folder) => Ok(()),
        _ => {
            disk.make_folder(path, mode)?;
            disk.sync_folder(parent(path))
        }
    }
}

/// The machine's own file system.
pub struct RealDisk;

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    let path = path.to_owned();
    move |source| DiskError { doing, path, source }
}

/// Reads an open file, which must be regular and hold at most `cap` bytes.
fn read_open(mut file: File, cap: u64) -> io::Result<Bytes> {
    let facts = file.metadata()?;
    if facts.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, a file is needed here"));
    }
    if !facts.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    if facts.len() > cap {
        return Err(too_large(facts.len(), cap));
    }
    let expected = usize::try_from(facts.len()).map_err(|_| too_large(facts.len(), cap))?;
    let (bytes, read) = Bytes::read(&mut file, expected)?;
    // A file that grows or shrinks while it is read is not one to sign.
    if read != expected || file.read(&mut [0u8; 1])? != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it changed while it was read"));
    }
    Ok(bytes)
}

fn too_large(length: u64, cap: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it has {length} bytes, at most {cap} are read"))
}

impl Disk for RealDisk {
    fn read(&self, path: &Path, cap: u64) -> DiskResult<Vec<u8>> {
        // Non-blocking, so that a pipe in the place of a file cannot hold the open for ever.
        let flags =
            (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC)
                .bits();
        let open = || -> io::Result<Bytes> {
            let flags = i32::try_from(flags).map_err(io::Error::other)?;
            read_open(OpenOptions::new().read(true).custom_flags(flags).open(path)?, cap)
        };
        open().map(Bytes::into_vec).map_err(link_said_plainly).map_err(failed("read", path))
    }

    fn read_beneath(&self, folder: &Path, name: &str, cap: u64) -> DiskResult<Bytes> {
        use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
        let open = || -> io::Result<Bytes> {
            let base =
                openat(CWD, folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            read_open(File::from(openat2(base, name, flags, Mode::empty(), resolve)?), cap)
        };
        open().map_err(link_said_plainly).map_err(failed("read", &folder.join(name)))
    }

    fn list(&self, folder: &Path, cap: usize) -> DiskResult<Vec<Entry>> {
        let list = || -> io::Result<Vec<Entry>> {
            let mut entries = Vec::new();
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                if entries.len() == cap {
                    return Err(io::Error::other(format!("the folder holds more than {cap} names")));
                }
                let name = entry.file_name().into_string().map_err(|odd| {
                    let name = shown_path(Path::new(&odd));
                    io::Error::new(io::ErrorKind::InvalidData, format!("a file name is not UTF-8: {name}"))
                })?;
                let kind = kind_of(&entry.metadata()?);
                entries.push(Entry { name, kind });
            }
            entries.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(entries)
        };
        list().map_err(failed("read the folder", folder))
    }

    fn kind(&self, path: &Path) -> DiskResult<Option<Kind>> {
        match std::fs::symlink_metadata(path) {
            Ok(facts) => Ok(Some(kind_of(&facts))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("look at", path)(e)),
        }
    }

    fn make_folder(&self, path: &Path, mode: u32) -> DiskResult<()> {
        std::fs::DirBuilder::new().mode(mode).create(path).map_err(failed("make the folder", path))
    }

    fn create(&self, path: &Path, mode: u32, parts: &[&[u8]]) -> DiskResult<()> {
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
            parts.iter().try_for_each(|part| file.write_all(part))
        };
        write().map_err(failed("write", path))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        let write = || OpenOptions::new().append(true).open(path)?.write_all(bytes);
        write().map_err(failed("write to", path))
    }

    fn truncate(&self, path: &Path, length: u64) -> DiskResult<()> {
        let cut = || OpenOptions::new().write(true).open(path)?.set_len(length);
        cut().map_err(failed("cut", path))
    }

    fn sync(&self, path: &Path) -> DiskResult<()> {
        // Opened as it was written: a confined command may put files where it may not read them.
        let open = || OpenOptions::new().write(true).open(path)?.sync_data();
        open().map_err(failed("bring to disk", path))
    }

    fn sync_folder(&self, path: &Path) -> DiskResult<()> {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("bring to disk", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        std::fs::rename(from, to).map_err(failed("put in place", to))
    }

    fn link(&self, from: &Path, to: &Path) -> DiskResult<()> {
        std::fs::hard_link(from, to).map_err(failed("link", to))
    }

    fn remove(&self, path: &Path) -> DiskResult<()> {
        std::fs::remove_file(path).map_err(failed("remove", path))
    }

    fn remove_folder(&self, path: &Path) -> DiskResult<()> {
        std::fs::remove_dir(path).map_err(failed("remove the folder", path))
    }
}

fn kind_of(facts: &std::fs::Metadata) -> Kind {
    if facts.is_file() {
        Kind::File(facts.len())
    } else if facts.is_dir() {
        Kind::Folder
    } else {
        Kind::Other
    }
}

/// "Too many levels of symbolic links" is true and helps nobody.
fn link_said_plainly(e: io::Error) -> io::Error {
    let is_link = e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    let leaves = e.raw_os_error() == Some(rustix::io::Errno::XDEV.raw_os_error());
    if is_link {
        io::Error::new(io::ErrorKind::InvalidInput, "it is a link, and links are not followed here")
    } else if leaves {
        io::Error::new(io::ErrorKind::InvalidInput, "it lies outside the folder")
    } else {
        e
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_cap_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("big");
        std::fs::write(&path, b"12345").expect("written");
        assert_eq!(RealDisk.read(&path, 5).expect("read"), b"12345");
        let refused = RealDisk.read(&path, 4).expect_err("too large").to_string();
        assert!(refused.contains("has 5 bytes, at most 4"), "{refused}");
    }

    #[test]
    fn links_folders_and_pipes_are_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("secret"), b"x").expect("written");
        std::fs::create_dir(at("inner")).expect("made");
        std::os::unix::fs::symlink(at("secret"), at("link")).expect("linked");
        std::os::unix::fs::symlink(folder.path(), at("inner/up")).expect("linked");
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .expect("made");
        for name in ["link", "inner", "pipe", "absent"] {
            RealDisk.read(&at(name), 10).expect_err(name);
            RealDisk.read_beneath(folder.path(), name, 10).expect_err(name);
        }
        RealDisk.read_beneath(folder.path(), "inner/up/secret", 10).expect_err("a link on the way");
        RealDisk.read_beneath(&at("inner"), "../secret", 10).expect_err("outside the folder");
        assert_eq!(&RealDisk.read_beneath(folder.path(), "secret", 10).expect("read")[..], b"x");
    }

    #[test]
    fn a_link_that_stays_inside_the_folder_is_not_followed_either() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("inner")).expect("made");
        std::fs::write(at("inner/file"), b"x").expect("written");
        std::os::unix::fs::symlink("inner/file", at("link")).expect("linked");
        std::os::unix::fs::symlink("inner", at("folder")).expect("linked");
        std::os::unix::fs::symlink("file", at("inner/link")).expect("linked");
        for name in ["link", "folder/file", "inner/link"] {
            let refused = RealDisk.read_beneath(folder.path(), name, 10).expect_err(name);
            assert!(refused.to_string().contains("links are not followed"), "{refused}");
        }
        assert_eq!(&RealDisk.read_beneath(folder.path(), "inner/file", 10).expect("read")[..], b"x");
    }

    #[test]
    fn a_durable_write_replaces_the_whole_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        write_durably(&RealDisk, &path, 0o600, &[b"old"]).expect("written");
        std::fs::write(temporary_name(&path), b"torn").expect("left by a crash");
        write_durably(&RealDisk, &path, 0o600, &[b"ne", b"w"]).expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), b"new");
        assert_eq!(RealDisk.list(folder.path(), 10).expect("listed").len(), 1);
    }
}
