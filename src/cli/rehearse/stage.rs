//! How a rehearsal is given: by itself, screen by screen, or with every command typed by hand.

use super::super::{Context, Exit, Failure, run as command};
use crate::host::Host;
use crate::host::terminal::{Aside, Terminal};
use crate::text::shown_path;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Nobody: it runs through.
    Through,
    /// The commands type themselves; words and answers are hers.
    Paused,
    /// She types everything.
    HandsOn,
}

/// One command of the ceremony.
pub(super) struct Act<'a> {
    /// Why it is done.
    why: &'a str,
    /// Its verb, such as `officer add`.
    verb: &'a str,
    /// What follows the verb.
    arguments: Vec<String>,
    /// What must be among the arguments when she types them.
    insists: &'a [&'a str],
    /// Whose passphrases it asks for.
    officers: &'a [&'a str],
    /// The argument that stands for what she types at its prompts.
    typed: Option<(&'a str, String)>,
    /// How it ends.
    ends: Exit,
}

/// A command that was typed, and how it ended.
struct Past {
    words: Vec<String>,
    exit: Exit,
}

/// Why a rehearsal ends before its end.
#[derive(Debug)]
pub(super) enum End {
    /// Somebody stopped.
    Stopped,
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for End {
    fn from(e: E) -> End {
        End::Failed(e.into())
    }
}

/// Where it is given.
pub(super) struct Stage<'c, 'h> {
    context: &'c Context<'h>,
    pub(super) form: Form,
    pub(super) host: Host,
    pub(super) dir: &'c Path,
    /// What she typed and no act has counted yet: out of order is no mistake.
    past: Vec<Past>,
}

impl<'c, 'h> Stage<'c, 'h> {
    pub(super) fn new(context: &'c Context<'h>, form: Form, dir: &'c Path) -> Result<Stage<'c, 'h>, Failure> {
        if form == Form::HandsOn {
            // So that she types short paths.
            std::env::set_current_dir(dir)?;
        }
        let host = match form {
            Form::Through => quiet(context.host, !context.global.json),
            Form::Paused | Form::HandsOn => on(context.host, context.host.terminal.clone()),
        };
        Ok(Stage { context, form, host, dir, past: Vec::new() })
    }

    /// A place in the rehearsal's folder.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    pub(super) fn station(&self) -> PathBuf {
        self.at("station")
    }

    /// The file with an officer's made-up passphrase.
    pub(super) fn passphrase(&self, officer: &str) -> PathBuf {
        self.at(&format!("{officer}.passphrase"))
    }

    pub(super) fn part(&self, title: &str) -> Result<(), Failure> {
        self.say(&format!("\n\n{title}\n{}\n", "=".repeat(title.len())))
    }

    pub(super) fn say(&self, text: &str) -> Result<(), Failure> {
        self.context.text(text)
    }

    /// Has one command done, by whoever types.
    pub(super) fn act(&mut self, act: &Act<'_>) -> Result<(), End> {
        self.say(&format!("\n# {}\n", act.why.replace('\n', "\n# ")))?;
        match self.form {
            Form::Through => {
                let words = self.words(act, true, true);
                self.show(&words)?;
                let exit = self.run(&words);
                if exit == act.ends {
                    return Ok(());
                }
                let command = format!("countersign {}", self.shown(&words));
                Err(Failure::new(exit, format!("the rehearsal stopped at `{command}`")).into())
            }
            Form::Paused => {
                let words = self.words(act, true, false);
                loop {
                    self.show(&words)?;
                    let (is_done, on) = match self.run(&words) {
                        exit if exit == act.ends => (true, "go on"),
                        _ => (false, "try again"),
                    };
                    self.ask(&format!("\nEnter: {on}   q: stop here > "))?;
                    if is_done {
                        return Ok(());
                    }
                }
            }
            Form::HandsOn => self.by_hand(act),
        }
    }

    /// The command as it is given: with files of passphrases, and with what would be typed, where nobody types those.
    fn words(&self, act: &Act<'_>, with_passphrases: bool, with_typed: bool) -> Vec<String> {
        let mut words: Vec<String> = act.verb.split(' ').map(str::to_owned).collect();
        words.extend(act.arguments.iter().cloned());
        if let Some((name, value)) = act.typed.as_ref().filter(|_| with_typed) {
            words.extend([(*name).to_owned(), value.clone()]);
        }
        for officer in act.officers.iter().filter(|_| with_passphrases) {
            let file = self.passphrase(officer);
            words.extend(["--passphrase-file".to_owned(), format!("{officer}={}", file.to_string_lossy())]);
        }
        words
    }

    fn by_hand(&mut self, act: &Act<'_>) -> Result<(), End> {
        loop {
            if let Some(at) = self.past.iter().position(|past| act.is(past)) {
                self.past.remove(at);
                return Ok(());
            }
            let line = self.ask("\npractice (hint, skip, q) $ ")?;
            let words = match line.as_str() {
                "" => continue,
                "hint" => {
                    self.show(&self.words(act, false, false))?;
                    continue;
                }
                "skip" => {
                    let words = self.words(act, false, false);
                    self.show(&words)?;
                    words
                }
                typed => match split(typed) {
                    Some(words) => words,
                    None => {
                        self.say("A quotation mark is open: close it.\n")?;
                        continue;
                    }
                },
            };
            let exit = self.run(&words);
            let past = Past { words, exit };
            if act.is_of_its_verb(&past) && !act.is(&past) {
                self.say("\nThis is not done yet; \"hint\" shows what is asked for.\n")?;
            }
            self.past.push(past);
        }
    }

