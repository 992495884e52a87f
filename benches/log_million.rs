//! A million entries of about 600 bytes: how long verification and a question take, and how much memory; how long a
//! station with ten thousand entries takes to open. Run: `cargo bench --bench log_million`.
//!
//! The log is made by a generator of its own (tests/suite/support/made_up_station.rs), once, under target/: in every hundred
//! entries one whole ceremony with two approvals, a TUF signature and a checkpoint, the rest self-tests of the length
//! that brings the average to 600 bytes. Each figure is taken in a process of its own, whose peak memory is the
//! kernel's (VmHWM).

#[path = "../tests/suite/support/made_up_station.rs"]
mod made_up_station;
#[path = "../tests/suite/support/unsynced_disk.rs"]
mod unsynced_disk;

use countersign::testing::audit::verdict::{Compare, verify};
use countersign::testing::audit::who::{Question, find};
use countersign::testing::audit::{Options, Outcome, Pack};
use countersign::testing::host::clock::Time;
use countersign::testing::host::{RealDisk, Stamp};
use countersign::testing::ledger::Log;
use made_up_station::Station;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use unsynced_disk::Unsynced;

fn generate(entries: u64) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("log-{entries}"));
    let (done, dir) = (folder.join("done"), folder.join("log"));
    if done.exists() {
        return dir;
    }
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let start = Instant::now();
    let mut station = Station::new(Arc::new(Unsynced), &dir, 600, 2, 2);
    while station.log.size() < entries {
        if station.log.size() % 100 == 50 && station.log.size() + 7 <= entries {
            station.ceremony();
        } else {
            station.long_filler();
        }
    }
    station.log.checkpoint().expect("a checkpoint");
    std::fs::write(done, "").expect("written");
    println!("made a log of {entries} entries in {:.1} s", start.elapsed().as_secs_f64());
    dir
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(f64::NAN);
    kib / 1024.0
}

fn measure(what: &str, dir: &Path) {
    let start = Instant::now();
    let words = match what {
        "verify" => {
            let pack = Pack::open(&RealDisk, dir, None).expect("a pack");
            let verdict =
                verify(&pack, Options::default(), Compare::default(), &mut |_, _| Ok(())).expect("examined");
            assert_eq!((verdict.outcome, verdict.first_flaw()), (Outcome::Whole, None));
            let found = verdict.examination;
            format!(
                "{} entries, {} checkpoints, {} TUF signatures, {} objects",
                found.size, found.checkpoints, found.signatures, found.objects
            )
        }
        "who" => {
            let pack = Pack::open(&RealDisk, dir, None).expect("a pack");
            let found = find(&pack, &pack.head().expect("a head"), &Question::Version(5_000)).expect("found");
            format!("{} signature of version 5000", found.len())
        }
        _ => {
            let stamp = Stamp { time: Time::from_unix(1_900_000_000), boot: "b".to_owned(), uptime_ms: 1 };
            let (log, _) = Log::open(Arc::new(RealDisk), dir, &stamp, &mut |_| {}).expect("opened");
            format!("{} entries", log.size())
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    println!("{what:<8} {seconds:>8.3} s  {:>6.1} MiB peak  {words}", peak_mib());
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [what, dir] = words.as_slice() {
        return measure(what, Path::new(dir));
    }
    let million = generate(1_000_000);
    let bytes: u64 = std::fs::read_dir(million.join("events"))
        .expect("listed")
        .map(|file| file.and_then(|file| file.metadata()).map_or(0, |facts| facts.len()))
        .sum();
    println!("{} bytes an entry", bytes / 1_000_000);
    let ten_thousand = generate(10_000);
    let program = std::env::current_exe().expect("this program");
    for (what, dir) in [("verify", &million), ("who", &million), ("open", &ten_thousand)] {
        for _ in 0..3 {
            let status = Command::new(&program).args([what.as_ref(), dir.as_os_str()]).status().expect("run");
            assert!(status.success());
        }
    }
}
