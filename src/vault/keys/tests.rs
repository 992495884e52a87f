use super::*;
use crate::host::disk::{DiskResult, Entry};
use crate::host::random::SystemRandom;
use crate::host::{Bytes, RealDisk};
use crate::vault::officer::{self, MadeOfficer, NewOfficer, OfficerPublic};
use crate::vault::seal::WorkFactor;
use crate::vault::sealed::SHARES;
use proptest::prelude::*;
use secrecy::SecretString;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

const NOW: Time = Time::from_unix(1_800_000_000);
const SECRET: &[u8] = br#"{"keytype":"ED25519","keyval":{"private":"00"}}"#;

struct Office {
    _folder: tempfile::TempDir,
    open: Vec<OpenOfficer>,
}

/// Seven officers, made once: scrypt takes its time.
fn office() -> &'static Office {
    static OFFICE: OnceLock<Office> = OnceLock::new();
    OFFICE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let words = || SecretString::from("words of an officer".to_owned());
        let open = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"].map(|name| {
            let name: OfficerName = name.parse().expect("a name");
            let new = NewOfficer { name, passphrase: words(), work_factor: WorkFactor::REHEARSAL };
            let made = MadeOfficer::make(&RealDisk, &SystemRandom, folder.path(), new, NOW);
            let public = made.and_then(|made| made.put(&RealDisk, folder.path())).expect("made");
            officer::open(&RealDisk, folder.path(), &public, words()).expect("opened")
        });
        Office { _folder: folder, open: open.into() }
    })
}

fn publics(names: &[&str]) -> Vec<OfficerPublic> {
    present(names).into_iter().map(|officer| officer.public().clone()).collect()
}

fn present(names: &[&str]) -> Vec<&'static OpenOfficer> {
    let find = |name: &&str| office().open.iter().find(|open| open.name().as_str() == *name);
    names.iter().map(|name| find(name).expect("an officer")).collect()
}

fn meta(digit: &str) -> KeyMeta {
    KeyMeta { keyid: digit.repeat(64), keytype: "ED25519".to_owned(), public: "ab".repeat(32) }
}

fn seal_key(
    keys: &Path,
    meta: &KeyMeta,
    secret: &Zeroizing<Vec<u8>>,
    holders: Holders<'_>,
) -> CustodyResult<SealedKey> {
    Sealing::new(&RealDisk, &SystemRandom, keys, meta, secret, holders, NOW)?.put(&RealDisk, keys)
}

fn reseal_key(
    disk: &dyn Disk,
    keys: &Path,
    present: &[&OpenOfficer],
    holders: Holders<'_>,
) -> CustodyResult<SealedKey> {
    Sealing::anew(disk, &SystemRandom, keys, &"a".repeat(64), present, holders)?.put(disk, keys)
}

struct Keys {
    folder: tempfile::TempDir,
}

