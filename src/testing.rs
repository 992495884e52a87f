//! What this repository's own tests, benches, examples and fuzz targets reach of the rooms: no entrance for other programs.

pub mod audit {
    pub use crate::audit::{AuditError, Options, Outcome, Pack, RemarkKind, Verdict};
    pub mod elsewhere {
        pub use crate::audit::elsewhere::Elsewhere;
    }
    pub mod report {
        pub use crate::audit::report::ceremony;
    }
    pub mod state {
        pub use crate::audit::state::State;
    }
    pub mod verdict {
        pub use crate::audit::verdict::{Compare, verify};
    }
    pub mod who {
        pub use crate::audit::who::{Question, find, strength_words};
    }
}
pub mod bundle {
    pub use crate::bundle::{FileFacts, RequestKind, RequestManifest, WaveList};
    pub mod compose {
        pub use crate::bundle::compose::{Parameters, compose};
    }
    pub mod evidence {
        pub use crate::bundle::evidence::WaveList;
    }
    pub mod intake {
        pub use crate::bundle::intake::{BareFacts, take_in};
    }
    pub mod manifest {
        pub use crate::bundle::manifest::RequestManifest;
    }
    pub mod slip {
        pub use crate::bundle::slip::Slip;
    }
    pub mod source {
        pub use crate::bundle::source::{Ask, Asked, compose_request, write_request};
    }
}
pub mod ceremony {
    pub mod prepare {
        pub use crate::ceremony::prepare::with_review;
    }
    pub mod tool {
        pub use crate::ceremony::tool::session;
    }
}
pub mod cli {
    pub use crate::cli::{Exit, command, run};
    pub mod audit {
        pub use crate::cli::audit::program::run;
    }
    #[cfg(feature = "courier")]
    pub mod courier {
        pub use crate::cli::courier::command;
    }
}
/// What the connected side makes of an answer's body: the client itself speaks to a service.
#[cfg(feature = "courier")]
pub mod courier {
    use crate::courier::{Page, Wave, WaveStatus, typed};
    use serde::{Serialize, de::DeserializeOwned};

    pub use crate::courier::error_message;

    /// The body read as each form that the service's answers have, and written; or the refusal.
    pub fn read_again(body: &[u8]) -> [Result<Vec<u8>, String>; 3] {
        [read_as::<Page>(body), read_as::<Wave>(body), read_as::<WaveStatus>(body)]
    }

    fn read_as<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<Vec<u8>, String> {
        let read: T = typed("the answer", body).map_err(|refusal| refusal.to_string())?;
        serde_json::to_vec(&read).map_err(|e| e.to_string())
    }
}
pub mod host {
    pub use crate::host::{
        Bytes, Confinement, Disk, Host, Machine, Random, Reach, RealDisk, Stamp, Terminal,
    };
    pub mod clock {
        pub use crate::host::clock::{Clock, SystemClock, Time};
    }
    pub mod disk {
        pub use crate::host::disk::{Disk, DiskError, DiskResult, Entry, Kind};
    }
    pub mod machine {
        pub use crate::host::machine::RealMachine;
    }
    pub mod random {
        pub use crate::host::random::SystemRandom;
    }
}
pub mod json {
    pub use crate::json::{Document, Limits, Value, canonical};
}
pub mod ledger {
    pub use crate::ledger::{
        Act, Approval, Decision, Entry, Event, Kind, Log, LogError, Record, SignedAct, SignedApproval, export,
    };
    pub mod acts {
        pub use crate::ledger::acts::{FORMAT, SIGNED_AGAIN};
    }
    pub mod approval {
        pub use crate::ledger::approval::{Approval, SignedApproval};
    }
    pub mod custody {
        pub use crate::ledger::custody::NEVER_FINISHED;
    }
    pub mod rules {
        pub use crate::ledger::rules::result_of;
    }
    pub mod entry {
        pub use crate::ledger::entry::Entry;
    }
    pub mod field {
        pub use crate::ledger::field::{ApprovalAt, Field, RequestFile, Shape};
    }
    pub mod record {
        pub use crate::ledger::record::{
            AnchorJudged, BundleExported, Decided, Deviation, EvidenceVerified, LogExported, LogVerified,
            OfficerAdded, OfficerAuthFailed, OfficerRetired, OnlineKeyPinned, PolicyChanged, RequestImported,
            RequestRejected, ReviewRendered, RootPinned, RootUpdated, SealedKey, Selftest, SessionClosed,
            SessionOpened, SignInDoubt, SignIntent, StationCreated, TimeStatement, WitnessAdded,
            WitnessCosigned,
        };
    }
}
pub mod rehearsal {
    pub use crate::rehearsal::{Factory, Spacing};
    pub mod hostile {
        pub use crate::rehearsal::hostile::Shape;
    }
}
pub mod review {
    pub use crate::review::{Baseline, BaselineSource, Carried, CiTargets, Situation, review};
    pub mod situation {
        pub use crate::review::situation::{Baseline, BaselineSource, Carried, Situation};
    }
}
pub mod station {
    pub use crate::station::{History, Policy, Session, Station, StoredRequest, TagHistory};
    pub mod policy {
        pub use crate::station::policy::DEFAULT;
    }
    pub mod request {
        pub use crate::station::request::open;
    }
}
pub mod threads {
    pub use crate::threads::LONG;
}
pub mod tlog {
    pub use crate::tlog::{FlawKind, VerifierKey, consistency};
    pub mod checkpoint {
        pub use crate::tlog::checkpoint::Checkpoint;
    }
    pub mod note {
        pub use crate::tlog::note::{Note, NoteSigner, VerifierKey};
    }
    pub mod proof {
        pub use crate::tlog::proof::Proof;
    }
    pub mod tree {
        pub use crate::tlog::tree::{Hash, Nodes, Tree, continues, leaf_hash};
    }
}
pub mod tuf {
    pub use crate::tuf::{
        Authority, Chain, Dialect, Digest, KeyId, Message, PrivateKey, PublicKey, Root, Targets, keyfile,
    };
    pub mod signature {
        pub use crate::tuf::signature::assess;
    }
    pub mod targets {
        pub use crate::tuf::targets::list;
    }
}
pub mod vault {
    pub mod backup {
        pub use crate::vault::backup::{Places, backup};
    }
    pub mod keys {
        pub use crate::vault::keys::{Sealing, open_key};
    }
    pub mod officer {
        pub use crate::vault::officer::{
            MadeOfficer, NewOfficer, OfficerName, OfficerPublic, OpenOfficer, open,
        };
    }
    pub mod paper {
        pub use crate::vault::paper::Scans;
    }
    pub mod restore {
        pub use crate::vault::restore::{Restored, plan, read_scans};
    }
    pub mod seal {
        pub use crate::vault::seal::{WorkFactor, unseal_with_passphrase};
    }
    pub mod sealed {
        pub use crate::vault::sealed::{Holders, KeyMeta};
    }
    pub mod share {
        pub use crate::vault::share::{Share, combine};
    }
}
pub mod text {
    pub use crate::text::shown;
}
pub mod words {
    pub use crate::words::{confirmation, of, of_digest, parse};
}
