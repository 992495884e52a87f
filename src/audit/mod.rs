//! The auditor's side: who signed what, when, with which key, on whose approval, and is this all of it?
//!
//! It needs no station, only an evidence pack ([`pack`]) and the log's public key from another way. [`examine()`] goes
//! over everything once and believes nothing; [`verdict`] compares the result with what was seen before; the rest
//! ([`who`], [`reconcile`], [`report`]) reads what was examined. Nothing here ever writes into a pack.

pub mod clock;
pub mod elsewhere;
pub mod error;
pub mod examine;
mod facts;
mod jobs;
mod judgement;
pub mod pack;
mod plain;
pub mod reconcile;
pub mod remark;
pub mod report;
mod signing;
pub mod state;
pub mod verdict;
pub mod who;
pub mod witnessed;
pub mod words;

pub use error::AuditError;
pub use examine::{Examination, Options, examine};
pub use pack::Pack;
pub use remark::{Remark, RemarkKind};
pub use verdict::{Outcome, Verdict};
