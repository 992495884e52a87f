//! Where a station keeps what (`docs/station.md`).

use std::path::{Path, PathBuf};

/// The paths of a station's folder.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of the station in this folder.
    pub(crate) fn new(root: &Path) -> Layout {
        Layout { root: root.to_owned() }
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The officers' identities.
    pub(crate) fn officers(&self) -> PathBuf {
        self.root.join("officers")
    }

    /// The sealed keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The requests that were taken in.
    pub(crate) fn requests(&self) -> PathBuf {
        self.root.join("requests")
    }

    /// The log.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// The log's private key.
    pub(crate) fn log_key(&self) -> PathBuf {
        self.log().join(crate::ledger::store::PRIVATE_KEY)
    }

    /// The file that says who works on the station; what is locked is the log's folder.
    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }
}
