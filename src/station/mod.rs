//! What the workstation remembers: layout on disk, trusted roots, policy, officers, key vault, requests, history.

pub mod backup;
pub mod custody;
pub mod error;
pub mod evidence;
pub mod history;
pub mod layout;
pub mod logged;
pub mod officer;
pub mod paper;
pub mod passphrase;
pub mod policy;
pub mod qr;
pub(crate) mod record;
pub mod request;
pub mod restore;
pub mod seal;
pub mod sealed;
pub mod share;
pub mod sheet;
pub mod shown;
pub mod trust;
pub mod vault;
pub mod workstation;

pub use error::StationError;
pub use evidence::Evidence;
pub use history::{History, SeenMark, SignedMark, TagHistory};
pub use layout::Layout;
pub use logged::Logged;
pub use policy::{Policy, PolicyError};
pub use request::StoredRequest;
pub use shown::{Shown, ShownReview};
pub use trust::Trust;
pub use workstation::{NewStation, Session, Station};
