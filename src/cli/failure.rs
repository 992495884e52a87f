//! How a command ends: the exit codes, and which error means which.

use crate::bundle::BundleError;
use crate::host::disk::DiskError;
use crate::ledger::LogError;
use crate::ledger::policy::PolicyError;
use crate::tuf::TufError;

/// The exit codes (`docs/commands.md`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed: input or output, or a bad file.
    Failed = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// Refused by a blocking check.
    Refused = 3,
    /// Not approved: wrong confirmation or passphrase, too few officers.
    NotApproved = 4,
    /// The log was tampered with.
    Tampered = 10,
    /// The log forked: two heads that do not belong to one log.
    Forked = 11,
    /// The log was rolled back, or is stale.
    RolledBack = 12,
    /// Unwitnessed past the policy's window.
    Unwitnessed = 13,
    /// In doubt: an intent to sign without a result.
    InDoubt = 14,
    /// The service refused, or gave no answer that can be used; nothing was changed there (`countersign-courier`).
    ServiceRefused = 20,
    /// It is not known what became of an act at the service (`countersign-courier`).
    ServiceUnknown = 21,
}

impl Exit {
    /// All of them, in order.
    #[cfg(feature = "station")]
    pub(super) const ALL: [Exit; 12] = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Refused,
        Exit::NotApproved,
        Exit::Tampered,
        Exit::Forked,
        Exit::RolledBack,
        Exit::Unwitnessed,
        Exit::InDoubt,
        Exit::ServiceRefused,
        Exit::ServiceUnknown,
    ];

    /// What it says, for the manual.
    #[cfg(feature = "station")]
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "Done.",
            Exit::Failed => "Failed: input or output, or a bad file.",
            Exit::Usage => "The arguments are wrong.",
            Exit::Refused => "Refused by a blocking check; nobody can force it.",
            Exit::NotApproved => "Not approved: wrong words or passphrase, too few officers, or stopped.",
            Exit::Tampered => "The log was tampered with.",
            Exit::Forked => "The log forked.",
            Exit::RolledBack => "The log was rolled back, or is stale.",
            Exit::Unwitnessed => "No witness cosigned the log within the policy's window.",
            Exit::InDoubt => "In doubt: an intent to sign without a result.",
            Exit::ServiceRefused => "The service refused; nothing was changed there.",
            Exit::ServiceUnknown => {
                "It is not known what became of an act at the service; the message says how to find out."
            }
        }
    }

    /// Is it one of the connected side's own?
    #[cfg(feature = "station")]
    pub(super) fn is_couriers(self) -> bool {
        matches!(self, Exit::ServiceRefused | Exit::ServiceUnknown)
    }
}

/// A command that did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened, to what, and what to do next. Foreign text in it is escaped.
    pub message: String,
}

/// What a command comes to.
pub(crate) type Outcome = Result<Exit, Failure>;

impl Failure {
    /// A failure with its exit code.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into() }
    }

    /// Wrong arguments.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, message)
    }
}

/// The text of a file that was read.
pub(super) fn text_in<'b>(path: &std::path::Path, bytes: &'b [u8]) -> Result<&'b str, Failure> {
    let failed = |why| Failure::new(Exit::Failed, format!("{}: {why}", crate::text::shown_path(path)));
    crate::text::utf8(bytes).map_err(failed)
}

pub(super) fn failed(e: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Failed, e.to_string())
}

impl From<DiskError> for Failure {
    fn from(e: DiskError) -> Failure {
        failed(&e)
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Failure {
        failed(&e)
    }
}

impl From<BundleError> for Failure {
    fn from(e: BundleError) -> Failure {
        match e {
            BundleError::Tuf(e) => e.into(),
            other => failed(&other),
        }
    }
}

impl From<TufError> for Failure {
    fn from(e: TufError) -> Failure {
        // Well-formed, and not to be trusted: that is a refusal. Anything else is a bad file.
        let refused = matches!(
            e,
            TufError::Threshold { .. }
                | TufError::Chain(_)
                | TufError::Unreachable { .. }
                | TufError::CiRoot { .. }
                | TufError::OtherDialect { .. }
        );
        Failure::new(if refused { Exit::Refused } else { Exit::Failed }, e.to_string())
    }
}

impl From<PolicyError> for Failure {
    fn from(e: PolicyError) -> Failure {
        failed(&e)
    }
}

impl From<LogError> for Failure {
    fn from(e: LogError) -> Failure {
        let exit = if matches!(e, LogError::Tampered { .. }) { Exit::Tampered } else { Exit::Failed };
        Failure::new(exit, e.to_string())
    }
}
