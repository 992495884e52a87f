//! Do heads of this log come back, is it what it was, and has the policy's window for witnesses time left?

use super::Line;
use crate::host::clock::Time;
use crate::ledger::{Anchors, Hold, Overdue};

/// The line's name.
pub(crate) const NAME: &str = "heads";

/// The line about heads that came back and witnesses.
pub(crate) fn line(anchors: &Anchors, now: Time) -> Line {
    match anchors.hold() {
        Some(Hold::Stopped(stop)) => {
            return Line::fail(
                NAME,
                format!(
                    "log entry {}: a head of {} entries came back that this log does not have. Do not sign; call the \
                     auditor, and settle it with her: countersign anchor settle {} --officer NAMES --reason TEXT",
                    stop.seq, stop.size, stop.seq
                ),
            );
        }
        Some(Hold::AwaitsWitness(seq)) => {
            let message = format!("what officers settled in log entry {seq} no witness has cosigned yet");
            return Line::fail(NAME, message);
        }
        None => {}
    }
    let back = came_back(anchors, now);
    match anchors.overdue(now) {
        Some(Overdue::Window(end)) => {
            let message = format!(
                "the policy's window for witnesses ended on {end}: have the newest head cosigned; {back}"
            );
            return Line::fail(NAME, message);
        }
        Some(Overdue::Bundle(there)) => {
            let message = format!(
                "the head of the last exported bundle is back with {there} cosignatures, too few; {back}"
            );
            return Line::fail(NAME, message);
        }
        None => {}
    }
    match ends_soon(anchors, now) {
        Some(warning) => Line::warn(NAME, format!("{warning}; {back}")),
        None => Line::pass(NAME, back),
    }
}

/// When the last head came back, in words.
pub(crate) fn came_back(anchors: &Anchors, now: Time) -> String {
    match anchors.came_back() {
        Some(back) => {
            let ago = back.time.beside(now);
            format!("the last head came back on {} ({ago}), of {} entries", back.time, back.size)
        }
        None => "no head of this log came back yet: give request --anchor the last signed bundle".to_owned(),
    }
}

/// A warning once less than a third of the policy's window is left.
pub(crate) fn ends_soon(anchors: &Anchors, now: Time) -> Option<String> {
    let end = anchors.window_ends()?;
    let left = end.unix() - now.unix();
    let window = i64::from(anchors.demand().window_days) * 86_400;
    (left < window / 3).then(|| {
        format!("the policy's window for witnesses ends on {end}: have the newest head cosigned before, or nothing is signed then")
    })
}
