//! Which release this is, and the earliest time that a right clock can show to it.

use crate::host::clock::Time;

/// The version, as in `Cargo.toml`.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// No copy of this program is older than this: the day on which its compiler was made (Rust 1.95, `rust-version` in
/// `Cargo.toml`). A constant and not the build machine's clock, so that two builds of the same source are the same bytes.
pub(crate) const EARLIEST: Time = Time::from_unix(1_776_124_800);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_names_this_release() {
        let changelog = include_str!("../CHANGELOG.md");
        assert!(
            changelog.contains(&format!("\n## [{VERSION}] - ")),
            "CHANGELOG.md has no heading for {VERSION}"
        );
    }

    #[test]
    fn the_earliest_day_is_that_of_the_compiler_that_is_needed() {
        assert_eq!(EARLIEST.to_string(), "2026-04-14T00:00:00Z");
        assert!(include_str!("../Cargo.toml").contains("rust-version = \"1.95\""));
    }
}
