//! `request`: on the connected machine, composes the unsigned request from downloaded files.

use super::{Context, Exit, Failure, Outcome};
use crate::bundle::anchors;
use crate::bundle::compose::Parameters;
use crate::bundle::source::{Ask, compose_request, write_request};
use crate::host::clock::Time;
use crate::text::{shown, shown_path};
use serde_json::json;
use std::path::PathBuf;

/// On the connected machine: compose an unsigned request from downloaded files. No network, no key.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign request --from downloads --factory acme --wave v2.0 --version 42 \\\n    --tag production --out /media/usb/request"
)]
pub struct Args {
    /// The folder with the downloaded files: prod-roots/, ci-targets.json, prod-targets.json, waves.json …
    #[arg(long, value_name = "DIR")]
    pub(super) from: PathBuf,
    /// The Factory's name.
    #[arg(long, value_name = "F")]
    pub(super) factory: String,
    /// The wave's name.
    #[arg(long, value_name = "W")]
    pub(super) wave: String,
    /// The target version to release; it becomes the metadata version.
    #[arg(long, value_name = "N")]
    version: u64,
    /// The device tag.
    #[arg(long, value_name = "T")]
    tag: String,
    /// Take only CI targets that carry this tag.
    #[arg(long, value_name = "S")]
    source_tag: Option<String>,
    /// Versions to drop from the production targets.
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    prune: Vec<u64>,
    /// When the targets expire: RFC 3339, whole seconds.
    #[arg(long, value_name = "RFC3339", conflicts_with = "expires_days")]
    expires: Option<String>,
    /// In how many days the targets expire [default: 365].
    #[arg(long, value_name = "D")]
    expires_days: Option<u32>,
    /// Ask for a further signature for the wave in wave.json, instead of composing a new wave.
    #[arg(long)]
    pub(super) further_signature: bool,
    /// A head of the station's log that came back: a signed bundle's folder, or a note that a witness cosigned. The
    /// station judges it by its signatures.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) anchor: Vec<PathBuf>,
    /// The largest file that is read, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    pub(super) max_file_bytes: u64,
    /// The folder to write; it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Composes and writes.
pub fn run(args: Args, context: &Context<'_>) -> Outcome {
    let now = context.host.clock.now();
    let expires = expiry(&args, now)?;
    let (prune, count) =
        (args.prune.iter().copied().collect::<std::collections::BTreeSet<u64>>(), args.prune.len());
    if prune.len() != count {
        return Err(Failure::usage("--prune names a version twice"));
    }
    if args.wave.is_empty() {
        return Err(Failure::usage("--wave must not be empty"));
    }
    let parameters =
        Parameters { version: args.version, tag: args.tag, source_tag: args.source_tag, prune, expires };
    let ask = Ask {
        factory: args.factory,
        wave: args.wave,
        parameters,
        further_signature: args.further_signature,
        now,
        max_file_bytes: args.max_file_bytes,
        anchors: anchors::collect(&*context.host.disk, &args.anchor)?,
    };
    let request = compose_request(&*context.host.disk, &args.from, &ask)?;
    write_request(&*context.host.disk, &args.out, &request)?;
    let digest = request.digest();
    for name in &request.without_delta {
        context.note(&format!(
            "Warning: the target {} has no static delta; devices download all of it.\n",
            shown(name)
        ));
    }
    let adds: Vec<String> = request.added.iter().map(|name| shown(name)).collect();
    let what = if args.further_signature {
        "a further signature for the wave".to_owned()
    } else {
        format!("{} new targets: {}", adds.len(), adds.join(", "))
    };
    context.text(&format!(
        "Request {} for wave {}, version {}, tag {}\n{what}\nWritten to {}\nRequest digest {digest}\n\
         Next, on the station: countersign import {}\n",
        digest.short(),
        shown(&request.manifest.wave),
        request.manifest.version,
        shown(&request.manifest.tag),
        shown_path(&args.out),
        shown_path(&args.out),
    ))?;
    context.json(&json!({
        "request": digest.to_string(),
        "folder": args.out.to_string_lossy(),
        "wave": request.manifest.wave,
        "tag": request.manifest.tag,
        "version": request.manifest.version,
        "expires": expires.to_string(),
        "added": request.added,
        "without_static_delta": request.without_delta,
        "anchors": ask.anchors.len(),
    }))?;
    Ok(Exit::Done)
}

/// The expiry that was given, in UTC and whole seconds, or 365 days from now.
fn expiry(args: &Args, now: Time) -> Result<Time, Failure> {
    let expires = match (&args.expires, args.expires_days) {
        (Some(text), _) => Time::parse(text).ok_or_else(|| {
            Failure::usage(format!("--expires {}: this is not a time (RFC 3339)", shown(text)))
        })?,
        (None, Some(days)) => now.plus_days(i64::from(days)),
        (None, None) => now.plus_days(365),
    };
    if expires <= now {
        return Err(Failure::usage(format!("the targets would expire on {expires}, which has passed")));
    }
    Ok(expires)
}
