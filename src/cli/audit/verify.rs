//! `audit verify`: of one pack the whole verdict; of several a table, and the whole of each that is not whole.

use super::known::{self, Known};
use super::table::{Row, Verified, describe_rows, gravest, rows_value};
use super::{describe_compared, describe_verdict, describe_witnessed, exit, verdict_value};
use crate::audit::Pack;
use crate::cli::{Context, Failure, Outcome};
use std::path::PathBuf;

/// Check everything in an evidence pack.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign audit verify evidence/ --key log.vkey --state heads.json\n  countersign audit verify site-a/ site-b/ site-c/ --key all.vkey --state heads.json\n\nExit codes: 0 whole, 1 not verified, 10 tampered, 11 forked, 12 rolled back, 13 unwitnessed, 14 in doubt; of several packs the gravest, in the order 10, 11, 12, 1, 14, 13, 0."
)]
pub(crate) struct Args {
    /// The evidence pack, or several.
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// What is known from elsewhere.
    #[command(flatten)]
    known: Known,
}

pub(super) fn run(args: &Args, context: &Context<'_>) -> Outcome {
    match <[Row; 1]>::try_from(rows(args, context)?) {
        Ok([row]) => one(&row.verified?, context),
        Err(rows) => {
            context.text(&describe_rows(&rows))?;
            context.json(&rows_value(&rows))?;
            Ok(gravest(&rows))
        }
    }
}

/// Verifies the packs. One that cannot be opened or read keeps nobody from the others.
fn rows(args: &Args, context: &Context<'_>) -> Result<Vec<Row>, Failure> {
    let keys = args.known.keys(context)?;
    let opened: Vec<_> = args.dirs.iter().map(|dir| known::open(context, dir, &keys)).collect();
    let packs: Vec<&Pack<'_>> = opened.iter().flatten().collect();
    let mut elsewhere = args.known.elsewhere(context, &packs)?;
    if packs.len() == opened.len() {
        elsewhere.require_logs(&packs)?;
    }
    let mut verdicts = elsewhere.verify_all(&packs).into_iter();
    if !packs.is_empty() {
        elsewhere.keep(&*context.host.disk)?;
    }
    let mut rows = Vec::new();
    for (dir, pack) in args.dirs.iter().zip(opened) {
        // There is a verdict for each pack that was opened.
        let verified = pack.and_then(|pack| {
            let (key, key_was_given) = (pack.key().clone(), pack.key_was_given());
            let verdict = verdicts.next().transpose()?;
            Ok(verdict.map(|verdict| Verified { key, key_was_given, verdict }))
        });
        if let Some(verified) = verified.map_err(Failure::from).transpose() {
            rows.push(Row { dir: dir.clone(), verified });
        }
    }
    Ok(rows)
}

/// The whole verdict of a single pack.
fn one(verified: &Verified, context: &Context<'_>) -> Outcome {
    let Verified { key, key_was_given, verdict } = verified;
    context.text(&describe_verdict(verdict, key, *key_was_given))?;
    context.text(&describe_compared(verdict))?;
    context.text(&describe_witnessed(verdict))?;
    if !key_was_given {
        context.text(&format!(
            "The key came with the pack: {key}\nWhether it is the station's, the pack cannot prove. Compare it with one that came another way (--key).\n"
        ))?;
    }
    context.json(&verdict_value(verdict, key, *key_was_given))?;
    Ok(exit(verdict.outcome))
}
