//! A made-up station's log: real keys, real approvals, real TUF signatures, any number of entries, from a seed.
//!
//! For tests of the auditor's side and for the benchmark; nothing of the station's own code is used, so what the
//! auditor finds in it is judged by the formats alone.

#![allow(dead_code, reason = "each test uses a part of it")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::testing::host::clock::Time;
use countersign::testing::host::{Disk, Stamp};
use countersign::testing::ledger::field::{ApprovalAt, RequestFile};
use countersign::testing::ledger::record::{
    BundleExported, Deviation, EvidenceVerified, OfficerAdded, OfficerAuthFailed, OfficerRetired,
    PolicyChanged, RequestImported, RequestRejected, ReviewRendered, RootPinned, RootUpdated, SealedKey,
    Selftest, SessionClosed, SessionOpened, SignIntent, StationCreated,
};
use countersign::testing::ledger::{Act as Deed, Approval, Decision, Event, Kind, Log, SignedAct, acts};
use countersign::testing::ledger::{Record, rules};
use countersign::testing::tuf::PublicKey;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

pub const ORIGIN: &str = "countersign.example/made-up";
const TOOL: &str = "0.1.0";

/// Numbers that look random and are the same each time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        seed.chunks_mut(8).for_each(|part| part.copy_from_slice(&self.roll().to_le_bytes()));
        seed
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub struct Officer {
    pub name: &'static str,
    pub key: SigningKey,
}

pub struct Station {
    pub log: Log,
    pub dice: Dice,
    pub officers: Vec<Officer>,
    pub targets_key: SigningKey,
    pub keyid: String,
    pub root_key: SigningKey,
    pub root: Vec<u8>,
    pub root_version: u64,
    pub policy: String,
    pub approvals: usize,
    pub quorum: usize,
    pub version: u64,
    /// The station's program.
    pub program: &'static [u8],
    /// Goes into the targets of its documents: other numbers make other bytes of the same version.
    pub content: u64,
    /// Are acts signed, as since 0.2?
    signs: bool,
    time: i64,
    uptime_ms: u64,
    boot: u64,
}

pub fn policy_text(approvals: usize) -> String {
    format!(
        "format = \"countersign/policy/1\"\n[approvals]\ncount = {approvals}\nhours = 24\nimporter_may_approve = true\n\
         separate_roles = []\n[limits]\nmax_file_bytes = 8388608\nexpiry_min_days = 1\nexpiry_max_days = 400\n\
         root_expires_soon_days = 30\napp_hosts = []\nmass_removal_percent = 50\nmass_removal_count = 10\n\
         [witness]\nwindow_days = 0\n"
    )
}

