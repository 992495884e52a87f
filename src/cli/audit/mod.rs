//! `audit`: the auditor's commands. They need no station and never write into the pack.

mod ceremony;
pub(crate) mod choose;
mod cosign;
mod known;
mod print;
pub(crate) mod program;
mod proof;
mod reconcile;
mod report;
mod table;
mod verify;

pub(crate) use known::key_text;
pub(crate) use print::{describe_compared, describe_verdict, describe_witnessed, verdict_value};
pub use program::main;

use super::{Context, Exit, Failure, Outcome};
use crate::audit::who::{self, Question};
use crate::audit::{AuditError, Outcome as Answer, Pack};
use crate::ledger::Proofs;
use crate::ledger::store::Head;
use crate::ledger::summary::timeline_line;
use known::LogKey;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Read a log on another machine: verify, show, who, reconcile, prove, report.
#[derive(clap::Subcommand)]
#[command(
    after_help = "Example:\n  countersign audit verify evidence/ --key log.vkey --state heads.json\n  countersign audit who evidence/ --version 42"
)]
pub(crate) enum Args {
    /// Check everything in an evidence pack, and name the first bad entry.
    Verify(verify::Args),
    /// Show the entries.
    #[command(after_help = "Example:\n  countersign audit show evidence/ --officer alice")]
    Show {
        /// The evidence pack.
        dir: PathBuf,
        /// Which entries.
        #[command(flatten)]
        chosen: choose::Chosen,
        /// The key that the log must be signed with.
        #[command(flatten)]
        key: LogKey,
    },
    /// Who signed it, when, with which key, on whose approval?
    Who(WhoArgs),
    /// Compare published targets metadata with the log, both ways.
    #[command(after_help = "Example:\n  countersign audit reconcile evidence/ --targets published/")]
    Reconcile(reconcile::Args),
    /// The auditor as a witness: verify the pack, and that it continues what was cosigned before, and cosign its head.
    Cosign(cosign::Args),
    /// Make the auditor's key for cosigning.
    WitnessKey(cosign::KeyArgs),
    /// Print the receipt of one entry (C2SP tlog-proof).
    #[command(after_help = "Example:\n  countersign audit prove evidence/ --seq 41 > receipt.tlog-proof")]
    Prove {
        /// The evidence pack.
        dir: PathBuf,
        /// The entry's number.
        #[arg(long, value_name = "N")]
        seq: u64,
    },
    /// Check a receipt with nothing but the log's public key.
    #[command(after_help = "Example:\n  countersign audit check-proof receipt.tlog-proof --key log.vkey")]
    CheckProof(proof::Args),
    /// Write a report for the compliance file.
    Report(report::Args),
    /// Write one annotated page about one ceremony.
    Ceremony(ceremony::Args),
}

/// Who signed it?
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("question").required(true).args(["version", "target", "digest", "signer"])))]
#[command(after_help = "Example:\n  countersign audit who evidence/ --target intel-corei7-64-lmp-42")]
pub(crate) struct WhoArgs {
    /// The evidence pack.
    dir: PathBuf,
    /// The metadata version.
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    /// The name of a target in the signed document.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// The first digits of the digest of the signed bytes, the request or the review.
    #[arg(long, value_name = "HEX")]
    digest: Option<String>,
    /// The first digits of the id of the key that signed.
    #[arg(long = "key", value_name = "KEYID")]
    signer: Option<String>,
    /// The key that the log must be signed with.
    #[command(flatten)]
    log_key: LogKey,
}

/// Says on standard error what an answer rests on.
fn note_basis(context: &Context<'_>, pack: &Pack<'_>, head: &Head) {
    let key = if pack.key_was_given() {
        "the key that was given".to_owned()
    } else {
        "the key that came with the pack; to compare it, give --log-key".to_owned()
    };
    context.note(&format!(
        "From the {} entries under the signed checkpoint, by {key}. For all of it: the command verify\n",
        head.checkpoint.size
    ));
}

