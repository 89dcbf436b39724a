//! Who buys an item: what its latest buyers are interested in besides.

use super::facts::ItemFacts;
use crate::EngineError;
use crate::snapshot::IndexReader;
use domain::Timestamp;
use profiles::{ItemNo, ItemStats, Profiles};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Items looked at of each buyer, those with the most weight.
const ITEMS: usize = 15;
/// Interests listed of each sort.
const LISTED: usize = 10;

/// What the latest buyers of an item are interested in, the item itself left out.
#[derive(Clone, Debug, Serialize)]
pub struct Audience {
    /// Buyers looked at: the latest, twenty at most.
    pub buyers: usize,
    pub words: Vec<Shared>,
    pub brands: Vec<Shared>,
    pub categories: Vec<Shared>,
}

/// An interest of several buyers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shared {
    pub value: String,
    /// How many of the buyers have it.
    pub buyers: usize,
}

/// The items of each of the latest buyers, as they are copied from the profiles.
pub(crate) fn baskets_of_buyers(
    profiles: &Profiles,
    own: ItemNo,
    stats: &ItemStats,
    now: Timestamp,
) -> Vec<Vec<Arc<str>>> {
    let buyers = stats.latest_buyers().iter();
    buyers
        .map(|&buyer| {
            let items = profiles.shopper_by_number(buyer).weighted_items(now);
            let liked = items
                .into_iter()
                .filter(|&(item, weight)| item != own && weight > 0.0);
            let named = liked.take(ITEMS).map(|(item, _)| profiles.item_name(item));
            named.collect()
        })
        .collect()
}

impl IndexReader {
    /// `None` before the first buyer.
    pub(super) fn audience(
        &self,
        buyers: &[Vec<Arc<str>>],
    ) -> Result<Option<Audience>, EngineError> {
        if buyers.is_empty() {
            return Ok(None);
        }
        let [mut words, mut brands, mut categories] = [const { BTreeMap::new() }; 3];
        for items in buyers {
            let mut known: Vec<Arc<ItemFacts>> = Vec::new();
            for item in items {
                known.extend(self.item_facts(item)?);
            }
            count(&mut words, known.iter().flat_map(|facts| &facts.words));
            count(&mut brands, known.iter().flat_map(|facts| &facts.brands));
            count(
                &mut categories,
                known.iter().flat_map(|facts| &facts.categories),
            );
        }
        Ok(Some(Audience {
            buyers: buyers.len(),
            words: most(words),
            brands: most(brands),
            categories: most(categories),
        }))
    }
}

/// Counts each value of one buyer once.
fn count<'a>(counts: &mut BTreeMap<String, usize>, values: impl Iterator<Item = &'a String>) {
    let mut values: Vec<&String> = values.collect();
    values.sort_unstable();
    values.dedup();
    for value in values {
        *counts.entry(value.clone()).or_default() += 1;
    }
}

fn most(counts: BTreeMap<String, usize>) -> Vec<Shared> {
    let mut list: Vec<Shared> = counts
        .into_iter()
        .map(|(value, buyers)| Shared { value, buyers })
        .collect();
    // The map gave them by value, so equal ones stay in that order.
    list.sort_by_key(|shared| std::cmp::Reverse(shared.buyers));
    list.truncate(LISTED);
    list
}
