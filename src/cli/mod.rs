//! The command line: one file a verb; arguments in, text or JSON out (`docs/commands.md`).
//!
//! A verb's file holds its arguments and one function `run`, which calls the room that does the work and prints what
//! came of it. Exit codes stand in one place: [`Exit`].

#[cfg(feature = "station")]
mod anchor;
#[cfg(feature = "station")]
mod approve;
#[cfg(feature = "station")]
mod assemble;
pub(crate) mod audit;
#[cfg(feature = "station")]
mod ceremony;
#[cfg(feature = "station")]
mod clock;
#[cfg(feature = "station")]
mod completions;
mod context;
#[cfg(feature = "courier")]
pub(crate) mod courier;
#[cfg(feature = "station")]
mod export;
mod failure;
#[cfg(feature = "station")]
mod fingerprint;
#[cfg(feature = "station")]
mod import;
#[cfg(feature = "station")]
mod init;
#[cfg(feature = "station")]
mod key;
#[cfg(feature = "station")]
mod log;
#[cfg(feature = "station")]
mod man;
#[cfg(feature = "station")]
mod officer;
#[cfg(feature = "station")]
mod opened;
#[cfg(feature = "station")]
mod policy;
#[cfg(feature = "station")]
mod preflight;
mod reach;
#[cfg(feature = "station")]
mod refused;
#[cfg(feature = "station")]
mod rehearse;
#[cfg(feature = "station")]
mod request;
#[cfg(feature = "station")]
mod review;
#[cfg(feature = "station")]
mod run;
#[cfg(feature = "station")]
mod secrets;
#[cfg(feature = "station")]
mod settle;
#[cfg(feature = "station")]
mod sign;
#[cfg(feature = "station")]
mod status;
#[cfg(feature = "station")]
mod trust;
#[cfg(feature = "station")]
mod verify;
#[cfg(feature = "station")]
mod witness;

pub(crate) use context::{Context, Global};
pub use failure::Exit;
pub(crate) use failure::{Failure, Outcome};

use crate::host::{Confinement, Host, Reach};
#[cfg(feature = "station")]
use {
    clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand},
    std::ffi::OsString,
    std::process::ExitCode,
};

#[cfg(feature = "station")]
/// Review and countersign a Factory's production targets on an air-gapped station.
#[derive(Parser)]
#[command(name = "countersign", version, about, max_term_width = 110, arg_required_else_help = true)]
#[command(
    after_help = "The ceremony: request (connected machine) - import, review, sign, export (station) - verify, upload.\n\
                        Try it with nothing: countersign rehearse"
)]
pub(crate) struct Arguments {
    /// What all commands share.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

#[cfg(feature = "station")]
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Make a station for one Factory and pin its production root.
    Init(init::Args),
    /// Show what is pinned, or pin the service's new online key.
    #[command(subcommand)]
    Trust(trust::Args),
    /// Add, list and retire the officers of this station; another passphrase.
    #[command(subcommand)]
    Officer(officer::Args),
    /// Sealed keys: import, generate, list, drill, reseal, backup, restore, retire.
    #[command(subcommand)]
    Key(key::Args),
    /// Show the policy in force, or put another one in force.
    #[command(subcommand)]
    Policy(policy::Args),
    /// On the connected machine: compose an unsigned request from downloaded files.
    Request(request::Args),
    /// Take in a request folder or a bare file.
    Import(import::Args),
    /// The whole ceremony, guided: one screen a step.
    Run(run::Args),
    /// Show what devices would get, what changed, and what is odd about it.
    Review(review::Args),
    /// An officer's signed approval.
    Approve(approve::ApproveArgs),
    /// An officer's signed refusal.
    Reject(approve::RejectArgs),
    /// Open the key with the officers' passphrases, sign, and verify the signature.
    Sign(sign::Args),
    /// Write the signed bundle and read it back.
    Export(export::Args),
    /// On the connected machine: put the signature of a slip into the request, and verify it.
    Assemble(assemble::Args),
    /// On any machine: is a signed bundle whole, do its signatures hold, what is still missing?
    Verify(verify::Args),
    /// On any machine: what a file is, and its digest in hex and in words.
    Fingerprint(fingerprint::Args),
    /// Say what an intent to sign without a result came to.
    Settle(settle::Args),
    /// Heads of this log that came back: list, import, settle what they showed.
    #[command(subcommand)]
    Anchor(anchor::Args),
    /// Whose cosignatures count for this station's log: add, list, retire.
    #[command(subcommand)]
    Witness(witness::Args),
    /// The paper of a ceremony: its cover page, filled in.
    #[command(subcommand)]
    Ceremony(ceremony::Args),
    /// State that the clock is right, after it was ahead once.
    Clock(clock::Args),
    /// This station's log: show, verify, head, export.
    #[command(subcommand)]
    Log(log::Args),
    /// On the auditor's machine: verify, show, who, reconcile, prove, check-proof, report.
    #[command(subcommand)]
    Audit(audit::Args),
    /// The whole ceremony on a made-up Factory, narrated step by step.
    Rehearse(rehearse::Args),
    /// One screen: Factory, root, keys, officers, requests, log head, what is overdue.
    Status(status::Args),
    /// Is this machine fit for a ceremony?
    Preflight(preflight::Args),
    /// Print the completions for a shell.
    Completions(completions::Args),
    /// Write the manual pages.
    Man(man::Args),
}

