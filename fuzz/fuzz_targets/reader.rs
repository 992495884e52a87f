//! The JSON reader, the canonical form and the escaping, on any bytes.
#![no_main]

use countersign::testing::json::{Document, Limits, Value, canonical};
use countersign::testing::text::shown;
use libfuzzer_sys::fuzz_target;

fn look(value: Value<'_>) {
    if let Some(text) = value.as_str() {
        assert!(shown(&text).bytes().all(|b| (0x20..0x7f).contains(&b)));
    }
    value.items().for_each(look);
    for (key, inner) in value.members() {
        assert!(shown(&key.text()).bytes().all(|b| (0x20..0x7f).contains(&b)));
        look(inner);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let document = match Document::parse("fuzz", bytes, Limits::DEFAULT) {
        Ok(document) => document,
        Err(refusal) => {
            assert!(refusal.to_string().bytes().all(|b| (0x20..0x7f).contains(&b)));
            return;
        }
    };
    look(document.root());
    let form = canonical::bytes(document.root()).into_owned();
    let again = Document::parse("again", &*form, Limits::DEFAULT).expect("a canonical form reads");
    assert!(again.root().is_canonical());
    assert_eq!(canonical::bytes(again.root()), form);
});
