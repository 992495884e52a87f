//! A signature slip: one signature as text that a camera reads off a screen or a sheet, for sites whose rules let nothing
//! writable leave the room.
//!
//! A slip is no secret. It names the request and the exact bytes, so it fits one request only; who assembles a bundle
//! from it verifies the signature over those bytes. Its text is one part or more, each a line of the characters that a QR
//! code holds best: `CS1:1/2:` + eight hex digits that all parts share + `:` + base32 (RFC 4648, without padding). Put
//! together and decoded, with integers in big-endian order:
//!
//! | bytes | what |
//! |---|---|
//! | 32 | the request digest |
//! | 32 | SHA-256 of the signed bytes |
//! | 32 | the key id |
//! | 2, n | the signature's length, and the signature |
//! | 1, n | the length of the log's origin, and the origin |
//! | 8 | the size of the log's head |
//! | 32 | its root |
//! | 4, 64 | the log key's id and its signature over the head (C2SP `signed-note`, type 0x01) |
//!
//! The eight hex digits are the first four bytes of the SHA-256 of all of it.

use crate::text::shown;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::Note;
use crate::tuf::{Digest, KeyId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::BASE32_NOPAD;
use std::collections::BTreeMap;

/// What every part begins with; the digit is the format's version.
pub(crate) const MARK: &str = "CS1:";
/// The file with the text of a slip that was written to a folder.
pub(crate) const FILE: &str = "slip.txt";
/// Characters of base32 in a part: more are read by fewer cameras, and need more rows than a console has.
const PART: usize = 630;
/// The most parts that are read: one RSA-4096 signature has two.
const MOST_PARTS: usize = 8;
/// The longest text that is read, in bytes.
pub(crate) const LONGEST_SLIP: usize = 16 << 10;

/// One signature, and the head of the log that it stands in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slip {
    /// The request that was signed.
    pub request: Digest,
    /// SHA-256 of the signed bytes.
    pub signed: Digest,
    /// The key's id.
    pub keyid: KeyId,
    /// The signature.
    pub signature: Vec<u8>,
    /// The head of the station's log, a signed note with the log's own signature alone.
    pub head: String,
}

/// Why a text is no slip, or a signature cannot be one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlipError {
    /// It has another form.
    #[error("this is not a whole signature slip: {0}. Scan every code of it again, or export it again")]
    Form(String),
    /// A slip has no place for it.
    #[error("a slip cannot carry this: {0}. Export the bundle to a folder instead")]
    Unfit(&'static str),
}

fn form(why: impl Into<String>) -> SlipError {
    SlipError::Form(why.into())
}

impl Slip {
    /// The parts, each the text of one QR code.
    ///
    /// # Errors
    /// The key's id is not a SHA-256, or the head is not a note with one signature of a log.
    pub fn parts(&self) -> Result<Vec<String>, SlipError> {
        let bytes = self.bytes()?;
        let mark = check(&bytes);
        let text = BASE32_NOPAD.encode(&bytes);
        let size = text.len().div_ceil(text.len().div_ceil(PART));
        let chunks: Vec<&str> =
            (0..text.len()).step_by(size).filter_map(|at| text.get(at..text.len().min(at + size))).collect();
        let of = chunks.len();
        Ok(chunks
            .iter()
            .enumerate()
            .map(|(at, chunk)| format!("{MARK}{}/{of}:{mark}:{chunk}", at + 1))
            .collect())
    }

    fn bytes(&self) -> Result<Vec<u8>, SlipError> {
        let keyid =
            Digest::parse(self.keyid.as_str()).ok_or(SlipError::Unfit("a key id that is not a SHA-256"))?;
        let length =
            u16::try_from(self.signature.len()).map_err(|_| SlipError::Unfit("a signature that long"))?;
        let head =
            Checkpoint::parse_text(head_text(&self.head)?).map_err(|_| SlipError::Unfit("such a head"))?;
        let origin = u8::try_from(head.origin.len()).map_err(|_| SlipError::Unfit("an origin that long"))?;
        let mut bytes = [self.request.0, self.signed.0, keyid.0].concat();
        bytes.extend(length.to_be_bytes());
        bytes.extend(&self.signature);
        bytes.push(origin);
        bytes.extend(head.origin.as_bytes());
        bytes.extend(head.size.to_be_bytes());
        bytes.extend(head.root);
        bytes.extend(head_signature(&self.head, &head.origin)?);
        Ok(bytes)
    }

