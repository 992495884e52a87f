//! The log on disk: nothing is acknowledged that a crash could take back.
//!
//! An entry counts once a checkpoint covers it: [`Log::checkpoint`] brings the lines to disk (one fdatasync), then writes
//! `checkpoints/<size>` (temporary file, fsync, rename, fsync of the folder), so a checkpoint never speaks of lines that
//! are not there: three fsyncs in all. `checkpoint` is a second name of the
//! newest one, put in place by a rename; when a crash loses that rename, the next start makes it again.

use super::entry::{Entry, EntryBuf, LONGEST_LINE};
use super::error::LogError;
use super::event::Event;
use super::lines::{self, LINES_PER_FILE, count_files, each_chunk, file_name};
use super::objects;
use super::proofs::Proofs;
use super::record::{Kind, LogRecovered, Record};
use super::recovery::{Aside, Intents, OpenIntent, Recovery, found_intents};
use super::walk::{Walk, blame};
use crate::host::disk::{DiskResult, Kind as FileKind, ensure_folder, write_durably};
use crate::host::left_over::{LEFT_OVER, is_left_over};
use crate::host::{Bytes, Disk, Stamp};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::flaw::{Flaw, FlawKind};
use crate::tlog::note::{LARGEST_NOTE, NoteSigner, VerifierKey};
use crate::tlog::tree::{self, Hash};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder with every checkpoint ever issued, named by size.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// The newest checkpoint.
pub(crate) const HEAD: &str = "checkpoint";
/// The log's public key.
pub(crate) const PUBLIC_KEY: &str = "vkey";
/// The log's private key.
pub(crate) const PRIVATE_KEY: &str = "key";
/// The folder with what stood after the newest checkpoint when the log was opened.
const TORN: &str = "torn";
/// The most files in it that are listed.
const MOST_ASIDE: usize = 100_000;
/// The actor of entries that the log writes of its own accord.
const ACTOR: &str = "countersign";
/// The most checkpoints that are listed.
const MOST_CHECKPOINTS: usize = 4_000_000;
/// The most bytes of a key file.
const LARGEST_KEY: u64 = 4_096;

/// Whoever wants to know what the entries add up to, as they are read.
pub(crate) type See<'a> = &'a mut dyn FnMut(&Entry<'_>);

/// The newest checkpoint, as issued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: String,
}

/// The station's log, open for writing.
pub struct Log {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    key: VerifierKey,
    /// What signs checkpoints; who only looks has none, and writes nothing.
    signer: Option<NoteSigner>,
    walk: Walk,
    head: Head,
    intents: Intents,
    /// The files with what was kept aside that the log has told of.
    told: BTreeSet<String>,
    /// The latest time at which an entry was written, since an officer last stated the time.
    latest: Option<Stamp>,
    /// Bytes of the file that the next line goes to.
    length: u64,
    /// Lines were written that are not on disk yet.
    unsynced: bool,
    /// The last file of lines was made, and its name is not on disk yet.
    unsynced_name: bool,
    closed: Option<String>,
}

impl Log {
    /// Makes an empty log in a folder that exists: a key of its own from the seed, and a checkpoint of nothing.
    /// `origin` names the log for ever.
    ///
    /// # Errors
    /// The disk, or a name that cannot name a key.
    pub fn create(
        disk: Arc<dyn Disk>,
        dir: &Path,
        key_seed: &[u8; 32],
        origin: &str,
    ) -> Result<Log, LogError> {
        let signer =
            NoteSigner::new(origin, key_seed).map_err(|_| LogError::Name(crate::text::shown(origin)))?;
        ensure_folder(&*disk, dir, 0o700)?;
        for folder in [lines::FOLDER, CHECKPOINTS, "objects", objects::FOLDER, TORN] {
            ensure_folder(&*disk, &dir.join(folder), 0o700)?;
        }
        disk.create(&dir.join(file_name(0)), 0o600, &[])?;
        disk.sync(&dir.join(file_name(0)))?;
        disk.sync_folder(&dir.join(lines::FOLDER))?;
        write_durably(&*disk, &dir.join(PRIVATE_KEY), 0o600, &[signer.secret_text().as_bytes()])?;
        write_durably(&*disk, &dir.join(PUBLIC_KEY), 0o600, &[format!("{}\n", signer.public()).as_bytes()])?;
        let checkpoint =
            Checkpoint { origin: origin.to_owned(), size: 0, root: Walk::default().tree().root() };
        let head = Head { note: checkpoint.sign(&signer), checkpoint };
        let log = Log::unread(disk, dir, signer.public().clone(), Some(signer), head);
        log.write_head(&log.head)?;
        log.disk.sync_folder(dir)?;
        Ok(log)
    }

