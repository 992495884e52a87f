//! The auditor's verification: a clean log raises no alarm, and no change to a log goes unnoticed.

use crate::support::crash_disk;
use crate::support::made_up_station;

use countersign::testing::audit::verdict::{Compare, verify};
use countersign::testing::audit::{AuditError, Options, Outcome, Pack, Verdict};
use countersign::testing::host::Disk;
use countersign::testing::tlog::FlawKind;
use crash_disk::CrashDisk;
use made_up_station::Station;
use std::path::Path;
use std::sync::Arc;

const ROOM: &str = "/room";
const LOG: &str = "/room/log";

fn station(seed: u64, approvals: usize, quorum: usize) -> (Arc<CrashDisk>, Station) {
    let disk = Arc::new(CrashDisk::new(Path::new(ROOM)));
    let station = Station::new(disk.clone(), Path::new(LOG), seed, approvals, quorum);
    (disk, station)
}

/// Verifies a log; what cannot even be opened as a pack is an error.
fn audit(disk: &dyn Disk, key: Option<&str>, against: Option<&[u8]>) -> Result<Verdict, AuditError> {
    let pack = Pack::open(disk, Path::new(LOG), key)?;
    let compare =
        Compare { against: against.map(<[u8]>::to_vec).into_iter().collect(), ..Compare::default() };
    verify(&pack, Options::default(), compare, &mut |_, _| Ok(()))
}

fn flaw(disk: &dyn Disk) -> (FlawKind, Option<u64>) {
    let verdict = audit(disk, None, None).expect("examined");
    assert_eq!(verdict.outcome, Outcome::Tampered);
    let flaw = verdict.first_flaw().expect("a flaw");
    (flaw.kind, flaw.seq)
}

#[test]
fn a_clean_log_is_whole_and_everything_in_it_was_looked_at() {
    let (disk, mut station) = station(1, 2, 2);
    station.ceremony();
    station.new_root();
    station.new_policy(1);
    station.ceremony();
    station.log.checkpoint().expect("a checkpoint");
    let key = station.log.key().to_string();
    let verdict = audit(&*disk, Some(&key), None).expect("examined");
    assert_eq!(verdict.examination.flaws, []);
    assert_eq!(verdict.outcome, Outcome::Whole);
    let found = &verdict.examination;
    assert_eq!((found.signatures, found.size, found.root), (2, station.log.size(), station.log.root()));
    assert_eq!(found.checkpoints, 4);
}

/// A log of exactly fifty entries, with its key: a station, odds and ends with checkpoints between, a ceremony at the
/// end, so that a change before it is found without verifying signatures that come after it.
fn fifty() -> (Arc<CrashDisk>, String) {
    let (disk, mut station) = station(5, 2, 2);
    while station.log.size() < 41 {
        station.filler();
        if station.log.size() % 16 == 0 {
            station.log.checkpoint().expect("a checkpoint");
        }
    }
    station.new_root();
    station.ceremony();
    station.log.checkpoint().expect("a checkpoint");
    assert_eq!(station.log.size(), 50);
    (disk, station.log.key().to_string())
}

const EVENTS: &str = "/room/log/events/000000.jsonl";

fn lines_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Is a changed log noticed? An error to open it, a tampered, forked or rolled-back verdict: each of them is.
fn is_noticed(disk: &CrashDisk, key: &str, against: Option<&[u8]>) -> bool {
    match audit(disk, Some(key), against) {
        Ok(verdict) => matches!(verdict.outcome, Outcome::Tampered | Outcome::Forked | Outcome::RolledBack),
        Err(_) => true,
    }
}

#[test]
fn a_flip_of_any_byte_of_any_line_is_found_and_the_line_is_named() {
    let (disk, key) = fifty();
    let whole = disk.read(Path::new(EVENTS), 1 << 20).expect("read");
    let mut line = 0u64;
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        // Another bit for each byte, so that digits become digits and letters letters in some of the cases.
        changed[at] ^= 1 << (at % 7);
        disk.put(Path::new(EVENTS), Some(&changed));
        let verdict = audit(&*disk, Some(&key), None).expect("examined");
        assert_eq!(verdict.outcome, Outcome::Tampered, "byte {at}");
        let named = verdict.first_flaw().and_then(|flaw| flaw.seq);
        assert_eq!(named, Some(line), "byte {at}: {:?}", verdict.first_flaw());
        line += u64::from(whole[at] == b'\n');
    }
}

