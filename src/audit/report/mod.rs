//! Reports for the compliance file: each of them begins with a full verification, and says what it found.

mod csv;
mod html;
mod inventory;
mod ocsf;

use super::verdict::{Compare, Verdict, verify};
use super::{AuditError, Options, Pack, Remark};
use crate::host::Draft;
use crate::host::clock::Time;
use crate::ledger::Entry;
use crate::ledger::store::Head;
use std::path::Path;

/// The form of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// A page for people: self-contained, printable.
    Html,
    /// One row an entry, for a spreadsheet.
    Csv,
    /// The exact lines.
    Jsonl,
    /// One OCSF event an entry, for a SIEM.
    Ocsf,
}

/// Examines a pack, compares it with what is known from elsewhere, and writes a report about it into a new file, or over
/// an old one. `now` is the day of the audit.
///
/// # Errors
/// The pack cannot be read, or the file cannot be written.
pub fn write(
    pack: &Pack<'_>,
    format: Format,
    out: &Path,
    compare: Compare<'_>,
    now: Time,
) -> Result<Verdict, AuditError> {
    pack.refuse_within(out)?;
    let mut draft = Draft::begin(pack.disk(), out, 0o644)?;
    let mut page = html::Page::default();
    if format == Format::Csv {
        draft.bytes().extend_from_slice(csv::HEADER.as_bytes());
    }
    let mut visit = |entry: &Entry<'_>, remarks: &[Remark]| -> Result<(), AuditError> {
        match format {
            Format::Html => page.see(entry, remarks),
            Format::Csv => csv::row(entry, remarks, draft.bytes()),
            Format::Jsonl => {
                draft.bytes().extend_from_slice(entry.line());
                draft.bytes().push(b'\n');
            }
            Format::Ocsf => ocsf::event(entry, pack.key().name(), draft.bytes()),
        }
        Ok(draft.relieve()?)
    };
    let compare = Compare { now: Some(now), ..compare };
    let verdict = verify(pack, Options::default(), compare, &mut visit)?;
    if format == Format::Html {
        draft.bytes().extend_from_slice(page.finish(pack, &verdict, now).as_bytes());
    }
    draft.finish()?;
    Ok(verdict)
}

/// The page about an examined pack, for tests and for other writers.
pub fn html_page(pack: &Pack<'_>, now: Time) -> Result<(String, Verdict), AuditError> {
    let mut page = html::Page::default();
    let compare = Compare { now: Some(now), ..Compare::default() };
    let verdict = verify(pack, Options::default(), compare, &mut |entry, remarks| {
        page.see(entry, remarks);
        Ok(())
    })?;
    Ok((page.finish(pack, &verdict, now), verdict))
}

/// The size and root of a head, for people.
fn head_words(head: Option<&Head>) -> String {
    head.map_or_else(
        || "none that verifies".to_owned(),
        |head| format!("{} entries, root {}", head.checkpoint.size, hex::encode(head.checkpoint.root)),
    )
}
