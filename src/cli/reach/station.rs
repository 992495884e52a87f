//! What of the station a verb works on. What reads hostile files reaches no sealed key and no officer's own file.

use super::Given;
use crate::cli::export;
use crate::host::Reach;
use crate::host::disk::parent;
use crate::station::Layout;
use crate::vault::officer::OfficerName;
use std::path::{Path, PathBuf};

/// What a verb works on beside its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// No station.
    Nothing,
    /// What is to be looked at: the log without its key, the requests, and of the sealed keys the public halves.
    Public,
    /// As that, with the log's key; and the log and the requests are written.
    Unsealed,
    /// All of it.
    Whole,
}

/// The part of the station that a verb works on. One that is not named here is an officer's act.
fn part(verb: &str) -> Part {
    match verb {
        "request" | "assemble" | "fingerprint" | "man" | "rehearse" => Part::Nothing,
        _ if verb.starts_with("audit ") => Part::Nothing,
        "verify" | "status" | "ceremony form" | "completions" | "log show" | "log head" => Part::Public,
        "trust show" | "officer list" | "key list" | "policy show" | "witness list" => Part::Public,
        "anchor list" => Part::Public,
        "import" | "review" | "export" | "preflight" | "anchor import" => Part::Unsealed,
        "log verify" | "log export" => Part::Unsealed,
        _ => Part::Whole,
    }
}

/// What this command may reach.
pub(in crate::cli) fn of(given: &Given<'_>, station: Option<&Path>) -> Reach {
    let Given { verb, arguments, .. } = given;
    let verb = verb.as_str();
    let mut reach = given.named(Reach::terminal().machine());
    if let Ok(Some(words)) = arguments.try_get_many::<String>("what") {
        let words: Vec<String> = words.cloned().collect();
        if let (_, Some(folder)) = export::meant(&words, arguments.get_flag("slip")) {
            reach = reach.write(parent(folder));
        }
    }
    // Without `--out` the bundle lies beside the request.
    if verb == "run"
        && let Some(path) = arguments.get_one::<PathBuf>("path")
    {
        reach = reach.write(parent(path));
    }
    // Without a folder the pack is written here.
    if verb == "log export" && !arguments.contains_id("dir") {
        reach = reach.write(Path::new("."));
    }
    if verb == "rehearse" {
        reach = reach.write(&std::env::temp_dir());
    }
    let Some(station) = station else { return reach };
    let reach = with_station(reach, part(verb), station);
    match arguments.try_get_one::<OfficerName>("officer") {
        // Who takes a request in opens her own identity, and nobody else's.
        Ok(Some(name)) if verb == "import" => {
            reach.read(&Layout::new(station).officers().join(format!("{name}.age")))
        }
        _ => reach,
    }
}

fn with_station(reach: Reach, part: Part, station: &Path) -> Reach {
    let layout = Layout::new(station);
    match part {
        Part::Nothing => reach,
        Part::Whole if station.is_dir() => reach.write(station).with_secrets(),
        // It is made under another name beside it first.
        Part::Whole => reach.write(parent(station)).with_secrets(),
        Part::Public => public(reach, &layout),
        Part::Unsealed => {
            let written = [layout.log(), layout.requests(), layout.lock()];
            // The log's key is a secret too.
            let reach = written.iter().fold(reach, |reach, path| reach.read(path).put(path));
            public(reach, &layout).with_secrets()
        }
    }
}

