//! The station itself: made once, opened by one process at a time, and everything that it remembers in one place.

use super::logged::{Facts, Objects};
use super::signatures::Signatures;
use super::trust::{OnlineKey, Trust, online_key_in, service_key_in};
use super::{History, Layout, Logged, Policy, SeenMark, Shown, Since, StationError, Taken, policy};
use crate::host::clock::{Stamp, Time};
use crate::host::disk::{ensure_folder, is_free, parent};
use crate::host::{Disk, Host, Program};
use crate::ledger::objects;
use crate::ledger::record::{
    EvidenceSeen, OnlineKeyPinned, PolicyChanged, RootPinned, RootRejected, RootUpdated, SessionClosed,
    SessionOpened, StationCreated,
};
use crate::ledger::{Act, Entry, Event, Log, LogError, Recovery, State, acts};
use crate::text::{one_line, shown};
use crate::tuf::{Chain, Digest, KeyId, Root};
use crate::vault::officer::OpenOfficer;
use crate::vault::sealed::SealedKey;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a new station is made of.
pub(crate) struct NewStation {
    /// The Factory's or repository's name.
    pub factory: String,
    /// The production root chain, verified and confirmed by the officer.
    pub chain: Chain,
    /// The service's online targets key; a repository without a service has none.
    pub online_key: Option<OnlineKey>,
    /// Approvals that the policy asks for.
    pub approvals: u32,
    /// Is this a machine with a network?
    pub networked: bool,
    /// What the log that this one continues hands on.
    pub legacy: Option<Inheritance>,
}

/// What a log hands on to the one that continues it.
pub(crate) struct Inheritance {
    /// The first entries.
    pub events: Vec<Event>,
    /// The old head that they name.
    pub note: String,
    /// The old log's folder, which was verified …
    pub from: PathBuf,
    /// … and its objects that the entries name.
    pub objects: BTreeSet<String>,
}

/// An open station. The lock of one that may be written is held until it is dropped.
pub struct Station {
    /// Where it keeps what.
    pub layout: Layout,
    /// What it is.
    pub facts: Facts,
    /// The policy in force.
    pub policy: Policy,
    /// The pinned roots and online key.
    pub trust: Trust,
    /// What it signed and saw.
    pub history: History,
    /// Who took the requests in.
    pub taken: Taken,
    /// Which reviews it showed.
    pub shown: Shown,
    /// What its log says that it trusts.
    logged: Logged,
    /// Its log.
    pub log: Log,
    /// What opening the log found.
    pub recovery: Recovery,
    disk: Arc<dyn Disk>,
    session: Option<Session>,
    /// The command whose session the log has opened; nothing before its first entry.
    begun: String,
    _lock: Option<File>,
}

/// Who works on the station and with what: written to the log before the first entry of a command.
#[derive(Clone, Debug)]
pub struct Session {
    /// The command, as `import`.
    pub command: String,
    /// The running program.
    pub program: Program,
    /// Who is at the keyboard, as far as the system knows.
    pub actor: String,
}

impl Session {
    /// SHA-256 of the running program; nothing when it cannot be read.
    fn binary(&self) -> &str {
        self.program.sha256().unwrap_or_default()
    }
}

/// The actor of entries that no officer stands behind.
pub(crate) const STATION_ACTOR: &str = "station";

/// `countersign` and its version, as logs and manifests name it.
pub(crate) fn tool() -> String {
    format!("countersign {}", crate::release::VERSION)
}

