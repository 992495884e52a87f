//! A public key's file, as `ci-targets.pub`.

use super::{PublicKey, TufError};
use crate::json::{Document, Limits};

/// A key file longer than this is refused.
const MAX_PUBLIC_BYTES: u64 = 64 << 10;

/// Reads a `.pub` file: `{"keytype":…,"keyval":{"public":…}}`; `None` for what is not one.
#[cfg(feature = "station")]
pub(super) fn parse_public(path: &str, content: &[u8]) -> Option<PublicKey> {
    let document = Document::parse(path, content, Limits::of_bytes(MAX_PUBLIC_BYTES)).ok()?;
    super::Dialect::Factory.parse_key(document.root()).ok()
}

/// Reads a public key file such as `ci-targets.pub`.
///
/// # Errors
/// It is not `{"keytype":…,"keyval":{"public":…}}` with a key of a known type.
pub fn public_key(name: &str, content: &[u8]) -> Result<PublicKey, TufError> {
    let document = Document::parse(name, content, Limits::of_bytes(MAX_PUBLIC_BYTES))?;
    super::Dialect::Factory.parse_key(document.root())
}
