//! `key`: taking keys in, making them, proving that they open, paper and back.

use super::secrets::{ConfirmArgs, PassphraseArgs};
use super::{Context, Exit, Failure, Outcome};
use crate::ceremony::keys::{self, DelegatedBy, To};
use crate::host::clock::Time;
use crate::station::Station;
use crate::text::{short, shown_path};
use crate::tuf::KeyId;
use crate::tuf::generate::NewKeyType;
use crate::vault::keys::{SealedKey, list_keys, load};
use crate::vault::officer::OfficerName;
use crate::vault::sealed;
use crate::words;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Sealed keys: import, generate, list, drill, reseal, backup, restore, retire.
#[derive(clap::Subcommand)]
#[command(
    after_help = "Example:\n  countersign key import targets.keys.tgz --officers alice,bob,carol --quorum 2"
)]
pub(crate) enum Args {
    /// Take the active offline targets key out of fioctl's key file and seal it to a quorum of officers.
    #[command(
        after_help = "Example:\n  countersign key import targets.keys.tgz --officers alice,bob,carol --quorum 2"
    )]
    Import {
        /// fioctl's targets.keys.tgz; for a repository that follows the TUF specification a PKCS#8 file (PEM or DER) with
        /// an ed25519 or RSA key.
        file: PathBuf,
        /// To whom it is sealed.
        #[command(flatten)]
        to: Holders,
        /// For the key of a repository's delegated role: the role.
        #[arg(long, value_name = "NAME", requires = "delegated_by")]
        role: Option<String>,
        /// The repository's targets.json of today, which delegates to the role.
        #[arg(long, value_name = "FILE", requires = "role")]
        delegated_by: Option<PathBuf>,
    },
    /// Make a new key, seal it, and write its public half for `fioctl keys tuf updates`.
    #[command(
        after_help = "Example:\n  countersign key generate --type ed25519 --officers alice,bob --quorum 2 --out /media/usb"
    )]
    Generate {
        /// What kind of key.
        #[arg(long = "type", value_name = "TYPE")]
        kind: Kind,
        /// To whom it is sealed.
        #[command(flatten)]
        to: Holders,
        /// The folder for the public half.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// List the sealed keys.
    #[command(after_help = "Example:\n  countersign key list")]
    List,
    /// Prove that a key opens and matches the pinned root, without signing anything.
    #[command(after_help = "Example:\n  countersign key drill f0208b9d --officer alice --officer bob")]
    Drill {
        /// Who opens it.
        #[command(flatten)]
        opening: Opening,
    },
    /// Seal a key to other officers or another quorum; shares and paper made before become stale.
    #[command(
        after_help = "Example:\n  countersign key reseal f0208b9d --officer alice --officer bob --to alice,bob,dave --quorum 2"
    )]
    Reseal {
        /// Who opens it.
        #[command(flatten)]
        opening: Opening,
        /// The officers that it is sealed to from now on.
        #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
        to: Vec<OfficerName>,
        /// How many of them together open it.
        #[arg(long, value_name = "K")]
        quorum: u8,
    },
    /// Take a key out of the vault that the newest root no longer lists. Its sealed files are removed.
    #[command(after_help = "Example:\n  countersign key retire f0208b9d --reason \"rotated\"")]
    Retire {
        /// The key: the first digits of its id.
        keyid: String,
        /// Why; it stands in the log.
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        /// For a key that no pinned root lists yet: the words of its id. Without it the terminal is asked.
        #[arg(long, value_name = "WORDS")]
        confirm: Option<String>,
    },
    /// Write a paper backup: sheets to print, with QR codes. What is printed stays sealed.
    #[command(after_help = "Example:\n  countersign key backup f0208b9d --out /media/usb/paper")]
    Backup {
        /// The key: the first digits of its id.
        keyid: String,
        /// The folder for the sheets; it must not exist, or be empty.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Bring a key and its officers back from scans of a paper backup: a folder of .txt files.
    #[command(
        after_help = "Example:\n  zbarimg -q --raw -Sdisable -Sqrcode.enable scans/*.png > scans/all.txt\n  countersign key restore scans"
    )]
    Restore {
        /// The folder of the scans.
        dir: PathBuf,
        /// Who brings it back, and signs it; not needed before there are officers, nor for a key that comes back as the
        /// log has it.
        #[arg(long, value_name = "NAMES", value_delimiter = ',')]
        officer: Vec<OfficerName>,
        /// Their passphrases.
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
}

