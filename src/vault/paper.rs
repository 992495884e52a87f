//! What a paper backup carries: files of the station as lines of text, in parts that each fit a QR code.
//!
//! A part is a header line and some of the document's lines:
//!
//! ```text
//! countersign-paper/1 keys/KEYID/sealed.age text 1/2 0011223344556677
//! -----BEGIN AGE ENCRYPTED FILE-----
//! …
//! ```
//!
//! The header names the file, how its lines are to be read (`text`: as they stand, `base64`: RFC 4648), the part's
//! number, and the first 16 digits of the file's SHA-256. Without the header lines, an age file's parts one after
//! another are the age file, so that stock tools do without this program. Parts may be scanned in any order.

use crate::text::shown;
use crate::vault::error::{CustodyError, CustodyResult};
use crate::vault::officer::OfficerName;
use crate::vault::sealed::{self, SEALED, SHARES};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

const MAGIC: &str = "countersign-paper/1";
/// The most bytes of one part: a QR code of version 25 at error correction level Q holds 715.
pub(crate) const PART_CAP: usize = 700;
const LINE: usize = 64;
/// An RSA-4096 key sealed to 16 officers has fewer than 20 parts.
const PARTS_CAP: usize = 64;
/// Lines longer than any of ours.
const LINE_CAP: usize = 400;

/// Which file of a station a document is. Nothing else can be named, so a scanned name is never used as a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Paper {
    /// `keys/KEYID/public.json`
    Record(String),
    /// `keys/KEYID/sealed.age`
    Sealed(String),
    /// `keys/KEYID/shares/NAME.age`
    Share(String, OfficerName),
    /// `officers/NAME.pub`
    OfficerPublic(OfficerName),
    /// `officers/NAME.age`
    OfficerIdentity(OfficerName),
}

impl fmt::Display for Paper {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Paper::Record(keyid) => write!(out, "keys/{keyid}/public.json"),
            Paper::Sealed(keyid) => write!(out, "keys/{keyid}/{SEALED}"),
            Paper::Share(keyid, officer) => write!(out, "keys/{keyid}/{SHARES}/{officer}.age"),
            Paper::OfficerPublic(officer) => write!(out, "officers/{officer}.pub"),
            Paper::OfficerIdentity(officer) => write!(out, "officers/{officer}.age"),
        }
    }
}

impl Paper {
    fn parse(text: &str) -> Option<Paper> {
        let steps: Vec<&str> = text.split('/').collect();
        let keyid = |text: &str| sealed::is_keyid(text).then(|| text.to_owned());
        match steps.as_slice() {
            ["keys", id, "public.json"] => Some(Paper::Record(keyid(id)?)),
            ["keys", id, SEALED] => Some(Paper::Sealed(keyid(id)?)),
            ["keys", id, SHARES, file] => {
                Some(Paper::Share(keyid(id)?, file.strip_suffix(".age")?.parse().ok()?))
            }
            ["officers", file] => match file.strip_suffix(".pub") {
                Some(name) => Some(Paper::OfficerPublic(name.parse().ok()?)),
                None => Some(Paper::OfficerIdentity(file.strip_suffix(".age")?.parse().ok()?)),
            },
            _ => None,
        }
    }

    /// age files are armoured text already; records are JSON with lines of any length.
    fn coding(&self) -> Coding {
        match self {
            Paper::Record(_) | Paper::OfficerPublic(_) => Coding::Base64,
            Paper::Sealed(_) | Paper::Share(..) | Paper::OfficerIdentity(_) => Coding::Text,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Text,
    Base64,
}

impl Coding {
    fn word(self) -> &'static str {
        match self {
            Coding::Text => "text",
            Coding::Base64 => "base64",
        }
    }
}

/// A file of the station that is printed, or that was scanned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Which file.
    pub paper: Paper,
    /// Its bytes: always sealed or public.
    pub bytes: Vec<u8>,
}

fn short_digest(bytes: &[u8]) -> String {
    let mut digits = hex::encode(Sha256::digest(bytes));
    digits.truncate(16);
    digits
}

impl Document {
    /// The document's parts, each the text of one QR code.
    ///
    /// # Errors
    /// An age file that is not armoured text as this product writes it.
    pub fn parts(&self) -> CustodyResult<Vec<String>> {
        let lines = match self.paper.coding() {
            Coding::Base64 => {
                let text = STANDARD.encode(&self.bytes).into_bytes();
                text.chunks(LINE).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
            }
            Coding::Text => self.text_lines().ok_or_else(|| CustodyError::Make {
                what: format!("the paper form of {}", self.paper),
                reason: "the file is not ASCII-armoured age text".to_owned(),
            })?,
        };
        let digest = short_digest(&self.bytes);
        let header = |part: usize, of: usize| {
            format!("{MAGIC} {} {} {part}/{of} {digest}", self.paper, self.paper.coding().word())
        };
        let room = PART_CAP.saturating_sub(header(PARTS_CAP, PARTS_CAP).len() + 1);
        let mut pieces: Vec<String> = vec![String::new()];
        for line in lines {
            match pieces.last_mut() {
                Some(piece) if piece.len() + line.len() < room => piece.push_str(&format!("{line}\n")),
                _ => pieces.push(format!("{line}\n")),
            }
        }
        let of = pieces.len();
        Ok(pieces.iter().enumerate().map(|(at, piece)| format!("{}\n{piece}", header(at + 1, of))).collect())
    }

