//! Checks that need no order: signatures and objects, done beside the pass over the lines.

use super::AuditError;
use super::judgement::Judgement;
use super::pack::Pack;
use super::signing::{check_manifest, check_version};
use crate::host::bytes::Bytes;
use crate::host::disk::DiskError;
use crate::ledger::requests::Asked;
use crate::ledger::tiles::{Tile, WIDTH, bundle_holds};
use crate::ledger::{SignedAct, SignedApproval, objects};
use crate::tlog::tree::Hash;
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::{Digest, PublicKey};
use std::io::ErrorKind;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};

/// One check.
pub(super) enum Job {
    /// A kept checkpoint must be signed by the log's key and say this root.
    Checkpoint { size: u64, root: Hash },
    /// An officer's decision must hold.
    Approval { seq: u64, approval: Box<SignedApproval> },
    /// An officer's signature under an act must hold.
    Act { seq: u64, signed: Box<SignedAct> },
    /// A TUF signature must hold over the bytes of an object.
    Signature { seq: u64, key: Box<PublicKey>, keyid: String, signed: String, version: u64, sig: Vec<u8> },
    /// The manifest of a request must say what the entry says.
    Manifest { seq: u64, request: Digest, asked: Box<Asked> },
    /// A review must say what the entry says of it.
    Review { seq: u64, review: Digest, judgement: Box<Judgement> },
    /// An object must have the digest that it is named after; `seq`: the first entry that names it.
    Object { seq: Option<u64>, digest: String },
    /// A tile, and for level 0 the bundle, must say what the lines say.
    Tile(Tile),
}

/// Where jobs are done: on the spot for a small log, on threads of their own for a large one.
pub(super) enum Queue<'a> {
    /// On the spot.
    Here(&'a Bench<'a>),
    /// Elsewhere.
    Elsewhere(SyncSender<Job>),
}

impl Queue<'_> {
    /// Has a job done.
    pub(super) fn add(&self, job: Job) {
        match self {
            Queue::Here(bench) => bench.work(&job),
            // The workers live as long as the queue.
            Queue::Elsewhere(queue) => queue.send(job).unwrap_or_default(),
        }
    }
}

