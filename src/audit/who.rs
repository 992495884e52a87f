//! Who signed it, when, with which key, on whose approval? And what is said of a signature that the log does not have?

use super::AuditError;
use super::pack::Pack;
use super::words::{self, Outcome, Word};
use crate::json::{Document, Limits};
use crate::ledger::field::ApprovalAt;
use crate::ledger::lines::{Chunk, LINES_PER_FILE};
use crate::ledger::record::SignResult;
use crate::ledger::store::Head;
use crate::ledger::{Entry, EntryBuf, Kind, Record, SignedApproval};
use crate::text::shown;
use std::fmt::Write as _;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// The signatures of a metadata version.
    Version(u64),
    /// The signatures of documents that hold a target of this name.
    Target(String),
    /// The signatures of a document or request whose digest begins so.
    Digest(String),
    /// The signatures by a key whose id begins so.
    Key(String),
}

/// An approval behind a signature.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ApprovedBy {
    /// The officer.
    pub officer: String,
    /// The entry of the approval.
    pub seq: u64,
    /// When it was given.
    pub time: String,
    /// What the officer said.
    pub reason: String,
}

/// What settled an intent that has no result.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Settled {
    /// The entry.
    pub seq: u64,
    /// When.
    pub time: String,
    /// Who said so.
    pub by: String,
    /// What was said.
    pub said: String,
}

/// A signature, or an intent without a result, with everything that led to it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Signed {
    /// `SIGNED`; without a result `IN-DOUBT`, `DECLARED-MADE`, `DECLARED-NOT-MADE` or `GIVEN-UP`.
    pub outcome: &'static str,
    /// What settled an intent without a result.
    pub settled: Option<Settled>,
    /// The entry of the result; where there is none, of the intent.
    pub seq: u64,
    /// When it was written.
    pub time: String,
    /// The entry of the intent.
    pub intent: u64,
    /// Factory, wave, tag and version.
    pub factory: String,
    /// The wave.
    pub wave: String,
    /// The tag.
    pub tag: String,
    /// The metadata version.
    pub version: u64,
    /// The kind of document.
    pub kind: String,
    /// The request's digest.
    pub request: String,
    /// The digest of the review that was approved.
    pub review: String,
    /// The digest of the signed bytes.
    pub signed: String,
    /// The key.
    pub keyid: String,
    /// The root in force.
    pub root_version: u64,
    /// The digest of the policy in force.
    pub policy: String,
    /// Who opened the key.
    pub officers: Vec<String>,
    /// L0, L1 or L2.
    pub strength: String,
    /// On whose approval.
    pub approvals: Vec<ApprovedBy>,
    /// The findings that were accepted: check and severity.
    pub findings: Vec<(String, String)>,
    /// The program's version, and the digest of its file.
    pub tool: (String, String),
}

/// Finds the signatures in the entries that a head covers. The lines must give the head's root, so nobody answers from a
/// line that was changed; that all of the log makes sense is for [`super::verdict::verify`] to say.
///
/// # Errors
/// The pack cannot be read, or a line was changed.
pub fn find(pack: &Pack<'_>, head: &Head, question: &Question) -> Result<Vec<Signed>, AuditError> {
    let words = words::read(pack, head, |entry, result| matches(pack, entry, result, question))?;
    let mut reader = Reader { pack, chunk: None };
    words.iter().map(|word| reader.signed(word)).collect()
}

fn matches(
    pack: &Pack<'_>,
    entry: &Entry<'_>,
    result: &SignResult<'_>,
    question: &Question,
) -> Result<bool, AuditError> {
    Ok(match question {
        Question::Version(version) => result.version == *version,
        Question::Digest(start) => {
            let digests: [&str; 3] = [&result.signed, &result.request, &result.review];
            digests.iter().any(|digest| digest.starts_with(start.as_str()))
        }
        Question::Key(start) => result.keyid.starts_with(start.as_str()),
        // The bytes of an intent that no checkpoint covered need not be there.
        Question::Target(_) if entry.kind() == Kind::SignRecovered && !pack.has_object(&result.signed)? => {
            false
        }
        Question::Target(name) => {
            let bytes = pack.object(&result.signed)?;
            let document = Document::parse("signed", &*bytes, Limits::DEFAULT);
            let document = document.map_err(crate::tuf::TufError::from)?;
            let targets = document.root().get("targets");
            targets.is_some_and(|targets| targets.members().any(|(key, _)| key.text() == name.as_str()))
        }
    })
}

/// Reads single entries; those behind one signature mostly stand in one file.
struct Reader<'a> {
    pack: &'a Pack<'a>,
    chunk: Option<Chunk>,
}

