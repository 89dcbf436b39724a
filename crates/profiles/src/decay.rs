//! Sums that fade with time.
//!
//! This is forward decay (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay",
//! ICDE 2009) with an exponential: a sum is kept as of a reference time, and
//! only the newest event moves that time. A late event enters with the weight
//! it would have by now, so the order of arrival changes nothing but rounding.

use domain::Timestamp;

/// Milliseconds of one day.
pub(crate) const DAY_MILLIS: i64 = 86_400_000;
/// Half-life of what is current.
pub(crate) const SHORT_DAYS: f64 = 7.0;
/// Half-life of what is usual.
pub(crate) const LONG_DAYS: f64 = 90.0;

/// The whole UTC day of a moment, counted from 1970-01-01.
pub(crate) fn day_of(time: Timestamp) -> i32 {
    // The years 1 to 9999 are about ±3.7 million days, so this never truncates.
    time.millis().div_euclid(DAY_MILLIS) as i32
}

/// Days from one moment to another, with their fraction; negative when `to` is earlier.
pub(crate) fn days_between(from: Timestamp, to: Timestamp) -> f64 {
    // Milliseconds of the years 1 to 9999 are exact in 53 bits.
    (to.millis() as f64 - from.millis() as f64) / DAY_MILLIS as f64
}

/// What is left at `to` of a weight of 1 given at `from`; never more than 1.
pub(crate) fn remains(from: Timestamp, to: Timestamp, half_life_days: f64) -> f64 {
    if to <= from {
        1.0
    } else {
        (-days_between(from, to) / half_life_days).exp2()
    }
}

/// How a new event meets a sum kept as of another time.
pub(crate) struct Meeting {
    /// The new reference time.
    pub at: Timestamp,
    /// What the old sum is multiplied with.
    pub old: f64,
    /// What the new weight is multiplied with.
    pub new: f64,
}

/// Brings a sum kept as of `at` and an event of `time` to one reference time.
pub(crate) fn meet(at: Timestamp, time: Timestamp, half_life_days: f64) -> Meeting {
    Meeting {
        at: at.max(time),
        old: remains(at, time, half_life_days),
        new: remains(time, at, half_life_days),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_millis(number * DAY_MILLIS)
    }

    /// The fading sum of weights with their days, in their order of arrival, as of a day.
    fn sum(weights: &[(f64, i64)], on: i64) -> f64 {
        let (mut at, mut sum) = (day(weights[0].1), 0.0);
        for &(weight, of) in weights {
            let meeting = meet(at, day(of), 7.0);
            at = meeting.at;
            sum = sum * meeting.old + weight * meeting.new;
        }
        sum * remains(at, day(on), 7.0)
    }

    #[test]
    fn half_is_left_after_one_half_life_in_any_order_of_arrival() {
        assert_eq!(sum(&[(4.0, 0), (1.0, 7)], 7), 3.0);
        assert_eq!(sum(&[(1.0, 7), (4.0, 0)], 7), 3.0);
        assert_eq!(sum(&[(1.0, 7), (4.0, 0)], 14), 1.5);
    }

    #[test]
    fn reading_before_the_newest_event_does_not_grow_the_sum() {
        assert_eq!(sum(&[(1.0, 10)], 0), 1.0);
    }

    #[test]
    fn days_start_at_midnight_before_1970_too() {
        assert_eq!(day_of(Timestamp::from_millis(-1)), -1);
        assert_eq!(day_of(Timestamp::from_millis(0)), 0);
        assert_eq!(day_of(Timestamp::from_millis(DAY_MILLIS - 1)), 0);
        assert_eq!(day_of(day(3)), 3);
    }
}
