//! How the removable medium is mounted, from `/proc/self/mountinfo` (proc_pid_mountinfo(5)).

use super::Line;
use crate::host::Machine;
use crate::text::{shown, shown_path};
use std::path::{Path, PathBuf};

const NAME: &str = "medium";

/// A file system in its place.
pub(super) struct Mount {
    /// Where.
    pub(super) point: PathBuf,
    /// `major:minor` of the device.
    pub(super) device: String,
    /// Its kind, such as `vfat`.
    kind: String,
    /// Options of this mount, such as `nosuid`.
    options: Vec<String>,
}

/// The mount that holds a path.
pub(super) fn holding(machine: &dyn Machine, path: &Path) -> Option<Mount> {
    let path = std::path::absolute(path).ok()?;
    let table = machine.read("/proc/self/mountinfo")?;
    let holding = table.lines().filter_map(parse).filter(|mount| path.starts_with(&mount.point));
    // Of two mounts at one place the later lies on top.
    holding.max_by_key(|mount| mount.point.components().count())
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn parse(line: &str) -> Option<Mount> {
    let (place, kind) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(2);
    let device = place.next()?.to_owned();
    let point = unescape(place.nth(1)?);
    let options = place.next()?.split(',').map(str::to_owned).collect();
    Some(Mount { point: PathBuf::from(point), device, kind: kind.split(' ').next()?.to_owned(), options })
}

/// Space, tab, line feed and backslash are written as three octal digits after a backslash.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

/// A stick should carry data only: no devices, no programs, no set-user-id.
pub(super) fn line(machine: &dyn Machine, station: &Path, medium: Option<&Path>) -> Line {
    let Some(medium) = medium else { return Line::pass(NAME, "no stick was named") };
    let place = shown_path(medium);
    let Some(mount) = holding(machine, medium) else {
        return Line::warn(
            NAME,
            format!("how {place} is mounted cannot be seen: /proc/self/mountinfo cannot be read"),
        );
    };
    if mount.point == Path::new("/")
        || holding(machine, station).is_some_and(|home| home.point == mount.point)
    {
        return Line::pass(NAME, format!("{place} is on this machine's own disk"));
    }
    let missing: Vec<&str> = ["nosuid", "nodev", "noexec"]
        .into_iter()
        .filter(|wanted| !mount.options.iter().any(|option| option == wanted))
        .collect();
    let (point, kind) = (shown_path(&mount.point), shown(&mount.kind));
    if missing.is_empty() {
        return Line::pass(NAME, format!("{point} ({kind}) is mounted nosuid,nodev,noexec"));
    }
    let message = format!(
        "{point} ({kind}) is mounted without {}. Mount it so: mount -o remount,nosuid,nodev,noexec {point}",
        missing.join(",")
    );
    Line::fail(NAME, message)
}
