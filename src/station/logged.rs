//! What the log says that this station trusts. The log is the authority: the files beside it are compared with it each
//! time the station is opened, so that nobody is made an officer, and no root, policy or online key is put in force, by
//! exchanging a file.
//!
//! A change is in the log before its file is written. Where a crash came between the two, the file is brought in line
//! from the log's own objects; any other difference stops the station and names the file and the entry.

use super::trust::OnlineKey;
use super::workstation::StationFile;
use super::{Layout, Policy, Since, StationError};
use crate::host::disk::write_durably;
use crate::host::{Bytes, Disk};
use crate::ledger::record::{RootPinned, RootUpdated};
use crate::ledger::{Demand, Entry, Kind, Log, LogError, Record, State};
use crate::text::{shown, shown_path};
use crate::tlog::{Flaw, FlawKind};
use crate::tuf::{Chain, Digest, KeyId};
use crate::vault::officer;
use crate::vault::sealed::SealedKey;
use std::collections::BTreeMap;
use std::path::Path;

/// A fact and the entry that it stands in.
struct Fact<T> {
    says: T,
    seq: u64,
}

struct LoggedRoot {
    fingerprint: String,
    object: String,
}

struct LoggedPolicy {
    digest: String,
    /// The one before it, which a crash may have left on disk.
    before: String,
}

struct LoggedOnline {
    keyid: String,
    before: String,
    object: String,
}

/// Reads an object of the log.
pub(crate) type Objects<'a> = &'a dyn Fn(&str) -> Result<Bytes, LogError>;

/// What the log says, after the entries seen so far.
#[derive(Default)]
pub(crate) struct Logged {
    made: Option<Fact<(String, String, bool)>>,
    roots: BTreeMap<u64, Fact<LoggedRoot>>,
    policy: Option<Fact<LoggedPolicy>>,
    online: Option<Fact<LoggedOnline>>,
    /// What the log adds up to.
    pub(super) state: State,
    /// What changed since the last signature.
    pub(super) since: Since,
}

impl Logged {
    /// Is the next entry an act that is signed by those who have to sign it?
    ///
    /// # Errors
    /// It is not, or a policy that it names cannot be read.
    pub(crate) fn judge(&self, entry: &Entry<'_>, objects: Objects<'_>) -> Result<(), StationError> {
        let refuse = |flaw: Flaw| StationError::from(LogError::from(flaw.at(entry.seq())));
        let mut approvals = 0;
        if let Record::PolicyChanged(changed) = entry.record() {
            for name in [&*changed.from, &changed.to] {
                let policy = Policy::read(&objects(name)?)?;
                approvals = policy.approvals.max(approvals);
            }
        }
        let custody = self.state.custody.flaw(entry);
        if let Some(flaw) =
            custody.or_else(|| self.state.acts.flaw(entry, &self.state.custody, approvals.into()))
        {
            return Err(refuse(flaw));
        }
        let signature = self.state.acts.signature(entry).filter(|signed| is_relied_on(&signed.act.act));
        match signature.is_none_or(|signed| signed.holds()) {
            true => Ok(()),
            false => {
                Err(refuse(Flaw::new(FlawKind::Act, "the officer's signature under the act does not hold")))
            }
        }
    }

    /// Takes the next entry into account.
    ///
    /// # Errors
    /// A policy that it puts in force cannot be read.
    pub(crate) fn see(&mut self, entry: &Entry<'_>, objects: Objects<'_>) -> Result<(), StationError> {
        let seq = entry.seq();
        let policy = match entry.record() {
            Record::StationCreated(created) => Some(&created.policy),
            Record::PolicyChanged(changed) => Some(&changed.to),
            _ => None,
        };
        if let Some(policy) = policy {
            let demand = Demand::of_policy(&objects(policy)?).unwrap_or_default();
            self.state.anchors.set_demand(demand, entry.time());
        }
        self.since.see(entry, &self.state.custody);
        self.state.apply(entry);
        match entry.record() {
            Record::StationCreated(created) => {
                let says = (created.factory.to_string(), created.dialect.to_string(), created.networked);
                self.made = Some(Fact { says, seq });
                let says = LoggedPolicy { digest: created.policy.to_string(), before: String::new() };
                self.policy = Some(Fact { says, seq });
            }
            Record::PolicyChanged(changed) => {
                let says = LoggedPolicy { digest: changed.to.to_string(), before: changed.from.to_string() };
                self.policy = Some(Fact { says, seq });
            }
            Record::RootPinned(RootPinned { version, fingerprint, object, .. })
            | Record::RootUpdated(RootUpdated { version, fingerprint, object, .. }) => {
                let says = LoggedRoot { fingerprint: fingerprint.to_string(), object: object.to_string() };
                self.roots.insert(*version, Fact { says, seq });
            }
            Record::OnlineKeyPinned(online) => {
                let says = LoggedOnline {
                    keyid: online.keyid.to_string(),
                    before: online.from.to_string(),
                    object: online.object.to_string(),
                };
                self.online = Some(Fact { says, seq });
            }
            _ => {}
        }
        Ok(())
    }

