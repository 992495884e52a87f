//! A log can be whole, every hash and checkpoint right, and still tell of an act that was not allowed: whoever holds the
//! log's key can write that. The auditor judges each entry by what was in force, and names the one that was wrong.

use crate::support::crash_disk;
use crate::support::made_up_station;
use countersign::testing::ledger::Record;
use countersign::testing::ledger::record::{
    Decided, Deviation, LogExported, LogVerified, OfficerAdded, OfficerRetired, PolicyChanged, SealedKey,
    SessionClosed, SessionOpened, SignInDoubt, WitnessAdded, WitnessCosigned,
};

use countersign::testing::audit::state::State;
use countersign::testing::audit::verdict::{Compare, verify};
use countersign::testing::audit::{Options, Outcome, Pack, RemarkKind, Verdict};
use countersign::testing::host::Disk;
use countersign::testing::host::clock::Time;
use countersign::testing::ledger::{Decision, Event, Kind};
use countersign::testing::tlog::FlawKind;
use countersign::testing::tlog::note::NoteSigner;
use crash_disk::CrashDisk;
use made_up_station::{Act, Station, Twist, sha256};
use std::path::Path;
use std::sync::Arc;

const LOG: &str = "/room/log";

fn station(approvals: usize, quorum: usize) -> (Arc<CrashDisk>, Station) {
    let disk = Arc::new(CrashDisk::new(Path::new("/room")));
    let station = Station::new(disk.clone(), Path::new(LOG), 11, approvals, quorum);
    (disk, station)
}

fn audit(disk: &dyn Disk) -> Verdict {
    let pack = Pack::open(disk, Path::new(LOG), None).expect("a pack");
    verify(&pack, Options::default(), Compare::default(), &mut |_, _| Ok(())).expect("examined")
}

/// What is found after a ceremony with this twist, between two honest ones: the kind, and how far before the last entry
/// of the ceremony the bad one stands.
fn found(twist: Twist) -> (FlawKind, Kind) {
    let (disk, mut station) = station(2, 2);
    station.ceremony();
    let from = station.log.size();
    station.twisted(&twist);
    let to = station.log.size();
    station.ceremony();
    station.log.checkpoint().expect("a checkpoint");
    let verdict = audit(&*disk);
    assert_eq!(verdict.outcome, Outcome::Tampered);
    let flaw = verdict.first_flaw().expect("a flaw").clone();
    let seq = flaw.seq.expect("an entry");
    assert!((from..to).contains(&seq), "{flaw}");
    let entry = station.log.entries().nth(seq as usize).expect("there").expect("read");
    (flaw.kind, entry.entry().kind())
}

#[test]
fn a_signature_on_too_few_approvals_is_found() {
    let twist = Twist { approvers: Some(1), ..Twist::default() };
    assert_eq!(found(twist), (FlawKind::Quorum, Kind::SignIntent));
}

#[test]
fn a_key_opened_by_fewer_than_its_quorum_is_found() {
    let twist = Twist { openers: Some(1), ..Twist::default() };
    assert_eq!(found(twist), (FlawKind::Quorum, Kind::SignIntent));
}

#[test]
fn approvals_that_do_not_hold_are_found() {
    let cases = [
        (Twist { strange_approval_key: true, ..Twist::default() }, FlawKind::Approval, Kind::ApprovalGranted),
        (Twist { changed_approval: true, ..Twist::default() }, FlawKind::Approval, Kind::ApprovalGranted),
        (Twist { no_review: true, ..Twist::default() }, FlawKind::Approval, Kind::ApprovalGranted),
        (Twist { approval_of_another: true, ..Twist::default() }, FlawKind::Approval, Kind::ApprovalGranted),
        (Twist { expired: true, ..Twist::default() }, FlawKind::Approval, Kind::SignIntent),
        (Twist { wrong_approval_seq: true, ..Twist::default() }, FlawKind::Approval, Kind::SignIntent),
    ];
    for (at, (twist, flaw, kind)) in cases.into_iter().enumerate() {
        assert_eq!(found(twist), (flaw, kind), "case {at}");
    }
}

