//! `clock`: an officer states that the clock is right, after it was ahead once and the log has entries of that time.

use super::secrets::PassphraseArgs;
use super::{Context, Exit, Failure, Outcome};
use crate::ceremony::approve::open_officer;
use crate::ledger::record::TimeStatement;
use crate::release;
use crate::vault::officer::OfficerName;
use serde_json::json;

/// State that the clock is right: what the log wrote while it was ahead no longer holds signatures up.
///
/// Compare the clock with a watch first. The statement stands in the log, and in every report.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign clock --officer alice --reason \"the year was wrong on Monday\""
)]
pub(crate) struct Args {
    /// Who states it.
    #[arg(long, value_name = "NAME")]
    officer: OfficerName,
    /// Why it has to be stated.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Her passphrase.
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let files = args.passphrase.files()?;
    context.with_station("clock", |station| {
        let now = context.host.clock.now();
        if now < release::EARLIEST {
            return Err(Failure::new(
                Exit::Refused,
                format!("the clock shows {now}, and no copy of this program is that old. Set it by a watch first: date --utc --set"),
            ));
        }
        context.note(&format!("The clock shows {now}. Compare it with a watch that you trust, also the year.\n"));
        let officer = open_officer(station, context.host, &args.officer, &files, "clock")?;
        let (time_claimed, reason) = (now.to_string().into(), (&args.reason).into());
        let stated = TimeStatement { time_claimed, reason }.by(officer.name().as_str());
        let seq = station.record_act(context.host, stated, &[&officer])?;
        station.commit()?;
        context.text(&format!("{} states that it is {now} (log entry {seq})\n", args.officer))?;
        context.done(&json!({ "officer": args.officer.as_str(), "time": now.to_string(), "seq": seq }))
    })
}
