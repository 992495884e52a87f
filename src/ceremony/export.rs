//! Writing the signed bundle to a stick, durably, and reading it back before anything is said to be done.

use super::CeremonyError;
use super::prepare::{authority, authority_of};
use crate::bundle::FileFacts;
use crate::bundle::anchors::{CONSISTENCY, HEAD_FILE};
use crate::bundle::manifest::{DELEGATING_FILE, REQUEST_FILE};
use crate::bundle::media::{Files, Parts, length, write_folder_then};
use crate::bundle::signed::{
    LogHead, RootFacts, SIGNED_FILE, SIGNED_FORMAT, SUMS_FILE, SignedManifest, SigningKey, StoodFinding,
    documents, passed_on, sum_line,
};
use crate::bundle::verify::{Verdict, verify};
use crate::host::Host;
use crate::json::{Document, Limits};
use crate::ledger::Record;
use crate::ledger::record::{BundleExported, ExportFailed};
use crate::station::request::{self, StoredRequest};
use crate::station::workstation::tool;
use crate::station::{Made, Station, StationError};
use crate::text::{one_line, shown_path};
use crate::threads;
use crate::tlog::consistency;
use crate::tuf::{Digest, KeyId, Targets};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Is this file of a request needed for its signed bundle? The evidence stays in the station.
fn is_exported(name: &str) -> bool {
    matches!(name, "targets.json" | DELEGATING_FILE)
}

/// Writes the signed bundle of a request into a new folder, verifies it from the bytes on the medium, and logs it.
///
/// # Errors
/// Nothing was signed for it, the folder is not empty, the medium cannot be written, or what was written does not
/// verify. A failure is logged; nothing half-written is left under the folder's name.
pub(crate) fn export(
    station: &mut Station,
    host: &Host,
    request: Digest,
    folder: &Path,
) -> Result<Verdict, CeremonyError> {
    // What a crash left after the last checkpoint is covered by one before a receipt is written.
    if station.log.size() > station.log.head().checkpoint.size {
        station.commit()?;
    }
    let outcome = write_and_verify(station, host, request, folder);
    let (request, folder) = (request.to_string().into(), shown_path(folder).into());
    let record = match &outcome {
        Ok((_, Written { signed, manifest })) => {
            let (signed, manifest) = (signed.into(), manifest.into());
            Record::BundleExported(BundleExported { request, signed, manifest, folder })
        }
        Err(e) => {
            let reason = one_line(&e.to_string()).into();
            Record::ExportFailed(ExportFailed { request, folder, reason })
        }
    };
    station.record(&host.stamp(), record.by(station.actor()))?;
    station.commit()?;
    outcome.map(|(verdict, _)| verdict)
}

/// What was written: digests of the canonical `signed` and of the bundle's manifest.
struct Written {
    signed: String,
    manifest: String,
}

fn write_and_verify(
    station: &Station,
    host: &Host,
    request: Digest,
    folder: &Path,
) -> Result<(Verdict, Written), CeremonyError> {
    let written = write(station, request, folder)?;
    // From here on nothing of what was written is in memory: what is verified is what is read back.
    let verdict = verify(&*host.disk, folder, Some(&station.trust.chain), u64::from(u32::MAX) - 1)?;
    if !verdict.problems.is_empty() || verdict.signed != written.signed {
        return Err(CeremonyError::NotAsWritten(format!(
            "what is on the medium is not what was written to it: {}. Remove {} and export again, to another medium",
            verdict.problems.join("; "),
            shown_path(folder)
        )));
    }
    Ok((verdict, written))
}

