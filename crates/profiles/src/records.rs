//! What one shopper did with each item.
//!
//! Records are bounded to the items met most recently: when there are more than
//! 2,500, the 2,000 with the latest event stay.

use crate::decay::{LONG_DAYS, day_of, meet, remains};
use crate::fold::ItemNo;
use crate::line::{Line, tamed};
use domain::{Event, EventKind, Timestamp};
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
    /// Price of one piece at the latest purchase that had one; 0 without.
    paid: f64,
    /// A fading sum as of `last`.
    weight: f64,
    /// Most items have none of it, and there are very many records.
    rare: Option<Box<Rare>>,
}

/// What few records have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Rare {
    /// Newest distinct UTC days of purchase, ascending; empty until there are two. Most items are bought on one day
    /// only, and that is the day of `last_purchase`.
    days: Vec<i32>,
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
            paid: 0.0,
            weight: 0.0,
            rare: None,
        }
    }

    fn fold(&mut self, event: &Event, line: Option<&Line>) {
        let time = event.time;
        let meeting = meet(self.last, time, LONG_DAYS);
        self.weight = self.weight * meeting.old + weight_of(event, line) * meeting.new;
        self.last = meeting.at;
        self.first = self.first.min(time);
        if let Some(line) = line {
            self.units += line.units;
            if !line.is_return() {
                self.purchases = self.purchases.saturating_add(1);
                self.add_day(day_of(time));
                if self.last_purchase <= Some(time) {
                    self.last_purchase = Some(time);
                    self.paid = line.price.unwrap_or(self.paid);
                }
            }
        }
        let disliked = match event.kind {
            EventKind::Like => false,
            EventKind::Dislike => true,
            _ => return,
        };
        let opinion = &mut self.rare.get_or_insert_default().opinion;
        if opinion.is_none_or(|opinion| opinion.time <= time) {
            *opinion = Some(Opinion { disliked, time });
        }
    }

    /// To be called before `last_purchase` moves on.
    fn add_day(&mut self, day: i32) {
        let Some(last) = self.last_purchase else {
            return;
        };
        if day == day_of(last) {
            return;
        }
        let mut days = self.days();
        if days.binary_search(&day).is_ok() {
            return;
        }
        days.insert(days.partition_point(|&known| known < day), day);
        let surplus = days.len().saturating_sub(DAYS);
        days.drain(..surplus);
        self.rare.get_or_insert_default().days = days;
    }

    /// The last word of the shopper on the item was a dislike.
    pub fn is_disliked(&self) -> bool {
        self.opinion()
            .is_some_and(|(kind, _)| kind == EventKind::Dislike)
    }

    /// The last like or dislike, and when it was.
    pub fn opinion(&self) -> Option<(EventKind, Timestamp)> {
        let opinion = self.rare.as_ref()?.opinion?;
        let kind = match opinion.disliked {
            true => EventKind::Dislike,
            false => EventKind::Like,
        };
        Some((kind, opinion.time))
    }

    /// The price of one piece at the latest purchase that had one.
    pub fn paid(&self) -> Option<f64> {
        (self.paid > 0.0).then_some(self.paid)
    }

    /// Interest with a half-life of 90 days: a purchase, a like or a top rating adds 1, a cart .5, a click .2,
    /// a view .1; a dislike or a lowest rating takes 1 away, a return .5.
    pub fn weight(&self, now: Timestamp) -> f64 {
        self.weight * remains(self.last, now, LONG_DAYS)
    }

    /// The newest sixteen distinct UTC days of purchase, ascending, as days since 1970-01-01.
    pub fn days(&self) -> Vec<i32> {
        match (&self.rare, self.last_purchase) {
            (Some(rare), _) if !rare.days.is_empty() => rare.days.clone(),
            (_, Some(last)) => vec![day_of(last)],
            (_, None) => Vec::new(),
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
///
/// A sorted list, because there are very many of them and most are short: it has no empty places, and finding one
/// is a few steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Records {
    by_item: Vec<(ItemNo, ItemRecord)>,
}

/// Whether a line was the first purchase of an item by its shopper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buyer {
    New,
    Known,
}

impl Records {
    pub fn fold(&mut self, item: ItemNo, event: &Event, line: Option<&Line>) -> Buyer {
        let at = match self.place(item) {
            Ok(at) => at,
            Err(at) => {
                self.by_item.insert(at, (item, ItemRecord::new(event.time)));
                at
            }
        };
        let record = &mut self.by_item[at].1;
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

    fn place(&self, item: ItemNo) -> Result<usize, usize> {
        self.by_item.binary_search_by_key(&item, |&(item, _)| item)
    }

    fn prune(&mut self) {
        let mut order: Vec<(Reverse<Timestamp>, ItemNo)> = self
            .by_item
            .iter()
            .map(|(item, record)| (Reverse(record.last), *item))
            .collect();
        let (_, &mut oldest_kept, _) = order.select_nth_unstable(KEPT - 1);
        self.by_item
            .retain(|(item, record)| (Reverse(record.last), *item) <= oldest_kept);
    }

    pub fn get(&self, item: ItemNo) -> Option<&ItemRecord> {
        let at = self.place(item).ok()?;
        Some(&self.by_item[at].1)
    }

    /// Ascending.
    pub fn iter(&self) -> impl Iterator<Item = (ItemNo, &ItemRecord)> {
        self.by_item.iter().map(|(item, record)| (*item, record))
    }

    pub fn len(&self) -> usize {
        self.by_item.len()
    }

    pub fn largest_number(&self) -> Option<ItemNo> {
        self.by_item.iter().map(|&(item, _)| item).max()
    }
}
