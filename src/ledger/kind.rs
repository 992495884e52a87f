//! The kinds of entries and the fields of each, in the order in which a line has them: the one table that the writer,
//! the reader and the auditor share.

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A string.
    Text,
    /// A whole number from 0 to 2^53 - 1.
    Int,
    /// `true` or `false`.
    Flag,
    /// A list of strings.
    Texts,
    /// A list of records with these two string members.
    Pairs(&'static str, &'static str),
    /// A list of records with a string member and a number member.
    Numbered(&'static str, &'static str),
}

/// A field: its name and what it holds.
pub type Field = (&'static str, Shape);

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal { $($field:ident: $shape:expr),* $(,)? })*) => {
        /// The kind of an entry.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind {
            $($(#[$doc])* $variant,)*
        }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];

            /// The kind's name, as a line has it in `type`.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name),* }
            }

            /// The fields that follow the header, in order. Every line has all of them; see [`Kind::needed`] for the
            /// one that came later.
            pub const fn fields(self) -> &'static [Field] {
                use Shape::{Flag, Int, Numbered, Pairs, Text, Texts};
                match self { $(Kind::$variant => &[$((stringify!($field), $shape)),*]),* }
            }

            /// The kind with this name.
            pub fn named(name: &[u8]) -> Option<Kind> {
                $(if name == $name.as_bytes() { return Some(Kind::$variant); })*
                None
            }
        }
    };
}

