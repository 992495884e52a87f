//! The Merkle tree of RFC 6962 (SHA-256; leaf `0x00 || line`, node `0x01 || left || right`): roots in one pass with a
//! logarithm of memory, and proofs that a line is in the log and that a later log continues an earlier one.

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash of a leaf: RFC 6962, section 2.1.
pub fn leaf_hash(line: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(line).finalize().into()
}

/// The hash of an inner node: RFC 6962, section 2.1.
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1u8; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// A tree that only grows: the roots of its perfect subtrees, largest first.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Tree {
        Tree::default()
    }

    /// A tree of these leaf hashes.
    pub(crate) fn of(leaves: &[Hash]) -> Tree {
        let mut tree = Tree::new();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        tree
    }

    /// Adds a leaf's hash.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each 1 at the end of the size is a perfect subtree that the new leaf completes to the next larger one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The root; that of the empty tree is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut from_right = self.peaks.iter().rev();
        match from_right.next() {
            None => Sha256::digest([]).into(),
            Some(last) => from_right.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

/// Every perfect subtree of a tree, for many roots and proofs from one reading of the lines: twice the leaves' memory.
#[derive(Clone, Debug)]
pub struct Nodes {
    /// `levels[k][i]` is the root over the leaves from `i << k` to `(i + 1) << k`.
    levels: Vec<Vec<Hash>>,
}

impl Nodes {
    /// The subtrees over these leaf hashes.
    pub fn of(leaves: Vec<Hash>) -> Nodes {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
            levels.push(above);
        }
        Nodes { levels }
    }

    fn leaves(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// The root over the first `size` leaves; `None` when there are not so many.
    pub(crate) fn root(&self, size: u64) -> Option<Hash> {
        let size = usize::try_from(size).ok().filter(|size| *size <= self.leaves())?;
        if size == 0 { Some(Tree::new().root()) } else { self.over(0, size) }
    }

    /// The root over the leaves from `start` to `end`, as RFC 6962 splits them.
    fn over(&self, start: usize, end: usize) -> Option<Hash> {
        let size = end.checked_sub(start).filter(|size| *size > 0)?;
        if size.is_power_of_two() {
            let level = size.trailing_zeros() as usize;
            return self.levels.get(level)?.get(start >> level).copied();
        }
        let middle = start + split(size);
        Some(node_hash(&self.over(start, middle)?, &self.over(middle, end)?))
    }

    /// The inclusion proof of the leaf at `index` in the tree of the first `size` leaves, from the leaf's sibling to the
    /// root's child: RFC 6962, section 2.1.1. `None` when there is no such leaf or tree.
    pub(crate) fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        let (index, size) = (usize::try_from(index).ok()?, usize::try_from(size).ok()?);
        if index >= size || size > self.leaves() {
            return None;
        }
        let (mut start, mut end, mut proof) = (0, size, Vec::new());
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                proof.push(self.over(middle, end)?);
                end = middle;
            } else {
                proof.push(self.over(start, middle)?);
                start = middle;
            }
        }
        proof.reverse();
        Some(proof)
    }

    /// The proof that the tree of the first `new` leaves continues the tree of the first `old`: RFC 6962, section 2.1.2.
    /// Nothing where `old` is 0 or `new`; `None` when there are no such trees.
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        let (old, new) = (usize::try_from(old).ok()?, usize::try_from(new).ok()?);
        if old > new || new > self.leaves() {
            return None;
        }
        let (mut start, mut end, mut proof) = (0, new, Vec::new());
        // As long as the old tree is a left edge of the new one, its root is known to the verifier.
        let mut is_known = true;
        while old > 0 && old < end {
            let middle = start + split(end - start);
            if old <= middle {
                proof.push(self.over(middle, end)?);
                end = middle;
            } else {
                proof.push(self.over(start, middle)?);
                start = middle;
                is_known = false;
            }
        }
        if !is_known {
            proof.push(self.over(start, end)?);
        }
        proof.reverse();
        Some(proof)
    }
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// Does this proof lead from the leaf to the root? RFC 9162, section 2.1.3.2.
pub(crate) fn includes(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Does this proof show that the later tree continues the earlier one? RFC 9162, section 2.1.4.2. Every tree continues
/// the empty one.
pub fn continues(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 {
        return proof.is_empty() && *old_root == Tree::new().root();
    }
    if old_size >= new_size {
        return old_size == new_size && proof.is_empty() && old_root == new_root;
    }
    // A perfect old tree is itself the first step.
    let mut steps = proof.iter();
    let first = if old_size.is_power_of_two() { Some(old_root) } else { steps.next() };
    let Some(first) = first else { return false };
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(step, &old_hash);
            new_hash = node_hash(step, &new_hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
mod tests;