/// What is said after a ceremony of two approvals with this twist, and at which kind of entry; nothing of a whole log.
fn said(twist: Twist) -> Option<(Kind, String)> {
    let (disk, mut station) = station(2, 1);
    station.twisted(&twist);
    station.log.checkpoint().expect("a checkpoint");
    let flaw = audit(&*disk).first_flaw()?.clone();
    assert_eq!(flaw.kind, FlawKind::Approval, "{flaw}");
    let entry =
        station.log.entries().nth(flaw.seq.expect("an entry") as usize).expect("there").expect("read");
    Some((entry.entry().kind(), flaw.detail))
}

#[test]
fn an_approval_that_was_withdrawn_counts_for_nothing_in_the_audit() {
    // Entries 7 to 9 are the request, its evidence and its review; 10 is mara's approval, 11 noor's.
    let withdrawn =
        "the approval in entry 11 was withdrawn: the same officer rejected the request in entry 12";
    let acts: &[Act] = &[Act::Rejects(1)];
    let found = said(Twist { before_intent: acts, ..Twist::default() });
    assert_eq!(found, Some((Kind::SignIntent, withdrawn.to_owned())));
    let after_intent = withdrawn.replace("entry 12", "entry 13");
    let found = said(Twist { before_result: acts, ..Twist::default() });
    assert_eq!(found, Some((Kind::SignResult, after_intent)));
    let replaced = "the approval in entry 11 was replaced by the same officer's approval in entry 12";
    let found = said(Twist { before_intent: &[Act::Approves(1)], ..Twist::default() });
    assert_eq!(found, Some((Kind::SignIntent, replaced.to_owned())));
}

#[test]
fn a_refusal_that_stands_forbids_a_signature_whoever_else_approved() {
    let rejected = "odile rejected the request in entry 12, and that stood when it was signed";
    let found = said(Twist { before_intent: &[Act::Rejects(2)], ..Twist::default() });
    assert_eq!(found, Some((Kind::SignIntent, rejected.to_owned())));
    // That she was retired since takes nothing back: it is so on the station, too.
    let acts: &[Act] = &[Act::Rejects(2), Act::Retires(2)];
    let found = said(Twist { before_intent: acts, ..Twist::default() });
    assert_eq!(found, Some((Kind::SignIntent, rejected.to_owned())));
    let found = said(Twist { before_result: &[Act::Rejects(2)], ..Twist::default() });
    assert_eq!(found, Some((Kind::SignResult, rejected.replace("entry 12", "entry 13"))));
}

#[test]
fn an_approval_of_an_officer_who_was_retired_since_counts_for_nothing_in_the_audit() {
    let retired = "the approval in entry 11 is void: she was retired in entry 12";
    let acts: &[Act] = &[Act::Retires(1)];
    let found = said(Twist { before_intent: acts, ..Twist::default() });
    assert_eq!(found, Some((Kind::SignIntent, retired.to_owned())));
    let found = said(Twist { before_result: acts, ..Twist::default() });
    assert_eq!(found, Some((Kind::SignResult, retired.replace("entry 12", "entry 13"))));
}

#[test]
fn an_officer_who_decides_otherwise_in_the_end_is_believed() {
    let twist = |before_intent| Twist { before_intent, newest_approvals: true, ..Twist::default() };
    assert_eq!(said(twist(&[Act::Rejects(1), Act::Approves(1)])), None);
    assert_eq!(said(twist(&[Act::Rejects(2), Act::Approves(2)])), None);
    assert_eq!(said(twist(&[Act::Retires(2)])), None);
}

#[test]
fn signatures_that_do_not_hold_are_found() {
    let cases = [
        (Twist { strange_key: true, ..Twist::default() }, FlawKind::Signature, Kind::SignResult),
        (Twist { other_bytes: true, ..Twist::default() }, FlawKind::Signature, Kind::SignResult),
        (Twist { no_object: true, ..Twist::default() }, FlawKind::Object, Kind::SignIntent),
    ];
    for (at, (twist, flaw, kind)) in cases.into_iter().enumerate() {
        assert_eq!(found(twist), (flaw, kind), "case {at}");
    }
}

