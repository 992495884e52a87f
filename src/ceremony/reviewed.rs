//! A review that was computed anew, reduced to what an approval or a signature goes by: nothing is signed that differs from
//! what was shown and confirmed.

use super::CeremonyError;
use super::approve::Subject;
use super::prepare::with_review;
use crate::host::clock::Time;
use crate::review::model::code;
use crate::review::{FILE_WIDTH, Finding, Review, Severity, Situation};
use crate::station::Station;
use crate::station::request::StoredRequest;
use crate::text::shown;
use crate::threads;
use crate::tuf::Digest;
use crate::words;
use std::ops::Range;

/// A review that was computed anew, reduced to what signing needs.
pub(crate) struct Reviewed {
    /// The review's digest.
    pub review: Digest,
    /// Digest of the exact bytes to be signed.
    pub signed: Digest,
    /// May they be signed?
    pub signable: bool,
    /// Every finding: check, severity, message.
    pub findings: Vec<(&'static str, Severity, String)>,
    /// The blocking findings as lines, each with its place.
    blocks: Vec<String>,
    bytes: SignedBytes,
    /// What the confirmation words stand for.
    code: Option<Digest>,
    /// The review as text and as HTML, for the signed bundle.
    pub(super) faces: Option<(String, String)>,
}

/// The exact bytes to be signed: where they stand in `targets.json`, or built when they do not stand there.
enum SignedBytes {
    Within(Range<usize>),
    Built(Vec<u8>),
}

impl Reviewed {
    /// Computes the review of a stored request, now.
    ///
    /// # Errors
    /// As [`with_review`].
    pub(crate) fn of(
        station: &Station,
        now: Time,
        stored: &StoredRequest,
    ) -> Result<Reviewed, CeremonyError> {
        Reviewed::rendered(station, now, stored, false)
    }

    fn rendered(
        station: &Station,
        now: Time,
        stored: &StoredRequest,
        render: bool,
    ) -> Result<Reviewed, CeremonyError> {
        with_review(station, now, stored, |situation, review| Reviewed::from(situation, review, render))
    }

    /// Reduces a review; `render` keeps what the signed bundle shows of one that may be signed.
    pub(super) fn from(situation: &Situation<'_>, review: &Review<'_>, render: bool) -> Reviewed {
        let signed = situation.proposal.metadata.signed;
        let bytes = if signed.span() == situation.message.bytes() {
            SignedBytes::Within(signed.offset()..signed.offset() + signed.span().len())
        } else {
            SignedBytes::Built(situation.message.bytes().to_vec())
        };
        let long = situation.message.bytes().len() as u64;
        let faces = || threads::both(long, || review.text(FILE_WIDTH, false), || review.html(None));
        let (digest, faces) =
            threads::both(long, || review.digest(), || (render && review.signable()).then(faces));
        let message = situation.message.digest();
        Reviewed {
            code: situation.nonce.map(|nonce| code(&message, &digest, &nonce)),
            review: digest,
            signed: message,
            signable: review.signable(),
            findings: review
                .findings
                .iter()
                .map(|finding| (finding.check, finding.severity, finding.message.clone()))
                .collect(),
            blocks: block_lines(&review.findings),
            bytes,
            faces,
        }
    }

    /// What an officer decides about who read it.
    pub(crate) fn subject(&self, stored: &StoredRequest) -> Subject {
        Subject { request: stored.digest().to_string(), review: self.review.to_string() }
    }

    /// The bytes.
    pub(super) fn bytes<'a>(&'a self, stored: &'a StoredRequest) -> &'a [u8] {
        match &self.bytes {
            SignedBytes::Within(range) => stored
                .request
                .file("targets.json")
                .and_then(|file| file.get(range.clone()))
                .unwrap_or_default(),
            SignedBytes::Built(bytes) => bytes,
        }
    }

    /// The confirmation code, as words; nothing where nobody can confirm.
    pub(crate) fn words(&self) -> String {
        self.code.map(|code| words::confirmation(&code.0)).unwrap_or_default()
    }

    /// The blocking findings as lines.
    pub(crate) fn blocks(&self) -> &[String] {
        &self.blocks
    }

    pub(super) fn summary(&self) -> Vec<(&'static str, &'static str)> {
        let mut pairs: Vec<_> =
            self.findings.iter().map(|(check, severity, _)| (*check, severity.name())).collect();
        pairs.dedup();
        pairs
    }
}

/// The blocking findings that a sentence names; the review has them all.
fn block_lines(findings: &[Finding]) -> Vec<String> {
    const LISTED: usize = 20;
    let mut lines: Vec<String> = findings.iter().filter_map(block_line).collect();
    if lines.len() > LISTED {
        let more = lines.len() - LISTED;
        lines.truncate(LISTED);
        lines.push(format!("  and {more} more: countersign review shows them"));
    }
    lines
}

fn block_line(finding: &Finding) -> Option<String> {
    let place = if finding.path.is_empty() { String::new() } else { format!(" ({})", finding.path) };
    (finding.severity == Severity::Block).then(|| format!("  {}: {}{place}", finding.check, finding.message))
}

/// Recomputes the review and refuses if it blocks, or differs from the one that was last shown.
///
/// # Errors
/// [`CeremonyError::Refused`] for a blocking check, [`CeremonyError::NotApproved`] when another review was shown.
pub(crate) fn recheck(
    station: &Station,
    now: Time,
    stored: &StoredRequest,
) -> Result<Reviewed, CeremonyError> {
    let reviewed = Reviewed::rendered(station, now, stored, true)?;
    if !reviewed.signable {
        return Err(CeremonyError::Refused(format!(
            "request {} is blocked and cannot be signed:\n{}",
            stored.digest().short(),
            reviewed.blocks().join("\n")
        )));
    }
    match station.shown.of(stored.digest()) {
        Some(shown) if (shown.review, shown.signed) == (reviewed.review, reviewed.signed) => Ok(reviewed),
        Some(_) => Err(CeremonyError::NotApproved(format!(
            "the review of request {} is not the one that was last shown: the request, the policy or the station \
             changed in between. Run `countersign review {}` and read it again",
            stored.digest().short(),
            stored.digest().short()
        ))),
        None => Err(CeremonyError::NotApproved(format!(
            "request {} was not reviewed on this station yet. Run `countersign review {}` first",
            stored.digest().short(),
            stored.digest().short()
        ))),
    }
}

/// Checks a confirmation code against the bytes, the review and the station's nonce, in constant time.
///
/// # Errors
/// [`CeremonyError::NotApproved`] when it is another code.
pub(crate) fn confirm(reviewed: &Reviewed, given: &str) -> Result<(), CeremonyError> {
    let Some(code) = reviewed.code else {
        return Err(CeremonyError::NotApproved(
            "this request was taken in without a nonce for its confirmation words. Import it again"
                .to_owned(),
        ));
    };
    if words::confirms(given, &code.0) {
        return Ok(());
    }
    // A wrong word is found faster when it is named; far more than six words are no slip of the hand.
    let place = match words::first_wrong(given, &code.0) {
        Some((at, "")) => format!(" (word {at} is missing)"),
        Some((at, word)) if word.len() <= 20 => format!(" (word {at}: \"{}\"?)", shown(word)),
        _ => String::new(),
    };
    Err(CeremonyError::NotApproved(format!(
        "the confirmation words are not those of this request{place}. Read the review again, and type the words that \
         stand at its end"
    )))
}
