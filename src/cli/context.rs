//! What every verb is given: the host, the global options, and the ways to print.

use super::{Exit, Failure, Outcome};
use crate::host::Host;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;

/// The options that all commands share.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
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
pub(crate) enum When {
    /// Where there is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What every verb is given.
pub(crate) struct Context<'h> {
    /// The machine.
    pub host: &'h Host,
    /// The global options.
    pub global: Global,
}

impl<'h> Context<'h> {
    /// A context on a host.
    pub(crate) fn new(host: &'h Host, global: Global) -> Context<'h> {
        Context { host, global }
    }

    /// Prints a result. With `--json`, text results are not printed: see [`Context::json`].
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        if !self.global.json {
            self.host.terminal.say(text)?;
        }
        Ok(())
    }

    /// Prints a long result, a screen at a time, each under the heading, where there is a terminal.
    pub(crate) fn page(&self, heading: &str, text: &str) -> Result<(), Failure> {
        Ok(self.host.terminal.page(heading, text)?)
    }

    /// Prints a result as JSON, if that is asked for. Characters outside ASCII are escaped: nothing foreign reaches a
    /// terminal.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        if self.global.json {
            let text =
                serde_json::to_string_pretty(value).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
            self.host.terminal.out(&format!("{}\n", ascii(&text)))?;
        }
        Ok(())
    }

    /// Ends a command that did what it was asked to: its result as JSON, if that is asked for.
    pub(crate) fn done(&self, value: &impl Serialize) -> Outcome {
        self.json(value)?;
        Ok(Exit::Done)
    }

    /// Tells what is going on: standard error.
    pub(crate) fn note(&self, text: &str) {
        self.host.terminal.err(text);
    }

    /// Should text be coloured?
    pub(crate) fn color(&self) -> bool {
        match self.global.color {
            When::Always => true,
            When::Never => false,
            When::Auto => self.host.terminal.is_terminal() && !self.host.terminal.no_color(),
        }
    }

    /// Reports a failure of a program: a sentence on standard error and, with `--json`, the same as a value.
    pub(crate) fn fail(&self, program: &str, failure: &Failure) {
        self.note(&format!("{program}: {}\n", failure.message));
        let value = serde_json::json!({ "error": failure.message, "exit": failure.exit as u8 });
        // The failure itself is what is to be reported.
        let _ = self.json(&value);
    }
}

/// JSON text with every character outside ASCII as an escape.
pub(super) fn ascii(json: &str) -> String {
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
