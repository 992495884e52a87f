//! Targets metadata: what devices may install, as a sorted list of borrowed targets.

use super::{Dialect, Metadata, Target, TufError};
use crate::json::{Kind, Value};

/// The member that makes targets metadata the list of an offline-update bundle.
pub(crate) const OFFLINE_BUNDLE: &str = "x-fio-offline-bundle";

/// Targets metadata with its targets in the order of their names.
pub struct Targets<'d> {
    /// The envelope.
    pub metadata: Metadata<'d>,
    targets: Vec<Target<'d>>,
}

impl<'d> Targets<'d> {
    /// Reads targets metadata from an envelope.
    ///
    /// # Errors
    /// It is not targets metadata, or `targets` is not an object of objects.
    pub fn read(envelope: Value<'d>, dialect: Dialect) -> Result<Targets<'d>, TufError> {
        Targets::of(Metadata::read(envelope, dialect, "targets")?)
    }

    /// Lists the targets of metadata that was read before. A Factory's `bundle-targets.json` only names targets, in
    /// `x-fio-offline-bundle`: it holds none of its own.
    ///
    /// # Errors
    /// As [`Targets::read`].
    pub(crate) fn of(metadata: Metadata<'d>) -> Result<Targets<'d>, TufError> {
        let targets = match metadata.signed.get("targets") {
            None if metadata.signed.get(OFFLINE_BUNDLE).is_some() => Vec::new(),
            _ => list(metadata.signed.require("targets")?)?,
        };
        Ok(Targets { metadata, targets })
    }

    /// Is one of them for this device tag? Signatures say nothing about the tag: those over another tag's production targets
    /// hold just as well.
    pub(crate) fn has_tag(&self, tag: &str) -> bool {
        self.targets.iter().any(|target| target.tags().any(|own| own == tag))
    }

    /// All targets, in the order of their names.
    pub fn all(&self) -> &[Target<'d>] {
        &self.targets
    }

    /// The target with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Target<'d>> {
        let at = self.targets.binary_search_by(|target| target.name.as_ref().cmp(name)).ok()?;
        self.targets.get(at)
    }
}

/// The members of a `targets` object, sorted by name.
///
/// # Errors
/// It is not an object of objects.
pub fn list(targets: Value<'_>) -> Result<Vec<Target<'_>>, TufError> {
    targets.want(Kind::Object)?;
    // Counting costs a step a target; a list that grows is copied, and what is freed is wiped.
    let mut all = Vec::with_capacity(targets.members().count());
    let mut sorted = true;
    for (name, value) in targets.members() {
        value.want(Kind::Object)?;
        let target = Target::new(name.text(), value);
        sorted = sorted && all.last().is_none_or(|last: &Target<'_>| last.name < target.name);
        all.push(target);
    }
    if !sorted {
        all.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(all)
}
