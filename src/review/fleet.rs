//! What devices run: of the targets for a hardware id, those of the highest version.

use crate::tuf::Target;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// The targets that the devices of each hardware id run.
pub(crate) struct Fleet<'d> {
    by_hardware: BTreeMap<Cow<'d, str>, Running<'d>>,
    /// Numbers for the names (`custom.name`) that targets go by, so that each is read and kept once.
    names: HashMap<Option<Cow<'d, str>>, usize>,
}

/// The targets of the highest version for one hardware id.
#[derive(Default)]
struct Running<'d> {
    version: Option<u64>,
    /// In the order of their names.
    targets: Vec<&'d Target<'d>>,
    /// By the number of their `custom.name`; of one name, the first.
    by_name: BTreeMap<usize, &'d Target<'d>>,
}

/// The devices of one hardware id, now and after the wave.
pub struct Device<'d> {
    /// The hardware id. Foreign text.
    pub hardware_id: Cow<'d, str>,
    /// The targets of the highest version now; none when production has nothing for it.
    pub now: Vec<&'d Target<'d>>,
    /// The targets of the highest version in the proposal.
    pub then: Vec<&'d Target<'d>>,
    /// That version now, and in the proposal; none where it is no number.
    versions: [Option<u64>; 2],
}

/// Where a device's version goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Move {
    /// Production had nothing for this hardware.
    First,
    /// Up.
    Up,
    /// The version stays.
    Stays,
    /// Down.
    Down,
    /// The proposal has nothing for this hardware.
    Lost,
}

impl<'d> Fleet<'d> {
    /// Of sorted targets, for each hardware id those of the highest version. Costs a step for each hardware id that a
    /// target lists, however long its name and its version are.
    pub(crate) fn of(targets: &'d [Target<'d>]) -> Fleet<'d> {
        let mut fleet = Fleet { by_hardware: BTreeMap::new(), names: HashMap::new() };
        for target in targets {
            let version = target.version();
            let next = fleet.names.len();
            let name = *fleet.names.entry(target.text("name")).or_insert(next);
            for hardware_id in target.hardware_ids() {
                let running = fleet.by_hardware.entry(hardware_id).or_default();
                if running.targets.is_empty() || version > running.version {
                    *running = Running { version, ..Running::default() };
                } else if version < running.version {
                    continue;
                }
                running.by_name.entry(name).or_insert(target);
                running.targets.push(target);
            }
        }
        fleet
    }

    /// The target that a new one replaces on the devices of its hardware: the one of the same `custom.name`, or the
    /// only one there is.
    pub(crate) fn running(&self, new: &Target<'_>) -> Option<&'d Target<'d>> {
        let ids: Vec<_> = new.hardware_ids().collect();
        let all = || ids.iter().filter_map(|id| self.by_hardware.get(id.as_ref()));
        let of_name = || {
            let name = self.names.get(&new.text("name"))?;
            all().find_map(|running| running.by_name.get(name).copied())
        };
        let only = || {
            let first = *all().next()?.targets.first()?;
            all()
                .all(|running| matches!(running.targets[..], [one] if std::ptr::eq(one, first)))
                .then_some(first)
        };
        of_name().or_else(only)
    }
}

impl Device<'_> {
    /// Where its version goes.
    pub(crate) fn moves(&self) -> Move {
        let [now, then] = self.versions;
        match (self.now.is_empty(), self.then.is_empty()) {
            (true, _) => Move::First,
            (false, true) => Move::Lost,
            (false, false) if then < now => Move::Down,
            (false, false) if then == now => Move::Stays,
            _ => Move::Up,
        }
    }
}

/// Every hardware id of two fleets, in order.
pub(crate) fn devices<'d>(now: &Fleet<'d>, then: &Fleet<'d>) -> Vec<Device<'d>> {
    let mut all: BTreeMap<Cow<'d, str>, Device<'d>> = BTreeMap::new();
    for (place, fleet) in [now, then].into_iter().enumerate() {
        for (id, running) in &fleet.by_hardware {
            let device = all.entry(id.clone()).or_insert_with(|| Device {
                hardware_id: id.clone(),
                now: Vec::new(),
                then: Vec::new(),
                versions: [None; 2],
            });
            *(if place == 0 { &mut device.now } else { &mut device.then }) = running.targets.clone();
            device.versions[place] = running.version;
        }
    }
    all.into_values().collect()
}
