//! What the officers write on paper after a signature: enough to find it in the log years later. The log's head is written
//! down once, when the day's last command has run.

use crate::review::model::code as code_of;
use crate::station::Station;
use crate::station::request::{Made, StoredRequest};
use crate::text::shown;
use crate::tuf::Digest;
use crate::words;
use std::fmt::Write as _;

/// The list to copy by hand, a line each.
pub fn list(station: &Station, stored: &StoredRequest, made: &Made) -> String {
    let manifest = &stored.request.manifest;
    let what = format!("{} {}, version {}", shown(&manifest.factory), manifest.subject(), manifest.version);
    let six =
        |digest: &str| Digest::parse(digest).map(|digest| words::confirmation(&digest.0)).unwrap_or_default();
    let digests = Digest::parse(&made.signed).zip(Digest::parse(&made.review));
    let code = digests.zip(station.taken.nonce(stored.digest()));
    let confirmed =
        code.map(|((signed, review), nonce)| words::confirmation(&code_of(&signed, &review, &nonce).0));
    let rows = [
        ("time (UTC)", made.time.clone()),
        ("what", what),
        ("request", words::confirmation(&stored.digest().0)),
        ("signed", six(&made.signed)),
        ("confirmed", confirmed.unwrap_or_default()),
        ("key", six(&made.keyid)),
        ("officers", format!("{} (strength {})", made.officers.join(", "), made.strength)),
        ("log", format!("entry {}", made.seq)),
        ("program", six(station.binary())),
    ];
    let mut text = String::from("Write this on paper, and let everybody present initial it:\n\n");
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<11} {value}");
    }
    text.push_str("\n  initials    ____________   ____________   ____________\n");
    text.push_str("\nAnd last of all, when nothing else is done here today: countersign log head\n");
    text
}
