//! Facts that many targets share are said once: for all of them, for those of one image, for those of one version, and
//! only what is left for each.

use super::diff::{Change, same_or_absent};
use crate::tuf::Target;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

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
    /// By `custom.name`, what the targets of one image share, where there are more versions than one.
    pub(super) images: BTreeMap<Cow<'d, str>, Image<'d>>,
}

/// The targets of one image, and what they have in common.
pub(super) struct Image<'d> {
    /// How many they are.
    pub(super) count: usize,
    /// What they share, and not all targets of the list do.
    pub(super) common: Vec<Change<'d>>,
}

impl<'a, 'd, T: Listed<'d>> Grouped<'a, 'd, T> {
    /// Sorts a list by version, the highest first, and finds what all of it shares.
    pub(super) fn of(all: &'a [T]) -> Grouped<'a, 'd, T> {
        let mut sorted: Vec<&T> = all.iter().collect();
        sorted.sort_by(|a, b| by_falling_version(a.target(), b.target()));
        let of_one_version = |a: &&T, b: &&T| by_falling_version(a.target(), b.target()) == Ordering::Equal;
        let versions: Vec<_> = sorted.chunk_by(of_one_version).map(<[&T]>::to_vec).collect();
        let common = common(&sorted);
        let images = if versions.len() > 1 { images(&sorted, &common) } else { BTreeMap::new() };
        Grouped { common, versions, images }
    }

    /// What some of the list share, and not all of the list do. Found anew each time: kept for every version, it would
    /// be a copy of the whole list.
    pub(super) fn shared(&self, some: &[&T]) -> Vec<Change<'d>> {
        let mut shared = common(some);
        keep(&mut shared, &self.common, false);
        shared
    }

    /// What a target has beside what all share, what its image shares and what its version shares.
    pub(super) fn own(&self, shared: &[Change<'d>], one: &T) -> Vec<Change<'d>> {
        let mut facts = one.facts();
        keep(&mut facts, &self.common, false);
        keep(&mut facts, shared, false);
        if let Some(image) = image_of(one.target()).and_then(|image| self.images.get(&image)) {
            keep(&mut facts, &image.common, false);
        }
        facts
    }
}

/// The image that a target is of, when its name says so too: `<image>-<version>`. Another name would not tell an officer
/// that what is said of the image holds for it.
fn image_of<'d>(target: &Target<'d>) -> Option<Cow<'d, str>> {
    let (image, version) = (target.text("name")?, target.version_text()?);
    let rest = target.name.strip_prefix(image.as_ref())?.strip_prefix('-')?;
    (rest == version).then_some(image)
}

/// What the targets of each image share beside what all do; nothing for an image of one target.
fn images<'d, T: Listed<'d>>(all: &[&T], of_all: &[Change<'d>]) -> BTreeMap<Cow<'d, str>, Image<'d>> {
    let mut images: BTreeMap<Cow<'d, str>, Vec<&T>> = BTreeMap::new();
    for one in all {
        if let Some(image) = image_of(one.target()) {
            images.entry(image).or_default().push(one);
        }
    }
    let shared = |targets: Vec<&T>| {
        let mut common = common(&targets);
        keep(&mut common, of_all, false);
        (!common.is_empty()).then_some(Image { count: targets.len(), common })
    };
    images.into_iter().filter_map(|(image, targets)| Some((image, shared(targets)?))).collect()
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
