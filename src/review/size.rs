//! How much of a request a page can show. What cannot be shown whole is not signed, and what only a bomb could hold (one
//! long path over a million members, one old target under a thousand new ones) is weighed before anything is made of it.

use super::Review;
use super::diff::Diff;
use super::finding::{Finding, Severity};
use super::situation::Situation;
use crate::json::{Kind, Value};
use crate::text::LONGEST;
use crate::tuf::Target;
use std::collections::HashMap;
use std::ptr;

/// The check that says that a request is not shown whole.
pub(super) const CHECK: &str = "shown-whole";

/// The columns of a review that is kept in a file, and for which its size is judged.
pub(crate) const FILE_WIDTH: usize = 100;

/// The bytes of a page, where a fifth more than what it compares is no more: an honest first wave, whatever its size, is
/// shown on about as many bytes as it has.
const PAGE: u64 = 1_000_000;

/// A page whose content weighs more than so many pages is not even begun: shared facts are said once, but not so often.
const PAGES: u64 = 4;

/// So many bytes an escape makes of one at most.
const ESCAPED: u64 = 5;

/// What a fact takes beside its path and its value: indentation, the column of labels, line feeds.
const FACT: u64 = 32;

/// How many bytes a page about this situation may have.
pub(super) fn page_limit(situation: &Situation<'_>) -> u64 {
    let bytes = |signed: Value<'_>| signed.span().len() as u64;
    let baseline = situation.compared_with().map_or(0, |targets| bytes(targets.metadata.signed));
    let compared = bytes(situation.proposal.metadata.signed).saturating_add(baseline);
    PAGE.max(compared.saturating_add(compared / 5))
}

/// Can what weighs so much be laid out at all?
pub(super) fn can_be_shown(weight: u64, page_limit: u64) -> bool {
    weight <= page_limit.saturating_mul(PAGES)
}

/// Blocks a review that does not fit on its page, and leaves out what there is no room for.
pub(super) fn judge(review: &mut Review<'_>) {
    if !review.signable() {
        // What is blocked anyway need not be read to its end: nobody gets a fifth more out of a bomb.
        review.page_limit = PAGE.max(review.page_limit / 6 * 5);
    }
    let limit = review.page_limit;
    let said = |finding: &Finding| (finding.message.len() + finding.path.len()) as u64 + FACT;
    let findings: u64 = review.findings.iter().map(said).sum();
    let trust: u64 = review.trust.weight();
    let may_be_long =
        review.diff.weight.saturating_add(findings).saturating_add(trust).saturating_mul(ESCAPED) > limit;
    let is_whole =
        review.diff.is_shown && (!may_be_long || review.text(FILE_WIDTH, false).len() as u64 <= limit);
    if is_whole {
        return;
    }
    review.diff.is_shown = false;
    let mut room = limit / 4;
    let before = review.findings.len();
    review.findings.retain(|finding| {
        room = room.saturating_sub(said(finding));
        room > 0
    });
    let left_out = before - review.findings.len();
    let rest = match left_out {
        0 => String::new(),
        n => format!(" {n} of its findings are not listed either."),
    };
    let message = format!(
        "What would be signed cannot be shown whole: its page would have more than {limit} bytes, and nobody reads \
         that.{rest} Do not sign: find out who made it so long, or have it released in smaller parts."
    );
    let finding = Finding { check: CHECK, severity: Severity::Block, message, path: String::new() };
    review.findings.insert(0, finding);
}

/// About how many bytes a difference takes on a page: what all targets share is counted with each.
pub(super) fn weight(diff: &Diff<'_>, situation: &Situation<'_>) -> u64 {
    let mut scale = Scale::default();
    let metadata = [Some(situation.proposal), situation.compared_with()];
    for signed in metadata.into_iter().flatten().map(|targets| targets.metadata.signed) {
        signed.members().filter(|(key, _)| !key.is("targets")).for_each(|(_, value)| scale.value(value, 0));
    }
    for added in diff.added.iter().chain(&diff.shown_whole) {
        scale.target(added.target);
        added.replaces.into_iter().for_each(|old| scale.target(old));
    }
    for changed in &diff.changed {
        scale.target(changed.before);
        scale.target(changed.after);
    }
    for target in &diff.removed {
        scale.add(FACT.saturating_add(target.name.len() as u64));
    }
    for device in &diff.devices {
        let version =
            |targets: &[&Target<'_>]| targets.first()?.member("version").map(|text| text.span().len());
        let names = device.now.iter().chain(&device.then).map(|target| target.name.len() + 3);
        let versions = [version(&device.now), version(&device.then)].into_iter().flatten();
        let said = names.chain(versions).fold(device.hardware_id.len(), usize::saturating_add);
        scale.add(FACT.saturating_add(said as u64));
    }
    scale.weight
}

/// Adds up what facts take on a page.
#[derive(Default)]
struct Scale {
    weight: u64,
    /// What a target weighs, by where it stands: one that many others replace is weighed once.
    targets: HashMap<usize, u64>,
}

impl Scale {
    fn add(&mut self, bytes: u64) {
        self.weight = self.weight.saturating_add(bytes);
    }

    fn target(&mut self, target: &Target<'_>) {
        let place = ptr::from_ref(target).addr();
        if let Some(known) = self.targets.get(&place) {
            return self.add(*known);
        }
        let before = self.weight;
        self.add(FACT.saturating_add(target.name.len() as u64));
        self.value(target.value, 0);
        self.targets.insert(place, self.weight.saturating_sub(before));
    }

    fn value(&mut self, value: Value<'_>, path: u64) {
        if value.kind() != Kind::Object || value.members().next().is_none() {
            return self.add(FACT.saturating_add(path).saturating_add(value.span().len() as u64));
        }
        for (key, inner) in value.members() {
            // A longer key is shown by its beginning.
            let key = key.value().span().len().min(LONGEST) as u64;
            self.value(inner, path.saturating_add(key));
        }
    }
}
