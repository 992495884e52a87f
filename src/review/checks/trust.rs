//! Trust: are the keys that vouch for this still the right ones, and did they really sign?

use super::findings::Findings;
use super::subject::{Subject, manifest_place, names, nowhere, place, root_place};
use crate::bundle::RequestKind;
use crate::bundle::manifest::CI_FILE;
use crate::review::situation::{BaselineSource, Carried, CiTargets, Vouched};
use crate::text::Foreign;
use crate::tuf::root::only_in;
use crate::tuf::signature::{Assessed, Worth, count, problems};
use crate::tuf::{KeyId, Message, Root};
use std::collections::BTreeSet;

/// The chain itself was verified when it was extended; here it is held against the request and the station's memory.
pub(super) fn root_chain(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let (situation, newest) = (subject.situation, subject.root());
    let at = || root_place(newest, "version");
    if let Err(e) = newest.require_reachable_thresholds() {
        out.block(|| root_place(newest, "roles"), || format!("{e}."));
    }
    if situation.acknowledged_root > newest.version {
        out.block(at, || {
            format!(
                "This station signed under production root {} before, but the newest root that it has now is {}: it was \
                 set back. Restore the station from its newest copy.",
                situation.acknowledged_root, newest.version
            )
        });
    }
    match situation.request_root {
        Some(brought) if brought < newest.version => out.warn(at, || {
            format!(
                "The request was made under production root {brought}; this station already trusts root {}. Download \
                 the roots again and make a new request, unless you know why it is old.",
                newest.version
            )
        }),
        Some(brought) if brought > newest.version => out.block(at, || {
            format!(
                "The request brings production root {brought}, which this station did not accept (its newest is {}). \
                 Import the request again.",
                newest.version
            )
        }),
        // A rotation could hide behind it.
        None if situation.carried == Carried::Folder => {
            let message = || {
                format!(
                    "The request brings no production root, so nothing shows that root {} is still the newest. Download \
                     the roots and make the request again.",
                    newest.version
                )
            };
            let at = || manifest_place("files");
            if subject.has_service() { out.block(at, message) } else { out.note(at, message) }
        }
        _ => {}
    }
}

/// From which log the marks of a new station come.
pub(super) fn continued_log(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let Some(log) = subject.situation.continues else { return };
    out.report(nowhere, || {
        format!(
            "This is the first signature of a station that continues the log {}: what that station signed and saw is \
             known here from its evidence pack, up to that size.",
            Foreign(log)
        )
    });
}

pub(super) fn root_expired(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let newest = subject.root();
    if newest.expires <= subject.situation.now {
        out.report(
            || root_place(newest, "expires"),
            || {
                format!(
                    "Production root {} expired on {}: devices take nothing until there is a newer one. Have the \
                     root's owners publish it, then make a new request.",
                    newest.version, newest.expires
                )
            },
        );
    }
}

pub(super) fn root_expires_soon(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let (situation, newest) = (subject.situation, subject.root());
    let days = situation.policy.root_expires_soon_days;
    let is_soon = newest.expires <= situation.now.plus_days(i64::from(days));
    if is_soon && newest.expires > situation.now {
        out.report(
            || root_place(newest, "expires"),
            || {
                format!(
                    "Production root {} expires on {}, which is within the {days} days of the policy. Ask the root's \
                     owners to renew it: devices take nothing after that day.",
                    newest.version, newest.expires
                )
            },
        );
    }
}

