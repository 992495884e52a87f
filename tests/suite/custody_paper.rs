//! A key comes back from its printed QR codes alone, and from nothing less.

use countersign::testing::host::clock::Time;
use countersign::testing::host::random::SystemRandom;
use countersign::testing::host::{Disk, RealDisk};
use countersign::testing::vault::backup::{Places, backup};
use countersign::testing::vault::keys::{self, Sealing};
use countersign::testing::vault::officer::{
    self, MadeOfficer, NewOfficer, OfficerName, OfficerPublic, OpenOfficer,
};
use countersign::testing::vault::restore::{plan, read_scans};
use countersign::testing::vault::seal::WorkFactor;
use countersign::testing::vault::sealed::{Holders, KeyMeta};
use secrecy::SecretString;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const NOW: Time = Time::from_unix(1_800_000_000);

struct Station {
    folder: tempfile::TempDir,
    /// The officers whom a log would have.
    known: RefCell<Vec<OfficerPublic>>,
}

impl Station {
    fn new() -> Station {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("officers")).expect("made");
        Station { folder, known: RefCell::default() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn add(&self, name: &str) -> OpenOfficer {
        let new = NewOfficer {
            name: name.parse().expect("a name"),
            passphrase: passphrase(name),
            work_factor: WorkFactor::REHEARSAL,
        };
        let folder = self.at("officers");
        let made = MadeOfficer::make(&RealDisk, &SystemRandom, &folder, new, NOW);
        let public = made.and_then(|made| made.put(&RealDisk, &folder)).expect("added");
        self.known.borrow_mut().push(public);
        self.open_officer(name)
    }

    fn open_officer(&self, name: &str) -> OpenOfficer {
        let known = self.known.borrow();
        let public = known.iter().find(|known| known.name.to_string() == name).expect("an officer");
        match officer::open(&RealDisk, &self.at("officers"), public, passphrase(name)) {
            Ok(open) => open,
            Err(e) => panic!("{e}"),
        }
    }

    fn seal(&self, keyid: &str, secret: &[u8], officers: &[&OpenOfficer], quorum: u8) {
        let officers: Vec<_> = officers.iter().map(|open| open.public().clone()).collect();
        let meta =
            KeyMeta { keyid: keyid.to_owned(), keytype: "RSA".to_owned(), public: "-----BEGIN\n".repeat(70) };
        let holders = Holders { officers: &officers, quorum };
        let secret = Zeroizing::new(secret.to_vec());
        let keys = self.at("keys");
        let sealing = Sealing::new(&RealDisk, &SystemRandom, &keys, &meta, &secret, holders, NOW);
        sealing.map_err(|e| e.to_string()).expect("sealed").put(&RealDisk, &keys).expect("put");
    }

    fn open(&self, keyid: &str, officers: &[&OpenOfficer]) -> Result<Zeroizing<Vec<u8>>, String> {
        keys::open_key(&RealDisk, &self.at("keys"), keyid, officers).map_err(|e| e.to_string())
    }

    fn print(&self, keyid: &str) -> PathBuf {
        let (officers, keys, out) = (self.at("officers"), self.at("keys"), self.at("paper"));
        let known = self.known.borrow();
        let places = Places { officers: &officers, keys: &keys, known: &known };
        backup(&RealDisk, places, keyid, "acme", NOW, &out).expect("printed");
        out
    }

    /// The scans that were made of some pictures, restored here.
    fn restore(&self, scans: &[String]) -> Result<countersign::testing::vault::restore::Restored, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (number, scan) in scans.iter().enumerate() {
            std::fs::write(folder.path().join(format!("{number}.txt")), scan).expect("written");
        }
        let scanned = read_scans(&RealDisk, folder.path()).map_err(|e| e.to_string())?;
        let (officers, keys) = (self.at("officers"), self.at("keys"));
        let known = self.known.borrow().clone();
        let places = Places { officers: &officers, keys: &keys, known: &known };
        let plan = plan(&RealDisk, places, &scanned, &|_| true).map_err(|e| e.to_string())?;
        self.known.borrow_mut().extend(plan.new_officers().cloned());
        plan.put(&RealDisk, places).map_err(|e| e.to_string())
    }
}

fn passphrase(name: &str) -> SecretString {
    SecretString::from(format!("the passphrase of {name}"))
}

