//! Facts that many targets share are said once: for all of them, then for those of one version, then for each.

use super::diff::{Change, same_or_absent};
use crate::tuf::Target;
use std::cmp::Ordering;

/// Something about one target, listed member by member.
pub(super) trait Listed<'d> {
    /// The target that it is sorted under.
    fn target(&self) -> &'d Target<'d>;
    /// Its facts, sorted by path.
    fn facts(&self) -> Vec<Change<'d>>;
}

/// Targets of one version, and what they have in common.
pub(super) struct Group<'a, 'd, T> {
    /// The targets, in the order of their names.
    pub(super) members: Vec<&'a T>,
    /// What all of them share, and not all targets of the whole list do.
    pub(super) common: Vec<Change<'d>>,
}

/// A list of targets by version, and what all of them have in common.
pub(super) struct Grouped<'a, 'd, T> {
    /// What all share.
    pub(super) common: Vec<Change<'d>>,
    /// The versions, the highest first.
    pub(super) groups: Vec<Group<'a, 'd, T>>,
}

/// Sorts a list by version, the highest first, and finds what is shared.
pub(super) fn by_version<'a, 'd, T: Listed<'d>>(all: &'a [T]) -> Grouped<'a, 'd, T> {
    let mut sorted: Vec<&T> = all.iter().collect();
    sorted.sort_by(|a, b| by_falling_version(a.target(), b.target()));
    let groups: Vec<&[&T]> =
        sorted.chunk_by(|a, b| by_falling_version(a.target(), b.target()) == Ordering::Equal).collect();
    let mut groups: Vec<Group<'a, 'd, T>> = groups
        .into_iter()
        .map(|members| Group {
            members: members.to_vec(),
            common: common(members.iter().map(|one| one.facts())),
        })
        .collect();
    let common = if groups.len() == 1 {
        groups.first_mut().map(|only| std::mem::take(&mut only.common)).unwrap_or_default()
    } else {
        common(groups.iter().map(|group| group.common.clone()))
    };
    for group in &mut groups {
        subtract(&mut group.common, &common);
    }
    Grouped { common, groups }
}

fn by_falling_version(a: &Target<'_>, b: &Target<'_>) -> Ordering {
    b.version().cmp(&a.version()).then_with(|| b.version_text().cmp(&a.version_text()))
}

impl<'d, T: Listed<'d>> Grouped<'_, 'd, T> {
    /// What only this target has.
    pub(super) fn own(&self, group: &Group<'_, 'd, T>, one: &T) -> Vec<Change<'d>> {
        let mut facts = one.facts();
        subtract(&mut facts, &self.common);
        subtract(&mut facts, &group.common);
        facts
    }
}

/// The facts that every list has.
fn common<'d>(mut lists: impl Iterator<Item = Vec<Change<'d>>>) -> Vec<Change<'d>> {
    let mut common = lists.next().unwrap_or_default();
    for list in lists {
        keep(&mut common, &list, true);
    }
    common
}

fn subtract(facts: &mut Vec<Change<'_>>, others: &[Change<'_>]) {
    keep(facts, others, false);
}

/// Keeps the facts that stand in the other list, or those that do not. Both are sorted by path.
fn keep(facts: &mut Vec<Change<'_>>, others: &[Change<'_>], if_there: bool) {
    let mut others = others.iter().peekable();
    facts.retain(|fact| {
        while others.next_if(|other| other.path < fact.path).is_some() {}
        let there = others.peek().is_some_and(|other| {
            other.path == fact.path
                && same_or_absent(other.before, fact.before)
                && same_or_absent(other.after, fact.after)
        });
        there == if_there
    });
}