/// Says what changed since the officer last signed: keys, owners, thresholds, role by role.
pub(super) fn root_rotated(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let (situation, newest) = (subject.situation, subject.root());
    if situation.acknowledged_root >= newest.version {
        return;
    }
    let at = || root_place(newest, "version");
    let Some(before) = situation.chain.version(situation.acknowledged_root) else {
        out.report(at, || {
            format!(
                "The production root is now version {}; root {}, under which you last signed, is not in the chain, so \
                 the change cannot be shown. Compare the keys with what the root's owners announced.",
                newest.version, situation.acknowledged_root
            )
        });
        return;
    };
    let reasons: Vec<String> = (before.version + 1..=newest.version)
        .filter_map(|version| situation.chain.version(version))
        .filter_map(|root| Some(format!("root {}: \"{}\"", root.version, Foreign(root.change.as_ref()?))))
        .collect();
    let reason = if reasons.is_empty() {
        "They give no reason".to_owned()
    } else {
        format!("The reason they give: {}", reasons.join(", "))
    };
    let roles: BTreeSet<&String> = before.roles.keys().chain(newest.roles.keys()).collect();
    let changes: Vec<(&String, String)> = roles
        .into_iter()
        .map(|name| (name, role_changes(subject, before, newest, name)))
        .filter(|(_, changes)| !changes.is_empty())
        .collect();
    out.report(at, || {
        let what = if changes.is_empty() { ", with the same keys, owners and thresholds" } else { "" };
        format!(
            "The production root changed from version {} to {} since you last signed{what}; it expires on {}. {reason}. \
             Sign only if the root's owners announced this change to you in another way.",
            before.version, newest.version, newest.expires
        )
    });
    for (name, changes) in changes {
        out.report(
            || root_place(newest, &format!("roles.{}", Foreign(name))),
            || format!("The role \"{}\" changed: {changes}.", Foreign(name)),
        );
    }
}

/// The changes of one role in words; nothing when there are none.
fn role_changes(subject: &Subject<'_, '_>, before: &Root, after: &Root, role: &str) -> String {
    let (old, new) = (before.roles.get(role), after.roles.get(role));
    let (old_ids, new_ids) = (before.keyids(role), after.keyids(role));
    let mut said = Vec::new();
    match (old, new) {
        (None, Some(_)) => said.push("the role is new".to_owned()),
        (Some(_), None) => said.push("the role is gone".to_owned()),
        (Some(old), Some(new)) if old.threshold != new.threshold => {
            said.push(format!("the threshold went from {} to {}", old.threshold, new.threshold));
        }
        _ => {}
    }
    for keyid in only_in(new_ids, old_ids) {
        said.push(format!("key {} was added", subject.key(after, keyid)));
    }
    for keyid in only_in(old_ids, new_ids) {
        said.push(format!("key {} was removed", subject.key(before, keyid)));
    }
    let kept: BTreeSet<&KeyId> = old_ids.iter().collect();
    for keyid in new_ids.iter().filter(|keyid| kept.contains(keyid)) {
        if before.keys.get(keyid) != after.keys.get(keyid) {
            said.push(format!("key {} has another value under the same id", subject.key(after, keyid)));
        }
        if before.owner(keyid) != after.owner(keyid) {
            said.push(format!("key {} has another owner than before", subject.key(after, keyid)));
        }
    }
    said.join("; ")
}

pub(super) fn key_in_role(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let (situation, newest) = (subject.situation, subject.root());
    let listed = newest.keyids(subject.role());
    let at = || format!("{}.keyids", subject.role_place());
    if situation.at_station && !situation.own_keys.iter().any(|keyid| listed.contains(keyid)) {
        out.report(at, || {
            format!(
                "No key in this station's vault is a {} key of production root {}: a signature would count for \
                 nothing. Import the key that the root lists (countersign key import), or a request with the newer root.",
                Foreign(subject.role()),
                newest.version
            )
        });
    }
    if let Some(online) = situation.online_key.filter(|online| !listed.contains(online)) {
        out.report(at, || {
            if !situation.at_station {
                return format!(
                    "ci-targets.pub is the key {online}, which is not a targets key of production root {}: the two are of \
                     different Factories, or one of them is old. Download both again.",
                    newest.version
                );
            }
            format!(
                "The pinned online key {online} is not a targets key of production root {}. If the service's key was \
                 rotated, pin the new one (countersign trust online-key FILE).",
                newest.version
            )
        });
    }
}

pub(super) fn key_is_online(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let (situation, newest) = (subject.situation, subject.root());
    let Some(online_id) = situation.online_key else { return };
    let online = newest.keys.get(online_id);
    for keyid in situation.own_keys {
        let same_value = online.is_some() && newest.keys.get(keyid) == online;
        if keyid == online_id || same_value {
            out.report(
                || root_place(newest, "roles.targets.keyids"),
                || {
                    format!(
                        "Key {keyid} of this station is the service's online key. The Factory's own approval would be no \
                         second signature. Retire it here, and have the online key rotated: it must not leave the service."
                    )
                },
            );
        }
    }
}