#[test]
fn a_flip_of_any_byte_of_a_checkpoint_key_or_object_is_found() {
    let (disk, key) = fifty();
    let others = disk.all_files().into_iter().filter(|(path, _)| {
        // The station's private key never leaves it.
        path != Path::new(EVENTS) && path != Path::new("/room/log/key")
    });
    let mut count = 0;
    for (path, bytes) in others {
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            disk.put(&path, Some(&changed));
            assert!(is_noticed(&disk, &key, None), "{} byte {at}", path.display());
            count += 1;
        }
        disk.put(&path, None);
        let is_kept_checkpoint = path.starts_with("/room/log/checkpoints");
        // A kept checkpoint in the middle can be taken away: the later ones cover what it covered.
        assert!(is_noticed(&disk, &key, None) || is_kept_checkpoint, "{} removed", path.display());
        disk.put(&path, Some(&bytes));
    }
    assert!(count > 3_000, "{count}");
    assert_eq!(audit(&*disk, Some(&key), None).expect("examined").outcome, Outcome::Whole);
}

#[test]
fn dropped_swapped_doubled_inserted_and_cut_lines_are_found() {
    let (disk, key) = fifty();
    let whole = disk.read(Path::new(EVENTS), 1 << 20).expect("read");
    let lines = lines_of(&whole);
    let (other_disk, mut other) = station(99, 2, 2);
    other.grow(50);
    let foreign = lines_of(&other_disk.read(Path::new(EVENTS), 1 << 20).expect("read"));
    let check = |what: &str, at: usize, changed: Vec<Vec<u8>>, first_bad: Option<usize>| {
        disk.put(Path::new(EVENTS), Some(&changed.concat()));
        let verdict = audit(&*disk, Some(&key), None).expect("examined");
        assert_eq!(verdict.outcome, Outcome::Tampered, "{what} {at}");
        if let Some(bad) = first_bad {
            let named = verdict.first_flaw().and_then(|flaw| flaw.seq);
            assert_eq!(named, Some(bad as u64), "{what} {at}: {:?}", verdict.first_flaw());
        }
    };
    for at in 0..lines.len() {
        let mut dropped = lines.clone();
        dropped.remove(at);
        check("dropped", at, dropped, Some(at));
        for to in at + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(at, to);
            check("swapped", at, swapped, Some(at));
        }
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at].clone());
        check("doubled", at, doubled, Some(at + 1));
        check("cut", at, lines[..at].to_vec(), Some(at));
        let mut torn = lines[..=at].to_vec();
        torn[at].truncate(lines[at].len() / 2);
        check("torn", at, torn, Some(at));
        let mut spliced = lines.clone();
        spliced[at] = foreign[at].clone();
        check("spliced", at, spliced, Some(at));
        let mut inserted = lines.clone();
        inserted.insert(at, foreign[at].clone());
        check("inserted", at, inserted, Some(at));
    }
    let mut longer = lines.clone();
    longer.push(foreign[50.min(foreign.len() - 1)].clone());
    check("added at the end", 50, longer, Some(50));
}

/// A line with its number and `prev` made right for the place, as somebody would who knows the format.
fn renumbered(line: &[u8], seq: usize, prev: &[u8; 32]) -> Vec<u8> {
    let text = std::str::from_utf8(line).expect("ASCII");
    let rest = &text[text.find("\",\"time\"").expect("a time")..];
    format!("{{\"v\":1,\"seq\":{seq},\"prev\":\"{}{rest}", hex::encode(prev)).into_bytes()
}

#[test]
fn a_history_that_was_rewritten_with_right_numbers_and_hashes_is_found_by_its_checkpoints() {
    use countersign::testing::tlog::tree::leaf_hash;
    let (disk, key) = fifty();
    let whole = disk.read(Path::new(EVENTS), 1 << 20).expect("read");
    let lines = lines_of(&whole);
    for at in 7..lines.len() {
        // The line is taken out, and everything after it is made to fit.
        let mut forged: Vec<Vec<u8>> = lines[..at].to_vec();
        for line in &lines[at + 1..] {
            let prev = forged.last().map_or([0; 32], |line| leaf_hash(line.trim_ascii_end()));
            forged.push(renumbered(line, forged.len(), &prev));
        }
        disk.put(Path::new(EVENTS), Some(&forged.concat()));
        assert!(is_noticed(&disk, &key, None), "line {at}");
    }
}

