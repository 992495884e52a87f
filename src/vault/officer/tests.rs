use super::*;
use crate::host::RealDisk;
use crate::host::random::SystemRandom;
use ed25519_dalek::Signature;

const NOW: Time = Time::from_unix(1_800_000_000);

fn verifies(officer: &OfficerPublic, message: &[u8], signature: &[u8; 64]) -> bool {
    let key = officer.approval_verifier().expect("her approval key");
    key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
}

fn words(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn name(text: &str) -> OfficerName {
    text.parse().expect("a name")
}

fn add(folder: &Path, who: &str) -> CustodyResult<OfficerPublic> {
    let new = NewOfficer { name: name(who), passphrase: words(who), work_factor: WorkFactor::REHEARSAL };
    MadeOfficer::make(&RealDisk, &SystemRandom, folder, new, NOW)?.put(&RealDisk, folder)
}

fn refused<T>(result: CustodyResult<T>) -> CustodyError {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(e) => e,
    }
}

#[test]
fn names_that_could_be_paths_or_look_alike_are_refused() {
    for good in ["a", "alice", "0", "a.b_c-d", &"x".repeat(32)] {
        assert_eq!(name(good).as_str(), good);
    }
    for bad in ["", ".", "..", ".a", "-a", "Alice", "a/b", "a b", "\u{430}lice", "a\n", &"x".repeat(33)] {
        bad.parse::<OfficerName>().expect_err(bad);
    }
}

#[test]
fn an_officer_opens_with_her_passphrase_and_signs_what_her_public_half_verifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let public = add(folder.path(), "alice").expect("added");
    let Ok(open) = open(&RealDisk, folder.path(), &public, words("alice")) else { panic!("it did not open") };
    assert_eq!(*open.public(), public);
    let signature = open.sign(b"message");
    assert!(verifies(&public, b"message", &signature));
    assert!(!verifies(&public, b"massage", &signature));
    let other = add(folder.path(), "bob").expect("added");
    assert!(!verifies(&other, b"message", &signature));
}

#[test]
fn a_wrong_passphrase_is_told_from_a_damaged_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let alice = add(folder.path(), "alice").expect("added");
    let try_it = |passphrase| refused(open(&RealDisk, folder.path(), &alice, words(passphrase)));
    assert!(matches!(try_it("Alice"), CustodyError::WrongPassphrase(who) if who.as_str() == "alice"));
    std::fs::write(folder.path().join("alice.age"), b"torn").expect("written");
    assert!(matches!(try_it("alice"), CustodyError::BadFile { .. }));
}

#[test]
fn an_exchanged_identity_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let alice = add(folder.path(), "alice").expect("added");
    let bob = add(folder.path(), "bob").expect("added");
    let file = |name: &str| folder.path().join(name);
    std::fs::copy(file("bob.age"), file("alice.age")).expect("copied");
    let e = refused(open(&RealDisk, folder.path(), &alice, words("bob")));
    assert!(matches!(e, CustodyError::IdentityMismatch(_)), "{e}");
    // Her public half stands on paper.
    let bytes = crate::vault::record::compact_bytes(&bob).expect("JSON");
    let e = parse_public(&bytes, &alice.name).expect_err("another's");
    assert!(e.contains("it names another officer"), "{e}");
}

#[test]
fn a_retired_officer_opens_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let alice = OfficerPublic { retired: Some(NOW), ..add(folder.path(), "alice").expect("added") };
    let e = refused(open(&RealDisk, folder.path(), &alice, words("alice")));
    assert!(matches!(e, CustodyError::Retired(_)), "{e}");
}

#[test]
fn an_identity_that_is_there_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    add(folder.path(), "alice").expect("added");
    assert!(matches!(refused(add(folder.path(), "alice")), CustodyError::StrayIdentity(_)));
}
