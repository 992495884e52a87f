//! The script that a pack brings along, with a real Python, on packs that somebody spoilt to mislead or stop an auditor.

use crate::common;
use crate::support::made_up_station::{Act, Station, Twist};
use countersign::testing::audit::verdict::{Compare, verify};
use countersign::testing::audit::{Options, Pack};
use countersign::testing::ledger::Record;
use countersign::testing::ledger::record::{
    OfficerRetired, PolicyChanged, SealedKey, SignInDoubt, TimeStatement,
};

use common::{Desk, copy_folder, fixture, read, text};
use countersign::testing::host::clock::Time;
use countersign::testing::host::{RealDisk, Stamp};
use countersign::testing::ledger::{Event, Kind, Log};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A key of alice alone.
fn of_alice(keyid: &str, detail: &'static str) -> SealedKey<'static> {
    SealedKey {
        keyid: keyid.to_owned().into(),
        keytype: "ED25519".into(),
        quorum: 1,
        officers: vec!["alice".into()],
        set: "".into(),
        detail: detail.into(),
    }
}

/// Against a hang: no check of a small pack takes nearly as long, on a busy machine neither.
const LIMIT: Duration = Duration::from_secs(300);
const EVENTS: &str = "events/000000.jsonl";

/// The pack of a station that signed once.
fn whole() -> &'static Path {
    static PACK: OnceLock<(Desk, PathBuf)> = OnceLock::new();
    let (_, dir) = PACK.get_or_init(|| {
        let desk = Desk::new();
        desk.init("acme", "acme-gateway", "1-populate");
        desk.add_officer("alice");
        desk.import_key(&fixture("acme/targets.keys.tgz"), "alice", "1");
        let request = desk.request(&fixture("acme/1-populate"), "acme-gateway", "populate-targets", 12, &[]);
        let (id, review) = desk.import(&request);
        desk.sign(&id, &review, "alice", &[]).done();
        let dir = desk.path("evidence");
        desk.run(&["log", "export", text(&dir)]).done();
        STATION.get_or_init(|| desk.station());
        (desk, dir)
    });
    dir
}

/// The station of that pack.
static STATION: OnceLock<PathBuf> = OnceLock::new();

/// A copy of the pack in a folder of its own, to be spoilt.
fn copy_of_whole() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("evidence");
    copy_folder(whole(), &to);
    (folder, to)
}

/// What the script came to.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
    kept: PathBuf,
    _folder: tempfile::TempDir,
}

/// Runs a pack's own script on it, in a quarter of a gigabyte of address space, and stops it after a while.
fn check(dir: &Path, python: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let kept = folder.path().join("check");
    let script = format!("ulimit -v 262144; exec {python} \"$0/verify.py\" \"$0\" \"$1\"");
    let mut child = Command::new("sh")
        .args(["-c", &script, text(dir), text(&kept)])
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out).expect("made"))
        .stderr(std::fs::File::create(&err).expect("made"))
        .spawn()
        .expect("sh and python3 are needed for this test");
    let started = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().expect("waited") {
            break status.code();
        }
        if started.elapsed() > LIMIT {
            child.kill().expect("stopped");
            child.wait().expect("waited");
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |path: &Path| String::from_utf8(read(path)).expect("ASCII");
    Ran { code, out: text(&out), err: text(&err), kept, _folder: folder }
}

/// Spoils a copy of the pack; the script must say where and why in one line, and end.
fn assert_refused(what: &str, wanted: &str, spoil: impl FnOnce(&Path)) {
    let (_folder, dir) = copy_of_whole();
    spoil(&dir);
    if !dir.join("verify.py").exists() {
        std::fs::copy(whole().join("verify.py"), dir.join("verify.py")).expect("copied");
    }
    let ran = check(&dir, "python3");
    let all = format!("{what}: {:?}\nout: {}\nerr: {}", ran.code, ran.out, ran.err);
    assert_eq!(ran.code, Some(1), "{all}");
    assert!(ran.out.starts_with(&format!("NOT WHOLE: {wanted}")), "{wanted:?} is wanted of {all}");
    assert!(ran.out.is_ascii() && ran.out.lines().count() == 1, "{all}");
    assert!(!ran.err.contains("Traceback") && ran.err.is_empty(), "{all}");
    assert!(!ran.kept.join("key.pem").exists(), "{all}");
}

