//! One pass over a pack in which nothing is believed: lines, tree, checkpoints, signatures, quorums, objects, times.

use super::AuditError;
use super::clock::ClockWatch;
use super::facts::Facts;
use super::jobs::{Bench, Job, Queue};
use super::pack::Pack;
use super::plain::plain_remark;
use super::remark::{Remark, RemarkKind};
use crate::host::clock::Time;
use crate::host::disk::{DiskError, Kind as FileKind};
use crate::host::left_over::{LEFT_OVER, is_left_over};
use crate::ledger::lines::{Chunk, each_chunk, look_at_files};
use crate::ledger::record::{LogExported, LogVerified};
use crate::ledger::recovery::OpenIntent;
use crate::ledger::store::Head;
use crate::ledger::tiles::{self, Tile, Tiler};
use crate::ledger::walk::{Walk, blame};
use crate::ledger::{Anchors, Entry, Kind, Proofs, Record, objects};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::tree::{Hash, Tree};
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::Digest;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;

/// From so many files of lines on, signatures are verified on threads of their own.
const MANY_FILES: u64 = 4;
/// Threads that verify signatures and objects.
const WORKERS: usize = 2;
/// The most objects that are listed.
const MOST_OBJECTS: usize = 4_000_000;
/// The most flaws that are kept.
const MOST_FLAWS: usize = 1_000;

/// What to look at besides everything.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Lines after the last checkpoint are no flaw: for a station's own log, not for a pack.
    pub allow_uncovered: bool,
    /// Sizes at which the root is wanted, to compare with checkpoints from elsewhere.
    pub watch: Vec<u64>,
}

/// What an examination found.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The newest checkpoint, when its signature holds.
    pub head: Option<Head>,
    /// Entries that were read and stand in their places.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Roots at the sizes that were asked for, as far as the lines reach.
    pub roots: BTreeMap<u64, Hash>,
    /// Everything that is wrong, the first bad entry first. Empty: the log is whole.
    pub flaws: Vec<Flaw>,
    /// How many remarks of each kind.
    pub remarks: BTreeMap<RemarkKind, u64>,
    /// How many entries of each kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// TUF signatures that were verified.
    pub signatures: u64,
    /// Checkpoints that were verified.
    pub checkpoints: u64,
    /// Objects that are there, each with the right digest.
    pub objects: u64,
    /// When the first and the last entry were written.
    pub period: Option<(Time, Time)>,
    /// Intents to sign without a result.
    pub open_intents: Vec<OpenIntent>,
    /// Heads that came back, and witnesses: what the log says of them.
    pub anchors: Anchors,
    /// The notes of heads that came back and that the log continues, by the names of their objects.
    pub notes: BTreeSet<String>,
}

/// What is handed every entry that stands in its place, with the remarks about it.
pub(crate) type Visit<'v> = dyn FnMut(&Entry<'_>, &[Remark]) -> Result<(), AuditError> + 'v;

/// Why the pass over the lines stops.
enum Stop {
    Flaw(Flaw),
    Failed(AuditError),
}

impl From<DiskError> for Stop {
    fn from(error: DiskError) -> Stop {
        match error.is_unfit() {
            true => Stop::Flaw(Flaw::new(FlawKind::Files, error.to_string())),
            false => Stop::Failed(error.into()),
        }
    }
}

/// Examines a pack. `visit` is handed every entry that stands in its place, with the remarks about it.
///
/// # Errors
/// A file cannot be read, or `visit` fails. What is wrong with the log is no error: it is in the result.
pub(crate) fn examine(
    pack: &Pack<'_>,
    options: &Options,
    visit: &mut Visit<'_>,
) -> Result<Examination, AuditError> {
    let bench = Bench::new(pack);
    let mut pass = Pass::new(pack, options);
    let listed = look_at_files(pack.disk(), pack.dir()).map_err(AuditError::from);
    let (files, flaw) = pass.keep(listed)?.unwrap_or_default();
    pass.flaws.extend(flaw);
    if files < MANY_FILES {
        pass.run(files, &Queue::Here(&bench), visit)?;
    } else {
        let (send, receive) = sync_channel(512);
        let receive = Mutex::new(receive);
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| bench.work_off(&receive));
            }
            // The workers end when the queue is dropped here.
            pass.run(files, &Queue::Elsewhere(send), visit)
        })?;
    }
    let found = bench.outcome()?;
    Ok(pass.finish(found))
}

