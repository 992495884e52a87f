//! `review`: diff and findings, shown before anything is signed.

use super::context::ascii;
use super::{Context, Exit, Failure, Outcome};
use crate::ceremony::review::{Faces, heading, rejected_value, show};
use crate::host::disk::write_durably;
use crate::ledger::decisions::Standing;
use crate::station::{Station, request};
use crate::tuf::Digest;
use std::path::PathBuf;

/// Show what devices would get, what changed against production, and what is odd about it.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign review 4f2a90c1d3e7 --html /media/usb/review.html")]
pub(crate) struct Args {
    /// The request: the first digits of its digest [default: the newest one].
    id: Option<String>,
    /// Also write the review as one HTML file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also write the review as text.
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
}

/// Shows the review; exit code 3 when it cannot be signed.
pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    context.with_station_to_read("review", |station| {
        let stored = find(station, args.id.as_deref())?;
        let faces = Faces {
            width: context.host.terminal.width(),
            color: context.color(),
            json: context.global.json,
            text: !context.global.json,
            html: args.html.is_some(),
            plain: args.text.is_some(),
        };
        let shown = show(station, context.host, &stored, &faces)?;
        if let (Some(path), Some(html)) = (&args.html, &shown.html) {
            write_durably(&*context.host.disk, path, 0o644, &[html.as_bytes()])?;
        }
        if let (Some(path), Some(text)) = (&args.text, &shown.plain) {
            write_durably(&*context.host.disk, path, 0o644, &[text.as_bytes()])?;
        }
        if let Some(json) = &shown.json {
            context.host.terminal.out(&with_rejections(json, &shown.rejected))?;
        }
        if let Some(text) = &shown.text {
            context.page(&heading(station, &stored), text)?;
        }
        Ok(if shown.signable { Exit::Done } else { Exit::Refused })
    })
}

/// The review's line, and in it the refusals that stand, if there are any: they are no part of what its digest is of.
fn with_rejections(json: &str, rejected: &[Standing]) -> String {
    match json.trim_end().strip_suffix('}') {
        Some(members) if !rejected.is_empty() => {
            format!("{members},\"rejected\":{}}}", ascii(&rejected_value(rejected).to_string()))
        }
        _ => json.to_owned(),
    }
}

/// The request that is meant: by its digest, or the newest.
pub(super) fn find(station: &Station, id: Option<&str>) -> Result<request::StoredRequest, Failure> {
    Ok(request::open(station, digest(station, id)?)?)
}

/// The digest of the request that is meant.
pub(super) fn digest(station: &Station, id: Option<&str>) -> Result<Digest, Failure> {
    Ok(match id {
        Some(id) => request::find(station.disk(), &station.layout, id)?,
        None => request::newest(station)?,
    })
}
