//! The search side: from a query's text or vector to the items that mean it.
//!
//! A similarity says nothing by itself: how high it is depends on the query and on the
//! catalogue. So it is set against the similarities of the query to a sample of the whole
//! catalogue: relevance is how many standard deviations above the average an item is, of
//! [`FULL`] that make it certain. Items above the cutoff belong to the answer, however many a
//! page shows; that is what makes totals true.

use super::embedder::normalised;
use super::{DEFAULT_EMBEDDER, Published, Space};
use crate::EngineError;
use crate::search::{Hybrid, SearchRequest};
use crate::snapshot::IndexReader;
use encode::Prefix;
use lexical::{ItemSet, Joined, Words};
use std::sync::Arc;
use vector::{Neighbour, VectorError};

/// Standard deviations above the catalogue's average at which an item is as relevant as can be.
/// Measured on product catalogues, see `docs/how-ranking-works.md`.
const FULL: f32 = 8.0;
/// The relevance from which an item belongs to the answer, unless the request says otherwise.
const DEFAULT_CUTOFF: f32 = 0.45;
/// Most items that meaning alone brings into an answer.
const MOST: usize = 1_000;
/// Vectors that stand for the catalogue.
const BACKGROUND: u32 = 1_024;
/// Fewer vectors are no background: then the similarity itself is the relevance.
const FEWEST: u32 = 64;
/// A spread smaller than this is none: all vectors are alike.
const LEAST_SPREAD: f32 = 1e-3;

/// How much meaning decides, by the kind of the query; measured like [`FULL`].
const RATIO: f32 = 0.3;
/// For model and article numbers, where only the very words help.
const RATIO_OF_NUMBERS: f32 = 0.15;
/// For descriptions, of which no item has all words.
const RATIO_OF_DESCRIPTIONS: f32 = 0.5;
/// Words from which a query is a description.
const DESCRIPTION: usize = 4;

/// A request's meaning, and the items that have it.
pub(crate) struct Meant {
    /// Nothing for an item without a vector, which is like no other.
    query: Option<Query>,
    items: Vec<(u64, f32)>,
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

/// From a similarity to a relevance.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    /// The similarity that is worth nothing.
    zero: f32,
    /// How much more is worth everything.
    range: f32,
    cutoff: f32,
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
        let mut items = query.items(&self.state.words, filter.as_ref())?;
        if let Some(id) = &request.like {
            let own = self.state.words.number_of(id)?;
            items.retain(|(number, _)| Some(*number) != own);
        }
        Ok(Some(Meant {
            query: Some(query),
            items,
            ratio,
        }))
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
        let Some(open) = space.encoder.as_ref().filter(|_| !text.is_empty()) else {
            return Ok(None);
        };
        let mut vector = open
            .service
            .encode(vec![text.to_owned()], Prefix::Query)?
            .vectors;
        if !space.centring.is_none() {
            let language = space.languages.of(text);
            let centring = &space.centring;
            centring.apply(Prefix::Query, language.code(), &mut vector);
        }
        Ok(Some(vector))
    }
}

impl Meant {
    /// For the words index. `score` is [`Meant::relevance_of`].
    pub(crate) fn joined<'a>(&'a self, score: &'a dyn Fn(u64) -> f32) -> Joined<'a> {
        Joined {
            items: &self.items,
            score,
            ratio: self.ratio,
        }
    }

    fn nothing() -> Self {
        Self {
            query: None,
            items: Vec::new(),
            ratio: 1.0,
        }
    }

    /// The relevance of any item, from 0 to 1; 0 for one without a vector.
    pub(crate) fn relevance_of(&self, number: u64) -> f32 {
        let query = self.query.as_ref();
        query.map_or(0.0, |query| query.relevance_of(number))
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

impl Scale {
    /// The similarity itself, moved from -1 to 1 to 0 to 1.
    const PLAIN: Self = Self {
        zero: -1.0,
        range: 2.0,
        cutoff: 0.0,
    };

    /// Against the similarities of a query to the whole catalogue.
    fn against_catalogue(
        space: &Space,
        query: &[f32],
        cutoff: Option<f32>,
    ) -> Result<Self, EngineError> {
        let cutoff = cutoff.unwrap_or(DEFAULT_CUTOFF);
        let len = space.vectors.len();
        if len < FEWEST {
            return Ok(Self {
                zero: 0.0,
                range: 1.0,
                cutoff,
            });
        }
        let step = len.div_ceil(BACKGROUND).max(1);
        let (mut count, mut sum, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
        for slot in (0..len).step_by(step as usize) {
            let similarity = f64::from(space.vectors.similarity(slot, query)?);
            count += 1.0;
            sum += similarity;
            squares += similarity * similarity;
        }
        let average = sum / count;
        let spread = (squares / count - average * average).max(0.0).sqrt() as f32;
        Ok(Self {
            zero: average as f32,
            range: FULL * spread.max(LEAST_SPREAD),
            cutoff,
        })
    }

    /// From 0 to 1.
    fn relevance(&self, similarity: f32) -> f32 {
        ((similarity - self.zero) / self.range).clamp(0.0, 1.0)
    }

    /// The similarity that reaches the cutoff.
    fn at_least(&self) -> f32 {
        self.zero + self.cutoff * self.range
    }
}

impl Query {
    fn relevance_of(&self, number: u64) -> f32 {
        let slot = self.space.slots.slot(number);
        let similarity =
            slot.and_then(|slot| self.space.vectors.similarity(slot, &self.vector).ok());
        similarity.map_or(0.0, |similarity| self.scale.relevance(similarity))
    }

    /// The items above the cutoff, most relevant first, among those that are alive and pass the
    /// filter; at most [`MOST`].
    fn items(
        &self,
        words: &Words,
        filter: Option<&ItemSet>,
    ) -> Result<Vec<(u64, f32)>, EngineError> {
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
