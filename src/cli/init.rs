//! `init`: makes a station for one Factory or repository, after the officer confirmed the root's fingerprint.

use super::secrets::ConfirmArgs;
use super::{Context, Exit, Failure, Outcome};
use crate::bundle::anchors;
use crate::ceremony::succession::Legacy;
use crate::station::trust::{OnlineKey, online_key_in, roots_at};
use crate::station::{NewStation, Station, StationError};
use crate::text::{shown, shown_path};
use crate::tuf::{Chain, Digest, KeyId, Root};
use crate::words;
use serde_json::json;
use std::path::PathBuf;

/// Make a station for one Factory and pin its production root.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign init --factory acme --roots prod-roots/ --online-key ci-targets.pub"
)]
pub(crate) struct Args {
    /// The Factory's name, or the repository's.
    #[arg(long, value_name = "NAME")]
    factory: String,
    /// The production root chain: a folder or .tgz of N.root.json, or one root file.
    #[arg(long, value_name = "PATH")]
    roots: PathBuf,
    /// The service's online targets key (ci-targets.pub). A Factory needs it; a repository that follows the TUF
    /// specification has none.
    #[arg(long, value_name = "FILE")]
    online_key: Option<PathBuf>,
    /// The newest root's fingerprint, 64 hex digits, as it came another way. Without it the words are asked.
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// How many officers must approve a request.
    #[arg(long, value_name = "N", default_value_t = 1)]
    approvals: u32,
    /// Continue the log of a lost station: its evidence pack (countersign log export). What it signed and saw comes along.
    #[arg(long = "continue", value_name = "PACK", requires = "log_key")]
    continues: Option<PathBuf>,
    /// The lost station's log key as it came another way, or a file that holds it.
    #[arg(long, value_name = "VKEY", requires = "continues")]
    log_key: Option<String>,
    /// Heads of the lost station's log that the pack must reach: signed bundles, or notes that witnesses cosigned.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "continues")]
    against: Vec<PathBuf>,
    /// This machine has a network (tests, rehearsals): the network check warns, and every report says so.
    #[arg(long)]
    networked: bool,
}

pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let host = context.host;
    let folder = context.station_folder()?;
    Station::require_free(&*host.disk, &folder)?;
    let chain = Chain::verify(roots_at(&*host.disk, &args.roots)?)?;
    let newest = chain.newest();
    newest.require_production()?;
    newest.require_reachable_thresholds()?;
    let online_key = args.online_key.as_deref().map(|path| OnlineKey::read(&*host.disk, path)).transpose()?;
    if online_key.is_none() && newest.dialect.has_service() {
        return Err(Failure::usage(StationError::NoOnlineKey.to_string()));
    }
    let online = online_key.as_ref().map(|key| online_key_in(newest, &key.public)).transpose()?;
    let legacy = legacy(&args, context, newest.version)?;
    ask_name_again(&args.factory, newest.dialect.noun(), context)?;
    confirm_root(&args, newest, context)?;
    let session = context.session("init");
    let new = NewStation {
        factory: args.factory,
        chain,
        online_key,
        approvals: args.approvals,
        networked: args.networked,
        legacy: legacy.as_ref().map(|legacy| legacy.inheritance(&session.actor)),
    };
    let station = Station::create(host, &folder, new, &session)?;
    report(&station, args.networked, online.as_ref(), legacy.as_ref(), context)
}

/// Shows the newest root's fingerprint, and has it confirmed.
fn confirm_root(args: &Args, newest: &Root, context: &Context<'_>) -> Result<(), Failure> {
    let fingerprint = newest.fingerprint;
    let words = words::of(&fingerprint.0);
    let lines: Vec<String> =
        words.split(' ').collect::<Vec<_>>().chunks(8).map(|line| line.join(" ")).collect();
    if newest.expires <= context.host.clock.now() {
        context.note(&format!("Warning: root version {} expired on {}.\n", newest.version, newest.expires));
    }
    context.note(&format!(
        "The newest production root in {} is version {}.\n\nIts fingerprint, which must equal the one that came to you another way:\n  {fingerprint}\n  {}\n\n",
        shown_path(&args.roots),
        newest.version,
        lines.join("\n  ")
    ));
    let refuse = |why: &str| Err(Failure::new(Exit::NotApproved, why));
    let Some(given) = &args.fingerprint else {
        let typed = ConfirmArgs::default()
            .words(context, "Compare, then type the first six words or more (anything else stops): ");
        return match typed {
            Err(_) => refuse("the fingerprint must be confirmed: give it with --fingerprint HEX"),
            Ok(typed) if words::confirms_beginning(&typed, &fingerprint.0) => Ok(()),
            Ok(_) => refuse("these are not the fingerprint's words. Nothing was made"),
        };
    };
    match Digest::parse(given.trim()) == Some(fingerprint) {
        true => Ok(()),
        false => refuse(&format!(
            "the fingerprint of root version {} is {fingerprint}, not the one that was given. Nothing was made",
            newest.version
        )),
    }
}