#[test]
fn entries_that_lie_about_what_the_pack_holds_are_found() {
    use FlawKind::{Contradiction, Quorum};
    let cases = [
        (Twist { other_manifest: true, ..Twist::default() }, Contradiction, Kind::RequestImported),
        (Twist { other_document: true, ..Twist::default() }, Contradiction, Kind::SignResult),
        (Twist { no_findings: true, ..Twist::default() }, Contradiction, Kind::SignIntent),
        (Twist { stranger_opens: true, ..Twist::default() }, Quorum, Kind::SignIntent),
        (Twist { boast: true, ..Twist::default() }, Contradiction, Kind::SignResult),
    ];
    for (at, (twist, flaw, kind)) in cases.into_iter().enumerate() {
        assert_eq!(found(twist), (flaw, kind), "case {at}");
    }
}

#[test]
fn entries_that_contradict_what_was_in_force_are_found() {
    let cases = [
        (Twist { no_import: true, ..Twist::default() }, Kind::SignIntent),
        (Twist { no_import: true, strange_evidence: true, ..Twist::default() }, Kind::EvidenceVerified),
        (Twist { strange_evidence: true, ..Twist::default() }, Kind::EvidenceVerified),
        (Twist { evidence_of_other_root: true, ..Twist::default() }, Kind::EvidenceVerified),
        (Twist { wrong_root: true, ..Twist::default() }, Kind::SignIntent),
        (Twist { wrong_policy: true, ..Twist::default() }, Kind::SignIntent),
        (Twist { no_intent: true, ..Twist::default() }, Kind::SignResult),
        (Twist { result_twice: true, ..Twist::default() }, Kind::SignResult),
        (Twist { other_wave: true, ..Twist::default() }, Kind::SignResult),
    ];
    for (at, (twist, kind)) in cases.into_iter().enumerate() {
        assert_eq!(found(twist), (FlawKind::Contradiction, kind), "case {at}");
    }
}

#[test]
fn what_no_station_could_have_done_is_found_at_its_entry() {
    let contradiction = FlawKind::Contradiction;
    let cases = [
        (Twist { not_signable: true, ..Twist::default() }, contradiction, Kind::SignIntent),
        (Twist { blocking: true, ..Twist::default() }, contradiction, Kind::SignIntent),
        (Twist { failed_preflight: true, ..Twist::default() }, contradiction, Kind::SignIntent),
        (Twist { review_of_another: true, ..Twist::default() }, FlawKind::Approval, Kind::ApprovalGranted),
        (Twist { long_approval: true, ..Twist::default() }, FlawKind::Approval, Kind::ApprovalGranted),
        (Twist { other_kind: true, ..Twist::default() }, contradiction, Kind::SignResult),
        (Twist { other_program: true, ..Twist::default() }, contradiction, Kind::SignResult),
        (Twist { other_bundle: true, ..Twist::default() }, contradiction, Kind::BundleExported),
    ];
    for (at, (twist, flaw, kind)) in cases.into_iter().enumerate() {
        assert_eq!(found(twist), (flaw, kind), "case {at}");
    }
}

/// The record of an act on a key.
type OfKey = fn(SealedKey<'static>) -> Record<'static>;

fn sealed_key(keyid: &str, quorum: u64, officers: &[&str], set: &str, detail: &str) -> SealedKey<'static> {
    SealedKey {
        keyid: keyid.to_owned().into(),
        keytype: "ED25519".into(),
        quorum,
        officers: officers.iter().map(|name| name.to_string().into()).collect(),
        set: set.to_owned().into(),
        detail: detail.to_owned().into(),
    }
}

fn opened(command: &str) -> SessionOpened<'_> {
    SessionOpened { command: command.into(), tool: "countersign".into(), binary: "".into() }
}

