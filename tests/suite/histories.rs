//! Every prefix of a history of ten waves, resumed as a copy: which heads stop it before it signs a second truth, and
//! which do not. The figures stand in docs/threat-model.md.

use crate::common::{Desk, copy_folder, read, text};
use crate::support::witness::Witness;
use countersign::testing::cli::Exit;
use countersign::testing::host::RealDisk;
use countersign::testing::host::clock::Time;
use countersign::testing::rehearsal::Factory;
use countersign::testing::tlog::VerifierKey;
use std::path::{Path, PathBuf};

const WAVES: usize = 10;
const DAY: i64 = 86_400;

/// A history: the station after each wave, the bundles, and the notes that a witness cosigned of their heads.
struct History {
    desk: Desk,
    stations: Vec<PathBuf>,
    bundles: Vec<PathBuf>,
    notes: Vec<PathBuf>,
    /// When it ended.
    end: i64,
}

fn start() -> i64 {
    Time::parse(crate::common::NOW).expect("a time").unix()
}

fn set(desk: &Desk, unix: i64) {
    desk.clock.set(&Time::from_unix(unix).to_string());
}

/// The request for a wave, from what was downloaded before it; `expires` makes it the same or another content.
fn request(desk: &Desk, name: &str, wave: usize, expires: &str, anchors: &[&Path]) -> PathBuf {
    let (from, out) = (desk.path(&format!("downloads-{wave}")), desk.path(name));
    let (title, version) = (format!("wave-{wave}"), wave.to_string());
    let mut arguments = vec!["request", "--from", text(&from), "--factory", "acme", "--wave", &title];
    arguments.extend([
        "--version",
        &version,
        "--tag",
        "production",
        "--expires",
        expires,
        "--out",
        text(&out),
    ]);
    for anchor in anchors {
        arguments.extend(["--anchor", text(anchor)]);
    }
    desk.run(&arguments).done();
    out
}

const SAME: &str = "2027-11-23T00:00:00Z";
const OTHER: &str = "2027-10-01T00:00:00Z";

/// A station for a made-up Factory, with a witness and a window of three days.
fn station(desk: &Desk, factory: &Factory) -> Witness {
    factory.write_step(&RealDisk, &desk.path("downloads-1"), 1).expect("written");
    factory.write_key_file(&RealDisk, &desk.path("key.tgz"), 0).expect("written");
    let (roots, online) = (desk.path("downloads-1/prod-roots"), desk.path("downloads-1/ci-targets.pub"));
    let print = factory.fingerprint();
    let mut arguments =
        vec!["init", "--factory", "acme", "--roots", text(&roots), "--online-key", text(&online)];
    arguments.extend(["--fingerprint", &print, "--networked"]);
    desk.run(&arguments).done();
    desk.add_officer("alice");
    desk.import_key(&desk.path("key.tgz"), "alice", "1");
    let vkey = std::fs::read_to_string(desk.station().join("log/vkey")).expect("read");
    let mut witness = Witness::new("w.example", 1, 1);
    witness.add_log(&VerifierKey::parse(&vkey).expect("a key"));
    desk.by(&["alice"], &["witness", "add", &witness.key()]).done();
    let policy = desk.run(&["policy", "show"]).done().out;
    let policy = policy.replace("quorum = 0", "quorum = 1").replace("window_days = 0", "window_days = 3");
    std::fs::write(desk.path("policy.toml"), policy).expect("written");
    desk.by(&["alice"], &["policy", "set", text(&desk.path("policy.toml"))]).done();
    witness
}

fn history() -> History {
    let desk = Desk::new();
    let mut factory = Factory::new(3, "acme", Time::from_unix(start()));
    factory.build(1..=WAVES as u64);
    let mut witness = station(&desk, &factory);
    let (mut stations, mut bundles, mut notes) = (Vec::new(), Vec::new(), Vec::<PathBuf>::new());
    let keep = |at: usize| {
        let kept = desk.path(&format!("station-{at}"));
        copy_folder(&desk.station(), &kept);
        kept
    };
    stations.push(keep(0));
    let mut end = start();
    for at in 1..=WAVES {
        // A wave a day.
        end = start() + i64::try_from(at).expect("small") * DAY;
        set(&desk, end);
        if at > 1 {
            factory
                .write_step(&RealDisk, &desk.path(&format!("downloads-{at}")), at as u64)
                .expect("written");
        }
        let back: Vec<&Path> = notes.last().map(PathBuf::as_path).into_iter().collect();
        let (id, review) = desk.import(&request(&desk, &format!("request-{at}"), at, SAME, &back));
        desk.sign(&id, &review, "alice", &[]).done();
        let bundle = desk.export(&id, &format!("bundle-{at}"));
        factory.create_wave(&read(&bundle.join("upload/wave-create.json"))).expect("a wave");
        factory.complete_wave(&format!("wave-{at}")).expect("completed");
        witness.time = u64::try_from(end).expect("positive");
        let head = std::fs::read_to_string(bundle.join("log/checkpoint")).expect("read");
        let note = desk.path(&format!("note-{at}"));
        std::fs::write(&note, witness.lie(&head)).expect("written");
        bundles.push(bundle);
        notes.push(note);
        stations.push(keep(at));
    }
    History { desk, stations, bundles, notes, end }
}

