use super::*;
use crate::host::RealDisk;
use crate::host::clock::Time;
use crate::ledger::Record;
use crate::ledger::field::ApprovalAt;
use crate::ledger::record::{Deviation, SignInDoubt, SignIntent};
use crate::tlog::proof::Proof;
use tempfile::TempDir;

/// Nothing to tell?
fn is_clean(recovery: &Recovery) -> bool {
    recovery.aside.is_empty() && recovery.uncovered == 0 && recovery.open_intents.is_empty()
}

fn receipt(log: &Log, seq: u64) -> Result<Proof, LogError> {
    log.proofs()?.receipt(&*log.disk, &log.dir, &log.head, seq)
}

fn stamp() -> Stamp {
    Stamp { time: Time::from_unix(1_800_000_000), boot: "boot".to_owned(), uptime_ms: 1 }
}

fn new_log(entries: u64) -> (TempDir, Log) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log =
        Log::create(Arc::new(RealDisk), &folder.path().join("log"), &[5; 32], "test.example/station")
            .expect("made");
    for number in 0..entries {
        log.append(&stamp(), deviation(&number.to_string())).expect("appended");
    }
    (folder, log)
}

fn deviation(statement: &str) -> Event {
    Deviation { statement: statement.into() }.by("mara")
}

fn statement(entry: &Entry<'_>) -> String {
    let Record::Deviation(deviation) = entry.record() else { panic!("{entry:?}") };
    deviation.statement.to_string()
}

fn open(folder: &TempDir) -> Result<(Log, Recovery), LogError> {
    Log::open(Arc::new(RealDisk), &folder.path().join("log"), &stamp(), &mut |_| {})
}

fn refused(folder: &TempDir) -> Flaw {
    match open(folder) {
        Err(LogError::Tampered(flaw)) => flaw,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("opened"),
    }
}

#[test]
fn what_was_appended_is_there_after_opening_again() {
    let (folder, mut log) = new_log(2_005);
    let head = log.checkpoint().expect("written").clone();
    assert_eq!(head.checkpoint.size, 2_005);
    let (mut again, recovery) = open(&folder).expect("opened");
    assert!(is_clean(&recovery));
    assert_eq!((again.head(), again.size(), again.root()), (&head, 2_005, head.checkpoint.root));
    assert_eq!(again.append(&stamp(), deviation("next")).expect("appended").seq(), 2_005);
    let statements: Vec<_> = again.entries().map(|entry| statement(&entry.expect("read").entry())).collect();
    let wanted: Vec<_> = (0..2_005).map(|n| n.to_string()).chain(["next".to_owned()]).collect();
    assert_eq!(statements, wanted);
}

#[test]
fn what_another_one_wrote_to_the_log_is_not_written_after() {
    for (at, more) in [(3, "x\n"), (1_000, "")] {
        let (folder, mut log) = new_log(at);
        let last = folder.path().join("log").join(file_name(at.saturating_sub(1) / LINES_PER_FILE));
        let next = folder.path().join("log").join(file_name(at / LINES_PER_FILE));
        let mut lines = std::fs::read(&last).expect("read");
        lines.extend_from_slice(more.as_bytes());
        std::fs::write(&next, lines).expect("written");
        let refused = log.append(&stamp(), deviation("next")).expect_err("refused");
        assert!(matches!(refused, LogError::TwoWriters(_)), "{refused}");
        assert!(matches!(log.checkpoint(), Err(LogError::Closed(_))), "nor is it vouched for");
    }
}

#[test]
fn every_checkpoint_is_kept_and_the_newest_has_its_second_name() {
    let (folder, mut log) = new_log(0);
    for number in 0..5u64 {
        log.append(&stamp(), deviation("x")).expect("appended");
        if number % 2 == 0 {
            log.checkpoint().expect("written");
        }
    }
    log.checkpoint().expect("nothing new");
    let dir = folder.path().join("log");
    assert_eq!(checkpoint_sizes(&RealDisk, &dir).expect("listed"), [0, 1, 3, 5]);
    assert_eq!(std::fs::read(dir.join(HEAD)).expect("read"), log.head().note.as_bytes());
}

