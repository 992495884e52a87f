//! `status`: one screen about the station.

use super::{Context, Failure, Outcome};
use crate::ceremony::preflight::{self, heads};
use crate::ceremony::progress::{Progress, progress};
use crate::ceremony::review::rejected_value;
use crate::host::clock::Time;
use crate::ledger::Anchors;
use crate::station::{Station, request};
use crate::text::{short, shown};
use crate::vault::keys;
use crate::vault::officer::{OfficerName, OfficerPublic};
use crate::vault::sealed::SealedKey;
use crate::words;
use serde_json::{Value, json};

/// Requests that stand on the screen; the older ones are shown with --all.
const REQUESTS: usize = 5;
/// Days from one drill of a key to the next.
const DRILL_DAYS: i64 = 180;

/// One screen: Factory, root, keys, officers, requests, log head, what is overdue.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign status")]
pub(crate) struct Args {
    /// All requests, not the newest five alone.
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &Args, context: &Context<'_>) -> Outcome {
    let station = context.look()?;
    let now = context.host.clock.now();
    let keys = keys::list_keys(station.disk(), &station.layout.keys())?;
    let officers = station.officers()?;
    let anchors = station.anchors();
    let mut due = Due::default();
    let mut text = head_lines(&station, now, &mut due);
    for key in &keys {
        text.push_str(&key_lines(key, now));
        due.of_key(key, &officers, now);
    }
    if keys.is_empty() {
        text.push_str("Key       none yet: countersign key import FILE --officers NAMES --quorum K\n");
    }
    let names =
        officers.iter().map(|one| format!("{}{}", one.name, if one.is_active() { "" } else { " (retired)" }));
    text.push_str(&format!("Officers  {}\n", names.collect::<Vec<_>>().join(", ")));
    let (lines, listed) = list_requests(&station, now, args.all, &mut due)?;
    text.push_str(&lines);
    for intent in station.log.open_intents() {
        due.overdue.push(format!(
            "log entry {seq}: an intent to sign without a result: countersign settle {seq} --officer NAME --outcome made|not-made",
            seq = intent.seq
        ));
    }
    text.push_str(&log_lines(&station, anchors, now));
    let heads = heads::line(anchors, now);
    match heads.outcome {
        preflight::Outcome::Pass => {}
        preflight::Outcome::Warn => due.to_do.push(heads.message),
        preflight::Outcome::Fail => due.overdue.push(heads.message),
    }
    due.to_do.iter().for_each(|line| text.push_str(&format!("TO DO     {line}\n")));
    due.overdue.iter().for_each(|line| text.push_str(&format!("OVERDUE   {line}\n")));
    context.text(&text)?;
    let (root, head) = (station.trust.newest(), &station.log.head().checkpoint);
    context.done(&json!({
        "factory": station.facts.factory,
        "networked": station.facts.networked,
        "root_version": root.version,
        "root_expires": root.expires.to_string(),
        "keys": keys.iter().map(|key| key_value(key, &officers)).collect::<Vec<_>>(),
        "officers": officers.iter().map(|officer| json!({
            "name": officer.name.as_str(), "active": officer.is_active(),
        })).collect::<Vec<_>>(),
        "requests": listed,
        "log_size": station.log.size(),
        "log_head": { "size": head.size, "root": hex::encode(head.root) },
        "came_back": anchors.came_back().map(|back| json!({
            "size": back.size, "time": back.time.to_string(),
        })),
        "window_ends": anchors.window_ends().map(|end| end.to_string()),
        "stopped": anchors.hold().is_some(),
        "witnesses": anchors.active().map(super::witness::value).collect::<Vec<_>>(),
        "to_do": due.to_do,
        "overdue": due.overdue,
    }))
}

fn key_value(key: &SealedKey, officers: &[OfficerPublic]) -> Value {
    json!({
        "keyid": key.keyid, "keytype": key.keytype, "quorum": key.quorum,
        "officers": key.officers.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        "sealed_to_retired": retired_holders(key, officers),
        "last_drill": key.last_drill.map(|time| time.to_string()),
        "last_backup": key.last_backup.map(|time| time.to_string()),
    })
}

/// What is to be done, and what should have been done by now.
#[derive(Default)]
struct Due {
    to_do: Vec<String>,
    overdue: Vec<String>,
}

impl Due {
    fn of_key(&mut self, key: &SealedKey, officers: &[OfficerPublic], now: Time) {
        let short = short(&key.keyid);
        for name in retired_holders(key, officers) {
            self.overdue.push(format!(
                "key {short} is still sealed to {name}, who is retired: seal it anew (countersign key reseal {short})"
            ));
        }
        // Paper and the first drill belong to the day on which the key came; the drill is repeated.
        let first = if now.days_since(key.imported) < 1 { &mut self.to_do } else { &mut self.overdue };
        if key.last_backup.is_none() {
            first.push(format!("key {short} has no paper backup: countersign key backup {short} --out DIR"));
        }
        match key.last_drill {
            None => first.push(format!(
                "key {short} was never proved to open: countersign key drill {short} --officer NAMES"
            )),
            Some(time) if now.days_since(time) > DRILL_DAYS => self.overdue.push(format!(
                "key {short} was drilled {}, and is every {DRILL_DAYS} days: countersign key drill {short}",
                time.beside(now)
            )),
            Some(_) => {}
        }
    }
}