#[test]
fn an_act_that_no_station_could_have_written_is_found() {
    let key = |record: OfKey, keyid: &str, quorum: u64, officers: &[&str]| {
        record(sealed_key(keyid, quorum, officers, "", "")).by("mara")
    };
    let exported = |size: u64, root: String| {
        LogExported { size, root: root.into(), folder: "/media/stick".into() }.by("mara")
    };
    let verified = |size: u64, root: String| LogVerified { size, root: root.into() }.by("mara");
    let policy = |station: &Station, from: &str, to: &str| {
        let text = made_up_station::policy_text(1).replace(from, to);
        let to = station.put(text.as_bytes());
        PolicyChanged { from: (&station.policy).into(), to: to.into() }.by("mara")
    };
    type Forge<'f> = &'f dyn Fn(&mut Station) -> Event;
    let found = |name: &str, forge: Forge<'_>| {
        let (disk, mut station) = station(1, 1);
        let event = forge(&mut station);
        let seq = station.append(event);
        station.log.checkpoint().expect("a checkpoint");
        let verdict = audit(&*disk);
        let flaw = verdict.first_flaw().unwrap_or_else(|| panic!("{name}: found whole"));
        assert_eq!(flaw.seq, Some(seq), "{name}: {flaw}");
        flaw.kind
    };
    let other = "5f".repeat(32);
    let holds = |name: &str, kind: FlawKind, forge: Forge<'_>| assert_eq!(found(name, forge), kind, "{name}");
    let (quorum, contradiction) = (FlawKind::Quorum, FlawKind::Contradiction);
    holds("no approvals", FlawKind::Object, &|station| policy(station, "count = 1", "count = 0"));
    holds("an unknown member", FlawKind::Object, &|station| policy(station, "hours", "hour"));
    holds("quorum 0", quorum, &|_| key(Record::KeyImported, &other, 0, &["mara", "noor"]));
    holds("a quorum above the officers", quorum, &|_| key(Record::KeyGenerated, &other, 3, &["mara"]));
    holds("an officer twice", quorum, &|_| key(Record::KeyImported, &other, 2, &["mara", "mara"]));
    holds("a backup of no key", contradiction, &|_| key(Record::KeyBackedUp, &other, 1, &["mara"]));
    holds("a drill of no key", contradiction, &|_| key(Record::KeyDrilled, &other, 1, &["mara"]));
    holds("a root that the tree never had", contradiction, &|station| {
        exported(station.log.size(), "ab".repeat(32))
    });
    holds("a size that the tree did not have", contradiction, &|station| {
        let root = hex::encode(station.log.root());
        verified(station.log.size() + 1, root)
    });
    // Noor's own refusal, in an entry that says that mara acted.
    holds("another's decision", FlawKind::Approval, &|station| {
        let signed = station.decided(1, Decision::Denied);
        let approval = &signed.approval;
        let denied = Decided {
            request: (&approval.request).into(),
            review: (&approval.review).into(),
            policy: (&approval.policy).into(),
            officer: (&approval.officer).into(),
            key: (&approval.key).into(),
            nonce: (&approval.nonce).into(),
            expires: (&approval.expires).into(),
            reason: (&approval.reason).into(),
            sig: (&signed.sig).into(),
        };
        Record::ApprovalDenied(denied).by("mara")
    });
    // What a station does write is whole.
    let (disk, mut station) = station(1, 1);
    let (size, root) = (station.log.size(), hex::encode(station.log.root()));
    station.append(opened("log export").by("mara"));
    station.append(exported(size, root));
    let (size, root) = (station.log.size(), hex::encode(station.log.root()));
    station.append(verified(size, root));
    let keyid = station.keyid.clone();
    station.append(key(Record::KeyBackedUp, &keyid, 1, &["mara", "noor", "odile"]));
    station.log.checkpoint().expect("a checkpoint");
    assert_eq!(audit(&*disk).outcome, Outcome::Whole);
}

#[test]
fn a_policy_that_was_not_there_and_a_root_out_of_the_chain_are_found() {
    let (disk, mut station) = station(1, 1);
    let event = PolicyChanged { from: sha256(b"another").into(), to: (&station.policy).into() }.by("mara");
    let seq = station.append(event);
    station.log.checkpoint().expect("a checkpoint");
    let flaw = audit(&*disk).first_flaw().expect("a flaw").clone();
    assert_eq!((flaw.kind, flaw.seq), (FlawKind::Contradiction, Some(seq)));

    let (disk, mut station) = self::station(1, 1);
    // A new root that the old root's key did not sign.
    station.root_key = ed25519_dalek::SigningKey::from_bytes(&[15; 32]);
    station.new_root();
    station.log.checkpoint().expect("a checkpoint");
    let flaw = audit(&*disk).first_flaw().expect("a flaw").clone();
    assert_eq!((flaw.kind, flaw.seq), (FlawKind::Contradiction, Some(7)));
}

