//! `log`: this station's log, for the officer: show, verify, head, and the evidence pack for the auditor.

use super::audit::{choose, describe_verdict, verdict_value};
use super::{Context, Exit, Failure, Outcome};
use crate::audit::verdict::{Compare, verify};
use crate::audit::{Options, Pack};
use crate::ledger::record::{LogExported, LogVerified};
use crate::ledger::summary::timeline_line;
use crate::ledger::{Record, export};
use crate::text::{shown, shown_path};
use crate::words;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// This station's log: show, verify, head, export.
#[derive(clap::Subcommand)]
#[command(
    after_help = "Example:\n  countersign log show --type sign --since 2026-11-01\n  countersign log export /media/usb/evidence-2026-11-23"
)]
pub(crate) enum Args {
    /// Show the entries.
    #[command(after_help = "Example:\n  countersign log show --type sign --since 2026-11-01")]
    Show(choose::Chosen),
    /// Check everything: tree, checkpoints, signatures, approvals, objects.
    #[command(after_help = "Example:\n  countersign log verify")]
    Verify,
    /// Print the newest signed checkpoint and the log's public key.
    #[command(after_help = "Example:\n  countersign log head")]
    Head,
    /// Write the evidence pack for the auditor into a new folder.
    #[command(after_help = "Example:\n  countersign log export /media/usb/evidence-2026-11-23")]
    Export {
        /// The folder to write; it must not exist, or be empty [default: evidence-DATE-SIZE here].
        dir: Option<PathBuf>,
    },
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Show(chosen) => show(&chosen, context),
        Args::Verify => check(context),
        Args::Head => head(context),
        Args::Export { dir } => export_pack(context, dir),
    }
}

fn show(chosen: &choose::Chosen, context: &Context<'_>) -> Outcome {
    let filter = chosen.filter()?;
    let station = context.look()?;
    let mut found = Vec::new();
    let mut officers = BTreeSet::new();
    for entry in station.log.entries() {
        let entry = entry?;
        if let Record::OfficerAdded(added) = entry.entry().record() {
            officers.insert(added.officer.to_string());
        }
        if filter.matches(&entry.entry()) {
            found.push(entry);
        }
    }
    if let Some(name) = filter.officer.as_ref().filter(|name| found.is_empty() && !officers.contains(*name)) {
        let known: Vec<String> = officers.iter().map(|one| shown(one)).collect();
        return Err(Failure::usage(format!(
            "no officer of this station was ever called \"{}\". There are, or were: {}",
            shown(name),
            known.join(", ")
        )));
    }
    let lines: Vec<String> = found.iter().map(|entry| timeline_line(&entry.entry()) + "\n").collect();
    if !context.global.json {
        let origin = shown(&station.log.head().checkpoint.origin);
        context.page(&format!("Log {origin}, {} entries", station.log.size()), &lines.concat())?;
    }
    choose::print_json_lines(context, found.iter().map(|entry| entry.entry().line()))?;
    Ok(Exit::Done)
}

fn check(context: &Context<'_>) -> Outcome {
    context.with_station_to_read("log verify", |station| {
        let dir = station.log.dir().to_owned();
        let pack = Pack::open(station.disk(), &dir, Some(&station.log.key().to_string()))?;
        // Entries of this very command stand after the last checkpoint.
        let options = Options { allow_uncovered: true, ..Options::default() };
        let compare = Compare { now: Some(context.host.clock.now()), ..Compare::default() };
        let verdict = verify(&pack, options, compare, &mut |_, _| Ok(()))?;
        if verdict.examination.flaws.is_empty() && station.may_write() {
            let (size, root) = (verdict.examination.size, hex::encode(verdict.examination.root).into());
            let verified = LogVerified { size, root }.by(station.actor());
            station.record(&context.host.stamp(), verified)?;
            station.commit()?;
        }
        context.text(&describe_verdict(&verdict, station.log.key(), true))?;
        context.json(&verdict_value(&verdict, station.log.key(), true))?;
        Ok(super::audit::exit(verdict.outcome))
    })
}

fn head(context: &Context<'_>) -> Outcome {
    let station = context.look()?;
    let head = station.log.head();
    let (size, root) = (head.checkpoint.size, head.checkpoint.root);
    context.text(&format!(
        "On paper    size {size}: {}\nHead        {size} entries, root {}\nLog key     {}\n  in words  {}\n",
        words::confirmation(&root),
        hex::encode(root),
        station.log.key(),
        words::confirmation(&station.log.key().fingerprint()),
    ))?;
    context.done(&json!({
        "origin": head.checkpoint.origin,
        "size": head.checkpoint.size,
        "root": hex::encode(head.checkpoint.root),
        "key": station.log.key().to_string(),
        "checkpoint": head.note,
    }))
}

fn export_pack(context: &Context<'_>, dir: Option<PathBuf>) -> Outcome {
    context.with_station("log export", |station| {
        let dir = dir.unwrap_or_else(|| {
            let now = context.host.clock.now().to_string();
            let day = now.split('T').next().unwrap_or(&now);
            PathBuf::from(format!("evidence-{day}-{}", station.log.size()))
        });
        let dir = &*dir;
        // The pack holds the entry that says that it was written; its root is that of the entries before.
        let (size, root) = (station.log.size(), station.log.root());
        let (root, folder) = (hex::encode(root).into(), dir.to_string_lossy());
        let exported = LogExported { size, root, folder }.by(station.actor());
        export::prepare(station.disk(), dir).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        station.record(&context.host.stamp(), exported)?;
        station.commit()?;
        let written = export::write(station.disk(), &station.log, dir)?;
        let pack = Pack::open(station.disk(), dir, Some(&station.log.key().to_string()))?;
        let compare = Compare { now: Some(context.host.clock.now()), ..Compare::default() };
        let verdict = verify(&pack, Options::default(), compare, &mut |_, _| Ok(()))?;
        context.text(&format!(
            "Evidence pack of {} entries written to {} ({} objects, {} checkpoints)\nKey  {}\n{}",
            written.entries,
            shown_path(dir),
            written.objects,
            written.checkpoints,
            station.log.key(),
            describe_verdict(&verdict, station.log.key(), true)
        ))?;
        context.json(&json!({
            "folder": dir.to_string_lossy(),
            "entries": written.entries,
            "objects": written.objects,
            "checkpoints": written.checkpoints,
            "key": station.log.key().to_string(),
            "verdict": verdict_value(&verdict, station.log.key(), true),
        }))?;
        Ok(super::audit::exit(verdict.outcome))
    })
}
