//! Cosignatures (C2SP `tlog-cosignature`, ed25519, type 0x04): a witness's statement that, at a time, this was the largest
//! head of the log that it had seen, and that it continued every one before.

use super::flaw::{Flaw, FlawKind};
use super::note::{Note, NoteSigner, VerifierKey, signature_line};
use ed25519_dalek::{Signature, Signer as _};

/// The exact bytes that a witness signs.
fn message(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

impl Note<'_> {
    /// The time at which a witness cosigned this checkpoint, in seconds since 1970; `None` when it did not. Signatures of
    /// kinds that are not known, and of other keys, are passed over; of several by this witness the latest counts.
    ///
    /// # Errors
    /// The key is none of a witness's, or a cosignature that says it is this witness's does not hold.
    pub(crate) fn cosigned(&self, witness: &VerifierKey) -> Result<Option<u64>, Flaw> {
        let wrong = || {
            Flaw::new(FlawKind::Cosignature, format!("the cosignature of {} does not hold", witness.name()))
        };
        if !witness.is_witness() {
            return Err(Flaw::new(
                FlawKind::Cosignature,
                format!("{witness} is not a witness's key (type 4)"),
            ));
        }
        let mut latest = None;
        for bytes in self.by(witness) {
            let (time, signature) = bytes.split_first_chunk::<8>().ok_or_else(wrong)?;
            let time = u64::from_be_bytes(*time);
            let signature = Signature::from_slice(signature).map_err(|_| wrong())?;
            witness.public().verify_strict(&message(self.text(), time), &signature).map_err(|_| wrong())?;
            latest = latest.max(Some(time));
        }
        Ok(latest)
    }
}

