//! Every check fires where it should and is silent where it should, on what the real fioctl wrote.

use super::subject::Subject;
use super::{CHECKS, Check, Severity, is_signable, run};
use crate::review::Finding;
use crate::review::testing::Fixture;
use crate::station::policy;

mod content;
mod freshness;
mod integrity;
mod specification;
mod text;
mod trust;

/// The findings of one check.
fn of(fixture: &Fixture, check: &str) -> Vec<Finding> {
    assert!(CHECKS.iter().any(|known| known.name == check), "{check} is a check");
    fixture.with(run).into_iter().filter(|finding| finding.check == check).collect()
}

/// The one finding of a check.
fn one(fixture: &Fixture, check: &str) -> Finding {
    let mut found = of(fixture, check);
    assert_eq!(found.len(), 1, "{check}: {found:?}");
    found.remove(0)
}

/// The check says nothing.
fn silent(fixture: &Fixture, check: &str) {
    assert_eq!(of(fixture, check), [], "{check}");
}

/// The check has one finding, of this severity, with these words in its sentence.
fn says(fixture: &Fixture, check: &str, severity: Severity, words: &str) -> Finding {
    let finding = one(fixture, check);
    assert_eq!(finding.severity, severity, "{finding:?}");
    assert!(finding.message.contains(words), "{}", finding.message);
    finding
}

/// The names of the checks that block.
fn blocking(fixture: &Fixture) -> Vec<&'static str> {
    let mut names: Vec<_> = fixture
        .with(run)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Block)
        .map(|finding| finding.check)
        .collect();
    names.dedup();
    names
}

#[test]
fn the_registry_the_policy_and_the_documentation_list_the_same_checks() {
    let ours: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
    let policys: Vec<&str> = policy::checks::CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(ours, policys);
    let text = include_str!("../../../docs/checks.md");
    let documented: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let rows: Vec<String> = CHECKS
        .iter()
        .map(|check| {
            let lowest = match policy::checks::check(check.name).expect("the policy knows it").lowest {
                same if same == check.default_severity() => "-",
                Severity::Disabled => "off",
                other => other.name(),
            };
            let Check { name, sentence, remedy, .. } = check;
            format!("| `{name}` | {} | {lowest} | {sentence} | {remedy} |", check.default_severity())
        })
        .collect();
    assert_eq!(documented, rows);
    assert!(CHECKS.is_sorted_by_key(|check| check.family), "one family after another");
}

#[test]
fn a_sentence_says_what_to_do_and_holds_nothing_raw() {
    for factory in ["acme", "rsa", "odd"] {
        for step in ["1", "2", "3", "4", "5"] {
            for finding in Fixture::step(factory, step).with(run) {
                for text in [&finding.message, &finding.path] {
                    assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b)), "{text}");
                    assert!(!text.contains("  "), "{text}");
                }
                assert!(finding.message.ends_with('.'), "{}", finding.message);
            }
        }
    }
}

#[test]
fn a_check_that_the_policy_switches_off_is_listed_as_disabled() {
    let mut fixture = Fixture::step("acme", "3");
    fixture.policy = with_policy("static-delta = \"off\"");
    let finding = says(&fixture, "static-delta", Severity::Disabled, "switched this check off");
    assert_eq!(finding.path, "");
    fixture.policy = with_policy("static-delta = \"block\"");
    assert_eq!(blocking(&fixture), ["static-delta"]);
    assert!(!is_signable(&fixture.with(run)));
}

/// The default policy with one line more under `[checks]`.
fn with_policy(line: &str) -> crate::station::Policy {
    let text = policy::DEFAULT.replacen("\n[checks]\n", &format!("\n[checks]\n{line}\n"), 1);
    crate::station::Policy::read(text.as_bytes()).expect("a policy")
}

#[test]
fn several_threads_find_what_one_finds_in_the_same_order() {
    let mut fixture = Fixture::step("acme", "2");
    fixture.edit_proposal(|signed| {
        let targets = signed["targets"].as_object_mut().expect("targets");
        let one = targets.values().next().expect("a target").clone();
        for index in 0..5_000 {
            targets.insert(format!("odd target {index}"), one.clone());
        }
    });
    let (once, again) = fixture.with(|situation| {
        assert!(situation.message.bytes().len() as u64 >= crate::threads::LONG);
        let subject = Subject::new(situation);
        (CHECKS.iter().flat_map(|check| check.findings(&subject)).collect::<Vec<_>>(), run(situation))
    });
    assert!(once.len() > 100);
    assert_eq!(once, again);
}
