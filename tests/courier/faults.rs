//! Every fault that the stand-in can make, against every command that asks or acts: what the person needs comes of it.

use super::harness::{Place, Service, copy, each};
use std::sync::OnceLock;

/// What a fault does to one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Harm {
    /// The call is done, and the answer is useless.
    Done,
    /// The call is not done, and nobody says so.
    NotDone,
    /// The service says no.
    Refused,
    /// Somebody else answers.
    Elsewhere,
    /// It takes long, no more.
    None,
}

/// Every kind, and what it does to a call that changes something.
const FAULTS: [(&str, Harm); 29] = [
    ("drop", Harm::NotDone),
    ("drop-body", Harm::Done),
    ("lost-reply", Harm::Done),
    ("truncate", Harm::Done),
    ("500", Harm::NotDone),
    ("502", Harm::NotDone),
    ("503", Harm::NotDone),
    ("429", Harm::NotDone),
    ("401", Harm::Refused),
    ("403", Harm::Refused),
    ("404", Harm::Refused),
    ("slow", Harm::None),
    ("hang", Harm::NotDone),
    ("oversize", Harm::Done),
    ("redirect", Harm::Elsewhere),
    ("redirect-same", Harm::Elsewhere),
    ("redirect-loop", Harm::Elsewhere),
    ("html", Harm::Done),
    ("empty", Harm::Done),
    ("garbage", Harm::Done),
    ("gzip", Harm::Done),
    ("null", Harm::Done),
    ("stale", Harm::Done),
    ("swap", Harm::Done),
    ("tamper", Harm::Done),
    ("duplicate-key", Harm::Done),
    ("bom", Harm::Done),
    ("206", Harm::Done),
    ("204", Harm::Done),
];

const STAND_IN: &[&str] = &["--pad-mib", "66", "--slow-seconds", "2"];

/// A place where a Factory has a complete wave, an active one, and a signed bundle for a third of another tag.
struct Ready {
    place: Place,
    bundle: String,
}

/// Made once: a Factory at version 12, and the signed bundle of wave v2, not submitted.
fn before_submit() -> &'static Ready {
    static READY: OnceLock<Ready> = OnceLock::new();
    READY.get_or_init(|| {
        let place = Place::new();
        let service = Service::start(&place.path("state"), STAND_IN);
        place.make_station(&service, "station", "acme-targets.keys.tgz");
        place.release(&service, "v1", 12);
        place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
        let request = place.request(&service, "v2", 14, &[]);
        let bundle = place.ceremony("station", &request);
        drop(service);
        copy(&place.path("state"), &place.path("before"));
        Ready { place, bundle }
    })
}

/// Made once: as [`before_submit`], and v2 submitted.
fn active() -> &'static Ready {
    static READY: OnceLock<Ready> = OnceLock::new();
    READY.get_or_init(|| {
        let before = before_submit();
        let place = Place::new();
        copy(&before.place.path("before"), &place.path("state"));
        let service = Service::start(&place.path("state"), STAND_IN);
        place.courier(&service, &["submit", &before.bundle]).done();
        drop(service);
        copy(&place.path("state"), &place.path("before"));
        Ready { place, bundle: String::new() }
    })
}

/// A service of its own with the state of a place.
fn service(ready: &Ready, name: &str) -> Service {
    let state = ready.place.path(name);
    copy(&ready.place.path("before"), &state);
    Service::start(&state, STAND_IN)
}

/// What an act comes to that may be sent again, and how often it is sent.
fn outcome(harm: Harm) -> (i32, bool, usize) {
    match harm {
        Harm::None | Harm::Done => (0, true, 1),
        Harm::NotDone => (0, true, 2),
        Harm::Refused | Harm::Elsewhere => (20, false, 1),
    }
}

