//! Is the clock right, as far as a machine without a network can tell?

use super::Line;
use crate::host::Machine;
use crate::host::clock::{Stamp, Time};
use crate::release;
use crate::text::shown;

/// Seconds by which two good clocks may differ.
const TOLERANCE: i64 = 600;
/// A station that has not been used for so long is worth a look at its clock.
const LONG_AGO_DAYS: i64 = 400;

/// The clock against every time that this station knows to have passed.
pub(super) fn line(now: &Stamp, last_logged: Option<&Stamp>, newest_signed: Option<Time>) -> Line {
    const NAME: &str = "clock";
    let set = "Set it by a watch that you trust: date --utc --set. If it is right, it was ahead once: an officer states \
               the time (countersign clock --officer NAME)";
    let shows = format!("the clock shows {}", now.time);
    let witnesses = [
        (Some(release::EARLIEST), "the compiler of this program was made"),
        (last_logged.map(|stamp| stamp.time), "the log's latest entry was written"),
        (newest_signed, "the newest thing that others signed was signed"),
    ];
    // The witness that is furthest ahead of the clock says the most.
    let ahead = witnesses
        .into_iter()
        .filter_map(|(time, what)| time.filter(|time| *time > now.time).map(|time| (time, what)))
        .max();
    if let Some((time, what)) = ahead {
        let message = format!("{shows}, but {what} at {time}. {set}");
        return if time > now.time.plus_seconds(TOLERANCE) {
            Line::fail(NAME, message)
        } else {
            Line::warn(NAME, message)
        };
    }
    let Some(last) = last_logged else { return Line::pass(NAME, shows) };
    if let Some(jump) = jump_since_boot(last, now)
        && jump.abs() > TOLERANCE
    {
        let message = format!(
            "{shows}; it was set by {jump} seconds since the log's last entry, as the time since the machine was \
             started tells. If that was you, go on; else compare it with a watch that you trust"
        );
        return Line::warn(NAME, message);
    }
    let days = now.time.days_since(last.time);
    if days > LONG_AGO_DAYS {
        return Line::warn(
            NAME,
            format!("{shows}, {days} days after the log's last entry. Is it right? If not: {set}"),
        );
    }
    Line::pass(NAME, shows)
}

/// By how many seconds the wall clock moved more than the time since boot did; `None` across a restart.
fn jump_since_boot(before: &Stamp, now: &Stamp) -> Option<i64> {
    if before.boot != now.boot || before.boot == "unknown" {
        return None;
    }
    let ran = i64::try_from(now.uptime_ms.checked_sub(before.uptime_ms)? / 1000).ok()?;
    Some(now.time.unix().saturating_sub(before.time.unix()).saturating_sub(ran))
}

/// The machine's time zone. Everything this program writes is UTC; a wall clock in another zone invites mistakes.
pub(super) fn time_zone(machine: &dyn Machine) -> Line {
    const NAME: &str = "time-zone";
    // The third line of /etc/adjtime says what the hardware clock keeps.
    let adjtime = machine.read("/etc/adjtime").unwrap_or_default();
    if adjtime.lines().nth(2).is_some_and(|line| line.trim() == "LOCAL") {
        return Line::warn(
            NAME,
            "the hardware clock keeps local time. Set it to UTC: timedatectl set-local-rtc 0",
        );
    }
    match zone(machine) {
        None => Line::pass(NAME, "no time zone is set, so it is UTC"),
        Some(zone) if is_utc(&zone) => Line::pass(NAME, "UTC"),
        Some(zone) => Line::warn(
            NAME,
            format!(
                "the time zone is {}; all reports are in UTC. To see the same time everywhere: timedatectl set-timezone UTC",
                shown(&zone)
            ),
        ),
    }
}

fn zone(machine: &dyn Machine) -> Option<String> {
    let target = machine.link("/etc/localtime").map(|path| path.to_string_lossy().into_owned());
    let linked = target.and_then(|path| Some(path.split_once("zoneinfo/")?.1.to_owned()));
    linked
        .or_else(|| machine.read("/etc/timezone").map(|text| text.trim().to_owned()))
        .filter(|zone| !zone.is_empty())
}

fn is_utc(zone: &str) -> bool {
    matches!(zone.trim_start_matches("Etc/"), "UTC" | "UCT" | "Universal" | "Zulu" | "GMT" | "Greenwich")
}
