//! A terminal on which what is typed is not shown, and not kept.

use super::signals::{Guard, Moment};
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios};
use std::io;
use std::sync::Mutex;

/// Standard input without echo, until this is dropped. What was typed meanwhile and nobody read is thrown away then:
/// it may be a passphrase, and would otherwise end in the next prompt or in the shell. A signal that ends or stops the
/// program does not leave the terminal so either.
pub(super) struct Hidden {
    before: Termios,
    _guard: Guard,
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
        // First the guard: a signal in between would leave the terminal silent.
        let _guard = Guard::new(restorer(before.clone()));
        rustix::termios::tcsetattr(stdin, OptionalActions::Now, &silent)?;
        Ok(Hidden { before, _guard })
    }

    /// Throws away what was typed and not read yet.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub(super) fn forget_typed_ahead(&self) -> io::Result<()> {
        Ok(rustix::termios::tcflush(rustix::stdio::stdin(), QueueSelector::IFlush)?)
    }
}

/// Puts the terminal right before the program ends or stops, and silent again when it goes on.
fn restorer(before: Termios) -> impl Fn(Moment) -> bool + Send {
    let silent = Mutex::new(None);
    move |moment| {
        let Ok(mut silent) = silent.lock() else { return true };
        match moment {
            Moment::End => set(&before),
            Moment::Stop => {
                *silent = rustix::termios::tcgetattr(rustix::stdio::stdin()).ok();
                set(&before);
            }
            Moment::GoOn => silent.take().iter().for_each(set),
        }
        true
    }
}

fn set(modes: &Termios) {
    // A terminal that is gone shows nothing either. `Flush` throws away what was not read.
    let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, modes);
}

impl Drop for Hidden {
    fn drop(&mut self) {
        set(&self.before);
    }
}
