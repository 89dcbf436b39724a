//! The search side: from a query's text or vector to the items that mean it.
//!
//! Items above the cutoff of relevance belong to the answer, however many a page shows; that is
//! what makes totals true.

use super::embedder::normalised;
use super::scale::Scale;
use super::{DEFAULT_EMBEDDER, Published, Space};
use crate::EngineError;
use crate::search::{Hybrid, SearchRequest};
use crate::snapshot::IndexReader;
use encode::{ModelError, Prefix};
use lexical::{Again, ItemSet, Joined, Words};
use std::sync::Arc;
use vector::{Neighbour, VectorError};

/// Most items that meaning alone brings into an answer.
const MOST: usize = 1_000;
/// Queries of a log that are encoded together.
const LOGGED: usize = 256;
/// How far the best items move a query towards what they have in common.
const MOVED: f32 = 0.3;

/// How much meaning decides, by the kind of the query; measured on product catalogues.
const RATIO: f32 = 0.3;
/// For model and article numbers, where only the very words help.
const RATIO_OF_NUMBERS: f32 = 0.15;
/// For descriptions, of which no item has all words.
const RATIO_OF_DESCRIPTIONS: f32 = 0.5;
/// Words from which a query is a description.
const DESCRIPTION: usize = 4;

/// Items by number, and how relevant they are.
type Items = Vec<(u64, f32)>;

/// A request's meaning, and the items that have it.
pub(crate) struct Meant {
    /// Nothing for an item without a vector, which is like no other.
    query: Option<Query>,
    items: Items,
    /// The best of them without the filter.
    leaders: Items,
    ratio: f32,
}

/// A query among the vectors of one embedder.
#[derive(Clone)]
struct Query {
    space: Arc<Space>,
    /// Of length one.
    vector: Vec<f32>,
    scale: Scale,
}

impl IndexReader {
    /// What a request means, if meaning is to take part and there are vectors for it.
    pub(crate) fn meant(&self, request: &SearchRequest) -> Result<Option<Meant>, EngineError> {
        let standard = Hybrid::default();
        let Some(hybrid) = request
            .hybrid
            .as_ref()
            .or_else(|| request.like.as_ref().map(|_| &standard))
        else {
            return Ok(None);
        };
        if hybrid.ratio == Some(0.0) {
            return Ok(None);
        }
        let name = hybrid.embedder.as_deref().unwrap_or(DEFAULT_EMBEDDER);
        let has_text = !request.q.trim().is_empty();
        let found = match space_of(&self.meaning.now(), name) {
            // Words answer where nobody chose this embedder and something is left to them.
            Err(EngineError::EmbedderFails { .. })
                if name == DEFAULT_EMBEDDER && has_text && hybrid.ratio != Some(1.0) =>
            {
                return Ok(None);
            }
            found => found?,
        };
        let Some(space) = found else {
            return Ok(request.like.is_some().then(Meant::nothing));
        };
        let ratio = match hybrid.ratio {
            _ if request.like.is_some() || !has_text => 1.0,
            Some(ratio) => ratio,
            None => ratio(&request.q),
        };
        // Asked for meaning alone, without a cutoff, one gets the nearest however far they are.
        let cutoff = request.relevance_cutoff;
        let is_plain = ratio >= 1.0 && cutoff.is_none();
        let Some(vector) = self.vector_of(request, &space)? else {
            return Ok(request.like.is_some().then(Meant::nothing));
        };
        let scale = match is_plain {
            true => Scale::PLAIN,
            false => Scale::against_catalogue(&space, &vector, cutoff)?,
        };
        let query = Query {
            space,
            vector,
            scale,
        };
        let filter = match &request.filter {
            Some(filter) => Some(self.state.words.filter_set(filter)?),
            None => None,
        };
        let (mut items, leaders) = query.found(&self.state.words, filter.as_ref(), ratio)?;
        if let Some(id) = &request.like {
            let own = self.state.words.number_of(id)?;
            items.retain(|(number, _)| Some(*number) != own);
        }
        Ok(Some(Meant {
            query: Some(query),
            items,
            leaders,
            ratio,
        }))
    }

