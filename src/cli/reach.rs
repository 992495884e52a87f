//! Which files a command may reach, from its arguments: what a command line names, and of the station what its verb
//! works on ([`station`]). The kernel refuses the rest (`host::confine`), also to a program that a hostile file has taken over.

#[cfg(feature = "station")]
pub(super) mod station;

use crate::host::Reach;
use crate::host::disk::parent;
use clap::{ArgMatches, Command, parser::ValueSource};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Arguments that name what is written, whichever the verb.
const WRITTEN: &[&str] = &["out", "html", "text", "state", "preview", "downloads", "into"];

/// Verbs whose folder is written.
const WRITERS: &[&str] = &["export", "log export", "man", "rehearse", "key backup"];

/// How many long texts a verb shows, each through a pager that is begun before the program is confined.
pub(super) fn pages(verb: &str) -> usize {
    match verb {
        "review" | "log show" | "audit show" | "show" => 1,
        "run" => 2,
        // One for each review of it.
        "rehearse" => 4,
        _ => 0,
    }
}

/// A command as it was given.
pub(super) struct Given<'a> {
    /// The verb as it is typed, such as `log show`.
    pub(super) verb: String,
    /// Its definition.
    command: &'a Command,
    /// Its own arguments.
    arguments: &'a ArgMatches,
}

impl<'a> Given<'a> {
    /// Finds the verb, however deep it lies.
    pub(super) fn find(mut command: &'a Command, mut arguments: &'a ArgMatches) -> Given<'a> {
        let mut words = Vec::new();
        while let Some((word, below)) = arguments.subcommand() {
            words.push(word);
            arguments = below;
            command = command.find_subcommand(word).unwrap_or(command);
        }
        Given { verb: words.join(" "), command, arguments }
    }

    /// The files that its arguments name: what is written, and what is read.
    pub(super) fn named(&self, reach: Reach) -> Reach {
        let Given { verb, command, arguments } = self;
        let was_given = |id: &&str| matches!(arguments.value_source(id), Some(ValueSource::CommandLine));
        let ids = command.get_arguments().map(|argument| argument.get_id().as_str()).filter(was_given);
        ids.fold(reach, |reach, id| {
            let values = arguments.try_get_raw(id).ok().flatten().into_iter().flatten();
            let is_written = WRITTEN.contains(&id) || (id == "dir" && WRITERS.contains(&verb.as_str()));
            values.fold(reach, |reach, value| match (id, is_written) {
                ("station", _) => reach,
                (_, true) => reach.write(parent(Path::new(value))),
                (_, false) => read(reach, value),
            })
        })
    }
}

/// A value that names a file, as it stands, or after `NAME=` or `@`. Of a request that is named by its manifest, the folder.
fn read(reach: Reach, value: &OsStr) -> Reach {
    let bytes = value.as_bytes();
    let after = bytes
        .iter()
        .position(|byte| matches!(byte, b'=' | b'@'))
        .map(|at| OsStr::from_bytes(&bytes[at + 1..]));
    [Some(value), after].into_iter().flatten().map(Path::new).fold(reach, |reach, path| {
        if path.file_name() == Some(OsStr::new(crate::bundle::manifest::REQUEST_FILE)) {
            reach.read(parent(path))
        } else {
            reach.read(path)
        }
    })
}