#[test]
fn replaced_checkpoints_another_key_and_rolling_back_are_found() {
    use countersign::testing::tlog::checkpoint::Checkpoint;
    use countersign::testing::tlog::note::NoteSigner;
    let (disk, mut station) = station(4, 2, 2);
    station.grow(50);
    let key = station.log.key().to_string();
    let earlier = disk.all_files();
    let early_head = station.log.head().clone();
    station.ceremony();
    station.log.checkpoint().expect("a checkpoint");
    let head = station.log.head().clone();
    let later = disk.all_files();
    let put_all = |files: &[(std::path::PathBuf, Vec<u8>)]| {
        disk.all_files().iter().for_each(|(path, _)| disk.put(path, None));
        files.iter().for_each(|(path, bytes)| disk.put(path, Some(bytes)));
    };
    // Rolled back: the folder as it was, whole in itself, and older than the checkpoint that left the room.
    put_all(&earlier);
    assert_eq!(audit(&*disk, Some(&key), None).expect("examined").outcome, Outcome::Whole);
    let verdict = audit(&*disk, Some(&key), Some(head.note.as_bytes())).expect("examined");
    assert_eq!((verdict.outcome, verdict.outcome.exit_code()), (Outcome::RolledBack, 12));
    put_all(&later);
    let verdict = audit(&*disk, Some(&key), Some(early_head.note.as_bytes())).expect("examined");
    assert_eq!(verdict.outcome, Outcome::Whole);
    // Any kept checkpoint in the place of any other.
    let kept: Vec<_> = later.iter().filter(|(path, _)| path.starts_with("/room/log/checkpoints")).collect();
    for (path, bytes) in &kept {
        for (_, other) in kept.iter().filter(|(_, other)| other != bytes) {
            disk.put(path, Some(other));
            assert!(is_noticed(&disk, &key, None), "{}", path.display());
            disk.put(path, Some(bytes));
        }
    }
    // Signed again with another key, its public half in place.
    let forger = NoteSigner::new(made_up_station::ORIGIN, &[77; 32]).expect("a signer");
    for (path, bytes) in &later {
        let name = path.file_name().expect("a name").to_string_lossy();
        if path.starts_with("/room/log/checkpoints") || name == "checkpoint" {
            let note = countersign::testing::tlog::note::Note::parse(bytes).expect("a note");
            let checkpoint = Checkpoint::parse_text(note.text()).expect("a checkpoint");
            disk.put(path, Some(checkpoint.sign(&forger).as_bytes()));
        }
    }
    assert!(is_noticed(&disk, &key, None));
    disk.put(Path::new("/room/log/vkey"), Some(format!("{}\n", forger.public()).as_bytes()));
    assert!(audit(&*disk, Some(&key), None).is_err(), "the key given is another one");
    assert_eq!(flaw(&*disk), (FlawKind::Key, Some(0)));
}

#[test]
fn a_changed_tile_or_bundle_of_an_exported_pack_is_found() {
    use countersign::testing::ledger::export;
    let (disk, mut station) = station(6, 1, 1);
    while station.log.size() < 300 {
        station.filler();
    }
    station.log.checkpoint().expect("a checkpoint");
    let to = Path::new("/room/pack");
    export::prepare(&*disk, to).expect("a folder");
    let written = export::write(&*disk, &station.log, to).expect("exported");
    assert_eq!((written.entries, written.checkpoints), (300, 2));
    let ask = || {
        let pack = Pack::open(&*disk, to, None).expect("a pack");
        verify(&pack, Options::default(), Compare::default(), &mut |_, _| Ok(())).expect("examined")
    };
    assert_eq!(ask().outcome, Outcome::Whole);
    assert!(export::prepare(&*disk, to).is_err(), "a pack is never written over");
    let tiles: Vec<_> =
        disk.all_files().into_iter().filter(|(path, _)| path.starts_with("/room/pack/tile")).collect();
    assert_eq!(tiles.len(), 5);
    for (path, bytes) in tiles {
        let look = |changed: Option<&[u8]>, what: &str| {
            disk.put(&path, changed);
            let verdict = ask();
            let kind = verdict.first_flaw().map(|flaw| flaw.kind);
            assert_eq!(kind, Some(FlawKind::Tile), "{} {what}", path.display());
        };
        for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            look(Some(&changed), "flipped");
        }
        look(Some(&bytes[..bytes.len() - 1]), "shorter");
        look(Some(&[bytes.as_slice(), b"x"].concat()), "longer");
        look(None, "removed");
        disk.put(&path, Some(&bytes));
    }
    assert_eq!(ask().outcome, Outcome::Whole);
}

#[test]
fn ten_thousand_clean_logs_raise_no_alarm() {
    let logs = |from: u64, to: u64| {
        for seed in from..to {
            let (disk, mut station) = station(seed, 1 + (seed % 3) as usize, 1 + (seed / 3 % 3) as usize);
            let entries = 7 + station.dice.below(6);
            station.grow(entries);
            let verdict = audit(&*disk, None, None).expect("examined");
            assert_eq!((verdict.outcome, verdict.first_flaw()), (Outcome::Whole, None), "seed {seed}");
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| logs(0, 5_000));
        scope.spawn(|| logs(5_000, 10_000));
    });
}
