//! The guided run: a whole ceremony in one sitting, one screen a step, with who has to do what.
//!
//! It calls the same acts as the single commands and keeps nothing of its own. What was done is in the station and its
//! log after every step, so stopping anywhere loses nothing: running it again on the same request goes on from there.

mod paper;
mod say;
mod screen;

pub use screen::Step;

use crate::bundle::RequestManifest;
use crate::bundle::intake::BareFacts;
use crate::ceremony::approve::{Subject, decide, decisions, open_officer, require_may_approve};
use crate::ceremony::export::export;
use crate::ceremony::import::import;
use crate::ceremony::review::{Faces, show};
use crate::ceremony::reviewed::{Reviewed, confirm, recheck};
use crate::ceremony::sign::{refuse, sign};
use crate::ceremony::signers::{Ask, check_signers};
use crate::ceremony::{CeremonyError, preflight};
use crate::host::Host;
use crate::host::disk::parent;
use crate::ledger::{Decision, Record};
use crate::station::request::{Made, StoredRequest};
use crate::station::{Station, StationError};
use crate::text::{shown, shown_path};
use crate::vault::keys;
use crate::vault::officer::OfficerName;
use crate::vault::passphrase::PassphraseFiles;
use screen::{Answer, ask_or, ask_plainly, heading};
use std::path::{Path, PathBuf};

/// What a guided run is about.
pub struct Guide<'a> {
    /// The request: a folder or a bare file.
    pub path: &'a Path,
    /// Facts about a bare file that it does not hold itself.
    pub bare: &'a BareFacts,
    /// Where the signed bundle goes; without it, beside the request under the names of wave and version.
    pub bundle: Option<PathBuf>,
    /// Where passphrases are read from instead of the terminal.
    pub passphrases: &'a PassphraseFiles,
    /// Is text coloured?
    pub color: bool,
}

/// How a guided run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The bundle is written.
    Exported,
    /// An officer rejected the request.
    Rejected,
    /// Somebody stopped at this step; nothing is lost.
    Stopped(Step),
}

/// Leads through the whole ceremony.
///
/// # Errors
/// A step failed, and somebody stopped there instead of trying again; or nobody is there to ask.
pub fn run(station: &mut Station, host: &Host, guide: &Guide<'_>) -> Result<Ended, CeremonyError> {
    let mut run = Run { station, host, guide, stored: None, made: None };
    let mut step = Step::Machine;
    loop {
        heading(host, step)?;
        let turn = match run.take(step) {
            Ok(turn) => turn,
            Err(e @ CeremonyError::Terminal(_)) => return Err(e),
            Err(e) => match run.after_failure(&e)? {
                Turn::Stop => return Err(e),
                other => other,
            },
        };
        match turn {
            Turn::On => match step.next() {
                Some(next) => step = next,
                None => return Ok(Ended::Exported),
            },
            Turn::Again => {}
            Turn::Back => step = step.back(),
            Turn::Stop => {
                run.say_where_it_stands(step)?;
                return Ok(Ended::Stopped(step));
            }
            Turn::Rejected => return Ok(Ended::Rejected),
        }
    }
}

/// What follows a screen.
enum Turn {
    On,
    Again,
    Back,
    Stop,
    Rejected,
}

impl From<Answer> for Turn {
    fn from(answer: Answer) -> Turn {
        match answer {
            Answer::On => Turn::On,
            Answer::Back => Turn::Back,
            Answer::Stop => Turn::Stop,
            Answer::Typed(_) => Turn::Again,
        }
    }
}

struct Run<'a> {
    station: &'a mut Station,
    host: &'a Host,
    guide: &'a Guide<'a>,
    stored: Option<StoredRequest>,
    made: Option<Made>,
}

