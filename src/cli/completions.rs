//! `completions`: what a shell needs to complete this command line, and what it asks for while somebody types.
//!
//! The scripts are clap's. Where a value is an officer, a key or a request, they ask this program for those that the
//! station has, with a hidden argument: clap's own engine for that is marked unstable.

use super::{Context, Exit, Outcome};
use crate::station::{Station, request};
use crate::text::short;
use crate::vault::keys;
use clap::{Arg, Command, ValueEnum};
use clap_complete::Shell;

/// Print the completions for a shell.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign completions bash > ~/.local/share/bash-completion/completions/countersign"
)]
pub(crate) struct Args {
    /// The shell; bash, zsh and fish complete officers, keys and requests too.
    #[arg(required_unless_present = "known")]
    shell: Option<Shell>,
    /// Print what the station has of these, a line each: for the scripts.
    #[arg(long, value_name = "WHAT", hide = true, conflicts_with = "shell")]
    known: Option<Known>,
}

/// What a station knows by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Known {
    /// The officers' names.
    Officers,
    /// The beginnings of the sealed keys' ids.
    Keys,
    /// The beginnings of the requests' digests.
    Requests,
}

/// The names of values that stand for something known.
const VALUES: [(&str, Known); 3] =
    [("NAMES", Known::Officers), ("KEYID", Known::Keys), ("ID", Known::Requests)];

/// Prints a program's; with `--json` too, because a script for a shell is no JSON value.
pub(super) fn run(args: &Args, mut command: Command, context: &Context<'_>) -> Outcome {
    let terminal = &context.host.terminal;
    if let Some(known) = args.known {
        // A shell in the middle of a line cannot do anything with an error.
        let station = Station::open(context.host, &context.station_folder()?, None);
        let found = station.ok().and_then(|station| list(known, &station)).unwrap_or_default();
        terminal.out(&found.iter().map(|one| format!("{one}\n")).collect::<String>())?;
    } else if let Some(shell) = args.shell {
        let (mut script, name) = (Vec::new(), command.get_name().to_owned());
        clap_complete::generate(shell, &mut command, &name, &mut script);
        terminal.out(&asking(shell, &command, &name, &String::from_utf8_lossy(&script)))?;
    }
    Ok(Exit::Done)
}

fn list(known: Known, station: &Station) -> Option<Vec<String>> {
    let (disk, layout) = (station.disk(), &station.layout);
    Some(match known {
        Known::Officers => {
            let all = station.officers().ok()?;
            all.into_iter().filter(|one| one.is_active()).map(|one| one.name.to_string()).collect()
        }
        Known::Keys => keys::list_keys(disk, &layout.keys())
            .ok()?
            .iter()
            .map(|key| short(&key.keyid).to_owned())
            .collect(),
        Known::Requests => request::list(disk, layout).ok()?.into_iter().map(|id| id.short()).collect(),
    })
}

/// The command that a script runs for what is known.
fn question(program: &str, known: Known) -> String {
    let what = known.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    format!("{program} completions --known {what} 2>/dev/null")
}

/// A script of clap's, asking the program where a value is something known.
fn asking(shell: Shell, command: &Command, program: &str, script: &str) -> String {
    let commands = all(command, Vec::new());
    match shell {
        Shell::Bash => bash(&commands, program, script),
        Shell::Zsh => zsh(program, script),
        Shell::Fish => fish(&commands, program, script),
        _ => script.to_owned(),
    }
}

/// Every command below, with the words that lead to it.
fn all<'a>(command: &'a Command, path: Vec<&'a str>) -> Vec<(Vec<&'a str>, &'a Command)> {
    let below = command.get_subcommands().flat_map(|one| all(one, [&path[..], &[one.get_name()]].concat()));
    let mut found: Vec<_> = below.collect();
    found.push((path, command));
    found
}

/// What an argument's value stands for.
fn known(argument: &Arg) -> Option<Known> {
    let value = argument.get_value_names()?.first()?.as_str();
    let named = VALUES.iter().find(|(name, _)| *name == value).map(|(_, known)| *known);
    named.or_else(|| (argument.get_long() == Some("officer")).then_some(Known::Officers))
}

fn of_option(command: &Command, long: &str) -> Option<Known> {
    command.get_arguments().find(|argument| argument.get_long() == Some(long)).and_then(known)
}

