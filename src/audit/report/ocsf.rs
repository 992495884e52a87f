//! One event of the Open Cybersecurity Schema Framework an entry, for the SIEM that a company already runs.
//!
//! OCSF 1.1.0. Wrong passphrases are Authentication (3002), commands and self-tests Application Lifecycle (6002),
//! everything else is Entity Management (3004) of a policy, root, officer, key, request, approval or signature. The
//! exact line goes along as `raw_data`.

use crate::ledger::anchors::Verdict;
use crate::ledger::summary::summary;
use crate::ledger::{Entry, Record};
use serde_json::{Value, json};

/// The schema's version.
const VERSION: &str = "1.1.0";

/// What an entry is in the schema: class, activity, severity, failure.
struct Class {
    uid: u32,
    activity: u32,
    activity_name: &'static str,
    severity: u32,
    failed: bool,
}

/// Adds an event as one line.
pub(super) fn event(entry: &Entry<'_>, origin: &str, out: &mut Vec<u8>) {
    let class = class(entry);
    let mut event = json!({
        "activity_id": class.activity,
        "activity_name": class.activity_name,
        "category_uid": class.uid / 1000,
        "class_uid": class.uid,
        "type_uid": class.uid * 100 + class.activity,
        "severity_id": class.severity,
        "status_id": if class.failed { 2 } else { 1 },
        "time": entry.time().unix() * 1000,
        "message": summary(entry),
        "metadata": {
            "version": VERSION,
            "product": { "name": "countersign", "vendor_name": "countersign", "version": crate::release::VERSION },
            "log_name": origin,
            "event_code": entry.kind().name(),
            "sequence": entry.seq(),
            "uid": format!("{origin}/{}", entry.seq()),
            "original_time": entry.time().to_string(),
        },
        "actor": { "user": { "name": entry.actor() } },
        "raw_data": String::from_utf8_lossy(entry.line()),
    });
    let app = |tool: &str| json!({ "app": { "name": "countersign", "vendor_name": "countersign", "version": tool } });
    let more = match entry.record() {
        Record::OfficerAuthFailed(failed) => json!({
            "user": { "name": *failed.officer },
            "service": { "name": "countersign station" },
            "is_remote": false,
        }),
        Record::SessionOpened(opened) => app(&opened.tool),
        Record::StationCreated(created) => app(&created.tool),
        _ if class.uid == 6002 => app(""),
        record => json!({ "entity": entity(entry), "comment": reason(record) }),
    };
    if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
        event.extend(more);
    }
    out.extend_from_slice(event.to_string().as_bytes());
    out.push(b'\n');
}

fn class(entry: &Entry<'_>) -> Class {
    const CREATE: (u32, &str) = (1, "Create");
    const UPDATE: (u32, &str) = (3, "Update");
    const DELETE: (u32, &str) = (4, "Delete");
    const OTHER: (u32, &str) = (99, "Other");
    let managed = |(activity, activity_name), severity, failed| Class {
        uid: 3004,
        activity,
        activity_name,
        severity,
        failed,
    };
    let running = |activity, activity_name, severity, failed| Class {
        uid: 6002,
        activity,
        activity_name,
        severity,
        failed,
    };
    match entry.record() {
        Record::OfficerAuthFailed(_) => {
            Class { uid: 3002, activity: 1, activity_name: "Logon", severity: 3, failed: true }
        }
        Record::SessionOpened(_) => running(3, "Start", 1, false),
        Record::SessionClosed(closed) => running(4, "Stop", 1, closed.exit != 0),
        Record::StationCreated(_) => running(1, "Install", 1, false),
        Record::Selftest(tested) => {
            let failed = !tested.passed;
            running(99, "Self-test", if failed { 4 } else { 1 }, failed)
        }
        Record::LogRecovered(_) => running(99, "Recovery", 3, false),
        Record::LogVerified(_) => running(99, "Verification", 1, false),
        Record::LogExported(_) => running(99, "Export of evidence", 1, false),
        Record::RootPinned(_)
        | Record::OfficerAdded(_)
        | Record::KeyImported(_)
        | Record::KeyGenerated(_) => managed(CREATE, 2, false),
        Record::RootUpdated(_) | Record::KeySealed(_) | Record::KeyBackedUp(_) | Record::KeyRestored(_) => {
            managed(UPDATE, 2, false)
        }
        Record::PolicyChanged(_)
        | Record::OnlineKeyPinned(_)
        | Record::TimeStatement(_)
        | Record::Deviation(_) => managed(UPDATE, 3, false),
        Record::OfficerRetired(_) | Record::KeyRetired(_) => managed(DELETE, 2, false),
        Record::RequestImported(_)
        | Record::ReviewRendered(_)
        | Record::ApprovalGranted(_)
        | Record::BundleExported(_)
        | Record::SlipExported(_) => managed(CREATE, 1, false),
        Record::EvidenceVerified(_)
        | Record::EvidenceSeen(_)
        | Record::NonceDrawn(_)
        | Record::ReviewKept(_)
        | Record::ActSigned(_) => managed(OTHER, 1, false),
        Record::SignResult(_) => managed(CREATE, 2, false),
        Record::SignIntent(_) | Record::KeyDrilled(_) | Record::WitnessCosigned(_) => {
            managed(OTHER, 1, false)
        }
        Record::RootRejected(_)
        | Record::RequestRejected(_)
        | Record::ApprovalDenied(_)
        | Record::ApprovalExpired(_) => managed(OTHER, 3, true),
        Record::SignAborted(_)
        | Record::ExportFailed(_)
        | Record::WitnessOverdue(_)
        | Record::WitnessStale(_) => managed(OTHER, 3, true),
        Record::WitnessAdded(_) | Record::StationSucceeds(_) | Record::MarkTakenOver(_) => {
            managed(CREATE, 2, false)
        }
        Record::WitnessRetired(_) => managed(DELETE, 2, false),
        Record::AnchorSettled(_) => managed(UPDATE, 4, false),
        Record::AnchorJudged(judged) => match Verdict::named(&judged.verdict) {
            Some(verdict) if verdict.stops() => managed(OTHER, 5, true),
            Some(Verdict::Known) => managed(OTHER, 1, false),
            _ => managed(OTHER, 3, false),
        },
        Record::SignInDoubt(_) | Record::SignRecovered(_) => managed(OTHER, 4, true),
    }
}

