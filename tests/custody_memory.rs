//! After a key was imported, sealed, opened, used and dropped, the process's memory holds no copy of it, of the shares,
//! of the officers' secrets or of their passphrases. One test in a process of its own: it reads all of its memory.

use countersign::testing::host::clock::Time;
use countersign::testing::host::random::SystemRandom;
use countersign::testing::host::{Disk, RealDisk};
use countersign::testing::tuf::{Dialect, KeyId, PrivateKey, Root, keyfile};
use countersign::testing::vault::keys::{self, Sealing};
use countersign::testing::vault::officer::{self, MadeOfficer, NewOfficer, OpenOfficer};
use countersign::testing::vault::seal::WorkFactor;
use countersign::testing::vault::sealed::{Holders, KeyMeta};
use secrecy::SecretString;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use zeroize::{Zeroize, Zeroizing};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

const NOW: Time = Time::from_unix(1_800_000_000);

/// What is looked for, kept inverted, so that it is not found in itself.
struct Needle {
    what: &'static str,
    inverted: Vec<u8>,
}

fn needle(what: &'static str, bytes: &[u8]) -> Needle {
    Needle { what, inverted: bytes.iter().map(|byte| !byte).collect() }
}

const PIECE: usize = 64 << 10;
const OVERLAP: usize = 256;

/// Searches this process's memory. All that it needs is allocated before, so that the search itself does not fill the
/// freed memory that it is to look at.
struct Search {
    maps: Vec<u8>,
    buffer: Vec<u8>,
    found: Vec<&'static str>,
}

impl Search {
    fn new() -> Search {
        Search { maps: vec![0; 1 << 20], buffer: vec![0; PIECE + OVERLAP], found: Vec::with_capacity(1000) }
    }

    /// What the needles that stand in memory are. Reads in pieces into one buffer, which is passed over itself.
    fn copies(&mut self, needles: &[Needle]) -> &[&'static str] {
        self.found.clear();
        let mut length = 0;
        let mut file = std::fs::File::open("/proc/self/maps").expect("maps");
        loop {
            match file.read(&mut self.maps[length..]).expect("read") {
                0 => break,
                more => length += more,
            }
        }
        let maps = std::str::from_utf8(&self.maps[..length]).expect("text");
        let mut memory = std::fs::File::open("/proc/self/mem").expect("memory");
        let buffer = &mut self.buffer;
        let own = buffer.as_ptr() as usize..buffer.as_ptr() as usize + buffer.len();
        for line in maps.lines() {
            let mut words = line.split(' ');
            let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
            let Some((start, end)) = range.split_once('-').filter(|_| rights.starts_with("rw")) else {
                continue;
            };
            let address = |digits| usize::from_str_radix(digits, 16).expect("an address");
            let (start, end) = (address(start), address(end));
            for at in (start..end).step_by(PIECE) {
                let length = buffer.len().min(end - at);
                buffer.fill(0);
                memory.seek(SeekFrom::Start(at as u64)).expect("sought");
                if memory.read_exact(&mut buffer[..length]).is_err() {
                    continue;
                }
                buffer[..length].iter_mut().for_each(|byte| *byte = !*byte);
                for needle in needles {
                    let places = memchr::memmem::find_iter(&buffer[..length], &needle.inverted);
                    let others = places.filter(|place| !own.contains(&(at + place)));
                    self.found.extend(others.take(10).map(|_| needle.what));
                }
            }
        }
        buffer.fill(0);
        &self.found
    }
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fioctl").join(path)
}

