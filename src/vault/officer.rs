//! An officer's identity: who may approve and open keys, in one file that only her passphrase opens.
//!
//! `NAME.age` is an age file under her passphrase. Inside is an age identity file (a secret key line among comments),
//! so stock `age -d -i NAME.age FILE` opens whatever is sealed to her; her approval key stands in a comment line.
//! Her public halves are in the log. Opening checks that the two belong together.

use crate::host::disk::{ensure_folder, write_durably};
use crate::host::{Disk, Random, clock::Time};
use crate::vault::error::{CustodyError, CustodyResult};
use crate::vault::record::parse_record;
use crate::vault::seal::{self, SEALED_CAP, Unsealed, WorkFactor};
use age::secrecy::ExposeSecret;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

const FORMAT: &str = "countersign/officer/1";
/// Where the approval key stands in the opened identity file; a comment to `age`.
const APPROVAL_LINE: &str = "# approval key (ed25519 seed, hex): ";

/// An officer's name: 1 to 32 of `a-z 0-9 . _ -`, beginning with a letter or a digit. Safe as a file name and to show.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OfficerName(String);

impl OfficerName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OfficerName {
    type Err = CustodyError;

    fn from_str(text: &str) -> CustodyResult<OfficerName> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let whole = (1..=32).contains(&text.len())
            && text.bytes().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
            && text.bytes().next().is_some_and(plain);
        if !whole {
            return Err(CustodyError::BadName(text.to_owned()));
        }
        Ok(OfficerName(text.to_owned()))
    }
}

impl TryFrom<String> for OfficerName {
    type Error = CustodyError;

    fn try_from(text: String) -> CustodyResult<OfficerName> {
        text.parse()
    }
}

impl From<OfficerName> for String {
    fn from(name: OfficerName) -> String {
        name.0
    }
}

impl fmt::Display for OfficerName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The public half of an officer: what is sealed to her and what verifies her approvals.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficerPublic {
    /// When she was added.
    pub added: Time,
    /// The ed25519 public key of her approvals (RFC 8032), 64 hexadecimal digits.
    pub approval_key: String,
    /// `countersign/officer/1`.
    pub format: String,
    /// Her name.
    pub name: OfficerName,
    /// Her age recipient (`age1…`).
    pub recipient: String,
    /// When she left; absent while she serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Time>,
}

impl OfficerPublic {
    /// An officer who serves.
    pub(crate) fn new(
        name: OfficerName,
        recipient: String,
        approval_key: String,
        added: Time,
    ) -> OfficerPublic {
        OfficerPublic { added, approval_key, format: FORMAT.to_owned(), name, recipient, retired: None }
    }

    /// Does she still serve?
    pub(crate) fn is_active(&self) -> bool {
        self.retired.is_none()
    }

    /// Her recipient, for sealing to her.
    pub(crate) fn age_recipient(&self) -> CustodyResult<age::x25519::Recipient> {
        self.recipient.parse().map_err(|reason: &str| CustodyError::Make {
            what: format!("to {}", self.name),
            reason: reason.to_owned(),
        })
    }

    /// The key that verifies her approvals; `None` when it is not a point that RFC 8032 allows.
    pub(crate) fn approval_verifier(&self) -> Option<VerifyingKey> {
        let bytes: [u8; 32] = hex::decode(&self.approval_key).ok()?.try_into().ok()?;
        VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak())
    }
}

/// An officer whose passphrase was right. Wiped when dropped; has no `Debug`.
pub struct OpenOfficer {
    public: OfficerPublic,
    identity: age::x25519::Identity,
    approval: SigningKey,
}

impl OpenOfficer {
    /// Her public half.
    pub fn public(&self) -> &OfficerPublic {
        &self.public
    }

    /// Her name.
    pub(crate) fn name(&self) -> &OfficerName {
        &self.public.name
    }

    /// Opens something that is sealed to her.
    ///
    /// # Errors
    /// It is sealed to somebody else, or it is damaged.
    pub fn unseal(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealed> {
        seal::unseal(&self.identity, sealed)
    }

    /// Her signature over an approval or an act (ed25519, RFC 8032). The caller sees to it that the message can be taken
    /// for nothing else.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.approval.sign(message).to_bytes()
    }
}

impl OpenOfficer {
    /// Puts her identity, with the same keys, under another passphrase.
    ///
    /// # Errors
    /// The file cannot be written; the old passphrase then still holds.
    pub(crate) fn put_under(
        &self,
        disk: &dyn Disk,
        folder: &Path,
        passphrase: SecretString,
        work_factor: WorkFactor,
    ) -> CustodyResult<()> {
        let seed = Zeroizing::new(self.approval.to_bytes());
        let sealed = seal_identity(&self.public, &self.identity, &seed, passphrase, work_factor)?;
        Ok(write_durably(disk, &identity_file(folder, self.name()), 0o600, &[&sealed])?)
    }
}

/// The file of an officer's identity in a station's `officers` folder.
pub(crate) fn identity_file(folder: &Path, name: &OfficerName) -> PathBuf {
    folder.join(format!("{name}.age"))
}

/// An officer to be made.
pub struct NewOfficer {
    /// Her name.
    pub name: OfficerName,
    /// Her passphrase; its strength is the caller's to check.
    pub passphrase: SecretString,
    /// How hard a guess is to be.
    pub work_factor: WorkFactor,
}

/// An officer who was made and is not on the disk yet, so that the log can name her first.
pub struct MadeOfficer {
    public: OfficerPublic,
    sealed: Vec<u8>,
}

