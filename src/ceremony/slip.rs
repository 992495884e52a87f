//! Writing a signature as a slip: on the screen or on paper, for sites whose rules let nothing writable leave the room.

use super::CeremonyError;
use crate::bundle::media::{Files, write_folder};
use crate::bundle::slip::{self, Slip, SlipError};
use crate::host::{Host, Terminal};
use crate::ledger::record::SlipExported;
use crate::page;
use crate::station::{Made, Station, request};
use crate::text::shown_path;
use crate::tuf::{Digest, KeyId};
use crate::vault::qr::{Level, Qr};
use maud::{display, html};
use std::borrow::Cow;
use std::path::Path;

/// A slip, ready to be shown.
pub(crate) struct Shown {
    /// What it says.
    pub slip: Slip,
    /// The text of each of its codes.
    pub parts: Vec<String>,
}

impl Shown {
    /// The codes, at the level for screens (M) or for paper (Q).
    ///
    /// # Errors
    /// A code cannot be made.
    pub(crate) fn codes(&self, level: Level) -> Result<Vec<Qr>, CeremonyError> {
        Ok(self.parts.iter().map(|part| Qr::at(part, level)).collect::<Result<_, _>>()?)
    }

    /// Shows it on a terminal: one code a screen, with its text under it.
    ///
    /// # Errors
    /// The terminal is too small for a code.
    fn on_screen(&self, terminal: &dyn Terminal) -> Result<(), CeremonyError> {
        let codes = self.codes(Level::M)?;
        let side = codes.iter().map(Qr::side).max().unwrap_or_default();
        // The prompt is a line of its own.
        let (columns, rows, high) = (terminal.width(), terminal.height(), side.div_ceil(2) + 1);
        if columns < side || rows < high {
            return Err(CeremonyError::Nothing(format!(
                "a code needs {side} columns and {high} rows, and this terminal has {columns} and {rows}. Make it larger \
                 or its letters smaller, or write pictures: countersign export {} --slip DIR",
                self.slip.request.short()
            )));
        }
        for (at, (code, part)) in codes.iter().zip(&self.parts).enumerate() {
            terminal.out(&code.half_blocks())?;
            if terminal.can_ask() {
                terminal.ask(&format!("Code {} of {}. Enter when it was read: ", at + 1, codes.len()))?;
            }
            terminal.out(&format!("{part}\n"))?;
        }
        Ok(())
    }
}

/// Where a slip goes.
#[derive(Clone, Copy)]
pub(crate) enum To<'a> {
    /// Into a folder, as text, pictures and a page.
    Folder(&'a Path),
    /// On the screen, as codes.
    Screen,
    /// To the caller, who prints its text.
    Text,
}

/// The slip of a request's newest signature. The log says that it went out.
///
/// # Errors
/// Nothing was signed for it, the signature has no form as a slip, the folder is not empty or cannot be written, the screen
/// is too small.
pub(crate) fn export_slip(
    station: &mut Station,
    host: &Host,
    request: Digest,
    to: To<'_>,
) -> Result<Shown, CeremonyError> {
    let stored = request::open_files(station, request, |name| name == "targets.json")?;
    let newest = station.signatures().newest(request);
    let newest = newest.as_ref().ok_or_else(|| CeremonyError::not_signed(&request))?;
    if station.policy.witness.every_bundle && !station.anchors().has_left(newest.seq) {
        return Err(CeremonyError::Refused(format!(
            "the policy has witnesses cosign the head of every bundle, and a slip carries no proof that the log continues \
             what they cosigned before. Export the bundle: countersign export {} DIR",
            request.short()
        )));
    }
    let slip = slip(station, request, newest)?;
    let parts = slip.parts()?;
    // What a camera will read is read back first.
    if Slip::parse(&parts.join("\n"))? != slip {
        return Err(CeremonyError::NotAsWritten(
            "the slip does not read as it was written: report it".to_owned(),
        ));
    }
    let shown = Shown { slip, parts };
    let folder = match to {
        To::Folder(folder) => {
            write_folder(station.disk(), folder, &files(&shown, &stored.request.manifest.subject())?)?;
            shown_path(folder)
        }
        To::Screen => {
            shown.on_screen(&*host.terminal)?;
            String::new()
        }
        To::Text => String::new(),
    };
    let exported = SlipExported {
        request: request.to_string().into(),
        signed: (&newest.signed).into(),
        keyid: (&newest.keyid).into(),
        slip: Digest::of(text(&shown).as_bytes()).to_string().into(),
        folder: folder.into(),
    };
    station.record(&host.stamp(), exported.by(station.actor()))?;
    station.commit()?;
    Ok(shown)
}

fn slip(station: &Station, request: Digest, made: &Made) -> Result<Slip, CeremonyError> {
    let unfit = |why| CeremonyError::from(SlipError::Unfit(why));
    Ok(Slip {
        request,
        signed: Digest::parse(&made.signed).ok_or_else(|| unfit("what was signed has no SHA-256"))?,
        keyid: KeyId::new(made.keyid.clone()),
        signature: station.facts.dialect.decode_signature(&made.sig).map_err(unfit)?,
        head: station.log.head().note.clone(),
    })
}

fn text(shown: &Shown) -> String {
    shown.parts.join("\n") + "\n"
}

/// `slip.txt`, a picture for each code, and a page to print.
fn files(shown: &Shown, subject: &str) -> Result<Files<'static>, CeremonyError> {
    let owned = |bytes: Vec<u8>| vec![Cow::Owned(bytes)];
    let mut files = Files::from([(slip::FILE.to_owned(), owned(text(shown).into_bytes()))]);
    let codes = shown.codes(Level::Q)?;
    for (at, code) in codes.iter().enumerate() {
        files.insert(format!("slip-{}of{}.png", at + 1, codes.len()), owned(code.png()?));
    }
    files.insert("slip.html".to_owned(), owned(page(shown, &codes, subject).into_bytes()));
    Ok(files)
}

/// The page; the text stands under each code.
fn page(shown: &Shown, codes: &[Qr], subject: &str) -> String {
    let slip = &shown.slip;
    let body = html! {
        h1 { "Signature slip" }
        p {
            (subject) ". Request " code { (display(slip.request)) } ", signed bytes " code { (display(slip.signed)) }
            ", key " code { (display(&slip.keyid)) } "."
        }
        p {
            "It is no secret. On the connected machine: "
            code { "zbarcam --raw | countersign assemble REQUEST --slip - --out BUNDLE" }
        }
        @for (at, (code, part)) in codes.iter().zip(&shown.parts).enumerate() {
            figure.large {
                (code.svg())
                figcaption { "Code " (at + 1) " of " (codes.len()) br; code { (part) } }
            }
        }
    };
    page::page("Signature slip", &[], body)
}
