//! How many people an act takes: those who open a key, and those who settle a lost history.

use super::flaw;
use crate::ledger::State;
use crate::ledger::acts::of_policy;
use crate::ledger::custody::{Custody, Sealing};
use crate::ledger::record::AnchorSettled;
use crate::text::Foreign;
use crate::tlog::{Flaw, FlawKind};
use std::collections::BTreeSet;

/// A key is sealed to different officers, at least as many as open it, and at least one opens it.
pub(crate) fn sealing(sealing: &Sealing) -> Option<Flaw> {
    let names: BTreeSet<_> = sealing.officers.iter().collect();
    if names.len() < sealing.officers.len() {
        return Some(flaw(FlawKind::Quorum, "an officer is named twice in the sealing"));
    }
    match sealing.quorum >= 1 && sealing.quorum <= names.len() as u64 {
        true => None,
        false => Some(flaw(FlawKind::Quorum, "a quorum is at least 1 and at most the number of officers")),
    }
}

/// Why these people cannot open a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Lack {
    /// The key is not in the vault.
    Key,
    /// One of them does not hold it, or serves no more.
    Holder(String),
    /// There are too few of them: so many came, and so many are the quorum.
    Officers(u64, u64),
}

impl Lack {
    pub(super) fn flaw(&self) -> Flaw {
        let why = match self {
            Lack::Key => "the key was never sealed on this station".to_owned(),
            Lack::Holder(name) => format!("{} opened the key, and does not hold it", Foreign(name)),
            Lack::Officers(came, quorum) => {
                format!("{came} of the key's officers opened it, its quorum is {quorum}")
            }
        };
        flaw(FlawKind::Quorum, &why)
    }
}

/// Those who open a key hold it as it is sealed now, serve, and are its quorum; each counts once. Returns the quorum.
///
/// # Errors
/// What is lacking.
pub(crate) fn quorum<'n>(
    custody: &Custody,
    keyid: &str,
    openers: impl IntoIterator<Item = &'n str>,
) -> Result<u64, Lack> {
    let key = custody.key(keyid).filter(|key| !key.is_retired()).ok_or(Lack::Key)?;
    let distinct: BTreeSet<&str> = openers.into_iter().collect();
    let holds = |name: &&&str| {
        key.sealing.officers.iter().any(|holder| holder == **name)
            && custody.officer(name).is_some_and(|officer| !officer.is_retired())
    };
    if let Some(name) = distinct.iter().find(|name| !holds(name)) {
        return Err(Lack::Holder((*name).to_owned()));
    }
    match distinct.len() as u64 {
        came if came < key.sealing.quorum => Err(Lack::Officers(came, key.sealing.quorum)),
        _ => Ok(key.sealing.quorum),
    }
}

/// A lost history is settled by as many officers who serve as the policy asks approvals.
pub(super) fn settled(state: &State, settled: &AnchorSettled<'_>) -> Result<(), Flaw> {
    let names: Vec<&str> = settled.officers.iter().map(|name| &**name).collect();
    if let Some(why) = of_policy(&state.custody, state.approvals_asked()).lack(&names) {
        return Err(flaw(FlawKind::Quorum, &why));
    }
    let serves = |name: &str| state.custody.officer(name).is_some_and(|officer| !officer.is_retired());
    match names.into_iter().find(|name| !serves(name)) {
        None => Ok(()),
        Some(name) => {
            let why = format!("{} settled it, and is no officer who serves", Foreign(name));
            Err(flaw(FlawKind::Quorum, &why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealing_names_each_officer_once_and_its_quorum_is_from_one_to_all_of_them() {
        let said = |quorum: u64, officers: &[&str]| {
            let officers = officers.iter().map(|name| (*name).to_owned()).collect();
            sealing(&Sealing { quorum, officers, set: String::new() }).map(|flaw| flaw.kind)
        };
        for (quorum, officers) in [(1, &["ann"][..]), (1, &["ann", "bob"]), (2, &["ann", "bob"])] {
            assert_eq!(said(quorum, officers), None, "{quorum} of {officers:?}");
        }
        for (quorum, officers) in
            [(0, &["ann"][..]), (2, &["ann"]), (3, &["ann", "bob"]), (1, &["ann", "ann"]), (1, &[])]
        {
            assert_eq!(said(quorum, officers), Some(FlawKind::Quorum), "{quorum} of {officers:?}");
        }
    }
}
