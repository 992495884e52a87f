//! What the checks look at: the situation, and the proposal's targets sorted into added, kept and removed.

use crate::bundle::manifest::DELEGATING_FILE;
use crate::bundle::{RequestKind, Wave};
use crate::json::{Value, canonical, step};
use crate::review::situation::{BaselineSource, Carried, Situation};
use crate::text::{Foreign, counted, shown};
use crate::tuf::signature::Worth;
use crate::tuf::{Dialect, Digest, KeyId, Root, Target};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A target that production has and the proposal keeps.
#[derive(Clone, Copy)]
pub(super) struct Kept<'s, 'd> {
    pub(super) before: &'s Target<'d>,
    pub(super) after: &'s Target<'d>,
}

/// A situation with its targets compared, once for all checks.
pub(super) struct Subject<'s, 'd> {
    pub(super) situation: &'s Situation<'d>,
    /// Digest of the proposal's canonical form: a long file is hashed once.
    pub(super) digest: Digest,
    /// Targets that production does not have; all of them where no baseline is known.
    pub(super) added: Vec<&'s Target<'d>>,
    /// Targets of the same name in both.
    pub(super) kept: Vec<Kept<'s, 'd>>,
    /// Those of `kept` that are not equal to the last byte.
    pub(super) changed: Vec<Kept<'s, 'd>>,
    /// Targets that only production has.
    pub(super) removed: Vec<&'s Target<'d>>,
    runs: OnceLock<ByHardware<'s, 'd>>,
    gets: OnceLock<ByHardware<'s, 'd>>,
}

/// By hardware id, the target of the highest version and that version: what a device of that hardware runs.
pub(super) type ByHardware<'s, 'd> = BTreeMap<Cow<'d, str>, (u64, &'s Target<'d>)>;

fn newest_by_hardware<'s, 'd>(all: &'s [Target<'d>]) -> ByHardware<'s, 'd> {
    let mut newest: ByHardware<'s, 'd> = BTreeMap::new();
    for target in all {
        let Some(version) = target.version() else { continue };
        for hardware in target.hardware_ids() {
            let known = newest.entry(hardware).or_insert((version, target));
            if known.0 < version {
                *known = (version, target);
            }
        }
    }
    newest
}

/// Equal to the last byte in canonical form.
pub(super) fn same(a: Value<'_>, b: Value<'_>) -> bool {
    if a.is_canonical() && b.is_canonical() {
        return a.span() == b.span();
    }
    canonical::bytes(a) == canonical::bytes(b)
}

impl<'s, 'd> Subject<'s, 'd> {
    /// Merges two lists that are sorted by name.
    pub(super) fn new(situation: &'s Situation<'d>) -> Self {
        let digest = situation.message.digest();
        let (added, kept, changed, removed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut subject = Subject {
            situation,
            digest,
            added,
            kept,
            changed,
            removed,
            runs: OnceLock::new(),
            gets: OnceLock::new(),
        };
        if subject.is(RequestKind::OfflineBundle) {
            return subject; // It names targets and holds none.
        }
        let mut before = subject.before().iter().peekable();
        for after in situation.proposal.all() {
            subject.removed.extend(std::iter::from_fn(|| before.next_if(|old| old.name < after.name)));
            match before.peek().map(|old| old.name.cmp(&after.name)) {
                Some(Ordering::Equal) => {
                    subject.kept.extend(before.next().map(|before| Kept { before, after }));
                }
                _ => subject.added.push(after),
            }
        }
        subject.removed.extend(before);
        let differs = |kept: &&Kept<'_, '_>| !same(kept.before.value, kept.after.value);
        subject.changed = subject.kept.iter().filter(differs).copied().collect();
        subject
    }

    /// Is the request of this kind?
    pub(super) fn is(&self, kind: RequestKind) -> bool {
        self.situation.manifest.kind == kind
    }

    /// What the proposal is compared with: the targets that production runs, as far as somebody vouches for them.
    pub(super) fn before(&self) -> &'s [Target<'d>] {
        self.situation.compared_with().map_or(&[], |targets| targets.all())
    }

    /// What devices run now, by hardware id.
    pub(super) fn runs(&self) -> &ByHardware<'s, 'd> {
        self.runs.get_or_init(|| newest_by_hardware(self.before()))
    }

    /// What devices would run, by hardware id.
    pub(super) fn gets(&self) -> &ByHardware<'s, 'd> {
        self.gets.get_or_init(|| newest_by_hardware(self.situation.proposal.all()))
    }

