//! `rehearse`: the whole ceremony on a made-up Factory, with the very commands that an officer uses.

mod play;
mod stage;

use super::{Context, Exit, Failure, Outcome};
use crate::host::disk::{ensure_folder, is_free};
use crate::text::shown_path;
use play::Left;
use serde_json::json;
use stage::{End, Form, Stage};
use std::path::{Path, PathBuf};

/// The whole ceremony on a made-up Factory in a station of its own: three officers, a wave, a request that blocks, a
/// drill, paper, the auditor's verdict.
///
/// On a terminal it waits at each screen, and you type the words that an officer types. Without one it runs through by
/// itself: countersign rehearse < /dev/null
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign rehearse\n  countersign rehearse --hands-on ~/practice")]
pub(crate) struct Args {
    /// The folder for everything; it must not exist, or be empty [default: a new one for temporary files].
    dir: Option<PathBuf>,
    /// Type every command yourself at a practice station; "hint" shows it.
    #[arg(long)]
    hands_on: bool,
    /// The seed of the made-up Factory: the same seed gives the same keys.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let form = form(&args, context)?;
    let dir = args.dir.unwrap_or_else(|| {
        let now = context.host.clock.now().unix();
        std::env::temp_dir().join(format!("countersign-rehearsal-{now}-{}", std::process::id()))
    });
    let disk = &*context.host.disk;
    if !is_free(disk, &dir)? {
        let message = format!(
            "{}: there is something there already. Give a new folder, or an empty one",
            shown_path(&dir)
        );
        return Err(Failure::new(Exit::Failed, message));
    }
    ensure_folder(disk, &dir, 0o700)?;
    let dir = std::path::absolute(&dir)?;
    let mut stage = Stage::new(context, form, &dir)?;
    match play::play(&mut stage, args.seed) {
        Ok(left) => {
            context.text(&end(&dir, &left))?;
            context.done(&json!({
                "folder": dir.to_string_lossy(),
                "bundles": [left.bundle.to_string_lossy()],
                "review": left.review().to_string_lossy(),
                "report": left.report.to_string_lossy(),
            }))
        }
        Err(End::Failed(failure)) => Err(failure),
        Err(End::Stopped) => {
            context.text(&format!(
                "\nStopped. What was made up is in {0}; remove the folder when you are done. From the beginning: countersign rehearse\n",
                shown_path(&dir)
            ))?;
            Ok(Exit::NotApproved)
        }
    }
}

/// Who does what is to be done: nobody where nobody is there.
fn form(args: &Args, context: &Context<'_>) -> Result<Form, Failure> {
    let is_there = context.host.terminal.can_ask() && !context.global.json;
    match (args.hands_on, is_there) {
        (true, false) => Err(Failure::usage(
            "--hands-on needs a terminal to type at. Without one, countersign rehearse runs through by itself",
        )),
        (true, true) => Ok(Form::HandsOn),
        (false, true) => Ok(Form::Paused),
        (false, false) => Ok(Form::Through),
    }
}

/// What to open first, and what else there is.
fn end(dir: &Path, left: &Left) -> String {
    format!(
        "\nDone. Open first, in a browser:\n\
         \x20 {}\n      what the officers read and signed\n\
         \x20 {}\n      what the auditor found\n\n\
         Everything is in {}: the stick, the station, paper to print.\n\
         The Factory, its keys and the passphrases were made up; nothing here is worth anything. Remove the folder when you are done.\n",
        shown_path(&left.review()),
        shown_path(&left.report),
        shown_path(dir),
    )
}
