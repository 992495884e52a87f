//! `rehearse`: the whole ceremony on a made-up Factory, with the very commands that an officer uses.

use super::{Context, Exit, Failure, Outcome, run as command};
use crate::ceremony::reviewed::Reviewed;
use crate::host::Host;
use crate::host::disk::{ensure_folder, is_free};
use crate::host::terminal::{Aside, Terminal};
use crate::rehearsal::{Factory, FactoryError};
use crate::station::{Station, request};
use crate::text::shown_path;
use serde_json::json;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The whole ceremony on a made-up Factory in a station of its own, narrated step by step.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  countersign rehearse")]
pub struct Args {
    /// The folder for everything; it must not exist, or be empty [default: a new one for temporary files].
    dir: Option<PathBuf>,
    /// The seed of the made-up Factory: the same seed gives the same keys.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

const FACTORY: &str = "rehearsal";
const OFFICER: &str = "alice";

impl From<FactoryError> for Failure {
    fn from(e: FactoryError) -> Failure {
        Failure::new(Exit::Failed, format!("the made-up Factory refused: {e}"))
    }
}

/// Rehearses.
pub fn run(args: Args, context: &Context<'_>) -> Outcome {
    let dir = match args.dir {
        Some(dir) => dir,
        None => std::env::temp_dir().join(format!(
            "countersign-rehearsal-{}-{}",
            context.host.clock.now().unix(),
            std::process::id()
        )),
    };
    let disk = &*context.host.disk;
    if !is_free(disk, &dir)? {
        let message = format!(
            "{}: there is something there already. Give a new folder, or an empty one",
            shown_path(&dir)
        );
        return Err(Failure::new(Exit::Failed, message));
    }
    ensure_folder(disk, &dir, 0o700)?;
    let rehearsal = Rehearsal { context, host: quiet(context), dir: dir.clone() };
    let bundles = rehearsal.play(args.seed)?;
    let named: Vec<String> = bundles.iter().map(|bundle| shown_path(bundle)).collect();
    rehearsal.say(&format!(
        "Done. Everything is in {}:\n  signed bundles   {}\n  what was read    review.txt and review.html in each of them\n  station and log  {}\n\
         The Factory, its keys and the passphrase were made up; nothing here is worth anything. Remove the folder when you are done.\n",
        shown_path(&dir),
        named.join("\n                   "),
        shown_path(&dir.join("station")),
    ))?;
    context.json(&json!({ "folder": dir.to_string_lossy(), "bundles": named }))?;
    Ok(Exit::Done)
}

/// The host of the commands that are rehearsed: nobody is asked, nothing is paged, and with `--json` nothing is said.
fn quiet(context: &Context<'_>) -> Host {
    let real = context.host;
    let aside: Arc<dyn Terminal> = Arc::new(Aside::new(real.terminal.clone(), !context.global.json));
    Host {
        clock: real.clock.clone(),
        random: real.random.clone(),
        terminal: aside,
        disk: real.disk.clone(),
        machine: real.machine.clone(),
    }
}

struct Rehearsal<'c, 'h> {
    context: &'c Context<'h>,
    host: Host,
    dir: PathBuf,
}

impl Rehearsal<'_, '_> {
    fn play(&self, seed: u64) -> Result<Vec<PathBuf>, Failure> {
        let disk = &*self.host.disk;
        let mut factory = Factory::new(seed, FACTORY, self.host.clock.now());
        factory.build([12, 42]);
        let downloads = self.dir.join("1-downloads");
        factory.write_step(disk, &downloads, 12)?;
        let key_file = self.dir.join("targets.keys.tgz");
        factory.write_key_file(disk, &key_file, 0)?;
        let passphrase = self.dir.join("alice.passphrase");
        disk.create(&passphrase, 0o600, &[b"made up for one rehearsal only\n"])?;

        self.part("Set-up: a station for the Factory, once")?;
        self.explain(
            "The officer compares the fingerprint of the production root with one that came another way.",
        )?;
        let fingerprint = factory.fingerprint();
        self.command(&[
            "init",
            "--factory",
            FACTORY,
            "--roots",
            &text(&downloads.join("prod-roots")),
            "--online-key",
            &text(&downloads.join("ci-targets.pub")),
            "--fingerprint",
            &fingerprint,
            "--networked",
        ])?;
        self.explain("Alice gets an identity of her own, under her passphrase.")?;
        self.command(&["officer", "add", OFFICER, "--passphrase-file", &self.passphrase()])?;
        self.explain(
            "The Factory's offline targets key is taken out of fioctl's key file and sealed to her.",
        )?;
        self.command(&["key", "import", &text(&key_file), "--officers", OFFICER, "--quorum", "1"])?;

        let first =
            self.wave("The first wave: production has no targets yet", "first-wave", 12, &downloads, "1")?;
        let body = disk.read(&first.join("upload/wave-create.json"), 1 << 30)?;
        factory.create_wave(&body)?;
        factory.complete_wave("first-wave")?;
        self.explain("The service verified the upload, added its online signature, and completed the wave.")?;

        let downloads = self.dir.join("2-downloads");
        factory.write_step(disk, &downloads, 42)?;
        let second =
            self.wave("An update wave: version 42 for the same devices", "update-42", 42, &downloads, "2")?;
        let body = disk.read(&second.join("upload/wave-create.json"), 1 << 30)?;
        factory.create_wave(&body)?;
        self.explain(
            "The service verified the upload and added its online signature: devices would take it.",
        )?;

        self.part("The log")?;
        self.explain("Every act is in the station's tamper-evident log.")?;
        self.command(&["status"])?;
        Ok(vec![first, second])
    }

