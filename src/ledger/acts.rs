//! Who has to sign which act, and did they? An act counts with the signatures in the entries right before it and no
//! others: one that is not followed by its act counts for nothing.
//!
//! The station and the auditor judge by this alone. That a signature holds ([`SignedAct::holds`]) is verified beside it.

use super::act::SignedAct;
use super::custody::{Custody, NEVER_FINISHED, Resealed, Sealing};
use super::entry::Entry;
use super::field::OfficerName;
use super::record::{ActSigned, Record};
use crate::text::{Foreign, counted};
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::Digest;
use std::collections::{BTreeSet, HashSet};

/// The format of a log in which acts are signed, as its first entry says. Logs of 0.1 say none, and their acts are not.
pub const FORMAT: &str = "countersign/log/2";

/// The resolution of an intent in doubt whose very bytes were signed again with the same key: the log proves it, and
/// nobody need say so.
pub const SIGNED_AGAIN: &str = "the same bytes were signed again";
/// The resolution where an officer said that a signature left the station …
pub(crate) const MADE: &str = "made";
/// … or that none did.
pub(crate) const NOT_MADE: &str = "not made";

/// Whose signatures an act asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Needs {
    /// Nobody's.
    Nobody,
    /// Those of each of these officers.
    Each(Vec<String>),
    /// Those of so many officers.
    Officers(u64),
    /// Those of officers who together are a quorum of one of these sealings.
    QuorumOf(Vec<Sealing>),
}

impl Needs {
    /// Why these officers are not those whose signatures are asked for; nothing when they are. Each counts once.
    pub(crate) fn lack(&self, signers: &[&str]) -> Option<String> {
        let distinct: BTreeSet<&str> = signers.iter().copied().collect();
        let given = || counted(distinct.len() as u64, "officer");
        match self {
            Needs::Nobody => None,
            Needs::Each(names) => {
                let missing = names.iter().find(|name| !distinct.contains(name.as_str()))?;
                Some(format!("the signature of {} is needed, and it is not there", Foreign(missing)))
            }
            Needs::Officers(count) if distinct.len() as u64 >= *count => None,
            Needs::Officers(count) => {
                Some(format!("the signatures of {} are needed, and {} signed", officers(*count), given()))
            }
            Needs::QuorumOf(sealings) => {
                let holders = |one: &Sealing| {
                    one.officers.iter().filter(|name| distinct.contains(name.as_str())).count()
                };
                if sealings.iter().any(|one| holders(one) as u64 >= one.quorum) {
                    return None;
                }
                let ways: Vec<String> = sealings.iter().map(ToString::to_string).collect();
                Some(format!("the signatures of {} are needed, and {} signed", ways.join(", or "), given()))
            }
        }
    }
}

fn officers(count: u64) -> String {
    counted(count, "officer")
}

/// Whose signatures a change of the policy asks for: as many officers as the stricter of both asks approvals. Before the
/// first officer there is, nobody's.
pub(crate) fn of_policy(custody: &Custody, approvals: u64) -> Needs {
    if custody.is_staffed() { Needs::Officers(approvals.max(1)) } else { Needs::Nobody }
}

/// Whose signatures another online key asks for: those of a quorum of the station's key, of the highest quorum where
/// there are several; one officer's while no key is sealed. Before the first officer there is, nobody's.
pub(crate) fn of_online_key(custody: &Custody) -> Needs {
    if !custody.is_staffed() {
        return Needs::Nobody;
    }
    let highest = custody.sealings().map(|one| one.quorum).max();
    match highest {
        None => Needs::Officers(1),
        Some(highest) => {
            Needs::QuorumOf(custody.sealings().filter(|one| one.quorum == highest).cloned().collect())
        }
    }
}

/// Whose signatures bringing back a key asks for. One that the log has in force, brought back as it is, changes nothing:
/// nobody's, and there may be nobody whose files are there. Any other asks for one officer's, once there is one.
pub(crate) fn of_restore(custody: &Custody, keyid: &str, sealing: &Sealing) -> Needs {
    let is_in_force = custody.key(keyid).is_some_and(|key| key.may_be(sealing));
    if is_in_force || !custody.is_staffed() { Needs::Nobody } else { Needs::Officers(1) }
}