#[test]
fn every_fault_of_the_upload_is_settled_and_makes_one_wave() {
    let ready = before_submit();
    each(&FAULTS, |(kind, harm)| {
        let service = service(ready, &format!("submit-{kind}"));
        service.fault(&format!("{kind}:POST.*/waves/$"));
        let (code, is_done, sent) = outcome(*harm);
        let ran = ready.place.courier(&service, &["submit", &ready.bundle]);
        assert_eq!(ran.code, code, "{kind}: {ran:?}");
        assert_eq!(service.wave("acme", "v2") == "active", is_done, "{kind}");
        assert_eq!(service.calls("POST", "/waves/"), sent, "{kind}");
        // Whatever it was, the same command then brings it to its end.
        ready.place.courier(&service, &["submit", &ready.bundle]).done();
        assert_eq!(service.wave("acme", "v2"), "active", "{kind}");
        service.nothing_leaked();
    });
}

#[test]
fn every_fault_of_a_rollout_is_settled_and_rolls_out_once() {
    let ready = active();
    each(&FAULTS, |(kind, harm)| {
        let service = service(ready, &format!("rollout-{kind}"));
        service.fault(&format!("{kind}:POST.*/rollout/$"));
        let (code, is_done, sent) = outcome(*harm);
        let ran = ready.place.courier(&service, &["wave", "rollout", "v2", "canary"]);
        assert_eq!(ran.code, code, "{kind}: {ran:?}");
        assert_eq!(service.calls("POST", "/rollout/"), sent, "{kind}");
        let wave = ready.place.courier(&service, &["--json", "wave", "show", "v2"]).done().json();
        let history = wave["rollout-history"].as_array().map_or(0, Vec::len);
        assert_eq!(history, usize::from(is_done), "{kind}: {wave}");
        if is_done {
            assert!(ran.out.contains("3 devices in group \"canary\""), "{kind}: {ran:?}");
        }
        service.nothing_leaked();
    });
}

#[test]
fn a_fault_on_a_read_around_a_rollout_is_never_taken_for_done_or_not_done() {
    let ready = active();
    // The wave before, its targets for the note about static deltas, and the wave afterwards.
    each(&[0, 1, 2], |skip| {
        let service = service(ready, &format!("rollout-reads-{skip}"));
        let rollouts = || {
            let wave = ready.place.courier(&service, &["--json", "wave", "show", "v2"]).done().json();
            wave["rollout-history"].as_array().map_or(0, Vec::len)
        };
        for (kind, _) in FAULTS {
            let before = rollouts();
            service.fault(&format!("{kind}:GET.*/waves/v2/:1:{skip}"));
            let ran = ready.place.courier(&service, &["wave", "rollout", "v2", "canary"]);
            service.no_more_faults();
            let done = rollouts() - before;
            match ran.code {
                0 => assert_eq!(done, 1, "{kind} on read {skip}"),
                20 => assert_eq!(done, 0, "{kind} on read {skip}: {ran:?}"),
                _ => {
                    assert_eq!((*skip, done), (2, 1), "{kind} on read {skip}: {ran:?}");
                    ran.ended(21).says("wave show v2");
                }
            }
        }
        service.nothing_leaked();
    });
}

#[test]
fn a_fault_on_a_read_of_a_submit_makes_no_second_wave_and_is_never_taken_for_success() {
    let (ready, bundle) = (active(), &before_submit().bundle);
    each(&["users/self", "/waves/v2/", "/root.json", "/3.root.json"], |read| {
        let service = service(ready, &format!("submit-reads-{}", read.replace('/', "-")));
        for (kind, _) in FAULTS {
            service.fault(&format!("{kind}:GET.*{read}"));
            let ran = ready.place.courier(&service, &["submit", bundle]);
            service.no_more_faults();
            let code = match (kind, *read) {
                // What it holds is not what was signed: an alarm, not a refusal.
                ("tamper", "/waves/v2/") => 3,
                // Said not to be there, it is uploaded, and the service says that it is there.
                ("404", "/waves/v2/") => 0,
                ("401" | "403" | "redirect" | "redirect-same" | "redirect-loop" | "html", _) => 20,
                ("404" | "null" | "swap" | "stale", _) if ran.code != 0 => 20,
                _ => 0,
            };
            assert_eq!(ran.code, code, "{kind} on {read}: {ran:?}");
        }
        assert!(service.calls("POST", "/waves/") <= 1, "{read}");
        assert_eq!(service.wave("acme", "v2"), "active");
        service.nothing_leaked();
    });
}

