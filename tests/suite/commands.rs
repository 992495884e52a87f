//! The command line's own promises: help with an example everywhere, manual pages, completions, and `preflight`.

use crate::common;

use common::{Desk, text};
use countersign::cli::{self, Exit};

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
    assert!(page.contains("passphrase\\-file"), "{page}");
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
        desk.station().join("policy.toml"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .expect("opened to all");
    let ran = desk.run(&["preflight"]).ended(Exit::Refused);
    assert!(ran.out.contains("fail  permissions") && ran.out.contains("policy.toml"), "{}", ran.out);
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
