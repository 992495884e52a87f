//! What can be wrong with a log: the kind, the first bad entry, the file, and a sentence.

use crate::text::Foreign;
use std::fmt;

macro_rules! flaws {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The kind of a flaw.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum FlawKind {
            $($(#[$doc])* $variant,)*
        }

        impl FlawKind {
            /// The kind's name, for scripts.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(FlawKind::$variant => $name),* }
            }
        }
    };
}

flaws! {
    /// A line is not in the log's form.
    Line = "line",
    /// A line's number is not its place.
    Sequence = "sequence",
    /// A line does not name the hash of the line before it.
    Previous = "previous",
    /// A file of lines is missing, or has another number of lines than its place asks for.
    Files = "files",
    /// A line is cut off.
    Torn = "torn",
    /// There are fewer lines than a signed checkpoint says.
    Missing = "missing",
    /// Lines stand after the last signed checkpoint: nobody vouches for them.
    Uncovered = "uncovered",
    /// The lines do not give the root that a signed checkpoint says.
    Root = "root",
    /// A checkpoint is not in its form.
    CheckpointForm = "checkpoint-form",
    /// A checkpoint's signature does not hold, or is not by the log's key.
    CheckpointSignature = "checkpoint-signature",
    /// A checkpoint that should be there is not.
    CheckpointMissing = "checkpoint-missing",
    /// The log's key is missing, unreadable, or another one.
    Key = "key",
    /// An object that a line names is missing, or has another digest than its name.
    Object = "object",
    /// A file for other verifiers (a tile or a bundle) does not say what the lines say.
    Tile = "tile",
    /// A proof does not lead to the checkpoint's root.
    Proof = "proof",
    /// A witness's cosignature does not hold.
    Cosignature = "cosignature",
    /// An officer's signed decision does not hold.
    Approval = "approval",
    /// An act is not signed by the officers who have to sign it, or the signature of one of them does not hold.
    Act = "act",
    /// A signature was made on fewer approvals, or by fewer officers, than the policy and the key's quorum ask for.
    Quorum = "quorum",
    /// A TUF signature does not hold, or its key was not in the root in force.
    Signature = "signature",
    /// The log is not the one that was seen before, or that a checkpoint from elsewhere tells of.
    Fork = "fork",
    /// Two entries contradict each other.
    Contradiction = "contradiction",
}

impl fmt::Display for FlawKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// What is wrong with a log, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flaw {
    /// The kind.
    pub kind: FlawKind,
    /// The first bad entry, where one can be named.
    pub seq: Option<u64>,
    /// The file, relative to the log's folder; empty where none can be named.
    pub file: String,
    /// A sentence; foreign text in it is already escaped.
    pub detail: String,
}

impl Flaw {
    /// A flaw without a place yet.
    pub(crate) fn new(kind: FlawKind, detail: impl Into<String>) -> Flaw {
        Flaw { kind, seq: None, file: String::new(), detail: detail.into() }
    }

    /// The same at an entry.
    #[must_use]
    pub(crate) fn at(mut self, seq: u64) -> Flaw {
        self.seq.get_or_insert(seq);
        self
    }

    /// The same in a file.
    #[must_use]
    pub(crate) fn in_file(mut self, file: impl Into<String>) -> Flaw {
        if self.file.is_empty() {
            self.file = file.into();
        }
        self
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(seq) = self.seq {
            write!(out, "entry {seq}: ")?;
        }
        if !self.file.is_empty() {
            write!(out, "{}: ", Foreign(&self.file))?;
        }
        write!(out, "{} ({})", self.detail, self.kind)
    }
}

impl std::error::Error for Flaw {}
