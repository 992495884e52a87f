//! The signature: what was shown, confirmed and approved, by the key that the quorum opens, and nothing else.
//!
//! The order is what keeps a crash harmless: the intent is in the log on disk before the key is opened, the result
//! before the command says that it signed, and a station that finds an intent without a result says so.

use super::approve::{Decisions, EXPIRED, Subject, decide, decisions, may_act, open_officer};
use super::prepare::{authority, own_keys, with_review};
use super::review::FILE_WIDTH;
use super::{CeremonyError, preflight};
use crate::bundle::RequestKind;
use crate::host::Host;
use crate::host::clock::Time;
use crate::log::{Decision, Event, Kind, SignedApproval, objects};
use crate::review::{Finding, Review, Severity, Situation};
use crate::station::custody::CustodyError;
use crate::station::officer::{self, OfficerName, OpenOfficer};
use crate::station::passphrase::PassphraseFiles;
use crate::station::policy::Role;
use crate::station::request::{Made, StoredRequest};
use crate::station::sealed::{self, SealedKey};
use crate::station::vault;
use crate::station::workstation::tool;
use crate::station::{SignedMark, Station, StationError};
use crate::threads;
use crate::tuf::{Authority, Digest, KeyId, PrivateKey};
use crate::words;
use std::ops::Range;

/// What the officers ask for.
pub struct Ask<'a> {
    /// Who opens the key, each with her passphrase. One who has not approved yet approves by this.
    pub officers: &'a [OfficerName],
    /// Which key, by the beginning of its id; needed only where several could sign.
    pub key: Option<&'a str>,
    /// Where passphrases are read from instead of the terminal.
    pub passphrases: &'a PassphraseFiles,
}

/// A review that was computed anew, reduced to what signing needs.
pub struct Reviewed {
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
    /// The review as text and as HTML, for the signed bundle.
    faces: Option<(String, String)>,
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
    pub fn of(station: &Station, now: Time, stored: &StoredRequest) -> Result<Reviewed, CeremonyError> {
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
        let faces = || threads::both(long, || review.text(FILE_WIDTH, false), || review.html());
        let (digest, faces) =
            threads::both(long, || review.digest(), || (render && review.signable()).then(faces));
        Reviewed {
            review: digest,
            signed: situation.message.digest(),
            signable: review.signable(),
            findings: review
                .findings
                .iter()
                .map(|finding| (finding.check, finding.severity, finding.message.clone()))
                .collect(),
            blocks: review.findings.iter().filter_map(block_line).collect(),
            bytes,
            faces,
        }
    }

    /// The bytes.
    fn bytes<'a>(&'a self, stored: &'a StoredRequest) -> &'a [u8] {
        match &self.bytes {
            SignedBytes::Within(range) => stored
                .request
                .file("targets.json")
                .and_then(|file| file.get(range.clone()))
                .unwrap_or_default(),
            SignedBytes::Built(bytes) => bytes,
        }
    }

    /// The confirmation code of the bytes.
    pub fn words(&self) -> String {
        words::confirmation(&self.signed.0)
    }

    /// The blocking findings as lines.
    pub fn blocks(&self) -> &[String] {
        &self.blocks
    }

    fn summary(&self) -> Vec<(&'static str, &'static str)> {
        let mut pairs: Vec<_> =
            self.findings.iter().map(|(check, severity, _)| (*check, severity.name())).collect();
        pairs.dedup();
        pairs
    }
}

fn block_line(finding: &Finding) -> Option<String> {
    let place = if finding.path.is_empty() { String::new() } else { format!(" ({})", finding.path) };
    (finding.severity == Severity::Block).then(|| format!("  {}: {}{place}", finding.check, finding.message))
}

