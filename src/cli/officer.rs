//! `officer`: the people of this station.

use super::secrets::PassphraseArgs;
use super::{Context, Failure, Outcome};
use crate::ceremony::officers;
use crate::station::workstation::STATION_ACTOR;
use crate::vault::keys;
use crate::vault::officer::{OfficerName, OfficerPublic};
use crate::words;
use serde_json::{Value, json};

/// Add, list and retire the officers of this station; another passphrase.
#[derive(clap::Subcommand)]
#[command(after_help = "Example:\n  countersign officer add alice")]
pub(crate) enum Args {
    /// Add an officer: an identity of her own in a file that only her passphrase opens.
    #[command(after_help = "Example:\n  countersign officer add alice")]
    Add {
        /// Her name: 1 to 32 of a-z, 0-9, '.', '_' and '-'.
        name: OfficerName,
        /// Her new passphrase.
        #[command(flatten)]
        passphrase: PassphraseArgs,
        /// scrypt's work factor; below 18 only for tests, on a station made with --networked.
        #[arg(long, value_name = "N", hide = true)]
        work_factor: Option<u8>,
    },
    /// List the officers and the keys that they hold.
    #[command(after_help = "Example:\n  countersign officer list")]
    List,
    /// Give an officer another passphrase; her keys stay the same.
    #[command(after_help = "Example:\n  countersign officer passphrase alice")]
    Passphrase {
        /// Her name.
        name: OfficerName,
        /// Her passphrase as it is now.
        #[command(flatten)]
        passphrase: PassphraseArgs,
        /// Her new passphrase: the first line of FILE. Without it the terminal is asked, twice.
        #[arg(long, value_name = "NAME=FILE")]
        new_passphrase_file: Vec<String>,
        /// scrypt's work factor; below 18 only for tests, on a station made with --networked.
        #[arg(long, value_name = "N", hide = true)]
        work_factor: Option<u8>,
    },
    /// Note that an officer has left: she neither approves nor opens keys from then on.
    #[command(
        after_help = "Example:\n  countersign officer retire alice --officer bob --reason \"left the company\""
    )]
    Retire {
        /// Her name.
        name: OfficerName,
        /// Why; it stands in the log.
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        /// Who retires her, and signs it.
        #[arg(long, value_name = "NAMES", value_delimiter = ',')]
        officer: Vec<OfficerName>,
        /// Their passphrases.
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Add { name, passphrase, work_factor } => add(&name, &passphrase, work_factor, context),
        Args::List => list(context),
        Args::Passphrase { name, passphrase, new_passphrase_file, work_factor } => {
            let new = PassphraseArgs { passphrase_file: new_passphrase_file };
            change_passphrase(&name, &passphrase, &new, work_factor, context)
        }
        Args::Retire { name, reason, officer, passphrase } => {
            retire(&name, &reason, &officer, &passphrase, context)
        }
    }
}

fn add(
    name: &OfficerName,
    passphrase: &PassphraseArgs,
    work_factor: Option<u8>,
    context: &Context<'_>,
) -> Outcome {
    if name.as_str() == STATION_ACTOR {
        return Err(Failure::usage(format!(
            "no officer can be named \"{name}\": it stands in the log where no officer does. Give her another name"
        )));
    }
    let files = passphrase.files()?;
    context.with_station("officer add", |station| {
        let public = officers::add(station, context.host, name, &files, work_factor)?;
        context.text(&format!(
            "Officer {name} added\n  recipient     {}\n  approval key  {}\n    on paper    {}\n",
            public.recipient,
            public.approval_key,
            words::of_digest(&public.approval_key)
        ))?;
        context.done(&value(&public, &[]))
    })
}

fn change_passphrase(
    name: &OfficerName,
    old: &PassphraseArgs,
    new: &PassphraseArgs,
    work_factor: Option<u8>,
    context: &Context<'_>,
) -> Outcome {
    let (old, new) = (old.files()?, new.files()?);
    context.with_station("officer passphrase", |station| {
        officers::change_passphrase(station, context.host, name, &old, &new, work_factor)?;
        context.text(&format!("{name} has another passphrase\n"))?;
        context.note(
            "Her sheets that were printed before still open with the old one: print new ones (key backup) and destroy \
             those.\n",
        );
        context.done(&json!({ "name": name.as_str() }))
    })
}

fn value(officer: &OfficerPublic, keys: &[&str]) -> Value {
    json!({
        "name": officer.name.as_str(),
        "recipient": officer.recipient,
        "approval_key": officer.approval_key,
        "added": officer.added.to_string(),
        "retired": officer.retired.map(|time| time.to_string()),
        "keys": keys,
    })
}

fn list(context: &Context<'_>) -> Outcome {
    let station = context.look()?;
    let officers = station.officers()?;
    let keys = keys::list_keys(station.disk(), &station.layout.keys())?;
    let mut text = String::new();
    let mut values = Vec::new();
    for officer in &officers {
        let held: Vec<&str> = keys
            .iter()
            .filter(|key| key.officers.contains(&officer.name))
            .map(|key| key.keyid.as_str())
            .collect();
        let state = match officer.retired {
            Some(time) => format!("retired {time}"),
            None => format!("since {}", officer.added),
        };
        text.push_str(&format!("{:<16} {state}  {}\n", officer.name.as_str(), officer.recipient));
        let approval_key = words::of_digest(&officer.approval_key);
        text.push_str(&format!("{:<16} approval key {approval_key}\n", ""));
        held.iter().for_each(|keyid| text.push_str(&format!("{:<16} holds {keyid}\n", "")));
        values.push(value(officer, &held));
    }
    if officers.is_empty() {
        text.push_str("No officers yet: countersign officer add NAME\n");
    }
    context.text(&text)?;
    context.done(&values)
}

fn retire(
    name: &OfficerName,
    reason: &str,
    by: &[OfficerName],
    passphrase: &PassphraseArgs,
    context: &Context<'_>,
) -> Outcome {
    let files = passphrase.files()?;
    context.with_station_to_mend("officer retire", |station| {
        let held = officers::retire(station, context.host, name, reason, by, &files)?;
        context.text(&format!("Officer {name} is retired\n"))?;
        for keyid in &held {
            context.note(&format!(
                "The key {keyid} is still sealed to {name}: whoever has a copy of her files and her passphrase counts \
                 towards its quorum. Seal it anew: countersign key reseal {} --officer … --to … --quorum K\n",
                crate::text::short(keyid)
            ));
        }
        context.done(&json!({ "name": name.as_str(), "still_sealed": held }))
    })
}