#[test]
fn a_decision_that_stands_twice_or_comes_from_a_retired_officer_is_found() {
    let (disk, mut station) = station(1, 1);
    station.ceremony();
    let first = station
        .log
        .entries()
        .map(|entry| entry.expect("read"))
        .find(|entry| entry.entry().kind() == Kind::ApprovalGranted)
        .expect("an approval");
    let again = countersign::testing::ledger::SignedApproval::from_entry(&first.entry())
        .expect("an approval")
        .event();
    let seq = station.append(again);
    station.log.checkpoint().expect("a checkpoint");
    let flaw = audit(&*disk).first_flaw().expect("a flaw").clone();
    assert_eq!((flaw.kind, flaw.seq), (FlawKind::Approval, Some(seq)));

    let (disk, mut station) = self::station(1, 1);
    let event = OfficerRetired { officer: "mara".into(), reason: "left".into() }.by("noor");
    station.append(event);
    station.ceremony();
    station.log.checkpoint().expect("a checkpoint");
    assert_eq!(audit(&*disk).first_flaw().expect("a flaw").kind, FlawKind::Approval);
}

#[test]
fn a_name_that_is_used_twice_is_found_and_an_adding_that_a_crash_cut_short_is_not() {
    let added = |name: &str, key: &str| {
        let (officer, recipient, key) = (name.into(), "age1".into(), key.into());
        OfficerAdded { officer, recipient, key, roles: Vec::new() }.by("user:0")
    };
    let retired = |name: &str, reason: &str| {
        OfficerRetired { officer: name.into(), reason: reason.into() }.by("user:0")
    };
    let opened = || opened("officer add").by("user:0");
    let closed = |exit| SessionClosed { command: "".into(), exit }.by("user:0");
    let cut_short = countersign::testing::ledger::custody::NEVER_FINISHED;
    let judged = |events: Vec<Event>| {
        let (disk, mut station) = self::station(1, 1);
        let last = events.into_iter().map(|event| station.append(event)).last();
        station.log.checkpoint().expect("a checkpoint");
        audit(&*disk).first_flaw().map(|flaw| (flaw.kind, flaw.seq == last))
    };
    let found = Some((FlawKind::Contradiction, true));
    // Mara holds the key: she was there, whatever her retirement says.
    let before = Some((FlawKind::Contradiction, false));
    assert_eq!(judged(vec![retired("mara", cut_short), added("mara", "1")]), before);
    assert_eq!(judged(vec![retired("mara", "left"), added("mara", "1")]), found);
    let ended = vec![opened(), added("zoe", "1"), closed(0), retired("zoe", cut_short), added("zoe", "2")];
    assert_eq!(judged(ended), before);
    let left = vec![opened(), added("zoe", "1"), retired("zoe", "left"), added("zoe", "2")];
    assert_eq!(judged(left), found);
    for end in [None, Some(closed(1))] {
        let mut crash = vec![opened(), added("zoe", "1")];
        crash.extend(end);
        crash.extend([opened(), retired("zoe", cut_short), added("zoe", "2"), closed(0)]);
        assert_eq!(judged(crash), None);
    }
}

