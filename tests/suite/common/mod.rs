//! A machine, a clock and an officer for tests: whole commands run in this process, on real files with real keys.
#![allow(dead_code, missing_docs)]

use countersign::testing::bundle::FileFacts;
use countersign::testing::cli::{self, Exit};
use countersign::testing::host::clock::{Clock, Time};
use countersign::testing::host::{Confinement, Host, Machine, Random, Reach, RealDisk, Terminal};
use secrecy::SecretString;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The fixtures' Factories were made at this time; nothing in the tests reads the machine's clock.
pub const NOW: &str = "2026-11-23T12:00:00Z";

pub struct TestClock {
    /// Without what was slept.
    now: AtomicI64,
    slept: AtomicU64,
}

impl TestClock {
    pub fn set(&self, text: &str) {
        let slept = i64::try_from(self.slept() / 1000).expect("short");
        self.now.store(Time::parse(text).expect("a time").unix() - slept, Ordering::SeqCst);
    }

    /// Milliseconds that commands waited after wrong passphrases.
    pub fn slept(&self) -> u64 {
        self.slept.load(Ordering::SeqCst)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        let slept = i64::try_from(self.slept() / 1000).expect("short");
        Time::from_unix(self.now.load(Ordering::SeqCst)).plus_seconds(slept)
    }
    fn uptime_ms(&self) -> u64 {
        // Goes with the wall clock, as on a machine whose clock is right.
        let start = Time::parse("2026-11-01T00:00:00Z").expect("a time").unix();
        let seconds = u64::try_from(self.now.load(Ordering::SeqCst) - start).unwrap_or(0);
        seconds * 1000 + self.slept()
    }
    fn boot(&self) -> String {
        "5f9d1c1e-0000-4000-8000-000000000001".to_owned()
    }
    fn sleep(&self, milliseconds: u64) {
        self.slept.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

/// Counts up: every test sees the same "randomness".
pub struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        use sha2::{Digest, Sha256};
        for chunk in bytes.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::SeqCst);
            let block = Sha256::digest(count.to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

/// Keeps what was said; answers what the test put in.
#[derive(Default)]
pub struct TestTerminal {
    pub out: Mutex<String>,
    pub err: Mutex<String>,
    pub answers: Mutex<VecDeque<String>>,
    pub secrets: Mutex<VecDeque<String>>,
    pub standing: Mutex<String>,
    /// All of it in the order in which it stood on a screen.
    pub screen: Mutex<String>,
}

fn nobody() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "there is no terminal to ask on")
}

impl Terminal for TestTerminal {
    fn out(&self, text: &str) -> io::Result<()> {
        self.out.lock().expect("lock").push_str(text);
        self.screen.lock().expect("lock").push_str(text);
        Ok(())
    }
    fn err(&self, text: &str) {
        self.err.lock().expect("lock").push_str(text);
        self.screen.lock().expect("lock").push_str(text);
    }
    fn stands(&self, text: &str) {
        text.clone_into(&mut self.standing.lock().expect("lock"));
    }
    fn standing(&self) -> String {
        self.standing.lock().expect("lock").clone()
    }
    fn ask(&self, prompt: &str) -> io::Result<String> {
        self.err(prompt);
        let answer = self.answers.lock().expect("lock").pop_front().ok_or_else(nobody)?;
        // What cannot be known before it is shown.
        let answer = match answer.as_str() {
            "{words above}" => words_in(&self.screen.lock().expect("lock")),
            _ => answer,
        };
        self.screen.lock().expect("lock").push_str(&format!("{answer}\n"));
        Ok(answer)
    }
    fn ask_secret(&self, prompt: &str) -> io::Result<SecretString> {
        self.err(prompt);
        self.screen.lock().expect("lock").push('\n');
        self.secrets.lock().expect("lock").pop_front().map(SecretString::from).ok_or_else(nobody)
    }
    fn stdin_line(&self) -> io::Result<SecretString> {
        self.ask_secret("")
    }
    fn is_terminal(&self) -> bool {
        false
    }
    fn can_ask(&self) -> bool {
        // Somebody is there as long as a test has put in what she types.
        !self.answers.lock().expect("lock").is_empty() || !self.secrets.lock().expect("lock").is_empty()
    }
    fn width(&self) -> usize {
        100
    }
    fn no_color(&self) -> bool {
        true
    }
}

/// An air-gapped laptop as it should be.
pub struct FitMachine;

