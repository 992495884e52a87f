//! The keys of a made-up Factory: ed25519, all from the seed, worth nothing anywhere else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The DER of an ed25519 SubjectPublicKeyInfo (RFC 8410) before its 32 bytes.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A made-up key with its Factory key id.
pub(super) struct MadeUpKey {
    signing: SigningKey,
    id: String,
}

impl MadeUpKey {
    /// The key that a Factory of this name and seed has for a purpose.
    pub(super) fn derive(seed: u64, factory: &str, purpose: &str) -> MadeUpKey {
        let mut hash = Sha256::new();
        for part in ["a key for rehearsals", factory, purpose] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update(seed.to_be_bytes());
        MadeUpKey::from_seed(&hash.finalize().into())
    }

    /// The key with this RFC 8032 private key.
    pub(super) fn from_seed(seed: &[u8; 32]) -> MadeUpKey {
        let signing = SigningKey::from_bytes(seed);
        let id =
            hex::encode(Sha256::new().chain_update(SPKI).chain_update(signing.verifying_key()).finalize());
        MadeUpKey { signing, id }
    }

    /// SHA-256 of the DER SubjectPublicKeyInfo, in hex.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The public key as root and `.pub` files hold it.
    pub(super) fn public(&self) -> Value {
        json!({"keytype": "ED25519", "keyval": {"public": hex::encode(self.signing.verifying_key())}})
    }

    /// The private key as `.sec` files hold it.
    pub(super) fn private(&self) -> Value {
        json!({"keytype": "ED25519", "keyval": {"private": hex::encode(self.signing.to_bytes())}})
    }

    /// A signature over canonical bytes as the Factory dialect writes it.
    pub(super) fn sign(&self, canonical: &[u8]) -> Value {
        let signature = STANDARD.encode(self.signing.sign(canonical).to_bytes());
        json!({"keyid": self.id, "method": "ed25519", "sig": signature})
    }

    /// Is this base64 text this key's signature over these bytes?
    pub(super) fn verifies(&self, canonical: &[u8], signature: &str) -> bool {
        let bytes = STANDARD.decode(signature).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        bytes.is_some_and(|bytes| {
            self.signing.verifying_key().verify_strict(canonical, &Signature::from_bytes(&bytes)).is_ok()
        })
    }
}
