//! Time as values that travel through the program. No clock is read here.
//!
//! Two kinds are kept apart. A [`Timestamp`] is wall time for people and records, and may be wrong.
//! An [`Uptime`] measures how long something takes and never jumps. Deadlines use only the latter.

pub use jiff::civil::Date;
pub use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Milliseconds of wall time since the Unix epoch, as accurate as the machine's clock.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Milliseconds on this boot's time line, time asleep included. Only differences are meaningful.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Uptime(pub u64);

/// A length of time in milliseconds.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// A length of `seconds` seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The sum, saturating at the end of the range.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, saturating at zero.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This length times `factor`, saturating.
    #[must_use]
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// Whole seconds, rounded up, as a countdown shows them.
    pub const fn seconds_up(self) -> u64 {
        self.0.div_ceil(1000)
    }
}

impl From<Millis> for std::time::Duration {
    fn from(millis: Millis) -> Self {
        Self::from_millis(millis.0)
    }
}

impl Uptime {
    /// The time since `earlier`; zero if that lies in the future.
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment `wait` later.
    #[must_use]
    pub const fn after(self, wait: Millis) -> Self {
        Self(self.0.saturating_add(wait.0))
    }

    /// The moment `span` earlier, a year before boot at the earliest.
    #[must_use]
    pub const fn before(self, span: Millis) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// The first moment of a day.
pub fn begins(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let begins = day.to_zoned(zone.clone()).ok()?.timestamp();
    Some(Timestamp(begins.as_millisecond()))
}

impl Timestamp {
    /// The moment `wait` later, saturating.
    #[must_use]
    pub fn after(self, wait: Millis) -> Self {
        Self(self.0.saturating_add(i64::try_from(wait.0).unwrap_or(i64::MAX)))
    }

    /// RFC 3339 with milliseconds in UTC: `2026-11-22T03:30:00.123+00:00`.
    pub fn to_rfc3339(self) -> String {
        self.zoned(&TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()
    }

    /// Wall time in a zone, formatted by [`jiff`]'s `strftime`.
    pub fn local(self, format: &str, zone: &TimeZone) -> String {
        self.zoned(zone).strftime(format).to_string()
    }

    /// The calendar day in a zone.
    pub fn day(self, zone: &TimeZone) -> Date {
        self.zoned(zone).date()
    }

    /// Parses Beijing wall time as the gateway writes it, `yyyyMMddHHmmss`; `None` if malformed.
    pub fn from_beijing(text: &str) -> Option<Self> {
        if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
        let beijing = TimeZone::fixed(jiff::tz::offset(8));
        let moment = beijing.to_ambiguous_zoned(civil).compatible().ok()?;
        Some(Self(moment.timestamp().as_millisecond()))
    }

    /// Parses RFC 3339 with any offset: `2026-11-22T12:03:01+08:00`; `None` if malformed.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let at: jiff::Timestamp = text.parse().ok()?;
        Some(Self(at.as_millisecond()))
    }

    /// Parses the time in an HTTP `Date` header: `Sun, 22 Nov 2026 03:30:00 GMT`.
    pub fn from_http(text: &str) -> Option<Self> {
        jiff::fmt::rfc2822::parse(text).ok().map(|at| Self(at.timestamp().as_millisecond()))
    }

    /// The inverse of [`Timestamp::from_http`].
    pub fn to_http(self) -> String {
        self.zoned(&TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// The inverse of [`Timestamp::from_beijing`].
    pub fn to_beijing(self) -> String {
        self.zoned(&TimeZone::fixed(jiff::tz::offset(8))).strftime("%Y%m%d%H%M%S").to_string()
    }

    fn zoned(self, zone: &TimeZone) -> jiff::Zoned {
        let moment =
            jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.to_zoned(zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_times_are_utc_with_milliseconds() {
        assert_eq!(Timestamp(1_795_318_200_123).to_rfc3339(), "2026-11-22T03:30:00.123+00:00");
    }

    #[test]
    fn a_servers_date_is_read() {
        let text = "Sun, 22 Nov 2026 03:30:00 GMT";
        assert_eq!(Timestamp::from_http(text), Some(Timestamp(1_795_318_200_000)));
        assert_eq!(Timestamp(1_795_318_200_000).to_http(), text);
        for wrong in ["", "yesterday", "2026-11-22T03:30:00Z", "Sun, 32 Nov 2026 03:30:00 GMT"] {
            assert_eq!(Timestamp::from_http(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_gateways_times_are_in_beijing() {
        let at = Timestamp::from_beijing("20261122120301").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-11-22T04:03:01.000+00:00");
        assert_eq!(at.to_beijing(), "20261122120301");
        for wrong in ["", "2026", "20261322120301", "20261122 120301", "2026112212030a"] {
            assert_eq!(Timestamp::from_beijing(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_shop_has_its_own_day_and_time_wherever_the_machine_is() {
        let at = Timestamp(1_795_318_200_000);
        let zone = |hours| TimeZone::fixed(jiff::tz::offset(hours));
        assert_eq!(at.local("%H:%M", &zone(8)), "11:30");
        assert_eq!(at.day(&zone(8)).to_string(), "2026-11-22");
        assert_eq!(at.local("%H:%M", &zone(-8)), "19:30");
        assert_eq!(at.day(&zone(-8)).to_string(), "2026-11-21");
    }

    #[test]
    fn a_countdown_reaches_zero_only_when_the_time_has_come() {
        assert_eq!(Millis(1).seconds_up(), 1);
        assert_eq!(Millis(5000).seconds_up(), 5);
        assert_eq!(Millis(0).seconds_up(), 0);
    }
}