/// The pinned online key, if it should have signed validly and has not.
fn lacks_online<'s>(subject: &Subject<'s, '_>, signatures: &[Assessed]) -> Option<&'s KeyId> {
    let online = subject.situation.online_key?;
    let by_it = |one: &Assessed| one.worth == Worth::Counts && one.signature.keyid == *online;
    (!signatures.iter().any(by_it)).then_some(online)
}

fn said(signatures: &[Assessed]) -> String {
    let problems = problems(signatures);
    if problems.is_empty() { String::new() } else { format!(" ({})", problems.join("; ")) }
}

pub(super) fn baseline_threshold(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let Some(baseline) = &subject.situation.baseline else { return };
    // What is compared with the station's own record needs nobody else's word.
    if baseline.source == BaselineSource::Station {
        return;
    }
    let newest = subject.root();
    let at = || place(baseline.targets.metadata.signed).replace(": signed", ": signatures");
    if let Some(online) = lacks_online(subject, &baseline.signatures) {
        return out.block(at, || {
            format!(
                "The production targets in the request have no valid signature by the service's online key {online}{}, so \
                 nothing shows that production runs them. Download them again.",
                said(&baseline.signatures)
            )
        });
    }
    let (valid, needed) = (count(&baseline.signatures), newest.threshold(subject.role()));
    if valid >= needed {
        return;
    }
    let carries = || {
        format!(
            "The {} in the request carry {valid} of the {needed} valid signatures that root {} asks for{}",
            subject.current_targets(),
            newest.version,
            said(&baseline.signatures)
        )
    };
    // Where nobody vouches for it, everything that the station's record lacks is shown as added and checked as such.
    let may_be_signed = subject.is(RequestKind::Resign) || !subject.has_service();
    let recorded = subject.situation.vouched() == Some(Vouched::Record);
    match baseline.older_root {
        Some(older) if may_be_signed && !subject.situation.at_station => out.warn(at, || {
            format!(
                "{}. Only the older root {older} is content with them: the station holds them against its own record, and \
                 shows as added what that does not have.",
                carries()
            )
        }),
        _ if recorded && may_be_signed => out.note(at, || {
            format!("{}. This station's own record vouches for them, byte for byte.", carries())
        }),
        Some(older) if may_be_signed => out.warn(at, || {
            format!(
                "{}. Only the older root {older} is content with them, and a key that was retired since may be a stolen \
                 one: what this station did not sign or see itself is shown as added. Read all of it.",
                carries()
            )
        }),
        _ => out.block(at, || {
            format!(
                "{}, so they are not what {} accept. Download them again.",
                carries(),
                newest.dialect.readers()
            )
        }),
    }
}

pub(super) fn ci_signature(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let Some(ci) = &subject.situation.ci else { return };
    let at = || place(ci.targets.metadata.signed).replace(": signed", ": signatures");
    if let Some(online) = lacks_online(subject, &ci.signatures) {
        out.report(at, || {
            format!(
                "The CI targets have no valid signature by the pinned online key {online}{}, so nothing shows that CI \
                 published them. Download them again; if the service's key was rotated, pin the new one (countersign \
                 trust online-key FILE).",
                said(&ci.signatures)
            )
        });
    } else if count(&ci.signatures) < ci.signatures.len() {
        out.warn(at, || {
            format!(
                "The CI targets are signed by the online key, but carry other signatures that do not count{}. Find out \
                 who made them.",
                said(&ci.signatures)
            )
        });
    }
    if let Some(why) = subject.situation.not_by_ci() {
        out.block(at, || {
            format!(
                "ci-targets.json is not what CI publishes: {why}. The service signs waves and production's targets with the same \
                 key. Download CI's targets again, without ?production=1, and find out who made this request."
            )
        });
    }
    older_ci(subject, ci, out);
    if ci.targets.metadata.expiry().is_some_and(|expires| expires <= subject.situation.now) {
        out.warn(
            || place(ci.targets.metadata.signed.get("expires").unwrap_or(ci.targets.metadata.signed)),
            || {
                format!(
                    "The CI targets expired on {}: they may be an old copy. Download them again.",
                    Foreign(&ci.targets.metadata.expires)
                )
            },
        );
    }
}