#[test]
fn a_rollout_to_a_number_of_devices_is_never_sent_twice() {
    let ready = active();
    let not_done = FAULTS.iter().filter(|(kind, harm)| *harm == Harm::NotDone && *kind != "429");
    each(&not_done.collect::<Vec<_>>(), |(kind, _)| {
        let service = service(ready, &format!("limit-{kind}"));
        service.fault(&format!("{kind}:POST.*/rollout/$"));
        let ran = ready.place.courier(&service, &["wave", "rollout", "v2", "--limit", "2"]);
        ran.ended(20).says("not done");
        assert_eq!(service.calls("POST", "/rollout/"), 1, "{kind}");
    });
    let service = service(ready, "limit-lost");
    service.fault("lost-reply:POST.*/rollout/$");
    ready.place.courier(&service, &["wave", "rollout", "v2", "--limit", "2"]).done().says("2 devices");
    assert_eq!(service.calls("POST", "/rollout/"), 1);
}

#[test]
fn every_fault_of_completing_is_settled() {
    let ready = active();
    each(&FAULTS, |(kind, harm)| {
        let service = service(ready, &format!("complete-{kind}"));
        service.fault(&format!("{kind}:POST.*/complete/$"));
        let (code, is_done, sent) = outcome(*harm);
        let ran = ready.place.courier(&service, &["wave", "complete", "v2", "--yes"]);
        assert_eq!(ran.code, code, "{kind}: {ran:?}");
        assert_eq!(service.wave("acme", "v2") == "complete", is_done, "{kind}");
        assert_eq!(service.calls("POST", "/complete/"), sent, "{kind}");
        service.nothing_leaked();
    });
}

/// Made once: as [`before_submit`], with v1's targets signed again for a root update that is open, not submitted.
fn before_resign() -> &'static Ready {
    static READY: OnceLock<Ready> = OnceLock::new();
    READY.get_or_init(|| {
        let place = Place::new();
        let service = Service::start(&place.path("state"), STAND_IN);
        place.make_station(&service, "station", "acme-targets.keys.tgz");
        place.release(&service, "v1", 12);
        place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
        let keyid = place.staged_key(&service, false);
        let bundle = place.sign_again(&service, &keyid);
        drop(service);
        copy(&place.path("state"), &place.path("before"));
        Ready { place, bundle }
    })
}

/// What adding to a root update comes to. The service does not show whether it was done, so a lost answer is sent again: it is
/// one signature all the same. Where somebody else answered, nobody knows.
fn outcome_unseen(kind: &str, harm: Harm) -> i32 {
    match harm {
        Harm::Elsewhere => 21,
        _ if kind == "html" => 21,
        Harm::Refused => 20,
        Harm::None | Harm::Done | Harm::NotDone => 0,
    }
}

#[test]
fn every_fault_of_adding_to_a_root_update_is_settled_and_adds_one_signature() {
    let ready = before_resign();
    each(&FAULTS, |(kind, harm)| {
        let service = service(ready, &format!("resign-{kind}"));
        service.fault(&format!("{kind}:PUT.*/root/updates$"));
        let ran = ready.place.courier(&service, &["submit", &ready.bundle]);
        assert_eq!(ran.code, outcome_unseen(kind, *harm), "{kind}: {ran:?}");
        assert!(service.calls("PUT", "/root/updates") <= 2, "{kind}");
        if ran.code == 21 {
            ran.says("fioctl keys tuf updates review");
        }
        // Whatever it was, the same command then brings it to its end.
        ready.place.courier(&service, &["submit", &ready.bundle]).done();
        service
            .post("/ota/repo/acme/api/v1/user_repo/root/updates/apply", &serde_json::json!({ "txid": "" }));
        let applied = ready.place.courier(&service, &["--json", "submit", &ready.bundle]).done().json();
        assert_eq!(
            (&applied["status"], applied["valid"].as_array().map(Vec::len)),
            (&"applied".into(), Some(2)),
            "{kind}"
        );
        service.nothing_leaked();
    });
}

