//! `settle`: an officer says what an intent to sign without a result came to.

use super::secrets::PassphraseArgs;
use super::{Context, Exit, Failure, Outcome};
use crate::ceremony::approve::open_officer;
use crate::ledger::acts::{MADE, NOT_MADE};
use crate::vault::officer::OfficerName;
use serde_json::json;

/// Say what an intent to sign without a result came to, after the station stopped in between.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign settle 41 --officer alice --outcome not-made")]
pub(crate) struct Args {
    /// The number of the log entry sign.intent.
    seq: u64,
    /// Who says so.
    #[arg(long, value_name = "NAME")]
    officer: OfficerName,
    /// What came of it: "made" if a signature left the station, "not-made" if none did.
    #[arg(long, value_enum)]
    outcome: What,
    /// Her passphrase.
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// What came of an intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum What {
    /// A signature was made and left the station.
    Made,
    /// No signature left the station.
    NotMade,
}

/// Settles it. The bytes stay marked as signed either way: nothing else is ever signed for that tag and version.
pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let files = args.passphrase.files()?;
    context.with_station("settle", |station| {
        let Some(intent) = station.log.open_intents().find(|intent| intent.seq == args.seq).cloned() else {
            return Err(Failure::new(
                Exit::Failed,
                format!("log entry {} is no intent to sign without a result. See countersign status", args.seq),
            ));
        };
        let officer = open_officer(station, context.host, &args.officer, &files, "settle")?;
        let outcome = if args.outcome == What::Made { MADE } else { NOT_MADE };
        let settled = intent.in_doubt(outcome).by(officer.name().as_str());
        let seq = station.record_act(context.host, settled, &[&officer])?;
        station.commit()?;
        context.text(&format!(
            "Log entry {}: {} says that a signature was {outcome} (log entry {seq})\nEither way no other content is signed \
             for this tag and version. This one can be signed again: countersign sign {} --officer NAMES\n",
            intent.seq,
            args.officer,
            crate::text::short(&intent.request)
        ))?;
        context.done(&json!({ "intent": intent.seq, "resolution": outcome, "seq": seq }))
    })
}
