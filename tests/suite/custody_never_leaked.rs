//! Nothing secret is ever written: a whole ceremony with a split key, and then every byte that it wrote is searched for
//! the key, the officers' secrets, the shares and the passphrases, in every form in which they could have slipped out.

use crate::common;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use common::{Desk, Ran, fixture, passphrase_of, text};
use countersign::testing::cli::Exit;
use countersign::testing::host::{Disk, RealDisk};
use countersign::testing::station::Station;
use countersign::testing::vault::officer;
use countersign::testing::vault::seal;
use countersign::testing::vault::share::{self, Share};
use secrecy::SecretString;
use std::path::{Path, PathBuf};

const OFFICERS: [&str; 3] = ["alice", "bob", "carol"];

/// Something that must not be found, and what it is.
struct Needle {
    what: String,
    bytes: Vec<u8>,
}

/// A secret's pieces in raw, hex and base64. Pieces, so that a copy is found also where it is cut into lines or only
/// half there; base64 in all three alignments, so that it is found inside of something longer.
fn needles(what: &str, secret: &[u8]) -> Vec<Needle> {
    let mut found = Vec::new();
    let mut needle =
        |form: &str, bytes: Vec<u8>| found.push(Needle { what: format!("{what} in {form}"), bytes });
    for piece in secret.chunks(24).filter(|piece| piece.len() >= 16) {
        needle("raw", piece.to_vec());
        needle("hex", hex::encode(piece).into_bytes());
        needle("upper-case hex", hex::encode_upper(piece).into_bytes());
        for (form, engine) in [("base64", &STANDARD), ("URL-safe base64", &URL_SAFE)] {
            for before in 0..3 {
                let padded = [&[0u8; 2][..before], piece].concat();
                let whole = engine.encode(&padded[..padded.len() / 3 * 3]);
                needle(form, whole.as_bytes()[if before == 0 { 0 } else { 4 }..].to_vec());
            }
        }
    }
    found
}

/// Every file below a folder, but for those that end in one of these.
fn files(folder: &Path, but: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("read") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_dir() {
            found.extend(files(&entry.path(), but));
        } else if !but.iter().any(|end| entry.path().to_string_lossy().ends_with(end)) {
            found.push(entry.path());
        }
    }
    found
}

/// The needles that are found in something.
fn found(hay: &[u8], needles: &[Needle]) -> Vec<String> {
    let is_in = |needle: &&Needle| memchr::memmem::find(hay, &needle.bytes).is_some();
    needles.iter().filter(is_in).map(|needle| needle.what.clone()).collect()
}

/// A ceremony, and all that its commands said.
struct Ceremony {
    desk: Desk,
    said: String,
}

impl Ceremony {
    fn run(&mut self, arguments: &[&str], exit: Exit) -> Ran {
        let passphrases: Vec<String> = OFFICERS.iter().map(|name| self.desk.passphrase(name)).collect();
        let mut all = arguments.to_vec();
        for passphrase in passphrases.iter().filter(|_| arguments.contains(&"--officer")) {
            all.extend(["--passphrase-file", passphrase]);
        }
        self.run_as_is(&all, exit)
    }

    fn run_as_is(&mut self, arguments: &[&str], exit: Exit) -> Ran {
        let ran = self.desk.run(arguments).ended(exit);
        self.said.push_str(&ran.out);
        self.said.push_str(&ran.err);
        ran
    }

    /// All secrets of the station, taken out with the passphrases as only the officers could.
    fn secrets(&self, keyid: &str) -> Vec<Needle> {
        let folder = self.desk.station().join("officers");
        let station = Station::open(&self.desk.host, &self.desk.station(), None).expect("the station");
        let officers = station.officers().expect("officers");
        let mut all = Vec::new();
        let mut shares = Vec::new();
        for name in OFFICERS {
            all.push(Needle {
                what: format!("{name}'s passphrase"),
                bytes: passphrase_of(name).into_bytes(),
            });
            all.extend(needles(&format!("{name}'s passphrase"), passphrase_of(name).as_bytes()));
            let sealed = RealDisk.read(&folder.join(format!("{name}.age")), 1 << 20).expect("read");
            let words = || SecretString::from(passphrase_of(name));
            let identity = seal::unseal_with_passphrase(words(), &sealed).expect("opened");
            for line in String::from_utf8(identity.to_vec()).expect("text").lines() {
                if line.starts_with("AGE-SECRET-KEY-1") {
                    all.extend(needles(&format!("{name}'s age key"), line.as_bytes()));
                } else if let Some(seed) = line.strip_prefix("# approval key (ed25519 seed, hex): ") {
                    all.extend(needles(&format!("{name}'s approval key"), &hex::decode(seed).expect("hex")));
                }
            }
            let public = officers.iter().find(|known| known.name.to_string() == name).expect("an officer");
            let Ok(open) = officer::open(&RealDisk, &folder, public, words()) else {
                panic!("it does not open")
            };
            let path = self.desk.station().join("keys").join(keyid).join(format!("shares/{name}.age"));
            if let Ok(sealed) = RealDisk.read(&path, 1 << 20) {
                let text = open.unseal(&sealed).expect("opened");
                let payload = String::from_utf8(text.to_vec()).expect("text");
                let payload =
                    payload.lines().find_map(|line| line.strip_prefix("payload: ")).expect("a payload");
                all.extend(needles(&format!("{name}'s share"), &hex::decode(payload).expect("hex")));
                shares.push(Share::parse(&text).expect("a share"));
            }
        }
        assert_eq!(shares.len(), 3);
        let identity = share::combine(&shares.iter().collect::<Vec<_>>()).expect("combined");
        all.extend(needles("the key's identity", &identity));
        all
    }
}