impl MadeOfficer {
    /// Makes new keys, sealed under her passphrase.
    ///
    /// # Errors
    /// A file of her name is there, or there is no randomness.
    pub fn make(
        disk: &dyn Disk,
        random: &dyn Random,
        folder: &Path,
        new: NewOfficer,
        now: Time,
    ) -> CustodyResult<MadeOfficer> {
        let NewOfficer { name, passphrase, work_factor } = new;
        let file = identity_file(folder, &name);
        if disk.kind(&file)?.is_some() {
            return Err(CustodyError::StrayIdentity(file));
        }
        let identity = age::x25519::Identity::generate();
        let mut seed = Zeroizing::new([0u8; 32]);
        random.fill(&mut *seed).map_err(CustodyError::NoRandomness)?;
        let approval_key = hex::encode(SigningKey::from_bytes(&seed).verifying_key().to_bytes());
        let public = OfficerPublic::new(name, identity.to_public().to_string(), approval_key, now);
        let sealed = seal_identity(&public, &identity, &seed, passphrase, work_factor)?;
        Ok(MadeOfficer { public, sealed })
    }

    /// Her public half.
    pub(crate) fn public(&self) -> &OfficerPublic {
        &self.public
    }

    /// Puts her identity on the disk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(self, disk: &dyn Disk, folder: &Path) -> CustodyResult<OfficerPublic> {
        ensure_folder(disk, folder, 0o700)?;
        write_durably(disk, &identity_file(folder, &self.public.name), 0o600, &[&self.sealed])?;
        Ok(self.public)
    }
}

fn seal_identity(
    public: &OfficerPublic,
    identity: &age::x25519::Identity,
    seed: &[u8; 32],
    passphrase: SecretString,
    work_factor: WorkFactor,
) -> CustodyResult<Vec<u8>> {
    let secret = identity.to_string();
    let mut seed_hex = Zeroizing::new([0u8; 64]);
    // The buffer has exactly the length of the digits.
    let _ = hex::encode_to_slice(seed, &mut *seed_hex);
    let head = format!(
        "# countersign officer identity, format 1\n# officer: {}\n# recipient: {}\n# `age -d -i` takes this file as it is.\n",
        public.name, public.recipient
    );
    // Made in one piece, so that no growing buffer leaves copies behind.
    let parts: [&[u8]; 5] =
        [head.as_bytes(), secret.expose_secret().as_bytes(), b"\n", APPROVAL_LINE.as_bytes(), &*seed_hex];
    let length = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    parts.iter().for_each(|part| text.extend_from_slice(part));
    text.push(b'\n');
    seal::seal_with_passphrase(passphrase, work_factor, &text)
        .map_err(|reason| CustodyError::Make { what: format!("{}'s identity", public.name), reason })
}

/// Reads the public half of this officer from bytes; the error is a sentence.
pub(crate) fn parse_public(bytes: &[u8], name: &OfficerName) -> Result<OfficerPublic, String> {
    let public: OfficerPublic = parse_record(bytes, FORMAT)?;
    if public.name != *name {
        return Err("it names another officer".to_owned());
    }
    if public.approval_verifier().is_none() {
        return Err("\"approval_key\" is not an ed25519 public key".to_owned());
    }
    if public.age_recipient().is_err() {
        return Err("\"recipient\" is not an age recipient".to_owned());
    }
    Ok(public)
}

/// Opens an officer's identity with her passphrase. Takes about a second, on purpose.
///
/// # Errors
/// [`CustodyError::WrongPassphrase`], which the caller logs and answers with a delay; a retired officer; a damaged
/// file, or one that does not belong to her public half.
pub fn open(
    disk: &dyn Disk,
    folder: &Path,
    public: &OfficerPublic,
    passphrase: SecretString,
) -> CustodyResult<OpenOfficer> {
    let name = &public.name;
    if !public.is_active() {
        return Err(CustodyError::Retired(name.clone()));
    }
    let (identity, seed) = open_secrets(disk, folder, name, passphrase)?;
    let approval = SigningKey::from_bytes(&seed);
    let belongs = identity.to_public().to_string() == public.recipient
        && hex::encode(approval.verifying_key().to_bytes()) == public.approval_key;
    if !belongs {
        return Err(CustodyError::IdentityMismatch(name.clone()));
    }
    Ok(OpenOfficer { public: public.clone(), identity, approval })
}

type Secrets = (age::x25519::Identity, Zeroizing<[u8; 32]>);

fn open_secrets(
    disk: &dyn Disk,
    folder: &Path,
    name: &OfficerName,
    passphrase: SecretString,
) -> CustodyResult<Secrets> {
    let path = identity_file(folder, name);
    let sealed = disk.read(&path, SEALED_CAP)?;
    let text = seal::unseal_with_passphrase(passphrase, &sealed).map_err(|e| match e {
        Unsealed::WrongKey => CustodyError::WrongPassphrase(name.clone()),
        Unsealed::Damaged(problem) => CustodyError::BadFile { path: path.clone(), problem },
    })?;
    read_identity(&text).ok_or_else(|| CustodyError::BadFile {
        path,
        problem: "it opens, but holds no officer identity of format 1".to_owned(),
    })
}

/// The two secrets out of the identity file's text.
fn read_identity(text: &[u8]) -> Option<Secrets> {
    let text = std::str::from_utf8(text).ok()?;
    let mut secret_lines = text.lines().filter(|line| line.starts_with("AGE-SECRET-KEY-1"));
    let identity = secret_lines.next()?.parse().ok()?;
    let digits = text.lines().find_map(|line| line.strip_prefix(APPROVAL_LINE))?;
    let mut seed = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(digits, &mut *seed).ok()?;
    secret_lines.next().is_none().then_some((identity, seed))
}

#[cfg(test)]
mod tests;