    /// Has a command done that nobody sees, as by somebody who came before.
    pub(super) fn unseen(&self, act: &Act<'_>) -> Result<(), End> {
        let host = quiet(self.context.host, false);
        match command(self.whole(&self.words(act, true, true)), &host) {
            exit if exit == act.ends => Ok(()),
            exit => Err(Failure::new(exit, format!("the rehearsal cannot prepare its {}", act.verb)).into()),
        }
    }

    /// Runs a command as an officer would.
    fn run(&self, words: &[String]) -> Exit {
        command(self.whole(words), &self.host)
    }

    fn whole(&self, words: &[String]) -> Vec<OsString> {
        let station = OsString::from(self.station());
        let words = words.iter().map(OsString::from);
        ["countersign".into(), "--station".into(), station].into_iter().chain(words).collect()
    }

    fn show(&self, words: &[String]) -> Result<(), Failure> {
        self.say(&format!("\n$ countersign {}\n", self.shown(words)))
    }

    /// A command as it is typed in the rehearsal's folder.
    fn shown(&self, words: &[String]) -> String {
        let folder = format!("{}/", self.dir.to_string_lossy());
        let quoted = |word: &String| {
            let word = word.replace(&folder, "");
            if word.contains(' ') { format!("\"{word}\"") } else { word }
        };
        words.iter().map(quoted).collect::<Vec<_>>().join(" ")
    }

    /// What was answered. A terminal that was closed is a `q`.
    fn ask(&self, prompt: &str) -> Result<String, End> {
        match self.context.host.terminal.ask(prompt) {
            Ok(line) if matches!(line.trim(), "q" | "Q") => Err(End::Stopped),
            Ok(line) => Ok(line.trim().to_owned()),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(End::Stopped),
            Err(e) => Err(e.into()),
        }
    }

    /// Where it all lies, for those who type along.
    pub(super) fn opening(&self) -> Result<(), Failure> {
        let dir = shown_path(self.dir);
        match self.form {
            Form::Through => self
                .say(&format!("$ cd {dir}\n$ export COUNTERSIGN_STATION={}\n", shown_path(&self.station()))),
            Form::Paused => self.say(&format!(
                "A rehearsal. Factory, keys and passphrases are made up, and lie in\n  {dir}\n\
                 Each command types itself; the words and the answers are yours.\nAbout ten minutes.\n"
            )),
            Form::HandsOn => self.say(&format!(
                "A practice station. Factory and keys are made up, and lie in\n  {dir}\n\
                 where you are now. You type every command, as at the laptop:\n\
                 countersign VERB, and --help after any of them. About twenty minutes.\n\n\
                 \"hint\" shows the command, \"skip\" types it for you, \"q\" stops.\n"
            )),
        }
    }
}

/// A host on which nobody is asked and nothing is paged.
fn quiet(real: &Host, speaks: bool) -> Host {
    on(real, Arc::new(Aside::new(real.terminal.clone(), speaks)))
}

/// The same host with another terminal.
fn on(real: &Host, terminal: Arc<dyn Terminal>) -> Host {
    Host {
        clock: real.clock.clone(),
        random: real.random.clone(),
        terminal,
        disk: real.disk.clone(),
        machine: real.machine.clone(),
    }
}

impl<'a> Act<'a> {
    pub(super) fn new(why: &'a str, verb: &'a str, arguments: &[&str]) -> Act<'a> {
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        Act { why, verb, arguments, insists: &[], officers: &[], typed: None, ends: Exit::Done }
    }

    pub(super) fn insisting_on(self, insists: &'a [&'a str]) -> Act<'a> {
        Act { insists, ..self }
    }

    pub(super) fn by(self, officers: &'a [&'a str]) -> Act<'a> {
        Act { officers, ..self }
    }

    pub(super) fn typing(self, argument: &'a str, value: String) -> Act<'a> {
        Act { typed: Some((argument, value)), ..self }
    }

    pub(super) fn ending_with(self, ends: Exit) -> Act<'a> {
        Act { ends, ..self }
    }

    /// Is this what was to be done?
    fn is(&self, past: &Past) -> bool {
        let has = |wanted: &&str| past.words.iter().any(|word| word.contains(*wanted));
        past.exit == self.ends && self.is_of_its_verb(past) && self.insists.iter().all(has)
    }

    fn is_of_its_verb(&self, past: &Past) -> bool {
        let verb = || self.verb.split(' ');
        past.words.iter().map(String::as_str).take(verb().count()).eq(verb())
    }
}

/// Words as a shell makes them, without the program's name before them; `None` when a quotation mark is open.
fn split(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in line.chars() {
        match (character, quote) {
            (mark, Some(open)) if mark == open => quote = None,
            (mark @ ('"' | '\''), None) => {
                quote = Some(mark);
                word.get_or_insert_default();
            }
            (' ' | '\t', None) => words.extend(word.take()),
            (other, _) => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    if words.first().is_some_and(|first| first == "countersign") {
        words.remove(0);
    }
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_line_is_split_as_a_shell_would() {
        let words = split("countersign  reject ab --reason \"not 'built' here\" ''").expect("words");
        assert_eq!(words, ["reject", "ab", "--reason", "not 'built' here", ""]);
        assert_eq!(split("status"), Some(vec!["status".to_owned()]));
        assert_eq!(split("reject --reason \"open"), None);
    }

    #[test]
    fn an_act_is_done_by_its_verb_its_end_and_what_it_insists_on() {
        let act = Act::new("", "officer add", &["ann"]).insisting_on(&["ann"]);
        let past = |line, exit| Past { words: split(line).expect("words"), exit };
        assert!(act.is(&past("officer add ann", Exit::Done)));
        assert!(!act.is(&past("officer add ann", Exit::Failed)));
        assert!(!act.is(&past("officer add bob", Exit::Done)));
        assert!(!act.is(&past("officer", Exit::Done)));
    }
}
