//! What the officer is shown: diff, named checks (one file a family), renderers (text, HTML, JSON).

pub mod finding;
pub mod situation;

#[cfg(test)]
#[allow(dead_code)]
pub(crate) mod testing;

pub use finding::{Finding, Severity};
pub use situation::Situation;
