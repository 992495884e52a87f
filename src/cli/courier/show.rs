//! A wave and its status in words, with fioctl's columns.

use super::table::table;
use crate::courier::{GroupStatus, Page, Rollout, Wave, WaveStatus};
use crate::text::{counted, shown};

/// The list of waves.
pub(super) fn list(page: &Page) -> String {
    let row = |wave: &Wave| {
        [
            &wave.name,
            &wave.version,
            &wave.tag,
            &wave.status,
            &wave.change_meta.created_at,
            &wave.change_meta.updated_at,
        ]
        .map(|cell| shown(cell))
        .to_vec()
    };
    let rows: Vec<Vec<String>> = page.waves.iter().map(row).collect();
    table(&["NAME", "VERSION", "TAG", "STATUS", "CREATED AT", "FINISHED AT"], &rows)
}

/// One wave.
pub(super) fn wave(wave: &Wave) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&format!("{:<15}{}\n", format!("{name}:"), shown(value)));
        }
    };
    line("Name", &wave.name);
    line("Version", &wave.version);
    line("Tag", &wave.tag);
    line("Status", &wave.status);
    line("Created At", &wave.change_meta.created_at);
    line("Created By", &wave.change_meta.created_by);
    if !wave.rollout_history.is_empty() {
        out.push_str("Rollout history:\n");
        wave.rollout_history.iter().for_each(|entry| out.push_str(&format!("  {}\n", rollout(entry))));
    } else if !wave.rollout_groups.is_empty() {
        out.push_str("Rollout history:\n");
        let mut groups: Vec<_> = wave.rollout_groups.values().collect();
        groups.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        for group in groups {
            let by = by(&group.created_by);
            out.push_str(&format!(
                "  {}: group {}{by}\n",
                shown(&group.created_at),
                named(&group.group_name)
            ));
        }
    }
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&format!("{:<15}{}\n", format!("{name}:"), shown(value)));
        }
    };
    line("Finished At", &wave.change_meta.updated_at);
    line("Finished By", &wave.change_meta.updated_by);
    out
}

fn rollout(entry: &Rollout) -> String {
    let devices = counted(entry.num_devices, "device");
    let whom = match (entry.is_factory_wide, entry.is_full_group) {
        (true, _) => format!("{devices} in Factory"),
        (false, true) => format!("all devices in group {}", named(&entry.group_name)),
        (false, false) => format!("{devices} in group {}", named(&entry.group_name)),
    };
    format!("{}: {whom}{}", shown(&entry.rollout_at), by(&entry.rollout_by))
}

fn by(who: &str) -> String {
    if who.is_empty() { String::new() } else { format!(" by {}", shown(who)) }
}

/// A group's name; one that was deleted has none.
fn named(group: &str) -> String {
    if group.is_empty() { "<deleted group>".to_owned() } else { shown(group) }
}

/// A group of a status; devices without a group have no name.
pub(super) fn group_name(group: &GroupStatus) -> String {
    if group.name.is_empty() { "(No Group)".to_owned() } else { shown(&group.name) }
}

/// The first line of a status.
pub(super) fn heading(status: &WaveStatus) -> String {
    format!(
        "Wave '{}' for tag '{}' version {} is {}\n",
        shown(&status.name),
        shown(&status.tag),
        status.version,
        shown(&status.status)
    )
}

/// How far a wave is.
pub(super) fn status(status: &WaveStatus) -> String {
    let mut out = heading(status);
    if !status.is_active() {
        out.push_str("The numbers are those of now, not of when the wave was finished\n");
    }
    let tag = shown(&status.tag);
    let groups = status.rollout_groups.len();
    out.push('\n');
    for (name, value) in [
        ("Created At:".to_owned(), shown(&status.created_at)),
        ("Finished At:".to_owned(), shown(&status.finished_at)),
        (format!("Device Groups on Tag '{tag}':"), (groups + status.other_groups.len()).to_string()),
        ("Device Groups Rollout:".to_owned(), groups.to_string()),
        (format!("Devices on Tag '{tag}':"), status.total_devices.to_string()),
        ("Devices Updated:".to_owned(), status.updated_devices.to_string()),
        ("Devices Scheduled for Update:".to_owned(), status.scheduled_devices.to_string()),
        ("Devices Not Scheduled:".to_owned(), status.unscheduled_devices.to_string()),
    ] {
        if !value.is_empty() {
            out.push_str(&format!("{name:<38} {value}\n"));
        }
    }
    if groups + status.other_groups.len() > 0 {
        out.push('\n');
        out.push_str(&group_table(status));
    }
    if status.is_active() {
        out.push_str(&targets(status));
    }
    out
}

fn group_table(status: &WaveStatus) -> String {
    let elsewhere = match (status.is_canceled(), status.is_complete()) {
        (true, _) => "Never (Wave Canceled)",
        (_, true) => "At Wave Completion (Done)",
        _ => "At Wave Completion",
    };
    let row = |group: &GroupStatus, at: String| {
        vec![
            group_name(group),
            group.devices_total.to_string(),
            group.updated().to_string(),
            group.devices_on_older_version.to_string(),
            group.devices_scheduled_for_update.to_string(),
            group.devices_online.to_string(),
            at,
        ]
    };
    let rolled = status.rollout_groups.iter().map(|group| row(group, shown(&group.rollout_at)));
    let others = status.other_groups.iter().map(|group| row(group, elsewhere.to_owned()));
    table(
        &["GROUP", "TOTAL", "UPDATED", "NEED UPDATE", "SCHEDULED", "ONLINE", "ROLLOUT AT"],
        &rolled.chain(others).collect::<Vec<_>>(),
    )
}

/// What the devices of each group run.
fn targets(status: &WaveStatus) -> String {
    let groups = status.rollout_groups.iter().chain(&status.other_groups);
    let mut out = String::new();
    for group in groups.filter(|group| !group.targets.is_empty()) {
        let row = |one: &crate::courier::TargetCount| {
            let mark = match (one.version == status.version, one.is_orphan) {
                (true, _) => " <-",
                (false, true) => " *",
                (false, false) => "",
            };
            vec![format!("{}{mark}", one.version), one.devices.to_string()]
        };
        let rows: Vec<Vec<String>> = group.targets.iter().map(row).collect();
        out.push_str(&format!(
            "\n## Device Group: {}\n{}",
            group_name(group),
            table(&["TARGET", "DEVICES"], &rows)
        ));
    }
    if out.is_empty() {
        return out;
    }
    format!("\n* a version that is in no targets of the tag, <- the wave's version\n{out}")
}
