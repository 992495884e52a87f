//! What the pages say can be done: every command in them is one that the program takes, and every page they name exists.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root().join("docs"))
        .expect("docs")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.extend(["README.md", "SECURITY.md", "CHANGELOG.md"].map(|name| root().join(name)));
    pages.sort();
    pages
}

/// The lines of code blocks, continued lines joined, and the commands quoted in running text (true).
fn commands(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut within = false;
    let mut open = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            within = !within;
        } else if within {
            let line = line.trim().trim_start_matches("$ ");
            match line.strip_suffix('\\') {
                Some(part) => open += part,
                None => {
                    let whole = std::mem::take(&mut open) + line;
                    found.extend(whole.split(" && ").map(|one| (one.to_owned(), false)));
                }
            }
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(|span| (span.to_owned(), true)));
        }
    }
    // "countersign share 1" is the first line of a share, not a command.
    found.retain(|(line, _)| program(line).is_some() && !line.starts_with("countersign share "));
    found
}

/// The definition of the program that a line calls, where it is one of ours.
fn program(line: &str) -> Option<clap::Command> {
    match line.split(' ').next()? {
        "countersign" => Some(countersign::testing::cli::command()),
        #[cfg(feature = "courier")]
        "countersign-courier" => Some(countersign::testing::cli::courier::command()),
        _ => None,
    }
}

/// Words as a shell makes them, as far as the pages need it.
fn split(line: &str) -> Vec<String> {
    let line = line.split([';', '|', '>']).next().unwrap_or_default();
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().expect("a word").push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_in_the_documentation_is_one_that_the_program_takes() {
    let mut count = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for (line, quoted) in commands(&text) {
            let words = split(&line);
            // "…" stands for what does not matter there, and a word in capitals for what the reader puts in.
            let is_placeholder = |word: &String| word.bytes().all(|b| b.is_ascii_uppercase());
            if line.contains('…') || line.contains("...") || words.iter().any(is_placeholder) {
                continue;
            }
            count += 1;
            let program = program(&line).expect("one of ours");
            if let Err(e) = program.try_get_matches_from(&words) {
                use clap::error::ErrorKind::{
                    DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion,
                    MissingRequiredArgument,
                };
                let shows = matches!(e.kind(), DisplayHelp | DisplayVersion);
                // Running text may name a command without its arguments.
                let names =
                    matches!(e.kind(), MissingRequiredArgument | DisplayHelpOnMissingArgumentOrSubcommand);
                assert!(shows || (names && quoted), "{}: {line}\n{e}", page.display());
            }
        }
    }
    assert!(count > 25, "only {count} commands were found");
}

#[test]
fn every_page_that_is_named_exists() {
    let mut missing = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty()
                && !target.starts_with("http")
                && !page.parent().expect("a folder").join(target).exists()
            {
                missing.push(format!("{}: {link}", page.display()));
            }
        }
    }
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                for name in text.split("docs/").skip(1).filter_map(|rest| rest.split(".md").next()) {
                    let is_name =
                        name.len() < 40 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
                    if is_name && !root().join(format!("docs/{name}.md")).exists() {
                        missing.push(format!("{}: docs/{name}.md", path.display()));
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_index_names_every_page_and_the_first_page_names_the_index() {
    let index = std::fs::read_to_string(root().join("docs/README.md")).expect("the index");
    for page in pages().iter().filter(|page| page.parent() == Some(&root().join("docs"))) {
        let name = page.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(
            name == "README.md" || index.contains(&format!("]({name})")),
            "{name} is not in docs/README.md"
        );
    }
    let first = std::fs::read_to_string(root().join("README.md")).expect("a page");
    assert!(first.contains("](docs/README.md)"), "README.md does not name docs/README.md");
    let picture = std::fs::metadata(root().join("docs/pictures/review.png")).expect("the picture");
    assert!(picture.len() < 120_000, "a picture for a first page is small: {}", picture.len());
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let plain = heading.trim_start_matches('#').trim().to_lowercase();
    plain
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_heading_that_is_linked_exists() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let Some((file, wanted)) = link.split_once('#').filter(|_| !link.starts_with("http")) else {
                continue;
            };
            let target =
                if file.is_empty() { page.clone() } else { page.parent().expect("a folder").join(file) };
            let target = std::fs::read_to_string(&target).expect("a page");
            let found =
                target.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == wanted);
            assert!(found, "{}: {link}", page.display());
        }
    }
}
