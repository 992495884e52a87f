//! What an auditor should look at although the log is whole: refusals, exceptions, odd times.

use crate::host::clock::Time;

macro_rules! remarks {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $title:literal;)*) => {
        /// The kind of a remark, in the order of a report: what was in doubt or refused first, the inventory last.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum RemarkKind {
            $($(#[$doc])* $variant,)*
        }

        impl RemarkKind {
            /// Every kind.
            pub const ALL: &'static [RemarkKind] = &[$(RemarkKind::$variant),*];

            /// The kind's name, for scripts.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(RemarkKind::$variant => $name),* }
            }

            /// The kind's name, for people.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(RemarkKind::$variant => $title),* }
            }
        }
    };
}

remarks! {
    /// An intent to sign without a result.
    InDoubt = "in-doubt", "Signatures in doubt";
    /// A request, a root or an approval was refused, or a signature was given up.
    Refusal = "refusal", "Refusals";
    /// A warning was accepted.
    WarningAccepted = "warning-accepted", "Warnings accepted";
    /// One person alone.
    SinglePerson = "single-person", "Acts of one person alone";
    /// A crash tore a line.
    Recovery = "recovery", "Recoveries after a crash";
    /// The wall clock went back.
    ClockBack = "clock-back", "Clock set back";
    /// The wall clock jumped ahead of the machine's own count.
    ClockJump = "clock-jump", "Clock jumped ahead";
    /// Another policy.
    PolicyChanged = "policy-changed", "Policy changes";
    /// A wrong passphrase.
    FailedPassphrase = "failed-passphrase", "Failed passphrases";
    /// Something went another way than planned.
    Deviation = "deviation", "Deviations, and commands that did nothing";
    /// A version below one that was signed before for the tag.
    OlderVersion = "older-version", "Older version signed";
    /// Another trusted root.
    RootChanged = "root-changed", "Root changes";
    /// The program did not pass its self-test.
    FailedSelftest = "failed-selftest", "Failed self-tests";
    /// The machine did not pass its preflight.
    FailedPreflight = "failed-preflight", "Preflight lines that failed";
    /// A bundle could not be written.
    FailedExport = "failed-export", "Failed exports";
    /// No witness cosigned in time.
    WitnessOverdue = "witness-overdue", "Witness overdue";
    /// A head that came back showed something, or a witness came or went.
    Heads = "heads", "Heads that came back, and witnesses";
    /// The station was made on a machine with a network.
    Networked = "networked", "Machine with a network";
    /// An officer or a key came or went.
    Inventory = "inventory", "Officers and keys";
}

/// A remark about an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// The kind.
    pub kind: RemarkKind,
    /// The entry.
    pub seq: u64,
    /// When the entry was written.
    pub time: Time,
    /// A sentence; foreign text in it is already escaped.
    pub text: String,
}
