//! `/experimental-features`: switches of the convention, kept and shown.
//!
//! What they switch in the convention is either always there in Vitrine (filters with
//! `CONTAINS`, metrics) or not there yet, so none of them changes anything.

use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Fields, Row, Table};
use crate::payload::JsonBody;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::{Registry, RegistryChange};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const NAMES: [&str; 13] = [
    "metrics",
    "logsRoute",
    "editDocumentsByFunction",
    "containsFilter",
    "network",
    "getTaskDocumentsRoute",
    "compositeEmbedders",
    "chatCompletions",
    "multimodal",
    "vectorStoreSetting",
    "dynamicSearchRules",
    "foreignKeys",
    "taskQueueCompactionRoute",
];
const ROWS: [Row; NAMES.len()] = {
    let mut rows = [("", "bad_request"); NAMES.len()];
    let mut place = 0;
    while place < NAMES.len() {
        rows[place].0 = NAMES[place];
        place += 1;
    }
    rows
};
const FEATURES: Table = &ROWS;

/// `GET /experimental-features`
pub(crate) async fn get(State(app): State<App>) -> Response {
    json_response(StatusCode::OK, &shown(&app.engine().registry()))
}

/// `PATCH /experimental-features`
pub(crate) async fn update(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::body(body, FEATURES)?;
    let mut switched = BTreeMap::new();
    for name in NAMES {
        if let Some(on) = fields.boolean(name)? {
            switched.insert(name.to_owned(), on);
        }
    }
    if !switched.is_empty() {
        app.change(RegistryChange::Features { switched }).await?;
    }
    Ok(json_response(
        StatusCode::OK,
        &shown(&app.engine().registry()),
    ))
}

fn shown(registry: &Registry) -> Map<String, Value> {
    let on = |name: &str| registry.features.get(name).copied().unwrap_or_default();
    NAMES
        .iter()
        .map(|name| ((*name).to_owned(), json!(on(name))))
        .collect()
}
