//! Situations for tests, from what the real fioctl wrote (`tests/fixtures/fioctl`), to be bent before they are reviewed.
//!
//! A [`Fixture`] owns everything that a [`Situation`] borrows. Its fields are public and start as the step was:
//! a test changes what it is about, and calls [`Fixture::with`].

use super::later::Later;
use super::situation::{Baseline, BaselineSource, Carried, CiTargets, Record, Situation};
use crate::bundle::{RequestKind, RequestManifest, Wave, WaveList, WaveStatus};
use crate::host::clock::Time;
use crate::json::{Document, Limits};
use crate::station::{History, Policy, SeenMark, SignedMark, TagHistory};
use crate::tuf::signature::{Assessed, Worth, assess};
use crate::tuf::{
    Authority, Chain, Dialect, Digest, KeyId, Message, Metadata, Root, Signature, Targets, keyfile,
};
use serde_json::Value as Json;
use std::path::PathBuf;

/// The moment at which tests review: after the roots of the fixtures were made, a year before the waves expire.
pub(crate) const NOW: &str = "2026-11-24T08:00:00Z";

/// One step of a factory, as a connected machine would have composed it into a request.
pub(crate) struct Fixture {
    pub(crate) manifest: RequestManifest,
    pub(crate) carried: Carried,
    /// The envelope `targets.json`.
    pub(crate) proposal: Document<'static>,
    /// The envelope `current.json`.
    pub(crate) baseline: Option<Document<'static>>,
    pub(crate) baseline_source: BaselineSource,
    pub(crate) older_root: Option<u64>,
    /// The envelope `ci-targets.json`.
    pub(crate) ci: Option<Document<'static>>,
    pub(crate) waves: Option<WaveList>,
    pub(crate) chain: Chain,
    pub(crate) request_root: Option<u64>,
    pub(crate) acknowledged_root: u64,
    pub(crate) online_key: KeyId,
    pub(crate) own_keys: Vec<KeyId>,
    pub(crate) history: TagHistory,
    /// The newest evidence that was seen, by file.
    pub(crate) files: std::collections::BTreeMap<String, SeenMark>,
    /// The keys that are or were in the vault, beside `own_keys`.
    pub(crate) vault: Vec<KeyId>,
    /// The `signed` that the station has on record, where nobody vouches for the baseline.
    pub(crate) record: Option<Document<'static>>,
    /// What the station signed since, each with the bytes of its `signed`.
    pub(crate) later: Vec<(SignedMark, Document<'static>)>,
    pub(crate) station_factory: String,
    pub(crate) policy: Policy,
    pub(crate) networked: bool,
    pub(crate) now: Time,
    pub(crate) log_time: Option<Time>,
    /// Count signatures of listed keys over baseline and CI targets although a test edited what they are over.
    pub(crate) vouch_for_edits: bool,
}

impl Fixture {
    /// The request for a step's wave: `factory` is `acme`, `rsa` or `odd`; `step` begins with its number, as `"2"`.
    pub(crate) fn step(factory: &str, step: &str) -> Fixture {
        let folder = step_folder(factory, step);
        let at = |file: &str| format!("{factory}/{folder}/{file}");
        let wave = document("wave-create.json", bytes(&at("wave-create.json")));
        let text = |key: &str| wave.root().get(key).and_then(|v| v.as_str()).expect(key).into_owned();
        let targets = wave.root().get("targets").expect("targets");
        let signatures = Signature::parse_list(targets.get("signatures").expect("s"), Dialect::Factory);
        let own_keys = signatures.expect("signatures").into_iter().map(|s| s.keyid).collect();
        let signed = targets.get("signed").expect("signed").span();
        let proposal = envelope("targets.json", signed, b"[]");
        let chain = chain(factory, &folder);
        let (wave_name, version, tag) =
            (text("name"), text("version").parse().expect("a number"), text("tag"));
        let prune = if folder.starts_with('3') { vec![12] } else { Vec::new() };
        let request_root = Some(chain.newest().version);
        Fixture {
            manifest: RequestManifest {
                created: "2026-11-24T07:00:00Z".to_owned(),
                factory: factory_name(factory).to_owned(),
                files: Default::default(),
                format: crate::bundle::manifest::REQUEST_FORMAT.to_owned(),
                kind: RequestKind::Wave,
                prune,
                source_tag: None,
                tag: tag.clone(),
                tool: "countersign test".to_owned(),
                version,
                wave: wave_name,
            },
            carried: Carried::Folder,
            proposal,
            baseline: find(&at("prod-targets.json")).map(|all| {
                let all = document("prod-targets.json", all);
                let span = all.root().get(&tag).expect("the tag").span().to_vec();
                document("current.json", span)
            }),
            baseline_source: BaselineSource::Request,
            older_root: None,
            ci: Some(document("ci-targets.json", bytes(&at("ci-targets.json")))),
            waves: Some(WaveList::read(document("waves.json", bytes(&at("waves.json"))).root())),
            acknowledged_root: chain.newest().version,
            request_root,
            chain,
            online_key: keyfile::public_key("ci-targets.pub", &bytes(&at("ci-targets.pub")))
                .expect("a key")
                .factory_keyid(),
            own_keys,
            history: TagHistory::default(),
            files: Default::default(),
            vault: Vec::new(),
            record: None,
            later: Vec::new(),
            station_factory: factory_name(factory).to_owned(),
            policy: Policy::default(),
            networked: false,
            now: Time::parse(NOW).expect("a time"),
            log_time: Time::parse("2026-11-24T07:30:00Z"),
            vouch_for_edits: false,
        }
    }

