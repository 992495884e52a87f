//! Where random bytes come from: the operating system, or a test's seed.

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills the whole buffer, or says that there is no randomness to be had; never part of it.
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()>;
}

/// The operating system's generator.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        getrandom::fill(bytes)
            .map_err(|e| std::io::Error::other(format!("no randomness from the system: {e}")))
    }
}
