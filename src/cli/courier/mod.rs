//! `countersign-courier`: the connected side's command line, one file a verb (`docs/connected.md`).

mod fetch;
mod reach;
mod request;
mod show;
mod submit;
mod table;
mod watch;
mod wave;
mod witness;

use super::context::{Global, When};
use super::reach::Given;
use super::{Context, Exit, Failure, Outcome, bind, completions, man, usage};
use crate::courier::witness::Witness;
use crate::courier::{Client, CourierError, Options, Settings, Shelf};
use crate::host::Host;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::cell::Cell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The program's name.
const PROGRAM: &str = "countersign-courier";

/// The connected side of countersign: one command down, one command up, and the whole life of a wave.
#[derive(Parser)]
#[command(name = PROGRAM, version, about, max_term_width = 110, arg_required_else_help = true)]
#[command(
    after_help = "A wave: request (down) - the ceremony on the station - submit (up) - wave rollout, status, complete.\n\
                  Who and where comes from fioctl's configuration (~/.config/fioctl.yaml, FIOCTL_CONFIG), or from the \
                  options."
)]
struct Arguments {
    #[command(flatten)]
    service: Service,
    #[command(subcommand)]
    verb: Verb,
}

/// Which service, on whose behalf: what all commands share.
#[derive(clap::Args, Clone)]
struct Service {
    /// The service's address [default: fioctl's, else https://api.foundries.io].
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// The Factory's name [default: fioctl's].
    #[arg(long, global = true, value_name = "F")]
    factory: Option<String>,
    /// A file with the API token, readable by you alone; - is standard input [default: COUNTERSIGN_TOKEN, or fioctl's].
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// fioctl's configuration [default: FIOCTL_CONFIG, or ~/.config/fioctl.yaml].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Certificates (PEM) to trust beside this machine's.
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Where heads of stations' logs are kept for the next request [default: $XDG_STATE_HOME/countersign-courier].
    #[arg(long, global = true, env = "COUNTERSIGN_COURIER_STATE", value_name = "DIR")]
    state: Option<PathBuf>,
    /// Seconds that an answer may make no progress.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Print one JSON value on standard output, and nothing else there.
    #[arg(long, global = true)]
    json: bool,
    /// Colour: auto turns it off where there is no terminal, and for NO_COLOR.
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: When,
}

#[derive(Subcommand)]
enum Verb {
    /// Download everything that a request rests on, whole and of one moment.
    Fetch(fetch::Args),
    /// Download, and compose the unsigned request for the station: one command down.
    Request(Box<request::Args>),
    /// Upload a signed bundle, read it back and compare: one command up.
    Submit(submit::Args),
    /// Look at waves, roll them out, complete or cancel them.
    #[command(subcommand)]
    Wave(wave::Args),
    /// Show the newest head of a station's log to witnesses, and keep what they cosign.
    Witness(witness::Args),
    /// Print the completions for a shell.
    Completions(completions::Args),
    /// Write the manual pages.
    Man(man::Args),
}

/// The definition of all arguments: help, completions and man pages come out of it.
pub fn command() -> clap::Command {
    Arguments::command().mut_subcommand("request", request::shape)
}

/// Runs a command line and returns the process's exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>, host: &Host) -> ExitCode {
    // Before a token is in memory; where the system refuses, the courier works all the same.
    let _ = host.machine.harden();
    ExitCode::from(run(arguments, host) as u8)
}

fn run(arguments: impl IntoIterator<Item = OsString>, host: &Host) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let json = arguments.iter().take_while(|one| *one != "--").any(|one| one == "--json");
    let parsed = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Ok((Arguments::from_arg_matches(&matches)?, matches)));
    let (Arguments { service, verb }, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(e) => return usage(&e, json, host),
    };
    let global = Global { station: None, json: service.json, color: service.color };
    let mut desk = Desk { context: Context::new(host, global), service, settings: Cell::new(None) };
    let done = desk.confine(&verb, &matches).and_then(|()| dispatch(verb, &desk));
    match done {
        Ok(exit) => exit,
        Err(failure) => {
            desk.context.fail(PROGRAM, &failure);
            failure.exit
        }
    }
}