/// Kinds of new keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Ed25519.
    Ed25519,
    /// RSA of 4,096 bits.
    Rsa4096,
}

/// To whom a key is sealed.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Holders {
    /// The officers, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    officers: Vec<OfficerName>,
    /// How many of them together open it.
    #[arg(long, value_name = "K")]
    quorum: u8,
}

/// Which key is opened, and who opens it.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Opening {
    /// The key: the first digits of its id.
    keyid: String,
    /// An officer who opens it; as many as its quorum.
    #[arg(long = "officer", value_name = "NAMES", value_delimiter = ',', num_args = 1.., required = true)]
    officers: Vec<OfficerName>,
    /// Their passphrases.
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    match args {
        Args::Import { file, to, role, delegated_by } => {
            let by = role.as_deref().zip(delegated_by.as_deref());
            import(&file, &to, by.map(|(role, file)| DelegatedBy { role, file }), context)
        }
        Args::Generate { kind, to, out } => generate(kind, &to, &out, context),
        Args::List => list(context),
        Args::Drill { opening } => drill(&opening, context),
        Args::Reseal { opening, to, quorum } => reseal(&opening, &to, quorum, context),
        Args::Retire { keyid, reason, confirm } => retire(&keyid, &reason, ConfirmArgs { confirm }, context),
        Args::Backup { keyid, out } => backup(&keyid, &out, context),
        Args::Restore { dir, officer, passphrase } => restore(&dir, &officer, &passphrase, context),
    }
}

/// A key as JSON.
fn value(key: &SealedKey, station: &Station) -> Value {
    let time = |time: Option<Time>| time.map(|time| time.to_string());
    json!({
        "keyid": key.keyid,
        "keytype": key.keytype,
        "quorum": key.quorum,
        "officers": key.officers.iter().map(OfficerName::as_str).collect::<Vec<_>>(),
        "set": key.set,
        "imported": key.imported.to_string(),
        "last_drill": time(key.last_drill),
        "last_backup": time(key.last_backup),
        "in_root": in_root(key, station),
        "words": key_words(key),
    })
}

/// Does the newest pinned root list it for targets?
fn in_root(key: &SealedKey, station: &Station) -> bool {
    station.trust.newest().key_in_role("targets", &KeyId::new(key.keyid.clone())).is_some()
}

fn key_words(key: &SealedKey) -> String {
    let bytes = hex::decode(&key.keyid).unwrap_or_default();
    words::of(bytes.get(..8).unwrap_or_default())
}

fn describe(key: &SealedKey, station: &Station) -> String {
    let opens = key.opens_with();
    let version = station.trust.newest().version;
    let listed = if in_root(key, station) { "listed by" } else { "NOT listed by" };
    let time = |time: Option<Time>| time.map_or_else(|| "never".to_owned(), |time| time.to_string());
    format!(
        "Key {}\n  words        {}\n  type         {}, {listed} root version {version}\n  opens with   {opens}\n  \
         last drill   {}\n  last backup  {}\n",
        key.keyid,
        key_words(key),
        key.keytype,
        time(key.last_drill),
        time(key.last_backup)
    )
}

