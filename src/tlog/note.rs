//! Signed notes (C2SP `signed-note`): text, a blank line, and signature lines, with ed25519 keys (type 0x01).
//! Witnesses' keys (type 0x04) are read here too; what they sign is in [`super::cosignature`].

use super::flaw::{Flaw, FlawKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Signature type: ed25519 over the note's text.
const ED25519: u8 = 0x01;
/// Signature type: a witness's ed25519 signature with a time (C2SP `tlog-cosignature`).
pub(super) const COSIGNATURE: u8 = 0x04;
/// The most bytes of a note that are read: sixteen of the largest signatures, and room.
pub(crate) const LARGEST_NOTE: usize = 128 << 10;
/// The most signatures of a note that are read; the specification asks for sixteen.
const MOST_SIGNATURES: usize = 64;

/// A key that verifies notes: `name+id+base64(type || key)`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: u8,
    key: VerifyingKey,
}

/// A verifier key that cannot be read, or a name that cannot be one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("it is not a verifier key (name+8 hex digits+base64): {0}")]
pub struct KeyError(&'static str);

impl VerifierKey {
    /// A witness's key: cosigns checkpoints.
    ///
    /// # Errors
    /// The name is empty or has white space, a plus or a control character.
    pub fn witness(name: &str, key: VerifyingKey) -> Result<VerifierKey, KeyError> {
        VerifierKey::of_kind(name, COSIGNATURE, key)
    }

    fn of_kind(name: &str, kind: u8, key: VerifyingKey) -> Result<VerifierKey, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError("the name is empty or has white space, a plus or a control character"));
        }
        Ok(VerifierKey { name: name.to_owned(), id: key_id(name, kind, key.as_bytes()), kind, key })
    }

    /// Reads `name+id+base64(type || key)`; white space around it is ignored.
    ///
    /// # Errors
    /// Another form, another type than 0x01 and 0x04, or an id that is not that of the key.
    pub fn parse(text: &str) -> Result<VerifierKey, KeyError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError("a plus is missing"));
        };
        let bytes = STANDARD.decode(key).map_err(|_| KeyError("the key is not base64"))?;
        let Some((kind @ &(ED25519 | COSIGNATURE), key)) = bytes.split_first() else {
            return Err(KeyError("its type is not known here: ed25519 keys are (types 1 and 4)"));
        };
        let key: &[u8; 32] = key.try_into().map_err(|_| KeyError("an ed25519 key has 32 bytes"))?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| KeyError("it is not an ed25519 key"))?;
        let found = VerifierKey::of_kind(name, *kind, key)?;
        if id.len() != 8 || u32::from_str_radix(id, 16) != Ok(found.id) {
            return Err(KeyError("the id is not that of the key: a digit was changed or lost"));
        }
        Ok(found)
    }

    /// The name; a log's key has the log's origin as its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What people compare: SHA-256 of the line with its line feed, as `sha256sum` says of a pack's file `vkey`.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        Sha256::new().chain_update(self.to_string()).chain_update("\n").finalize().into()
    }

    /// The public key.
    pub fn public(&self) -> &VerifyingKey {
        &self.key
    }

    /// Is it a witness's key?
    pub(crate) fn is_witness(&self) -> bool {
        self.kind == COSIGNATURE
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(out, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn key_id(name: &str, kind: u8, key: &[u8; 32]) -> u32 {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(key).finalize();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// A log's or a witness's private key with its name. It wipes itself; it has no `Debug`.
pub struct NoteSigner {
    pub(super) key: SigningKey,
    public: VerifierKey,
}

impl NoteSigner {
    /// A log's signer from a 32-byte seed.
    ///
    /// # Errors
    /// The name is empty or has white space, a plus or a control character.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<NoteSigner, KeyError> {
        NoteSigner::of_kind(name, ED25519, seed)
    }

    /// A witness's signer from a 32-byte seed.
    ///
    /// # Errors
    /// The name is empty or has white space, a plus or a control character.
    pub fn witness(name: &str, seed: &[u8; 32]) -> Result<NoteSigner, KeyError> {
        NoteSigner::of_kind(name, COSIGNATURE, seed)
    }

    fn of_kind(name: &str, kind: u8, seed: &[u8; 32]) -> Result<NoteSigner, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let public = VerifierKey::of_kind(name, kind, key.verifying_key())?;
        Ok(NoteSigner { key, public })
    }

    /// Reads what [`NoteSigner::secret_text`] wrote.
    ///
    /// # Errors
    /// Another form.
    pub fn from_secret_text(text: &str) -> Result<NoteSigner, KeyError> {
        let rest = text.trim().strip_prefix("PRIVATE+KEY+").ok_or(KeyError("it is not a private key"))?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError("a plus is missing"));
        };
        let bytes = Zeroizing::new(STANDARD.decode(key).map_err(|_| KeyError("the key is not base64"))?);
        let Some((kind @ &(ED25519 | COSIGNATURE), seed)) = bytes.split_first() else {
            return Err(KeyError("it is not an ed25519 key"));
        };
        let seed: &[u8; 32] = seed.try_into().map_err(|_| KeyError("an ed25519 seed has 32 bytes"))?;
        let signer = NoteSigner::of_kind(name, *kind, seed)?;
        if u32::from_str_radix(id, 16) != Ok(signer.public.id) {
            return Err(KeyError("the id is not that of the key"));
        }
        Ok(signer)
    }

    /// The key as Go's `note` package writes it: `PRIVATE+KEY+name+id+base64(type || seed)`.
    pub(crate) fn secret_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([self.public.kind; 33]);
        bytes[1..].copy_from_slice(self.key.as_bytes());
        let seed = Zeroizing::new(STANDARD.encode(*bytes));
        Zeroizing::new(format!("PRIVATE+KEY+{}+{:08x}+{}\n", self.public.name, self.public.id, *seed))
    }

    /// The public half.
    pub fn public(&self) -> &VerifierKey {
        &self.public
    }

    /// The note: the text, which must end in a line feed, and this key's signature line.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        format!("{text}\n{}", signature_line(&self.public, &signature.to_bytes()))
    }
}

