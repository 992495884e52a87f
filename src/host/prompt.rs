//! What is said when somebody ends the program while it waits for an answer: what stands, and how to go on.

use super::signals::{Guard, Moment};
use super::terminal::columns_of;
use super::wrap::wrapped;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// What stands, in words; it changes as a command goes on.
#[derive(Clone, Default)]
pub(super) struct Standing(Arc<Mutex<String>>);

impl Standing {
    pub(super) fn set(&self, text: &str) {
        text.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// While this lives, whoever ends the program is told what stands.
#[must_use = "nothing is told once this is dropped"]
#[derive(Default)]
pub struct Prompting {
    _guard: Option<Guard>,
}

impl Prompting {
    /// Begins.
    pub(super) fn new(standing: &Standing) -> Prompting {
        let standing = standing.clone();
        let told = Guard::new(move |moment| {
            let text = standing.get();
            if moment == Moment::End && !text.is_empty() {
                // Nobody is left to tell it to when the terminal is gone.
                let _ =
                    writeln!(std::io::stderr(), "\n{}", wrapped(&text, columns_of(rustix::stdio::stderr())));
            }
            true
        });
        Prompting { _guard: Some(told) }
    }
}
