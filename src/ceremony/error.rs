//! Why an act did not happen.

use crate::bundle::BundleError;
use crate::bundle::source::SourceError;
use crate::host::disk::DiskError;
use crate::ledger::LogError;
use crate::station::StationError;
use crate::tuf::TufError;
use crate::vault::error::CustodyError;

/// An act of the ceremony failed, or was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The station.
    #[error("{0}")]
    Station(#[from] StationError),
    /// A bundle.
    #[error("{0}")]
    Bundle(#[from] BundleError),
    /// Metadata.
    #[error("{0}")]
    Tuf(#[from] TufError),
    /// An officer's identity, or a sealed key.
    #[error("{0}")]
    Custody(#[from] CustodyError),
    /// Randomness.
    #[error("no randomness from the system: {0}. Nothing was signed")]
    NoRandomness(std::io::Error),
    /// A blocking check, or a rule that no policy lowers.
    #[error("{0}")]
    Refused(String),
    /// A wrong confirmation, too few officers, or an officer who said no.
    #[error("{0}")]
    NotApproved(String),
    /// An earlier intent to sign has no result.
    #[error("{0}")]
    InDoubt(String),
    /// A head of this station's log came back that its log does not have.
    #[error("{0}")]
    RolledBack(String),
    /// A head of this station's log came back that tells another history.
    #[error("{0}")]
    Forked(String),
    /// No witness cosigned the log within the policy's window.
    #[error("{0}")]
    Unwitnessed(String),
    /// What was asked for can mean several things.
    #[error("{0}")]
    Ambiguous(String),
    /// Nothing was signed yet, or there is nothing to export.
    #[error("{0}")]
    Nothing(String),
    /// A signature as a slip.
    #[error("{0}")]
    Slip(#[from] crate::bundle::slip::SlipError),
    /// Nobody can be told or asked any more.
    #[error("the terminal: {0}. What was done is kept in the station")]
    Terminal(#[from] std::io::Error),
    /// What was written is not what was meant.
    #[error("{0}")]
    NotAsWritten(String),
}

impl CeremonyError {
    /// There is nothing to export yet.
    pub(super) fn not_signed(request: &crate::tuf::Digest) -> CeremonyError {
        let short = request.short();
        CeremonyError::Nothing(format!(
            "request {short} is not signed yet. Run `countersign sign {short} --officer NAME`"
        ))
    }
}

impl From<SourceError> for CeremonyError {
    fn from(e: SourceError) -> Self {
        match e {
            SourceError::Bundle(e) => e.into(),
            SourceError::Compose(e) => CeremonyError::Refused(e.to_string()),
        }
    }
}

impl From<DiskError> for CeremonyError {
    fn from(e: DiskError) -> Self {
        CeremonyError::Station(e.into())
    }
}

impl From<LogError> for CeremonyError {
    fn from(e: LogError) -> Self {
        CeremonyError::Station(e.into())
    }
}

impl From<crate::json::JsonError> for CeremonyError {
    fn from(e: crate::json::JsonError) -> Self {
        CeremonyError::Tuf(e.into())
    }
}
