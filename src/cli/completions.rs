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

/// Prints them; with `--json` too, because a script for a shell is no JSON value.
pub fn run(args: &Args, context: &Context<'_>) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "countersign", &mut script);
    context.host.terminal.out(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