/// Replaces a line of the log.
fn edit(dir: &Path, number: usize, change: impl FnOnce(&[u8]) -> Vec<u8>) {
    let path = dir.join(EVENTS);
    let bytes = read(&path);
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let line = lines.get_mut(number).expect("a line");
    *line = change(line.strip_suffix(b"\n").expect("a whole line"));
    line.push(b'\n');
    std::fs::write(path, lines.concat()).expect("written");
}

/// Replaces text in a line of the log.
fn swap(dir: &Path, number: usize, from: &str, to: &str) {
    edit(dir, number, |line| {
        let line = std::str::from_utf8(line).expect("text");
        assert!(line.contains(from), "{line}");
        line.replacen(from, to, 1).into_bytes()
    });
}

fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    std::fs::write(dir.join(name), bytes).expect("written");
}

fn remove(dir: &Path, name: &str) {
    let path = dir.join(name);
    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.expect("removed");
}

/// A file of zeroes that takes no room.
fn blow_up(dir: &Path, name: &str, bytes: u64) {
    std::fs::File::create(dir.join(name)).expect("made").set_len(bytes).expect("sparse");
}

/// The first name in a folder.
fn first(dir: &Path, folder: &str) -> String {
    let names = std::fs::read_dir(dir.join(folder)).expect("listed");
    let names = names.map(|entry| entry.expect("read").file_name().into_string().expect("text"));
    format!("{folder}/{}", names.min().expect("something"))
}

#[test]
fn a_whole_pack_is_whole_and_leaves_what_openssl_needs() {
    for python in ["python3", "python3 -I"] {
        let ran = check(whole(), python);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        let entries = read(&whole().join(EVENTS)).iter().filter(|byte| **byte == b'\n').count();
        let sizes: Vec<_> = std::fs::read_dir(whole().join("checkpoints")).expect("listed").collect();
        let wanted =
            format!("{entries} entries, {} checkpoints: lines, tree and objects agree\n", sizes.len());
        assert!(ran.out.starts_with(&wanted), "{wanted}{}", ran.out);
        assert!(ran.kept.join("key.pem").exists());
        for size in sizes {
            let size = size.expect("read").file_name().into_string().expect("text");
            let note = read(&whole().join("checkpoints").join(&size));
            assert!(note.starts_with(&read(&ran.kept.join(format!("{size}.txt")))));
            assert_eq!(read(&ran.kept.join(format!("{size}.sig"))).len(), 64);
        }
    }
}

/// A pack whose log goes on, after its own last entry and signed by its own key, with these events.
fn gone_on(events: impl FnOnce(&Log) -> Vec<Event>) -> Ran {
    let (_folder, dir) = copy_of_whole();
    let station = dir.parent().expect("a folder").join("log");
    copy_folder(&STATION.get().expect("made with the pack").join("log"), &station);
    let stamp = Stamp { time: Time::parse(common::NOW).expect("a time"), boot: String::new(), uptime_ms: 1 };
    let (mut log, _) = Log::open(Arc::new(RealDisk), &station, &stamp, &mut |_| {}).expect("opened");
    for event in events(&log) {
        log.append(&stamp, event).expect("appended");
    }
    log.checkpoint().expect("a checkpoint");
    std::fs::copy(dir.join("verify.py"), station.join("verify.py")).expect("copied");
    check(&station, "python3")
}

