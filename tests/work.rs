//! Work is counted, not timed: allocations, bytes held, pieces written. Growth is measured at two sizes.

#[path = "support/situation.rs"]
mod situation;

use allocation_counter::{AllocationInfo, measure};
use countersign::host::RealDisk;
use countersign::json::{Document, Limits, canonical};
use countersign::rehearsal::Spacing;
use countersign::rehearsal::hostile::Shape;
use countersign::review::review;
use situation::{Made, parse};

/// What reading a file costs, whether it is accepted or refused.
fn reading(bytes: &[u8]) -> AllocationInfo {
    measure(|| drop(Document::parse("t", bytes, Limits::DEFAULT)))
}

#[test]
fn reading_copies_no_text_and_holds_an_index_smaller_than_the_file() {
    let Made { production, .. } = Made::new(2_000, 2, Spacing::Compact);
    let cost = reading(&production);
    assert!(cost.count_total <= 3, "{} allocations: the index, and next to nothing else", cost.count_total);
    assert!(2 * cost.bytes_max < production.len() as u64 + 200, "{} bytes at most", cost.bytes_max);
}

#[test]
fn reading_a_canonical_file_and_hashing_it_writes_no_canonical_form() {
    let Made { ci, .. } = Made::new(1_000, 2, Spacing::Compact);
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
    let Made { ci, .. } = Made::new(1_000, 2, Spacing::Spaced);
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
        let made = Made::new(targets, 2, Spacing::Compact);
        measure(|| assert!(made.compose().len() > 1_000))
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

/// Targets of a small review and of one ten times larger, which still is below the size that is shared out between
/// threads: allocations are counted on one.
const FEW: u64 = 72;
const MANY: u64 = 720;

/// What computing a review and writing it as JSON costs.
fn reviewing(made: &Made) -> AllocationInfo {
    made.look(|situation| {
        assert!((situation.message.bytes().len() as u64) < countersign::threads::LONG);
        measure(|| {
            let mut out = Vec::new();
            review(situation).write_json(&mut out).expect("written");
            assert!(out.len() > 1_000);
        })
    })
}

#[test]
fn a_review_costs_in_proportion_to_the_targets() {
    let (small, large) = (Made::new(FEW, 4, Spacing::Compact), Made::new(MANY, 4, Spacing::Compact));
    let (small, large) = (reviewing(&small), reviewing(&large));
    assert!(large.count_total <= 11 * small.count_total, "{} and {}", small.count_total, large.count_total);
    assert!(large.bytes_total <= 11 * small.bytes_total, "{} and {}", small.bytes_total, large.bytes_total);
    // The review borrows: it holds a fraction of what it looks at.
    assert!(large.bytes_max < MANY * 1_320 / 2, "{} bytes at most", large.bytes_max);
}

#[test]
fn a_review_with_something_to_say_about_every_target_costs_in_proportion_to_them() {
    let made = |targets: u64| {
        let mut made = Made::new(targets, 4, Spacing::Compact);
        // Every hash in the proposal is another one than in production and at CI.
        let text = String::from_utf8(made.proposal).expect("text");
        made.proposal = text.replace("\"OSTREE\"", "\"B\\u0049NARY\"").into_bytes();
        made
    };
    let (small, large) = (reviewing(&made(FEW)), reviewing(&made(MANY)));
    assert!(large.count_total <= 13 * small.count_total, "{} and {}", small.count_total, large.count_total);
    assert!(large.bytes_total <= 13 * small.bytes_total, "{} and {}", small.bytes_total, large.bytes_total);
}

#[test]
fn a_review_of_a_hostile_proposal_costs_in_proportion_to_its_size() {
    let base = Made::new(40, 2, Spacing::Compact);
    for shape in Shape::ALL.into_iter().filter(|shape| *shape != Shape::Deep) {
        let cost = |bytes: usize| {
            let proposal = shape.targets_file(43, "2028-01-01T00:00:00Z", bytes).into_bytes();
            reviewing(&Made { proposal, ..base.clone() })
        };
        let (small, large) = (cost(90_000), cost(900_000));
        assert!(
            large.bytes_total <= 14 * small.bytes_total && large.count_total <= 14 * small.count_total,
            "{shape:?}: {} and {} bytes, {} and {} allocations",
            small.bytes_total,
            large.bytes_total,
            small.count_total,
            large.count_total
        );
    }
}
