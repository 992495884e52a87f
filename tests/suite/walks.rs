//! Random walks over the acts: whatever officers do in whatever order, also when the machine dies in between, the auditor
//! finds no flaw in the log, and the station never refuses to write what its own commands do.

use crate::common::{Desk, Ran, fixture, text};
use crate::support::failing_disk::Failing;
use crate::support::witness::Witness;
use countersign::testing::cli::Exit;
use countersign::testing::host::RealDisk;
use countersign::testing::host::clock::Time;
use countersign::testing::tlog::VerifierKey;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock};

const OFFICERS: [&str; 4] = ["ann", "bob", "cho", "dee"];
const WAVES: [(&str, &str, u64); 3] =
    [("1-populate", "populate-targets", 12), ("2-update", "v2.0-update", 42), ("5-two-officers", "v3.0", 45)];
/// What the policy of a station asks for, as it may be changed.
const POLICIES: [&[(&str, &str)]; 5] = [
    &[],
    &[("\ncount = 1\n", "\ncount = 2\n")],
    &[("importer_may_approve = true", "importer_may_approve = false")],
    &[
        ("separate_roles = []", "separate_roles = [[\"approver\", \"signer\"]]"),
        ("\nhours = 24\n", "\nhours = 1\n"),
    ],
    &[("quorum = 0", "quorum = 1"), ("window_days = 0", "window_days = 2")],
];
/// Walks, unless the environment asks for more.
const WALKS: u32 = 24;

/// The requests, made once: they are no station's.
static REQUESTS: LazyLock<(Desk, Vec<PathBuf>)> = LazyLock::new(|| {
    let desk = Desk::new();
    let request = |(step, wave, version): &(&str, &str, u64)| {
        desk.request(&fixture(&format!("acme/{step}")), "acme-gateway", wave, *version, &[])
    };
    let requests = WAVES.iter().map(request).collect();
    (desk, requests)
});

/// Some of the officers: a bit for each.
type People = u8;

#[derive(Clone, Debug)]
enum Step {
    Add(usize),
    Retire(usize, People),
    KeyImport(bool, People, u8),
    KeyGenerate(People, u8),
    Reseal(People, People, u8),
    Backup,
    Restore,
    Drill(People),
    Policy(usize, People),
    Import(usize, People),
    Review,
    Approve(usize),
    Reject(usize),
    Sign(People),
    /// The machine dies after so many steps on its disk.
    SignKilled(People, usize),
    Settle(usize, bool),
    Export,
    WitnessAdd(usize),
    WitnessRetire(usize),
    /// The newest head comes back, cosigned or not.
    Anchor(bool),
    /// So many hours go by.
    Later(u8),
    Clock(usize),
    LogExport,
}

fn step() -> impl Strategy<Value = Step> {
    let officer = || 0..OFFICERS.len();
    let some = || 1..16u8;
    // Mostly those who hold the key when the walk begins.
    let holders = || prop_oneof![3 => 1..4u8, 1 => 1..16u8];
    prop_oneof![
        2 => officer().prop_map(Step::Add),
        1 => (officer(), some()).prop_map(|(who, by)| Step::Retire(who, by)),
        1 => (any::<bool>(), some(), 1..3u8).prop_map(|(other, to, quorum)| Step::KeyImport(other, to, quorum)),
        1 => (some(), 1..3u8).prop_map(|(to, quorum)| Step::KeyGenerate(to, quorum)),
        2 => (some(), some(), 1..3u8).prop_map(|(by, to, quorum)| Step::Reseal(by, to, quorum)),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
        1 => some().prop_map(Step::Drill),
        2 => (0..POLICIES.len(), some()).prop_map(|(which, by)| Step::Policy(which, by)),
        3 => (0..WAVES.len(), 0..16u8).prop_map(|(which, by)| Step::Import(which, by)),
        4 => Just(Step::Review),
        4 => officer().prop_map(Step::Approve),
        1 => officer().prop_map(Step::Reject),
        6 => holders().prop_map(Step::Sign),
        3 => (holders(), 0..120usize).prop_map(|(by, after)| Step::SignKilled(by, after)),
        1 => (officer(), any::<bool>()).prop_map(|(by, made)| Step::Settle(by, made)),
        2 => Just(Step::Export),
        1 => officer().prop_map(Step::WitnessAdd),
        1 => officer().prop_map(Step::WitnessRetire),
        2 => any::<bool>().prop_map(Step::Anchor),
        2 => (1..30u8).prop_map(Step::Later),
        1 => officer().prop_map(Step::Clock),
        1 => Just(Step::LogExport),
    ]
}

