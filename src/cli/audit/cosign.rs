//! `audit witness-key`, `audit cosign`: the auditor as a witness, from the pack alone, with a state of her own.

use super::{describe_compared, describe_verdict, exit, verdict_value};
use crate::audit::state::State;
use crate::audit::verdict::{self, Compare};
use crate::audit::{Options, Outcome as Answer, Pack};
use crate::cli::failure::text_in;
use crate::cli::{Context, Exit, Failure, Outcome};
use crate::text::shown_path;
use crate::tlog::note::NoteSigner;
use crate::words;
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The most bytes of a key file.
const LARGEST_KEY: u64 = 4_096;

/// Make the auditor's key for cosigning. It stays on her machine; the station is told its public half.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign audit witness-key --name auditor.example/acme --out auditor.key\n\nIts public half, auditor.vkey, goes to the station: countersign witness add auditor.vkey --officer NAME"
)]
pub(crate) struct KeyArgs {
    /// The witness's name: a host name of the auditor's, with a path, without white space or a plus.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The file for the private key; it must not exist. The public half is written beside it, as .vkey.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Verify a pack, and that it continues what was cosigned before, and cosign its head.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign audit cosign evidence/ --key auditor.key --state cosigned.json --out acme.note\n\nThe note goes back with the next request: countersign request --anchor acme.note …"
)]
pub(crate) struct Args {
    /// The evidence pack.
    dir: PathBuf,
    /// The auditor's private key: countersign audit witness-key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What was cosigned before; made when it does not exist.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// The file for the cosigned head; it must not exist.
    #[arg(long, value_name = "NOTE")]
    out: PathBuf,
    /// The log's public key as it came another way, or a file that holds it.
    #[arg(long, value_name = "VKEY")]
    log_key: Option<String>,
}

/// Makes the key.
pub(super) fn make_key(args: &KeyArgs, context: &Context<'_>) -> Outcome {
    let host = context.host;
    let mut seed = Zeroizing::new([0u8; 32]);
    host.random.fill(&mut *seed)?;
    let signer = NoteSigner::witness(&args.name, &seed)
        .map_err(|_| Failure::usage("--name: a name has no white space, plus or control character"))?;
    let (public, half) = (signer.public(), args.out.with_extension("vkey"));
    if half == args.out {
        return Err(Failure::usage("--out: .vkey is for the public half. Give the private key another name"));
    }
    write_new(context, &args.out, 0o600, signer.secret_text().as_bytes())?;
    write_new(context, &half, 0o644, format!("{public}\n").as_bytes())?;
    let words = words::confirmation(&public.fingerprint());
    context.text(&format!(
        "Key for cosigning written to {}; keep it on this machine\nIts public half, for the station: {}\n  in words, for \
         paper: {words}\n",
        shown_path(&args.out),
        shown_path(&half),
    ))?;
    context.done(&json!({
        "name": args.name, "key": public.to_string(), "words": words,
        "file": args.out.to_string_lossy(), "public_file": half.to_string_lossy(),
    }))
}

pub(super) fn run(args: &Args, context: &Context<'_>) -> Outcome {
    let (disk, now) = (&*context.host.disk, context.host.clock.now());
    let signer = read_key(context, &args.key)?;
    let log_key = args.log_key.as_deref().map(|given| super::key_text(context, given)).transpose()?;
    let pack = Pack::open(disk, &args.dir, log_key.as_deref())?;
    for file in [&args.state, &args.out] {
        pack.refuse_within(file)?;
    }
    if signer.public().public() == pack.key().public() {
        return Err(Failure::new(
            Exit::Refused,
            "the key given with --key is the log's own: a log is not its own witness",
        ));
    }
    let mut state = State::read(disk, &args.state)?;
    let compare = Compare { state: Some(&mut state), now: Some(now), ..Compare::default() };
    let verdict = verdict::verify(&pack, Options::default(), compare, &mut |_, _| Ok(()))?;
    // Before the cosignature is made, so that nothing is cosigned that the next audit does not know of; and two histories
    // are remembered, too.
    state.write(disk)?;
    let head = verdict.examination.head.clone();
    let fits = matches!(verdict.outcome, Answer::Whole | Answer::InDoubt | Answer::Unwitnessed);
    let Some(head) = head.filter(|_| fits) else {
        context.text(&describe_verdict(&verdict, pack.key(), pack.key_was_given()))?;
        context.json(&verdict_value(&verdict, pack.key(), pack.key_was_given()))?;
        context.note("Nothing was cosigned.\n");
        return Ok(exit(verdict.outcome));
    };
    let seconds = u64::try_from(now.unix()).unwrap_or(0);
    let line = signer.cosign(&head.checkpoint.text(), seconds).filter(|_| seconds > 0);
    let line = line
        .ok_or_else(|| Failure::new(Exit::Failed, "the clock shows a time that no cosignature can have"))?;
    let note = format!("{}{line}", head.note);
    write_new(context, &args.out, 0o644, note.as_bytes())?;
    let size = head.checkpoint.size;
    context.text(&format!(
        "{}{}Cosigned {size} entries on {now} as {}\nThe note for the next request: {}\n",
        describe_verdict(&verdict, pack.key(), pack.key_was_given()),
        describe_compared(&verdict),
        signer.public(),
        shown_path(&args.out)
    ))?;
    context.done(&json!({
        "verdict": verdict.outcome.word(), "size": size, "root": hex::encode(head.checkpoint.root),
        "time": now.to_string(), "witness": signer.public().to_string(), "note": note,
        "key_from_pack": !pack.key_was_given(),
    }))
}

fn read_key(context: &Context<'_>, path: &Path) -> Result<NoteSigner, Failure> {
    let bad = |why: String| Failure::new(Exit::Failed, format!("{}: {why}", shown_path(path)));
    let bytes = Zeroizing::new(context.host.disk.read(path, LARGEST_KEY)?);
    let text = text_in(path, &bytes)?;
    let signer = NoteSigner::from_secret_text(text).map_err(|e| bad(e.to_string()))?;
    if signer.public().is_witness() {
        return Ok(signer);
    }
    Err(bad("it is a key for notes (type 1), not a witness's (countersign audit witness-key)".to_owned()))
}

fn write_new(context: &Context<'_>, path: &Path, mode: u32, bytes: &[u8]) -> Result<(), Failure> {
    let disk = &*context.host.disk;
    disk.create(path, mode, &[bytes])?;
    disk.sync(path)?;
    Ok(disk.sync_folder(crate::host::disk::parent(path))?)
}
