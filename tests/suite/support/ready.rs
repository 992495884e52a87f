//! A station with one request that is ready to be signed, and the check after something went wrong while it was.

#![allow(dead_code, reason = "each test uses a part of it")]

use crate::common::{Desk, FitMachine, copy_folder, fixture};
use countersign::testing::cli::Exit;
use countersign::testing::host::{Host, RealDisk};
use countersign::testing::ledger::{Entry, Kind, Record};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A station with one request, reviewed and ready to be signed.
pub struct Ready {
    pub desk: Desk,
    id: String,
    pub words: String,
    passphrase: String,
    /// The station as it was before.
    pub kept: PathBuf,
}

impl Ready {
    pub fn new() -> Ready {
        let desk = Desk::new();
        desk.init("acme", "acme-gateway", "1-populate");
        desk.add_officer("alice");
        desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
        let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
        let (id, review) = desk.import(&request);
        let words = review["confirm"].as_str().expect("words").to_owned();
        let passphrase = desk.passphrase("alice");
        let kept = desk.path("kept");
        copy_folder(&desk.station(), &kept);
        Ready { desk, id, words, passphrase, kept }
    }

    /// Puts the station back to where it was before signing.
    pub fn reset(&self) {
        std::fs::remove_dir_all(self.desk.station()).expect("removed");
        copy_folder(&self.kept, &self.desk.station());
    }

    pub fn arguments(&self) -> Vec<String> {
        self.confirming(&self.words)
    }

    fn confirming(&self, words: &str) -> Vec<String> {
        let words = ["sign", &self.id, "--officer", "alice", "--confirm", words, "--passphrase-file"];
        words.iter().map(|word| (*word).to_owned()).chain([self.passphrase.clone()]).collect()
    }

    pub fn with_disk(&mut self, disk: Arc<dyn countersign::testing::host::Disk>) {
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
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let bytes = std::fs::read(self.desk.station().join("log/events/000000.jsonl")).expect("read");
        bytes.split_inclusive(|byte| *byte == b'\n').map(|line| line.trim_ascii_end().to_vec()).collect()
    }

    /// How many entries of a kind are under a checkpoint: only these count.
    pub fn covered(&self, kind: Kind) -> usize {
        let checkpoints = std::fs::read_dir(self.desk.station().join("log/checkpoints")).expect("listed");
        let names = checkpoints.map(|one| one.expect("read").file_name().into_string().expect("text"));
        let newest: usize = names.filter_map(|name| name.parse().ok()).max().expect("a checkpoint");
        let lines = self.lines().into_iter().take(newest);
        lines.filter(|line| Entry::read(line).is_ok_and(|entry| entry.kind() == kind)).count()
    }

    pub fn count(&self, kind: Kind) -> usize {
        let lines = self.lines();
        lines.iter().filter(|line| Entry::read(line).is_ok_and(|entry| entry.kind() == kind)).count()
    }

    /// The entry of the signature that is in doubt.
    pub fn in_doubt(&self) -> u64 {
        let told = self.desk.run(&["log", "head"]).done().err;
        let (_, entry) = told.split_once("A signature is in doubt (log entry ").expect("told");
        entry.split_once(')').expect("a number").0.parse().expect("a number")
    }

    /// Reads the review and signs with its words: what stands in the station's history now is part of it.
    fn sign_again(&self) -> crate::common::Ran {
        let review = self.desk.run(&["--json", "review", &self.id]).done().json();
        self.desk.run(&self.confirming(review["confirm"].as_str().expect("words")))
    }

    /// After whatever happened: the log is whole, a signature is never without its intent, and signing again ends with
    /// exactly one signature of these bytes, or in doubt until an officer settles it.
    pub fn check(&mut self, place: &str) {
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
        let again = self.sign_again();
        match again.exit {
            Exit::Done => {}
            Exit::InDoubt => {
                let seq = self.in_doubt().to_string();
                let settle =
                    ["settle", &seq, "--officer", "alice", "--outcome", "not-made", "--passphrase-file"];
                let settle: Vec<&str> = settle.into_iter().chain([self.passphrase.as_str()]).collect();
                self.desk.run(&settle).done();
                self.sign_again().done();
            }
            other => panic!("{place}: signing again: {other:?}\n{}{}", again.out, again.err),
        }
        let signed = self.count(Kind::SignResult);
        assert!(signed >= 1 && signed <= signed_before + 1, "{place}: {signed} signatures");
        let lines = self.lines();
        let made: std::collections::BTreeSet<String> = lines
            .iter()
            .filter_map(|line| Entry::read(line).ok())
            .filter_map(|entry| match entry.record() {
                Record::SignResult(result) => Some(format!("{} {}", &*result.signed, result.sig)),
                _ => None,
            })
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
