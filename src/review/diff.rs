//! What the proposal changes against what production runs now, to the field.
//!
//! Both lists of targets are sorted by name, so one merge finds what was added, removed and changed. Two targets are
//! first compared by their bytes as they stand; only those that differ are looked into.

use super::fleet::{self, Device};
use super::situation::Situation;
use super::size;
use crate::bundle::RequestKind;
use crate::json::{Kind, Value, canonical};
use crate::tuf::Target;
use std::borrow::Cow;
use std::cmp::Ordering;

/// The difference between baseline and proposal.
#[derive(Default)]
pub struct Diff<'d> {
    /// The members of `signed` other than its targets: the proposal's, each with the baseline's.
    pub members: Vec<Change<'d>>,
    /// Targets that production does not have, in the order of their names.
    pub added: Vec<Added<'d>>,
    /// Targets that production has and the proposal lacks.
    pub removed: Vec<&'d Target<'d>>,
    /// Targets of the same name and another content.
    pub changed: Vec<Changed<'d>>,
    /// How many targets stay as they are.
    pub kept: usize,
    /// Targets of production that are shown whole: those that are signed again, or that an offline bundle names.
    pub shown_whole: Vec<Added<'d>>,
    /// For each hardware id, what its devices run now and would get.
    pub devices: Vec<Device<'d>>,
    /// Is it shown? More than a page can hold is only counted, and blocks (the check `shown-whole`).
    pub is_shown: bool,
    /// About how many bytes it takes on a page.
    pub weight: u64,
}

/// A target that production does not have; or one that is signed again.
pub struct Added<'d> {
    pub target: &'d Target<'d>,
    /// The target that devices of its hardware run now: what the new one is compared with.
    pub replaces: Option<&'d Target<'d>>,
}

/// A target of which production has another content.
pub struct Changed<'d> {
    /// As production has it.
    pub before: &'d Target<'d>,
    /// As it would be.
    pub after: &'d Target<'d>,
}

/// One member before and after. In a listing of a whole target both may be equal.
#[derive(Clone)]
pub struct Change<'d> {
    /// The keys that lead to it.
    pub path: Vec<Cow<'d, str>>,
    /// Before; `None` when it was not there.
    pub before: Option<Value<'d>>,
    /// After; `None` when it is gone.
    pub after: Option<Value<'d>>,
}

impl Change<'_> {
    /// Is it the same before and after?
    pub(crate) fn is_same(&self) -> bool {
        same_or_absent(self.before, self.after)
    }
}

impl<'d> Diff<'d> {
    /// Compares a situation's proposal with its baseline.
    pub(crate) fn of(situation: &'d Situation<'d>) -> Diff<'d> {
        let after = situation.proposal;
        if situation.manifest.kind == RequestKind::OfflineBundle {
            return Diff::of_bundle(situation);
        }
        let before = situation.compared_with();
        let is_again = situation.manifest.kind == RequestKind::Resign;
        let old = before.map_or(&[][..], |targets| targets.all());
        let fleet = fleet::Fleet::of(old);
        let devices = fleet::devices(&fleet, &fleet::Fleet::of(after.all()));
        let mut diff = Diff { devices, is_shown: true, ..Diff::default() };
        let (mut old, mut new) = (old.iter().peekable(), after.all().iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some(old), Some(new)) => old.name.cmp(&new.name),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let before = if order == Ordering::Greater { None } else { old.next() };
            let after = if order == Ordering::Less { None } else { new.next() };
            match (before, after) {
                (Some(before), None) => diff.removed.push(before),
                (None, Some(after)) => {
                    diff.added.push(Added { replaces: fleet.running(after), target: after });
                }
                (Some(before), Some(after)) if same(before.value, after.value) => {
                    diff.kept += 1;
                    if is_again {
                        diff.shown_whole.push(Added { target: after, replaces: None });
                    }
                }
                (Some(before), Some(after)) => {
                    diff.changed.push(Changed { before, after });
                }
                (None, None) => break,
            }
        }
        diff.weighed(situation, before.map(|targets| targets.metadata.signed))
    }

    /// The list of an offline bundle holds no targets and takes none away: it names some, which are shown whole.
    fn of_bundle(situation: &'d Situation<'d>) -> Diff<'d> {
        let once = situation.bundled().into_iter().filter(|named| !named.is_repeated);
        let named = once.filter_map(|named| named.target);
        let shown_whole = named.map(|target| Added { target, replaces: None }).collect();
        Diff { shown_whole, is_shown: true, ..Diff::default() }.weighed(situation, None)
    }

    /// With the members of the metadata itself, where all of it has room on a page.
    fn weighed(mut self, situation: &'d Situation<'d>, before: Option<Value<'d>>) -> Diff<'d> {
        self.weight = size::weight(&self, situation);
        self.is_shown = size::can_be_shown(self.weight, size::page_limit(situation));
        if self.is_shown {
            self.members = own_members(before, situation.proposal.metadata.signed);
        }
        self
    }
}