/// Reads a PNG as a scanner would.
fn scan(picture: &Path) -> String {
    let file = std::io::BufReader::new(std::fs::File::open(picture).expect("opened"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut rows = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut rows).expect("a picture");
    let dark = |x: usize, y: usize| rows[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 0;
    // Two dots of the eight of a module's side are enough, and four times fewer take a sixteenth of the time.
    let (width, height) = (info.width as usize / 4, info.height as usize / 4);
    let mut image =
        rqrr::PreparedImage::prepare_from_bitmap(width, height, |x, y| dark(4 * x + 2, 4 * y + 2));
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "{}", picture.display());
    grids[0].decode().expect("decoded").1
}

/// The pictures of a backup whose names hold one of the given words.
pub(crate) fn scans(paper: &Path, words: &[&str]) -> Vec<String> {
    let names = RealDisk.list(paper, 1000).expect("listed").into_iter().map(|entry| entry.name);
    let wanted = names.filter(|name| name.ends_with(".png") && words.iter().any(|word| name.contains(word)));
    wanted.map(|name| scan(&paper.join(name))).collect()
}

#[test]
fn a_split_key_comes_back_on_an_empty_station_from_the_sheets_of_a_quorum() {
    let old = Station::new();
    let officers = ["alice", "bob", "carol"].map(|name| old.add(name));
    let secret = [b'x'; 3300];
    let keyid = "5f".repeat(32);
    old.seal(&keyid, &secret, &officers.each_ref(), 2);
    let paper = old.print(&keyid);

    let new = Station::new();
    let restored = new.restore(&scans(&paper, &["key-5f5f5f5f.", "alice", "carol"])).expect("restored");
    let names = |names: &[OfficerName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&restored.officers), ["alice", "carol"]);
    assert_eq!(names(&restored.without_share), ["bob"]);
    let (alice, carol) = (new.open_officer("alice"), new.open_officer("carol"));
    assert_eq!(*new.open(&keyid, &[&alice, &carol]).expect("opened"), secret);
    assert!(new.open(&keyid, &[&alice]).is_err());
    // The same scans once more change nothing.
    let again = new.restore(&scans(&paper, &["key-5f5f5f5f.", "alice", "carol"])).expect("restored");
    assert_eq!(names(&again.kept), ["alice", "carol"]);
}

#[test]
fn a_key_of_one_officer_comes_back_and_too_little_paper_is_named() {
    let old = Station::new();
    let alice = old.add("alice");
    let keyid = "07".repeat(32);
    old.seal(&keyid, b"secret", &[&alice], 1);
    let paper = old.print(&keyid);
    let new = Station::new();
    let refused = new.restore(&scans(&paper, &["key-07070707."])).expect_err("no officer");
    assert!(refused.contains("fewer than 1 of alice are on this station or among the scans"), "{refused}");
    let refused = new.restore(&scans(&paper, &["alice"])).expect_err("no key");
    assert!(refused.contains("the key's own sheet (sealed.age and public.json) is not among"), "{refused}");
    assert!(RealDisk.list(&new.at("officers"), 10).expect("listed").is_empty(), "a refusal wrote something");
    new.restore(&scans(&paper, &["png"])).expect("restored");
    assert_eq!(*new.open(&keyid, &[&new.open_officer("alice")]).expect("opened"), b"secret");
}

#[test]
fn paper_of_an_earlier_sealing_is_stale() {
    let station = Station::new();
    let officers = ["alice", "bob"].map(|name| station.add(name));
    let keyid = "5f".repeat(32);
    station.seal(&keyid, b"secret", &officers.each_ref(), 2);
    let old = scans(&station.print(&keyid), &["png"]);
    let publics = officers.each_ref().map(|open| open.public().clone());
    let holders = Holders { officers: &publics, quorum: 2 };
    let keys = station.at("keys");
    let sealing = Sealing::anew(&RealDisk, &SystemRandom, &keys, &keyid, &officers.each_ref(), holders);
    sealing.map_err(|e| e.to_string()).expect("sealed anew").put(&RealDisk, &keys).expect("put");
    let refused = station.restore(&old).expect_err("stale");
    assert!(refused.contains("holds another sealing of this key"), "{refused}");
    // Old shares with the new key's sheet.
    std::fs::rename(station.at("paper"), station.at("old paper")).expect("moved");
    let mut mixed = scans(&station.print(&keyid), &["key-5f5f5f5f."]);
    mixed.extend(scans(&station.at("old paper"), &["alice", "bob"]));
    let refused = Station::new().restore(&mixed).expect_err("mixed");
    assert!(refused.contains("the share of alice is stale"), "{refused}");
}

