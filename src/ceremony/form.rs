//! What is written on paper: six words for each digest, in lines short enough to copy by hand.
//!
//! The station's page says what the next ceremony begins with; a signature's lines let it be found in the log years later.
//! The log's head is written down once, when the day's last command has run.

use super::{CeremonyError, tool};
use crate::host::Host;
use crate::page;
use crate::review::model::code as code_of;
use crate::station::request::StoredRequest;
use crate::station::{Made, Station};
use crate::text::{counted, shown};
use crate::tuf::Digest;
use crate::vault::keys;
use crate::words;
use maud::html;
use std::fmt::Write as _;

/// Lines to copy, and places for initials.
pub(crate) struct Form {
    title: &'static str,
    /// What is still to be done, under the lines.
    last: &'static str,
    rows: Vec<(&'static str, String)>,
}

impl Form {
    /// The cover page of a ceremony: what this station stands on now.
    ///
    /// # Errors
    /// The station cannot be read.
    pub(crate) fn of_station(station: &Station, host: &Host) -> Result<Form, CeremonyError> {
        let (disk, head, root) = (station.disk(), &station.log.head().checkpoint, station.trust.newest());
        let machine = if station.facts.networked { " (on a machine with a network)" } else { "" };
        let mut rows = vec![
            ("time (UTC)", host.clock.now().to_string()),
            ("factory", format!("{}{machine}", shown(&station.facts.factory))),
            ("program", program(host)),
            ("root", format!("version {}: {}", root.version, words::confirmation(&root.fingerprint.0))),
            ("policy", words::confirmation(&station.policy_digest().0)),
            ("approvals", station.policy.approvals.to_string()),
            ("log key", words::confirmation(&station.log.key().fingerprint())),
            ("log size", head.size.to_string()),
            ("log head", words::confirmation(&head.root)),
        ];
        for key in keys::list_keys(disk, &station.layout.keys())? {
            rows.push(("key", words::of_digest(&key.keyid)));
            rows.push(("opens with", key.opens_with()));
        }
        let officers = station.officers()?;
        for one in officers.iter().filter(|one| one.is_active()) {
            rows.push(("officer", format!("{}: {}", one.name, words::of_digest(&one.approval_key))));
        }
        Ok(Form { title: "Cover page", last: "", rows })
    }

    /// What was signed, in nine lines.
    pub(crate) fn of_signature(station: &Station, host: &Host, stored: &StoredRequest, made: &Made) -> Form {
        let manifest = &stored.request.manifest;
        let what =
            format!("{} {}, version {}", shown(&manifest.factory), manifest.subject(), manifest.version);
        let digests = Digest::parse(&made.signed).zip(Digest::parse(&made.review));
        let code = digests.zip(station.taken.nonce(stored.digest()));
        let confirmed =
            code.map(|((signed, review), nonce)| words::confirmation(&code_of(&signed, &review, &nonce).0));
        let rows = vec![
            ("time (UTC)", made.time.clone()),
            ("what", what),
            ("request", words::confirmation(&stored.digest().0)),
            ("signed", words::of_digest(&made.signed)),
            ("confirmed", confirmed.unwrap_or_default()),
            ("key", words::of_digest(&made.keyid)),
            ("officers", format!("{} (strength {})", made.officers.join(", "), made.strength)),
            ("log", format!("entry {}", made.seq)),
            ("program", program(host)),
        ];
        Form { title: "What was signed", last: LAST, rows }
    }

    /// The lines.
    pub(crate) fn rows(&self) -> &[(&'static str, String)] {
        &self.rows
    }

    /// The form for a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("Write this on paper, and let everybody present initial it:\n\n");
        for (name, value) in &self.rows {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {name:<11} {value}");
        }
        text.push_str("\n  initials    ____________   ____________   ____________\n");
        text.push_str(self.last);
        text
    }

    /// The form as a page to print, with places to fill in.
    pub(crate) fn html(&self) -> String {
        let by_hand = BY_HAND.map(|name| (name, String::new()));
        let parts = [("Compared", &self.rows[..]), ("Initials", &by_hand)];
        let body = html! {
            h1 { (self.title) }
            p {
                (counted(self.rows.len() as u64, "line"))
                " from the station. Compare each with the screen, read aloud, and tick it."
            }
            @for (tick, rows) in parts {
                @if tick == "Initials" { h2 { "By hand" } }
                table.ticked {
                    thead { tr { @for heading in ["What", "Value", tick] { th scope="col" { (heading) } } } }
                    tbody {
                        @for (name, value) in rows {
                            tr { th scope="row" { (name) } td { (value) } td {} }
                            "\n"
                        }
                    }
                }
            }
        };
        page::page(self.title, &[], body)
    }
}

const LAST: &str = "\nAnd last of all, when nothing else is done here today: countersign log head\n";

/// What nobody but those who are there can write.
const BY_HAND: [&str; 8] = [
    "Purpose",
    "Place",
    "From - to (UTC)",
    "Bag number before",
    "Bag number after",
    "Officer",
    "Officer",
    "Witness",
];

/// Six words for the running program.
fn program(host: &Host) -> String {
    words::of_digest(tool::session(host, "").program.sha256().unwrap_or_default())
}
