//! `wave`: list, show, status, rollout, complete, cancel, with fioctl's columns and rules, and a look before each leap.

use super::{Desk, show, watch};
use crate::cli::{Exit, Failure, Outcome};
use crate::courier::acts::{self, Done, RolledOut};
use crate::courier::rollout::{Limit, Selection, parse_uuids};
use crate::courier::{Client, CourierError, Wave, WaveStatus, deltas_of, page};
use crate::text::{counted, shown};
use serde_json::json;
use std::path::Path;

/// The largest list of devices that is read from a file, in bytes.
const MAX_LIST_BYTES: u64 = 1 << 20;

/// Look at waves, roll them out, complete or cancel them.
#[derive(clap::Subcommand)]
pub(super) enum Args {
    /// List the Factory's waves.
    List(List),
    /// Show one wave and its rollouts.
    #[command(after_help = "Example:\n  countersign-courier wave show v2.0")]
    Show {
        /// The wave's name.
        wave: String,
    },
    /// How far a wave is: devices updated, waiting, by group.
    Status(Status),
    /// Roll a wave out to a group, to a number of devices, or to named ones.
    Rollout(Rollout),
    /// Make a wave's targets the tag's production targets.
    Complete(Complete),
    /// Take a wave back. Devices that took it stay on it.
    #[command(after_help = "Example:\n  countersign-courier wave cancel v2.0")]
    Cancel {
        /// The wave's name.
        wave: String,
    },
}

/// List the Factory's waves.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign-courier wave list --status active")]
pub(super) struct List {
    /// Waves a page.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
    /// The page.
    #[arg(short, long, value_name = "P", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    page: u64,
    /// Only those that are active, complete or canceled.
    #[arg(short = 'S', long, value_name = "STATUS", value_parser = ["active", "complete", "canceled"])]
    status: Option<String>,
    /// Only those of this device tag.
    #[arg(short = 'T', long, value_name = "T")]
    tag: Option<String>,
}

/// How far a wave is.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign-courier wave status v2.0 --watch")]
pub(super) struct Status {
    /// The wave's name [default: the active one].
    wave: Option<String>,
    /// Look again until all devices that it was rolled out to are updated.
    #[arg(long)]
    watch: bool,
    /// Seconds between looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "watch", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    every: u64,
    /// Hours after which a device that was not seen counts as offline.
    #[arg(long, value_name = "HOURS", default_value_t = 4)]
    offline_threshold: u32,
}

/// Roll a wave out.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  countersign-courier wave rollout v2.0 canary\n  \
                  countersign-courier wave rollout v2.0 --limit 10% --dry-run > devices\n  \
                  countersign-courier wave rollout v2.0 --uuids @devices")]
pub(super) struct Rollout {
    /// The wave's name.
    wave: String,
    /// The device group; with nothing else, all its devices and all that join it later.
    group: Option<String>,
    /// At most so many devices (10), or so many of a hundred that match (10%).
    #[arg(long, value_name = "N|N%", allow_hyphen_values = true)]
    limit: Option<String>,
    /// These devices: their UUIDs, or @FILE with them.
    #[arg(long, value_name = "LIST|@FILE")]
    uuids: Option<String>,
    /// Roll nothing out: print the devices that it would be, as a list that --uuids @FILE takes.
    #[arg(long)]
    dry_run: bool,
}

