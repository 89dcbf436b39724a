//! Merging the hits of several queries into one list.
//!
//! The best head of all lists is taken until none is left, so each list keeps
//! its own order. An index that several queries search gives each document once;
//! its documents are told apart by their primary key.

use crate::error::ApiError;
use crate::multi::{MultiQuery, Options};
use crate::search::most_hits;
use crate::search_params::SearchParams;
use domain::IndexUid;
use engine::{IndexReader, SearchAnswer, SearchHit, SearchRequest};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};

/// The answer to one query, with what merging needs to know.
pub(crate) struct List {
    pub(crate) index_uid: IndexUid,
    pub(crate) options: Options,
    pub(crate) shows_score: bool,
    pub(crate) answer: SearchAnswer,
    primary_key: Option<String>,
    is_repeated: bool,
}

/// A hit of the merged list: which list, which place in it, and its weighted score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    list: usize,
    hit: usize,
    pub(crate) score: f64,
}

/// How far into each list the merged answer can reach, and which facets to count.
pub(crate) struct Depth<'a> {
    pub(crate) hits: usize,
    pub(crate) facets: &'a [String],
    /// Of hits with the same value here only the best is shown.
    pub(crate) distinct: Option<&'a str>,
    /// More than one query searches this index.
    pub(crate) is_repeated: bool,
}

/// Distinct documents over all queries.
#[derive(Default)]
pub(crate) struct Totals {
    /// Hits of indexes that one query searches.
    plain: usize,
    /// Index and key of documents in indexes that several queries search.
    documents: HashSet<(String, String)>,
}

impl Totals {
    pub(crate) fn count(&self) -> usize {
        self.plain + self.documents.len()
    }

    /// Notes every document that paging through a query alone would reach.
    fn add(&mut self, request: &SearchRequest, reader: &IndexReader) -> Result<(), ApiError> {
        let info = reader.info()?;
        let all = SearchRequest {
            offset: 0,
            limit: most_hits(reader),
            retrieve: info.primary_key.as_ref().map(|key| vec![key.clone()]),
            highlight: Vec::new(),
            crop: Vec::new(),
            facets: Vec::new(),
            show_matches_position: false,
            ..request.clone()
        };
        for hit in reader.search(&all)?.hits {
            let identity = identity(&hit.document, info.primary_key.as_deref());
            self.documents
                .insert((info.uid.as_str().to_owned(), identity));
        }
        Ok(())
    }
}

impl List {
    /// Runs one query as deep as the merged answer may need it.
    pub(crate) fn search(
        query: MultiQuery,
        reader: &IndexReader,
        depth: &Depth<'_>,
        totals: &mut Totals,
    ) -> Result<Self, ApiError> {
        let MultiQuery {
            index_uid,
            params: SearchParams { mut request, .. },
            options,
        } = query;
        let primary_key = reader.info()?.primary_key;
        let most = most_hits(reader);
        let shows_score = request.show_ranking_score;
        // The scores are what is merged by.
        request.show_ranking_score = SHOWN;
        request.limit = depth.hits.min(most);
        request.facets = depth.facets.to_vec();
        if let Some(path) = depth.distinct {
            request.distinct.get_or_insert_with(|| path.to_owned());
            // The value tells whether hits of several lists are alike.
            show(&mut request, path);
        }
        if depth.is_repeated {
            // The key tells whether two hits are the same document.
            if let Some(key) = &primary_key {
                show(&mut request, key);
            }
            totals.add(&request, reader)?;
        }
        let answer = reader.search(&request)?;
        if !depth.is_repeated {
            totals.plain += answer.total.min(most);
        }
        let is_repeated = depth.is_repeated;
        Ok(Self {
            index_uid,
            options,
            shows_score,
            answer,
            primary_key,
            is_repeated,
        })
    }

    /// Which document a hit is, where the index is searched more than once.
    fn identity(&self, hit: &SearchHit) -> Option<(&str, String)> {
        let identity = || identity(&hit.document, self.primary_key.as_deref());
        self.is_repeated
            .then(|| (self.index_uid.as_str(), identity()))
    }
}

const SHOWN: bool = true;

/// Has the hits show an attribute, whatever else they show.
fn show(request: &mut SearchRequest, name: &str) {
    if let Some(names) = &mut request.retrieve
        && !names.iter().any(|known| known == name)
    {
        names.push(name.to_owned());
    }
}

/// Of places whose hits have the same value of an attribute only the first.
pub(crate) fn distinct(lists: &[List], places: Vec<Place>, path: &str) -> Vec<Place> {
    let mut seen = HashSet::new();
    let is_new = |place: &Place| {
        let hit = found(lists, *place);
        let values = hit.map(|(_, hit)| values_at(&hit.document, path));
        let values = values.unwrap_or_default();
        let is_new = !values.iter().any(|value| seen.contains(value));
        seen.extend(values);
        is_new
    };
    places.into_iter().filter(is_new).collect()
}

