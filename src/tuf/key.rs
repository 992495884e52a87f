//! Public keys and their ids.

use super::{Digest, sha512};
use crate::text::shown;
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature as aws;
use base64::Engine as _;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::signature::Verifier as _;
use sha2::Sha256;
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
    pub(crate) fn from_digest(digest: Digest) -> KeyId {
        KeyId(digest.to_string())
    }

    /// The id as it stands in metadata. Foreign text: show it with `Display`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first 12 characters, escaped: enough for a person to tell keys apart.
    pub(crate) fn short(&self) -> String {
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
    /// The same on P-384.
    EcdsaP384(Vec<u8>),
    /// A key that nothing is verified with here. A repository's metadata may list one, and clients that know it count it.
    Unusable {
        /// The key's whole entry, as it is written.
        entry: Vec<u8>,
        /// Why, in words. Foreign text in them is escaped.
        why: String,
    },
}

/// What a signature is worth to its key alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verified {
    /// It does not hold.
    No,
    /// It holds.
    Yes,
    /// It holds, as an RSASSA-PSS signature whose salt is not as long as the hash: some clients refuse that.
    OtherSalt,
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
                Material::EcdsaP256(ecdsa(text, &P256)?)
            }
            ("ecdsa" | "ecdsa-sha2-nistp384", Some("ecdsa-sha2-nistp384")) => {
                Material::EcdsaP384(ecdsa(text, &P384)?)
            }
            (_, None) => {
                return Err(format!("the key type \"{}\" is not known, ed25519 and RSA are", shown(keytype)));
            }
            (_, Some(scheme)) => {
                return Err(format!(
                    "keys of type \"{}\" with the scheme \"{}\" are not known, ed25519, rsassa-pss-sha256, ecdsa-sha2-nistp256 and ecdsa-sha2-nistp384 are",
                    shown(keytype),
                    shown(scheme)
                ));
            }
        };
        Ok(PublicKey { material, text: text.to_owned() })
    }

    /// A key that is kept and never counted: its entry as it is written, and why.
    pub(crate) fn unusable(entry: &[u8], why: String) -> PublicKey {
        PublicKey { material: Material::Unusable { entry: entry.to_vec(), why }, text: String::new() }
    }

    /// Why no signature of this key counts here, if none does. Foreign text in it is escaped.
    pub(crate) fn unusable_because(&self) -> Option<&str> {
        match &self.material {
            Material::Unusable { why, .. } => Some(why),
            _ => None,
        }
    }

    /// An ed25519 key from its 32 bytes.
    pub fn from_ed25519(key: ed25519_dalek::VerifyingKey) -> PublicKey {
        PublicKey { text: hex::encode(key.as_bytes()), material: Material::Ed25519(key) }
    }

    /// The key's DER SubjectPublicKeyInfo (RFC 5280, section 4.1); of a key that is not known here, its whole entry.
    pub(crate) fn subject_public_key_info(&self) -> Vec<u8> {
        match &self.material {
            Material::Ed25519(key) => [ED25519_INFO.as_slice(), key.as_bytes()].concat(),
            Material::Rsa(der) | Material::EcdsaP256(der) | Material::EcdsaP384(der) => der.clone(),
            Material::Unusable { entry, .. } => entry.clone(),
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
            Material::EcdsaP384(_) => "ECDSA-P384",
            Material::Unusable { .. } => "of a type that is not known here",
        }
    }

    /// The method that a Factory's signatures by this key name.
    pub(crate) fn method(&self) -> &'static str {
        match self.material {
            Material::Ed25519(_) => "ed25519",
            Material::Rsa(_) => "rsassa-pss-sha256",
            Material::EcdsaP256(_) => "ecdsa-sha2-nistp256",
            Material::EcdsaP384(_) => "ecdsa-sha2-nistp384",
            Material::Unusable { .. } => "",
        }
    }

    /// Does a device take this method for this key? (aktualizr knows three.)
    pub(crate) fn accepts_method(&self, method: &str) -> bool {
        match self.material {
            Material::Ed25519(_) => method == "ed25519",
            Material::Rsa(_) => matches!(method, "rsassa-pss-sha256" | "rsassa-pss"),
            Material::EcdsaP256(_) | Material::EcdsaP384(_) | Material::Unusable { .. } => false,
        }
    }

    /// Verifies a signature over a message. ed25519 strictly: a key or an R of small order is refused, as is an S that
    /// is not reduced. RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let holds = |algorithm: &'static dyn aws::VerificationAlgorithm, der: &[u8]| {
            aws::UnparsedPublicKey::new(algorithm, der).verify(message, signature).is_ok()
        };
        match &self.material {
            Material::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| sha512::verify(key, message, &signature)),
            Material::Rsa(der) => holds(&aws::RSA_PSS_2048_8192_SHA256, der),
            Material::EcdsaP256(der) => holds(&aws::ECDSA_P256_SHA256_ASN1, der),
            Material::EcdsaP384(der) => holds(&aws::ECDSA_P384_SHA384_ASN1, der),
            Material::Unusable { .. } => false,
        }
    }

    /// As [`PublicKey::verify`], and an RSASSA-PSS signature with a salt of any length holds too, as it does for
    /// securesystemslib.
    pub(crate) fn verify_any_salt(&self, message: &[u8], signature: &[u8]) -> Verified {
        let other_salt = |der: &[u8]| {
            let key = rsa::PublicKey::from_public_key_der(der).ok()?;
            let signature = rsa::pss::Signature::try_from(signature).ok()?;
            rsa::pss::VerifyingKey::<Sha256>::new_with_auto_salt_len(key).verify(message, &signature).ok()
        };
        match &self.material {
            _ if self.verify(message, signature) => Verified::Yes,
            Material::Rsa(der) if other_salt(der).is_some() => Verified::OtherSalt,
            _ => Verified::No,
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

/// DER before the 97 bytes of such a point on P-384.
const P384_INFO: [u8; 23] = [
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
    0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];

/// A curve: its name, how long an uncompressed point on it is, what stands before one, and how signatures are verified.
struct Curve {
    name: &'static str,
    point: usize,
    info: &'static [u8],
    algorithm: &'static aws::EcdsaVerificationAlgorithm,
}

const P256: Curve =
    Curve { name: "P-256", point: 65, info: &P256_INFO, algorithm: &aws::ECDSA_P256_SHA256_ASN1 };
const P384: Curve =
    Curve { name: "P-384", point: 97, info: &P384_INFO, algorithm: &aws::ECDSA_P384_SHA384_ASN1 };

/// PEM, or the point in hex as older tools write it.
fn ecdsa(text: &str, curve: &Curve) -> Result<Vec<u8>, String> {
    let point = || hex::decode(text).ok().filter(|point| point.len() == curve.point);
    let der = pem_body(text, "PUBLIC KEY")
        .or_else(|| Some([curve.info, &point()?].concat()))
        .ok_or("an ECDSA public value is PEM, \"BEGIN PUBLIC KEY\", or an uncompressed point in hex")?;
    aws::UnparsedPublicKey::new(curve.algorithm, &der)
        .parse()
        .map_err(|_| format!("the public value is not a key on {}", curve.name))?;
    let is_uncompressed = der.strip_prefix(curve.info).is_some_and(|point| point.first() == Some(&4));
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
