//! Work is counted, not timed: allocations, bytes held, pieces written. Growth is measured at two sizes.

#[path = "support/situation.rs"]
mod situation;

use allocation_counter::{AllocationInfo, measure};
use countersign::testing::host::RealDisk;
use countersign::testing::json::{Document, Limits, canonical};
use countersign::testing::rehearsal::Spacing;
use countersign::testing::rehearsal::hostile::Shape;
use countersign::testing::review::review;
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
    use countersign::testing::host::disk::Disk as _;
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
        assert!((situation.message.bytes().len() as u64) < countersign::testing::threads::LONG);
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
        // Both are weighed before they are laid out, which smaller ones are not: three times the size, at most 4.2 times
        // the cost.
        let (small, large) = (cost(300_000), cost(900_000));
        assert!(
            10 * large.bytes_total <= 42 * small.bytes_total
                && 10 * large.count_total <= 42 * small.count_total,
            "{shape:?}: {} and {} bytes, {} and {} allocations",
            small.bytes_total,
            large.bytes_total,
            small.count_total,
            large.count_total
        );
    }
}

/// A bomb of about so many bytes: the proposal's targets, and production's.
type Bomb = fn(usize) -> (String, String);

fn listed(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().join(",")
}

/// A target of the Factory: name, version, hardware ids, and further members of `custom`.
fn target(name: &str, version: &str, hardware: &str, more: &str) -> String {
    format!(
        "\"{name}\":{{\"custom\":{{\"hardwareIds\":[{hardware}],\"name\":\"n\",\"tags\":[\"production\"],\"version\":\
         \"{version}\"{more}}},\"hashes\":{{\"sha256\":\"{}\"}},\"length\":0}}",
        "0".repeat(64)
    )
}

fn ids(count: usize) -> String {
    listed(count, |i| format!("\"h{i:06}\""))
}

fn apps(count: usize) -> String {
    format!(",\"docker_compose_apps\":{{{}}}", listed(count, |i| format!("\"a{i:06}\":{{\"uri\":\"x\"}}")))
}

/// Products of two lists, long names over many members, deep paths, old targets under many new ones: what a small file
/// can make large.
const BOMBS: [(&str, Bomb); 16] = [
    ("hardware ids times apps", |bytes| {
        let (ids, apps) = (ids(bytes / 50), apps(bytes / 50));
        (target("t-2", "2", &ids, ""), target("t-1", "1", &ids, &apps))
    }),
    ("one large target times many small ones", |bytes| {
        let (n, apps) = (bytes / 500, apps(bytes / 80));
        let old = listed(n, |i| {
            target(&format!("old-{i}"), "1", &format!("\"h{i:06}\""), ",\"docker_compose_apps\":{\"b\":{}}")
        });
        (target("t-2", "2", &ids(n), &apps), old)
    }),
    ("one old target under many new ones", |bytes| {
        let new = listed(bytes / 500, |i| target(&format!("new-{i:06}"), "2", "\"h\"", ""));
        (new, target("t-1", "1", "\"h\"", &apps(bytes / 60)))
    }),
    ("a long name over many numbers", |bytes| {
        let numbers = listed(bytes / 8, |_| "1.5".to_owned());
        (target(&"n".repeat(bytes / 2), "2", "\"h\"", &format!(",\"x\":[{numbers}]")), String::new())
    }),
    ("a long key, all escapes, over many members", |bytes| {
        let members = listed(bytes / 28, |i| format!("\"{i:06}\":0"));
        (
            target("t-2", "2", "\"h\"", &format!(",\"{}\":{{{members}}}", "\\u006b".repeat(bytes / 12))),
            String::new(),
        )
    }),
    ("a deep path over many members", |bytes| {
        let members = listed(bytes / 14, |i| format!("\"{i:06}\":0"));
        let key = format!("\"{}\":{{", "k".repeat(200));
        (
            target("t-2", "2", "\"h\"", &format!(",{}{members}{}", key.repeat(40), "}".repeat(40))),
            String::new(),
        )
    }),
    ("a long version and name times hardware ids", |bytes| {
        let long = "\\u0030".repeat(bytes / 24);
        let ids = ids(bytes / 30);
        let name = format!(",\"x\":0,\"lmp-ver\":\"{long}\"");
        (target(&"n".repeat(bytes / 8), &format!("{long}2"), &ids, &name), target("t-1", "1", &ids, ""))
    }),
    ("a long name on the devices of many others", |bytes| {
        let n = bytes / 400;
        let others = listed(n, |i| target(&format!("z-{i:06}"), "2", &format!("\"h{i:06}\""), ""));
        (format!("{},{others}", target(&"n".repeat(bytes / 3), "2", &ids(n), "")), String::new())
    }),
    ("names that all look alike", |bytes| {
        let invisible = |i: usize| {
            (0..13).map(|k| if i >> k & 1 == 1 { "\\u200b" } else { "\\u200c" }).collect::<String>()
        };
        (listed(bytes / 260, |i| target(&format!("a{}", invisible(i)), "2", "\"h\"", "")), String::new())
    }),
    ("hardware ids that all look alike", |bytes| {
        let one = |i: usize| {
            (0..13).map(|k| if i >> k & 1 == 1 { "\\u200b" } else { "\\u200c" }).collect::<String>()
        };
        (target("t-2", "2", &listed(bytes / 90, |i| format!("\"{}\"", one(i))), ""), String::new())
    }),
    ("letters of another script", |bytes| {
        let one = |i: usize| {
            (0..12u32)
                .map(|k| ['\u{430}', '\u{435}', '\u{43e}', '\u{440}'][i >> (2 * k) & 3])
                .collect::<String>()
        };
        (listed(bytes / 180, |i| target(&one(i), "2", "\"h\"", "")), String::new())
    }),
    ("Factories that apps name", |bytes| {
        let app = |i: usize| format!("\"a{i:06}\":{{\"uri\":\"hub.foundries.io/f{i:06}/a@x\"}}");
        let apps = listed(bytes / 48, app);
        (target("t-2", "2", "\"h\"", &format!(",\"docker_compose_apps\":{{{apps}}}")), String::new())
    }),
    ("targets that production alone has", |bytes| {
        (
            String::new(),
            listed(bytes / 220, |i| target(&format!("t-{i:06}"), "1", &format!("\"h{i:06}\""), "")),
        )
    }),
    ("targets that hold nothing", |bytes| {
        (listed(bytes / 12, |i| format!("\"{i:07}\":{{}}")), String::new())
    }),
    ("sources that all differ", |bytes| {
        let one = |i: usize| {
            let source = format!(",\"lmp-manifest-sha\":\"{i:040x}\"");
            target(&format!("t-{i:06}"), "2", &format!("\"h{i:06}\""), &source)
        };
        (listed(bytes / 230, one), String::new())
    }),
    ("many long values", |bytes| {
        let value = "\\u00e9 ".repeat(100);
        (
            listed(bytes / 1_000, |i| {
                target(&format!("t-{i:06}"), "2", "\"h\"", &format!(",\"x\":\"{value}\""))
            }),
            String::new(),
        )
    }),
];

