//! One row an entry. Cells that a spreadsheet would run as a formula are made into text.

use crate::audit::Remark;
use crate::ledger::Entry;
use crate::ledger::summary::summary;
use crate::text::shown;
use crate::tlog::tree;

/// The first row.
pub(super) const HEADER: &str = "log,seq,time,boot,uptime_ms,type,actor,what,look_at,factory,wave,tag,version,request,review,\
                                 signed,keyid,officers,strength,root_version,policy,leaf\r\n";

/// The columns that are fields, in the order of [`HEADER`].
const COLUMNS: [&str; 12] = [
    "factory",
    "wave",
    "tag",
    "version",
    "request",
    "review",
    "signed",
    "keyid",
    "officers",
    "strength",
    "root_version",
    "policy",
];

/// A field as a cell has it.
fn words(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => shown(text),
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

/// Adds a row (RFC 4180).
pub(super) fn row(entry: &Entry<'_>, log: &str, remarks: &[Remark], out: &mut Vec<u8>) {
    let mut of_fields: [String; COLUMNS.len()] = Default::default();
    entry.record().columns(&mut |(field, _), json| {
        let at = COLUMNS.iter().position(|column| column == field);
        if let Some(cell) = at.and_then(|at| of_fields.get_mut(at)) {
            *cell = words(&serde_json::from_str(&json).unwrap_or_default());
        }
    });
    let look_at: Vec<&str> = remarks.iter().map(|remark| remark.kind.name()).collect();
    let cells = [
        shown(log),
        entry.seq().to_string(),
        entry.time().to_string(),
        shown(&entry.boot()),
        entry.uptime_ms().to_string(),
        entry.kind().name().to_owned(),
        shown(&entry.actor()),
        summary(entry),
        look_at.join(" "),
    ];
    let leaf = hex::encode(tree::leaf_hash(entry.line()));
    for (index, cell) in cells.iter().chain(&of_fields).chain([&leaf]).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_cell(cell, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Quotes a cell, and puts an apostrophe before what a spreadsheet takes for a formula.
fn write_cell(cell: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '|', '%']) {
        out.push(b'\'');
    }
    for byte in cell.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut out = Vec::new();
        write_cell(text, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        assert_eq!(cell("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"");
        for start in ["+1", "-1", "@SUM(A1)", "\tx", "|x", "%x"] {
            assert!(cell(start).starts_with("\"'"), "{start}");
        }
        assert_eq!(cell("v2.0"), "\"v2.0\"");
    }
}
