//! `docs/vectors/` is what this program computes: for whoever reads a log, a pack or a share without it.
//!
//! `COUNTERSIGN_WRITE_VECTORS=1 cargo test --lib vectors` writes them anew.

use crate::host::clock::Time;
use crate::host::{Random, RealDisk, Stamp};
use crate::json::{Document, Limits, canonical};
use crate::ledger::record::Deviation;
use crate::ledger::{Act, Approval, Decision, Entry, Log};
use crate::tlog::note::NoteSigner;
use crate::tlog::tree;
use crate::tuf::{Digest, PublicKey};
use crate::vault::officer::OfficerName;
use crate::vault::share::{ShareSet, combine, split};
use crate::words;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// Each vector is what is computed; a difference is a changed format.
#[track_caller]
fn is(name: &str, computed: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/vectors").join(name);
    let text = format!("{computed:#}\n");
    if std::env::var_os("COUNTERSIGN_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("a vector"), text, "{name}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn officer() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

#[test]
fn canonical_forms_digests_and_key_ids() {
    let inputs = [
        r#"{ "b": 1, "a": [true, null, "x"] }"#,
        r#"{"name":"\u00e9\ud83d\ude00<&>\u2028","tab":"\t\u0001\u007f"}"#,
        r#"{"version":42,"custom":{"z":{},"y":[]},"length":0}"#,
    ];
    let forms = inputs.map(|input| {
        let document = Document::parse("vector", input.as_bytes(), Limits::DEFAULT).expect("JSON");
        let bytes = canonical::bytes(document.root()).into_owned();
        json!({ "input": input, "canonical": text(&bytes), "sha256": Digest::of(&bytes).to_string() })
    });
    let key = PublicKey::from_ed25519(officer().verifying_key());
    let keyid = json!({
        "keytype": key.keytype(), "public": hex::encode(officer().verifying_key()),
        "keyid": key.factory_keyid().as_str(),
    });
    is("canonical.json", &json!({ "forms": forms, "keys": [keyid] }));
}

#[test]
fn digests_as_words() {
    let (signed, review, nonce) = (Digest::of(b"signed"), Digest::of(b"review"), [5; 16]);
    let code = crate::review::model::code(&signed, &review, &nonce);
    is(
        "words.json",
        &json!({
            "words": { "bytes": signed.to_string(), "words": words::of(&signed.0) },
            "confirmation": {
                "signed": signed.to_string(), "review": review.to_string(), "nonce": hex::encode(nonce),
                "code": code.to_string(), "words": words::confirmation(&code.0),
            },
        }),
    );
}

#[test]
fn lines_heads_and_proofs() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("log");
    let mut log = Log::create(Arc::new(RealDisk), &dir, &[9; 32], "vectors.example/log").expect("a log");
    let mut heads = vec![log.head().note.clone()];
    for (at, statement) in
        ["the first", "a \"quoted\" \u{e9}\u{1f600}\n", "the third"].into_iter().enumerate()
    {
        let stamp = Stamp {
            time: Time::from_unix(1_800_000_000 + at as i64),
            boot: "00000001-0000-4000-8000-000000000000".to_owned(),
            uptime_ms: 1_000 * (1 + at as u64),
        };
        log.append(&stamp, Deviation { statement: statement.into() }.by("mara")).expect("appended");
        heads.push(log.checkpoint().expect("a head").note.clone());
    }
    let lines: Vec<Value> = log
        .entries()
        .map(|entry| {
            let entry = entry.expect("read");
            let line = entry.entry().line().to_vec();
            let said = Entry::read(&line).expect("a line").digest();
            json!({ "line": text(&line), "leaf": hex::encode(tree::leaf_hash(&line)), "said": said })
        })
        .collect();
    let proofs = log.proofs().expect("proofs");
    let hashes = proofs.consistency(1, 3).expect("a proof");
    let receipt = proofs.receipt(&RealDisk, log.dir(), log.head(), 1).expect("a receipt");
    is(
        "log.json",
        &json!({
            "seed": hex::encode([9; 32]), "vkey": log.key().to_string(), "lines": lines, "heads": heads,
            "root": hex::encode(log.root()), "receipt": receipt.text(),
            "consistency": { "old": 1, "new": 3, "hashes": hashes.iter().map(hex::encode).collect::<Vec<_>>() },
        }),
    );
}

#[test]
fn what_officers_and_witnesses_sign() {
    let approval = Approval {
        officer: "mara".to_owned(),
        key: String::new(),
        request: Digest::of(b"request").to_string(),
        review: Digest::of(b"review").to_string(),
        policy: Digest::of(b"policy").to_string(),
        decision: Decision::Granted,
        reason: "seen \"all\" of it".to_owned(),
        nonce: hex::encode([3; 16]),
        expires: "2027-01-16T08:00:00Z".to_owned(),
    };
    let signed = approval.sign(&officer());
    assert!(signed.holds());
    let act = Act {
        officer: "mara".to_owned(),
        key: hex::encode(officer().verifying_key()),
        log: NoteSigner::new("vectors.example/log", &[9; 32]).expect("a signer").public().to_string(),
        time: Time::from_unix(1_800_000_000),
        act: "deviation".to_owned(),
        digest: Digest::of(b"said").to_string(),
        nonce: hex::encode([4; 16]),
    };
    let sign = |message: &[u8]| {
        use ed25519_dalek::Signer as _;
        hex::encode(officer().sign(message).to_bytes())
    };
    let witness = NoteSigner::witness("witness.example/w", &[11; 32]).expect("a witness");
    let head = "vectors.example/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    is(
        "signatures.json",
        &json!({
            "seed": hex::encode([7; 32]), "key": hex::encode(officer().verifying_key()),
            "approval": {
                "message": text(&signed.approval.message()), "sig": sign(&signed.approval.message()),
            },
            "act": { "message": text(&act.message()), "sig": sign(&act.message()) },
            "cosignature": {
                "seed": hex::encode([11; 32]), "vkey": witness.public().to_string(), "head": head,
                "time": 1_800_000_000, "line": witness.cosign(head, 1_800_000_000).expect("a line"),
            },
        }),
    );
}

/// Not random: so that the shares are the same each time.
struct Counting;

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        bytes.iter_mut().zip(1u8..).for_each(|(byte, count)| *byte = count);
        Ok(())
    }
}

#[test]
fn shares_of_a_secret() {
    let (keyid, secret) = (Digest::of(b"key").to_string(), b"a made-up secret");
    let names = ["ann", "bob", "cho"].map(|name| name.parse::<OfficerName>().expect("a name"));
    let set =
        ShareSet { keyid: &keyid, set: "0123456789abcdef", threshold: 2, total: 3, recipient: "age1made-up" };
    let shares = split(secret, &set, &names.each_ref(), &Counting).expect("shares");
    let (first, last) = (&shares[0], &shares[2]);
    assert_eq!(combine(&[first, last]).expect("combined").as_slice(), secret);
    let texts: Vec<String> = shares.iter().map(|share| text(&share.to_text())).collect();
    is("shares.json", &json!({ "secret": text(secret), "threshold": 2, "shares": texts }));
}
