//! The assurance case and the threat model name tests as their evidence, and each of them exists; so does each file that a
//! page names.

use std::path::Path;

/// All Rust source below a folder, as one text.
fn source(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            source(&path, text);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            text.push_str(&std::fs::read_to_string(&path).expect("read"));
        }
    }
}

#[test]
fn every_test_and_script_that_is_named_as_evidence_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    for folder in ["src", "tests"] {
        source(&root.join(folder), &mut text);
    }
    for (page, least) in [("docs/assurance.md", 40), ("docs/threat-model.md", 60)] {
        let page = std::fs::read_to_string(root.join(page)).expect("read");
        let mut tests = 0;
        for name in page.split('`').skip(1).step_by(2) {
            let is_file =
                ["src/", "tests/", "docs/", "fuzz/", "image/"].iter().any(|one| name.starts_with(one));
            if is_file && !name.contains(' ') {
                assert!(root.join(name).exists(), "{name}");
            } else if name.len() > 12
                && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
            {
                assert!(text.contains(&format!("fn {name}(")), "{name}");
                tests += 1;
            }
        }
        assert!(tests > least, "only {tests} tests are named");
    }
}
