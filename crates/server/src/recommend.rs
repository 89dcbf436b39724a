//! `POST /indexes/{uid}/recommend`: the recommendations, in the style of a search.
//!
//! A hit is the document with one field more, `_recommendation`, that says its
//! score, the source that found it and, on request, the reasons; the values of
//! the reasons add up to the score.

use crate::app::App;
use crate::error::{ApiError, json_bytes};
use crate::fields::{Fields, Table};
use crate::filter;
use crate::hits::JsonText;
use crate::path::At;
use crate::payload::JsonBody;
use crate::search::{Suitability, millis};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{ItemId, UserId};
use engine::{
    EngineError, Probabilities, RecommendKind, RecommendRequest, Recommendation, Recommendations,
};
use serde::Serialize;
use std::time::{Duration, Instant};

const FIELDS: Table = &[
    ("kind", "invalid_recommend_kind"),
    ("userId", "invalid_recommend_user_id"),
    ("itemId", "invalid_recommend_item_id"),
    ("itemIds", "invalid_recommend_item_id"),
    ("basket", "invalid_recommend_basket"),
    ("filter", "invalid_recommend_filter"),
    ("limit", "invalid_recommend_limit"),
    ("offset", "invalid_recommend_offset"),
    ("exclude", "invalid_recommend_exclude"),
    ("diversity", "invalid_recommend_diversity"),
    ("exploration", "invalid_recommend_exploration"),
    ("includeSoldOut", "invalid_recommend_include_sold_out"),
    ("includeOwned", "invalid_recommend_include_owned"),
    ("explain", "invalid_recommend_explain"),
];

/// Recommendations within reach of paging.
const MOST: usize = 1000;
/// New items take half of the places at most: the others are what is recommended.
const MOST_EXPLORATION: f64 = 0.5;

#[derive(Serialize)]
struct HitExtra<'a> {
    #[serde(rename = "_recommendation")]
    recommendation: Why<'a>,
}

#[derive(Serialize)]
struct Why<'a> {
    score: f32,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<ReasonJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Probabilities>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReasonJson<'a> {
    because: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<&'a str>,
    value: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tail<'a> {
    kind: &'a str,
    processing_time_ms: u64,
    limit: usize,
    offset: usize,
    estimated_total_hits: usize,
    /// Why the page is not full.
    #[serde(skip_serializing_if = "Option::is_none")]
    fewer: Option<&'a str>,
    /// The trained model that took part.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    trace: Vec<SourceJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suitability: Option<Suitability<'a>>,
}

#[derive(Serialize)]
struct SourceJson<'a> {
    source: &'a str,
    candidates: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// `POST /indexes/{uid}/recommend`
pub(crate) async fn post(
    State(app): State<App>,
    At(uid): At<String>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let asked = read(Fields::body(body, FIELDS)?)?;
    // What the answer repeats; the engine is asked for no more than paging may reach.
    let (offset, limit) = (asked.offset, asked.limit);
    let mut request = asked;
    request.offset = offset.min(MOST);
    request.limit = limit.min(MOST - request.offset);
    let body = app
        .read_index(&uid, |reader| {
            let started = Instant::now();
            let answer = reader.recommend(&request).map_err(recommend_error)?;
            let tail = (request.kind, limit, offset, started.elapsed());
            written(&answer, request.explain, tail).map_err(ApiError::internal)
        })
        .await?;
    Ok(json_bytes(StatusCode::OK, body))
}