    /// A log of which no line was read yet.
    fn unread(
        disk: Arc<dyn Disk>,
        dir: &Path,
        key: VerifierKey,
        signer: Option<NoteSigner>,
        head: Head,
    ) -> Log {
        Log {
            disk,
            dir: dir.to_owned(),
            key,
            signer,
            walk: Walk::default(),
            head,
            intents: Intents::default(),
            told: BTreeSet::new(),
            latest: None,
            length: 0,
            unsynced: false,
            unsynced_name: false,
            closed: None,
        }
    }

    /// Opens a log for writing: reads the lines that the newest checkpoint covers, once, and checks them against it; `see` is
    /// handed each entry, and may go by none of them before this returns. What stands
    /// after them is signed by nobody. It counts for nothing: it is kept aside and said in the log, with this stamp, and
    /// an intent to sign among it is in doubt.
    ///
    /// # Errors
    /// [`LogError::Tampered`] when anything is not as it was written; nothing is changed then.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        stamp: &Stamp,
        see: See<'_>,
    ) -> Result<(Log, Recovery), LogError> {
        let signer = read_signer(&*disk, dir)?;
        let (mut log, uncovered, head_name_is_current) =
            Log::read(disk, dir, signer.public().clone(), Some(signer), see)?;
        if !head_name_is_current {
            log.name_head(log.head.checkpoint.size)?;
        }
        log.cut(&uncovered)?;
        let aside = log.tell_aside(stamp, see)?;
        let open_intents = log.intents.open().cloned().collect();
        Ok((log, Recovery { aside, open_intents, ..Recovery::default() }))
    }

    /// Opens a log to look at it: nothing is written, what stands after the newest checkpoint is passed over, and the log's
    /// private key is not read.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub(crate) fn look(disk: Arc<dyn Disk>, dir: &Path, see: See<'_>) -> Result<(Log, Recovery), LogError> {
        let key = read_public(&*disk, dir)?;
        let (mut log, uncovered, _) = Log::read(disk, dir, key, None, see)?;
        log.closed = Some("it was opened to be looked at".to_owned());
        let recovery = Recovery {
            aside: Vec::new(),
            uncovered: uncovered.iter().map(|part| part.bytes.len() as u64).sum(),
            uncovered_intents: uncovered.iter().map(|part| found_intents(&part.bytes, "").len()).sum(),
            open_intents: log.intents.open().cloned().collect(),
        };
        Ok((log, recovery))
    }

    /// Reads what the newest checkpoint covers; the parts of files after that; and whether `checkpoint` is the newest.
    fn read(
        disk: Arc<dyn Disk>,
        dir: &Path,
        key: VerifierKey,
        signer: Option<NoteSigner>,
        see: See<'_>,
    ) -> Result<(Log, Vec<Uncovered>, bool), LogError> {
        let (head, head_name_is_current) = read_head(&*disk, dir, &key)?;
        let mut log = Log::unread(disk, dir, key, signer, head);
        let uncovered = log.read_lines(see)?;
        Ok((log, uncovered, head_name_is_current))
    }

    /// Reads the lines that the newest checkpoint covers; returns what stands after them.
    fn read_lines(&mut self, see: See<'_>) -> Result<Vec<Uncovered>, LogError> {
        let (disk, dir) = (self.disk.clone(), self.dir.clone());
        let head = self.head.checkpoint.clone();
        let files = count_files(&*disk, &dir)?;
        let mut uncovered = Vec::new();
        let mut is_cut_off = false;
        each_chunk(&*disk, &dir, 0, files, |chunk| -> Result<bool, LogError> {
            let before = self.walk.tree().size();
            let left = usize::try_from(head.size - before).unwrap_or(usize::MAX);
            for (entry, leaf) in chunk.entries().take(left) {
                self.walk
                    .step(&entry, leaf)
                    .map_err(|flaw| blame(&*disk, &dir, flaw.in_file(chunk.file()), Some(&head)))?;
                self.take_in(&entry);
                see(&entry);
            }
            let found = self.walk.tree().size();
            if found < head.size {
                chunk.check(chunk.number() + 1 == files)?;
                is_cut_off = chunk.torn().is_some();
                return Ok(true);
            }
            if before < found && self.walk.tree().root() != head.root {
                return Err(wrong_root(&head).in_file(chunk.file()).into());
            }
            let at = chunk.end_of(left);
            if before < found || chunk.number() == 0 {
                self.length = at as u64;
            }
            uncovered.push(Uncovered {
                file: chunk.number(),
                seq: chunk.number() * LINES_PER_FILE + chunk.entries().len().min(left) as u64,
                at: at as u64,
                bytes: chunk.bytes().get(at..).unwrap_or_default().to_vec(),
            });
            Ok(true)
        })?;
        let found = self.walk.tree().size();
        if found < head.size {
            let kind = if is_cut_off { FlawKind::Torn } else { FlawKind::Missing };
            let detail =
                format!("the log ends after {found} entries, and its signed checkpoint says {}", head.size);
            return Err(Flaw::new(kind, detail).at(found).into());
        }
        Ok(uncovered)
    }

    /// Takes an entry that counts into account.
    fn take_in(&mut self, entry: &Entry<'_>) {
        self.intents.see(entry);
        if let Record::LogRecovered(recovered) = entry.record() {
            self.told.insert(recovered.saved.to_string());
        }
        if is_later(self.latest.as_ref(), entry) {
            self.latest = Some(entry.stamp());
        }
    }

    /// Keeps what stands after the newest checkpoint in files of its own, and cuts it off.
    fn cut(&mut self, uncovered: &[Uncovered]) -> Result<(), LogError> {
        let last = self.walk.tree().size().saturating_sub(1) / LINES_PER_FILE;
        for part in uncovered.iter().filter(|part| !part.bytes.is_empty()) {
            let path = self.dir.join(part.saved());
            if self.disk.kind(&path)?.is_none() {
                write_durably(&*self.disk, &path, 0o600, &[&part.bytes])?;
            }
        }
        for part in uncovered.iter().rev() {
            let path = self.dir.join(file_name(part.file));
            if part.file > last {
                self.disk.remove(&path)?;
                self.disk.sync_folder(&self.dir.join(lines::FOLDER))?;
            } else if !part.bytes.is_empty() {
                self.disk.truncate(&path, part.at)?;
                self.disk.sync(&path)?;
            }
        }
        Ok(())
    }

    /// Says in the log what was kept aside, now or before a crash that came in between, under a checkpoint of its own.
    fn tell_aside(&mut self, stamp: &Stamp, see: See<'_>) -> Result<Vec<Aside>, LogError> {
        let mut told = Vec::new();
        for found in self.disk.list(&self.dir.join(TORN), MOST_ASIDE)? {
            let saved = format!("{TORN}/{}", found.name);
            let Some(seq) = seq_of_aside(&found.name).filter(|_| !self.told.contains(&saved)) else {
                continue;
            };
            let bytes = self.disk.read_beneath(&self.dir, &saved, lines::LARGEST_FILE)?;
            let aside = Aside { file: file_name(seq / LINES_PER_FILE), bytes: bytes.len() as u64, saved };
            let recovered =
                LogRecovered { file: (&aside.file).into(), bytes: aside.bytes, saved: (&aside.saved).into() };
            see(&self.append(stamp, recovered.by(ACTOR))?.entry());
            for event in found_intents(&bytes, &aside.saved) {
                see(&self.append(stamp, event)?.entry());
            }
            told.push(aside);
        }
        if !told.is_empty() {
            self.checkpoint()?;
        }
        Ok(told)
    }

    /// The entry for an event after the last one, not written yet.
    ///
    /// # Errors
    /// The event is incomplete or too long, or the log takes no more entries.
    pub(crate) fn draft(&self, stamp: &Stamp, event: &Event) -> Result<EntryBuf, LogError> {
        self.refuse_when_closed()?;
        let line = event.line(self.walk.tree().size(), self.walk.last(), stamp);
        if line.len() > LONGEST_LINE {
            return Err(LogError::TooLong(line.len()));
        }
        // A line that would not be read back is not written.
        Ok(Entry::read(&line).map_err(LogError::Line)?.to_owned())
    }

    /// Writes an entry after the last, for which it was drafted. It counts for nothing before [`Log::checkpoint`].
    ///
    /// # Errors
    /// The disk; nothing was appended then.
    pub(crate) fn write(&mut self, draft: &EntryBuf) -> Result<(), LogError> {
        self.refuse_when_closed()?;
        let entry = draft.entry();
        self.write_line(draft.seq(), &[entry.line(), b"\n"].concat())?;
        self.take_in(&entry);
        self.walk.push(tree::leaf_hash(entry.line()));
        self.unsynced = true;
        Ok(())
    }

    /// Drafts and writes an entry.
    ///
    /// # Errors
    /// As [`Log::draft`] and [`Log::write`].
    pub fn append(&mut self, stamp: &Stamp, event: Event) -> Result<EntryBuf, LogError> {
        let draft = self.draft(stamp, &event)?;
        self.write(&draft)?;
        Ok(draft)
    }

    fn write_line(&mut self, seq: u64, line: &[u8]) -> Result<(), LogError> {
        let path = self.dir.join(file_name(seq / LINES_PER_FILE));
        if seq.is_multiple_of(LINES_PER_FILE) && seq > 0 {
            // The full file first: a new file must not survive a crash that its predecessor's last lines do not.
            self.sync()?;
            // A file without a line is what a crash at this very place leaves.
            if self.disk.kind(&path)?.is_none() {
                self.disk.create(&path, 0o600, &[])?;
            }
            self.length = 0;
            self.unsynced_name = true;
        }
        self.refuse_when_grown(&path)?;
        if let Err(error) = self.disk.append(&path, line) {
            // Part of the line may be there. Without it the log goes on; otherwise it is closed until the next start.
            if let Err(second) = self.disk.truncate(&path, self.length) {
                self.closed = Some(second.to_string());
            }
            return Err(error.into());
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Refuses to write after lines of somebody else: two writers break a log, and a lock can be got around.
    fn refuse_when_grown(&mut self, path: &Path) -> Result<(), LogError> {
        let found = match self.disk.kind(path)? {
            Some(FileKind::File(length)) => Some(length),
            _ => None,
        };
        if found == Some(self.length) {
            return Ok(());
        }
        let file = crate::text::shown_path(path);
        self.closed = Some(format!("another process wrote to {file}"));
        Err(LogError::TwoWriters(file))
    }

    /// Returns when every entry is on disk: one fdatasync, and one more after each thousand entries for a new file.
    ///
    /// # Errors
    /// The disk. The log takes no more entries then: what is on disk is not known after a failed fsync.
    fn sync(&mut self) -> Result<(), LogError> {
        self.refuse_when_closed()?;
        if !self.unsynced {
            return Ok(());
        }
        let last = self.walk.tree().size().saturating_sub(1) / LINES_PER_FILE;
        let synced =
            self.disk.sync(&self.dir.join(file_name(last))).and_then(|()| match self.unsynced_name {
                true => self.disk.sync_folder(&self.dir.join(lines::FOLDER)),
                false => Ok(()),
            });
        if let Err(error) = synced {
            self.closed = Some(error.to_string());
            return Err(error.into());
        }
        (self.unsynced, self.unsynced_name) = (false, false);
        Ok(())
    }

    /// Signs and keeps a checkpoint over every entry, after bringing them to disk. Nothing is written when the newest
    /// checkpoint covers them already.
    ///
    /// # Errors
    /// The disk.
    pub fn checkpoint(&mut self) -> Result<&Head, LogError> {
        self.sync()?;
        let tree = self.walk.tree();
        if let Some(signer) = self.signer.as_ref().filter(|_| tree.size() > self.head.checkpoint.size) {
            let origin = self.head.checkpoint.origin.clone();
            let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root() };
            let head = Head { note: checkpoint.sign(signer), checkpoint };
            self.write_head(&head)?;
            self.head = head;
        }
        Ok(&self.head)
    }

    fn write_head(&self, head: &Head) -> Result<(), LogError> {
        let size = head.checkpoint.size;
        let path = self.dir.join(CHECKPOINTS).join(size.to_string());
        write_durably(&*self.disk, &path, 0o600, &[head.note.as_bytes()])?;
        Ok(self.name_head(size)?)
    }

    /// Gives the newest checkpoint its second name. Its bytes are on disk already, so the name needs no fsync: losing
    /// it loses nothing.
    fn name_head(&self, size: u64) -> DiskResult<()> {
        let (from, to) = (self.dir.join(CHECKPOINTS).join(size.to_string()), self.dir.join(HEAD));
        let temporary = self.dir.join(".checkpoint.link");
        if self.disk.kind(&temporary)?.is_some() {
            self.disk.remove(&temporary)?;
        }
        if self.disk.link(&from, &temporary).is_ok() {
            return self.disk.rename(&temporary, &to);
        }
        // A file system without hard links: a copy, with all the care that a copy needs.
        let note = self.disk.read(&from, LARGEST_NOTE as u64)?;
        write_durably(&*self.disk, &to, 0o600, &[&note])
    }

    fn refuse_when_closed(&self) -> Result<(), LogError> {
        match &self.closed {
            Some(why) => Err(LogError::Closed(why.clone())),
            None => Ok(()),
        }
    }

    /// Stores bytes that are too large for a line, durably; returns their SHA-256 in hex. The same bytes are stored
    /// once. To be called before the entry that names them is appended.
    ///
    /// # Errors
    /// The disk, or an object of that name with other bytes.
    pub fn put_object(&self, bytes: &[u8]) -> Result<String, LogError> {
        objects::put(&*self.disk, &self.dir, bytes)
    }

    /// As [`Log::put_object`], of bytes whose SHA-256 is at hand: large ones are not hashed again.
    ///
    /// # Errors
    /// As [`Log::put_object`].
    pub(crate) fn put_object_named(&self, digest: &str, bytes: &[u8]) -> Result<String, LogError> {
        objects::put_named(&*self.disk, &self.dir, digest.to_owned(), bytes)
    }

    /// The bytes with this digest, checked.
    ///
    /// # Errors
    /// There is no such object, or its bytes have another digest.
    pub(crate) fn get_object(&self, digest: &str) -> Result<Bytes, LogError> {
        objects::get(&*self.disk, &self.dir, digest)
    }

    /// The newest checkpoint.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The number of entries, those after the newest checkpoint included.
    pub fn size(&self) -> u64 {
        self.walk.tree().size()
    }

    /// The root over all entries, those after the newest checkpoint included.
    pub fn root(&self) -> Hash {
        self.walk.tree().root()
    }

    /// The latest time at which an entry was written, since an officer last stated the time: no later entry can honestly
    /// be earlier. `None` in an empty log.
    pub(crate) fn latest(&self) -> Option<&Stamp> {
        self.latest.as_ref()
    }

    /// The log's public key.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The log's folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The intents to sign that have no result, in order.
    pub(crate) fn open_intents(&self) -> impl Iterator<Item = &OpenIntent> {
        self.intents.open()
    }

    /// Every entry, in order. They were checked when the log was opened; a line that changed since is an error.
    pub fn entries(&self) -> Entries {
        Entries {
            disk: self.disk.clone(),
            dir: self.dir.clone(),
            next: 0,
            size: self.size(),
            waiting: Vec::new(),
        }
    }

    /// The tree over all lines, those after the newest checkpoint included, read once for any number of roots and proofs.
    ///
    /// # Errors
    /// The lines changed since the log was opened.
    pub(crate) fn proofs(&self) -> Result<Proofs, LogError> {
        let whole = Checkpoint { size: self.size(), root: self.root(), ..self.head.checkpoint.clone() };
        Proofs::read(&*self.disk, &self.dir, &whole)
    }

    /// Every kept checkpoint's size, ascending.
    ///
    /// # Errors
    /// The folder cannot be read, or has other names in it.
    pub(crate) fn checkpoint_sizes(&self) -> Result<Vec<u64>, LogError> {
        Ok(checkpoint_sizes(&*self.disk, &self.dir)?)
    }

    /// A kept checkpoint, its signature verified; `None` when none was issued at this size.
    ///
    /// # Errors
    /// It cannot be read, or is not this log's.
    pub(crate) fn kept_checkpoint(&self, size: u64) -> Result<Option<Head>, LogError> {
        if self.checkpoint_sizes()?.binary_search(&size).is_err() {
            return Ok(None);
        }
        Ok(Some(read_checkpoint(&*self.disk, &self.dir, self.key(), size)?))
    }
}

