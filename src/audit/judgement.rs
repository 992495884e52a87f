//! What an entry says of a review, held against the review itself: the object whose digest the approvals sign.

use crate::json::{Document, Value};
use crate::ledger::objects;
use crate::ledger::record::ReviewRendered;
use crate::tuf::TufError;

/// What `review.rendered` says of the review that it names.
pub(super) struct Judgement {
    request: String,
    signed: String,
    policy: String,
    root_version: u64,
    signable: bool,
    findings: Vec<(String, String)>,
}

impl Judgement {
    pub(super) fn of(review: &ReviewRendered<'_>) -> Judgement {
        let findings = review.findings.iter();
        Judgement {
            request: review.request.to_string(),
            signed: review.signed.to_string(),
            policy: review.policy.to_string(),
            root_version: review.root_version,
            signable: review.signable,
            findings: findings.map(|one| (one.check.to_string(), one.severity.to_string())).collect(),
        }
    }

    /// Does the review say the same, and is what it says of itself consistent? The sentence is what it says otherwise.
    pub(super) fn check(&self, review: &[u8]) -> Result<(), String> {
        let document = Document::parse("review", review, objects::review_limits(review.len()))
            .map_err(|e| format!("the review cannot be read: {}", TufError::from(e)))?;
        let root = document.root();
        for (name, wanted) in [("request", &self.request), ("digest", &self.signed), ("policy", &self.policy)]
        {
            if text(root, name).as_ref() != Some(wanted) {
                return Err(format!("the review that was approved has another {name} than the entry"));
            }
        }
        let root_version = root.get("root").and_then(|root| root.get("version")?.as_u64());
        if root_version != Some(self.root_version) {
            return Err(
                "the review that was approved was made under another root than the entry says".to_owned()
            );
        }
        let listed = root.get("findings").into_iter().flat_map(|findings| findings.items());
        let mut findings = listed
            .map(|finding| Some((text(finding, "check")?, text(finding, "severity")?)))
            .collect::<Option<Vec<_>>>()
            .ok_or("the review that was approved has a finding without check or severity")?;
        findings.dedup();
        if findings != self.findings {
            return Err("the review that was approved has other findings than the entry".to_owned());
        }
        let signable = !findings.iter().any(|(_, severity)| severity == "block");
        if signable != self.signable
            || root.get("signable").and_then(|value| value.as_bool()) != Some(signable)
        {
            return Err(
                "whether the review that was approved may be signed is not what its findings say".to_owned()
            );
        }
        Ok(())
    }
}

fn text(value: Value<'_>, name: &str) -> Option<String> {
    Some(value.get(name)?.as_str()?.into_owned())
}
