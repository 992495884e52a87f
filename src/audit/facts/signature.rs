//! A signature beyond the rules: is the key one that the root lists, is the strength what root and sealing give, does the
//! signature hold over the bytes?

use super::{Facts, NOT_LISTED, Said, contradiction, digest, flawed, short};
use crate::audit::AuditError;
use crate::audit::jobs::{Job, Queue};
use crate::audit::remark::RemarkKind;
use crate::json::{Document, Limits};
use crate::ledger::record::{SignIntent, SignResult};
use crate::ledger::rules;
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

impl<'a> Signing<'a> {
    fn of(request: &str, tag: &'a str, keyid: &'a str, root_version: u64) -> Result<Signing<'a>, AuditError> {
        Ok(Signing { request: digest(request)?, tag, keyid, root_version })
    }
}

impl Facts<'_> {
    /// After the rules: is the key one that may sign this, and what should an auditor look at?
    pub(super) fn intent(&self, intent: &SignIntent<'_>, said: &mut Vec<Said>) -> Result<(), AuditError> {
        if self
            .signing_key(&Signing::of(&intent.request, &intent.tag, &intent.keyid, intent.root_version)?)?
            .is_none()
        {
            return flawed(FlawKind::Signature, NOT_LISTED);
        }
        let openers: BTreeSet<&str> = intent.officers.iter().map(|name| &**name).collect();
        let mut approved = intent.approvals.iter().map(|approval| &*approval.officer);
        if let [one] = openers.into_iter().collect::<Vec<_>>()[..]
            && approved.all(|name| name == one)
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
        Ok(())
    }

    pub(super) fn result(
        &mut self,
        seq: u64,
        result: &SignResult<'_>,
        queue: &Queue<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        let with = Signing::of(&result.request, &result.tag, &result.keyid, result.root_version)?;
        self.check_strength(result, &with)?;
        let Some(key) = self.signing_key(&with)? else {
            return flawed(FlawKind::Signature, NOT_LISTED);
        };
        let Ok(sig) = self.dialect.decode_signature(&result.sig) else {
            return flawed(FlawKind::Signature, "the signature's text cannot be read");
        };
        let tag = result.tag.to_string();
        let highest = self.signed_versions.entry(tag).or_insert(0);
        if result.version < *highest {
            let text = format!(
                "version {} was signed after version {highest} for tag {}",
                result.version,
                Foreign(&result.tag)
            );
            said.push((RemarkKind::OlderVersion, text));
        }
        *highest = (*highest).max(result.version);
        self.signatures += 1;
        queue.add(Job::Signature {
            seq,
            key: Box::new(key),
            keyid: result.keyid.to_string(),
            signed: result.signed.to_string(),
            version: result.version,
            sig,
        });
        Ok(())
    }

    /// The level of strength is what root and sealing give, in people. Logs of 0.1 count keys.
    fn check_strength(&self, result: &SignResult<'_>, with: &Signing<'_>) -> Result<(), AuditError> {
        let custody = &self.state.custody;
        let quorum = custody.key(&result.keyid).map_or(0, |key| key.sealing.quorum);
        let strengths = self.with_authority(with, |root, role| {
            let by_people = rules::strength(root, role, self.online.as_ref(), custody, quorum);
            [by_people, rules::strength_by_keys(root, quorum)]
        })?;
        let [by_people, by_keys] = strengths.unwrap_or(["L0"; 2]);
        if result.strength == by_people || (!self.state.acts.are_signed() && result.strength == by_keys) {
            return Ok(());
        }
        let found = Foreign(&result.strength);
        contradiction(&format!("it says strength {found}, which root and sealing do not give"))
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
