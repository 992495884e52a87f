//! Heads of a station's log on their way back to it: `anchors/<name>.note` in a request (C2SP signed notes, each a
//! checkpoint with the log's own signature and any number of cosignatures).
//!
//! What a note is worth is for the station to judge; here only its size and its place are looked at.

use super::{BundleError, FileFacts};
use crate::host::Disk;
use crate::host::disk::Kind;
use crate::text::shown_path;
use crate::tlog::note::Note;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of a request in which anchors lie.
const FOLDER: &str = "anchors/";
/// The end of an anchor's name.
const END: &str = ".note";
/// The most anchors of a request.
pub(crate) const MOST_ANCHORS: usize = 16;
/// The most bytes of an anchor.
pub(crate) const LARGEST_ANCHOR: u64 = 64 << 10;
/// The head of the log in a signed bundle.
pub(crate) const HEAD_FILE: &str = "log/checkpoint";
/// The proofs in a signed bundle that this head continues earlier ones, each named by the earlier size.
pub(crate) const CONSISTENCY: &str = "log/consistency/";

/// Is this file of a request an anchor, by its name?
pub(crate) fn is_anchor(name: &str) -> bool {
    name.starts_with(FOLDER)
}

/// Checks the names, the number and the sizes of a request's anchors, as its manifest lists them.
///
/// # Errors
/// Too many, too large, or another file in their folder.
pub(crate) fn check(listed: &BTreeMap<String, FileFacts>) -> Result<(), BundleError> {
    let fail = |file: &str, why: String| BundleError::NotWhole { file: crate::text::shown(file), why };
    let anchors = || listed.iter().filter(|(name, _)| is_anchor(name));
    if anchors().count() > MOST_ANCHORS {
        return Err(fail(FOLDER, format!("it brings more than {MOST_ANCHORS} heads of the log")));
    }
    for (name, facts) in anchors() {
        if !name.ends_with(END) {
            return Err(fail(name, format!("a head of the log has a name that ends in {END}")));
        }
        if facts.length > LARGEST_ANCHOR {
            return Err(fail(
                name,
                format!("it has {} bytes, and a head of the log has at most {LARGEST_ANCHOR}", facts.length),
            ));
        }
    }
    Ok(())
}

/// Reads anchors for a request: notes, or signed bundles, whose `log/checkpoint` is taken. The same note twice is one.
/// Returns the files of the request.
///
/// # Errors
/// A file cannot be read, is larger than an anchor may be or no signed note, or there are too many.
pub(crate) fn collect(disk: &dyn Disk, paths: &[PathBuf]) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let mut files = BTreeMap::new();
    for path in paths {
        let bytes = read(disk, path)?;
        if files.values().any(|known: &Vec<u8>| *known == bytes) {
            continue;
        }
        files.insert(format!("{FOLDER}{:02}{END}", files.len() + 1), bytes);
    }
    if files.len() > MOST_ANCHORS {
        return Err(BundleError::NotABundle {
            path: format!("{} anchors", files.len()),
            why: format!("a request carries at most {MOST_ANCHORS}. Give the newest of each witness"),
        });
    }
    Ok(files)
}

/// Reads one anchor: a note, or the head in a signed bundle's folder.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, BundleError> {
    let bytes = match disk.kind(path)? {
        Some(Kind::Folder) => disk.read_beneath(path, HEAD_FILE, LARGEST_ANCHOR)?,
        _ => disk.read(path, LARGEST_ANCHOR)?.into(),
    };
    Note::parse(&bytes).map_err(|flaw| BundleError::NotABundle {
        path: shown_path(path),
        why: format!(
            "it is no signed head of a log: {}. Give log/checkpoint of a signed bundle, or a witness's note",
            flaw.detail
        ),
    })?;
    Ok(bytes.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::RealDisk;

    const NOTE: &str = "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} o AAAAAAAA\n";

    #[test]
    fn a_note_and_a_bundle_with_the_same_head_are_one_anchor() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, bundle) = (folder.path().join("head"), folder.path().join("bundle"));
        std::fs::write(&file, NOTE).expect("written");
        std::fs::create_dir_all(bundle.join("log")).expect("made");
        std::fs::write(bundle.join("log/checkpoint"), NOTE).expect("written");
        let files = collect(&RealDisk, &[file.clone(), bundle]).expect("anchors");
        assert_eq!(
            files.into_iter().collect::<Vec<_>>(),
            [("anchors/01.note".to_owned(), NOTE.as_bytes().to_vec())]
        );
        let many: Vec<PathBuf> = (0..=MOST_ANCHORS)
            .map(|n| {
                let path = folder.path().join(n.to_string());
                std::fs::write(&path, NOTE.replace("o\n1", &format!("o\n{n}"))).expect("written");
                path
            })
            .collect();
        collect(&RealDisk, &many).expect_err("too many");
        collect(&RealDisk, &many[1..]).expect("as many as may be");
        std::fs::write(&file, "nothing").expect("written");
        collect(&RealDisk, &[file]).expect_err("no note");
    }

    #[test]
    fn what_is_too_much_for_an_anchor_is_refused_by_the_manifest_alone() {
        let facts = |length| FileFacts { length, sha256: "00".repeat(32) };
        let listed = |name: &str, length| BTreeMap::from([(name.to_owned(), facts(length))]);
        check(&listed("anchors/a.note", LARGEST_ANCHOR)).expect("fits");
        check(&listed("anchors/a.note", LARGEST_ANCHOR + 1)).expect_err("too large");
        check(&listed("anchors/a.json", 1)).expect_err("another file");
        check(&listed("anchors.json", 1 << 40)).expect("no anchor");
        let many = |count: usize| (0..count).map(|n| (format!("anchors/{n}.note"), facts(1))).collect();
        check(&many(MOST_ANCHORS)).expect("fits");
        check(&many(MOST_ANCHORS + 1)).expect_err("too many");
    }
}
