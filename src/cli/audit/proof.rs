//! `audit check-proof`: a receipt, with nothing but the log's public key.

use crate::cli::{Context, Exit, Failure, Outcome};
use crate::ledger::Entry;
use crate::ledger::summary::summary;
use crate::text::{shown, shown_path};
use crate::tlog::proof::{LARGEST_PROOF, Proof};
use crate::tlog::{Flaw, FlawKind, VerifierKey};
use serde_json::json;
use std::path::PathBuf;

/// Check a receipt.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The receipt.
    file: PathBuf,
    /// The log's public key, or a file that holds it.
    #[arg(long, value_name = "VKEY")]
    key: String,
}

/// What to do about a receipt that was damaged or changed.
const AGAIN: &str = "Ask for the receipt again, or print it from the evidence pack: countersign audit prove";

/// A receipt that proves nothing: why, and what to do.
fn refused(why: &str, what_to_do: &str) -> Failure {
    Failure::new(Exit::Tampered, format!("the receipt does not hold: {why}. {what_to_do}"))
}

/// A flaw of the receipt; it says nothing about the log itself.
fn flawed(flaw: &Flaw) -> Failure {
    let what_to_do = match flaw.kind {
        FlawKind::Key => {
            "Give the public key of that log with --key, as it came another way, or ask for the receipt of the log that you mean"
        }
        _ => AGAIN,
    };
    refused(&flaw.detail, what_to_do)
}

pub(super) fn run(args: &Args, context: &Context<'_>) -> Outcome {
    let text = super::key_text(context, &args.key)?;
    let key = VerifierKey::parse(&text).map_err(|e| Failure::usage(format!("--key: {e}")))?;
    let bytes = context.host.disk.read(&args.file, LARGEST_PROOF as u64)?;
    if !Proof::is_one(&bytes) {
        return Err(Failure::new(
            Exit::Failed,
            format!(
                "{} is not a receipt: its first line is not the one of a C2SP tlog-proof. Give log/receipt.tlog-proof of a signed bundle, or what \"countersign audit prove\" printed",
                shown_path(&args.file)
            ),
        ));
    }
    let proof = Proof::parse(&bytes).map_err(|flaw| flawed(&flaw))?;
    let line = proof.line.clone().ok_or_else(|| {
        Failure::new(Exit::Failed, "the receipt does not carry its entry (no \"extra\" line), so there is nothing to check it against. Print one that does from the evidence pack: countersign audit prove")
    })?;
    let checkpoint = proof.verify(&line, &key).map_err(|flaw| flawed(&flaw))?;
    let entry = Entry::read(&line)
        .map_err(|fault| refused(&format!("the entry is not in the log's form: {fault}"), AGAIN))?;
    if entry.seq() != proof.index {
        let why = format!("the entry says that it is number {}, the receipt {}", entry.seq(), proof.index);
        return Err(refused(&why, AGAIN));
    }
    context.text(&format!(
        "The receipt holds: entry {} is in the log {} of {} entries\n{}  {}  {}\n",
        proof.index,
        shown(&checkpoint.origin),
        checkpoint.size,
        entry.time(),
        shown(&entry.actor()),
        summary(&entry)
    ))?;
    if context.global.json {
        let entry: serde_json::Value =
            serde_json::from_slice(&line).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        context.json(&json!({ "ok": true, "seq": proof.index, "size": checkpoint.size, "origin": checkpoint.origin, "entry": entry }))?;
    }
    Ok(Exit::Done)
}
