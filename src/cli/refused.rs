//! What a ceremony, a station or a vault refuses, as the command's exit code.

use super::failure::failed;
use super::{Exit, Failure};
use crate::ceremony::CeremonyError;
use crate::station::StationError;
use crate::vault::error::CustodyError;

impl From<CustodyError> for Failure {
    fn from(e: CustodyError) -> Failure {
        let not_approved = matches!(
            e,
            CustodyError::WrongPassphrase(_)
                | CustodyError::NobodyToAsk { .. }
                | CustodyError::NotHolder { .. }
                | CustodyError::TooFewOfficers { .. }
                | CustodyError::NamedTwice(_)
                | CustodyError::NoSuchOfficer(_)
                | CustodyError::Retired(_)
                | CustodyError::WeakPassphrase(_)
                | CustodyError::PassphrasesDiffer
        );
        let exit = match e {
            CustodyError::IdentityMismatch(_) => Exit::Tampered,
            _ if not_approved => Exit::NotApproved,
            _ => Exit::Failed,
        };
        Failure::new(exit, e.to_string())
    }
}

impl From<StationError> for Failure {
    fn from(e: StationError) -> Failure {
        match e {
            StationError::Disk(e) => e.into(),
            StationError::Bundle(e) => e.into(),
            StationError::Tuf(e) => e.into(),
            StationError::Log(e) => e.into(),
            StationError::Policy(e) => e.into(),
            owned @ StationError::OwnedKey { .. } => Failure::new(Exit::Refused, owned.to_string()),
            StationError::NotAsLogged(why) => Failure::new(Exit::Tampered, why),
            other => failed(&other),
        }
    }
}

impl From<CeremonyError> for Failure {
    fn from(e: CeremonyError) -> Failure {
        match e {
            CeremonyError::Station(e) => e.into(),
            CeremonyError::Bundle(e) => e.into(),
            CeremonyError::Tuf(e) => e.into(),
            CeremonyError::Custody(e) => e.into(),
            CeremonyError::Refused(message) => Failure::new(Exit::Refused, message),
            CeremonyError::NotApproved(message) => Failure::new(Exit::NotApproved, message),
            CeremonyError::Ambiguous(message) => Failure::usage(message),
            CeremonyError::InDoubt(message) => Failure::new(Exit::InDoubt, message),
            CeremonyError::RolledBack(message) => Failure::new(Exit::RolledBack, message),
            CeremonyError::Forked(message) => Failure::new(Exit::Forked, message),
            CeremonyError::Unwitnessed(message) => Failure::new(Exit::Unwitnessed, message),
            other => failed(&other),
        }
    }
}
