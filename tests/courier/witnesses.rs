//! Witnesses (C2SP `tlog-witness`), honest ones and others, each a small server of this test on loopback.

use super::harness::{Place, Service, each, text};
use countersign::testing::tlog::checkpoint::Checkpoint;
use countersign::testing::tlog::consistency;
use countersign::testing::tlog::note::{Note, NoteSigner, VerifierKey};
use countersign::testing::tlog::tree::{Hash, Nodes, continues, leaf_hash};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// How a witness answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    Honest,
    /// 409 with another size each time, for ever.
    AlwaysConflict,
    Conflict(&'static str, &'static str),
    /// 200 with this body.
    Says(&'static str),
    /// 200 with a line by another key.
    AnotherKey,
    /// 200 with its own line over another head.
    AnotherHead,
    Status(u16),
    Endless,
    Redirect,
    Hang,
}

/// A witness that runs until the test ends.
struct Witness {
    url: String,
    key: VerifierKey,
    calls: Arc<Mutex<usize>>,
}

impl Witness {
    fn start(name: &str, seed: u8, manner: Manner) -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/w", listener.local_addr().expect("an address"));
        let signer = NoteSigner::witness(name, &[seed; 32]).expect("a key");
        let (key, calls) = (signer.public().clone(), Arc::new(Mutex::new(0)));
        let counted = calls.clone();
        std::thread::spawn(move || {
            let mut seen: Option<(u64, Hash)> = None;
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let body = request(&mut stream);
                *counted.lock().expect("lock") += 1;
                let count = *counted.lock().expect("lock");
                answer(&mut stream, manner, &signer, &mut seen, &body, count);
            }
        });
        Witness { url, key, calls }
    }

    fn calls(&self) -> usize {
        *self.calls.lock().expect("lock")
    }

    fn line(&self) -> String {
        format!("witness w {} {}\n", self.key, self.url)
    }
}

/// Reads one request and returns its body.
fn request(stream: &mut TcpStream) -> String {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                assert!(head.starts_with("POST /w/add-checkpoint "), "{head}");
                assert!(
                    !head.to_lowercase().contains("osf-token")
                        && !head.to_lowercase().contains("authorization")
                );
                return body.to_owned();
            }
        }
        let count = stream.read(&mut piece).expect("read");
        assert!(count > 0, "the request broke off");
        bytes.extend_from_slice(&piece[..count]);
    }
}

