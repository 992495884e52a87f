//! `preflight`: is this machine fit for a ceremony?

use super::{Context, Exit, Outcome};
use crate::ceremony::preflight;
use crate::ledger::field::Check;
use crate::ledger::record::Selftest;
use crate::station::Policy;
use std::path::PathBuf;

/// Is this machine fit: interfaces down, clock sane, swap, core dumps, permissions, cryptography, log.
///
/// Looks only, and needs no officer. `sign` looks again by itself.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign preflight --medium /media/usb")]
pub(crate) struct Args {
    /// The stick, to see how it is mounted.
    #[arg(long, value_name = "DIR")]
    medium: Option<PathBuf>,
}

/// Looks, prints a line for each thing, and logs the outcomes.
pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let medium = args.medium.as_deref();
    let (report, exit) = match context.open("preflight") {
        Ok(mut station) => {
            let report = preflight::of_station(&station, context.host, medium);
            let exit = if report.fit() { Exit::Done } else { Exit::Refused };
            let checks = report.summary().into_iter().map(Check::from).collect();
            let looked = Selftest { passed: report.fit(), checks }.by(station.actor());
            station.record(&context.host.stamp(), looked)?;
            station.close(context.host, exit as u8)?;
            (report, exit)
        }
        // A station whose log does not verify is not opened; the machine can be looked at all the same.
        Err(failure) if failure.exit == Exit::Tampered => {
            let folder = context.station_folder()?;
            let known = preflight::Known {
                policy: &Policy::default(),
                networked: false,
                station: &folder,
                medium,
                last_logged: None,
                newest_signed: None,
                program: None,
                log: Err(failure.message),
            };
            (preflight::run(context.host, &known), failure.exit)
        }
        Err(failure) => return Err(failure),
    };
    context.text(&report.text(context.host.terminal.width(), context.color()))?;
    context.json(&report)?;
    Ok(exit)
}
