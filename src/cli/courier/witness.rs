//! `witness`: shows the newest head of a station's log to witnesses, and keeps what they cosign for the next request.

use super::Desk;
use crate::bundle::manifest::MAX_MANIFEST_BYTES;
use crate::bundle::signed::{SIGNED_FILE, SignedManifest};
use crate::cli::{Exit, Failure, Outcome};
use crate::courier::witness::{Asked, Head, Witness, ask_all, read_list};
use crate::host::clock::Time;
use crate::text::shown;
use crate::tlog::VerifierKey;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Show the newest head of a station's log to witnesses (C2SP tlog-witness), and keep what they cosign for the next request.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign-courier witness /media/usb/signed\n\nA list of witnesses has lines as C2SP \
                  tlog-policy has them:\n  witness NAME VKEY URL"
)]
pub(super) struct Args {
    /// The newest signed bundle of the station [default: the newest head that was carried].
    pub(super) bundle: Option<PathBuf>,
    /// The log's key, where no bundle is given.
    #[arg(long, value_name = "VKEY", required_unless_present = "bundle")]
    log_key: Option<String>,
    #[command(flatten)]
    pub(super) list: List,
}

/// Where the witnesses are written down.
#[derive(clap::Args)]
pub(super) struct List {
    /// The list of witnesses [default: $XDG_CONFIG_HOME/countersign/witnesses].
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
}

impl List {
    /// The witnesses; none where nobody wrote any down.
    pub(super) fn read(&self, desk: &Desk<'_>) -> Result<Vec<Witness>, Failure> {
        let disk = &*desk.context.host.disk;
        let path = match (&self.witnesses, desk.usual_witnesses()) {
            (Some(path), _) => path.clone(),
            (None, Some(path)) if disk.kind(&path)?.is_some() => path,
            (None, _) => return Ok(Vec::new()),
        };
        Ok(read_list(disk, &path)?)
    }
}

pub(super) fn run(args: &Args, desk: &Desk<'_>) -> Outcome {
    let context = &desk.context;
    let disk = &*context.host.disk;
    let witnesses = args.list.read(desk)?;
    if witnesses.is_empty() {
        return Err(Failure::usage(
            "there is no witness to ask: write them down, and give the list with --witnesses",
        ));
    }
    let asked = match &args.bundle {
        Some(bundle) => {
            let manifest =
                SignedManifest::parse(&disk.read_beneath(bundle, SIGNED_FILE, MAX_MANIFEST_BYTES)?)?;
            carry(bundle, &manifest, &witnesses, desk)?
        }
        None => {
            let key = log_key(args.log_key.as_deref().unwrap_or_default())?;
            let client = desk.client()?;
            let shelf = desk.shelf(client.factory()).ok_or_else(no_home)?;
            let note = shelf.head(disk, &key)?.ok_or_else(|| {
                Failure::usage("no head of this log was carried yet: give the newest bundle")
            })?;
            ask_all(
                &witnesses,
                &Head::kept(key, note)?,
                &shelf,
                &desk.options(),
                &desk.environment(),
                context.host,
            )?
        }
    };
    context.text(&described(&asked))?;
    context.json(&json!(asked))?;
    let all = asked.iter().all(|one| one.cosigned.is_some());
    Ok(if all { Exit::Done } else { Exit::ServiceRefused })
}

/// Keeps the head of a bundle and shows it to witnesses.
pub(super) fn carry(
    bundle: &Path,
    manifest: &SignedManifest,
    witnesses: &[Witness],
    desk: &Desk<'_>,
) -> Result<Vec<Asked>, Failure> {
    let disk = &*desk.context.host.disk;
    let shelf = desk.shelf(&manifest.factory).ok_or_else(no_home)?;
    if manifest.assembled {
        return Err(Failure::usage(
            "a bundle that was assembled from a slip does not bring the log's key. Give its head to the next request: \
             request --anchor BUNDLE",
        ));
    }
    let key = log_key(&manifest.log.key)?;
    let head = Head::of_bundle(disk, bundle, key.clone())?;
    shelf.keep_head(disk, &key, head.note())?;
    Ok(ask_all(witnesses, &head, &shelf, &desk.options(), &desk.environment(), desk.context.host)?)
}

/// What came of it, a line a witness.
pub(super) fn described(asked: &[Asked]) -> String {
    let line = |one: &Asked| {
        let (name, size) = (shown(&one.witness), one.size);
        match (one.cosigned, &one.why) {
            (Some(time), _) => {
                let time = Time::from_unix(i64::try_from(time).unwrap_or(i64::MAX));
                format!("Witness {name}: cosigned {size} entries at {time}\n")
            }
            (None, why) => format!("Witness {name}: NOT cosigned, {}\n", why.as_deref().unwrap_or_default()),
        }
    };
    asked.iter().map(line).collect()
}

fn log_key(text: &str) -> Result<VerifierKey, Failure> {
    VerifierKey::parse(text).map_err(|e| Failure::new(Exit::Failed, format!("the log's key: {e}")))
}

fn no_home() -> Failure {
    Failure::usage("there is no home folder to keep heads in: give one with --state")
}