#[test]
fn another_officer_of_the_same_name_is_not_overwritten() {
    let old = Station::new();
    let alice = old.add("alice");
    let keyid = "07".repeat(32);
    old.seal(&keyid, b"secret", &[&alice], 1);
    let paper = scans(&old.print(&keyid), &["png"]);
    let other = Station::new();
    let hers = other.add("alice");
    let refused = other.restore(&paper).expect_err("another alice");
    assert!(refused.contains("an officer alice with other keys"), "{refused}");
    assert_eq!(other.open_officer("alice").public(), hers.public());
}

#[test]
fn a_damaged_file_is_noticed_when_it_is_printed_and_repaired_from_paper() {
    let station = Station::new();
    let officers = ["alice", "bob"].map(|name| station.add(name));
    let keyid = "5f".repeat(32);
    station.seal(&keyid, b"secret", &officers.each_ref(), 2);
    let paper = scans(&station.print(&keyid), &["png"]);
    let share = station.at("keys").join(&keyid).join("shares/bob.age");
    std::fs::write(&share, b"torn").expect("written");
    let (folder, keys, out) = (station.at("officers"), station.at("keys"), station.at("more paper"));
    let known = station.known.borrow().clone();
    let places = Places { officers: &folder, keys: &keys, known: &known };
    let refused = backup(&RealDisk, places, &keyid, "acme", NOW, &out).expect_err("damaged").to_string();
    assert!(refused.contains("bob.age: it is not the file that was sealed"), "{refused}");
    station.restore(&paper).expect("restored");
    assert_eq!(*station.open(&keyid, &officers.each_ref()).expect("opened"), b"secret");
}

/// The lines of a sheet's commands that do not fit across its page: what breaks there is a syntax error when it is typed.
fn too_long_to_type(html: &str) -> Vec<String> {
    let blocks = html.split("<pre>").skip(1).filter_map(|block| block.split("</pre>").next());
    let commands = blocks.filter(|block| !block.starts_with("countersign-paper/1"));
    let plain = |line: &str| {
        line.replace("&gt;", ">").replace("&lt;", "<").replace("&quot;", "'").replace("&amp;", "&")
    };
    commands.flat_map(str::lines).map(plain).filter(|line| line.chars().count() > 96).collect()
}

#[test]
fn sheets_are_self_contained_without_scripts_and_say_how_to_get_the_key_back() {
    let station = Station::new();
    let officers = ["alice", "bob"].map(|name| station.add(name));
    let keyid = "5f".repeat(32);
    station.seal(&keyid, b"secret", &officers.each_ref(), 2);
    let paper = station.print(&keyid);
    for name in ["key-5f5f5f5f.html", "key-5f5f5f5f-alice.html", "key-5f5f5f5f-bob.html"] {
        let html = std::fs::read_to_string(paper.join(name)).expect("a sheet");
        for absent in ["<script", "http:", "https:", "url(", "<img", "<link", "javascript"] {
            let html = html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            assert!(!html.contains(absent), "{name} holds {absent}");
        }
        for present in [
            "@page",
            "size: A4",
            "Bag number",
            "age -d -i",
            "combine.py",
            "-----BEGIN AGE ENCRYPTED FILE-----",
        ] {
            assert!(html.contains(present), "{name} lacks {present}");
        }
        let whose = match name.rsplit('-').next() {
            Some("5f5f5f5f.html") => "the key's own sheet",
            Some("alice.html") => "the sheet of alice",
            _ => "the sheet of bob",
        };
        assert!(
            html.contains(&format!(", key 5f5f5f5f5f5f, {whose}\"")),
            "every page says whose it is: {name}"
        );
        assert!(html.contains("\"page \" counter(page) \" of \" counter(pages)"), "{name}");
        assert_eq!(too_long_to_type(&html), [""; 0], "{name}");
        assert!(html.contains("5f5f5f5f 5f5f5f5f"), "the key id in groups");
        assert!(html.contains(&countersign::testing::words::of(&[0x5f; 32])), "the key id's words");
    }
}
