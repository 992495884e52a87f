//! What made an entry: the running program's own digest, and who is at the keyboard.

use crate::host::Host;
use crate::station::Session;
use sha2::{Digest as _, Sha256};
use std::io::Read as _;

/// The session of a command: written to the log before its first entry.
pub fn session(host: &Host, command: &str) -> Session {
    Session {
        command: command.to_owned(),
        binary: program_digest(host).unwrap_or_default(),
        actor: format!("user:{}", host.machine.user()),
    }
}

/// SHA-256 of the running program, in hex; streamed, so that it takes no memory.
pub fn program_digest(host: &Host) -> Option<String> {
    let mut file = std::fs::File::open(host.machine.program()?).ok()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0u8; 128 << 10];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(hex::encode(hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}
