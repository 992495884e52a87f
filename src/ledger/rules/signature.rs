//! What an intent to sign rests on, and what its result repeats of it.

use super::apart::apart;
use super::approval::approved;
use super::quorum::{Lack, quorum};
use super::{contradiction, digest, flaw};
use crate::ledger::field::Text;
use crate::ledger::record::{SignIntent, SignResult};
use crate::ledger::requests::{Asked, findings};
use crate::ledger::{Entry, Record, State};
use crate::tlog::{Flaw, FlawKind};

/// The word for a finding that may not be signed over.
const BLOCK: &str = "block";
/// The word for a line of the preflight that stops a signature.
const FAIL: &str = "fail";

/// An intent: under the policy and root in force, for what the request asks, on the review that was shown, on as many
/// approvals as the policy asks for, by a quorum of the key's officers, with the roles apart that are to be apart.
pub(super) fn intent(state: &State, entry: &Entry<'_>, intent: &SignIntent<'_>) -> Result<(), Flaw> {
    if state.policy.as_ref().is_none_or(|policy| policy.digest() != *intent.policy) {
        return contradiction("the policy that it names was not the one in force");
    }
    if state.root != Some(intent.root_version) {
        return contradiction("the root that it names was not the one in force");
    }
    let request = digest(&intent.request)?;
    let Some(asked) = state.requests.asked(&request) else {
        return contradiction("the request was never taken in");
    };
    if *asked != Asked::of_intent(intent) {
        return contradiction("it says something else of the request than the entry that took it in");
    }
    review(state, intent)?;
    preflight(intent)?;
    let approved = approved(state, intent, entry.time())?;
    let (given, asked) = (approved.len() as u64, state.approvals_asked());
    if given < asked {
        let why = format!("{given} officers had approved, and the policy in force asks for {asked}");
        return Err(flaw(FlawKind::Quorum, &why));
    }
    let openers: Vec<&str> = intent.officers.iter().map(|name| &**name).collect();
    apart(state, &request, &approved, &openers)?;
    quorum(&state.custody, &intent.keyid, openers).map(drop).map_err(|lack: Lack| lack.flaw())
}

/// A review that blocks is not signed on: neither the review itself nor a finding of it may say so.
fn review(state: &State, intent: &SignIntent<'_>) -> Result<(), Flaw> {
    let Some(shown) = state.requests.review(&digest(&intent.review)?) else {
        return contradiction("the review was never shown");
    };
    if shown.signed != digest(&intent.signed)? {
        return contradiction("the review that was shown is of other bytes");
    }
    if *shown.findings != findings(&intent.findings) {
        return contradiction("its findings are not those of the review that was shown");
    }
    if !shown.signable {
        return contradiction("the review says that the request cannot be signed, and it was");
    }
    match shown.findings.iter().find(|(_, severity)| severity == BLOCK) {
        None => Ok(()),
        Some((check, _)) => contradiction(&format!(
            "the finding {} blocks, and it was signed over",
            crate::text::shown(check)
        )),
    }
}

/// A machine that failed a line of its preflight signs nothing.
fn preflight(intent: &SignIntent<'_>) -> Result<(), Flaw> {
    let failed = intent.preflight.iter().find(|line| line.outcome == FAIL || line.outcome == "failed");
    match failed {
        None => Ok(()),
        Some(line) => contradiction(&format!(
            "the machine failed \"{}\" of its preflight, and it was signed",
            crate::text::shown(&line.name)
        )),
    }
}

/// The result of the intent in an entry: it repeats what the intent says, and adds what was made.
pub fn result_of<'a>(
    intent: &SignIntent<'a>,
    seq: u64,
    [method, sig, strength]: [Text<'a>; 3],
) -> SignResult<'a> {
    let intent = intent.clone();
    SignResult {
        intent: seq,
        request: intent.request,
        review: intent.review,
        signed: intent.signed,
        factory: intent.factory,
        wave: intent.wave,
        tag: intent.tag,
        version: intent.version,
        kind: intent.kind,
        keyid: intent.keyid,
        method,
        sig,
        root_version: intent.root_version,
        policy: intent.policy,
        officers: intent.officers,
        strength,
        tool: intent.tool,
        binary: intent.binary,
    }
}

/// A result says the same as its intent, which is open, and what that rested on stands still.
pub(super) fn result(state: &State, result: &SignResult<'_>) -> Result<(), Flaw> {
    let number = result.intent;
    let none = || {
        contradiction(&format!("there is no open intent {number}: a signature without one, or a second one"))
    };
    let Some(entry) = state.intents.entry(number) else { return none() };
    let entry = entry.entry();
    let Record::SignIntent(intent) = entry.record() else { return none() };
    let made = [&result.method, &result.sig, &result.strength].map(Clone::clone);
    if result_of(intent, number, made) != *result {
        return contradiction(&format!("the result does not say the same as its intent, entry {number}"));
    }
    approved(state, intent, entry.time())?;
    let people: std::collections::BTreeSet<_> = result.officers.iter().collect();
    if result.strength == "L1" && people.len() < 2 {
        return contradiction("the entry says that the key was opened by several, and names one officer");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(preflight: &[(&'static str, &'static str)]) -> SignIntent<'static> {
        SignIntent {
            request: "the request".into(),
            review: "the review".into(),
            signed: "the bytes".into(),
            factory: "acme".into(),
            wave: "v2".into(),
            tag: "production".into(),
            version: 42,
            kind: "wave".into(),
            keyid: "the keyid".into(),
            root_version: 3,
            policy: "the policy".into(),
            officers: vec!["mara".into()],
            approvals: Vec::new(),
            findings: Vec::new(),
            preflight: preflight.iter().map(|line| (*line).into()).collect(),
            tool: "the program".into(),
            binary: "its digest".into(),
        }
    }

    #[test]
    fn a_machine_that_failed_a_line_of_its_preflight_signs_nothing() {
        assert_eq!(preflight(&intent(&[])), Ok(()));
        assert_eq!(preflight(&intent(&[("network", "ok"), ("swap", "warn")])), Ok(()));
        // The second word is that of 0.1.
        for word in ["fail", "failed"] {
            let flaw = preflight(&intent(&[("swap", "ok"), ("network", word)])).expect_err("a flaw");
            assert!(flaw.detail.contains("\"network\""), "{}", flaw.detail);
        }
    }
}