fn write(station: &Station, request: Digest, folder: &Path) -> Result<Written, CeremonyError> {
    let stored = &request::open_files(station, request, is_exported)?;
    let made = station.signatures().of(request);
    let Some(newest) = made.iter().max_by_key(|one| one.seq) else {
        return Err(CeremonyError::not_signed(&request));
    };
    let bytes = stored.request.file("targets.json").unwrap_or_default();
    let document = Document::parse("targets.json", bytes, Limits::of_bytes(bytes.len() as u64))?;
    let proposal = Targets::read(document.root(), station.facts.dialect)?;
    let (keys, by_us): (Vec<SigningKey>, Vec<String>) =
        made.iter().map(|one| signed_by(station, stored, one)).collect::<Result<_, _>>()?;
    let files = files(station, stored, &by_us, newest, &proposal)?;
    let mut manifest_digest = String::new();
    let manifest_and_sums = || {
        let facts = facts_of_all(&files);
        let mut sums: Vec<String> = facts.iter().map(|(name, facts)| sum_line(name, &facts.sha256)).collect();
        let manifest = manifest(station, stored, keys, newest, facts).to_bytes();
        manifest_digest = Digest::of(&manifest).to_string();
        sums.push(sum_line(SIGNED_FILE, &manifest_digest));
        Files::from([
            (SIGNED_FILE.to_owned(), vec![Cow::Owned(manifest)]),
            (SUMS_FILE.to_owned(), vec![Cow::Owned(sums.concat().into_bytes())]),
        ])
    };
    write_folder_then(station.disk(), folder, &files, manifest_and_sums)?;
    Ok(Written { signed: newest.signed.clone(), manifest: manifest_digest })
}

/// The key that made a signature, as the root lists it under which it was made, and the signature as it stands in the
/// metadata.
///
/// # Errors
/// The root does not list the key: no station signed so.
pub(crate) fn signed_by(
    station: &Station,
    stored: &StoredRequest,
    made: &Made,
) -> Result<(SigningKey, String), CeremonyError> {
    let (keyid, dialect) = (KeyId::new(made.keyid.clone()), station.facts.dialect);
    let unlisted = || {
        CeremonyError::NotAsWritten(format!(
            "the key {keyid} of log entry {} is not one of root version {}, under which it signed. Give the auditor the log \
             (countersign log export)",
            made.seq, made.root_version
        ))
    };
    let root = station.trust.chain.version(made.root_version).ok_or_else(unlisted)?;
    let authority = authority_of(root, &stored.request)?;
    let public = authority.root().key_in_role(&authority.role, &keyid).ok_or_else(unlisted)?;
    let signature = dialect.decode_signature(&made.sig).map_err(|_| unlisted())?;
    let key = SigningKey {
        keyid: made.keyid.clone(),
        keytype: public.keytype().to_owned(),
        officers: made.officers.clone(),
        public: public.text().to_owned(),
        seq: made.seq,
        strength: made.strength.clone(),
        time: made.time.clone(),
    };
    Ok((key, dialect.signature_json(&keyid, public, &signature)))
}

/// Everything in the bundle but the manifest and the sums.
fn files<'a>(
    station: &Station,
    stored: &'a StoredRequest,
    by_us: &[String],
    newest: &Made,
    proposal: &Targets<'a>,
) -> Result<Files<'a>, CeremonyError> {
    let manifest = &stored.request.manifest;
    let signed: &'a [u8] = proposal.metadata.signed.span();
    let authority = authority(station, &stored.request)?;
    let made = station.signatures().of(stored.digest());
    let is_ours = |keyid: &KeyId| made.iter().any(|own| own.keyid == keyid.as_str());
    let mut all = passed_on(&proposal.metadata, &authority, is_ours)?;
    all.extend(by_us.iter().cloned());
    let mut files = documents(manifest.into(), signed, &all, by_us);
    // The request's manifest says what was composed on which baseline; its evidence stays in the station.
    for name in [DELEGATING_FILE, REQUEST_FILE] {
        if let Some(bytes) = stored.request.file(name) {
            files.insert(name.to_owned(), vec![Cow::Borrowed(bytes)]);
        }
    }
    let [text, html] = kept_review(station, newest)?;
    files.insert("review.txt".to_owned(), vec![Cow::Owned(text)]);
    files.insert("review.html".to_owned(), vec![Cow::Owned(html)]);
    let head = station.log.head();
    files.insert(HEAD_FILE.to_owned(), vec![Cow::Owned(head.note.clone().into_bytes())]);
    let proofs = station.log.proofs()?;
    let receipt = proofs.receipt(station.disk(), station.log.dir(), head, newest.seq)?;
    files.insert("log/receipt.tlog-proof".to_owned(), vec![Cow::Owned(receipt.text().into_bytes())]);
    let size = head.checkpoint.size;
    for old in earlier_heads(station, size)? {
        let hashes = proofs.consistency(old, size).unwrap_or_default();
        let text = consistency::text(&hashes).into_bytes();
        files.insert(format!("{CONSISTENCY}{old}"), vec![Cow::Owned(text)]);
    }
    Ok(files)
}

