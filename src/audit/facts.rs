//! What was in force when: policy, roots, officers, keys, approvals. Each entry is judged by what the entries before
//! it say, and by nothing else.

use super::AuditError;
use super::jobs::{Job, Queue};
use super::judgement::Judgement;
use super::pack::Pack;
use super::remark::RemarkKind;
use super::signing::Asked;
use crate::ledger::policy::Policy;
use crate::ledger::recovery::{Intents, OpenIntent};
use crate::ledger::{Acts, Anchors, Custody, Demand, Entry, Kind, objects};
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

/// What an intent says that its result must repeat.
struct Intent {
    texts: Vec<String>,
    version: u64,
    root_version: u64,
    officers: Vec<String>,
    /// On whose approvals, and their entries.
    approvals: Vec<(String, u64)>,
    /// The strength that root and sealing give, in people; and as 0.1 had it.
    strengths: [&'static str; 2],
}

/// Checks and their severities.
type Findings = Vec<(String, String)>;

const NOT_LISTED: &str = "neither the root in force nor what delegates from it lists the key";

/// The fields of an intent that its result repeats.
const REPEATED: [&str; 11] =
    ["request", "review", "signed", "factory", "wave", "tag", "kind", "keyid", "policy", "tool", "binary"];

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
    custody: Custody,
    acts: Acts,
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
    open: Intents,
    signed_versions: HashMap<String, u64>,
    /// Objects that entries name, with the first entry that does.
    pub(super) objects: HashMap<Digest, u64>,
    /// Signatures seen.
    pub(super) signatures: u64,
    /// Heads that came back, and witnesses.
    pub(super) anchors: Anchors,
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
            custody: Custody::default(),
            acts: Acts::default(),
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
            open: Intents::default(),
            signed_versions: HashMap::new(),
            objects: HashMap::new(),
            signatures: 0,
            anchors: Anchors::default(),
            claims: Vec::new(),
            notes: BTreeSet::new(),
        }
    }

    /// The intents without a result.
    pub(super) fn open_intents(&self) -> Vec<OpenIntent> {
        self.open.open().cloned().collect()
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
        let judged = self.judge(entry, queue, said);
        self.open.see(entry);
        self.custody.see(entry);
        self.acts.see(entry);
        self.anchors.see(entry);
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
        if (entry.kind() == Kind::StationCreated) != (entry.seq() == 0) {
            return contradiction("a log begins with station.created, and has it nowhere else");
        }
        if let Some(flaw) = self.custody.flaw(entry).or_else(|| self.anchors.flaw(entry)) {
            return Err(AuditError::Flawed(flaw));
        }
        self.act(entry, queue)?;
        match entry.kind() {
            Kind::StationCreated => self.station(entry, said),
            Kind::PolicyChanged => self.policy_changed(entry, said),
            Kind::RootPinned | Kind::RootUpdated => self.root(entry, said),
            Kind::OnlineKeyPinned => self.online_key(entry),
            Kind::OfficerAdded | Kind::OfficerRetired => self.officer(entry, said),
            Kind::KeyImported
            | Kind::KeyGenerated
            | Kind::KeySealed
            | Kind::KeyRestored
            | Kind::KeyRetired => {
                self.key(entry, said);
                Ok(())
            }
            Kind::RequestImported => {
                let request = digest(&entry.text("request"))?;
                let asked = Asked::of(entry);
                queue.add(Job::Manifest { seq: entry.seq(), request, asked: Box::new(asked.clone()) });
                self.requests.insert(request, (asked, entry.text("signed").into_owned()));
                self.taken_in(entry)?;
                entry.pairs("objects").iter().try_for_each(|(name, object)| {
                    if name == "delegating.json" {
                        self.delegating.insert(request, object.to_string());
                    }
                    self.needs_object(object, entry.seq())
                })
            }
            Kind::EvidenceVerified => self.evidence(entry),
            Kind::ReviewRendered => {
                let findings = self.same_findings(findings_of(entry));
                let shown = Reviewed {
                    request: digest(&entry.text("request"))?,
                    signed: digest(&entry.text("signed"))?,
                    signable: entry.flag("signable"),
                    findings,
                    object: digest(&entry.text("object"))?,
                };
                let review = digest(&entry.text("review"))?;
                self.reviews.insert(review, shown);
                // Logs of 0.1 keep the text only.
                if self.acts.are_signed() {
                    self.needs_object(&entry.text("review"), entry.seq())?;
                    let judgement = Box::new(Judgement::of(entry));
                    queue.add(Job::Review { seq: entry.seq(), review, judgement });
                }
                self.needs_object(&entry.text("object"), entry.seq())
            }
            Kind::ReviewKept => {
                let Some(shown) = self.reviews.get(&digest(&entry.text("review"))?) else {
                    return contradiction("the review was never shown");
                };
                if shown.request != digest(&entry.text("request"))? {
                    return contradiction("the review is of another request");
                }
                if shown.object != digest(&entry.text("text"))? {
                    return contradiction("the text that was kept is not that of the review that was shown");
                }
                self.needs_object(&entry.text("text"), entry.seq())?;
                self.needs_object(&entry.text("html"), entry.seq())
            }
            Kind::ApprovalGranted | Kind::ApprovalDenied | Kind::ApprovalExpired => {
                self.approval(entry, queue)
            }
            Kind::SignIntent => self.intent(entry, said),
            Kind::SignResult => self.result(entry, queue, said),
            Kind::SignAborted | Kind::SignInDoubt => {
                let intent = entry.int("intent");
                // Given up before there was an intent: 0, which is always station.created.
                if entry.kind() == Kind::SignAborted && intent == 0 {
                    return Ok(());
                }
                if self.open.get(intent).is_none() {
                    return contradiction(&format!("there is no open intent {intent}"));
                }
                if entry.kind() == Kind::SignAborted || !entry.text("resolution").is_empty() {
                    self.intents.remove(&intent);
                }
                Ok(())
            }
            Kind::BundleExported | Kind::SlipExported => {
                match self.signed.contains(&digest(&entry.text("signed"))?) {
                    true => Ok(()),
                    false => contradiction("nobody signed the bytes of the bundle"),
                }
            }
            Kind::MarkTakenOver => self.mark_taken_over(entry),
            Kind::AnchorJudged
            | Kind::AnchorSettled
            | Kind::StationSucceeds
            | Kind::WitnessAdded
            | Kind::WitnessCosigned
            | Kind::WitnessRetired
            | Kind::WitnessStale => self.anchor(entry, said),
            _ => Ok(()),
        }
    }

    /// An act must be signed by those who have to sign it, and each signature must hold.
    fn act(&self, entry: &Entry<'_>, queue: &Queue<'_>) -> Result<(), AuditError> {
        let approvals = match entry.kind() {
            Kind::PolicyChanged => {
                u64::from(self.read_policy(&entry.text("to"))?.policy.approvals).max(self.approvals_asked())
            }
            _ => 0,
        };
        if let Some(flaw) = self.acts.flaw(entry, &self.custody, approvals) {
            return Err(AuditError::Flawed(flaw));
        }
        if let Some(signed) = self.acts.signature(entry) {
            queue.add(Job::Act { seq: entry.seq(), signed: Box::new(signed) });
        }
        Ok(())
    }

    fn station(&mut self, entry: &Entry<'_>, said: &mut Vec<Said>) -> Result<(), AuditError> {
        if entry.text("log_key") != self.log_key {
            return flawed(FlawKind::Key, "the station was made with another log key than the one at hand");
        }
        let Some(dialect) = Dialect::parse(&entry.text("dialect")) else {
            return contradiction("the dialect is not one that is known");
        };
        self.dialect = dialect;
        if entry.flag("networked") {
            said.push((RemarkKind::Networked, "the station was made on a machine with a network".to_owned()));
        }
        self.set_policy(&entry.text("policy"), entry)
    }

    fn set_policy(&mut self, name: &str, entry: &Entry<'_>) -> Result<(), AuditError> {
        self.needs_object(name, entry.seq())?;
        let policy = self.read_policy(name)?;
        self.anchors.set_demand(policy.demand, entry.time());
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

    fn policy_changed(&mut self, entry: &Entry<'_>, said: &mut Vec<Said>) -> Result<(), AuditError> {
        let (from, to) = (entry.text("from"), entry.text("to"));
        if self.policy.as_ref().is_none_or(|policy| policy.digest != from) {
            return contradiction("the policy that it replaces was not the one in force");
        }
        let before = self.approvals_asked();
        self.set_policy(&to, entry)?;
        let after = self.approvals_asked();
        said.push((
            RemarkKind::PolicyChanged,
            format!(
                "{} put policy {} in force; approvals asked for: {before} before, {after} after",
                Foreign(&entry.actor()),
                short(&to)
            ),
        ));
        Ok(())
    }

    fn root(&mut self, entry: &Entry<'_>, said: &mut Vec<Said>) -> Result<(), AuditError> {
        let object = entry.text("object");
        self.needs_object(&object, entry.seq())?;
        let wrong = |why: &str| AuditError::Flawed(Flaw::new(FlawKind::Contradiction, why));
        let root = Root::parse("root", &self.pack.object(&object)?)
            .map_err(|e| wrong(&format!("the root's object cannot be read: {e}")))?;
        if root.version != entry.int("version") || root.fingerprint.to_string() != entry.text("fingerprint") {
            return Err(wrong("the root's object has another version or fingerprint than the entry"));
        }
        if root.expires.to_string() != entry.text("expires") {
            return Err(wrong("the root's object expires at another time than the entry says"));
        }
        let named = if entry.kind() == Kind::RootUpdated { entry.int("from") } else { self.root_version };
        match (self.roots.get(&named).filter(|_| named == self.root_version), self.roots.is_empty()) {
            (Some(before), _) => {
                root.require_signed_by("the new root", before)
                    .and_then(|_| root.require_signed_by("the new root", &root))
                    .map_err(|e| wrong(&format!("the root does not follow the one before it: {e}")))?;
                if root.version != named + 1 {
                    return Err(wrong("the root's version does not follow the one before it"));
                }
            }
            // A station pins the chain that it was made with, root by root.
            (None, true) if entry.kind() == Kind::RootPinned => {
                root.require_signed_by("the pinned root", &root)
                    .map_err(|e| wrong(&format!("the pinned root is not signed by its own keys: {e}")))?;
            }
            (None, _) => return Err(wrong("the root that it follows was not the one in force")),
        }
        if entry.kind() == Kind::RootUpdated {
            said.push((
                RemarkKind::RootChanged,
                format!("root {named} was followed by root {}", root.version),
            ));
        }
        self.root_version = root.version;
        self.roots.insert(root.version, Arc::new(root));
        Ok(())
    }

    /// The signatures over a request's files: of a request that was taken in, by keys of the root in force.
    fn evidence(&self, entry: &Entry<'_>) -> Result<(), AuditError> {
        if !self.requests.contains_key(&digest(&entry.text("request"))?) {
            return contradiction("no such request was taken in");
        }
        if entry.int("root_version") != self.root_version {
            return contradiction("the root that it names was not the one in force");
        }
        let root = self.roots.get(&self.root_version);
        let is_listed =
            |keyid: &str| root.is_some_and(|root| root.key_in_role("targets", &KeyId::new(keyid)).is_some());
        match entry.pairs("signatures").iter().all(|(_, keyid)| is_listed(keyid)) {
            true => Ok(()),
            false => contradiction("it names a key that the root in force does not list for targets"),
        }
    }

    /// The service's online key must be the one in its object, and one of the root in force.
    fn online_key(&mut self, entry: &Entry<'_>) -> Result<(), AuditError> {
        let object = entry.text("object");
        self.needs_object(&object, entry.seq())?;
        let public = match keyfile::public_key("the online key's object", &self.pack.object(&object)?) {
            Ok(public) => public,
            Err(e) => return flawed(FlawKind::Object, &e.to_string()),
        };
        let keyid = KeyId::new(entry.text("keyid").as_ref());
        let root = self.roots.get(&self.root_version);
        // 0.1 pinned such a key.
        if self.acts.are_signed() && root.is_some_and(|root| root.owner(&keyid).is_some()) {
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

    fn officer(&mut self, entry: &Entry<'_>, said: &mut Vec<Said>) -> Result<(), AuditError> {
        let name = entry.text("officer").into_owned();
        let shown = Foreign(&name);
        if entry.kind() == Kind::OfficerAdded {
            said.push((RemarkKind::Inventory, format!("officer {shown} was added")));
            let key = entry.text("key").into_owned();
            self.officers.insert(name, Officer { key, retired: None });
            return Ok(());
        }
        said.push((
            RemarkKind::Inventory,
            format!("officer {shown} was retired: {}", Foreign(&entry.text("reason"))),
        ));
        match self.officers.get_mut(&name) {
            Some(officer) => officer.retired = officer.retired.or(Some(entry.seq())),
            None => return contradiction("there is no such officer"),
        }
        Ok(())
    }

    fn key(&mut self, entry: &Entry<'_>, said: &mut Vec<Said>) {
        let keyid = entry.text("keyid").into_owned();
        let act = entry.kind().name().trim_start_matches("key.");
        let (quorum, officers) = (entry.int("quorum"), entry.list("officers"));
        let of = if officers.is_empty() {
            String::new()
        } else {
            format!(", {quorum} of {} officers", officers.len())
        };
        said.push((RemarkKind::Inventory, format!("key {} was {act}{of}", short(&keyid))));
        if quorum == 1 && entry.kind() != Kind::KeyRetired && !officers.is_empty() {
            let text = format!("key {} can be opened by one officer alone", short(&keyid));
            said.push((RemarkKind::SinglePerson, text));
        }
        if entry.kind() == Kind::KeyRetired {
            self.keys.remove(&keyid);
        } else if !officers.is_empty() {
            let officers = officers.into_iter().map(|name| name.into_owned()).collect();
            self.keys.insert(keyid, Key { quorum, officers });
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

fn findings_of(entry: &Entry<'_>) -> Findings {
    let pairs = entry.pairs("findings").into_iter();
    pairs.map(|(check, severity)| (check.into_owned(), severity.into_owned())).collect()
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
