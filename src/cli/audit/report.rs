//! `audit report`: one file about one station or several, for the compliance file, a spreadsheet, a database or a SIEM.

use super::known::{self, Known};
use super::table::{Row, Verified, describe_rows, gravest, rows_value};
use super::{describe_compared, describe_verdict, exit, verdict_value};
use crate::audit::Pack;
use crate::audit::report::{self, Format};
use crate::cli::{Context, Failure, Outcome};
use crate::text::shown_path;
use serde_json::json;
use std::path::PathBuf;

/// Write a report for the compliance file.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign audit report evidence/ --format html --out report.html\n  countersign audit report site-a/ site-b/ site-c/ --format jsonl --out entries.jsonl"
)]
pub(crate) struct Args {
    /// The evidence pack, or several.
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// html, csv, jsonl or ocsf.
    #[arg(long, value_enum, default_value = "html")]
    format: Format,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What is known from elsewhere.
    #[command(flatten)]
    known: Known,
}

/// Runs it. A pack that cannot be read ends it: a report has all stations that it was asked for.
pub(super) fn run(args: &Args, context: &Context<'_>) -> Outcome {
    if args.known.state.as_ref() == Some(&args.out) {
        let why = "--out and --state name the same file: what you remember of the log would be lost. Give another --out";
        return Err(Failure::usage(why));
    }
    let keys = args.known.keys(context)?;
    let opened =
        args.dirs.iter().map(|dir| known::open(context, dir, &keys)).collect::<Result<Vec<_>, _>>()?;
    let packs: Vec<&Pack<'_>> = opened.iter().collect();
    let mut elsewhere = args.known.elsewhere(context, &packs)?;
    elsewhere.require_logs(&packs)?;
    let (disk, now) = (&*context.host.disk, context.host.clock.now());
    let verdicts = report::write(&packs, args.format, &args.out, &mut elsewhere, disk, now)?;
    elsewhere.keep(disk)?;
    context.text(&format!("Report written to {}\n", shown_path(&args.out)))?;
    let out = args.out.to_string_lossy();
    if let ([pack], [verdict]) = (packs.as_slice(), verdicts.as_slice()) {
        let (key, was_given) = (pack.key(), pack.key_was_given());
        context.text(&describe_verdict(verdict, key, was_given))?;
        context.text(&describe_compared(verdict))?;
        context.json(&json!({ "out": out, "verdict": verdict_value(verdict, key, was_given) }))?;
        return Ok(exit(verdict.outcome));
    }
    let verified = packs.iter().zip(verdicts).map(|(pack, verdict)| Verified {
        key: pack.key().clone(),
        key_was_given: pack.key_was_given(),
        verdict,
    });
    let rows = args.dirs.iter().zip(verified).map(|(dir, one)| Row { dir: dir.clone(), verified: Ok(one) });
    let rows: Vec<Row> = rows.collect();
    context.text(&describe_rows(&rows))?;
    context.json(&json!({ "out": out, "verdicts": rows_value(&rows) }))?;
    Ok(gravest(&rows))
}