/// What is no secret of a station, to be read.
fn public(reach: Reach, layout: &Layout) -> Reach {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).map(|all| all.flatten().map(|entry| entry.path()).collect());
        entries.unwrap_or_default()
    };
    let log_key = layout.log_key();
    let log = inside(&layout.log()).into_iter().filter(|path| *path != log_key);
    let keys = inside(&layout.keys()).into_iter().map(|key| key.join("public.json"));
    let reach = reach.list(layout.root()).read(&layout.requests()).read(&layout.lock());
    log.chain(keys).fold(reach, |reach, path| reach.read(&path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{ArgMatches, CommandFactory as _};

    fn matches(arguments: &[&str]) -> ArgMatches {
        let all = ["countersign"].iter().chain(arguments);
        crate::cli::Arguments::command().try_get_matches_from(all).expect("arguments")
    }

    fn reach(arguments: &[&str], station: &Path) -> Reach {
        of(&Given::find(&crate::cli::command(), &matches(arguments)), Some(station))
    }

    #[test]
    fn a_verb_is_found_however_deep_it_lies() {
        for (arguments, expected) in [
            (&["status"][..], "status"),
            (&["--json", "log", "show"][..], "log show"),
            (&["audit", "verify", "pack"][..], "audit verify"),
        ] {
            assert_eq!(Given::find(&crate::cli::command(), &matches(arguments)).verb, expected);
        }
    }

    #[test]
    fn what_reads_hostile_files_reaches_no_secret_and_an_officers_act_does() {
        for verb in
            ["verify", "import", "review", "status", "export", "log export", "audit verify", "request"]
        {
            assert_ne!(part(verb), Part::Whole, "{verb}");
        }
        for verb in ["sign", "approve", "reject", "run", "key import", "officer add", "init", "settle"] {
            assert_eq!(part(verb), Part::Whole, "{verb}");
        }
    }

    #[test]
    fn the_files_that_a_command_line_names_are_read_and_its_outputs_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let station = at("station");
        for name in ["station", "bundle", "out"] {
            std::fs::create_dir(at(name)).expect("made");
        }
        let text = |path: PathBuf| path.to_str().expect("text").to_owned();
        let bundle = text(at("bundle"));
        let terminal = || Reach::terminal().machine();
        assert_eq!(
            reach(&["verify", &bundle], &station),
            terminal()
                .read(&at("bundle"))
                .list(&station)
                .read(&station.join("requests"))
                .read(&station.join("lock"))
        );
        let out = text(at("out/report.html"));
        let report = reach(&["audit", "report", &bundle, "--out", &out], &station);
        let expected = terminal().read(&at("bundle")).write(&at("out"));
        assert!(expected.rules().iter().all(|rule| report.rules().contains(rule)), "{report:?}");
        assert!(!report.rules().iter().any(|(path, _)| path.starts_with(&station)), "{report:?}");
        let here = reach(&["log", "export"], &station);
        assert!(here.rules().contains(&Reach::default().write(Path::new(".")).rules()[0]), "{here:?}");
        let file = format!("alice={}", text(at("alice.pass")));
        let sign = reach(&["sign", "00", "--officer", "alice", "--passphrase-file", &file], &station);
        let expected = Reach::default().read(&at("alice.pass")).write(&station);
        assert!(expected.rules().iter().all(|rule| sign.rules().contains(rule)), "{sign:?}");
    }

    #[test]
    fn what_reads_hostile_files_writes_the_log_and_the_requests_and_reaches_no_other_secret_than_the_logs_key()
     {
        let folder = tempfile::tempdir().expect("a folder");
        let station = folder.path().join("station");
        for path in ["keys/00", "officers", "log/events", "requests"] {
            std::fs::create_dir_all(station.join(path)).expect("made");
        }
        for path in [
            "keys/00/public.json",
            "keys/00/sealed.age",
            "officers/a.pub",
            "officers/a.age",
            "lock",
            "log/key",
        ] {
            std::fs::write(station.join(path), "x").expect("written");
        }
        let read = |path: &str| Reach::default().read(&station.join(path)).rules()[0].clone();
        let put = |path: &str| Reach::default().put(&station.join(path)).rules()[0].clone();
        let every = ["", "keys", "keys/00", "officers", "log", "log/key", "requests", "lock"];
        for (arguments, readable, writable) in [
            (
                ["import", "/media/request"],
                &["log", "requests", "lock"][..],
                &["log", "requests", "lock"][..],
            ),
            (["verify", "/media/signed"], &["requests", "lock"], &[]),
        ] {
            let reach = reach(&arguments, &station);
            for path in ["keys/00/public.json", "log/events"] {
                assert!(reach.rules().contains(&read(path)), "{path}");
            }
            for path in every {
                assert_eq!(reach.rules().contains(&read(path)), readable.contains(&path), "{path} is read");
                assert_eq!(reach.rules().contains(&put(path)), writable.contains(&path), "{path} is written");
            }
            for path in ["keys/00/sealed.age", "officers/a.age"] {
                assert!(!reach.rules().contains(&read(path)), "{path}");
            }
        }
        let import = reach(&["import", "/media/request", "--officer", "a"], &station);
        for (path, is_reached) in [("officers/a.age", true), ("officers/b.age", false), ("keys/00", false)] {
            assert_eq!(import.rules().contains(&read(path)), is_reached, "{path}");
        }
    }
}
