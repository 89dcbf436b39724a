//! What shoppers did, as small as it can be kept, and more shoppers made from it.
//!
//! A made shopper is a real one drawn from the log, who does as often what that one did. Some
//! of the items are changed for others that were drawn from the whole log, so that no two
//! shoppers are the same and items stay as popular as they are. Where the log knows purchases
//! only, some of them become views, so that every kind has something to count.

use domain::{Event, EventKind, ItemId, Timestamp, UserId};
use std::collections::HashMap;

/// Of so many lines one has another item …
const CHANGED: u64 = 4;
/// … and of so many one is a view.
const VIEWED: u64 = 4;

/// The lines of all shoppers.
pub struct Past {
    items: Vec<ItemId>,
    /// By shopper.
    lines: Vec<Vec<Line>>,
    /// Every line as its shopper and place, to draw from.
    all: usize,
}

#[derive(Clone, Copy)]
struct Line {
    kind: EventKind,
    item: u32,
    basket: u32,
    time: Timestamp,
    price: f32,
    quantity: f32,
}

/// Reads events one by one.
#[derive(Default)]
pub struct Reader {
    items: HashMap<ItemId, u32>,
    shoppers: HashMap<UserId, u32>,
    baskets: HashMap<String, u32>,
    names: Vec<ItemId>,
    lines: Vec<Vec<Line>>,
}

impl Reader {
    /// Keeps what can be made use of: events with an item.
    pub fn add(&mut self, event: &Event) {
        let Some(item) = &event.item else { return };
        let number = self.items.len() as u32;
        let item = *self.items.entry(item.clone()).or_insert_with(|| {
            self.names.push(item.clone());
            number
        });
        let number = self.shoppers.len() as u32;
        let shopper = *self.shoppers.entry(event.user.clone()).or_insert_with(|| {
            self.lines.push(Vec::new());
            number
        });
        let number = self.baskets.len() as u32;
        let basket = event.basket.clone().unwrap_or_default();
        self.lines[shopper as usize].push(Line {
            kind: event.kind,
            item,
            basket: *self.baskets.entry(basket).or_insert(number),
            time: event.time,
            price: event.price.unwrap_or(1.0) as f32,
            quantity: event.quantity.unwrap_or(1.0) as f32,
        });
    }

    /// Everything that was read.
    pub fn past(self) -> Past {
        Past {
            all: self.lines.iter().map(Vec::len).sum(),
            items: self.names,
            lines: self.lines,
        }
    }
}

impl Past {
    fn event(
        &self,
        shopper: u64,
        item: u32,
        line: &Line,
        kind: EventKind,
    ) -> anyhow::Result<Event> {
        let is_sale = kind == EventKind::Purchase;
        Ok(Event {
            id: None,
            user: UserId::new(format!("s{shopper}"))?,
            kind,
            item: Some(self.items[item as usize].clone()),
            query: None,
            time: line.time,
            value: None,
            price: is_sale.then_some(f64::from(line.price)),
            quantity: is_sale.then_some(f64::from(line.quantity)),
            basket: is_sale.then(|| format!("s{shopper}-{}", line.basket)),
            query_id: None,
        })
    }
}

/// Makes shoppers one after the other.
pub struct Made<'a> {
    past: &'a Past,
    random: u64,
    next: u64,
    /// How often a made shopper does something beside the real one; `None` to take every real
    /// one as it is, in turn.
    factor: Option<f64>,
}

impl Past {
    /// Shoppers of the log.
    pub fn shoppers(&self) -> u64 {
        self.lines.len() as u64
    }

    /// Events of the log.
    pub fn events(&self) -> u64 {
        self.all as u64
    }

    /// The shoppers of the log as they were, and from the beginning when all have come.
    pub fn as_it_was(&self) -> Made<'_> {
        Made {
            past: self,
            random: 0,
            next: 0,
            factor: None,
        }
    }

    /// So many shoppers with about so many events together.
    pub fn made(&self, shoppers: u64, events: u64, seed: u64) -> Made<'_> {
        let real = self.all as f64 / self.lines.len().max(1) as f64;
        Made {
            past: self,
            random: seed,
            next: 0,
            factor: Some(events as f64 / shoppers.max(1) as f64 / real.max(1.0)),
        }
    }
}

impl Made<'_> {
    /// The events of the next shopper.
    pub fn shopper(&mut self) -> anyhow::Result<Vec<Event>> {
        let number = self.next;
        self.next += 1;
        let shoppers = self.past.shoppers();
        let mut events = Vec::new();
        let Some(factor) = self.factor else {
            for line in &self.past.lines[(number % shoppers) as usize] {
                events.push(self.past.event(number, line.item, line, line.kind)?);
            }
            return Ok(events);
        };
        let drawn = self.below(shoppers);
        for line in &self.past.lines[drawn as usize] {
            let mut times = factor;
            while times > 0.0 {
                // The last time is a whole one as often as its share says.
                if times < 1.0 && self.below(1 << 32) as f64 >= times * f64::from(u32::MAX) {
                    break;
                }
                events.push(self.event(number, line)?);
                times -= 1.0;
            }
        }
        Ok(events)
    }

    fn event(&mut self, shopper: u64, line: &Line) -> anyhow::Result<Event> {
        let item = match self.below(CHANGED) {
            0 => self.any_item(),
            _ => line.item,
        };
        let kind = match (line.kind, self.below(VIEWED)) {
            (EventKind::Purchase, 0) => EventKind::View,
            (kind, _) => kind,
        };
        self.past.event(shopper, item, line, kind)
    }

    /// The item of a line of the whole log.
    fn any_item(&mut self) -> u32 {
        loop {
            let shopper = self.below(self.past.lines.len() as u64) as usize;
            let lines = &self.past.lines[shopper];
            let most = self.past.all / self.past.lines.len() + 1;
            // Shoppers of few lines are passed over as often as their lines are few.
            let place = self.below(most.max(lines.len()) as u64) as usize;
            if let Some(line) = lines.get(place) {
                return line.item;
            }
        }
    }

    /// Below a bound that is not 0, by SplitMix64.
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bought(user: &str, item: &str, day: i64) -> Event {
        Event {
            id: None,
            user: UserId::new(user).unwrap(),
            kind: EventKind::Purchase,
            item: Some(ItemId::new(item).unwrap()),
            query: None,
            time: Timestamp::from_millis(day * 86_400_000),
            value: None,
            price: Some(2.0),
            quantity: Some(1.0),
            basket: None,
            query_id: None,
        }
    }

    #[test]
    fn made_shoppers_do_as_much_as_asked_and_the_same_each_time() {
        let mut reader = Reader::default();
        for day in 0..40 {
            reader.add(&bought("ann", &format!("i{}", day % 7), day));
        }
        reader.add(&bought("bob", "i9", 3));
        let past = reader.past();
        let make = || -> Vec<Event> {
            let mut made = past.made(400, 20_000, 1);
            (0..400).flat_map(|_| made.shopper().unwrap()).collect()
        };
        let events = make();
        assert!((18_000..22_000).contains(&events.len()), "{}", events.len());
        assert_eq!(events, make());
        let views = events.iter().filter(|event| event.kind == EventKind::View);
        let share = views.count() as f64 / events.len() as f64;
        assert!((share - 0.25).abs() < 0.02, "{share}");
    }
}
