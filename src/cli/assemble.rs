//! `assemble`: on the connected machine, a request and a signature slip become the signed bundle.

use super::failure::text_in;
use super::verify::{describe, value};
use super::{Context, Exit, Failure, Outcome};
use crate::bundle::assemble::assemble;
use crate::bundle::slip::{LONGEST_SLIP, Slip};
use crate::text::shown_path;
use std::path::PathBuf;

/// On the connected machine: put the signature of a slip into the request, and verify it.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign assemble request --slip slip.txt --out signed\n  zbarcam --raw | countersign assemble request --slip - --out signed"
)]
pub(crate) struct Args {
    /// The request's folder, as it was carried to the station.
    request: PathBuf,
    /// The slip's text, every part of it; - reads standard input until the slip is whole, or an empty line or the end
    /// comes.
    #[arg(long, value_name = "FILE")]
    slip: PathBuf,
    /// The folder to write; it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The largest file that is read, in bytes; all files together may have eight times as many.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_file_bytes: u64,
}

/// Assembles; exit code 3 when what was written does not verify.
pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let disk = &*context.host.disk;
    let slip = if args.slip.as_os_str() == "-" {
        scanned(context)?
    } else {
        let bytes = disk.read(&args.slip, LONGEST_SLIP as u64)?;
        parse(text_in(&args.slip, &bytes)?)?
    };
    let verdict = assemble(disk, &args.request, &slip, &args.out, args.max_file_bytes)?;
    context.text(&format!(
        "Signed bundle assembled in {}. It has no review and no receipt: those stay at the station\n{}",
        shown_path(&args.out),
        describe(&verdict)
    ))?;
    let mut json = value(&verdict);
    if let Some(object) = json.as_object_mut() {
        object.insert("folder".to_owned(), args.out.to_string_lossy().into_owned().into());
    }
    context.json(&json)?;
    Ok(if verdict.problems.is_empty() { Exit::Done } else { Exit::Refused })
}

fn parse(text: &str) -> Result<Slip, Failure> {
    Slip::parse(text).map_err(|e| Failure::new(Exit::Failed, e.to_string()))
}

/// A scanner goes on for ever: its lines are taken until they are a whole slip.
fn scanned(context: &Context<'_>) -> Result<Slip, Failure> {
    let mut text = String::new();
    loop {
        use secrecy::ExposeSecret as _;
        match context.host.terminal.stdin_line() {
            Ok(line) if text.len() <= LONGEST_SLIP && !line.expose_secret().is_empty() => {
                text.push_str(line.expose_secret());
                text.push('\n');
                if let Ok(slip) = Slip::parse(&text) {
                    return Ok(slip);
                }
            }
            Ok(_) | Err(_) => return parse(&text),
        }
    }
}
