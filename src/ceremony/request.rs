//! Composing a request on the connected machine, and looking at it there with every check that needs no station: what
//! the officers would refuse in the closed room is refused where it can still be mended.
//!
//! It is the station's own table of checks. The roots are verified along their chain from the first one downloaded, which
//! nothing pins here; what a station alone knows (its keys, its policy, what it signed and saw) is left to it.

use super::CeremonyError;
use super::prepare::{ROLE, parse, proposal_of, read_baseline, read_ci, read_proposal, request_root};
use crate::bundle::source::{Ask, ComposedRequest, compose_request};
use crate::host::Disk;
use crate::review::{Carried, CiTargets, Finding, Situation, is_signable, review};
use crate::station::trust::online_key_in;
use crate::station::{History, Policy, TagHistory};
use crate::tuf::signature::{Assessed, Worth};
use crate::tuf::{Authority, Chain, Digest, KeyId};
use std::path::Path;

/// A request that was composed and looked at.
pub(crate) struct Prepared {
    /// The request.
    pub composed: ComposedRequest,
    /// What the checks found: the gravest first.
    pub findings: Vec<Finding>,
    /// The review as one HTML file, if it was wanted.
    pub html: Option<String>,
}

impl Prepared {
    /// Does nothing stop it here? Only then is it worth carrying to a station.
    pub(crate) fn is_signable(&self) -> bool {
        is_signable(&self.findings)
    }
}

/// Composes a request from a folder of downloads and runs every check that needs no station. `policy` is the one by whose
/// limits they judge: the station's, where it is another than the default.
///
/// # Errors
/// A file is missing or is not what it should be, or fioctl's rules do not allow it. What blocks is in
/// [`Prepared::findings`].
pub(crate) fn prepare(
    disk: &dyn Disk,
    folder: &Path,
    ask: &Ask,
    policy: &Policy,
    html: bool,
) -> Result<Prepared, CeremonyError> {
    let composed = compose_request(disk, folder, ask)?;
    let (findings, html) = look(&composed, ask, policy, html)?;
    Ok(Prepared { composed, findings, html })
}

/// The review of a composed request, where there is no station.
fn look(
    composed: &ComposedRequest,
    ask: &Ask,
    policy: &Policy,
    html: bool,
) -> Result<(Vec<Finding>, Option<String>), CeremonyError> {
    let (request, chain) = (&composed.request, &composed.chain);
    let authority = Authority::of(chain.newest(), ROLE, None)?;
    let current = parse(request, "current.json")?;
    let published = parse(request, "ci-targets.json")?;
    let proposed = proposal_of(request)?;
    let (proposal, message, signatures) = read_proposal(&authority, &proposed)?;
    let baseline = current.as_ref().map(|document| read_baseline(&authority, chain, document));
    let ci = published.as_ref().map(|document| read_ci(&authority, document)).transpose()?;
    let online = match &composed.online_key {
        Some(key) => online_key_in(chain.newest(), key).unwrap_or_else(|_| key.factory_keyid()),
        None => signer_of(ci.as_ref(), chain)?,
    };
    let (history, memory) = (TagHistory::default(), History::default());
    let situation = Situation {
        manifest: &request.manifest,
        request: request.digest,
        carried: Carried::Folder,
        proposal: &proposal,
        message: &message,
        signatures: &signatures,
        baseline: baseline.transpose()?,
        record: None,
        later: Vec::new(),
        ci,
        waves: request.waves()?,
        chain,
        request_root: request_root(request),
        acknowledged_root: chain.newest().version,
        since: &[],
        authority: &authority,
        online_key: Some(&online),
        own_keys: &[],
        history: &history,
        memory: &memory,
        nonce: None,
        station_factory: &request.manifest.factory,
        policy,
        policy_digest: Digest::parse(&policy.digest()).unwrap_or(request.digest),
        networked: false,
        continues: None,
        at_station: false,
        now: ask.now,
        log_time: None,
    };
    let review = review(&situation);
    let html = html.then(|| review.html(None));
    Ok((review.findings, html))
}

/// Who signed the CI targets, where the service's key was not downloaded: only its own signature is on them. Nobody vouches
/// for either here; the station has the key pinned.
fn signer_of(ci: Option<&CiTargets<'_>>, chain: &Chain) -> Result<KeyId, CeremonyError> {
    let counts = |one: &&Assessed| one.worth == Worth::Counts;
    let signed = ci.and_then(|ci| ci.signatures.iter().find(counts)).map(|one| one.signature.keyid.clone());
    signed.ok_or_else(|| {
        CeremonyError::Refused(format!(
            "ci-targets.json: no signature on it by a targets key of production root {} holds, so nothing shows that CI \
             published it. Download it again, and ci-targets.pub with it",
            chain.newest().version
        ))
    })
}
