//! Work is counted, not timed: allocations, bytes held, pieces written. Growth is measured at two sizes.

use allocation_counter::{AllocationInfo, measure};
use countersign::bundle::compose::{Parameters, compose};
use countersign::host::RealDisk;
use countersign::host::clock::Time;
use countersign::json::{Document, Limits, canonical};
use countersign::rehearsal::hostile::Shape;
use countersign::rehearsal::{Factory, Spacing};
use countersign::tuf::{Dialect, Targets};

const NOW: Time = Time::from_unix(1_800_000_000);

/// A made-up Factory's CI targets and production targets.
fn downloads(targets: u64, spacing: Spacing) -> (Vec<u8>, Vec<u8>) {
    let version = targets / 2;
    let mut factory = Factory::new(1, "acme-gateway", NOW).with_spacing(spacing);
    factory.build(1..=version);
    factory.populate(1..version).expect("populated");
    let dir = tempfile::tempdir().expect("a folder");
    factory.write_step(&RealDisk, dir.path(), version).expect("written");
    let read = |name: &str| std::fs::read(dir.path().join(name)).expect("a file");
    (read("ci-targets.json"), read("prod-targets.json"))
}

fn parse(bytes: &[u8]) -> Document<'_> {
    Document::parse("t", bytes, Limits::DEFAULT).expect("JSON")
}

/// What reading a file costs, whether it is accepted or refused.
fn reading(bytes: &[u8]) -> AllocationInfo {
    measure(|| drop(Document::parse("t", bytes, Limits::DEFAULT)))
}

#[test]
fn reading_copies_no_text_and_holds_an_index_smaller_than_the_file() {
    let (_, production) = downloads(2_000, Spacing::Compact);
    let cost = reading(&production);
    assert!(cost.count_total <= 3, "{} allocations: the index, and next to nothing else", cost.count_total);
    assert!(2 * cost.bytes_max < production.len() as u64 + 200, "{} bytes at most", cost.bytes_max);
}

#[test]
fn reading_a_canonical_file_and_hashing_it_writes_no_canonical_form() {
    let (ci, _) = downloads(1_000, Spacing::Compact);
    let document = parse(&ci);
    let signed = document.root().get("signed").expect("signed");
    let mut pieces = Vec::new();
    canonical::write(signed, &mut |piece| pieces.push(piece.as_ptr() as usize));
    assert_eq!(pieces, [signed.span().as_ptr() as usize], "one piece, where it stands");
    let cost = measure(|| drop(canonical::bytes(signed)));
    assert_eq!(cost.count_total, 0);
}

#[test]
fn a_canonical_form_that_has_to_be_written_is_written_once() {
    let (ci, _) = downloads(1_000, Spacing::Spaced);
    let document = parse(&ci);
    let signed = document.root().get("signed").expect("signed");
    let mut written = 0usize;
    let streamed = measure(|| canonical::write(signed, &mut |piece| written += piece.len()));
    assert!(streamed.bytes_max < 64 << 10, "{} bytes held while streaming", streamed.bytes_max);
    let built = measure(|| drop(canonical::bytes(signed)));
    assert!(built.bytes_max < signed.span().len() as u64 + (64 << 10), "{} bytes", built.bytes_max);
    assert!(written < signed.span().len());
}

#[test]
fn listing_and_composing_grow_with_the_targets_and_not_faster() {
    let cost = |targets: u64| {
        let (ci, production) = downloads(targets, Spacing::Compact);
        let (ci, production) = (parse(&ci), parse(&production));
        let published = ci.root().get("signed").and_then(|signed| signed.get("targets")).expect("targets");
        let current = production.root().get("production").expect("the tag");
        let parameters = Parameters {
            version: targets / 2,
            tag: "production".to_owned(),
            source_tag: None,
            prune: Default::default(),
            expires: NOW.plus_days(365),
        };
        measure(|| {
            let current = Targets::read(current, Dialect::Factory).expect("targets");
            let composed = compose(published, Some(&current), &parameters).expect("composed");
            assert_eq!(composed.added.len(), 2);
        })
    };
    let (small, large) = (cost(400), cost(4_000));
    assert!(large.count_total <= small.count_total + 60, "{} and {}", small.count_total, large.count_total);
    assert!(large.bytes_total <= 12 * small.bytes_total, "{} and {}", small.bytes_total, large.bytes_total);
}

#[test]
fn hostile_shapes_cost_in_proportion_to_their_size() {
    for shape in Shape::ALL {
        let file = |bytes: usize| shape.targets_file(43, "2027-11-23T00:00:00Z", bytes).into_bytes();
        let (small, large) = (reading(&file(200_000)), reading(&file(2_000_000)));
        assert!(
            large.bytes_total <= 24 * small.bytes_total.max(4 << 10),
            "{shape:?}: {} and {} bytes",
            small.bytes_total,
            large.bytes_total
        );
        assert!(large.bytes_max <= 40 * 2_000_000, "{shape:?}: {} bytes at most", large.bytes_max);
        assert!(large.count_total < 200, "{shape:?}: {} allocations", large.count_total);
    }
}

#[test]
fn a_file_past_the_cap_is_refused_before_anything_is_allocated_for_it() {
    let file = vec![b' '; 2 << 20];
    let cost = measure(|| drop(Document::parse("t", file.as_slice(), Limits::of_bytes(1 << 20))));
    assert!(cost.bytes_total < 1 << 10, "{} bytes", cost.bytes_total);
}

#[test]
fn a_file_past_the_cap_on_disk_is_refused_before_a_byte_of_it_is_allocated_for() {
    use countersign::host::disk::Disk as _;
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("targets.json");
    // A sparse file: a gigabyte that nobody wrote.
    std::fs::File::create(&path).and_then(|file| file.set_len(1 << 30)).expect("made");
    let cost = measure(|| drop(RealDisk.read(&path, 64 << 20)));
    assert!(cost.bytes_total < 4 << 10, "{} bytes", cost.bytes_total);
}
