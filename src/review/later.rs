//! What this station signed above the version that production is said to run, and what a proposal lacks of it: devices
//! may have it, whatever the request shows.

use super::diff::same_or_absent;
use super::fleet::{Fleet, Move, devices};
use crate::station::SignedMark;
use crate::tuf::Targets;
use std::collections::BTreeSet;

/// One content that was signed here, held against the proposal.
pub struct Later {
    /// The signature.
    pub mark: SignedMark,
    /// Hardware ids that would get an older version than it brought, or nothing. Foreign text.
    pub hardware_ids: Vec<String>,
    /// Its targets that the proposal lacks. Foreign text.
    pub missing: Vec<String>,
    /// Its targets that the proposal has with another content. Foreign text.
    pub differing: Vec<String>,
    /// Its other members of `signed` that the proposal lacks or has otherwise, version and expiry aside. Foreign text.
    pub members: Vec<String>,
}

impl Later {
    /// Compares what was signed with what is proposed.
    pub(crate) fn of(mark: &SignedMark, signed: &Targets<'_>, proposal: &Targets<'_>) -> Later {
        let (mut missing, mut differing) = (Vec::new(), Vec::new());
        for target in signed.all() {
            match proposal.get(&target.name) {
                None => missing.push(target.name.to_string()),
                Some(other) if !super::diff::same(target.value, other.value) => {
                    differing.push(target.name.to_string());
                }
                Some(_) => {}
            }
        }
        let (then, now) = (Fleet::of(signed.all()), Fleet::of(proposal.all()));
        let falls = |moves: Move| matches!(moves, Move::Down | Move::Lost);
        let hardware_ids = devices(&then, &now).into_iter().filter(|device| falls(device.moves()));
        Later {
            mark: mark.clone(),
            hardware_ids: hardware_ids.map(|device| device.hardware_id.into_owned()).collect(),
            missing,
            differing,
            members: differing_members(signed, proposal),
        }
    }

    /// Does the proposal have all of it?
    pub(crate) fn is_contained(&self) -> bool {
        [&self.hardware_ids, &self.missing, &self.differing, &self.members].iter().all(|list| list.is_empty())
    }
}

fn differing_members(signed: &Targets<'_>, proposal: &Targets<'_>) -> Vec<String> {
    let (before, after) = (signed.metadata.signed, proposal.metadata.signed);
    let keys = before.members().chain(after.members()).map(|(key, _)| key.text().into_owned());
    let mut keys: BTreeSet<String> = keys.collect();
    keys.retain(|key| !matches!(key.as_str(), "targets" | "version" | "expires"));
    keys.into_iter().filter(|key| !same_or_absent(before.get(key), after.get(key))).collect()
}
