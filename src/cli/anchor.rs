//! `anchor`: heads of this station's log that came back, and what officers say of those that stopped it.

use super::secrets::PassphraseArgs;
use super::{Context, Exit, Failure, Outcome};
use crate::bundle::anchors::read;
use crate::ceremony::acts::open_signers;
use crate::ceremony::anchors::{Judged, judge, settle};
use crate::ledger::acts::Needs;
use crate::ledger::anchors::Verdict;
use crate::ledger::{Hold, Record};
use crate::text::shown;
use crate::vault::officer::OfficerName;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Heads of this log that came back: list, import, settle what they showed.
#[derive(clap::Subcommand)]
#[command(
    after_help = "Example:\n  countersign anchor import /media/usb/signed-bundle\n  countersign anchor settle 57 --officer alice,bob --reason \"restored from the copy of Monday\""
)]
pub(crate) enum Args {
    /// Take heads in without a request: signed bundles, or notes that witnesses cosigned.
    #[command(after_help = "Example:\n  countersign anchor import /media/usb/auditor.note")]
    Import {
        /// Notes, or signed bundles' folders.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// List the heads that came back, with what each showed, and what officers said of those that stopped the station.
    #[command(after_help = "Example:\n  countersign anchor list")]
    List,
    /// Say what a head is that stopped this station: that it was put back to an older copy on purpose, for one.
    ///
    /// Needs as many officers as the policy asks approvals. Where the station has witnesses, nothing is signed before one
    /// of them has cosigned the log with this in it: the auditor, after she has examined it.
    #[command(
        after_help = "Example:\n  countersign anchor settle 57 --officer alice,bob --reason \"restored from the copy of Monday\""
    )]
    Settle {
        /// The number of the log entry anchor.judged.
        seq: u64,
        /// The officers who say so.
        #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
        officer: Vec<OfficerName>,
        /// What happened; it stands in the log.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Their passphrases.
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Import { files } => import(&files, context),
        Args::List => list(context),
        Args::Settle { seq, officer, reason, passphrase } => {
            settle_stop(seq, &officer, &reason, &passphrase, context)
        }
    }
}

fn import(files: &[PathBuf], context: &Context<'_>) -> Outcome {
    let disk = &*context.host.disk;
    let notes: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|path| Ok((path.to_string_lossy().into_owned(), read(disk, path)?)))
        .collect::<Result<_, Failure>>()?;
    context.with_station("anchor import", |station| {
        let notes = notes.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let judged = judge(station, context.host, notes);
        // What stopped the station is in the log before anybody is told.
        station.commit()?;
        let judged = judged?;
        context.text(&describe(&judged))?;
        context.done(&values(&judged))
    })
}

fn list(context: &Context<'_>) -> Outcome {
    let station = context.look()?;
    let (mut text, mut all) = (String::new(), Vec::new());
    for entry in station.log.entries() {
        let entry = entry?;
        let entry = entry.entry();
        if matches!(entry.record(), Record::AnchorJudged(_) | Record::AnchorSettled(_)) {
            text.push_str(&crate::ledger::summary::timeline_line(&entry));
            text.push('\n');
        }
        if let Record::AnchorJudged(judged) = entry.record() {
            all.push(json!({
                "seq": entry.seq(), "time": entry.time().to_string(), "size": judged.size,
                "root": judged.root, "verdict": judged.verdict, "note": *judged.note,
            }));
        }
    }
    if text.is_empty() {
        text.push_str("No head of this log came back yet\n");
    }
    context.text(&text)?;
    context.done(&all)
}

fn settle_stop(
    seq: u64,
    officers: &[OfficerName],
    reason: &str,
    passphrase: &PassphraseArgs,
    context: &Context<'_>,
) -> Outcome {
    let files = passphrase.files()?;
    context.with_station("anchor settle", |station| {
        if !station.anchors().stops().iter().any(|stop| stop.seq == seq) {
            return Err(Failure::new(
                Exit::Refused,
                format!("log entry {seq} is no head that stops this station: countersign anchor list"),
            ));
        }
        let needs = Needs::Officers(u64::from(station.policy.approvals));
        let opened = open_signers(station, context.host, officers, &needs, &files, "anchor settle")?;
        let (entry, hold) = settle(station, context.host, seq, &opened, reason)?;
        let names: Vec<&str> = officers.iter().map(OfficerName::as_str).collect();
        let next = match hold {
            None => "Bundles are signed here again.".to_owned(),
            Some(Hold::AwaitsWitness(_)) => {
                "Nothing is signed before a witness has cosigned the log with this in it: give the auditor the log (countersign \
                 log export), and take her cosigned head in (countersign anchor import FILE)."
                    .to_owned()
            }
            Some(Hold::Stopped(stop)) => format!("Log entry {} still stops this station.", stop.seq),
        };
        context.text(&format!("Log entry {seq} is settled by {} (log entry {entry})\n{next}\n", names.join(", ")))?;
        context.done(&json!({ "anchor": seq, "seq": entry, "officers": names, "next": next }))
    })
}

/// What heads that came back showed, a line each.
pub(super) fn describe(judged: &[Judged]) -> String {
    let mut text = String::new();
    for one in judged {
        let Judged { name, size, .. } = one;
        text.push_str(&match one.verdict {
            Verdict::Known => format!("Head {name}: this log continues it ({size} entries)\n"),
            Verdict::Ignored => format!("Head {name}: ignored, it proves nothing here: {}\n", one.reason),
            Verdict::Settled => format!("Head {name}: of the lost history that was settled ({size} entries)\n"),
            Verdict::PredecessorAhead => format!(
                "WARNING   {name}: {}. What was signed after them is not known here: take over its newest log, or ask the \
                 auditor\n",
                one.reason
            ),
            Verdict::Ahead => format!("STOPPED   {name}: {size} entries, more than this log has\n"),
            Verdict::Forked => format!("STOPPED   {name}: {size} entries of another history\n"),
        });
        for (witness, time) in &one.cosigned {
            text.push_str(&format!("  cosigned by {witness} on {time}\n"));
        }
        for why in &one.not_counted {
            text.push_str(&format!("  a cosignature does not count: {}\n", shown(why)));
        }
    }
    text
}

/// The same as values.
pub(super) fn values(judged: &[Judged]) -> Vec<Value> {
    let value = |one: &Judged| {
        json!({
            "name": one.name, "verdict": one.verdict.word(), "size": one.size, "root": one.root, "reason": one.reason,
            "cosigned": one.cosigned.iter().map(|(witness, time)| json!({
                "witness": witness, "time": time.to_string(),
            })).collect::<Vec<_>>(),
            "not_counted": one.not_counted,
        })
    };
    judged.iter().map(value).collect()
}