/// The private value in a fixture's key file, read by another process, so that this one never unpacked it.
fn key_needle(archive: &Path) -> Needle {
    let mut tar = Command::new("tar")
        .args(["-xzOf", archive.to_str().expect("a path"), "--wildcards", "*fioctl-targets-*.sec"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("tar runs");
    let mut secret = Zeroizing::new([0u8; 8192]);
    let mut length = 0;
    let mut stdout = tar.stdout.take().expect("a pipe");
    loop {
        match stdout.read(&mut secret[length..]).expect("read") {
            0 => break,
            more => length += more,
        }
    }
    assert!(tar.wait().expect("ended").success());
    let at = memchr::memmem::find(&secret[..], b"\"private\":\"").expect("a private value") + 11;
    // Of an RSA key, characters in the middle of the private exponent; of an ed25519 key, the seed's digits.
    let at = if length > 1000 { at + 1200 } else { at };
    needle("the targets key", &secret[at..at + 40])
}

fn passphrase(name: &str) -> SecretString {
    // Put together here, so that the program's own constants are not taken for a copy.
    SecretString::from(["topmost Istanbul", "Pluto", name, "vagabond"].join(" "))
}

fn officers(folder: &Path, names: &[&str]) -> Vec<OpenOfficer> {
    let open = |name: &&str| {
        let new = NewOfficer {
            name: name.parse().expect("a name"),
            passphrase: passphrase(name),
            work_factor: WorkFactor::REHEARSAL,
        };
        let made = MadeOfficer::make(&RealDisk, &SystemRandom, folder, new, NOW);
        let public = made.and_then(|made| made.put(&RealDisk, folder)).expect("made");
        match officer::open(&RealDisk, folder, &public, passphrase(name)) {
            Ok(open) => open,
            Err(e) => panic!("{e}"),
        }
    };
    names.iter().map(open).collect()
}

fn use_a_key(search: &mut Search, factory: &str) {
    let archive = fixture(&format!("{factory}/targets.keys.tgz"));
    let mut needles = vec![key_needle(&archive)];
    for (what, beginning) in [
        ("an age key", "AGE-SECRET-KEY-1"),
        ("a share", "countersign share 1"),
        ("a passphrase", "topmost Istanbul Pluto"),
    ] {
        needles.push(needle(what, beginning.as_bytes()));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    let opened = officers(folder.path(), &["alice", "bob"]);
    let publics: Vec<_> = opened.iter().map(|officer| officer.public().clone()).collect();
    let keyid = {
        let step = fixture(&format!("{factory}/1-populate"));
        let newest = (1..)
            .map(|n| step.join(format!("prod-roots/{n}.root.json")))
            .take_while(|path| path.exists())
            .last();
        let root = Root::parse("root", &RealDisk.read(&newest.expect("a root"), 1 << 20).expect("read"))
            .expect("a root");
        let online = RealDisk.read(&step.join("ci-targets.pub"), 1 << 20).expect("read");
        let online = keyfile::public_key("online", &online).expect("a key").factory_keyid();
        let packed = RealDisk.read(&archive, 1 << 20).expect("read");
        let active = Dialect::Factory.active_key("archive", &packed, &root, "targets", Some(&online));
        let active = active.expect("a key");
        assert!(
            search.copies(&needles).contains(&"the targets key"),
            "the search does not find the key while it is in memory"
        );
        let meta = KeyMeta {
            keyid: active.keyid.as_str().to_owned(),
            keytype: active.public.keytype().to_owned(),
            public: active.public.text().to_owned(),
        };
        let holders = Holders { officers: &publics, quorum: 2 };
        let sealing = Sealing::new(&RealDisk, &SystemRandom, &keys, &meta, &active.secret, holders, NOW)
            .map_err(|e| e.to_string());
        sealing.expect("sealed").put(&RealDisk, &keys).expect("put");
        active.keyid.as_str().to_owned()
    };
    assert_eq!(search.copies(&needles), [] as [&str; 0], "{factory}: after the import");
    {
        let secret =
            keys::open_key(&RealDisk, &keys, &keyid, &opened.iter().collect::<Vec<_>>()).expect("opened");
        assert!(
            search.copies(&needles).contains(&"the targets key"),
            "the search does not find the key while it is open"
        );
        let private = PrivateKey::parse("key", &secret).expect("a key");
        private.sign(&KeyId::new(keyid), b"message").expect("signed");
    }
    drop(opened);
    assert_eq!(search.copies(&needles), [] as [&str; 0], "{factory}: after it was used");
    needles.iter_mut().for_each(|needle| needle.inverted.zeroize());
}

#[test]
fn no_copy_of_a_key_stays_in_memory() {
    let mut search = Search::new();
    // First that the search finds what is there, also where nobody points to it any more.
    let control = [needle("control", b"written, and not wiped")];
    let unwiped = ["written,", "and", "not", "wiped"].join(" ");
    std::mem::forget(std::hint::black_box(unwiped));
    assert!(!search.copies(&control).is_empty());
    use_a_key(&mut search, "acme");
    use_a_key(&mut search, "rsa");
}
