//! `GET|POST /indexes/{uid}/search`, and the answer that multi-search shares.
//!
//! The engine's answer is written straight into the body: hits are the stored
//! documents with their extras spliced in, the rest follows as fields.

use crate::access::Access;
use crate::app::App;
use crate::error::{ApiError, json_bytes};
use crate::fields::{Fields, Params};
use crate::hits::{Distribution, HitExtras, JsonText, Ranges};
use crate::metadata::{self, Metadata};
use crate::paging::{Paging, PagingAnswer};
use crate::path::At;
use crate::payload::JsonBody;
use crate::search_params::{SEARCH, SEARCH_QUERY, SearchParams};
use crate::understood::UnderstoodAnswer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use engine::{DEFAULT_MAX_TOTAL_HITS, IndexReader, SearchAnswer, Suited};
use serde::Serialize;
use std::time::{Duration, Instant};

/// `POST /indexes/{uid}/search`
pub(crate) async fn post(
    State(app): State<App>,
    At(uid): At<String>,
    access: Access,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut params = SearchParams::take(&mut Fields::body(body, SEARCH)?, &app)?;
    params.narrow(&access, &uid)?;
    answer(&app, &uid, params, &headers).await
}

/// `GET /indexes/{uid}/search`
pub(crate) async fn get(
    State(app): State<App>,
    At(uid): At<String>,
    access: Access,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, ApiError> {
    let mut params = SearchParams::take(&mut params.fields(SEARCH_QUERY)?, &app)?;
    params.narrow(&access, &uid)?;
    answer(&app, &uid, params, &headers).await
}

async fn answer(
    app: &App,
    uid: &str,
    params: SearchParams,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let with_metadata = metadata::is_wanted(headers);
    let body = app
        .read_index(uid, |reader| {
            let mut found = Found::search(reader, params)?;
            if with_metadata {
                found.add_metadata(uid, reader)?;
            }
            let mut text = JsonText::with_capacity(found.estimated_bytes());
            text.raw("{");
            found.write_fields(&mut text).map_err(ApiError::internal)?;
            Ok(text.finish())
        })
        .await?;
    Ok(json_bytes(StatusCode::OK, body))
}

/// How many hits paging may reach in an index.
pub(crate) fn most_hits(reader: &IndexReader) -> usize {
    let pagination = reader.settings().pagination;
    pagination
        .and_then(|pagination| pagination.max_total_hits)
        .unwrap_or(DEFAULT_MAX_TOTAL_HITS)
}

/// One search with its answer.
pub(crate) struct Found {
    query: String,
    paging: Paging,
    most: usize,
    facets_asked: bool,
    answer: SearchAnswer,
    took: Duration,
    shows_performance: bool,
    metadata: Option<Metadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tail<'a> {
    query: &'a str,
    processing_time_ms: u64,
    #[serde(flatten)]
    paging: PagingAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    facet_distribution: Option<Distribution<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facet_stats: Option<Ranges<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    semantic_hit_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<Degraded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suitability: Option<Suitability<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    performance_details: Option<PerformanceDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    understood: Option<UnderstoodAnswer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Metadata>,
}

/// `degraded`, ours: which source of an answer could not give all it has, and why.
#[derive(Serialize)]
pub(crate) struct Degraded<'a> {
    pub(crate) meaning: &'a str,
}

/// `suitability`, ours: which items may be shown to whoever asks.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Suitability<'a> {
    attribute: &'a str,
    /// `null` where nobody has stated the shopper's class: then nothing suits.
    at_most: Option<f64>,
    /// How many items were passed over for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

impl<'a> Suitability<'a> {
    pub(crate) fn of(suited: &'a Suited) -> Self {
        Self {
            attribute: &suited.attribute,
            at_most: suited.at_most,
            left_out: None,
        }
    }

    /// The same, with how many candidates did not suit.
    pub(crate) fn having_left_out(self, count: usize) -> Self {
        Self {
            left_out: Some(count),
            ..self
        }
    }
}

/// `performanceDetails`: how long the steps of an answer took.
#[derive(Serialize)]
pub(crate) struct PerformanceDetails {
    search: String,
}

impl PerformanceDetails {
    pub(crate) fn new(search: Duration) -> Self {
        Self {
            search: format!("{search:.2?}"),
        }
    }
}

impl Found {
    /// Runs a search.
    pub(crate) fn search(reader: &IndexReader, params: SearchParams) -> Result<Self, ApiError> {
        let started = Instant::now();
        let SearchParams {
            mut request,
            paging,
            shows_performance,
        } = params;
        let most = most_hits(reader);
        (request.offset, request.limit) = paging.window(most);
        let answer = reader.search(&request)?;
        Ok(Self {
            facets_asked: !request.facets.is_empty(),
            query: request.q,
            paging,
            most,
            answer,
            took: started.elapsed(),
            shows_performance,
            metadata: None,
        })
    }

    pub(crate) fn add_metadata(&mut self, uid: &str, reader: &IndexReader) -> Result<(), ApiError> {
        self.metadata = Some(Metadata::new(uid, reader.info()?.primary_key));
        Ok(())
    }

    /// About how long the answer will be, so that its buffer need not grow.
    pub(crate) fn estimated_bytes(&self) -> usize {
        let documents = self
            .answer
            .hits
            .iter()
            .map(|hit| hit.document.get().len() + 64);
        512 + documents.sum::<usize>()
    }

    /// Writes the fields of the answer and the closing brace.
    pub(crate) fn write_fields(&self, text: &mut JsonText) -> Result<(), serde_json::Error> {
        text.raw("\"hits\":[");
        for (place, hit) in self.answer.hits.iter().enumerate() {
            if place > 0 {
                text.raw(",");
            }
            text.document(&hit.document, &HitExtras::from(hit))?;
        }
        text.raw("]");
        let facets = &self.answer.facets;
        text.rest_of_object(&Tail {
            query: &self.query,
            processing_time_ms: millis(self.took),
            paging: self.paging.answer(self.answer.total, self.most),
            facet_distribution: self.facets_asked.then_some(Distribution(facets)),
            facet_stats: self.facets_asked.then_some(Ranges(facets)),
            semantic_hit_count: self.answer.semantic_hits,
            degraded: self
                .answer
                .meaning_lacks
                .as_deref()
                .map(|meaning| Degraded { meaning }),
            suitability: self.answer.suited.as_ref().map(Suitability::of),
            performance_details: self
                .shows_performance
                .then(|| PerformanceDetails::new(self.took)),
            understood: self.answer.understood.as_ref().map(UnderstoodAnswer::from),
            request_uid: self.metadata.as_ref().map(|_| metadata::unique_id()),
            metadata: self.metadata.as_ref(),
        })
    }
}

/// Whole milliseconds, as answers give them.
pub(crate) fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
