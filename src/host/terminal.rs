//! Standard output, standard error, and the officer's keyboard behind one trait, so that a test can be the officer.

use super::hidden::Hidden;
use super::pager::{self, Waiting};
use super::prompt::Standing;
use super::wrap::wrapped;
use super::{Busy, Prompting};
use secrecy::SecretString;
use std::io::{self, IsTerminal, Write};
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a command says and asks. Text handed in must already be escaped ([`crate::text::Foreign`]).
pub trait Terminal: Send + Sync {
    /// Results: standard output.
    fn out(&self, text: &str) -> io::Result<()>;
    /// Sentences for people: as [`Terminal::out`], wrapped where it is a screen.
    fn say(&self, text: &str) -> io::Result<()> {
        if self.is_terminal() { self.out(&wrapped(text, self.width())) } else { self.out(text) }
    }
    /// A long result: standard output, a screen at a time where somebody is there to turn the pages. Each screen keeps the
    /// heading.
    fn page(&self, heading: &str, text: &str) -> io::Result<()> {
        let _ = heading;
        self.out(text)
    }
    /// Makes ready for so many long results, while other programs may still be begun: the pager is one.
    fn expect_pages(&self, count: usize) {
        let _ = count;
    }
    /// Shows that work is going on until the value is dropped, where somebody is there to see it. Nothing may be asked
    /// meanwhile.
    fn busy(&self, what: &str) -> Busy {
        let _ = what;
        Busy::silent()
    }
    /// Says what stands from here on, for whoever ends the program at a prompt, or has no further try.
    fn stands(&self, text: &str) {
        let _ = text;
    }
    /// What stands.
    fn standing(&self) -> String {
        String::new()
    }
    /// Until the value is dropped, whoever ends the program is told what stands.
    fn prompting(&self) -> Prompting {
        Prompting::default()
    }
    /// Prompts, progress, warnings: standard error.
    fn err(&self, text: &str);
    /// Asks for a line on the terminal. Fails with `NotConnected` when nobody is there to answer.
    fn ask(&self, prompt: &str) -> io::Result<String>;
    /// Asks for a secret line, without echo. What was typed before the prompt is thrown away, and nothing that is typed
    /// after the answer is shown before the next [`Terminal::ask`] or the end of the command. Fails with `NotConnected` when nobody is there to answer.
    fn ask_secret(&self, prompt: &str) -> io::Result<SecretString>;
    /// Reads one line of standard input, for `--passphrase-file NAME=-`; at most 4,096 bytes.
    fn stdin_line(&self) -> io::Result<SecretString>;
    /// Is standard output a terminal?
    fn is_terminal(&self) -> bool;
    /// Is somebody there to answer prompts?
    fn can_ask(&self) -> bool;
    /// Columns of the terminal, or 100 where there is none.
    fn width(&self) -> usize;
    /// Rows of the terminal, or 24 where there is none.
    fn height(&self) -> usize {
        24
    }
    /// Is NO_COLOR set (to anything but nothing)? <https://no-color.org>
    fn no_color(&self) -> bool;
}

/// The terminal of this process.
#[derive(Default)]
pub(crate) struct RealTerminal {
    /// Echo is off from the first secret on: while her identity is opened, the next officer may already be typing.
    hidden: Mutex<Option<Hidden>>,
    /// The pagers that wait for their text.
    pagers: Mutex<Vec<Waiting>>,
    standing: Standing,
}

impl RealTerminal {
    /// Standard streams as they are.
    pub(crate) fn new() -> RealTerminal {
        RealTerminal::default()
    }

    fn hidden(&self) -> MutexGuard<'_, Option<Hidden>> {
        // Nobody who holds it panics; a terminal without echo would be worse than a poisoned lock.
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows again what is typed, from here on.
    fn echo(&self) {
        drop(self.hidden().take());
    }
}

/// Columns of a terminal, or 100 where there is none.
pub(super) fn columns_of(stream: BorrowedFd<'_>) -> usize {
    let size = rustix::termios::tcgetwinsize(stream).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns >= 20).unwrap_or(100)
}

fn nobody() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "there is no terminal to ask on")
}