fn head_lines(station: &Station, now: Time, due: &mut Due) -> String {
    let root = station.trust.newest();
    if root.expires <= now {
        due.overdue.push(format!("root version {} expired {}", root.version, root.expires.beside(now)));
    }
    let networked = if station.facts.networked { " (station on a machine with a network)" } else { "" };
    format!(
        "{:<9} {}{networked}\nRoot      version {}, expires {} ({})\n",
        station.facts.dialect.noun(),
        station.facts.factory,
        root.version,
        root.expires,
        root.expires.beside(now)
    )
}

fn key_lines(key: &SealedKey, now: Time) -> String {
    let ago = |time: Option<Time>| time.map_or("never".to_owned(), |time| time.beside(now));
    format!(
        "Key       {}  {}, opens with {}; drilled {}, on paper {}\n",
        short(&key.keyid),
        key.keytype,
        key.opens_with(),
        ago(key.last_drill),
        ago(key.last_backup)
    )
}

fn log_lines(station: &Station, anchors: &Anchors, now: Time) -> String {
    let head = &station.log.head().checkpoint;
    let mut text =
        format!("Log       {} entries; head: {}\n", station.log.size(), words::confirmation(&head.root));
    text.push_str(&format!("Heads     {}\n", heads::came_back(anchors, now)));
    for witness in anchors.active() {
        let newest = match &witness.newest {
            Some(newest) => format!("cosigned {} entries {}", newest.size, newest.time.beside(now)),
            None => "has not cosigned yet".to_owned(),
        };
        text.push_str(&format!("Witness   {}  {newest}\n", shown(witness.key.name())));
    }
    if let Some(before) = anchors.predecessor() {
        text.push_str(&format!("Continues {}, {} entries\n", shown(before.key.name()), before.size));
    }
    text
}

/// Those to whom a key is sealed and who do not serve any more.
fn retired_holders<'a>(key: &'a SealedKey, officers: &[OfficerPublic]) -> Vec<&'a str> {
    let serves = |name: &OfficerName| officers.iter().any(|one| one.name == *name && one.is_active());
    key.officers.iter().filter(|name| !serves(name)).map(OfficerName::as_str).collect()
}

/// The requests, the newest first: as lines, of which the older ones may be left out, and all of them as values.
fn list_requests(
    station: &Station,
    now: Time,
    all: bool,
    due: &mut Due,
) -> Result<(String, Vec<Value>), Failure> {
    let mut rows = Vec::new();
    for digest in request::list(station.disk(), &station.layout)? {
        let id = digest.to_string();
        // One request that was changed must not hide the rest of the screen.
        let stored = match request::open_files(station, digest, |_| false) {
            Ok(stored) => stored,
            Err(e) => {
                due.overdue.push(format!("request {}: {e}", digest.short()));
                rows.push((String::new(), None, json!({ "request": id, "error": e.to_string() })));
                continue;
            }
        };
        let (progress, is_signed) = progress(station, &stored, now)?;
        let manifest = &stored.request.manifest;
        let since = station.taken.since(digest);
        let ago = since.map(|time| time.beside(now)).unwrap_or_default();
        let since = since.map(|time| time.to_string()).unwrap_or_default();
        let line = format!(
            "Request   {}  {}, version {}, {ago}: {}\n",
            digest.short(),
            manifest.subject(),
            manifest.version,
            progress.words()
        );
        let rejected = match &progress {
            Progress::Rejected(standing) => rejected_value(standing),
            _ => rejected_value(&[]),
        };
        let value = json!({
            "request": id, "wave": manifest.wave, "tag": manifest.tag, "version": manifest.version,
            "state": progress.words(), "signed": is_signed,
            "exported": station.state().requests.is_exported(&digest), "imported": &since, "rejected": rejected,
        });
        rows.push((since, Some(line), value));
    }
    rows.sort_by(|(one, ..), (other, ..)| other.cmp(one));
    let lines: Vec<&String> = rows.iter().filter_map(|(_, line, _)| line.as_ref()).collect();
    let shown = if all { lines.len() } else { lines.len().min(REQUESTS) };
    let mut text: String = lines.iter().take(shown).map(|line| line.as_str()).collect();
    if shown < lines.len() {
        text.push_str(&format!("          {} older: countersign status --all\n", lines.len() - shown));
    }
    Ok((text, rows.into_iter().map(|(_, _, value)| value).collect()))
}