/// What stands in a file after the lines that the newest checkpoint covers.
struct Uncovered {
    file: u64,
    /// The number that its first line has or would have.
    seq: u64,
    /// The place of its first byte in the file.
    at: u64,
    bytes: Vec<u8>,
}

impl Uncovered {
    /// Where it is kept, relative to the log's folder.
    fn saved(&self) -> String {
        let digest = hex::encode(Sha256::digest(&self.bytes));
        format!("{TORN}/{}-{}", self.seq, digest.get(..16).unwrap_or_default())
    }
}

/// The number in the name of a file with what was kept aside; `None` for any other name.
fn seq_of_aside(name: &str) -> Option<u64> {
    let (seq, digest) = name.split_once('-')?;
    let is_digest = digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    crate::tlog::checkpoint::parse_decimal(seq).filter(|_| is_digest)
}

/// Is an entry from here on the one that the clock must not fall behind? A stated time takes the place of any other: it
/// is how a clock that was ahead once is put right.
fn is_later(latest: Option<&Stamp>, entry: &Entry<'_>) -> bool {
    entry.kind() == Kind::TimeStatement || latest.is_none_or(|latest| entry.time() >= latest.time)
}

pub(super) fn wrong_root(head: &Checkpoint) -> Flaw {
    let detail = format!(
        "the lines up to here do not give the root that the signed checkpoint of {} entries has: this line or one \
         before it was changed",
        head.size
    );
    Flaw::new(FlawKind::Root, detail).at(head.size.saturating_sub(1))
}

