//! The receipt for one entry (C2SP `tlog-proof`): its index, its inclusion proof and the checkpoint, in one small text.

use super::checkpoint::{Checkpoint, parse_decimal, parse_hash};
use super::flaw::{Flaw, FlawKind};
use super::note::{LARGEST_NOTE, Note, VerifierKey};
use super::tree::{Hash, includes, leaf_hash};
use crate::text::shown;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// The most bytes of a proof that are read: 64 hashes, an entry as extra data, and a note.
pub(crate) const LARGEST_PROOF: usize = LARGEST_NOTE + (128 << 10);

/// A proof that an entry is in a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The entry's line, carried along so that the receipt says what it is a receipt for; believed only once the
    /// proof holds for it.
    pub line: Option<Vec<u8>>,
    /// The entry's number.
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, as issued.
    pub checkpoint: String,
}

impl Proof {
    /// The proof's text.
    pub fn text(&self) -> String {
        let mut out = format!("{HEADER}\n");
        if let Some(line) = &self.line {
            out.push_str(&format!("extra {}\n", STANDARD.encode(line)));
        }
        out.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            out.push_str(&STANDARD.encode(hash));
            out.push('\n');
        }
        out.push('\n');
        out.push_str(&self.checkpoint);
        out
    }

    /// Does the text begin as a proof does? What does not is no damaged proof, but something else.
    pub(crate) fn is_one(text: &[u8]) -> bool {
        text.starts_with(HEADER.as_bytes())
    }

    /// Reads a proof's text.
    ///
    /// # Errors
    /// Another form than the specification's.
    pub fn parse(text: &[u8]) -> Result<Proof, Flaw> {
        let wrong = |why: &str| Flaw::new(FlawKind::Proof, why);
        if text.len() > LARGEST_PROOF {
            return Err(wrong("the proof is too large"));
        }
        let text = crate::text::utf8(text).map_err(wrong)?;
        if text.contains('\r') {
            return Err(wrong(
                "the proof's lines end in carriage returns: a program changed them on the way",
            ));
        }
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| wrong("the proof has no checkpoint after an empty line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(wrong("the proof does not begin with c2sp.org/tlog-proof@v1"));
        }
        let line = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            None => None,
            Some(extra) => {
                lines.next();
                Some(STANDARD.decode(extra).map_err(|_| wrong("the proof's extra data is not base64"))?)
            }
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(parse_decimal)
            .ok_or_else(|| wrong("the proof has no index"))?;
        let hashes = lines.map(parse_hash).collect::<Option<Vec<_>>>().filter(|hashes| hashes.len() <= 64);
        let hashes = hashes.ok_or_else(|| wrong("a line of the proof is not a SHA-256 in base64"))?;
        Ok(Proof { line, index, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that a line is in the log whose key this is. Returns the checkpoint that says so.
    ///
    /// # Errors
    /// [`FlawKind::Key`] when the checkpoint is by another key; else the checkpoint is not that log's, or the proof does
    /// not lead from the line to its root.
    pub(crate) fn verify(&self, line: &[u8], key: &VerifierKey) -> Result<Checkpoint, Flaw> {
        let note = Note::parse(self.checkpoint.as_bytes())?;
        if !note.names(key) {
            // The first line of the text is the name of the log that it says it is of.
            let log = shown(note.text().lines().next().unwrap_or_default());
            let key = shown(&key.to_string());
            let why =
                format!("it is by another key than {key}; its checkpoint says that it is of the log {log}");
            return Err(Flaw::new(FlawKind::Key, why));
        }
        let checkpoint = Checkpoint::verify(self.checkpoint.as_bytes(), key)?;
        if !includes(&leaf_hash(line), self.index, checkpoint.size, &self.hashes, &checkpoint.root) {
            let flaw =
                Flaw::new(FlawKind::Proof, "the proof does not lead from this line to the checkpoint's root");
            return Err(flaw.at(self.index));
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::note::NoteSigner;
    use super::super::tree::{Nodes, Tree};
    use super::*;

    fn receipt() -> (Proof, NoteSigner) {
        let signer = NoteSigner::new("here", &[1; 32]).expect("a signer");
        let leaves: Vec<_> = (0u8..11).map(|n| leaf_hash(&[n])).collect();
        let head = Checkpoint { origin: "here".to_owned(), size: 11, root: Tree::of(&leaves).root() };
        let hashes = Nodes::of(leaves).inclusion(5, 11).expect("a leaf");
        (Proof { line: Some(vec![5]), index: 5, hashes, checkpoint: head.sign(&signer) }, signer)
    }

    /// The example of the specification's own text, whose signature lines it shortens: the form, not the signatures.
    const EXAMPLE: &str = "c2sp.org/tlog-proof@v1\n\
        extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ\n\
        index 73894\n\
        gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\
        B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n\
        EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n\
        RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n\
        AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\
        \n\
        example.com/fancylog\n\
        109482\n\
        sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n";

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let proof = Proof::parse(EXAMPLE.as_bytes()).expect("a proof");
        assert_eq!((proof.index, proof.hashes.len()), (73_894, 5));
        assert_eq!(Checkpoint::parse_text(&proof.checkpoint).expect("a checkpoint").size, 109_482);
        assert_eq!(proof.text(), EXAMPLE);
    }

    #[test]
    fn a_receipt_proves_its_line_and_no_other() {
        let (proof, signer) = receipt();
        let again = Proof::parse(proof.text().as_bytes()).expect("read back");
        assert_eq!(again, proof);
        again.verify(&[5], signer.public()).expect("holds");
        again.verify(&[6], signer.public()).expect_err("another line");
        let moved = Proof { index: 4, ..again };
        moved.verify(&[5], signer.public()).expect_err("another place");
    }

    #[test]
    fn a_receipt_by_another_key_is_told_from_a_changed_one() {
        let (proof, _) = receipt();
        let other = NoteSigner::new("there", &[2; 32]).expect("a signer");
        let flaw = proof.verify(&[5], other.public()).expect_err("another key");
        assert_eq!(flaw.kind, FlawKind::Key);
        assert!(flaw.detail.ends_with("of the log here"), "{flaw}");
        // The same name and key id, and not this key's signature.
        let (mut changed, signer) = receipt();
        changed.checkpoint = changed.checkpoint.replacen("11", "12", 1);
        let flaw = changed.verify(&[5], signer.public()).expect_err("changed");
        assert_eq!(flaw.kind, FlawKind::CheckpointSignature);
    }

    #[test]
    fn what_is_no_receipt_is_told_from_a_damaged_one() {
        let text = receipt().0.text();
        assert!(Proof::is_one(text.as_bytes()) && !Proof::is_one(receipt().0.checkpoint.as_bytes()));
        let sent = text.replace('\n', "\r\n");
        assert!(Proof::is_one(sent.as_bytes()));
        let flaw = Proof::parse(sent.as_bytes()).expect_err("changed on the way");
        assert!(flaw.detail.contains("carriage returns"), "{flaw}");
    }

    #[test]
    fn any_changed_byte_of_a_receipt_is_noticed() {
        let (proof, signer) = receipt();
        let text = proof.text().into_bytes();
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            let Ok(read) = Proof::parse(&changed) else { continue };
            // The extra data is the one part that the format does not authenticate: the line in it must be proven.
            let held = read.line.as_deref().is_some_and(|line| read.verify(line, signer.public()).is_ok());
            assert!(!held, "byte {at}");
        }
    }
}