/// CI targets that are older than, or other than, the newest that this station has seen.
fn older_ci(subject: &Subject<'_, '_>, ci: &CiTargets<'_>, out: &mut Findings<'_>) {
    let Some(seen) = subject.situation.memory.files.get(CI_FILE) else { return };
    let (version, signed) = (ci.targets.metadata.version, ci.targets.metadata.signed);
    let at = || place(signed.get("version").unwrap_or(signed));
    if seen.version > version {
        out.warn(at, || {
            format!(
                "The CI targets are version {version}, but this station has seen version {}: they are an old copy, and may \
                 hold what CI withdrew since. Download them again.",
                seen.version
            )
        });
    } else if seen.version == version
        && ci.targets.metadata.message().is_ok_and(|message| message.digest().to_string() != seen.signed)
    {
        out.warn(at, || {
            format!(
                "The CI targets have another content than those of version {version} that this station saw before: one of \
                 the two is not what CI published. Find out who signed it."
            )
        });
    }
}

/// A device rejects the whole file at a duplicate or an unknown method, and an invalid signature was made over
/// something else; so none of these is passed on. One by a key that nobody lists is left out of the signed bundle.
pub(super) fn existing_signatures(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let (situation, readers) = (subject.situation, subject.dialect().readers());
    for (index, one) in situation.signatures.iter().enumerate() {
        let keyid = &one.signature.keyid;
        let at = || format!("targets.json: signatures[{index}]");
        match &one.worth {
            Worth::Counts if one.other_salt => out.note(at, || {
                format!(
                    "The signature by key {keyid} is RSASSA-PSS with a salt that is not as long as the hash. python-tuf counts \
                     it, and so does this review; tough and others refuse it. Have the tool that made it mended."
                )
            }),
            Worth::Counts => {}
            Worth::Unverifiable => out.note(at, || {
                format!(
                    "The signature by key {keyid} was not verified: the key is of a type that is not known here. It is kept, and \
                     does not count."
                )
            }),
            Worth::Unknown => left_out(subject, one, index, out),
            Worth::Duplicate => out.block(at, || {
                format!(
                    "Key {keyid} stands twice among the signatures, and {readers} reject the whole file for that. Have the \
                     second one taken out."
                )
            }),
            Worth::UnsupportedMethod => out.block(at, || {
                let method = match &one.signature.method {
                    Some(method) => format!("names the method \"{}\"", Foreign(method)),
                    None => "names no method".to_owned(),
                };
                format!(
                    "The signature by key {keyid} {method}, and devices reject the whole file for that. Have it taken out."
                )
            }),
            Worth::Invalid(why) => out.block(at, || {
                format!(
                    "The signature by key {keyid} does not hold: {why}. It was made over another content or by another \
                     key; have it taken out, or find the content that it belongs to."
                )
            }),
        }
        let strange = &one.signature.strange_members;
        if !strange.is_empty() {
            out.warn(at, || {
                format!(
                    "The signature by key {keyid} has members that are no part of a signature: {}. They are left out of the \
                     signed bundle.",
                    names(strange.iter().map(String::as_str))
                )
            });
        }
    }
    copied_keys(subject, out);
}

/// A signature by a key that the role does not list: a retired key's leftover, or a stranger's.
fn left_out(subject: &Subject<'_, '_>, one: &Assessed, index: usize, out: &mut Findings<'_>) {
    let (keyid, newest) = (&one.signature.keyid, subject.root());
    let at = || format!("targets.json: signatures[{index}]");
    let retired = (subject.situation.chain.roots().iter().rev())
        .find(|root| root.key_in_role(subject.role(), keyid).is_some())
        .map(|root| root.version);
    match retired {
        Some(version) => out.note(at, || {
            format!(
                "The signature by key {keyid} is by one that root {version} listed and root {} does not list any more. It is \
                 left out of the signed bundle.",
                newest.version
            )
        }),
        None => out.warn(at, || {
            format!(
                "The signature by key {keyid} is by no {} key of production root {}. It is left out of the signed bundle; \
                 find out who made it.",
                Foreign(subject.role()),
                newest.version
            )
        }),
    }
}

