//! `export`: writes the signed bundle, reads it back, and says where it is.

use super::review::digest;
use super::verify::{describe, value};
use super::{Context, Exit, Outcome};
use crate::ceremony::export::export;
use crate::text::shown_path;
use std::path::PathBuf;

/// Write the signed bundle into a new folder and read it back.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign export 4f2a90c1d3e7 /media/usb/signed")]
pub struct Args {
    /// The request: the first digits of its digest.
    id: String,
    /// The folder to write; it must not exist, or be empty.
    dir: PathBuf,
}

/// Exports.
pub fn run(args: Args, context: &Context<'_>) -> Outcome {
    context.with_station("export", |station| {
        let digest = digest(station, Some(&args.id))?;
        let verdict = export(station, context.host, digest, &args.dir)?;
        context.text(&format!(
            "Signed bundle written to {}, read back and verified\n{}",
            shown_path(&args.dir),
            describe(&verdict)
        ))?;
        let mut json = value(&verdict);
        if let Some(object) = json.as_object_mut() {
            object.insert("folder".to_owned(), args.dir.to_string_lossy().into_owned().into());
            object.insert("request".to_owned(), digest.to_string().into());
        }
        context.json(&json)?;
        Ok(Exit::Done)
    })
}