/// A station on its walk.
struct Walk {
    desk: Desk,
    witness: Witness,
    hours: i64,
    /// The request that was taken in last, by its digest.
    request: String,
    /// Names that were not given to a file yet.
    next: usize,
    backups: Vec<PathBuf>,
}

impl Walk {
    fn new() -> Walk {
        let desk = Desk::new();
        desk.init("acme", "acme-gateway", "1-populate");
        desk.add_officer("ann");
        desk.add_officer("bob");
        desk.import_key(&fixture("acme/targets.keys.tgz"), "ann,bob", "1");
        let key = std::fs::read_to_string(desk.station().join("log/vkey")).expect("read");
        let mut witness = Witness::new("w.example", 1, 0);
        witness.add_log(&VerifierKey::parse(&key).expect("a key"));
        let (request, _) = desk.import(&REQUESTS.1[0]);
        Walk { desk, witness, hours: 0, request, next: 0, backups: Vec::new() }
    }

    fn path(&mut self, name: &str) -> PathBuf {
        self.next += 1;
        self.desk.path(&format!("{name}-{}", self.next))
    }

    fn now(&self) -> i64 {
        Time::parse(crate::common::NOW).expect("a time").unix() + self.hours * 3600
    }

    /// A command may be refused for many reasons, but never because the line that it writes breaks a rule.
    fn run(&self, officers: &[&str], arguments: &[&str]) -> Ran {
        let ran = self.desk.by(officers, arguments);
        assert!(!ran.err.contains("nothing was written:"), "{arguments:?}: {}", ran.err);
        assert_ne!(ran.exit, Exit::Tampered, "{arguments:?}: {}", ran.err);
        assert_ne!(ran.exit, Exit::Usage, "{arguments:?}: {}", ran.err);
        ran
    }

