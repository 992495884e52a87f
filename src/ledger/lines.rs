//! The files of lines, read one after another: split, checked and hashed on both cores, handed on in order.
//!
//! The same code reads the station's own log and a pack that came on a stick, so it believes neither.

use super::codec::LineFault;
use super::entry::{Entry, Header};
use crate::host::disk::{DiskError, Kind};
use crate::host::left_over::{LEFT_OVER, is_left_over};
use crate::host::{Bytes, Disk};
use crate::tlog::flaw::{Flaw, FlawKind};
use crate::tlog::tree::{Hash, leaf_hash};
use std::path::Path;
use std::sync::mpsc::sync_channel;

/// Lines of a full file. A file's number is its first line's number divided by this.
pub(crate) const LINES_PER_FILE: u64 = 1_000;
/// The folder with the files, within the log's.
pub(crate) const FOLDER: &str = "events";
/// The most files that are read: 10^9 lines.
const MOST_FILES: usize = 1_000_000;
/// The most bytes of a file: full of the longest lines.
pub(crate) const LARGEST_FILE: u64 = LINES_PER_FILE * 65_536;
/// Threads that read and hash ahead.
const READERS: usize = 2;

/// The name of a file of lines, relative to the log's folder.
pub(crate) fn file_name(number: u64) -> String {
    format!("{FOLDER}/{number:06}.jsonl")
}

/// The number of files of lines, which must be named without a gap, and nothing else beside them.
///
/// # Errors
/// The folder cannot be read, or has other names in it.
pub(crate) fn count_files(disk: &dyn Disk, dir: &Path) -> Result<u64, ReadError> {
    match look_at_files(disk, dir)? {
        (count, None) => Ok(count),
        (_, Some(flaw)) => Err(flaw.into()),
    }
}

/// How many files of lines there are up to the first gap, and what is wrong with the folder.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn look_at_files(disk: &dyn Disk, dir: &Path) -> Result<(u64, Option<Flaw>), DiskError> {
    let mut count = 0;
    let mut flaw = None;
    for found in disk.list(&dir.join(FOLDER), MOST_FILES)? {
        let wanted = format!("{count:06}.jsonl");
        if found.name == wanted && matches!(found.kind, Kind::File(_)) {
            count += 1;
            continue;
        }
        flaw = flaw.or_else(|| {
            let is_later = is_file_name(&found.name) && found.name > wanted;
            let wrong = match is_later {
                true => Flaw::new(FlawKind::Files, format!("the file {wanted} is missing"))
                    .at(count * LINES_PER_FILE),
                false if is_left_over(&found.name) => Flaw::new(FlawKind::Files, LEFT_OVER),
                false => {
                    Flaw::new(FlawKind::Files, "there is something else in the folder than files of lines")
                }
            };
            Some(wrong.in_file(format!("{FOLDER}/{}", found.name)))
        });
    }
    Ok((count, flaw))
}

