//! The program's cryptography against known answers, made by other programs, before it is trusted with a key.

use super::Line;
use crate::host::Random;
use crate::tuf::PublicKey;
use base64::Engine as _;
use ed25519_dalek::Signer as _;
use sha2::{Digest, Sha256, Sha512};

const NAME: &str = "self-test";

/// FIPS 180-4 examples: the message "abc".
const SHA256_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const SHA512_ABC: &str = "\
    ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
    2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

/// RFC 8032, section 7.1, test 3.
const ED25519_SECRET: &str = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
const ED25519_PUBLIC: &str = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
const ED25519_MESSAGE: [u8; 2] = [0xaf, 0x82];
const ED25519_SIGNATURE: &str = "\
    6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
    18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";

/// What the vectors below sign and encrypt.
const MESSAGE: &[u8] = b"countersign self-test";

/// Made with OpenSSL 3: `openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sign`.
const RSA_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2QWO7X71sEZKMuwSZ/Ql
D/biix5RIIObRuL4LBcVSDbUIdisriS5bZ5HbGIBKf4Zx7E+7+mMcAerwaWCauPl
fWWuHCVzd8fTDcsi/nb6i/cGPaxSEpDrfjcstLlDwq45HaPv0OoOLpMnE1Bp9MTH
+KNjjSax5EEO6MoT0lTNG+GBoAfhu9Hxrl8S3Gxl8nIzj+IfqMeFfJxb5n09pJ+6
xD0JfwB0LaYDn4OdM8oK6iu+lpqI9PmOwbFS/7MpMqmqKFpLPAL7/JYRgelii2XT
Bt4NY1rCugMy/Cajmgx1UnWZ+0dNbOQbxRXC+xFidPpACLnHxttTOgHhSgf/mQ2t
0QIDAQAB
-----END PUBLIC KEY-----";
const RSA_SIGNATURE: &str = "\
    FY9u8kfx1xNLWgFFHzMdzBBfd8HqcmquFTvPffoV2z68hc629FWharTWT9ftOWy3e8r9G5AU7OxA+tlpru3Trfg4nWWDjTrAdCd2\
    XQzVEHM+ng9Gfxq2/g2JSm+DtojncyXka2cqxYkMMOV1PhEUdtek0rc7VTuYHR5pUHnT6LsIXwOQGFiaq1h635l1gWA6OMWkeU1W\
    ZyNrZPt//V8xXU5tI4iz19J9vqCNYswJQfwyZNtznj7kAVdIdHpYsPLpA8jiLuHxlSHXCltUrrxh1cM3WKmKLrJ68wfRtGLJNuMT\
    qCrS2Kk8wUX4WCRLWsxhpvFu3ba6xu2hhHbvbuHTAw==";

/// Made with the Go implementation, `age -a -r`. The identity protects nothing: it is part of this vector.
const AGE_IDENTITY: &str = "AGE-SECRET-KEY-13D3SXPS676DLV35N8Q7ZQKRXGTALSYLYAGWVVVFNTPVQ3M2F8YVQNRPFYY";
const AGE_FILE: &str = "-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB3YkdVcmFZcFVhRFZqKzRo
RUhqbmtvVVJDbTlwbkZrM3Q4Y2FVSVorWFZJClFBQnkxdjQzRndhTko0NGR2ODFY
SmF2aHVUcUVEYUM3OE1jcXYyTjY0RTgKLS0tIC9UR3lMcWdOL2sweWM2ZW4yY3BD
cnVJU3NuTW0ySEkyQ0xyUGcrZHdGc0EKOfe/Mvu8KVVqMqq4jKf54p6YLgyBKork
QtFbSr2tsr9xLM38/dM6NaqWGVY939/MaFVI3GM=
-----END AGE ENCRYPTED FILE-----
";

/// Runs every known-answer test.
///
/// # Errors
/// The name of the first that fails.
pub(crate) fn self_test(random: &dyn Random) -> Result<(), &'static str> {
    let tests: [(&'static str, &dyn Fn() -> Option<bool>); 6] = [
        ("SHA-256", &|| Some(hex::encode(Sha256::digest("abc")) == SHA256_ABC)),
        ("SHA-512", &|| Some(hex::encode(Sha512::digest("abc")) == SHA512_ABC)),
        ("ed25519", &ed25519),
        ("RSA-PSS", &rsa_pss),
        ("age", &age),
        ("random numbers", &|| random_differs(random)),
    ];
    tests.iter().try_for_each(|(name, test)| if test() == Some(true) { Ok(()) } else { Err(*name) })
}

pub(super) fn line(random: &dyn Random) -> Line {
    match self_test(random) {
        Ok(()) => Line::pass(NAME, "SHA-256, SHA-512, ed25519, RSA-PSS and age give the known answers"),
        Err(which) => Line::fail(
            NAME,
            format!(
                "{which} does not give the known answer: the program or the machine is broken. Copy the program anew and compare its SHA-256; if that is right, use another machine"
            ),
        ),
    }
}

/// Signs as the specification does, accepts its signature, and refuses it for another message.
fn ed25519() -> Option<bool> {
    let secret: [u8; 32] = hex::decode(ED25519_SECRET).ok()?.try_into().ok()?;
    let key = ed25519_dalek::SigningKey::from_bytes(&secret);
    let signature = key.sign(&ED25519_MESSAGE);
    let public = PublicKey::parse("ED25519", true, None, ED25519_PUBLIC).ok()?;
    let known = hex::decode(ED25519_SIGNATURE).ok()?;
    Some(
        signature.to_bytes().as_slice() == known
            && public.verify(&ED25519_MESSAGE, &known)
            && !public.verify(MESSAGE, &known),
    )
}

/// Accepts a signature by another program, and refuses it when a bit of message or signature is flipped.
fn rsa_pss() -> Option<bool> {
    let public = PublicKey::parse("RSA", true, None, RSA_PUBLIC).ok()?;
    let mut signature = base64::engine::general_purpose::STANDARD.decode(RSA_SIGNATURE).ok()?;
    let accepted = public.verify(MESSAGE, &signature) && !public.verify(b"countersign self-tesu", &signature);
    *signature.last_mut()? ^= 1;
    Some(accepted && !public.verify(MESSAGE, &signature))
}

/// Opens a file that another program encrypted, and refuses it when a byte of it was changed.
fn age() -> Option<bool> {
    let identity: age::x25519::Identity = AGE_IDENTITY.parse().ok()?;
    let opened = age::decrypt(&identity, AGE_FILE.as_bytes()).ok()?;
    let changed = AGE_FILE.replacen("QtFb", "tQFb", 1);
    Some(opened == MESSAGE && changed != AGE_FILE && age::decrypt(&identity, changed.as_bytes()).is_err())
}

/// No statement about quality: only that the source is not stuck.
fn random_differs(random: &dyn Random) -> Option<bool> {
    let (mut one, mut other) = ([0u8; 32], [0u8; 32]);
    random.fill(&mut one).ok()?;
    random.fill(&mut other).ok()?;
    Some(one != other && one != [0u8; 32])
}