/// What an entry is about: its type, and its name or digest.
fn subject<'r>(record: &'r Record<'_>) -> (&'static str, &'r str) {
    match record {
        Record::RootPinned(root) => ("root", &root.fingerprint),
        Record::RootUpdated(root) => ("root", &root.fingerprint),
        Record::RootRejected(root) => ("root", &root.reason),
        Record::PolicyChanged(changed) => ("policy", &changed.to),
        Record::OnlineKeyPinned(online) => ("online targets key", &online.keyid),
        Record::OfficerAdded(added) => ("officer", &added.officer),
        Record::OfficerRetired(retired) => ("officer", &retired.officer),
        Record::RequestRejected(refused) => ("request", &refused.source),
        Record::ApprovalGranted(decided)
        | Record::ApprovalDenied(decided)
        | Record::ApprovalExpired(decided) => ("approval", &decided.nonce),
        Record::SignIntent(intent) => ("signature", &intent.signed),
        Record::SignRecovered(intent) => ("signature", &intent.signed),
        Record::SignResult(result) => ("signature", &result.signed),
        Record::SignAborted(aborted) => ("signature", &aborted.signed),
        Record::SignInDoubt(doubt) => ("signature", &doubt.signed),
        Record::WitnessCosigned(cosigned) => ("checkpoint", &cosigned.root),
        Record::WitnessOverdue(overdue) => ("checkpoint", &overdue.root),
        Record::WitnessStale(stale) => ("checkpoint", &stale.root),
        Record::AnchorJudged(judged) => ("checkpoint", &judged.root),
        Record::StationSucceeds(succeeds) => ("checkpoint", &succeeds.root),
        Record::AnchorSettled(settled) => ("checkpoint", &settled.reason),
        Record::WitnessAdded(added) => ("witness", &added.witness),
        Record::WitnessRetired(retired) => ("witness", &retired.witness),
        Record::MarkTakenOver(mark) => ("mark", &mark.signed),
        Record::TimeStatement(stated) => ("clock", &stated.time_claimed),
        Record::ActSigned(signed) => ("act", &signed.digest),
        Record::Deviation(deviation) => ("ceremony", &deviation.statement),
        Record::KeyImported(key)
        | Record::KeyGenerated(key)
        | Record::KeySealed(key)
        | Record::KeyDrilled(key)
        | Record::KeyBackedUp(key)
        | Record::KeyRestored(key)
        | Record::KeyRetired(key) => ("key", &key.keyid),
        other => ("request", other.request().unwrap_or_default()),
    }
}

fn version(record: &Record<'_>) -> Option<u64> {
    match record {
        Record::RootPinned(root) => Some(root.version),
        Record::RootUpdated(root) => Some(root.version),
        Record::RootRejected(root) => Some(root.version),
        Record::RequestImported(taken) => Some(taken.version),
        Record::EvidenceSeen(seen) => Some(seen.version),
        Record::SignIntent(intent) => Some(intent.version),
        Record::SignRecovered(intent) => Some(intent.version),
        Record::SignResult(result) => Some(result.version),
        Record::MarkTakenOver(mark) => Some(mark.version),
        _ => None,
    }
}

fn reason<'r>(record: &'r Record<'_>) -> &'r str {
    match record {
        Record::TimeStatement(stated) => &stated.reason,
        Record::RootRejected(root) => &root.reason,
        Record::OfficerRetired(retired) => &retired.reason,
        Record::RequestRejected(refused) => &refused.reason,
        Record::ApprovalGranted(decided)
        | Record::ApprovalDenied(decided)
        | Record::ApprovalExpired(decided) => &decided.reason,
        Record::SignAborted(aborted) => &aborted.reason,
        Record::ExportFailed(failed) => &failed.reason,
        Record::WitnessStale(stale) => &stale.reason,
        Record::WitnessRetired(retired) => &retired.reason,
        Record::AnchorJudged(judged) => &judged.reason,
        Record::AnchorSettled(settled) => &settled.reason,
        _ => "",
    }
}

fn entity(entry: &Entry<'_>) -> Value {
    let (kind, uid) = subject(entry.record());
    let mut entity = json!({ "type": kind, "uid": uid, "name": format!("{kind} of entry {}", entry.seq()) });
    if let (Some(version), Some(entity)) = (version(entry.record()), entity.as_object_mut()) {
        entity.insert("version".to_owned(), version.to_string().into());
    }
    entity
}
