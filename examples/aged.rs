//! Makes a station old: adds self-tests, as `preflight` records them, until its log has so many entries.
//! `benches/aged.sh` compares what each command then takes with what it takes on a new station.
//!
//! ```text
//! cargo run --release --example aged -- STATION 10000
//! ```

#[path = "../tests/suite/support/unsynced_disk.rs"]
mod unsynced_disk;

use countersign::testing::host::Stamp;
use countersign::testing::host::clock::{Clock as _, SystemClock};
use countersign::testing::ledger::Log;
use countersign::testing::ledger::record::Selftest;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use unsynced_disk::Unsynced;

/// Entries between two checkpoints: a sitting's worth.
const SITTING: u64 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [station, entries] = &arguments[..] else { return Err("usage: aged STATION ENTRIES".into()) };
    let (dir, entries) = (Path::new(station).join("log"), entries.parse::<u64>()?);
    let stamp = |uptime_ms| Stamp { time: SystemClock.now(), boot: "aged".to_owned(), uptime_ms };
    let (mut log, _) = Log::open(Arc::new(Unsynced), &dir, &stamp(1), &mut |_| {})?;
    let checks = ["network", "clock", "time-zone", "swap", "core-dumps", "permissions", "free-space", "log"];
    while log.size() < entries {
        let checks = checks.map(|check| (check, "passed: nothing to say"));
        let event = Selftest { passed: true, checks: checks.into_iter().map(Into::into).collect() };
        log.append(&stamp(log.size()), event.by("countersign"))?;
        if log.size() % SITTING == 0 {
            log.checkpoint()?;
        }
    }
    log.checkpoint()?;
    println!("{} entries", log.size());
    Ok(())
}
