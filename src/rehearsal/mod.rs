//! A made-up Factory of any size from a seed: for `rehearse`, for benchmarks and for tests.
//!
//! [`Factory`] plays the service and its builds: it makes keys, roots, CI targets and production targets, takes the
//! waves that a station signed, and completes them. [`hostile`] makes the documents that nobody should send.
//! Everything follows from the seed and from a given time: two runs write the same bytes.

mod content;
mod error;
mod factory;
pub(crate) mod hostile;
mod keys;
mod roots;
mod target;
mod waves;

pub(crate) use error::FactoryError;
pub use factory::Factory;
pub use target::Spacing;

#[cfg(test)]
mod tests;
