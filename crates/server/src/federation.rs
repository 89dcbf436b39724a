//! Federated search: the hits of several queries in one list.
//!
//! The list is merged by weighted ranking score, and its total counts exactly
//! what paging reaches. Facets are counted per index, or over all of them.

use crate::error::ApiError;
use crate::federated_facets::{self, ByIndex, IndexFacets};
use crate::fields::{Fields, Table};
use crate::hits::{Distribution, Federation, HitExtras, JsonText, Ranges};
use crate::merge::{Depth, List, Place, Totals, distinct, found, merged};
use crate::metadata::{self, Metadata};
use crate::multi::{MultiQuery, Readers};
use crate::paging::{Paging, PagingAnswer};
use crate::search::{Degraded, PerformanceDetails, millis, most_hits};
use engine::IndexReader;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

const FEDERATION: Table = &[
    ("limit", "invalid_multi_search_limit"),
    ("offset", "invalid_multi_search_offset"),
    ("page", "invalid_multi_search_page"),
    ("hitsPerPage", "invalid_multi_search_hits_per_page"),
    ("facetsByIndex", "invalid_multi_search_facets_by_index"),
    ("mergeFacets", "invalid_multi_search_merge_facets"),
    ("distinct", "invalid_multi_search_distinct"),
    (
        "showPerformanceDetails",
        "invalid_multi_search_show_performance_details",
    ),
];
const MERGE: Table = &[(
    "maxValuesPerFacet",
    "invalid_multi_search_max_values_per_facet",
)];

/// Values of one merged facet, unless the request says otherwise.
const DEFAULT_FACET_VALUES: usize = 100;

/// The object `federation`.
pub(crate) struct FederationParams {
    paging: Paging,
    facets: BTreeMap<String, Vec<String>>,
    /// Set when the facets of all indexes are counted together.
    merged_values: Option<usize>,
    /// Of hits with the same value here only the best is shown.
    distinct: Option<String>,
    shows_performance: bool,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<Degraded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    performance_details: Option<PerformanceDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Vec<Metadata>>,
}

/// Everything of an answer but its hits.
struct Around {
    paging: PagingAnswer,
    took: Duration,
    facets: ByIndex,
    metadata: Option<Vec<Metadata>>,
}

impl FederationParams {
    pub(crate) fn read(value: Value) -> Result<Self, ApiError> {
        let mut fields = Fields::object(value, FEDERATION, ".federation".to_owned())?;
        let paging = Paging::take(&mut fields)?;
        let facets = take_facets(&mut fields)?;
        let merged_values = match fields.value("mergeFacets") {
            Some(value) => {
                let path = ".federation.mergeFacets".to_owned();
                let mut merge = Fields::object(value, MERGE, path)?;
                Some(
                    merge
                        .size("maxValuesPerFacet")?
                        .unwrap_or(DEFAULT_FACET_VALUES),
                )
            }
            None => None,
        };
        Ok(Self {
            paging,
            facets,
            merged_values,
            distinct: fields.text("distinct")?,
            shows_performance: fields
                .boolean("showPerformanceDetails")?
                .unwrap_or_default(),
        })
    }

