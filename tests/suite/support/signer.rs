//! Keys from a seed that sign any metadata, of either dialect: what a root's owners, CI or a thief of a key can do.

#![allow(dead_code, reason = "each test uses a part of it")]

use countersign::testing::json::{Document, Limits};
use countersign::testing::tuf::{Dialect, KeyId, Message, PrivateKey};
use serde_json::{Value, json};

/// One ed25519 key.
pub struct Signer {
    key: PrivateKey,
    dialect: Dialect,
    pub keyid: KeyId,
    seed: u8,
}

impl Signer {
    /// A key of a repository. Its id is no digest of the key: it need not be.
    pub fn of_repository(seed: u8) -> Signer {
        let keyid = KeyId::new(hex::encode([seed; 32]));
        Signer { keyid, dialect: Dialect::Specification, ..Signer::of_factory(seed) }
    }

    /// A key of a Factory.
    pub fn of_factory(seed: u8) -> Signer {
        let text = json!({"keytype": "ED25519", "keyval": {"private": hex::encode([seed; 32])}}).to_string();
        let key = PrivateKey::parse("key", text.as_bytes()).expect("a key");
        Signer { keyid: key.public().factory_keyid(), key, dialect: Dialect::Factory, seed }
    }

    /// As a root lists it.
    pub fn public(&self) -> Value {
        let public = self.key.public().text();
        match self.dialect {
            Dialect::Factory => json!({"keytype": "ED25519", "keyval": {"public": public}}),
            Dialect::Specification => {
                json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}})
            }
        }
    }

    /// As an officer of a repository brings it: PKCS#8, DER.
    pub fn pkcs8(&self) -> Vec<u8> {
        let head = hex::decode("302e020100300506032b657004220420").expect("hex");
        [head, vec![self.seed; 32]].concat()
    }
}

/// The envelope with the signatures of these keys.
pub fn envelope(signed: &Value, signers: &[&Signer]) -> Vec<u8> {
    let unsigned = json!({"signatures": [], "signed": signed}).to_string();
    let document = Document::parse("t", unsigned.as_bytes(), Limits::DEFAULT).expect("JSON");
    let by = |signer: &&Signer| {
        let message = Message::of(document.root().get("signed").expect("signed"), signer.dialect);
        let signature = signer.key.sign(&signer.keyid, message.expect("a message").bytes()).expect("signed");
        signer.dialect.signature_json(&signer.keyid, signer.key.public(), &signature)
    };
    let signatures: Vec<String> = signers.iter().map(by).collect();
    format!("{{\"signatures\":[{}],\"signed\":{signed}}}", signatures.join(",")).into_bytes()
}
