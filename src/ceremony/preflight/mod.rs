//! Preflight: is this machine fit for a ceremony, before a key is opened on it?
//!
//! Each line of the report looks at one thing, says what it found, and when that is not as it should be, what to do.
//! The policy says which failures stop a signature. The report is part of the log entry of every signature, so that an
//! auditor sees on what kind of machine a key was opened.

mod clock;
mod confinement;
mod files;
pub(crate) mod heads;
mod history;
mod image;
mod mounts;
mod network;
mod process;
mod report;
mod selftest;
mod swap;

pub(crate) use report::{Line, Outcome, Report};

use crate::host::Host;
use crate::host::clock::{Stamp, Time};
use crate::station::{Policy, Station};
use std::path::Path;

/// What the caller knows and the machine does not.
pub(crate) struct Known<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// Was the station made with `init --networked`? Then a network is a warning.
    pub networked: bool,
    /// The station's folder.
    pub station: &'a Path,
    /// The stick: the folder of a request, or the one to export to. `None` when none is at hand.
    pub medium: Option<&'a Path>,
    /// When the log's latest entry was written, since an officer last stated the time.
    pub last_logged: Option<Stamp>,
    /// The newest time in what others signed and this station accepted, such as a root's change note.
    pub newest_signed: Option<Time>,
    /// SHA-256 of the running program in hex, where it is known already; else its file is read.
    pub program: Option<&'a str>,
    /// Does the log verify? `Ok` with its size for people, or the sentence that says what is wrong.
    pub log: Result<String, String>,
}

/// Looks at the machine for an open station.
pub(crate) fn of_station(station: &Station, host: &Host, medium: Option<&Path>) -> Report {
    let newest = station.trust.newest();
    let known = Known {
        policy: &station.policy,
        networked: station.facts.networked,
        station: station.layout.root(),
        medium,
        last_logged: station.log.latest().cloned(),
        newest_signed: newest.owners.values().filter_map(|owner| Time::parse(&owner.created_at)).max(),
        program: Some(station.binary()).filter(|digest| !digest.is_empty()),
        // Opening the station verified every line against the newest checkpoint.
        log: Ok(format!("{} entries", station.log.size())),
    };
    let mut report = run(host, &known);
    report.lines.push(heads::line(station.anchors(), host.clock.now()));
    report
}

/// Looks at everything. Writes nothing.
pub(crate) fn run(host: &Host, known: &Known<'_>) -> Report {
    let machine = host.machine.as_ref();
    let (program, program_sha256) = process::program(host, known.program);
    let found = [
        network::line(machine),
        clock::line(&host.stamp(), known.last_logged.as_ref(), known.newest_signed),
        clock::time_zone(machine),
        swap::line(machine),
        confinement::memory(machine),
        process::core_dumps(machine),
        history::line(machine),
        confinement::line(machine, known.policy.requires_confinement),
        files::permissions(host, known.station),
        files::free_space(machine, known.station, known.medium),
        mounts::line(machine, known.station, known.medium),
        selftest::line(host.random.as_ref()),
        program,
        image::line(machine),
        log_line(&known.log),
    ];
    let lines = found.into_iter().map(|line| weigh(line, known)).collect();
    Report { lines, program_sha256, networked: known.networked }
}

/// Turns a failure into a warning where the policy, or the kind of station, says so.
fn weigh(line: Line, known: &Known<'_>) -> Line {
    let tolerated =
        !known.policy.preflight_blocks(line.name) || (line.name == network::NAME && known.networked);
    match line.outcome {
        Outcome::Fail if tolerated => Line { outcome: Outcome::Warn, ..line },
        _ => line,
    }
}

fn log_line(log: &Result<String, String>) -> Line {
    match log {
        Ok(size) => Line::pass("log", format!("its lines give its signed checkpoint: {size}")),
        Err(wrong) => Line::fail(
            "log",
            format!(
                "the log does not verify: {wrong}. Do not sign; keep the station as it is and call the auditor"
            ),
        ),
    }
}

#[cfg(test)]
mod tests;
