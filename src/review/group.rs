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

/// A list of targets by version, and what all of them have in common.
pub(super) struct Grouped<'a, 'd, T> {
    /// What all share; nothing for a single target.
    pub(super) common: Vec<Change<'d>>,
    /// The versions, the highest first; targets in the order of their names.
    pub(super) versions: Vec<Vec<&'a T>>,
}

impl<'a, 'd, T: Listed<'d>> Grouped<'a, 'd, T> {
    /// Sorts a list by version, the highest first, and finds what all of it shares.
    pub(super) fn of(all: &'a [T]) -> Grouped<'a, 'd, T> {
        let mut sorted: Vec<&T> = all.iter().collect();
        sorted.sort_by(|a, b| by_falling_version(a.target(), b.target()));
        let of_one_version = |a: &&T, b: &&T| by_falling_version(a.target(), b.target()) == Ordering::Equal;
        Grouped {
            common: common(&sorted),
            versions: sorted.chunk_by(of_one_version).map(<[&T]>::to_vec).collect(),
        }
    }

    /// What some of the list share, and not all of the list do. Found anew each time: kept for every version, it would
    /// be a copy of the whole list.
    pub(super) fn shared(&self, some: &[&T]) -> Vec<Change<'d>> {
        let mut shared = common(some);
        keep(&mut shared, &self.common, false);
        shared
    }

    /// What a target has beside what all share and what its version shares.
    pub(super) fn own(&self, shared: &[Change<'d>], one: &T) -> Vec<Change<'d>> {
        let mut facts = one.facts();
        keep(&mut facts, &self.common, false);
        keep(&mut facts, shared, false);
        facts
    }
}

fn by_falling_version(a: &Target<'_>, b: &Target<'_>) -> Ordering {
    b.version().cmp(&a.version()).then_with(|| b.version_text().cmp(&a.version_text()))
}

/// The facts that every target of a list has; nothing for a single one.
fn common<'d, T: Listed<'d>>(all: &[&T]) -> Vec<Change<'d>> {
    let [first, rest @ ..] = all else { return Vec::new() };
    if rest.is_empty() {
        return Vec::new();
    }
    let mut common = first.facts();
    for one in rest {
        if common.is_empty() {
            break;
        }
        keep(&mut common, &one.facts(), true);
    }
    common
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
