//! Long text a screen at a time, through `less` where it is installed.
//!
//! Neither `PAGER` nor `LESSOPEN` is asked: on a station no other program is started because the environment says so.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Where Debian, Fedora, Alpine and NixOS keep it.
const PLACES: &[&str] = &["/usr/bin/less", "/bin/less", "/run/current-system/sw/bin/less"];

/// Shows text on the terminal that standard output is, a screen at a time when it is longer than one.
///
/// # Errors
/// Neither the pager nor standard output takes the text.
pub(super) fn show(text: &str) -> io::Result<()> {
    let place = PLACES.iter().find(|place| Path::new(place).is_file());
    if place.is_some_and(|place| through(less(place), text)) {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// `less` with nothing of this process's environment but the kind of terminal.
fn less(place: &str) -> Command {
    let mut command = Command::new(place);
    // Quit when it fits one screen (F), keep colours (R), leave the text on the screen (X), end on Ctrl-C (K). Long
    // lines are folded, never cut.
    command
        .args(["-FRXK", "-PSpace next page, b page before, q done reading "])
        .env_clear()
        .env("LESSSECURE", "1")
        .env("LESSHISTFILE", "-")
        .env("LESSCHARSET", "utf-8");
    command.env("TERM", std::env::var_os("TERM").unwrap_or_else(|| "dumb".into()));
    command
}

/// Hands the text to a pager and waits for it. False when the pager could not show it.
fn through(mut pager: Command, text: &str) -> bool {
    let Ok(mut child) = pager.stdin(Stdio::piped()).spawn() else { return false };
    let given = match child.stdin.take() {
        // That the reader leaves before the end is her right.
        Some(mut input) => input.write_all(text.as_bytes()).or_else(|e| match e.kind() {
            ErrorKind::BrokenPipe => Ok(()),
            _ => Err(e),
        }),
        None => Err(ErrorKind::BrokenPipe.into()),
    };
    child.wait().is_ok_and(|status| status.success()) && given.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, folder: &Path) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).current_dir(folder);
        command
    }

    #[test]
    fn the_pager_gets_the_whole_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "line\n".repeat(100_000);
        assert!(through(shell("cat > got", folder.path()), &text));
        assert_eq!(std::fs::read_to_string(folder.path().join("got")).expect("read"), text);
    }

    #[test]
    fn a_reader_who_leaves_early_is_no_error_and_a_pager_that_fails_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "line\n".repeat(100_000);
        assert!(through(shell("exec 0<&-; exit 0", folder.path()), &text));
        assert!(!through(shell("cat > /dev/null; exit 1", folder.path()), &text));
        assert!(!through(Command::new("/nonexistent/less"), &text));
    }

    #[test]
    fn the_environment_cannot_make_the_pager_start_other_programs() {
        let names: Vec<String> =
            less("/usr/bin/less").get_envs().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        assert_eq!(names, ["LESSCHARSET", "LESSHISTFILE", "LESSSECURE", "TERM"]);
    }
}
