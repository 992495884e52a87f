//! age encryption as this product uses it: ASCII-armoured files that stock `age` opens, with every limit explicit.
//!
//! Format: age-encryption.org/v1 (C2SP `age`). Files are armoured, so that a file, its printed sheet and its scanned
//! text are the same bytes.

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient};
use secrecy::SecretString;
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// The most bytes that a sealed thing holds: an RSA-4096 key in fioctl's JSON has 3,300.
pub(crate) const PLAINTEXT_CAP: usize = 64 << 10;
/// The most bytes of a sealed file that are read.
pub(crate) const SEALED_CAP: u64 = 128 << 10;

/// How hard scrypt makes each guess of a passphrase: N = 2^value, 2^(value + 10) bytes of memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct WorkFactor(u8);

impl WorkFactor {
    /// What a station uses: 2^18, 256 MiB and about a second a guess.
    pub const STANDARD: WorkFactor = WorkFactor(18);
    /// For rehearsals and tests, where nothing is protected.
    pub const REHEARSAL: WorkFactor = WorkFactor(12);
    /// The hardest that is made and opened: 1 GiB, so that a file that was exchanged does not take all memory.
    const MOST: u8 = 20;

    /// A work factor of 12 to 20; below 18 it protects nothing.
    pub(crate) fn of(log_n: u8) -> Option<WorkFactor> {
        (WorkFactor::REHEARSAL.0..=WorkFactor::MOST).contains(&log_n).then_some(WorkFactor(log_n))
    }
}

/// Why a sealed file did not open.
#[derive(Debug)]
pub enum Unsealed {
    /// It is well-formed, and the identity or passphrase is not one that it was sealed to.
    WrongKey,
    /// It is not an age file, or it was altered; the sentence says which.
    Damaged(String),
}

/// Encrypts to recipients; each of them alone opens the result.
///
/// # Errors
/// In the library's words: no recipients, or a recipient that cannot be encrypted to.
pub(crate) fn seal(recipients: &[&dyn Recipient], plaintext: &[u8]) -> Result<Vec<u8>, String> {
    let encryptor = Encryptor::with_recipients(recipients.iter().copied()).map_err(|e| e.to_string())?;
    let write = || -> std::io::Result<Vec<u8>> {
        let armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armored)?;
        writer.write_all(plaintext)?;
        writer.finish()?.finish()
    };
    write().map_err(|e| e.to_string())
}

/// Encrypts under a passphrase.
///
/// # Errors
/// As [`seal`].
pub(crate) fn seal_with_passphrase(
    passphrase: SecretString,
    work_factor: WorkFactor,
    plaintext: &[u8],
) -> Result<Vec<u8>, String> {
    let mut recipient = age::scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(work_factor.0);
    seal(&[&recipient], plaintext)
}

/// Decrypts with an identity.
///
/// # Errors
/// [`Unsealed`].
pub(crate) fn unseal(identity: &dyn Identity, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealed> {
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed)).map_err(refused)?;
    let mut reader = decryptor.decrypt(std::iter::once(identity)).map_err(refused)?;
    // Filled in place: a growing buffer would leave copies of the secret behind in freed memory.
    let mut plaintext = Zeroizing::new(vec![0; PLAINTEXT_CAP + 1]);
    let mut length = 0;
    loop {
        let room = plaintext.get_mut(length..).unwrap_or_default();
        match reader.read(room).map_err(|e| Unsealed::Damaged(e.to_string()))? {
            0 => break,
            more => length += more,
        }
    }
    if length > PLAINTEXT_CAP {
        return Err(Unsealed::Damaged(format!("it holds more than {PLAINTEXT_CAP} bytes")));
    }
    plaintext.truncate(length);
    Ok(plaintext)
}

/// Decrypts with a passphrase.
///
/// # Errors
/// [`Unsealed`]; a file that asks for more work than 2^20 is refused before the work is done.
pub fn unseal_with_passphrase(
    passphrase: SecretString,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Unsealed> {
    let mut identity = age::scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(WorkFactor::MOST);
    unseal(&identity, sealed)
}

/// Does it have the header of an age file? Whether it opens is known only when it is opened.
pub(crate) fn is_age_file(bytes: &[u8]) -> bool {
    Decryptor::new_buffered(ArmoredReader::new(bytes)).is_ok()
}

fn refused(e: DecryptError) -> Unsealed {
    match e {
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed | DecryptError::DecryptionFailed => {
            Unsealed::WrongKey
        }
        DecryptError::ExcessiveWork { required, .. } => Unsealed::Damaged(format!(
            "it asks for 2^{required} steps of scrypt, at most 2^{} are done",
            WorkFactor::MOST
        )),
        DecryptError::Io(e) => Unsealed::Damaged(format!("it is not a whole age file ({e})")),
        other => {
            Unsealed::Damaged(format!("it is not a whole age file ({})", first_line(&other.to_string())))
        }
    }
}

/// The library's messages have a second line with advice for another program.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[test]
    fn a_passphrase_opens_what_it_sealed_and_another_does_not() {
        let sealed = seal_with_passphrase(words("one"), WorkFactor::REHEARSAL, b"secret").expect("sealed");
        assert!(sealed.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----\n"));
        assert_eq!(*unseal_with_passphrase(words("one"), &sealed).expect("opened"), b"secret");
        assert!(matches!(unseal_with_passphrase(words("two"), &sealed), Err(Unsealed::WrongKey)));
    }

    #[test]
    fn a_changed_or_cut_file_is_damaged_not_opened() {
        let identity = age::x25519::Identity::generate();
        let sealed = seal(&[&identity.to_public()], &[7; 500]).expect("sealed");
        // The line feed at the very end is no part of the armour.
        for at in (0..sealed.trim_ascii_end().len()).step_by(7) {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            unseal(&identity, &changed).expect_err("changed");
            unseal(&identity, &sealed[..at]).expect_err("cut");
        }
        unseal(&identity, b"").expect_err("empty");
    }

    #[test]
    fn a_file_that_asks_for_far_more_work_than_ours_do_is_refused_before_it_is_done() {
        ["21", "22", "40"].into_iter().for_each(is_refused_at_once);
    }

    fn is_refused_at_once(asked: &str) {
        let sealed = seal_with_passphrase(words("one"), WorkFactor(2), b"secret").expect("sealed");
        let mut plain = Vec::new();
        ArmoredReader::new(&sealed[..]).read_to_end(&mut plain).expect("armour");
        let header = String::from_utf8_lossy(&plain).into_owned();
        let salt = header.split(' ').nth(2).expect("a salt").to_owned();
        let at =
            plain.windows(salt.len()).position(|w| w == salt.as_bytes()).expect("found") + salt.len() + 1;
        plain.splice(at..=at, asked.bytes());
        match unseal_with_passphrase(words("one"), &plain) {
            Err(Unsealed::Damaged(why)) => assert!(why.contains(&format!("2^{asked}")), "{why}"),
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
}
