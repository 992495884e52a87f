//! What this process may still do, once it has given up what its command does not need: files that the command names
//! (Landlock), and system calls that none of this product's acts makes (seccomp). Neither can be taken back, and
//! whoever takes over the process from a hostile file is bound by both.
//!
//! Both bind a thread and those that it starts, so this comes before any thread, and before the first foreign byte.

mod calls;
mod files;

pub use files::Reach;

use std::fmt;

/// How far this process is confined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Confinement {
    /// Files and system calls, by every rule.
    Fully,
    /// By some of the rules: which the kernel lacks, in words.
    InPart(String),
    /// By none: why not.
    Not(String),
}

impl Confinement {
    /// Before a process has been asked to confine itself.
    pub(crate) fn never_asked() -> Confinement {
        Confinement::Not("the program did not confine itself".to_owned())
    }
}

/// For a log entry and for people: `fully`, `in part: ...`, `not: ...`.
impl fmt::Display for Confinement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Confinement::Fully => write!(out, "fully"),
            Confinement::InPart(lacks) => write!(out, "in part: {lacks}"),
            Confinement::Not(why) => write!(out, "not: {why}"),
        }
    }
}

/// Gives up everything but `reach`, for the calling thread and every thread that it starts.
pub(super) fn confine(reach: &Reach) -> Confinement {
    // Landlock first: its own system calls are then forbidden too.
    let files = files::confine(reach);
    let calls = calls::confine(reach.connects());
    let kernel = rustix::system::uname();
    let kernel = kernel.release().to_string_lossy();
    match (files, calls) {
        (Ok(None), Ok(())) => Confinement::Fully,
        (Ok(lacks), Ok(())) => Confinement::InPart(format!("Linux {kernel} {}", lacks.unwrap_or_default())),
        (Err(files), Ok(())) => {
            Confinement::InPart(format!("Linux {kernel} does not confine files: {files}"))
        }
        (Ok(_), Err(calls)) => {
            Confinement::InPart(format!("Linux {kernel} does not filter system calls: {calls}"))
        }
        (Err(files), Err(calls)) => Confinement::Not(format!(
            "Linux {kernel} confines neither files ({files}) nor system calls ({calls})"
        )),
    }
}
