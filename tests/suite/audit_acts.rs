//! Officers' acts are signed by officers: whoever holds the log's key writes no act that they did not do.

use crate::support::crash_disk::CrashDisk;
use crate::support::made_up_station::{self, Station, Twist, policy_text};
use countersign::testing::ledger::Record;
use countersign::testing::ledger::field::RequestFile;
use countersign::testing::ledger::record::{
    OfficerRetired, PolicyChanged, RequestImported, SealedKey, SignInDoubt, TimeStatement,
};

use countersign::testing::audit::elsewhere::Elsewhere;
use countersign::testing::audit::report::ceremony;
use countersign::testing::audit::verdict::{Compare, verify};
use countersign::testing::audit::{AuditError, Options, Outcome, Pack};
use countersign::testing::host::Disk;
use countersign::testing::host::clock::Time;
use countersign::testing::ledger::acts::SIGNED_AGAIN;
use countersign::testing::ledger::{Decision, Event, Kind, SignedAct};
use countersign::testing::tlog::FlawKind;
use ed25519_dalek::{Signer as _, SigningKey};
use std::path::Path;
use std::sync::Arc;

const LOG: &str = "/room/log";

/// A station whose policy asks for two approvals and whose key opens with two officers of three.
fn station() -> (Arc<CrashDisk>, Station) {
    let disk = Arc::new(CrashDisk::new(Path::new("/room")));
    let station = Station::signing(disk.clone(), Path::new(LOG), 11, 2, 2);
    (disk, station)
}

fn first_flaw(disk: &dyn Disk) -> Option<(FlawKind, u64, String)> {
    let pack = Pack::open(disk, Path::new(LOG), None).expect("a pack");
    let verdict =
        verify(&pack, Options::default(), Compare::default(), &mut |_, _| Ok(())).expect("examined");
    let flaw = verdict.first_flaw()?;
    assert_eq!(verdict.outcome, Outcome::Tampered);
    Some((flaw.kind, flaw.seq.expect("an entry"), flaw.detail.clone()))
}

/// What the auditor says of an act that was written with the signatures that `sign` makes for it; nothing of one that may
/// stand.
fn judged(
    act: impl FnOnce(&mut Station) -> Event,
    sign: impl FnOnce(&mut Station, &Event, Time) -> Vec<SignedAct>,
) -> Option<String> {
    let (disk, mut station) = station();
    station.ceremony();
    let event = act(&mut station);
    let stamp = station.stamp();
    let from = station.log.size();
    for signed in sign(&mut station, &event, stamp.time) {
        station.log.append(&stamp, signed.event()).expect("appended");
    }
    let last = station.log.append(&stamp, event).expect("appended").seq();
    station.log.checkpoint().expect("a checkpoint");
    let (kind, seq, detail) = first_flaw(&*disk)?;
    assert_eq!(kind, FlawKind::Act, "{detail}");
    assert!((from..=last).contains(&seq), "{seq}: {detail}");
    Some(detail)
}

/// Signed by these officers, as they do.
fn by(officers: &'static [usize]) -> impl FnOnce(&mut Station, &Event, Time) -> Vec<SignedAct> {
    move |station, event, time| officers.iter().map(|at| station.signed_act(event, *at, time)).collect()
}

/// Signed by mara and noor, one of the signatures changed.
fn changed(change: fn(&mut SignedAct)) -> impl FnOnce(&mut Station, &Event, Time) -> Vec<SignedAct> {
    move |station, event, time| {
        let mut signed = by(&[0, 1])(station, event, time);
        change(&mut signed[1]);
        signed
    }
}

fn policy(station: &mut Station, approvals: usize) -> Event {
    let to = station.put(format!("# another\n{}", policy_text(approvals)).as_bytes());
    PolicyChanged { from: (&station.policy).into(), to: to.into() }.by("mara")
}

fn retired(name: &'static str, reason: &'static str) -> impl FnOnce(&mut Station) -> Event {
    move |_| OfficerRetired { officer: name.into(), reason: reason.into() }.by("mara")
}

fn clock(_: &mut Station) -> Event {
    TimeStatement { time_claimed: "2027-01-15T08:00:00Z".into(), reason: "ahead".into() }.by("mara")
}

fn key_act(
    record: fn(SealedKey<'static>) -> Record<'static>,
    quorum: u64,
    officers: &'static [&'static str],
    detail: &str,
) -> impl FnOnce(&mut Station) -> Event {
    let detail = detail.to_owned();
    move |station| {
        let key = SealedKey {
            keyid: station.keyid.clone().into(),
            keytype: "ED25519".into(),
            quorum,
            officers: officers.iter().map(|name| (*name).into()).collect(),
            set: "".into(),
            detail: detail.into(),
        };
        record(key).by("mara")
    }
}

