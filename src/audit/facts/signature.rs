//! Judging a signature: the intent, the quorum behind it, and the result, each against what was in force.

use super::{
    Facts, Intent, NOT_LISTED, Officer, REPEATED, Said, contradiction, digest, findings_of, flawed, short,
};
use crate::audit::AuditError;
use crate::audit::jobs::{Job, Queue};
use crate::audit::remark::RemarkKind;
use crate::audit::signing::Asked;
use crate::json::{Document, Limits};
use crate::ledger::{Entry, rules};
use crate::text::Foreign;
use crate::tlog::FlawKind;
use crate::tuf::{Authority, KeyId, PublicKey, Root, TufError};
use std::collections::BTreeSet;

impl Facts<'_> {
    pub(super) fn intent(&mut self, entry: &Entry<'_>, said: &mut Vec<Said>) -> Result<(), AuditError> {
        let keyid = entry.text("keyid");
        let policy = entry.text("policy");
        let Some(in_force) = self.policy.as_ref().filter(|in_force| in_force.digest == policy) else {
            return contradiction("the policy that it names was not the one in force");
        };
        if entry.int("root_version") != self.root_version {
            return contradiction("the root that it names was not the one in force");
        }
        if self.signing_key(entry, self.root_version)?.is_none() {
            return flawed(FlawKind::Signature, NOT_LISTED);
        }
        let Some((asked, signed)) = self.requests.get(&digest(&entry.text("request"))?) else {
            return contradiction("the request was never taken in");
        };
        if *asked != Asked::of(entry) || entry.text("signed") != *signed {
            return contradiction("it says something else of the request than the entry that took it in");
        }
        match self.reviews.get(&digest(&entry.text("review"))?) {
            None => return contradiction("the review was never shown"),
            Some(shown) if shown.signed != digest(&entry.text("signed"))? => {
                return contradiction("the review that was shown is of other bytes");
            }
            Some(shown) if *shown.findings != findings_of(entry) => {
                return contradiction("its findings are not those of the review that was shown");
            }
            Some(shown) => {
                let blocked = rules::may_be_signed(shown.signable, shown.findings.iter());
                if let Some(flaw) = blocked.or_else(|| rules::preflight(entry)) {
                    return Err(AuditError::Flawed(flaw));
                }
            }
        }
        let approved = self.approved(entry)?;
        if (approved.len() as u64) < self.approvals_asked() {
            let detail = format!(
                "{} officers had approved, and the policy in force asks for {}",
                approved.len(),
                self.approvals_asked()
            );
            return flawed(FlawKind::Quorum, &detail);
        }
        let openers: Vec<String> = entry.list("officers").into_iter().map(|name| name.into_owned()).collect();
        let distinct: BTreeSet<&String> = openers.iter().collect();
        self.are_apart(entry, &in_force.policy, &approved, &distinct)?;
        let quorum = match self.keys.get(keyid.as_ref()) {
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
        self.needs_object(&entry.text("signed"), entry.seq())?;
        if let [one] = distinct.into_iter().collect::<Vec<_>>()[..]
            && approved.iter().all(|name| name == one)
        {
            let text = format!(
                "{} approved and signed request {} alone",
                Foreign(one),
                short(&entry.text("request"))
            );
            said.push((RemarkKind::SinglePerson, text));
        }
        for (check, severity) in entry.pairs("findings").iter().filter(|(_, severity)| severity == "warn") {
            let text =
                format!("{}: {} ({severity}) was accepted", short(&entry.text("request")), Foreign(check));
            said.push((RemarkKind::WarningAccepted, text));
        }
        let intent = Intent {
            texts: REPEATED.iter().map(|field| entry.text(field).into_owned()).collect(),
            version: entry.int("version"),
            root_version: entry.int("root_version"),
            officers: openers,
            approvals: entry
                .numbered("approvals")
                .into_iter()
                .map(|(officer, seq)| (officer.into_owned(), seq))
                .collect(),
            strengths: self.strengths(entry, quorum)?,
        };
        self.intents.insert(entry.seq(), intent);
        Ok(())
    }

    pub(super) fn result(
        &mut self,
        entry: &Entry<'_>,
        queue: &Queue<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        let number = entry.int("intent");
        let Some(intent) = self.intents.remove(&number) else {
            return contradiction(&format!(
                "there is no open intent {number}: a signature without one, or a second one"
            ));
        };
        let officers: Vec<String> =
            entry.list("officers").into_iter().map(|name| name.into_owned()).collect();
        let repeats = REPEATED.iter().zip(&intent.texts).all(|(field, text)| entry.text(field) == *text);
        let versions = (entry.int("version"), entry.int("root_version"));
        if !repeats || versions != (intent.version, intent.root_version) || officers != intent.officers {
            return contradiction(&format!("the result does not say the same as its intent, entry {number}"));
        }
        self.still_approved(digest(&entry.text("request"))?, &intent.approvals)?;
        let people: BTreeSet<&String> = officers.iter().collect();
        if entry.text("strength") == "L1" && people.len() < 2 {
            return contradiction("the entry says that the key was opened by several, and names one officer");
        }
        self.check_strength(entry, &intent)?;
        let keyid = entry.text("keyid");
        let Some(key) = self.signing_key(entry, intent.root_version)? else {
            return flawed(FlawKind::Signature, NOT_LISTED);
        };
        let Ok(sig) = self.dialect.decode_signature(&entry.text("sig")) else {
            return flawed(FlawKind::Signature, "the signature's text cannot be read");
        };
        let tag = entry.text("tag").into_owned();
        let highest = self.signed_versions.entry(tag).or_insert(0);
        if intent.version < *highest {
            let text = format!(
                "version {} was signed after version {highest} for tag {}",
                intent.version,
                Foreign(&entry.text("tag"))
            );
            said.push((RemarkKind::OlderVersion, text));
        }
        *highest = (*highest).max(intent.version);
        self.signatures += 1;
        self.signed.insert(digest(&entry.text("signed"))?);
        queue.add(Job::Signature {
            seq: entry.seq(),
            key: Box::new(key),
            keyid: keyid.into_owned(),
            signed: entry.text("signed").into_owned(),
            version: intent.version,
            sig,
        });
        Ok(())
    }

    /// The level of strength is what root and sealing give, in people. Logs of 0.1 count keys.
    fn check_strength(&self, entry: &Entry<'_>, intent: &Intent) -> Result<(), AuditError> {
        let found = entry.text("strength");
        let [by_people, by_keys] = intent.strengths;
        if found == by_people || (!self.acts.are_signed() && found == by_keys) {
            return Ok(());
        }
        contradiction(&format!("it says strength {}, which root and sealing do not give", Foreign(&found)))
    }

    fn strengths(&self, entry: &Entry<'_>, quorum: u64) -> Result<[&'static str; 2], AuditError> {
        let of = |root: &Root, role: &str| {
            let by_people = rules::strength(root, role, self.online.as_ref(), &self.custody, quorum);
            [by_people, rules::strength_by_keys(root, quorum)]
        };
        Ok(self.with_authority(entry, self.root_version, of)?.unwrap_or(["L0"; 2]))
    }

    /// The key of a signature: as the root lists it for targets or, for a delegated role, as the targets metadata does
    /// that the request brought.
    fn signing_key(&self, entry: &Entry<'_>, root_version: u64) -> Result<Option<PublicKey>, AuditError> {
        let keyid = KeyId::new(entry.text("keyid").as_ref());
        let found =
            self.with_authority(entry, root_version, |root, role| root.key_in_role(role, &keyid).cloned())?;
        Ok(found.flatten())
    }

    /// Hands over the root and the role that an entry's signature is made for; nothing where no such root is known.
    fn with_authority<R>(
        &self,
        entry: &Entry<'_>,
        root_version: u64,
        work: impl FnOnce(&Root, &str) -> R,
    ) -> Result<Option<R>, AuditError> {
        let Some(root) = self.roots.get(&root_version) else { return Ok(None) };
        let Some(object) = self.delegating.get(&digest(&entry.text("request"))?) else {
            return Ok(Some(work(root, "targets")));
        };
        let bytes = self.pack.object(object)?;
        let document = Document::parse("delegating.json", &*bytes, Limits::of_bytes(bytes.len() as u64));
        let found = document
            .map_err(TufError::from)
            .and_then(|document| Authority::of(root, &entry.text("tag"), Some(&document)));
        match found {
            Ok(authority) => Ok(Some(work(authority.root(), &authority.role))),
            Err(e) => flawed(FlawKind::Signature, &e.to_string()),
        }
    }
}