    /// Compares what the station says of itself.
    ///
    /// # Errors
    /// It says something else than the log.
    pub(crate) fn check_station(&self, layout: &Layout, facts: &StationFile) -> Result<(), StationError> {
        let Some(Fact { says: (factory, dialect, networked), seq }) = &self.made else { return Ok(()) };
        if !self.state.acts.are_signed() {
            return Err(StationError::Old(shown_path(&layout.station_file())));
        }
        let same = facts.factory == *factory && facts.dialect == *dialect && facts.networked == *networked;
        if same { Ok(()) } else { Err(differs(&layout.station_file(), *seq, "what the station is")) }
    }

    /// The policy in force: the file, or the log's own copy where a crash came before the file was written.
    ///
    /// # Errors
    /// The file is not the policy that the log has.
    pub(crate) fn policy(
        &self,
        disk: &dyn Disk,
        layout: &Layout,
        log: &Log,
        may_write: bool,
        mended: &mut Vec<String>,
    ) -> Result<Policy, StationError> {
        let path = layout.policy();
        if let Some(policy) = self.policy.as_ref().filter(|_| matches!(disk.kind(&path), Ok(None))) {
            return Err(differs(&path, policy.seq, "the policy"));
        }
        let bytes = disk.read(&path, super::policy::MAX_POLICY_BYTES)?;
        let Some(Fact { says, seq }) = &self.policy else { return Ok(Policy::read(&bytes)?) };
        let found = Digest::of(&bytes).to_string();
        if found == says.digest {
            return Ok(Policy::read(&bytes)?);
        }
        if found != says.before {
            return Err(differs(&path, *seq, "the policy"));
        }
        let bytes = log.get_object(&says.digest)?;
        if may_write {
            write_durably(disk, &path, 0o600, &[&bytes])?;
            mended.push(put_right(&path, *seq));
        }
        Ok(Policy::read(&bytes)?)
    }

    /// Writes the root files, and the online key's, that a crash kept from being written, and says which: whoever reads
    /// the log sees that they were not there. Where nothing may be written, one that is missing stops the command.
    ///
    /// # Errors
    /// The disk, a missing file, or the log's copy is not whole.
    pub(crate) fn mend_trust(
        &self,
        disk: &dyn Disk,
        layout: &Layout,
        log: &Log,
        may_write: bool,
    ) -> Result<Vec<String>, StationError> {
        let mut mended = Vec::new();
        let mut put_right = |path: &Path, seq: u64, object: &str| {
            mended.push(put_right(path, seq));
            write_durably(disk, path, 0o600, &[&log.get_object(object)?]).map_err(StationError::from)
        };
        for (version, root) in &self.roots {
            let path = layout.roots().join(format!("{version}.root.json"));
            if disk.kind(&path)?.is_some() {
                continue;
            }
            if !may_write {
                return Err(differs(&path, root.seq, "the pinned root"));
            }
            put_right(&path, root.seq, &root.says.object)?;
        }
        let Some(Fact { says, seq }) = &self.online else { return Ok(mended) };
        let path = layout.online_key();
        if disk.kind(&path)?.is_none() {
            return Err(differs(&path, *seq, "the service's online key"));
        }
        let is_before = says.before != says.keyid
            && OnlineKey::read(disk, &path)?.public.factory_keyid().as_str() == says.before;
        if is_before && may_write {
            put_right(&path, *seq, &says.object)?;
        }
        Ok(mended)
    }

