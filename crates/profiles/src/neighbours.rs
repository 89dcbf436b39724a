//! What an item is bought with.
//!
//! One item keeps a count per neighbour. The table is bounded: past 512
//! neighbours only the strongest 256 stay, so rare pairs of a very popular item
//! are forgotten and may be counted anew. That makes the counts of such an item
//! depend on the order of its events, which the log fixes.
//!
//! A purchase line updates one table per item of its basket, so this is the
//! innermost loop of the fold. A small open-addressing table with key and count
//! in one word takes a single cache miss where a general hash map takes two.

use crate::fold::ItemNo;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Reverse;

/// More neighbours than this are pruned …
pub(crate) const MOST: usize = 512;
/// … to this many.
pub(crate) const KEPT: usize = 256;
/// Slots of the first table: one cache line.
const FIRST_SLOTS: usize = 8;

/// How often an item was in one basket with each other item.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// Item number in the upper half, count in the lower; 0 is a free slot, since no count is 0. The length is a
    /// power of two (or zero), never less than twice the number of neighbours.
    slots: Box<[u64]>,
    len: u32,
}

impl Neighbours {
    pub(crate) fn add(&mut self, other: ItemNo) {
        if self.add_count(other, 1) && self.len() > MOST {
            self.prune();
        }
    }

    /// What lies where a number belongs, whatever it is. Reading it brings its cache line near.
    pub(crate) fn peek(&self, other: ItemNo) -> u64 {
        let mask = self.slots.len().wrapping_sub(1);
        self.slots.get(home(other) & mask).copied().unwrap_or(0)
    }

    /// Adds to a count; says whether the neighbour is new.
    fn add_count(&mut self, other: ItemNo, count: u32) -> bool {
        if (self.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let at = self.place(other);
        let slot = self.slots[at];
        self.slots[at] = packed(other, slot_count(slot).saturating_add(count));
        let is_new = slot == 0;
        self.len += u32::from(is_new);
        is_new
    }

    /// The slot of a neighbour, or the free one where it belongs. The table must have a free slot.
    fn place(&self, other: ItemNo) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = home(other) & mask;
        while self.slots[at] != 0 && slot_item(self.slots[at]) != other {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(FIRST_SLOTS);
        let old = std::mem::replace(&mut self.slots, vec![0; slots].into());
        for slot in old.into_iter().filter(|&slot| slot != 0) {
            let at = self.place(slot_item(slot));
            self.slots[at] = slot;
        }
    }

    fn prune(&mut self) {
        // Count above the complement of the number: greater is stronger, and a free slot is weaker than any other.
        let swapped = |slot: u64| packed(slot_count(slot), !slot_item(slot));
        let mut ranks: Vec<u64> = self.slots.iter().map(|&slot| swapped(slot)).collect();
        ranks.select_nth_unstable_by(KEPT, |a, b| b.cmp(a));
        // The table keeps its size: it will fill up again.
        self.slots.fill(0);
        self.len = 0;
        for &rank in &ranks[..KEPT] {
            self.add_count(!slot_count(rank), slot_item(rank));
        }
    }

    /// Baskets that held both items, as far as they are remembered.
    pub fn count(&self, other: ItemNo) -> u32 {
        if self.is_empty() {
            0
        } else {
            slot_count(self.slots[self.place(other)])
        }
    }

    /// The strongest neighbours, by count, then by the smaller number.
    pub fn strongest(&self, limit: usize) -> Vec<(ItemNo, u32)> {
        let mut entries: Vec<(ItemNo, u32)> = self.iter().collect();
        entries.sort_unstable_by_key(|&(item, count)| (Reverse(count), item));
        entries.truncate(limit);
        entries
    }

    /// How many neighbours are remembered.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Nothing was ever bought with it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn iter(&self) -> impl Iterator<Item = (ItemNo, u32)> {
        self.slots
            .iter()
            .filter(|&&slot| slot != 0)
            .map(|&slot| (slot_item(slot), slot_count(slot)))
    }

    fn by_number(&self) -> Vec<(ItemNo, u32)> {
        let mut entries: Vec<(ItemNo, u32)> = self.iter().collect();
        entries.sort_unstable();
        entries
    }

    pub(crate) fn largest_number(&self) -> Option<ItemNo> {
        self.iter().map(|(item, _)| item).max()
    }
}

fn packed(item: ItemNo, count: u32) -> u64 {
    u64::from(item) << 32 | u64::from(count)
}

fn slot_item(slot: u64) -> ItemNo {
    (slot >> 32) as u32
}

fn slot_count(slot: u64) -> u32 {
    slot as u32
}

/// Where a number belongs, before the mask: Fibonacci hashing, whose upper bits are the well mixed ones.
fn home(item: ItemNo) -> usize {
    (item.wrapping_mul(0x9e37_79b9) >> 16) as usize
}

impl PartialEq for Neighbours {
    /// Equal counts, wherever they lie in the table.
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.by_number() == other.by_number()
    }
}

impl Serialize for Neighbours {
    /// In the order of numbers, so that equal counts are equal bytes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.by_number().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Neighbours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut neighbours = Self::default();
        for (item, count) in Vec::<(ItemNo, u32)>::deserialize(deserializer)? {
            // A count of zero could only come from damage, and would look like a free slot.
            if count == 0 || neighbours.len() > MOST {
                return Err(serde::de::Error::custom(
                    "a count of neighbours is out of range",
                ));
            }
            neighbours.add_count(item, count);
        }
        Ok(neighbours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn pruning_keeps_the_strongest_and_the_smaller_number() {
        let mut neighbours = Neighbours::default();
        for item in 0..MOST as u32 {
            neighbours.add(item);
        }
        neighbours.add(500);
        assert_eq!(neighbours.len(), MOST);
        neighbours.add(9_999);
        assert_eq!(neighbours.len(), KEPT);
        assert_eq!(neighbours.strongest(3), [(500, 2), (0, 1), (1, 1)]);
        assert_eq!(neighbours.count(9_999), 0);
        assert_eq!(neighbours.count(254), 1);
        assert_eq!(neighbours.count(255), 0);
    }

    /// The same with a sorted map and a full sort.
    fn naive(items: &[u32]) -> BTreeMap<u32, u32> {
        let mut counts = BTreeMap::new();
        for &item in items {
            *counts.entry(item).or_insert(0) += 1;
            if counts.len() > MOST {
                let mut order: Vec<(u32, u32)> = counts.into_iter().collect();
                order.sort_by_key(|&(item, count)| (Reverse(count), item));
                counts = order.into_iter().take(KEPT).collect();
            }
        }
        counts
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_table_counts_like_a_map(items in vec(prop_oneof![0..20_u32, 0..700_u32, any::<u32>()], 0..1_500)) {
            let mut neighbours = Neighbours::default();
            for &item in &items {
                neighbours.add(item);
            }
            let expected: Vec<(u32, u32)> = naive(&items).into_iter().collect();
            prop_assert_eq!(neighbours.by_number(), expected);
        }
    }
}