    fn keyid(&self) -> String {
        let keys = self.run(&[], &["--json", "key", "list"]).json();
        let first = keys.as_array().and_then(|keys| keys.first()?["keyid"].as_str());
        first.unwrap_or("0000").to_owned()
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Add(who) => {
                let more = ["officer", "add", OFFICERS[*who], "--work-factor", "12", "--passphrase-file"];
                let passphrase = self.desk.passphrase(OFFICERS[*who]);
                drop(self.run(&[], &[&more[..], &[&passphrase]].concat()));
            }
            Step::Retire(who, by) => {
                let retire = ["officer", "retire", OFFICERS[*who], "--reason", "left"];
                drop(self.run(&some(*by), &retire));
            }
            Step::KeyImport(other, to, quorum) => {
                let name = if *other { "officer2" } else { "targets" };
                let file = fixture(&format!("acme/{name}.keys.tgz"));
                let (to, quorum) = (some(*to).join(","), quorum.to_string());
                let import = ["key", "import", text(&file), "--officers", &to, "--quorum", &quorum];
                drop(self.run(&[], &import));
            }
            Step::KeyGenerate(to, quorum) => {
                let (out, to, quorum) = (self.path("made"), some(*to).join(","), quorum.to_string());
                let made = ["key", "generate", "--type", "ed25519", "--officers", &to, "--quorum", &quorum];
                drop(self.run(&[], &[&made[..], &["--out", text(&out)]].concat()));
            }
            Step::Reseal(by, to, quorum) => {
                let (keyid, to, quorum) = (self.keyid(), some(*to).join(","), quorum.to_string());
                let reseal = ["key", "reseal", &keyid, "--to", &to, "--quorum", &quorum];
                drop(self.run(&some(*by), &reseal));
            }
            Step::Backup => {
                let name = format!("scans-{}", self.next);
                self.next += 1;
                let keyid = self.keyid();
                let out = self.desk.path(&format!("{name}-paper"));
                let made = self.run(&[], &["--json", "key", "backup", &keyid, "--out", text(&out)]);
                if made.exit == Exit::Done {
                    self.backups.push(typed(&self.desk, &made, &name));
                }
            }
            Step::Restore => {
                if let Some(scans) = self.backups.last() {
                    drop(self.run(&[], &["key", "restore", text(scans)]));
                }
            }
            Step::Drill(by) => drop(self.run(&some(*by), &["key", "drill", &self.keyid()])),
            Step::Policy(which, by) => {
                let file = self.path("policy");
                let replaced = |policy: String, (from, to): &(&str, &str)| {
                    assert!(policy.contains(from), "{from}");
                    policy.replacen(from, to, 1)
                };
                let default = countersign::testing::station::policy::DEFAULT.to_owned();
                let policy = POLICIES[*which].iter().fold(default, replaced);
                std::fs::write(&file, policy).expect("written");
                drop(self.run(&some(*by), &["policy", "set", text(&file)]));
            }
            other => self.take_of_request(other),
        }
    }

    fn take_of_request(&mut self, step: &Step) {
        let request = self.request.clone();
        match step {
            Step::Import(which, by) => {
                let path = text(&REQUESTS.1[*which]).to_owned();
                let by: Vec<&str> = some(*by).into_iter().take(1).collect();
                let ran = self.run(&by, &["--json", "import", &path]);
                if ran.exit == Exit::Done {
                    self.request = ran.json()["request"].as_str().expect("a digest").to_owned();
                }
            }
            Step::Review => drop(self.run(&[], &["review", &request])),
            Step::Approve(who) => {
                let words = self.words();
                drop(self.run(&[OFFICERS[*who]], &["approve", &request, "--confirm", &words]));
            }
            Step::Reject(who) => {
                drop(self.run(&[OFFICERS[*who]], &["reject", &request, "--reason", "not today"]));
            }
            Step::Sign(by) => {
                let words = self.words();
                drop(self.run(&some(*by), &["sign", &request, "--confirm", &words]));
            }
            Step::SignKilled(by, after) => {
                let words = self.words();
                self.desk.host.disk = Arc::new(Failing::dead_after(*after));
                drop(self.desk.by(&some(*by), &["sign", &request, "--confirm", &words]));
                self.desk.host.disk = Arc::new(RealDisk);
            }
            Step::Export => {
                let out = self.path("bundle");
                drop(self.run(&[], &["export", &request, text(&out)]));
            }
            Step::Settle(by, made) => self.settle(OFFICERS[*by], *made),
            other => self.take_of_log(other),
        }
    }

    fn take_of_log(&mut self, step: &Step) {
        match step {
            Step::WitnessAdd(by) => {
                drop(self.run(&[OFFICERS[*by]], &["witness", "add", &self.witness.key()]));
            }
            Step::WitnessRetire(by) => {
                let retire = ["witness", "retire", "w.example", "--reason", "another one comes"];
                drop(self.run(&[OFFICERS[*by]], &retire));
            }
            Step::Anchor(is_cosigned) => {
                let head = std::fs::read_to_string(self.desk.station().join("log/checkpoint")).expect("read");
                self.witness.time = u64::try_from(self.now()).expect("after 1970");
                let note = if *is_cosigned { self.witness.lie(&head) } else { head };
                let file = self.path("note");
                std::fs::write(&file, note).expect("written");
                drop(self.run(&[], &["anchor", "import", text(&file)]));
            }
            Step::Later(hours) => {
                self.hours += i64::from(*hours);
                self.desk.clock.set(&Time::from_unix(self.now()).to_string());
            }
            Step::Clock(by) => {
                drop(self.run(&[OFFICERS[*by]], &["clock", "--reason", "compared with a watch"]))
            }
            Step::LogExport => {
                let out = self.path("pack");
                drop(self.run(&[], &["log", "export", text(&out)]));
            }
            other => unreachable!("{other:?} was taken before"),
        }
    }

    /// The words of the review as it is now; some that are none where there is no request.
    fn words(&self) -> String {
        let ran = self.run(&[], &["--json", "review", &self.request]);
        let is_shown = matches!(ran.exit, Exit::Done | Exit::Refused) && ran.out.starts_with('{');
        let words = is_shown.then(|| ran.json()["confirm"].as_str().map(str::to_owned)).flatten();
        words.unwrap_or_else(|| "none".to_owned())
    }

    fn settle(&self, officer: &str, is_made: bool) {
        let told = self.run(&[], &["log", "head"]).err;
        let Some((_, entry)) = told.split_once("A signature is in doubt (log entry ") else { return };
        let (entry, _) = entry.split_once(')').expect("a number");
        let outcome = if is_made { "made" } else { "not-made" };
        drop(self.run(&[officer], &["settle", entry, "--outcome", outcome]));
    }

    fn count(&self, kind: &str) -> usize {
        let log = self.run(&[], &["--json", "log", "show", "--type", kind]).done().json();
        log.as_array().expect("entries").len()
    }

    /// The auditor finds no flaw, on the station and in a pack; the pack's own script neither, where it is asked.
    fn is_whole(&mut self, with_recipe: bool) {
        let pack = self.path("pack");
        let exported = self.run(&[], &["log", "export", text(&pack)]);
        assert!(is_whole(exported.exit), "{}{}", exported.out, exported.err);
        let own = self.run(&[], &["log", "verify"]);
        assert!(is_whole(own.exit), "{}{}", own.out, own.err);
        let ran = self.run(&[], &["--json", "audit", "verify", text(&pack)]);
        assert!(is_whole(ran.exit) && ran.json()["flaws"] == serde_json::json!([]), "{}{}", ran.out, ran.err);
        if with_recipe {
            let script = pack.join("verify.py");
            let out = self.path("check");
            let ran = Command::new("python3").args(["-I", text(&script), text(&pack), text(&out)]).output();
            let ran = ran.expect("python3 is needed for this test");
            let said = [ran.stdout, ran.stderr].concat();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
        }
    }
}

