//! What was published against what was logged, both ways: is this all of it?

use super::AuditError;
use super::pack::Pack;
use crate::host::disk::Kind as FileKind;
use crate::json::{Document, Kind as JsonKind, Limits, Value};
use crate::log::Kind;
use crate::log::store::Head;
use crate::text::{shown, shown_path};
use crate::tuf::{Dialect, Message, Metadata, PublicKey, Root, TufError, targets};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most bytes of a published file.
const LARGEST: u64 = 1 << 30;
/// The most files of a folder.
const MOST_FILES: usize = 100_000;

/// What can be found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Finding {
    /// A published document has a signature by our key that is not in the log.
    Unlogged,
    /// A published document has the tag and version of one that was signed, and other bytes.
    BytesDiffer,
    /// Our key stands twice in a published document, or the same bytes were signed twice.
    Duplicate,
    /// A signature in the log whose document was not among the files.
    Unpublished,
    /// Published and logged, the same bytes and the same signature.
    Match,
}

impl Finding {
    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Finding::Unlogged => "UNLOGGED",
            Finding::BytesDiffer => "BYTES-DIFFER",
            Finding::Duplicate => "DUPLICATE",
            Finding::Unpublished => "UNPUBLISHED",
            Finding::Match => "MATCH",
        }
    }

    /// Must somebody act?
    pub const fn is_grave(self) -> bool {
        matches!(self, Finding::Unlogged | Finding::BytesDiffer | Finding::Duplicate)
    }
}

/// One line of the answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Line {
    /// What was found.
    pub finding: Finding,
    /// The published file, or the entry; already escaped.
    pub place: String,
    /// The document's digest.
    pub digest: String,
    /// A sentence; already escaped.
    pub text: String,
}

struct Logged {
    seq: u64,
    keyid: String,
    sig: Vec<u8>,
    tag: String,
    version: u64,
}

/// What the log says about signatures.
#[derive(Default)]
struct Record {
    dialect: Option<Dialect>,
    /// By the digest of the signed bytes.
    signatures: BTreeMap<String, Vec<Logged>>,
    /// Keys that this station held or signed with.
    keyids: BTreeSet<String>,
    keys: BTreeMap<String, PublicKey>,
}

/// Compares published documents with the log.
///
/// # Errors
/// The pack or a file cannot be read, or a file is not targets metadata.
pub fn reconcile(pack: &Pack<'_>, head: &Head, files: &[PathBuf]) -> Result<Vec<Line>, AuditError> {
    let record = read_record(pack, head)?;
    let dialect = record.dialect.unwrap_or(Dialect::Factory);
    let mut lines = Vec::new();
    let mut published = BTreeSet::new();
    for path in expand(pack, files)? {
        let bytes = pack.disk().read(&path, LARGEST)?;
        let place = shown_path(&path);
        let document =
            Document::parse(place.clone(), &*bytes, Limits::of_bytes(LARGEST)).map_err(TufError::from)?;
        let found = envelopes(document.root());
        if found.is_empty() {
            let problem =
                "there is no targets metadata in it: neither a targets.json, nor a map of tags, nor a wave";
            return Err(AuditError::file(&path, problem));
        }
        for (name, envelope) in found {
            let place = if name.is_empty() { place.clone() } else { format!("{place} [{}]", shown(&name)) };
            published.insert(one(&record, envelope, dialect, &place, &mut lines)?);
        }
    }
    for (digest, logged) in &record.signatures {
        let keys: BTreeSet<&str> = logged.iter().map(|one| one.keyid.as_str()).collect();
        if keys.len() < logged.len() {
            let seqs: Vec<String> = logged.iter().map(|one| one.seq.to_string()).collect();
            let text = format!(
                "the same bytes were signed with the same key more than once: entries {}",
                seqs.join(", ")
            );
            lines.push(line(Finding::Duplicate, format!("entry {}", logged[0].seq), digest, text));
        }
        if !published.contains(digest) {
            for one in logged {
                let text = format!(
                    "tag {}, version {}: signed, and not among the files",
                    shown(&one.tag),
                    one.version
                );
                lines.push(line(Finding::Unpublished, format!("entry {}", one.seq), digest, text));
            }
        }
    }
    lines.sort();
    lines.dedup();
    Ok(lines)
}

fn line(finding: Finding, place: String, digest: &str, text: String) -> Line {
    Line { finding, place, digest: digest.to_owned(), text }
}

