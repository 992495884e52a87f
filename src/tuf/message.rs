//! What a signature is over: the canonical form of `signed`, hashed where it stands.

use super::{Dialect, Digest, TufError};
use crate::json::Value;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::sync::OnceLock;

/// The canonical form of a document's `signed`. Costs nothing when the document already is canonical; otherwise the
/// form is streamed, or built once if somebody asks for it in one piece.
#[derive(Clone)]
pub struct Message<'d> {
    bytes: Cow<'d, [u8]>,
    /// Worked out when it is first asked for, and once.
    digest: OnceLock<Digest>,
    flaw: Option<String>,
}

impl<'d> Message<'d> {
    /// The message of a `signed` value.
    ///
    /// # Errors
    /// The dialect has no canonical form for it.
    pub fn of(signed: Value<'d>, dialect: Dialect) -> Result<Message<'d>, TufError> {
        if dialect.is_canonical(signed) {
            return Ok(Message::from_bytes(signed.span()));
        }
        let mut bytes = Vec::with_capacity(signed.span().len());
        dialect.write_canonical(signed, &mut |piece| bytes.extend_from_slice(piece))?;
        Ok(Message { bytes: Cow::Owned(bytes), ..Message::from_bytes(&[]) })
    }

    /// The message of a `signed` value that may have no canonical form: then its bytes are those of the document, no
    /// signature holds over them, and [`Message::flaw`] says why. For showing what must not be signed.
    pub(crate) fn of_any(signed: Value<'d>, dialect: Dialect) -> Message<'d> {
        Message::of(signed, dialect)
            .unwrap_or_else(|e| Message { flaw: Some(e.to_string()), ..Message::from_bytes(signed.span()) })
    }

    /// Why there is no canonical form, if there is none: nothing may be signed then.
    pub(crate) fn flaw(&self) -> Option<&str> {
        self.flaw.as_deref()
    }

    /// A message whose canonical bytes are at hand.
    pub(crate) fn from_bytes(bytes: &'d [u8]) -> Message<'d> {
        Message { bytes: Cow::Borrowed(bytes), digest: OnceLock::new(), flaw: None }
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Their SHA-256: what the officer confirms, and what RSA and ECDSA sign.
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| Digest(Sha256::digest(&self.bytes).into()))
    }
}
