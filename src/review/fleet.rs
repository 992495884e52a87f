//! What devices run: of the targets for a hardware id, those of the highest version.

use crate::tuf::Target;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The targets that the devices of each hardware id run.
pub struct Fleet<'d>(BTreeMap<Cow<'d, str>, Running<'d>>);

/// The targets of the highest version for one hardware id.
#[derive(Default)]
struct Running<'d> {
    /// In the order of their names.
    targets: Vec<&'d Target<'d>>,
    /// By their `custom.name`; of one name, the first.
    by_name: BTreeMap<Option<Cow<'d, str>>, &'d Target<'d>>,
}

/// The devices of one hardware id, now and after the wave.
pub struct Device<'d> {
    /// The hardware id. Foreign text.
    pub hardware_id: Cow<'d, str>,
    /// The targets of the highest version now; none when production has nothing for it.
    pub now: Vec<&'d Target<'d>>,
    /// The targets of the highest version in the proposal.
    pub then: Vec<&'d Target<'d>>,
}

/// Where a device's version goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
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
    /// Of sorted targets, for each hardware id those of the highest version.
    pub fn of(targets: &'d [Target<'d>]) -> Fleet<'d> {
        let mut fleet: BTreeMap<Cow<'d, str>, Running<'d>> = BTreeMap::new();
        for target in targets {
            for hardware_id in target.hardware_ids() {
                let running = fleet.entry(hardware_id).or_default();
                let highest = running.targets.first().and_then(|target| target.version());
                if running.targets.is_empty() || target.version() > highest {
                    *running = Running::default();
                } else if target.version() < highest {
                    continue;
                }
                running.by_name.entry(target.text("name")).or_insert(target);
                running.targets.push(target);
            }
        }
        Fleet(fleet)
    }

    /// The target that a new one replaces on the devices of its hardware: the one of the same `custom.name`, or the
    /// only one there is.
    pub fn running(&self, new: &Target<'_>) -> Option<&'d Target<'d>> {
        let (ids, name) = (new.hardware_ids().collect::<Vec<_>>(), new.text("name"));
        let all = || ids.iter().filter_map(|id| self.0.get(id.as_ref()));
        let of_name = all().find_map(|running| running.by_name.get(&name).copied());
        let only = || {
            let first = *all().next()?.targets.first()?;
            all()
                .all(|running| matches!(running.targets[..], [one] if one.name == first.name))
                .then_some(first)
        };
        of_name.or_else(only)
    }
}

impl Device<'_> {
    /// Where its version goes.
    pub fn moves(&self) -> Move {
        let version = |targets: &[&Target<'_>]| targets.first().map(|target| target.version());
        match (version(&self.now), version(&self.then)) {
            (None, _) => Move::First,
            (Some(_), None) => Move::Lost,
            (Some(now), Some(then)) if then < now => Move::Down,
            (Some(now), Some(then)) if then == now => Move::Stays,
            _ => Move::Up,
        }
    }
}

/// Every hardware id of two fleets, in order.
pub fn devices<'d>(now: &Fleet<'d>, then: &Fleet<'d>) -> Vec<Device<'d>> {
    let mut all: BTreeMap<Cow<'d, str>, Device<'d>> = BTreeMap::new();
    for (is_then, fleet) in [(false, now), (true, then)] {
        for (id, running) in &fleet.0 {
            let device = all.entry(id.clone()).or_insert_with(|| Device {
                hardware_id: id.clone(),
                now: Vec::new(),
                then: Vec::new(),
            });
            *(if is_then { &mut device.then } else { &mut device.now }) = running.targets.clone();
        }
    }
    all.into_values().collect()
}
