//! What the entries about a signature say, held against what the pack itself holds: the manifest of the request, the
//! signed document, the root and the sealing of the key. Whoever has the log's key can write any line; what she writes
//! must still fit to these.

use crate::json::{Document, Limits, Value};
use crate::ledger::record::{RequestImported, SignIntent};

/// What an entry says that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    factory: String,
    kind: String,
    tag: String,
    version: u64,
    wave: String,
}

impl Asked {
    /// What the request asked for.
    pub(super) fn of_request(taken: &RequestImported<'_>) -> Asked {
        Asked {
            factory: taken.factory.to_string(),
            kind: taken.kind.to_string(),
            tag: taken.tag.to_string(),
            version: taken.version,
            wave: taken.wave.to_string(),
        }
    }

    /// What an intent to sign says that was asked for.
    pub(super) fn of_intent(intent: &SignIntent<'_>) -> Asked {
        Asked {
            factory: intent.factory.to_string(),
            kind: intent.kind.to_string(),
            tag: intent.tag.to_string(),
            version: intent.version,
            wave: intent.wave.to_string(),
        }
    }

    /// Does the request's manifest say the same? The sentence is what it says otherwise.
    pub(super) fn check_manifest(&self, manifest: &[u8]) -> Result<(), String> {
        let limits = Limits::of_bytes(manifest.len() as u64);
        let document = Document::parse("request.json", manifest, limits)
            .map_err(|e| format!("the request's manifest cannot be read: {e}"))?;
        let root = document.root();
        let says = |name: &str, wanted: &str| {
            root.get(name).and_then(|value| value.as_str()).is_some_and(|found| found == wanted)
        };
        for (name, wanted) in
            [("factory", &self.factory), ("kind", &self.kind), ("tag", &self.tag), ("wave", &self.wave)]
        {
            if !says(name, wanted) {
                return Err(format!("the request's manifest has another {name} than the entry"));
            }
        }
        if root.get("version").and_then(|version| version.as_u64()) != Some(self.version) {
            return Err("the request's manifest has another version than the entry".to_owned());
        }
        Ok(())
    }
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
