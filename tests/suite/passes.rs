//! How often each command of a ceremony goes over a large file: counted at the disk, once for each that it needs.

use crate::common;
use crate::support::counting_disk;

use common::{Desk, fixture};
use counting_disk::{Counting, Passes};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes from which a file is counted.
const LARGE: u64 = 2_500;

const READ: Passes = Passes { reads: 1, writes: 0 };
const WRITTEN: Passes = Passes { reads: 0, writes: 1 };

fn all(folder: &Path, names: &[&str], passes: Passes) -> Vec<(PathBuf, Passes)> {
    names.iter().map(|name| (folder.join(name), passes)).collect()
}

/// The files that hold targets: requests, bundles and the log's objects have them.
fn of_targets(counts: BTreeMap<PathBuf, Passes>) -> Vec<(PathBuf, Passes)> {
    let names = ["targets.json", "ci-targets.json", "current.json", "wave-create.json"];
    let holds = |path: &Path| {
        path.parent().is_some_and(|folder| folder.ends_with("objects/sha256"))
            || names.iter().any(|name| path.ends_with(name))
    };
    counts.into_iter().filter(|(path, _)| holds(path)).collect()
}

#[test]
fn each_command_reads_and_writes_a_large_file_once() {
    let mut desk = Desk::new();
    let disk = Arc::new(Counting::default());
    desk.host.disk = disk.clone();
    desk.init("acme", "acme-gateway", "2-update");
    desk.add_officer("ann");
    desk.import_key(&fixture("acme/targets.keys.tgz"), "ann", "1");
    let request = desk.request(&fixture("acme/2-update"), "acme-gateway", "v2.0-update", 42, &[]);
    let files = ["ci-targets.json", "current.json", "targets.json"];
    let objects = desk.station().join("log/objects/sha256");
    let made = desk.run(&["--json", "log", "show", "--type", "station.created"]).done().json()[0].clone();
    // The policy in force says how many witnesses are asked for: it is read when the station is opened.
    let policy = all(&objects, &[made["policy"].as_str().expect("a digest")], READ);
    disk.take(LARGE);

    let imported = desk.run(&["--json", "import", common::text(&request)]).done().json();
    let id = imported["request"].as_str().expect("a digest").to_owned();
    let stored = desk.station().join("requests").join(&id).join("request");
    let mut counts = of_targets(disk.take(LARGE));
    counts.retain(|one| !policy.contains(one));
    let (kept, rest): (Vec<_>, Vec<_>) = counts.into_iter().partition(|(path, _)| path.starts_with(&objects));
    // What is to be signed and what was proven, by digest.
    assert_eq!(kept.iter().map(|(_, passes)| *passes).collect::<Vec<_>>(), [WRITTEN, WRITTEN]);
    let mut wanted = all(&request, &files, READ);
    wanted.extend(all(&stored, &files, WRITTEN));
    assert_eq!(rest, wanted);

    let review = desk.run(&["--json", "review", &id]).done().json();
    let of_request = |counts: Vec<(PathBuf, Passes)>| -> Vec<_> {
        counts.into_iter().filter(|(path, _)| path.starts_with(&stored)).collect()
    };
    assert_eq!(of_request(of_targets(disk.take(LARGE))), all(&stored, &files, READ));

    desk.sign(&id, &review, "ann", &[]).done();
    let counts = disk.take(LARGE);
    // One walk over the log answers everything that is asked of it.
    assert_eq!(counts[&desk.station().join("log/events/000000.jsonl")].reads, 1);
    assert_eq!(of_request(of_targets(counts)), all(&stored, &files, READ));

    let bundle = desk.export(&id, "signed");
    let counts = of_targets(disk.take(LARGE));
    // The evidence stays where it is; what was written is read back.
    let mut wanted =
        all(&bundle, &["targets.json", "upload/wave-create.json"], Passes { reads: 1, writes: 1 });
    wanted.extend(all(&stored, &["targets.json"], READ));
    // The review comes out of the log's objects.
    let kept = desk.run(&["--json", "log", "show", "--type", "review.kept"]).done().json()[0].clone();
    let kept = ["text", "html"].map(|face| kept[face].as_str().expect("a digest").to_owned());
    wanted.extend(all(&objects, &[&kept[0], &kept[1]], READ));
    wanted.extend(policy.clone());
    assert_eq!(counts.into_iter().collect::<BTreeMap<_, _>>(), wanted.into_iter().collect());

    disk.take(LARGE);
    desk.run(&["status"]).done();
    assert_eq!(of_targets(disk.take(LARGE)), policy);
}