impl Station {
    /// Makes a station in a new folder. It is written beside the folder first, so that a station is whole or not there.
    ///
    /// # Errors
    /// There is something at the folder, the online key is not the root's, or the disk.
    pub(crate) fn create(
        host: &Host,
        folder: &Path,
        new: NewStation,
        session: &Session,
    ) -> Result<Station, StationError> {
        if !is_factory_name(&new.factory) {
            return Err(StationError::FactoryName(new.factory));
        }
        let disk = host.disk.clone();
        Station::require_free(&*disk, folder)?;
        let newest = new.chain.newest();
        newest.require_reachable_thresholds()?;
        match &new.online_key {
            Some(online) => drop(service_key_in(newest, &online.public)?),
            None if newest.dialect.has_service() => return Err(StationError::NoOnlineKey),
            None => {}
        }
        let policy = Policy::read(policy::default_text(new.approvals).as_bytes())?;
        make_parents(&*disk, parent(folder))?;
        let part = parent(folder).join(format!(
            ".{}.part-{}",
            folder.file_name().unwrap_or_default().to_string_lossy(),
            std::process::id()
        ));
        let made = Station::write_new(host, &part, &new, &policy, session).and_then(|()| {
            disk.rename(&part, folder)?;
            disk.sync_folder(parent(folder))?;
            Ok(())
        });
        if let Err(e) = made {
            // Best effort: the first error is the one to report.
            let _ = std::fs::remove_dir_all(&part);
            return Err(e);
        }
        Station::open(host, folder, None)
    }

    /// Is there room for a new station? To be asked before an officer compares words.
    ///
    /// # Errors
    /// There is something at the folder.
    pub(crate) fn require_free(disk: &dyn Disk, folder: &Path) -> Result<(), StationError> {
        if is_free(disk, folder)? { Ok(()) } else { Err(StationError::Exists(folder.to_owned())) }
    }

    fn write_new(
        host: &Host,
        part: &Path,
        new: &NewStation,
        policy: &Policy,
        session: &Session,
    ) -> Result<(), StationError> {
        let disk = &*host.disk;
        let layout = Layout::new(part);
        disk.make_folder(part, 0o700)?;
        let mut seed = zeroize::Zeroizing::new([0u8; 32]);
        host.random.fill(&mut *seed).map_err(StationError::NoRandomness)?;
        let mut log = Log::create(host.disk.clone(), &layout.log(), &seed, &log_origin(&new.factory, &seed))?;
        for folder in [layout.officers(), layout.keys(), layout.requests()] {
            ensure_folder(disk, &folder, 0o700)?;
        }
        disk.create(&layout.lock(), 0o600, &[])?;
        let newest = new.chain.newest();
        let stamp = host.stamp();
        let policy_object = log.put_object(policy.text().as_bytes())?;
        let created = StationCreated {
            factory: (&new.factory).into(),
            fingerprint: newest.fingerprint.to_string().into(),
            dialect: newest.dialect.name().into(),
            tool: tool().into(),
            binary: session.binary().into(),
            networked: new.networked,
            log_key: log.key().to_string().into(),
            policy: policy_object.into(),
            format: Some(acts::FORMAT.into()),
        };
        log.append(&stamp, created.by(&session.actor))?;
        for root in new.chain.roots() {
            let object = log.put_object(&root.bytes)?;
            log.append(&stamp, root_pinned(root, &object, &session.actor))?;
        }
        if let Some(online) = &new.online_key {
            let object = log.put_object(&online.file)?;
            let keyid = online_key_in(newest, &online.public)?;
            log.append(&stamp, online_key_pinned("", &keyid, &object, &session.actor))?;
        }
        if let Some(Inheritance { events, note, from, objects }) = &new.legacy {
            log.put_object(note.as_bytes())?;
            for digest in objects {
                log.put_object_named(digest, &objects::get(disk, from, digest)?)?;
            }
            events.iter().try_for_each(|event| log.append(&stamp, event.clone()).map(drop))?;
        }
        log.checkpoint()?;
        Ok(())
    }

    /// Opens a station: reads everything, verifies the log.
    ///
    /// With a `session`, the command may write: it takes the station's lock, and an intent to sign without a result is
    /// recorded as in doubt. Without one it looks, also while another command works.
    ///
    /// # Errors
    /// There is none, another process works on it, a file was changed or is missing, or the log does not verify.
    pub fn open(host: &Host, folder: &Path, session: Option<Session>) -> Result<Station, StationError> {
        Station::open_where(host, folder, session, false)
    }