#[test]
fn an_act_that_is_not_signed_by_those_who_have_to_is_not_whole() {
    whole();
    let ran = gone_on(|_| Vec::new());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("\nOfficers' signatures before their acts: 1\n"), "{}", ran.out);
    let key = |log: &Log| {
        let entries = log.entries().map(|entry| entry.expect("read"));
        let keys = entries.filter_map(|one| match one.entry().record() {
            Record::KeyImported(key) => Some(key.keyid.to_string()),
            _ => None,
        });
        keys.last().expect("a key")
    };
    let policy = |log: &Log| {
        let first = log.entries().next().expect("one").expect("read");
        let Record::StationCreated(created) = first.entry().record().clone() else { panic!("{first:?}") };
        created.policy.to_string()
    };
    type Act = fn(&Log, &dyn Fn(&Log) -> String, &dyn Fn(&Log) -> String) -> Event;
    let acts: [Act; 6] = [
        |_, _, _| TimeStatement { time_claimed: "".into(), reason: "".into() }.by("alice"),
        |log, _, policy| PolicyChanged { from: policy(log).into(), to: policy(log).into() }.by("alice"),
        |_, _, _| OfficerRetired { officer: "alice".into(), reason: "left".into() }.by("alice"),
        |log, key, _| Record::KeyDrilled(of_alice(&key(log), "opens")).by("alice"),
        |_, _, _| Record::KeyRestored(of_alice("another key", "scans")).by("alice"),
        |_, _, _| {
            let (request, keyid, signed) = ("".into(), "".into(), "".into());
            SignInDoubt { intent: 1, request, keyid, signed, resolution: "not made".into() }.by("alice")
        },
    ];
    for act in acts {
        let ran = gone_on(|log| vec![act(log, &key, &policy)]);
        assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
        assert!(ran.out.ends_with(": it is not signed by those who have to sign it\n"), "{}", ran.out);
    }
    // The signature of another act, and of this log, once more.
    let ran = gone_on(|log| {
        let signed = log.entries().map(|entry| entry.expect("read"));
        let signed = signed.filter(|one| one.entry().kind() == Kind::ActSigned).last().expect("one");
        let key = log.key().to_string();
        vec![
            countersign::testing::ledger::SignedAct::from_entry(&signed.entry(), &key)
                .expect("an act")
                .event(),
        ]
    });
    assert!(ran.out.ends_with(": the same signature stands in the log before\n"), "{}", ran.out);
}

#[test]
fn openssl_verifies_what_officers_signed() {
    let ran = check(whole(), "python3");
    let of = |end: &str| {
        let found =
            std::fs::read_dir(ran.kept.join("acts")).expect("acts").map(|one| one.expect("read").path());
        found.filter(|path| path.extension().is_some_and(|found| found == end)).collect::<Vec<_>>()
    };
    let texts = of("txt");
    assert_eq!(texts.len(), 2, "her approval, and that she opened the key");
    let openssl = |text: &Path| {
        let [pem, sig] = ["pem", "sig"].map(|end| text.with_extension(end));
        let run = Command::new("openssl")
            .args([
                "pkeyutl",
                "-verify",
                "-pubin",
                "-rawin",
                "-inkey",
                common::text(&pem),
                "-in",
                common::text(text),
            ])
            .args(["-sigfile", common::text(&sig)])
            .output();
        run.expect("openssl 3 is needed for this test").status.success()
    };
    assert!(texts.iter().all(|text| openssl(text)));
    let mut other = read(&texts[0]);
    other.push(b' ');
    std::fs::write(&texts[0], other).expect("written");
    assert!(!openssl(&texts[0]));
}