    /// Reads a slip: its parts in any order, each as often as it was scanned, with any white space.
    ///
    /// # Errors
    /// A part is missing, two slips are mixed, or a character was changed.
    pub fn parse(text: &str) -> Result<Slip, SlipError> {
        if text.len() > LONGEST_SLIP {
            return Err(form(format!("it has more than {LONGEST_SLIP} bytes")));
        }
        let compact: String = text.split_whitespace().collect();
        let mut parts: BTreeMap<usize, &str> = BTreeMap::new();
        let mut named: Option<(usize, &str)> = None;
        // What stands before the first mark is what the scanner says of itself.
        for piece in compact.split(MARK).skip(1) {
            let piece = piece.strip_suffix("QR-Code:").unwrap_or(piece);
            let mut fields = piece.splitn(3, ':');
            let (Some(count), Some(mark), Some(chunk)) = (fields.next(), fields.next(), fields.next()) else {
                return Err(form("a part is cut off"));
            };
            let number = |text: &str| text.parse().ok().filter(|n| (1..=MOST_PARTS).contains(n));
            let (Some(at), Some(of)) =
                count.split_once('/').map_or((None, None), |(at, of)| (number(at), number(of)))
            else {
                return Err(form(format!("a part says that it is \"{}\"", shown(count))));
            };
            if at > of || named.is_some_and(|known| known != (of, mark)) {
                return Err(form("parts of two slips are mixed"));
            }
            named = Some((of, mark));
            if parts.insert(at, chunk).is_some_and(|known| known != chunk) {
                return Err(form(format!("part {at} was read in two ways")));
            }
        }
        let (of, mark) = named.ok_or_else(|| form(format!("nothing in it begins with {MARK}")))?;
        if let Some(missing) = (1..=of).find(|at| !parts.contains_key(at)) {
            return Err(form(format!("part {missing} of {of} is missing")));
        }
        let joined: String = parts.into_values().collect();
        let bytes =
            BASE32_NOPAD.decode(joined.as_bytes()).map_err(|_| form("a character was lost or changed"))?;
        if check(&bytes) != mark {
            return Err(form("a character was changed"));
        }
        Slip::read(&bytes)
    }

    fn read(bytes: &[u8]) -> Result<Slip, SlipError> {
        let mut rest = bytes;
        let mut take = |count: usize| {
            let (head, tail) = rest.split_at_checked(count).ok_or_else(|| form("it ends too early"))?;
            rest = tail;
            Ok::<_, SlipError>(head)
        };
        let mut digest = || Ok::<_, SlipError>(Digest(take(32)?.try_into().unwrap_or_default()));
        let (request, signed, keyid) = (digest()?, digest()?, digest()?);
        let length = u16::from_be_bytes(take(2)?.try_into().unwrap_or_default());
        let signature = take(usize::from(length))?.to_vec();
        let length = take(1)?.first().copied().unwrap_or_default();
        let origin =
            std::str::from_utf8(take(usize::from(length))?).map_err(|_| form("its origin is not text"))?;
        let origin = origin.to_owned();
        let size = u64::from_be_bytes(take(8)?.try_into().unwrap_or_default());
        let root = take(32)?.try_into().unwrap_or_default();
        let line = STANDARD.encode(take(68)?);
        if !rest.is_empty() {
            return Err(form("there is more than a slip holds"));
        }
        let text = Checkpoint { origin: origin.clone(), size, root }.text();
        let head = format!("{text}\n\u{2014} {origin} {line}\n");
        // What was put together must be what a reader of notes takes apart.
        head_text(&head)
            .and_then(|text| Checkpoint::parse_text(text).map_err(|_| form("its head has another form")))?;
        Ok(Slip { request, signed, keyid: KeyId::from_digest(keyid), signature, head })
    }
}

/// The eight digits that the parts of one slip share.
fn check(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string().get(..8).unwrap_or_default().to_ascii_uppercase()
}

