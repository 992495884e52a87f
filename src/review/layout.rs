//! The order in which a review is read, the same on every page: by risk, from who may sign to what is merely new.
//!
//! [`lay_out`] drives a [`Page`]: the terminal's ([`super::text`]) or the HTML file's ([`super::html`]). Every string
//! that it hands over is ready to be shown: foreign text in it is escaped already.

use super::diff::{Added, Change, Changed};
use super::finding::Finding;
use super::fleet::{Device, Move};
use super::group::{Grouped, Listed};
use super::labels::{Label, name};
use super::model::{BaselineState, Review};
use crate::bundle::RequestKind;
use crate::tuf::{Dialect, Target};
use std::collections::BTreeMap;

/// What happens to a target or a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mark {
    Added,
    Removed,
    Changed,
    /// As before, or nothing to compare it with.
    Plain,
}

impl Mark {
    pub(super) fn sign(self) -> char {
        match self {
            Mark::Added => '+',
            Mark::Removed => '-',
            Mark::Changed => '~',
            Mark::Plain => ' ',
        }
    }
}

/// A member, ready to be shown.
pub(super) struct Fact {
    pub(super) mark: Mark,
    pub(super) label: String,
    /// The value; for a removed member the one that it had.
    pub(super) value: String,
    /// The value before, where it was another.
    pub(super) was: Option<String>,
}

/// Where a review is written.
pub(super) trait Page {
    /// Begins a section.
    fn section(&mut self, title: &str);
    /// A sentence of ours.
    fn say(&mut self, sentence: &str);
    /// A line of a list.
    fn point(&mut self, mark: Mark, line: &str);
    /// Begins a target, or a group of targets: its facts follow.
    fn entry(&mut self, mark: Mark, level: Level, title: &str);
    /// A member of the entry that was begun last.
    fn fact(&mut self, fact: &Fact);
    /// A finding. `goes_on`: of the same check and severity as the one before.
    fn finding(&mut self, finding: &Finding, goes_on: bool);
}

/// How an entry stands among others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Level {
    /// For all targets of the section.
    All,
    /// For the targets of one version.
    Group,
    /// One target.
    Target,
}

/// The sections of a review, in the order in which they are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Section {
    Findings,
    Trust,
    Version,
    Removals,
    Changes,
    Additions,
    Again,
    Nothing,
}

impl Section {
    const ALL: [Section; 8] = [
        Section::Findings,
        Section::Trust,
        Section::Version,
        Section::Removals,
        Section::Changes,
        Section::Additions,
        Section::Again,
        Section::Nothing,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Section::Findings => "Findings",
            Section::Trust => "Trust",
            Section::Version => "Version and expiry",
            Section::Removals => "Removals and downgrades",
            Section::Changes => "Changes to existing targets",
            Section::Additions => "Additions",
            Section::Again => "Content that the signature is about",
            Section::Nothing => "Targets",
        }
    }

    /// Does the review have anything to say in it?
    fn is_in(self, review: &Review<'_>) -> bool {
        let diff = &review.diff;
        let falls = |device: &Device<'_>| matches!(device.moves(), Move::Down | Move::Lost);
        match self {
            Section::Findings => !review.findings.is_empty(),
            Section::Trust | Section::Version => true,
            _ if !diff.is_shown => self == Section::Nothing,
            Section::Removals => !diff.removed.is_empty() || diff.devices.iter().any(falls),
            Section::Changes => !diff.changed.is_empty(),
            Section::Additions => !diff.added.is_empty(),
            Section::Again => !diff.shown_whole.is_empty(),
            Section::Nothing => {
                let nothing = diff.added.is_empty() && diff.removed.is_empty() && diff.changed.is_empty();
                nothing && review.header.kind != RequestKind::OfflineBundle
            }
        }
    }
}

pub(super) fn sections(review: &Review<'_>) -> impl Iterator<Item = Section> {
    Section::ALL.into_iter().filter(|section| section.is_in(review))
}

