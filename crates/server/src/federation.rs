//! Federated search: the hits of several queries in one list.
//!
//! Lists are merged by weighted ranking score; each keeps its own order, so that
//! a `sort` of a query survives. An index searched by several queries gives each
//! document once, and the total counts exactly what paging reaches.

use crate::error::ApiError;
use crate::fields::{Fields, Table};
use crate::hits::{Distribution, Federation, HitExtras, JsonText, Ranges};
use crate::multi::{MultiQuery, Options, Readers};
use crate::paging::{Paging, PagingAnswer};
use crate::search::{millis, most_hits};
use crate::search_params::SearchParams;
use domain::IndexUid;
use engine::{FacetAnswer, IndexReader, SearchAnswer, SearchHit, SearchRequest};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

const FEDERATION: Table = &[
    ("limit", "invalid_multi_search_limit"),
    ("offset", "invalid_multi_search_offset"),
    ("page", "invalid_multi_search_page"),
    ("hitsPerPage", "invalid_multi_search_hits_per_page"),
    ("facetsByIndex", "invalid_multi_search_facets_by_index"),
    ("mergeFacets", "invalid_multi_search_merge_facets"),
];
const MERGE: Table = &[("maxValuesPerFacet", "invalid_multi_search_max_values_per_facet")];

/// Values of one merged facet, unless the request says otherwise.
const DEFAULT_FACET_VALUES: usize = 100;

/// The object `federation`.
pub(crate) struct FederationParams {
    paging: Paging,
    facets: BTreeMap<String, Vec<String>>,
    /// Set when the facets of all indexes are counted together.
    merged_values: Option<usize>,
}

impl FederationParams {
    pub(crate) fn read(value: Value) -> Result<Self, ApiError> {
        let mut fields = Fields::object(value, FEDERATION, ".federation".to_owned())?;
        let paging = Paging::take(&mut fields)?;
        let mut facets = BTreeMap::new();
        if let Some(value) = fields.value("facetsByIndex") {
            let Value::Object(by_index) = value else {
                return Err(fields.mistyped("facetsByIndex", "an object", &value));
            };
            for (uid, list) in by_index {
                let names: Option<Vec<String>> =
                    serde_json::from_value(list.clone()).map_err(|_| {
                        let place = format!("facetsByIndex.{uid}");
                        fields.mistyped(&place, "an array of strings", &list)
                            .coded("invalid_multi_search_facets_by_index")
                    })?;
                facets.insert(uid, names.unwrap_or_default());
            }
        }
        let merged_values = match fields.value("mergeFacets") {
            Some(value) => {
                let mut merge =
                    Fields::object(value, MERGE, ".federation.mergeFacets".to_owned())?;
                Some(merge.size("maxValuesPerFacet")?.unwrap_or(DEFAULT_FACET_VALUES))
            }
            None => None,
        };
        Ok(Self { paging, facets, merged_values })
    }
}

/// The answer to one query, with what merging needs to know.
struct List {
    index_uid: IndexUid,
    options: Options,
    shows_score: bool,
    primary_key: Option<String>,
    answer: SearchAnswer,
}

/// A hit of the merged list: which list, which place in it.
#[derive(Clone, Copy)]
struct Place {
    list: usize,
    hit: usize,
    score: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tail<'a> {
    processing_time_ms: u64,
    #[serde(flatten)]
    paging: PagingAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    facets_by_index: Option<BTreeMap<&'a str, IndexFacets<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facet_distribution: Option<Distribution<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facet_stats: Option<Ranges<'a>>,
}

#[derive(Serialize)]
struct IndexFacets<'a> {
    distribution: Distribution<'a>,
    stats: Ranges<'a>,
}

