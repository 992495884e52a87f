//! The private half of a key: opened for one signature, wiped when it is dropped.

use super::key::pem_body;
use super::{KeyId, PublicKey, TufError, sha512};
use crate::json::{Document, Limits};
use aws_lc_rs::signature as aws;
use aws_lc_rs::signature::KeyPair as _;
use zeroize::Zeroizing;

/// A private key. It cannot be shown, copied or written.
pub struct PrivateKey {
    material: Material,
    public: PublicKey,
}

enum Material {
    // Both wipe themselves: dalek by its `zeroize` feature, AWS-LC by OPENSSL_cleanse.
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Rsa(aws::RsaKeyPair),
}

/// A `.sec` file longer than this is not a key.
pub(crate) const MAX_PRIVATE_BYTES: u64 = 16 << 10;

impl PrivateKey {
    /// Reads a `.sec` file as fioctl writes it: `{"keytype":"ED25519","keyval":{"private":…}}`. An ed25519 value is
    /// the 32-byte seed, or seed and public key together (64 bytes), in hex; an RSA value is PKCS#1 in PEM.
    ///
    /// # Errors
    /// It is not such a file. The error never holds any of its content.
    pub fn parse(place: &str, secret: &[u8]) -> Result<PrivateKey, TufError> {
        let fail = |why: &str| TufError::key(place, why);
        let document = Document::parse("the private key", secret, Limits::of_bytes(MAX_PRIVATE_BYTES))
            .map_err(|_| fail("this is not a private key as fioctl writes it"))?;
        let root = document.root();
        let keytype = root.get("keytype").and_then(|value| value.as_str());
        let private =
            root.get("keyval").and_then(|value| value.get("private")).and_then(|value| value.as_str());
        let (Some(keytype), Some(private)) = (keytype, private) else {
            return Err(fail("the members keytype and keyval.private are needed"));
        };
        let private = Zeroizing::new(private.into_owned());
        match keytype.to_ascii_lowercase().as_str() {
            "ed25519" => PrivateKey::ed25519(&private).map_err(&fail),
            "rsa" => PrivateKey::rsa(&private).map_err(&fail),
            _ => Err(fail("its key type is neither ed25519 nor RSA")),
        }
    }

    fn ed25519(text: &str) -> Result<PrivateKey, &'static str> {
        let bytes = Zeroizing::new(hex::decode(text.trim()).map_err(|_| "the private value is not hex")?);
        let seed: &[u8; 32] = bytes.first_chunk().ok_or("an ed25519 private value has 32 or 64 bytes")?;
        let signing = Box::new(ed25519_dalek::SigningKey::from_bytes(seed));
        match bytes.get(32..) {
            Some([]) => {}
            Some(public) if public == signing.verifying_key().as_bytes() => {}
            Some(public) if public.len() == 32 => {
                return Err("its second half is not the public key of its first");
            }
            _ => return Err("an ed25519 private value has 32 or 64 bytes"),
        }
        let public = PublicKey::from_ed25519(signing.verifying_key());
        Ok(PrivateKey { material: Material::Ed25519(signing), public })
    }

    fn rsa(text: &str) -> Result<PrivateKey, &'static str> {
        let der = pem_body(text, "RSA PRIVATE KEY").ok_or("an RSA private value is PKCS#1 in PEM")?;
        let der = Zeroizing::new(der);
        let pair = aws::RsaKeyPair::from_der(&der)
            .map_err(|_| "this is not an RSA private key of 2,048 bits or more")?;
        let public = rsa_public(&pair).ok_or("its public half cannot be written")?;
        Ok(PrivateKey { material: Material::Rsa(pair), public })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a message: ed25519 (RFC 8032), or RSASSA-PSS with SHA-256 and a random salt of 32 bytes (RFC 8017).
    ///
    /// # Errors
    /// The library refuses, or there is no randomness.
    pub fn sign(&self, keyid: &KeyId, message: &[u8]) -> Result<Vec<u8>, TufError> {
        match &self.material {
            Material::Ed25519(key) => Ok(sha512::sign(key, message).to_bytes().to_vec()),
            Material::Rsa(pair) => {
                let mut signature = vec![0u8; pair.public_modulus_len()];
                pair.sign(
                    &aws::RSA_PSS_SHA256,
                    &aws_lc_rs::rand::SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .map_err(|_| TufError::Sign { keyid: keyid.clone(), why: "the RSA library refused" })?;
                Ok(signature)
            }
        }
    }
}

/// The public half of an RSA pair as PEM SubjectPublicKeyInfo, in lines of 64 characters as fioctl writes it.
fn rsa_public(pair: &aws::RsaKeyPair) -> Option<PublicKey> {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use base64::Engine as _;
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
    let der = der.as_ref().to_vec();
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in body.as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).ok()?);
        pem.push('\n');
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    PublicKey::parse("RSA", true, None, &pem).ok()
}