struct Pass<'a> {
    pack: &'a Pack<'a>,
    options: &'a Options,
    walk: Walk,
    /// The tree when the last command began.
    at_session: Option<Tree>,
    facts: Facts<'a>,
    clock: ClockWatch,
    /// Where the pack has tiles for other verifiers.
    tiler: Option<Tiler>,
    head: Option<Head>,
    sizes: Vec<u64>,
    checkpoints: u64,
    /// The lines' roots at the sizes of the kept checkpoints.
    kept: HashMap<u64, Hash>,
    objects: u64,
    roots: BTreeMap<u64, Hash>,
    flaws: Vec<Flaw>,
    remarks: BTreeMap<RemarkKind, u64>,
    kinds: [u64; Kind::ALL.len()],
    period: Option<(Time, Time)>,
}

impl<'a> Pass<'a> {
    fn new(pack: &'a Pack<'a>, options: &'a Options) -> Pass<'a> {
        Pass {
            pack,
            options,
            walk: Walk::default(),
            at_session: None,
            facts: Facts::new(pack),
            clock: ClockWatch::default(),
            tiler: None,
            head: None,
            sizes: Vec::new(),
            checkpoints: 0,
            kept: HashMap::new(),
            objects: 0,
            roots: BTreeMap::new(),
            flaws: Vec::new(),
            remarks: BTreeMap::new(),
            kinds: [0; Kind::ALL.len()],
            period: None,
        }
    }

    fn run(&mut self, files: u64, queue: &Queue<'_>, visit: &mut Visit<'_>) -> Result<(), AuditError> {
        let head = self.pack.head();
        self.head = self.keep(head)?;
        let sizes = self.pack.checkpoint_sizes();
        self.sizes = self.keep(sizes)?.unwrap_or_default();
        if self.pack.disk().kind(&self.pack.dir().join(tiles::FOLDER))?.is_some() {
            self.tiler = Some(Tiler::default());
        }
        self.at_size(queue);
        let outcome = each_chunk(self.pack.disk(), self.pack.dir(), 0, files, |chunk| {
            self.chunk(chunk, chunk.number() + 1 == files, queue, visit).map(|()| true)
        });
        match outcome {
            Ok(()) => {
                if let Some(tiler) = self.tiler.take() {
                    tiler.finish(&mut |tile| tile_job(queue, tile))?;
                }
                self.compare_with_head();
                self.compare_claims()?;
                self.check_objects(queue)
            }
            Err(Stop::Flaw(flaw)) => {
                let head = self.head.as_ref().map(|head| &head.checkpoint);
                self.flaws.push(blame(self.pack.disk(), self.pack.dir(), flaw, head));
                Ok(())
            }
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// Keeps a flaw for the result, and passes on any other error.
    fn keep<T>(&mut self, outcome: Result<T, AuditError>) -> Result<Option<T>, AuditError> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(AuditError::Flawed(flaw)) => {
                // A broken log breaks everything after it; a thousand sentences say that as well as a million.
                if self.flaws.len() < MOST_FLAWS {
                    self.flaws.push(flaw);
                }
                Ok(None)
            }
            // Somebody put a link, a pipe or a giant there: what it stands for is not there.
            Err(AuditError::Disk(error)) if error.is_unfit() => {
                self.flaws.push(Flaw::new(FlawKind::Files, error.to_string()));
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    fn chunk(
        &mut self,
        chunk: &Chunk,
        is_last: bool,
        queue: &Queue<'_>,
        visit: &mut Visit<'_>,
    ) -> Result<(), Stop> {
        let mut said = Vec::new();
        let mut remarks = Vec::new();
        for (entry, leaf) in chunk.entries() {
            if let Some(flaw) = self.claims_another_root(&entry) {
                self.keep::<()>(Err(AuditError::Flawed(flaw.in_file(chunk.file())))).map_err(Stop::Failed)?;
            }
            self.walk.step(&entry, leaf).map_err(|flaw| Stop::Flaw(flaw.in_file(chunk.file())))?;
            if let Some(tiler) = &mut self.tiler {
                tiler.push(*leaf, &mut |tile| tile_job(queue, tile))?;
            }
            self.at_size(queue);
            said.extend(self.clock.see(&entry));
            said.extend(plain_remark(&entry));
            let judged = self.facts.see(&entry, queue, &mut said);
            self.keep(judged.map_err(|error| in_file(error, chunk))).map_err(Stop::Failed)?;
            let (seq, time) = (entry.seq(), entry.time());
            remarks.extend(said.drain(..).map(|(kind, text)| Remark { kind, seq, time, text }));
            for remark in &remarks {
                *self.remarks.entry(remark.kind).or_insert(0) += 1;
            }
            if let Some(count) = self.kinds.get_mut(entry.kind() as usize) {
                *count += 1;
            }
            self.period = Some((self.period.map_or(time, |(first, _)| first), time));
            visit(&entry, &remarks).map_err(Stop::Failed)?;
            remarks.clear();
        }
        chunk.check(is_last).map_err(Stop::Flaw)?;
        match chunk.torn() {
            Some(_) if !self.options.allow_uncovered => {
                let flaw = Flaw::new(FlawKind::Torn, "the last line is cut off").at(chunk.next_seq());
                Err(Stop::Flaw(flaw.in_file(chunk.file())))
            }
            _ => Ok(()),
        }
    }

    /// What `log.exported` and `log.verified` say of the tree is how it was right before, or before the command began.
    fn claims_another_root(&mut self, entry: &Entry<'_>) -> Option<Flaw> {
        match entry.record() {
            Record::SessionOpened(_) => self.at_session = Some(self.walk.tree().clone()),
            Record::LogExported(LogExported { size, root, .. })
            | Record::LogVerified(LogVerified { size, root }) => {
                let fits = |tree: &Tree| tree.size() == *size && hex::encode(tree.root()) == **root;
                if !fits(self.walk.tree()) && !self.at_session.as_ref().is_some_and(fits) {
                    let why = "it names a size and root that the log did not have then";
                    return Some(Flaw::new(FlawKind::Contradiction, why).at(entry.seq()));
                }
            }
            _ => {}
        }
        None
    }

    /// Looks whether somebody has something to say about the tree as it is now.
    fn at_size(&mut self, queue: &Queue<'_>) {
        let size = self.walk.tree().size();
        if self.options.watch.contains(&size) {
            self.roots.insert(size, self.walk.tree().root());
        }
        let next = usize::try_from(self.checkpoints).unwrap_or(usize::MAX);
        if self.sizes.get(next) == Some(&size) {
            self.checkpoints += 1;
            let root = self.walk.tree().root();
            self.kept.insert(size, root);
            queue.add(Job::Checkpoint { size, root });
        }
    }

    fn compare_with_head(&mut self) {
        let found = self.walk.tree().size();
        // Without a head that verifies, that is the flaw.
        let Some(said) = self.head.as_ref().map(|head| head.checkpoint.size) else { return };
        if found < said {
            let detail = format!("the log ends after {found} entries, and its signed checkpoint says {said}");
            self.flaws.push(Flaw::new(FlawKind::Missing, detail).at(found));
        } else if found > said && !self.options.allow_uncovered {
            let detail = format!("{} entries stand after the last signed checkpoint", found - said);
            self.flaws.push(Flaw::new(FlawKind::Uncovered, detail).at(said));
        }
    }

    /// What entries say of heads that came back must be what the lines give.
    fn compare_claims(&mut self) -> Result<(), AuditError> {
        let claims = std::mem::take(&mut self.facts.claims);
        // Heads are mostly ones that were kept; another reading is for those that were not.
        let whole = match claims.iter().any(|claim| !self.kept.contains_key(&claim.size)) {
            true => Some(Proofs::read(self.pack.disk(), self.pack.dir(), &self.walked())?),
            false => None,
        };
        for claim in claims {
            let kept = self.kept.get(&claim.size).copied();
            let root = kept.or_else(|| whole.as_ref().and_then(|whole| whole.root(claim.size)));
            if root.is_none_or(|root| (root == claim.root) != claim.is_own) && self.flaws.len() < MOST_FLAWS {
                let why = if claim.is_own { "do not give its root" } else { "give this very root" };
                let detail = format!("the lines up to {} {why}", claim.size);
                self.flaws.push(Flaw::new(FlawKind::Contradiction, detail).at(claim.seq));
            }
        }
        Ok(())
    }

    /// What was read, as a head.
    fn walked(&self) -> Checkpoint {
        let (size, root) = (self.walk.tree().size(), self.walk.tree().root());
        Checkpoint { origin: self.pack.key().name().to_owned(), size, root }
    }

    /// Every object that an entry names must be there, and every object must have its digest.
    fn check_objects(&mut self, queue: &Queue<'_>) -> Result<(), AuditError> {
        let folder = self.pack.dir().join(objects::FOLDER);
        let listed = match self.pack.disk().list(&folder, MOST_OBJECTS) {
            Err(e) if e.is_missing() => Vec::new(),
            other => self.keep(other.map_err(AuditError::from))?.unwrap_or_default(),
        };
        let mut there = HashSet::with_capacity(listed.len());
        for found in listed {
            let is_leftover = found.name.starts_with('.') && found.name.ends_with(".part");
            match Digest::parse(&found.name).filter(|_| objects::is_digest(&found.name)) {
                Some(digest) if matches!(found.kind, FileKind::File(_)) => {
                    there.insert(digest);
                    let seq = self.facts.objects.get(&digest).copied();
                    queue.add(Job::Object { seq, digest: found.name });
                }
                // A crash while an object is written leaves its temporary file on the station.
                _ if is_leftover && self.options.allow_uncovered => {}
                _ => {
                    let strange = "it is not named after a digest, or not a file";
                    let why = if is_left_over(&found.name) { LEFT_OVER } else { strange };
                    let flaw = Flaw::new(FlawKind::Object, why);
                    self.flaws.push(flaw.in_file(format!("{}/{}", objects::FOLDER, found.name)));
                }
            }
        }
        self.objects = there.len() as u64;
        let missing: Vec<_> =
            self.facts.objects.iter().filter(|(digest, _)| !there.contains(digest)).collect();
        for (digest, seq) in missing.into_iter().take(MOST_FLAWS) {
            let flaw = Flaw::new(FlawKind::Object, "the object that the entry names is missing");
            self.flaws.push(flaw.at(*seq).in_file(format!("{}/{digest}", objects::FOLDER)));
        }
        Ok(())
    }

    fn finish(mut self, found: Vec<Flaw>) -> Examination {
        self.flaws.extend(found);
        // A tile that is wrong because a line was changed says less than the line.
        self.flaws.sort_by_key(|flaw| (flaw.kind == FlawKind::Tile, flaw.seq.unwrap_or(u64::MAX), flaw.kind));
        self.flaws.dedup();
        let kinds = Kind::ALL.iter().zip(self.kinds).filter(|(_, count)| *count > 0);
        Examination {
            head: self.head,
            size: self.walk.tree().size(),
            root: self.walk.tree().root(),
            roots: self.roots,
            flaws: self.flaws,
            remarks: self.remarks,
            kinds: kinds.map(|(kind, count)| (*kind, count)).collect(),
            signatures: self.facts.signatures,
            checkpoints: self.checkpoints,
            objects: self.objects,
            period: self.period,
            open_intents: self.facts.open_intents(),
            anchors: self.facts.state.anchors,
            notes: self.facts.notes,
        }
    }
}

/// A tile is compared beside the pass; queueing that cannot fail.
fn tile_job(queue: &Queue<'_>, tile: Tile) -> Result<(), DiskError> {
    queue.add(Job::Tile(tile));
    Ok(())
}

fn in_file(error: AuditError, chunk: &Chunk) -> AuditError {
    match error {
        AuditError::Flawed(flaw) => AuditError::Flawed(flaw.in_file(chunk.file())),
        other => other,
    }
}
