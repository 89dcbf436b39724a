//! What is like an item, and who is like a user.
//!
//! Items with vectors are near each other by them. Else two items are alike when the same users
//! gave feedback on both, and two users when they gave it on the same items; each link in common
//! counts by Adamic and Adar, "Friends and neighbors on the Web" (2003): 1 / ln of how many
//! others it leads to.

use super::items::document_id;
use super::setup::EMBEDDER;
use super::slate::Scored;
use super::{ids, item, kinds};
use crate::error::ApiError;
use domain::{Comparison, EventKind, Filter, FilterValue, ItemId, UserId};
use engine::{
    DocumentsQuery, EngineError, FeedbackKey, FeedbackOf, Hybrid, IndexReader, SearchRequest,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};

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

/// The documents most like an item, best first. With vectors so many of the nearest by direction
/// are ordered by their distance, which needs their numbers; without, there may be more.
pub(super) fn of_item(
    reader: &IndexReader,
    item: &ItemId,
    filter: &Filter,
    reach: usize,
) -> Result<Vec<Scored>, ApiError> {
    let document = ids::document(item.as_str())?;
    let object = reader.object(document.as_str())?;
    if let Some(vector) = object.as_ref().and_then(item::vector) {
        return by_vector(reader, &document, vector, filter, reach);
    }
    let found = in_common(
        item.as_str(),
        |item| users(reader, item),
        |user| items(reader, user),
    )?;
    let mut scored = Vec::with_capacity(found.len());
    for (item, score) in found.into_iter().take(MOST) {
        scored.push((ids::document(&item)?.to_string(), score));
    }
    filtered(reader, scored, filter)
}

/// The documents most like several items together: what is like more of them comes first.
pub(super) fn of_items(
    reader: &IndexReader,
    items: &[ItemId],
    filter: &Filter,
    reach: usize,
) -> Result<Vec<Scored>, ApiError> {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for item in items {
        for (document, score) in of_item(reader, item, filter, reach)? {
            *sums.entry(document).or_default() += score;
        }
    }
    Ok(ranked(sums))
}

/// The users most like one, best first.
pub(super) fn of_user(reader: &IndexReader, user: &UserId) -> Result<Vec<Scored>, ApiError> {
    in_common(
        user.as_str(),
        |user| items(reader, user),
        |item| users(reader, item),
    )
}

/// By distance, of the nearest by direction.
fn by_vector(
    reader: &IndexReader,
    document: &ItemId,
    vector: &[Value],
    filter: &Filter,
    reach: usize,
) -> Result<Vec<Scored>, ApiError> {
    let request = SearchRequest {
        like: Some(document.to_string()),
        hybrid: Some(Hybrid {
            embedder: Some(EMBEDDER.to_owned()),
            ratio: None,
        }),
        filter: Some(filter.clone()),
        limit: reach.min(MOST),
        retrieve: Some(vec![super::setup::KEY.to_owned()]),
        ..SearchRequest::default()
    };
    let answer = match reader.search(&request) {
        Err(EngineError::EmbedderNotFound(_)) => return Ok(Vec::new()),
        answer => answer?,
    };
    let mut scored = Vec::with_capacity(answer.hits.len());
    for hit in answer.hits {
        let id = document_id(hit.document.get())?;
        let other = reader.object(&id)?;
        let other = other.as_ref().and_then(item::vector);
        if let Some(distance) = other.and_then(|other| distance(vector, other)) {
            scored.push((id, 1.0 / (1.0 + distance)));
        }
    }
    sort(&mut scored);
    Ok(scored)
}

/// Euclidean; nothing between vectors of two lengths.
fn distance(a: &[Value], b: &[Value]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    let mut sum = 0.0;
    for (a, b) in a.iter().zip(b) {
        let apart = a.as_f64()? - b.as_f64()?;
        sum += apart * apart;
    }
    Some(sum.sqrt())
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

/// Those that pass a filter, in their order.
fn filtered(
    reader: &IndexReader,
    scored: Vec<Scored>,
    filter: &Filter,
) -> Result<Vec<Scored>, ApiError> {
    let query = DocumentsQuery {
        ids: Some(scored.iter().map(|(id, _)| id.clone()).collect()),
        filter: Some(filter.clone()),
        fields: Some(vec![super::setup::KEY.to_owned()]),
        limit: scored.len(),
        ..DocumentsQuery::default()
    };
    let (documents, _) = reader.documents(&query)?;
    let passed: Result<HashSet<String>, ApiError> = documents
        .iter()
        .map(|document| document_id(document.get()))
        .collect();
    let passed = passed?;
    let kept = scored.into_iter().filter(|(id, _)| passed.contains(id));
    Ok(kept.collect())
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
    use serde_json::json;

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
        let numbers = |value: Value| value.as_array().cloned().unwrap_or_default();
        let (a, b) = (numbers(json!([0, 3])), numbers(json!([4.0, 0])));
        assert_eq!(distance(&a, &b), Some(5.0));
        assert_eq!(distance(&a, &numbers(json!([1]))), None);
        assert_eq!(distance(&a, &numbers(json!([1, "x"]))), None);
    }
}