    /// The file's lines, when reading them back gives the very bytes.
    fn text_lines(&self) -> Option<Vec<String>> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let plain =
            |line: &String| !line.is_empty() && line.len() <= LINE && line.trim() == line && line.is_ascii();
        (lines.iter().all(plain) && lines.join("\n") + "\n" == text).then_some(lines)
    }
}

/// The parts of one document as they come in.
struct Gathered {
    digest: String,
    of: usize,
    pieces: BTreeMap<usize, Vec<String>>,
}

/// Puts scanned parts together again.
#[derive(Default)]
pub struct Scans {
    documents: BTreeMap<Paper, Gathered>,
}

fn refused<T>(file: &str, why: impl fmt::Display) -> CustodyResult<T> {
    Err(CustodyError::Scan { file: shown(file), why: why.to_string() })
}

impl Scans {
    /// Takes the text of one scan, which may hold any parts in any order. White space around lines and empty lines do
    /// not matter, nor does the `QR-Code:` that zbarimg writes in front; anything else does.
    ///
    /// # Errors
    /// Text that belongs to no part, a header that is not one of ours, or a part that came before with other content.
    pub fn add(&mut self, file: &str, text: &str) -> CustodyResult<()> {
        let mut part: Option<(Header, Vec<String>)> = None;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            let line = line.strip_prefix("QR-Code:").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let at = number + 1;
            if line.starts_with("countersign-paper/") {
                let Some(header) = Header::parse(line) else {
                    return refused(file, format!("line {at} is not a header of {MAGIC}"));
                };
                if let Some((before, lines)) = part.replace((header, Vec::new())) {
                    self.put(file, before, lines)?;
                }
                continue;
            }
            let clean = line.len() <= LINE_CAP && line.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
            match &mut part {
                Some((_, lines)) if clean => lines.push(line.to_owned()),
                Some(_) => return refused(file, format!("line {at} holds characters that no part has")),
                None => return refused(file, format!("line {at} stands before any header \"{MAGIC} …\"")),
            }
        }
        match part {
            Some((header, lines)) => self.put(file, header, lines),
            None => refused(file, format!("it holds no part of a paper backup: no line begins with {MAGIC}")),
        }
    }

    fn put(&mut self, file: &str, header: Header, lines: Vec<String>) -> CustodyResult<()> {
        let Header { paper, part, of, digest } = header;
        let gathered = self.documents.entry(paper.clone()).or_insert_with(|| Gathered {
            digest: digest.clone(),
            of,
            pieces: BTreeMap::new(),
        });
        if gathered.digest != digest || gathered.of != of {
            return refused(
                file,
                format!("{paper} was scanned from two different backups; scan the sheets of one backup only"),
            );
        }
        if gathered.pieces.insert(part, lines.clone()).is_some_and(|before| before != lines) {
            return refused(file, format!("part {part} of {paper} came twice, and the two differ"));
        }
        Ok(())
    }

    /// The whole documents.
    ///
    /// # Errors
    /// A part is missing, or a document's digest is not that of its header.
    pub fn documents(self) -> CustodyResult<Vec<Document>> {
        self.documents.into_iter().map(|(paper, gathered)| gathered.document(paper)).collect()
    }
}

impl Gathered {
    fn document(self, paper: Paper) -> CustodyResult<Document> {
        let file = paper.to_string();
        let missing: Vec<String> = (1..=self.of)
            .filter(|part| !self.pieces.contains_key(part))
            .map(|part| format!("{part}/{}", self.of))
            .collect();
        if !missing.is_empty() {
            return refused(&file, format!("these parts were not scanned: {}", missing.join(", ")));
        }
        let lines: Vec<String> = self.pieces.into_values().flatten().collect();
        let bytes = match paper.coding() {
            Coding::Text => (lines.join("\n") + "\n").into_bytes(),
            Coding::Base64 => match STANDARD.decode(lines.concat()) {
                Ok(bytes) => bytes,
                Err(_) => return refused(&file, "its lines are not base64: a character was misread"),
            },
        };
        if short_digest(&bytes) != self.digest {
            return refused(&file, "its SHA-256 is not the one in the headers: a character was misread");
        }
        Ok(Document { paper, bytes })
    }
}

struct Header {
    paper: Paper,
    part: usize,
    of: usize,
    digest: String,
}

impl Header {
    fn parse(line: &str) -> Option<Header> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [MAGIC, paper, coding, part, digest] = words.as_slice() else { return None };
        let paper = Paper::parse(paper)?;
        let (part, of) = part.split_once('/')?;
        let (part, of) = (part.parse().ok()?, of.parse().ok()?);
        let fits = *coding == paper.coding().word()
            && (1..=of).contains(&part)
            && of <= PARTS_CAP
            && digest.len() == 16
            && digest.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then(|| Header { paper, part, of, digest: digest.to_ascii_lowercase() })
    }
}

#[cfg(test)]
mod tests;
