//! A verdict in words and as JSON.

use crate::audit::witnessed::Witnessed;
use crate::audit::{Outcome, Verdict};
use crate::text::{counted, shown};
use crate::tlog::{Flaw, VerifierKey};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The most flaws that are printed in words.
const FLAWS_SHOWN: usize = 10;

/// A verdict for people: the answer first, then what was looked at.
pub(crate) fn describe_verdict(verdict: &Verdict, key: &VerifierKey, key_was_given: bool) -> String {
    let found = &verdict.examination;
    let mut out = String::new();
    let headline = match (verdict.outcome, key_was_given) {
        (Outcome::Whole, true) => "THE LOG IS WHOLE",
        (Outcome::Whole, false) => "THE LOG IS WHOLE, if its key is the station's",
        (Outcome::Tampered, _) => "THE LOG WAS TAMPERED WITH OR DAMAGED",
        (Outcome::Forked, _) => "THE LOG WAS FORKED: it does not continue what was seen before",
        (Outcome::RolledBack, _) => "THE LOG WAS ROLLED BACK: it is older than what was seen before",
        (Outcome::Unwitnessed, _) => "THE LOG IS WHOLE, and no witness vouched for it in time",
        (Outcome::InDoubt, _) => "THE LOG IS WHOLE, and a signature is in doubt",
    };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{headline}");
    if let Some(flaw) = verdict.first_flaw() {
        let _ = writeln!(out, "First bad:  {flaw}");
    }
    for flaw in found.flaws.iter().skip(1).take(FLAWS_SHOWN) {
        let _ = writeln!(out, "       and  {flaw}");
    }
    if found.flaws.len() > FLAWS_SHOWN + 1 {
        let _ = writeln!(out, "       and  {} more", found.flaws.len() - FLAWS_SHOWN - 1);
    }
    for reason in &verdict.reasons {
        let _ = writeln!(out, "Why:        {reason}");
    }
    let _ = writeln!(out, "Log         {}", shown(key.name()));
    let _ = writeln!(out, "Entries     {}", found.size);
    if let Some(head) = &found.head {
        let _ = writeln!(
            out,
            "Head        {} entries, root {}",
            head.checkpoint.size,
            hex::encode(head.checkpoint.root)
        );
    }
    if let Some((first, last)) = found.period {
        let _ = writeln!(out, "From - to   {first} - {last}");
    }
    let approvals =
        if found.flaws.is_empty() { ", and every approval" } else { "; not all of it, see above" };
    let _ = writeln!(
        out,
        "Verified    {}, {}, {}{approvals}",
        counted(found.checkpoints, "checkpoint"),
        counted(found.signatures, "TUF signature"),
        counted(found.objects, "object")
    );
    for (kind, count) in &found.remarks {
        let _ = writeln!(out, "Look at     {count} x {} ({})", kind.title(), kind.name());
    }
    out
}

/// What the log was compared with, as a line.
pub(crate) fn describe_compared(verdict: &Verdict) -> String {
    match verdict.compared {
        (0, 0) => "Compared    with no checkpoint from elsewhere (--against, --state)\n".to_owned(),
        (given, seen) => format!(
            "Compared    with {} given (--against) and {seen} seen before (--state)\n",
            counted(given as u64, "checkpoint")
        ),
    }
}

/// Which part of the log who cosigned, a line each.
pub(crate) fn describe_witnessed(verdict: &Verdict) -> String {
    let entries = verdict.examination.size;
    let lines = verdict.witnessed.iter().map(|one| format!("Witness     {}\n", one.words(entries)));
    let text: String = lines.collect();
    if verdict.witnessed.iter().all(|one| one.heads.is_empty()) {
        return format!(
            "{text}Witnessed   not at all: nobody cosigned this log, as far as this pack shows\n"
        );
    }
    text
}

fn witnessed_value(one: &Witnessed) -> Value {
    json!({
        "name": one.key.name(), "key": one.key.to_string(), "key_given": one.was_given,
        "size": one.newest().map(|(size, _)| size),
        "time": one.newest().map(|(_, time)| time.to_string()),
        "heads": one.heads.iter().map(|(size, time)| json!({ "size": size, "time": time.to_string() }))
            .collect::<Vec<_>>(),
    })
}

/// A verdict as JSON.
pub(crate) fn verdict_value(verdict: &Verdict, key: &VerifierKey, key_was_given: bool) -> Value {
    let found = &verdict.examination;
    json!({
        "verdict": verdict.outcome.word(),
        "ok": verdict.outcome == Outcome::Whole,
        "exit": verdict.outcome.exit_code(),
        "first_bad": verdict.first_flaw().map(flaw_value),
        "flaws": found.flaws.iter().map(flaw_value).collect::<Vec<_>>(),
        "reasons": verdict.reasons,
        "entries": found.size,
        "root": hex::encode(found.root),
        "head": found.head.as_ref().map(|head| json!({
            "size": head.checkpoint.size, "root": hex::encode(head.checkpoint.root), "note": head.note,
        })),
        "key": key.to_string(),
        "key_from_pack": !key_was_given,
        "compared": { "given": verdict.compared.0, "seen_before": verdict.compared.1 },
        "witnessed": verdict.witnessed.iter().map(witnessed_value).collect::<Vec<_>>(),
        "first": found.period.map(|(first, _)| first.to_string()),
        "last": found.period.map(|(_, last)| last.to_string()),
        "checkpoints": found.checkpoints,
        "signatures": found.signatures,
        "objects": found.objects,
        "open_intents": found.open_intents.iter().map(|intent| intent.seq).collect::<Vec<_>>(),
        "remarks": found.remarks.iter().map(|(kind, count)| (kind.name(), count)).collect::<std::collections::BTreeMap<_, _>>(),
    })
}

fn flaw_value(flaw: &Flaw) -> Value {
    json!({ "kind": flaw.kind.name(), "seq": flaw.seq, "file": flaw.file, "detail": flaw.detail })
}
