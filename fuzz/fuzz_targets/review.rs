//! A whole review of a proposal whose `signed` is any bytes, against a real baseline.
#![no_main]

use countersign::testing::bundle::{RequestKind, RequestManifest};
use countersign::testing::host::clock::Time;
use countersign::testing::json::{Document, Limits};
use countersign::testing::review::situation::{Baseline, BaselineSource, Carried, Situation};
use countersign::testing::review::review;
use countersign::testing::station::{Policy, TagHistory};
use countersign::testing::tuf::signature::assess;
use countersign::testing::tuf::{Authority, Chain, Digest, Root, Targets};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

macro_rules! fixture {
    ($file:literal) => {
        include_bytes!(concat!("../../tests/fixtures/fioctl/acme/3-prune/", $file))
    };
}

/// The production roots of a real Factory.
static CHAIN: LazyLock<Chain> = LazyLock::new(|| {
    let files: [&[u8]; 3] = [
        fixture!("prod-roots/1.root.json"),
        fixture!("prod-roots/2.root.json"),
        fixture!("prod-roots/3.root.json"),
    ];
    Chain::verify(files.map(|file| Root::parse("root", file).expect("a root")).into()).expect("a chain")
});

/// Its production targets by tag.
static PRODUCTION: LazyLock<Document<'static>> = LazyLock::new(|| {
    let file: &[u8] = fixture!("prod-targets.json");
    Document::parse("prod-targets.json", file, Limits::DEFAULT).expect("JSON")
});

static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);

fn printable(text: &str) -> bool {
    text.bytes().all(|b| b == b'\n' || (0x20..0x7f).contains(&b))
}

fuzz_target!(|bytes: &[u8]| {
    let envelope = [b"{\"signatures\":[],\"signed\":", bytes, b"}"].concat();
    let Ok(document) = Document::parse("targets.json", &*envelope, Limits::DEFAULT) else { return };
    let root = CHAIN.newest();
    let Ok(proposal) = Targets::read(document.root(), root.dialect) else { return };
    let Ok(message) = proposal.metadata.message() else { return };
    let current = PRODUCTION.root().get("production").expect("the tag");
    let current = Targets::read(current, root.dialect).expect("targets");
    let current_message = current.metadata.message().expect("a message");
    let authority = Authority::of(root, "targets", None).expect("the root's own role");
    let manifest = RequestManifest {
        created: "2026-11-24T07:00:00Z".to_owned(),
        factory: "acme-gateway".to_owned(),
        files: Default::default(),
        format: "countersign/request/1".to_owned(),
        kind: RequestKind::Wave,
        prune: Vec::new(),
        source_tag: None,
        tag: "production".to_owned(),
        tool: "fuzz".to_owned(),
        version: 43,
        wave: "fuzz".to_owned(),
    };
    let situation = Situation {
        manifest: &manifest,
        request: Digest::of(b"request"),
        carried: Carried::Folder,
        proposal: &proposal,
        message: &message,
        signatures: &[],
        baseline: Some(Baseline {
            signatures: assess(current.metadata.signatures.clone(), &current_message, root, "targets"),
            source: BaselineSource::Request,
            digest: current_message.digest(),
            targets: current,
            older_root: None,
        }),
        ci: None,
        waves: Some(Vec::new()),
        chain: &CHAIN,
        request_root: Some(root.version),
        acknowledged_root: root.version,
        online_key: root.keyids("targets").first(),
        authority: &authority,
        delegating: None,
        own_keys: root.keyids("targets"),
        history: &TagHistory::default(),
        station_factory: "acme-gateway",
        policy: &POLICY,
        policy_digest: Digest::of(b"policy"),
        networked: false,
        now: Time::from_unix(1_795_500_000),
        log_time: None,
    };
    let review = review(&situation);
    assert!(printable(&review.text(80, false)));
    assert!(printable(&review.json()));
    let page = review.html(None);
    assert!(printable(&page));
    for active in ["<script", "<img", "<iframe", "<svg", "<object", "<embed", "<form", "<link", "<base"] {
        assert!(!page.contains(active), "{active}");
    }
});