impl<'d> Added<'d> {
    /// Every member of the new target, each with that of the target that it replaces; then the members that only the
    /// replaced one has.
    pub(crate) fn listing(&self) -> Vec<Change<'d>> {
        listing(self.replaces.map(|target| target.value), Some(self.target.value))
    }
}

impl<'d> Changed<'d> {
    /// The members that differ.
    pub(crate) fn changes(&self) -> Vec<Change<'d>> {
        let mut changes = listing(Some(self.before.value), Some(self.after.value));
        changes.retain(|change| !change.is_same());
        changes
    }
}

/// Do two values say the same? As they stand, or in canonical form.
pub(crate) fn same(a: Value<'_>, b: Value<'_>) -> bool {
    a.span() == b.span() || canonical::bytes(a) == canonical::bytes(b)
}

pub(super) fn same_or_absent(a: Option<Value<'_>>, b: Option<Value<'_>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// The members of two values, down to what is not an object, in the order of their keys.
pub(super) fn listing<'d>(before: Option<Value<'d>>, after: Option<Value<'d>>) -> Vec<Change<'d>> {
    let mut out = Vec::new();
    descend(&mut Vec::new(), before, after, &mut out);
    out
}

/// The members of `signed` beside its targets, down to what is not an object.
fn own_members<'d>(before: Option<Value<'d>>, after: Value<'d>) -> Vec<Change<'d>> {
    let own = |value: Value<'d>| {
        let mut members = opened(Some(value)).unwrap_or_default();
        members.retain(|(key, _)| key != "targets");
        members
    };
    let mut out = Vec::new();
    merge(&mut Vec::new(), before.map(own).unwrap_or_default(), own(after), &mut out);
    out
}

fn descend<'d>(
    path: &mut Vec<Cow<'d, str>>,
    before: Option<Value<'d>>,
    after: Option<Value<'d>>,
    out: &mut Vec<Change<'d>>,
) {
    match (before, after, opened(before), opened(after)) {
        (Some(_), Some(_), Some(old), Some(new)) => merge(path, old, new, out),
        (Some(_), None, Some(old), None) => merge(path, old, Vec::new(), out),
        (None, Some(_), None, Some(new)) => merge(path, Vec::new(), new, out),
        // What is an object on one side only is shown whole on both: that its type changed must be seen.
        _ => out.push(Change { path: path.clone(), before, after }),
    }
}

fn merge<'d>(
    path: &mut Vec<Cow<'d, str>>,
    old: Vec<(Cow<'d, str>, Value<'d>)>,
    new: Vec<(Cow<'d, str>, Value<'d>)>,
    out: &mut Vec<Change<'d>>,
) {
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some(old), Some(new)) => old.0.cmp(&new.0),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let before = if order == Ordering::Greater { None } else { old.next() };
        let after = if order == Ordering::Less { None } else { new.next() };
        path.push(before.as_ref().or(after.as_ref()).map(|(key, _)| key.clone()).unwrap_or_default());
        descend(path, before.map(|(_, value)| value), after.map(|(_, value)| value), out);
        path.pop();
    }
}

/// The members of an object that has any, sorted.
fn opened(value: Option<Value<'_>>) -> Option<Vec<(Cow<'_, str>, Value<'_>)>> {
    let value = value.filter(|value| value.kind() == Kind::Object)?;
    let mut members: Vec<_> = value.members().map(|(key, value)| (key.text(), value)).collect();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    (!members.is_empty()).then_some(members)
}
