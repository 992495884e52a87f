//! The auditor's side: who signed what, when, with which key, on whose approval, and is this all of it?
//!
//! It needs no station, only an evidence pack ([`pack`]) and the log's public key from another way. [`examine::examine`] goes
//! over everything once and believes nothing; [`verdict`] compares the result with what was seen before; the rest
//! ([`who`], [`reconcile`], [`report`]) reads what was examined. Nothing here ever writes into a pack.

pub(crate) mod clock;
pub(crate) mod elsewhere;
pub(crate) mod error;
pub(crate) mod examine;
mod facts;
mod jobs;
mod judgement;
pub(crate) mod pack;
mod plain;
pub(crate) mod reconcile;
pub(crate) mod remark;
pub(crate) mod report;
mod signing;
pub(crate) mod state;
pub(crate) mod verdict;
pub(crate) mod who;
pub(crate) mod witnessed;
pub(crate) mod words;

pub use error::AuditError;
pub use examine::Options;
pub use pack::Pack;
pub(crate) use remark::Remark;
pub use remark::RemarkKind;
pub use verdict::{Outcome, Verdict};