    /// Opens a station of which officers' files may be missing, for the acts that settle that: bringing an officer back
    /// from paper, and retiring her.
    ///
    /// # Errors
    /// As [`Station::open`].
    pub(crate) fn open_to_mend(
        host: &Host,
        folder: &Path,
        session: Session,
    ) -> Result<Station, StationError> {
        Station::open_where(host, folder, Some(session), true)
    }

    fn open_where(
        host: &Host,
        folder: &Path,
        session: Option<Session>,
        officers_may_be_missing: bool,
    ) -> Result<Station, StationError> {
        let disk = host.disk.clone();
        let layout = Layout::new(folder);
        if disk.kind(&layout.log())?.is_none() {
            return Err(StationError::NoStation(folder.to_owned()));
        }
        // Who only looks waits for nobody: what the newest checkpoint covers does not change any more.
        let lock = session.as_ref().map(|session| take_lock(&layout, session)).transpose()?;
        let dir = layout.log();
        let objects = |digest: &str| objects::get(&*disk, &dir, digest);
        let (mut logged, mut history) = (Logged::default(), History::default());
        let (mut taken, mut shown) = (Taken::default(), Shown::default());
        // The one walk over the log. What is wrong with an entry counts once the log as a whole is found to be whole.
        let mut judged = Ok(());
        let mut walk = |entry: &Entry<'_>| {
            if judged.is_ok() {
                judged = logged.judge(entry, &objects).and_then(|policy| {
                    see(entry, policy, &objects, &mut logged, &mut history, &mut taken, &mut shown)
                });
            }
        };
        let (log, recovery) = match &session {
            Some(_) => Log::open(disk.clone(), &dir, &host.stamp(), &mut walk)?,
            None => Log::look(disk.clone(), &dir, &mut walk)?,
        };
        judged?;
        let may_write = session.is_some();
        let (facts, policy, trust) = logged.in_force()?;
        let mut station = Station {
            layout,
            facts,
            policy,
            trust,
            history,
            taken,
            shown,
            logged,
            log,
            recovery,
            disk,
            session,
            begun: String::new(),
            _lock: lock,
        };
        if !officers_may_be_missing {
            station.check_no_identity_is_missing()?;
        }
        if may_write {
            let new: Vec<_> = station.log.open_intents().filter(|intent| !intent.recorded).cloned().collect();
            for intent in new {
                let in_doubt = intent.in_doubt("").by(STATION_ACTOR);
                station.record(&host.stamp(), in_doubt)?;
            }
            station.commit()?;
        }
        Ok(station)
    }

    /// The disk that the station is on.
    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Who works on it: the actor of entries that no officer stands behind.
    pub(crate) fn actor(&self) -> &str {
        self.session.as_ref().map_or(STATION_ACTOR, |session| &session.actor)
    }

    /// Whom the log says to have done what these officers sign: the first of them, or who works on the station.
    pub(crate) fn acting<'a>(&'a self, officers: &[&'a OpenOfficer]) -> &'a str {
        officers.first().map_or(self.actor(), |officer| officer.name().as_str())
    }

    /// SHA-256 of the running program.
    pub(crate) fn binary(&self) -> &str {
        self.session.as_ref().map_or("", Session::binary)
    }

    /// Adds an entry to the log, and before the first one that this command was begun. Not yet on disk: see
    /// [`Station::commit`].
    ///
    /// # Errors
    /// The log.
    pub fn record(&mut self, stamp: &Stamp, event: Event) -> Result<u64, StationError> {
        if let Some(session) = self.session.as_ref()
            && !session.command.is_empty()
        {
            let opened = SessionOpened {
                command: (&session.command).into(),
                tool: tool().into(),
                binary: session.binary().into(),
            };
            let opened = opened.by(&session.actor);
            self.write(stamp, opened)?;
            if let Some(session) = self.session.as_mut() {
                self.begun = std::mem::take(&mut session.command);
            }
        }
        self.write(stamp, event)
    }

    /// Judges an entry by the rules that the auditor has, adds it to the log, and takes it into account. What breaks a rule
    /// is not written.
    fn write(&mut self, stamp: &Stamp, event: Event) -> Result<u64, StationError> {
        let draft = self.log.draft(stamp, &event)?;
        let entry = draft.entry();
        let (disk, dir) = (self.disk.clone(), self.log.dir().to_owned());
        let objects = |digest: &str| objects::get(&*disk, &dir, digest);
        let policy = self.logged.judge(&entry, &objects).map_err(not_written)?;
        self.log.write(&draft)?;
        let Station { logged, history, taken, shown, .. } = self;
        see(&entry, policy, &objects, logged, history, taken, shown)?;
        Ok(draft.seq())
    }

    /// Adds an act to the log, right after the signature of each officer under it. Not yet on disk. That they are those
    /// who have to sign it ([`acts`]) is for the caller to have asked, before their passphrases.
    ///
    /// # Errors
    /// The log, or no randomness for the nonces.
    pub(crate) fn record_act(
        &mut self,
        host: &Host,
        event: Event,
        officers: &[&OpenOfficer],
    ) -> Result<u64, StationError> {
        let stamp = host.stamp();
        let digest = event.digest();
        for officer in officers {
            let mut nonce = [0u8; 16];
            host.random.fill(&mut nonce).map_err(StationError::NoRandomness)?;
            let act = Act {
                officer: officer.name().as_str().to_owned(),
                key: officer.public().approval_key.clone(),
                log: self.log.key().to_string(),
                time: stamp.time,
                act: event.kind().name().to_owned(),
                digest: digest.clone(),
                nonce: hex::encode(nonce),
            };
            let signature = officer.sign(&act.message());
            let signed = act.with_signature(&signature);
            if !signed.holds() {
                let name = officer.name();
                return Err(StationError::Contradiction(format!("the signature of {name} does not verify")));
            }
            self.record(&stamp, signed.event())?;
        }
        self.record(&stamp, event)
    }

    /// Brings every entry to disk and issues a checkpoint over them.
    ///
    /// # Errors
    /// The log.
    pub fn commit(&mut self) -> Result<(), StationError> {
        self.log.checkpoint()?;
        Ok(())
    }

    /// May this command write?
    pub(crate) fn may_write(&self) -> bool {
        self.session.is_some()
    }

    /// Did this command write to the log?
    pub(crate) fn has_written(&self) -> bool {
        // The session's own entry takes the command's name with it.
        self.session.as_ref().is_some_and(|session| session.command.is_empty())
    }

    /// Ends the command: if it wrote anything, that it ended and how.
    ///
    /// # Errors
    /// The log.
    pub(crate) fn close(mut self, host: &Host, exit: u8) -> Result<(), StationError> {
        if self.has_written() {
            let closed = SessionClosed { command: (&self.begun).into(), exit: u64::from(exit) };
            let closed = closed.by(self.actor());
            self.write(&host.stamp(), closed)?;
            self.log.checkpoint()?;
        }
        Ok(())
    }

    /// Accepts newer roots along the chain and keeps them; returns how many were new. Log entries are written for both
    /// outcomes.
    ///
    /// # Errors
    /// A root does not follow from the pinned ones; nothing is kept then.
    pub(crate) fn update_roots(&mut self, stamp: &Stamp, roots: Vec<Root>) -> Result<usize, StationError> {
        let mut chain = self.trust.chain.clone();
        let before = chain.newest().version;
        let mut sorted = roots;
        sorted.sort_by_key(|root| root.version);
        for root in sorted {
            let version = root.version;
            if let Err(e) = chain.extend(root) {
                let rejected = RootRejected { version, reason: one_line(&e.to_string()).into() };
                self.record(stamp, rejected.by(self.actor()))?;
                return Err(e.into());
            }
        }
        chain.newest().require_reachable_thresholds()?;
        let new: Vec<Root> = chain.roots().iter().filter(|root| root.version > before).cloned().collect();
        let mut from = before;
        for root in &new {
            let object = self.log.put_object(&root.bytes)?;
            let updated = RootUpdated {
                from,
                version: root.version,
                fingerprint: root.fingerprint.to_string().into(),
                expires: root.expires.to_string().into(),
                object: object.into(),
            };
            self.record(stamp, updated.by(self.actor()))?;
            from = root.version;
        }
        // A root that no checkpoint covers is not in force.
        if !new.is_empty() {
            self.commit()?;
        }
        self.trust.chain = chain;
        Ok(new.len())
    }

    /// Pins another online targets key, signed for by these officers.
    ///
    /// # Errors
    /// The newest root does not list it, or has an owner for it; the log, or the disk.
    pub(crate) fn pin_online_key(
        &mut self,
        host: &Host,
        new: &OnlineKey,
        officers: &[&OpenOfficer],
    ) -> Result<KeyId, StationError> {
        let keyid = service_key_in(self.trust.newest(), &new.public)?;
        let before = self.trust.online.as_ref().map_or("", KeyId::as_str).to_owned();
        let object = self.log.put_object(&new.file)?;
        let event = online_key_pinned(&before, &keyid, &object, self.acting(officers));
        self.record_act(host, event, officers)?;
        self.commit()?;
        self.trust.online = Some(keyid.clone());
        Ok(keyid)
    }

    /// Puts another policy in force, signed for by these officers.
    ///
    /// # Errors
    /// The log or the disk.
    pub(crate) fn set_policy(
        &mut self,
        host: &Host,
        policy: Policy,
        officers: &[&OpenOfficer],
    ) -> Result<(), StationError> {
        let from = self.log.put_object(self.policy.text().as_bytes())?;
        let to = self.log.put_object(policy.text().as_bytes())?;
        let changed = PolicyChanged { from: from.into(), to: to.into() };
        self.record_act(host, changed.by(self.acting(officers)), officers)?;
        self.commit()?;
        self.policy = policy;
        Ok(())
    }

    /// Remembers, in the log, a file of evidence that is newer than any of its name before.
    ///
    /// # Errors
    /// The log.
    pub(crate) fn keep_seen(
        &mut self,
        stamp: &Stamp,
        file: &str,
        mark: SeenMark,
    ) -> Result<(), StationError> {
        if self.history.file_version(file).is_some_and(|known| known >= mark.version) {
            return Ok(());
        }
        let seen = EvidenceSeen {
            request: (&mark.request).into(),
            file: file.into(),
            version: mark.version,
            signed: (&mark.signed).into(),
        };
        self.record(stamp, seen.by(self.actor()))?;
        Ok(())
    }

    /// Checks that a key is sealed as the log says that it was sealed last.
    ///
    /// # Errors
    /// It is sealed otherwise, or the log cannot be read.
    pub(crate) fn check_sealed_as_logged(&self, key: &SealedKey) -> Result<(), StationError> {
        self.logged.check_key(&self.layout, key)
    }

    /// As [`Station::check_sealed_as_logged`], for sealing the key anew.
    ///
    /// # Errors
    /// As there; a sealing that a crash left in place is allowed.
    pub(crate) fn check_sealed_to_reseal(&self, key: &SealedKey) -> Result<(), StationError> {
        self.logged.check_key_to_reseal(&self.layout, key)
    }

    /// What the log adds up to, with what this process has written.
    pub(crate) fn state(&self) -> &State {
        &self.logged.state
    }

    /// The signatures that were made here.
    pub(crate) fn signatures(&self) -> &Signatures {
        &self.logged.signatures
    }

    /// What changed since the last signature.
    pub(crate) fn since(&self) -> &Since {
        &self.logged.since
    }

    /// The latest time in the log that the clock must not fall behind.
    pub(crate) fn log_time(&self) -> Option<Time> {
        self.log.latest().map(|stamp| stamp.time)
    }

    /// Digest of the policy in force.
    pub(crate) fn policy_digest(&self) -> Digest {
        Digest::of(self.policy.text().as_bytes())
    }
}