const LACKS_TWO: &str = "the signatures of 2 officers are needed, and 1 officer signed";
const LACKS_NOOR: &str = "the signature of noor is needed, and it is not there";
const LACKS_MARA: &str = "the signature of mara is needed, and it is not there";

#[test]
fn a_log_whose_acts_are_signed_is_whole() {
    let (disk, mut station) = station();
    station.grow(400);
    assert_eq!(first_flaw(&*disk), None);
}

#[test]
fn a_change_of_the_policy_is_signed_by_as_many_as_the_stricter_of_both_asks_approvals() {
    let looser = |station: &mut Station| policy(station, 1);
    let stricter = |station: &mut Station| policy(station, 3);
    assert_eq!(judged(looser, by(&[0])), Some(LACKS_TWO.to_owned()));
    assert_eq!(judged(looser, by(&[0, 0])), Some(LACKS_TWO.to_owned()), "one officer counts once");
    assert_eq!(judged(looser, by(&[0, 1])), None);
    assert_eq!(
        judged(stricter, by(&[0, 1])),
        Some(LACKS_TWO.replace('2', "3").replace("1 officer", "2 officers"))
    );
    assert_eq!(judged(stricter, by(&[0, 1, 2])), None);
    let unsigned = "the signatures of 2 officers are needed, and 0 officers signed";
    assert_eq!(judged(looser, by(&[])), Some(unsigned.to_owned()));
    // Mara is said to have done it.
    let others = judged(looser, by(&[1, 2]));
    assert_eq!(others, Some("mara is said to have done it, and did not sign it".to_owned()));
}

#[test]
fn a_statement_a_settlement_and_a_retirement_are_signed_by_who_made_them() {
    assert_eq!(judged(clock, by(&[])), Some(LACKS_MARA.to_owned()));
    assert_eq!(judged(clock, by(&[1])), Some(LACKS_MARA.to_owned()));
    assert_eq!(judged(clock, by(&[0])), None);
    let settled = |resolution: &'static str| {
        move |station: &mut Station| {
            let intent = station.twisted(&Twist { no_result: true, ..Twist::default() });
            SignInDoubt {
                intent,
                request: "".into(),
                keyid: (&station.keyid).into(),
                signed: "".into(),
                resolution: resolution.into(),
            }
            .by("mara")
        }
    };
    for outcome in ["made", "not made", "whatever"] {
        assert_eq!(judged(settled(outcome), by(&[])), Some(LACKS_MARA.to_owned()), "{outcome}");
    }
    assert_eq!(judged(settled("not made"), by(&[0])), None);
    let again = judged(settled(SIGNED_AGAIN), by(&[0]));
    assert_eq!(again, Some("the bytes that it says were signed again were not".to_owned()));
    let alone = "the signatures of 1 officer are needed, and 0 officers signed";
    assert_eq!(judged(retired("odile", "left"), by(&[])), Some(alone.to_owned()));
    assert_eq!(judged(retired("odile", "left"), by(&[0])), None);
    // She held the key: that she was never there is said of nobody who was.
    let reason = countersign::testing::ledger::custody::NEVER_FINISHED;
    let (disk, mut station) = station();
    station.ceremony();
    let event = retired("odile", reason)(&mut station);
    station.act(event, &[0]);
    station.log.checkpoint().expect("a checkpoint");
    let (kind, _, detail) = first_flaw(&*disk).expect("a flaw");
    let why = "it says that she never came to be an officer, and she acted as one";
    assert_eq!((kind, detail.as_str()), (FlawKind::Contradiction, why));
}

#[test]
fn the_opening_of_a_key_is_signed_by_each_who_opened_it() {
    let drilled = || key_act(Record::KeyDrilled, 2, &["mara", "noor"], "opens");
    assert_eq!(judged(drilled(), by(&[0])), Some(LACKS_NOOR.to_owned()));
    assert_eq!(judged(drilled(), by(&[0, 1])), None);
    let anew = || {
        key_act(Record::KeySealed, 1, &["mara"], "sealed anew by mara, noor; before: 2 of mara, noor, odile")
    };
    assert_eq!(judged(anew(), by(&[0])), Some(LACKS_NOOR.to_owned()));
    assert_eq!(judged(anew(), by(&[0, 1])), None);
    // Of a signature's intent the made-up station signs all but what this leaves out.
    let (disk, mut station) = station();
    station.twisted(&Twist { unsigned_openers: 1, ..Twist::default() });
    station.log.checkpoint().expect("a checkpoint");
    let (kind, seq, detail) = first_flaw(&*disk).expect("a flaw");
    let entry = station.log.entries().nth(seq as usize).expect("there").expect("read");
    assert_eq!((kind, entry.entry().kind(), detail.as_str()), (FlawKind::Act, Kind::SignIntent, LACKS_NOOR));
}

