//! What the officer is shown: diff, named checks (one file a family), renderers (text, HTML, JSON).

pub mod finding;

pub use finding::{Finding, Severity};
