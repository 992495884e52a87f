//! What crosses the gap: request and signed-bundle manifests, reading hostile media, writing media durably.

pub(crate) mod anchors;
pub(crate) mod assemble;
pub(crate) mod compose;
pub(crate) mod downloads;
pub(crate) mod error;
pub(crate) mod evidence;
pub(crate) mod fingerprint;
pub(crate) mod intake;
pub(crate) mod manifest;
pub(crate) mod media;
pub(crate) mod repository;
pub(crate) mod signed;
pub(crate) mod slip;
pub(crate) mod source;
pub(crate) mod verify;

pub(crate) use error::BundleError;
pub use evidence::WaveList;
pub(crate) use evidence::{Wave, WaveStatus};
pub use manifest::{FileFacts, RequestKind, RequestManifest};

#[cfg(test)]
mod tests;