#[test]
fn a_damaged_pack_gives_a_sentence_and_never_a_traceback() {
    type Spoil = fn(&Path);
    let damages: &[(&str, &str, Spoil)] = &[
        ("broken JSON", "entry 3: it is not JSON", |dir| edit(dir, 3, |_| b"{\"v\":1,".to_vec())),
        ("bad UTF-8", "entry 3: it is not JSON in ASCII", |dir| edit(dir, 3, |_| b"{\"\xff\":1}".to_vec())),
        ("UTF-16", "entry 3: it is not JSON", |dir| edit(dir, 3, |_| b"[\0]\0".to_vec())),
        ("no text at all", "entry 3: it is not JSON", |dir| edit(dir, 3, |_| Vec::new())),
        ("brackets in brackets", "entry 3: it is not JSON", |dir| edit(dir, 3, |_| vec![b'['; 60_000])),
        ("many digits", "entry 3: it is not", |dir| edit(dir, 3, |_| vec![b'7'; 60_000])),
        ("a list", "entry 3: it is not in the log's form", |dir| edit(dir, 3, |_| b"[]".to_vec())),
        ("a number", "entry 3: it is not in the log's form", |dir| edit(dir, 3, |_| b"3".to_vec())),
        ("no members", "entry 3: it is not in the log's form", |dir| edit(dir, 3, |_| b"{}".to_vec())),
        ("a type that is a list", "entry 3: it is not in", |dir| {
            swap(dir, 3, "\"type\":", "\"type\":[],\"x\":")
        }),
        ("seq a string", "entry 3: it does not say that", |dir| swap(dir, 3, "\"seq\":3", "\"seq\":\"3\"")),
        ("seq with a point", "entry 3: it does not say that", |dir| swap(dir, 3, "\"seq\":3", "\"seq\":3.0")),
        ("seq true", "entry 1: it does not say that", |dir| swap(dir, 1, "\"seq\":1", "\"seq\":true")),
        ("seq missing", "entry 3: it does not say that", |dir| swap(dir, 3, "\"seq\":3,", "")),
        ("prev a number", "entry 3: it does not name", |dir| swap(dir, 3, "\"prev\":", "\"prev\":7,\"x\":")),
        ("another word", "entry 2: it does not name", |dir| swap(dir, 1, "\"actor\":\"", "\"actor\":\"x")),
        ("no digest", "entry 0: it names an object", |dir| {
            swap(dir, 0, "\"policy\":\"", "\"policy\":\"../../");
        }),
        ("a digest that is a list", "entry 0: it names an object", |dir| {
            swap(dir, 0, "\"policy\":\"", "\"policy\":[],\"x\":\"");
        }),
        ("a line without end", "entry 3: the line is cut off, or too long", |dir| {
            edit(dir, 3, |_| vec![b' '; 1 << 20]);
        }),
        ("a torn last line", "entry ", |dir| {
            let bytes = read(&dir.join(EVENTS));
            write(dir, EVENTS, &bytes[..bytes.len() - 9]);
        }),
        ("no lines", "entry 0: there are 0 entries", |dir| {
            write(dir, EVENTS, "");
            remove(dir, "checkpoints");
            std::fs::create_dir(dir.join("checkpoints")).expect("made");
            std::fs::copy(dir.join("checkpoint"), dir.join("checkpoints/9")).expect("copied");
        }),
        ("more lines than a file has", "entry ", |dir| {
            let lines = read(&dir.join(EVENTS)).repeat(100);
            write(dir, EVENTS, lines);
        }),
        ("a line in the next file", "entry 5: it stands in events/000001.jsonl", |dir| {
            let bytes = read(&dir.join(EVENTS));
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            write(dir, EVENTS, lines[..5].concat());
            write(dir, "events/000001.jsonl", lines[5..].concat());
        }),
        ("no events", "events: it is missing", |dir| remove(dir, "events")),
        ("no events file", "events/000000.jsonl: it is missing", |dir| remove(dir, EVENTS)),
        ("an events file that is a folder", "events/000000.jsonl: it is not a regular file", |dir| {
            remove(dir, EVENTS);
            std::fs::create_dir(dir.join(EVENTS)).expect("made");
        }),
        ("a gap in the events files", "events/000000.jsonl: it is missing", |dir| {
            std::fs::rename(dir.join(EVENTS), dir.join("events/000001.jsonl")).expect("moved");
        }),
        ("an odd name in events", "events: an unexpected name, 'x'", |dir| write(dir, "events/x", "")),
        ("no checkpoint", "checkpoint: it is missing", |dir| remove(dir, "checkpoint")),
        ("an old checkpoint", "checkpoint: it is not the newest", |dir| {
            std::fs::copy(dir.join("checkpoints/0"), dir.join("checkpoint")).expect("copied");
        }),
        ("no kept checkpoints", "checkpoints: it is missing", |dir| remove(dir, "checkpoints")),
        ("an empty checkpoints", "checkpoints: there is none", |dir| {
            remove(dir, "checkpoints");
            std::fs::create_dir(dir.join("checkpoints")).expect("made");
        }),
        ("an odd name", "checkpoints: an unexpected name, 'x'", |dir| write(dir, "checkpoints/x", "")),
        ("a second name", "checkpoints: an unexpected name, '00'", |dir| write(dir, "checkpoints/00", "")),
        ("another digit", "checkpoints: an unexpected name, '\\u0663'", |dir| {
            write(dir, "checkpoints/٣", "")
        }),
        ("a name that moves the cursor", "checkpoints: an unexpected name, '1\\n\\x1b[2J'", |dir| {
            write(dir, "checkpoints/1\n\x1b[2J", "");
        }),
        ("a name that is no text", "checkpoints: an unexpected name, '\\udcff'", |dir| {
            let name = std::ffi::OsStr::from_bytes(b"\xff");
            std::fs::write(dir.join("checkpoints").join(name), "").expect("written");
        }),
        ("a size that nothing has", "checkpoint: it is not the newest", |dir| {
            write(dir, "checkpoints/9999999999999999", "");
        }),
        ("no note", "checkpoints/0: it is not a signed note", |dir| write(dir, "checkpoints/0", "x")),
        ("a note that is no text", "checkpoints/0: it is not a signed", |dir| {
            write(dir, "checkpoints/0", "\u{2014} \n\n".as_bytes().repeat(9).split_off(1));
        }),
        ("a note of zeroes", "checkpoints/0: it", |dir| blow_up(dir, "checkpoints/0", 128 << 10)),
        ("a note without signature", "checkpoints/0: it is not signed once", |dir| {
            let note = String::from_utf8(read(&dir.join("checkpoints/0"))).expect("text");
            write(dir, "checkpoints/0", note.replace("\u{2014} ", "\u{2014} not-"));
        }),
        ("a note with more in it", "checkpoints/0: it has something else", |dir| {
            let note = [read(&dir.join("checkpoints/0")), b"more\n".to_vec()].concat();
            write(dir, "checkpoints/0", note);
        }),
        ("another size's note", "checkpoints/0: it is another log's", |dir| {
            std::fs::copy(dir.join("checkpoint"), dir.join("checkpoints/0")).expect("copied");
        }),
        ("another root", "checkpoints/0: the lines up to here do not give", |dir| {
            let note = String::from_utf8(read(&dir.join("checkpoints/0"))).expect("text");
            let root = note.lines().nth(2).expect("a root");
            write(dir, "checkpoints/0", note.replace(root, &format!("{}=", "A".repeat(43))));
        }),
        ("no objects", "objects/sha256: it is missing", |dir| remove(dir, "objects")),
        ("no objects/sha256", "objects/sha256: it is missing", |dir| remove(dir, "objects/sha256")),
        ("objects that are a file", "objects/sha256: it is not a folder", |dir| {
            remove(dir, "objects");
            write(dir, "objects", "");
        }),
        ("no object", "entry ", |dir| {
            for entry in std::fs::read_dir(dir.join("objects/sha256")).expect("listed") {
                std::fs::remove_file(entry.expect("read").path()).expect("removed");
            }
        }),
        ("another object", "objects/sha256/", |dir| write(dir, &first(dir, "objects/sha256"), "x")),
        ("an odd name in objects", "objects/sha256: an unexpected name, 'x'", |dir| {
            write(dir, "objects/sha256/x", "");
        }),
        ("no vkey", "vkey: it is missing", |dir| remove(dir, "vkey")),
        ("an empty vkey", "vkey: it is not name+id+key", |dir| write(dir, "vkey", "")),
        ("a vkey that is no text", "vkey: it is not name+id+key", |dir| write(dir, "vkey", b"\xff+a+b\n")),
        ("a vkey without key", "vkey: it is not an ed25519 key", |dir| write(dir, "vkey", "a+b+\n")),
        ("a vkey with a bad name", "vkey: the name is not one", |dir| write(dir, "vkey", "\x1b[2J+a+AAAA\n")),
        ("a vkey of two lines", "vkey: it is not one line", |dir| {
            let twice = [read(&dir.join("vkey")), b"\n".to_vec()].concat();
            write(dir, "vkey", twice);
        }),
        ("an empty folder", "events: it is missing", |dir| {
            std::fs::remove_dir_all(dir).expect("removed");
            std::fs::create_dir(dir).expect("made");
        }),
    ];
    for (what, wanted, spoil) in damages {
        assert_refused(what, wanted, spoil);
    }
}

