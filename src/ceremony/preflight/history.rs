//! Does a shell keep what is typed? A passphrase that a hand types on after the command has ended would stand there.

use super::Line;
use crate::host::Machine;
use crate::text::shown_path;
use std::path::{Path, PathBuf};

/// Where the shells keep it, in the home folder, when `HISTFILE` does not say so.
const FILES: [&str; 4] = [".bash_history", ".zsh_history", ".sh_history", ".local/share/fish/fish_history"];

/// No shell of this user keeps what is typed.
pub(super) fn line(machine: &dyn Machine) -> Line {
    const NAME: &str = "history";
    let kept = match machine.variable("HISTFILE") {
        Some(file) => Some(file).filter(|file| !file.as_os_str().is_empty()),
        None => machine.variable("HOME").and_then(|home| {
            let files = FILES.iter().map(|file| home.join(file));
            files.into_iter().find(|file| machine.mode(file).is_some())
        }),
    };
    match kept.filter(|file| !is_nowhere(machine, file)) {
        None => Line::pass(NAME, "no shell of this user keeps what is typed"),
        Some(file) => Line::warn(
            NAME,
            format!(
                "a shell keeps what is typed in {file}, a passphrase typed at the wrong moment too. Switch that off: \
                 unset HISTFILE, and remove the file: shred -u {file}",
                file = shown_path(&file)
            ),
        ),
    }
}

/// Is what is written there thrown away?
fn is_nowhere(machine: &dyn Machine, file: &Path) -> bool {
    let null = PathBuf::from("/dev/null");
    file == null || machine.link(&file.to_string_lossy()) == Some(null)
}