#[test]
fn the_key_files_are_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _log) = new_log(0);
    let mode = |name: &str| {
        let facts = std::fs::metadata(folder.path().join("log").join(name)).expect("there");
        facts.permissions().mode() & 0o777
    };
    assert_eq!((mode("key"), mode("")), (0o600, 0o700));
}

/// What stands after the newest checkpoint, in each file, as it was kept aside.
fn kept(folder: &TempDir, recovery: &Recovery) -> Vec<Vec<u8>> {
    let read = |aside: &Aside| std::fs::read(folder.path().join("log").join(&aside.saved)).expect("kept");
    recovery.aside.iter().map(read).collect()
}

#[test]
fn what_no_checkpoint_covers_is_kept_aside_and_told() {
    let (folder, mut log) = new_log(3);
    log.checkpoint().expect("written");
    log.append(&stamp(), deviation("not signed for")).expect("appended");
    log.sync().expect("synced");
    let path = folder.path().join("log/events/000000.jsonl");
    let mut bytes = std::fs::read(&path).expect("read");
    let covered = log.entries().take(3).map(|entry| entry.expect("read").entry().line().len() + 1).sum();
    for end in ["{\"v\":1,\"seq\":4,\"pr", "no line at all\n", ""] {
        bytes.extend_from_slice(end.as_bytes());
        std::fs::write(&path, &bytes).expect("written");
        let (looked, found) =
            Log::look(Arc::new(RealDisk), &folder.path().join("log"), &mut |_| {}).expect("opened");
        assert_eq!((looked.size(), found.uncovered), (3, (bytes.len() - covered) as u64));
        assert_eq!(std::fs::read(&path).expect("read"), bytes, "a look changes nothing");
    }
    let (log, recovery) = open(&folder).expect("opened");
    assert_eq!(kept(&folder, &recovery), [&bytes[covered..]]);
    let last = log.entries().last().expect("some").expect("read");
    assert_eq!((last.entry().seq(), last.entry().kind()), (3, Kind::LogRecovered));
    let Record::LogRecovered(recovered) = last.entry().record().clone() else { panic!("{last:?}") };
    assert_eq!(recovered.bytes, (bytes.len() - covered) as u64);
    assert_eq!(log.head().checkpoint.size, 4, "it is signed for");
    assert!(is_clean(&open(&folder).expect("opened").1));
}

#[test]
fn what_no_checkpoint_covers_is_kept_aside_in_every_file() {
    for covered in [998, 1_000, 1_999] {
        let (folder, mut log) = new_log(covered);
        log.checkpoint().expect("written");
        (covered..2_003).for_each(|_| drop(log.append(&stamp(), deviation("not signed for"))));
        log.sync().expect("synced");
        let lines = log.entries().skip(usize::try_from(covered).expect("small"));
        let appended: Vec<Vec<u8>> =
            lines.map(|entry| [entry.expect("read").entry().line(), b"\n"].concat()).collect();
        let (mut log, recovery) = open(&folder).expect("opened");
        let mut aside: Vec<_> = recovery.aside.iter().zip(kept(&folder, &recovery)).collect();
        aside.sort_by_key(|(aside, _)| &aside.file);
        let aside: Vec<u8> = aside.into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert!(aside == appended.concat(), "{covered}");
        let told = recovery.aside.len() as u64;
        assert_eq!(log.size(), covered + told, "{covered}");
        log.append(&stamp(), deviation("goes on")).expect("appended");
        log.checkpoint().expect("written");
        let (log, recovery) = open(&folder).expect("opened");
        assert!(is_clean(&recovery));
        assert_eq!(log.entries().filter(Result::is_ok).count() as u64, covered + told + 1);
    }
}

#[test]
fn what_was_kept_aside_and_not_told_of_is_told_at_the_next_start() {
    let (folder, mut log) = new_log(3);
    log.checkpoint().expect("written");
    drop(log);
    // As a crash leaves it that came between cutting off and telling.
    let saved = format!("torn/3-{}", "0123456789abcdef");
    std::fs::write(folder.path().join("log").join(&saved), b"cut off").expect("written");
    let (_, recovery) = open(&folder).expect("opened");
    assert_eq!(recovery.aside, [Aside { file: "events/000000.jsonl".to_owned(), bytes: 7, saved }]);
    assert!(is_clean(&open(&folder).expect("opened").1));
}