/// Whose signatures an entry asks for, after the entries that `custody` has seen. `approvals`: for a change of the
/// policy, those that the stricter of both asks for.
fn needs(entry: &Entry<'_>, custody: &Custody, approvals: u64) -> Needs {
    let each =
        |officers: &[OfficerName<'_>]| Needs::Each(officers.iter().map(|name| name.to_string()).collect());
    let actor = || Needs::Each(vec![entry.actor().into_owned()]);
    match entry.record() {
        Record::PolicyChanged(_) => of_policy(custody, approvals),
        Record::OnlineKeyPinned(_) => of_online_key(custody),
        Record::OfficerRetired(retired) => {
            let known = custody.officer(&retired.officer);
            let was_there = known.is_some_and(|officer| officer.is_finished);
            match retired.reason == NEVER_FINISHED && !was_there {
                true => Needs::Nobody,
                false => Needs::Officers(1),
            }
        }
        Record::TimeStatement(_) | Record::WitnessAdded(_) | Record::WitnessRetired(_) => actor(),
        Record::SignInDoubt(doubt) => match doubt.resolution.as_ref() {
            "" | SIGNED_AGAIN => Needs::Nobody,
            _ => actor(),
        },
        // Who took a request in may be kept from approving it: that it was she is not believed of a line alone.
        Record::RequestImported(_) if custody.officer(&entry.actor()).is_some() => actor(),
        Record::SignIntent(intent) => each(&intent.officers),
        Record::KeyDrilled(drilled) => each(&drilled.officers),
        Record::AnchorSettled(settled) => each(&settled.officers),
        Record::KeySealed(sealed) => {
            let by = Resealed::read(&sealed.detail).map(|resealed| resealed.by).unwrap_or_default();
            Needs::Each(by.into_iter().map(str::to_owned).collect())
        }
        Record::KeyRestored(restored) => of_restore(custody, &restored.keyid, &Sealing::of(restored)),
        _ => Needs::Nobody,
    }
}

/// A signature that waits for its act.
struct Waiting {
    officer: String,
    act: String,
    digest: String,
}

/// What is to be known of the entries so far to judge the next.
#[derive(Default)]
pub(crate) struct Acts {
    /// The log's key; nothing for a log in which acts are not signed.
    log: Option<String>,
    nonces: HashSet<Digest>,
    waiting: Vec<Waiting>,
    /// Key and bytes of the last signature.
    signed: (String, String),
}

impl Acts {
    /// The signature that an entry holds, to be verified; nothing for another entry.
    pub(crate) fn signature(&self, entry: &Entry<'_>) -> Option<SignedAct> {
        SignedAct::from_entry(entry, self.log.as_deref()?)
    }

    /// Are acts signed in this log?
    pub(crate) fn are_signed(&self) -> bool {
        self.log.is_some()
    }

    /// What is wrong with an entry, after the entries seen so far. `approvals`: see [`of_policy`]; asked for only where
    /// the policy changes.
    pub(crate) fn flaw(&self, entry: &Entry<'_>, custody: &Custody, approvals: u64) -> Option<Flaw> {
        match entry.record() {
            Record::StationCreated(created) => {
                let unknown = created.format.as_ref().filter(|format| *format != FORMAT)?;
                return Some(flaw(format!("the log's format {} is not known", Foreign(unknown))));
            }
            Record::ActSigned(_) if !self.are_signed() => {
                return Some(flaw("in a log of this format acts are not signed"));
            }
            _ if !self.are_signed() => return None,
            Record::ActSigned(signed) => {
                return self.wrong_signature(&entry.actor(), signed, custody).map(flaw);
            }
            _ => {}
        }
        let actor = entry.actor();
        let needs = needs(entry, custody, approvals);
        if needs == Needs::Nobody {
            let Record::SignInDoubt(doubt) = entry.record() else { return None };
            let is_again = doubt.resolution.is_empty()
                || (doubt.keyid == self.signed.0.as_str() && doubt.signed == self.signed.1.as_str());
            return (!is_again).then(|| flaw("the bytes that it says were signed again were not"));
        }
        let digest = entry.digest();
        let signers: Vec<&str> = self
            .waiting
            .iter()
            .filter(|one| one.act == entry.kind().name() && one.digest == digest)
            .map(|one| one.officer.as_str())
            .collect();
        if let Some(why) = needs.lack(&signers) {
            return Some(flaw(why));
        }
        let is_hers = signers.contains(&actor.as_ref());
        (!is_hers).then(|| flaw(format!("{} is said to have done it, and did not sign it", Foreign(&actor))))
    }

    fn wrong_signature(
        &self,
        actor: &str,
        signed: &ActSigned<'_>,
        custody: &Custody,
    ) -> Option<&'static str> {
        if *actor != *signed.officer {
            return Some("somebody else than the officer who signed is said to have acted");
        }
        match custody.officer(&signed.officer) {
            None => return Some("the signature is by somebody who is not an officer"),
            Some(known) if known.key != signed.key => {
                return Some("the signature is made with a key that is not the officer's");
            }
            Some(known) if known.is_retired() => {
                return Some("the signature is by an officer who was retired");
            }
            Some(_) => {}
        }
        let is_again = self.nonces.contains(&Digest::of(signed.nonce.as_bytes()));
        is_again.then_some("the same signature stands in the log before")
    }

    /// Takes the next entry into account.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) {
        if let Record::ActSigned(signed) = entry.record() {
            self.nonces.insert(Digest::of(signed.nonce.as_bytes()));
            self.waiting.push(Waiting {
                officer: signed.officer.to_string(),
                act: signed.act.to_string(),
                digest: signed.digest.to_string(),
            });
            return;
        }
        self.waiting.clear();
        match entry.record() {
            Record::StationCreated(created) if created.format.as_deref() == Some(FORMAT) => {
                self.log = Some(created.log_key.to_string());
            }
            Record::SignResult(result) => {
                self.signed = (result.keyid.to_string(), result.signed.to_string());
            }
            _ => {}
        }
    }
}

fn flaw(why: impl Into<String>) -> Flaw {
    Flaw::new(FlawKind::Act, why)
}

#[cfg(test)]
mod tests;
