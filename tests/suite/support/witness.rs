//! A witness of the tests' own: C2SP `tlog-witness` without the HTTP around it, and ways in which it can lie.

#![allow(dead_code, reason = "each test uses a part of it")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::testing::tlog::VerifierKey;
use countersign::testing::tlog::checkpoint::Checkpoint;
use countersign::testing::tlog::note::{Note, NoteSigner};
use countersign::testing::tlog::tree::{Hash, continues};
use std::collections::HashMap;

/// What a witness answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// A witness: for each log that it was told of, the head that it last cosigned.
pub struct Witness {
    signer: NoteSigner,
    logs: HashMap<String, (VerifierKey, u64, Hash)>,
    /// Its clock, in seconds since 1970.
    pub time: u64,
}

impl Witness {
    pub fn new(name: &str, seed: u8, time: u64) -> Witness {
        let signer = NoteSigner::witness(name, &[seed; 32]).expect("a name");
        Witness { signer, logs: HashMap::new(), time }
    }

    pub fn key(&self) -> String {
        self.signer.public().to_string()
    }

    pub fn add_log(&mut self, key: &VerifierKey) {
        let empty = countersign::testing::tlog::tree::Tree::new().root();
        self.logs.insert(key.name().to_owned(), (key.clone(), 0, empty));
    }

    /// Forgets what it cosigned, as after a restore of its own.
    pub fn forget(&mut self) {
        let empty = countersign::testing::tlog::tree::Tree::new().root();
        self.logs.values_mut().for_each(|(_, size, root)| (*size, *root) = (0, empty));
    }

    /// `POST /add-checkpoint`.
    pub fn add_checkpoint(&mut self, body: &str) -> Answer {
        let refuse = |status: u16, body: String| Answer { status, body };
        let Some((head, note)) = body.split_once("\n\n") else { return refuse(400, String::new()) };
        let mut lines = head.split('\n');
        let old =
            lines.next().and_then(|line| line.strip_prefix("old ")).and_then(|old| old.parse::<u64>().ok());
        let hashes: Option<Vec<Hash>> =
            lines.map(|line| STANDARD.decode(line).ok()?.try_into().ok()).collect();
        let (Some(old), Some(hashes)) = (old, hashes) else { return refuse(400, String::new()) };
        let Ok(parsed) = Note::parse(note.as_bytes()) else { return refuse(400, String::new()) };
        let Ok(new) = Checkpoint::parse_text(parsed.text()) else { return refuse(400, String::new()) };
        let Some((key, size, root)) = self.logs.get_mut(&new.origin) else {
            return refuse(404, String::new());
        };
        if parsed.verify(key).is_err() {
            return refuse(403, String::new());
        }
        if old > new.size {
            return refuse(400, String::new());
        }
        if old != *size {
            return refuse(409, format!("{size}\n"));
        }
        if !continues((*size, root), (new.size, &new.root), &hashes) {
            return refuse(422, String::new());
        }
        (*size, *root) = (new.size, new.root);
        refuse(200, self.cosign(parsed.text()))
    }

    /// The line by which it cosigns a text at its time, whatever it saw before: what a lying witness does.
    pub fn cosign(&self, text: &str) -> String {
        self.signer.cosign(text, self.time).expect("a witness")
    }

    /// A note with its cosignature added, without looking at anything.
    pub fn lie(&self, note: &str) -> String {
        let text = Note::parse(note.as_bytes()).expect("a note").text().to_owned();
        format!("{note}{}", self.cosign(&text))
    }
}
