//! The one seam between the Factory's metadata and that of the TUF specification.
//!
//! A dialect is told from the root alone, never from the file that is to be signed, and is pinned with the station.
//! What differs between the two is asked of this value and decided nowhere else.

use super::TufError;
use super::digest::Digest;
use super::key::{KeyId, PublicKey, Verified};
#[cfg(feature = "station")]
use super::{
    Root,
    archive::{self, ActiveKey},
    pkcs8,
};
use crate::json::{Document, Kind, Problem, Value, canonical};
use crate::text::shown;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt;

/// How much of a file its readers take, in bytes; a longer one they refuse whole, whoever signed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReadLimits {
    /// Targets metadata.
    pub targets: u64,
    /// A root.
    pub root: u64,
}

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
    pub(crate) fn name(self) -> &'static str {
        match self {
            Dialect::Factory => "factory",
            Dialect::Specification => "tuf-1.0",
        }
    }

    /// In words, before "metadata" or "root".
    pub(crate) fn described(self) -> &'static str {
        match self {
            Dialect::Factory => "a Factory's",
            Dialect::Specification => "a repository's (TUF specification)",
        }
    }

    /// Reads [`Dialect::name`].
    pub(crate) fn parse(name: &str) -> Option<Dialect> {
        [Dialect::Factory, Dialect::Specification].into_iter().find(|dialect| dialect.name() == name)
    }

    /// Is there a service behind the metadata, with an online targets key of its own, CI targets and waves? Without
    /// one, what is signed is a repository's targets metadata, and nothing but the root says who must sign it.
    pub(crate) fn has_service(self) -> bool {
        match self {
            Dialect::Factory => true,
            Dialect::Specification => false,
        }
    }

    /// What the metadata belongs to, as a word that begins a line.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Dialect::Factory => "Factory",
            Dialect::Specification => "Repository",
        }
    }

    /// Who reads the metadata.
    pub(crate) fn readers(self) -> &'static str {
        match self {
            Dialect::Factory => "devices",
            Dialect::Specification => "clients",
        }
    }

    /// What is compared with: as a noun; with "version" after it; and with "now" after it.
    pub(crate) fn current(self) -> [&'static str; 3] {
        match self {
            Dialect::Factory => ["production", "production version", "production runs"],
            Dialect::Specification => ["the repository", "the repository's version", "the repository has"],
        }
    }

    /// What `hashes.sha256` is the hash of, as a label.
    pub(crate) fn hash_label(self) -> &'static str {
        match self {
            Dialect::Factory => "OSTree hash",
            Dialect::Specification => "SHA-256",
        }
    }

    /// How a role's `_type` is written.
    pub(crate) fn type_name(self, role: &str) -> String {
        let upper = role.get(..1).unwrap_or_default().to_ascii_uppercase();
        match self {
            Dialect::Factory => format!("{upper}{}", role.get(1..).unwrap_or_default()),
            Dialect::Specification => role.to_owned(),
        }
    }

    /// May a target keep its name and get another content? A Factory's target is named after its version and never
    /// changes; a repository's is a path, and a new file may take the place of an old one.
    pub(crate) fn targets_may_change(self) -> bool {
        match self {
            Dialect::Factory => false,
            Dialect::Specification => true,
        }
    }

    /// The greatest version that every reader takes. aktualizr keeps it in 32 bits with a sign; tuf-js reads numbers
    /// as floating point, which keeps integers apart up to 2^53.
    pub(crate) fn greatest_version(self) -> u64 {
        match self {
            Dialect::Factory => i32::MAX as u64,
            Dialect::Specification => super::metadata::GREATEST_VERSION,
        }
    }

    /// What the readers take: aktualizr's fetcher 8 MiB and 64 KiB; python-tuf, tuf-js and go-tuf by default 5,000,000
    /// and 512,000 bytes.
    pub(crate) fn read_limits(self) -> ReadLimits {
        match self {
            Dialect::Factory => ReadLimits { targets: 8 << 20, root: 64 << 10 },
            Dialect::Specification => ReadLimits { targets: 5_000_000, root: 512_000 },
        }
    }

    /// Is text hashed by some programs as it is written, instead of being read and written anew? fioctl passes
    /// `custom` through as raw JSON with HTML escaping, and devices escape what is not ASCII. Clients of the
    /// specification all read and write anew.
    pub(crate) fn hashes_text_as_written(self) -> bool {
        match self {
            Dialect::Factory => true,
            Dialect::Specification => false,
        }
    }

    /// Tells the dialect of a root's `signed`: the specification requires `spec_version` and a `scheme` in each key,
    /// a Factory has neither.
    ///
    /// # Errors
    /// Some keys follow one dialect and some the other, or the specification version is not 1.x.
    pub(crate) fn of_root(signed: Value<'_>) -> Result<Dialect, TufError> {
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
        if !is_version_1(&version) {
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
    pub(crate) fn write_canonical(
        self,
        value: Value<'_>,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), TufError> {
        match self {
            Dialect::Factory => {
                canonical::write(value, sink);
                Ok(())
            }
            Dialect::Specification => super::specification::write_canonical(value, sink),
        }
    }

    /// Are the value's bytes in canonical form as they stand, as far as the reader could tell in its one pass?
    pub(crate) fn is_canonical(self, value: Value<'_>) -> bool {
        match self {
            Dialect::Factory => value.is_canonical(),
            Dialect::Specification => false,
        }
    }

    /// Is `found` the `_type` of this role? A Factory writes `Root`, the specification `root`; fioctl and devices
    /// compare without case.
    pub(crate) fn is_role(self, found: &str, role: &str) -> bool {
        match self {
            Dialect::Factory => found.eq_ignore_ascii_case(role),
            Dialect::Specification => found == role,
        }
    }

    /// The members that `signed` must have in any role, besides `_type`, `version` and `expires`.
    pub(crate) fn required_members(self) -> &'static [&'static str] {
        match self {
            Dialect::Factory => &[],
            Dialect::Specification => &["spec_version"],
        }
    }

    /// The members that `signed` of targets metadata may have beside those that it must have, `targets` and the like.
    pub(crate) fn optional_members(self) -> &'static [&'static str] {
        match self {
            Dialect::Factory => &[],
            Dialect::Specification => &["delegations"],
        }
    }

    /// Checks that a key stands under the id that the dialect's rule gives it. Factory: SHA-256 of the DER
    /// SubjectPublicKeyInfo. Specification: any id that is unique (section 4.2.3 asks for uniqueness; clients do not
    /// recompute it).
    pub(crate) fn check_keyid(self, key: &PublicKey, keyid: &KeyId) -> Result<(), String> {
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
    pub(crate) fn decode_signature(self, text: &str) -> Result<Vec<u8>, &'static str> {
        match self {
            Dialect::Factory => BASE64.decode(text).map_err(|_| "the signature is not base64"),
            Dialect::Specification => hex::decode(text).map_err(|_| "the signature is not hex"),
        }
    }

    /// Writes the text of a signature value.
    pub(crate) fn encode_signature(self, signature: &[u8]) -> String {
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

    /// Is this text the place of a signature that was not made yet? tuf-on-ci writes an empty one for each key that is
    /// still to sign; clients pass over it.
    pub(crate) fn is_placeholder(self, text: &str) -> bool {
        match self {
            Dialect::Factory => false,
            Dialect::Specification => text.is_empty(),
        }
    }

    /// Checks the `method` of a signature against its key. A device rejects the whole file at a method that it does
    /// not know, however many good signatures there are.
    pub(crate) fn check_method(self, method: Option<&str>, key: &PublicKey) -> Result<(), &'static str> {
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
    pub(crate) fn public_key(self, keytype: &str, public: &str) -> Result<PublicKey, String> {
        let scheme = match (self, keytype) {
            (_, "ECDSA") => Some("ecdsa-sha2-nistp256"),
            (_, "ECDSA-P384") => Some("ecdsa-sha2-nistp384"),
            _ => None,
        };
        let keytype = if keytype == "ECDSA-P384" { "ECDSA" } else { keytype };
        PublicKey::parse(keytype, true, scheme, public)
    }

    /// The members of a signature, in order.
    pub(crate) fn signature_members(self) -> &'static [&'static str] {
        match self {
            Dialect::Factory => &["keyid", "method", "sig"],
            Dialect::Specification => &["keyid", "sig"],
        }
    }

    /// Does a device reject the whole file because of this method, or because there is none? (aktualizr knows these three.)
    pub(crate) fn rejects_method(self, method: Option<&str>) -> bool {
        match self {
            Dialect::Specification => false,
            Dialect::Factory => !matches!(method, Some("ed25519" | "rsassa-pss-sha256" | "rsassa-pss")),
        }
    }

    /// Verifies a signature as the dialect's readers do: devices want an RSASSA-PSS salt as long as the hash, and
    /// securesystemslib takes any.
    pub(crate) fn verify(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Verified {
        match self {
            Dialect::Factory if key.verify(message, signature) => Verified::Yes,
            Dialect::Factory => Verified::No,
            Dialect::Specification => key.verify_any_salt(message, signature),
        }
    }

    /// Reads the public key of a root's `keys` entry. In the specification one that cannot be used here (of another type, an
    /// identity instead of a value) is kept, shown and never counted: clients load such metadata, and one key must not
    /// take all others away.
    ///
    /// # Errors
    /// It is no key at all, or one that devices refuse.
    pub(crate) fn parse_key(self, value: Value<'_>) -> Result<PublicKey, TufError> {
        match (self, self.usable_key(value)) {
            (Dialect::Specification, Err(why)) => {
                value.require("keytype")?.require_str()?;
                value.require("scheme")?.require_str()?;
                value.require("keyval")?.want(Kind::Object)?;
                let why = match why {
                    TufError::Json(e) => e.problem.to_string(),
                    other => other.to_string(),
                };
                Ok(PublicKey::unusable(value.span(), why))
            }
            (_, read) => read,
        }
    }

    fn usable_key(self, value: Value<'_>) -> Result<PublicKey, TufError> {
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

    /// Takes the officer's key out of a file: fioctl's `.tgz` in a Factory, a PKCS#8 file in the specification. It is a
    /// key that the root lists for the role, and not the service's online key.
    ///
    /// # Errors
    /// The file is not such a file, or holds no such key.
    #[cfg(feature = "station")]
    pub fn active_key(
        self,
        name: &str,
        file: &[u8],
        root: &Root,
        role: &str,
        online: Option<&KeyId>,
    ) -> Result<ActiveKey, TufError> {
        match self {
            Dialect::Factory => archive::active_key(name, file, root, online),
            Dialect::Specification => pkcs8::active_key(name, file, root, role),
        }
    }

    /// The id of a new key, and its public half as a root of this dialect lists it. In the specification the id is the
    /// SHA-256 of that text in canonical form (section 4.2), for ed25519 alone: tools differ in how they write PEM.
    ///
    /// # Errors
    /// A new key of this type would get another id from each tool.
    pub(crate) fn new_key(self, key: &PublicKey) -> Result<(KeyId, String), String> {
        let text = key.text();
        match (self, key.keytype()) {
            (Dialect::Factory, keytype) => {
                let value = if keytype == "RSA" { format!("{text}\n") } else { text.to_owned() };
                let value = canonical::string(&value);
                let file = format!("{{\"keytype\":\"{keytype}\",\"keyval\":{{\"public\":{value}}}}}");
                Ok((key.factory_keyid(), file))
            }
            (Dialect::Specification, "ED25519") => {
                let file =
                    format!("{{\"keytype\":\"ed25519\",\"keyval\":{{\"public\":\"{text}\"}},\"scheme\":\"ed25519\"}}");
                Ok((KeyId::from_digest(Digest::of(file.as_bytes())), file))
            }
            (Dialect::Specification, _) => Err("for a repository only ed25519 keys are made here. Make an RSA key with the \
                                                repository's own tool, and take it in with `countersign key import`"
                .to_owned()),
        }
    }

    /// What a new key's public file is called.
    pub(crate) fn public_file_name(self, keyid: &KeyId) -> String {
        match self {
            Dialect::Factory => format!("fioctl-targets-{keyid}.pub"),
            Dialect::Specification => format!("{keyid}.json"),
        }
    }

    /// Checks that metadata is of this dialect: that it has the required members, of versions that are known.
    ///
    /// # Errors
    /// It follows the other dialect, or a later specification than 1.x.
    pub(crate) fn check_members(self, document: &Document<'_>, signed: Value<'_>) -> Result<(), TufError> {
        let found =
            if signed.get("spec_version").is_some() { Dialect::Specification } else { Dialect::Factory };
        if found != self {
            return Err(TufError::OtherDialect { file: shown(document.name()), found, pinned: self });
        }
        for member in self.required_members() {
            let value = signed.require(member)?;
            let found = value.require_str()?;
            if *member == "spec_version" && !is_version_1(&found) {
                return Err(TufError::SpecVersion {
                    file: shown(document.name()),
                    found: found.into_owned(),
                });
            }
        }
        Ok(())
    }
}

/// `1.x` or `1.x.y` in digits: python-tuf cannot load another form.
fn is_version_1(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts[..], ["1", _] | ["1", _, _]) && parts.iter().all(is_number)
}