/// The private values in fioctl's key file, as fioctl writes them and decoded.
fn key_secrets(archive: &Path) -> Vec<Needle> {
    let bytes = std::fs::read(archive).expect("read");
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
    let mut all = Vec::new();
    for entry in tar.entries().expect("entries") {
        let mut entry = entry.expect("an entry");
        if !entry.path().expect("a path").to_string_lossy().ends_with(".sec") {
            continue;
        }
        let value: serde_json::Value = serde_json::from_reader(&mut entry).expect("JSON");
        let private = value["keyval"]["private"].as_str().expect("a private value");
        let raw = match hex::decode(private) {
            Ok(seed) => seed,
            Err(_) => {
                let body: String = private.lines().filter(|line| !line.starts_with('-')).collect();
                // Each whole line of the PEM as well.
                for line in private.lines().filter(|line| line.len() == 64) {
                    all.push(Needle {
                        what: "a line of the PEM".to_owned(),
                        bytes: line.as_bytes().to_vec(),
                    });
                }
                let der = STANDARD.decode(body).expect("base64");
                // Past the modulus, which is public.
                der[540..].to_vec()
            }
        };
        all.extend(needles("the targets key", &raw));
        all.push(Needle { what: "PEM".to_owned(), bytes: b"PRIVATE KEY-----".to_vec() });
    }
    assert!(!all.is_empty());
    all
}

fn ceremony(factory: &str) {
    let archive = fixture(&format!("{factory}/targets.keys.tgz"));
    let mut all = Ceremony { desk: Desk::new(), said: String::new() };
    all.desk.init(factory, "acme-gateway", "1-populate");
    OFFICERS.iter().for_each(|name| all.desk.add_officer(name));
    let keyid = all.desk.import_key(&archive, "alice,bob,carol", "2");
    let pair = ["--officer", "alice", "--officer", "carol"];
    all.run(&["key", "drill", &keyid, pair[0], pair[1], pair[2], pair[3]], Exit::Done);
    all.run(&["key", "drill", &keyid, "--officer", "alice"], Exit::NotApproved);
    let wrong = format!("alice={}", all.desk.path("bob.passphrase").display());
    let right = all.desk.passphrase("bob");
    let refused =
        ["key", "drill", &keyid, "--officer", "bob", "--officer", "alice", "--passphrase-file", &wrong];
    all.run_as_is(&[&refused[..], &["--passphrase-file", &right]].concat(), Exit::NotApproved);
    let step = fixture(&format!("{factory}/1-populate"));
    let request = all.desk.request(&step, "acme-gateway", "populate-targets", 12, &[]);
    let (id, review) = all.desk.import(&request);
    let words = review["confirm"].as_str().expect("words").to_owned();
    all.run(&["sign", &id, "--confirm", &words, pair[0], pair[1], pair[2], pair[3]], Exit::Done);
    all.desk.export(&id, "signed");
    let paper = all.desk.path("paper");
    all.run(&["key", "backup", &keyid, "--out", text(&paper)], Exit::Done);
    let reseal = ["key", "reseal", &keyid, pair[0], pair[1], pair[2], pair[3], "--to", "bob,carol,alice"];
    all.run(&[&reseal[..], &["--quorum", "3"]].concat(), Exit::Done);
    let pack = all.desk.path("pack");
    all.run(&["log", "export", text(&pack)], Exit::Done);
    for format in ["html", "csv", "jsonl", "ocsf"] {
        let out = all.desk.path(&format!("report.{format}"));
        all.run(&["audit", "report", text(&pack), "--format", format, "--out", text(&out)], Exit::Done);
    }
    for arguments in [&["status"][..], &["key", "list"], &["log", "show"], &["trust", "show"]] {
        all.run(arguments, Exit::Done);
    }

    let mut secrets = all.secrets(&keyid);
    secrets.extend(key_secrets(&archive));
    // The passphrases came in files, which are not ours to write.
    let written = files(all.desk.folder.path(), &[".passphrase"]);
    assert!(written.len() > 60, "{} files", written.len());
    for path in &written {
        let leaked = found(&std::fs::read(path).expect("read"), &secrets);
        assert!(leaked.is_empty(), "{} holds {leaked:?}", path.display());
    }
    assert!(all.said.contains("alice"), "nothing was said");
    let leaked = found(all.said.as_bytes(), &secrets);
    assert!(leaked.is_empty(), "the commands said {leaked:?}");
}

#[test]
fn no_byte_that_a_ceremony_with_an_ed25519_key_writes_holds_a_secret() {
    ceremony("acme");
}

#[test]
fn no_byte_that_a_ceremony_with_an_rsa_key_writes_holds_a_secret() {
    ceremony("rsa");
}

#[test]
fn the_search_finds_a_secret_in_every_form() {
    for factory in ["acme", "rsa"] {
        let archive = std::fs::read(fixture(&format!("{factory}/targets.keys.tgz"))).expect("read");
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&archive[..]), &mut plain)
            .expect("unpacked");
        let secrets = key_secrets(&fixture(&format!("{factory}/targets.keys.tgz")));
        assert!(!found(&plain, &secrets).is_empty(), "{factory}");
    }
    let secret: Vec<u8> = (0..60u8).map(|n| n.wrapping_mul(7) ^ 0xa5).collect();
    let secrets = needles("it", &secret);
    for before in 0..4 {
        let hay = [&b"...."[..before], &secret].concat();
        for form in [
            hay.clone(),
            hex::encode(&hay).into(),
            hex::encode_upper(&hay).into(),
            STANDARD.encode(&hay).into(),
        ] {
            assert!(!found(&form, &secrets).is_empty());
        }
    }
}