    /// Compares the root chain and the online key.
    ///
    /// # Errors
    /// They are not those that the log has.
    pub(crate) fn check_trust(
        &self,
        layout: &Layout,
        chain: &Chain,
        online: Option<&KeyId>,
    ) -> Result<(), StationError> {
        for root in chain.roots() {
            let path = layout.roots().join(format!("{}.root.json", root.version));
            match self.roots.get(&root.version) {
                Some(Fact { says, .. }) if says.fingerprint == root.fingerprint.to_string() => {}
                Some(Fact { seq, .. }) => return Err(differs(&path, *seq, "the root")),
                None => return Err(unknown(&path, "this root")),
            }
        }
        let known = |version: &u64| chain.version(*version).is_some();
        if let Some((version, fact)) = self.roots.iter().find(|(version, _)| !known(version)) {
            let path = layout.roots().join(format!("{version}.root.json"));
            return Err(differs(&path, fact.seq, "a root that is missing here"));
        }
        match &self.online {
            Some(Fact { says, seq }) if online.is_none_or(|online| online.as_str() != says.keyid) => {
                Err(differs(&layout.online_key(), *seq, "the online targets key"))
            }
            _ => Ok(()),
        }
    }

    /// Compares the officers. One whom the log has retired is retired here too, if a crash came between.
    ///
    /// # Errors
    /// An officer's public half is not the one that the log has, or the log has none.
    pub(crate) fn check_officers(
        &self,
        disk: &dyn Disk,
        layout: &Layout,
        may_write: bool,
        now: crate::host::clock::Time,
    ) -> Result<(), StationError> {
        let folder = layout.officers();
        let officers =
            officer::list(disk, &folder).map_err(|e| StationError::Contradiction(e.to_string()))?;
        for public in &officers {
            let path = folder.join(format!("{}.pub", public.name));
            let Some(logged) = self.state.custody.officer(public.name.as_str()) else {
                return Err(unknown(&path, "this officer"));
            };
            if logged.recipient != public.recipient || logged.key != public.approval_key {
                return Err(differs(&path, logged.seq, "the officer's keys"));
            }
            if logged.is_retired && public.is_active() && may_write {
                officer::retire(disk, &folder, &public.name, now)
                    .map_err(|e| StationError::Contradiction(e.to_string()))?;
            }
        }
        Ok(())
    }

    /// Checks that every officer who serves has her files: nobody else may come in her place. One whose adding was cut
    /// short by a crash has none yet.
    ///
    /// # Errors
    /// An officer's files are missing.
    pub(crate) fn check_no_officer_is_missing(
        &self,
        disk: &dyn Disk,
        layout: &Layout,
    ) -> Result<(), StationError> {
        for (name, logged) in self.state.custody.officers() {
            if logged.is_retired || !logged.is_finished {
                continue;
            }
            for end in ["pub", "age"] {
                let path = layout.officers().join(format!("{name}.{end}"));
                if disk.kind(&path)?.is_none() {
                    let name = shown(name);
                    return Err(StationError::NotAsLogged(format!(
                        "{}: the file of the officer {name}, whom log entry {} has, is missing: it was removed outside \
                         countersign. Do not sign; keep a copy of the folder, and call the auditor. Then bring her back \
                         from her paper sheet (countersign key restore), or retire her (countersign officer retire {name})",
                        shown_path(&path),
                        logged.seq
                    )));
                }
            }
        }
        Ok(())
    }

    /// Checks that a key is sealed as the log says that it was sealed last: an older folder put back would open with
    /// those who no longer hold it.
    ///
    /// # Errors
    /// It is sealed otherwise.
    pub(crate) fn check_key(&self, layout: &Layout, key: &SealedKey) -> Result<(), StationError> {
        let path = layout.keys().join(&key.keyid);
        let Some(logged) = self.state.custody.key(&key.keyid) else {
            return Err(unknown(&path, "this key"));
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

/// What the log says of a file that is brought in line with it.
fn put_right(path: &Path, seq: u64) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{} was not as entry {seq} has it, and was put right from the log", shown(&name))
}

fn differs(path: &Path, seq: u64, what: &str) -> StationError {
    StationError::NotAsLogged(format!(
        "{}: {what} is not as log entry {seq} has it: the file was exchanged outside countersign. Do not sign; put the \
         file back, keep a copy of the folder, and call the auditor",
        shown_path(path)
    ))
}

fn unknown(path: &Path, what: &str) -> StationError {
    StationError::NotAsLogged(format!(
        "{}: the log knows nothing of {}: the file was put here outside countersign. Do not sign; keep a copy of the \
         folder, remove the file, and call the auditor",
        shown_path(path),
        shown(what)
    ))
}