#[test]
fn a_key_brought_back_as_it_is_changes_nothing_and_another_is_signed_for() {
    let all: &[&str] = &["mara", "noor", "odile"];
    assert_eq!(judged(key_act(Record::KeyRestored, 2, all, "scans"), by(&[])), None);
    let another = |station: &mut Station| {
        station.keyid = made_up_station::sha256(b"another key");
        key_act(Record::KeyRestored, 1, &["mara"], "scans")(station)
    };
    let alone = "the signatures of 1 officer are needed, and 0 officers signed";
    assert_eq!(judged(another, by(&[])), Some(alone.to_owned()));
    assert_eq!(judged(another, by(&[0])), None);
}

#[test]
fn who_took_a_request_in_is_signed_for_where_an_officer_is_named() {
    let imported = |actor: &'static str| {
        move |station: &mut Station| {
            let manifest = br#"{"factory":"acme","kind":"wave","tag":"production","version":9,"wave":"w"}"#;
            let request = station.put(manifest);
            RequestImported {
                request: (&request).into(),
                kind: "wave".into(),
                factory: "acme".into(),
                wave: "w".into(),
                tag: "production".into(),
                version: 9,
                signed: (&request).into(),
                root_version: station.root_version,
                source: "/media".into(),
                objects: vec![RequestFile { name: "request.json".into(), sha256: (&request).into() }],
            }
            .by(actor)
        }
    };
    assert_eq!(judged(imported("noor"), by(&[])), Some(LACKS_NOOR.to_owned()));
    assert_eq!(judged(imported("noor"), by(&[1])), None);
    assert_eq!(judged(imported("user:0"), by(&[])), None);
}

#[test]
fn a_signature_that_is_not_that_of_an_officer_who_serves_counts_for_nothing() {
    let act = |station: &mut Station| policy(station, 1);
    let broken = Some("the officer's signature under the act does not hold".to_owned());
    assert_eq!(judged(act, changed(|signed| signed.sig.replace_range(..1, "/"))), broken);
    assert_eq!(judged(act, changed(|signed| signed.act.nonce.replace_range(..1, "x"))), broken);
    let another_key = |signed: &mut SignedAct| {
        let key = SigningKey::from_bytes(&[9; 32]);
        signed.act.key = hex::encode(key.verifying_key());
        let signature = key.sign(&signed.act.message()).to_bytes();
        *signed = signed.act.clone().with_signature(&signature);
    };
    let not_hers = "the signature is made with a key that is not the officer's";
    assert_eq!(judged(act, changed(another_key)), Some(not_hers.to_owned()));
    let stranger = |signed: &mut SignedAct| signed.act.officer = "zoe".to_owned();
    let nobody = "the signature is by somebody who is not an officer";
    assert_eq!(judged(act, changed(stranger)), Some(nobody.to_owned()));
    let once_hers = |station: &mut Station| {
        let event = OfficerRetired { officer: "noor".into(), reason: "left".into() }.by("mara");
        station.act(event, &[0]);
        policy(station, 1)
    };
    assert_eq!(
        judged(once_hers, by(&[0, 1])),
        Some("the signature is by an officer who was retired".to_owned())
    );
}

#[test]
fn a_signature_counts_for_its_own_act_log_and_time_and_once() {
    let act = |station: &mut Station| policy(station, 1);
    // Of another change of the policy, and of another kind of act.
    let of_another = |station: &mut Station, event: &Event, time: Time| {
        let other = policy(station, 3);
        vec![station.signed_act(event, 0, time), station.signed_act(&other, 1, time)]
    };
    assert_eq!(judged(act, of_another), Some(LACKS_TWO.to_owned()));
    let broken = Some("the officer's signature under the act does not hold".to_owned());
    let of_a_month_ago = |station: &mut Station, event: &Event, time: Time| {
        vec![station.signed_act(event, 0, time), station.signed_act(event, 1, time.plus_days(-30))]
    };
    assert_eq!(judged(act, of_a_month_ago), broken);
    let in_another_log = |station: &mut Station, event: &Event, time: Time| {
        let mut signed = by(&[0, 1])(station, event, time);
        signed[1].act.log.push('A');
        let signature = station.officers[1].key.sign(&signed[1].act.message()).to_bytes();
        signed[1] = signed[1].act.clone().with_signature(&signature);
        signed
    };
    assert_eq!(judged(act, in_another_log), broken);
    let twice = |station: &mut Station, event: &Event, time: Time| {
        let signed = by(&[0])(station, event, time);
        [signed.clone(), signed].concat()
    };
    assert_eq!(judged(act, twice), Some("the same signature stands in the log before".to_owned()));

    // Signed, and then something else came between: the signatures are spent.
    let (disk, mut station) = station();
    let event = policy(&mut station, 1);
    let stamp = station.stamp();
    for at in [0, 1] {
        let signed = station.signed_act(&event, at, stamp.time);
        station.log.append(&stamp, signed.event()).expect("appended");
    }
    station.log.checkpoint().expect("a checkpoint");
    assert_eq!(first_flaw(&*disk), None, "signatures whose act a crash kept away");
    station.filler();
    let seq = station.append(event);
    station.log.checkpoint().expect("a checkpoint");
    let (kind, found, _) = first_flaw(&*disk).expect("a flaw");
    assert_eq!((kind, found), (FlawKind::Act, seq));
}

