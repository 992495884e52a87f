//! `audit`: the auditor's commands. They need no station and never write into the pack.

pub mod choose;
mod cosign;
mod print;
mod program;
mod proof;
mod reconcile;

pub use print::{describe_compared, describe_verdict, describe_witnessed, verdict_value};
pub use program::main;

use super::{Context, Exit, Failure, Outcome};
use crate::audit::report::{self, Format};
use crate::audit::state::State;
use crate::audit::verdict::{self, Compare};
use crate::audit::who::{self, Question};
use crate::audit::{AuditError, Options, Outcome as Answer, Pack};
use crate::bundle::anchors;
use crate::ledger::Proofs;
use crate::ledger::store::Head;
use crate::ledger::summary::timeline_line;
use crate::tlog::VerifierKey;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Read a log on another machine: verify, show, who, reconcile, prove, report.
#[derive(clap::Subcommand)]
#[command(
    after_help = "Example:\n  countersign audit verify evidence/ --key log.vkey --state heads.json\n  countersign audit who evidence/ --version 42"
)]
pub enum Args {
    /// Check everything in an evidence pack, and name the first bad entry.
    Verify(VerifyArgs),
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
    #[command(after_help = "Example:\n  countersign audit report evidence/ --format html --out report.html")]
    Report {
        /// The evidence pack.
        dir: PathBuf,
        /// html, csv, jsonl or ocsf.
        #[arg(long, value_enum, default_value = "html")]
        format: Format,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// What is known from elsewhere.
        #[command(flatten)]
        known: Known,
    },
}

/// Check everything in an evidence pack.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign audit verify evidence/ --key log.vkey --state heads.json\n\nExit codes: 0 whole, 10 tampered, 11 forked, 12 rolled back, 13 unwitnessed, 14 in doubt."
)]
pub struct VerifyArgs {
    /// The evidence pack.
    dir: PathBuf,
    /// What is known from elsewhere.
    #[command(flatten)]
    known: Known,
}

/// What the auditor knows from elsewhere.
#[derive(clap::Args)]
pub struct Known {
    /// The log's public key as it came another way, or a file that holds it.
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// Remember the heads seen in this file, and compare with those seen before.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Checkpoints that came another way: log/checkpoint of a signed bundle, or the bundle's folder.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,
    /// The key of a witness whose cosignatures are counted, or a file that holds it. Without it, those that the log has.
    #[arg(long, value_name = "VKEY", num_args = 1..)]
    witness: Vec<String>,
}

/// Who signed it?
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("question").required(true).args(["version", "target", "digest", "signer"])))]
#[command(after_help = "Example:\n  countersign audit who evidence/ --target intel-corei7-64-lmp-42")]
pub struct WhoArgs {
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

/// The log's public key, for commands whose answer rests on the head that it signed.
#[derive(clap::Args)]
pub struct LogKey {
    /// The log's public key as it came another way, or a file that holds it.
    #[arg(long, value_name = "VKEY")]
    log_key: Option<String>,
}

impl LogKey {
    fn open<'c>(&self, context: &'c Context<'_>, dir: &Path) -> Result<Pack<'c>, Failure> {
        let key = self.log_key.as_deref().map(|given| key_text(context, given)).transpose()?;
        Ok(Pack::open(&*context.host.disk, dir, key.as_deref())?)
    }
}

/// Says on standard error what an answer rests on.
fn note_basis(context: &Context<'_>, pack: &Pack<'_>, head: &Head) {
    let key = if pack.key_was_given() {
        "the key that was given".to_owned()
    } else {
        "the key that came with the pack; to compare it, give --log-key".to_owned()
    };
    context.note(&format!(
        "From the {} entries under the signed checkpoint, by {key}. For all of it: countersign audit verify\n",
        head.checkpoint.size
    ));
}

/// Runs it.
pub fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Verify(args) => verify(&args, context),
        Args::Show { dir, chosen, key } => show(&dir, &chosen, &key, context),
        Args::Who(args) => answer_who(args, context),
        Args::Reconcile(args) => reconcile::run(&args, context),
        Args::Prove { dir, seq } => prove(&dir, seq, context),
        Args::Cosign(args) => cosign::run(&args, context),
        Args::WitnessKey(args) => cosign::make_key(&args, context),
        Args::CheckProof(args) => proof::run(&args, context),
        Args::Report { dir, format, out, known } => write_report(&dir, format, &out, &known, context),
    }
}

