//! When a shopper comes: events by hour of the day and by day of the week, in UTC.

use crate::decay::{DAY_MILLIS, day_of};
use domain::Timestamp;
use serde::{Deserialize, Serialize};

const HOUR_MILLIS: i64 = DAY_MILLIS / 24;

/// Events by hour and by weekday. Each count ends at 65,535.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hours {
    /// From 0 to 23 o'clock.
    pub by_hour: [u16; 24],
    /// From Monday to Sunday.
    pub by_weekday: [u16; 7],
}

impl Hours {
    pub(crate) fn add(&mut self, time: Timestamp) {
        let hour = time.millis().rem_euclid(DAY_MILLIS) / HOUR_MILLIS;
        // 1970-01-01 was a Thursday, the fourth day of its week.
        let weekday = (i64::from(day_of(time)) + 3).rem_euclid(7);
        let hour = &mut self.by_hour[hour as usize];
        *hour = hour.saturating_add(1);
        let weekday = &mut self.by_weekday[weekday as usize];
        *weekday = weekday.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saturday_evening() {
        let mut hours = Hours::default();
        // 2026-01-31T19:59:59.999Z, and 1969-12-31T23:59:59.999Z, a Wednesday.
        hours.add(Timestamp::from_millis(1_769_889_599_999));
        hours.add(Timestamp::from_millis(-1));
        assert_eq!((hours.by_hour[19], hours.by_weekday[5]), (1, 1));
        assert_eq!((hours.by_hour[23], hours.by_weekday[2]), (1, 1));
    }
}