kinds! {
    /// The station was made: the first entry of every log.
    StationCreated = "station.created" {
        factory: Text, fingerprint: Text, dialect: Text, tool: Text, binary: Text, networked: Flag, log_key: Text,
        policy: Text, format: Text,
    }
    /// A command began.
    SessionOpened = "session.opened" { command: Text, tool: Text, binary: Text }
    /// A command ended, with its exit code.
    SessionClosed = "session.closed" { command: Text, exit: Int }
    /// The machine and the program were checked.
    Selftest = "selftest" { passed: Flag, checks: Pairs("name", "outcome") }
    /// An officer said what time it is.
    TimeStatement = "time.statement" { time_claimed: Text, reason: Text }
    /// The first root was pinned.
    RootPinned = "root.pinned" { version: Int, fingerprint: Text, expires: Text, object: Text }
    /// A later root was accepted along the chain.
    RootUpdated = "root.updated" { from: Int, version: Int, fingerprint: Text, expires: Text, object: Text }
    /// A root was not accepted.
    RootRejected = "root.rejected" { version: Int, reason: Text }
    /// The service's online targets key was pinned; `from` is the one before, or nothing.
    OnlineKeyPinned = "online_key.pinned" { from: Text, keyid: Text, object: Text }
    /// Another policy is in force.
    PolicyChanged = "policy.changed" { from: Text, to: Text }
    /// An officer of this station.
    OfficerAdded = "officer.added" { officer: Text, recipient: Text, key: Text, roles: Texts }
    /// An officer left.
    OfficerRetired = "officer.retired" { officer: Text, reason: Text }
    /// A passphrase was wrong.
    OfficerAuthFailed = "officer.auth.failed" { officer: Text, purpose: Text }
    /// A targets key was taken in.
    KeyImported = "key.imported" {
        keyid: Text, keytype: Text, quorum: Int, officers: Texts, set: Text, detail: Text,
    }
    /// A targets key was made here.
    KeyGenerated = "key.generated" {
        keyid: Text, keytype: Text, quorum: Int, officers: Texts, set: Text, detail: Text,
    }
    /// A targets key was sealed to a quorum of officers.
    KeySealed = "key.sealed" {
        keyid: Text, keytype: Text, quorum: Int, officers: Texts, set: Text, detail: Text,
    }
    /// It was shown that a key opens and matches the root; nothing was signed.
    KeyDrilled = "key.drilled" {
        keyid: Text, keytype: Text, quorum: Int, officers: Texts, set: Text, detail: Text,
    }
    /// A key's backup was written.
    KeyBackedUp = "key.backed_up" {
        keyid: Text, keytype: Text, quorum: Int, officers: Texts, set: Text, detail: Text,
    }
    /// A key came back from its backup.
    KeyRestored = "key.restored" {
        keyid: Text, keytype: Text, quorum: Int, officers: Texts, set: Text, detail: Text,
    }
    /// A key is no longer used.
    KeyRetired = "key.retired" {
        keyid: Text, keytype: Text, quorum: Int, officers: Texts, set: Text, detail: Text,
    }
    /// A request was taken in.
    RequestImported = "request.imported" {
        request: Text, kind: Text, factory: Text, wave: Text, tag: Text, version: Int, signed: Text,
        root_version: Int, source: Text, objects: Pairs("name", "sha256"),
    }
    /// The signatures over a request's files were verified under this root; these hold.
    EvidenceVerified = "evidence.verified" { request: Text, root_version: Int, signatures: Pairs("file", "keyid") }
    /// The nonce that goes into a request's confirmation words: drawn when it was first taken in.
    NonceDrawn = "request.nonce" { request: Text, nonce: Text }
    /// A file of a request, signed as its kind asks for and newer than any of its name before: what is older is told.
    EvidenceSeen = "evidence.seen" { request: Text, file: Text, version: Int, signed: Text }
    /// A request was refused.
    RequestRejected = "request.rejected" { source: Text, reason: Text }
    /// A review was shown; `object` is its text.
    ReviewRendered = "review.rendered" {
        request: Text, review: Text, signed: Text, policy: Text, root_version: Int, signable: Flag,
        findings: Pairs("check", "severity"), object: Text,
    }
    /// The review that a signature is about to be made on, as the signed bundle shows it: two objects.
    ReviewKept = "review.kept" { request: Text, review: Text, text: Text, html: Text }
    /// An officer approved.
    ApprovalGranted = "approval.granted" {
        request: Text, review: Text, policy: Text, officer: Text, key: Text, nonce: Text, expires: Text,
        reason: Text, sig: Text,
    }
    /// An officer refused.
    ApprovalDenied = "approval.denied" {
        request: Text, review: Text, policy: Text, officer: Text, key: Text, nonce: Text, expires: Text,
        reason: Text, sig: Text,
    }
    /// An approval was too old to be used.
    ApprovalExpired = "approval.expired" {
        request: Text, review: Text, policy: Text, officer: Text, key: Text, nonce: Text, expires: Text,
        reason: Text, sig: Text,
    }
    /// A key is about to be opened; on disk before it is.
    SignIntent = "sign.intent" {
        request: Text, review: Text, signed: Text, factory: Text, wave: Text, tag: Text, version: Int, kind: Text,
        keyid: Text, root_version: Int, policy: Text, officers: Texts, approvals: Numbered("officer", "seq"),
        findings: Pairs("check", "severity"), preflight: Pairs("name", "outcome"), tool: Text, binary: Text,
    }
    /// A signature was made and verified.
    SignResult = "sign.result" {
        intent: Int, request: Text, review: Text, signed: Text, factory: Text, wave: Text, tag: Text,
        version: Int, kind: Text, keyid: Text, method: Text, sig: Text, root_version: Int, policy: Text,
        officers: Texts, strength: Text, tool: Text, binary: Text,
    }
    /// Nothing was signed after all.
    SignAborted = "sign.aborted" { intent: Int, request: Text, keyid: Text, signed: Text, reason: Text }
    /// The station stopped between intent and result; `resolution` is empty until an officer says what it was.
    SignInDoubt = "sign.in_doubt" { intent: Int, request: Text, keyid: Text, signed: Text, resolution: Text }
    /// An intent to sign that stood after the newest checkpoint when the log was opened: it is in doubt until an officer
    /// says what it was. `saved` is the file that the line was kept in.
    SignRecovered = "sign.recovered" {
        request: Text, signed: Text, wave: Text, tag: Text, version: Int, kind: Text, keyid: Text, saved: Text,
    }
    /// A signed bundle was written.
    BundleExported = "bundle.exported" { request: Text, signed: Text, manifest: Text, folder: Text }
    /// A signature was shown or written as a slip; `slip` is the SHA-256 of its text, `folder` nothing for the screen.
    SlipExported = "slip.exported" { request: Text, signed: Text, keyid: Text, slip: Text, folder: Text }
    /// A signed bundle could not be written.
    ExportFailed = "export.failed" { request: Text, folder: Text, reason: Text }
    /// What stood after the newest checkpoint when the log was opened was kept aside, and counts for nothing.
    LogRecovered = "log.recovered" { file: Text, bytes: Int, saved: Text }
    /// The log was verified on the station.
    LogVerified = "log.verified" { size: Int, root: Text }
    /// An evidence pack was written.
    LogExported = "log.exported" { size: Int, root: Text, folder: Text }
    /// A witness cosigned a checkpoint.
    WitnessCosigned = "witness.cosigned" {
        size: Int, root: Text, witness: Text, time_cosigned: Text, note: Text,
    }
    /// A cosignature came that does not count.
    WitnessStale = "witness.stale" { size: Int, root: Text, witness: Text, note: Text, reason: Text }
    /// A witness whose cosignatures count from here on.
    WitnessAdded = "witness.added" { witness: Text, key: Text }
    /// A witness whose cosignatures do not count any more.
    WitnessRetired = "witness.retired" { witness: Text, reason: Text }
    /// A head of this log came back; `known` is how many entries this log had, `own` this log's own head where the two
    /// contradict each other.
    AnchorJudged = "anchor.judged" {
        size: Int, root: Text, verdict: Text, known: Int, note: Text, own: Text, reason: Text,
    }
    /// Officers say what the heads up to this size are that this log does not have.
    AnchorSettled = "anchor.settled" { anchor: Int, size: Int, reason: Text, officers: Texts }
    /// This log continues another one, whose entries up to this size were taken over.
    StationSucceeds = "station.succeeds" { origin: Text, size: Int, root: Text, key: Text, note: Text }
    /// A mark of the log that this one continues: `what` is signed, list, seen or retired.
    MarkTakenOver = "mark.taken_over" {
        what: Text, tag: Text, version: Int, signed: Text, wave: Text, keyid: Text, seq: Int,
    }
    /// No witness cosigned within the policy's window.
    WitnessOverdue = "witness.overdue" { size: Int, root: Text, witness: Text }
    /// An officer signed the act in the entry that follows this one and others like it.
    ActSigned = "act.signed" { officer: Text, key: Text, act: Text, digest: Text, nonce: Text, sig: Text }
    /// An officer said that something went another way than planned.
    Deviation = "deviation" { statement: Text }
}

impl Kind {
    /// How many of the fields a line cannot do without: logs of 0.1 do not say their format.
    pub const fn needed(self) -> usize {
        match self {
            Kind::StationCreated => self.fields().len() - 1,
            _ => self.fields().len(),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_has_distinct_fields() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name().as_bytes()), Some(*kind));
            let names: std::collections::BTreeSet<_> = kind.fields().iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), kind.fields().len(), "{kind}");
            assert!(kind.fields().len() <= super::super::entry::MOST_FIELDS, "{kind}");
        }
        assert_eq!(Kind::named(b"sign"), None);
    }
}
