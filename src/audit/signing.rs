//! What the entries about a signature say, held against what the pack itself holds: the manifest of the request, the
//! signed document, the root and the sealing of the key. Whoever has the log's key can write any line; what she writes
//! must still fit to these.

use crate::json::{Document, Limits, Value};
use crate::ledger::requests::Asked;

/// Does the request's manifest say what the entry says that was asked for? The sentence is what it says otherwise.
pub(super) fn check_manifest(asked: &Asked, manifest: &[u8]) -> Result<(), String> {
    let limits = Limits::of_bytes(manifest.len() as u64);
    let document = Document::parse("request.json", manifest, limits)
        .map_err(|e| format!("the request's manifest cannot be read: {e}"))?;
    let root = document.root();
    let says = |name: &str, wanted: &str| {
        root.get(name).and_then(|value| value.as_str()).is_some_and(|found| found == wanted)
    };
    let Asked { factory, kind, tag, wave, version, signed: _ } = asked;
    for (name, wanted) in [("factory", factory), ("kind", kind), ("tag", tag), ("wave", wave)] {
        if !says(name, wanted) {
            return Err(format!("the request's manifest has another {name} than the entry"));
        }
    }
    if root.get("version").and_then(|version| version.as_u64()) != Some(*version) {
        return Err("the request's manifest has another version than the entry".to_owned());
    }
    Ok(())
}

/// Does the signed document have this version?
pub(super) fn check_version(signed: &[u8], version: u64) -> Result<(), String> {
    let document = Document::parse("signed", signed, Limits::of_bytes(signed.len() as u64))
        .map_err(|e| format!("the signed document cannot be read: {e}"))?;
    let found = document.root().get("version").and_then(|found: Value<'_>| found.as_u64());
    if found == Some(version) {
        return Ok(());
    }
    Err(format!(
        "the entry says version {version}, and the signed document has {}",
        found.map_or_else(|| "none".to_owned(), |found| found.to_string())
    ))
}