/// Takes the next entry into account.
fn see(
    entry: &Entry<'_>,
    policy: Option<Policy>,
    objects: Objects<'_>,
    logged: &mut Logged,
    history: &mut History,
    taken: &mut Taken,
    shown: &mut Shown,
) -> Result<(), StationError> {
    logged.see(entry, policy, objects)?;
    history.see(entry);
    taken.see(entry);
    shown.see(entry);
    Ok(())
}

/// A line that breaks a rule was about to be written: the log is as whole as before.
fn not_written(error: StationError) -> StationError {
    match error {
        StationError::Log(LogError::Tampered(flaw)) => StationError::Rule(flaw),
        other => other,
    }
}

fn online_key_pinned(from: &str, keyid: &KeyId, object: &str, actor: &str) -> Event {
    let (from, keyid, object) = (from.into(), keyid.as_str().into(), object.into());
    OnlineKeyPinned { from, keyid, object }.by(actor)
}

fn root_pinned(root: &Root, object: &str, actor: &str) -> Event {
    let pinned = RootPinned {
        version: root.version,
        fingerprint: root.fingerprint.to_string().into(),
        expires: root.expires.to_string().into(),
        object: object.into(),
    };
    pinned.by(actor)
}

/// The log's name: the product, the Factory, and eight hex digits that tell this station from another of the Factory.
fn log_origin(factory: &str, seed: &[u8; 32]) -> String {
    let mark = Digest::of(&[b"countersign/log-origin/1".as_slice(), seed].concat());
    format!("countersign/{factory}/{}", &mark.short()[..8])
}

