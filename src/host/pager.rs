//! Long text a screen at a time, through `less` where it is installed.
//!
//! A confined process begins no other (`confine`), so the pager is begun before: a shell that waits for a line, and then
//! becomes `less`. Neither `PAGER` nor `LESSOPEN` is asked: on a station no other program is started because the
//! environment says so.

use super::signals::{Guard, Moment};
use super::wrap::wrapped;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where Debian, Fedora, Alpine and NixOS keep it.
const PLACES: &[&str] = &["/usr/bin/less", "/bin/less", "/run/current-system/sw/bin/less"];

/// What the pager's own line says at the end of the text, and before.
const PROMPT: &str =
    "-Ps?eEnd - b page before, q done reading :Space next page, b page before, q done reading .";

/// Reads one line, byte by byte as a shell must from a pipe, and leaves the rest to the pager.
const WAIT: &str = "read -r go && exec \"$@\"";

/// A pager that waits for its text; it ends when this is dropped.
pub(super) struct Waiting(Child);

impl Waiting {
    /// Begins one, where there is a pager.
    pub(super) fn begin() -> Option<Waiting> {
        let place = PLACES.iter().find(|place| Path::new(place).is_file())?;
        Waiting::with(&mut waiting(less(place)))
    }

    fn with(command: &mut Command) -> Option<Waiting> {
        command.stdin(Stdio::piped()).spawn().ok().map(Waiting)
    }