fn envelope(version: u64, targets: &str) -> String {
    format!(
        "{{\"signatures\":[],\"signed\":{{\"_type\":\"Targets\",\"expires\":\"2028-01-01T00:00:00Z\",\"targets\":\
         {{{targets}}},\"version\":{version}}}}}"
    )
}

/// What all that an officer is shown costs, and how long the longest of it is.
fn showing(base: &Made, bomb: Bomb, bytes: usize) -> (AllocationInfo, usize) {
    let (proposal, production) = bomb(bytes);
    let made = Made {
        proposal: envelope(43, &proposal).into_bytes(),
        production: format!("{{\"production\":{}}}", envelope(42, &production)).into_bytes(),
        ..base.clone()
    };
    let mut longest = 0;
    let cost = made.look(|situation| {
        measure(|| {
            let review = review(situation);
            let printed = [review.text(80, false).len(), review.printed_json().len()];
            longest = printed.into_iter().max().unwrap_or_default();
            assert!(review.html(None).len() < 1_100_000, "the page of the file");
        })
    });
    (cost, longest)
}

#[test]
fn what_a_megabyte_can_hold_is_shown_within_a_page_and_at_a_cost_in_proportion_to_it() {
    let base = Made::new(40, 2, Spacing::Compact);
    for (name, bomb) in BOMBS {
        let ((small, _), (large, longest)) = (showing(&base, bomb, 180_000), showing(&base, bomb, 900_000));
        assert!(
            large.bytes_total <= 7 * small.bytes_total && large.count_total <= 7 * small.count_total,
            "{name}: {} and {} bytes, {} and {} allocations",
            small.bytes_total,
            large.bytes_total,
            small.count_total,
            large.count_total
        );
        assert!(large.bytes_max < 200_000_000, "{name}: {} bytes held", large.bytes_max);
        assert!(longest <= 1_000_000, "{name}: {longest} bytes printed");
    }
}

/// An honest first wave: whatever can differ between targets does.
fn first_wave(bytes: usize) -> (String, String) {
    let digest =
        |what: &str, i: usize| hex::encode(<sha2::Sha256 as sha2::Digest>::digest(format!("{what} {i}")));
    let dense = |i: usize| {
        let apps = listed(8, |a| {
            format!(
                "\"app-{a}\":{{\"uri\":\"hub.example/acme/app-{a}@sha256:{}\"}}",
                digest("app", i * 8 + a)
            )
        });
        let name = format!("gateway-{i:06}");
        format!(
            "\"{name}-2\":{{\"custom\":{{\"docker_compose_apps\":{{{apps}}},\"hardwareIds\":[\"{name}\"],\
             \"lmp-manifest-sha\":\"{}\",\"name\":\"{name}\",\"tags\":[\"production\"],\"uri\":\"https://ci.example/{i}\",\
             \"version\":\"2\"}},\"hashes\":{{\"sha256\":\"{}\"}},\"length\":0}}",
            &digest("manifest", i)[..40],
            digest("commit", i)
        )
    };
    let count = bytes / dense(0).len();
    (listed(count, dense), String::new())
}

#[test]
fn an_honest_first_wave_of_any_size_is_shown_whole() {
    let base = Made::new(40, 2, Spacing::Compact);
    for bytes in [200_000, 880_000, 940_000, 980_000, 1_020_000, 1_100_000, 2_000_000] {
        let (proposal, _) = first_wave(bytes);
        let made = Made { proposal: envelope(2, &proposal).into_bytes(), is_bare: true, ..base.clone() };
        made.look(|situation| {
            let review = review(situation);
            let count = situation.proposal.all().len();
            assert!(review.signable(), "{bytes} bytes: {:#?}", review.findings.first());
            let page = review.text(100, false);
            assert_eq!(page.matches("  + gateway-").count(), count, "{bytes} bytes: each target");
            let json: serde_json::Value = serde_json::from_str(&review.printed_json()).expect("JSON");
            assert_eq!(json["added"].as_array().map(Vec::len), Some(count), "{bytes} bytes: each name");
            let page = review.html(None);
            assert!(page.len() < bytes.max(1_000_000) * 13 / 10, "{bytes} bytes: {} of HTML", page.len());
            assert!(
                (0..count).all(|i| page.contains(&format!("gateway-{i:06}-2"))),
                "{bytes} bytes: each name"
            );
        });
    }
}