fn import(file: &Path, to: &Holders, delegated: Option<DelegatedBy<'_>>, context: &Context<'_>) -> Outcome {
    context.with_station("key import", |station| {
        let to = To { officers: &to.officers, quorum: to.quorum };
        let key = keys::import(station, context.host, file, delegated, &to)?;
        context.text(&describe(&key, station))?;
        note_one_alone(&key, context);
        context.note(&format!(
            "{} still holds the key unprotected. First print a backup (key backup {short}) and prove that the key opens \
             (key drill {short}); then destroy the medium that the file is on, and every copy of it.\n",
            shown_path(file),
            short = short(&key.keyid)
        ));
        context.done(&value(&key, station))
    })
}

/// A quorum of one is said in words: who reads `--quorum 1` may take it for something else.
fn note_one_alone(key: &SealedKey, context: &Context<'_>) {
    if key.quorum == 1 {
        context.note(&format!(
            "One alone opens it: {}. For two together, seal it to several officers with --quorum 2.\n",
            if key.officers.len() > 1 { format!("each of {}", key.holders()) } else { key.holders() }
        ));
    }
}

fn generate(kind: Kind, to: &Holders, out: &Path, context: &Context<'_>) -> Outcome {
    context.with_station("key generate", |station| {
        let kind = match kind {
            Kind::Ed25519 => NewKeyType::Ed25519,
            Kind::Rsa4096 => NewKeyType::Rsa4096,
        };
        let to = To { officers: &to.officers, quorum: to.quorum };
        let (key, public) = keys::make(station, context.host, kind, &to, out)?;
        note_one_alone(&key, context);
        context.text(&format!(
            "{}  public half  {}\n",
            describe(&key, station),
            shown_path(&public)
        ))?;
        context.note(&format!(
            "Only the public half left the station. Print a backup (key backup {short}) and prove that the key opens \
             (key drill {short}) before the next root lists it.\n",
            short = short(&key.keyid)
        ));
        let mut json = value(&key, station);
        if let Some(object) = json.as_object_mut() {
            object.insert("public_file".to_owned(), public.to_string_lossy().into_owned().into());
        }
        context.done(&json)
    })
}

fn list(context: &Context<'_>) -> Outcome {
    let station = context.look()?;
    let keys = list_keys(station.disk(), &station.layout.keys())?;
    for key in &keys {
        context.text(&describe(key, &station))?;
    }
    if keys.is_empty() {
        context.text("No keys yet: countersign key import FILE --officers NAMES --quorum K\n")?;
    }
    context.done(&keys.iter().map(|key| value(key, &station)).collect::<Vec<_>>())
}

fn drill(opening: &Opening, context: &Context<'_>) -> Outcome {
    let files = opening.passphrase.files()?;
    context.with_station("key drill", |station| {
        let drill = keys::drill(station, context.host, &opening.keyid, &opening.officers, &files)?;
        let by = sealed::names(&opening.officers);
        context.text(&format!("The key {} opens with {by}\n", drill.key.keyid))?;
        match drill.listed {
            true => context.text(&format!("It is the key that root version {} lists\n", drill.root_version))?,
            false => context.note(&format!(
                "Root version {} does not list it for targets: it cannot sign for devices\n",
                drill.root_version
            )),
        }
        context.done(&json!({
            "keyid": drill.key.keyid, "opens": true, "in_root": drill.listed, "root_version": drill.root_version,
            "officers": opening.officers.iter().map(OfficerName::as_str).collect::<Vec<_>>(),
        }))
    })
}

fn reseal(opening: &Opening, to: &[OfficerName], quorum: u8, context: &Context<'_>) -> Outcome {
    let files = opening.passphrase.files()?;
    context.with_station("key reseal", |station| {
        let to = To { officers: to, quorum };
        let key = keys::reseal(station, context.host, &opening.keyid, &opening.officers, &files, &to)?;
        context.text(&describe(&key, station))?;
        note_one_alone(&key, context);
        context.note(&format!(
            "Shares and paper made before are stale: destroy the old sheets, print new ones (key backup {short}), and \
             prove that the key opens (key drill {short}).\n",
            short = short(&key.keyid)
        ));
        context.done(&value(&key, station))
    })
}