#[test]
fn a_member_that_stands_twice_is_refused() {
    assert_refused("v twice", "entry 3: it is not in the log's form", |dir| {
        swap(dir, 3, "{\"v\":1,", "{\"v\":1,\"v\":1,");
    });
    assert_refused("seq twice", "entry 3: it is not in the log's form", |dir| {
        swap(dir, 3, "\"seq\":3,", "\"seq\":4,\"seq\":3,");
    });
}

#[test]
fn the_recipe_follows_no_link_and_waits_for_no_pipe() {
    let object = first(whole(), "objects/sha256");
    for name in ["vkey", "checkpoint", "checkpoints/0", EVENTS, &object] {
        let wanted = format!("{name}: it is not a regular file");
        assert_refused(&format!("{name} linked to the same bytes"), &wanted, |dir| {
            std::fs::rename(dir.join(name), dir.join("away")).expect("moved");
            symlink(dir.join("away"), dir.join(name)).expect("linked");
        });
        for target in ["/dev/zero", "/nowhere/at/all"] {
            assert_refused(&format!("{name} linked to {target}"), &wanted, |dir| {
                remove(dir, name);
                symlink(target, dir.join(name)).expect("linked");
            });
        }
        assert_refused(&format!("{name} as a pipe"), &wanted, |dir| {
            remove(dir, name);
            let made = Command::new("mkfifo").arg(dir.join(name)).status().expect("mkfifo is needed");
            assert!(made.success());
        });
    }
    for name in ["events", "checkpoints", "objects", "objects/sha256"] {
        let shown = if name == "objects" { "objects/sha256" } else { name };
        assert_refused(name, &format!("{shown}: it is not a folder"), |dir| {
            std::fs::rename(dir.join(name), dir.join("away")).expect("moved");
            symlink(dir.join("away"), dir.join(name)).expect("linked");
        });
    }
}