pub(crate) fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Verify(args) => verify::run(&args, context),
        Args::Show { dir, chosen, key } => show(&dir, &chosen, &key, context),
        Args::Who(args) => answer_who(args, context),
        Args::Reconcile(args) => reconcile::run(&args, context),
        Args::Prove { dir, seq } => prove(&dir, seq, context),
        Args::Cosign(args) => cosign::run(&args, context),
        Args::WitnessKey(args) => cosign::make_key(&args, context),
        Args::CheckProof(args) => proof::run(&args, context),
        Args::Report(args) => report::run(&args, context),
        Args::Ceremony(args) => ceremony::run(&args, context),
    }
}

/// The exit code of an answer.
pub(crate) fn exit(answer: Answer) -> Exit {
    match answer {
        Answer::Whole => Exit::Done,
        Answer::Tampered => Exit::Tampered,
        Answer::Forked => Exit::Forked,
        Answer::RolledBack => Exit::RolledBack,
        Answer::Unwitnessed => Exit::Unwitnessed,
        Answer::InDoubt => Exit::InDoubt,
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Failure {
        let tampered = matches!(error, AuditError::Flawed(_) | AuditError::PackKey(_));
        let exit = if tampered { Exit::Tampered } else { Exit::Failed };
        Failure::new(exit, error.to_string())
    }
}

fn show(dir: &Path, chosen: &choose::Chosen, key: &LogKey, context: &Context<'_>) -> Outcome {
    let filter = chosen.filter()?;
    let pack = key.open(context, dir)?;
    let head = pack.head()?;
    let mut lines = Vec::new();
    let mut text = String::new();
    pack.each_entry(&head, |entry| {
        if filter.matches(entry) && context.global.json {
            lines.push(entry.line().to_vec());
        } else if filter.matches(entry) {
            text.push_str(&timeline_line(entry));
            text.push('\n');
        }
        Ok(true)
    })?;
    note_basis(context, &pack, &head);
    if !context.global.json && text.is_empty() {
        context.text("No entry is like that.\n")?;
    } else if !context.global.json {
        context.page(
            &format!("Log {}, {} entries", crate::text::shown(&head.checkpoint.origin), head.checkpoint.size),
            &text,
        )?;
    }
    choose::print_json_lines(context, lines.iter().map(Vec::as_slice))?;
    Ok(Exit::Done)
}

fn answer_who(args: WhoArgs, context: &Context<'_>) -> Outcome {
    let question = match (args.version, args.target, args.digest, args.signer) {
        (Some(version), ..) => Question::Version(version),
        (_, Some(target), ..) => Question::Target(target),
        (_, _, Some(digest), _) => Question::Digest(digits(&digest)?),
        // Outside a Factory a key id may be any text.
        (.., Some(key)) if key.is_empty() => {
            return Err(Failure::usage("--key needs the beginning of a key id"));
        }
        (.., Some(key)) if key.bytes().all(|b| b.is_ascii_hexdigit()) => Question::Key(key.to_lowercase()),
        (.., Some(key)) => Question::Key(key),
        _ => return Err(Failure::usage("say what is asked for: --version, --target, --digest or --key")),
    };
    let pack = args.log_key.open(context, &args.dir)?;
    let head = pack.head()?;
    let found = who::find(&pack, &head, &question)?;
    note_basis(context, &pack, &head);
    if found.is_empty() {
        context.text("No signature in this log is for that, and no intent to make one.\n")?;
    }
    for signed in &found {
        context.text(&format!("{}\n", signed.text()))?;
    }
    context.done(&found)
}

/// The first digits of a digest, in lower case. Fewer would be met by chance, and none by everything.
fn digits(given: &str) -> Result<String, Failure> {
    let fits = (4..=64).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_hexdigit());
    if fits {
        return Ok(given.to_lowercase());
    }
    Err(Failure::usage(format!(
        "\"{}\" is not the beginning of a digest: give 4 to 64 hexadecimal digits",
        crate::text::shown(given)
    )))
}

fn prove(dir: &Path, seq: u64, context: &Context<'_>) -> Outcome {
    let pack = Pack::open(&*context.host.disk, dir, None)?;
    let head = pack.head()?;
    let proofs = Proofs::read(pack.disk(), pack.dir(), &head.checkpoint).map_err(AuditError::from)?;
    let proof = proofs.receipt(pack.disk(), pack.dir(), &head, seq).map_err(AuditError::from)?;
    context.text(&proof.text())?;
    context.done(&json!({ "seq": seq, "size": head.checkpoint.size, "proof": proof.text() }))
}
