//! The pieces that every command is made of, at the devices' own limit of 6,000 targets (7.9 MB): reading, canonical
//! form, digests, signatures, composing, reviewing. `cargo bench --bench pieces`.

#[path = "../tests/support/situation.rs"]
mod situation;

use countersign::testing::json::{Document, Limits, canonical};
use countersign::testing::rehearsal::Spacing;
use countersign::testing::rehearsal::hostile::Shape;
use countersign::testing::review::review;
use countersign::testing::tuf::signature::assess;
use countersign::testing::tuf::{Dialect, Root, Targets};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use situation::{Made, parse};
use std::hint::black_box;

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    let compact = Made::new(6_000, 2, Spacing::Compact).ci;
    let spaced = Made::new(6_000, 2, Spacing::Spaced).ci;
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
        let bytes = Made::new(6_000, 2, spacing).ci;
        let document = parse(&bytes);
        let signed = document.root().get("signed").expect("signed");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(canonical::bytes(signed).len())));
    }
    group.finish();
}

fn signatures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("targets");
    let made = Made::new(6_000, 2, Spacing::Compact);
    let document = parse(&made.production);
    let envelope = document.root().get("production").expect("the tag");
    let root = Root::parse("3.root.json", &made.roots[2]).expect("a root");
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
    group.bench_function("compose the next wave", |bencher| bencher.iter(|| black_box(made.compose().len())));
    group.finish();
}

fn reviews(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("review");
    for (name, hardware) in [("2 of 6,000 targets new", 2), ("60 of 6,000 targets new", 60)] {
        let made = Made::new(6_000, hardware, Spacing::Compact);
        group.throughput(Throughput::Bytes(2 * made.proposal.len() as u64));
        made.look(|situation| {
            group.bench_function(name, |bencher| {
                bencher.iter(|| black_box(review(black_box(situation)).findings.len()));
            });
        });
    }
    let made = Made::new(6_000, 60, Spacing::Compact);
    made.look(|situation| {
        let review = review(situation);
        group.bench_function("as JSON", |bencher| bencher.iter(|| black_box(review.json().len())));
        group.bench_function("as text", |bencher| bencher.iter(|| black_box(review.text(100, false).len())));
        group.bench_function("as HTML", |bencher| bencher.iter(|| black_box(review.html(None).len())));
    });
    group.finish();
}

criterion_group! {
    name = pieces;
    config = Criterion::default().sample_size(20);
    targets = reading, canonical_form, signatures, reviews
}
criterion_main!(pieces);