/// What a copy of a prefix is brought.
#[derive(Clone, Copy, Debug)]
enum Brought {
    /// The head of the last bundle, which the connected side has.
    LastBundle,
    /// The last note that the witness cosigned.
    LastNote,
    /// Nothing.
    Nothing,
    /// The witness's notes up to when the copy was made.
    OldNotes,
}

/// Resumes a prefix with another content for the same version: how does signing end?
fn resume(history: &History, at: usize, brought: Brought, later: i64) -> Exit {
    let History { desk, stations, bundles, notes, end } = history;
    std::fs::remove_dir_all(desk.station()).expect("removed");
    copy_folder(&stations[at], &desk.station());
    set(desk, end + later);
    let anchors: Vec<&Path> = match brought {
        Brought::LastBundle => vec![bundles.last().expect("one")],
        Brought::LastNote => vec![notes.last().expect("one")],
        Brought::Nothing => Vec::new(),
        Brought::OldNotes => notes[..at].last().map(PathBuf::as_path).into_iter().collect(),
    };
    let name = format!("resumed-{at}-{brought:?}-{later}");
    // Another content for the very wave that came next.
    let came = request(desk, &name, at + 1, OTHER, &anchors);
    let imported = desk.run(&["--json", "import", text(&came)]);
    if imported.exit != Exit::Done {
        assert_eq!(count(desk, "sign.intent"), at);
        return imported.exit;
    }
    let id = imported.json()["request"].as_str().expect("a digest").to_owned();
    let review = desk.run(&["--json", "review", &id]).json();
    desk.sign(&id, &review, "alice", &[]).exit
}

fn count(desk: &Desk, kind: &str) -> usize {
    let log = desk.run(&["--json", "log", "show", "--type", kind]).done().json();
    log.as_array().expect("entries").len()
}

#[test]
fn every_prefix_of_a_history_that_is_shown_a_newer_head_stops_before_it_signs() {
    let history = history();
    let mut figures = Vec::new();
    let tried = [
        (Brought::LastBundle, 0),
        (Brought::LastNote, 0),
        (Brought::OldNotes, 0),
        (Brought::OldNotes, 4 * DAY),
        (Brought::Nothing, 0),
        (Brought::Nothing, 4 * DAY),
    ];
    for (brought, later) in tried {
        let ends: Vec<Exit> = (0..WAVES).map(|at| resume(&history, at, brought, later)).collect();
        let of = |exit: Exit| ends.iter().filter(|end| **end == exit).count();
        figures.push((
            brought,
            later,
            of(Exit::RolledBack),
            of(Exit::Unwitnessed),
            of(Exit::Refused),
            of(Exit::Done),
        ));
        if matches!(brought, Brought::LastBundle | Brought::LastNote) {
            assert_eq!(of(Exit::RolledBack), WAVES, "{brought:?} {later} {ends:?}");
        } else {
            // Silence is not told from a quiet week: only the window ends it.
            assert_eq!(of(Exit::RolledBack), 0, "{brought:?} {later} {ends:?}");
            assert_eq!(of(Exit::Done) == 0, later > 0, "{brought:?} {later} {ends:?}");
        }
    }
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/threat-model.md"))
        .expect("read");
    let row = |(brought, later, stopped, unwitnessed, refused, signed): &(
        Brought,
        i64,
        usize,
        usize,
        usize,
        usize,
    )| {
        format!(
            "| {brought:?}, {} days later | {stopped} | {unwitnessed} | {refused} | {signed} |",
            later / DAY
        )
    };
    let missing: Vec<String> = figures.iter().map(row).filter(|row| !page.contains(row)).collect();
    assert!(missing.is_empty(), "docs/threat-model.md has not these rows:\n{}", missing.join("\n"));
}
