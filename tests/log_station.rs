//! A whole station through crashes, a full disk, kill -9 and rivals: no signature without its intent in the log, none
//! twice, and the log whole afterwards.

mod common;
#[path = "support/failing_disk.rs"]
mod failing_disk;

use common::{Desk, FitMachine, fixture, text};
use countersign::cli::Exit;
use countersign::host::{Host, RealDisk};
use countersign::log::{Entry, Kind};
use failing_disk::Failing;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A station with one request, reviewed and ready to be signed.
struct Ready {
    desk: Desk,
    id: String,
    words: String,
    passphrase: String,
    kept: PathBuf,
}

impl Ready {
    fn new() -> Ready {
        let desk = Desk::new();
        desk.init("acme", "acme-gateway", "1-populate");
        desk.add_officer("alice");
        desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
        let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
        let (id, review) = desk.import(&request);
        let words = review["confirm"].as_str().expect("words").to_owned();
        let passphrase = desk.passphrase("alice");
        let kept = desk.path("kept");
        copy(&desk.station(), &kept);
        Ready { desk, id, words, passphrase, kept }
    }

    /// Puts the station back to where it was before signing.
    fn reset(&self) {
        std::fs::remove_dir_all(self.desk.station()).expect("removed");
        copy(&self.kept, &self.desk.station());
    }

    fn arguments(&self) -> Vec<String> {
        let words = ["sign", &self.id, "--officer", "alice", "--confirm", &self.words, "--passphrase-file"];
        words.iter().map(|word| (*word).to_owned()).chain([self.passphrase.clone()]).collect()
    }

    fn with_disk(&mut self, disk: Arc<dyn countersign::host::Disk>) {
        let host = &self.desk.host;
        self.desk.host = Host {
            clock: host.clock.clone(),
            random: host.random.clone(),
            terminal: host.terminal.clone(),
            disk,
            machine: Arc::new(FitMachine),
        };
    }

    /// The entries as they stand in the station's log.
    fn lines(&self) -> Vec<Vec<u8>> {
        let bytes = std::fs::read(self.desk.station().join("log/events/000000.jsonl")).expect("read");
        bytes.split_inclusive(|byte| *byte == b'\n').map(|line| line.trim_ascii_end().to_vec()).collect()
    }

    fn count(&self, kind: Kind) -> usize {
        let lines = self.lines();
        lines.iter().filter(|line| Entry::read(line).is_ok_and(|entry| entry.kind() == kind)).count()
    }