fn is_file_name(name: &str) -> bool {
    name.strip_suffix(".jsonl")
        .is_some_and(|number| number.len() >= 6 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Lines could not be read, or are not what they should be.
#[derive(Debug)]
pub enum ReadError {
    /// A file operation failed.
    Disk(DiskError),
    /// The content is wrong.
    Flaw(Flaw),
}

impl From<DiskError> for ReadError {
    fn from(error: DiskError) -> ReadError {
        ReadError::Disk(error)
    }
}

impl From<Flaw> for ReadError {
    fn from(flaw: Flaw) -> ReadError {
        ReadError::Flaw(flaw)
    }
}

impl From<ReadError> for super::LogError {
    fn from(error: ReadError) -> super::LogError {
        match error {
            ReadError::Disk(error) => error.into(),
            ReadError::Flaw(flaw) => flaw.into(),
        }
    }
}

/// One file of lines: its bytes, where each line is, and each line's leaf hash.
pub(crate) struct Chunk {
    number: u64,
    bytes: Bytes,
    lines: Vec<(usize, usize, Header)>,
    leaves: Vec<Hash>,
    fault: Option<LineFault>,
    /// Where a last line without line feed begins.
    torn: Option<usize>,
}

impl Chunk {
    /// Reads a file, and its lines up to the first that is not in the log's form.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read(disk: &dyn Disk, dir: &Path, number: u64) -> Result<Chunk, DiskError> {
        let bytes = disk.read_beneath(dir, &file_name(number), LARGEST_FILE)?;
        let mut chunk = Chunk {
            number,
            bytes: Bytes::default(),
            lines: Vec::new(),
            leaves: Vec::new(),
            fault: None,
            torn: None,
        };
        let mut start = 0;
        while start < bytes.len() {
            let Some(length) = memchr::memchr(b'\n', &bytes[start..]) else {
                chunk.torn = Some(start);
                break;
            };
            let end = start + length;
            let line = &bytes[start..end];
            match Entry::read(line) {
                Ok(entry) => chunk.lines.push((start, end, entry.header())),
                Err(fault) => {
                    chunk.fault = Some(fault);
                    break;
                }
            }
            chunk.leaves.push(leaf_hash(line));
            start = end + 1;
        }
        chunk.bytes = bytes;
        Ok(chunk)
    }

    /// The file's number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The file's name.
    pub(crate) fn file(&self) -> String {
        file_name(self.number)
    }

    /// The entries with their leaf hashes, in order.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = (Entry<'_>, &Hash)> + ExactSizeIterator {
        self.lines
            .iter()
            .map(|(start, end, header)| Entry::again(&self.bytes[*start..*end], *header))
            .zip(&self.leaves)
    }

    /// The place after this many good lines, or after all where there are fewer.
    pub(crate) fn end_of(&self, lines: usize) -> usize {
        let last = self.lines.get(..lines.min(self.lines.len())).and_then(<[_]>::last);
        last.map_or(0, |(_, end, _)| end + 1)
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The last line without its line feed: the place of its first byte, and its bytes.
    pub(crate) fn torn(&self) -> Option<(usize, &[u8])> {
        self.torn.map(|start| (start, &self.bytes[start..]))
    }

    /// The number that the line after the good ones has or would have.
    pub(crate) fn next_seq(&self) -> u64 {
        self.number * LINES_PER_FILE + self.lines.len() as u64
    }

    /// What is wrong with the file as such, after its good entries: a line in another form, a wrong number of lines.
    /// A torn last line is for the caller to judge when the file is the last.
    ///
    /// # Errors
    /// That.
    pub(crate) fn check(&self, is_last: bool) -> Result<(), Flaw> {
        let at = |flaw: Flaw| flaw.at(self.next_seq()).in_file(self.file());
        if let Some(fault) = &self.fault {
            return Err(at(Flaw::new(FlawKind::Line, fault.to_string())));
        }
        let count = self.lines.len() as u64;
        if count > LINES_PER_FILE || (count == LINES_PER_FILE && self.torn.is_some()) {
            let place = self.number * LINES_PER_FILE + LINES_PER_FILE;
            let detail = format!("the file has more than {LINES_PER_FILE} lines");
            return Err(Flaw::new(FlawKind::Files, detail).at(place).in_file(self.file()));
        }
        if !is_last && self.torn.is_some() {
            return Err(at(Flaw::new(FlawKind::Torn, "the line is cut off, and another file follows")));
        }
        if !is_last && count < LINES_PER_FILE {
            let detail = format!("the file ends after {count} lines, and another file follows");
            return Err(at(Flaw::new(FlawKind::Files, detail)));
        }
        Ok(())
    }
}

/// Hands every file from `first` to the last to `visit`, in order; the next ones are read meanwhile. `visit` returns
/// whether to go on.
///
/// # Errors
/// A file cannot be read, or `visit` fails.
pub(crate) fn each_chunk<E: From<DiskError>>(
    disk: &dyn Disk,
    dir: &Path,
    first: u64,
    files: u64,
    mut visit: impl FnMut(&Chunk) -> Result<bool, E>,
) -> Result<(), E> {
    each_file(first, files, |number| Chunk::read(disk, dir, number), |chunk| visit(&chunk))
}

/// A file of lines of which only some were looked at: every line's leaf hash, and the lines that were looked for.
pub(crate) struct Sifted {
    /// The leaf hash of every whole line, in order.
    pub leaves: Vec<Hash>,
    /// The lines that contain the bytes, each with its number in the log.
    pub found: Vec<(u64, Vec<u8>)>,
}

impl Sifted {
    fn read(
        disk: &dyn Disk,
        dir: &Path,
        number: u64,
        wanted: &memchr::memmem::Finder<'_>,
    ) -> Result<Sifted, DiskError> {
        let bytes = disk.read_beneath(dir, &file_name(number), LARGEST_FILE)?;
        let mut sifted = Sifted { leaves: Vec::new(), found: Vec::new() };
        let mut next = wanted.find(&bytes);
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &bytes) {
            let line = &bytes[start..end];
            if next.is_some_and(|at| at < end) {
                let place = number * LINES_PER_FILE + sifted.leaves.len() as u64;
                sifted.found.push((place, line.to_vec()));
                next = wanted.find(&bytes[end..]).map(|at| end + at);
            }
            sifted.leaves.push(leaf_hash(line));
            start = end + 1;
        }
        Ok(sifted)
    }
}

/// Hands every file to `visit` with all leaf hashes and the lines that contain some bytes: for a question about few
/// lines, whose answer is worth what the root over all of them says. `visit` returns whether to go on.
///
/// # Errors
/// A file cannot be read, or `visit` fails.
pub(crate) fn each_sifted<E: From<DiskError>>(
    disk: &dyn Disk,
    dir: &Path,
    files: u64,
    wanted: &[u8],
    visit: impl FnMut(Sifted) -> Result<bool, E>,
) -> Result<(), E> {
    let finder = memchr::memmem::Finder::new(wanted);
    each_file(0, files, |number| Sifted::read(disk, dir, number, &finder), visit)
}

/// Makes something of every file and hands it on in order; the next files are worked on meanwhile.
fn each_file<T: Send, E: From<DiskError>>(
    first: u64,
    files: u64,
    read: impl Fn(u64) -> Result<T, DiskError> + Sync,
    mut visit: impl FnMut(T) -> Result<bool, E>,
) -> Result<(), E> {
    let waiting = usize::try_from(files.saturating_sub(first)).unwrap_or(usize::MAX);
    if waiting <= 1 {
        return match waiting {
            0 => Ok(()),
            _ => visit(read(first)?).map(drop),
        };
    }
    let read = &read;
    std::thread::scope(|scope| {
        let mut queues = Vec::new();
        for reader in 0..READERS {
            // One file waits while the next is read: memory is bounded by a few files.
            let (send, receive) = sync_channel(1);
            queues.push(receive);
            scope.spawn(move || {
                for number in (first..files).skip(reader).step_by(READERS) {
                    // Nobody listens any more when an earlier file was bad.
                    if send.send(read(number)).is_err() {
                        break;
                    }
                }
            });
        }
        for queue in (0..waiting).map(|at| &queues[at % READERS]) {
            // A reader hangs up only after its last file.
            let Ok(found) = queue.recv() else { break };
            if !visit(found?)? {
                break;
            }
        }
        Ok(())
    })
}
