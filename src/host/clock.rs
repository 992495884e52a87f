//! Wall clock, uptime and boot id: three witnesses of time, so that a clock that was set back is noticed.

use crate::text::counted;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A point in time in whole seconds, UTC, as every format of this product writes it: `2026-11-23T09:25:33Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// 1970-01-01T00:00:00.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl Time {
    /// The last moment that can be written: 9999-12-31T23:59:59Z.
    pub const LATEST: Time = Time(253_402_300_799);

    /// From seconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix(seconds: i64) -> Time {
        Time(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with or without fraction and offset; a fraction is cut off. `None` when it is not a time.
    pub fn parse(text: &str) -> Option<Time> {
        // Not a `Timestamp`: those end a day before the last one that RFC 3339 can write.
        let pieces = Pieces::parse(text).ok()?;
        let offset = pieces.to_numeric_offset().filter(|_| pieces.time_zone_annotation().is_none())?;
        let time = pieces.time()?;
        let local = pieces.date().at(time.hour(), time.minute(), time.second(), 0);
        let seconds = local.duration_since(EPOCH).as_secs() - i64::from(offset.seconds());
        Some(Time(seconds)).filter(|time| *time <= Time::LATEST)
    }

    /// Reads exactly the form that devices can read: `YYYY-MM-DDTHH:MM:SSZ`.
    pub(crate) fn parse_strict(text: &str) -> Option<Time> {
        let time = Time::parse(text)?;
        (time.to_string() == text).then_some(time)
    }

    /// This time moved by a number of seconds, which may be negative; saturating.
    pub const fn plus_seconds(self, seconds: i64) -> Time {
        Time(self.0.saturating_add(seconds))
    }

    /// This time moved by a number of days of 86,400 seconds.
    pub const fn plus_days(self, days: i64) -> Time {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Whole days from `earlier` to this time, rounded towards zero.
    pub(crate) const fn days_since(self, earlier: Time) -> i64 {
        self.0.saturating_sub(earlier.0) / 86_400
    }
}

impl Time {
    /// How long before or after `now` it is, in words: `3 days ago`, `in 2 hours`.
    pub(crate) fn beside(self, now: Time) -> String {
        let seconds = now.0.saturating_sub(self.0);
        let (count, unit) = match seconds.unsigned_abs() {
            minutes @ ..3_600 => (minutes / 60, "minute"),
            hours @ ..172_800 => (hours / 3_600, "hour"),
            days => (days / 86_400, "day"),
        };
        match (count, seconds) {
            (0, _) => "just now".to_owned(),
            (_, ..0) => format!("in {}", counted(count, unit)),
            _ => format!("{} ago", counted(count, unit)),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(SignedDuration::from_secs(self.0)) {
            Ok(t) => write!(out, "{}", t.strftime("%Y-%m-%dT%H:%M:%SZ")),
            Err(_) => write!(out, "@{}", self.0),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(from)?;
        Time::parse_strict(&text)
            .ok_or_else(|| serde::de::Error::custom("not a time of the form YYYY-MM-DDTHH:MM:SSZ"))
    }
}

/// When something happened, by three witnesses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Wall clock.
    pub time: Time,
    /// The kernel's boot id: it changes when the machine is started anew.
    pub boot: String,
    /// Milliseconds since boot, which nobody can set back.
    pub uptime_ms: u64,
}

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Time;
    /// Milliseconds since the machine was started, sleep included.
    fn uptime_ms(&self) -> u64;
    /// The kernel's boot id.
    fn boot(&self) -> String;
    /// Waits; used to slow down a guesser of passphrases. A test's clock only notes it.
    fn sleep(&self, milliseconds: u64);
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        };
        Time(seconds)
    }

    fn uptime_ms(&self) -> u64 {
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(since.tv_sec).unwrap_or(0);
        let milliseconds = u64::try_from(since.tv_nsec / 1_000_000).unwrap_or(0);
        seconds.saturating_mul(1000).saturating_add(milliseconds)
    }

    fn boot(&self) -> String {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map(|id| id.trim().chars().filter(char::is_ascii_graphic).take(64).collect())
            .unwrap_or_else(|_| "unknown".to_owned())
    }

    fn sleep(&self, milliseconds: u64) {
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_in_utc() {
        let time = Time::parse("2027-11-23T00:00:00Z").expect("a time");
        assert_eq!(time.to_string(), "2027-11-23T00:00:00Z");
        assert_eq!(Time::parse("2027-11-23T01:00:00.5+01:00"), Some(time));
        assert_eq!(Time::parse_strict("2027-11-23T00:00:00.000Z"), None);
        assert_eq!(Time::parse_strict("2027-11-23T00:00:00+00:00"), None);
        assert_eq!(Time::parse_strict("2027-11-23T00:00:00Z"), Some(time));
        assert_eq!(Time::parse("2027-02-30T00:00:00Z"), None);
        for no_time in
            ["2027-11-23T00:00:00", "2027-11-23", "tomorrow", "2027-11-23T00:00:00Z[Europe/Paris]", ""]
        {
            assert_eq!(Time::parse(no_time), None, "{no_time}");
        }
    }

    #[test]
    fn a_time_is_told_beside_another_in_words() {
        let now = Time::parse("2027-11-23T12:00:00Z").expect("a time");
        for (seconds, words) in [
            (0, "just now"),
            (90, "1 minute ago"),
            (3_600, "1 hour ago"),
            (47 * 3_600, "47 hours ago"),
            (3 * 86_400, "3 days ago"),
            (-2 * 3_600, "in 2 hours"),
            (-363 * 86_400, "in 363 days"),
        ] {
            assert_eq!(now.plus_seconds(-seconds).beside(now), words);
        }
    }

    #[test]
    fn the_last_day_that_can_be_written_is_a_time_and_what_comes_after_it_is_none() {
        let last = "9999-12-31T23:59:59Z";
        assert_eq!(Time::parse_strict(last), Some(Time::LATEST));
        assert_eq!(Time::LATEST.to_string(), last);
        for near in
            ["9999-12-30T22:00:01Z", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"]
        {
            assert_eq!(Time::parse_strict(near).map(|time| time.to_string()).as_deref(), Some(near));
        }
        assert_eq!(
            Time::parse("9999-12-31T23:59:59.9+01:00").map(|t| t.to_string()).as_deref(),
            Some("9999-12-31T22:59:59Z")
        );
        assert_eq!(Time::parse("9999-12-31T23:59:59-01:00"), None);
        assert_eq!(Time::parse("10000-01-01T00:00:00Z"), None);
        assert_eq!(Time::parse("1969-12-31T23:59:58.5Z"), Time::parse("1969-12-31T23:59:58Z"));
    }
}
