//! Content: what devices would get, held against what they run now.

use super::findings::Findings;
use super::subject::{Kept, Subject, names, place, target_place, targets};
use crate::json::{Kind, Value, step};
use crate::review::finding::Severity;
use crate::text::Foreign;
use crate::tuf::Target;
use crate::tuf::target::App;
use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ptr;
use std::sync::LazyLock;

pub(super) fn name_matches(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if !subject.has_service() {
        return;
    }
    for target in &subject.added {
        let parts = target.text("name").zip(target.version_text());
        let matches = parts.as_ref().is_some_and(|(name, version)| {
            let rest = target.name.strip_prefix(name.as_ref()).and_then(|rest| rest.strip_prefix('-'));
            rest == Some(version.as_ref())
        });
        if !matches {
            out.report(
                || target_place(target, "custom.name"),
                || match parts {
                    Some((name, version)) => format!(
                        "The target \"{}\" says that it is \"{}\" of version \"{}\". CI names a target by these two: find \
                         out why it differs.",
                        Foreign(&target.name),
                        Foreign(&name),
                        Foreign(&version)
                    ),
                    None => format!(
                        "The target \"{}\" lacks custom.name or custom.version. CI gives every target both: find out \
                         why they are missing.",
                        Foreign(&target.name)
                    ),
                },
            );
        }
    }
}

pub(super) fn hash_shape(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    // Where a target may change under its name, a changed one is as new as an added one.
    let may_change = subject.dialect().targets_may_change();
    let changed = subject.changed.iter().map(|kept| kept.after).filter(|_| may_change);
    for target in subject.added.iter().copied().chain(changed) {
        if let Err((member, why)) = hashes(subject, target) {
            out.report(
                || target_place(target, &format!("hashes.{member}")),
                || {
                    format!(
                        "The hash of \"{}\" {why}. Have {} publish the target again.",
                        Foreign(&target.name),
                        publisher(subject)
                    )
                },
            );
        }
        if target.value.get("length").and_then(|length| length.as_u64()).is_none() {
            out.report(
                || target_place(target, "length"),
                || {
                    format!(
                        "The length of \"{}\" is not a whole number, and {} reject that. Have {} publish the target again.",
                        Foreign(&target.name),
                        subject.dialect().readers(),
                        publisher(subject)
                    )
                },
            );
        }
        if target.value.get("custom").is_some_and(|custom| custom.kind() != Kind::Object) {
            out.report(
                || target_place(target, "custom"),
                || {
                    format!(
                        "The member custom of \"{}\" is no object, and {} that read it cannot load the whole file. Have {} \
                         publish the target again.",
                        Foreign(&target.name),
                        subject.dialect().readers(),
                        publisher(subject)
                    )
                },
            );
        }
    }
}

fn publisher(subject: &Subject<'_, '_>) -> &'static str {
    if subject.has_service() { "CI" } else { "its owner" }
}

/// Has the target a hash that its readers take? Devices want the SHA-256; a repository's clients take a SHA-512 alone as
/// well. Each that is there must be one.
fn hashes(subject: &Subject<'_, '_>, target: &Target<'_>) -> Result<(), (&'static str, String)> {
    let of = |member: &'static str, digits: usize| match target
        .value
        .get("hashes")
        .and_then(|all| all.get(member))
    {
        None => Ok(false),
        Some(hash) if hash.as_str().is_some_and(|hash| is_hex(&hash, digits)) => Ok(true),
        Some(hash) => {
            let said = hash.as_str().map_or("no text".to_owned(), |hash| format!("\"{}\"", Foreign(&hash)));
            Err((member, format!("is {said}; it must be {digits} lower-case hex digits")))
        }
    };
    let has_256 = of("sha256", 64)?;
    let has_512 = !subject.has_service() && of("sha512", 128)?;
    if has_256 || has_512 { Ok(()) } else { Err(("sha256", "is missing".to_owned())) }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn hash_changed_same_name(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let (severity, what_to_do) = if subject.dialect().targets_may_change() {
        (Severity::Warn, "Check that this is meant")
    } else {
        (Severity::Block, "Do not sign: find out who changed it")
    };
    for Kept { before, after } in &subject.changed {
        let (old, new) = (before.sha256(), after.sha256());
        if old == new {
            continue;
        }
        let shown = |hash: Option<Cow<'_, str>>| {
            hash.map_or("none".to_owned(), |hash| format!("\"{}\"", Foreign(&hash)))
        };
        out.add(
            severity,
            || target_place(after, "hashes.sha256"),
            || {
                format!(
                    "The target \"{}\" keeps its name and changes what it installs: from {} to {}. {what_to_do}.",
                    Foreign(&after.name),
                    shown(old),
                    shown(new)
                )
            },
        );
    }
}

