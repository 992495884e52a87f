//! What the metadata means: dialects, keys and key ids, signatures and thresholds, the root chain, targets.
//!
//! Everything here borrows from a [`crate::json::Document`] and keeps what it does not know: a typed model reads the
//! members that it needs, and what is signed is always the document's own bytes in canonical form.

#[cfg(feature = "station")]
pub mod archive;
pub mod chain;
pub mod delegation;
pub mod dialect;
pub mod digest;
pub mod error;
#[cfg(feature = "station")]
pub mod generate;
pub mod key;
pub mod keyfile;
pub mod message;
pub mod metadata;
#[cfg(feature = "station")]
mod pkcs8;
#[cfg(feature = "station")]
pub mod private;
pub mod root;
mod sha512;
pub mod signature;
mod specification;
pub mod target;
pub mod targets;

pub use chain::Chain;
pub use delegation::{Authority, Delegated, Delegation, Delegations, Paths};
pub use dialect::Dialect;
pub use digest::Digest;
pub use error::TufError;
pub use key::{KeyId, PublicKey};
pub use message::Message;
pub use metadata::Metadata;
#[cfg(feature = "station")]
pub use private::PrivateKey;
pub use root::Root;
pub use signature::Signature;
pub use target::Target;
pub use targets::Targets;

#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod specification_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof_tests;
