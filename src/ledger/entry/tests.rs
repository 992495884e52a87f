use super::super::codec::{quote, read_time};
use super::super::field::{Field, Shape};
use super::super::record::Deviation;
use super::*;
use crate::host::Stamp;
use proptest::prelude::*;

fn stamp() -> Stamp {
    Stamp { time: Time::from_unix(1_800_000_000), boot: "boot-1".to_owned(), uptime_ms: 12_345 }
}

fn deviation(statement: &str) -> Vec<u8> {
    Deviation { statement: statement.into() }.by("mara").line(7, &[0xab; 32], &stamp())
}

/// A line of a kind with every field filled with the same word and number; a list has up to two items.
fn filled(kind: Kind, word: &str, number: u64) -> String {
    let mut line = format!("{{\"v\":1,\"seq\":{number},\"prev\":\"{}\"", "0".repeat(64));
    line += ",\"time\":\"2027-01-15T08:00:00Z\",\"boot\":\"boot-1\",\"uptime_ms\":12345,\"type\":";
    quote(kind.name(), &mut line);
    line += ",\"actor\":";
    quote(word, &mut line);
    line + "," + &members(kind.fields(), word, number) + "}"
}

fn members(fields: &[Field], word: &str, number: u64) -> String {
    let member = |(name, shape): &Field| format!("\"{name}\":{}", value(shape, word, number));
    fields.iter().map(member).collect::<Vec<_>>().join(",")
}

fn value(shape: &Shape, word: &str, number: u64) -> String {
    match shape {
        Shape::Text | Shape::Officer | Shape::Request | Shape::Object | Shape::OptionalObject => {
            let mut out = String::new();
            quote(word, &mut out);
            out
        }
        Shape::Int => number.to_string(),
        Shape::Flag => number.is_multiple_of(2).to_string(),
        Shape::List(item) => {
            let items: Vec<String> = (0..number % 3).map(|_| value(item, word, number)).collect();
            format!("[{}]", items.join(","))
        }
        Shape::Members(fields) => format!("{{{}}}", members(fields, word, number)),
        Shape::Later(shape) => value(shape, word, number),
    }
}

