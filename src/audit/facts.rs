//! What was in force when: policy, roots, officers, keys, approvals. Each entry is judged by what the entries before
//! it say, and by nothing else.

use super::AuditError;
use super::jobs::{Job, Queue};
use super::judgement::Judgement;
use super::pack::Pack;
use super::remark::RemarkKind;
use super::signing::Asked;
use crate::ledger::field::Finding;
use crate::ledger::policy::Policy;
use crate::ledger::record::{
    BundleExported, EvidenceVerified, OfficerAdded, OfficerRetired, OnlineKeyPinned, PolicyChanged,
    RequestImported, ReviewKept, ReviewRendered, RootPinned, RootUpdated, SealedKey, SignAborted,
    SlipExported, StationCreated,
};
use crate::ledger::recovery::OpenIntent;
use crate::ledger::{Demand, Entry, EntryBuf, Kind, Record, State, objects, rules};
use crate::text::Foreign;
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::{Dialect, Digest, KeyId, Root, keyfile};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub(super) mod anchors;
mod apart;
mod approval;
mod signature;

use approval::{Decided, Granted};

/// A remark without its entry: the kind and a sentence.
pub(super) type Said = (RemarkKind, String);

/// A policy that was put in force, read as the station reads it.
struct InForce {
    digest: String,
    policy: Policy,
    demand: Demand,
}

struct Officer {
    key: String,
    /// The entry that retired her.
    retired: Option<u64>,
}

impl Officer {
    fn is_active(&self) -> bool {
        self.retired.is_none()
    }
}

struct Key {
    quorum: u64,
    officers: BTreeSet<String>,
}

