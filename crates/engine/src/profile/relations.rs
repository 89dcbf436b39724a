//! How an item stands to others: what it is bought and viewed with, what may take its place and
//! what goes with it.
//!
//! People look at several items of which they buy one, and buy several that serve different
//! ends. So what is viewed together and alike is a substitute, and what is bought together and
//! not alike is a complement. Alike are items that share a category. Where either has none, they
//! are alike if they were bought together less than half as often as they were viewed together.

use super::facts::ItemFacts;
use crate::EngineError;
use crate::snapshot::IndexReader;
use profiles::{ItemNo, ItemStats, Profiles};
use serde::Serialize;
use std::sync::Arc;

/// Neighbours that are looked at.
const LOOKED_AT: usize = 50;
/// Neighbours listed of each sort.
const LISTED: usize = 20;
/// Pairs are shrunk by count / (count + this): one shared basket proves little.
const SHRINK: f64 = 3.0;

/// An item that was in one basket with another.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoughtWith {
    pub item_id: String,
    pub title: Option<String>,
    /// Baskets they were in together.
    pub baskets: u32,
}

/// An item that was viewed in one session with another.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewedWith {
    pub item_id: String,
    pub title: Option<String>,
    /// Sessions they were viewed in together.
    pub sessions: u32,
}

/// A substitute or complement, the strongest first.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    pub item_id: String,
    pub title: Option<String>,
    /// Baskets they were in together.
    pub baskets: u32,
    /// Sessions they were viewed in together.
    pub sessions: u32,
    /// n / √(a · b) · n / (n + 3), for n sessions or baskets together, and a and b views or
    /// purchases of each alone.
    pub strength: f64,
}

/// What an item stands in relation to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relations {
    pub bought_with: Vec<BoughtWith>,
    pub viewed_with: Vec<ViewedWith>,
    pub substitutes: Vec<Related>,
    pub complements: Vec<Related>,
}

/// A neighbour as it is copied from the profiles.
pub(crate) struct Neighbour {
    id: Arc<str>,
    baskets: u32,
    sessions: u32,
    /// As a substitute, as a complement.
    strengths: (f64, f64),
}

/// The neighbours of an item, and how many of each sort are to be listed as they stand.
pub(crate) fn neighbours(profiles: &Profiles, stats: &ItemStats) -> Vec<Neighbour> {
    let mut numbers: Vec<ItemNo> = Vec::new();
    let bought = stats.bought_with(LOOKED_AT).into_iter();
    let viewed = stats.viewed_with(LOOKED_AT).into_iter();
    for (item, _) in bought.chain(viewed) {
        if !numbers.contains(&item) {
            numbers.push(item);
        }
    }
    let neighbour = |item: ItemNo| {
        let other = profiles.stats(item);
        let baskets = stats.neighbours().count(item);
        let sessions = stats.viewed_neighbours().count(item);
        let looks = |item: &ItemStats| item.views + item.clicks;
        Neighbour {
            id: profiles.item_name(item),
            baskets,
            sessions,
            strengths: (
                strength(sessions, looks(stats), looks(other)),
                strength(baskets, stats.purchases, other.purchases),
            ),
        }
    };
    numbers.into_iter().map(neighbour).collect()
}

fn strength(together: u32, one: u64, other: u64) -> f64 {
    let together = f64::from(together);
    let both = (one as f64 * other as f64).max(1.0);
    together / both.sqrt() * together / (together + SHRINK)
}

impl IndexReader {
    pub(super) fn relations(
        &self,
        own: Option<&ItemFacts>,
        neighbours: &[Neighbour],
    ) -> Result<Relations, EngineError> {
        let mut found = Relations::default();
        for neighbour in neighbours {
            let facts = self.item_facts(&neighbour.id)?;
            let title = facts.as_ref().and_then(|facts| facts.title.clone());
            let item_id = neighbour.id.to_string();
            let is_alike = alike(own, facts.as_deref(), neighbour);
            let related = |strength| Related {
                item_id: item_id.clone(),
                title: title.clone(),
                baskets: neighbour.baskets,
                sessions: neighbour.sessions,
                strength,
            };
            if neighbour.sessions > 0 && is_alike {
                found.substitutes.push(related(neighbour.strengths.0));
            }
            if neighbour.baskets > 0 && !is_alike {
                found.complements.push(related(neighbour.strengths.1));
            }
            if neighbour.baskets > 0 {
                found.bought_with.push(BoughtWith {
                    item_id: item_id.clone(),
                    title: title.clone(),
                    baskets: neighbour.baskets,
                });
            }
            if neighbour.sessions > 0 {
                found.viewed_with.push(ViewedWith {
                    item_id,
                    title,
                    sessions: neighbour.sessions,
                });
            }
        }
        // Stable sorts: equal ones keep the order of the profiles.
        found
            .bought_with
            .sort_by_key(|other| std::cmp::Reverse(other.baskets));
        found
            .viewed_with
            .sort_by_key(|other| std::cmp::Reverse(other.sessions));
        found.bought_with.truncate(LISTED);
        found.viewed_with.truncate(LISTED);
        for list in [&mut found.substitutes, &mut found.complements] {
            list.sort_by(|a, b| b.strength.total_cmp(&a.strength));
            list.truncate(LISTED);
        }
        Ok(found)
    }
}

fn alike(own: Option<&ItemFacts>, other: Option<&ItemFacts>, pair: &Neighbour) -> bool {
    let categories = |facts: Option<&'_ ItemFacts>| -> Vec<String> {
        facts
            .map(|facts| facts.categories.clone())
            .unwrap_or_default()
    };
    let (own, other) = (categories(own), categories(other));
    if own.is_empty() || other.is_empty() {
        return pair.baskets < pair.sessions.div_ceil(2);
    }
    own.iter().any(|category| other.contains(category))
}