pub(super) fn tags(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if !subject.has_service() {
        return;
    }
    let tag = &subject.situation.manifest.tag;
    for target in &subject.added {
        if !is_only(target.member("tags"), tag) {
            out.report(
                || target_place(target, "custom.tags"),
                || {
                    let listed: Vec<Cow<'_, str>> = target.tags().collect();
                    let listed = match listed[..] {
                        [] => "missing".to_owned(),
                        _ => names(listed.iter().map(AsRef::as_ref)),
                    };
                    format!(
                        "The tags of the added target \"{}\" are {}, not the device tag \"{}\" alone. Make the request \
                         again.",
                        Foreign(&target.name),
                        listed,
                        Foreign(tag)
                    )
                },
            );
        }
    }
    let lacks_tag = |target: &&Target<'_>| !target.tags().any(|own| own == *tag);
    let lacking: Vec<&Target<'_>> = subject.kept.iter().map(|kept| kept.after).filter(lacks_tag).collect();
    if let Some(first) = lacking.first() {
        out.warn(
            || target_place(first, "custom.tags"),
            || {
                format!(
                    "{} of production {} not carry the device tag \"{}\", so devices skip {}: {}. Ask how they came into \
                     production.",
                    targets(lacking.len()),
                    if lacking.len() == 1 { "does" } else { "do" },
                    Foreign(tag),
                    if lacking.len() == 1 { "it" } else { "them" },
                    names(lacking.iter().map(|target| target.name.as_ref()))
                )
            },
        );
    }
}

/// Is it a list of this text and nothing else?
fn is_only(list: Option<Value<'_>>, text: &str) -> bool {
    let Some(list) = list.filter(|list| list.kind() == Kind::Array) else { return false };
    let mut items = list.items();
    items.next().and_then(|item| item.as_str()).is_some_and(|item| item == text) && items.next().is_none()
}

pub(super) fn hardware_coverage(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if subject.situation.compared_with().is_none() || (subject.added.is_empty() && subject.removed.is_empty())
    {
        return;
    }
    let (runs, gets) = (subject.runs(), subject.gets());
    let added: BTreeSet<Cow<'_, str>> =
        subject.added.iter().flat_map(|target| target.hardware_ids()).collect();
    let current = runs.values().map(|(version, _)| *version).max().unwrap_or(0);
    let at = || place(subject.situation.proposal.metadata.signed);
    for (hardware, (version, _)) in runs {
        let name = Foreign(hardware);
        if !gets.contains_key(hardware) {
            out.report(at, || {
                format!(
                    "No target is left for the hardware id \"{name}\", which runs version {version} now: such devices \
                     would find nothing to install. Keep a version for it, unless there are none of them any more."
                )
            });
        } else if !subject.added.is_empty() && !added.contains(hardware) {
            let message = || {
                format!(
                    "The new version has no target for the hardware id \"{name}\": its devices stay on version {version}. \
                     Check that this is meant."
                )
            };
            // Hardware that was left behind before is no news.
            if *version == current { out.report(at, message) } else { out.note(at, message) }
        }
    }
}

pub(super) fn mass_removal(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let policy = subject.situation.policy;
    let (removed, before) = (subject.removed.len(), subject.before().len());
    if policy.is_mass_removal(removed, before) {
        out.report(
            || place(subject.situation.proposal.metadata.signed),
            || {
                format!(
                    "It removes {removed} of production's {before} targets. The policy stops at {} % and {} targets. Make \
                     the request again with fewer versions to drop, or have the policy changed.",
                    policy.mass_removal_percent, policy.mass_removal_count
                )
            },
        );
    }
}

pub(super) fn downgrade(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if subject.situation.compared_with().is_none() {
        return;
    }
    let lmp = |target: &Target<'_>| target.text("lmp-ver")?.parse::<u64>().ok();
    for Step { runs, gets, hardware } in steps(subject) {
        let which = || match hardware[..] {
            [one] => format!("id \"{}\"", Foreign(one)),
            _ => format!("ids {}", names(hardware.iter().copied())),
        };
        if let (Some(version), Some(next)) = (runs.version(), gets.version())
            && next < version
        {
            out.report(
                || target_place(gets, "custom.version"),
                || {
                    format!(
                        "Devices of the hardware {} run version {version} now and would get version {next}. Keep version \
                         {version}, or release a newer one.",
                        which()
                    )
                },
            );
        }
        if let (Some(old), Some(new)) = (lmp(runs), lmp(gets))
            && new < old
        {
            out.warn(
                || target_place(gets, "custom.lmp-ver"),
                || {
                    format!(
                        "Devices of the hardware {} run LmP {old} now and would get LmP {new}, an older platform. Check \
                         that this is meant.",
                        which()
                    )
                },
            );
        }
    }
}

