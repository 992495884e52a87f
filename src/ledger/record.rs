//! The records of the log: for each kind a struct with its fields, in the order in which a line has them. This is the one
//! table that the writer, the readers, the auditor and the documentation share.

use super::codec::{Cursor, LineFault};
use super::event::Event;
use super::field::{
    ApprovalAt, Check, Field, Finding, HeldSignature, Members, Named, Object, OfficerName, OptionalObject,
    RequestDigest, RequestFile, Text, members,
};

/// The struct of a kind: its own, or one that several kinds share.
macro_rules! fields_of {
    ($kind:ident) => { $kind<'a> };
    ($kind:ident, $shared:ident) => { $shared<'a> };
}

macro_rules! records {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $name:literal $(: $shared:ident)? $({ $($field:ident: $type:ty),* $(,)? })?
    )*) => {
        /// The kind of an entry.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        /// What an entry says.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[allow(clippy::large_enum_variant, reason = "read one at a time, and not kept")]
        pub enum Record<'a> {
            $($(#[$doc])* $kind(fields_of!($kind $(, $shared)?)),)*
        }

        $($(
            members! {
                #[doc = concat!("What `", $name, "` says.")]
                $kind { $($field: $type),* }
            }

            impl $kind<'_> {
                /// The event that somebody did this.
                pub fn by(self, actor: &str) -> Event {
                    Record::$kind(self).by(actor)
                }
            }
        )?)*

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),*];

            /// The kind's name, as a line has it in `type`.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name),* }
            }

            /// The fields that follow the header, in order.
            #[allow(clippy::extra_unused_lifetimes, reason = "the structs' types name it")]
            pub const fn fields<'a>(self) -> &'static [Field] {
                match self { $(Kind::$kind => <fields_of!($kind $(, $shared)?) as Members<'a>>::FIELDS),* }
            }

            /// The kind with this name.
            pub(crate) fn named(name: &[u8]) -> Option<Kind> {
                $(if name == $name.as_bytes() { return Some(Kind::$kind); })*
                None
            }
        }

        impl<'a> Record<'a> {
            /// Its kind.
            pub(crate) const fn kind(&self) -> Kind {
                match self { $(Record::$kind(_) => Kind::$kind),* }
            }

            /// Writes its fields, as they follow the header.
            pub(super) fn write(&self, out: &mut String) {
                match self { $(Record::$kind(fields) => Members::write(fields, ',', out)),* }
            }

            /// Reads the fields of a kind: what [`Record::write`] writes, and nothing else.
            pub(super) fn read(kind: Kind, cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
                match kind { $(Kind::$kind => Members::read(b',', cursor).map(Record::$kind)),* }
            }

            /// Hands over each field that it has as JSON, for tables whose columns are the fields.
            pub(crate) fn columns(&self, visit: &mut dyn FnMut(&'static Field, String)) {
                match self { $(Record::$kind(fields) => Members::columns(fields, visit)),* }
            }

            /// Hands over what its fields name.
            fn names<'s>(&'s self, visit: &mut dyn FnMut(Named<'s>)) {
                match self { $(Record::$kind(fields) => Members::names(fields, visit)),* }
            }
        }
    };
}

members! {
    /// A targets key, and to whom it is sealed; of a drill, who opened it.
    SealedKey {
        keyid: Text<'a>, keytype: Text<'a>, quorum: u64, officers: Vec<OfficerName<'a>>, set: Text<'a>,
        detail: Text<'a>,
    }
    /// An officer's decision, with her signature.
    Decided {
        request: RequestDigest<'a>, review: Text<'a>, policy: Text<'a>, officer: OfficerName<'a>, key: Text<'a>,
        nonce: Text<'a>, expires: Text<'a>, reason: Text<'a>, sig: Text<'a>,
    }
}