#[cfg(feature = "station")]
/// The definition of all arguments: help, completions and man pages come out of it.
pub fn command() -> clap::Command {
    Arguments::command()
}

#[cfg(feature = "station")]
/// Runs a command line as the whole of this process, confined to what it needs, and returns the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>, host: &Host) -> ExitCode {
    // Before anything secret is in memory; where the system refuses, `preflight` says so.
    let _ = host.machine.harden();
    ExitCode::from(start(arguments, host, confine) as u8)
}

#[cfg(feature = "station")]
/// Runs a command line on a host, within a process that does more; prints results and errors to the host's terminal.
pub fn run(arguments: impl IntoIterator<Item = OsString>, host: &Host) -> Exit {
    start(arguments, host, |_, _| {})
}

#[cfg(feature = "station")]
fn start(
    arguments: impl IntoIterator<Item = OsString>,
    host: &Host,
    prepare: impl FnOnce(&ArgMatches, &Context<'_>),
) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Known before the arguments are understood: what is wrong with them is told as a value too.
    let json = arguments.iter().take_while(|one| *one != "--").any(|one| one == "--json");
    host.terminal.stands(&format!("Nothing was signed or changed. To go on: {}", typed(&arguments)));
    let parsed = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Ok((Arguments::from_arg_matches(&matches)?, matches)));
    let (arguments, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(e) => return usage(&e, json, host),
    };
    let context = Context::new(host, arguments.global);
    prepare(&matches, &context);
    match dispatch(arguments.verb, &context) {
        Ok(exit) => exit,
        Err(failure) => {
            context.fail("countersign", &failure);
            failure.exit
        }
    }
}

#[cfg(feature = "station")]
/// The command line as it can be typed again; escaped.
fn typed(arguments: &[OsString]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@+%".contains(c);
    let quoted = |one: &OsString| {
        let text = crate::text::whole(&one.to_string_lossy());
        if !text.is_empty() && text.chars().all(plain) {
            text
        } else {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
    };
    let words = arguments.iter().skip(1).map(quoted);
    std::iter::once("countersign".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(feature = "station")]
/// Gives up what the command does not need.
fn confine(matches: &ArgMatches, context: &Context<'_>) {
    let command = command();
    let given = reach::Given::find(&command, matches);
    let station = context.station_folder().ok();
    context.host.terminal.expect_pages(reach::pages(&given.verb));
    bind(&reach::station::of(&given, station.as_deref()), context);
}

/// Binds this process to `reach`. Where the kernel confines nothing at all, every command says so; what it lacks of it,
/// `preflight` and the log.
fn bind(reach: &Reach, context: &Context<'_>) {
    context.host.machine.confine(reach);
    if let confined @ Confinement::Not(_) = context.host.machine.confined() {
        context.note(&format!("This command is not confined to the files that it needs: {confined}\n"));
    }
}

/// Tells what is wrong with the arguments, or shows the help that they ask for.
fn usage(e: &clap::Error, json: bool, host: &Host) -> Exit {
    use clap::error::ErrorKind;
    if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nothing is left to tell it to when standard output is closed.
        let _ = host.terminal.out(&e.to_string());
        return Exit::Done;
    }
    host.terminal.err(&e.to_string());
    if json {
        let text = e.to_string();
        let message = text.trim().strip_prefix("error: ").unwrap_or(text.trim());
        let value = serde_json::json!({ "error": message, "exit": Exit::Usage as u8 });
        // As above.
        let _ = host.terminal.out(&format!("{}\n", context::ascii(&format!("{value:#}"))));
    }
    Exit::Usage
}

#[cfg(feature = "station")]
fn dispatch(verb: Verb, context: &Context<'_>) -> Outcome {
    match verb {
        Verb::Init(args) => init::run(args, context),
        Verb::Trust(args) => trust::run(args, context),
        Verb::Officer(args) => officer::run(args, context),
        Verb::Key(args) => key::run(args, context),
        Verb::Policy(args) => policy::run(args, context),
        Verb::Request(args) => request::run(args, context),
        Verb::Import(args) => import::run(args, context),
        Verb::Run(args) => run::run(args, context),
        Verb::Review(args) => review::run(args, context),
        Verb::Approve(args) => approve::approve(args, context),
        Verb::Reject(args) => approve::reject(args, context),
        Verb::Sign(args) => sign::run(args, context),
        Verb::Export(args) => export::run(args, context),
        Verb::Assemble(args) => assemble::run(args, context),
        Verb::Verify(args) => verify::run(args, context),
        Verb::Fingerprint(args) => fingerprint::run(args, context),
        Verb::Settle(args) => settle::run(args, context),
        Verb::Anchor(args) => anchor::run(args, context),
        Verb::Witness(args) => witness::run(args, context),
        Verb::Ceremony(args) => ceremony::run(args, context),
        Verb::Clock(args) => clock::run(args, context),
        Verb::Log(args) => log::run(args, context),
        Verb::Audit(args) => audit::run(args, context),
        Verb::Rehearse(args) => rehearse::run(args, context),
        Verb::Status(args) => status::run(&args, context),
        Verb::Preflight(args) => preflight::run(args, context),
        Verb::Completions(args) => completions::run(&args, command(), context),
        Verb::Man(args) => man::run(&args, command(), context),
    }
}
