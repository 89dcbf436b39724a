//! How much an item is wanted now, against what is usual for it, and where it stands in its life.
//!
//! A fading sum of half-life h over a steady rate r comes to r · h / ln 2, and
//! to the part 1 - 2^(-age / h) of it while the item is young; divided by both
//! it is a rate per day (the correction of an exponential mean for its start is
//! that of Kingma and Ba, "Adam", ICLR 2015).

use crate::decay::{LONG_DAYS, SHORT_DAYS, days_between};
use crate::item::ItemStats;
use crate::trending::{NOISE, worth};
use domain::Timestamp;
use serde::Serialize;
use std::f64::consts::LN_2;

/// Younger items are new, whatever their trend.
const NEW_DAYS: f64 = 30.0;
/// An item without any event for so long fades, however little it sold before.
const QUIET_DAYS: f64 = 90.0;
/// A trend of so many standard deviations is more than chance.
const CLEAR: f64 = 2.0;

/// What an item is worth a day, in sales: a cart counts .2, a view or click .02.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Demand {
    /// With a half-life of 7 days.
    pub per_day_now: f64,
    /// With a half-life of 90 days.
    pub per_day_usual: f64,
    /// How far the first is above what the second leads to expect, in standard deviations.
    pub trend: f64,
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// Its first event is less than 30 days ago.
    New,
    /// Its trend is 2 or more.
    Rising,
    Steady,
    /// Its trend is -2 or less, or it had no event for 90 days.
    Fading,
}

impl ItemStats {
    /// Demand as of `now`.
    ///
    /// With s the short-term worth and e the one that the usual rate leads to expect, the trend is
    /// (s - e) / √(e + 1), as in [`Profiles::trending`](crate::Profiles::trending), but against the item's own past
    /// and not against the pace of the shop.
    pub fn demand(&self, now: Timestamp) -> Demand {
        let age = days_between(self.first, now).max(1.0);
        let full = |half_life: f64| half_life / LN_2 * (1.0 - (-age / half_life).exp2());
        let short = worth(&self.short_term(now));
        let per_day_usual = worth(&self.long_term(now)) / full(LONG_DAYS);
        let expected = (per_day_usual * full(SHORT_DAYS)).max(0.0);
        Demand {
            per_day_now: short / full(SHORT_DAYS),
            per_day_usual,
            trend: (short - expected) / (expected + NOISE).sqrt(),
        }
    }

    /// New, rising, steady or fading as of `now`; see [`Lifecycle`] for the rule.
    pub fn lifecycle(&self, now: Timestamp) -> Lifecycle {
        if days_between(self.first, now) < NEW_DAYS {
            return Lifecycle::New;
        }
        if days_between(self.last, now) > QUIET_DAYS {
            return Lifecycle::Fading;
        }
        match self.demand(now).trend {
            trend if trend >= CLEAR => Lifecycle::Rising,
            trend if trend <= -CLEAR => Lifecycle::Fading,
            _ => Lifecycle::Steady,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{at, folded, purchase};

    /// An item that sells by day as the function says, looked at on a day.
    fn sold(until: u32, on: f64, per_day: impl Fn(u32) -> u32) -> (Demand, Lifecycle) {
        let mut events = Vec::new();
        for day in 0..until {
            for user in 0..per_day(day) {
                events.push(purchase(user, 1, f64::from(day) + 0.5));
            }
        }
        let profiles = folded(&events);
        let item = profiles.item("i1").unwrap();
        (item.demand(at(on)), item.lifecycle(at(on)))
    }

    #[test]
    fn a_steady_rate_is_found_however_old_the_item_is() {
        for days in [10_u32, 20, 100, 700] {
            let (demand, _) = sold(days, f64::from(days), |_| 4);
            assert!(
                (demand.per_day_usual - 4.0).abs() < 0.3,
                "{days}: {demand:?}"
            );
            assert!((demand.per_day_now - 4.0).abs() < 0.6, "{days}: {demand:?}");
            assert!(demand.trend.abs() < 0.6, "{days}: {demand:?}");
        }
    }

    #[test]
    fn the_four_ages_of_an_item() {
        assert_eq!(sold(20, 20.0, |_| 9).1, Lifecycle::New);
        assert_eq!(sold(200, 200.0, |_| 2).1, Lifecycle::Steady);
        let rising = sold(200, 200.0, |day| if day < 190 { 1 } else { 6 });
        assert_eq!(rising.1, Lifecycle::Rising, "{:?}", rising.0);
        let fading = sold(200, 200.0, |day| if day < 185 { 4 } else { 0 });
        assert_eq!(fading.1, Lifecycle::Fading, "{:?}", fading.0);
        // It never sold much, and does not at all any more.
        assert_eq!(sold(2, 120.0, |_| 1).1, Lifecycle::Fading);
    }
}
