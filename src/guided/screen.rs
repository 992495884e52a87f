//! A screen of the guided run: a heading, what is to be said, and a question with few answers.

use crate::host::Host;
use std::io;

/// The steps, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Step {
    /// Is the machine fit?
    Machine,
    /// Take the request in.
    Import,
    /// Read what it would do.
    Review,
    /// Approve it, or reject it.
    Approve,
    /// Open the key and sign.
    Sign,
    /// Write the bundle.
    Export,
}

/// All steps, in order.
const STEPS: [Step; 6] = [Step::Machine, Step::Import, Step::Review, Step::Approve, Step::Sign, Step::Export];

impl Step {
    /// The step after this one; `None` after the last.
    pub(crate) fn next(self) -> Option<Step> {
        STEPS.get(self.number()).copied()
    }

    /// The step before this one, or this one when it is the first.
    pub(crate) fn back(self) -> Step {
        STEPS.get(self.number().saturating_sub(2)).copied().unwrap_or(self)
    }

    /// Its number and its act: `Step 3 of 6: Read what it would do`.
    pub(crate) fn name(self) -> String {
        format!("Step {} of {}: {}", self.number(), STEPS.len(), self.title())
    }

    /// From 1.
    pub(crate) fn number(self) -> usize {
        STEPS.iter().position(|step| *step == self).unwrap_or(0) + 1
    }

    /// The act, as a heading has it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Step::Machine => "Is this machine fit?",
            Step::Import => "Take the request in",
            Step::Review => "Read what it would do",
            Step::Approve => "Approve it, or reject it",
            Step::Sign => "Open the key and sign",
            Step::Export => "Write the signed bundle",
        }
    }
}

/// What the people at the screen want.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// Go on.
    On,
    /// To the step before.
    Back,
    /// Stop here.
    Stop,
    /// Anything else that was typed.
    Typed(String),
}

/// The heading of a step; `who` has to do something at it.
pub(super) fn heading(host: &Host, step: Step, who: &str) -> io::Result<()> {
    let rule = "-".repeat(host.terminal.width().min(80));
    host.terminal.say(&format!("\n{rule}\n{}\nFor {who}.\n{rule}\n", step.name()))
}

/// Asks how to go on. `on` says what Enter does.
pub(super) fn ask(host: &Host, on: &str) -> io::Result<Answer> {
    read(host, &format!("\nEnter: {on}   b: back   q: stop here > "))
}

/// As [`ask`], where something else can be typed too; `or` says what.
pub(super) fn ask_or(host: &Host, on: &str, or: &str) -> io::Result<Answer> {
    read(host, &format!("\n{or}\nEnter: {on}   b: back   q: stop here > "))
}

/// As [`ask`], asking again until the answer is one of the three.
pub(super) fn ask_plainly(host: &Host, on: &str) -> io::Result<Answer> {
    loop {
        match ask(host, on)? {
            Answer::Typed(_) => host.terminal.err("Please press Enter, or type b or q and then Enter.\n"),
            plain => return Ok(plain),
        }
    }
}

fn read(host: &Host, prompt: &str) -> io::Result<Answer> {
    match host.terminal.ask(prompt) {
        Ok(line) => Ok(match line.trim() {
            "" => Answer::On,
            "b" | "B" => Answer::Back,
            "q" | "Q" => Answer::Stop,
            typed => Answer::Typed(typed.to_owned()),
        }),
        // Ctrl-D, or a terminal that was closed: stopping is always safe.
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(Answer::Stop),
        Err(e) => Err(e),
    }
}
