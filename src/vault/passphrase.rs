//! Passphrases: where they come from, how strong a new one must be, and how wrong ones slow down.
//!
//! A passphrase comes from the terminal or from a file that `--passphrase-file NAME=FILE` names; never from the
//! arguments or the environment, which other processes can read.

use crate::host::{Host, Stamp};
use crate::text::{encoding, shown, shown_path, utf8};
use crate::vault::error::{CustodyError, CustodyResult};
use crate::vault::officer::{self, OfficerName, OfficerPublic, OpenOfficer};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use zeroize::Zeroizing;
use zxcvbn::Score;

/// The fewest characters of a new passphrase.
pub(crate) const LEAST_CHARACTERS: usize = 12;
/// The most bytes of any passphrase.
const MOST_BYTES: usize = 1024;
const FILE_CAP: u64 = 4096;
/// How often the terminal is asked.
const ATTEMPTS: u32 = 3;
const LONGEST_DELAY_MS: u64 = 64_000;

/// Where officers' passphrases are read from instead of the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PassphraseFiles(BTreeMap<OfficerName, PathBuf>);

impl PassphraseFiles {
    /// Reads the values of `--passphrase-file`, each `NAME=FILE`.
    ///
    /// # Errors
    /// One has no `=`, no officer's name, no file, or a name stands twice.
    pub(crate) fn parse<S: AsRef<str>>(arguments: &[S]) -> CustodyResult<PassphraseFiles> {
        let mut files = BTreeMap::new();
        for argument in arguments.iter().map(AsRef::as_ref) {
            let bad = || CustodyError::BadPassphraseFile(shown(argument));
            let (name, file) =
                argument.split_once('=').filter(|(_, file)| !file.is_empty()).ok_or_else(bad)?;
            if files.insert(name.parse::<OfficerName>()?, PathBuf::from(file)).is_some() {
                return Err(bad());
            }
        }
        Ok(PassphraseFiles(files))
    }

    /// Is this officer's passphrase in a file?
    pub(crate) fn has(&self, name: &OfficerName) -> bool {
        self.0.contains_key(name)
    }

    /// The first line of the officer's file, if one was given.
    fn read(&self, host: &Host, name: &OfficerName) -> CustodyResult<Option<SecretString>> {
        let Some(path) = self.0.get(name) else { return Ok(None) };
        if path == Path::new("-") {
            let line = host.terminal.stdin_line();
            return line
                .map(|line| Some(composed(line)))
                .map_err(|source| CustodyError::Ask { name: name.clone(), source });
        }
        warn_of_readers(host, path);
        let bytes = Zeroizing::new(host.disk.read(path, FILE_CAP)?);
        // UTF-16 has no lines that could be told: the whole file is looked at first.
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = encoding(&bytes).map_or_else(|| utf8(line), Err).map_err(|why| CustodyError::Ask {
            name: name.clone(),
            source: std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("{}: {why}", shown_path(path)),
            ),
        })?;
        Ok(Some(composed(SecretString::from(line.to_owned()))))
    }
}

/// A passphrase with each letter and its accents as one character (Unicode's form C, as RFC 8265 has it): keyboards and
/// systems differ in that, and nobody sees it.
fn composed(passphrase: SecretString) -> SecretString {
    let text = passphrase.expose_secret();
    if is_nfc(text) {
        return passphrase;
    }
    // Long enough for any text's form C, so that no part of it is left behind by growing.
    let mut out = Zeroizing::new(String::with_capacity(3 * text.len()));
    out.extend(text.nfc());
    SecretString::from(out.as_str())
}

/// Says when others than the owner may read a passphrase file.
fn warn_of_readers(host: &Host, path: &Path) {
    let linked = host.machine.link(&path.to_string_lossy());
    let real = linked.map(|to| path.parent().unwrap_or(Path::new("")).join(to));
    let mode = host.machine.mode(real.as_deref().unwrap_or(path));
    if mode.is_some_and(|(mode, _)| mode & 0o044 != 0) {
        host.terminal.err(&format!(
            "Warning: others on this machine may read the passphrase file {}. Take that away: chmod 600 {}\n",
            shown_path(path),
            shown_path(path)
        ));
    }
}

