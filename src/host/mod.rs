//! What the machine gives: time, randomness, a terminal, a disk and facts about itself.
//!
//! Everything that a ceremony takes from outside comes through one [`Host`], so that a whole ceremony runs in a test
//! with a clock, a random source, a terminal and a disk of the test's own.

pub(crate) mod busy;
pub(crate) mod bytes;
pub(crate) mod clock;
pub(crate) mod confine;
pub(crate) mod disk;
pub(crate) mod draft;
mod hidden;
pub(crate) mod left_over;
pub(crate) mod machine;
mod pager;
pub(crate) mod program;
mod prompt;
pub(crate) mod random;
mod signals;
pub(crate) mod terminal;
pub(crate) mod wrap;

pub(crate) use busy::Busy;
pub use bytes::Bytes;
pub(crate) use clock::Clock;
pub use clock::Stamp;
pub use confine::{Confinement, Reach};
pub use disk::{Disk, RealDisk};
pub(crate) use draft::Draft;
pub use machine::Machine;
pub(crate) use program::Program;
pub(crate) use prompt::Prompting;
pub use random::Random;
pub use terminal::Terminal;

use std::sync::Arc;

/// The machine as the commands see it.
pub struct Host {
    /// Wall clock, uptime and boot.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
    /// Standard output, standard error, and the officer's keyboard.
    pub terminal: Arc<dyn Terminal>,
    /// Files.
    pub disk: Arc<dyn Disk>,
    /// Interfaces, swap, mounts: what `preflight` looks at.
    pub machine: Arc<dyn Machine>,
}

impl Host {
    /// The machine that this process runs on.
    pub fn real() -> Host {
        Host {
            clock: Arc::new(clock::SystemClock),
            random: Arc::new(random::SystemRandom),
            terminal: Arc::new(terminal::RealTerminal::new()),
            disk: Arc::new(RealDisk),
            machine: Arc::new(machine::RealMachine::default()),
        }
    }

    /// Time and boot as they stand now, for a log entry.
    pub fn stamp(&self) -> Stamp {
        Stamp { time: self.clock.now(), boot: self.clock.boot(), uptime_ms: self.clock.uptime_ms() }
    }
}
