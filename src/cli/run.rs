//! `run`: the whole ceremony, guided.

use super::import::RepositoryArgs;
use super::secrets::PassphraseArgs;
use super::{Context, Exit, Failure, Outcome};
use crate::guided::{self, Ended, Guide};
use std::path::PathBuf;

/// The whole ceremony in one sitting: preflight, import, review, approve, sign, export.
///
/// One screen a step. Stop anywhere with q: nothing is lost, and the same command goes on from there.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign run /media/usb/request")]
pub(crate) struct Args {
    /// A request folder, or a bare file.
    path: PathBuf,
    /// The folder for the signed bundle [default: WAVE-VERSION-signed beside PATH].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// For a bare file that does not say it: the wave's name.
    #[arg(long, value_name = "W")]
    wave: Option<String>,
    /// For a bare file that does not say it: the device tag.
    #[arg(long, value_name = "T")]
    tag: Option<String>,
    /// The passphrases.
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// What belongs to a repository's metadata. Its heading in the help is over all that follows, so it is last.
    #[command(flatten)]
    repository: RepositoryArgs,
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    if !context.host.terminal.can_ask() {
        return Err(Failure::usage(
            "run needs a terminal to ask on. In a script, use the commands import, review, sign and export",
        ));
    }
    if context.global.json {
        return Err(Failure::usage(
            "run is for people and prints no JSON; use the commands import, review, sign and export",
        ));
    }
    let passphrases = args.passphrase.files()?;
    context.with_station("run", |station| {
        let bare = args.repository.bare_facts(station, args.wave, args.tag)?;
        let guide = Guide {
            path: &args.path,
            bare: &bare,
            bundle: args.out,
            passphrases: &passphrases,
            color: context.color(),
        };
        Ok(match guided::run(station, context.host, &guide)? {
            Ended::Exported => Exit::Done,
            Ended::Rejected | Ended::Stopped(_) => Exit::NotApproved,
        })
    })
}