/// Asks for a secret on the terminal.
fn ask(host: &Host, name: &OfficerName, prompt: &str) -> CustodyResult<SecretString> {
    host.terminal.ask_secret(prompt).map(composed).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotConnected => CustodyError::NobodyToAsk { name: name.clone() },
        _ => CustodyError::Ask { name: name.clone(), source },
    })
}

/// Holds the prompt after the last try until Enter, without echo: a hand that types on must not type into the shell. Says
/// what stands.
fn hold(host: &Host, what: &str) {
    let told = format!(
        "{what}. That was the last try. {}\nPress Enter (what is typed now is thrown away): ",
        host.terminal.standing()
    );
    // Where nobody is there to press it, the error that follows says all.
    let _ = host.terminal.ask_secret(&told);
}

/// An officer's new passphrase: from her file, or asked twice on the terminal. `about` are words that a guesser would
/// try first, such as her name and the Factory's.
///
/// # Errors
/// It is too weak, the two entries differ, or there is nobody to ask.
pub(crate) fn choose(
    host: &Host,
    files: &PassphraseFiles,
    name: &OfficerName,
    about: &[&str],
) -> CustodyResult<SecretString> {
    if let Some(given) = files.read(host, name)? {
        check_strength(&given, about)?;
        return Ok(given);
    }
    let first = format!("New passphrase for {name} (at least {LEAST_CHARACTERS} characters, not shown): ");
    for left in (0..ATTEMPTS).rev() {
        let given = ask(host, name, &first)?;
        if let Err(weak) = check_strength(&given, about) {
            if left == 0 {
                hold(host, &weak.to_string());
                return Err(weak);
            }
            host.terminal.err(&format!("{weak}{}\n", if left == 1 { ". The last try." } else { "" }));
            continue;
        }
        let again = ask(host, name, "The same passphrase again: ")?;
        if given.expose_secret() == again.expose_secret() {
            return Ok(given);
        }
        match left {
            0 => {}
            1 => host.terminal.err("The two differ. Once more, the last try.\n"),
            _ => host.terminal.err("The two differ. Once more.\n"),
        }
    }
    hold(host, "The two differ");
    Err(CustodyError::PassphrasesDiffer)
}

/// Is this a passphrase that may protect a key?
///
/// The least is [`LEAST_CHARACTERS`] characters and an estimate of 10^8 guesses (zxcvbn's score 3). Each guess costs a
/// second and 256 MiB through scrypt, so 10^8 are three years of one processor core.
///
/// # Errors
/// [`CustodyError::WeakPassphrase`] with a sentence that says what would help.
pub(crate) fn check_strength(passphrase: &SecretString, about: &[&str]) -> CustodyResult<()> {
    const ADVICE: &str = "Six unrelated words make a good one";
    let text = passphrase.expose_secret();
    let weak = |why: String| Err(CustodyError::WeakPassphrase(why));
    if text.len() > MOST_BYTES {
        return weak(format!("it has more than {MOST_BYTES} bytes"));
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return weak("it holds control characters, or white space at an end, which nobody sees".to_owned());
    }
    let count = text.chars().count();
    if count < LEAST_CHARACTERS {
        return weak(format!("it has {count} characters, at least {LEAST_CHARACTERS} are needed. {ADVICE}"));
    }
    let estimate = zxcvbn::zxcvbn(text, about);
    if estimate.score() >= Score::Three {
        return Ok(());
    }
    let warning = estimate.feedback().and_then(|feedback| feedback.warning());
    let warning = warning.map(|words| format!("{words} ")).unwrap_or_default();
    let power = estimate.guesses_log10().max(0.0).floor();
    weak(format!("about 10^{power} guesses would find it, and 10^8 are the least. {warning}{ADVICE}"))
}

/// How long to wait after so many wrong passphrases in a row, in milliseconds: a second, doubling, at most 64 seconds.
pub(crate) fn delay_after(failures: u32) -> u64 {
    match failures {
        0 => 0,
        1..=6 => 1000 << (failures - 1),
        _ => LONGEST_DELAY_MS,
    }
}

/// An officer's wrong passphrases in a row, as the log has them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Failures {
    /// How many.
    pub count: u32,
    /// When the last one came.
    pub last: Option<Stamp>,
}

