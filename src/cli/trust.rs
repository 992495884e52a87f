//! `trust`: what is pinned, and pinning the service's new online key.

use super::secrets::{ConfirmArgs, PassphraseArgs};
use super::{Context, Exit, Failure, Outcome};
use crate::ceremony::trust;
use crate::station::trust::{OnlineKey, service_key_in};
use crate::text::shown;
use crate::tuf::Digest;
use crate::vault::officer::OfficerName;
use crate::words;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Show what is pinned, or pin the service's new online key.
#[derive(clap::Subcommand)]
#[command(after_help = "Example:\n  countersign trust show")]
pub(crate) enum Args {
    /// Show the pinned roots, their keys and owners, and the online key.
    #[command(after_help = "Example:\n  countersign trust show")]
    Show,
    /// Pin the service's new online targets key, after it was rotated.
    #[command(
        after_help = "Example:\n  countersign trust online-key ci-targets.pub --officer alice --officer bob"
    )]
    OnlineKey {
        /// The new ci-targets.pub.
        file: PathBuf,
        /// Who signs: a quorum of the key's officers; nobody, before there are officers.
        #[arg(long, value_name = "NAMES", value_delimiter = ',')]
        officer: Vec<OfficerName>,
        /// Their passphrases.
        #[command(flatten)]
        passphrase: PassphraseArgs,
        /// The six words, or more, that `countersign fingerprint` prints for the file where it came from. Without it the
        /// terminal is asked; where there is none, the signatures confirm it.
        #[arg(long, value_name = "WORDS")]
        confirm: Option<String>,
    },
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Show => show(context),
        Args::OnlineKey { file, officer, passphrase, confirm } => {
            online_key(&file, &officer, &passphrase, ConfirmArgs { confirm }, context)
        }
    }
}

fn show(context: &Context<'_>) -> Outcome {
    let station = context.look()?;
    let root = station.trust.newest();
    let mut text = format!(
        "{:<18} {}\nDialect            {}\nRoot version       {} (of {} pinned), expires {}\nFingerprint        {}\n                   {}\n",
        station.facts.dialect.noun(),
        station.facts.factory,
        station.facts.dialect,
        root.version,
        station.trust.chain.roots().len(),
        root.expires,
        root.fingerprint,
        words::of(&root.fingerprint.0),
    );
    let mut roles = Vec::new();
    for (name, role) in &root.roles {
        text.push_str(&format!(
            "Role {:<13} {} of {} keys must sign\n",
            shown(name),
            role.threshold,
            role.keyids.len()
        ));
        let mut keys = Vec::new();
        for keyid in &role.keyids {
            let is_online = station.trust.is_online(keyid);
            let owner = root.owner(keyid).map(|owner| shown(&owner.polis_id)).unwrap_or_default();
            let keytype = root.keys.get(keyid).map_or("", |key| key.keytype());
            let note = if is_online { "the service's online key".to_owned() } else { owner.clone() };
            text.push_str(&format!("  {keyid}  {keytype:<8} {note}\n"));
            keys.push(
                json!({ "keyid": keyid.as_str(), "keytype": keytype, "owner": owner, "online": is_online }),
            );
        }
        roles.push(json!({ "role": name, "threshold": role.threshold, "keys": keys }));
    }
    context.text(&text)?;
    context.done(&json!({
        "factory": station.facts.factory,
        "dialect": station.facts.dialect.name(),
        "root_version": root.version,
        "expires": root.expires.to_string(),
        "fingerprint": root.fingerprint.to_string(),
        "words": words::of(&root.fingerprint.0),
        "online_key": station.trust.online.as_ref().map(crate::tuf::KeyId::as_str),
        "roles": roles,
    }))
}

fn online_key(
    file: &Path,
    officers: &[OfficerName],
    passphrase: &PassphraseArgs,
    confirm: ConfirmArgs,
    context: &Context<'_>,
) -> Outcome {
    let files = passphrase.files()?;
    let new = OnlineKey::read(&*context.host.disk, file)?;
    context.with_station("trust online-key", |station| {
        let keyid = service_key_in(station.trust.newest(), &new.public)?;
        trust::require_online_key_signers(station, officers)?;
        // As `countersign fingerprint` has it on any machine.
        let digest = Digest::of(&new.public.subject_public_key_info());
        let words = words::confirmation(&digest.0);
        context.note(&format!(
            "The key {keyid} is to be the service's online targets key from now on.\n\
             Its fingerprint, which must equal the one that came to you another way (countersign fingerprint):\n  \
             {digest}\nIts words: {words}\n"
        ));
        let given = confirm.words(context, "Compare, then type the six words (anything else stops): ");
        // Where nobody can be asked, the officers' own signatures confirm it.
        let is_left_to_them = given.is_err() && !officers.is_empty();
        if !is_left_to_them && !words::confirms_beginning(&given?, &digest.0) {
            return Err(Failure::new(
                Exit::NotApproved,
                "these are not the key's words. The pinned key stays",
            ));
        }
        trust::pin_online_key(station, context.host, &new, officers, &files)?;
        context.text(&format!("Pinned the online targets key {keyid}\n"))?;
        context.done(&json!({ "online_key": keyid.as_str(), "words": words }))
    })
}
