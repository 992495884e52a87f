//! A page for people: the verdict, what to look at, every signature, the keys, the timeline. One file, no script,
//! nothing loaded from anywhere, fit for printing.

use super::drawing::{Drawing, Mark};
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
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

/// The most rows of the timeline; the newest are shown.
const TIMELINE: usize = 10_000;
/// The most remarks of one kind that are listed.
const REMARKS: usize = 1_000;
/// The most signatures that are listed; the newest are shown.
const SIGNATURES: usize = 10_000;

/// The most heads that were compared whose sizes are listed.
const HEADS: usize = 50;
/// Seconds without an entry after which another sitting begins.
const SITTING: i64 = 4 * 3600;
/// Room for what the auditor writes.
pub(super) const SIGN_OFF: &str = "<h2>Explanations and signatures</h2>\n<table class=\"off\">\
<tr><th>Entry</th><th>Explanation that was given, and by whom</th></tr>\
<tr><td></td><td></td></tr><tr><td></td><td></td></tr><tr><td></td><td></td></tr><tr><td></td><td></td></tr></table>\n\
<table class=\"off\"><tr><th>Name</th><th>Date</th><th>Signature</th></tr>\
<tr><td></td><td></td><td></td></tr><tr><td></td><td></td><td></td></tr></table>\n";

const STYLE: &str = "body{font:14px/1.45 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em;color:#111}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #999}h3{font-size:1em;margin-bottom:.3em}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.2em .6em;border-bottom:1px solid #ddd}\
th{background:#f2f2f2}td.n{text-align:right;width:4em;font-variant-numeric:tabular-nums}td.t{width:12.5em;white-space:nowrap;font-variant-numeric:tabular-nums}code,td.m{font:12px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}\
td{overflow-wrap:anywhere}.off td{height:2.5em;border:1px solid #999}svg{max-width:100%}\
@media(max-width:45em){td.t{white-space:normal;width:auto}th,td{padding:.2em .25em}}\
td.none{color:#b00020;font-weight:bold}\
.good,.bad,.warn{padding:.8em 1em;border-left:.5em solid;margin:1em 0;font-size:1.1em}\
.good{border-color:#1a7f37;background:#eefaf1}.bad{border-color:#b00020;background:#fdeef0}.warn{border-color:#9a6700;background:#fff8e5}\
@media screen and (max-width:40rem){table,tbody,tr,td{display:block}tr{padding:.3em 0;border-bottom:1px solid #999}td,th{border:0}\
td,td.n,td.t{width:auto;text-align:left;padding:.05em .4em;overflow-wrap:anywhere}tr:has(th+th){display:flex;flex-wrap:wrap;background:#f2f2f2}}\
@media print{body{margin:0;max-width:none;font-size:11px}h2{break-after:avoid}tr{break-inside:avoid}}";

/// What an intent rests on.
#[derive(Default)]
struct Ground {
    approvals: String,
    findings: String,
}

/// An entry of the timeline.
struct Row {
    seq: u64,
    time: Time,
    boot: String,
    actor: String,
    kind: &'static str,
    what: String,
}

