//! The log's head (C2SP `tlog-checkpoint`): origin, size and root in a signed note.

use super::flaw::{Flaw, FlawKind};
use super::note::{Note, NoteSigner, VerifierKey};
use super::tree::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A tree head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The signed note.
    pub fn sign(&self, signer: &NoteSigner) -> String {
        signer.sign(&self.text())
    }

    /// Reads the text of a note. Extension lines are allowed and mean nothing here.
    ///
    /// # Errors
    /// Another form than the specification's.
    pub fn parse_text(text: &str) -> Result<Checkpoint, Flaw> {
        let wrong = |why: &str| Flaw::new(FlawKind::CheckpointForm, why);
        let body = text.strip_suffix('\n').ok_or_else(|| wrong("the checkpoint's last line is cut off"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(wrong("the checkpoint has fewer than three lines"));
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(wrong("the checkpoint has an empty line"));
        }
        let size = parse_decimal(size).ok_or_else(|| wrong("the checkpoint's size is not a whole number"))?;
        let root =
            parse_hash(root).ok_or_else(|| wrong("the checkpoint's root is not a SHA-256 in base64"))?;
        Ok(Checkpoint { origin: origin.to_owned(), size, root })
    }

    /// Reads a signed note and checks that this log's key signed it for this log.
    ///
    /// # Errors
    /// Another form, another key, a signature that does not hold, or another log's origin.
    pub fn verify(note: &[u8], key: &VerifierKey) -> Result<Checkpoint, Flaw> {
        let note = Note::parse(note)?;
        note.verify(key)?;
        let checkpoint = Checkpoint::parse_text(note.text())?;
        if checkpoint.origin != key.name() {
            return Err(Flaw::new(FlawKind::CheckpointForm, "the checkpoint is another log's"));
        }
        Ok(checkpoint)
    }
}

/// A number without sign and leading zeroes.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

/// A SHA-256 in base64.
pub(super) fn parse_hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the specification's own text: the form, not the signature, whose key it does not give.
    const EXAMPLE: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let checkpoint = Checkpoint::parse_text(EXAMPLE).expect("a checkpoint");
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.text(), EXAMPLE);
        assert_eq!(Checkpoint::parse_text(&format!("{EXAMPLE}extension\n")).expect("allowed"), checkpoint);
    }

    #[test]
    fn a_checkpoint_in_another_form_is_refused() {
        let odd = [
            EXAMPLE.replace("20852163", "020852163"),
            EXAMPLE.replace("20852163", "+20852163"),
            EXAMPLE.replace("20852163", "18446744073709551616"),
            EXAMPLE.replace("CsUY", "Cs!Y"),
            EXAMPLE.replace("CsUY", ""),
            EXAMPLE.replace("example.com/behind-the-sofa", ""),
            format!("{EXAMPLE}\n"),
            EXAMPLE.trim_end().to_owned(),
        ];
        for text in odd {
            Checkpoint::parse_text(&text).expect_err(&text);
        }
    }

    #[test]
    fn a_checkpoint_of_another_log_or_key_is_refused() {
        let signer = NoteSigner::new("here", &[1; 32]).expect("a signer");
        let checkpoint = Checkpoint { origin: "here".to_owned(), size: 3, root: [5; 32] };
        let note = checkpoint.sign(&signer);
        assert_eq!(Checkpoint::verify(note.as_bytes(), signer.public()).expect("holds"), checkpoint);
        let elsewhere = Checkpoint { origin: "there".to_owned(), ..checkpoint };
        let refused = Checkpoint::verify(elsewhere.sign(&signer).as_bytes(), signer.public());
        assert_eq!(refused.expect_err("another log").kind, FlawKind::CheckpointForm);
        let other = NoteSigner::new("here", &[2; 32]).expect("a signer");
        let refused = Checkpoint::verify(note.as_bytes(), other.public()).expect_err("another key");
        assert_eq!(refused.kind, FlawKind::CheckpointSignature);
    }
}
