//! What is known of a sealed key without opening it: `public.json`, and the rules that any such record keeps.

use crate::host::clock::Time;
use crate::ledger::custody::Sealing;
use crate::vault::error::{CustodyError, CustodyResult};
use crate::vault::officer::{OfficerName, OfficerPublic};
use crate::vault::share::ShareSet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The record's format.
pub(crate) const FORMAT: &str = "countersign/key/1";
/// The sealed key's file.
pub(crate) const SEALED: &str = "sealed.age";
/// The folder of the officers' shares.
pub(crate) const SHARES: &str = "shares";
/// More officers than this cannot hold one key.
pub(crate) const OFFICERS_CAP: usize = 16;

/// What a key is, in the words of TUF; the vault knows no more of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyMeta {
    /// The key id in root: 64 hexadecimal digits.
    pub keyid: String,
    /// The key type as root has it: `ED25519`, `RSA`, …
    pub keytype: String,
    /// The public value as root has it.
    pub public: String,
}

/// To whom a key is sealed.
#[derive(Clone, Copy)]
pub struct Holders<'a> {
    /// The officers, each once, all active.
    pub officers: &'a [OfficerPublic],
    /// How many of them together open the key.
    pub quorum: u8,
}

/// A sealed key's public record, `public.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedKey {
    /// SHA-256 of the files of the set in force, by their names in the key's folder.
    pub files: BTreeMap<String, String>,
    /// `countersign/key/1`.
    pub format: String,
    /// When the key came into this vault.
    pub imported: Time,
    /// The key id: 64 hexadecimal digits.
    pub keyid: String,
    /// The key type as root has it.
    pub keytype: String,
    /// When it was last backed up on paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<Time>,
    /// When it was last proved to open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_drill: Option<Time>,
    /// Who holds it.
    pub officers: Vec<OfficerName>,
    /// The public value as root has it.
    pub public: String,
    /// How many officers together open it.
    pub quorum: u8,
    /// For a quorum above 1: the recipient that the key is sealed to, whose secret is split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// For a quorum above 1: the set of shares in force, 16 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
}

impl SealedKey {
    /// The officers as text for messages: `alice, bob`.
    pub(crate) fn holders(&self) -> String {
        names(&self.officers)
    }

    /// Who opens it, in words: `any 2 together of alice, bob, carol`.
    pub(crate) fn opens_with(&self) -> String {
        match (self.quorum, self.officers.len()) {
            (1, 1) => self.holders(),
            (1, _) => format!("any one of {}", self.holders()),
            (quorum, count) if usize::from(quorum) == count => format!("all of {} together", self.holders()),
            (quorum, _) => format!("any {quorum} together of {}", self.holders()),
        }
    }

    /// Are these holders of the key, each named once, and enough of them? To be asked before any passphrase is.
    ///
    /// # Errors
    /// [`CustodyError::NamedTwice`], [`CustodyError::NotHolder`] or [`CustodyError::TooFewOfficers`].
    pub(crate) fn check_present(&self, officers: &[&OfficerName]) -> CustodyResult<()> {
        for (at, officer) in officers.iter().enumerate() {
            if officers[..at].contains(officer) {
                return Err(CustodyError::NamedTwice((*officer).clone()));
            }
            if !self.officers.contains(officer) {
                return Err(CustodyError::NotHolder {
                    keyid: self.keyid.clone(),
                    officer: (*officer).clone(),
                    holders: self.holders(),
                });
            }
        }
        if officers.len() < usize::from(self.quorum) {
            return Err(self.too_few(officers.len()));
        }
        Ok(())
    }

    pub(crate) fn too_few(&self, given: usize) -> CustodyError {
        CustodyError::TooFewOfficers {
            keyid: self.keyid.clone(),
            quorum: self.quorum,
            given,
            holders: self.holders(),
        }
    }

    /// To whom it is sealed, as a log entry has it.
    pub(crate) fn sealing(&self) -> Sealing {
        Sealing {
            quorum: u64::from(self.quorum),
            officers: self.officers.iter().map(|name| name.as_str().to_owned()).collect(),
            set: self.set.clone().unwrap_or_default(),
        }
    }

    /// The set of shares in force; none for a quorum of 1.
    pub(crate) fn share_set(&self) -> Option<ShareSet<'_>> {
        Some(ShareSet {
            keyid: &self.keyid,
            set: self.set.as_deref()?,
            threshold: self.quorum,
            total: u8::try_from(self.officers.len()).ok()?,
            recipient: self.recipient.as_deref()?,
        })
    }

    /// What must hold in any `public.json`, also in a restored one; the error is a sentence.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !is_keyid(&self.keyid) {
            return Err("\"keyid\" is not 64 lower-case hexadecimal digits".to_owned());
        }
        // It is shown as it stands, and a record may come from paper that somebody else printed.
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if !(1..=32).contains(&self.keytype.len()) || !self.keytype.bytes().all(plain) {
            return Err("\"keytype\" is not a key type".to_owned());
        }
        let count = self.officers.len();
        let distinct = self.officers.iter().enumerate().all(|(at, name)| !self.officers[..at].contains(name));
        if !distinct || check_quorum(self.quorum, count).is_err() {
            return Err("\"officers\" and \"quorum\" do not fit together".to_owned());
        }
        let split = self.quorum > 1;
        let is_recipient = |text: &String| text.parse::<age::x25519::Recipient>().is_ok();
        if !self.recipient.iter().all(is_recipient) {
            return Err("\"recipient\" is not an age recipient".to_owned());
        }
        let set_fits = self.set.as_deref().map(is_set_id) == split.then_some(true);
        if !set_fits || self.recipient.is_some() != split {
            return Err("\"set\" and \"recipient\" belong to a quorum above 1, and only there".to_owned());
        }
        let mut wanted: Vec<String> = vec![SEALED.to_owned()];
        if split {
            wanted.extend(self.officers.iter().map(share_name));
        }
        wanted.sort();
        if !wanted.iter().eq(self.files.keys()) || !self.files.values().all(|digest| is_keyid(digest)) {
            return Err("\"files\" does not list the sealed key and each officer's share".to_owned());
        }
        Ok(())
    }
}

/// The name of an officer's share in a key's folder.
pub(crate) fn share_name(officer: &OfficerName) -> String {
    format!("{SHARES}/{officer}.age")
}

/// Names as text for messages: `alice, bob`.
pub(crate) fn names<'a>(officers: impl IntoIterator<Item = &'a OfficerName>) -> String {
    officers.into_iter().map(OfficerName::as_str).collect::<Vec<_>>().join(", ")
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Is it 64 lower-case hexadecimal digits, and so safe as a folder's name?
pub(crate) fn is_keyid(text: &str) -> bool {
    is_hex(text, 64)
}

fn is_set_id(text: &str) -> bool {
    is_hex(text, 16)
}

/// Can so many officers be needed of so many?
pub(crate) fn check_quorum(quorum: u8, officers: usize) -> CustodyResult<()> {
    if quorum == 0 || usize::from(quorum) > officers || officers > OFFICERS_CAP {
        return Err(CustodyError::BadQuorum { quorum, officers });
    }
    Ok(())
}
