//! What one shopper did with each item.
//!
//! Records are bounded to the items met most recently: when there are more than
//! 2,500, the 2,000 with the latest event stay.

use crate::decay::{Faded, LONG_DAYS, day_of};
use crate::fold::ItemNo;
use crate::line::{Line, tamed};
use crate::sorted_map;
use domain::{Event, EventKind, Timestamp};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// More records than this are pruned …
pub(crate) const MOST: usize = 2_500;
/// … to this many, so that the most recent 2,000 are always there.
pub(crate) const KEPT: usize = 2_000;
/// Distinct purchase days kept per item, the newest.
const DAYS: usize = 16;

/// What a shopper did with one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ItemRecord {
    /// Purchase lines, returns not among them.
    pub purchases: u32,
    /// Pieces bought less pieces returned.
    pub units: f64,
    /// Time of the earliest event of the two.
    pub first: Timestamp,
    /// Time of the latest.
    pub last: Timestamp,
    pub last_purchase: Option<Timestamp>,
    /// Newest distinct UTC days of purchase, ascending; empty until there are two. Most items are bought on one day
    /// only, and that is the day of `last_purchase`.
    days: Box<[i32]>,
    weight: Faded,
    opinion: Option<Opinion>,
}

/// The last like or dislike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Opinion {
    disliked: bool,
    time: Timestamp,
}

impl ItemRecord {
    fn new(time: Timestamp) -> Self {
        Self {
            purchases: 0,
            units: 0.0,
            first: time,
            last: time,
            last_purchase: None,
            days: Box::default(),
            weight: Faded::new(time),
            opinion: None,
        }
    }

    fn fold(&mut self, event: &Event, line: Option<&Line>) {
        let time = event.time;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.weight.add(weight_of(event, line), time, LONG_DAYS);
        if let Some(line) = line {
            self.units += line.units;
            if !line.is_return() {
                self.purchases = self.purchases.saturating_add(1);
                self.add_day(day_of(time));
                self.last_purchase = self.last_purchase.max(Some(time));
            }
        }
        let disliked = match event.kind {
            EventKind::Like => false,
            EventKind::Dislike => true,
            _ => return,
        };
        if self.opinion.is_none_or(|opinion| opinion.time <= time) {
            self.opinion = Some(Opinion { disliked, time });
        }
    }

    /// To be called before `last_purchase` moves on.
    fn add_day(&mut self, day: i32) {
        let Some(last) = self.last_purchase else {
            return;
        };
        if day == day_of(last) || self.days.binary_search(&day).is_ok() {
            return;
        }
        let mut days = self.days();
        days.insert(days.partition_point(|&known| known < day), day);
        let surplus = days.len().saturating_sub(DAYS);
        days.drain(..surplus);
        self.days = days.into();
    }

    /// The last word of the shopper on the item was a dislike.
    pub fn is_disliked(&self) -> bool {
        self.opinion.is_some_and(|opinion| opinion.disliked)
    }

    /// Interest with a half-life of 90 days: a purchase, a like or a top rating adds 1, a cart .5, a click .2,
    /// a view .1; a dislike or a lowest rating takes 1 away, a return .5.
    pub fn weight(&self, now: Timestamp) -> f64 {
        self.weight.as_of(now, LONG_DAYS)
    }

    /// The newest sixteen distinct UTC days of purchase, ascending, as days since 1970-01-01.
    pub fn days(&self) -> Vec<i32> {
        match self.last_purchase {
            Some(last) if self.days.is_empty() => vec![day_of(last)],
            _ => self.days.to_vec(),
        }
    }
}

fn weight_of(event: &Event, line: Option<&Line>) -> f64 {
    match event.kind {
        EventKind::Purchase if line.is_some_and(Line::is_return) => -0.5,
        EventKind::Purchase | EventKind::Like => 1.0,
        EventKind::Cart => 0.5,
        EventKind::Click => 0.2,
        EventKind::View => 0.1,
        EventKind::Dislike => -1.0,
        // The usual scale of 1 to 5 becomes -1 to 1; other scales are clamped to it.
        EventKind::Rate => {
            tamed(event.value).map_or(0.0, |rating| ((rating - 3.0) / 2.0).clamp(-1.0, 1.0))
        }
        EventKind::Search => 0.0,
    }
}

/// The records of one shopper.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Records {
    #[serde(with = "sorted_map")]
    by_item: FxHashMap<ItemNo, ItemRecord>,
}

/// Whether a line was the first purchase of an item by its shopper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buyer {
    New,
    Known,
}

impl Records {
    pub fn fold(&mut self, item: ItemNo, event: &Event, line: Option<&Line>) -> Buyer {
        let record = self
            .by_item
            .entry(item)
            .or_insert_with(|| ItemRecord::new(event.time));
        let before = record.purchases;
        record.fold(event, line);
        let buyer = if before == 0 && record.purchases > 0 {
            Buyer::New
        } else {
            Buyer::Known
        };
        if self.by_item.len() > MOST {
            self.prune();
        }
        buyer
    }

    fn prune(&mut self) {
        let mut order: Vec<(Reverse<Timestamp>, ItemNo)> = self
            .by_item
            .iter()
            .map(|(&item, record)| (Reverse(record.last), item))
            .collect();
        let (_, &mut oldest_kept, _) = order.select_nth_unstable(KEPT - 1);
        self.by_item
            .retain(|&item, record| (Reverse(record.last), item) <= oldest_kept);
    }

    pub fn get(&self, item: ItemNo) -> Option<&ItemRecord> {
        self.by_item.get(&item)
    }

    /// In no particular order: callers sort what they make of it.
    pub fn iter(&self) -> impl Iterator<Item = (ItemNo, &ItemRecord)> {
        self.by_item.iter().map(|(&item, record)| (item, record))
    }

    pub fn len(&self) -> usize {
        self.by_item.len()
    }

    pub fn largest_number(&self) -> Option<ItemNo> {
        self.by_item.keys().copied().max()
    }
}
