//! `fingerprint`: the words of a file, for comparing it with the other side's.

use super::{Context, Outcome};
use crate::bundle::fingerprint::fingerprint;
use crate::words;
use serde_json::json;
use std::path::PathBuf;

/// On any machine: what a file is, and its digest in hex and in words.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign fingerprint prod-roots/4.root.json\n\nNothing is verified. Who reads the six words to the other side, and hears the same, has the same file."
)]
pub(crate) struct Args {
    /// A root, targets metadata, a public key, a log's head, a request or a signed bundle (also their folders), or any
    /// other file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let found = fingerprint(&*context.host.disk, &args.file)?;
    let all = words::of(&found.digest.0);
    let lines: Vec<String> =
        all.split(' ').collect::<Vec<_>>().chunks(8).map(|line| line.join(" ")).collect();
    let six = words::confirmation(&found.digest.0);
    context.text(&format!(
        "This is {}\nSix words  {six}\nDigest     {}\n           ({})\nAll words  {}\n",
        found.kind,
        found.digest,
        found.of,
        lines.join("\n           ")
    ))?;
    context.done(&json!({
        "kind": found.kind,
        "of": found.of,
        "digest": found.digest.to_string(),
        "words": six,
        "all_words": all,
    }))
}
