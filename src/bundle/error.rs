//! What can be wrong with a bundle on a stick.

use super::manifest::FILES_WORTH;
use crate::host::disk::DiskError;
use crate::json::JsonError;
use crate::tuf::TufError;

/// Why a request or a signed bundle was not taken, or could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A file could not be read or written.
    #[error("{source}{}", hint(source))]
    Disk {
        /// What failed.
        #[from]
        source: DiskError,
    },
    /// A file is not well-formed.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// Metadata in it was not accepted.
    #[error("{0}")]
    Tuf(#[from] TufError),
    /// A manifest that cannot be read.
    #[error("{file}: {why}")]
    Manifest {
        /// The manifest.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A file differs from what the manifest says, is not listed, or is missing.
    #[error("{file}: {why}. The bundle is not whole: copy it to the stick again")]
    NotWhole {
        file: String,
        /// What differs.
        why: String,
    },
    /// The files of a bundle are more together than is read.
    #[error(
        "{file}: {what} have {total} bytes together, at most {most} are read, {FILES_WORTH} times the largest file. If it \
         is right that they are so large, raise max_file_bytes"
    )]
    TooMuch {
        /// The manifest, or the folder.
        file: String,
        /// Which files.
        what: &'static str,
        /// Their bytes.
        total: u64,
        /// The most that is read.
        most: u64,
    },
    /// A download that is not what it should be.
    #[error(
        "{file}: {why}; {wanted} is needed here. Download it again with a command that fails when the service does \
         (docs/request.md)"
    )]
    Download {
        file: String,
        /// What it is instead.
        why: String,
        /// What is needed, in words.
        wanted: &'static str,
    },
    /// The path holds nothing that can be taken in.
    #[error("{path}: {why}")]
    NotABundle {
        path: String,
        /// What was looked for.
        why: String,
    },
}

fn hint(e: &DiskError) -> &'static str {
    match e.source.kind() {
        std::io::ErrorKind::NotFound => ". Check the path, and that the stick is mounted",
        std::io::ErrorKind::PermissionDenied => ". Check the permissions of the medium",
        std::io::ErrorKind::StorageFull => {
            ". Free some space there and run the command again: nothing was lost"
        }
        std::io::ErrorKind::ReadOnlyFilesystem => {
            ". The medium is read-only: mount it for writing, or use another"
        }
        std::io::ErrorKind::FileTooLarge => {
            ". If it is right that it is so large, raise max_file_bytes in the policy"
        }
        _ => "",
    }
}
