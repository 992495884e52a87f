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

    /// What the station is: Factory, dialect, when it was made.
    pub(crate) fn station_file(&self) -> PathBuf {
        self.root.join("station.toml")
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> PathBuf {
        self.root.join("policy.toml")
    }

    /// The trusted production roots, `N.root.json`.
    pub(crate) fn roots(&self) -> PathBuf {
        self.root.join("trust/prod-roots")
    }

    /// The service's online targets key.
    pub(crate) fn online_key(&self) -> PathBuf {
        self.root.join("trust/online-key.json")
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

    /// The file that says who works on the station; what is locked is the log's folder.
    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }
}
