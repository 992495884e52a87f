//! One row an entry, with typed columns, for a database: `read_json_auto` of DuckDB needs no schema file.
//!
//! What an entry does not have, and a list that is empty, is left out; the first row of each log names every column, so that
//! no query fails for one that a log does not use.

use crate::audit::Remark;
use crate::ledger::Entry;
use crate::ledger::Kind;
use crate::ledger::field::Shape;
use crate::ledger::summary::summary;
use crate::tlog::tree;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::LazyLock;

/// The columns that every row has, or may have whatever its kind.
const OF_EVERY_ROW: [&str; 11] =
    ["log", "seq", "time", "type", "actor", "boot", "uptime_ms", "summary", "look_at", "remarks", "leaf"];

/// The columns of the kinds' fields.
static OF_KINDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let of = |kind: &Kind| kind.fields().iter().map(|(field, _)| column(*kind, field)).collect::<Vec<_>>();
    Kind::ALL.iter().flat_map(of).collect()
});

/// Fields that hold a number in one kind and a text in another: their column is a text.
static MIXED: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let (mut known, mut mixed) = (BTreeMap::new(), BTreeSet::new());
    for (field, shape) in Kind::ALL.iter().flat_map(|kind| kind.fields()) {
        let is_number = *shape == Shape::Int;
        if known.insert(*field, is_number).is_some_and(|other| other != is_number) {
            mixed.insert(*field);
        }
    }
    mixed
});

/// The column of a field: its own name, or, where every row has a column of that name, that of its kind before it.
fn column(kind: Kind, field: &str) -> String {
    if OF_EVERY_ROW.contains(&field) {
        return format!("{}_{field}", kind.name().replace('.', "_"));
    }
    field.to_owned()
}

/// Adds a row.
pub(super) fn row(entry: &Entry<'_>, log: &str, remarks: &[Remark], out: &mut Vec<u8>) {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let list = |all: Vec<&str>| serde_json::json!(Some(all).filter(|all| !all.is_empty()));
    // Writing to a vector cannot fail.
    let _ = write!(
        out,
        "{{\"log\":{},\"seq\":{},\"time\":\"{}\",\"type\":\"{}\",\"actor\":{},\"boot\":{},\"uptime_ms\":{},\"summary\":{}",
        text(log),
        entry.seq(),
        entry.time(),
        entry.kind().name(),
        text(&entry.actor()),
        text(&entry.boot()),
        entry.uptime_ms(),
        text(&summary(entry))
    );
    if !remarks.is_empty() || entry.seq() == 0 {
        let kinds = list(remarks.iter().map(|remark| remark.kind.name()).collect());
        let texts = list(remarks.iter().map(|remark| remark.text.as_str()).collect());
        let _ = write!(out, ",\"look_at\":{kinds},\"remarks\":{texts}");
    }
    let _ = write!(out, ",\"leaf\":\"{}\"", hex::encode(tree::leaf_hash(entry.line())));
    let mut missing = if entry.seq() == 0 { OF_KINDS.clone() } else { BTreeSet::new() };
    entry.record().columns(&mut |(field, shape), json| {
        if json.is_empty() || json == "[]" {
            return;
        }
        let column = column(entry.kind(), field);
        let quote = if MIXED.contains(field) && *shape == Shape::Int { "\"" } else { "" };
        let _ = write!(out, ",\"{column}\":{quote}{json}{quote}");
        missing.remove(&column);
    });
    for column in missing {
        let _ = write!(out, ",\"{column}\":null");
    }
    out.extend_from_slice(b"}\n");
}
