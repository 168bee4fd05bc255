//! Capture time: nanoseconds since the Unix epoch, and how it is printed.
//!
//! In: time stamps of packets, HAR entries and log lines. Out: order, differences and RFC 3339 text.
//! It knows no zone but UTC: what a file gives in local time without a zone is not a [`Time`].

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

/// A moment of the capture, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Deserialize, serde::Serialize)]
pub struct Time(pub i64);

impl Time {
    /// The time from here back to `earlier`; zero when `earlier` is later, as clocks in captures step back.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }

    /// The same as text with all its digits, for what is read back.
    pub fn exact(self) -> impl fmt::Display {
        Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default()
    }

    /// Reads an RFC 3339 / ISO 8601 time with a zone, as HAR and SAZ write it.
    pub fn parse(text: &str) -> Option<Time> {
        let stamp: Timestamp = text.trim().parse().ok()?;
        i64::try_from(stamp.as_nanosecond()).ok().map(Time)
    }
}

/// RFC 3339 in UTC with microseconds: `2026-01-02T03:04:05.000000Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(stamp) => write!(f, "{stamp:.6}"),
            Err(_) => write!(f, "{}ns", self.0),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_rfc_3339() {
        let time = Time::parse("2026-01-02T03:04:05.5+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-01-02T02:04:05.500000Z");
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Time(1).since(Time(5)), Duration::ZERO);
        assert_eq!(Time::parse("02.01.2026 03:04"), None);
    }
}
