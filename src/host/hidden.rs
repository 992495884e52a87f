//! A terminal on which what is typed is not shown, and not kept.

use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios};
use std::io;

/// Standard input without echo, until this is dropped. What was typed meanwhile and nobody read is thrown away then:
/// it may be a passphrase, and would otherwise end in the next prompt or in the shell.
pub(super) struct Hidden {
    before: Termios,
}

impl Hidden {
    /// Turns echo off.
    ///
    /// # Errors
    /// Standard input is no terminal, or cannot be set.
    pub(super) fn start() -> io::Result<Hidden> {
        let stdin = rustix::stdio::stdin();
        let before = rustix::termios::tcgetattr(stdin)?;
        let mut silent = before.clone();
        silent.local_modes &= !(LocalModes::ECHO | LocalModes::ECHONL);
        rustix::termios::tcsetattr(stdin, OptionalActions::Now, &silent)?;
        Ok(Hidden { before })
    }

    /// Throws away what was typed and not read yet.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub(super) fn forget_typed_ahead(&self) -> io::Result<()> {
        Ok(rustix::termios::tcflush(rustix::stdio::stdin(), QueueSelector::IFlush)?)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing either. `Flush` throws away what was not read.
        let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &self.before);
    }
}