fn read_signer(disk: &dyn Disk, dir: &Path) -> Result<NoteSigner, LogError> {
    let secret = zeroize::Zeroizing::new(disk.read(&dir.join(PRIVATE_KEY), LARGEST_KEY)?);
    let secret =
        std::str::from_utf8(&secret).map_err(|_| wrong_key("it is not text".to_owned(), PRIVATE_KEY))?;
    let signer = NoteSigner::from_secret_text(secret).map_err(|e| wrong_key(e.to_string(), PRIVATE_KEY))?;
    if read_public(disk, dir)? != *signer.public() {
        let why = "it is not the public half of the log's key".to_owned();
        return Err(wrong_key(why, PUBLIC_KEY));
    }
    Ok(signer)
}

fn read_public(disk: &dyn Disk, dir: &Path) -> Result<VerifierKey, LogError> {
    let text = disk.read(&dir.join(PUBLIC_KEY), LARGEST_KEY)?;
    VerifierKey::parse(&String::from_utf8_lossy(&text)).map_err(|e| wrong_key(e.to_string(), PUBLIC_KEY))
}

fn wrong_key(why: String, file: &str) -> LogError {
    LogError::Tampered(Flaw::new(FlawKind::Key, why).in_file(file))
}

/// The sizes of all kept checkpoints, ascending.
///
/// # Errors
/// The folder cannot be read, or has other names in it.
pub(crate) fn checkpoint_sizes(disk: &dyn Disk, dir: &Path) -> Result<Vec<u64>, lines::ReadError> {
    let mut sizes = Vec::new();
    for found in disk.list(&dir.join(CHECKPOINTS), MOST_CHECKPOINTS)? {
        // A crash while a checkpoint is written leaves its temporary file; it was never issued.
        if found.name.starts_with('.') && found.name.ends_with(".part") {
            continue;
        }
        let size = crate::tlog::checkpoint::parse_decimal(&found.name).ok_or_else(|| {
            let why = if is_left_over(&found.name) { LEFT_OVER } else { "the file's name is not a size" };
            Flaw::new(FlawKind::CheckpointForm, why).in_file(format!("{CHECKPOINTS}/{}", found.name))
        })?;
        sizes.push(size);
    }
    sizes.sort_unstable();
    Ok(sizes)
}