impl Machine for FitMachine {
    fn read(&self, path: &str) -> Option<String> {
        match path {
            "/proc/net/route" => {
                Some("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n".into())
            }
            "/proc/net/dev" => Some("Inter-| Receive\n face |bytes\n    lo: 0 0\n".into()),
            "/proc/swaps" => Some("Filename\tType\tSize\tUsed\tPriority\n".into()),
            "/proc/self/mountinfo" => Some("22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n".into()),
            "/proc/self/status" => Some("VmLck:\t4096 kB\n".into()),
            "/etc/timezone" => Some("Etc/UTC\n".into()),
            "/sys/class/net/lo/type" => Some("772\n".into()),
            "/sys/class/net/lo/flags" => Some("0x9\n".into()),
            "/sys/class/net/lo/operstate" => Some("unknown\n".into()),
            _ => None,
        }
    }
    fn list(&self, path: &str) -> Vec<String> {
        if path == "/sys/class/net" { vec!["lo".into()] } else { Vec::new() }
    }
    fn link(&self, path: &str) -> Option<PathBuf> {
        (path == "/etc/localtime").then(|| PathBuf::from("/usr/share/zoneinfo/Etc/UTC"))
    }
    fn variable(&self, _: &str) -> Option<PathBuf> {
        None
    }
    fn program(&self) -> Option<PathBuf> {
        // A small file that stays as it is: hashing the test program itself at every command would take most of the time.
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("LICENSE-MIT"))
    }
    fn free_bytes(&self, _: &Path) -> Option<u64> {
        Some(10 << 30)
    }
    fn mode(&self, path: &Path) -> Option<(u32, u32)> {
        use std::os::unix::fs::MetadataExt;
        let facts = std::fs::symlink_metadata(path).ok()?;
        Some((facts.mode() & 0o7777, facts.uid()))
    }
    fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }
    fn dumpable(&self) -> bool {
        false
    }
    fn core_limit(&self) -> Option<u64> {
        Some(0)
    }
    fn harden(&self) -> io::Result<()> {
        Ok(())
    }
    fn confine(&self, _: &Reach) {}
    fn confined(&self) -> Confinement {
        Confinement::Fully
    }
}

/// What a command came to.
pub struct Ran {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

impl Ran {
    #[track_caller]
    pub fn done(self) -> Ran {
        assert_eq!(self.exit, Exit::Done, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn ended(self, exit: Exit) -> Ran {
        assert_eq!(self.exit, exit, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.out, self.err))
    }
}

/// A folder, a machine and a station in it.
pub struct Desk {
    pub folder: tempfile::TempDir,
    pub clock: Arc<TestClock>,
    pub terminal: Arc<TestTerminal>,
    pub host: Host,
}

impl Desk {
    pub fn new() -> Desk {
        let clock = Arc::new(TestClock {
            now: AtomicI64::new(Time::parse(NOW).expect("a time").unix()),
            slept: AtomicU64::new(0),
        });
        let terminal = Arc::new(TestTerminal::default());
        let host = Host {
            clock: clock.clone(),
            random: Arc::new(TestRandom(AtomicU64::new(0))),
            terminal: terminal.clone(),
            disk: Arc::new(RealDisk),
            machine: Arc::new(FitMachine),
        };
        Desk { folder: tempfile::tempdir().expect("a folder"), clock, terminal, host }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn station(&self) -> PathBuf {
        self.path("station")
    }

    /// Runs `countersign --station STATION ARGS…`.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Ran {
        let mut all: Vec<OsString> = vec!["countersign".into(), "--station".into(), self.station().into()];
        all.extend(arguments.iter().map(|argument| OsString::from(argument.as_ref())));
        self.terminal.out.lock().expect("lock").clear();
        self.terminal.err.lock().expect("lock").clear();
        let exit = cli::run(all, &self.host);
        let out = self.terminal.out.lock().expect("lock").clone();
        let err = self.terminal.err.lock().expect("lock").clone();
        Ran { exit, out, err }
    }

    /// Writes an officer's passphrase to a file and returns the argument that names it.
    pub fn passphrase(&self, officer: &str) -> String {
        let path = self.path(&format!("{officer}.passphrase"));
        std::fs::write(&path, format!("{}\n", passphrase_of(officer))).expect("written");
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, owner_only).expect("set");
        format!("{officer}={}", path.display())
    }

    /// A station for a fixture's Factory, with the roots of a step.
    pub fn init(&self, factory: &str, name: &str, step: &str) {
        let roots = fixture(&format!("{factory}/{step}/prod-roots"));
        let fingerprint = fingerprint(&roots);
        self.run(&[
            "init",
            "--factory",
            name,
            "--roots",
            text(&roots),
            "--online-key",
            text(&fixture(&format!("{factory}/{step}/ci-targets.pub"))),
            "--fingerprint",
            &fingerprint,
            "--networked",
        ])
        .done();
    }

    pub fn add_officer(&self, name: &str) {
        let passphrase = self.passphrase(name);
        self.run(&["officer", "add", name, "--passphrase-file", &passphrase, "--work-factor", "12"]).done();
    }

    pub fn import_key(&self, file: &Path, officers: &str, quorum: &str) -> String {
        let ran = self
            .run(&["--json", "key", "import", text(file), "--officers", officers, "--quorum", quorum])
            .done();
        ran.json()["keyid"].as_str().expect("a key id").to_owned()
    }

