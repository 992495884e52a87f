//! A page for people: the verdict, what to look at, every signature, the keys, the timeline. One file, no script,
//! nothing loaded from anywhere, fit for printing.

use super::head_words;
use super::inventory::Inventory;
use crate::audit::verdict::{Outcome, Verdict};
use crate::audit::who::strength_words;
use crate::audit::{Pack, Remark, RemarkKind};
use crate::host::Draft;
use crate::host::clock::Time;
use crate::host::disk::DiskResult;
use crate::ledger::summary::summary;
use crate::ledger::{Entry, Kind, Record};
use crate::text::{counted, shown};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The most rows of the timeline; the newest are shown.
const TIMELINE: usize = 10_000;
/// The most remarks of one kind that are listed.
const REMARKS: usize = 1_000;
/// The most signatures that are listed; the newest are shown.
const SIGNATURES: usize = 10_000;

const STYLE: &str = "body{font:14px/1.45 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em;color:#111}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #999}h3{font-size:1em;margin-bottom:.3em}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.2em .6em;border-bottom:1px solid #ddd}\
th{background:#f2f2f2}td.n{text-align:right;width:4em;font-variant-numeric:tabular-nums}td.t{width:12.5em;white-space:nowrap;font-variant-numeric:tabular-nums}code,td.m{font:12px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}\
td.none{color:#b00020;font-weight:bold}\
.good,.bad,.warn{padding:.8em 1em;border-left:.5em solid;margin:1em 0;font-size:1.1em}\
.good{border-color:#1a7f37;background:#eefaf1}.bad{border-color:#b00020;background:#fdeef0}.warn{border-color:#9a6700;background:#fff8e5}\
@media screen and (max-width:40rem){table,tbody,tr,td{display:block}tr{padding:.3em 0;border-bottom:1px solid #999}td,th{border:0}\
td,td.n,td.t{width:auto;text-align:left;padding:.05em .4em;overflow-wrap:anywhere}tr:has(th+th){display:flex;flex-wrap:wrap;background:#f2f2f2}}\
@media print{body{margin:0;max-width:none;font-size:11px}h2{break-after:avoid}tr{break-inside:avoid}}";

struct Signature {
    seq: u64,
    time: Time,
    what: String,
    key: String,
    officers: String,
    strength: String,
    intent: u64,
}

/// What the page is made of.
#[derive(Default)]
pub(super) struct Page {
    station: Option<(String, String)>,
    timeline: std::collections::VecDeque<(u64, Time, String, &'static str, String)>,
    remarks: BTreeMap<RemarkKind, Vec<Remark>>,
    signatures: std::collections::VecDeque<Signature>,
    inventory: Inventory,
    approvals: BTreeMap<u64, String>,
}

impl Page {
    pub(super) fn see(&mut self, entry: &Entry<'_>, remarks: &[Remark]) {
        let what = summary(entry);
        for remark in remarks {
            let listed = self.remarks.entry(remark.kind).or_default();
            if listed.len() < REMARKS {
                listed.push(remark.clone());
            }
        }
        match entry.record() {
            Record::StationCreated(created) => {
                self.station = Some((shown(&created.factory), shown(&created.fingerprint)));
            }
            Record::SignIntent(intent) => {
                let approvals = intent.approvals.iter();
                let words: Vec<String> =
                    approvals.map(|one| format!("{} (entry {})", shown(&one.officer), one.seq)).collect();
                self.approvals.insert(entry.seq(), words.join(", "));
            }
            Record::SignResult(result) => {
                let officers: Vec<String> = result.officers.iter().map(|name| shown(name)).collect();
                let (wave, tag) = (shown(&result.wave), shown(&result.tag));
                self.signatures.push_back(Signature {
                    seq: entry.seq(),
                    time: entry.time(),
                    what: format!("{wave} version {}, tag {tag}", result.version),
                    key: shown(&result.keyid),
                    officers: officers.join(", "),
                    strength: shown(&result.strength),
                    intent: result.intent,
                });
                if self.signatures.len() > SIGNATURES
                    && let Some(old) = self.signatures.pop_front()
                {
                    self.approvals.remove(&old.intent);
                }
            }
            _ => {}
        }
        self.inventory.see(entry);
        self.timeline.push_back((
            entry.seq(),
            entry.time(),
            shown(&entry.actor()),
            entry.kind().name(),
            what,
        ));
        if self.timeline.len() > TIMELINE {
            self.timeline.pop_front();
        }
    }