#[test]
fn fewer_lines_than_the_checkpoint_says_is_a_hard_stop() {
    let (folder, mut log) = new_log(3);
    log.checkpoint().expect("written");
    let path = folder.path().join("log/events/000000.jsonl");
    let text = std::fs::read_to_string(&path).expect("read");
    let two: String = text.split_inclusive('\n').take(2).collect();
    std::fs::write(&path, &two).expect("written");
    assert_eq!((refused(&folder).kind, refused(&folder).seq), (FlawKind::Missing, Some(2)));
    std::fs::write(&path, &text[..text.len() - 4]).expect("written");
    assert_eq!((refused(&folder).kind, refused(&folder).seq), (FlawKind::Torn, Some(2)));
}

#[test]
fn a_changed_line_is_a_hard_stop_that_names_it() {
    let (folder, mut log) = new_log(5);
    log.checkpoint().expect("written");
    let path = folder.path().join("log/events/000000.jsonl");
    let text = std::fs::read_to_string(&path).expect("read");
    for number in 0..5 {
        let from = format!("\"statement\":\"{number}\"");
        std::fs::write(&path, text.replace(&from, "\"statement\":\"!\"")).expect("written");
        assert_eq!(refused(&folder).seq, Some(number));
    }
}

#[test]
fn a_checkpoint_that_was_removed_or_replaced_is_a_hard_stop() {
    let (folder, mut log) = new_log(2);
    log.checkpoint().expect("written");
    log.append(&stamp(), deviation("more")).expect("appended");
    log.checkpoint().expect("written");
    let dir = folder.path().join("log");
    let newest = std::fs::read(dir.join("checkpoints/3")).expect("read");
    std::fs::remove_file(dir.join("checkpoints/3")).expect("removed");
    assert_eq!(refused(&folder).kind, FlawKind::CheckpointMissing);
    let other = NoteSigner::new("test.example/station", &[6; 32]).expect("a signer");
    let forged = log.head().checkpoint.sign(&other);
    std::fs::write(dir.join("checkpoints/3"), forged).expect("written");
    assert_eq!(refused(&folder).kind, FlawKind::CheckpointSignature);
    std::fs::write(dir.join("checkpoints/3"), &newest).expect("written");
    open(&folder).expect("whole again");
    std::fs::write(dir.join("checkpoints/4"), &newest).expect("written");
    assert_eq!(refused(&folder).kind, FlawKind::CheckpointForm);
}

fn intent() -> Event {
    let intent = SignIntent {
        request: "the request".into(),
        review: "the review".into(),
        signed: "the bytes".into(),
        factory: "acme".into(),
        wave: "v2".into(),
        tag: "production".into(),
        version: 42,
        kind: "wave".into(),
        keyid: "the keyid".into(),
        root_version: 3,
        policy: "the policy".into(),
        officers: vec!["mara".into()],
        approvals: vec![ApprovalAt { officer: "mara".into(), seq: 0 }],
        findings: Vec::new(),
        preflight: Vec::new(),
        tool: "the program".into(),
        binary: "its digest".into(),
    };
    intent.by("mara")
}

#[test]
fn an_intent_without_a_result_is_told_until_it_is_resolved() {
    let (folder, mut log) = new_log(1);
    let seq = log.append(&stamp(), intent()).expect("appended").seq();
    log.checkpoint().expect("written");
    drop(log);
    let (mut log, recovery) = open(&folder).expect("opened");
    let told = &recovery.open_intents[0];
    assert_eq!((told.seq, told.keyid.as_str(), told.recorded), (seq, "the keyid", false));
    let in_doubt = |resolution: &str| {
        SignInDoubt {
            intent: seq,
            request: "r".into(),
            keyid: "k".into(),
            signed: "s".into(),
            resolution: resolution.into(),
        }
        .by("mara")
    };
    log.append(&stamp(), in_doubt("")).expect("appended");
    log.checkpoint().expect("written");
    assert!(open(&folder).expect("opened").1.open_intents[0].recorded);
    log.append(&stamp(), in_doubt("nothing left the room")).expect("appended");
    assert_eq!(log.open_intents().count(), 0);
    log.checkpoint().expect("written");
    assert!(is_clean(&open(&folder).expect("opened").1));
}