/// Writes the body of a review, section by section.
pub(super) fn lay_out(review: &Review<'_>, page: &mut dyn Page) {
    for section in sections(review) {
        page.section(section.title());
        match section {
            Section::Findings => findings(review, page),
            Section::Trust => trust(review, page),
            Section::Version => version(review, page),
            Section::Removals => removals(review, page),
            Section::Changes => changes(review, page),
            Section::Additions => additions(review, page),
            Section::Again => again(review, page),
            Section::Nothing if !review.diff.is_shown => {
                page.say(
                    "The targets are not shown: there are more, or longer ones, than this page has room for.",
                );
            }
            Section::Nothing => page.say("No target is added, removed or changed."),
        }
    }
}

/// One line of totals.
pub(super) fn totals(review: &Review<'_>) -> String {
    let diff = &review.diff;
    format!(
        "Totals: {} added, {} removed, {} changed, {} kept as {}.",
        diff.added.len(),
        diff.removed.len(),
        diff.changed.len(),
        diff.kept,
        if diff.kept == 1 { "it is" } else { "they are" },
    )
}

/// What kind of request this is, in a sentence.
pub(super) fn title(review: &Review<'_>) -> String {
    let header = &review.header;
    let (wave, tag) = (name(header.wave), name(header.tag));
    match header.kind {
        RequestKind::Wave => format!("Wave {wave} for the device tag {tag}"),
        RequestKind::WaveSignature => format!("A further signature for wave {wave} of the device tag {tag}"),
        RequestKind::Resign => format!("Production targets of the device tag {tag}, signed again"),
        RequestKind::OfflineBundle => format!("An offline update bundle for the device tag {tag}"),
        RequestKind::Targets => format!("Targets metadata of the role {tag}, version {}", header.version),
    }
}

/// The lines under the title: who asks for what.
pub(super) fn header(review: &Review<'_>) -> Vec<(&'static str, String)> {
    let header = &review.header;
    let mut lines = vec![(header.dialect.noun(), name(header.factory))];
    if header.request_factory != header.factory {
        lines.push((
            "Asked for",
            format!("{} {} - another one!", header.dialect.noun(), name(header.request_factory)),
        ));
    }
    lines.push(("Request", header.request.to_string()));
    lines.push(("Policy", header.policy.to_string()));
    lines.push(("Program", header.tool.to_owned()));
    if !header.at_station {
        lines.push((
            "Station",
            "none: a preview, made on the connected machine. It confirms nothing".to_owned(),
        ));
    }
    if header.networked {
        lines.push(("Station", "made on a machine with a network (--networked): NOT air-gapped".to_owned()));
    }
    lines
}

/// The verdict, in a sentence.
pub(super) fn verdict(review: &Review<'_>) -> String {
    use super::Severity::{Block, Disabled, Warn};
    let (blocks, warns, off) = (review.count(Block), review.count(Warn), review.count(Disabled));
    let mut out = match blocks {
        0 if !review.header.at_station => {
            "A PREVIEW: nothing blocks it here. A station has its own keys, policy and record, and judges by them too."
                .to_owned()
        }
        0 => "CAN BE SIGNED: nothing blocks it.".to_owned(),
        1 => "CANNOT BE SIGNED: 1 finding blocks it.".to_owned(),
        n => format!("CANNOT BE SIGNED: {n} findings block it."),
    };
    match (blocks, warns) {
        (_, 0) => {}
        _ if blocks == 0 && !review.header.at_station => out.push_str(&match warns {
            1 => " There is 1 warning.".to_owned(),
            n => format!(" There are {n} warnings."),
        }),
        (0, 1) => out.push_str(" Confirming the digest accepts 1 warning."),
        (0, n) => out.push_str(&format!(" Confirming the digest accepts {n} warnings.")),
        (_, 1) => out.push_str(" There is 1 warning as well."),
        (_, n) => out.push_str(&format!(" There are {n} warnings as well.")),
    }
    match off {
        0 => {}
        1 => out.push_str(" The policy switched 1 check off."),
        n => out.push_str(&format!(" The policy switched {n} checks off.")),
    }
    out
}

fn findings(review: &Review<'_>, page: &mut dyn Page) {
    let mut before = None;
    for finding in &review.findings {
        let here = Some((finding.severity, finding.check));
        page.finding(finding, before == here);
        before = here;
    }
}

