//! A transparency log's public formats: RFC 6962 tree ([`tree`]), C2SP signed notes ([`note`]), checkpoints
//! ([`checkpoint`]), witnesses' cosignatures ([`cosignature`]), and proofs that a line is in the log ([`proof`]) and that
//! a log continues an earlier one ([`consistency`]). Others' tools read them; nothing here knows what a line means.

pub mod checkpoint;
pub mod consistency;
pub mod cosignature;
pub mod flaw;
pub mod note;
pub mod proof;
pub mod tree;

pub use flaw::{Flaw, FlawKind};
pub use note::VerifierKey;
