//! What can go wrong on the connected side, and whether the service may have done something all the same.

use crate::bundle::BundleError;
use crate::host::disk::DiskError;
use crate::json::JsonError;
use crate::station::StationError;
use crate::tuf::TufError;

/// Why the courier did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CourierError {
    /// Configuration that is missing or contradicts itself.
    #[error("{0}")]
    Settings(String),
    /// The service refused, or gave no answer that can be used. Nothing was changed there.
    #[error("cannot {doing}: {why}")]
    Refused {
        /// What was asked of it: "read the waves".
        doing: String,
        /// What it answered, and what to do.
        why: String,
    },
    /// What the service answered does not fit together.
    #[error("what the service answered does not fit together: {0}")]
    Incoherent(String),
    /// Something was sent, and what became of it could not be read.
    #[error("it is not known whether the service did it ({doing}): {why}. {find_out}")]
    Unknown {
        /// What was asked of it.
        doing: String,
        /// Why it is not known.
        why: String,
        /// The command that finds out.
        find_out: String,
    },
    /// A check of ours: nothing was sent.
    #[error("{0}")]
    Blocked(String),
    /// Nobody confirmed it.
    #[error("{0}")]
    NotConfirmed(String),
    /// A local file.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// A bundle on this machine.
    #[error("{0}")]
    Bundle(#[from] BundleError),
    /// Metadata on this machine.
    #[error("{0}")]
    Tuf(#[from] TufError),
    /// Roots on this machine.
    #[error("{0}")]
    Station(#[from] StationError),
    /// A file on this machine.
    #[error("{0}")]
    Json(#[from] JsonError),
}

impl CourierError {
    /// A refusal by the service, or no usable answer.
    pub(super) fn refused(doing: &str, why: impl Into<String>) -> CourierError {
        CourierError::Refused { doing: doing.to_owned(), why: why.into() }
    }
}
