//! Search by meaning: the parameters `hybrid`, `vector` and `relevanceCutoff`, and the route
//! `GET|POST /indexes/{uid}/similar`.

use crate::access::Access;
use crate::app::App;
use crate::error::{ApiError, json_bytes};
use crate::fields::{Fields, Params, Table};
use crate::filter;
use crate::hits::{HitExtras, JsonText};
use crate::paging::{Paging, PagingAnswer};
use crate::path::At;
use crate::payload::JsonBody;
use crate::search::{Degraded, PerformanceDetails, millis, most_hits};
use crate::search_params::take_threshold;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::{EngineError, Hybrid, IndexReader, SearchAnswer, SearchRequest};
use serde::Serialize;
use serde_json::Value;
use std::time::Instant;

/// Most numbers of a vector that is read.
const MOST_NUMBERS: usize = 4_096;

const HYBRID: Table = &[
    ("embedder", "invalid_search_embedder"),
    ("semanticRatio", "invalid_search_semantic_ratio"),
];

/// The fields of a request for similar documents, as a body or as a query string.
const SIMILAR: Table = &[
    ("id", "invalid_similar_id"),
    ("embedder", "invalid_similar_embedder"),
    ("offset", "invalid_similar_offset"),
    ("limit", "invalid_similar_limit"),
    ("filter", "invalid_similar_filter"),
    (
        "attributesToRetrieve",
        "invalid_similar_attributes_to_retrieve",
    ),
    ("retrieveVectors", "invalid_similar_retrieve_vectors"),
    ("showRankingScore", "invalid_similar_show_ranking_score"),
    (
        "showRankingScoreDetails",
        "invalid_similar_show_ranking_score_details",
    ),
    (
        "rankingScoreThreshold",
        "invalid_similar_ranking_score_threshold",
    ),
    ("relevanceCutoff", "invalid_similar_relevance_cutoff"),
    (
        "showPerformanceDetails",
        "invalid_similar_show_performance_details",
    ),
];

/// Takes the part that meaning has in a search.
pub(crate) fn take(fields: &mut Fields, request: &mut SearchRequest) -> Result<(), ApiError> {
    request.hybrid = take_hybrid(fields)?;
    request.vector = take_vector(fields)?;
    request.relevance_cutoff = take_share(fields, "relevanceCutoff")?;
    if request.vector.is_some() && request.hybrid.is_none() {
        return Err(ApiError::invalid(
            "missing_search_hybrid",
            "Invalid request: missing `hybrid` parameter when `vector` is present.",
        ));
    }
    Ok(())
}

fn take_hybrid(fields: &mut Fields) -> Result<Option<Hybrid>, ApiError> {
    if let Some(value) = fields.value("hybrid") {
        if !value.is_object() {
            return Err(fields.mistyped("hybrid", "an object", &value));
        }
        let path = format!("{}.hybrid", fields.path());
        let mut inside = Fields::object(value, HYBRID, path)?;
        return Ok(Some(Hybrid {
            embedder: inside.text("embedder")?,
            ratio: take_share(&mut inside, "semanticRatio")?,
        }));
    }
    let embedder = fields.text("hybridEmbedder")?;
    let ratio = match fields.is_known("hybridSemanticRatio") {
        true => take_share(fields, "hybridSemanticRatio")?,
        false => None,
    };
    let is_asked = embedder.is_some() || ratio.is_some();
    Ok(is_asked.then_some(Hybrid { embedder, ratio }))
}

/// A number from 0 to 1.
fn take_share(fields: &mut Fields, name: &str) -> Result<Option<f32>, ApiError> {
    let share = fields.number(name)?;
    match share.filter(|share| !(0.0..=1.0).contains(share)) {
        Some(share) => Err(fields.refuse(
            name,
            format!("Invalid value at `{}.{name}`: the value of `{name}` is invalid, expected a float between `0.0` and `1.0`, but found `{share}`.", fields.path()),
        )),
        None => Ok(share.map(|share| share as f32)),
    }
}

