//! Who signs an act: asked for by name before anybody types a passphrase.

use super::CeremonyError;
use super::approve::open_officer;
use crate::host::Host;
use crate::ledger::acts::Needs;
use crate::station::Station;
use crate::vault::officer::{OfficerName, OpenOfficer};
use crate::vault::passphrase::PassphraseFiles;

/// Opens the officers who sign an act, after their names alone were found to be those that it asks for.
///
/// # Errors
/// [`CeremonyError::NotApproved`] when they are too few; one is not there, has left or is named twice; or a passphrase is
/// wrong.
pub(crate) fn open_signers(
    station: &mut Station,
    host: &Host,
    names: &[OfficerName],
    needs: &Needs,
    files: &PassphraseFiles,
    purpose: &str,
) -> Result<Vec<OpenOfficer>, CeremonyError> {
    require(station, names, needs)?;
    names.iter().map(|name| open_officer(station, host, name, files, purpose)).collect()
}

/// Are these, by their names, the officers who may sign an act? To be asked before anything else is.
///
/// # Errors
/// As [`open_signers`], but for the passphrases.
pub(crate) fn require(station: &Station, names: &[OfficerName], needs: &Needs) -> Result<(), CeremonyError> {
    station.serving(names)?;
    let given: Vec<&str> = names.iter().map(OfficerName::as_str).collect();
    if let Some(why) = needs.lack(&given) {
        return Err(CeremonyError::NotApproved(format!(
            "{why}. Give the names of those who sign: --officer NAME,NAME. Nothing was changed"
        )));
    }
    Ok(())
}
