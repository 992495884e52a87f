//! `submit`: uploads a signed bundle, and carries the head of the station's log to its witnesses.

use super::{Desk, witness};
use crate::cli::{Exit, Outcome};
use crate::courier::secret_line;
use crate::courier::submit::{How, Submitted, submit};
use crate::text::{counted, shown};
use std::path::PathBuf;

/// Upload a signed bundle: verified before, read back and compared afterwards. Twice is once.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign-courier submit /media/usb/signed --roots prod-roots/")]
pub(super) struct Args {
    /// The signed bundle.
    bundle: PathBuf,
    /// Production roots that came another way; the service's must continue them [default: the service's].
    #[arg(long, value_name = "PATH")]
    roots: Option<PathBuf>,
    /// A file with the transaction id of the root update, readable by you alone; - is standard input. For what is signed
    /// again, where somebody else opened the update.
    #[arg(long, value_name = "FILE")]
    txid_file: Option<PathBuf>,
    /// The folder of the offline-update bundle, for its signed list: it is put into DIR/tuf.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// The largest file that is read, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_file_bytes: u64,
    #[command(flatten)]
    pub(super) list: witness::List,
}

pub(super) fn run(args: &Args, desk: &Desk<'_>) -> Outcome {
    let context = &desk.context;
    let client = desk.client()?;
    let disk = &*context.host.disk;
    let txid = args.txid_file.as_deref().map(|path| secret_line(path, "the transaction id", context.host));
    let txid = txid.transpose()?;
    let how = How {
        roots: args.roots.as_deref(),
        txid: txid.as_ref(),
        into: args.into.as_deref(),
        cap: args.max_file_bytes,
    };
    let (submitted, manifest) = submit(&client, disk, &args.bundle, &how)?;
    context.text(&described(&submitted))?;
    context.json(&submitted)?;
    // Shown to the station with the next request, the head proves that the station was not put back. The upload is what
    // was asked for, and it is done whatever comes of this.
    let carried = args.list.read(desk).and_then(|list| witness::carry(&args.bundle, &manifest, &list, desk));
    match carried {
        Ok(asked) => context.note(&witness::described(&asked)),
        Err(failure) => {
            context
                .note(&format!("Note: the head of the station's log was not carried: {}\n", failure.message));
        }
    }
    Ok(Exit::Done)
}

/// What the service holds now, and what is next.
fn described(submitted: &Submitted) -> String {
    let mut out = format!(
        "Submitted {}, version {}: {}{}\n{}\n",
        submitted.subject,
        submitted.version,
        shown(&submitted.status),
        if submitted.done_before { "; all of it was there already" } else { "" },
        submitted.read_back
    );
    for keyid in &submitted.valid {
        out.push_str(&format!("Valid signature by key {keyid}\n"));
    }
    let (have, need) = (submitted.valid.len(), submitted.threshold);
    out.push_str(&format!("{have} of the {need} signatures that devices ask for are there\n"));
    if !submitted.complete {
        let more = counted((need - have.min(need)) as u64, "signature");
        out.push_str(&format!("{} missing, by any of these keys:\n", more.replacen(' ', " more ", 1)));
        for [keyid, owner] in &submitted.missing {
            let owner = if owner.is_empty() { String::new() } else { format!(" (owner {owner})") };
            out.push_str(&format!("  {keyid}{owner}\n"));
        }
    }
    if let Some(next) = &submitted.next {
        out.push_str(&format!("Next: {next}\n"));
    }
    out
}