    /// Composes a request from a fixture's step and returns its folder.
    pub fn request(&self, step: &Path, factory: &str, wave: &str, version: u64, more: &[&str]) -> PathBuf {
        let out = self.path(&format!("request-{wave}-{version}"));
        let version = version.to_string();
        let mut arguments = vec![
            "request",
            "--from",
            text(step),
            "--factory",
            factory,
            "--wave",
            wave,
            "--version",
            &version,
            "--tag",
            "production",
            "--expires",
            "2027-11-23T00:00:00Z",
            "--out",
            text(&out),
        ];
        arguments.extend(more);
        self.run(&arguments).done();
        out
    }

    /// Runs a command that these officers sign.
    pub fn by(&self, officers: &[&str], arguments: &[&str]) -> Ran {
        let mut all: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        for name in officers {
            all.extend(["--officer".to_owned(), (*name).to_owned()]);
            all.extend(["--passphrase-file".to_owned(), self.passphrase(name)]);
        }
        self.run(&all)
    }

    /// As [`Desk::request`], for what the connected machine would refuse: composed by somebody who does not look.
    pub fn request_unseen(&self, step: &Path, factory: &str, wave: &str, version: u64) -> PathBuf {
        use countersign::testing::bundle::compose::Parameters;
        use countersign::testing::bundle::source::{Ask, Asked, compose_request, write_request};
        let out = self.path(&format!("request-{wave}-{version}"));
        let parameters = Parameters {
            version,
            tag: "production".to_owned(),
            source_tag: None,
            prune: Default::default(),
            expires: Time::parse("2027-11-23T00:00:00Z").expect("a time"),
        };
        let what = Asked::Wave { wave: wave.to_owned(), parameters, is_first: false };
        let (factory, now) = (factory.to_owned(), self.clock.now());
        let ask = Ask { factory, what, now, max_file_bytes: 64 << 20, anchors: Default::default() };
        let composed = compose_request(&RealDisk, step, &ask).expect("composed");
        write_request(&RealDisk, &out, &composed).expect("written");
        out
    }

    /// Imports and reviews; returns the request's digest and the confirmation words.
    pub fn import(&self, path: &Path) -> (String, serde_json::Value) {
        let imported = self.run(&["--json", "import", text(path)]).done().json();
        let id = imported["request"].as_str().expect("a digest").to_owned();
        let review = self.run(&["--json", "review", &id]).json();
        (id, review)
    }

    pub fn sign(&self, id: &str, review: &serde_json::Value, officer: &str, more: &[&str]) -> Ran {
        let passphrase = self.passphrase(officer);
        let words = review["confirm"].as_str().expect("words");
        let mut arguments = vec![
            "--json",
            "sign",
            id,
            "--officer",
            officer,
            "--confirm",
            words,
            "--passphrase-file",
            &passphrase,
        ];
        arguments.extend(more);
        self.run(&arguments)
    }

    pub fn export(&self, id: &str, name: &str) -> PathBuf {
        let out = self.path(name);
        self.run(&["export", id, text(&out)]).done();
        out
    }
}

pub fn passphrase_of(officer: &str) -> String {
    format!("{officer} walks eleven quiet harbours")
}

/// The confirmation words as they stand in a review on the terminal.
pub fn words_in(shown: &str) -> String {
    let plain = anstream::adapter::strip_str(shown).to_string();
    let all: Vec<&str> = plain.split_whitespace().collect();
    // Six words of the list in a row: the last ones, after the digest's.
    let window = all.windows(6).rfind(|six| countersign::testing::words::parse(&six.join(" ")).is_some());
    window.unwrap_or_else(|| panic!("no words in {plain}")).join(" ")
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fioctl").join(path)
}

/// Copies a folder and all that is in it to a new one that only its owner can enter.
pub fn copy_folder(from: &Path, to: &Path) {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(to).expect("made");
    for entry in std::fs::read_dir(from).expect("listed") {
        let entry = entry.expect("read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("copied");
        }
    }
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&read(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The fingerprint of the newest root in a folder.
pub fn fingerprint(roots: &Path) -> String {
    let newest = (1..).take_while(|n| roots.join(format!("{n}.root.json")).exists()).last().expect("a root");
    let bytes = read(&roots.join(format!("{newest}.root.json")));
    countersign::testing::tuf::Root::parse("root", &bytes).expect("a root").fingerprint.to_string()
}

/// Changes a file of a request and brings the manifest in line, as a hostile machine would.
pub fn rewrite(request: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(request.join(name), bytes).expect("written");
    let mut manifest = json(&request.join("request.json"));
    manifest["files"][name] = serde_json::to_value(FileFacts::of(bytes)).expect("a value");
    std::fs::write(request.join("request.json"), serde_json::to_vec_pretty(&manifest).expect("json"))
        .expect("written");
}
