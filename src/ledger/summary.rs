//! An entry in one plain sentence, for a timeline. Foreign text in it is escaped.

use super::anchors::Verdict;
use super::entry::Entry;
use super::field::OfficerName;
use super::record::{AnchorJudged, Kind, Record, SealedKey};
use crate::text::{Foreign, counted, shown};

/// What happened.
pub(crate) fn summary(entry: &Entry<'_>) -> String {
    match entry.record() {
        Record::StationCreated(created) => {
            let networked = if created.networked { ", on a machine with a network" } else { "" };
            format!("station made for factory {}{networked}", shown(&created.factory))
        }
        Record::SessionOpened(opened) => format!("\"{}\" began", shown(&opened.command)),
        Record::SessionClosed(closed) if closed.command.is_empty() => {
            format!("it ended with code {}", closed.exit)
        }
        Record::SessionClosed(closed) => {
            format!("\"{}\" ended with code {}", shown(&closed.command), closed.exit)
        }
        Record::Selftest(tested) if tested.passed => "self-test passed".to_owned(),
        Record::Selftest(_) => "self-test FAILED".to_owned(),
        Record::TimeStatement(stated) => {
            format!("stated that it was {}: {}", shown(&stated.time_claimed), shown(&stated.reason))
        }
        Record::RootPinned(_)
        | Record::RootUpdated(_)
        | Record::RootRejected(_)
        | Record::OnlineKeyPinned(_)
        | Record::PolicyChanged(_) => of_trust(entry.record()),
        Record::OfficerAdded(added) => format!("officer {} added", shown(&added.officer)),
        Record::OfficerRetired(retired) => {
            format!("officer {} retired: {}", shown(&retired.officer), shown(&retired.reason))
        }
        Record::OfficerAuthFailed(failed) => {
            format!("WRONG PASSPHRASE for {} ({})", shown(&failed.officer), shown(&failed.purpose))
        }
        Record::KeyImported(key)
        | Record::KeyGenerated(key)
        | Record::KeySealed(key)
        | Record::KeyDrilled(key)
        | Record::KeyBackedUp(key)
        | Record::KeyRestored(key)
        | Record::KeyRetired(key) => self::key(entry.kind(), key),
        Record::RequestImported(_)
        | Record::EvidenceVerified(_)
        | Record::RequestRejected(_)
        | Record::ReviewRendered(_)
        | Record::NonceDrawn(_)
        | Record::EvidenceSeen(_)
        | Record::ReviewKept(_)
        | Record::ApprovalGranted(_)
        | Record::ApprovalDenied(_)
        | Record::ApprovalExpired(_) => of_request(entry.record()),
        Record::SignIntent(_)
        | Record::SignResult(_)
        | Record::SignAborted(_)
        | Record::SignInDoubt(_)
        | Record::SignRecovered(_)
        | Record::BundleExported(_)
        | Record::SlipExported(_)
        | Record::ExportFailed(_) => of_signature(entry.record()),
        Record::LogRecovered(_)
        | Record::LogVerified(_)
        | Record::LogExported(_)
        | Record::WitnessCosigned(_)
        | Record::WitnessStale(_)
        | Record::WitnessAdded(_)
        | Record::WitnessRetired(_)
        | Record::WitnessOverdue(_)
        | Record::AnchorJudged(_)
        | Record::AnchorSettled(_)
        | Record::StationSucceeds(_)
        | Record::MarkTakenOver(_) => of_log(entry.record()),
        Record::ActSigned(signed) => {
            format!("{} signed an act: {}", shown(&signed.officer), shown(&signed.act))
        }
        Record::Deviation(deviation) => shown(&deviation.statement),
    }
}

fn short(text: &str) -> String {
    shown(&text.chars().take(12).collect::<String>())
}