fn trust(review: &Review<'_>, page: &mut dyn Page) {
    let trust = &review.trust;
    page.say(&format!(
        "Production root {}, expires {}, fingerprint {}.",
        trust.root_version, trust.root_expires, trust.root_fingerprint
    ));
    if trust.acknowledged_root != trust.root_version {
        page.say(&format!("The root changed since version {}:", trust.acknowledged_root));
        trust.changes.iter().for_each(|change| page.point(Mark::Changed, change));
    }
    if !trust.since.is_empty() {
        page.say("Since the last signature, what is looser first:");
        trust.since.iter().for_each(|change| page.point(Mark::Changed, change));
    }
    if let Some(repository) = &trust.repository {
        page.say(&format!(
            "Specification version {}. consistent_snapshot is {}: clients ask for {}.",
            name(&repository.spec_version),
            if repository.consistent_snapshot { "on" } else { "off" },
            if repository.consistent_snapshot { "VERSION.ROLE.json" } else { "ROLE.json" },
        ));
        if let Some(delegated) = &repository.delegated {
            page.say(&format!("A delegated role: {delegated}."));
        }
        let delegations = if review.diff.is_shown { &repository.delegations[..] } else { &[] };
        if !delegations.is_empty() {
            page.say("It delegates to these roles:");
        }
        for key in repository.unusable_keys.iter().filter(|_| review.diff.is_shown) {
            page.point(Mark::Plain, &format!("no signature of this key counts here: {key}"));
        }
        for (role, words) in delegations {
            page.point(Mark::Plain, &format!("{}: {words}", name(role)));
        }
    }
    page.say(&format!(
        "Targets need the signatures of {} of these {} keys; {} still missing:",
        trust.threshold,
        trust.signers.len(),
        match trust.missing() {
            0 => "none is".to_owned(),
            1 => "1 is".to_owned(),
            n => format!("{n} are"),
        }
    ));
    for signer in &trust.signers {
        let mut line = if signer.signed { "has signed" } else { "has not signed" }.to_owned();
        match &signer.service {
            _ if signer.online => line.push_str(": the service's online key"),
            Some(service) => line.push_str(&format!(": held by the key service {}", name(service))),
            // Where there is no service of one's own, nothing says where a key is kept.
            None if trust.repository.is_some() => line.push_str(": a key"),
            None => line.push_str(": an offline key"),
        }
        if !signer.owner.is_empty() {
            line.push_str(&format!(" of owner {}", name(&signer.owner)));
        }
        line.push_str(if signer.own { " in this station" } else { "" });
        page.point(Mark::Plain, &format!("{line}, {}: {}", signer.keytype, signer.keyid));
    }
    for problem in &trust.problems {
        page.point(Mark::Plain, &format!("a signature that does not count: {problem}"));
    }
}

fn version(review: &Review<'_>, page: &mut dyn Page) {
    let [_, compared, now] = review.header.dialect.current();
    match &review.header.baseline {
        BaselineState::Known { vouched: false, version, digest, compared: known, .. } => {
            page.say(&format!(
                "The request says that {now} version {version} (SHA-256 {digest} of its signed content), and neither the \
                 signatures that the newest root asks for nor this station's record vouch for it."
            ));
            page.say(&match known {
                Some((version, digest)) => format!(
                    "It is compared with version {version}, which this station last signed or saw and whose signed \
                     content has the SHA-256 {digest}. Whatever that lacks is shown as added."
                ),
                None => "This station knows nothing to compare it with: everything is shown as added.".to_owned(),
            });
        }
        BaselineState::Known { from_memory: false, version, digest, .. } => page.say(&format!(
            "Compared with {compared} {version}, whose signed content has the SHA-256 {digest}."
        )),
        BaselineState::Known { version, digest, .. } => page.say(&format!(
            "The request does not show what production runs now. It is compared with version {version}, which this \
             station last signed or saw for the tag and whose signed content has the SHA-256 {digest}."
        )),
        BaselineState::FirstWave => page.say(
            "First wave: there are no production targets for this device tag yet. Everything is new, and all of it \
             is shown.",
        ),
        BaselineState::Unknown => page.say(&format!(
            "What {now} now is not known: the request does not show it, and this station never saw it. Everything is \
             shown as new."
        )),
    }
    if !review.diff.is_shown {
        return;
    }
    let compare = matches!(review.header.baseline, BaselineState::Known { compared: Some(_), .. });
    let mut members: Vec<_> = review.diff.members.iter().map(|c| (Label::of_signed(&c.path), c)).collect();
    members.sort_by_key(|(label, _)| label.order);
    page.entry(Mark::Plain, Level::All, "Signed metadata");
    members.iter().for_each(|(label, change)| page.fact(&fact(label, change, compare)));
    let moves = moves(&review.diff.devices, |_| true);
    if !moves.is_empty() {
        page.say("What devices run now, and would get, by hardware id:");
    }
    moves.iter().for_each(|(mark, line)| page.point(*mark, line));
}

