//! Public keys and their ids.

use super::{Digest, sha512};
use crate::text::shown;
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature as aws;
use base64::Engine as _;
use std::fmt;

/// The id under which a root lists a key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// An id as it stands in metadata.
    pub fn new(text: impl Into<String>) -> KeyId {
        KeyId(text.into())
    }

    /// The id of a Factory's key: the digest in hex.
    pub fn from_digest(digest: Digest) -> KeyId {
        KeyId(digest.to_string())
    }

    /// The id as it stands in metadata. Foreign text: show it with `Display`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first 12 characters, escaped: enough for a person to tell keys apart.
    pub fn short(&self) -> String {
        shown(&self.0.chars().take(12).collect::<String>())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&crate::text::Foreign(&self.0), out)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// DER before the 32 bytes of an ed25519 key in a SubjectPublicKeyInfo (RFC 8410, section 4).
const ED25519_INFO: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A public key of a root. Two are equal if they are one key, however a root writes it.
#[derive(Clone)]
pub struct PublicKey {
    material: Material,
    /// The public value as the root writes it, white space at the ends removed: hex or PEM.
    text: String,
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &PublicKey) -> bool {
        self.material == other.material
    }
}

impl Eq for PublicKey {}

/// Each key has one form here: a key that could be written in two would count twice.
#[derive(Clone, PartialEq, Eq)]
enum Material {
    Ed25519(ed25519_dalek::VerifyingKey),
    /// DER SubjectPublicKeyInfo.
    Rsa(Vec<u8>),
    /// DER SubjectPublicKeyInfo of an uncompressed point on P-256.
    EcdsaP256(Vec<u8>),
}

/// A public value longer than this is not a key: a 16,384-bit RSA key in PEM takes 2.9 kB.
const MAX_PUBLIC_TEXT: usize = 8 << 10;

impl PublicKey {
    /// Reads a key's type, scheme and public value.
    pub(crate) fn parse(
        keytype: &str,
        ignore_case: bool,
        scheme: Option<&str>,
        public: &str,
    ) -> Result<PublicKey, String> {
        let folded = if ignore_case { keytype.to_ascii_lowercase() } else { keytype.to_owned() };
        let text = public.trim();
        if text.len() > MAX_PUBLIC_TEXT {
            return Err(format!("the public value has {} bytes, no key is that long", text.len()));
        }
        let material = match (folded.as_str(), scheme) {
            ("ed25519", None | Some("ed25519")) => Material::Ed25519(ed25519(text)?),
            ("rsa", None | Some("rsassa-pss-sha256")) => Material::Rsa(rsa(text)?),
            ("ecdsa" | "ecdsa-sha2-nistp256", Some("ecdsa-sha2-nistp256")) => {
                Material::EcdsaP256(ecdsa(text)?)
            }
            (_, None) => {
                return Err(format!("the key type \"{}\" is not known, ed25519 and RSA are", shown(keytype)));
            }
            (_, Some(scheme)) => {
                return Err(format!(
                    "keys of type \"{}\" with the scheme \"{}\" are not known, ed25519, rsassa-pss-sha256 and ecdsa-sha2-nistp256 are",
                    shown(keytype),
                    shown(scheme)
                ));
            }
        };
        Ok(PublicKey { material, text: text.to_owned() })
    }

    /// An ed25519 key from its 32 bytes.
    pub fn from_ed25519(key: ed25519_dalek::VerifyingKey) -> PublicKey {
        PublicKey { text: hex::encode(key.as_bytes()), material: Material::Ed25519(key) }
    }

    /// The key's DER SubjectPublicKeyInfo (RFC 5280, section 4.1).
    pub fn subject_public_key_info(&self) -> Vec<u8> {
        match &self.material {
            Material::Ed25519(key) => [ED25519_INFO.as_slice(), key.as_bytes()].concat(),
            Material::Rsa(der) | Material::EcdsaP256(der) => der.clone(),
        }
    }

    /// The id of this key in a Factory: SHA-256 of its DER SubjectPublicKeyInfo.
    pub fn factory_keyid(&self) -> KeyId {
        KeyId::from_digest(Digest::of(&self.subject_public_key_info()))
    }

