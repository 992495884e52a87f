//! What the log says of its own heads elsewhere: who its witnesses are and what they cosigned, which heads came back and
//! what they showed, and whether anything may be signed. The station and the auditor judge by this one file.

use super::entry::Entry;
use super::record::{AnchorJudged, AnchorSettled, Record, WitnessCosigned};
use crate::host::clock::Time;
use crate::text::shown;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::Note;
use crate::tlog::tree::Hash;
use crate::tlog::{Flaw, FlawKind, VerifierKey};
use std::collections::{BTreeMap, VecDeque};

/// The exports whose heads a later bundle is proven to continue.
pub(crate) const EXPORTS_PROVEN: usize = 16;

/// What a head that came back shows, by its signatures and this log's tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The log's own key signed it, and this log continues it.
    Known,
    /// The log's own key signed more entries than this log has: it was rolled back, or it is a copy.
    Ahead,
    /// The log's own key signed other entries than this log has: two copies went on.
    Forked,
    /// As ahead or forked, of the lost history that officers settled.
    Settled,
    /// The log that this one continues signed more entries than were taken over.
    PredecessorAhead,
    /// The log's own key did not sign it: it proves nothing.
    Ignored,
}

impl Verdict {
    const ALL: [Verdict; 6] = [
        Verdict::Known,
        Verdict::Ahead,
        Verdict::Forked,
        Verdict::Settled,
        Verdict::PredecessorAhead,
        Verdict::Ignored,
    ];

    /// The word in the log.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Verdict::Known => "known",
            Verdict::Ahead => "ahead",
            Verdict::Forked => "forked",
            Verdict::Settled => "settled",
            Verdict::PredecessorAhead => "predecessor-ahead",
            Verdict::Ignored => "ignored",
        }
    }

    /// The verdict with this word.
    pub(crate) fn named(word: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Is nothing signed after it, until it is settled?
    pub(crate) const fn stops(self) -> bool {
        matches!(self, Verdict::Ahead | Verdict::Forked)
    }
}

/// Reads a note as a head of the log with this key.
///
/// # Errors
/// It is no note, another log's, or the log's signature does not hold. Cosignatures do not matter here.
pub(crate) fn read_head(note: &[u8], key: &VerifierKey) -> Result<Checkpoint, Flaw> {
    Checkpoint::verify(note, key)
}

/// What the policy asks of witnesses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Demand {
    /// How many of them, by distinct keys; 0: none is asked for.
    pub quorum: u64,
    /// How old the newest cosignatures of so many may be, in days; 0: not looked at.
    pub window_days: u32,
    /// Must the head of the last exported bundle be back, cosigned, before anything else is signed?
    pub every_bundle: bool,
}

impl Demand {
    /// A demand; without a number of witnesses, a window or the wait for every bundle asks for one.
    pub(crate) fn new(quorum: u64, window_days: u32, every_bundle: bool) -> Demand {
        let asks = window_days > 0 || every_bundle;
        Demand { quorum: quorum.max(u64::from(asks)), window_days, every_bundle }
    }
}

/// A cosignature that counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cosigned {
    /// How many entries the witness saw.
    pub size: u64,
    /// When, by the witness's clock.
    pub time: Time,
    /// The entry that says so.
    pub seq: u64,
}

/// A witness of this log.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    /// Its key.
    pub key: VerifierKey,
    /// The entry that added it.
    pub seq: u64,
    /// The entry that retired it.
    pub retired: Option<u64>,
    /// Its newest cosignature.
    pub newest: Option<Cosigned>,
}

/// A head that stopped this station.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stop {
    /// The entry `anchor.judged`.
    pub seq: u64,
    /// Ahead or forked.
    pub verdict: Verdict,
    /// The head's size.
    pub size: u64,
    /// How many entries this log had.
    pub known: u64,
}