fn removals(review: &Review<'_>, page: &mut dyn Page) {
    let lost = moves(&review.diff.devices, |moves| matches!(moves, Move::Down | Move::Lost));
    lost.iter().for_each(|(mark, line)| page.point(*mark, line));
    let removed: Vec<Removed<'_>> = review.diff.removed.iter().map(|target| Removed(target)).collect();
    list(&removed, Mark::Removed, "removed", review.header.dialect, page);
}

fn changes(review: &Review<'_>, page: &mut dyn Page) {
    page.say(&format!(
        "Targets of {} whose content would be another under the same name:",
        review.header.dialect.current()[0]
    ));
    list(&review.diff.changed, Mark::Changed, "changed", review.header.dialect, page);
}

fn additions(review: &Review<'_>, page: &mut dyn Page) {
    if review.diff.added.iter().any(|added| added.replaces.is_some()) {
        page.say("Compared with the target that devices of the same hardware run now:");
    }
    list(&review.diff.added, Mark::Added, "new", review.header.dialect, page);
}

fn again(review: &Review<'_>, page: &mut dyn Page) {
    page.say(match review.header.kind {
        RequestKind::OfflineBundle => "Devices may install these, which the bundle names:",
        _ => "Production has these already, and signing again is a statement about all of them:",
    });
    list(&review.diff.shown_whole, Mark::Plain, "such", review.header.dialect, page);
}

/// Writes a list of targets, shared facts first.
fn list<'d, T: Listed<'d>>(all: &[T], mark: Mark, adjective: &str, dialect: Dialect, page: &mut dyn Page) {
    if all.is_empty() {
        return;
    }
    let grouped = Grouped::of(all);
    let compare = mark != Mark::Removed;
    if !grouped.common.is_empty() {
        page.entry(mark, Level::All, &format!("All {} {adjective} targets carry:", all.len()));
        facts(&grouped.common, compare, dialect, page);
    }
    for (image, of_image) in &grouped.images {
        let image = name(image);
        let title = format!("Image {image}: all {} targets named {image}-VERSION carry:", of_image.count);
        page.entry(mark, Level::Group, &title);
        facts(&of_image.common, compare, dialect, page);
    }
    // Once one group has a heading all have one: a target under it must not seem to share what it does not.
    let headings = grouped.versions.len() > 1
        && (!grouped.images.is_empty()
            || grouped.versions.iter().any(|some| !grouped.shared(some).is_empty()));
    for some in &grouped.versions {
        let shared = grouped.shared(some);
        if headings {
            page.entry(mark, Level::Group, &heading(some, shared.is_empty()));
            facts(&shared, compare, dialect, page);
        }
        for one in some {
            page.entry(mark, Level::Target, &name(&one.target().name));
            facts(&grouped.own(&shared, one), compare, dialect, page);
        }
    }
}

/// The heading over the targets of one version.
fn heading<'d, T: Listed<'d>>(some: &[&T], alone: bool) -> String {
    let version = some.first().and_then(|one| one.target().version_text());
    let version = version.map_or_else(|| "No version".to_owned(), |text| format!("Version {}", name(&text)));
    match (some.len(), alone) {
        (1, _) => format!("{version}: 1 target"),
        (n, true) => format!("{version}: {n} targets"),
        (n, false) => format!("{version}: all {n} targets carry:"),
    }
}

