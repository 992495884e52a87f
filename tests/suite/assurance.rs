//! The assurance case names tests as its evidence, and each of them exists.

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
fn every_test_and_script_that_the_assurance_case_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    for folder in ["src", "tests"] {
        source(&root.join(folder), &mut text);
    }
    let page = std::fs::read_to_string(root.join("docs/assurance.md")).expect("read");
    let mut tests = 0;
    for name in page.split('`').skip(1).step_by(2) {
        if name.contains('/') && !name.contains(' ') {
            assert!(root.join(name).exists(), "{name}");
        } else if name.len() > 12
            && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
        {
            assert!(text.contains(&format!("fn {name}()")), "{name}");
            tests += 1;
        }
    }
    assert!(tests > 40, "only {tests} tests are named");
}