    /// The part of the page that is about one station.
    pub(super) fn section(&self, pack: &Pack<'_>, verdict: &Verdict, now: Time) -> String {
        let mut out = String::new();
        let (factory, fingerprint) = self.station.clone().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "<h1>Audit report: signing log of factory {}</h1>", escape(&factory));
        self.verdict(&mut out, pack, verdict, now, &fingerprint);
        witnesses(&mut out, verdict);
        self.exceptions(&mut out, verdict);
        self.signed(&mut out, verdict);
        self.comings(&mut out);
        self.history(&mut out, verdict);
        out
    }

    fn verdict(&self, out: &mut String, pack: &Pack<'_>, verdict: &Verdict, now: Time, fingerprint: &str) {
        let found = &verdict.examination;
        let (class, sentence) = match verdict.outcome {
            Outcome::Whole if pack.key_was_given() => ("good", "The log is whole."),
            Outcome::Whole => {
                ("warn", "The log is whole, if its key is the station's: the key came with the pack.")
            }
            Outcome::Tampered => ("bad", "The log was tampered with or damaged."),
            Outcome::Forked => ("bad", "The log was forked: it does not continue what was seen before."),
            Outcome::RolledBack => ("bad", "The log was rolled back: it is older than what was seen before."),
            Outcome::Unwitnessed => ("warn", "The log is whole, and no witness vouched for it in time."),
            Outcome::InDoubt => ("warn", "The log is whole, and a signature is in doubt."),
        };
        let _ = writeln!(out, "<p class=\"{class}\"><strong>{sentence}</strong></p>");
        if !found.flaws.is_empty() || !verdict.reasons.is_empty() {
            out.push_str("<ul>\n");
            for flaw in found.flaws.iter().take(REMARKS) {
                let _ = writeln!(out, "<li>{}</li>", escape(&flaw.to_string()));
            }
            for reason in &verdict.reasons {
                let _ = writeln!(out, "<li>{}</li>", escape(reason));
            }
            out.push_str("</ul>\n");
        }
        out.push_str("<h2>Summary</h2>\n<table>\n");
        let period = found.period.map_or_else(String::new, |(first, last)| format!("{first} to {last}"));
        let rows = [
            ("Made", format!("{now} by countersign {}", crate::release::VERSION)),
            ("Log", pack.key().name().to_owned()),
            (
                "Log key",
                format!(
                    "{}{}",
                    pack.key(),
                    if pack.key_was_given() { "" } else { " (from the pack itself)" }
                ),
            ),
            ("Head", head_words(found.head.as_ref())),
            ("Entries", found.size.to_string()),
            ("Period", period),
            ("Root at the beginning", fingerprint.to_owned()),
            ("Checkpoints verified", found.checkpoints.to_string()),
            ("TUF signatures verified", found.signatures.to_string()),
            ("Objects verified", found.objects.to_string()),
        ];
        for (name, value) in rows {
            let _ = writeln!(out, "<tr><th>{name}</th><td class=\"m\">{}</td></tr>", escape(&value));
        }
        let (class, compared) = match verdict.compared {
            (0, 0) => (
                " none",
                "no head from elsewhere: a log that was rolled back or rewritten by its key would look the same".to_owned(),
            ),
            (given, seen) => {
                ("", format!("{} given, {} seen before", counted(given as u64, "head"), counted(seen as u64, "head")))
            }
        };
        let _ = writeln!(out, "<tr><th>Compared with</th><td class=\"m{class}\">{compared}</td></tr>");
        out.push_str("</table>\n");
    }