    /// The newest trusted root; for a delegated role, with that role in it.
    pub(super) fn root(&self) -> &'s Root {
        self.situation.authority.root()
    }

    /// The role that signs the proposal.
    pub(super) fn role(&self) -> &'s str {
        &self.situation.authority.role
    }

    /// Where the keys of that role stand, for showing.
    pub(super) fn role_place(&self) -> String {
        match &self.situation.authority.delegated {
            None => root_place(self.root(), &format!("roles.{}", Foreign(self.role()))),
            Some(_) => format!("{DELEGATING_FILE}: signed.delegations"),
        }
    }

    /// Whose rules the metadata follows.
    pub(super) fn dialect(&self) -> Dialect {
        self.root().dialect
    }

    /// What is compared with, as a noun: what production runs, or what the repository has.
    pub(super) fn current(&self) -> &'static str {
        self.dialect().current()[0]
    }

    /// Does the baseline come with the request?
    pub(super) fn has_own_baseline(&self) -> bool {
        self.situation.baseline.as_ref().is_some_and(|baseline| baseline.source == BaselineSource::Request)
    }

    /// Are version, prune and source tag what the request's maker declared? Those of a bare file were made up, and a wave
    /// that another holder of an offline key signed was composed by somebody else.
    pub(super) fn has_declared_parameters(&self) -> bool {
        self.situation.carried != Carried::BareFile && !self.is_signed_offline()
    }

    /// Does it carry a signature that counts, by another key than the service's?
    pub(super) fn is_signed_offline(&self) -> bool {
        let is_offline = |keyid| Some(keyid) != self.situation.online_key;
        let mut counted = self.situation.signatures.iter().filter(|one| one.worth == Worth::Counts);
        counted.any(|one| is_offline(&one.signature.keyid))
    }

    /// Is there a service that composes waves from what CI published? What follows from that is not asked of other
    /// repositories.
    pub(super) fn has_service(&self) -> bool {
        self.dialect().has_service()
    }

    /// Is the proposal, byte for byte, what production runs?
    pub(super) fn equals_baseline(&self) -> bool {
        let baseline = self.situation.baseline.as_ref();
        baseline.is_some_and(|baseline| baseline.digest == self.digest)
    }

    /// The waves of the request's tag.
    pub(super) fn waves_of_tag(&self) -> impl Iterator<Item = &'s Wave> {
        let tag = &self.situation.manifest.tag;
        self.waves().filter(move |wave| wave.tag == *tag)
    }

    /// All waves that the request shows.
    pub(super) fn waves(&self) -> impl Iterator<Item = &'s Wave> {
        self.situation.waves.iter().flat_map(|list| &list.waves)
    }

    /// Is this wave the one that the request is about?
    pub(super) fn is_own_wave(&self, wave: &Wave) -> bool {
        let manifest = self.situation.manifest;
        !manifest.wave.is_empty()
            && wave.name == manifest.wave
            && wave.version == Some(self.situation.proposal.metadata.version)
    }

    /// What it is compared with, in words.
    pub(super) fn current_targets(&self) -> &'static str {
        if self.has_service() { "production targets" } else { "repository's targets" }
    }

    /// A key as the officer knows it: the whole id, the type, and whose it is.
    pub(super) fn key(&self, root: &Root, keyid: &KeyId) -> String {
        let keytype = root.keys.get(keyid).map_or("of no known type", |key| key.keytype());
        let whose = if Some(keyid) == self.situation.online_key {
            "the service's online key".to_owned()
        } else if let Some(owner) = root.owner(keyid) {
            format!("owner \"{}\"", Foreign(&owner.polis_id))
        } else if self.situation.own_keys.contains(keyid) {
            "in this station's vault".to_owned()
        } else {
            "no owner noted".to_owned()
        };
        format!("{keyid} ({keytype}, {whose})")
    }
}

/// Where a value stands, for showing. Walks from the outermost value: not for targets, see [`target_place`].
pub(super) fn place(value: Value<'_>) -> String {
    format!("{}: {}", shown(value.document().name()), value.path())
}

/// Where a target's member stands, for showing; `member` is as `custom.version`, or empty for the target itself.
pub(super) fn target_place(target: &Target<'_>, member: &str) -> String {
    let mut path = "signed.targets".to_owned();
    step(&mut path, &target.name);
    member.split('.').filter(|part| !part.is_empty()).for_each(|part| step(&mut path, part));
    format!("{}: {path}", shown(target.value.document().name()))
}

/// Where a member of the newest root stands.
pub(super) fn root_place(root: &Root, member: &str) -> String {
    format!("prod-roots/{}.root.json: signed.{member}", root.version)
}

/// Where a member of the request's manifest stands.
pub(super) fn manifest_place(member: &str) -> String {
    format!("request.json: {member}")
}

/// No one place.
pub(super) fn nowhere() -> String {
    String::new()
}

/// Names in quotes, escaped: all of them up to ten, else ten and how many more.
pub(super) fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    const LISTED: usize = 10;
    let mut rest = names.into_iter();
    let listed: Vec<String> =
        rest.by_ref().take(LISTED).map(|name| format!("\"{}\"", Foreign(name))).collect();
    match rest.count() {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// `1 target`, `2 targets`.
pub(super) fn targets(count: usize) -> String {
    counted(count as u64, "target")
}
