//! What was published against what was logged, both ways: is this all of it?

use super::AuditError;
use super::pack::Pack;
use crate::host::Disk;
use crate::host::disk::Kind;
use crate::json::{Document, Limits};
use crate::ledger::store::Head;
use crate::text::{shown, shown_path};
use crate::tuf::{Dialect, Message, Metadata, TufError};
use published::{Contents, Envelope, NOT_TARGETS, contents, tags};
use record::{Logged, Record};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use waves::Waves;

mod published;
mod record;
mod waves;

/// The most names in a folder.
const MOST_FILES: usize = 100_000;

/// What can be found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Finding {
    /// A published document has a signature by our key that is not in the log.
    Unlogged,
    /// A published document has the tag and version of one that was signed, and other bytes.
    BytesDiffer,
    /// Our key stands twice in a published document, or made two different signatures over the same bytes.
    Duplicate,
    /// A published document has a signature that the log says was not made.
    ContradictsSettlement,
    /// A published document has the content that was signed, and lacks the signature that the log has.
    SignatureMissing,
    /// An intent to sign has no result, and no officer has said what it was.
    InDoubt,
    /// A published document has a signature that an officer said was made; or one that she said was made is not there.
    DeclaredMade,
    /// The same signature was made again: there is only the one.
    Repeated,
    /// A signature in the log whose document was not among the files.
    Unpublished,
    /// Published and logged, the same bytes and the same signature.
    Match,
}

impl Finding {
    /// The word in the table.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Finding::Unlogged => "UNLOGGED",
            Finding::BytesDiffer => "BYTES-DIFFER",
            Finding::Duplicate => "DUPLICATE",
            Finding::ContradictsSettlement => "CONTRADICTS-SETTLEMENT",
            Finding::SignatureMissing => "SIG-MISSING",
            Finding::InDoubt => "IN-DOUBT",
            Finding::DeclaredMade => "DECLARED-MADE",
            Finding::Repeated => "REPEATED",
            Finding::Unpublished => "UNPUBLISHED",
            Finding::Match => "MATCH",
        }
    }

    /// Must somebody act?
    pub(crate) const fn is_grave(self) -> bool {
        !matches!(
            self,
            Finding::InDoubt
                | Finding::DeclaredMade
                | Finding::Repeated
                | Finding::Unpublished
                | Finding::Match
        )
    }
}

/// One line of the answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Line {
    /// What was found.
    pub finding: Finding,
    /// The published file, or the entry; already escaped.
    pub place: String,
    /// The document's digest.
    pub digest: String,
    /// A sentence; already escaped.
    pub text: String,
}

/// Something among the files that was not compared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Skipped {
    /// The file, folder or document; already escaped.
    pub place: String,
    /// Why; already escaped.
    pub reason: String,
    /// Could it be a document that was to be compared? A damaged or too large file is; a link or a root is not.
    pub unread: bool,
}

/// What came out.
#[derive(Default)]
pub(crate) struct Comparison {
    /// What was found, the grave first.
    pub lines: Vec<Line>,
    /// The files with a document that was compared.
    pub files: usize,
    /// The documents compared.
    pub documents: usize,
    /// What was not compared.
    pub skipped: Vec<Skipped>,
}

impl Comparison {
    fn skip(&mut self, place: &str, reason: impl Into<String>) {
        self.skipped.push(Skipped { place: place.to_owned(), reason: reason.into(), unread: false });
    }
}

/// What is compared with the logs.
pub(crate) struct Published<'a> {
    /// Published metadata: files, and folders of them.
    pub targets: &'a [PathBuf],
    /// The service's list of waves.
    pub waves: Option<&'a Path>,
    /// Files of more bytes are not read.
    pub largest: u64,
}

