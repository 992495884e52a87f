//! The pieces that every command is made of, at the devices' own limit of 6,000 targets (7.9 MB): reading, canonical
//! form, digests, signatures, composing. `cargo bench --bench pieces`.

use countersign::bundle::compose::{Parameters, compose};
use countersign::host::RealDisk;
use countersign::host::clock::Time;
use countersign::json::{Document, Limits, canonical};
use countersign::rehearsal::hostile::Shape;
use countersign::rehearsal::{Factory, Spacing};
use countersign::tuf::signature::assess;
use countersign::tuf::{Dialect, Root, Targets};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const NOW: Time = Time::from_unix(1_800_000_000);

/// What a Factory with so many targets serves.
struct Downloads {
    root: Vec<u8>,
    ci: Vec<u8>,
    production: Vec<u8>,
}

fn downloads(targets: u64, spacing: Spacing) -> Downloads {
    let version = targets / 2;
    let mut factory = Factory::new(1, "acme-gateway", NOW).with_spacing(spacing);
    factory.build(1..=version);
    factory.populate(1..version).expect("populated");
    let dir = tempfile::tempdir().expect("a folder");
    factory.write_step(&RealDisk, dir.path(), version).expect("written");
    let read = |name: &str| std::fs::read(dir.path().join(name)).expect("a file");
    Downloads {
        root: read("prod-roots/3.root.json"),
        ci: read("ci-targets.json"),
        production: read("prod-targets.json"),
    }
}

fn parse(bytes: &[u8]) -> Document<'_> {
    Document::parse("bench", bytes, Limits::DEFAULT).expect("JSON")
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    let compact = downloads(6_000, Spacing::Compact).ci;
    let spaced = downloads(6_000, Spacing::Spaced).ci;
    let mut run = |name: &str, bytes: &[u8]| {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(Document::parse("bench", black_box(bytes), Limits::DEFAULT).is_ok()));
        });
    };
    run("canonical", &compact);
    run("spaced", &spaced);
    for shape in Shape::ALL {
        let text = shape.targets_file(43, "2027-11-23T00:00:00Z", 8 << 20);
        run(shape.name(), text.as_bytes());
    }
    group.finish();
}

fn canonical_form(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("canonical form");
    for (name, spacing) in [("as it stands", Spacing::Compact), ("from spaced", Spacing::Spaced)] {
        let bytes = downloads(6_000, spacing).ci;
        let document = parse(&bytes);
        let signed = document.root().get("signed").expect("signed");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(canonical::bytes(signed).len())));
    }
    group.finish();
}

fn signatures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("targets");
    let downloads = downloads(6_000, Spacing::Compact);
    let document = parse(&downloads.production);
    let envelope = document.root().get("production").expect("the tag");
    let root = Root::parse("3.root.json", &downloads.root).expect("a root");
    let targets = Targets::read(envelope, Dialect::Factory).expect("targets");
    let message = targets.metadata.message().expect("a message");
    group.throughput(Throughput::Bytes(message.bytes().len() as u64));
    group.bench_function("list", |bencher| {
        bencher.iter(|| {
            black_box(Targets::read(black_box(envelope), Dialect::Factory).map(|t| t.all().len()).ok())
        });
    });
    group.bench_function("digest", |bencher| bencher.iter(|| black_box(message.digest())));
    group.bench_function("verify both signatures", |bencher| {
        bencher.iter(|| {
            let signatures = targets.metadata.signatures.clone();
            black_box(assess(signatures, black_box(&message), &root, "targets"))
        });
    });
    let ci = parse(&downloads.ci);
    let published = ci.root().get("signed").and_then(|signed| signed.get("targets")).expect("targets");
    let parameters = Parameters {
        version: 3_000,
        tag: "production".to_owned(),
        source_tag: None,
        prune: Default::default(),
        expires: NOW.plus_days(365),
    };
    group.bench_function("compose the next wave", |bencher| {
        bencher
            .iter(|| black_box(compose(published, Some(&targets), &parameters).map(|c| c.signed.len()).ok()));
    });
    group.finish();
}

criterion_group! {
    name = pieces;
    config = Criterion::default().sample_size(20);
    targets = reading, canonical_form, signatures
}
criterion_main!(pieces);