/// An app as added targets have it.
struct AddedApp<'s, 'd> {
    app: App<'d>,
    first: &'s Target<'d>,
    /// How many targets have it from this address.
    count: usize,
}

/// Where an app stands. Its name may hold dots.
fn app_place(target: &Target<'_>, app: &App<'_>) -> String {
    let mut path = target_place(target, "custom.docker_compose_apps");
    step(&mut path, &app.name);
    path
}

/// The apps of the added targets, each name and address once.
fn added_apps<'s, 'd>(subject: &Subject<'s, 'd>) -> Vec<AddedApp<'s, 'd>> {
    let mut apps: BTreeMap<App<'d>, (&'s Target<'d>, usize)> = BTreeMap::new();
    for &target in &subject.added {
        for app in target.apps() {
            apps.entry(app).or_insert((target, 0)).1 += 1;
        }
    }
    apps.into_iter().map(|(app, (first, count))| AddedApp { app, first, count }).collect()
}

pub(super) fn app_digest_pinned(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    for AddedApp { app, first, count } in added_apps(subject) {
        if app.digest().is_none() {
            out.report(
                || app_place(first, &app),
                || {
                    format!(
                        "The app \"{}\" of {} comes from \"{}\", which names no digest (@sha256: and 64 hex digits): what \
                         devices install could change after the signature. Have CI publish it with its digest.",
                        Foreign(&app.name),
                        targets(count),
                        Foreign(&app.uri)
                    )
                },
            );
        }
    }
}

pub(super) fn app_host(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let hosts = &subject.situation.policy.app_hosts;
    if hosts.is_empty() {
        return;
    }
    for AddedApp { app, first, count } in added_apps(subject) {
        if !hosts.iter().any(|host| host == app.host()) {
            out.report(
                || app_place(first, &app),
                || {
                    format!(
                        "The app \"{}\" of {} comes from \"{}\", which is none of the policy's registries ({}). Have it \
                         published there, or have the policy changed.",
                        Foreign(&app.name),
                        targets(count),
                        Foreign(&app.uri),
                        hosts.join(", ")
                    )
                },
            );
        }
    }
}

/// Devices that go from one target to another: those of these hardware ids.
struct Step<'s, 'd> {
    runs: &'s Target<'d>,
    gets: &'s Target<'d>,
    hardware: Vec<&'s str>,
}

/// The steps in the order of their targets, so that what holds for many hardware ids is found once.
fn steps<'s, 'd>(subject: &'s Subject<'_, 'd>) -> Vec<Step<'s, 'd>> {
    let (mut steps, gets): (BTreeMap<_, Step<'s, 'd>>, _) = (BTreeMap::new(), subject.gets());
    for (hardware, (_, runs)) in subject.runs() {
        let Some((_, target)) = gets.get(hardware) else { continue };
        // Where a target stands tells it from others, however long its name is.
        let places = (ptr::from_ref(*runs).addr(), ptr::from_ref(*target).addr());
        let step = steps.entry(places).or_insert_with(|| Step { runs, gets: target, hardware: Vec::new() });
        step.hardware.push(hardware);
    }
    steps.into_values().collect()
}

/// The apps of targets, each name as a number.
#[derive(Default)]
struct Apps<'d> {
    numbers: HashMap<Cow<'d, str>, usize>,
    of_target: HashMap<usize, HashSet<usize>>,
}

