//! The signature: what was shown, confirmed and approved, by the key that the quorum opens, and nothing else.
//!
//! The order is what keeps a crash harmless: the intent is in the log on disk before the key is opened, the result
//! before the command says that it signed, and a station that finds an intent without a result says so.

use super::anchors::require_may_sign;
use super::approve::Subject;
use super::prepare::authority;
use super::reviewed::Reviewed;
use super::signers::{Ask, approvals, check_signers, open_officers};
use super::{CeremonyError, preflight};
use crate::host::Host;
use crate::host::clock::Stamp;
use crate::ledger::acts::SIGNED_AGAIN;
use crate::ledger::field::{ApprovalAt, Check, Finding, OfficerName};
use crate::ledger::record::{ReviewKept, SignAborted, SignIntent};
use crate::ledger::{objects, rules};
use crate::station::request::StoredRequest;
use crate::station::workstation::tool;
use crate::station::{Made, Station};
use crate::threads;
use crate::tuf::{KeyId, PrivateKey, PublicKey};
use crate::vault::keys;
use crate::vault::officer::OpenOfficer;

/// Signs a request. The confirmation was given before: see [`super::reviewed::confirm`].
///
/// # Errors
/// Blocked, not approved, in doubt, the machine is not fit, or the key does not open. Every refusal is logged.
pub(crate) fn sign(
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
pub(crate) fn refuse(
    station: &mut Station,
    host: &Host,
    stored: &StoredRequest,
    why: CeremonyError,
) -> Result<CeremonyError, CeremonyError> {
    let own = station.log.open_intents().filter(|intent| !intent.recorded).last().cloned();
    let (intent, keyid, signed) =
        own.map_or((0, String::new(), String::new()), |intent| (intent.seq, intent.keyid, intent.signed));
    let aborted = SignAborted {
        intent,
        request: stored.digest().to_string().into(),
        keyid: keyid.into(),
        signed: signed.into(),
        reason: crate::text::one_line(&why.to_string()).into(),
    };
    station.record(&host.stamp(), aborted.by(station.actor()))?;
    station.commit()?;
    Ok(why)
}

fn sign_now(
    station: &mut Station,
    host: &Host,
    stored: &StoredRequest,
    reviewed: &Reviewed,
    ask: &Ask<'_>,
) -> Result<Made, CeremonyError> {
    let subject = reviewed.subject(stored);
    let key = check_signers(station, host, stored, reviewed, ask)?;
    let report = require_fit(station, host)?;
    let bytes = reviewed.bytes(stored);
    let opened = open_while_kept(station, host, ask, bytes, reviewed.signed.to_string())?;
    let approved = approvals(station, host, stored, &subject, &opened)?;
    let keyid = KeyId::new(key.keyid.clone());
    let Listed { public, root_version, strength } = listed(station, stored, &keyid, key.quorum.into())?;
    let officers: Vec<String> = opened.iter().map(|officer| officer.name().as_str().to_owned()).collect();
    let lead = officers.first().cloned().unwrap_or_default();
    // Passphrases take a while.
    let stamp = host.stamp();
    require_may_sign(station, &stamp)?;
    keep_faces(station, &stamp, &subject, reviewed, &lead)?;
    let manifest = &stored.request.manifest;
    let named = approved.iter().map(|(officer, seq)| ApprovalAt { officer: officer.into(), seq: *seq });
    let intent = SignIntent {
        request: (&subject.request).into(),
        review: (&subject.review).into(),
        signed: reviewed.signed.to_string().into(),
        factory: (&manifest.factory).into(),
        wave: (&manifest.wave).into(),
        tag: (&manifest.tag).into(),
        version: manifest.version,
        kind: manifest.kind.name().into(),
        keyid: (&key.keyid).into(),
        root_version,
        policy: station.policy.digest().into(),
        officers: officers.iter().map(OfficerName::from).collect(),
        approvals: named.collect(),
        findings: reviewed.summary().into_iter().map(Finding::from).collect(),
        preflight: report.summary().into_iter().map(Check::from).collect(),
        tool: tool().into(),
        binary: station.binary().to_owned().into(),
    };
    let holders: Vec<&OpenOfficer> = opened.iter().collect();
    let seq = station.record_act(host, intent.clone().by(&lead), &holders)?;
    // An intent that no checkpoint covers is none: the key stays closed until then.
    station.commit()?;
    let signature = signature(station, &keyid, &public, &holders, bytes)?;
    let stamp = host.stamp();
    let sig = station.facts.dialect.encode_signature(&signature);
    let result = rules::result_of(&intent, seq, [public.method().into(), sig.into(), strength.into()]);
    station.record(&stamp, result.by(&lead))?;
    settle_same_bytes(station, host, &lead)?;
    station.commit()?;
    let made = station.signatures().newest(stored.digest());
    made.ok_or_else(|| CeremonyError::not_signed(&stored.digest()))
}

/// What the intent will name is brought to disk while the passphrases are worked on.
fn open_while_kept(
    station: &mut Station,
    host: &Host,
    ask: &Ask<'_>,
    bytes: &[u8],
    digest: String,
) -> Result<Vec<OpenOfficer>, CeremonyError> {
    let log = station.log.dir().to_owned();
    let (kept, opened) = threads::both(
        bytes.len() as u64,
        || objects::put_named(&*host.disk, &log, digest, bytes),
        || open_officers(station, host, ask),
    );
    let opened = opened?;
    kept?;
    Ok(opened)
}

/// A machine that is not fit signs nothing.
fn require_fit(station: &Station, host: &Host) -> Result<preflight::Report, CeremonyError> {
    let report = preflight::of_station(station, host, None);
    if report.fit() {
        return Ok(report);
    }
    let failures: Vec<_> =
        report.failures().map(|line| format!("  {}: {}", line.name, line.message)).collect();
    Err(CeremonyError::Refused(format!(
        "this machine is not fit for a signature (countersign preflight):\n{}",
        failures.join("\n")
    )))
}

/// The key as the root in force lists it, and how strong a signature with it is.
struct Listed {
    public: PublicKey,
    root_version: u64,
    strength: &'static str,
}

fn listed(
    station: &Station,
    stored: &StoredRequest,
    keyid: &KeyId,
    quorum: u64,
) -> Result<Listed, CeremonyError> {
    let authority = authority(station, &stored.request)?;
    let (root, role) = (authority.root(), &authority.role);
    let public = root.key_in_role(role, keyid).cloned().ok_or_else(|| {
        CeremonyError::Refused(format!(
            "the key {keyid} is not one of the role \"{}\" (root version {})",
            crate::text::shown(role),
            root.version
        ))
    })?;
    let (online, custody) = (station.trust.online.as_ref(), &station.state().custody);
    let strength = rules::strength(root, role, online, custody, quorum);
    Ok(Listed { public, root_version: root.version, strength })
}

/// Keeps the review as the signed bundle will show it.
fn keep_faces(
    station: &mut Station,
    stamp: &Stamp,
    subject: &Subject,
    reviewed: &Reviewed,
    lead: &str,
) -> Result<(), CeremonyError> {
    let Some((text, html)) = &reviewed.faces else { return Ok(()) };
    let kept = ReviewKept {
        request: (&subject.request).into(),
        review: (&subject.review).into(),
        text: station.log.put_object(text.as_bytes())?.into(),
        html: station.log.put_object(html.as_bytes())?.into(),
    };
    station.record(stamp, kept.by(lead))?;
    Ok(())
}

/// Opens the key and signs; what does not verify does not leave here.
fn signature(
    station: &Station,
    keyid: &KeyId,
    public: &PublicKey,
    holders: &[&OpenOfficer],
    bytes: &[u8],
) -> Result<Vec<u8>, CeremonyError> {
    let secret = keys::open_key(station.disk(), &station.layout.keys(), keyid.as_str(), holders)?;
    let private = PrivateKey::parse(&format!("key {}", keyid.short()), &secret)?;
    let signature = private.sign(keyid, bytes)?;
    if public.verify(bytes, &signature) {
        return Ok(signature);
    }
    Err(CeremonyError::NotAsWritten(format!(
        "the signature does not verify with the key {keyid} of the root: the sealed key is another one. Nothing was \
         kept; run `countersign key drill {keyid}`"
    )))
}

/// The intents that are left are for these very bytes and this key, and were in doubt: the log says that the bytes are
/// signed now. Not before they are: a refusal in between settles nothing.
fn settle_same_bytes(station: &mut Station, host: &Host, lead: &str) -> Result<(), CeremonyError> {
    let open: Vec<_> = station.log.open_intents().cloned().collect();
    for intent in open {
        station.record(&host.stamp(), intent.in_doubt(SIGNED_AGAIN).by(lead))?;
    }
    Ok(())
}
