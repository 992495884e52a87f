//! An entry in one plain sentence, for a timeline. Foreign text in it is escaped.

use super::anchors::Verdict;
use super::entry::Entry;
use super::kind::Kind;
use crate::text::{Foreign, counted, shown};

/// What happened.
pub fn summary(entry: &Entry<'_>) -> String {
    let text = |field: &str| shown(&entry.text(field));
    let short = |field: &str| shown(&entry.text(field).chars().take(12).collect::<String>());
    let int = |field: &str| entry.int(field);
    let names = |field: &str| -> String {
        let names: Vec<String> = entry.list(field).iter().map(|name| shown(name)).collect();
        names.join(", ")
    };
    match entry.kind() {
        Kind::StationCreated => {
            let networked = if entry.flag("networked") { ", on a machine with a network" } else { "" };
            format!("station made for factory {}{networked}", text("factory"))
        }
        Kind::SessionOpened => format!("\"{}\" began", text("command")),
        Kind::SessionClosed if entry.text("command").is_empty() => {
            format!("it ended with code {}", int("exit"))
        }
        Kind::SessionClosed => format!("\"{}\" ended with code {}", text("command"), int("exit")),
        Kind::Selftest if entry.flag("passed") => "self-test passed".to_owned(),
        Kind::Selftest => "self-test FAILED".to_owned(),
        Kind::TimeStatement => format!("stated that it was {}: {}", text("time_claimed"), text("reason")),
        Kind::RootPinned => format!("root {} pinned, fingerprint {}", int("version"), short("fingerprint")),
        Kind::RootUpdated => {
            format!(
                "root {} followed by root {}, fingerprint {}",
                int("from"),
                int("version"),
                short("fingerprint")
            )
        }
        Kind::RootRejected => format!("root {} refused: {}", int("version"), text("reason")),
        Kind::OnlineKeyPinned if entry.text("from").is_empty() => {
            format!("online targets key {} pinned", short("keyid"))
        }
        Kind::OnlineKeyPinned => {
            format!("online targets key {} REPLACED by {}", short("from"), short("keyid"))
        }
        Kind::PolicyChanged => format!("policy {} replaced by {}", short("from"), short("to")),
        Kind::OfficerAdded => format!("officer {} added", text("officer")),
        Kind::OfficerRetired => format!("officer {} retired: {}", text("officer"), text("reason")),
        Kind::OfficerAuthFailed => format!("WRONG PASSPHRASE for {} ({})", text("officer"), text("purpose")),
        Kind::KeyImported
        | Kind::KeyGenerated
        | Kind::KeySealed
        | Kind::KeyDrilled
        | Kind::KeyBackedUp
        | Kind::KeyRestored
        | Kind::KeyRetired => {
            let act = entry.kind().name().trim_start_matches("key.").replace('_', " ");
            let (all, quorum) = (entry.list("officers").len(), int("quorum"));
            let of = match (entry.kind(), all) {
                (_, 0) => String::new(),
                (Kind::KeyDrilled, _) => format!(", opened by {}", names("officers")),
                _ => format!(", {quorum} of {all}: {}", names("officers")),
            };
            let detail =
                if entry.text("detail").is_empty() { String::new() } else { format!("; {}", text("detail")) };
            format!("key {} {act}{of}{detail}", short("keyid"))
        }
        Kind::RequestImported => {
            let (wave, tag, version) = (text("wave"), text("tag"), int("version"));
            format!(
                "request {} taken in: {} {wave}, version {version}, tag {tag}",
                short("request"),
                text("kind")
            )
        }
        Kind::EvidenceVerified => {
            let held = counted(entry.pairs("signatures").len() as u64, "signature");
            format!("evidence of {}: {held} verified under root {}", short("request"), int("root_version"))
        }
        Kind::RequestRejected => format!("request from {} REFUSED: {}", text("source"), text("reason")),
        Kind::ReviewRendered => {
            let findings = counted(entry.pairs("findings").len() as u64, "finding");
            let signable = if entry.flag("signable") { "may be signed" } else { "may NOT be signed" };
            format!("review of {} shown: {signable}, {findings}", short("request"))
        }
        Kind::NonceDrawn => format!("nonce of request {} drawn", short("request")),
        Kind::EvidenceSeen => {
            format!("{} of version {} seen", Foreign(&entry.text("file")), entry.int("version"))
        }
        Kind::ReviewKept => format!("review of {} kept, as text and as a page", short("request")),
        Kind::ApprovalGranted => format!("{} APPROVED request {}", text("officer"), short("request")),
        Kind::ApprovalDenied => {
            format!("{} REFUSED request {}: {}", text("officer"), short("request"), text("reason"))
        }
        Kind::ApprovalExpired => {
            format!("the approval of {} for {} expired", text("officer"), short("request"))
        }
        Kind::SignIntent => {
            let (wave, version, key) = (text("wave"), int("version"), short("keyid"));
            format!(
                "about to sign {wave}, version {version}, with key {key}, opened by {}",
                names("officers")
            )
        }
        Kind::SignResult => {
            let (wave, version, tag) = (text("wave"), int("version"), text("tag"));
            format!(
                "SIGNED {wave}, version {version}, tag {tag}, with key {}, strength {}",
                short("keyid"),
                text("strength")
            )
        }
        Kind::SignAborted if int("intent") == 0 => {
            format!("request {} NOT signed: {}", short("request"), text("reason"))
        }
        Kind::SignAborted => format!("intent {} given up: {}", int("intent"), text("reason")),
        Kind::SignInDoubt if entry.text("resolution").is_empty() => {
            format!("intent {} is IN DOUBT: whether it was signed is not known", int("intent"))
        }
        Kind::SignInDoubt => format!("intent {} resolved: {}", int("intent"), text("resolution")),
        Kind::SignRecovered => format!(
            "an intent to sign {}, version {}, stood after the newest checkpoint: IN DOUBT",
            text("wave"),
            int("version")
        ),
        Kind::BundleExported => format!("bundle for {} written to {}", short("request"), text("folder")),
        Kind::SlipExported if text("folder").is_empty() => {
            format!("signature of {} shown as a slip", short("request"))
        }
        Kind::SlipExported => {
            format!("signature of {} written as a slip to {}", short("request"), text("folder"))
        }
        Kind::ExportFailed => {
            format!("bundle for {} NOT written to {}: {}", short("request"), text("folder"), text("reason"))
        }
        Kind::LogRecovered => {
            format!(
                "RECOVERED: {} bytes after the newest checkpoint in {} count for nothing; kept as {}",
                int("bytes"),
                text("file"),
                text("saved")
            )
        }
        Kind::LogVerified => format!("log verified, {} entries", int("size")),
        Kind::LogExported => format!("evidence of {} entries written to {}", int("size"), text("folder")),
        Kind::WitnessCosigned => format!("witness {} cosigned {} entries", text("witness"), int("size")),
        Kind::WitnessStale => {
            format!("a cosignature of {} does NOT count: {}", text("witness"), text("reason"))
        }
        Kind::WitnessAdded => format!("witness {} added", text("witness")),
        Kind::WitnessRetired => format!("witness {} retired: {}", text("witness"), text("reason")),
        Kind::AnchorJudged => anchor(entry),
        Kind::AnchorSettled => {
            format!("heads up to {} SETTLED by {}: {}", int("size"), names("officers"), text("reason"))
        }
        Kind::StationSucceeds => format!("continues the log {}, {} entries", text("origin"), int("size")),
        Kind::MarkTakenOver => format!(
            "taken over: {} version {} for tag {}, key {}",
            text("what"),
            int("version"),
            text("tag"),
            short("keyid")
        ),
        Kind::WitnessOverdue => format!("witness {} is overdue at {} entries", text("witness"), int("size")),
        Kind::ActSigned => format!("{} signed an act: {}", text("officer"), text("act")),
        Kind::Deviation => text("statement"),
    }
}

/// A head of this log that came back, in words.
fn anchor(entry: &Entry<'_>) -> String {
    let (size, known) = (entry.int("size"), entry.int("known"));
    match Verdict::named(&entry.text("verdict")) {
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
            format!("a head that came back was ignored: {}", shown(&entry.text("reason")))
        }
    }
}

/// An entry as one line of a timeline: number, time, who, kind, what.
pub fn timeline_line(entry: &Entry<'_>) -> String {
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
