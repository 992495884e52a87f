//! What can be wrong with a policy file.

use thiserror::Error;

/// Why a policy file is not accepted.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Longer than any policy.
    #[error(
        "the policy has {length} bytes, at most {} are read; is it the right file?",
        super::MAX_POLICY_BYTES
    )]
    TooLarge {
        /// Its length in bytes.
        length: u64,
    },
    /// Not text.
    #[error("the policy is not UTF-8 text (first at byte {at}); save it as UTF-8")]
    NotText {
        /// Offset of the first byte that does not belong.
        at: usize,
    },
    /// UTF-16, or UTF-8 behind a byte order mark.
    #[error("the policy: {0}")]
    Encoding(&'static str),
    /// Not TOML, an unknown name, a wrong type.
    #[error("the policy's line {line}, column {column}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1, in bytes.
        column: usize,
        /// What the reader said, escaped.
        message: String,
    },
    /// A value that is not allowed.
    #[error("the policy's line {line}: {field} {message}")]
    Value {
        /// Line, from 1.
        line: usize,
        /// The value's place, such as `approvals.count`.
        field: String,
        /// What is wrong, and what would be right.
        message: String,
    },
}
