//! Judging a signature: the intent, the quorum behind it, and the result, each against what was in force.

use super::{Facts, Intent, NOT_LISTED, Officer, Said, contradiction, digest, findings_of, flawed, short};
use crate::audit::AuditError;
use crate::audit::jobs::{Job, Queue};
use crate::audit::remark::RemarkKind;
use crate::audit::signing::Asked;
use crate::json::{Document, Limits};
use crate::ledger::field::OfficerName;
use crate::ledger::record::{SignIntent, SignResult};
use crate::ledger::{Entry, Record, rules};
use crate::text::Foreign;
use crate::tlog::FlawKind;
use crate::tuf::{Authority, Digest, KeyId, PublicKey, Root, TufError};
use std::collections::BTreeSet;

/// What a signature is made for, and with which key.
struct Signing<'a> {
    request: Digest,
    tag: &'a str,
    keyid: &'a str,
    root_version: u64,
}

impl Facts<'_> {
    pub(super) fn intent(
        &mut self,
        entry: &Entry<'_>,
        intent: &SignIntent<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        let in_force = self.policy.as_ref().filter(|in_force| in_force.digest == *intent.policy);
        let Some(in_force) = in_force else {
            return contradiction("the policy that it names was not the one in force");
        };
        if intent.root_version != self.root_version {
            return contradiction("the root that it names was not the one in force");
        }
        let request = digest(&intent.request)?;
        let with =
            Signing { request, tag: &intent.tag, keyid: &intent.keyid, root_version: self.root_version };
        if self.signing_key(&with)?.is_none() {
            return flawed(FlawKind::Signature, NOT_LISTED);
        }
        let Some((asked, signed)) = self.requests.get(&request) else {
            return contradiction("the request was never taken in");
        };
        if *asked != Asked::of_intent(intent) || *intent.signed != **signed {
            return contradiction("it says something else of the request than the entry that took it in");
        }
        match self.reviews.get(&digest(&intent.review)?) {
            None => return contradiction("the review was never shown"),
            Some(shown) if shown.signed != digest(&intent.signed)? => {
                return contradiction("the review that was shown is of other bytes");
            }
            Some(shown) if *shown.findings != findings_of(&intent.findings) => {
                return contradiction("its findings are not those of the review that was shown");
            }
            Some(shown) => {
                let blocked = rules::may_be_signed(shown.signable, shown.findings.iter());
                if let Some(flaw) = blocked.or_else(|| rules::preflight(intent)) {
                    return Err(AuditError::Flawed(flaw));
                }
            }
        }
        let approved = self.approved(entry.time(), intent)?;
        if (approved.len() as u64) < self.approvals_asked() {
            let detail = format!(
                "{} officers had approved, and the policy in force asks for {}",
                approved.len(),
                self.approvals_asked()
            );
            return flawed(FlawKind::Quorum, &detail);
        }
        let openers: Vec<String> = intent.officers.iter().map(|name| name.to_string()).collect();
        let distinct: BTreeSet<&String> = openers.iter().collect();
        self.are_apart(request, &in_force.policy, &approved, &distinct)?;
        let quorum = match self.keys.get(&*intent.keyid) {
            None => return flawed(FlawKind::Quorum, "the key was never sealed on this station"),
            Some(key) => {
                let holds = |name: &&&String| {
                    key.officers.contains(**name) && self.officers.get(**name).is_some_and(Officer::is_active)
                };
                if let Some(name) = distinct.iter().find(|name| !holds(name)) {
                    let detail = format!("{} opened the key, and does not hold it", Foreign(name));
                    return flawed(FlawKind::Quorum, &detail);
                }
                let able = distinct.iter().filter(|name| key.officers.contains(**name)).count() as u64;
                if able < key.quorum {
                    let detail =
                        format!("{able} of the key's officers opened it, its quorum is {}", key.quorum);
                    return flawed(FlawKind::Quorum, &detail);
                }
                key.quorum
            }
        };
        if let [one] = distinct.into_iter().collect::<Vec<_>>()[..]
            && approved.iter().all(|name| name == one)
        {
            let text =
                format!("{} approved and signed request {} alone", Foreign(one), short(&intent.request));
            said.push((RemarkKind::SinglePerson, text));
        }
        for warning in intent.findings.iter().filter(|finding| finding.severity == "warn") {
            let (request, check) = (short(&intent.request), Foreign(&warning.check));
            let text = format!("{request}: {check} (warn) was accepted");
            said.push((RemarkKind::WarningAccepted, text));
        }
        let intent = Intent { entry: entry.to_owned(), strengths: self.strengths(&with, quorum)? };
        self.intents.insert(entry.seq(), intent);
        Ok(())
    }

    pub(super) fn result(
        &mut self,
        seq: u64,
        result: &SignResult<'_>,
        queue: &Queue<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        let number = result.intent;
        let none = || {
            contradiction(&format!(
                "there is no open intent {number}: a signature without one, or a second one"
            ))
        };
        let Some(Intent { entry, strengths }) = self.intents.remove(&number) else { return none() };
        let entry = entry.entry();
        let Record::SignIntent(intent) = entry.record() else { return none() };
        let made = [&result.method, &result.sig, &result.strength].map(Clone::clone);
        if rules::result(intent, number, made) != *result {
            return contradiction(&format!("the result does not say the same as its intent, entry {number}"));
        }
        let request = digest(&result.request)?;
        self.still_approved(request, &intent.approvals)?;
        let people: BTreeSet<&OfficerName<'_>> = result.officers.iter().collect();
        if result.strength == "L1" && people.len() < 2 {
            return contradiction("the entry says that the key was opened by several, and names one officer");
        }
        self.check_strength(&result.strength, strengths)?;
        let with =
            Signing { request, tag: &result.tag, keyid: &result.keyid, root_version: intent.root_version };
        let Some(key) = self.signing_key(&with)? else {
            return flawed(FlawKind::Signature, NOT_LISTED);
        };
        let Ok(sig) = self.dialect.decode_signature(&result.sig) else {
            return flawed(FlawKind::Signature, "the signature's text cannot be read");
        };
        let tag = result.tag.to_string();
        let highest = self.signed_versions.entry(tag).or_insert(0);
        if intent.version < *highest {
            let text = format!(
                "version {} was signed after version {highest} for tag {}",
                intent.version,
                Foreign(&result.tag)
            );
            said.push((RemarkKind::OlderVersion, text));
        }
        *highest = (*highest).max(intent.version);
        self.signatures += 1;
        self.signed.insert(digest(&result.signed)?);
        queue.add(Job::Signature {
            seq,
            key: Box::new(key),
            keyid: result.keyid.to_string(),
            signed: result.signed.to_string(),
            version: intent.version,
            sig,
        });
        Ok(())
    }

    /// The level of strength is what root and sealing give, in people. Logs of 0.1 count keys.
    fn check_strength(&self, found: &str, [by_people, by_keys]: [&str; 2]) -> Result<(), AuditError> {
        if found == by_people || (!self.state.acts.are_signed() && found == by_keys) {
            return Ok(());
        }
        contradiction(&format!("it says strength {}, which root and sealing do not give", Foreign(found)))
    }

    fn strengths(&self, with: &Signing<'_>, quorum: u64) -> Result<[&'static str; 2], AuditError> {
        let of = |root: &Root, role: &str| {
            let by_people = rules::strength(root, role, self.online.as_ref(), &self.state.custody, quorum);
            [by_people, rules::strength_by_keys(root, quorum)]
        };
        Ok(self.with_authority(with, of)?.unwrap_or(["L0"; 2]))
    }

    /// The key of a signature: as the root lists it for targets or, for a delegated role, as the targets metadata does
    /// that the request brought.
    fn signing_key(&self, with: &Signing<'_>) -> Result<Option<PublicKey>, AuditError> {
        let keyid = KeyId::new(with.keyid);
        let found = self.with_authority(with, |root, role| root.key_in_role(role, &keyid).cloned())?;
        Ok(found.flatten())
    }

    /// Hands over the root and the role that an entry's signature is made for; nothing where no such root is known.
    fn with_authority<R>(
        &self,
        with: &Signing<'_>,
        work: impl FnOnce(&Root, &str) -> R,
    ) -> Result<Option<R>, AuditError> {
        let Some(root) = self.roots.get(&with.root_version) else { return Ok(None) };
        let Some(object) = self.delegating.get(&with.request) else {
            return Ok(Some(work(root, "targets")));
        };
        let bytes = self.pack.object(object)?;
        let document = Document::parse("delegating.json", &*bytes, Limits::of_bytes(bytes.len() as u64));
        let found = document
            .map_err(TufError::from)
            .and_then(|document| Authority::of(root, with.tag, Some(&document)));
        match found {
            Ok(authority) => Ok(Some(work(authority.root(), &authority.role))),
            Err(e) => flawed(FlawKind::Signature, &e.to_string()),
        }
    }
}
