//! Remarks that an entry makes by itself, whatever stands around it: refusals, recoveries, failed passphrases.

use super::facts::{Said, short};
use super::remark::RemarkKind;
use crate::ledger::{Entry, Kind};
use crate::text::Foreign;

/// Remarks that an entry makes by itself.
pub(super) fn plain_remark(entry: &Entry<'_>) -> Option<Said> {
    let text = |field: &str| Foreign(&entry.text(field)).to_string();
    let actor = || Foreign(&entry.actor()).to_string();
    let request = || short(&entry.text("request"));
    Some(match entry.kind() {
        Kind::SignInDoubt if entry.text("resolution").is_empty() => (
            RemarkKind::InDoubt,
            format!("whether intent {} led to a signature is not known", entry.int("intent")),
        ),
        Kind::SignInDoubt => (
            RemarkKind::InDoubt,
            format!(
                "{} settled intent {} to sign request {} with key {}: {}",
                actor(),
                entry.int("intent"),
                request(),
                short(&entry.text("keyid")),
                text("resolution")
            ),
        ),
        Kind::SignRecovered => (
            RemarkKind::InDoubt,
            format!("an intent to sign request {} stood after the newest checkpoint", request()),
        ),
        Kind::LogRecovered => (
            RemarkKind::Recovery,
            format!(
                "{} bytes after the newest checkpoint were moved from {} to {}, and count for nothing",
                entry.int("bytes"),
                text("file"),
                text("saved")
            ),
        ),
        Kind::Deviation => (RemarkKind::Deviation, format!("{}: {}", actor(), text("statement"))),
        Kind::OnlineKeyPinned if !entry.text("from").is_empty() => (
            RemarkKind::Deviation,
            format!(
                "{} pinned another online targets key: {} instead of {}",
                actor(),
                text("keyid"),
                text("from")
            ),
        ),
        Kind::TimeStatement => (
            RemarkKind::Deviation,
            format!("{} stated that it was {}: {}", actor(), text("time_claimed"), text("reason")),
        ),
        Kind::OfficerAuthFailed => (
            RemarkKind::FailedPassphrase,
            format!("wrong passphrase for {} ({})", text("officer"), text("purpose")),
        ),
        Kind::RequestRejected => (
            RemarkKind::Refusal,
            format!("a request from {} was refused: {}", text("source"), text("reason")),
        ),
        Kind::RootRejected => {
            (RemarkKind::Refusal, format!("root {} was refused: {}", entry.int("version"), text("reason")))
        }
        Kind::ApprovalDenied => (
            RemarkKind::Refusal,
            format!("{} refused request {}: {}", text("officer"), request(), text("reason")),
        ),
        Kind::ApprovalExpired => (
            RemarkKind::Refusal,
            format!("the approval of {} for request {} had expired", text("officer"), request()),
        ),
        Kind::SignAborted => {
            let intent = entry.int("intent");
            let what =
                if intent == 0 { format!("request {}", request()) } else { format!("intent {intent}") };
            (RemarkKind::Refusal, format!("{what} was not signed: {}", text("reason")))
        }
        Kind::ReviewRendered if !entry.flag("signable") => {
            let blocks: Vec<String> = entry
                .pairs("findings")
                .iter()
                .filter(|(_, severity)| severity == "block")
                .map(|(check, _)| Foreign(check).to_string())
                .collect();
            (RemarkKind::Refusal, format!("request {} cannot be signed: {}", request(), blocks.join(", ")))
        }
        Kind::Selftest if !entry.flag("passed") => {
            let failed: Vec<String> = entry
                .pairs("checks")
                .iter()
                .filter(|(_, outcome)| outcome != "passed" && outcome != "ok")
                .map(|(name, outcome)| format!("{} ({})", Foreign(name), Foreign(outcome)))
                .collect();
            (RemarkKind::FailedSelftest, format!("not passed: {}", failed.join(", ")))
        }
        Kind::ExportFailed => (
            RemarkKind::FailedExport,
            format!("request {} to {}: {}", request(), text("folder"), text("reason")),
        ),
        Kind::WitnessOverdue => (
            RemarkKind::WitnessOverdue,
            format!("no cosignature by {} over {} entries", text("witness"), entry.int("size")),
        ),
        _ => return None,
    })
}
