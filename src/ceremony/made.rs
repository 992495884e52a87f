//! The signatures that were made for a request. The log is the authority: one that a crash kept from being written
//! beside the request is taken from its entry.

use super::CeremonyError;
use super::prepare::authority;
use crate::ledger::Record;
use crate::station::request::{Made, StoredRequest};
use crate::station::{Station, StationError};
use crate::tuf::KeyId;
use std::collections::BTreeMap;

/// The signatures of a request, those included that only the log has; the second number says how many of them those are.
///
/// # Errors
/// The log or the request's files cannot be read.
pub(crate) fn signatures(
    station: &Station,
    stored: &StoredRequest,
) -> Result<(Vec<Made>, usize), CeremonyError> {
    let mut made = stored.signatures(station.disk())?;
    let request = stored.digest().to_string();
    let marks = station.history.marks().filter(|mark| mark.request == request);
    if marks.into_iter().all(|mark| made.iter().any(|one| one.keyid == mark.keyid)) {
        return Ok((made, 0));
    }
    let before = made.len();
    for one in from_log(station, stored, &request)? {
        if made.iter().all(|known| known.keyid != one.keyid) {
            made.push(one);
        }
    }
    let restored = made.len() - before;
    Ok((made, restored))
}

/// The newest signature of each key over a request, as the log has it.
fn from_log(station: &Station, stored: &StoredRequest, request: &str) -> Result<Vec<Made>, CeremonyError> {
    let authority = authority(station, &stored.request)?;
    let mut findings = BTreeMap::new();
    let mut made: BTreeMap<String, Made> = BTreeMap::new();
    for entry in station.log.entries() {
        let entry = entry.map_err(StationError::from)?;
        let entry = entry.entry();
        let result = match entry.record() {
            Record::SignIntent(intent) if *intent.request == *request => {
                let pairs =
                    intent.findings.iter().map(|one| (one.check.to_string(), one.severity.to_string()));
                findings.insert(entry.seq(), pairs.collect::<Vec<_>>());
                continue;
            }
            Record::SignResult(result) if *result.request == *request => result,
            _ => continue,
        };
        let keyid = KeyId::new(result.keyid.to_string());
        let public = authority.root().key_in_role(&authority.role, &keyid);
        let signature = station.facts.dialect.decode_signature(&result.sig);
        // A key that the root no longer lists makes no bundle that anybody accepts.
        let (Some(public), Ok(signature)) = (public, signature) else { continue };
        let one = Made {
            format: "countersign/signature/1".to_owned(),
            findings: findings.get(&result.intent).cloned().unwrap_or_default(),
            keyid: result.keyid.to_string(),
            public: public.text().to_owned(),
            keytype: public.keytype().to_owned(),
            officers: result.officers.iter().map(|name| name.to_string()).collect(),
            review: result.review.to_string(),
            root_version: result.root_version,
            seq: entry.seq(),
            signature: station.facts.dialect.signature_json(&keyid, public, &signature),
            signed: result.signed.to_string(),
            strength: result.strength.to_string(),
            time: entry.time().to_string(),
        };
        made.insert(one.keyid.clone(), one);
    }
    Ok(made.into_values().collect())
}