impl Failures {
    /// What is left of the delay that they ask for, in milliseconds. A program that is started anew waits no less than
    /// one that went on.
    pub(crate) fn still_to_wait(&self, now: &Stamp) -> u64 {
        let Some(last) = &self.last else { return 0 };
        let delay = delay_after(self.count);
        // Within one run of the machine its uptime counts, which nobody can set.
        let since = if last.boot == now.boot {
            now.uptime_ms.checked_sub(last.uptime_ms)
        } else {
            let seconds = now.time.unix().saturating_sub(last.time.unix());
            u64::try_from(seconds).ok().map(|seconds| seconds.saturating_mul(1000))
        };
        // A clock that went back says nothing of how long it was.
        delay.saturating_sub(since.unwrap_or(0))
    }
}

fn seconds(milliseconds: u64) -> String {
    match milliseconds.div_ceil(1000) {
        1 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}

/// Waits for what is left of the delay after the failures so far, and says so.
fn wait_before(host: &Host, name: &OfficerName, failures: &Failures) {
    let left = failures.still_to_wait(&host.stamp());
    if left == 0 {
        return;
    }
    let wrong = if failures.count == 1 { "passphrase" } else { "passphrases" };
    host.terminal.err(&format!(
        "{} wrong {wrong} for {name} so far: waiting {}; what is typed meanwhile is thrown away.\n",
        failures.count,
        seconds(left)
    ));
    wait(host, left);
}

/// Waits, and counts down where somebody sees it.
fn wait(host: &Host, milliseconds: u64) {
    let shown = host.terminal.busy("");
    let mut left = milliseconds;
    while left > 0 {
        shown.count_down(&format!("{} more", seconds(left)));
        let step = left.min(1000);
        host.clock.sleep(step);
        left -= step;
    }
}

/// Opens an officer's identity: from her file in one attempt, on the terminal in three. `failures` are the wrong
/// passphrases in a row that the log already holds for her; what is left of the delay after them is waited for first.
/// Each further one is told to `on_failure`, which logs it, and is followed by a delay, before anything else happens.
///
/// # Errors
/// As [`officer::open`]; there is nobody to ask; or `on_failure` failed.
pub(crate) fn unlock<E: From<CustodyError>>(
    host: &Host,
    folder: &Path,
    public: &OfficerPublic,
    files: &PassphraseFiles,
    failures: &Failures,
    on_failure: &mut dyn FnMut(&OfficerName, u32) -> Result<(), E>,
) -> Result<OpenOfficer, E> {
    let name = &public.name;
    // That she has left is said before a passphrase is typed.
    if !public.is_active() {
        return Err(CustodyError::Retired(name.clone()).into());
    }
    let attempts = if files.has(name) { 1 } else { ATTEMPTS };
    // Also who ends the program while it waits is told.
    let _prompting = host.terminal.prompting();
    // The program may have been ended while it waited.
    wait_before(host, name, failures);
    let mut failures = failures.count;
    let mut attempt = 1;
    loop {
        let passphrase = match files.read(host, name)? {
            Some(given) => given,
            None => ask(host, name, &format!("{name}, your passphrase: "))?,
        };
        let busy = host.terminal.busy(&format!("opening the identity of {name}"));
        let opened = officer::open(host.disk.as_ref(), folder, public, passphrase);
        drop(busy);
        match opened {
            Err(wrong @ CustodyError::WrongPassphrase(_)) => {
                failures = failures.saturating_add(1);
                on_failure(name, failures)?;
                let delay = delay_after(failures);
                host.terminal.err(&format!(
                    "{wrong}. Waiting {}; what is typed meanwhile is thrown away.\n",
                    seconds(delay)
                ));
                wait(host, delay);
                if attempt == attempts {
                    if !files.has(name) {
                        hold(host, &wrong.to_string());
                    }
                    return Err(wrong.into());
                }
                let last = if attempt + 1 == attempts { ", the last try" } else { "" };
                host.terminal.err(&format!("Once more{last}.\n"));
            }
            other => return Ok(other?),
        }
        attempt += 1;
    }
}

#[cfg(test)]
mod tests;
