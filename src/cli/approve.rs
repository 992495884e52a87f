//! `approve` and `reject`: an officer's signed decision.

use super::review::find;
use super::secrets::{ConfirmArgs, PassphraseArgs};
use super::{Context, Failure, Outcome};
use crate::ceremony::approve::{Subject, decide, open_officer, require_may_approve};
use crate::ceremony::reviewed::{Reviewed, confirm, recheck};
use crate::ledger::Decision;
use crate::station::Station;
use crate::text::short;
use crate::vault::officer::OfficerName;
use serde_json::json;

/// An officer's signed approval of the review that was last shown.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign approve 4f2a90c1d3e7 --officer bob")]
pub(crate) struct ApproveArgs {
    /// The request: the first digits of its digest [default: the newest].
    id: Option<String>,
    /// Who approves.
    #[arg(long, value_name = "NAME")]
    officer: OfficerName,
    /// The confirmation.
    #[command(flatten)]
    confirm: ConfirmArgs,
    /// Her passphrase.
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// An officer's signed refusal. Nobody signs the request while it stands.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign reject 4f2a90c1d3e7 --officer bob --reason \"wrong app version\""
)]
pub(crate) struct RejectArgs {
    /// The request: the first digits of its digest [default: the newest].
    id: Option<String>,
    /// Who rejects.
    #[arg(long, value_name = "NAME")]
    officer: OfficerName,
    /// Why; it stands in the log.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Her passphrase.
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn approve(args: ApproveArgs, context: &Context<'_>) -> Outcome {
    let files = args.passphrase.files()?;
    context.with_station("approve", |station| {
        let stored = find(station, args.id.as_deref())?;
        let reviewed = recheck(station, context.host.clock.now(), &stored)?;
        let given = args.confirm.words(context, "Type the confirmation words of the review: ")?;
        confirm(&reviewed, &given)?;
        require_may_approve(station, stored.digest(), &args.officer)?;
        let officer = open_officer(station, context.host, &args.officer, &files, "approve")?;
        let subject = reviewed.subject(&stored);
        let seq = decide(station, context.host, &officer, &subject, Decision::Granted, "")?;
        told(station, context, &args.officer, &subject, Decision::Granted, seq)
    })
}

pub(super) fn reject(args: RejectArgs, context: &Context<'_>) -> Outcome {
    if args.reason.trim().is_empty() {
        return Err(Failure::usage(
            "a rejection needs a reason: give it with --reason TEXT. Nothing was rejected",
        ));
    }
    let files = args.passphrase.files()?;
    context.with_station("reject", |station| {
        let stored = find(station, args.id.as_deref())?;
        let reviewed = Reviewed::of(station, context.host.clock.now(), &stored)?;
        let officer = open_officer(station, context.host, &args.officer, &files, "reject")?;
        let subject = reviewed.subject(&stored);
        let seq = decide(station, context.host, &officer, &subject, Decision::Denied, &args.reason)?;
        told(station, context, &args.officer, &subject, Decision::Denied, seq)
    })
}

/// Commits a decision, and says that it stands.
fn told(
    station: &mut Station,
    context: &Context<'_>,
    officer: &OfficerName,
    subject: &Subject,
    decision: Decision,
    seq: u64,
) -> Outcome {
    station.commit()?;
    let (did, and) = match decision {
        Decision::Granted => ("approved", ""),
        Decision::Denied => ("rejected", "; it cannot be signed while this stands"),
    };
    let request = short(&subject.request);
    context.text(&format!("{officer} {did} request {request} (log entry {seq}){and}\n"))?;
    context.done(&json!({
        "request": subject.request, "review": subject.review, "officer": officer.as_str(),
        "decision": decision.word(), "seq": seq,
    }))
}