/// The exit code of an answer.
pub fn exit(answer: Answer) -> Exit {
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

/// A key given as itself or as a file.
///
/// # Errors
/// The file cannot be read.
pub fn key_text(context: &Context<'_>, given: &str) -> Result<String, Failure> {
    if VerifierKey::parse(given).is_ok() {
        return Ok(given.to_owned());
    }
    let bytes = context.host.disk.read(Path::new(given), 4_096)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

fn open<'c>(context: &'c Context<'_>, dir: &Path) -> Result<Pack<'c>, Failure> {
    Ok(Pack::open(&*context.host.disk, dir, None)?)
}

/// What a log is compared with, read from the auditor's files.
struct Elsewhere {
    state: Option<State>,
    against: Vec<Vec<u8>>,
    witnesses: Vec<VerifierKey>,
}

impl Known {
    fn open<'c>(&self, context: &'c Context<'_>, dir: &Path) -> Result<(Pack<'c>, Elsewhere), Failure> {
        let disk = &*context.host.disk;
        let key = self.key.as_deref().map(|given| key_text(context, given)).transpose()?;
        let pack = Pack::open(disk, dir, key.as_deref())?;
        if let Some(path) = &self.state {
            pack.refuse_within(path)?;
        }
        let state = self.state.as_deref().map(|path| State::read(disk, path)).transpose()?;
        let against = self.against.iter().map(|path| anchors::read(disk, path));
        let against = against.collect::<Result<_, _>>()?;
        let key = |given: &String| {
            let key = VerifierKey::parse(&key_text(context, given)?);
            let key = key.map_err(|e| Failure::new(Exit::Failed, format!("--witness: {e}")))?;
            key.is_witness().then_some(key).ok_or_else(|| {
                Failure::new(
                    Exit::Failed,
                    "--witness: it is a key for notes (type 1), not a witness's (type 4)",
                )
            })
        };
        let witnesses = self.witness.iter().map(key).collect::<Result<_, _>>()?;
        Ok((pack, Elsewhere { state, against, witnesses }))
    }
}

impl Elsewhere {
    fn compare(&mut self, context: &Context<'_>) -> Compare<'_> {
        let now = Some(context.host.clock.now());
        let (against, witnesses) = (std::mem::take(&mut self.against), std::mem::take(&mut self.witnesses));
        Compare { state: self.state.as_mut(), against, witnesses, now }
    }

    fn keep(&self, context: &Context<'_>) -> Result<(), Failure> {
        Ok(self.state.iter().try_for_each(|state| state.write(&*context.host.disk))?)
    }
}

fn verify(args: &VerifyArgs, context: &Context<'_>) -> Outcome {
    let (pack, mut elsewhere) = args.known.open(context, &args.dir)?;
    let compare = elsewhere.compare(context);
    let verdict = verdict::verify(&pack, Options::default(), compare, &mut |_, _| Ok(()))?;
    elsewhere.keep(context)?;
    context.text(&describe_verdict(&verdict, pack.key(), pack.key_was_given()))?;
    context.text(&describe_compared(&verdict))?;
    context.text(&describe_witnessed(&verdict))?;
    if !pack.key_was_given() {
        context.text(&format!(
            "The key came with the pack: {}\nWhether it is the station's, the pack cannot prove. Compare it with one that came another way (--key).\n",
            pack.key()
        ))?;
    }
    context.json(&verdict_value(&verdict, pack.key(), pack.key_was_given()))?;
    Ok(exit(verdict.outcome))
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
        context.page(&text)?;
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
    context.json(&found)?;
    Ok(Exit::Done)
}

/// The first digits of a digest, in lower case. Fewer would be met by chance, and none by everything.
fn digits(given: &str) -> Result<String, Failure> {
    let fits = (4..=64).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_hexdigit());
    if fits {
        return Ok(given.to_lowercase());
    }
    Err(Failure::usage(format!(
        "\"{}\" is not the beginning of a digest: give --digest 4 to 64 hexadecimal digits",
        crate::text::shown(given)
    )))
}

fn prove(dir: &Path, seq: u64, context: &Context<'_>) -> Outcome {
    let pack = open(context, dir)?;
    let head = pack.head()?;
    let proofs = Proofs::read(pack.disk(), pack.dir(), &head.checkpoint).map_err(AuditError::from)?;
    let proof = proofs.receipt(pack.disk(), pack.dir(), &head, seq).map_err(AuditError::from)?;
    context.text(&proof.text())?;
    context.json(&json!({ "seq": seq, "size": head.checkpoint.size, "proof": proof.text() }))?;
    Ok(Exit::Done)
}

fn write_report(dir: &Path, format: Format, out: &Path, known: &Known, context: &Context<'_>) -> Outcome {
    if known.state.as_deref() == Some(out) {
        let why = "--out and --state name the same file: what you remember of the log would be lost. Give another --out";
        return Err(Failure::usage(why));
    }
    let (pack, mut elsewhere) = known.open(context, dir)?;
    let compare = elsewhere.compare(context);
    let verdict = report::write(&pack, format, out, compare, context.host.clock.now())?;
    elsewhere.keep(context)?;
    context.text(&format!(
        "Report written to {}\n{}{}",
        crate::text::shown_path(out),
        describe_verdict(&verdict, pack.key(), pack.key_was_given()),
        describe_compared(&verdict)
    ))?;
    context.json(&json!({ "out": out.to_string_lossy(), "verdict": verdict_value(&verdict, pack.key(), pack.key_was_given()) }))?;
    Ok(exit(verdict.outcome))
}
