//! What requests ask to be signed, who took each in, and which reviews of them were shown.

use super::custody::Custody;
use super::entry::Entry;
use super::field::Finding;
use super::record::{Record, RequestImported, ReviewRendered, SignIntent};
use crate::tuf::Digest;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What a request asks to be signed: every entry about it says the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    pub factory: String,
    pub kind: String,
    pub tag: String,
    pub version: u64,
    pub wave: String,
    /// The digest of the bytes to be signed.
    pub signed: String,
}

impl Asked {
    /// What was taken in.
    pub(crate) fn of_request(taken: &RequestImported<'_>) -> Asked {
        Asked {
            factory: taken.factory.to_string(),
            kind: taken.kind.to_string(),
            tag: taken.tag.to_string(),
            version: taken.version,
            wave: taken.wave.to_string(),
            signed: taken.signed.to_string(),
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
            signed: intent.signed.to_string(),
        }
    }
}

/// Checks and their severities.
pub(crate) type Findings = Vec<(String, String)>;

/// The findings in an entry.
pub(super) fn findings(findings: &[Finding<'_>]) -> Findings {
    findings.iter().map(|one| (one.check.to_string(), one.severity.to_string())).collect()
}

/// A review that was shown.
pub(crate) struct Review {
    pub request: Digest,
    /// Of the bytes that it is about.
    pub signed: Digest,
    pub signable: bool,
    pub findings: Arc<Findings>,
    /// Its text.
    pub object: Digest,
}

/// Who took a request in.
struct Importer {
    /// The first entry that says so.
    seq: u64,
    /// Was she an officer then, and signed it?
    is_officer: bool,
}

/// Requests and reviews, after the entries seen so far.
#[derive(Default)]
pub(crate) struct Requests {
    asked: HashMap<Digest, Asked>,
    importers: HashMap<Digest, BTreeMap<String, Importer>>,
    reviews: HashMap<Digest, Review>,
    exported: HashSet<Digest>,
    /// Many reviews share them.
    last_findings: Arc<Findings>,
}

impl Requests {
    /// Takes the next entry into account; `custody` has seen those before it.
    pub(super) fn see(&mut self, entry: &Entry<'_>, custody: &Custody) {
        match entry.record() {
            Record::RequestImported(taken) => {
                let Some(request) = Digest::parse(&taken.request) else { return };
                self.asked.insert(request, Asked::of_request(taken));
                let (seq, actor) = (entry.seq(), entry.actor().into_owned());
                let is_officer = custody.officer(&actor).is_some();
                let names = self.importers.entry(request).or_default();
                names.entry(actor).or_insert(Importer { seq, is_officer }).is_officer |= is_officer;
            }
            Record::ReviewRendered(review) => self.shown(review),
            Record::BundleExported(bundle) => self.exported.extend(Digest::parse(&bundle.request)),
            Record::SlipExported(slip) => self.exported.extend(Digest::parse(&slip.request)),
            _ => {}
        }
    }

    fn shown(&mut self, review: &ReviewRendered<'_>) {
        let digests = [&*review.review, &review.request, &review.signed, &review.object].map(Digest::parse);
        let [Some(named), Some(request), Some(signed), Some(object)] = digests else { return };
        let findings = findings(&review.findings);
        if *self.last_findings != findings {
            self.last_findings = Arc::new(findings);
        }
        let (signable, findings) = (review.signable, self.last_findings.clone());
        self.reviews.insert(named, Review { request, signed, signable, findings, object });
    }

    /// What a request asks for that was taken in.
    pub(crate) fn asked(&self, request: &Digest) -> Option<&Asked> {
        self.asked.get(request)
    }

    /// The review with this digest, if it was shown.
    pub(crate) fn review(&self, review: &Digest) -> Option<&Review> {
        self.reviews.get(review)
    }

    /// Did its signature go out, as a bundle or as a slip?
    pub(crate) fn is_exported(&self, request: &Digest) -> bool {
        self.exported.contains(request)
    }

    /// The first entry in which this person took the request in, the first time or any later one.
    pub(crate) fn taken_in_by(&self, request: &Digest, name: &str) -> Option<u64> {
        Some(self.importers.get(request)?.get(name)?.seq)
    }

    /// Did an officer sign that she took the request in?
    pub(crate) fn is_importer_known(&self, request: &Digest) -> bool {
        self.importers.get(request).is_some_and(|names| names.values().any(|one| one.is_officer))
    }
}
