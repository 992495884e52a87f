//! What the officer is shown: diff, named checks (one file a family), renderers (text, HTML, JSON).

pub(crate) mod checks;
pub(crate) mod diff;
pub(crate) mod finding;
pub(crate) mod fleet;
mod group;
mod html;
mod json;
mod labels;
pub(crate) mod later;
mod layout;
pub(crate) mod model;
pub(crate) mod situation;
mod size;
mod text;
pub(crate) mod trust;

#[cfg(test)]
#[allow(dead_code)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use checks::is_signable;
pub(crate) use finding::{Finding, Severity};
pub(crate) use model::Review;
pub use model::review;
pub use situation::{Baseline, BaselineSource, Carried, CiTargets, Situation};
pub(crate) use size::FILE_WIDTH;
