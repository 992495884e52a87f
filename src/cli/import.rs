//! `import`: takes in a request folder or a bare file.

use super::secrets::PassphraseArgs;
use super::{Context, Failure, Outcome};
use crate::bundle::RequestManifest;
use crate::bundle::intake::BareFacts;
use crate::bundle::manifest::{MAX_MANIFEST_BYTES, REQUEST_FILE};
use crate::bundle::repository::RepositoryFiles;
use crate::bundle::signed::SIGNED_FILE;
use crate::ceremony::approve::open_officer;
use crate::ceremony::import::{Imported, import};
use crate::host::Disk;
use crate::host::disk::Kind;
use crate::station::Station;
use crate::text::{shown, shown_path};
use crate::vault::officer::OfficerName;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Take in a request folder or a bare file. Nothing is signed, and nothing on the medium is changed.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign import /media/usb/request")]
pub(crate) struct Args {
    /// A request folder, or a bare file: targets.json, a wave, a bundle-targets.json, a delegated role's metadata.
    path: PathBuf,
    /// The officer who takes it in, and signs that it was she; needed where the policy separates the importer from others.
    #[arg(long, value_name = "NAME")]
    officer: Option<OfficerName>,
    /// Her passphrase.
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// For a bare file that does not say it: the wave's name.
    #[arg(long, value_name = "W")]
    wave: Option<String>,
    /// For a bare file that does not say it: the device tag.
    #[arg(long, value_name = "T")]
    tag: Option<String>,
    /// What belongs to a repository's metadata.
    #[command(flatten)]
    repository: RepositoryArgs,
}

/// The files with a repository's targets metadata, on a station whose root follows the TUF specification.
#[derive(clap::Args)]
#[command(next_help_heading = "On a station for a repository that follows the TUF specification")]
pub(super) struct RepositoryArgs {
    /// The role's metadata of today: what the new one is compared with.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// The delegated role that the file is of [default: the top-level targets role].
    #[arg(long, value_name = "NAME", requires = "delegated_by")]
    role: Option<String>,
    /// The repository's targets.json of today, which delegates to the role.
    #[arg(long, value_name = "FILE")]
    delegated_by: Option<PathBuf>,
    /// Newer roots: a folder of N.root.json, or one root.
    #[arg(long, value_name = "PATH")]
    roots: Option<PathBuf>,
}

impl RepositoryArgs {
    /// What the officer says about a bare file, as it fits the station.
    pub(super) fn bare_facts(
        self,
        station: &Station,
        wave: Option<String>,
        tag: Option<String>,
    ) -> Result<BareFacts, Failure> {
        let RepositoryArgs { baseline, role, delegated_by, roots } = self;
        let of_repository =
            [&baseline, &delegated_by, &roots].iter().any(|given| given.is_some()) || role.is_some();
        let has_service = station.facts.dialect.has_service();
        if has_service && of_repository {
            return Err(Failure::usage(
                "--baseline, --role, --delegated-by and --roots are for a repository that follows the TUF specification; \
                 this station's root is a Factory's. Make a request folder with `countersign request`",
            ));
        }
        if !has_service && (wave.is_some() || tag.is_some()) {
            return Err(Failure::usage(
                "--wave and --tag are for a Factory; this station's root is a repository's. Its roles are named with --role",
            ));
        }
        let files = RepositoryFiles { role, baseline, delegated_by, roots };
        Ok(BareFacts {
            factory: station.facts.factory.clone(),
            wave,
            tag,
            repository: (!has_service).then_some(files),
        })
    }
}

/// Takes in, and says at once whether it could be signed.
pub(super) fn run(args: Args, context: &Context<'_>) -> Outcome {
    let files = args.passphrase.files()?;
    context.with_station("import", |station| {
        let bare = args.repository.bare_facts(station, args.wave, args.tag)?;
        let importer = args
            .officer
            .as_ref()
            .map(|name| open_officer(station, context.host, name, &files, "import"))
            .transpose()?;
        if let Some(listed) = requests_on(&*context.host.disk, &args.path)? {
            return Err(Failure::usage(listed));
        }
        let imported = import(station, context.host, &args.path, &bare, importer.as_ref())?;
        report(station, &imported, context)
    })
}

fn report(station: &Station, imported: &Imported, context: &Context<'_>) -> Outcome {
    let stored = &imported.stored;
    let reviewed = &imported.reviewed;
    let manifest = &stored.request.manifest;
    let digest = stored.digest();
    let blocks = reviewed.blocks();
    let mut text = format!(
        "Request {}\n{} {}, {}, version {}\nRequest digest {digest}\n",
        digest.short(),
        station.facts.dialect.noun(),
        shown(&manifest.factory),
        manifest.subject(),
        manifest.version,
    );
    if imported.new_roots > 0 {
        text.push_str(&format!(
            "It brought {} newer production {}; root version {} is in force now.\n",
            imported.new_roots,
            if imported.new_roots == 1 { "root" } else { "roots" },
            station.trust.newest().version
        ));
    }
    text.push_str(&super::anchor::describe(&imported.anchors));
    if !blocks.is_empty() {
        text.push_str(&format!("BLOCKED: it cannot be signed.\n{}\n", blocks.join("\n")));
    }
    text.push_str(&format!("Next: countersign review {}\n", digest.short()));
    context.text(&text)?;
    let blocking: Vec<&str> = reviewed
        .findings
        .iter()
        .filter(|(_, severity, _)| *severity == crate::review::Severity::Block)
        .map(|(check, _, _)| *check)
        .collect();
    context.done(&json!({
        "request": digest.to_string(),
        "id": digest.short(),
        "kind": manifest.kind.name(),
        "factory": manifest.factory,
        "wave": manifest.wave,
        "tag": manifest.tag,
        "version": manifest.version,
        "new_roots": imported.new_roots,
        "root_version": station.trust.newest().version,
        "signable": reviewed.signable,
        "blocking": blocking,
        "anchors": super::anchor::values(&imported.anchors),
    }))
}

/// The requests in the folders of a stick, where the path is none itself: a sentence with a command for each.
fn requests_on(disk: &dyn Disk, path: &Path) -> Result<Option<String>, Failure> {
    const MOST: usize = 1_000;
    if !matches!(disk.kind(path)?, Some(Kind::Folder)) || disk.kind(&path.join(REQUEST_FILE))?.is_some() {
        return Ok(None);
    }
    let mut listed = Vec::new();
    for entry in disk.list(path, MOST)?.into_iter().filter(|entry| matches!(entry.kind, Kind::Folder)) {
        let folder = path.join(&entry.name);
        // A signed bundle has its request's manifest too.
        let is_signed = disk.kind(&folder.join(SIGNED_FILE))?.is_some();
        if is_signed || disk.kind(&folder.join(REQUEST_FILE))?.is_none() {
            continue;
        }
        let bytes = disk.read_beneath(&folder, REQUEST_FILE, MAX_MANIFEST_BYTES);
        let manifest = bytes.ok().and_then(|bytes| RequestManifest::parse(REQUEST_FILE, &bytes).ok());
        let what = manifest.map_or_else(
            || "its request.json cannot be read".to_owned(),
            |manifest| {
                format!(
                    "{}, version {}, made {}",
                    manifest.subject(),
                    manifest.version,
                    shown(&manifest.created)
                )
            },
        );
        listed.push(format!("\n  countersign import {}   ({what})", shown_path(&folder)));
    }
    Ok((!listed.is_empty())
        .then(|| format!("{} is no request itself. On it are:{}", shown_path(path), listed.concat())))
}