    /// After whatever happened: the log is whole, a signature is never without its intent, and signing again ends with
    /// exactly one signature of these bytes, or in doubt until an officer settles it.
    fn check(&mut self, place: &str) {
        self.with_disk(Arc::new(RealDisk));
        let signed_before = self.count(Kind::SignResult);
        let verified = self.desk.run(&["log", "verify"]);
        assert!(
            matches!(verified.exit, Exit::Done | Exit::InDoubt),
            "{place}: {:?}\n{}{}",
            verified.exit,
            verified.out,
            verified.err
        );
        let requests = self.desk.station().join("requests");
        let has_signature = files(&requests).iter().any(|path| path.to_string_lossy().contains("signature"));
        assert!(!has_signature || self.count(Kind::SignIntent) > 0, "{place}: a signature without an intent");
        let again = self.desk.run(&self.arguments());
        match again.exit {
            Exit::Done => {}
            Exit::InDoubt => {
                let intent = self.desk.run(&["--json", "log", "show", "--type", "sign.intent"]).json();
                let seq = intent.as_array().and_then(|all| all.last()).expect("an intent")["seq"].to_string();
                let settle =
                    ["settle", &seq, "--officer", "alice", "--outcome", "not-made", "--passphrase-file"];
                let settle: Vec<&str> = settle.into_iter().chain([self.passphrase.as_str()]).collect();
                self.desk.run(&settle).done();
                self.desk.run(&self.arguments()).done();
            }
            other => panic!("{place}: signing again: {other:?}\n{}{}", again.out, again.err),
        }
        let signed = self.count(Kind::SignResult);
        assert!(signed >= 1 && signed <= signed_before + 1, "{place}: {signed} signatures");
        let lines = self.lines();
        let made: std::collections::BTreeSet<String> = lines
            .iter()
            .filter_map(|line| Entry::read(line).ok())
            .filter(|entry| entry.kind() == Kind::SignResult)
            .map(|entry| format!("{} {}", entry.text("signed"), entry.text("sig")))
            .collect();
        assert_eq!(made.len(), 1, "{place}: two different signatures");
        self.desk.run(&["log", "verify"]).done();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("listed") {
        let path = entry.expect("read").path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

fn copy(from: &Path, to: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(to).expect("made");
    for entry in std::fs::read_dir(from).expect("listed") {
        let entry = entry.expect("read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("copied");
        }
    }
}

#[test]
fn a_machine_that_dies_at_any_step_of_signing_leaves_a_station_that_goes_on() {
    let mut ready = Ready::new();
    let plenty = Arc::new(Failing::dead_after(10_000));
    ready.with_disk(plenty.clone());
    ready.desk.run(&ready.arguments()).done();
    let steps = 10_000 - usize::try_from(plenty.left()).expect("some left");
    assert!(steps > 20, "{steps}");
    for step in 0..steps {
        ready.reset();
        ready.with_disk(Arc::new(Failing::dead_after(step)));
        let ran = ready.desk.run(&ready.arguments());
        assert_ne!(ran.exit, Exit::Done, "died after step {step} of {steps}");
        ready.check(&format!("died after step {step} of {steps}"));
    }
}

#[test]
fn a_full_disk_stops_signing_and_loses_nothing() {
    let mut ready = Ready::new();
    let plenty = Arc::new(Failing::full_after(1 << 30));
    ready.with_disk(plenty.clone());
    ready.desk.run(&ready.arguments()).done();
    let bytes = (1 << 30) - usize::try_from(plenty.left()).expect("some left");
    for part in 0..24 {
        ready.reset();
        ready.with_disk(Arc::new(Failing::full_after(bytes * part / 24)));
        let ran = ready.desk.run(&ready.arguments());
        assert_ne!(ran.exit, Exit::Done, "full at {part}/24");
        ready.check(&format!("full at {part}/24"));
    }
}

#[test]
fn a_folder_that_cannot_be_written_signs_nothing() {
    let mut ready = Ready::new();
    let before = ready.lines();
    ready.with_disk(Arc::new(Failing::ReadOnly));
    let ran = ready.desk.run(&ready.arguments());
    assert!(!matches!(ran.exit, Exit::Done), "{}{}", ran.out, ran.err);
    assert_eq!(ready.lines(), before);
    ready.check("read-only");
}

/// The real program, signing.
fn program(ready: &Ready) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command
        .arg("--station")
        .arg(ready.desk.station())
        .args(ready.arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

#[test]
fn the_program_killed_at_two_hundred_points_never_signs_twice_and_its_log_stays_whole() {
    let mut ready = Ready::new();
    let start = Instant::now();
    let whole = program(&ready).output().expect("run");
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let taken = start.elapsed();
    let mut killed = 0;
    for point in 0..200u32 {
        ready.reset();
        let mut child = program(&ready).spawn().expect("run");
        std::thread::sleep(taken * point / 200);
        child.kill().expect("killed");
        let status = child.wait().expect("ended");
        killed += u32::from(!status.success());
        // The whole check signs again; it is made where something was written, and now and then elsewhere.
        let has_written = ready.lines().len() != lines_in(&ready.kept);
        if has_written || point % 20 == 0 {
            ready.check(&format!("killed at {point}/200"));
        }
    }
    assert!(killed > 100, "{killed} of 200 were still running");
}

fn lines_in(station: &Path) -> usize {
    let bytes = std::fs::read(station.join("log/events/000000.jsonl")).expect("read");
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn two_programs_at_once_take_turns_or_one_says_who_is_there() {
    let ready = Ready::new();
    let mut children: Vec<_> = (0..4).map(|_| program(&ready).spawn().expect("run")).collect();
    let started = Instant::now();
    let mut done = 0;
    for child in &mut children {
        let status = child.wait().expect("ended");
        done += u32::from(status.success());
        assert!(started.elapsed() < Duration::from_secs(120));
    }
    assert!(done >= 1);
    let results = ready.count(Kind::SignResult);
    assert!(results >= 1 && results <= done as usize, "{results} results by {done}");
    ready.desk.run(&["log", "verify"]).done();
    // With the station in somebody's hands, another is told so.
    let station =
        countersign::station::Station::open(&ready.desk.host, &ready.desk.station(), None).expect("opened");
    let refused = program(&ready).output().expect("run");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another countersign works on this station"));
    drop(station);
    assert!(text(&ready.desk.station()).ends_with("station"));
}
