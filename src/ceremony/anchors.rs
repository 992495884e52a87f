//! Heads of this station's log that come back: each is judged by signatures alone, logged, and where it shows that this
//! station is not what it was, it stops.

use super::CeremonyError;
use crate::host::Host;
use crate::host::clock::{Stamp, Time};
use crate::ledger::anchors::{Cosigned, Stop, Verdict, cosignature_time, read_head};
use crate::ledger::record::{
    AnchorJudged, AnchorSettled, WitnessAdded, WitnessCosigned, WitnessOverdue, WitnessRetired, WitnessStale,
};
use crate::ledger::{Anchors, Bar, Hold, Overdue};
use crate::station::{Station, StationError};
use crate::text::{counted, shown};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::{Flaw, VerifierKey};
use crate::vault::officer::OpenOfficer;
use std::collections::BTreeMap;

/// A head that came back, and what it showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Judged {
    /// Its name in the request, or the file that it came from; escaped.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Its size; 0 where it says none.
    pub size: u64,
    /// Its root in hex; nothing where it says none.
    pub root: String,
    /// Why it was ignored; else nothing.
    pub reason: String,
    /// The entry that says so.
    pub seq: u64,
    /// Witnesses whose cosignature counts, with its time.
    pub cosigned: Vec<(String, Time)>,
    /// Cosignatures that do not count, in words.
    pub not_counted: Vec<String>,
}

/// A note, and what it is a head of.
struct Read<'n> {
    name: String,
    bytes: &'n [u8],
    head: Result<Checkpoint, Flaw>,
}

/// Judges heads that came back and logs each. The caller commits.
///
/// # Errors
/// [`CeremonyError::Forked`] and [`CeremonyError::RolledBack`] when one shows that this station is not what it was: that
/// is in the log then. Or the log.
pub(crate) fn judge<'n>(
    station: &mut Station,
    host: &Host,
    notes: impl Iterator<Item = (&'n str, &'n [u8])>,
) -> Result<Vec<Judged>, CeremonyError> {
    let key = station.log.key().clone();
    let mut notes: Vec<Read<'n>> =
        notes.map(|(name, bytes)| Read { name: shown(name), bytes, head: read_head(bytes, &key) }).collect();
    if notes.is_empty() {
        return Ok(Vec::new());
    }
    // Small ones first, so that a witness's heads come in the order in which it saw them.
    notes.sort_by_key(|note| note.head.as_ref().map_or(0, |head| head.size));
    let anchors = station.anchors().clone();
    let mut newest = newest_of(&anchors);
    let known = station.log.size();
    let needs_tree = notes.iter().any(|note| note.head.as_ref().is_ok_and(|head| head.size <= known));
    let tree = needs_tree.then(|| station.log.proofs()).transpose()?;
    let mut all = Vec::new();
    for note in &notes {
        let own = note.head.as_ref().ok().and_then(|head| tree.as_ref()?.root(head.size));
        let (verdict, head, reason) = match &note.head {
            Ok(head) => (anchors.judge(head, own), Some(head.clone()), String::new()),
            Err(flaw) => of_another(&anchors, note.bytes, flaw),
        };
        let mut judged = record(station, host, note, verdict, head.as_ref(), known, reason)?;
        if let Some(head) = head.filter(|_| verdict == Verdict::Known) {
            cosignatures(station, host, &anchors, &mut newest, note.bytes, &head, &mut judged)?;
        }
        all.push(judged);
    }
    let stops = |verdict| all.iter().find(|one: &&Judged| one.verdict == verdict);
    match stops(Verdict::Forked).or_else(|| stops(Verdict::Ahead)) {
        Some(judged) => {
            let (seq, verdict, size) = (judged.seq, judged.verdict, judged.size);
            Err(stopped(&Stop { seq, verdict, size, known }))
        }
        None => Ok(all),
    }
}

