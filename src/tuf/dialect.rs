//! The one seam between the Factory's metadata and that of the TUF specification.
//!
//! A dialect is told from the root alone, never from the file that is to be signed, and is pinned with the station.
//! What differs between the two is asked of this value and decided nowhere else.

use super::TufError;
use super::digest::Digest;
use super::key::{KeyId, PublicKey};
use crate::json::{Document, Problem, Value, canonical};
use crate::text::shown;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt;

/// Whose rules the metadata follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// A Factory's: what fioctl writes and devices read.
    Factory,
    /// The TUF specification, version 1.x.
    Specification,
}

impl fmt::Display for Dialect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Dialect {
    /// The name that the station's file and the log keep.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Factory => "factory",
            Dialect::Specification => "tuf-1.0",
        }
    }

    /// Reads [`Dialect::name`].
    pub fn parse(name: &str) -> Option<Dialect> {
        [Dialect::Factory, Dialect::Specification].into_iter().find(|dialect| dialect.name() == name)
    }

    /// Tells the dialect of a root's `signed`: the specification requires `spec_version` and a `scheme` in each key,
    /// a Factory has neither.
    ///
    /// # Errors
    /// Some keys follow one dialect and some the other, or the specification version is not 1.x.
    pub fn of_root(signed: Value<'_>) -> Result<Dialect, TufError> {
        let file = shown(signed.document().name());
        let keys = signed.require("keys")?;
        let with_scheme = keys.members().filter(|(_, key)| key.get("scheme").is_some()).count();
        let all = keys.members().count();
        let Some(spec_version) = signed.get("spec_version") else {
            return match with_scheme {
                0 => Ok(Dialect::Factory),
                _ => Err(TufError::Dialect {
                    file,
                    why: "it has no spec_version, as a Factory's root, but keys with a scheme, as the specification's".into(),
                }),
            };
        };
        let version = spec_version.require_str()?;
        if version != "1" && !version.starts_with("1.") {
            return Err(TufError::SpecVersion { file, found: version.into_owned() });
        }
        if with_scheme != all {
            return Err(TufError::Dialect {
                file,
                why: format!(
                    "it has a spec_version, but {} of its {all} keys have no scheme",
                    all - with_scheme
                ),
            });
        }
        Ok(Dialect::Specification)
    }

    /// Feeds the canonical form of a value to `sink`.
    ///
    /// # Errors
    /// The specification's canonical form has no numbers with fractions, and its writer changes text that is not in
    /// Unicode normalisation form C; both are refused, with the place.
    pub fn write_canonical(self, value: Value<'_>, sink: &mut dyn FnMut(&[u8])) -> Result<(), TufError> {
        match self {
            Dialect::Factory => {
                canonical::write(value, sink);
                Ok(())
            }
            Dialect::Specification => super::specification::write_canonical(value, sink),
        }
    }

    /// Are the value's bytes in canonical form as they stand, as far as the reader could tell in its one pass?
    pub fn is_canonical(self, value: Value<'_>) -> bool {
        match self {
            Dialect::Factory => value.is_canonical(),
            Dialect::Specification => false,
        }
    }

    /// Is `found` the `_type` of this role? A Factory writes `Root`, the specification `root`; fioctl and devices
    /// compare without case.
    pub fn is_role(self, found: &str, role: &str) -> bool {
        match self {
            Dialect::Factory => found.eq_ignore_ascii_case(role),
            Dialect::Specification => found == role,
        }
    }

    /// The members that `signed` must have in any role, besides `_type`, `version` and `expires`.
    pub fn required_members(self) -> &'static [&'static str] {
        match self {
            Dialect::Factory => &[],
            Dialect::Specification => &["spec_version"],
        }
    }

    /// Checks that a key stands under the id that the dialect's rule gives it. Factory: SHA-256 of the DER
    /// SubjectPublicKeyInfo. Specification: any id that is unique (section 4.2.3 asks for uniqueness; clients do not
    /// recompute it).
    pub fn check_keyid(self, key: &PublicKey, keyid: &KeyId) -> Result<(), String> {
        match self {
            Dialect::Factory => {
                let wanted = KeyId::from_digest(Digest::of(&key.subject_public_key_info()));
                if *keyid == wanted {
                    return Ok(());
                }
                Err(format!("its id should be {wanted}: the SHA-256 of its DER SubjectPublicKeyInfo"))
            }
            Dialect::Specification => Ok(()),
        }
    }

    /// Reads the text of a signature value: base64 in a Factory, hex in the specification.
    pub fn decode_signature(self, text: &str) -> Result<Vec<u8>, &'static str> {
        match self {
            Dialect::Factory => BASE64.decode(text).map_err(|_| "the signature is not base64"),
            Dialect::Specification => hex::decode(text).map_err(|_| "the signature is not hex"),
        }
    }

    /// Writes the text of a signature value.
    pub fn encode_signature(self, signature: &[u8]) -> String {
        match self {
            Dialect::Factory => BASE64.encode(signature),
            Dialect::Specification => hex::encode(signature),
        }
    }

    /// One signature as JSON, in canonical form: `{"keyid","method","sig"}` in a Factory, `{"keyid","sig"}` in the
    /// specification.
    pub fn signature_json(self, keyid: &KeyId, key: &PublicKey, signature: &[u8]) -> String {
        let sig = self.encode_signature(signature);
        match self {
            Dialect::Factory => {
                format!("{{\"keyid\":\"{keyid}\",\"method\":\"{}\",\"sig\":\"{sig}\"}}", key.method())
            }
            Dialect::Specification => {
                format!("{{\"keyid\":{},\"sig\":\"{sig}\"}}", canonical::string(keyid.as_str()))
            }
        }
    }

    /// Checks the `method` of a signature against its key. A device rejects the whole file at a method that it does
    /// not know, however many good signatures there are.
    pub fn check_method(self, method: Option<&str>, key: &PublicKey) -> Result<(), &'static str> {
        match (self, method) {
            (Dialect::Specification, _) => Ok(()),
            (Dialect::Factory, None) => Err("the signature has no method"),
            (Dialect::Factory, Some(method)) if key.accepts_method(method) => Ok(()),
            (Dialect::Factory, Some(_)) => Err("the method does not fit the key"),
        }
    }

    /// Reads a public key from its type as this product writes it ([`PublicKey::keytype`]) and its public value.
    ///
    /// # Errors
    /// The type is not known, or the value is not a key of it.
    pub fn public_key(self, keytype: &str, public: &str) -> Result<PublicKey, String> {
        let scheme = match (self, keytype) {
            (_, "ECDSA") => Some("ecdsa-sha2-nistp256"),
            _ => None,
        };
        PublicKey::parse(keytype, true, scheme, public)
    }

    /// Does a device reject the whole file because of this method? (aktualizr knows these three.)
    pub fn rejects_method(self, method: Option<&str>) -> bool {
        match self {
            Dialect::Specification => false,
            Dialect::Factory => {
                !matches!(method, None | Some("ed25519" | "rsassa-pss-sha256" | "rsassa-pss"))
            }
        }
    }

    /// Reads the public key of a root's `keys` entry.
    pub fn parse_key(self, value: Value<'_>) -> Result<PublicKey, TufError> {
        let keytype = value.require("keytype")?;
        let public = value.require("keyval")?.require("public")?;
        let (name, text) = (keytype.require_str()?, public.require_str()?);
        let scheme = match self {
            Dialect::Factory => None,
            Dialect::Specification => Some(value.require("scheme")?.require_str()?),
        };
        let ignore_case = self == Dialect::Factory;
        PublicKey::parse(&name, ignore_case, scheme.as_deref(), &text)
            .map_err(|why| public.error(Problem::Invalid(why)).into())
    }

    /// The specification versions of a document must be 1.x where the dialect has them.
    pub fn check_members(self, document: &Document<'_>, signed: Value<'_>) -> Result<(), TufError> {
        for member in self.required_members() {
            let value = signed.require(member)?;
            let found = value.require_str()?;
            if *member == "spec_version" && found != "1" && !found.starts_with("1.") {
                return Err(TufError::SpecVersion {
                    file: shown(document.name()),
                    found: found.into_owned(),
                });
            }
        }
        Ok(())
    }
}
