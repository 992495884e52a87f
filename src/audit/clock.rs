//! Three witnesses of time against each other: the wall clock, the milliseconds since boot, and the boot id.

use super::remark::RemarkKind;
use crate::host::clock::Time;
use crate::ledger::Entry;

/// By so many seconds the wall clock may drift from the machine's own count between two entries.
const TOLERANCE: i64 = 120;

/// The entry before.
#[derive(Clone, Default)]
pub(crate) struct ClockWatch {
    last: Option<Seen>,
}

#[derive(Clone)]
struct Seen {
    time: Time,
    boot: String,
    uptime_ms: u64,
}

impl ClockWatch {
    /// Compares an entry's times with those of the one before.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) -> Option<(RemarkKind, String)> {
        let boot = entry.boot();
        let found = self.last.as_ref().and_then(|last| {
            let passed = entry.time().unix() - last.time.unix();
            if last.boot != boot {
                return (passed < 0).then(|| {
                    let text =
                        format!("after a restart the clock shows {} seconds less than before", -passed);
                    (RemarkKind::ClockBack, text)
                });
            }
            let counted = i64::try_from(entry.uptime_ms()).unwrap_or(i64::MAX) / 1000
                - i64::try_from(last.uptime_ms).unwrap_or(i64::MAX) / 1000;
            if counted < -1 {
                let text = "the machine's count since boot went back without a restart".to_owned();
                return Some((RemarkKind::ClockBack, text));
            }
            let drift = passed - counted;
            let side = if drift < 0 { RemarkKind::ClockBack } else { RemarkKind::ClockJump };
            // A clock never runs backwards by itself, however slowly it drifts.
            (drift.abs() > TOLERANCE || passed < -2).then(|| {
                let text = format!("the clock moved by {passed} seconds while the machine counted {counted}");
                (side, text)
            })
        });
        // Entries mostly come in runs of one boot: the id is copied once a run.
        match &mut self.last {
            Some(last) if last.boot == boot => {
                last.time = entry.time();
                last.uptime_ms = entry.uptime_ms();
            }
            last => {
                *last =
                    Some(Seen { time: entry.time(), boot: boot.into_owned(), uptime_ms: entry.uptime_ms() });
            }
        }
        found
    }
}