struct Signature {
    seq: u64,
    signed: String,
    refusals: u64,
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
    timeline: VecDeque<Row>,
    remarks: BTreeMap<RemarkKind, Vec<Remark>>,
    signatures: VecDeque<Signature>,
    inventory: Inventory,
    grounds: BTreeMap<u64, Ground>,
    /// How often each request was refused.
    refusals: BTreeMap<String, u64>,
    /// Of each program by version and digest: how many sessions, and the last.
    programs: BTreeMap<(String, String), (u64, Time)>,
    drawing: Drawing,
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
        self.draw(entry, remarks);
        self.take(entry);
        self.inventory.see(entry);
        match (entry.record(), self.timeline.back_mut()) {
            // A command in which nothing else happened is one line.
            (Record::SessionClosed(closed), Some(last)) if last.kind == Kind::SessionOpened.name() => {
                let _ = write!(last.what, ", and ended with code {}", closed.exit);
            }
            _ => self.timeline.push_back(Row {
                seq: entry.seq(),
                time: entry.time(),
                boot: shown(&entry.boot()),
                actor: shown(&entry.actor()),
                kind: entry.kind().name(),
                what,
            }),
        }
        if self.timeline.len() > TIMELINE {
            self.timeline.pop_front();
        }
    }

    fn draw(&mut self, entry: &Entry<'_>, remarks: &[Remark]) {
        let time = entry.time();
        match entry.kind() {
            Kind::SignResult => self.drawing.add(Mark::Signature, time),
            Kind::BundleExported | Kind::SlipExported | Kind::LogExported | Kind::WitnessCosigned => {
                self.drawing.add(Mark::Head, time);
            }
            _ => {}
        }
        for remark in remarks {
            match remark.kind {
                RemarkKind::Refusal => self.drawing.add(Mark::Refusal, time),
                RemarkKind::Inventory | RemarkKind::Heads => {}
                _ => self.drawing.add(Mark::Exception, time),
            }
        }
    }

    fn take(&mut self, entry: &Entry<'_>) {
        match entry.record() {
            Record::StationCreated(made) => {
                self.station = Some((shown(&made.factory), shown(&made.fingerprint)));
            }
            Record::SessionOpened(opened) if self.programs.len() < REMARKS => {
                let program = (shown(&opened.tool), shown(&opened.binary));
                let known = self.programs.entry(program).or_insert((0, entry.time()));
                *known = (known.0 + 1, entry.time());
            }
            Record::ApprovalDenied(denied) if self.refusals.len() < SIGNATURES => {
                *self.refusals.entry(denied.request.to_string()).or_default() += 1;
            }
            Record::SignIntent(intent) => {
                let approvals = intent.approvals.iter();
                let approvals = approvals.map(|one| format!("{} (entry {})", shown(&one.officer), one.seq));
                let findings = intent.findings.iter();
                let findings =
                    findings.map(|one| format!("{} ({})", shown(&one.check), shown(&one.severity)));
                let (approvals, findings) = (joined(approvals), joined(findings));
                self.grounds.insert(entry.seq(), Ground { approvals, findings });
            }
            Record::SignResult(result) => {
                let (wave, tag) = (shown(&result.wave), shown(&result.tag));
                self.signatures.push_back(Signature {
                    seq: entry.seq(),
                    signed: shown(&result.signed),
                    refusals: self.refusals.get(&*result.request).copied().unwrap_or(0),
                    time: entry.time(),
                    what: format!("{wave} version {}, tag {tag}", result.version),
                    key: shown(&result.keyid),
                    officers: joined(result.officers.iter().map(|name| shown(name))),
                    strength: shown(&result.strength),
                    intent: result.intent,
                });
                if self.signatures.len() > SIGNATURES
                    && let Some(old) = self.signatures.pop_front()
                {
                    self.grounds.remove(&old.intent);
                }
            }
            _ => {}
        }
    }

    /// The part of the page that is about one station.
    pub(super) fn section(&self, pack: &Pack<'_>, verdict: &Verdict, now: Time) -> String {
        let mut out = String::new();
        let (factory, fingerprint) = self.station.clone().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "<h1>Audit report: signing log of factory {}</h1>", escape(&factory));
        self.verdict(&mut out, pack, verdict, now, &fingerprint);
        if let Some((first, last)) = verdict.examination.period {
            out.push_str("<h2>At a glance</h2>\n");
            self.drawing.write(first, last, &mut out);
        }
        witnesses(&mut out, verdict);
        self.exceptions(&mut out, verdict);
        self.signed(&mut out, verdict);
        self.comings(&mut out);
        self.programs(&mut out);
        self.history(&mut out, verdict);
        out.push_str(SIGN_OFF);
        out
    }

    fn programs(&self, out: &mut String) {
        out.push_str("<h2>Programs that ran</h2>\n<table><tr><th>Version</th><th>SHA-256 of the program</th><th>Sessions</th><th>Last</th></tr>\n");
        for ((tool, binary), (count, last)) in &self.programs {
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td class=\"m\">{}</td><td class=\"n\">{count}</td><td class=\"t\">{last}</td></tr>",
                escape(tool),
                escape(binary)
            );
        }
        out.push_str("</table>\n");
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
                    if pack.key_was_given() {
                        " (given: it came another way than the pack)"
                    } else {
                        " (from the pack itself)"
                    }
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
                let sizes = joined(verdict.heads.iter().take(HEADS).map(ToString::to_string));
                let (given, seen) = (counted(given as u64, "head"), counted(seen as u64, "head"));
                ("", format!("{given} given, {seen} seen before; of {sizes} entries"))
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
            "<table><tr><th>Entry</th><th>Time</th><th>What</th><th>Key, and SHA-256 of the signed bytes</th><th>Opened by</th>\
             <th>Approved by</th><th>Refused before</th><th>Findings accepted</th><th>Strength</th></tr>"
        );
        for one in &self.signatures {
            let (approvals, findings) = self
                .grounds
                .get(&one.intent)
                .map_or(("", ""), |ground| (ground.approvals.as_str(), ground.findings.as_str()));
            let _ = writeln!(
                out,
                "<tr><td class=\"n\">{}</td><td class=\"t\">{}</td><td>{}</td><td class=\"m\">{}<br>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}: {}</td></tr>",
                one.seq,
                one.time,
                escape(&one.what),
                escape(&one.key),
                escape(&one.signed),
                escape(&one.officers),
                escape(approvals),
                match one.refusals {
                    0 => String::new(),
                    count => format!("{count} times"),
                },
                escape(findings),
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
        let mut before: Option<&Row> = None;
        for row in &self.timeline {
            let Row { seq, time, boot, actor, kind, what } = row;
            let goes_on = before.is_some_and(|last| {
                last.boot == *boot && (0..SITTING).contains(&(time.unix() - last.time.unix()))
            });
            if !goes_on {
                let _ = writeln!(out, "<tr><th colspan=\"5\">Sitting of {time}</th></tr>");
            }
            before = Some(row);
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

/// Texts in a row.
fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}

/// How a page begins; what stands in its title is escaped here.
pub(super) fn opening(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Audit report: {}</title>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <style>{STYLE}</style></head><body>\n<main>\n",
        escape(title)
    )
}

/// How it ends.
pub(super) const CLOSING: &str = "</main>\n</body></html>\n";

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
    let mut out = opening(&title);
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
    draft.bytes().extend_from_slice(CLOSING.as_bytes());
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