fn facts(changes: &[Change<'_>], compare: bool, dialect: Dialect, page: &mut dyn Page) {
    let mut labelled: Vec<_> =
        changes.iter().map(|change| (Label::of(&change.path, dialect), change)).collect();
    // Stable: members of one place in the reading order stay sorted by path.
    labelled.sort_by_key(|(label, _)| label.order);
    labelled.iter().for_each(|(label, change)| page.fact(&fact(label, change, compare)));
}

fn fact(label: &Label, change: &Change<'_>, compare: bool) -> Fact {
    let label_words = label.words.clone();
    let fact = |mark, value, was| Fact { mark, label: label_words, value, was };
    match (change.before, change.after) {
        (Some(_), Some(after)) if change.is_same() || !compare => fact(Mark::Plain, label.show(after), None),
        (Some(before), Some(after)) => fact(Mark::Changed, label.show(after), Some(label.show(before))),
        (None, Some(after)) if compare => fact(Mark::Added, label.show(after), None),
        (None, Some(after)) => fact(Mark::Plain, label.show(after), None),
        (Some(before), None) if compare => fact(Mark::Removed, label.show(before), None),
        (Some(before), None) => fact(Mark::Plain, label.show(before), None),
        (None, None) => fact(Mark::Plain, String::new(), None),
    }
}

/// Hardware ids by where their version goes, each kind in one line.
fn moves(devices: &[Device<'_>], wanted: impl Fn(Move) -> bool) -> Vec<(Mark, String)> {
    let mut lines: BTreeMap<(u8, String), (Mark, Vec<String>)> = BTreeMap::new();
    for device in devices.iter().filter(|device| wanted(device.moves())) {
        let (rank, mark, words) = move_words(device);
        let (_, ids) = lines.entry((rank, words)).or_insert_with(|| (mark, Vec::new()));
        ids.push(name(&device.hardware_id));
    }
    lines
        .into_iter()
        .map(|((_, words), (mark, ids))| (mark, format!("version {words}: {}", ids.join(", "))))
        .collect()
}

/// Where a device's version goes: how soon the officer should read it, its mark, and the words.
fn move_words(device: &Device<'_>) -> (u8, Mark, String) {
    let version = |targets: &[&Target<'_>]| {
        let text = targets.first().and_then(|target| target.version_text());
        text.map_or_else(|| "none".to_owned(), |text| name(&text))
    };
    let (now, then) = (version(&device.now), version(&device.then));
    match device.moves() {
        Move::Lost => (0, Mark::Removed, format!("{now} -> no target at all")),
        Move::Down => (1, Mark::Removed, format!("{now} -> {then}, a DOWNGRADE")),
        Move::Up => (2, Mark::Changed, format!("{now} -> {then}")),
        Move::First => (3, Mark::Added, format!("nothing -> {then}")),
        Move::Stays => (4, Mark::Plain, format!("{now}, as now")),
    }
}

/// A removed target: enough to know which devices it was for.
struct Removed<'d>(&'d Target<'d>);

impl<'d> Listed<'d> for Removed<'d> {
    fn target(&self) -> &'d Target<'d> {
        self.0
    }

    fn facts(&self) -> Vec<Change<'d>> {
        let wanted = [["custom", "hardwareIds"], ["custom", "version"], ["hashes", "sha256"]];
        let mut facts = super::diff::listing(Some(self.0.value), None);
        facts.retain(|change| wanted.iter().any(|path| change.path.iter().eq(path.iter())));
        facts
    }
}

impl<'d> Listed<'d> for Changed<'d> {
    fn target(&self) -> &'d Target<'d> {
        self.after
    }

    fn facts(&self) -> Vec<Change<'d>> {
        self.changes()
    }
}

impl<'d> Listed<'d> for Added<'d> {
    fn target(&self) -> &'d Target<'d> {
        self.target
    }

    fn facts(&self) -> Vec<Change<'d>> {
        let mut listing = self.listing();
        if self.replaces.is_none() {
            // Nothing to compare with: a value is neither new nor changed.
            listing.iter_mut().for_each(|change| change.before = change.after);
        }
        listing
    }
}
