//! What is rehearsed: from an empty laptop to the auditor's verdict, act by act.

use super::super::{Exit, Failure};
use super::stage::{Act, End, Form, Stage};
use crate::bundle::manifest::{FileFacts, REQUEST_FILE, RequestManifest};
use crate::ceremony::reviewed::Reviewed;
use crate::host::disk::{Disk, ensure_folder, write_durably};
use crate::rehearsal::{Factory, FactoryError};
use crate::station::{Station, request};
use crate::words;
use std::path::{Path, PathBuf};

const FACTORY: &str = "rehearsal";
const OFFICERS: [&str; 3] = ["ann", "bob", "cho"];
/// The most bytes of a file of the made-up Factory.
const LARGEST: u64 = 1 << 30;

/// What a rehearsal leaves.
pub(super) struct Left {
    pub(super) bundle: PathBuf,
    pub(super) report: PathBuf,
}

impl Left {
    /// What the officers read, as a page.
    pub(super) fn review(&self) -> PathBuf {
        self.bundle.join("review.html")
    }
}

impl From<FactoryError> for Failure {
    fn from(e: FactoryError) -> Failure {
        Failure::new(Exit::Failed, format!("the made-up Factory refused: {e}"))
    }
}

/// Plays all of it.
pub(super) fn play(stage: &mut Stage<'_, '_>, seed: u64) -> Result<Left, End> {
    let mut play = Play::prepare(stage, seed)?;
    play.stage.opening()?;
    play.set_up()?;
    let bundle = play.wave()?;
    play.blocked()?;
    play.custody()?;
    let report = play.audit()?;
    Ok(Left { bundle, report })
}

struct Play<'s, 'c, 'h> {
    stage: &'s mut Stage<'c, 'h>,
    factory: Factory,
}

