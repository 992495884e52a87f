//! Writes the logs of a company's made-up stations, each with a history that an auditor has questions about:
//! `docs/many-stations.md` asks them, and `tests/scripts/many-stations.sh` compares the answers.
//!
//! ```text
//! cargo run --release --example stations -- --stations 50 --entries 20000 OUT
//! ```

#[path = "../tests/suite/support/made_up_station.rs"]
mod made_up_station;
#[path = "../tests/suite/support/unsynced_disk.rs"]
mod unsynced_disk;

use clap::Parser;
use countersign::testing::ledger::Record;
use countersign::testing::ledger::record::{AnchorJudged, SealedKey, SignInDoubt};
use made_up_station::{Act, Station, Twist};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use unsynced_disk::Unsynced;

/// Writes made-up stations' logs as OUT/00, OUT/01 …, and their keys as OUT/all.vkey.
#[derive(Parser)]
struct Arguments {
    /// How many stations.
    #[arg(long, default_value_t = 6)]
    stations: u64,
    /// Entries of each, about: a ceremony in every hundred.
    #[arg(long, default_value_t = 600)]
    entries: u64,
    /// A new folder.
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { stations, entries, out } = Arguments::parse();
    std::fs::create_dir_all(&out)?;
    let (next, keys) = (Mutex::new(0..stations), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let number = next.lock().expect("a number").next();
            let Some(number) = number else { break };
            let key = write(number, entries, &out.join(format!("{number:02}")));
            keys.lock().expect("keys").push(key);
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let mut keys = keys.into_inner()?;
    keys.sort();
    std::fs::write(out.join("all.vkey"), keys.concat())?;
    Ok(())
}

/// One station's log. Even ones seal their key to one officer, odd ones to two.
fn write(number: u64, entries: u64, dir: &Path) -> String {
    let origin = format!("countersign/site-{number:02}");
    let mut station = Station::named(&origin, Arc::new(Unsynced), dir, number, 1 + (number % 2) as usize);
    let mut ceremonies = 0;
    while station.log.size() < entries {
        // A ceremony in every hundred entries, one a week.
        if station.log.size() % 100 < 40 {
            station.long_filler();
            continue;
        }
        station.wait(7);
        ceremony(&mut station, number, ceremonies);
        ceremonies += 1;
        while station.log.size() % 100 >= 40 && station.log.size() < entries {
            station.filler();
        }
    }
    station.log.checkpoint().expect("a checkpoint");
    format!("{}\n", station.log.key())
}

/// A ceremony, and what is remarkable about some of them.
fn ceremony(station: &mut Station, number: u64, count: u64) {
    match count {
        // An officer refuses, and approves in the end.
        1 => {
            let before_intent: &[Act] = &[Act::Rejects(0), Act::Approves(0)];
            station.twisted(&Twist { before_intent, newest_approvals: true, ..Twist::default() });
        }
        // One station in three signs a version again, with other bytes.
        2 if number.is_multiple_of(3) => {
            station.content = 1 + number;
            station.twisted(&Twist { version: Some(station.version), ..Twist::default() });
            station.content = 0;
        }
        // The key's officers prove that it opens; at every second station nobody ever does.
        3 | 83 | 163 if number.is_multiple_of(2) => drill(station),
        // The station stops between intent and result, and an officer says what it was.
        4 if number % 3 == 1 => settled(station),
        // Another program, from then on.
        5 if number.is_multiple_of(4) => station.program = b"the next program",
        // Fewer approvals are asked for.
        0 if number.is_multiple_of(5) => {
            station.new_policy(2);
            station.new_policy(1);
        }
        _ => {}
    }
    station.ceremony();
    // A head comes back from the connected machine; to one station in four, only in the beginning.
    if number % 4 != 3 || count == 0 {
        head_comes_back(station);
    }
}

fn drill(station: &mut Station) {
    let officers: Vec<usize> = (0..station.quorum).collect();
    let names: Vec<&str> = officers.iter().map(|at| station.officers[*at].name).collect();
    let drilled = SealedKey {
        keyid: station.keyid.clone().into(),
        keytype: "ED25519".into(),
        quorum: station.quorum as u64,
        officers: names.into_iter().map(Into::into).collect(),
        set: "".into(),
        detail: "opens".into(),
    };
    let event = Record::KeyDrilled(drilled).by("mara");
    station.act(event, &officers);
}

fn settled(station: &mut Station) {
    let intent = station.twisted(&Twist { no_result: true, ..Twist::default() });
    let in_doubt = |keyid: &str, resolution: &str| {
        let (request, signed) = ("".into(), "".into());
        SignInDoubt { intent, request, keyid: keyid.into(), signed, resolution: resolution.into() }.by("mara")
    };
    let keyid = station.keyid.clone();
    station.append(in_doubt(&keyid, ""));
    station.act(in_doubt(&keyid, "not made"), &[0]);
}

fn head_comes_back(station: &mut Station) {
    let head = station.log.head().clone();
    let note = station.put(head.note.as_bytes());
    let known = station.log.size();
    let root = hex::encode(head.checkpoint.root);
    let judged = AnchorJudged {
        size: head.checkpoint.size,
        root: root.into(),
        verdict: "known".into(),
        known,
        note: note.into(),
        own: "".into(),
        reason: "".into(),
    };
    let event = judged.by("mara");
    station.append(event);
}
