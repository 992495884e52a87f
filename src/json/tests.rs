//! What the reader promises, and that its canonical form is what a plain implementation writes.

use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Document<'_>, JsonError> {
    Document::parse("t.json", text.as_bytes(), Limits { bytes: 1000, depth: 4 })
}

fn problem(text: &str) -> String {
    parse(text).err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn errors_name_file_line_column_and_member() {
    for (text, wanted) in [
        ("", "t.json, line 1, column 1: it is empty"),
        (" \n ", "t.json, line 2, column 2: it is empty"),
        ("{\"a\":1} x", "t.json, line 1, column 9: there is something after the end of the JSON value"),
        ("{\"a\":{\"b\":1,\n\"b\":2}}", "t.json, line 2, column 1, at a: the key \"b\" stands twice"),
        ("{\"a\":1,\"\\u0061\":2}", "t.json, line 1, column 8: the key \"a\" stands twice"),
        (
            "{\"a b\":[1,2,{\"c\":tru}]}",
            "column 21, at [\"a b\"][2].c: found \"}\" where true, false or null is needed",
        ),
        ("[[[[[1]]]]]", "column 5, at [0][0][0][0]: it is nested deeper than 4 levels"),
        ("{\"a\":\"\\ud800x\"}", "column 7, at a: half of a surrogate pair stands alone"),
        ("{\"a\":\"\\udc00\"}", "half of a surrogate pair stands alone"),
        ("{\"a\":\"\\ud800\\u0041\"}", "half of a surrogate pair stands alone"),
        ("{\"a\":\"\\x\"}", "a backslash is followed by something that JSON does not know"),
        ("{\"a\":\"\u{1}\"}", "the control character 0x01 stands in a string"),
        ("{\"a\":01}", "at a: it is not a number as JSON writes it"),
        ("{\"a\":1.}", "at a: it is not a number"),
        ("{\"a\":-}", "at a: it is not a number"),
        ("{\"a\":1", "it ends in the middle of a value"),
        ("{\"a", "it ends in the middle of a value"),
        ("[1,]", "found \"]\" where a JSON value is needed"),
        ("{,}", "found \",\" where a key in quotes is needed"),
        ("{\"a\" 1}", "at a: found \"1\" where a colon is needed"),
        ("\u{feff}{}", "it begins with a byte order mark (BOM)"),
        ("NaN", "found \"N\" where a JSON value is needed"),
    ] {
        let said = problem(text);
        assert!(said.contains(wanted), "{text:?} said {said:?}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused_at_their_member() {
    let said = Document::parse("t.json", &b"{\"a\":{\"b\":\"x\xff\"}}"[..], Limits::DEFAULT)
        .err()
        .map(|e| e.to_string());
    assert_eq!(said.as_deref(), Some("t.json, line 1, column 13, at a.b: it is not UTF-8 text"));
}

#[test]
fn a_document_over_the_cap_is_refused() {
    let long = format!("\"{}\"", "x".repeat(2000));
    assert!(problem(&long).contains("it has 2002 bytes, at most 1000 are read"));
}

#[test]
fn values_tell_their_span_path_and_type() {
    let document = parse("{\"a\": {\"b c\": [true, null, 12, \"x\\n\\u00e9\"]}}").expect("read");
    let list = document.root().get("a").and_then(|a| a.get("b c")).expect("there");
    let items: Vec<_> = list.items().collect();
    assert_eq!(items[2].as_u64(), Some(12));
    assert_eq!(items[3].as_str().as_deref(), Some("x\n\u{e9}"));
    assert_eq!(items[3].path(), "a[\"b c\"][3]");
    assert_eq!(items[3].span(), b"\"x\\n\\u00e9\"");
    let said = items[2].require_str().expect_err("a number").to_string();
    assert_eq!(
        said,
        "t.json, line 1, column 28, at a[\"b c\"][2]: a string is needed here, this is a number"
    );
    assert!(list.require("x").is_err());
}

#[test]
fn line_feed_carriage_return_and_tab_are_escaped_in_the_canonical_form() {
    let document = parse("{\"b\":\"\\n\\r\\t\\u000A\\u0001\\/\\u00e9\",\"a\": [1 , -2]}").expect("read");
    let canonical = canonical::bytes(document.root());
    assert_eq!(&*canonical, "{\"a\":[1,-2],\"b\":\"\\n\\r\\t\\n\\u0001/\u{e9}\"}".as_bytes());
}

#[test]
fn a_canonical_document_is_borrowed_not_built() {
    let document = parse("{\"a\":[1,\"x\\n\\\"\\\\\"],\"b\":{}}").expect("read");
    assert!(document.root().is_canonical());
    assert!(matches!(canonical::bytes(document.root()), Cow::Borrowed(_)));
}

/// The canonical form by the plainest means: serde_json's sorted map, written out by hand.
fn plainly(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (index, key) in keys.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                plainly(&serde_json::Value::String((*key).clone()), out);
                out.push(':');
                plainly(&map[*key], out);
            }
            out.push('}');
        }
        serde_json::Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                plainly(item, out);
            }
            out.push(']');
        }
        serde_json::Value::String(text) => {
            out.push('"');
            for c in text.chars() {
                match c {
                    '"' => out.push_str("\\\""),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
                    c => out.push(c),
                }
            }
            out.push('"');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        "\\PC{0,6}|[\"\\\\\n\r\t\u{1}\u{1f}a-c/]{0,6}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::hash_map("[a-d\u{e9}\"\n]{0,3}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_form_is_what_a_plain_writer_writes(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.expect("written");
        let document = Document::parse("t", text.as_bytes(), Limits::DEFAULT).expect("read");
        let mut wanted = String::new();
        plainly(&value, &mut wanted);
        let canonical = canonical::bytes(document.root());
        prop_assert_eq!(std::str::from_utf8(&canonical).expect("text"), &wanted);
        prop_assert_eq!(document.root().is_canonical(), text == wanted);
        let again = Document::parse("t", canonical.to_vec(), Limits::DEFAULT).expect("read again");
        prop_assert!(again.root().is_canonical());
    }

    #[test]
    fn what_serde_json_refuses_is_refused(text in "[\\[\\]{}\",:0-9a-e\\\\utrlsn. -]{0,24}") {
        let ours = Document::parse("t", text.as_bytes(), Limits::DEFAULT);
        let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
        if theirs.is_err() {
            // serde_json refuses numbers beyond f64; everything else that it refuses is refused here too.
            let too_large = theirs.is_err_and(|e| e.to_string().contains("out of range"));
            prop_assert!(ours.is_err() || too_large);
        } else if let Err(e) = ours {
            prop_assert!(matches!(e.problem, Problem::DuplicateKey(_)), "{e}");
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::parse("t", bytes, Limits::DEFAULT);
    }
}

#[test]
fn a_file_of_nothing_but_small_values_is_refused_before_its_index_outgrows_it() {
    let refused = |text: &str| {
        let limits = Limits::of_bytes(text.len() as u64);
        Document::parse("t", text.as_bytes(), limits).err().expect("refused").problem
    };
    assert_eq!(refused(&format!("[0{}]", ",1".repeat((2 << 20) - 2))), Problem::TooMany(1 << 20));
    let wide: String = (0..420_000).map(|i| format!(",\"{i:06}\":[]")).collect();
    assert!(matches!(refused(&format!("{{{}}}", &wide[1..])), Problem::TooMany(_)));
    let fewer: String = (0..100_000).map(|i| format!(",\"{i:06}\":[]")).collect();
    assert!(Document::parse("t", format!("[{{{}}}]", &fewer[1..]).into_bytes(), Limits::DEFAULT).is_ok());
}

/// JSON on which the Factory's form and that of the TUF specification agree: integers, and printable ASCII. Keys hold
/// nothing up to the quote and no backslash: `olpc-cjson` sorts keys as they are written, quotes and escapes included.
fn agreed_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        "[ -~]{0,12}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::hash_map(r"[#-\[\]-~]{0,3}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn where_the_dialects_agree_the_canonical_form_is_that_of_the_specification(value in agreed_json()) {
        let text = serde_json::to_string_pretty(&value).expect("written");
        let document = Document::parse("t", text.as_bytes(), Limits::DEFAULT).expect("read");
        let mut theirs = Vec::new();
        let formatter = olpc_cjson::CanonicalFormatter::new();
        serde::Serialize::serialize(&value, &mut serde_json::Serializer::with_formatter(&mut theirs, formatter))
            .expect("written");
        prop_assert_eq!(&*canonical::bytes(document.root()), &theirs);
        // The fast path: bytes that already are canonical are signed as they stand.
        let again = Document::parse("t", theirs.as_slice(), Limits::DEFAULT).expect("read");
        prop_assert!(again.root().is_canonical());
        prop_assert_eq!(again.root().span(), &theirs);
    }
}
