//! A real terminal and a real shell: whatever stops or ends the program leaves both as they were found.

use crate::common::{Desk, fixture, text};
use expectrl::{ControlCode, Expect, session::OsSession};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Command;
use std::time::Duration;

/// An interactive shell with job control, of 24 lines, in which `countersign` is the program and `station` its station.
fn shell(desk: &Desk) -> OsSession {
    let mut command = Command::new("bash");
    command.args(["--norc", "--noprofile", "-i"]).env("TERM", "xterm").env("PS1", "ready> ");
    command.env("COUNTERSIGN_STATION", desk.station()).env("NO_COLOR", "1");
    let mut session = OsSession::spawn(command).expect("a pseudo-terminal");
    session.get_process_mut().set_window_size(100, 24).expect("a size");
    session.set_expect_timeout(Some(Duration::from_secs(60)));
    session.expect("ready> ").expect("a prompt");
    // A pseudo-terminal for tests is made without.
    type_line(&mut session, "stty echo; echo set-$?", "set-0");
    session.expect("ready> ").expect("a prompt");
    is_as_it_was(&mut session);
    session
}

/// Types a line and waits for what must come.
#[track_caller]
fn type_line(session: &mut OsSession, line: &str, answer: &str) {
    session.send_line(line).expect("typed");
    session.expect(answer).unwrap_or_else(|e| panic!("after {line:?}, {answer:?} did not come: {e}"));
}

/// The shell has the terminal, and what is typed is shown.
#[track_caller]
fn is_as_it_was(session: &mut OsSession) {
    // The shell's own line editor turns echo off while it reads: what programs find is asked.
    type_line(
        session,
        "stty -a | grep -o -e '[-]*echo ' -e '[-]*icanon' | tr '\\n' ' '; echo done-$?",
        "icanon echo  done-0",
    );
    session.expect("ready> ").expect("a prompt");
}

/// The program that the shell runs.
fn child(session: &OsSession) -> Pid {
    let shell = session.get_process().pid().as_raw();
    let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
    let children = children.expect("the shell's children");
    let program = children.split_whitespace().next().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
    program.expect("the program")
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_countersign")
}

#[test]
fn a_passphrase_is_never_shown_and_the_terminal_is_as_it_was_after_every_signal() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    let mut session = shell(&desk);
    let add = format!("{} officer add ann", program());
    for (end, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        type_line(&mut session, &add, "not shown");
        // Ctrl-Z is no signal while a passphrase is typed; whoever stops the program another way gets a terminal.
        session.send(ControlCode::Substitute).expect("Ctrl-Z");
        let program = child(&session);
        kill_process(program, Signal::TSTP).expect("sent");
        session.expect("Stopped").expect("the shell says so");
        session.expect("ready> ").expect("a prompt");
        is_as_it_was(&mut session);
        // In the foreground again it hides what is typed.
        type_line(&mut session, "fg", "officer add ann");
        std::thread::sleep(Duration::from_millis(500));
        session.send("eleven quiet harbours").expect("typed");
        std::thread::sleep(Duration::from_millis(500));
        kill_process(program, end).expect("sent");
        let shown = session.expect("ready> ").expect("a prompt");
        let shown = String::from_utf8_lossy(shown.before()).into_owned();
        assert!(!shown.contains("quiet"), "{shown}");
        type_line(&mut session, "echo code-$?", &format!("code-{code}"));
        session.expect("ready> ").expect("a prompt");
        is_as_it_was(&mut session);
    }
    type_line(&mut session, &add, "not shown");
    session.send(ControlCode::EndOfText).expect("Ctrl-C");
    session.expect("ready> ").expect("a prompt");
    is_as_it_was(&mut session);
    session.send_line("exit").expect("typed");
}

#[test]
fn the_pager_keeps_the_keys_until_it_is_left() {
    let desk = Desk::new();
    desk.init("acme", "acme-gateway", "1-populate");
    let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
    desk.run(&["import", text(&request)]);
    let mut session = shell(&desk);
    type_line(&mut session, &format!("{} review", program()), "Space next page");
    session.send(ControlCode::Substitute).expect("Ctrl-Z");
    std::thread::sleep(Duration::from_millis(300));
    // Still the pager's keys: a page further, and out.
    session.send(" ").expect("typed");
    session.expect("Space next page").expect("the next page");
    session.send("q").expect("typed");
    session.expect("ready> ").expect("a prompt");
    is_as_it_was(&mut session);
    // The same at Ctrl-C, which ends both.
    type_line(&mut session, &format!("{} review", program()), "Space next page");
    session.send(ControlCode::EndOfText).expect("Ctrl-C");
    session.expect("ready> ").expect("a prompt");
    is_as_it_was(&mut session);
    type_line(&mut session, "jobs | wc -l; echo none-left", "0\r\n");
    session.send_line("exit").expect("typed");
}