/// An intent without a result yet.
struct Intent {
    entry: EntryBuf,
    /// The strength that root and sealing give, in people; and as 0.1 had it.
    strengths: [&'static str; 2],
}

/// Checks and their severities.
type Findings = Vec<(String, String)>;

const NOT_LISTED: &str = "neither the root in force nor what delegates from it lists the key";

/// A review that was shown.
struct Reviewed {
    request: Digest,
    /// Of the bytes that it is about.
    signed: Digest,
    signable: bool,
    findings: Arc<Findings>,
    /// Its text.
    object: Digest,
}

/// Everything that was in force after the entries seen so far.
pub(super) struct Facts<'a> {
    pack: &'a Pack<'a>,
    log_key: String,
    dialect: Dialect,
    policy: Option<InForce>,
    roots: BTreeMap<u64, Arc<Root>>,
    root_version: u64,
    officers: HashMap<String, Officer>,
    pub(super) state: State,
    keys: HashMap<String, Key>,
    requests: HashMap<Digest, (Asked, String)>,
    /// Who took each request in, with the first entry that says so.
    importers: HashMap<Digest, BTreeMap<String, u64>>,
    /// The targets metadata that delegates, by the request for a delegated role: the names of objects.
    delegating: HashMap<Digest, String>,
    /// Each review that was shown, by its digest.
    reviews: HashMap<Digest, Reviewed>,
    /// The digests of the bytes that were signed.
    signed: HashSet<Digest>,
    /// The service's online key, once one is pinned.
    online: Option<KeyId>,
    last_findings: Arc<Findings>,
    nonces: HashSet<Digest>,
    approvals: HashMap<u64, Granted>,
    /// The newest decision of each officer about each request.
    decided: HashMap<Digest, BTreeMap<String, Decided>>,
    intents: HashMap<u64, Intent>,
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
            log_key: pack.key().to_string(),
            dialect: Dialect::Factory,
            policy: None,
            roots: BTreeMap::new(),
            root_version: 0,
            officers: HashMap::new(),
            state: State::default(),
            keys: HashMap::new(),
            requests: HashMap::new(),
            importers: HashMap::new(),
            delegating: HashMap::new(),
            reviews: HashMap::new(),
            signed: HashSet::new(),
            online: None,
            last_findings: Arc::default(),
            nonces: HashSet::new(),
            approvals: HashMap::new(),
            decided: HashMap::new(),
            intents: HashMap::new(),
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
        let judged = self.judge(entry, queue, said).and_then(|()| {
            let objects = entry.record().objects();
            objects.into_iter().try_for_each(|digest| self.needs_object(digest, entry.seq()))
        });
        self.state.apply(entry);
        match judged {
            Err(AuditError::Flawed(flaw)) => Err(AuditError::Flawed(flaw.at(entry.seq()))),
            other => other,
        }
    }

    fn judge(
        &mut self,
        entry: &Entry<'_>,
        queue: &Queue<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        let flaw = rules::first(entry).or_else(|| self.state.custody.flaw(entry));
        if let Some(flaw) = flaw.or_else(|| self.state.anchors.flaw(entry)) {
            return Err(AuditError::Flawed(flaw));
        }
        self.act(entry, queue)?;
        let seq = entry.seq();
        match entry.record() {
            Record::StationCreated(created) => self.station(entry, created, said),
            Record::PolicyChanged(changed) => self.policy_changed(entry, changed, said),
            Record::RootPinned(root) => self.root_pinned(root),
            Record::RootUpdated(root) => self.root_updated(root, said),
            Record::OnlineKeyPinned(online) => self.online_key(online),
            Record::OfficerAdded(added) => {
                self.officer_added(added, said);
                Ok(())
            }
            Record::OfficerRetired(retired) => self.officer_retired(seq, retired, said),
            Record::KeyImported(key)
            | Record::KeyGenerated(key)
            | Record::KeySealed(key)
            | Record::KeyRestored(key)
            | Record::KeyRetired(key) => {
                self.key(entry.kind(), key, said);
                Ok(())
            }
            Record::RequestImported(taken) => self.request(entry, taken, queue),
            Record::EvidenceVerified(verified) => self.evidence(verified),
            Record::ReviewRendered(review) => self.review(seq, review, queue),
            Record::ReviewKept(kept) => self.review_kept(kept),
            Record::ApprovalGranted(decided)
            | Record::ApprovalDenied(decided)
            | Record::ApprovalExpired(decided) => self.approval(entry, decided, queue),
            Record::SignIntent(intent) => self.intent(entry, intent, said),
            Record::SignResult(result) => self.result(seq, result, queue, said),
            // Given up before there was an intent: 0, which is always station.created.
            Record::SignAborted(SignAborted { intent: 0, .. }) => Ok(()),
            Record::SignAborted(aborted) => self.intent_ends(aborted.intent, true),
            Record::SignInDoubt(doubt) => self.intent_ends(doubt.intent, !doubt.resolution.is_empty()),
            Record::BundleExported(BundleExported { signed, .. })
            | Record::SlipExported(SlipExported { signed, .. }) => {
                match self.signed.contains(&digest(signed)?) {
                    true => Ok(()),
                    false => contradiction("nobody signed the bytes of the bundle"),
                }
            }
            Record::MarkTakenOver(_) => self.mark_taken_over(),
            _ => self.anchor(entry, said),
        }
    }

    fn request(
        &mut self,
        entry: &Entry<'_>,
        taken: &RequestImported<'_>,
        queue: &Queue<'_>,
    ) -> Result<(), AuditError> {
        let request = digest(&taken.request)?;
        let asked = Asked::of_request(taken);
        queue.add(Job::Manifest { seq: entry.seq(), request, asked: Box::new(asked.clone()) });
        self.requests.insert(request, (asked, taken.signed.to_string()));
        self.taken_in(entry, request);
        for file in taken.objects.iter().filter(|file| file.name == "delegating.json") {
            self.delegating.insert(request, file.sha256.to_string());
        }
        Ok(())
    }

    fn review(&mut self, seq: u64, review: &ReviewRendered<'_>, queue: &Queue<'_>) -> Result<(), AuditError> {
        let findings = self.same_findings(findings_of(&review.findings));
        let shown = Reviewed {
            request: digest(&review.request)?,
            signed: digest(&review.signed)?,
            signable: review.signable,
            findings,
            object: digest(&review.object)?,
        };
        let named = digest(&review.review)?;
        self.reviews.insert(named, shown);
        // Logs of 0.1 keep the text only.
        if self.state.acts.are_signed() {
            self.needs_object(&review.review, seq)?;
            let judgement = Box::new(Judgement::of(review));
            queue.add(Job::Review { seq, review: named, judgement });
        }
        Ok(())
    }

    fn review_kept(&self, kept: &ReviewKept<'_>) -> Result<(), AuditError> {
        let Some(shown) = self.reviews.get(&digest(&kept.review)?) else {
            return contradiction("the review was never shown");
        };
        if shown.request != digest(&kept.request)? {
            return contradiction("the review is of another request");
        }
        if shown.object != digest(&kept.text)? {
            return contradiction("the text that was kept is not that of the review that was shown");
        }
        Ok(())
    }

    /// An entry is about an intent, and may end it without a result.
    fn intent_ends(&mut self, intent: u64, is_end: bool) -> Result<(), AuditError> {
        if self.state.intents.get(intent).is_none() {
            return contradiction(&format!("there is no open intent {intent}"));
        }
        if is_end {
            self.intents.remove(&intent);
        }
        Ok(())
    }

    /// An act must be signed by those who have to sign it, and each signature must hold.
    fn act(&self, entry: &Entry<'_>, queue: &Queue<'_>) -> Result<(), AuditError> {
        let approvals = match entry.record() {
            Record::PolicyChanged(changed) => {
                u64::from(self.read_policy(&changed.to)?.policy.approvals).max(self.approvals_asked())
            }
            _ => 0,
        };
        if let Some(flaw) = self.state.acts.flaw(entry, &self.state.custody, approvals) {
            return Err(AuditError::Flawed(flaw));
        }
        if let Some(signed) = self.state.acts.signature(entry) {
            queue.add(Job::Act { seq: entry.seq(), signed: Box::new(signed) });
        }
        Ok(())
    }

    fn station(
        &mut self,
        entry: &Entry<'_>,
        created: &StationCreated<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        if created.log_key != self.log_key {
            return flawed(FlawKind::Key, "the station was made with another log key than the one at hand");
        }
        let Some(dialect) = Dialect::parse(&created.dialect) else {
            return contradiction("the dialect is not one that is known");
        };
        self.dialect = dialect;
        if created.networked {
            said.push((RemarkKind::Networked, "the station was made on a machine with a network".to_owned()));
        }
        self.set_policy(&created.policy, entry)
    }

    fn set_policy(&mut self, name: &str, entry: &Entry<'_>) -> Result<(), AuditError> {
        let policy = self.read_policy(name)?;
        self.state.anchors.set_demand(policy.demand, entry.time());
        self.policy = Some(policy);
        Ok(())
    }

    fn read_policy(&self, name: &str) -> Result<InForce, AuditError> {
        let bytes = self.pack.object(name)?;
        let Some(demand) = Demand::of_policy(&bytes) else {
            return flawed(FlawKind::Object, "the policy does not say what it asks of witnesses");
        };
        match Policy::read(&bytes) {
            Ok(policy) => Ok(InForce { digest: name.to_owned(), policy, demand }),
            Err(e) => flawed(FlawKind::Object, &format!("no station reads the policy: {e}")),
        }
    }

    /// The approvals that the policy in force asks for.
    fn approvals_asked(&self) -> u64 {
        self.policy.as_ref().map_or(0, |in_force| in_force.policy.approvals.into())
    }

    fn policy_changed(
        &mut self,
        entry: &Entry<'_>,
        changed: &PolicyChanged<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        if self.policy.as_ref().is_none_or(|policy| policy.digest != changed.from) {
            return contradiction("the policy that it replaces was not the one in force");
        }
        let before = self.policy.as_ref().map(|in_force| in_force.policy.clone());
        self.set_policy(&changed.to, entry)?;
        let after = self.policy.as_ref().map(|in_force| &in_force.policy);
        let changes: Vec<String> = match (&before, after) {
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
        Ok(())
    }

    /// A station pins the chain that it was made with, root by root.
    fn root_pinned(&mut self, pinned: &RootPinned<'_>) -> Result<(), AuditError> {
        let root = self.read_root(pinned)?;
        if !self.roots.is_empty() {
            return self.root_follows(self.root_version, root);
        }
        if let Err(e) = root.require_signed_by("the pinned root", &root) {
            return contradiction(&format!("the pinned root is not signed by its own keys: {e}"));
        }
        self.root_in_force(root);
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

    /// Puts a root in force that follows the one of this version, which is in force.
    fn root_follows(&mut self, from: u64, root: Root) -> Result<(), AuditError> {
        let Some(before) = self.roots.get(&from).filter(|_| from == self.root_version) else {
            return contradiction("the root that it follows was not the one in force");
        };
        let signed = root
            .require_signed_by("the new root", before)
            .and_then(|_| root.require_signed_by("the new root", &root));
        if let Err(e) = signed {
            return contradiction(&format!("the root does not follow the one before it: {e}"));
        }
        if root.version != from + 1 {
            return contradiction("the root's version does not follow the one before it");
        }
        self.root_in_force(root);
        Ok(())
    }

    fn root_in_force(&mut self, root: Root) {
        self.root_version = root.version;
        self.roots.insert(root.version, Arc::new(root));
    }

    /// The signatures over a request's files: of a request that was taken in, by keys of the root in force.
    fn evidence(&self, verified: &EvidenceVerified<'_>) -> Result<(), AuditError> {
        if !self.requests.contains_key(&digest(&verified.request)?) {
            return contradiction("no such request was taken in");
        }
        if verified.root_version != self.root_version {
            return contradiction("the root that it names was not the one in force");
        }
        let root = self.roots.get(&self.root_version);
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
        let root = self.roots.get(&self.root_version);
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

    fn officer_added(&mut self, added: &OfficerAdded<'_>, said: &mut Vec<Said>) {
        said.push((RemarkKind::Inventory, format!("officer {} was added", Foreign(&added.officer))));
        let officer = Officer { key: added.key.to_string(), retired: None };
        self.officers.insert(added.officer.to_string(), officer);
    }

    fn officer_retired(
        &mut self,
        seq: u64,
        retired: &OfficerRetired<'_>,
        said: &mut Vec<Said>,
    ) -> Result<(), AuditError> {
        let (name, why) = (Foreign(&retired.officer), Foreign(&retired.reason));
        said.push((RemarkKind::Inventory, format!("officer {name} was retired: {why}")));
        match self.officers.get_mut(&*retired.officer) {
            Some(officer) => officer.retired = officer.retired.or(Some(seq)),
            None => return contradiction("there is no such officer"),
        }
        Ok(())
    }

    fn key(&mut self, kind: Kind, key: &SealedKey<'_>, said: &mut Vec<Said>) {
        let SealedKey { keyid, quorum, officers, .. } = key;
        let act = kind.name().trim_start_matches("key.");
        let of = if officers.is_empty() {
            String::new()
        } else {
            format!(", {quorum} of {} officers", officers.len())
        };
        said.push((RemarkKind::Inventory, format!("key {} was {act}{of}", short(keyid))));
        if *quorum == 1 && kind != Kind::KeyRetired && !officers.is_empty() {
            let text = format!("key {} can be opened by one officer alone", short(keyid));
            said.push((RemarkKind::SinglePerson, text));
        }
        if kind == Kind::KeyRetired {
            self.keys.remove(&**keyid);
        } else if !officers.is_empty() {
            let officers = officers.iter().map(|name| name.to_string()).collect();
            self.keys.insert(keyid.to_string(), Key { quorum: *quorum, officers });
        }
    }

    /// One copy of findings that many reviews share.
    fn same_findings(&mut self, findings: Findings) -> Arc<Findings> {
        if *self.last_findings != findings {
            self.last_findings = Arc::new(findings);
        }
        self.last_findings.clone()
    }

    /// Remembers that an entry names an object.
    fn needs_object(&mut self, name: &str, seq: u64) -> Result<(), AuditError> {
        self.objects.entry(digest(name)?).or_insert(seq);
        Ok(())
    }
}

fn findings_of(findings: &[Finding<'_>]) -> Findings {
    findings.iter().map(|one| (one.check.to_string(), one.severity.to_string())).collect()
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
