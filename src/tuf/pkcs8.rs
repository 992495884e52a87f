//! Private keys as openssl, securesystemslib and tough write them (PKCS#8, RFC 5208 and RFC 5958; for RSA PKCS#1 too),
//! turned into the one form that is sealed here: fioctl's `.sec` file.

use super::archive::ActiveKey;
use super::{PrivateKey, PublicKey, Root, TufError};
use crate::text::shown;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Algorithm identifiers in DER: ed25519 (RFC 8410), rsaEncryption (RFC 8017), ecPublicKey (RFC 5480).
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// Takes a key that the root lists for a role out of a PKCS#8 file, in PEM or DER.
///
/// # Errors
/// The file holds no private key of a type that signs here, or the role does not list it.
pub(super) fn active_key(name: &str, file: &[u8], root: &Root, role: &str) -> Result<ActiveKey, TufError> {
    let fail = |why: String| TufError::KeyFile { file: shown(name), why };
    let secret = read(file).map_err(|why| {
        fail(format!("{why}. A private key file is PKCS#8, in PEM or DER, with an ed25519 or RSA key"))
    })?;
    let private = PrivateKey::parse(&shown(name), &secret)?;
    let info = private.public().subject_public_key_info();
    let is_it = |key: &PublicKey| key.subject_public_key_info() == info;
    let listed =
        root.keyids(role).iter().find_map(|id| Some((id, root.keys.get(id).filter(|key| is_it(key))?)));
    match listed {
        Some((keyid, public)) => {
            Ok(ActiveKey { keyid: keyid.clone(), public: public.clone(), private, secret })
        }
        None => Err(fail(format!(
            "its key is not one of the role \"{}\" (as root version {} has it). If the key was rotated, update the root \
             first",
            shown(role),
            root.version
        ))),
    }
}

/// The `.sec` file of a private key file.
fn read(file: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    if let Some(what) = crate::text::encoding(file) {
        return Err(what.to_owned());
    }
    let Some(text) =
        std::str::from_utf8(file).ok().filter(|text| text.trim_start().starts_with("-----BEGIN"))
    else {
        return secret_file(file);
    };
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(
            "the key is encrypted with a passphrase. Decrypt it first (openssl pkey -in FILE -out FILE2)"
                .into(),
        );
    }
    let body = |label| super::key::pem_body(text, label).map(Zeroizing::new);
    if let Some(der) = body("PRIVATE KEY") {
        return secret_file(&der);
    }
    match body("RSA PRIVATE KEY") {
        Some(pkcs1) => Ok(rsa_file(&pkcs1)),
        None => Err("this is not one private key in PEM".to_owned()),
    }
}

/// The `.sec` file of a PKCS#8 key in DER: version, algorithm, and then the key as an octet string.
pub(super) fn secret_file(pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let open = || {
        let (0x30, inside, []) = der_value(pkcs8)? else { return None };
        let (0x02, _, rest) = der_value(inside)? else { return None };
        let (0x30, algorithm, rest) = der_value(rest)? else { return None };
        let (0x04, key, _) = der_value(rest)? else { return None };
        Some((algorithm, key))
    };
    let (algorithm, key) = open().ok_or("this is not a private key")?;
    if algorithm.starts_with(RSA) {
        return Ok(rsa_file(key));
    }
    if algorithm.starts_with(EC) {
        return Err("this is an ECDSA key, which is verified here and never signs".to_owned());
    }
    match (algorithm, der_value(key)) {
        (ED25519, Some((0x04, seed, []))) => {
            let seed =
                seed.first_chunk().filter(|_| seed.len() == 32).ok_or("an ed25519 key has 32 bytes")?;
            Ok(ed25519_file(seed))
        }
        _ => Err("its type is neither ed25519 nor RSA".to_owned()),
    }
}

/// The `.sec` file of an ed25519 seed.
pub(super) fn ed25519_file(seed: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut digits = Zeroizing::new([0u8; 64]);
    // The buffer has exactly the length of the digits.
    let _ = hex::encode_to_slice(seed.as_slice(), &mut *digits);
    sec("ED25519", &*digits)
}

/// The `.sec` file of a PKCS#1 key.
fn rsa_file(pkcs1: &[u8]) -> Zeroizing<Vec<u8>> {
    let body = Zeroizing::new(STANDARD.encode(pkcs1));
    let mut pem = Zeroizing::new(Vec::with_capacity(2 * body.len() + 128));
    pem.extend_from_slice(b"-----BEGIN RSA PRIVATE KEY-----\\n");
    for line in body.as_bytes().chunks(64) {
        pem.extend_from_slice(line);
        pem.extend_from_slice(b"\\n");
    }
    pem.extend_from_slice(b"-----END RSA PRIVATE KEY-----\\n");
    sec("RSA", &pem)
}

/// The file around a private value that is JSON text already.
fn sec(keytype: &str, value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut file = Zeroizing::new(Vec::with_capacity(value.len() + 64));
    file.extend_from_slice(format!("{{\"keytype\":\"{keytype}\",\"keyval\":{{\"private\":\"").as_bytes());
    file.extend_from_slice(value);
    file.extend_from_slice(b"\"}}");
    file
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