/// Compares what was published with the logs of all stations whose packs are given. Of a folder, what is no targets
/// metadata or cannot be read is listed, and the rest compared.
///
/// # Errors
/// A pack or a folder cannot be read, or a file that was named itself cannot, or is not what it is named as.
pub(crate) fn reconcile(
    disk: &dyn Disk,
    packs: &[(&Pack<'_>, Head)],
    published: &Published<'_>,
) -> Result<Comparison, AuditError> {
    let record = Record::read(packs)?;
    let mut found = Comparison::default();
    let mut digests = BTreeSet::new();
    for source in expand(disk, published.targets, &mut found)? {
        let before = found.documents;
        if let Err(error) = compare_file(disk, &record, &source, published.largest, &mut found, &mut digests)
        {
            set_aside(&source, &shown_path(&source.path), error, &mut found)?;
        }
        found.files += usize::from(found.documents > before);
    }
    let waves = published.waves.map(|path| Waves::read(disk, path, published.largest)).transpose()?;
    for (digest, logged) in &record.signatures {
        found.lines.extend(repeated(digest, logged));
        if digests.contains(digest) {
            continue;
        }
        for one in logged {
            let text = format!(
                "tag {}, version {}: signed, and not among the files{}",
                shown(&one.tag),
                one.version,
                waves.as_ref().map_or("", |waves| waves.became(one))
            );
            found.lines.push(line(Finding::Unpublished, one.entry.clone(), digest, text));
        }
    }
    for (digest, word) in record.words.iter().filter(|(digest, _)| !digests.contains(digest)) {
        if let Some((finding, text)) = word.unpublished() {
            found.lines.push(line(finding, word.entry.clone(), digest, text));
        }
    }
    if let Some(waves) = waves {
        waves.compare(&record, &mut found);
    }
    found.lines.sort();
    found.lines.dedup();
    found.skipped.sort();
    Ok(found)
}

/// The same bytes, signed more than once with the same key.
fn repeated(digest: &str, logged: &[Logged]) -> Option<Line> {
    let keys: BTreeSet<&str> = logged.iter().map(|one| one.keyid.as_str()).collect();
    if keys.len() == logged.len() {
        return None;
    }
    let made: BTreeSet<(&str, &[u8])> =
        logged.iter().map(|one| (one.keyid.as_str(), one.sig.as_slice())).collect();
    let (finding, what) = match made.len() == keys.len() {
        true => (Finding::Repeated, "the same signature each time"),
        false => (Finding::Duplicate, "and the signatures differ"),
    };
    let entries: Vec<&str> = logged.iter().map(|one| one.entry.as_str()).collect();
    let text = format!(
        "the same bytes were signed with the same key more than once, {what}: {}",
        entries.join(", ")
    );
    Some(line(finding, entries.first().copied().unwrap_or_default().to_owned(), digest, text))
}

/// A file to compare.
struct Source {
    path: PathBuf,
    /// Did the auditor name the file itself, and not only its folder?
    named: bool,
}

/// An error ends everything when it is about a file that the auditor named; of a folder's file it is written down.
fn set_aside(
    source: &Source,
    place: &str,
    error: AuditError,
    found: &mut Comparison,
) -> Result<(), AuditError> {
    if source.named {
        return Err(error);
    }
    let (reason, unread) = match &error {
        AuditError::Metadata(TufError::Role { .. }) => (NOT_TARGETS.to_owned(), false),
        AuditError::Disk(error) => (format!("it cannot be read: {}", error.source), true),
        AuditError::File { problem, .. } => (problem.clone(), true),
        other => {
            let text = other.to_string();
            let problem = text.strip_prefix(&shown_path(&source.path)).unwrap_or(&text);
            (format!("it cannot be understood: {}", problem.trim_start_matches([':', ' '])), true)
        }
    };
    found.skipped.push(Skipped { place: place.to_owned(), reason, unread });
    Ok(())
}

/// Compares the documents in a file.
fn compare_file(
    disk: &dyn Disk,
    record: &Record,
    source: &Source,
    largest: u64,
    found: &mut Comparison,
    published: &mut BTreeSet<String>,
) -> Result<(), AuditError> {
    let path = &source.path;
    let largest = largest.min(u64::from(u32::MAX));
    if let Some(Kind::File(length)) = disk.kind(path)?
        && length > largest
    {
        let problem = format!(
            "it has {length} bytes, at most {largest} are read. To read a larger file, give --max-file-bytes"
        );
        return Err(AuditError::file(path, problem));
    }
    let bytes = disk.read(path, largest)?;
    let place = shown_path(path);
    let document =
        Document::parse(path.to_string_lossy(), bytes, Limits::of_bytes(largest)).map_err(TufError::from)?;
    let Contents { documents, others } = contents(document.root());
    if documents.is_empty() && source.named {
        let problem =
            "there is no targets metadata in it: neither a targets.json, nor a map of tags, nor a wave";
        return Err(AuditError::file(path, problem));
    }
    if documents.is_empty() {
        found.skip(&place, NOT_TARGETS);
    } else if let Some(reason) = others {
        found.skip(&place, reason);
    }
    for one in documents {
        let place = match &one.name {
            None => place.clone(),
            Some(name) => format!("{place} [{}]", shown(name)),
        };
        match compare(record, &one, &place, &mut found.lines) {
            Ok(Some(digest)) => {
                published.insert(digest);
                found.documents += 1;
            }
            Ok(None) => found.skip(
                &place,
                "no key of this log signed it, as with CI targets or another station's: skipped",
            ),
            Err(error) => set_aside(source, &place, error, found)?,
        }
    }
    Ok(())
}

fn line(finding: Finding, place: String, digest: &str, text: String) -> Line {
    Line { finding, place, digest: digest.to_owned(), text }
}

/// The files named, and those in the folders named that end in `.json`; every other name in a folder is written down.
fn expand(disk: &dyn Disk, files: &[PathBuf], found: &mut Comparison) -> Result<Vec<Source>, AuditError> {
    let mut all = Vec::new();
    for path in files.iter().collect::<BTreeSet<_>>() {
        if disk.kind(path)? != Some(Kind::Folder) {
            all.push(Source { path: path.clone(), named: true });
            continue;
        }
        for entry in disk.list(path, MOST_FILES)? {
            let path = path.join(&entry.name);
            let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
            let place = shown_path(&path);
            match entry.kind {
                // A file that was also named itself is compared once, as one that was.
                Kind::File(_) if files.contains(&path) => {}
                Kind::File(_) if is_json => all.push(Source { path, named: false }),
                Kind::File(_) => found.skip(&place, "its name does not end in .json, skipped"),
                Kind::Folder if files.contains(&path) => {}
                Kind::Folder => found.skip(
                    &place,
                    "a folder within the folder, not looked into: to compare its files, name it too",
                ),
                Kind::Other => found.skip(&place, "a link or a special file, never read, skipped"),
            }
        }
    }
    Ok(all)
}

/// What was signed of a published document's content and is not there, once for each key.
fn missing(logged: Option<&Vec<Logged>>, signers: &BTreeSet<&str>) -> Vec<String> {
    let mut keyids = BTreeSet::new();
    let is_missing =
        |one: &&Logged| !signers.contains(one.keyid.as_str()) && keyids.insert(one.keyid.clone());
    let said = |one: &Logged| {
        format!(
            "the published document has the same content as signed in {} by key {}, and lacks this signature",
            one.entry,
            super::facts::short(&one.keyid)
        )
    };
    logged.into_iter().flatten().filter(is_missing).map(said).collect()
}

/// Compares one published document; returns the digest of its signed bytes, or `None` when the log has nothing to do with
/// it.
fn compare(
    record: &Record,
    envelope: &Envelope<'_>,
    place: &str,
    lines: &mut Vec<Line>,
) -> Result<Option<String>, AuditError> {
    let dialect = record.dialect.unwrap_or(Dialect::Factory);
    let metadata = Metadata::read(envelope.value, dialect, "targets")?;
    let message: Message<'_> = metadata.message()?;
    let digest = message.digest().to_string();
    let mut tags = tags(metadata.signed)?;
    // CI targets count their versions by themselves and have many tags; production targets have one, that of their place.
    let mut is_production = tags.len() == 1;
    if let Some(tag) = &envelope.tag {
        is_production = true;
        tags.insert(tag.clone());
    }
    let version = metadata.version;
    let what = format!(
        "tag {}, version {version}",
        tags.iter().map(|tag| shown(tag)).collect::<Vec<_>>().join(", ")
    );
    let logged = record.signatures.get(&digest);
    let before = lines.len();
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
                (Finding::Match, format!("{what}: signed in {}", entry.entry))
            }
            Some(entry) => (
                Finding::BytesDiffer,
                format!("{what}: the signature of {} was replaced by one that does not hold", entry.entry),
            ),
            None if holds => match record.word_of(&digest, keyid) {
                Some(word) => word.published(&what),
                None => (
                    Finding::Unlogged,
                    format!("{what}: a valid signature by key {} is not in the log", signature.keyid.short()),
                ),
            },
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
    let signers: BTreeSet<&str> = metadata.signatures.iter().map(|one| one.keyid.as_str()).collect();
    for text in missing(logged, &signers) {
        lines.push(line(Finding::SignatureMissing, place.to_owned(), &digest, format!("{what}: {text}")));
    }
    let is_ours = lines.len() > before;
    if logged.is_none() && (is_ours || is_production) {
        for (other, entries) in &record.signatures {
            let same = entries.iter().find(|one| one.version == version && tags.contains(&one.tag));
            if let Some(entry) = same {
                let text =
                    format!("{what}: {} signed other bytes, {}", entry.entry, super::facts::short(other));
                lines.push(line(Finding::BytesDiffer, place.to_owned(), &digest, text));
            }
        }
    }
    Ok((lines.len() > before).then_some(digest))
}
