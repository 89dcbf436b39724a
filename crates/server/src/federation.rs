//! Federated search: the hits of several queries in one list.
//!
//! The list is merged by weighted ranking score, and its total counts exactly
//! what paging reaches. Facets are counted per index, or over all of them.

use crate::error::ApiError;
use crate::federated_facets::{self, IndexFacets};
use crate::fields::{Fields, Table};
use crate::hits::{Distribution, Federation, HitExtras, JsonText, Ranges};
use crate::merge::{Depth, List, Place, Totals, found, merged};
use crate::multi::{MultiQuery, Readers};
use crate::paging::{Paging, PagingAnswer};
use crate::search::{millis, most_hits};
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
        })
    }

    /// Facets need an index that exactly one query searches.
    fn check(&self, queries: &[MultiQuery]) -> Result<(), ApiError> {
        for uid in self.facets.keys() {
            let named = queries
                .iter()
                .filter(|query| query.index_uid.as_str() == uid)
                .count();
            let problem = match named {
                1 => continue,
                0 => "no query searches it",
                _ => "several queries search it, and their facets cannot be counted together yet",
            };
            return Err(ApiError::invalid(
                "invalid_multi_search_facets_by_index",
                format!(
                    "Inside `.federation.facetsByIndex.{uid}`: the facets of the index `{uid}` cannot be given, because {problem}."
                ),
            ));
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
    let repeated = repeated(&queries);
    let (offset, limit) = federation.paging.window(most);
    let mut lists = Vec::with_capacity(queries.len());
    let mut totals = Totals::default();
    for (place, (query, reader)) in queries.into_iter().zip(&opened).enumerate() {
        let uid = query.index_uid.as_str();
        let depth = Depth {
            hits: offset + limit,
            facets: federation
                .facets
                .get(uid)
                .map(Vec::as_slice)
                .unwrap_or_default(),
            is_repeated: repeated.contains(uid),
        };
        let list = List::search(query, reader, &depth, &mut totals);
        lists.push(list.map_err(|error| error.inside_query(place))?);
    }
    let window: Vec<Place> = merged(&lists)
        .into_iter()
        .skip(offset)
        .take(limit)
        .collect();
    let paging = federation.paging.answer(totals.count(), most);
    written(&lists, &window, federation, (paging, started.elapsed())).map_err(ApiError::internal)
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
    (paging, took): (PagingAnswer, Duration),
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
    let asked = !federation.facets.is_empty();
    let merged = federation
        .merged_values
        .map(|most| federated_facets::merged(lists, most));
    text.rest_of_object(&Tail {
        processing_time_ms: millis(took),
        paging,
        facets_by_index: (asked && merged.is_none()).then(|| federated_facets::by_index(lists)),
        facet_distribution: merged.as_deref().map(Distribution),
        facet_stats: merged.as_deref().map(Ranges),
    })?;
    Ok(text.finish())
}
