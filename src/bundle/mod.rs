//! What crosses the gap: request and signed-bundle manifests, reading hostile media, writing media durably.

pub mod error;
pub mod evidence;
pub mod manifest;

pub use error::BundleError;
pub use evidence::{Wave, WaveStatus};
pub use manifest::{FileFacts, RequestKind, RequestManifest};
