//! What was published: the documents in a file that the auditor was given, and the tags they are for.

use crate::audit::AuditError;
use crate::json::{Kind, Value};
use crate::text::shown;
use crate::tuf::targets;
use std::collections::BTreeSet;

/// Of what is no document to compare.
pub(super) const NOT_TARGETS: &str = "not production targets metadata, skipped";
/// The most names of a map's other members that are listed.
const NAMES_SHOWN: usize = 8;

/// A document in a file.
pub(super) struct Envelope<'d> {
    pub(super) value: Value<'d>,
    /// Its member of a map of tags.
    pub(super) name: Option<String>,
    /// The tag that its place says it is for.
    pub(super) tag: Option<String>,
}

/// What is in a file.
pub(super) struct Contents<'d> {
    pub(super) documents: Vec<Envelope<'d>>,
    /// What stands beside the documents of a map, in a sentence.
    pub(super) others: Option<String>,
}

/// The documents in a file: a `targets.json`, a map of tags to them, or a wave that holds one.
pub(super) fn contents<'d>(root: Value<'d>) -> Contents<'d> {
    // One without the member `signatures` is a damaged document, not none.
    let is_envelope =
        |value: &Value<'d>| value.get("signed").is_some_and(|signed| signed.kind() == Kind::Object);
    if is_envelope(&root) {
        let documents = vec![Envelope { value: root, name: None, tag: None }];
        return Contents { documents, others: None };
    }
    if let Some(value) = root.get("targets").filter(is_envelope) {
        let tag = root.get("tag").and_then(|tag| tag.as_str()).map(|tag| tag.into_owned());
        return Contents { documents: vec![Envelope { value, name: None, tag }], others: None };
    }
    let mut documents = Vec::new();
    let (mut names, mut count) = (Vec::new(), 0usize);
    for (key, value) in root.members() {
        let name = key.text();
        if is_envelope(&value) {
            let name = name.into_owned();
            documents.push(Envelope { value, tag: Some(name.clone()), name: Some(name) });
        } else {
            count += 1;
            if names.len() < NAMES_SHOWN {
                names.push(shown(&name));
            }
        }
    }
    let more = match count - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let others = (count > 0).then(|| format!("[{}]{more}: {NOT_TARGETS}", names.join(", ")));
    Contents { documents, others }
}

/// The tags of the targets in a document.
pub(super) fn tags(signed: Value<'_>) -> Result<BTreeSet<String>, AuditError> {
    let Some(map) = signed.get("targets") else { return Ok(BTreeSet::new()) };
    let all = targets::list(map)?;
    Ok(all.iter().flat_map(|target| target.tags()).map(|tag| tag.into_owned()).collect())
}