fn dispatch(verb: Verb, desk: &Desk<'_>) -> Outcome {
    match verb {
        Verb::Fetch(args) => fetch::run(&args, desk),
        Verb::Request(args) => request::run(*args, desk),
        Verb::Submit(args) => submit::run(&args, desk),
        Verb::Wave(args) => wave::run(args, desk),
        Verb::Witness(args) => witness::run(&args, desk),
        Verb::Completions(args) => completions::run(&args, command(), &desk.context),
        Verb::Man(args) => man::run(&args, command(), &desk.context),
    }
}

/// What every verb is given: the ways to print, and the way to the service.
struct Desk<'h> {
    context: Context<'h>,
    service: Service,
    /// Read before the program is confined; taken by the client.
    settings: Cell<Option<Settings>>,
}

impl<'h> Desk<'h> {
    /// What was given on the command line.
    fn options(&self) -> Options {
        let Service { server, factory, token_file, config, ca, timeout, .. } = self.service.clone();
        Options { config, server, factory, token_file, ca, wait: Duration::from_secs(timeout) }
    }

    fn environment(&self) -> impl Fn(&str) -> Option<String> {
        |name| std::env::var(name).ok()
    }

    /// Reads the configuration, which is this machine's own, and then gives up what the command does not need: before the
    /// first byte of the service, of a bundle or of a witness.
    fn confine(&mut self, verb: &Verb, matches: &ArgMatches) -> Result<(), Failure> {
        let (asks_service, list) = match verb {
            Verb::Fetch(_) | Verb::Request(_) | Verb::Wave(_) => (true, None),
            Verb::Submit(args) => (true, Some(&args.list)),
            Verb::Witness(args) => (args.bundle.is_none(), Some(&args.list)),
            Verb::Completions(_) | Verb::Man(_) => (false, None),
        };
        // A list that cannot be read is told where it is used.
        let witnesses = list.and_then(|list| list.read(self).ok()).unwrap_or_default();
        let mut ports: Vec<u16> = witnesses.iter().map(Witness::port).collect();
        if asks_service {
            let settings = Settings::read(&self.options(), &self.environment(), self.context.host)?;
            for note in &settings.notes {
                self.context.note(&format!("Note: {note}\n"));
            }
            ports.extend(settings.ports());
            self.settings.set(Some(settings));
        }
        let command = command();
        let reach = reach::of(&Given::find(&command, matches), verb, ports, self);
        bind(&reach, &self.context);
        Ok(())
    }

    /// The service. Nothing is sent yet.
    fn client(&self) -> Result<Client<'h>, Failure> {
        let settings = self.settings.take().ok_or_else(|| Failure::usage("the service is asked once"))?;
        Ok(Client::new(settings, self.context.host)?)
    }

    /// Where heads of stations' logs are kept; `None` where there is no home to keep them in.
    fn heads(&self) -> Option<PathBuf> {
        let usual = || {
            let state =
                variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")))?;
            Some(state.join(PROGRAM))
        };
        self.service.state.clone().or_else(usual)
    }

    /// What is kept between bundles.
    fn shelf(&self, factory: &str) -> Option<Shelf> {
        Some(Shelf::new(&self.heads()?, factory))
    }

    /// Where witnesses are written down when nobody says.
    fn usual_witnesses(&self) -> Option<PathBuf> {
        let config = variable("XDG_CONFIG_HOME").or_else(|| Some(variable("HOME")?.join(".config")));
        Some(config?.join("countersign/witnesses"))
    }
}

/// A path in the environment.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

impl From<CourierError> for Failure {
    fn from(e: CourierError) -> Failure {
        let exit = match e {
            CourierError::Disk(e) => return e.into(),
            CourierError::Bundle(e) => return e.into(),
            CourierError::Tuf(e) => return e.into(),
            CourierError::Station(e) => return e.into(),
            CourierError::Settings(_) => Exit::Usage,
            CourierError::Blocked(_) => Exit::Refused,
            CourierError::NotConfirmed(_) => Exit::NotApproved,
            CourierError::Json(_) => Exit::Failed,
            CourierError::Refused { .. } | CourierError::Incoherent(_) => Exit::ServiceRefused,
            CourierError::Unknown { .. } => Exit::ServiceUnknown,
        };
        Failure::new(exit, e.to_string())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        super::command().debug_assert();
    }
}