/// Reads a kept checkpoint and verifies its signature.
///
/// # Errors
/// It cannot be read, is not this log's, or is of another size than its name says.
pub(crate) fn read_checkpoint(
    disk: &dyn Disk,
    dir: &Path,
    key: &VerifierKey,
    size: u64,
) -> Result<Head, lines::ReadError> {
    let name = format!("{CHECKPOINTS}/{size}");
    let bytes = disk.read_beneath(dir, &name, LARGEST_NOTE as u64)?;
    let checkpoint = Checkpoint::verify(&bytes, key).map_err(|flaw| flaw.in_file(&name))?;
    if checkpoint.size != size {
        let detail = format!("the checkpoint is of {} entries, and its name says {size}", checkpoint.size);
        return Err(Flaw::new(FlawKind::CheckpointForm, detail).in_file(name).into());
    }
    // A checkpoint that verifies is UTF-8.
    let note = String::from_utf8(bytes.into_vec()).unwrap_or_default();
    Ok(Head { checkpoint, note })
}

/// The newest checkpoint, and whether `checkpoint` already is it. A crash can leave `checkpoint` one behind, never
/// ahead.
fn read_head(disk: &dyn Disk, dir: &Path, key: &VerifierKey) -> Result<(Head, bool), LogError> {
    let sizes = checkpoint_sizes(disk, dir)?;
    let missing = |detail: String| Flaw::new(FlawKind::CheckpointMissing, detail).in_file(CHECKPOINTS);
    let newest = *sizes.last().ok_or_else(|| missing("there is no checkpoint at all".to_owned()))?;
    let head = read_checkpoint(disk, dir, key, newest)?;
    let named = match disk.read(&dir.join(HEAD), LARGEST_NOTE as u64) {
        Ok(bytes) => bytes,
        Err(e) if e.is_missing() => return Ok((head, false)),
        Err(e) => return Err(e.into()),
    };
    if named == head.note.as_bytes() {
        return Ok((head, true));
    }
    let named = Checkpoint::verify(&named, key).map_err(|flaw| flaw.in_file(HEAD))?;
    if named.size >= newest || sizes.binary_search(&named.size).is_err() {
        let detail = format!("the checkpoint of {} entries that \"{HEAD}\" has was removed", named.size);
        return Err(missing(detail).into());
    }
    Ok((head, false))
}

/// The entries of a log, read file by file.
pub struct Entries {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    next: u64,
    size: u64,
    /// The entries of the file at hand, last first.
    waiting: Vec<EntryBuf>,
}

impl Iterator for Entries {
    type Item = Result<EntryBuf, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.size {
            return None;
        }
        if self.waiting.is_empty() {
            let chunk = match lines::Chunk::read(&*self.disk, &self.dir, self.next / LINES_PER_FILE) {
                Ok(chunk) => chunk,
                Err(e) => return self.stop(e.into()),
            };
            self.waiting = chunk.entries().rev().map(|(entry, _)| entry.to_owned()).collect();
        }
        match self.waiting.pop() {
            Some(found) if found.entry().seq() == self.next => {
                self.next += 1;
                Some(Ok(found))
            }
            _ => {
                let flaw = Flaw::new(FlawKind::Missing, "the entry was changed while the log was open");
                self.stop(flaw.at(self.next).into())
            }
        }
    }
}

impl Entries {
    fn stop(&mut self, error: LogError) -> Option<Result<EntryBuf, LogError>> {
        self.next = self.size;
        Some(Err(error))
    }
}

#[cfg(test)]
mod tests;