fn take_vector(fields: &mut Fields) -> Result<Option<Vec<f32>>, ApiError> {
    let numbers: Vec<f32> = match fields.value("vector") {
        None => return Ok(None),
        Some(Value::Array(list)) => {
            let mut numbers = Vec::with_capacity(list.len().min(MOST_NUMBERS));
            for value in &list {
                match value.as_f64() {
                    Some(number) => numbers.push(number as f32),
                    None => return Err(fields.mistyped("vector", "numbers", value)),
                }
            }
            numbers
        }
        Some(Value::String(text)) => {
            let parts = text.split(',').map(|part| part.trim().parse());
            match parts.collect() {
                Ok(numbers) => numbers,
                Err(_) => {
                    return Err(
                        fields.refuse("vector", "`vector` must be numbers with commas between.")
                    );
                }
            }
        }
        Some(other) => return Err(fields.mistyped("vector", "an array", &other)),
    };
    if numbers.len() > MOST_NUMBERS {
        return Err(fields.refuse(
            "vector",
            format!(
                "`vector` has {} numbers, but at most {MOST_NUMBERS} are possible.",
                numbers.len()
            ),
        ));
    }
    Ok(Some(numbers))
}

/// `POST /indexes/{uid}/similar`
pub(crate) async fn post(
    State(app): State<App>,
    At(uid): At<String>,
    access: Access,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let fields = Fields::body(body, SIMILAR)?;
    answer(&app, &uid, &access, fields).await
}

/// `GET /indexes/{uid}/similar`
pub(crate) async fn get(
    State(app): State<App>,
    At(uid): At<String>,
    access: Access,
    params: Params,
) -> Result<Response, ApiError> {
    let fields = params.fields(SIMILAR)?;
    answer(&app, &uid, &access, fields).await
}

async fn answer(
    app: &App,
    uid: &str,
    access: &Access,
    mut fields: Fields,
) -> Result<Response, ApiError> {
    let id = fields.id("id")?;
    let id = id.ok_or_else(|| fields.missing("id", "missing_similar_id"))?;
    let embedder = fields.text("embedder")?;
    let shows_performance = fields
        .boolean("showPerformanceDetails")?
        .unwrap_or_default();
    let filter = filter::take(&mut fields)?;
    let request = SearchRequest {
        filter: access.narrow(uid, filter)?,
        score_threshold: take_threshold(&mut fields)?,
        relevance_cutoff: take_share(&mut fields, "relevanceCutoff")?,
        retrieve: fields
            .texts("attributesToRetrieve")?
            .filter(|names| !names.iter().any(|name| name == "*")),
        retrieve_vectors: fields.boolean("retrieveVectors")?.unwrap_or_default(),
        show_ranking_score: fields.boolean("showRankingScore")?.unwrap_or_default(),
        show_ranking_score_details: fields
            .boolean("showRankingScoreDetails")?
            .unwrap_or_default(),
        hybrid: Some(Hybrid {
            embedder,
            ratio: Some(1.0),
        }),
        like: Some(id.clone()),
        ..SearchRequest::default()
    };
    let paging = Paging::take(&mut fields)?;
    let body = app
        .read_index(uid, |reader| {
            similar(reader, &id, request, (&paging, shows_performance))
        })
        .await?;
    Ok(json_bytes(StatusCode::OK, body))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tail<'a> {
    id: &'a str,
    processing_time_ms: u64,
    #[serde(flatten)]
    paging: PagingAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<Degraded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    performance_details: Option<PerformanceDetails>,
}

fn similar(
    reader: &IndexReader,
    id: &str,
    mut request: SearchRequest,
    (paging, shows_performance): (&Paging, bool),
) -> Result<Vec<u8>, ApiError> {
    let started = Instant::now();
    let most = most_hits(reader);
    (request.offset, request.limit) = paging.window(most);
    let found: SearchAnswer = match reader.search(&request) {
        Err(EngineError::DocumentNotFound(id)) => {
            return Err(ApiError::not_found(
                "not_found_similar_id",
                format!("Document `{id}` not found."),
            ));
        }
        found => found?,
    };
    let mut text = JsonText::with_capacity(8_192);
    text.raw("{\"hits\":[");
    for (place, hit) in found.hits.iter().enumerate() {
        if place > 0 {
            text.raw(",");
        }
        text.document(&hit.document, &HitExtras::from(hit))
            .map_err(ApiError::internal)?;
    }
    text.raw("]");
    let took = started.elapsed();
    let lacks = found.meaning_lacks.as_deref();
    text.rest_of_object(&Tail {
        id,
        processing_time_ms: millis(took),
        paging: paging.answer(found.total, most),
        degraded: lacks.map(|meaning| Degraded { meaning }),
        performance_details: shows_performance.then(|| PerformanceDetails::new(took)),
    })
    .map_err(ApiError::internal)?;
    Ok(text.finish())
}
