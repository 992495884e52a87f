//! `request`: on the connected machine, composes the unsigned request from downloaded files, and says what an officer's
//! review would say of it.

use super::{Context, Exit, Failure, Outcome};
use crate::bundle::anchors;
use crate::bundle::compose::{Parameters, is_tag};
use crate::bundle::source::{Ask, Asked, write_request};
use crate::ceremony::request::{Prepared, prepare};
use crate::host::clock::Time;
use crate::host::disk::write_durably;
use crate::review::{Finding, Severity};
use crate::station::Policy;
use crate::station::policy::MAX_POLICY_BYTES;
use crate::text::{counted, shown, shown_path};
use crate::words;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// On the connected machine: compose an unsigned request from downloaded files. No network, no key.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  countersign request --from downloads --factory acme --wave v2.0 --version 42 \\\n    --tag production --out /media/usb/request\n  countersign request --resign --from downloads --factory acme --tag production --out /media/usb/request"
)]
#[command(group(clap::ArgGroup::new("kind").args(["further_signature", "resign", "offline_bundle"])))]
pub(crate) struct Args {
    /// The folder with the downloaded files: prod-roots/, ci-targets.json, prod-targets.json, waves.json …
    #[arg(long, value_name = "DIR")]
    pub(super) from: PathBuf,
    /// The Factory's name.
    #[arg(long, value_name = "F")]
    pub(super) factory: String,
    /// The wave's name.
    #[arg(long, value_name = "W", required_unless_present = "kind", conflicts_with_all = ["resign", "offline_bundle"])]
    pub(super) wave: Option<String>,
    /// The target version to release; it becomes the metadata version.
    #[arg(long, value_name = "N", required_unless_present = "kind", conflicts_with_all = ["resign", "offline_bundle"])]
    pub(super) version: Option<u64>,
    /// The device tag.
    #[arg(long, value_name = "T", required_unless_present = "further_signature")]
    pub(super) tag: Option<String>,
    /// Take only CI targets that carry this tag.
    #[arg(long, value_name = "S", conflicts_with = "kind")]
    source_tag: Option<String>,
    /// Versions to drop from the production targets.
    #[arg(long, value_name = "N,N", value_delimiter = ',', conflicts_with = "kind")]
    prune: Vec<u64>,
    /// When the targets expire: RFC 3339, whole seconds.
    #[arg(long, value_name = "RFC3339", conflicts_with_all = ["expires_days", "kind"])]
    expires: Option<String>,
    /// In how many days the targets expire [default: 365].
    #[arg(long, value_name = "D", conflicts_with = "kind")]
    expires_days: Option<u32>,
    /// It is meant to be the first wave of a tag that has no production targets yet, while others have.
    #[arg(long, conflicts_with = "kind")]
    first_wave: bool,
    /// Ask for a further signature for the wave in wave.json, instead of composing a new wave.
    #[arg(long)]
    pub(super) further_signature: bool,
    /// A head of the station's log that came back: a signed bundle's folder, or a note that a witness cosigned. The
    /// station judges it by its signatures.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) anchor: Vec<PathBuf>,
    /// Ask for the tag's production targets to be signed again, after keys were rotated.
    #[arg(long)]
    pub(super) resign: bool,
    /// Ask for a signature for the list of an offline bundle (bundle-targets.json).
    #[arg(long, value_name = "FILE")]
    pub(super) offline_bundle: Option<PathBuf>,
    /// The station's policy, where it is not the default: the checks go by its limits.
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,
    /// Also write what the officer will be shown, as one HTML file.
    #[arg(long, value_name = "FILE")]
    pub(super) preview: Option<PathBuf>,
    /// The largest file that is read, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    pub(super) max_file_bytes: u64,
    /// The folder to write; it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
}

/// Composes, looks, and writes what nothing blocks.
pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let disk = &*context.host.disk;
    let policy = match &args.policy {
        Some(path) => Policy::read(&disk.read(path, MAX_POLICY_BYTES)?)?,
        None => Policy::default(),
    };
    let now = context.host.clock.now();
    let ask = Ask {
        factory: args.factory.clone(),
        what: asked(&args, now)?,
        now,
        max_file_bytes: args.max_file_bytes,
        anchors: anchors::collect(&*context.host.disk, &args.anchor)?,
    };
    let prepared = prepare(disk, &args.from, &ask, &policy, args.preview.is_some())?;
    context.text(&findings_text(&prepared.findings))?;
    if !prepared.is_signable() {
        let blocks = prepared.findings.iter().filter(|finding| finding.severity == Severity::Block).count();
        let blocks = counted(blocks as u64, "finding");
        let message = format!("{blocks} would block this at the station. No request was written");
        context.note(&format!("countersign: {message}\n"));
        context.json(&json!({
            "error": message, "exit": Exit::Refused as u8, "findings": prepared.findings, "signable": false,
        }))?;
        return Ok(Exit::Refused);
    }
    write_request(disk, &args.out, &prepared.composed)?;
    if let (Some(path), Some(html)) = (&args.preview, &prepared.html) {
        write_durably(disk, path, 0o644, &[html.as_bytes()])?;
    }
    tell(&args, &ask, &prepared, context)?;
    Ok(Exit::Done)
}

