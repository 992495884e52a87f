//! `sign`: the confirmation, the passphrases, the signature.

use super::review::find;
use super::secrets::{ConfirmArgs, PassphraseArgs};
use super::{Context, Failure, Outcome};
use crate::ceremony::export::signed_by;
use crate::ceremony::reviewed::{confirm, recheck};
use crate::ceremony::sign::{refuse, sign};
use crate::ceremony::signers::{Ask, check_signers};
use crate::vault::officer::OfficerName;
use serde_json::json;

/// Open the key with the officers' passphrases, sign what was reviewed, and verify the signature.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign sign 4f2a90c1d3e7 --officer alice --officer bob")]
pub(crate) struct Args {
    /// The request: the first digits of its digest [default: the newest].
    id: Option<String>,
    /// Who opens the key. One who has not approved yet approves by this.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    officer: Vec<OfficerName>,
    /// The key, where several could sign: the first digits of its id.
    #[arg(long, value_name = "KEYID")]
    key: Option<String>,
    /// The confirmation.
    #[command(flatten)]
    confirm: ConfirmArgs,
    /// The passphrases.
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let files = args.passphrase.files()?;
    context.with_station("sign", |station| {
        let stored = find(station, args.id.as_deref())?;
        let reviewed = match recheck(station, context.host.clock.now(), &stored) {
            Ok(reviewed) => reviewed,
            Err(e) => return Err(refuse(station, context.host, &stored, e)?.into()),
        };
        let ask = Ask { officers: &args.officer, key: args.key.as_deref(), passphrases: &files };
        if let Err(e) = check_signers(station, context.host, &stored, &reviewed, &ask) {
            return Err(refuse(station, context.host, &stored, e)?.into());
        }
        let prompt = format!(
            "Request {}: to sign exactly what the review showed, type its confirmation words: ",
            stored.digest().short()
        );
        let given = args.confirm.words(context, &prompt)?;
        if let Err(e) = confirm(&reviewed, &given) {
            return Err(Failure::from(refuse(station, context.host, &stored, e)?));
        }
        let made = sign(station, context.host, &stored, &reviewed, &ask)?;
        let (_, signature) = signed_by(station, &stored, &made)?;
        let networked = if station.facts.networked { " on a machine with a network" } else { "" };
        context.text(&format!(
            "Signed{networked}: {}, version {}\n\
             Key {} opened by {}, strength {}\n\
             Signed bytes (SHA-256) {}\n\
             Log entry {}\n\
             Next: countersign export {} DIR\n",
            stored.request.manifest.subject(),
            stored.request.manifest.version,
            made.keyid,
            made.officers.join(", "),
            made.strength,
            made.signed,
            made.seq,
            stored.digest().short(),
        ))?;
        context.done(&json!({
            "request": stored.digest().to_string(),
            "keyid": made.keyid,
            "officers": made.officers,
            "digest": made.signed,
            "review": made.review,
            "strength": made.strength,
            "signature": serde_json::from_str::<serde_json::Value>(&signature).unwrap_or_default(),
            "seq": made.seq,
            "networked": station.facts.networked,
        }))
    })
}
