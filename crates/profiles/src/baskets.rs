//! The open baskets of one shopper.
//!
//! A basket stays open for late lines until eight newer ones were opened or
//! touched. "Newer" is by arrival, not by event time, so that a history may be
//! loaded in any order of baskets as long as the lines of one basket come near
//! one another.

use crate::decay::day_of;
use crate::fold::ItemNo;
use domain::Event;
use serde::{Deserialize, Serialize};

/// Open baskets of one shopper.
const OPEN: usize = 8;
/// Distinct items a basket remembers, the newest.
const ITEMS: usize = 100;

/// The open baskets, the least recently touched first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baskets {
    open: Vec<Basket>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Basket {
    key: u64,
    items: Vec<ItemNo>,
}

/// What putting an item into a basket found.
pub(crate) struct Placed<'a> {
    /// The basket was not open before.
    pub opened: bool,
    /// The other items in it, each of which now has one basket more with this item.
    pub others: &'a [ItemNo],
}

impl Baskets {
    pub fn put(&mut self, key: u64, item: ItemNo) -> Placed<'_> {
        let found = self.open.iter().rposition(|basket| basket.key == key);
        match found {
            Some(at) => self.open[at..].rotate_left(1),
            None => {
                if self.open.len() == OPEN {
                    self.open.remove(0);
                }
                self.open.push(Basket {
                    key,
                    items: Vec::new(),
                });
            }
        }
        let last = self.open.len() - 1;
        let items = &mut self.open[last].items;
        let opened = found.is_none();
        if items.contains(&item) {
            return Placed {
                opened,
                others: &[],
            };
        }
        if items.len() == ITEMS {
            items.remove(0);
        }
        items.push(item);
        Placed {
            opened,
            others: &items[..items.len() - 1],
        }
    }

    pub fn largest_number(&self) -> Option<ItemNo> {
        self.open
            .iter()
            .flat_map(|basket| &basket.items)
            .copied()
            .max()
    }
}

/// Names the basket of an event: its basket id, else its UTC day.
///
/// Only the eight open baskets of one shopper are ever compared, so 64 bits suffice.
pub(crate) fn key_of(event: &Event) -> u64 {
    match &event.basket {
        Some(basket) => fnv1a(b'b', basket.as_bytes()),
        None => fnv1a(b'd', &day_of(event.time).to_be_bytes()),
    }
}

/// FNV-1a, 64 bits. It is part of what is persisted, so it must never change.
fn fnv1a(salt: u8, bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes
        .iter()
        .fold(mix(0xcbf2_9ce4_8422_2325, salt), |hash, &byte| {
            mix(hash, byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_line_finds_its_basket_until_eight_others_came() {
        let mut baskets = Baskets::default();
        assert!(baskets.put(1, 10).opened);
        for key in 2..=8 {
            assert!(baskets.put(key, 0).opened);
        }
        let placed = baskets.put(1, 11);
        assert!(!placed.opened);
        assert_eq!(placed.others, [10]);
        // Touching basket 1 made basket 2 the oldest, so the ninth closes that one.
        assert!(baskets.put(9, 0).opened);
        assert!(!baskets.put(1, 12).opened);
        assert!(baskets.put(2, 0).opened);
    }

    #[test]
    fn a_second_line_of_an_item_pairs_nothing() {
        let mut baskets = Baskets::default();
        baskets.put(1, 10);
        assert_eq!(baskets.put(1, 11).others, [10]);
        assert!(baskets.put(1, 10).others.is_empty());
    }

    #[test]
    fn a_huge_basket_remembers_its_newest_items() {
        let mut baskets = Baskets::default();
        for item in 0..500 {
            assert!(baskets.put(1, item).others.len() < ITEMS);
        }
        let placed = baskets.put(1, 500);
        assert_eq!(placed.others.first(), Some(&401));
        assert_eq!(placed.others.last(), Some(&499));
    }
}