    /// Facets need an index that some query searches.
    fn check(&self, queries: &[MultiQuery]) -> Result<(), ApiError> {
        for uid in self.facets.keys() {
            let mut uids = queries.iter().map(|query| query.index_uid.as_str());
            if !uids.any(|known| known == uid) {
                return Err(ApiError::invalid(
                    "invalid_multi_search_facets_by_index",
                    format!(
                        "Inside `.federation.facetsByIndex.{uid}`: the facets of the index `{uid}` cannot be given, because no query searches it."
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn take_facets(fields: &mut Fields) -> Result<BTreeMap<String, Vec<String>>, ApiError> {
    let name = "facetsByIndex";
    let by_index = match fields.value(name) {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(by_index)) => by_index,
        Some(other) => return Err(fields.mistyped(name, "an object", &other)),
    };
    let mut facets = BTreeMap::new();
    for (uid, list) in by_index {
        match serde_json::from_value::<Option<Vec<String>>>(list.clone()) {
            Ok(names) => facets.insert(uid, names.unwrap_or_default()),
            Err(_) => {
                let path = format!("{}.{name}.{uid}", fields.path());
                let message = crate::fields::wrong_type(&path, "an array of strings", &list);
                return Err(fields.refuse(name, message));
            }
        };
    }
    Ok(facets)
}

/// Runs every query and writes the merged answer.
pub(crate) fn run(
    federation: &FederationParams,
    queries: Vec<MultiQuery>,
    readers: &mut Readers<'_>,
    with_metadata: bool,
) -> Result<Vec<u8>, ApiError> {
    let started = Instant::now();
    federation.check(&queries)?;
    let mut opened = Vec::with_capacity(queries.len());
    let mut most = 0;
    for (place, query) in queries.iter().enumerate() {
        let reader = readers.get(&query.index_uid);
        let reader = reader.map_err(|error| ApiError::from(error).inside_query(place))?;
        most = most.max(most_hits(&reader));
        opened.push(reader);
    }
    let metadata = match with_metadata {
        true => Some(metadata_of(&queries, &opened)?),
        false => None,
    };
    let repeated = repeated(&queries);
    let mut facets = facets_of_repeated(federation, &queries, &opened, &repeated)?;
    let (offset, limit) = federation.paging.window(most);
    let mut lists = Vec::with_capacity(queries.len());
    let mut totals = Totals::default();
    for (place, (query, reader)) in queries.into_iter().zip(&opened).enumerate() {
        let uid = query.index_uid.as_str();
        let asked = federation
            .facets
            .get(uid)
            .filter(|_| !repeated.contains(uid));
        let depth = Depth {
            hits: match federation.distinct {
                // Which are alike, and so how many there are, is seen only in all of them.
                Some(_) => most,
                None => offset + limit,
            },
            facets: asked.map(Vec::as_slice).unwrap_or_default(),
            distinct: federation.distinct.as_deref(),
            is_repeated: repeated.contains(uid),
        };
        let list = List::search(query, reader, &depth, &mut totals);
        let mut list = list.map_err(|error| error.inside_query(place))?;
        if asked.is_some() {
            let uid = list.index_uid.to_string();
            facets.insert(uid, std::mem::take(&mut list.answer.facets));
        }
        lists.push(list);
    }
    let mut places = merged(&lists);
    let mut total = totals.count();
    if let Some(path) = &federation.distinct {
        places = distinct(&lists, places, path);
        total = places.len();
    }
    let window: Vec<Place> = places.into_iter().skip(offset).take(limit).collect();
    let around = Around {
        paging: federation.paging.answer(total, most),
        took: started.elapsed(),
        facets,
        metadata,
    };
    written(&lists, &window, federation, around).map_err(ApiError::internal)
}

fn metadata_of(queries: &[MultiQuery], opened: &[IndexReader]) -> Result<Vec<Metadata>, ApiError> {
    let mut metadata = Vec::with_capacity(queries.len());
    for (query, reader) in queries.iter().zip(opened) {
        let primary_key = reader.info()?.primary_key;
        metadata.push(Metadata::new(query.index_uid.as_str(), primary_key));
    }
    Ok(metadata)
}

/// The facets of indexes that several queries search, counted over what any of them finds.
fn facets_of_repeated(
    federation: &FederationParams,
    queries: &[MultiQuery],
    opened: &[IndexReader],
    repeated: &HashSet<String>,
) -> Result<ByIndex, ApiError> {
    let mut counted = ByIndex::new();
    let wanted = federation.facets.iter();
    for (uid, names) in wanted.filter(|(uid, _)| repeated.contains(*uid)) {
        let of_index = |query: &MultiQuery| query.index_uid.as_str() == uid;
        let requests = queries.iter().filter(|query| of_index(query));
        let requests: Vec<_> = requests.map(|query| &query.params.request).collect();
        if let Some(place) = queries.iter().position(of_index)
            && let Some(reader) = opened.get(place)
        {
            let facets = reader.facets_of_all(&requests, names);
            let facets = facets.map_err(|error| ApiError::from(error).inside_query(place))?;
            counted.insert(uid.clone(), facets);
        }
    }
    Ok(counted)
}

/// Indexes that more than one query names.
fn repeated(queries: &[MultiQuery]) -> HashSet<String> {
    let mut seen = HashSet::new();
    let again = queries
        .iter()
        .filter(|query| !seen.insert(query.index_uid.as_str()));
    again
        .map(|query| query.index_uid.as_str().to_owned())
        .collect()
}

fn written(
    lists: &[List],
    window: &[Place],
    federation: &FederationParams,
    around: Around,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = JsonText::with_capacity(16_384);
    text.raw("{\"hits\":[");
    let hits = window
        .iter()
        .filter_map(|place| Some((place, found(lists, *place)?)));
    for (number, (place, (list, hit))) in hits.enumerate() {
        if number > 0 {
            text.raw(",");
        }
        let origin = Federation {
            index_uid: list.index_uid.as_str(),
            queries_position: list.options.position,
            weighted_ranking_score: place.score,
        };
        text.document(
            &hit.document,
            &HitExtras::federated(hit, origin, list.shows_score),
        )?;
    }
    text.raw("]");
    let Around {
        paging,
        took,
        facets,
        metadata,
    } = around;
    let asked = !federation.facets.is_empty();
    let merged = federation
        .merged_values
        .map(|most| federated_facets::merged(&facets, most));
    let mut lacking = lists.iter().filter_map(|list| {
        let lacks = list.answer.meaning_lacks.as_deref()?;
        Some(format!("{}: {lacks}", list.index_uid))
    });
    let lacks = lacking.next();
    text.rest_of_object(&Tail {
        processing_time_ms: millis(took),
        paging,
        facets_by_index: (asked && merged.is_none()).then(|| federated_facets::shown(&facets)),
        facet_distribution: merged.as_deref().map(Distribution),
        facet_stats: merged.as_deref().map(Ranges),
        degraded: lacks.as_deref().map(|meaning| Degraded { meaning }),
        performance_details: federation
            .shows_performance
            .then(|| PerformanceDetails::new(took)),
        request_uid: metadata.as_ref().map(|_| metadata::unique_id()),
        metadata,
    })?;
    Ok(text.finish())
}