/// The sizes from which somebody may want to see that this head continues: the heads of the last exports, and what each
/// witness holds.
fn earlier_heads(station: &Station, newest: u64) -> Result<BTreeSet<u64>, CeremonyError> {
    let anchors = station.anchors();
    let kept = station.log.checkpoint_sizes()?;
    // An export's head is the last one that was issued before its entry.
    let head_at = |seq: u64| kept[..kept.partition_point(|size| *size <= seq)].last().copied();
    let exported = anchors.exports().filter_map(head_at);
    let witnessed = anchors.active().filter_map(|witness| Some(witness.newest.as_ref()?.size));
    Ok(exported.chain(witnessed).filter(|old| (1..=newest).contains(old)).collect())
}

/// The review that the signature was made on, as text and as a page: the log's objects, not files that lie beside it.
fn kept_review(station: &Station, made: &Made) -> Result<[Vec<u8>; 2], CeremonyError> {
    let mut kept = None;
    for entry in station.log.entries() {
        let entry = entry.map_err(StationError::from)?;
        let entry = entry.entry();
        if entry.seq() > made.seq {
            break;
        }
        if let Record::ReviewKept(review) = entry.record()
            && review.review == made.review
        {
            kept = Some((review.text.to_string(), review.html.to_string()));
        }
    }
    let Some((text, html)) = kept else {
        return Err(CeremonyError::Nothing(format!(
            "the log has no review {} that the signature of entry {} was made on. Sign the request again: the bytes are \
             the same",
            made.review, made.seq
        )));
    };
    let object = |digest: &str| station.log.get_object(digest).map(|bytes| bytes.into_vec());
    Ok([object(&text).map_err(StationError::from)?, object(&html).map_err(StationError::from)?])
}

fn manifest(
    station: &Station,
    stored: &StoredRequest,
    keys: Vec<SigningKey>,
    newest: &Made,
    files: BTreeMap<String, FileFacts>,
) -> SignedManifest {
    let request = &stored.request.manifest;
    let root = station.trust.newest();
    let head = &station.log.head().checkpoint;
    let finding = |(check, severity): &(String, String)| StoodFinding {
        check: check.clone(),
        severity: severity.clone(),
    };
    SignedManifest {
        assembled: false,
        dialect: station.facts.dialect.name().to_owned(),
        factory: request.factory.clone(),
        files,
        findings: newest.findings.iter().map(finding).collect(),
        format: SIGNED_FORMAT.to_owned(),
        keys,
        kind: request.kind,
        log: LogHead { key: station.log.key().to_string(), origin: head.origin.clone(), size: head.size },
        networked: station.facts.networked,
        request: stored.digest().to_string(),
        review: newest.review.clone(),
        root: RootFacts { fingerprint: root.fingerprint.to_string(), version: root.version },
        signed: newest.signed.clone(),
        tag: request.tag.clone(),
        tool: tool(),
        version: request.version,
        wave: request.wave.clone(),
    }
}

/// Length and digest of every file.
fn facts_of_all(files: &Files<'_>) -> BTreeMap<String, FileFacts> {
    let facts = |(name, parts): (&String, &Parts<'_>)| (name.clone(), facts_of(parts));
    threads::each(files.iter().collect(), |(_, parts)| length(parts), facts).into_iter().collect()
}

fn facts_of(parts: &Parts<'_>) -> FileFacts {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    FileFacts { length: length(parts), sha256: hex::encode(hasher.finalize()) }
}
