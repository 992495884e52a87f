//! The guided run: a whole ceremony in one sitting, one screen a step, with who has to do what.
//!
//! It calls the same acts as the single commands and keeps nothing of its own. What was done is in the station and its
//! log after every step, so stopping anywhere loses nothing: running it again on the same request goes on from there.

mod say;
mod screen;

pub(crate) use screen::Step;

use crate::bundle::RequestManifest;
use crate::bundle::intake::{BareFacts, take_in};
use crate::ceremony::approve::{Subject, decide, decisions, open_officer, require_may_approve};
use crate::ceremony::export::export;
use crate::ceremony::form::Form;
use crate::ceremony::import::import;
use crate::ceremony::review::{Faces, heading as heading_of, show};
use crate::ceremony::reviewed::{Reviewed, confirm, recheck};
use crate::ceremony::sign::{refuse, sign};
use crate::ceremony::signers::{Ask, Tally, check_signers};
use crate::ceremony::slip::{To, export_slip};
use crate::ceremony::{CeremonyError, preflight};
use crate::host::Host;
use crate::host::disk::parent;
use crate::ledger::{Decision, Record};
use crate::station::request::{self, StoredRequest};
use crate::station::{Made, Station, StationError};
use crate::text::{shown, shown_path};
use crate::vault::keys;
use crate::vault::officer::OfficerName;
use crate::vault::passphrase::PassphraseFiles;
use say::People;
use screen::{Answer, ask_or, ask_plainly, heading};
use std::path::{Path, PathBuf};

