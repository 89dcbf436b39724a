//! `POST /indexes/{uid}/facet-search`: the values of one facet that begin with a text.
//!
//! The body may carry all parameters of the search that is on the screen; those
//! that do not change the counts are passed over, as the convention has it.

use crate::access::Access;
use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Fields, Table};
use crate::filter;
use crate::meaning;
use crate::path::At;
use crate::payload::JsonBody;
use crate::search::millis;
use crate::search_params::{
    refuse_later_features, take_locales, take_matching, take_query_text, take_threshold,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::SearchRequest;
use serde::Serialize;
use std::time::Instant;

const FIELDS: Table = &[
    ("facetName", "invalid_facet_search_facet_name"),
    ("facetQuery", "invalid_facet_search_facet_query"),
    ("q", "invalid_search_q"),
    ("vector", "invalid_search_vector"),
    ("media", "invalid_search_media"),
    ("hybrid", "invalid_search_hybrid_query"),
    ("filter", "invalid_search_filter"),
    ("matchingStrategy", "invalid_search_matching_strategy"),
    (
        "attributesToSearchOn",
        "invalid_search_attributes_to_search_on",
    ),
    (
        "rankingScoreThreshold",
        "invalid_search_ranking_score_threshold",
    ),
    ("relevanceCutoff", "invalid_search_relevance_cutoff"),
    ("locales", "invalid_search_locales"),
    (
        "exhaustiveFacetCount",
        "invalid_facet_search_exhaustive_facet_count",
    ),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FacetSearchAnswer {
    facet_hits: Vec<FacetHit>,
    facet_query: Option<String>,
    processing_time_ms: u64,
}

#[derive(Serialize)]
struct FacetHit {
    value: String,
    count: u64,
}

/// `POST /indexes/{uid}/facet-search`
pub(crate) async fn post(
    State(app): State<App>,
    At(uid): At<String>,
    access: Access,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::lenient_body(body, FIELDS)?;
    refuse_later_features(&mut fields)?;
    let facet = fields
        .text("facetName")?
        .ok_or_else(|| fields.missing("facetName", "missing_facet_search_facet_name"))?;
    let facet_text = fields.text("facetQuery")?;
    // Counts are always exhaustive here, whatever is asked.
    fields.boolean("exhaustiveFacetCount")?;
    let mut request = SearchRequest {
        q: take_query_text(&mut fields, "q", &app)?,
        filter: access.narrow(&uid, filter::take(&mut fields)?)?,
        matching: take_matching(&mut fields)?,
        search_on: fields.texts("attributesToSearchOn")?,
        score_threshold: take_threshold(&mut fields)?,
        locales: take_locales(&mut fields)?,
        ..SearchRequest::default()
    };
    meaning::take(&mut fields, &mut request)?;
    let answer = app
        .read_index(&uid, |reader| {
            if reader.settings().facet_search == Some(false) {
                return Err(ApiError::invalid(
                    "facet_search_disabled",
                    "The facet search is disabled for this index.",
                ));
            }
            let started = Instant::now();
            let text = facet_text.as_deref().unwrap_or_default();
            let found = reader.facet_search(&facet, text, &request)?;
            let facet_hits = found
                .into_iter()
                .map(|(value, count)| FacetHit { value, count })
                .collect();
            let processing_time_ms = millis(started.elapsed());
            Ok(FacetSearchAnswer {
                facet_hits,
                facet_query: facet_text.clone(),
                processing_time_ms,
            })
        })
        .await?;
    Ok(json_response(StatusCode::OK, &answer))
}