impl NoteSigner {
    /// The signature line by which this witness cosigns a note's text at a time, in seconds since 1970; `None` when this
    /// is no witness's key.
    pub fn cosign(&self, text: &str, time: u64) -> Option<String> {
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.key.sign(&message(text, time)).to_bytes());
        self.public().is_witness().then(|| signature_line(self.public(), &bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    /// The example of the specification's own text. Its keys are not given: the form, not the signatures.
    const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

    const TEXT: &str = "example.org/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn witness(seed: u8) -> NoteSigner {
        NoteSigner::witness("w.example", &[seed; 32]).expect("a signer")
    }

    #[test]
    fn the_example_of_the_specification_has_a_cosignature_of_76_bytes_with_its_time() {
        let note = Note::parse(EXAMPLE.as_bytes()).expect("a note");
        let blob = |line: &str| {
            STANDARD.decode(line.trim_end().rsplit(' ').next().expect("a blob")).expect("base64")
        };
        let theirs = blob(EXAMPLE);
        assert_eq!((theirs.len(), &theirs[4..12]), (76, 1_679_315_147u64.to_be_bytes().as_slice()));
        let ours = blob(&witness(9).cosign(note.text(), 1_679_315_147).expect("a witness"));
        assert_eq!((ours.len(), &ours[4..12]), (theirs.len(), &theirs[4..12]));
    }

    /// What `tests/go/cosign`, with golang.org/x/mod/sumdb/note, made of the log's note with the seed of 32 times 9.
    const GO_KEY: &str = "w.example+e1c3420e+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY";
    const GO_NOTE: &str = "example.org/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.org/log XizvAHYNho23dg3UtU1nK3jduwBPOf2PMSeiAVLKGimh+niO697B0YcJ6nl/e8ym6F6wiFNfUVw3ttXlIaxTQkg/Awo=\n\
        \u{2014} w.example 4cNCDgAAAABkGFDLpZNxCT4jIAcpUYVDojVY/dSfBAvsK1xfvwFWIt+k/9/DdcUpZgr4cFpZ1hXzoJze7P0Rp7bZ4o5fMcj2P61bBA==\n";

    #[test]
    fn a_cosignature_that_go_made_is_counted_and_made_again_byte_for_byte() {
        let key = VerifierKey::parse(GO_KEY).expect("a key");
        assert_eq!(key, *witness(9).public());
        let note = Note::parse(GO_NOTE.as_bytes()).expect("a note");
        assert_eq!(note.cosigned(&key).expect("holds"), Some(1_679_315_147));
        let signer = NoteSigner::new("example.org/log", &[7; 32]).expect("a signer");
        assert_eq!(signer.sign(TEXT) + &witness(9).cosign(TEXT, 1_679_315_147).expect("a witness"), GO_NOTE);
    }

    #[test]
    fn a_cosignature_holds_for_its_time_and_text_only() {
        let signer = NoteSigner::new("example.org/log", &[7; 32]).expect("a signer");
        let line = witness(9).cosign(TEXT, 1_679_315_147).expect("a witness");
        let note = signer.sign(TEXT) + &line;
        let parsed = Note::parse(note.as_bytes()).expect("a note");
        parsed.verify(signer.public()).expect("the log's signature still holds");
        assert_eq!(parsed.cosigned(witness(9).public()).expect("holds"), Some(1_679_315_147));
        assert_eq!(parsed.cosigned(witness(8).public()).expect("another key: passed over"), None);
        let changed = note.replace("log\n1\n", "log\n2\n");
        Note::parse(changed.as_bytes())
            .expect("a note")
            .cosigned(witness(9).public())
            .expect_err("another text");
        let later = signer.sign(TEXT) + &with_time(&line, 1_679_315_148);
        Note::parse(later.as_bytes())
            .expect("a note")
            .cosigned(witness(9).public())
            .expect_err("another time");
    }

    /// The line with another time in it, and the signature as it was.
    fn with_time(line: &str, time: u64) -> String {
        let (start, blob) = line.trim_end().rsplit_once(' ').expect("a line");
        let mut bytes = STANDARD.decode(blob).expect("base64");
        bytes[4..12].copy_from_slice(&time.to_be_bytes());
        format!("{start} {}\n", STANDARD.encode(bytes))
    }

    #[test]
    fn any_flipped_byte_of_a_cosignature_is_noticed() {
        let note = NoteSigner::new("example.org/log", &[7; 32]).expect("a signer").sign(TEXT)
            + &witness(9).cosign(TEXT, 5).expect("a witness");
        for at in 0..note.len() {
            let mut changed = note.clone().into_bytes();
            changed[at] ^= 1;
            let Ok(parsed) = Note::parse(&changed) else { continue };
            let held = parsed.cosigned(witness(9).public());
            // A change in the log's own line leaves the cosignature as it was: it does not cover that line.
            let in_the_logs_line = parsed.text() == TEXT
                && changed.ends_with(
                    note.lines().last().map(|line| format!("{line}\n")).unwrap_or_default().as_bytes(),
                );
            assert!(in_the_logs_line || !matches!(held, Ok(Some(_))), "byte {at}");
        }
    }

    #[test]
    fn a_key_for_notes_is_no_witness_and_the_same_key_has_another_id_as_one() {
        let (log, witness) = (
            NoteSigner::new("n", &[3; 32]).expect("a key"),
            NoteSigner::witness("n", &[3; 32]).expect("a key"),
        );
        assert_ne!(log.public().to_string(), witness.public().to_string());
        assert_eq!(log.public().public(), witness.public().public());
        assert_eq!(log.cosign(TEXT, 5), None);
        let note = log.sign(TEXT);
        let parsed = Note::parse(note.as_bytes()).expect("a note");
        parsed.cosigned(log.public()).expect_err("a key for notes");
        assert_eq!(parsed.cosigned(witness.public()).expect("another id: passed over"), None);
        let again = NoteSigner::from_secret_text(&witness.secret_text()).expect("read back");
        assert_eq!(again.public(), witness.public());
        assert_eq!(VerifierKey::parse(&witness.public().to_string()).expect("read back"), *witness.public());
    }

    #[test]
    fn signatures_of_kinds_that_are_not_known_are_passed_over() {
        let line = witness(9).cosign(TEXT, 5).expect("a witness");
        let ml_dsa = STANDARD.encode(vec![6; 4 + 8 + 2420]);
        let note = NoteSigner::new("example.org/log", &[7; 32]).expect("a signer").sign(TEXT)
            + &format!("\u{2014} w.example {ml_dsa}\n")
            + &line;
        let parsed = Note::parse(note.as_bytes()).expect("a note");
        assert_eq!(parsed.cosigned(witness(9).public()).expect("holds"), Some(5));
    }
}
