//! What the log says that this station is, trusts and demands: the one walk over the log, when the station is opened, fills
//! it from the entries and the objects that they name. No file beside the log says any of it again.

use super::signatures::Signatures;
use super::{Layout, Policy, Since, StationError, Trust};
use crate::host::Bytes;
use crate::ledger::record::{RootPinned, RootUpdated, StationCreated};
use crate::ledger::{Entry, Kind, LogError, Record, State, rules};
use crate::text::shown_path;
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::{Chain, Dialect, KeyId, Root, TufError};
use crate::vault::sealed::SealedKey;

/// What the station is, as the first entry of its log has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The one Factory or repository that it signs for.
    pub factory: String,
    /// The dialect of its root: pinned here, never told from a file that is to be signed.
    pub dialect: Dialect,
    /// Was it made on a machine with a network?
    pub networked: bool,
}

/// Reads an object of the log.
pub(crate) type Objects<'a> = &'a dyn Fn(&str) -> Result<Bytes, LogError>;

/// What the log says, after the entries seen so far.
#[derive(Default)]
pub(crate) struct Logged {
    facts: Option<Facts>,
    chain: Option<Chain>,
    online: Option<KeyId>,
    /// What the log adds up to.
    pub(super) state: State,
    /// What changed since the last signature.
    pub(super) since: Since,
    /// What was signed.
    pub(super) signatures: Signatures,
}

impl Logged {
    /// Does the next entry keep the rules? Returns the policy that it puts in force.
    ///
    /// # Errors
    /// The rule that it breaks, a signature that does not hold, or a policy that cannot be read.
    pub(crate) fn judge(
        &self,
        entry: &Entry<'_>,
        objects: Objects<'_>,
    ) -> Result<Option<Policy>, StationError> {
        if matches!(entry.record(), Record::StationCreated(StationCreated { format: None, .. })) {
            return Err(StationError::Old);
        }
        let refuse = |flaw: Flaw| StationError::from(LogError::from(flaw.at(entry.seq())));
        let policy = match entry.record().policy() {
            Some(name) => Some(Policy::read(&objects(name)?)?),
            None => None,
        };
        rules::judge(&self.state, entry, policy.as_ref()).map_err(refuse)?;
        let signature = self.state.acts.signature(entry).filter(|signed| is_relied_on(&signed.act.act));
        match signature.is_none_or(|signed| signed.holds()) {
            true => Ok(policy),
            false => {
                Err(refuse(Flaw::new(FlawKind::Act, "the officer's signature under the act does not hold")))
            }
        }
    }

    /// Takes the next entry into account, with the policy that it puts in force.
    ///
    /// # Errors
    /// The dialect is not known, or a root does not follow from those before it.
    pub(crate) fn see(
        &mut self,
        entry: &Entry<'_>,
        policy: Option<Policy>,
        objects: Objects<'_>,
    ) -> Result<(), StationError> {
        match entry.record() {
            Record::StationCreated(created) => {
                let unknown = || Flaw::new(FlawKind::Contradiction, "the dialect is not one that is known");
                let dialect = Dialect::parse(&created.dialect);
                self.facts = Some(Facts {
                    factory: created.factory.to_string(),
                    dialect: dialect.ok_or_else(|| LogError::from(unknown().at(entry.seq())))?,
                    networked: created.networked,
                });
            }
            Record::RootPinned(RootPinned { version, object, .. })
            | Record::RootUpdated(RootUpdated { version, object, .. }) => {
                let bytes = objects(object)?;
                let root = Root::of_file(&format!("{version}.root.json"), &bytes);
                let extended = root.and_then(|root| match &mut self.chain {
                    Some(chain) => chain.extend(root),
                    none => Chain::verify(vec![root]).map(|chain| *none = Some(chain)),
                });
                let flaw = |e: TufError| Flaw::new(FlawKind::Contradiction, e.to_string()).at(entry.seq());
                extended.map_err(|e| LogError::from(flaw(e)))?;
            }
            Record::OnlineKeyPinned(online) => self.online = Some(KeyId::new(online.keyid.to_string())),
            _ => {}
        }
        self.since.see(entry, &self.state.custody);
        self.signatures.see(entry);
        self.state.apply(entry, policy);
        Ok(())
    }

    /// What the station is, the policy in force, and whom it trusts.
    ///
    /// # Errors
    /// The log does not say it, or has a root of another dialect than the station's.
    pub(crate) fn in_force(&self) -> Result<(Facts, Policy, Trust), StationError> {
        let unsaid = |why: &str| LogError::from(Flaw::new(FlawKind::Contradiction, why).at(0));
        let (Some(facts), Some(policy), Some(chain)) = (&self.facts, &self.state.policy, &self.chain) else {
            return Err(unsaid("the log does not say what the station is, and which root it trusts").into());
        };
        let newest = chain.newest();
        if facts.dialect != newest.dialect || (newest.dialect.has_service() && self.online.is_none()) {
            return Err(unsaid(
                "the pinned root is of another dialect than the station, or without its service's key",
            )
            .into());
        }
        Ok((facts.clone(), policy.clone(), Trust { chain: chain.clone(), online: self.online.clone() }))
    }

    /// Checks that a key is sealed as the log says that it was sealed last: an older folder put back would open with
    /// those who no longer hold it.
    ///
    /// # Errors
    /// It is sealed otherwise.
    pub(crate) fn check_key(&self, layout: &Layout, key: &SealedKey) -> Result<(), StationError> {
        let path = layout.keys().join(&key.keyid);
        let Some(logged) = self.state.custody.key(&key.keyid) else {
            return Err(StationError::NotAsLogged(format!(
                "{}: the log knows nothing of this key: the file was put here outside countersign. Do not sign; keep a \
                 copy of the folder, remove the file, and call the auditor",
                shown_path(&path)
            )));
        };
        if logged.sealing == key.sealing() {
            return Ok(());
        }
        if logged.may_be(&key.sealing()) {
            return Err(StationError::NotAsLogged(format!(
                "{}: the key is not sealed as log entry {} has it: the station stopped while it was sealed anew. Seal it \
                 again with those who hold it now (countersign key reseal), or restore it from its paper backup",
                shown_path(&path),
                logged.seq
            )));
        }
        Err(StationError::NotAsLogged(format!(
            "{}: the key is not sealed as log entry {} has it: an older folder was put here outside countersign, and it is \
             stale. Do not sign; keep a copy of the folder, and call the auditor. Then restore the key from its newest \
             paper backup (countersign key restore)",
            shown_path(&path),
            logged.seq
        )))
    }

    /// As [`Logged::check_key`], for sealing the key anew: where the station stopped while that was done, the sealing
    /// before may be the one on the disk, and those who hold it go on.
    ///
    /// # Errors
    /// It is sealed otherwise.
    pub(crate) fn check_key_to_reseal(&self, layout: &Layout, key: &SealedKey) -> Result<(), StationError> {
        match self.state.custody.key(&key.keyid) {
            Some(logged) if logged.may_be(&key.sealing()) => Ok(()),
            _ => self.check_key(layout, key),
        }
    }
}

/// Does the station go by this act whenever it is opened? What was opened, drilled or taken in was verified when it was
/// done, gives nobody anything now, and is verified again in each audit.
fn is_relied_on(act: &str) -> bool {
    ![Kind::SignIntent, Kind::KeyDrilled, Kind::RequestImported].iter().any(|kind| kind.name() == act)
}
