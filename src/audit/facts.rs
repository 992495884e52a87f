//! What was in force when: policy, roots, officers, keys, approvals. Each entry is judged by what the entries before
//! it say, and by nothing else.

use super::AuditError;
use super::jobs::{Job, Queue};
use super::judgement::Judgement;
use super::pack::Pack;
use super::remark::RemarkKind;
use crate::ledger::policy::Policy;
use crate::ledger::record::{
    EvidenceVerified, OfficerRetired, OnlineKeyPinned, PolicyChanged, RequestImported, ReviewRendered,
    RootPinned, RootUpdated, SealedKey, StationCreated,
};
use crate::ledger::recovery::OpenIntent;
use crate::ledger::requests::Asked;
use crate::ledger::{Entry, Kind, Record, SignedApproval, State, objects, rules};
use crate::text::Foreign;
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::{Dialect, Digest, KeyId, Root, keyfile};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub(super) mod anchors;
mod signature;

/// A remark without its entry: the kind and a sentence.
pub(super) type Said = (RemarkKind, String);

const NOT_LISTED: &str = "neither the root in force nor what delegates from it lists the key";

/// Everything that was in force after the entries seen so far.
pub(super) struct Facts<'a> {
    pack: &'a Pack<'a>,
    dialect: Dialect,
    pub(super) state: State,
    roots: BTreeMap<u64, Arc<Root>>,
    /// The targets metadata that delegates, by the request for a delegated role: the names of objects.
    delegating: HashMap<Digest, String>,
    /// The service's online key, once one is pinned.
    online: Option<KeyId>,
    signed_versions: HashMap<String, u64>,
    /// Objects that entries name, with the first entry that does.
    pub(super) objects: HashMap<Digest, u64>,
    /// Signatures seen.
    pub(super) signatures: u64,
    /// What entries say about roots of this log.
    pub(super) claims: Vec<anchors::Claim>,
    /// Notes of heads that this log continues, by the names of their objects.
    pub(super) notes: BTreeSet<String>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(pack: &'a Pack<'a>) -> Facts<'a> {
        Facts {
            pack,
            dialect: Dialect::Factory,
            state: State::default(),
            roots: BTreeMap::new(),
            delegating: HashMap::new(),
            online: None,
            signed_versions: HashMap::new(),
            objects: HashMap::new(),
            signatures: 0,
            claims: Vec::new(),
            notes: BTreeSet::new(),
        }
    }

    /// The intents without a result.
    pub(super) fn open_intents(&self) -> Vec<OpenIntent> {
        self.state.intents.open().cloned().collect()
    }

    /// Judges an entry, takes it into account, and hands over the checks that can wait.
    ///
    /// # Errors
    /// [`AuditError::Flawed`] when the entry contradicts what was in force; anything else when a file cannot be read.
    pub(super) fn see(
        &mut self,
        entry: &Entry<'_>,
        queue: &Queue<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        // Without its text the policy before it stays in force.
        let (policy, judged) = match entry.record().policy().map(|name| self.read_policy(name)).transpose() {
            Err(error) => (None, Err(error)),
            Ok(policy) => {
                let judged = self.judge(entry, policy.as_ref(), queue, said);
                (policy, judged)
            }
        };
        let judged = judged.and_then(|()| {
            let objects = entry.record().objects();
            objects.into_iter().try_for_each(|digest| self.needs_object(digest, entry.seq()))
        });
        self.state.apply(entry, policy);
        match judged {
            Err(AuditError::Flawed(flaw)) => Err(AuditError::Flawed(flaw.at(entry.seq()))),
            other => other,
        }
    }

    /// By the rules first; then what they do not look at: signatures, and what the objects say.
    fn judge(
        &mut self,
        entry: &Entry<'_>,
        policy: Option<&Policy>,
        queue: &Queue<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        rules::judge(&self.state, entry, policy).map_err(AuditError::Flawed)?;
        if let Some(signed) = self.state.acts.signature(entry) {
            queue.add(Job::Act { seq: entry.seq(), signed: Box::new(signed) });
        }
        if let Some(approval) = SignedApproval::from_entry(entry) {
            queue.add(Job::Approval { seq: entry.seq(), approval: Box::new(approval) });
        }
        match entry.record() {
            Record::StationCreated(created) => self.station(created, said),
            Record::PolicyChanged(changed) => {
                self.policy_changed(entry, changed, policy, said);
                Ok(())
            }
            Record::RootPinned(root) => self.root_pinned(root),
            Record::RootUpdated(root) => self.root_updated(root, said),
            Record::OnlineKeyPinned(online) => self.online_key(online),
            Record::OfficerAdded(added) => {
                said.push((RemarkKind::Inventory, format!("officer {} was added", Foreign(&added.officer))));
                Ok(())
            }
            Record::OfficerRetired(OfficerRetired { officer, reason }) => {
                let what = format!("officer {} was retired: {}", Foreign(officer), Foreign(reason));
                said.push((RemarkKind::Inventory, what));
                Ok(())
            }
            Record::KeyImported(key)
            | Record::KeyGenerated(key)
            | Record::KeySealed(key)
            | Record::KeyRestored(key)
            | Record::KeyRetired(key) => {
                key_remarks(entry.kind(), key, said);
                Ok(())
            }
            Record::RequestImported(taken) => self.request(entry.seq(), taken, queue),
            Record::EvidenceVerified(verified) => self.evidence(verified),
            Record::ReviewRendered(review) => self.review(entry.seq(), review, queue),
            Record::SignIntent(intent) => self.intent(intent, said),
            Record::SignResult(result) => self.result(entry.seq(), result, queue, said),
            _ => self.anchor(entry, said),
        }
    }

    fn request(
        &mut self,
        seq: u64,
        taken: &RequestImported<'_>,
        queue: &Queue<'_>,
    ) -> Result<(), AuditError> {
        let request = digest(&taken.request)?;
        queue.add(Job::Manifest { seq, request, asked: Box::new(Asked::of_request(taken)) });
        for file in taken.objects.iter().filter(|file| file.name == "delegating.json") {
            self.delegating.insert(request, file.sha256.to_string());
        }
        Ok(())
    }

    fn review(&mut self, seq: u64, review: &ReviewRendered<'_>, queue: &Queue<'_>) -> Result<(), AuditError> {
        // Logs of 0.1 keep the text only.
        if self.state.acts.are_signed() {
            self.needs_object(&review.review, seq)?;
            let judgement = Box::new(Judgement::of(review));
            queue.add(Job::Review { seq, review: digest(&review.review)?, judgement });
        }
        Ok(())
    }

    fn station(&mut self, created: &StationCreated<'_>, said: &mut Vec<Said>) -> Result<(), AuditError> {
        if created.log_key != self.pack.key().to_string() {
            return flawed(FlawKind::Key, "the station was made with another log key than the one at hand");
        }
        let Some(dialect) = Dialect::parse(&created.dialect) else {
            return contradiction("the dialect is not one that is known");
        };
        self.dialect = dialect;
        if created.networked {
            said.push((RemarkKind::Networked, "the station was made on a machine with a network".to_owned()));
        }
        Ok(())
    }

    fn read_policy(&self, name: &str) -> Result<Policy, AuditError> {
        match Policy::read(&self.pack.object(name)?) {
            Ok(policy) => Ok(policy),
            Err(e) => flawed(FlawKind::Object, &format!("no station reads the policy: {e}")),
        }
    }

    fn policy_changed(
        &self,
        entry: &Entry<'_>,
        changed: &PolicyChanged<'_>,
        after: Option<&Policy>,
        said: &mut Vec<Said>,
    ) {
        let changes: Vec<String> = match (&self.state.policy, after) {
            (Some(before), Some(after)) => before.changes(after).iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let what = match changes.is_empty() {
            true => "nothing in it differs but comments and order".to_owned(),
            false => Foreign(&changes.join("; ")).to_string(),
        };
        let actor = entry.actor();
        said.push((
            RemarkKind::PolicyChanged,
            format!("{} put policy {} in force: {what}", Foreign(&actor), short(&changed.to)),
        ));
    }

    /// A station pins the chain that it was made with, root by root.
    fn root_pinned(&mut self, pinned: &RootPinned<'_>) -> Result<(), AuditError> {
        let root = self.read_root(pinned)?;
        if let Some(before) = self.state.root {
            return self.root_follows(before, root);
        }
        if let Err(e) = root.require_signed_by("the pinned root", &root) {
            return contradiction(&format!("the pinned root is not signed by its own keys: {e}"));
        }
        self.roots.insert(root.version, Arc::new(root));
        Ok(())
    }

    fn root_updated(&mut self, updated: &RootUpdated<'_>, said: &mut Vec<Said>) -> Result<(), AuditError> {
        let RootUpdated { from, version, fingerprint, expires, object } = updated.clone();
        let root = self.read_root(&RootPinned { version, fingerprint, expires, object })?;
        self.root_follows(from, root)?;
        let remark = format!("root {from} was followed by root {version}");
        said.push((RemarkKind::RootChanged, remark));
        Ok(())
    }

    /// The root in an entry's object, which is as the entry says.
    fn read_root(&self, says: &RootPinned<'_>) -> Result<Root, AuditError> {
        let root = match Root::parse("root", &self.pack.object(&says.object)?) {
            Ok(root) => root,
            Err(e) => return contradiction(&format!("the root's object cannot be read: {e}")),
        };
        if root.version != says.version || root.fingerprint.to_string() != says.fingerprint {
            return contradiction("the root's object has another version or fingerprint than the entry");
        }
        match root.expires.to_string() == says.expires {
            true => Ok(root),
            false => contradiction("the root's object expires at another time than the entry says"),
        }
    }

    /// A root that follows the one of this version, which is in force.
    fn root_follows(&mut self, from: u64, root: Root) -> Result<(), AuditError> {
        let Some(before) = self.roots.get(&from) else {
            return contradiction("the root that it follows does not hold");
        };
        let signed = root
            .require_signed_by("the new root", before)
            .and_then(|_| root.require_signed_by("the new root", &root));
        if let Err(e) = signed {
            return contradiction(&format!("the root does not follow the one before it: {e}"));
        }
        self.roots.insert(root.version, Arc::new(root));
        Ok(())
    }

    /// The root in force.
    fn root(&self) -> Option<&Arc<Root>> {
        self.roots.get(&self.state.root?)
    }

    /// The signatures over a request's files are by keys of the root in force.
    fn evidence(&self, verified: &EvidenceVerified<'_>) -> Result<(), AuditError> {
        let root = self.root();
        let is_listed =
            |keyid: &str| root.is_some_and(|root| root.key_in_role("targets", &KeyId::new(keyid)).is_some());
        match verified.signatures.iter().all(|one| is_listed(&one.keyid)) {
            true => Ok(()),
            false => contradiction("it names a key that the root in force does not list for targets"),
        }
    }

    /// The service's online key must be the one in its object, and one of the root in force.
    fn online_key(&mut self, online: &OnlineKeyPinned<'_>) -> Result<(), AuditError> {
        let file = self.pack.object(&online.object)?;
        let public = match keyfile::public_key("the online key's object", &file) {
            Ok(public) => public,
            Err(e) => return flawed(FlawKind::Object, &e.to_string()),
        };
        let keyid = KeyId::new(online.keyid.as_ref());
        let root = self.root();
        // 0.1 pinned such a key.
        if self.state.acts.are_signed() && root.is_some_and(|root| root.owner(&keyid).is_some()) {
            return contradiction("the root in force notes an owner for the key: it is not the service's");
        }
        let listed = root.and_then(|root| root.key_in_role("targets", &keyid));
        match listed.is_some_and(|key| key.subject_public_key_info() == public.subject_public_key_info()) {
            true => {
                self.online = Some(keyid);
                Ok(())
            }
            false => contradiction("the online key is not one that the root in force lists for targets"),
        }
    }

    /// Remembers that an entry names an object.
    fn needs_object(&mut self, name: &str, seq: u64) -> Result<(), AuditError> {
        self.objects.entry(digest(name)?).or_insert(seq);
        Ok(())
    }
}

