//! New targets keys, in the files that fioctl writes and reads.

use super::{Dialect, KeyId, PrivateKey, PublicKey, TufError, pkcs8};
use crate::host::Random;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use zeroize::Zeroizing;

/// What kind of key to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NewKeyType {
    /// Ed25519 (RFC 8032), fioctl's default.
    Ed25519,
    /// RSA of 4,096 bits, for Factories whose devices need it.
    Rsa4096,
}

/// A key that was just made.
pub(crate) struct NewKey {
    /// Its id, by the dialect's rule.
    pub keyid: KeyId,
    /// The public half.
    pub public: PublicKey,
    /// The public half as a root lists it: `{"keytype":…,"keyval":{"public":…}}`, in the specification with its scheme.
    pub public_file: Vec<u8>,
    /// The `.sec` file: `{"keytype":…,"keyval":{"private":…}}`.
    pub secret_file: Zeroizing<Vec<u8>>,
}

/// Makes a key. RSA takes seconds, and its randomness from AWS-LC, which takes it from the system.
///
/// # Errors
/// There is no randomness, or the key does not sign what its public half verifies.
pub(crate) fn generate(kind: NewKeyType, dialect: Dialect, random: &dyn Random) -> Result<NewKey, TufError> {
    let fail = |why: &str| TufError::key("the new key", why);
    let secret_file = match kind {
        NewKeyType::Ed25519 => ed25519_file(random).map_err(|e| fail(&e.to_string()))?,
        NewKeyType::Rsa4096 => rsa_file().ok_or_else(|| fail("the RSA library could not make a key"))?,
    };
    let private = PrivateKey::parse("the new key", &secret_file)?;
    let public = private.public().clone();
    let (keyid, public_file) = dialect.new_key(&public).map_err(|why| fail(&why))?;
    let trial = b"countersign: trial of a new key";
    if !public.verify(trial, &private.sign(&keyid, trial)?) {
        return Err(fail("its public half does not verify what it signs"));
    }
    Ok(NewKey { keyid, public, public_file: public_file.into_bytes(), secret_file })
}

fn ed25519_file(random: &dyn Random) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut seed = Zeroizing::new([0u8; 32]);
    random.fill(&mut *seed)?;
    Ok(pkcs8::ed25519_file(&seed))
}

fn rsa_file() -> Option<Zeroizing<Vec<u8>>> {
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa4096).ok()?;
    let wrapped: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    pkcs8::secret_file(wrapped.as_ref()).ok()
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
            let key = generate(kind, Dialect::Factory, &SystemRandom).expect("made");
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
        assert!(generate(NewKeyType::Ed25519, Dialect::Factory, &Dry).is_err());
    }
}