/// Whole as far as nobody changed anything: a signature may be in doubt, a witness late.
fn is_whole(exit: Exit) -> bool {
    matches!(exit, Exit::Done | Exit::InDoubt | Exit::Unwitnessed)
}

fn some(bits: People) -> Vec<&'static str> {
    OFFICERS.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, name)| *name).collect()
}

/// What somebody types from the sheets of a backup.
fn typed(desk: &Desk, made: &Ran, name: &str) -> PathBuf {
    let scans = desk.path(name);
    std::fs::create_dir(&scans).expect("made");
    for (number, sheet) in made.json()["sheets"].as_array().expect("sheets").iter().enumerate() {
        let html = std::fs::read_to_string(sheet.as_str().expect("a path")).expect("read");
        let blocks = html.split("<pre>").filter(|block| block.starts_with("countersign-paper/1"));
        let typed: String = blocks.filter_map(|block| block.split("</pre>").next()).collect();
        std::fs::write(scans.join(format!("{number}.txt")), typed).expect("written");
    }
    scans
}

#[test]
fn whatever_officers_do_the_auditor_finds_no_flaw() {
    let walks = std::env::var("COUNTERSIGN_WALKS").ok().and_then(|text| text.parse().ok());
    let config = Config {
        cases: walks.unwrap_or(WALKS),
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    // The same walks each time, unless more are asked for.
    let rng = match walks {
        None => TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]),
        Some(_) => TestRng::from_seed(RngAlgorithm::ChaCha, &seed()),
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let (number, signed, doubted) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let walk = prop::collection::vec(step(), 12..28);
    let outcome = runner.run(&walk, |steps| {
        let mut walk = Walk::new();
        steps.iter().for_each(|step| walk.take(step));
        number.set(number.get() + 1);
        walk.is_whole(number.get() <= 4);
        signed.set(signed.get() + walk.count("sign.result"));
        doubted.set(doubted.get() + walk.count("sign.in_doubt"));
        Ok(())
    });
    if let Err(e) = outcome {
        panic!("{e}");
    }
    // Walks that never come to a signature would show nothing.
    assert!(signed.get() > 0 && doubted.get() > 0, "{} signed, {} in doubt", signed.get(), doubted.get());
}

/// Another one each time.
fn seed() -> [u8; 32] {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(&now.as_nanos().to_le_bytes());
    seed
}