#[test]
fn a_huge_file_is_refused_and_a_large_object_never_held() {
    let object = first(whole(), "objects/sha256");
    for name in ["vkey", "checkpoint", "checkpoints/0", EVENTS, &object] {
        assert_refused(name, &format!("{name}: it has 1099511627776 bytes"), |dir| {
            blow_up(dir, name, 1 << 40);
        });
    }
    // More than the script has room for.
    let wanted = format!("{object}: its bytes have another digest");
    assert_refused(&object, &wanted, |dir| blow_up(dir, &object, (1 << 28) + 1));
    // As large as a file of lines can be, in one line.
    let wanted = "entry 0: the line is cut off, or too long";
    assert_refused(EVENTS, wanted, |dir| blow_up(dir, EVENTS, 1000 * 65_536));
}

#[test]
fn a_module_that_a_pack_brings_along_is_not_run() {
    let (_folder, dir) = copy_of_whole();
    for name in ["base64", "hashlib", "json", "os", "re", "stat", "encodings", "sitecustomize", "struct"] {
        write(&dir, &format!("{name}.py"), "raise SystemExit('this came from the pack')\n");
    }
    for python in ["python3", "python3 -I"] {
        let ran = check(&dir, python);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    }
}

#[test]
fn nothing_old_is_taken_for_this_packs() {
    let out = tempfile::tempdir().expect("a folder");
    write(out.path(), "0.txt", "of another pack\n");
    let ran = Command::new("python3")
        .args([whole().join("verify.py").as_os_str(), whole().as_os_str(), out.path().as_os_str()])
        .output()
        .expect("python3 is needed for this test");
    assert_eq!(ran.status.code(), Some(2));
    let err = String::from_utf8(ran.stderr).expect("ASCII");
    assert!(err.starts_with("NOT CHECKED: OUT is not empty"), "{err}");
    assert_eq!(read(&out.path().join("0.txt")), b"of another pack\n");
}

