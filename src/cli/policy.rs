//! `policy`: the policy in force, and putting another one in force.

use super::secrets::PassphraseArgs;
use super::{Context, Exit, Outcome};
use crate::ceremony::anchors::require_witnesses_for;
use crate::ceremony::trust;
use crate::station::policy::{Change, MAX_POLICY_BYTES};
use crate::station::{Policy, Station};
use crate::vault::officer::OfficerName;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Show the policy in force, or put another one in force.
#[derive(clap::Subcommand)]
#[command(
    after_help = "Example:\n  countersign policy show > policy.toml\n  countersign policy set policy.toml --officer alice --officer bob"
)]
pub(crate) enum Args {
    /// Print the policy in force, with its comments.
    #[command(after_help = "Example:\n  countersign policy show > policy.toml")]
    Show,
    /// Put another policy in force. As many officers sign as the stricter of both asks approvals. Open approvals are void
    /// then.
    #[command(after_help = "Example:\n  countersign policy set policy.toml --officer alice --officer bob")]
    Set {
        /// The policy (TOML).
        file: PathBuf,
        /// Who signs the change; nobody, before there are officers.
        #[arg(long, value_name = "NAMES", value_delimiter = ',')]
        officer: Vec<OfficerName>,
        /// Their passphrases.
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Show => {
            let station = context.look()?;
            context.text(station.policy.text())?;
            context.done(&json!({ "digest": station.policy.digest(), "policy": station.policy.text() }))
        }
        Args::Set { file, officer, passphrase } => {
            let files = passphrase.files()?;
            context.with_station("policy set", |station| {
                let policy = Policy::read(&context.host.disk.read(&file, MAX_POLICY_BYTES)?)?;
                let (from, to) = (station.policy.digest(), policy.digest());
                if from == to {
                    context.text(&format!("Policy {to} is in force already. Nothing changed.\n"))?;
                    context.json(&json!({ "from": from, "digest": to, "changes": [] }))?;
                    return Ok(Exit::Done);
                }
                require_witnesses_for(station, &policy)?;
                let changes = station.policy.changes(&policy);
                show(station, &file, &changes, context)?;
                trust::set_policy(station, context.host, policy, &officer, &files)?;
                context.text(&format!(
                    "Policy {to} is in force; it replaces {from}. Approvals given before are void.\n"
                ))?;
                let changes: Vec<_> = changes
                    .iter()
                    .map(|one| {
                        json!({ "effect": one.effect.name(), "member": one.member, "from": one.from, "to": one.to })
                    })
                    .collect();
                context.done(&json!({ "from": from, "digest": to, "changes": changes }))
            })
        }
    }
}

/// What the officers are about to sign, before their passphrases.
fn show(station: &Station, file: &Path, changes: &[Change], context: &Context<'_>) -> Outcome {
    let mut text = format!(
        "{} changes the policy of the station for {}:\n",
        crate::text::shown_path(file),
        station.facts.factory
    );
    changes.iter().for_each(|change| text.push_str(&format!("  {change}\n")));
    if changes.is_empty() {
        text.push_str("  nothing but its text: comments or the order\n");
    }
    if context.global.json {
        context.note(&text);
    }
    context.text(&text)?;
    Ok(Exit::Done)
}
