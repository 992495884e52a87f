//! Reports for the compliance file: each of them begins with a full verification, and says what it found.

mod ceremony;
mod csv;
mod drawing;
mod html;
mod inventory;
mod jsonl;
mod ocsf;

pub use ceremony::ceremony;

use super::elsewhere::Elsewhere;
use super::verdict::Verdict;
use super::{AuditError, Pack, Remark};
use crate::host::clock::Time;
use crate::host::{Disk, Draft};
use crate::ledger::Entry;
use crate::ledger::store::Head;
use std::path::Path;

/// The form of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Format {
    /// A page for people: self-contained, printable.
    Html,
    /// One row an entry, for a spreadsheet.
    Csv,
    /// One row an entry with typed columns, for a database.
    Jsonl,
    /// One OCSF event an entry, for a SIEM.
    Ocsf,
}

/// Verifies packs, and writes a report about them into a new file, or over an old one: one station after the other, in the
/// order of the packs. `now` is the day of the audit.
///
/// # Errors
/// A pack cannot be read, or the file cannot be written.
pub(crate) fn write(
    packs: &[&Pack<'_>],
    format: Format,
    out: &Path,
    elsewhere: &mut Elsewhere,
    disk: &dyn Disk,
    now: Time,
) -> Result<Vec<Verdict>, AuditError> {
    packs.iter().try_for_each(|pack| pack.refuse_within(out))?;
    let mut draft = Draft::begin(disk, out, 0o644)?;
    if format == Format::Csv {
        draft.bytes().extend_from_slice(csv::HEADER.as_bytes());
    }
    let (mut verdicts, mut sections) = (Vec::new(), Vec::new());
    for pack in packs {
        let mut page = html::Page::default();
        let log = pack.key().name();
        let mut visit = |entry: &Entry<'_>, remarks: &[Remark]| -> Result<(), AuditError> {
            match format {
                Format::Html => page.see(entry, remarks),
                Format::Csv => csv::row(entry, log, remarks, draft.bytes()),
                Format::Jsonl => jsonl::row(entry, log, remarks, draft.bytes()),
                Format::Ocsf => ocsf::event(entry, log, draft.bytes()),
            }
            Ok(draft.relieve()?)
        };
        let verdict = elsewhere.verify(pack, packs, &mut visit)?;
        if format == Format::Html {
            sections.push(page.section(pack, &verdict, now));
        }
        verdicts.push(verdict);
    }
    if format == Format::Html {
        html::write(packs, &verdicts, sections, &mut draft)?;
    }
    draft.finish()?;
    Ok(verdicts)
}

/// The size and root of a head, for people.
fn head_words(head: Option<&Head>) -> String {
    head.map_or_else(
        || "none that verifies".to_owned(),
        |head| format!("{} entries, root {}", head.checkpoint.size, hex::encode(head.checkpoint.root)),
    )
}
