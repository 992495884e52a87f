use super::*;
use crate::host::{Clock, RealDisk, Stamp, Terminal, clock::Time};
use crate::vault::officer::MadeOfficer;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

/// An officer at a terminal who types these lines, and a clock that notes how long it was asked to wait.
struct Desk {
    lines: Mutex<VecDeque<&'static str>>,
    said: Mutex<String>,
    waited: Mutex<Vec<u64>>,
    folder: tempfile::TempDir,
}

impl Terminal for Desk {
    fn out(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn err(&self, text: &str) {
        self.said.lock().expect("unpoisoned").push_str(text);
    }
    fn ask(&self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::NotConnected.into())
    }
    fn ask_secret(&self, prompt: &str) -> io::Result<SecretString> {
        self.err(&format!("{prompt}\n"));
        let line = self.lines.lock().expect("unpoisoned").pop_front();
        line.map(|line| SecretString::from(line.to_owned())).ok_or(io::ErrorKind::NotConnected.into())
    }
    fn stdin_line(&self) -> io::Result<SecretString> {
        self.ask_secret("")
    }
    fn is_terminal(&self) -> bool {
        true
    }
    fn can_ask(&self) -> bool {
        true
    }
    fn width(&self) -> usize {
        80
    }
    fn no_color(&self) -> bool {
        true
    }
}

impl Clock for Desk {
    fn now(&self) -> Time {
        Time::from_unix(1_800_000_000)
    }
    fn uptime_ms(&self) -> u64 {
        0
    }
    fn boot(&self) -> String {
        "boot".to_owned()
    }
    fn sleep(&self, milliseconds: u64) {
        self.waited.lock().expect("unpoisoned").push(milliseconds);
    }
}

fn desk(lines: &[&'static str]) -> (Arc<Desk>, Host) {
    let desk = Arc::new(Desk {
        lines: Mutex::new(lines.iter().copied().collect()),
        said: Mutex::default(),
        waited: Mutex::default(),
        folder: tempfile::tempdir().expect("a folder"),
    });
    let host = Host { clock: desk.clone(), terminal: desk.clone(), ..Host::real() };
    (desk, host)
}

const GOOD: &str = "correct horse battery staple";

fn alice() -> OfficerName {
    "alice".parse().expect("a name")
}

fn chosen(lines: &[&'static str]) -> (Result<String, CustodyError>, String) {
    let (desk, host) = desk(lines);
    let chosen = choose(&host, &PassphraseFiles::default(), &alice(), &["alice"]);
    let said = desk.said.lock().expect("unpoisoned").clone();
    (chosen.map(|passphrase| passphrase.expose_secret().to_owned()), said)
}

#[test]
fn a_passphrase_with_its_accents_typed_apart_is_the_same_passphrase() {
    let (composed, apart) =
        ("caf\u{e9} quiet harbours eleven walk", "cafe\u{301} quiet harbours eleven walk");
    assert_eq!(chosen(&[apart, composed]).0.expect("chosen"), composed);
    assert_eq!(chosen(&[composed, apart]).0.expect("chosen"), composed);
    let (desk, host) = desk(&[]);
    let file = desk.folder.path().join("passphrase");
    std::fs::write(&file, format!("{apart}\n")).expect("written");
    let files = PassphraseFiles::parse(&[format!("alice={}", file.display())]).expect("read");
    assert_eq!(files.read(&host, &alice()).expect("read").expect("given").expose_secret(), composed);
}

#[test]
fn a_passphrase_file_says_how_it_is_written_and_who_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (desk, host) = desk(&[]);
    let file = desk.folder.path().join("passphrase");
    let files = PassphraseFiles::parse(&[format!("alice={}", file.display())]).expect("read");
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, words) in
        [(utf16, "UTF-16"), ([b"\xef\xbb\xbf", GOOD.as_bytes()].concat(), "byte order mark")]
    {
        std::fs::write(&file, bytes).expect("written");
        let refused = files.read(&host, &alice()).expect_err("refused").to_string();
        assert!(refused.contains(words) && refused.contains("passphrase"), "{refused}");
    }
    std::fs::write(&file, [GOOD.as_bytes(), b"\r\n\xff"].concat()).expect("written");
    for (mode, warns) in [(0o600, false), (0o400, false), (0o644, true), (0o640, true), (0o604, true)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
        desk.said.lock().expect("unpoisoned").clear();
        assert_eq!(files.read(&host, &alice()).expect("read").expect("given").expose_secret(), GOOD);
        let said = desk.said.lock().expect("unpoisoned").clone();
        assert_eq!(said.contains("others on this machine may read"), warns, "{mode:o}: {said}");
        assert!(!said.contains(GOOD));
    }
}

#[test]
fn a_new_passphrase_is_asked_twice_and_must_be_the_same() {
    assert_eq!(chosen(&[GOOD, GOOD]).0.expect("chosen"), GOOD);
    let (result, said) = chosen(&["short", GOOD, "another thing", GOOD, GOOD]);
    assert_eq!(result.expect("chosen"), GOOD);
    assert!(said.contains("at least 12 are needed") && said.contains("The two differ"), "{said}");
    let (result, _) = chosen(&[GOOD, "1", GOOD, "2", GOOD, "3"]);
    assert!(matches!(result, Err(CustodyError::PassphrasesDiffer)));
    let (result, _) = chosen(&[]);
    assert!(matches!(result, Err(CustodyError::NobodyToAsk { .. })));
}