    /// One wave: request, import, review, sign, export, verify. Returns the signed bundle's folder.
    fn wave(
        &self,
        title: &str,
        wave: &str,
        version: u64,
        downloads: &Path,
        number: &str,
    ) -> Result<PathBuf, Failure> {
        self.part(title)?;
        let request = self.dir.join(format!("{number}-request"));
        let bundle = self.dir.join(format!("{number}-signed"));
        self.explain("On the connected machine: the request is composed from downloaded files.")?;
        self.command(&[
            "request",
            "--from",
            &text(downloads),
            "--factory",
            FACTORY,
            "--wave",
            wave,
            "--version",
            &version.to_string(),
            "--tag",
            "production",
            "--out",
            &text(&request),
        ])?;
        self.explain("On the station: the request comes in on a stick.")?;
        self.command(&["import", &text(&request)])?;
        self.explain("What would devices get? The officer reads this.")?;
        let (id, words) = self.newest()?;
        self.command(&["review", &id])?;
        self.explain("She types the words at the end of the review, and her passphrase.")?;
        self.command(&[
            "sign",
            &id,
            "--officer",
            OFFICER,
            "--confirm",
            &words,
            "--passphrase-file",
            &self.passphrase(),
        ])?;
        self.explain("The signed bundle goes onto the stick.")?;
        self.command(&["export", &id, &text(&bundle)])?;
        self.explain("Back on the connected machine, before the upload.")?;
        self.command(&["verify", &text(&bundle), "--roots", &text(&downloads.join("prod-roots"))])?;
        Ok(bundle)
    }

    /// The newest request and its confirmation words, as an officer reads them off the review.
    fn newest(&self) -> Result<(String, String), Failure> {
        let station = Station::open(&self.host, &self.dir.join("station"), None)?;
        let digest = request::newest(&station)?;
        let stored = request::open(&station, digest)?;
        let reviewed = Reviewed::of(&station, self.host.clock.now(), &stored)?;
        Ok((digest.short(), reviewed.words()))
    }

    fn passphrase(&self) -> String {
        format!("{OFFICER}={}", text(&self.dir.join("alice.passphrase")))
    }

    /// Runs a command as an officer would, and shows it.
    fn command(&self, arguments: &[&str]) -> Result<(), Failure> {
        let station = text(&self.dir.join("station"));
        let shown: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        self.say(&format!("\n$ countersign {}\n", shown.join(" ")))?;
        let all = ["countersign", "--station", &station].into_iter().chain(arguments.iter().copied());
        match command(all.map(OsString::from), &self.host) {
            Exit::Done => Ok(()),
            exit => {
                Err(Failure::new(exit, format!("the rehearsal stopped at `countersign {}`", shown.join(" "))))
            }
        }
    }

    fn part(&self, title: &str) -> Result<(), Failure> {
        self.say(&format!("\n{title}\n{}\n", "=".repeat(title.len())))
    }

    fn explain(&self, sentence: &str) -> Result<(), Failure> {
        self.say(&format!("\n# {sentence}\n"))
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        self.context.text(text)
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}
