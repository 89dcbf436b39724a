//! Reads a time in the ways shops write it.
//!
//! `domain` reads RFC 3339, plain ISO and Unix times; exports also bring
//! slashes, Chinese and German dates, mail dates and bare years. A date such
//! as `03/04/2011` is refused, because nobody can tell the day from the month.

use domain::{Timestamp, TimestampError};

/// Unix seconds in this range are years: nobody's shop was open in the first hour of 1970.
const YEARS: std::ops::RangeInclusive<i64> = 1000..=2999;

/// Reads the time in a text.
pub(crate) fn parse_moment(text: &str) -> Result<Timestamp, TimestampError> {
    let text = text.trim();
    if let Some(iso) = as_iso(text)
        && let Ok(moment) = Timestamp::parse(&iso)
    {
        return Ok(moment);
    }
    Timestamp::parse(text).or_else(|error| match jiff::fmt::rfc2822::parse(text) {
        Ok(zoned) => Ok(Timestamp::from_millis(zoned.timestamp().as_millisecond())),
        Err(_) => Err(error),
    })
}

/// Reads the time in a number: a year, or a Unix time in seconds or milliseconds.
pub(crate) fn moment_of_number(number: f64) -> Result<Timestamp, TimestampError> {
    let whole = number as i64;
    if YEARS.contains(&whole) && number.fract() == 0.0 {
        return Timestamp::parse(&format!("{whole}-01-01"));
    }
    Timestamp::from_unix(number)
}

/// Rewrites `2009/12/1 7:45`, `2009年12月1日`, `1.12.2009` and `2009`; `None` for all other forms.
fn as_iso(text: &str) -> Option<String> {
    if !text.is_ascii() && !text.contains('年') {
        return None;
    }
    let (first, rest) = digits(text);
    if rest.is_empty() && first.len() == 4 && YEARS.contains(&first.parse().ok()?) {
        return Some(format!("{first}-01-01"));
    }
    let mut marks = rest.chars();
    let mark = marks.next()?;
    let (second, rest) = digits(marks.as_str());
    let mut marks = rest.chars();
    let second_mark = marks.next()?;
    let (third, mut rest) = digits(marks.as_str());
    let (year, day) = match (mark, second_mark) {
        ('/', '/') | ('年', '月') if first.len() == 4 => (first, third),
        ('.', '.') if third.len() == 4 => (third, first),
        _ => return None,
    };
    if mark == '年' {
        rest = rest.strip_prefix('日').unwrap_or(rest);
    }
    let day: u8 = day.parse().ok()?;
    let month: u8 = second.parse().ok()?;
    let clock = clock(rest)?;
    Some(format!("{year}-{month:02}-{day:02}{clock}"))
}

/// ` 7:45` or `T07:45:30.5` as `T07:45` or `T07:45:30.5`; empty stays empty.
fn clock(text: &str) -> Option<String> {
    let text = text.trim_start_matches([' ', 'T']);
    if text.is_empty() {
        return Some(String::new());
    }
    let (hour, minutes) = text.split_once(':')?;
    let hour: u8 = hour.parse().ok()?;
    Some(format!("T{hour:02}:{minutes}"))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_many_exports_are_read() {
        for (text, expected) in [
            ("2009-12-01 07:45:00", "2009-12-01T07:45:00Z"),
            ("2009-12-01 07:45", "2009-12-01T07:45:00Z"),
            ("2009/12/1 7:45", "2009-12-01T07:45:00Z"),
            ("2009/12/01", "2009-12-01T00:00:00Z"),
            ("2009年12月1日", "2009-12-01T00:00:00Z"),
            ("2009年12月1日 07:45:30", "2009-12-01T07:45:30Z"),
            ("1.12.2009 7:45", "2009-12-01T07:45:00Z"),
            ("Tue, 1 Dec 2009 08:45:00 +0100", "2009-12-01T07:45:00Z"),
            ("2009", "2009-01-01T00:00:00Z"),
            ("1259653500", "2009-12-01T07:45:00Z"),
        ] {
            assert_eq!(
                parse_moment(text)
                    .map(|moment| moment.to_string())
                    .as_deref(),
                Ok(expected),
                "{text}"
            );
        }
        assert_eq!(moment_of_number(2009.0), parse_moment("2009"));
        assert_eq!(
            moment_of_number(1_259_653_500.0),
            parse_moment("1259653500")
        );
    }

    #[test]
    fn what_could_be_two_dates_is_refused() {
        for text in [
            "",
            "03/04/2011",
            "12/1/2009 7:45",
            "2009/13/1",
            "2009/1",
            "soon",
            "2009年",
            "1.2.3",
        ] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }
}
