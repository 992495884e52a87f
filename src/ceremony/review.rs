//! Showing a review, and remembering which one was shown: a confirmation refers to that one and to no other.

use super::CeremonyError;
use super::prepare::with_review;
use crate::host::Host;
use crate::ledger::decisions::Standing;
use crate::ledger::field::Finding;
use crate::ledger::objects::LARGEST_REVIEW;
use crate::ledger::record::ReviewRendered;
use crate::ledger::rules;
use crate::review::FILE_WIDTH;
use crate::station::{Station, StoredRequest};
use crate::text::shown;
use crate::threads;
use crate::tuf::Digest;
use crate::words;

/// Which renderings are wanted.
pub(crate) struct Faces {
    /// Columns of the terminal.
    pub width: usize,
    /// Colour on the terminal.
    pub color: bool,
    /// JSON.
    pub json: bool,
    /// Text for the terminal.
    pub text: bool,
    /// One HTML file.
    pub html: bool,
    /// Text for a file: 100 columns, no colour.
    pub plain: bool,
}

/// A review as it was shown.
pub(crate) struct Rendered {
    /// May it be signed, as far as the checks say?
    pub signable: bool,
    /// The officers' refusals that stand: nobody signs while there is one.
    pub rejected: Vec<Standing>,
    /// JSON, if wanted.
    pub json: Option<String>,
    /// Text for the terminal, if wanted.
    pub text: Option<String>,
    /// HTML, if wanted.
    pub html: Option<String>,
    /// Text for a file, if wanted.
    pub plain: Option<String>,
}

/// The officers' refusals of a request that stand: of the request, whatever its review was.
pub(crate) fn rejections(station: &Station, request: &Digest) -> Vec<Standing> {
    rules::rejections(station.state(), request).filter(|one| one.signed.holds()).cloned().collect()
}

/// Refusals in words: `rejected by bob (log entry 12)`.
pub(crate) fn rejected_by(standing: &[Standing]) -> String {
    let by = |one: &Standing| format!("{} (log entry {})", shown(&one.approval().officer), one.seq);
    format!("rejected by {}", standing.iter().map(by).collect::<Vec<_>>().join(" and "))
}

/// Refusals for scripts.
pub(crate) fn rejected_value(standing: &[Standing]) -> serde_json::Value {
    let one = |one: &Standing| {
        serde_json::json!({
            "officer": one.approval().officer, "reason": one.approval().reason, "seq": one.seq,
        })
    };
    standing.iter().map(one).collect()
}

/// What every face for people says of a request that is rejected. The review itself, its digest and what the log keeps of it
/// are what the checks say, and stay as they are.
fn note(rejected: &[Standing]) -> Option<String> {
    let reasons = rejected.iter().map(|one| shown(&one.approval().reason)).collect::<Vec<_>>().join("; ");
    let by = rejected_by(rejected);
    (!rejected.is_empty()).then(|| {
        format!("This request is {by}: {reasons}. Nobody signs it until who rejected it approves it.")
    })
}

/// What stands over every page of a review: what it is of, and what is compared with paper.
pub(crate) fn heading(station: &Station, stored: &StoredRequest) -> String {
    let manifest = &stored.request.manifest;
    let root = station.trust.newest();
    format!(
        "Request {}: {}, version {}\nPolicy  {}\nRoot {}  {}",
        stored.digest().short(),
        manifest.subject(),
        manifest.version,
        words::confirmation(&station.policy_digest().0),
        root.version,
        words::confirmation(&root.fingerprint.0)
    )
}

/// Computes the review, renders it, and notes in the log which one was shown; of a station that is only looked at, nothing
/// is noted.
///
/// # Errors
/// A file of the request is not metadata, or the station cannot be written.
pub(crate) fn show(
    station: &mut Station,
    host: &Host,
    stored: &StoredRequest,
    faces: &Faces,
) -> Result<Rendered, CeremonyError> {
    let now = host.clock.now();
    let rejected = rejections(station, &stored.digest());
    let note = note(&rejected);
    let noted = |text: String| match &note {
        Some(line) => format!("{line}\n\n{text}\n{line}\n"),
        None => text,
    };
    let (rendered, kept, facts) = with_review(station, now, stored, |situation, review| {
        let bytes = situation.message.bytes().len() as u64;
        let ((json, form), kept, (text, html)) = threads::three(
            bytes,
            || (faces.json.then(|| review.printed_json()), review.form()),
            || review.text(FILE_WIDTH, false),
            || {
                let text = faces.text.then(|| noted(review.text(faces.width, faces.color)));
                (text, faces.html.then(|| review.html(note.as_deref())))
            },
        );
        let plain = faces.plain.then(|| noted(kept.clone()));
        let rendered = Rendered { signable: review.signable(), rejected, json, text, html, plain };
        let mut findings: Vec<_> =
            review.findings.iter().map(|finding| (finding.check, finding.severity.name())).collect();
        findings.dedup();
        (rendered, (form, kept), (review.digest(), situation.message.digest(), findings))
    })?;
    if !station.may_write() {
        return Ok(rendered);
    }
    let (review, signed, findings) = facts;
    let (form, kept) = kept;
    if form.len() as u64 > LARGEST_REVIEW {
        return Err(CeremonyError::Refused(format!(
            "the review of request {} has {} bytes, and the log keeps at most {LARGEST_REVIEW}: sign fewer targets at once",
            stored.digest().short(),
            form.len()
        )));
    }
    // What an approval signs, is named by its own digest: `review`.
    station.log.put_object(&form)?;
    let object = station.log.put_object(kept.as_bytes())?;
    let shown = ReviewRendered {
        request: stored.digest().to_string().into(),
        review: review.to_string().into(),
        signed: signed.to_string().into(),
        policy: station.policy.digest().into(),
        root_version: station.trust.newest().version,
        signable: rendered.signable,
        findings: findings.into_iter().map(Finding::from).collect(),
        object: object.into(),
    };
    station.record(&host.stamp(), shown.by(station.actor()))?;
    station.commit()?;
    Ok(rendered)
}