fn read(mut fields: Fields) -> Result<RecommendRequest, ApiError> {
    let kind = fields
        .text("kind")?
        .ok_or_else(|| fields.missing("kind", "missing_recommend_kind"))?;
    let kind: RecommendKind = kind
        .parse()
        .map_err(|error| ApiError::from(EngineError::Kind(error)))?;
    let mut request = RecommendRequest::new(kind);
    if let Some(user) = fields.id("userId")? {
        let user = UserId::new(user);
        request.user = Some(user.map_err(|error| fields.refuse("userId", error.to_string()))?);
    }
    request.items = item_ids(&mut fields, "itemIds")?;
    if let Some(item) = fields.id("itemId")? {
        request.items.insert(0, item_id(&fields, "itemId", item)?);
    }
    request.basket = item_ids(&mut fields, "basket")?;
    request.exclude = item_ids(&mut fields, "exclude")?;
    request.filter = filter::take(&mut fields)?;
    request.limit = fields.size("limit")?.unwrap_or(request.limit);
    request.offset = fields.size("offset")?.unwrap_or(request.offset);
    request.diversity = share(&mut fields, "diversity", 1.0)?.unwrap_or(request.diversity);
    let exploration = share(&mut fields, "exploration", MOST_EXPLORATION)?;
    request.exploration = exploration.unwrap_or(request.exploration);
    request.sold_out = fields.boolean("includeSoldOut")?.unwrap_or_default();
    request.owned = fields.boolean("includeOwned")?.unwrap_or_default();
    request.explain = fields.boolean("explain")?.unwrap_or_default();
    Ok(request)
}

/// A number from 0 to this.
fn share(fields: &mut Fields, name: &str, most: f64) -> Result<Option<f64>, ApiError> {
    match fields.number(name)? {
        Some(share) if !(0.0..=most).contains(&share) => {
            Err(fields.refuse(name, format!("`{name}` is a number from 0 to {most}")))
        }
        share => Ok(share),
    }
}

fn item_ids(fields: &mut Fields, name: &str) -> Result<Vec<ItemId>, ApiError> {
    let ids = fields.ids(name)?.unwrap_or_default();
    ids.into_iter()
        .map(|id| item_id(fields, name, id))
        .collect()
}

fn item_id(fields: &Fields, name: &str, id: String) -> Result<ItemId, ApiError> {
    ItemId::new(id).map_err(|error| fields.refuse(name, error.to_string()))
}

fn recommend_error(error: EngineError) -> ApiError {
    let error = ApiError::from(error);
    match error.code() {
        "invalid_search_filter" => error.coded("invalid_recommend_filter"),
        _ => error,
    }
}

fn written(
    answer: &Recommendations,
    explain: bool,
    (kind, limit, offset, took): (RecommendKind, usize, usize, Duration),
) -> Result<Vec<u8>, serde_json::Error> {
    let bytes: usize = answer
        .hits
        .iter()
        .map(|hit| hit.document.get().len() + 128)
        .sum();
    let mut text = JsonText::with_capacity(bytes + 512);
    text.raw("{\"hits\":[");
    for (place, hit) in answer.hits.iter().enumerate() {
        if place > 0 {
            text.raw(",");
        }
        text.document(
            &hit.document,
            &HitExtra {
                recommendation: why(hit, explain),
            },
        )?;
    }
    text.raw("]");
    let trace = answer.trace.iter().map(|report| SourceJson {
        source: report.source,
        candidates: report.candidates,
        error: report.error.as_deref(),
    });
    text.rest_of_object(&Tail {
        kind: kind.as_str(),
        processing_time_ms: millis(took),
        limit,
        offset,
        estimated_total_hits: answer.total.min(MOST),
        fewer: answer.fewer.as_deref(),
        model: answer.model.as_deref(),
        trace: trace.collect(),
        suitability: answer.suited.as_ref().map(|suited| {
            let rule = Suitability::of(suited);
            rule.having_left_out(answer.unsuited)
        }),
    })?;
    Ok(text.finish())
}

fn why(hit: &Recommendation, explain: bool) -> Why<'_> {
    let reasons = hit.reasons.iter().map(|reason| ReasonJson {
        because: reason.because,
        item_id: reason.item.as_ref().map(ItemId::as_str),
        value: reason.value,
    });
    Why {
        score: hit.score.get(),
        source: hit.source,
        reasons: explain.then(|| reasons.collect()),
        probabilities: hit.probabilities,
    }
}
