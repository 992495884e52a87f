//! A crash at any step of a ceremony's writes loses nothing that was acknowledged, and never hides a signature.

use crate::support::crash_disk;

use countersign::testing::host::Stamp;
use countersign::testing::host::clock::Time;
use countersign::testing::ledger::{Event, Kind, Log, LogError, Record};
use crash_disk::{CrashDisk, Loss};
use std::path::Path;
use std::sync::Arc;

const ROOM: &str = "/room";
const LOG: &str = "/room/log";

fn stamp() -> Stamp {
    Stamp { time: Time::from_unix(1_800_000_000), boot: "boot".to_owned(), uptime_ms: 1 }
}

/// An event of a kind, every field filled.
fn filled(kind: Kind, intent: u64) -> Event {
    crate::support::filled::filled(kind, "mara", &|name| format!("the {name}"), intent)
}

/// What the station had promised when a step was done.
#[derive(Clone, Default)]
struct Promise {
    /// Steps after which it holds.
    from: usize,
    /// Lines that are there for good.
    lines: u64,
    /// A checkpoint of this size was handed out.
    checkpoint: Option<u64>,
    /// The key was used for the intent with this number.
    signed: Option<u64>,
}

/// One ceremony on a log, with what was promised when.
fn ceremony(disk: &Arc<CrashDisk>, log: &mut Log) -> Vec<Promise> {
    let mut promises = Vec::new();
    let mut promise = |log: &Log, signed: Option<u64>| {
        let checkpoint = Some(log.head().checkpoint.size);
        promises.push(Promise { from: disk.steps(), lines: log.size(), checkpoint, signed });
    };
    log.append(&stamp(), filled(Kind::SessionOpened, 0)).expect("appended");
    log.put_object(b"the review as it was shown").expect("stored");
    log.append(&stamp(), filled(Kind::ReviewRendered, 0)).expect("appended");
    log.append(&stamp(), filled(Kind::ApprovalGranted, 0)).expect("appended");
    log.checkpoint().expect("written");
    promise(log, None);
    log.put_object(b"the bytes to be signed").expect("stored");
    let intent = log.append(&stamp(), filled(Kind::SignIntent, 0)).expect("appended").seq();
    log.checkpoint().expect("written");
    promise(log, Some(intent));
    log.append(&stamp(), filled(Kind::SignResult, intent)).expect("appended");
    log.checkpoint().expect("written");
    promise(log, None);
    log.append(&stamp(), filled(Kind::BundleExported, 0)).expect("appended");
    log.append(&stamp(), filled(Kind::SessionClosed, 0)).expect("appended");
    log.checkpoint().expect("written");
    promise(log, None);
    promises
}

fn lines(log: &Log) -> Vec<Vec<u8>> {
    log.entries().map(|entry| entry.expect("read").entry().line().to_vec()).collect()
}

/// Opens what a crash left and checks every promise that was made before it.
fn check(left: CrashDisk, steps: usize, loss: Loss, promises: &[Promise], whole: &[Vec<u8>]) {
    let place = format!("crash after step {steps}, {loss:?}");
    let left = Arc::new(left);
    let (mut log, recovery) = Log::open(left.clone(), Path::new(LOG), &stamp(), &mut |_| {})
        .unwrap_or_else(|e| panic!("{place}: the log does not open: {e}"));
    let kept: Vec<&Promise> = promises.iter().filter(|promise| promise.from <= steps).collect();
    let found = lines(&log);
    let acknowledged = kept.iter().map(|promise| promise.lines).max().unwrap_or(0);
    assert!(found.len() as u64 >= acknowledged, "{place}: {} of {acknowledged} lines", found.len());
    let told = |line: &&Vec<u8>| {
        let kind = countersign::testing::ledger::Entry::read(line).expect("a line").kind();
        matches!(kind, Kind::LogRecovered | Kind::SignRecovered)
    };
    let written = found.len() - found.iter().filter(told).count();
    assert_eq!(found[..written], whole[..written], "{place}");
    for size in kept.iter().filter_map(|promise| promise.checkpoint) {
        let name = format!("{LOG}/checkpoints/{size}");
        let there = countersign::testing::host::Disk::kind(&*left, Path::new(&name)).expect("looked");
        assert!(there.is_some(), "{place}: checkpoint {size} is gone");
    }
    // A key that was used is known to have been used: by its result, or as a signature in doubt.
    for intent in kept.iter().filter_map(|promise| promise.signed) {
        let has_result = found[..written].iter().any(|line| {
            let entry = countersign::testing::ledger::Entry::read(line).expect("a line");
            matches!(entry.record(), Record::SignResult(result) if result.intent == intent)
        });
        let in_doubt = recovery.open_intents.iter().any(|open| open.seq == intent);
        assert!(has_result != in_doubt, "{place}: the signature of intent {intent} is hidden or doubled");
    }
    // And work goes on: another ceremony, and the next start finds nothing to repair.
    log.append(&stamp(), filled(Kind::Deviation, 0)).expect("appended");
    log.checkpoint().unwrap_or_else(|e| panic!("{place}: {e}"));
    let (again, recovery) = Log::open(left, Path::new(LOG), &stamp(), &mut |_| {}).expect("opens again");
    assert!(recovery.aside.is_empty(), "{place}");
    assert_eq!(again.head().checkpoint.size, again.size(), "{place}");
}

