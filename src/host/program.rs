//! The running program's own SHA-256, for the log: a thread hashes the file while the command begins, and whoever needs
//! the digest waits for it.

use super::Machine;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::Read as _;
use std::sync::{Arc, OnceLock};

/// The program that runs.
#[derive(Clone)]
pub struct Program {
    machine: Arc<dyn Machine>,
    digest: Arc<OnceLock<Option<String>>>,
}

impl Program {
    /// The program of this machine; its file is being hashed from now on.
    pub(crate) fn hashing(machine: Arc<dyn Machine>) -> Program {
        let program = Program { machine, digest: Arc::new(OnceLock::new()) };
        let ahead = program.clone();
        // Where no thread can be had, the first who asks does the work.
        let _ = std::thread::Builder::new().name("program-digest".to_owned()).spawn(move || {
            ahead.sha256();
        });
        program
    }

    /// SHA-256 of the program's file, in hex; `None` when it cannot be read.
    pub(crate) fn sha256(&self) -> Option<&str> {
        self.digest.get_or_init(|| sha256(&*self.machine)).as_deref()
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "program {}", self.sha256().unwrap_or("that cannot be read"))
    }
}

/// SHA-256 of the program's file, in hex, streamed; `None` when it cannot be read.
pub(crate) fn sha256(machine: &dyn Machine) -> Option<String> {
    let mut file = std::fs::File::open(machine.program()?).ok()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0u8; 128 << 10];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(hex::encode(hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::machine::RealMachine;

    #[test]
    fn the_digest_is_that_of_the_file_that_runs() {
        let file = std::fs::read(std::env::current_exe().expect("a program")).expect("read");
        let program = Program::hashing(Arc::new(RealMachine::default()));
        assert_eq!(program.sha256(), Some(hex::encode(Sha256::digest(file)).as_str()));
    }
}
