//! Which image this machine was booted from, where it was one of `image/build`.

use super::Line;
use crate::host::Machine;
use crate::host::machine::BOOTED_IMAGE;
use crate::text::shown;
use crate::tuf::Digest;
use crate::words;

/// The image's SHA-256, as it was measured when the machine was booted; the log keeps it.
pub(super) fn line(machine: &dyn Machine) -> Line {
    const NAME: &str = "image";
    let Some(text) = machine.read(BOOTED_IMAGE) else {
        return Line {
            logged: Some("none".to_owned()),
            ..Line::pass(NAME, "not booted from a countersign image")
        };
    };
    match Digest::parse(text.trim()) {
        Some(digest) => {
            let words = words::confirmation(&digest.0);
            let message = format!("booted from the image with SHA-256 {digest} ({words} ...)");
            Line { logged: Some(digest.to_string()), ..Line::pass(NAME, message) }
        }
        None => {
            Line::warn(NAME, format!("{BOOTED_IMAGE} does not hold a SHA-256: \"{}\"", shown(text.trim())))
        }
    }
}
