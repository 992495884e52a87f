//! What the workstation remembers: layout on disk, trusted roots, policy, officers, key vault, requests, history.

pub mod custody;
pub mod history;
pub mod officer;
pub mod passphrase;
pub mod policy;
pub(crate) mod record;
pub mod seal;
pub mod share;
pub mod vault;

pub use history::{History, SeenMark, SignedMark, TagHistory};
pub use policy::{Policy, PolicyError};
