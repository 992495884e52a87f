//! The kept corpus of the fuzz targets, read by the same readers in an ordinary test: what once went wrong stays right.
//! Each file is also tried cut short, with a byte changed, and doubled.

#[path = "../../fuzz/readers.rs"]
mod readers;

use std::path::Path;

#[test]
fn every_reader_takes_or_refuses_its_kept_corpus_and_neighbours_of_it() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, read) in readers::ALL {
        let files = std::fs::read_dir(corpus.join(name)).expect("a corpus");
        let mut count = 0;
        for file in files {
            let bytes = std::fs::read(file.expect("a file").path()).expect("read");
            read(&bytes);
            read(&[&bytes[..], &bytes[..]].concat());
            let step = bytes.len() / 64 + 1;
            for at in (0..bytes.len()).step_by(step) {
                read(&bytes[..at]);
                for flip in [1, 0x20, 0x80] {
                    let mut changed = bytes.clone();
                    changed[at] ^= flip;
                    read(&changed);
                }
            }
            count += 1;
        }
        assert!(count > 0, "{name} has no corpus");
    }
}

#[test]
fn every_reader_has_a_fuzz_target_and_every_corpus_a_reader() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("read");
    for (name, _) in readers::ALL {
        assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name}");
    }
    for folder in std::fs::read_dir(fuzz.join("corpus")).expect("listed") {
        let name = folder.expect("an entry").file_name();
        // The connected side's is read by the tests of the connected side.
        let is_read = readers::ALL.iter().any(|(known, _)| *known == name) || name == "answer";
        assert!(is_read, "{}", name.display());
    }
}

#[test]
fn the_packs_of_the_corpus_are_whole_as_they_stand() {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/pack");
    for seed in ["first_release", "signing"] {
        let bytes = std::fs::read(packs.join(seed)).expect("read");
        assert_eq!(readers::outcome(&bytes), Some(countersign::testing::audit::Outcome::Whole), "{seed}");
    }
}
