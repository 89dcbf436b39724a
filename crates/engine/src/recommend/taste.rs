//! What a shopper likes: the categories and brands of what is in hand and of what was liked.
//!
//! It helps where counting has little to say, for a shopper of few events or none but the
//! item in front: popular items of the liked categories come before others.

use super::candidate::{Candidate, Item, Part};
use super::given::Given;
use super::likeness::{Likeness, Traits};
use super::lists::Lists;
use crate::snapshot::IndexReader;
use lexical::QueryError;
use rustc_hash::FxHashMap;

/// What a liked category counts beside a liked brand.
const CATEGORY: f64 = 0.7;
const BRAND: f64 = 0.3;
/// What taste counts beside popularity, which is 1 for the most popular item.
const TASTE: f64 = 0.5;
/// The most popular items among which taste chooses.
const CHOICE: usize = 1_000;

/// Shares of interest, the largest of which is 1.
#[derive(Default)]
pub(super) struct Taste {
    categories: FxHashMap<u32, f64>,
    brands: FxHashMap<u32, f64>,
}

impl Taste {
    /// Of what a request is about.
    pub fn of(
        reader: &IndexReader,
        likeness: &Likeness<'_>,
        given: &Given,
    ) -> Result<Self, QueryError> {
        let mut taste = Self::default();
        for (id, weight) in &given.liked {
            let Some(place) = reader.state.words.place_of(id)? else {
                continue;
            };
            let traits = likeness.traits(place)?;
            for category in traits.categories {
                *taste.categories.entry(category).or_default() += weight;
            }
            for brand in traits.brands {
                *taste.brands.entry(brand).or_default() += weight;
            }
        }
        scale(&mut taste.categories);
        scale(&mut taste.brands);
        Ok(taste)
    }

    /// Nothing is known of it.
    pub fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.brands.is_empty()
    }

    /// From 0 to 1.
    pub fn liking(&self, traits: &Traits) -> f64 {
        CATEGORY * most(&self.categories, &traits.categories)
            + BRAND * most(&self.brands, &traits.brands)
    }

    /// The most popular items, those of liked categories and brands first.
    pub fn popular(
        &self,
        reader: &IndexReader,
        likeness: &Likeness<'_>,
        lists: &Lists,
    ) -> Result<Vec<Candidate>, QueryError> {
        let chosen = &lists.seasonal[..lists.seasonal.len().min(CHOICE)];
        let ids: Vec<String> = {
            let profiles = reader.state.behaviour.profiles();
            let id = |&(item, _): &(u32, f64)| profiles.item_id(item).to_owned();
            chosen.iter().map(id).collect()
        };
        let mut candidates = Vec::with_capacity(chosen.len());
        for (&(item, worth), id) in chosen.iter().zip(ids) {
            let Some(place) = reader.state.words.place_of(&id)? else {
                continue;
            };
            let mut parts = vec![Part::new("popular", worth)];
            let liking = self.liking(&likeness.traits(place)?);
            if liking > 0.0 {
                parts.push(Part::new("taste", TASTE * liking));
            }
            candidates.push(Candidate::of_parts(Item::Number(item), "popular", parts));
        }
        // Stable, so that equal ones stay in the order of popularity.
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(candidates)
    }
}

fn scale(weights: &mut FxHashMap<u32, f64>) {
    let most = weights.values().copied().fold(0.0, f64::max);
    weights.retain(|_, weight| {
        *weight /= most;
        *weight > 0.0
    });
}

fn most(weights: &FxHashMap<u32, f64>, values: &[u32]) -> f64 {
    let known = values.iter().filter_map(|value| weights.get(value));
    known.copied().fold(0.0, f64::max)
}
