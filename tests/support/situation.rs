//! A situation for a review of any size: a made-up Factory's downloads, and the wave that is composed from them.

use countersign::testing::bundle::compose::{Parameters, compose};
use countersign::testing::bundle::{RequestKind, RequestManifest, WaveList};
use countersign::testing::host::RealDisk;
use countersign::testing::host::clock::Time;
use countersign::testing::json::{Document, Limits};
use countersign::testing::rehearsal::{Factory, Spacing};
use countersign::testing::review::{Baseline, BaselineSource, Carried, CiTargets, Situation};
use countersign::testing::station::{History, Policy, TagHistory};
use countersign::testing::tuf::signature::assess;
use countersign::testing::tuf::targets::list;
use countersign::testing::tuf::{Authority, Chain, Dialect, Digest, Root, Targets, keyfile};

pub const NOW: Time = Time::from_unix(1_800_000_000);

/// What a Factory serves, and what is asked for.
#[derive(Clone)]
pub struct Made {
    pub version: u64,
    pub ci: Vec<u8>,
    pub production: Vec<u8>,
    pub roots: Vec<Vec<u8>>,
    pub online: Vec<u8>,
    pub waves: Vec<u8>,
    /// The envelope `targets.json`.
    pub proposal: Vec<u8>,
    /// Is the proposal a bare file, of a tag that nobody knows, and does the policy take such?
    pub is_bare: bool,
}

impl Made {
    /// A Factory with so many targets once its next wave is out, for so many hardware ids.
    pub fn new(targets: u64, hardware: u64, spacing: Spacing) -> Made {
        let version = targets / hardware;
        let mut factory = Factory::new(1, "acme-gateway", NOW)
            .with_hardware(usize::try_from(hardware).expect("a number"))
            .with_spacing(spacing);
        factory.build(1..=version);
        factory.populate(1..version).expect("populated");
        let dir = tempfile::tempdir().expect("a folder");
        factory.write_step(&RealDisk, dir.path(), version).expect("written");
        let read = |name: &str| std::fs::read(dir.path().join(name)).expect("a file");
        let mut made = Made {
            version,
            ci: read("ci-targets.json"),
            production: read("prod-targets.json"),
            roots: (1..=3).map(|n| read(&format!("prod-roots/{n}.root.json"))).collect(),
            online: read("ci-targets.pub"),
            waves: read("waves.json"),
            proposal: Vec::new(),
            is_bare: false,
        };
        let signed = made.compose();
        made.proposal = [b"{\"signatures\":[],\"signed\":".as_slice(), &signed, b"}"].concat();
        made
    }

    /// The canonical `signed` of the wave.
    pub fn compose(&self) -> Vec<u8> {
        let (ci, production) = (parse(&self.ci), parse(&self.production));
        let published = ci.root().get("signed").and_then(|signed| signed.get("targets")).expect("targets");
        let current = production.root().get("production").expect("the tag");
        let current = Targets::read(current, Dialect::Factory).expect("targets");
        let parameters = Parameters {
            version: self.version,
            tag: "production".to_owned(),
            source_tag: None,
            prune: Default::default(),
            expires: NOW.plus_days(365),
        };
        compose(&list(published).expect("targets"), Some(&current), &parameters).expect("composed").signed
    }

    /// Puts the situation together and looks at it.
    pub fn look<T>(&self, look: impl FnOnce(&Situation<'_>) -> T) -> T {
        let roots = self.roots.iter().enumerate();
        let roots =
            roots.map(|(n, bytes)| Root::parse(&format!("{}.root.json", n + 1), bytes).expect("a root"));
        let chain = Chain::verify(roots.collect()).expect("the chain holds");
        let online = keyfile::public_key("ci-targets.pub", &self.online).expect("a key").factory_keyid();
        let own: Vec<_> =
            chain.newest().keyids("targets").iter().filter(|id| **id != online).cloned().collect();
        let (proposal, production, ci) = (parse(&self.proposal), parse(&self.production), parse(&self.ci));
        let proposal = Targets::read(proposal.root(), Dialect::Factory).expect("the proposal reads");
        let message = proposal.metadata.message().expect("a message");
        let production = production.root().get("production").expect("the tag");
        let production = Targets::read(production, Dialect::Factory).expect("the baseline reads");
        let ci = Targets::read(ci.root(), Dialect::Factory).expect("the CI targets read");
        let assessed = |targets: &Targets<'_>| {
            let message = targets.metadata.message().expect("a message");
            let signatures = targets.metadata.signatures.clone();
            (assess(signatures, &message, chain.newest(), "targets"), message.digest())
        };
        let (production_signatures, digest) = assessed(&production);
        let (ci_signatures, _) = assessed(&ci);
        let text = Policy::default().text().to_owned();
        let allowed = text.replace("# evidence = \"block\"", "evidence = \"warn\"");
        let text = if self.is_bare { allowed } else { text };
        let policy = Policy::read(text.as_bytes()).expect("a policy");
        let with_evidence = !self.is_bare;
        let authority = Authority::of(chain.newest(), "targets", None).expect("an authority");
        look(&Situation {
            manifest: &RequestManifest {
                created: NOW.to_string(),
                factory: "acme-gateway".to_owned(),
                files: Default::default(),
                format: "countersign/request/1".to_owned(),
                kind: RequestKind::Wave,
                prune: Vec::new(),
                source_tag: None,
                tag: "production".to_owned(),
                tool: "made up".to_owned(),
                version: proposal.metadata.version,
                wave: "v2".to_owned(),
            },
            request: Digest::of(b"made up"),
            carried: if self.is_bare { Carried::BareFile } else { Carried::Folder },
            proposal: &proposal,
            message: &message,
            signatures: &[],
            baseline: with_evidence.then_some(Baseline {
                targets: production,
                signatures: production_signatures,
                source: BaselineSource::Request,
                digest,
                older_root: None,
            }),
            ci: with_evidence.then_some(CiTargets { targets: ci, signatures: ci_signatures }),
            waves: with_evidence.then(|| WaveList::read(parse(&self.waves).root())),
            request_root: Some(3),
            acknowledged_root: 3,
            since: &[],
            authority: &authority,
            record: None,
            later: Vec::new(),
            online_key: Some(&online),
            own_keys: &own,
            history: &TagHistory::default(),
            memory: &History::default(),
            nonce: Some([7; 16]),
            station_factory: "acme-gateway",
            policy_digest: Digest::parse(&policy.digest()).expect("a digest"),
            policy: &policy,
            at_station: true,
            networked: false,
            now: NOW,
            continues: None,
            log_time: None,
            chain: &chain,
        })
    }
}

/// Reads a document of the size that a hostile stick may bring.
pub fn parse(bytes: &[u8]) -> Document<'_> {
    Document::parse("t", bytes, Limits::of_bytes(1 << 30)).expect("JSON")
}
