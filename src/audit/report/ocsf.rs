//! One event of the Open Cybersecurity Schema Framework an entry, for the SIEM that a company already runs.
//!
//! OCSF 1.1.0. Wrong passphrases are Authentication (3002), commands and self-tests Application Lifecycle (6002),
//! everything else is Entity Management (3004) of a policy, root, officer, key, request, approval or signature. The
//! exact line goes along as `raw_data`.

use crate::ledger::anchors::Verdict;
use crate::ledger::summary::summary;
use crate::ledger::{Entry, Kind};
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
    let more = match class.uid {
        3002 => json!({
            "user": { "name": entry.text("officer") },
            "service": { "name": "countersign station" },
            "is_remote": false,
        }),
        6002 => {
            json!({ "app": { "name": "countersign", "vendor_name": "countersign", "version": entry.text("tool") } })
        }
        _ => json!({ "entity": entity(entry), "comment": entry.text("reason") }),
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
    match entry.kind() {
        Kind::OfficerAuthFailed => {
            Class { uid: 3002, activity: 1, activity_name: "Logon", severity: 3, failed: true }
        }
        Kind::SessionOpened => running(3, "Start", 1, false),
        Kind::SessionClosed => running(4, "Stop", 1, entry.int("exit") != 0),
        Kind::StationCreated => running(1, "Install", 1, false),
        Kind::Selftest => {
            let failed = !entry.flag("passed");
            running(99, "Self-test", if failed { 4 } else { 1 }, failed)
        }
        Kind::LogRecovered => running(99, "Recovery", 3, false),
        Kind::LogVerified => running(99, "Verification", 1, false),
        Kind::LogExported => running(99, "Export of evidence", 1, false),
        Kind::RootPinned | Kind::OfficerAdded | Kind::KeyImported | Kind::KeyGenerated => {
            managed(CREATE, 2, false)
        }
        Kind::RootUpdated | Kind::KeySealed | Kind::KeyBackedUp | Kind::KeyRestored => {
            managed(UPDATE, 2, false)
        }
        Kind::PolicyChanged | Kind::OnlineKeyPinned | Kind::TimeStatement | Kind::Deviation => {
            managed(UPDATE, 3, false)
        }
        Kind::OfficerRetired | Kind::KeyRetired => managed(DELETE, 2, false),
        Kind::RequestImported
        | Kind::ReviewRendered
        | Kind::ApprovalGranted
        | Kind::BundleExported
        | Kind::SlipExported => managed(CREATE, 1, false),
        Kind::EvidenceVerified
        | Kind::EvidenceSeen
        | Kind::NonceDrawn
        | Kind::ReviewKept
        | Kind::ActSigned => managed(OTHER, 1, false),
        Kind::SignResult => managed(CREATE, 2, false),
        Kind::SignIntent | Kind::KeyDrilled | Kind::WitnessCosigned => managed(OTHER, 1, false),
        Kind::RootRejected | Kind::RequestRejected | Kind::ApprovalDenied | Kind::ApprovalExpired => {
            managed(OTHER, 3, true)
        }
        Kind::SignAborted | Kind::ExportFailed | Kind::WitnessOverdue | Kind::WitnessStale => {
            managed(OTHER, 3, true)
        }
        Kind::WitnessAdded | Kind::StationSucceeds | Kind::MarkTakenOver => managed(CREATE, 2, false),
        Kind::WitnessRetired => managed(DELETE, 2, false),
        Kind::AnchorSettled => managed(UPDATE, 4, false),
        Kind::AnchorJudged => match Verdict::named(&entry.text("verdict")) {
            Some(verdict) if verdict.stops() => managed(OTHER, 5, true),
            Some(Verdict::Known) => managed(OTHER, 1, false),
            _ => managed(OTHER, 3, false),
        },
        Kind::SignInDoubt | Kind::SignRecovered => managed(OTHER, 4, true),
    }
}

fn entity(entry: &Entry<'_>) -> Value {
    let (kind, field) = match entry.kind() {
        Kind::RootPinned | Kind::RootUpdated => ("root", "fingerprint"),
        Kind::RootRejected => ("root", "reason"),
        Kind::PolicyChanged => ("policy", "to"),
        Kind::OnlineKeyPinned => ("online targets key", "keyid"),
        Kind::OfficerAdded | Kind::OfficerRetired => ("officer", "officer"),
        Kind::RequestImported
        | Kind::EvidenceVerified
        | Kind::EvidenceSeen
        | Kind::NonceDrawn
        | Kind::ReviewRendered
        | Kind::ReviewKept
        | Kind::BundleExported
        | Kind::SlipExported
        | Kind::ExportFailed => ("request", "request"),
        Kind::RequestRejected => ("request", "source"),
        Kind::ApprovalGranted | Kind::ApprovalDenied | Kind::ApprovalExpired => ("approval", "nonce"),
        Kind::SignIntent | Kind::SignRecovered | Kind::SignResult | Kind::SignAborted | Kind::SignInDoubt => {
            ("signature", "signed")
        }
        Kind::WitnessCosigned
        | Kind::WitnessOverdue
        | Kind::WitnessStale
        | Kind::AnchorJudged
        | Kind::StationSucceeds => ("checkpoint", "root"),
        Kind::WitnessAdded | Kind::WitnessRetired => ("witness", "witness"),
        Kind::AnchorSettled => ("checkpoint", "reason"),
        Kind::MarkTakenOver => ("mark", "signed"),
        Kind::TimeStatement => ("clock", "time_claimed"),
        Kind::ActSigned => ("act", "digest"),
        Kind::Deviation => ("ceremony", "statement"),
        _ => ("key", "keyid"),
    };
    let mut entity =
        json!({ "type": kind, "uid": entry.text(field), "name": format!("{kind} of entry {}", entry.seq()) });
    if entry.has("version")
        && let Some(entity) = entity.as_object_mut()
    {
        entity.insert("version".to_owned(), entry.int("version").to_string().into());
    }
    entity
}