#[test]
fn an_approval_is_not_passed_off_as_an_act_nor_an_act_as_an_approval() {
    let act = |station: &mut Station| policy(station, 1);
    let approval_as_act = |station: &mut Station, event: &Event, time: Time| {
        let mut signed = by(&[0, 1])(station, event, time);
        // The same words, signed as an approval.
        let digest = event.digest();
        let approval =
            station.decision(1, &digest, &digest, Decision::Granted).sign(&station.officers[1].key);
        (signed[1].act.nonce, signed[1].sig) = (approval.approval.nonce, approval.sig);
        signed
    };
    let broken = Some("the officer's signature under the act does not hold".to_owned());
    assert_eq!(judged(act, approval_as_act), broken);

    let (disk, mut station) = station();
    let rest = Twist { no_result: true, ..Twist::default() };
    station.twisted(&rest);
    let granted = station.log.entries().map(|entry| entry.expect("read"));
    let granted = granted.filter(|entry| entry.entry().kind() == Kind::ApprovalGranted).last().expect("one");
    let approval =
        countersign::testing::ledger::SignedApproval::from_entry(&granted.entry()).expect("an approval");
    let event = TimeStatement { time_claimed: "".into(), reason: "".into() }.by("noor");
    let time = station.time();
    let signed = station.signed_act(&event, 1, time);
    let mut forged = approval.clone();
    (forged.approval.nonce, forged.sig) = (signed.act.nonce.clone(), signed.sig);
    let seq = station.append(forged.event());
    station.log.checkpoint().expect("a checkpoint");
    let (kind, found, _) = first_flaw(&*disk).expect("a flaw");
    assert_eq!((kind, found), (FlawKind::Approval, seq));
}

#[test]
fn a_log_of_0_1_has_no_signed_acts_and_still_verifies() {
    let disk = Arc::new(CrashDisk::new(Path::new("/room")));
    let mut station = Station::new(disk.clone(), Path::new(LOG), 11, 2, 2);
    station.grow(200);
    assert_eq!(first_flaw(&*disk), None);
    // It does not begin to have them: its own first entry says what it is.
    let event = clock(&mut station);
    let stamp = station.stamp();
    let signed = station.signed_act(&event, 0, stamp.time);
    let seq = station.append(signed.event());
    station.log.checkpoint().expect("a checkpoint");
    let (kind, found, _) = first_flaw(&*disk).expect("a flaw");
    assert_eq!((kind, found), (FlawKind::Act, seq));
}

#[test]
fn an_entry_that_says_something_else_than_the_review_that_was_approved_is_found() {
    let other = &format!("\"{}\"", "5f".repeat(32));
    for (member, value) in [
        ("request", other.as_str()),
        ("digest", other),
        ("policy", other),
        ("root", r#"{"version":1}"#),
        ("signable", "false"),
        ("signable", "1"),
        ("findings", r#"[{"check":"equivocation","severity":"block"}]"#),
        ("findings", r#"[{"check":"rotation","severity":"note"}]"#),
        ("findings", "[7]"),
    ] {
        let value: &'static str = value.to_owned().leak();
        let (disk, mut station) = station();
        station.ceremony();
        station.twisted(&Twist { other_review: Some((member, value)), ..Twist::default() });
        let (kind, seq, detail) = first_flaw(&*disk).unwrap_or_else(|| panic!("{member}: found whole"));
        assert_eq!(kind, FlawKind::Contradiction, "{member}: {detail}");
        let entry = station.log.entries().nth(seq as usize).expect("there").expect("read");
        assert_eq!(entry.entry().kind(), Kind::ReviewRendered, "{member}: {detail}");
    }
}

#[test]
fn two_ceremonies_are_never_put_on_one_page() {
    let (disk, mut station) = station();
    station.ceremony();
    station.ceremony();
    let pack = Pack::open(&*disk, Path::new(LOG), None).expect("a pack");
    let now = Time::from_unix(1_800_000_000);
    let mut elsewhere = Elsewhere::new(None, Vec::new(), Vec::new(), now);
    let out = Path::new("/room/page.html");
    let made = ceremony(&pack, "", out, &mut elsewhere, now);
    assert!(matches!(made, Err(AuditError::SeveralRequests(_))));
    assert!(disk.kind(out).expect("looked").is_none());
}
