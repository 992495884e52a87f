//! What the log means: every act of the station, in lines that a Merkle tree and signed checkpoints ([`crate::tlog`])
//! hold together.
//!
//! What a line says is in one table ([`record`]), written in one form ([`event`]) and read only in that form ([`entry`]). [`store`] is the log on the station's disk, [`tiles`] its export for others' tools.

pub(crate) mod act;
pub(crate) mod acts;
pub(crate) mod anchors;
pub(crate) mod approval;
pub(crate) mod codec;
pub(crate) mod custody;
pub(crate) mod decisions;
pub(crate) mod entry;
mod error;
pub(crate) mod event;
pub mod export;
pub(crate) mod field;
pub(crate) mod filter;
pub(crate) mod lines;
pub(crate) mod objects;
pub(crate) mod policy;
pub(crate) mod proofs;
pub(crate) mod record;
pub(crate) mod recovery;
pub(crate) mod requests;
pub(crate) mod rules;
pub(crate) mod state;
pub(crate) mod store;
pub(crate) mod summary;
pub(crate) mod tiles;
pub(crate) mod walk;

pub use act::{Act, SignedAct};
pub(crate) use acts::Acts;
pub(crate) use anchors::{Anchors, Bar, Demand, Hold, Overdue};
pub use approval::{Approval, Decision, SignedApproval};
pub(crate) use custody::Custody;
pub use entry::Entry;
pub(crate) use entry::EntryBuf;
pub use error::LogError;
pub use event::Event;
pub(crate) use filter::Filter;
pub(crate) use proofs::Proofs;
pub use record::{Kind, Record};
pub(crate) use recovery::Recovery;
pub(crate) use state::State;
pub use store::Log;