fn read_record(pack: &Pack<'_>, head: &Head) -> Result<Record, AuditError> {
    let mut record = Record::default();
    let mut roots = Vec::new();
    pack.each_entry(head, |entry| {
        match entry.kind() {
            Kind::StationCreated => record.dialect = Dialect::parse(&entry.text("dialect")),
            Kind::RootPinned | Kind::RootUpdated => roots.push(entry.text("object").into_owned()),
            Kind::SignResult => {
                let keyid = entry.text("keyid").into_owned();
                record.keyids.insert(keyid.clone());
                let dialect = record.dialect.unwrap_or(Dialect::Factory);
                let sig = dialect.decode_signature(&entry.text("sig")).unwrap_or_default();
                let logged = Logged {
                    seq: entry.seq(),
                    keyid,
                    sig,
                    tag: entry.text("tag").into_owned(),
                    version: entry.int("version"),
                };
                record.signatures.entry(entry.text("signed").into_owned()).or_default().push(logged);
            }
            _ if entry.has("keyid") => {
                record.keyids.insert(entry.text("keyid").into_owned());
            }
            _ => {}
        }
        Ok(true)
    })?;
    for object in roots {
        let root = Root::parse("root", &pack.object(&object)?)?;
        record.keys.extend(root.keys.into_iter().map(|(id, key)| (id.as_str().to_owned(), key)));
    }
    Ok(record)
}

/// The files named, and those in the folders named that end in `.json`.
fn expand(pack: &Pack<'_>, files: &[PathBuf]) -> Result<Vec<PathBuf>, AuditError> {
    let mut all = Vec::new();
    for path in files {
        if pack.disk().kind(path)? != Some(FileKind::Folder) {
            all.push(path.clone());
            continue;
        }
        let found = pack.disk().list(path, MOST_FILES)?;
        let json = found
            .iter()
            .filter(|found| {
                matches!(found.kind, FileKind::File(_))
                    && Path::new(&found.name).extension().is_some_and(|end| end == "json")
            })
            .map(|found| path.join(&found.name));
        all.extend(json);
    }
    Ok(all)
}

/// The documents in a file: a `targets.json`, a map of tags to them, or a wave that holds one.
fn envelopes<'d>(root: Value<'d>) -> Vec<(String, Value<'d>)> {
    let is_envelope = |value: &Value<'d>| value.get("signed").is_some() && value.get("signatures").is_some();
    if is_envelope(&root) {
        return vec![(String::new(), root)];
    }
    if let Some(inner) = root.get("targets").filter(is_envelope) {
        return vec![(String::new(), inner)];
    }
    let members = root.members().filter(|(_, value)| value.kind() == JsonKind::Object && is_envelope(value));
    members.map(|(key, value)| (key.text().into_owned(), value)).collect()
}

/// Compares one published document; returns the digest of its signed bytes.
fn one(
    record: &Record,
    envelope: Value<'_>,
    dialect: Dialect,
    place: &str,
    lines: &mut Vec<Line>,
) -> Result<String, AuditError> {
    let metadata = Metadata::read(envelope, dialect, "targets")?;
    let message: Message<'_> = metadata.message()?;
    let digest = message.digest().to_string();
    let tags = tags(metadata.signed)?;
    let version = metadata.version;
    let what = format!(
        "tag {}, version {version}",
        tags.iter().map(|tag| shown(tag)).collect::<Vec<_>>().join(", ")
    );
    let logged = record.signatures.get(&digest);
    let mut seen = BTreeSet::new();
    for signature in metadata.signatures.iter().filter(|one| record.keyids.contains(one.keyid.as_str())) {
        let keyid = signature.keyid.as_str();
        if !seen.insert(keyid.to_owned()) {
            let text = format!(
                "{what}: key {} stands twice, devices reject the whole file",
                signature.keyid.short()
            );
            lines.push(line(Finding::Duplicate, place.to_owned(), &digest, text));
        }
        let entry = logged.into_iter().flatten().find(|one| one.keyid == keyid);
        let value = signature.value.as_deref().unwrap_or_default();
        let holds = record.keys.get(keyid).is_some_and(|key| key.verify(message.bytes(), value));
        let (finding, text) = match entry {
            Some(entry) if holds || entry.sig == value => {
                (Finding::Match, format!("{what}: signed in entry {}", entry.seq))
            }
            Some(entry) => (
                Finding::BytesDiffer,
                format!(
                    "{what}: the signature of entry {} was replaced by one that does not hold",
                    entry.seq
                ),
            ),
            None if holds => (
                Finding::Unlogged,
                format!("{what}: a valid signature by key {} is not in the log", signature.keyid.short()),
            ),
            None => (
                Finding::BytesDiffer,
                format!(
                    "{what}: a signature by key {} does not hold over these bytes",
                    signature.keyid.short()
                ),
            ),
        };
        lines.push(line(finding, place.to_owned(), &digest, text));
    }
    if logged.is_none() {
        for (other, entries) in &record.signatures {
            let same = entries.iter().find(|one| one.version == version && tags.contains(&one.tag));
            if let Some(entry) = same {
                let text =
                    format!("{what}: entry {} signed other bytes, {}", entry.seq, super::facts::short(other));
                lines.push(line(Finding::BytesDiffer, place.to_owned(), &digest, text));
            }
        }
    }
    Ok(digest)
}

/// The tags of the targets in a document.
fn tags(signed: Value<'_>) -> Result<BTreeSet<String>, AuditError> {
    let Some(map) = signed.get("targets") else { return Ok(BTreeSet::new()) };
    let all = targets::list(map)?;
    Ok(all.iter().flat_map(|target| target.tags()).map(|tag| tag.into_owned()).collect())
}
