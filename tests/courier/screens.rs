//! The courier's screens against the stand-in, in `screens.txt` beside this file: to be read without Rust, and played here.
//!
//! `$ ` is typed into a shell, `-- ` is what happens elsewhere ([`happens`]); everything else is what is shown, with a word in
//! braces for what is another each time. To write it anew: TRANSCRIPTS=write cargo test --features courier --test courier screens

use super::harness::{Place, Ran, Service};
use countersign::testing::words;
use std::fmt::Write as _;
use std::path::Path;

/// What happens, by its sentence.
fn happens(place: &Place, service: &Service, sentence: &str) {
    match sentence {
        "Two officers sign the request on the station." => drop(place.ceremony("station", "request")),
        "Two officers sign the next request on the station." => {
            drop(place.ceremony("station", "request-next"))
        }
        "An hour passes, and devices update." => service.tick(60),
        "The service takes the next upload and its answer is lost." => {
            service.fault("lost-reply:POST.*/waves/$")
        }
        "The service is well again." => service.no_more_faults(),
        other => panic!("nobody knows how this happens: {other}"),
    }
}

/// A line without what is another each time.
fn masked(line: &str) -> String {
    if line.split_whitespace().count() > 5 && words::parse(line.trim()).is_some() {
        return "  {words}".to_owned();
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ':';
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (part, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let dashes = part.matches('-').count();
        out += before;
        out += match part.len() {
            64 if is_hex => "{digest}",
            12 if is_hex => "{id}",
            36 if dashes == 4 => "{device}",
            19 | 20 if dashes == 2 && part.matches(':').count() == 2 => "{time}",
            _ => part,
        };
        rest = after;
    }
    out + rest
}

fn shown(place: &Place, service: &Service, ran: &Ran) -> String {
    let root = place.folder.path().to_string_lossy().into_owned();
    let mut out = String::new();
    for line in ran.err.lines().chain(ran.out.lines()) {
        let line = line.replace(&format!("{root}/"), "").replace(&service.url, "{service}");
        writeln!(out, "{}", masked(&line).trim_end()).expect("a string");
    }
    if ran.code != 0 {
        writeln!(out, "[exit code {}]", ran.code).expect("a string");
    }
    out
}

#[test]
fn every_screen_of_the_courier_is_as_its_transcript_shows_it() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &["--devices", "16", "--groups", "canary=16"]);
    place.make_station(&service, "station", "acme-targets.keys.tgz");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/courier/screens.txt");
    let script = std::fs::read_to_string(&file).expect("the transcript");
    let mut played = String::new();
    for line in script.lines() {
        if let Some(sentence) = line.strip_prefix("-- ") {
            writeln!(played, "{line}").expect("a string");
            happens(&place, &service, sentence);
        }
        if let Some(typed) = line.strip_prefix("$ countersign-courier ") {
            let words: Vec<&str> = typed.split(' ').collect();
            writeln!(played, "{line}").expect("a string");
            played += &shown(&place, &service, &place.courier(&service, &words));
        }
    }
    if std::env::var_os("TRANSCRIPTS").is_some_and(|what| what == "write") {
        std::fs::write(&file, &played).expect("written");
    }
    let differing = played.lines().zip(script.lines()).find(|(now, then)| now != then);
    assert!(
        std::env::var_os("TRANSCRIPTS").is_some() || played == script,
        "read it, then TRANSCRIPTS=write cargo test --features courier --test courier screens: {differing:?}"
    );
}
