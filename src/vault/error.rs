//! What can go wrong with officers, passphrases, shares and sealed keys: one list, each with a way out.

use crate::host::disk::DiskError;
use crate::text::{Foreign, shown_path};
use crate::vault::officer::OfficerName;
use std::path::PathBuf;
use thiserror::Error;

/// A refusal or failure in the custody of keys. Holds no secret, so that it may be logged and shown.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The system gave no random bytes.
    #[error("{0}. Nothing was written. Start the machine again and retry")]
    NoRandomness(std::io::Error),
    /// Something of ours could not be written as it should be; a fault of this program.
    #[error("cannot make {what}: {reason}. Nothing was written")]
    Make {
        /// What was to be made.
        what: String,
        /// The library's words.
        reason: String,
    },
    /// A file of this station is not what it should be.
    #[error("{}: {problem}. Restore it from its paper backup with `key restore`", shown_path(.path))]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, already escaped.
        problem: String,
    },

    /// Not an officer's name.
    #[error(
        "\"{}\" cannot be an officer's name: 1 to 32 of a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit",
        Foreign(.0)
    )]
    BadName(String),
    /// There is no such officer.
    #[error("there is no officer {0} on this station. See `officer list`; `officer add {0}` makes one")]
    NoSuchOfficer(OfficerName),
    /// An officer of this name exists.
    #[error("there is an officer {0} already. Choose another name; a name is never used twice")]
    OfficerExists(OfficerName),
    /// There is an identity of an officer whom the log does not have.
    #[error(
        "{}: the log has no such officer, and her file is there: it was put there outside countersign. Move it away, and \
         do this again",
        shown_path(.0)
    )]
    StrayIdentity(PathBuf),
    /// The officer has left.
    #[error("the officer {0} is retired, and a retired officer neither approves nor opens keys")]
    Retired(OfficerName),
    /// The same officer was named twice where different ones are needed.
    #[error("the officer {0} is named twice; different officers are needed")]
    NamedTwice(OfficerName),
    /// The secret half of an officer's identity does not belong to the public half that the log has.
    #[error(
        "{0}.age does not hold the keys that the log entry officer.added has: the file was exchanged outside countersign. \
         Nothing was opened. Keep a copy of it, call the auditor, and bring {0} back from her paper sheet (countersign \
         key restore)"
    )]
    IdentityMismatch(OfficerName),

    /// The passphrase does not open the officer's identity.
    #[error("that is not {0}'s passphrase")]
    WrongPassphrase(OfficerName),
    /// The passphrase is too easily guessed.
    #[error("that passphrase is too weak: {0}")]
    WeakPassphrase(String),
    /// The two entries differ.
    #[error("the two passphrases differ. Nothing was written")]
    PassphrasesDiffer,
    /// Nobody is there to ask.
    #[error(
        "{name}'s passphrase is needed and there is no terminal to ask on. Give it with --passphrase-file {name}=FILE"
    )]
    NobodyToAsk {
        /// Whose passphrase.
        name: OfficerName,
    },
    /// The terminal or standard input failed.
    #[error("cannot read {name}'s passphrase: {source}")]
    Ask {
        /// Whose passphrase.
        name: OfficerName,
        /// What the system said.
        source: std::io::Error,
    },
    /// `--passphrase-file` is not `NAME=FILE`.
    #[error("--passphrase-file takes NAME=FILE (FILE may be - for standard input): {0}")]
    BadPassphraseFile(String),

    /// Not a key id.
    #[error("\"{}\" cannot be the id of a key in this vault: that has 64 lower-case hexadecimal digits. See `key list`", Foreign(.0))]
    BadKeyid(String),
    /// No key begins with these digits, or several do.
    #[error("{found} keys of this station begin with \"{}\". See `key list`", Foreign(.prefix))]
    KeyNotFound {
        /// What was asked for.
        prefix: String,
        /// How many matched: 0, or more than 1.
        found: usize,
    },
    /// The key is in the vault already.
    #[error("the key {0} is sealed on this station already. To seal it to other officers use `key reseal`")]
    KeyExists(String),
    /// A quorum that cannot be.
    #[error(
        "a quorum of {quorum} of {officers} officers cannot be: it is at least 1 and at most their number, at most 16"
    )]
    BadQuorum {
        /// k.
        quorum: u8,
        /// n.
        officers: usize,
    },
    /// An officer named does not hold this key.
    #[error("the key {keyid} is not sealed to {officer}. It is sealed to {holders}")]
    NotHolder {
        /// The key.
        keyid: String,
        /// Who tried.
        officer: OfficerName,
        /// Who holds it.
        holders: String,
    },
    /// Fewer officers than the quorum.
    #[error(
        "the key {keyid} opens with {quorum} officers together, and {given} came. It is sealed to {holders}"
    )]
    TooFewOfficers {
        /// The key.
        keyid: String,
        /// k.
        quorum: u8,
        /// How many came.
        given: usize,
        /// Who holds it.
        holders: String,
    },
    /// A sealed file does not open with the identity that it should open with.
    #[error("{} does not open with {with}: {reason}. Restore it from its paper backup with `key restore`", shown_path(.path))]
    DoesNotOpen {
        /// The file.
        path: PathBuf,
        /// Whose identity was tried, in words.
        with: String,
        /// Why, in words.
        reason: String,
    },
    /// A share that may not be combined.
    #[error("{}: {problem}", shown_path(.path))]
    Share {
        /// The share's file.
        path: PathBuf,
        /// Which rule it breaks.
        problem: ShareProblem,
    },
    /// Shares that are each well-formed, and together do not make the identity.
    #[error(
        "the shares of {officers} together do not make the identity that seals the key {keyid}: at least one of them \
         was altered. Nothing was opened. Restore the shares from paper with `key restore`"
    )]
    WrongCombination {
        /// The key.
        keyid: String,
        /// Whose shares.
        officers: String,
    },
    /// A folder to write to holds something already.
    #[error("{} is not empty. Give a new folder, so that no sheets of two backups are mixed", shown_path(.0))]
    NotEmpty(PathBuf),
    /// Scanned text that is not a paper backup as it was printed.
    #[error("{file}: {why}. Scan that sheet again")]
    Scan {
        /// The scan, or the document in it; already escaped.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// Documents of a paper backup that do not go together, or not with this station.
    #[error("cannot restore: {0}. Nothing was written")]
    Restore(String),
}

impl CustodyError {}

/// Why a share is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ShareProblem {
    /// Not the text of a share.
    #[error("it is not a share of format 1: {0}")]
    Malformed(String),
    /// The checksum does not match.
    #[error("the share is damaged: its checksum does not match")]
    Damaged,
    /// A share of another key.
    #[error("it is a share of another key, {0}")]
    ForeignKey(String),
    /// A share of an earlier or another sealing of this key.
    #[error("it is a stale share: it belongs to set {found}, and the key is sealed with set {wanted}")]
    Stale {
        /// The share's set.
        found: String,
        /// The set that the key is sealed with.
        wanted: String,
    },
    /// A share that was made for another officer.
    #[error("it is the share of {0}: the files were swapped")]
    Swapped(String),
    /// Threshold, total or recipient differ from what the key says.
    #[error("it says {found}, and the key says {wanted}")]
    Disagrees {
        /// As the share has it.
        found: String,
        /// As the key has it.
        wanted: String,
    },
    /// Two shares with one index.
    #[error("its index {0} stands on another share too: the same share came twice")]
    DuplicateIndex(u8),
}

/// Result of custody.
pub(crate) type CustodyResult<T> = Result<T, CustodyError>;