#[test]
fn an_intent_that_no_checkpoint_covers_is_in_doubt() {
    let (folder, mut log) = new_log(1);
    log.checkpoint().expect("written");
    log.append(&stamp(), intent()).expect("appended");
    log.append(&stamp(), intent()).expect("appended");
    log.sync().expect("synced");
    let (log, recovery) = open(&folder).expect("opened");
    let kinds: Vec<_> = log.entries().map(|entry| entry.expect("read").entry().kind()).collect();
    assert_eq!(kinds, [Kind::Deviation, Kind::LogRecovered, Kind::SignRecovered], "said once");
    let [open_intent] = recovery.open_intents.as_slice() else { panic!("one: {recovery:?}") };
    assert_eq!((open_intent.seq, open_intent.keyid.as_str()), (2, "the keyid"));
    assert!(open_intent.recorded);
}

#[test]
fn a_receipt_of_every_entry_holds_for_the_public_key() {
    let (_folder, mut log) = new_log(37);
    log.checkpoint().expect("written");
    log.append(&stamp(), deviation("after")).expect("appended");
    for entry in log.entries().take(37) {
        let entry = entry.expect("read");
        let proof = receipt(&log, entry.entry().seq()).expect("proven");
        let again = Proof::parse(proof.text().as_bytes()).expect("read back");
        again.verify(entry.entry().line(), log.key()).expect("holds");
    }
    assert!(matches!(receipt(&log, 37), Err(LogError::NoEntry(37, 37))));
}

#[test]
fn objects_are_stored_once_and_checked_when_read() {
    let (folder, log) = new_log(0);
    let digest = log.put_object(b"a review").expect("stored");
    assert_eq!(log.put_object(b"a review").expect("stored"), digest);
    assert_eq!(&log.get_object(&digest).expect("read")[..], b"a review");
    std::fs::write(folder.path().join("log/objects/sha256").join(&digest), b"a reviev").expect("written");
    for outcome in [log.get_object(&digest).map(drop), log.put_object(b"a review").map(drop)] {
        assert!(matches!(outcome, Err(LogError::Tampered(flaw)) if flaw.kind == FlawKind::Object));
    }
    assert!(log.get_object("../../key").is_err());
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_log_goes_on() {
    let (_folder, mut log) = new_log(1);
    let error = log.append(&stamp(), deviation(&"x".repeat(65_535))).expect_err("too long");
    assert!(matches!(error, LogError::TooLong(_)), "{error}");
    assert_eq!(log.append(&stamp(), deviation("short")).expect("appended").seq(), 1);
}

#[test]
fn tiles_hold_every_line_and_every_hash() {
    let (folder, mut log) = new_log(600);
    log.checkpoint().expect("written");
    let to = folder.path().join("pack");
    std::fs::create_dir(&to).expect("made");
    crate::ledger::tiles::export(&RealDisk, log.dir(), 600, &to).map_err(|_| ()).expect("exported");
    let read = |name: &str| std::fs::read(to.join(name)).expect("there");
    let leaves: Vec<u8> =
        log.entries().flat_map(|entry| tree::leaf_hash(entry.expect("read").entry().line())).collect();
    assert_eq!([read("tile/0/000"), read("tile/0/001"), read("tile/0/002.p/88")].concat(), leaves);
    let hashes: Vec<Hash> = leaves.as_chunks::<32>().0.to_vec();
    let above = [tree::Tree::of(&hashes[..256]).root(), tree::Tree::of(&hashes[256..512]).root()];
    assert_eq!(read("tile/1/000.p/2"), above.as_flattened());
    let bundle = read("tile/entries/002.p/88");
    let first = usize::from(u16::from_be_bytes([bundle[0], bundle[1]]));
    assert_eq!(tree::leaf_hash(&bundle[2..2 + first]), hashes[512]);
}
