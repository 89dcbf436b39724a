//! What is like an item, and who is like a user.
//!
//! Items with vectors are near each other by them. Else two items are alike when the same users
//! gave feedback on both, and two users when they gave it on the same items; each link in common
//! counts by Adamic and Adar, "Friends and neighbors on the Web" (2003): 1 / ln of how many
//! others it leads to.

use super::setup::EMBEDDER;
use super::slate::Scored;
use super::{ids, item, kinds};
use crate::error::ApiError;
use domain::{Comparison, EventKind, Filter, FilterValue, ItemId, UserId};
use engine::{EngineError, FeedbackKey, FeedbackOf, Hybrid, IndexReader, ItemSet, SearchRequest};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Links looked at from one item or user.
const FANOUT: usize = 200;
/// Neighbours that are looked at.
const MOST: usize = 1_000;

/// What may be shown: what is not hidden, in all of some categories.
pub(super) fn shown(categories: &[String]) -> Filter {
    let equal = |attribute: &str, value: &str| Filter::Compare {
        attribute: attribute.to_owned(),
        comparison: Comparison::Equal,
        value: FilterValue::new(value),
    };
    let hidden = equal("IsHidden", "true");
    let mut parts = vec![Filter::Not(Box::new(hidden))];
    parts.extend(
        categories
            .iter()
            .map(|category| equal("Categories", category)),
    );
    Filter::and(parts)
}

/// Finds what is like items and users, among what may be shown.
pub(super) struct Neighbours<'a> {
    reader: &'a IndexReader,
    filter: &'a Filter,
    passing: ItemSet,
    /// By document, as far as they were read: neighbours of several items are often the same.
    vectors: HashMap<String, Option<Vec<f64>>>,
}

impl<'a> Neighbours<'a> {
    pub(super) fn new(reader: &'a IndexReader, filter: &'a Filter) -> Result<Self, ApiError> {
        Ok(Self {
            reader,
            filter,
            passing: reader.passing(filter)?,
            vectors: HashMap::new(),
        })
    }

    /// The documents most like an item, best first. With vectors so many of the nearest by
    /// direction are ordered by their distance, which needs their numbers; without, there may
    /// be more.
    pub(super) fn of_item(&mut self, item: &ItemId, reach: usize) -> Result<Vec<Scored>, ApiError> {
        let document = ids::document(item.as_str())?;
        if let Some(vector) = self.vector(document.as_str())? {
            return self.by_vector(&document, &vector, reach);
        }
        let reader = self.reader;
        let found = in_common(
            item.as_str(),
            |item| users(reader, item),
            |user| items(reader, user),
        )?;
        let mut scored = Vec::new();
        for (item, score) in found.into_iter().take(MOST) {
            let document = ids::document(&item)?.to_string();
            if self
                .passing
                .contains(&document)
                .map_err(EngineError::from)?
            {
                scored.push((document, score));
            }
        }
        Ok(scored)
    }

    /// The documents most like several items together: what is like more of them comes first.
    pub(super) fn of_items(
        &mut self,
        items: &[ItemId],
        reach: usize,
    ) -> Result<Vec<Scored>, ApiError> {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for item in items {
            for (document, score) in self.of_item(item, reach)? {
                *sums.entry(document).or_default() += score;
            }
        }
        Ok(ranked(sums))
    }

    /// By distance, of the nearest by direction.
    fn by_vector(
        &mut self,
        document: &ItemId,
        vector: &[f64],
        reach: usize,
    ) -> Result<Vec<Scored>, ApiError> {
        let request = SearchRequest {
            like: Some(document.to_string()),
            hybrid: Some(Hybrid {
                embedder: Some(EMBEDDER.to_owned()),
                ratio: None,
            }),
            filter: Some(self.filter.clone()),
            limit: reach.min(MOST),
            ..SearchRequest::default()
        };
        let near = match self.reader.search_ids(&request) {
            Err(EngineError::EmbedderNotFound(_)) => return Ok(Vec::new()),
            near => near?,
        };
        let mut scored = Vec::with_capacity(near.len());
        for id in near {
            let other = self.vector(&id)?;
            if let Some(distance) = other.and_then(|other| distance(vector, &other)) {
                scored.push((id, 1.0 / (1.0 + distance)));
            }
        }
        sort(&mut scored);
        Ok(scored)
    }

