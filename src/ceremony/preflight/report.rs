//! The report of a preflight: its lines, as text and as JSON.

use crate::host::wrap::{wrap_line, wrapped};
use serde::Serialize;

/// How a line came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// As it should be.
    Pass,
    /// Not as it should be, but it does not stop a signature.
    Warn,
    /// Stops a signature.
    Fail,
}

impl Outcome {
    /// The word for it in text, JSON and the log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Warn => "warn",
            Outcome::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Line {
    /// Its stable name, as the policy's `[preflight]` knows it.
    pub name: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found, and what to do when that is not as it should be. Escaped already.
    pub message: String,
    /// What the log keeps in the place of the outcome, where that one word is not enough.
    #[serde(skip)]
    pub logged: Option<String>,
}

impl Line {
    pub(super) fn pass(name: &'static str, message: impl Into<String>) -> Line {
        Line { name, outcome: Outcome::Pass, message: message.into(), logged: None }
    }

    pub(super) fn warn(name: &'static str, message: impl Into<String>) -> Line {
        Line { name, outcome: Outcome::Warn, message: message.into(), logged: None }
    }

    pub(super) fn fail(name: &'static str, message: impl Into<String>) -> Line {
        Line { name, outcome: Outcome::Fail, message: message.into(), logged: None }
    }
}

/// Everything that was looked at. Serialises to what `preflight --json` prints and the log keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Report {
    /// In the order in which they are shown.
    pub lines: Vec<Line>,
    /// SHA-256 of the running program's file, in hex; `None` when it could not be read.
    pub program_sha256: Option<String>,
    /// Is this a station on a machine that has a network?
    pub networked: bool,
}

impl Report {
    /// The gravest outcome of all lines.
    pub(crate) fn outcome(&self) -> Outcome {
        self.lines.iter().map(|line| line.outcome).max().unwrap_or(Outcome::Fail)
    }

    /// May a key be opened on this machine?
    pub(crate) fn fit(&self) -> bool {
        self.outcome() != Outcome::Fail
    }

    /// The lines that stop a signature.
    pub(crate) fn failures(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.outcome == Outcome::Fail)
    }

    /// For the log: a name and an outcome a line, such as `network=pass`. The messages can name paths, and stay out.
    pub(crate) fn summary(&self) -> Vec<(&'static str, &str)> {
        self.lines
            .iter()
            .map(|line| (line.name, line.logged.as_deref().unwrap_or(line.outcome.name())))
            .collect()
    }

    /// For people, wrapped at `width` columns: what passed in one line, then what is to be compared with paper, and last,
    /// where it does not scroll away, the warnings, the failures and the verdict.
    pub(crate) fn text(&self, width: usize, color: bool) -> String {
        let mut text = String::new();
        let is_folded = |line: &&Line| line.outcome == Outcome::Pass && !COMPARED.contains(&line.name);
        let mut say = |outcome: Outcome, name: &str, message: &str| {
            let (on, off) = if color { style(outcome) } else { (String::new(), String::new()) };
            let line = format!("  {on}{}{off}  {name:<12} {message}", outcome.name());
            wrap_line(&mut text, &line, INDENT, width);
            text.push('\n');
        };
        let folded: Vec<&str> = self.lines.iter().filter(is_folded).map(|line| line.name).collect();
        if !folded.is_empty() {
            say(Outcome::Pass, &format!("{} checks", folded.len()), &folded.join(", "));
        }
        for outcome in [Outcome::Pass, Outcome::Warn, Outcome::Fail] {
            for line in self.lines.iter().filter(|line| line.outcome == outcome && !is_folded(line)) {
                say(outcome, line.name, &line.message);
            }
        }
        text += &wrapped(&format!("\n{}\n", self.verdict()), width);
        if self.networked {
            let told = "This is a networked station: for tests and rehearsals, not for production keys.\n";
            text += &wrapped(told, width);
        }
        text
    }

    fn verdict(&self) -> String {
        let count = |outcome| self.lines.iter().filter(|line| line.outcome == outcome).count();
        let (warnings, failures) = (count(Outcome::Warn), count(Outcome::Fail));
        match (failures, warnings) {
            (0, 0) => "This machine is fit for a ceremony.".to_owned(),
            (0, 1) => "This machine is fit for a ceremony, with 1 warning.".to_owned(),
            (0, _) => format!("This machine is fit for a ceremony, with {warnings} warnings."),
            (1, _) => "This machine is not fit: nothing is signed here until the failure above is mended."
                .to_owned(),
            _ => format!(
                "This machine is not fit: nothing is signed here until the {failures} failures above are mended."
            ),
        }
    }
}

/// What passed and is shown all the same: officers compare it with what stands on paper, and hear how far it goes.
const COMPARED: [&str; 4] = ["confinement", "program", "image", "log"];

/// Where a message begins: outcome and name stand before it.
const INDENT: usize = 21;

fn style(outcome: Outcome) -> (String, String) {
    let style = match outcome {
        Outcome::Pass => anstyle::AnsiColor::Green.on_default(),
        Outcome::Warn => anstyle::AnsiColor::Yellow.on_default(),
        Outcome::Fail => anstyle::AnsiColor::Red.on_default().bold(),
    };
    (style.render().to_string(), style.render_reset().to_string())
}
