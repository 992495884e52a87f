//! Verdicts of several packs: one table, the whole of each that is not whole, one exit code.

use super::{describe_compared, describe_verdict, exit, verdict_value};
use crate::audit::{Outcome, Verdict};
use crate::cli::{Exit, Failure};
use crate::text::{counted, shown, shown_path};
use crate::tlog::VerifierKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// A pack that was verified.
pub(super) struct Verified {
    pub(super) key: VerifierKey,
    pub(super) key_was_given: bool,
    pub(super) verdict: Verdict,
}

/// A pack, and what came of verifying it.
pub(super) struct Row {
    pub(super) dir: PathBuf,
    pub(super) verified: Result<Verified, Failure>,
}

impl Row {
    fn exit(&self) -> Exit {
        self.verified.as_ref().map_or_else(|failure| failure.exit, |one| exit(one.verdict.outcome))
    }

    fn word(&self) -> &'static str {
        self.verified.as_ref().map_or("not verified", |one| one.verdict.outcome.word())
    }
}

/// The gravest exit code: a log that was changed first, then a pack that could not be verified, then what is to be asked.
pub(super) fn gravest(rows: &[Row]) -> Exit {
    const ORDER: [Exit; 6] =
        [Exit::Tampered, Exit::Forked, Exit::RolledBack, Exit::Failed, Exit::InDoubt, Exit::Unwitnessed];
    ORDER.into_iter().find(|exit| rows.iter().any(|row| row.exit() == *exit)).unwrap_or(Exit::Done)
}

/// The table, then the whole verdict of each pack that is not whole, then how many of each.
pub(super) fn describe_rows(rows: &[Row]) -> String {
    let mut out = format!(
        "{:<13} {:>9}  {:<20}  {:>6}  {:>8}  {:<5}  PACK\n",
        "VERDICT", "ENTRIES", "LAST ENTRY", "SIGNED", "COMPARED", "KEY"
    );
    let (mut entries, mut words) = (0, BTreeMap::<&str, u64>::new());
    // Writing to a string cannot fail.
    for row in rows {
        *words.entry(row.word()).or_default() += 1;
        let place = shown_path(&row.dir);
        let Ok(Verified { key, key_was_given, verdict }) = &row.verified else {
            let _ = writeln!(
                out,
                "{:<13} {:>9}  {:<20}  {:>6}  {:>8}  {:<5}  {place}",
                row.word(),
                "-",
                "-",
                "-",
                "-",
                "-"
            );
            continue;
        };
        let found = &verdict.examination;
        entries += found.size;
        let last = found.period.map_or_else(|| "-".to_owned(), |(_, last)| last.to_string());
        let from = if *key_was_given { "given" } else { "pack" };
        let (given, seen) = verdict.compared;
        let _ = writeln!(
            out,
            "{:<13} {:>9}  {last:<20}  {:>6}  {:>8}  {from:<5}  {place}  {}",
            row.word(),
            found.size,
            found.signatures,
            given + seen,
            shown(key.name())
        );
    }
    for row in rows {
        let _ = match &row.verified {
            Ok(one) if one.verdict.outcome == Outcome::Whole => Ok(()),
            Ok(one) => write!(
                out,
                "\n{}\n{}{}",
                shown_path(&row.dir),
                describe_verdict(&one.verdict, &one.key, one.key_was_given),
                describe_compared(&one.verdict)
            ),
            Err(failure) => writeln!(out, "\n{}\nNOT VERIFIED: {}", shown_path(&row.dir), failure.message),
        };
    }
    let words: Vec<String> = words.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
    let _ = writeln!(
        out,
        "\n{}, {}: {}",
        counted(rows.len() as u64, "pack"),
        counted(entries, "entry"),
        words.join(", ")
    );
    if rows.iter().flat_map(|row| &row.verified).any(|one| !one.key_was_given) {
        out.push_str("KEY \"pack\": the key came with the pack. Whether it is the station's, the pack cannot prove (--key).\n");
    }
    out
}

/// The same as JSON: a verdict a pack, in the order in which the packs were given.
pub(super) fn rows_value(rows: &[Row]) -> Value {
    let packs = rows.iter().map(|row| {
        let mut value = match &row.verified {
            Ok(one) => verdict_value(&one.verdict, &one.key, one.key_was_given),
            Err(failure) => {
                json!({ "verdict": null, "ok": false, "exit": failure.exit as u8, "error": failure.message })
            }
        };
        if let Some(value) = value.as_object_mut() {
            value.insert("pack".to_owned(), row.dir.to_string_lossy().into());
        }
        value
    });
    let entries: u64 =
        rows.iter().flat_map(|row| &row.verified).map(|one| one.verdict.examination.size).sum();
    let exit = gravest(rows);
    json!({ "ok": exit == Exit::Done, "exit": exit as u8, "entries": entries, "packs": packs.collect::<Vec<_>>() })
}
