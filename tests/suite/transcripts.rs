//! Every screen as it is, in tests/transcripts: a file a screen, to be read without Rust. The files are the script, too:
//! they are played in the order of their names, on one laptop with a clock that stands still, and must come out as they are.
//!
//! A line that begins with `$ ` is typed into a shell; `date -s TIME` sets the laptop's clock. `* ` is what happens, and
//! [`POWER`] does happen. `> ` is what is typed at the prompts, in order: `{words}` stands for the six words of the newest
//! review, `{words above}` for those that stand last on the screen, `{passphrase of ann}` for hers, `{keyid}` and `{id}` for the
//! key's and the newest request's, `{intent}` for the newest entry of an intent to sign, `{stop}` for the newest head that came
//! back, `{root}` for those on the paper that came another way. Everything else is what is shown;
//! `{head}` stands for a head of the log, which changes with every version of the program. A line of the screen that begins as one of these has a space before it.
//! To write them anew: TRANSCRIPTS=write cargo test --test suite transcripts

use crate::common;

use crate::custody_paper::scans;
use crate::support::failing_disk::Failing;
use common::{Desk, fixture, passphrase_of};
use countersign::testing::cli;
use countersign::testing::host::RealDisk;
use countersign::testing::tlog::note::Note;
use countersign::testing::words;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// What happens at the next command.
const POWER: &str = "* The power fails when the intent to sign is in the log, and nothing else is yet.";
/// How pictures of paper become text.
const SCAN: &str = "zbarimg -q --raw -Sdisable -Sqrcode.enable ";
/// What the laptop's commands name.
const PLACES: [&str; 8] =
    ["download", "download-43", "download-44", "stick", "station", "practice", "auditor", "policy.toml"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// The transcripts whose names satisfy `is_one`, in their order.
fn transcripts(is_one: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder()).expect("listed").map(|entry| entry.expect("read").path());
    let mut names: Vec<PathBuf> =
        all.filter(|path| path.file_name().is_some_and(|name| is_one(&name.to_string_lossy()))).collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

/// A rehearsal has a station of its own.
fn is_rehearsal(name: &str) -> bool {
    name.contains("rehearse")
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
        common::copy_folder(&fixture("acme/4-after-cancel"), &desk.path("download-44"));
        std::fs::copy(fixture("acme/targets.keys.tgz"), stick.join("targets.keys.tgz")).expect("copied");
        Laptop { desk, keyid: String::new() }
    }

    fn root(&self) -> String {
        self.desk.folder.path().to_string_lossy().into_owned()
    }

    /// Types a line into a shell, and what is asked for; returns what stands on the screen after it.
    fn types(&mut self, line: &str, typed: &[&str]) -> String {
        let line = self.filled(line);
        if let Some(time) = line.strip_prefix("date -s ") {
            self.desk.clock.set(time);
            return String::new();
        }
        if !line.starts_with("countersign") {
            return self.shell(&line);
        }
        for one in typed {
            match one.strip_prefix("{passphrase of ").and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => self.desk.terminal.secrets.lock().expect("lock").push_back(passphrase_of(name)),
                None if one.starts_with("{a wrong ") || one.starts_with("{a short ") => {
                    self.desk.terminal.secrets.lock().expect("lock").push_back((*one).to_owned());
                }
                None => {
                    let answer = self.filled(one);
                    self.desk.terminal.answers.lock().expect("lock").push_back(answer);
                }
            }
        }
        let (command, file) =
            line.split_once(" > ").map_or((line.as_str(), None), |(one, file)| (one, Some(file)));
        let (mut shown, exit) = self.runs(command);
        if let Some(file) = file {
            let out = self.desk.terminal.out.lock().expect("lock").clone();
            std::fs::write(self.desk.path(file), &out).expect("written");
            shown = shown.replace(&out, "");
        }
        let left = self.desk.terminal.answers.lock().expect("lock").len()
            + self.desk.terminal.secrets.lock().expect("lock").len();
        assert_eq!(left, 0, "not all was asked for by: {line}\n{shown}");
        let mut shown = self.plain(&shown);
        if exit as u8 != 0 {
            writeln!(shown, "[exit code {}]", exit as u8).expect("a string");
        }
        if line.starts_with("countersign key import") {
            self.keyid = self.desk.run(&["--json", "key", "list"]).json()[0]["keyid"]
                .as_str()
                .expect("an id")
                .to_owned();
        }
        shown
    }

    /// Runs a command of the station's program, or of the auditor's.
    fn runs(&self, line: &str) -> (String, cli::Exit) {
        let (program, words) = line.split_once(' ').expect("a command");
        let words: Vec<OsString> = split(words).iter().map(|word| self.placed(word).into()).collect();
        self.desk.terminal.screen.lock().expect("lock").clear();
        self.desk.terminal.out.lock().expect("lock").clear();
        let exit = match program {
            "countersign-audit" => cli::audit::run([vec![program.into()], words].concat(), &self.desk.host),
            _ => {
                let station = vec![program.into(), "--station".into(), self.desk.station().into()];
                // Not what she types: without it each identity would take its second.
                let quick = ["officer add", "officer passphrase"].iter().any(|verb| line.contains(verb));
                let factor = if quick { vec!["--work-factor".into(), "12".into()] } else { Vec::new() };
                cli::run([station, words, factor].concat(), &self.desk.host)
            }
        };
        (self.desk.terminal.screen.lock().expect("lock").clone(), exit)
    }

    /// A command of the shell, in the laptop's folder. Pictures are scanned here.
    fn shell(&self, line: &str) -> String {
        if let Some((pictures, file)) = line.strip_prefix(SCAN).and_then(|rest| rest.split_once("/*.png > "))
        {
            let codes = scans(&self.desk.path(pictures), &["key"]);
            std::fs::write(self.desk.path(file), codes.join("\n")).expect("written");
            return String::new();
        }
        let output =
            Command::new("sh").args(["-c", line]).current_dir(&self.desk.folder).output().expect("a shell");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        self.plain(&String::from_utf8_lossy(&output.stdout))
    }

    /// Types a line on a machine that dies as soon as an intent to sign is in the log.
    fn loses_power(&mut self, line: &str, typed: &[&str]) -> String {
        let typed: Vec<String> = typed.iter().map(|one| self.filled(one)).collect();
        let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
        let kept = self.desk.path("before");
        let lines =
            std::fs::read_to_string(self.desk.station().join("log/events/000000.jsonl")).expect("the log");
        let before = last_intent(&lines);
        let log = self.desk.station().join("log");
        let is_in_doubt = || {
            let lines = std::fs::read_to_string(log.join("events/000000.jsonl")).expect("the log");
            let intent = last_intent(&lines);
            let covered = std::fs::read_dir(log.join("checkpoints"))
                .expect("listed")
                .filter_map(|file| file.expect("a file").file_name().to_str()?.parse::<usize>().ok());
            intent > before && covered.max() > intent
        };
        std::fs::rename(self.desk.station(), &kept).expect("moved");
        let (mut without, mut with) = (0, 128);
        while without + 1 < with {
            let steps = usize::midpoint(without, with);
            // What an earlier try left.
            let _ = std::fs::remove_dir_all(self.desk.station());
            common::copy_folder(&kept, &self.desk.station());
            self.desk.host.disk = Arc::new(Failing::dead_after(steps));
            self.types(line, &typed);
            self.desk.host.disk = Arc::new(RealDisk);
            *if is_in_doubt() { &mut with } else { &mut without } = steps;
        }
        let _ = std::fs::remove_dir_all(self.desk.station());
        std::fs::rename(&kept, self.desk.station()).expect("moved back");
        self.desk.host.disk = Arc::new(Failing::dead_after(with));
        self.types(line, &typed);
        self.desk.host.disk = Arc::new(RealDisk);
        assert!(is_in_doubt(), "it signed, or did not begin to");
        String::new()
    }

    /// What stands for something in a transcript, put in.
    fn filled(&self, text: &str) -> String {
        let text = text.replace("{enter}", "").replace("{keyid}", self.keyid.get(..12).unwrap_or_default());
        for (name, kind) in [("{intent}", "sign.intent"), ("{stop}", "anchor.judged")] {
            if text.contains(name) {
                let entries = self.desk.run(&["--json", "log", "show", "--type", kind]).json();
                let newest = entries.as_array().and_then(|all| all.last()).expect("an entry");
                return text.replace(name, &newest["seq"].to_string());
            }
        }
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

    /// The heads of the logs that are here.
    fn heads(&self) -> Vec<[u8; 32]> {
        let logs = ["station", "practice/station", "station-of-monday"]
            .map(|log| self.desk.path(log).join("log/checkpoints"));
        let files = logs.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
        files.filter_map(|file| root_of(&std::fs::read(file.ok()?.path()).ok()?)).collect()
    }

    /// A word of a command, in this laptop's folder.
    fn placed(&self, word: &str) -> String {
        let is_placed = PLACES.contains(&word.split('/').next().unwrap_or_default());
        if is_placed { format!("{}/{word}", self.root()) } else { word.to_owned() }
    }

    /// What is shown, without what is another on every machine, and with every version.
    fn plain(&self, shown: &str) -> String {
        let mut text = shown.replace(&format!("{}/", self.root()), "").replace(&self.root(), ".");
        // What she does not type.
        text = text.replace(" --station station", "").replace(" --work-factor 12", "");
        for root in self.heads() {
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
            let space = if ["$ ", "> ", "* "].iter().any(|mark| line.starts_with(mark)) { " " } else { "" };
            writeln!(out, "{space}{line}").expect("a string");
        }
        out
    }
}

