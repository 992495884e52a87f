//! `policy`: the policy in force, and putting another one in force.

use super::{Context, Exit, Outcome};
use crate::station::Policy;
use crate::station::policy::MAX_POLICY_BYTES;
use serde_json::json;
use std::path::PathBuf;

/// Show the policy in force, or put another one in force.
#[derive(clap::Subcommand)]
#[command(
    after_help = "Example:\n  countersign policy show > policy.toml\n  countersign policy set policy.toml"
)]
pub enum Args {
    /// Print the policy in force, with its comments.
    #[command(after_help = "Example:\n  countersign policy show > policy.toml")]
    Show,
    /// Put another policy in force. It voids open approvals, and the log keeps the digests of both.
    #[command(after_help = "Example:\n  countersign policy set policy.toml")]
    Set {
        /// The policy (TOML).
        file: PathBuf,
    },
}

/// Shows or sets.
pub fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Show => {
            let station = context.look()?;
            context.text(station.policy.text())?;
            context.json(&json!({ "digest": station.policy.digest(), "policy": station.policy.text() }))?;
            Ok(Exit::Done)
        }
        Args::Set { file } => context.with_station("policy set", |station| {
            let policy = Policy::read(&context.host.disk.read(&file, MAX_POLICY_BYTES)?)?;
            let (from, to) = (station.policy.digest(), policy.digest());
            if from == to {
                context.text(&format!("Policy {to} is in force already. Nothing changed.\n"))?;
                context.json(&json!({ "from": from, "digest": to }))?;
                return Ok(Exit::Done);
            }
            station.set_policy(&context.host.stamp(), policy.clone())?;
            context.text(&format!(
                "Policy {to} is in force; it replaces {from}. Approvals given before are void.\n"
            ))?;
            context.json(&json!({ "from": from, "digest": to }))?;
            Ok(Exit::Done)
        }),
    }
}
