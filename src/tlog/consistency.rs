//! A proof that a log continues an earlier head of itself (RFC 6962, section 2.1.2), as a small file: one base64 hash a
//! line. With a signed head it is the body of C2SP `tlog-witness` `add-checkpoint`.

use super::checkpoint::parse_hash;
use super::flaw::{Flaw, FlawKind};
use super::tree::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The most hashes of a proof.
pub const MOST_HASHES: usize = 63;
/// The most bytes of a proof's file.
pub const LARGEST_CONSISTENCY: usize = MOST_HASHES * 45;

/// The proof's text; nothing for a proof from an empty log or to the same size.
pub fn text(hashes: &[Hash]) -> String {
    hashes.iter().map(|hash| STANDARD.encode(hash) + "\n").collect()
}

/// Reads a proof's text.
///
/// # Errors
/// Another form, or more than [`MOST_HASHES`].
pub fn parse(text: &[u8]) -> Result<Vec<Hash>, Flaw> {
    let wrong = |why: &str| Flaw::new(FlawKind::Proof, why);
    if text.len() > LARGEST_CONSISTENCY {
        return Err(wrong("the consistency proof is too large"));
    }
    let text = crate::text::utf8(text).map_err(wrong)?;
    let Some(lines) = text.strip_suffix('\n') else {
        return match text {
            "" => Ok(Vec::new()),
            _ => Err(wrong("the consistency proof's last line is cut off")),
        };
    };
    let hashes: Option<Vec<Hash>> = lines.split('\n').map(parse_hash).collect();
    hashes.ok_or_else(|| wrong("a line of the consistency proof is not a SHA-256 in base64"))
}

/// The body of `add-checkpoint`: the size that the witness has, the proof from there, and the signed head.
pub fn add_checkpoint(old: u64, hashes: &[Hash], note: &str) -> String {
    format!("old {old}\n{}\n{note}", text(hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_read_as_it_was_written() {
        for count in [0, 1, 7, MOST_HASHES] {
            let hashes: Vec<Hash> = (0..count).map(|n| [n as u8; 32]).collect();
            assert_eq!(parse(text(&hashes).as_bytes()).expect("a proof"), hashes);
        }
    }

    #[test]
    fn a_proof_in_another_form_is_refused() {
        let good = text(&[[1; 32], [2; 32]]);
        let odd = [
            good.trim_end().to_owned(),
            format!("{good}\n"),
            format!("\n{good}"),
            good.replace('\n', "\r\n"),
            good.replacen('A', "!", 1),
            "\n".to_owned(),
            text(&[[1; 32]; MOST_HASHES + 1]),
        ];
        for text in odd {
            parse(text.as_bytes()).expect_err(&text);
        }
        parse(b"\xff\n").expect_err("not text");
    }

    #[test]
    fn the_body_for_a_witness_is_that_of_the_specification() {
        let body = add_checkpoint(20, &[[0; 32]], "o\n21\nx\n\n\u{2014} o AAAA\n");
        let zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert_eq!(body, format!("old 20\n{zero}\n\no\n21\nx\n\n\u{2014} o AAAA\n"));
        assert_eq!(add_checkpoint(0, &[], "n"), "old 0\n\nn");
    }
}