    /// The vector of a document as it was given. The document is read once for it.
    fn vector(&mut self, document: &str) -> Result<Option<Vec<f64>>, ApiError> {
        if let Some(known) = self.vectors.get(document) {
            return Ok(known.clone());
        }
        let object = self.reader.object(document)?;
        let vector = object.as_ref().and_then(item::vector);
        // Clients give numbers; what others have put there is no vector.
        let vector = vector.and_then(|list| list.iter().map(Value::as_f64).collect());
        self.vectors.insert(document.to_owned(), vector);
        self.vector(document)
    }
}

/// The users most like one, best first.
pub(super) fn of_user(reader: &IndexReader, user: &UserId) -> Result<Vec<Scored>, ApiError> {
    in_common(
        user.as_str(),
        |user| items(reader, user),
        |item| users(reader, item),
    )
}

/// Euclidean; nothing between vectors of two lengths.
fn distance(a: &[f64], b: &[f64]) -> Option<f64> {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
    (a.len() == b.len()).then(|| squares.sum::<f64>().sqrt())
}

/// Whatever is two links away, by the links in common.
fn in_common(
    start: &str,
    near: impl Fn(&str) -> Result<BTreeSet<String>, ApiError>,
    far: impl Fn(&str) -> Result<BTreeSet<String>, ApiError>,
) -> Result<Vec<Scored>, ApiError> {
    let mut scores: BTreeMap<String, f64> = BTreeMap::new();
    for link in near(start)? {
        let others = far(&link)?;
        // One that leads to nothing else says nothing.
        if others.len() < 2 {
            continue;
        }
        let weight = 1.0 / (others.len() as f64).ln();
        for other in others {
            if other != start {
                *scores.entry(other).or_default() += weight;
            }
        }
    }
    Ok(ranked(scores))
}

fn users(reader: &IndexReader, item: &str) -> Result<BTreeSet<String>, ApiError> {
    let of = FeedbackOf::Item(ItemId::new(item).map_err(EngineError::from)?);
    Ok(liked(reader, &of)?.map(|key| key.user).collect())
}

fn items(reader: &IndexReader, user: &str) -> Result<BTreeSet<String>, ApiError> {
    let of = FeedbackOf::User(UserId::new(user).map_err(EngineError::from)?);
    Ok(liked(reader, &of)?.map(|key| key.item).collect())
}

/// What feedback is about, without what says that somebody dislikes something.
fn liked(
    reader: &IndexReader,
    of: &FeedbackOf,
) -> Result<impl Iterator<Item = FeedbackKey>, ApiError> {
    let keys = reader.feedback_keys(of, FANOUT)?;
    let settings = reader.settings();
    let is_liked =
        move |key: &FeedbackKey| kinds::event(settings, &key.kind) != Some(EventKind::Dislike);
    Ok(keys.into_iter().filter(is_liked))
}

fn ranked(scores: BTreeMap<String, f64>) -> Vec<Scored> {
    let mut scored: Vec<Scored> = scores.into_iter().collect();
    sort(&mut scored);
    scored
}

/// Best first; equal scores by id.
fn sort(scored: &mut [Scored]) {
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_rarer_links_in_common_is_nearer() {
        let links: BTreeMap<&str, &[&str]> = BTreeMap::from([
            ("a", ["busy", "quiet"].as_slice()),
            ("busy", &["a", "b", "d", "e"]),
            ("quiet", &["a", "c"]),
            ("b", &["busy"]),
            ("c", &["quiet"]),
        ]);
        let follow = |from: &str| {
            let to = links.get(from).copied().unwrap_or_default();
            Ok(to.iter().map(|id| (*id).to_owned()).collect())
        };
        let found = in_common("a", follow, follow).expect("no error");
        let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["c", "b", "d", "e"]);
        assert_eq!(found[0].1, 1.0 / 2.0_f64.ln());
    }

    #[test]
    fn distances_are_euclidean() {
        assert_eq!(distance(&[0.0, 3.0], &[4.0, 0.0]), Some(5.0));
        assert_eq!(distance(&[0.0, 3.0], &[4.0]), None);
    }
}