    fn exceptions(&self, out: &mut String, verdict: &Verdict) {
        out.push_str("<h2>Look at these first</h2>\n");
        let loud = self.remarks.iter().filter(|(kind, _)| **kind != RemarkKind::Inventory);
        let mut is_quiet = true;
        for (kind, listed) in loud {
            is_quiet = false;
            let count = verdict.examination.remarks.get(kind).copied().unwrap_or(0);
            let _ = writeln!(out, "<h3>{} ({count})</h3>\n<table>", kind.title());
            for remark in listed {
                let _ = writeln!(
                    out,
                    "<tr><td class=\"n\">{}</td><td class=\"t\">{}</td><td>{}</td></tr>",
                    remark.seq,
                    remark.time,
                    escape(&remark.text)
                );
            }
            out.push_str("</table>\n");
            if count > listed.len() as u64 {
                let _ =
                    writeln!(out, "<p>The first {} of {count}; the CSV report has all.</p>", listed.len());
            }
        }
        if is_quiet {
            out.push_str("<p>Nothing: no refusals, no exceptions, no odd times.</p>\n");
        }
    }

    fn signed(&self, out: &mut String, verdict: &Verdict) {
        let all = verdict.examination.kinds.get(&Kind::SignResult).copied().unwrap_or(0);
        let _ = writeln!(out, "<h2>Signatures ({all})</h2>");
        if all > self.signatures.len() as u64 {
            let _ =
                writeln!(out, "<p>The last {} of {all}; the CSV report has all.</p>", self.signatures.len());
        }
        let _ = writeln!(
            out,
            "<table><tr><th>Entry</th><th>Time</th><th>What</th><th>Key</th><th>Opened by</th>\
             <th>Approved by</th><th>Strength</th></tr>"
        );
        for one in &self.signatures {
            let approvals = self.approvals.get(&one.intent).map_or("", String::as_str);
            let _ = writeln!(
                out,
                "<tr><td class=\"n\">{}</td><td class=\"t\">{}</td><td>{}</td><td class=\"m\">{}</td><td>{}</td><td>{}</td><td>{}: {}</td></tr>",
                one.seq,
                one.time,
                escape(&one.what),
                escape(&one.key),
                escape(&one.officers),
                escape(approvals),
                escape(&one.strength),
                strength_words(&one.strength)
            );
        }
        out.push_str("</table>\n");
    }

    /// What came and went, after who and what is there.
    fn comings(&self, out: &mut String) {
        self.inventory.write(out);
        out.push_str(
            "<table><tr><th>Entry</th><th>Time</th><th>Officers and keys that came or went</th></tr>\n",
        );
        for remark in self.remarks.get(&RemarkKind::Inventory).into_iter().flatten() {
            let (seq, time, text) = (remark.seq, remark.time, escape(&remark.text));
            let _ = writeln!(
                out,
                "<tr><td class=\"n\">{seq}</td><td class=\"t\">{time}</td><td>{text}</td></tr>"
            );
        }
        out.push_str("</table>\n");
    }

    fn history(&self, out: &mut String, verdict: &Verdict) {
        out.push_str("<h2>Timeline</h2>\n");
        let all = verdict.examination.size;
        if all > self.timeline.len() as u64 {
            let _ = writeln!(
                out,
                "<p>The last {} of {all} entries; the CSV report has all.</p>",
                self.timeline.len()
            );
        }
        out.push_str("<table><tr><th>Entry</th><th>Time</th><th>Who</th><th>Kind</th><th>What</th></tr>\n");
        for (seq, time, actor, kind, what) in &self.timeline {
            let _ = writeln!(
                out,
                "<tr><td class=\"n\">{seq}</td><td class=\"t\">{time}</td><td>{}</td><td>{kind}</td><td>{}</td></tr>",
                escape(actor),
                escape(what)
            );
        }
        out.push_str("</table>\n");
    }
}

