//! Which release this is, and its day: a clock that shows an earlier day than the release is wrong.

use crate::host::clock::Time;

/// The version, as in `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The day of this release, 00:00 UTC. Written by hand at a release and not taken from the build machine's clock, so
/// that two builds of the same source are the same bytes.
pub const DAY: Time = Time::from_unix(1_795_392_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_names_this_release_and_its_day() {
        let changelog = include_str!("../CHANGELOG.md");
        let day: String = DAY.to_string().chars().take(10).collect();
        let heading = format!("\n## [{VERSION}] - {day}\n");
        assert!(changelog.contains(&heading), "CHANGELOG.md has no heading {heading:?}");
        assert!(DAY.to_string().ends_with("T00:00:00Z"));
    }
}