#[test]
fn what_cannot_be_read_back_is_unknown_and_says_how_to_find_out() {
    let ready = before_submit();
    let service = service(ready, "unknown");
    service.fault("lost-reply:POST.*/waves/$");
    // The look before is let through.
    service.fault("502:GET.*/waves/v2/:0:1");
    let ran = ready.place.courier(&service, &["submit", &ready.bundle]);
    ran.ended(21).says("countersign-courier wave show v2");
    service.no_more_faults();
    ready.place.courier(&service, &["submit", &ready.bundle]).done().says("already");
    assert_eq!(service.calls("POST", "/waves/"), 1);
}

/// The calls of a download, each of which may go wrong.
const READS: [&str; 8] = [
    "users/self",
    "/waves/",
    "prod-targets",
    "/2.root.json",
    "/3.root.json",
    "/root.json",
    "ci-targets.pub",
    "targets.json$",
];

/// What a download comes to when one call goes wrong once.
fn fetched_once(kind: &str, read: &str) -> i32 {
    match kind {
        "401" | "403" | "redirect" | "redirect-same" | "redirect-loop" | "html" => 20,
        "404" if matches!(read, "users/self" | "/waves/") => 20,
        // The answer has another form than the service's, which no second try explains away.
        "null" | "swap" if matches!(read, "users/self" | "/waves/") => 20,
        _ => 0,
    }
}

#[test]
fn a_download_with_one_fault_is_whole_or_refused() {
    let ready = before_submit();
    each(&READS, |read| {
        let place = Place::new();
        let name = format!("once-{}", read.trim_matches(['/', '$']).replace('/', "-"));
        let service = service(ready, &name);
        let good = place.text("good");
        place.courier(&service, &["fetch", "--out", &good]).done();
        for (kind, _) in FAULTS {
            service.fault(&format!("{kind}:GET.*{read}"));
            let out = place.text(kind);
            let ran = place.courier(&service, &["fetch", "--out", &out]);
            service.no_more_faults();
            assert_eq!(ran.code, fetched_once(kind, read), "{kind} on {read}: {ran:?}");
            assert_eq!(std::path::Path::new(&out).exists(), ran.code == 0, "{kind} on {read}");
            if ran.code == 0 {
                same(&good, &out, &format!("{kind} on {read}"));
            }
        }
        service.nothing_leaked();
    });
}

/// The downloads are the same files, byte for byte. A member more that nobody knows may stand in the two that nobody signed.
fn same(good: &str, out: &str, what: &str) {
    let signed = ["ci-targets.json", "prod-targets.json", "prod-roots/2.root.json", "prod-roots/3.root.json"];
    let unsigned = ["ci-targets.pub", "waves.json"];
    let others = if what.starts_with("duplicate-key") { &[][..] } else { &unsigned };
    for name in signed.iter().chain(others) {
        let read = |folder: &str| std::fs::read(format!("{folder}/{name}")).expect(name);
        assert!(read(good) == read(out), "{name} differs: {what}");
    }
}

#[test]
fn a_download_with_a_fault_that_stays_is_refused_and_writes_nothing() {
    let ready = before_submit();
    each(&FAULTS, |(kind, _)| {
        let place = Place::new();
        let service = service(ready, &format!("stays-{kind}"));
        service.fault(&format!("{kind}:GET.*prod-targets:0"));
        let out = place.text("out");
        let ran = place.courier(&service, &["fetch", "--out", &out]);
        // Without a wave that was completed while it runs, the stand-in has nothing stale to give.
        let code = if matches!(*kind, "slow" | "stale") { 0 } else { 20 };
        assert_eq!(ran.code, code, "{kind}: {ran:?}");
        assert_eq!(std::path::Path::new(&out).exists(), code == 0, "{kind}");
        service.nothing_leaked();
    });
}

#[test]
fn an_older_answer_is_not_taken_for_the_newest() {
    let ready = active();
    let service = service(ready, "stale");
    let place = &ready.place;
    place.courier(&service, &["wave", "complete", "v2", "--yes"]).done();
    let out = place.text("stale-out");
    for path in ["prod-targets", "/root.json", "/2.root.json"] {
        service.fault(&format!("stale:{path}:0"));
        place.courier(&service, &["fetch", "--out", &out]).ended(20).says("does not fit together");
        service.no_more_faults();
    }
    // Once is a moment that passes.
    service.fault("stale:prod-targets:1");
    place.courier(&service, &["fetch", "--out", &out]).done();
}