/// A note that this log's key did not sign: one of the log that this one continues, or nothing.
fn of_another(anchors: &Anchors, bytes: &[u8], flaw: &Flaw) -> (Verdict, Option<Checkpoint>, String) {
    if let Some(before) = anchors.predecessor()
        && let Ok(head) = read_head(bytes, &before.key)
    {
        if head.size > before.size {
            let reason = format!(
                "the log {} went on after the {} entries that were taken over",
                shown(&head.origin),
                before.size
            );
            return (Verdict::PredecessorAhead, Some(head), reason);
        }
        let reason = "it is a head of the log that this one continues, within what was taken over".to_owned();
        return (Verdict::Ignored, None, reason);
    }
    (Verdict::Ignored, None, flaw.detail.clone())
}

fn record(
    station: &mut Station,
    host: &Host,
    note: &Read<'_>,
    verdict: Verdict,
    head: Option<&Checkpoint>,
    known: u64,
    reason: String,
) -> Result<Judged, CeremonyError> {
    let object = station.log.put_object(note.bytes)?;
    let own = match head.filter(|_| verdict == Verdict::Forked) {
        // This log's own head of that size, where one was issued: the two notes are the proof.
        Some(head) => {
            let own = station.log.kept_checkpoint(head.size)?.unwrap_or_else(|| station.log.head().clone());
            station.log.put_object(own.note.as_bytes())?
        }
        None => String::new(),
    };
    let size = head.map_or(0, |head| head.size);
    let root = head.map(|head| hex::encode(head.root)).unwrap_or_default();
    let judged = AnchorJudged {
        size,
        root: (&root).into(),
        verdict: verdict.word().into(),
        known,
        note: object.into(),
        own: own.into(),
        reason: (&reason).into(),
    };
    let seq = station.record(&host.stamp(), judged.by(station.actor()))?;
    let name = note.name.clone();
    Ok(Judged { name, verdict, size, root, reason, seq, cosigned: Vec::new(), not_counted: Vec::new() })
}

fn newest_of(anchors: &Anchors) -> BTreeMap<String, Cosigned> {
    let newest = anchors.active().filter_map(|one| Some((one.key.name().to_owned(), one.newest.clone()?)));
    newest.collect()
}

/// Counts the witnesses' cosignatures of a head that this log continues.
fn cosignatures(
    station: &mut Station,
    host: &Host,
    anchors: &Anchors,
    newest: &mut BTreeMap<String, Cosigned>,
    bytes: &[u8],
    head: &Checkpoint,
    judged: &mut Judged,
) -> Result<(), CeremonyError> {
    let stamp = host.stamp();
    for witness in anchors.active() {
        let name = witness.key.name();
        let last = newest.get(name);
        let (time, reason) = match cosignature_time(bytes, &witness.key, anchors.began(), stamp.time) {
            Ok(None) => continue,
            Ok(Some(time)) if last.is_some_and(|last| last.time == time && last.size == head.size) => {
                continue;
            }
            Ok(Some(time)) => (Some(time), last.and_then(|last| stale(time, head.size, last))),
            Err(why) => (None, Some(why)),
        };
        let note = station.log.put_object(bytes)?;
        let (size, root, note) = (head.size, hex::encode(head.root).into(), note.into());
        let witness = name.into();
        match (time, reason) {
            (Some(time), None) => {
                let time_cosigned = time.to_string().into();
                let cosigned = WitnessCosigned { size, root, witness, time_cosigned, note };
                let seq = station.record(&stamp, cosigned.by(station.actor()))?;
                newest.insert(name.to_owned(), Cosigned { size: head.size, time, seq });
                judged.cosigned.push((shown(name), time));
            }
            (_, reason) => {
                let reason = reason.unwrap_or_default();
                let stale = WitnessStale { size, root, witness, note, reason: (&reason).into() };
                station.record(&stamp, stale.by(station.actor()))?;
                judged.not_counted.push(reason);
            }
        }
    }
    Ok(())
}

