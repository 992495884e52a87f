//! What can go wrong with a station, in words that say what to do.

use crate::bundle::BundleError;
use crate::host::disk::DiskError;
use crate::ledger::LogError;
use crate::text::shown_path;
use crate::tlog::Flaw;
use crate::tuf::{Digest, KeyId, TufError};
use std::path::PathBuf;

/// A station could not be made, opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StationError {
    /// A file operation failed.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// A bundle was not accepted.
    #[error("{0}")]
    Bundle(#[from] BundleError),
    /// Metadata was not accepted.
    #[error("{0}")]
    Tuf(#[from] TufError),
    /// The log could not be opened, read or written.
    #[error("{0}")]
    Log(#[from] LogError),
    /// What was about to be written breaks a rule of the log.
    #[error(
        "nothing was written: {0}. No auditor would find such an entry whole, so this station does not write it. What \
         stood in the log stands; if you did nothing unusual, this is a fault of the program: report it"
    )]
    Rule(Flaw),
    /// The policy is not one.
    #[error("{0}")]
    Policy(#[from] super::PolicyError),
    /// There is no station.
    #[error("{}: there is no station here. Make one with `countersign init`, or give its folder with --station", shown_path(.0))]
    NoStation(PathBuf),
    /// It is of a release whose stations are not opened any more.
    #[error(
        "this station was made by countersign 0.1, which did not sign officers' acts, and this version does not open it. \
         Make a new one (countersign init); the old log is read with `countersign audit`"
    )]
    Old,
    /// There is one already.
    #[error("{}: there is something here already, and a station is never written over. Give a new folder with --station", shown_path(.0))]
    Exists(PathBuf),
    /// Another process works on it.
    #[error("{}: another countersign works on this station ({holder}). Wait until it is done", shown_path(.folder))]
    Busy {
        /// The station.
        folder: PathBuf,
        /// Who holds the lock, as it says itself; escaped.
        holder: String,
    },
    /// The key that is to be the service's is somebody's.
    #[error(
        "the key {keyid} is not the service's: root version {root} notes an owner for it, {owner}. Whoever holds it would \
         speak for the service. Give the Factory's ci-targets.pub of today"
    )]
    OwnedKey {
        /// The key's id.
        keyid: KeyId,
        /// The owner, escaped.
        owner: String,
        /// The root.
        root: u64,
    },
    /// The online key is not one of the root's targets keys.
    #[error(
        "the online targets key {keyid} is not a targets key of root version {root}. Give the Factory's ci-targets.pub \
         of today, or the newer root chain"
    )]
    OnlineKey {
        /// The key's id.
        keyid: KeyId,
        /// The root.
        root: u64,
    },
    /// A Factory's root without the online key.
    #[error(
        "this is a Factory's root: give the service's online targets key as well, --online-key ci-targets.pub. Only a \
         repository that follows the TUF specification has none"
    )]
    NoOnlineKey,
    /// Nothing at the path is a root.
    #[error(
        "{0}: there is no N.root.json here. Give the folder, .tgz or file with the Factory's production roots"
    )]
    NoRoots(String),
    /// A request id that names none or several.
    #[error("request {id}: {why}")]
    RequestId {
        /// What was given.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// A stored request is not what was taken in.
    #[error(
        "request {}: the station's own copy was changed since it was taken in ({what}), and not by countersign. Find \
         out how: compare the log (countersign log head) with your paper. Then import the request again from its \
         medium; that puts the copy right",
        .request.short()
    )]
    RequestChanged {
        /// The request.
        request: Digest,
        /// What differs; escaped.
        what: String,
    },
    /// There is a request's folder that the log says nothing of.
    #[error(
        "request {}: its folder is there, but the log does not say that it was taken in: the station stopped before it \
         was, or the folder was put there outside countersign. Import the request from its medium",
        .request.short()
    )]
    RequestNotTaken {
        /// The request.
        request: Digest,
    },
    /// A name that cannot be used.
    #[error("\"{}\" cannot be the name of a Factory or repository: 1 to 128 letters, digits and . _ - are allowed", crate::text::Foreign(.0))]
    FactoryName(String),
    /// There is no randomness.
    #[error("no randomness from the system: {0}. Nothing was written")]
    NoRandomness(std::io::Error),
    /// A file of the station is not what the log says that it is.
    #[error("{0}")]
    NotAsLogged(String),
    /// The log and a file of the station say different things.
    #[error("{0}")]
    Contradiction(String),
}