/// Runs every query and writes the merged answer.
pub(crate) fn run(
    federation: FederationParams,
    queries: Vec<MultiQuery>,
    readers: &mut Readers<'_>,
) -> Result<Vec<u8>, ApiError> {
    let started = Instant::now();
    check_facets(&federation, &queries)?;
    let mut opened = Vec::with_capacity(queries.len());
    let mut most = 0;
    for (place, query) in queries.iter().enumerate() {
        let reader = readers
            .get(&query.index_uid)
            .map_err(|error| ApiError::from(error).inside_query(place))?;
        most = most.max(most_hits(&reader));
        opened.push(reader);
    }
    let repeated = repeated(&queries);
    let (offset, limit) = federation.paging.window(most);
    let mut lists = Vec::with_capacity(queries.len());
    let mut totals = Totals::default();
    for (place, (query, reader)) in queries.into_iter().zip(&opened).enumerate() {
        let is_repeated = repeated.contains(query.index_uid.as_str());
        let facets = federation.facets.get(query.index_uid.as_str());
        let list = search(query, reader, (offset + limit, is_repeated), facets, &mut totals)
            .map_err(|error| error.inside_query(place))?;
        lists.push(list);
    }
    let places = merged(&lists, &repeated);
    let window: Vec<Place> = places.into_iter().skip(offset).take(limit).collect();
    let facets = if federation.merged_values.is_some() || !federation.facets.is_empty() {
        Some(federation.merged_values)
    } else {
        None
    };
    let tail = (federation.paging.answer(totals.count(), most), facets, started);
    written(&lists, &window, tail).map_err(ApiError::internal)
}

/// Indexes that more than one query names.
fn repeated(queries: &[MultiQuery]) -> HashSet<String> {
    let mut seen = HashSet::new();
    let again = queries.iter().filter(|query| !seen.insert(query.index_uid.as_str()));
    again.map(|query| query.index_uid.as_str().to_owned()).collect()
}

fn check_facets(federation: &FederationParams, queries: &[MultiQuery]) -> Result<(), ApiError> {
    for uid in federation.facets.keys() {
        let named = queries.iter().filter(|query| query.index_uid.as_str() == uid).count();
        let problem = match named {
            1 => continue,
            0 => "no query searches it",
            _ => "several queries search it, and their facets cannot be counted together yet",
        };
        return Err(ApiError::invalid(
            "invalid_multi_search_facets_by_index",
            format!("Inside `.federation.facetsByIndex.{uid}`: facets of the index `{uid}` cannot be given, because {problem}."),
        ));
    }
    Ok(())
}

/// Distinct documents over all queries.
#[derive(Default)]
struct Totals {
    /// Hits of indexes that one query searches.
    plain: usize,
    /// Documents of indexes that several queries search.
    documents: HashSet<(String, String)>,
}

impl Totals {
    fn count(&self) -> usize {
        self.plain + self.documents.len()
    }
}

fn search(
    query: MultiQuery,
    reader: &IndexReader,
    (depth, is_repeated): (usize, bool),
    facets: Option<&Vec<String>>,
    totals: &mut Totals,
) -> Result<List, ApiError> {
    let MultiQuery { index_uid, params: SearchParams { mut request, .. }, options } = query;
    let primary_key = reader.info()?.primary_key;
    let most = most_hits(reader);
    let shows_score = request.show_ranking_score;
    request.show_ranking_score = true;
    request.limit = depth.min(most);
    request.facets = facets.cloned().unwrap_or_default();
    if is_repeated {
        // The key tells whether two hits are the same document.
        if let (Some(key), Some(names)) = (&primary_key, &mut request.retrieve)
            && !names.contains(key)
        {
            names.push(key.clone());
        }
        count_documents(&request, reader, (&index_uid, primary_key.as_deref()), totals)?;
    }
    let answer = reader.search(&request)?;
    if !is_repeated {
        totals.plain += answer.total.min(most);
    }
    Ok(List { index_uid, options, shows_score, primary_key, answer })
}

/// Notes every document that paging through a query alone would reach.
fn count_documents(
    request: &SearchRequest,
    reader: &IndexReader,
    (index_uid, key): (&IndexUid, Option<&str>),
    totals: &mut Totals,
) -> Result<(), ApiError> {
    let all = SearchRequest {
        offset: 0,
        limit: most_hits(reader),
        retrieve: key.map(|key| vec![key.to_owned()]),
        highlight: Vec::new(),
        crop: Vec::new(),
        facets: Vec::new(),
        show_matches_position: false,
        ..request.clone()
    };
    for hit in reader.search(&all)?.hits {
        let identity = identity(&hit.document, key);
        totals.documents.insert((index_uid.as_str().to_owned(), identity));
    }
    Ok(())
}

/// The primary key of a hit as JSON text; the whole document where the key is not shown.
fn identity(document: &RawValue, key: Option<&str>) -> String {
    let fields: Option<HashMap<String, &RawValue>> = serde_json::from_str(document.get()).ok();
    let value = fields.zip(key).and_then(|(fields, key)| fields.get(key).copied());
    value.unwrap_or(document).get().to_owned()
}

