//! What the log says about the station's signatures: the side that published documents are compared with.

use crate::audit::{AuditError, Pack};
use crate::ledger::Kind;
use crate::ledger::store::Head;
use crate::tuf::{Dialect, PublicKey, Root};
use std::collections::{BTreeMap, BTreeSet};

/// One signature, as the log has it.
pub(super) struct Logged {
    pub(super) seq: u64,
    pub(super) keyid: String,
    pub(super) sig: Vec<u8>,
    pub(super) tag: String,
    pub(super) version: u64,
}

/// What the log says about signatures.
#[derive(Default)]
pub(super) struct Record {
    pub(super) dialect: Option<Dialect>,
    /// By the digest of the signed bytes.
    pub(super) signatures: BTreeMap<String, Vec<Logged>>,
    /// Keys that this station held or signed with.
    pub(super) keyids: BTreeSet<String>,
    pub(super) keys: BTreeMap<String, PublicKey>,
}

impl Record {
    /// Reads it from a pack's log.
    pub(super) fn read(pack: &Pack<'_>, head: &Head) -> Result<Self, AuditError> {
        let mut record = Record::default();
        let mut roots = Vec::new();
        pack.each_entry(head, |entry| {
            match entry.kind() {
                Kind::StationCreated => record.dialect = Dialect::parse(&entry.text("dialect")),
                Kind::RootPinned | Kind::RootUpdated => roots.push(entry.text("object").into_owned()),
                Kind::SignResult => {
                    let keyid = entry.text("keyid").into_owned();
                    record.keyids.insert(keyid.clone());
                    let dialect = record.dialect.unwrap_or(Dialect::Factory);
                    let sig = dialect.decode_signature(&entry.text("sig")).unwrap_or_default();
                    let logged = Logged {
                        seq: entry.seq(),
                        keyid,
                        sig,
                        tag: entry.text("tag").into_owned(),
                        version: entry.int("version"),
                    };
                    record.signatures.entry(entry.text("signed").into_owned()).or_default().push(logged);
                }
                // Only these tell of the station's own keys: the service's online key is named in entries too, and is not ours.
                Kind::KeyImported
                | Kind::KeyGenerated
                | Kind::KeySealed
                | Kind::KeyDrilled
                | Kind::KeyBackedUp
                | Kind::KeyRestored
                | Kind::KeyRetired
                | Kind::SignIntent
                | Kind::SignAborted
                | Kind::SignInDoubt => {
                    record.keyids.insert(entry.text("keyid").into_owned());
                }
                _ => {}
            }
            Ok(true)
        })?;
        for object in roots {
            let root = Root::parse("root", &pack.object(&object)?)?;
            record.keys.extend(root.keys.into_iter().map(|(id, key)| (id.as_str().to_owned(), key)));
        }
        Ok(record)
    }
}