/// Says what was made.
fn report(
    station: &Station,
    is_networked: bool,
    online: Option<&KeyId>,
    legacy: Option<&Legacy>,
    context: &Context<'_>,
) -> Outcome {
    let newest = station.trust.newest();
    let (version, expires, threshold) = (newest.version, newest.expires, newest.threshold("targets"));
    let folder = station.layout.root();
    context.text(&format!(
        "Station for the {} {} in {}\n\
         Root version {version}, expires {expires}, {threshold} signatures for targets\n\
         {}\
         Log key {}\n  in words, for paper: {}\n\
         {}\
         {}\
         Next: countersign officer add NAME\n",
        station.facts.dialect.noun(),
        station.facts.factory,
        shown_path(folder),
        online.map(|online| format!("Online targets key {online}\n")).unwrap_or_default(),
        station.log.key(),
        crate::words::confirmation(&station.log.key().fingerprint()),
        if is_networked {
            "This station is on a machine with a network: every report says so.\n"
        } else {
            ""
        },
        legacy.map(describe).unwrap_or_default(),
    ))?;
    context.done(&json!({
        "factory": station.facts.factory,
        "station": shown_path(folder),
        "root_version": version,
        "fingerprint": newest.fingerprint.to_string(),
        "words": words::of(&newest.fingerprint.0),
        "dialect": station.facts.dialect.name(),
        "online_key": online.map(KeyId::as_str),
        "log_key": station.log.key().to_string(),
        "networked": is_networked,
        "continues": legacy.map(|legacy| json!({
            "origin": legacy.head.checkpoint.origin, "size": legacy.head.checkpoint.size, "marks": legacy.marks(),
        })),
    }))
}

/// What is taken over from the log of a lost station.
fn legacy(args: &Args, context: &Context<'_>, root_version: u64) -> Result<Option<Legacy>, Failure> {
    let (Some(pack), Some(key)) = (&args.continues, &args.log_key) else { return Ok(None) };
    let disk = &*context.host.disk;
    let key = super::audit::key_text(context, key)?;
    let against = args.against.iter().map(|path| anchors::read(disk, path)).collect::<Result<_, _>>()?;
    let legacy = Legacy::read(context.host, pack, &key, against)?;
    legacy.require_fits(&args.factory, root_version)?;
    if args.against.is_empty() {
        context.note(
            "Warning: whether the pack is the lost station's last, nothing shows. Give the last signed bundle with --against.\n",
        );
    }
    Ok(Some(legacy))
}

fn describe(legacy: &Legacy) -> String {
    let head = &legacy.head.checkpoint;
    format!(
        "It continues the log {}, {} entries: {} marks came along\n",
        crate::text::shown(&head.origin),
        head.size,
        legacy.marks()
    )
}

/// A station signs for one name and for ever: where somebody is there, she types it a second time.
fn ask_name_again(name: &str, noun: &str, context: &Context<'_>) -> Result<(), Failure> {
    if !context.host.terminal.can_ask() {
        return Ok(());
    }
    let prompt = format!("This station will sign for one {noun} only. Type the {noun}'s name again: ");
    if context.host.terminal.ask(&prompt)?.trim() == name {
        return Ok(());
    }
    Err(Failure::new(
        Exit::NotApproved,
        format!(
            "it is not the name that was given with --factory, which is \"{}\". Nothing was made",
            shown(name)
        ),
    ))
}
