//! `status`: one screen about the station.

use super::{Context, Exit, Failure, Outcome};
use crate::ceremony::made::signatures;
use crate::ceremony::preflight::heads;
use crate::ceremony::review::{rejected_by, rejected_value, rejections};
use crate::host::clock::Time;
use crate::ledger::Record;
use crate::station::{Station, request};
use crate::text::shown;
use crate::vault::keys;
use crate::vault::officer::{self, OfficerName, OfficerPublic};
use crate::vault::sealed::SealedKey;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Requests that stand on the screen; the older ones are shown with --all.
const REQUESTS: usize = 8;

/// One screen: Factory, root, keys, officers, requests, log head, what is overdue.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign status")]
pub struct Args {
    /// All requests, not the newest eight alone.
    #[arg(long)]
    all: bool,
}

/// Shows the station.
pub fn run(args: &Args, context: &Context<'_>) -> Outcome {
    let station = context.look()?;
    let root = station.trust.newest();
    let keys = keys::list_keys(station.disk(), &station.layout.keys())?;
    let officers = officer::list(station.disk(), &station.layout.officers())?;
    let now = context.host.clock.now();
    let head = station.log.head();
    let mut text = format!(
        "{:<9} {}{}\nRoot      version {}, expires {}\n",
        station.dialect.noun(),
        station.facts.factory,
        if station.facts.networked { " (station on a machine with a network)" } else { "" },
        root.version,
        root.expires
    );
    let mut overdue = Vec::new();
    if root.expires <= now {
        overdue.push(format!("root version {} expired on {}", root.version, root.expires));
    }
    for key in &keys {
        let drilled = key.last_drill.map_or("never".to_owned(), |time| time.to_string());
        let backed = key.last_backup.map_or("never".to_owned(), |time| time.to_string());
        text.push_str(&format!(
            "Key       {}  {}, opens with {} of {}; last drill {drilled}, last backup {backed}\n",
            key.keyid,
            key.keytype,
            key.quorum,
            key.holders()
        ));
        for name in retired_holders(key, &officers) {
            overdue.push(format!(
                "key {short} is still sealed to {name}, who is retired: seal it anew (countersign key reseal {short})",
                short = &key.keyid[..12.min(key.keyid.len())]
            ));
        }
        if key.last_backup.is_none() {
            overdue.push(format!("key {} has no paper backup", &key.keyid[..12.min(key.keyid.len())]));
        }
        if key.last_drill.is_none_or(|time| now.days_since(time) > 180) {
            overdue.push(format!(
                "key {} was not drilled in the last 180 days",
                &key.keyid[..12.min(key.keyid.len())]
            ));
        }
    }
    if keys.is_empty() {
        text.push_str("Key       none yet: countersign key import FILE --officers NAME --quorum 1\n");
    }
    for officer in &officers {
        let state = if officer.is_active() { "" } else { " (retired)" };
        text.push_str(&format!("Officer   {}{state}\n", officer.name));
    }
    let (lines, listed) = list_requests(&station, now, args.all, &mut overdue)?;
    text.push_str(&lines);
    for intent in station.log.open_intents() {
        overdue.push(format!("log entry {}: an intent to sign without a result", intent.seq));
    }
    text.push_str(&format!(
        "Log       {} entries, checkpoint at {}\n",
        station.log.size(),
        head.checkpoint.size
    ));
    let anchors = station.anchors()?;
    text.push_str(&format!("Heads     {}\n", heads::came_back(&anchors, now)));
    for witness in anchors.active() {
        let newest = match &witness.newest {
            Some(newest) => format!("cosigned {} entries on {}", newest.size, newest.time),
            None => "has not cosigned yet".to_owned(),
        };
        text.push_str(&format!("Witness   {}  {newest}\n", shown(witness.key.name())));
    }
    if let Some(before) = anchors.predecessor() {
        let name = shown(before.key.name());
        text.push_str(&format!("Continues {name}, {} entries\n", before.size));
    }
    let line = heads::line(&anchors, now);
    if line.outcome != crate::ceremony::preflight::Outcome::Pass {
        overdue.push(line.message);
    }
    for line in &overdue {
        text.push_str(&format!("OVERDUE   {line}\n"));
    }
    context.text(&text)?;
    context.json(&json!({
        "factory": station.facts.factory,
        "networked": station.facts.networked,
        "root_version": root.version,
        "root_expires": root.expires.to_string(),
        "keys": keys.iter().map(|key| json!({
            "keyid": key.keyid, "keytype": key.keytype, "quorum": key.quorum,
            "officers": key.officers.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
            "sealed_to_retired": retired_holders(key, &officers),
            "last_drill": key.last_drill.map(|time| time.to_string()),
            "last_backup": key.last_backup.map(|time| time.to_string()),
        })).collect::<Vec<_>>(),
        "officers": officers.iter().map(|officer| json!({
            "name": officer.name.as_str(), "active": officer.is_active(),
        })).collect::<Vec<_>>(),
        "requests": listed,
        "log_size": station.log.size(),
        "came_back": anchors.came_back().map(|back| json!({
            "size": back.size, "time": back.time.to_string(),
        })),
        "window_ends": anchors.window_ends().map(|end| end.to_string()),
        "stopped": anchors.hold().is_some(),
        "witnesses": anchors.active().map(super::witness::value).collect::<Vec<_>>(),
        "overdue": overdue,
    }))?;
    Ok(Exit::Done)
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
    overdue: &mut Vec<String>,
) -> Result<(String, Vec<Value>), Failure> {
    let logged = Decided::of(station)?;
    let mut rows = Vec::new();
    for digest in request::list(station.disk(), &station.layout)? {
        let id = digest.to_string();
        // One request that was changed must not hide the rest of the screen.
        let stored = match request::open_files(station, digest, |_| false) {
            Ok(stored) => stored,
            Err(e) => {
                overdue.push(format!("request {}: {e}", digest.short()));
                rows.push((String::new(), None, json!({ "request": id, "error": e.to_string() })));
                continue;
            }
        };
        // Whether the key is still one of the root's is not the question here.
        let made = match signatures(station, &stored) {
            Ok((made, _)) => made,
            Err(_) => stored.signatures(station.disk())?,
        };
        let refused =
            if logged.rejected.contains(&id) { rejections(station, &digest, now)? } else { Vec::new() };
        let is_exported = logged.exported.contains(&id);
        let mut state = match (made.is_empty(), is_exported) {
            (true, _) => "not signed",
            (false, false) => "signed, not exported yet",
            (false, true) => "signed, exported",
        }
        .to_owned();
        if !refused.is_empty() {
            state = format!("{state}, {}", rejected_by(&refused));
        }
        let manifest = &stored.request.manifest;
        let (short, subject, version) = (digest.short(), manifest.subject(), manifest.version);
        let line = format!("Request   {short}  {subject}, version {version}: {state}\n");
        let value = json!({
            "request": id, "wave": manifest.wave, "tag": manifest.tag, "version": manifest.version,
            "signed": !made.is_empty(), "exported": is_exported, "imported": &stored.import.time,
            "rejected": rejected_value(&refused),
        });
        rows.push((stored.import.time, Some(line), value));
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

/// What the log says of requests: only of those that were rejected once is it asked whether it stands.
#[derive(Default)]
struct Decided {
    rejected: BTreeSet<String>,
    exported: BTreeSet<String>,
}

impl Decided {
    fn of(station: &Station) -> Result<Decided, Failure> {
        let mut decided = Decided::default();
        for entry in station.log.entries() {
            let entry = entry?;
            let entry = entry.entry();
            let (requests, request) = match entry.record() {
                Record::ApprovalDenied(denied) => (&mut decided.rejected, &denied.request),
                Record::BundleExported(exported) => (&mut decided.exported, &exported.request),
                Record::SlipExported(exported) => (&mut decided.exported, &exported.request),
                _ => continue,
            };
            requests.insert(request.to_string());
        }
        Ok(decided)
    }
}
