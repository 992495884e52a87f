//! What of trust or policy changed since the last signature: the next review says it, what is looser first. Roots are
//! told of beside it, by the version that the officers last signed under.

use super::policy::Effect;
use super::{Policy, StationError};
use crate::ledger::custody::Sealing;
use crate::ledger::{Custody, Entry, Kind, Log, Record};
use crate::text::shown;
use crate::tuf::Digest;

/// What was in force at a signature.
#[derive(Clone, Default)]
struct Mark {
    /// The request that was signed; nothing before the first signature.
    request: String,
    /// Entries before it.
    size: u64,
    policy: String,
}

/// What the log says of it, after the entries seen so far.
#[derive(Clone, Default)]
pub(crate) struct Since {
    policy: String,
    /// The newest signature, and the newest one of another request before it.
    last: Mark,
    before: Mark,
    happened: Vec<Happened>,
}

#[derive(Clone)]
struct Happened {
    seq: u64,
    effect: Effect,
    what: String,
    /// On the day of setting up, before the first signature, this is no change.
    is_set_up: bool,
}

impl Since {
    /// Takes the next entry into account; `custody` has seen those before it.
    pub(crate) fn see(&mut self, entry: &Entry<'_>, custody: &Custody) {
        match entry.record() {
            Record::StationCreated(created) => self.policy = created.policy.to_string(),
            Record::PolicyChanged(changed) => self.policy = changed.to.to_string(),
            Record::OnlineKeyPinned(online) if online.from != online.keyid => {
                let (now, was) = (shown(&online.keyid), shown(&online.from));
                self.add(entry, Effect::Looser, format!("the service's online key is {now}, was {was}"));
            }
            Record::OfficerAdded(added) => {
                self.add(entry, Effect::Looser, format!("officer {} was added", shown(&added.officer)));
            }
            Record::OfficerRetired(retired) => {
                let (name, by) = (shown(&retired.officer), shown(&entry.actor()));
                self.add(entry, Effect::Other, format!("officer {name} was retired by {by}"));
            }
            Record::WitnessAdded(added) => {
                let (name, by) = (shown(&added.witness), shown(&entry.actor()));
                self.add(entry, Effect::Looser, format!("witness {name} was added by {by}"));
            }
            Record::WitnessRetired(retired) => {
                let (name, by) = (shown(&retired.witness), shown(&entry.actor()));
                self.add(entry, Effect::Other, format!("witness {name} was retired by {by}"));
            }
            Record::KeyImported(key)
            | Record::KeyGenerated(key)
            | Record::KeySealed(key)
            | Record::KeyRestored(key) => {
                let now = Sealing::of(key);
                let before = custody.key(&key.keyid).map(|key| &key.sealing);
                let effect = before.map_or(Effect::Other, |before| effect(before, &now));
                let was = before.map(|before| format!(", was {before}")).unwrap_or_default();
                let keyid = shown(&key.keyid);
                let short = keyid.get(..12).unwrap_or(&keyid);
                self.add(entry, effect, format!("the key {short} opens with {now}{was}"));
            }
            Record::SignResult(result) => {
                let request = result.request.to_string();
                let mark = Mark { request, size: entry.seq(), policy: self.policy.clone() };
                if mark.request != self.last.request {
                    self.before = std::mem::take(&mut self.last);
                }
                self.last = mark;
                let size = self.before.size;
                self.happened.retain(|one| one.seq > size);
            }
            _ => {}
        }
        if !custody.is_staffed() && self.last.request.is_empty() {
            // Setting up is no change.
            self.happened.clear();
            self.last = Mark { policy: self.policy.clone(), size: entry.seq(), ..Mark::default() };
            self.before = self.last.clone();
        }
    }

    fn add(&mut self, entry: &Entry<'_>, effect: Effect, what: String) {
        let is_set_up = matches!(entry.kind(), Kind::OfficerAdded | Kind::KeyImported | Kind::KeyGenerated);
        self.happened.push(Happened { seq: entry.seq(), effect, what, is_set_up });
    }

    /// What changed since the last signature of another request than this one, as sentences; what is looser first.
    ///
    /// # Errors
    /// A policy in the log cannot be read.
    pub(crate) fn changes(&self, request: Digest, log: &Log) -> Result<Vec<String>, StationError> {
        let mark = if self.last.request == request.to_string() { &self.before } else { &self.last };
        let is_first = mark.request.is_empty();
        let mut found: Vec<(Effect, String)> = Vec::new();
        if mark.policy != self.policy && !mark.policy.is_empty() {
            let read =
                |name: &str| -> Result<Policy, StationError> { Ok(Policy::read(&log.get_object(name)?)?) };
            let changes = read(&mark.policy)?.changes(&read(&self.policy)?);
            if changes.is_empty() {
                found.push((Effect::Other, "the policy's text changed, and no member of it".to_owned()));
            }
            let said = |one: super::policy::Change| {
                (one.effect, format!("the policy's {} is {}, was {}", one.member, one.to, one.from))
            };
            found.extend(changes.into_iter().map(said));
        }
        let happened = self.happened.iter().filter(|one| one.seq > mark.size && !(is_first && one.is_set_up));
        found.extend(happened.map(|one| (one.effect, one.what.clone())));
        found.sort_by_key(|(effect, _)| *effect);
        Ok(found.into_iter().map(|(effect, what)| format!("{}: {what}", effect.name())).collect())
    }
}

/// What another sealing does: fewer people, or others, may open the key.
fn effect(before: &Sealing, now: &Sealing) -> Effect {
    let is_new = |name: &String| !before.officers.contains(name);
    if now.quorum < before.quorum || now.officers.iter().any(is_new) {
        Effect::Looser
    } else if now.quorum > before.quorum || now.officers.len() < before.officers.len() {
        Effect::Stricter
    } else {
        Effect::Other
    }
}
