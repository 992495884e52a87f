//! What the officers write on paper at the end: enough to find this signature in the log years later, and to notice a
//! log that was rolled back.

use crate::review::model::code as code_of;
use crate::station::Station;
use crate::station::request::{Made, StoredRequest};
use crate::text::{shown, shown_path};
use crate::tuf::Digest;
use crate::words;
use std::fmt::Write as _;
use std::path::Path;

/// The list to copy by hand, a line each.
pub fn list(station: &Station, stored: &StoredRequest, made: &Made, bundle: &Path) -> String {
    let manifest = &stored.request.manifest;
    let checkpoint = &station.log.head().checkpoint;
    // The command still writes the entry that ends it: `status` shows this number then.
    let after = station.log.size().saturating_add(1);
    let (tag, version) = (shown(&manifest.tag), manifest.version);
    let (about, what) = match (manifest.kind.has_service(), manifest.wave.as_str()) {
        (true, "") => ("tag, version", format!("{tag}, {version}")),
        (true, wave) => ("wave, tag, version", format!("{}, {tag}, {version}", shown(wave))),
        (false, _) => ("role, version", format!("{tag}, {version}")),
    };
    let digests = Digest::parse(&made.signed).zip(Digest::parse(&made.review));
    let code = digests.zip(station.taken.nonce(stored.digest()));
    let confirmed =
        code.map(|((signed, review), nonce)| words::confirmation(&code_of(&signed, &review, &nonce).0));
    let rows = [
        ("time (UTC)", made.time.clone()),
        ("Factory", shown(&manifest.factory)),
        (about, what),
        ("request", stored.digest().to_string()),
        ("signed", made.signed.clone()),
        ("confirmed with", confirmed.unwrap_or_default()),
        ("key", made.keyid.clone()),
        ("officers", format!("{} (strength {})", made.officers.join(", "), made.strength)),
        ("log entry", made.seq.to_string()),
        ("log size", format!("{after} entries, the end of this command included")),
        ("log head", format!("of the first {} entries, root", checkpoint.size)),
        ("", hex::encode(checkpoint.root)),
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
