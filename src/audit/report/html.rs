//! A page for people: the verdict, what to look at, every signature, the keys, the timeline. One file, no script,
//! nothing loaded from anywhere, fit for printing.

use super::drawing::{self, Drawing, Mark};
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
use crate::page::{self, Columns, fact, facts, row, table};
use crate::text::{counted, shown};
use maud::{Markup, display, html};
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

const REMARK: Columns<3> = [("Entry", "number"), ("Time", "time"), ("What", "")];
const COMINGS: Columns<3> =
    [("Entry", "number"), ("Time", "time"), ("Officers and keys that came or went", "")];
const PROGRAM: Columns<4> =
    [("Version", ""), ("SHA-256 of the program", "code"), ("Sessions", "number"), ("Last", "time")];
const SIGNATURE: Columns<9> = [
    ("Entry", "number"),
    ("Time", "word"),
    ("What", ""),
    ("Key, and SHA-256 of the signed bytes", "code"),
    ("Opened by", ""),
    ("Approved by", ""),
    ("Refused before", ""),
    ("Findings accepted", ""),
    ("Strength", ""),
];
const ENTRY: Columns<5> =
    [("Entry", "number"), ("Time", "time"), ("Who", "name"), ("Kind", "word"), ("What", "")];
const STATION: Columns<5> =
    [("Log", ""), ("Verdict", ""), ("Entries", "number"), ("Last entry", "time"), ("Signatures", "number")];

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
    pub(super) fn section(&self, pack: &Pack<'_>, verdict: &Verdict, now: Time) -> Markup {
        let (factory, fingerprint) = self.station.clone().unwrap_or_default();
        html! {
            h1 { "Audit report: signing log of factory " (factory) }
            (judgement(pack, verdict))
            h2 { "Summary" }
            (overview(pack, verdict, now, &fingerprint))
            @if let Some((first, last)) = verdict.examination.period {
                h2 { "At a glance" }
                (self.drawing.drawn(first, last))
            }
            h2 { "Who cosigned it" }
            (witnesses(verdict))
            h2 { "Look at these first" }
            (self.exceptions(verdict))
            (self.signed(verdict))
            h2 { "Keys and officers" }
            (self.inventory.tables())
            // What came and went, after who and what is there.
            (table(&COMINGS, html! {
                @for one in self.remarks.get(&RemarkKind::Inventory).into_iter().flatten() {
                    (row(&COMINGS, [&one.seq, &display(one.time), &one.text]))
                }
            }))
            h2 { "Programs that ran" }
            (table(&PROGRAM, html! {
                @for ((tool, binary), (count, last)) in &self.programs {
                    (row(&PROGRAM, [tool, binary, count, &display(last)]))
                }
            }))
            (self.history(verdict))
            (sign_off())
        }
    }

    fn exceptions(&self, verdict: &Verdict) -> Markup {
        let loud: Vec<_> = self.remarks.iter().filter(|(kind, _)| **kind != RemarkKind::Inventory).collect();
        let count = |kind| verdict.examination.remarks.get(kind).copied().unwrap_or(0);
        html! {
            @for (kind, listed) in &loud {
                h3 { (kind.title()) " (" (count(kind)) ")" }
                (table(&REMARK, html! {
                    @for one in *listed { (row(&REMARK, [&one.seq, &display(one.time), &one.text])) }
                }))
                @if count(kind) > listed.len() as u64 {
                    p { "The first " (listed.len()) " of " (count(kind)) "; the CSV report has all." }
                }
            }
            @if loud.is_empty() { p { "Nothing: no refusals, no exceptions, no odd times." } }
        }
    }

    fn signed(&self, verdict: &Verdict) -> Markup {
        let all = verdict.examination.kinds.get(&Kind::SignResult).copied().unwrap_or(0);
        let none = Ground::default();
        let refused = |count| if count == 0 { String::new() } else { format!("{count} times") };
        html! {
            h2 { "Signatures (" (all) ")" }
            @if all > self.signatures.len() as u64 {
                p { "The last " (self.signatures.len()) " of " (all) "; the CSV report has all." }
            }
            (table(&SIGNATURE, html! {
                @for one in &self.signatures {
                    @let ground = self.grounds.get(&one.intent).unwrap_or(&none);
                    (row(&SIGNATURE, [
                        &one.seq,
                        &display(one.time),
                        &one.what,
                        &html! { (one.key) br; (one.signed) },
                        &one.officers,
                        &ground.approvals,
                        &refused(one.refusals),
                        &ground.findings,
                        &html! { (one.strength) ": " (strength_words(&one.strength)) },
                    ]))
                }
            }))
        }
    }

    fn history(&self, verdict: &Verdict) -> Markup {
        let (all, listed) = (verdict.examination.size, self.timeline.len());
        let goes_on = |at: usize| {
            let [last, row] = [at.checked_sub(1)?, at].map(|at| self.timeline.get(at));
            let (last, row) = (last?, row?);
            (last.boot == row.boot && (0..SITTING).contains(&(row.time.unix() - last.time.unix())))
                .then_some(())
        };
        html! {
            h2 { "Timeline" }
            @if all > listed as u64 { p { "The last " (listed) " of " (all) " entries; the CSV report has all." } }
            (table(&ENTRY, html! {
                @for (at, one) in self.timeline.iter().enumerate() {
                    @if goes_on(at).is_none() { (across(html! { "Sitting of " (display(one.time)) })) }
                    (row(&ENTRY, [&one.seq, &display(one.time), &one.actor, &one.kind, &one.what]))
                }
            }))
        }
    }
}

