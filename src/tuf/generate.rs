//! New targets keys, in the files that fioctl writes and reads.

use super::{KeyId, PrivateKey, PublicKey, TufError};
use crate::host::Random;
use crate::json::canonical;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// What kind of key to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewKeyType {
    /// Ed25519 (RFC 8032), fioctl's default.
    Ed25519,
    /// RSA of 4,096 bits, for Factories whose devices need it.
    Rsa4096,
}

/// A key that was just made.
pub struct NewKey {
    /// Its id in a Factory.
    pub keyid: KeyId,
    /// The public half.
    pub public: PublicKey,
    /// The `.pub` file: `{"keytype":…,"keyval":{"public":…}}`.
    pub public_file: Vec<u8>,
    /// The `.sec` file: `{"keytype":…,"keyval":{"private":…}}`.
    pub secret_file: Zeroizing<Vec<u8>>,
}

/// Makes a key. RSA takes seconds, and its randomness from AWS-LC, which takes it from the system.
///
/// # Errors
/// There is no randomness, or the key does not sign what its public half verifies.
pub fn generate(kind: NewKeyType, random: &dyn Random) -> Result<NewKey, TufError> {
    let fail = |why: &str| TufError::key("the new key", why);
    let secret_file = match kind {
        NewKeyType::Ed25519 => ed25519_file(random).map_err(|e| fail(&e.to_string()))?,
        NewKeyType::Rsa4096 => rsa_file().ok_or_else(|| fail("the RSA library could not make a key"))?,
    };
    let private = PrivateKey::parse("the new key", &secret_file)?;
    let public = private.public().clone();
    let keyid = public.factory_keyid();
    let trial = b"countersign: trial of a new key";
    if !public.verify(trial, &private.sign(&keyid, trial)?) {
        return Err(fail("its public half does not verify what it signs"));
    }
    let public_file = format!(
        "{{\"keytype\":\"{}\",\"keyval\":{{\"public\":{}}}}}",
        public.keytype(),
        canonical::string(&match kind {
            NewKeyType::Ed25519 => public.text().to_owned(),
            NewKeyType::Rsa4096 => format!("{}\n", public.text()),
        })
    );
    Ok(NewKey { keyid, public, public_file: public_file.into_bytes(), secret_file })
}

fn ed25519_file(random: &dyn Random) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut seed = Zeroizing::new([0u8; 32]);
    random.fill(&mut *seed)?;
    let mut digits = Zeroizing::new([0u8; 64]);
    // The buffer has exactly the length of the digits.
    let _ = hex::encode_to_slice(seed.as_slice(), &mut *digits);
    Ok(secret_file("ED25519", &*digits))
}

fn rsa_file() -> Option<Zeroizing<Vec<u8>>> {
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa4096).ok()?;
    let wrapped: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    let body = Zeroizing::new(STANDARD.encode(pkcs1(wrapped.as_ref())?));
    let mut pem = Zeroizing::new(Vec::with_capacity(2 * body.len()));
    pem.extend_from_slice(b"-----BEGIN RSA PRIVATE KEY-----\\n");
    for line in body.as_bytes().chunks(64) {
        pem.extend_from_slice(line);
        pem.extend_from_slice(b"\\n");
    }
    pem.extend_from_slice(b"-----END RSA PRIVATE KEY-----\\n");
    Some(secret_file("RSA", &pem))
}

/// The file around a private value that is JSON text already.
fn secret_file(keytype: &str, value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut file = Zeroizing::new(Vec::with_capacity(value.len() + 64));
    file.extend_from_slice(format!("{{\"keytype\":\"{keytype}\",\"keyval\":{{\"private\":\"").as_bytes());
    file.extend_from_slice(value);
    file.extend_from_slice(b"\"}}");
    file
}

/// The PKCS#1 key within a PKCS#8 one (RFC 5208): version, algorithm, and then the key as an octet string.
fn pkcs1(pkcs8: &[u8]) -> Option<&[u8]> {
    let (0x30, inside, []) = der_value(pkcs8)? else { return None };
    let (0x02, _, rest) = der_value(inside)? else { return None };
    let (0x30, _, rest) = der_value(rest)? else { return None };
    let (0x04, key, _) = der_value(rest)? else { return None };
    Some(key)
}

/// Tag, content and what follows of one DER value of at most 65,535 bytes.
fn der_value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0x82 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), rest.get(2..)?),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        short if *short < 0x80 => (usize::from(*short), rest),
        _ => return None,
    };
    Some((*tag, rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::random::SystemRandom;
    use crate::tuf::keyfile;

    #[test]
    fn a_new_key_stands_in_the_files_that_fioctl_writes() {
        for (kind, keytype, length) in
            [(NewKeyType::Ed25519, "ED25519", 109), (NewKeyType::Rsa4096, "RSA", 3300)]
        {
            let key = generate(kind, &SystemRandom).expect("made");
            assert_eq!(key.public.keytype(), keytype);
            let read = keyfile::public_key("new.pub", &key.public_file).expect("a public key");
            assert_eq!(read.factory_keyid(), key.keyid);
            assert!(key.secret_file.len().abs_diff(length) < 40, "{}", key.secret_file.len());
            let text = std::str::from_utf8(&key.secret_file).expect("text");
            assert!(text.starts_with(&format!("{{\"keytype\":\"{keytype}\",\"keyval\":{{\"private\":\"")));
        }
    }

    #[test]
    fn without_randomness_no_key_is_made() {
        struct Dry;
        impl Random for Dry {
            fn fill(&self, _: &mut [u8]) -> std::io::Result<()> {
                Err(std::io::Error::other("dry"))
            }
        }
        assert!(generate(NewKeyType::Ed25519, &Dry).is_err());
    }
}
