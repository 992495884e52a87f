//! Every screen as it is, in tests/transcripts: a file a screen, to be read without Rust. The files are the script, too:
//! they are played in the order of their names, on one laptop with a clock that stands still, and must come out as they are.
//!
//! A line that begins with `$ ` is typed into a shell. `> ` is what is typed at the prompts, in order: `{words}` stands for the
//! six words of the newest review, `{passphrase of ann}` for hers, `{keyid}` and `{id}` for the key's and the newest request's,
//! `{root}` for those on the paper that came another way. Everything else is what is shown; `{head}` stands for the log's head,
//! which changes with every version of the program.
//! To write them anew: TRANSCRIPTS=write cargo test --test suite transcripts

use crate::common;

use common::{Desk, fixture, passphrase_of};
use countersign::testing::cli;
use countersign::testing::tlog::note::Note;
use countersign::testing::words;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// A laptop, a stick in it, and what the connected machine downloaded.
struct Laptop {
    desk: Desk,
    keyid: String,
}

impl Laptop {
    fn new() -> Laptop {
        let mut desk = Desk::new();
        // A path that is equally long everywhere: lines break where they do.
        desk.folder = tempfile::tempdir_in("/tmp").expect("a folder");
        let stick = desk.path("stick");
        std::fs::create_dir(&stick).expect("made");
        common::copy_folder(&fixture("acme/2-update"), &desk.path("download"));
        common::copy_folder(&fixture("acme/3-prune"), &desk.path("download-43"));
        std::fs::copy(fixture("acme/targets.keys.tgz"), stick.join("targets.keys.tgz")).expect("copied");
        Laptop { desk, keyid: String::new() }
    }

    fn root(&self) -> String {
        self.desk.folder.path().to_string_lossy().into_owned()
    }

    /// Types a line into a shell, and what is asked for; returns what stands on the screen after it.
    fn types(&mut self, line: &str, typed: &[&str]) -> String {
        for one in typed {
            match one.strip_prefix("{passphrase of ").and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => self.desk.terminal.secrets.lock().expect("lock").push_back(passphrase_of(name)),
                None => {
                    let answer = self.filled(one);
                    self.desk.terminal.answers.lock().expect("lock").push_back(answer);
                }
            }
        }
        let mut arguments: Vec<OsString> = vec!["countersign".into(), "--station".into()];
        arguments.push(self.desk.station().into());
        let line = self.filled(line);
        let words = line.strip_prefix("countersign ").expect("a command of this program");
        arguments.extend(split(words).iter().map(|word| self.placed(word).into()));
        if words.starts_with("officer add") {
            // Not what she types: without it each identity would take its second.
            arguments.extend(["--work-factor".into(), "12".into()]);
        }
        self.desk.terminal.screen.lock().expect("lock").clear();
        let exit = cli::run(arguments, &self.desk.host);
        let shown = self.desk.terminal.screen.lock().expect("lock").clone();
        let left = self.desk.terminal.answers.lock().expect("lock").len()
            + self.desk.terminal.secrets.lock().expect("lock").len();
        assert_eq!(left, 0, "not all was asked for by: {line}\n{shown}");
        let mut shown = self.plain(&shown);
        if exit as u8 != 0 {
            writeln!(shown, "[exit code {}]", exit as u8).expect("a string");
        }
        if words.starts_with("key import") {
            self.keyid = self.desk.run(&["--json", "key", "list"]).json()[0]["keyid"]
                .as_str()
                .expect("an id")
                .to_owned();
        }
        shown
    }

    /// What stands for something in a transcript, put in.
    fn filled(&self, text: &str) -> String {
        let text = text.replace("{enter}", "").replace("{keyid}", self.keyid.get(..12).unwrap_or_default());
        if text.contains("{root}") {
            let fingerprint = common::fingerprint(&self.desk.path("download/prod-roots"));
            return words::of(&hex::decode(fingerprint).expect("hex")[..6]);
        }
        if !text.contains("{words}") && !text.contains("{id}") {
            return text;
        }
        let review = self.desk.run(&["--json", "review"]).json();
        let member = |name: &str| review[name].as_str().expect("text").to_owned();
        text.replace("{words}", &member("confirm")).replace("{id}", &member("request")[..12])
    }

    /// A word of a command, in this laptop's folder.
    fn placed(&self, word: &str) -> String {
        ["download", "stick"].iter().fold(word.to_owned(), |word, place| {
            if word.starts_with(place) { format!("{}/{word}", self.root()) } else { word }
        })
    }

    /// What is shown, without what is another on every machine, and with every version.
    fn plain(&self, shown: &str) -> String {
        let mut text = shown.replace(&format!("{}/", self.root()), "").replace(&self.root(), ".");
        let head = std::fs::read(self.desk.station().join("log/checkpoint"));
        if let Some(root) = head.ok().and_then(|head| root_of(&head)) {
            text = text.replace(&hex::encode(root), "{head}").replace(&words::confirmation(&root), "{head}");
            text = text.replace(&words::of(&root), "{head}").replace(&base64(&root), "{head}");
        }
        let mut is_programs = false;
        let mut out = String::new();
        for line in text.lines() {
            // The path of the program, and where its line breaks for it.
            let begins = line.starts_with("  pass  ");
            is_programs = line.starts_with("  pass  program") || (is_programs && !begins && !line.is_empty());
            if is_programs && !begins {
                continue;
            }
            let line = if is_programs { "  pass  program      {program}".to_owned() } else { masked(line) };
            writeln!(out, "{line}").expect("a string");
        }
        out
    }
}

