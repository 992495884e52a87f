//! What the officers write on paper at the end: enough to find this signature in the log years later, and to notice a
//! log that was rolled back.

use crate::station::Station;
use crate::station::request::{Made, StoredRequest};
use crate::text::{shown, shown_path};
use crate::tuf::Digest;
use crate::words;
use base64::Engine as _;
use std::fmt::Write as _;
use std::path::Path;

/// The list to copy by hand, a line each.
pub fn list(station: &Station, stored: &StoredRequest, made: &Made, bundle: &Path) -> String {
    let manifest = &stored.request.manifest;
    let checkpoint = &station.log.head().checkpoint;
    let signed_words = Digest::parse(&made.signed).map(|digest| words::confirmation(&digest.0));
    let rows = [
        ("time (UTC)", made.time.clone()),
        ("Factory", shown(&manifest.factory)),
        (
            "wave, tag, version",
            format!("{}, {}, {}", shown(&manifest.wave), shown(&manifest.tag), manifest.version),
        ),
        ("signed", made.signed.clone()),
        ("", signed_words.unwrap_or_default()),
        ("key", made.keyid.clone()),
        ("officers", format!("{} (strength {})", made.officers.join(", "), made.strength)),
        ("log entry", format!("{} of {}", made.seq, checkpoint.size)),
        ("log head", base64::engine::general_purpose::STANDARD.encode(checkpoint.root)),
        ("", words::confirmation(&checkpoint.root)),
        ("program", station.binary().to_owned()),
        ("bundle", shown_path(bundle)),
    ];
    let mut text = String::from("Write this on paper, and let everybody present initial it:\n\n");
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<19} {value}");
    }
    text.push_str("\n  initials            ____________   ____________   ____________\n");
    text
}
