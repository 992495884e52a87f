//! What crosses the gap: request and signed-bundle manifests, reading hostile media, writing media durably.

pub mod anchors;
pub mod assemble;
pub mod compose;
pub mod downloads;
pub mod error;
pub mod evidence;
pub mod fingerprint;
pub mod intake;
pub mod manifest;
pub mod media;
pub mod repository;
pub mod signed;
pub mod slip;
pub mod source;
pub mod verify;

pub use error::BundleError;
pub use evidence::{Wave, WaveList, WaveStatus};
pub use manifest::{FileFacts, RequestKind, RequestManifest};

#[cfg(test)]
mod tests;