/// All hits in their merged order, each document of a repeated index once.
///
/// The best head of all lists is taken until none is left; of equal scores the
/// earlier query's.
fn merged(lists: &[List], repeated: &HashSet<String>) -> Vec<Place> {
    let mut heads = vec![0; lists.len()];
    let mut seen = HashSet::new();
    let mut places = Vec::new();
    loop {
        let mut best: Option<Place> = None;
        for (list, head) in lists.iter().zip(&heads).enumerate().filter_map(head_of) {
            if best.is_none_or(|best| head.score > best.score) {
                best = Some(Place { list, ..head });
            }
        }
        let Some(place) = best else { return places };
        if let Some(head) = heads.get_mut(place.list) {
            *head += 1;
        }
        let Some((list, hit)) = found(lists, place) else { continue };
        let uid = list.index_uid.as_str();
        if !repeated.contains(uid)
            || seen.insert((uid, identity(&hit.document, list.primary_key.as_deref())))
        {
            places.push(place);
        }
    }
}

fn head_of((place, (list, head)): (usize, (&List, &usize))) -> Option<(usize, Place)> {
    let hit = list.answer.hits.get(*head)?;
    let score = hit.ranking_score.unwrap_or_default() * list.options.weight;
    Some((place, Place { list: place, hit: *head, score }))
}

fn found(lists: &[List], place: Place) -> Option<(&List, &SearchHit)> {
    let list = lists.get(place.list)?;
    Some((list, list.answer.hits.get(place.hit)?))
}

fn written(
    lists: &[List],
    window: &[Place],
    (paging, facets, started): (PagingAnswer, Option<Option<usize>>, Instant),
) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = JsonText::with_capacity(16_384);
    text.raw("{\"hits\":[");
    let hits = window.iter().filter_map(|place| Some((place, found(lists, *place)?)));
    for (number, (place, (list, hit))) in hits.enumerate() {
        if number > 0 {
            text.raw(",");
        }
        let mut extras = HitExtras::from(hit);
        if !list.shows_score {
            extras.ranking_score = None;
        }
        extras.federation = Some(Federation {
            index_uid: list.index_uid.as_str(),
            queries_position: list.options.position,
            weighted_ranking_score: place.score,
        });
        text.document(&hit.document, &extras)?;
    }
    text.raw("]");
    let merged = match facets {
        Some(Some(most_values)) => Some(merged_facets(lists, most_values)),
        _ => None,
    };
    text.rest_of_object(&Tail {
        processing_time_ms: millis(started.elapsed()),
        paging,
        facets_by_index: matches!(facets, Some(None)).then(|| facets_by_index(lists)),
        facet_distribution: merged.as_deref().map(Distribution),
        facet_stats: merged.as_deref().map(Ranges),
    })?;
    Ok(text.finish())
}

fn facets_by_index(lists: &[List]) -> BTreeMap<&str, IndexFacets<'_>> {
    let facets = lists.iter().filter(|list| !list.answer.facets.is_empty()).map(|list| {
        let facets = &list.answer.facets;
        (
            list.index_uid.as_str(),
            IndexFacets { distribution: Distribution(facets), stats: Ranges(facets) },
        )
    });
    facets.collect()
}

/// The facets of all indexes as one: counts add up, ranges span all.
fn merged_facets(lists: &[List], most_values: usize) -> Vec<FacetAnswer> {
    let mut merged: BTreeMap<&str, FacetAnswer> = BTreeMap::new();
    for facet in lists.iter().flat_map(|list| &list.answer.facets) {
        let sum = merged.entry(&facet.attribute).or_insert_with(|| FacetAnswer {
            attribute: facet.attribute.clone(),
            values: Vec::new(),
            stats: None,
        });
        sum.values.extend(facet.values.iter().cloned());
        sum.stats = match (sum.stats, facet.stats) {
            (Some(a), Some(b)) => Some(lexical::FacetStats {
                min: a.min.min(b.min),
                max: a.max.max(b.max),
            }),
            (one, other) => one.or(other),
        };
    }
    let mut facets: Vec<FacetAnswer> = merged.into_values().collect();
    for facet in &mut facets {
        facet.values.sort();
        facet.values.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        facet.values.truncate(most_values);
    }
    facets
}