/// The values at a dotted path of a document, as JSON texts.
fn values_at(document: &RawValue, path: &str) -> Vec<String> {
    let Ok(whole) = serde_json::from_str::<Value>(document.get()) else {
        return Vec::new();
    };
    let by_name = |value: &Value, path: &str| {
        let mut names = path.split('.');
        names.try_fold(value.clone(), |value, name| value.get(name).cloned())
    };
    match whole.get(path).cloned().or_else(|| by_name(&whole, path)) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.iter().map(Value::to_string).collect(),
        Some(value) => vec![value.to_string()],
    }
}

/// All hits in their merged order.
///
/// Of equal scores the earlier query's comes first. Lists are few, so looking at
/// every head is quicker than a heap.
pub(crate) fn merged(lists: &[List]) -> Vec<Place> {
    let mut heads = vec![0; lists.len()];
    let mut seen = HashSet::new();
    let mut places = Vec::new();
    while let Some(place) = best_head(lists, &heads) {
        if let Some(head) = heads.get_mut(place.list) {
            *head += 1;
        }
        let identity = found(lists, place).and_then(|(list, hit)| list.identity(hit));
        if identity.is_none_or(|identity| seen.insert(identity)) {
            places.push(place);
        }
    }
    places
}

fn best_head(lists: &[List], heads: &[usize]) -> Option<Place> {
    let mut best: Option<Place> = None;
    for (number, (list, hit)) in lists.iter().zip(heads).enumerate() {
        let Some(head) = list.answer.hits.get(*hit) else {
            continue;
        };
        let score = head.ranking_score.unwrap_or_default() * list.options.weight;
        if best.is_none_or(|best| score > best.score) {
            best = Some(Place {
                list: number,
                hit: *hit,
                score,
            });
        }
    }
    best
}

/// The list and the hit of a place.
pub(crate) fn found(lists: &[List], place: Place) -> Option<(&List, &SearchHit)> {
    let list = lists.get(place.list)?;
    Some((list, list.answer.hits.get(place.hit)?))
}

/// The primary key of a hit as JSON text; the whole document where the key is not shown.
fn identity(document: &RawValue, key: Option<&str>) -> String {
    let fields: Option<HashMap<String, &RawValue>> = serde_json::from_str(document.get()).ok();
    let value = fields
        .zip(key)
        .and_then(|(fields, key)| fields.get(key).copied());
    value.unwrap_or(document).get().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use serde_json::json;

    fn list(uid: &str, weight: f64, hits: &[(u32, f64)], is_repeated: bool) -> List {
        let hits = hits.iter().map(|(id, score)| SearchHit {
            document: serde_json::value::to_raw_value(&json!({ "id": id })).expect("plain JSON"),
            geo_distance: None,
            formatted: None,
            matches_position: None,
            ranking_score: Some(*score),
            ranking_score_details: None,
        });
        let hits: Vec<SearchHit> = hits.collect();
        let as_of = Timestamp::from_millis(0);
        List {
            index_uid: IndexUid::new(uid).expect("a good uid"),
            options: Options {
                weight,
                position: 0,
            },
            shows_score: false,
            answer: SearchAnswer {
                total: hits.len(),
                hits,
                facets: Vec::new(),
                semantic_hits: None,
                meaning_lacks: None,
                understood: None,
                suited: None,
                as_of,
            },
            primary_key: Some("id".to_owned()),
            is_repeated,
        }
    }

    #[track_caller]
    fn check(lists: &[List], expected: &[(usize, usize)]) {
        let places: Vec<_> = merged(lists)
            .iter()
            .map(|place| (place.list, place.hit))
            .collect();
        assert_eq!(places, expected);
    }

    #[test]
    fn scores_are_weighted_and_ties_go_to_the_earlier_query() {
        let a = || list("a", 1.0, &[(1, 0.9), (2, 0.5)], false);
        check(
            &[a(), list("b", 1.0, &[(1, 0.9), (2, 0.7)], false)],
            &[(0, 0), (1, 0), (1, 1), (0, 1)],
        );
        check(
            &[a(), list("b", 0.5, &[(1, 0.9), (2, 0.7)], false)],
            &[(0, 0), (0, 1), (1, 0), (1, 1)],
        );
    }

    #[test]
    fn a_list_keeps_its_own_order() {
        let sorted = list("a", 1.0, &[(1, 0.1), (2, 0.9)], false);
        check(
            &[sorted, list("b", 1.0, &[(1, 0.5)], false)],
            &[(1, 0), (0, 0), (0, 1)],
        );
    }

    #[test]
    fn a_repeated_index_gives_each_document_once() {
        let one = list("a", 1.0, &[(1, 0.9), (2, 0.5)], true);
        let two = list("a", 1.0, &[(2, 0.8), (1, 0.3), (3, 0.2)], true);
        check(&[one, two], &[(0, 0), (1, 0), (1, 2)]);
    }
}