/// Recomputes the review and refuses if it blocks, or differs from the one that was last shown.
///
/// # Errors
/// [`CeremonyError::Refused`] for a blocking check, [`CeremonyError::NotApproved`] when another review was shown.
pub fn recheck(station: &Station, now: Time, stored: &StoredRequest) -> Result<Reviewed, CeremonyError> {
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

/// Checks a confirmation code against the bytes, in constant time.
///
/// # Errors
/// [`CeremonyError::NotApproved`] when it is another code.
pub fn confirm(reviewed: &Reviewed, given: &str) -> Result<(), CeremonyError> {
    if words::confirms(given, &reviewed.signed.0) {
        return Ok(());
    }
    Err(CeremonyError::NotApproved(
        "the confirmation words are not those of this request. Read the review again, and type the words that stand \
         at its end"
            .to_owned(),
    ))
}

/// Signs a request. The confirmation was given before: see [`confirm`].
///
/// # Errors
/// Blocked, not approved, in doubt, the machine is not fit, or the key does not open. Every refusal is logged.
pub fn sign(
    station: &mut Station,
    host: &Host,
    stored: &StoredRequest,
    reviewed: &Reviewed,
    ask: &Ask<'_>,
) -> Result<Made, CeremonyError> {
    let outcome = sign_now(station, host, stored, reviewed, ask);
    match outcome {
        Ok(made) => Ok(made),
        Err(e) => Err(refuse(station, host, stored, e)?),
    }
}

/// Logs that a signature was refused, or given up, and hands the reason back. An intent that this command wrote is
/// closed by it: no signature left the process.
///
/// # Errors
/// The log.
pub fn refuse(
    station: &mut Station,
    host: &Host,
    stored: &StoredRequest,
    why: CeremonyError,
) -> Result<CeremonyError, CeremonyError> {
    let own = station.log.open_intents().filter(|intent| !intent.recorded).last().cloned();
    let (intent, keyid, signed) =
        own.map_or((0, String::new(), String::new()), |intent| (intent.seq, intent.keyid, intent.signed));
    let aborted = Event::new(Kind::SignAborted, station.actor())
        .int("intent", intent)
        .text("request", stored.digest().to_string())
        .text("keyid", keyid)
        .text("signed", signed)
        .text("reason", crate::text::one_line(&why.to_string()));
    station.record(&host.stamp(), aborted)?;
    station.commit()?;
    if intent > 0 {
        station.unmark_signed(intent)?;
    }
    Ok(why)
}

fn sign_now(
    station: &mut Station,
    host: &Host,
    stored: &StoredRequest,
    reviewed: &Reviewed,
    ask: &Ask<'_>,
) -> Result<Made, CeremonyError> {
    let key = check_signers(station, stored, ask)?;
    refuse_while_in_doubt(station, reviewed, &key)?;
    require_witnessed(station, host.clock.now())?;
    let report = preflight::of_station(station, host, None);
    if !report.fit() {
        let failures: Vec<_> =
            report.failures().map(|line| format!("  {}: {}", line.name, line.message)).collect();
        return Err(CeremonyError::Refused(format!(
            "this machine is not fit for a signature (countersign preflight):\n{}",
            failures.join("\n")
        )));
    }
    // What the intent will name is brought to disk while the passphrases are worked on.
    let (bytes, log) = (reviewed.bytes(stored), station.log.dir().to_owned());
    let (kept, opened) = threads::both(
        bytes.len() as u64,
        || objects::put_named(&*host.disk, &log, reviewed.signed.to_string(), bytes),
        || open_officers(station, host, ask),
    );
    let opened = opened?;
    kept?;
    let subject = Subject { request: stored.digest().to_string(), review: reviewed.review.to_string() };
    let approved = approvals(station, host, stored, &subject, &opened)?;
    let manifest = &stored.request.manifest;
    let keyid = KeyId::new(key.keyid.clone());
    let (public, root_version, strength) = {
        let authority = authority(station, &stored.request)?;
        let root = authority.root();
        let public = root.key_in_role(&authority.role, &keyid).cloned().ok_or_else(|| {
            CeremonyError::Refused(format!(
                "the key {keyid} is not one of the role \"{}\" (root version {})",
                crate::text::shown(&authority.role),
                root.version
            ))
        })?;
        (public, root.version, strength(station, &authority, &key))
    };
    let officers: Vec<String> = opened.iter().map(|officer| officer.name().as_str().to_owned()).collect();
    let stamp = host.stamp();
    let facts = |event: Event| {
        event
            .text("request", &subject.request)
            .text("review", &subject.review)
            .text("signed", reviewed.signed.to_string())
            .text("factory", &manifest.factory)
            .text("wave", &manifest.wave)
            .text("tag", &manifest.tag)
            .int("version", manifest.version)
            .text("kind", manifest.kind.name())
            .text("keyid", &key.keyid)
            .int("root_version", root_version)
            .list("officers", &officers)
            .text("tool", tool())
    };
    let lead = officers.first().cloned().unwrap_or_default();
    if let Some((text, html)) = &reviewed.faces {
        let kept = Event::new(Kind::ReviewKept, &lead)
            .text("request", &subject.request)
            .text("review", &subject.review)
            .text("text", station.log.put_object(text.as_bytes())?)
            .text("html", station.log.put_object(html.as_bytes())?);
        station.record(&stamp, kept)?;
    }
    let intent = facts(Event::new(Kind::SignIntent, &lead))
        .text("policy", station.policy.digest())
        .text("binary", station.binary())
        .numbered("approvals", approved.iter().map(|(officer, seq)| (officer.as_str(), *seq)))
        .pairs("findings", reviewed.summary())
        .pairs("preflight", report.summary());
    let intent = station.record(&stamp, intent)?.seq;
    station.log.sync()?;
    let mark = SignedMark {
        version: manifest.version,
        signed: reviewed.signed.to_string(),
        keyid: key.keyid.clone(),
        wave: manifest.wave.clone(),
        request: subject.request.clone(),
        seq: intent,
    };
    // A bundle's list has the version of the production targets that it names, and never becomes them.
    let mark = (manifest.kind != RequestKind::OfflineBundle).then_some(mark);
    station.mark_signed(&manifest.tag, mark, root_version)?;

    let signature = {
        let holders: Vec<&OpenOfficer> = opened.iter().collect();
        let secret = vault::open_key(station.disk(), &station.layout.keys(), &key.keyid, &holders)?;
        let private = PrivateKey::parse(&format!("key {}", keyid.short()), &secret)?;
        private.sign(&keyid, bytes)?
    };
    if !public.verify(bytes, &signature) {
        return Err(CeremonyError::NotAsWritten(format!(
            "the signature does not verify with the key {keyid} of the root: the sealed key is another one. Nothing \
             was kept; run `countersign key drill {keyid}`"
        )));
    }
    let json = station.dialect.signature_json(&keyid, &public, &signature);
    let stamp = host.stamp();
    let result = facts(Event::new(Kind::SignResult, &lead))
        .text("policy", station.policy.digest())
        .text("binary", station.binary())
        .int("intent", intent)
        .text("method", public.method())
        .text("sig", station.dialect.encode_signature(&signature))
        .text("strength", strength);
    let seq = station.record(&stamp, result)?.seq;
    station.log.sync()?;
    settle_same_bytes(station, host, &lead)?;
    let made = Made {
        format: "countersign/signature/1".to_owned(),
        findings: reviewed
            .findings
            .iter()
            .map(|(check, severity, _)| ((*check).to_owned(), severity.name().to_owned()))
            .collect(),
        keyid: key.keyid.clone(),
        public: public.text().to_owned(),
        keytype: public.keytype().to_owned(),
        officers,
        review: subject.review,
        root_version,
        seq,
        signature: json,
        signed: reviewed.signed.to_string(),
        strength: strength.to_owned(),
        time: stamp.time.to_string(),
    };
    stored.keep_signature(station.disk(), &made)?;
    station.commit()?;
    Ok(made)
}

/// Can these officers open a key that may sign? To be asked before the confirmation words and any passphrase are.
/// Returns the key.
///
/// # Errors
/// There is no such officer or key, she has left or does not hold it, or too few came.
pub fn check_signers(
    station: &Station,
    stored: &StoredRequest,
    ask: &Ask<'_>,
) -> Result<SealedKey, CeremonyError> {
    // One who is not there, or has left, is named before anything is asked.
    for name in ask.officers {
        if !officer::load(station.disk(), &station.layout.officers(), name)?.is_active() {
            return Err(CustodyError::Retired(name.clone()).into());
        }
    }
    let key = choose_key(station, stored, ask)?;
    station.check_sealed_as_logged(&key)?;
    require_quorum(&key, ask.officers)?;
    key.check_present(&ask.officers.iter().collect::<Vec<_>>())?;
    Ok(key)
}

/// The key that is to sign: the one that was named, or the only one that can.
fn choose_key(station: &Station, stored: &StoredRequest, ask: &Ask<'_>) -> Result<SealedKey, CeremonyError> {
    let keys = station.layout.keys();
    if let Some(prefix) = ask.key {
        return Ok(vault::find_key(station.disk(), &keys, prefix)?);
    }
    let authority = authority(station, &stored.request)?;
    let own = own_keys(station, &authority)?;
    let own = own.iter().map(|keyid| vault::find_key(station.disk(), &keys, keyid.as_str()));
    let own = own.collect::<Result<Vec<_>, _>>()?;
    let held = |key: &&SealedKey| ask.officers.iter().all(|officer| key.officers.contains(officer));
    let mut candidates: Vec<SealedKey> = own.iter().filter(held).cloned().collect();
    if candidates.len() > 1 {
        // A second officer signs with the key that has not signed yet.
        let made = stored.signatures(station.disk())?;
        candidates.retain(|key| !made.iter().any(|one| one.keyid == key.keyid));
        if candidates.is_empty() {
            return Err(CeremonyError::Refused(
                "every key of this station that these officers hold has signed this request already"
                    .to_owned(),
            ));
        }
    }
    match candidates.len() {
        1 => candidates.pop().ok_or_else(|| CeremonyError::Nothing("no key".to_owned())),
        0 => match own.as_slice() {
            [] => Err(CeremonyError::Refused(format!(
                "no key of this station is one of the role \"{}\" (root version {}). See `countersign key list`",
                crate::text::shown(&authority.role),
                authority.root().version
            ))),
            // The only key that can sign is not theirs: said as everywhere else.
            [key] => {
                require_quorum(key, ask.officers)?;
                Ok(key.clone())
            }
            several => Err(CeremonyError::NotApproved(format!(
                "no key of this station is sealed to all of {}: {}",
                sealed::names(ask.officers),
                several
                    .iter()
                    .map(|key| format!("the key {} is sealed to {}", key.keyid, key.holders()))
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
        },
        count => Err(CeremonyError::Refused(format!(
            "{count} keys of this station could sign. Say which with --key: {}",
            candidates.iter().map(|key| key.keyid.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// Too few officers, or one who does not hold the key, is said before a passphrase is asked and before an intent stands
/// in the log.
fn require_quorum(key: &SealedKey, officers: &[OfficerName]) -> Result<(), CeremonyError> {
    let (keyid, holders) = (key.keyid.clone(), key.holders());
    if let Some(officer) = officers.iter().find(|officer| !key.officers.contains(officer)) {
        return Err(CustodyError::NotHolder { keyid, officer: officer.clone(), holders }.into());
    }
    let distinct: std::collections::BTreeSet<_> = officers.iter().collect();
    if distinct.len() < usize::from(key.quorum) {
        return Err(CustodyError::TooFewOfficers {
            keyid,
            quorum: key.quorum,
            given: distinct.len(),
            holders,
        }
        .into());
    }
    Ok(())
}

/// An intent without a result must be settled before anything else is signed. Signing the very same bytes with the
/// same key again settles it: there is no second content that could be signed.
fn refuse_while_in_doubt(
    station: &Station,
    reviewed: &Reviewed,
    key: &SealedKey,
) -> Result<(), CeremonyError> {
    let signed = reviewed.signed.to_string();
    let other =
        station.log.open_intents().find(|intent| intent.signed != signed || intent.keyid != key.keyid);
    match other {
        None => Ok(()),
        Some(intent) => Err(CeremonyError::InDoubt(format!(
            "log entry {}: the station stopped between the intent to sign request {} and the result, so a signature \
             may have been made. Sign that request again (the bytes are the same), or settle it: countersign settle {} \
             --officer NAME --outcome made|not-made",
            intent.seq,
            intent.request.get(..12).unwrap_or(&intent.request),
            intent.seq
        ))),
    }
}

/// Where the policy asks for witnesses, nothing is signed once none has cosigned the log for longer than its window; the
/// auditor judges by the same rule.
fn require_witnessed(station: &Station, now: Time) -> Result<(), CeremonyError> {
    let Some(days) = station.policy.witness_window_days else { return Ok(()) };
    let mut last = None;
    for entry in station.log.entries() {
        let entry = entry.map_err(StationError::from)?;
        let entry = entry.entry();
        if last.is_none() || entry.kind() == Kind::WitnessCosigned {
            last = Some(entry.time());
        }
    }
    if last.is_none_or(|last| now.days_since(last) > i64::from(days)) {
        return Err(CeremonyError::Unwitnessed(format!(
            "no witness has cosigned the log for more than {days} day{}, the window of the policy in force. Have a \
             checkpoint cosigned, or set a policy that asks for none (witness.window_days = 0)",
            if days == 1 { "" } else { "s" }
        )));
    }
    Ok(())
}

/// The intents that are left are for these very bytes and this key, and were in doubt: the log says that the bytes are
/// signed now. Not before they are: a refusal in between settles nothing.
fn settle_same_bytes(station: &mut Station, host: &Host, lead: &str) -> Result<(), CeremonyError> {
    let open: Vec<_> = station.log.open_intents().cloned().collect();
    for intent in open {
        let event = Event::new(Kind::SignInDoubt, lead)
            .int("intent", intent.seq)
            .text("request", &intent.request)
            .text("keyid", &intent.keyid)
            .text("signed", &intent.signed)
            .text("resolution", "the same bytes were signed again");
        station.record(&host.stamp(), event)?;
    }
    Ok(())
}

fn open_officers(
    station: &mut Station,
    host: &Host,
    ask: &Ask<'_>,
) -> Result<Vec<OpenOfficer>, CeremonyError> {
    let mut opened: Vec<OpenOfficer> = Vec::new();
    for name in ask.officers {
        if opened.iter().any(|officer| officer.name() == name) {
            return Err(CeremonyError::NotApproved(format!(
                "the officer {name} is named twice; different officers are needed"
            )));
        }
        opened.push(open_officer(station, host, name, ask.passphrases, "sign")?);
    }
    if opened.is_empty() {
        return Err(CeremonyError::NotApproved("no officer is named: give --officer NAME".to_owned()));
    }
    Ok(opened)
}

/// Collects the approvals, those that the signing officers give by signing included, and checks them against the
/// policy. Returns who approved and in which log entry.
fn approvals(
    station: &mut Station,
    host: &Host,
    stored: &StoredRequest,
    subject: &Subject,
    opened: &[OpenOfficer],
) -> Result<Vec<(String, u64)>, CeremonyError> {
    let now = host.clock.now();
    let Decisions { granted, denied, void } = decisions(station, subject, now)?;
    for (standing, why) in &void {
        if *why == EXPIRED {
            let expired = SignedApproval { approval: standing.approval.clone(), sig: standing.sig.clone() };
            station.record(&host.stamp(), expired.expired_event())?;
        }
    }
    if let Some(no) = denied.first() {
        return Err(CeremonyError::NotApproved(format!(
            "{officer} rejected this request (log entry {}): {}. Only an approval by the same officer lifts this: \
             countersign approve {} --officer {officer}",
            no.seq,
            crate::text::shown(&no.approval.reason),
            stored.digest().short(),
            officer = crate::text::shown(&no.approval.officer),
        )));
    }
    let may = |name: &str, role: Role| may_act(station, stored.digest(), name, role);
    let signers: Vec<&str> = opened.iter().map(|officer| officer.name().as_str()).collect();
    if let Some(name) = signers.iter().find(|name| !may(name, Role::Signer)) {
        return Err(CeremonyError::NotApproved(format!(
            "{name} imported this request, and the policy does not let the importer sign it"
        )));
    }
    let both = station.policy.may_hold_both(Role::Approver, Role::Signer);
    let counts = |name: &str| may(name, Role::Approver) && (both || !signers.contains(&name));
    let mut approved: Vec<(String, u64)> = granted
        .iter()
        .filter(|standing| counts(&standing.approval.officer))
        .map(|standing| (standing.approval.officer.clone(), standing.seq))
        .collect();
    let approving: Vec<bool> = opened
        .iter()
        .map(|officer| {
            let name = officer.name().as_str();
            counts(name) && !approved.iter().any(|(known, _)| known == name)
        })
        .collect();
    for (officer, _) in opened.iter().zip(approving).filter(|(_, approves)| *approves) {
        let seq = decide(station, host, officer, subject, Decision::Granted, "by signing")?;
        approved.push((officer.name().as_str().to_owned(), seq));
    }
    let needed = station.policy.approvals as usize;
    if approved.len() >= needed {
        return Ok(approved);
    }
    let why: Vec<String> = void
        .iter()
        .map(|(one, why)| format!("; {}'s approval is void: {why}", one.approval.officer))
        .collect();
    Err(CeremonyError::NotApproved(format!(
        "{} of the {needed} approvals that the policy asks for are there{}. Another officer approves with `countersign approve {} --officer NAME`",
        approved.len(),
        why.concat(),
        stored.digest().short()
    )))
}

/// How strong the signature is: L0 one person could make it, L1 the key opens for several together, L2 devices
/// themselves ask for several keys of officers.
fn strength(station: &Station, authority: &Authority<'_>, key: &SealedKey) -> &'static str {
    let (root, role) = (authority.root(), authority.role.as_str());
    let offline = root.keyids(role).iter().filter(|keyid| !station.trust.is_online(keyid)).count();
    let by_service = usize::from(station.trust.online.is_some());
    if root.threshold(role) > by_service + 1 && offline > 1 {
        "L2"
    } else if key.quorum > 1 {
        "L1"
    } else {
        "L0"
    }
}
