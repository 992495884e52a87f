//! What every verb is given: the host, the global options, and the ways to print.

use super::{Exit, Failure};
use crate::ceremony::tool;
use crate::host::Host;
use crate::ledger::{Event, Kind};
use crate::station::{Session, Station};
use crate::text::{one_line, shown};
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;

/// The options that all commands share.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// The station's folder [default: $XDG_DATA_HOME/countersign].
    #[arg(long, global = true, env = "COUNTERSIGN_STATION", value_name = "DIR", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub station: Option<PathBuf>,
    /// Print one JSON value on standard output, and nothing else there.
    #[arg(long, global = true)]
    pub json: bool,
    /// Colour: auto turns it off where there is no terminal, and for NO_COLOR.
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: When,
}

/// When to do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum When {
    /// Where there is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Characters of a failure's message that the log keeps.
const LONGEST_REASON: usize = 2_000;

/// What every verb is given.
pub struct Context<'h> {
    /// The machine.
    pub host: &'h Host,
    /// The global options.
    pub global: Global,
}

impl<'h> Context<'h> {
    /// A context on a host.
    pub fn new(host: &'h Host, global: Global) -> Context<'h> {
        Context { host, global }
    }

    /// The station's folder.
    ///
    /// # Errors
    /// None is given, and there is no home to put one in.
    pub fn station_folder(&self) -> Result<PathBuf, Failure> {
        // An empty value is no value, and a relative one in the environment of a desktop is to be ignored (XDG base
        // directory specification): a station in whatever folder one happens to be would be another station.
        if let Some(folder) = self.global.station.as_ref().filter(|folder| !folder.as_os_str().is_empty()) {
            return Ok(folder.clone());
        }
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
        data.map(|data| data.join("countersign")).ok_or_else(|| {
            Failure::usage("there is no home folder: give the station's folder with --station")
        })
    }

    /// Opens the station for a command that writes.
    ///
    /// # Errors
    /// See [`Station::open`].
    pub fn open(&self, command: &str) -> Result<Station, Failure> {
        let session = tool::session(self.host, command);
        let station = Station::open(self.host, &self.station_folder()?, Some(session))?;
        self.tell_found(&station);
        Ok(station)
    }

    /// Opens the station for a command that only looks.
    ///
    /// # Errors
    /// See [`Station::open`].
    pub fn look(&self) -> Result<Station, Failure> {
        let station = Station::open(self.host, &self.station_folder()?, None)?;
        self.tell_found(&station);
        Ok(station)
    }

    /// Whatever is done next, the officer hears first what opening the log found: lines that nobody signed, and
    /// signatures in doubt.
    fn tell_found(&self, station: &Station) {
        for aside in &station.recovery.aside {
            self.note(&format!(
                "{} bytes stood in log/{} after the newest signed checkpoint. Nobody signed them, and they count for \
                 nothing: an earlier command was cut off, or somebody wrote there. They are kept in log/{}\n",
                aside.bytes, aside.file, aside.saved
            ));
        }
        if station.recovery.uncovered > 0 {
            self.note(&format!(
                "The log goes on for {} bytes after its newest signed checkpoint. Nobody signed them, and they count for \
                 nothing: an earlier command was cut off, or somebody wrote there. The next command that writes keeps \
                 them aside\n",
                station.recovery.uncovered
            ));
        }
        if station.recovery.uncovered_intents > 0 {
            self.note(
                "A signature is in doubt: an intent to sign stands after the newest signed checkpoint. The next command \
                 that writes says how to settle it\n",
            );
        }
        for intent in station.log.open_intents() {
            let (seq, request) = (intent.seq, shown(intent.request.get(..12).unwrap_or(&intent.request)));
            self.note(&format!(
                "A signature is in doubt (log entry {seq}): the station stopped between the intent to sign request \
                 {request} and the result. Sign that request again (the bytes are the same), or settle it: \
                 countersign settle {seq} --officer NAME --outcome made|not-made\n"
            ));
        }
    }

    /// Opens the station, does the work, and closes it: the log says that the command ended, and how.
    ///
    /// # Errors
    /// Those of the work, or of the station.
    pub fn with_station(
        &self,
        command: &str,
        work: impl FnOnce(&mut Station) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        self.with_opened(self.open(command)?, command, work)
    }

    /// As [`Context::with_station`], for the acts that settle that officers' files are missing.
    ///
    /// # Errors
    /// Those of the work, or of the station.
    pub fn with_station_to_mend(
        &self,
        command: &str,
        work: impl FnOnce(&mut Station) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let session = tool::session(self.host, command);
        let station = Station::open_to_mend(self.host, &self.station_folder()?, session)?;
        self.tell_found(&station);
        self.with_opened(station, command, work)
    }

    fn with_opened(
        &self,
        mut station: Station,
        command: &str,
        work: impl FnOnce(&mut Station) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let outcome = work(&mut station);
        let exit = match &outcome {
            Ok(exit) => *exit,
            Err(failure) => failure.exit,
        };
        if let Err(failure) = &outcome {
            // The failure itself is what is told; that it could not be logged is told by the next command.
            let _ = self.note_refusal(&mut station, command, failure);
        }
        let closed = station.close(self.host, exit as u8);
        let exit = outcome?;
        closed?;
        Ok(exit)
    }

    /// What a command refused is in the log, also when it wrote nothing of its own.
    fn note_refusal(&self, station: &mut Station, command: &str, failure: &Failure) -> Result<(), Failure> {
        let is_refusal = matches!(failure.exit, Exit::Failed | Exit::Refused | Exit::NotApproved);
        if !is_refusal || station.has_written() {
            return Ok(());
        }
        let why: String = one_line(&failure.message).chars().take(LONGEST_REASON).collect();
        let statement = format!("\"{command}\" did nothing (code {}): {why}", failure.exit as u8);
        let event = Event::new(Kind::Deviation, station.actor()).text("statement", statement);
        station.record(&self.host.stamp(), event)?;
        Ok(())
    }

    /// Who makes the log entries when no officer stands behind them.
    pub fn session(&self, command: &str) -> Session {
        tool::session(self.host, command)
    }

    /// Prints a result. With `--json`, text results are not printed: see [`Context::json`].
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        if !self.global.json {
            self.host.terminal.out(text)?;
        }
        Ok(())
    }

    /// Prints a long result, a screen at a time where there is a terminal.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn page(&self, text: &str) -> Result<(), Failure> {
        Ok(self.host.terminal.page(text)?)
    }

    /// Prints a result as JSON, if that is asked for. Characters outside ASCII are escaped: nothing foreign reaches a
    /// terminal.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        if self.global.json {
            let text =
                serde_json::to_string_pretty(value).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
            self.host.terminal.out(&format!("{}\n", ascii(&text)))?;
        }
        Ok(())
    }

    /// Tells what is going on: standard error.
    pub fn note(&self, text: &str) {
        self.host.terminal.err(text);
    }

    /// Should text be coloured?
    pub fn color(&self) -> bool {
        match self.global.color {
            When::Always => true,
            When::Never => false,
            When::Auto => self.host.terminal.is_terminal() && !self.host.terminal.no_color(),
        }
    }

    /// Reports a failure of a program: a sentence on standard error and, with `--json`, the same as a value.
    pub fn fail(&self, program: &str, failure: &Failure) {
        self.note(&format!("{program}: {}\n", failure.message));
        let value = serde_json::json!({ "error": failure.message, "exit": failure.exit as u8 });
        // The failure itself is what is to be reported.
        let _ = self.json(&value);
    }
}

/// JSON text with every character outside ASCII as an escape.
pub fn ascii(json: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && character != '\u{7f}' {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}
