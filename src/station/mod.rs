//! What the workstation remembers: layout on disk, trusted roots, policy, officers, key vault, requests, history.

pub mod history;
pub mod policy;

pub use history::{History, SeenMark, SignedMark, TagHistory};
pub use policy::{Policy, PolicyError};
