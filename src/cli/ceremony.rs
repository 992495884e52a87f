//! `ceremony`: the paper of a ceremony.

use super::review::find;
use super::{Context, Exit, Failure, Outcome};
use crate::ceremony::form::Form;
use crate::host::disk::write_durably;
use crate::station::Station;
use crate::text::shown_path;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// The paper of a ceremony.
#[derive(clap::Subcommand)]
#[command(after_help = "Example:\n  countersign ceremony form")]
pub(crate) enum Args {
    /// Print the cover page, filled in with what this station stands on; with a request's id, the lines of its signature.
    #[command(
        after_help = "Example:\n  countersign ceremony form --html /media/stick/cover.html\n  countersign ceremony form 4f2a90c1d3e7"
    )]
    Form {
        /// A signed request: the first digits of its digest.
        id: Option<String>,
        /// Also write it as one HTML file to print.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
}

/// Prints it. Nothing is written to the log: its head stays the one on the paper.
pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let Args::Form { id, html } = args;
    let station = context.look()?;
    let form = match id {
        None => Form::of_station(&station, context.host)?,
        Some(id) => of_request(&station, &id, context)?,
    };
    if let Some(path) = &html {
        write_durably(&*context.host.disk, path, 0o644, &[form.html().as_bytes()])?;
    }
    context.text(&form.text())?;
    if let Some(path) = &html {
        context.text(&format!("\nTo print: {}\n", shown_path(path)))?;
    }
    let mut value = Map::new();
    for (name, text) in form.rows() {
        let known = value.entry(*name).or_insert_with(|| Value::Array(Vec::new()));
        known.as_array_mut().into_iter().for_each(|list| list.push(text.as_str().into()));
    }
    context.done(&value)
}

fn of_request(station: &Station, id: &str, context: &Context<'_>) -> Result<Form, Failure> {
    let stored = find(station, Some(id))?;
    match station.signatures().newest(stored.digest()) {
        Some(made) => Ok(Form::of_signature(station, context.host, &stored, &made)),
        None => Err(Failure::new(
            Exit::Failed,
            format!(
                "request {} is not signed here. The cover page: countersign ceremony form",
                stored.digest().short()
            ),
        )),
    }
}