/// A Factory's root with one root key and one targets key.
pub fn root_file(version: u64, root: &SigningKey, targets: &SigningKey) -> (Vec<u8>, String) {
    let public = |key: &SigningKey| PublicKey::from_ed25519(key.verifying_key());
    let (root_id, targets_id) = (public(root).factory_keyid(), public(targets).factory_keyid());
    let key = |key: &SigningKey| {
        format!(r#"{{"keytype":"ED25519","keyval":{{"public":"{}"}}}}"#, hex::encode(key.verifying_key()))
    };
    let mut keys = [(root_id.as_str(), key(root)), (targets_id.as_str(), key(targets))];
    keys.sort();
    let signed = format!(
        r#"{{"_type":"Root","consistent_snapshot":false,"expires":"2037-01-01T00:00:00Z","keys":{{"{}":{},"{}":{}}},"roles":{{"root":{{"keyids":["{root_id}"],"threshold":1}},"snapshot":{{"keyids":["{root_id}"],"threshold":1}},"targets":{{"keyids":["{targets_id}"],"threshold":1}},"timestamp":{{"keyids":["{root_id}"],"threshold":1}}}},"version":{version}}}"#,
        keys[0].0, keys[0].1, keys[1].0, keys[1].1
    );
    let sig = STANDARD.encode(root.sign(signed.as_bytes()).to_bytes());
    let file = format!(
        r#"{{"signatures":[{{"keyid":"{root_id}","method":"ed25519","sig":"{sig}"}}],"signed":{signed}}}"#
    );
    (file.into_bytes(), sha256(signed.as_bytes()))
}

/// What an officer, by her number, does after the approvals that the intent names.
#[derive(Clone, Copy)]
pub enum Act {
    /// She approves again.
    Approves(usize),
    /// She rejects the request.
    Rejects(usize),
    /// She is retired.
    Retires(usize),
}

/// What may be wrong with a ceremony; the default is that nothing is.
#[derive(Clone, Default)]
pub struct Twist {
    /// So many officers approve, instead of as many as the policy asks for.
    pub approvers: Option<usize>,
    /// So many officers open the key, instead of its quorum.
    pub openers: Option<usize>,
    /// The request is not taken in.
    pub no_import: bool,
    /// The review is not rendered.
    pub no_review: bool,
    /// The approvals are signed with a key that is not the officer's.
    pub strange_approval_key: bool,
    /// The approvals' text is changed after it was signed.
    pub changed_approval: bool,
    /// The approvals are about another request.
    pub approval_of_another: bool,
    /// The approvals expire before they are used.
    pub expired: bool,
    /// The approvals are named with another entry's number.
    pub wrong_approval_seq: bool,
    /// The signature is made with a key that is not the root's.
    pub strange_key: bool,
    /// The bytes signed are not those that the entry names.
    pub other_bytes: bool,
    /// The bytes signed are not stored.
    pub no_object: bool,
    /// The intent names a root that was not in force.
    pub wrong_root: bool,
    /// The intent names a policy that was not in force.
    pub wrong_policy: bool,
    /// There is no intent.
    pub no_intent: bool,
    /// There is no result.
    pub no_result: bool,
    /// The result stands twice.
    pub result_twice: bool,
    /// The result names another wave than the intent.
    pub other_wave: bool,
    /// The request's manifest names another tag than the entry that takes it in.
    pub other_manifest: bool,
    /// The signed document has another version than the entries say.
    pub other_document: bool,
    /// The intent says that the review found nothing.
    pub no_findings: bool,
    /// So many of those who opened the key, the last ones, did not sign that they did.
    pub unsigned_openers: usize,
    /// An officer who does not hold the key is named among those who opened it.
    pub stranger_opens: bool,
    /// The result says that the signature is stronger than it is.
    pub boast: bool,
    /// The evidence is said to be signed by a key that the root does not list.
    pub strange_evidence: bool,
    /// The evidence is said to have been verified under another root than the one in force.
    pub evidence_of_other_root: bool,
    /// What happens between the approvals and the intent.
    pub before_intent: &'static [Act],
    /// What happens between the intent and the result.
    pub before_result: &'static [Act],
    /// The intent names the officers' newest approvals, those of `before_intent` included.
    pub newest_approvals: bool,
    /// The document's version, instead of the next.
    pub version: Option<u64>,
    /// The review says that the request cannot be signed.
    pub not_signable: bool,
    /// The review has a finding that blocks.
    pub blocking: bool,
    /// The review is of another request.
    pub review_of_another: bool,
    /// The review that the approvals are of has another value of this member than the entry says.
    pub other_review: Option<(&'static str, &'static str)>,
    /// The approvals expire a month after they were given.
    pub long_approval: bool,
    /// The machine failed its preflight.
    pub failed_preflight: bool,
    /// The result is of another kind of request than the intent.
    pub other_kind: bool,
    /// Another program made the result than wrote the intent.
    pub other_program: bool,
    /// The bundle is of other bytes than were signed.
    pub other_bundle: bool,
}

impl Station {
    /// A station of 0.1 with three officers, a root and a sealed key: 7 entries.
    pub fn new(disk: Arc<dyn Disk>, dir: &Path, seed: u64, approvals: usize, quorum: usize) -> Station {
        Station::of(ORIGIN, disk, dir, seed, approvals, quorum, false)
    }

    /// As [`Station::new`], of a release since 0.2: the officers sign their acts.
    pub fn signing(disk: Arc<dyn Disk>, dir: &Path, seed: u64, approvals: usize, quorum: usize) -> Station {
        Station::of(ORIGIN, disk, dir, seed, approvals, quorum, true)
    }

    /// As [`Station::signing`], one of many: the log has a name of its own.
    pub fn named(origin: &str, disk: Arc<dyn Disk>, dir: &Path, seed: u64, quorum: usize) -> Station {
        Station::of(origin, disk, dir, seed, 1, quorum, true)
    }

    fn of(
        origin: &str,
        disk: Arc<dyn Disk>,
        dir: &Path,
        seed: u64,
        approvals: usize,
        quorum: usize,
        signs: bool,
    ) -> Station {
        let mut dice = Dice(seed);
        let log = Log::create(disk, dir, &dice.seed(), origin).expect("a log");
        let officers = ["mara", "noor", "odile"]
            .map(|name| Officer { name, key: SigningKey::from_bytes(&dice.seed()) })
            .into();
        let (root_key, targets_key) =
            (SigningKey::from_bytes(&dice.seed()), SigningKey::from_bytes(&dice.seed()));
        let keyid = PublicKey::from_ed25519(targets_key.verifying_key()).factory_keyid().as_str().to_owned();
        let (root, fingerprint) = root_file(3, &root_key, &targets_key);
        let mut station = Station {
            log,
            dice,
            officers,
            targets_key,
            keyid,
            root_key,
            root,
            root_version: 3,
            policy: String::new(),
            approvals,
            quorum,
            version: 41,
            program: b"the program",
            content: 0,
            signs,
            time: 1_800_000_000,
            uptime_ms: 60_000,
            boot: 1,
        };
        station.policy = station.put(policy_text(approvals).as_bytes());
        let log_key = station.log.key().to_string();
        let event = StationCreated {
            factory: "acme".into(),
            fingerprint: (&fingerprint).into(),
            dialect: "factory".into(),
            tool: TOOL.into(),
            binary: sha256(b"the program").into(),
            networked: false,
            log_key: log_key.into(),
            policy: (&station.policy).into(),
            format: signs.then(|| acts::FORMAT.into()),
        }
        .by("countersign");
        station.append(event);
        let object = station.put(&station.root.clone());
        let event = RootPinned {
            version: 3,
            fingerprint: fingerprint.into(),
            expires: "2037-01-01T00:00:00Z".into(),
            object: object.into(),
        }
        .by("countersign");
        station.append(event);
        for at in 0..station.officers.len() {
            let officer = &station.officers[at];
            let event = OfficerAdded {
                officer: officer.name.into(),
                recipient: "age1made-up".into(),
                key: hex::encode(officer.key.verifying_key()).into(),
                roles: ["approver", "signer"].into_iter().map(Into::into).collect(),
            }
            .by(officer.name);
            station.append(event);
        }
        let names = station.officers.iter().map(|officer| officer.name).collect::<Vec<_>>().join(", ");
        let anew = format!("sealed anew by {names}; before: {quorum} of {names}");
        for (kind, detail) in [(Kind::KeyImported, "targets.keys.tgz"), (Kind::KeySealed, &anew)] {
            let key = SealedKey {
                keyid: (&station.keyid).into(),
                keytype: "ED25519".into(),
                quorum: quorum as u64,
                officers: station.officers.iter().map(|officer| officer.name.into()).collect(),
                set: "".into(),
                detail: detail.into(),
            };
            if kind == Kind::KeySealed {
                let event = Record::KeySealed(key).by("mara");
                station.act(event, &[0, 1, 2]);
            } else {
                let event = Record::KeyImported(key).by("mara");
                station.append(event);
            }
        }
        station
    }

    pub fn put(&self, bytes: &[u8]) -> String {
        self.log.put_object(bytes).expect("stored")
    }

    /// The time of the next entry: some seconds later, and now and then after a restart.
    pub fn stamp(&mut self) -> Stamp {
        let passed = 1 + self.dice.below(40);
        self.time += passed as i64;
        self.uptime_ms += passed * 1000;
        if self.dice.below(60) == 0 {
            self.boot += 1;
            self.uptime_ms = 30_000;
        }
        Stamp {
            time: Time::from_unix(self.time),
            boot: format!("{:08x}-0000-4000-8000-000000000000", self.boot),
            uptime_ms: self.uptime_ms,
        }
    }

    /// Nothing happens for so long.
    pub fn wait(&mut self, days: i64) {
        self.time += days * 86_400;
        self.uptime_ms += days.unsigned_abs() * 86_400_000;
    }

    /// When the last entry was written.
    pub fn time(&self) -> Time {
        Time::from_unix(self.time)
    }

    pub fn append(&mut self, event: Event) -> u64 {
        let stamp = self.stamp();
        self.log.append(&stamp, event).expect("appended").seq()
    }

    /// Appends an act of these officers, with their signatures where acts are signed.
    pub fn act(&mut self, event: Event, officers: &[usize]) -> u64 {
        let stamp = self.stamp();
        let officers = if self.signs { officers } else { &[] };
        for at in officers {
            let signed = self.signed_act(&event, *at, stamp.time);
            self.log.append(&stamp, signed.event()).expect("appended");
        }
        self.log.append(&stamp, event).expect("appended").seq()
    }

    /// An officer's signature under an act.
    pub fn signed_act(&mut self, event: &Event, at: usize, time: Time) -> SignedAct {
        let nonce = hex::encode(&self.dice.seed()[..16]);
        let officer = &self.officers[at];
        let deed = Deed {
            officer: officer.name.to_owned(),
            key: hex::encode(officer.key.verifying_key()),
            log: self.log.key().to_string(),
            time,
            act: event.kind().name().to_owned(),
            digest: event.digest(),
            nonce,
        };
        let signature = officer.key.sign(&deed.message()).to_bytes();
        deed.with_signature(&signature)
    }

    /// An entry that needs nothing and changes nothing.
    pub fn filler(&mut self) {
        let officer = self.officers[self.dice.below(3) as usize].name;
        let number = self.dice.roll();
        let event = match self.dice.below(6) {
            0 => SessionClosed { command: "status".into(), exit: number % 3 }.by(officer),
            1 => OfficerAuthFailed { officer: officer.into(), purpose: "approve".into() }.by(officer),
            2 => RequestRejected {
                source: (format!("/media/stick-{number:x}")).into(),
                reason:
                    "the wave's version 12 is not above 41, which production has: \u{201c}rollback\u{201d}"
                        .into(),
            }
            .by(officer),
            3 => Deviation { statement: (format!("the stick was number {number}")).into() }.by(officer),
            4 => Selftest {
                passed: true,
                checks: [("sha256", "passed"), ("ed25519", "passed"), ("rsa-pss", "passed")]
                    .into_iter()
                    .map(Into::into)
                    .collect(),
            }
            .by("countersign"),
            _ => SessionOpened {
                command: "status".into(),
                tool: TOOL.into(),
                binary: sha256(self.program).into(),
            }
            .by(officer),
        };
        self.append(event);
    }

    /// Entries that say little and are as long as the average of a real log: about 600 bytes.
    pub fn long_filler(&mut self) {
        let checks =
            ["network", "clock", "time-zone", "swap", "core-dumps", "permissions", "free-space", "log"];
        let event = Selftest {
            passed: true,
            checks: checks
                .map(|check| (check, "passed: nothing to say"))
                .into_iter()
                .map(Into::into)
                .collect(),
        }
        .by("countersign");
        self.append(event);
    }

    /// Request, review, approvals, intent, result, export, checkpoint: 5 entries and one for each approval. Returns the
    /// result's number.
    pub fn ceremony(&mut self) -> u64 {
        self.twisted(&Twist::default())
    }

    /// The targets document of a version.
    pub fn document(version: u64) -> String {
        Station::document_of(version, 0)
    }

    /// As [`Station::document`], with other targets of the same names for other numbers.
    pub fn document_of(version: u64, content: u64) -> String {
        format!(
            r#"{{"_type":"Targets","expires":"2027-11-23T00:00:00Z","targets":{{"intel-corei7-64-lmp-{version}":{{"custom":{{"name":"intel-corei7-64-lmp","tags":["production"],"version":"{version}"}},"hashes":{{"sha256":"{}"}},"length":0}}}},"version":{version}}}"#,
            sha256(&(version ^ (content << 32)).to_le_bytes())
        )
    }

    /// The signature of the Factory's key under a document, as a published file has it.
    pub fn published(&self, signed: &str) -> String {
        let sig = STANDARD.encode(self.targets_key.sign(signed.as_bytes()).to_bytes());
        format!(
            r#"{{"signatures":[{{"keyid":"{}","method":"ed25519","sig":"{sig}"}}],"signed":{signed}}}"#,
            self.keyid
        )
    }

    /// What the officers approve.
    fn review(
        &self,
        twist: &Twist,
        request: &str,
        signed: &str,
        findings: &[(&str, &str)],
    ) -> serde_json::Value {
        let mut review = serde_json::json!({
            "request": request,
            "digest": signed,
            "policy": self.policy,
            "root": {"version": self.root_version},
            "signable": !twist.not_signable && !twist.blocking,
            "findings": findings
                .iter()
                .map(|(check, severity)| serde_json::json!({"check": check, "severity": severity}))
                .collect::<Vec<_>>(),
        });
        if let Some((member, value)) = twist.other_review {
            review[member] = serde_json::from_str(value).expect("JSON");
        }
        review
    }

    /// A ceremony with something wrong about it.
    pub fn twisted(&mut self, twist: &Twist) -> u64 {
        self.version = twist.version.unwrap_or(self.version + 1);
        let (version, wave) = (self.version, format!("v{}.0-update", self.version));
        let signed_bytes = Station::document_of(version + u64::from(twist.other_document), self.content);
        let signed = sha256(signed_bytes.as_bytes());
        if !twist.no_object {
            self.put(signed_bytes.as_bytes());
        }
        let number = self.dice.roll();
        let manifest = format!(
            "{{\"factory\":\"acme\",\"kind\":\"wave\",\"number\":{number},\"tag\":\"{}\",\"version\":{version},\"wave\":\"{wave}\"}}\n",
            if twist.other_manifest { "another" } else { "production" }
        );
        let request = self.put(manifest.as_bytes());
        if !twist.no_import {
            let event = RequestImported {
                request: (&request).into(),
                kind: "wave".into(),
                factory: "acme".into(),
                wave: (&wave).into(),
                tag: "production".into(),
                version,
                signed: (&signed).into(),
                root_version: self.root_version,
                source: "/media/stick/request".into(),
                objects: vec![RequestFile { name: "request.json".into(), sha256: (&request).into() }],
            }
            .by("mara");
            self.act(event, &[0]);
        }
        let verifier = if twist.strange_evidence { sha256(b"another key") } else { self.keyid.clone() };
        let event = EvidenceVerified {
            request: (&request).into(),
            root_version: self.root_version + u64::from(twist.evidence_of_other_root),
            signatures: [("current.json", &verifier)].into_iter().map(Into::into).collect(),
        }
        .by("mara");
        if !twist.no_import || twist.strange_evidence {
            self.append(event);
        }
        let object = self.put(format!("review of {request}\n").as_bytes());
        let findings: &[(&str, &str)] =
            if twist.no_findings || self.dice.below(3) == 0 { &[("static-delta", "warn")] } else { &[] };
        let findings = if twist.blocking { &[("equivocation", "block")] } else { findings };
        let reviewed = if twist.review_of_another { sha256(b"another") } else { request.clone() };
        let text = self.review(twist, &reviewed, &signed, findings).to_string();
        // 0.1 kept the text only.
        let review = if self.signs { self.put(text.as_bytes()) } else { sha256(object.as_bytes()) };
        if !twist.no_review {
            let event = ReviewRendered {
                request: (&reviewed).into(),
                review: (&review).into(),
                signed: (&signed).into(),
                policy: (&self.policy).into(),
                root_version: self.root_version,
                signable: !twist.not_signable,
                findings: findings.iter().copied().map(Into::into).collect(),
                object: object.into(),
            }
            .by("mara");
            self.append(event);
        }
        let mut approvals = Vec::new();
        for at in 0..twist.approvers.unwrap_or(self.approvals.max(1)) {
            let stranger = SigningKey::from_bytes(&[13; 32]);
            let about = if twist.approval_of_another { sha256(b"another") } else { request.clone() };
            let approval = Approval {
                expires: Time::from_unix(self.time)
                    .plus_days(if twist.expired { -1 } else { 1 + 30 * i64::from(twist.long_approval) })
                    .to_string(),
                ..self.decision(at, &about, &review, Decision::Granted)
            };
            let officer = &self.officers[at];
            let mut signed = approval.sign(if twist.strange_approval_key { &stranger } else { &officer.key });
            if twist.changed_approval {
                signed.approval.reason.push_str("not what was signed");
            }
            let name = officer.name;
            let seq = self.append(signed.event());
            approvals.push((name, if twist.wrong_approval_seq { seq - 1 } else { seq }));
        }
        for (name, seq) in self.acts(twist.before_intent, &request, &review) {
            if twist.newest_approvals {
                approvals.retain(|(known, _)| *known != name);
                approvals.push((name, seq));
            }
        }
        let openers = twist.openers.unwrap_or(self.quorum);
        let mut openers: Vec<&str> = self.officers[..openers].iter().map(|officer| officer.name).collect();
        openers.extend(twist.stranger_opens.then_some("mallory"));
        let policy = if twist.wrong_policy { sha256(b"another") } else { self.policy.clone() };
        let root_version = self.root_version + u64::from(twist.wrong_root);
        let says = SignIntent {
            request: (&request).into(),
            review: (&review).into(),
            signed: (&signed).into(),
            factory: "acme".into(),
            wave: (&wave).into(),
            tag: "production".into(),
            version,
            kind: "wave".into(),
            keyid: self.keyid.clone().into(),
            root_version,
            policy: (&policy).into(),
            officers: openers.iter().map(|name| (*name).into()).collect(),
            approvals: approvals
                .iter()
                .map(|(name, seq)| ApprovalAt { officer: (*name).into(), seq: *seq })
                .collect(),
            findings: findings.iter().filter(|_| !twist.no_findings).copied().map(Into::into).collect(),
            preflight: [("network", if twist.failed_preflight { "fail" } else { "pass" }), ("clock", "pass")]
                .map(Into::into)
                .into(),
            tool: TOOL.into(),
            binary: sha256(self.program).into(),
        };
        let mut intent = 5;
        if !twist.no_intent {
            let by: Vec<usize> = (0..openers.len() - twist.unsigned_openers).collect();
            intent = self.act(says.clone().by("mara"), &by);
        }
        self.acts(twist.before_result, &request, &review);
        if twist.no_result {
            self.log.checkpoint().expect("a checkpoint");
            return intent;
        }
        let key =
            if twist.strange_key { SigningKey::from_bytes(&[14; 32]) } else { self.targets_key.clone() };
        let bytes = if twist.other_bytes { b"other bytes".to_vec() } else { signed_bytes.into_bytes() };
        let sig = STANDARD.encode(key.sign(&bytes).to_bytes());
        let wave = if twist.other_wave { "another-wave" } else { &wave };
        let mut result = 0;
        for _ in 0..1 + usize::from(twist.result_twice) {
            let made = [
                "ed25519".into(),
                (&sig).into(),
                (match (twist.boast, self.quorum > 1) {
                    (true, _) => "L2",
                    (_, true) => "L1",
                    _ => "L0",
                })
                .into(),
            ];
            let mut says = rules::result_of(&says, intent, made);
            says.wave = wave.into();
            says.kind = if twist.other_kind { "resign" } else { "wave" }.into();
            says.binary = sha256(if twist.other_program { b"another one" } else { self.program }).into();
            let event = says.by("mara");
            result = self.append(event);
        }
        self.log.checkpoint().expect("a checkpoint");
        let event = BundleExported {
            request: (&request).into(),
            signed: (if twist.other_bundle { sha256(b"others") } else { signed.clone() }).into(),
            manifest: sha256(request.as_bytes()).into(),
            folder: "/media/stick/signed".into(),
        }
        .by("mara");
        self.append(event);
        result
    }

    /// What an officer decides about some request, signed.
    pub fn decided(&mut self, at: usize, decision: Decision) -> countersign::testing::ledger::SignedApproval {
        let (request, review) = (sha256(b"a request"), sha256(b"a review"));
        self.decision(at, &request, &review, decision).sign(&self.officers[at].key)
    }

    /// What an officer decides, not yet signed.
    pub fn decision(&mut self, at: usize, request: &str, review: &str, decision: Decision) -> Approval {
        Approval {
            officer: self.officers[at].name.to_owned(),
            key: String::new(),
            request: request.to_owned(),
            review: review.to_owned(),
            policy: self.policy.clone(),
            decision,
            reason: String::new(),
            nonce: hex::encode(&self.dice.seed()[..16]),
            expires: Time::from_unix(self.time).plus_days(1).to_string(),
        }
    }

    /// Appends what officers do, and returns the approvals among it.
    fn acts(&mut self, acts: &[Act], request: &str, review: &str) -> Vec<(&'static str, u64)> {
        let mut approvals = Vec::new();
        for act in acts {
            let (at, decision) = match *act {
                Act::Approves(at) => (at, Decision::Granted),
                Act::Rejects(at) => (at, Decision::Denied),
                Act::Retires(at) => {
                    let event =
                        OfficerRetired { officer: (self.officers[at].name).into(), reason: "left".into() }
                            .by("noor");
                    self.act(event, &[1]);
                    continue;
                }
            };
            let signed = self.decision(at, request, review, decision).sign(&self.officers[at].key);
            let seq = self.append(signed.event());
            approvals.extend((decision == Decision::Granted).then_some((self.officers[at].name, seq)));
        }
        approvals
    }

    /// Another root, signed by the one before.
    pub fn new_root(&mut self) {
        let from = self.root_version;
        self.root_version += 1;
        let (root, fingerprint) = root_file(self.root_version, &self.root_key, &self.targets_key);
        let object = self.put(&root);
        self.root = root;
        let event = RootUpdated {
            from,
            version: self.root_version,
            fingerprint: fingerprint.into(),
            expires: "2037-01-01T00:00:00Z".into(),
            object: object.into(),
        }
        .by("mara");
        self.append(event);
    }

    /// Another policy.
    pub fn new_policy(&mut self, approvals: usize) {
        let to =
            self.put(format!("# since entry {}\n{}", self.log.size(), policy_text(approvals)).as_bytes());
        let event = PolicyChanged { from: (&self.policy).into(), to: (&to).into() }.by("mara");
        let by: Vec<usize> = (0..approvals.max(self.approvals)).collect();
        self.act(event, &by);
        (self.policy, self.approvals) = (to, approvals);
    }

    /// Random entries until there are at least so many, then a checkpoint.
    pub fn grow(&mut self, entries: u64) {
        while self.log.size() < entries {
            match self.dice.below(10) {
                0..3 => {
                    self.ceremony();
                }
                3 => self.new_root(),
                4 => {
                    let approvals = 1 + self.dice.below(3) as usize;
                    self.new_policy(approvals);
                }
                5 => {
                    self.log.checkpoint().expect("a checkpoint");
                }
                _ => self.filler(),
            }
        }
        self.log.checkpoint().expect("a checkpoint");
    }
}