impl Reader<'_> {
    fn entry(&mut self, seq: u64) -> Result<Option<EntryBuf>, AuditError> {
        let number = seq / LINES_PER_FILE;
        if self.chunk.as_ref().is_none_or(|chunk| chunk.number() != number) {
            self.chunk = Some(Chunk::read(self.pack.disk(), self.pack.dir(), number)?);
        }
        let at = usize::try_from(seq % LINES_PER_FILE).unwrap_or(usize::MAX);
        Ok(self.chunk.as_ref().and_then(|chunk| chunk.entries().nth(at)).map(|(entry, _)| entry.to_owned()))
    }

    fn signed(&mut self, word: &Word) -> Result<Signed, AuditError> {
        let entry = word.entry.entry();
        let result = &word.result();
        let intent = self.entry(result.intent)?;
        let (mut approvals, mut findings) = (Vec::new(), Vec::new());
        if let Some(Record::SignIntent(intent)) =
            intent.as_ref().map(EntryBuf::entry).as_ref().map(Entry::record)
        {
            for ApprovalAt { officer, seq } in &intent.approvals {
                let approval = self.entry(*seq)?;
                let approval = approval.as_ref().map(EntryBuf::entry);
                let given = approval.as_ref().and_then(SignedApproval::from_entry);
                approvals.push(ApprovedBy {
                    officer: officer.to_string(),
                    seq: *seq,
                    time: approval.as_ref().map_or_else(String::new, |entry| entry.time().to_string()),
                    reason: given.map(|signed| signed.approval.reason).unwrap_or_default(),
                });
            }
            findings =
                intent.findings.iter().map(|one| (one.check.to_string(), one.severity.to_string())).collect();
        }
        let settled = word.settled.as_ref().map(EntryBuf::entry).map(|entry| Settled {
            seq: entry.seq(),
            time: entry.time().to_string(),
            by: entry.actor().into_owned(),
            said: match entry.record() {
                Record::SignInDoubt(doubt) => doubt.resolution.to_string(),
                Record::SignAborted(aborted) => aborted.reason.to_string(),
                _ => String::new(),
            },
        });
        Ok(Signed {
            outcome: word.outcome.word(),
            settled,
            seq: entry.seq(),
            time: entry.time().to_string(),
            intent: result.intent,
            factory: result.factory.to_string(),
            wave: result.wave.to_string(),
            tag: result.tag.to_string(),
            version: result.version,
            kind: result.kind.to_string(),
            request: result.request.to_string(),
            review: result.review.to_string(),
            signed: result.signed.to_string(),
            keyid: result.keyid.to_string(),
            root_version: result.root_version,
            policy: result.policy.to_string(),
            officers: result.officers.iter().map(|name| name.to_string()).collect(),
            strength: result.strength.to_string(),
            approvals,
            findings,
            tool: (result.tool.to_string(), result.binary.to_string()),
        })
    }
}

/// What a level of strength means.
pub fn strength_words(level: &str) -> &'static str {
    match level {
        "L0" => "one person could do it alone",
        "L1" => "the key was opened by several officers",
        "L2" => "the root asks for several officers' TUF keys; devices enforce it",
        _ => "not known",
    }
}

impl Signed {
    /// The answer in words.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let list = |names: &[String]| names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ");
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{} {}, version {}, tag {}, factory {}",
            shown(&self.kind),
            shown(&self.wave),
            self.version,
            shown(&self.tag),
            shown(&self.factory)
        );
        let _ = match self.is_signed() {
            true => writeln!(
                out,
                "  signed       {} (entry {}, intent in entry {})",
                self.time, self.seq, self.intent
            ),
            false => {
                writeln!(
                    out,
                    "  {:<12} intent of {} (entry {}), without a result",
                    self.outcome, self.time, self.seq
                )
            }
        };
        if let Some(Settled { seq, time, by, said }) = &self.settled {
            let _ = writeln!(out, "  settled by   {} on {time} (entry {seq}): {}", shown(by), shown(said));
        }
        let _ = writeln!(out, "  with key     {}", shown(&self.keyid));
        let _ = writeln!(out, "  opened by    {}", list(&self.officers));
        for approval in &self.approvals {
            let reason = if approval.reason.is_empty() {
                String::new()
            } else {
                format!(": {}", shown(&approval.reason))
            };
            let (officer, time, seq) = (shown(&approval.officer), &approval.time, approval.seq);
            let _ = writeln!(out, "  approved by  {officer} on {time} (entry {seq}){reason}");
        }
        for (check, severity) in &self.findings {
            let _ = writeln!(out, "  finding      {} ({}), accepted", shown(check), shown(severity));
        }
        if self.is_signed() {
            let (level, words) = (shown(&self.strength), strength_words(&self.strength));
            let _ = writeln!(out, "  strength     {level}: {words}");
        }
        let _ = writeln!(out, "  under        root {}, policy {}", self.root_version, shown(&self.policy));
        let _ = writeln!(out, "  request      {}", shown(&self.request));
        let _ = writeln!(out, "  review       {}", shown(&self.review));
        let _ = writeln!(out, "  signed bytes {}", shown(&self.signed));
        let _ = writeln!(out, "  program      {}, {}", shown(&self.tool.0), shown(&self.tool.1));
        out
    }

    /// Does the log have the signature?
    pub(crate) fn is_signed(&self) -> bool {
        self.outcome == Outcome::Signed.word()
    }
}
