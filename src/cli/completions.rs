//! `completions`: what a shell needs to complete this command line.

use super::{Context, Exit, Outcome};
use clap_complete::Shell;

/// Print the completions for a shell.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign completions bash > ~/.local/share/bash-completion/completions/countersign"
)]
pub struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints a program's; with `--json` too, because a script for a shell is no JSON value.
pub fn run(args: &Args, mut command: clap::Command, context: &Context<'_>) -> Outcome {
    let (mut script, name) = (Vec::new(), command.get_name().to_owned());
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    context.host.terminal.out(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
