//! What the log means: every act of the station, in lines that a Merkle tree and signed checkpoints ([`crate::tlog`])
//! hold together.
//!
//! What a line says is in one table ([`record`]), written in one form ([`event`]) and read only in that form ([`entry`]). [`store`] is the log on the station's disk, [`tiles`] its export for others' tools.

pub mod act;
pub mod acts;
pub mod anchors;
pub mod approval;
pub mod codec;
pub mod custody;
pub mod entry;
mod error;
pub mod event;
pub mod export;
pub mod field;
pub mod filter;
pub mod lines;
pub mod objects;
pub mod policy;
pub mod proofs;
pub mod record;
pub mod recovery;
pub mod rules;
pub mod state;
pub mod store;
pub mod summary;
pub mod tiles;
pub mod walk;

pub use act::{Act, SignedAct};
pub use acts::Acts;
pub use anchors::{Anchors, Demand, Hold, Overdue};
pub use approval::{Approval, Decision, SignedApproval};
pub use custody::Custody;
pub use entry::{Entry, EntryBuf};
pub use error::LogError;
pub use event::Event;
pub use filter::Filter;
pub use proofs::Proofs;
pub use record::{Kind, Record};
pub use recovery::{Aside, OpenIntent, Recovery};
pub use state::State;
pub use store::{Entries, Head, Log};
