//! A transparency log's public formats: RFC 6962 tree ([`tree`]), C2SP signed notes ([`note`]), checkpoints
//! ([`checkpoint`]), witnesses' cosignatures ([`cosignature`]), and proofs that a line is in the log ([`proof`]) and that
//! a log continues an earlier one ([`consistency`]). Others' tools read them; nothing here knows what a line means.

pub(crate) mod checkpoint;
pub mod consistency;
pub(crate) mod cosignature;
pub(crate) mod flaw;
pub(crate) mod note;
pub(crate) mod proof;
pub(crate) mod tree;

pub(crate) use flaw::Flaw;
pub use flaw::FlawKind;
pub use note::VerifierKey;
