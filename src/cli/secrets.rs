//! The arguments by which secrets and confirmations come without a terminal.

use super::{Context, Failure};
use crate::vault::passphrase::PassphraseFiles;
use clap::Args;

/// Where passphrases come from.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PassphraseArgs {
    /// An officer's passphrase: the first line of FILE; - reads standard input. Without it the terminal is asked.
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    pub passphrase_file: Vec<String>,
}

impl PassphraseArgs {
    /// Reads the arguments; the files are opened only when a passphrase is needed.
    pub(crate) fn files(&self) -> Result<PassphraseFiles, Failure> {
        PassphraseFiles::parse(&self.passphrase_file).map_err(|e| Failure::usage(e.to_string()))
    }
}

/// The confirmation code.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ConfirmArgs {
    /// The confirmation words that stand at the end of the review. Without it the terminal is asked.
    #[arg(long, value_name = "WORDS")]
    pub confirm: Option<String>,
}

impl ConfirmArgs {
    /// The words that were given, or typed.
    pub(super) fn words(&self, context: &Context<'_>, prompt: &str) -> Result<String, Failure> {
        match &self.confirm {
            Some(words) => Ok(words.clone()),
            None => context.host.terminal.ask(prompt).map_err(|e| {
                let message =
                    format!("the confirmation words are needed: {e}. Give them with --confirm WORDS");
                Failure::new(super::Exit::NotApproved, message)
            }),
        }
    }
}
