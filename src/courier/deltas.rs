//! Static deltas: which new targets have none, so that devices would download all of them, and the command that makes them.

use super::fetch::{document, versions};
use super::{Client, CourierError, Wave};
use crate::text::shown;
use crate::tuf::{Chain, Dialect, Target, Targets};
use std::collections::{BTreeMap, BTreeSet};

/// The most versions without a static delta that are told with all their targets.
const MOST_DELTA_NOTES: usize = 5;
/// The largest targets metadata of a wave that is looked at for static deltas.
const MAX_TARGETS_BYTES: u64 = 64 << 20;

/// Which of CI's targets are new.
#[derive(Clone, Copy, Default)]
pub(crate) enum New {
    /// None: nothing is released.
    #[default]
    None,
    /// Those of the version that is asked for.
    Version(u64),
    /// All above production's.
    All,
}

/// Which of CI's new targets would be downloaded whole by devices, because there is no static delta: a note for each of
/// the newest versions, and one for the rest.
pub(super) fn without_delta(ci: &[u8], production: Option<&[u8]>, chain: &Chain, wanted: New) -> Vec<String> {
    let Ok(document) = document("ci-targets.json", ci) else { return Vec::new() };
    let Ok(targets) = Targets::read(document.root(), chain.newest().dialect) else { return Vec::new() };
    let from: Vec<u64> = production.map(versions).unwrap_or_default().into_values().collect();
    let Some(oldest) = from.iter().min() else { return Vec::new() };
    let is_wanted = |version: u64| match wanted {
        New::None => false,
        New::Version(one) => version == one,
        New::All => version > *oldest && !from.contains(&version),
    };
    let mut new: BTreeMap<u64, Vec<&Target<'_>>> = BTreeMap::new();
    for target in targets.all().iter().filter(|target| !target.has_delta()) {
        if let Some(version) = target.version().filter(|version| is_wanted(*version)) {
            new.entry(version).or_default().push(target);
        }
    }
    let mut newest = new.iter().rev();
    let told = newest.by_ref().take(MOST_DELTA_NOTES);
    let mut notes: Vec<String> = told.filter_map(|(version, new)| delta_note(*version, new, &from)).collect();
    let rest: Vec<String> = newest.map(|(version, _)| version.to_string()).collect();
    if !rest.is_empty() {
        notes.push(format!("No static delta either: the targets of version {}", rest.join(", ")));
    }
    notes
}

/// The note about targets without a static delta, and the command that makes them.
fn delta_note(version: u64, new: &[&Target<'_>], from: &[u64]) -> Option<String> {
    let without: Vec<String> =
        new.iter().filter(|one| !one.has_delta()).map(|one| shown(&one.name)).collect();
    if without.is_empty() {
        return None;
    }
    let from: BTreeSet<u64> = from.iter().copied().filter(|old| *old < version).collect();
    if from.is_empty() {
        // Nobody runs an older version yet that a delta could start from.
        return None;
    }
    let from: Vec<String> = from.iter().map(u64::to_string).collect();
    Some(format!(
        "No static delta: {} (version {version}); devices download all of it. CI makes one, for the next request, by: fioctl \
         targets static-deltas {version} {}",
        without.join(", "),
        from.join(" ")
    ))
}

/// The note about a wave's own new targets, before it is rolled out.
pub(crate) fn deltas_of(client: &Client<'_>, wave: &Wave) -> Result<Option<String>, CourierError> {
    let Some(body) = Wave::with_targets(client, &wave.name, MAX_TARGETS_BYTES)? else { return Ok(None) };
    let document = document("the wave", &body)?;
    let (Some(version), Some(targets)) = (wave.number(), document.root().get("targets")) else {
        return Ok(None);
    };
    let Ok(targets) = Targets::read(targets, Dialect::Factory) else { return Ok(None) };
    let (new, old): (Vec<&Target<'_>>, Vec<_>) =
        targets.all().iter().partition(|target| target.version() == Some(version));
    let newest = old.iter().filter_map(|target| target.version()).max();
    Ok(delta_note(version, &new, newest.as_slice()))
}
