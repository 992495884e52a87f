//! `man`: the manual pages, out of the same definition as `--help`.

use super::{Context, Exit, Failure, Outcome};
use crate::host::disk::{ensure_folder, write_durably};
use crate::text::shown_path;
use clap::{Arg, ArgAction, Command};
use clap_mangen::Man;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Write the manual pages: the program's and one for every command.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign man /usr/local/share/man/man1")]
pub(crate) struct Args {
    /// The folder to write to; it is made if it is not there.
    dir: PathBuf,
}

/// The options of all commands: each page has them among its options, and none in its synopsis.
const COMMON: [&str; 5] = ["station", "json", "color", "help", "version"];

pub(super) fn run(args: &Args, command: Command, context: &Context<'_>) -> Outcome {
    let disk = context.host.disk.as_ref();
    ensure_folder(disk, &args.dir, 0o755)?;
    let mut command = without_help(command);
    command.build();
    let pages = write(&command, None, context, &args.dir)?;
    context.text(&format!("{pages} manual pages written to {}\n", shown_path(&args.dir)))?;
    context.done(&json!({ "pages": pages, "folder": args.dir.to_string_lossy() }))
}

/// The definition without the verb `help` at any level: it has no page.
fn without_help(command: Command) -> Command {
    let below: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    below
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, without_help))
        .disable_help_subcommand(true)
}

/// Writes the page of a command and of all below it; returns how many.
fn write(
    command: &Command,
    above: Option<&str>,
    context: &Context<'_>,
    folder: &Path,
) -> Result<usize, Failure> {
    let command = command.clone().override_usage(synopsis(command));
    let source = format!("countersign {}", crate::release::VERSION);
    let man = Man::new(command.clone()).source(source).manual("The countersign manual");
    let name = man.get_filename();
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let below: Vec<&Command> = command.get_subcommands().filter(|below| !below.is_hide_set()).collect();
    if !below.is_empty() {
        man.render_subcommands_section(&mut page)?;
    }
    page.extend_from_slice(ends(command.get_bin_name().unwrap_or_default()).as_bytes());
    page.extend_from_slice(examples(&command).as_bytes());
    page.extend_from_slice(see_also(above).as_bytes());
    write_durably(context.host.disk.as_ref(), &folder.join(&name), 0o644, &[&page])?;
    let title = name.trim_end_matches(".1");
    below.into_iter().try_fold(1, |pages, one| Ok(pages + write(one, Some(title), context, folder)?))
}

/// How a command is typed, with its values: what must be given first, then what may be, then what has no name.
fn synopsis(command: &Command) -> String {
    let own = |argument: &&Arg| !argument.is_hide_set() && !COMMON.contains(&argument.get_id().as_str());
    let mut words = vec![command.get_bin_name().unwrap_or_default().to_owned()];
    for is_required in [true, false] {
        let options = command.get_arguments().filter(|argument| !argument.is_positional()).filter(own);
        words.extend(options.filter(|option| option.is_required_set() == is_required).map(|option| {
            let name = option.get_long().map(|long| format!("--{long}")).unwrap_or_default();
            let value = if takes_value(option) { format!(" {}", values(option)) } else { String::new() };
            bracketed(format!("{name}{value}"), option)
        }));
    }
    words.extend(command.get_positionals().filter(own).map(|one| bracketed(values(one), one)));
    if command.has_subcommands() {
        words.push("COMMAND".to_owned());
    }
    words.join(" ")
}

fn takes_value(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
}

fn values(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
}

fn bracketed(text: String, argument: &Arg) -> String {
    let again = if matches!(argument.get_action(), ArgAction::Append) { " ..." } else { "" };
    if argument.is_required_set() { format!("{text}{again}") } else { format!("[{text}]{again}") }
}

/// The exit codes.
fn ends(program: &str) -> String {
    let is_courier = program.starts_with("countersign-courier");
    let mut out = String::from(".SH \"EXIT STATUS\"\n");
    for exit in Exit::ALL.iter().filter(|exit| is_courier || !exit.is_couriers()) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, ".TP\n\\fB{}\\fR\n{}", *exit as u8, roff(exit.meaning()));
    }
    out
}

/// The examples of `--help`, a line each.
fn examples(command: &Command) -> String {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let lines: Vec<&str> = help.lines().filter(|line| !line.starts_with("Example")).collect();
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("{}\n", roff(line.trim()))).collect();
    format!(".SH EXAMPLES\n.nf\n{lines}.fi\n")
}

/// The page above. Those below stand in the list of commands.
fn see_also(above: Option<&str>) -> String {
    above.map(|above| format!(".SH \"SEE ALSO\"\n\\fB{}\\fR(1)\n", roff(above))).unwrap_or_default()
}

/// Text in which nothing is a request to the formatter.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
