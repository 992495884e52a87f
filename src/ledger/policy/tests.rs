use super::checks::CHECKS;
use super::*;
use sha2::{Digest, Sha256};

fn with(from: &str, to: &str) -> Result<Policy, PolicyError> {
    assert!(DEFAULT.contains(from), "the default policy holds {from:?}");
    Policy::read(DEFAULT.replacen(from, to, 1).as_bytes())
}

fn refusal(from: &str, to: &str) -> String {
    with(from, to).expect_err(to).to_string()
}

#[test]
fn the_commented_default_is_the_built_in_policy() {
    let read = Policy::read(DEFAULT.as_bytes()).expect("the default");
    assert_eq!(format!("{read:?}"), format!("{:?}", Policy::default()));
}

#[test]
fn a_new_station_can_ask_for_more_approvals() {
    assert_eq!(Policy::read(default_text(3).as_bytes()).expect("a policy").approvals, 3);
    assert_eq!(default_text(1), DEFAULT);
    Policy::read(default_text(0).as_bytes()).expect_err("no approval at all");
}

#[test]
fn the_default_lists_every_check_that_may_be_lowered_with_its_default() {
    for check in CHECKS {
        let line = format!("\n# {} = \"{}\"\n", check.name, check.default);
        let may_be_lowered = check.lowest != check.default;
        assert_eq!(DEFAULT.contains(&line), may_be_lowered, "{}", check.name);
    }
    let all_active =
        DEFAULT.replace("\n# evidence =", "\nevidence =").replace("\n# app-host =", "\napp-host =");
    Policy::read(all_active.as_bytes()).expect("the examples are valid");
}

#[test]
fn the_digest_is_that_of_the_bytes_so_a_changed_comment_is_a_changed_policy() {
    let one = Policy::read(DEFAULT.as_bytes()).expect("a policy");
    let other = Policy::read(format!("{DEFAULT}# signed off by Ann\n").as_bytes()).expect("a policy");
    assert_ne!(one.digest(), other.digest());
    assert_eq!(one.digest(), hex::encode(Sha256::digest(DEFAULT)));
}

#[test]
fn a_name_that_is_not_known_is_refused_with_its_line() {
    let message = refusal("hours = 24", "hours = 24\nhuors = 12");
    let line = DEFAULT.lines().position(|l| l == "hours = 24").expect("a line") + 2;
    assert!(message.contains(&format!("line {line}")) && message.contains("huors"), "{message}");
    let message = refusal("# evidence = \"block\"", "evidense = \"warn\"");
    assert!(message.contains("checks.evidense is not a check"), "{message}");
    let message = refusal("swap = \"warn\"", "self-test = \"warn\"");
    assert!(message.contains("preflight.self-test is not a line that can be set"), "{message}");
    with("count = 1", "count = 1\ncount = 2").expect_err("a name twice");
}

#[test]
fn a_value_out_of_range_is_refused_with_the_range() {
    for (from, to, said) in [
        ("count = 1", "count = 0", "approvals.count is 0; it must be from 1 to 16"),
        ("count = 1", "count = -1", "approvals.count is -1"),
        ("hours = 24", "hours = 99999999999", "approvals.hours is 99999999999"),
        ("max_file_bytes = 67108864", "max_file_bytes = 10", "limits.max_file_bytes is 10"),
        ("expiry_min_days = 7", "expiry_min_days = 500", "is 400, below expiry_min_days, which is 500"),
        ("mass_removal_percent = 25", "mass_removal_percent = 101", "limits.mass_removal_percent is 101"),
        ("network = \"block\"", "network = \"off\"", "it must be \"block\" or \"warn\""),
        ("separate_roles = []", "separate_roles = [[\"signer\", \"signer\"]]", "names the signer twice"),
        ("app_hosts = []", "app_hosts = [\"https://x/\"]", "a registry is a host name"),
        ("countersign/policy/1", "countersign/policy/2", "this program reads \"countersign/policy/1\""),
    ] {
        let message = refusal(from, to);
        assert!(message.contains(said), "{message}");
        assert!(message.contains("line "), "{message}");
    }
    with("count = 1", "count = \"1\"").expect_err("a wrong type");
    with("separate_roles = []", "separate_roles = [[\"importer\", \"boss\"]]").expect_err("an unknown role");
}