fn names(officers: &[OfficerName<'_>]) -> String {
    let names: Vec<String> = officers.iter().map(|name| shown(name)).collect();
    names.join(", ")
}

/// Of what the station trusts and demands.
fn of_trust(record: &Record<'_>) -> String {
    match record {
        Record::RootPinned(root) => {
            format!("root {} pinned, fingerprint {}", root.version, short(&root.fingerprint))
        }
        Record::RootUpdated(root) => format!(
            "root {} followed by root {}, fingerprint {}",
            root.from,
            root.version,
            short(&root.fingerprint)
        ),
        Record::RootRejected(root) => format!("root {} refused: {}", root.version, shown(&root.reason)),
        Record::OnlineKeyPinned(online) if online.from.is_empty() => {
            format!("online targets key {} pinned", short(&online.keyid))
        }
        Record::OnlineKeyPinned(online) => {
            format!("online targets key {} REPLACED by {}", short(&online.from), short(&online.keyid))
        }
        Record::PolicyChanged(policy) => {
            format!("policy {} replaced by {}", short(&policy.from), short(&policy.to))
        }
        _ => String::new(),
    }
}

/// Of the log itself, its heads and its witnesses.
fn of_log(record: &Record<'_>) -> String {
    match record {
        Record::LogRecovered(recovered) => format!(
            "RECOVERED: {} bytes after the newest checkpoint in {} count for nothing; kept as {}",
            recovered.bytes,
            shown(&recovered.file),
            shown(&recovered.saved)
        ),
        Record::LogVerified(verified) => format!("log verified, {} entries", verified.size),
        Record::LogExported(exported) => {
            format!("evidence of {} entries written to {}", exported.size, shown(&exported.folder))
        }
        Record::WitnessCosigned(cosigned) => {
            format!("witness {} cosigned {} entries", shown(&cosigned.witness), cosigned.size)
        }
        Record::WitnessStale(stale) => {
            format!("a cosignature of {} does NOT count: {}", shown(&stale.witness), shown(&stale.reason))
        }
        Record::WitnessAdded(added) => format!("witness {} added", shown(&added.witness)),
        Record::WitnessRetired(retired) => {
            format!("witness {} retired: {}", shown(&retired.witness), shown(&retired.reason))
        }
        Record::AnchorJudged(judged) => anchor(judged),
        Record::AnchorSettled(settled) => format!(
            "heads up to {} SETTLED by {}: {}",
            settled.size,
            names(&settled.officers),
            shown(&settled.reason)
        ),
        Record::StationSucceeds(succeeds) => {
            format!("continues the log {}, {} entries", shown(&succeeds.origin), succeeds.size)
        }
        Record::MarkTakenOver(mark) => format!(
            "taken over: {} version {} for tag {}, key {}",
            shown(&mark.what),
            mark.version,
            shown(&mark.tag),
            short(&mark.keyid)
        ),
        Record::WitnessOverdue(overdue) => {
            format!("witness {} is overdue at {} entries", shown(&overdue.witness), overdue.size)
        }
        _ => String::new(),
    }
}

fn key(kind: Kind, key: &SealedKey<'_>) -> String {
    let act = kind.name().trim_start_matches("key.").replace('_', " ");
    let of = match (kind, key.officers.len()) {
        (_, 0) => String::new(),
        (Kind::KeyDrilled, _) => format!(", opened by {}", names(&key.officers)),
        (_, all) => format!(", {} of {all}: {}", key.quorum, names(&key.officers)),
    };
    let detail = if key.detail.is_empty() { String::new() } else { format!("; {}", shown(&key.detail)) };
    format!("key {} {act}{of}{detail}", short(&key.keyid))
}

/// What happened to a request before it was signed; nothing for other records.
fn of_request(record: &Record<'_>) -> String {
    match record {
        Record::RequestImported(taken) => format!(
            "request {} taken in: {} {}, version {}, tag {}",
            short(&taken.request),
            shown(&taken.kind),
            shown(&taken.wave),
            taken.version,
            shown(&taken.tag)
        ),
        Record::EvidenceVerified(verified) => format!(
            "evidence of {}: {} verified under root {}",
            short(&verified.request),
            counted(verified.signatures.len() as u64, "signature"),
            verified.root_version
        ),
        Record::RequestRejected(refused) => {
            format!("request from {} REFUSED: {}", shown(&refused.source), shown(&refused.reason))
        }
        Record::ReviewRendered(review) => {
            let findings = counted(review.findings.len() as u64, "finding");
            let signable = if review.signable { "may be signed" } else { "may NOT be signed" };
            format!("review of {} shown: {signable}, {findings}", short(&review.request))
        }
        Record::NonceDrawn(drawn) => format!("nonce of request {} drawn", short(&drawn.request)),
        Record::EvidenceSeen(seen) => format!("{} of version {} seen", shown(&seen.file), seen.version),
        Record::ReviewKept(kept) => format!("review of {} kept, as text and as a page", short(&kept.request)),
        Record::ApprovalGranted(by) => {
            format!("{} APPROVED request {}", shown(&by.officer), short(&by.request))
        }
        Record::ApprovalDenied(by) => {
            format!("{} REFUSED request {}: {}", shown(&by.officer), short(&by.request), shown(&by.reason))
        }
        Record::ApprovalExpired(by) => {
            format!("the approval of {} for {} expired", shown(&by.officer), short(&by.request))
        }
        _ => String::new(),
    }
}

/// What came of signing a request; nothing for other records.
fn of_signature(record: &Record<'_>) -> String {
    match record {
        Record::SignIntent(intent) => format!(
            "about to sign {}, version {}, with key {}, opened by {}",
            shown(&intent.wave),
            intent.version,
            short(&intent.keyid),
            names(&intent.officers)
        ),
        Record::SignResult(result) => format!(
            "SIGNED {}, version {}, tag {}, with key {}, strength {}",
            shown(&result.wave),
            result.version,
            shown(&result.tag),
            short(&result.keyid),
            shown(&result.strength)
        ),
        Record::SignAborted(aborted) if aborted.intent == 0 => {
            format!("request {} NOT signed: {}", short(&aborted.request), shown(&aborted.reason))
        }
        Record::SignAborted(aborted) => {
            format!("intent {} given up: {}", aborted.intent, shown(&aborted.reason))
        }
        Record::SignInDoubt(doubt) if doubt.resolution.is_empty() => {
            format!("intent {} is IN DOUBT: whether it was signed is not known", doubt.intent)
        }
        Record::SignInDoubt(doubt) => {
            format!("intent {} resolved: {}", doubt.intent, shown(&doubt.resolution))
        }
        Record::SignRecovered(intent) => format!(
            "an intent to sign {}, version {}, stood after the newest checkpoint: IN DOUBT",
            shown(&intent.wave),
            intent.version
        ),
        Record::BundleExported(bundle) => {
            format!("bundle for {} written to {}", short(&bundle.request), shown(&bundle.folder))
        }
        Record::SlipExported(slip) if slip.folder.is_empty() => {
            format!("signature of {} shown as a slip", short(&slip.request))
        }
        Record::SlipExported(slip) => {
            format!("signature of {} written as a slip to {}", short(&slip.request), shown(&slip.folder))
        }
        Record::ExportFailed(failed) => format!(
            "bundle for {} NOT written to {}: {}",
            short(&failed.request),
            shown(&failed.folder),
            shown(&failed.reason)
        ),
        _ => String::new(),
    }
}

/// A head of this log that came back, in words.
fn anchor(judged: &AnchorJudged<'_>) -> String {
    let AnchorJudged { size, known, .. } = *judged;
    match Verdict::named(&judged.verdict) {
        Some(Verdict::Known) => format!("the head of {size} entries came back, and this log continues it"),
        Some(Verdict::Ahead) => {
            format!(
                "STOPPED: a head of {size} entries came back, and this log has {known}: rolled back, or a copy"
            )
        }
        Some(Verdict::Forked) => {
            format!(
                "STOPPED: another head of {size} entries came back, signed by this log's key: two histories"
            )
        }
        Some(Verdict::Settled) => format!("the head of {size} entries of the lost history came back"),
        Some(Verdict::PredecessorAhead) => {
            format!(
                "a head of {size} entries of the log that this one continues came back, MORE than were taken over"
            )
        }
        Some(Verdict::Ignored) | None => {
            format!("a head that came back was ignored: {}", shown(&judged.reason))
        }
    }
}

/// An entry as one line of a timeline: number, time, who, kind, what.
pub(crate) fn timeline_line(entry: &Entry<'_>) -> String {
    let actor = entry.actor();
    format!(
        "{:>7}  {}  {:<12}  {:<20}  {}",
        entry.seq(),
        entry.time(),
        Foreign(&actor).to_string(),
        entry.kind().name(),
        summary(entry)
    )
}