fn answer(
    stream: &mut TcpStream,
    manner: Manner,
    signer: &NoteSigner,
    seen: &mut Option<(u64, Hash)>,
    body: &str,
    count: usize,
) {
    let mut send = |status: u16, kind: &str, body: &str| {
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        // Whoever asked may have gone away.
        let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes());
    };
    let (first, rest) = body.split_once('\n').expect("a line");
    let old: u64 = first.strip_prefix("old ").expect("old").parse().expect("a size");
    // Without a proof the empty line comes first.
    let (proof, note) = match rest.strip_prefix('\n') {
        Some(note) => ("", note),
        None => rest.split_once("\n\n").expect("an empty line"),
    };
    let head = Note::parse(note.as_bytes()).expect("a note");
    let now = Checkpoint::parse_text(head.text()).expect("a checkpoint");
    const TIME: u64 = 1_800_000_000;
    match manner {
        Manner::Honest => {
            let known = seen.map_or(0, |(size, _)| size);
            if old != known {
                return send(409, "text/x.tlog.size", &format!("{known}\n"));
            }
            let hashes = if proof.is_empty() {
                Vec::new()
            } else {
                consistency::parse(format!("{proof}\n").as_bytes()).expect("a proof")
            };
            let holds =
                seen.is_none_or(|(size, root)| continues((size, &root), (now.size, &now.root), &hashes));
            if !holds {
                return send(422, "text/plain", "no\n");
            }
            *seen = Some((now.size, now.root));
            let others = "\u{2014} someone.else AAAAAAAAAAAAAAAA\n";
            send(
                200,
                "text/plain",
                &format!("{others}{}", signer.cosign(head.text(), TIME).expect("a witness")),
            );
        }
        Manner::AlwaysConflict => send(409, "text/x.tlog.size", &format!("{}\n", 1 + count % 2)),
        Manner::Conflict(kind, body) => send(409, kind, body),
        Manner::Says(body) => send(200, "text/plain", body),
        Manner::AnotherKey => {
            let other = NoteSigner::witness(signer.public().name(), &[99; 32]).expect("a key");
            send(200, "text/plain", &other.cosign(head.text(), TIME).expect("a witness"));
        }
        Manner::AnotherHead => {
            let other = Checkpoint { size: now.size + 1, ..now }.text();
            send(200, "text/plain", &signer.cosign(&other, TIME).expect("a witness"));
        }
        Manner::Status(status) => send(status, "text/html", "<html>\u{1b}[2J</html>"),
        Manner::Redirect => {
            let _ = stream
                .write_all(b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.2:9/w\r\nContent-Length: 0\r\n\r\n");
        }
        Manner::Endless => {
            let _ =
                stream.write_all(b"HTTP/1.1 200 X\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        }
        Manner::Hang => std::thread::sleep(std::time::Duration::from_secs(20)),
    }
}

/// Adds the proof from an older head to a bundle, unless the station did.
fn with_proof(place: &Place, bundle: &str, old: u64) {
    let folder = Path::new(bundle).join("log/consistency");
    if folder.join(old.to_string()).exists() {
        return;
    }
    let name = format!("pack-{old}");
    let pack = place.text(&name);
    place.station("station", &["log", "export", &pack]).done();
    let mut files: Vec<_> = std::fs::read_dir(place.path(&name).join("events")).expect("listed").collect();
    files.sort_by_key(|file| file.as_ref().expect("an entry").file_name());
    let mut leaves = Vec::new();
    for file in files {
        let lines = std::fs::read(file.expect("an entry").path()).expect("read");
        leaves.extend(lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(leaf_hash));
    }
    std::fs::create_dir_all(&folder).expect("made");
    let proof = Nodes::of(leaves).consistency(old, size(bundle)).expect("a proof");
    std::fs::write(folder.join(old.to_string()), consistency::text(&proof)).expect("written");
}

fn size(bundle: &str) -> u64 {
    let note = std::fs::read(Path::new(bundle).join("log/checkpoint")).expect("read");
    Checkpoint::parse_text(Note::parse(&note).expect("a note").text()).expect("a checkpoint").size
}

#[test]
fn heads_are_cosigned_one_after_another_and_kept() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    let (one, two) = (
        Witness::start("one.example/w", 1, Manner::Honest),
        Witness::start("two.example/w", 2, Manner::Honest),
    );
    let list = place.text("witnesses");
    let ignored = "# a policy\nlog x+1+y\ngroup all all w\nquorum all\n";
    std::fs::write(&list, format!("{ignored}{}{}", one.line(), two.line())).expect("written");
    let request = place.request(&service, "v1", 12, &[]);
    let first = place.ceremony("station", &request);
    // `submit` asks by itself.
    place
        .courier(&service, &["submit", &first, "--witnesses", &list])
        .done()
        .says("Witness one.example/w: cosigned");
    place.courier(&service, &["wave", "complete", "v1", "--yes"]).done();
    let request = place.request(&service, "v2", 14, &[]);
    // The next request takes the heads back: the station's own, and each that a witness cosigned.
    let anchors = std::fs::read_dir(place.path(&request).join("anchors")).expect("anchors");
    let of_first =
        |note: &[u8]| Checkpoint::parse_text(Note::parse(note).expect("a note").text()).expect("a head").size;
    let sizes: Vec<u64> =
        anchors.map(|one| of_first(&std::fs::read(one.expect("an entry").path()).expect("read"))).collect();
    assert_eq!(sizes, [size(&first); 3]);
    let second = place.ceremony("station", &request);
    with_proof(&place, &second, size(&first));
    let asked = place.courier(&service, &["--json", "witness", &second, "--witnesses", &list]).done().json();
    assert!(
        asked.as_array().is_some_and(|all| all.iter().all(|one| one["size"] == size(&second))),
        "{asked}"
    );
    // Asked again, the same head gets a fresh time.
    place.courier(&service, &["witness", &second, "--witnesses", &list]).done();
    // A courier that has no memory asks with 0, is told the size, and uses the proof from there.
    let other = place.text("other");
    place.courier(&service, &["--state", &other, "witness", &second, "--witnesses", &list]).done();
    // An older bundle is not taken for the newest.
    place
        .courier(&service, &["witness", &first, "--witnesses", &list])
        .ended(20)
        .says("take the newest bundle");
    // What was kept is the newest head, with the log's signature and the witness's.
    let kept = place.path(".local/state/countersign-courier");
    let folder = std::fs::read_dir(&kept).expect("kept").next().expect("a Factory").expect("an entry").path();
    let notes: Vec<_> =
        std::fs::read_dir(&folder).expect("listed").map(|one| one.expect("an entry").path()).collect();
    assert_eq!(notes.len(), 3, "{notes:?}");
    for note in notes {
        let bytes = std::fs::read(&note).expect("read");
        let parsed = Note::parse(&bytes).expect("a note");
        assert_eq!(
            Checkpoint::parse_text(parsed.text()).expect("a checkpoint").size,
            size(&second),
            "{}",
            text(&note)
        );
    }
}

#[test]
fn whatever_a_witness_answers_it_is_asked_twice_at_most_and_nothing_false_is_kept() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    let request = place.request(&service, "v1", 12, &[]);
    let bundle = place.ceremony("station", &request);
    with_proof(&place, &bundle, 1);
    with_proof(&place, &bundle, 2);
    let manners = [
        (Manner::AlwaysConflict, "another one at the next look"),
        (Manner::Conflict("text/x.tlog.size", "999999\n"), "take the newest bundle"),
        (Manner::Conflict("text/x.tlog.size", "1000000000000000000000000000000\n"), "which size"),
        (Manner::Conflict("text/x.tlog.size", "01\n"), "which size"),
        (Manner::Conflict("text/x.tlog.size", "0\n"), "another one at the next look"),
        (Manner::Conflict("text/x.tlog.size", "many\n"), "which size"),
        (Manner::Conflict("text/plain", ""), "409 and no size"),
        (Manner::Says(""), "no line"),
        (Manner::Says("\u{2014} w AAAA\n\u{2014} \n\u{2014}\nx"), "no line"),
        (Manner::Says("<html>Sign in</html>"), "no line"),
        (Manner::AnotherKey, "no line"),
        (Manner::AnotherHead, "no line"),
        (Manner::Status(403), "does not know this log"),
        (Manner::Status(404), "does not know this log"),
        (Manner::Status(422), "the proof does not hold"),
        (Manner::Status(429), "too often"),
        (Manner::Status(500), "not well"),
        (Manner::Redirect, "leads elsewhere"),
        (Manner::Endless, "more than 131072 bytes"),
        (Manner::Hang, "in time"),
    ];
    each(&manners, |(manner, words)| {
        let witness = Witness::start("odd.example/w", 7, *manner);
        let folder = tempfile::tempdir().expect("a folder");
        let (list, state) = (folder.path().join("list"), folder.path().join("state"));
        std::fs::write(&list, witness.line()).expect("written");
        let arguments = ["--state", text(&state), "witness", &bundle, "--witnesses", text(&list)];
        let ran = place.courier(&service, &arguments);
        assert_eq!(ran.code, 20, "{manner:?}: {ran:?}");
        assert!(ran.out.contains(words) && ran.out.is_ascii(), "{manner:?}: {ran:?}");
        assert!(witness.calls() <= 2, "{manner:?}: asked {} times", witness.calls());
        let kept =
            std::fs::read_dir(&state).expect("kept").next().expect("a Factory").expect("an entry").path();
        assert_eq!(
            std::fs::read_dir(kept).expect("listed").count(),
            1,
            "{manner:?}: only the log's own head"
        );
    });
}

#[test]
fn one_key_is_no_two_witnesses_and_a_logs_key_is_none() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    let one = Witness::start("one.example/w", 1, Manner::Honest);
    let again = NoteSigner::witness("another.name/w", &[1; 32]).expect("a key");
    let log = NoteSigner::new("log.example", &[3; 32]).expect("a key");
    let list = place.text("list");
    for (line, words) in [
        (format!("{}witness w2 {} {}\n", one.line(), again.public(), one.url), "stands twice"),
        (format!("witness w {} {}\n", log.public(), one.url), "not a witness's key"),
        (format!("witness w {} http://far.example\n", again.public()), "https"),
        ("witness\n".to_owned(), "witness NAME VKEY URL"),
    ] {
        std::fs::write(&list, line).expect("written");
        place.courier(&service, &["witness", "nowhere", "--witnesses", &list]).ended(2).says(words);
    }
}
