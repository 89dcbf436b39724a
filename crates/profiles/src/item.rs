//! What the engine knows of one item from events.
//!
//! Totals count everything ever folded; activity fades with a half-life of
//! seven days (what is current) and of ninety days (what is usual). A return
//! takes its pieces and money back and counts as a return; the purchase it
//! undoes stays counted, because the interest was real.

use crate::decay::{LONG_DAYS, SHORT_DAYS, meet, remains};
use crate::fold::ItemNo;
use crate::line::{Line, tamed};
use crate::neighbours::Neighbours;
use domain::{Event, EventKind, Timestamp};
use serde::{Deserialize, Serialize};

/// Fading sums of what happened to an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Views and clicks: someone looked at it.
    pub views: f64,
    pub carts: f64,
    /// Purchase lines, whatever their quantity.
    pub sales: f64,
    /// Money, less returns.
    pub revenue: f64,
}

impl Activity {
    fn of(kind: EventKind, line: Option<&Line>) -> Self {
        let mut activity = Self::default();
        match (kind, line) {
            (EventKind::View | EventKind::Click, _) => activity.views = 1.0,
            (EventKind::Cart, _) => activity.carts = 1.0,
            (EventKind::Purchase, Some(line)) => {
                activity.sales = if line.is_return() { 0.0 } else { 1.0 };
                activity.revenue = line.amount;
            }
            _ => {}
        }
        activity
    }

    fn scaled(self, factor: f64) -> Self {
        Self {
            views: self.views * factor,
            carts: self.carts * factor,
            sales: self.sales * factor,
            revenue: self.revenue * factor,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            views: self.views + other.views,
            carts: self.carts + other.carts,
            sales: self.sales + other.sales,
            revenue: self.revenue + other.revenue,
        }
    }
}

/// Activity kept as of a reference time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct FadedActivity {
    at: Timestamp,
    sums: Activity,
}

impl FadedActivity {
    fn new(at: Timestamp) -> Self {
        Self {
            at,
            sums: Activity::default(),
        }
    }

    fn add(&mut self, activity: Activity, time: Timestamp, half_life_days: f64) {
        let meeting = meet(self.at, time, half_life_days);
        self.at = meeting.at;
        self.sums = self
            .sums
            .scaled(meeting.old)
            .plus(activity.scaled(meeting.new));
    }

    fn as_of(&self, now: Timestamp, half_life_days: f64) -> Activity {
        self.sums.scaled(remains(self.at, now, half_life_days))
    }
}

/// Everything counted for one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ItemStats {
    pub views: u64,
    pub clicks: u64,
    pub carts: u64,
    /// Purchase lines, returns not among them.
    pub purchases: u64,
    /// Return lines.
    pub returns: u64,
    /// Pieces sold less pieces returned.
    pub units: f64,
    /// Pieces returned, as a positive number.
    pub returned_units: f64,
    /// Money taken less money given back.
    pub revenue: f64,
    pub likes: u64,
    pub dislikes: u64,
    pub ratings: u64,
    rating_sum: f64,
    /// Shoppers who bought it; one whose record of it was forgotten counts again.
    pub buyers: u64,
    /// Time of its earliest event.
    pub first: Timestamp,
    /// Time of its latest event.
    pub last: Timestamp,
    short_term: FadedActivity,
    long_term: FadedActivity,
    pub(crate) neighbours: Neighbours,
    pub(crate) viewed: Neighbours,
}

impl ItemStats {
    pub(crate) fn new(time: Timestamp) -> Self {
        Self {
            views: 0,
            clicks: 0,
            carts: 0,
            purchases: 0,
            returns: 0,
            units: 0.0,
            returned_units: 0.0,
            revenue: 0.0,
            likes: 0,
            dislikes: 0,
            ratings: 0,
            rating_sum: 0.0,
            buyers: 0,
            first: time,
            last: time,
            short_term: FadedActivity::new(time),
            long_term: FadedActivity::new(time),
            neighbours: Neighbours::default(),
            viewed: Neighbours::default(),
        }
    }

    pub(crate) fn fold(&mut self, event: &Event, line: Option<&Line>) {
        self.first = self.first.min(event.time);
        self.last = self.last.max(event.time);
        match event.kind {
            EventKind::View => self.views += 1,
            EventKind::Click => self.clicks += 1,
            EventKind::Cart => self.carts += 1,
            EventKind::Like => self.likes += 1,
            EventKind::Dislike => self.dislikes += 1,
            EventKind::Rate => {
                if let Some(rating) = tamed(event.value) {
                    self.ratings += 1;
                    self.rating_sum += rating;
                }
            }
            EventKind::Purchase | EventKind::Search => {}
        }
        if let Some(line) = line {
            self.fold_line(line);
        }
        let activity = Activity::of(event.kind, line);
        if activity != Activity::default() {
            self.short_term.add(activity, event.time, SHORT_DAYS);
            self.long_term.add(activity, event.time, LONG_DAYS);
        }
    }

    fn fold_line(&mut self, line: &Line) {
        self.units += line.units;
        self.revenue += line.amount;
        if line.is_return() {
            self.returns += 1;
            self.returned_units -= line.units;
        } else {
            self.purchases += 1;
        }
    }

    /// The mean of its ratings, `None` before the first.
    pub fn rating(&self) -> Option<f64> {
        (self.ratings > 0).then(|| self.rating_sum / self.ratings as f64)
    }

    /// Activity with a half-life of 7 days, as of `now` (a time before its newest event reads as that event's).
    pub fn short_term(&self, now: Timestamp) -> Activity {
        self.short_term.as_of(now, SHORT_DAYS)
    }

    /// Activity with a half-life of 90 days, as of `now`.
    pub fn long_term(&self, now: Timestamp) -> Activity {
        self.long_term.as_of(now, LONG_DAYS)
    }

    /// The items it was in one basket with most often, with the number of baskets.
    pub fn bought_with(&self, limit: usize) -> Vec<(ItemNo, u32)> {
        self.neighbours.strongest(limit)
    }

    /// Every remembered item it was in one basket with.
    pub fn neighbours(&self) -> &Neighbours {
        &self.neighbours
    }

    /// The items it was viewed with in one session most often, with the number of sessions.
    pub fn viewed_with(&self, limit: usize) -> Vec<(ItemNo, u32)> {
        self.viewed.strongest(limit)
    }

    /// Every remembered item it was viewed with in one session.
    pub fn viewed_neighbours(&self) -> &Neighbours {
        &self.viewed
    }
}
