//! The fold itself: one event in, every profile it touches brought up to date.
//!
//! Items and shoppers are numbered in the order they are first seen, so the
//! numbers follow from the log and survive a rebuild.

use crate::item::ItemStats;
use crate::line::Line;
use crate::records::Buyer;
use crate::sessions::Joined;
use crate::shopper::Shopper;
use domain::{Event, EventKind, Timestamp};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The dense number of an item within one index, given when its first event is folded.
pub type ItemNo = u32;

/// The profiles of all items and shoppers of one index.
///
/// What does *not* depend on the order of arrival: all counters, first and last times, recent events of different
/// times, purchase days, and (but for rounding) every decayed sum. What does: which of two events of the same
/// moment counts as the newer, the numbers of items, which events still find their basket or session open, and what
/// was pruned in between from a structure that met its bound.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    pub(crate) items: Vec<ItemStats>,
    pub(crate) item_ids: Vec<Arc<str>>,
    pub(crate) item_numbers: FxHashMap<Arc<str>, ItemNo>,
    pub(crate) shoppers: Vec<Shopper>,
    pub(crate) shopper_numbers: FxHashMap<Box<str>, u32>,
    pub(crate) events: u64,
    pub(crate) newest: Option<Timestamp>,
    pub(crate) changes: Changes,
}

/// What was touched since changes were last taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub items: Touched,
    pub shoppers: Touched,
}

/// A set of dense numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    flags: Vec<bool>,
    numbers: Vec<u32>,
}

impl Touched {
    fn mark(&mut self, number: u32) {
        let at = number as usize;
        if at >= self.flags.len() {
            self.flags.resize(at + 1, false);
        }
        if !std::mem::replace(&mut self.flags[at], true) {
            self.numbers.push(number);
        }
    }

    /// The marked numbers, ascending; nothing is marked afterwards.
    pub fn take(&mut self) -> Vec<u32> {
        let mut numbers = std::mem::take(&mut self.numbers);
        for &number in &numbers {
            self.flags[number as usize] = false;
        }
        numbers.sort_unstable();
        numbers
    }
}

impl PartialEq for Profiles {
    /// Compares what is known; not what waits to be written.
    fn eq(&self, other: &Self) -> bool {
        self.events == other.events
            && self.newest == other.newest
            && self.item_ids == other.item_ids
            && self.items == other.items
            && self.shoppers == other.shoppers
    }
}

impl Profiles {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Folds one accepted event. The same events in the same order give the same state, to the last bit.
    pub fn fold(&mut self, event: &Event) {
        self.events += 1;
        self.newest = self.newest.max(Some(event.time));
        let shopper_no = self.shopper_number(event);
        let item_no = self.item_number(event);
        let line = Line::of(event);
        let shopper = &mut self.shoppers[shopper_no as usize];
        let buyer = shopper.fold(event, item_no, line.as_ref());
        let joined = shopper.visit(event);
        self.changes.shoppers.mark(shopper_no);
        if let Some(joined) = joined {
            self.join(&joined);
        }
        let Some(item_no) = item_no else { return };
        let item = &mut self.items[item_no as usize];
        item.fold(event, line.as_ref());
        item.buyers += u64::from(buyer == Buyer::New);
        self.changes.items.mark(item_no);
        let shopper = &mut self.shoppers[shopper_no as usize];
        if line.is_some_and(|line| !line.is_return()) {
            let others = shopper.put_in_basket(event, item_no);
            // Two loops, because the first stays within one map and the second visits many.
            for &other in others {
                item.neighbours.add(other);
            }
            for &other in others {
                self.items[other as usize].neighbours.add(item_no);
                self.changes.items.mark(other);
            }
        } else if matches!(event.kind, EventKind::View | EventKind::Click) {
            let others = shopper.view(item_no);
            for &other in others {
                item.viewed.add(other);
            }
            for &other in others {
                self.items[other as usize].viewed.add(item_no);
                self.changes.items.mark(other);
            }
        }
    }

    /// Two sessions turned out to be one.
    fn join(&mut self, joined: &Joined) {
        let both = |&(a, b): &(ItemNo, ItemNo)| [(a, b), (b, a)];
        for (item, other) in joined.together.iter().flat_map(both) {
            self.items[item as usize].viewed.add(other);
            self.changes.items.mark(item);
        }
        for (item, other) in joined.twice.iter().flat_map(both) {
            self.items[item as usize].viewed.remove(other);
            self.changes.items.mark(item);
        }
    }

    fn shopper_number(&mut self, event: &Event) -> u32 {
        if let Some(&number) = self.shopper_numbers.get(event.user.as_str()) {
            return number;
        }
        let number = next_number(self.shoppers.len());
        self.shoppers
            .push(Shopper::new(event.user.clone(), event.time));
        self.shopper_numbers
            .insert(event.user.as_str().into(), number);
        number
    }

    fn item_number(&mut self, event: &Event) -> Option<ItemNo> {
        let id = event.item.as_ref()?.as_str();
        if let Some(&number) = self.item_numbers.get(id) {
            return Some(number);
        }
        let number = next_number(self.items.len());
        let id: Arc<str> = id.into();
        self.items.push(ItemStats::new(event.time));
        self.item_ids.push(Arc::clone(&id));
        self.item_numbers.insert(id, number);
        Some(number)
    }

    /// The profile of a shopper, `None` before the first event.
    pub fn shopper(&self, user: &str) -> Option<&Shopper> {
        self.shopper_numbers
            .get(user)
            .map(|&number| &self.shoppers[number as usize])
    }

    /// What is known of an item, `None` before its first event.
    pub fn item(&self, item: &str) -> Option<&ItemStats> {
        self.item_no(item).map(|number| self.stats(number))
    }

    /// The number of an item, `None` before its first event.
    pub fn item_no(&self, item: &str) -> Option<ItemNo> {
        self.item_numbers.get(item).copied()
    }

    /// What is known of an item by its number. Panics on a number that these profiles never gave.
    pub fn stats(&self, item: ItemNo) -> &ItemStats {
        &self.items[item as usize]
    }

    /// The id of an item by its number. Panics on a number that these profiles never gave.
    pub fn item_id(&self, item: ItemNo) -> &str {
        &self.item_ids[item as usize]
    }

    /// Items that had an event.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// Shoppers that had an event.
    pub fn shoppers(&self) -> usize {
        self.shoppers.len()
    }

    /// Events folded.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The shop's clock: the time of the newest event.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// All items in the order of their numbers.
    pub fn iter_items(&self) -> impl Iterator<Item = (ItemNo, &ItemStats)> {
        (0..).zip(&self.items)
    }

    /// All shoppers in the order they were first seen.
    pub fn iter_shoppers(&self) -> impl Iterator<Item = &Shopper> {
        self.shoppers.iter()
    }
}

/// Four billion items or shoppers do not fit the memory of any machine this runs on.
pub(crate) fn next_number(len: usize) -> u32 {
    u32::try_from(len).expect("an index holds fewer than 2^32 items and shoppers")
}
