//! A moment, in milliseconds since 1970 (UTC), as it is stored and compared. Formatting for the wire
//! is here too; reading the clock is not: see [`crate::clock`].

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since the Unix epoch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Later by `by`; the end of time where that would overflow.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(by))
    }

    /// Earlier by `by`; the beginning of time where that would overflow.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(by))
    }

    /// How long from `earlier` until here; nothing when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Seconds from `now` until here, rounded to the nearest; negative when past.
    pub fn seconds_from(self, now: Self) -> i64 {
        self.0.saturating_sub(now.0).saturating_add(500).div_euclid(1000)
    }

    /// Reads RFC 3339; `None` where the text is no moment.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let millis = moment.unix_timestamp_nanos().checked_div(1_000_000)?;
        i64::try_from(millis).ok().map(Self)
    }

    /// RFC 3339 in UTC, with milliseconds when there are any.
    pub fn rfc3339(self) -> String {
        let nanos = i128::from(self.0).saturating_mul(1_000_000);
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_rfc3339() {
        assert_eq!(Timestamp::from_millis(0).rfc3339(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_millis(1_500).rfc3339(), "1970-01-01T00:00:01.5Z");
    }

    #[test]
    fn seconds_are_rounded_to_the_nearest() {
        let now = Timestamp::from_millis(10_000);
        assert_eq!(Timestamp::from_millis(11_499).seconds_from(now), 1);
        assert_eq!(Timestamp::from_millis(11_500).seconds_from(now), 2);
        assert_eq!(Timestamp::from_millis(8_000).seconds_from(now), -2);
    }

    #[test]
    fn arithmetic_stops_at_the_end_of_time() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.after(Duration::from_secs(1)), end);
    }
}