impl Keys {
    fn new() -> Keys {
        Keys { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    fn file(&self, digit: &str, name: &str) -> PathBuf {
        self.path().join(digit.repeat(64)).join(name)
    }

    fn seal(&self, digit: &str, names: &[&str], quorum: u8) -> SealedKey {
        let holders = Holders { officers: &publics(names), quorum };
        let secret = Zeroizing::new(SECRET.to_vec());
        seal_key(&self.path(), &meta(digit), &secret, holders).expect("sealed")
    }

    fn open(&self, digit: &str, names: &[&str]) -> CustodyResult<Zeroizing<Vec<u8>>> {
        open_key(&RealDisk, &self.path(), &digit.repeat(64), &present(names))
    }

    fn refused(&self, digit: &str, names: &[&str]) -> String {
        match self.open(digit, names) {
            Ok(_) => panic!("it opened"),
            Err(e) => e.to_string(),
        }
    }

    fn reseal(&self, by: &[&str], to: &[&str], quorum: u8) -> CustodyResult<SealedKey> {
        let holders = Holders { officers: &publics(to), quorum };
        reseal_key(&RealDisk, &self.path(), &present(by), holders)
    }
}

#[test]
fn any_one_of_the_officers_opens_a_key_with_quorum_one() {
    let keys = Keys::new();
    let key = keys.seal("a", &["alice", "bob"], 1);
    assert_eq!((key.set, key.recipient), (None, None));
    for name in ["alice", "bob"] {
        assert_eq!(*keys.open("a", &[name]).expect("opened"), SECRET);
    }
    let refused = keys.refused("a", &["carol"]);
    assert!(refused.contains("not sealed to carol. It is sealed to alice, bob"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_quorum_of_officers_opens_the_key_and_one_fewer_does_not(
        (total, quorum) in (1usize..=7).prop_flat_map(|n| (Just(n), 1..=n)),
        order in Just(["alice", "bob", "carol", "dave", "erin", "frank", "grace"]).prop_shuffle(),
    ) {
        let keys = Keys::new();
        let (holders, mut come) = (&order[..total], order[..total].to_vec());
        keys.seal("a", holders, u8::try_from(quorum).expect("small"));
        come.rotate_left(total / 2);
        come.truncate(quorum);
        prop_assert_eq!(&**keys.open("a", &come).expect("opened"), SECRET);
        come.pop();
        let refused = keys.open("a", &come);
        let too_few = matches!(refused, Err(CustodyError::TooFewOfficers { .. }));
        prop_assert!(too_few);
    }
}

#[test]
fn one_officer_named_twice_is_not_a_quorum() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob", "carol"], 2);
    assert!(keys.refused("a", &["alice", "alice"]).contains("alice is named twice"));
}

#[test]
fn a_swapped_share_is_named_and_not_combined() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob", "carol"], 2);
    std::fs::copy(keys.file("a", "shares/carol.age"), keys.file("a", "shares/bob.age")).expect("copied");
    let refused = keys.refused("a", &["alice", "bob"]);
    assert!(refused.contains("shares/bob.age does not open with the identity of bob"), "{refused}");
    assert_eq!(*keys.open("a", &["alice", "carol"]).expect("the others still open"), SECRET);
}

/// What an attacker writes who knows everybody's recipients: a well-formed share, sealed to the right officer.
fn put_share(keys: &Keys, officer: &str, text: &[u8]) {
    let recipient = publics(&[officer])[0].age_recipient().expect("a recipient");
    let sealed = seal::seal(&[&recipient], text).expect("sealed");
    std::fs::write(keys.file("a", &format!("shares/{officer}.age")), sealed).expect("written");
}

fn take_share(keys: &Keys, officer: &str) -> Zeroizing<Vec<u8>> {
    let sealed = std::fs::read(keys.file("a", &format!("shares/{officer}.age"))).expect("read");
    present(&[officer])[0].unseal(&sealed).expect("opened")
}

#[test]
fn another_officers_share_in_her_place_is_named_even_when_it_is_sealed_to_her() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob", "carol"], 2);
    put_share(&keys, "bob", &take_share(&keys, "carol"));
    let refused = keys.refused("a", &["alice", "bob"]);
    assert!(
        refused.contains("shares/bob.age: it is the share of carol: the files were swapped"),
        "{refused}"
    );
}

#[test]
fn a_share_of_another_key_is_foreign() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob"], 2);
    keys.seal("b", &["alice", "bob"], 2);
    std::fs::copy(keys.file("b", "shares/bob.age"), keys.file("a", "shares/bob.age")).expect("copied");
    let refused = keys.refused("a", &["alice", "bob"]);
    assert!(refused.contains(&format!("a share of another key, {}", "b".repeat(64))), "{refused}");
}

#[test]
fn a_share_of_an_earlier_sealing_is_stale() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob", "carol"], 2);
    let old = std::fs::read(keys.file("a", "shares/bob.age")).expect("read");
    keys.reseal(&["alice", "carol"], &["alice", "bob", "carol"], 2).expect("sealed anew");
    std::fs::write(keys.file("a", "shares/bob.age"), old).expect("written");
    let refused = keys.refused("a", &["alice", "bob"]);
    assert!(refused.contains("it is a stale share: it belongs to set"), "{refused}");
}

#[test]
fn a_share_with_an_altered_value_and_a_right_checksum_does_not_open_the_key() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob"], 2);
    let text = String::from_utf8(take_share(&keys, "bob").to_vec()).expect("text");
    let at = text.find("payload: ").expect("a payload") + 9;
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    let body = format!("{}{digit}{}", &text[..at], &text[at + 1..text.find("checksum").expect("a sum")]);
    let sum = hex::encode(Sha256::digest(&body));
    put_share(&keys, "bob", format!("{body}checksum: {sum}\n").as_bytes());
    let refused = keys.refused("a", &["alice", "bob"]);
    assert!(refused.contains("the shares of alice, bob together do not make the identity"), "{refused}");
}

