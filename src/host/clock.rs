//! Wall clock, uptime and boot id: three witnesses of time, so that a clock that was set back is noticed.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A point in time in whole seconds, UTC, as every format of this product writes it: `2026-11-23T09:25:33Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
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
        text.parse::<jiff::Timestamp>().ok().map(|t| Time(t.as_second()))
    }

    /// Reads exactly the form that devices can read: `YYYY-MM-DDTHH:MM:SSZ`.
    pub fn parse_strict(text: &str) -> Option<Time> {
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
    pub const fn days_since(self, earlier: Time) -> i64 {
        self.0.saturating_sub(earlier.0) / 86_400
    }
}

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
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
    }
}