fn retire(prefix: &str, reason: &str, confirm: ConfirmArgs, context: &Context<'_>) -> Outcome {
    context.with_station("key retire", |station| {
        let (key, was_listed) = keys::to_retire(station, prefix)?;
        if !was_listed {
            confirm_unlisted(&key.keyid, &confirm, context)?;
        }
        let key = keys::retire(station, context.host, prefix, reason)?;
        context.text(&format!("The key {} is retired, and its sealed files are removed\n", key.keyid))?;
        context.note("Destroy its paper too, by the list of bag numbers.\n");
        context.done(&json!({ "keyid": key.keyid }))
    })
}

/// A key that no root lists may be the one that the next root is to bring: its words are to be typed.
fn confirm_unlisted(keyid: &str, confirm: &ConfirmArgs, context: &Context<'_>) -> Result<(), Failure> {
    let id = hex::decode(keyid).unwrap_or_default();
    let asked = id.get(..words::CONFIRMATION_BYTES).unwrap_or(&id);
    context.note(&format!(
        "No production root that this station knows lists the key {keyid}. If the next root is to bring it, do not \
         retire it: its sealed files are removed for good.\nThe words of its id: {}\n",
        words::of(asked)
    ));
    let given = confirm.words(context, "To remove it, type the words of its id: ")?;
    if words::confirms_beginning(&given, &id) {
        return Ok(());
    }
    Err(Failure::new(Exit::NotApproved, "these are not the words of the key's id. The key stays"))
}

fn backup(prefix: &str, out: &Path, context: &Context<'_>) -> Outcome {
    context.with_station("key backup", |station| {
        let (key, made) = keys::back_up(station, context.host, prefix, out)?;
        for sheet in &made.sheets {
            context.text(&format!("{}\n", shown_path(sheet)))?;
        }
        context.note(&format!(
            "{} sheets with {} QR codes. Print each once on a printer without memory or network, check that the codes scan, \
             put each sheet into a numbered bag of its own, and wipe the medium.\n",
            made.sheets.len(),
            made.codes
        ));
        let sheets: Vec<_> = made.sheets.iter().map(|sheet| sheet.to_string_lossy().into_owned()).collect();
        context.done(&json!({ "keyid": key.keyid, "sheets": sheets, "codes": made.codes }))
    })
}

fn restore(
    dir: &Path,
    officers: &[OfficerName],
    passphrase: &PassphraseArgs,
    context: &Context<'_>,
) -> Outcome {
    let files = passphrase.files()?;
    context.with_station_to_mend("key restore", |station| {
        let (key, restored) = keys::bring_back(station, context.host, dir, officers, &files)?;
        // Read again: what the station has noted of the key since stands in its record.
        let key = load(station.disk(), &station.layout.keys(), &key.keyid).map_err(Failure::from)?;
        context.text(&describe(&key, station))?;
        let list = |what: &str, names: &[OfficerName]| match names {
            [] => Ok(()),
            names => context.text(&format!("  {what:<11}  {}\n", sealed::names(names))),
        };
        list("came back", &restored.officers)?;
        list("left alone", &restored.kept)?;
        list("no share of", &restored.without_share)?;
        context.note(&format!("Prove that it opens: countersign key drill {} --officer …\n", short(&key.keyid)));
        if station.history.marks().next().is_none() && station.anchors().predecessor().is_none() {
            context.note(
                "This station does not know what the key signed before: it would sign another content for the same version. \
                 If it replaces a lost station, make it from that one's evidence: countersign init --continue PACK\n",
            );
        }
        let names =
            |names: &[OfficerName]| names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
        let mut json = value(&key, station);
        if let Some(object) = json.as_object_mut() {
            object.insert("officers_restored".to_owned(), names(&restored.officers).into());
            object.insert("officers_kept".to_owned(), names(&restored.kept).into());
            object.insert("without_share".to_owned(), names(&restored.without_share).into());
        }
        context.done(&json)
    })
}
