//! What can go wrong with the log on the station, and what to do then.

use super::codec::LineFault;
use crate::host::disk::DiskError;
use crate::tlog::flaw::Flaw;

/// The log could not be written or read, or it is not what it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file operation failed.
    #[error(
        "{0}. Without its log the station does nothing: make room or make the folder writable, then try again"
    )]
    Disk(#[from] DiskError),
    /// The log is not what it was.
    #[error(
        "the log was changed or damaged: {0}. Stop here: keep the folder as it is, and have it examined (countersign audit verify)"
    )]
    Tampered(Flaw),
    /// A line that would not be read back: no year of four digits, or a number that is too large.
    #[error(
        "the entry was not written, because its line would not be read back: {0}. Is the machine's clock right?"
    )]
    Line(LineFault),
    /// A line would be too long.
    #[error(
        "the entry would have {0} bytes, at most 65,535 fit in a line: shorten the reason or the statement"
    )]
    TooLong(usize),
    /// The log's own key cannot be made.
    #[error("the log's name \"{0}\" cannot name a key: it must not be empty or have white space or a plus")]
    Name(String),
    /// An earlier write failed in a way that leaves unclear what is on disk.
    #[error(
        "the log takes no more entries after a failed write ({0}): start again, and the log will be checked"
    )]
    Closed(String),
    /// Somebody else wrote to the log while this process did.
    #[error(
        "{0} is not as long as this process left it: another one wrote to the log. Nothing more is written. Let one \
         process alone work on the station, and see whether the log is whole: countersign log verify"
    )]
    TwoWriters(String),
    /// There is no such entry.
    #[error("there is no entry {0}: the log's last checkpoint covers {1} entries, numbered from 0")]
    NoEntry(u64, u64),
}

impl From<Flaw> for LogError {
    fn from(flaw: Flaw) -> LogError {
        LogError::Tampered(flaw)
    }
}
