//! `export`: writes the signed bundle, reads it back, and says where it is; or shows the signature as a slip.

use super::review::digest;
use super::verify::{describe, value};
use super::{Context, Exit, Failure, Outcome};
use crate::ceremony::export::export;
use crate::ceremony::slip::{To, export_slip};
use crate::station::Station;
use crate::text::shown_path;
use crate::tuf::Digest;
use serde_json::json;
use std::path::Path;

/// Write the signed bundle into a new folder and read it back.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign export 4f2a90c1d3e7 /media/usb/signed\n  countersign export 4f2a90c1d3e7 --slip"
)]
pub(crate) struct Args {
    /// The request, by the first digits of its digest [default: the newest], and the folder to write, which must not exist,
    /// or be empty. With --slip the folder may be left out: the codes are shown here. One word alone is then the request
    /// where it could be one, and the folder else: ./cafe is always a folder.
    #[arg(value_names = ["ID", "DIR"], num_args = 0..=2, required_unless_present = "slip")]
    what: Vec<String>,
    /// The signature alone, as QR codes for a camera, where nothing writable may leave the room. On the connected
    /// machine: countersign assemble.
    #[arg(long)]
    slip: bool,
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let (id, dir) = meant(&args.what, args.slip);
    context.with_station("export", |station| {
        let digest = digest(station, id).map_err(|failure| match args.what.as_slice() {
            [word] if args.slip => Failure {
                message: format!("{}. For the newest request's slip in a folder of this name: countersign export --slip ./{word}", failure.message),
                ..failure
            },
            _ => failure,
        })?;
        match dir {
            Some(dir) if !args.slip => bundle(station, digest, dir, context),
            dir => slip(station, digest, dir, context),
        }
    })
}

/// The request and the folder. One word alone is the folder of a bundle; of a slip it is the request, if it can be one.
pub(super) fn meant(words: &[String], slip: bool) -> (Option<&str>, Option<&Path>) {
    let is_hex = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    match words {
        [id, dir] => (Some(id), Some(Path::new(dir))),
        [id] if slip && is_hex(id) => (Some(id), None),
        [dir] => (None, Some(Path::new(dir))),
        _ => (None, None),
    }
}

fn bundle(station: &mut Station, digest: Digest, dir: &Path, context: &Context<'_>) -> Outcome {
    let verdict = export(station, context.host, digest, dir)?;
    context.text(&format!(
        "Signed bundle written to {}, read back and verified\n{}",
        shown_path(dir),
        describe(&verdict)
    ))?;
    let mut json = value(&verdict);
    if let Some(object) = json.as_object_mut() {
        object.insert("folder".to_owned(), dir.to_string_lossy().into_owned().into());
        object.insert("request".to_owned(), digest.to_string().into());
    }
    context.done(&json)
}

fn slip(station: &mut Station, digest: Digest, dir: Option<&Path>, context: &Context<'_>) -> Outcome {
    let to = match dir {
        Some(dir) => To::Folder(dir),
        None if context.host.terminal.is_terminal() && !context.global.json => To::Screen,
        None => To::Text,
    };
    let shown = export_slip(station, context.host, digest, to)?;
    context.json(&json!({
        "request": digest.to_string(),
        "keyid": shown.slip.keyid.as_str(),
        "parts": shown.parts,
        "folder": dir.map(|dir| dir.to_string_lossy().into_owned()),
    }))?;
    match to {
        To::Folder(dir) => context.text(&format!(
            "Signature slip written to {}: slip.txt, {} and slip.html to print\n",
            shown_path(dir),
            if shown.parts.len() == 1 { "one picture" } else { "two pictures" }
        ))?,
        To::Screen => {}
        To::Text => context.text(&(shown.parts.join("\n") + "\n"))?,
    }
    Ok(Exit::Done)
}
