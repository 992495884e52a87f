//! The tamper-evident log: entry, Merkle tree, note, checkpoint, proof, store; no knowledge of TUF.