    /// The items most like the middle of some others, with their relevance, by the vectors of
    /// the standard embedder; `None` where none of these has a vector.
    pub(crate) fn like_items(
        &self,
        numbers: &[u64],
        filter: Option<&ItemSet>,
    ) -> Result<Option<Vec<(u64, f32)>>, EngineError> {
        let Ok(Some(space)) = space_of(&self.meaning.now(), DEFAULT_EMBEDDER) else {
            return Ok(None);
        };
        let Some(vector) = middle(&space, numbers) else {
            return Ok(None);
        };
        let query = Query {
            scale: Scale::against_catalogue(&space, &vector, None)?,
            space,
            vector,
        };
        query.items(&self.state.words, filter).map(Some)
    }

    /// What is missing for a request's meaning to reach every item, in words for whoever asked.
    pub(crate) fn meaning_lacks(&self, request: &SearchRequest) -> Option<String> {
        let hybrid = request.hybrid.as_ref();
        let name = hybrid.and_then(|hybrid| hybrid.embedder.as_deref());
        let now = self.meaning.now();
        let space = match space_of(&now, name.unwrap_or(DEFAULT_EMBEDDER)) {
            Err(EngineError::EmbedderFails { reason, .. }) => return Some(reason),
            found => found.ok()?,
        };
        let all = self.state.words.count();
        let ready = match &space {
            // Where the shop gives the vectors, an item without one lacks nothing.
            Some(_) if now.waiting == 0 => all,
            Some(space) => space.slots.items().min(all.saturating_sub(now.waiting)),
            None => 0,
        };
        (ready < all).then(|| format!("{ready} of {all} documents have up-to-date vectors"))
    }

    /// The vector to search for, of length one; nothing when the request has nothing to encode.
    fn vector_of(
        &self,
        request: &SearchRequest,
        space: &Space,
    ) -> Result<Option<Vec<f32>>, EngineError> {
        if let Some(id) = &request.like {
            let number = self.state.words.number_of(id)?;
            let number = number.ok_or_else(|| EngineError::DocumentNotFound(id.clone()))?;
            let slot = space.slots.slot(number);
            return Ok(slot.and_then(|slot| normalised(space.vectors.vector(slot))));
        }
        if let Some(vector) = &request.vector {
            let expected = space.vectors.dimensions();
            if vector.len() != expected {
                let found = vector.len();
                return Err(EngineError::Dimensions { expected, found });
            }
            let vector = normalised(vector.clone()).ok_or(EngineError::NoDirection)?;
            return Ok(Some(vector));
        }
        let text = request.q.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let vectors = space.encode_queries(vec![text.to_owned()])?;
        Ok(vectors.and_then(|vectors| vectors.into_iter().next()))
    }
}

impl Space {
    /// The vectors of queries in their order; `None` without an encoder.
    pub(crate) fn encode_queries(
        &self,
        texts: Vec<String>,
    ) -> Result<Option<Vec<Vec<f32>>>, EngineError> {
        let Some(open) = &self.encoder else {
            return Ok(None);
        };
        if texts.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let encoded = open.service.encode(texts.clone(), Prefix::Query)?.vectors;
        Ok(Some(self.query_vectors(&texts, encoded)))
    }

    /// The same for many queries of a log, which nobody waits for: not in the line in which
    /// requests stand. Those that cannot be encoded have no vector.
    pub(crate) fn encode_logged_queries(&self, texts: &[&str]) -> Vec<Option<Vec<f32>>> {
        let Some(open) = &self.encoder else {
            return vec![None; texts.len()];
        };
        let encode = |texts: &[&str]| {
            let encoded = open.encoder.encode(texts, Prefix::Query)?;
            Ok::<_, ModelError>(self.query_vectors(texts, encoded.vectors))
        };
        let mut all = Vec::with_capacity(texts.len());
        for part in texts.chunks(LOGGED) {
            match encode(part) {
                Ok(vectors) => all.extend(vectors.into_iter().map(Some)),
                Err(_) => {
                    let alone = |text| encode(&[text]).ok().and_then(|mut one| one.pop());
                    all.extend(part.iter().map(|text| alone(*text)));
                }
            }
        }
        all
    }