/// Every step of a ceremony, every kind of loss, and of the last write every `stride`th length.
fn every_crash(lines_before: u64, stride: usize) {
    let disk = Arc::new(CrashDisk::new(Path::new(ROOM)));
    let mut log = Log::create(disk.clone(), Path::new(LOG), &[3; 32], "crash.example/station").expect("made");
    for _ in 0..lines_before {
        log.append(&stamp(), filled(Kind::Deviation, 0)).expect("appended");
    }
    log.checkpoint().expect("written");
    let start = disk.copy();
    let first = disk.steps();
    let promises = ceremony(&disk, &mut log);
    let whole = lines(&log);
    let last = disk.steps();
    // The steps before the ceremony belong to the start.
    let promises: Vec<_> =
        promises.into_iter().map(|promise| Promise { from: promise.from - first, ..promise }).collect();
    let ceremony = disk.since(first);
    for steps in 0..=last - first {
        for loss in [Loss::Nothing, Loss::Everything, Loss::Bytes, Loss::Names, Loss::Zeroes] {
            check(ceremony.after_crash(&start, steps, loss), steps, loss, &promises, &whole);
        }
        let written = if steps == 0 { 0 } else { ceremony.written_by(steps - 1) };
        for length in (0..written).rev().step_by(stride) {
            // What was promised after this step was not promised yet.
            let before: Vec<_> = promises.iter().filter(|promise| promise.from < steps).cloned().collect();
            let loss = Loss::Torn(length);
            check(ceremony.after_crash(&start, steps, loss), steps, loss, &before, &whole);
        }
    }
}

#[test]
fn a_crash_at_any_step_loses_nothing_acknowledged_and_hides_no_signature() {
    every_crash(3, 1);
}

#[test]
fn the_same_holds_where_a_new_file_of_lines_begins() {
    every_crash(997, 97);
}

#[test]
fn a_crash_while_the_log_is_made_leaves_a_log_or_a_clear_stop() {
    let disk = Arc::new(CrashDisk::new(Path::new(ROOM)));
    let start = disk.copy();
    Log::create(disk.clone(), Path::new(LOG), &[3; 32], "crash.example/station").expect("made");
    for steps in 0..=disk.steps() {
        for loss in [Loss::Nothing, Loss::Everything, Loss::Bytes, Loss::Names, Loss::Zeroes] {
            let left = Arc::new(disk.after_crash(&start, steps, loss));
            match Log::open(left, Path::new(LOG), &stamp(), &mut |_| {}) {
                Ok((log, _)) => assert_eq!(log.size(), 0),
                Err(e) => {
                    assert!(steps < disk.steps(), "after the last step it opens: {e}");
                    assert!(e.to_string().contains("log"), "{e}");
                }
            }
        }
    }
}

#[test]
fn a_durable_entry_under_its_checkpoint_costs_three_fsyncs() {
    let disk = Arc::new(CrashDisk::new(Path::new(ROOM)));
    let mut log = Log::create(disk.clone(), Path::new(LOG), &[3; 32], "crash.example/station").expect("made");
    for _ in 0..3 {
        let before = disk.steps();
        log.append(&stamp(), filled(Kind::Deviation, 0)).expect("appended");
        log.checkpoint().expect("written");
        assert_eq!(disk.fsyncs_since(before), 3);
    }
}

#[test]
fn a_log_whose_disk_fails_takes_no_entry_and_says_so() {
    let disk = Arc::new(CrashDisk::new(Path::new(ROOM)));
    let mut log = Log::create(disk.clone(), Path::new(LOG), &[3; 32], "crash.example/station").expect("made");
    log.append(&stamp(), filled(Kind::Deviation, 0)).expect("appended");
    let path = Path::new("/room/log/events/000000.jsonl");
    let away = Path::new("/room/away");
    countersign::testing::host::Disk::rename(&*disk, path, away).expect("moved");
    let error = log.append(&stamp(), filled(Kind::Deviation, 0)).expect_err("nowhere to write");
    assert!(matches!(error, LogError::TwoWriters(_)), "{error}");
    let error = log.append(&stamp(), filled(Kind::Deviation, 0)).expect_err("closed");
    assert!(matches!(error, LogError::Closed(_)), "{error}");
    countersign::testing::host::Disk::rename(&*disk, away, path).expect("moved back");
    let (log, recovery) = Log::open(disk, Path::new(LOG), &stamp(), &mut |_| {}).expect("opens again");
    assert_eq!(recovery.aside.len(), 1, "what no checkpoint covers was never promised");
    assert_eq!(log.size(), 1);
}
