//! What a program that was taken over could still do on this machine.

use super::Line;
use crate::host::{Confinement, Machine};
use crate::text::shown;

/// Is this process confined (`host::confine`)? The log keeps how far.
pub(super) fn line(machine: &dyn Machine, is_required: bool) -> Line {
    const NAME: &str = "confinement";
    let confined = machine.confined();
    let logged = Some(shown(&confined.to_string()));
    let line = match &confined {
        Confinement::Fully => {
            Line::pass(NAME, "fully: only the files that a command needs; no network, no other program")
        }
        short => {
            let rule = if is_required { "The policy requires all of it. " } else { "" };
            let message =
                format!("{}. {rule}Linux 6.12 with Landlock has all of it", shown(&short.to_string()));
            if is_required { Line::fail(NAME, message) } else { Line::warn(NAME, message) }
        }
    };
    Line { logged, ..line }
}

/// Can memory with an open key be moved to a disk by the kernel? VmLck, proc_pid_status(5).
pub(super) fn memory(machine: &dyn Machine) -> Line {
    const NAME: &str = "memory";
    let status = machine.read("/proc/self/status").unwrap_or_default();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
    let kilobytes = locked.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    if kilobytes.is_some_and(|locked| locked > 0) {
        return Line::pass(NAME, "locked: nothing of it is ever moved to a disk");
    }
    let message = "not locked, because this user may not lock all of it: what is in memory stays off the disk only \
                   while there is no swap. To lock it: ulimit -l unlimited";
    Line::warn(NAME, message)
}