/// Which line of a log is the last intent to sign.
fn last_intent(lines: &str) -> Option<usize> {
    let intents = lines.lines().enumerate().filter(|(_, line)| line.contains("\"sign.intent\""));
    intents.last().map(|(at, _)| at)
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
    let mut happens = "";
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("* ") {
            writeln!(out, "{line}").expect("a string");
            happens = line;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            let typed: Vec<&str> = lines[at + 1..].iter().map_while(|line| line.strip_prefix("> ")).collect();
            writeln!(out, "{line}").expect("a string");
            typed.iter().for_each(|one| writeln!(out, "> {one}").expect("a string"));
            let shown = match std::mem::take(&mut happens) {
                POWER => laptop.loses_power(command, &typed),
                _ => laptop.types(command, &typed),
            };
            out.push_str(&shown);
            out.push_str(if shown.is_empty() || shown.ends_with('\n') { "" } else { "\n" });
        }
    }
    out
}

#[test]
fn every_screen_is_as_its_transcript_shows_it() {
    are_as_shown(transcripts(|name| !is_rehearsal(name)));
}

#[test]
fn a_rehearsal_that_runs_through_is_as_its_transcript_shows_it() {
    are_as_shown(transcripts(|name| is_rehearsal(name) && name.contains("through")));
}

#[test]
fn a_rehearsal_screen_by_screen_is_as_its_transcript_shows_it() {
    are_as_shown(transcripts(|name| is_rehearsal(name) && name.contains("screens")));
}

/// Plays transcripts on one laptop, and compares or writes them.
fn are_as_shown(names: Vec<PathBuf>) {
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
    for verb in cli::command().get_subcommands() {
        // What is no screen: scripts for a shell, files of manual pages.
        if ["help", "completions", "man"].contains(&verb.get_name()) {
            continue;
        }
        let below: Vec<_> = verb.get_subcommands().filter(|one| one.get_name() != "help").collect();
        let names = below.iter().map(|one| format!("{} {}", verb.get_name(), one.get_name()));
        let whole = below.is_empty().then(|| verb.get_name().to_owned());
        for name in names.chain(whole) {
            assert!(all.contains(&format!("$ countersign {name}")), "no transcript of {name}");
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
