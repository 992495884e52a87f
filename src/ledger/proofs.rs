//! The tree over a log's lines, read once: roots at any size, receipts for entries, and proofs that the log continues its
//! earlier heads.

use super::error::LogError;
use super::lines::{Chunk, LINES_PER_FILE, count_files, each_chunk};
use super::store::{Head, wrong_root};
use crate::host::Disk;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::proof::Proof;
use crate::tlog::tree::{Hash, Nodes, includes};
use std::path::Path;

/// The tree over the lines of a log in a folder.
pub(crate) struct Proofs {
    nodes: Nodes,
}

impl Proofs {
    /// Reads the lines up to a head, which they must give.
    ///
    /// # Errors
    /// They cannot be read, or do not give the head's root.
    pub(crate) fn read(disk: &dyn Disk, dir: &Path, head: &Checkpoint) -> Result<Proofs, LogError> {
        let most = usize::try_from(head.size).unwrap_or(usize::MAX);
        let mut leaves: Vec<Hash> = Vec::new();
        each_chunk(disk, dir, 0, count_files(disk, dir)?, |chunk| -> Result<bool, LogError> {
            let left = most - leaves.len();
            leaves.extend(chunk.entries().take(left).map(|(_, leaf)| *leaf));
            Ok(leaves.len() < most)
        })?;
        let nodes = Nodes::of(leaves);
        if nodes.root(head.size) != Some(head.root) {
            return Err(wrong_root(head).into());
        }
        Ok(Proofs { nodes })
    }

    /// The root over the first `size` lines; `None` when there are not so many.
    pub(crate) fn root(&self, size: u64) -> Option<Hash> {
        self.nodes.root(size)
    }

    /// The proof that the log of `new` lines continues that of `old`; `None` when there are no such sizes.
    pub(crate) fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        self.nodes.consistency(old, new)
    }

    /// The receipt for an entry: its inclusion proof under a head of this log, with the line itself.
    ///
    /// # Errors
    /// The head does not cover the entry, or the line cannot be read.
    pub(crate) fn receipt(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        head: &Head,
        seq: u64,
    ) -> Result<Proof, LogError> {
        let size = head.checkpoint.size;
        let hashes = self.nodes.inclusion(seq, size).ok_or(LogError::NoEntry(seq, size))?;
        let chunk = Chunk::read(disk, dir, seq / LINES_PER_FILE)?;
        let found = chunk.entries().find(|(entry, _)| entry.seq() == seq);
        let is_in = |leaf: &Hash| includes(leaf, seq, size, &hashes, &head.checkpoint.root);
        let Some((entry, _)) = found.filter(|(_, leaf)| is_in(leaf)) else {
            return Err(wrong_root(&head.checkpoint).into());
        };
        Ok(Proof { line: Some(entry.line().to_vec()), index: seq, hashes, checkpoint: head.note.clone() })
    }
}