/// The page: of several stations a table of verdicts first.
pub(super) fn write(
    packs: &[&Pack<'_>],
    verdicts: &[Verdict],
    sections: &[String],
    draft: &mut Draft<'_>,
) -> DiskResult<()> {
    let title = match packs {
        [one] => shown(one.key().name()),
        all => format!("{} stations", all.len()),
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Audit report: {}</title>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <style>{STYLE}</style></head><body>\n<main>\n",
        escape(&title)
    );
    if packs.len() > 1 {
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<h1>{}</h1>\n<table><tr><th>Log</th><th>Verdict</th><th>Entries</th><th>Last entry</th><th>Signatures</th></tr>",
            escape(&title)
        );
        for (at, (pack, verdict)) in packs.iter().zip(verdicts).enumerate() {
            let found = &verdict.examination;
            let last = found.period.map_or_else(String::new, |(_, last)| last.to_string());
            let _ = writeln!(
                out,
                "<tr><td><a href=\"#log-{at}\">{}</a></td><td>{}</td><td class=\"n\">{}</td><td class=\"t\">{last}</td><td class=\"n\">{}</td></tr>",
                escape(&shown(pack.key().name())),
                verdict.outcome.word(),
                found.size,
                found.signatures
            );
        }
        out.push_str("</table>\n");
    }
    draft.bytes().extend_from_slice(out.as_bytes());
    for (at, section) in sections.iter().enumerate() {
        draft
            .bytes()
            .extend_from_slice(format!("<section id=\"log-{at}\">\n{section}</section>\n").as_bytes());
        draft.relieve()?;
    }
    draft.bytes().extend_from_slice(b"</main>\n</body></html>\n");
    Ok(())
}

/// Text as HTML. It was escaped for showing before: what is left are the page's own signs.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            ' '..='~' => out.push(character),
            other => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(other));
            }
        }
    }
    out
}

/// Who cosigned which part of the log, in words and as a line over its time.
fn witnesses(out: &mut String, verdict: &Verdict) {
    out.push_str("<h2>Who cosigned it</h2>\n");
    let found = &verdict.examination;
    if verdict.witnessed.iter().all(|one| one.heads.is_empty()) {
        out.push_str("<p>Nobody cosigned this log, as far as this pack shows.</p>\n");
    }
    for one in &verdict.witnessed {
        let words = escape(&one.words(found.size));
        let from = if one.was_given { "" } else { " The key is the one that the log has." };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "<p>{words}.{from}</p>");
        let Some((first, last)) = found.period.filter(|_| !one.heads.is_empty()) else { continue };
        let whole = (last.unix() - first.unix()).max(1);
        let at = |time: Time| ((time.unix() - first.unix()) * 1000 / whole).clamp(0, 1000);
        let newest = one.heads.iter().map(|(_, time)| at(*time)).max().unwrap_or(0);
        let _ = write!(
            out,
            "<svg viewBox=\"-6 0 1012 16\" role=\"img\"><title>{words}</title>\
             <line x1=\"0\" y1=\"8\" x2=\"1000\" y2=\"8\" stroke=\"#bbb\" stroke-width=\"2\"/>\
             <line x1=\"0\" y1=\"8\" x2=\"{newest}\" y2=\"8\" stroke=\"#176f3d\" stroke-width=\"4\"/>"
        );
        for (size, time) in &one.heads {
            let _ = write!(
                out,
                "<circle cx=\"{}\" cy=\"8\" r=\"5\" fill=\"#176f3d\"><title>{size} entries on {time}</title></circle>",
                at(*time)
            );
        }
        let _ = writeln!(out, "</svg>\n<p>{first} to {last}</p>");
    }
}
