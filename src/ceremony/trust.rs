//! Acts on what the station trusts: another online key, another policy. Officers sign them, once there are officers.

use super::CeremonyError;
use super::acts::{open_signers, require};
use crate::host::Host;
use crate::ledger::acts::{of_online_key, of_policy};
use crate::station::trust::OnlineKey;
use crate::station::{Policy, Station};
use crate::tuf::KeyId;
use crate::vault::officer::OfficerName;
use crate::vault::passphrase::PassphraseFiles;

/// Pins another online key, signed by a quorum's officers.
///
/// # Errors
/// The root does not list it, or notes an owner for it; too few officers, or a wrong passphrase. The pinned key stays
/// then.
pub(crate) fn pin_online_key(
    station: &mut Station,
    host: &Host,
    new: &OnlineKey,
    officers: &[OfficerName],
    files: &PassphraseFiles,
) -> Result<KeyId, CeremonyError> {
    let needs = of_online_key(&station.state().custody);
    let opened = open_signers(station, host, officers, &needs, files, "trust online-key")?;
    Ok(station.pin_online_key(host, new, &opened.iter().collect::<Vec<_>>())?)
}

/// Are these, by their names, the officers who may pin another online key?
///
/// # Errors
/// They are too few.
pub(crate) fn require_online_key_signers(
    station: &Station,
    officers: &[OfficerName],
) -> Result<(), CeremonyError> {
    require(station, officers, &of_online_key(&station.state().custody))
}

/// Puts another policy in force, signed by as many officers as the stricter of both asks approvals.
///
/// # Errors
/// Too few officers, or a wrong passphrase. The policy in force stays then.
pub(crate) fn set_policy(
    station: &mut Station,
    host: &Host,
    policy: Policy,
    officers: &[OfficerName],
    files: &PassphraseFiles,
) -> Result<(), CeremonyError> {
    let approvals = station.policy.approvals.max(policy.approvals);
    let needs = of_policy(&station.state().custody, approvals.into());
    let opened = open_signers(station, host, officers, &needs, files, "policy set")?;
    Ok(station.set_policy(host, policy, &opened.iter().collect::<Vec<_>>())?)
}