/// What a guided run is about.
pub(crate) struct Guide<'a> {
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
pub(crate) enum Ended {
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
pub(crate) fn run(station: &mut Station, host: &Host, guide: &Guide<'_>) -> Result<Ended, CeremonyError> {
    let mut run = Run { station, host, guide, stored: None, made: None };
    let mut step = Step::Machine;
    loop {
        heading(host, step, People::of(run.station)?.who(step))?;
        host.terminal.stands(&run.stands(step)?);
        let turn = match run.take(step) {
            Ok(turn) => turn,
            Err(e @ CeremonyError::Terminal(_)) => return Err(e),
            Err(e) => match run.after_failure(&e)? {
                Turn::Stop => {
                    run.say(&format!("\n{}\n", run.stands(step)?))?;
                    return Err(e);
                }
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
            Turn::To(other) => step = other,
            Turn::Stop => {
                run.say(&format!("\n{}\n", run.stands(step)?))?;
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
    To(Step),
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
        Ok(self.host.terminal.say(text)?)
    }

    fn after_failure(&self, e: &CeremonyError) -> Result<Turn, CeremonyError> {
        self.host.terminal.err(&format!("\n{e}\n"));
        Ok(match ask_plainly(self.host, "try again")? {
            Answer::On | Answer::Typed(_) => Turn::Again,
            Answer::Back => Turn::Back,
            Answer::Stop => Turn::Stop,
        })
    }

    /// What stands, and how to go on: for who stops here, or ends the program.
    fn stands(&self, step: Step) -> Result<String, CeremonyError> {
        let done = match (&self.made, &self.stored) {
            (Some(made), Some(stored)) => match self.exported(stored, made)? {
                Some(how) => format!("The request is signed, and {how}."),
                None => "The request is signed, and not exported yet.".to_owned(),
            },
            (Some(_), None) => "The request is signed.".to_owned(),
            (None, Some(_)) if step > Step::Review => {
                "The request is taken in and was shown. Nothing was signed.".to_owned()
            }
            (None, Some(_)) => "The request is taken in. Nothing was signed.".to_owned(),
            (None, None) => "Nothing was signed.".to_owned(),
        };
        let short = self.stored.as_ref().map(|stored| stored.digest().short()).unwrap_or_default();
        let alone = match step {
            Step::Machine | Step::Import => String::new(),
            Step::Review => format!(" (this step alone: countersign review {short})"),
            Step::Approve => format!(" (this step alone: countersign approve {short} --officer NAME)"),
            Step::Sign => format!(" (this step alone: countersign sign {short} --officer NAME)"),
            Step::Export => format!(" (this step alone: countersign export {short} DIR)"),
        };
        Ok(format!("{done} To go on: countersign run {}{alone}", shown_path(self.guide.path)))
    }

    /// How this signature went out last, in words: as a bundle, or as a slip.
    fn exported(&self, stored: &StoredRequest, made: &Made) -> Result<Option<String>, CeremonyError> {
        let request = stored.digest().to_string();
        let mut newest = None;
        for entry in self.station.log.entries() {
            let entry = entry.map_err(StationError::from)?;
            let entry = entry.entry();
            let (of, what) = match entry.record() {
                Record::BundleExported(exported) => {
                    (&exported.request, format!("its bundle was written to {}", shown(&exported.folder)))
                }
                Record::SlipExported(exported) => (&exported.request, "its slip was shown".to_owned()),
                _ => continue,
            };
            if entry.seq() > made.seq && **of == *request {
                newest = Some(format!("{what} (log entry {})", entry.seq()));
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
        if let Some(known) = self.known()? {
            return self.go_on_with(known);
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
        self.stored = Some(imported.stored);
        Ok(ask_plainly(self.host, "read the review")?.into())
    }

    /// The request at the path, when an earlier sitting took it in and the policy asks for nothing more of that.
    fn known(&self) -> Result<Option<StoredRequest>, CeremonyError> {
        let (station, host) = (&*self.station, self.host);
        if host.disk.kind(self.guide.path)?.is_none() {
            return Err(self.without_stick());
        }
        let cap = station.policy.max_file_bytes;
        let found = take_in(&*host.disk, self.guide.path, cap, self.guide.bare, host.clock.now())?.digest;
        let lacks_importer =
            station.policy.separates_importer() && !station.state().requests.is_importer_known(&found);
        if !station.taken.has(found) || lacks_importer {
            return Ok(None);
        }
        // One that was changed in the station since is taken in anew.
        Ok(request::open(station, found).ok())
    }

    /// There is no stick: what was taken in from it goes on without it.
    fn without_stick(&self) -> CeremonyError {
        let place = shown_path(self.guide.path);
        let kept = self.station.taken.newest().map(|newest| {
            format!(
                ". What was taken in before needs no stick: countersign status lists it, the newest is {0} (countersign \
                 review {0}, then sign and export)",
                newest.short()
            )
        });
        CeremonyError::Nothing(format!(
            "{place}: there is nothing here. Check the path, and that the stick is mounted{}",
            kept.unwrap_or_default()
        ))
    }

    /// Goes on from where an earlier sitting stopped: the review, which everybody reads who sits here now, or the export of
    /// what was signed then.
    fn go_on_with(&mut self, known: StoredRequest) -> Result<Turn, CeremonyError> {
        let made = self.station.signatures().newest(known.digest());
        let (to, why) = match &made {
            Some(made) => (Step::Export, format!("It was signed on {} (log entry {}).", made.time, made.seq)),
            None => {
                let since = self.station.taken.since(known.digest());
                let since = since.map(|time| format!(" on {time}")).unwrap_or_default();
                (Step::Review, format!("It was taken in{since}, and nothing is signed."))
            }
        };
        self.say(&format!("{}{why} The run goes on from step {}.\n", say::about(&known), to.number()))?;
        (self.made, self.stored) = (made, Some(known));
        match ask_plainly(self.host, &format!("go on from step {}", to.number()))? {
            Answer::On => Ok(Turn::To(to)),
            other => Ok(other.into()),
        }
    }

    fn review(&mut self) -> Result<Turn, CeremonyError> {
        let width = self.host.terminal.width();
        let faces =
            Faces { width, color: self.guide.color, json: false, text: true, html: false, plain: false };
        let stored = self.taken()?;
        let shown = show(self.station, self.host, &stored, &faces);
        self.stored = Some(stored);
        let shown = shown?;
        let heading = format!("{}\n{}", Step::Review.name(), heading_of(self.station, self.stored()?));
        self.host.terminal.page(&heading, shown.text.as_deref().unwrap_or_default())?;
        if !shown.signable {
            self.say("\nThis request is blocked. It cannot be signed, and nobody can force it.\n")?;
            let or = "To reject it in the log: your name.";
            return match ask_or(self.host, "read it again", or)? {
                Answer::On => Ok(Turn::Again),
                Answer::Typed(name) => self.reject(&name),
                other => Ok(other.into()),
            };
        }
        self.say(&format!("\n{}\n", People::of(self.station)?.after_reading()))?;
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
        let digest = self.stored()?.digest();
        let Some(shown) = self.station.shown.of(digest) else { return Ok(Turn::To(Step::Review)) };
        let subject = Subject { request: digest.to_string(), review: shown.review.to_string() };
        let decided = decisions(self.station, &subject, self.host.clock.now());
        // Where somebody rejected it, or the importer is not known, nobody is waited for.
        let tally = Tally::of(self.station, self.stored()?.digest(), &decided, &[]).ok();
        let people = People::of(self.station)?;
        self.say(&people.standing(self.station.policy.approvals, &decided, tally.as_ref()))?;
        let or = "To approve: the officer's name. To reject: \"reject NAME\".";
        match ask_or(self.host, "go on to signing", or)? {
            Answer::Typed(typed) => match typed.strip_prefix("reject ") {
                Some(name) => self.reject(name),
                None => {
                    let name: OfficerName = typed.parse()?;
                    let reviewed = self.reviewed()?;
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
        let subject = reviewed.subject(self.stored()?);
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
            None => ask_or(self.host, "ask again", People::of(self.station)?.who_opens())?,
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
        let stored = self.taken()?;
        let enough = check_signers(self.station, self.host, &stored, &reviewed, &asked);
        self.stored = Some(stored);
        if let Err(e) = enough {
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
        self.host.terminal.stands(&self.stands(Step::Export)?);
        Ok(ask_plainly(self.host, "write the bundle")?.into())
    }

    fn export(&mut self) -> Result<Turn, CeremonyError> {
        let default = match &self.guide.bundle {
            Some(folder) => folder.clone(),
            None => parent(self.guide.path).join(bundle_name(&self.stored()?.request.manifest)),
        };
        let or = "Another new folder for the bundle: type it. Where no stick may leave the room: \"slip\" shows the \
                  signature as codes for a camera.";
        let folder = match ask_or(self.host, &format!("write to {}", shown_path(&default)), or)? {
            Answer::On => default,
            Answer::Typed(word) if word == "slip" => return self.slip(),
            Answer::Typed(folder) => PathBuf::from(folder),
            other => return Ok(other.into()),
        };
        let stored = self.taken()?;
        let busy = self.host.terminal.busy("writing the bundle and reading it back");
        let exported = export(self.station, self.host, stored.digest(), &folder);
        drop(busy);
        let told = exported.map(|_| {
            format!(
                "\nWritten to {0}, read back and verified.\n\n{1}\nOn the connected machine: countersign verify {0}\n",
                shown_path(&folder),
                self.form(&stored)
            )
        });
        self.stored = Some(stored);
        self.say(&told?)?;
        Ok(Turn::On)
    }

    /// The signature as codes on this screen, in place of a bundle.
    fn slip(&mut self) -> Result<Turn, CeremonyError> {
        let stored = self.taken()?;
        let shown = export_slip(self.station, self.host, stored.digest(), To::Screen);
        let told = shown.map(|_| {
            format!(
                "\nThe slip was shown.\n\n{}\nOn the connected machine: countersign assemble REQUEST --slip FILE --out DIR\n",
                self.form(&stored)
            )
        });
        self.stored = Some(stored);
        self.say(&told?)?;
        Ok(Turn::On)
    }

    fn form(&self, stored: &StoredRequest) -> String {
        self.made
            .as_ref()
            .map(|made| Form::of_signature(self.station, self.host, stored, made).text())
            .unwrap_or_default()
    }
}

/// What a request is about, as a folder's name: `v2.0-update-42-signed`.
fn bundle_name(manifest: &RequestManifest) -> String {
    let subject = if manifest.wave.is_empty() { &manifest.tag } else { &manifest.wave };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let subject: String = subject.chars().take(80).map(plain).collect();
    format!("{}-{}-signed", subject.trim_start_matches('.'), manifest.version)
}