fn head_text(note: &str) -> Result<&str, SlipError> {
    Note::parse(note.as_bytes()).map(|note| note.text()).map_err(|_| form("its head has another form"))
}

/// Key id and signature of the log's own line, 68 bytes.
fn head_signature(note: &str, origin: &str) -> Result<[u8; 68], SlipError> {
    let prefix = format!("\u{2014} {origin} ");
    let lines = note.rsplit_once("\n\n").map_or("", |(_, lines)| lines).lines();
    lines
        .filter_map(|line| line.strip_prefix(&prefix))
        .find_map(|line| STANDARD.decode(line).ok()?.try_into().ok())
        .ok_or(SlipError::Unfit("a head without the log's own signature"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::note::NoteSigner;
    use proptest::prelude::*;

    fn slip(signature: usize) -> Slip {
        let signer = NoteSigner::new("countersign/acme/1f2e3d4c", &[7; 32]).expect("a signer");
        let head = Checkpoint { origin: "countersign/acme/1f2e3d4c".to_owned(), size: 1234, root: [9; 32] }
            .sign(&signer);
        Slip {
            request: Digest([1; 32]),
            signed: Digest([2; 32]),
            keyid: KeyId::from_digest(Digest([3; 32])),
            signature: (0..signature).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect(),
            head,
        }
    }

    #[test]
    fn an_ed25519_slip_is_one_code_and_an_rsa_slip_two_of_characters_that_a_code_holds_best() {
        for (length, codes) in [(64, 1), (512, 2)] {
            let parts = slip(length).parts().expect("parts");
            assert_eq!(parts.len(), codes);
            for part in &parts {
                let is_best =
                    |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || " $%*+-./:".contains(c);
                assert!(part.chars().all(is_best), "{part}");
                assert!(part.len() < 650, "{}", part.len());
            }
            let mut scanned = parts.clone();
            scanned.reverse();
            scanned.extend(parts);
            assert_eq!(Slip::parse(&scanned.join("\n")).expect("read"), slip(length), "in any order, twice");
        }
    }

    #[test]
    fn white_space_and_what_a_scanner_says_of_itself_do_not_matter() {
        let text = slip(64).parts().expect("parts").join("");
        let wrapped: Vec<&str> =
            (0..text.len()).step_by(40).map(|at| &text[at..text.len().min(at + 40)]).collect();
        assert_eq!(Slip::parse(&wrapped.join("\r\n   ")).expect("read"), slip(64));
        let parts = slip(512).parts().expect("parts");
        let zbar = format!("QR-Code:{}\nQR-Code:{}\n", parts[0], parts[1]);
        assert_eq!(Slip::parse(&zbar).expect("read"), slip(512));
    }

    #[test]
    fn a_part_that_is_missing_changed_or_of_another_slip_is_said() {
        let parts = slip(512).parts().expect("parts");
        let said = |text: &str| Slip::parse(text).expect_err("not whole").to_string();
        assert!(said(&parts[0]).contains("part 2 of 2 is missing"));
        assert!(said("").contains("nothing in it begins with CS1:"));
        assert!(said("CS1:1/1").contains("cut off"));
        assert!(said("CS1:1/99:00000000:AA").contains("1/99"));
        let other = Slip { signed: Digest([8; 32]), ..slip(512) }.parts().expect("parts");
        assert!(said(&format!("{}\n{}", parts[0], other[1])).contains("two slips"));
        let changed = parts[1].replacen('A', "B", 1);
        assert!(said(&format!("{}\n{changed}", parts[0])).contains("changed"));
        assert!(said(&"CS1:".repeat(5_000)).contains("more than"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic_and_no_changed_character_is_taken(text in "\\PC{0,200}", at in 4usize..500) {
            let _ = Slip::parse(&text);
            let whole = slip(64).parts().expect("parts").join("");
            let at = at % whole.len();
            let mut changed = whole.clone().into_bytes();
            changed[at] = if changed[at] == b'7' { b'6' } else { b'7' };
            let changed = String::from_utf8(changed).expect("ASCII");
            prop_assert!(changed == whole || Slip::parse(&changed).is_err(), "{}", changed);
        }
    }
}
