//! This process: can its memory be read by others, and which program is it?

use super::Line;
use crate::host::{Host, Machine, program};
use crate::text::shown_path;
use crate::tuf::Digest;
use crate::words;

/// Nobody can dump or trace this process, and it writes no core file.
pub(super) fn core_dumps(machine: &dyn Machine) -> Line {
    const NAME: &str = "core-dumps";
    match (machine.dumpable(), machine.core_limit()) {
        (false, Some(0)) => Line::pass(NAME, "off, and the process cannot be traced"),
        (true, _) => Line::fail(
            NAME,
            "other programs of this user can read this process's memory (PR_SET_DUMPABLE failed). Run the program as it was built, not under a debugger",
        ),
        (false, _) => {
            Line::fail(NAME, "the process could write a core file. Switch that off first: ulimit -c 0")
        }
    }
}

/// Which program this is. To compare with the digest that the release, or your own build on another machine, gives.
pub(super) fn program(host: &Host, known: Option<&str>) -> (Line, Option<String>) {
    const NAME: &str = "program";
    let Some(path) = host.machine.program() else {
        return (Line::fail(NAME, "which file this program runs from cannot be seen"), None);
    };
    let place = shown_path(&path);
    let Some(hex) = known.map(str::to_owned).or_else(|| program::sha256(host.machine.as_ref())) else {
        return (Line::fail(NAME, format!("this program's own file cannot be read: {place}")), None);
    };
    let words = Digest::parse(&hex).map(|digest| words::confirmation(&digest.0)).unwrap_or_default();
    // In groups, so that no line breaks within what is compared.
    let groups: Vec<&str> = (0..hex.len()).step_by(16).filter_map(|at| hex.get(at..at + 16)).collect();
    let message = format!("{words}: the SHA-256 of {place}, {}", groups.join(" "));
    (Line::pass(NAME, message), Some(hex))
}
