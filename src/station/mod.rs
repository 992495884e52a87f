//! What the workstation remembers: layout on disk, trusted roots, policy, requests, history.

pub mod error;
mod heads;
pub mod history;
pub mod layout;
pub mod logged;

pub mod request;
pub mod shown;
pub mod since;
pub mod taken;
pub mod trust;
pub mod workstation;

pub use crate::ledger::policy::{self, Policy, PolicyError};
pub use error::StationError;
pub use history::{History, SeenMark, SignedMark, TagHistory};
pub use layout::Layout;
pub use logged::Logged;
pub use request::StoredRequest;
pub use shown::{Shown, ShownReview};
pub use since::Since;
pub use taken::Taken;
pub use trust::Trust;
pub use workstation::{Inheritance, NewStation, Session, Station};