impl Run<'_> {
    fn take(&mut self, step: Step) -> Result<Turn, CeremonyError> {
        match step {
            Step::Machine => self.machine(),
            Step::Import => self.import(),
            Step::Review => self.review(),
            Step::Approve => self.approve(),
            Step::Sign => self.sign(),
            Step::Export => self.export(),
        }
    }

    fn say(&self, text: &str) -> Result<(), CeremonyError> {
        Ok(self.host.terminal.out(text)?)
    }

    fn after_failure(&self, e: &CeremonyError) -> Result<Turn, CeremonyError> {
        self.host.terminal.err(&format!("\n{e}\n"));
        Ok(match ask_plainly(self.host, "try again")? {
            Answer::On | Answer::Typed(_) => Turn::Again,
            Answer::Back => Turn::Back,
            Answer::Stop => Turn::Stop,
        })
    }

    fn say_where_it_stands(&self, step: Step) -> Result<(), CeremonyError> {
        let done = match (&self.made, &self.stored) {
            (Some(made), Some(stored)) => match self.exported(stored, made)? {
                Some((seq, folder)) => {
                    format!(
                        "The request is signed, and its bundle was written to {folder} (log entry {seq})."
                    )
                }
                None => "The request is signed, and not exported yet.".to_owned(),
            },
            (Some(_), None) => "The request is signed.".to_owned(),
            (None, Some(_)) if step > Step::Review => {
                "The request is taken in and was shown. Nothing is signed.".to_owned()
            }
            (None, Some(_)) => "The request is taken in. Nothing is signed.".to_owned(),
            (None, None) => "Nothing was done.".to_owned(),
        };
        self.say(&format!("\n{done} To go on: countersign run {}\n", shown_path(self.guide.path)))
    }

    /// The newest bundle of a request that holds this signature: the log entry, and the folder.
    fn exported(&self, stored: &StoredRequest, made: &Made) -> Result<Option<(u64, String)>, CeremonyError> {
        let request = stored.digest().to_string();
        let mut newest = None;
        for entry in self.station.log.entries() {
            let entry = entry.map_err(StationError::from)?;
            let entry = entry.entry();
            if let Record::BundleExported(exported) = entry.record()
                && entry.seq() > made.seq
                && *exported.request == *request
            {
                newest = Some((entry.seq(), shown(&exported.folder)));
            }
        }
        Ok(newest)
    }

    /// The request that was taken in. The steps after the import are reached only through it.
    fn stored(&self) -> Result<&StoredRequest, CeremonyError> {
        self.stored.as_ref().ok_or_else(|| CeremonyError::Nothing("no request was taken in yet".to_owned()))
    }

    /// As [`Run::stored`], for an act that also changes the station; it is put back after it.
    fn taken(&mut self) -> Result<StoredRequest, CeremonyError> {
        self.stored.take().ok_or_else(|| CeremonyError::Nothing("no request was taken in yet".to_owned()))
    }

    fn machine(&mut self) -> Result<Turn, CeremonyError> {
        let report = {
            let _busy = self.host.terminal.busy("looking at the machine");
            preflight::of_station(self.station, self.host, Some(self.guide.path))
        };
        self.say(&format!("{}\n", report.text(self.host.terminal.width(), self.guide.color)))?;
        if report.fit() {
            return Ok(ask_plainly(self.host, "go on")?.into());
        }
        let or = "To go on and read the request, though nothing can be signed: read";
        Ok(match ask_or(self.host, "look again", or)? {
            Answer::On => Turn::Again,
            Answer::Typed(word) if word == "read" => Turn::On,
            other => other.into(),
        })
    }

    fn import(&mut self) -> Result<Turn, CeremonyError> {
        let place = shown_path(self.guide.path);
        if let Some(stored) = &self.stored {
            self.say(&format!("{}The request is taken in already.\n", say::about(stored)))?;
            return Ok(ask_plainly(self.host, "go on")?.into());
        }
        self.say(&format!("From: {place}\nNothing is written to the stick.\n"))?;
        let importer = match ask_or(self.host, "take it in", "If an officer takes it in, her name.")? {
            Answer::On => None,
            Answer::Typed(name) => {
                let name: OfficerName = name.parse()?;
                Some(open_officer(self.station, self.host, &name, self.guide.passphrases, "import")?)
            }
            other => return Ok(other.into()),
        };
        let imported = {
            let _busy = self.host.terminal.busy("reading and verifying the request");
            import(self.station, self.host, self.guide.path, self.guide.bare, importer.as_ref())?
        };
        self.say(&say::about(&imported.stored))?;
        if imported.new_roots > 0 {
            self.say(&format!(
                "New production roots, each signed by the one before: {}.\n",
                imported.new_roots
            ))?;
        }
        // An earlier sitting may have stopped between the signature and the export.
        let earlier = imported.stored.signatures(self.station.disk())?;
        self.made = earlier.into_iter().max_by_key(|made| made.seq);
        self.stored = Some(imported.stored);
        Ok(ask_plainly(self.host, "read the review")?.into())
    }

    fn review(&mut self) -> Result<Turn, CeremonyError> {
        let width = self.host.terminal.width();
        let faces =
            Faces { width, color: self.guide.color, json: false, text: true, html: false, plain: false };
        let stored = self.taken()?;
        let shown = show(self.station, self.host, &stored, &faces);
        self.stored = Some(stored);
        let shown = shown?;
        self.host.terminal.page(shown.text.as_deref().unwrap_or_default())?;
        if !shown.signable {
            self.say("\nThis request is blocked. It cannot be signed, and nobody can force it.\n")?;
            let or = "To reject it in the log: your name.";
            return match ask_or(self.host, "read it again", or)? {
                Answer::On => Ok(Turn::Again),
                Answer::Typed(name) => self.reject(&name),
                other => Ok(other.into()),
            };
        }
        self.say("\nGo on when everybody who approves or signs has read this, and has noted the words at its end.\n")?;
        Ok(ask_plainly(self.host, "go on")?.into())
    }

    fn reviewed(&self) -> Result<Reviewed, CeremonyError> {
        let _busy = self.host.terminal.busy("computing the review anew");
        recheck(self.station, self.host.clock.now(), self.stored()?)
    }

    fn approve(&mut self) -> Result<Turn, CeremonyError> {
        if self.made.is_some() {
            self.say("It is signed already; the approvals stand in the log.\n")?;
            return Ok(ask_plainly(self.host, "go on")?.into());
        }
        let reviewed = self.reviewed()?;
        let subject = subject(self.stored()?, &reviewed);
        let decided = decisions(self.station, &subject, self.host.clock.now())?;
        self.say(&say::standing(self.station.policy.approvals, &decided))?;
        let or = "If an officer approves without signing, or rejects: her name, or \"reject NAME\".";
        match ask_or(self.host, "go on to signing", or)? {
            Answer::Typed(typed) => match typed.strip_prefix("reject ") {
                Some(name) => self.reject(name),
                None => {
                    let name: OfficerName = typed.parse()?;
                    self.confirm(&name, &reviewed)?;
                    require_may_approve(self.station, self.stored()?.digest(), &name)?;
                    let officer =
                        open_officer(self.station, self.host, &name, self.guide.passphrases, "approve")?;
                    decide(self.station, self.host, &officer, &subject, Decision::Granted, "")?;
                    self.station.commit()?;
                    self.say(&format!("{name} approved.\n"))?;
                    Ok(Turn::Again)
                }
            },
            other => Ok(other.into()),
        }
    }

    fn reject(&mut self, name: &str) -> Result<Turn, CeremonyError> {
        let name: OfficerName = name.trim().parse()?;
        let reviewed = Reviewed::of(self.station, self.host.clock.now(), self.stored()?)?;
        let subject = subject(self.stored()?, &reviewed);
        let reason = self.host.terminal.ask(&format!("{name}, the reason, for the log: "))?;
        if reason.trim().is_empty() {
            self.host.terminal.err("A rejection needs a reason. Nothing was rejected.\n");
            return Ok(Turn::Again);
        }
        let officer = open_officer(self.station, self.host, &name, self.guide.passphrases, "reject")?;
        decide(self.station, self.host, &officer, &subject, Decision::Denied, reason.trim())?;
        self.station.commit()?;
        self.say(&format!(
            "\n{name} rejected request {}. It cannot be signed here.\n",
            self.stored()?.digest().short()
        ))?;
        Ok(Turn::Rejected)
    }

    /// Asks an officer for the words of what she read. Other words are logged.
    fn confirm(&mut self, name: &OfficerName, reviewed: &Reviewed) -> Result<(), CeremonyError> {
        let given = self.host.terminal.ask(&format!("{name}, the words at the end of the review: "))?;
        let Err(wrong) = confirm(reviewed, &given) else { return Ok(()) };
        Err(self.refused(wrong)?)
    }

    /// Logs a refusal, and hands its reason back.
    fn refused(&mut self, why: CeremonyError) -> Result<CeremonyError, CeremonyError> {
        let stored = self.taken()?;
        let refused = refuse(self.station, self.host, &stored, why);
        self.stored = Some(stored);
        refused
    }

    fn sign(&mut self) -> Result<Turn, CeremonyError> {
        let keys = keys::list_keys(self.station.disk(), &self.station.layout.keys())?;
        self.say(&say::holders(&keys))?;
        let asked = match &self.made {
            None => ask_or(self.host, "ask again", "Who opens the key? Names, with a space between.")?,
            Some(made) => {
                self.say(&format!(
                    "It is signed with key {}. A signature cannot be taken back.\n",
                    made.keyid
                ))?;
                let or = "To sign with another key too: who opens it? Names, with a space between.";
                match ask_or(self.host, "go on", or)? {
                    Answer::On => return Ok(Turn::On),
                    other => other,
                }
            }
        };
        let names = match asked {
            Answer::Typed(names) => names,
            Answer::On => return Ok(Turn::Again),
            other => return Ok(other.into()),
        };
        let reviewed = self.reviewed()?;
        let officers = names
            .split([' ', ','])
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect::<Result<Vec<OfficerName>, _>>()?;
        let Some(first) = officers.first() else { return Ok(Turn::Again) };
        let asked = Ask { officers: &officers, key: None, passphrases: self.guide.passphrases };
        if let Err(e) = check_signers(self.station, self.stored()?, &asked) {
            return Err(self.refused(e)?);
        }
        self.confirm(first, &reviewed)?;
        let stored = self.taken()?;
        let made = sign(self.station, self.host, &stored, &reviewed, &asked);
        self.stored = Some(stored);
        let made = made?;
        self.say(&format!(
            "\nSigned with key {} by {}. The signature verifies.\n",
            made.keyid,
            made.officers.join(", ")
        ))?;
        self.made = Some(made);
        Ok(ask_plainly(self.host, "write the bundle")?.into())
    }

    fn export(&mut self) -> Result<Turn, CeremonyError> {
        let default = match &self.guide.bundle {
            Some(folder) => folder.clone(),
            None => parent(self.guide.path).join(bundle_name(&self.stored()?.request.manifest)),
        };
        let or = "Another new folder for the bundle: type it.";
        let folder = match ask_or(self.host, &format!("write to {}", shown_path(&default)), or)? {
            Answer::On => default,
            Answer::Typed(folder) => PathBuf::from(folder),
            other => return Ok(other.into()),
        };
        let stored = self.taken()?;
        let busy = self.host.terminal.busy("writing the bundle and reading it back");
        let exported = export(self.station, self.host, stored.digest(), &folder);
        drop(busy);
        let told = exported.map(|_| {
            let made = self.made.as_ref().map(|made| paper::list(self.station, &stored, made));
            format!(
                "\nWritten to {0}, read back and verified.\n\n{1}\nOn the connected machine: countersign verify {0}\n",
                shown_path(&folder),
                made.unwrap_or_default()
            )
        });
        self.stored = Some(stored);
        self.say(&told?)?;
        Ok(Turn::On)
    }
}

fn subject(stored: &StoredRequest, reviewed: &Reviewed) -> Subject {
    Subject { request: stored.digest().to_string(), review: reviewed.review.to_string() }
}

/// What a request is about, as a folder's name: `v2.0-update-42-signed`.
fn bundle_name(manifest: &RequestManifest) -> String {
    let subject = if manifest.wave.is_empty() { &manifest.tag } else { &manifest.wave };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let subject: String = subject.chars().take(80).map(plain).collect();
    format!("{}-{}-signed", subject.trim_start_matches('.'), manifest.version)
}
