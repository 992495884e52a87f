//! What the auditor knows from elsewhere: the keys of the logs, the heads that she saw, those that came another way.

use crate::audit::elsewhere::{self, Elsewhere};
use crate::audit::state::State;
use crate::audit::{AuditError, Pack};
use crate::cli::failure::text_in;
use crate::cli::{Context, Exit, Failure};
use crate::tlog::VerifierKey;
use std::path::{Path, PathBuf};

/// The most bytes of a file with keys: a thousand of them.
const LARGEST_KEYS: u64 = 1 << 18;

/// What the auditor knows from elsewhere.
#[derive(clap::Args)]
pub(super) struct Known {
    /// The log's public key as it came another way, or a file that holds it. Of several packs: once for each, or a file
    /// with a key a line.
    #[arg(long, value_name = "VKEY")]
    key: Vec<String>,
    /// Remember the heads seen in this file, and compare with those seen before.
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,
    /// Heads that came another way: a checkpoint, a receipt, a signed bundle's folder, a slip.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,
    /// The key of a witness whose cosignatures are counted, or a file that holds it. Without it, those that the log has.
    #[arg(long, value_name = "VKEY", num_args = 1..)]
    witness: Vec<String>,
}

/// The log's public key, for commands whose answer rests on the head that it signed.
#[derive(clap::Args)]
pub(crate) struct LogKey {
    /// The log's public key as it came another way, or a file that holds it. Of several packs: once for each, or a file
    /// with a key a line.
    #[arg(long, value_name = "VKEY")]
    log_key: Vec<String>,
}

impl LogKey {
    /// Opens a pack, by the key of its log where keys were given.
    pub(super) fn open<'c>(&self, context: &'c Context<'_>, dir: &Path) -> Result<Pack<'c>, Failure> {
        Ok(open(context, dir, &keys(context, &self.log_key)?)?)
    }
}

impl Known {
    /// The keys that were given.
    pub(super) fn keys(&self, context: &Context<'_>) -> Result<Vec<VerifierKey>, Failure> {
        keys(context, &self.key)
    }

    /// Reads the auditor's files, for these packs.
    pub(super) fn elsewhere(&self, context: &Context<'_>, packs: &[&Pack<'_>]) -> Result<Elsewhere, Failure> {
        let disk = &*context.host.disk;
        let state = self.state.as_deref().map(|path| {
            packs.iter().try_for_each(|pack| pack.refuse_within(path))?;
            State::read(disk, path)
        });
        let state = state.transpose()?;
        let heads = self.against.iter().map(|path| elsewhere::read(disk, path));
        let heads = heads.collect::<Result<Vec<_>, _>>()?;
        let witness = |given: &String| {
            let key = VerifierKey::parse(&key_text(context, given)?);
            let key = key.map_err(|e| Failure::new(Exit::Failed, format!("--witness: {e}")))?;
            key.is_witness().then_some(key).ok_or_else(|| {
                Failure::new(
                    Exit::Failed,
                    "--witness: it is a key for notes (type 1), not a witness's (type 4)",
                )
            })
        };
        let witnesses = self.witness.iter().map(witness).collect::<Result<_, _>>()?;
        Ok(Elsewhere::new(state, heads, witnesses, context.host.clock.now()))
    }
}

/// A key given as itself or as a file.
pub(crate) fn key_text(context: &Context<'_>, given: &str) -> Result<String, Failure> {
    if VerifierKey::parse(given).is_ok() {
        return Ok(given.to_owned());
    }
    let bytes = context.host.disk.read(Path::new(given), LARGEST_KEYS)?;
    Ok(text_in(Path::new(given), &bytes)?.trim().to_owned())
}

fn keys(context: &Context<'_>, given: &[String]) -> Result<Vec<VerifierKey>, Failure> {
    let mut keys = Vec::new();
    for one in given {
        let text = key_text(context, one)?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            keys.push(VerifierKey::parse(line).map_err(|e| AuditError::Key(e.to_string()))?);
        }
        if text.is_empty() {
            return Err(AuditError::Key("it is empty".to_owned()).into());
        }
    }
    Ok(keys)
}

/// Opens a pack. Where keys were given, by that of its log.
pub(super) fn open<'c>(
    context: &'c Context<'_>,
    dir: &Path,
    keys: &[VerifierKey],
) -> Result<Pack<'c>, AuditError> {
    let disk = &*context.host.disk;
    let pack = Pack::open(disk, dir, None)?;
    let of_this_log = keys.iter().find(|key| key.name() == pack.key().name());
    match of_this_log.or(keys.first()) {
        Some(key) => Pack::open(disk, dir, Some(&key.to_string())),
        None => Ok(pack),
    }
}
