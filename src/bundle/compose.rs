//! Composes what `fioctl waves init` composes, from downloaded files and without a network.
//!
//! The rules are fioctl's (see `docs/request.md`): all current production targets, less the pruned versions, plus CI's
//! targets of the wanted version with their tags replaced by the device tag; the metadata version is the target
//! version. Unknown members are kept: the targets are copied in canonical form, never rebuilt from a typed model.

use crate::host::clock::Time;
use crate::json::{Kind, Value, canonical};
use crate::text::Foreign;
use crate::tuf::{Target, Targets};
use std::collections::BTreeSet;

/// What the officer's request is for.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// The target version, which becomes the metadata version.
    pub version: u64,
    /// The device tag.
    pub tag: String,
    /// Take only CI targets that carry this tag.
    pub source_tag: Option<String>,
    /// Versions to drop from production.
    pub prune: BTreeSet<u64>,
    /// When the composed targets expire.
    pub expires: Time,
}

/// Why nothing was composed. The rules and their order are those of `fioctl waves init`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComposeError {
    /// CI has no such targets.
    #[error("CI has no target of version {}{}. Check the version and the source tag", .0, tagged(.1))]
    NoTargets(u64, Option<String>),
    /// The version does not move forward.
    #[error(
        "version {wanted} is not above {current}, the version of the tag's production targets. Devices never step back"
    )]
    NotAbove {
        /// The wanted version.
        wanted: u64,
        /// The version in production.
        current: u64,
    },
    /// A name is in production already.
    #[error("the target \"{}\" is in the production targets already", Foreign(.0))]
    NamePresent(String),
    /// A version to prune is not in production.
    #[error("version {version} cannot be pruned: the production targets have no target of it. {there}")]
    PruneMissing {
        /// What was to be pruned.
        version: u64,
        /// The versions there are, in words.
        there: String,
    },
    /// The wave's own version cannot be pruned.
    #[error("version {0} is the version of this wave, it cannot be pruned")]
    PruneOwn(u64),
    /// A target that is not of the form that a Factory's targets have.
    #[error("the target \"{}\" has no member \"custom\", so it can be given no tag", Foreign(.0))]
    NoCustom(String),
    /// Nothing that was downloaded knows the tag, and production runs others.
    #[error(
        "the tag \"{}\" has neither production targets nor a wave; there are targets for {}. Check --tag. If it is meant \
         to be the first wave of a new tag, say so with --first-wave",
        Foreign(.tag), listed(.known)
    )]
    NobodyHasTag {
        tag: String,
        /// The tags that there are.
        known: Vec<String>,
    },
    /// There is nothing in production to sign again.
    #[error("the tag \"{}\" has no production targets, so there is nothing to sign again. Check --tag", Foreign(.0))]
    NothingToResign(String),
    /// The offline bundle is for another tag.
    #[error("the bundle is for the tag \"{}\", not for \"{}\"", Foreign(.found), Foreign(.wanted))]
    BundleTag {
        /// The tag that was asked for.
        wanted: String,
        /// The bundle's.
        found: String,
    },
    /// The wave in `wave.json` is another one than was asked for.
    #[error("wave.json: the wave's {member} is \"{}\", not \"{}\"", Foreign(.found), Foreign(.wanted))]
    OtherWave {
        /// Which member.
        member: &'static str,
        /// What was asked for.
        wanted: String,
        found: String,
    },
    /// The tag is not one that a device can have.
    #[error("\"{}\" cannot be a tag: letters, digits and . _ - + are allowed", Foreign(.0))]
    BadTag(String),
}

fn listed(tags: &[String]) -> String {
    tags.iter().map(|tag| format!("\"{}\"", Foreign(tag))).collect::<Vec<_>>().join(", ")
}

fn tagged(tag: &Option<String>) -> String {
    tag.as_ref().map(|tag| format!(" with the tag \"{}\"", Foreign(tag))).unwrap_or_default()
}

/// The canonical bytes of the composed `signed`, and the names that it adds.
#[derive(Debug, Default)]
pub struct Composed {
    /// Canonical form, ready to be signed.
    pub signed: Vec<u8>,
    /// Names of the new targets, sorted.
    pub added: Vec<String>,
    /// Names of new targets without a static delta: fioctl warns about them.
    pub without_delta: Vec<String>,
}

/// Is it a tag that a device can have?
pub(crate) fn is_tag(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+'))
}