/// Why nothing may be signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    /// A head of this log that this log does not have.
    Stopped(Stop),
    /// Officers settled it (in this entry), and no witness has cosigned the log since.
    AwaitsWitness(u64),
}

/// A head that came back and that this log continues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CameBack {
    /// Its size.
    pub size: u64,
    /// When it was taken in.
    pub time: Time,
}

/// The log that this one continues.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Predecessor {
    /// Its key.
    pub key: VerifierKey,
    /// How many of its entries were taken over.
    pub size: u64,
    /// The entry that says so.
    pub seq: u64,
}

/// What is missing of the cosignatures that the policy asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Overdue {
    /// Fewer than the quorum cosigned within the window; it ended then.
    Window(Time),
    /// The head of the last exported bundle is not back with as many cosignatures; so many are there.
    Bundle(u64),
}

/// What bars every signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Bar {
    /// What heads showed that came back.
    Hold(Hold),
    /// What is missing of the cosignatures that the policy asks for.
    Overdue(Overdue),
}

/// Everything above, after the entries seen so far.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    log_key: Option<VerifierKey>,
    began: Option<Time>,
    demand: Demand,
    /// Since when the policy asks for witnesses.
    asked_since: Option<Time>,
    witnesses: BTreeMap<String, Vec<Witness>>,
    stops: Vec<Stop>,
    /// The largest head of a history that officers settled as lost, and the newest entry that says so.
    settled: Option<(u64, u64)>,
    came_back: Option<CameBack>,
    predecessor: Option<Predecessor>,
    last_signed: Option<u64>,
    exports: VecDeque<u64>,
    last_exported: Option<u64>,
}

impl Anchors {
    /// Takes another policy into account, from this time on.
    pub(crate) fn set_demand(&mut self, demand: Demand, time: Time) {
        if demand.quorum == 0 {
            self.asked_since = None;
        } else if self.demand.quorum == 0 {
            self.asked_since = Some(time);
        }
        self.demand = demand;
    }

    /// What the policy in force asks of witnesses.
    pub(crate) fn demand(&self) -> Demand {
        self.demand
    }

