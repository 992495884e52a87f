//! What must hold of each reader of foreign bytes, whatever the bytes: it accepts or refuses without a panic, what it
//! refuses is told in printable ASCII, and what it accepts is written and read again as the same. The fuzz targets run
//! these, and so does an ordinary test, on the kept corpus (`tests/suite/fuzz_corpus.rs`).

mod archive;

use countersign::testing::audit::verdict::{Compare, verify};
use countersign::testing::audit::{Options, Outcome, Pack};
use countersign::testing::bundle::evidence::WaveList;
use countersign::testing::bundle::manifest::RequestManifest;
use countersign::testing::bundle::slip::Slip;
use countersign::testing::json::{Document, Limits};
use countersign::testing::ledger::entry::Entry;
use countersign::testing::text::shown;
use countersign::testing::tlog::checkpoint::Checkpoint;
use countersign::testing::tlog::consistency;
use countersign::testing::tlog::note::{Note, VerifierKey};
use countersign::testing::tlog::proof::Proof;
use countersign::testing::vault::paper::Scans;
use countersign::testing::vault::share::Share;

/// A reader, and the folder of its corpus.
pub type Reader = (&'static str, fn(&[u8]));

/// All of them; those of the connected side where it is built.
pub const ALL: &[Reader] = &[
    #[cfg(feature = "courier")]
    ("answer", answer),
    ("entry", entry),
    ("manifest", manifest),
    ("note", note),
    ("pack", pack),
    ("paper", paper),
    ("share", share),
    ("slip", slip),
    ("waves", waves),
];

fn is_told_plainly(refusal: &dyn std::fmt::Display) {
    let told = refusal.to_string();
    // The ellipsis is this product's own.
    assert!(told.chars().all(|c| matches!(c, ' '..='~' | '\n' | '…')), "{told:?}");
}

/// A signed note, the checkpoint in it, a log's key, a proof, a consistency proof: the files of a pack and of a witness.
pub fn note(bytes: &[u8]) {
    match Note::parse(bytes) {
        Ok(note) => {
            if let Ok(checkpoint) = Checkpoint::parse_text(note.text()) {
                let again = Checkpoint::parse_text(&checkpoint.text()).expect("what was written reads");
                assert_eq!(
                    (again.origin, again.size, again.root),
                    (checkpoint.origin, checkpoint.size, checkpoint.root)
                );
            }
        }
        Err(refusal) => is_told_plainly(&shown(&refusal.to_string())),
    }
    if let Ok(proof) = Proof::parse(bytes) {
        let text = proof.text();
        assert_eq!(Proof::parse(text.as_bytes()).expect("what was written reads").text(), text);
    }
    let _ = consistency::parse(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = VerifierKey::parse(text);
    }
}

/// One line of a log, from anybody's pack.
pub fn entry(bytes: &[u8]) {
    if let Ok(entry) = Entry::read(bytes) {
        assert_eq!(entry.line(), bytes);
        is_told_plainly(&shown(&entry.actor()));
        is_told_plainly(&entry.kind());
    }
}

/// An officer's share of a key.
pub fn share(bytes: &[u8]) {
    match Share::parse(bytes) {
        // A line feed at the end of the first line may have come as CR LF; what is written has one form.
        Ok(share) => {
            let text = share.to_text();
            let again = Share::parse(&text).expect("what was written reads");
            assert_eq!(*again.to_text(), *text);
        }
        Err(refusal) => is_told_plainly(&refusal),
    }
}

/// Scanned sheets of a paper backup.
pub fn paper(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut scans = Scans::default();
    match scans.add("scan", text).and_then(|()| scans.documents()) {
        Ok(documents) => {
            let parts: Vec<String> = documents
                .iter()
                .flat_map(|document| document.parts().expect("what was read is written"))
                .collect();
            let mut again = Scans::default();
            again.add("again", &parts.join("\n")).expect("what was written reads");
            assert_eq!(again.documents().expect("whole").len(), documents.len());
        }
        Err(refusal) => is_told_plainly(&refusal),
    }
}

/// A signature that came as QR codes.
pub fn slip(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Slip::parse(text) {
        Ok(slip) => {
            let parts = slip.parts().expect("what was read is written").join("\n");
            assert_eq!(Slip::parse(&parts).expect("what was written reads"), slip);
        }
        Err(refusal) => is_told_plainly(&refusal),
    }
}

/// The manifest of a request.
pub fn manifest(bytes: &[u8]) {
    match RequestManifest::parse("request.json", bytes) {
        Ok(manifest) => {
            let written = manifest.to_bytes();
            let again = RequestManifest::parse("again", &written).expect("what was written reads");
            assert_eq!(again.to_bytes(), written);
        }
        Err(refusal) => is_told_plainly(&refusal),
    }
}

/// The list of waves, as the service answers it.
pub fn waves(bytes: &[u8]) {
    if let Ok(document) = Document::parse("waves.json", bytes, Limits::DEFAULT) {
        let _ = WaveList::read(document.root());
    }
}

/// A whole pack, as `archive.rs` has it: nothing is ever written into it, and no flaw is passed over.
pub fn pack(bytes: &[u8]) {
    outcome(bytes);
}

/// What a pack's verification comes to; `None` where it is none.
pub fn outcome(bytes: &[u8]) -> Option<Outcome> {
    let archive = archive::Archive::read(bytes);
    let verified = Pack::open(&archive, std::path::Path::new("/"), None)
        .and_then(|pack| verify(&pack, Options::default(), Compare::default(), &mut |_, _| Ok(())));
    match verified {
        Ok(verdict) => {
            verdict.reasons.iter().for_each(|reason| is_told_plainly(reason));
            verdict.examination.flaws.iter().for_each(|flaw| is_told_plainly(flaw));
            assert!(verdict.outcome != Outcome::Whole || verdict.first_flaw().is_none());
            Some(verdict.outcome)
        }
        Err(refusal) => {
            is_told_plainly(&refusal);
            None
        }
    }
}

/// An answer of the service, read as each of the forms that its answers have.
#[cfg(feature = "courier")]
pub fn answer(bytes: &[u8]) {
    use countersign::testing::courier::{error_message, read_again};

    is_told_plainly(&error_message(bytes));
    // What has a member twice or is no JSON is refused before it is read as anything.
    if Document::parse("the answer", bytes, Limits::DEFAULT).is_err() {
        return;
    }
    for read in read_again(bytes) {
        match read {
            Ok(written) => assert!(read_again(&written).contains(&Ok(written))),
            Err(refusal) => is_told_plainly(&refusal),
        }
    }
}
