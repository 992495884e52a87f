//! `audit reconcile`: what was published against the log.

use crate::audit::AuditError;
use crate::audit::reconcile::{Finding, Published, reconcile};
use crate::cli::{Context, Exit, Outcome};
use crate::json::Limits;
use crate::text::{counted, shown};
use serde_json::json;
use std::path::PathBuf;

/// Compare published targets metadata with the log.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The evidence pack; of several stations, all of them.
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Published files: targets.json, a map of tags to them, a wave; or folders of them.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    targets: Vec<PathBuf>,
    /// The service's list of waves: each must be one that a log has.
    #[arg(long, value_name = "FILE")]
    waves: Option<PathBuf>,
    /// The largest file that is read, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::DEFAULT.bytes)]
    max_file_bytes: u64,
    /// The key that the log must be signed with.
    #[command(flatten)]
    log_key: super::LogKey,
}

pub(super) fn run(args: &Args, context: &Context<'_>) -> Outcome {
    let packs = args.dirs.iter().map(|dir| args.log_key.open(context, dir)).collect::<Result<Vec<_>, _>>()?;
    let packs = packs.iter().map(|pack| Ok((pack, pack.head()?))).collect::<Result<Vec<_>, AuditError>>()?;
    let published =
        Published { targets: &args.targets, waves: args.waves.as_deref(), largest: args.max_file_bytes };
    let found = reconcile(&*context.host.disk, &packs, &published)?;
    for (pack, head) in &packs {
        super::note_basis(context, pack, head);
    }
    let lines = &found.lines;
    for line in lines {
        let digest = shown(line.digest.get(..12).unwrap_or_default());
        context.text(&format!("{:<12}  {digest}  {}: {}\n", line.finding.word(), line.place, line.text))?;
    }
    for skipped in &found.skipped {
        let word = if skipped.unread { "not compared" } else { "skipped" };
        context.text(&format!("{word:<12}  {}: {}\n", skipped.place, skipped.reason))?;
    }
    let count = |finding: Finding| lines.iter().filter(|line| line.finding == finding).count();
    let grave = lines.iter().filter(|line| line.finding.is_grave()).count();
    let unread = found.skipped.iter().filter(|skipped| skipped.unread).count();
    context.text(&format!(
        "Compared: {} of published targets metadata in {}; {} skipped, {unread} not readable\n",
        counted(found.documents as u64, "document"),
        counted(found.files as u64, "file"),
        found.skipped.len() - unread,
    ))?;
    context.text(&format!(
        "{} published and logged, {} logged and not published, {grave} to be explained\n",
        count(Finding::Match),
        count(Finding::Unpublished)
    ))?;
    context.json(&json!({
        "lines": lines.iter().map(|line| json!({
            "finding": line.finding.word(), "place": line.place, "digest": line.digest, "text": line.text,
        })).collect::<Vec<_>>(),
        "grave": grave,
        "files": found.files,
        "documents": found.documents,
        "skipped": found.skipped.iter().map(|skipped| json!({
            "place": skipped.place, "reason": skipped.reason, "unread": skipped.unread,
        })).collect::<Vec<_>>(),
    }))?;
    if unread > 0 {
        context.note("Something among the files could not be read, and may be what was to be compared: see \"not compared\".\n");
    } else if found.documents == 0 {
        context.note("No document was compared: give the files that the service published.\n");
    }
    Ok(match grave {
        0 if unread > 0 || found.documents == 0 => Exit::Failed,
        0 if count(Finding::InDoubt) > 0 => Exit::InDoubt,
        0 => Exit::Done,
        _ => Exit::Tampered,
    })
}
