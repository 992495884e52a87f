//! The longer sentences of the guided run.

use crate::ceremony::approve::Decisions;
use crate::station::request::StoredRequest;
use crate::text::{counted, shown};
use crate::vault::sealed::SealedKey;

/// What the officers decided so far, and how many approvals the policy asks for.
pub(super) fn standing(needed: u32, decided: &Decisions) -> String {
    let mut text = format!(
        "The policy asks for {}. Whoever signs approves by it.\n",
        counted(u64::from(needed), "approval")
    );
    for one in &decided.granted {
        text +=
            &format!("  {} approved, until {}\n", shown(&one.approval.officer), shown(&one.approval.expires));
    }
    for one in &decided.denied {
        text += &format!("  {} rejected it: {}\n", shown(&one.approval.officer), shown(&one.approval.reason));
    }
    for (one, why) in &decided.void {
        text += &format!("  {}'s decision is void: {why}\n", shown(&one.approval.officer));
    }
    text
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
        let short = key.keyid.get(..12).unwrap_or(&key.keyid);
        let how = match (key.quorum, key.officers.len()) {
            (1, 1) => String::new(),
            (quorum, _) => format!("any {quorum} of "),
        };
        text += &format!("Key {short} opens with {how}{}.\n", key.holders());
    }
    if keys.is_empty() {
        text += "There is no key on this station. Bring one in first: countersign key import --help\n";
    }
    text
}
