//! `countersign-audit`: the auditor's commands alone, as a program without the code that opens the Factory's keys.

use super::{Args, run};
use crate::cli::{Context, Exit, Global, usage};
use crate::host::Host;
use clap::{CommandFactory, FromArgMatches, Parser};
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

/// Runs a command line as the whole of this process, and returns the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>, host: &Host) -> ExitCode {
    // Where the system refuses, nothing secret is in this process.
    let _ = host.machine.harden();
    ExitCode::from(answer(arguments, host) as u8)
}

fn answer(arguments: impl IntoIterator<Item = OsString>, host: &Host) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Known before the arguments are understood: what is wrong with them is told as a value too.
    let json = arguments.iter().take_while(|one| *one != "--").any(|one| one == "--json");
    // There is no station here.
    let command = Arguments::command().mut_arg("station", |station| station.hide(true));
    let parsed = command.try_get_matches_from(arguments);
    let arguments = match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(e) => return usage(&e, json, host),
    };
    let context = Context::new(host, arguments.global);
    run(arguments.verb, &context).unwrap_or_else(|failure| {
        context.fail(NAME, &failure);
        failure.exit
    })
}
