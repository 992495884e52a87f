//! What made an entry: the running program, and who is at the keyboard.

use crate::host::{Host, Program};
use crate::station::Session;

/// The session of a command: written to the log before its first entry.
pub fn session(host: &Host, command: &str) -> Session {
    Session {
        command: command.to_owned(),
        program: Program::hashing(host.machine.clone()),
        actor: format!("user:{}", host.machine.user()),
    }
}
