//! A command's station: opened, what opening it found told, closed when the command ends.

use super::{Context, Exit, Failure};
use crate::ceremony::tool;
use crate::ledger::record::Deviation;
use crate::station::{Session, Station, StationError};
use crate::text::{one_line, short, shown};
use std::path::PathBuf;

/// Characters of a failure's message that the log keeps.
const LONGEST_REASON: usize = 2_000;

impl Context<'_> {
    /// The station's folder.
    ///
    /// # Errors
    /// None is given, and there is no home to put one in.
    pub(crate) fn station_folder(&self) -> Result<PathBuf, Failure> {
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
    pub(crate) fn open(&self, command: &str) -> Result<Station, Failure> {
        let session = tool::session(self.host, command);
        let station = Station::open(self.host, &self.station_folder()?, Some(session))?;
        self.tell_found(&station);
        Ok(station)
    }

    /// Opens the station for a command that only looks.
    pub(crate) fn look(&self) -> Result<Station, Failure> {
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
            let (seq, request) = (intent.seq, shown(short(&intent.request)));
            self.note(&format!(
                "A signature is in doubt (log entry {seq}): the station stopped between the intent to sign request \
                 {request} and the result. Sign that request again (the bytes are the same), or settle it: \
                 countersign settle {seq} --officer NAME --outcome made|not-made\n"
            ));
        }
    }

    /// Opens the station, does the work, and closes it: the log says that the command ended, and how.
    pub(crate) fn with_station(
        &self,
        command: &str,
        work: impl FnOnce(&mut Station) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        self.with_opened(self.open(command)?, command, work)
    }

    /// As [`Context::with_station`], for what can be read while another command works on the station too. Nothing is noted
    /// in the log then, and that is said.
    pub(crate) fn with_station_to_read(
        &self,
        command: &str,
        work: impl FnOnce(&mut Station) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let folder = self.station_folder()?;
        match Station::open(self.host, &folder, Some(tool::session(self.host, command))) {
            Err(StationError::Busy { holder, .. }) => {
                let mut station = self.look()?;
                self.note(&format!(
                    "Another command works on this station ({holder}): this is not noted in the log.\n"
                ));
                work(&mut station)
            }
            opened => {
                let station = opened?;
                self.tell_found(&station);
                self.with_opened(station, command, work)
            }
        }
    }

    /// As [`Context::with_station`], for the acts that settle that officers' files are missing.
    pub(crate) fn with_station_to_mend(
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
        let deviation = Deviation { statement: statement.into() }.by(station.actor());
        station.record(&self.host.stamp(), deviation)?;
        Ok(())
    }

    /// Who makes the log entries when no officer stands behind them.
    pub(crate) fn session(&self, command: &str) -> Session {
        tool::session(self.host, command)
    }
}