fn key_remarks(kind: Kind, key: &SealedKey<'_>, said: &mut Vec<Said>) {
    let SealedKey { keyid, quorum, officers, .. } = key;
    let act = kind.name().trim_start_matches("key.");
    let of = match officers.len() {
        0 => String::new(),
        count => format!(", {quorum} of {count} officers"),
    };
    said.push((RemarkKind::Inventory, format!("key {} was {act}{of}", short(keyid))));
    if *quorum == 1 && kind != Kind::KeyRetired && !officers.is_empty() {
        let text = format!("key {} can be opened by one officer alone", short(keyid));
        said.push((RemarkKind::SinglePerson, text));
    }
}

/// A digest in a line.
fn digest(text: &str) -> Result<Digest, AuditError> {
    match Digest::parse(text).filter(|_| objects::is_digest(text)) {
        Some(digest) => Ok(digest),
        None => Err(AuditError::Flawed(Flaw::new(
            FlawKind::Contradiction,
            format!("\"{}\" is not a digest of 64 hex digits", Foreign(text)),
        ))),
    }
}

fn flawed<T>(kind: FlawKind, detail: &str) -> Result<T, AuditError> {
    Err(AuditError::Flawed(Flaw::new(kind, detail)))
}

fn contradiction<T>(detail: &str) -> Result<T, AuditError> {
    flawed(FlawKind::Contradiction, detail)
}

/// The first 12 characters of a digest or key id, escaped.
pub(super) fn short(text: &str) -> String {
    crate::text::shown(&text.chars().take(12).collect::<String>())
}