#[test]
fn a_line_reads_as_the_format_says() {
    insta::assert_snapshot!(String::from_utf8(deviation("the stick was \"blue\"\n\u{e9}\u{1f511}")).expect("ASCII"), @r#"{"v":1,"seq":7,"prev":"abababababababababababababababababababababababababababababababab","time":"2027-01-15T08:00:00Z","boot":"boot-1","uptime_ms":12345,"type":"deviation","actor":"mara","statement":"the stick was \"blue\"\n\u00e9\ud83d\udd11"}"#);
}

#[test]
fn every_kind_is_read_back_as_it_was_written() {
    for kind in Kind::ALL {
        for number in 0..3 {
            let word = "a \"b\" \\ \u{1f511}\u{7f}\u{0}";
            let line = filled(*kind, word, number);
            let entry = Entry::read(line.as_bytes()).unwrap_or_else(|fault| panic!("{kind}: {fault}"));
            assert_eq!((entry.kind(), entry.seq(), entry.actor().as_ref()), (*kind, number, word));
            assert_eq!((entry.time(), entry.uptime_ms()), (stamp().time, 12_345));
            assert_eq!(entry.record().kind(), *kind);
            // What was read is written as it stood.
            let event = entry.record().by(word);
            assert_eq!(event.line(number, &NO_PREVIOUS, &stamp()), line.as_bytes(), "{kind}");
            assert_eq!(event.digest(), entry.digest());
        }
    }
}

#[test]
fn any_changed_byte_gives_another_entry_or_none() {
    let line = filled(Kind::SignIntent, "w\u{e9}", 2).into_bytes();
    for at in 0..line.len() {
        for flip in [1u8, 2, 4, 8, 16, 32, 64, 128] {
            let mut changed = line.clone();
            changed[at] ^= flip;
            if let Ok(entry) = Entry::read(&changed) {
                assert_eq!(entry.line(), changed.as_slice());
            }
        }
        assert!(Entry::read(&line[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn other_forms_of_the_same_json_are_refused() {
    let line = String::from_utf8(deviation("a/b\u{e9}")).expect("ASCII");
    let odd = [
        line.replace("{\"v\":1", "{ \"v\":1"),
        line.replace("{\"v\":1", "{\"v\":2"),
        line.replace("\"seq\":7", "\"seq\":07"),
        line.replace("\"seq\":7", "\"seq\":7.0"),
        line.replace("\"seq\":7", "\"seq\":-7"),
        line.replace("\"seq\":7", "\"seq\":9007199254740992"),
        line.replace("a/b", "a\\/b"),
        line.replace("a/b", "\\u0061/b"),
        line.replace("\\u00e9", "\\u00E9"),
        line.replace("\\u00e9", "\u{e9}"),
        line.replace("\\u00e9", "\\ud800"),
        line.replace("\\u00e9", "\\udc00\\ud800"),
        line.replace("\\u00e9", "\\u000a"),
        line.replace("deviation", "deviations"),
        line.replace("\"actor\":\"mara\",", ""),
        line.replace("\"actor\":\"mara\",", "\"actor\":\"mara\",\"actor\":\"mara\","),
        line.replace("2027-01-15", "2027-02-29"),
        line.replace("abab", "ABAB"),
        format!("{line} "),
        format!("{line}\n"),
    ];
    Entry::read(line.as_bytes()).expect("the line itself");
    for text in odd {
        assert!(text != line && Entry::read(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_line_of_0_1_that_does_not_say_its_format_is_read_and_written_as_it_stands() {
    let line = filled(Kind::StationCreated, "w", 1).replace(",\"format\":\"w\"", "");
    let entry = Entry::read(line.as_bytes()).expect("an entry");
    let Record::StationCreated(created) = entry.record() else { panic!("{entry:?}") };
    assert_eq!(created.format, None);
    assert_eq!(entry.record().by("w").line(1, &NO_PREVIOUS, &stamp()), line.as_bytes());
    // No other field may be missing.
    let line = filled(Kind::Selftest, "w", 0).replace(",\"checks\":[]", "");
    Entry::read(line.as_bytes()).expect_err("refused");
}

proptest! {
    #[test]
    fn any_text_survives_the_log(text in any::<String>(), actor in any::<String>()) {
        let line = Deviation { statement: (&text).into() }.by(&actor).line(1, &NO_PREVIOUS, &stamp());
        let entry = Entry::read(&line).expect("read back");
        let Record::Deviation(deviation) = entry.record() else { panic!("{entry:?}") };
        prop_assert_eq!(&deviation.statement, text.as_str());
        prop_assert_eq!(entry.actor(), actor.as_str());
        // What it means to any other JSON reader is the same.
        let value: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
        prop_assert_eq!(value["statement"].as_str(), Some(text.as_str()));
    }

    #[test]
    fn bytes_that_are_no_line_never_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
        let _ = Entry::read(&bytes);
        let mut line = deviation("x\u{1f511}y");
        line.truncate(cut);
        line.extend_from_slice(&bytes);
        if let Ok(entry) = Entry::read(&line) {
            let _ = (entry.record(), entry.boot());
        }
    }

    #[test]
    fn times_are_read_as_the_clock_writes_them(seconds in -62_167_219_200i64..253_402_300_799) {
        let time = Time::from_unix(seconds);
        prop_assert_eq!(read_time(time.to_string().as_bytes()), Some(time));
    }

    #[test]
    fn what_the_clock_cannot_read_is_no_time(text in "[0-9]{4}-[0-3][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z") {
        let ours = read_time(text.as_bytes());
        // The other reader takes a leap second for second 59, and so does not find its own text again.
        prop_assert_eq!(ours, Time::parse_strict(&text));
    }
}
