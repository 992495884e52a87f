//! Remarks that an entry makes by itself, whatever stands around it: refusals, recoveries, failed passphrases.

use super::facts::{Said, short};
use super::remark::RemarkKind;
use crate::ledger::field::{Check, Finding};
use crate::ledger::{Entry, Record};
use crate::text::Foreign;

/// Remarks that an entry makes by itself.
pub(super) fn plain_remark(entry: &Entry<'_>) -> Option<Said> {
    doubt(entry)
        .or_else(|| refusal(entry.record()))
        .or_else(|| deviation(entry))
        .or_else(|| failure(entry.record()))
}

fn doubt(entry: &Entry<'_>) -> Option<Said> {
    Some(match entry.record() {
        Record::SignInDoubt(doubt) if doubt.resolution.is_empty() => {
            (RemarkKind::InDoubt, format!("whether intent {} led to a signature is not known", doubt.intent))
        }
        Record::SignInDoubt(doubt) => (
            RemarkKind::InDoubt,
            format!(
                "{} settled intent {} to sign request {} with key {}: {}",
                Foreign(&entry.actor()),
                doubt.intent,
                short(&doubt.request),
                short(&doubt.keyid),
                Foreign(&doubt.resolution)
            ),
        ),
        Record::SignRecovered(intent) => (
            RemarkKind::InDoubt,
            format!("an intent to sign request {} stood after the newest checkpoint", short(&intent.request)),
        ),
        Record::LogRecovered(recovered) => (
            RemarkKind::Recovery,
            format!(
                "{} bytes after the newest checkpoint were moved from {} to {}, and count for nothing",
                recovered.bytes,
                Foreign(&recovered.file),
                Foreign(&recovered.saved)
            ),
        ),
        _ => return None,
    })
}

fn deviation(entry: &Entry<'_>) -> Option<Said> {
    let actor = entry.actor();
    let actor = Foreign(&actor);
    let text = match entry.record() {
        Record::Deviation(deviation) => format!("{actor}: {}", Foreign(&deviation.statement)),
        Record::OnlineKeyPinned(online) if !online.from.is_empty() => {
            let (now, was) = (Foreign(&online.keyid), Foreign(&online.from));
            format!("{actor} pinned another online targets key: {now} instead of {was}")
        }
        Record::TimeStatement(stated) => {
            let (time, why) = (Foreign(&stated.time_claimed), Foreign(&stated.reason));
            format!("{actor} stated that it was {time}: {why}")
        }
        _ => return None,
    };
    Some((RemarkKind::Deviation, text))
}

fn refusal(record: &Record<'_>) -> Option<Said> {
    Some(match record {
        Record::RequestRejected(refused) => (
            RemarkKind::Refusal,
            format!("a request from {} was refused: {}", Foreign(&refused.source), Foreign(&refused.reason)),
        ),
        Record::RootRejected(root) => {
            (RemarkKind::Refusal, format!("root {} was refused: {}", root.version, Foreign(&root.reason)))
        }
        Record::ApprovalDenied(denied) => (
            RemarkKind::Refusal,
            format!(
                "{} refused request {}: {}",
                Foreign(&denied.officer),
                short(&denied.request),
                Foreign(&denied.reason)
            ),
        ),
        Record::ApprovalExpired(expired) => (
            RemarkKind::Refusal,
            format!(
                "the approval of {} for request {} had expired",
                Foreign(&expired.officer),
                short(&expired.request)
            ),
        ),
        Record::SignAborted(aborted) => {
            let what = match aborted.intent {
                0 => format!("request {}", short(&aborted.request)),
                intent => format!("intent {intent}"),
            };
            (RemarkKind::Refusal, format!("{what} was not signed: {}", Foreign(&aborted.reason)))
        }
        Record::ReviewRendered(review) if !review.signable => (
            RemarkKind::Refusal,
            format!("request {} cannot be signed: {}", short(&review.request), blocks(&review.findings)),
        ),
        _ => return None,
    })
}

/// What did not pass: a passphrase, the machine, an export, a witness.
fn failure(record: &Record<'_>) -> Option<Said> {
    Some(match record {
        Record::OfficerAuthFailed(failed) => (
            RemarkKind::FailedPassphrase,
            format!("wrong passphrase for {} ({})", Foreign(&failed.officer), Foreign(&failed.purpose)),
        ),
        Record::Selftest(tested) if !tested.passed => {
            // An entry of this kind is a whole preflight; the self-test is one line of it.
            let is_program = |check: &Check<'_>| check.name == "self-test" && is_bad(&check.outcome);
            let kind = match tested.checks.iter().any(is_program) {
                true => RemarkKind::FailedSelftest,
                false => RemarkKind::FailedPreflight,
            };
            (kind, format!("not passed: {}", not_passed(&tested.checks)))
        }
        Record::ExportFailed(failed) => (
            RemarkKind::FailedExport,
            format!(
                "request {} to {}: {}",
                short(&failed.request),
                Foreign(&failed.folder),
                Foreign(&failed.reason)
            ),
        ),
        Record::WitnessOverdue(overdue) => (
            RemarkKind::WitnessOverdue,
            format!("no cosignature by {} over {} entries", Foreign(&overdue.witness), overdue.size),
        ),
        _ => return None,
    })
}

fn blocks(findings: &[Finding<'_>]) -> String {
    let blocks = findings.iter().filter(|finding| finding.severity == "block");
    blocks.map(|finding| Foreign(&finding.check).to_string()).collect::<Vec<_>>().join(", ")
}

fn not_passed(checks: &[Check<'_>]) -> String {
    let failed = checks.iter().filter(|check| is_bad(&check.outcome));
    let words = failed.map(|check| format!("{} ({})", Foreign(&check.name), Foreign(&check.outcome)));
    words.collect::<Vec<_>>().join(", ")
}

/// Does a line of a preflight stop a signature? What is only warned of does not.
fn is_bad(outcome: &str) -> bool {
    outcome.starts_with("fail")
}
