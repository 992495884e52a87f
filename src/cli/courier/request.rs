//! `request`: `fetch` and `countersign request` in one. The request is composed by the same code, from the same downloads.

use super::Desk;
use crate::cli::{Failure, Outcome, request};
use crate::courier::New;
use crate::courier::fetch::{Besides, fetch};
use crate::host::disk::ensure_folder;
use std::path::{Path, PathBuf};

/// Download, and compose the unsigned request for the station: `fetch` and `countersign request` in one.
#[derive(clap::Args)]
#[group(skip)]
#[command(
    after_help = "Example:\n  countersign-courier request --wave v2.0 --version 42 --tag production --out /media/usb/request"
)]
pub(super) struct Args {
    #[command(flatten)]
    request: request::Args,
    /// Keep the downloads in this folder; it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    downloads: Option<PathBuf>,
    /// Bring the root that is staged in the root update that is open, as --resign does: for a wave that is signed again.
    #[arg(long, requires = "further_signature")]
    staged_root: bool,
}

/// What stands for --from when it is not given.
const NO_FOLDER: &str = "-";

/// The arguments of `countersign request`, less what the courier knows by itself.
pub(super) fn shape(command: clap::Command) -> clap::Command {
    command
        .mut_arg("from", |from| from.required(false).default_value(NO_FOLDER).hide(true))
        .mut_arg("factory", |factory| factory.required(false).default_value("").hide_default_value(true))
}

pub(super) fn run(mut args: Args, desk: &Desk<'_>) -> Outcome {
    if args.request.from != Path::new(NO_FOLDER) {
        return Err(Failure::usage("--from is for `countersign request`: the courier downloads by itself"));
    }
    let context = &desk.context;
    let client = desk.client()?;
    let wave = args.request.wave.clone().filter(|_| args.request.further_signature);
    if args.request.further_signature && wave.is_none() {
        return Err(Failure::usage("--further-signature needs --wave W: the wave to download"));
    }
    let besides = Besides {
        wave: wave.as_deref(),
        new: args.request.version.map_or(New::None, New::Version),
        staged_root: args.staged_root || args.request.resign,
    };
    let downloads = fetch(&client, args.request.max_file_bytes, besides)?;
    let kept = match args.downloads.take() {
        Some(folder) => Kept { folder, is_passing: false },
        None => Kept::passing(desk)?,
    };
    downloads.write(&*context.host.disk, &kept.folder)?;
    for note in &downloads.notes {
        context.note(&format!("Note: {note}\n"));
    }
    // Heads of the station's log go back with each request: one that was put back or copied sees it.
    if let Some(shelf) = desk.shelf(client.factory()) {
        args.request.anchor.extend(shelf.notes(&*context.host.disk)?);
    }
    args.request.from.clone_from(&kept.folder);
    client.factory().clone_into(&mut args.request.factory);
    request::run(args.request, context)
}

/// Where the downloads lie while the request is composed.
struct Kept {
    folder: PathBuf,
    is_passing: bool,
}

impl Kept {
    /// A folder of its own that is gone afterwards.
    fn passing(desk: &Desk<'_>) -> Result<Kept, Failure> {
        let host = desk.context.host;
        let mut name = [0; 8];
        host.random.fill(&mut name)?;
        let folder = std::env::temp_dir().join(format!("countersign-courier-{}", hex::encode(name)));
        ensure_folder(&*host.disk, &folder, 0o700)?;
        Ok(Kept { folder: folder.join("downloads"), is_passing: true })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let made = self.folder.parent().filter(|_| self.is_passing);
        // What is left over in the folder for passing files is the system's to clear.
        let _ = made.map(Path::to_owned).map(std::fs::remove_dir_all);
    }
}