/// A line without what was drawn at random, and without heads that stood before the command's own end.
fn masked(line: &str) -> String {
    if line.starts_with("  log head") {
        return "  log head    {head}".to_owned();
    }
    for (start, instead) in [(" entries, root ", "{head}"), ("\u{2014} ", "{signature}"), ("CS1:", "{slip}")]
    {
        if let Some(at) = line.find(start) {
            return format!("{}{instead}", &line[..at + start.len()]);
        }
    }
    // How many codes a sheet has depends on how its random bytes are written.
    if let Some((sheets, rest)) = line.split_once(" sheets with ") {
        let rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
        return format!("{sheets} sheets with {{count}} {rest}");
    }
    let words = line.split(' ').map(|word| if word.starts_with("age1") { "{recipient}" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn root_of(head: &[u8]) -> Option<[u8; 32]> {
    let note = Note::parse(head).ok()?;
    Some(countersign::testing::tlog::checkpoint::Checkpoint::parse_text(note.text()).ok()?.root)
}

/// Words as a shell makes them, as far as the transcripts need it.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Plays a transcript: what was typed stays, what was shown is what is shown now.
fn play(laptop: &mut Laptop, script: &str) -> String {
    let mut out = String::new();
    let lines: Vec<&str> = script.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            let typed: Vec<&str> = lines[at + 1..].iter().map_while(|line| line.strip_prefix("> ")).collect();
            writeln!(out, "{line}").expect("a string");
            typed.iter().for_each(|one| writeln!(out, "> {one}").expect("a string"));
            let shown = laptop.types(command, &typed);
            out.push_str(&shown);
            out.push_str(if shown.is_empty() || shown.ends_with('\n') { "" } else { "\n" });
        }
    }
    out
}

#[test]
fn every_screen_is_as_its_transcript_shows_it() {
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(folder()).expect("listed").map(|entry| entry.expect("read").path()).collect();
    names.sort();
    assert!(names.len() > 20, "{}", names.len());
    let mut laptop = Laptop::new();
    let mut differing = Vec::new();
    for name in names {
        let script = std::fs::read_to_string(&name).expect("a transcript");
        let played = play(&mut laptop, &script);
        if std::env::var_os("TRANSCRIPTS").is_some_and(|what| what == "write") {
            std::fs::write(&name, &played).expect("written");
        } else if played != script {
            let line = played.lines().zip(script.lines()).find(|(now, then)| now != then);
            differing.push(format!("{}: {line:?}", name.display()));
        }
    }
    assert!(
        differing.is_empty(),
        "these screens are others now (read them, then TRANSCRIPTS=write cargo test --test suite transcripts):\n{}",
        differing.join("\n")
    );
}

#[test]
fn every_verb_of_the_station_has_a_screen() {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder()).expect("listed") {
        all += &std::fs::read_to_string(entry.expect("read").path()).expect("a transcript");
    }
    // `settle` and `anchor` need a station that something happened to: tests/suite/heads.rs and log_crash.rs show them.
    for verb in cli::command().get_subcommands().map(clap::Command::get_name) {
        if !["help", "settle", "anchor", "completions", "man", "rehearse"].contains(&verb) {
            assert!(all.contains(&format!("$ countersign {verb}")), "no transcript of {verb}");
        }
    }
}

/// Lines of a screen as a picture of a terminal, with its text in it.
fn picture(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().flat_map(|line| wrapped(line)).collect();
    let height = 24 + 18 * lines.len();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {height}\" role=\"img\" aria-labelledby=\"title\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\" font-size=\"13\">\n\
         <title id=\"title\">The last screens of countersign run: the words, two passphrases, the bundle, the lines for paper</title>\n\
         <style>text {{ white-space: pre }}</style>\n\
         <rect width=\"860\" height=\"{height}\" rx=\"8\" fill=\"#16181d\"/>\n<g fill=\"#e6e6e6\" xml:space=\"preserve\">\n"
    );
    for (at, line) in lines.iter().enumerate() {
        let line = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        writeln!(out, "<text x=\"14\" y=\"{}\">{line}</text>", 26 + 18 * at).expect("a string");
    }
    out + "</g>\n</svg>\n"
}

/// A line as a terminal of 80 columns has it: broken at a space.
fn wrapped(mut line: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    while line.len() > 80 {
        let Some(at) = line.get(..80).and_then(|start| start.rfind(' ')).filter(|at| *at > 0) else { break };
        let (start, rest) = line.split_at(at);
        lines.push(start);
        line = rest.trim_start();
    }
    lines.push(line);
    lines
}

#[test]
fn the_picture_of_run_is_the_end_of_its_transcript() {
    let transcript = std::fs::read_to_string(folder().join("16-run.txt")).expect("a transcript");
    let lines: Vec<&str> = transcript.lines().collect();
    let start = lines.iter().rposition(|line| line.starts_with("Step 5 of 6")).expect("the fifth step");
    let picture = picture(&lines[start - 1..]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures/run.svg");
    if std::env::var_os("TRANSCRIPTS").is_some_and(|what| what == "write") {
        std::fs::write(&file, &picture).expect("written");
    }
    let shown = std::fs::read_to_string(&file).expect("the picture");
    assert_eq!(shown, picture, "TRANSCRIPTS=write cargo test --test suite transcripts, twice");
}