/// What is asked for.
fn asked(args: &Args, now: Time) -> Result<Asked, Failure> {
    for tag in args.tag.iter().chain(&args.source_tag) {
        if !is_tag(tag) {
            return Err(Failure::usage(format!(
                "\"{}\" cannot be a tag: letters, digits and . _ - + are allowed",
                shown(tag)
            )));
        }
    }
    if args.wave.as_ref().is_some_and(String::is_empty) {
        return Err(Failure::usage("--wave must not be empty"));
    }
    let tag = args.tag.clone();
    if args.further_signature {
        return Ok(Asked::FurtherSignature { wave: args.wave.clone(), version: args.version, tag });
    }
    let tag = tag.unwrap_or_default();
    if args.resign {
        return Ok(Asked::Resign { tag });
    }
    if let Some(file) = &args.offline_bundle {
        return Ok(Asked::OfflineBundle { file: file.clone(), tag });
    }
    let prune: BTreeSet<u64> = args.prune.iter().copied().collect();
    if prune.len() != args.prune.len() {
        return Err(Failure::usage("--prune names a version twice"));
    }
    let parameters = Parameters {
        version: args.version.unwrap_or_default(),
        tag,
        source_tag: args.source_tag.clone(),
        prune,
        expires: expiry(args, now)?,
    };
    Ok(Asked::Wave { wave: args.wave.clone().unwrap_or_default(), parameters, is_first: args.first_wave })
}

/// The expiry that was given, in UTC and whole seconds, or 365 days from now.
fn expiry(args: &Args, now: Time) -> Result<Time, Failure> {
    let expires = match (&args.expires, args.expires_days) {
        (Some(text), _) => Time::parse(text).ok_or_else(|| {
            Failure::usage(format!(
                "--expires {}: this is not a time. It is written like this: --expires 2027-12-01T00:00:00Z",
                shown(text)
            ))
        })?,
        (None, days) => now.plus_days(i64::from(days.unwrap_or(365))),
    };
    if expires > Time::LATEST {
        return Err(Failure::usage(format!(
            "the targets would expire after {}, and no later time can be written",
            Time::LATEST
        )));
    }
    if expires <= now {
        return Err(Failure::usage(format!("the targets would expire on {expires}, which has passed")));
    }
    Ok(expires)
}

/// The findings as lines, the gravest first.
fn findings_text(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let place = if finding.path.is_empty() { String::new() } else { format!(" ({})", finding.path) };
        format!("[{}] {}: {}{place}\n", finding.severity, finding.check, finding.message)
    };
    findings.iter().map(line).collect()
}

/// Says what was written, and what comes next.
fn tell(args: &Args, ask: &Ask, prepared: &Prepared, context: &Context<'_>) -> Result<(), Failure> {
    let (composed, manifest) = (&prepared.composed, &prepared.composed.request.manifest);
    let digest = composed.request.digest;
    let digest_words = words::of(&digest.0);
    let lines: Vec<String> =
        digest_words.split(' ').collect::<Vec<_>>().chunks(8).map(|line| line.join(" ")).collect();
    let adds: Vec<String> = composed.added.iter().map(|name| shown(name)).collect();
    let what = if adds.is_empty() {
        format!("Asks for: {}\n", manifest.kind.name())
    } else {
        format!("{}: {}\n", counted(adds.len() as u64, "new target"), adds.join(", "))
    };
    let preview =
        args.preview.as_deref().map(|path| format!("Review, to look at here: {}\n", shown_path(path)));
    let preview = preview.unwrap_or_default();
    context.text(&format!(
        "Request {} for {}, version {}\n{what}Written to {}\n{preview}Request digest {digest}\nIn words:\n  {}\n\
         Next, on the station: countersign import {}\n",
        digest.short(),
        manifest.subject(),
        manifest.version,
        shown_path(&args.out),
        lines.join("\n  "),
        shown_path(&args.out),
    ))?;
    let expires = match &ask.what {
        Asked::Wave { parameters, .. } => Some(parameters.expires.to_string()),
        _ => None,
    };
    context.json(&json!({
        "request": digest.to_string(),
        "words": digest_words,
        "folder": args.out.to_string_lossy(),
        "kind": manifest.kind.name(),
        "wave": manifest.wave,
        "tag": manifest.tag,
        "version": manifest.version,
        "expires": expires,
        "added": composed.added,
        "without_static_delta": composed.without_delta,
        "anchors": ask.anchors.len(),
        "findings": prepared.findings,
        "signable": true,
    }))
}