/// Why a cosignature adds nothing to the newest one that is known of the witness.
fn stale(time: Time, size: u64, last: &Cosigned) -> Option<String> {
    if time <= last.time {
        return Some(format!("it is of {time}, and a newer one, of {}, is known", last.time));
    }
    (size < last.size).then(|| {
        format!(
            "the witness's time went on and its size went back, from {} to {size}: it has lost its memory and would \
             cosign any history. Ask whoever runs it",
            last.size
        )
    })
}

/// Refuses to sign while a head that came back is not settled, or while cosignatures are missing that the policy asks for.
///
/// # Errors
/// Stopped (11, 12), or unwitnessed (13), which is logged.
pub(crate) fn require_may_sign(station: &mut Station, stamp: &Stamp) -> Result<(), CeremonyError> {
    match station.anchors().bar(stamp.time) {
        None => Ok(()),
        Some(Bar::Hold(Hold::Stopped(stop))) => Err(stopped(&stop)),
        Some(Bar::Hold(Hold::AwaitsWitness(seq))) => Err(CeremonyError::Unwitnessed(format!(
            "log entry {seq}: officers settled what happened to this station, and no witness has cosigned the log since. \
             Give the auditor the log (countersign log export), and take her cosigned head in (countersign anchor import, \
             or with the next request)"
        ))),
        Some(Bar::Overdue(overdue)) => {
            log_overdue(station, stamp)?;
            Err(unwitnessed(station.anchors(), &overdue))
        }
    }
}

fn log_overdue(station: &mut Station, stamp: &Stamp) -> Result<(), StationError> {
    let head = station.log.head().checkpoint.clone();
    let names: Vec<String> =
        station.anchors().active().map(|witness| witness.key.name().to_owned()).collect();
    for name in names {
        let (size, root) = (head.size, hex::encode(head.root).into());
        let overdue = WitnessOverdue { size, root, witness: name.into() };
        station.record(stamp, overdue.by(station.actor()))?;
    }
    Ok(())
}

/// The sentence about a head that stops this station.
pub(crate) fn stopped(stop: &Stop) -> CeremonyError {
    let Stop { seq, size, known, .. } = stop;
    let next = format!(
        "Nothing is signed here now. Keep the folder as it is, give the auditor the log (countersign log export), and \
         find out with her what happened; then settle it: countersign anchor settle {seq} --officer NAMES --reason TEXT"
    );
    match stop.verdict {
        Verdict::Forked => CeremonyError::Forked(format!(
            "log entry {seq}: a head of {size} entries came back that this station's own log key signed, and it tells \
             another history than this log: a copy of this station went on. Both notes are kept as objects of the log. {next}"
        )),
        _ => CeremonyError::RolledBack(format!(
            "log entry {seq}: a head of {size} entries came back that this station's own log key signed, and this log had \
             {known}: the station was put back to an older copy, or it is a copy of the one that goes on. {next}"
        )),
    }
}

fn unwitnessed(anchors: &Anchors, overdue: &Overdue) -> CeremonyError {
    let demand = anchors.demand();
    let wanted =
        if demand.quorum == 1 { "1 witness".to_owned() } else { format!("{} witnesses", demand.quorum) };
    let next = "Have the newest head cosigned (countersign-courier witness, or the auditor's countersign audit cosign), and \
                take the note in with the next request, or with countersign anchor import FILE";
    CeremonyError::Unwitnessed(match overdue {
        Overdue::Window(end) => format!(
            "{wanted} must have cosigned the log within {}, and that ended on {end}. {next}",
            counted(u64::from(demand.window_days), "day")
        ),
        Overdue::Bundle(there) => format!(
            "the policy waits for the head of the last exported bundle: {there} of {wanted} cosigned it so far. {next}"
        ),
    })
}

