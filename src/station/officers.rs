//! Who the station's officers are, as its log has it. Beside the log lie only their sealed identities.

use super::{Station, StationError};
use crate::ledger::custody;
use crate::text::{shown, shown_path};
use crate::vault::error::{CustodyError, CustodyResult};
use crate::vault::officer::{OfficerName, OfficerPublic, identity_file};

impl Station {
    /// All officers by name, also those who left. One whose adding was cut short is none before her identity is there.
    ///
    /// # Errors
    /// The disk.
    pub fn officers(&self) -> CustodyResult<Vec<OfficerPublic>> {
        let mut found = Vec::new();
        for (name, officer) in self.state().custody.officers() {
            let Ok(name) = name.parse::<OfficerName>() else { continue };
            if officer.is_finished || (!officer.is_retired() && self.has_identity(&name)?) {
                found.push(public(name, officer));
            }
        }
        Ok(found)
    }

    /// The officer of this name, also one who left.
    ///
    /// # Errors
    /// There is none, or the disk.
    pub(crate) fn officer(&self, name: &OfficerName) -> CustodyResult<OfficerPublic> {
        let found = self.officers()?.into_iter().find(|known| known.name == *name);
        found.ok_or_else(|| CustodyError::NoSuchOfficer(name.clone()))
    }

    /// Officers by name, each once, who all serve: those that a key is to be sealed to.
    ///
    /// # Errors
    /// One does not exist, has left, or is named twice.
    pub(crate) fn serving(&self, names: &[OfficerName]) -> CustodyResult<Vec<OfficerPublic>> {
        let mut officers: Vec<OfficerPublic> = Vec::with_capacity(names.len());
        for name in names {
            if officers.iter().any(|known| known.name == *name) {
                return Err(CustodyError::NamedTwice(name.clone()));
            }
            let officer = self.officer(name)?;
            if !officer.is_active() {
                return Err(CustodyError::Retired(name.clone()));
            }
            officers.push(officer);
        }
        Ok(officers)
    }

    /// Is her sealed identity there?
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn has_identity(&self, name: &OfficerName) -> CustodyResult<bool> {
        Ok(self.disk().kind(&identity_file(&self.layout.officers(), name))?.is_some())
    }

    /// Checks that every officer who serves has her identity: nobody else may come in her place. One whose adding was cut
    /// short has none yet.
    ///
    /// # Errors
    /// An officer's file is missing.
    pub(super) fn check_no_identity_is_missing(&self) -> Result<(), StationError> {
        for (name, officer) in
            self.state().custody.officers().filter(|(_, one)| !one.is_retired() && one.is_finished)
        {
            let path = self.layout.officers().join(format!("{name}.age"));
            if self.disk().kind(&path)?.is_none() {
                let name = shown(name);
                return Err(StationError::NotAsLogged(format!(
                    "{}: the file of the officer {name}, whom log entry {} has, is missing: it was removed outside \
                     countersign. Do not sign; keep a copy of the folder, and call the auditor. Then bring her back \
                     from her paper sheet (countersign key restore), or retire her (countersign officer retire {name})",
                    shown_path(&path),
                    officer.seq
                )));
            }
        }
        Ok(())
    }
}

fn public(name: OfficerName, officer: &custody::Officer) -> OfficerPublic {
    let (recipient, approval_key) = (officer.recipient.clone(), officer.key.clone());
    OfficerPublic {
        retired: officer.retired.map(|(_, time)| time),
        ..OfficerPublic::new(name, recipient, approval_key, officer.added)
    }
}