#[test]
fn a_key_that_was_sealed_anew_from_an_old_sealing_or_restored_to_one_is_found() {
    let sealed = |record: OfKey, quorum: u64, officers: &[&str], set: &str, detail: &str| {
        record(sealed_key("5f", quorum, officers, set, detail)).by("user:0")
    };
    let opened = || opened("key reseal").by("user:0");
    let closed = |exit| SessionClosed { command: "".into(), exit }.by("user:0");
    let judged = |events: Vec<Event>| {
        let (disk, mut station) = self::station(1, 2);
        let last = events.into_iter().map(|event| station.append(event)).last();
        station.log.checkpoint().expect("a checkpoint");
        audit(&*disk).first_flaw().map(|flaw| (flaw.kind, flaw.seq == last))
    };
    let both: &[&str] = &["mara", "noor"];
    // Mara alone, then both together.
    let start = |end: Option<u64>| {
        let mut events =
            vec![opened(), sealed(Record::KeyImported, 1, &["mara"], "", "keys.tgz"), closed(0), opened()];
        events.push(sealed(Record::KeySealed, 2, both, "01", "sealed anew by mara; before: 1 of mara"));
        events.extend(end.map(closed));
        events.push(opened());
        events
    };
    let then = |end, event| {
        let mut events = start(end);
        events.push(event);
        judged(events)
    };
    let alone = || sealed(Record::KeySealed, 1, &["mara"], "", "sealed anew by mara; before: 1 of mara");
    let old_paper = || sealed(Record::KeyRestored, 1, &["mara"], "", "scans in paper");
    assert_eq!(then(Some(0), alone()), Some((FlawKind::Quorum, true)));
    assert_eq!(then(Some(0), old_paper()), Some((FlawKind::Contradiction, true)));
    // A crash, after which nobody knows which of the two is in force.
    for end in [None, Some(1)] {
        assert_eq!(then(end, alone()), None);
        assert_eq!(then(end, old_paper()), None);
        // A drill with both shows that it is the new one.
        let mut events = start(end);
        events.push(sealed(Record::KeyDrilled, 2, both, "01", "opens"));
        events.push(alone());
        assert_eq!(judged(events), Some((FlawKind::Quorum, true)));
    }
    assert_eq!(then(Some(0), sealed(Record::KeyRestored, 2, both, "01", "scans in paper")), None);
    assert_eq!(
        then(Some(0), sealed(Record::KeyRestored, 2, both, "02", "scans in paper")),
        Some((FlawKind::Contradiction, true)),
        "another set of shares"
    );
    for (detail, flaw) in [
        ("sealed anew by mara, noor; before: 2 of mara, noor", None),
        ("sealed anew by mara; before: 2 of mara, noor", Some(FlawKind::Quorum)),
        ("sealed anew by mara, mara; before: 2 of mara, noor", Some(FlawKind::Quorum)),
        ("sealed anew by mara, olga; before: 2 of mara, noor", Some(FlawKind::Quorum)),
        ("sealed anew by mara, noor; before: 1 of mara, noor", Some(FlawKind::Quorum)),
        ("sealed anew", Some(FlawKind::Contradiction)),
    ] {
        let found = then(Some(0), sealed(Record::KeySealed, 1, &["mara"], "", detail));
        assert_eq!(found.map(|(kind, _)| kind), flaw, "{detail}");
    }
}

#[test]
fn an_intent_without_a_result_is_in_doubt_until_an_officer_settles_it() {
    let (disk, mut station) = station(1, 1);
    let intent = station.twisted(&Twist { no_result: true, ..Twist::default() });
    let verdict = audit(&*disk);
    assert_eq!((verdict.outcome, verdict.outcome.exit_code()), (Outcome::InDoubt, 14));
    let in_doubt = |resolution: &str| {
        SignInDoubt {
            intent,
            request: "".into(),
            keyid: "".into(),
            signed: "".into(),
            resolution: resolution.into(),
        }
        .by("mara")
    };
    station.append(in_doubt(""));
    station.log.checkpoint().expect("a checkpoint");
    assert_eq!(audit(&*disk).outcome, Outcome::InDoubt);
    station.append(in_doubt("not made"));
    station.log.checkpoint().expect("a checkpoint");
    let verdict = audit(&*disk);
    assert_eq!(verdict.outcome, Outcome::Whole);
    assert_eq!(verdict.examination.remarks.get(&RemarkKind::InDoubt), Some(&2));
}

