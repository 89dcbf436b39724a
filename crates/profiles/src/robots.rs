//! Telling programs from shoppers.
//!
//! A shopper with more than [`domain::ROBOT_EVENTS_OF_A_DAY`] events on one UTC
//! day is a robot from the next event on, and stays one. Its own profile goes on
//! within its bounds; its events count for no item any more. The few hundred
//! that came before remain counted: what they were is not remembered.

use crate::decay::day_of;
use domain::{ROBOT_EVENTS_OF_A_DAY, Timestamp};
use serde::{Deserialize, Serialize};

/// Days whose events are counted at the same time, for histories that do not come in the order of time.
const DAYS: usize = 4;

/// Counts events by day, the least recently touched day first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Robot {
    days: [(i32, u32); DAYS],
    since: Option<Timestamp>,
}

impl Robot {
    /// Counts an event.
    pub fn count(&mut self, time: Timestamp) {
        if self.since.is_some() {
            return;
        }
        let day = day_of(time);
        // An empty place is day 0 with no events, which is as good as any other.
        let at = self.days.iter().rposition(|&(known, _)| known == day);
        let at = at.unwrap_or_else(|| {
            self.days[0] = (day, 0);
            0
        });
        self.days[at..].rotate_left(1);
        let (_, events) = &mut self.days[DAYS - 1];
        *events = events.saturating_add(1);
        if *events > ROBOT_EVENTS_OF_A_DAY {
            self.since = Some(time);
        }
    }

    /// The event by which it was found out.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decay::DAY_MILLIS;

    #[test]
    fn a_thousand_a_day_are_a_shopper_and_one_more_is_a_robot() {
        let mut robot = Robot::default();
        for day in 0..5 {
            for event in 0..i64::from(ROBOT_EVENTS_OF_A_DAY) {
                robot.count(Timestamp::from_millis(day * DAY_MILLIS + event));
            }
        }
        assert_eq!(robot.since(), None);
        robot.count(Timestamp::from_millis(2 * DAY_MILLIS + 5_000));
        assert_eq!(
            robot.since(),
            Some(Timestamp::from_millis(2 * DAY_MILLIS + 5_000))
        );
    }

    #[test]
    fn days_that_come_in_turns_are_told_apart() {
        let mut robot = Robot::default();
        for event in 0..2_000 {
            robot.count(Timestamp::from_millis(event % 3 * DAY_MILLIS + event));
        }
        assert_eq!(robot.since(), None);
        for event in 0..400 {
            robot.count(Timestamp::from_millis(DAY_MILLIS + event));
        }
        assert!(robot.since().is_some());
    }
}
