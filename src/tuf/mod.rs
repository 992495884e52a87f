//! What the metadata means: dialects, keys and key ids, signatures and thresholds, the root chain, targets.
//!
//! Everything here borrows from a [`crate::json::Document`] and keeps what it does not know: a typed model reads the
//! members that it needs, and what is signed is always the document's own bytes in canonical form.

#[cfg(feature = "station")]
pub(crate) mod archive;
pub(crate) mod chain;
pub(crate) mod delegation;
pub(crate) mod dialect;
pub(crate) mod digest;
pub(crate) mod error;
#[cfg(feature = "station")]
pub(crate) mod generate;
pub(crate) mod key;
pub mod keyfile;
pub(crate) mod message;
pub(crate) mod metadata;
pub(crate) mod paths;
#[cfg(feature = "station")]
mod pkcs8;
#[cfg(feature = "station")]
pub(crate) mod private;
pub(crate) mod root;
mod sha512;
pub(crate) mod signature;
mod specification;
pub(crate) mod target;
pub(crate) mod targets;

pub use chain::Chain;
pub use delegation::Authority;
pub(crate) use delegation::{Delegation, Delegations};
pub use dialect::Dialect;
pub use digest::Digest;
pub(crate) use error::TufError;
pub use key::{KeyId, PublicKey};
pub use message::Message;
pub(crate) use metadata::Metadata;
#[cfg(feature = "station")]
pub use private::PrivateKey;
pub use root::Root;
pub(crate) use signature::Signature;
pub(crate) use target::Target;
pub use targets::Targets;

#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod specification_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof_tests;