#[test]
fn what_protects_what_is_signed_cannot_be_lowered_and_limits_can() {
    for (name, value) in [
        ("canonical-portable", "warn"),
        ("high-water", "off"),
        ("evidence", "note"),
        ("app-digest-pinned", "off"),
        ("root-rotated", "note"),
    ] {
        let message = refusal("[checks]", &format!("[checks]\n{name} = \"{value}\""));
        assert!(message.contains(&format!("checks.{name} cannot be lowered")), "{message}");
    }
    for (name, value) in [("evidence", "warn"), ("downgrade", "off"), ("root-rotated", "block")] {
        with("[checks]", &format!("[checks]\n{name} = \"{value}\"")).expect(name);
    }
}

#[test]
fn the_policy_changes_what_a_finding_does() {
    let policy =
        with("[checks]", "[checks]\nstatic-delta = \"off\"\ndowngrade = \"warn\"\nfirst-wave = \"warn\"")
            .expect("a policy");
    assert_eq!(policy.severity("static-delta", Severity::Warn), Severity::Disabled);
    assert_eq!(policy.severity("downgrade", Severity::Block), Severity::Warn);
    assert_eq!(policy.severity("downgrade", Severity::Note), Severity::Note);
    assert_eq!(policy.severity("first-wave", Severity::Note), Severity::Warn);
    assert_eq!(policy.severity("app-removed", Severity::Warn), Severity::Warn);
    assert_eq!(policy.severity("evidence", Severity::Block), Severity::Block);
    let milder = with("[checks]", "[checks]\nevidence = \"warn\"").expect("a policy");
    assert_eq!(milder.severity("evidence", Severity::Block), Severity::Warn);
}

#[test]
fn a_preflight_line_that_the_policy_does_not_name_stops_a_signature() {
    let policy = with("network = \"block\"", "network = \"warn\"").expect("a policy");
    assert!(!policy.preflight_blocks("network"));
    assert!(policy.preflight_blocks("self-test"));
    assert!(policy.preflight_blocks("clock"));
    assert!(with("clock = \"block\"\n", "").expect("a policy").preflight_blocks("clock"));
}

#[test]
fn roles_are_kept_apart_both_ways_round() {
    let policy =
        with("separate_roles = []", "separate_roles = [[\"importer\", \"signer\"]]").expect("a policy");
    assert!(!policy.may_hold_both(Role::Importer, Role::Signer));
    assert!(!policy.may_hold_both(Role::Signer, Role::Importer));
    assert!(policy.may_hold_both(Role::Importer, Role::Approver));
    let policy = with("importer_may_approve = true", "importer_may_approve = false").expect("a policy");
    assert!(!policy.may_hold_both(Role::Approver, Role::Importer));
    assert!(policy.may_hold_both(Role::Approver, Role::Signer));
}

#[test]
fn a_mass_removal_is_many_targets_and_a_large_share() {
    let policy = Policy::default();
    assert!(policy.is_mass_removal(5, 20));
    assert!(!policy.is_mass_removal(4, 4));
    assert!(!policy.is_mass_removal(5, 21));
    assert!(policy.is_mass_removal(usize::MAX, usize::MAX));
    assert!(!policy.is_mass_removal(0, 0));
}

#[test]
fn bytes_that_are_no_policy_are_refused() {
    for bytes in [&b""[..], b"\xff", b"format = ", b"[checks", &[b'#'; 70_000]] {
        Policy::read(bytes).expect_err("no policy");
    }
    let message = Policy::read(b"format = \"\x1b[2J\"").expect_err("no policy").to_string();
    assert!(message.bytes().all(|b| b >= 0x20 && b != 0x7f), "{message}");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = Policy::read(&bytes);
    }

    #[test]
    fn a_mutated_policy_is_read_without_harm(at in 0..DEFAULT.len(), byte in 0x20u8..0x7f) {
        let mut bytes = DEFAULT.as_bytes().to_vec();
        bytes[at] = byte;
        if let Err(e) = Policy::read(&bytes) {
            proptest::prop_assert!(e.to_string().contains("line"), "{}", e);
        }
    }
}

#[test]
fn the_documentation_lists_every_check_that_may_be_lowered_and_every_name() {
    let page = include_str!("../../../docs/policy.md");
    for check in CHECKS {
        let lowest = if check.lowest == Severity::Disabled { "off" } else { check.lowest.name() };
        let row = format!("\n| `{}` | {} | {lowest} |\n", check.name, check.default);
        assert_eq!(page.contains(&row), check.lowest != check.default, "{}", check.name);
    }
    for line in DEFAULT.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, _)) = line.split_once(" = ") {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}
