//! `audit check-proof`: a receipt, with nothing but the log's public key.

use crate::audit::AuditError;
use crate::cli::{Context, Exit, Failure, Outcome};
use crate::log::proof::{LARGEST_PROOF, Proof};
use crate::log::summary::summary;
use crate::log::{Entry, VerifierKey};
use crate::text::shown;
use serde_json::json;
use std::path::PathBuf;

/// Check a receipt.
#[derive(clap::Args)]
pub struct Args {
    /// The receipt.
    file: PathBuf,
    /// The log's public key, or a file that holds it.
    #[arg(long, value_name = "VKEY")]
    key: String,
}

/// Runs it.
pub fn run(args: &Args, context: &Context<'_>) -> Outcome {
    let text = super::key_text(context, &args.key)?;
    let key = VerifierKey::parse(&text).map_err(|e| Failure::usage(format!("--key: {e}")))?;
    let proof = Proof::parse(&context.host.disk.read(&args.file, LARGEST_PROOF as u64)?)
        .map_err(AuditError::Flawed)?;
    let line = proof.line.clone().ok_or_else(|| {
        Failure::new(Exit::Failed, "the receipt does not carry its entry (no \"extra\" line), so there is nothing to check it against")
    })?;
    let checkpoint = proof.verify(&line, &key).map_err(AuditError::Flawed)?;
    let entry = Entry::read(&line).map_err(|fault| {
        Failure::new(Exit::Tampered, format!("the entry is not in the log's form: {fault}"))
    })?;
    if entry.seq() != proof.index {
        return Err(Failure::new(
            Exit::Tampered,
            format!("the entry says that it is number {}, the receipt {}", entry.seq(), proof.index),
        ));
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