/// Does jobs and keeps what they found.
pub(super) struct Bench<'a> {
    pack: &'a Pack<'a>,
    found: Mutex<Vec<Flaw>>,
    failed: Mutex<Option<AuditError>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(pack: &'a Pack<'a>) -> Bench<'a> {
        Bench { pack, found: Mutex::default(), failed: Mutex::default() }
    }

    /// Works until the queue ends.
    pub(super) fn work_off(&self, queue: &Mutex<Receiver<Job>>) {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match next {
                Ok(job) => self.work(&job),
                Err(_) => return,
            }
        }
    }

    /// What was found.
    ///
    /// # Errors
    /// A file could not be read.
    pub(super) fn outcome(self) -> Result<Vec<Flaw>, AuditError> {
        match self.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(self.found.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    fn work(&self, job: &Job) {
        match self.check(job) {
            Ok(()) => {}
            Err(AuditError::Flawed(flaw)) => {
                self.found.lock().unwrap_or_else(PoisonError::into_inner).push(flaw);
            }
            Err(AuditError::Disk(error)) if error.is_unfit() => {
                self.found.lock().unwrap_or_else(PoisonError::into_inner).push(unfit(job, &error));
            }
            Err(other) => {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(other);
            }
        }
    }

    fn check(&self, job: &Job) -> Result<(), AuditError> {
        let wrong =
            |kind: FlawKind, seq: u64, detail: &str| Err(AuditError::Flawed(Flaw::new(kind, detail).at(seq)));
        match job {
            Job::Checkpoint { size, root } => {
                let head = self.pack.checkpoint(*size)?;
                if head.checkpoint.root == *root {
                    return Ok(());
                }
                let detail = "the lines up to here do not give the root that the signed checkpoint over them has: \
                              this line, or one since the checkpoint before, was changed";
                let flaw = Flaw::new(FlawKind::Root, detail).at(size.saturating_sub(1));
                Err(AuditError::Flawed(flaw.in_file(format!("checkpoints/{size}"))))
            }
            Job::Approval { seq, approval } => match approval.holds() {
                true => Ok(()),
                false => wrong(
                    FlawKind::Approval,
                    *seq,
                    "the officer's signature under this decision does not hold",
                ),
            },
            Job::Act { seq, signed } => match signed.holds() {
                true => Ok(()),
                false => wrong(FlawKind::Act, *seq, "the officer's signature under the act does not hold"),
            },
            Job::Signature { seq, key, keyid, signed, version, sig } => {
                let bytes = match self.pack.object(signed) {
                    Err(AuditError::Flawed(flaw)) => return Err(AuditError::Flawed(flaw.at(*seq))),
                    other => other?,
                };
                match key.verify(&bytes, sig) {
                    true => check_version(&bytes, *version)
                        .or_else(|why| wrong(FlawKind::Contradiction, *seq, &why)),
                    false => {
                        let keyid = crate::text::shown(keyid);
                        let detail =
                            format!("the signature by key {keyid} does not hold over the signed bytes");
                        wrong(FlawKind::Signature, *seq, &detail)
                    }
                }
            }
            Job::Review { seq, review, judgement } => {
                let bytes = self.object_of(*seq, review)?;
                judgement.check(&bytes).or_else(|why| wrong(FlawKind::Contradiction, *seq, &why))
            }
            Job::Manifest { seq, request, asked } => {
                let bytes = self.object_of(*seq, request)?;
                check_manifest(asked, &bytes).or_else(|why| wrong(FlawKind::Contradiction, *seq, &why))
            }
            Job::Tile(tile) => self.check_tile(tile),
            Job::Object { seq, digest } => {
                match objects::get(self.pack.disk(), self.pack.dir(), digest).map_err(AuditError::from) {
                    Ok(_) => Ok(()),
                    Err(AuditError::Flawed(flaw)) => {
                        Err(AuditError::Flawed(seq.map_or_else(|| flaw.clone(), |seq| flaw.clone().at(seq))))
                    }
                    Err(other) => Err(other),
                }
            }
        }
    }

    fn check_tile(&self, tile: &Tile) -> Result<(), AuditError> {
        let read = |name: &str, cap: usize| {
            self.pack.disk().read_beneath(self.pack.dir(), name, cap as u64).map_err(|e| {
                match e.source.kind() {
                    ErrorKind::NotFound => tile_flaw(tile, name, "it is missing"),
                    ErrorKind::FileTooLarge => tile_flaw(tile, name, "it is longer than it can be"),
                    _ => e.into(),
                }
            })
        };
        let name = tile.path();
        if *read(&name, WIDTH * 32)? != *tile.hashes.as_flattened() {
            return Err(tile_flaw(tile, &name, "the tile's hashes are not those of the lines"));
        }
        let name = tile.bundle_path();
        if tile.level == 0 && !bundle_holds(&read(&name, WIDTH * 65_537)?, &tile.hashes) {
            return Err(tile_flaw(tile, &name, "the bundle's entries are not the lines"));
        }
        Ok(())
    }

    /// An object that an entry names; what is wrong with it is wrong at the entry.
    fn object_of(&self, seq: u64, digest: &Digest) -> Result<Bytes, AuditError> {
        match self.pack.object(&digest.to_string()) {
            Err(AuditError::Flawed(flaw)) => Err(AuditError::Flawed(flaw.at(seq))),
            other => other,
        }
    }
}

/// The flaw of a job whose file is a link, a special file, or too long.
fn unfit(job: &Job, error: &DiskError) -> Flaw {
    let flaw = |kind| Flaw::new(kind, error.to_string());
    match job {
        Job::Checkpoint { size, .. } => flaw(FlawKind::CheckpointForm).at(size.saturating_sub(1)),
        Job::Approval { seq, .. } => flaw(FlawKind::Approval).at(*seq),
        Job::Act { seq, .. } => flaw(FlawKind::Act).at(*seq),
        Job::Signature { seq, .. }
        | Job::Manifest { seq, .. }
        | Job::Review { seq, .. }
        | Job::Object { seq: Some(seq), .. } => flaw(FlawKind::Object).at(*seq),
        Job::Object { seq: None, .. } => flaw(FlawKind::Object),
        Job::Tile(tile) => flaw(FlawKind::Tile).at(first_entry(tile)),
    }
}

/// The first entry that a tile covers.
fn first_entry(tile: &Tile) -> u64 {
    let entries = (WIDTH as u64).saturating_pow(u32::try_from(tile.level + 1).unwrap_or(u32::MAX));
    tile.number.saturating_mul(entries)
}

/// A flaw of a tile, at the first entry that it covers.
fn tile_flaw(tile: &Tile, name: &str, detail: &str) -> AuditError {
    let flaw = Flaw::new(FlawKind::Tile, detail).at(first_entry(tile));
    AuditError::Flawed(flaw.in_file(name))
}