fn is_factory_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn make_parents(disk: &dyn Disk, folder: &Path) -> Result<(), StationError> {
    if disk.kind(folder)?.is_some() {
        return Ok(());
    }
    make_parents(disk, parent(folder))?;
    Ok(disk.make_folder(folder, 0o700)?)
}

/// Takes the station's lock: on the log's own folder, which nobody can delete or exchange without breaking the log. The
/// file `lock` beside it only says who holds it.
fn take_lock(layout: &Layout, session: &Session) -> Result<File, StationError> {
    let fail = |doing, source| crate::host::disk::DiskError { doing, path: layout.log(), source };
    let folder = File::open(layout.log()).map_err(|e| fail("open", e))?;
    // A program that is being started elsewhere holds a copy of the descriptor for a moment.
    let mut taken = folder.try_lock();
    for _ in 0..20 {
        if !matches!(taken, Err(std::fs::TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
        taken = folder.try_lock();
    }
    match taken {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            return Err(StationError::Busy { folder: layout.root().to_owned(), holder: holder(layout) });
        }
        Err(std::fs::TryLockError::Error(e)) => return Err(fail("lock", e).into()),
    }
    // A help, not a condition: without it, nobody is told who works here.
    let _ = leave_note(layout, session);
    Ok(folder)
}

/// Who holds the lock, as the note says; escaped. It is a help, not a condition.
fn holder(layout: &Layout) -> String {
    let mut note = String::new();
    let read = File::open(layout.lock()).and_then(|file| file.take(200).read_to_string(&mut note));
    match read {
        Ok(_) if !note.trim().is_empty() => shown(note.trim()),
        _ => "it left no note".to_owned(),
    }
}

fn leave_note(layout: &Layout, session: &Session) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    // Through a link it would be written over another file.
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32).open(layout.lock())?;
    // Always of one length, and written at once: whoever reads it never finds it empty or half overwritten.
    let note = format!("{:<99}\n", format!("process {}, command {}", std::process::id(), session.command));
    file.write_all(note.as_bytes())
}
