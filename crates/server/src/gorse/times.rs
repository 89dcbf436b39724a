//! Times and durations as clients of the convention write them.

use crate::error::ApiError;
use domain::Timestamp;

/// What an empty time means there: the first moment of the year 1.
const NONE: i64 = -62_135_596_800_000;

/// No time at all.
pub(super) fn none() -> Timestamp {
    Timestamp::from_millis(NONE)
}

/// A time; an empty one is none.
pub(super) fn read(text: Option<&str>) -> Result<Timestamp, ApiError> {
    match text {
        None | Some("") => Ok(none()),
        Some(text) => Timestamp::parse(text)
            .map_err(|error| ApiError::invalid("invalid_timestamp", error.to_string())),
    }
}

/// Whether it is a time at all.
pub(super) fn is_given(time: Timestamp) -> bool {
    time.millis() != NONE
}

/// Milliseconds of a duration such as `1h30m`, `10s` or `-0.5h`; an empty one is 0.
pub(super) fn duration(text: &str) -> Result<i64, ApiError> {
    let wrong = || {
        let shown: String = text.chars().take(60).collect();
        let message = format!("`{shown}` is no duration: write it as `1h30m` or `10s`");
        ApiError::invalid("bad_request", message)
    };
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some("") => return Err(wrong()),
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut millis = 0.0;
    while !rest.is_empty() && rest != "0" {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, tail) = rest.split_at(digits.ok_or_else(wrong)?);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, tail) = tail.split_at(unit.unwrap_or(tail.len()));
        let each = match unit {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1_000.0,
            "ms" => 1.0,
            "us" | "µs" => 1e-3,
            "ns" => 1e-6,
            _ => return Err(wrong()),
        };
        millis += number * each;
        rest = tail;
    }
    // Some thousand years; a time is clamped anyway.
    Ok((sign * millis.min(1e14)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, expected) in [
            ("", 0),
            ("0", 0),
            ("10s", 10_000),
            ("1h30m", 5_400_000),
            ("0h0m0s", 0),
            ("-1.5m", -90_000),
            ("250ms", 250),
        ] {
            assert_eq!(duration(text).ok(), Some(expected), "{text}");
        }
        for wrong in ["10", "s", "1d", "1h x", "..s", "-"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_empty_time_is_shown_as_the_first_moment() {
        let none = read(None).expect("a time");
        assert_eq!(none.to_string(), "0001-01-01T00:00:00Z");
        assert!(!is_given(none));
        assert!(is_given(
            read(Some("2022-11-20T13:55:27Z")).expect("a time")
        ));
        assert!(read(Some("soon")).is_err());
    }
}