    /// Every witness who serves.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Witness> {
        self.all().filter(|witness| witness.retired.is_none())
    }

    /// Every witness, also those who were retired.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Witness> {
        self.witnesses.values().flatten()
    }

    /// The witness of this name who serves.
    pub(crate) fn witness(&self, name: &str) -> Option<&Witness> {
        self.witnesses.get(name)?.iter().find(|witness| witness.retired.is_none())
    }

    fn witness_mut(&mut self, name: &str) -> Option<&mut Witness> {
        self.witnesses.get_mut(name)?.iter_mut().find(|witness| witness.retired.is_none())
    }

    /// When the log began.
    pub(crate) fn began(&self) -> Option<Time> {
        self.began
    }

    /// The newest head that came back.
    pub(crate) fn came_back(&self) -> Option<CameBack> {
        self.came_back
    }

    /// The log that this one continues.
    pub(crate) fn predecessor(&self) -> Option<&Predecessor> {
        self.predecessor.as_ref()
    }

    /// The heads that stop this station, first those that nobody settled.
    pub(crate) fn stops(&self) -> &[Stop] {
        &self.stops
    }

    /// The entries `bundle.exported` of the last exports.
    pub(crate) fn exports(&self) -> impl Iterator<Item = u64> {
        self.exports.iter().copied()
    }

    /// May nothing be signed, and why?
    pub(crate) fn hold(&self) -> Option<Hold> {
        // A fork is proven by two signatures; that one is told first.
        let forked = self.stops.iter().find(|stop| stop.verdict == Verdict::Forked);
        if let Some(stop) = forked.or_else(|| self.stops.first()) {
            return Some(Hold::Stopped(stop.clone()));
        }
        let (_, seq) = self.settled?;
        let mut active = self.active().peekable();
        active.peek()?;
        let is_seen = |one: &Witness| one.newest.as_ref().is_some_and(|newest| newest.size > seq);
        (!active.any(is_seen)).then_some(Hold::AwaitsWitness(seq))
    }

    /// How a head that the log's key signed is judged: `own` is this log's root at its size, if it has so many entries.
    pub(crate) fn judge(&self, head: &Checkpoint, own: Option<Hash>) -> Verdict {
        match own {
            Some(root) if root == head.root => Verdict::Known,
            _ if self.settled.is_some_and(|(size, _)| head.size <= size) => Verdict::Settled,
            Some(_) => Verdict::Forked,
            None => Verdict::Ahead,
        }
    }

    /// The newest cosignature times of the witnesses who serve, one a public key, newest first.
    fn times(&self) -> Vec<Time> {
        let mut times: BTreeMap<[u8; 32], Time> = BTreeMap::new();
        for witness in self.active() {
            let Some(newest) = &witness.newest else { continue };
            let time = times.entry(*witness.key.public().as_bytes()).or_insert(newest.time);
            *time = (*time).max(newest.time);
        }
        let mut times: Vec<Time> = times.into_values().collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times
    }

    /// When the policy's window ends: counted from the oldest of the quorum's newest cosignatures, by the witnesses' own
    /// clocks; before there are as many, from when the policy began to ask. `None` where there is no window.
    pub(crate) fn window_ends(&self) -> Option<Time> {
        let Demand { quorum, window_days, .. } = self.demand;
        if quorum == 0 || window_days == 0 {
            return None;
        }
        let last = usize::try_from(quorum - 1).ok().and_then(|at| self.times().get(at).copied());
        Some(last.or(self.asked_since).or(self.began)?.plus_days(i64::from(window_days)))
    }

    /// Did the signature of this entry leave the station, in a bundle or on a slip?
    pub(crate) fn has_left(&self, seq: u64) -> bool {
        self.last_exported >= Some(seq)
    }

    /// How many distinct keys cosigned every signature that was exported.
    fn cosigned_last_bundle(&self) -> Option<u64> {
        let seq = self.last_exported?;
        let saw = |one: &&Witness| one.newest.as_ref().is_some_and(|newest| newest.size > seq);
        let keys: std::collections::BTreeSet<[u8; 32]> =
            self.active().filter(saw).map(|one| *one.key.public().as_bytes()).collect();
        Some(keys.len() as u64)
    }

    /// What is missing at this time of the cosignatures that the policy asks for.
    pub(crate) fn overdue(&self, now: Time) -> Option<Overdue> {
        if let Some(end) = self.window_ends().filter(|end| now > *end) {
            return Some(Overdue::Window(end));
        }
        let there = self.cosigned_last_bundle().filter(|_| self.demand.every_bundle)?;
        (there < self.demand.quorum).then_some(Overdue::Bundle(there))
    }

    /// What bars every signature at this time.
    pub(crate) fn bar(&self, now: Time) -> Option<Bar> {
        self.hold().map(Bar::Hold).or_else(|| self.overdue(now).map(Bar::Overdue))
    }

    /// Why this key cannot be a witness's of this log; nothing when it can.
    pub(crate) fn refuse_witness(&self, key: &VerifierKey) -> Option<String> {
        let name = shown(key.name());
        if !key.is_witness() {
            return Some(format!("{name}: it is a key for notes (type 1); a witness's key has type 4"));
        }
        if self.log_key.as_ref().is_some_and(|log| log.public() == key.public() || log.name() == key.name()) {
            return Some(format!(
                "{name}: it is this log's own key or name, and a log is not its own witness"
            ));
        }
        if self.witness(key.name()).is_some() {
            return Some(format!(
                "there is a witness {name} already: retire it first (countersign witness retire)"
            ));
        }
        let same = self.active().find(|known| known.key.public() == key.public())?;
        Some(format!(
            "{name}: the witness {} has the same key; it would count once, and a witness uses no key under two names",
            shown(same.key.name())
        ))
    }

    /// What an entry says that cannot be, after the entries seen so far. To be asked before [`Anchors::see`].
    pub(crate) fn flaw(&self, entry: &Entry<'_>) -> Option<Flaw> {
        let why = match entry.record() {
            Record::WitnessAdded(added) => match VerifierKey::parse(&added.key) {
                Err(e) => e.to_string(),
                Ok(key) if key.name() != added.witness => "the witness's key has another name".to_owned(),
                Ok(key) => self.refuse_witness(&key)?,
            },
            Record::WitnessRetired(retired) if self.witness(&retired.witness).is_none() => {
                "there is no such witness".to_owned()
            }
            Record::WitnessCosigned(cosigned) => self.cosigned_wrongly(entry.seq(), cosigned)?,
            Record::AnchorJudged(judged) => judged_wrongly(entry.seq(), judged)?,
            Record::AnchorSettled(settled) if !self.stops.iter().any(|stop| stop.seq == settled.anchor) => {
                "no head that stops this station stands in the entry that it settles".to_owned()
            }
            Record::AnchorSettled(settled)
                if self.stops.iter().map(|stop| stop.size).max() != Some(settled.size) =>
            {
                "it does not settle the largest head that stopped this station".to_owned()
            }
            Record::SignIntent(_) => return self.may_not_sign(entry.time()),
            _ => return None,
        };
        Some(Flaw::new(FlawKind::Contradiction, why))
    }

    /// Why an intent to sign at this time cannot be.
    fn may_not_sign(&self, time: Time) -> Option<Flaw> {
        let why = match self.bar(time)? {
            Bar::Hold(Hold::Stopped(stop)) => format!(
                "the station was stopped by the head in entry {}, and nothing may be signed before that is settled",
                stop.seq
            ),
            Bar::Hold(Hold::AwaitsWitness(seq)) => format!(
                "no witness had cosigned what officers settled in entry {seq}, and nothing may be signed before"
            ),
            Bar::Overdue(Overdue::Window(end)) => {
                format!("the policy's window for witnesses had ended on {end}")
            }
            Bar::Overdue(Overdue::Bundle(there)) => format!(
                "the head of the last exported bundle was not back with {} cosignatures, but with {there}",
                self.demand.quorum
            ),
        };
        Some(Flaw::new(FlawKind::Quorum, why))
    }

    fn cosigned_wrongly(&self, seq: u64, cosigned: &WitnessCosigned<'_>) -> Option<String> {
        let Some(witness) = self.witness(&cosigned.witness) else {
            return Some("there is no such witness".to_owned());
        };
        let Some(time) = Time::parse_strict(&cosigned.time_cosigned) else {
            return Some("the time of the cosignature is none".to_owned());
        };
        if cosigned.size > seq {
            return Some("the witness cannot have seen more entries than there were".to_owned());
        }
        let newest = witness.newest.as_ref()?;
        (time <= newest.time || cosigned.size < newest.size)
            .then(|| format!("the cosignature is older than the one in entry {}", newest.seq))
    }

    /// Takes the next entry into account.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) {
        let (seq, time) = (entry.seq(), entry.time());
        match entry.record() {
            Record::StationCreated(created) => {
                self.began = Some(time);
                self.log_key = VerifierKey::parse(&created.log_key).ok();
            }
            Record::StationSucceeds(succeeds) => {
                let key = VerifierKey::parse(&succeeds.key).ok();
                self.predecessor = key.map(|key| Predecessor { key, size: succeeds.size, seq });
            }
            Record::WitnessAdded(added) => {
                let Ok(key) = VerifierKey::parse(&added.key) else { return };
                let witness = Witness { key, seq, retired: None, newest: None };
                self.witnesses.entry(added.witness.to_string()).or_default().push(witness);
            }
            Record::WitnessRetired(retired) => {
                if let Some(witness) = self.witness_mut(&retired.witness) {
                    witness.retired = Some(seq);
                }
            }
            Record::WitnessCosigned(cosigned) => {
                let time = Time::parse_strict(&cosigned.time_cosigned);
                let size = cosigned.size;
                if let (Some(witness), Some(time)) = (self.witness_mut(&cosigned.witness), time) {
                    witness.newest = Some(Cosigned { size, time, seq });
                }
            }
            Record::AnchorJudged(judged) => self.judged(seq, time, judged),
            Record::AnchorSettled(AnchorSettled { size, .. }) => {
                self.settled = Some((self.settled.map_or(*size, |(before, _)| before.max(*size)), seq));
                self.stops.retain(|stop| stop.size > *size);
            }
            Record::SignResult(_) => self.last_signed = Some(seq),
            Record::SlipExported(_) => self.last_exported = self.last_signed,
            Record::BundleExported(_) => {
                self.last_exported = self.last_signed;
                self.exports.push_back(seq);
                if self.exports.len() > EXPORTS_PROVEN {
                    self.exports.pop_front();
                }
            }
            _ => {}
        }
    }

    fn judged(&mut self, seq: u64, time: Time, judged: &AnchorJudged<'_>) {
        let AnchorJudged { size, known, .. } = *judged;
        let is_known = |verdict| self.stops.iter().any(|stop| stop.size == size && stop.verdict == verdict);
        match Verdict::named(&judged.verdict) {
            // The same head comes with every request, until it is settled.
            Some(verdict) if verdict.stops() && is_known(verdict) => {}
            Some(verdict) if verdict.stops() => {
                self.stops.push(Stop { seq, verdict, size, known });
            }
            Some(Verdict::Known) => self.came_back = Some(CameBack { size, time }),
            _ => {}
        }
    }
}