/// Make a wave's targets the tag's production targets.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign-courier wave complete v2.0")]
pub(super) struct Complete {
    /// The wave's name.
    wave: String,
    /// Complete it although devices of the rollout are older: where there is no terminal to ask on.
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(args: Args, desk: &Desk<'_>) -> Outcome {
    match args {
        Args::List(args) => list(&args, desk),
        Args::Show { wave } => {
            let wave = Wave::require(&desk.client()?, &wave)?;
            desk.context.text(&show::wave(&wave))?;
            desk.context.done(&wave)
        }
        Args::Status(args) => status(&args, desk),
        Args::Rollout(args) => rollout(args, desk),
        Args::Complete(args) => complete(&args, desk),
        Args::Cancel { wave } => cancel(&wave, desk),
    }
}

fn list(args: &List, desk: &Desk<'_>) -> Outcome {
    let page = page(&desk.client()?, args.limit, args.page, args.status.as_deref(), args.tag.as_deref())?;
    desk.context.text(&show::list(&page))?;
    if page.next.as_ref().is_some_and(|next| !next.is_empty()) {
        desk.context.text(&format!(
            "Next page can be viewed with: countersign-courier wave list -n {} -p {}\n",
            args.limit,
            args.page + 1
        ))?;
    }
    desk.context.done(&page)
}

fn status(args: &Status, desk: &Desk<'_>) -> Outcome {
    let client = desk.client()?;
    let status = WaveStatus::read(&client, args.wave.as_deref(), args.offline_threshold)?;
    if args.watch {
        return watch::watch(desk, &client, status, args.offline_threshold, args.every);
    }
    desk.context.text(&show::status(&status))?;
    desk.context.done(&status)
}

fn rollout(args: Rollout, desk: &Desk<'_>) -> Outcome {
    let context = &desk.context;
    let uuids = match args.uuids.as_deref() {
        Some(list) => match list.strip_prefix('@') {
            Some(file) => {
                let bytes = context.host.disk.read(Path::new(file), MAX_LIST_BYTES)?;
                parse_uuids(&String::from_utf8_lossy(&bytes))?
            }
            None => parse_uuids(list)?,
        },
        None => Vec::new(),
    };
    let limit = args.limit.as_deref().map(Limit::parse).transpose()?;
    let selection = Selection { group: args.group, limit, uuids, dry_run: args.dry_run };
    selection.check()?;
    let client = desk.client()?;
    let wave = Wave::require(&client, &args.wave)?;
    if let Some(note) = deltas_of(&client, &wave)? {
        context.note(&format!("Note: {note}\n"));
    }
    let done = acts::rollout(&client, &wave, &selection)?;
    tell_rollout(&wave, &selection, &done, desk)?;
    Ok(Exit::Done)
}

/// fioctl's words; of a dry run, the list of devices alone on standard output.
fn tell_rollout(
    wave: &Wave,
    selection: &Selection,
    done: &RolledOut,
    desk: &Desk<'_>,
) -> Result<(), Failure> {
    let context = &desk.context;
    let verb = if selection.dry_run { "would be" } else { "is being" };
    let place = match &selection.group {
        Some(group) => format!("in group \"{}\"", shown(group)),
        None => "in your Factory".to_owned(),
    };
    let mut said = format!("A Wave {verb} rolled out to {} {place}.\n", counted(done.devices, "device"));
    if selection.is_whole_group() {
        said.push_str(&format!(
            "It {} also be rolled out to all new devices {place}.\n",
            if selection.dry_run { "would" } else { "will" }
        ));
    }
    let is_whole = done.uuids.len() as u64 == done.devices;
    if selection.dry_run {
        context.note(&said);
        if is_whole {
            let lines: String = done.uuids.iter().map(|uuid| format!("{}\n", shown(uuid))).collect();
            context.text(&lines)?;
        } else {
            context.note("The service does not list so many devices: they cannot be printed.\n");
        }
    } else {
        context.text(&said)?;
        context.text(&format!("Next: countersign-courier wave status {} --watch\n", shown(&wave.name)))?;
    }
    context.json(&json!({
        "wave": wave.name,
        "dry_run": selection.dry_run,
        "group": selection.group,
        "devices": done.devices,
        "uuids": done.uuids,
        "names": done.names,
    }))
}

fn complete(args: &Complete, desk: &Desk<'_>) -> Outcome {
    let context = &desk.context;
    let client = desk.client()?;
    let status = WaveStatus::read(&client, Some(&args.wave), 4)?;
    context.note(&show::status(&status));
    if status.is_active() && !args.yes {
        ask(&status, desk)?;
    }
    let done = acts::complete(&client, &status)?;
    let what = match done {
        Done::Now => "is complete now",
        Done::Before => "was complete already",
    };
    context.text(&format!(
        "The wave {} {what}: its targets are the production targets of tag {}, version {}\n",
        shown(&status.name),
        shown(&status.tag),
        status.version
    ))?;
    context
        .json(&json!({ "wave": status.name, "status": "complete", "done_before": done == Done::Before }))?;
    Ok(Exit::Done)
}

/// Asks before a wave is completed that nobody tried, or that devices wait for still.
fn ask(status: &WaveStatus, desk: &Desk<'_>) -> Result<(), Failure> {
    let why = if !status.is_rolled_out() {
        "It was not rolled out to anybody yet.".to_owned()
    } else if status.waiting() > 0 {
        format!("{} of the rollout did not update yet.", counted(status.waiting(), "device"))
    } else {
        return Ok(());
    };
    let terminal = &desk.context.host.terminal;
    let refuse = |end: &str| {
        Failure::from(CourierError::NotConfirmed(format!("{why} The wave is left as it is. {end}")))
    };
    if !terminal.can_ask() {
        return Err(refuse("Wait for them, or give --yes"));
    }
    let answer =
        terminal.ask(&format!("{why} Complete it all the same, for all devices of the tag? [yes/no] "))?;
    if answer.trim() == "yes" { Ok(()) } else { Err(refuse("It was not confirmed with yes")) }
}

fn cancel(wave: &str, desk: &Desk<'_>) -> Outcome {
    let client: Client<'_> = desk.client()?;
    let status = WaveStatus::read(&client, Some(wave), 4)?;
    let done = acts::cancel(&client, &status)?;
    let what = match done {
        Done::Now => "is canceled now",
        Done::Before => "was canceled already",
    };
    let mut said = format!("The wave {} {what}\n", shown(&status.name));
    let groups = status.rollout_groups.iter().chain(&status.other_groups);
    let on_it: Vec<_> = groups.filter(|group| group.devices_on_wave_version > 0).collect();
    let stay: u64 = on_it.iter().map(|group| group.devices_on_wave_version).sum();
    for group in &on_it {
        said.push_str(&format!(
            "{} in {} run version {} and stay on it\n",
            counted(group.devices_on_wave_version, "device"),
            show::group_name(group),
            status.version
        ));
    }
    if on_it.is_empty() {
        said.push_str("No device runs its version\n");
    }
    said.push_str(&format!(
        "The next wave of tag {} needs a version above {}\n",
        shown(&status.tag),
        status.version
    ));
    desk.context.text(&said)?;
    desk.context.done(&json!({
        "wave": status.name, "status": "canceled", "done_before": done == Done::Before, "devices_on_it": stay,
    }))
}
