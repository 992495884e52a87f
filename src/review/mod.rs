//! What the officer is shown: diff, named checks (one file a family), renderers (text, HTML, JSON).

pub mod checks;
pub mod diff;
pub mod finding;
pub mod fleet;
mod group;
mod html;
mod json;
mod labels;
pub mod later;
mod layout;
pub mod model;
pub mod situation;
mod size;
mod text;
pub mod trust;

#[cfg(test)]
#[allow(dead_code)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use checks::is_signable;
pub use finding::{Finding, Severity};
pub(crate) use html::Escaped;
pub use html::with_note;
pub use model::{Review, review};
pub use situation::{Baseline, BaselineSource, Carried, CiTargets, Record, Situation, Vouched};
pub use size::FILE_WIDTH;