#[test]
fn one_index_on_two_shares_is_refused() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob", "carol"], 2);
    let text = String::from_utf8(take_share(&keys, "alice").to_vec()).expect("text");
    let body = text[..text.find("checksum").expect("a sum")].replace("officer: alice", "officer: bob");
    let sum = hex::encode(Sha256::digest(&body));
    put_share(&keys, "bob", format!("{body}checksum: {sum}\n").as_bytes());
    assert!(keys.refused("a", &["alice", "bob"]).contains("its index 1 stands on another share too"));
}

#[test]
fn an_exchanged_sealed_key_does_not_open() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob"], 2);
    keys.seal("b", &["alice", "bob"], 2);
    std::fs::copy(keys.file("b", SEALED), keys.file("a", SEALED)).expect("copied");
    assert!(keys.refused("a", &["alice", "bob"]).contains("it was exchanged"));
}

#[test]
fn resealing_takes_a_quorum_and_moves_the_key_to_the_new_officers() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob", "carol"], 2);
    assert!(matches!(
        keys.reseal(&["alice"], &["alice", "dave"], 1),
        Err(CustodyError::TooFewOfficers { .. })
    ));
    keys.reseal(&["alice", "bob"], &["alice", "dave"], 2).expect("sealed anew");
    assert_eq!(*keys.open("a", &["alice", "dave"]).expect("opened"), SECRET);
    assert!(matches!(keys.open("a", &["bob", "carol"]), Err(CustodyError::NotHolder { .. })));
    assert!(!keys.file("a", "shares/bob.age").exists(), "the leaver's share stays behind");
    keys.reseal(&["alice", "dave"], &["erin"], 1).expect("sealed anew");
    assert_eq!(*keys.open("a", &["erin"]).expect("opened"), SECRET);
    assert!(!keys.file("a", "shares/alice.age").exists(), "shares stay behind");
}

#[test]
fn a_key_is_sealed_once_and_every_file_is_for_its_owner_alone() {
    use std::os::unix::fs::MetadataExt;
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob"], 2);
    let holders = Holders { officers: &publics(&["bob"]), quorum: 1 };
    let secret = Zeroizing::new(SECRET.to_vec());
    let again = seal_key(&keys.path(), &meta("a"), &secret, holders);
    assert!(matches!(again, Err(CustodyError::KeyExists(_))));
    let mode = |path: PathBuf| std::fs::symlink_metadata(path).expect("facts").mode() & 0o7777;
    for folder in ["", "shares"] {
        assert_eq!(mode(keys.file("a", folder)), 0o700);
    }
    for file in ["public.json", SEALED, "shares/alice.age", "shares/bob.age"] {
        assert_eq!(mode(keys.file("a", file)), 0o600, "{file}");
    }
}

#[test]
fn impossible_quorums_are_refused() {
    let keys = Keys::new();
    let secret = Zeroizing::new(SECRET.to_vec());
    for (names, quorum) in [(&["alice"][..], 2), (&["alice"], 0), (&[], 1), (&["alice", "alice"], 2)] {
        let holders = Holders { officers: &publics(names), quorum };
        seal_key(&keys.path(), &meta("a"), &secret, holders).expect_err("impossible");
    }
    assert!(list_keys(&RealDisk, &keys.path()).expect("listed").is_empty());
}

#[test]
fn a_key_is_found_by_the_beginning_of_its_id() {
    let keys = Keys::new();
    keys.seal("a", &["alice"], 1);
    keys.seal("b", &["alice"], 1);
    assert_eq!(find_key(&RealDisk, &keys.path(), "aaaa").expect("found").keyid, "a".repeat(64));
    for prefix in ["c", "", "../a"] {
        find_key(&RealDisk, &keys.path(), prefix).expect_err("none");
    }
}

