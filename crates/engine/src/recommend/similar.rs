//! Items like those in hand: by their text vectors, else by words, category and brand.

use super::candidate::{Candidate, Item, Part};
use super::likeness::{Likeness, Traits, shared};
use super::lists::Lists;
use crate::EngineError;
use crate::snapshot::IndexReader;
use domain::{Comparison, Filter, FilterValue};
use intake::Role;
use lexical::{ItemSet, Matching, WordsQuery};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

/// Added to the relevance, from 0 to 1, of an item that shares its category with one in hand.
const SAME_CATEGORY: f64 = 0.1;
/// Without vectors: what common words, a common category, a common brand, and to be popular
/// count for.
const WORDS: f64 = 0.4;
const CATEGORY: f64 = 0.4;
const BRAND: f64 = 0.15;
const POPULAR: f64 = 0.05;
/// Items found by their words, and most items of a category that are looked at.
const BY_WORDS: usize = 300;
const BY_CATEGORY: usize = 1_000;
/// The items in hand whose words are looked for, the last ones.
const WORDED: usize = 3;

/// What items in hand are like, and by what.
pub(super) struct Found {
    pub candidates: Vec<Candidate>,
    /// Why there are no vectors to go by, if there are none.
    pub without_vectors: bool,
}

/// Items by id, each with what it is worth.
type Worths = FxHashMap<String, f64>;

impl IndexReader {
    /// Items like these, the most alike first.
    pub(super) fn similar(
        &self,
        given: &[String],
        likeness: &Likeness<'_>,
        filter: Option<&ItemSet>,
        lists: &Lists,
    ) -> Result<Found, EngineError> {
        let words = &self.state.words;
        let (mut numbers, mut traits) = (Vec::new(), Vec::new());
        for id in given {
            if let Some(place) = words.place_of(id)? {
                numbers.push(words.number_at(place));
                traits.push(likeness.traits(place)?);
            }
        }
        let near = self.like_items(&numbers, filter)?;
        let without_vectors = near.is_none();
        let mut candidates = match near {
            Some(near) => self.by_vectors(near, likeness, &traits)?,
            None => self.by_words(given, likeness, &traits, lists)?,
        };
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(Found {
            candidates,
            without_vectors,
        })
    }

    fn by_vectors(
        &self,
        near: Vec<(u64, f32)>,
        likeness: &Likeness<'_>,
        given: &[Traits],
    ) -> Result<Vec<Candidate>, EngineError> {
        let words = &self.state.words;
        let mut candidates = Vec::with_capacity(near.len());
        for (number, relevance) in near {
            let Some(id) = words.id_of_number(number)? else {
                continue;
            };
            let mut parts = vec![Part::new("similar", f64::from(relevance))];
            if let Some(place) = words.place_of(&id)? {
                let (category, _) = most_shared(given, &likeness.traits(place)?);
                if category > 0.0 {
                    parts.push(Part::new("category", SAME_CATEGORY * category));
                }
            }
            candidates.push(Candidate::of_parts(Item::Id(id), "similar", parts));
        }
        Ok(candidates)
    }

    fn by_words(
        &self,
        given: &[String],
        likeness: &Likeness<'_>,
        traits: &[Traits],
        lists: &Lists,
    ) -> Result<Vec<Candidate>, EngineError> {
        let mut worded = Worths::default();
        let mut proposed = Vec::new();
        for id in given.iter().rev().take(WORDED) {
            let Some(document) = self.object(id)? else {
                continue;
            };
            let document = self.cleaned(&document);
            self.add_worded(&document, &mut worded)?;
            proposed.extend(self.of_same_category(&document)?);
        }
        proposed.extend(worded.keys().cloned());
        // One order for all: what comes out of a map has none.
        proposed.sort_unstable();
        proposed.dedup();
        let popular = self.popularity(&proposed, lists);
        let words = &self.state.words;
        let mut candidates = Vec::with_capacity(proposed.len());
        for (id, popular) in proposed.into_iter().zip(popular) {
            let Some(place) = words.place_of(&id)? else {
                continue;
            };
            let (category, brand) = most_shared(traits, &likeness.traits(place)?);
            let shared = [
                (
                    "words",
                    WORDS * worded.get(&id).copied().unwrap_or_default(),
                ),
                ("category", CATEGORY * category),
                ("brand", BRAND * brand),
                ("popular", POPULAR * popular),
            ];
            let shared = shared.into_iter().filter(|(_, value)| *value > 0.0);
            let parts = shared.map(|(because, value)| Part::new(because, value));
            candidates.push(Candidate::of_parts(
                Item::Id(id),
                "similar",
                parts.collect(),
            ));
        }
        Ok(candidates)
    }

    /// The items with the rarest words of the document's titles, by the share of its words.
    fn add_worded(
        &self,
        document: &Map<String, Value>,
        worded: &mut Worths,
    ) -> Result<(), EngineError> {
        for title in self.texts(document, Role::Title) {
            let query = WordsQuery {
                matching: Matching::Frequency,
                limit: BY_WORDS,
                ..WordsQuery::new(&title)
            };
            for hit in self.state.words.search(&query)?.hits {
                let known = worded.entry(hit.id).or_default();
                *known = known.max(hit.score);
            }
        }
        Ok(())
    }

    /// Items of the narrowest category of the document that has others.
    fn of_same_category(&self, document: &Map<String, Value>) -> Result<Vec<String>, EngineError> {
        let Some(attribute) = self.state.roles.first(Role::Categories) else {
            return Ok(Vec::new());
        };
        let words = &self.state.words;
        let mut narrowest: Option<ItemSet> = None;
        for category in self.texts(document, Role::Categories) {
            let set = words.filter_set(&Filter::Compare {
                attribute: attribute.to_owned(),
                comparison: Comparison::Equal,
                value: FilterValue::new(category),
            })?;
            let is_narrower = narrowest
                .as_ref()
                .is_none_or(|known| set.len() < known.len());
            if set.len() > 1 && is_narrower {
                narrowest = Some(set);
            }
        }
        let mut ids = Vec::new();
        for number in narrowest
            .iter()
            .flat_map(ItemSet::numbers)
            .take(BY_CATEGORY)
        {
            ids.extend(words.id_of_number(number)?);
        }
        Ok(ids)
    }

    /// How popular items are beside the most popular one.
    fn popularity(&self, ids: &[String], lists: &Lists) -> Vec<f64> {
        let profiles = self.state.behaviour.profiles();
        let worth = |id: &String| {
            let item = profiles.item_no(id);
            item.map_or(0.0, |item| lists.popularity(item))
        };
        ids.iter().map(worth).collect()
    }
}

/// How much of its categories and brands an item has in common with one of these.
fn most_shared(given: &[Traits], other: &Traits) -> (f64, f64) {
    let most = |of: fn(&Traits) -> &[u32]| {
        let shares = given.iter().filter_map(|one| shared(of(one), of(other)));
        shares.fold(0.0, f64::max)
    };
    (
        most(|traits| &traits.categories),
        most(|traits| &traits.brands),
    )
}
