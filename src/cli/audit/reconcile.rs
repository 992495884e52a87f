//! `audit reconcile`: what was published against the log.

use crate::audit::reconcile::{Finding, reconcile};
use crate::cli::{Context, Exit, Outcome};
use crate::text::shown;
use serde_json::json;
use std::path::PathBuf;

/// Compare published targets metadata with the log.
#[derive(clap::Args)]
pub struct Args {
    /// The evidence pack.
    dir: PathBuf,
    /// Published files: targets.json, a map of tags to them, a wave; or folders of them.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    targets: Vec<PathBuf>,
}

/// Runs it.
pub fn run(args: &Args, context: &Context<'_>) -> Outcome {
    let pack = super::open(context, &args.dir)?;
    let lines = reconcile(&pack, &pack.head()?, &args.targets)?;
    for line in &lines {
        let digest = shown(line.digest.get(..12).unwrap_or_default());
        context.text(&format!("{:<12}  {digest}  {}: {}\n", line.finding.word(), line.place, line.text))?;
    }
    let count = |finding: Finding| lines.iter().filter(|line| line.finding == finding).count();
    let grave = lines.iter().filter(|line| line.finding.is_grave()).count();
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
    }))?;
    Ok(if grave == 0 { Exit::Done } else { Exit::Tampered })
}
