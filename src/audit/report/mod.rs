//! Reports for the compliance file: each of them begins with a full verification, and says what it found.

mod csv;
mod html;
mod ocsf;

use super::verdict::{Compare, Verdict, verify};
use super::{AuditError, Options, Pack, Remark};
use crate::host::clock::Time;
use crate::host::disk::write_durably;
use crate::log::Entry;
use crate::log::store::Head;
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

/// Examines a pack and writes a report about it into a new file, or over an old one.
///
/// # Errors
/// The pack cannot be read, or the file cannot be written.
pub fn write(pack: &Pack<'_>, format: Format, out: &Path, now: Time) -> Result<Verdict, AuditError> {
    let mut body = Vec::new();
    let mut page = html::Page::default();
    let mut visit = |entry: &Entry<'_>, remarks: &[Remark]| -> Result<(), AuditError> {
        match format {
            Format::Html => page.see(entry, remarks),
            Format::Csv => csv::row(entry, remarks, &mut body),
            Format::Jsonl => {
                body.extend_from_slice(entry.line());
                body.push(b'\n');
            }
            Format::Ocsf => ocsf::event(entry, pack.key().name(), &mut body),
        }
        Ok(())
    };
    let compare = Compare { now: Some(now), ..Compare::default() };
    let verdict = verify(pack, Options::default(), compare, &mut visit)?;
    let bytes = match format {
        Format::Html => page.finish(pack, &verdict, now).into_bytes(),
        Format::Csv => [csv::HEADER.as_bytes(), &body].concat(),
        Format::Jsonl | Format::Ocsf => body,
    };
    // The auditor's own file, never one of the pack.
    if out.starts_with(pack.dir()) {
        return Err(AuditError::file(out, "it lies inside the evidence pack, which is never written to"));
    }
    write_durably(pack.disk(), out, 0o644, &[&bytes])?;
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
