//! An officer's decision, signed with her own approval key: what exactly is signed, and how it is verified.

use super::codec::quote;
use super::entry::Entry;
use super::event::Event;
use super::record::{Decided, Record};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// The first line of the signed message: it can be mistaken for no other signed thing.
pub(crate) const FORMAT: &str = "countersign/approval/1";

/// What an officer decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// The request may be signed.
    Granted,
    /// It may not.
    Denied,
}

impl Decision {
    /// The word that is signed.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Decision::Granted => "granted",
            Decision::Denied => "denied",
        }
    }
}

/// An officer's decision about a request, as she saw it in a review under a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    /// The officer's name on this station.
    pub officer: String,
    /// Her approval key: ed25519, 64 hex digits.
    pub key: String,
    /// The request's digest.
    pub request: String,
    /// The digest of the review that she saw.
    pub review: String,
    /// The digest of the policy in force.
    pub policy: String,
    /// What she decided.
    pub decision: Decision,
    /// Why; empty when nothing was said.
    pub reason: String,
    /// Random hex digits: no two decisions are the same message.
    pub nonce: String,
    /// Until when it may be used, RFC 3339.
    pub expires: String,
}

impl Approval {
    /// The exact bytes that are signed: the format's name, a line feed, and one JSON object with the members in this
    /// order, without white space, strings escaped as in the log.
    pub(crate) fn message(&self) -> Vec<u8> {
        let members = [
            ("officer", self.officer.as_str()),
            ("key", &self.key),
            ("request", &self.request),
            ("review", &self.review),
            ("policy", &self.policy),
            ("decision", self.decision.word()),
            ("reason", &self.reason),
            ("nonce", &self.nonce),
            ("expires", &self.expires),
        ];
        message(FORMAT, &members)
    }

    /// The decision signed with the officer's key; `self.key` is set to that key's public half.
    pub fn sign(mut self, key: &SigningKey) -> SignedApproval {
        self.key = hex::encode(key.verifying_key().as_bytes());
        let sig = key.sign(&self.message()).to_bytes();
        self.with_signature(&sig)
    }

    /// The decision with a signature over [`Approval::message`] that was made elsewhere, with the key that it names.
    pub fn with_signature(self, signature: &[u8; 64]) -> SignedApproval {
        SignedApproval { approval: self, sig: STANDARD.encode(signature) }
    }
}

/// A decision with its signature. Not to be believed before [`SignedApproval::holds`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedApproval {
    /// The decision.
    pub approval: Approval,
    /// The ed25519 signature, base64.
    pub sig: String,
}

impl SignedApproval {
    /// Does the signature hold for the decision and the key that it names? Whether that key is the officer's is for
    /// the caller to know.
    pub fn holds(&self) -> bool {
        holds(&self.approval.key, &self.approval.message(), &self.sig)
    }

    /// The log's entry for this decision.
    pub fn event(&self) -> Event {
        let record = match self.approval.decision {
            Decision::Granted => Record::ApprovalGranted(self.decided()),
            Decision::Denied => Record::ApprovalDenied(self.decided()),
        };
        record.by(&self.approval.officer)
    }

    /// The log's entry for this decision when it came too late to be used.
    pub(crate) fn expired_event(&self) -> Event {
        Record::ApprovalExpired(self.decided()).by(&self.approval.officer)
    }

    fn decided(&self) -> Decided<'_> {
        let Approval { officer, key, request, review, policy, reason, nonce, expires, .. } = &self.approval;
        Decided {
            request: request.into(),
            review: review.into(),
            policy: policy.into(),
            officer: officer.into(),
            key: key.into(),
            nonce: nonce.into(),
            expires: expires.into(),
            reason: reason.into(),
            sig: (&self.sig).into(),
        }
    }

    /// The decision that an entry holds; `None` when the entry is of another kind.
    pub fn from_entry(entry: &Entry<'_>) -> Option<SignedApproval> {
        let (decided, decision) = match entry.record() {
            // Only what was granted expires.
            Record::ApprovalGranted(decided) | Record::ApprovalExpired(decided) => {
                (decided, Decision::Granted)
            }
            Record::ApprovalDenied(decided) => (decided, Decision::Denied),
            _ => return None,
        };
        let approval = Approval {
            officer: decided.officer.to_string(),
            key: decided.key.to_string(),
            request: decided.request.to_string(),
            review: decided.review.to_string(),
            policy: decided.policy.to_string(),
            decision,
            reason: decided.reason.to_string(),
            nonce: decided.nonce.to_string(),
            expires: decided.expires.to_string(),
        };
        Some(SignedApproval { approval, sig: decided.sig.to_string() })
    }
}