#[test]
fn a_window_for_witnesses_that_has_passed_is_told() {
    let (disk, mut station) = station(1, 1);
    let policy = made_up_station::policy_text(1).replace("window_days = 0", "window_days = 7");
    let to = station.put(policy.as_bytes());
    let event = PolicyChanged { from: (&station.policy).into(), to: (&to).into() }.by("mara");
    station.append(event);
    let witness = NoteSigner::witness("witness.example", &[5; 32]).expect("a name");
    let event = WitnessAdded { witness: "witness.example".into(), key: witness.public().to_string().into() }
        .by("mara");
    station.append(event);
    let head = station.log.checkpoint().expect("a checkpoint").clone();
    let line = witness.cosign(&head.checkpoint.text(), station.time().unix() as u64).expect("a witness");
    let note = station.put(format!("{}{line}", head.note).as_bytes());
    let event = WitnessCosigned {
        size: head.checkpoint.size,
        root: hex::encode(head.checkpoint.root).into(),
        witness: "witness.example".into(),
        time_cosigned: station.time().to_string().into(),
        note: note.into(),
    }
    .by("mara");
    station.append(event);
    station.log.checkpoint().expect("a checkpoint");
    let at = |days: i64| {
        let pack = Pack::open(&*disk, Path::new(LOG), None).expect("a pack");
        let compare = Compare { now: Some(station.time().plus_days(days)), ..Compare::default() };
        verify(&pack, Options::default(), compare, &mut |_, _| Ok(())).expect("examined").outcome
    };
    assert_eq!(at(6), Outcome::Whole);
    assert_eq!((at(8), at(8).exit_code()), (Outcome::Unwitnessed, 13));
}

#[test]
fn roles_that_the_policy_keeps_apart_are_held_apart_in_the_audit() {
    // Mara takes requests in; she and noor approve them, and mara opens the key.
    let told = |more: &str| {
        let (disk, mut station) = station(2, 1);
        let whole = made_up_station::policy_text(2);
        let policy = whole.replace("importer_may_approve = true\nseparate_roles = []", more);
        let to = station.put(policy.as_bytes());
        let event = PolicyChanged { from: (&station.policy).into(), to: (&to).into() }.by("mara");
        station.append(event);
        station.policy = to;
        station.ceremony();
        station.log.checkpoint().expect("a checkpoint");
        let flaw = audit(&*disk).first_flaw()?.clone();
        let entry =
            station.log.entries().nth(flaw.seq.expect("an entry") as usize).expect("there").expect("read");
        assert_eq!((flaw.kind, entry.entry().kind()), (FlawKind::Approval, Kind::SignIntent), "{flaw}");
        Some(flaw.detail.strip_suffix(", which the policy in force keeps apart").expect("why").to_owned())
    };
    let approved = Some("mara took the request in (entry 8) and approved it".to_owned());
    assert_eq!(told("importer_may_approve = false\nseparate_roles = []"), approved);
    assert_eq!(
        told("importer_may_approve = true\nseparate_roles = [[\"approver\", \"importer\"]]"),
        approved
    );
    let opened = Some("mara took the request in (entry 8) and opened the key".to_owned());
    assert_eq!(told("importer_may_approve = true\nseparate_roles = [[\"importer\", \"signer\"]]"), opened);
    let both = Some("mara approved the request and opened the key".to_owned());
    assert_eq!(told("importer_may_approve = true\nseparate_roles = [[\"approver\", \"signer\"]]"), both);
    assert_eq!(told("importer_may_approve = true\nseparate_roles = []"), None);
}

#[test]
fn a_clock_that_was_set_is_told_and_a_restart_is_not() {
    let (disk, mut station) = station(1, 1);
    station.log.checkpoint().expect("a checkpoint");
    let mut entry = |seconds: i64, uptime_ms: u64, boot: &str| {
        let stamp = countersign::testing::host::Stamp {
            time: Time::from_unix(1_900_000_000 + seconds),
            boot: boot.to_owned(),
            uptime_ms,
        };
        let event = Deviation { statement: "x".into() }.by("mara");
        station.log.append(&stamp, event).expect("appended");
    };
    entry(0, 1_000, "a");
    entry(60, 61_000, "a");
    entry(100, 1_000, "b");
    entry(40, 2_000, "b");
    entry(5_000, 3_000, "b");
    entry(4_000, 1_000, "c");
    station.log.checkpoint().expect("a checkpoint");
    let found = audit(&*disk).examination.remarks;
    assert_eq!(found.get(&RemarkKind::ClockBack), Some(&2));
    assert_eq!(found.get(&RemarkKind::ClockJump), Some(&1));
}

