//! What a log may say without anybody's signature, because the log itself proves it.

use super::*;
use crate::host::Stamp;
use crate::host::clock::Time;
use crate::ledger::Event;
use crate::ledger::record::{
    AnchorSettled, OfficerAdded, OfficerRetired, OnlineKeyPinned, SealedKey, SignInDoubt, SignIntent,
    StationCreated,
};
use crate::ledger::rules::result_of;

fn line(event: Event) -> Vec<u8> {
    let stamp = Stamp { time: Time::from_unix(1_800_000_000), boot: String::new(), uptime_ms: 0 };
    event.line(1, &[0; 32], &stamp)
}

/// The result of a signature by the key `k` over the bytes `s`.
fn result() -> Vec<u8> {
    let intent = SignIntent {
        request: "the request".into(),
        review: "the review".into(),
        signed: "s".into(),
        factory: "acme".into(),
        wave: "v2".into(),
        tag: "production".into(),
        version: 42,
        kind: "wave".into(),
        keyid: "k".into(),
        root_version: 3,
        policy: "the policy".into(),
        officers: vec!["mara".into()],
        approvals: Vec::new(),
        findings: Vec::new(),
        preflight: Vec::new(),
        tool: "the program".into(),
        binary: "its digest".into(),
    };
    line(result_of(&intent, 0, ["ed25519".into(), "sig".into(), "L0".into()]).by("mara"))
}

#[test]
fn bytes_said_to_be_signed_again_are_those_of_the_last_signature_and_its_key() {
    let mut acts = Acts { log: Some("the log's key".to_owned()), ..Acts::default() };
    let result = result();
    acts.see(&Entry::read(&result).expect("an entry"));
    let said = |keyid: &'static str, signed: &'static str| {
        let doubt = SignInDoubt {
            intent: 0,
            request: "the request".into(),
            keyid: keyid.into(),
            signed: signed.into(),
            resolution: SIGNED_AGAIN.into(),
        };
        let line = line(doubt.by("mara"));
        acts.flaw(&Entry::read(&line).expect("an entry"), &Custody::default(), 1).map(|flaw| flaw.detail)
    };
    assert_eq!(said("k", "s"), None);
    for (keyid, signed) in [("another", "s"), ("k", "others"), ("another", "others")] {
        let why = said(keyid, signed).expect("a flaw");
        assert!(why.contains("were signed again were not"), "{why}");
    }
}

/// Mara holds a key; noor was named, and nothing was ever done as hers.
fn custody() -> Custody {
    let mut custody = Custody::default();
    let added = |name: &'static str| {
        let roles = vec!["signer".into()];
        OfficerAdded { officer: name.into(), recipient: "age1".into(), key: "00".into(), roles }.by("mara")
    };
    let imported = SealedKey {
        keyid: "k".into(),
        keytype: "ED25519".into(),
        quorum: 1,
        officers: vec!["mara".into()],
        set: "".into(),
        detail: "".into(),
    };
    for event in [added("mara"), Record::KeyImported(imported).by("mara"), added("noor")] {
        custody.see(&Entry::read(&line(event)).expect("an entry"));
    }
    custody
}

/// What is wrong with an act of mara's that nobody signed.
fn unsigned(record: Event) -> Option<String> {
    let acts = Acts { log: Some("the log's key".to_owned()), ..Acts::default() };
    let line = line(record);
    acts.flaw(&Entry::read(&line).expect("an entry"), &custody(), 1).map(|flaw| flaw.detail)
}

#[test]
fn an_online_key_and_a_settled_head_are_nobodys_to_write_alone() {
    let pinned = OnlineKeyPinned { from: "".into(), keyid: "k".into(), object: "11".repeat(32).into() };
    let officers = vec!["mara".into()];
    let settled = AnchorSettled { anchor: 1, size: 1, reason: "a restore".into(), officers };
    for event in [pinned.by("mara"), settled.by("mara")] {
        let why = unsigned(event).expect("a flaw");
        assert!(why.contains("needed"), "{why}");
    }
}

#[test]
fn only_she_who_never_came_to_be_an_officer_is_retired_without_a_signature() {
    let retired = |officer: &'static str, reason: &'static str| {
        unsigned(OfficerRetired { officer: officer.into(), reason: reason.into() }.by("mara"))
    };
    assert_eq!(retired("noor", NEVER_FINISHED), None);
    for (officer, reason) in [("noor", "she left"), ("mara", NEVER_FINISHED), ("mara", "she left")] {
        assert!(retired(officer, reason).is_some(), "{officer}: {reason}");
    }
}

#[test]
fn a_log_of_a_format_that_is_not_known_is_refused() {
    let said = |format: Option<&'static str>| {
        let created = StationCreated {
            factory: "acme".into(),
            fingerprint: "11".repeat(32).into(),
            dialect: "factory".into(),
            tool: "the program".into(),
            binary: "its digest".into(),
            networked: false,
            log_key: "the log's key".into(),
            policy: "22".repeat(32).into(),
            format: format.map(Into::into),
        };
        let line = line(created.by("countersign"));
        Acts::default().flaw(&Entry::read(&line).expect("an entry"), &Custody::default(), 1)
    };
    assert_eq!((said(None), said(Some(FORMAT))), (None, None));
    assert!(said(Some("countersign/log/9")).is_some_and(|flaw| flaw.detail.contains("is not known")));
}
