//! Names: each short enough to be shown whole wherever it stands, and those that clients make file names of inside their
//! folder.

use super::findings::Findings;
use super::subject::{Subject, place, target_place};
use crate::json::{Kind, Value, step, step_index};
use crate::text::{Foreign, LONGEST, shown};
use crate::tuf::Target;

/// The longest name of a target that is of use: a device keeps it as a file name, a client as a path below its folder.
const LONGEST_FILE: usize = 255;
const LONGEST_PATH: usize = 1024;

/// Members of `custom` whose texts are names.
const NAMES: [&str; 4] = ["name", "version", "hardwareIds", "tags"];

pub(super) fn names(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let most = if subject.has_service() { LONGEST_FILE } else { LONGEST_PATH };
    for target in subject.situation.proposal.all() {
        if target.name.len() > most {
            let what = format!(
                "it has {} bytes, and {} take at most {most}",
                target.name.len(),
                subject.dialect().readers()
            );
            unusable(target, &what, out);
        } else if let Some(why) = leaves_the_folder(&target.name, subject.has_service()) {
            unusable(target, why, out);
        }
        let texts = NAMES.iter().filter_map(|member| Some((*member, target.member(member)?)));
        for (member, value) in texts.filter(|(_, value)| value.span().len() > LONGEST) {
            let listed = std::iter::once(value).filter(|one| one.kind() == Kind::String).chain(value.items());
            for text in listed.filter_map(|one| one.as_str()).filter(|text| text.len() > LONGEST) {
                out.block(
                    || target_place(target, &format!("custom.{member}")),
                    || too_long("The name", &text),
                );
            }
        }
    }
    let signed = subject.situation.proposal.metadata.signed;
    if !subject.has_service() {
        delegated(signed, out);
    }
    let mut walk = Walk { file: shown(signed.document().name()), path: "signed".to_owned(), out };
    walk.keys(signed, 0);
}

/// Whom a repository's metadata would trust, and with what, is read by name: roles, patterns of paths, prefixes.
fn delegated(signed: Value<'_>, out: &mut Findings<'_>) {
    let Some(delegations) = signed.get("delegations") else { return };
    let mut texts: Vec<Value<'_>> = Vec::new();
    texts.extend(delegations.get("succinct_roles").and_then(|bins| bins.get("name_prefix")));
    for role in delegations.get("roles").iter().flat_map(|roles| roles.items()) {
        texts.extend(role.get("name"));
        for list in [role.get("paths"), role.get("path_hash_prefixes")].iter().flatten() {
            texts.extend(list.items());
        }
    }
    for text in texts.into_iter().filter(|text| text.span().len() > LONGEST) {
        let name = text.as_str().unwrap_or_default();
        if name.len() > LONGEST {
            out.block(|| place(text), || too_long("The name", &name));
        }
    }
}

fn unusable(target: &Target<'_>, why: &str, out: &mut Findings<'_>) {
    out.block(
        || target_place(target, ""),
        || {
            format!(
                "The target's name \"{}\" cannot be used: {why}. Do not sign: have it published under another name.",
                Foreign(&target.name)
            )
        },
    );
}

fn too_long(what: &str, text: &str) -> String {
    format!(
        "{what} \"{}\" is longer than {LONGEST} bytes, and nobody reads that. Do not sign: have it published under another.",
        Foreign(text)
    )
}

/// Why a target's name is no path below a client's folder. A Factory's target is no file: its name only has to be one.
fn leaves_the_folder(name: &str, has_service: bool) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if has_service {
        return None;
    }
    let is_drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    match name {
        _ if name.starts_with('/') || is_drive => Some("it begins at the top of the file system"),
        _ if name.contains('\\') => Some("it has a backslash, which leads out of the folder on some systems"),
        _ if name.split('/').any(|part| part == "..") => {
            Some("it leads out of the folder that clients download into")
        }
        _ if name.split('/').any(|part| part.is_empty() || part == ".") => {
            Some("a part of the path is empty or a dot, which clients write in different ways")
        }
        _ => None,
    }
}

/// Looks at every key of `signed` but the targets' names.
struct Walk<'w, 'p> {
    file: String,
    path: String,
    out: &'w mut Findings<'p>,
}

impl Walk<'_, '_> {
    fn keys(&mut self, value: Value<'_>, depth: usize) {
        // No longer key stands in a shorter value.
        if value.span().len() <= LONGEST {
            return;
        }
        for (key, inner) in value.members() {
            let length = self.path.len();
            step(&mut self.path, &key.text());
            let is_target = depth == 1 && self.path.starts_with("signed.targets");
            if key.value().span().len() > LONGEST + 2 && !is_target && key.text().len() > LONGEST {
                let Walk { file, path, out } = self;
                out.block(|| format!("{file}: {path}"), || too_long("The name", &key.text()));
            }
            self.keys(inner, depth + 1);
            self.path.truncate(length);
        }
        for (index, item) in value.items().enumerate() {
            let length = self.path.len();
            step_index(&mut self.path, index);
            self.keys(item, depth + 1);
            self.path.truncate(length);
        }
    }
}
