//! What the workstation remembers: layout on disk, trusted roots, policy, officers, key vault, requests, history.

pub mod backup;
pub mod custody;
pub mod history;
pub mod officer;
pub mod paper;
pub mod passphrase;
pub mod policy;
pub mod qr;
pub(crate) mod record;
pub mod restore;
pub mod seal;
pub mod sealed;
pub mod share;
pub mod sheet;
pub mod vault;

pub use history::{History, SeenMark, SignedMark, TagHistory};
pub use policy::{Policy, PolicyError};
