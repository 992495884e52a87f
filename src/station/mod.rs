//! What the workstation remembers: layout on disk, trusted roots, policy, requests, history.

pub(crate) mod error;
mod heads;
pub(crate) mod history;
pub(crate) mod layout;
pub(crate) mod logged;
mod officers;

pub(crate) mod request;
pub(crate) mod shown;
pub(crate) mod signatures;
pub(crate) mod since;
pub(crate) mod taken;
pub(crate) mod trust;
pub(crate) mod workstation;

pub use crate::ledger::policy::Policy;
pub(crate) use crate::ledger::policy::{self, PolicyError};
pub(crate) use error::StationError;
pub use history::{History, TagHistory};
pub(crate) use history::{SeenMark, SignedMark};
pub(crate) use layout::Layout;
pub(crate) use logged::Logged;
pub use request::StoredRequest;
pub(crate) use shown::Shown;
pub(crate) use signatures::Made;
pub(crate) use since::Since;
pub(crate) use taken::Taken;
pub(crate) use trust::Trust;
pub(crate) use workstation::{Inheritance, NewStation};
pub use workstation::{Session, Station};