#[test]
fn a_record_with_an_unknown_or_contradictory_member_is_refused() {
    let keys = Keys::new();
    keys.seal("a", &["alice", "bob"], 2);
    let path = keys.file("a", "public.json");
    let text = std::fs::read_to_string(&path).expect("read");
    for (from, to) in [
        ("\"quorum\": 2", "\"quorum\": 1"),
        ("\"quorum\": 2", "\"quorum\": 2, \"quorum\": 2"),
        ("\"quorum\": 2", "\"quorum\": 2, \"x\\u001b\": 2"),
        ("countersign/key/1", "countersign/key/2"),
        ("ED25519", "ED25519\\u001b[2J"),
        ("\"age1", "\"age2"),
        ("\"alice\",", "\"alice\", \"alice\","),
        ("shares/alice.age", "shares/../alice.age"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        std::fs::write(&path, changed).expect("written");
        let refused = keys.refused("a", &["alice", "bob"]);
        assert!(refused.contains("public.json: ") && refused.is_ascii(), "{refused}");
        assert!(!refused.contains('\u{1b}'), "{refused}");
    }
}

/// A disk that stops working at a given write, as a crash would.
struct CrashingDisk {
    writes_left: AtomicUsize,
}

impl CrashingDisk {
    fn step(&self, path: &Path) -> DiskResult<()> {
        let dead = || std::io::Error::other("the machine stopped");
        self.writes_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .map(|_| ())
            .map_err(|_| crate::host::disk::DiskError {
                doing: "write",
                path: path.to_owned(),
                source: dead(),
            })
    }
}

impl Disk for CrashingDisk {
    fn read(&self, path: &Path, cap: u64) -> DiskResult<Vec<u8>> {
        RealDisk.read(path, cap)
    }
    fn read_beneath(&self, folder: &Path, name: &str, cap: u64) -> DiskResult<Bytes> {
        RealDisk.read_beneath(folder, name, cap)
    }
    fn list(&self, folder: &Path, cap: usize) -> DiskResult<Vec<Entry>> {
        RealDisk.list(folder, cap)
    }
    fn kind(&self, path: &Path) -> DiskResult<Option<Kind>> {
        RealDisk.kind(path)
    }
    fn make_folder(&self, path: &Path, mode: u32) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.make_folder(path, mode)
    }
    fn create(&self, path: &Path, mode: u32, parts: &[&[u8]]) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.create(path, mode, parts)
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.append(path, bytes)
    }
    fn truncate(&self, path: &Path, length: u64) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.truncate(path, length)
    }
    fn sync(&self, path: &Path) -> DiskResult<()> {
        self.step(path)
    }
    fn sync_folder(&self, path: &Path) -> DiskResult<()> {
        self.step(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.step(from)?;
        RealDisk.rename(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.step(from)?;
        RealDisk.link(from, to)
    }
    fn remove(&self, path: &Path) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.remove(path)
    }
    fn remove_folder(&self, path: &Path) -> DiskResult<()> {
        self.step(path)?;
        RealDisk.remove_folder(path)
    }
}

#[test]
fn a_reseal_cut_short_anywhere_leaves_a_key_that_opens_and_can_be_resealed() {
    let old = ["alice", "bob", "carol"];
    let new = ["bob", "carol", "dave"];
    let (mut old_in_force, mut new_in_force) = (0, 0);
    for writes in 0.. {
        let keys = Keys::new();
        keys.seal("a", &old, 2);
        let disk = CrashingDisk { writes_left: AtomicUsize::new(writes) };
        let holders = Holders { officers: &publics(&new), quorum: 2 };
        let present = present(&["alice", "bob"]);
        let done = reseal_key(&disk, &keys.path(), &present, holders).is_ok();
        let in_force = load(&RealDisk, &keys.path(), &"a".repeat(64)).expect("a record").officers;
        if in_force.iter().any(|name| name.as_str() == "dave") {
            new_in_force += 1;
            assert_eq!(*keys.open("a", &["carol", "dave"]).expect("the new set opens"), SECRET);
        } else {
            old_in_force += 1;
            assert_eq!(*keys.open("a", &["alice", "carol"]).expect("the old set opens"), SECRET);
        }
        keys.reseal(&["bob", "carol"], &["erin", "bob"], 2).expect("sealed anew after the crash");
        assert_eq!(*keys.open("a", &["erin", "bob"]).expect("opened"), SECRET);
        let left = RealDisk.list(&keys.file("a", SHARES), 100).expect("listed");
        let left: Vec<&str> = left.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(left, ["bob.age", "erin.age"], "after a crash at write {writes}");
        if done {
            break;
        }
    }
    assert!(old_in_force > 5 && new_in_force > 5, "{old_in_force} {new_in_force}");
}