/// What an officer's attempts come to: did it open, what was logged, how long was waited.
fn attempts(lines: &[&'static str], from_stdin: bool, failures: u32) -> (bool, Vec<u32>, usize) {
    let (desk, host) = desk(lines);
    let new = officer::NewOfficer {
        name: alice(),
        passphrase: SecretString::from(GOOD.to_owned()),
        work_factor: crate::vault::seal::WorkFactor::REHEARSAL,
    };
    let folder = desk.folder.path();
    let made = MadeOfficer::make(&RealDisk, host.random.as_ref(), folder, new, host.clock.now());
    let public = made.and_then(|made| made.put(&RealDisk, folder)).expect("made");
    let files = PassphraseFiles::parse(if from_stdin { &["alice=-"] } else { &[] }).expect("parsed");
    let mut logged = Vec::new();
    let mut log = |_: &OfficerName, failures| -> CustodyResult<()> {
        logged.push(failures);
        Ok(())
    };
    let failures = Failures { count: failures, last: None };
    let opened = unlock(&host, folder, &public, &files, &failures, &mut log).is_ok();
    // Counted down, a second at a time.
    let waited = desk.waited.lock().expect("unpoisoned").clone();
    assert!(waited.iter().all(|one| *one == 1000));
    (opened, logged, waited.len())
}

#[test]
fn each_wrong_passphrase_is_logged_and_waited_for() {
    assert_eq!(attempts(&["no", "nor this", GOOD], false, 0), (true, vec![1, 2], 1 + 2));
    assert_eq!(attempts(&["a", "b", "c", GOOD], false, 2), (false, vec![3, 4, 5], 4 + 8 + 16));
    assert_eq!(attempts(&["wrong", GOOD], true, 0), (false, vec![1], 1));
    assert_eq!(attempts(&[GOOD], true, 9), (true, vec![], 0));
}

fn check(text: &str) -> Result<(), String> {
    check_strength(&SecretString::from(text.to_owned()), &["alice", "acme-factory"])
        .map_err(|e| e.to_string())
}

#[test]
fn weak_passphrases_are_refused_with_advice() {
    for weak in [
        "",
        "short",
        "aaaaaaaaaaaaaaaaaaaa",
        "password1234",
        "123456789012",
        "alicealicealice",
        "qwertyuiopas",
    ] {
        let why = check(weak).expect_err(weak);
        assert!(why.contains("Six unrelated words"), "{why}");
        assert!(weak.is_empty() || !why.contains(weak), "the refusal repeats the passphrase: {why}");
    }
    for invisible in [" correct horse battery staple", "correct horse\tbattery staple", &"x".repeat(2000)] {
        check(invisible).expect_err(invisible);
    }
}

#[test]
fn good_passphrases_are_taken() {
    for good in ["correct horse battery staple", "topmost Istanbul Pluto vagabond", "zH7-pq0_Lw3!x"] {
        check(good).expect(good);
    }
}

#[test]
fn delays_double_up_to_a_minute() {
    let delays: Vec<u64> = [0, 1, 2, 3, 7, 8, 64, u32::MAX].map(delay_after).into();
    assert_eq!(delays, [0, 1000, 2000, 4000, 64_000, 64_000, 64_000, 64_000]);
}

/// What is left to wait after wrong passphrases, the last of them a minute after the machine was started.
fn left_after(count: u32, boot: &str, seconds: i64, uptime_ms: u64) -> u64 {
    let at = |boot: &str, seconds: i64, uptime_ms| Stamp {
        time: Time::from_unix(1_800_000_000 + seconds),
        boot: boot.to_owned(),
        uptime_ms,
    };
    let failures = Failures { count, last: Some(at("one", 0, 60_000)) };
    failures.still_to_wait(&at(boot, seconds, uptime_ms))
}

#[test]
fn the_rest_of_a_delay_is_told_by_the_uptime_and_after_a_restart_by_the_clock() {
    assert_eq!(Failures::default().still_to_wait(&Host::real().stamp()), 0);
    // The wall clock counts for nothing while the machine runs.
    assert_eq!(left_after(4, "one", 3600, 60_000), 8000);
    assert_eq!(left_after(4, "one", -3600, 62_500), 5500);
    assert_eq!(left_after(4, "one", 0, 68_000), 0);
    assert_eq!(left_after(4, "one", 0, 1_000_000), 0);
    assert_eq!(left_after(9, "one", 0, 61_000), 63_000);
    assert_eq!(left_after(4, "one", 0, 1000), 8000, "an uptime that went back");
    assert_eq!(left_after(4, "two", 3, 500_000), 5000);
    assert_eq!(left_after(4, "two", 60, 500), 0);
    assert_eq!(left_after(4, "two", -1_000_000, 500), 8000, "a clock that went back");
}

#[test]
fn passphrase_files_are_name_and_file() {
    let files = PassphraseFiles::parse(&["alice=/a=b", "bob=-"]).expect("parsed");
    assert!(files.has(&"bob".parse().expect("a name")));
    assert_eq!(files.0.values().next(), Some(&PathBuf::from("/a=b")));
    for bad in [&["alice"][..], &["alice="], &["=x"], &["Alice=x"], &["alice=x", "alice=y"]] {
        PassphraseFiles::parse(bad).expect_err("refused");
    }
}