#[test]
fn a_remembered_head_reveals_a_log_that_was_rolled_back_or_forked_and_both_notes_are_kept() {
    let path = Path::new("/room/state.json");
    let now = Some(Time::from_unix(1_900_000_000));
    let ask = |disk: &CrashDisk| {
        let mut state = State::read(disk, path).expect("a state");
        let pack = Pack::open(disk, Path::new(LOG), None).expect("a pack");
        let compare = Compare { state: Some(&mut state), now, ..Compare::default() };
        let verdict = verify(&pack, Options::default(), compare, &mut |_, _| Ok(())).expect("examined");
        state.write(disk).expect("written");
        verdict
    };
    let (disk, mut station) = station(1, 1);
    station.ceremony();
    station.log.checkpoint().expect("a checkpoint");
    let early = disk.all_files();
    station.ceremony();
    station.log.checkpoint().expect("a checkpoint");
    let known = station.log.head().note.clone();
    let first = disk.all_files();
    assert_eq!(ask(&disk).outcome, Outcome::Whole);
    assert_eq!(ask(&disk).outcome, Outcome::Whole);
    let state = disk.read(path, 1 << 20).expect("read");
    // Rolled back to what it was before.
    let roll_back = || {
        disk.all_files().iter().for_each(|(path, _)| disk.put(path, None));
        early.iter().for_each(|(path, bytes)| disk.put(path, Some(bytes)));
        disk.put(path, Some(&state));
    };
    roll_back();
    assert_eq!(ask(&disk).outcome, Outcome::RolledBack);
    assert_eq!(disk.read(path, 1 << 20).expect("read"), state, "an older head is not remembered");
    // From there another history is written, longer than the known one, with the same key.
    let stamp =
        countersign::testing::host::Stamp { time: Time::from_unix(1), boot: String::new(), uptime_ms: 0 };
    let (mut other, _) =
        countersign::testing::ledger::Log::open(disk.clone(), Path::new(LOG), &stamp, &mut |_| {})
            .expect("opened");
    for _ in 0..20 {
        let event = Deviation { statement: "another history".into() }.by("mara");
        other.append(&stamp, event).expect("appended");
    }
    let found = other.checkpoint().expect("a checkpoint").note.clone();
    let verdict = ask(&disk);
    assert_eq!((verdict.outcome, verdict.outcome.exit_code()), (Outcome::Forked, 11));
    assert_eq!(verdict.first_flaw().map(|flaw| flaw.kind), Some(FlawKind::Fork));
    let kept = String::from_utf8(disk.read(path, 1 << 20).expect("read")).expect("text");
    for note in [known, found] {
        assert!(kept.contains(serde_json::to_string(&note).expect("JSON").trim_matches('"')), "{kept}");
    }
    // A fork is not forgotten when the first history is shown again.
    let state = disk.read(path, 1 << 20).expect("read");
    disk.all_files().iter().for_each(|(path, _)| disk.put(path, None));
    first.iter().for_each(|(path, bytes)| disk.put(path, Some(bytes)));
    disk.put(path, Some(&state));
    let verdict = ask(&disk);
    assert_eq!(verdict.outcome, Outcome::Forked);
    assert!(verdict.reasons[0].contains("two histories"), "{:?}", verdict.reasons);
}

#[test]
fn a_log_of_the_same_name_with_another_key_is_a_fork() {
    let (disk, mut station) = station(1, 1);
    station.log.checkpoint().expect("a checkpoint");
    let path = Path::new("/room/state.json");
    let now = Some(Time::from_unix(1_900_000_000));
    let mut state = State::read(&*disk, path).expect("a state");
    let pack = Pack::open(&*disk, Path::new(LOG), None).expect("a pack");
    let compare = Compare { state: Some(&mut state), now, ..Compare::default() };
    assert_eq!(
        verify(&pack, Options::default(), compare, &mut |_, _| Ok(())).expect("examined").outcome,
        Outcome::Whole
    );
    let other_disk = Arc::new(CrashDisk::new(Path::new("/room")));
    let mut other = Station::new(other_disk.clone(), Path::new(LOG), 12, 1, 1);
    other.log.checkpoint().expect("a checkpoint");
    let pack = Pack::open(&*other_disk, Path::new(LOG), None).expect("a pack");
    let compare = Compare { state: Some(&mut state), now, ..Compare::default() };
    let verdict = verify(&pack, Options::default(), compare, &mut |_, _| Ok(())).expect("examined");
    assert_eq!((verdict.outcome, verdict.outcome.exit_code()), (Outcome::Forked, 11));
}
