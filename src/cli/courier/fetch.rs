//! `fetch`: downloads everything that a request rests on.

use super::Desk;
use crate::cli::Outcome;
use crate::courier::New;
use crate::courier::fetch::{Besides, fetch};
use serde_json::json;
use std::path::PathBuf;

/// Download everything that a request rests on, whole and of one moment: production roots, CI targets, the online key,
/// production targets of all tags, all waves.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign-courier fetch --out downloads")]
pub(super) struct Args {
    /// The folder to write; it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Bring this wave with its targets too, as wave.json: for a further signature.
    #[arg(long, value_name = "W")]
    wave: Option<String>,
    /// Bring the root that is staged in the root update that is open too: for what is signed again.
    #[arg(long)]
    staged_root: bool,
    /// The largest file that is read, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_file_bytes: u64,
}

pub(super) fn run(args: &Args, desk: &Desk<'_>) -> Outcome {
    let context = &desk.context;
    let client = desk.client()?;
    let besides = Besides { wave: args.wave.as_deref(), new: New::All, staged_root: args.staged_root };
    let downloads = fetch(&client, args.max_file_bytes, besides)?;
    downloads.write(&*context.host.disk, &args.out)?;
    for note in &downloads.notes {
        context.note(&format!("Note: {note}\n"));
    }
    context.text(&downloads.summary(&args.out))?;
    let root = downloads.chain.newest();
    context.done(&json!({
        "factory": client.factory(),
        "folder": args.out.to_string_lossy(),
        "root_version": root.version,
        "root_fingerprint": root.fingerprint.to_string(),
        "waves": downloads.waves.waves.len(),
        "notes": downloads.notes,
    }))
}