fn of_positional(command: &Command) -> Option<Known> {
    command.get_positionals().next().and_then(known)
}

/// In bash a section for each command has its words in `opts`, and a case for each option.
fn bash(commands: &[(Vec<&str>, &Command)], program: &str, script: &str) -> String {
    let label = |path: &[&str]| {
        let words: Vec<String> =
            std::iter::once(&program).chain(path).map(|word| word.replace('-', "__subcmd__")).collect();
        format!("{})", words.join("__subcmd__"))
    };
    let sections: Vec<_> = commands.iter().map(|(path, command)| (label(path), *command)).collect();
    let (mut here, mut option) = (None, None);
    script.lines().fold(String::new(), |out, line| {
        let start = line.trim();
        if let Some((_, command)) = sections.iter().find(|(label, _)| label == start) {
            here = Some(*command);
        }
        let asked = option.take();
        option = start
            .strip_prefix("--")
            .and_then(|rest| rest.strip_suffix(')'))
            .and_then(|long| of_option(here?, long));
        let line = match (asked, here.and_then(of_positional)) {
            (Some(known), _) => {
                let question = question(program, known);
                // After a comma comes another officer.
                let words = match known {
                    Known::Officers => format!(
                        "compgen -P \"${{cur%\"${{cur##*,}}\"}}\" -W \"$({question})\" -- \"${{cur##*,}}\""
                    ),
                    _ => format!("compgen -W \"$({question})\" -- \"${{cur}}\""),
                };
                line.replace("compgen -f \"${cur}\"", &words)
            }
            (None, Some(known)) if start.starts_with("opts=") => {
                format!("{} $({})\"", line.trim_end_matches('"'), question(program, known))
            }
            _ => line.to_owned(),
        };
        out + &line + "\n"
    })
}

/// In zsh an option's value has its name before the action; an argument goes by its own, the value's in small letters.
fn zsh(program: &str, script: &str) -> String {
    script.lines().fold(String::new(), |out, line| {
        let is_of = |(value, known): &&(&str, Known)| {
            let argument = value.to_ascii_lowercase();
            line.contains(&format!(":{value}:_default"))
                || (*known == Known::Officers && line.contains("--officer=["))
                || line.starts_with(&format!("':{argument} --"))
                || line.starts_with(&format!("'::{argument} --"))
        };
        let line = match VALUES.iter().find(is_of) {
            Some((_, known)) => {
                let after_comma = if *known == Known::Officers { "compset -P \"*,\"; " } else { "" };
                let action =
                    format!("{{{after_comma}compadd -- ${{(f)\"$({})\"}}}}", question(program, *known));
                line.replace(":_default'", &format!(":{action}'"))
            }
            None => line.to_owned(),
        };
        out + &line + "\n"
    })
}

/// In fish a line for each option names the verbs under which it stands.
fn fish(commands: &[(Vec<&str>, &Command)], program: &str, script: &str) -> String {
    let under = |path: &[&str]| {
        let verbs: Vec<String> = path
            .iter()
            .zip([format!("__fish_{program}_using_subcommand"), "__fish_seen_subcommand_from".to_owned()])
            .map(|(word, function)| format!("{function} {word}"))
            .collect();
        format!("-n \"{}\"", verbs.join("; and "))
    };
    let places: Vec<_> = commands.iter().map(|(path, command)| (under(path), *command)).collect();
    let asks = |known| match (known, question(program, known)) {
        (Known::Officers, question) => format!(" -f -a '(__fish_complete_list , \"{question}\")'"),
        (_, question) => format!(" -f -a '({question})'"),
    };
    let options = script.lines().fold(String::new(), |out, line| {
        let place = places.iter().find(|(under, _)| line.contains(under.as_str()));
        let long = line.split_once(" -l ").and_then(|(_, rest)| rest.split(' ').next());
        let known = place.zip(long).and_then(|((_, command), long)| of_option(command, long));
        out + line + &known.map(asks).unwrap_or_default() + "\n"
    });
    let positional = |(under, command): &(String, &Command)| {
        of_positional(command).map(|known| format!("complete -c {program} {under}{}\n", asks(known)))
    };
    options + &places.iter().filter_map(positional).collect::<String>()
}