impl Terminal for RealTerminal {
    fn out(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    fn page(&self, heading: &str, text: &str) -> io::Result<()> {
        if !self.is_terminal() {
            return self.out(text);
        }
        let (text, room) = (wrapped(text, self.width()), (self.width(), self.height()));
        let pager = self.pagers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pager::show(pager, heading, &text, room)
    }

    fn stands(&self, text: &str) {
        self.standing.set(text);
    }

    fn standing(&self) -> String {
        self.standing.get()
    }

    fn prompting(&self) -> Prompting {
        if self.can_ask() { Prompting::new(&self.standing) } else { Prompting::default() }
    }

    fn expect_pages(&self, count: usize) {
        if self.is_terminal() && self.can_ask() {
            let mut pagers = self.pagers.lock().unwrap_or_else(PoisonError::into_inner);
            pagers.extend((0..count).filter_map(|_| Waiting::begin()));
        }
    }

    fn busy(&self, what: &str) -> Busy {
        if self.can_ask() { Busy::moving(what) } else { Busy::silent() }
    }

    fn err(&self, text: &str) {
        let is_screen = io::stderr().is_terminal();
        let text =
            if is_screen { wrapped(text, columns_of(rustix::stdio::stderr())) } else { text.to_owned() };
        // Nothing is left to tell it to when standard error is closed.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    fn ask(&self, prompt: &str) -> io::Result<String> {
        if !self.can_ask() {
            return Err(nobody());
        }
        self.echo();
        let _prompting = self.prompting();
        self.err(prompt);
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the terminal was closed"));
        }
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    fn ask_secret(&self, prompt: &str) -> io::Result<SecretString> {
        if !self.can_ask() {
            return Err(nobody());
        }
        let mut hidden = self.hidden();
        let silent = match hidden.take() {
            Some(silent) => silent,
            None => Hidden::start()?,
        };
        silent.forget_typed_ahead()?;
        let _prompting = self.prompting();
        self.err(prompt);
        // rpassword leaves the terminal as it finds it: without echo.
        let secret = rpassword::read_password();
        *hidden = Some(silent);
        Ok(SecretString::from(secret?))
    }

    fn stdin_line(&self) -> io::Result<SecretString> {
        let mut line = zeroize::Zeroizing::new(Vec::with_capacity(4097));
        let mut byte = [0u8; 1];
        let mut stdin = io::stdin().lock();
        while line.len() <= 4096 && io::Read::read(&mut stdin, &mut byte)? == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        if line.len() > 4096 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is longer than 4,096 bytes"));
        }
        let text = crate::text::utf8(&line).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        Ok(SecretString::from(text.trim_end_matches('\r').to_owned()))
    }

    fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn width(&self) -> usize {
        columns_of(rustix::stdio::stdout())
    }

    fn height(&self) -> usize {
        rustix::termios::tcgetwinsize(rustix::stdio::stdout())
            .ok()
            .map(|size| usize::from(size.ws_row))
            .filter(|rows| *rows > 0)
            .unwrap_or(24)
    }

    fn no_color(&self) -> bool {
        std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
    }
}

/// A terminal on which others' commands are shown and nobody is asked: for a rehearsal.
pub(crate) struct Aside {
    inner: std::sync::Arc<dyn Terminal>,
    speaks: bool,
}

impl Aside {
    /// Shows what is said on `inner`, or says nothing.
    pub(crate) fn new(inner: std::sync::Arc<dyn Terminal>, speaks: bool) -> Aside {
        Aside { inner, speaks }
    }
}

impl Terminal for Aside {
    fn out(&self, text: &str) -> io::Result<()> {
        if self.speaks { self.inner.out(text) } else { Ok(()) }
    }

    fn err(&self, text: &str) {
        if self.speaks {
            self.inner.err(text);
        }
    }

    fn ask(&self, _: &str) -> io::Result<String> {
        Err(nobody())
    }

    fn ask_secret(&self, _: &str) -> io::Result<SecretString> {
        Err(nobody())
    }

    fn stdin_line(&self) -> io::Result<SecretString> {
        Err(nobody())
    }

    fn is_terminal(&self) -> bool {
        self.inner.is_terminal()
    }

    fn can_ask(&self) -> bool {
        false
    }

    fn width(&self) -> usize {
        self.inner.width()
    }

    fn no_color(&self) -> bool {
        self.inner.no_color()
    }
}