    /// The public value as a root writes it, without white space at the ends.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The type as a Factory's root writes it.
    pub fn keytype(&self) -> &'static str {
        match self.material {
            Material::Ed25519(_) => "ED25519",
            Material::Rsa(_) => "RSA",
            Material::EcdsaP256(_) => "ECDSA",
        }
    }

    /// The method that a Factory's signatures by this key name.
    pub fn method(&self) -> &'static str {
        match self.material {
            Material::Ed25519(_) => "ed25519",
            Material::Rsa(_) => "rsassa-pss-sha256",
            Material::EcdsaP256(_) => "ecdsa-sha2-nistp256",
        }
    }

    /// Does a device take this method for this key? (aktualizr knows three.)
    pub(crate) fn accepts_method(&self, method: &str) -> bool {
        match self.material {
            Material::Ed25519(_) => method == "ed25519",
            Material::Rsa(_) => matches!(method, "rsassa-pss-sha256" | "rsassa-pss"),
            Material::EcdsaP256(_) => false,
        }
    }

    /// Verifies a signature over a message. ed25519 strictly: a key or an R of small order is refused, as is an S that
    /// is not reduced. RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| sha512::verify(key, message, &signature)),
            Material::Rsa(der) => aws::UnparsedPublicKey::new(&aws::RSA_PSS_2048_8192_SHA256, der)
                .verify(message, signature)
                .is_ok(),
            Material::EcdsaP256(der) => aws::UnparsedPublicKey::new(&aws::ECDSA_P256_SHA256_ASN1, der)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.keytype(), self.factory_keyid())
    }
}

fn ed25519(text: &str) -> Result<ed25519_dalek::VerifyingKey, String> {
    let mut bytes = [0u8; 32];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| "an ed25519 public value is 64 hex digits".to_owned())?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes)
        .map_err(|_| "the public value is not a point of ed25519".to_owned())?;
    if key.is_weak() {
        return Err("the public value is a point of small order, for which anybody can sign".to_owned());
    }
    Ok(key)
}

fn rsa(text: &str) -> Result<Vec<u8>, String> {
    let der = pem_body(text, "PUBLIC KEY").ok_or("an RSA public value is PEM, \"BEGIN PUBLIC KEY\"")?;
    aws::UnparsedPublicKey::new(&aws::RSA_PSS_2048_8192_SHA256, &der)
        .parse()
        .map_err(|_| "the public value is not an RSA key of 2,048 to 8,192 bits".to_owned())?;
    let canonical: Option<PublicKeyX509Der<'_>> =
        PublicEncryptingKey::from_der(&der).ok().and_then(|key| key.as_der().ok());
    if canonical.is_none_or(|canonical| canonical.as_ref() != der) {
        return Err(
            "the RSA public value is not written as DER prescribes (RFC 8017, appendix A.1)".to_owned()
        );
    }
    Ok(der)
}

/// DER before the 65 bytes of an uncompressed point on P-256 in a SubjectPublicKeyInfo (RFC 5480, section 2).
const P256_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// PEM, or the point in hex as older tools write it.
fn ecdsa(text: &str) -> Result<Vec<u8>, String> {
    let point = || hex::decode(text).ok().filter(|point| point.len() == 65);
    let der = pem_body(text, "PUBLIC KEY")
        .or_else(|| Some([P256_INFO.as_slice(), &point()?].concat()))
        .ok_or("an ECDSA public value is PEM, \"BEGIN PUBLIC KEY\", or an uncompressed point in hex")?;
    aws::UnparsedPublicKey::new(&aws::ECDSA_P256_SHA256_ASN1, &der)
        .parse()
        .map_err(|_| "the public value is not a key on P-256".to_owned())?;
    let is_uncompressed = der.strip_prefix(&P256_INFO).is_some_and(|point| point.first() == Some(&4));
    if !is_uncompressed {
        return Err("the point of an ECDSA public value is not written uncompressed (RFC 5480, section 2.2)"
            .to_owned());
    }
    Ok(der)
}

/// The DER inside one PEM block with this label (RFC 7468); nothing but white space may stand around it.
pub(crate) fn pem_body(text: &str, label: &str) -> Option<Vec<u8>> {
    let inner = text
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))?
        .strip_suffix(&format!("-----END {label}-----"))?;
    let mut packed = zeroize::Zeroizing::new(String::with_capacity(inner.len()));
    packed.extend(inner.chars().filter(|c| !c.is_ascii_whitespace()));
    base64::engine::general_purpose::STANDARD.decode(packed.as_bytes()).ok()
}