#[test]
fn a_signature_on_too_few_approvals_or_openers_or_over_a_refusal_is_not_whole() {
    let twist = Twist::default;
    let twists = [
        ("fewer officers approved than the policy asks", Twist { approvers: Some(1), ..twist() }),
        ("fewer officers opened the key", Twist { openers: Some(1), ..twist() }),
        ("the refusal in entry", Twist { before_intent: &[Act::Rejects(2)], ..twist() }),
        ("the refusal in entry", Twist { before_intent: &[Act::Rejects(2), Act::Retires(2)], ..twist() }),
        ("the refusal in entry", Twist { before_result: &[Act::Rejects(2)], ..twist() }),
        ("does not stand", Twist { before_intent: &[Act::Rejects(1)], ..twist() }),
        ("does not stand", Twist { before_intent: &[Act::Approves(1)], ..twist() }),
        ("does not stand", Twist { before_result: &[Act::Retires(1)], ..twist() }),
        ("had expired", Twist { expired: true, ..twist() }),
        ("does not hold it", Twist { stranger_opens: true, ..twist() }),
        ("is no approval of this review", Twist { wrong_approval_seq: true, ..twist() }),
        ("", twist()),
    ];
    for (why, twist) in twists {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("log");
        let mut station = Station::signing(Arc::new(RealDisk), &dir, 3, 2, 2);
        station.twisted(&twist);
        station.log.checkpoint().expect("a checkpoint");
        std::fs::copy(whole().join("verify.py"), dir.join("verify.py")).expect("copied");
        let ran = check(&dir, "python3");
        let all = format!("{why}: {:?}\n{}{}", ran.code, ran.out, ran.err);
        assert_eq!(ran.code, Some(i32::from(!why.is_empty())), "{all}");
        let wanted =
            if why.is_empty() { "decisions: 2; intents to sign with approvals and quorum: 1" } else { why };
        assert!(ran.out.contains(wanted), "{all}");
        // The auditor's program counts the same.
        let pack = Pack::open(&RealDisk, &dir, None).expect("a pack");
        let verdict =
            verify(&pack, Options::default(), Compare::default(), &mut |_, _| Ok(())).expect("examined");
        let seq = verdict.first_flaw().map(|flaw| flaw.seq.expect("an entry"));
        let wanted = seq.map_or_else(String::new, |seq| format!("entry {seq}: "));
        assert!(seq.is_some() != why.is_empty() && ran.out.contains(&wanted), "{wanted}{all}");
    }
}

#[test]
fn any_object_that_was_taken_away_is_missed() {
    let (_folder, dir) = copy_of_whole();
    for object in std::fs::read_dir(dir.join("objects/sha256")).expect("listed") {
        let path = object.expect("read").path();
        let bytes = read(&path);
        std::fs::remove_file(&path).expect("removed");
        let ran = check(&dir, "python3");
        assert!(
            ran.code == Some(1) && ran.out.contains("that it names is missing"),
            "{}: {}",
            text(&path),
            ran.out
        );
        std::fs::write(&path, bytes).expect("put back");
    }
}
