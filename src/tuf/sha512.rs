//! SHA-512 as fast as the machine can: ed25519 hashes a targets file once to verify and twice to sign.
//!
//! The curve arithmetic is `ed25519-dalek`'s; only the hash comes from `aws-lc-rs`, whose assembly is half as fast again
//! as the `sha2` crate's. The function is the same, so the signatures are (RFC 8032, section 5.1).

use aws_lc_rs::digest::{Context, SHA512};
use ed25519_dalek::hazmat::raw_verify;
use ed25519_dalek::{Signature, VerifyingKey};
#[cfg(feature = "station")]
use ed25519_dalek::{
    SigningKey,
    hazmat::{ExpandedSecretKey, raw_sign},
};
use sha2::digest::consts::U64;
use sha2::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};

/// SHA-512 in the form that `ed25519-dalek` takes.
struct Sha512(Context);

impl Default for Sha512 {
    fn default() -> Sha512 {
        Sha512(Context::new(&SHA512))
    }
}

impl HashMarker for Sha512 {}

impl OutputSizeUser for Sha512 {
    type OutputSize = U64;
}

impl Update for Sha512 {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

impl FixedOutput for Sha512 {
    fn finalize_into(self, out: &mut Output<Sha512>) {
        out.copy_from_slice(self.0.finish().as_ref());
    }
}

/// Does the signature hold? As strictly as [`VerifyingKey::verify_strict`]: neither the key nor the signature's first
/// half may be a point of small order.
pub(super) fn verify(key: &VerifyingKey, message: &[u8], signature: &Signature) -> bool {
    let commitment = VerifyingKey::from_bytes(signature.r_bytes());
    !key.is_weak()
        && commitment.is_ok_and(|point| !point.is_weak())
        && raw_verify::<Sha512>(key, message, signature).is_ok()
}

#[cfg(feature = "station")]
/// The key's one signature over the message.
pub(super) fn sign(key: &SigningKey, message: &[u8]) -> Signature {
    let expanded = ExpandedSecretKey::from(key.as_bytes());
    raw_sign::<Sha512>(&expanded, message, &key.verifying_key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::Signer as _;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_signature_is_the_one_that_the_library_makes(
            seed in any::<[u8; 32]>(),
            message in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let key = SigningKey::from_bytes(&seed);
            let signature = sign(&key, &message);
            prop_assert_eq!(signature, key.sign(&message));
            prop_assert!(verify(&key.verifying_key(), &message, &signature));
        }

        #[test]
        fn what_the_library_refuses_strictly_is_refused(
            seed in any::<[u8; 32]>(),
            message in prop::collection::vec(any::<u8>(), 1..100),
            at in 0usize..64,
            bit in 0u8..8,
        ) {
            let key = SigningKey::from_bytes(&seed);
            let mut bytes = key.sign(&message).to_bytes();
            bytes[at] ^= 1 << bit;
            let (public, signature) = (key.verifying_key(), Signature::from_bytes(&bytes));
            prop_assert!(!verify(&public, &message, &signature));
            prop_assert!(public.verify_strict(&message, &signature).is_err());
            prop_assert!(!verify(&public, &[&message[..], b"."].concat(), &key.sign(&message)));
        }
    }

    /// The eight points of small order, some in an encoding that is not the canonical one.
    const SMALL_ORDER: [&str; 8] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];

    #[test]
    fn points_of_small_order_are_refused_as_key_and_as_commitment() {
        let good = SigningKey::from_bytes(&[7; 32]);
        for point in SMALL_ORDER {
            let point: [u8; 32] = hex::decode(point).expect("hex").try_into().expect("32 bytes");
            let Ok(weak) = VerifyingKey::from_bytes(&point) else { panic!("a point") };
            // Under a weak key, S = 0 with a small R holds for some messages if nobody looks.
            for message in [&b"a"[..], b"b", b"c", b"d", b"e", b"f", b"g", b"h"] {
                let mut bytes = [0; 64];
                bytes[..32].copy_from_slice(&point);
                let forged = Signature::from_bytes(&bytes);
                for key in [&weak, &good.verifying_key()] {
                    assert!(!verify(key, message, &forged));
                    assert!(key.verify_strict(message, &forged).is_err());
                }
            }
        }
    }
}