fn judged_wrongly(seq: u64, judged: &AnchorJudged<'_>) -> Option<String> {
    let AnchorJudged { size, known, .. } = *judged;
    let Some(verdict) = Verdict::named(&judged.verdict) else {
        return Some("the verdict is none that is known".to_owned());
    };
    if known > seq {
        return Some("it was judged by more entries than there were".to_owned());
    }
    let fits = match verdict {
        Verdict::Known | Verdict::Forked => size <= known,
        Verdict::Ahead => size > known,
        Verdict::Settled | Verdict::PredecessorAhead | Verdict::Ignored => true,
    };
    (!fits).then(|| "the verdict does not fit the sizes".to_owned())
}

/// When a witness cosigned a head, or why its cosignature does not count at this time.
///
/// # Errors
/// The reason, in words; `Ok(None)` when the note has none by this witness.
pub(crate) fn cosignature_time(
    note: &[u8],
    witness: &VerifierKey,
    began: Option<Time>,
    now: Time,
) -> Result<Option<Time>, String> {
    let note = Note::parse(note).map_err(|flaw| flaw.detail)?;
    let Some(seconds) = note.cosigned(witness).map_err(|flaw| flaw.detail)? else { return Ok(None) };
    let name = shown(witness.name());
    let time =
        i64::try_from(seconds).ok().filter(|seconds| (1..=LATEST).contains(seconds)).map(Time::from_unix);
    let Some(time) = time else {
        return Err(format!("the cosignature of {name} has no time that can be"));
    };
    if time > now.plus_seconds(AHEAD) {
        return Err(format!(
            "the cosignature of {name} is of {time}, which is still to come: compare the clocks"
        ));
    }
    if began.is_some_and(|began| time < began.plus_seconds(-AHEAD)) {
        return Err(format!(
            "the cosignature of {name} is of {time}, before this log began: compare the clocks"
        ));
    }
    Ok(Some(time))
}

/// Seconds by which a witness's clock may be ahead of this machine's.
const AHEAD: i64 = 600;
/// The last second of the year 9999.
const LATEST: i64 = 253_402_300_799;