/// A signature by a key that is or was in this station's vault, over content that this log does not have: a copy of the
/// key was used. What another tool signed before the key came here is told by the version: it is not above what this
/// station signed with it for the tag.
fn copied_keys(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let situation = subject.situation;
    let made = |keyid: &KeyId, digest: &str| situation.memory.made(keyid, digest);
    let digest = subject.digest.to_string();
    // What this station saw in production may carry what another tool signed before the key came here.
    let is_seen = situation.history.seen_as_production(&digest);
    let is_unknown = |one: &&Assessed| {
        let keyid = &one.signature.keyid;
        let is_explained = is_seen || made(keyid, &digest);
        situation.memory.had(keyid) && !is_explained && may_be_by(subject, one, situation.message)
    };
    for one in situation.signatures.iter().filter(is_unknown) {
        out.block(
            || "targets.json: signatures".to_owned(),
            || copied(&one.signature.keyid, "it already carries"),
        );
    }
    let Some(baseline) = situation.baseline.as_ref().filter(|one| one.source == BaselineSource::Request)
    else {
        return;
    };
    let (version, digest) = (baseline.targets.metadata.version, baseline.digest.to_string());
    let Ok(message) = baseline.targets.metadata.message() else { return };
    for one in &baseline.signatures {
        let keyid = &one.signature.keyid;
        let is_later = situation
            .history
            .signed
            .iter()
            .any(|mark| mark.keyid == keyid.as_str() && mark.version < version);
        if is_later && !made(keyid, &digest) && may_be_by(subject, one, &message) {
            out.block(
                || "current.json: signatures".to_owned(),
                || copied(keyid, "production's targets of today carry"),
            );
        }
    }
}

fn copied(keyid: &KeyId, what: &str) -> String {
    format!(
        "Your key may be copied: {what} a signature by key {keyid}, which is or was in this station's vault, over content \
         that this station's log does not have. Sign nothing: docs/ceremony.md, script 5. If another tool made it before \
         the key came here, make the request without it."
    )
}

/// Did this key make the signature? Of a key that no root lists any more nobody can tell otherwise.
fn may_be_by(subject: &Subject<'_, '_>, one: &Assessed, message: &Message<'_>) -> bool {
    match one.worth {
        Worth::Counts => return true,
        Worth::Invalid(_) | Worth::Duplicate | Worth::Unverifiable => return false,
        Worth::Unknown | Worth::UnsupportedMethod => {}
    }
    let roots = subject.situation.chain.roots().iter().rev();
    let key = roots.filter_map(|root| root.keys.get(&one.signature.keyid)).next();
    let Ok(value) = &one.signature.value else { return false };
    key.is_none_or(|key| key.verify(message.bytes(), value))
}

/// Who has signed, and who still has to after this station.
pub(super) fn threshold_outlook(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let (situation, newest) = (subject.situation, subject.root());
    let (readers, needed) = (newest.dialect.readers(), newest.threshold(subject.role()));
    let listed = newest.keyids(subject.role());
    let signed: Vec<&KeyId> = situation
        .signatures
        .iter()
        .filter(|one| one.worth == Worth::Counts)
        .map(|one| &one.signature.keyid)
        .collect();
    let ours = situation.own_keys.iter().find(|keyid| listed.contains(keyid) && !signed.contains(keyid));
    let have = signed.len() + usize::from(ours.is_some());
    let at = || if needed == usize::MAX { nowhere() } else { subject.role_place() };
    let by = |keyids: &mut dyn Iterator<Item = &KeyId>| -> String {
        keyids.map(|keyid| subject.key(newest, keyid)).collect::<Vec<_>>().join(", ")
    };
    out.report(at, || {
        let before = if signed.is_empty() {
            "Nobody has signed yet".to_owned()
        } else {
            format!("Signed already by {}", by(&mut signed.iter().copied()))
        };
        let with_ours = match ours {
            Some(_) => "with this station's signature",
            None if !situation.at_station => "so far",
            None => "this station has no key that could add one, so",
        };
        let are = if have == 1 { "is" } else { "are" };
        let missing = needed.saturating_sub(have);
        let open = by(&mut listed.iter().filter(|keyid| !signed.contains(keyid) && Some(*keyid) != ours));
        let rest = match missing {
            0 => format!("that is enough for {readers}"),
            1 => format!("1 is still missing, from {open}"),
            _ => format!("{missing} are still missing, from {open}"),
        };
        let upper = readers.get(..1).unwrap_or_default().to_ascii_uppercase();
        let asks = format!("{upper}{} ask for {needed} signatures", readers.get(1..).unwrap_or_default());
        format!("{asks}. {before}; {with_ours} there {are} {have}; {rest}.")
    });
}