impl<'d> Apps<'d> {
    fn of(steps: &[Step<'_, 'd>]) -> Apps<'d> {
        let mut apps = Apps::default();
        for target in steps.iter().flat_map(|step| [step.runs, step.gets]) {
            if let Entry::Vacant(free) = apps.of_target.entry(ptr::from_ref(target).addr()) {
                let numbers = free.insert(HashSet::new());
                for app in target.apps() {
                    let next = apps.numbers.len();
                    numbers.insert(*apps.numbers.entry(app.name).or_insert(next));
                }
            }
        }
        apps
    }

    fn in_target(&self, target: &Target<'_>) -> &HashSet<usize> {
        static NONE: LazyLock<HashSet<usize>> = LazyLock::new(HashSet::new);
        self.of_target.get(&ptr::from_ref(target).addr()).unwrap_or(&NONE)
    }

    /// How many steps lose each app. Two targets share at most as many apps as the one with fewer has, so hardware ids
    /// times apps are never walked through.
    fn lost(&self, steps: &[Step<'_, '_>]) -> Vec<usize> {
        let mut lost = vec![0usize; self.numbers.len()];
        let mut of_runs: HashMap<usize, (usize, &Target<'_>)> = HashMap::new();
        for step in steps {
            of_runs.entry(ptr::from_ref(step.runs).addr()).or_insert((0, step.runs)).0 += 1;
        }
        for (steps, runs) in of_runs.into_values() {
            self.in_target(runs).iter().for_each(|app| lost[*app] += steps);
        }
        for step in steps {
            let (runs, gets) = (self.in_target(step.runs), self.in_target(step.gets));
            let (few, many) = if runs.len() < gets.len() { (runs, gets) } else { (gets, runs) };
            few.iter().filter(|app| many.contains(app)).for_each(|app| lost[*app] -= 1);
        }
        lost
    }
}

pub(super) fn app_removed(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if subject.situation.compared_with().is_none() {
        return;
    }
    let steps = steps(subject);
    let apps = Apps::of(&steps);
    let lost = apps.lost(&steps);
    let by_name: BTreeMap<_, _> = apps.numbers.iter().filter(|(_, app)| lost[**app] > 0).collect();
    for (name, app) in by_name {
        let loses = |step: &&Step<'_, '_>| {
            apps.in_target(step.runs).contains(app) && !apps.in_target(step.gets).contains(app)
        };
        let losing = || steps.iter().filter(loses);
        out.report(
            || losing().next().map_or_else(String::new, |step| target_place(step.gets, "custom.docker_compose_apps")),
            || {
                format!(
                    "The app \"{}\" runs on the hardware {} now and is not in the new version: devices would stop it. \
                     Check that this is meant.",
                    Foreign(name),
                    names(losing().flat_map(|step| step.hardware.iter().copied()))
                )
            },
        );
    }
}

pub(super) fn static_delta(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    if !subject.has_service() {
        return;
    }
    let without: Vec<&&Target<'_>> = subject.added.iter().filter(|target| !target.has_delta()).collect();
    let Some(first) = without.first() else { return };
    let which = match (without.len(), subject.added.len()) {
        (1, 1) => "The added target has".to_owned(),
        (1, all) => format!("1 of the {all} added targets has"),
        (few, all) if few < all => format!("{few} of the {all} added targets have"),
        (_, all) => format!("All {all} added targets have"),
    };
    out.report(
        || target_place(first, "custom.delta-stats"),
        || {
            format!(
                "{which} no static delta, so devices download everything: {}. Have CI make the deltas (fioctl targets \
                 static-deltas) if that matters.",
                names(without.iter().map(|target| target.name.as_ref()))
            )
        },
    );
}

/// What a build is made from, by the member of `custom` that names it.
const LISTED_SOURCES: usize = 10;
const SOURCES: [&str; 4] = ["lmp-ver", "lmp-manifest-sha", "meta-subscriber-overrides-sha", "containers-sha"];

pub(super) fn source_differs_by_hardware(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let Some(first) = subject.added.first() else { return };
    for member in SOURCES {
        let mut by_source: BTreeMap<_, BTreeSet<Cow<'_, str>>> = BTreeMap::new();
        for target in &subject.added {
            by_source.entry(target.text(member)).or_default().extend(target.hardware_ids());
        }
        if by_source.len() < 2 {
            continue;
        }
        out.report(
            || target_place(first, &format!("custom.{member}")),
            || {
                let sources = by_source.iter().take(LISTED_SOURCES).map(|(source, hardware)| {
                    let source = source.as_ref().map_or("none".to_owned(), |text| format!("\"{}\"", Foreign(text)));
                    format!("{source} for {}", names(hardware.iter().map(AsRef::as_ref)))
                });
                let more = by_source.len().saturating_sub(LISTED_SOURCES);
                let more = if more > 0 { format!("; and {more} more") } else { String::new() };
                format!(
                    "The added targets are built from different sources: {member} is {}{more}. Check that this is meant.",
                    sources.collect::<Vec<_>>().join("; ")
                )
            },
        );
    }
}