    /// Step 5 as the second officer sees it: the wave exists, signed by the online key and the first officer.
    pub(crate) fn second_officer(factory: &str) -> Fixture {
        let mut fixture = Fixture::step(factory, "5");
        let folder = step_folder(factory, "5");
        let wave = document("wave.json", bytes(&format!("{factory}/{folder}/wave.json")));
        let targets = wave.root().get("targets").expect("targets").span().to_vec();
        fixture.proposal = document("targets.json", targets);
        fixture.manifest.kind = RequestKind::WaveSignature;
        // The list of waves of that step was downloaded before the wave was made.
        let manifest = &fixture.manifest;
        let (name, tag, version) = (manifest.wave.clone(), manifest.tag.clone(), Some(manifest.version));
        let wave = Wave { name, version, tag, status: WaveStatus::Active };
        fixture.waves.as_mut().expect("waves").waves.push(wave);
        fixture.own_keys = fixture
            .chain
            .newest()
            .keyids("targets")
            .iter()
            .filter(|keyid| **keyid != fixture.online_key && !fixture.own_keys.contains(keyid))
            .cloned()
            .collect();
        fixture
    }

    /// Changes what is to be signed. It is written again in canonical form, without signatures.
    pub(crate) fn edit_proposal(&mut self, edit: impl FnOnce(&mut Json)) {
        self.proposal = edited(&self.proposal, "targets.json", edit, false);
    }

    /// Replaces what is to be signed by the bytes of a `signed` as they stand.
    pub(crate) fn set_proposal(&mut self, signed: &[u8]) {
        self.proposal = envelope("targets.json", signed, b"[]");
    }

    /// Changes what production runs now; its signatures are taken as if they were over the change.
    pub(crate) fn edit_baseline(&mut self, edit: impl FnOnce(&mut Json)) {
        let baseline = self.baseline.as_ref().expect("a baseline");
        self.baseline = Some(edited(baseline, "current.json", edit, true));
        self.vouch_for_edits = true;
    }

    /// Changes what CI published; its signatures are taken as if they were over the change.
    pub(crate) fn edit_ci(&mut self, edit: impl FnOnce(&mut Json)) {
        let ci = self.ci.as_ref().expect("CI targets");
        self.ci = Some(edited(ci, "ci-targets.json", edit, true));
        self.vouch_for_edits = true;
    }

    /// Puts the situation together and looks at it.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Situation<'_>) -> T) -> T {
        let dialect = self.chain.newest().dialect;
        let proposal = Targets::read(self.proposal.root(), dialect).expect("the proposal reads");
        let message = proposal.metadata.message().expect("a message");
        let signatures = self.assess(&proposal, &message, false);
        let baseline = self.baseline.as_ref().map(|document| {
            let targets = Targets::read(document.root(), dialect).expect("the baseline reads");
            let message = targets.metadata.message().expect("a message");
            let signatures = self.assess(&targets, &message, self.vouch_for_edits);
            let source = self.baseline_source;
            Baseline { signatures, source, digest: message.digest(), targets, older_root: self.older_root }
        });
        let ci = self.ci.as_ref().map(|document| {
            let targets = Targets::read(document.root(), dialect).expect("the CI targets read");
            let message = targets.metadata.message().expect("a message");
            let signatures = self.assess(&targets, &message, self.vouch_for_edits);
            CiTargets { targets, signatures }
        });
        let authority = Authority::of(self.chain.newest(), "targets", None).expect("an authority");
        let mut memory = History::default();
        memory.tags.insert(self.manifest.tag.clone(), self.history.clone());
        memory.files = self.files.clone();
        memory.vault.extend(self.own_keys.iter().chain(&self.vault).map(|keyid| keyid.as_str().to_owned()));
        look(&Situation {
            manifest: &self.manifest,
            request: Digest::of(&self.manifest.to_bytes()),
            carried: self.carried,
            proposal: &proposal,
            message: &message,
            signatures: &signatures,
            baseline,
            ci,
            waves: self.waves.clone(),
            chain: &self.chain,
            request_root: self.request_root,
            acknowledged_root: self.acknowledged_root,
            since: &[],
            authority: &authority,
            online_key: Some(&self.online_key),
            own_keys: &self.own_keys,
            history: &self.history,
            memory: &memory,
            nonce: Some([7; 16]),
            record: self.record.as_ref().map(|document| {
                let targets = signed_targets(document, dialect);
                let digest = targets.metadata.message().expect("a message").digest();
                Record { targets, digest }
            }),
            later: self
                .later
                .iter()
                .map(|(mark, document)| Later::of(mark, &signed_targets(document, dialect), &proposal))
                .collect(),
            station_factory: &self.station_factory,
            policy: &self.policy,
            policy_digest: Digest::parse(&self.policy.digest()).expect("a digest"),
            networked: self.networked,
            at_station: true,
            now: self.now,
            continues: None,
            log_time: self.log_time,
        })
    }

