//! The tamper-evident log: every act of the station, in lines that a Merkle tree and signed checkpoints hold together.
//!
//! It knows nothing of TUF. Formats are public ones, so that others' tools read it: an RFC 6962 tree ([`tree`]), C2SP
//! signed notes ([`note`]), checkpoints ([`checkpoint`]), proofs ([`proof`]) and tiles ([`tiles`]). What a line holds is
//! in one table ([`kind`]), written in one form ([`event`]) and read only in that form ([`line`](mod@line), [`entry`]).
//! [`store`] is the log on the station's disk.

pub mod approval;
pub mod checkpoint;
pub mod custody;
pub mod entry;
mod error;
pub mod event;
pub mod export;
pub mod filter;
pub mod flaw;
pub mod kind;
pub mod line;
pub mod lines;
pub mod note;
pub mod objects;
pub mod proof;
pub mod recovery;
pub mod store;
pub mod summary;
pub mod tiles;
pub mod tree;
pub mod walk;

pub use approval::{Approval, Decision, SignedApproval};
pub use custody::Custody;
pub use entry::{Entry, EntryBuf};
pub use error::LogError;
pub use event::Event;
pub use filter::Filter;
pub use flaw::{Flaw, FlawKind};
pub use kind::Kind;
pub use note::VerifierKey;
pub use recovery::{OpenIntent, Recovery, Torn};
pub use store::{Appended, Entries, Head, Log};
