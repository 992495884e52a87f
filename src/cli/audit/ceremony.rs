//! `audit ceremony`: one page of one ceremony.

use super::known::{self, Known};
use super::{digits, exit, verdict_value};
use crate::audit::report::ceremony;
use crate::cli::{Context, Exit, Failure, Outcome};
use crate::text::{counted, shown, shown_path};
use serde_json::json;
use std::path::PathBuf;

/// Write one annotated page about one request: what was taken in, shown, approved, signed and carried out.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign audit ceremony evidence/ --request 0d6367bfdac8 --out v42.html"
)]
pub(crate) struct Args {
    /// The evidence pack.
    dir: PathBuf,
    /// The first digits of the request's digest.
    #[arg(long, value_name = "ID")]
    request: String,
    /// The page to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What is known from elsewhere.
    #[command(flatten)]
    known: Known,
}

pub(super) fn run(args: &Args, context: &Context<'_>) -> Outcome {
    if args.known.state.as_ref() == Some(&args.out) {
        return Err(Failure::usage("--out and --state name the same file. Give another --out"));
    }
    let request = digits(&args.request)?;
    let pack = known::open(context, &args.dir, &args.known.keys(context)?)?;
    let mut elsewhere = args.known.elsewhere(context, &[&pack])?;
    elsewhere.require_logs(&[&pack])?;
    let now = context.host.clock.now();
    let (verdict, count) = ceremony(&pack, &request, &args.out, &mut elsewhere, now)?;
    elsewhere.keep(&*context.host.disk)?;
    if count == 0 {
        let why =
            format!("no entry of this log is about a request whose digest begins with {}", shown(&request));
        return Err(Failure::new(Exit::Failed, why));
    }
    let (out, word) = (shown_path(&args.out), verdict.outcome.word());
    let entries = counted(count, "entry");
    context.text(&format!(
        "Page of {entries} written to {out}; the log is {word}, {} compared\n",
        counted(verdict.heads.len() as u64, "head")
    ))?;
    context.json(&json!({
        "out": args.out.to_string_lossy(), "entries": count,
        "verdict": verdict_value(&verdict, pack.key(), pack.key_was_given()),
    }))?;
    Ok(exit(verdict.outcome))
}
