//! Moments, as milliseconds since 1970-01-01T00:00:00Z.
//!
//! Shops write times as RFC 3339, as plain `2009-12-01 07:45:00`, or as a Unix
//! number in seconds or milliseconds; all of them become a [`Timestamp`].

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// The text or number is no moment between the years 1 and 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a time: use RFC 3339 (2011-12-09T12:50:00Z), `2011-12-09 12:50:00`, or a Unix time in seconds or milliseconds"
)]
pub struct TimestampError(String);

/// Unix numbers from here on are milliseconds: as seconds they would be past the year 5138.
const MILLIS_FROM: f64 = 1e11;
/// Milliseconds at 9999-12-31, the end of what we accept.
const LATEST: i64 = 253_402_300_799_999;
/// Milliseconds at 0001-01-01, its start.
const EARLIEST: i64 = -62_135_596_800_000;

impl Timestamp {
    /// A moment by its Unix milliseconds, clamped to the years 1 to 9999.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(EARLIEST, LATEST))
    }

    /// Milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// A Unix number: seconds, or milliseconds when it is too large for seconds.
    pub fn from_unix(number: f64) -> Result<Self, TimestampError> {
        let millis = if number.abs() < MILLIS_FROM {
            number * 1e3
        } else {
            number
        };
        if millis.is_finite() && millis >= EARLIEST as f64 && millis <= LATEST as f64 {
            Ok(Self(millis.round() as i64))
        } else {
            Err(TimestampError(number.to_string()))
        }
    }

    /// Reads any of the accepted forms; a time without a zone is UTC.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let text = text.trim();
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::from_millis(moment.as_millisecond()));
        }
        let civil = text.parse::<DateTime>().or_else(|_| {
            text.parse::<Date>()
                .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
        });
        if let Ok(civil) = civil
            && let Ok(moment) = TimeZone::UTC.to_timestamp(civil)
        {
            return Ok(Self::from_millis(moment.as_millisecond()));
        }
        match text.parse::<f64>() {
            Ok(number) => Self::from_unix(number),
            Err(_) => Err(TimestampError(text.chars().take(60).collect())),
        }
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => moment.fmt(f),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_form_is_the_same_moment() {
        let expected = Timestamp::from_millis(1_259_653_500_000);
        for text in [
            "2009-12-01 07:45:00",
            "2009-12-01T07:45:00Z",
            "2009-12-01T08:45:00+01:00",
            "1259653500",
            "1259653500000",
        ] {
            assert_eq!(Timestamp::parse(text), Ok(expected), "{text}");
        }
        assert_eq!(expected.to_string(), "2009-12-01T07:45:00Z");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "yesterday", "NaN", "inf", "2009-13-01", "1e300"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }
}
