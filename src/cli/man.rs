//! `man`: the manual pages, out of the same definition as `--help`.

use super::{Context, Exit, Failure, Outcome};
use crate::host::disk::{ensure_folder, write_durably};
use crate::text::shown_path;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Write the manual pages: the program's and one for every command.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign man /usr/local/share/man/man1")]
pub struct Args {
    /// The folder to write to; it is made if it is not there.
    dir: PathBuf,
}

/// Writes the pages of a program.
pub fn run(args: &Args, mut command: clap::Command, context: &Context<'_>) -> Outcome {
    let disk = context.host.disk.as_ref();
    ensure_folder(disk, &args.dir, 0o755)?;
    command.build();
    let pages = write(&command, context, &args.dir)?;
    context.text(&format!("{pages} manual pages written to {}\n", shown_path(&args.dir)))?;
    context.json(&json!({ "pages": pages, "folder": args.dir.to_string_lossy() }))?;
    Ok(Exit::Done)
}

/// Writes the page of a command and of all below it; returns how many.
fn write(command: &clap::Command, context: &Context<'_>, folder: &Path) -> Result<usize, Failure> {
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    write_durably(context.host.disk.as_ref(), &folder.join(man.get_filename()), 0o644, &[&page])?;
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help")
    {
        pages += write(below, context, folder)?;
    }
    Ok(pages)
}
