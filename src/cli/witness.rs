//! `witness`: whose cosignatures count for this station's log.

use super::failure::text_in;
use super::secrets::PassphraseArgs;
use super::{Context, Exit, Failure, Outcome};
use crate::ceremony::anchors::{add_witness, retire_witness};
use crate::ceremony::approve::open_officer;
use crate::ledger::anchors::Witness;
use crate::text::shown;
use crate::tlog::VerifierKey;
use crate::vault::officer::OfficerName;
use crate::words;
use serde_json::{Value, json};
use std::path::Path;

/// Whose cosignatures count for this station's log: add, list, retire.
#[derive(clap::Subcommand)]
#[command(
    after_help = "Example:\n  countersign witness add witness.example/w1+9fc5a1e2+BA… --officer alice\n\nHow many of them are asked for, and how often, is in the policy: [witness] quorum, window_days, every_bundle."
)]
pub(crate) enum Args {
    /// Let a witness's cosignatures count from now on. It must be told of this log: its origin and key.
    #[command(after_help = "Example:\n  countersign witness add auditor.vkey --officer alice")]
    Add {
        /// The witness's key (name+8 hex digits+base64, type 4), or a file that holds it.
        #[arg(value_name = "VKEY")]
        key: String,
        /// The officer whose act it is.
        #[arg(long, value_name = "NAME")]
        officer: OfficerName,
        /// Her passphrase.
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// List the witnesses, with what each cosigned last.
    #[command(after_help = "Example:\n  countersign witness list")]
    List,
    /// Let a witness's cosignatures count no more.
    #[command(after_help = "Example:\n  countersign witness retire witness.example/w1 --officer alice")]
    Retire {
        /// The witness's name.
        #[arg(value_name = "NAME")]
        witness: String,
        /// The officer whose act it is.
        #[arg(long, value_name = "NAME")]
        officer: OfficerName,
        /// Why; it stands in the log.
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        /// Her passphrase.
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Add { key, officer, passphrase } => add(&key, &officer, &passphrase, context),
        Args::List => list(context),
        Args::Retire { witness, officer, reason, passphrase } => {
            retire(&witness, &reason, &officer, &passphrase, context)
        }
    }
}

/// A key given as itself, or in a file.
fn read_key(context: &Context<'_>, given: &str) -> Result<VerifierKey, Failure> {
    if let Ok(key) = VerifierKey::parse(given) {
        return Ok(key);
    }
    let path = Path::new(given);
    let text = match context.host.disk.kind(path) {
        Ok(Some(_)) => text_in(path, &context.host.disk.read(path, 4_096)?)?.to_owned(),
        _ => given.to_owned(),
    };
    VerifierKey::parse(&text).map_err(|e| Failure::new(Exit::Failed, format!("{}: {e}", shown(given))))
}

fn add(key: &str, officer: &OfficerName, passphrase: &PassphraseArgs, context: &Context<'_>) -> Outcome {
    let files = passphrase.files()?;
    let key = read_key(context, key)?;
    context.with_station("witness add", |station| {
        if let Some(why) = station.anchors().refuse_witness(&key) {
            return Err(Failure::new(Exit::Refused, format!("{why}. Nothing was changed")));
        }
        context.note(&format!(
            "Witness {}\n  in words: {}\nThey must be the words that the witness gave you another way.\n",
            shown(key.name()),
            words::confirmation(&key.fingerprint())
        ));
        let opened = open_officer(station, context.host, officer, &files, "witness add")?;
        let seq = add_witness(station, context.host, &key, &opened)?;
        context.text(&format!(
            "Witness {} counts for this log (log entry {seq})\nIt must know this log: origin {}\n  key {}\n",
            shown(key.name()),
            station.log.key().name(),
            station.log.key()
        ))?;
        context.done(&json!({
            "witness": key.name(), "key": key.to_string(), "words": words::confirmation(&key.fingerprint()), "seq": seq,
            "log_key": station.log.key().to_string(),
        }))
    })
}

fn retire(
    witness: &str,
    reason: &str,
    officer: &OfficerName,
    passphrase: &PassphraseArgs,
    context: &Context<'_>,
) -> Outcome {
    let files = passphrase.files()?;
    context.with_station("witness retire", |station| {
        let opened = open_officer(station, context.host, officer, &files, "witness retire")?;
        let seq = retire_witness(station, context.host, witness, reason, &opened)?;
        context.text(&format!("Witness {} counts no more (log entry {seq})\n", shown(witness)))?;
        context.done(&json!({ "witness": witness, "seq": seq }))
    })
}

fn list(context: &Context<'_>) -> Outcome {
    let station = context.look()?;
    let anchors = station.anchors();
    let mut text = String::new();
    for witness in anchors.all() {
        let state = match (&witness.newest, witness.retired) {
            (_, Some(seq)) => format!("retired in log entry {seq}"),
            (Some(newest), None) => format!("cosigned {} entries on {}", newest.size, newest.time),
            (None, None) => "has not cosigned yet".to_owned(),
        };
        text.push_str(&format!(
            "{}  {state}\n  {}\n",
            shown(witness.key.name()),
            shown(&witness.key.to_string())
        ));
    }
    if text.is_empty() {
        text.push_str("No witnesses: countersign witness add VKEY --officer NAME\n");
    }
    context.text(&text)?;
    context.done(&anchors.all().map(value).collect::<Vec<_>>())
}

/// A witness as a value.
pub(super) fn value(witness: &Witness) -> Value {
    json!({
        "name": witness.key.name(),
        "key": witness.key.to_string(),
        "added": witness.seq,
        "retired": witness.retired,
        "size": witness.newest.as_ref().map(|newest| newest.size),
        "time": witness.newest.as_ref().map(|newest| newest.time.to_string()),
    })
}