    /// The rows of what the encoder gave for queries, as items are searched by them.
    fn query_vectors(&self, texts: &[impl AsRef<str>], encoded: Vec<f32>) -> Vec<Vec<f32>> {
        let rows = encoded.chunks(self.vectors.dimensions()).zip(texts);
        let vectors = rows.map(|(row, text)| {
            let mut vector = row.to_vec();
            if !self.centring.is_none() {
                let language = self.languages.of(text.as_ref());
                self.centring
                    .apply(Prefix::Query, language.code(), &mut vector);
            }
            vector
        });
        vectors.collect()
    }
}

impl Meant {
    /// For the words index. `scores` is [`Meant::relevances`], `again` is [`Meant::again`].
    pub(crate) fn joined<'a>(
        &'a self,
        scores: &'a dyn Fn(&[u64]) -> Vec<f32>,
        again: &'a Again<'a>,
    ) -> Joined<'a> {
        Joined {
            items: &self.items,
            leaders: &self.leaders,
            scores,
            again: Some(again),
            ratio: self.ratio,
        }
    }

    /// How relevant items are in the light of the best ones, in the manner of Rocchio,
    /// "Relevance Feedback in Information Retrieval" (1971): two words say less of what is
    /// meant than the items that have them.
    pub(crate) fn again(&self, best: &[u64], items: &[u64]) -> Option<Vec<f32>> {
        let query = self.query.as_ref()?.moved_towards(best)?;
        Some(query.relevances(items))
    }

    fn nothing() -> Self {
        Self {
            query: None,
            items: Vec::new(),
            leaders: Vec::new(),
            ratio: 1.0,
        }
    }

    /// The relevance of any items, from 0 to 1; 0 for one without a vector.
    pub(crate) fn relevances(&self, items: &[u64]) -> Vec<f32> {
        match &self.query {
            Some(query) => query.relevances(items),
            None => vec![0.0; items.len()],
        }
    }
}

/// The vectors of an embedder; nothing when they are not there yet.
fn space_of(now: &Published, name: &str) -> Result<Option<Arc<Space>>, EngineError> {
    match now.space(name) {
        Ok(Some(space)) => Ok(Some(space.clone())),
        // The standard embedder has not been made yet, or nothing was there to make it from.
        Ok(None) if name == DEFAULT_EMBEDDER => Ok(None),
        Ok(None) => Err(EngineError::EmbedderNotFound(name.to_owned())),
        Err(why) => Err(EngineError::EmbedderFails {
            name: name.to_owned(),
            reason: why.to_owned(),
        }),
    }
}

/// The middle of the vectors of some items, of length one; `None` where none has a vector.
fn middle(space: &Space, items: &[u64]) -> Option<Vec<f32>> {
    let mut middle = vec![0.0; space.vectors.dimensions()];
    for slot in items.iter().filter_map(|item| space.slots.slot(*item)) {
        for (sum, number) in middle.iter_mut().zip(space.vectors.vector(slot)) {
            *sum += number;
        }
    }
    normalised(middle)
}

impl Query {
    /// The query moved towards the middle of some items, on a scale that ends where two vectors
    /// are the same; nothing where there is no background to measure by.
    fn moved_towards(&self, items: &[u64]) -> Option<Self> {
        if !Scale::has_background(&self.space) {
            return None;
        }
        let middle = middle(&self.space, items)?;
        let both = self.vector.iter().zip(middle);
        let moved = both.map(|(query, middle)| (1.0 - MOVED) * query + MOVED * middle);
        let vector = normalised(moved.collect())?;
        Some(Self {
            space: Arc::clone(&self.space),
            scale: Scale::to_the_same(&self.space, &vector).ok()?,
            vector,
        })
    }

