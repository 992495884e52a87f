//! `countersign-audit`: the auditor's commands alone, as a program without the code that opens the Factory's keys.

use super::Args;
use crate::cli::reach::{self, Given};
use crate::cli::{Context, Exit, Failure, Global, bind, usage};
use crate::host::{Host, Reach};
use clap::{Command, CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::process::ExitCode;

const NAME: &str = "countersign-audit";

/// Read the log of a signing station on another machine: verify, show, who, reconcile, prove, report.
#[derive(Parser)]
#[command(name = NAME, version, about, max_term_width = 110, arg_required_else_help = true)]
#[command(after_help = "Example:\n  countersign-audit verify evidence/ --key log.vkey --state heads.json")]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Args,
}

/// Runs a command line as the whole of this process, confined to what it needs, and returns the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>, host: &Host) -> ExitCode {
    // Where the system refuses, nothing secret is in this process.
    let _ = host.machine.harden();
    let confined = |given: &Given<'_>, context: &Context<'_>| {
        host.terminal.expect_pages(reach::pages(&given.verb));
        bind(&given.named(Reach::terminal().machine()), context);
    };
    ExitCode::from(answer(arguments, host, confined) as u8)
}

/// Runs a command line on a host, within a process that does more; prints results and errors to the host's terminal.
pub fn run(arguments: impl IntoIterator<Item = OsString>, host: &Host) -> Exit {
    answer(arguments, host, |_, _| {})
}

fn answer(
    arguments: impl IntoIterator<Item = OsString>,
    host: &Host,
    prepare: impl FnOnce(&Given<'_>, &Context<'_>),
) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Known before the arguments are understood: what is wrong with them is told as a value too.
    let json = arguments.iter().take_while(|one| *one != "--").any(|one| one == "--json");
    let command = command();
    let parsed = command.clone().try_get_matches_from(arguments);
    let parsed = parsed.and_then(|matches| Ok((Arguments::from_arg_matches(&matches)?, matches)));
    let (arguments, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(e) => return usage(&e, json, host),
    };
    let context = Context::new(host, arguments.global);
    prepare(&Given::find(&command, &matches), &context);
    super::run(arguments.verb, &context).unwrap_or_else(|failure| {
        context.fail(NAME, &Failure { message: named(&failure.message), ..failure });
        failure.exit
    })
}

/// The definition of the arguments. There is no station here, and each command has this program's name.
fn command() -> Command {
    let command = Arguments::command().mut_arg("station", |station| station.hide(true));
    command.mut_subcommands(|verb| {
        let verb = match verb.get_after_help().map(|help| named(&help.to_string())) {
            Some(help) => verb.after_help(help),
            None => verb,
        };
        verb.mut_args(|argument| match argument.get_help().map(|help| named(&help.to_string())) {
            Some(help) => argument.help(help),
            None => argument,
        })
    })
}

/// A text that names commands of `countersign`, with those of this program.
fn named(text: &str) -> String {
    text.replace("countersign audit ", "countersign-audit ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_in_the_help_is_one_of_this_program() {
        let mut command = command();
        command.build();
        for verb in command.get_subcommands_mut() {
            let help = verb.render_long_help().to_string();
            assert!(!help.contains("countersign audit"), "{help}");
            // A station's commands are named where the auditor's word goes to the station.
            let examples = help.split("Example:").nth(1).unwrap_or_default().lines();
            assert!(examples.filter(|line| line.starts_with("  ")).all(|line| line.contains(NAME)), "{help}");
        }
    }
}
