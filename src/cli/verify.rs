//! `verify`: on any machine, is a signed bundle whole, do its signatures hold, what is still missing?

use super::{Context, Exit, Failure, Outcome};
use crate::bundle::RequestKind;
use crate::bundle::verify::{Verdict, verify};
use crate::station::trust::roots_at;
use crate::station::{Station, StationError};
use crate::text::shown_path;
use crate::tuf::Chain;
use std::path::PathBuf;

/// On any machine: is a signed bundle whole, do its signatures hold, what is still missing?
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign verify /media/usb/signed --roots prod-roots/")]
pub(crate) struct Args {
    /// The signed bundle.
    dir: PathBuf,
    /// The production roots to count the signatures against [default: those of the station, if there is one].
    #[arg(long, value_name = "PATH")]
    roots: Option<PathBuf>,
    /// The largest file that is read, in bytes; all files together may have eight times as many.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_file_bytes: u64,
}

/// Verifies; exit code 3 when something is wrong with the bundle, or nothing says which keys may sign.
pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let disk = &*context.host.disk;
    let chain = match &args.roots {
        Some(path) => Some(Chain::verify(roots_at(disk, path)?)?),
        None => pinned(context)?,
    };
    let verdict = verify(disk, &args.dir, chain.as_ref(), args.max_file_bytes)?;
    context.text(&describe(&verdict))?;
    context.json(&value(&verdict))?;
    if !verdict.problems.is_empty() || chain.is_none() {
        return Ok(Exit::Refused);
    }
    context.text(&upload(&verdict, &shown_path(&args.dir)))?;
    Ok(Exit::Done)
}

/// The roots of this machine's station, where there is one.
fn pinned(context: &Context<'_>) -> Result<Option<Chain>, Failure> {
    let Ok(folder) = context.station_folder() else { return Ok(None) };
    match Station::open(context.host, &folder, None) {
        Ok(station) => Ok(Some(station.trust.chain)),
        Err(StationError::NoStation(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// A verdict for people.
pub(super) fn describe(verdict: &Verdict) -> String {
    let mut text = format!(
        "{} {}, {}, version {}\nSigned bytes (SHA-256) {}\n",
        verdict.noun, verdict.factory, verdict.subject, verdict.version, verdict.signed
    );
    for keyid in &verdict.valid {
        text.push_str(&format!("Valid signature by key {keyid}\n"));
    }
    match (verdict.threshold, verdict.root_version) {
        (Some(threshold), Some(root)) => {
            text.push_str(&format!(
                "{} of the {threshold} signatures that root version {root} asks for are there\n",
                verdict.valid.len()
            ));
            if !verdict.complete {
                for key in &verdict.missing {
                    let owner = if key.owner.is_empty() { verdict.who_signs } else { &key.owner };
                    text.push_str(&format!("Not signed yet: key {} ({owner})\n", key.keyid));
                }
            }
        }
        _ => text.push_str(
            "No roots were given: the signatures were checked against the keys that the bundle itself names, which \
             does not prove who signed. Give the production roots with --roots\n",
        ),
    }
    for skipped in &verdict.skipped {
        text.push_str(&format!("A signature that counts for nothing: {skipped}\n"));
    }
    if verdict.problems.is_empty() {
        text.push_str("The bundle is whole and its signatures hold\n");
    } else {
        text.push_str("THE BUNDLE DOES NOT HOLD:\n");
        for problem in &verdict.problems {
            text.push_str(&format!("  {problem}\n"));
        }
    }
    text
}

/// Which file goes where, and the command that takes it there.
fn upload(verdict: &Verdict, dir: &str) -> String {
    let Verdict { kind, factory, wave, tag, version, .. } = verdict;
    // A name that no URL takes as it stands is not pasted into one.
    let is_plain = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let courier = format!("Upload it: countersign-courier submit {dir}\n");
    let by_hand = |file: &str, path: &str| {
        format!(
            "By hand:   fioctl http post -d @{dir}/upload/{file} https://api.foundries.io/ota/factories/{factory}/{path}\n  \
             (read the status that it prints: it ends with 0 whatever the service answers)\n"
        )
    };
    match kind {
        RequestKind::Targets => format!(
            "Publish {dir}/publish/{version}.{tag}.json where the root says consistent_snapshot, else \
             {dir}/publish/{tag}.json\n"
        ),
        RequestKind::Wave if is_plain(factory) => {
            courier
                + &by_hand("wave-create.json", "waves/")
                + "upload/wave-sign.json is for a wave of this name that is there already, and adds this signature to it\n"
        }
        RequestKind::WaveSignature if is_plain(factory) && is_plain(wave) => {
            courier + &by_hand("wave-sign.json", &format!("waves/{wave}/sign/"))
        }
        RequestKind::OfflineBundle => {
            format!("Put it into the bundle: countersign-courier submit {dir} --into BUNDLE\n")
        }
        _ => courier,
    }
}

/// A verdict as JSON.
pub(super) fn value(verdict: &Verdict) -> serde_json::Value {
    let mut value = serde_json::to_value(verdict).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        // Without a root nothing says who may sign.
        object
            .insert("ok".to_owned(), (verdict.problems.is_empty() && verdict.root_version.is_some()).into());
    }
    value
}