pub(super) fn signature_line(key: &VerifierKey, signature: &[u8]) -> String {
    let mut bytes = key.id.to_be_bytes().to_vec();
    bytes.extend_from_slice(signature);
    format!("\u{2014} {} {}\n", key.name, STANDARD.encode(bytes))
}

/// A note, taken apart. Nothing in it is to be believed before [`Note::verify`].
#[derive(Clone, Debug)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<(&'a str, u32, Vec<u8>)>,
}

impl<'a> Note<'a> {
    /// Takes a note apart.
    ///
    /// # Errors
    /// Another form than the specification's.
    pub fn parse(bytes: &'a [u8]) -> Result<Note<'a>, Flaw> {
        let wrong = |why: &str| Flaw::new(FlawKind::CheckpointForm, why);
        if bytes.len() > LARGEST_NOTE {
            return Err(wrong("the note is too large"));
        }
        let all = crate::text::utf8(bytes).map_err(wrong)?;
        if all.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(wrong("the note has a control character"));
        }
        let Some(blank) = all.rfind("\n\n") else {
            return Err(wrong("the note has no blank line before its signatures"));
        };
        let (text, lines) = (&all[..=blank], &all[blank + 2..]);
        let lines = lines.strip_suffix('\n').ok_or_else(|| wrong("the note's last line is cut off"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            let rest = line.strip_prefix("\u{2014} ").ok_or_else(|| wrong("a signature line has no dash"))?;
            let (name, signature) = rest.split_once(' ').unwrap_or((rest, ""));
            let bytes = STANDARD.decode(signature).ok().filter(|bytes| bytes.len() > 4 && is_key_name(name));
            let Some((id, signature)) = bytes
                .as_deref()
                .and_then(|bytes| bytes.split_first_chunk::<4>())
                .filter(|_| signatures.len() < MOST_SIGNATURES)
            else {
                return Err(wrong("a signature line is not name and base64"));
            };
            signatures.push((name, u32::from_be_bytes(*id), signature.to_vec()));
        }
        Ok(Note { text, signatures })
    }

    /// The signed text, with its last line feed.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Does a signature line say that it is by this key?
    pub(crate) fn names(&self, key: &VerifierKey) -> bool {
        self.by(key).next().is_some()
    }

    /// Checks that this key signed the note.
    ///
    /// # Errors
    /// No signature is the key's, or one that says it is does not hold.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), Flaw> {
        let mut held = false;
        for signature in self.by(key) {
            let signature = Signature::from_slice(signature)
                .map_err(|_| Flaw::new(FlawKind::CheckpointSignature, "the signature has not 64 bytes"))?;
            key.key.verify_strict(self.text.as_bytes(), &signature).map_err(|_| {
                Flaw::new(FlawKind::CheckpointSignature, "the signature of the log's key does not hold")
            })?;
            held = true;
        }
        if held {
            Ok(())
        } else {
            Err(Flaw::new(FlawKind::CheckpointSignature, format!("no signature is by {key}")))
        }
    }

    /// The signatures that say they are by this key, without the key's id.
    pub(super) fn by<'n>(&'n self, key: &'n VerifierKey) -> impl Iterator<Item = &'n [u8]> {
        let by = move |(name, id, _): &&(&str, u32, Vec<u8>)| *name == key.name && *id == key.id;
        self.signatures.iter().filter(by).map(|(_, _, signature)| signature.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The note and the key that the documentation of Go's `golang.org/x/mod/sumdb/note` shows.
    const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_note_that_go_signed_is_verified() {
        let key = VerifierKey::parse(GO_KEY).expect("a key");
        assert_eq!(key.to_string(), GO_KEY);
        let note = Note::parse(GO_NOTE.as_bytes()).expect("a note");
        note.verify(&key).expect("the signature holds");
        let changed = GO_NOTE.replace("think", "thank");
        Note::parse(changed.as_bytes()).expect("a note").verify(&key).expect_err("another text");
    }

    #[test]
    fn what_is_signed_is_verified_and_the_key_survives_its_text_form() {
        let signer = NoteSigner::new("example.org/log", &[7; 32]).expect("a signer");
        let again = NoteSigner::from_secret_text(&signer.secret_text()).expect("read back");
        let note = again.sign("hello\n");
        Note::parse(note.as_bytes()).expect("a note").verify(signer.public()).expect("holds");
        let other = NoteSigner::new("example.org/log", &[8; 32]).expect("a signer");
        Note::parse(note.as_bytes()).expect("a note").verify(other.public()).expect_err("another key");
    }

    #[test]
    fn names_that_cannot_be_key_names_are_refused() {
        for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
            assert!(NoteSigner::new(name, &[1; 32]).is_err(), "{name:?}");
        }
        for text in ["", "a", "a+b+c", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"] {
            assert!(VerifierKey::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_note_in_another_form_is_refused() {
        for text in [
            "",
            "\n\n",
            "a\n",
            "a\n\n",
            "a\n\nb\n",
            "a\n\n\u{2014} x\n",
            "a\n\n\u{2014} x !\n",
            "a\n\n\u{2014} x AAAAAAAA",
        ] {
            assert!(Note::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(Note::parse(b"a\x01\n\n\xe2\x80\x94 x AAAAAAAA\n").is_err());
        assert!(Note::parse(b"\xff\n\n\xe2\x80\x94 x AAAAAAAA\n").is_err());
    }
}
