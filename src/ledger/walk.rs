//! One pass over all lines: each stands at its place, names the hash of the one before, and goes into the tree.

use super::entry::{Entry, NO_PREVIOUS};
use super::lines::{Chunk, LINES_PER_FILE, each_chunk, file_name};
use crate::host::Disk;
use crate::host::disk::DiskError;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::flaw::{Flaw, FlawKind};
use crate::tlog::tree::{Hash, Tree};
use std::path::Path;

/// Where a pass stands.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    tree: Tree,
    last: Hash,
}

impl Default for Walk {
    fn default() -> Walk {
        Walk { tree: Tree::new(), last: NO_PREVIOUS }
    }
}

impl Walk {
    /// The tree over the lines so far.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The leaf hash of the last line.
    pub(crate) fn last(&self) -> &Hash {
        &self.last
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// The line's number is not its place, or it does not name the hash of the line before.
    pub(crate) fn step(&mut self, entry: &Entry<'_>, leaf: &Hash) -> Result<(), Flaw> {
        let place = self.tree.size();
        if entry.seq() != place {
            let detail = format!("the line here says that it is entry {}", entry.seq());
            return Err(Flaw::new(FlawKind::Sequence, detail).at(place));
        }
        if entry.prev() != &self.last {
            let detail = "the line does not name the hash of the line before it";
            return Err(Flaw::new(FlawKind::Previous, detail).at(place));
        }
        self.push(*leaf);
        Ok(())
    }

    /// Takes a leaf whose line was checked already.
    pub(crate) fn push(&mut self, leaf: Hash) {
        self.tree.push(leaf);
        self.last = leaf;
    }
}

/// A line that does not name the hash of the one before it: which of the two was changed? The line itself is whole when
/// the line after names its hash, or when it is the last and the signed head has it; then the one before was changed.
pub(crate) fn blame(disk: &dyn Disk, dir: &Path, flaw: Flaw, head: Option<&Checkpoint>) -> Flaw {
    let (FlawKind::Previous, Some(seq)) = (flaw.kind, flaw.seq) else { return flaw };
    let Some(before) = seq.checked_sub(1) else { return flaw };
    let is_whole = match (read(disk, dir, seq), read(disk, dir, seq + 1)) {
        (Some((_, leaf)), Some((next, _))) => next == leaf,
        (Some((prev, leaf)), None) => head.is_some_and(|head| {
            head.size == seq + 1 && root_with(disk, dir, before, &[prev, leaf]) == Some(head.root)
        }),
        _ => false,
    };
    if !is_whole {
        return flaw;
    }
    let detail = "the line was changed: its hash is not the one that the line after it names";
    Flaw::new(FlawKind::Previous, detail).at(before).in_file(file_name(before / LINES_PER_FILE))
}

/// What a line says about the one before it, and its leaf hash.
fn read(disk: &dyn Disk, dir: &Path, seq: u64) -> Option<(Hash, Hash)> {
    let chunk = Chunk::read(disk, dir, seq / LINES_PER_FILE).ok()?;
    let (entry, leaf) = chunk.entries().nth(usize::try_from(seq % LINES_PER_FILE).ok()?)?;
    Some((*entry.prev(), *leaf))
}

/// The root over the first lines as they are and some more leaves.
fn root_with(disk: &dyn Disk, dir: &Path, lines: u64, more: &[Hash]) -> Option<Hash> {
    let mut tree = Tree::new();
    let files = lines.div_ceil(LINES_PER_FILE);
    each_chunk(disk, dir, 0, files, |chunk| -> Result<bool, DiskError> {
        for (_, leaf) in chunk.entries() {
            if tree.size() < lines {
                tree.push(*leaf);
            }
        }
        Ok(true)
    })
    .ok()?;
    more.iter().for_each(|leaf| tree.push(*leaf));
    Some(tree.root())
}
