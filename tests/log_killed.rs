//! The real program, killed at any moment and run by several at once.

#[path = "suite/common/mod.rs"]
mod common;
#[path = "suite/support/ready.rs"]
mod ready;

use countersign::testing::host::clock::{Clock as _, SystemClock};
use countersign::testing::ledger::Kind;
use ready::Ready;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

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

/// A child that was forked and not yet replaced by its program shares every lock of this process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn the_program_killed_at_two_hundred_points_never_signs_twice_and_its_log_stays_whole() {
    let _alone = ALONE.lock().expect("the other test did not fail");
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
            // The program wrote with the machine's clock; what looks at it must not be behind.
            ready.desk.clock.set(&SystemClock.now().to_string());
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
    let _alone = ALONE.lock().expect("the other test did not fail");
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
    let session = countersign::testing::ceremony::tool::session(&ready.desk.host, "sign");
    let station =
        countersign::testing::station::Station::open(&ready.desk.host, &ready.desk.station(), Some(session))
            .expect("opened");
    let refused = program(&ready).output().expect("run");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another countersign works on this station"));
    drop(station);
}
