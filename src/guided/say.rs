//! The longer sentences of the guided run. What they ask for is what the policy in force asks for.

use super::Step;
use crate::ceremony::CeremonyError;
use crate::ceremony::approve::Decisions;
use crate::ceremony::signers::Tally;
use crate::station::Station;
use crate::station::policy::Role;
use crate::station::request::StoredRequest;
use crate::text::{counted, short, shown};
use crate::vault::keys::list_keys;
use crate::vault::sealed::SealedKey;

/// How many people a signature takes, as policy and keys say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct People {
    /// Does one officer do for all of it?
    one: bool,
    /// Does who signs approve by it?
    signing_approves: bool,
}

impl People {
    pub(super) fn of(station: &Station) -> Result<People, CeremonyError> {
        let keys = list_keys(station.disk(), &station.layout.keys())?;
        let signing_approves = station.policy.may_hold_both(Role::Approver, Role::Signer);
        let one_opens = keys.iter().all(|key| key.quorum == 1);
        Ok(People { one: signing_approves && one_opens && station.policy.approvals <= 1, signing_approves })
    }

    /// Who has to do something at a step.
    pub(super) fn who(self, step: Step) -> &'static str {
        match step {
            Step::Machine => "whoever prepared this machine",
            Step::Import => "whoever brought the stick",
            Step::Review if self.one => "the officer who will sign it",
            Step::Review => "every officer who will approve or sign",
            Step::Approve if self.signing_approves => "an officer who approves without signing, or rejects",
            Step::Approve => "the officers who approve; who signs is another",
            Step::Sign if self.one => "the officer who opens the key",
            Step::Sign => "the officers who open the key",
            Step::Export => "whoever takes the stick back",
        }
    }

    /// When the reading is over.
    pub(super) fn after_reading(self) -> &'static str {
        if self.one {
            "Go on when you have read this, and have noted the words at its end."
        } else {
            "Go on when everybody who approves or signs has read this, and has noted the words at its end."
        }
    }

    /// What is asked before the key is opened.
    pub(super) fn who_opens(self) -> &'static str {
        if self.one {
            "Who opens the key? Her name."
        } else {
            "Who opens the key? Names, with a space between."
        }
    }

    /// How many approvals the policy asks for, what the officers decided so far, and who is waited for.
    pub(super) fn standing(self, needed: u32, decided: &Decisions, tally: Option<&Tally>) -> String {
        let by_signing = if self.signing_approves {
            "Whoever signs approves by it."
        } else {
            "Whoever signs does not count among them."
        };
        let mut text =
            format!("The policy asks for {}. {by_signing}\n", counted(u64::from(needed), "approval"));
        for one in &decided.granted {
            let (officer, expires) = (shown(&one.approval().officer), shown(&one.approval().expires));
            text += &format!("  {officer} approved, until {expires}\n");
        }
        for one in &decided.denied {
            text += &format!(
                "  {} rejected it: {}\n",
                shown(&one.approval().officer),
                shown(&one.approval().reason)
            );
        }
        for (one, why) in &decided.void {
            text += &format!("  {}'s decision is void: {why}\n", shown(&one.approval().officer));
        }
        match tally {
            Some(tally) if tally.missing() > 0 => text += &format!("It waits for {}.\n", tally.awaited()),
            Some(_) => text += "Nobody else has to approve it.\n",
            None => {}
        }
        text
    }
}

/// The request in a line.
pub(super) fn about(stored: &StoredRequest) -> String {
    let manifest = &stored.request.manifest;
    format!(
        "\nRequest {}: {}, version {}, of {}.\n",
        stored.digest().short(),
        manifest.subject(),
        manifest.version,
        shown(&manifest.factory)
    )
}

/// Who opens which key.
pub(super) fn holders(keys: &[SealedKey]) -> String {
    let mut text = String::new();
    for key in keys {
        text += &format!("Key {} opens with {}.\n", short(&key.keyid), key.opens_with());
    }
    if keys.is_empty() {
        text += "There is no key on this station. Bring one in first: countersign key import --help\n";
    }
    text
}
