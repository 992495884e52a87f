//! The command line's own promises: help with an example everywhere, manual pages, completions, and `preflight`.

use crate::common;

use common::{Desk, text};
use countersign::testing::cli::{self, Exit};

/// Every command and the commands below it, with their full names.
fn all(command: &clap::Command, name: &str, out: &mut Vec<(String, clap::Command)>) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set())
    {
        let name = format!("{name} {}", below.get_name());
        all(below, &name, out);
        out.push((name, below.clone()));
    }
}

fn every_command() -> Vec<(String, clap::Command)> {
    let mut command = cli::command();
    command.build();
    let mut found = Vec::new();
    all(&command, "countersign", &mut found);
    assert!(found.len() > 20, "{}", found.len());
    found
}

#[test]
fn every_command_has_help_with_an_example() {
    let mut without = Vec::new();
    for (name, command) in every_command() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.len() > 15, "{name} says nothing about itself: {about:?}");
        let help = command.clone().render_long_help().to_string();
        if !help.contains("Example:\n  ") {
            without.push(name);
        }
    }
    assert!(without.is_empty(), "no example: {without:?}");
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let desk = Desk::new();
    let folder = desk.path("man");
    let ran = desk.run(&["--json", "man", text(&folder)]).done();
    assert_eq!(ran.json()["pages"], every_command().len() + 1);
    let page = std::fs::read_to_string(folder.join("countersign-sign.1")).expect("the page");
    assert!(page.contains(".TH countersign-sign 1"), "{page}");
    assert!(page.contains("\\-\\-officer NAMES ... [\\-\\-key KEYID]"), "a synopsis has its values: {page}");
    assert!(page.contains("EXIT STATUS") && page.contains("\\fB14\\fR"), "{page}");
    for entry in std::fs::read_dir(&folder).expect("listed") {
        let page = std::fs::read_to_string(entry.expect("read").path()).expect("a page");
        for named in page.split_whitespace().filter_map(|word| word.strip_suffix("(1)")) {
            let name = named.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
            assert!(folder.join(format!("{name}.1")).is_file(), "{name} is named and has no page");
        }
    }
    // Once more over the same folder: the pages are replaced.
    desk.run(&["man", text(&folder)]).done();
}

#[test]
fn every_shell_gets_completions_for_every_verb() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.run(&["completions", shell]).done().out;
        for verb in ["init", "review", "sign", "export", "preflight"] {
            assert!(script.contains(verb), "{shell} {verb}");
        }
    }
    desk.run(&["completions", "tcsh"]).ended(Exit::Usage);
}

#[test]
fn completions_know_the_officers_the_keys_and_the_requests_of_the_station() {
    let desk = Desk::new();
    desk.init("acme", "acme", "2-update");
    for officer in ["ann", "bob"] {
        desk.add_officer(officer);
    }
    let keyid = desk.import_key(&common::fixture("acme/targets.keys.tgz"), "ann,bob", "2");
    let request = desk.request(&common::fixture("acme/2-update"), "acme", "v2.0-update", 42, &[]);
    let (id, _) = desk.import(&request);
    let script = desk.path("completions");
    std::fs::write(&script, desk.run(&["completions", "bash"]).done().out).expect("written");
    // What bash does when Tab is pressed after the last word.
    const TAB: &str = "source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                       _countersign countersign \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"; \
                       printf '%s\\n' \"${COMPREPLY[@]}\"";
    let program =
        std::path::Path::new(env!("CARGO_BIN_EXE_countersign")).parent().expect("a folder").to_owned();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("a path"));
    let tab = |line: &[&str]| -> Vec<String> {
        let mut bash = std::process::Command::new("bash");
        bash.args(["--norc", "-c", TAB]).arg(&script).args(line);
        let output =
            bash.env("PATH", &path).env("COUNTERSIGN_STATION", desk.station()).output().expect("bash");
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        words.lines().filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    assert_eq!(tab(&["countersign", "sign", "--officer", ""]), ["ann", "bob"]);
    assert_eq!(tab(&["countersign", "key", "import", "--officers", "b"]), ["bob"]);
    assert_eq!(tab(&["countersign", "key", "drill", &keyid[..3]]), [&keyid[..12]]);
    assert_eq!(tab(&["countersign", "sign", "--key", ""]), [&keyid[..12]]);
    assert_eq!(tab(&["countersign", "review", &id[..3]]), [&id[..12]]);
    // The auditor's keys are not this station's.
    assert!(tab(&["countersign", "audit", "verify", "--key", &keyid[..3]]).is_empty());
}

#[test]
fn preflight_on_a_fit_machine_passes_and_is_logged() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    let ran = desk.run(&["preflight"]).done();
    assert!(ran.out.contains("This machine is fit for a ceremony."), "{}", ran.out);
    let json = desk.run(&["--json", "preflight"]).done().json();
    let names: Vec<&str> =
        json["lines"].as_array().expect("lines").iter().filter_map(|line| line["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "network",
            "clock",
            "time-zone",
            "swap",
            "memory",
            "core-dumps",
            "history",
            "confinement",
            "permissions",
            "free-space",
            "medium",
            "self-test",
            "program",
            "image",
            "log",
            "heads"
        ]
    );
    let lines = std::fs::read_to_string(desk.station().join("log/events/000000.jsonl")).expect("the log");
    assert_eq!(lines.lines().filter(|line| line.contains("\"type\":\"selftest\"")).count(), 2);
}

#[test]
fn preflight_refuses_a_machine_that_is_not_fit() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    std::fs::set_permissions(
        desk.station().join("log/vkey"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .expect("opened to all");
    let ran = desk.run(&["preflight"]).ended(Exit::Refused);
    assert!(ran.out.contains("fail  permissions") && ran.out.contains("vkey"), "{}", ran.out);
    desk.clock.set("2026-04-01T00:00:00Z");
    let ran = desk.run(&["preflight"]);
    assert_ne!(ran.exit, Exit::Done);
}

#[test]
fn preflight_looks_at_the_machine_also_when_the_log_was_changed() {
    let desk = Desk::new();
    desk.init("acme", "acme", "1-populate");
    let file = desk.station().join("log/events/000000.jsonl");
    let changed = std::fs::read_to_string(&file).expect("the log").replacen("acme", "acmf", 1);
    std::fs::write(&file, changed).expect("changed");
    let ran = desk.run(&["preflight"]).ended(Exit::Tampered);
    assert!(ran.out.contains("fail  log"), "{}", ran.out);
    assert!(ran.out.contains("pass  ") && ran.out.contains("self-test"), "{}", ran.out);
}

#[test]
fn preflight_without_a_station_says_how_to_make_one() {
    let desk = Desk::new();
    let ran = desk.run(&["preflight"]).ended(Exit::Failed);
    assert!(ran.err.contains("init"), "{}", ran.err);
}
