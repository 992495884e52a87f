//! What can go wrong in an audit apart from a bad log: files that cannot be read, and questions that cannot be asked.

use crate::host::disk::DiskError;
use crate::text::shown;
use crate::tlog::Flaw;
use std::path::{Path, PathBuf};

/// An audit could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A file operation failed.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// The folder is not an evidence pack.
    #[error(
        "{} is not an evidence pack: it has no {}. Give the folder that \"countersign log export\" wrote",
        crate::text::shown_path(.path),
        .missing
    )]
    NotAPack {
        /// The folder.
        path: PathBuf,
        /// What a pack has and it has not.
        missing: &'static str,
    },
    /// The key that was given is not a log's key.
    #[error("the key given with --key cannot be used: {0}")]
    Key(String),
    /// The checkpoint that was given is none of this log.
    #[error("the file given with --against is not a checkpoint of this log: {0}")]
    Against(Flaw),
    /// The log is not what it should be, and the question needs it to be.
    #[error("the log is not what it was: {0}. Run \"countersign audit verify\" for all of it")]
    Flawed(Flaw),
    /// The pack's own key is not one, or not that of the log of its name: there is nothing to examine.
    #[error(
        "the log is not what it was: {0}. Keep the pack as it is, and ask for the station's own log folder"
    )]
    PackKey(Flaw),
    /// The pack is whole as far as can be seen, and of another log than the key.
    #[error(
        "this pack is of the log {}, and the key given is of the log {}. Give the pack of that log, or the key of this one",
        shown(.pack),
        shown(.given)
    )]
    OtherLog {
        /// The log of the pack.
        pack: String,
        /// The log of the key.
        given: String,
    },
    /// There is no such entry.
    #[error("there is no entry {0}: the signed checkpoint covers {1} entries, numbered from 0")]
    NoEntry(u64, u64),
    /// The digits that were given begin the digests of more than one request.
    #[error("more than one request's digest begins with {}: give more of its digits", shown(.0))]
    SeveralRequests(String),
    /// A file of the auditor's own cannot be used.
    #[error("{}: {}", crate::text::shown_path(.path), .problem)]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A metadata file cannot be read.
    #[error("{0}")]
    Metadata(#[from] crate::tuf::TufError),
}

impl AuditError {
    /// An error about one of the auditor's files.
    pub(super) fn file(path: &Path, problem: impl Into<String>) -> AuditError {
        AuditError::File { path: path.to_owned(), problem: problem.into() }
    }
}

impl From<crate::ledger::LogError> for AuditError {
    fn from(error: crate::ledger::LogError) -> AuditError {
        match error {
            crate::ledger::LogError::Disk(error) => AuditError::Disk(error),
            crate::ledger::LogError::Tampered(flaw) => AuditError::Flawed(flaw),
            crate::ledger::LogError::NoEntry(seq, size) => AuditError::NoEntry(seq, size),
            other => AuditError::Flawed(Flaw::new(crate::tlog::FlawKind::Line, shown(&other.to_string()))),
        }
    }
}

impl From<crate::ledger::lines::ReadError> for AuditError {
    fn from(error: crate::ledger::lines::ReadError) -> AuditError {
        match error {
            crate::ledger::lines::ReadError::Disk(error) => AuditError::Disk(error),
            crate::ledger::lines::ReadError::Flaw(flaw) => AuditError::Flawed(flaw),
        }
    }
}
