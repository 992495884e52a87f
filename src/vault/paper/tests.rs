use super::*;
use proptest::prelude::*;

fn keyid() -> String {
    "5f".repeat(32)
}

fn sealed(lines: usize) -> Document {
    let body = vec!["A".repeat(64); lines].join("\n");
    let text = format!("-----BEGIN AGE ENCRYPTED FILE-----\n{body}\n-----END AGE ENCRYPTED FILE-----\n");
    Document { paper: Paper::Sealed(keyid()), bytes: text.into_bytes() }
}

fn read(texts: &[&str]) -> Result<Vec<Document>, String> {
    let mut scans = Scans::default();
    texts.iter().try_for_each(|text| scans.add("scan.txt", text)).map_err(|e| e.to_string())?;
    scans.documents().map_err(|e| e.to_string())
}

proptest! {
    #[test]
    fn scanned_parts_make_the_document_again_in_any_order_and_with_any_white_space(
        lines in 1usize..60, record in prop::collection::vec(any::<u8>(), 0..3000), seed in any::<u64>(),
    ) {
        let public = Document { paper: Paper::OfficerPublic("alice".parse().expect("a name")), bytes: record };
        let documents = [sealed(lines), public];
        let mut parts: Vec<String> = documents.iter().flat_map(|d| d.parts().expect("parts")).collect();
        prop_assert!(parts.iter().all(|part| part.len() <= PART_CAP));
        parts.sort_by_key(|part| part.bytes().fold(seed, |sum, b| sum.wrapping_mul(31).wrapping_add(b.into())));
        let untidy: Vec<String> = parts.iter().map(|p| format!("QR-Code:{}\r\n", p.replace('\n', " \r\n\n  "))).collect();
        let again = read(&[&untidy.concat(), &parts.concat()]).expect("read");
        prop_assert_eq!(again, documents);
    }

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>(), tail in "[ -~\n]{0,200}") {
        let _ = read(&[&text]);
        let _ = read(&[&format!("{MAGIC} {tail}")]);
    }
}

#[test]
fn the_parts_of_an_age_file_without_their_headers_are_the_age_file() {
    let document = sealed(40);
    let parts = document.parts().expect("parts");
    assert!(parts.len() > 2);
    let joined: String = parts.iter().flat_map(|part| part.split_inclusive('\n').skip(1)).collect();
    assert_eq!(joined.as_bytes(), document.bytes);
}

#[test]
fn what_was_misread_or_left_out_is_named() {
    let parts = sealed(30).parts().expect("parts");
    let all = parts.concat();
    let without_second = format!("{}{}", parts[0], parts[2..].concat());
    let two_backups = format!("{all}{}", sealed(29).parts().expect("parts").concat());
    let altered = all.replacen("AAA", "AAB", 1);
    for (text, why) in [
        (&*without_second, "these parts were not scanned: 2/"),
        (&two_backups, "was scanned from two different backups"),
        (&altered, "its SHA-256 is not the one in the headers: a character was misread"),
        (&format!("{all}{altered}"), "came twice, and the two differ"),
        (&all.replacen(&keyid(), "../../etc", 1), "line 1 is not a header"),
        (&all.replacen("text", "base64", 1), "line 1 is not a header"),
        (&all.replacen("1/", "99999999999/", 1), "line 1 is not a header"),
        (&all.replacen("paper/1", "paper/2", 1), "line 1 is not a header"),
        (&all.replacen("AAA", "A\u{1b}A", 1), "holds characters that no part has"),
        (&format!("hello\n{all}"), "line 1 stands before any header"),
        ("", "no line begins with countersign-paper/1"),
    ] {
        let refused = read(&[text]).expect_err(why);
        assert!(refused.contains(why), "{refused}");
    }
}