    fn relevances(&self, items: &[u64]) -> Vec<f32> {
        let slots: Vec<Option<u32>> = items
            .iter()
            .map(|item| self.space.slots.slot(*item))
            .collect();
        let known: Vec<u32> = slots.iter().flatten().copied().collect();
        let found = self.space.vectors.similarities(&known, &self.vector);
        let mut found = found.unwrap_or_default().into_iter();
        slots
            .into_iter()
            .map(|slot| slot.and_then(|_| found.next()))
            .map(|found| found.map_or(0.0, |found| self.scale.relevance(found)))
            .collect()
    }

    /// The items that pass the filter, and the best whether or not they do.
    fn found(
        &self,
        words: &Words,
        filter: Option<&ItemSet>,
        ratio: f32,
    ) -> Result<(Items, Items), EngineError> {
        // Meaning alone is not weighed against anything.
        if ratio >= 1.0 {
            return Ok((self.items(words, filter)?, Vec::new()));
        }
        let mut items = self.items(words, None)?;
        let leaders = items.iter().take(Joined::DEPTH).copied().collect();
        if let Some(set) = filter {
            if items.len() < MOST {
                // These are all there are, so one search does for both.
                items.retain(|(number, _)| set.has_number(*number).unwrap_or(false));
            } else {
                items = self.items(words, filter)?;
            }
        }
        Ok((items, leaders))
    }

    /// The items above the cutoff, most relevant first, among those that are alive and pass the
    /// filter; at most [`MOST`].
    fn items(&self, words: &Words, filter: Option<&ItemSet>) -> Result<Items, EngineError> {
        let (space, slots) = (&self.space, &self.space.slots);
        let at_least = self.scale.at_least();
        let found: Result<Vec<Neighbour>, VectorError> = match filter {
            Some(set) if space.vectors.is_scan_cheaper(set.len(), MOST) => {
                let members = set.numbers().filter_map(|number| slots.slot(number));
                space.vectors.scan(&self.vector, members, MOST, at_least)
            }
            Some(set) => {
                let passes = |slot| {
                    let number = slots.number(slot);
                    number.is_some_and(|number| set.has_number(number).unwrap_or(false))
                };
                let vectors = &space.vectors;
                vectors.nearest_among(&self.vector, MOST, at_least, set.len(), passes)
            }
            None => space.vectors.nearest(&self.vector, MOST, at_least, |slot| {
                let number = slots.number(slot);
                number.is_some_and(|number| words.contains_number(number).unwrap_or(false))
            }),
        };
        let items = found?.into_iter().filter_map(|neighbour| {
            let number = slots.number(neighbour.slot)?;
            Some((number, self.scale.relevance(neighbour.similarity)))
        });
        Ok(items.collect())
    }
}

/// How much meaning decides for a query in words.
fn ratio(text: &str) -> f32 {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_number = |word: &&str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let letters = word.chars().filter(|letter| letter.is_alphabetic()).count();
        digits >= 4 || (digits >= 2 && letters >= 1)
    };
    if words.iter().any(is_number) {
        RATIO_OF_NUMBERS
    } else if words.len() >= DESCRIPTION {
        RATIO_OF_DESCRIPTIONS
    } else {
        RATIO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lean_on_words_and_descriptions_on_meaning() {
        for (query, expected) in [
            ("laptop", RATIO),
            ("行李箱", RATIO),
            ("dv7-1211ea", RATIO_OF_NUMBERS),
            ("toner 006R90321", RATIO_OF_NUMBERS),
            ("0884420588030", RATIO_OF_NUMBERS),
            ("playstation 4", RATIO),
            ("something warm for cold feet", RATIO_OF_DESCRIPTIONS),
        ] {
            assert_eq!(ratio(query), expected, "{query}");
        }
    }
}
