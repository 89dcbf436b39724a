//! What an item is bought or viewed with.
//!
//! One item keeps a count per neighbour. The map is bounded: past 512
//! neighbours only the strongest 256 stay, so rare pairs of a very popular item
//! are forgotten and may be counted anew. That makes the counts of such an item
//! depend on the order of its events, which the log fixes.

use crate::fold::ItemNo;
use crate::sorted_map;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// More neighbours than this are pruned …
pub(crate) const MOST: usize = 512;
/// … to this many.
pub(crate) const KEPT: usize = 256;

/// How often an item was in one basket, or viewed in one session, with each other item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    #[serde(with = "sorted_map")]
    counts: FxHashMap<ItemNo, u32>,
}

impl Neighbours {
    pub(crate) fn add(&mut self, other: ItemNo) {
        let count = self.counts.entry(other).or_insert(0);
        *count = count.saturating_add(1);
        if self.counts.len() > MOST {
            self.prune();
        }
    }

    /// Takes one back, of a pair that was counted for two sessions that are only one.
    pub(crate) fn remove(&mut self, other: ItemNo) {
        if let Some(count) = self.counts.get_mut(&other) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&other);
            }
        }
    }

    fn prune(&mut self) {
        let mut entries: Vec<(ItemNo, u32)> = self.counts.drain().collect();
        entries.select_nth_unstable_by_key(KEPT, |&(item, count)| (Reverse(count), item));
        entries.truncate(KEPT);
        self.counts.extend(entries);
    }

    /// Baskets or sessions that held both items, as far as they are remembered.
    pub fn count(&self, other: ItemNo) -> u32 {
        self.counts.get(&other).copied().unwrap_or(0)
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
        self.counts.len()
    }

    /// There is no neighbour yet.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Every neighbour with its count, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (ItemNo, u32)> {
        self.counts.iter().map(|(&item, &count)| (item, count))
    }

    pub(crate) fn largest_number(&self) -> Option<ItemNo> {
        self.counts.keys().copied().max()
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
        fn the_map_counts_like_a_plain_one(
            items in vec(prop_oneof![0..20_u32, 0..700_u32, any::<u32>()], 0..1_500),
        ) {
            let mut neighbours = Neighbours::default();
            for &item in &items {
                neighbours.add(item);
            }
            prop_assert_eq!(neighbours.iter().collect::<BTreeMap<_, _>>(), naive(&items));
        }
    }
}