/// What an officer signs: the format's name, a line feed, and one JSON object with these members, strings escaped as in
/// the log.
pub(super) fn message(format: &str, members: &[(&str, &str)]) -> Vec<u8> {
    let mut out = format!("{format}\n");
    for (index, (name, value)) in members.iter().enumerate() {
        out.push(if index == 0 { '{' } else { ',' });
        quote(name, &mut out);
        out.push(':');
        quote(value, &mut out);
    }
    out.push('}');
    out.into_bytes()
}

/// Is `sig` (base64) the signature over the message by `key` (64 lower-case hex digits)? Strict: no malleable
/// signatures, no weak keys.
pub(super) fn holds(key: &str, message: &[u8], sig: &str) -> bool {
    let mut public = [0; 32];
    if hex::decode_to_slice(key, &mut public).is_err() || key.bytes().any(|b| b.is_ascii_uppercase()) {
        return false;
    }
    let signature = STANDARD.decode(sig).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
    match (VerifyingKey::from_bytes(&public), signature) {
        (Ok(key), Some(signature)) => key.verify_strict(message, &signature).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Stamp;
    use crate::host::clock::Time;
    use crate::ledger::entry::NO_PREVIOUS;

    fn approval() -> Approval {
        Approval {
            officer: "mara".to_owned(),
            key: String::new(),
            request: "11".repeat(32),
            review: "22".repeat(32),
            policy: "33".repeat(32),
            decision: Decision::Granted,
            reason: "as \"planned\"\n".to_owned(),
            nonce: "44".repeat(16),
            expires: "2027-11-23T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn the_signed_message_is_exactly_this() {
        let signed = approval().sign(&SigningKey::from_bytes(&[1; 32]));
        insta::assert_snapshot!(String::from_utf8(signed.approval.message()).expect("ASCII"), @r#"
        countersign/approval/1
        {"officer":"mara","key":"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","request":"1111111111111111111111111111111111111111111111111111111111111111","review":"2222222222222222222222222222222222222222222222222222222222222222","policy":"3333333333333333333333333333333333333333333333333333333333333333","decision":"granted","reason":"as \"planned\"\n","nonce":"44444444444444444444444444444444","expires":"2027-11-23T00:00:00Z"}
        "#);
    }

    #[test]
    fn a_decision_holds_as_it_was_signed_and_not_otherwise() {
        let signed = approval().sign(&SigningKey::from_bytes(&[1; 32]));
        assert!(signed.holds());
        let changes: [fn(&mut SignedApproval); 9] = [
            |s| s.approval.officer.push('x'),
            |s| s.approval.request.replace_range(0..1, "0"),
            |s| s.approval.review.replace_range(0..1, "0"),
            |s| s.approval.policy.replace_range(0..1, "0"),
            |s| s.approval.decision = Decision::Denied,
            |s| s.approval.reason.clear(),
            |s| s.approval.nonce.replace_range(0..1, "0"),
            |s| s.approval.expires.replace_range(0..4, "2028"),
            |s| s.approval.key = s.approval.key.to_uppercase(),
        ];
        for change in changes {
            let mut changed = signed.clone();
            change(&mut changed);
            assert!(!changed.holds(), "{changed:?}");
        }
    }

    #[test]
    fn a_key_in_capitals_is_refused_though_the_signature_is_made_with_it() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let mut approval = approval();
        approval.key = hex::encode_upper(key.verifying_key().as_bytes());
        let sig = STANDARD.encode(key.sign(&approval.message()).to_bytes());
        assert!(!SignedApproval { approval, sig }.holds());
    }

    #[test]
    fn a_decision_comes_back_from_the_log_and_still_holds() {
        let stamp = Stamp { time: Time::from_unix(0), boot: String::new(), uptime_ms: 0 };
        for decision in [Decision::Granted, Decision::Denied] {
            let signed = Approval { decision, ..approval() }.sign(&SigningKey::from_bytes(&[1; 32]));
            let line = signed.event().line(0, &NO_PREVIOUS, &stamp);
            let entry = Entry::read(&line).expect("read back");
            assert_eq!(SignedApproval::from_entry(&entry), Some(signed));
        }
    }
}
