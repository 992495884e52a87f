//! `import`: takes in a request folder or a bare file.

use super::{Context, Exit, Outcome};
use crate::bundle::intake::BareFacts;
use crate::ceremony::import::import;
use crate::ceremony::sign::Reviewed;
use crate::station::officer::OfficerName;
use crate::text::shown;
use serde_json::json;
use std::path::PathBuf;

/// Take in a request folder or a bare file. Nothing is signed, and nothing on the medium is changed.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign import /media/usb/request")]
pub struct Args {
    /// A request folder, or a bare file: targets.json, a wave, a bundle-targets.json.
    path: PathBuf,
    /// The officer who takes it in, where the policy separates the importer from others.
    #[arg(long, value_name = "NAME")]
    officer: Option<OfficerName>,
    /// For a bare file that does not say it: the wave's name.
    #[arg(long, value_name = "W")]
    wave: Option<String>,
    /// For a bare file that does not say it: the device tag.
    #[arg(long, value_name = "T")]
    tag: Option<String>,
}

/// Takes in, and says at once whether it could be signed.
pub fn run(args: Args, context: &Context<'_>) -> Outcome {
    context.with_station("import", |station| {
        let bare = BareFacts { factory: station.facts.factory.clone(), wave: args.wave, tag: args.tag };
        let importer = args.officer.as_ref().map_or("", OfficerName::as_str);
        if let Some(officer) = &args.officer {
            crate::station::officer::load(station.disk(), &station.layout.officers(), officer)?;
        }
        let imported = import(station, context.host, &args.path, &bare, importer)?;
        let stored = &imported.stored;
        let reviewed = Reviewed::of(station, context.host.clock.now(), stored)?;
        let manifest = &stored.request.manifest;
        let digest = stored.digest();
        let blocks = reviewed.blocks();
        let mut text = format!(
            "Request {}\nFactory {}, wave {}, tag {}, version {}\nRequest digest {digest}\n",
            digest.short(),
            shown(&manifest.factory),
            shown(&manifest.wave),
            shown(&manifest.tag),
            manifest.version,
        );
        if imported.new_roots > 0 {
            text.push_str(&format!(
                "It brought {} newer production roots; root version {} is in force now.\n",
                imported.new_roots,
                station.trust.newest().version
            ));
        }
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
        context.json(&json!({
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
        }))?;
        Ok(Exit::Done)
    })
}