/// A row of an entry table that is one cell.
pub(super) fn across(what: Markup) -> Markup {
    html! { tr { th scope="rowgroup" colspan=(ENTRY.len()) { (what) } } "\n" }
}

/// Room for what the auditor writes.
pub(super) fn sign_off() -> Markup {
    html! {
        h2 { "Explanations and signatures" }
        (page::blank(&["Entry", "Explanation that was given, and by whom"], 3))
        (page::blank(&["Name", "Date", "Signature"], 2))
    }
}

fn judgement(pack: &Pack<'_>, verdict: &Verdict) -> Markup {
    let (class, sentence) = match verdict.outcome {
        Outcome::Whole if pack.key_was_given() => ("yes", "The log is whole."),
        Outcome::Whole => {
            ("maybe", "The log is whole, if its key is the station's: the key came with the pack.")
        }
        Outcome::Tampered => ("no", "The log was tampered with or damaged."),
        Outcome::Forked => ("no", "The log was forked: it does not continue what was seen before."),
        Outcome::RolledBack => ("no", "The log was rolled back: it is older than what was seen before."),
        Outcome::Unwitnessed => ("maybe", "The log is whole, and no witness vouched for it in time."),
        Outcome::InDoubt => ("maybe", "The log is whole, and a signature is in doubt."),
    };
    let flaws = &verdict.examination.flaws;
    html! {
        p.verdict.(class) { (sentence) }
        @if !flaws.is_empty() || !verdict.reasons.is_empty() {
            ul {
                @for flaw in flaws.iter().take(REMARKS) { li { (display(flaw)) } }
                @for reason in &verdict.reasons { li { (reason) } }
            }
        }
    }
}

fn overview(pack: &Pack<'_>, verdict: &Verdict, now: Time, fingerprint: &str) -> Markup {
    let found = &verdict.examination;
    let key_came = if pack.key_was_given() {
        " (given: it came another way than the pack)"
    } else {
        " (from the pack itself)"
    };
    let compared = match verdict.compared {
        (0, 0) => html! {
            span.alarm {
                "no head from elsewhere: a log that was rolled back or rewritten by its key would look the same"
            }
        },
        (given, seen) => {
            let sizes = joined(verdict.heads.iter().take(HEADS).map(ToString::to_string));
            let (given, seen) = (counted(given as u64, "head"), counted(seen as u64, "head"));
            html! { (given) " given, " (seen) " seen before; of " (sizes) " entries" }
        }
    };
    facts(html! {
        (fact("Made", format!("{now} by countersign {}", crate::release::VERSION)))
        (fact("Log", pack.key().name()))
        (fact("Log key", format!("{}{key_came}", pack.key())))
        (fact("Head", head_words(found.head.as_ref())))
        (fact("Entries", found.size))
        (fact("Period", found.period.map_or_else(String::new, |(first, last)| format!("{first} to {last}"))))
        (fact("Root at the beginning", fingerprint))
        (fact("Checkpoints verified", found.checkpoints))
        (fact("TUF signatures verified", found.signatures))
        (fact("Objects verified", found.objects))
        (fact("Compared with", compared))
    })
}

/// Texts in a row.
fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}

/// The page: of several stations a table of verdicts first.
pub(super) fn write(
    packs: &[&Pack<'_>],
    verdicts: &[Verdict],
    sections: Vec<Markup>,
    draft: &mut Draft<'_>,
) -> DiskResult<()> {
    let title = match packs {
        [one] => shown(one.key().name()),
        all => format!("{} stations", all.len()),
    };
    let head = format!("Audit report: {title}");
    draft.bytes().extend_from_slice(page::opening(&head, &[("top-left", head.clone())]).as_bytes());
    let stations = html! {
        @for (at, (pack, verdict)) in packs.iter().zip(verdicts).enumerate() {
            @let found = &verdict.examination;
            (row(&STATION, [
                &html! { a href=(format!("#log-{at}")) { (shown(pack.key().name())) } },
                &verdict.outcome.word(),
                &found.size,
                &found.period.map_or_else(String::new, |(_, last)| last.to_string()),
                &found.signatures,
            ]))
        }
    };
    let stations = html! { @if packs.len() > 1 { header { h1 { (title) } (table(&STATION, stations)) } } };
    draft.bytes().extend_from_slice(page::part(stations).as_bytes());
    for (at, section) in sections.into_iter().enumerate() {
        let section = html! { section #{ "log-" (at) } { (section) } };
        draft.bytes().extend_from_slice(page::part(section).as_bytes());
        draft.relieve()?;
    }
    draft.bytes().extend_from_slice(page::CLOSING.as_bytes());
    Ok(())
}

/// Who cosigned which part of the log, in words and as a line over its time.
fn witnesses(verdict: &Verdict) -> Markup {
    let found = &verdict.examination;
    html! {
        @if verdict.witnessed.iter().all(|one| one.heads.is_empty()) {
            p { "Nobody cosigned this log, as far as this pack shows." }
        }
        @for one in &verdict.witnessed {
            @let words = one.words(found.size);
            p { (words) "." @if !one.was_given { " The key is the one that the log has." } }
            @if let Some((first, last)) = found.period.filter(|_| !one.heads.is_empty()) {
                (drawing::line(first, last, &words, &one.heads))
            }
        }
    }
}
