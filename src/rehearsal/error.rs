//! Why the made-up Factory refuses something.

use crate::host::disk::DiskError;
use crate::json::JsonError;
use crate::text::Foreign;

/// What the made-up Factory, in the service's place, refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactoryError {
    /// A file could not be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// What was uploaded is not what the service reads.
    #[error("the upload cannot be read: {0}")]
    Upload(#[from] JsonError),
    /// CI has no targets of this version.
    #[error("CI has no targets of version {0}; let the Factory build it first")]
    NoBuild(u64),
    /// A wave of this name exists already.
    #[error("a wave named \"{}\" exists already; give this one another name", Foreign(.0))]
    WaveExists(String),
    /// There is no wave of this name.
    #[error("there is no wave named \"{}\"", Foreign(.0))]
    NoWave(String),
    /// The wave was completed or canceled already.
    #[error("the wave \"{}\" is not active any more", Foreign(.0))]
    NotActive(String),
    /// The wave is for another tag than this Factory's.
    #[error("the wave is for the tag \"{}\", this Factory has \"{}\"", Foreign(.0), Foreign(.1))]
    OtherTag(String, String),
    /// The wave's version is not above that of the production targets.
    #[error("the wave has version {0}, production has {1} already; take a higher one")]
    NotNewer(u64, u64),
    /// The wave's `signed` is not in canonical form.
    #[error("the wave's \"signed\" is not in canonical form, so devices would hash other bytes")]
    NotCanonical,
    /// A signature by a key that is not one of the offline targets keys.
    #[error("the key {} is not an offline targets key of this Factory", Foreign(.0))]
    UnknownKey(String),
    /// A signature that does not hold.
    #[error("the signature of the key {} does not hold", Foreign(.0))]
    BadSignature(String),
    /// Fewer signatures than the root's threshold.
    #[error("the wave carries {0} of the {1} signatures that devices want")]
    TooFewSignatures(usize, usize),
}