    /// Hands the text over and waits until it was read. False when the pager could not show it.
    fn show(mut self, text: &str) -> bool {
        let gone = Arc::new(AtomicBool::new(false));
        let _guard = Guard::new(after(gone.clone()));
        let given = match self.0.stdin.take() {
            // That the reader leaves before the end is her right.
            Some(mut input) => input
                .write_all(b"\n")
                .and_then(|()| input.write_all(text.as_bytes()))
                .or_else(|e| if e.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(e) }),
            None => Err(ErrorKind::BrokenPipe.into()),
        };
        let ended = self.0.wait();
        gone.store(true, Ordering::SeqCst);
        ended.is_ok_and(|status| status.success()) && given.is_ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Without a line to read it ends by itself.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Shows text on the terminal that standard output is, of so many columns and rows: through the pager that waits, or all at
/// once.
///
/// # Errors
/// Neither the pager nor standard output takes the text.
pub(super) fn show(
    pager: Option<Waiting>,
    heading: &str,
    text: &str,
    (columns, rows): (usize, usize),
) -> io::Result<()> {
    let paged = paged(heading, text, columns, rows);
    if let (Some(pager), Some(paged)) = (pager, &paged)
        && pager.show(paged)
    {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    write!(stdout, "{heading}\n\n{text}")?;
    stdout.flush()
}

/// The text in pages of a screen each, under a heading that says which page it is; nothing where one screen holds all of
/// it, or is too small for that. The pager turns them by the screen.
fn paged(heading: &str, text: &str, columns: usize, rows: usize) -> Option<String> {
    // Room for "page 12 of 34" beside the first line.
    let (first, more) = heading.split_once('\n').unwrap_or((heading, ""));
    let (first, more) = (wrapped(first, columns.saturating_sub(16)), wrapped(more, columns));
    let heading = if more.is_empty() { first } else { format!("{first}\n{more}") };
    let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').chain(["(end)"]).collect();
    let (first, more) = heading.split_once('\n').unwrap_or((&heading, ""));
    // The pager's own line, the heading, a rule.
    let body = rows.checked_sub(1 + heading.split('\n').count() + 1).filter(|body| *body >= 6)?;
    if lines.len() <= body {
        return None;
    }
    let (mut out, count) = (String::new(), lines.len().div_ceil(body));
    for (at, page) in lines.chunks(body).enumerate() {
        let number = format!("page {} of {count}", at + 1);
        let gap = columns.saturating_sub(first.chars().count() + number.len()).max(2);
        out += &format!("{first}{:gap$}{number}\n", "");
        if !more.is_empty() {
            out += &format!("{more}\n");
        }
        out += &format!("{}\n", "-".repeat(columns.min(80)));
        page.iter().for_each(|line| out += &format!("{line}\n"));
        out.extend(std::iter::repeat_n('\n', body - page.len()));
    }
    Some(out)
}

/// The pager's command behind a shell that waits, in the same environment.
fn waiting(pager: Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", WAIT, "sh"]).arg(pager.get_program()).args(pager.get_args()).env_clear();
    shell.envs(pager.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

/// `less` with nothing of this process's environment but the kind of terminal.
fn less(place: &str) -> Command {
    let mut command = Command::new(place);
    // Keep colours (R), leave the text on the screen (X), end on Ctrl-C (K). Long lines are folded, never cut.
    command
        .args(["-RXK", PROMPT])
        .env_clear()
        .env("LESSSECURE", "1")
        .env("LESSHISTFILE", "-")
        .env("LESSCHARSET", "utf-8");
    command.env("TERM", std::env::var_os("TERM").unwrap_or_else(|| "dumb".into()));
    command
}

/// The pager is in charge of the terminal, and in its secure mode it does not stop: this program stopping or ending alone
/// would leave both the shell and the pager reading the keys. It does not stop, and ends when the pager has: at Ctrl-C, and
/// when the terminal is closed, that is at once.
fn after(gone: Arc<AtomicBool>) -> impl Fn(Moment) -> bool + Send {
    move |moment| {
        while moment == Moment::End && !gone.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
        moment == Moment::End
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, folder: &Path) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let mut command = waiting(command);
        command.current_dir(folder);
        command
    }

    fn shown(mut command: Command, text: &str) -> bool {
        Waiting::with(&mut command).is_some_and(|pager| pager.show(text))
    }

    #[test]
    fn the_pager_gets_the_whole_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "line\n".repeat(100_000);
        assert!(shown(shell("cat > got", folder.path()), &text));
        assert_eq!(std::fs::read_to_string(folder.path().join("got")).expect("read"), text);
    }

    #[test]
    fn a_reader_who_leaves_early_is_no_error_and_a_pager_that_fails_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "line\n".repeat(100_000);
        assert!(shown(shell("exec 0<&-; exit 0", folder.path()), &text));
        assert!(!shown(shell("cat > /dev/null; exit 1", folder.path()), &text));
        assert!(!shown(Command::new("/nonexistent/less"), &text));
        assert!(!shown(waiting(Command::new("/nonexistent/less")), &text));
    }

    #[test]
    fn every_page_fills_the_screen_and_keeps_the_heading_and_its_number() {
        let text: String = (1..=100).map(|line| format!("line {line}\n")).collect();
        let paged = paged("Step 3\nPolicy and root", &text, 80, 24).expect("pages");
        let lines: Vec<&str> = paged.lines().collect();
        assert!(lines.len().is_multiple_of(23), "{}", lines.len());
        let pages: Vec<&[&str]> = lines.chunks(23).collect();
        for (at, page) in pages.iter().enumerate() {
            assert!(page[0].starts_with("Step 3 ") && page[0].len() == 80, "{}", page[0]);
            assert!(page[0].ends_with(&format!(" page {} of {}", at + 1, pages.len())), "{}", page[0]);
            assert_eq!(page[1], "Policy and root");
        }
        let shown: Vec<&str> = pages.iter().flat_map(|page| &page[3..]).copied().collect();
        let shown: Vec<&str> = shown.into_iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(shown.len(), 101);
        assert_eq!((shown[0], shown[99], shown[100]), ("line 1", "line 100", "(end)"));
    }

    #[test]
    fn what_fits_one_screen_or_finds_no_room_for_a_heading_has_no_pages() {
        assert_eq!(super::paged("Heading", "one\ntwo\n", 80, 24), None);
        assert_eq!(super::paged("Heading", &"line\n".repeat(100), 80, 8), None);
    }

    #[test]
    fn a_pager_that_is_not_needed_shows_nothing_and_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Waiting::with(&mut shell("cat > got", folder.path())));
        assert!(!folder.path().join("got").exists());
    }

    #[test]
    fn the_environment_cannot_make_the_pager_start_other_programs() {
        let command = waiting(less("/usr/bin/less"));
        let names: Vec<String> =
            command.get_envs().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        assert_eq!(names, ["LESSCHARSET", "LESSHISTFILE", "LESSSECURE", "TERM"]);
    }
}