/// Composes the wave's `signed`. `published` are CI's targets in the order of their names, as the service lists them for
/// the version, or all of them; `current` are the tag's production targets, or nothing for a first wave.
pub fn compose(
    published: &[Target<'_>],
    current: Option<&Targets<'_>>,
    parameters: &Parameters,
) -> Result<Composed, ComposeError> {
    let Parameters { version, tag, source_tag, prune, expires } = parameters;
    for text in std::iter::once(tag).chain(source_tag) {
        if !is_tag(text) {
            return Err(ComposeError::BadTag(text.clone()));
        }
    }
    let of_version: Vec<&Target<'_>> =
        published.iter().filter(|target| target.version() == Some(*version)).collect();
    if of_version.is_empty() {
        return Err(ComposeError::NoTargets(*version, None));
    }
    if let Some(current) = current {
        if *version <= current.metadata.version {
            return Err(ComposeError::NotAbove { wanted: *version, current: current.metadata.version });
        }
        // Before the source tag is looked at: fioctl refuses the version, whichever of its targets are wanted.
        if let Some(present) = of_version.iter().find(|target| current.get(&target.name).is_some()) {
            return Err(ComposeError::NamePresent(present.name.to_string()));
        }
    }
    let has_source_tag =
        |target: &&&Target<'_>| source_tag.as_ref().is_none_or(|tag| target.tags().any(|own| own == *tag));
    let new: Vec<&Target<'_>> = of_version.iter().filter(has_source_tag).copied().collect();
    if new.is_empty() {
        return Err(ComposeError::NoTargets(*version, source_tag.clone()));
    }
    if prune.contains(version) {
        return Err(ComposeError::PruneOwn(*version));
    }
    let kept = keep(current, prune)?;
    let mut out =
        Vec::with_capacity(kept.iter().chain(&new).map(|target| target.value.span().len() + 64).sum());
    out.extend_from_slice(
        format!("{{\"_type\":\"Targets\",\"expires\":\"{expires}\",\"targets\":{{").as_bytes(),
    );
    write_merged(&kept, &new, tag, &mut out)?;
    out.extend_from_slice(format!("}},\"version\":{version}}}").as_bytes());
    Ok(Composed {
        signed: out,
        without_delta: new.iter().filter(|target| !target.has_delta()).map(|t| t.name.to_string()).collect(),
        added: new.iter().map(|target| target.name.to_string()).collect(),
    })
}

/// The current targets that stay.
fn keep<'t, 'd>(
    current: Option<&'t Targets<'d>>,
    prune: &BTreeSet<u64>,
) -> Result<Vec<&'t Target<'d>>, ComposeError> {
    let all = current.map_or(&[][..], Targets::all);
    let mut missing = prune.clone();
    let mut kept = Vec::with_capacity(all.len());
    for target in all {
        match target.version() {
            Some(version) if prune.contains(&version) => {
                missing.remove(&version);
            }
            _ => kept.push(target),
        }
    }
    match missing.first() {
        Some(version) => Err(ComposeError::PruneMissing { version: *version, there: versions_of(all) }),
        None => Ok(kept),
    }
}

/// The versions of some targets, in words; of very many the newest.
fn versions_of(all: &[Target<'_>]) -> String {
    const LISTED: usize = 12;
    let versions: BTreeSet<u64> = all.iter().filter_map(Target::version).collect();
    let newest: Vec<String> = versions.iter().rev().take(LISTED).map(u64::to_string).collect();
    match versions.len() {
        0 => "There are none".to_owned(),
        count if count > LISTED => format!("There are {count}, the newest: {}", newest.join(", ")),
        _ => format!("There are: {}", newest.join(", ")),
    }
}

/// Writes two sorted runs of targets as one, the new ones with the device tag.
fn write_merged(
    kept: &[&Target<'_>],
    new: &[&Target<'_>],
    tag: &str,
    out: &mut Vec<u8>,
) -> Result<(), ComposeError> {
    let (mut kept, mut new) = (kept.iter().peekable(), new.iter().peekable());
    let mut first = true;
    loop {
        let take_new = match (kept.peek(), new.peek()) {
            (None, None) => return Ok(()),
            (Some(a), Some(b)) => b.name < a.name,
            (None, Some(_)) => true,
            (Some(_), None) => false,
        };
        let Some(target) = (if take_new { new.next() } else { kept.next() }) else { return Ok(()) };
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        canonical::write_string(&target.name, &mut |piece| out.extend_from_slice(piece));
        out.push(b':');
        if take_new {
            write_tagged(target, tag, out)?;
        } else {
            canonical::write(target.value, &mut |piece| out.extend_from_slice(piece));
        }
    }
}

/// Writes a target in canonical form with `custom.tags` replaced by the device tag.
pub(crate) fn write_tagged(target: &Target<'_>, tag: &str, out: &mut Vec<u8>) -> Result<(), ComposeError> {
    let no_custom = || ComposeError::NoCustom(target.name.to_string());
    let custom = target.custom().filter(|custom| custom.kind() == Kind::Object).ok_or_else(no_custom)?;
    let tags = format!("[{}]", canonical::string(tag));
    write_replaced(target.value, "custom", out, &mut |out| {
        write_replaced(custom, "tags", out, &mut |out| out.extend_from_slice(tags.as_bytes()));
    });
    Ok(())
}

/// Writes an object in canonical form with one member's value written by `replacement`; adds the member if it is not
/// there.
fn write_replaced(
    object: Value<'_>,
    key: &str,
    out: &mut Vec<u8>,
    replacement: &mut dyn FnMut(&mut Vec<u8>),
) {
    let mut members: Vec<_> = object.members().map(|(name, value)| (name.text(), Some(value))).collect();
    if !members.iter().any(|(name, _)| name == key) {
        members.push((key.into(), None));
    }
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    out.push(b'{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        canonical::write_string(&name, &mut |piece| out.extend_from_slice(piece));
        out.push(b':');
        match value {
            Some(value) if name != key => canonical::write(value, &mut |piece| out.extend_from_slice(piece)),
            _ => replacement(out),
        }
    }
    out.push(b'}');
}