    fn assess(&self, targets: &Targets<'_>, message: &Message<'_>, vouch: bool) -> Vec<Assessed> {
        let root = self.chain.newest();
        let mut assessed = assess(targets.metadata.signatures.clone(), message, root, "targets");
        if vouch {
            for one in &mut assessed {
                if matches!(one.worth, Worth::Invalid(_)) {
                    one.worth = Worth::Counts;
                }
            }
        }
        assessed
    }
}

fn signed_targets<'d>(document: &'d Document<'_>, dialect: Dialect) -> Targets<'d> {
    let metadata = Metadata::of_signed(document.root(), Vec::new(), dialect, "targets").expect("metadata");
    Targets::of(metadata).expect("targets")
}

/// The name of a fixture's Factory, as its builds and apps have it.
fn factory_name(fixture: &str) -> &'static str {
    match fixture {
        "acme" => "acme-gateway",
        "rsa" => "heritage-rsa",
        _ => "odd-chars",
    }
}

/// A document of an envelope.
pub(crate) fn envelope(name: &'static str, signed: &[u8], signatures: &[u8]) -> Document<'static> {
    document(name, [b"{\"signatures\":", signatures, b",\"signed\":", signed, b"}"].concat())
}

/// All root files of a step's production chain, read but not verified.
pub(crate) fn roots(factory: &str, step: &str) -> Vec<Root> {
    let folder = step_folder(factory, step);
    let read = |n: u64| {
        let file = find(&format!("{factory}/{folder}/prod-roots/{n}.root.json"))?;
        Some(Root::parse(&format!("{n}.root.json"), &file).expect("a root"))
    };
    (1..).map_while(read).collect()
}

fn chain(factory: &str, folder: &str) -> Chain {
    Chain::verify(roots(factory, folder)).expect("the chain holds")
}

fn edited(
    envelope_document: &Document<'_>,
    name: &'static str,
    edit: impl FnOnce(&mut Json),
    keep_signatures: bool,
) -> Document<'static> {
    let root = envelope_document.root();
    let signatures = if keep_signatures { root.get("signatures").expect("signatures").span() } else { b"[]" };
    let signed = root.get("signed").expect("signed").span();
    let mut signed: Json = serde_json::from_slice(signed).expect("JSON");
    edit(&mut signed);
    envelope(name, &serde_json::to_vec(&signed).expect("JSON"), signatures)
}

fn document(name: &'static str, bytes: Vec<u8>) -> Document<'static> {
    Document::parse(name, bytes, Limits::DEFAULT).unwrap_or_else(|e| panic!("{e}"))
}

fn step_folder(factory: &str, step: &str) -> String {
    let folder = std::fs::read_dir(path(factory)).expect("the fixtures").flatten();
    let mut names = folder.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.find(|name| name.starts_with(step)).expect("a step")
}

fn path(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fioctl").join(path)
}

fn find(file: &str) -> Option<Vec<u8>> {
    std::fs::read(path(file)).ok()
}

fn bytes(file: &str) -> Vec<u8> {
    find(file).unwrap_or_else(|| panic!("no fixture {file}"))
}

#[test]
fn every_step_of_every_factory_becomes_a_situation() {
    for factory in ["acme", "rsa", "odd"] {
        for step in ["1", "2", "3", "4", "5"] {
            Fixture::step(factory, step).with(|situation| {
                assert_eq!(situation.baseline.is_none(), step == "1");
                assert_eq!(situation.signatures.len(), 0);
                assert_eq!(situation.manifest.version, situation.proposal.metadata.version);
            });
        }
        Fixture::second_officer(factory).with(|situation| {
            // On the odd content fioctl and devices disagree, so its signatures do not hold here.
            let holds = |one: &Assessed| one.worth == Worth::Counts;
            assert_eq!(
                (situation.signatures.len(), situation.signatures.iter().all(holds)),
                (2, factory != "odd")
            );
        });
    }
}