records! {
    /// The station was made: the first entry of every log. Logs of 0.1 do not say their format.
    StationCreated = "station.created" {
        factory: Text<'a>, fingerprint: Text<'a>, dialect: Text<'a>, tool: Text<'a>, binary: Text<'a>,
        networked: bool, log_key: Text<'a>, policy: Object<'a>, format: Option<Text<'a>>,
    }
    /// A command began.
    SessionOpened = "session.opened" { command: Text<'a>, tool: Text<'a>, binary: Text<'a> }
    /// A command ended, with its exit code.
    SessionClosed = "session.closed" { command: Text<'a>, exit: u64 }
    /// The machine and the program were checked.
    Selftest = "selftest" { passed: bool, checks: Vec<Check<'a>> }
    /// An officer said what time it is.
    TimeStatement = "time.statement" { time_claimed: Text<'a>, reason: Text<'a> }
    /// The first root was pinned.
    RootPinned = "root.pinned" { version: u64, fingerprint: Text<'a>, expires: Text<'a>, object: Object<'a> }
    /// A later root was accepted along the chain.
    RootUpdated = "root.updated" {
        from: u64, version: u64, fingerprint: Text<'a>, expires: Text<'a>, object: Object<'a>,
    }
    /// A root was not accepted.
    RootRejected = "root.rejected" { version: u64, reason: Text<'a> }
    /// The service's online targets key was pinned; `from` is the one before, or nothing.
    OnlineKeyPinned = "online_key.pinned" { from: Text<'a>, keyid: Text<'a>, object: Object<'a> }
    /// Another policy is in force.
    PolicyChanged = "policy.changed" { from: Text<'a>, to: Object<'a> }
    /// An officer of this station.
    OfficerAdded = "officer.added" {
        officer: OfficerName<'a>, recipient: Text<'a>, key: Text<'a>, roles: Vec<Text<'a>>,
    }
    /// An officer left.
    OfficerRetired = "officer.retired" { officer: OfficerName<'a>, reason: Text<'a> }
    /// A passphrase was wrong.
    OfficerAuthFailed = "officer.auth.failed" { officer: OfficerName<'a>, purpose: Text<'a> }
    /// A targets key was taken in.
    KeyImported = "key.imported": SealedKey
    /// A targets key was made here.
    KeyGenerated = "key.generated": SealedKey
    /// A targets key was sealed to a quorum of officers.
    KeySealed = "key.sealed": SealedKey
    /// It was shown that a key opens and matches the root; nothing was signed.
    KeyDrilled = "key.drilled": SealedKey
    /// A key's backup was written.
    KeyBackedUp = "key.backed_up": SealedKey
    /// A key came back from its backup.
    KeyRestored = "key.restored": SealedKey
    /// A key is no longer used.
    KeyRetired = "key.retired": SealedKey
    /// A request was taken in.
    RequestImported = "request.imported" {
        request: RequestDigest<'a>, kind: Text<'a>, factory: Text<'a>, wave: Text<'a>, tag: Text<'a>, version: u64,
        signed: Text<'a>, root_version: u64, source: Text<'a>, objects: Vec<RequestFile<'a>>,
    }
    /// The signatures over a request's files were verified under this root; these hold.
    EvidenceVerified = "evidence.verified" {
        request: RequestDigest<'a>, root_version: u64, signatures: Vec<HeldSignature<'a>>,
    }
    /// The nonce that goes into a request's confirmation words: drawn when it was first taken in.
    NonceDrawn = "request.nonce" { request: RequestDigest<'a>, nonce: Text<'a> }
    /// A file of a request, signed as its kind asks for and newer than any of its name before: what is older is told.
    EvidenceSeen = "evidence.seen" {
        request: RequestDigest<'a>, file: Text<'a>, version: u64, signed: Text<'a>,
    }
    /// A request was refused.
    RequestRejected = "request.rejected" { source: Text<'a>, reason: Text<'a> }
    /// A review was shown; `object` is its text.
    ReviewRendered = "review.rendered" {
        request: RequestDigest<'a>, review: Text<'a>, signed: Text<'a>, policy: Object<'a>, root_version: u64,
        signable: bool, findings: Vec<Finding<'a>>, object: Object<'a>,
    }
    /// The review that a signature is about to be made on, as the signed bundle shows it: two objects.
    ReviewKept = "review.kept" {
        request: RequestDigest<'a>, review: Text<'a>, text: Object<'a>, html: Object<'a>,
    }
    /// An officer approved.
    ApprovalGranted = "approval.granted": Decided
    /// An officer refused.
    ApprovalDenied = "approval.denied": Decided
    /// An approval was too old to be used.
    ApprovalExpired = "approval.expired": Decided
    /// A key is about to be opened; on disk before it is.
    SignIntent = "sign.intent" {
        request: RequestDigest<'a>, review: Text<'a>, signed: Object<'a>, factory: Text<'a>, wave: Text<'a>,
        tag: Text<'a>, version: u64, kind: Text<'a>, keyid: Text<'a>, root_version: u64, policy: Object<'a>,
        officers: Vec<OfficerName<'a>>, approvals: Vec<ApprovalAt<'a>>, findings: Vec<Finding<'a>>,
        preflight: Vec<Check<'a>>, tool: Text<'a>, binary: Text<'a>,
    }
    /// A signature was made and verified.
    SignResult = "sign.result" {
        intent: u64, request: RequestDigest<'a>, review: Text<'a>, signed: Object<'a>, factory: Text<'a>,
        wave: Text<'a>, tag: Text<'a>, version: u64, kind: Text<'a>, keyid: Text<'a>, method: Text<'a>,
        sig: Text<'a>, root_version: u64, policy: Object<'a>, officers: Vec<OfficerName<'a>>, strength: Text<'a>,
        tool: Text<'a>, binary: Text<'a>,
    }
    /// Nothing was signed after all.
    SignAborted = "sign.aborted" {
        intent: u64, request: RequestDigest<'a>, keyid: Text<'a>, signed: Text<'a>, reason: Text<'a>,
    }
    /// The station stopped between intent and result; `resolution` is empty until an officer says what it was.
    SignInDoubt = "sign.in_doubt" {
        intent: u64, request: RequestDigest<'a>, keyid: Text<'a>, signed: Text<'a>, resolution: Text<'a>,
    }
    /// An intent to sign that stood after the newest checkpoint when the log was opened: it is in doubt until an officer
    /// says what it was. `saved` is the file that the line was kept in.
    SignRecovered = "sign.recovered" {
        request: RequestDigest<'a>, signed: Text<'a>, wave: Text<'a>, tag: Text<'a>, version: u64, kind: Text<'a>,
        keyid: Text<'a>, saved: Text<'a>,
    }
    /// A signed bundle was written.
    BundleExported = "bundle.exported" {
        request: RequestDigest<'a>, signed: Text<'a>, manifest: Text<'a>, folder: Text<'a>,
    }
    /// A signature was shown or written as a slip; `slip` is the SHA-256 of its text, `folder` nothing for the screen.
    SlipExported = "slip.exported" {
        request: RequestDigest<'a>, signed: Text<'a>, keyid: Text<'a>, slip: Text<'a>, folder: Text<'a>,
    }
    /// A signed bundle could not be written.
    ExportFailed = "export.failed" { request: RequestDigest<'a>, folder: Text<'a>, reason: Text<'a> }
    /// What stood after the newest checkpoint when the log was opened was kept aside, and counts for nothing.
    LogRecovered = "log.recovered" { file: Text<'a>, bytes: u64, saved: Text<'a> }
    /// The log was verified on the station.
    LogVerified = "log.verified" { size: u64, root: Text<'a> }
    /// An evidence pack was written.
    LogExported = "log.exported" { size: u64, root: Text<'a>, folder: Text<'a> }
    /// A witness cosigned a checkpoint.
    WitnessCosigned = "witness.cosigned" {
        size: u64, root: Text<'a>, witness: Text<'a>, time_cosigned: Text<'a>, note: Object<'a>,
    }
    /// A cosignature came that does not count.
    WitnessStale = "witness.stale" {
        size: u64, root: Text<'a>, witness: Text<'a>, note: Object<'a>, reason: Text<'a>,
    }
    /// A witness whose cosignatures count from here on.
    WitnessAdded = "witness.added" { witness: Text<'a>, key: Text<'a> }
    /// A witness whose cosignatures do not count any more.
    WitnessRetired = "witness.retired" { witness: Text<'a>, reason: Text<'a> }
    /// A head of this log that came back; `known` is how many entries this log had, `own` this log's own head where the two
    /// contradict each other.
    AnchorJudged = "anchor.judged" {
        size: u64, root: Text<'a>, verdict: Text<'a>, known: u64, note: Object<'a>, own: OptionalObject<'a>,
        reason: Text<'a>,
    }
    /// Officers say what the heads up to this size are that this log does not have.
    AnchorSettled = "anchor.settled" {
        anchor: u64, size: u64, reason: Text<'a>, officers: Vec<OfficerName<'a>>,
    }
    /// This log continues another one, whose entries up to this size were taken over.
    StationSucceeds = "station.succeeds" {
        origin: Text<'a>, size: u64, root: Text<'a>, key: Text<'a>, note: Object<'a>,
    }
    /// A mark of the log that this one continues: `what` is signed, list, seen or retired.
    MarkTakenOver = "mark.taken_over" {
        what: Text<'a>, tag: Text<'a>, version: u64, signed: OptionalObject<'a>, wave: Text<'a>, keyid: Text<'a>,
        seq: u64,
    }
    /// No witness cosigned within the policy's window.
    WitnessOverdue = "witness.overdue" { size: u64, root: Text<'a>, witness: Text<'a> }
    /// An officer signed the act in the entry that follows this one and others like it.
    ActSigned = "act.signed" {
        officer: OfficerName<'a>, key: Text<'a>, act: Text<'a>, digest: Text<'a>, nonce: Text<'a>, sig: Text<'a>,
    }
    /// An officer said that something went another way than planned.
    Deviation = "deviation" { statement: Text<'a> }
}

impl Record<'_> {
    /// The policy that it puts in force: the object with its text.
    pub(crate) fn policy(&self) -> Option<&str> {
        match self {
            Record::StationCreated(created) => Some(&created.policy),
            Record::PolicyChanged(changed) => Some(&changed.to),
            _ => None,
        }
    }

    /// The request that it is about.
    pub(crate) fn request(&self) -> Option<&str> {
        let mut found = None;
        self.names(&mut |named| {
            if let Named::Request(digest) = named {
                found = Some(digest);
            }
        });
        found
    }

    /// Does one of its fields have this officer?
    pub(crate) fn has_officer(&self, name: &str) -> bool {
        let mut is_there = false;
        self.names(&mut |named| is_there |= named == Named::Officer(name));
        is_there
    }

    /// The objects of the log that it names.
    pub(crate) fn objects(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.names(&mut |named| match named {
            Named::Object(digest) => found.push(digest),
            Named::Officer(_) | Named::Request(_) => {}
        });
        found
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::Shape;
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_has_distinct_fields() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name().as_bytes()), Some(*kind));
            let names: std::collections::BTreeSet<_> = kind.fields().iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), kind.fields().len(), "{kind}");
        }
        assert_eq!(Kind::named(b"sign"), None);
    }

    #[test]
    fn the_page_about_the_log_has_the_fields_of_every_kind() {
        let page =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/log.md")).expect("a page");
        for kind in Kind::ALL {
            let fields: Vec<String> =
                kind.fields().iter().map(|(name, shape)| format!("`{name}`{}", form(shape))).collect();
            let row = format!("| `{kind}` | {} |\n", fields.join(", "));
            assert!(page.contains(&row), "in docs/log.md belongs\n{row}");
        }
    }

    /// How the page says what a field holds: a string where it says nothing.
    fn form(shape: &Shape) -> String {
        match shape {
            Shape::Text => String::new(),
            Shape::Officer => " officer".to_owned(),
            Shape::Request => " request".to_owned(),
            Shape::Object => " object".to_owned(),
            Shape::OptionalObject => " object or nothing".to_owned(),
            Shape::Int => " number".to_owned(),
            Shape::Flag => " flag".to_owned(),
            Shape::List(item) => {
                format!(" list of{}", if **item == Shape::Text { " string".to_owned() } else { form(item) })
            }
            Shape::Members(fields) => {
                let members: Vec<String> =
                    fields.iter().map(|(name, shape)| format!("`{name}`{}", form(shape))).collect();
                format!(" {{{}}}", members.join(", "))
            }
            Shape::Later(shape) => format!("{} (since 0.2)", form(shape)),
        }
    }
}
