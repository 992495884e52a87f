//! An officer's signature under an act of hers that changes what may be signed, or says what was: what exactly is
//! signed, and how it is verified. Who has to sign which act is said in [`super::acts`].

use super::approval::{holds, message};
use super::entry::Entry;
use super::event::Event;
use super::record::{ActSigned, Record};
use crate::host::clock::Time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The first line of the signed message: no approval, and no other signed thing, begins with it.
pub(crate) const FORMAT: &str = "countersign/act/1";

/// An act as one officer signs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// The officer's name on this station.
    pub officer: String,
    /// Her approval key: ed25519, 64 hex digits.
    pub key: String,
    /// The log's key, as `station.created` has it: an officer may serve at several stations with the same key.
    pub log: String,
    /// When she signed: the time of the entry that holds the signature.
    pub time: Time,
    /// The kind of the entry that holds the act.
    pub act: String,
    /// What was done: [`Event::digest`] of that entry.
    pub digest: String,
    /// Random hex digits: no two signatures are the same message.
    pub nonce: String,
}

impl Act {
    /// The exact bytes that are signed: the format's name, a line feed, and one JSON object with the members in this
    /// order, without white space, strings escaped as in the log.
    pub fn message(&self) -> Vec<u8> {
        let time = self.time.to_string();
        let members = [
            ("officer", self.officer.as_str()),
            ("key", &self.key),
            ("log", &self.log),
            ("time", &time),
            ("act", &self.act),
            ("digest", &self.digest),
            ("nonce", &self.nonce),
        ];
        message(FORMAT, &members)
    }

    /// The act with a signature over [`Act::message`] that was made with the key that it names.
    pub fn with_signature(self, signature: &[u8; 64]) -> SignedAct {
        SignedAct { act: self, sig: STANDARD.encode(signature) }
    }
}

/// An act with an officer's signature. Not to be believed before [`SignedAct::holds`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedAct {
    /// The act.
    pub act: Act,
    /// The ed25519 signature, base64.
    pub sig: String,
}

impl SignedAct {
    /// Does the signature hold for the act and the key that it names? Whether that key is the officer's is for the
    /// caller to know.
    pub(crate) fn holds(&self) -> bool {
        holds(&self.act.key, &self.act.message(), &self.sig)
    }

    /// The log's entry for this signature, to be written at the act's time, right before the act.
    pub fn event(&self) -> Event {
        let Act { officer, key, act, digest, nonce, .. } = &self.act;
        let signed = ActSigned {
            officer: officer.into(),
            key: key.into(),
            act: act.into(),
            digest: digest.into(),
            nonce: nonce.into(),
            sig: (&self.sig).into(),
        };
        signed.by(officer)
    }

    /// The signature that an entry of the log with this key holds; `None` when the entry is of another kind.
    pub fn from_entry(entry: &Entry<'_>, log: &str) -> Option<SignedAct> {
        let Record::ActSigned(signed) = entry.record() else { return None };
        let act = Act {
            officer: signed.officer.to_string(),
            key: signed.key.to_string(),
            log: log.to_owned(),
            time: entry.time(),
            act: signed.act.to_string(),
            digest: signed.digest.to_string(),
            nonce: signed.nonce.to_string(),
        };
        Some(SignedAct { act, sig: signed.sig.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Stamp;
    use crate::ledger::entry::NO_PREVIOUS;
    use crate::ledger::{Approval, Decision, SignedApproval};
    use ed25519_dalek::{Signer as _, SigningKey};

    const LOG: &str = "countersign/acme/0011+00112233+AQ";

    fn signed() -> SignedAct {
        let key = SigningKey::from_bytes(&[1; 32]);
        let act = Act {
            officer: "mara".to_owned(),
            key: hex::encode(key.verifying_key().as_bytes()),
            log: LOG.to_owned(),
            time: Time::from_unix(1_800_000_000),
            act: "policy.changed".to_owned(),
            digest: "11".repeat(32),
            nonce: "44".repeat(16),
        };
        let signature = key.sign(&act.message()).to_bytes();
        act.with_signature(&signature)
    }

    #[test]
    fn the_signed_message_is_exactly_this() {
        insta::assert_snapshot!(String::from_utf8(signed().act.message()).expect("ASCII"), @r#"
        countersign/act/1
        {"officer":"mara","key":"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","log":"countersign/acme/0011+00112233+AQ","time":"2027-01-15T08:00:00Z","act":"policy.changed","digest":"1111111111111111111111111111111111111111111111111111111111111111","nonce":"44444444444444444444444444444444"}
        "#);
    }

    #[test]
    fn an_act_holds_as_it_was_signed_and_not_otherwise() {
        assert!(signed().holds());
        let changes: [fn(&mut SignedAct); 8] = [
            |s| s.act.officer.push('x'),
            |s| s.act.key = s.act.key.to_uppercase(),
            |s| s.act.log.push('x'),
            |s| s.act.time = s.act.time.plus_days(30),
            |s| s.act.act = "time.statement".to_owned(),
            |s| s.act.digest.replace_range(0..1, "0"),
            |s| s.act.nonce.replace_range(0..1, "0"),
            |s| s.sig.replace_range(0..1, "/"),
        ];
        for change in changes {
            let mut changed = signed();
            change(&mut changed);
            assert!(!changed.holds(), "{changed:?}");
        }
    }

    #[test]
    fn an_act_comes_back_from_its_entry_at_its_time_and_in_its_log_only() {
        let event = signed().event();
        let read = |unix: i64, log: &str| {
            let stamp = Stamp { time: Time::from_unix(unix), boot: String::new(), uptime_ms: 0 };
            let line = event.line(0, &NO_PREVIOUS, &stamp);
            SignedAct::from_entry(&Entry::read(&line).expect("read back"), log).expect("an act")
        };
        assert_eq!(read(1_800_000_000, LOG), signed());
        assert!(!read(1_800_000_001, LOG).holds(), "another time");
        assert!(!read(1_800_000_000, "countersign/acme/0012+00112233+AQ").holds(), "another log");
    }

    #[test]
    fn an_approval_is_no_act_and_an_act_no_approval() {
        let act = signed();
        let approval = Approval {
            officer: act.act.officer.clone(),
            key: act.act.key.clone(),
            request: act.act.digest.clone(),
            review: act.act.digest.clone(),
            policy: act.act.digest.clone(),
            decision: Decision::Granted,
            reason: String::new(),
            nonce: act.act.nonce.clone(),
            expires: "2027-11-23T00:00:00Z".to_owned(),
        };
        let signed = approval.sign(&SigningKey::from_bytes(&[1; 32]));
        assert!(!SignedAct { act: act.act.clone(), sig: signed.sig.clone() }.holds());
        assert!(!SignedApproval { approval: signed.approval.clone(), sig: act.sig }.holds());
        // Nor does either begin as the other does.
        assert_ne!(signed.approval.message()[..20], act.act.message()[..20]);
    }
}