/// Makes a witness's cosignatures count. The officer's passphrase was given before.
///
/// # Errors
/// The key cannot be a witness's of this log.
pub(crate) fn add_witness(
    station: &mut Station,
    host: &Host,
    key: &VerifierKey,
    officer: &OpenOfficer,
) -> Result<u64, CeremonyError> {
    if let Some(why) = station.anchors().refuse_witness(key) {
        return Err(CeremonyError::Refused(format!("{why}. Nothing was changed")));
    }
    let added = WitnessAdded { witness: key.name().into(), key: key.to_string().into() };
    let seq = station.record_act(host, added.by(officer.name().as_str()), &[officer])?;
    station.commit()?;
    Ok(seq)
}

/// Makes a witness's cosignatures count no more. The officer's passphrase was given before.
///
/// # Errors
/// There is no such witness, or the policy asks for more witnesses than would be left.
pub(crate) fn retire_witness(
    station: &mut Station,
    host: &Host,
    name: &str,
    reason: &str,
    officer: &OpenOfficer,
) -> Result<u64, CeremonyError> {
    let anchors = station.anchors();
    if anchors.witness(name).is_none() {
        return Err(CeremonyError::Refused(format!(
            "there is no witness {} on this station: countersign witness list",
            shown(name)
        )));
    }
    let (left, quorum) = (anchors.active().count() as u64 - 1, anchors.demand().quorum);
    if left < quorum {
        return Err(CeremonyError::Refused(format!(
            "without {}, {left} witnesses would be left, and the policy asks for {quorum}. Add another one first, or set a \
             policy that asks for fewer",
            shown(name)
        )));
    }
    let retired = WitnessRetired { witness: name.into(), reason: shown(reason).into() };
    let seq = station.record_act(host, retired.by(officer.name().as_str()), &[officer])?;
    station.commit()?;
    Ok(seq)
}

/// Refuses a policy that asks for witnesses who are not there: after its window there would be no way on but another
/// policy.
///
/// # Errors
/// It asks for more than there are.
pub(crate) fn require_witnesses_for(
    station: &Station,
    policy: &crate::station::Policy,
) -> Result<(), CeremonyError> {
    let (there, wanted) = (station.anchors().active().count() as u64, policy.witness.quorum);
    if there >= wanted {
        return Ok(());
    }
    Err(CeremonyError::Refused(format!(
        "the policy asks for {wanted} witnesses ([witness] quorum), and this station has {there}: once the window ends, nothing \
         could be signed any more. Add them first: countersign witness add VKEY --officer NAME"
    )))
}

/// Officers say what the head in an entry is: a station that was put back on purpose, or lost lines. They were opened
/// before. Nothing is signed before a witness, where the station has any, has cosigned the log with this in it.
///
/// # Errors
/// The entry does not stop this station, or there are fewer officers than the policy asks approvals.
pub(crate) fn settle(
    station: &mut Station,
    host: &Host,
    seq: u64,
    officers: &[OpenOfficer],
    reason: &str,
) -> Result<(u64, Option<Hold>), CeremonyError> {
    let anchors = station.anchors();
    let stop = anchors.stops().iter().find(|stop| stop.seq == seq).ok_or_else(|| {
        let stops: Vec<String> = anchors.stops().iter().map(|stop| stop.seq.to_string()).collect();
        let which = if stops.is_empty() {
            "none does".to_owned()
        } else {
            format!("it is entry {}", stops.join(", "))
        };
        CeremonyError::Refused(format!("log entry {seq} is no head that stops this station: {which}"))
    })?;
    let size = anchors.stops().iter().map(|stop| stop.size).max().unwrap_or(stop.size);
    let officers: Vec<&OpenOfficer> = officers.iter().collect();
    let names: Vec<&str> = officers.iter().map(|officer| officer.name().as_str()).collect();
    let settled = AnchorSettled {
        anchor: seq,
        size,
        reason: shown(reason).into(),
        officers: names.iter().map(|name| (*name).into()).collect(),
    };
    let lead = names.first().copied().unwrap_or_default();
    let seq = station.record_act(host, settled.by(lead), &officers)?;
    station.commit()?;
    Ok((seq, station.anchors().hold()))
}