impl<'s, 'c, 'h> Play<'s, 'c, 'h> {
    /// Makes up the Factory, what the officers bring, and their passphrases.
    fn prepare(stage: &'s mut Stage<'c, 'h>, seed: u64) -> Result<Play<'s, 'c, 'h>, End> {
        let disk = stage.host.disk.clone();
        let mut factory = Factory::new(seed, FACTORY, stage.host.clock.now());
        factory.build([12, 42]);
        factory.populate([12])?;
        factory.write_step(&*disk, &stage.at("download"), 42)?;
        ensure_folder(&*disk, &stage.at("stick"), 0o755)?;
        factory.write_key_file(&*disk, &stage.at("stick/targets.keys.tgz"), 0)?;
        for officer in OFFICERS.iter().filter(|_| stage.form != Form::HandsOn) {
            let phrase = format!("{officer} made this up for one rehearsal only\n");
            disk.create(&stage.passphrase(officer), 0o600, &[phrase.as_bytes()])?;
        }
        Ok(Play { stage, factory })
    }

    fn place(&self, path: &str) -> String {
        self.stage.at(path).to_string_lossy().into_owned()
    }

    fn set_up(&mut self) -> Result<(), End> {
        self.stage.part("1. Set-up day: a station for the Factory")?;
        let fingerprint = self.factory.fingerprint();
        let words = words::of(&hex::decode(&fingerprint).unwrap_or_default());
        let paper: Vec<&str> = words.split(' ').take(8).collect();
        let why = format!(
            "Pin the Factory's production root, download/prod-roots, and its online key,\n\
             download/ci-targets.pub. The Factory's name is \"{FACTORY}\"; the station is\n\
             --networked, for practice. The paper that came another way says:\n  {}",
            paper.join(" ")
        );
        let (roots, online) = (self.place("download/prod-roots"), self.place("download/ci-targets.pub"));
        let arguments = ["--factory", FACTORY, "--roots", &roots, "--online-key", &online, "--networked"];
        self.stage.act(
            &Act::new(&why, "init", &arguments)
                .insisting_on(&[FACTORY, "--networked"])
                .typing("--fingerprint", fingerprint),
        )?;
        for name in OFFICERS {
            let why =
                format!("Officer {name} sits down alone: an identity of her own, under her\npassphrase.");
            self.stage.act(&Act::new(&why, "officer add", &[name]).insisting_on(&[name]).by(&[name]))?;
        }
        let file = self.place("stick/targets.keys.tgz");
        self.stage.act(
            &Act::new(
                "Seal the Factory's offline targets key, stick/targets.keys.tgz, to the three:\nany two open it.",
                "key import",
                &[&file, "--officers", &OFFICERS.join(","), "--quorum", "2"],
            )
            .insisting_on(&OFFICERS),
        )
    }

    /// A wave, from the downloads to the service. Returns the signed bundle's folder.
    fn wave(&mut self) -> Result<PathBuf, End> {
        self.stage.part("2. A wave: version 42 for the devices of the tag production")?;
        let (download, request) = (self.place("download"), self.place("stick/spring-request"));
        let bundle = self.stage.at("stick/spring-42-signed");
        let why = "On the connected machine: compose the request for the wave \"spring\",\n\
                   version 42, from the folder download, into stick/spring-request.";
        self.stage
            .act(&compose(why, &download, "spring", "42", &request).insisting_on(&["spring-request"]))?;
        if self.stage.form == Form::Through {
            self.signed_step_by_step(&request, &bundle)?;
        } else {
            let why = "On the station: take stick/spring-request in, read it, sign it, write the\n\
                       bundle, one screen a step. ann and bob open the key; ann types the words\n\
                       at the end of the review.";
            let act = Act::new(why, "run", &[&request]).insisting_on(&["spring-request"]);
            self.stage.act(&act.by(&["ann", "bob"]))?;
        }
        let roots = self.place("download/prod-roots");
        let why = "Back on the connected machine, before the upload: is stick/spring-42-signed\nwhole?";
        self.stage.act(
            &Act::new(why, "verify", &[&bundle.to_string_lossy(), "--roots", &roots])
                .insisting_on(&["spring-42-signed"]),
        )?;
        let body = self.stage.host.disk.read(&bundle.join("upload/wave-create.json"), LARGEST)?;
        self.factory.create_wave(&body)?;
        self.factory.complete_wave("spring")?;
        self.stage.say(
            "\n# The service verified the upload and added its online signature: devices take\n# version 42.\n",
        )?;
        Ok(bundle)
    }

    /// What `run` leads through, one command after another.
    fn signed_step_by_step(&mut self, request: &str, bundle: &Path) -> Result<(), End> {
        self.stage.act(&Act::new(
            "On the station: the request comes in on a stick.",
            "import",
            &[request],
        ))?;
        let (id, words) = self.newest()?;
        self.stage.act(&Act::new("What would devices get? The officers read this.", "review", &[&id]))?;
        let why = "ann types the words at the end of the review; then both type their\npassphrases.";
        self.stage.act(
            &Act::new(why, "sign", &[&id, "--officer", "ann", "--officer", "bob"])
                .by(&["ann", "bob"])
                .typing("--confirm", words),
        )?;
        let bundle = bundle.to_string_lossy();
        self.stage.act(&Act::new("The signed bundle goes onto the stick.", "export", &[&id, &bundle]))
    }

    /// A request that somebody changed on its way.
    fn blocked(&mut self) -> Result<(), End> {
        self.stage.part("3. A request that blocks")?;
        let disk = self.stage.host.disk.clone();
        self.factory.build([43]);
        let download = self.place("download-43");
        self.factory.write_step(&*disk, Path::new(&download), 43)?;
        let request = self.place("stick/summer-request");
        self.stage.unseen(&compose("", &download, "summer", "43", &request))?;
        forge(&*disk, Path::new(&request))?;
        let why = "The next request, stick/summer-request, was changed on its way: one build is\nnot CI's. Take it in.";
        self.stage.act(&Act::new(why, "import", &[&request]).insisting_on(&["summer-request"]))?;
        let (id, _) = self.newest()?;
        let why = "The review says what is wrong with it, and ends with exit code 3. There is no\nway around a block.";
        self.stage.act(&Act::new(why, "review", &[&id]).ending_with(Exit::Refused))?;
        let reason = "a build that CI did not publish";
        self.stage.act(
            &Act::new(
                "cho says no to it, with a reason, for the log.",
                "reject",
                &[&id, "--officer", "cho", "--reason", reason],
            )
            .insisting_on(&["cho"])
            .by(&["cho"]),
        )
    }

    fn custody(&mut self) -> Result<(), End> {
        self.stage.part("4. Custody: a drill, and paper")?;
        let keyid = self.factory.offline_keyids().first().map(|id| (*id).to_owned()).unwrap_or_default();
        let short = crate::text::short(&keyid);
        let why = format!("A drill: bob and cho prove that they open the key {short}.\nNothing is signed.");
        let arguments = [short, "--officer", "bob", "--officer", "cho"];
        self.stage.act(
            &Act::new(&why, "key drill", &arguments).insisting_on(&["bob", "cho"]).by(&["bob", "cho"]),
        )?;
        let paper = self.place("stick/paper");
        let why = "Paper, into stick/paper: the sealed key's sheet, and one for each officer.\nEach goes into a bag of its own.";
        self.stage.act(&Act::new(why, "key backup", &[short, "--out", &paper]))
    }

    /// The auditor, on her own machine. Returns the report.
    fn audit(&mut self) -> Result<PathBuf, End> {
        self.stage.part("5. The auditor")?;
        let (pack, report) = (self.place("stick/evidence"), self.place("report.html"));
        let station = Station::open(&self.stage.host, &self.stage.station(), None)?;
        let key = station.log.key().to_string();
        drop(station);
        let why = "The log goes to her on a stick, into stick/evidence, after every ceremony.";
        self.stage.act(&Act::new(why, "log export", &[&pack]).insisting_on(&["evidence"]))?;
        let why = "She has the log's key on paper, from set-up day. Is this all of it?";
        self.stage.act(&Act::new(why, "audit verify", &[&pack, "--key", &key]))?;
        let arguments = [pack.as_str(), "--key", &key, "--format", "html", "--out", &report];
        let act = Act::new("And as a page, report.html.", "audit report", &arguments);
        self.stage.act(&act.insisting_on(&["report.html"]))?;
        Ok(self.stage.at("report.html"))
    }

    /// The newest request and its confirmation words, as an officer reads them off the review.
    fn newest(&self) -> Result<(String, String), End> {
        let host = &self.stage.host;
        let station = Station::open(host, &self.stage.station(), None)?;
        let digest = request::newest(&station)?;
        let stored = request::open(&station, digest)?;
        let reviewed = Reviewed::of(&station, host.clock.now(), &stored)?;
        Ok((digest.short(), reviewed.words()))
    }
}

fn compose<'a>(why: &'a str, download: &str, wave: &str, version: &str, out: &str) -> Act<'a> {
    let what = ["--factory", FACTORY, "--wave", wave, "--version", version, "--tag", "production"];
    let arguments = [&["--from", download][..], &what, &["--out", out]].concat();
    Act::new(why, "request", &arguments)
}

/// Puts another build into a request, and brings its manifest in line, as a machine would that was taken over.
fn forge(disk: &dyn Disk, request: &Path) -> Result<(), End> {
    const BEFORE: &str = "\"sha256\":\"";
    let (file, manifest) = (request.join("targets.json"), request.join(REQUEST_FILE));
    let mut bytes = disk.read(&file, LARGEST)?;
    if let Some(at) = String::from_utf8_lossy(&bytes).rfind(BEFORE).map(|at| at + BEFORE.len()) {
        bytes[at..at + 64].fill(b'0');
    }
    let mut facts = RequestManifest::parse(REQUEST_FILE, &disk.read(&manifest, LARGEST)?)?;
    facts.files.insert("targets.json".to_owned(), FileFacts::of(&bytes));
    write_durably(disk, &file, 0o644, &[&bytes])?;
    write_durably(disk, &manifest, 0o644, &[&facts.to_bytes()])?;
    Ok(())
}
